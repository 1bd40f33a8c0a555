"""Tables that more than one program writes: made by delta-rs, Spark or us, changed by both sides in
turn, and read by all after each turn."""
import os

from engines import Failed
from model import Model, columns
from ours import NUMBERS, TEXTS, check_rows, latest
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
    (
        "spark table with column mapping",
        "spark",
        "spark",
        "id long!, region string, " + NUMBERS,
        ["id"],
        ["region"],
        {**DV, "delta.columnMapping.mode": "name", "delta.checkpointInterval": "3"},
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
    (
        "our table with column mapping, spark writing too",
        "cdc",
        "spark",
        "id long!, region string, " + TEXTS,
        ["id"],
        ["region"],
        {"delta.columnMapping.mode": "id"},
    ),
]


class Shared:
    """One table and the model that follows what each writer does to it."""

    def __init__(self, programs, writer, path, rng, name, maker, text, key, partition, properties):
        self.programs, self.writer, self.path, self.name, self.maker = programs, writer, path, name, maker
        self.properties = properties
        # Spark stops at days before 1900 in files of delta-rs, which reads Spark's own timestamps
        # as nanoseconds and makes the empty partition value an empty string.
        self.model = Model(rng, columns(text), key, partition, narrow=True)

    @property
    def columns(self):
        return self.model.columns

    def tuples(self, rows):
        return [tuple(r[c.name] for c in self.columns) for r in rows]

    def new_rows(self, n):
        rows = {}
        for _ in range(n):
            row = self.model.random_row()
            if self.model.key_of(row) not in self.model.rows:
                rows[self.model.key_of(row)] = row
        return list(rows.values())

    def take(self, rows):
        for row in rows:
            self.model.put(row)
        return self.tuples(rows)

    def make(self):
        m = self.model
        if self.maker != "cdc":
            self.writer.create(self.path, self.columns, m.partition, self.properties, self.take(self.new_rows(50)))
            self.writer.append(self.path, self.columns, self.take(self.new_rows(20)))
            return
        options = ["--create", "--schema", ", ".join(c.ddl for c in m.columns), "-k", ",".join(m.key)]
        if m.partition:
            options += ["-p", ",".join(m.partition)]
        for item in self.properties.items():
            options += ["--property", "=".join(item)]
        self.programs.run("cdc-merge", "-q", *options, self.path, stdin=m.batch(60, only_new=True))

    def change(self):
        """What the other writer does in its turn."""
        m = self.model
        some = m.rng.sample(list(m.rows.values()), 12)
        changed = [{**m.random_row(), **{k: r[k] for k in m.key}} for r in some[:6]]
        self.writer.upsert(self.path, self.columns, m.key, self.take(changed + self.new_rows(6)))
        for row in some[6:]:
            del m.rows[m.key_of(row)]
        self.writer.delete(self.path, self.columns, m.key, self.tuples(some[6:]))

    def merge(self, mode):
        for _ in range(3):
            lines = self.model.batch(20)
            self.programs.run(
                "cdc-merge", "-q", "--mode", mode, "-k", ",".join(self.model.key), self.path, stdin=lines
            )

    def compact(self):
        self.programs.run("cdc-compact", "-q", self.path)
        self.programs.run("cdc-compact", "-q", "--checkpoint", self.path)

    def vacuum(self):
        self.programs.run("cdc-compact", "-q", "--vacuum", "--retain", "0s", "--force", self.path)


def check_history(shared):
    """The other writer's view of the log: every version, with the operations of both sides."""
    history = sorted(shared.writer.history(shared.path))
    versions = [h[0] for h in history]
    out = []
    if versions != list(range(latest(shared.path) + 1)):
        out.append("versions %s" % versions)
    wanted = {"MERGE", "VACUUM START", "VACUUM END"} | ({"CREATE TABLE"} if shared.maker == "cdc" else set())
    missing = wanted - {h[1] for h in history}
    return out + (["operations lack %s" % sorted(missing)] if missing else [])


def turns(tap, shared, other, readers):
    """Make, then change by turns; after each turn everyone reads."""
    state = State(shared)

    def act(name, *steps):
        def check():
            for step in steps:
                step()
            return []

        tap.pair("%s, %s" % (shared.name, name), other, check)
        for engine in readers:
            # A table that needs an engine that is absent is not there for the others either.
            tap.pair(
                "%s reads %s, %s" % (engine.name, shared.name, name),
                other if other.reason else engine,
                lambda: state.check(engine),
            )

    w, path = shared.writer, shared.path
    has_dv = shared.properties.get("delta.enableDeletionVectors") == "true"
    act("made", shared.make, shared.change, lambda: w.checkpoint(path))
    act("merged by us", lambda: shared.merge("dv" if has_dv else "auto"))
    act("changed by " + other.name, shared.change, lambda: w.optimize(path))
    act("compacted by us", lambda: shared.merge("auto"), shared.compact)
    act("vacuumed by both", shared.change, lambda: w.vacuum(path), lambda: shared.merge("auto"), shared.vacuum)
    tap.pair("%s tells the history of %s" % (other.name, shared.name), other, lambda: check_history(shared))


class State:
    """What readers compare with: the model as it is now."""

    def __init__(self, shared):
        self.shared = shared

    def check(self, engine):
        m = self.shared.model
        types, rows = engine.read(self.shared.path, m.columns)
        return check_rows(m.columns, types, m.tuples(), rows)


# ------------------------------------------------------------------------ features we do not write

REFUSED = [
    ("change data feed", "changeDataFeed", "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')", None),
    ("a CHECK constraint", "checkConstraints", "", "ALTER TABLE TABLE_PATH ADD CONSTRAINT c CHECK (id > 0)"),
    ("row tracking", "rowTracking", "TBLPROPERTIES ('delta.enableRowTracking' = 'true')", None),
]


def check_refusal(programs, writer, path, feature, clause, after):
    """cdc-merge leaves the table alone and says why; cdc-snapshot reads it."""
    cols = columns("id long, s string")
    writer.sql("CREATE TABLE TABLE_PATH (id BIGINT, s STRING) USING delta " + clause, path)
    if after:
        writer.sql(after, path)
    rows = [(1, "a"), (2, None)]
    writer.append(path, cols, rows)
    version = latest(path)
    record = '{"recordID":1,"recordType":"DELETE","dbTable":"a.b","beforeImages":{"id":"1"},"afterImages":{}}\n'
    _, err = programs.run("cdc-merge", "-q", "-k", "id", path, stdin=record, status=6)
    if feature not in err:
        raise Failed("no word of %s: %s" % (feature, err))
    if latest(path) != version:
        raise Failed("version %d after a refusal" % latest(path))
    types, got = programs.read(path, cols)
    return check_rows(cols, types, rows, got)


def run(tap, programs, readers, work, rng):
    engines = {e.name: e for e in readers}
    delta_rs, spark = engines["delta-rs"], engines["spark"]
    writers = {"delta-rs": DeltaRsWriter(delta_rs), "spark": SparkWriter(spark)}
    for name, maker, other, text, key, partition, properties in TABLES:
        path = os.path.join(work, name.replace(" ", "-").replace(",", ""))
        shared = Shared(programs, writers[other], path, rng, name, maker, text, key, partition, properties)
        turns(tap, shared, engines[other], readers)
    for name, feature, clause, after in REFUSED:
        path = os.path.join(work, "refused-" + feature)
        tap.pair(
            "cdc-merge refuses a spark table with %s, cdc-snapshot reads it" % name,
            spark,
            lambda: check_refusal(programs, writers["spark"], path, feature, clause, after),
        )
