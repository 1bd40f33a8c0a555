#!/usr/bin/env python3
"""Compare what cdc-snapshot prints of a table with what MariaDB's SELECT says.

    compare.py SOCKET DB.TABLE <rows.ndjson

Types come from information_schema. Prints each difference; exit 1 if there is one.
"""
import base64
import json
import re
import struct
import subprocess
import sys


def query(socket, sql):
    out = subprocess.run(
        ["mariadb", "--no-defaults", f"--socket={socket}", "-u", "root", "-N", "--raw", "--batch",
         "--default-character-set=utf8mb4", "-e", "SET time_zone = '+00:00'; " + sql],
        check=True, capture_output=True).stdout
    return out.decode("utf-8").splitlines()


def expression(name, kind):
    """SQL that gives the value's bytes, exactly."""
    col = f"`{name}`"
    if kind in ("bit",):
        col = f"CAST({col} + 0 AS CHAR)"
    elif kind in ("float", "double"):
        return f"{col} + 0e0"  # all digits, which a CAST to CHAR does not give on each server
    elif kind in ("point", "geometry", "polygon", "linestring"):
        col = f"ST_AsText({col})"
    elif "blob" in kind or "binary" in kind:
        return f"REPLACE(TO_BASE64({col}), '\\n', '')"
    else:
        col = f"CAST({col} AS CHAR CHARACTER SET utf8mb4)"
    return f"REPLACE(TO_BASE64(CONVERT({col} USING utf8mb4)), '\\n', '')"


def fraction(text):
    """A fraction of zeros is none; another has six digits."""
    whole, dot, part = text.partition(".")
    part = part.rstrip("0")
    return whole + (dot + part.ljust(6, "0") if part else "")


def same(kind, want, got):
    if want is None or got is None:
        return want is None and got is None
    if kind == "float":
        a, b = (struct.pack("f", float(v)) for v in (want, str(got)))
        return a == b
    if kind == "double":
        return float(want) == float(str(got))
    if "blob" in kind or "binary" in kind:
        return got == base64.b64encode(want).decode()
    if kind in ("datetime", "time"):
        return fraction(want) == fraction(got)
    if kind == "timestamp":
        return fraction(want.replace(" ", "T")) == fraction(got.rstrip("Z"))
    if kind == "bit" and isinstance(got, bool):
        return want == ("1" if got else "0")
    if kind == "year":
        return int(want) == int(got)
    if kind in ("point", "geometry"):
        def number(text):
            text = re.sub(r"\s*([(,])\s*", r"\1", text)
            return re.sub(r"-?[0-9.]+([eE]-?[0-9]+)?", lambda m: repr(float(m[0])), text)
        return number(want) == number(got)
    return want == str(got)


def main():
    socket, table = sys.argv[1:]
    db, name = table.split(".")
    kinds = dict(line.split("\t") for line in query(
        socket, "SELECT column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = '{db}' AND table_name = '{name}' ORDER BY ordinal_position"))
    sql = "SELECT " + ", ".join(expression(c, k) for c, k in kinds.items())
    want = {}
    for line in query(socket, f"{sql} FROM {db}.{name}"):
        row = {}
        for (column, kind), cell in zip(kinds.items(), line.split("\t")):
            if cell == "NULL" or kind in ("float", "double"):
                row[column] = None if cell == "NULL" else cell
                continue
            value = base64.b64decode(cell)
            row[column] = value if "blob" in kind or "binary" in kind else value.decode("utf-8")
        want[row["id"]] = row
    got = {}
    for line in sys.stdin:
        row = json.loads(line, parse_float=str, parse_int=str)
        got[row["id"]] = row
    bad = 0
    if want.keys() != got.keys():
        print(f"rows: {sorted(want)} in the database, {sorted(got)} in the table")
        bad += 1
    for key in want.keys() & got.keys():
        for column, kind in kinds.items():
            if not same(kind, want[key][column], got[key].get(column)):
                print(f"id {key}, {column} {kind}: {str(want[key][column])[:120]!r} in the "
                      f"database, {str(got[key].get(column))[:120]!r} in the table")
                bad += 1
    print(f"{len(want)} rows, {len(kinds)} columns compared")
    return 1 if bad else 0


sys.exit(main())
