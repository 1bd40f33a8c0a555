/*
 * Waiting after a lost race. See io.h.
 */
#include "io/io.h"

#define FIRST_MS 10
#define LONGEST_MS 1000

int cdc_io_back_off(const struct cdc_io *io, unsigned tries, struct cdc_err *err)
{
	uint32_t ms = LONGEST_MS, chance = 0;

	if (tries < 6)
		ms = (uint32_t)FIRST_MS << tries;
	/* Anything from half of it on. */
	if (io->random(io->ctx, &chance, sizeof(chance)) == 0)
		ms = ms / 2 + chance % (ms / 2 + 1);
	io->sleep_ms(io->ctx, ms);
	return io->interrupted(io->ctx) ? cdc_fail(err, CDC_EINTR, "interrupted") : CDC_OK;
}
