/*
 * What the parts of a target share. Not for other files.
 *
 *	target.c		opened, reloaded, its key
 *	target_schema.c		the columns that --schema and SCHEMA records tell
 *	target_create.c		the draft of a new table
 *	target_property.c	--property
 *	target_evolve.c		columns that come, and types that widen, in a table that is there
 *	target_change.c		a new metaData, and the protocol that it needs
 */
#ifndef CDC_TABLE_TARGET_INT_H
#define CDC_TABLE_TARGET_INT_H

#include "table/merge/target.h"

/* A metaData made beside the snapshot. */
struct target_change {
	struct cdc_schema schema;
	struct cdc_kv *config;
	int num_config;
	int cap_config;
	struct cdc_arena arena; /* owns the properties that were set */
	uint64_t added; /* columns */
	uint64_t widened;
	uint64_t relaxed; /* no longer NOT NULL */
};

/* From what the target's snapshot has. To be freed, also after a failure. */
int change_begin(struct target_change *c, struct cdc_target *t, struct cdc_err *err) CDC_NODISCARD;
void change_free(struct target_change *c);
bool change_get(const struct target_change *c, const char *key, struct cdc_str *value);
bool change_is(const struct target_change *c, const char *key, const char *value);
/* Both are copied; the key replaces one that is there. */
int change_set(struct target_change *c, struct cdc_str key, struct cdc_str value,
	       struct cdc_err *err) CDC_NODISCARD;
void change_unset(struct target_change *c, const char *key);
/* Column mapping for the fields that have none, and the highest id that is taken now. */
int change_map_columns(struct target_change *c, struct cdc_target *t, bool new_names,
		       struct cdc_err *err) CDC_NODISCARD;
/* What goes with delta.enableRowTracking=true. */
int change_track_rows(struct target_change *c, struct cdc_target *t,
		      struct cdc_err *err) CDC_NODISCARD;
/*
 * Make it the metaData of the snapshot, with the protocol that it needs: the target is pending
 * then. CDC_EUNSUPPORTED, and nothing changed, when such a table could not be written to.
 */
int change_apply(struct target_change *c, struct cdc_target *t, struct cdc_err *err) CDC_NODISCARD;

/*
 * The columns of the record (NULL: none) with the types that they have in a table; --schema
 * overrides and adds. `table`: the columns that are there already, NULL: none; of those, a type
 * that the source does not tell is what it was instead of a failure, and so is nullable.
 */
int target_columns(struct cdc_target *t, const struct cdc_record *rec,
		   const struct cdc_schema *table, struct cdc_schema *out,
		   struct cdc_err *err) CDC_NODISCARD;

/* --key, else the table's cdc.key, else the primary key of the SCHEMA record. */
int target_find_key(struct cdc_target *t, const struct cdc_snapshot *s,
		    const struct cdc_record *rec, struct cdc_err *err) CDC_NODISCARD;
int target_draft(struct cdc_target *t, const struct cdc_record *rec,
		 struct cdc_err *err) CDC_NODISCARD;
/* The i-th --property, split and checked. */
int target_property(const struct cdc_target *t, size_t i, struct cdc_str *key,
		    struct cdc_str *value, struct cdc_err *err) CDC_NODISCARD;
/* Give a table that was reloaded the columns that the rows at hand need. */
int target_evolve_to(struct cdc_target *t, const struct cdc_schema *wanted,
		     struct cdc_err *err) CDC_NODISCARD;

#endif
