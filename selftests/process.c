// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slaves that are whole processes: each thread's returns to user mode, new threads from
 * their first instruction on, and the ends of threads.
 */
#include "team.h"

#include <linux/sched.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#define MS	1000000ULL	/* in nanoseconds */

/* Seconds for long tests: an emulated machine is slow. */
#define LONG	240

/* Waits until the pair is over, the slave is reaped, and nothing is left of either. */
static bool slave_reaped(struct team *t, int *status)
{
	return eventually(waitpid(t->pid, status, WNOHANG) == t->pid);
}

static bool is_counter(const struct member *m)
{
	return m->work == work_count;
}

/*
 * Threads that exist already.
 */

/* Another process that disturbs the threads that count, in rounds. */
struct disturbance {
	struct team *team;
	volatile unsigned int rounds;
	volatile unsigned int allowed;	/* number of rounds of signals */
};

static int body_migrate(void *arg)
{
	struct disturbance *d = arg;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int i;

	for (;; d->rounds++)
		for (i = 0; i < d->team->nr; i++) {
			task_pin(d->team->members[i].tid, (d->rounds + i) % cpus);
			usleep(100);
		}
	return 0;
}

static int body_signal(void *arg)
{
	struct disturbance *d = arg;
	unsigned int i;

	for (;; d->rounds++) {
		/* Threads that do nothing but handle signals would not count. */
		while (d->rounds >= d->allowed)
			usleep(100);
		for (i = 0; i < d->team->nr; i++) {
			if (is_counter(&d->team->members[i]))
				syscall(SYS_tgkill, d->team->pid,
					d->team->members[i].tid, SIGUSR1);
			usleep(100);
		}
	}
	return 0;
}

/* A debugger of all threads that count. */
static int body_trace(void *arg)
{
	struct disturbance *d = arg;
	unsigned int i;
	int status;
	pid_t tid;

	for (i = 0; i < d->team->nr; i++)
		if (is_counter(&d->team->members[i]) &&
		    (ptrace(PTRACE_SEIZE, d->team->members[i].tid, NULL,
			    PTRACE_O_TRACESYSGOOD) ||
		     ptrace(PTRACE_INTERRUPT, d->team->members[i].tid, NULL, NULL)))
			return 1;
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		d->rounds++;
		ptrace(PTRACE_SYSCALL, tid, NULL, NULL);
	}
	return 0;
}

FIXTURE(running)
{
	struct team *team;
	struct watch w;
	struct disturbance *disturbance;
};

FIXTURE_VARIANT(running)
{
	struct cp_prep prep;
	int (*disturb)(void *disturbance);
	unsigned int calls;
	unsigned int rounds;
};

FIXTURE_VARIANT_ADD(running, rendezvous)
{
	.calls = 400,
};

FIXTURE_VARIANT_ADD(running, ahead)
{
	.prep.nr_slots = 8,
	.calls = 800,
};

FIXTURE_VARIANT_ADD(running, migrations)
{
	.disturb = body_migrate,
	.calls = 200,
	.rounds = 30,
};

FIXTURE_VARIANT_ADD(running, migrations_ahead)
{
	.prep.nr_slots = 8,
	.disturb = body_migrate,
	.calls = 200,
	.rounds = 30,
};

FIXTURE_VARIANT_ADD(running, signals)
{
	.disturb = body_signal,
	.calls = 200,
	.rounds = 30,
};

FIXTURE_VARIANT_ADD(running, signals_ahead)
{
	.prep.nr_slots = 8,
	.disturb = body_signal,
	.calls = 200,
	.rounds = 30,
};

FIXTURE_VARIANT_ADD(running, traced)
{
	.disturb = body_trace,
	.calls = 100,
	.rounds = 100,
};

FIXTURE_SETUP(running)
{
	void *(*const works[])(void *) = {
		work_count, work_count, work_count, work_count, work_count,
		work_spin, work_spin, work_wait, NULL
	};

	self->team = team_of(8, works);
	ASSERT_TRUE(team_start(self->team));
	ASSERT_TRUE(eventually(is_asleep_in(self->team->members[7].tid, SYS_futex)));
	ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &variant->prep));
	self->disturbance = shared_memory(sizeof(*self->disturbance));
	self->disturbance->team = self->team;
	self->w.handles = variant->disturb == body_signal;
	if (variant->disturb)
		ASSERT_LT(0, slave_start(variant->disturb, self->disturbance));
}

FIXTURE_TEARDOWN(running)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

/* Has the watch seen enough of every thread that is not asleep? */
static bool all_have_run(struct watch *w, struct team *team, unsigned int calls)
{
	unsigned int i;

	for (i = 0; i < team->nr; i++) {
		struct member *m = &team->members[i];
		struct track *t = watch_find(w, m->tid);

		if (m->work == work_wait)
			continue;
		if (!t || t->checkpoints < 3 || (is_counter(m) && t->calls < calls))
			return false;
	}
	return true;
}

TEST_F_TIMEOUT(running, each_return_of_each_thread_once, LONG)
{
	struct watch *w = &self->w;
	pid_t sleeper = self->team->members[7].tid;

	do {
		ASSERT_LT(0, watch_get(w))
			TH_LOG("%s, thread %d", watch_why(w), w->m.get.thread);
		self->disturbance->allowed = w->checkpoints / 50;
	} while (self->disturbance->rounds < variant->rounds ||
		 !all_have_run(w, self->team, variant->calls));
	EXPECT_EQ(7, w->nr_tracks);
	EXPECT_EQ(0, w->m.get.missed);
	EXPECT_EQ(0, w->m.get.unseen);
	EXPECT_EQ(8, watch_figure(w, "threads"));

	/* The thread that slept all the time appears when it wakes up. */
	EXPECT_NE(NULL, watch_find(w, self->team->members[0].tid));
	EXPECT_EQ(NULL, watch_find(w, sleeper));
	team_go(self->team);
	ASSERT_TRUE(watch_until(w, watch_find(w, sleeper))) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(1, w->m.get.seq);
	EXPECT_TRUE(is_call_of(master_checkpoint(&w->m), SYS_futex));
}

/*
 * New threads.
 */

/*
 * birth_clone(flags, stack), birth_clone3(args, size): start a thread whose first
 * instruction writes below the top of its stack. It then sleeps for ever. Return in the
 * caller, whose stack is another one.
 */
asm("birth_clone:\n"
    "	xorl	%edx, %edx\n"
    "	xorl	%r10d, %r10d\n"
    "	xorl	%r8d, %r8d\n"
    "	movl	$56, %eax\n"	/* clone */
    "	jmp	1f\n"
    "birth_clone3:\n"
    "	movl	$435, %eax\n"	/* clone3 */
    "1:	syscall\n"
    "birth_at:\n"
    "	movq	$1, -8(%rsp)\n"
    "	testl	%eax, %eax\n"
    "	jz	2f\n"
    "	ret\n"
    "2:	movl	$34, %eax\n"	/* pause */
    "	syscall\n"
    "	jmp	2b\n");

long birth_clone(unsigned long flags, void *stack);
long birth_clone3(struct clone_args *args, size_t size);
extern const char birth_at[];

#define THREAD_FLAGS	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			 CLONE_THREAD | CLONE_SYSVSEM)

#define BIRTH_STACK	4096

/* The new thread's stack, which the test shares. */
static char *birth_stack;

static void *work_clone(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	member_wait(m);
	m->progress = birth_clone(THREAD_FLAGS, birth_stack + BIRTH_STACK);
	body_sleep(NULL);
	return NULL;
}

static void *work_clone3(void *arg)
{
	struct member *m = arg;
	struct clone_args args = {
		.flags = THREAD_FLAGS,
		.stack = (uintptr_t)birth_stack,
		.stack_size = BIRTH_STACK,
	};

	member_begin(m);
	member_wait(m);
	m->progress = birth_clone3(&args, sizeof(args));
	body_sleep(NULL);
	return NULL;
}

FIXTURE(birth)
{
	struct team *team;
	struct watch w;
};

FIXTURE_VARIANT(birth)
{
	void *(*work)(void *);
	int nr;
};

FIXTURE_VARIANT_ADD(birth, clone)
{
	.work = work_clone,
	.nr = SYS_clone,
};

FIXTURE_VARIANT_ADD(birth, clone3)
{
	.work = work_clone3,
	.nr = SYS_clone3,
};

FIXTURE_SETUP(birth)
{
	struct cp_prep prep = { 0 };

	birth_stack = shared_memory(BIRTH_STACK);
	self->team = TEAM_OF(1, variant->work);
	ASSERT_TRUE(team_start(self->team));
	ASSERT_TRUE(eventually(is_asleep_in(self->team->pid, SYS_futex)));
	ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &prep));
	team_go(self->team);
}

FIXTURE_TEARDOWN(birth)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

/* What the first instruction of the new thread has written. */
static uint64_t birth_word(void)
{
	return *(volatile uint64_t *)(birth_stack + BIRTH_STACK - 8);
}

TEST_F(birth, first_checkpoint_precedes_the_first_instruction)
{
	const struct cp_checkpoint *c;
	struct team *t = self->team;
	struct watch *w = &self->w;
	uint64_t before = 0;

	while (w->nr_tracks < 2) {
		/* Enough for a thread that does not wait. */
		sleep_ms(5);
		before = birth_word();
		ASSERT_EQ(1, watch_get(w)) TH_LOG("%s", watch_why(w));
	}
	EXPECT_EQ(0, before);
	c = master_checkpoint(&w->m);
	ASSERT_NE(t->pid, c->thread);
	EXPECT_TRUE(is_birth(c));
	EXPECT_EQ((uintptr_t)birth_at, c->regs.rip);
	EXPECT_EQ((uintptr_t)birth_stack + BIRTH_STACK, c->regs.rsp);
	EXPECT_TRUE(is_call_of(c, variant->nr));
	/* Both threads run on, and sleep. */
	EXPECT_TRUE(eventually(watch_rest(w) == -EAGAIN && birth_word() &&
			       t->members[0].progress));
	EXPECT_EQ((pid_t)t->members[0].progress, w->tracks[1].tid);
	EXPECT_EQ(2, watch_figure(w, "threads"));
}

/* Each thread of this depth creates two of the next one; all of them end. */
static void *thread_of_a_tree(void *arg)
{
	struct member *m = arg;
	struct team *t = m->team;
	struct member *children = m - t->members < t->nr / 2 ?
				  &t->members[2 * (m - t->members) + 1] : NULL;

	m->tid = syscall(SYS_gettid);
	if (children) {
		thread_start(thread_of_a_tree, &children[0]);
		thread_start(thread_of_a_tree, &children[1]);
	}
	__atomic_fetch_sub(&t->left, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int body_tree(void *arg)
{
	struct team *t = arg;

	member_wait(&t->members[0]);
	thread_of_a_tree(&t->members[0]);
	while (t->left)
		usleep(1000);
	return 0;
}

FIXTURE(policy)
{
	struct team *team;
	struct watch w;
};

POLICIES(policy);

FIXTURE_SETUP(policy)
{
}

FIXTURE_TEARDOWN(policy)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

/* A tree of 31 threads. */
TEST_F_TIMEOUT(policy, threads_that_create_threads, LONG)
{
	struct team *t = team_alloc(31);
	struct watch *w = &self->w;
	unsigned int i;
	int status;

	self->team = t;
	t->left = 31;
	t->pid = slave_start(body_tree, t);
	ASSERT_TRUE(eventually(is_asleep_in(t->pid, SYS_futex)));
	ASSERT_EQ(0, watch_prep(w, t->pid, &variant->prep));
	team_go(t);
	/* The leader is not new. */
	ASSERT_TRUE(watch_until(w, w->nr_tracks)) TH_LOG("%s", watch_why(w));
	w->all_new = !w->lossy;
	ASSERT_EQ(0, watch_all(w)) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(31, w->nr_tracks);
	EXPECT_EQ(31, w->ended);
	for (i = 0; i < 31; i++)
		EXPECT_NE(NULL, watch_find(w, t->members[i].tid));
	EXPECT_EQ(CP_END_EXITED, w->m.get.reason);
	EXPECT_EQ(0, w->m.get.unseen);
	ASSERT_TRUE(slave_reaped(t, &status));
	EXPECT_EQ(status, w->m.get.status);
}

static void *thread_that_ends(void *arg)
{
	struct team *t = arg;

	__atomic_fetch_sub(&t->left, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Creates eight threads at a time, until @word of them have been created. */
static void *work_create(void *arg)
{
	struct member *m = arg;
	struct team *t = m->team;

	member_begin(m);
	member_wait(m);
	for (; m->progress < t->word; m->progress++) {
		while (t->left >= 8)
			sched_yield();
		__atomic_fetch_add(&t->left, 1, __ATOMIC_SEQ_CST);
		if (!thread_start(thread_that_ends, t))
			break;
	}
	body_sleep(NULL);
	return NULL;
}

FIXTURE(coming_and_going)
{
	struct team *team;
	struct watch w;
};

FIXTURE_VARIANT(coming_and_going)
{
	struct cp_prep prep;
	unsigned int threads;
};

FIXTURE_VARIANT_ADD(coming_and_going, rendezvous)
{
	.threads = 200,
};

FIXTURE_VARIANT_ADD(coming_and_going, ahead)
{
	.prep.nr_slots = 8,
	.threads = 400,
};

FIXTURE_SETUP(coming_and_going)
{
	self->team = TEAM_OF(3, work_create, work_count);
	self->team->word = variant->threads;
	ASSERT_TRUE(team_start(self->team));
	ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &variant->prep));
	team_go(self->team);
}

FIXTURE_TEARDOWN(coming_and_going)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

/* Others lose nothing, and the parts of threads that have ended are used again. */
TEST_F_TIMEOUT(coming_and_going, others_lose_nothing, LONG)
{
	struct watch *w = &self->w;
	unsigned int i;

	ASSERT_TRUE(watch_until(w, w->nr_tracks == 3)) TH_LOG("%s", watch_why(w));
	w->all_new = true;
	ASSERT_TRUE(watch_until(w, w->ended == variant->threads))
		TH_LOG("%s, thread %d", watch_why(w), w->m.get.thread);
	for (i = 1; i < 3; i++)
		EXPECT_LT(100, watch_find(w, self->team->members[i].tid)->calls);
	EXPECT_EQ(0, w->m.get.missed);
	EXPECT_EQ(0, w->m.get.unseen);
	EXPECT_LE(watch_head(w, 0)->nr_parts, 32) TH_LOG("parts");
	EXPECT_EQ(3, watch_figure(w, "threads"));
}

/*
 * Ends of threads, and of the pair.
 */

/* Exits alone, with a code that identifies the thread. */
static void *work_exit(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	member_wait(m);
	syscall(SYS_exit, (int)(m - m->team->members) + 10);
	return NULL;
}

TEST(each_end_of_a_thread_is_given_once)
{
	struct team *t = TEAM_OF(6, work_sleep, work_exit);
	struct cp_prep prep = { 0 };
	struct track *track;
	struct watch w = { };
	unsigned int i;

	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	EXPECT_EQ(6, watch_figure(&w, "threads"));
	team_go(t);
	ASSERT_TRUE(watch_until(&w, w.ended == 5)) TH_LOG("%s", watch_why(&w));
	EXPECT_EQ(1, watch_figure(&w, "threads"));
	for (i = 1; i < 6; i++) {
		track = watch_find(&w, t->members[i].tid);
		ASSERT_NE(NULL, track);
		EXPECT_EQ((int)(i + 10) << 8, track->status);
		/* The last checkpoint was taken before the end. */
		EXPECT_LT(0, track->checkpoints);
	}
	EXPECT_EQ(-EAGAIN, watch_rest(&w));

	kill(t->pid, SIGKILL);
	ASSERT_EQ(0, watch_all(&w)) TH_LOG("%s", watch_why(&w));
	EXPECT_EQ(6, w.ended);
	EXPECT_EQ(CP_END_EXITED, w.m.get.reason);
	EXPECT_EQ(SIGKILL, w.m.get.status);
	EXPECT_EQ(SIGKILL, watch_find(&w, t->pid)->status);
	waitpid(t->pid, NULL, 0);
	master_close(&w.m);
}

static int end_by_exit(struct member *m)
{
	return syscall(SYS_exit, 21);
}

static int end_by_exit_group(struct member *m)
{
	return syscall(SYS_exit_group, 22);
}

static int end_by_signal(struct member *m)
{
	return syscall(SYS_tgkill, m->team->pid, m->tid, SIGTERM);
}

static int (*end_of_the_last)(struct member *m);

/* Makes calls for a while, and is then the last thread of its process. */
static void *work_survive(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	member_wait(m);
	for (; m->progress < 50; m->progress++)
		syscall(SYS_getppid);
	while (!m->team->word)
		sched_yield();
	end_of_the_last(m);
	return NULL;
}

FIXTURE(survivor)
{
	struct team *team;
	struct watch w;
};

FIXTURE_VARIANT(survivor)
{
	int (*end)(struct member *m);
	int status;
};

FIXTURE_VARIANT_ADD(survivor, exit) { .end = end_by_exit, .status = 21 << 8 };
FIXTURE_VARIANT_ADD(survivor, exit_group)
{
	.end = end_by_exit_group,
	.status = 22 << 8,
};

FIXTURE_VARIANT_ADD(survivor, signal) { .end = end_by_signal, .status = SIGTERM };

FIXTURE_SETUP(survivor)
{
	struct cp_prep prep = { 0 };

	end_of_the_last = variant->end;
	self->team = TEAM_OF(2, work_exit, work_survive);
	ASSERT_TRUE(team_start(self->team));
	ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &prep));
	team_go(self->team);
}

FIXTURE_TEARDOWN(survivor)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

TEST_F(survivor, pair_lasts_until_the_last_thread_ends)
{
	struct team *t = self->team;
	struct watch *w = &self->w;
	int status;

	/* The leader exits first. */
	ASSERT_TRUE(watch_until(w, w->ended)) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(t->pid, w->m.get.thread);
	EXPECT_EQ(10 << 8, w->m.get.status);
	ASSERT_TRUE(watch_until(w, t->members[1].progress == 50))
		TH_LOG("%s", watch_why(w));
	EXPECT_EQ(1, w->ended);
	EXPECT_EQ(1, watch_figure(w, "threads"));

	t->word = 1;
	ASSERT_EQ(0, watch_all(w)) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(2, w->ended);
	EXPECT_EQ(variant->status, watch_find(w, t->members[1].tid)->status);
	EXPECT_EQ(CP_END_EXITED, w->m.get.reason);
	ASSERT_TRUE(slave_reaped(t, &status));
	EXPECT_EQ(status, w->m.get.status);
	EXPECT_EQ(POLLIN | POLLHUP, master_poll(&w->m, 0));
	EXPECT_EQ(0, watch_get(w));
}

/* The id of a process whose leader has exited stands for nobody, its threads' do. */
TEST_F(survivor, any_live_thread_stands_for_the_process)
{
	struct team *t = self->team;
	struct watch *w = &self->w;
	struct cp_prep prep = { 0 };

	ASSERT_TRUE(watch_until(w, w->ended)) TH_LOG("%s", watch_why(w));
	master_close(&w->m);
	EXPECT_EQ(-ESRCH, watch_prep(w, t->pid, &prep));
	memset(w, 0, sizeof(*w));
	ASSERT_EQ(0, watch_prep(w, t->members[1].tid, &prep));
	EXPECT_EQ(t->pid, watch_figure(w, "slave"));
	EXPECT_EQ(1, watch_figure(w, "threads"));
	EXPECT_EQ(1, watch_get(w)) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(t->members[1].tid, w->m.get.thread);
}

TEST(exit_group_by_a_thread_ends_all)
{
	struct team *t = TEAM_OF(8, work_sleep, work_count, work_spin, work_sleep,
				 work_survive);
	struct cp_prep prep = { 0 };
	struct watch w = { };
	unsigned int i;
	int status;

	end_of_the_last = end_by_exit_group;
	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	t->word = 1;
	team_go(t);
	ASSERT_EQ(0, watch_all(&w)) TH_LOG("%s", watch_why(&w));
	EXPECT_EQ(8, w.ended);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(22 << 8, watch_find(&w, t->members[i].tid)->status);
	EXPECT_EQ(CP_END_EXITED, w.m.get.reason);
	EXPECT_EQ(22 << 8, w.m.get.status);
	EXPECT_EQ(t->pid, waitpid(t->pid, &status, 0));
	EXPECT_EQ(22 << 8, status);
	master_close(&w.m);
}

/* Kills the team while it is being paired. Returns as CP_IOC_PREP. */
static int pair_with_dying(struct watch *w, struct team *t, unsigned int us)
{
	struct cp_prep prep = { .pid = t->pid, .flags = CP_PREP_PROCESS };
	int ret;

	w->m.fd = device_open();
	prep.mem_fd = proof_open(t->pid);
	kill(t->pid, SIGKILL);
	usleep(us);
	ret = ioctl(w->m.fd, CP_IOC_PREP, &prep) ? -errno : 0;
	close(prep.mem_fd);
	return ret;
}

/* It is refused, or ends as the process does. */
TEST(process_that_dies_while_it_is_paired)
{
	unsigned int i, pairs = 0;
	struct team *t;
	int ret, status;

	for (i = 0; i < 150; i++) {
		struct watch w = { };

		t = TEAM_OF(4, work_wait, work_count, work_wait);
		ASSERT_TRUE(team_start(t));
		ret = pair_with_dying(&w, t, 20 * (i % 10));
		ASSERT_EQ(t->pid, waitpid(t->pid, &status, 0));
		EXPECT_TRUE(!ret || ret == -ESRCH) TH_LOG("%s", strerror(-ret));
		if (!ret)
			while ((ret = master_get_ms(&w.m, 60000)) > 0)
				;
		if (!ret) {
			pairs++;
			EXPECT_EQ(CP_END_EXITED, w.m.get.reason);
			EXPECT_EQ(status, w.m.get.status) TH_LOG("try %u", i);
		}
		close(w.m.fd);
		close(t->ends[0]);
		close(t->ends[1]);
	}
	TH_LOG("%u of 150 were paired", pairs);
}

/* argv[0] with which this program executes itself; argv[1]: a descriptor to write to. */
#define OTHER_PROGRAM	"other-program"

static void __attribute__((constructor)) other_program(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[0], OTHER_PROGRAM))
		return;
	_exit(write(atoi(argv[1]), "", 1) == 1 ? 33 : 34);
}

static void *work_exec(void *arg)
{
	struct member *m = arg;
	char fd[12];

	member_begin(m);
	member_wait(m);
	snprintf(fd, sizeof(fd), "%d", m->team->ends[1]);
	execl("/proc/self/exe", OTHER_PROGRAM, fd, NULL);
	return NULL;
}

FIXTURE(exec)
{
	struct team *team;
	struct watch w;
};

FIXTURE_VARIANT(exec)
{
	void *(*works[4])(void *);
};

FIXTURE_VARIANT_ADD(exec, by_the_leader)
{
	.works = { work_exec, work_count, work_sleep },
};

FIXTURE_VARIANT_ADD(exec, by_a_thread)
{
	.works = { work_sleep, work_exec, work_count },
};

FIXTURE_SETUP(exec)
{
	struct cp_prep prep = { 0 };

	self->team = team_of(5, variant->works);
	ASSERT_TRUE(team_start(self->team));
	ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &prep));
}

FIXTURE_TEARDOWN(exec)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

TEST_F(exec, ends_the_pair)
{
	struct team *t = self->team;
	struct watch *w = &self->w;
	int status;
	char c;

	ASSERT_EQ(1, watch_get(w)) TH_LOG("%s", watch_why(w));
	team_go(t);
	ASSERT_EQ(0, watch_all(w)) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(CP_END_EXEC, w->m.get.reason);
	EXPECT_EQ(0, w->m.get.status);
	EXPECT_EQ(0, w->ended);
	/* The other program runs without a master. */
	EXPECT_EQ(1, read(t->ends[0], &c, 1));
	ASSERT_TRUE(slave_reaped(t, &status));
	EXPECT_EQ(33 << 8, status);
}

/*
 * Processes that are not the slave.
 */

static int count_in_child(void *unused)
{
	team_count_calls();
}

/* Has a child, a copy or one that shares the memory, and counts itself. */
static void have_child(struct member *m, int flags)
{
	static char stack[TEAM_STACK] __attribute__((aligned(16)));

	member_begin(m);
	member_wait(m);
	m->progress = clone(count_in_child, stack + sizeof(stack), flags | SIGCHLD,
			    NULL);
	team_count_calls();
}

static void *work_fork(void *m)
{
	have_child(m, 0);
	return NULL;
}

static void *work_share(void *m)
{
	have_child(m, CLONE_VM);
	return NULL;
}

FIXTURE(child)
{
	struct team *team;
	struct watch w;
};

FIXTURE_VARIANT(child)
{
	void *(*work)(void *);
};

FIXTURE_VARIANT_ADD(child, copy) { .work = work_fork };
FIXTURE_VARIANT_ADD(child, that_shares_the_memory) { .work = work_share };

FIXTURE_SETUP(child)
{
	struct cp_prep prep = { 0 };

	self->team = TEAM_OF(3, work_sleep, variant->work, work_count);
	ASSERT_TRUE(team_start(self->team));
	ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &prep));
	team_go(self->team);
}

FIXTURE_TEARDOWN(child)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
	kill(self->team->members[1].progress, SIGKILL);
}

TEST_F(child, is_no_slave)
{
	struct watch *w = &self->w;
	struct member *parent = &self->team->members[1];
	int fd = device_open();
	pid_t master;

	ASSERT_TRUE(watch_until(w, parent->progress)) TH_LOG("%s", watch_why(w));
	ASSERT_TRUE(watch_until(w, watch_find(w, parent->tid)->calls > 100))
		TH_LOG("%s", watch_why(w));
	ASSERT_LT(0, (pid_t)parent->progress);
	EXPECT_EQ(NULL, watch_find(w, parent->progress));
	EXPECT_EQ(2, w->nr_tracks);
	EXPECT_EQ(3, watch_figure(w, "threads"));
	EXPECT_EQ(0, watch_figure(w, "unseen"));

	/* Its own master is another one. */
	master = other_master(fd, parent->progress);
	EXPECT_LT(0, master);
	slave_kill(master);
	close(fd);
}

/*
 * Ends by the master, while threads wait for it.
 */

static int end_by_ioctl(struct watch *w)
{
	return ioctl(w->m.fd, CP_IOC_END);
}

static int end_by_close(struct watch *w)
{
	return close(w->m.fd);
}

FIXTURE(release)
{
	struct team *team;
	struct watch w;
	long long users;
};

FIXTURE_VARIANT(release)
{
	int (*end)(struct watch *w);
};

FIXTURE_VARIANT_ADD(release, end) { .end = end_by_ioctl };
FIXTURE_VARIANT_ADD(release, close) { .end = end_by_close };
FIXTURE_VARIANT_ADD(release, death) { .end = NULL };

#define CROWD	32

FIXTURE_SETUP(release)
{
	self->users = module_users();
	self->team = TEAM_OF(CROWD, work_wait);
	ASSERT_TRUE(team_start(self->team));
	team_go(self->team);
}

FIXTURE_TEARDOWN(release)
{
	slave_kill(self->team->pid);
}

static unsigned int asleep_in(const struct team *t, char state)
{
	unsigned int i, nr = 0;

	for (i = 0; i < t->nr; i++)
		nr += task_state(t->members[i].tid) == state;
	return nr;
}

/* Has every member made 10 more calls than when @before was noted? */
static bool all_continue(const struct team *t, const uint64_t *before)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (t->members[i].progress < before[i] + 10)
			return false;
	return true;
}

static int body_pair_and_wait(void *arg)
{
	struct team *t = arg;
	struct cp_prep prep = { 0 };
	struct watch w = { };

	if (watch_prep(&w, t->pid, &prep) || watch_get(&w) != 1)
		return 1;
	t->word = 1;
	return body_sleep(NULL);
}

TEST_F(release, all_threads_continue)
{
	struct cp_prep prep = { 0 };
	uint64_t before[CROWD];
	pid_t master = 0;
	unsigned int i;

	if (variant->end) {
		ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &prep));
		ASSERT_EQ(1, watch_get(&self->w));
	} else {
		master = slave_start(body_pair_and_wait, self->team);
		ASSERT_TRUE(eventually(self->team->word));
	}
	/* All threads wait in their returns, interruptibly. */
	ASSERT_TRUE(eventually(asleep_in(self->team, 'S') == CROWD));
	for (i = 0; i < CROWD; i++)
		before[i] = self->team->members[i].progress;
	sleep_ms(20);
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(before[i], self->team->members[i].progress);

	slave_kill(master);
	ASSERT_EQ(0, variant->end ? variant->end(&self->w) : 0);
	EXPECT_TRUE(eventually(all_continue(self->team, before)));
	if (variant->end == end_by_ioctl) {
		EXPECT_EQ(0, watch_get(&self->w));
		EXPECT_EQ(CP_END_DETACHED, self->w.m.get.reason);
		EXPECT_EQ(0, close(self->w.m.fd));
	}
	if (variant->end)
		munmap(self->w.m.region, self->w.m.size);
	EXPECT_TRUE(eventually(module_users() == self->users));
	/* The next pair gets all of them. */
	memset(&self->w, 0, sizeof(self->w));
	ASSERT_EQ(0, watch_prep(&self->w, self->team->pid, &prep));
	EXPECT_TRUE(watch_until(&self->w, self->w.nr_tracks == CROWD))
		TH_LOG("%s", watch_why(&self->w));
	master_close(&self->w.m);
}

/*
 * Many threads.
 */

#define MANY	1000

TEST(a_thousand_threads)
{
	struct team *t = TEAM_OF(MANY, work_wait);
	uint64_t *before = calloc(MANY, sizeof(*before)), begun;
	struct watch *w = calloc(1, sizeof(*w));
	struct cp_prep prep = { 0 };
	unsigned int i;

	ASSERT_TRUE(team_start(t));
	ASSERT_TRUE(eventually(asleep_in(t, 'S') == MANY));
	begun = now_ns();
	ASSERT_EQ(0, watch_prep(w, t->pid, &prep));
	TH_LOG("paired in %llu us", (now_ns() - begun) / 1000);
	EXPECT_EQ(MANY, watch_figure(w, "threads"));
	EXPECT_EQ(MANY, watch_head(w, 0)->nr_parts);
	EXPECT_EQ(0, master_poll(&w->m, 0));
	EXPECT_EQ(-EAGAIN, watch_rest(w));

	team_go(t);
	EXPECT_EQ(POLLIN, master_poll(&w->m, 60000));
	ASSERT_TRUE(watch_until(w, w->nr_tracks == MANY)) TH_LOG("%s", watch_why(w));
	ASSERT_TRUE(eventually(asleep_in(t, 'S') == MANY));
	for (i = 0; i < MANY; i++)
		before[i] = t->members[i].progress;
	ASSERT_EQ(0, ioctl(w->m.fd, CP_IOC_END));
	EXPECT_TRUE(eventually(all_continue(t, before)));
	EXPECT_EQ(0, watch_get(w));
	slave_kill(t->pid);
	master_close(&w->m);
}

/*
 * What is refused, and limits.
 */

TEST(process_with_too_many_threads)
{
	struct team *t = TEAM_OF(5, work_wait);
	struct cp_prep prep = { .nr_threads = 4 };
	long long users = module_users();
	uint64_t before[5] = { 0 };
	struct watch w = { };

	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(-EOVERFLOW, watch_prep(&w, t->pid, &prep));
	EXPECT_EQ(users, module_users());
	team_go(t);
	EXPECT_TRUE(eventually(all_continue(t, before)));

	prep.nr_threads = 5;
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	EXPECT_TRUE(watch_until(&w, w.nr_tracks == 5)) TH_LOG("%s", watch_why(&w));
	master_close(&w.m);
	slave_kill(t->pid);
}

static long pair_figure(pid_t slave, const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/class/misc/checkpoint/pairs/%d/%s",
		 slave, name);
	return read_number(path);
}

TEST(threads_without_room_run_unseen)
{
	struct team *t = TEAM_OF(3, work_create, work_count);
	struct cp_prep prep = { .nr_threads = 3 };
	struct watch w = { };

	ASSERT_TRUE(team_start(t));
	t->word = 5;
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	team_go(t);
	ASSERT_TRUE(watch_until(&w, w.m.get.unseen == 5 && !t->left))
		TH_LOG("%s", watch_why(&w));
	EXPECT_EQ(3, w.nr_tracks);
	EXPECT_EQ(0, w.ended);
	EXPECT_EQ(5, watch_figure(&w, "unseen"));
	EXPECT_EQ(3, watch_figure(&w, "threads"));
	EXPECT_EQ(5, pair_figure(t->pid, "unseen"));
	EXPECT_EQ(3, pair_figure(t->pid, "threads"));
	EXPECT_EQ(0, w.m.get.missed);
	slave_kill(t->pid);
	EXPECT_EQ(0, watch_all(&w)) TH_LOG("%s", watch_why(&w));
	EXPECT_EQ(3, w.ended);
	master_close(&w.m);
}

static void *thread_that_stays(void *arg)
{
	struct team *t = arg;

	__atomic_fetch_add(&t->left, 1, __ATOMIC_SEQ_CST);
	body_sleep(NULL);
	return NULL;
}

/* Creates @word threads that stay. */
static void *work_create_many(void *arg)
{
	struct member *m = arg;
	struct team *t = m->team;
	unsigned int i;

	member_begin(m);
	member_wait(m);
	for (i = 0; i < t->word; i++)
		thread_start(thread_that_stays, t);
	return thread_that_stays(t);
}

/* A memory cgroup in which this process pairs. */
static bool group_make(char group[64], const char *limit)
{
	snprintf(group, 64, "/sys/fs/cgroup/checkpoint-process-%d", getpid());
	group_write("/sys/fs/cgroup", "cgroup.subtree_control", "+memory");
	if (!mkdir(group, 0755) && group_write(group, "memory.max", limit))
		return true;
	rmdir(group);
	return false;
}

/* The number of times that the OOM killer was invoked; -1 if unknown. */
static int group_ooms(const char *group)
{
	char path[96], line[64];
	int ooms = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.events", group);
	file = fopen(path, "re");
	while (file && ooms < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "oom %d", &ooms);
	if (file)
		fclose(file);
	return ooms;
}

/*
 * A thread whose part needs more memory than the master's cgroup has runs unseen. The master
 * leaves the cgroup after pairing: its own page faults would invoke the OOM killer.
 */
TEST(memory_of_the_master_runs_out)
{
	struct team *t = TEAM_OF(1, work_create_many);
	struct cp_prep prep = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 4096,
		.stack_limit = 4096,
	};
	struct watch w = { };
	char group[64];

	ASSERT_TRUE(team_start(t));
	if (!group_make(group, "1M"))
		SKIP(return, "no memory controller of cgroup v2");
	t->word = 40;
	ASSERT_TRUE(group_write(group, "cgroup.procs", "0"));
	EXPECT_EQ(0, watch_prep(&w, t->pid, &prep));
	ASSERT_TRUE(group_write("/sys/fs/cgroup", "cgroup.procs", "0"));
	team_go(t);
	EXPECT_TRUE(eventually(t->left == 41));
	EXPECT_LT(0, watch_figure(&w, "unseen"));
	EXPECT_LT(1, watch_figure(&w, "threads"));
	EXPECT_EQ(0, group_ooms(group));
	slave_kill(t->pid);
	master_close(&w.m);
	EXPECT_TRUE(eventually(!rmdir(group)));
}

TEST(id_of_any_thread)
{
	struct team *t = TEAM_OF(3, work_sleep, work_count);
	struct cp_prep prep = { 0 };
	struct watch w = { };
	int fd = device_open();

	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(0, watch_prep(&w, t->members[2].tid, &prep));
	EXPECT_EQ(t->pid, watch_figure(&w, "slave"));
	EXPECT_EQ(3, watch_figure(&w, "threads"));
	ASSERT_TRUE(watch_until(&w, w.nr_tracks == 2)) TH_LOG("%s", watch_why(&w));
	/* Whatever stands for the process: it has a master. */
	EXPECT_EQ(-EBUSY, other_master(fd, t->pid));
	EXPECT_EQ(-EBUSY, other_master(fd, t->members[1].tid));
	EXPECT_EQ(-EBUSY, other_master(fd, t->members[2].tid));
	close(fd);
	master_close(&w.m);
	slave_kill(t->pid);
}

TEST(fields_for_processes)
{
	struct cp_info info = { 0 };
	struct cp_prep good = { .nr_threads = 2, .flags = CP_PREP_PROCESS }, arg;
	struct team *t = TEAM_OF(2, work_count);
	int fd = device_open();

	ASSERT_EQ(0, ioctl(fd, CP_IOC_INFO, &info));
	EXPECT_TRUE(info.features & CP_FEATURE_PROCESS);
	ASSERT_TRUE(team_start(t));
	good.pid = t->pid;
	arg = good;
	arg.flags = 0;
	EXPECT_EQ(-EINVAL, prep_with(fd, &arg));
	arg = good;
	arg.nr_threads = CP_THREADS_MAX + 1;
	EXPECT_EQ(-EINVAL, prep_with(fd, &arg));
	arg = good;
	arg.reserved2 = 1;
	EXPECT_EQ(-EINVAL, prep_with(fd, &arg));
	arg = good;
	EXPECT_EQ(0, prep_with(fd, &arg));
	EXPECT_LT(0, arg.thread_size);
	EXPECT_EQ(arg.region_size, 2 * arg.thread_size);
	close(fd);

	/* With one task, the whole region is its part. */
	fd = device_open();
	arg = (struct cp_prep){ .pid = t->pid };
	EXPECT_EQ(0, prep_with(fd, &arg));
	EXPECT_EQ(arg.region_size, arg.thread_size);
	close(fd);
	slave_kill(t->pid);
}

/* The structs of programs that were built before there were fields for processes. */
#define OLD_PREP_SIZE	64
#define OLD_GET_SIZE	56

#define OLD_IOC(ioc, size)	(((ioc) & ~IOCSIZE_MASK) | (size) << IOCSIZE_SHIFT)

TEST(structs_of_older_programs)
{
	struct team *t = TEAM_OF(3, work_sleep, work_exit);
	struct cp_prep prep = {
		.flags = CP_PREP_PROCESS,
		.nr_threads = 1,	/* beyond the struct */
		.thread_size = 77,
	};
	struct cp_get get = { .deadline = CP_FOREVER, .thread = 77, .unseen = 77 };
	int fd = device_open(), ends = 0, ret;

	ASSERT_TRUE(team_start(t));
	prep.pid = t->pid;
	prep.mem_fd = proof_open(t->pid);
	ASSERT_EQ(0, ioctl(fd, OLD_IOC(CP_IOC_PREP, OLD_PREP_SIZE), &prep));
	EXPECT_LT(0, prep.region_size);
	EXPECT_EQ(77, prep.thread_size);
	close(prep.mem_fd);
	team_go(t);
	while (ends < 2) {
		ret = ioctl(fd, OLD_IOC(CP_IOC_GET, OLD_GET_SIZE), &get);
		ASSERT_LE(1, ret);
		ends += ret == 2;
		EXPECT_LT(get.slot_offset, prep.region_size);
	}
	slave_kill(t->pid);
	while ((ret = ioctl(fd, OLD_IOC(CP_IOC_GET, OLD_GET_SIZE), &get)) > 0)
		;
	EXPECT_EQ(0, ret);
	EXPECT_EQ(CP_END_EXITED, get.reason);
	EXPECT_EQ(77, get.thread);
	EXPECT_EQ(77, get.unseen);
	close(fd);
}

/*
 * Limits of waits and rates, which hold for each thread, and nudges.
 */

TEST(limit_of_the_wait)
{
	struct team *t = TEAM_OF(5, work_wait);
	struct cp_prep prep = { .wait_limit = MS };
	uint64_t before[5] = { 0 }, lost = 0;
	struct watch w = { };
	unsigned int i;

	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	team_go(t);
	/* Nobody takes anything. */
	EXPECT_TRUE(eventually(all_continue(t, before)));
	ASSERT_TRUE(watch_until(&w, w.nr_tracks == 5)) TH_LOG("%s", watch_why(&w));
	for (i = 0; i < w.nr_tracks; i++) {
		EXPECT_LT(9, w.tracks[i].seq);
		lost += w.tracks[i].seq - w.tracks[i].checkpoints;
	}
	EXPECT_LT(0, lost);
	EXPECT_LE(lost, w.m.get.missed);
	master_close(&w.m);
	slave_kill(t->pid);
}

TEST(every_nth_return_of_each_thread)
{
	struct team *t = TEAM_OF(4, work_sleep, work_count);
	struct cp_prep prep = { .every = 4 };
	uint64_t first[4] = { 0 }, last[4] = { 0 };
	struct watch w = { };
	unsigned int i;

	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	while (w.nr_tracks < 3 || w.tracks[0].checkpoints < 60 ||
	       w.tracks[1].checkpoints < 60 || w.tracks[2].checkpoints < 60) {
		ASSERT_EQ(1, watch_get(&w)) TH_LOG("%s", watch_why(&w));
		i = w.last - w.tracks;
		ASSERT_GT(3, i);
		if (w.last->checkpoints <= 10)
			first[i] = w.m.regs[R12];
		else
			ASSERT_LE(w.m.regs[R12], last[i] + 4);
		last[i] = w.m.regs[R12];
	}
	/* Most returns are those of calls. */
	for (i = 0; i < 3; i++)
		EXPECT_LT(2 * (w.tracks[i].checkpoints - 10), last[i] - first[i]);
	EXPECT_EQ(0, w.m.get.missed);
	master_close(&w.m);
	slave_kill(t->pid);
}

TEST(interval_of_each_thread)
{
	struct team *t = TEAM_OF(4, work_sleep, work_count);
	struct cp_prep prep = { .interval = 20 * MS };
	uint64_t last[3] = { 0 }, time;
	struct watch w = { };
	unsigned int i;

	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	while (w.nr_tracks < 3 || w.tracks[0].checkpoints < 8 ||
	       w.tracks[1].checkpoints < 8 || w.tracks[2].checkpoints < 8) {
		ASSERT_EQ(1, watch_get(&w)) TH_LOG("%s", watch_why(&w));
		i = w.last - w.tracks;
		ASSERT_GT(3, i);
		time = master_checkpoint(&w.m)->time;
		ASSERT_LE(last[i] + 20 * MS, time);
		last[i] = time;
	}
	master_close(&w.m);
	slave_kill(t->pid);
}

static bool all_wait(struct team *t)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (!is_asleep_in(t->members[i].tid, SYS_futex))
			return false;
	return true;
}

TEST(nudge_brings_all_that_sleep)
{
	struct team *t = TEAM_OF(7, work_wait);
	struct cp_prep prep = { 0 };
	uint64_t before[7] = { 0 }, brought;
	struct watch w = { };

	ASSERT_TRUE(team_start(t));
	ASSERT_TRUE(eventually(all_wait(t)));
	ASSERT_EQ(0, watch_prep(&w, t->pid, &prep));
	EXPECT_EQ(-EAGAIN, watch_rest(&w));
	ASSERT_EQ(1, watch_get_until(&w, CP_FOREVER, CP_GET_NUDGE))
		TH_LOG("%s", watch_why(&w));
	ASSERT_TRUE(watch_until(&w, w.nr_tracks == 7)) TH_LOG("%s", watch_why(&w));
	/* Their calls are restarted; an interrupt before the call is a return of its own. */
	EXPECT_TRUE(eventually(watch_rest(&w) == -EAGAIN && all_wait(t)));
	brought = w.checkpoints;
	EXPECT_EQ(-EAGAIN, watch_rest(&w));
	EXPECT_EQ(brought, w.checkpoints);
	ASSERT_EQ(0, ioctl(w.m.fd, CP_IOC_END));
	team_go(t);
	EXPECT_TRUE(eventually(all_continue(t, before)));
	master_close(&w.m);
	slave_kill(t->pid);
}

TEST_HARNESS_MAIN
