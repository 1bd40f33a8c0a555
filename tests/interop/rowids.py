"""Row ids, as Spark sees them, before and after what we do to a table."""

from collections import Counter


def row_ids(spark, shared):
    """The id of each row, by its key; and what is wrong with them."""
    with spark.interpreted():
        frame = spark.session.read.format("delta").load(shared.path)
        key = [c for c in shared.columns if c.name in shared.model.key]
        rows = frame.selectExpr(*map(spark.expression, key), "_metadata.row_id").collect()
    ids = {spark.rows(key, [row[:-1]])[0]: row[-1] for row in rows}
    out = ["%d rows have no id" % sum(v is None for v in ids.values())] if None in ids.values() else []
    often = [v for v, n in Counter(ids.values()).items() if n > 1 and v is not None]
    return ids, out + (["ids are not unique: %s" % often[:5]] if often else [])


def check(spark, shared):
    """The ids of rows that are as they were stay, through merges of each mode and a compaction."""
    before, out = row_ids(spark, shared)
    old = dict(shared.model.rows)
    for name, step in (("merges", shared.merge), ("a compaction", shared.compact)):
        step()
        after, wrong = row_ids(spark, shared)
        kept = [k for k, row in old.items() if shared.model.rows.get(k) == row]
        moved = [k for k in kept if before[k] != after[k]]
        out += ["after %s: %s" % (name, line) for line in wrong]
        if moved:
            out.append("%d of %d ids changed by %s: %s" % (len(moved), len(kept), name, moved[:3]))
    return out
