// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same state by perf: a sample with user registers and user stack at each exit
 * from a system call, in an overwritable ring buffer, like a recorder's slots.
 */
#include <asm/perf_regs.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define EVENT	"/sys/kernel/tracing/events/raw_syscalls/sys_exit/id"
#define PAGES	512

/* The size of a sample is a 16-bit number, which limits the stack in it. */
#define STACK_MAX	(65536 - 1024)

/* The kernel refuses samples of DS, ES, FS and GS. */
#define REGS		(~0ULL >> (64 - PERF_REG_X86_64_MAX))
#define REG(name)	(UINT64_C(1) << PERF_REG_X86_##name)
#define NO_REGS		(REG(DS) | REG(ES) | REG(FS) | REG(GS))

static unsigned long event_id(void)
{
	FILE *file = fopen(EVENT, "r");
	unsigned long id;

	if (!file || fscanf(file, "%lu", &id) != 1)
		bench_die(EVENT);
	fclose(file);
	return id;
}

static int open_event(pid_t pid, unsigned int kib)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = event_id(),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER |
			       PERF_SAMPLE_STACK_USER,
		.sample_regs_user = REGS & ~NO_REGS,
		.sample_stack_user = kib * 1024 < STACK_MAX ? kib * 1024 :
							      STACK_MAX,
		.write_backward = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1,
			 PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		bench_die("perf_event_open");
	return fd;
}

/* The bytes of stack in the newest sample; 0 if the sample is not in one piece. */
static uint64_t newest_stack(const struct perf_event_mmap_page *head)
{
	size_t ring = (size_t)PAGES * getpagesize(), at;
	const char *data = (const char *)head + getpagesize();
	struct perf_event_header header;
	uint64_t size;

	at = head->data_head & (ring - 1);
	memcpy(&header, data + at, sizeof(header));
	if (header.type != PERF_RECORD_SAMPLE || at + header.size > ring)
		return 0;
	/* The sample ends with the number of bytes of stack in it. */
	memcpy(&size, data + at + header.size - sizeof(size), sizeof(size));
	return size;
}

int bench_perf(const struct bench_options *options)
{
	struct bench_time plain, sampled;
	struct slave slave = {};
	uint64_t samples, calls, stack, i;
	void *ring;
	int fd;

	bench_pin(0);
	slave_start(&slave, options->kib, bench_slave_cpu(options));
	plain = bench_repeat(slave_run, &slave, options->ms);
	fd = open_event(slave.pid, options->kib);
	ring = mmap(NULL, (PAGES + 1) * (size_t)getpagesize(), PROT_READ,
		    MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		bench_die("the ring of perf");
	slave_run(&slave, 64);
	sampled = bench_repeat(slave_run, &slave, options->ms);
	calls = sampled.count;
	bench_read(fd, &samples, sizeof(samples));
	/* A sample may wrap around at the end of the ring: try several. */
	for (i = 0, stack = 0; i < 64 && !stack; i++) {
		stack = newest_stack(ring);
		slave_run(&slave, 1);
	}
	slave_stop(&slave);
	if (samples < calls || !stack) {
		fprintf(stderr, "measure: perf took %llu samples of %llu, %llu bytes\n",
			(unsigned long long)samples, (unsigned long long)calls,
			(unsigned long long)stack);
		return 1;
	}
	printf("{\"ns\": %.2f, \"count\": %lu, \"plain\": %.2f, \"stack\": %llu}\n",
	       sampled.ns - plain.ns, sampled.count, plain.ns,
	       (unsigned long long)stack);
	return 0;
}
