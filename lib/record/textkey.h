/*
 * Keys by their text: which columns make the key of a table, told once for all tables or learned
 * from SCHEMA records, and the key bytes of a record. The callbacks of a net change (netchange.h)
 * for programs that know no types.
 *
 * Values are compared by their decoded text: 7 and "7" are one key, 7 and 7.0 are two.
 */
#ifndef CDC_RECORD_TEXTKEY_H
#define CDC_RECORD_TEXTKEY_H

#include "base/hash.h"
#include "record/record.h"

#define CDC_TEXTKEY_TABLES_MAX 1000000 /* distinct tables before CDC_EDATA */

struct cdc_textkey_table {
	char *text; /* owned: table name and column names */
	struct cdc_str name; /* raw JSON text */
	struct cdc_str *column; /* owned; raw JSON text */
	size_t n;
	uint32_t hint; /* where the last key column was found in an image */
};

struct cdc_textkey {
	struct cdc_textkey_table *table; /* of which a SCHEMA came */
	size_t n;
	size_t cap;
	size_t last; /* records of one table come in runs */
	struct cdc_map map;
	bool fixed; /* `every` is the key of every table */
	struct cdc_textkey_table every;
};

#define CDC_TEXTKEY_INIT                                                                           \
	{                                                                                          \
		.map = CDC_MAP_INIT                                                                \
	}

/* These columns (plain text) are the key of every table, whatever SCHEMA records say. CDC_EUSAGE
 * when one is named twice. */
int cdc_textkey_set(struct cdc_textkey *k, const char *const *column, size_t n,
		    struct cdc_err *err) CDC_NODISCARD;
/* Whether a SCHEMA record would give its table another key than it has. */
bool cdc_textkey_changes(const struct cdc_textkey *k, const struct cdc_record *r);
/* Take the primary key of a SCHEMA record for its table. *first (may be NULL): the first SCHEMA of
 * this table. */
int cdc_textkey_learn(struct cdc_textkey *k, const struct cdc_record *r, bool *first,
		      struct cdc_err *err) CDC_NODISCARD;
void cdc_textkey_free(struct cdc_textkey *k);

/* cdc_net_key_fn and cdc_net_is_key_fn; ctx is a struct cdc_textkey. */
int cdc_textkey_of(void *ctx, const struct cdc_record *r, uint32_t primary, uint32_t fallback,
		   struct cdc_buf *key, struct cdc_err *err);
bool cdc_textkey_is_key(void *ctx, struct cdc_str db_table, struct cdc_str column);

#endif
