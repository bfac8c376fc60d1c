// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lower bounds: two tasks that only wake each other, and a copy of the bytes.
 */
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

static void pass(int fd)
{
	uint64_t one = 1;

	bench_write(fd, &one, sizeof(one));
}

static void await(int fd)
{
	uint64_t value;

	bench_read(fd, &value, sizeof(value));
}

static uint64_t eventfd_trips(void *arg, unsigned long count)
{
	int *fds = arg;
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		pass(fds[0]);
		await(fds[1]);
	}
	return bench_now() - begin;
}

int bench_eventfd(const struct bench_options *options)
{
	int fds[2] = { eventfd(0, 0), eventfd(0, 0) };
	struct bench_time time;
	pid_t pid;

	pid = bench_fork_child();
	if (!pid) {
		bench_pin(bench_slave_cpu(options));
		for (;;) {
			await(fds[0]);
			pass(fds[1]);
		}
	}
	bench_pin(0);
	time = bench_repeat(eventfd_trips, fds, options->ms);
	bench_reap(pid);
	bench_result(time);
	return 0;
}

static void futex_pass(uint32_t *word)
{
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_await(uint32_t *word)
{
	while (!__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static uint64_t futex_trips(void *arg, unsigned long count)
{
	uint32_t *words = arg;
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		futex_pass(&words[0]);
		futex_await(&words[16]);
	}
	return bench_now() - begin;
}

int bench_futex(const struct bench_options *options)
{
	uint32_t *words = bench_share(4096);
	struct bench_time time;
	pid_t pid;

	pid = bench_fork_child();
	if (!pid) {
		bench_pin(bench_slave_cpu(options));
		for (;;) {
			futex_await(&words[0]);
			futex_pass(&words[16]);
		}
	}
	bench_pin(0);
	time = bench_repeat(futex_trips, words, options->ms);
	bench_reap(pid);
	bench_result(time);
	return 0;
}

struct copy {
	char	*to;
	char	*from;
	size_t	size;
};

static uint64_t by_libc(void *arg, unsigned long count)
{
	struct copy *copy = arg;
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		memcpy(copy->to, copy->from, copy->size);
		asm volatile("" : : : "memory");
	}
	return bench_now() - begin;
}

/* Copies as the kernel does, without vector registers. */
static uint64_t by_words(void *arg, unsigned long count)
{
	struct copy *copy = arg;
	uint64_t begin = bench_now();
	unsigned long i;

	for (i = 0; i < count; i++) {
		unsigned long words = copy->size / 8;
		char *from = copy->from, *to = copy->to;

		asm volatile("rep movsq" : "+S"(from), "+D"(to), "+c"(words)
			     : : "memory");
	}
	return bench_now() - begin;
}

static int measure_copy(const struct bench_options *options, bench_fn fn)
{
	struct copy copy = { .size = options->kib * 1024 };

	bench_pin(0);
	copy.to = aligned_alloc(4096, copy.size + 4096);
	copy.from = aligned_alloc(4096, copy.size + 4096);
	memset(copy.to, 0, copy.size);
	memset(copy.from, 1, copy.size);
	bench_result(bench_repeat(fn, &copy, options->ms));
	free(copy.to);
	free(copy.from);
	return 0;
}

int bench_memcpy(const struct bench_options *options)
{
	return measure_copy(options, by_libc);
}

int bench_words(const struct bench_options *options)
{
	return measure_copy(options, by_words);
}
