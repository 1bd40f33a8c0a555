#!/usr/bin/env python3
"""Reading of Parquet beside DuckDB, on the same files, one thread each, in one run.

usage: bench_scan.py BUILD DIR [-r ROWS] [-n ROUNDS] [-f FILE]... [-c COLUMN]...

BUILD has our programs. Files of ROWS rows (10 000 000) are made in DIR where they are not there yet.
Needs the duckdb module. Prints a table a file, and exits with 1 when a checksum differs.
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

# name, version of DuckDB's files, codec; counted: in the final line
FILES = [
    ("zstd", "V1", "zstd", True),
    ("snappy", "V1", "snappy", True),
    ("none", "V1", "uncompressed", False),
    ("lz4_raw", "V1", "lz4_raw", False),
    ("v2_zstd", "V2", "zstd", False),
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


def make(con, directory, name, version, codec, rows):
    """A table of one file, as DuckDB writes it, and its log."""
    table = f"{directory}/{name}-{rows}"
    if os.path.exists(f"{table}/done"):
        return table
    print(f"making {table}", flush=True)
    shutil.rmtree(table, ignore_errors=True)
    os.makedirs(f"{table}/_delta_log")
    con.execute("SET threads = 2")
    select = ", ".join(f"{expression} AS {column}" for column, expression, _ in COLUMNS)
    con.execute(f"COPY (SELECT {select} FROM range({rows}) t(i)) TO '{table}/0.parquet' "
                f"(FORMAT parquet, PARQUET_VERSION {version}, COMPRESSION '{codec}')")
    fields = [{"name": c, "type": k, "nullable": True, "metadata": {}} for c, _, k in COLUMNS]
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
    columns = ", ".join(f"count({c}), {weighed(c, k)}" for c, _, k in COLUMNS)
    row = con.execute(f"SELECT {columns} FROM read_parquet('{table}/0.parquet', "
                      "file_row_number = true)").fetchone()
    known = {c: [row[2 * i], str(unscaled(row[2 * i + 1], "double" if k == "double" else "long"))]
             for i, (c, _, k) in enumerate(COLUMNS)}
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

    def compare(self, table, column, row):
        """The sums of both sides."""
        names = [c for c in TYPES if column in ("*", c)]
        for i, got in enumerate(self.last["columns"]):
            name = names[i]
            theirs = unscaled(row[2 * i + 1], TYPES[name])
            if got["name"] != name or got["count"] != row[2 * i] or \
                    not same(TYPES[name], got["sum"], theirs):
                self.differs(f"{name}: ours {got}, DuckDB {row[2 * i]} values, sum {theirs}")

    def check(self, table):
        with open(f"{table}/done", encoding="utf-8") as known:
            known = json.load(known)
        for name in TYPES:
            if self.args.column and name not in self.args.column:
                continue
            got = self.reader.ask("check", table, name)["columns"][0]
            count, total = known[name]
            kind = "double" if TYPES[name] == "double" else "long"
            if got["count"] != count or not same(kind, got["sum"],
                                                 float(total) if kind == "double" else int(total)):
                self.differs(f"{name}, by rows: ours {got}, DuckDB {count} values, sum {total}")

    def column(self, table, column, counted):
        """One line: rounds of ours, decoding alone, theirs."""
        names = [c for c in TYPES if column in ("*", c)]
        sums = ", ".join(f"count({c}), sum({summand(c, TYPES[c])})" for c in names)
        sql = f"SELECT {sums} FROM read_parquet('{table}/0.parquet')"
        ours, decode, theirs = [], [], []
        for _ in range(self.args.rounds):
            self.last = self.reader.ask("scan", table, column)
            ours.append((self.last["cpu_ms"], self.last["wall_ms"]))
            decode.append(self.reader.ask("decode", table, column)["cpu_ms"])
            cpu, wall, row = self.duck(sql)
            theirs.append((cpu, wall))
        self.compare(table, column, row)
        a = statistics.median(x for x, _ in ours)
        b = statistics.median(x for x, _ in theirs)
        wall = statistics.median(x for _, x in theirs) / statistics.median(x for _, x in ours)
        print(f"  {'all columns' if column == '*' else column:14} {TYPES.get(column, ''):14} {a:9.1f} "
              f"{statistics.median(decode):9.1f} {b:9.1f} {b / a:8.2f} {wall:8.2f}"
              f"{'   slower' if a > b else ''}", flush=True)
        if counted:
            self.counted += 1
            if a > b:
                self.slower.append(f"{os.path.basename(table)} {column}")

    def file(self, name, version, codec, counted):
        table = make(self.con, self.args.dir, name, version, codec, self.args.rows)
        self.con.execute("SET threads = 1")
        size = os.path.getsize(f"{table}/0.parquet") / 1e6
        print(f"\n{name}: written by DuckDB, {version} pages, {codec}, {self.args.rows} rows, "
              f"{size:.0f} MB{'' if counted else ' (for information)'}")
        print(f"  {'column':14} {'type':14} {'ours ms':>9} {'decode ms':>9} {'DuckDB ms':>9} "
              f"{'ratio':>8} {'by wall':>8}")
        self.check(table)
        for column in self.args.column or [c for c, _, _ in COLUMNS] + ["*"]:
            self.column(table, column, counted)

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
    for name, version, codec, counted in FILES:
        if not args.file or name in args.file:
            bench.file(name, version, codec, counted)
    if not args.column:
        for name in [f[0] for f in FILES if f[3] and (not args.file or f[0] in args.file)]:
            bench.rows(name)
    print(f"\n{bench.counted - len(bench.slower)} of {bench.counted} scans of zstd and snappy are at "
          f"least as fast as DuckDB's; {bench.wrong} checksums differ")
    for what in bench.slower:
        print(f"slower: {what}")
    sys.exit(1 if bench.wrong else 0)


main()
