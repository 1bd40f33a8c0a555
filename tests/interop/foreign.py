"""Tables that more than one program writes: made by delta-rs, Spark or us, changed by both sides in
turn, and read by all after each turn."""
import statements
import turns
import upgrade
from ours import NUMBERS, TEXTS
from turns import Table
from writers import DeltaRsWriter, SparkWriter

DV = {"delta.enableDeletionVectors": "true"}
# name, maker, other writer, columns, key, partition, properties
TABLES = [
    ("delta-rs table", "delta-rs", "delta-rs", "id long, " + NUMBERS + ", " + TEXTS, ["id"], [], {}),
    (
        "delta-rs table by text and date",
        "delta-rs",
        "delta-rs",
        "id string, region string, day date, tn timestamp_ntz, " + NUMBERS,
        ["id"],
        ["region", "day"],
        {},
    ),
    (
        "delta-rs table by scalars",
        "delta-rs",
        "delta-rs",
        # No decimal: delta-rs writes -1.23 as "-1.-23".
        "k decimal(12,3), b boolean, i64 long, t timestamp, s string",
        ["k"],
        ["b", "i64", "t"],
        {},
    ),
    (
        "spark table",
        "spark",
        "spark",
        "id long!, " + NUMBERS + ", " + TEXTS,
        ["id"],
        [],
        {"delta.checkpointInterval": "3"},
    ),
    (
        "spark table with deletion vectors",
        "spark",
        "spark",
        "t timestamp!, n decimal(22,4)!, tn timestamp_ntz, " + TEXTS,
        ["t", "n"],
        [],
        {**DV, "delta.checkpointInterval": "3", "delta.checkpoint.writeStatsAsJson": "false"},
    ),
    (
        "spark table by text and date",
        "spark",
        "spark",
        "id string!, region string, day date, f float, d3 decimal(38,10)",
        ["id"],
        ["region", "day"],
        {**DV, "delta.checkpointPolicy": "v2", "delta.checkpointInterval": "3"},
    ),
    (
        "spark table by scalars",
        "spark",
        "spark",
        "id integer, b boolean, i8 byte, f double, d decimal(9,2), t timestamp, s string",
        ["id"],
        ["b", "i8", "f", "d", "t"],
        {"delta.enableInCommitTimestamps": "true"},
    ),
    ("our table, delta-rs writing too", "cdc", "delta-rs", "id long!, region string, " + TEXTS, ["id"], ["region"], {}),
    ("our table, spark writing too", "cdc", "spark", "id long!, " + NUMBERS, ["id"], [], {}),
    (
        "our table with deletion vectors, spark writing too",
        "cdc",
        "spark",
        "id date!, x timestamp_ntz!, region string, " + TEXTS,
        ["id", "x"],
        ["region"],
        DV,
    ),
]



def run(tap, programs, readers, work, rng):
    engines = {e.name: e for e in readers}
    writers = {"delta-rs": DeltaRsWriter(engines["delta-rs"]), "spark": SparkWriter(engines["spark"])}
    turns.run([Table(*t) for t in TABLES], tap, programs, readers, writers, work, rng)
    statements.run(tap, programs, readers, work, rng, writers)
    upgrade.run(tap, programs, readers, work, rng, writers)
