// SPDX-License-Identifier: GPL-2.0-only
/* SIGINT, SIGTERM and SIGHUP end the pair and cpctl; the slave continues. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "interrupt.h"
#include "prefault.h"

/* After the signal, a timer interrupts blocking calls at this interval. */
#define AGAIN_NS 50000000

/* The timer's signal. Not SIGALRM: child.c uses that one. */
#define AGAIN_SIGNAL SIGRTMIN

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static struct cp_pair *pair_to_end;
static atomic_int caught;
static volatile sig_atomic_t keys_left;
static bool has_timer;
static timer_t timer;

/*
 * The signal may come just before a system call blocks, which EINTR cannot report.
 * Therefore the handler ends the pair: a cp_pair_get() that is about to wait fails
 * at once. If there is no pair yet, interrupt_prep() ends the pair when it is made.
 * For all other calls, such as a write() to a pipe that nobody reads, the handler
 * starts a timer whose signal interrupts the call after it has blocked.
 */
static void interrupt(int sig)
{
	static const struct itimerspec again = {
		.it_interval.tv_nsec = AGAIN_NS,
		.it_value.tv_nsec = AGAIN_NS,
	};
	int saved = errno;

	caught = sig;
	if (pair_to_end)
		cp_pair_end(pair_to_end);
	if (has_timer)
		timer_settime(timer, 0, &again, NULL);
	errno = saved;
}

/* Has the terminal sent the signal, and the program has got it too? */
static bool is_left(const siginfo_t *info)
{
	return keys_left && info->si_code == SI_KERNEL;
}

static void handle(int sig, siginfo_t *info, void *context);

static const struct sigaction interruption = {
	.sa_sigaction = handle,
	.sa_flags = SA_SIGINFO | SA_RESETHAND,
};

static void handle(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (is_left(info))
		sigaction(sig, &interruption, NULL);
	else
		interrupt(sig);
}

static void interrupt_only(int sig)
{
	(void)sig;
}

/* A signal that nohup(1) or a shell has set to be ignored stays ignored. */
static void set_handler(int sig, const struct sigaction *action)
{
	struct sigaction old;

	sigaction(sig, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		sigaction(sig, action, NULL);
}

static void make_timer(void)
{
	static const struct sigaction action = { .sa_handler = interrupt_only };
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = AGAIN_SIGNAL,
	};

	sigaction(AGAIN_SIGNAL, &action, NULL);
	has_timer = !timer_create(CLOCK_MONOTONIC, &event, &timer);
}

void interrupt_catch(struct cp_pair *pair)
{
	size_t i;

	pair_to_end = pair;
	make_timer();
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		set_handler(signals[i], &interruption);
}

int interrupt_prep(struct cp_pair *pair, pid_t pid,
		   const struct cp_pair_options *options)
{
	int ret;

	/* From here on, the slave may wait for cpctl. */
	prefault_code();
	ret = cp_pair_prep(pair, pid, options);
	if (ret)
		return ret;
	/* Takes the page fault of the region's first page before a hold does. */
	cp_pair_parts(pair);
	if (interrupted())
		cp_pair_end(pair);
	return 0;
}

void interrupt_move(struct cp_pair *pair)
{
	pair_to_end = pair;
}

/* The child of interrupt_pass_on(). */
static pid_t child;

static void pass_on(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (!is_left(info))
		kill(child, sig);
	errno = saved;
}

void interrupt_pass_on(pid_t pid)
{
	static const struct sigaction action = {
		.sa_sigaction = pass_on,
		.sa_flags = SA_SIGINFO,
	};
	static const struct itimerspec never = {};
	int early;

	child = pid;
	set_handler(SIGTERM, &action);
	set_handler(SIGHUP, &action);
	early = caught;
	if (early != SIGTERM && early != SIGHUP)
		return;
	caught = 0;
	if (has_timer)
		timer_settime(timer, 0, &never, NULL);
	kill(pid, early);
}

void interrupt_keep(void)
{
	set_handler(SIGTERM, &interruption);
	set_handler(SIGHUP, &interruption);
}

void interrupt_leave_keys(bool leave)
{
	keys_left = leave;
}

bool interrupted(void)
{
	return caught;
}

static void signal_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	sigaddset(set, AGAIN_SIGNAL);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
}

void interrupt_block(sigset_t *old)
{
	sigset_t set;

	signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, old);
}

void interrupt_unblock(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

int interrupt_poll_until(struct pollfd *files, nfds_t nr,
			 const struct timespec *timeout)
{
	sigset_t old;
	int ret = -1;

	/*
	 * ppoll() unblocks the signals atomically: a signal between the check of
	 * @caught and the wait would be missed.
	 */
	interrupt_block(&old);
	errno = EINTR;
	if (!caught)
		ret = ppoll(files, nr, timeout, &old);
	interrupt_unblock(&old);
	return ret;
}

bool interrupt_poll(struct pollfd *files, nfds_t nr)
{
	int ret;

	do {
		ret = interrupt_poll_until(files, nr, NULL);
	} while (ret < 0 && errno == EINTR && !caught);
	return ret > 0;
}

bool interrupt_wait(int fd)
{
	struct pollfd file = { .fd = fd, .events = POLLIN };

	return interrupt_poll(&file, 1);
}
