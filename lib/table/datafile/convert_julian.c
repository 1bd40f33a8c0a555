/*
 * Days that Java counted in its hybrid calendar: Julian until 1582-10-04, then Gregorian. Spark did
 * so until version 3, and does still where it is told to; the file's metadata says so. What such a
 * day was called is what counts: 1582-10-04 is ten days further back than its number says.
 */
#include "table/datafile/convert.h"

#include "parquet/pq_format.h"

#define US_PER_DAY INT64_C(86400000000)
#define NS_PER_US 1000
#define FIRST_GREGORIAN (-141427) /* 1582-10-15, days since 1970 */
#define JULIAN_DAYS 719470 /* from Julian 0000-03-01 to 1970-01-01 */
#define DAYS_OF_FOUR_YEARS 1461
/* Before 1900 the calendars of Java differ in the offsets of many zones too. */
#define ZONES_AGREE_US INT64_C(-2208988800000000)

static int64_t floor_divide(int64_t v, int64_t by)
{
	return v / by - (v % by < 0);
}

/*
 * A day of the same name in the Gregorian calendar. The year begins in March, so that leap days end
 * it; 29 February of a year that has none is 1 March, as in Spark.
 */
static int64_t same_name(int64_t day)
{
	int64_t year;

	if (day >= FIRST_GREGORIAN)
		return day;
	year = floor_divide(4 * (day + JULIAN_DAYS) + 3, DAYS_OF_FOUR_YEARS);
	return day + 2 - floor_divide(year, 100) + floor_divide(year, 400);
}

static bool convert_first(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	if (c->before)
		return c->before(c, in, out);
	memcpy(out, in->values, in->n * c->size);
	return true;
}

static bool julian_dates(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	int32_t *day = out;

	if (!convert_first(c, in, out))
		return false;
	/* Long before our era the day of that name is later: it fits. */
	for (uint32_t i = 0; i < in->n; i++)
		day[i] = (int32_t)same_name(day[i]);
	return true;
}

static bool julian_times(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	bool good = true;
	int64_t *us = out;

	if (!convert_first(c, in, out))
		return false;
	for (uint32_t i = 0; i < in->n; i++) {
		int64_t day = floor_divide(us[i], US_PER_DAY);

		good &= us[i] >= c->low_us;
		good &= !__builtin_add_overflow(us[i], (same_name(day) - day) * US_PER_DAY, &us[i]);
	}
	return good;
}

/* INT96 of a lone file, whose reach is that of microseconds. */
static bool julian_nanos(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const cdc_i128 per_day = (cdc_i128)US_PER_DAY * NS_PER_US;
	bool good = true;
	cdc_i128 *ns = out;

	if (!convert_first(c, in, out))
		return false;
	for (uint32_t i = 0; i < in->n; i++) {
		int64_t day = (int64_t)(ns[i] / per_day) - (ns[i] % per_day < 0);

		good &= ns[i] >= (cdc_i128)c->low_us * NS_PER_US;
		ns[i] += (same_name(day) - day) * per_day;
	}
	return good;
}

/* ------------------------------------------------------------------ what the file says */

static const struct cdc_pq_meta_entry *find(const struct cdc_pq_metadata *m, const char *key)
{
	for (uint32_t i = 0; i < m->num_entries; i++) {
		if (cdc_str_eqz(m->entry[i].key, key))
			return &m->entry[i];
	}
	return NULL;
}

/* Spark compares its versions as text, too. */
static bool is_hybrid(const struct cdc_pq_metadata *m, const char *key, const char *since)
{
	const struct cdc_pq_meta_entry *version = find(m, "org.apache.spark.version");

	if (find(m, key))
		return true;
	return version && version->value.p && cdc_str_cmp(version->value, cdc_str_z(since)) < 0;
}

bool cdc_convert_is_hybrid(const struct cdc_pq_metadata *m)
{
	return is_hybrid(m, "org.apache.spark.legacyDateTime", "3.0.0");
}

static bool is_utc(const struct cdc_pq_metadata *m)
{
	static const char *const names[] = { "UTC", "Etc/UTC", "GMT", "Z" };
	const struct cdc_pq_meta_entry *zone = find(m, "org.apache.spark.timeZone");

	/* Without a zone it is that of the reader, here UTC. */
	if (!zone)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (cdc_str_eqz(zone->value, names[i]))
			return true;
	}
	return false;
}

void cdc_convert_calendar(struct cdc_convert *c, const struct cdc_pq_metadata *m,
			  const struct cdc_pq_node *leaf, const struct cdc_field *f)
{
	bool day = leaf->type == CDC_PQ_INT32;
	bool int96 = leaf->type == CDC_PQ_INT96;

	/* Times without a zone are younger than the change of the calendar. */
	if (f->type != CDC_TYPE_DATE && f->type != CDC_TYPE_TIMESTAMP &&
	    !(f->type == CDC_TYPE_TIMESTAMP_NTZ && day) &&
	    !(f->type == CDC_TYPE_TIMESTAMP_NS && int96))
		return;
	if (!(int96 ? is_hybrid(m, "org.apache.spark.legacyINT96", "3.1.0")
		    : cdc_convert_is_hybrid(m)))
		return;
	c->before = c->fn;
	c->fn = f->type == CDC_TYPE_DATE	   ? julian_dates
		: f->type == CDC_TYPE_TIMESTAMP_NS ? julian_nanos
						   : julian_times;
	c->low_us = INT64_MIN;
	if (!day && !is_utc(m)) {
		c->low_us = ZONES_AGREE_US;
		c->misfit = "holds a time before 1900 in the calendar that Spark 2 used in its "
			    "time zone";
	}
}
