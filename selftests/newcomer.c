// SPDX-License-Identifier: GPL-2.0-only
/*
 * Children of a slave, and programs that it executes: held before their first instruction
 * until somebody pairs with them.
 */
#include <elf.h>
#include <limits.h>

#include "sock.h"
#include "team.h"

#define MS		1000000ULL
#define SECOND		(1000 * MS)

/* What the processes share. */
struct shared {
	volatile uint32_t go;
	volatile uint32_t ran;		/* children that have executed something */
	volatile uint32_t paired;
	volatile uint32_t done;
	struct cp_checkpoint first;	/* the first one of a child's master */
};

static struct shared *shared;

static void wait_for_go(void)
{
	while (!shared->go)
		futex_wait(&shared->go, 0);
}

static void let_go(void)
{
	shared->go = 1;
	futex_wake(&shared->go);
}

/* The bare system call: a child of fork() would first run code of the C library. */
static void create_child(void)
{
	wait_for_go();
	if (syscall(SYS_fork))
		return;
	shared->ran++;
	for (;;)
		pause();
}

static int body_fork(void *unused)
{
	create_child();
	return body_sleep(unused);
}

/* As a daemon does: the creator is gone before the child runs. */
static int body_fork_and_exit(void *unused)
{
	create_child();
	_exit(0);
}

static int body_vfork(void *unused)
{
	wait_for_go();
	if (!vfork()) {
		shared->ran++;
		_exit(0);
	}
	shared->done = 1;
	return body_sleep(NULL);
}

static int body_forks(void *nr)
{
	int i;

	wait_for_go();
	for (i = 0; i < *(int *)nr; i++) {
		pid_t child = syscall(SYS_fork);

		if (!child) {
			__sync_fetch_and_add(&shared->ran, 1);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	shared->done = 1;
	return body_sleep(NULL);
}

/* Does not wait for them: they exit by themselves. */
static int body_crowd(void *nr)
{
	int i;

	signal(SIGCHLD, SIG_IGN);
	wait_for_go();
	for (i = 0; i < *(int *)nr; i++) {
		if (!syscall(SYS_fork)) {
			__sync_fetch_and_add(&shared->ran, 1);
			_exit(0);
		}
	}
	shared->done = 1;
	return body_sleep(NULL);
}

static int body_exec(void *unused)
{
	wait_for_go();
	execl("/bin/sleep", "sleep", "1000", NULL);
	return 1;
}

static void *thread_exec(void *unused)
{
	return (void *)(long)body_exec(unused);
}

static int body_exec_by_a_thread(void *unused)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_exec, NULL);
	return body_sleep(unused);
}

/* A master of its own for @pid; takes its first checkpoint, and ends the pair. */
static int body_master(void *pid)
{
	struct cp_prep arg = { .pid = *(pid_t *)pid, .flags = CP_PREP_PROCESS };
	struct master m;

	if (master_prep(&m, &arg))
		return 1;
	shared->paired = 1;
	if (master_get(&m) != 1)
		return 2;
	shared->first = *master_checkpoint(&m);
	master_close(&m);
	return 0;
}

FIXTURE(newcomer)
{
	struct master m;
	pid_t slave;
};

FIXTURE_SETUP(newcomer)
{
	shared = shared_memory(sizeof(*shared));
}

FIXTURE_TEARDOWN(newcomer)
{
	master_close(&self->m);
	if (self->m.get.thread > 0)
		kill(self->m.get.thread, SIGKILL);
	if (self->slave)
		slave_kill(self->slave);
}

static bool pair_with(FIXTURE_DATA(newcomer) *self, int (*body)(void *), void *arg,
		      unsigned int flags, uint64_t limit)
{
	struct cp_prep prep = {
		.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE | flags,
		.child_limit = limit,
	};

	self->slave = slave_start(body, arg);
	prep.pid = self->slave;
	if (master_prep(&self->m, &prep))
		return false;
	let_go();
	return true;
}

/* Takes until a child is announced; returns its id, or 0 if something else happens. */
static pid_t next_child(struct master *m)
{
	int ret;

	do
		ret = master_get_ms(m, 30000);
	while (ret == 1 || ret == 2);
	return ret == 3 ? m->get.thread : 0;
}

/* The first child of a slave whose children are held; its id, or 0. */
static pid_t held_child(FIXTURE_DATA(newcomer) *self, int (*body)(void *))
{
	return pair_with(self, body, NULL, CP_PREP_CHILDREN, 600 * SECOND) ?
	       next_child(&self->m) : 0;
}

TEST_F(newcomer, child_is_held_until_it_is_paired)
{
	pid_t child;

	child = held_child(self, body_fork);
	ASSERT_LT(0, child);
	ASSERT_TRUE(eventually(task_state(child) == 'I'));
	sleep_ms(20);
	EXPECT_EQ(0, shared->ran);
	ASSERT_EQ(0, in_child(body_master, &child));
	/* Its first instruction follows the system call in which it was born. */
	EXPECT_EQ(1, shared->first.seq);
	EXPECT_EQ(child, shared->first.thread);
	EXPECT_EQ(CP_ENTRY_SYSCALL, shared->first.entry);
	EXPECT_EQ(SYS_fork, shared->first.syscall);
	EXPECT_EQ(0, shared->first.regs.rax);
	EXPECT_TRUE(eventually(shared->ran == 1));
}

TEST_F(newcomer, listeners_are_notified)
{
	struct message msg;
	struct sock sock;
	pid_t child;

	ASSERT_EQ(0, sock_open(&sock));
	ASSERT_EQ(0, subscribe(&sock, CP_NL_EVENT_PAIRS));
	child = held_child(self, body_fork);
	ASSERT_LT(0, child);
	do {
		ASSERT_EQ(0, next(&sock, &msg, 5000));
	} while (msg.cmd != CP_NL_CMD_CHILD);
	EXPECT_EQ((uint32_t)child, u32_of(&msg, CP_NL_A_THREAD));
	EXPECT_EQ((uint32_t)self->slave, u32_of(&msg, CP_NL_A_SLAVE));
	close(sock.fd);
}

TEST_F(newcomer, limit)
{
	pid_t child;

	ASSERT_TRUE(pair_with(self, body_fork, NULL, CP_PREP_CHILDREN, 50 * MS));
	child = next_child(&self->m);
	ASSERT_LT(0, child);
	EXPECT_TRUE(eventually(shared->ran == 1));
	EXPECT_NE('I', task_state(child));
}

/* Does poll(2) announce a child that waits? */
static bool is_announced(struct master *m)
{
	struct pollfd p = { .fd = m->fd, .events = POLLPRI };

	return poll(&p, 1, 0) == 1 && p.revents == POLLPRI;
}

TEST_F(newcomer, poll_distinguishes_it_from_checkpoints)
{
	ASSERT_TRUE(pair_with(self, body_fork, NULL, CP_PREP_CHILDREN,
			      600 * SECOND));
	ASSERT_TRUE(eventually(is_announced(&self->m)));
	/* There are checkpoints, too, but the child is first. */
	EXPECT_EQ(POLLIN, master_poll(&self->m, 0));
	EXPECT_EQ(3, master_get_until(&self->m, 0, 0));
	EXPECT_FALSE(is_announced(&self->m));
	EXPECT_EQ(POLLIN, master_poll(&self->m, 0));
}

TEST_F(newcomer, the_end_of_the_pair_lets_it_go)
{
	ASSERT_TRUE(pair_with(self, body_fork, NULL, CP_PREP_CHILDREN,
			      600 * SECOND));
	ASSERT_TRUE(eventually(is_announced(&self->m)));
	EXPECT_EQ(0, shared->ran);
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	EXPECT_TRUE(eventually(shared->ran == 1));
	EXPECT_EQ(3, master_get_until(&self->m, 0, 0));
}

/* Another process, with which the master has shared its id, may be about to pair with it. */
TEST_F(newcomer, one_that_was_given_outlasts_the_pair)
{
	pid_t child;

	child = held_child(self, body_fork);
	ASSERT_LT(0, child);
	ASSERT_TRUE(eventually(task_state(child) == 'I'));
	master_close(&self->m);
	sleep_ms(50);
	EXPECT_EQ('I', task_state(child));
	EXPECT_EQ(0, shared->ran);
	ASSERT_EQ(0, in_child(body_master, &child));
	EXPECT_TRUE(eventually(shared->ran == 1));
}

TEST_F(newcomer, outlasts_its_creator)
{
	pid_t child;

	ASSERT_TRUE(pair_with(self, body_fork_and_exit, NULL, CP_PREP_CHILDREN,
			      600 * SECOND));
	/* The pair is over then, or about to be. */
	ASSERT_TRUE(eventually(task_state(self->slave) == 'Z'));
	child = next_child(&self->m);
	ASSERT_LT(0, child);
	ASSERT_TRUE(eventually(task_state(child) == 'I'));
	sleep_ms(50);
	EXPECT_EQ(0, shared->ran);
	EXPECT_EQ(0, self->m.get.unseen);
	ASSERT_EQ(0, in_child(body_master, &child));
	EXPECT_EQ(1, shared->first.seq);
	EXPECT_EQ(SYS_fork, shared->first.syscall);
	EXPECT_TRUE(eventually(shared->ran == 1));
	while (master_get_ms(&self->m, 30000) > 0)
		;
	EXPECT_EQ(CP_END_EXITED, self->m.get.reason);
	kill(child, SIGKILL);
	self->m.get.thread = 0;
}

TEST_F(newcomer, dies_at_once)
{
	pid_t child;

	child = held_child(self, body_fork);
	ASSERT_LT(0, child);
	kill(child, SIGKILL);
	EXPECT_TRUE(eventually(task_state(child) == 'Z' || kill(child, 0)));
	EXPECT_EQ(0, shared->ran);
}

TEST_F(newcomer, vfork)
{
	pid_t child;

	ASSERT_TRUE(pair_with(self, body_vfork, NULL, CP_PREP_CHILDREN,
			      600 * SECOND));
	child = next_child(&self->m);
	ASSERT_LT(0, child);
	ASSERT_TRUE(eventually(task_state(child) == 'I'));
	EXPECT_EQ(0, shared->ran);
	ASSERT_EQ(0, in_child(body_master, &child));
	EXPECT_EQ(1, shared->first.seq);
	EXPECT_EQ(SYS_vfork, shared->first.syscall);
	EXPECT_TRUE(eventually(shared->done));
	EXPECT_EQ(1, shared->ran);
	self->m.get.thread = 0;
}

TEST_F(newcomer, each_of_many)
{
	int i, nr = 100;

	ASSERT_TRUE(pair_with(self, body_forks, &nr, CP_PREP_CHILDREN, 1));
	for (i = 0; i < nr; i++)
		ASSERT_LT(0, next_child(&self->m));
	EXPECT_TRUE(eventually(shared->done));
	EXPECT_EQ(nr, shared->ran);
	EXPECT_EQ(0, self->m.get.unseen);
	self->m.get.thread = 0;
}

TEST_F(newcomer, no_more_than_the_master_may_leave)
{
	int nr = CP_CHILDREN_MAX + 3;

	ASSERT_TRUE(pair_with(self, body_crowd, &nr, CP_PREP_CHILDREN, 1000 * SECOND));
	ASSERT_TRUE(eventually(shared->done));
	ASSERT_TRUE(eventually(shared->ran == 3));
	ASSERT_GT(next_child(&self->m), 0);
	EXPECT_EQ(3, self->m.get.unseen);
	EXPECT_EQ(3, shared->ran);
	/* All are woken but the one that the master was given. */
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END, 0));
	EXPECT_TRUE(eventually(shared->ran == (uint32_t)nr - 1));
}

static int ask_to_let_go(pid_t pid)
{
	struct sock sock;
	int ret;

	if (sock_open(&sock))
		return 1;
	ret = ask(&sock, CP_NL_CMD_LET_GO, CP_NL_A_SLAVE, (uint32_t)pid);
	close(sock.fd);
	return ret;
}

static int body_stranger(void *pid)
{
	return setuid(65534) || ask_to_let_go(*(pid_t *)pid) != -ENOENT;
}

/* By the user who has made the pair, or root: it does not wait for its limit. */
TEST_F(newcomer, is_let_go)
{
	pid_t child;

	ASSERT_TRUE(pair_with(self, body_fork, NULL, CP_PREP_CHILDREN,
			      600 * SECOND));
	child = next_child(&self->m);
	ASSERT_LT(0, child);
	ASSERT_TRUE(eventually(task_state(child) == 'I'));
	EXPECT_EQ(0, in_child(body_stranger, &child));
	EXPECT_EQ(-ENOENT, ask_to_let_go(self->slave));
	EXPECT_EQ(-ENOENT, ask_to_let_go(INT_MAX));
	sleep_ms(20);
	EXPECT_EQ('I', task_state(child));
	EXPECT_EQ(0, shared->ran);

	EXPECT_EQ(0, ask_to_let_go(child));
	EXPECT_TRUE(eventually(shared->ran == 1));
	EXPECT_EQ(-ENOENT, ask_to_let_go(child));
	kill(child, SIGKILL);
}

TEST_F(newcomer, program_after_an_exec_is_let_go)
{
	ASSERT_TRUE(pair_with(self, body_exec, NULL, CP_PREP_CHILDREN,
			      600 * SECOND));
	while (master_get_ms(&self->m, 30000) > 0)
		;
	ASSERT_EQ(CP_END_EXEC, self->m.get.reason);
	ASSERT_TRUE(eventually(task_state(self->slave) == 'I'));
	EXPECT_EQ(0, in_child(body_stranger, &self->slave));
	EXPECT_EQ(0, ask_to_let_go(self->slave));
	EXPECT_TRUE(eventually(task_syscall(self->slave) ==
			       SYS_clock_nanosleep));
	self->m.get.thread = 0;
}

TEST_F(newcomer, only_on_request)
{
	int ret;

	ASSERT_TRUE(pair_with(self, body_fork, NULL, 0, 0));
	EXPECT_TRUE(eventually(shared->ran == 1));
	while ((ret = master_get_until(&self->m, 0, 0)) == 1)
		;
	EXPECT_EQ(-EAGAIN, ret);
	self->m.get.thread = 0;
}

/* The first instruction of a dynamic program is that of its loader. */
static uint64_t first_instruction(pid_t pid)
{
	FILE *loader = fopen("/lib64/ld-linux-x86-64.so.2", "re");
	Elf64_auxv_t pair = { 0 };
	Elf64_Ehdr head = { 0 };
	char path[32];
	FILE *auxv;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	auxv = fopen(path, "re");
	if (!loader || !auxv || !fread(&head, sizeof(head), 1, loader))
		return 0;
	while (fread(&pair, sizeof(pair), 1, auxv) && pair.a_type != AT_BASE)
		;
	fclose(auxv);
	fclose(loader);
	return pair.a_type == AT_BASE ? pair.a_un.a_val + head.e_entry : 0;
}

/* The pair ends, and the program waits for the next one. */
static void check_exec(struct __test_metadata *_metadata,
		       FIXTURE_DATA(newcomer) *self, int (*body)(void *))
{
	int ret;

	ASSERT_TRUE(pair_with(self, body, NULL, CP_PREP_CHILDREN, 600 * SECOND));
	while ((ret = master_get_ms(&self->m, 30000)) > 0)
		;
	ASSERT_EQ(0, ret);
	ASSERT_EQ(CP_END_EXEC, self->m.get.reason);
	ASSERT_TRUE(eventually(task_state(self->slave) == 'I'));
	sleep_ms(20);
	EXPECT_EQ('I', task_state(self->slave));
	ASSERT_EQ(0, in_child(body_master, &self->slave));
	EXPECT_EQ(1, shared->first.seq);
	EXPECT_EQ(self->slave, shared->first.thread);
	EXPECT_EQ(first_instruction(self->slave), shared->first.regs.rip);
	ASSERT_TRUE(eventually(task_syscall(self->slave) == SYS_clock_nanosleep));
	self->m.get.thread = 0;
}

TEST_F(newcomer, exec)
{
	check_exec(_metadata, self, body_exec);
}

TEST_F(newcomer, exec_by_a_thread)
{
	check_exec(_metadata, self, body_exec_by_a_thread);
}

TEST(bad_input)
{
	pid_t slave = slave_start(body_sleep, NULL);
	struct cp_prep arg = { .pid = slave, .flags = CP_PREP_CHILDREN };
	struct master m;

	EXPECT_EQ(-EINVAL, master_prep(&m, &arg));
	arg.flags = CP_PREP_PROCESS;
	arg.child_limit = 1;
	EXPECT_EQ(-EINVAL, master_prep(&m, &arg));
	slave_kill(slave);
}

TEST_HARNESS_MAIN
