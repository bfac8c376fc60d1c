// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a process back to a snapshot: memory, mappings, registers and signals are those of
 * that instant, and whatever is in the way leaves the process as it is.
 */
#include <grp.h>
#include <linux/futex.h>
#include <sys/resource.h>

#include "obstacles.h"
#include "shots.h"
#include "team.h"

#define ROUNDS		100
#define NR_PAGES	16

static int put_back_until(struct master *m, int fd, uint64_t deadline,
			  struct cp_put_back *arg)
{
	*arg = (struct cp_put_back){ .deadline = deadline, .limit = 600 * SECOND,
				     .snapshot_fd = fd };
	return ioctl(m->fd, CP_IOC_PUT_BACK, arg) ? -errno : 0;
}

static int put_back(struct master *m, int fd)
{
	struct cp_put_back arg;

	return put_back_until(m, fd, now_ns() + 60 * SECOND, &arg);
}

/* Pairs with a whole process. The proof is open for @mode. */
static int pair_for(struct master *m, pid_t pid, unsigned int flags,
		    unsigned int nr_slots, int mode)
{
	struct cp_prep arg = { .pid = pid, .flags = CP_PREP_PROCESS | flags,
			       .nr_slots = nr_slots };
	char path[32];
	int ret;

	memset(m, 0, sizeof(*m));
	m->fd = device_open();
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	arg.mem_fd = open(path, mode | O_CLOEXEC);
	ret = ioctl(m->fd, CP_IOC_PREP, &arg) ? -errno : 0;
	close(arg.mem_fd);
	m->size = arg.region_size;
	m->region = mmap(NULL, m->size, PROT_READ, MAP_SHARED, m->fd, 0);
	return ret;
}

static int pair_with(struct master *m, pid_t pid)
{
	return pair_for(m, pid, CP_PREP_OVERWRITE, 1, O_RDWR);
}

FIXTURE(putback)
{
	struct master m;
	pid_t slave;
	long long refs;
};

FIXTURE_SETUP(putback)
{
	self->refs = read_number("/sys/module/checkpoint/refcnt");
	self->m.fd = -1;
}

FIXTURE_TEARDOWN(putback)
{
	if (self->m.fd >= 0)
		master_close(&self->m);
	slave_kill(self->slave);
}

/*
 * Starts a slave, waits until it sets @ready, pairs with it and takes a snapshot. Gives its
 * descriptor, or -errno.
 */
static int begin(FIXTURE_DATA(putback) *self, int (*body)(void *), void *arg,
		 volatile uint32_t *ready)
{
	int ret;

	self->slave = slave_start(body, arg);
	if (!eventually(*ready))
		return -ETIMEDOUT;
	ret = pair_with(&self->m, self->slave);
	return ret ?: snapshot(&self->m);
}

/*
 * A worker: reads everything that is to be put back, writes a sum of it to memory that it
 * shares with the test, and then changes all of it.
 */
struct work {
	volatile uint32_t ready;	/* it spins until @go */
	volatile uint32_t go;
	volatile uint64_t sum;
	volatile uint32_t done;		/* it has changed everything */
	volatile uint64_t parts[16];	/* what the sum is made of */
	volatile uint64_t handled;
};

static uint64_t global_page[PAGE / 8];

static void on_usr1(int sig)
{
}

static void on_usr2(int sig)
{
}

static uint64_t sum_of(const volatile uint64_t *words, size_t nr)
{
	uint64_t sum = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < nr; i++)
		sum = (sum ^ words[i]) * 1099511628211ULL;
	return sum;
}

static void fill(volatile uint64_t *words, size_t nr, uint64_t value)
{
	size_t i;

	for (i = 0; i < nr; i++)
		words[i] = value + i;
}

/* Spins with @value in a vector register and in one of the FPU until @word is not 0. */
static uint64_t spin_with(volatile uint32_t *word, uint64_t value)
{
	uint64_t vector, fpu = value;

	asm volatile("movq	%[value], %%xmm9\n"
		     "fildll	%[fpu]\n"
		     "1: pause\n"
		     "cmpl	$0, %[word]\n"
		     "je	1b\n"
		     "fistpll	%[fpu]\n"
		     "movq	%%xmm9, %[vector]\n"
		     : [vector] "=&r" (vector), [fpu] "+m" (fpu)
		     : [value] "r" (value), [word] "m" (*word)
		     : "xmm9", "memory");
	return vector * 31 + fpu;
}

/* What the worker has in memory of its own. */
struct things {
	volatile uint64_t *heap;
	volatile uint64_t *untouched;	/* mapped, and not written to */
	volatile uint64_t *unmapped;	/* unmapped by the work */
	volatile uint64_t *read_only;	/* made writable, and written to */
	char *stacks[2];		/* alternate ones */
};

static void *map_pages(unsigned int nr)
{
	return mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void prepare_things(struct things *things)
{
	struct sigaction action = { .sa_handler = on_usr1 };
	stack_t stack = { .ss_size = 4 * PAGE };

	things->heap = malloc(NR_PAGES * PAGE);
	fill(things->heap, NR_PAGES * PAGE / 8, 5);
	things->untouched = map_pages(NR_PAGES);
	things->unmapped = map_pages(NR_PAGES);
	fill(things->unmapped, PAGE / 8, 6);
	things->read_only = map_pages(NR_PAGES);
	fill(things->read_only, PAGE / 8, 7);
	mprotect((void *)things->read_only, NR_PAGES * PAGE, PROT_READ);
	things->stacks[0] = map_pages(4);
	things->stacks[1] = map_pages(4);
	stack.ss_sp = things->stacks[0];
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	fill(global_page, PAGE / 8, 8);
}

static uint64_t mask_now(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, sizeof(mask));
	return mask;
}

static void look_at_things(const struct things *things, volatile uint64_t *parts,
			   const volatile uint64_t *stack)
{
	struct sigaction action;
	stack_t alternate;

	sigaltstack(NULL, &alternate);
	sigaction(SIGUSR1, NULL, &action);
	parts[0] = sum_of(things->heap, NR_PAGES * PAGE / 8);
	parts[1] = sum_of(things->untouched, NR_PAGES * PAGE / 8);
	parts[2] = sum_of(things->unmapped, NR_PAGES * PAGE / 8);
	parts[3] = sum_of(things->read_only, NR_PAGES * PAGE / 8);
	parts[4] = sum_of(global_page, PAGE / 8);
	parts[5] = sum_of(stack, PAGE / 8);
	parts[6] = mask_now();
	parts[7] = (uintptr_t)alternate.ss_sp;
	parts[8] = (uintptr_t)action.sa_handler;
	parts[9] = (uintptr_t)sbrk(0);
	parts[11] = syscall(SYS_brk, 0);
	/* The kernel cannot write there. */
	parts[12] = syscall(SYS_getrandom, things->read_only, 1, 0);
}

static void change_things(struct things *things, volatile uint64_t *stack)
{
	struct sigaction action = { .sa_handler = on_usr2 };
	stack_t alternate = { .ss_sp = things->stacks[1], .ss_size = 4 * PAGE };
	uint64_t mask = 1ULL << (SIGUSR2 - 1);
	volatile uint64_t *more;

	more = map_pages(NR_PAGES);
	fill(more, PAGE / 8, 106);
	fill(things->heap, NR_PAGES * PAGE / 8, 100);
	fill(things->untouched + PAGE / 8, PAGE / 8, 101);
	munmap((void *)things->unmapped, NR_PAGES * PAGE);
	mprotect((void *)things->read_only, NR_PAGES * PAGE, PROT_READ | PROT_WRITE);
	fill(things->read_only, PAGE / 8, 102);
	fill(global_page, PAGE / 8, 103);
	fill(stack, PAGE / 8, 104);
	more = sbrk(3 * PAGE);
	fill(more, 3 * PAGE / 8, 105);
	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

static int body_worker(void *arg)
{
	volatile uint64_t stack[PAGE / 8];
	struct work *work = arg;
	struct things things;

	prepare_things(&things);
	fill(stack, PAGE / 8, 9);
	work->ready = 1;
	work->parts[10] = spin_with(&work->go, 12345);
	look_at_things(&things, work->parts, stack);
	work->sum = sum_of(work->parts, 16);
	change_things(&things, stack);
	work->done = 1;
	spin_with(&work->ready, 54321);
	for (;;)
		work->handled += spin_with(&work->done, 999) != 0;
	return 0;
}

/* Lets the worker do its work, until it has changed everything. */
static bool do_work(struct work *work)
{
	work->ready = 0;
	work->done = 0;
	work->sum = 0;
	work->go = 1;
	return eventually(work->done);
}

static unsigned int count_mappings(pid_t pid)
{
	char path[32], line[512];
	unsigned int nr = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps))
		nr++;
	if (maps)
		fclose(maps);
	return nr;
}

TEST_F(putback, work_is_repeated_identically)
{
	struct work *work = shared_memory(sizeof(*work));
	unsigned int i, j, nr;
	uint64_t sum, parts[16];
	int fd;

	fd = begin(self, body_worker, work, &work->ready);
	ASSERT_LE(0, fd);
	nr = count_mappings(self->slave);
	ASSERT_TRUE(do_work(work));
	sum = work->sum;
	for (j = 0; j < 16; j++)
		parts[j] = work->parts[j];
	for (i = 0; i < ROUNDS; i++) {
		work->go = 0;
		ASSERT_EQ(0, put_back(&self->m, fd));
		ASSERT_TRUE(do_work(work));
		for (j = 0; j < 16; j++)
			EXPECT_EQ(parts[j], work->parts[j]) TH_LOG("part %u, round %u", j, i);
		ASSERT_EQ(sum, work->sum);
	}
	work->go = 0;
	ASSERT_EQ(0, put_back(&self->m, fd));
	EXPECT_LE(count_mappings(self->slave), nr + 4);
	close(fd);
}

/* One page is written: one page is restored, and the stack. */
struct writer {
	volatile uint32_t ready;
	volatile uint32_t go;
	volatile uint64_t *pages;
	volatile uint64_t written;
};

static int body_writer(void *arg)
{
	struct writer *writer = arg;

	writer->pages = map_pages(1000);
	fill(writer->pages, 1000 * PAGE / 8, 1);
	writer->ready = 1;
	for (;;) {
		while (!writer->go)
			asm volatile("pause");
		writer->pages[7 * PAGE / 8] = 2;
		writer->written++;
	}
	return 0;
}

TEST_F(putback, restores_pages_that_have_changed)
{
	struct writer *writer = shared_memory(sizeof(*writer));
	struct cp_put_back arg;
	uint64_t value;
	int fd, mem;

	fd = begin(self, body_writer, writer, &writer->ready);
	ASSERT_LE(0, fd);
	writer->go = 1;
	ASSERT_TRUE(eventually(writer->written));
	writer->go = 0;
	mem = proof_open(self->slave);
	ASSERT_EQ(0, put_back_until(&self->m, fd, now_ns() + 60 * SECOND, &arg));
	EXPECT_LE(1, arg.pages);
	EXPECT_GE(20, arg.pages);
	ASSERT_EQ(8, pread(mem, &value, 8, (uintptr_t)(writer->pages + 7 * PAGE / 8)));
	EXPECT_EQ(1 + 7 * PAGE / 8, value);
	/* Held before the call, it stays held. */
	ASSERT_EQ(0, hold(&self->m, 0));
	EXPECT_EQ(0, put_back(&self->m, fd));
	EXPECT_EQ(-EALREADY, hold(&self->m, 0));
	EXPECT_EQ(0, master_release(&self->m));
	close(mem);
	close(fd);
}

/* The next checkpoint after a put back is that of the snapshot, even if nothing has changed. */
TEST_F(putback, master_gets_the_state)
{
	struct team *team = TEAM_OF(1, work_count);
	struct cp_regs then;
	unsigned int i;
	int fd;

	ASSERT_TRUE(team_start(team));
	self->slave = team->pid;
	ASSERT_EQ(0, pair_for(&self->m, self->slave, 0, 1, O_RDWR));
	ASSERT_EQ(0, hold(&self->m, 0));
	ASSERT_EQ(1, master_get(&self->m));
	then = master_checkpoint(&self->m)->regs;
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, put_back(&self->m, fd));
		ASSERT_EQ(0, master_release(&self->m));
		ASSERT_EQ(1, master_get(&self->m));
		EXPECT_EQ(then.r12, master_checkpoint(&self->m)->regs.r12);
		EXPECT_EQ(then.rip, master_checkpoint(&self->m)->regs.rip);
		EXPECT_EQ(then.rsp, master_checkpoint(&self->m)->regs.rsp);
		EXPECT_EQ(then.fs_base, master_checkpoint(&self->m)->regs.fs_base);
		do {
			ASSERT_EQ(1, master_get(&self->m));
		} while (master_checkpoint(&self->m)->regs.r12 < then.r12 + 3);
		ASSERT_EQ(0, hold(&self->m, 0));
		ASSERT_EQ(1, master_get(&self->m));
	}
	close(fd);
}

/* A thread that slept in a system call makes it again, and another one is put back. */
static void *work_read(void *arg)
{
	struct member *m = arg;
	char byte;

	member_begin(m);
	m->progress = 10 * read(m->team->ends[0], &byte, 1);
	for (;;)
		pause();
	return NULL;
}

/* Threads that come, of which some sleep and some run, and one goes. */
static void *work_brief(void *arg)
{
	return arg;
}

static void *work_spawner(void *arg)
{
	volatile uint64_t rounds = 0;
	struct member *m = arg;
	unsigned int i;

	member_begin(m);
	while (!m->team->go)
		asm volatile("pause");
	for (i = 0; i < 3; i++) {
		thread_start(work_asleep, &m->team->members[2]);
		thread_start(work_spin, &m->team->members[2]);
	}
	thread_start(work_brief, NULL);
	rounds++;
	m->progress = rounds;
	while (m->team->ready < m->team->nr + 6)
		asm volatile("pause");
	m->team->left = 1;
	for (;;)
		asm volatile("pause");
	return NULL;
}

static unsigned int count_threads(pid_t pid)
{
	char path[64], line[128];
	unsigned int nr = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Threads: %u", &nr) == 1)
			break;
	if (status)
		fclose(status);
	return nr;
}

TEST_F(putback, threads_come_and_go)
{
	struct team *team = TEAM_OF(3, work_spawner, work_read, work_asleep);
	unsigned int i;
	pid_t sleeper;
	int fd;

	ASSERT_TRUE(team_start(team));
	self->slave = team->pid;
	ASSERT_TRUE(eventually(task_syscall(team->members[1].tid) == SYS_read));
	/* Others are given the same member. */
	sleeper = team->members[2].tid;
	ASSERT_TRUE(eventually(task_syscall(sleeper) == SYS_futex));
	ASSERT_EQ(0, pair_with(&self->m, self->slave));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	for (i = 0; i < 6; i++) {
		team->ready = 3;
		team->left = 0;
		team->go = 1;
		ASSERT_TRUE(eventually(team->left));
		EXPECT_EQ(1, team->members[0].progress);
		/* The second time, the thread that reads has left its call. */
		if (i % 2) {
			ASSERT_EQ(1, write(team->ends[1], "x", 1));
			ASSERT_TRUE(eventually(team->members[1].progress == 10));
		}
		team->go = 0;
		team->members[0].progress = 0;
		team->members[1].progress = 0;
		ASSERT_EQ(0, put_back(&self->m, fd));
		EXPECT_TRUE(eventually(count_threads(self->slave) == 3));
		ASSERT_TRUE(eventually(task_syscall(team->members[1].tid) == SYS_read));
		ASSERT_TRUE(eventually(task_syscall(sleeper) == SYS_futex));
		EXPECT_EQ(0, team->members[1].progress);
	}
	/* It returns from a call that it has made again. */
	ASSERT_EQ(1, write(team->ends[1], "x", 1));
	EXPECT_TRUE(eventually(team->members[1].progress == 10));
	close(fd);
}

/*
 * Counts in a register and in two places of its memory, and looks whether they agree: any
 * state that is half one and half another shows.
 */
struct counts {
	volatile uint64_t rounds;
	volatile uint64_t bad;
};

static int body_counts(void *arg)
{
	volatile uint64_t *here = map_pages(1), *there = map_pages(1);
	struct counts *counts = arg;
	uint64_t i;

	for (i = 0;; i++) {
		counts->bad += *here != i || *there != i;
		*here = i + 1;
		asm volatile("" ::: "memory");
		*there = i + 1;
		counts->rounds++;
	}
	return 0;
}

static int body_returner(void *pid)
{
	struct master m;
	int fd;

	while (pair_with(&m, *(pid_t *)pid) == -EBUSY)
		master_close(&m);
	fd = snapshot(&m);
	for (;;)
		put_back(&m, fd);
	return 0;
}

TEST_F(putback, master_killed_in_the_middle)
{
	struct counts *counts = shared_memory(sizeof(*counts));
	unsigned int i;
	uint64_t rounds;
	pid_t returner;

	self->slave = slave_start(body_counts, counts);
	ASSERT_TRUE(eventually(counts->rounds > 1000));
	for (i = 0; i < 20; i++) {
		returner = slave_start(body_returner, &self->slave);
		usleep(60000 + i * 1700);
		slave_kill(returner);
	}
	rounds = counts->rounds;
	EXPECT_TRUE(eventually(counts->rounds > rounds + 1000));
	EXPECT_EQ(0, counts->bad);
	EXPECT_EQ('R', task_state(self->slave));
	EXPECT_TRUE(eventually(read_number("/sys/module/checkpoint/refcnt") ==
			       self->refs));
}

/* The slave is killed in the middle. */
TEST_F(putback, slave_killed_in_the_middle)
{
	unsigned int i, done = 0;

	for (i = 0; i < 20; i++) {
		struct counts *counts = shared_memory(sizeof(*counts));
		pid_t killer;
		int fd, ret;

		self->slave = slave_start(body_counts, counts);
		ASSERT_TRUE(eventually(counts->rounds > 1000));
		ASSERT_EQ(0, pair_with(&self->m, self->slave));
		fd = snapshot(&self->m);
		ASSERT_LE(0, fd);
		killer = fork_mortal();
		if (!killer) {
			usleep(i * 300);
			_exit(kill(self->slave, SIGKILL));
		}
		while (!(ret = put_back(&self->m, fd)))
			done++;
		EXPECT_EQ(-EPIPE, ret);
		waitpid(killer, NULL, 0);
		slave_kill(self->slave);
		self->slave = 0;
		master_close(&self->m);
		self->m.fd = -1;
		EXPECT_EQ(0, counts->bad);
		close(fd);
	}
	TH_LOG("%u put backs were complete", done);
	EXPECT_TRUE(eventually(read_number("/sys/module/checkpoint/refcnt") ==
			       self->refs));
}

/* What is mapped again does not fit into a limit: the slave must not continue. */
struct limited {
	volatile uint32_t ready;
	volatile uint32_t go;
	volatile uint32_t done;
	volatile uint64_t after;
};

static int body_limited(void *arg)
{
	volatile uint64_t *pages = map_pages(NR_PAGES);
	struct rlimit limit = { PAGE, PAGE };
	struct limited *limited = arg;

	fill(pages, NR_PAGES * PAGE / 8, 1);
	limited->ready = 1;
	while (!limited->go)
		asm volatile("pause");
	limited->after++;
	munmap((void *)pages, NR_PAGES * PAGE);
	setrlimit(RLIMIT_AS, &limit);
	limited->done = 1;
	return body_spin(NULL);
}

TEST_F(putback, failure_in_the_middle_kills)
{
	struct limited *limited = shared_memory(sizeof(*limited));
	int fd, status, ret;

	fd = begin(self, body_limited, limited, &limited->ready);
	ASSERT_LE(0, fd);
	limited->go = 1;
	ASSERT_TRUE(eventually(limited->done));
	EXPECT_EQ(-ENOTRECOVERABLE, put_back(&self->m, fd));
	ASSERT_EQ(self->slave, waitpid(self->slave, &status, 0));
	self->slave = 0;
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(1, limited->after);
	do {
		ret = master_get(&self->m);
	} while (ret > 0);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(CP_END_PUT_BACK, self->m.get.reason);
	EXPECT_EQ(SIGKILL, self->m.get.status);
	EXPECT_EQ(-EPIPE, put_back(&self->m, fd));
	close(fd);
}

/* What the slave does before the snapshot, and what it does after it. */
static volatile uint32_t *pi_word;
static char *area;

static int nothing(void)
{
	return 0;
}

static int change_groups(void)
{
	return setgroups(0, NULL);
}

static int forget_in_children(void)
{
	return madvise(private_page(), PAGE, MADV_DONTFORK);
}

static int map_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	area = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	return area == MAP_FAILED;
}

static int map_undumped(void)
{
	area = private_page();
	return madvise(area, PAGE, MADV_DONTDUMP);
}

static int unmap_area(void)
{
	return munmap(area, PAGE);
}

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static int seal(void)
{
	return syscall(SYS_mseal, private_page(), PAGE, 0);
}

static int map_pi_word(void)
{
	pi_word = shared_memory(PAGE);
	return 0;
}

static int lock_pi(void)
{
	pid_t child;

	syscall(SYS_futex, pi_word, FUTEX_LOCK_PI, 0, NULL);
	child = fork_mortal();
	if (!child)
		_exit(syscall(SYS_futex, pi_word, FUTEX_LOCK_PI, 0, NULL));
	return !eventually(task_syscall(child) == SYS_futex);
}

static void *spin_for_ever(void *unused)
{
	body_spin(NULL);
	return NULL;
}

static int filter_a_thread(void)
{
	return refuse_by_seccomp() || !thread_start(spin_for_ever, NULL);
}

struct obstructed {
	volatile uint32_t ready;
	volatile uint32_t go;
	volatile uint32_t done;		/* 2: this kernel has no such thing */
	volatile uint64_t progress;
};

FIXTURE(refused)
{
	struct master m;
	pid_t slave;
	struct obstructed *shared;
};

FIXTURE_VARIANT(refused)
{
	int (*before)(void);
	int (*after)(void);
	int error;
};

FIXTURE_VARIANT_ADD(refused, credentials) { nothing, change_groups, EKEYREJECTED };
FIXTURE_VARIANT_ADD(refused, pi_futex) { map_pi_word, lock_pi, ENOLCK };
FIXTURE_VARIANT_ADD(refused, debugger) { nothing, refuse_by_debugger, EBUSY };
FIXTURE_VARIANT_ADD(refused, aio) { nothing, refuse_by_aio, EINPROGRESS };
FIXTURE_VARIANT_ADD(refused, io_uring) { nothing, refuse_by_io_uring, EINPROGRESS };
FIXTURE_VARIANT_ADD(refused, shared_memory) { nothing, refuse_by_clone_vm, ENOTUNIQ };
FIXTURE_VARIANT_ADD(refused, userfaultfd) { nothing, refuse_by_userfaultfd, EADDRINUSE };
FIXTURE_VARIANT_ADD(refused, huge_pages) { nothing, refuse_by_huge_pages, EMEDIUMTYPE };
FIXTURE_VARIANT_ADD(refused, not_for_children) { forget_in_children, nothing, EMEDIUMTYPE };
FIXTURE_VARIANT_ADD(refused, sealed) { nothing, seal, EMEDIUMTYPE };
FIXTURE_VARIANT_ADD(refused, file_unmapped) { map_file, unmap_area, EADDRNOTAVAIL };
FIXTURE_VARIANT_ADD(refused, properties) { map_undumped, unmap_area, EADDRNOTAVAIL };
FIXTURE_VARIANT_ADD(refused, seccomp) { nothing, filter_a_thread, EACCES };

FIXTURE_SETUP(refused)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (file) {
		fprintf(file, "4");
		fclose(file);
	}
	self->shared = shared_memory(sizeof(*self->shared));
	self->slave = fork_mortal();
	if (!self->slave) {
		variant->before();
		self->shared->ready = 1;
		while (!self->shared->go)
			asm volatile("pause");
		self->shared->done = variant->after() ? 2 : 1;
		for (;; self->shared->progress++)
			asm volatile("pause");
	}
	ASSERT_TRUE(eventually(self->shared->ready));
}

FIXTURE_TEARDOWN(refused)
{
	master_close(&self->m);
	slave_kill(self->slave);
}

TEST_F(refused, nothing_changes)
{
	uint64_t progress;
	int fd;

	ASSERT_EQ(0, pair_with(&self->m, self->slave));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	self->shared->go = 1;
	ASSERT_TRUE(eventually(self->shared->done));
	if (self->shared->done == 2)
		SKIP(return, "this kernel has no such thing");
	if (variant->error == EBUSY)
		ASSERT_TRUE(eventually(put_back(&self->m, fd) == -EBUSY));
	EXPECT_EQ(-variant->error, put_back(&self->m, fd));
	EXPECT_EQ(1, self->shared->done);
	progress = self->shared->progress;
	EXPECT_TRUE(eventually(self->shared->progress > progress + 1000));
	EXPECT_EQ(-EALREADY, master_release(&self->m));
	close(fd);
}

static void *work_read_and_leave(void *arg)
{
	struct member *m = arg;
	char byte;

	member_begin(m);
	m->progress = read(m->team->ends[0], &byte, 1);
	return NULL;
}

TEST_F(putback, refused_when_a_thread_is_gone)
{
	struct team *team = TEAM_OF(2, work_asleep, work_read_and_leave);
	struct cp_put_back arg;
	int fd;

	ASSERT_TRUE(team_start(team));
	self->slave = team->pid;
	ASSERT_EQ(0, pair_with(&self->m, self->slave));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(team->ends[1], "x", 1));
	ASSERT_TRUE(eventually(count_threads(self->slave) == 1));
	EXPECT_EQ(-ESRCH, put_back_until(&self->m, fd, now_ns() + 60 * SECOND, &arg));
	EXPECT_EQ(team->members[1].tid, arg.late);
	close(fd);
}

/* Waits for a byte, and executes this program again, to sleep. */
static int body_exec(void *ends)
{
	char byte;

	if (read(((int *)ends)[0], &byte, 1) == 1)
		execl("/bin/sleep", "sleep", "1000", NULL);
	return 1;
}

static bool runs_sleep(pid_t pid)
{
	char path[32], target[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "/bin/");
}

TEST_F(putback, refused_after_an_exec_and_for_others)
{
	struct writer *writer = shared_memory(sizeof(*writer));
	struct master other;
	int ends[2], fd;
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	self->slave = slave_start(body_exec, ends);
	ASSERT_TRUE(eventually(task_syscall(self->slave) == SYS_read));
	ASSERT_EQ(0, pair_with(&self->m, self->slave));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(ends[1], "x", 1));
	ASSERT_TRUE(eventually(runs_sleep(self->slave)));
	EXPECT_EQ(-EPIPE, put_back(&self->m, fd));
	master_close(&self->m);
	ASSERT_EQ(0, pair_with(&self->m, self->slave));
	EXPECT_EQ(-ESTALE, put_back(&self->m, fd));
	EXPECT_TRUE(runs_sleep(self->slave));
	master_close(&self->m);
	self->m.fd = -1;
	pid = slave_start(body_writer, writer);
	ASSERT_TRUE(eventually(writer->ready));
	ASSERT_EQ(0, pair_with(&other, pid));
	EXPECT_EQ(-EXDEV, put_back(&other, fd));
	slave_kill(pid);
	master_close(&other);
	close(fd);
}

TEST_F(putback, refused_without_a_proof_for_writing)
{
	struct writer *writer = shared_memory(sizeof(*writer));
	int fd;

	self->slave = slave_start(body_writer, writer);
	ASSERT_TRUE(eventually(writer->ready));
	ASSERT_EQ(0, pair_for(&self->m, self->slave, CP_PREP_OVERWRITE, 1, O_RDONLY));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EROFS, put_back(&self->m, fd));
	master_close(&self->m);
	/* A snapshot outlives its pair. */
	ASSERT_TRUE(eventually(pair_with(&self->m, self->slave) == 0));
	EXPECT_EQ(0, put_back(&self->m, fd));
	close(fd);
}

/* A thread whose checkpoint has no room cannot come to the gate. */
TEST_F(putback, refused_without_room_in_a_ring)
{
	struct writer *writer = shared_memory(sizeof(*writer));
	int fd;

	self->slave = slave_start(body_writer, writer);
	ASSERT_TRUE(eventually(writer->ready));
	ASSERT_EQ(0, pair_for(&self->m, self->slave, 0, 2, O_RDWR));
	ASSERT_EQ(0, hold(&self->m, 0));
	while (master_get_until(&self->m, 0, 0) == 1)
		;
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, master_release(&self->m));
	ASSERT_TRUE(eventually(master_state_is(&self->m, "slave-waiting")));
	EXPECT_EQ(-ENOBUFS, put_back(&self->m, fd));
	close(fd);
}

TEST_F(putback, refused_when_the_snapshot_was_dropped)
{
	struct writer *writer = shared_memory(sizeof(*writer));
	uint64_t written;
	int fd;

	fd = begin(self, body_writer, writer, &writer->ready);
	ASSERT_LE(0, fd);
	if (!run_out_of_memory())
		SKIP(return, "this kernel has no /proc/sysrq-trigger");
	EXPECT_EQ(-ENODATA, put_back(&self->m, fd));
	written = writer->written;
	writer->go = 1;
	EXPECT_TRUE(eventually(writer->written > written));
	close(fd);
}

TEST_F(putback, arguments_are_checked)
{
	struct writer *writer = shared_memory(sizeof(*writer));
	struct cp_put_back arg;
	int fd;

	fd = begin(self, body_writer, writer, &writer->ready);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, put_back(&self->m, -1));
	EXPECT_EQ(-EINVAL, put_back(&self->m, 0));
	arg = (struct cp_put_back){ .snapshot_fd = fd, .flags = 1 };
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_PUT_BACK, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg = (struct cp_put_back){ .snapshot_fd = fd, .reserved = 1 };
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_PUT_BACK, &arg));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_PUT_BACK, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	EXPECT_EQ(-EPIPE, put_back(&self->m, fd));
	close(fd);
}

/*
 * A slave that does random things to its memory. All it knows is private memory, so that a
 * put back makes it do other things than before.
 */
#define NR_AREAS	12
#define AREA_PAGES	32

struct chance {
	uint64_t seed;
	volatile uint64_t steps;
};

struct area {
	char *at;
	unsigned int pages;
};

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void area_renew(struct area *a, uint64_t r)
{
	if (a->at) {
		munmap(a->at, a->pages * PAGE);
		a->at = NULL;
		return;
	}
	a->pages = 1 + r % AREA_PAGES;
	a->at = map_pages(a->pages);
}

static void area_resize(struct area *a, uint64_t r)
{
	unsigned int pages = 1 + r % AREA_PAGES;
	void *at = mremap(a->at, a->pages * PAGE, pages * PAGE, MREMAP_MAYMOVE);

	if (at == MAP_FAILED)
		return;
	a->at = at;
	a->pages = pages;
}

/* Only what is writable is written to: the kernel does it. */
static void area_write(const struct area *a, uint64_t r, int zeroes)
{
	size_t offset = r % (a->pages * PAGE - 512);

	if (read(zeroes, a->at + offset, 1 + r % 512) > 0)
		a->at[offset] = r >> 32;
}

static void area_touch(struct area *a, uint64_t r, int zeroes)
{
	char *page = a->at + r % a->pages * PAGE;

	switch (r >> 20 & 7) {
	case 0:
		mprotect(page, PAGE, PROT_READ);
		break;
	case 1:
		mprotect(page, PAGE, PROT_NONE);
		break;
	case 2:
		mprotect(a->at, a->pages * PAGE, PROT_READ | PROT_WRITE);
		break;
	case 3:
		madvise(page, PAGE, MADV_DONTNEED);
		break;
	case 4:
		area_resize(a, r >> 24);
		break;
	default:
		area_write(a, r >> 24, zeroes);
	}
}

static void random_step(struct area *areas, uint64_t r, int zeroes)
{
	struct area *a = &areas[r % NR_AREAS];
	pthread_t thread;

	switch (r >> 8 & 15) {
	case 0:
		area_renew(a, r >> 16);
		break;
	case 1:
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &r, NULL, sizeof(r));
		break;
	case 2:
		if (sbrk(0) > (void *)((char *)sbrk(0) - PAGE) && r & 1 << 20)
			sbrk((r >> 24 & 7) * PAGE);
		break;
	case 3:
		if (!(r >> 16 & 7) && !pthread_create(&thread, NULL, work_brief, NULL))
			pthread_join(thread, NULL);
		break;
	default:
		if (a->at)
			area_touch(a, r >> 16, zeroes);
		else
			area_renew(a, r >> 16);
	}
}

static int body_chance(void *arg)
{
	int zeroes = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	struct area areas[NR_AREAS] = { 0 };
	struct chance *chance = arg;
	uint64_t seed = chance->seed;

	for (;; chance->steps++)
		random_step(areas, random_next(&seed), zeroes);
	return 0;
}

/* A mapping, and what is in it. */
struct range {
	uint64_t start, end;
	char rest[300];		/* protection and name */
	char *bytes;
};

struct image {
	unsigned int nr;
	struct range at[256];
};

/* Adjacent mappings of the same kind are one: the kernel may merge and split them. */
static void image_add(struct image *image, const struct range *range)
{
	struct range *last = image->nr ? &image->at[image->nr - 1] : NULL;

	if (last && last->end == range->start && !strcmp(last->rest, range->rest))
		last->end = range->end;
	else if (image->nr < 256)
		image->at[image->nr++] = *range;
}

static struct image *image_take(pid_t pid, int mem)
{
	struct image *image = calloc(1, sizeof(*image));
	char path[32], line[512], perms[8], name[256];
	FILE *maps;
	unsigned int i;
	uint64_t addr;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (fgets(line, sizeof(line), maps)) {
		struct range range = { 0 };

		*name = 0;
		sscanf(line, "%lx-%lx %7s %*x %*s %*u %255[^\n]", &range.start, &range.end,
		       perms, name);
		snprintf(range.rest, sizeof(range.rest), "%s %s", perms, name);
		if (!strstr(name, "[v"))
			image_add(image, &range);
	}
	fclose(maps);
	for (i = 0; i < image->nr; i++) {
		struct range *range = &image->at[i];

		if (range->rest[3] != 'p')
			continue;
		range->bytes = calloc(1, range->end - range->start);
		for (addr = range->start; addr < range->end; addr += PAGE)
			if (pread(mem, range->bytes + (addr - range->start), PAGE, addr) < 0)
				range->bytes[addr - range->start] = 'x';
	}
	return image;
}

static void image_free(struct image *image)
{
	unsigned int i;

	for (i = 0; i < image->nr; i++)
		free(image->at[i].bytes);
	free(image);
}

static unsigned int bytes_that_differ(const struct range *a, const struct range *b)
{
	unsigned int differ = 0;
	uint64_t i;

	for (i = 0; a->bytes && i < a->end - a->start; i++)
		differ += a->bytes[i] != b->bytes[i];
	return differ;
}

/* Gives the number of differences; they are described. */
static unsigned int image_compare(const struct image *then, const struct image *now)
{
	unsigned int i, differ = then->nr != now->nr, bytes;

	for (i = 0; i < then->nr && i < now->nr; i++) {
		const struct range *a = &then->at[i], *b = &now->at[i];

		if (a->start != b->start || a->end != b->end || strcmp(a->rest, b->rest)) {
			printf("# %lx-%lx %s is %lx-%lx %s\n", a->start, a->end, a->rest,
			       b->start, b->end, b->rest);
			return differ + 1;
		}
		bytes = bytes_that_differ(a, b);
		if (bytes)
			printf("# %lx-%lx %s: %u bytes\n", a->start, a->end, a->rest, bytes);
		differ += bytes;
	}
	return differ;
}

/* Lets the slave take some steps. */
static bool wander(struct master *m, const struct chance *chance, unsigned int steps)
{
	uint64_t begun = chance->steps;

	return !master_release(m) && eventually(chance->steps >= begun + steps) && !hold(m, 0);
}

TEST_F(putback, memory_of_a_random_slave)
{
	struct chance *chance = shared_memory(sizeof(*chance));
	struct image *then, *now;
	unsigned int i, j, done = 0;
	uint64_t seed;
	int fd, mem;

	seed = now_ns() | 1;
	chance->seed = seed;
	TH_LOG("seed %lu", seed);
	ASSERT_TRUE(stay_on_one_cpu());
	self->slave = slave_start(body_chance, chance);
	ASSERT_TRUE(eventually(chance->steps > 100));
	ASSERT_EQ(0, pair_with(&self->m, self->slave));
	mem = proof_open(self->slave);
	ASSERT_EQ(0, hold(&self->m, 0));
	for (i = 0; i < 5; i++) {
		fd = snapshot(&self->m);
		ASSERT_LE(0, fd);
		then = image_take(self->slave, mem);
		for (j = 0; j < 4; j++) {
			int ret;

			ASSERT_TRUE(wander(&self->m, chance, random_next(&seed) % 200));
			ret = put_back(&self->m, fd);
			/* It was waiting for a thread. */
			if (ret == -ESRCH)
				continue;
			ASSERT_EQ(0, ret);
			done++;
			now = image_take(self->slave, mem);
			EXPECT_EQ(0, image_compare(then, now));
			image_free(now);
		}
		image_free(then);
		close(fd);
		ASSERT_TRUE(wander(&self->m, chance, 100));
	}
	EXPECT_LT(5, done);
	EXPECT_EQ(0, master_release(&self->m));
	close(mem);
}

TEST_HARNESS_MAIN
