"""Tables that others made with their features, changed by us: rows deleted and updated by each way of
writing, files compacted, a checkpoint written. What their makers then read is what they read before,
but for what we changed."""

import json

import typed
from ours import latest

# Those that we leave alone: exit status and a word of the reason.
REFUSED = {
    "generated and identity columns": (6, "GENERATED ALWAYS AS IDENTITY"),
    "defaults and constraints": (3, "append-only"),
    "Iceberg compatibility 1": (6, "icebergCompatV1"),
    "Iceberg compatibility 2": (6, "icebergCompatV2"),
    "deletion vectors dropped": (6, "checkpointProtection"),
}


def describe(t, v):
    """A value of a key as an image has it."""
    return v if t == "string" else str(v)


class Chosen:
    """Rows to change, by a column whose values tell them apart, and a column to update."""

    def __init__(self, schema, rows, partitions):
        self.fields = schema["fields"]
        self.rows = rows
        self.key = next(i for i in range(len(self.fields)) if self.tells_apart(i))
        values = [r[self.key] for r in rows]
        single = [r for r in rows if r[self.key] is not None and values.count(r[self.key]) == 1]
        self.gone, self.changed, self.marked = single[0], single[len(single) // 2], single[-1]
        self.column = next((i for i, f in enumerate(self.fields) if self.may_update(i, f, partitions)), None)

    def tells_apart(self, i):
        if self.fields[i]["type"] not in ("byte", "short", "integer", "long", "string"):
            return False
        values = [r[i] for r in self.rows if r[i] is not None]
        return sum(values.count(v) == 1 for v in values) >= 3

    def may_update(self, i, field, partitions):
        return field["type"] == "string" and i != self.key and not field["metadata"] and field["name"] not in partitions

    def image(self, row, *columns):
        return {self.fields[i]["name"]: describe(self.fields[i]["type"], row[i]) for i in columns}

    def record(self, number, kind, before, after=None):
        return json.dumps(
            {
                "recordID": number,
                "recordType": kind,
                "dbTable": "a.b",
                "beforeImages": before,
                "afterImages": after or {},
            }
        )

    def first(self):
        """Records that delete a row and update another."""
        lines = [self.record(1, "DELETE", self.image(self.gone, self.key))]
        if self.column is not None:
            after = {self.fields[self.column]["name"]: "by us"}
            lines.append(self.record(2, "UPDATE", self.image(self.changed, self.key), after))
        return "\n".join(lines) + "\n"

    def second(self):
        return self.record(3, "DELETE", self.image(self.marked, self.key)) + "\n"

    def want(self):
        left = [r for r in self.rows if r is not self.gone and r is not self.marked]
        if self.column is None:
            return left
        changed = list(self.changed)
        changed[self.column] = "by us"
        return [tuple(changed) if r is self.changed else r for r in left]


def check(made, reader, programs):
    """The table as its maker has it, written by us, as both have it afterwards."""
    schema, rows = made.now()
    details = json.loads("\n".join(reader.lines("--describe")))
    chosen = Chosen(schema, rows, details["partitionColumns"])
    merge = ["cdc-merge", "-q", "-k", schema["fields"][chosen.key]["name"], made.path]
    status, word = REFUSED.get(made.name, (0, ""))
    version = latest(made.path)
    _, err = programs.run(*merge, "--mode", "cow", stdin=chosen.first(), status=status)
    if status:
        wrong = [] if word in err else ["no word of %s: %s" % (word, err)]
        return wrong + ([] if latest(made.path) == version else ["version %d after a refusal" % latest(made.path)])
    has_dv = details["properties"].get("delta.enableDeletionVectors") == "true"
    programs.run(*merge, "--mode", "dv" if has_dv else "auto", stdin=chosen.second())
    out = ["after merges: " + d for d in made.compare(schema, chosen.want(), reader, latest(made.path))]
    programs.run("cdc-compact", "-q", made.path)
    programs.run("cdc-compact", "-q", "--checkpoint", made.path)
    out += ["after a compaction: " + d for d in made.compare(schema, chosen.want(), reader, latest(made.path))]
    made.forget()
    return out + ["its maker reads: " + d for d in typed.difference(chosen.want(), made.now()[1])]
