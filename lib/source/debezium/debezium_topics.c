/*
 * Which table the rows of a Kafka topic are of, for what has no value: in a topic of flattened rows
 * a message of a key alone is a deletion, and only the rows before it tell from where.
 */
#include "source/debezium/debezium_int.h"

static struct cdc_str topic_of(const struct cdc_message *m)
{
	return m->has_kafka ? m->topic : CDC_STR("");
}

static bool is_named(const struct debezium *d, size_t i, struct cdc_str topic)
{
	return i < d->n_topics && cdc_str_eq(cdc_buf_str(&d->topics[i].name), topic);
}

/* Messages of a topic come in runs. */
static bool find(struct debezium *d, struct cdc_str topic)
{
	if (is_named(d, d->last_topic, topic))
		return true;
	for (size_t i = 0; i < d->n_topics; i++) {
		if (is_named(d, i, topic)) {
			d->last_topic = i;
			return true;
		}
	}
	return false;
}

static int add(struct debezium *d, struct cdc_str topic, struct cdc_err *err)
{
	struct debezium_topic *to;
	int rc;

	if (d->n_topics == DEBEZIUM_TOPICS_MAX)
		d->n_topics = 0;
	to = &d->topics[d->n_topics];
	cdc_buf_reset(&to->name);
	cdc_buf_reset(&to->table);
	rc = cdc_buf_put(&to->name, topic, err);
	if (rc == CDC_OK)
		d->last_topic = d->n_topics++;
	return rc;
}

int debezium_topic_note(struct debezium *d, const struct cdc_message *m,
			const struct cdc_change_table *t, struct cdc_err *err)
{
	struct cdc_buf *table;
	int rc = find(d, topic_of(m)) ? CDC_OK : add(d, topic_of(m), err);

	if (rc < 0)
		return rc;
	table = &d->topics[d->last_topic].table;
	if (cdc_str_eq(cdc_buf_str(table), t->id))
		return CDC_OK;
	cdc_buf_reset(table);
	return cdc_buf_put(table, t->id, err);
}

/* Tables are found anew by their bytes: they are forgotten when there are too many. */
int debezium_topic_table(struct debezium *d, const struct cdc_message *m,
			 struct cdc_change_table **t, struct cdc_err *err)
{
	*t = NULL;
	if (!find(d, topic_of(m)))
		return CDC_OK;
	return cdc_change_table(&d->j.c, cdc_buf_str(&d->topics[d->last_topic].table), t, err);
}

void debezium_topics_free(struct debezium *d)
{
	for (size_t i = 0; i < DEBEZIUM_TOPICS_MAX; i++) {
		cdc_buf_free(&d->topics[i].name);
		cdc_buf_free(&d->topics[i].table);
	}
}
