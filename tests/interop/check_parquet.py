#!/usr/bin/env python3
"""Check files of the Parquet writer with other programs.

    check_parquet.py DIR            check what is in DIR
    check_parquet.py TEST_PROGRAM   run test_pq_write_files with a fresh directory, check that

For each NAME.parquet with its NAME.rows (rows as JSON lines) and NAME.info (options, summary):
rows as pyarrow and DuckDB read them; the footer, every page header, checksum, encoding count and
size, by a Thrift reader of this script's own; statistics, column indexes and offset indexes
against the rows of their row groups and pages. Prints one line a file; exit 1 on any difference.
"""
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from decimal import localcontext

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED = range(8)
DECIMAL, TIME, TIMESTAMP, INTEGER = 5, 7, 8, 10
UNIT_NS = {1: 1000000, 2: 1000, 3: 1}
ARROW_NS = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}


class Bad(Exception):
    pass


def need(condition, *what):
    if not condition:
        raise Bad(" ".join(str(w) for w in what))


# ------------------------------------------------------------------------ thrift


class Thrift:
    """Compact protocol: structs as {field id: value}, lists as lists."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 0x7F) << shift
            shift += 7
            if not b & 0x80:
                return value

    def zigzag(self):
        v = self.varint()
        return v >> 1 ^ -(v & 1)

    def value(self, kind):
        if kind in (1, 2):
            return self.byte() == 1
        if kind == 3:
            return struct.unpack("b", bytes([self.byte()]))[0]
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 8:
            n = self.varint()
            self.at += n
            return bytes(self.data[self.at - n : self.at])
        if kind == 9:
            head = self.byte()
            n = self.varint() if head >> 4 == 15 else head >> 4
            return [self.value(head & 15) for _ in range(n)]
        need(kind == 12, "thrift type", kind)
        return self.struct()

    def struct(self):
        out, last = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return out
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            kind = head & 15
            out[last] = kind == 1 if kind in (1, 2) else self.value(kind)


# ------------------------------------------------------------- schema and values


class Node:
    def __init__(self, elements, max_def=0, max_rep=0, root=True):
        e = elements.pop(0)
        self.name = e[4].decode()
        self.type, self.length = e.get(1), e.get(2)
        self.repetition = 0 if root else e[3]
        self.logical = next(iter(e.get(10, {}).items()), (None, {}))
        self.converted, self.scale, self.precision = e.get(6), e.get(7, 0), e.get(8)
        self.field_id = e.get(9)
        self.max_def = max_def + (self.repetition != 0)
        self.max_rep = max_rep + (self.repetition == 2)
        self.children = [Node(elements, self.max_def, self.max_rep, False) for _ in range(e.get(5, 0))]

    def leaves(self, path=()):
        here = path + (self.name,)
        if self.type is not None:
            yield here[1:], self
        for c in self.children:
            yield from c.leaves(here)

    @property
    def unsigned(self):
        return self.logical[0] == INTEGER and not self.logical[1][2]

    def decode(self, text):
        """A value of the rows file as a Python value that compares in the column's order."""
        if self.type in (FLOAT, DOUBLE):
            return float("nan") if text == "nan" else float.fromhex(text)
        if not isinstance(text, str):
            return text
        raw = bytes.fromhex(text)
        if self.logical[0] == DECIMAL:
            return int.from_bytes(raw, "big", signed=True)
        if self.type == INT96:
            nanos, day = struct.unpack("<QI", raw)
            return (day - 2440588) * 86400 * 10**9 + nanos
        return raw

    def plain(self, raw):
        """A bound in the file's form, likewise."""
        if self.type == BOOLEAN:
            need(raw in (b"\0", b"\1"), "boolean bound", raw)
            return raw == b"\1"
        if self.type in (INT32, INT64):
            need(len(raw) == (4 if self.type == INT32 else 8), "length of bound", raw)
            return int.from_bytes(raw, "little", signed=not self.unsigned)
        if self.type in (FLOAT, DOUBLE):
            return struct.unpack("<f" if self.type == FLOAT else "<d", raw)[0]
        if self.logical[0] == DECIMAL:
            return int.from_bytes(raw, "big", signed=True)
        return raw


def shred(node, value, out):
    """Append the slots of one row to out[leaf]: values, or None where there is none."""
    if node.repetition == 2:
        for v in value or []:
            content(node, v, out)
        if not value:
            absent(node, out)
    elif value is None:
        absent(node, out)
    else:
        content(node, value, out)


def content(node, value, out):
    if node.type is not None:
        out[node.ordinal].append(node.decode(value))
    for c in node.children:
        shred(c, value[c.name], out)


def absent(node, out):
    for _, leaf in node.leaves():
        out[leaf.ordinal].append(None)


# ------------------------------------------------------------------------ rows


def same_bits(a, b):
    return struct.pack("<d", a) == struct.pack("<d", b) or (a != a and b != b)


def expected(node, value, other):
    """A JSON value in the form that from_arrow gives."""
    if node.repetition == 2:
        return [expected_content(node, v, other) for v in value]
    return None if value is None else expected_content(node, value, other)


def expected_content(node, value, other):
    if node.type is None:
        if len(node.children) == 1 and node.children[0].name == "list":
            return [e["element"] for e in expected(node.children[0], value["list"], other)]
        if len(node.children) == 1 and node.children[0].name == "key_value":
            return [(e["key"], e["value"]) for e in expected(node.children[0], value["key_value"], other)]
        return {c.name: expected(c, value[c.name], other) for c in node.children}
    v = node.decode(value)
    if node.logical[0] in (TIME, TIMESTAMP):
        return v * UNIT_NS[next(iter(node.logical[1][2]))]
    if node.type == INT96 and other == "duckdb":
        return v // 1000 * 1000
    return v


def from_arrow(array, other):
    """A column as Python values: times and timestamps in ns, decimals unscaled, text as bytes."""
    t = array.type
    if isinstance(array, pa.ChunkedArray):
        return [v for chunk in array.chunks for v in from_arrow(chunk, other)]
    if isinstance(t, pa.BaseExtensionType):
        return from_arrow(array.storage, other)
    if pa.types.is_timestamp(t) or pa.types.is_time(t):
        ints = array.cast(pa.int32() if pa.types.is_time32(t) else pa.int64())
        return [None if v is None else v * ARROW_NS[t.unit] for v in ints.to_pylist()]
    if pa.types.is_date32(t):
        return array.cast(pa.int32()).to_pylist()
    if pa.types.is_decimal(t):
        with localcontext() as c:
            c.prec = 80
            return [None if v is None else int(v.scaleb(t.scale)) for v in array.to_pylist()]
    if pa.types.is_string(t) or pa.types.is_large_string(t):
        return [None if v is None else v.encode() for v in array.to_pylist()]
    if pa.types.is_struct(t):
        fields = [from_arrow(array.field(i), other) for i in range(t.num_fields)]
        names = [t.field(i).name for i in range(t.num_fields)]
        valid = array.is_valid().to_pylist()
        return [dict(zip(names, (f[i] for f in fields))) if valid[i] else None for i in range(len(array))]
    if pa.types.is_map(t):
        keys, items = from_arrow(array.keys, other), from_arrow(array.items, other)
        return nest(array, list(zip(keys, items)))
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        return nest(array, from_arrow(array.values, other))
    return array.to_pylist()


def nest(array, values):
    offsets, valid = array.offsets.to_pylist(), array.is_valid().to_pylist()
    return [values[offsets[i] : offsets[i + 1]] if valid[i] else None for i in range(len(array))]


def equal(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return same_bits(a, b)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


def uuids(values):
    return [None if v is None else bytes.fromhex(v.decode().replace("-", "")) if len(v) == 36 else v for v in values]


def check_rows(schema, rows, table, other):
    need(table.num_rows == len(rows), other, "reads", table.num_rows, "rows")
    for i, c in enumerate(schema.children):
        got = from_arrow(table.column(i), other)
        got = uuids(got) if c.name == "uuid" else got
        for k, (row, value) in enumerate(zip(rows, got)):
            want = expected(c, row[c.name], other)
            need(equal(want, value), other, "row", k, c.name, "wanted", want, "got", value)


# ----------------------------------------------------------------------- statistics


def check_bounds(leaf, values, low, high, low_exact, high_exact, where):
    """Bounds (None: absent) against the values of a page or chunk."""
    present = [v for v in values if v is not None]
    if not present or leaf.type == INT96 or nans(present):
        need(low is None and high is None, where, "bounds of nothing, or with NaN", low, high)
        return
    least, most = min(present), max(present)
    if low is None:
        text = leaf.type == BYTE_ARRAY and leaf.logical[0] != DECIMAL
        need(text and max(len(least), len(most)) > 4096, where, "no bounds")
        return
    a, b = leaf.plain(low), leaf.plain(high)
    need(a == least if low_exact else a < least, where, "min", a, "of", least, low_exact)
    need(b == most if high_exact else b > most, where, "max", b, "of", most, high_exact)
    if not low_exact:
        need(len(low) <= 64 and len(least) > 64 and least.startswith(a), where, "cut min", a)
    if not high_exact:
        need(len(high) <= 64 and len(most) > 64, where, "cut max", b)
    if leaf.type == BYTE_ARRAY and leaf.logical[0] == 1:
        a.decode(), b.decode()
    if leaf.type in (FLOAT, DOUBLE):
        need(a != 0 or math.copysign(1, a) < 0, where, "min", a)
        need(b != 0 or math.copysign(1, b) > 0, where, "max", b)


def nans(values):
    return sum(1 for v in values if v is not None and v != v)


def nulls(values):
    return sum(1 for v in values if v is None)


def check_order(leaf, lows, highs, order, where):
    pairs = [(leaf.plain(a), leaf.plain(b)) for a, b in zip(lows, highs)]
    up = all(p[0] <= q[0] and p[1] <= q[1] for p, q in zip(pairs, pairs[1:]))
    down = all(p[0] >= q[0] and p[1] >= q[1] for p, q in zip(pairs, pairs[1:]))
    need(order == (1 if up else 2 if down else 0), where, "boundary order", order)


# ----------------------------------------------------------------------------- pages


def read_pages(data, meta):
    """Walk the chunk: header, place, size with header of each page; checks checksums."""
    start = meta.get(11) or meta[9]
    at, pages = start, []
    while at < start + meta[7]:
        t = Thrift(data, at)
        header = t.struct()
        body = data[t.at : t.at + header[3]]
        need(zlib.crc32(body) == header[4] & 0xFFFFFFFF, "crc at", at)
        need(meta[4] != 0 or header[2] == header[3], "sizes at", at)
        pages.append((at, t.at + header[3] - at, header))
        at = t.at + header[3]
    need(at == start + meta[7], "chunk ends at", at)
    return pages


def check_chunk(data, info, leaf, path, chunk, values, starts, tally):
    """values: the slots of the row group; starts: the first slot of each row."""
    meta = chunk[3]
    where = ".".join(path)
    need(chunk[2] == 0 and meta[1] == leaf.type, where, "chunk")
    need([p.decode() for p in meta[3]] == list(path), where, "path", meta[3])
    need(meta[4] in (0, info["codec"]), where, "codec", meta[4])
    need(meta[5] == len(values), where, "num_values", meta[5], len(values))
    pages = read_pages(data, meta)
    raw = sum(size - h[3] + h[2] for _, size, h in pages)
    need(meta[6] == raw, where, "total_uncompressed_size", meta[6], raw)
    bodies = sum(h[2] for _, _, h in pages), sum(h[3] for _, _, h in pages)
    need(meta[4] == 0 or bodies[0] >= bodies[1] * 1.05 - 1e-6, where, "compressed for nothing", bodies)
    counted, used = {}, {3}
    for _, _, h in pages:
        encoding = h[7][2] if h[1] == 2 else h[5][2]
        counted[(h[1], encoding)] = counted.get((h[1], encoding), 0) + 1
        used.add(encoding)
    need({(e[1], e[2]): e[3] for e in meta[13]} == counted, where, "encoding_stats", meta[13])
    need(sorted(meta[2]) == sorted(used), where, "encodings", meta[2])
    need((11 in meta) == (pages[0][2][1] == 2), where, "dictionary offset")
    for key in counted:
        tally[key] = tally.get(key, 0) + 1
    data_pages = [p for p in pages if p[2][1] == 0]
    need(meta[9] == data_pages[0][0], where, "data_page_offset")

    stats = meta[12]
    need(stats[3] == nulls(values), where, "null_count", stats[3])
    need(stats.get(9) == (nans(values) if leaf.type in (FLOAT, DOUBLE) else None), where, "nan_count")
    check_bounds(leaf, values, stats.get(6), stats.get(5), stats.get(8), stats.get(7), where)

    offsets = Thrift(data, chunk[4]).struct()[1]
    need([(o[1], o[2]) for o in offsets] == [p[:2] for p in data_pages], where, "offset index")
    need(offsets[0][3] == 0, where, "first row of the first page")
    rows = [o[3] for o in offsets] + [len(starts)]
    per_page = []
    for k, (_, _, h) in enumerate(data_pages):
        need(0 < rows[k + 1] - rows[k] <= info["page_rows"], where, "rows of page", k)
        low = starts[rows[k]]
        high = starts[rows[k + 1]] if rows[k + 1] < len(starts) else len(values)
        need(h[5][1] == high - low, where, "num_values of page", k)
        per_page.append(values[low:high])
    if 6 not in chunk:
        hopeless = [nans(p) > 0 for p in per_page]
        long = [any(isinstance(v, bytes) and len(v) > 4096 for v in p) for p in per_page]
        need(leaf.type == INT96 or any(hopeless) or any(long), where, "no column index")
        return
    index = Thrift(data, chunk[6]).struct()
    need(all(len(index[i]) == len(data_pages) for i in (1, 2, 3, 5)), where, "column index lists")
    need(index[5] == [nulls(p) for p in per_page], where, "null_counts", index[5])
    if leaf.type in (FLOAT, DOUBLE):
        need(index[8] == [nans(p) for p in per_page], where, "nan_counts", index[8])
    for k, page in enumerate(per_page):
        empty = all(v is None for v in page)
        need(index[1][k] == empty, where, "null_pages", k)
        if empty:
            need(index[2][k] == index[3][k] == b"", where, "bounds of a null page")
            continue
        least = min(v for v in page if v is not None and v == v)
        most = max(v for v in page if v is not None and v == v)
        cut = isinstance(least, bytes) and leaf.type == BYTE_ARRAY
        low_exact = not cut or len(least) <= 64
        high_exact = not cut or len(most) <= 64 or leaf.plain(index[3][k]) == most
        check_bounds(leaf, page, index[2][k], index[3][k], low_exact, high_exact, where + " page %d" % k)
    live = [k for k in range(len(per_page)) if not index[1][k]]
    check_order(leaf, [index[2][k] for k in live], [index[3][k] for k in live], index[4], where)


def check_summary(leaf, summary, values, where):
    need(summary["num_values"] == len(values), where, "summary num_values")
    need(summary["null_count"] == nulls(values), where, "summary null_count")
    present = [v for v in values if v is not None]
    bounded = present and not nans(present) and leaf.type != INT96
    need(("min" in summary) == bool(bounded), where, "summary bounds")
    if bounded:
        low, high = leaf.decode(summary["min"]), leaf.decode(summary["max"])
        need((low, high) == (min(present), max(present)), where, "summary", low, high)


def check_footer(data, info, rows, tally):
    need(data[:4] == b"PAR1" and data[-4:] == b"PAR1", "magic")
    need(len(data) == info["file_bytes"], "file_bytes")
    length = struct.unpack("<I", data[-8:-4])[0]
    t = Thrift(data, len(data) - 8 - length)
    meta = t.struct()
    need(t.at == len(data) - 8, "footer length")
    need(meta[1] == 1, "version", meta[1])
    need(meta[3] == len(rows) == info["num_rows"], "num_rows", meta[3])
    # How parquet-mr parses it; binary statistics count for nothing when it cannot.
    need(re.fullmatch(r"(.*?)\s+version\s*(?:([^(]*?)\s*(?:\(\s*build\s*([^)]*?)\s*\))?)?", meta[6].decode()),
         "created_by", meta[6])
    schema = Node(list(meta[2]))
    leaves = list(schema.leaves())
    need(meta[7] == [{1: {}}] * len(leaves), "column_orders")
    for i, (_, leaf) in enumerate(leaves):
        leaf.ordinal = i
    need(len(rows) > 0 or meta[4] == [], "row groups of an empty file")
    done, everything = 0, [[] for _ in leaves]
    for ordinal, group in enumerate(meta[4]):
        part = rows[done : done + group[3]]
        need(0 < group[3] <= info["row_group_rows"], "rows of group", group[3])
        done += group[3]
        slots = [[] for _ in leaves]
        starts = [[] for _ in leaves]
        for row in part:
            for s, v in zip(starts, slots):
                s.append(len(v))
            content(schema, row, slots)
        for i, (path, leaf) in enumerate(leaves):
            check_chunk(data, info, leaf, path, group[1][i], slots[i], starts[i], tally)
            everything[i] += slots[i]
        metas = [c[3] for c in group[1]]
        need(group[2] == sum(m[6] for m in metas), "total_byte_size")
        need(group[6] == sum(m[7] for m in metas), "total_compressed_size")
        need(group[5] == (metas[0].get(11) or metas[0][9]), "file_offset of group")
        need(group[7] == ordinal, "ordinal")
    need(done == len(rows), "rows of all groups", done)
    for i, (path, leaf) in enumerate(leaves):
        check_summary(leaf, info["leaf"][i], everything[i], ".".join(path))
    return schema, len(meta[4])


CONVERTED = {  # of the columns of the flat test files: (converted, logical)
    "i8": (15, 10), "i16": (16, 10), "u8": (11, 10), "u16": (12, 10), "u32": (13, 10), "u64": (14, 10),
    "dec7": (5, 5), "dec18": (5, 5), "dec20": (5, 5), "dec38": (5, 5), "decbytes": (5, 5),
    "string": (0, 1), "json": (19, 12), "uuid": (None, 14), "date": (6, 6), "time_ms": (7, 7),
    "time_us": (None, 7), "ts": (10, 8), "ts_ntz": (None, 8), "ts_ms": (9, 8), "ts_ns": (None, 8),
}


def check_schema(schema, arrow):
    if schema.children[0].name != "bool":
        return
    for i, c in enumerate(schema.children):
        need((c.converted, c.logical[0]) == CONVERTED.get(c.name, (None, None)), "types of", c.name)
        need(c.field_id == (100 + i if i % 2 == 0 else None), "field id of", c.name)
    types = {f.name: f.type for f in arrow}
    need(types["ts"] == pa.timestamp("us", "UTC") and types["ts_ntz"] == pa.timestamp("us"), "timestamps")
    need(types["dec38"] == pa.decimal128(38, 10) and types["dec7"] == pa.decimal128(7, 2), "decimals")


def check_file(base):
    with open(base + ".parquet", "rb") as f:
        data = f.read()
    with open(base + ".rows") as f:
        rows = [json.loads(line) for line in f]
    with open(base + ".info") as f:
        info = json.load(f)
    tally = {}
    schema, groups = check_footer(data, info, rows, tally)
    check_schema(schema, pq.read_schema(base + ".parquet"))
    if info["codec"] != 5:  # pyarrow reads Hadoop's framing, DuckDB does not
        table = duckdb.sql("select * from read_parquet('%s')" % (base + ".parquet")).to_arrow_table()
        check_rows(schema, rows, table, "duckdb")
    table = pq.ParquetFile(base + ".parquet", page_checksum_verification=True).read()
    check_rows(schema, rows, table, "pyarrow")
    kinds = ", ".join("%s %d" % ({(2, 0): "dictionary", (0, 0): "plain", (0, 8): "indexed"}[k], n)
                      for k, n in sorted(tally.items()))
    return "%d rows, %d row groups; chunks with pages: %s" % (len(rows), groups, kinds or "none")


def main():
    target = sys.argv[1]
    scratch = None
    duckdb.sql("set timezone='UTC'")
    if not os.path.isdir(target):
        scratch = tempfile.TemporaryDirectory()
        subprocess.run([target], env=dict(os.environ, CDC_PQ_DIR=scratch.name), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        target = scratch.name
    names = sorted(n[:-8] for n in os.listdir(target) if n.endswith(".parquet"))
    bad = 0
    for name in names:
        try:
            print("ok %s: %s" % (name, check_file(os.path.join(target, name))))
        except Bad as e:
            bad += 1
            print("not ok %s: %s" % (name, e))
    print("%d files, %d bad" % (len(names), bad))
    sys.exit(1 if bad or not names else 0)


main()
