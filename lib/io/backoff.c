/*
 * Waiting after a lost race, so that those who lost it do not meet again at once.
 */
#include "io/io.h"

#include <time.h>

#define FIRST_US 10000u
#define LONGEST_US 1000000u

int cdc_io_back_off(const struct cdc_io *io, unsigned tries, struct cdc_err *err)
{
	uint32_t most = tries < 7 ? FIRST_US << tries : LONGEST_US;
	uint32_t draw = 0;
	struct timespec ts = { 0 };

	if (io->random(io->ctx, &draw, sizeof(draw)))
		draw = most;
	ts.tv_nsec = (long)(draw % (most < LONGEST_US ? most : LONGEST_US)) * 1000;
	nanosleep(&ts, NULL); /* a signal ends it early: all the better */
	return io->interrupted(io->ctx) ? cdc_fail(err, CDC_EINTR, "interrupted") : CDC_OK;
}
