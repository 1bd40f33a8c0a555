/*
 * A function in a child process. See job.h.
 */
#include "cmd/job.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

bool cmd_job_start(struct cmd_job *j, int (*run)(void *ctx), void *ctx)
{
	pid_t pid;

	if (j->pid)
		return false;
	pid = fork();
	if (pid == 0)
		_exit(run(ctx));
	if (pid > 0)
		j->pid = pid;
	return pid > 0;
}

static bool take_status(struct cmd_job *j, int flags, int *status)
{
	pid_t got;
	int how = 0;

	if (!j->pid)
		return false;
	do {
		got = waitpid(j->pid, &how, flags);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		return false;
	*status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
	j->pid = 0;
	return true;
}

bool cmd_job_ended(struct cmd_job *j, int *status)
{
	return take_status(j, WNOHANG, status);
}

bool cmd_job_wait(struct cmd_job *j, bool stop, int *status)
{
	if (j->pid && stop)
		kill(j->pid, SIGTERM);
	return take_status(j, 0, status);
}
