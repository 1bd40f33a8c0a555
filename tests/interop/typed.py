"""Values of every type, nested ones too, in one exact form, from each side that is compared.

A type is what a Delta schema says in JSON: a name, or an object for structs, arrays and maps. In the
form of model.py, structs are tuples of their fields, arrays are lists, and maps are lists of pairs in
the order in which they are stored.
"""

import base64
import datetime
import json
import re
from decimal import Decimal
from fractions import Fraction

import model
from model import DAY_US

INTEGERS = set(model.INTEGER_BITS)


class Number(str):
    """A number of JSON by its text."""


class Pairs(list):
    """An object of JSON, with each key as often as it stands there."""


def parse(line):
    return json.loads(line, parse_int=Number, parse_float=Number, object_pairs_hook=Pairs)


def plain(t):
    """A type without metadata and nullability: what readers see."""
    if isinstance(t, str):
        return t
    if t["type"] == "struct":
        return {"type": "struct", "fields": [(f["name"], plain(f["type"])) for f in t["fields"]]}
    if t["type"] == "array":
        return {"type": "array", "elementType": plain(t["elementType"])}
    return {"type": "map", "keyType": plain(t["keyType"]), "valueType": plain(t["valueType"])}


def quoted(name):
    return "`%s`" % name.replace("`", "``")


def nested(of, t, v):
    """Structs as sequences, maps as pairs, each value by of(type, value)."""
    if t["type"] == "struct":
        return tuple(of(f["type"], x) for f, x in zip(t["fields"], v))
    if t["type"] == "array":
        return [of(t["elementType"], x) for x in v]
    return [(of(t["keyType"], k), of(t["valueType"], x)) for k, x in v]


# ------------------------------------------------------------------------ Spark


def expression(e, t, depth=0):
    """SQL that turns e, of type t, into what Python gets whole: numbers, text, bytes and lists."""
    if t == "date":
        return "unix_date(%s)" % e
    if t == "timestamp":
        return "unix_micros(%s)" % e
    if t == "timestamp_ntz":
        return "unix_micros(CAST(%s AS TIMESTAMP))" % e
    if t == "variant":
        return "to_json(%s)" % e
    if isinstance(t, str):
        return "CAST(%s AS STRING)" % e if t.startswith("decimal") else e
    x = "x%d" % depth
    if t["type"] == "struct":
        fields = [
            "'%d', %s" % (i, expression("%s.%s" % (e, quoted(f["name"])), f["type"], depth))
            for i, f in enumerate(t["fields"])
        ]
        return "IF(%s IS NULL, NULL, named_struct(%s))" % (e, ", ".join(fields))
    if t["type"] == "array":
        return "transform(%s, %s -> %s)" % (e, x, expression(x, t["elementType"], depth + 1))
    key = expression(x + ".key", t["keyType"], depth + 1)
    value = expression(x + ".value", t["valueType"], depth + 1)
    return "transform(map_entries(%s), %s -> struct(%s AS k, %s AS v))" % (e, x, key, value)


def of_spark(t, v):
    """What Spark collected of expression()."""
    if v is None:
        return None
    if isinstance(t, dict):
        return nested(of_spark, t, v)
    if t in ("float", "double"):
        return model.double(v)
    if t == "binary":
        return bytes(v)
    if t == "variant":
        return variant(parse(v))
    return format(Decimal(v), "f") if t.startswith("decimal") else v


def variant(v):
    """Numbers of JSON by value: 1.50 is 1.5; times by what they say, as each side writes them in its
    own way. Members come in the order of their names."""
    if isinstance(v, str) and not isinstance(v, Number):
        m = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)?", v)
        return (m[1], m[2], (m[3] or "").rstrip("0"), bool(m[4])) if m else v
    if isinstance(v, Number):
        return Fraction(v)
    if isinstance(v, Pairs):
        return sorted((k, variant(x)) for k, x in v)
    return [variant(x) for x in v] if isinstance(v, list) else v


# ------------------------------------------------------------------------ our own


def day_number(text):
    """Days since 1970 of a proleptic Gregorian date, in any year."""
    m = re.fullmatch(r"([+-]?\d{4,})-(\d\d)-(\d\d)", text)
    y, shift = int(m[1]), 0
    while y < 1:
        y, shift = y + 400, shift - 146097
    while y > 9999:
        y, shift = y - 400, shift + 146097
    return model.days(y, int(m[2]), int(m[3])) + shift


def instant(text, zone):
    m = re.fullmatch(r"(.*)([ T])(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z?)", text)
    if not m or (m[2] + m[7] != ("TZ" if zone else " ")):
        raise ValueError("not a time: " + text)
    seconds = int(m[3]) * 3600 + int(m[4]) * 60 + int(m[5])
    return day_number(m[1]) * DAY_US + seconds * 10**6 + int((m[6] or "0").ljust(6, "0"))


def of_json(t, v):
    """What cdc-snapshot printed, parsed by parse(); with the kinds that JSON has for each type."""
    if v is None:
        return None
    if t == "variant":
        return variant(v)
    if type(v) is not kind(t, v):
        raise ValueError("%s instead of a %s: %s" % (type(v).__name__, t, v))
    if isinstance(t, dict):
        if t["type"] == "struct":
            if [k for k, _ in v] != [f["name"] for f in t["fields"]]:
                raise ValueError("fields %s" % [k for k, _ in v])
            v = [x for _, x in v]
        return nested(of_json, t, v)
    if t in INTEGERS:
        return int(v)
    if t in ("float", "double"):
        x = float(v.replace("Infinity", "inf"))
        return model.double(model.to_float32(x) if t == "float" else x)
    if t == "binary":
        return base64.b64decode(v, validate=True)
    if t == "date":
        return day_number(v)
    if t in ("timestamp", "timestamp_ntz"):
        return instant(v, t == "timestamp")
    return v if t == "boolean" else str(v)


def kind(t, v):
    """The kind of JSON that a value of type t has to be."""
    if isinstance(t, dict):
        return Pairs if t["type"] == "struct" or t.get("keyType") == "string" else list
    if t == "boolean":
        return bool
    if t in ("float", "double"):
        return str if v in ("NaN", "Infinity", "-Infinity") else Number
    return Number if t in INTEGERS or t.startswith("decimal") else str


# ------------------------------------------------------------------------ Python's own


def of_python(t, v):
    """What pyarrow's to_pylist() gives, for years that Python knows."""
    if v is None:
        return None
    if isinstance(t, dict):
        return nested(of_python, t, [v[f["name"]] for f in t["fields"]] if t["type"] == "struct" else v)
    if t in ("float", "double"):
        return model.double(v)
    if t == "date":
        return v.toordinal() - 719163
    if t in ("timestamp", "timestamp_ntz"):
        return (v.replace(tzinfo=None) - model.EPOCH) // datetime.timedelta(microseconds=1)
    return format(v, "f") if t.startswith("decimal") else v


def to_python(t, v):
    """What of_python() was given."""
    if v is None:
        return None
    if isinstance(t, dict):
        v = nested(to_python, t, v)
        return {f["name"]: x for f, x in zip(t["fields"], v)} if t["type"] == "struct" else v
    if t in ("float", "double"):
        return model.as_float(v)
    if t == "date":
        return model.to_date(v)
    if t in ("timestamp", "timestamp_ntz"):
        return model.to_datetime(v).replace(tzinfo=datetime.timezone.utc if t == "timestamp" else None)
    return Decimal(v) if t.startswith("decimal") else v


# ------------------------------------------------------------------------ rows


def difference(want, got, limit=4):
    """What only one side has, of rows in no given order."""
    want, got = sorted(map(repr, want)), sorted(map(repr, got))
    if want == got:
        return []
    out = ["%d rows instead of %d" % (len(got), len(want))] if len(want) != len(got) else []
    for row in sorted(set(want) - set(got))[:limit]:
        out.append("lacks " + row[:1500])
    for row in sorted(set(got) - set(want))[:limit]:
        out.append("has   " + row[:1500])
    return out or ["the same rows, in other numbers"]
