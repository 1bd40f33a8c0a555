/* Names of transactions in a binlog, and where transactions begin (see binlog_int.h). */
#include "source/binlog/binlog_int.h"

#include "base/value.h"

#include <stdio.h>

#define UUID_CHARS 36
#define TAG_MAX 32
#define TIME_MASK ((UINT64_C(1) << 55) - 1) /* the bit above tells of another time */

/* Flags of MariaDB's GTID event. */
enum { GTID_STANDALONE = 1, GTID_PREPARED_XA = 64, GTID_COMPLETED_XA = 128 };

void binlog_begin_transaction(struct binlog *b)
{
	binlog_xa_abandon(b);
	b->gtid[0] = '\0';
	b->commit_us = 0;
	b->has_thread = false;
}

int binlog_gtid(struct binlog *b, struct cdc_str body, bool anonymous, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	struct cdc_str sid;
	char uuid[UUID_CHARS];
	uint64_t number, commit;

	binlog_begin_transaction(b);
	(void)binlog_le(&c, 1);
	sid = binlog_bytes(&c, 16);
	number = binlog_le(&c, 8);
	if (c.bad)
		return cdc_fail(err, CDC_EDATA, "a GTID event is damaged");
	if (!anonymous) {
		(void)cdc_uuid_format(sid.p, uuid);
		(void)snprintf(b->gtid, sizeof(b->gtid), "%.36s:%llu", uuid,
			       (unsigned long long)number);
	}
	/* Since 5.7 two logical timestamps follow, since 8.0 the time of the commit. */
	if (binlog_left(&c) < 17 + 7 || *c.p != 2)
		return CDC_OK;
	(void)binlog_take(&c, 17);
	commit = binlog_le(&c, 7);
	b->commit_us = commit & TIME_MASK;
	return CDC_OK;
}

/*
 * What a tagged GTID is written in: fields behind their numbers, all in integers of 1 to 9 bytes.
 * As many bytes follow the first as that ends in ones.
 */
static uint64_t varint(struct binlog_cur *c)
{
	uint64_t first = binlog_le(c, 1);
	unsigned more = 0;

	while (more < 8 && first >> more & 1)
		more++;
	if (more == 8)
		return binlog_le(c, 8);
	return (first | binlog_le(c, more) << 8) >> (more + 1);
}

enum {
	FIELD_FLAGS,
	FIELD_UUID,
	FIELD_NUMBER,
	FIELD_TAG,
	FIELD_COMMITTED,
	FIELD_SEQUENCE,
	FIELD_TIME
};

int binlog_gtid_tagged(struct binlog *b, struct cdc_str body, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	char uuid[UUID_CHARS], sid[16];
	struct cdc_str tag = CDC_STR("");
	uint64_t number = 0, time = 0;
	unsigned next = FIELD_FLAGS;

	binlog_begin_transaction(b);
	(void)varint(&c); /* the format's version, its length, the last field that must be known */
	(void)varint(&c);
	(void)varint(&c);
	for (; next <= FIELD_TIME && binlog_left(&c); next++) {
		if (varint(&c) != next) {
			c.bad = true;
			break;
		}
		if (next == FIELD_UUID) {
			for (size_t i = 0; i < sizeof(sid); i++)
				sid[i] = (char)varint(&c);
		} else if (next == FIELD_NUMBER) {
			number = varint(&c);
			c.bad = c.bad || number & 1; /* below zero */
		} else if (next == FIELD_TAG) {
			tag = binlog_bytes(&c, varint(&c));
			c.bad = c.bad || tag.n > TAG_MAX;
		} else if (next == FIELD_TIME) {
			time = varint(&c);
		} else {
			(void)varint(&c);
		}
	}
	if (c.bad || next <= FIELD_TAG)
		return cdc_fail(err, CDC_EDATA, "a GTID event is damaged");
	b->commit_us = time & TIME_MASK;
	(void)cdc_uuid_format(sid, uuid);
	(void)snprintf(b->gtid, sizeof(b->gtid), "%.36s:%.*s%s%llu", uuid, (int)tag.n, tag.p,
		       tag.n ? ":" : "", (unsigned long long)number / 2);
	return CDC_OK;
}

int binlog_gtid_mariadb(struct binlog *b, struct cdc_str body, const struct cdc_message *m,
			struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	uint64_t sequence = binlog_le(&c, 8), domain = binlog_le(&c, 4), flags = binlog_le(&c, 1);

	binlog_begin_transaction(b);
	if (c.bad)
		return cdc_fail(err, CDC_EDATA, "a GTID event is damaged");
	(void)snprintf(b->gtid, sizeof(b->gtid), "%llu-%u-%llu", (unsigned long long)domain,
		       b->server_id, (unsigned long long)sequence);
	if (flags & GTID_PREPARED_XA)
		binlog_xa_begin(b);
	/* A standalone event (DDL) has no transaction around it. */
	return flags & (GTID_STANDALONE | GTID_PREPARED_XA | GTID_COMPLETED_XA)
		       ? CDC_OK
		       : binlog_boundary(b, "BEGIN", m, err);
}
