/*
 * Fixed-width integers in byte buffers, without alignment or aliasing assumptions.
 */
#ifndef CDC_BASE_ENDIAN_H
#define CDC_BASE_ENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define CDC_ENDIAN_HELPERS(bits)                                                                   \
	static inline uint##bits##_t cdc_le##bits(const void *p)                                   \
	{                                                                                          \
		uint##bits##_t v;                                                                  \
		memcpy(&v, p, sizeof(v));                                                          \
		return le##bits##toh(v);                                                           \
	}                                                                                          \
	static inline uint##bits##_t cdc_be##bits(const void *p)                                   \
	{                                                                                          \
		uint##bits##_t v;                                                                  \
		memcpy(&v, p, sizeof(v));                                                          \
		return be##bits##toh(v);                                                           \
	}                                                                                          \
	static inline void cdc_put_le##bits(void *p, uint##bits##_t v)                             \
	{                                                                                          \
		v = htole##bits(v);                                                                \
		memcpy(p, &v, sizeof(v));                                                          \
	}                                                                                          \
	static inline void cdc_put_be##bits(void *p, uint##bits##_t v)                             \
	{                                                                                          \
		v = htobe##bits(v);                                                                \
		memcpy(p, &v, sizeof(v));                                                          \
	}

CDC_ENDIAN_HELPERS(16)
CDC_ENDIAN_HELPERS(32)
CDC_ENDIAN_HELPERS(64)

#undef CDC_ENDIAN_HELPERS

#endif
