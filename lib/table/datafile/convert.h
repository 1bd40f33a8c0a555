/*
 * From the physical types of Parquet files to the types of the table in memory.
 */
#ifndef CDC_TABLE_CONVERT_H
#define CDC_TABLE_CONVERT_H

#include "delta/schema.h"
#include "parquet/parquet.h"

struct cdc_convert;

/*
 * Fill `n` values at `out`, in the layout of cdc_type_size, from a batch of the file. Slots without
 * a value, whose in->def is 0, are converted as the zero that they hold. False: a value does not
 * fit.
 */
typedef bool cdc_convert_fn(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out);

struct cdc_convert {
	cdc_convert_fn *fn; /* NULL: the file's values are the table's */
	cdc_i128 factor; /* decimals: 10^(scale of the table - scale of the file), or */
	cdc_i128 shrink; /* 10^(scale of the file - scale of the table); 0: none */
	cdc_i128 limit; /* decimals: 10^precision, or 10^38 */
	uint32_t length; /* decimals: bytes of a FIXED value */
	int64_t multiply; /* times: units of the table per unit of the file, or */
	int64_t divide; /* units of the file per unit of the table */
	bool utc; /* times: brought to UTC, negative ones are of the day before */
	int32_t low; /* integers: the least and the greatest that the table's type holds */
	int32_t high;
	size_t size; /* of one value of the table */
	/* What cdc_convert_calendar adds: */
	cdc_convert_fn *before; /* the conversion that comes first, or NULL */
	int64_t low_us; /* times: the first that can be told */
	const char *misfit; /* "holds ...": of what does not fit; NULL: a value out of range */
};

/*
 * How a leaf becomes a field: false when it cannot. Accepted is what loses nothing and what Spark
 * and its like accept (spec sections 13 and 18; parquet.md 3.3):
 *
 *	BYTE, SHORT, INTEGER	INT32, in range
 *	LONG, DOUBLE, DECIMAL	also narrower numbers; unsigned ones where the value fits
 *	FLOAT, DOUBLE		FLOAT, FLOAT16; DOUBLE
 *	DECIMAL			every physical form; a larger scale if the digits past ours are 0;
 *				more digits than the precision if the schema is the file's own
 *	STRING, BINARY		BYTE_ARRAY, whatever the annotation; BINARY also FIXED
 *	DATE			INT32
 *	TIMESTAMP(_NTZ)		INT64 of any unit, finer ones cut (as all engines do); INT96; DATE
 *	TIMESTAMP(_NTZ)_NS	INT64 of any unit; INT96
 *	TIME			INT32 or INT64 of any unit, within a day
 *	UUID, INTERVAL		FIXED of 16, 12 bytes
 *	BIG_DECIMAL		FIXED, BYTE_ARRAY of at most CDC_BIG_DECIMAL_BYTES, same scale
 *
 * A leaf that is annotated as always null is any field.
 */
bool cdc_convert_choose(struct cdc_convert *c, const struct cdc_pq_node *leaf,
			const struct cdc_field *f);

/*
 * After cdc_convert_choose(): dates and times of a file whose metadata says that Spark counted them
 * in Java's hybrid calendar become those of the same name in the Gregorian one, the only one of a
 * table. The order of values stays.
 */
void cdc_convert_calendar(struct cdc_convert *c, const struct cdc_pq_metadata *m,
			  const struct cdc_pq_node *leaf, const struct cdc_field *f);
/* Whether it may change anything in a file, but for INT96. */
bool cdc_convert_is_hybrid(const struct cdc_pq_metadata *m);

#endif
