// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time for which a slave was held up, during its wait and after each way in
 * which a wait can end.
 */
#include <sys/stat.h>

#include "harness.h"
#include "sock.h"

#define MS	1000000ULL
#define WAIT	(300 * MS)	/* minimum time for which the slave waits */

/* A slave that counts its system calls and the runs of its handler. */
struct counts {
	volatile uint64_t calls;
	volatile uint64_t signals;
};

static struct counts *counts;

static void count_signal(int sig)
{
	counts->signals++;
}

static int body_calls(void *unused)
{
	signal(SIGUSR1, count_signal);
	for (;;) {
		syscall(SYS_getppid);
		counts->calls++;
	}
	return 0;
}

/* The figures of a pair. Netlink and sysfs must agree on waits that are over. */
struct figures {
	uint64_t held;
	uint64_t max;
	uint64_t holds;
};

static bool figures_by_netlink(struct sock *sock, pid_t slave,
			       struct figures *figures)
{
	uint64_t buckets[CP_NL_HELD_BUCKETS];
	struct message msg;
	size_t i;

	if (query(sock, slave, &msg))
		return false;
	figures->held = u64_of(&msg, CP_NL_A_HELD);
	figures->max = u64_of(&msg, CP_NL_A_HELD_MAX);
	figures->holds = 0;
	memcpy(buckets, attr_data(msg.attrs[CP_NL_A_HELD_HISTOGRAM]),
	       sizeof(buckets));
	for (i = 0; i < CP_NL_HELD_BUCKETS; i++)
		figures->holds += buckets[i];
	return true;
}

/* Works for a pair that is over, too. */
static uint64_t figure_in_sysfs(pid_t slave, const char *name)
{
	char path[80];

	snprintf(path, sizeof(path),
		 "/sys/class/misc/checkpoint/pairs/%d/%s", slave, name);
	return read_number(path);
}

FIXTURE(held)
{
	struct sock sock;
	struct master m;
	struct cp_prep prep;
	uint64_t arrived;
};

/* Pairs, and lets the slave wait for WAIT; the wait began before @arrived. */
static bool hold(struct cp_prep *prep, struct master *m, uint64_t *arrived)
{
	if (master_prep(m, prep) || !master_sees_slave(m))
		return false;
	*arrived = now_ns();
	sleep_ms(WAIT / MS);
	return true;
}

FIXTURE_SETUP(held)
{
	counts = shared_memory(sizeof(*counts));
	ASSERT_EQ(0, sock_open(&self->sock));
	self->prep.pid = slave_start(body_calls, NULL);
	ASSERT_TRUE(eventually(counts->calls > 10));
}

FIXTURE_TEARDOWN(held)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
	close(self->sock.fd);
}

TEST_F(held, while_the_slave_waits)
{
	struct figures first, second;
	uint64_t begun = now_ns();

	ASSERT_TRUE(hold(&self->prep, &self->m, &self->arrived));
	ASSERT_TRUE(figures_by_netlink(&self->sock, self->m.slave, &first));
	EXPECT_LE(WAIT, first.held);
	EXPECT_LE(WAIT, first.max);
	EXPECT_GE(now_ns() - begun, first.held);
	sleep_ms(50);
	ASSERT_TRUE(figures_by_netlink(&self->sock, self->m.slave, &second));
	EXPECT_LE(first.held + 50 * MS, second.held);
	EXPECT_LE(first.max + 50 * MS, second.max);
	EXPECT_LE(second.held, figure_in_sysfs(self->m.slave, "held_ns"));
	EXPECT_LE(second.max, figure_in_sysfs(self->m.slave, "held_max_ns"));
	/* The histogram counts a wait when it is over. */
	EXPECT_EQ(0, second.holds);
	/* The end of the wait does not count its time again. */
	EXPECT_EQ(1, master_get(&self->m));
	ASSERT_TRUE(figures_by_netlink(&self->sock, self->m.slave, &first));
	EXPECT_LE(second.held, first.held);
	EXPECT_GE(now_ns() - begun, first.held);
	EXPECT_LE(1, first.holds);
}

TEST_F(held, ended_by_the_end_of_the_pair)
{
	uint64_t calls;

	ASSERT_TRUE(hold(&self->prep, &self->m, &self->arrived));
	calls = counts->calls;
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	ASSERT_TRUE(eventually(counts->calls > calls + 10));
	EXPECT_LE(WAIT, figure_in_sysfs(self->m.slave, "held_ns"));
	EXPECT_LE(WAIT, figure_in_sysfs(self->m.slave, "held_max_ns"));
	/* The slave is free, so the figure no longer grows. */
	EXPECT_EQ(figure_in_sysfs(self->m.slave, "held_ns"),
		  figure_in_sysfs(self->m.slave, "held_ns"));
}

/* The event of the pair's end must include the wait: no event follows. */
TEST_F(held, reported_at_the_end_of_the_pair)
{
	struct message msg;

	ASSERT_TRUE(hold(&self->prep, &self->m, &self->arrived));
	ASSERT_EQ(0, subscribe(&self->sock, CP_NL_EVENT_PAIRS));
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	ASSERT_EQ(0, next(&self->sock, &msg, 5000));
	ASSERT_EQ(CP_NL_CMD_PAIR_ENDED, msg.cmd);
	EXPECT_LE(WAIT, u64_of(&msg, CP_NL_A_HELD));
	EXPECT_LE(WAIT, u64_of(&msg, CP_NL_A_HELD_MAX));
}

TEST_F(held, ended_by_a_kill)
{
	struct message msg;

	ASSERT_TRUE(hold(&self->prep, &self->m, &self->arrived));
	ASSERT_EQ(0, subscribe(&self->sock, CP_NL_EVENT_PAIRS));
	kill(self->m.slave, SIGKILL);
	ASSERT_EQ(0, next(&self->sock, &msg, 5000));
	ASSERT_EQ(CP_NL_CMD_PAIR_ENDED, msg.cmd);
	EXPECT_LE(WAIT, u64_of(&msg, CP_NL_A_HELD));
}

/* After the signal, the slave waits at the handler's entry: a second wait. */
TEST_F(held, ended_by_a_signal)
{
	struct figures figures;

	ASSERT_TRUE(hold(&self->prep, &self->m, &self->arrived));
	kill(self->m.slave, SIGUSR1);
	EXPECT_TRUE(eventually(figures_by_netlink(&self->sock, self->m.slave,
						  &figures) &&
			       figures.holds == 1));
	EXPECT_LE(WAIT, figures.max);
	sleep_ms(WAIT / MS);
	ASSERT_TRUE(figures_by_netlink(&self->sock, self->m.slave, &figures));
	EXPECT_LE(2 * WAIT, figures.held);
	EXPECT_EQ(1, master_get(&self->m));
	EXPECT_TRUE(eventually(counts->signals == 1));
}

TEST_F(held, ended_by_a_stop)
{
	struct figures figures;
	uint64_t held;

	ASSERT_TRUE(hold(&self->prep, &self->m, &self->arrived));
	kill(self->m.slave, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->m.slave) == 'T'));
	ASSERT_TRUE(figures_by_netlink(&self->sock, self->m.slave, &figures));
	EXPECT_EQ(1, figures.holds);
	EXPECT_LE(WAIT, figures.held);
	/* A stopped slave is not held up by its master. */
	held = figures.held;
	sleep_ms(50);
	ASSERT_TRUE(figures_by_netlink(&self->sock, self->m.slave, &figures));
	EXPECT_EQ(held, figures.held);
	kill(self->m.slave, SIGCONT);
}

TEST_F(held, ended_by_its_limit)
{
	struct figures figures;

	self->prep.wait_limit = WAIT;
	ASSERT_EQ(0, master_prep(&self->m, &self->prep));
	ASSERT_TRUE(eventually(figures_by_netlink(&self->sock, self->m.slave,
						  &figures) &&
			       figures.holds >= 2));
	EXPECT_LE(2 * WAIT, figures.held);
	EXPECT_LE(WAIT, figures.max);
}

TEST_F(held, ended_by_a_freeze)
{
	const char *group = "/sys/fs/cgroup/checkpoint-held";
	struct figures figures;
	char pid[12];

	snprintf(pid, sizeof(pid), "%d", self->prep.pid);
	mkdir(group, 0755);
	if (!group_write(group, "cgroup.procs", pid)) {
		ASSERT_EQ(0, master_prep(&self->m, &self->prep));
		SKIP(return, "there is no cgroup v2");
	}
	ASSERT_TRUE(hold(&self->prep, &self->m, &self->arrived));
	EXPECT_TRUE(group_write(group, "cgroup.freeze", "1"));
	EXPECT_TRUE(eventually(figures_by_netlink(&self->sock, self->m.slave,
						  &figures) &&
			       figures.holds == 1));
	EXPECT_LE(WAIT, figures.held);
	EXPECT_TRUE(group_write(group, "cgroup.freeze", "0"));
	slave_kill(self->m.slave);
	EXPECT_TRUE(eventually(!rmdir(group)));
}

/* The figure never decreases, and never grows faster than time passes. */
TEST_F(held, never_decreases)
{
	struct figures last = { 0 }, now;
	uint64_t begun = now_ns();
	int i;

	ASSERT_EQ(0, master_prep(&self->m, &self->prep));
	for (i = 0; i < 2000; i++) {
		if (i % 2)
			ASSERT_EQ(1, master_get(&self->m));
		ASSERT_TRUE(figures_by_netlink(&self->sock, self->m.slave,
					       &now));
		ASSERT_LE(last.held, now.held);
		ASSERT_LE(last.max, now.max);
		ASSERT_LE(now.max, now.held);
		ASSERT_GE(now_ns() - begun, now.held);
		last = now;
	}
}

TEST_HARNESS_MAIN
