/* The body of a TABLE_MAP event: names, types, and MySQL 8's metadata (spec section 5.3). */
#include "source/binlog/binlog_int.h"

enum metadata {
	META_SIGNEDNESS = 1,
	META_DEFAULT_CHARSET = 2,
	META_COLUMN_CHARSET = 3,
	META_COLUMN_NAME = 4,
	META_SET_STR_VALUE = 5,
	META_ENUM_STR_VALUE = 6,
	META_SIMPLE_PRIMARY_KEY = 8,
	META_PRIMARY_KEY_WITH_PREFIX = 9,
	META_ENUM_AND_SET_DEFAULT_CHARSET = 10,
	META_ENUM_AND_SET_COLUMN_CHARSET = 11
};

/* --- the columns' types ------------------------------------------------- */

bool binlog_is_numeric(uint8_t type, bool mariadb)
{
	return type == BL_TINY || type == BL_SHORT || type == BL_INT24 || type == BL_LONG ||
	       type == BL_LONGLONG || type == BL_FLOAT || type == BL_DOUBLE ||
	       type == BL_NEWDECIMAL || (mariadb && type == BL_YEAR);
}

/* Types that the lists of character sets count: VECTOR too, as it is a BLOB at heart. */
static bool is_character(uint8_t type)
{
	return type == BL_STRING || type == BL_VARCHAR || type == BL_VAR_STRING ||
	       (type >= BL_TINY_BLOB && type <= BL_BLOB) || type == BL_BLOB_COMPRESSED ||
	       type == BL_VARCHAR_COMPRESSED || type == BL_VECTOR;
}

static bool is_member(uint8_t type)
{
	return type == BL_ENUM || type == BL_SET;
}

/* What a STRING is, and how long: the two bytes hold more than they seem to (spec 5.4). */
static void string_type(struct binlog_column *col, unsigned high, unsigned low)
{
	unsigned length = low;

	if (high == BL_ENUM || high == BL_SET) {
		col->type = (uint8_t)high;
		col->length_bytes = (uint8_t)low;
		return;
	}
	if ((high & 0x30) != 0x30)
		length |= ((high & 0x30) ^ 0x30) << 4;
	col->type = BL_STRING;
	col->length = (uint16_t)length;
	col->length_bytes = length < 256 ? 1 : 2;
}

/* The metadata of one column. */
static void column_meta(struct binlog_column *col, struct binlog_cur *c)
{
	switch ((enum binlog_type)col->type) {
	case BL_STRING: {
		unsigned high = (unsigned)binlog_le(c, 1), low = (unsigned)binlog_le(c, 1);

		string_type(col, high, low);
		break;
	}
	case BL_ENUM:
	case BL_SET:
		(void)binlog_le(c, 1);
		col->length_bytes = (uint8_t)binlog_le(c, 1);
		break;
	case BL_VARCHAR:
	case BL_VAR_STRING:
	case BL_VARCHAR_COMPRESSED:
		col->length = (uint16_t)binlog_le(c, 2);
		col->length_bytes = col->length < 256 ? 1 : 2;
		break;
	case BL_NEWDECIMAL:
		col->length = (uint16_t)binlog_le(c, 1);
		col->scale = (uint16_t)binlog_le(c, 1);
		break;
	case BL_BIT: {
		unsigned bits = (unsigned)binlog_le(c, 1);

		col->length = (uint16_t)(binlog_le(c, 1) * 8 + bits);
		break;
	}
	case BL_BLOB:
	case BL_TINY_BLOB:
	case BL_MEDIUM_BLOB:
	case BL_LONG_BLOB:
	case BL_GEOMETRY:
	case BL_JSON:
	case BL_VECTOR:
	case BL_BLOB_COMPRESSED:
		col->length_bytes = (uint8_t)binlog_le(c, 1);
		break;
	case BL_TIMESTAMP2:
	case BL_DATETIME2:
	case BL_TIME2:
		col->fsp = (uint8_t)binlog_le(c, 1);
		break;
	case BL_FLOAT:
	case BL_DOUBLE:
		(void)binlog_le(c, 1);
		break;
	case BL_DECIMAL:
	case BL_TINY:
	case BL_SHORT:
	case BL_LONG:
	case BL_NULL:
	case BL_TIMESTAMP:
	case BL_LONGLONG:
	case BL_INT24:
	case BL_DATE:
	case BL_TIME:
	case BL_DATETIME:
	case BL_YEAR:
	case BL_NEWDATE:
		break;
	}
}

static bool column_ok(const struct binlog_column *col)
{
	switch ((enum binlog_type)col->type) {
	case BL_ENUM:
		return col->length_bytes == 1 || col->length_bytes == 2;
	case BL_SET:
		return col->length_bytes >= 1 && col->length_bytes <= 8;
	case BL_BLOB:
	case BL_TINY_BLOB:
	case BL_MEDIUM_BLOB:
	case BL_LONG_BLOB:
	case BL_GEOMETRY:
	case BL_JSON:
	case BL_VECTOR:
	case BL_BLOB_COMPRESSED:
		return col->length_bytes >= 1 && col->length_bytes <= 4;
	case BL_TIMESTAMP2:
	case BL_DATETIME2:
	case BL_TIME2:
		return col->fsp <= 6;
	case BL_BIT:
		return col->length >= 1 && col->length <= 64;
	case BL_NEWDECIMAL:
		return col->length >= 1 && col->length <= 81 && col->scale <= col->length;
	case BL_DECIMAL:
	case BL_NULL:
		return false;
	case BL_TINY:
	case BL_SHORT:
	case BL_LONG:
	case BL_FLOAT:
	case BL_DOUBLE:
	case BL_TIMESTAMP:
	case BL_LONGLONG:
	case BL_INT24:
	case BL_DATE:
	case BL_TIME:
	case BL_DATETIME:
	case BL_YEAR:
	case BL_NEWDATE:
	case BL_VARCHAR:
	case BL_VARCHAR_COMPRESSED:
	case BL_VAR_STRING:
	case BL_STRING:
		return true;
	}
	return false;
}

/* --- optional metadata -------------------------------------------------- */

static void read_signs(struct binlog_table *bt, struct binlog_cur c, bool mariadb)
{
	unsigned i = 0;

	for (uint32_t k = 0; k < bt->n; k++) {
		if (!binlog_is_numeric(bt->col[k].type, mariadb))
			continue;
		if (i / 8 >= binlog_left(&c))
			return;
		bt->col[k].sign = c.p[i / 8] >> (7 - i % 8) & 1 ? SIGN_UNSIGNED : SIGN_SIGNED;
		i++;
	}
}

/* The n-th column that `is` says yes to; NULL: there are fewer. */
static struct binlog_column *nth(struct binlog_table *bt, bool (*is)(uint8_t), uint64_t n)
{
	for (uint32_t k = 0; k < bt->n; k++) {
		if (is(bt->col[k].type) && n-- == 0)
			return &bt->col[k];
	}
	return NULL;
}

static void read_default_charset(struct binlog_table *bt, bool (*is)(uint8_t), struct binlog_cur c)
{
	const char *name = binlog_charset(binlog_lenenc(&c));

	for (uint32_t k = 0; k < bt->n; k++) {
		if (is(bt->col[k].type))
			bt->col[k].charset = name;
	}
	while (binlog_left(&c)) {
		struct binlog_column *col = nth(bt, is, binlog_lenenc(&c));
		uint64_t n = binlog_lenenc(&c);

		if (col)
			col->charset = binlog_charset(n);
	}
}

static void read_charsets(struct binlog_table *bt, bool (*is)(uint8_t), struct binlog_cur c)
{
	for (uint32_t k = 0; k < bt->n && binlog_left(&c); k++) {
		if (is(bt->col[k].type))
			bt->col[k].charset = binlog_charset(binlog_lenenc(&c));
	}
}

static void read_names(struct binlog_table *bt, struct binlog_cur c)
{
	for (uint32_t k = 0; k < bt->n && binlog_left(&c); k++)
		bt->col[k].name = binlog_bytes(&c, binlog_lenenc(&c));
}

/* Members of all columns of the type, as bytes of their sets. */
static int read_members(struct binlog_table *bt, uint8_t type, struct binlog_cur c,
			struct cdc_err *err)
{
	for (uint32_t k = 0; k < bt->n && binlog_left(&c); k++) {
		uint64_t n;

		if (bt->col[k].type != type)
			continue;
		n = binlog_lenenc(&c);
		if (n > binlog_left(&c))
			return CDC_OK;
		bt->col[k].member = cdc_arena_calloc(&bt->a, n + 1, sizeof(struct cdc_str));
		if (!bt->col[k].member)
			return cdc_fail_nomem(err);
		for (uint64_t i = 0; i < n; i++)
			bt->col[k].member[i] = binlog_bytes(&c, binlog_lenenc(&c));
		bt->col[k].n_members = (uint32_t)n;
	}
	return CDC_OK;
}

static int read_key(struct binlog_table *bt, bool prefixes, struct binlog_cur c,
		    struct cdc_err *err)
{
	uint32_t *key = cdc_arena_calloc(&bt->a, bt->n, sizeof(*key));

	if (!key)
		return cdc_fail_nomem(err);
	bt->key = key;
	while (binlog_left(&c) && bt->n_key < bt->n) {
		uint64_t i = binlog_lenenc(&c);

		if (prefixes)
			(void)binlog_lenenc(&c);
		if (i >= bt->n)
			return cdc_fail(err, CDC_EDATA, "a key has a column that is not there");
		key[bt->n_key++] = (uint32_t)i;
	}
	return CDC_OK;
}

static int read_metadata(struct binlog *b, struct binlog_table *bt, struct binlog_cur *c,
			 struct cdc_err *err)
{
	int rc = CDC_OK;

	while (rc == CDC_OK && binlog_left(c)) {
		uint64_t type = binlog_le(c, 1);
		struct binlog_cur v = binlog_cur(binlog_bytes(c, binlog_lenenc(c)));

		switch (type) {
		case META_SIGNEDNESS:
			read_signs(bt, v, b->mariadb);
			break;
		case META_DEFAULT_CHARSET:
			read_default_charset(bt, is_character, v);
			break;
		case META_COLUMN_CHARSET:
			read_charsets(bt, is_character, v);
			break;
		case META_COLUMN_NAME:
			read_names(bt, v);
			break;
		case META_SET_STR_VALUE:
			rc = read_members(bt, BL_SET, v, err);
			break;
		case META_ENUM_STR_VALUE:
			rc = read_members(bt, BL_ENUM, v, err);
			break;
		case META_SIMPLE_PRIMARY_KEY:
		case META_PRIMARY_KEY_WITH_PREFIX:
			rc = read_key(bt, type == META_PRIMARY_KEY_WITH_PREFIX, v, err);
			break;
		case META_ENUM_AND_SET_DEFAULT_CHARSET:
			read_default_charset(bt, is_member, v);
			break;
		case META_ENUM_AND_SET_COLUMN_CHARSET:
			read_charsets(bt, is_member, v);
			break;
		default:
			break;
		}
	}
	return rc < 0 ? rc : c->bad ? cdc_fail(err, CDC_EDATA, "a table map is damaged") : CDC_OK;
}

/* The fixed part: names, types, their metadata, which may be null. */
int binlog_read_map(struct binlog *b, struct binlog_table *bt, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(bt->raw), meta;
	const unsigned char *types;
	uint64_t n;

	(void)binlog_le(&c, 2); /* flags */
	bt->db = binlog_bytes(&c, binlog_le(&c, 1));
	(void)binlog_le(&c, 1);
	bt->name = binlog_bytes(&c, binlog_le(&c, 1));
	(void)binlog_le(&c, 1);
	n = binlog_lenenc(&c);
	types = binlog_take(&c, n);
	if (c.bad || n == 0 || n > CDC_CHANGE_COLUMNS_MAX || !types)
		return cdc_fail(err, CDC_EDATA, "a table map is damaged");
	bt->n = (uint32_t)n;
	bt->col = cdc_arena_calloc(&bt->a, bt->n, sizeof(*bt->col));
	if (!bt->col)
		return cdc_fail_nomem(err);
	meta = binlog_cur(binlog_bytes(&c, binlog_lenenc(&c)));
	for (uint32_t k = 0; k < bt->n; k++) {
		bt->col[k].type = types[k];
		column_meta(&bt->col[k], &meta);
		if (!column_ok(&bt->col[k]))
			return cdc_fail(err, CDC_EDATA, "column %u has type %u, which is not read",
					k + 1, types[k]);
	}
	(void)binlog_take(&c, (n + 7) / 8);
	if (c.bad || meta.bad)
		return cdc_fail(err, CDC_EDATA, "a table map is damaged");
	return read_metadata(b, bt, &c, err);
}
