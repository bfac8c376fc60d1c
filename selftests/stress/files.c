// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on files: open, duplicate, close, poll, pass to another process, inherit;
 * and the life and death of slaves.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../pass.h"
#include "fuzz.h"

static int call_open(struct fuzzer *fuzzer)
{
	int flags = roll(&fuzzer->dice, 2) ? O_NONBLOCK : 0;
	int fd = open("/dev/checkpoint", O_RDWR | O_CLOEXEC | flags);

	if (fd < 0)
		return -errno;
	put_file(any_place(fuzzer), fd);
	return 0;
}

static int call_close(struct fuzzer *fuzzer)
{
	put_file(any_place(fuzzer), -1);
	return 0;
}

static int call_dup(struct fuzzer *fuzzer)
{
	int fd = fcntl(any_file(fuzzer), F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	put_file(any_place(fuzzer), fd);
	return 0;
}

static int call_nonblock(struct fuzzer *fuzzer)
{
	return result(fcntl(any_file(fuzzer), F_SETFL,
			    roll(&fuzzer->dice, 2) ? O_NONBLOCK : 0));
}

static int call_poll(struct fuzzer *fuzzer)
{
	struct pollfd polled[] = {
		{ any_file(fuzzer), roll(&fuzzer->dice, 65536), 0 },
		{ any_file(fuzzer), POLLIN, 0 },
	};

	return result(poll(polled, ARRAY_SIZE(polled),
			   roll(&fuzzer->dice, 2)));
}

static int call_epoll_ctl(struct fuzzer *fuzzer)
{
	static const int ops[] = { EPOLL_CTL_ADD, EPOLL_CTL_MOD,
				   EPOLL_CTL_DEL };
	struct dice *dice = &fuzzer->dice;
	struct epoll_event event = { EPOLLIN, { 0 } };

	if (roll(dice, 2))
		event.events |= EPOLLET;
	else if (roll(dice, 2))
		event.events |= EPOLLONESHOT;
	return result(epoll_ctl(fuzzer->epoll, ops[roll(dice, 3)],
				any_file(fuzzer), &event));
}

static int call_epoll_wait(struct fuzzer *fuzzer)
{
	struct epoll_event events[4];

	return result(epoll_wait(fuzzer->epoll, events, ARRAY_SIZE(events),
				 roll(&fuzzer->dice, 2)));
}

/* The device does not support read(2), write(2) and lseek(2). */
static int call_read(struct fuzzer *fuzzer)
{
	char bytes[16];

	return result(read(any_file(fuzzer), bytes, sizeof(bytes)));
}

static int call_write(struct fuzzer *fuzzer)
{
	return result(write(any_file(fuzzer), "odd", 3));
}

static int call_seek(struct fuzzer *fuzzer)
{
	return result(lseek(any_file(fuzzer), 1, SEEK_SET));
}

static int call_fdinfo(struct fuzzer *fuzzer)
{
	char value[32];

	fdinfo(any_file(fuzzer), "state", value, sizeof(value));
	return 0;
}

static int get_passed(int socket, volatile int *place)
{
	int fd = receive_fd(socket, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (fd == -ENODATA)
		return 0;
	if (fd >= 0)
		put_file(place, fd);
	return fd < 0 ? fd : 0;
}

/* Passes a file, and the pair that it may carry, to any fuzzer. */
static int call_pass_file(struct fuzzer *fuzzer)
{
	return send_fd(common->file_post[0], any_file(fuzzer), MSG_DONTWAIT);
}

static int call_take_file(struct fuzzer *fuzzer)
{
	return get_passed(common->file_post[1], any_place(fuzzer));
}

static int call_pass_proof(struct fuzzer *fuzzer)
{
	return send_fd(common->proof_post[0],
		       fuzzer->proofs[roll(&fuzzer->dice, NR_PROOFS)],
		       MSG_DONTWAIT);
}

static int call_take_proof(struct fuzzer *fuzzer)
{
	return get_passed(common->proof_post[1],
			  &fuzzer->proofs[roll(&fuzzer->dice, NR_PROOFS)]);
}

/* A child inherits all the files, but no pair. */
static int call_fork(struct fuzzer *fuzzer)
{
	pid_t pid;

	/*
	 * fork() copies the memory and the table of descriptors at different
	 * times: @files and the table must not change in between.
	 */
	pthread_mutex_lock(&fuzzer->forking);
	pid = fork_mortal();
	pthread_mutex_unlock(&fuzzer->forking);
	if (pid == 0) {
		fuzz_begin_alarms();
		fuzz_some(fuzzer, 20);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result(pid);
}

/* A slave that naps for ever (@kind 0), sleeps (1), or exits soon (2). */
static int be_slave(void *kind)
{
	int naps = kind ? 100 : -1;

	while (naps--) {
		if ((long)kind == 1)
			pause();
		sleep_ms(1);
	}
	return 7;
}

static int call_slave(struct fuzzer *fuzzer)
{
	unsigned int which = roll(&fuzzer->dice, NR_SLAVES);
	pid_t *slave = &fuzzer->slaves[which];

	if (*slave > 0 && roll(&fuzzer->dice, 20))
		return 0;
	slave_kill(*slave);
	*slave = slave_start(be_slave, (void *)(long)which);
	common->slaves[fuzzer->number][which] = *slave;
	return result(*slave);
}

const struct call file_calls[] = {
	{ "open", 4, call_open, { 0 } },
	{ "close", 1, call_close, { 0 } },
	{ "dup", 1, call_dup, { 0 } },
	{ "nonblock", 2, call_nonblock, { 0 } },
	{ "poll", 4, call_poll, { EINTR } },
	{ "epoll-ctl", 4, call_epoll_ctl, { EEXIST, ENOENT } },
	{ "epoll-wait", 2, call_epoll_wait, { EINTR } },
	{ "read", 1, call_read, { EINVAL } },
	{ "write", 1, call_write, { EINVAL } },
	{ "seek", 1, call_seek, { ESPIPE } },
	{ "fdinfo", 1, call_fdinfo, { 0 } },
	{ "pass-file", 1, call_pass_file, { EAGAIN, ETOOMANYREFS } },
	{ "take-file", 1, call_take_file, { EAGAIN } },
	{ "pass-proof", 1, call_pass_proof, { EAGAIN, ETOOMANYREFS } },
	{ "take-proof", 1, call_take_proof, { EAGAIN } },
	{ "fork", 1, call_fork, { EAGAIN } },
	{ "slave", 3, call_slave, { EAGAIN } },
	{ }
};
