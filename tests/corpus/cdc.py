#!/usr/bin/env python3
"""Prove that messages of other programs decode to the rows that they hold, or are refused with the
reason that cdc_refused.tsv gives. What a message holds is read here by a few lines a dialect, from
its own text. Speaks TAP; the samples are looked for in $CDC_CORPUS (else ../shared/corpus beside the
project), and without them the tests are skipped.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(os.environ.get("CDC_CORPUS") or
                    os.path.join(HERE, "../../../shared/corpus"), "cdc")
DECODE = os.path.join(os.path.abspath(os.environ.get("BUILD", "build")), "cdc-decode")
# Types whose canonical text may differ from the message's: values of them are not compared.
OTHER_TEXT = ("float", "real", "double", "time", "enum", "set", "bin", "blob", "point", "geom",
              "line", "polygon", "multi", "bit")


class Text(str):
    """A number, by its digits."""


def load(text):
    """All JSON documents in a text."""
    decoder = json.JSONDecoder(parse_float=Text, parse_int=Text)
    docs, at = [], 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return docs
        doc, at = decoder.raw_decode(text, at)
        docs.append(doc)


def plain(row, keep=lambda name: True):
    """A row's values that are text or numbers as they stand."""
    return {k: v for k, v in (row or {}).items()
            if keep(k) and (v is None or isinstance(v, str))}


def canal(m):
    if m["isDdl"] or not m.get("data") and not m.get("old"):
        return
    def same(name):
        return not any(t in (m.get("mysqlType") or {}).get(name, "").lower() for t in OTHER_TEXT)
    rows = m["data"] or m["old"]
    for row, old in zip(rows, (m.get("old") or []) + [None] * len(rows)):
        image = plain(row, same)
        before = {**image, **plain(old, same)}
        kind = {"ROW": "INSERT"}.get(m["type"], m["type"])
        yield (f"{m['database']}.{m['table']}", kind,
               {} if kind in ("INSERT", "INIT") else before if kind == "UPDATE" else image,
               {} if kind == "DELETE" else image)


def maxwell(m):
    kind = {"insert": "INSERT", "update": "UPDATE", "delete": "DELETE",
            "bootstrap-insert": "INIT"}.get(m["type"])
    if kind:
        image = plain(m["data"])
        yield (f"{m['database']}.{m['table']}", kind,
               {} if kind in ("INSERT", "INIT") else
               {**image, **plain(m.get("old"))} if kind == "UPDATE" else image,
               {} if kind == "DELETE" else image)


def debezium(m):
    typed = "schema" in m and "payload" in m
    p = m["payload"] if typed else m
    if p is None:
        return
    kind = {"c": "INSERT", "r": "INIT", "u": "UPDATE", "d": "DELETE"}[p["op"]]
    typed, bare = typed and m["schema"] is not None, set()
    if typed:
        for f in m["schema"]["fields"]:
            if f["field"] in ("before", "after"):
                bare |= {c["field"] for c in f["fields"]
                         if "name" not in c and c["type"] not in ("float", "double", "bytes")}
    def keep(name):
        return not typed or name in bare
    yield (f"{p['source']['db']}.{p['source']['table']}", kind, plain(p["before"], keep),
           plain(p["after"], keep))


def ogg(m):
    kind = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}[m["op_type"]]
    yield (m["table"], kind, {} if kind == "INSERT" else plain(m.get("before")),
           {} if kind == "DELETE" else plain(m.get("after")))


def dms(m):
    meta = m["metadata"]
    kind = {"load": "INIT", "insert": "INSERT", "update": "UPDATE",
            "delete": "DELETE"}.get(meta["operation"])
    if meta["record-type"] != "data":
        return
    image = plain(m["data"], lambda name: not name.startswith("BI_"))
    before = {k[3:]: v for k, v in plain(m["data"]).items() if k.startswith("BI_")}
    yield (f"{meta['schema-name']}.{meta['table-name']}", kind,
           image if kind == "DELETE" else before, {} if kind == "DELETE" else image)


def dataworks(m):
    source, p = m["schema"]["source"], m["payload"]
    same = {c["name"] for c in m["schema"]["dataColumn"] if c["type"] in ("LONG", "STRING")}
    kind = {"INSERT": "INIT" if p["sequenceId"] == "-1" else "INSERT", "DELETE": "DELETE",
            "UPDATE_AFTER": "UPDATE"}[p["op"]]
    yield (f"{source['dbName']}.{source['tableName']}", kind,
           plain((p["before"] or {}).get("dataColumn"), same.__contains__),
           plain((p["after"] or {}).get("dataColumn"), same.__contains__))


DIALECTS = {"canal": canal, "ticdc": canal, "maxwell": maxwell, "debezium": debezium, "ogg": ogg,
            "aws-dms": dms, "dataworks-aliyun-json": dataworks}


def same_rows(want, got):
    """What is wrong, or None. Images are compared in the columns that are told."""
    if [w[:2] for w in want] != [g[:2] for g in got]:
        return f"rows {[w[:2] for w in want]}, got {[g[:2] for g in got]}"
    for w, g in zip(want, got):
        for image_want, image_got in zip(w[2:], g[2:]):
            bad = {k: (v, image_got.get(k, "absent")) for k, v in image_want.items()
                   if image_got.get(k, "absent") != v}
            if bad:
                return f"{w[0]}: {bad}"
            if bool(image_want) != bool(image_got):
                return f"{w[0]}: an image is {'missing' if image_want else 'there'}"
    return None


def check(path, dialect, refused):
    run = subprocess.run([DECODE, os.path.join(DATA, path)], capture_output=True, text=True)
    if path in refused:
        if run.returncode == 0 or refused[path] not in run.stderr:
            return f"not refused with {refused[path]!r}: {run.returncode} {run.stderr}"
        return None
    if run.returncode != 0:
        return run.stderr
    if dialect not in DIALECTS:
        return "there is nothing to compare it with"
    records = [json.loads(line) for line in run.stdout.splitlines()]
    got = [(r["dbTable"], r["recordType"], r["beforeImages"], r["afterImages"])
           for r in records if "fields" in r]
    with open(os.path.join(DATA, path), encoding="utf-8") as f:
        want = [row for m in load(f.read()) for row in DIALECTS[dialect](m)]
    return same_rows(want, got)


def main():
    if not os.path.isdir(DATA):
        print("1..1\nok 1 - messages of other programs # skip no corpus: 0 cases ran")
        return 0
    with open(os.path.join(HERE, "cdc_refused.tsv"), encoding="utf-8") as f:
        refused = dict(line.rstrip("\n").split("\t") for line in f if not line.startswith("#"))
    paths = sorted(os.path.relpath(os.path.join(d, name), DATA)
                   for d, _, names in os.walk(DATA) for name in names)
    # Binlogs and text imports have tests of their own.
    paths = [p for p in paths if p.split("/")[0] not in ("binlog", "sqoop")]
    failed = 0
    print(f"1..{len(paths)}")
    for n, path in enumerate(paths, 1):
        bad = check(path, path.split("/")[0], refused)
        failed += bad is not None
        print(f"{'not ' if bad else ''}ok {n} - {path}" +
              (" is refused" if path in refused else ""))
        if bad:
            print("# " + bad.replace("\n", "\n# "))
    return 1 if failed else 0


sys.exit(main())
