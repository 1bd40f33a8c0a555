/*
 * The table properties that we know (spec section 17). See property.h.
 */
#include "delta/property.h"

#include "base/value.h"

#define SHOWN(s) (int)((s).n > 200 ? 200 : (s).n), (s).p
#define MS_PER_DAY INT64_C(86400000)

/* ------------------------------------------------------------------ values */

static struct cdc_str next_word(struct cdc_str *s)
{
	struct cdc_str w;
	size_t i = 0;

	while (s->n && s->p[0] == ' ')
		*s = cdc_str(s->p + 1, s->n - 1);
	while (i < s->n && s->p[i] != ' ')
		i++;
	w = cdc_str(s->p, i);
	*s = cdc_str(s->p + i, s->n - i);
	return w;
}

static int64_t unit_ms(struct cdc_str unit)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
		{ "week", 7 * MS_PER_DAY }, { "day", MS_PER_DAY }, { "hour", 3600000 },
		{ "minute", 60000 },	    { "second", 1000 },	   { "millisecond", 1 },
	};

	if (unit.n && (unit.p[unit.n - 1] == 's' || unit.p[unit.n - 1] == 'S'))
		unit.n--;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (cdc_str_ieq(unit, cdc_str_z(units[i].name)))
			return units[i].ms;
	}
	return 0;
}

bool cdc_interval_parse(struct cdc_str text, int64_t *ms)
{
	struct cdc_str word = next_word(&text);
	int64_t sum = 0, n, part;

	if (cdc_str_ieq(word, CDC_STR("interval")))
		word = next_word(&text);
	if (!word.n)
		return false;
	for (; word.n; word = next_word(&text)) {
		if (cdc_int64_parse(word, &n) != CDC_PARSE_OK || n < 0)
			return false;
		part = unit_ms(next_word(&text));
		if (part == 0 || __builtin_mul_overflow(n, part, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return false;
	}
	*ms = sum;
	return true;
}

/* ------------------------------------------------------------------ the properties */

enum kind { BOOL, INTEGER, INTERVAL, SIZE, CHOICE, COLUMNS, TEXT };

struct property {
	const char *key; /* one that ends in a dot stands for all that begin so */
	enum kind kind;
	int64_t min; /* INTEGER */
	int64_t max;
	const char *choice; /* CHOICE: words between commas */
};

static const struct property properties[] = {
	{ "delta.appendOnly", BOOL, 0, 0, NULL },
	{ "delta.checkpointInterval", INTEGER, 1, INT32_MAX, NULL },
	{ "delta.checkpointPolicy", CHOICE, 0, 0, "classic,v2" },
	{ "delta.checkpoint.writeStatsAsJson", BOOL, 0, 0, NULL },
	{ "delta.checkpoint.writeStatsAsStruct", BOOL, 0, 0, NULL },
	{ "delta.columnMapping.mode", CHOICE, 0, 0, "none,name,id" },
	{ "delta.constraints.", TEXT, 0, 0, NULL },
	{ "delta.dataSkippingNumIndexedCols", INTEGER, -1, INT32_MAX, NULL },
	{ "delta.dataSkippingStatsColumns", COLUMNS, 0, 0, NULL },
	{ "delta.dataSkippingStringPrefixLength", INTEGER, 1, INT32_MAX, NULL },
	{ "delta.deletedFileRetentionDuration", INTERVAL, 0, 0, NULL },
	{ "delta.enableChangeDataFeed", BOOL, 0, 0, NULL },
	{ "delta.enableDeletionVectors", BOOL, 0, 0, NULL },
	{ "delta.enableExpiredLogCleanup", BOOL, 0, 0, NULL },
	{ "delta.enableInCommitTimestamps", BOOL, 0, 0, NULL },
	{ "delta.enableRowTracking", BOOL, 0, 0, NULL },
	{ "delta.enableTypeWidening", BOOL, 0, 0, NULL },
	{ "delta.isolationLevel", CHOICE, 0, 0, "Serializable,WriteSerializable" },
	{ "delta.logRetentionDuration", INTERVAL, 0, 0, NULL },
	{ "delta.parquet.compression.codec", CHOICE, 0, 0,
	  "zstd,snappy,gzip,lz4,lz4_raw,uncompressed,none" },
	{ "delta.randomizeFilePrefixes", BOOL, 0, 0, NULL },
	{ "delta.randomPrefixLength", INTEGER, 1, 32, NULL },
	{ "delta.setTransactionRetentionDuration", INTERVAL, 0, 0, NULL },
	{ "delta.targetFileSize", SIZE, 0, 0, NULL },
};

static bool begins(struct cdc_str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && !memcmp(s.p, prefix, n);
}

static const struct property *find(struct cdc_str key)
{
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		const char *name = properties[i].key;

		if (name[strlen(name) - 1] == '.' ? begins(key, name) && key.n > strlen(name)
						  : cdc_str_eqz(key, name))
			return &properties[i];
	}
	return NULL;
}

/* Whether a word of the list is the value. */
static bool is_choice(struct cdc_str value, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (cdc_str_ieq(value, cdc_str(list, n)))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* Names between commas, none of them empty. */
static bool is_column_list(struct cdc_str value)
{
	bool word = false;

	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == ',' && !word)
			return false;
		word = value.p[i] != ',' && (word || value.p[i] != ' ');
	}
	return word;
}

static int refuse(struct cdc_str key, struct cdc_str value, const char *expected,
		  struct cdc_err *err)
{
	return cdc_fail(err, CDC_EUSAGE, "--property %.*s: \"%.*s\" is not %s", SHOWN(key),
			SHOWN(value), expected);
}

static int check_value(const struct property *p, struct cdc_str key, struct cdc_str value,
		       struct cdc_err *err)
{
	uint64_t bytes;
	int64_t n;

	switch (p->kind) {
	case BOOL:
		if (!is_choice(value, "true,false"))
			return refuse(key, value, "true or false", err);
		break;
	case INTEGER:
		if (cdc_int64_parse(value, &n) != CDC_PARSE_OK || n < p->min || n > p->max)
			return cdc_fail(err, CDC_EUSAGE,
					"--property %.*s: \"%.*s\" is not a number from %lld to "
					"%lld",
					SHOWN(key), SHOWN(value), (long long)p->min,
					(long long)p->max);
		break;
	case INTERVAL:
		if (!cdc_interval_parse(value, &n))
			return refuse(key, value, "an interval such as \"interval 7 days\"", err);
		break;
	case SIZE:
		if (cdc_size_parse(value, &bytes) != CDC_PARSE_OK || !bytes || bytes > INT64_MAX)
			return refuse(key, value, "a size such as 128mb", err);
		break;
	case CHOICE:
		if (!is_choice(value, p->choice))
			return cdc_fail(err, CDC_EUSAGE, "--property %.*s: \"%.*s\" is none of %s",
					SHOWN(key), SHOWN(value), p->choice);
		break;
	case COLUMNS:
		if (!is_column_list(value))
			return refuse(key, value, "a list of columns", err);
		break;
	case TEXT:
		if (!value.n)
			return refuse(key, value, "an expression", err);
		break;
	}
	return CDC_OK;
}

int cdc_property_check(struct cdc_str key, struct cdc_str value, struct cdc_err *err)
{
	const struct property *p;

	if (begins(key, "cdc."))
		return cdc_fail(err, CDC_EUSAGE,
				"--property %.*s: keys that begin with \"cdc.\" are kept by this "
				"program itself",
				SHOWN(key));
	if (!begins(key, "delta."))
		return CDC_OK;
	if (cdc_str_eqz(key, "delta.minReaderVersion") ||
	    cdc_str_eqz(key, "delta.minWriterVersion"))
		return cdc_fail(err, CDC_EUSAGE,
				"--property %.*s is not stored: the protocol follows from what the "
				"table uses",
				SHOWN(key));
	p = find(key);
	if (!p)
		return cdc_fail(err, CDC_EUSAGE, "--property %.*s is not supported", SHOWN(key));
	return check_value(p, key, value, err);
}
