#!/usr/bin/env python3
"""Proves that the Parquet reader gives the rows that other programs read from files which many
writers made, refuses by name what it does not read, and survives files that are damaged.

usage: parquet.py PQ_DUMP CORPUS      (prints TAP)

CORPUS/parquet/apache is apache/parquet-testing with the rows of each file as DuckDB printed them;
top-level leaf columns are compared, value by value, and every other leaf is read to its end.
CORPUS/parquet/hyparquet holds more files that must be read; those in fuzz may be refused.
"""
import datetime
import glob
import gzip
import json
import math
import os
import struct
import subprocess
import sys

# Files that must not be read, and what the message says.
REFUSED = {
    "bad_data/ARROW-GH-41317": "file metadata",
    "bad_data/ARROW-GH-41321": "254 bits",
    "bad_data/ARROW-GH-45185": "first value continues a row",
    "bad_data/ARROW-GH-47662": "the page ends before its values",
    "bad_data/ARROW-RS-GH-6229-DICTHEADER": "outside the data",
    "bad_data/PARQUET-1481": "unknown physical type",
    "data/datapage_v1-corrupt-checksum": "checksum",
    "data/rle-dict-uncompressed-corrupt-checksum": "checksum",
    "data/large_string_map.brotli": "the limit is",
}
EPOCH = datetime.datetime(1970, 1, 1)


def run(tool, *args):
    return subprocess.run([tool, *args], capture_output=True, timeout=120)


def leaves(text):
    """The dump of -l as (description, [value or None])."""
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        values = []
        for slot in lines:
            if not slot:
                break
            value = slot.split(" ", 2)[2]
            values.append(json.loads(value) if value else None)
        yield json.loads(line), values


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


def micros(text):
    """DuckDB's date or timestamp as microseconds since 1970; None for what datetime cannot hold."""
    text = text.removesuffix("+00")
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return (when - EPOCH) // datetime.timedelta(microseconds=1)


def is_text(leaf):
    return leaf["logical"] in (1, 4, 12) or leaf["converted"] in (0, 4, 19)


def same_number(leaf, ours, theirs):
    if isinstance(ours, str):
        ours = int.from_bytes(bytes.fromhex(ours), "big", signed=True)
    return math.isclose(ours / 10 ** leaf["scale"], theirs, rel_tol=1e-12)


def same_time(leaf, ours, theirs):
    want = micros(theirs)
    if want is None:
        return True
    if leaf["type"] == 3:
        day, nanos = map(int, ours.split(":"))
        return (day - 2440588) * 86400_000_000 + nanos // 1000 == want
    if leaf["logical"] == 6 or leaf["converted"] == 6:
        return ours * 86400_000_000 == want
    unit = leaf["unit"] or {9: 1, 10: 2}[leaf["converted"]]
    return ours * {1: 1000, 2: 1}[unit] == want if unit < 3 else ours // 1000 == want


def same_real(leaf, ours, theirs):
    if isinstance(theirs, str) or isinstance(ours, str):
        ours = float(ours)
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    if leaf["type"] == 4:
        return struct.pack("f", ours) == struct.pack("f", theirs)
    return ours == theirs


def same(leaf, ours, theirs):
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if leaf["logical"] == 5 or leaf["converted"] == 5:
        return same_number(leaf, ours, theirs)
    if leaf["type"] in (4, 5):
        return same_real(leaf, ours, theirs)
    if leaf["logical"] == 15:
        return same_real(leaf, struct.unpack("<e", bytes.fromhex(ours))[0], theirs)
    if leaf["type"] == 3 or leaf["logical"] in (6, 8) or leaf["converted"] in (6, 9, 10):
        return same_time(leaf, ours, theirs)
    if leaf["type"] >= 6:
        ours = bytes.fromhex(ours)
        return ours == (theirs.encode() if is_text(leaf) else blob(theirs))
    return ours == theirs


def compare(dump, rows):
    """How many columns were compared; the first difference as text."""
    columns = 0
    for leaf, values in leaves(dump):
        node = leaf["path"][0]
        if len(leaf["path"]) > 1 or node["repetition"] == 2 or leaf["logical"] in (14, 17, 18):
            continue
        name = bytes.fromhex(node["name"]).decode()
        if len(values) != len(rows):
            return columns, f"{name}: {len(values)} rows, not {len(rows)}"
        for i, (ours, row) in enumerate(zip(values, rows)):
            if not same(leaf, ours, row[name]):
                return columns, f"{name}, row {i}: {ours!r}, not {row[name]!r}"
        columns += 1
    return columns, None


def read_rows(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def check_apache(tool, folder, path):
    name = os.path.relpath(path, folder).removesuffix(".parquet")
    dump = run(tool, "-l", path)
    message = dump.stderr.decode(errors="replace").strip()
    if name in REFUSED:
        refused = dump.returncode in (1, 2) and REFUSED[name] in message
        return refused, name, "refused" if refused else message
    if dump.returncode != 0:
        return False, name, message
    expected = glob.glob(glob.escape(f"{folder}/expected/{name.replace('/', '__')}") + ".parquet.duckdb.ndjson*")
    if not expected:
        return True, name, "read"
    rows = read_rows(expected[0])
    if not rows and dump.stdout.count(b"\n") > 2:
        return True, name, "read; DuckDB could not"
    columns, difference = compare(dump.stdout.decode(), rows)
    return difference is None, name, difference or f"{columns} columns of {len(rows)} rows"


def check_read(tool, path):
    done = run(tool, "-q", path)
    return done.returncode == 0, os.path.basename(path), done.stderr.decode(errors="replace").strip()


def check_survives(tool, paths):
    refused = 0
    for path in paths:
        done = run(tool, "-q", path)
        if done.returncode not in (0, 1, 2):
            return False, os.path.basename(path), f"status {done.returncode}: {done.stderr[-200:]!r}"
        refused += done.returncode != 0
    return True, "fuzz", f"{len(paths)} files, {refused} refused"


def main():
    tool, corpus = sys.argv[1:3]
    folder = f"{corpus}/parquet"
    apache = sorted(glob.glob(f"{folder}/apache/*data/**/*.parquet", recursive=True))
    if not apache:
        print(f"1..0 # SKIP no Parquet files under {corpus}")
        return 0
    results = [check_apache(tool, f"{folder}/apache", p) for p in apache]
    results += [check_read(tool, p) for p in sorted(glob.glob(f"{folder}/hyparquet/*.parquet"))]
    results.append(check_survives(tool, sorted(glob.glob(f"{folder}/fuzz/*"))))
    print(f"1..{len(results)}")
    for i, (ok, name, text) in enumerate(results, 1):
        print(f"{'ok' if ok else 'not ok'} {i} - {name}: {text}")
    return 0 if all(ok for ok, _, _ in results) else 1


sys.exit(main())
