/*
 * The members of the actions (spec section 3) as tables, which the JSON and the checkpoint code
 * share, and the rules that a table cannot say.
 */
#include "delta/log_int.h"

#define AT(s, f) ((uint16_t)offsetof(struct s, f))
#define ALWAYS CDC_M_NO_FLAG

static const struct cdc_member txn_member[] = {
	{ "appId", CDC_M_STRING, true, true, AT(cdc_txn, app_id), ALWAYS, 0 },
	{ "version", CDC_M_INT64, true, true, AT(cdc_txn, version), ALWAYS, 0 },
	{ "lastUpdated", CDC_M_INT64, false, true, AT(cdc_txn, last_updated_ms),
	  AT(cdc_txn, has_last_updated), 0 },
};

static const struct cdc_member add_member[] = {
	{ "path", CDC_M_STRING, true, true, AT(cdc_add, path), ALWAYS, 0 },
	{ "partitionValues", CDC_M_MAP, false, true, AT(cdc_add, partition_value), ALWAYS,
	  AT(cdc_add, num_partition_values) },
	{ "size", CDC_M_INT64, true, true, AT(cdc_add, size_bytes), ALWAYS, 0 },
	{ "modificationTime", CDC_M_INT64, false, true, AT(cdc_add, modification_time_ms), ALWAYS,
	  0 },
	{ "dataChange", CDC_M_BOOL, false, true, AT(cdc_add, data_change), ALWAYS, 0 },
	{ "stats", CDC_M_STRING, false, true, AT(cdc_add, stats), ALWAYS, 0 },
	{ "tags", CDC_M_TAGS, false, true, AT(cdc_add, tags), ALWAYS, 0 },
	{ "deletionVector", CDC_M_DV, false, true, AT(cdc_add, dv), ALWAYS, 0 },
	{ "baseRowId", CDC_M_INT64, false, true, AT(cdc_add, base_row_id),
	  AT(cdc_add, has_base_row_id), 0 },
	{ "defaultRowCommitVersion", CDC_M_INT64, false, true,
	  AT(cdc_add, default_row_commit_version), AT(cdc_add, has_default_row_commit_version), 0 },
	{ "clusteringProvider", CDC_M_STRING, false, true, AT(cdc_add, clustering_provider), ALWAYS,
	  0 },
};

static const struct cdc_member remove_member[] = {
	{ "path", CDC_M_STRING, true, true, AT(cdc_remove, path), ALWAYS, 0 },
	{ "deletionTimestamp", CDC_M_INT64, false, true, AT(cdc_remove, deletion_timestamp_ms),
	  AT(cdc_remove, has_deletion_timestamp), 0 },
	{ "dataChange", CDC_M_BOOL, false, true, AT(cdc_remove, data_change), ALWAYS, 0 },
	{ "extendedFileMetadata", CDC_M_EXTENDED, false, true, AT(cdc_remove, extended), ALWAYS,
	  0 },
	{ "partitionValues", CDC_M_MAP, false, true, AT(cdc_remove, partition_value),
	  AT(cdc_remove, extended), AT(cdc_remove, num_partition_values) },
	{ "size", CDC_M_INT64, false, true, AT(cdc_remove, size_bytes), AT(cdc_remove, extended),
	  0 },
	/* A checkpoint's removes have no stats (spec section 9). */
	{ "stats", CDC_M_COUNT_STATS, false, false, AT(cdc_remove, num_records), ALWAYS, 0 },
	{ "deletionVector", CDC_M_DV, false, true, AT(cdc_remove, dv), ALWAYS, 0 },
	{ "baseRowId", CDC_M_INT64, false, true, AT(cdc_remove, base_row_id),
	  AT(cdc_remove, has_base_row_id), 0 },
	{ "defaultRowCommitVersion", CDC_M_INT64, false, true,
	  AT(cdc_remove, default_row_commit_version),
	  AT(cdc_remove, has_default_row_commit_version), 0 },
};

static const struct cdc_member metadata_member[] = {
	{ "id", CDC_M_STRING, true, true, AT(cdc_metadata, id), ALWAYS, 0 },
	{ "name", CDC_M_STRING, false, true, AT(cdc_metadata, name), ALWAYS, 0 },
	{ "description", CDC_M_STRING, false, true, AT(cdc_metadata, description), ALWAYS, 0 },
	{ "format", CDC_M_FORMAT, false, true, 0, ALWAYS, 0 },
	{ "schemaString", CDC_M_STRING, false, true, AT(cdc_metadata, schema_json), ALWAYS, 0 },
	{ "partitionColumns", CDC_M_LIST, false, true, AT(cdc_metadata, partition_column), ALWAYS,
	  AT(cdc_metadata, num_partition_columns) },
	{ "configuration", CDC_M_MAP, false, true, AT(cdc_metadata, config), ALWAYS,
	  AT(cdc_metadata, num_config) },
	{ "createdTime", CDC_M_INT64, false, true, AT(cdc_metadata, created_time_ms),
	  AT(cdc_metadata, has_created_time), 0 },
};

static const struct cdc_member protocol_member[] = {
	{ "minReaderVersion", CDC_M_INT32, true, true, AT(cdc_protocol, reader_version), ALWAYS,
	  0 },
	{ "minWriterVersion", CDC_M_INT32, true, true, AT(cdc_protocol, writer_version), ALWAYS,
	  0 },
	{ "readerFeatures", CDC_M_LIST, false, true, AT(cdc_protocol, reader_feature), ALWAYS,
	  AT(cdc_protocol, num_reader_features) },
	{ "writerFeatures", CDC_M_LIST, false, true, AT(cdc_protocol, writer_feature), ALWAYS,
	  AT(cdc_protocol, num_writer_features) },
};

enum { READER_FEATURES = 2, WRITER_FEATURES = 3 }; /* places in the table above */

static const struct cdc_member domain_member[] = {
	{ "domain", CDC_M_STRING, true, true, AT(cdc_domain, domain), ALWAYS, 0 },
	{ "configuration", CDC_M_STRING, true, true, AT(cdc_domain, configuration), ALWAYS, 0 },
	{ "removed", CDC_M_BOOL, false, true, AT(cdc_domain, removed), ALWAYS, 0 },
};

static const struct cdc_member sidecar_member[] = {
	{ "path", CDC_M_STRING, true, true, AT(cdc_sidecar, path), ALWAYS, 0 },
	{ "sizeInBytes", CDC_M_INT64, true, true, AT(cdc_sidecar, size_bytes), ALWAYS, 0 },
	{ "modificationTime", CDC_M_INT64, false, true, AT(cdc_sidecar, modification_time_ms),
	  ALWAYS, 0 },
	{ "tags", CDC_M_TAGS, false, true, AT(cdc_sidecar, tags), ALWAYS, 0 },
};

static const struct cdc_member checkpoint_member[] = {
	{ "version", CDC_M_INT64, false, true, AT(cdc_checkpoint_info, version), ALWAYS, 0 },
	{ "tags", CDC_M_TAGS, false, true, AT(cdc_checkpoint_info, tags), ALWAYS, 0 },
};

static const struct cdc_member change_member[] = {
	{ "path", CDC_M_STRING, true, false, AT(cdc_change_file, path), ALWAYS, 0 },
	{ "partitionValues", CDC_M_MAP, false, false, AT(cdc_change_file, partition_value), ALWAYS,
	  AT(cdc_change_file, num_partition_values) },
	{ "size", CDC_M_INT64, false, false, AT(cdc_change_file, size_bytes), ALWAYS, 0 },
	{ "dataChange", CDC_M_BOOL, false, false, AT(cdc_change_file, data_change), ALWAYS, 0 },
};

const struct cdc_member cdc_dv_member[CDC_DV_NUM_MEMBERS] = {
	{ "storageType", CDC_M_STORAGE, true, true, AT(cdc_dv_ref, storage), ALWAYS, 0 },
	{ "pathOrInlineDv", CDC_M_STRING, true, true, AT(cdc_dv_ref, path), ALWAYS, 0 },
	{ "offset", CDC_M_INT32, false, true, AT(cdc_dv_ref, offset), AT(cdc_dv_ref, has_offset),
	  0 },
	{ "sizeInBytes", CDC_M_INT32, true, true, AT(cdc_dv_ref, size_bytes), ALWAYS, 0 },
	{ "cardinality", CDC_M_INT64, true, true, AT(cdc_dv_ref, cardinality), ALWAYS, 0 },
};

#define DEF(name, members)                                                                         \
	{                                                                                          \
		name, members, (int)(sizeof(members) / sizeof((members)[0]))                       \
	}

const struct cdc_action_def cdc_action_def[CDC_ACT_NUM_TABLES] = {
	[CDC_ACT_TXN] = DEF("txn", txn_member),
	[CDC_ACT_ADD] = DEF("add", add_member),
	[CDC_ACT_REMOVE] = DEF("remove", remove_member),
	[CDC_ACT_METADATA] = DEF("metaData", metadata_member),
	[CDC_ACT_PROTOCOL] = DEF("protocol", protocol_member),
	[CDC_ACT_DOMAIN] = DEF("domainMetadata", domain_member),
	[CDC_ACT_SIDECAR] = DEF("sidecar", sidecar_member),
	[CDC_ACT_CHANGE] = DEF("cdc", change_member),
	[CDC_ACT_CHECKPOINT] = DEF("checkpointMetadata", checkpoint_member),
};

bool cdc_member_present(enum cdc_action_kind kind, const struct cdc_member *m, const void *body)
{
	const struct cdc_str *str = cdc_member_at(body, m->at);
	const struct cdc_protocol *p = body;

	if (m->flag_at != CDC_M_NO_FLAG)
		return *(const bool *)cdc_member_at(body, m->flag_at);
	switch (m->type) {
	case CDC_M_STRING:
	case CDC_M_TAGS:
		return str->p != NULL;
	case CDC_M_COUNT_STATS:
		return *(const int64_t *)cdc_member_at(body, m->at) >= 0;
	case CDC_M_DV:
		return ((const struct cdc_dv_ref *)cdc_member_at(body, m->at))->storage != 0;
	case CDC_M_LIST:
		/* Feature lists are there exactly at versions 3 and 7 (spec sections 3, 20 T10). */
		if (kind != CDC_ACT_PROTOCOL)
			return true;
		return m->at == AT(cdc_protocol, reader_feature) ? p->reader_version >= 3
								 : p->writer_version >= 7;
	case CDC_M_INT64:
	case CDC_M_INT32:
	case CDC_M_BOOL:
	case CDC_M_MAP:
	case CDC_M_STORAGE:
	case CDC_M_EXTENDED:
	case CDC_M_FORMAT:
		break;
	}
	return true;
}

void cdc_action_init(struct cdc_action *a, enum cdc_action_kind kind)
{
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	if (kind == CDC_ACT_ADD)
		a->u.add.data_change = true;
	if (kind == CDC_ACT_REMOVE) {
		a->u.remove.data_change = true;
		a->u.remove.num_records = -1;
	}
}

/* What features a table has must be told where versions do not tell it (spec section 3). */
static int check_protocol(struct cdc_protocol *p, uint32_t seen, struct cdc_err *err)
{
	if (p->reader_version < 1 || p->writer_version < 1)
		return cdc_fail(err, CDC_ECORRUPT, "protocol versions below 1");
	if (p->reader_version == 3 && !(seen >> READER_FEATURES & 1))
		return cdc_fail(err, CDC_ECORRUPT,
				"protocol of reader version 3 without readerFeatures");
	p->writer_list_missing = p->writer_version == 7 && !(seen >> WRITER_FEATURES & 1);
	return CDC_OK;
}

int cdc_action_finish(struct cdc_action *a, uint32_t seen, struct cdc_err *err)
{
	const struct cdc_action_def *d = &cdc_action_def[a->kind];
	bool values = false, size = false;

	for (int i = 0; i < d->num_members; i++) {
		bool here = seen >> i & 1;

		if (d->member[i].required && !here)
			return cdc_fail(err, CDC_ECORRUPT, "%s action without %s", d->name,
					d->member[i].name);
		values |= here && d->member[i].at == AT(cdc_remove, partition_value);
		size |= here && d->member[i].at == AT(cdc_remove, size_bytes);
	}
	if (a->kind == CDC_ACT_REMOVE)
		a->u.remove.extended = values && size;
	/* As Spark reads it. Databricks creates pipelines' tables so, and adds columns later. */
	if (a->kind == CDC_ACT_METADATA && !a->u.metadata.schema_json.p)
		a->u.metadata.schema_json = cdc_str_z("{\"type\":\"struct\",\"fields\":[]}");
	if (a->kind == CDC_ACT_ADD && (a->u.add.path.n == 0 || a->u.add.size_bytes < 0))
		return cdc_fail(err, CDC_ECORRUPT,
				"add action with an empty path or negative size");
	return a->kind == CDC_ACT_PROTOCOL ? check_protocol(&a->u.protocol, seen, err) : CDC_OK;
}
