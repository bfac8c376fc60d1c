// SPDX-License-Identifier: GPL-2.0-only
/* Recording one process, from the pair to the file. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "child.h"
#include "diagnose.h"
#include "exit.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "recorder.h"
#include "recprep.h"
#include "recslave.h"

/*
 * Sets the name of the file, if it is the default one or that of one process among others.
 * Returns the name, to be freed; or NULL.
 */
static char *set_output(struct record_options *options, pid_t pid)
{
	const char *first = options->output ? options->output : "recording";
	char *name;

	if (options->output && !options->family)
		return NULL;
	if (asprintf(&name, "%s.%d", first, pid) < 0)
		return NULL;
	options->output = name;
	return name;
}

static int record_running(struct cp_pair **pair, pid_t pid,
			  const struct record_options *options)
{
	struct recorder *rec;
	int status = EXIT_REFUSED;

	if (kill(pid, 0) && errno == ESRCH) {
		diagnose_prep(pid, ESRCH);
		return EXIT_REFUSED;
	}
	if ((options->family && child_watch()) || recprep(*pair, pid, options))
		return EXIT_REFUSED;
	if (options->family)
		options->family->begun(pid);
	/*
	 * Without -f, do not follow an exec: access was granted to the current program
	 * only.
	 */
	rec = recorder_open(pair, pid, options->family, options);
	if (rec)
		status = recorder_run(rec);
	recorder_close(rec);
	if (interrupted() && !options->family)
		warnx("interrupted; process %d continues", pid);
	return status;
}

int recslave_running(struct cp_pair **pair, pid_t pid,
		     struct record_options *options)
{
	char *name;
	int status;

	pid = recprep_slave(*pair, pid, options);
	name = set_output(options, pid);
	status = record_running(pair, pid, options);
	free(name);
	return status;
}

static int exit_status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/*
 * Pairs with a child that is held at its beginning, and lets the child run to its entry
 * point, to read its mappings: the program may crash soon after. With --wait, the child
 * runs to its entry point before the pair is made, because a pair could block it.
 */
static struct recorder *prep_child(struct cp_pair **pair, pid_t pid,
				   const struct record_options *options)
{
	struct recorder *rec = NULL;

	while (options->wait && child_run_to_entry(pid) == CHILD_EXEC)
		;
	if (!recprep(*pair, pid, options))
		rec = recorder_open(pair, pid, true, options);
	if (rec)
		recorder_begin(rec);
	return rec;
}

/* Returns the exit status of the program, even if the recording has failed. */
static int wait_for_child(pid_t pid, int status,
			  const struct record_options *options)
{
	int ended;

	if (!child_wait(pid, &ended)) {
		if (!options->family)
			warnx("interrupted; process %d continues", pid);
		return status;
	}
	if (status != EXIT_OK)
		warnx("the recording failed; the exit status is that of process %d",
		      pid);
	return exit_status_of(ended);
}

static int record_started(struct cp_pair **pair, pid_t pid,
			  const struct record_options *options)
{
	struct recorder *rec = prep_child(pair, pid, options);
	int status;

	if (!rec) {
		child_kill(pid);
		return EXIT_REFUSED;
	}
	if (options->family)
		options->family->begun(pid);
	child_release(pid);
	status = recorder_run(rec);
	recorder_close(rec);
	return wait_for_child(pid, status, options);
}

int recslave_command(struct cp_pair **pair, char **command,
		     struct record_options *options)
{
	const struct record_family *family = options->family;
	pid_t pid = child_start(command, family ? family->mask : NULL);
	char *name;
	int status;

	if (pid < 0)
		return EXIT_REFUSED;
	interrupt_pass_on(pid);
	recprep_slave(*pair, pid, options);
	name = set_output(options, pid);
	status = record_started(pair, pid, options);
	free(name);
	return status;
}

/* Makes the pair. Returns NULL after printing the reason. */
static struct recorder *prep_newcomer(struct cp_pair **pair, pid_t pid,
				      const struct record_options *options)
{
	struct recorder *rec;
	bool held;

	if (child_watch())
		return NULL;
	/* Before the pair, which lets the child run: it may crash at once. */
	rec = recorder_open(pair, pid, true, options);
	if (!rec)
		return NULL;
	held = task_is_held(pid);
	if (recprep(*pair, pid, options)) {
		recorder_close(rec);
		return NULL;
	}
	if (!held)
		warnx("process %d ran for some time before it was recorded",
		      pid);
	return rec;
}

int recslave_newcomer(struct cp_pair **pair, pid_t pid,
		      const struct record_options *options)
{
	struct recorder *rec = prep_newcomer(pair, pid, options);
	int status;

	if (!rec) {
		recprep_give_up(pid);
		return EXIT_REFUSED;
	}
	status = recorder_run(rec);
	recorder_close(rec);
	return status;
}
