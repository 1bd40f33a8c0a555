"""What features.py compares with Spark besides the rows of versions: predicates on tables whose
statistics Spark wrote, changes, and versions by time."""

import datetime
import json

import typed
from feature_tables import DV, SMALL_PAGES, Table
from typed import difference

# ------------------------------------------------------------------------ predicates

# Each file has a range of its own, so that statistics tell them apart.
MANY = (
    "SELECT int(id) AS id, id % 3 = 0 AS b, IF(id % 50 = 9, null, tinyint(id / 32 - 60)) AS i1, smallint(id * 8 - 16000) AS i2, "
    "IF(id > 3500, null, int(id * 1000 - 2000000)) AS i4, id * 2305843009213693L - 4611686018427387904L AS i8, "
    "IF(id BETWEEN 1000 AND 1003, float('NaN'), float(id - 2000) / 8) AS f, IF(id = 3999, double('NaN'), double(id - 2000) / 10) AS g, "
    "CAST(id * 1.25 - 2000 AS DECIMAL(9,2)) AS d, CAST(id AS DECIMAL(38,10)) * 12345678901234567 / 3 AS w, "
    "IF(id % 100 = 7, null, lpad(string(id), 6, '0')) AS s, concat(repeat('long and equal ', 4), lpad(string(id), 6, 'é')) AS l, "
    "binary(lpad(string(id), 5, ' ')) AS y, date_add(DATE'0900-01-01', int(id * 250)) AS dt, "
    "timestamp_micros(id * 86399999999L * 30 - 30000000000000000) AS ts, CAST(timestamp_micros(id * 1234567) AS TIMESTAMP_NTZ) AS tn, "
    "IF(id % 9 = 0, null, named_struct('a', id, 'bc', named_struct('t', concat('t', id % 7)))) AS n, array(id) AS arr, "
    "int(id / 1000) AS p, IF(id < 900, null, date_add(DATE'2019-01-01', int(id / 700))) AS q FROM range(0, 4000, 1, 8)"
)
PREDICATES = """
b; NOT b; b = false; i1 = 5; i1 > 60; i1 <= -60; i1 IS NULL; i1 IS NOT NULL AND id < 40; i2 BETWEEN 100 AND 900; i2 IN (0, 8, 16000, 40000)
i4 >= 1400000; i4 < -1999000; i4 = 0; i4 IS NULL; i4 <> 0; i8 > 4611686018427387000; i8 = -4611686018427387904; i8 < -4.611e18
f = 0; f > 249.5; f < -249.9; f >= 249.875; f = 1.5; f <=> 1.5; g < -199.85; g > 199.7; g = 0.1; g <> 0.1 AND id > 3900; g IN (0.3, -0.3)
d = 0; d > 2998; d < -1999.5; d BETWEEN -1.25 AND 1.25; d = 1.005; w > 16448000000000000000; w < 1000; w = 0
s = '000123'; s > '003990'; s < '000010'; s IS NULL AND id < 500; s LIKE '0039_9'; s LIKE '%99'; s LIKE '0012%'; s IN ('000001', 'x'); s <> '000001' AND id < 5
l = 'long and equal long and equal long and equal long and equal éé1234'; l > 'long and equal long and equal long and equal long and equal éé3990'
l < 'long and equal long and equal long and equal long and equal 1'; l LIKE 'long and equal long and equal long and equal long and equal ééé1%'
y = X'2020313233'; y > X'33393938'; y < X'2020202035'; dt < DATE'0901-01-01'; dt = DATE'0900-01-01'; dt > DATE'3630-01-01'; dt BETWEEN DATE'1582-01-01' AND DATE'1583-01-01'
ts < TIMESTAMP'1019-06-15 00:00:00'; ts >= TIMESTAMP'1347-08-01 12:00:00.000001'; ts = TIMESTAMP'1019-05-09 18:40:00'; ts BETWEEN TIMESTAMP'1100-01-01 00:00:00' AND TIMESTAMP'1101-01-01 00:00:00'
tn < TIMESTAMP_NTZ'1970-01-01 00:00:10'; tn = TIMESTAMP_NTZ'1970-01-01 00:00:01.234567'; tn > TIMESTAMP_NTZ'1970-01-01 01:22:00'
n IS NULL AND id < 100; n.a = 77; n.a > 3990; n.bc.t = 't3' AND n.a < 50; n.bc IS NULL AND p = 1; arr IS NOT NULL AND id = 5
p = 2; p > 2 OR id < 3; p = 9; p IN (0, 3) AND i1 = 5; q IS NULL; q = DATE'2019-01-03'; q > DATE'2019-01-05'; q <=> NULL AND id > 890; NOT (q > DATE'2019-01-02')
NOT (i4 > 0 OR s > '001'); (i4 > 1000000 AND b) OR (s = '000001'); NOT (n.a > 5); i1 = 5 OR i1 IS NULL AND b; id = n.a AND id < 20; i2 < i4 AND id < 300; TRUE; FALSE; NULL
"""
SELECTED = [
    Table(
        "predicates",
        ["CREATE TABLE {t} USING delta PARTITIONED BY (q) AS " + MANY, "DELETE FROM {t} WHERE id % 100 = 3"],
        versions=[],
    ),
    Table(
        "predicates, mapped columns with deletion vectors",
        [
            "CREATE TABLE {t} USING delta PARTITIONED BY (p) %s AS %s"
            % (DV[:-1] + ", 'delta.columnMapping.mode' = 'name')", MANY),
            "DELETE FROM {t} WHERE id % 100 = 3",
        ],
        conf={
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
            "parquet.bloom.filter.enabled#s": "true",
            **SMALL_PAGES,
        },
        versions=[],
    ),
    Table(
        "predicates, files of Julian days without statistics in the log",
        ["CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '0') AS " + MANY],
        conf={
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
            "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
            **SMALL_PAGES,
        },
        versions=[],
    ),
]


def predicates():
    return [p.strip() for line in PREDICATES.strip().split("\n") for p in line.split(";")]


def check_predicates(made, reader):
    """Spark tells of each row which predicates hold, and so skips nothing."""
    texts = predicates()
    with made.spark.interpreted():
        frame = made.frame(None).selectExpr("id", "array(%s) AS holds" % ", ".join("(%s)" % p for p in texts))
        rows = frame.collect()
    out, skipped = [], 0
    for i, text in enumerate(texts):
        want = sorted(row[0] for row in rows if row[1][i])
        lines, stats = reader.lines_and_stats("-c", "id", "--where", text)
        got = sorted(json.loads(line)["id"] for line in lines)
        skipped += stats["filesSkipped"] + stats["rowGroupsSkipped"]
        if got != want:
            lacks, has = sorted(set(want) - set(got)), sorted(set(got) - set(want))
            out.append(
                "where %s: %d rows instead of %d; lacks %s, has %s" % (text, len(got), len(want), lacks[:5], has[:5])
            )
    return out or ([] if skipped > len(texts) else ["only %d files and row groups were skipped" % skipped])


# ------------------------------------------------------------------------ changes

CDF = "'delta.enableChangeDataFeed' = 'true'"
CHANGES = [
    "INSERT INTO {t} VALUES (1, 'a', 1.50, named_struct('x', 1), map('k', array(DATE'2019-11-14'))), (2, null, null, null, null), (3, 'c', -1, null, map())",
    "INSERT INTO {t} SELECT int(id), concat('s', id), id, named_struct('x', int(id)), null FROM range(10, 40)",
    "UPDATE {t} SET s = 'updated', n = named_struct('x', null) WHERE id % 2 = 0",
    "DELETE FROM {t} WHERE id BETWEEN 20 AND 24",
    "MERGE INTO {t} t USING (SELECT int(id) AS id FROM range(25, 50)) u ON t.id = u.id WHEN MATCHED AND u.id % 3 = 0 THEN DELETE "
    "WHEN MATCHED THEN UPDATE SET s = 'merged' WHEN NOT MATCHED THEN INSERT (id, s) VALUES (u.id, 'new')",
    "OPTIMIZE {t}",
    "DELETE FROM {t} WHERE id < 15",
    "INSERT OVERWRITE {t} SELECT id, s, d, n, m FROM {t} WHERE id < 30",
    "DELETE FROM {t}",
]
CHANGED_COLUMNS = "id INT, s STRING, d DECIMAL(5,2), n STRUCT<x: INT>, m MAP<STRING, ARRAY<DATE>>"
CHANGED = [
    Table(
        "change data feed",
        ["CREATE TABLE {t} (%s) USING delta TBLPROPERTIES (%s)" % (CHANGED_COLUMNS, CDF)] + CHANGES,
        ["_change_data/"],
        versions=[],
        read_only=True,
    ),
    Table(
        "change data feed, partitions, mapped columns and deletion vectors",
        [
            "CREATE TABLE {t} (%s) USING delta PARTITIONED BY (s) %s, 'delta.columnMapping.mode' = 'id', %s)"
            % (CHANGED_COLUMNS, DV[:-1], CDF)
        ]
        + CHANGES,
        ["_change_data/", "deletionVector"],
        versions=[],
        read_only=True,
    ),
]


def of_image(t, text):
    if text is None or t == "string":
        return text
    if t == "boolean" or isinstance(t, dict):
        return typed.of_json(t, typed.parse(text))
    return typed.of_json(t, typed.Number(text) if typed.kind(t, text) is typed.Number else text)


def images(schema, record):
    """The change rows that a record stands for."""

    def row(image):
        return tuple(of_image(f["type"], image[f["name"]]) for f in schema["fields"])

    version = int(record["extraTags"]["deltaVersion"])
    before, after = record["beforeImages"], record["afterImages"]
    if record["recordType"] == "UPDATE":
        return [(version, "update_preimage", row(before)), (version, "update_postimage", row(after))]
    if record["recordType"] == "DELETE":
        return [(version, "delete", row(before))]
    return [(version, "insert", row(after))]


def check_changes(made, reader):
    feed = made.spark.session.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 0)
    with made.spark.interpreted():
        schema, rows = made.collect(feed.load(made.path))
    table = {"type": "struct", "fields": schema["fields"][:-3]}
    want = [(row[-2], row[-3], row[:-3]) for row in rows]
    got = []
    for line in reader.lines("--changes", "0", "-k", "id"):
        record = json.loads(line)
        if record["recordType"] in ("INSERT", "UPDATE", "DELETE"):
            got += images(table, record)
    if {c[1] for c in want} != {"insert", "delete", "update_preimage", "update_postimage"}:
        return ["Spark tells only of %s" % {c[1] for c in want}]
    return difference(net(want), net(got))


def net(changes):
    """An overwrite deletes and inserts rows that stay as they were: no change here, two in Spark."""
    deleted = [(v, row) for v, kind, row in changes if kind == "delete"]
    inserted = [(v, row) for v, kind, row in changes if kind == "insert"]
    both = [c for c in deleted if c in inserted]
    return [c for c in changes if c[1].startswith("update") or (c[0], c[2]) not in both]


# ------------------------------------------------------------------------ time travel

DATED = [
    Table(
        "versions by time, " + name,
        [
            "CREATE TABLE {t} (id INT) USING delta " + properties,
            "INSERT INTO {t} VALUES (1)",
            "INSERT INTO {t} VALUES (2)",
            "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')",
            "DELETE FROM {t} WHERE id = 1",
            "INSERT INTO {t} VALUES (3)",
        ],
        [r"inCommitTimestamp"],
        versions=[],
        read_only=True,
    )
    for name, properties in [
        ("in commits since later", ""),
        ("in all commits", "TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')"),
    ]
]


def check_times(made, reader):
    """At each version's time, a millisecond to each side, and past the ends."""
    with made.spark.interpreted():
        history = (
            made.spark.session.sql("DESCRIBE HISTORY delta.`%s`" % made.path).select("version", "timestamp").collect()
        )
    times = [h["timestamp"] for h in history]
    asked = sorted(
        {t + datetime.timedelta(milliseconds=ms) for t in times for ms in (-1, 0)}
        | {max(times) + datetime.timedelta(milliseconds=1)}
    )
    out = []
    for t in asked:
        text = t.strftime("%Y-%m-%d %H:%M:%S.%f")
        schema, rows, refusal = made.fetch(text)
        status, lines, err = reader.try_run("--timestamp-as-of", text)
        if refusal or status:
            if not refusal or status != 2:
                out.append("%s: exit %d (%s); Spark: %s" % (text, status, err, refusal))
            continue
        got = [typed.of_json(schema, typed.parse(line)) for line in lines.split("\n")[:-1]]
        out += [text + ": " + d for d in difference([typed.of_spark(schema, row) for row in rows], got)]
    return out


CHECKS = [
    (SELECTED, "selects from", check_predicates),
    (CHANGED, "tells the changes of", check_changes),
    (DATED, "finds", check_times),
]
