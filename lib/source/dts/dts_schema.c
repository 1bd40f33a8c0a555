/*
 * The Avro schema of a DTS event (spec section 1.2), version 2. Version 1 lacks bornTimestamp.
 * Messages carry no schema, so this is the layout of every dump that is not a container.
 */
#include "source/dts/dts_int.h"

/* One line a part of the schema. */
/* clang-format off */

#define NS "com.alibaba.dts.formats.avro."
#define F(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define RECORD(name, fields) \
	"{\"type\":\"record\",\"name\":\"" NS name "\",\"fields\":[" fields "]}"
#define ENUM(name, symbols) \
	"{\"type\":\"enum\",\"name\":\"" NS name "\",\"symbols\":[" symbols "]}"
#define ARRAY(items) "{\"type\":\"array\",\"items\":" items "}"
#define MAP(values) "{\"type\":\"map\",\"values\":" values "}"
#define REF(name) "\"" NS name "\""
#define INT "\"int\""
#define LONG "\"long\""
#define STRING "\"string\""
#define BYTES "\"bytes\""
#define DOUBLE "\"double\""
#define OPTIONAL(type) "[\"null\"," type "]"
#define TEXT_OR(array) "[\"null\",\"string\"," array "]"
#define PART(name) F(name, OPTIONAL(INT))

#define SOURCE_TYPES \
	"\"MySQL\",\"Oracle\",\"SQLServer\",\"PostgreSQL\",\"MongoDB\",\"Redis\",\"DB2\",\"PPAS\"," \
	"\"DRDS\",\"HBASE\",\"HDFS\",\"FILE\",\"OTHER\""

#define OPERATIONS \
	"\"INSERT\",\"UPDATE\",\"DELETE\",\"DDL\",\"BEGIN\",\"COMMIT\",\"ROLLBACK\",\"ABORT\"," \
	"\"HEARTBEAT\",\"CHECKPOINT\",\"COMMAND\",\"FILL\",\"FINISH\",\"CONTROL\",\"RDB\",\"NOOP\"," \
	"\"INIT\""

#define DATETIME_PARTS \
	PART("year") "," PART("month") "," PART("day") "," PART("hour") "," PART("minute") "," \
	PART("second") "," PART("millis")

#define NUMBER_SIZE F("precision", INT) "," F("scale", INT)

#define VALUES \
	"[\"null\"," \
	RECORD("Integer", F("precision", INT) "," F("value", STRING)) "," \
	RECORD("Character", F("charset", STRING) "," F("value", BYTES)) "," \
	RECORD("Decimal", F("value", STRING) "," NUMBER_SIZE) "," \
	RECORD("Float", F("value", DOUBLE) "," NUMBER_SIZE) "," \
	RECORD("Timestamp", F("timestamp", LONG) "," F("millis", INT)) "," \
	RECORD("DateTime", DATETIME_PARTS) "," \
	RECORD("TimestampWithTimeZone", F("value", REF("DateTime")) "," F("timezone", STRING)) "," \
	RECORD("BinaryGeometry", F("type", STRING) "," F("value", BYTES)) "," \
	RECORD("TextGeometry", F("type", STRING) "," F("value", STRING)) "," \
	RECORD("BinaryObject", F("type", STRING) "," F("value", BYTES)) "," \
	RECORD("TextObject", F("type", STRING) "," F("value", STRING)) "," \
	ENUM("EmptyObject", "\"NULL\",\"NONE\"") "]"

#define VALUE_REFS \
	"[\"null\"," REF("Integer") "," REF("Character") "," REF("Decimal") "," REF("Float") "," \
	REF("Timestamp") "," REF("DateTime") "," REF("TimestampWithTimeZone") "," \
	REF("BinaryGeometry") "," REF("TextGeometry") "," REF("BinaryObject") "," \
	REF("TextObject") "," REF("EmptyObject") "]"

#define FIELD RECORD("Field", F("name", STRING) "," F("dataTypeNumber", INT))
#define SOURCE \
	RECORD("Source", F("sourceType", ENUM("SourceType", SOURCE_TYPES)) "," F("version", STRING))

const char dts_schema_json[] = RECORD("Record",
	F("version", INT) ","
	F("id", LONG) ","
	F("sourceTimestamp", LONG) ","
	F("sourcePosition", STRING) ","
	F("safeSourcePosition", STRING) ","
	F("sourceTxid", STRING) ","
	F("source", SOURCE) ","
	F("operation", ENUM("Operation", OPERATIONS)) ","
	F("objectName", OPTIONAL(STRING)) ","
	F("processTimestamps", OPTIONAL(ARRAY(LONG))) ","
	F("tags", MAP(STRING)) ","
	F("fields", TEXT_OR(ARRAY(FIELD))) ","
	F("beforeImages", TEXT_OR(ARRAY(VALUES))) ","
	F("afterImages", TEXT_OR(ARRAY(VALUE_REFS))) ","
	F("bornTimestamp", LONG));

/* clang-format on */
