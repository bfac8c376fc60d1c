// SPDX-License-Identifier: GPL-2.0-only
/*
 * The work that hook_user_return() does with interrupts off is bounded, whatever
 * the slave's mappings are and however many pollers there are. The test counts the
 * function calls that ftrace's function_graph tracer reports: time would depend on
 * the machine.
 */
#include "harness.h"
#include "stack.h"
#include "tracefs.h"

#include <sys/epoll.h>

#define PAGE	4096UL

/*
 * The maximum number of function calls within hook_user_return(). A stack of 64 KiB
 * takes three for each of 17 pages, a wake-up ten.
 */
#define CALLS_MAX	250

/*
 * The maximum number of mappings that are looked up. ftrace does not see the lookups,
 * which are in the kernel's lib/, but the checkpoint says where the last one ends.
 */
#define LOOKUPS_MAX	100

#define MAPPINGS	3000UL
#define EPOLLS		300

/* Makes system calls on a stack that is split into thousands of mappings. */
static int body_on_many_mappings(void *ready)
{
	size_t size = MAPPINGS * PAGE;
	unsigned long i;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);

	if (at == MAP_FAILED)
		return 1;
	for (i = 17; i < MAPPINGS; i += 2)
		if (mprotect(at + i * PAGE, PAGE, PROT_READ))
			return 1;
	memset(at, 1, 16 * PAGE);
	*(volatile bool *)ready = true;
	call_on_stack(at + 16 * PAGE - 64);
}

/* Makes system calls on a stack as deep as one that is copied with interrupts off. */
static int body_on_a_deep_stack(void *ready)
{
	char *at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return 1;
	memset(at, 1, 16 * PAGE);
	*(volatile bool *)ready = true;
	call_on_stack(at + 128);
}

FIXTURE(worst)
{
	struct master m;
	bool *ready;
	int epolls[EPOLLS];
};

FIXTURE_VARIANT(worst)
{
	int (*body)(void *ready);
	uint64_t stack_limit;
	unsigned int epolls;
	bool drained;	/* the master takes checkpoints during the trace */
};

FIXTURE_VARIANT_ADD(worst, many_mappings)
{
	.body = body_on_many_mappings,
	.stack_limit = PAGE,
};

FIXTURE_VARIANT_ADD(worst, deep_stack)
{
	.body = body_on_a_deep_stack,
	.stack_limit = 16 * PAGE,
};

FIXTURE_VARIANT_ADD(worst, many_epolls)
{
	.body = body_on_a_deep_stack,
	.stack_limit = PAGE,
	.epolls = EPOLLS,
};

FIXTURE_VARIANT_ADD(worst, many_epolls_to_wake)
{
	.body = body_on_a_deep_stack,
	.stack_limit = PAGE,
	.epolls = EPOLLS,
	.drained = true,
};

FIXTURE_SETUP(worst)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 4,
		.stack_limit = variant->stack_limit,
	};
	struct epoll_event event = { .events = EPOLLIN };
	unsigned int i;

	if (!tracefs_write("current_tracer", "function_graph"))
		SKIP(return, "no function_graph tracer here");
	tracefs_write("tracing_on", "0");
	self->ready = shared_memory(sizeof(*self->ready));
	arg.pid = slave_start(variant->body, self->ready);
	ASSERT_TRUE(task_pin(arg.pid, 0));
	ASSERT_TRUE(eventually(*(volatile bool *)self->ready));
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	for (i = 0; i < variant->epolls; i++) {
		self->epolls[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, epoll_ctl(self->epolls[i], EPOLL_CTL_ADD,
				       self->m.fd, &event));
	}
}

FIXTURE_TEARDOWN(worst)
{
	unsigned int i;

	tracefs_write("current_tracer", "nop");
	tracefs_write("set_graph_function", "\n");
	/* For the tests that follow. */
	tracefs_write("tracing_on", "1");
	for (i = 0; i < variant->epolls; i++)
		close(self->epolls[i]);
	slave_kill(self->m.slave);
	master_close(&self->m);
}

/* Figures of hook_user_return() in the trace of CPU 0. */
struct seen {
	unsigned int times;
	unsigned int most;	/* maximum number of calls within it */
	unsigned int early;	/* early captures, by slave_capture() */
};

static void read_trace(struct seen *seen)
{
	FILE *f = fopen(TRACEFS "per_cpu/cpu0/trace", "re");
	unsigned int calls = 0;
	bool inside = false;
	char line[256];

	memset(seen, 0, sizeof(*seen));
	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, " hook_user_return [") ||
		    strstr(line, " hook_user_return(")) {
			seen->times++;
			inside = true;
			calls = 0;
		} else if (strstr(line, " slave_capture [") ||
			   strstr(line, " slave_capture(")) {
			seen->early++;
			inside = false;
		} else if (inside && strchr(line, '(')) {
			if (++calls > seen->most)
				seen->most = calls;
		}
	}
	if (f)
		fclose(f);
}

/* Each page of the split stack but the first 17 is a mapping. */
static unsigned long mappings_seen(struct master *m)
{
	const struct cp_segment *seg = master_stack(m);

	return (seg->map_end - seg->map_start) / PAGE;
}

TEST_F(worst, interrupts_are_off_for_a_bounded_time)
{
	uint64_t end;
	struct seen seen;

	ASSERT_TRUE(tracefs_write("set_graph_function", "hook_user_return"));
	ASSERT_TRUE(tracefs_put("set_graph_function", "slave_capture",
				O_APPEND));
	ASSERT_TRUE(tracefs_write("trace", "\n"));
	ASSERT_TRUE(tracefs_write("tracing_on", "1"));
	for (end = now_ns() + 200000000; now_ns() < end;)
		if (variant->drained)
			master_get_until(&self->m, 0, 0);
		else
			sleep_ms(10);
	ASSERT_TRUE(tracefs_write("tracing_on", "0"));
	read_trace(&seen);
	TH_LOG("%u returns, at most %u calls, %u early captures",
	       seen.times, seen.most, seen.early);
	EXPECT_LT(10, seen.times);
	EXPECT_GE(CALLS_MAX, seen.most);
	/*
	 * Neither a page that was never touched, nor pollers that need no wake-up,
	 * make captures early.
	 */
	if (!variant->drained)
		EXPECT_GT(seen.times / 2, seen.early);
	if (variant->body != body_on_many_mappings)
		return;
	ASSERT_EQ(1, master_get(&self->m));
	EXPECT_LT(17, mappings_seen(&self->m));
	EXPECT_GE(LOOKUPS_MAX, mappings_seen(&self->m));
}

TEST_HARNESS_MAIN
