"""A table as a dictionary: what change records mean, written down a second time.

Values are held in one exact form per type, so that "equal" means equal to the last bit:

    boolean bool, integers int, string str, binary bytes, decimal the digits as text,
    float and double eight bytes in hexadecimal or "NaN", date days, timestamps microseconds,
    struct a tuple of its fields, array a list, map a list of pairs
"""
import base64
import collections
import datetime
import json
import math
import re
import struct
from decimal import Decimal, localcontext

EPOCH = datetime.datetime(1970, 1, 1)
DAY_US = 86400 * 10**6
INTEGER_BITS = {"byte": 8, "short": 16, "integer": 32, "long": 64}


SQL_NAMES = {"byte": "TINYINT", "short": "SMALLINT", "integer": "INT", "long": "BIGINT"}


class Column:
    """A column, or a part of a nested one. The type is what a Delta schema says in JSON; it is given
    so, or for nested ones as array<T>, map<K,V> or struct<name:T,...>."""

    def __init__(self, name, type_, nullable=True):
        self.name, self.nullable, self.parts = name, nullable, []
        self.type = self.nested(type_) if "<" in type_ else type_
        m = re.fullmatch(r"decimal\((\d+),(\d+)\)", type_)
        self.precision, self.scale = (int(m[1]), int(m[2])) if m else (0, 0)

    def nested(self, text):
        kind, inner = text[:-1].split("<", 1)
        if kind == "struct":
            self.parts = [Column(*part.split(":", 1)) for part in top_level(inner)]
            fields = [{"name": c.name, "type": c.type, "nullable": True, "metadata": {}} for c in self.parts]
            return {"type": "struct", "fields": fields}
        self.parts = [Column("", part) for part in top_level(inner)]
        types = [c.type for c in self.parts]
        if kind == "array":
            return {"type": "array", "elementType": types[0], "containsNull": True}
        return {"type": "map", "keyType": types[0], "valueType": types[1], "valueContainsNull": True}

    @property
    def is_decimal(self):
        return self.precision > 0

    @property
    def sql_type(self):
        if not self.parts:
            return SQL_NAMES.get(self.type, self.type.upper())
        inner = ", ".join("`%s`: %s" % (c.name, c.sql_type) if c.name else c.sql_type for c in self.parts)
        return "%s<%s>" % (self.type["type"].upper(), inner)

    @property
    def ddl(self):
        name = self.name if self.name.isalnum() else "`%s`" % self.name
        return "%s %s%s" % (name, self.sql_type, "" if self.nullable else " NOT NULL")


def top_level(text):
    """What commas part outside of brackets."""
    out, depth = [""], 0
    for c in text:
        depth += (c in "<(") - (c in ">)")
        if c == "," and not depth:
            out.append("")
        else:
            out[-1] += c
    return out


def columns(text):
    """'id long!, d date' as columns; ! is NOT NULL. A name may have blanks."""
    out = []
    for part in re.split(r",\s+", text):
        name, type_ = re.fullmatch(r"(.+) (\w+<.*>|[^\s<>:]+)", part).groups()
        out.append(Column(name, type_.rstrip("!"), not type_.endswith("!")))
    return out


# ------------------------------------------------------------------------ values


def double(v):
    return "NaN" if math.isnan(v) else struct.pack(">d", v).hex()


def as_float(canonical):
    return math.nan if canonical == "NaN" else struct.unpack(">d", bytes.fromhex(canonical))[0]


def to_float32(v):
    return struct.unpack("<f", struct.pack("<f", v))[0]


def decimal_text(v, scale):
    with localcontext() as c:
        c.prec = 60
        return format(Decimal(v).quantize(Decimal(1).scaleb(-scale)) + 0, "f")


def days(y, m, d):
    return datetime.date(y, m, d).toordinal() - 719163


def micros(*a):
    return (datetime.datetime(*a) - EPOCH) // datetime.timedelta(microseconds=1)


def to_date(d):
    return datetime.date.fromordinal(d + 719163)


def to_datetime(us):
    return EPOCH + datetime.timedelta(microseconds=us)


def date_text(d):
    return "%04d-%02d-%02d" % (lambda t: (t.year, t.month, t.day))(to_date(d))


def datetime_text(us, separator):
    t = to_datetime(us)
    out = "%s%s%02d:%02d:%02d" % (date_text(us // DAY_US), separator, t.hour, t.minute, t.second)
    return out + (".%06d" % t.microsecond).rstrip("0") if t.microsecond else out


def float_text(v, single):
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "Infinity" if v > 0 else "-Infinity"
    if not single:
        return repr(v)
    for n in range(1, 10):
        out = "%.*g" % (n, v)
        try:
            if to_float32(float(out)) == v:
                break
        except OverflowError:
            pass
    return out if re.search(r"[.e]", out) else out + ".0"


def json_value(column, v):
    """A value as it stands in JSON: bare where JSON has its kind, else its text."""
    if v is None:
        return None
    if not column.parts:
        return v if column.type == "boolean" or column.type in INTEGER_BITS else text(column, v)
    if column.type["type"] == "struct":
        return {c.name: json_value(c, x) for c, x in zip(column.parts, v)}
    if column.type["type"] == "array":
        return [json_value(column.parts[0], x) for x in v]
    pairs = [[json_value(c, x) for c, x in zip(column.parts, pair)] for pair in v]
    return dict(pairs) if column.type["keyType"] == "string" else pairs


def text(column, v):
    """The text of a value in an image."""
    t = column.type
    if column.parts:
        return json.dumps(json_value(column, v), ensure_ascii=False)
    if t == "boolean":
        return "true" if v else "false"
    if t in ("float", "double"):
        return float_text(as_float(v), t == "float")
    if t == "binary":
        return base64.b64encode(v).decode()
    if t == "date":
        return date_text(v)
    if t == "timestamp":
        return datetime_text(v, "T") + "Z"
    if t == "timestamp_ntz":
        return datetime_text(v, " ")
    return str(v)


STRINGS = [
    "", "a", "Z", " ", "  two  ", "naïve", "日本語", "👍🏽 x", "quote\"'`", "back\\slash", "tab\tnl\nend",
    "null", "NULL", "\u0001\u001f", "\x7f", "\u0000zero", "x" * 31, "x" * 32, "x" * 33, "é" * 40,
    "\U0010ffff" * 40, "a" + "\ud7ff" * 60, "a" * 31 + "\U0001f600" + "tail", "~" * 5000,
]  # fmt: skip
PARTITION_STRINGS = [
    "plain", "a b", "x/y", "50%", "%2F", "k=v", "ü", "日本", ":", "quote\"'", "{b}", "#", "?", "*",
    "[x]", "back\\slash", "tab\t", "new\nline", "+&", "~", ".", "..", "<|>", "^", "'", "", None, "True", "007",
]  # fmt: skip
DATES = [
    days(1, 1, 1), days(1000, 1, 1), days(1582, 10, 4), days(1582, 10, 15), days(1899, 12, 31),
    days(1969, 12, 31), 0, days(2024, 2, 29), days(2038, 1, 20), days(9999, 12, 31),
]  # fmt: skip
TIMESTAMPS = [
    micros(1, 1, 1), micros(1000, 1, 1, 12), micros(1582, 10, 4, 23, 59, 59, 999999), micros(1900, 1, 1), -1, 0, 1,
    micros(1969, 12, 31, 23, 59, 59), micros(2019, 11, 14, 3, 11, 5, 120000), micros(2024, 3, 31, 1, 30),
    micros(2262, 4, 12), micros(2500, 6, 1, 0, 0, 0, 500001), micros(9999, 12, 31, 23, 59, 59, 999999),
]  # fmt: skip
DOUBLES = [
    math.nan, math.inf, -math.inf, 0.0, -0.0, 0.1, -1.5, 5e-324, 1.7976931348623157e308, -2.2250738585072014e-308,
    1e21, 123456789.125, 1 / 3,
]  # fmt: skip
FLOATS = [
    math.nan, math.inf, -math.inf, 0.0, -0.0, 0.1, -1.5, 1.401298464324817e-45, 3.4028234663852886e38, 16777216.0, 1 / 3,
]  # fmt: skip


FIRST_DAY, LAST_DAY = days(1900, 1, 1), days(2261, 12, 31)


def random_value(rng, column, partition=False, narrow=False):
    """A value at random; narrow: one that no engine garbles when it writes or reads its own files."""
    while True:
        v = nested_value(rng, column, narrow) if column.parts else any_value(rng, column, partition)
        day = v if column.type == "date" else v // DAY_US if column.type in ("timestamp", "timestamp_ntz") else 0
        if not narrow or (FIRST_DAY <= day <= LAST_DAY and not (partition and v == "")):
            return v


def nested_value(rng, column, narrow):
    def part(c, nulls=0.2):
        return None if rng.random() < nulls else random_value(rng, c, narrow=narrow)

    if column.type["type"] == "struct":
        return tuple(part(c) for c in column.parts)
    if column.type["type"] == "array":
        return [part(column.parts[0]) for _ in range(rng.randrange(4))]
    keys = {repr(k): k for k in (part(column.parts[0], 0) for _ in range(rng.randrange(4)))}
    return [(k, part(column.parts[1])) for k in keys.values()]


def any_value(rng, column, partition):
    t = column.type
    edge = rng.random() < 0.3
    if t == "boolean":
        return rng.random() < 0.5
    if t in INTEGER_BITS:
        bits = INTEGER_BITS[t]
        edges = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1, 1]
        return rng.choice(edges) if edge else rng.randrange(-(2 ** (bits - 2)), 2 ** (bits - 2))
    if column.is_decimal:
        top = 10**column.precision - 1
        edges = [top, -top, 0, 1, -1, 10**column.scale if column.scale < column.precision else 5]
        v = rng.choice(edges) if edge else rng.randint(-top, top) // 10 ** rng.randrange(column.precision)
        return decimal_text(Decimal(v).scaleb(-column.scale, _WIDE), column.scale)
    if t == "double":
        return double(rng.choice(DOUBLES) if edge else rng.gauss(0, 1e6))
    if t == "float":
        return double(to_float32(rng.choice(FLOATS) if edge else rng.gauss(0, 1000)))
    if t == "binary":
        edges = [b"", b"\0", bytes(range(256)), b"\xff" * 40, b"text"]
        return rng.choice(edges) if edge else rng.randbytes(rng.randrange(1, 20))
    if t == "date":
        return rng.choice(DATES) if edge else rng.randrange(days(2019, 1, 1), days(2020, 1, 1))
    if t in ("timestamp", "timestamp_ntz"):
        return rng.choice(TIMESTAMPS) if edge else rng.randrange(micros(2019, 1, 1), micros(2020, 1, 1))
    if partition:
        return rng.choice(PARTITION_STRINGS)
    return rng.choice(STRINGS) if edge else "%s-%d" % (rng.choice(["red", "green", "blå"]), rng.randrange(10**6))


with localcontext() as _c:
    _c.prec = 60
    _WIDE = _c.copy()


# ------------------------------------------------------------------------ table


def widened(old, new, v):
    """A value of one type as one of a wider type."""
    if v is None or new.type == old.type:
        return v
    if new.is_decimal:
        return decimal_text(v, new.scale)
    if new.type == "timestamp_ntz":
        return v * DAY_US
    return double(v) if new.type == "double" and old.type in INTEGER_BITS else v


class Rules:
    """What a table demands of its rows: by column, where its values come from (a function of rng),
    how it follows from the row, and what it is where an insert does not tell."""

    def __init__(self, domains=(), generated=(), defaults=()):
        self.domains, self.generated, self.defaults = dict(domains), dict(generated), dict(defaults)


class Model:
    """Rows by key, and the rows of each version that was committed."""

    def __init__(self, rng, cols, key, partition=(), narrow=False, rules=None):
        self.rng, self.columns, self.key, self.partition = rng, cols, key, list(partition)
        self.by_name = {c.name: c for c in cols}
        self.narrow, self.rules = narrow, rules or Rules()
        self.rows = {}
        self.history = {}
        # Whether the batch that is open gives a row another key, and the versions of those that did.
        self.moves, self.moved = False, set()
        self.record_id = 0

    # --- what records mean

    def key_of(self, row):
        return tuple(row[k] for k in self.key)

    def add(self, column):
        """A column more, null in the rows that are there."""
        self.columns.append(column)
        self.by_name[column.name] = column
        self.rows = {k: {**row, column.name: None} for k, row in self.rows.items()}

    def widen(self, name, type_):
        """Another type for a column, and its values as that."""
        old, new = self.by_name[name], Column(name, type_)
        self.columns[self.columns.index(old)] = self.by_name[name] = new
        self.rows = {k: {**row, name: widened(old, new, row[name])} for k, row in self.rows.items()}

    def complete(self, row):
        """With all columns, as the table holds it."""
        row = {c.name: row.get(c.name) for c in self.columns}
        for name in self.partition:
            # Partition values are text, and the format takes the empty one for null.
            if self.by_name[name].type == "string" and row[name] == "":
                row[name] = None
        for name, of in self.rules.generated.items():
            row[name] = of(row)
        return row

    def put(self, row):
        row = self.complete(row)
        self.rows[self.key_of(row)] = row

    def apply(self, record):
        kind, before, after = record["recordType"], record["beforeImages"], record["afterImages"]
        if kind == "DELETE":
            self.rows.pop(self.key_of(before), None)
        elif kind == "UPDATE":
            key = self.key_of({**after, **before})
            old = self.rows.pop(key, self.rules.defaults)
            row = {**old, **{k: before[k] for k in self.key if k in before}, **after}
            self.moves |= self.key_of(row) != key
            self.put(row)
        else:
            self.put({**self.rules.defaults, **after})

    def tuples(self, version=None):
        rows = self.rows if version is None else self.history[version]
        return sorted((tuple(r[c.name] for c in self.columns) for r in rows.values()), key=repr)

    def committed(self, version):
        self.history[version] = dict(self.rows)
        if self.moves:
            self.moved.add(version)
        self.moves = False

    # --- random records

    def random_row(self):
        row = {}
        for c in self.columns:
            null = c.nullable and c.name not in self.key and self.rng.random() < 0.15
            if c.name in self.rules.domains:
                row[c.name] = self.rules.domains[c.name](self.rng)
            else:
                row[c.name] = None if null else random_value(self.rng, c, c.name in self.partition, self.narrow)
        return row

    def some_key(self):
        return self.rng.choice(sorted(self.rows, key=repr))

    def random_record(self, only_new, moves):
        rng = self.rng
        kind = rng.random()
        new = self.random_row()
        if only_new or len(self.rows) < 5 or kind < 0.35:
            return rng.choice(["INSERT", "INSERT", "INIT"]), {}, new
        old = self.rows[self.some_key()]
        key = {k: old[k] for k in self.key}
        before = rng.choice([old, key])
        if kind < 0.55:
            return "DELETE", before, {}
        if kind < 0.60:
            return "INSERT", {}, {**new, **key}
        if kind < 0.64:
            return "DELETE", {k: new[k] for k in self.key}, {}
        if kind < 0.67:
            return "UPDATE", {}, new
        if kind < 0.75 and moves:
            moved = {k: v for k, v in new.items() if k in self.key or rng.random() < 0.5}
            return "UPDATE", before, moved
        some = {k: v for k, v in new.items() if k not in self.key and rng.random() < 0.5}
        if some and rng.random() < 0.2:
            return "UPDATE", before, some
        return "UPDATE", rng.choice([before, {}]), {**some, **key}

    def untold(self, kind, after):
        """An image without what the table knows by itself."""
        out = {k: v for k, v in after.items() if k not in self.rules.generated}
        if kind in ("INSERT", "INIT"):
            out = {k: v for k, v in out.items() if k not in self.rules.defaults or self.rng.random() < 0.5}
            if self.rules.generated and self.rng.random() < 0.5:
                row = self.complete({**self.rules.defaults, **out})
                out.update({k: row[k] for k in self.rules.generated})
        return out

    def batch(self, n, topic=None, only_new=False, moves=True):
        """n random records, applied here; their lines, shuffled unless they have positions."""
        lines = []
        for _ in range(n):
            kind, before, after = self.random_record(only_new, moves)
            after = self.untold(kind, after)
            record = {
                "recordID": self.record_id,
                "dbTable": "shop.t",
                "recordType": kind,
                "fields": [c.name for c in self.columns],
                "beforeImages": before,
                "afterImages": after,
            }
            self.apply(record)
            record["beforeImages"] = self.image(before)
            record["afterImages"] = self.image(after)
            if topic:
                record["position"] = {"topic": topic, "partition": 0, "offset": self.record_id}
            lines.append(json.dumps(record, ensure_ascii=self.rng.random() < 0.5))
            self.record_id += 1
        if not topic:
            self.rng.shuffle(lines)
        return "".join(line + "\n" for line in lines)

    def image(self, values):
        out = {}
        for name, v in values.items():
            c = self.by_name[name]
            bare = (bool(c.parts) or c.type in ("boolean", *INTEGER_BITS)) and self.rng.random() < 0.3
            out[name] = None if v is None else json_value(c, v) if bare else text(c, v)
        return out


def difference(want, got, limit=3):
    """Lines that say how two lists of rows differ; none when they do not."""
    expected, read = collections.Counter(map(repr, want)), collections.Counter(map(repr, got))
    missing = list((expected - read).elements())
    extra = list((read - expected).elements())
    out = []
    if missing or extra:
        out.append("%d rows expected, %d read" % (len(want), len(got)))
    for title, rows in (("missing", missing), ("extra", extra)):
        out += ["%s: %s" % (title, r[:400]) for r in rows[:limit]]
    return out
