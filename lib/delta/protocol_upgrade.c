/*
 * The protocol that a table's metadata asks for: what it has, raised as far as need be and no
 * further (spec section 5).
 */
#include "delta/features.h"
#include "delta/log.h"

#include <stdio.h>

#define MAX_FEATURES 64 /* more than the table of features has */

struct upgrade {
	const struct cdc_protocol *old;
	bool missing[MAX_FEATURES]; /* by place in the table of features */
	int num_missing;
	bool missing_by_list; /* one of them no legacy version implies */
	int reader; /* the versions that the missing ones and the old protocol ask for */
	int writer;
};

/* NOT NULL, at the top or in structs; lists and maps tell of their elements otherwise. */
static bool has_not_null(const struct cdc_field *f, int n)
{
	for (int i = 0; i < n; i++) {
		if (!f[i].nullable)
			return true;
		if (f[i].type == CDC_TYPE_STRUCT && has_not_null(f[i].child, f[i].num_children))
			return true;
	}
	return false;
}

/* Under its own name, or the one that it had as a preview. */
static bool supported(const struct cdc_protocol *p, const struct cdc_feature *f)
{
	char preview[64];
	int n = snprintf(preview, sizeof(preview), "%s-preview", f->name);

	return cdc_feature_supported(p, f) ||
	       (n > 0 && (size_t)n < sizeof(preview) &&
		cdc_feature_listed(p->writer_feature, p->num_writer_features, preview));
}

static void miss(struct upgrade *u, size_t i)
{
	const struct cdc_feature *f = &cdc_feature[i];
	const struct cdc_feature *needed = f->needs ? cdc_feature_find(cdc_str_z(f->needs)) : NULL;

	if (!u->missing[i] && !supported(u->old, f)) {
		u->missing[i] = true;
		u->num_missing++;
		u->missing_by_list |= !f->writer_version;
		if (f->writer_version > u->writer)
			u->writer = f->writer_version;
		if (f->reader_version > u->reader)
			u->reader = f->reader_version;
		if (f->readable && !f->reader_version)
			u->reader = CDC_READER_VERSION_MAX;
	}
	if (needed)
		miss(u, (size_t)(needed - cdc_feature));
}

static int find_missing(struct upgrade *u, const struct cdc_metadata *m,
			const struct cdc_schema *schema, struct cdc_err *err)
{
	bool not_null = has_not_null(schema->field, schema->num_fields);

	for (size_t i = 0; i < cdc_num_features; i++) {
		const struct cdc_feature *f = &cdc_feature[i];
		bool uses = false;

		if (f->passive)
			continue;
		if (cdc_feature_used(f, m, schema, &uses, err))
			return err->code;
		if (uses || (f->by_not_null && not_null))
			miss(u, i);
	}
	return CDC_OK;
}

static void add_once(struct cdc_str *list, int *n, struct cdc_str name)
{
	for (int i = 0; i < *n; i++) {
		if (cdc_str_eq(list[i], name))
			return;
	}
	list[(*n)++] = name;
}

/* Lists that name what the old protocol had, by list or by version, and what is missing. */
static int fill_lists(const struct upgrade *u, struct cdc_arena *arena, struct cdc_protocol *p,
		      struct cdc_err *err)
{
	const struct cdc_protocol *old = u->old;
	size_t room = cdc_num_features + (size_t)old->num_reader_features +
		      (size_t)old->num_writer_features;

	p->writer_version = CDC_WRITER_VERSION_MAX;
	p->writer_feature = cdc_arena_calloc(arena, room, sizeof(*p->writer_feature));
	p->reader_feature = cdc_arena_calloc(arena, room, sizeof(*p->reader_feature));
	if (!p->writer_feature || !p->reader_feature)
		return cdc_fail_nomem(err);
	for (int i = 0; i < old->num_writer_features; i++)
		add_once(p->writer_feature, &p->num_writer_features, old->writer_feature[i]);
	for (int i = 0; i < old->num_reader_features; i++)
		add_once(p->reader_feature, &p->num_reader_features, old->reader_feature[i]);
	for (size_t i = 0; i < cdc_num_features; i++) {
		const struct cdc_feature *f = &cdc_feature[i];

		if (!u->missing[i] && !cdc_feature_supported(old, f))
			continue;
		add_once(p->writer_feature, &p->num_writer_features, cdc_str_z(f->name));
		if (f->readable)
			add_once(p->reader_feature, &p->num_reader_features, cdc_str_z(f->name));
		if (f->reader_version > p->reader_version)
			p->reader_version = f->reader_version;
	}
	/* Readers of versions 1 and 2 have no list. */
	if (p->reader_version < CDC_READER_VERSION_MAX)
		p->num_reader_features = 0;
	return CDC_OK;
}

int cdc_protocol_upgrade(const struct cdc_protocol *old, const struct cdc_metadata *m,
			 const struct cdc_schema *schema, struct cdc_arena *arena,
			 struct cdc_protocol *out, bool *changed, struct cdc_err *err)
{
	struct upgrade u = { .old = old,
			     .reader = old->reader_version,
			     .writer = old->writer_version };
	int rc = find_missing(&u, m, schema, err);

	*out = *old;
	*changed = false;
	if (rc || !u.num_missing)
		return rc;
	*changed = true;
	*out = (struct cdc_protocol){ .reader_version = u.reader, .writer_version = u.writer };
	if (old->writer_version < CDC_WRITER_VERSION_MAX && !u.missing_by_list)
		return CDC_OK;
	return fill_lists(&u, arena, out, err);
}
