"""The tables that Spark makes for features.py: statements, and what must be found in the files.

In a statement {t} is the table and {p} its directory. Each of `has` is a regular expression that
must match a line of the log, or the path of a file below the directory: it proves that the table
has what it is here for.
"""


class Table:
    def __init__(self, name, statements, has=(), conf=None, external=False, versions=None):
        self.name, self.statements, self.has, self.conf = name, statements, has, conf or {}
        self.external = external
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


MAPPING_COLUMNS = (
    "id INT, `a b` STRING, `c.d` STRUCT<`x y`: INT, `z,;{}()=` ARRAY<STRUCT<`q.r`: STRING, w INT>>>, m MAP<STRING, STRUCT<v: INT>>, `p q` STRING"
)
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


def mapping(name, mode, partition, extra=""):
    made = "CREATE TABLE {t} (%s) USING delta %s TBLPROPERTIES ('delta.columnMapping.mode' = '%s'%s)"
    has = [r'"delta.columnMapping.mode":"%s"' % mode, r'"configuration".*"delta.columnMapping.maxColumnId"']
    return Table("column mapping " + name, [made % (MAPPING_COLUMNS, partition, mode, extra), MAPPING_ROWS] + MAPPING_LATER, has)


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

TABLES = [
    Table("flat", ["CREATE TABLE {t} (id INT, s STRING) USING delta", "INSERT INTO {t} VALUES (1, 'a'), (2, null)", "DELETE FROM {t}"]),
    Table("nested", ["CREATE TABLE {t} (%s) USING delta" % NESTED, NESTED_ROWS, NESTED_MANY, "DELETE FROM {t} WHERE s.a IS NULL"], conf=SMALL_PAGES),
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
        ["CREATE TABLE {t} USING delta %s AS SELECT int(id) AS id, concat('s', id) AS s, id * 3 AS n FROM range(0, 2000, 1, 2)" % DV] + DV_CHANGES,
        [feature("deletionVectors"), r'"storageType":"u"', r"^deletion_vector_"],
    ),
    mapping("by name", "name", "PARTITIONED BY (`p q`)"),
    mapping("by id", "id", ""),
]
