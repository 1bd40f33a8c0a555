"""The log of a Delta table, replayed from its commits by the protocol's text: what is live, what is
out of use, and how far each stream has come. A second opinion for stress.py.
"""
import json
import os
import re
import urllib.parse
import uuid

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def vector_file(vector):
    """Name of the file of a deletion vector of storage type u without a prefix."""
    data = b""
    for i in range(0, 20, 5):
        n = 0
        for c in vector["pathOrInlineDv"][i : i + 5]:
            n = n * 85 + Z85.index(c)
        data += n.to_bytes(4, "big")
    return "deletion_vector_%s.bin" % uuid.UUID(bytes=data)


def vector_id(action):
    v = action.get("deletionVector")
    return v and (v["storageType"], v["pathOrInlineDv"], v.get("offset"))


def plain(value):
    """Without members that are null, at any depth of objects: they say what absence says."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    return value


def path_of(action):
    return urllib.parse.unquote(action["path"])


class State:
    """The table after some commits; apply() them in order."""

    def __init__(self):
        self.version = -1
        self.adds, self.removes, self.txns = {}, {}, {}
        self.protocol = self.metadata = None
        self.ever = set()  # each file that a commit has named

    def apply(self, actions):
        for a in (a["remove"] for a in actions if a.get("remove")):
            self.adds.pop(path_of(a), None)
            self.removes[path_of(a), vector_id(a)] = a
        for a in (a["add"] for a in actions if a.get("add")):
            self.adds[path_of(a)] = a
            self.removes.pop((path_of(a), vector_id(a)), None)
            self.ever.add(path_of(a))
            if a.get("deletionVector"):
                self.ever.add(vector_file(a["deletionVector"]))
        for action in actions:
            if action.get("txn"):
                self.txns[action["txn"]["appId"]] = action["txn"]["version"]
            if action.get("cdc"):
                self.ever.add(path_of(action["cdc"]))
            self.protocol = action.get("protocol") or self.protocol
            self.metadata = action.get("metaData") or self.metadata
        self.version += 1

    def files(self):
        """What must be on the disk: name and, for data files, size."""
        out = {path: a["size"] for path, a in self.adds.items()}
        for a in self.adds.values():
            if a.get("deletionVector"):
                out[vector_file(a["deletionVector"])] = None
        return out


def read_commit(path):
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def versions(log):
    """The commits in a log directory, ascending."""
    names = (re.fullmatch(r"(\d{20})\.json", name) for name in os.listdir(log))
    return sorted(int(m[1]) for m in names if m)


def checkpoints(log):
    """The classic checkpoints of one file, as (version, path)."""
    names = (re.fullmatch(r"(\d{20})\.checkpoint\.parquet", name) for name in os.listdir(log))
    return sorted((int(m[1]), os.path.join(log, m[0])) for m in names if m)


def describe_add(a):
    stats = json.loads(a["stats"]) if a.get("stats") else None
    return (vector_id(a), a["size"], a["modificationTime"], plain(a["partitionValues"]), stats)


def compare_checkpoint(state, rows, expired_ms):
    """What a checkpoint, given as its rows, has otherwise than the state; [] if nothing. Files that
    went out of use before expired_ms may be forgotten."""
    bad, adds, removes, txns = [], {}, {}, {}
    for row in rows:
        if row["add"]:
            if path_of(row["add"]) in adds:
                bad.append("%s is there twice" % row["add"]["path"])
            adds[path_of(row["add"])] = describe_add(row["add"])
        elif row["remove"]:
            removes[path_of(row["remove"]), vector_id(row["remove"])] = row["remove"]
        elif row["txn"]:
            txns[row["txn"]["appId"]] = row["txn"]["version"]
        elif row["protocol"]:
            if plain(row["protocol"]) != plain(state.protocol):
                bad.append("protocol")
        elif row["metaData"] and plain(row["metaData"]) != plain(state.metadata):
            bad.append("metaData")
    want = {path: describe_add(a) for path, a in state.adds.items()}
    bad += ["add of %s" % p for p in want.keys() | adds.keys() if want.get(p) != adds.get(p)]
    if txns != state.txns:
        bad.append("txn: %s, not %s" % (txns, state.txns))
    for key in removes.keys() - state.removes.keys():
        bad.append("remove of %s" % key[0])
    for key in state.removes.keys() - removes.keys():
        left_ms = state.removes[key]["deletionTimestamp"] - expired_ms
        if left_ms > 0:
            bad.append("no remove of %s, to be kept for %d ms more" % (key[0], left_ms))
    return bad
