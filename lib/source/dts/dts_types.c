/*
 * Names of DTS column types. MySQL uses one number for BLOB and TEXT, and one for VARCHAR and
 * VARBINARY: what the values are settles it.
 */
#include "source/dts/dts_types.h"

static const struct dts_type mysql[] = {
	{ 0, NULL, "decimal", NULL, NULL, DTS_AS_IT_IS },
	{ 1, NULL, "tinyint", NULL, NULL, DTS_AS_IT_IS },
	{ 2, NULL, "smallint", NULL, NULL, DTS_AS_IT_IS },
	{ 3, NULL, "int", NULL, NULL, DTS_AS_IT_IS },
	{ 4, "float", "float", NULL, NULL, DTS_AS_FLOAT },
	{ 5, "double", "double", NULL, NULL, DTS_AS_IT_IS },
	{ 7, "timestamp", "timestamp", NULL, NULL, DTS_AS_IT_IS },
	{ 8, NULL, "bigint", NULL, NULL, DTS_AS_IT_IS },
	{ 9, NULL, "mediumint", NULL, NULL, DTS_AS_IT_IS },
	{ 10, "date", "date", NULL, NULL, DTS_AS_DATE },
	{ 11, "time", "time", NULL, NULL, DTS_AS_TIME },
	{ 12, "datetime", "datetime", NULL, NULL, DTS_AS_IT_IS },
	{ 13, "year", "year", NULL, NULL, DTS_AS_YEAR },
	{ 14, "date", "date", NULL, NULL, DTS_AS_DATE },
	{ 15, "varchar", "varchar", "varbinary", NULL, DTS_AS_IT_IS },
	{ 16, NULL, "bit", NULL, NULL, DTS_AS_IT_IS },
	{ 17, "timestamp", "timestamp", NULL, NULL, DTS_AS_IT_IS },
	{ 18, "datetime", "datetime", NULL, NULL, DTS_AS_IT_IS },
	{ 19, "time", "time", NULL, NULL, DTS_AS_TIME },
	{ 245, "json", "json", NULL, NULL, DTS_AS_IT_IS },
	{ 246, NULL, "decimal", NULL, NULL, DTS_AS_IT_IS },
	{ 247, "enum", "enum", NULL, NULL, DTS_AS_IT_IS },
	{ 248, "set", "set", NULL, NULL, DTS_AS_IT_IS },
	{ 249, "tinyblob", NULL, "tinyblob", "tinytext", DTS_AS_IT_IS },
	{ 250, "mediumblob", NULL, "mediumblob", "mediumtext", DTS_AS_IT_IS },
	{ 251, "longblob", NULL, "longblob", "longtext", DTS_AS_IT_IS },
	{ 252, "blob", NULL, "blob", "text", DTS_AS_IT_IS },
	{ 253, "varchar", "varchar", "varbinary", NULL, DTS_AS_IT_IS },
	{ 254, "char", "char", "binary", NULL, DTS_AS_IT_IS },
	{ 255, "geometry", "geometry", NULL, NULL, DTS_AS_IT_IS },
};

/* Oracle's DATE has a time of day. */
static const struct dts_type oracle[] = {
	{ 1, "varchar2", "varchar", NULL, NULL, DTS_AS_IT_IS },
	{ 2, NULL, "decimal", NULL, NULL, DTS_AS_IT_IS },
	{ 8, "long", "text", NULL, NULL, DTS_AS_IT_IS },
	{ 12, "date", "datetime", NULL, NULL, DTS_AS_IT_IS },
	{ 23, "raw", "varbinary", NULL, NULL, DTS_AS_IT_IS },
	{ 24, "long raw", "blob", NULL, NULL, DTS_AS_IT_IS },
	{ 58, "xmltype", "text", NULL, NULL, DTS_AS_IT_IS },
	{ 69, "rowid", "varchar", NULL, NULL, DTS_AS_IT_IS },
	{ 96, "char", "char", NULL, NULL, DTS_AS_IT_IS },
	{ 100, "binary_float", "float", NULL, NULL, DTS_AS_FLOAT },
	{ 101, "binary_double", "double", NULL, NULL, DTS_AS_IT_IS },
	{ 112, "clob", "text", NULL, NULL, DTS_AS_IT_IS },
	{ 113, "blob", "blob", NULL, NULL, DTS_AS_IT_IS },
	{ 114, "bfile", "blob", NULL, NULL, DTS_AS_IT_IS },
	{ 180, "timestamp", "datetime", NULL, NULL, DTS_AS_IT_IS },
	{ 181, "timestamp with time zone", "timestamp", NULL, NULL, DTS_AS_IT_IS },
	{ 182, "interval year to month", "varchar", NULL, NULL, DTS_AS_IT_IS },
	{ 183, "interval day to second", "varchar", NULL, NULL, DTS_AS_IT_IS },
	{ 208, "urowid", "varchar", NULL, NULL, DTS_AS_IT_IS },
	{ 231, "timestamp with local time zone", "timestamp", NULL, NULL, DTS_AS_IT_IS },
};

static const struct {
	const char *source;
	const struct dts_type *types;
	size_t n;
} sources[] = {
	{ "MySQL", mysql, sizeof(mysql) / sizeof(mysql[0]) },
	{ "DRDS", mysql, sizeof(mysql) / sizeof(mysql[0]) },
	{ "Oracle", oracle, sizeof(oracle) / sizeof(oracle[0]) },
};

const struct dts_type *dts_type_find(const char *source_type, int32_t number)
{
	for (size_t s = 0; s < sizeof(sources) / sizeof(sources[0]); s++) {
		if (strcmp(sources[s].source, source_type) != 0)
			continue;
		for (size_t i = 0; i < sources[s].n; i++) {
			if (sources[s].types[i].number == number)
				return &sources[s].types[i];
		}
	}
	return NULL;
}
