"""What Spark does to tables that we made, statement by statement, while we go on merging."""

import os

import changes
import turns
from model import Rules, columns
from ours import latest
from turns import Table

DV = {"delta.enableDeletionVectors": "true"}
FEED = {"delta.enableChangeDataFeed": "true"}
# None comes twice by chance, so that what is inserted goes to files of its own.
KEYS = {"id": lambda rng: rng.randrange(2**62)}
TABLES = [
    Table(
        "our table under Spark's statements",
        "cdc",
        "spark",
        "id long!, s string, d decimal(18,4), ts timestamp",
        ["id"],
        rules=Rules(KEYS),
    ),
    Table(
        "our partitioned table under Spark's statements",
        "cdc",
        "spark",
        "id long!, s string, region string, f double, tn timestamp_ntz",
        ["id"],
        ["region"],
        {**DV, **FEED},
        rules=Rules({**KEYS, "region": lambda rng: rng.choice(["x/y", "a b", None])}),
    ),
]
METRICS = {
    "CREATE TABLE": set(),
    "MERGE": {
        "numTargetRowsInserted",
        "numTargetRowsUpdated",
        "numTargetRowsDeleted",
        "numOutputRows",
        "numTargetFilesAdded",
    },
    "OPTIMIZE": {"numAddedFiles", "numRemovedFiles", "minFileSize", "p50FileSize", "maxFileSize"},
    "VACUUM START": {"numFilesToDelete", "sizeOfDataToDelete"},
    "VACUUM END": {"numDeletedFiles", "numVacuumedDirectories"},
}


class Told:
    """A table of ours that Spark is told to change."""

    def __init__(self, shared):
        self.shared, self.model = shared, shared.model
        self.ours, self.chosen = [], 0

    def sql(self, text):
        self.shared.writer.sql(text, self.shared.path)
        self.shared.note()

    def merge(self):
        """A batch of ours; its version is kept for the history."""
        self.shared.ours(25, moves=False)
        self.ours.append(latest(self.shared.path))

    def middle(self):
        return sorted(r["id"] for r in self.model.rows.values())[len(self.model.rows) // 2]

    def make(self):
        self.shared.make()
        for _ in range(3):
            self.merge()
        self.chosen = self.ours[1]

    def update(self):
        # Where there are partitions, into another one.
        new = {"s": "updated", "region": "moved to"} if self.model.partition else {"s": "updated"}
        middle = self.middle()
        for row in [r for r in self.model.rows.values() if r["id"] >= middle]:
            self.model.put({**row, **new})
        values = ", ".join("%s = '%s'" % item for item in new.items())
        self.sql("UPDATE TABLE_PATH SET %s WHERE id >= %d" % (values, middle))

    def delete(self):
        middle = self.middle()
        self.model.rows = {k: r for k, r in self.model.rows.items() if r["id"] <= middle and r["s"] is not None}
        self.sql("DELETE FROM TABLE_PATH WHERE id > %d OR s IS NULL" % middle)

    def add_columns(self):
        for c in columns("more date, last decimal(9,2)"):
            self.model.add(c)
            self.sql("ALTER TABLE TABLE_PATH ADD COLUMNS (%s)" % c.ddl)
        self.shared.append(15)

    def restore(self):
        for name in ("more", "last"):
            self.model.columns.remove(self.model.by_name.pop(name))
        self.model.rows = dict(self.model.history[self.chosen])
        self.sql("RESTORE TABLE TABLE_PATH TO VERSION AS OF %d" % self.chosen)

    def vacuum(self):
        self.sql("VACUUM TABLE_PATH RETAIN 0 HOURS")

    def compact(self):
        for _ in range(2):
            self.shared.ours(15, only_new=True)
        self.shared.programs.run("cdc-compact", "-q", self.shared.path)
        self.shared.note()


# What is done, in this order; everyone reads after each.
STEPS = [
    ("made by us", Told.make),
    ("after MERGE", lambda t: t.shared.change()),
    ("after UPDATE", Told.update),
    ("after DELETE", Told.delete),
    ("after our merge", Told.merge),
    ("after OPTIMIZE", lambda t: t.sql("OPTIMIZE TABLE_PATH")),
    ("after ALTER TABLE ADD COLUMNS", Told.add_columns),
    ("after our merge of all columns", Told.merge),
    ("after OPTIMIZE ZORDER BY", lambda t: t.sql("OPTIMIZE TABLE_PATH ZORDER BY (id, s)")),
    ("after our compaction", Told.compact),
    ("after RESTORE", Told.restore),
    ("after our merge of what was restored", Told.merge),
    ("after REORG", lambda t: t.sql("REORG TABLE TABLE_PATH APPLY (PURGE)")),
    ("after VACUUM", lambda t: (t.vacuum(), t.merge(), t.shared.vacuum())),
]


def check_history(told, spark):
    """DESCRIBE HISTORY knows our commits by operation and counts."""
    rows = told.shared.writer.sql("DESCRIBE HISTORY TABLE_PATH", told.shared.path).collect()
    history = {r["version"]: r for r in rows}
    if sorted(history) != list(range(latest(told.shared.path) + 1)):
        return ["versions %s" % sorted(history)]
    made, out = changes.made(told.shared), []
    for row in rows:
        if row["engineInfo"].startswith("Apache-Spark"):
            continue
        lacks = METRICS[row["operation"]] - set(row["operationMetrics"])
        if lacks:
            out.append("version %d: %s lacks %s" % (row["version"], row["operation"], sorted(lacks)))
    for version in told.ours:
        kinds = [kind for v, kind, _ in made if v == version]
        want = [str(kinds.count(k)) for k in ("insert", "update_postimage", "delete")]
        names = ("Inserted", "Updated", "Deleted")
        got = [history[version]["operationMetrics"].get("numTargetRows" + n) for n in names]
        if history[version]["operation"] != "MERGE" or want != got:
            out.append("version %d: %s %s instead of %s" % (version, history[version]["operation"], got, want))
    seen = {r["operation"] for r in rows if not r["engineInfo"].startswith("Apache-Spark")}
    return out + ["no %s of ours" % name for name in METRICS if name not in seen]


def run(tap, programs, readers, work, rng, writers):
    spark = next(e for e in readers if e.name == "spark")
    for table in TABLES:
        if not tap.wants(table.name):
            continue
        path = os.path.join(work, "".join(c if c.isalnum() else "-" for c in table.name))
        told = Told(turns.Shared(programs, writers["spark"], path, rng, table))
        state = turns.State(told.shared)
        for name, step in STEPS:
            if not tap.pair("%s, %s" % (table.name, name), spark, lambda: turns.done(lambda: step(told))):
                break
            for engine in readers:
                tap.pair("%s reads %s, %s" % (engine.name, table.name, name), engine, lambda: state.check(engine))
        else:
            tap.pair("spark tells the history of " + table.name, spark, lambda: check_history(told, spark))
