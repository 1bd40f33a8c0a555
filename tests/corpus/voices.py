"""How each program that gave expected rows writes values in JSON, and what it loses.

scalar(kind, value): the exact value (see values.py). entries(kind, value): a map's pairs.
lose(kind, exact): what is left of an exact value once the program has printed it. A rule there
says why the expectation cannot hold the value; without a rule nothing is lost.
"""
import base64
import decimal

from geometry import flat, from_geojson, from_wkb, from_wkt, is_wkt
from values import INSTANT, INTEGERS, TIMESTAMPS, Pairs, bits, clock, instant, json_value


def blob(text):
    """DuckDB's text of bytes: printable ASCII as it is, the rest as \\xNN."""
    out = bytearray()
    i = 0
    while i < len(text):
        if text.startswith("\\x", i):
            out.append(int(text[i + 2:i + 4], 16))
            i += 4
        else:
            out += text[i].encode("ascii")
            i += 1
    return bytes(out)


def number(value):
    assert isinstance(value, (int, decimal.Decimal)) and not isinstance(value, bool), value
    return value


def real(kind, value):
    return bits(kind[0], {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[value]
                if isinstance(value, str) else number(value))


def zero_without_sign(kind, value):
    return bits(kind[0], 0) if value == bits(kind[0], "-0.0") else value


def finite(kind, value):
    """JSON.stringify writes null for what is not finite, and 0 for -0."""
    if value in ("NaN", bits(kind[0], "inf"), bits(kind[0], "-inf")):
        return None
    return zero_without_sign(kind, value)


class Ours:
    """cdc-snapshot: see cdc-snapshot(1)."""

    @staticmethod
    def entries(kind, value):
        if kind[1][0] == "string":
            assert isinstance(value, Pairs), f"no map: {value!r}"
            return value
        assert all(len(p) == 2 for p in value), f"no pairs: {value!r}"
        return value

    @staticmethod
    def scalar(kind, value):
        name = kind[0]
        if name == "boolean":
            assert isinstance(value, bool), value
        elif name in INTEGERS:
            assert isinstance(value, int) and not isinstance(value, bool), value
        elif name.endswith("decimal"):
            return decimal.Decimal(number(value))
        elif name in ("float", "double"):
            return real(kind, value)
        elif name == "binary":
            return base64.b64decode(value, validate=True)
        elif name == "date":
            return instant(value)[0]
        elif name in TIMESTAMPS:
            at, zone = instant(value)
            assert zone == (name in ("timestamp", "timestamp_ns")), value
            return at
        elif name == "time":
            return clock(value)
        elif name == "variant":
            return json_value(value)
        else:
            assert isinstance(value, str), (kind, value)
        return value


class DuckDB:
    """DuckDB through its client for JavaScript, typed: 64-bit integers and decimals are strings."""

    EMPTY_IS_NULL = False

    @staticmethod
    def entries(kind, value):
        return [(dict(e)["key"], dict(e)["value"]) for e in value]

    @staticmethod
    def scalar(kind, value):
        name = kind[0]
        if name in INTEGERS:
            return int(value)
        if name.endswith("decimal"):
            return decimal.Decimal(value)
        if name in ("float", "double"):
            return real(kind, value)
        if name == "binary":
            return blob(value)
        if name == "date":
            return instant(value)[0]
        if name in TIMESTAMPS:
            at, zone = instant(value)
            assert zone == (name in ("timestamp", "timestamp_ns")), value
            return at
        if name == "variant":
            return json_value(value)
        return value

    @staticmethod
    def lose(kind, value):
        return finite(kind, value) if kind[0] in ("float", "double") else value


class DuckDBFile:
    """DuckDB's COPY TO of a Parquet file: numbers with their digits, NaN bare, maps as objects."""

    EMPTY_IS_NULL = False

    @staticmethod
    def entries(kind, value):
        return value

    @staticmethod
    def scalar(kind, value):
        name = kind[0]
        if name == "binary":
            return from_wkt(value) if is_wkt(value) else blob(value)
        if name in INTEGERS:
            return int(value)  # also the keys of maps, which JSON makes strings
        if name.endswith("decimal"):
            return decimal.Decimal(value)
        if name in TIMESTAMPS:
            return instant(value)[0]
        if name == "time":
            return clock(value)
        return Ours.scalar(kind, value)

    @staticmethod
    def lose(kind, value):
        if kind[0] == "binary":  # geometries are printed as text
            return from_wkb(value) or value
        return value


def double_beyond(value):
    """JavaScript reads an integer beyond 2^53 as the double next to it."""
    return value if abs(value) <= 2**53 else float(value)


def dated(value):
    """A variant whose dates and times, which JSON has as strings, compare as instants: hyparquet
    prints all of them as a JavaScript Date."""
    kind, body = value
    if kind == "object":
        return kind, tuple((k, dated(v)) for k, v in body)
    if kind == "array":
        return kind, tuple(map(dated, body))
    return ("instant", instant(body)[0]) if kind == "str" and INSTANT.fullmatch(body) else value


class Hyparquet:
    """hyparquet's toJson of its rows: JavaScript's numbers, dates and strings."""

    EMPTY_IS_NULL = False

    @staticmethod
    def entries(kind, value):
        return value

    @staticmethod
    def scalar(kind, value):
        name = kind[0]
        if name in TIMESTAMPS or name == "date":
            return instant(value)[0] if isinstance(value, str) else number(value)
        if name == "binary":
            if isinstance(value, Pairs):
                return from_geojson(value)
            return bytes(value) if isinstance(value, list) else value.encode()
        if name.endswith("decimal"):
            return float(number(value))
        if name in INTEGERS:
            return double_beyond(int(value))
        if name == "variant":
            return dated(json_value(value))
        return DuckDBFile.scalar(kind, value)

    @staticmethod
    def lose(kind, value):
        name = kind[0]
        if name in ("float", "double"):
            return finite(kind, value)
        if name.endswith("decimal"):
            # hyparquet multiplies the unscaled value, a double, with a power of ten, another.
            return float(int(value.scaleb(kind[2]))) * 10.0 ** -kind[2]
        if name in TIMESTAMPS:
            return value // 1000000 * 1000000  # a Date counts milliseconds
        if name == "binary":
            tree = from_wkb(value)
            return flat(tree) if tree else value
        if name in INTEGERS:
            return double_beyond(value)
        if name == "variant":
            return dated(value)
        return value


class HyparquetNoEmpty(Hyparquet):
    """Its rows of files where it took the empty ones among lists that cannot be null for null."""

    EMPTY_IS_NULL = True
