"""Geometries as trees, from well-known binary, well-known text and GeoJSON.

A tree is (type, dimensions, coordinates), the type in upper case, dimensions one of "", "Z", "M"
and "ZM", coordinates nested tuples of numbers as the type has them; a collection holds trees.
NaN is the word "NaN", for it to compare; an empty point has no coordinates.
"""
import re
import struct

TYPES = ("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON",
         "GEOMETRYCOLLECTION")
TOKEN = re.compile(r"\s*([A-Za-z]+|[-+0-9.eE]+|[(),])")


def _plain(x):
    return "NaN" if x != x else float(x)


class _Binary:
    """Well-known binary, ISO 19125 with the codes of Z and M."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        out = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return out

    def point(self, order, size):
        return tuple(map(_plain, self.take(f"{order}{size}d")))

    def points(self, order, size):
        return tuple(self.point(order, size) for _ in range(self.take(order + "I")[0]))

    def geometry(self):
        order = "<" if self.take("B")[0] else ">"
        code = self.take(order + "I")[0]
        kind = TYPES[code % 1000 - 1]
        dims = ("", "Z", "M", "ZM")[code // 1000]
        size = 2 + len(dims)
        if kind == "POINT":
            body = self.point(order, size)
            return kind, dims, () if set(body) == {"NaN"} else body
        if kind == "LINESTRING":
            return kind, dims, self.points(order, size)
        count = self.take(order + "I")[0]
        if kind == "POLYGON":
            return kind, dims, tuple(self.points(order, size) for _ in range(count))
        parts = tuple(self.geometry() for _ in range(count))
        return kind, dims, parts if kind == "GEOMETRYCOLLECTION" else tuple(p[2] for p in parts)


def from_wkb(data):
    """None when the bytes are no geometry from their first to their last."""
    reader = _Binary(data)
    try:
        tree = reader.geometry()
    except (struct.error, IndexError, RecursionError, MemoryError):
        return None
    return tree if reader.at == len(data) else None


class _Text:
    def __init__(self, text):
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == "".join(text.split()), f"no WKT: {text[:60]!r}"
        self.at = 0

    def take(self, *which):
        ok = self.at < len(self.tokens) and self.tokens[self.at] in which
        self.at += ok
        return self.tokens[self.at - 1] if ok else ""

    def item(self):
        if self.at < len(self.tokens) and self.tokens[self.at] in TYPES:
            return self.geometry()
        if self.tokens[self.at] == "(":
            return self.body()
        numbers = []
        while self.tokens[self.at] not in (",", ")"):
            numbers.append(_plain(float(self.tokens[self.at])))
            self.at += 1
        return tuple(numbers)

    def body(self):
        if self.take("EMPTY"):
            return ()
        assert self.take("("), self.tokens[self.at]
        items = [self.item()]
        while self.take(","):
            items.append(self.item())
        assert self.take(")"), self.tokens[self.at]
        return tuple(items)

    def geometry(self):
        kind = self.take(*TYPES)
        dims = self.take("Z", "M", "ZM")
        body = self.body()
        if kind == "POINT":
            body = body[0] if body else ()
        if kind == "MULTIPOINT":  # the points may stand in parentheses of their own
            body = tuple(p[0] if p and isinstance(p[0], tuple) else p for p in body)
        return kind, dims, body


def is_wkt(text):
    return text.startswith(TYPES)


def from_wkt(text):
    return _Text(text).geometry()


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else float(value)


def from_geojson(pairs):
    """GeoJSON has no dimensions: ""."""
    members = dict(pairs)
    kind = members["type"].upper()
    if kind == "GEOMETRYCOLLECTION":
        return kind, "", tuple(map(from_geojson, members["geometries"]))
    return kind, "", _tuples(members["coordinates"])


def flat(tree):
    """A tree as GeoJSON can say it."""
    kind, _, body = tree
    return kind, "", tuple(map(flat, body)) if kind == "GEOMETRYCOLLECTION" else body
