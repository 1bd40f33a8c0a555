#!/usr/bin/env python3
"""Rewrite a MariaDB binlog (standard input) so that its XA transactions begin as MySQL logs them:
with a statement XA START instead of a flag of the GTID event. A transaction whose first name is
"one" is ended by its XA_PREPARE event, as XA COMMIT ... ONE PHASE is there."""
import struct
import sys
import zlib

QUERY, XA_PREPARE, MARIADB_GTID = 2, 38, 162
STANDALONE, PREPARED_XA = 1, 64


def event(head, kind, body):
    data = head[:4] + bytes([kind]) + head[5:9] + struct.pack("<I", 19 + len(body) + 4) + head[13:19] + body
    return data + struct.pack("<I", zlib.crc32(data))


def statement(text):
    return struct.pack("<IIBHH", 1, 0, 0, 0, 0) + b"\0" + text.encode()


log = sys.stdin.buffer.read()
out = sys.stdout.buffer
out.write(log[:4])
at = 4
while at < len(log):
    n = struct.unpack_from("<I", log, at + 9)[0]
    head, body = log[at:at + 19], log[at + 19:at + n - 4]
    kind = head[4]
    if kind == MARIADB_GTID and body[12] & PREPARED_XA:
        # The name of the transaction: format, lengths of its two parts, the parts.
        form, g, b = struct.unpack_from("<IBB", body, 13)
        parts = body[19:19 + g + b]
        out.write(event(head, kind, body[:12] + bytes([body[12] & ~PREPARED_XA | STANDALONE])))
        out.write(event(head, QUERY, statement(f"XA START X'{parts[:g].hex()}',X'{parts[g:].hex()}',{form}")))
    elif kind == XA_PREPARE and body[13:16] == b"one":
        out.write(event(head, kind, b"\1" + body[1:]))
    elif not (kind == QUERY and b"XA COMMIT X'6f6e65'" in body):
        out.write(log[at:at + n])
    at += n
