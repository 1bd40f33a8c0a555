/*
 * Prints the state of a Delta table for comparison with what other programs see:
 *
 *	delta_files TABLE [VERSION]
 *
 * One line each: version, protocol, schema, then "add PATH DV" for every live file with its path
 * decoded, and "txn APP VERSION". Exit 1 with the error code and message on standard error.
 */
#include "delta/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_features(const char *what, const struct cdc_str *f, int n)
{
	printf(" %s", what);
	for (int i = 0; i < n; i++)
		printf("%c%.*s", i ? ',' : '=', (int)f[i].n, f[i].p);
}

static int print_add(const struct cdc_add *a, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = cdc_path_decode(a->path, &path, err);

	if (!rc) {
		printf("add %.*s", (int)path.len, path.p);
		if (a->dv.storage) {
			printf("\t%c%.*s", a->dv.storage, (int)a->dv.path.n, a->dv.path.p);
			if (a->dv.has_offset)
				printf("@%" PRId32, a->dv.offset);
		}
		putchar('\n');
	}
	cdc_buf_free(&path);
	return rc;
}

int main(int argc, char **argv)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;
	int rc;

	if (argc < 2)
		return 2;
	rc = cdc_snapshot_load(&s, &cdc_io_posix, argv[1], argc > 2 ? atoll(argv[2]) : -1, &err);
	if (rc) {
		fprintf(stderr, "error %d: %s%s%s\n", err.code, err.file, *err.file ? ": " : "",
			err.msg);
		return 1;
	}
	printf("version %" PRId64 " checkpoint %" PRId64 "\n", s->version, s->checkpoint_version);
	printf("protocol %d %d", s->protocol.reader_version, s->protocol.writer_version);
	print_features("reader", s->protocol.reader_feature, s->protocol.num_reader_features);
	print_features("writer", s->protocol.writer_feature, s->protocol.num_writer_features);
	printf("\nschema %.*s\n", (int)s->metadata.schema_json.n, s->metadata.schema_json.p);
	for (size_t i = 0; !rc && i < s->num_adds; i++)
		rc = print_add(&s->add[i], &err);
	for (size_t i = 0; i < s->num_txns; i++)
		printf("txn %.*s %" PRId64 "\n", (int)s->txn[i].app_id.n, s->txn[i].app_id.p,
		       s->txn[i].version);
	if (cdc_snapshot_check_writable(s, &err))
		printf("read only: %s\n", err.msg);
	cdc_snapshot_free(s);
	return rc ? 1 : 0;
}
