"""The life of a table that more than one program writes: made by one of them, changed by all in turn,
and read by all after each turn. foreign.py and matrix.py say which tables."""

import contextlib
import glob
import json
import os

import changes
import rowids
from model import Column, Model, columns
from ours import check_rows, latest
from writers import commit_by_hand

# What an engine cannot read, by feature, and a word of its refusal or of how wrong it is.
CANNOT_READ = {
    "delta-rs": {"typeWidening": "TypeWidening"},
    # It takes them for null, in files of whichever writer.
    "duckdb": {"mapped partitions": "missing: "},
}
# The same of changes.
CANNOT_TELL = {
    "delta-rs": {
        "columnMapping": "Column mapping is not supported",
        # It takes the path in the log for the name of the file.
        "escaped paths": "not found",
    },
}


def unless_known(known, engine, table, check):
    """What check() finds; where that is known of the engine, whether it is still so."""
    words = [known[engine.name][f] for f in table.features if f in known.get(engine.name, {})]
    try:
        problems = check()
    except Exception as e:
        if words and words[0] in str(e):
            return []
        raise
    if not words:
        return problems
    return [] if words[0] in "\n".join(problems) else ["not so any more: " + words[0]]


# What someone else keeps in tables with the feature domainMetadata.
DOMAIN = {"domain": "shop.owner", "configuration": json.dumps({"name": "Jo"}), "removed": False}


class Table:
    """What a table is made of.

    clause      more of Spark's CREATE TABLE
    create      makes the table in place of CREATE TABLE, by Spark's session and the path
    wider       column: type that it gets after the first rows
    added       columns that come after the first rows of a table of ours, as text
    rules       what the rows must obey, see model.py
    features    those that a program may lack: see CANNOT_READ and CANNOT_TELL
    inserts     rows are added, none is changed
    packing     options of our compaction
    """

    def __init__(
        self, name, maker, other, text, key, partition=(), properties=(), *, clause="", create=None, wider=(),
        added="", rules=None, features=(), inserts=False, packing=(),
    ):  # fmt: skip
        self.name, self.maker, self.other, self.text = name, maker, other, text
        self.key, self.partition, self.properties = key, list(partition), dict(properties)
        self.clause, self.create, self.wider, self.added = clause, create, dict(wider), added
        self.rules, self.features, self.inserts, self.packing = rules, features, inserts, packing

    def has(self, key):
        return self.properties.get("delta." + key) == "true"


class Shared:
    """One table and the model that follows what each writer does to it."""

    def __init__(self, programs, writer, path, rng, table):
        self.programs, self.writer, self.path, self.table = programs, writer, path, table
        self.name = table.name
        # Spark stops at days before 1900 in files of delta-rs, which reads Spark's own timestamps
        # as nanoseconds and makes the empty partition value an empty string.
        self.model = Model(rng, columns(table.text), table.key, table.partition, narrow=True, rules=table.rules)

    @property
    def columns(self):
        return self.model.columns

    def tuples(self, rows):
        return [tuple(r[c.name] for c in self.columns) for r in rows]

    def new_rows(self, n):
        rows = {}
        for _ in range(n):
            row = self.model.complete(self.model.random_row())
            if self.model.key_of(row) not in self.model.rows:
                rows[self.model.key_of(row)] = row
        return list(rows.values())

    def note(self):
        """The rows of the version that was just committed."""
        self.model.committed(latest(self.path))

    def append(self, n):
        rows = self.new_rows(n)
        for row in rows:
            self.model.put(row)
        self.writer.append(self.path, self.columns, self.tuples(rows))
        self.note()

    # --- made

    def make(self):
        t = self.table
        if t.maker == "cdc":
            self.make_ours()
        else:
            if t.create:
                t.create(self.writer.engine.session, self.path)
            else:
                self.writer.create(self.path, self.columns, t.partition, t.properties, t.clause)
            self.append(50)
            if "domainMetadata" in t.features:
                commit_by_hand(self.path, "Manual Update", {"domainMetadata": DOMAIN})
            for name, type_ in t.wider.items():
                wide = Column(name, type_)
                self.writer.sql("ALTER TABLE TABLE_PATH CHANGE COLUMN `%s` TYPE %s" % (name, wide.sql_type), self.path)
            self.grow()
            self.append(20)

    def make_ours(self):
        m, t = self.model, self.table
        options = ["--create", "--schema", ", ".join(c.ddl for c in m.columns)]
        if m.partition:
            options += ["-p", ",".join(m.partition)]
        for item in t.properties.items():
            options += ["--property", "=".join(item)]
        self.ours(60, *options, only_new=True)
        if t.wider or t.added:
            self.grow()
            self.ours(20, "--evolve", "widen", "--schema", ", ".join(c.ddl for c in m.columns))

    def grow(self):
        for name, type_ in self.table.wider.items():
            self.model.widen(name, type_)
        for c in columns(self.table.added) if self.table.added else []:
            self.model.add(c)

    # --- changed

    def ours(self, n, *options, only_new=False, moves=True):
        t = self.table
        if t.inserts:
            options, only_new = ("--insert-only", *options), True
        lines = self.model.batch(n, only_new=only_new, moves=moves)
        self.programs.run("cdc-merge", "-q", "-k", ",".join(t.key), *options, self.path, stdin=lines)
        self.note()

    def upsert(self):
        """Rows by the other writer, half of them of keys that are there."""
        m = self.model
        if self.table.inserts:
            return self.append(12)
        some = m.rng.sample(list(m.rows.values()), 6)
        rows = [m.complete({**m.random_row(), **{k: r[k] for k in m.key}}) for r in some] + self.new_rows(6)
        for row in rows:
            m.put(row)
        self.writer.upsert(self.path, self.columns, m.key, self.tuples(rows))
        return self.note()

    def change(self):
        """What the other writer does in its turn."""
        self.upsert()
        if self.table.inserts:
            return
        m = self.model
        some = m.rng.sample(list(m.rows.values()), 6)
        for row in some:
            del m.rows[m.key_of(row)]
        self.writer.delete(self.path, self.columns, m.key, self.tuples(some))
        self.note()

    def merge(self):
        """By each way of writing that the table allows."""
        modes = ["cow", "auto"] + (["dv"] if self.table.has("enableDeletionVectors") else [])
        for i, mode in enumerate(modes):
            self.ours(20, "--mode", mode, moves=i % 2 == 0)

    def compact(self):
        self.ours(20)
        self.programs.run("cdc-compact", "-q", *self.table.packing, self.path)
        self.programs.run("cdc-compact", "-q", "--checkpoint", self.path)

    def vacuum(self):
        self.programs.run("cdc-compact", "-q", "--vacuum", "--retain", "0s", "--force", self.path)

    def clean_log(self):
        """The commits before the last checkpoint go, so that it alone has to tell."""
        self.programs.run("cdc-compact", "-q", "--checkpoint", self.path)
        log = self.path + "/_delta_log"
        last = max(int(os.path.basename(f)[:20]) for f in glob.glob(log + "/*.checkpoint*"))
        for f in glob.glob(log + "/*.json"):
            if os.path.basename(f)[20:] == ".json" and int(os.path.basename(f)[:20]) < last:
                os.unlink(f)


def check_history(shared):
    """The other writer's view of the log: every version, with the operations of both sides."""
    history = sorted(shared.writer.history(shared.path))
    versions = [h[0] for h in history]
    out = []
    if versions != list(range(latest(shared.path) + 1)):
        out.append("versions %s" % versions)
    wanted = {"MERGE", "VACUUM START", "VACUUM END"} | ({"CREATE TABLE"} if shared.table.maker == "cdc" else set())
    missing = wanted - {h[1] for h in history}
    return out + (["operations lack %s" % sorted(missing)] if missing else [])


def check_domain(shared):
    """What someone else keeps in the table is there after all that we did to it."""
    domains = shared.writer.domains(shared.path)
    return [] if "shop.owner" in domains and "Jo" in domains else [domains]


class State:
    """What readers compare with: the model as it is now."""

    def __init__(self, shared):
        self.shared = shared

    def check(self, engine):
        m = self.shared.model
        types, rows = engine.read(self.shared.path, m.columns)
        return check_rows(m.columns, types, m.tuples(), rows)


def done(*steps):
    """Each step in turn; a check that finds nothing."""
    for step in steps:
        step()
    return []


class Stopped(Exception):
    pass


def turns(tap, shared, other, readers):
    """Make, then change by turns; after each turn everyone reads."""
    state, w, path, table = State(shared), shared.writer, shared.path, shared.table

    def act(name, *steps):
        # Without it what comes after is not there.
        if not tap.pair("%s, %s" % (shared.name, name), other, lambda: done(*steps)):
            raise Stopped
        for engine in readers:
            tap.pair(
                "%s reads %s, %s" % (engine.name, shared.name, name),
                engine,
                lambda: unless_known(CANNOT_READ, engine, table, lambda: state.check(engine)),
            )

    act("made", shared.make, *([] if table.maker == "cdc" else [shared.change]), lambda: w.checkpoint(path))
    act("merged by us", shared.merge)
    act("changed by " + other.name, shared.change, lambda: w.optimize(path))
    if table.has("enableRowTracking"):
        spark = next(e for e in readers if e.name == "spark")
        tap.pair("row ids of %s stay" % shared.name, spark, lambda: rowids.check(spark, shared))
    act("compacted by us", shared.compact)
    if table.has("enableChangeDataFeed"):
        for engine in readers:
            for how, read in changes.readers(engine):
                title = "%s tells the changes of %s%s" % (engine.name, shared.name, how)
                tap.pair(
                    title,
                    engine,
                    lambda: unless_known(CANNOT_TELL, engine, table, lambda: changes.check(read, shared)),
                )
    act("vacuumed by both", shared.upsert, lambda: w.vacuum(path), lambda: shared.ours(20), shared.vacuum)
    tap.pair("%s tells the history of %s" % (other.name, shared.name), other, lambda: check_history(shared))
    act("from its last checkpoint on", shared.clean_log, lambda: w.forget(path))
    if "domainMetadata" in table.features:
        tap.pair("spark finds the domain of another in " + shared.name, other, lambda: check_domain(shared))


def run(tables, tap, programs, readers, writers, work, rng):
    engines = {e.name: e for e in readers}
    for table in tables:
        path = os.path.join(work, "".join(c if c.isalnum() else "-" for c in table.name))
        shared = Shared(programs, writers[table.other], path, rng, table)
        if tap.wants(table.name):
            with contextlib.suppress(Stopped):
                turns(tap, shared, engines[table.other], readers)
