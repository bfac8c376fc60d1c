// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slave that is held: nothing of the process runs, and everything continues afterwards.
 */
#include <pthread.h>

#include "harness.h"

#define MS		1000000ULL
#define SECOND		(1000 * MS)

/* What the slave's threads do; all of it counts in memory that the test shares. */
enum act { ACT_COMPUTE, ACT_CALL, ACT_SLEEP, ACT_CHURN, NR_ACTS };

#define NR_EACH		3
#define NR_WORKERS	(NR_ACTS * NR_EACH)

struct shared {
	volatile uint64_t counts[NR_WORKERS];
	volatile uint64_t woken;	/* sleeps that ended, or failed */
	volatile uint64_t created;
	volatile int ready;
};

static struct shared *shared;

/* CP_HOLD_ASLEEP, or 0 */
static unsigned int hold_flags;

static void *thread_short(void *unused)
{
	__sync_fetch_and_add(&shared->created, 1);
	return NULL;
}

static void churn(volatile uint64_t *count)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, thread_short, NULL))
		pthread_join(thread, NULL);
	(*count)++;
}

static void *thread_work(void *arg)
{
	unsigned long nr = (unsigned long)arg;
	volatile uint64_t *count = &shared->counts[nr];
	struct timespec long_time = { 1000, 0 };

	__sync_fetch_and_add(&shared->ready, 1);
	for (;;) {
		switch (nr % NR_ACTS) {
		case ACT_COMPUTE:
			(*count)++;
			break;
		case ACT_CALL:
			syscall(SYS_getppid);
			(*count)++;
			break;
		case ACT_SLEEP:
			nanosleep(&long_time, NULL);
			__sync_fetch_and_add(&shared->woken, 1);
			break;
		case ACT_CHURN:
			churn(count);
			break;
		}
	}
	return NULL;
}

static int body_workers(void *unused)
{
	pthread_t thread;
	unsigned long i;

	for (i = 0; i < NR_WORKERS; i++)
		if (pthread_create(&thread, NULL, thread_work, (void *)i))
			return 1;
	for (;;)
		pause();
}

/* The sum of everything that the slave's threads count. */
static uint64_t progress(void)
{
	uint64_t sum = shared->created;
	unsigned int i;

	for (i = 0; i < NR_WORKERS; i++)
		sum += shared->counts[i];
	return sum;
}

/* Every worker but those that sleep has made progress since @before. */
static bool all_moved(const uint64_t *before)
{
	unsigned int i;

	for (i = 0; i < NR_WORKERS; i++)
		if (i % NR_ACTS != ACT_SLEEP && shared->counts[i] == before[i])
			return false;
	return true;
}

static int hold_for(struct master *m, struct cp_hold *hold, uint64_t limit)
{
	*hold = (struct cp_hold){
		.deadline = now_ns() + 60 * SECOND,
		.limit = limit,
		.flags = hold_flags,
	};
	return ioctl(m->fd, CP_IOC_HOLD, hold) ? -errno : 0;
}

FIXTURE(hold)
{
	struct master m;
	struct cp_hold hold;
	pid_t slave;
};

FIXTURE_VARIANT(hold)
{
	unsigned int flags;
	unsigned int nr_slots;
	unsigned int hold_flags;
};

FIXTURE_VARIANT_ADD(hold, rendezvous) { .nr_slots = 1 };
FIXTURE_VARIANT_ADD(hold, asleep)
{
	.nr_slots = 1,
	.hold_flags = CP_HOLD_ASLEEP,
};

FIXTURE_VARIANT_ADD(hold, ahead) { .nr_slots = 4 };
FIXTURE_VARIANT_ADD(hold, overwrite)
{
	.flags = CP_PREP_OVERWRITE,
	.nr_slots = 4,
};

FIXTURE_SETUP(hold)
{
	struct cp_prep arg = {
		.flags = CP_PREP_PROCESS | variant->flags,
		.nr_slots = variant->nr_slots,
	};

	hold_flags = variant->hold_flags;
	shared = shared_memory(sizeof(*shared));
	self->slave = slave_start(body_workers, NULL);
	ASSERT_TRUE(eventually(shared->ready == NR_WORKERS));
	arg.pid = self->slave;
	ASSERT_EQ(0, master_prep(&self->m, &arg));
}

FIXTURE_TEARDOWN(hold)
{
	master_close(&self->m);
	slave_kill(self->slave);
	munmap((void *)shared, sizeof(*shared));
}

/* A slave that runs may wait for its master. */
static void take_one(struct master *m)
{
	master_get_ms(m, 1);
}

/* While the slave is held: at least one for each thread. */
static unsigned int take_all(struct master *m)
{
	unsigned int taken = 0;
	int ret;

	while ((ret = master_get_until(m, 0, 0)) > 0)
		taken += ret == 1;
	return taken;
}

TEST_F(hold, nothing_runs)
{
	uint64_t before;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, hold_for(&self->m, &self->hold, 60 * SECOND));
		EXPECT_LE(NR_WORKERS + 1,
			  self->hold.nr_threads + self->hold.nr_asleep);
		before = progress();
		sleep_ms(20);
		EXPECT_EQ(before, progress());
		EXPECT_TRUE(master_state_is(&self->m, "held"));
		/* Taking lets nobody continue. */
		EXPECT_LE(self->hold.nr_threads, take_all(&self->m));
		sleep_ms(5);
		EXPECT_EQ(before, progress());
		EXPECT_EQ(0, master_release(&self->m));
		EXPECT_FALSE(master_state_is(&self->m, "held"));
	}
}

TEST_F(hold, everything_continues)
{
	uint64_t before[NR_WORKERS];
	unsigned int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, hold_for(&self->m, &self->hold, 60 * SECOND));
		memcpy(before, (void *)shared->counts, sizeof(before));
		ASSERT_EQ(0, master_release(&self->m));
		while (!all_moved(before))
			take_one(&self->m);
	}
	/* A sleep is not cut short. */
	EXPECT_EQ(0, shared->woken);
}

TEST_F(hold, the_limit_releases)
{
	uint64_t before[NR_WORKERS], limit = 10 * MS;
	int ret;

	/* On a slow machine, the limit may pass before all threads have arrived. */
	do {
		limit *= 2;
		ret = hold_for(&self->m, &self->hold, limit);
	} while (ret == -ETIMEDOUT);
	ASSERT_EQ(0, ret);
	memcpy(before, (void *)shared->counts, sizeof(before));
	while (!all_moved(before))
		take_one(&self->m);
	EXPECT_EQ(-ETIME, master_release(&self->m));
	EXPECT_EQ(-EALREADY, master_release(&self->m));
}

TEST_F(hold, threads_are_idle_and_can_be_killed)
{
	char state;
	int status;

	ASSERT_EQ(0, hold_for(&self->m, &self->hold, 600 * SECOND));
	state = task_state(self->slave);
	/* In a ring that is full, a thread waits for its place; or it sleeps in its call. */
	EXPECT_TRUE(state == 'I' || (state == 'S' && (variant->nr_slots > 1 ||
						      self->hold.nr_asleep)));
	kill(self->slave, SIGKILL);
	ASSERT_EQ(self->slave, waitpid(self->slave, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	while (master_get(&self->m) > 0)
		;
	EXPECT_EQ(CP_END_EXITED, self->m.get.reason);
	EXPECT_EQ(-EPIPE, hold_for(&self->m, &self->hold, 0));
}

TEST_F(hold, the_end_of_the_pair_releases)
{
	uint64_t before[NR_WORKERS];

	ASSERT_EQ(0, hold_for(&self->m, &self->hold, 600 * SECOND));
	memcpy(before, (void *)shared->counts, sizeof(before));
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	EXPECT_TRUE(eventually(all_moved(before)));
	EXPECT_EQ(-EPIPE, hold_for(&self->m, &self->hold, 0));
	EXPECT_EQ(-EALREADY, master_release(&self->m));
}

TEST_F(hold, once_at_a_time)
{
	EXPECT_EQ(-EALREADY, master_release(&self->m));
	ASSERT_EQ(0, hold_for(&self->m, &self->hold, 600 * SECOND));
	EXPECT_EQ(-EALREADY, hold_for(&self->m, &self->hold, 0));
	EXPECT_EQ(0, master_release(&self->m));
	EXPECT_EQ(0, hold_for(&self->m, &self->hold, 600 * SECOND));
}

/* Has each worker moved that needs no checkpoint to be taken for that? */
static bool has_run(const uint64_t *before)
{
	unsigned int i;

	for (i = 0; i < NR_WORKERS; i++)
		if (i % NR_ACTS <= ACT_CALL && shared->counts[i] == before[i])
			return false;
	return true;
}

/* Several holds without taking: the states are those of the last one. */
TEST_F(hold, the_last_state_counts)
{
	uint64_t before[NR_WORKERS], released = 0;
	unsigned int i, taken = 0, fresh = 0;
	int ret;

	if (variant->nr_slots > 1)
		SKIP(return, "older states stay, too");
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, hold_for(&self->m, &self->hold, 600 * SECOND));
		memcpy(before, (void *)shared->counts, sizeof(before));
		released = now_ns();
		ASSERT_EQ(0, master_release(&self->m));
		ASSERT_TRUE(eventually(has_run(before)));
	}
	ASSERT_EQ(0, hold_for(&self->m, &self->hold, 600 * SECOND));
	while ((ret = master_get_until(&self->m, 0, 0)) > 0) {
		taken += ret == 1;
		fresh += ret == 1 && master_checkpoint(&self->m)->time >= released;
	}
	/* Threads that have ended meanwhile may have left one, too. */
	EXPECT_LE(self->hold.nr_threads, taken);
	EXPECT_LE(2 * NR_EACH, fresh);
}

/* A thread that waits for its child in vfork(2) cannot arrive. */
static int body_vfork(void *pipe)
{
	char byte;

	if (vfork() == 0) {
		shared->ready = 1;
		read(*(int *)pipe, &byte, 1);
		_exit(0);
	}
	for (;;)
		shared->counts[0]++;
}

TEST(a_thread_that_cannot_arrive_is_named)
{
	struct cp_prep arg = { .flags = CP_PREP_PROCESS };
	struct cp_hold hold = { };
	struct master m;
	int ends[2];

	shared = shared_memory(sizeof(*shared));
	ASSERT_EQ(0, pipe(ends));
	arg.pid = slave_start(body_vfork, &ends[0]);
	ASSERT_TRUE(eventually(shared->ready));
	ASSERT_EQ(0, master_prep(&m, &arg));
	hold.deadline = now_ns() + 100 * MS;
	EXPECT_EQ(-1, ioctl(m.fd, CP_IOC_HOLD, &hold));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(arg.pid, hold.late);
	/* The failure has changed nothing. */
	EXPECT_EQ(-EALREADY, master_release(&m));
	ASSERT_EQ(1, write(ends[1], "x", 1));
	ASSERT_EQ(0, ioctl(m.fd, CP_IOC_END));
	EXPECT_TRUE(eventually(shared->counts[0]));
	master_close(&m);
	slave_kill(arg.pid);
}

TEST(one_task_is_held)
{
	struct cp_hold hold;
	struct master m;
	uint64_t before;

	shared = shared_memory(sizeof(*shared));
	ASSERT_EQ(0, master_pair(&m, slave_start(body_workers, NULL)));
	ASSERT_EQ(0, hold_for(&m, &hold, 600 * SECOND));
	EXPECT_EQ(1, hold.nr_threads);
	ASSERT_EQ(1, master_get_until(&m, 0, 0));
	before = m.get.seq;
	EXPECT_EQ(-EAGAIN, master_get_until(&m, 0, CP_GET_NUDGE));
	ASSERT_EQ(0, master_release(&m));
	EXPECT_EQ(1, master_get_until(&m, CP_FOREVER, CP_GET_NUDGE));
	EXPECT_EQ(before + 1, m.get.seq);
	slave_kill(m.slave);
	master_close(&m);
}

TEST(bad_input)
{
	struct cp_hold hold = { .flags = 2 };
	struct master m;

	EXPECT_EQ(-1, ioctl(device_open(), CP_IOC_RELEASE));
	EXPECT_EQ(ENOTCONN, errno);
	ASSERT_EQ(0, master_pair(&m, slave_start(body_spin, NULL)));
	EXPECT_EQ(-1, ioctl(m.fd, CP_IOC_HOLD, &hold));
	EXPECT_EQ(EINVAL, errno);
	hold = (struct cp_hold){ .nr_asleep = 1 };
	EXPECT_EQ(-1, ioctl(m.fd, CP_IOC_HOLD, &hold));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(m.fd, CP_IOC_HOLD, NULL));
	EXPECT_EQ(EFAULT, errno);
	slave_kill(m.slave);
	master_close(&m);
}

TEST_HARNESS_MAIN
