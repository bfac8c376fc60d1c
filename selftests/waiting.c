// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting: master and slave wait for each other for as long as they should, and no
 * checkpoint is lost however a wait ends.
 */
#include "harness.h"

#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

#define MS	1000000ULL	/* in nanoseconds */

/* Makes system calls for ever, and counts them in RBX from 0. */
static void count_calls(void)
{
	asm volatile("xor %%ebx, %%ebx\n\t"
		     "1: mov %0, %%eax\n\t"
		     "syscall\n\t"
		     "inc %%rbx\n\t"
		     "jmp 1b"
		     : : "i" (SYS_getppid) : "rax", "rbx", "rcx", "r11");
}

/* Sleeps in the kernel until the gate, a pipe, is opened. */
static int body_gated(void *gate)
{
	char c;

	if (read(((int *)gate)[0], &c, 1) == 1)
		count_calls();
	return 1;
}

static bool gate_open(const int *gate)
{
	return write(gate[1], "", 1) == 1;
}

/* The state of the sequence of checkpoints that follows() checks. */
struct trail {
	uint64_t seq;
	uint64_t calls;
};

/* Is the current checkpoint the direct successor of the last one? */
static bool follows(struct master *m, struct trail *trail)
{
	const struct cp_checkpoint *c = master_checkpoint(m);

	if (m->get.seq != ++trail->seq)
		return false;
	return c->entry != CP_ENTRY_SYSCALL || c->syscall != SYS_getppid ||
	       m->regs[RBX] == trail->calls++;
}

/* A paired slave that sleeps until its gate is opened. */
struct gated {
	int gate[2];
	pid_t slave;
	struct master m;
	struct trail trail;
};

static bool gated_start(struct gated *g)
{
	if (pipe2(g->gate, O_CLOEXEC))
		return false;
	g->slave = slave_start(body_gated, g->gate);
	return g->slave > 0 &&
	       eventually(task_syscall(g->slave) == SYS_read) &&
	       !master_pair(&g->m, g->slave);
}

static void gated_stop(struct gated *g)
{
	master_close(&g->m);
	slave_kill(g->slave);
}

FIXTURE(gated)
{
	struct gated g;
};

FIXTURE_SETUP(gated)
{
	ASSERT_TRUE(gated_start(&self->g));
}

FIXTURE_TEARDOWN(gated)
{
	gated_stop(&self->g);
}

TEST_F(gated, slave_first)
{
	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_TRUE(master_sees_slave(&self->g.m));
	EXPECT_EQ(1, master_get(&self->g.m));
	EXPECT_EQ(1, self->g.m.get.seq);
}

static void *get_in_thread(void *arg)
{
	return (void *)(long)master_get(arg);
}

TEST_F(gated, master_first)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, get_in_thread, &self->g.m));
	ASSERT_TRUE(eventually(master_state_is(&self->g.m, "master-waiting")));
	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(1, (long)ret);
	EXPECT_EQ(1, self->g.m.get.seq);
}

TEST_F(gated, order_is_kept)
{
	int i;

	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(1, master_get(&self->g.m));
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	}
	EXPECT_LT(100, self->g.trail.calls);
}

TEST_F(gated, bad_register_address_loses_nothing)
{
	struct cp_get bad = { .deadline = CP_FOREVER, .regs = 8 };
	int i;

	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(-1, ioctl(self->g.m.fd, CP_IOC_GET, &bad));
		ASSERT_EQ(EFAULT, errno);
		ASSERT_EQ(POLLIN, master_poll(&self->g.m, 0));
		ASSERT_EQ(1, master_get(&self->g.m));
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	}
}

TEST_F(gated, unwritable_argument_loses_nothing)
{
	struct cp_get *get = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	get->deadline = CP_FOREVER;
	ASSERT_EQ(0, mprotect(get, 4096, PROT_READ));
	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(-1, ioctl(self->g.m.fd, CP_IOC_GET, get));
		ASSERT_EQ(EFAULT, errno);
		ASSERT_EQ(1, master_get(&self->g.m));
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	}
}

TEST_F(gated, timeouts_lose_nothing)
{
	int i, ret, late = 0;

	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&self->g.m, 20));
	late++;
	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 1000; i++) {
		/* Some deadlines pass before even a quick slave can arrive. */
		ret = master_get_until(&self->g.m,
				       now_ns() + rand() % (i % 2 ? 200000 : 2000),
				       0);
		late += ret == -ETIMEDOUT;
		if (ret == -ETIMEDOUT)
			continue;
		ASSERT_EQ(1, ret);
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	}
	/* Both outcomes must have occurred. */
	EXPECT_LT(1, late);
	EXPECT_LT(0, self->g.trail.seq);
	TH_LOG("%d timeouts", late);
}

/* Repeated calls with the same absolute deadline time out at that deadline. */
TEST_F(gated, deadline_is_absolute)
{
	uint64_t start = now_ns();

	EXPECT_EQ(-ETIMEDOUT, master_get_until(&self->g.m, start + 50 * MS, 0));
	EXPECT_LE(start + 50 * MS, now_ns());
	EXPECT_EQ(-ETIMEDOUT, master_get_until(&self->g.m, start + 50 * MS, 0));
	EXPECT_EQ(-ETIMEDOUT, master_get_until(&self->g.m, 1, 0));
}

TEST_F(gated, without_nudge_waits)
{
	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&self->g.m, 100));
	EXPECT_EQ(SYS_read, task_syscall(self->g.slave));
	EXPECT_EQ(0, master_poll(&self->g.m, 0));
}

TEST_F(gated, region_stays_until_the_next_get)
{
	const struct cp_checkpoint *c;
	struct cp_checkpoint before;

	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_EQ(1, master_get(&self->g.m));
	c = master_checkpoint(&self->g.m);
	before = *c;
	ASSERT_TRUE(master_sees_slave(&self->g.m));
	EXPECT_EQ(0, memcmp(&before, c, sizeof(before)));
	EXPECT_EQ(1, c->seq);
}

/* The slave waits in state S: state D would count as load. */
TEST_F(gated, slave_waits_interruptibly)
{
	int i;

	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 50; i++) {
		ASSERT_TRUE(master_sees_slave(&self->g.m));
		ASSERT_TRUE(eventually(task_state(self->g.slave) == 'S'));
		ASSERT_EQ(1, master_get(&self->g.m));
	}
}

TEST_F(gated, stop_signal_reaches_waiting_slave)
{
	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_EQ(1, master_get(&self->g.m));
	ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	ASSERT_TRUE(master_sees_slave(&self->g.m));
	kill(self->g.slave, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->g.slave) == 'T'));
	EXPECT_EQ(0, master_poll(&self->g.m, 0));
	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&self->g.m, 50));
	EXPECT_EQ('T', task_state(self->g.slave));

	kill(self->g.slave, SIGCONT);
	EXPECT_EQ(1, master_get(&self->g.m));
	EXPECT_TRUE(follows(&self->g.m, &self->g.trail));
}

TEST_F(gated, kill_reaches_waiting_slave)
{
	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_TRUE(master_sees_slave(&self->g.m));
	EXPECT_EQ(SIGKILL, slave_kill(self->g.slave));
	self->g.slave = 0;
}

TEST_F(gated, nudge_brings_stopped_slave_when_it_continues)
{
	kill(self->g.slave, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->g.slave) == 'T'));
	EXPECT_EQ(-ETIMEDOUT,
		  master_get_until(&self->g.m, now_ns() + 100 * MS, CP_GET_NUDGE));
	EXPECT_EQ('T', task_state(self->g.slave));
	kill(self->g.slave, SIGCONT);
	EXPECT_EQ(1, master_get_until(&self->g.m, CP_FOREVER, CP_GET_NUDGE));
}

TEST_F(gated, nudge_of_a_running_slave_changes_nothing)
{
	int i;

	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(1, master_get_until(&self->g.m, CP_FOREVER,
					      CP_GET_NUDGE));
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	}
	EXPECT_LT(30, self->g.trail.calls);
}

TEST_F(gated, fdinfo_shows_the_pair)
{
	char value[20];

#define EXPECT_FIELD(key, expected)					\
	EXPECT_TRUE(fdinfo(self->g.m.fd, key, value, sizeof(value)));	\
	EXPECT_STREQ(expected, value)

	EXPECT_FIELD("state", "running");
	EXPECT_FIELD("taken", "0");
	EXPECT_FIELD("missed", "0");
	EXPECT_FIELD("reason", "0");
	EXPECT_TRUE(fdinfo(self->g.m.fd, "master", value, sizeof(value)));
	EXPECT_EQ(getpid(), atoi(value));
	EXPECT_TRUE(fdinfo(self->g.m.fd, "slave", value, sizeof(value)));
	EXPECT_EQ(self->g.slave, atoi(value));

	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_EQ(1, master_get(&self->g.m));
	ASSERT_TRUE(master_sees_slave(&self->g.m));
	EXPECT_FIELD("state", "slave-waiting");
	EXPECT_FIELD("taken", "1");
	ASSERT_EQ(0, ioctl(self->g.m.fd, CP_IOC_END));
	EXPECT_FIELD("state", "over");
	EXPECT_FIELD("reason", "3");
#undef EXPECT_FIELD
}

/* Calls that do not wait: by deadline 0, or by O_NONBLOCK. */
FIXTURE(nonblock)
{
	struct gated g;
};

FIXTURE_VARIANT(nonblock)
{
	uint64_t deadline;
	int o_nonblock;
};

FIXTURE_VARIANT_ADD(nonblock, deadline_0)
{
	.deadline = 0,
};

FIXTURE_VARIANT_ADD(nonblock, o_nonblock)
{
	.deadline = CP_FOREVER,
	.o_nonblock = O_NONBLOCK,
};

FIXTURE_SETUP(nonblock)
{
	ASSERT_TRUE(gated_start(&self->g));
	ASSERT_EQ(0, fcntl(self->g.m.fd, F_SETFL, O_RDWR | variant->o_nonblock));
}

FIXTURE_TEARDOWN(nonblock)
{
	gated_stop(&self->g);
}

TEST_F(nonblock, eagain_until_the_slave_comes)
{
	int i, j;

	EXPECT_EQ(-EAGAIN, master_get_until(&self->g.m, variant->deadline, 0));
	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 200; i++) {
		/* After POLLIN, a call must not fail with EAGAIN. */
		ASSERT_TRUE(master_sees_slave(&self->g.m));
		ASSERT_EQ(1, master_get_until(&self->g.m, variant->deadline, 0));
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
		for (j = 0; j < 3; j++) {
			int ret = master_get_until(&self->g.m, variant->deadline, 0);

			if (ret == -EAGAIN)
				continue;
			ASSERT_EQ(1, ret);
			ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
		}
	}
}

TEST_F(nonblock, nudge_works_in_the_background)
{
	int ret = master_get_until(&self->g.m, variant->deadline, CP_GET_NUDGE);

	/* A quick slave may arrive in time for the same call. */
	if (ret == -EAGAIN) {
		ASSERT_TRUE(master_sees_slave(&self->g.m));
		ret = master_get_until(&self->g.m, variant->deadline, 0);
	}
	EXPECT_EQ(1, ret);
}

TEST_F(nonblock, end_is_reported)
{
	slave_kill(self->g.slave);
	self->g.slave = 0;
	EXPECT_EQ(0, master_get_until(&self->g.m, variant->deadline, 0));
}

/* Signals to a waiting master. */
static volatile int handled;

static void handler(int sig)
{
	handled++;
}

FIXTURE(interrupted)
{
	struct gated g;
};

FIXTURE_VARIANT(interrupted)
{
	int sa_flags;
	int result;
};

FIXTURE_VARIANT_ADD(interrupted, restart)
{
	.sa_flags = SA_RESTART,
	.result = 1,
};

FIXTURE_VARIANT_ADD(interrupted, no_restart)
{
	.result = -EINTR,
};

FIXTURE_SETUP(interrupted)
{
	struct sigaction sa = {
		.sa_handler = handler,
		.sa_flags = variant->sa_flags,
	};

	ASSERT_TRUE(gated_start(&self->g));
	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
}

FIXTURE_TEARDOWN(interrupted)
{
	struct itimerval off = { 0 };

	setitimer(ITIMER_REAL, &off, NULL);
	gated_stop(&self->g);
}

struct interrupter {
	struct gated *g;
	pthread_t main;
	bool waits_again;
};

static void *interrupt_once(void *arg)
{
	struct interrupter *in = arg;

	if (!eventually(master_state_is(&in->g->m, "master-waiting")))
		return NULL;
	pthread_kill(in->main, SIGUSR1);
	if (eventually(handled) && in->waits_again &&
	    eventually(master_state_is(&in->g->m, "master-waiting")))
		gate_open(in->g->gate);
	return NULL;
}

TEST_F(interrupted, as_the_handler_says)
{
	struct interrupter in = {
		.g = &self->g,
		.main = pthread_self(),
		.waits_again = variant->sa_flags & SA_RESTART,
	};
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt_once, &in));
	EXPECT_EQ(variant->result, master_get(&self->g.m));
	EXPECT_EQ(1, handled);
	pthread_join(thread, NULL);
	if (variant->result != 1) {
		ASSERT_TRUE(gate_open(self->g.gate));
		EXPECT_EQ(1, master_get(&self->g.m));
	}
	EXPECT_EQ(1, self->g.m.get.seq);
}

TEST_F(interrupted, nothing_is_lost)
{
	struct itimerval often = { { 0, 700 }, { 0, 700 } };
	int i, ret;

	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	for (i = 0; i < 1000; i++) {
		ret = master_get(&self->g.m);
		if (ret == variant->result && ret != 1)
			continue;
		ASSERT_EQ(1, ret);
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	}
	EXPECT_LT(0, handled);
	TH_LOG("%d signals, %llu checkpoints", handled,
	       (unsigned long long)self->g.trail.seq);
}

TEST_F(interrupted, deadline_does_not_move)
{
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
	uint64_t deadline = now_ns() + 300 * MS;
	int ret;

	/* A relative timeout would restart with each signal, and never pass. */
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	do {
		ret = master_get_until(&self->g.m, deadline, 0);
	} while (ret == -EINTR);
	EXPECT_EQ(-ETIMEDOUT, ret);
	EXPECT_LE(deadline, now_ns());
	EXPECT_LT(2, handled);
}

/* Several threads of the master. */
#define GETTERS	4
#define EACH	250

struct getter {
	struct master m;
	unsigned char *times;	/* how often each checkpoint was taken */
	pthread_t thread;
};

static void *get_many(void *arg)
{
	struct getter *g = arg;
	int i;

	for (i = 0; i < EACH; i++)
		if (master_get(&g->m) == 1 && g->m.get.seq <= GETTERS * EACH)
			__atomic_add_fetch(&g->times[g->m.get.seq - 1], 1,
					   __ATOMIC_RELAXED);
	return NULL;
}

TEST_F(gated, threads_get_each_checkpoint_once)
{
	unsigned char times[GETTERS * EACH] = { 0 };
	struct getter getters[GETTERS];
	int i;

	for (i = 0; i < GETTERS; i++) {
		getters[i].m = self->g.m;
		getters[i].times = times;
		ASSERT_EQ(0, pthread_create(&getters[i].thread, NULL, get_many,
					    &getters[i]));
	}
	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < GETTERS; i++)
		pthread_join(getters[i].thread, NULL);
	for (i = 0; i < GETTERS * EACH; i++)
		ASSERT_EQ(1, times[i]);
}

/* A page whose first access waits for release_page(); NULL without userfaultfd. */
static void *held_page(int *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	reg.range.start = (uintptr_t)page;
	reg.range.len = 4096;
	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*uffd < 0 || ioctl(*uffd, UFFDIO_API, &api) ||
	    ioctl(*uffd, UFFDIO_REGISTER, &reg))
		return NULL;
	return page;
}

static bool release_page(int uffd, void *page)
{
	struct uffdio_zeropage zero = { { (uintptr_t)page, 4096 } };

	return !ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
}

struct slow_getter {
	int fd;
	struct cp_get get;
	int ret;
};

static void *get_slowly(void *arg)
{
	struct slow_getter *slow = arg;

	slow->ret = ioctl(slow->fd, CP_IOC_GET, &slow->get);
	return NULL;
}

/* A checkpoint that one thread is receiving is not delivered to another. */
TEST_F(gated, checkpoint_being_delivered_is_not_delivered_twice)
{
	struct slow_getter slow = {
		.fd = self->g.m.fd,
		.get = { .deadline = CP_FOREVER },
	};
	struct uffd_msg msg;
	pthread_t thread;
	void *page;
	int uffd;

	page = held_page(&uffd);
	if (!page)
		SKIP(return, "no userfaultfd");
	slow.get.regs = (uintptr_t)page;
	ASSERT_TRUE(gate_open(self->g.gate));
	ASSERT_EQ(0, pthread_create(&thread, NULL, get_slowly, &slow));
	ASSERT_EQ(sizeof(msg), read(uffd, &msg, sizeof(msg)));
	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&self->g.m, 100));
	ASSERT_TRUE(release_page(uffd, page));
	pthread_join(thread, NULL);
	EXPECT_EQ(1, slow.ret);
	EXPECT_EQ(1, slow.get.seq);
	EXPECT_EQ(1, master_get(&self->g.m));
	EXPECT_EQ(2, self->g.m.get.seq);
	close(uffd);
}

/* poll(2), select(2) and epoll(7). */
static unsigned int ask_poll(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? 0 : p.revents;
}

static unsigned int ask_select(int fd)
{
	struct timeval none = { 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, &set, NULL, NULL, &none) == 1 ? POLLIN : 0;
}

static unsigned int ask_epoll(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	unsigned int events = 0;

	if (!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) &&
	    epoll_wait(epoll, &event, 1, 0) == 1)
		events = event.events;
	close(epoll);
	return events;
}

FIXTURE(asking)
{
	struct gated g;
};

FIXTURE_VARIANT(asking)
{
	unsigned int (*ask)(int fd);
	unsigned int mask;	/* events that it can report */
};

FIXTURE_VARIANT_ADD(asking, poll)
{
	.ask = ask_poll,
	.mask = ~0,
};

FIXTURE_VARIANT_ADD(asking, select)
{
	.ask = ask_select,
	.mask = POLLIN,
};

FIXTURE_VARIANT_ADD(asking, epoll)
{
	.ask = ask_epoll,
	.mask = ~0,
};

FIXTURE_SETUP(asking)
{
	ASSERT_TRUE(gated_start(&self->g));
}

FIXTURE_TEARDOWN(asking)
{
	gated_stop(&self->g);
}

TEST_F(asking, nothing_while_a_call_would_wait)
{
	EXPECT_EQ(0, variant->ask(self->g.m.fd));
}

TEST_F(asking, in_when_the_slave_waits)
{
	ASSERT_TRUE(gate_open(self->g.gate));
	EXPECT_TRUE(eventually(variant->ask(self->g.m.fd) == POLLIN));
	/* Polling does not consume the event. */
	EXPECT_EQ(POLLIN, variant->ask(self->g.m.fd));
}

TEST_F(asking, hangup_at_exit_not_at_reaping)
{
	siginfo_t info;

	kill(self->g.slave, SIGKILL);
	ASSERT_EQ(0, waitid(P_PID, self->g.slave, &info, WEXITED | WNOWAIT));
	EXPECT_EQ((POLLIN | POLLHUP) & variant->mask,
		  variant->ask(self->g.m.fd));
	EXPECT_EQ('Z', task_state(self->g.slave));
}

TEST_F(asking, error_before_a_pair)
{
	int fd = device_open();

	/* For select(2) an error, too, makes a descriptor readable. */
	EXPECT_EQ(variant->mask == POLLIN ? POLLIN : POLLERR,
		  variant->ask(fd));
	close(fd);
}

/* Waits until the leader of this process sleeps in poll(2). */
static bool main_polls(void)
{
	return eventually(task_syscall(getpid()) == SYS_poll);
}

static void *open_gate_when_polled(void *arg)
{
	return (void *)(long)(main_polls() && gate_open(arg));
}

TEST_F(gated, poll_sleeps_until_the_slave_comes)
{
	pthread_t thread;
	void *opened;

	ASSERT_EQ(0, pthread_create(&thread, NULL, open_gate_when_polled,
				    self->g.gate));
	/* Without a timeout: at its end, poll() checks again even if not woken. */
	EXPECT_EQ(POLLIN, master_poll(&self->g.m, -1));
	pthread_join(thread, &opened);
	EXPECT_TRUE(opened);
}

static void *kill_when_polled(void *slave)
{
	return (void *)(long)(main_polls() && !kill((long)slave, SIGKILL));
}

TEST_F(gated, poll_sleeps_until_the_end)
{
	pthread_t thread;
	void *killed;

	ASSERT_EQ(0, pthread_create(&thread, NULL, kill_when_polled,
				    (void *)(long)self->g.slave));
	EXPECT_EQ(POLLIN | POLLHUP, master_poll(&self->g.m, -1));
	pthread_join(thread, &killed);
	EXPECT_TRUE(killed);
}

/* One registration in an epoll reports two pairs of the same file. */
TEST(epoll_stays_from_pair_to_pair)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = device_open(), round;
	struct epoll_event event = { .events = EPOLLIN };

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(EPOLLERR, event.events);
	for (round = 0; round < 2; round++) {
		struct cp_get get = { .deadline = CP_FOREVER };
		int gate[2];
		pid_t slave;

		ASSERT_EQ(0, pipe2(gate, O_CLOEXEC));
		slave = slave_start(body_gated, gate);
		ASSERT_TRUE(eventually(task_syscall(slave) == SYS_read));
		ASSERT_EQ(0, prep(fd, slave));
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
		ASSERT_TRUE(gate_open(gate));
		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 10000));
		EXPECT_EQ(EPOLLIN, event.events);
		ASSERT_EQ(1, ioctl(fd, CP_IOC_GET, &get));
		EXPECT_EQ(1, get.seq);
		slave_kill(slave);
		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 10000));
		EXPECT_EQ(EPOLLIN | EPOLLHUP, event.events);
	}
}

/* An edge-triggered epoll reports each arrival, not only the first. */
TEST_F(gated, edges_are_reported)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->g.m.fd, &event));
	ASSERT_TRUE(gate_open(self->g.gate));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 10000));
		/* Take one only: a quick slave would arrive again and again. */
		ASSERT_EQ(1, master_get(&self->g.m));
		ASSERT_TRUE(follows(&self->g.m, &self->g.trail));
	}
	close(epoll);
}

/* Signals to a waiting slave, with a handler. */
static volatile int *slave_handled;

static void slave_handler(int sig)
{
	++*slave_handled;
}

static int body_handling(void *unused)
{
	/* SA_NODEFER: the next signal can come before the handler has returned. */
	struct sigaction action = {
		.sa_handler = slave_handler,
		.sa_flags = SA_NODEFER,
	};

	sigaction(SIGUSR1, &action, NULL);
	return body_syscalls(NULL);
}

TEST(handler_entry_follows_a_wait)
{
	struct master m;
	pid_t slave;
	int i;

	slave_handled = shared_memory(sizeof(*slave_handled));
	slave = slave_start(body_handling, NULL);
	ASSERT_EQ(0, master_pair(&m, slave));
	/* Lets the slave install its handler. */
	for (i = 0; i < 200; i++)
		ASSERT_EQ(1, master_get(&m));
	for (i = 0; i < 100; i++) {
		ASSERT_TRUE(master_sees_slave(&m));
		ASSERT_TRUE(eventually(task_state(slave) == 'S'));
		kill(slave, SIGUSR1);
		/* The signal ends the wait; the slave waits again at the handler. */
		ASSERT_EQ(1, master_get(&m));
		ASSERT_EQ((uintptr_t)slave_handler, m.regs[RIP]);
		ASSERT_EQ(SIGUSR1, m.regs[RDI]);
		while (*slave_handled != i + 1)
			ASSERT_EQ(1, master_get(&m));
	}
	master_close(&m);
	slave_kill(slave);
}

/* The slave's wait limit. */
FIXTURE(limited)
{
	volatile uint64_t *progress;
	pid_t slave;
	struct master m;
};

FIXTURE_SETUP(limited)
{
	struct cp_prep arg = { .wait_limit = 5 * MS };

	self->progress = shared_memory(sizeof(*self->progress));
	self->slave = slave_start(body_count_syscalls, (void *)self->progress);
	arg.pid = self->slave;
	ASSERT_EQ(0, master_prep(&self->m, &arg));
}

FIXTURE_TEARDOWN(limited)
{
	master_close(&self->m);
	slave_kill(self->slave);
}

TEST_F(limited, slave_goes_on)
{
	uint64_t before = *self->progress;

	EXPECT_TRUE(eventually(*self->progress > before + 5));
}

TEST_F(limited, misses_are_counted_and_leave_a_gap)
{
	uint64_t before, taken = 0;
	char missed[20];
	int i;

	for (i = 0; i < 5; i++) {
		before = *self->progress;
		ASSERT_TRUE(eventually(*self->progress > before + 2));
		before = self->m.get.seq;
		ASSERT_EQ(1, master_get(&self->m));
		taken++;
		EXPECT_LE(before + 2, self->m.get.seq);
		/* Each checkpoint was either taken or missed. */
		EXPECT_LE(self->m.get.seq, taken + self->m.get.missed);
		EXPECT_EQ(self->m.get.seq, master_checkpoint(&self->m)->seq);
	}
	ASSERT_TRUE(fdinfo(self->m.fd, "missed", missed, sizeof(missed)));
	EXPECT_LE(10, atoi(missed));
}

TEST_F(limited, nothing_is_missed_by_a_master_that_is_there)
{
	struct cp_prep arg = {
		.pid = self->slave,
		.wait_limit = 10000 * MS,
	};
	int i;

	master_close(&self->m);
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	for (i = 1; i <= 300; i++) {
		ASSERT_EQ(1, master_get(&self->m));
		ASSERT_EQ(i, self->m.get.seq);
	}
	EXPECT_EQ(0, self->m.get.missed);
}

/*
 * Nudges of a slave that sleeps in a system call.
 */
#define NUDGES	5
#define NAP	(2000 * MS)

/* Shared by the slave, which calls, and the master, which ends the call. */
struct sleeper {
	int pipe[2];
	int epoll;
	uint32_t futex;
	uint64_t start;
	uint64_t end;
	long ret;
	volatile bool done;
};

static long call_nanosleep(struct sleeper *s)
{
	struct timespec nap = { NAP / (1000 * MS), 0 };

	return syscall(SYS_nanosleep, &nap, NULL);
}

static long call_clock_nanosleep(struct sleeper *s)
{
	uint64_t end = s->start + NAP;
	struct timespec until = { end / (1000 * MS), end % (1000 * MS) };

	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME,
		       &until, NULL);
}

static long call_read(struct sleeper *s)
{
	char c;

	return syscall(SYS_read, s->pipe[0], &c, 1);
}

static long call_poll(struct sleeper *s)
{
	struct pollfd p = { .fd = s->pipe[0], .events = POLLIN };

	return syscall(SYS_poll, &p, 1, -1);
}

static long call_poll_timeout(struct sleeper *s)
{
	struct pollfd p = { .fd = s->pipe[0], .events = POLLIN };

	return syscall(SYS_poll, &p, 1, (int)(NAP / MS));
}

static long call_select(struct sleeper *s)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s->pipe[0], &set);
	return syscall(SYS_select, s->pipe[0] + 1, &set, NULL, NULL, NULL);
}

static long call_futex(struct sleeper *s)
{
	return syscall(SYS_futex, &s->futex, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static long call_epoll_wait(struct sleeper *s)
{
	struct epoll_event event;

	return syscall(SYS_epoll_wait, s->epoll, &event, 1, -1);
}

static long call_sigtimedwait(struct sleeper *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8);
}

static void end_by_time(struct sleeper *s)
{
}

static void end_by_pipe(struct sleeper *s)
{
	gate_open(s->pipe);
}

static void end_by_futex(struct sleeper *s)
{
	while (!s->done && syscall(SYS_futex, &s->futex, FUTEX_WAKE, 1, NULL,
				   NULL, 0) != 1)
		sleep_ms(1);
}

FIXTURE(nudged)
{
	struct sleeper *sleeper;
	pid_t slave;
	struct master m;
};

FIXTURE_VARIANT(nudged)
{
	long nr;
	long (*call)(struct sleeper *s);
	void (*finish)(struct sleeper *s);
	long ret;	/* final result of the call */
	long rax;	/* RAX in the checkpoint of a nudge */
	bool timed;	/* the call takes NAP even if nudged */
};

FIXTURE_VARIANT_ADD(nudged, nanosleep)
{
	.nr = SYS_nanosleep,
	.call = call_nanosleep,
	.finish = end_by_time,
	.rax = SYS_restart_syscall,
	.timed = true,
};

FIXTURE_VARIANT_ADD(nudged, clock_nanosleep)
{
	.nr = SYS_clock_nanosleep,
	.call = call_clock_nanosleep,
	.finish = end_by_time,
	.rax = SYS_clock_nanosleep,
	.timed = true,
};

FIXTURE_VARIANT_ADD(nudged, poll_timeout)
{
	.nr = SYS_poll,
	.call = call_poll_timeout,
	.finish = end_by_time,
	.rax = SYS_restart_syscall,
	.timed = true,
};

FIXTURE_VARIANT_ADD(nudged, read)
{
	.nr = SYS_read,
	.call = call_read,
	.finish = end_by_pipe,
	.ret = 1,
	.rax = SYS_read,
};

FIXTURE_VARIANT_ADD(nudged, poll)
{
	.nr = SYS_poll,
	.call = call_poll,
	.finish = end_by_pipe,
	.ret = 1,
	.rax = SYS_restart_syscall,
};

FIXTURE_VARIANT_ADD(nudged, select)
{
	.nr = SYS_select,
	.call = call_select,
	.finish = end_by_pipe,
	.ret = 1,
	.rax = SYS_select,
};

FIXTURE_VARIANT_ADD(nudged, futex)
{
	.nr = SYS_futex,
	.call = call_futex,
	.finish = end_by_futex,
	.rax = SYS_futex,
};

/* Two of the calls that signal(7) lists as never restarted. */
FIXTURE_VARIANT_ADD(nudged, epoll_wait)
{
	.nr = SYS_epoll_wait,
	.call = call_epoll_wait,
	.finish = end_by_time,
	.ret = -EINTR,
	.rax = -EINTR,
};

FIXTURE_VARIANT_ADD(nudged, sigtimedwait)
{
	.nr = SYS_rt_sigtimedwait,
	.call = call_sigtimedwait,
	.finish = end_by_time,
	.ret = -EINTR,
	.rax = -EINTR,
};

/* The variant's call, for the slave. */
static long (*sleeper_call)(struct sleeper *s);

static int body_sleeper(void *arg)
{
	struct sleeper *s = arg;
	long ret;

	s->start = now_ns();
	ret = sleeper_call(s);
	s->end = now_ns();
	s->ret = ret < 0 ? -errno : ret;
	s->done = true;
	return body_sleep(NULL);
}

FIXTURE_SETUP(nudged)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct sleeper *s = shared_memory(sizeof(*s));

	self->sleeper = s;
	ASSERT_EQ(0, pipe2(s->pipe, O_CLOEXEC));
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_EQ(0, epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->pipe[0], &event));
	sleeper_call = variant->call;
	self->slave = slave_start(body_sleeper, s);
	ASSERT_TRUE(eventually(task_syscall(self->slave) == variant->nr));
	ASSERT_EQ(0, master_pair(&self->m, self->slave));
}

FIXTURE_TEARDOWN(nudged)
{
	master_close(&self->m);
	slave_kill(self->slave);
}

/* Does the slave sleep in its system call, even if restarted? */
static bool sleeps_in(pid_t pid, long nr)
{
	long now = task_syscall(pid);

	return now == nr || now == SYS_restart_syscall;
}

/*
 * Waits until the slave sleeps in its call. An interrupt may cause a checkpoint
 * before that: take it, or the slave would wait for its master instead.
 */
static bool back_asleep(struct master *m, long nr)
{
	return eventually((master_get_until(m, 0, 0), sleeps_in(m->slave, nr)));
}

/* Takes checkpoints until the slave has completed its call. */
static bool through(struct master *m, struct sleeper *s)
{
	return eventually((master_get_ms(m, 10), s->done));
}

TEST_F(nudged, registers_are_those_after_the_restart)
{
	const uint16_t syscall_insn = 0x050f;
	const struct cp_checkpoint *c;
	uint64_t at;

	ASSERT_EQ(1, master_get_until(&self->m, CP_FOREVER, CP_GET_NUDGE));
	c = master_checkpoint(&self->m);
	EXPECT_EQ(CP_ENTRY_SYSCALL, c->entry);
	EXPECT_EQ(variant->nr, c->syscall);
	EXPECT_EQ(variant->nr, (long)c->regs.orig_rax);
	EXPECT_EQ(variant->rax, (long)c->regs.rax);
	EXPECT_EQ(c->regs.rax, self->m.regs[RAX]);
	at = c->regs.rip;
	if (variant->rax < 0)
		at -= sizeof(syscall_insn);
	/* The slave is a fork, so the test can read its code in its own memory. */
	EXPECT_EQ(0, memcmp(&syscall_insn, (void *)at, sizeof(syscall_insn)));
}

TEST_F(nudged, call_goes_on_as_if_nothing_had_been)
{
	struct sleeper *s = self->sleeper;
	uint64_t last = 0;
	int i;

	for (i = 0; i < NUDGES && variant->ret != -EINTR; i++) {
		ASSERT_TRUE(back_asleep(&self->m, variant->nr));
		/* Makes the part that would be slept twice long enough to notice. */
		if (variant->timed)
			sleep_ms(NAP / MS / 2 / NUDGES);
		last = now_ns();
		ASSERT_EQ(1, master_get_until(&self->m, CP_FOREVER,
					      CP_GET_NUDGE));
		EXPECT_FALSE(s->done);
	}
	if (variant->ret == -EINTR) {
		ASSERT_EQ(1, master_get_until(&self->m, CP_FOREVER,
					      CP_GET_NUDGE));
	} else {
		ASSERT_TRUE(back_asleep(&self->m, variant->nr));
	}
	variant->finish(s);
	ASSERT_TRUE(through(&self->m, s));
	EXPECT_EQ(variant->ret, s->ret);
	if (variant->timed) {
		EXPECT_LE(s->start + NAP, s->end);
		/* A sleep that restarted at the last nudge would end later. */
		EXPECT_LT(s->end, last + NAP);
	}
}

/* The end of the pair does not interrupt the slave's call. */
TEST_F(nudged, call_survives_the_end_of_the_pair)
{
	struct sleeper *s = self->sleeper;

	ASSERT_EQ(1, master_get_until(&self->m, CP_FOREVER, CP_GET_NUDGE));
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	if (variant->ret != -EINTR)
		ASSERT_TRUE(eventually(sleeps_in(self->slave, variant->nr)));
	variant->finish(s);
	ASSERT_TRUE(eventually(s->done));
	EXPECT_EQ(variant->ret, s->ret);
}

TEST(many_nudges)
{
	pid_t slave = slave_start(body_sleep, NULL);
	struct master m;
	int i;

	ASSERT_TRUE(eventually(task_syscall(slave) == SYS_pause));
	ASSERT_EQ(0, master_pair(&m, slave));
	/* No pause: some nudges come before the slave sleeps. */
	for (i = 1; i <= 1000; i++) {
		ASSERT_EQ(1, master_get_until(&m, now_ns() + 5000 * MS,
					      CP_GET_NUDGE)) {
			TH_LOG("nudge %d: the slave is in system call %ld", i,
			       task_syscall(slave));
		}
		ASSERT_EQ(i, m.get.seq);
	}
	ASSERT_TRUE(back_asleep(&m, SYS_pause));
	master_close(&m);
	EXPECT_EQ(SIGKILL, slave_kill(slave));
}

/* The slave must not arrive, give up and leave before the master waits. */
FIXTURE(hardly) {};

FIXTURE_VARIANT(hardly)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(hardly, task) {};
FIXTURE_VARIANT_ADD(hardly, process) { .flags = CP_PREP_PROCESS };

FIXTURE_SETUP(hardly)
{
}

FIXTURE_TEARDOWN(hardly)
{
}

TEST_F(hardly, waits_and_is_nudged)
{
	struct cp_prep arg = {
		.pid = slave_start(body_sleep, NULL),
		.flags = variant->flags,
		.wait_limit = 1,
	};
	struct master m;
	int i;

	ASSERT_TRUE(eventually(task_syscall(arg.pid) == SYS_pause));
	ASSERT_EQ(0, master_prep(&m, &arg));
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(1, master_get_until(&m, now_ns() + 5000 * MS,
					      CP_GET_NUDGE));
	master_close(&m);
	EXPECT_EQ(SIGKILL, slave_kill(arg.pid));
}

TEST_HARNESS_MAIN
