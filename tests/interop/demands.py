"""A table of Spark with all that it can demand of rows: invariants, constraints, generated columns,
defaults, and an identity column. Rows that break one of them are refused."""

import json
import os

from model import DAY_US, Rules
from ours import latest

COLUMNS = "id long, level integer, ts timestamp_ntz, day date, s string, amount decimal(9,2)"
RULES = Rules(
    domains={
        "level": lambda rng: rng.randrange(100),
        "s": lambda rng: rng.choice(["red", "green", None]),
        "amount": lambda rng: "%d.%02d" % (rng.randrange(1, 10**6), rng.randrange(100)),
    },
    generated={"day": lambda row: None if row["ts"] is None else row["ts"] // DAY_US},
    defaults={"s": "new"},
)
IDENTITY = {"delta.identity.start": 1, "delta.identity.step": 1, "delta.identity.allowExplicitInsert": True}
LEVEL = {"delta.invariants": json.dumps({"expression": {"expression": "level >= 0 AND level < 100"}})}
DAY = {"delta.generationExpression": "CAST(ts AS DATE)"}
FIELDS = [
    ("id", "long", IDENTITY),
    ("level", "integer", LEVEL),
    ("ts", "timestamp_ntz", {}),
    ("day", "date", DAY),
    ("s", "string", {}),
    ("amount", "decimal(9,2)", {}),
]
ALTER = [
    "ALTER TABLE delta.`%s` ALTER COLUMN s SET DEFAULT 'new'",
    "ALTER TABLE delta.`%s` ADD CONSTRAINT amounts CHECK (amount > 0 OR s IS NULL)",
    "ALTER TABLE delta.`%s` ADD CONSTRAINT named CHECK (s IN ('new', 'red', 'green') OR s IS NULL)",
]


def make(session, path):
    """SQL of this Spark has no words for most of it; the schema has."""
    jvm = session._jvm
    fields = [{"name": n, "type": t, "nullable": True, "metadata": m} for n, t, m in FIELDS]
    schema = jvm.org.apache.spark.sql.types.DataType.fromJson(json.dumps({"type": "struct", "fields": fields}))
    builder = jvm.io.delta.tables.DeltaTable.create(session._jsparkSession).location(path)
    for field in schema.fields():
        builder.addColumn(field)
    builder.property("delta.feature.allowColumnDefaults", "supported")
    builder.execute()
    for statement in ALTER:
        session.sql(statement % path)


GOOD = {"id": "-7", "level": "5", "ts": "2019-11-14 03:11:05", "s": "red", "amount": "1.50"}
# What is wrong with a row, and a word of the reason.
BROKEN = [
    ({"level": "100"}, "level"),
    ({"level": None}, "level"),
    ({"amount": "0.00"}, "amounts"),
    ({"s": "blue"}, "named"),
    ({"day": "2019-11-15"}, "day"),
]


def merge(programs, path, values, status):
    record = {"recordID": 1, "recordType": "INSERT", "dbTable": "a.b", "beforeImages": {}, "afterImages": values}
    _, err = programs.run("cdc-merge", "-q", "-k", "id", path, stdin=json.dumps(record) + "\n", status=status)
    return err


def check_broken(programs, spark, path):
    make(spark.session, path)
    merge(programs, path, GOOD, 0)
    version, out = latest(path), []
    for wrong, word in BROKEN:
        err = merge(programs, path, {**GOOD, **wrong}, 3)
        if word not in err:
            out.append("%s: no word of %s: %s" % (wrong, word, err.strip()))
    return out + ([] if latest(path) == version else ["version %d after a refusal" % latest(path)])


def run(tap, programs, spark, work):
    name = "cdc-merge refuses rows that break demands of a spark table"
    tap.pair(name, spark, lambda: check_broken(programs, spark, os.path.join(work, "demands")))
