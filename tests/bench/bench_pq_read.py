#!/usr/bin/env python3
"""Parquet reading against DuckDB, in the same run on the same files: M values per CPU second.

usage: bench_pq_read.py BENCH_PQ_READ [ROWS] [DIR]

Needs the duckdb module. Writes files of ROWS rows (2 000 000) to DIR (a temporary one) with DuckDB,
reads each column with BENCH_PQ_READ and with DuckDB (one thread, an aggregate that touches every
value), and prints one line a column.
"""
import json
import subprocess
import sys
import tempfile
import time

import duckdb

COLUMNS = {
    "seq": "i",
    "few": "(hash(i) % 50)::BIGINT",
    "many": "(hash(i) % 20000)::BIGINT",
    "rnd": "(hash(i) % 1000000000000)::BIGINT",
    "few_null": "CASE WHEN hash(i, 7) % 10 > 0 THEN (hash(i) % 50)::BIGINT END",
    "rnd_null": "CASE WHEN hash(i, 7) % 10 > 0 THEN (hash(i) % 1000000000000)::BIGINT END",
    "i4": "(hash(i) % 2000)::INTEGER",
    "dbl": "(hash(i) % 1000000)::DOUBLE / 7",
    "bool": "hash(i) % 3 = 0",
    "dec": "((hash(i) % 10000000)::DECIMAL(18,0) / 100)::DECIMAL(9,2)",
    "str_few": "'value ' || (hash(i) % 100)",
    "str_rnd": "'value ' || hash(i)",
    "str_null": "CASE WHEN hash(i, 7) % 10 > 0 THEN 'value ' || (hash(i) % 100) END",
}
VARIANTS = [("V1", "uncompressed"), ("V1", "snappy"), ("V1", "zstd"), ("V2", "zstd")]


def touch(column):
    if column.startswith("str"):
        return f"sum(strlen({column}))"
    return f"sum({column}::INTEGER)" if column == "bool" else f"sum({column})"


def duck_ms(con, path, column):
    best = 1e9
    for _ in range(3):
        t = time.process_time()
        con.execute(f"SELECT {touch(column)} FROM read_parquet('{path}')").fetchall()
        best = min(best, time.process_time() - t)
    return 1e3 * best


def main():
    bench = sys.argv[1]
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000_000
    directory = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="bench-pq-")
    con = duckdb.connect()
    select = ", ".join(f"{e} AS {c}" for c, e in COLUMNS.items())
    for version, codec in VARIANTS:
        path = f"{directory}/{version}_{codec}.parquet"
        con.execute("SET threads = 2")
        con.execute(
            f"COPY (SELECT {select} FROM range({rows}) t(i)) TO '{path}' "
            f"(FORMAT parquet, PARQUET_VERSION {version}, COMPRESSION '{codec}')"
        )
        con.execute("SET threads = 1")
        out = subprocess.run([bench, path], check=True, capture_output=True, text=True).stdout
        for line in map(json.loads, out.splitlines()):
            if "column" not in line:
                continue
            duck = rows / duck_ms(con, path, line["column"]) / 1e3
            ours = line["mvalues_per_s"]
            print(f"{version} {codec:12} {line['column']:9} {ours:8.0f} M/s   "
                  f"duckdb {duck:7.0f} M/s   x {ours / duck:.1f}", flush=True)


main()
