// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots through the C library: each promise that <checkpoint.h> makes for them.
 */
#include "harness.h"

#include <checkpoint.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>

#define PAGE		4096UL
#define PATIENCE	60000000000LL	/* ns */
#define LIMIT		600000000000ULL	/* ns */
#define HEAP_WORDS	4096

/*
 * A thread that spins with known values in R12 to R15 and XMM0: its argument, and four
 * times the same.
 */
void spin_with(uint64_t pattern);
extern const char spin_with_end[];

asm("	.text\n"
    "spin_with:\n"
    "	mov	%rdi, %r12\n"
    "	mov	%rdi, %r13\n"
    "	mov	%rdi, %r14\n"
    "	mov	%rdi, %r15\n"
    "	movq	%rdi, %xmm0\n"
    "1:	jmp	1b\n"
    "spin_with_end:\n");

#define PATTERN		0x5a17c0de12345678ULL

/* What the slave changes: the global and the first and the last word of its heap. */
static volatile uint64_t global;
static volatile uint64_t *heap;

/* What the test has to know of the slave, in memory that both share. */
static struct facts {
	volatile uint64_t *heap;
	void *altstack;
	volatile pid_t spinner;
	volatile uint64_t rounds;
} *facts;

static void *thread_spins(void *unused)
{
	stack_t stack = { .ss_sp = facts->altstack, .ss_size = 16 * PAGE };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMAX);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigaltstack(&stack, NULL);
	facts->spinner = gettid();
	spin_with(PATTERN);
	return NULL;
}

/* Changes all its words together, as far as one thread can. */
static int body_changes(void *unused)
{
	pthread_t thread;

	heap = malloc(HEAP_WORDS * sizeof(*heap));
	facts->altstack = malloc(16 * PAGE);
	facts->heap = heap;
	if (pthread_create(&thread, NULL, thread_spins, NULL))
		return 1;
	for (;;) {
		global++;
		heap[0] = global;
		heap[HEAP_WORDS - 1] = global;
		facts->rounds = global;
	}
}

FIXTURE(snap)
{
	struct cp_pair *pair;
	pid_t slave;
};

FIXTURE_SETUP(snap)
{
	facts = shared_memory(sizeof(*facts));
	self->pair = cp_pair_open();
	ASSERT_NE(NULL, self->pair);
}

FIXTURE_TEARDOWN(snap)
{
	cp_pair_close(self->pair);
	slave_kill(self->slave);
}

static int pair_with(struct cp_pair *pair, pid_t pid, unsigned int flags)
{
	struct cp_pair_options options = { .size = sizeof(options),
					   .flags = flags };

	return cp_pair_prep(pair, pid, &options) ? -errno : 0;
}

/* Starts a slave that has two threads. */
static int start_alone(pid_t *slave)
{
	*slave = slave_start(body_changes, NULL);
	if (!eventually(facts->spinner && facts->rounds > 2))
		return -ECHILD;
	return 0;
}

/* Starts a slave that has two threads, and pairs with it. */
static int start(struct cp_pair *pair, pid_t *slave)
{
	return start_alone(slave) ?:
	       pair_with(pair, *slave, CP_PREP_PROCESS | CP_PREP_OVERWRITE);
}

/*
 * Likewise, for cp_pair_put_back(). The slave must not inherit the page of a handle, which is
 * not in snapshots.
 */
static int start_writable(struct cp_pair **pair, pid_t *slave)
{
	struct cp_pair_options options = {
		.size = sizeof(options),
		.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE,
		.writable = 1,
	};

	cp_pair_close(*pair);
	*pair = NULL;
	if (start_alone(slave))
		return -ECHILD;
	*pair = cp_pair_open();
	return !*pair || cp_pair_prep(*pair, *slave, &options) ? -errno : 0;
}

static struct cp_snap *take(struct cp_pair *pair)
{
	return cp_pair_snapshot(pair, PATIENCE, LIMIT, NULL);
}

/* The error of a snapshot that is refused; 0 if it is not. */
static int take_error(struct cp_pair *pair)
{
	struct cp_snap *snap = take(pair);
	int error = snap ? 0 : errno;

	cp_snap_close(snap);
	return error;
}

static uint64_t word_at(const struct cp_snap *snap, const volatile void *addr)
{
	uint64_t word = 0;

	return cp_snap_read(snap, (uintptr_t)addr, &word, sizeof(word)) ==
	       sizeof(word) ? word : ~0ULL;
}

/* The index of a thread, or ~0 */
static unsigned int find_thread(const struct cp_snap *snap, pid_t tid)
{
	const struct cp_snapshot_thread *thread;
	unsigned int i;

	for (i = 0; (thread = cp_snap_thread(snap, i)); i++)
		if (thread->checkpoint.thread == tid)
			return i;
	return ~0U;
}

/* The index of the mapping that contains @addr, or ~0 */
static unsigned int find_mapping(const struct cp_snap *snap, uint64_t addr)
{
	const struct cp_snapshot_mapping *mapping;
	unsigned int i;

	for (i = 0; (mapping = cp_snap_mapping(snap, i)); i++)
		if (addr >= mapping->start && addr < mapping->end)
			return i;
	return ~0U;
}

TEST_F(snap, memory_is_that_of_one_instant)
{
	struct cp_snap *snap;
	uint64_t then;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	then = word_at(snap, &global);
	EXPECT_LT(2, then);
	/* The words are written one after another, so they may differ by one. */
	EXPECT_GE(1, then - word_at(snap, &facts->heap[0]));
	EXPECT_GE(1, then - word_at(snap, &facts->heap[HEAP_WORDS - 1]));
	EXPECT_TRUE(eventually(facts->rounds > then + 1000));
	EXPECT_EQ(then, word_at(snap, &global));
	EXPECT_GE(1, then - word_at(snap, &facts->heap[HEAP_WORDS - 1]));
	cp_snap_close(snap);
}

TEST_F(snap, threads_have_all_their_registers)
{
	const struct cp_snapshot_thread *thread;
	const struct cp_regs *regs;
	struct cp_snap *snap;
	const char *xstate;
	unsigned int i;
	size_t size = 0;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	EXPECT_EQ(2, cp_snap_head(snap)->nr_threads);
	EXPECT_EQ(self->slave, cp_snap_head(snap)->pid);
	EXPECT_EQ(NULL, cp_snap_thread(snap, 2));
	EXPECT_NE(~0U, find_thread(snap, self->slave));
	i = find_thread(snap, facts->spinner);
	thread = cp_snap_thread(snap, i);
	ASSERT_NE(NULL, thread);
	regs = &thread->checkpoint.regs;
	EXPECT_EQ(PATTERN, regs->r12);
	EXPECT_EQ(PATTERN, regs->r13);
	EXPECT_EQ(PATTERN, regs->r14);
	EXPECT_EQ(PATTERN, regs->r15);
	EXPECT_LE((uintptr_t)spin_with, regs->rip);
	EXPECT_GT((uintptr_t)spin_with_end, regs->rip);
	EXPECT_EQ(1ULL << (SIGUSR1 - 1) | 1ULL << (SIGRTMAX - 1),
		  thread->sigmask);
	EXPECT_EQ((uintptr_t)facts->altstack, thread->altstack_addr);
	EXPECT_EQ(16 * PAGE, thread->altstack_size);
	xstate = cp_snap_xstate(snap, i, &size);
	ASSERT_NE(NULL, xstate);
	EXPECT_LE(512, size);
	/* XMM0, in the area of FXSAVE. */
	EXPECT_EQ(0, memcmp(xstate + 160, &(uint64_t){ PATTERN }, 8));
	EXPECT_EQ(NULL, cp_snap_xstate(snap, 2, &size));
	cp_snap_close(snap);
}

TEST_F(snap, mappings_are_in_order_and_named)
{
	const struct cp_snapshot_mapping *mapping;
	struct cp_snap *snap;
	uint64_t last = 0;
	unsigned int i;
	char exe[256] = "";

	ASSERT_EQ(0, start(self->pair, &self->slave));
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	for (i = 0; (mapping = cp_snap_mapping(snap, i)); i++) {
		EXPECT_LE(last, mapping->start);
		EXPECT_LT(mapping->start, mapping->end);
		last = mapping->end;
	}
	EXPECT_EQ(cp_snap_head(snap)->nr_mappings, i);
	EXPECT_EQ(NULL, cp_snap_name(snap, i));
	ASSERT_LT(0, readlink("/proc/self/exe", exe, sizeof(exe) - 1));
	i = find_mapping(snap, (uintptr_t)&global);
	ASSERT_NE(~0U, i);
	EXPECT_EQ(CP_MAPPING_READ | CP_MAPPING_WRITE,
		  cp_snap_mapping(snap, i)->flags &
		  (CP_MAPPING_READ | CP_MAPPING_WRITE | CP_MAPPING_ABSENT));
	i = find_mapping(snap, (uintptr_t)spin_with);
	ASSERT_NE(~0U, i);
	EXPECT_STREQ(exe, cp_snap_name(snap, i));
	i = find_mapping(snap, (uintptr_t)facts);
	ASSERT_NE(~0U, i);
	EXPECT_TRUE(cp_snap_mapping(snap, i)->flags & CP_MAPPING_ABSENT);
	cp_snap_close(snap);
}

TEST_F(snap, reads_end_where_memory_does)
{
	static char buf[4 * PAGE];
	struct cp_snap *snap;
	uint64_t end;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	EXPECT_EQ(-1, cp_snap_read(snap, 0, buf, 1));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, cp_snap_read(snap, CP_SNAPSHOT_HEAD, buf, 1));
	EXPECT_EQ(EIO, errno);
	/* Shared memory is not in it. */
	EXPECT_EQ(-1, cp_snap_read(snap, (uintptr_t)facts, buf, 1));
	EXPECT_EQ(EIO, errno);
	/* The main thread's stack: nothing above it is memory of the process. */
	end = cp_snap_mapping(snap, find_mapping(snap, (uintptr_t)&end))->end;
	EXPECT_EQ(10, cp_snap_read(snap, end - 10, buf, sizeof(buf)));
	EXPECT_EQ(-1, cp_snap_read(snap, (uintptr_t)&global, (void *)1, 8));
	EXPECT_EQ(EFAULT, errno);
	cp_snap_close(snap);
}

TEST_F(snap, outlives_the_process_and_the_pair)
{
	struct cp_snap *snap, *other;
	uint64_t then;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	then = word_at(snap, &global);
	slave_kill(self->slave);
	cp_pair_close(self->pair);
	self->pair = NULL;
	EXPECT_EQ(then, word_at(snap, &global));
	EXPECT_EQ(FD_CLOEXEC, fcntl(cp_snap_fd(snap), F_GETFD));
	other = cp_snap_open(dup(cp_snap_fd(snap)));
	ASSERT_NE(NULL, other);
	cp_snap_close(snap);
	EXPECT_EQ(then, word_at(other, &global));
	EXPECT_NE(NULL, cp_snap_thread(other, 1));
	errno = 42;
	cp_snap_close(other);
	cp_snap_close(NULL);
	EXPECT_EQ(42, errno);
}

TEST_F(snap, held_slave_stays_held)
{
	struct cp_snap *snap;
	uint64_t then;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	ASSERT_EQ(2, cp_pair_hold(self->pair, PATIENCE, LIMIT, CP_HOLD_ASLEEP,
				  NULL));
	then = facts->rounds;
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	EXPECT_GE(1, word_at(snap, &global) - then);
	sleep_ms(20);
	EXPECT_EQ(then, facts->rounds);
	EXPECT_EQ(0, cp_pair_release(self->pair));
	EXPECT_TRUE(eventually(facts->rounds > then + 1000));
	cp_snap_close(snap);
}

/* Two pairs are too many for one process: each case pairs at most once. */
TEST_F(snap, refused_without_a_pair)
{
	EXPECT_EQ(ENOTCONN, take_error(self->pair));
	self->slave = slave_start(body_sleep, NULL);
	ASSERT_TRUE(eventually(task_syscall(self->slave) == SYS_pause));
	ASSERT_EQ(0, pair_with(self->pair, self->slave, 0));
	EXPECT_EQ(EINVAL, take_error(self->pair));
}

TEST_F(snap, refused_after_the_end)
{
	ASSERT_EQ(0, start(self->pair, &self->slave));
	slave_kill(self->slave);
	EXPECT_TRUE(eventually(take_error(self->pair) == EPIPE));
}

TEST_F(snap, names_the_thread_that_is_late)
{
	struct cp_snap *snap;
	pid_t late = 0;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	kill(self->slave, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(self->slave) == 'T' &&
			       task_state(facts->spinner) == 'T'));
	snap = cp_pair_snapshot(self->pair, 1000000, 0, &late);
	EXPECT_EQ(NULL, snap);
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_TRUE(late == self->slave || late == facts->spinner);
	kill(self->slave, SIGCONT);
	snap = take(self->pair);
	EXPECT_NE(NULL, snap);
	cp_snap_close(snap);
}

static int body_filtered(void *unused)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, all };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 1;
	for (;;)
		pause();
}

TEST_F(snap, refused_under_a_filter)
{
	self->slave = slave_start(body_filtered, NULL);
	ASSERT_TRUE(eventually(task_syscall(self->slave) == SYS_pause));
	ASSERT_EQ(0, pair_with(self->pair, self->slave, CP_PREP_PROCESS));
	EXPECT_EQ(EACCES, take_error(self->pair));
}

TEST(open_refuses)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	EXPECT_EQ(NULL, cp_snap_open(-1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(NULL, cp_snap_open(fd));
	EXPECT_EQ(EINVAL, errno);
	/* The descriptor is still the caller's. */
	EXPECT_EQ(0, close(fd));
}

/* The flags of the change at @addr, through a buffer of one; 0 if there is none. */
static uint32_t change_at(struct cp_pair *pair, const struct cp_snap *now,
			  const struct cp_snap *then, const volatile void *addr)
{
	struct cp_change change;
	uint64_t at = 0;
	int nr;

	while (at != CP_FOREVER) {
		nr = pair ? cp_pair_changes(pair, then, at, &change, 1, &at) :
			    cp_snap_changes(now, then, at, &change, 1, &at);
		if (nr < 0)
			return ~0U;
		if (nr && (uintptr_t)addr >= change.start && (uintptr_t)addr < change.end)
			return change.flags;
	}
	return 0;
}

TEST_F(snap, changes)
{
	struct cp_snap *then, *now;
	struct cp_change change;
	uint64_t rounds, next;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	then = cp_pair_snapshot_with(self->pair, CP_SNAPSHOT_CHANGES, PATIENCE, LIMIT, NULL);
	ASSERT_NE(NULL, then);
	rounds = facts->rounds;
	ASSERT_TRUE(eventually(facts->rounds > rounds + 2));
	EXPECT_EQ(-1, cp_pair_changes(self->pair, then, 0, &change, 1, &next));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(2, cp_pair_hold(self->pair, PATIENCE, LIMIT, 0, NULL));
	EXPECT_EQ(-1, cp_pair_changes(self->pair, then, 0, &change, 0, &next));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(CP_CHANGE_CONTENT, change_at(self->pair, NULL, then, &global));
	EXPECT_EQ(CP_CHANGE_CONTENT, change_at(self->pair, NULL, then, facts->heap));
	EXPECT_EQ(0, change_at(self->pair, NULL, then, spin_with_end));
	now = take(self->pair);
	ASSERT_NE(NULL, now);
	cp_pair_end(self->pair);
	EXPECT_EQ(CP_CHANGE_CONTENT, change_at(NULL, now, then, &global));
	EXPECT_EQ(0, change_at(NULL, now, then, spin_with_end));
	cp_snap_close(now);
	cp_snap_close(then);
}

TEST_F(snap, put_back)
{
	struct cp_snap *snap;
	uint64_t then, pages;
	unsigned int i;

	ASSERT_EQ(0, start_writable(&self->pair, &self->slave));
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	then = word_at(snap, &global);
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(eventually(facts->rounds > then + 1000));
		pages = 0;
		ASSERT_EQ(2, cp_pair_hold(self->pair, PATIENCE, LIMIT, 0, NULL));
		ASSERT_EQ(0, cp_pair_put_back(self->pair, snap, PATIENCE, LIMIT,
					      &pages, NULL));
		EXPECT_LT(0, pages);
		/* The held slave has not executed anything since the snapshot. */
		EXPECT_EQ(0, change_at(self->pair, NULL, snap, &global));
		EXPECT_EQ(0, change_at(self->pair, NULL, snap, facts->heap));
		facts->rounds = 0;
		ASSERT_EQ(0, cp_pair_release(self->pair));
		ASSERT_TRUE(eventually(facts->rounds));
	}
	/* Without a hold, it continues at once. */
	facts->rounds = 0;
	ASSERT_EQ(0, cp_pair_put_back(self->pair, snap, PATIENCE, LIMIT, NULL, NULL));
	EXPECT_TRUE(eventually(facts->rounds > then));
	cp_snap_close(snap);
}

TEST_F(snap, put_back_needs_a_writable_proof)
{
	struct cp_pair_options options = { .size = sizeof(options), .writable = 2 };
	struct cp_snap *snap;
	uint64_t rounds;

	ASSERT_EQ(0, start(self->pair, &self->slave));
	snap = take(self->pair);
	ASSERT_NE(NULL, snap);
	EXPECT_EQ(-1, cp_pair_put_back(self->pair, snap, PATIENCE, LIMIT, NULL, NULL));
	EXPECT_EQ(EROFS, errno);
	rounds = facts->rounds;
	EXPECT_TRUE(eventually(facts->rounds > rounds + 1000));
	cp_snap_close(snap);
	EXPECT_EQ(-1, cp_pair_prep(self->pair, self->slave, &options));
	EXPECT_EQ(EINVAL, errno);
}

/* Documentation/examples/fuzz.c: each input is the first that the target parses. */
TEST(example)
{
	FILE *out = popen("build/selftests/fuzz-example", "re");
	char text[256] = "";

	ASSERT_NE(NULL, out);
	fread(text, 1, sizeof(text) - 1, out);
	EXPECT_EQ(0, pclose(out));
	EXPECT_STREQ("input 42 crashes the target\nparse() was called 1 time\n", text);
}

TEST_HARNESS_MAIN
