#!/usr/bin/env python3
"""Reading of Parquet beside DuckDB, on the same files, one thread each, in one run.

usage: bench_scan.py BUILD DIR [-r ROWS] [-n ROUNDS] [-f FILE]... [-c COLUMN]...

BUILD has our programs. Files of ROWS rows (10 000 000) are made in DIR where they are not there yet.
Needs the modules duckdb and pyarrow. Prints a table a file, and exits with 1 when a checksum differs.
"""
import argparse
import decimal
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time

import duckdb
import pyarrow.parquet

WORDS = ("the furiously final deposits sleep carefully pending quickly theodolites along even "
         "requests haggle silent accounts about ironic packages nag blithely express foxes use "
         "slyly regular ideas boost against bold pinto beans wake").split()


def number(of, seed=0):
    """One of `of` numbers, at random but the same in every run."""
    return f"(hash(i * 32 + {seed}) % {of})::BIGINT"


def word(seed):
    return f"list_extract({WORDS}, 1 + {number(len(WORDS), seed)})"


def nulls(expression, seed):
    """One in ten is null."""
    return f"CASE WHEN {number(10, seed)} > 0 THEN {expression} END"


DEC38 = f"(({number(10**12, 1)}::DECIMAL(38,10) * 1000) + {number(10**6, 2)} / 1000000::DECIMAL(8,0))"

# name, expression of row i, Delta type
COLUMNS = [
    ("i32_random", f"{number(10**9)}::INTEGER", "integer"),
    ("i32_few", f"{number(50)}::INTEGER", "integer"),
    ("i64_sorted", "i::BIGINT * 3", "long"),
    ("i64_random", number(10**15), "long"),
    ("i64_few", number(50), "long"),
    ("i64_many", number(20000), "long"),
    ("i64_null", nulls(number(10**12), 7), "long"),
    ("s_few", f"'status ' || {number(8)}", "string"),
    ("s_many", f"'customer ' || {number(20000)}", "string"),
    ("s_unique", f"printf('%020d', {number(10**18)})", "string"),
    ("s_comment", " || ' ' || ".join(word(k) for k in range(6)), "string"),
    ("s_few_null", nulls(f"'status ' || {number(8)}", 8), "string"),
    ("s_unique_null", nulls(f"printf('%020d', {number(10**18)})", 9), "string"),
    ("dec_7_2", f"({number(10**7)}::DECIMAL(18,0) / 100)::DECIMAL(7,2)", "decimal(7,2)"),
    ("dec_18_4", f"({number(10**15)} / 10000)::DECIMAL(18,4)", "decimal(18,4)"),
    ("dec_38_10", f"{DEC38}::DECIMAL(38,10)", "decimal(38,10)"),
    ("dec_18_4_null", nulls(f"({number(10**15)} / 10000)::DECIMAL(18,4)", 10), "decimal(18,4)"),
    ("ts", f"make_timestamp(1700000000000000 + i * 1000 + {number(1000)})", "timestamp_ntz"),
    ("ts_null", nulls(f"make_timestamp(1700000000000000 + {number(10**14)})", 11), "timestamp_ntz"),
    ("date", f"DATE '2015-01-01' + {number(4000)}::INTEGER", "date"),
    ("date_null", nulls(f"DATE '2015-01-01' + {number(4000)}::INTEGER", 12), "date"),
    ("double", f"{number(10**6)}::DOUBLE / 7", "double"),
    ("bool", f"{number(3)} = 0", "boolean"),
    ("bool_null", nulls(f"{number(3)} = 0", 13), "boolean"),
]
TYPES = {name: kind for name, _, kind in COLUMNS}

NAMES = [name for name, _, _ in COLUMNS]

# The table that bench_pq_write makes with our writer.
OWN = {
    "orderkey": "long", "partkey": "long", "suppkey": "long", "linenumber": "integer",
    "quantity": "decimal(18,2)", "extendedprice": "decimal(18,2)", "discount": "decimal(18,2)",
    "tax": "decimal(38,2)", "returnflag": "string", "linestatus": "string", "shipdate": "date",
    "commitdate": "date", "receipt": "timestamp", "shipinstruct": "string", "shipmode": "string",
    "comment": "string",
}
TYPES.update(OWN)

# name, writer, codec, columns of the file, lines: its columns one by one, and all; or all alone, for
# information
FILES = [
    ("zstd", "DuckDB V1", "zstd", NAMES, True),
    ("snappy", "DuckDB V1", "snappy", NAMES, True),
    ("arrow_zstd", "pyarrow", "zstd", NAMES, True),
    ("arrow_snappy", "pyarrow", "snappy", NAMES, True),
    ("int96_snappy", "pyarrow INT96", "snappy", ["ts", "ts_null"], True),
    ("own_zstd", "cdc-tools", "zstd", list(OWN), False),
    ("v2_zstd", "DuckDB V2", "zstd", NAMES, False),
    ("v2_snappy", "DuckDB V2", "snappy", NAMES, False),
    ("none", "DuckDB V1", "uncompressed", NAMES, False),
    ("lz4_raw", "DuckDB V1", "lz4_raw", NAMES, False),
]


def summand(name, kind):
    """What both sides add up."""
    if kind == "string":
        return f"strlen({name})"
    if kind == "boolean":
        return f"{name}::INTEGER"
    if kind == "date":
        return f"({name} - DATE '1970-01-01')"
    return f"epoch_us({name})" if kind.startswith("timestamp") else name


def weighed(name, kind):
    """The same, bound to rows and bytes."""
    if kind == "string":
        return f"sum(md5_number_lower(file_row_number || ':' || {name})::HUGEINT)"
    value = summand(name, kind)
    if kind.startswith("decimal"):
        value = f"replace({name}::VARCHAR, '.', '')"
    if kind == "double":
        return f"fsum({name} * (1 + file_row_number % 1000003))"
    return f"sum({value}::HUGEINT * (1 + file_row_number % 1000003))"


def unscaled(value, kind):
    """A sum of DuckDB's as our text of it."""
    if value is None:
        return 0
    if kind.startswith("decimal"):
        return int(value.scaleb(int(kind[:-1].split(",")[1])))
    return float(value) if kind == "double" else int(value)


def weighed_kind(name):
    return "double" if TYPES[name] == "double" else "long"


def same(kind, ours, theirs):
    if kind == "double":  # not added up in the same order
        return math.isclose(float(ours), theirs, rel_tol=1e-9)
    return int(ours) == theirs


class Reader:
    """bench_scan, asked line by line."""

    def __init__(self, build):
        self.process = subprocess.Popen([f"{build}/tests/bench/bench_scan"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, mode, table, column):
        self.process.stdin.write(f"{mode} {table} {column}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench_scan gave up")
        return json.loads(line)


def write(con, build, path, writer, codec, names, rows):
    if writer == "cdc-tools":
        name = "table of 16"
        subprocess.run([f"{build}/tests/bench/bench_pq_write", str(rows), os.path.dirname(path), name],
                       check=True, stdout=subprocess.DEVNULL)
        os.rename(f"{os.path.dirname(path)}/{name}.parquet", path)
        return
    select = ", ".join(f"{expression} AS {column}" for column, expression, _ in COLUMNS
                       if column in names)
    select = f"SELECT {select} FROM range({rows}) t(i)"
    if writer.startswith("pyarrow"):
        reader = con.execute(select).to_arrow_reader(1 << 20)
        with pyarrow.parquet.ParquetWriter(
                path, reader.schema, compression=codec,
                use_deprecated_int96_timestamps=writer.endswith("INT96")) as out:
            for batch in reader:
                out.write_batch(batch)
        return
    con.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, PARQUET_VERSION {writer[-2:]}, "
                f"COMPRESSION '{codec}')")


def make(con, build, directory, name, writer, codec, names, rows):
    """A table of one file, as others write it, and its log."""
    table = f"{directory}/{name}-{rows}"
    if os.path.exists(f"{table}/done"):
        return table
    print(f"making {table}", flush=True)
    shutil.rmtree(table, ignore_errors=True)
    os.makedirs(f"{table}/_delta_log")
    con.execute("SET threads = 2")
    write(con, build, f"{table}/0.parquet", writer, codec, names, rows)
    fields = [{"name": c, "type": k, "nullable": True, "metadata": {}}
              for c, k in TYPES.items() if c in names]
    size = os.path.getsize(f"{table}/0.parquet")
    log = [
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7,
                      "readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"]}},
        {"metaData": {"id": "00000000-0000-4000-8000-000000000000", "partitionColumns": [],
                      "schemaString": json.dumps({"type": "struct", "fields": fields}),
                      "format": {"provider": "parquet", "options": {}}, "configuration": {}}},
        {"add": {"path": "0.parquet", "partitionValues": {}, "size": size, "modificationTime": 0,
                 "dataChange": True}},
    ]
    with open(f"{table}/_delta_log/{0:020}.json", "w", encoding="utf-8") as out:
        out.writelines(json.dumps(action) + "\n" for action in log)
    # What is in the file, by its rows: computed once, and kept.
    columns = ", ".join(f"count({c}), {weighed(c, TYPES[c])}" for c in names)
    row = con.execute(f"SELECT {columns} FROM read_parquet('{table}/0.parquet', "
                      "file_row_number = true)").fetchone()
    known = {c: [row[2 * i], str(unscaled(row[2 * i + 1], weighed_kind(c)))]
             for i, c in enumerate(names)}
    with open(f"{table}/done", "w", encoding="utf-8") as out:
        json.dump(known, out)
    return table


class Bench:
    def __init__(self, args):
        self.args = args
        self.con = duckdb.connect()
        self.reader = Reader(args.build)
        self.wrong = 0
        self.slower = []
        self.counted = 0

    def duck(self, sql):
        """CPU and wall time in ms, and the row."""
        cpu, wall = time.process_time(), time.perf_counter()
        row = self.con.execute(sql).fetchone()
        return 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall), row

    def differs(self, what):
        print(f"  WRONG: {what}")
        self.wrong += 1

    def compare(self, names, got, row):
        """The sums of both sides."""
        for i, (name, ours) in enumerate(zip(names, got["columns"], strict=True)):
            theirs = unscaled(row[2 * i + 1], TYPES[name])
            if ours["name"] != name or ours["count"] != row[2 * i] or \
                    not same(TYPES[name], ours["sum"], theirs):
                self.differs(f"{name}: ours {ours}, DuckDB {row[2 * i]} values, sum {theirs}")

    def check(self, table, names):
        with open(f"{table}/done", encoding="utf-8") as known:
            known = json.load(known)
        for name in names:
            got = self.reader.ask("check", table, name)["columns"][0]
            count, total = known[name]
            kind = weighed_kind(name)
            if got["count"] != count or \
                    not same(kind, got["sum"], float(total) if kind == "double" else int(total)):
                self.differs(f"{name}, by rows: ours {got}, DuckDB {count} values, sum {total}")

    def line(self, table, names, counted):
        """Rounds of ours, decoding alone, theirs."""
        column = names[0] if len(names) == 1 else "*"
        sums = ", ".join(f"count({c}), sum({summand(c, TYPES[c])})" for c in names)
        sql = f"SELECT {sums} FROM read_parquet('{table}/0.parquet')"
        ours, decode, theirs = [], [], []
        for _ in range(self.args.rounds):
            got = self.reader.ask("scan", table, column)
            ours.append((got["cpu_ms"], got["wall_ms"]))
            decode.append(self.reader.ask("decode", table, column)["cpu_ms"])
            cpu, wall, row = self.duck(sql)
            theirs.append((cpu, wall))
        self.compare(names, got, row)
        a = statistics.median(x for x, _ in ours)
        b = statistics.median(x for x, _ in theirs)
        wall = statistics.median(x for _, x in theirs) / statistics.median(x for _, x in ours)
        name = "all columns" if column == "*" else column
        print(f"  {name:14} {TYPES.get(column, ''):14} {a:9.1f} {statistics.median(decode):9.1f} "
              f"{b:9.1f} {b / a:8.2f} {wall:8.2f}{'   slower' if a > b else ''}", flush=True)
        if counted:
            self.counted += 1
            if a > b:
                self.slower.append(f"{os.path.basename(table)} {name}")

    def file(self, name, writer, codec, names, counted):
        table = make(self.con, self.args.build, self.args.dir, name, writer, codec, names, self.args.rows)
        self.con.execute("SET threads = 1")
        size = os.path.getsize(f"{table}/0.parquet") / 1e6
        print(f"\n{name}: written by {writer}, {codec}, {self.args.rows} rows, "
              f"{size:.0f} MB{'' if counted else ' (for information)'}")
        print(f"  {'column':14} {'type':14} {'ours ms':>9} {'decode ms':>9} {'DuckDB ms':>9} "
              f"{'ratio':>8} {'by wall':>8}")
        single = [c for c in names if c in self.args.column] if self.args.column else names
        self.check(table, single)
        if counted or self.args.column or self.args.file:
            for column in single:
                self.line(table, [column], counted)
        if not self.args.column:
            self.line(table, names, counted)

    def rows(self, name):
        """Rows printed to /dev/null as lines of JSON."""
        table = f"{self.args.dir}/{name}-{self.args.rows}"
        ours, theirs = [], []
        for _ in range(3):
            before = os.times()
            subprocess.run([f"{self.args.build}/cdc-snapshot", "-f", "ndjson", table], check=True,
                           stdout=subprocess.DEVNULL)
            after = os.times()
            ours.append(1e3 * (after.children_user + after.children_system -
                               before.children_user - before.children_system))
            theirs.append(self.duck(f"COPY (FROM read_parquet('{table}/0.parquet')) TO '/dev/null' "
                                    "(FORMAT json)")[0])
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"\n{name}: all rows as lines of JSON to /dev/null, CPU ms: cdc-snapshot {a:.0f}, DuckDB "
              f"COPY (FORMAT json) {b:.0f}, ratio {b / a:.2f}")


def main():
    decimal.getcontext().prec = 80
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("dir")
    parser.add_argument("-r", "--rows", type=int, default=10_000_000)
    parser.add_argument("-n", "--rounds", type=int, default=5)
    parser.add_argument("-f", "--file", action="append")
    parser.add_argument("-c", "--column", action="append")
    args = parser.parse_args()
    bench = Bench(args)
    print(f"""\
Parquet scans, one thread each, files in the page cache; medians of {args.rounds} rounds that alternate.
  ours     cdc_scan of a Delta table of one file: every value in the table's type in memory (decimals
           as 128 bits, strings as pointer and length into the page), then count and sum of them
  decode   the Parquet layer alone, without conversion and sum
  DuckDB   {duckdb.__version__}, threads = 1: SELECT count(c), sum(c) FROM read_parquet(file); strings by strlen,
           timestamps and dates as numbers. It checks that strings are UTF-8; we do that when we print.
Times are CPU ms of the process (the machine may be shared); ratio = DuckDB / ours, above 1 ours is
faster. The same sums must come out, and one more that depends on each value's row and bytes.""")
    chosen = [f for f in FILES if not args.file or f[0] in args.file]
    for one in chosen:
        bench.file(*one)
    if not args.column:
        for one in chosen:
            if one[4] and one[3] == NAMES:
                bench.rows(one[0])
    print(f"\n{bench.counted - len(bench.slower)} of {bench.counted} scans of zstd and snappy are at "
          f"least as fast as DuckDB's; {bench.wrong} checksums differ")
    for what in bench.slower:
        print(f"slower: {what}")
    sys.exit(1 if bench.wrong else 0)


main()
