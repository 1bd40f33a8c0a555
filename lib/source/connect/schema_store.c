/* Avro schemas by the ids in front of messages. See schema_store.h. */
#include "source/connect/schema_store.h"

#include "base/endian.h"
#include "base/value.h"
#include "io/io.h"
#include "source/connect/connect_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STORED_MAX 10000u /* schemas of one run */

struct cdc_schema_store {
	struct cdc_stored_schema **schema; /* each for itself: pointers to it stay */
	size_t n;
	size_t cap;
	const char *dir;
	struct cdc_registry *registry; /* NULL: none */
	struct cdc_buf text;
};

int cdc_schema_store_new(struct cdc_schema_store **out, const struct cdc_source_options *opt,
			 struct cdc_err *err)
{
	struct cdc_schema_store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return cdc_fail_nomem(err);
	s->dir = opt->schema_dir;
	rc = opt->registry ? cdc_registry_new(&s->registry, opt->registry, err) : CDC_OK;
	if (rc < 0)
		free(s);
	else
		*out = s;
	return rc;
}

void cdc_schema_store_free(struct cdc_schema_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++) {
		cdc_avro_plan_free(s->schema[i]->plan);
		free((void *)(uintptr_t)s->schema[i]->connect.p);
		free(s->schema[i]);
	}
	free(s->schema);
	cdc_registry_free(s->registry);
	cdc_buf_free(&s->text);
	free(s);
}

/* --- fetching ----------------------------------------------------------- */

/* <dir>/<id>.avsc; *found is false where there is no such file. */
static int read_file(struct cdc_schema_store *s, const char *id, bool *found, struct cdc_err *err)
{
	const struct cdc_io *io = &cdc_io_posix;
	char path[4096];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s.avsc", s->dir, id);

	*found = false;
	if (n < 0 || (size_t)n >= sizeof(path))
		return cdc_fail(err, CDC_EUSAGE, "--schema-dir is too long a name");
	if (io->stat(io->ctx, path, &st) != 0)
		return CDC_OK;
	*found = true;
	cdc_buf_reset(&s->text);
	return cdc_io_read_file(io, path, &s->text, err);
}

static int fetch(struct cdc_schema_store *s, enum cdc_schema_id kind, const char *id,
		 struct cdc_err *err)
{
	bool found = false;
	int rc = s->dir ? read_file(s, id, &found, err) : CDC_OK;

	if (rc < 0 || found)
		return rc;
	if (s->registry)
		return cdc_registry_get(s->registry, kind, id, &s->text, err);
	if (s->dir)
		return cdc_fail(err, CDC_EDATA, "schema %s: there is no %s/%s.avsc", id, s->dir,
				id);
	return cdc_fail(err, CDC_EDATA,
			"a message of schema %s: give --schema-dir or --registry to read it", id);
}

static int make(struct cdc_schema_store *s, struct cdc_stored_schema *e, struct cdc_err *err)
{
	struct cdc_out o = { .buf = CDC_BUF_INIT };
	int rc = cdc_avro_plan_new(&e->plan, cdc_buf_str(&s->text), err);

	if (rc < 0)
		return cdc_err_prefix(err, "schema %s", e->id);
	e->raw = cdc_avro_node(e->plan, 0)->kind == CDC_AVRO_BYTES;
	cdc_connect_json_schema(e->plan, &o);
	rc = cdc_out_take(&o, err);
	if (rc < 0) {
		cdc_buf_free(&o.buf);
		return rc;
	}
	e->connect = cdc_buf_str(&o.buf);
	return CDC_OK;
}

/* --- the store ---------------------------------------------------------- */

static int add(struct cdc_schema_store *s, enum cdc_schema_id kind, const char *id,
	       struct cdc_stored_schema **out, struct cdc_err *err)
{
	struct cdc_stored_schema *e;

	if (s->n == STORED_MAX)
		return cdc_fail(err, CDC_EDATA, "messages of more than %u schemas", STORED_MAX);
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		struct cdc_stored_schema **grown = reallocarray(s->schema, cap, sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		s->schema = grown;
		s->cap = cap;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return cdc_fail_nomem(err);
	e->kind = kind;
	(void)snprintf(e->id, sizeof(e->id), "%s", id);
	s->schema[s->n++] = e;
	e->number = s->n;
	*out = e;
	return CDC_OK;
}

static struct cdc_stored_schema *find(const struct cdc_schema_store *s, enum cdc_schema_id kind,
				      const char *id)
{
	for (size_t i = s->n; i-- > 0;) {
		if (s->schema[i]->kind == kind && strcmp(s->schema[i]->id, id) == 0)
			return s->schema[i];
	}
	return NULL;
}

/* Fetch a schema and keep it, or the reason why there is none. */
static int load(struct cdc_schema_store *s, enum cdc_schema_id kind, const char *id,
		struct cdc_stored_schema **out, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_stored_schema *e = NULL;
	int rc = fetch(s, kind, id, &why), added;

	if (rc < 0 && rc != CDC_EDATA) {
		*err = why;
		return rc;
	}
	added = add(s, kind, id, &e, err);
	if (added < 0 || !e)
		return added;
	if (rc == CDC_OK)
		rc = make(s, e, &why);
	e->why = why;
	*out = e;
	if (rc < 0 && rc != CDC_EDATA)
		*err = why;
	return rc == CDC_EDATA ? CDC_OK : rc;
}

int cdc_schema_store_get(struct cdc_schema_store *s, enum cdc_schema_id kind, const char *id,
			 const struct cdc_stored_schema **schema, struct cdc_err *err)
{
	struct cdc_stored_schema *e = find(s, kind, id);
	int rc = e ? CDC_OK : load(s, kind, id, &e, err);

	if (rc < 0)
		return rc;
	if (e->connect.p) {
		*schema = e;
		return CDC_OK;
	}
	*err = e->why;
	return err->code;
}

/* --- prefixes ----------------------------------------------------------- */

static const struct cdc_header *header(const struct cdc_message *m, const char *name)
{
	for (uint32_t i = 0; i < m->n_headers; i++) {
		if (!m->header[i].is_null && cdc_str_eqz(m->header[i].name, name))
			return &m->header[i];
	}
	return NULL;
}

static void set_number(struct cdc_schema_prefix *p, enum cdc_schema_id kind, uint64_t id,
		       size_t len)
{
	p->kind = kind;
	p->len = len;
	(void)snprintf(p->id, sizeof(p->id), "%" PRIu64, id);
}

/* Confluent's header: 0x00 and an id, or 0x01 and a UUID. */
static bool of_confluent(const struct cdc_header *h, struct cdc_schema_prefix *p)
{
	if (h->value.n == 5 && h->value.p[0] == 0) {
		set_number(p, CDC_SCHEMA_ID, cdc_be32(h->value.p + 1), 0);
		return true;
	}
	if (h->value.n != 17 || h->value.p[0] != 1)
		return false;
	p->kind = CDC_SCHEMA_GUID;
	p->len = 0;
	p->id[cdc_uuid_format(h->value.p + 1, p->id)] = '\0';
	return true;
}

static bool by_header(const struct cdc_message *m, bool of_key, struct cdc_schema_prefix *p)
{
	static const struct {
		const char *name[2]; /* of the value, of the key */
		enum cdc_schema_id kind;
	} numbers[] = {
		{ { "apicurio.value.globalId", "apicurio.key.globalId" }, CDC_SCHEMA_GLOBAL_ID },
		{ { "apicurio.value.contentId", "apicurio.key.contentId" }, CDC_SCHEMA_CONTENT_ID },
	};
	const struct cdc_header *h = header(m, of_key ? "__key_schema_id" : "__value_schema_id");

	if (h && of_confluent(h, p))
		return true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		h = header(m, numbers[i].name[of_key]);
		if (h && h->value.n == 8) {
			set_number(p, numbers[i].kind, cdc_be64(h->value.p), 0);
			return true;
		}
	}
	return false;
}

bool cdc_schema_prefix(const struct cdc_message *m, bool of_key, struct cdc_schema_prefix *p)
{
	struct cdc_str s = of_key ? m->key : m->value;

	if (m->n_headers && by_header(m, of_key, p))
		return true;
	if (s.n < 5 || s.p[0] != 0)
		return false;
	/* No registry gives the id 0: it is the upper half of eight bytes. */
	if (cdc_be32(s.p + 1) == 0) {
		if (s.n < 9)
			return false;
		set_number(p, CDC_SCHEMA_GLOBAL_ID, cdc_be64(s.p + 1), 9);
	} else {
		set_number(p, CDC_SCHEMA_ID, cdc_be32(s.p + 1), 5);
	}
	return true;
}
