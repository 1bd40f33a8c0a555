"""What is not written yet: that cdc-merge leaves such a table alone and says why. Tables of matrix.py
that need it are skipped; what is no longer refused has to leave these lists."""

import os

from engines import Failed
from model import columns
from ours import check_rows, latest

# name, feature, more of CREATE TABLE, a statement after it
FEATURES = [
    ("a CHECK constraint", "checkConstraints", "", "ALTER TABLE TABLE_PATH ADD CONSTRAINT c CHECK (id > 0)"),
]
# Features that cdc-merge honours and cdc-compact refuses.
NOT_COMPACTED = {"rowTracking"}
NAMES = {f[1] for f in FEATURES}


def compact(programs, path, features, *options):
    """cdc-compact packs the table, or refuses and names the feature."""
    refused = sorted(NOT_COMPACTED & set(features))
    _, err = programs.run("cdc-compact", "-q", *options, path, status=6 if refused else 0)
    if refused and refused[0] not in err:
        raise Failed("no word of %s: %s" % (refused[0], err))


def check_feature(programs, writer, path, feature, clause, after):
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


def run(tap, programs, spark, writer, work):
    for name, feature, clause, after in FEATURES:
        path = os.path.join(work, "refused-" + feature)
        tap.pair(
            "cdc-merge refuses a spark table with %s, cdc-snapshot reads it" % name,
            spark,
            lambda: check_feature(programs, writer, path, feature, clause, after),
        )
