/*
 * Reading Protocol Buffers' wire format: fields as they lie in the message, nothing copied or
 * allocated. Unknown fields are passed over, of a field that comes twice the last one counts.
 * Groups, which no message here has, are malformed.
 */
#ifndef CDC_SOURCE_PROTOBUF_H
#define CDC_SOURCE_PROTOBUF_H

#include "base/str.h"

#include <stdint.h>

/* The numbers of the format. */
enum cdc_pb_wire { CDC_PB_VARINT = 0, CDC_PB_FIXED64 = 1, CDC_PB_BYTES = 2, CDC_PB_FIXED32 = 5 };

struct cdc_pb_field {
	uint32_t number;
	enum cdc_pb_wire wire;
	uint64_t n; /* of a varint or a fixed one */
	struct cdc_str bytes; /* of CDC_PB_BYTES; in the message */
};

/* The rest of a message. */
struct cdc_pb {
	struct cdc_str rest;
	bool bad; /* it is malformed; nothing more is read */
};

static inline struct cdc_pb cdc_pb(struct cdc_str message)
{
	return (struct cdc_pb){ message, false };
}

/* The next field; false at the end, and when the rest is malformed. */
bool cdc_pb_next(struct cdc_pb *r, struct cdc_pb_field *f);
/* The next field with this number, which holds bytes. */
bool cdc_pb_next_bytes(struct cdc_pb *r, uint32_t number, struct cdc_str *bytes);

/* A field that is wanted, and what was found. */
struct cdc_pb_want {
	uint32_t number;
	enum cdc_pb_wire wire;
};
struct cdc_pb_value {
	bool has;
	uint64_t n; /* 0 if it is not there */
	struct cdc_str bytes; /* empty if it is not there */
};

/* Read a message's fields, value[i] for want[i]. False when it is malformed, or a field has another
 * wire type than it must. */
bool cdc_pb_read(struct cdc_str message, const struct cdc_pb_want *want, size_t n,
		 struct cdc_pb_value *value);

#endif
