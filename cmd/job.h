/*
 * Work beside the program's own: a function that runs in a child process, one at a time. It sees
 * the program's memory as it was when it began, and leaves nothing behind but its exit status.
 */
#ifndef CDC_CMD_JOB_H
#define CDC_CMD_JOB_H

#include <stdbool.h>
#include <sys/types.h>

struct cmd_job {
	pid_t pid; /* 0: none runs */
};

/*
 * Start run(ctx), whose result is the exit status of the child. False when a job runs already, or
 * the system has no process to give.
 */
bool cmd_job_start(struct cmd_job *j, int (*run)(void *ctx), void *ctx);
/* Whether a job that was started has ended; its exit status, 128 and the signal that killed it. */
bool cmd_job_ended(struct cmd_job *j, int *status);
/* Wait for it; with `stop` it is asked to end first. False: there was none. */
bool cmd_job_wait(struct cmd_job *j, bool stop, int *status);

#endif
