/*
 * MD5 (RFC 1321) of a text in memory. It proves nothing against someone who means harm: it is here
 * because the checksum of a Delta table's _last_checkpoint is one.
 */
#ifndef CDC_BASE_MD5_H
#define CDC_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#define CDC_MD5_BYTES 16
#define CDC_MD5_TEXT_MAX 33

void cdc_md5(const void *p, size_t n, uint8_t out[CDC_MD5_BYTES]);
/* The same as 32 lower case hexadecimal digits and a NUL. */
void cdc_md5_text(const void *p, size_t n, char out[CDC_MD5_TEXT_MAX]);

#endif
