// SPDX-License-Identifier: GPL-2.0-only
/* SIGINT, SIGTERM and SIGHUP: end the pair, let the slave go on, leave. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "interrupt.h"

/* From the signal on, a call that waits is interrupted this often. */
#define AGAIN_NS 50000000

/* By this signal: SIGALRM may be for others. */
#define AGAIN_SIGNAL SIGRTMIN

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static struct cp_pair *pair_to_end;
static atomic_int caught;
static bool has_timer;
static timer_t timer;

/*
 * Two things leave no moment at which the signal could be missed. The pair is
 * ended here: a cp_pair_get() that is about to wait finds it over; one that is
 * not made yet is for interrupt_prep() to end. And a timer interrupts any other
 * call that was only about to wait when the signal came, such as a write() to
 * a pipe that nobody reads.
 */
static void handle(int sig)
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

static void interrupt_only(int sig)
{
	(void)sig;
}

/* What nohup(1) or a shell has set to be ignored stays so. */
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
	static const struct sigaction action = {
		.sa_handler = handle,
		.sa_flags = SA_RESETHAND,
	};
	size_t i;

	pair_to_end = pair;
	make_timer();
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		set_handler(signals[i], &action);
}

int interrupt_prep(struct cp_pair *pair, pid_t pid,
		   const struct cp_pair_options *options)
{
	int ret = cp_pair_prep(pair, pid, options);

	if (!ret && interrupted())
		cp_pair_end(pair);
	return ret;
}

void interrupt_move(struct cp_pair *pair)
{
	pair_to_end = pair;
}

static pid_t child;

static void pass_on(int sig)
{
	int saved = errno;

	kill(child, sig);
	errno = saved;
}

void interrupt_pass_on(pid_t pid)
{
	static const struct sigaction action = { .sa_handler = pass_on };
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

	/* Let in while it waits only: none comes between look and wait. */
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
