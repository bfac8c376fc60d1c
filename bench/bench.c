// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time, children and results.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define NSEC_PER_MSEC	1000000ULL

void bench_die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void bench_pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("sched_setaffinity");
}

/* Memory that children share with their parent. */
void *bench_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_die("mmap");
	return memory;
}

void bench_read(int fd, void *buf, size_t size)
{
	ssize_t got = read(fd, buf, size);

	if (got != (ssize_t)size) {
		if (got >= 0)
			errno = EPIPE;
		bench_die("read");
	}
}

void bench_write(int fd, const void *buf, size_t size)
{
	if (write(fd, buf, size) != (ssize_t)size)
		bench_die("write");
}

/* Forks a child that dies with its parent. */
pid_t bench_fork_child(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bench_die("fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

void bench_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

/**
 * bench_repeat - time an operation
 * @fn: repeats the operation a given number of times
 * @arg: argument of @fn
 * @ms: minimum duration of the measurement in milliseconds
 *
 * Calls @fn with larger numbers until a call lasts long enough. The calls before that
 * warm up the caches.
 *
 * Return: the result of the last call.
 */
struct bench_time bench_repeat(bench_fn fn, void *arg, unsigned int ms)
{
	uint64_t wanted = ms * NSEC_PER_MSEC, took = 0;
	unsigned long count = 8;

	for (;;) {
		took = fn(arg, count);
		if (took >= wanted)
			break;
		/* Once the duration is precise enough, extrapolate from it. */
		if (took > wanted / 64)
			count = count * (wanted + wanted / 16) / took + 1;
		else
			count *= 8;
	}
	return (struct bench_time){ (double)took / count, count };
}

void bench_result(struct bench_time time)
{
	printf("{\"ns\": %.2f, \"count\": %lu}\n", time.ns, time.count);
}
