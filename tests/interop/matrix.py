"""Tables with the features of the format, made by us, by Spark and by delta-rs, and then changed by
both sides in turn: the matrix of feature, writer and reader."""

import demands
import turns
from model import Rules
from turns import Table
from writers import DeltaRsWriter, SparkWriter

DV = {"delta.enableDeletionVectors": "true"}
FEED = {"delta.enableChangeDataFeed": "true"}
PLAIN = "id long!, s string, d decimal(18,4), ts timestamp, f double"
# Few partitions, since each costs a file in each commit, but all that a path must escape.
PLACES = {p: lambda rng: rng.choice(["x/y", "50%", "ü", "%2F a", None]) for p in ("region", "p=q")}
NESTED = (
    "id long!, s struct<a:integer,b:struct<c:string,d:decimal(9,2)>>, l array<integer>, m map<string,long>, "
    "k map<integer,array<date>>, x array<struct<t:timestamp,y:binary>>, n string"
)
MAPPED = "id long!, a b string, c.d timestamp_ntz, p=q string, Größe decimal(9,2)"
MAPPED_NESTED = MAPPED + ", s,;{}() struct<x y:integer,z.a:array<struct<q=r:string>>>"


def mapping(mode, maker, text, partition, properties, *features):
    return Table(
        "%s table, columns mapped by %s" % (maker, mode),
        "cdc" if maker == "our" else maker,
        "spark",
        text,
        ["id"],
        partition,
        {"delta.columnMapping.mode": mode, **DV, **properties},
        rules=Rules(PLACES),
        features=("columnMapping", *features),
    )


TABLES = [
    mapping("name", "our", MAPPED_NESTED, [], {}),
    mapping("id", "our", MAPPED, ["p=q"], FEED, "mapped partitions"),
    mapping("name", "spark", MAPPED, ["p=q"], FEED, "mapped partitions"),
    mapping("id", "spark", MAPPED_NESTED, [], {}),
    Table("our table with a change data feed", "cdc", "spark", "region string, " + PLAIN, ["id"], ["region"],
          {**FEED, **DV}, rules=Rules(PLACES), features=("escaped paths",)),
    Table("our table with a change data feed, delta-rs writing too", "cdc", "delta-rs", "day date, " + PLAIN,
          ["id"], ["day"], FEED),
    Table("spark table with a change data feed", "spark", "spark", "region string, " + PLAIN, ["id"], ["region"], FEED,
          rules=Rules(PLACES), features=("escaped paths",)),
    Table("spark table with a change data feed and deletion vectors", "spark", "spark", PLAIN, ["id"], [], {**FEED, **DV}),
    Table("delta-rs table with a change data feed", "delta-rs", "delta-rs", PLAIN, ["id"], [], FEED),
    Table("spark table with demands on its rows", "spark", "spark", demands.COLUMNS, ["id"],
          create=demands.make, rules=demands.RULES),
    Table("our table with row tracking", "cdc", "spark", PLAIN, ["id"], [], {"delta.enableRowTracking": "true", **DV}),
    Table("spark table with row tracking", "spark", "spark", "region string, " + PLAIN, ["id"], ["region"],
          {"delta.enableRowTracking": "true"}, rules=Rules(PLACES)),
    Table("spark table with clusters", "spark", "spark", PLAIN, ["id"], clause="CLUSTER BY (id, ts)",
          properties=DV, features=("clustering", "domainMetadata"),
          packing=["--zorder-by", "id,ts"]),
    Table("our table with wider and more columns", "cdc", "spark", PLAIN + ", n byte, w short", ["id"], [],
          {"delta.enableTypeWidening": "true"}, wider={"n": "short", "w": "integer"}, added="more date",
          features=("typeWidening",)),
    Table("spark table with wider columns", "spark", "spark", PLAIN + ", n byte, w short", ["id"], [],
          {"delta.enableTypeWidening": "true"}, wider={"n": "short", "w": "integer"}, features=("typeWidening",)),
    Table("our table with more columns", "cdc", "spark", PLAIN, ["id"], [], {"delta.parquet.compression.codec": "none"},
          added="more date, much decimal(20,3)"),
    Table("our table with in-commit timestamps and checkpoints of version 2", "cdc", "spark", PLAIN, ["id"], [],
          {"delta.enableInCommitTimestamps": "true", "delta.checkpointPolicy": "v2", "delta.parquet.compression.codec": "gzip",
           "delta.checkpointInterval": "3"}),
    Table("our table with statistics as columns alone", "cdc", "spark", "region string, " + PLAIN, ["id"], ["region"],
          {"delta.checkpoint.writeStatsAsJson": "false", "delta.checkpoint.writeStatsAsStruct": "true",
           "delta.parquet.compression.codec": "snappy"}, rules=Rules(PLACES), packing=["--sort-by", "d,s"]),
    Table("our table of nested columns", "cdc", "spark", NESTED, ["id"], [],
          {**DV, "delta.parquet.compression.codec": "lz4"}, packing=["--zorder-by", "id,n"]),
    Table("spark table of nested columns", "spark", "spark", NESTED, ["id"]),
    Table("delta-rs table of nested columns", "delta-rs", "delta-rs", NESTED, ["id"]),
    Table("our table to append to", "cdc", "spark", PLAIN, ["id"], [],
          {"delta.appendOnly": "true", "delta.parquet.compression.codec": "lz4_raw"}, inserts=True,
          rules=Rules({"id": lambda rng: rng.randrange(2**62)})),
    Table("spark table to append to", "spark", "spark", PLAIN, ["id"], [], {"delta.appendOnly": "true"}, inserts=True,
          rules=Rules({"id": lambda rng: rng.randrange(2**62)})),
]  # fmt: skip

# What needs Spark 4 with Delta 4.
WIDER = {"a": "long", "b": "double", "c": "decimal(12,2)", "e": "double", "g": "timestamp_ntz", "h": "decimal(20,4)"}
NARROW = "id long!, s string, a byte, b short, c integer, e float, g date, h decimal(5,2)"
NTZ = {"delta.feature.timestampNtz": "supported"}
NEWER = [
    Table(
        "%s table with columns of all kinds that became wider" % name,
        maker,
        "spark",
        NARROW,
        ["id"],
        [],
        {"delta.enableTypeWidening": "true", **DV, **more},
        wider=WIDER,
        features=("typeWidening",),
    )
    for name, maker, more in (("our", "cdc", {}), ("spark", "spark", NTZ))
]


def run(tap, programs, readers, work, rng):
    engines = {e.name: e for e in readers}
    writers = {"delta-rs": DeltaRsWriter(engines["delta-rs"]), "spark": SparkWriter(engines["spark"])}
    if engines["spark"].is_newer:
        return turns.run(NEWER, tap, programs, readers, writers, work, rng)
    turns.run(TABLES, tap, programs, readers, writers, work, rng)
    return demands.run(tap, programs, engines["spark"], work)
