"""A merge that runs while another writer changes what the table is: it has seen the old state, and its
next commit must obey the new one."""

import contextlib
import json
import os
import subprocess
import time

import changes
import turns
from engines import Failed
from ours import latest
from turns import Table
from writers import commit_by_hand

DEADLINE_S = 60
TABLE = Table("our table, upgraded meanwhile", "cdc", "spark", "id long!, s string", ["id"])


class Running:
    """cdc-merge at a pipe, from where it commits what comes up to each CHECKPOINT."""

    def __init__(self, programs, path):
        self.path, self.pipe = path, path + ".pipe"
        os.mkfifo(self.pipe)
        command = [os.path.join(programs.directory, "cdc-merge"), "-q", path, self.pipe]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        # Also for reading, so that this does not wait for a program that is dead.
        self.input = os.fdopen(os.open(self.pipe, os.O_RDWR), "w")

    def feed(self, line):
        self.input.write(line + '{"recordType":"CHECKPOINT","positions":[]}\n')
        self.input.flush()

    def wait_for(self, version):
        until = time.monotonic() + DEADLINE_S
        while latest(self.path) < version:
            if time.monotonic() > until:
                raise Failed("no version %d after %d s" % (version, DEADLINE_S))
            time.sleep(0.02)

    def end(self):
        self.input.close()
        _, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, err.decode(errors="replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        with contextlib.suppress(BrokenPipeError):
            self.input.close()
        os.unlink(self.pipe)


def raise_protocol(shared):
    feature = "flyingCarpets"
    protocol = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [feature], "writerFeatures": [feature]}
    commit_by_hand(shared.path, "UPGRADE PROTOCOL", {"protocol": protocol})


def add_feed(shared):
    shared.writer.sql("ALTER TABLE TABLE_PATH SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')", shared.path)


def add_constraint(shared):
    shared.writer.sql("ALTER TABLE TABLE_PATH ADD CONSTRAINT short CHECK (s IS NULL OR s <> 'long')", shared.path)


def record(shared, kind, key, s=None):
    image = {"id": str(key), "s": s}
    shared.model.record_id += 1
    line = {
        "recordID": shared.model.record_id,
        "recordType": kind,
        "dbTable": "a.b",
        "beforeImages": {} if kind == "INSERT" else {"id": str(key)},
        "afterImages": {} if kind == "DELETE" else image,
    }
    shared.model.apply(
        {
            "recordType": kind,
            "beforeImages": {} if kind == "INSERT" else {"id": key},
            "afterImages": {} if kind == "DELETE" else {"id": key, "s": s},
        }
    )
    return json.dumps(line) + "\n"


def refused(shared, programs, change, line, status, word):
    """The running merge stops with this status and word, and so does a new one; nothing is committed."""
    running = Running(programs, shared.path)
    try:
        before = latest(shared.path)
        running.feed(record(shared, "INSERT", 10**6, "first"))
        running.wait_for(before + 1)
        change(shared)
        version = latest(shared.path)
        running.feed(line)
        got = running.end()
    finally:
        running.stop()
    out = [] if got[0] == status and word in got[1] else ["running: exit %d: %s" % got]
    _, err = programs.run("cdc-merge", "-q", shared.path, stdin=line, status=status)
    out += [] if word in err else ["started: " + err]
    return out + ([] if latest(shared.path) == version else ["version %d after a refusal" % latest(shared.path)])


LINE = '{"recordID":999,"recordType":"INSERT","dbTable":"a.b","beforeImages":{},"afterImages":{"id":"-5","s":"long"}}\n'


def check_feature(shared, programs, _):
    shared.make()
    out = refused(shared, programs, raise_protocol, LINE, 6, "flyingCarpets")
    try:
        shared.writer.append(shared.path, shared.columns, [(-6, "spark")])
    except Exception as e:
        return out + ([] if "flyingCarpets" in str(e) else ["Spark: " + str(e)[:300]])
    return out + ["Spark writes to it"]


def check_constraint(shared, programs, _):
    shared.make()
    return refused(shared, programs, add_constraint, LINE, 3, "short")


def check_feed(shared, programs, spark):
    """What the running merge does after Spark began a change data feed is told by it."""
    shared.make()
    running = Running(programs, shared.path)
    try:
        first = latest(shared.path) + 1
        running.feed(record(shared, "INSERT", 10**6, "first"))
        running.wait_for(first)
        shared.note()
        add_feed(shared)
        for i, (kind, s) in enumerate([("UPDATE", "second"), ("DELETE", None), ("INSERT", "third")]):
            running.feed(record(shared, kind, 10**6, s))
            running.wait_for(first + 2 + i)
            shared.note()
        got = running.end()
    finally:
        running.stop()
    if got[0]:
        return ["exit %d: %s" % got]
    return changes.check(lambda s: changes.spark_batch(spark, s, first + 2), shared, first + 2)


CHECKS = [
    ("cdc-merge stops at a feature that nobody knows, running or started", check_feature),
    ("cdc-merge obeys a constraint of Spark's that came while it ran", check_constraint),
    ("cdc-merge feeds the changes that Spark asks for while it runs", check_feed),
]


def run(tap, programs, readers, work, rng, writers):
    spark = next(e for e in readers if e.name == "spark")
    for n, (name, check) in enumerate(CHECKS):
        shared = turns.Shared(programs, writers["spark"], os.path.join(work, "upgraded-%d" % n), rng, TABLE)
        tap.pair(name, spark, lambda: check(shared, programs, spark))
