"""How delta-rs and Spark make and change a table: the same few verbs for both.

Rows are tuples in the model's form. upsert and delete go by the key, as a MERGE does.
"""

import json
import time

from ours import latest


def commit_by_hand(path, operation, *actions):
    """A version that no engine would write."""
    info = {"timestamp": int(time.time() * 1000), "operation": operation, "operationParameters": {}}
    with open("%s/_delta_log/%020d.json" % (path, latest(path) + 1), "x") as f:
        f.writelines(json.dumps(action) + "\n" for action in ({"commitInfo": info}, *actions))


def quoted(text):
    return "'%s'" % text.replace("'", "''")


class DeltaRsWriter:
    def __init__(self, engine):
        self.engine = engine

    def create(self, path, columns, partition, properties, clause):
        self.engine.dl.write_deltalake(
            path,
            self.engine.arrow.table(columns, []),
            partition_by=partition or None,
            configuration=properties or None,
        )

    def append(self, path, columns, rows):
        self.engine.dl.write_deltalake(path, self.engine.arrow.table(columns, rows), mode="append")

    def merge(self, path, columns, key, rows):
        return self.engine.dl.DeltaTable(path).merge(
            self.engine.arrow.table(columns, rows),
            predicate=" AND ".join('t."%s" = s."%s"' % (k, k) for k in key),
            source_alias="s",
            target_alias="t",
        )

    def upsert(self, path, columns, key, rows):
        self.merge(path, columns, key, rows).when_matched_update_all().when_not_matched_insert_all().execute()

    def delete(self, path, columns, key, rows):
        self.merge(path, columns, key, rows).when_matched_delete().execute()

    def checkpoint(self, path):
        self.engine.dl.DeltaTable(path).create_checkpoint()

    def optimize(self, path):
        self.engine.dl.DeltaTable(path).optimize.compact()

    def vacuum(self, path):
        self.engine.dl.DeltaTable(path).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)

    def forget(self, path):
        """What was read of the table before."""

    def history(self, path):
        return [(h["version"], h["operation"]) for h in self.engine.dl.DeltaTable(path).history()]


class SparkWriter:
    def __init__(self, engine):
        self.engine = engine

    def sql(self, text, path):
        with self.engine.interpreted():
            return self.engine.sql(text.replace("TABLE_PATH", "delta.`%s`" % path))

    def create(self, path, columns, partition, properties, clause):
        ddl = ", ".join("`%s` %s%s" % (c.name, c.sql_type, "" if c.nullable else " NOT NULL") for c in columns)
        text = "CREATE TABLE TABLE_PATH (%s) USING delta %s" % (ddl, clause)
        if partition:
            text += " PARTITIONED BY (%s)" % ", ".join("`%s`" % p for p in partition)
        if properties:
            text += " TBLPROPERTIES (%s)" % ", ".join("%s = %s" % (quoted(k), quoted(v)) for k, v in properties.items())
        self.sql(text, path)

    def append(self, path, columns, rows):
        self.engine.view("s", columns, rows)
        self.sql("INSERT INTO TABLE_PATH SELECT * FROM s", path)

    def merge(self, path, columns, key, rows, clauses):
        self.engine.view("s", columns, rows)
        on = " AND ".join("t.`%s` = s.`%s`" % (k, k) for k in key)
        self.sql("MERGE INTO TABLE_PATH t USING s ON %s %s" % (on, clauses), path)

    def upsert(self, path, columns, key, rows):
        # Not SET *: what is an identity cannot be set, not even to what it is.
        values = ", ".join("t.`%s` = s.`%s`" % (c.name, c.name) for c in columns if c.name not in key)
        clauses = "WHEN MATCHED THEN UPDATE SET %s WHEN NOT MATCHED THEN INSERT *" % values
        self.merge(path, columns, key, rows, clauses)

    def delete(self, path, columns, key, rows):
        self.merge(path, columns, key, rows, "WHEN MATCHED THEN DELETE")

    def checkpoint(self, path):
        jvm = self.engine.session._jvm
        log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.engine.session._jsparkSession, path)
        log.checkpoint()

    def optimize(self, path):
        self.sql("OPTIMIZE TABLE_PATH", path)

    def vacuum(self, path):
        self.sql("VACUUM TABLE_PATH RETAIN 0 HOURS", path)

    def domains(self, path):
        """The domains of the table, as text."""
        jvm = self.engine.session._jvm
        log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.engine.session._jsparkSession, path)
        return log.update(False, jvm.scala.Option.empty(), jvm.scala.Option.empty()).domainMetadata().toString()

    def forget(self, path):
        self.engine.session._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()

    def history(self, path):
        return [(r["version"], r["operation"]) for r in self.sql("DESCRIBE HISTORY TABLE_PATH", path).collect()]
