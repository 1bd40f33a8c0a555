/*
 * The change record: finds the members of one line of NDJSON on its tape, and checks the shape that
 * cdc-record(5) asks for.
 *
 * cdc-decode writes members in one order, so each name is first compared with the one that is due;
 * other writers cost a search.
 */
#include "record/record.h"

#include "base/value.h"

enum member {
	RECORD_ID,
	SOURCE,
	DB_TABLE,
	RECORD_TYPE,
	TIMESTAMP,
	EXTRA_TAGS,
	FIELDS,
	BEFORE,
	AFTER,
	POSITION,
	POSITIONS,
	COLUMNS,
	PRIMARY_KEY,
	FINAL,
	MEMBERS
};

struct member_spec {
	char name[16];
	uint8_t len;
	uint8_t type; /* enum cdc_json_type; FINAL is a boolean of either value */
};

static const struct member_spec specs[MEMBERS] = {
	[RECORD_ID] = { "recordID", 8, CDC_JSON_NUMBER },
	[SOURCE] = { "source", 6, CDC_JSON_OBJECT },
	[DB_TABLE] = { "dbTable", 7, CDC_JSON_STRING },
	[RECORD_TYPE] = { "recordType", 10, CDC_JSON_STRING },
	[TIMESTAMP] = { "recordTimestamp", 15, CDC_JSON_STRING },
	[EXTRA_TAGS] = { "extraTags", 9, CDC_JSON_OBJECT },
	[FIELDS] = { "fields", 6, CDC_JSON_ARRAY },
	[BEFORE] = { "beforeImages", 12, CDC_JSON_OBJECT },
	[AFTER] = { "afterImages", 11, CDC_JSON_OBJECT },
	[POSITION] = { "position", 8, CDC_JSON_OBJECT },
	[POSITIONS] = { "positions", 9, CDC_JSON_ARRAY },
	[COLUMNS] = { "columns", 7, CDC_JSON_ARRAY },
	[PRIMARY_KEY] = { "primaryKey", 10, CDC_JSON_ARRAY },
	[FINAL] = { "final", 5, CDC_JSON_TRUE },
};

static const char *const type_names[] = {
	[CDC_JSON_NULL] = "null",	 [CDC_JSON_FALSE] = "a boolean",
	[CDC_JSON_TRUE] = "a boolean",	 [CDC_JSON_NUMBER] = "a number",
	[CDC_JSON_STRING] = "a string",	 [CDC_JSON_ARRAY] = "an array",
	[CDC_JSON_OBJECT] = "an object",
};

/* In the order of enum cdc_record_type: the row records, which come by the million, are first. */
static const struct {
	char name[16];
	uint8_t len;
} record_types[CDC_RECORD_TYPES] = {
	[CDC_RECORD_INIT] = { "INIT", 4 },	   [CDC_RECORD_INSERT] = { "INSERT", 6 },
	[CDC_RECORD_UPDATE] = { "UPDATE", 6 },	   [CDC_RECORD_DELETE] = { "DELETE", 6 },
	[CDC_RECORD_TRUNCATE] = { "TRUNCATE", 8 }, [CDC_RECORD_SCHEMA] = { "SCHEMA", 6 },
	[CDC_RECORD_DDL] = { "DDL", 3 },	   [CDC_RECORD_BEGIN] = { "BEGIN", 5 },
	[CDC_RECORD_COMMIT] = { "COMMIT", 6 },	   [CDC_RECORD_CHECKPOINT] = { "CHECKPOINT", 10 },
};

const char *cdc_record_type_name(enum cdc_record_type t)
{
	return (unsigned)t < CDC_RECORD_TYPES ? record_types[t].name : "?";
}

static inline uint64_t load64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* memcmp() == 0 without the call for the lengths that names have. */
static inline bool same_bytes(const char *a, const char *b, size_t n)
{
	if (n >= 8 && n <= 16)
		return ((load64(a) ^ load64(b)) | (load64(a + n - 8) ^ load64(b + n - 8))) == 0;
	if (n >= 4 && n < 8)
		return ((load32(a) ^ load32(b)) | (load32(a + n - 4) ^ load32(b + n - 4))) == 0;
	return memcmp(a, b, n) == 0;
}

/* An error about token i: the offset of its first byte in the line. */
static int fail_at(struct cdc_err *err, const struct cdc_tape *t, uint32_t i)
{
	cdc_err_offset(err, (uint64_t)(cdc_json_source(t, i).p - t->text));
	return CDC_EDATA;
}

/* --- parse ---------------------------------------------------------------- */

static inline bool is_member(const struct cdc_tape *t, uint32_t key, unsigned m)
{
	const struct cdc_json_tok *k = &t->tok[key];

	return k->len == specs[m].len && same_bytes(t->text + k->off, specs[m].name, k->len);
}

/* The member that key token `key` names, from `due` on and then from the start; MEMBERS when it is
 * none of them. */
static inline unsigned search_member(const struct cdc_tape *t, uint32_t key, unsigned due)
{
	unsigned m;

	for (m = due; m < MEMBERS; m++) {
		if (is_member(t, key, m))
			return m;
	}
	for (m = 0; m < due; m++) {
		if (is_member(t, key, m))
			return m;
	}
	if (!t->tok[key].escaped)
		return MEMBERS;
	for (m = 0; m < MEMBERS; m++) {
		if (cdc_json_is(t, key, cdc_str(specs[m].name, specs[m].len)))
			break;
	}
	return m;
}

static int check_type(const struct cdc_tape *t, unsigned m, uint32_t tok, struct cdc_err *err)
{
	unsigned type = t->tok[tok].type;

	if (type == specs[m].type || (m == FINAL && type == CDC_JSON_FALSE))
		return CDC_OK;
	(void)cdc_fail(err, CDC_EDATA, "%s is %s, not %s", specs[m].name, type_names[type],
		       type_names[specs[m].type]);
	return fail_at(err, t, tok);
}

static int fail_twice(const struct cdc_tape *t, uint32_t key, const char *where,
		      struct cdc_err *err)
{
	struct cdc_str name = cdc_json_raw(t, key);

	(void)cdc_fail(err, CDC_EDATA, "\"%.*s\" occurs twice in %s",
		       (int)cdc_utf8_prefix(name.p, name.n, 64), name.p, where);
	return fail_at(err, t, key);
}

/* Fill value[] with the tokens of the members. */
static int find_members(struct cdc_tape *t, uint32_t value[MEMBERS], struct cdc_err *err)
{
	uint32_t seen = 0;
	uint32_t dup = CDC_JSON_NONE;
	bool other = false;
	unsigned due = 0;
	int rc;

	memset(value, 0xff, MEMBERS * sizeof(*value));
	for (uint32_t k = cdc_json_first(t, 0); k != CDC_JSON_NONE; k = cdc_json_after(t, 0, k)) {
		unsigned m = search_member(t, k, due);

		if (m == MEMBERS) {
			other = true;
			continue;
		}
		if (seen & 1u << m)
			return fail_twice(t, k, "the record", err);
		seen |= 1u << m;
		due = m + 1;
		if (t->tok[k + 1].type == CDC_JSON_NULL)
			continue;
		rc = check_type(t, m, k + 1, err);
		if (rc < 0)
			return rc;
		value[m] = k + 1;
	}
	if (other) {
		rc = cdc_json_duplicate(t, 0, &dup, err);
		if (rc < 0)
			return rc;
		if (dup != CDC_JSON_NONE)
			return fail_twice(t, dup, "the record", err);
	}
	return CDC_OK;
}

static int parse_type(struct cdc_record *r, struct cdc_err *err)
{
	const struct cdc_tape *t = r->tape;
	struct cdc_str s;

	if (r->type_tok == CDC_JSON_NONE) {
		(void)cdc_fail(err, CDC_EDATA, "the record has no recordType");
		return fail_at(err, t, 0);
	}
	s = cdc_json_raw(t, r->type_tok);
	for (unsigned i = 0; i < CDC_RECORD_TYPES; i++) {
		if ((s.n == record_types[i].len && same_bytes(s.p, record_types[i].name, s.n)) ||
		    (t->tok[r->type_tok].escaped &&
		     cdc_json_is(t, r->type_tok,
				 cdc_str(record_types[i].name, record_types[i].len)))) {
			r->type = (enum cdc_record_type)i;
			return CDC_OK;
		}
	}
	(void)cdc_fail(err, CDC_EDATA, "unknown recordType \"%.*s\"",
		       (int)cdc_utf8_prefix(s.p, s.n, 64), s.p);
	return fail_at(err, t, r->type_tok);
}

/* Names are unique. Values are of any kind. */
static int check_image(struct cdc_tape *t, uint32_t image, const char *name, struct cdc_err *err)
{
	uint32_t dup;
	int rc;

	if (image == CDC_JSON_NONE)
		return CDC_OK;
	rc = cdc_json_duplicate(t, image, &dup, err);
	if (rc < 0)
		return rc;
	return dup == CDC_JSON_NONE ? CDC_OK : fail_twice(t, dup, name, err);
}

static int check_strings(const struct cdc_tape *t, uint32_t array, const char *name,
			 struct cdc_err *err)
{
	if (array == CDC_JSON_NONE)
		return CDC_OK;
	for (uint32_t i = array + 1; i < t->tok[array].next; i++) {
		if (t->tok[i].type != CDC_JSON_STRING) {
			(void)cdc_fail(err, CDC_EDATA, "an element of %s is %s, not a string", name,
				       type_names[t->tok[i].type]);
			return fail_at(err, t, i);
		}
	}
	return CDC_OK;
}

/* What a record of its type cannot do without. */
static int check_needs(const struct cdc_record *r, struct cdc_err *err)
{
	const char *lacks = NULL;

	if (!cdc_record_is_row(r->type))
		return CDC_OK;
	if (r->type == CDC_RECORD_DELETE) {
		if (r->before_tok == CDC_JSON_NONE)
			lacks = "beforeImages";
	} else if (r->after_tok == CDC_JSON_NONE) {
		lacks = "afterImages";
	}
	if (!lacks)
		return CDC_OK;
	(void)cdc_fail(err, CDC_EDATA, "%s record without %s", record_types[r->type].name, lacks);
	return fail_at(err, r->tape, 0);
}

int cdc_record_parse(struct cdc_record *r, struct cdc_tape *tape, struct cdc_str line,
		     struct cdc_err *err)
{
	uint32_t value[MEMBERS];
	int rc = cdc_json_scan(tape, line, NULL, err);

	if (rc < 0)
		return rc;
	if (tape->tok[0].type != CDC_JSON_OBJECT) {
		(void)cdc_fail(err, CDC_EDATA, "the record is %s, not an object",
			       type_names[tape->tok[0].type]);
		return fail_at(err, tape, 0);
	}
	rc = find_members(tape, value, err);
	if (rc < 0)
		return rc;
	*r = (struct cdc_record){
		.line = line,
		.tape = tape,
		.type_tok = value[RECORD_TYPE],
		.fields_tok = value[FIELDS],
		.before_tok = value[BEFORE],
		.after_tok = value[AFTER],
		.position_tok = value[POSITION],
		.positions_tok = value[POSITIONS],
		.columns_tok = value[COLUMNS],
		.primary_key_tok = value[PRIMARY_KEY],
		.timestamp_tok = value[TIMESTAMP],
		.db_table = CDC_STR(""),
	};
	rc = parse_type(r, err);
	if (rc < 0)
		return rc;
	if (value[RECORD_ID] != CDC_JSON_NONE) {
		if (!cdc_json_int64(tape, value[RECORD_ID], &r->id) || r->id < 0) {
			(void)cdc_fail(err, CDC_EDATA, "recordID is not an integer of 0..2^63-1");
			return fail_at(err, tape, value[RECORD_ID]);
		}
		r->has_id = true;
	}
	if (value[DB_TABLE] != CDC_JSON_NONE)
		r->db_table = cdc_json_raw(tape, value[DB_TABLE]);
	if (value[FINAL] != CDC_JSON_NONE)
		r->final = tape->tok[value[FINAL]].type == CDC_JSON_TRUE;
	if (value[POSITION] != CDC_JSON_NONE) {
		rc = cdc_position_parse(tape, value[POSITION], &r->position, &r->has_position, err);
		if (rc < 0)
			return rc;
	}
	if ((rc = check_image(tape, r->before_tok, "beforeImages", err)) < 0 ||
	    (rc = check_image(tape, r->after_tok, "afterImages", err)) < 0 ||
	    (rc = check_strings(tape, r->fields_tok, "fields", err)) < 0 ||
	    (rc = check_strings(tape, r->primary_key_tok, "primaryKey", err)) < 0)
		return rc;
	return check_needs(r, err);
}
