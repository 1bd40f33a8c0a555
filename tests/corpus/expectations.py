"""The cases of the corpus, and the rows that other programs found in each.

delta/dat, delta/golden: DuckDB's rows beside the table. delta/cdf: the change feed in _expected,
applied from the first version on, gives the rows of each version. parquet/apache: DuckDB's rows in
expected/; files that DuckDB could not read have the rows of another file of the same contents.
parquet/hyparquet: its own rows beside each file. by_hand.ndjson: tables of a few rows without any
of these, in DuckDB's typed voice. Whatever has none must be read to its end or be refused; in
parquet/fuzz any outcome but a crash is right.
"""
import collections
import dataclasses
import functools
import glob
import gzip
import json
import os
import re
from decimal import Decimal
from typing import Callable, Optional

import voices
from values import Pairs, decode

HERE = os.path.dirname(os.path.abspath(__file__))

# What DuckDB 1.5 does not read, and the file with the same rows: the *lz4_compressed files hold the
# same four, those of *_larger the same ten thousand (the README of parquet-testing).
SAME_ROWS = {
    "data/hadoop_lz4_compressed": "data/lz4_raw_compressed",
    "data/non_hadoop_lz4_compressed": "data/lz4_raw_compressed",
    "data/hadoop_lz4_compressed_larger": "data/lz4_raw_compressed_larger",
    # One file in two codings (Impala's).
    "data/alltypes_tiny_pages_plain": "data/alltypes_tiny_pages",
}
# Rows by hyparquet, which has the file too: DuckDB reads byte stream splits of floats alone, and
# no rows of the other.
BY_HYPARQUET = ("data/byte_stream_split_extended.gzip", "data/repeated_no_annotation")


@dataclasses.dataclass
class Case:
    name: str
    path: str
    version: Optional[int] = None
    expected: Optional[Callable] = None  # kind of the rows -> rows, decoded
    voice: type = voices.DuckDB
    ordered: bool = False
    any_outcome: bool = False


def _parse(text):
    return json.loads(text, parse_float=Decimal, parse_constant=Decimal,
                      object_pairs_hook=Pairs)


def _lines(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as f:
        return f.read().splitlines()


# ------------------------------------------------------------------ Delta

def _duckdb_table(path, kind):
    first, *lines = _lines(path)
    header = dict(_parse(first))
    names = [n for n, _ in header["_schema"]]
    assert sorted(names) == sorted(n for n, _ in kind[1]), f"columns {names} are expected"
    assert header["_rows"] == len(lines), path
    return [decode(kind, _parse(line), voices.DuckDB) for line in lines]


# Spark wrote this table's partition values in the local time of its machine, Los Angeles in
# September, which the log does not tell; the protocol makes them UTC, seven hours earlier.
LOCAL_PARTITIONS = {"golden/data-reader-partition-values": ("as_timestamp", 7 * 3600 * 10**9)}


def _as_utc(column, offset, path, kind):
    """A table whose column DuckDB knows as instants, as its partition values say it."""
    at = [n for n, _ in kind[1]].index(column)
    return [row[:at] + (None if row[at] is None else row[at] - offset,) + row[at + 1:]
            for row in _duckdb_table(path, kind)]


def _tables(folder):
    """Every table below, by its name there."""
    for log in sorted(glob.glob(f"{glob.escape(folder)}/**/_delta_log", recursive=True)):
        path = os.path.dirname(log)
        yield re.sub(r"/delta$", "", os.path.relpath(path, folder)), path


def _feed_value(text, kind):
    if text == "":
        return None
    if kind[0] == "boolean":
        return text == "true"
    return voices.DuckDB.scalar(kind, Decimal(text) if kind[0] in ("float", "double") else text)


def _feed(path, heading):
    """The rows of the first block whose heading holds the text, as a dict each."""
    block = next(b for b in "\n".join(_lines(path)).split("\n## ")[1:]
                 if heading in b.split("\n")[0])
    rows = [[c.strip() for c in line.strip("|").split("|")]
            for line in block.split("\n") if line.startswith("|")]
    return [dict(zip(rows[0], r)) for r in rows[1:]]


def _replay(path, heading, base, version, kind):
    """The rows at a version: those of base, and the changes since."""
    rows = collections.Counter(
        decode(kind, Pairs(zip((n for n, _ in kind[1]), r)), voices.DuckDB) for r in base)
    for change in _feed(path, heading):
        if int(change["_commit_version"]) <= version:
            row = tuple(_feed_value(change[n], k) for n, k in kind[1])
            rows[row] += 1 if change["_change_type"] in ("insert", "update_postimage") else -1
    assert min(rows.values(), default=0) >= 0, "the feed takes away what is not there"
    return list(rows.elements())


# Table, heading of its block, rows before the block begins, versions that it tells.
FEEDS = (
    ("cdf-table", '"cdf-table", 0', (), range(4)),
    ("cdf-table-with-dv", "cdf_with_deletion_vector", (), range(7)),
    # Version 2 has change files and no data files.
    ("cdf-table-simple", '"cdf-table-simple", 0, 2', (), range(2)),
    ("cdf-table-partitioned", '"cdf-table-partitioned", 0, 2', (), range(3)),
    ("cdf-table-delete-conditional-two-rows", "conditional_delete_two_rows", (), range(2)),
    ("cdf-column-mapping-name-mode", '"cdf-column-mapping-name-mode", 1',
     ((1, "Alice", 100), (2, "Bob", 200), (3, "Charlie", 300)), range(1, 5)),
)


def _feed_at(corpus, feed, version):
    _, heading, base, _ = feed
    path = f"{corpus}/delta/cdf/_expected/kernel-rs-cdf.txt"
    return functools.partial(_replay, path, heading, base, version)


def _last_of_feed(corpus, name):
    """For a table without any other expectation."""
    feeds = [f for f in FEEDS if f"cdf/{f[0]}" == name]
    return _feed_at(corpus, feeds[0], feeds[0][3][-1]) if feeds else None


def _by_hand():
    return {d["case"]: d["rows"] * d.get("times", 1)
            for d in map(json.loads, _lines(f"{HERE}/by_hand.ndjson"))}


def _hand_rows(rows, kind):
    names = [n for n, _ in kind[1]]
    return [decode(kind, _parse(json.dumps(dict(zip(names, r, strict=True)))), voices.DuckDB)
            for r in rows]


def _decimals(_):
    """golden/parquet-decimal-type, as Delta's GoldenTables.scala makes it."""
    for i in range(99998):
        n = -i if i % 33 == 0 else i
        if i % 85 == 0:
            yield i, Decimal(i).scaleb(-1), Decimal(i), Decimal(i)
        else:
            yield (i, Decimal(n).scaleb(-1), Decimal(n * 100001).scaleb(-5),
                   Decimal(n * 100001**3).scaleb(-5))


def _hand_expectation(hand, name):
    if name == "delta/golden/parquet-decimal-type":
        return _decimals
    rows = hand.pop(name, None)
    return None if rows is None else functools.partial(_hand_rows, rows)


def _delta(corpus, hand):
    for name, path in _tables(f"{corpus}/delta"):
        beside = glob.glob(f"{glob.escape(path)}/../expected.ndjson")
        beside += sorted(glob.glob(f"{glob.escape(path)}/../expected/*.ndjson"))
        for file in beside:
            at = re.search(r"/v(\d+)\.ndjson$", file)
            expected = functools.partial(_duckdb_table, file)
            if name in LOCAL_PARTITIONS:
                expected = functools.partial(_as_utc, *LOCAL_PARTITIONS[name], file)
            yield Case(f"delta/{name}" + (f"@{at[1]}" if at else ""), path,
                       int(at[1]) if at else None, expected)
        if not beside:
            yield Case(f"delta/{name}", path, expected=_hand_expectation(hand, f"delta/{name}")
                       or _last_of_feed(corpus, name))
    for feed in FEEDS:
        name, _, _, versions = feed
        for v in versions:
            yield Case(f"delta/cdf/{name}@{v}", f"{corpus}/delta/cdf/{name}", v,
                       _feed_at(corpus, feed, v))


# ------------------------------------------------------------------ Parquet

def _duckdb_file(path, kind):
    return [decode(kind, _parse(line), voices.DuckDBFile) for line in _lines(path)]


def _hyparquet_file(path, kind):
    names = [n for n, _ in kind[1]]
    rows = _parse("\n".join(_lines(path)))
    assert all(len(r) == len(names) for r in rows), f"{len(names)} columns"
    return [decode(kind, Pairs(zip(names, r)), voices.Hyparquet) for r in rows]


def _apache(corpus, hand):
    folder = f"{corpus}/parquet/apache"
    for path in sorted(glob.glob(f"{folder}/*data/**/*.parquet*", recursive=True)):
        name = re.sub(r"\.parquet$", "", os.path.relpath(path, folder))
        if path.endswith(".json"):
            continue
        case = Case(f"parquet/apache/{name}", path, ordered=True, voice=voices.DuckDBFile)
        rows = SAME_ROWS.get(name, name).replace("/", "__")
        found = glob.glob(f"{glob.escape(f'{folder}/expected/{rows}')}.parquet.duckdb.ndjson*")
        other = f"{corpus}/parquet/hyparquet/{os.path.basename(name)}.json"
        by_hand = _hand_expectation(hand, case.name)
        if by_hand:
            case.expected, case.voice = by_hand, voices.DuckDB
        elif name in BY_HYPARQUET:
            case.voice = voices.Hyparquet
            case.expected = functools.partial(_hyparquet_file, other)
        elif found:
            case.expected = functools.partial(_duckdb_file, found[0])
        yield case


# Lists of these are required and empty: pyarrow reads [], hyparquet's rows have null.
NO_EMPTY_LISTS = ("adam_genotypes", "duckdb2557")


def _hyparquet(corpus, _):
    for path in sorted(glob.glob(f"{corpus}/parquet/hyparquet/*.parquet")):
        name = os.path.basename(path).removesuffix(".parquet")
        rows = path.removesuffix(".parquet") + ".json"
        voice = voices.HyparquetNoEmpty if name in NO_EMPTY_LISTS else voices.Hyparquet
        case = Case(f"parquet/hyparquet/{name}", path, ordered=True, voice=voice)
        if os.path.exists(rows):
            case.expected = functools.partial(_hyparquet_file, rows)
        yield case


def _fuzz(corpus, _):
    for path in sorted(glob.glob(f"{corpus}/parquet/fuzz/*")):
        yield Case(f"parquet/fuzz/{os.path.basename(path)}", path, any_outcome=True)


def cases(corpus):
    """None when the corpus is absent."""
    if os.path.isdir(f"{corpus}/delta"):
        hand = _by_hand()
        for part in (_delta, _apache, _hyparquet, _fuzz):
            yield from part(corpus, hand)
        assert not hand, f"by_hand.ndjson has rows for {list(hand)}"
