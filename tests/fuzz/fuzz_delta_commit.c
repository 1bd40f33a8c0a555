/*
 * Fuzzes the reader of JSON actions. Whatever it accepts must survive a round trip: written, read
 * and written again it is the same text. The actions also go through reconciliation and the
 * questions that are asked of a snapshot.
 */
#include "delta/log_int.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct state {
	struct cdc_replay replay;
	struct cdc_buf first;
	struct cdc_buf second;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* What a reader derives is not what a writer may be asked for: tags are copied as they are. */
static int rewrite(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct cdc_buf *b = ctx;

	if (a->kind == CDC_ACT_COMMIT_INFO)
		return CDC_OK;
	return cdc_action_write(b, a->kind, &a->u, err);
}

static int each(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct state *s = ctx;
	int rc = rewrite(&s->first, a, err);

	return rc ? rc : cdc_replay_action(&s->replay, a, err);
}

static void ask(struct cdc_snapshot *s, struct cdc_err *err)
{
	if (cdc_protocol_check_readable(&s->protocol, err) == CDC_OK &&
	    cdc_schema_from_json(&s->schema, s->metadata.schema_json, err) == CDC_OK)
		(void)cdc_snapshot_check_writable(s, err);
	(void)cdc_snapshot_config_interval_ms(s, "delta.logRetentionDuration", 0);
	(void)cdc_checkpoint_due(s, 10);
	cdc_schema_free(&s->schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	char table[] = "/nowhere/at/all";
	struct cdc_snapshot snapshot = { .table = table };
	struct state s = { .first = CDC_BUF_INIT, .second = CDC_BUF_INIT };
	char *text = malloc(size ? size : 1);
	int rc;

	check(text != NULL);
	memcpy(text, data, size);
	cdc_replay_init(&s.replay, &snapshot, &cdc_io_posix);
	rc = cdc_actions_parse(&tape, cdc_str(text, size), &arena, each, &s, &err);
	check(rc == CDC_OK || rc == CDC_ECORRUPT || rc == CDC_EUNSUPPORTED);
	if (rc == CDC_OK) {
		struct cdc_replay_mark mark = cdc_replay_mark(&s.replay);

		cdc_replay_order(&s.replay, mark);
		if (cdc_replay_finish(&s.replay, &cdc_io_posix, &err) == CDC_OK)
			ask(&snapshot, &err);
		check(cdc_actions_parse(&tape, cdc_buf_str(&s.first), &arena, rewrite, &s.second,
					&err) == CDC_OK);
		check(cdc_str_eq(cdc_buf_str(&s.first), cdc_buf_str(&s.second)));
	}
	cdc_replay_free(&s.replay);
	free(snapshot.add);
	free(snapshot.tombstone);
	free(snapshot.txn);
	free(snapshot.domain);
	cdc_arena_free(&snapshot.arena);
	cdc_buf_free(&s.first);
	cdc_buf_free(&s.second);
	cdc_arena_free(&arena);
	cdc_tape_free(&tape);
	free(text);
	return 0;
}
