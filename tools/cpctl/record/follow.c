// SPDX-License-Identifier: GPL-2.0-only
/* Recording a process with all its descendants. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "diagnose.h"
#include "exit.h"
#include "follow.h"
#include "interrupt.h"
#include "jobcontrol.h"
#include "message.h"
#include "progress.h"
#include "recjoin.h"
#include "recorder.h"
#include "recprep.h"
#include "recslave.h"
#include "recsummary.h"
#include "text.h"
#include "tidtable.h"

/* The maximum number of processes that are recorded at one time. */
#define FOLLOW_MAX	1024

/*
 * enum report_kind - what a recorder has to say
 * @REPORT_BEGUN: the program of the command line has begun
 * @REPORT_BORN: the process has created another one
 * @REPORT_WRITTEN: a SIGUSR1 has been served
 * @REPORT_OVER: the recording is complete
 */
enum report_kind {
	REPORT_BEGUN,
	REPORT_BORN,
	REPORT_WRITTEN,
	REPORT_OVER,
};

/*
 * struct report - a message from a recorder to its supervisor
 * @kind: the kind of message
 * @recorder: the process id of the recorder
 * @summary: of REPORT_OVER; of the others, @pid alone
 */
struct report {
	enum report_kind	kind;
	pid_t			recorder;
	struct recsummary	summary;
};

/*
 * struct follower - a recorder that runs
 * @recorder: its process id
 * @path: the file that it writes; NULL if it has yet to start its slave
 * @part: what is known of its slave
 * @asked: whether it has to serve a SIGUSR1
 * @over: whether its recording is complete
 */
struct follower {
	pid_t		recorder;
	char		*path;
	struct rec_part	part;
	bool		asked;
	bool		over;
};

/* struct used - a process id that has been recorded, and how often */
struct used {
	pid_t		pid;
	unsigned int	times;
};

/*
 * struct follow - the supervisor
 * @command: as for follow()
 * @options: the options of all recordings; @output is the path of the files, without the
 *	dot and the process id
 * @name: the name of the recording in messages
 * @files: @output of @options, if it is in @folder
 * @folder: where all files are until they are parts of @join; NULL to keep them separate
 * @join: the file of all processes; @path is NULL before it is open
 * @reports: the socket of the supervisor, and that of all recorders
 * @signals: a signalfd(2) of SIGCHLD, SIGCONT and SIGUSR1
 * @mask: the signals that were blocked before
 * @nr: the number of @followers
 * @followers: the recorders that run
 * @used: struct used of all process ids
 * @root: the recorder of the first process; 0 after its end
 * @begun: whether there is a pair with the first process
 * @order: the number of processes that have begun
 * @writing: whether the recorders serve a SIGUSR1
 * @told: whether the recorders have got a SIGINT
 * @status: the exit status
 * @processes: the number of recordings that are complete
 * @failed: the number of processes without a recording
 * @total: the sums of all recordings
 */
struct follow {
	char				**command;
	struct record_options		options;
	char				*name;
	char				*files;
	char				*folder;
	struct recjoin			join;
	int				reports[2];
	int				signals;
	sigset_t			mask;
	size_t				nr;
	struct follower			followers[FOLLOW_MAX];
	struct tidtable			used;
	pid_t				root;
	bool				begun;
	uint32_t			order;
	bool				writing;
	bool				told;
	int				status;
	unsigned long			processes;
	unsigned long			failed;
	struct recsummary		total;
};

/* In a recorder: the socket to its supervisor. */
static int supervisor = -1;

static void report(enum report_kind kind, const struct recsummary *summary)
{
	const struct report message = {
		.kind = kind,
		.recorder = getpid(),
		.summary = *summary,
	};

	/* A supervisor that was killed does not read it; SIGINT is on its way then. */
	while (send(supervisor, &message, sizeof(message), MSG_NOSIGNAL) < 0 &&
	       errno == EINTR && !interrupted())
		;
}

static void report_begun(pid_t pid)
{
	report(REPORT_BEGUN, &(struct recsummary){ .pid = pid });
}

static void report_born(pid_t child)
{
	report(REPORT_BORN, &(struct recsummary){ .pid = child });
}

static void report_written(void)
{
	report(REPORT_WRITTEN, &(struct recsummary){});
}

static void report_over(const struct recsummary *summary)
{
	report(REPORT_OVER, summary);
}

static struct record_family family = {
	.begun = report_begun,
	.born = report_born,
	.changed = jobcontrol_mirror,
	.written = report_written,
	.over = report_over,
};

/*
 * The path of a process's recording, to be freed. An id may be used again in the course of
 * the recording: the second process gets another name.
 */
static char *path_of(struct follow *follow, pid_t pid)
{
	const char *output = follow->options.output;
	struct used *used = tidtable_find(&follow->used, pid);
	char *path;
	int ret;

	if (!used)
		used = tidtable_add(&follow->used, pid, sizeof(*used));
	if (!used)
		return NULL;
	used->times++;
	if (used->times > 1)
		ret = asprintf(&path, "%s.%d.%u", output, pid, used->times);
	else
		ret = asprintf(&path, "%s.%d", output, pid);
	return ret < 0 ? NULL : path;
}

/*
 * struct job - what a recorder is to do
 * @command: the program to start; NULL for @pid
 * @pid: the process
 * @path: the path of its file, if the kernel holds the process; NULL for the first process
 */
struct job {
	char	**command;
	pid_t	pid;
	char	*path;
};

/* Records in a process of its own; returns its exit status. */
static int do_job(const struct follow *follow, const struct job *job)
{
	struct record_options options = follow->options;
	struct cp_pair *pair = cp_pair_open();
	sigset_t mask = follow->mask;
	int status;

	if (!pair) {
		diagnose_open(errno);
		return EXIT_REFUSED;
	}
	interrupt_catch(pair);
	recorder_catch();
	/* The recorder that starts the program is still in its session. */
	if (job->command)
		jobcontrol_block(&mask);
	interrupt_unblock(&mask);
	family.mask = &follow->mask;
	options.family = &family;
	if (job->path) {
		options.output = job->path;
		status = recslave_newcomer(&pair, job->pid, &options);
	} else if (job->command) {
		status = recslave_command(&pair, job->command, &options);
	} else {
		status = recslave_running(&pair, job->pid, &options);
	}
	cp_pair_close(pair);
	return status;
}

/*
 * The recorder has a session of its own: the keys of the terminal do not reach it. The one
 * that starts a program leaves the session after the program's process has been created in
 * it. If the supervisor is killed, SIGINT has the recorder write its file.
 */
static void become_recorder(const struct follow *follow, const struct job *job,
			    pid_t parent)
{
	if (!job->command)
		jobcontrol_leave();
	prctl(PR_SET_PDEATHSIG, SIGINT);
	if (getppid() != parent)
		_exit(EXIT_REFUSED);
	supervisor = follow->reports[1];
	close(follow->reports[0]);
	close(follow->signals);
	exit(do_job(follow, job));
}

/* Starts a recorder. Returns its process id, or -1 after printing the reason. */
static pid_t start(struct follow *follow, const struct job *job)
{
	const pid_t parent = getpid();
	sigset_t old;
	pid_t pid;

	/* The recorder must not die by a signal before it has its handlers. */
	interrupt_block(&old);
	pid = fork();
	if (!pid)
		become_recorder(follow, job, parent);
	interrupt_unblock(&old);
	if (pid > 0)
		follow->followers[follow->nr++] = (struct follower){
			.recorder = pid,
			.path = job->path,
			.part.process = job->pid,
			.part.order = follow->order++,
		};
	return pid;
}

/* Starts a recorder for a child. Returns false after printing the reason. */
static bool start_child(struct follow *follow, pid_t child)
{
	struct job job = { .pid = child };

	if (follow->nr == FOLLOW_MAX) {
		warnx("process %d is not recorded: %d are, which is the maximum",
		      child, FOLLOW_MAX);
		return false;
	}
	job.path = path_of(follow, child);
	if (job.path && start(follow, &job) > 0)
		return true;
	warn("cannot record process %d", child);
	free(job.path);
	return false;
}

static void begin_child(struct follow *follow, pid_t child)
{
	if (!interrupted() && start_child(follow, child))
		return;
	follow->failed += !interrupted();
	recprep_give_up(child);
}

static struct follower *find(struct follow *follow, pid_t recorder)
{
	size_t i;

	for (i = 0; i < follow->nr; i++) {
		if (follow->followers[i].recorder == recorder)
			return &follow->followers[i];
	}
	return NULL;
}

static void begin_program(struct follow *follow, struct follower *follower,
			  pid_t pid)
{
	follow->begun = true;
	follower->part.process = pid;
	follower->path = path_of(follow, pid);
	if (follow->command)
		interrupt_pass_on(pid);
	if (!follow->folder || follow->join.file.path)
		return;
	free(follow->name);
	if (asprintf(&follow->name, "recording.%d", pid) < 0)
		follow->name = NULL;
	else
		recjoin_open(&follow->join, follow->name);
}

static void add_to_total(struct follow *follow, const struct recsummary *summary)
{
	struct recsummary *total = &follow->total;

	follow->processes++;
	total->checkpoints += summary->checkpoints;
	total->missed += summary->missed;
	total->size += summary->size;
	total->cut += summary->cut;
	total->unseen += summary->unseen;
}

/* Prints that a process was killed: its recording is the one to look at. */
static void print_killed(const struct recsummary *summary)
{
	char name[COMM_TEXT_SIZE];

	if (summary->reason != CP_END_EXITED || !WIFSIGNALED(summary->status))
		return;
	progress_end();
	warnx("process %d (%s) has ended: killed by signal %d (%s)",
	      summary->pid, text_comm(name, summary->name),
	      WTERMSIG(summary->status), strsignal(WTERMSIG(summary->status)));
}

/* Adds the recording of a process to the file of all. */
static void join_part(struct follow *follow, struct follower *follower,
		      bool running)
{
	const char *path = follower->path;

	if (!follow->join.file.path || !path || access(path, F_OK))
		return;
	if (!recjoin_add(&follow->join, &follower->part, path, running) &&
	    !running)
		unlink(path);
}

/* All recorders have served a SIGUSR1. */
static void show_all(struct follow *follow)
{
	size_t i;

	follow->writing = false;
	if (follow->folder) {
		if (!follow->join.file.path || recjoin_reset(&follow->join))
			return;
		for (i = 0; i < follow->nr; i++)
			join_part(follow, &follow->followers[i], true);
		if (recjoin_show(&follow->join))
			return;
	}
	progress_end();
	warnx("%s%s: written, with %zu processes that continue", follow->name,
	      follow->folder ? "" : ".*", follow->nr);
}

static void show_if_written(struct follow *follow)
{
	size_t i;

	for (i = 0; follow->writing && i < follow->nr; i++) {
		if (follow->followers[i].asked)
			return;
	}
	if (follow->writing)
		show_all(follow);
}

static void ask_all(struct follow *follow)
{
	size_t i;

	follow->writing = true;
	for (i = 0; i < follow->nr; i++) {
		follow->followers[i].asked = true;
		kill(follow->followers[i].recorder, SIGUSR1);
	}
}

static void take_summary(struct follow *follow, struct follower *follower,
			 const struct recsummary *summary)
{
	follower->over = true;
	follower->part.reason = summary->reason;
	follower->part.status = summary->status;
	memcpy(follower->part.name, summary->name, sizeof(summary->name));
	add_to_total(follow, summary);
	print_killed(summary);
}

static void take_report(struct follow *follow, const struct report *message)
{
	struct follower *follower = find(follow, message->recorder);

	if (!follower)
		return;
	switch (message->kind) {
	case REPORT_BEGUN:
		begin_program(follow, follower, message->summary.pid);
		break;
	case REPORT_BORN:
		begin_child(follow, message->summary.pid);
		break;
	case REPORT_OVER:
		take_summary(follow, follower, &message->summary);
		break;
	case REPORT_WRITTEN:
		follower->asked = false;
		break;
	}
}

static void take_reports(struct follow *follow)
{
	struct report message;

	while (recv(follow->reports[0], &message, sizeof(message),
		    MSG_DONTWAIT) == sizeof(message))
		take_report(follow, &message);
}

/* Signals are for cpctl again. */
static void program_over(void)
{
	interrupt_keep();
	jobcontrol_close();
}

/* The recorder has ended, with a status of waitpid(2). */
static void remove_follower(struct follow *follow, pid_t recorder, int status)
{
	struct follower *follower = find(follow, recorder);

	if (!follower)
		return;
	if (WIFSIGNALED(status) && !follower->over)
		warnx("the recorder of process %d was killed by signal %d: there is no recording of it",
		      follower->part.process, WTERMSIG(status));
	if (!follower->over) {
		follow->failed++;
		recprep_give_up(follower->part.process);
	}
	if (recorder == follow->root) {
		follow->status = WIFEXITED(status) ? WEXITSTATUS(status) :
						     EXIT_REFUSED;
		follow->root = 0;
		if (follow->command)
			program_over();
	}
	join_part(follow, follower, false);
	free(follower->path);
	*follower = follow->followers[--follow->nr];
}

static void reap(struct follow *follow)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		/* What the recorder has said before its end comes first. */
		take_reports(follow);
		remove_follower(follow, pid, status);
	}
}

/* A shell continues the program with cpctl, if both are in one process group. */
static void resume_program(struct follow *follow)
{
	const struct follower *root = find(follow, follow->root);

	if (root && follow->command && follow->begun)
		jobcontrol_resume(root->part.process);
}

static void take_signals(struct follow *follow)
{
	struct signalfd_siginfo signal;

	while (read(follow->signals, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo == SIGUSR1)
			ask_all(follow);
		else if (signal.ssi_signo == SIGCONT)
			resume_program(follow);
	}
	reap(follow);
	show_if_written(follow);
}

/*
 * Tells the recorders once: a second SIGINT would kill them. A signal before the program
 * has begun may be one for the program.
 */
static void pass_interruption(struct follow *follow)
{
	size_t i;

	if (!interrupted() || follow->told ||
	    (follow->command && !follow->begun))
		return;
	follow->told = true;
	progress_end();
	warnx("interrupted; what is recorded continues");
	for (i = 0; i < follow->nr; i++)
		kill(follow->followers[i].recorder, SIGINT);
}

static void show_progress(const struct follow *follow)
{
	char text[128];

	/* While the program runs, the terminal is the program's. */
	if (follow->command && follow->root)
		return;
	snprintf(text, sizeof(text),
		 "recording %zu process%s; %lu have ended", follow->nr,
		 follow->nr == 1 ? "" : "es", follow->processes);
	progress_line(text);
}

static void wait_for_news(struct follow *follow)
{
	static const struct timespec second = { .tv_sec = 1 };
	struct pollfd files[] = {
		{ .fd = follow->reports[0], .events = POLLIN },
		{ .fd = follow->signals, .events = POLLIN },
	};

	/* After an interruption, that would not wait. */
	if (interrupted())
		poll(files, 2, 1000);
	else
		interrupt_poll_until(files, 2, &second);
}

static void supervise(struct follow *follow)
{
	while (follow->nr) {
		show_progress(follow);
		wait_for_news(follow);
		take_reports(follow);
		take_signals(follow);
		pass_interruption(follow);
	}
	progress_end();
}

static void print_summary(const struct follow *follow)
{
	const struct recsummary *total = &follow->total;
	char size[FIGURE_SIZE];

	warnx("%s%s: %lu process%s, %" PRIu64 " checkpoint%s, %s; %" PRIu64 " %s",
	      follow->name, follow->folder ? "" : ".*", follow->processes,
	      follow->processes == 1 ? "" : "es", total->checkpoints,
	      total->checkpoints == 1 ? "" : "s",
	      figure_bytes(size, (double)total->size), total->missed,
	      follow->options.stream ? "lost in between" :
					"came and went before");
	progress_shortcomings(total->cut, total->unseen);
	if (follow->failed)
		warnx("%lu process%s not recorded", follow->failed,
		      follow->failed == 1 ? " was" : "es were");
}

/* Opens the socket, and blocks and opens the signals. */
static int open_files(struct follow *follow)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &follow->mask);
	follow->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (follow->signals < 0)
		return -1;
	if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			follow->reports))
		return 0;
	close(follow->signals);
	return -1;
}

/* The exit status of a program is that of cpctl, even if the recording has failed. */
static void fail(struct follow *follow)
{
	if (!follow->command)
		follow->status = EXIT_REFUSED;
}

/* Gives the file of all processes its name, and removes the folder of their files. */
static void finish(struct follow *follow)
{
	if (!follow->folder)
		return;
	if (follow->join.file.path && !follow->join.nr)
		recjoin_drop(&follow->join);
	else if (follow->join.file.path && recjoin_keep(&follow->join))
		fail(follow);
	if (!rmdir(follow->folder))
		return;
	fail(follow);
	warnx("recordings that are not in %s are in the folder %s", follow->name,
	      follow->folder);
}

static int follow_all(struct follow *follow, pid_t pid)
{
	const struct job job = { .command = follow->command, .pid = pid };

	follow->root = start(follow, &job);
	if (follow->root < 0) {
		warn("cannot start a recorder");
		follow->status = EXIT_REFUSED;
	} else {
		supervise(follow);
	}
	finish(follow);
	if (follow->processes)
		print_summary(follow);
	return follow->status;
}

/*
 * Sets the name of the recording, and of its files. The file of all processes is opened now
 * if its name is known: that of the user. Returns 0, or -1 after printing the reason.
 */
static int open_output(struct follow *follow, bool separately)
{
	const char *output = follow->options.output;
	const char *name = output ? output : "recording";

	follow->name = strdup(name);
	if (!follow->name)
		goto err;
	follow->options.output = follow->name;
	if (separately)
		return 0;
	if (asprintf(&follow->folder, "%s.XXXXXX", name) < 0) {
		follow->folder = NULL;
		goto err;
	}
	if (!mkdtemp(follow->folder)) {
		warn("cannot write %s", name);
		return -1;
	}
	if (asprintf(&follow->files, "%s/process", follow->folder) < 0) {
		follow->files = NULL;
		goto err;
	}
	follow->options.output = follow->files;
	if (!output || !recjoin_open(&follow->join, follow->name))
		return 0;
	rmdir(follow->folder);
	return -1;

err:
	warn("cannot record");
	return -1;
}

int follow(char **command, pid_t pid, bool separately,
	   const struct record_options *options)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	int status = EXIT_REFUSED;

	if (!follow) {
		warn("cannot record");
		return EXIT_REFUSED;
	}
	follow->command = command;
	follow->options = *options;
	if (open_output(follow, separately))
		goto out;
	if (open_files(follow)) {
		warn("cannot start a recorder");
		finish(follow);
		goto out;
	}
	if (command)
		jobcontrol_open();
	interrupt_catch(NULL);
	status = follow_all(follow, pid);
	close(follow->reports[0]);
	close(follow->reports[1]);
	close(follow->signals);

out:
	tidtable_clear(&follow->used, free);
	free(follow->files);
	free(follow->folder);
	free(follow->name);
	free(follow);
	return status;
}
