// SPDX-License-Identifier: GPL-2.0-only
/*
 * Endings: whenever and however one side of a pair ends, the other side is notified
 * (the master) or set free (the slave) at once.
 */
#include "harness.h"
#include "pass.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/user.h>

/* Values of argv[0] with which this program executes itself; see other_program(). */
#define OTHER_PROGRAM	"other-program"

#define OTHER_MASTER	"other-master"

static int take_ten(int fd)
{
	struct cp_get get = { .deadline = CP_FOREVER };
	int i;

	for (i = 0; i < 10; i++)
		if (ioctl(fd, CP_IOC_GET, &get) != 1)
			return 1;
	return 0;
}

/*
 * argv: OTHER_PROGRAM, a descriptor to write a byte to (-1: none), an exit code
 * (-1: keep running); or OTHER_MASTER, a descriptor of the device, one unused.
 */
static void __attribute__((constructor)) other_program(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[0], OTHER_MASTER))
		_exit(take_ten(atoi(argv[1])));
	if (argc != 3 || strcmp(argv[0], OTHER_PROGRAM))
		return;
	if (atoi(argv[1]) >= 0 && write(atoi(argv[1]), "", 1) != 1)
		_exit(99);
	if (atoi(argv[2]) >= 0)
		_exit(atoi(argv[2]));
	body_sleep(NULL);
}

/* Executes OTHER_PROGRAM, which exits with @code, or keeps running if @code is -1. */
static int exec_other(int hello, int code)
{
	char fd[12], status[12];

	snprintf(fd, sizeof(fd), "%d", hello);
	snprintf(status, sizeof(status), "%d", code);
	execl("/proc/self/exe", OTHER_PROGRAM, fd, status, NULL);
	return 98;
}

/*
 * The slave sleeps or makes system calls until slave_act(), and then runs @act.
 */
struct slave {
	bool asleep;			/* until slave_act(), sleep in the kernel */
	volatile bool go;
	int gate[2];
	int hello[2];			/* written by a program that runs unpaired */
	int (*act)(struct slave *s);	/* returns the exit code */
	volatile uint64_t progress;
	volatile pid_t tid;		/* of a thread that @act has started */
	volatile pid_t child;
};

static void sleep_or_run(struct slave *s)
{
	char c;

	if (s->asleep) {
		while (!s->go && read(s->gate[0], &c, 1) != 1)
			;
		return;
	}
	for (; !s->go; s->progress++)
		syscall(SYS_getppid);
}

static int body_slave(void *arg)
{
	struct slave *s = arg;

	sleep_or_run(s);
	return s->act(s);
}

static struct slave *slave_alloc(bool asleep)
{
	struct slave *s = shared_memory(sizeof(*s));

	s->asleep = asleep;
	if (pipe2(s->gate, O_CLOEXEC) || pipe(s->hello))
		return NULL;
	return s;
}

static void slave_act(struct slave *s, int (*act)(struct slave *s))
{
	s->act = act;
	s->go = true;
	if (write(s->gate[1], "", 1) != 1)
		s->go = false;
}

/* Waits for up to 10 seconds for a byte in the pipe @hello. */
static bool hello_came(struct slave *s)
{
	struct pollfd p = { .fd = s->hello[0], .events = POLLIN };
	char c;

	return poll(&p, 1, 10000) == 1 && read(s->hello[0], &c, 1) == 1;
}

/*
 * State of the slave when the event under test happens:
 *
 *	asleep	in the kernel since before it was paired; the master waits
 *	waiting	for its master, which is elsewhere
 *	served	making system calls; the master takes checkpoint after checkpoint
 */
enum state { ASLEEP, WAITING, SERVED };

/* A thread of the master that takes checkpoints until the pair's end. */
struct taker {
	struct master *m;
	pthread_t thread;
	bool started;
	volatile uint64_t taken;
	int ret;
};

static void *take_all(void *arg)
{
	struct taker *t = arg;

	while ((t->ret = master_get(t->m)) == 1)
		t->taken++;
	return NULL;
}

static void taker_start(struct taker *t, struct master *m)
{
	t->m = m;
	t->started = !pthread_create(&t->thread, NULL, take_all, t);
}

/* Returns the result of the thread's last call; -ETIMEDOUT if it does not end. */
static int taker_join(struct taker *t)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	if (!t->started || pthread_timedjoin_np(t->thread, NULL, &end))
		return -ETIMEDOUT;
	t->started = false;
	return t->ret;
}

/* Starts a slave for @state; returns its pid, or -1. */
static pid_t slave_begin(enum state state, struct slave **s)
{
	pid_t pid;

	*s = slave_alloc(state == ASLEEP);
	if (!*s)
		return -1;
	pid = slave_start(body_slave, *s);
	if (state == ASLEEP && !eventually(task_state(pid) == 'S'))
		return -1;
	return pid;
}

/* Brings the pair into @state. */
static bool reach(enum state state, struct master *m, struct taker *t)
{
	switch (state) {
	case ASLEEP:
		taker_start(t, m);
		return eventually(master_state_is(m, "master-waiting"));
	case WAITING:
		return master_get(m) == 1 && master_sees_slave(m);
	case SERVED:
		taker_start(t, m);
		return eventually(t->taken >= 10);
	}
	return false;
}

/* A variant of a fixture whose variants differ only in the state. */
#define STATE_VARIANT(fixture, name, its_state)				\
FIXTURE_VARIANT_ADD(fixture, name)					\
{									\
	.state = its_state,						\
}

/*
 * Endings of the slave, and events that do not end the pair.
 */
FIXTURE(slave_end)
{
	struct slave *s;
	pid_t pid;
	struct master m;
	struct taker taker;
};

FIXTURE_VARIANT(slave_end)
{
	enum state state;
};

STATE_VARIANT(slave_end, asleep, ASLEEP);
STATE_VARIANT(slave_end, waiting, WAITING);
STATE_VARIANT(slave_end, served, SERVED);

FIXTURE_SETUP(slave_end)
{
	self->pid = slave_begin(variant->state, &self->s);
	ASSERT_GT(self->pid, 0);
	ASSERT_EQ(0, master_pair(&self->m, self->pid));
	ASSERT_TRUE(reach(variant->state, &self->m, &self->taker));
}

FIXTURE_TEARDOWN(slave_end)
{
	if (self->taker.started)
		ioctl(self->m.fd, CP_IOC_END);
	slave_kill(self->s->child);
	slave_kill(self->pid);
}

/* Starts the master's taker, unless the state has started it already. */
#define take_rest()							\
do {									\
	if (!self->taker.started)					\
		taker_start(&self->taker, &self->m);			\
} while (0)

/* The pair is over for the reason @why, and each further call returns the same. */
#define EXPECT_END(why, how)						\
do {									\
	int __i;							\
									\
	take_rest();							\
	ASSERT_EQ(0, taker_join(&self->taker));				\
	EXPECT_EQ(POLLIN | POLLHUP, master_poll(&self->m, 0));		\
	for (__i = 0; __i < 3; __i++) {				\
		EXPECT_EQ((why), self->m.get.reason);			\
		EXPECT_EQ((how), self->m.get.status);			\
		ASSERT_EQ(0, master_get(&self->m));			\
	}								\
} while (0)

/* The slave is still paired: its master takes checkpoints, and sees its death. */
#define EXPECT_STILL_PAIRED()						\
do {									\
	uint64_t __taken = self->taker.taken;				\
									\
	take_rest();							\
	if (variant->state != ASLEEP)					\
		EXPECT_TRUE(eventually(self->taker.taken > __taken + 10)); \
	kill(self->pid, SIGKILL);					\
	EXPECT_END(CP_END_EXITED, SIGKILL);				\
} while (0)

static int act_exit(struct slave *s)
{
	return 7;
}

static int act_run(struct slave *s)
{
	for (;; s->progress++)
		syscall(SYS_getppid);
	return 0;
}

TEST_F(slave_end, exits)
{
	slave_act(self->s, act_exit);
	EXPECT_END(CP_END_EXITED, 7 << 8);
	EXPECT_TRUE(eventually(task_state(self->pid) == 'Z'));
}

TEST_F(slave_end, killed)
{
	kill(self->pid, SIGKILL);
	EXPECT_END(CP_END_EXITED, SIGKILL);
	EXPECT_TRUE(eventually(task_state(self->pid) == 'Z'));
}

TEST_F(slave_end, terminated)
{
	kill(self->pid, SIGTERM);
	EXPECT_END(CP_END_EXITED, SIGTERM);
}

/* The slave has been reaped before the master looks. */
TEST_F(slave_end, killed_and_reaped_at_once)
{
	EXPECT_EQ(SIGKILL, slave_kill(self->pid));
	self->pid = 0;
	EXPECT_END(CP_END_EXITED, SIGKILL);
}

static int act_crash(struct slave *s)
{
	volatile int *nothing = mmap(NULL, 4096, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return *nothing;
}

TEST_F(slave_end, crashes)
{
	int status;

	slave_act(self->s, act_crash);
	take_rest();
	ASSERT_EQ(self->pid, waitpid(self->pid, &status, 0));
	self->pid = 0;
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
	EXPECT_END(CP_END_EXITED, status);
}

TEST_F(slave_end, stopped_and_continued)
{
	kill(self->pid, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->pid) == 'T'));
	kill(self->pid, SIGCONT);
	ASSERT_TRUE(eventually(task_state(self->pid) != 'T'));
	EXPECT_STILL_PAIRED();
}

TEST_F(slave_end, killed_while_stopped)
{
	kill(self->pid, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->pid) == 'T'));
	kill(self->pid, SIGKILL);
	EXPECT_END(CP_END_EXITED, SIGKILL);
}

/* Waits until the tracee stops; returns the signal, or -1 if it does not stop. */
static int traced_stop(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		return -1;
	return WSTOPSIG(status);
}

TEST_F(slave_end, traced)
{
	struct user_regs_struct regs;
	uint64_t taken;

	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, self->pid, 0, 0));
	ASSERT_EQ(SIGSTOP, traced_stop(self->pid));
	EXPECT_EQ('t', task_state(self->pid));
	EXPECT_EQ(0, ptrace(PTRACE_GETREGS, self->pid, 0, &regs));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->pid, 0, 0));
	taken = self->taker.taken;
	take_rest();
	if (variant->state != ASLEEP)
		EXPECT_TRUE(eventually(self->taker.taken > taken + 10));

	kill(self->pid, SIGSTOP);
	ASSERT_EQ(SIGSTOP, traced_stop(self->pid));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->pid, 0, 0));
	EXPECT_STILL_PAIRED();
}

/* A debugger stops the slave at each system call, its master takes each return. */
TEST_F(slave_end, traced_by_system_calls)
{
	int i;

	take_rest();
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->pid, 0,
			    PTRACE_O_TRACESYSGOOD));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, self->pid, 0, 0));
	ASSERT_EQ(SIGTRAP, traced_stop(self->pid));
	if (variant->state == ASLEEP)
		slave_act(self->s, act_run);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, self->pid, 0, 0));
		ASSERT_EQ(SIGTRAP | 0x80, traced_stop(self->pid));
	}
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->pid, 0, 0));
	EXPECT_STILL_PAIRED();
}

TEST_F(slave_end, killed_while_traced)
{
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, self->pid, 0, 0));
	ASSERT_EQ(SIGTRAP, traced_stop(self->pid));
	kill(self->pid, SIGKILL);
	EXPECT_END(CP_END_EXITED, SIGKILL);
}

/* The freezer of cgroup v2. */
struct cage {
	char path[64];
};

static bool cage_write(const struct cage *c, const char *name, int value)
{
	char text[12];

	snprintf(text, sizeof(text), "%d", value);
	return group_write(c->path, name, text);
}

/* False if there is no cgroup v2. */
static bool cage_make(struct cage *c)
{
	snprintf(c->path, sizeof(c->path), "/sys/fs/cgroup/checkpoint-test-%d",
		 getpid());
	return !access("/sys/fs/cgroup/cgroup.procs", W_OK) &&
	       !mkdir(c->path, 0755);
}

static bool cage_frozen(const struct cage *c)
{
	char path[96], text[128] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.events", c->path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strstr(text, "frozen 1");
}

static bool cage_freeze(const struct cage *c, pid_t pid)
{
	return cage_write(c, "cgroup.procs", pid) &&
	       cage_write(c, "cgroup.freeze", 1) && eventually(cage_frozen(c));
}

TEST_F(slave_end, frozen_and_thawed)
{
	struct cage c;

	if (!cage_make(&c))
		SKIP(return, "no cgroup v2");
	ASSERT_TRUE(cage_freeze(&c, self->pid));
	ASSERT_TRUE(cage_write(&c, "cgroup.freeze", 0));
	EXPECT_TRUE(eventually(!cage_frozen(&c)));
	EXPECT_STILL_PAIRED();
	slave_kill(self->pid);
	self->pid = 0;
	EXPECT_EQ(0, rmdir(c.path));
}

TEST_F(slave_end, killed_while_frozen)
{
	struct cage c;

	if (!cage_make(&c))
		SKIP(return, "no cgroup v2");
	ASSERT_TRUE(cage_freeze(&c, self->pid));
	kill(self->pid, SIGKILL);
	EXPECT_END(CP_END_EXITED, SIGKILL);
	slave_kill(self->pid);
	self->pid = 0;
	EXPECT_EQ(0, rmdir(c.path));
}

static void on_signal(int sig)
{
}

static int body_handle_and_spin(void *running)
{
	signal(SIGUSR1, on_signal);
	*(volatile bool *)running = true;
	return body_spin(NULL);
}

/* The freezer clears TIF_SIGPENDING: only the pending set shows the signal. */
TEST(paired_while_frozen_with_a_signal)
{
	volatile bool *running = shared_memory(sizeof(*running));
	pid_t pid = slave_start(body_handle_and_spin, (void *)running);
	struct master m;
	struct cage c;

	if (!cage_make(&c)) {
		slave_kill(pid);
		SKIP(return, "no cgroup v2");
	}
	ASSERT_TRUE(eventually(*running));
	ASSERT_TRUE(cage_freeze(&c, pid));
	kill(pid, SIGUSR1);
	ASSERT_EQ(0, master_pair(&m, pid));
	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&m, 100));
	ASSERT_TRUE(cage_write(&c, "cgroup.freeze", 0));
	EXPECT_EQ(1, master_get(&m));
	EXPECT_EQ((uintptr_t)on_signal, m.regs[RIP]);
	master_close(&m);
	slave_kill(pid);
	EXPECT_EQ(0, rmdir(c.path));
}

static int act_exec(struct slave *s)
{
	return exec_other(s->hello[1], -1);
}

TEST_F(slave_end, execs)
{
	slave_act(self->s, act_exec);
	EXPECT_END(CP_END_EXEC, 0);
	/* The new program runs unpaired, and can be paired again. */
	EXPECT_TRUE(hello_came(self->s));
	EXPECT_EQ(0, prep(self->m.fd, self->pid));
	EXPECT_EQ(1, master_get_until(&self->m, CP_FOREVER, CP_GET_NUDGE));
	EXPECT_EQ(1, self->m.get.seq);
}

static int act_exec_nothing(struct slave *s)
{
	execl("/nonexistent", "nonexistent", NULL);
	return act_exit(s);
}

TEST_F(slave_end, failed_exec_is_none)
{
	slave_act(self->s, act_exec_nothing);
	EXPECT_END(CP_END_EXITED, 7 << 8);
}

static int act_fork(struct slave *s)
{
	pid_t pid = fork_mortal();

	if (pid == 0) {
		if (write(s->hello[1], "", 1) == 1)
			act_run(s);
		_exit(1);
	}
	s->child = pid;
	return body_sleep(NULL);
}

TEST_F(slave_end, child_is_no_slave)
{
	uint64_t before;

	slave_act(self->s, act_fork);
	take_rest();
	ASSERT_TRUE(hello_came(self->s));
	before = self->s->progress;
	EXPECT_TRUE(eventually(self->s->progress > before + 1000));
	kill(self->pid, SIGKILL);
	EXPECT_END(CP_END_EXITED, SIGKILL);
}

static int act_vfork(struct slave *s)
{
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0)
		_exit(exec_other(s->hello[1], 5));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

TEST_F(slave_end, vfork_and_exec_of_a_child)
{
	slave_act(self->s, act_vfork);
	take_rest();
	EXPECT_TRUE(hello_came(self->s));
	EXPECT_END(CP_END_EXITED, 5 << 8);
}

static int say_hello(void *arg)
{
	struct slave *s = arg;

	return write(s->hello[1], "", 1) == 1 ? 6 : 99;
}

static int act_clone_vm(struct slave *s)
{
	static char stack[16384];
	int status = 0;
	pid_t pid = clone(say_hello, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			  s);

	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

TEST_F(slave_end, child_that_shares_the_memory_is_no_slave)
{
	slave_act(self->s, act_clone_vm);
	take_rest();
	EXPECT_TRUE(hello_came(self->s));
	EXPECT_END(CP_END_EXITED, 6 << 8);
}

/* A checkpoint whose hand-over failed can still be taken after the slave's end. */
TEST(checkpoint_outlives_its_slave)
{
	struct cp_get bad = { .deadline = CP_FOREVER, .regs = 8 };
	pid_t slave = slave_start(body_syscalls, NULL);
	struct master m;

	ASSERT_EQ(0, master_pair(&m, slave));
	ASSERT_EQ(-1, ioctl(m.fd, CP_IOC_GET, &bad));
	ASSERT_EQ(EFAULT, errno);
	slave_kill(slave);
	EXPECT_EQ(POLLIN | POLLHUP, master_poll(&m, 0));
	EXPECT_EQ(1, master_get(&m));
	EXPECT_EQ(1, m.get.seq);
	EXPECT_EQ(0, master_get(&m));
	EXPECT_EQ(CP_END_EXITED, m.get.reason);
}

/*
 * The same for processes of two threads: one is the slave, by its thread id; the
 * other is not paired and must never wait.
 */
struct threads {
	struct slave *s;
	bool leader_is_slave;
	volatile pid_t slave;
	volatile pid_t other;
	int (*volatile other_act)(struct slave *s);
	volatile uint64_t progress;
};

static void be_slave(struct threads *t)
{
	t->slave = gettid();
	sleep_or_run(t->s);
	t->s->act(t->s);
}

static void be_other(struct threads *t)
{
	t->other = gettid();
	for (; !t->other_act; t->progress++)
		sleep_ms(1);
	t->other_act(t->s);
}

static void *second_thread(void *arg)
{
	struct threads *t = arg;

	if (t->leader_is_slave)
		be_other(t);
	else
		be_slave(t);
	return NULL;
}

static int body_threads(void *arg)
{
	struct threads *t = arg;
	pthread_t thread;

	if (pthread_create(&thread, NULL, second_thread, t))
		return 97;
	if (t->leader_is_slave)
		be_slave(t);
	else
		be_other(t);
	return body_sleep(NULL);
}

FIXTURE(thread_end)
{
	struct threads *t;
	pid_t pid;
	struct master m;
	struct taker taker;
};

FIXTURE_VARIANT(thread_end)
{
	enum state state;
	bool leader;
};

#define THREAD_VARIANT(name, its_state, is_leader)			\
FIXTURE_VARIANT_ADD(thread_end, name)					\
{									\
	.state = its_state,						\
	.leader = is_leader,						\
}

THREAD_VARIANT(leader_asleep, ASLEEP, true);
THREAD_VARIANT(leader_waiting, WAITING, true);
THREAD_VARIANT(leader_served, SERVED, true);
THREAD_VARIANT(thread_asleep, ASLEEP, false);
THREAD_VARIANT(thread_waiting, WAITING, false);
THREAD_VARIANT(thread_served, SERVED, false);

FIXTURE_SETUP(thread_end)
{
	struct threads *t = shared_memory(sizeof(*t));

	self->t = t;
	t->leader_is_slave = variant->leader;
	t->s = slave_alloc(variant->state == ASLEEP);
	ASSERT_NE(NULL, t->s);
	self->pid = slave_start(body_threads, t);
	ASSERT_TRUE(eventually(t->slave && t->other));
	if (variant->state == ASLEEP)
		ASSERT_TRUE(eventually(task_state(t->slave) == 'S'));
	ASSERT_EQ(0, master_pair(&self->m, t->slave));
	ASSERT_TRUE(reach(variant->state, &self->m, &self->taker));
}

FIXTURE_TEARDOWN(thread_end)
{
	if (self->taker.started)
		ioctl(self->m.fd, CP_IOC_END);
	slave_kill(self->pid);
}

TEST_F(thread_end, other_runs_free)
{
	uint64_t before = self->t->progress;

	EXPECT_TRUE(eventually(self->t->progress > before + 20));
}

TEST_F(thread_end, process_is_killed)
{
	kill(self->pid, SIGKILL);
	EXPECT_END(CP_END_EXITED, SIGKILL);
}

static int act_exit_group(struct slave *s)
{
	_exit(9);
}

TEST_F(thread_end, other_exits_the_process)
{
	self->t->other_act = act_exit_group;
	EXPECT_END(CP_END_EXITED, 9 << 8);
}

TEST_F(thread_end, other_execs)
{
	self->t->other_act = act_exec;
	EXPECT_END(CP_END_EXEC, 0);
	EXPECT_TRUE(hello_came(self->t->s));
}

TEST_F(thread_end, slave_execs)
{
	slave_act(self->t->s, act_exec);
	EXPECT_END(CP_END_EXEC, 0);
	EXPECT_TRUE(hello_came(self->t->s));
}

static int act_exit_thread(struct slave *s)
{
	return syscall(SYS_exit, 3);
}

/* A leader that exits alone becomes a zombie, and the process lives on. */
TEST_F(thread_end, slave_exits_alone)
{
	uint64_t before;

	slave_act(self->t->s, act_exit_thread);
	EXPECT_END(CP_END_EXITED, 3 << 8);
	before = self->t->progress;
	EXPECT_TRUE(eventually(self->t->progress > before + 20));
	if (variant->leader)
		EXPECT_TRUE(eventually(task_state(self->pid) == 'Z'));

	/* The remaining thread can be paired. */
	EXPECT_EQ(0, prep(self->m.fd, self->t->other));
	EXPECT_EQ(1, master_get(&self->m));
}

TEST_F(thread_end, other_exits_alone)
{
	self->t->other_act = act_exit_thread;
	/* The task of a thread disappears; a leader stays as a zombie. */
	ASSERT_TRUE(eventually(task_state(self->t->other) ==
			       (variant->leader ? 0 : 'Z')));
	EXPECT_STILL_PAIRED();
}

TEST_F(thread_end, stopped_and_continued)
{
	kill(self->pid, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->t->slave) == 'T'));
	kill(self->pid, SIGCONT);
	EXPECT_STILL_PAIRED();
}

TEST(leader_is_a_zombie_before_the_pair)
{
	struct threads *t = shared_memory(sizeof(*t));
	struct master m;
	pid_t pid;

	t->s = slave_alloc(false);
	pid = slave_start(body_threads, t);
	ASSERT_TRUE(eventually(t->slave && t->other));
	t->other_act = act_exit_thread;
	ASSERT_TRUE(eventually(task_state(pid) == 'Z'));
	EXPECT_EQ(-ESRCH, master_pair(&m, pid));
	ASSERT_EQ(0, master_pair(&m, t->slave));
	EXPECT_EQ(1, master_get(&m));
	slave_kill(pid);
	EXPECT_EQ(0, master_get(&m));
	EXPECT_EQ(SIGKILL, m.get.status);
}

/*
 * Endings of the master, a process of its own that is called the boss here.
 */
struct boss {
	enum state state;
	pid_t slave;
	int (*act)(struct boss *b);
	int socket[2];
	volatile bool ready;
	volatile bool go;
	volatile bool done;
	volatile int result;	/* of @act */
	volatile pid_t child;
	struct master m;	/* @fd and @region are valid in the boss only */
	struct taker taker;
};

static int body_boss(void *arg)
{
	struct boss *b = arg;

	if (master_pair(&b->m, b->slave) || !reach(b->state, &b->m, &b->taker))
		return 1;
	b->ready = true;
	while (!b->go)
		sleep_ms(1);
	b->result = b->act(b);
	b->done = true;
	return body_sleep(NULL);
}

FIXTURE(master_end)
{
	struct slave *s;
	struct boss *b;
	pid_t slave;
	pid_t boss;
};

FIXTURE_VARIANT(master_end)
{
	enum state state;
};

STATE_VARIANT(master_end, asleep, ASLEEP);
STATE_VARIANT(master_end, waiting, WAITING);
STATE_VARIANT(master_end, served, SERVED);

FIXTURE_SETUP(master_end)
{
	self->slave = slave_begin(variant->state, &self->s);
	ASSERT_GT(self->slave, 0);
	self->b = shared_memory(sizeof(*self->b));
	self->b->state = variant->state;
	self->b->slave = self->slave;
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
				self->b->socket));
	self->boss = slave_start(body_boss, self->b);
	ASSERT_TRUE(eventually(self->b->ready));
}

FIXTURE_TEARDOWN(master_end)
{
	if (self->b->child > 0)
		kill(self->b->child, SIGKILL);
	slave_kill(self->boss);
	slave_kill(self->slave);
}

static void boss_act(struct boss *b, int (*act)(struct boss *b))
{
	b->act = act;
	b->go = true;
}

/* The boss runs @act successfully and survives. */
#define EXPECT_DONE(act)						\
do {									\
	boss_act(self->b, act);						\
	ASSERT_TRUE(eventually(self->b->done));				\
	EXPECT_EQ(0, self->b->result);					\
} while (0)

/* The slave continues unpaired, can be paired again, and exits normally. */
#define EXPECT_FREE()							\
do {									\
	uint64_t __before = self->s->progress;				\
	struct master __again;						\
	int __status;							\
									\
	if (variant->state != ASLEEP)					\
		EXPECT_TRUE(eventually(self->s->progress > __before + 1000)); \
	ASSERT_EQ(0, eventually_paired(&__again, self->slave));		\
	ASSERT_EQ(1, master_get_until(&__again, CP_FOREVER,		\
				      CP_GET_NUDGE));			\
	EXPECT_EQ(1, __again.get.seq);					\
	master_close(&__again);						\
	slave_act(self->s, act_exit);					\
	ASSERT_EQ(self->slave, waitpid(self->slave, &__status, 0));	\
	self->slave = 0;						\
	EXPECT_EQ(7 << 8, __status);					\
} while (0)

static bool no_longer_busy(struct master *m, pid_t pid, int *ret)
{
	*ret = master_pair(m, pid);
	return *ret != -EBUSY;
}

/* Retries on EBUSY: a dying master ends its pair in its own exit path. */
static int eventually_paired(struct master *m, pid_t pid)
{
	int ret = -EBUSY;

	return eventually(no_longer_busy(m, pid, &ret)) ? ret : -ETIMEDOUT;
}

TEST_F(master_end, killed)
{
	kill(self->boss, SIGKILL);
	EXPECT_FREE();
}

static int boss_exits(struct boss *b)
{
	_exit(0);
}

TEST_F(master_end, exits)
{
	boss_act(self->b, boss_exits);
	EXPECT_FREE();
}

static void *exit_thread(void *b)
{
	_exit(0);
}

static int boss_exits_by_thread(struct boss *b)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, exit_thread, b) ?:
	       body_sleep(NULL);
}

TEST_F(master_end, exits_by_another_thread)
{
	boss_act(self->b, boss_exits_by_thread);
	EXPECT_FREE();
}

TEST_F(master_end, killed_while_stopped)
{
	kill(self->boss, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->boss) == 'T'));
	kill(self->boss, SIGKILL);
	EXPECT_FREE();
}

/* The taker, if there is one, saw the end; the region is still readable. */
static int boss_is_detached(struct boss *b)
{
	const struct cp_region_head *head = (void *)b->m.region;
	int ret = b->taker.started ? taker_join(&b->taker) : -EBADF;

	/* EBADF: the descriptor was closed between two calls of the taker. */
	if (ret != -EBADF && (ret || b->m.get.reason != CP_END_DETACHED))
		return 2;
	if (ret == -EBADF && b->state == ASLEEP)
		return 2;
	return head->magic == CP_REGION_MAGIC ? 0 : 3;
}

static int boss_closes(struct boss *b)
{
	if (close(b->m.fd))
		return 1;
	return boss_is_detached(b);
}

TEST_F(master_end, closes)
{
	EXPECT_DONE(boss_closes);
	EXPECT_FREE();
}

static int boss_ends(struct boss *b)
{
	int ret = 0;

	/* The second call succeeds, too. */
	if (ioctl(b->m.fd, CP_IOC_END) || ioctl(b->m.fd, CP_IOC_END))
		return 1;
	if (b->taker.started)
		ret = boss_is_detached(b);
	if (!ret && (master_get(&b->m) || b->m.get.reason != CP_END_DETACHED))
		return 4;
	return ret;
}

TEST_F(master_end, ends)
{
	EXPECT_DONE(boss_ends);
	EXPECT_FREE();
}

static int boss_execs(struct boss *b)
{
	return exec_other(-1, -1);
}

TEST_F(master_end, execs)
{
	boss_act(self->b, boss_execs);
	EXPECT_FREE();
	EXPECT_EQ(0, waitpid(self->boss, NULL, WNOHANG));
}

/*
 * Starts a child that keeps its parent's files open. The alarm ends it if its parent
 * has died.
 */
static pid_t holder_start(unsigned long flags)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		alarm(60);
		body_sleep(NULL);
	}
	return pid;
}

static int boss_forks_and_exits(struct boss *b)
{
	b->child = holder_start(0);
	_exit(0);
}

TEST_F(master_end, exits_while_a_child_holds_the_file)
{
	boss_act(self->b, boss_forks_and_exits);
	EXPECT_FREE();
	EXPECT_TRUE(eventually(task_state(self->b->child) == 'S'));
}

static int boss_shares_and_exits(struct boss *b)
{
	b->child = holder_start(CLONE_FILES);
	_exit(0);
}

/* With CLONE_FILES, the boss's exit does not close any descriptor. */
TEST_F(master_end, exits_while_a_child_shares_its_descriptors)
{
	boss_act(self->b, boss_shares_and_exits);
	EXPECT_FREE();
	EXPECT_TRUE(eventually(task_state(self->b->child) == 'S'));
}

static int boss_forks_and_closes(struct boss *b)
{
	b->child = holder_start(0);
	return boss_closes(b);
}

TEST_F(master_end, closes_while_a_child_holds_the_file)
{
	EXPECT_DONE(boss_forks_and_closes);
	EXPECT_FREE();
	EXPECT_TRUE(eventually(task_state(self->b->child) == 'S'));
}

static int boss_passes(struct boss *b)
{
	return send_fd(b->socket[0], b->m.fd, 0);
}

TEST_F(master_end, killed_after_passing_the_file)
{
	struct cp_get get = { 0 };
	int fd;

	boss_act(self->b, boss_passes);
	fd = receive_fd(self->b->socket[1], 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, ioctl(fd, CP_IOC_GET, &get));
	EXPECT_EQ(EPERM, errno);
	kill(self->boss, SIGKILL);
	EXPECT_FREE();
	EXPECT_EQ(-1, ioctl(fd, CP_IOC_GET, &get));
	EXPECT_EQ(EPERM, errno);
	close(fd);
}

static int boss_passes_and_closes(struct boss *b)
{
	return boss_passes(b) ?: boss_closes(b);
}

TEST_F(master_end, closes_with_the_file_in_flight)
{
	int fd;

	EXPECT_DONE(boss_passes_and_closes);
	EXPECT_FREE();
	fd = receive_fd(self->b->socket[1], 0);
	ASSERT_LE(0, fd);
	close(fd);
}

static int boss_closes_all(struct boss *b)
{
	int copy = dup(b->m.fd);

	if (copy < 0 || close(b->m.fd))
		return 1;
	/* The copy of the descriptor keeps the pair alive. */
	b->m.fd = copy;
	if (master_state_is(&b->m, "over"))
		return 5;
	if (b->state != ASLEEP && !b->taker.started && master_get(&b->m) != 1)
		return 6;
	return boss_closes(b);
}

TEST_F(master_end, closes_the_last_of_two)
{
	EXPECT_DONE(boss_closes_all);
	EXPECT_FREE();
}

/*
 * Actions of the boss or of its children that do not end the pair. The boss must
 * still be the master after them.
 */
static int boss_is_master(struct boss *b)
{
	uint64_t taken = b->taker.taken;

	if (master_state_is(&b->m, "over"))
		return 20;
	if (b->state == SERVED)
		return eventually(b->taker.taken > taken + 10) ? 0 : 21;
	if (b->state == WAITING)
		return master_get(&b->m) == 1 ? 0 : 22;
	return 0;
}

#define EXPECT_MASTER(act)						\
do {									\
	EXPECT_DONE(act);						\
	kill(self->boss, SIGKILL);					\
	EXPECT_FREE();							\
} while (0)

static int child_closes(void *fd)
{
	return close(*(int *)fd);
}

static int boss_has_child_close(struct boss *b)
{
	return in_child(child_closes, &b->m.fd) ?: boss_is_master(b);
}

TEST_F(master_end, childs_close_is_none)
{
	EXPECT_MASTER(boss_has_child_close);
}

static int child_gets(void *fd)
{
	struct cp_get get = { 0 };

	return ioctl(*(int *)fd, CP_IOC_GET, &get) == -1 ? errno : 0;
}

static int boss_has_child_get(struct boss *b)
{
	return in_child(child_gets, &b->m.fd) == EPERM ? boss_is_master(b) : 1;
}

TEST_F(master_end, child_is_no_master)
{
	EXPECT_MASTER(boss_has_child_get);
}

static void *close_own_copy(void *fd)
{
	if (unshare(CLONE_FILES) || close(*(int *)fd))
		return fd;
	return NULL;
}

static int boss_has_thread_close(struct boss *b)
{
	pthread_t thread;
	void *failed;

	if (pthread_create(&thread, NULL, close_own_copy, &b->m.fd) ||
	    pthread_join(thread, &failed) || failed)
		return 1;
	return boss_is_master(b);
}

TEST_F(master_end, threads_close_in_a_table_of_its_own_is_none)
{
	EXPECT_MASTER(boss_has_thread_close);
}

static void *master_without_leader(void *arg)
{
	struct boss *b = arg;

	if (eventually(task_state(getpid()) == 'Z'))
		b->result = boss_is_master(b);
	else
		b->result = 1;
	b->done = true;
	return NULL + body_sleep(NULL);
}

static int boss_leader_exits(struct boss *b)
{
	pthread_t thread;

	pthread_create(&thread, NULL, master_without_leader, b);
	return syscall(SYS_exit, 0);
}

TEST_F(master_end, leaders_exit_is_none)
{
	EXPECT_MASTER(boss_leader_exits);
}

static int boss_execs_with_file(struct boss *b)
{
	char fd[12];

	snprintf(fd, sizeof(fd), "%d", b->m.fd);
	fcntl(b->m.fd, F_SETFD, 0);
	execl("/proc/self/exe", OTHER_MASTER, fd, "-1", NULL);
	return 98;
}

/* The same process executes a program and keeps the file: it is still the master. */
TEST_F(master_end, exec_that_keeps_the_file_is_none)
{
	int status;

	boss_act(self->b, boss_execs_with_file);
	if (variant->state == ASLEEP)
		slave_act(self->s, act_run);
	ASSERT_EQ(self->boss, waitpid(self->boss, &status, 0));
	self->boss = 0;
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
