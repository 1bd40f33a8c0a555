/*
 * The hint _last_checkpoint: whether it leads to a checkpoint, and tells what that holds (spec
 * section 9). A hint may be old, which costs readers a longer way; what it says of the checkpoint
 * that it names must be true.
 */
#include "table/fsck/fsck_int.h"

#include "delta/checkpoint_hint.h"

#include <errno.h>
#include <inttypes.h>

#define HINT "_last_checkpoint"
#define HINT_MAX ((size_t)64 << 20) /* it may hold the names of all sidecar files */

struct hint {
	struct fsck *k;
	struct cdc_tape tape;
	struct fsck_place at;
	struct cdc_log_checkpoint cp;
	int64_t num_actions; /* of the checkpoint */
	int64_t num_adds;
	int64_t bytes;
};

static int count_action(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct hint *h = ctx;

	(void)err;
	h->num_actions++;
	h->num_adds += a->kind == CDC_ACT_ADD;
	return CDC_OK;
}

static int count_bytes(struct hint *h, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < h->cp.num_files; i++) {
		const char *path;
		struct stat st;

		rc = cdc_log_path(h->k->table, h->cp.file[i].name, &arena, &path, err);
		if (!rc && h->k->io->stat(h->k->io->ctx, path, &st) < 0)
			rc = cdc_fail_errno(err, errno, "cannot stat %s", path);
		if (!rc)
			h->bytes += (int64_t)st.st_size;
	}
	cdc_arena_free(&arena);
	return rc;
}

static int check_number(struct hint *h, const char *member, int64_t is, struct cdc_err *err)
{
	uint32_t v = cdc_json_get(&h->tape, 0, member);
	int64_t said;

	if (v == CDC_JSON_NONE || h->tape.tok[v].type == CDC_JSON_NULL ||
	    (cdc_json_int64(&h->tape, v, &said) && said == is))
		return CDC_OK;
	return fsck_report(h->k, FSCK_HINT, h->at, err,
			   "%s is %.*s, and the checkpoint has %" PRId64, member,
			   FSCK_SHOWN(cdc_json_raw(&h->tape, v)), is);
}

/* What a checkpoint of version 2 counts as its size writers do not agree on. */
static int check_numbers(struct hint *h, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	const struct fsck *k = h->k;
	bool v2 = h->cp.file[0].kind == CDC_LOG_CHECKPOINT_V2 ||
		  (k->s && cdc_protocol_has_feature(&k->s->protocol, "v2Checkpoint"));
	int rc = cdc_checkpoint_read(k->io, k->table, &h->cp, CDC_ALL_KINDS, count_action, h, &why);

	if (rc && !fsck_is_finding(&why)) {
		*err = why;
		return rc;
	}
	if (rc)
		return CDC_OK; /* it was told where the checkpoint was read */
	rc = count_bytes(h, err);
	if (!rc)
		rc = check_number(h, "numOfAddFiles", h->num_adds, err);
	if (!rc && !v2)
		rc = check_number(h, "size", h->num_actions, err);
	if (!rc && !v2)
		rc = check_number(h, "sizeInBytes", h->bytes, err);
	if (!rc && h->cp.file[0].kind == CDC_LOG_CHECKPOINT_PART)
		rc = check_number(h, "parts", h->cp.file[0].parts, err);
	return rc;
}

static int check_version(struct hint *h, struct cdc_err *err)
{
	uint32_t v = cdc_json_get(&h->tape, 0, "version");
	struct fsck *k = h->k;
	size_t at = k->list.n;

	if (v == CDC_JSON_NONE || !cdc_json_int64(&h->tape, v, &h->at.version))
		return fsck_report(k, FSCK_HINT, h->at, err, "it names no version");
	if (!cdc_log_checkpoint_before(&k->list, h->at.version, &at, &h->cp) ||
	    h->cp.version != h->at.version)
		return fsck_report(k, FSCK_HINT, h->at, err,
				   "there is no whole checkpoint of the version that it names");
	if (k->newest_checkpoint > h->at.version &&
	    fsck_report(k, FSCK_HINT_OLD, h->at, err,
			"there is a newer checkpoint, of version %" PRId64, k->newest_checkpoint))
		return err->code;
	return check_numbers(h, err);
}

static int check_digest(struct hint *h, struct cdc_str text, struct cdc_err *err)
{
	uint32_t v = cdc_json_get(&h->tape, 0, "checksum");
	char digest[CDC_MD5_TEXT_MAX];
	int rc;

	if (v == CDC_JSON_NONE || h->tape.tok[v].type == CDC_JSON_NULL)
		return CDC_OK;
	rc = cdc_cp_hint_checksum(text, digest, err);
	if (!rc && !cdc_json_is(&h->tape, v, cdc_str_z(digest)))
		rc = fsck_report(h->k, FSCK_HINT, h->at, err,
				 "its checksum is not that of its content, %s", digest);
	return rc;
}

static int check_text(void *ctx, struct cdc_str text, struct cdc_err *err)
{
	struct hint *h = ctx;
	struct cdc_err why = CDC_ERR_INIT;
	int rc = cdc_json_scan(&h->tape, text, NULL, &why);

	if (rc == CDC_EDATA || (!rc && h->tape.tok[0].type != CDC_JSON_OBJECT))
		return fsck_report(h->k, FSCK_HINT, h->at, err, "it is no JSON object");
	if (rc) {
		*err = why;
		return rc;
	}
	rc = check_digest(h, text, err);
	return rc ? rc : check_version(h, err);
}

int fsck_hint(struct fsck *k, struct cdc_err *err)
{
	struct hint h = {
		.k = k, .tape = CDC_TAPE_INIT, .at = { CDC_STR(HINT), -1 }, .num_actions = 0
	};
	int rc = fsck_log_text(k, FSCK_HINT, HINT, HINT_MAX, h.at, check_text, &h, err);

	cdc_tape_free(&h.tape);
	return rc;
}
