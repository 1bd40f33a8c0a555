"""The tables that Spark makes for features.py: statements, and what must be found in the files.

In a statement {t} is the table and {p} its directory; or it is a function of the session and the
directory. Each of `has` is a regular expression that
must match a line of the log, or the path of a file below the directory: it proves that the table
has what it is here for.
"""

import json
import os
import re


class Table:
    def __init__(self, name, statements, has=(), conf=None, external=False, versions=None, read_only=False):
        self.name, self.statements, self.has, self.conf = name, statements, has, conf or {}
        self.external = external
        # With too few rows at last to change some of them.
        self.read_only = read_only
        # Those to read; default: all that Spark can read.
        self.versions = versions


def feature(name):
    return r'"protocol":.*"%s"' % name


NESTED = (
    "id INT, s STRUCT<a: INT, b: STRUCT<c: STRING, d: DECIMAL(9,2)>>, l ARRAY<INT>, ll ARRAY<ARRAY<STRING>>, "
    "m MAP<STRING, INT>, mi MAP<INT, STRING>, md MAP<DATE, ARRAY<DOUBLE>>, "
    "ls ARRAY<STRUCT<x: TIMESTAMP, m: MAP<STRING, ARRAY<INT>>>>, "
    "mm MAP<STRUCT<k: INT, j: BINARY>, MAP<STRING, BIGINT>>, e STRUCT<l: ARRAY<STRUCT<f: FLOAT>>>"
)
NESTED_ROWS = """INSERT INTO {t} VALUES
 (1, named_struct('a', 1, 'b', named_struct('c', 'x', 'd', 1.5)), array(1, null, 3), array(array('a', null), null, array()),
  map('k', 1, 'n', null), map(1, 'one', -2, null), map(DATE'2019-11-14', array(1.5D, double('NaN'))),
  array(named_struct('x', TIMESTAMP'2019-11-14 03:11:05.123456', 'm', map('q', array(1, null)))),
  map(named_struct('k', 1, 'j', X'00ff'), map('w', 9223372036854775807L)), named_struct('l', array(named_struct('f', float(1.5))))),
 (2, null, null, null, null, null, null, null, null, null),
 (3, named_struct('a', null, 'b', null), array(), array(), map(), map(), map(), array(), map(), named_struct('l', array())),
 (4, named_struct('a', null, 'b', named_struct('c', null, 'd', null)), array(null), array(null), map('', null), map(0, null),
  map(DATE'0001-01-01', null), array(null, named_struct('x', null, 'm', null), named_struct('x', null, 'm', map('a', null, 'b', array()))),
  map(named_struct('k', null, 'j', null), null), named_struct('l', array(null, named_struct('f', null))))"""
NESTED_MANY = """INSERT INTO {t} SELECT int(id),
 IF(id % 7 = 0, null, named_struct('a', IF(id % 3 = 0, null, int(id)), 'b',
    IF(id % 5 = 0, null, named_struct('c', IF(id % 4 = 0, null, concat('c', id)), 'd', decimal(id) / 8)))),
 IF(id % 11 = 0, null, transform(sequence(1, id % 6), x -> IF(x % 4 = 3, null, int(x * id)))),
 IF(id % 13 = 0, null, transform(filter(sequence(0, id % 5), x -> x > 0), y -> IF(y = 2, null, transform(sequence(1, y), z -> concat(y, '/', id % 9))))),
 IF(id % 3 = 0, null, map(concat('k', id % 4), int(id), 'z', IF(id % 2 = 0, null, 7))),
 IF(id % 4 = 0, map(), map(int(id), concat('v', id % 3))),
 IF(id % 5 = 0, map(), map(date_add(DATE'2000-01-01', int(id)), array(double(id) / 3, null))),
 IF(id % 9 = 0, null, transform(filter(sequence(0, id % 4), x -> x > 0), x -> IF(x = 3, null, named_struct('x', timestamp_micros(id * 1000003),
    'm', IF(x = 2, null, map('a', array(int(x), null), concat('b', id % 7), null)))))),
 IF(id % 6 = 0, null, map(named_struct('k', int(id), 'j', IF(id % 2 = 0, null, binary(string(id)))), map('p', id, 'q', null))),
 IF(id % 8 = 0, null, named_struct('l', IF(id % 3 = 0, null, array(named_struct('f', float(id) / 7), IF(id % 5 = 0, null, named_struct('f', null))))))
 FROM range(100, 3100, 1, 2)"""
SMALL_PAGES = {"parquet.page.size": "2048", "parquet.page.row.count.limit": "300", "parquet.block.size": "60000"}

SCALARS = (
    "id INT, b BOOLEAN, i1 TINYINT, i2 SMALLINT, i4 INT, i8 BIGINT, f FLOAT, g DOUBLE, d1 DECIMAL(1,0), d9 DECIMAL(9,4), d18 DECIMAL(18,6), "
    "d20 DECIMAL(20,0), d38 DECIMAL(38,18), s STRING, bin BINARY, dt DATE, ts TIMESTAMP, tn TIMESTAMP_NTZ, c CHAR(5), vc VARCHAR(9)"
)
SCALAR_ROWS = """INSERT INTO {t} VALUES
 (1, true, 127, 32767, 2147483647, 9223372036854775807L, float('3.4028235e38'), double('1.7976931348623157e308'), 9, 99999.9999,
  999999999999.999999, 99999999999999999999, 99999999999999999999.999999999999999999, 'naïve 🚀', X'00FF', DATE'9999-12-31',
  TIMESTAMP'9999-12-31 23:59:59.999999', TIMESTAMP_NTZ'9999-12-31 23:59:59.999999', 'abc', 'v'),
 (2, false, -128, -32768, -2147483648, -9223372036854775808L, float('1.4e-45'), double('4.9e-324'), -9, -99999.9999,
  -999999999999.999999, -99999999999999999999, -99999999999999999999.999999999999999999, '', X'', DATE'0001-01-01',
  TIMESTAMP'0001-01-01 00:00:00', TIMESTAMP_NTZ'0001-01-01 00:00:00', '', ''),
 (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
 (4, true, 0, 0, 0, 0, float('NaN'), double('NaN'), 0, 0, 0, 0, 0, 'a"b\\\\\\\\c\\n\\t\\u0001', X'0A', DATE'1582-10-15',
  TIMESTAMP'1582-10-15 00:00:00', TIMESTAMP_NTZ'1582-10-15 00:00:00', 'äöüßé', 'größer'),
 (5, true, 1, 1, 1, 1, float('-Infinity'), double('Infinity'), 1, 0.0001, 0.000001, 1, 0.000000000000000001, 'x', X'61', DATE'1582-10-04',
  TIMESTAMP'1582-10-04 12:00:00', TIMESTAMP_NTZ'1582-10-04 12:00:00', 'x', 'x'),
 (6, true, 1, 1, 1, 1, float('-0.0'), double('-0.0'), 1, -0.0001, 1, 1, -1.5, 'x', X'61', DATE'1969-12-31',
  TIMESTAMP'1969-12-31 23:59:59.999999', TIMESTAMP_NTZ'1969-12-31 23:59:59.999999', 'x', 'x'),
 (7, true, 1, 1, 1, 1, float(0.1), double(0.1), 1, 1, 1, 1, 1, 'x', X'61', DATE'1899-12-31',
  TIMESTAMP'1883-11-18 12:03:58', TIMESTAMP_NTZ'1883-11-18 12:03:58.000001', 'x', 'x'),
 (8, true, 1, 1, 1, 1, float(16777217), double(9007199254740993L), 1, 1, 1, 1, 1, 'x', X'61', DATE'1970-01-01',
  TIMESTAMP'2262-04-11 23:47:16.854776', TIMESTAMP_NTZ'1677-09-21 00:12:43.145224', 'x', 'x')"""


def scalars(name, conf, has):
    return Table("scalars, " + name, ["CREATE TABLE {t} (%s) USING delta" % SCALARS, SCALAR_ROWS], has, conf)


MAPPING_COLUMNS = "id INT, `a b` STRING, `c.d` STRUCT<`x y`: INT, `z,;{}()=` ARRAY<STRUCT<`q.r`: STRING, w INT>>>, m MAP<STRING, STRUCT<v: INT>>, `p q` STRING"
MAPPING_ROWS = """INSERT INTO {t} VALUES
 (1, 'one', named_struct('x y', 1, 'z,;{}()=', array(named_struct('q.r', 'r', 'w', 5), null)), map('k', named_struct('v', 1)), 'p 1'),
 (2, null, null, null, null), (3, 'three', named_struct('x y', null, 'z,;{}()=', array()), map(), 'p=/%3')"""
MAPPING_LATER = [
    "ALTER TABLE {t} RENAME COLUMN `a b` TO `new name.1`",
    "ALTER TABLE {t} RENAME COLUMN `c.d`.`x y` TO y",
    "ALTER TABLE {t} RENAME COLUMN `c.d`.`z,;{}()=`.element.`q.r` TO `renamed`",
    "ALTER TABLE {t} ADD COLUMNS (`a b` INT, `c.d`.`x y` STRING AFTER y)",
    "INSERT INTO {t} SELECT 4, 'four', named_struct('y', 4, 'x y', 'new', 'z,;{}()=', array(named_struct('renamed', 'n', 'w', 6))), "
    "map('k', named_struct('v', 4)), 'p 1', 44",
    "ALTER TABLE {t} DROP COLUMN `c.d`.`z,;{}()=`.element.w",
    "ALTER TABLE {t} DROP COLUMN id",
    "ALTER TABLE {t} ADD COLUMN id STRING FIRST",
    "UPDATE {t} SET id = 'five' WHERE `a b` = 44",
]


def mapping(name, mode, partition, extra="", versions=None):
    made = "CREATE TABLE {t} (%s) USING delta %s TBLPROPERTIES ('delta.columnMapping.mode' = '%s'%s)"
    has = [r'"delta.columnMapping.mode":"%s"' % mode, r'"configuration".*"delta.columnMapping.maxColumnId"']
    return Table(
        "column mapping " + name,
        [made % (MAPPING_COLUMNS, partition, mode, extra), MAPPING_ROWS] + MAPPING_LATER,
        has,
        versions=versions,
    )


DV = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
DV_CHANGES = [
    "DELETE FROM {t} WHERE id % 10 = 3",
    "UPDATE {t} SET s = concat(s, '!'), n = NULL WHERE id % 100 = 7",
    "DELETE FROM {t} WHERE id BETWEEN 500 AND 900",
    "MERGE INTO {t} t USING (SELECT id, id % 3 AS k FROM range(0, 2000, 50)) u ON t.id = u.id WHEN MATCHED AND k = 0 THEN DELETE "
    "WHEN MATCHED THEN UPDATE SET s = 'merged' WHEN NOT MATCHED THEN INSERT (id, s) VALUES (u.id, 'new') "
    "WHEN NOT MATCHED BY SOURCE AND t.id % 77 = 0 THEN DELETE",
    "OPTIMIZE {t}",
    "DELETE FROM {t} WHERE id = 1",
    "DELETE FROM {t} WHERE s IS NOT NULL AND id < 1000",
]


def widening(name, columns, partition=""):
    """columns: name, old type, new type, old value, new value."""
    made = "CREATE TABLE {t} (id INT, %s) USING delta %s TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')"
    insert = "INSERT INTO {t} VALUES (%d, %s), (%d, %s)"
    nulls = ", ".join(["null"] * len(columns))
    statements = [
        made % (", ".join("%s %s" % c[:2] for c in columns), partition),
        insert % (1, ", ".join(c[3] for c in columns), 2, nulls),
        *("ALTER TABLE {t} CHANGE COLUMN %s TYPE %s" % (c[0], c[2]) for c in columns),
        insert % (3, ", ".join(c[4] for c in columns), 4, nulls),
        "DELETE FROM {t} WHERE id = 2",
    ]
    last = len(statements) - 1
    has = [feature("typeWidening(-preview)?"), "typeChanges"]
    return Table("type widening of " + name, statements, has, versions=[1, last - 2, last - 1, last])


PAIRS = [
    ("a", "TINYINT", "SMALLINT", "-128Y", "32767S"),
    ("b", "TINYINT", "INT", "127Y", "2147483647"),
    ("c", "SMALLINT", "INT", "-32768S", "-2147483648"),
    ("d", "TINYINT", "BIGINT", "-1Y", "9223372036854775807L"),
    ("e", "SMALLINT", "BIGINT", "32767S", "-9223372036854775808L"),
    ("f", "INT", "BIGINT", "-2147483648", "9223372036854775807L"),
    ("g", "FLOAT", "DOUBLE", "float(0.1)", "0.1D"),
    ("h", "TINYINT", "DOUBLE", "-5Y", "0.5D"),
    ("i", "SMALLINT", "DOUBLE", "77S", "1e300D"),
    ("j", "INT", "DOUBLE", "2147483647", "-0.0D"),
    ("k", "TINYINT", "DECIMAL(12,2)", "-128Y", "9999999999.99"),
    ("l", "SMALLINT", "DECIMAL(10,0)", "-32768S", "9999999999"),
    ("m", "INT", "DECIMAL(38,20)", "2147483647", "123456789012345678.00000000000000000001"),
    ("n", "BIGINT", "DECIMAL(20,0)", "-9223372036854775808L", "99999999999999999999"),
    ("o", "BIGINT", "DECIMAL(30,5)", "9223372036854775807L", "-1234567890123456789012345.00001"),
    ("p", "DECIMAL(5,2)", "DECIMAL(9,2)", "-999.99", "9999999.99"),
    ("q", "DECIMAL(9,2)", "DECIMAL(18,4)", "1234567.89", "99999999999999.9999"),
    ("r", "DECIMAL(18,4)", "DECIMAL(38,10)", "-12345678901234.5678", "1234567890123456789012345678.0123456789"),
    ("s", "DECIMAL(20,1)", "DECIMAL(22,3)", "-1234567890123456789.1", "1234567890123456789.123"),
    ("t", "DATE", "TIMESTAMP_NTZ", "DATE'0001-01-01'", "TIMESTAMP_NTZ'2019-11-14 03:11:05.000001'"),
    ("u", "DATE", "TIMESTAMP_NTZ", "DATE'9999-12-31'", "TIMESTAMP_NTZ'0001-01-01 00:00:00'"),
]
NESTED_PAIRS = [
    "CREATE TABLE {t} (id INT, s STRUCT<a: TINYINT, b: STRUCT<c: FLOAT>>, l ARRAY<SMALLINT>, m MAP<INT, DECIMAL(5,2)>, "
    "x ARRAY<STRUCT<d: DATE>>) USING delta TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')",
    "INSERT INTO {t} VALUES (1, named_struct('a', 1Y, 'b', named_struct('c', float(1.25))), array(1S, null), map(7, 1.25, 8, null), "
    "array(named_struct('d', DATE'1969-12-31'), null)), (2, null, null, null, null)",
    "ALTER TABLE {t} CHANGE COLUMN s.a TYPE BIGINT",
    "ALTER TABLE {t} CHANGE COLUMN s.b.c TYPE DOUBLE",
    "ALTER TABLE {t} CHANGE COLUMN l.element TYPE INT",
    "ALTER TABLE {t} CHANGE COLUMN m.key TYPE BIGINT",
    "ALTER TABLE {t} CHANGE COLUMN m.value TYPE DECIMAL(20,10)",
    "ALTER TABLE {t} CHANGE COLUMN x.element.d TYPE TIMESTAMP_NTZ",
    "INSERT INTO {t} VALUES (3, named_struct('a', 1L << 40, 'b', named_struct('c', 1e-300D)), array(70000), map(1L << 40, 1.0000000001), "
    "array(named_struct('d', TIMESTAMP_NTZ'2019-11-14 03:11:05')))",
]

FEW = "SELECT int(id) AS id, concat('s', id) AS s, named_struct('a', id, 'l', array(id, null)) AS n, int(id % 4) AS p FROM range(0, 40, 1, 4)"


def checkpoints(name, has, settings, conf):
    properties = ", ".join("'%s' = '%s'" % p for p in {"delta.checkpointInterval": "4", **settings}.items())
    statements = [
        "CREATE TABLE {t} USING delta PARTITIONED BY (p) TBLPROPERTIES (%s) AS %s" % (properties, FEW),
        "DELETE FROM {t} WHERE id % 5 = 0",
        "ALTER TABLE {t} SET TBLPROPERTIES ('a' = 'b')",
        "UPDATE {t} SET s = 'updated' WHERE p = 1",
        "INSERT INTO {t} SELECT id + 100, s, n, NULL FROM {t} WHERE p = 2",
        "INSERT INTO {t} VALUES (1000, 'after', NULL, 9)",
        before_last_checkpoint,
    ]
    return Table("checkpoints, " + name, statements, has, conf, versions=[0, 3, 4, 5])


def before_last_checkpoint(session, path):
    """What the log's own cleaning does after a month: commits up to the checkpoint go."""
    log = os.path.join(path, "_delta_log")
    for f in os.listdir(log):
        if re.fullmatch(r"\.?0*[0-3]\.json(\.crc)?|\.?0*[0-3]\.crc(\.crc)?", f):
            os.unlink(os.path.join(log, f))


def compacted(session, path):
    """Commits 1 to 4 as one file, which Spark reads but does not write."""
    log = os.path.join(path, "_delta_log")
    kept = {}
    for v in range(1, 5):
        with open(os.path.join(log, "%020d.json" % v)) as f:
            for line in f:
                ((kind, body),) = json.loads(line).items()
                if kind != "commitInfo":
                    dv = body.get("deletionVector") or {}
                    identity = (body.get("path"), dv.get("pathOrInlineDv"), dv.get("offset"))
                    kept[(identity if kind in ("add", "remove") else kind)] = line
    with open(os.path.join(log, "%020d.%020d.compacted.json" % (1, 4)), "w") as f:
        f.writelines(kept.values())


PARTITIONS = (
    "b BOOLEAN, i1 TINYINT, i2 SMALLINT, i4 INT, i8 BIGINT, f FLOAT, g DOUBLE, d DECIMAL(38,18), s STRING, dt DATE, ts TIMESTAMP, "
    "tn TIMESTAMP_NTZ, c CHAR(4), bin BINARY"
)
PARTITION_NAMES = ", ".join(c.split(" ")[0] for c in PARTITIONS.split(", "))
STRINGS = [
    "a/b", "a b", "100%25", "a%20b", "x=y", "x:y?z#", "{a}[b]^|", "`q`", "~!@$&*()+;,", "\\'quote", '\"dq', "naïve 🚀", "a\\\\b", "<a>", "\u0001\u007f",
    " lead", "trail ", ".", "..", "__HIVE_DEFAULT_PARTITION__", "null", "a\nb\tc", "",
]  # fmt: skip


def partition_rows():
    rows = [
        "(1, true, 127, 32767, 2147483647, 9223372036854775807L, float('3.4028235e38'), 1e7D, 99999999999999999999.999999999999999999, 's', "
        "DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999', TIMESTAMP_NTZ'9999-12-31 23:59:59.999999', 'ab', X'6162')",
        "(2, false, -128, -32768, -2147483648, -9223372036854775808L, float('1.4e-45'), double('4.9e-324'), -0.000000000000000001, ' s ', "
        "DATE'0001-01-01', TIMESTAMP'0001-01-01 00:00:00', TIMESTAMP_NTZ'0001-01-01 00:00:00', 'abcd', X'78')",
        "(3, %s)" % ", ".join(["null"] * 14),
        "(4, true, 0, 0, 0, 0, float('NaN'), double('NaN'), 0, 'é', DATE'1582-10-04', TIMESTAMP'1582-10-04 00:00:01', "
        "TIMESTAMP_NTZ'1969-12-31 23:59:59.999999', '', X'20')",
        "(5, true, 0, 0, 0, 0, float('-Infinity'), double('Infinity'), 1.5, 'é', DATE'1970-01-01', TIMESTAMP'1969-12-31 23:59:59.5', "
        "TIMESTAMP_NTZ'1970-01-01 00:00:00', 'x', X'78')",
        "(6, true, 0, 0, 0, 0, float('-0.0'), double('-0.0'), -1, 's', DATE'2000-02-29', TIMESTAMP'2000-02-29 12:00:00', "
        "TIMESTAMP_NTZ'2000-02-29 12:00:00.1', 'x', X'78')",
        "(7, true, 0, 0, 0, 0, float(0.1), double(123456789.125), -1, 's', DATE'2000-02-29', TIMESTAMP'2000-02-29 12:00:00', "
        "TIMESTAMP_NTZ'2000-02-29 12:00:00', 'x', X'78')",
    ]
    return "INSERT INTO {t} VALUES " + ", ".join(rows)


def cloned(session, path):
    source = path + " source"
    session.sql(
        "CREATE TABLE delta.`%s` USING delta %s AS SELECT int(id) AS id, array(id) AS l FROM range(0, 100, 1, 2)"
        % (source, DV)
    )
    session.sql("DELETE FROM delta.`%s` WHERE id %% 7 = 0" % source)
    session.sql("CREATE TABLE delta.`%s` SHALLOW CLONE delta.`%s`" % (path, source))


def converted(session, path):
    frame = session.sql(
        "SELECT id, concat('p/', id % 3, ' %') AS `part`, array(named_struct('a', id)) AS l FROM range(0, 50, 1, 2)"
    )
    frame.write.partitionBy("part").parquet(path)
    session.sql("CONVERT TO DELTA parquet.`%s` PARTITIONED BY (`part` STRING)" % path)


def generated(session, path):
    """SQL of this Spark has no way to say so."""
    tables = session._jvm.io.delta.tables
    builder = tables.DeltaTable.create(session._jsparkSession).location(path)

    def column(name, type_):
        return tables.DeltaTable.columnBuilder(session._jsparkSession, name).dataType(type_)

    builder.addColumn(column("id", "BIGINT").generatedAlwaysAsIdentity(10, 5).build())
    builder.addColumn(column("by_default", "BIGINT").generatedByDefaultAsIdentity().build())
    builder.addColumn(column("ts", "TIMESTAMP").build())
    builder.addColumn(column("day", "DATE").generatedAlwaysAs("CAST(ts AS DATE)").build())
    builder.execute()


def appended(text, **options):
    """INSERT as a program does it, with options."""

    def run(session, path):
        session.sql(text).write.format("delta").mode("append").options(**options).save(path)

    return run


TABLES = [
    Table(
        "flat",
        [
            "CREATE TABLE {t} (id INT, s STRING) USING delta",
            "INSERT INTO {t} VALUES (1, 'a'), (2, null)",
            "DELETE FROM {t}",
        ],
        read_only=True,
    ),
    Table(
        "nested",
        ["CREATE TABLE {t} (%s) USING delta" % NESTED, NESTED_ROWS, NESTED_MANY, "DELETE FROM {t} WHERE s.a IS NULL"],
        conf=SMALL_PAGES,
    ),
    Table(
        "nested in legacy lists",
        ["CREATE TABLE {t} (%s) USING delta" % NESTED, NESTED_ROWS, NESTED_MANY],
        conf={"spark.sql.parquet.writeLegacyFormat": "true"},
        versions=[2],
    ),
    Table(
        "nested in pages of version 2",
        ["CREATE TABLE {t} (%s) USING delta" % NESTED, NESTED_ROWS, NESTED_MANY],
        conf={"parquet.writer.version": "v2", **SMALL_PAGES},
        versions=[2],
    ),
    scalars("INT96", {}, [feature("timestampNtz")]),
    Table(
        "deletion vectors",
        [
            "CREATE TABLE {t} USING delta %s AS SELECT int(id) AS id, concat('s', id) AS s, id * 3 AS n FROM range(0, 2000, 1, 2)"
            % DV
        ]
        + DV_CHANGES,
        [feature("deletionVectors"), r'"storageType":"u"', r"^deletion_vector_"],
    ),
    mapping("by name", "name", "PARTITIONED BY (`p q`)"),
    mapping("by id", "id", "", versions=[1, 5, 6, 7, 10]),
    mapping("by id with deletion vectors", "id", "", ", 'delta.enableDeletionVectors' = 'true'", [1, 6, 10]),
    Table(
        "column mapping, upgraded",
        [
            "CREATE TABLE {t} USING delta AS " + FEW,
            "ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')",
            "ALTER TABLE {t} RENAME COLUMN s TO p2",
            "ALTER TABLE {t} RENAME COLUMN id TO s",
            "ALTER TABLE {t} DROP COLUMN n.l",
            "ALTER TABLE {t} ADD COLUMN n.l INT",
            "INSERT INTO {t} SELECT s + 100, p2, named_struct('a', 1, 'l', 5), p FROM {t} WHERE s < 5",
        ],
        [r'"minReaderVersion":2', r"physicalName"],
    ),
    scalars("micros", {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}, []),
    scalars("millis", {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS"}, []),
    scalars(
        "legacy decimals",
        {"spark.sql.parquet.writeLegacyFormat": "true", "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"},
        [],
    ),
    scalars("pages of version 2", {"parquet.writer.version": "v2", "parquet.enable.dictionary": "false"}, []),
    scalars(
        "Julian days",
        {
            "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
            "spark.sql.parquet.int96RebaseModeInWrite": "LEGACY",
        },
        [],
    ),
    scalars(
        "Julian days, micros",
        {
            "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        },
        [],
    ),
    *(
        Table(
            "codec " + codec,
            ["CREATE TABLE {t} USING delta AS " + FEW.replace("40", "4000")],
            [r"%s\.parquet$" % suffix],
            {"spark.sql.parquet.compression.codec": codec, **SMALL_PAGES},
        )
        for codec, suffix in [
            ("none", "-c000"),
            ("gzip", "gz"),
            ("zstd", "zstd"),
            ("lz4", "lz4hadoop"),
            ("lz4raw", "lz4raw"),
        ]
    ),
    widening("integers", [c for c in PAIRS if c[0] in "abc"]),
    checkpoints("classic", [r"_delta_log/0*4.checkpoint.parquet$"], {}, {}),
    checkpoints(
        "in parts",
        [r"_delta_log/0*4.checkpoint.0*1.0*[3-9].parquet$"],
        {},
        {"spark.databricks.delta.checkpoint.partSize": "5"},
    ),
    checkpoints(
        "v2 in Parquet with sidecars",
        [r"_delta_log/0*4\.checkpoint\.[0-9a-f-]*\.parquet$", r"_delta_log/_sidecars/.*\.parquet$"],
        {
            "delta.checkpointPolicy": "v2",
            "delta.enableDeletionVectors": "true",
            "delta.checkpoint.writeStatsAsStruct": "true",
        },
        {
            "spark.databricks.delta.checkpoint.partSize": "5",
            "spark.databricks.delta.checkpointV2.topLevelFileFormat": "parquet",
        },
    ),
    checkpoints(
        "v2 in JSON with sidecars",
        [r"_delta_log/0*4\.checkpoint\.[0-9a-f-]*\.json$", r"_delta_log/_sidecars/.*\.parquet$"],
        {
            "delta.checkpointPolicy": "v2",
            "delta.columnMapping.mode": "name",
            "delta.checkpoint.writeStatsAsJson": "false",
        },
        {
            "spark.databricks.delta.checkpoint.partSize": "5",
            "spark.databricks.delta.checkpointV2.topLevelFileFormat": "json",
        },
    ),
    Table(
        "compacted log",
        [
            "CREATE TABLE {t} USING delta %s AS %s" % (DV, FEW),
            "DELETE FROM {t} WHERE id < 3",
            "INSERT INTO {t} VALUES (99, 'x', null, 1)",
            "UPDATE {t} SET s = 'u' WHERE id = 9",
            "DELETE FROM {t} WHERE id BETWEEN 9 AND 12",
            compacted,
            "INSERT INTO {t} VALUES (100, 'x', null, 1)",
        ],
        [r"_delta_log/0*1\.0*4\.compacted\.json$"],
    ),
    Table(
        "partition values",
        [
            "CREATE TABLE {t} (id INT, %s) USING delta PARTITIONED BY (%s)" % (PARTITIONS, PARTITION_NAMES),
            partition_rows(),
        ],
    ),
    Table(
        "partition values in UTC",
        [
            "CREATE TABLE {t} (id INT, ts TIMESTAMP) USING delta PARTITIONED BY (ts)",
            "INSERT INTO {t} VALUES (1, TIMESTAMP'2019-11-14 03:11:05.123456'), (2, null), (3, TIMESTAMP'0001-01-01 00:00:00'), (4, TIMESTAMP'1969-12-31 23:59:59.9')",
        ],
        [r'"ts":"2019-11-14T03:11:05.123456Z"'],
        {"spark.databricks.delta.write.utcTimestampPartitionValues": "true"},
    ),
    Table(
        "partitions with strange names",
        [
            "CREATE TABLE {t} (id INT, `p=1` STRING, `größe` STRING) USING delta PARTITIONED BY (`p=1`, `größe`) "
            "TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
            "INSERT INTO {t} VALUES "
            + ", ".join("(%d, '%s', '%s')" % (i, s, STRINGS[-i]) for i, s in enumerate(STRINGS)),
        ],
    ),
    Table(
        "partitions with strange values",
        [
            "CREATE TABLE {t} (id INT, p STRING) USING delta PARTITIONED BY (p)",
            "INSERT INTO {t} VALUES " + ", ".join("(%d, '%s')" % (i, s) for i, s in enumerate(STRINGS)),
            "DELETE FROM {t} WHERE p = 'a/b' OR p = '<a>'",
            "OPTIMIZE {t}",
        ],
        [r"%252F"],
    ),
    Table(
        "generated and identity columns",
        [
            generated,
            "INSERT INTO {t} (ts) VALUES (TIMESTAMP'2019-11-14 23:59:59'), (null)",
            "INSERT INTO {t} (by_default, ts) VALUES (100, TIMESTAMP'1969-12-31 23:59:59')",
        ],
        ["delta.generationExpression", "delta.identity.start"],
    ),
    Table(
        "defaults and constraints",
        [
            "CREATE TABLE {t} (id INT NOT NULL, s STRING DEFAULT 'dflt', n STRUCT<a: INT NOT NULL>) USING delta TBLPROPERTIES "
            "('delta.feature.allowColumnDefaults' = 'supported', 'delta.feature.vacuumProtocolCheck' = 'supported', 'delta.appendOnly' = 'true')",
            "ALTER TABLE {t} ADD CONSTRAINT positive CHECK (id > 0)",
            "INSERT INTO {t} (id, n) VALUES (1, named_struct('a', 1)), (2, named_struct('a', 2))",
            "ALTER TABLE {t} ALTER COLUMN id DROP NOT NULL",
            "INSERT INTO {t} VALUES (3, DEFAULT, named_struct('a', 3))",
            "ALTER TABLE {t} DROP CONSTRAINT positive",
        ],
        [
            feature("allowColumnDefaults"),
            "CURRENT_DEFAULT",
            "delta.constraints.positive",
            feature("vacuumProtocolCheck"),
            "delta.appendOnly",
        ],
    ),
    Table(
        "row tracking",
        [
            "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.enableRowTracking' = 'true', 'delta.enableDeletionVectors' = 'true') AS "
            + FEW,
            "UPDATE {t} SET s = 'x' WHERE id < 5",
            "DELETE FROM {t} WHERE id % 3 = 0",
            "OPTIMIZE {t}",
            "INSERT INTO {t} VALUES (7, 'seven', null, 1)",
        ],
        [feature("rowTracking"), "baseRowId", "_row-id-col", "domainMetadata"],
    ),
    Table(
        "clustering",
        [
            "CREATE TABLE {t} (id INT, s STRING, n STRUCT<a: BIGINT, l: ARRAY<BIGINT>>, p INT) USING delta CLUSTER BY (id, n.a)",
            "INSERT INTO {t} " + FEW,
            "OPTIMIZE {t}",
            "ALTER TABLE {t} CLUSTER BY NONE",
            "DELETE FROM {t} WHERE id > 20",
        ],
        [feature("clustering"), r"delta\.clustering", "clusteringProvider"],
    ),
    Table(
        "Iceberg compatibility 1",
        [
            "CREATE TABLE {t} USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.enableIcebergCompatV1' = 'true', "
            "'delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '7') AS "
            + FEW.replace("named_struct('a', id, 'l', array(id, null))", "id"),
            "DELETE FROM {t} WHERE id < 3",
        ],
        [feature("icebergCompatV1")],
    ),
    Table(
        "Iceberg compatibility 2",
        [
            "CREATE TABLE {t} USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.enableIcebergCompatV2' = 'true', "
            "'delta.columnMapping.mode' = 'name') AS " + FEW,
            "DELETE FROM {t} WHERE id < 3",
            "ALTER TABLE {t} RENAME COLUMN s TO q",
        ],
        [feature("icebergCompatV2")],
    ),
    Table(
        "schemas that grow",
        [
            "CREATE TABLE {t} USING delta AS " + FEW,
            appended(
                "SELECT int(1000) AS id, named_struct('a', 1L, 'l', array(1L), 'new', map('k', named_struct('v', 1))) AS n, 5D AS extra",
                mergeSchema="true",
            ),
            "ALTER TABLE {t} ADD COLUMNS (first INT FIRST, middle STRUCT<a: INT> AFTER s)",
            "ALTER TABLE {t} ALTER COLUMN n FIRST",
            "ALTER TABLE {t} ADD COLUMNS (n.new.value.w DATE FIRST)",
            "INSERT INTO {t} (id, middle) VALUES (2000, named_struct('a', null))",
            "CREATE OR REPLACE TABLE {t} USING delta PARTITIONED BY (s) AS SELECT 'x' AS s, 1.5 AS id",
            "INSERT OVERWRITE {t} VALUES ('y', 2.5), (null, 0)",
            "RESTORE {t} TO VERSION AS OF 5",
            "DELETE FROM {t}",
        ],
        read_only=True,
    ),
    Table(
        "columns of no type",
        [
            "CREATE TABLE {t} USING delta AS SELECT 1 AS id, NULL AS n",
            appended("SELECT 2 AS id, 's' AS n", mergeSchema="true"),
            appended("SELECT 3 AS id, NULL AS m, 'x' AS n", mergeSchema="true"),
        ],
        [r"void"],
    ),
    Table(
        "no statistics",
        [
            "CREATE TABLE {t} USING delta TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '0') AS " + FEW,
            "DELETE FROM {t} WHERE id = 7",
        ],
    ),
    Table(
        "shallow clone",
        [cloned, "INSERT INTO {t} VALUES (1000, null)", "DELETE FROM {t} WHERE id < 10", "OPTIMIZE {t}"],
        [r'"add":.*"path":"file:'],
        external=True,
    ),
    Table(
        "converted",
        [converted, "INSERT INTO {t} VALUES (1, null, 'p/1 %')", "DELETE FROM {t} WHERE id < 10"],
        [r'"operation":"CONVERT"'],
    ),
    Table(
        "vacuumed",
        [
            "CREATE TABLE {t} USING delta %s AS %s" % (DV, FEW),
            "DELETE FROM {t} WHERE id < 3",
            "OPTIMIZE {t}",
            "REORG TABLE {t} APPLY (PURGE)",
            "DELETE FROM {t} WHERE id < 9",
            "VACUUM {t} RETAIN 0 HOURS",
        ],
        [r'"operation":"VACUUM END"'],
    ),
    Table(
        "random prefixes of deletion vectors",
        [
            "CREATE TABLE {t} USING delta PARTITIONED BY (p) TBLPROPERTIES ('delta.randomizeFilePrefixes' = 'true', 'delta.enableDeletionVectors' = 'true') AS "
            + FEW,
            "DELETE FROM {t} WHERE id < 3",
        ],
        [r'"pathOrInlineDv":"[^"]{22}"'],
    ),
    Table(
        "wide rows and long values",
        [
            "CREATE TABLE {t} USING delta AS SELECT int(id) AS id, repeat(concat('é', id), int(id) * 200) AS s, "
            "transform(sequence(0, id * 20), x -> repeat('z', int(x) % 50)) AS l FROM range(0, 200, 1, 1)"
        ],
        conf=SMALL_PAGES,
    ),
    Table("bloom filters", ["CREATE TABLE {t} USING delta AS " + FEW], conf={"parquet.bloom.filter.enabled#s": "true"}),
]

# What needs Spark 4 with Delta 4.
NEWER = [
    widening("all pairs", PAIRS),
    widening("partition values", [c for c in PAIRS if c[0] in "bfghkot"], "PARTITIONED BY (b, f, g, h, k, o, t)"),
    Table(
        "type widening of nested columns", NESTED_PAIRS, [feature("typeWidening"), "fieldPath"], versions=[1, 3, 7, 8]
    ),
    Table(
        "variants",
        [
            "CREATE TABLE {t} (id INT, v VARIANT, s STRUCT<v: VARIANT, a: INT>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>) USING delta",
            """INSERT INTO {t} SELECT id, parse_json(j), named_struct('v', parse_json(j), 'a', id), array(parse_json(j), null), map('k', parse_json(j)) FROM VALUES
            (1, '1'), (2, 'null'), (3, '"text"'), (4, '{"a": 1, "b": {"c": [1, 2.5, "x", null, true]}}'), (5, '[]'), (6, '{}'), (7, '1.5e300'),
            (8, '9223372036854775807'), (9, '99999999999999999999999999999999999999'), (10, '-0.000000000000000001'), (11, '"naïve 🚀 \\\\" \\\\u0001"'),
            (12, '[[[[]]]]'), (13, '{"": 1, "ä": 2, "b": 3, "B": 4}'), (14, 'false'), (15, '-129'), (16, '32768'), (17, concat('"', repeat('x', 100), '"')) AS t(id, j)""",
            "INSERT INTO {t} VALUES (100, null, null, null, null), (101, null, named_struct('v', null, 'a', null), array(), map())",
            "DELETE FROM {t} WHERE id % 2 = 0",
        ],
        [feature("variantType"), "variant"],
    ),
    Table(
        "shredded variants",
        [
            "CREATE TABLE {t} (id INT, v VARIANT, l ARRAY<VARIANT>) USING delta TBLPROPERTIES ('delta.enableVariantShredding' = 'true')",
            """INSERT INTO {t} SELECT id, parse_json(j), array(parse_json(j), null) FROM VALUES (1, '{"a": 1, "b": {"c": ["x", "y"], "d": 2.50}}'),
            (2, '{"a": "no number", "b": 7, "z": null}'), (3, '{"b": {"c": ["x", 1, null], "e": true}, "a": null}'), (4, '[1, 2]'), (5, 'null'), (6, '{}'),
            (7, '{"a": 2147483648, "b": {"c": [], "d": 1e10}}'), (8, null), (9, '{"b": {"c": "x"}}'), (10, '"text"') AS t(id, j)""",
            """INSERT INTO {t} VALUES (20, CAST(DATE'0001-01-01' AS VARIANT), array()), (21, CAST(TIMESTAMP'2019-11-14 03:11:05.000001' AS VARIANT), null),
            (22, CAST(TIMESTAMP_NTZ'1969-12-31 23:59:59.9' AS VARIANT), null), (23, CAST(X'00ff' AS VARIANT), null), (24, CAST(float(0.1) AS VARIANT), null),
            (25, CAST(CAST(-1.50 AS DECIMAL(38,10)) AS VARIANT), null), (26, CAST(1.25 AS VARIANT), null), (27, CAST(12345678901.5 AS VARIANT), null),
            (28, to_variant_object(named_struct('a', 1Y, 'b', named_struct('c', array('x'), 'd', DATE'2019-11-14'))), array(CAST(1S AS VARIANT)))""",
            "DELETE FROM {t} WHERE id IN (1, 28)",
        ],
        [feature("variantShredding-preview")],
        {
            "spark.sql.variant.writeShredding.enabled": "true",
            "spark.sql.variant.forceShreddingSchemaForTest": "a int, b struct<c array<string>, d decimal(9,2)>",
        },
    ),
    Table(
        "deletion vectors dropped",
        [
            "CREATE TABLE {t} USING delta %s AS %s" % (DV, FEW),
            "DELETE FROM {t} WHERE id < 3",
            "ALTER TABLE {t} DROP FEATURE deletionVectors",
        ],
        [r"deletionVectors"],
    ),
]
