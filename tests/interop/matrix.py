"""Tables with the features of the format, made by us, by Spark and by delta-rs, and then changed by
both sides in turn: the matrix of feature, writer and reader."""

import json

import turns
from model import DAY_US, Rules
from turns import Table
from writers import DeltaRsWriter, SparkWriter

DV = {"delta.enableDeletionVectors": "true"}
FEED = {"delta.enableChangeDataFeed": "true"}
FEED_PROPERTY = "property delta.enableChangeDataFeed"
PLAIN = "id long!, s string, d decimal(18,4), ts timestamp, f double"
NESTED = (
    "id long!, s struct<a:integer,b:struct<c:string,d:decimal(9,2)>>, l array<integer>, m map<string,long>, "
    "k map<integer,array<date>>, x array<struct<t:timestamp,y:binary>>, n string"
)
MAPPED = "id long!, a b string, c.d struct<x y:integer,z:array<string>>, p=q string, Größe decimal(9,2)"


def mapping(mode, maker, **more):
    return Table(
        "%s table, columns mapped by %s" % (maker, mode),
        "cdc" if maker == "our" else maker,
        "spark",
        MAPPED,
        ["id"],
        ["p=q"],
        {"delta.columnMapping.mode": mode, **DV, **more.pop("properties", {})},
        features=("columnMapping", "nested columns", *more.pop("features", ())),
        **more,
    )


# ------------------------------------------------------------------------ what rows must obey


def governed(session, path):
    """A table with all that SQL can demand of rows. This Spark says some of it by metadata alone."""
    tables, types = session._jvm.io.delta.tables, session._jvm.org.apache.spark.sql.types
    expression = json.dumps({"expression": {"expression": "level >= 0 AND level < 100"}})
    columns = [
        ("id", "long", {"delta.identity.start": 1, "delta.identity.step": 1, "delta.identity.allowExplicitInsert": True}),
        ("level", "integer", {"delta.invariants": expression}),
        ("ts", "timestamp_ntz", {}),
        ("day", "date", {"delta.generationExpression": "CAST(ts AS DATE)"}),
        ("s", "string", {}),
        ("amount", "decimal(9,2)", {}),
    ]
    fields = [{"name": n, "type": t, "nullable": True, "metadata": m} for n, t, m in columns]
    schema = types.DataType.fromJson(json.dumps({"type": "struct", "fields": fields}))
    builder = tables.DeltaTable.create(session._jsparkSession).location(path)
    for field in schema.fields():
        builder.addColumn(field)
    builder.property("delta.feature.allowColumnDefaults", "supported")
    builder.execute()
    for statement in (
        "ALTER TABLE delta.`%s` ALTER COLUMN s SET DEFAULT 'it''s new'",
        "ALTER TABLE delta.`%s` ADD CONSTRAINT amounts CHECK (amount > 0 OR s IS NULL)",
        "ALTER TABLE delta.`%s` ADD CONSTRAINT named CHECK (s IN ('it''s new', 'red', 'green') OR s IS NULL)",
    ):
        session.sql(statement % path)


GOVERNED = "id long, level integer, ts timestamp_ntz, day date, s string, amount decimal(9,2)"
GOVERNED_RULES = Rules(
    domains={
        "level": lambda rng: rng.randrange(100),
        "s": lambda rng: rng.choice(["red", "green", None]),
        "amount": lambda rng: "%d.%02d" % (rng.randrange(1, 10**6), rng.randrange(100)),
    },
    generated={"day": lambda row: None if row["ts"] is None else row["ts"] // DAY_US},
    defaults={"s": "it's new"},
)

TABLES = [
    mapping("name", "our"),
    mapping("id", "our", properties=FEED, features=(FEED_PROPERTY,)),
    mapping("name", "spark", properties=FEED),
    mapping("id", "spark"),
    Table("our table with a change data feed", "cdc", "spark", "region string, " + PLAIN, ["id"], ["region"],
          {**FEED, **DV}, features=(FEED_PROPERTY, "escaped paths")),
    Table("our table with a change data feed, delta-rs writing too", "cdc", "delta-rs", "day date, " + PLAIN,
          ["id"], ["day"], FEED, features=(FEED_PROPERTY,)),
    Table("spark table with a change data feed", "spark", "spark", "region string, " + PLAIN, ["id"], ["region"], FEED,
          features=("escaped paths",)),
    Table("spark table with a change data feed and deletion vectors", "spark", "spark", PLAIN, ["id"], [], {**FEED, **DV}),
    Table("delta-rs table with a change data feed", "delta-rs", "delta-rs", PLAIN, ["id"], [], FEED),
    Table("spark table with demands on its rows", "spark", "spark", GOVERNED, ["id"], create=governed,
          rules=GOVERNED_RULES, features=("checkConstraints",)),
    Table("our table with row tracking", "cdc", "spark", PLAIN, ["id"], [], {"delta.enableRowTracking": "true", **DV},
          features=("rowTracking", "property delta.enableRowTracking")),
    Table("spark table with row tracking", "spark", "spark", "region string, " + PLAIN, ["id"], ["region"],
          {"delta.enableRowTracking": "true"}, features=("rowTracking",)),
    Table("spark table with clusters", "spark", "spark", PLAIN, ["id"], clause="CLUSTER BY (id, ts)",
          properties=DV, features=("clustering",)),
    Table("our table with wider and more columns", "cdc", "spark", PLAIN + ", n byte, w decimal(5,2)", ["id"], [],
          {"delta.enableTypeWidening": "true"}, wider={"n": "integer", "w": "decimal(9,2)"}, added="more date",
          features=("typeWidening", "property delta.enableTypeWidening")),
    Table("spark table with wider columns", "spark", "spark", PLAIN + ", n byte, w short", ["id"], [],
          {"delta.enableTypeWidening": "true"}, wider={"n": "short", "w": "integer"}, features=("typeWidening",)),
    Table("our table with more columns", "cdc", "spark", PLAIN, ["id"], added="more date, and.more string",
          features=("option --evolve widen",)),
    Table("our table with in-commit timestamps and checkpoints of version 2", "cdc", "spark", PLAIN, ["id"], [],
          {"delta.enableInCommitTimestamps": "true", "delta.checkpointPolicy": "v2", "delta.parquet.compression.codec": "gzip",
           "delta.checkpointInterval": "3"},
          features=("property delta.enableInCommitTimestamps", "property delta.checkpointPolicy")),
    Table("our table with statistics as columns alone", "cdc", "spark", "region string, " + PLAIN, ["id"], ["region"],
          {"delta.checkpoint.writeStatsAsJson": "false", "delta.checkpoint.writeStatsAsStruct": "true",
           "delta.parquet.compression.codec": "snappy"},
          features=("property delta.checkpoint.writeStatsAsStruct",)),
    Table("our table of nested columns", "cdc", "spark", NESTED, ["id"], [], DV, features=("nested columns",)),
    Table("spark table of nested columns", "spark", "spark", NESTED, ["id"], features=("nested columns",)),
    Table("delta-rs table of nested columns", "delta-rs", "delta-rs", NESTED, ["id"], features=("nested columns",)),
    Table("our table to append to", "cdc", "spark", PLAIN, ["id"], [], {"delta.appendOnly": "true"}, inserts=True),
    Table("spark table to append to", "spark", "spark", PLAIN, ["id"], [], {"delta.appendOnly": "true"}, inserts=True),
]  # fmt: skip


def run(tap, programs, readers, work, rng):
    engines = {e.name: e for e in readers}
    writers = {"delta-rs": DeltaRsWriter(engines["delta-rs"]), "spark": SparkWriter(engines["spark"])}
    turns.run(TABLES, tap, programs, readers, writers, work, rng)
