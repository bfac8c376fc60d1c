// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time namespaces: each time that the module reads from a process, or passes to it,
 * is in that process's own time namespace.
 */
#include <sched.h>

#include "harness.h"
#include "sock.h"

#define SECOND	1000000000ULL

/* Shared by the test and a master in another time namespace. */
struct inside {
	long offset;		/* of the namespace's clock, in seconds */
	pid_t slave;
	volatile int got;	/* result of CP_IOC_GET */
	volatile uint64_t took;	/* duration of that call */
	volatile uint64_t before;
	volatile uint64_t time;
	volatile uint64_t after;
	volatile bool paired;
	volatile bool done;
};

struct nested {
	int (*body)(struct inside *inside);
	struct inside *inside;
};

static int first_inside(void *arg)
{
	struct nested *nested = arg;

	return nested->body(nested->inside);
}

/* unshare(CLONE_NEWTIME) moves the caller's children, not the caller. */
static int enter(void *arg)
{
	struct nested *nested = arg;
	int fd;

	if (unshare(CLONE_NEWTIME))
		return 100;
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dprintf(fd, "monotonic %ld 0\n", nested->inside->offset) < 0)
		return 101;
	close(fd);
	return in_child(first_inside, nested);
}

static int run_inside(int (*body)(struct inside *inside), struct inside *inside)
{
	struct nested nested = { body, inside };

	return in_child(enter, &nested);
}

FIXTURE(timens)
{
	struct inside *inside;
	pid_t slave;
};

FIXTURE_VARIANT(timens)
{
	long offset;
};

FIXTURE_VARIANT_ADD(timens, ahead) { .offset = 1000000 };
FIXTURE_VARIANT_ADD(timens, behind) { .offset = -1 };
FIXTURE_VARIANT_ADD(timens, same) { .offset = 0 };

FIXTURE_SETUP(timens)
{
	if (access("/proc/self/ns/time", F_OK))
		SKIP(return, "this kernel has no time namespaces");
	self->inside = shared_memory(sizeof(*self->inside));
	self->inside->offset = variant->offset;
	/* The lowest offset that the kernel accepts: the clock may not be negative. */
	if (variant->offset < 0)
		self->inside->offset = -(long)(now_ns() / SECOND);
}

FIXTURE_TEARDOWN(timens)
{
	slave_kill(self->slave);
}

/* Starts a slave, and runs @master as its master in the time namespace. */
static int run_pair(FIXTURE_DATA(timens) *self, int (*slave)(void *unused),
		    int (*master)(struct inside *inside))
{
	self->slave = slave_start(slave, NULL);
	self->inside->slave = self->slave;
	if (slave == body_sleep && !eventually(task_syscall(self->slave) == SYS_pause))
		return 102;
	return run_inside(master, self->inside);
}

/* The master read its clock before and after the time in the checkpoint. */
#define EXPECT_MASTERS_TIME()						\
do {									\
	EXPECT_LE(self->inside->before, self->inside->time);		\
	EXPECT_LE(self->inside->time, self->inside->after);		\
} while (0)

static int wait_for_a_sleeper(struct inside *inside)
{
	uint64_t begun;
	struct master m;

	if (master_pair(&m, inside->slave))
		return 1;
	/* The nudge causes one checkpoint; after that, the slave sleeps. */
	if (master_get_until(&m, CP_FOREVER, CP_GET_NUDGE) != 1)
		return 2;
	begun = now_ns();
	inside->got = master_get_until(&m, begun + 300000000, 0);
	inside->took = now_ns() - begun;
	return 0;
}

TEST_F_TIMEOUT(timens, deadline_is_the_callers, 60)
{
	ASSERT_EQ(0, run_pair(self, body_sleep, wait_for_a_sleeper));
	EXPECT_EQ(-ETIMEDOUT, self->inside->got);
	EXPECT_LE(300000000, self->inside->took);
}

/* Converted to the machine's clock, this deadline must not become 0: do not wait. */
static int wait_until_the_beginning(struct inside *inside)
{
	struct master m;

	if (master_pair(&m, inside->slave))
		return 1;
	inside->got = master_get_until(&m, 1, 0);
	return master_get_until(&m, 0, 0) == -EAGAIN ? 0 : 2;
}

TEST_F_TIMEOUT(timens, deadline_at_the_beginning_has_passed, 60)
{
	ASSERT_EQ(0, run_pair(self, body_sleep, wait_until_the_beginning));
	EXPECT_EQ(-ETIMEDOUT, self->inside->got);
}

static int take_one(struct inside *inside)
{
	struct master m;

	inside->before = now_ns();
	if (master_pair(&m, inside->slave) || master_get(&m) != 1)
		return 1;
	inside->time = master_checkpoint(&m)->time;
	inside->after = now_ns();
	return 0;
}

/* cp_checkpoint.time is the master's time, not the slave's. */
TEST_F_TIMEOUT(timens, checkpoint_has_the_masters_time, 60)
{
	ASSERT_EQ(0, run_pair(self, body_syscalls, take_one));
	EXPECT_MASTERS_TIME();
}

static int record_one(struct inside *inside)
{
	struct cp_prep arg = {
		.pid = inside->slave,
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 16,
		.stack_limit = 4096,
	};
	struct master m;
	int i;

	inside->before = now_ns();
	if (master_prep(&m, &arg))
		return 1;
	/* Of this many checkpoints, most are captured late. */
	for (i = 0; i < 200; i++)
		if (master_get(&m) != 1)
			return 2;
	inside->time = master_checkpoint(&m)->time;
	inside->after = now_ns();
	return 0;
}

TEST_F_TIMEOUT(timens, recorded_checkpoint_has_the_masters_time, 60)
{
	ASSERT_EQ(0, run_pair(self, body_syscalls, record_one));
	EXPECT_MASTERS_TIME();
}

/* The module captures a death and hands it over in different functions. */
static int take_a_death(struct inside *inside)
{
	struct cp_prep arg = {
		.pid = inside->slave,
		.flags = CP_PREP_DEATH | CP_PREP_OVERWRITE,
		.nr_slots = 2,
	};
	struct master m;
	int ret;

	inside->before = now_ns();
	if (master_prep(&m, &arg))
		return 1;
	kill(inside->slave, SIGSEGV);
	do {
		ret = master_get(&m);
		if (ret == 1 &&
		    master_checkpoint(&m)->flags & CP_CHECKPOINT_DEATH)
			inside->time = master_checkpoint(&m)->time;
	} while (ret == 1);
	inside->after = now_ns();
	return ret ? 2 : 0;
}

TEST_F_TIMEOUT(timens, death_has_the_masters_time, 60)
{
	ASSERT_EQ(0, run_pair(self, body_syscalls, take_a_death));
	EXPECT_MASTERS_TIME();
}

static int listen_and_ask(struct inside *inside)
{
	uint64_t before = now_ns();
	struct message msg;
	struct sock sock;
	struct master m;

	if (sock_open(&sock) ||
	    subscribe(&sock, CP_NL_EVENT_PAIRS | CP_NL_EVENT_CHECKPOINTS) ||
	    master_pair(&m, inside->slave))
		return 1;
	if (next(&sock, &msg, 5000) || msg.cmd != CP_NL_CMD_PAIR_MADE ||
	    u64_of(&msg, CP_NL_A_TIME) < before ||
	    u64_of(&msg, CP_NL_A_TIME) > now_ns() ||
	    u64_of(&msg, CP_NL_A_MADE) < before ||
	    u64_of(&msg, CP_NL_A_MADE) > now_ns())
		return 2;
	if (master_get(&m) != 1 || next(&sock, &msg, 5000) ||
	    msg.cmd != CP_NL_CMD_CHECKPOINT ||
	    u64_of(&msg, CP_NL_A_TIME) < before ||
	    u64_of(&msg, CP_NL_A_TIME) > master_checkpoint(&m)->time)
		return 3;
	inside->paired = true;
	return eventually(inside->done) ? 0 : 4;
}

/* One pair, and receivers in two time namespaces. */
TEST_F_TIMEOUT(timens, netlink_has_the_receivers_time, 60)
{
	struct nested nested = { listen_and_ask, self->inside };
	uint64_t before = now_ns();
	struct message msg;
	struct sock sock;
	pid_t master;
	int status;

	ASSERT_EQ(0, sock_open(&sock));
	self->slave = slave_start(body_syscalls, NULL);
	self->inside->slave = self->slave;
	master = slave_start(enter, &nested);
	EXPECT_TRUE(eventually(self->inside->paired));
	EXPECT_EQ(0, query(&sock, self->slave, &msg));
	EXPECT_LE(before, u64_of(&msg, CP_NL_A_MADE));
	EXPECT_GE(now_ns(), u64_of(&msg, CP_NL_A_MADE));
	self->inside->done = true;
	ASSERT_EQ(master, waitpid(master, &status, 0));
	EXPECT_EQ(0, status);
}

/* CP_IOC_GET does not write to the fields marked [in]. */
TEST(deadline_is_not_written)
{
	struct cp_get get = { .deadline = 12345 };
	struct master m;

	ASSERT_EQ(0, master_start(&m, body_syscalls, NULL));
	ASSERT_TRUE(master_sees_slave(&m));
	ASSERT_EQ(0, fcntl(m.fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(1, ioctl(m.fd, CP_IOC_GET, &get));
	EXPECT_EQ(12345, get.deadline);
	slave_kill(m.slave);
	master_close(&m);
}

TEST_HARNESS_MAIN
