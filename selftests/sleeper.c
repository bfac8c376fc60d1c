// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that sleep in a system call: their states are read without waking them, and a
 * hold leaves them asleep.
 */
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>

#include "team.h"

#include <asm/prctl.h>

#define MS		1000000ULL
#define SECOND		(1000 * MS)
#define LONG_TIME	1000

static int sleeper_get(struct master *m, unsigned int part,
		       struct cp_sleeper *sleeper)
{
	memset(sleeper, 0, sizeof(*sleeper));
	sleeper->part = part;
	return ioctl(m->fd, CP_IOC_SLEEPER, sleeper) ? -errno : 0;
}

static int hold_asleep(struct master *m, struct cp_hold *hold)
{
	*hold = (struct cp_hold){
		.deadline = now_ns() + 60 * SECOND,
		.limit = 600 * SECOND,
		.flags = CP_HOLD_ASLEEP,
	};
	return ioctl(m->fd, CP_IOC_HOLD, hold) ? -errno : 0;
}

/*
 * Calls that signal(7) says never restart, and some that do. Each sleeps on the ends of a
 * pipe, or for a long time.
 */
static long call_epoll(struct member *m)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, m->team->ends[0], &event);
	return epoll_wait(fd, &event, 1, -1);
}

static long call_poll(struct member *m)
{
	struct pollfd poll_end = { m->team->ends[0], POLLIN };

	return poll(&poll_end, 1, LONG_TIME * 1000);
}

static long call_select(struct member *m)
{
	struct timeval time = { LONG_TIME };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(m->team->ends[0], &set);
	return select(m->team->ends[0] + 1, &set, NULL, NULL, &time);
}

static long call_nanosleep(struct member *m)
{
	struct timespec time = { LONG_TIME };

	return nanosleep(&time, NULL);
}

static long call_sigtimedwait(struct member *m)
{
	struct timespec time = { LONG_TIME };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &time);
}

static long call_pause(struct member *m)
{
	return pause();
}

static long call_semop(struct member *m)
{
	struct sembuf op = { .sem_op = -1 };

	return semop(semget(IPC_PRIVATE, 1, 0600), &op, 1);
}

static long call_msgrcv(struct member *m)
{
	struct { long type; char byte; } message;
	int queue = msgget(IPC_PRIVATE, 0600);

	return msgrcv(queue, &message, 1, 0, 0);
}

static long call_recv(struct member *m)
{
	struct timeval time = { LONG_TIME };
	int ends[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	return recv(ends[0], &byte, 1, 0);
}

static long call_getevents(struct member *m)
{
	aio_context_t context = 0;
	struct io_event event;

	if (syscall(SYS_io_setup, 1, &context))
		return -1;
	return syscall(SYS_io_getevents, context, 1, 1, &event, NULL);
}

static long call_futex(struct member *m)
{
	struct timespec time = { LONG_TIME };
	uint32_t word = 0;

	return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &time);
}

static long call_read(struct member *m)
{
	char byte;

	return read(m->team->ends[0], &byte, 1);
}

static long (*const calls[])(struct member *m) = {
	call_epoll, call_poll, call_select, call_nanosleep, call_sigtimedwait,
	call_pause, call_semop, call_msgrcv, call_recv, call_getevents,
	call_futex, call_read,
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

/* Makes one call, which is to sleep for ever: its return counts as progress. */
static void *work_call(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	calls[m - m->team->members](m);
	m->progress++;
	for (;;)
		pause();
	return NULL;
}

static void *work_compute(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	for (;;)
		m->progress++;
	return NULL;
}

/* Reads a byte from the team's pipe again and again. */
static void *work_read(void *arg)
{
	struct member *m = arg;
	char byte;

	member_begin(m);
	for (;;) {
		if (read(m->team->ends[0], &byte, 1) == 1)
			m->progress++;
	}
	return NULL;
}

/* Sleeps until the team goes, and exits. */
static void *work_leave(void *arg)
{
	member_begin(arg);
	member_wait(arg);
	return NULL;
}

/* All registers that a system call preserves have values of their own. */
asm("sleep_with_values:\n"
    "	pushq	%rbx\n	pushq	%rbp\n	pushq	%r12\n"
    "	pushq	%r13\n	pushq	%r14\n	pushq	%r15\n"
    "	movq	$0x1001, %rbx\n	movq	$0x1002, %rbp\n"
    "	movq	$0x1003, %r12\n	movq	$0x1004, %r13\n"
    "	movq	$0x1005, %r14\n	movq	$0x1006, %r15\n"
    "	movq	$0x1007, %rdx\n	movq	$0x1008, %r8\n"
    "	movq	$0x1009, %r9\n	movq	$0x100a, %r10\n"
    "	movq	$0x100b, %rdi\n	movq	$0x100c, %rsi\n"
    "	movl	$34, %eax\n"	/* pause */
    "sleep_at_call:\n"
    "	syscall\n"
    "	ud2\n");

void sleep_with_values(void);
extern const char sleep_at_call[];

static void *work_values(void *arg)
{
	struct member *m = arg;
	unsigned long base;

	syscall(SYS_arch_prctl, ARCH_GET_FS, &base);
	m->mark_at = base;
	member_begin(m);
	sleep_with_values();
	return NULL;
}

static bool is_in_call(pid_t tid)
{
	return task_syscall(tid) >= 0 && task_state(tid) == 'S';
}

FIXTURE(sleeper)
{
	struct master m;
	struct cp_hold hold;
	struct cp_sleeper sleeper;
	struct team *team;
};

FIXTURE_VARIANT(sleeper)
{
	unsigned int flags;
	uint64_t interval;
};

FIXTURE_VARIANT_ADD(sleeper, rendezvous) { };
FIXTURE_VARIANT_ADD(sleeper, overwrite) { .flags = CP_PREP_OVERWRITE };
/* Returns that the rate skips must not escape the hold. */
FIXTURE_VARIANT_ADD(sleeper, rated) {
	.flags = CP_PREP_OVERWRITE,
	.interval = 1000 * SECOND,
};

FIXTURE_SETUP(sleeper)
{
	self->team = team_alloc(NR_CALLS);
	ASSERT_NE(NULL, self->team);
}

FIXTURE_TEARDOWN(sleeper)
{
	master_close(&self->m);
	if (self->team->pid)
		slave_kill(self->team->pid);
}

/* All members but those that compute. */
static bool all_sleep(const struct team *team)
{
	unsigned int i;

	for (i = 0; i < team->nr; i++)
		if (team->members[i].work != work_compute &&
		    !is_in_call(team->members[i].tid))
			return false;
	return true;
}

/*
 * Starts a team of @nr members that do @work, unless the test has chosen otherwise, and
 * pairs with it when they sleep: in a rendezvous they would wait for the master before.
 */
static bool start(FIXTURE_DATA(sleeper) *self,
		  const FIXTURE_VARIANT(sleeper) *variant,
		  void *(*work)(void *), unsigned int nr)
{
	struct cp_prep arg = {
		.flags = CP_PREP_PROCESS | variant->flags,
		.interval = variant->interval,
	};
	unsigned int i;

	self->team->nr = nr;
	for (i = 0; i < nr; i++)
		if (!self->team->members[i].work)
			self->team->members[i].work = work;
	if (!team_start(self->team) || !eventually(all_sleep(self->team)))
		return false;
	arg.pid = self->team->pid;
	return !master_prep(&self->m, &arg);
}

static uint64_t progress(const struct team *team)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < team->nr; i++)
		sum += team->members[i].progress;
	return sum;
}

TEST_F(sleeper, registers_are_those_of_the_call)
{
	struct cp_regs *regs = &self->sleeper.checkpoint.regs;
	struct cp_checkpoint *cp = &self->sleeper.checkpoint;
	uint64_t before = now_ns();

	ASSERT_TRUE(start(self, variant, work_values, 1));
	ASSERT_EQ(0, sleeper_get(&self->m, 0, &self->sleeper));
	EXPECT_EQ((uint64_t)sleep_at_call, regs->rip);
	EXPECT_EQ(SYS_pause, regs->rax);
	EXPECT_EQ(SYS_pause, regs->orig_rax);
	EXPECT_EQ(0x1001, regs->rbx);
	EXPECT_EQ(0x1002, regs->rbp);
	EXPECT_EQ(0x1003, regs->r12);
	EXPECT_EQ(0x1004, regs->r13);
	EXPECT_EQ(0x1005, regs->r14);
	EXPECT_EQ(0x1006, regs->r15);
	EXPECT_EQ(0x1007, regs->rdx);
	EXPECT_EQ(0x1008, regs->r8);
	EXPECT_EQ(0x1009, regs->r9);
	EXPECT_EQ(0x100a, regs->r10);
	EXPECT_EQ(0x100b, regs->rdi);
	EXPECT_EQ(0x100c, regs->rsi);
	EXPECT_EQ(self->team->members[0].mark_at, regs->fs_base);
	EXPECT_EQ(CP_CHECKPOINT_ASLEEP, cp->flags);
	EXPECT_EQ(CP_ENTRY_SYSCALL, cp->entry);
	EXPECT_EQ(SYS_pause, cp->syscall);
	EXPECT_EQ(self->team->pid, cp->thread);
	EXPECT_EQ(0, cp->nr_segments);
	EXPECT_EQ(0, cp->seq);
	EXPECT_LE(before, cp->time);
	EXPECT_GE(now_ns(), cp->time);
}

TEST_F(sleeper, no_call_is_interrupted)
{
	unsigned int i, part;
	uint64_t switches[NR_CALLS];

	ASSERT_TRUE(start(self, variant, work_call, NR_CALLS));
	for (part = 0; part < NR_CALLS; part++) {
		ASSERT_EQ(0, sleeper_get(&self->m, part, &self->sleeper));
		switches[part] = self->sleeper.switches;
	}
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, hold_asleep(&self->m, &self->hold));
		EXPECT_EQ(0, self->hold.nr_threads);
		EXPECT_EQ(NR_CALLS, self->hold.nr_asleep);
		/* They hand over nothing. */
		EXPECT_EQ(-EAGAIN, master_get_until(&self->m, 0, 0));
		ASSERT_EQ(0, master_release(&self->m));
	}
	EXPECT_EQ(0, progress(self->team));
	for (part = 0; part < NR_CALLS; part++) {
		ASSERT_EQ(0, sleeper_get(&self->m, part, &self->sleeper));
		EXPECT_EQ(switches[part], self->sleeper.switches);
	}
}

TEST_F(sleeper, who_wakes_is_held)
{
	ASSERT_TRUE(start(self, variant, work_read, 1));
	/* The first return is always due: a rate skips those after it. */
	ASSERT_EQ(1, write(self->team->ends[1], "x", 1));
	ASSERT_EQ(1, master_get(&self->m));
	ASSERT_TRUE(eventually(progress(self->team) == 1));
	ASSERT_TRUE(eventually(all_sleep(self->team)));
	ASSERT_EQ(0, hold_asleep(&self->m, &self->hold));
	ASSERT_EQ(1, self->hold.nr_asleep);
	ASSERT_EQ(0, sleeper_get(&self->m, 0, &self->sleeper));
	ASSERT_EQ(1, write(self->team->ends[1], "x", 1));
	ASSERT_TRUE(eventually(task_state(self->team->pid) == 'I'));
	EXPECT_EQ(-EALREADY, sleeper_get(&self->m, 0, &self->sleeper));
	sleep_ms(20);
	EXPECT_EQ(1, progress(self->team));
	ASSERT_EQ(1, master_get_until(&self->m, 0, 0));
	EXPECT_EQ(SYS_read, master_checkpoint(&self->m)->syscall);
	EXPECT_EQ(1, master_checkpoint(&self->m)->regs.rax);
	ASSERT_EQ(0, master_release(&self->m));
	EXPECT_TRUE(eventually(progress(self->team) == 2));
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	EXPECT_EQ(-EPIPE, sleeper_get(&self->m, 0, &self->sleeper));
}

TEST_F(sleeper, switches_show_that_it_has_run)
{
	uint64_t before;

	/* A rendezvous would keep it from sleeping again. */
	if (!(variant->flags & CP_PREP_OVERWRITE))
		SKIP(return, "it waits for its master");
	ASSERT_TRUE(start(self, variant, work_read, 1));
	ASSERT_EQ(0, sleeper_get(&self->m, 0, &self->sleeper));
	before = self->sleeper.switches;
	ASSERT_EQ(0, sleeper_get(&self->m, 0, &self->sleeper));
	EXPECT_EQ(before, self->sleeper.switches);
	ASSERT_EQ(1, write(self->team->ends[1], "x", 1));
	ASSERT_TRUE(eventually(progress(self->team) == 1));
	ASSERT_TRUE(eventually(all_sleep(self->team)));
	ASSERT_EQ(0, sleeper_get(&self->m, 0, &self->sleeper));
	EXPECT_LT(before, self->sleeper.switches);
}

TEST_F(sleeper, others_are_held)
{
	unsigned int part, asleep = 0, held = 0;
	uint64_t before;
	int ret;

	self->team->members[1].work = work_compute;
	self->team->members[2].work = work_compute;
	ASSERT_TRUE(start(self, variant, work_read, 4));
	ASSERT_EQ(0, hold_asleep(&self->m, &self->hold));
	EXPECT_EQ(2, self->hold.nr_asleep);
	EXPECT_EQ(2, self->hold.nr_threads);
	before = progress(self->team);
	for (part = 0; part < 4; part++) {
		ret = sleeper_get(&self->m, part, &self->sleeper);
		asleep += !ret;
		held += ret == -EALREADY;
	}
	EXPECT_EQ(2, asleep);
	EXPECT_EQ(2, held);
	sleep_ms(20);
	EXPECT_EQ(before, progress(self->team));
	ASSERT_EQ(0, master_release(&self->m));
}

TEST_F(sleeper, dies_at_once)
{
	int status;

	ASSERT_TRUE(start(self, variant, work_read, 2));
	ASSERT_EQ(0, hold_asleep(&self->m, &self->hold));
	kill(self->team->pid, SIGKILL);
	ASSERT_EQ(self->team->pid, waitpid(self->team->pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(-EPIPE, sleeper_get(&self->m, 0, &self->sleeper));
	self->team->pid = 0;
}

/* A thread that runs is not asleep, nor one that waits for its master. */
TEST_F(sleeper, awake)
{
	self->team->members[0].work = work_compute;
	ASSERT_TRUE(start(self, variant, work_wait, 2));
	EXPECT_EQ(-EAGAIN, sleeper_get(&self->m, 0, &self->sleeper));
	ASSERT_EQ(0, sleeper_get(&self->m, 1, &self->sleeper));
	EXPECT_EQ(self->team->members[1].tid, self->sleeper.checkpoint.thread);
	EXPECT_EQ(-ENOENT, sleeper_get(&self->m, 2, &self->sleeper));
	team_go(self->team);
	if (variant->flags & CP_PREP_OVERWRITE)
		return;
	ASSERT_TRUE(eventually(master_state_is(&self->m, "slave-waiting")));
	ASSERT_TRUE(eventually(task_state(self->team->pid) == 'S'));
	EXPECT_EQ(-EAGAIN, sleeper_get(&self->m, 0, &self->sleeper));
}

TEST_F(sleeper, who_has_exited_is_gone)
{
	self->team->members[0].work = work_read;
	ASSERT_TRUE(start(self, variant, work_leave, 2));
	ASSERT_EQ(0, sleeper_get(&self->m, 1, &self->sleeper));
	team_go(self->team);
	/* In a rendezvous it waits for its master first. */
	while (master_get_ms(&self->m, 5000) == 1)
		;
	EXPECT_EQ(self->team->members[1].tid, self->m.get.thread);
	EXPECT_EQ(-ESRCH, sleeper_get(&self->m, 1, &self->sleeper));
}

/* vfork(2) cannot be interrupted: nothing can be said about it. */
static int body_vfork(void *pipe)
{
	char byte;

	if (vfork() == 0) {
		read(*(int *)pipe, &byte, 1);
		_exit(0);
	}
	return 0;
}

TEST(who_cannot_be_woken_is_late)
{
	struct cp_sleeper sleeper;
	struct cp_hold hold = { .flags = CP_HOLD_ASLEEP };
	struct master m;
	int ends[2];
	pid_t slave;

	ASSERT_EQ(0, pipe(ends));
	slave = slave_start(body_vfork, &ends[0]);
	ASSERT_TRUE(eventually(task_state(slave) == 'D'));
	ASSERT_EQ(0, master_pair(&m, slave));
	EXPECT_EQ(-EAGAIN, sleeper_get(&m, 0, &sleeper));
	hold.deadline = now_ns() + 50 * MS;
	EXPECT_EQ(-1, ioctl(m.fd, CP_IOC_HOLD, &hold));
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_EQ(m.slave, hold.late);
	slave_kill(m.slave);
	master_close(&m);
}

TEST(bad_input)
{
	struct cp_sleeper sleeper = { };
	struct master m;
	pid_t slave;

	EXPECT_EQ(-1, ioctl(device_open(), CP_IOC_SLEEPER, &sleeper));
	EXPECT_EQ(ENOTCONN, errno);
	slave = slave_start(body_sleep, NULL);
	ASSERT_TRUE(eventually(is_in_call(slave)));
	ASSERT_EQ(0, master_pair(&m, slave));
	EXPECT_EQ(-1, ioctl(m.fd, CP_IOC_SLEEPER, NULL));
	EXPECT_EQ(EFAULT, errno);
	sleeper.reserved = 1;
	EXPECT_EQ(-1, ioctl(m.fd, CP_IOC_SLEEPER, &sleeper));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-ENOENT, sleeper_get(&m, 1, &sleeper));
	EXPECT_EQ(-ENOENT, sleeper_get(&m, UINT32_MAX, &sleeper));
	EXPECT_EQ(0, sleeper_get(&m, 0, &sleeper));
	slave_kill(m.slave);
	master_close(&m);
}

TEST_HARNESS_MAIN
