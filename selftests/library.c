// SPDX-License-Identifier: GPL-2.0-only
/*
 * The C library: each promise that <checkpoint.h> makes for the original calls and
 * for the interface by handle.
 */
#include "harness.h"

#include <checkpoint.h>
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>

#define KTHREADD	2
#define NOT_A_PID	0x3fffff	/* above every pid_max */
#define NOBODY		65534
#define PAGE		4096UL
#define FOREVER		(-1LL)
#define PATIENCE	10000000000LL	/* ns; of a get that must not time out */

/* The pattern of register @i, in the order of cp_get(). */
#define PATTERN(i)	(((i) + 1) * 0x0101010101010101ULL)

/*
 * Two slaves in assembler. slave_counts() counts its system calls (getppid) in R12
 * and at both ends of its red zone. slave_patterns() spins with PATTERN() in all
 * registers but RSP, which is its argument.
 */
void slave_counts(void);
void slave_patterns(void *sp);
extern const char slave_counts_end[], slave_patterns_spin[];

asm("	.text\n"
    "slave_counts:\n"
    "	xor	%r12d, %r12d\n"
    "1:	inc	%r12\n"
    "	mov	%r12, -8(%rsp)\n"
    "	mov	%r12, -128(%rsp)\n"
    "	mov	$110, %eax\n"
    "	syscall\n"
    "	jmp	1b\n"
    "slave_counts_end:\n"
    "slave_patterns:\n"
    "	mov	%rdi, %rsp\n"
    "	movabs	$0x0101010101010101, %rax\n"
    "	movabs	$0x0202020202020202, %rcx\n"
    "	movabs	$0x0303030303030303, %rdx\n"
    "	movabs	$0x0404040404040404, %rbx\n"
    "	movabs	$0x0606060606060606, %rbp\n"
    "	movabs	$0x0707070707070707, %rsi\n"
    "	movabs	$0x0808080808080808, %rdi\n"
    "	movabs	$0x0909090909090909, %r8\n"
    "	movabs	$0x0a0a0a0a0a0a0a0a, %r9\n"
    "	movabs	$0x0b0b0b0b0b0b0b0b, %r10\n"
    "	movabs	$0x0c0c0c0c0c0c0c0c, %r11\n"
    "	movabs	$0x0d0d0d0d0d0d0d0d, %r12\n"
    "	movabs	$0x0e0e0e0e0e0e0e0e, %r13\n"
    "	movabs	$0x0f0f0f0f0f0f0f0f, %r14\n"
    "	movabs	$0x1010101010101010, %r15\n"
    "slave_patterns_spin:\n"
    "	jmp	slave_patterns_spin\n");

static int body_counts(void *unused)
{
	slave_counts();
	return 0;
}

static int body_patterns(void *sp)
{
	slave_patterns(sp);
	return 0;
}

static int body_execs(void *unused)
{
	execl("/bin/sleep", "sleep", "1000", NULL);
	return 1;
}

static pid_t start(int (*body)(void *))
{
	return slave_start(body, NULL);
}

/* Starts a slave and waits until it sleeps in the kernel. */
static pid_t start_asleep(void)
{
	pid_t pid = start(body_sleep);

	return eventually(task_state(pid) == 'S') ? pid : -1;
}

/* Calls cp_prep(); returns 0 or errno. */
static int prep_error(pid_t pid)
{
	errno = 0;
	return cp_prep(pid) ? 0 : errno;
}

/* Calls cp_get(); returns 0 with a checkpoint, -1 at the pair's end, or errno. */
static int get_error(uint64_t *regs)
{
	errno = EBADF;
	if (cp_get(regs))
		return 0;
	return errno ?: -1;
}

static bool in_slave_counts(const uint64_t *regs)
{
	return regs[RIP] > (uintptr_t)slave_counts &&
	       regs[RIP] < (uintptr_t)slave_counts_end;
}

/* Takes checkpoints until the slave counts. */
static bool get_counting(uint64_t *regs)
{
	do {
		if (!cp_get(regs))
			return false;
	} while (!in_slave_counts(regs));
	return true;
}

/* Pages with known contents, between two pages without access. */
static unsigned char *lone_pages(unsigned int nr)
{
	unsigned char *pages = mmap(NULL, (nr + 2) * PAGE, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + PAGE;
	size_t i;

	mprotect(pages, nr * PAGE, PROT_READ | PROT_WRITE);
	for (i = 0; i < nr * PAGE; i++)
		pages[i] = i * 7 + i / PAGE;
	return pages;
}

static void *read_only_page(void)
{
	return mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void on_alarm(int unused)
{
}

/* Installs @handler for a signal that comes every 5 ms. */
static void tick(void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct itimerval often = {
		.it_value.tv_usec = 5000,
		.it_interval.tv_usec = 5000,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void stop_ticking(void)
{
	struct itimerval never = {};

	setitimer(ITIMER_REAL, &never, NULL);
}

static int mappings_of_the_device(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int count = 0;

	while (maps && fgets(line, sizeof(line), maps))
		count += !!strstr(line, CP_DEVICE);
	if (maps)
		fclose(maps);
	return count;
}

/*
 * The original calls
 */

TEST(prep_gives_the_region)
{
	pid_t slave = start(body_counts);
	const struct cp_region_head *head = cp_prep(slave);
	const struct cp_checkpoint *checkpoint;
	uint64_t regs[CP_N_REG + 1];

	ASSERT_NE(NULL, head);
	EXPECT_EQ(CP_REGION_MAGIC, head->magic);
	EXPECT_EQ(CP_VERSION, head->version);
	EXPECT_EQ(1, head->nr_slots);
	ASSERT_TRUE(cp_get(regs));
	checkpoint = (const void *)((const char *)head + head->slots_offset);
	EXPECT_EQ(1, checkpoint->seq);
	EXPECT_EQ(regs[RIP], checkpoint->regs.rip);
	EXPECT_EQ(regs[RSP], checkpoint->regs.rsp);
	slave_kill(slave);
}

TEST(get_gives_the_registers_in_order)
{
	unsigned char *pages = lone_pages(1);
	pid_t slave = slave_start(body_patterns, pages + 1024);
	uint64_t regs[CP_N_REG + 1];
	unsigned int i;

	ASSERT_NE(NULL, cp_prep(slave));
	do {
		ASSERT_TRUE(cp_get(regs));
	} while (regs[RIP] != (uintptr_t)slave_patterns_spin);
	for (i = 0; i < CP_N_REG; i++) {
		EXPECT_EQ(i == RSP ? (uintptr_t)pages + 1024 : PATTERN(i),
			  regs[i]);
	}
	slave_kill(slave);
}

TEST(get_writes_no_more_than_the_registers)
{
	pid_t slave = start(body_counts);
	uint64_t regs[CP_N_REG + 2];

	ASSERT_NE(NULL, cp_prep(slave));
	regs[CP_N_REG + 1] = 42;
	ASSERT_TRUE(cp_get(regs));
	EXPECT_EQ(42, regs[CP_N_REG + 1]);
	slave_kill(slave);
}

TEST(stack_finds_the_copy)
{
	unsigned char *pages = lone_pages(3), *sp = pages + PAGE + 1024;
	unsigned char *end = pages + 3 * PAGE, *begin = sp - 128;
	pid_t slave = slave_start(body_patterns, sp);
	uint64_t regs[CP_N_REG + 1];
	const void *copy;
	size_t left = 0;

	ASSERT_NE(NULL, cp_prep(slave));
	do {
		ASSERT_TRUE(cp_get(regs));
	} while (regs[RIP] != (uintptr_t)slave_patterns_spin);

	copy = cp_stack(regs[RSP], &left);
	ASSERT_NE(NULL, copy);
	EXPECT_EQ(end - sp, left);
	EXPECT_EQ(0, memcmp(sp, copy, left));
	/* The borders: the red zone's first byte, the mapping's last. */
	EXPECT_EQ((const char *)copy - 128,
		  cp_stack((uintptr_t)begin, &left));
	EXPECT_EQ(end - begin, left);
	EXPECT_EQ(0, memcmp(begin, (const char *)copy - 128, left));
	EXPECT_NE(NULL, cp_stack((uintptr_t)end - 1, &left));
	EXPECT_EQ(1, left);
	/* Addresses outside of the copy. */
	EXPECT_EQ(NULL, cp_stack((uintptr_t)begin - 1, &left));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(NULL, cp_stack((uintptr_t)end, NULL));
	EXPECT_EQ(NULL, cp_stack(0, NULL));
	EXPECT_EQ(NULL, cp_stack(~0ULL, NULL));
	EXPECT_EQ(1, left);
	slave_kill(slave);
}

TEST(stack_without_a_checkpoint)
{
	pid_t slave = start_asleep();

	EXPECT_EQ(NULL, cp_stack(0, NULL));
	EXPECT_EQ(ENODATA, errno);
	ASSERT_NE(NULL, cp_prep(slave));
	errno = 0;
	EXPECT_EQ(NULL, cp_stack(0, NULL));
	EXPECT_EQ(ENODATA, errno);
	slave_kill(slave);
}

static int body_ends_soon(void *unused)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		syscall(SYS_getppid);
	return 3;
}

TEST(get_reports_the_end_again_and_again)
{
	uint64_t regs[CP_N_REG + 1], sp;
	pid_t slave = start(body_counts);
	int i;

	ASSERT_NE(NULL, cp_prep(slave));
	ASSERT_TRUE(get_counting(regs));
	sp = regs[RSP];
	kill(slave, SIGKILL);
	while (get_error(regs) == 0)
		;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-1, get_error(regs));
	/* The same once the slave has been reaped. */
	slave_kill(slave);
	EXPECT_EQ(-1, get_error(regs));
	EXPECT_NE(NULL, cp_stack(sp, NULL));
}

TEST(get_takes_all_until_the_exit)
{
	uint64_t regs[CP_N_REG + 1];
	int ends[2], status, n = 0;
	pid_t slave;
	char go;

	ASSERT_EQ(0, pipe(ends));
	slave = fork_mortal();
	if (slave == 0) {
		close(ends[1]);
		/* read() returns 0 when the parent closes the pipe after cp_prep(). */
		_exit(read(ends[0], &go, 1) ?: body_ends_soon(NULL));
	}
	ASSERT_NE(NULL, cp_prep(slave));
	close(ends[1]);
	while (get_error(regs) == 0)
		n++;
	EXPECT_EQ(-1, get_error(regs));
	EXPECT_LE(50, n);
	EXPECT_EQ(slave, waitpid(slave, &status, 0));
	EXPECT_EQ(3, WEXITSTATUS(status));
	/* The last checkpoint is still there. */
	EXPECT_NE(NULL, cp_stack(regs[RSP], NULL));
}

TEST(get_without_a_pair)
{
	uint64_t regs[CP_N_REG + 1];

	EXPECT_EQ(ENOTCONN, get_error(regs));
	/* The same after a refused cp_prep(), which has opened the device. */
	EXPECT_EQ(ESRCH, prep_error(NOT_A_PID));
	EXPECT_EQ(ENOTCONN, get_error(regs));
}

static void *thread_waits(void *tid)
{
	__atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

TEST(prep_refuses)
{
	pid_t thread = 0, slave = start_asleep();
	uint64_t regs[CP_N_REG + 1];
	pthread_t unused;

	ASSERT_EQ(0, pthread_create(&unused, NULL, thread_waits, &thread));
	ASSERT_TRUE(eventually(__atomic_load_n(&thread, __ATOMIC_SEQ_CST)));

	EXPECT_EQ(EINVAL, prep_error(0));
	EXPECT_EQ(EINVAL, prep_error(-1));
	EXPECT_EQ(EINVAL, prep_error(INT_MIN));
	EXPECT_EQ(EINVAL, prep_error(getpid()));
	EXPECT_EQ(EINVAL, prep_error(thread));
	EXPECT_EQ(ESRCH, prep_error(NOT_A_PID));
	EXPECT_EQ(ESRCH, prep_error(INT_MAX));
	EXPECT_EQ(EPERM, prep_error(KTHREADD));
	/* None of the refused calls left a pair or a mapping. */
	EXPECT_EQ(ENOTCONN, get_error(regs));
	EXPECT_EQ(0, mappings_of_the_device());
	EXPECT_EQ(0, prep_error(slave));
	slave_kill(slave);
}

TEST(prep_refuses_the_dead)
{
	pid_t slave = start(body_sleep);
	siginfo_t info;

	kill(slave, SIGKILL);
	ASSERT_EQ(0, waitid(P_PID, slave, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(ESRCH, prep_error(slave));
}

TEST(prep_as_a_master_already)
{
	pid_t slave = start(body_counts), other = start(body_counts);
	uint64_t regs[CP_N_REG + 1];
	const char *region;

	region = cp_prep(slave);
	ASSERT_NE(NULL, region);
	ASSERT_TRUE(get_counting(regs));
	EXPECT_EQ(EALREADY, prep_error(other));
	EXPECT_EQ(EALREADY, prep_error(slave));
	EXPECT_EQ(EALREADY, prep_error(NOT_A_PID));
	/* The pair and the last checkpoint are unchanged. */
	EXPECT_EQ(1, mappings_of_the_device());
	EXPECT_NE(NULL, cp_stack(regs[RSP], NULL));
	EXPECT_EQ(0, get_error(regs));
	slave_kill(slave);
	slave_kill(other);
}

struct getter {
	pthread_t thread;
	pid_t tid;
	int error;
};

static void *thread_gets(void *arg)
{
	struct getter *getter = arg;
	uint64_t regs[CP_N_REG + 1];

	__atomic_store_n(&getter->tid, gettid(), __ATOMIC_SEQ_CST);
	getter->error = get_error(regs);
	return NULL;
}

/* Starts a thread in cp_get(); true once it waits. */
static bool start_getter(struct getter *getter)
{
	pid_t tid;

	getter->tid = 0;
	getter->error = EBADF;
	return !pthread_create(&getter->thread, NULL, thread_gets, getter) &&
	       eventually((tid = __atomic_load_n(&getter->tid,
						 __ATOMIC_SEQ_CST))) &&
	       eventually(task_state(tid) == 'S');
}

TEST(prep_while_another_thread_waits)
{
	pid_t slave = start_asleep(), other = start(body_counts);
	uint64_t regs[CP_N_REG + 1];
	struct getter getter;

	ASSERT_NE(NULL, cp_prep(slave));
	ASSERT_TRUE(start_getter(&getter));
	EXPECT_EQ(EALREADY, prep_error(other));
	EXPECT_EQ(NULL, cp_stack(0, NULL));
	slave_kill(slave);
	EXPECT_EQ(0, pthread_join(getter.thread, NULL));
	EXPECT_EQ(-1, getter.error);
	EXPECT_EQ(0, prep_error(other));
	EXPECT_EQ(0, get_error(regs));
	slave_kill(other);
}

TEST(prep_for_one_that_is_paired)
{
	pid_t slave = start(body_counts), master;
	int fd = device_open();

	ASSERT_LE(0, fd);
	master = other_master(fd, slave);
	ASSERT_LT(0, master);
	EXPECT_EQ(EBUSY, prep_error(slave));
	EXPECT_EQ(EBUSY, prep_error(master));
	/* Once its master has died, the slave can be paired again. */
	slave_kill(master);
	EXPECT_TRUE(eventually(prep_error(slave) == 0));
	slave_kill(slave);
}

struct deadlock {
	int pipe;
	pid_t other;
};

/* A slave that tries to become a master. */
static int body_preps(void *arg)
{
	struct deadlock *deadlock = arg;
	char go;

	if (read(deadlock->pipe, &go, 1) != 1)
		return 1;
	return prep_error(deadlock->other);
}

TEST(prep_as_a_slave)
{
	struct deadlock deadlock = { .other = start_asleep() };
	uint64_t regs[CP_N_REG + 1];
	int ends[2], status = 0;
	pid_t slave;

	ASSERT_EQ(0, pipe(ends));
	deadlock.pipe = ends[0];
	slave = slave_start(body_preps, &deadlock);
	ASSERT_NE(NULL, cp_prep(slave));
	ASSERT_EQ(1, write(ends[1], "g", 1));
	while (cp_get(regs))
		;
	EXPECT_EQ(slave, waitpid(slave, &status, 0));
	EXPECT_EQ(EDEADLK, WEXITSTATUS(status));
	slave_kill(deadlock.other);
}

static int body_unprivileged(void *slave)
{
	if (setresuid(NOBODY, NOBODY, NOBODY))
		return 1;
	return prep_error(*(pid_t *)slave);
}

/* Opens the device by a first cp_prep(), and then gives up root. */
static int body_privileged_before(void *slave)
{
	if (prep_error(NOT_A_PID) != ESRCH)
		return 1;
	return body_unprivileged(slave);
}

TEST(prep_without_permission)
{
	pid_t slave = start_asleep();

	EXPECT_EQ(EACCES, in_child(body_unprivileged, &slave));
	EXPECT_EQ(EPERM, in_child(body_privileged_before, &slave));
	EXPECT_EQ(0, prep_error(slave));
	slave_kill(slave);
}

/* After a failed call, the next checkpoint is the one that the call missed. */
static bool next_is_next(uint64_t *last)
{
	uint64_t regs[CP_N_REG + 1], step;

	do {
		if (get_error(regs))
			return false;
		step = regs[R12] - *last;
		if (step > 1)
			return false;
	} while (!step);
	*last = regs[R12];
	return true;
}

TEST(get_with_a_bad_address_loses_nothing)
{
	pid_t slave = start(body_counts);
	uint64_t regs[CP_N_REG + 1], last, *bad = read_only_page();
	unsigned char *edge = lone_pages(1) + PAGE - CP_N_REG * 8;
	int i;

	ASSERT_NE(NULL, cp_prep(slave));
	ASSERT_TRUE(get_counting(regs));
	last = regs[R12];
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(EFAULT, get_error(NULL));
		ASSERT_EQ(EFAULT, get_error(bad));
		ASSERT_EQ(EFAULT, get_error(bad));
		/* All but the last register would fit. */
		ASSERT_EQ(EFAULT, get_error((uint64_t *)edge));
		ASSERT_EQ(EFAULT, get_error((uint64_t *)~0xfffULL));
		ASSERT_TRUE(next_is_next(&last));
	}
	slave_kill(slave);
}

TEST(get_is_interrupted)
{
	pid_t slave = start_asleep();
	uint64_t regs[CP_N_REG + 1];

	ASSERT_NE(NULL, cp_prep(slave));
	tick(on_alarm, 0);
	EXPECT_EQ(EINTR, get_error(regs));
	EXPECT_EQ(EINTR, get_error(regs));
	stop_ticking();
	slave_kill(slave);
	EXPECT_EQ(-1, get_error(regs));
}

static pid_t kill_on_third;
static volatile sig_atomic_t alarms;

static void on_alarm_count(int unused)
{
	if (++alarms == 3)
		kill(kill_on_third, SIGKILL);
}

TEST(get_goes_on_after_a_signal)
{
	pid_t slave = start_asleep();
	uint64_t regs[CP_N_REG + 1];

	ASSERT_NE(NULL, cp_prep(slave));
	kill_on_third = slave;
	tick(on_alarm_count, SA_RESTART);
	EXPECT_EQ(-1, get_error(regs));
	stop_ticking();
	EXPECT_LE(3, alarms);
}

TEST(get_with_signals_loses_nothing)
{
	pid_t slave = start(body_counts);
	uint64_t regs[CP_N_REG + 1], last;
	int error, taken = 0;

	ASSERT_NE(NULL, cp_prep(slave));
	ASSERT_TRUE(get_counting(regs));
	last = regs[R12];
	alarms = 3;
	tick(on_alarm_count, 0);
	while (taken < 1000 || alarms < 20) {
		error = get_error(regs);
		if (error == EINTR)
			continue;
		ASSERT_EQ(0, error);
		ASSERT_GE(1, regs[R12] - last);
		last = regs[R12];
		taken++;
	}
	stop_ticking();
	slave_kill(slave);
}

TEST(pairs_again_after_the_end)
{
	uint64_t regs[CP_N_REG + 1];
	pid_t slave;
	int i;

	for (i = 0; i < 5; i++) {
		slave = start(body_counts);
		ASSERT_EQ(0, prep_error(slave));
		/* The earlier pair's region and checkpoint are gone. */
		EXPECT_EQ(1, mappings_of_the_device());
		EXPECT_EQ(NULL, cp_stack(regs[RSP], NULL));
		ASSERT_TRUE(get_counting(regs));
		slave_kill(slave);
		while (cp_get(regs))
			;
		EXPECT_EQ(0, errno);
		/* A refused cp_prep() changes nothing. */
		EXPECT_EQ(ESRCH, prep_error(slave));
		EXPECT_EQ(-1, get_error(regs));
		EXPECT_NE(NULL, cp_stack(regs[RSP], NULL));
	}
}

static int body_child_of_master(void *other)
{
	uint64_t regs[CP_N_REG + 1];
	pid_t slave = start(body_counts);
	int bad = 0;

	bad |= get_error(regs) != EPERM;
	bad |= (cp_stack(*(uint64_t *)other, NULL) || errno != ENODATA) << 1;
	/* The child can make a pair of its own. */
	bad |= (prep_error(slave) != 0) << 2;
	bad |= !get_counting(regs) << 3;
	bad |= !cp_stack(regs[RSP], NULL) << 4;
	slave_kill(slave);
	return bad;
}

TEST(child_is_not_the_master)
{
	pid_t slave = start(body_counts);
	uint64_t regs[CP_N_REG + 1], last, sp;

	ASSERT_NE(NULL, cp_prep(slave));
	ASSERT_TRUE(get_counting(regs));
	last = regs[R12];
	sp = regs[RSP];
	EXPECT_EQ(0, in_child(body_child_of_master, &sp));
	/* The parent's pair still works. */
	EXPECT_NE(NULL, cp_stack(sp, NULL));
	EXPECT_TRUE(next_is_next(&last));
	slave_kill(slave);
}

#define TAKES 400

static void *thread_takes(void *arg)
{
	uint64_t *count = arg, regs[CP_N_REG + 1];
	unsigned int i;

	for (i = 0; i < TAKES; i++)
		count[i] = get_counting(regs) ? regs[R12] : 0;
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

TEST(two_threads_share_the_checkpoints)
{
	uint64_t regs[CP_N_REG + 1], counts[2 * TAKES];
	unsigned int i, distinct = 1;
	pthread_t threads[2];
	pid_t slave = start(body_counts);

	ASSERT_NE(NULL, cp_prep(slave));
	ASSERT_TRUE(get_counting(regs));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, thread_takes,
					    counts + i * TAKES));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));

	/* Each checkpoint went to exactly one thread. */
	qsort(counts, 2 * TAKES, sizeof(counts[0]), compare);
	EXPECT_GE(1, counts[0] - regs[R12]);
	for (i = 1; i < 2 * TAKES; i++) {
		EXPECT_GE(1, counts[i] - counts[i - 1]);
		distinct += counts[i] != counts[i - 1];
	}
	EXPECT_LT(2 * TAKES * 3 / 4, distinct);
	slave_kill(slave);
}

/*
 * The full interface, by handle
 */

FIXTURE(handle)
{
	struct cp_pair *pair;
	pid_t slave;
};

FIXTURE_SETUP(handle)
{
	self->slave = start(body_counts);
	self->pair = cp_pair_open();
	ASSERT_NE(NULL, self->pair);
}

FIXTURE_TEARDOWN(handle)
{
	cp_pair_close(self->pair);
	EXPECT_EQ(0, mappings_of_the_device());
	slave_kill(self->slave);
}

/* Calls cp_pair_prep() without options; returns 0 or errno. */
static int pair_prep(struct cp_pair *pair, pid_t pid)
{
	return cp_pair_prep(pair, pid, NULL) ? errno : 0;
}

/* Calls cp_pair_get(); returns 1, 0 or -errno. */
static int pair_get(struct cp_pair *pair, int64_t timeout, unsigned int flags)
{
	int ret = cp_pair_get(pair, timeout, flags);

	return ret < 0 ? -errno : ret;
}

/* The events that poll(2) reports within @ms. */
static int pair_poll(struct cp_pair *pair, int ms)
{
	struct pollfd p = { .fd = cp_pair_fd(pair), .events = POLLIN };

	return poll(&p, 1, ms) < 0 ? -errno : p.revents;
}

/* Replaces the slave by one that sleeps already, and pairs with it. */
static int pair_asleep(struct cp_pair *pair, pid_t *slave)
{
	slave_kill(*slave);
	*slave = start_asleep();
	return pair_prep(pair, *slave);
}

TEST(closes_nothing)
{
	errno = 42;
	cp_pair_close(NULL);
	EXPECT_EQ(42, errno);
}

TEST_F(handle, close_keeps_errno)
{
	struct cp_pair *other = cp_pair_open();

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, pair_prep(other, self->slave));
	errno = 42;
	cp_pair_close(other);
	EXPECT_EQ(42, errno);
	/* The close ended the pair. */
	EXPECT_TRUE(eventually(pair_prep(self->pair, self->slave) == 0));
}

TEST_F(handle, info)
{
	struct cp_info info = {};

	ASSERT_EQ(0, cp_pair_info(self->pair, &info));
	EXPECT_EQ(CP_VERSION, info.version);
	EXPECT_TRUE(info.features & CP_FEATURE_RENDEZVOUS);
	EXPECT_TRUE(info.features & CP_FEATURE_NUDGE);
	EXPECT_TRUE(info.features & CP_FEATURE_WAIT_LIMIT);
	EXPECT_LT(0, info.stack_default);
	EXPECT_LE(info.stack_default, info.stack_max);
}

TEST_F(handle, without_a_pair)
{
	size_t size = 42;
	int status = 42;

	EXPECT_EQ(NULL, cp_pair_region(self->pair, &size));
	EXPECT_EQ(42, size);
	EXPECT_EQ(NULL, cp_pair_checkpoint(self->pair));
	EXPECT_EQ(NULL, cp_pair_segment(self->pair, 0));
	EXPECT_EQ(NULL, cp_pair_segment_data(self->pair, 0));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, 0, 0));
	EXPECT_EQ(CP_END_NONE, cp_pair_ended(self->pair, &status));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, cp_pair_missed(self->pair));
	EXPECT_EQ(-ENOTCONN, pair_get(self->pair, FOREVER, 0));
	EXPECT_EQ(-1, cp_pair_end(self->pair));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(POLLERR, pair_poll(self->pair, 0));
}

TEST_F(handle, descriptor_is_not_inherited_by_exec)
{
	EXPECT_EQ(FD_CLOEXEC, fcntl(cp_pair_fd(self->pair), F_GETFD));
}

TEST_F(handle, prep_refuses)
{
	struct cp_pair *other = cp_pair_open();
	struct rlimit limit, none;

	ASSERT_NE(NULL, other);
	EXPECT_EQ(EINVAL, pair_prep(self->pair, 0));
	EXPECT_EQ(EINVAL, pair_prep(self->pair, getpid()));
	EXPECT_EQ(ESRCH, pair_prep(self->pair, NOT_A_PID));
	EXPECT_EQ(EPERM, pair_prep(self->pair, KTHREADD));
	/* Without a descriptor for the proof of access, the error is EMFILE. */
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(EMFILE, pair_prep(self->pair, self->slave));
	EXPECT_EQ(ESRCH, pair_prep(self->pair, NOT_A_PID));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));

	EXPECT_EQ(-ENOTCONN, pair_get(self->pair, 0, 0));
	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	EXPECT_EQ(EALREADY, pair_prep(self->pair, self->slave));
	EXPECT_EQ(EALREADY, pair_prep(other, self->slave));
	EXPECT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	cp_pair_close(other);
}

TEST_F(handle, prep_without_address_space)
{
	struct rlimit limit, none;

	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &limit));
	none = limit;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	EXPECT_EQ(ENOMEM, pair_prep(self->pair, self->slave));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_EQ(CP_END_NONE, cp_pair_ended(self->pair, NULL));
	EXPECT_TRUE(eventually(pair_prep(self->pair, self->slave) == 0));
	EXPECT_EQ(1, pair_get(self->pair, PATIENCE, 0));
}

/* The options of a later version of the library. */
struct longer_options {
	struct cp_pair_options known;
	uint64_t unknown;
};

TEST_F(handle, options_of_all_sizes)
{
	struct longer_options options = {};
	static const size_t fit[] = {
		sizeof(size_t), 2 * sizeof(size_t),
		sizeof(struct cp_pair_options), sizeof(options),
	};
	unsigned int i;

	for (i = 0; i < sizeof(size_t); i++) {
		options.known.size = i;
		EXPECT_EQ(-1, cp_pair_prep(self->pair, self->slave,
					   &options.known));
		EXPECT_EQ(EINVAL, errno);
	}
	for (i = 0; i < 4; i++) {
		options.known.size = fit[i];
		EXPECT_TRUE(eventually(!cp_pair_prep(self->pair, self->slave,
						     &options.known)));
		EXPECT_EQ(0, cp_pair_end(self->pair));
	}
	options.unknown = 1ULL << 63;
	options.known.size = sizeof(options);
	EXPECT_EQ(-1, cp_pair_prep(self->pair, self->slave, &options.known));
	EXPECT_EQ(E2BIG, errno);
}

TEST_F(handle, options_out_of_range)
{
	struct cp_pair_options options = { .size = sizeof(options) };
	struct cp_info info;

	ASSERT_EQ(0, cp_pair_info(self->pair, &info));
	options.stack_limit = info.stack_max + 1;
	EXPECT_EQ(-1, cp_pair_prep(self->pair, self->slave, &options));
	EXPECT_EQ(EINVAL, errno);
	/* The library does not read that field of a shorter struct. */
	options.size = sizeof(options.size);
	EXPECT_EQ(0, cp_pair_prep(self->pair, self->slave, &options));
}

TEST_F(handle, stack_limit)
{
	struct cp_pair_options options = {
		.size = sizeof(options),
		.stack_limit = PAGE,
	};
	unsigned char *pages = lone_pages(3), *sp = pages + 256;
	const struct cp_segment *segment;

	slave_kill(self->slave);
	self->slave = slave_start(body_patterns, sp);
	ASSERT_EQ(0, cp_pair_prep(self->pair, self->slave, &options));
	do {
		ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	} while (cp_pair_checkpoint(self->pair)->regs.rip !=
		 (uintptr_t)slave_patterns_spin);
	segment = cp_pair_segment(self->pair, 0);
	ASSERT_NE(NULL, segment);
	EXPECT_EQ(CP_SEGF_TRUNCATED, segment->flags);
	EXPECT_EQ((uintptr_t)sp - 128, segment->addr);
	EXPECT_GE(PAGE, segment->size);
	EXPECT_LE(PAGE - 128, segment->size);
	EXPECT_EQ((uintptr_t)pages + 3 * PAGE, segment->map_end);
	/* The copy has all bytes up to where it was truncated, and no more. */
	EXPECT_NE(NULL, cp_pair_data(self->pair, segment->addr, segment->size));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, segment->addr,
				     segment->size + 1));
	EXPECT_EQ(NULL, cp_pair_data(self->pair,
				     segment->addr + segment->size, 1));
}

TEST_F(handle, accessors)
{
	const struct cp_checkpoint *checkpoint;
	const struct cp_segment *segment;
	const struct cp_region_head *head;
	const char *data;
	size_t size = 0;

	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	head = cp_pair_region(self->pair, &size);
	ASSERT_NE(NULL, head);
	EXPECT_EQ(head, cp_pair_region(self->pair, NULL));
	EXPECT_EQ(CP_REGION_MAGIC, head->magic);
	EXPECT_GE(size, head->slots_offset + head->nr_slots * head->slot_size);
	EXPECT_EQ(NULL, cp_pair_checkpoint(self->pair));

	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	checkpoint = cp_pair_checkpoint(self->pair);
	ASSERT_NE(NULL, checkpoint);
	EXPECT_EQ((const char *)head + head->slots_offset,
		  (const char *)checkpoint);
	EXPECT_EQ(1, checkpoint->seq);
	EXPECT_EQ(1, checkpoint->nr_segments);
	segment = cp_pair_segment(self->pair, 0);
	data = cp_pair_segment_data(self->pair, 0);
	ASSERT_NE(NULL, segment);
	ASSERT_NE(NULL, data);
	EXPECT_EQ(CP_SEGMENT_STACK, segment->kind);
	EXPECT_EQ(checkpoint->regs.rsp - 128, segment->addr);
	EXPECT_EQ((const char *)head + segment->offset, data);
	EXPECT_EQ(NULL, cp_pair_segment(self->pair, 1));
	EXPECT_EQ(NULL, cp_pair_segment(self->pair, UINT_MAX));
	EXPECT_EQ(NULL, cp_pair_segment_data(self->pair, 1));
}

/* The word at @addr in a copy that cp_pair_copy() made. */
static uint64_t word_of_copy(const struct cp_checkpoint *copy, uint64_t addr)
{
	const char *base = (const char *)copy;
	const struct cp_segment *seg =
		(const void *)(base + copy->segments_offset);

	if (addr < seg->addr || addr + 8 > seg->addr + seg->size)
		return 0;
	return *(const uint64_t *)(base + seg->offset + (addr - seg->addr));
}

/* Is the copy one state of slave_counts(), rather than a mixture of several? */
static bool is_whole(const struct cp_checkpoint *copy)
{
	const struct cp_regs *regs = &copy->regs;

	return copy->seq && regs->rip > (uintptr_t)slave_counts &&
	       regs->rip < (uintptr_t)slave_counts_end &&
	       /* An interrupt may come between two of the writes. */
	       regs->r12 - word_of_copy(copy, regs->rsp - 8) <= 1 &&
	       regs->r12 - word_of_copy(copy, regs->rsp - 128) <= 1;
}

static int pair_recording(struct cp_pair *pair, pid_t slave)
{
	const struct cp_pair_options options = {
		.size = sizeof(options),
		.stack_limit = 64 * 1024,
		.nr_slots = 8,
		.flags = CP_PREP_OVERWRITE,
	};

	return cp_pair_prep(pair, slave, &options) ? errno : 0;
}

TEST_F(handle, copies_are_whole)
{
	struct cp_checkpoint *copy;
	uint64_t last = 0, copies = 0;
	unsigned int slot;
	int ret;

	ASSERT_EQ(0, pair_recording(self->pair, self->slave));
	copy = malloc(cp_pair_region(self->pair, NULL)->slot_size);
	/* Lets the slave come to its loop. */
	for (slot = 0; slot < 1000; slot++)
		ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	while (copies < 5000) {
		slot = copies % (cp_pair_slots(self->pair) + 1);
		if (slot == cp_pair_slots(self->pair))
			slot = CP_SLOT_NEWEST;
		ret = cp_pair_copy(self->pair, slot, copy,
				   cp_pair_region(self->pair, NULL)->slot_size);
		if (ret < 0)
			ASSERT_EQ(EAGAIN, errno);
		copies++;
		if (ret != 1)
			continue;
		ASSERT_TRUE(is_whole(copy));
		if (slot == CP_SLOT_NEWEST) {
			EXPECT_LE(last, copy->seq);
			last = copy->seq;
		}
	}
	EXPECT_LT(0, last);
	free(copy);
}

TEST_F(handle, copies_of_the_dead)
{
	static uint64_t buf[64 * 1024 / 8];
	struct cp_checkpoint *copy = (struct cp_checkpoint *)buf;
	unsigned int slot, found = 0;
	uint64_t newest;

	ASSERT_EQ(0, pair_recording(self->pair, self->slave));
	for (slot = 0; slot < 100; slot++)
		ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	slave_kill(self->slave);
	ASSERT_TRUE(eventually(pair_poll(self->pair, 0) & POLLHUP));
	ASSERT_EQ(1, cp_pair_copy(self->pair, CP_SLOT_NEWEST, buf, sizeof(buf)));
	newest = copy->seq;
	for (slot = 0; slot < cp_pair_slots(self->pair); slot++) {
		if (cp_pair_copy(self->pair, slot, buf, sizeof(buf)) != 1)
			continue;
		EXPECT_LE(copy->seq, newest);
		/* All slots but the one that the master holds have the newest. */
		found += copy->seq > newest - 8;
	}
	EXPECT_EQ(8, found);
}

TEST_F(handle, copy_refuses)
{
	static uint64_t buf[64 * 1024 / 8];

	EXPECT_EQ(0, cp_pair_slots(self->pair));
	EXPECT_EQ(-1, cp_pair_copy(self->pair, 0, buf, sizeof(buf)));
	EXPECT_EQ(ENOTCONN, errno);
	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	EXPECT_EQ(1, cp_pair_slots(self->pair));
	EXPECT_EQ(0, cp_pair_copy(self->pair, 0, buf, sizeof(buf)));
	EXPECT_EQ(0, cp_pair_copy(self->pair, CP_SLOT_NEWEST, buf, sizeof(buf)));
	EXPECT_EQ(-1, cp_pair_copy(self->pair, 1, buf, sizeof(buf)));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	EXPECT_EQ(-1, cp_pair_copy(self->pair, 0, buf, 400));
	EXPECT_EQ(ERANGE, errno);
	EXPECT_EQ(1, cp_pair_copy(self->pair, 0, buf, sizeof(buf)));
}

TEST_F(handle, data_at_the_borders)
{
	unsigned char *pages = lone_pages(2), *sp = pages + 512;
	uint64_t begin = (uintptr_t)sp - 128, end = (uintptr_t)pages + 2 * PAGE;
	const unsigned char *all;

	slave_kill(self->slave);
	self->slave = slave_start(body_patterns, sp);
	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	do {
		ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	} while (cp_pair_checkpoint(self->pair)->regs.rip !=
		 (uintptr_t)slave_patterns_spin);
	all = cp_pair_data(self->pair, begin, end - begin);
	ASSERT_NE(NULL, all);
	EXPECT_EQ(0, memcmp(all, sp - 128, end - begin));
	EXPECT_EQ(all, cp_pair_segment_data(self->pair, 0));
	EXPECT_EQ(all + 128, cp_pair_data(self->pair, (uintptr_t)sp, 8));
	EXPECT_EQ(all + (end - begin) - 1, cp_pair_data(self->pair, end - 1, 1));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, begin, end - begin + 1));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, begin - 1, 1));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, begin - 1, 2));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, end - 1, 2));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, end, 1));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, begin, SIZE_MAX));
	EXPECT_EQ(NULL, cp_pair_data(self->pair, ~0ULL, 1));
}

TEST_F(handle, checkpoints_are_numbered)
{
	uint64_t seq;

	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	for (seq = 1; seq < 200; seq++) {
		ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
		ASSERT_EQ(seq, cp_pair_checkpoint(self->pair)->seq);
	}
	EXPECT_EQ(0, cp_pair_missed(self->pair));
	EXPECT_EQ(CP_END_NONE, cp_pair_ended(self->pair, NULL));
}

TEST_F(handle, timeouts)
{
	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	EXPECT_EQ(-EAGAIN, pair_get(self->pair, 0, 0));
	EXPECT_EQ(-ETIMEDOUT, pair_get(self->pair, 1, 0));
	EXPECT_EQ(-ETIMEDOUT, pair_get(self->pair, 5000000, 0));
	EXPECT_EQ(0, pair_poll(self->pair, 0));
	/* The sum of the clock and the longest timeout must not overflow. */
	EXPECT_EQ(1, pair_get(self->pair, INT64_MAX, CP_GET_NUDGE));
}

TEST_F(handle, nonblocking_file)
{
	int fd = cp_pair_fd(self->pair);

	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, pair_get(self->pair, FOREVER, 0));
	EXPECT_EQ(-EAGAIN, pair_get(self->pair, PATIENCE, 0));
}

TEST_F(handle, nudge)
{
	const struct cp_checkpoint *checkpoint;

	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	ASSERT_EQ(1, pair_get(self->pair, FOREVER, CP_GET_NUDGE));
	checkpoint = cp_pair_checkpoint(self->pair);
	EXPECT_EQ(CP_ENTRY_SYSCALL, checkpoint->entry);
	EXPECT_EQ(SYS_pause, checkpoint->syscall);
}

TEST_F(handle, nudge_again_and_again)
{
	int i;

	/* Each nudge but the first finds the slave asleep or about to sleep. */
	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(1, pair_get(self->pair, PATIENCE, CP_GET_NUDGE));
}

TEST_F(handle, refused_get_keeps_the_checkpoint)
{
	const struct cp_checkpoint *checkpoint;

	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	checkpoint = cp_pair_checkpoint(self->pair);
	EXPECT_EQ(-EINVAL, pair_get(self->pair, FOREVER, ~CP_GET_NUDGE));
	EXPECT_EQ(checkpoint, cp_pair_checkpoint(self->pair));
	EXPECT_EQ(1, checkpoint->seq);
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	EXPECT_EQ(2, cp_pair_checkpoint(self->pair)->seq);
}

/* Nudges the slave and waits in vain for another checkpoint; returns the errno. */
static int get_in_vain(struct cp_pair *pair, int64_t timeout)
{
	int ret;

	do {
		ret = pair_get(pair, PATIENCE, CP_GET_NUDGE);
	} while (ret == -EINTR);
	if (ret != 1 || !cp_pair_checkpoint(pair))
		return ret;
	/* An interrupt may cause another checkpoint before the slave sleeps. */
	while ((ret = pair_get(pair, timeout, 0)) == 1)
		;
	return -ret;
}

TEST_F(handle, fruitless_get_gives_the_checkpoint_up)
{
	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	EXPECT_EQ(ETIMEDOUT, get_in_vain(self->pair, 1));
	EXPECT_EQ(NULL, cp_pair_checkpoint(self->pair));
	EXPECT_EQ(NULL, cp_pair_segment(self->pair, 0));
	EXPECT_NE(NULL, cp_pair_region(self->pair, NULL));
	EXPECT_EQ(EAGAIN, get_in_vain(self->pair, 0));
	EXPECT_EQ(NULL, cp_pair_checkpoint(self->pair));
	tick(on_alarm, 0);
	EXPECT_EQ(EINTR, get_in_vain(self->pair, FOREVER));
	stop_ticking();
	EXPECT_EQ(NULL, cp_pair_checkpoint(self->pair));
}

TEST_F(handle, poll)
{
	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	EXPECT_EQ(0, pair_poll(self->pair, 0));
	slave_kill(self->slave);
	EXPECT_TRUE(pair_poll(self->pair, 10000) & POLLHUP);
	EXPECT_EQ(0, pair_get(self->pair, 0, 0));

	self->slave = start(body_counts);
	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	EXPECT_EQ(POLLIN, pair_poll(self->pair, 10000));
	EXPECT_EQ(1, pair_get(self->pair, 0, 0));
}

/* Takes checkpoints to the end; true if the last call returned 0. */
static bool get_to_the_end(struct cp_pair *pair)
{
	int ret;

	while ((ret = pair_get(pair, FOREVER, 0)) == 1)
		;
	return ret == 0;
}

TEST_F(handle, end_by_death)
{
	int status = 0;

	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	EXPECT_EQ(CP_END_NONE, cp_pair_ended(self->pair, &status));
	kill(self->slave, SIGKILL);
	ASSERT_TRUE(get_to_the_end(self->pair));
	EXPECT_EQ(CP_END_EXITED, cp_pair_ended(self->pair, &status));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	/* Each further call returns the same, and the last checkpoint stays. */
	EXPECT_EQ(0, pair_get(self->pair, FOREVER, 0));
	EXPECT_EQ(0, cp_pair_end(self->pair));
	EXPECT_EQ(CP_END_EXITED, cp_pair_ended(self->pair, NULL));
	EXPECT_NE(NULL, cp_pair_checkpoint(self->pair));
	EXPECT_NE(NULL, cp_pair_segment_data(self->pair, 0));
}

static int body_exits_when_read(void *pipe)
{
	char go;

	return read(*(int *)pipe, &go, 1) == 1 ? 42 : 1;
}

TEST_F(handle, end_by_exit)
{
	int ends[2], status = 0;

	ASSERT_EQ(0, pipe(ends));
	slave_kill(self->slave);
	self->slave = slave_start(body_exits_when_read, &ends[0]);
	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	ASSERT_EQ(1, write(ends[1], "g", 1));
	ASSERT_TRUE(get_to_the_end(self->pair));
	EXPECT_EQ(CP_END_EXITED, cp_pair_ended(self->pair, &status));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(42, WEXITSTATUS(status));
}

TEST_F(handle, end_by_exec)
{
	int ends[2], status = 42;
	char go;

	ASSERT_EQ(0, pipe(ends));
	slave_kill(self->slave);
	self->slave = fork_mortal();
	if (self->slave == 0) {
		if (read(ends[0], &go, 1) != 1)
			_exit(1);
		_exit(body_execs(NULL));
	}
	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	ASSERT_EQ(1, write(ends[1], "g", 1));
	ASSERT_TRUE(get_to_the_end(self->pair));
	EXPECT_EQ(CP_END_EXEC, cp_pair_ended(self->pair, &status));
	EXPECT_EQ(0, status);
	/* The new program can be paired. */
	EXPECT_TRUE(eventually(pair_prep(self->pair, self->slave) == 0));
	EXPECT_EQ(CP_END_NONE, cp_pair_ended(self->pair, NULL));
	EXPECT_EQ(1, pair_get(self->pair, PATIENCE, CP_GET_NUDGE));
}

TEST_F(handle, end_by_the_master)
{
	int status = 42;

	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	ASSERT_EQ(0, cp_pair_end(self->pair));
	/* cp_pair_end(), which is async-signal-safe, does not set the reason. */
	EXPECT_EQ(CP_END_NONE, cp_pair_ended(self->pair, NULL));
	EXPECT_NE(NULL, cp_pair_checkpoint(self->pair));
	EXPECT_EQ(0, cp_pair_end(self->pair));
	EXPECT_EQ(0, pair_get(self->pair, FOREVER, 0));
	EXPECT_EQ(CP_END_DETACHED, cp_pair_ended(self->pair, &status));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(pair_poll(self->pair, 0) & POLLHUP);

	EXPECT_TRUE(eventually(pair_prep(self->pair, self->slave) == 0));
	EXPECT_EQ(1, mappings_of_the_device());
	EXPECT_EQ(CP_END_NONE, cp_pair_ended(self->pair, NULL));
	EXPECT_EQ(NULL, cp_pair_checkpoint(self->pair));
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	EXPECT_EQ(1, cp_pair_checkpoint(self->pair)->seq);
}

static struct cp_pair *pair_to_end;

static void on_alarm_end(int unused)
{
	int saved = errno;

	if (++alarms == 3)
		cp_pair_end(pair_to_end);
	errno = saved;
}

TEST_F(handle, end_in_a_signal_handler)
{
	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	pair_to_end = self->pair;
	tick(on_alarm_end, SA_RESTART);
	EXPECT_EQ(0, pair_get(self->pair, FOREVER, 0));
	stop_ticking();
	EXPECT_LE(3, alarms);
	EXPECT_EQ(CP_END_DETACHED, cp_pair_ended(self->pair, NULL));
}

static void *thread_ends(void *tid)
{
	bool asleep = eventually(task_state(*(pid_t *)tid) == 'S');

	return asleep && !cp_pair_end(pair_to_end) ? tid : NULL;
}

TEST_F(handle, end_by_another_thread)
{
	pid_t tid = gettid();
	pthread_t thread;
	void *result;

	ASSERT_EQ(0, pair_asleep(self->pair, &self->slave));
	pair_to_end = self->pair;
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_ends, &tid));
	EXPECT_EQ(0, pair_get(self->pair, FOREVER, 0));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(&tid, result);
	EXPECT_EQ(CP_END_DETACHED, cp_pair_ended(self->pair, NULL));
}

static uint64_t seq_of(struct cp_pair *pair)
{
	const struct cp_checkpoint *checkpoint = cp_pair_checkpoint(pair);

	return checkpoint ? checkpoint->seq : 0;
}

TEST_F(handle, missed)
{
	struct cp_pair_options options = {
		.size = sizeof(options),
		.wait_limit = 1000,
	};
	uint64_t taken = 0;

	ASSERT_EQ(0, cp_pair_prep(self->pair, self->slave, &options));
	/* eventually() sleeps for a millisecond between two calls. */
	EXPECT_TRUE(eventually((taken += pair_get(self->pair, PATIENCE, 0)) &&
			       seq_of(self->pair) >= taken + 10));
	/* More checkpoints may have been missed since. */
	EXPECT_LE(seq_of(self->pair), taken + cp_pair_missed(self->pair));
	/* The count of the next pair starts at 0. */
	ASSERT_EQ(0, cp_pair_end(self->pair));
	ASSERT_TRUE(eventually(pair_prep(self->pair, self->slave) == 0));
	EXPECT_EQ(0, cp_pair_missed(self->pair));
}

struct inherited {
	struct cp_pair *pair;
	pid_t slave;
	uint64_t sp;
};

static int body_inherits(void *arg)
{
	struct inherited *inherited = arg;
	struct cp_pair *pair = inherited->pair;
	int bad = 0;

	bad |= pair_get(pair, FOREVER, 0) != -EPERM;
	bad |= (cp_pair_end(pair) != -1 || errno != EPERM) << 1;
	bad |= !!cp_pair_region(pair, NULL) << 2;
	bad |= !!cp_pair_checkpoint(pair) << 3;
	bad |= !!cp_pair_segment_data(pair, 0) << 4;
	bad |= !!cp_pair_data(pair, inherited->sp, 1) << 5;
	bad |= (pair_prep(pair, inherited->slave) != EBUSY) << 6;
	cp_pair_close(pair);
	return bad;
}

TEST_F(handle, child_is_not_the_master)
{
	struct inherited inherited = { .pair = self->pair };

	inherited.slave = start_asleep();
	ASSERT_EQ(0, pair_prep(self->pair, self->slave));
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	inherited.sp = cp_pair_checkpoint(self->pair)->regs.rsp;
	EXPECT_EQ(0, in_child(body_inherits, &inherited));
	/* The parent's pair still works. */
	EXPECT_NE(NULL, cp_pair_data(self->pair, inherited.sp, 1));
	ASSERT_EQ(1, pair_get(self->pair, PATIENCE, 0));
	EXPECT_EQ(2, cp_pair_checkpoint(self->pair)->seq);
	slave_kill(inherited.slave);
}

/* A child keeps the file open, as after a fork without exec. */
TEST_F(handle, close_ends_a_pair_whose_file_a_child_holds)
{
	struct cp_pair *other = cp_pair_open();
	pid_t child;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, pair_prep(other, self->slave));
	child = start_asleep();
	cp_pair_close(other);
	EXPECT_TRUE(eventually(pair_prep(self->pair, self->slave) == 0));
	slave_kill(child);
}

TEST(one_master_whatever_the_interface)
{
	pid_t slave = start(body_counts), other = start_asleep();
	struct cp_pair *pair = cp_pair_open();
	uint64_t regs[CP_N_REG + 1];

	ASSERT_NE(NULL, pair);
	ASSERT_EQ(0, pair_prep(pair, slave));
	EXPECT_EQ(EALREADY, prep_error(other));
	EXPECT_EQ(ENOTCONN, get_error(regs));
	ASSERT_EQ(0, cp_pair_end(pair));
	EXPECT_EQ(0, prep_error(other));
	EXPECT_EQ(EALREADY, pair_prep(pair, slave));
	slave_kill(other);
	EXPECT_EQ(-1, get_error(regs));
	EXPECT_TRUE(eventually(pair_prep(pair, slave) == 0));
	EXPECT_EQ(1, pair_get(pair, PATIENCE, 0));
	EXPECT_EQ(2, mappings_of_the_device());
	cp_pair_close(pair);
	EXPECT_EQ(1, mappings_of_the_device());
	EXPECT_TRUE(eventually(prep_error(slave) == 0));
	slave_kill(slave);
}

TEST_HARNESS_MAIN
