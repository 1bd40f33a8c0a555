#!/usr/bin/env python3
"""Make a table that is only a log: COMMITS commits of FILES files each, with statistics of six
columns and a partition column. For measuring checkpoints and the loading of large tables.

    gen_log.py TABLE COMMITS FILES [FIRST]

The first commit has the version FIRST (0 by default); 0 creates the table.
"""
import json
import os
import sys


def columns():
    types = {
        "id": "long",
        "day": "date",
        "name": "string",
        "price": "decimal(12,2)",
        "at": "timestamp",
        "qty": "integer",
        "region": "string",
    }
    fields = [{"name": n, "type": t, "nullable": True, "metadata": {}} for n, t in types.items()]
    return json.dumps({"type": "struct", "fields": fields})


def head():
    yield {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
    yield {
        "metaData": {
            "id": "bench",
            "format": {"provider": "parquet", "options": {}},
            "schemaString": columns(),
            "partitionColumns": ["region"],
            "configuration": {},
            "createdTime": 1,
        }
    }


def stats(n):
    low = {
        "id": n * 1000,
        "day": "2024-%02d-%02d" % (1 + n % 12, 1 + n % 28),
        "name": "customer %d" % n,
        "price": n + 0.25,
        "at": "2024-01-01T00:%02d:%02d.000Z" % (n // 60 % 60, n % 60),
        "qty": n % 100,
    }
    high = dict(low, id=n * 1000 + 999, name="customer %d~" % n, price=n + 99.75, qty=n % 100 + 50)
    nulls = dict.fromkeys(low, 0)
    return json.dumps(
        {"numRecords": 1000, "minValues": low, "maxValues": high, "nullCount": nulls},
        separators=(",", ":"),
    )


def add(n):
    return {
        "add": {
            "path": "region=r%d/part-%05d-%032x-c000.zstd.parquet" % (n % 50, n % 100000, n * 7919),
            "partitionValues": {"region": "r%d" % (n % 50)},
            "size": 1000000 + n,
            "modificationTime": 1700000000000 + n,
            "dataChange": True,
            "stats": stats(n),
        }
    }


def main():
    table, commits, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    log = os.path.join(table, "_delta_log")
    os.makedirs(log, exist_ok=True)
    for version in range(first, first + commits):
        with open(os.path.join(log, "%020d.json" % version), "w", encoding="utf-8") as out:
            if version == 0:
                for action in head():
                    out.write(json.dumps(action) + "\n")
            for n in range(version * files, (version + 1) * files):
                out.write(json.dumps(add(n), separators=(",", ":")) + "\n")


main()
