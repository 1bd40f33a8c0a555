"""The engines that read and write the tables: each gives rows in the model's exact form.

An engine has a name, a reason why it is absent (or None), read() for all rows with their types,
and select() for the keys of the rows that a predicate keeps.
"""
import contextlib
import importlib.util
import json
import os
import subprocess
from decimal import Decimal

import model
import typed


class Failed(Exception):
    pass


def reason_for(home, *names):
    """What run.sh noted when a package could not be installed."""
    for name in names:
        try:
            with open(os.path.join(home, name + ".reason")) as f:
                return f.read().strip() or name + " cannot be installed"
        except FileNotFoundError:
            pass
    return None


def missing(home, package, module):
    reason = reason_for(home, "venv", package)
    if not reason and importlib.util.find_spec(module) is None:
        reason = "no Python module " + module
    return reason


# ------------------------------------------------------------------------ our own


class Programs:
    """cdc-merge and the others; run() fails on any exit status but those that are expected."""

    name = "cdc-snapshot"
    reason = None
    max_predicates = 0
    every_version = 1

    def __init__(self, directory):
        self.directory = directory

    def run(self, program, *args, stdin="", status=0):
        p = subprocess.run(
            [os.path.join(self.directory, program), *args],
            input=stdin.encode(),
            capture_output=True,
        )
        err = p.stderr.decode(errors="replace")
        if p.returncode != status:
            raise Failed("%s %s: exit %d: %s" % (program, " ".join(args), p.returncode, err.strip()))
        return p.stdout.decode(), err

    def read(self, path, columns, version=None):
        args = [] if version is None else ["--version-as-of", str(version)]
        out, _ = self.run("cdc-snapshot", "-q", *args, path)
        rows = []
        for line in out.split("\n")[:-1]:
            row = typed.parse(line)
            if [name for name, _ in row] != [c.name for c in columns]:
                raise Failed("columns %s" % [name for name, _ in row])
            rows.append(tuple(typed.of_json(c.type, v) for c, (_, v) in zip(columns, row)))
        out, _ = self.run("cdc-snapshot", "-q", "--describe", path)
        fields = json.loads(out)["schema"]["fields"]
        return {f["name"]: f["type"] for f in fields}, rows


# ------------------------------------------------------------------------ arrow


class Arrow:
    """Rows as pyarrow tables, for the engines that speak Arrow."""

    def __init__(self):
        import pyarrow

        self.pa = pyarrow

    def type(self, column):
        pa, t = self.pa, column.type
        if column.is_decimal:
            return pa.decimal128(column.precision, column.scale)
        if column.parts:
            inner = [self.type(c) for c in column.parts]
            if t["type"] == "struct":
                return pa.struct([pa.field(c.name, x) for c, x in zip(column.parts, inner)])
            return pa.list_(*inner) if t["type"] == "array" else pa.map_(*inner)
        return {
            "boolean": pa.bool_(), "byte": pa.int8(), "short": pa.int16(), "integer": pa.int32(), "long": pa.int64(),
            "float": pa.float32(), "double": pa.float64(), "string": pa.string(), "binary": pa.binary(),
            "date": pa.date32(), "timestamp": pa.timestamp("us", "UTC"), "timestamp_ntz": pa.timestamp("us"),
        }[t]  # fmt: skip

    def table(self, columns, rows):
        pa, arrays = self.pa, []
        for i, c in enumerate(columns):
            values = [r[i] for r in rows]
            if c.type in ("float", "double"):
                values = [None if v is None else model.as_float(v) for v in values]
            elif c.is_decimal:
                values = [None if v is None else Decimal(v) for v in values]
            elif c.parts:
                values = [typed.to_python(c.type, v) for v in values]
            if c.type == "date":
                array = pa.array(values, pa.int32()).cast(pa.date32())
            elif c.type in ("timestamp", "timestamp_ntz"):
                array = pa.array(values, pa.int64()).cast(self.type(c))
            else:
                array = pa.array(values, self.type(c))
            arrays.append(array)
        fields = [pa.field(c.name, self.type(c), c.nullable) for c in columns]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def write_parquet(self, columns, rows, path):
        import pyarrow.parquet

        pyarrow.parquet.write_table(self.table(columns, rows), path)

    def values(self, column, array):
        pa, t = self.pa, column.type
        if column.parts:
            return [typed.of_python(t, v) for v in array.to_pylist()]
        if t in ("string", "binary"):
            return array.cast(self.type(column)).to_pylist()
        if t == "date":
            return array.cast(pa.int32()).to_pylist()
        if t.startswith("timestamp"):
            return array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64()).to_pylist()
        out = array.to_pylist()
        if t in ("float", "double"):
            return [None if v is None else model.double(v) for v in out]
        if column.is_decimal:
            return [None if v is None else model.decimal_text(v, column.scale) for v in out]
        return out

    def type_name(self, type_):
        types, text = self.pa.types, str(type_)
        if types.is_timestamp(type_):
            return "timestamp" if type_.tz else "timestamp_ntz"
        if types.is_decimal(type_):
            return "decimal(%d,%d)" % (type_.precision, type_.scale)
        if types.is_struct(type_):
            return {"type": "struct", "fields": [{"name": f.name, "type": self.type_name(f.type)} for f in type_]}
        if types.is_map(type_):
            return {"type": "map", "keyType": self.type_name(type_.key_type), "valueType": self.type_name(type_.item_type)}
        if types.is_nested(type_):
            return {"type": "array", "elementType": self.type_name(type_.value_type)}
        names = {
            "bool": "boolean", "int8": "byte", "int16": "short", "int32": "integer", "int64": "long", "date32[day]": "date",
            "large_string": "string", "string_view": "string", "large_binary": "binary", "binary_view": "binary",
        }  # fmt: skip
        return names.get(text, text)

    def rows(self, columns, table):
        """Types and rows of what an engine returned."""
        by_name = {c.name: c for c in columns}
        if set(table.column_names) != set(by_name):
            raise Failed("columns %s" % table.column_names)
        data = [self.values(c, table.column(c.name)) for c in columns]
        types = {f.name: self.type_name(f.type) for f in table.schema}
        return types, list(zip(*data)) if table.num_rows else []


class DeltaRs:
    name = "delta-rs"
    max_predicates = 1000
    every_version = 1
    select_types = {
        "timestamp": "arrow_cast('%s', 'Timestamp(Microsecond, Some(\"UTC\"))')",
        "timestamp_ntz": "arrow_cast('%s', 'Timestamp(Microsecond, None)')",
        "binary": "X'%s'",
    }

    def __init__(self, home):
        self.reason = missing(home, "pyarrow", "pyarrow") or missing(home, "deltalake", "deltalake")
        if not self.reason:
            import deltalake

            self.dl, self.arrow = deltalake, Arrow()

    def query(self, path, sql, version=None):
        table = self.dl.DeltaTable(path, version=version)
        reader = self.dl.QueryBuilder().register("t", table).execute(sql)
        return table, self.arrow.pa.table(reader.read_all())

    def read(self, path, columns, version=None):
        table, rows = self.query(path, "SELECT * FROM t", version)
        _, rows = self.arrow.rows(columns, rows)
        fields = json.loads(table.schema().to_json())["fields"]
        return {f["name"]: f["type"] for f in fields}, rows

    def select(self, path, columns, predicates):
        """For each predicate the rows of these columns."""
        table = self.dl.DeltaTable(path)
        names = ", ".join('"%s"' % c.name for c in columns)
        out = []
        for p in predicates:
            sql = "SELECT %s FROM t WHERE %s" % (names, p.sql(self, '"'))
            got = self.dl.QueryBuilder().register("t", table).execute(sql).read_all()
            out.append(self.arrow.rows(columns, self.arrow.pa.table(got))[1])
        return out


class DuckDB:
    name = "duckdb"
    max_predicates = 1000
    every_version = 1
    select_types = {"timestamp": "TIMESTAMPTZ '%s+00'", "timestamp_ntz": "TIMESTAMP '%s'", "binary": "from_hex('%s')"}

    def __init__(self, home):
        self.reason = (
            missing(home, "pyarrow", "pyarrow")
            or missing(home, "duckdb", "duckdb")
            or missing(home, "duckdb-extension-delta", "duckdb_extension_delta")
        )
        if self.reason:
            return
        import duckdb
        import duckdb_extension_delta

        self.arrow = Arrow()
        self.db = duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "2"})
        extension = os.path.join(
            list(duckdb_extension_delta.__path__)[0],
            "extensions",
            "v" + duckdb.__version__,
            "delta.duckdb_extension",
        )
        try:
            self.db.execute("LOAD '%s'" % extension)
            self.db.execute("SET TimeZone = 'UTC'")
        except duckdb.Error as e:
            self.reason = str(e).split("\n")[0]

    def read(self, path, columns, version=None):
        at = "" if version is None else ", version => %d" % version
        table = self.db.execute("SELECT * FROM delta_scan('%s'%s)" % (path, at)).to_arrow_table()
        return self.arrow.rows(columns, table)

    def select(self, path, columns, predicates):
        names = ", ".join('"%s"' % c.name for c in columns)
        out = []
        for p in predicates:
            sql = "SELECT %s FROM delta_scan('%s') WHERE %s" % (names, path, p.sql(self, '"'))
            out.append(self.arrow.rows(columns, self.db.execute(sql).to_arrow_table())[1])
        return out


class Spark:
    name = "spark"
    max_predicates = 12  # they take it half a second each
    every_version = 5
    select_types = {
        "timestamp": "TIMESTAMP '%sZ'",
        "timestamp_ntz": "TIMESTAMP_NTZ '%s'",
        "binary": "X'%s'",
        # Its string literals have no way to hold every character.
        "string": "DECODE(X'%s', 'UTF-8')",
    }

    def __init__(self, home, work):
        self.session = None
        self.reason = reason_for(home, "jars") or missing(home, "pyspark", "pyspark")
        self.home, self.work, self.is_newer, self.reads = home, work, False, 0

    def start(self):
        """Takes some ten seconds; the one session serves the whole run."""
        if self.session or self.reason:
            return
        os.environ["TZ"] = "UTC"
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        from pyspark.sql import SparkSession

        jars = os.path.join(self.home, "jars")
        settings = {
            "spark.jars": ",".join(os.path.join(jars, j) for j in sorted(os.listdir(jars))),
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": os.path.join(self.work, "warehouse"),
            "spark.local.dir": os.path.join(self.work, "spark"),
            # Thousands of tiny jobs: a quick compiler serves them better than a good one.
            "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
            "-Dderby.system.home=" + self.work,
            "spark.driver.memory": "1500m",
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.default.parallelism": "2",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
            "spark.databricks.delta.snapshotPartitions": "1",
            "spark.databricks.delta.retentionDurationCheck.enabled": "false",
            # Ancient days are written as they are counted today, also in its INT96 timestamps.
            "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
            "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
            # CHAR(n) as it is stored: spaces that only Spark's SQL adds are no part of a table.
            "spark.sql.readSideCharPadding": "false",
            "spark.sql.variant.allowReadingShredded": "true",
        }
        builder = SparkSession.builder.master("local[2]").appName("interop")
        for k, v in settings.items():
            builder = builder.config(k, v)
        try:
            self.session = builder.getOrCreate()
        except Exception as e:
            self.reason = "Spark does not start: " + str(e).strip().split("\n")[0]
            return
        self.session.sparkContext.setLogLevel("OFF")
        self.is_newer = not self.session.version.startswith("3.")

    def cpu_seconds(self):
        """What its Java has used so far; the wall clock tells little on a machine that is shared."""
        if not self.session:
            return 0
        return self.session._jvm.java.lang.ProcessHandle.current().info().totalCpuDuration().get().toSeconds()

    def stop(self):
        if self.session:
            self.session.stop()

    def sql(self, text):
        return self.session.sql(text)

    @contextlib.contextmanager
    def interpreted(self):
        """No Java code is made for each query: twice as fast here, and another Parquet reader."""
        self.session.conf.set("spark.sql.codegen.wholeStage", "false")
        self.session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        try:
            yield
        finally:
            self.session.conf.unset("spark.sql.codegen.wholeStage")
            self.session.conf.unset("spark.sql.codegen.factoryMode")

    def expression(self, c):
        return typed.expression(typed.quoted(c.name), c.type)

    def rows(self, columns, collected):
        return [tuple(typed.of_spark(c.type, v) for c, v in zip(columns, row)) for row in collected]

    def read(self, path, columns, version=None):
        self.reads += version is None
        if version is None and self.reads % 3 == 0:
            # By code made for the query, which takes longer and reads Parquet in another way.
            return self.read_frame(self.session.read.format("delta").load(path), columns)
        with self.interpreted():
            reader = self.session.read.format("delta")
            if version is not None:
                reader = reader.option("versionAsOf", version)
            return self.read_frame(reader.load(path), columns)

    def read_frame(self, frame, columns):
        types = {f.name: f.dataType.jsonValue() for f in frame.schema.fields}
        if set(types) != {c.name for c in columns}:
            raise Failed("columns %s" % frame.columns)
        return types, self.rows(columns, frame.selectExpr(*map(self.expression, columns)).collect())

    def select(self, path, columns, predicates):
        names = ", ".join(map(self.expression, columns))
        parts = [
            "SELECT %d AS which, %s FROM delta.`%s` WHERE %s" % (i, names, path, p.sql(self, "`"))
            for i, p in enumerate(predicates)
        ]
        out = [[] for _ in predicates]
        with self.interpreted():
            for row in self.sql(" UNION ALL ".join(parts)).collect():
                out[row[0]] += self.rows(columns, [row[1:]])
        return out

    def view(self, name, columns, rows):
        """Rows as a temporary view, by way of a Parquet file that Spark did not write."""
        path = os.path.join(self.work, "view-%s.parquet" % os.urandom(6).hex())
        Arrow().write_parquet(columns, rows, path)
        frame = self.session.read.option("datetimeRebaseMode", "CORRECTED").parquet(path)
        frame.createOrReplaceTempView(name)
