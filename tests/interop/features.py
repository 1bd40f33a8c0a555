"""Tables of every feature that readers must know, made by Spark, each version read by cdc-snapshot
and compared with Spark's own rows."""

import glob
import json
import os
import re
import subprocess

import engines
import feature_checks
import feature_tables
import feature_writes
import typed
from ours import latest
from typed import difference, plain

PREFIX = "spark table of features, "


class Reader:
    """cdc-snapshot on one table."""

    def __init__(self, programs, path, external):
        self.programs, self.path = programs, path
        self.options = ["--allow-external"] if external else []

    def try_run(self, *args):
        command = [os.path.join(self.programs.directory, "cdc-snapshot"), "-q", *self.options, *args, self.path]
        p = subprocess.run(command, capture_output=True)
        return p.returncode, p.stdout.decode(), p.stderr.decode(errors="replace").strip()

    def lines(self, *args):
        status, out, err = self.try_run(*args)
        if status:
            raise engines.Failed("%s: exit %d: %s" % (" ".join(args), status, err))
        return out.split("\n")[:-1]

    def lines_and_stats(self, *args):
        status, out, err = self.try_run("--stats", "-", *args)
        if status:
            raise engines.Failed("%s: exit %d: %s" % (" ".join(args), status, err))
        return out.split("\n")[:-1], json.loads(err)

    def schema(self, version):
        return json.loads("\n".join(self.lines("--describe", "--version-as-of", str(version))))["schema"]

    def rows(self, schema, *args):
        return [typed.of_json(schema, typed.parse(line)) for line in self.lines(*args)]


class SparkTable:
    """One of feature_tables.py, as Spark makes and reads it."""

    def __init__(self, spark, work, table):
        self.spark, self.table, self.name = spark, table, table.name
        self.path = os.path.join(work, "feature " + re.sub(r"[^A-Za-z0-9]+", "-", table.name))

    def make(self):
        session = self.spark.session
        before = {k: session.conf.get(k, None) for k in self.table.conf}
        for k, v in self.table.conf.items():
            session.conf.set(k, v)
        try:
            for statement in self.table.statements:
                with self.spark.interpreted():
                    if callable(statement):
                        statement(session, self.path)
                        continue
                    session.sql(statement.replace("{t}", "delta.`%s`" % self.path).replace("{p}", self.path))
        finally:
            for k, v in before.items():
                if v is None:
                    session.conf.unset(k)
                else:
                    session.conf.set(k, v)
        return self.lacks()

    def lacks(self):
        """What the table should have and does not."""
        found = [os.path.relpath(f, self.path) for f in glob.glob(self.path + "/**", recursive=True)]
        for f in glob.glob(self.path + "/_delta_log/*.json"):
            with open(f) as log:
                found += log.read().split("\n")
        return ["nothing has " + want for want in self.table.has if not any(re.search(want, line) for line in found)]

    def versions(self):
        return range(latest(self.path) + 1) if self.table.versions is None else self.table.versions

    def frame(self, at):
        """The table at a version, a time as text, or now."""
        reader = self.spark.session.read.format("delta")
        if at is not None:
            reader = reader.option("timestampAsOf" if isinstance(at, str) else "versionAsOf", at)
        return reader.load(self.path)

    def collect(self, frame):
        """Schema and rows of a frame."""
        schema, rows = self.collected(frame)
        return schema, [typed.of_spark(schema, row) for row in rows]

    def collected(self, frame):
        schema = frame.schema.jsonValue()
        columns = [typed.expression(typed.quoted(f["name"]), f["type"]) for f in schema["fields"]]
        return schema, frame.selectExpr(*columns).collect()

    def fetch(self, at):
        """Schema and rows as Spark gives them; or why it refuses."""
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException

        with self.spark.interpreted():
            try:
                return *self.collected(self.frame(at)), None
            except (PySparkException, Py4JJavaError) as e:
                return None, None, str(e)[:300].replace("\n", " ")

    def check(self, reader, version):
        schema, rows, refusal = self.fetch(version)
        if refusal:
            status, _, err = reader.try_run("--version-as-of", str(version))
            return [] if status in (2, 4, 6) else ["we exit with %d (%s), Spark refuses: %s" % (status, err, refusal)]
        return self.compare(schema, [typed.of_spark(schema, row) for row in rows], reader, version)

    def compare(self, schema, want, reader, version):
        """How what cdc-snapshot tells differs from the schema and the rows."""
        ours = reader.schema(version)
        got = reader.rows(ours, "--version-as-of", str(version))
        # Spark shows no columns of type void.
        shown = [i for i, f in enumerate(ours["fields"]) if f["type"] != "void"]
        out = difference(want, [tuple(row[i] for i in shown) for row in got])
        ours["fields"] = [ours["fields"][i] for i in shown]
        if plain(ours) != plain(schema):
            out.append("schema %s instead of %s" % (plain(ours), plain(schema)))
        return out

    def now(self):
        """Schema and rows of the last version."""
        schema, rows, refusal = self.fetch(None)
        if refusal:
            raise engines.Failed(refusal)
        return schema, [typed.of_spark(schema, row) for row in rows]

    def forget(self):
        """What Spark has read of the table."""
        self.spark.session._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


def check_table(tap, programs, spark, work, table, verb=None, check=None):
    """All versions, and what `check` looks at."""
    made = SparkTable(spark, work, table)
    name = PREFIX + table.name
    if not tap.wants(name) or not tap.pair(name + ": made", spark, made.make):
        return
    reader = Reader(programs, made.path, table.external)
    for v in made.versions():
        tap.pair("cdc-snapshot reads %s, version %d" % (name, v), spark, lambda: made.check(reader, v))
    if check:
        tap.pair("cdc-snapshot %s %s" % (verb, name), spark, lambda: check(made, reader))
    if not table.read_only:
        tap.pair("%s, written by us" % name, spark, lambda: feature_writes.check(made, reader, programs))


def run(tap, programs, readers, work, rng):
    spark = next(e for e in readers if e.name == "spark")
    for table in feature_tables.NEWER if spark.is_newer else feature_tables.TABLES:
        check_table(tap, programs, spark, work, table)
    for tables, verb, check in [] if spark.is_newer else feature_checks.CHECKS:
        for table in tables:
            check_table(tap, programs, spark, work, table, verb, check)
