#!/usr/bin/env python3
"""Make Avro messages of Debezium for tests: schemas as ID.avsc, and lines of kcat -J with them.
The encoder is a few lines of the Avro specification, and knows only what is used here.

    messages.py DIR     writes DIR/1.avsc (envelope), DIR/2.avsc (key), DIR/3.avsc (rows),
                        DIR/4.avsc (bytes), DIR/<guid>.avsc, and DIR/NAME.kcat, DIR/envelope.avro
"""
import json
import os
import struct
import sys

GUID = "0f0e0d0c-0b0a-0908-0706-050403020100"


def connect(base, name=None, parameters=None, **more):
    t = {"type": base, "connect.version": 1, **more}
    if name:
        t["connect.name"] = name
    if parameters:
        t["connect.parameters"] = parameters
    return t


def optional(t):
    return ["null", t]


POINT = connect("record", "io.debezium.data.geometry.Point")
POINT.update(name="Point", namespace="io.debezium.data.geometry", fields=[
    {"name": "x", "type": "double"}, {"name": "y", "type": "double"},
    {"name": "wkb", "type": optional("bytes")}, {"name": "srid", "type": optional("int")}])

VALUE = {"type": "record", "name": "Value", "connect.name": "shop.shop.sales.Value", "fields": [
    {"name": "id", "type": "long"},
    {"name": "tiny", "type": optional({"type": "int", "connect.type": "int16"})},
    {"name": "name", "type": optional("string")},
    {"name": "price", "type": optional(connect(
        "bytes", "org.apache.kafka.connect.data.Decimal",
        {"scale": "2", "connect.decimal.precision": "7"}, logicalType="decimal", scale=2,
        precision=7))},
    {"name": "day", "type": optional(connect("int", "io.debezium.time.Date"))},
    {"name": "clock", "type": optional(connect("long", "io.debezium.time.MicroTime"))},
    {"name": "at", "type": optional(connect("long", "io.debezium.time.Timestamp"))},
    {"name": "seen", "type": optional(connect("string", "io.debezium.time.ZonedTimestamp"))},
    {"name": "bits", "type": optional(connect("bytes", "io.debezium.data.Bits", {"length": "12"}))},
    {"name": "spot", "type": optional(POINT)},
    {"name": "raw", "type": optional("bytes")},
    {"name": "ratio", "type": optional("double")},
    {"name": "flag", "type": "boolean"}]}

SOURCE = {"type": "record", "name": "Source", "namespace": "io.debezium.connector.mysql", "fields": [
    {"name": "connector", "type": "string"}, {"name": "ts_ms", "type": "long"},
    {"name": "db", "type": "string"}, {"name": "table", "type": optional("string")},
    {"name": "gtid", "type": optional("string")}, {"name": "pos", "type": "long"}]}

ENVELOPE = {"type": "record", "name": "Envelope", "namespace": "shop.shop.sales",
            "connect.name": "shop.shop.sales.Envelope", "fields": [
                {"name": "before", "type": optional(VALUE)},
                {"name": "after", "type": optional("Value")},
                {"name": "source", "type": SOURCE}, {"name": "op", "type": "string"},
                {"name": "ts_ms", "type": optional("long")}]}

KEY = {"type": "record", "name": "Key", "namespace": "shop.shop.sales",
       "fields": [{"name": "id", "type": "long"}]}

# What another program's connector sends: logical types of Avro alone.
ROW = {"type": "record", "name": "orders", "fields": [
    {"name": "id", "type": "int"},
    {"name": "due", "type": optional({"type": "int", "logicalType": "date"})},
    {"name": "sum", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 1}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["NEW", "OLD"]}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "props", "type": {"type": "map", "values": "long"}},
    {"name": "ms", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "ns", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
    {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-millis"}},
    {"name": "marked", "type": connect("long", "org.apache.kafka.connect.data.Timestamp",
                                       logicalType="timestamp-millis")}]}


def zigzag(v):
    v = (v << 1) ^ (v >> 63)
    out = b""
    while v > 0x7F:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def text(s):
    b = s.encode() if isinstance(s, str) else s
    return zigzag(len(b)) + b


def null_or(put, v):
    return zigzag(0) if v is None else zigzag(1) + put(v)


def value(r):
    def point(p):
        wkb = struct.pack("<BIdd", 1, 1, *p)
        return struct.pack("<dd", *p) + null_or(text, wkb) + null_or(zigzag, None)
    return (zigzag(r["id"]) + null_or(zigzag, r["tiny"]) + null_or(text, r["name"]) +
            null_or(text, r["price"]) + null_or(zigzag, r["day"]) + null_or(zigzag, r["clock"]) +
            null_or(zigzag, r["at"]) + null_or(text, r["seen"]) + null_or(text, r["bits"]) +
            null_or(point, r["spot"]) + null_or(text, r["raw"]) +
            null_or(lambda v: struct.pack("<d", v), r["ratio"]) + bytes([r["flag"]]))


def envelope(op, before, after):
    source = (text("mysql") + zigzag(1700000000123) + text("shop") + null_or(text, "sales") +
              null_or(text, "u-1:7") + zigzag(4711))
    return (null_or(value, before) + null_or(value, after) + source + text(op) +
            null_or(zigzag, 1700000000999))


FULL = {"id": 9007199254740993, "tiny": -7, "name": "Zoë", "price": struct.pack(">i", -12345)[1:],
        "day": 18211, "clock": -3600000001, "at": 1573441200123, "seen": "2019-11-11T05:00:00.5+02:00",
        "bits": b"\x03\x08", "spot": (1.5, -2.0), "raw": b"\x00\xff", "ratio": 0.1, "flag": 1}
EMPTY = dict.fromkeys(FULL) | {"id": 2, "flag": 0}


def confluent(number, datum):
    return struct.pack(">BI", 0, number) + datum


def quote(b):
    """Bytes as kcat -J prints them: raw, but for what JSON cannot hold."""
    if b is None:
        return b"null"
    out = b'"'
    for c in b:
        if c in b'"\\':
            out += b"\\" + bytes([c])
        else:
            out += b"\\u%04x" % c if c < 0x20 else bytes([c])
    return out + b'"'


def line(offset, payload, key=None, headers=()):
    listed = b",".join(quote(x) for h in headers for x in h)
    return (b'{"topic":"shop.shop.sales","partition":0,"offset":%d,"tstype":"create",'
            b'"ts":1700000001000,"broker":1,%s"key":%s,"payload":%s}\n' %
            (offset, b'"headers":[%s],' % listed if headers else b"", quote(key), quote(payload)))


def container(schema, data):
    meta = zigzag(2) + text("avro.schema") + text(json.dumps(schema)) + text("avro.codec") + text("null") + zigzag(0)
    body = b"".join(data)
    sync = bytes(range(16))
    return b"Obj\x01" + meta + sync + zigzag(len(data)) + zigzag(len(body)) + body + sync


def main(out):
    def write(name, data):
        with open(os.path.join(out, name), "wb") as f:
            f.write(data)

    for name, schema in ("1", ENVELOPE), ("2", KEY), ("3", ROW), ("4", "bytes"), (GUID, ENVELOPE):
        write(name + ".avsc", json.dumps(schema).encode())
    key = [confluent(2, zigzag(i)) for i in (FULL["id"], 2)]
    events = [envelope("r", None, FULL), envelope("c", None, EMPTY), envelope("u", EMPTY, EMPTY | {"name": "x"}),
              envelope("d", FULL, None)]
    keys = [key[0], key[1], key[1], key[0]]
    lines = [line(i, confluent(1, e), k) for i, (e, k) in enumerate(zip(events, keys))]
    write("events.kcat", b"".join(lines) + line(4, None, key[0]))
    write("apicurio.kcat", line(0, struct.pack(">BQ", 0, 1) + events[1], struct.pack(">BQ", 0, 2) + zigzag(2)))
    guid = bytes.fromhex(GUID.replace("-", ""))
    write("headers.kcat",
          line(0, events[1], None, [(b"__value_schema_id", b"\x01" + guid)]) +
          line(1, events[1], None, [(b"__value_schema_id", b"\x00" + struct.pack(">I", 1))]) +
          line(2, events[1], zigzag(2), [(b"apicurio.value.globalId", struct.pack(">Q", 1)),
                                         (b"apicurio.key.globalId", struct.pack(">Q", 2))]))
    row = (zigzag(7) + null_or(zigzag, 18211) + text(b"\x04\xd2") + zigzag(1573441200123456) + zigzag(1) +
           zigzag(2) + text("a") + text('b"') + zigzag(0) + zigzag(1) + text("k") + zigzag(-1) + zigzag(0) +
           zigzag(-1) + zigzag(-1) + zigzag(1573441200000) + zigzag(1573441200000))
    write("rows.kcat", line(0, confluent(3, row)))
    write("bad.kcat", line(0, confluent(1, events[0][:40])) + line(1, confluent(1, events[1] + b"x")) +
          line(2, confluent(99, events[1])) + line(3, confluent(4, b"raw")) + line(4, b"\x01\x02") +
          line(5, confluent(1, events[1]), key[1]))
    write("envelope.avro", container(ENVELOPE, events))


main(sys.argv[1])
