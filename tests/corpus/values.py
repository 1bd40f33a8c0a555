"""Values of rows, exact, whoever printed them.

decode(kind, value, voice) turns a value as one program printed it in JSON into one that compares
and hashes by value: integers and decimals as numbers of any length, floats by their bits, dates and
times as nanoseconds, strings and bytes as they are, structs and lists as tuples, maps as sorted
tuples of pairs. A kind is a tree made from the Delta schema that cdc-snapshot --describe prints, or
from that of a file (filekinds.py). A voice (voices.py) knows how one program writes scalars.
"""
import decimal
import re
import struct

INTEGERS = ("byte", "short", "integer", "long")
TIMESTAMPS = ("timestamp", "timestamp_ntz", "timestamp_ns", "timestamp_ntz_ns")
NS = 10**9
DAY = 86400 * NS
INSTANT = re.compile(
    r"([+-]?\d{4,})-(\d\d)-(\d\d)( \(BC\))?"
    r"(?:[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|\+00)?)?")


class Pairs(list):
    """The members of a JSON object in their order, doubles kept."""


def kind_of(t):
    """The tree of a Delta JSON type: (name, arguments...)."""
    if isinstance(t, str):
        m = re.fullmatch(r"decimal\((\d+),\s*(-?\d+)\)", t)
        return ("decimal", int(m[1]), int(m[2])) if m else (t,)
    if t["type"] == "struct":
        return "struct", tuple((f["name"], kind_of(f["type"])) for f in t["fields"])
    if t["type"] == "array":
        return "array", kind_of(t["elementType"])
    assert t["type"] == "map", t
    return "map", kind_of(t["keyType"]), kind_of(t["valueType"])


def days(year, month, day):
    """Days since 1970-01-01 in the proleptic Gregorian calendar, of any year."""
    year -= month <= 2
    shifted = month + (-3 if month > 2 else 9)
    return (365 * year + year // 4 - year // 100 + year // 400
            + (153 * shifted + 2) // 5 + day - 1 - 719468)


def clock(text):
    """Nanoseconds of the day."""
    h, m, s = text.split(":")
    return (int(h) * 3600 + int(m) * 60) * NS + int(decimal.Decimal(s) * NS)


def instant(text):
    """(nanoseconds since 1970, whether a zone is given) of a date or timestamp."""
    m = INSTANT.fullmatch(text)
    assert m, f"no date or timestamp: {text!r}"
    year = 1 - int(m[1]) if m[4] else int(m[1])
    return days(year, int(m[2]), int(m[3])) * DAY + (clock(m[5]) if m[5] else 0), bool(m[6])


def bits(kind, number):
    """A float's bits; all NaN are one."""
    number = float(number)
    return "NaN" if number != number else struct.pack("<f" if kind == "float" else "<d", number)


def json_value(value):
    """Any JSON value as something that compares: for variants."""
    if isinstance(value, Pairs):
        return "object", tuple(sorted((k, json_value(v)) for k, v in value))
    if isinstance(value, list):
        return "array", tuple(map(json_value, value))
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__, value
    return "number", decimal.Decimal(value)


def decode(kind, value, voice):
    if value is None:
        return None
    name = kind[0]
    if name == "struct":
        assert isinstance(value, Pairs), f"no struct: {value!r}"
        members = dict(value)
        known = {n for n, _ in kind[1]}
        assert set(members) <= known, f"members {sorted(set(members) - known)} of no field"
        return tuple(decode(k, members.get(n), voice) for n, k in kind[1])
    if name == "array":
        assert isinstance(value, list) and not isinstance(value, Pairs), f"no array: {value!r}"
        return tuple(decode(kind[1], v, voice) for v in value)
    if name == "map":
        pairs = ((decode(kind[1], k, voice), decode(kind[2], v, voice))
                 for k, v in voice.entries(kind, value))
        return tuple(sorted(pairs, key=repr))
    return voice.scalar(kind, value)


def reduce(kind, value, voice):
    """A value of ours as far as the voice can say it."""
    if value is None:
        return None
    if kind[0] == "struct":
        return tuple(reduce(k, v, voice) for (_, k), v in zip(kind[1], value))
    if kind[0] == "array":
        if not value and kind[2:] == (True,) and voice.EMPTY_IS_NULL:
            return None
        return tuple(reduce(kind[1], v, voice) for v in value)
    if kind[0] == "map":
        pairs = ((reduce(kind[1], k, voice), reduce(kind[2], v, voice)) for k, v in value)
        return tuple(sorted(pairs, key=repr))
    return voice.lose(kind, value)
