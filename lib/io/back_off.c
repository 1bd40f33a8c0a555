/*
 * Waiting for one's turn. See io.h.
 */
#include "io/io.h"

#define FIRST_MS 10
#define LONGEST_MS 1000

void cdc_io_back_off(const struct cdc_io *io, unsigned n)
{
	uint32_t ms = LONGEST_MS, chance = 0;

	if (n < 8 && (uint32_t)FIRST_MS << n < LONGEST_MS)
		ms = (uint32_t)FIRST_MS << n;
	/* Anything from half of it on. */
	if (io->random(io->ctx, &chance, sizeof(chance)) == 0)
		ms = ms / 2 + chance % (ms / 2 + 1);
	io->sleep_ms(io->ctx, ms);
}
