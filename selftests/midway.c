// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places where the kernel runs task work without returning to user mode: inside of
 * io_uring_enter(2), in the exit path, and while it single-steps an instruction that
 * has a uprobe. A slave must not wait for its master there.
 */
#include "harness.h"
#include "ring.h"
#include "tracefs.h"

#include <sys/epoll.h>
#include <sys/ptrace.h>

#define SECOND	1000000000ULL

/* A slave that sleeps in io_uring_enter() until @pipe is readable. */
struct sleeper {
	int pipe;
	unsigned int flags;
};

static int body_sleeps_in_io_uring(void *arg)
{
	const struct sleeper *sleeper = arg;
	struct ring ring;
	static char buf[16];
	struct io_uring_sqe *sqe;
	long i;

	if (!ring_open(&ring, sleeper->flags))
		return KSFT_SKIP;
	sqe = ring_next(&ring);
	sqe->opcode = IORING_OP_READ;
	sqe->fd = sleeper->pipe;
	sqe->addr = (uintptr_t)buf;
	sqe->len = sizeof(buf);
	if (ring_enter(&ring, 1, 0, 0) != 1)
		return KSFT_SKIP;
	for (i = 1;; i++)
		ring_enter(&ring, 0, 1, i);
	return 0;
}

FIXTURE(asleep_in_io_uring)
{
	struct master m;
	int ends[2];
};

FIXTURE_VARIANT(asleep_in_io_uring)
{
	unsigned int flags;	/* IORING_SETUP_* */
	struct cp_prep arg;
};

FIXTURE_VARIANT_ADD(asleep_in_io_uring, rendezvous) { };

FIXTURE_VARIANT_ADD(asleep_in_io_uring, deferred_work)
{
	.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
};

FIXTURE_VARIANT_ADD(asleep_in_io_uring, recorder)
{
	.arg = { .flags = CP_PREP_OVERWRITE, .nr_slots = 4 },
};

FIXTURE_VARIANT_ADD(asleep_in_io_uring, with_interval)
{
	.arg = { .flags = CP_PREP_OVERWRITE, .nr_slots = 4,
		 .interval = 3600 * SECOND },
};

FIXTURE_SETUP(asleep_in_io_uring)
{
	struct cp_prep arg = variant->arg;
	struct sleeper sleeper = { .flags = variant->flags };

	ASSERT_EQ(0, pipe2(self->ends, O_CLOEXEC));
	sleeper.pipe = self->ends[0];
	arg.pid = slave_start(body_sleeps_in_io_uring, &sleeper);
	if (!eventually(task_syscall(arg.pid) == SYS_io_uring_enter ||
			task_state(arg.pid) == 'Z') ||
	    task_state(arg.pid) == 'Z')
		SKIP(return, "no such io_uring here");
	ASSERT_EQ(0, master_prep(&self->m, &arg));
}

FIXTURE_TEARDOWN(asleep_in_io_uring)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

/* A nudged call returns -EINTR, as after a signal; the next call sleeps again. */
TEST_F(asleep_in_io_uring, a_nudge_brings_the_slave)
{
	uint64_t last = 0;
	int i;

	for (i = 0; i < 10; i++) {
		/* The slave may also wait at an interrupt's return before the call. */
		ASSERT_TRUE(eventually(task_state(self->m.slave) == 'S'));
		do {
			ASSERT_EQ(1, master_get_until(&self->m,
						      now_ns() + 30 * SECOND,
						      CP_GET_NUDGE));
		} while (master_checkpoint(&self->m)->syscall !=
			 SYS_io_uring_enter);
		EXPECT_EQ((uint64_t)-EINTR, self->m.regs[RAX]);
		EXPECT_LT(last, self->m.regs[R9]);
		last = self->m.regs[R9];
	}
}

/* A request that completes after 30 ms. */
static void prepare_timeout(struct io_uring_sqe *sqe)
{
	static const struct __kernel_timespec ts = { .tv_nsec = 30000000 };

	sqe->opcode = IORING_OP_TIMEOUT;
	sqe->addr = (uintptr_t)&ts;
	sqe->len = 1;
}

static int body_waits_in_io_uring(void *unused)
{
	return ring_repeat(prepare_timeout);
}

/* Each call takes longer than the interval, so each return must be captured. */
TEST(a_return_that_is_due_is_not_skipped)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 256,
		.interval = 10000000,
	};
	uint64_t last = 0;
	struct master m;
	int calls = 0, ret;

	arg.pid = slave_start(body_waits_in_io_uring, NULL);
	ASSERT_TRUE(eventually(task_syscall(arg.pid) == SYS_io_uring_enter ||
			       task_state(arg.pid) == 'Z'));
	if (task_state(arg.pid) == 'Z')
		SKIP(return, "no io_uring here");
	ASSERT_EQ(0, master_prep(&m, &arg));
	while (calls < 20) {
		ret = master_get_ms(&m, 30000);
		ASSERT_EQ(1, ret);
		if (master_checkpoint(&m)->syscall != SYS_io_uring_enter)
			continue;
		if (calls++)
			EXPECT_EQ(last + 1, m.regs[R9]);
		last = m.regs[R9];
	}
	slave_kill(arg.pid);
	master_close(&m);
}

/* With a uprobe, the kernel executes this instruction out of line. */
asm(".globl probed\n"
    ".type probed, @function\n"
    "probed:	movq	%rdi, %rax\n"
    "probed_2:	ret\n");

long probed(long value);
extern const char probed_2[];

static int body_calls_probed(void *unused)
{
	for (;;)
		probed(1);
	return 0;
}

/* The offset of @address in the program's file. */
static unsigned long file_offset(const void *address)
{
	unsigned long start, end, offset, found = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fscanf(maps, "%lx-%lx %*s %lx %*[^\n]", &start, &end,
			      &offset) == 3)
		if ((uintptr_t)address >= start && (uintptr_t)address < end)
			found = (uintptr_t)address - start + offset;
	if (maps)
		fclose(maps);
	return found;
}

static bool add_probe(void)
{
	char exe[256] = "", event[320];

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		return false;
	snprintf(event, sizeof(event), "p:cp_selftest/step %s:%#lx\n", exe,
		 file_offset(probed));
	return tracefs_put("uprobe_events", event, O_APPEND) &&
	       tracefs_write("events/cp_selftest/step/enable", "1");
}

static void remove_probe(void)
{
	tracefs_write("events/cp_selftest/step/enable", "0");
	tracefs_put("uprobe_events", "-:cp_selftest/step\n", O_APPEND);
}

FIXTURE(at_a_uprobe)
{
	struct master m;
};

FIXTURE_SETUP(at_a_uprobe)
{
	if (!add_probe())
		SKIP(return, "no uprobe events here");
	ASSERT_EQ(0, master_start(&self->m, body_calls_probed, NULL));
}

FIXTURE_TEARDOWN(at_a_uprobe)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
	remove_probe();
}

static bool is_alive_and(pid_t pid, char state)
{
	return eventually(task_state(pid) == state);
}

/* SIGSTOP and a debugger can stop the slave wherever it waits. */
TEST_F(at_a_uprobe, slave_can_be_stopped)
{
	int i, status;

	for (i = 0; i < 12; i++) {
		ASSERT_EQ(1, master_get_ms(&self->m, 30000));
		ASSERT_TRUE(master_sees_slave(&self->m));
		ASSERT_EQ(0, kill(self->m.slave, SIGSTOP));
		EXPECT_TRUE(is_alive_and(self->m.slave, 'T'));
		ASSERT_EQ(0, kill(self->m.slave, SIGCONT));
	}
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->m.slave, NULL, NULL));
	for (i = 0; i < 12; i++) {
		ASSERT_TRUE(eventually(!ptrace(PTRACE_INTERRUPT, self->m.slave,
					       NULL, NULL)));
		EXPECT_TRUE(is_alive_and(self->m.slave, 't'));
		ASSERT_EQ(self->m.slave, waitpid(self->m.slave, &status, __WALL));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, self->m.slave, NULL, NULL));
		ASSERT_EQ(1, master_get_ms(&self->m, 30000));
	}
}

/* Checkpoints show addresses of the program only, none of the out-of-line step. */
TEST_F(at_a_uprobe, only_the_program_is_seen)
{
	unsigned int i, after = 0;

	for (i = 0; i < 200; i++) {
		uint64_t ip;

		ASSERT_EQ(1, master_get_ms(&self->m, 30000));
		ip = self->m.regs[RIP];
		/* The statically linked program lies below its heap. */
		ASSERT_GT((uintptr_t)sbrk(0), ip);
		after += ip == (uintptr_t)probed_2;
	}
	EXPECT_LT(50, after);
}

/* Stops with a pending request on a ring; false if there is no io_uring. */
static bool stop_with_a_request(void)
{
	struct io_uring_sqe *sqe;
	struct ring ring, other;

	if (!ring_open(&ring, 0) || !ring_open(&other, 0))
		return false;
	sqe = ring_next(&ring);
	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = other.fd;
	sqe->poll32_events = POLLIN;
	ring_enter(&ring, 1, 0, 0);
	raise(SIGSTOP);
	return true;
}

static int body_dies_with_a_request(void *unused)
{
	if (stop_with_a_request())
		*(volatile int *)NULL = 1;
	return KSFT_SKIP;
}

static int body_exits_with_a_request(void *unused)
{
	if (stop_with_a_request())
		syscall(SYS_exit, 0);
	return KSFT_SKIP;
}

FIXTURE(on_its_way_out)
{
	pid_t slave;
};

FIXTURE_VARIANT(on_its_way_out)
{
	int (*body)(void *unused);
};

FIXTURE_VARIANT_ADD(on_its_way_out, killed)
{
	.body = body_dies_with_a_request,
};

FIXTURE_VARIANT_ADD(on_its_way_out, exits)
{
	.body = body_exits_with_a_request,
};

/* Brings the slave to PTRACE_EVENT_EXIT, before the kernel sets PF_EXITING. */
FIXTURE_SETUP(on_its_way_out)
{
	int status;

	self->slave = slave_start(variant->body, NULL);
	ASSERT_EQ(self->slave, waitpid(self->slave, &status, WUNTRACED));
	if (!WIFSTOPPED(status))
		SKIP(return, "no io_uring here");
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->slave, NULL,
			    PTRACE_O_TRACEEXIT));
	ASSERT_EQ(0, kill(self->slave, SIGCONT));
	for (;;) {
		int sig;

		ASSERT_EQ(self->slave, waitpid(self->slave, &status, __WALL));
		ASSERT_TRUE(WIFSTOPPED(status));
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			break;
		sig = status >> 16 ? 0 : WSTOPSIG(status);
		ASSERT_EQ(0, ptrace(PTRACE_CONT, self->slave, NULL,
				    (long)sig));
	}
}

FIXTURE_TEARDOWN(on_its_way_out)
{
	kill(self->slave, SIGKILL);
}

TEST_F(on_its_way_out, slave_does_not_wait)
{
	struct master m;
	int status;

	ASSERT_EQ(0, master_pair(&m, self->slave));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->slave, NULL, NULL));
	EXPECT_TRUE(eventually(waitpid(self->slave, &status,
				       __WALL | WNOHANG) == self->slave));
	EXPECT_EQ(0, master_get_ms(&m, 30000));
	master_close(&m);
}

/* Stores the start time of each epoll_wait() that fails with EINTR. */
static int body_polls(void *arg)
{
	volatile uint64_t *begun = arg;
	int ep = epoll_create1(0);
	struct epoll_event event;

	for (;;) {
		uint64_t now = now_ns();

		if (epoll_wait(ep, &event, 1, 1) < 0 && errno == EINTR)
			*begun = now;
	}
	return 0;
}

/*
 * The second nudge finds the slave on its way to user mode and is delayed. The pair
 * ends before the delay is over.
 */
TEST(no_nudge_comes_after_the_end)
{
	uint64_t *begun = shared_memory(sizeof(*begun));
	pid_t slave = slave_start(body_polls, begun);
	int i;

	for (i = 0; i < 400; i++) {
		struct master m;
		uint64_t end;

		ASSERT_EQ(0, master_pair(&m, slave));
		ASSERT_EQ(1, master_get_until(&m, now_ns() + 30 * SECOND,
					      CP_GET_NUDGE));
		master_get_until(&m, 0, CP_GET_NUDGE);
		ASSERT_EQ(0, ioctl(m.fd, CP_IOC_END));
		end = now_ns();
		sleep_ms(3);
		ASSERT_GT(end, *(volatile uint64_t *)begun);
		master_close(&m);
	}
	slave_kill(slave);
}

TEST_HARNESS_MAIN
