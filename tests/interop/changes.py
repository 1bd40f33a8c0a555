"""What each engine tells of the changes of a table, compared with those that the model made."""

import json
from collections import Counter

import feature_checks
from model import difference
from ours import latest


def ours(programs, shared):
    key = ",".join(shared.model.key)
    out, _ = programs.run("cdc-snapshot", "-q", "--changes", "0", "-k", key, shared.path)
    schema = {"fields": [{"name": c.name, "type": c.type} for c in shared.columns]}
    records = [json.loads(line) for line in out.split("\n")[:-1]]
    rows = [r for r in records if r["recordType"] in ("INSERT", "UPDATE", "DELETE")]
    return [image for r in rows for image in feature_checks.images(schema, r)]


def delta_rs(engine, shared):
    pa = engine.arrow.pa
    table = pa.table(engine.dl.DeltaTable(shared.path).load_cdf(starting_version=0).read_all())
    _, rows = engine.arrow.rows(shared.columns, table.select([c.name for c in shared.columns]))
    about = zip(table.column("_commit_version").to_pylist(), table.column("_change_type").to_pylist())
    return [(*a, row) for a, row in zip(about, rows)]


def of_frame(spark, shared, frame):
    with spark.interpreted():
        names = [*map(spark.expression, shared.columns), "_commit_version", "_change_type"]
        rows = frame.selectExpr(*names).collect()
    return [(row[-2], row[-1], spark.rows(shared.columns, [row[:-2]])[0]) for row in rows]


def spark_batch(spark, shared, first=0):
    frame = spark.sql("SELECT * FROM table_changes_by_path('%s', %d)" % (shared.path, first))
    return of_frame(spark, shared, frame)


def spark_stream(spark, shared):
    """Everything from version 0 on, as a stream that ends when it has caught up."""
    feed = spark.session.readStream.format("delta").option("readChangeFeed", "true").option("startingVersion", 0)
    query = feed.load(shared.path).writeStream.format("memory").queryName("feed").trigger(availableNow=True).start()
    try:
        query.awaitTermination()
        return of_frame(spark, shared, spark.session.table("feed"))
    finally:
        query.stop()
        spark.session.catalog.dropTempView("feed")


def readers(engine):
    """The ways in which an engine reads changes; each takes a table."""
    ways = {
        "cdc-snapshot": [("", ours)],
        "delta-rs": [("", delta_rs)],
        "spark": [("", spark_batch), (" as a stream", spark_stream)],
    }
    return [(how, lambda shared, f=f: f(engine, shared)) for how, f in ways.get(engine.name, [])]


def made(shared, first=0):
    """What the model changed since a version, as (version, kind, row); updates go by the key."""
    m, out, before = shared.model, [], {}
    for version in range(latest(shared.path) + 1):
        after = m.history.get(version, before)
        for k in {**before, **after}:
            old, new = before.get(k), after.get(k)
            if old == new:
                continue
            kinds = ("update_preimage", "update_postimage") if old and new else ("delete", "insert")
            for kind, row in zip(kinds, (old, new)):
                if row:
                    out.append((version, kind, tuple(row[c.name] for c in m.columns)))
        before = after
    return [c for c in out if c[0] >= first]


def one_kind(changes, moved):
    """A row that got another key is one update, told by its images: there only rows come and go."""
    names = {"update_preimage": "delete", "update_postimage": "insert"}
    return [(v, names.get(kind, kind) if v in moved else kind, row) for v, kind, row in changes]


def check(read, shared, first=0):
    want, got, moved = made(shared, first), read(shared), shared.model.moved
    out = difference(one_kind(want, moved), one_kind(got, moved))
    images = Counter((v, kind) for v, kind, _ in got)
    for v in moved:
        if images[v, "update_preimage"] != images[v, "update_postimage"]:
            out.append("version %d: pre- and postimages are not as many" % v)
    kinds = {kind for _, kind, _ in want}
    return out or ([] if len(kinds) == 4 else ["the model made only %s" % sorted(kinds)])
