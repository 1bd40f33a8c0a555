#!/usr/bin/env python3
"""Proves that programs which share a table do not disturb each other. Merges on keys of their own,
merges on the same keys with --sequence-by, merges that give up at once, compactions, checkpoints,
vacuums, readers of the latest and of old versions, a replica that is fed with the changes, and
delta-rs where it is there, all work on one table for a while. Afterwards the rows are those of
SQLite and of the newest event of each key; no reader saw half a commit, or a version in two forms;
the replica equals the table; the log has no gap, its checkpoints are what its commits say, and no
file is lost or left over. TAP.

    stress.py [SECONDS [SEED]]    (default 5)

From a minute on the log is cleaned up: commits that are some seconds old are made to look days old.
"""
import glob
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import stress_log  # noqa: E402

KEYS = 200  # of a writer of its own
SHARED_KEYS = 40
SHARED = 90_000_000  # their first id
RETENTION_S = 60  # files out of use, for --vacuum
AGED_AFTER_S = 45  # commits, before they look old
KEEP_COMMITS = 100  # that are never made to look old
FOLD_FROM = 20  # commits, to bring the replica up to date in one
PATIENCE_S = 300  # for anything that a program does
APPENDER = 8
OWN = {1: "dv", 2: "cow", 3: "auto"}
IMPATIENT = {4: "dv"}
SAME = {21: "dv", 22: "cow", 23: "auto"}


class Failed(Exception):
    """A program did not do what it must; the text says which."""


class Run:
    """What all that act on the table share."""

    def __init__(self, work, seconds, seed):
        self.seconds, self.seed = seconds, seed
        self.bin = os.path.realpath(os.environ.get("BUILD", "build"))
        self.work, self.table = work, os.path.join(work, "table")
        self.log = os.path.join(self.table, "_delta_log")
        self.archive = os.path.join(work, "archive")  # each commit as it was made
        self.replica = os.path.join(work, "replica")
        self.end = time.time() + seconds
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.errors, self.unsound = [], []
        self.count = dict.fromkeys(
            "merges lost given_up compactions checkpoints vacuums reads again refused "
            "changes".split(), 0)
        self.worst_s = 0  # that a batch waited for its commit
        self.born = {}  # when each version was seen first
        self.aged = 0  # versions below may be gone from the log
        self.digest = {}  # of the rows of each version that was read
        self.want = {}  # id: (w, n, v) at the end, by SQLite
        self.newest = {}  # shared key: (seq, v)
        self.seq = 0
        self.finals = None
        self.doubtful = set()  # appends of delta-rs that it says it lost, and may have left files

    def add(self, what, n=1):
        with self.lock:
            self.count[what] += n

    def program(self, name, *args):
        return [os.path.join(self.bin, name), *map(str, args)]

    def call(self, name, *args, data=None, good=(0,)):
        p = subprocess.run(self.program(name, *args), input=data, capture_output=True,
                           timeout=PATIENCE_S)
        if p.returncode not in good:
            raise Failed("%s %s: status %d: %s" % (
                name, " ".join(map(str, args)), p.returncode, p.stderr.decode()[-300:].strip()))
        return p

    def rng(self, who):
        return random.Random("%d %s" % (self.seed, who))


def create(run):
    os.mkdir(run.archive)
    properties = {
        "enableDeletionVectors": "true", "enableChangeDataFeed": "true", "checkpointInterval": "10",
        "logRetentionDuration": "interval 1 day",
        "deletedFileRetentionDuration": "interval %d seconds" % RETENTION_S,
    }
    options = ["--property=delta.%s=%s" % p for p in properties.items()]
    run.call("cdc-merge", "--create", "-k", "id", *options, "--schema",
             "id BIGINT NOT NULL, w INT, n BIGINT, seq BIGINT, v STRING", run.table, data=b"")


# ------------------------------------------------------------------------ change records


class Stream:
    """The records of one writer, numbered as its partition of the topic."""

    def __init__(self, w):
        self.w, self.offset, self.batch, self.lines = w, 0, 0, []

    def put(self, kind, before, after):
        def image(row):
            return {k: None if v is None else str(v) for k, v in row.items()}

        self.lines.append(json.dumps({
            "recordID": self.offset, "dbTable": "d.t", "recordType": kind,
            "beforeImages": image(before), "afterImages": image(after),
            "position": {"topic": "t", "partition": self.w, "offset": self.offset}}))
        self.offset += 1

    def head(self):
        """The row that tells which batch of this writer was the last."""
        row = {"id": self.w * 1_000_000, "w": self.w, "n": self.batch, "seq": self.batch,
               "v": "head"}
        self.put("INSERT" if self.batch == 1 else "UPDATE", {"id": row["id"]} if
                 self.batch > 1 else {}, row)

    def take(self):
        self.lines.append(json.dumps({"recordType": "CHECKPOINT", "positions": [
            {"topic": "t", "partition": self.w, "offset": self.offset - 1}]}))
        text = "\n".join(self.lines) + "\n"
        self.lines = []
        return text


def own_batch(stream, db, rnd):
    """Inserts, updates of a part of the columns, changes of the key and deletes."""
    stream.batch += 1
    w, n = stream.w, stream.batch
    for _ in range(rnd.randrange(1, 40)):
        k, v = w * 1_000_000 + 1 + rnd.randrange(KEYS), "v%d" % stream.offset
        have = db.execute("SELECT 1 FROM m WHERE id = ?", (k,)).fetchone()
        if not have:
            stream.put("INSERT", {}, {"id": k, "w": w, "n": n, "seq": None, "v": v})
            db.execute("INSERT INTO m VALUES (?, ?, ?)", (k, n, v))
        elif rnd.random() < 0.2:
            stream.put("DELETE", {"id": k}, {})
            db.execute("DELETE FROM m WHERE id = ?", (k,))
        elif rnd.random() < 0.1:
            to = w * 1_000_000 + 1 + rnd.randrange(KEYS)
            stream.put("UPDATE", {"id": k}, {"id": to, "n": n})
            db.execute("UPDATE OR REPLACE m SET id = ?, n = ? WHERE id = ?", (to, n, k))
        else:
            stream.put("UPDATE", {"id": k}, {"id": k, "n": n, "v": v})
            db.execute("UPDATE m SET n = ?, v = ? WHERE id = ?", (n, v, k))
    stream.head()
    db.execute("INSERT OR REPLACE INTO m VALUES (?, ?, 'head')", (w * 1_000_000, n))
    return stream.take()


def model():
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE m(id INTEGER PRIMARY KEY, n INTEGER, v TEXT)")
    return db


# ------------------------------------------------------------------------ writers


class Merge:
    """A cdc-merge that is fed batch by batch until it is closed."""

    AHEAD = 2  # batches that may wait for their commit

    def __init__(self, run, w, *options):
        self.run, self.name = run, "merge of %d" % w
        self.fed = []  # when each batch was
        self.commits, self.text = 0, ""
        self.process = subprocess.Popen(
            run.program("cdc-merge", "-v", *options, run.table), stdin=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.listener = guarded(run, self.listen)

    def listen(self, _run):
        for line in self.process.stderr:
            self.text = (self.text + line)[-2000:]
            if note_merge(self.run, line):
                waited = time.time() - self.fed[self.commits]
                self.run.worst_s = max(self.run.worst_s, waited)
                self.commits += 1

    def feed(self, data):
        self.fed.append(time.time())
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # close() tells why
        while len(self.fed) - self.commits > self.AHEAD and self.runs():
            if time.time() - self.fed[-1] > PATIENCE_S:
                raise Failed("%s: a batch waits for its commit" % self.name)
            time.sleep(0.01)

    def runs(self):
        return self.process.poll() is None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.close()

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        status = self.process.wait(PATIENCE_S)
        self.listener.join()
        if status or self.commits != len(self.fed):
            raise Failed("%s: status %d, %d commits of %d batches: %s" % (
                self.name, status, self.commits, len(self.fed), self.text[-300:].strip()))


def note_merge(run, line):
    """Count what a line of cdc-merge tells; true for one of a commit."""
    lost = re.search(r"(\d+) commits lost", line)
    is_commit = re.search(r"info: version \d+: \d+ inserted", line) is not None
    with run.lock:
        run.count["lost"] += int(lost[1]) if lost else 0
        run.count["merges"] += is_commit
    return is_commit


def write_own(run, w):
    """One process, a commit a batch, on keys of its own."""
    rnd, db, stream = run.rng(w), model(), Stream(w)
    with Merge(run, w, "--mode", OWN[w]) as merge:
        while time.time() < run.end and merge.runs():
            merge.feed(own_batch(stream, db, rnd))
            time.sleep(rnd.random() * 0.1)
    keep(run, w, db)


def write_impatient(run, w):
    """A process a batch, which may lose once: then the batch is not in the table."""
    rnd, db, stream = run.rng(w), model(), Stream(w)
    while time.time() < run.end:
        db.execute("BEGIN")
        p = run.call("cdc-merge", "-v", "--mode", IMPATIENT[w], "--retries", "1", run.table,
                     data=own_batch(stream, db, rnd).encode(), good=(0, 5))
        for line in p.stderr.decode().splitlines():
            note_merge(run, line)
        run.add("lost", 2 * (p.returncode == 5))
        run.add("given_up", p.returncode == 5)
        db.execute("ROLLBACK" if p.returncode else "COMMIT")
        time.sleep(rnd.random() * 0.1)
    keep(run, w, db)


def keep(run, w, db):
    with run.lock:
        for i, n, v in db.execute("SELECT id, n, v FROM m"):
            run.want[i] = (w, n, v)


def draw_events(run, rnd):
    """The next events of the source, of which each writer gets some: (seq, key, delete)."""
    with run.lock:
        out = []
        for _ in range(rnd.randrange(1, 12)):
            run.seq += 1
            out.append((run.seq, SHARED + rnd.randrange(SHARED_KEYS), rnd.random() < 0.15))
        note_events(run, out)
    return out


def note_events(run, events):
    for seq, key, delete in events:
        if not delete:
            run.newest[key] = (seq, "s%d" % seq)


def last_events(run, w):
    """One more event for each key, so that the newest is no DELETE, at a writer that chance takes."""
    with run.lock:
        if run.finals is None:
            rnd, run.finals = run.rng("finals"), {x: [] for x in SAME}
            for key in range(SHARED, SHARED + SHARED_KEYS):
                run.seq += 1
                event = (run.seq, key, False)
                run.finals[rnd.choice(list(SAME))].append(event)
                note_events(run, [event])
        return run.finals[w]


def send_same(merge, stream, events, rnd):
    stream.batch += 1
    for seq, key, delete in events:
        row = {"id": key, "w": stream.w, "n": stream.batch, "seq": seq, "v": "s%d" % seq}
        if delete:
            stream.put("DELETE", row, {})
        else:
            stream.put(rnd.choice(["INSERT", "UPDATE"]), {}, row)
    stream.head()
    merge.feed(stream.take())


def write_same(run, w):
    """One process, on keys that others write too; its events come in an order of its own."""
    rnd, stream, pool = run.rng(w), Stream(w), []
    with Merge(run, w, "--mode", SAME[w], "--sequence-by", "seq") as merge:
        while time.time() < run.end and merge.runs():
            pool += draw_events(run, rnd)
            rnd.shuffle(pool)
            late = rnd.randrange(len(pool) + 1)
            send_same(merge, stream, pool[late:], rnd)
            pool = pool[:late]
            time.sleep(rnd.random() * 0.1)
        pool += last_events(run, w)
        rnd.shuffle(pool)
        for i in range(0, len(pool), 10):
            send_same(merge, stream, pool[i : i + 10], rnd)


APPEND = """
import sys, time
import pyarrow as pa
import deltalake
table, seconds, w = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
schema = pa.schema([pa.field("id", pa.int64(), False), ("w", pa.int32()), ("n", pa.int64()),
                    ("seq", pa.int64()), ("v", pa.string())])
end, n = time.time() + seconds, 0
while time.time() < end:
    n += 1
    ids = [w * 1000000 + 10 * n + i for i in range(3)]
    data = pa.table([ids, [w] * 3, [n] * 3, [None] * 3, ["a%d" % i for i in ids]], schema=schema)
    try:
        deltalake.write_deltalake(table, data, mode="append")
        print(n, flush=True)
    except (deltalake.exceptions.DeltaError, OSError):
        print(-n, flush=True)
    time.sleep(0.3)
"""


def engine_python():
    """A Python that has delta-rs, of those that the interop tests have set up; None: there is none."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for python in sorted(glob.glob(os.path.join(cache, "cdc-tools", "*", "venv/bin/python"))):
        check = [python, "-c", "import deltalake, pyarrow"]
        if subprocess.run(check, capture_output=True).returncode == 0:
            return python
    return None


def append_by_delta_rs(run, python):
    """To delta-rs an append has read the table: it loses to whatever took rows away meanwhile."""
    p = subprocess.run([python, "-c", APPEND, run.table, str(run.seconds), str(APPENDER)],
                       capture_output=True, text=True)
    if p.returncode:
        raise Failed("delta-rs: %s" % p.stderr[-300:].strip())
    with run.lock:
        for n in map(int, p.stdout.split()):
            if n < 0:
                run.doubtful.add(-n)
            else:
                run.want.update(appended(n))


def appended(n):
    ids = range(APPENDER * 1_000_000 + 10 * n, APPENDER * 1_000_000 + 10 * n + 3)
    return {i: (APPENDER, n, "a%d" % i) for i in ids}


# ------------------------------------------------------------------------ maintenance


def compact(run):
    rnd = run.rng("compact")
    while not run.stop.wait(0.1 + rnd.random() * 0.3):
        # Among writers that commit all the time one may give up: that is 5, and no harm done.
        p = run.call("cdc-compact", "--target-size", rnd.choice(["8K", "64K", "1M"]), run.table, good=(0, 5))
        run.add("given_up" if p.returncode else "compactions")


def checkpoint(run):
    rnd = run.rng("checkpoint")
    while not run.stop.wait(rnd.random()):
        run.call("cdc-compact", "--checkpoint", run.table)
        run.add("checkpoints")


def vacuum(run):
    while not run.stop.wait(2):
        run.call("cdc-compact", "--vacuum", run.table)
        run.add("vacuums")


def look_at_log(run):
    """Note when versions appear and keep their commits; later make the old ones look old."""
    now, seen = time.time(), stress_log.versions(run.log)
    for v in seen:
        if v not in run.born:
            shutil.copy2(os.path.join(run.log, "%020d.json" % v), run.archive)
            run.born[v] = now
    if run.seconds < 60:
        return
    days_ago = now - 3 * 86400
    for v in seen[:-KEEP_COMMITS]:
        if now - run.born[v] < AGED_AFTER_S:
            break
        if v < run.aged:
            continue
        run.aged = v + 1
        try:
            os.utime(os.path.join(run.log, "%020d.json" % v), (days_ago, days_ago))
        except FileNotFoundError:
            pass


def keep_log(run):
    while not run.stop.wait(0.2):
        look_at_log(run)


# ------------------------------------------------------------------------ readers


def sound(rows, heads, what):
    """What is wrong with rows that somebody read: half a batch, a row twice. Fills in heads."""
    most, ids = {}, set()
    for r in rows:
        if r["id"] in ids:
            return "%s: row %d twice" % (what, r["id"])
        ids.add(r["id"])
        if r["w"] is None or r["n"] is None:
            return "%s: half a row %d" % (what, r["id"])
        if r["w"] == APPENDER:
            continue
        most[r["w"]] = max(most.get(r["w"], 0), r["n"])
        if r["id"] == r["w"] * 1_000_000:
            heads[r["w"]] = r["n"]
    if heads != most:
        return "%s: heads %s, rows %s" % (what, heads, most)
    return None


def read_rows(run, *args, good=(0,)):
    p = run.call("cdc-snapshot", *args, run.table, good=good)
    lines = sorted(p.stdout.splitlines())
    return p.returncode, [json.loads(x) for x in lines], hashlib.sha256(b"\n".join(lines)).digest()


def may_be_gone(run, v):
    """Whether the log or the files of a version may be gone by now: what follows it is old."""
    return v < run.aged or time.time() - run.born.get(v + 1, time.time()) > RETENTION_S - 1


def read_version(run, v):
    """The rows of a version, which must be those that others saw; None if it may be gone."""
    status, rows, digest = read_rows(run, "--version-as-of", v, good=(0, 2, 4, 6))
    if status:
        if may_be_gone(run, v):
            run.add("refused")
            return None
        # Tells why.
        run.call("cdc-snapshot", "--version-as-of", v, run.table)
        raise Failed("version %d could not be read at first: status %d" % (v, status))
    with run.lock:
        first = run.digest.setdefault(v, digest)
    if first != digest:
        run.unsound.append("version %d has other rows than before" % v)
    return rows


def read_latest(run):
    """By number or as the latest; never a state before one that was read already."""
    last = {}
    while not run.stop.is_set():
        if random.random() < 0.5:
            v = stress_log.versions(run.log)[-1]
            rows, what = read_version(run, v), "version %d" % v
        else:
            rows, what = read_rows(run)[1], "the latest"
        heads = {}
        bad = sound(rows or [], heads, what)
        back = [w for w, n in last.items() if rows is not None and heads.get(w, 0) < n]
        if bad or back:
            run.unsound.append(bad or "%s: writers %s went back" % (what, back))
        last = heads if rows is not None else last
        run.add("reads")


def read_old(run):
    rnd = run.rng("old")
    while not run.stop.wait(0.05):
        with run.lock:
            known = sorted(run.digest)
        if known:
            v = rnd.choice(known[-rnd.choice([10, 100, 1000]) :])
            bad = sound(read_version(run, v) or [], {}, "version %d" % v)
            if bad:
                run.unsound.append(bad)
            run.add("again")


def apply_changes(run, first, last):
    """Commits first to last, which the replica may have in part already; many of them folded."""
    programs = [run.program("cdc-snapshot", "--changes", "%d..%d" % (first, last), run.table),
                run.program("cdc-merge", "-q", "--require-final", run.replica)]
    if last - first > FOLD_FROM:
        programs.insert(1, run.program("cdc-dedup"))
    running, messages, source = [], [], subprocess.DEVNULL
    for p in programs:
        messages.append(tempfile.TemporaryFile(dir=run.work))
        running.append(subprocess.Popen(p, stdin=source, stdout=subprocess.PIPE,
                                        stderr=messages[-1]))
        if source != subprocess.DEVNULL:
            source.close()
        source = running[-1].stdout
    source.read()
    source.close()
    status = [p.wait(PATIENCE_S) for p in running]
    text = b""
    for f in messages:
        f.seek(0)
        text += f.read()
        f.close()
    if any(status):
        raise Failed("changes %d..%d: status %s: %s" % (first, last, status, text.decode()[-300:]))
    run.add("changes", last - first + 1)


def replicate(run):
    rnd, done = run.rng("replica"), -1
    while True:
        stopping = run.stop.is_set()
        last = stress_log.versions(run.log)[-1]
        if last > done:
            apply_changes(run, max(0, done + 1 - rnd.randrange(3) if done >= 0 else 0), last)
            done = last
        if stopping:
            return
        run.stop.wait(0.3)


# ------------------------------------------------------------------------ checks at the end


def check_rows(run):
    have = {r["id"]: (r["w"], r["n"], r["v"]) for r in read_rows(run)[1]}
    own = {k: v for k, v in have.items() if v[0] not in SAME and k < SHARED}
    # delta-rs reports an error now and then after it has committed.
    want = dict(run.want)
    for n in {v[1] for v in own.values() if v[0] == APPENDER} & run.doubtful:
        want.update(appended(n))
    return ["%s: %s, not %s" % (k, own.get(k), want.get(k))
            for k in sorted(own.keys() | want.keys()) if own.get(k) != want.get(k)]


def check_newest(run):
    have = {r["id"]: (r["seq"], r["v"]) for r in read_rows(run)[1] if r["id"] >= SHARED}
    return ["%s: %s, not %s" % (k, have.get(k), run.newest.get(k))
            for k in sorted(have.keys() | run.newest.keys()) if have.get(k) != run.newest.get(k)]


def check_replica(run):
    table = set(run.call("cdc-snapshot", run.table).stdout.splitlines())
    replica = set(run.call("cdc-snapshot", run.replica).stdout.splitlines())
    return ["%s only in the %s" % (line.decode(), where) for rows, where in
            ((table - replica, "table"), (replica - table, "replica")) for line in rows]


def check_gaps(run):
    there, ever = stress_log.versions(run.log), stress_log.versions(run.archive)
    told = [json.loads(x)["version"] for x in
            run.call("cdc-snapshot", "--history", run.table).stdout.splitlines()]
    bad = []
    if ever != list(range(len(ever))) or there != ever[-len(there) :]:
        bad.append("versions %s" % sorted(set(range(ever[-1])) ^ set(there) ^ set(ever)))
    if told != there[::-1]:
        bad.append("the history has %d commits, the log %d" % (len(told), len(there)))
    if run.aged > 1 and len(there) > len(ever) / 2:
        bad.append("%d of %d commits are still in the log" % (len(there), len(ever)))
    return bad


def check_files(run, state):
    have = {}
    for top, _, names in os.walk(run.table):
        where = os.path.relpath(top, run.table)
        for name in names:
            if not where.startswith("_delta_log"):
                have[os.path.normpath(os.path.join(where, name))] = os.path.getsize(
                    os.path.join(top, name))
    left = sorted(have.keys() - state.ever)
    bad = ["%s is left over" % name for name in left if name.endswith(".zstd.parquet") or
           len(left) > len(run.doubtful)]
    for name, size in state.files().items():
        if name not in have or size not in (None, have[name]):
            bad.append("%s has %s bytes, not %s" % (name, have.get(name), size))
    return bad


def check_checkpoint(run, state, path):
    rows = map(json.loads, run.call("cdc-snapshot", path).stdout.splitlines())
    # The clock that files get their times from may be some milliseconds behind.
    expired_ms = (os.path.getmtime(path) - RETENTION_S) * 1000 + 100
    bad = stress_log.compare_checkpoint(state, rows, expired_ms)
    if bad:
        about = json.loads(run.call("cdc-snapshot", "--describe", path).stdout)
        bad.append("it is by %s" % about["createdBy"])
    return ["%s: %s" % (os.path.basename(path), x) for x in bad]


def check_checkpoints(run):
    """(What is wrong, how many there are, the state at the end)."""
    state, bad, there = stress_log.State(), [], dict(stress_log.checkpoints(run.log))
    for v in stress_log.versions(run.archive):
        state.apply(stress_log.read_commit(os.path.join(run.archive, "%020d.json" % v)))
        if v in there:
            bad += tried(check_checkpoint, run, state, there[v])
    return bad, len(there), state


def check_without(run, state):
    """The rows without the hint, and without any checkpoint, are those with them."""
    want, bad = read_rows(run)[2], []
    for name, log, leave_out in (("no hint", run.log, "_last_checkpoint"),
                                 ("no checkpoint", run.archive, "none")):
        copy = os.path.join(run.work, "copy")
        shutil.copytree(log, os.path.join(copy, "_delta_log"),
                        ignore=shutil.ignore_patterns(leave_out))
        for path in state.files():
            os.link(os.path.join(run.table, path), os.path.join(copy, path))
        p = run.call("cdc-snapshot", copy)
        if hashlib.sha256(b"\n".join(sorted(p.stdout.splitlines()))).digest() != want:
            bad.append("with %s the rows are others" % name)
        shutil.rmtree(copy)
    return bad


def check_fsck(run):
    p = run.call("cdc-compact", "--fsck", run.table, good=(0, 1))
    found = [json.loads(line) for line in p.stdout.splitlines()]
    return ["fsck: %s" % json.dumps(f) for f in found if f.get("level") == "error"]


# ------------------------------------------------------------------------ the run


def guarded(run, act, *args):
    def body():
        try:
            act(run, *args)
        except Exception as e:  # whatever it is, it is a failure of the test
            run.errors.append("%s: %s: %s" % (act.__name__, type(e).__name__, e))

    thread = threading.Thread(target=body)
    thread.start()
    return thread


def act_all(run, python):
    writers = [guarded(run, write_own, w) for w in OWN]
    writers += [guarded(run, write_impatient, w) for w in IMPATIENT]
    writers += [guarded(run, write_same, w) for w in SAME]
    if python:
        writers.append(guarded(run, append_by_delta_rs, python))
    others = [guarded(run, act) for act in (compact, checkpoint, vacuum, keep_log, read_latest,
                                            read_latest, read_old, replicate)]
    for thread in writers:
        thread.join()
    run.stop.set()
    for thread in others:
        thread.join()
    look_at_log(run)


def tried(check, *args):
    """What a check says is wrong, or why it could not be made."""
    try:
        return check(*args)
    except Failed as e:
        return [str(e)]


def point(number, name, bad, skip=None):
    for text in bad[:20]:
        print("# %s" % text.replace("\n", "\n# "))
    print("%s %d - %s%s" % ("not ok" if bad else "ok", number, name,
                            " # skip: %s" % skip if skip else ""))
    return bool(bad)


def report(run, python):
    c = run.count
    print("# %d versions: %d merges, %d commits lost on the way, %d given up, the longest wait of "
          "a batch %.1f s; %d runs of compactions, %d of checkpoints, %d of vacuums"
          % (len(run.born), c["merges"], c["lost"], c["given_up"], run.worst_s, c["compactions"],
             c["checkpoints"], c["vacuums"]))
    print("# %d reads of the latest version, %d of old ones, %d of versions that were gone; changes "
          "of %d commits applied" % (c["reads"], c["again"], c["refused"], c["changes"]))
    failed = point(1, "no program failed", run.errors)
    failed |= point(2, "no change is lost or doubled", tried(check_rows, run))
    failed |= point(3, "of each key that several write the newest event has won",
                    tried(check_newest, run))
    failed |= point(4, "readers saw whole batches, in order, and each version always the same",
                    run.unsound)
    failed |= point(5, "the replica equals the table", tried(check_replica, run))
    failed |= point(6, "the log has no gap, and the history tells all of it", tried(check_gaps, run))
    bad, n, state = check_checkpoints(run)
    failed |= point(7, "%d checkpoints are what the commits say" % n, bad)
    failed |= point(8, "every file is accounted for", tried(check_files, run, state))
    failed |= point(9, "checkpoints and their hint change no row", tried(check_without, run, state))
    failed |= point(10, "fsck finds no error", tried(check_fsck, run))
    mine = [k for k, v in run.want.items() if v[0] == APPENDER]
    failed |= point(11, "delta-rs appended %d rows meanwhile, and lost %d times"
                    % (len(mine), len(run.doubtful)), [],
                    "delta-rs is not set up here" if not python
                    else None if mine else "it lost every time")
    print("1..11")
    return failed


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print("# seed %d" % seed, flush=True)
    work = tempfile.mkdtemp(prefix="stress-")
    try:
        run = Run(work, seconds, seed)
        python = engine_python()
        create(run)
        act_all(run, python)
        return report(run, python)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
