"""Tables of delta-rs with nested columns and its own features, each version read by cdc-snapshot and
compared with delta-rs's own rows."""

import datetime
import json
import os
from decimal import Decimal

import feature_writes
import features
import typed
from ours import latest

PREFIX = "delta-rs table of features, "


def arrow_schema(pa):
    return pa.schema(
        [
            ("id", pa.int64()), ("s", pa.struct([("a", pa.int32()), ("b", pa.struct([("c", pa.string()), ("d", pa.decimal128(9, 2))]))])),
            ("l", pa.list_(pa.int16())), ("ll", pa.list_(pa.list_(pa.string()))), ("m", pa.map_(pa.string(), pa.int32())),
            ("k", pa.map_(pa.date32(), pa.list_(pa.float64()))), ("x", pa.list_(pa.struct([("t", pa.timestamp("us", "UTC")), ("y", pa.binary())]))),
            ("n", pa.timestamp("us")), ("p", pa.string()), ("q", pa.int32()),
        ]
    )  # fmt: skip


def some_rows(first, n):
    out = []
    for i in range(first, first + n):
        out.append(
            {
                "id": i,
                "s": (
                    None
                    if i % 7 == 0
                    else {
                        "a": i,
                        "b": None if i % 5 == 0 else {"c": None if i % 3 == 0 else "c%d" % i, "d": Decimal(i) / 4},
                    }
                ),
                "l": None if i % 11 == 0 else [j if j % 3 else None for j in range(i % 4)],
                "ll": None if i % 13 == 0 else [None if j == 1 else ["é/%d" % j] * j for j in range(i % 5)],
                "m": None if i % 3 == 0 else [("k%d" % (i % 4), i), ("n", None)],
                "k": [] if i % 5 == 0 else [(datetime.date(1, 1, 1) + datetime.timedelta(i), [i / 3, None])],
                "x": (
                    None
                    if i % 9 == 0
                    else [
                        None,
                        {
                            "t": datetime.datetime(1969, 12, 31, 23, 59, 59, i % 1000, datetime.timezone.utc),
                            "y": b"\x00\xff",
                        },
                    ][: i % 3]
                ),
                "n": datetime.datetime(2019, 11, 14, 3, 11, 5, i),
                "p": [None, "a/b c", "100%"][i % 3],
                "q": i % 2,
            }
        )
    return out


class Maker:
    """What is done to a table; life() does all of it."""

    def __init__(self, engine, path):
        self.dl, self.pa, self.path = engine.dl, engine.arrow.pa, path

    def table(self):
        return self.dl.DeltaTable(self.path)

    def data(self, first, n, more=None):
        table = self.pa.Table.from_pylist(some_rows(first, n), schema=arrow_schema(self.pa))
        return table.append_column("more", self.pa.array([{"z": i} for i in range(n)])) if more else table

    def write(self, first, n, more=None, **options):
        self.dl.write_deltalake(self.path, self.data(first, n, more), **options)

    def life(self, **options):
        self.write(0, 120, **options)
        self.write(200, 60, mode="append")
        self.table().delete("id % 10 = 3")
        self.table().update(updates={"p": "'updated'"}, predicate="id < 20")
        source = self.data(110, 20)
        merge = self.table().merge(source, "t.id = s.id", source_alias="s", target_alias="t")
        merge.when_matched_update_all().when_not_matched_insert_all().execute()
        self.write(500, 30, more=True, mode="append", schema_mode="merge")
        self.table().create_checkpoint()
        self.table().optimize.compact()
        self.table().delete("q = 1")
        self.table().restore(3)
        return []


# name, what it is written with
LIVES = [
    ("plain", {}),
    ("partitions", {"partition_by": ["p", "q"]}),
    ("a change data feed", {"configuration": {"delta.enableChangeDataFeed": "true"}}),
    (
        "column mapping",
        {
            "configuration": {
                "delta.columnMapping.mode": "name",
                "delta.minReaderVersion": "2",
                "delta.minWriterVersion": "5",
            }
        },
    ),
    ("deletion vectors", {"configuration": {"delta.enableDeletionVectors": "true"}}),
]


class Made:
    """A table of delta-rs, as it reads it."""

    def __init__(self, engine, name, path):
        self.dl, self.pa, self.name, self.path = engine.dl, engine.arrow.pa, name, path

    def now(self, version=None):
        """Schema and rows, of a version or the last one."""
        table = self.dl.DeltaTable(self.path, version=version)
        got = self.dl.QueryBuilder().register("t", table).execute("SELECT * FROM t").read_all()
        got = self.pa.table(got)
        schema = json.loads(table.schema().to_json())
        schema["fields"].sort(key=lambda f: got.column_names.index(f["name"]))
        return schema, [typed.of_python(schema, row) for row in got.to_pylist()]

    def compare(self, schema, want, reader, version):
        """How what cdc-snapshot tells differs from the schema and the rows."""
        ours = reader.schema(version)
        order = [[f["name"] for f in ours["fields"]].index(f["name"]) for f in schema["fields"]]
        rows = [tuple(row[i] for i in order) for row in reader.rows(ours, "--version-as-of", str(version))]
        out = typed.difference(want, rows)
        ours["fields"] = [ours["fields"][i] for i in order]
        if typed.plain(ours) != typed.plain(schema):
            out.append("schema %s instead of %s" % (typed.plain(ours), typed.plain(schema)))
        return out

    def forget(self):
        """It keeps nothing of a table."""


def run(tap, programs, readers, work, rng):
    engine = next(e for e in readers if e.name == "delta-rs")
    for name, options in LIVES:
        path = os.path.join(work, "rust " + name)
        title = PREFIX + name
        if not tap.wants(title) or not tap.pair(title + ": made", engine, lambda: Maker(engine, path).life(**options)):
            continue
        made, reader = Made(engine, name, path), features.Reader(programs, path, False)
        for v in range(latest(path) + 1):
            tap.pair(
                "cdc-snapshot reads %s, version %d" % (title, v),
                engine,
                lambda: made.compare(*made.now(v), reader, v),
            )
        tap.pair(title + ", written by us", engine, lambda: feature_writes.check(made, reader, programs))
