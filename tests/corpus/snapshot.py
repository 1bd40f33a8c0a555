#!/usr/bin/env python3
"""Proves that cdc-snapshot gives the rows that the test tables of the Delta projects must have.

usage: snapshot.py CDC_SNAPSHOT CORPUS      (prints TAP)

CORPUS/delta/{dat,golden} hold tables with their expected rows as NDJSON, made by DuckDB: 64-bit
integers and decimals as strings, binary as \\xNN. Rows are compared as multisets, value by value.
Columns of nested types are left out of the comparison as long as they are not read.
"""
import base64
import collections
import decimal
import glob
import json
import os
import re
import struct
import subprocess
import sys

# Spark wrote these partition values in the local time of its machine, which the log does not tell:
# they are taken as UTC.
LEFT_OUT = {"data-reader-partition-values": {"as_timestamp"}}


def blob(text):
    out = bytearray()
    i = 0
    while i < len(text):
        if text.startswith("\\x", i):
            out.append(int(text[i + 2:i + 4], 16))
            i += 4
        else:
            out += text[i].encode()
            i += 1
    return bytes(out)


def instant(text):
    m = re.fullmatch(r"([+-]?\d+-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|\+00)?", text)
    assert m, text
    return m[1], m[2], (m[3] or "").rstrip("0")


def expected_value(value, kind):
    if value is None:
        return None
    if kind.startswith("DECIMAL"):
        return decimal.Decimal(value)
    if kind in ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT"):
        return int(value)
    if kind == "FLOAT":
        return struct.unpack("f", struct.pack("f", float(value)))[0]
    if kind == "DOUBLE":
        return float(value)
    if kind == "BLOB":
        return blob(value)
    if kind.startswith("TIMESTAMP"):
        return instant(value)
    return value


def our_value(value, kind):
    if value is None:
        return None
    if kind.startswith("DECIMAL"):
        return decimal.Decimal(value)
    if kind == "FLOAT":
        return struct.unpack("f", struct.pack("f", float(value)))[0]
    if kind == "DOUBLE":
        return float(value)
    if kind == "BLOB":
        return base64.b64decode(value, validate=True)
    if kind.startswith("TIMESTAMP"):
        return instant(value)
    return int(value) if kind in ("BIGINT", "INTEGER", "SMALLINT", "TINYINT") else value


def flat(kind):
    return not re.match(r"STRUCT|MAP|.*\[\]$", kind)


def check(program, table, expected, version):
    with open(expected, encoding="utf-8") as f:
        lines = f.read().splitlines()
    left_out = LEFT_OUT.get(os.path.basename(os.path.dirname(expected)), ())
    schema = [(n, k) for n, k in json.loads(lines[0])["_schema"]
              if flat(k) and n not in left_out]
    if not schema:
        return "skip: nested columns only"
    want = collections.Counter(
        tuple(expected_value(row[n], k) for n, k in schema) for row in map(json.loads, lines[1:]))
    args = [program, "-c", ",".join(n for n, _ in schema), table]
    if version is not None:
        args[1:1] = ["--version-as-of", str(version)]
    run = subprocess.run(args, capture_output=True)
    if run.returncode != 0:
        return "FAIL: " + run.stderr.decode(errors="replace").strip()
    got = collections.Counter()
    for line in run.stdout.decode("utf-8").splitlines():
        row = json.loads(line, parse_float=decimal.Decimal)
        assert list(row) == [n for n, _ in schema], line
        got[tuple(our_value(row[n], k) for n, k in schema)] += 1
    if got == want:
        return "ok %d rows" % sum(got.values())
    return "FAIL: lacks %r, has too many %r" % (list((want - got).items())[:2],
                                                list((got - want).items())[:2])


def cases(corpus):
    for path in sorted(glob.glob(os.path.join(corpus, "delta/dat/*/expected/*.ndjson"))):
        name = os.path.basename(path)[:-len(".ndjson")]
        version = None if name == "latest" else int(name[1:])
        yield os.path.join(os.path.dirname(os.path.dirname(path)), "delta"), path, version
    for path in sorted(glob.glob(os.path.join(corpus, "delta/golden/*/expected.ndjson"))):
        yield os.path.join(os.path.dirname(path), "delta"), path, None


def main():
    program, corpus = sys.argv[1:]
    if not os.path.isdir(os.path.join(corpus, "delta")):
        print("1..1\nok 1 - snapshot of the test tables # SKIP no corpus (see CDC_CORPUS)")
        return 0
    bad = n = 0
    for n, (table, path, version) in enumerate(cases(corpus), 1):
        result = check(program, table, path, version)
        name = os.path.relpath(path, corpus)
        if result.startswith("ok"):
            print("ok %d - %s: %s" % (n, name, result[3:]))
        elif result.startswith("skip"):
            print("ok %d - %s # SKIP %s" % (n, name, result[6:]))
        else:
            bad += 1
            print("not ok %d - %s\n# %s" % (n, name, result))
    print("1..%d" % n)
    return 1 if bad or not n else 0


if __name__ == "__main__":
    sys.exit(main())
