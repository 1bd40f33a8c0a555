"""Tables that cdc-merge made, in every state that they pass through, read by every engine."""
import glob
import os
import random
import re
import shutil

import predicates
import typed
from model import Model, columns, difference

NUMBERS = (
    "b boolean, i8 byte, i16 short, i32 integer, f float, g double, d1 decimal(7,2), d2 decimal(18,4), d3 decimal(38,10)"
)
TEXTS = "s string, bin binary, dt date, ts timestamp, Größe string"
# name, columns, key, partition, mode
TABLES = [
    ("cow", "id long!, " + NUMBERS + ", " + TEXTS, ["id"], [], "cow"),
    ("dv", "code string!, n integer!, tn timestamp_ntz, f float, d3 decimal(38,10), " + TEXTS, ["code", "n"], [], "dv"),
    ("cow by text", "id long!, region string, " + NUMBERS, ["id"], ["region"], "cow"),
    ("dv by date", "k decimal(20,0)!, day date, g double, " + TEXTS, ["k"], ["day"], "dv"),
    ("auto by both", "kd date!, kt timestamp!, region string, day date, s string", ["kd", "kt"], ["region", "day"], "auto"),
    (
        "cow by scalars",
        "s string!, b boolean, i8 byte, i64 long, f double, d decimal(9,2), t timestamp, z timestamp_ntz, bin binary",
        ["s"],
        ["b", "i8", "i64", "f", "d", "t", "z"],
        "cow",
    ),
]


def latest(path):
    return max(int(os.path.basename(f)[:20]) for f in glob.glob(path + "/_delta_log/*.json") if f[-6].isdigit())


class Table:
    def __init__(self, programs, work, rng, name, text, key, partition, mode):
        self.programs, self.name, self.mode = programs, name, mode
        self.model = Model(rng, columns(text), key, partition)
        self.work = os.path.join(work, name.replace(" ", "-"))
        self.path = self.work + "/live"
        self.topic = "orders" if rng.random() < 0.5 else None

    def merge(self, n, *options, only_new=False):
        lines = self.model.batch(n, self.topic, only_new)
        self.programs.run("cdc-merge", "-q", "--mode", self.mode, *options, self.path, stdin=lines)
        self.model.committed(latest(self.path))

    def create(self, n):
        m = self.model
        options = ["--create", "--schema", ", ".join(c.ddl for c in m.columns), "-k", ",".join(m.key)]
        if m.partition:
            options += ["-p", ",".join(m.partition)]
        if self.mode != "cow":
            options += ["--property", "delta.enableDeletionVectors=true"]
        os.makedirs(self.work)
        self.merge(n, *options, only_new=True)

    def keep(self, state):
        """A copy of the table as it is now, and what it should hold."""
        path = os.path.join(self.work, state.replace(" ", "-"))
        shutil.copytree(self.path, path)
        return State(self, state, path, latest(path))


def check_rows(cols, types, want, got):
    wrong = [c for c in cols if typed.plain(types[c.name]) != typed.plain(c.type)]
    out = ["column %s: %s instead of %s" % (c.name, types[c.name], c.type) for c in wrong]
    return out + difference(want, got)


class State:
    def __init__(self, table, name, path, version):
        self.table, self.name, self.path, self.version = table, name, path, version
        self.columns, self.rows = table.model.columns, table.model.tuples()

    def check(self, engine, version=None):
        types, rows = engine.read(self.path, self.columns, version)
        want = self.rows if version is None else self.table.model.tuples(version)
        return check_rows(self.columns, types, want, rows)


def check_files(state, checkpoint, jsons_before):
    """That the state is what its name says: otherwise the readers prove nothing."""
    log = os.listdir(state.path + "/_delta_log")
    has = [f for f in log if ".checkpoint" in f]
    if bool(has) != checkpoint:
        return ["checkpoints: %s" % has]
    if not checkpoint:
        return []
    first = max(int(f[:20]) for f in has)
    early = [f for f in log if re.fullmatch(r"\d{20}\.json", f) and int(f[:20]) < first]
    return [] if bool(early) == jsons_before else ["%d commits before the checkpoint" % len(early)]


def states(table):
    """The life of a table: its states one after the other."""
    table.create(60)
    for _ in range(4):
        table.merge(25)
    yield table.keep("merged"), False, True
    for _ in range(8):
        table.merge(25)
    yield table.keep("checkpoint"), True, True
    cleaned = table.keep("log cleaned")
    first = max(int(os.path.basename(f)[:20]) for f in glob.glob(cleaned.path + "/_delta_log/*.checkpoint*"))
    for f in glob.glob(cleaned.path + "/_delta_log/*.json"):
        if int(os.path.basename(f)[:20]) < first:
            os.unlink(f)
    yield cleaned, True, False
    table.programs.run("cdc-compact", "-q", table.path)
    table.model.committed(latest(table.path))
    yield table.keep("compacted"), True, True
    table.programs.run("cdc-compact", "-q", "--vacuum", "--retain", "0s", "--force", table.path)
    table.model.committed(latest(table.path))
    yield table.keep("vacuumed"), True, True
    table.merge(25)
    table.programs.run("cdc-compact", "-q", "--checkpoint", table.path)
    yield table.keep("merged again"), True, True


def check_select(state, engine):
    rng = random.Random(state.version)
    chosen = predicates.some(rng, state.columns, state.rows)
    if len(chosen) > engine.max_predicates:
        chosen = rng.sample(chosen, engine.max_predicates)
    answers = engine.select(state.path, state.columns, chosen)
    out = []
    for p, got in zip(chosen, answers):
        i = state.columns.index(p.column)
        bad = difference([r for r in state.rows if p.keeps(r[i])], got, 1)
        out += ["where %s: %s" % (p, line) for line in bad]
    return out[:12]


def run(tap, programs, readers, work, rng):
    for definition in TABLES:
        table = Table(programs, work, rng, *definition)
        for state, checkpoint, early in states(table):
            where = "our table %s, %s" % (table.name, state.name)
            tap.pair("files of " + where, programs, lambda: check_files(state, checkpoint, early))
            for engine in readers:
                tap.pair("%s reads %s" % (engine.name, where), engine, lambda: state.check(engine))
            if state.name == "checkpoint":
                for engine in readers:
                    tap.pair(
                        "%s reads older versions of %s" % (engine.name, where),
                        engine,
                        lambda: [
                            "version %d: %s" % (v, line)
                            for v in sorted(table.model.history)[:: engine.every_version]
                            for line in state.check(engine, v)
                        ],
                    )
            if state.name in ("checkpoint", "merged again"):
                for engine in readers[1:]:
                    tap.pair(
                        "%s selects from %s" % (engine.name, where), engine, lambda: check_select(state, engine)
                    )
