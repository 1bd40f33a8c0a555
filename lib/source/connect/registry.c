/* A schema registry over HTTP. See registry.h; all that knows libcurl is here. */
#include "source/connect/registry.h"

#ifdef CDC_WITH_CURL

#include "base/json.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX ((size_t)8 << 20)
#define CONNECT_SECONDS 15L
#define ANSWER_SECONDS 60L

struct cdc_registry {
	CURL *curl;
	struct curl_slist *headers;
	char *url; /* without a slash at its end */
	size_t root; /* length of what stands before "/apis/", where Apicurio has its interfaces */
	bool apicurio; /* it names Apicurio's own interface */
	bool apicurio_v3;
	struct cdc_buf answer;
	struct cdc_err answer_err; /* of taking it */
};

static size_t on_data(char *p, size_t size, size_t n, void *ctx)
{
	struct cdc_registry *r = ctx;

	return cdc_buf_append(&r->answer, p, size * n, &r->answer_err) < 0 ? 0 : size * n;
}

static bool set_up(struct cdc_registry *r)
{
	CURL *c = r->curl;

	r->headers = curl_slist_append(NULL, "Accept: application/vnd.schemaregistry.v1+json, "
					     "application/json, */*");
	return r->headers && !curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->headers) &&
	       !curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data) &&
	       !curl_easy_setopt(c, CURLOPT_WRITEDATA, r) &&
	       !curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) &&
	       !curl_easy_setopt(c, CURLOPT_TIMEOUT, ANSWER_SECONDS) &&
	       !curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL) &&
	       !curl_easy_setopt(c, CURLOPT_USERAGENT, "cdc-decode/" CDC_VERSION);
}

int cdc_registry_new(struct cdc_registry **out, const char *url, struct cdc_err *err)
{
	struct cdc_registry *r;
	size_t n = strlen(url);

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return cdc_fail(err, CDC_EUSAGE, "--registry is no URL of http or https");
	r = calloc(1, sizeof(*r));
	if (!r)
		return cdc_fail_nomem(err);
	while (n && url[n - 1] == '/')
		n--;
	r->answer.max = ANSWER_MAX;
	r->url = strndup(url, n);
	r->curl = curl_easy_init();
	if (!r->url || !r->curl || !set_up(r)) {
		cdc_registry_free(r);
		return cdc_fail_nomem(err);
	}
	r->apicurio_v3 = strstr(r->url, "/apis/registry/v3") != NULL;
	r->apicurio = strstr(r->url, "/apis/registry/") != NULL;
	r->root = strstr(r->url, "/apis/") ? (size_t)(strstr(r->url, "/apis/") - r->url) : n;
	*out = r;
	return CDC_OK;
}

void cdc_registry_free(struct cdc_registry *r)
{
	if (!r)
		return;
	if (r->curl)
		curl_easy_cleanup(r->curl);
	curl_slist_free_all(r->headers);
	cdc_buf_free(&r->answer);
	free(r->url);
	free(r);
}

static const char *path_of(const struct cdc_registry *r, enum cdc_schema_id kind)
{
	switch (kind) {
	case CDC_SCHEMA_ID:
		return r->apicurio_v3 ? "/ids/contentIds/"
		       : r->apicurio  ? "/ids/globalIds/"
				      : "/schemas/ids/";
	case CDC_SCHEMA_GUID:
		return "/schemas/guids/";
	case CDC_SCHEMA_GLOBAL_ID:
		return r->apicurio ? "/ids/globalIds/" : "/apis/registry/v2/ids/globalIds/";
	case CDC_SCHEMA_CONTENT_ID:
		return r->apicurio ? "/ids/contentIds/" : "/apis/registry/v2/ids/contentIds/";
	}
	return "/";
}

/* The registry's name for messages: a URL may hold a password. */
static const char *shown(const struct cdc_registry *r)
{
	const char *host = strstr(r->url, "://") + 3;
	const char *at = strchr(host, '@');

	return at ? at + 1 : host;
}

static int fetch(struct cdc_registry *r, const char *url, const char *id, struct cdc_err *err)
{
	char why[CURL_ERROR_SIZE] = "";
	long status = 0;
	CURLcode rc;

	cdc_buf_reset(&r->answer);
	r->answer_err = (struct cdc_err)CDC_ERR_INIT;
	if (curl_easy_setopt(r->curl, CURLOPT_URL, url) ||
	    curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, why))
		return cdc_fail_nomem(err);
	rc = curl_easy_perform(r->curl);
	(void)curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	if (r->answer_err.code < 0) {
		*err = r->answer_err;
		return cdc_err_prefix(err, "registry %s: schema %s", shown(r), id);
	}
	if (rc)
		return cdc_fail(err, CDC_EIO, "registry %s: %s", shown(r),
				why[0] ? why : curl_easy_strerror(rc));
	if (status == 404)
		return cdc_fail(err, CDC_EDATA, "registry %s has no schema %s", shown(r), id);
	if (status != 200)
		return cdc_fail(err, CDC_EIO, "registry %s: schema %s: HTTP status %ld", shown(r),
				id, status);
	return CDC_OK;
}

/* Confluent wraps the schema in an object, as a string; Apicurio sends it as it is. */
static int unwrap(struct cdc_registry *r, const char *id, struct cdc_buf *schema,
		  struct cdc_err *err)
{
	struct cdc_tape t = CDC_TAPE_INIT;
	struct cdc_err unused = CDC_ERR_INIT;
	int rc = cdc_json_scan(&t, cdc_buf_str(&r->answer), NULL, &unused);
	uint32_t text, type, refs;

	cdc_buf_reset(schema);
	if (rc < 0) {
		cdc_tape_free(&t);
		return cdc_fail(err, CDC_EDATA, "registry %s: schema %s is no JSON", shown(r), id);
	}
	text = cdc_json_get(&t, 0, "schema");
	type = cdc_json_get(&t, 0, "schemaType");
	refs = cdc_json_get(&t, 0, "references");
	if (type != CDC_JSON_NONE && !cdc_json_is(&t, type, CDC_STR("AVRO")))
		rc = cdc_fail(err, CDC_EDATA, "schema %s is not of Avro", id);
	else if (refs != CDC_JSON_NONE && t.tok[refs].count)
		rc = cdc_fail(err, CDC_EDATA,
			      "schema %s needs other schemas, which is not supported", id);
	else if (text == CDC_JSON_NONE || t.tok[text].type != CDC_JSON_STRING)
		rc = cdc_buf_put(schema, cdc_buf_str(&r->answer), err);
	else
		rc = cdc_buf_reserve(schema, t.tok[text].len + 1, err);
	if (rc == CDC_OK && schema->len == 0)
		schema->len = cdc_json_unescape(cdc_json_raw(&t, text), schema->p);
	cdc_tape_free(&t);
	return rc;
}

int cdc_registry_get(struct cdc_registry *r, enum cdc_schema_id kind, const char *id,
		     struct cdc_buf *schema, struct cdc_err *err)
{
	const char *path = path_of(r, kind);
	struct cdc_buf url = CDC_BUF_INIT;
	size_t base = strncmp(path, "/apis/", 6) == 0 ? r->root : strlen(r->url);
	int rc = cdc_buf_printf(&url, err, "%.*s%s%s", (int)base, r->url, path, id);

	if (rc == CDC_OK && !cdc_buf_z(&url))
		rc = cdc_fail_nomem(err);
	if (rc == CDC_OK)
		rc = fetch(r, url.p, id, err);
	cdc_buf_free(&url);
	return rc < 0 ? rc : unwrap(r, id, schema, err);
}

#else

int cdc_registry_new(struct cdc_registry **r, const char *url, struct cdc_err *err)
{
	(void)r;
	(void)url;
	return cdc_fail(err, CDC_EUSAGE, "this program was built without libcurl");
}

int cdc_registry_get(struct cdc_registry *r, enum cdc_schema_id kind, const char *id,
		     struct cdc_buf *schema, struct cdc_err *err)
{
	(void)r;
	(void)kind;
	(void)id;
	(void)schema;
	return cdc_fail(err, CDC_EINTERNAL, "there is no registry");
}

void cdc_registry_free(struct cdc_registry *r)
{
	(void)r;
}

#endif
