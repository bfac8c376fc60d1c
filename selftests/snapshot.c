// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: the state of a process at one instant, while the process continues and notices
 * nothing.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/times.h>

#include "obstacles.h"
#include "shots.h"
#include "team.h"
#include "user.h"

#define MANY		40
#define NR_PAGES	64
#define PARAMETERS	"/sys/module/checkpoint/parameters/"

/* Reads a file of procfs into @text; false if there is nothing in it. */
static bool look_at(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t got = 1;

	while (fd >= 0 && got > 0 && done < size - 1) {
		got = read(fd, text + done, size - 1 - done);
		done += got > 0 ? got : 0;
	}
	text[done] = 0;
	close(fd);
	return done;
}

static unsigned int count_descriptors(void)
{
	unsigned int nr = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/*
 * The witness: a process that looks for what a snapshot could leave, and counts in memory
 * that it shares with the test what it has found.
 */
struct witness {
	volatile uint64_t rounds;
	volatile uint64_t children;	/* wait(2) has found one */
	volatile uint64_t descriptors;
	volatile uint64_t mappings;
	volatile uint64_t usage;
	volatile uint64_t signals;	/* nobody has sent them */
	volatile uint64_t mask;
	volatile uint64_t interrupted;	/* calls that returned EINTR */
	volatile uint64_t bytes;	/* pages that have lost their value */
	volatile uint64_t handled;	/* SIGUSR1 and SIGRTMIN, which the test sends */
};

static struct witness *witness;

static void on_strange_signal(int sig)
{
	witness->signals++;
}

static void on_expected_signal(int sig)
{
	witness->handled++;
}

static bool has_child(void)
{
	static const int options[] = { 0, __WALL, __WCLONE };
	siginfo_t info;
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (waitpid(-1, NULL, WNOHANG | options[i]) != -1)
			return true;
	return waitid(P_ALL, 0, &info, WNOHANG | WEXITED | __WALL | WNOWAIT) != -1;
}

static void take_usage(struct rusage *usage, struct tms *times_of)
{
	getrusage(RUSAGE_CHILDREN, usage);
	times(times_of);
}

static bool same_usage(const struct rusage *a, const struct rusage *b,
		       const struct tms *x, const struct tms *y)
{
	return !memcmp(a, b, sizeof(*a)) && x->tms_cutime == y->tms_cutime &&
	       x->tms_cstime == y->tms_cstime;
}

static void catch_signals(void)
{
	struct sigaction strange = { .sa_handler = on_strange_signal };
	struct sigaction expected = { .sa_handler = on_expected_signal,
				      .sa_flags = SA_RESTART };
	int sig;

	for (sig = 1; sig < SIGSYS; sig++)
		sigaction(sig, &strange, NULL);
	sigaction(SIGUSR1, &expected, NULL);
	sigaction(SIGRTMIN, &expected, NULL);
}

/* As the kernel gives it: the C library leaves the rest of a sigset_t as it is. */
static uint64_t signal_mask(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, sizeof(mask));
	return mask;
}

static void check_pages(const uint64_t *pages, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		witness->bytes += pages[i * PAGE / 8] != value;
}

static void fill_pages(uint64_t *pages, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		pages[i * PAGE / 8] = value;
}

static int body_witness(void *unused)
{
	static char maps[2][65536];
	uint64_t *pages = mmap(NULL, NR_PAGES * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int nr = count_descriptors();
	struct timespec nap = { 0, 200000 };
	struct rusage usage, usage_now;
	struct tms time, time_now;
	uint64_t mask, mask_now;

	/* So that the figures of children are not all 0. */
	if (!fork())
		_exit(0);
	wait(NULL);
	catch_signals();
	mask = signal_mask();
	take_usage(&usage, &time);
	look_at("/proc/self/maps", maps[0], sizeof(maps[0]));
	for (;;) {
		fill_pages(pages, witness->rounds);
		witness->children += has_child();
		witness->descriptors += count_descriptors() != nr;
		take_usage(&usage_now, &time_now);
		witness->usage += !same_usage(&usage, &usage_now, &time, &time_now);
		mask_now = signal_mask();
		witness->mask += mask != mask_now;
		look_at("/proc/self/maps", maps[1], sizeof(maps[1]));
		witness->mappings += !!strcmp(maps[0], maps[1]);
		if (nanosleep(&nap, NULL))
			witness->interrupted += errno != EINTR || !witness->handled;
		check_pages(pages, witness->rounds);
		witness->rounds++;
	}
}

/* Is nothing noticed, and does the witness still look? */
static bool witness_is_well(void)
{
	uint64_t rounds = witness->rounds;

	return eventually(witness->rounds > rounds + 2);
}

FIXTURE(snapshot)
{
	struct master m;
	struct team *team;
	pid_t slave;
	long long refs;
};

FIXTURE_SETUP(snapshot)
{
	self->refs = read_number("/sys/module/checkpoint/refcnt");
	witness = shared_memory(sizeof(*witness));
	self->m.fd = -1;
}

FIXTURE_TEARDOWN(snapshot)
{
	if (self->m.fd >= 0)
		master_close(&self->m);
	slave_kill(self->slave);
}

static int pair_with(FIXTURE_DATA(snapshot) *self, pid_t pid, unsigned int flags)
{
	struct cp_prep arg = { .pid = pid, .flags = CP_PREP_PROCESS | flags };

	self->slave = pid;
	return pid > 0 ? master_prep(&self->m, &arg) : -ECHILD;
}

static int start(FIXTURE_DATA(snapshot) *self, int (*body)(void *), void *arg)
{
	return pair_with(self, slave_start(body, arg), CP_PREP_OVERWRITE);
}

/* Starts a team that has begun, and pairs with it. */
static int start_team(FIXTURE_DATA(snapshot) *self, struct team *team,
		      unsigned int flags)
{
	self->team = team;
	if (!team || !team_start(team))
		return -ECHILD;
	return pair_with(self, team->pid, flags);
}

TEST_F(snapshot, program_notices_nothing)
{
	unsigned int i;

	ASSERT_EQ(0, start(self, body_witness, NULL));
	ASSERT_TRUE(eventually(witness->rounds > 2));
	for (i = 0; i < MANY; i++) {
		int fd = snapshot(&self->m);

		ASSERT_LE(0, fd);
		EXPECT_EQ(0, close(fd));
	}
	ASSERT_TRUE(witness_is_well());
	EXPECT_EQ(0, witness->children);
	EXPECT_EQ(0, witness->descriptors);
	EXPECT_EQ(0, witness->mappings);
	EXPECT_EQ(0, witness->usage);
	EXPECT_EQ(0, witness->signals);
	EXPECT_EQ(0, witness->mask);
	EXPECT_EQ(0, witness->interrupted);
	EXPECT_EQ(0, witness->bytes);
}

/* Signals that arrive meanwhile are neither lost nor doubled. */
TEST_F(snapshot, signals_arrive_once)
{
	union sigval value = { 0 };
	unsigned int i, sent = 0;

	ASSERT_EQ(0, start(self, body_witness, NULL));
	ASSERT_TRUE(eventually(witness->rounds > 2));
	for (i = 0; i < MANY / 2; i++) {
		unsigned int j;
		int fd;

		for (j = 0; j < 5; j++)
			sent += !sigqueue(self->slave, SIGRTMIN, value);
		fd = snapshot(&self->m);
		ASSERT_LE(0, fd);
		close(fd);
	}
	EXPECT_TRUE(eventually(witness->handled == sent));
	ASSERT_TRUE(witness_is_well());
	EXPECT_EQ(sent, witness->handled);
	EXPECT_EQ(0, witness->signals);
	EXPECT_EQ(0, witness->bytes);
	EXPECT_EQ(0, witness->mask);
}

/* Number of pages that differ; @pages counts all of them. */
static unsigned int compare_memory(int fd, int mem, unsigned int *pages)
{
	struct cp_snapshot_head head = head_of(fd);
	struct cp_snapshot_mapping *mappings =
		describe(fd, head.mappings_offset,
			 head.nr_mappings * head.mapping_size);
	unsigned int i, differ = 0;
	uint64_t addr;

	for (i = 0; mappings && i < head.nr_mappings; i++) {
		if (mappings[i].flags & CP_MAPPING_ABSENT)
			continue;
		for (addr = mappings[i].start; addr < mappings[i].end; addr += PAGE) {
			differ += !same_page(fd, mem, addr);
			++*pages;
		}
	}
	free(mappings);
	return differ;
}

static volatile uint64_t global[PAGE];

/* Writes to a heap, a stack and globals, all the time. */
static void *work_write(void *member)
{
	volatile uint64_t stack[PAGE / 8];
	volatile uint64_t *heap = malloc(64 * PAGE);
	uint64_t i;

	member_begin(member);
	for (i = 0;; i++) {
		heap[i % (8 * PAGE)] = i;
		global[i % PAGE] = i;
		stack[i % (PAGE / 8)] = i;
		((struct member *)member)->progress += stack[0] <= i;
	}
	return NULL;
}

TEST_F(snapshot, memory_stays_as_it_was)
{
	unsigned int pages = 0;
	int fd, mem, later;
	uint64_t progress;

	ASSERT_TRUE(stay_on_one_cpu());
	ASSERT_EQ(0, start_team(self, TEAM_OF(3, work_write, work_write, work_asleep),
				CP_PREP_OVERWRITE));
	mem = proof_open(self->slave);
	ASSERT_EQ(0, hold(&self->m, 0));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, compare_memory(fd, mem, &pages));
	EXPECT_LT(64 * 2, pages);
	/* A second one, while the first one exists. */
	later = snapshot(&self->m);
	ASSERT_LE(0, later);
	ASSERT_EQ(0, master_release(&self->m));
	progress = self->team->members[0].progress;
	ASSERT_TRUE(eventually(self->team->members[0].progress > progress + 100000));
	/* The slave's memory has changed since, and that of both snapshots has not. */
	pages = 0;
	EXPECT_LT(0, compare_memory(fd, mem, &pages));
	EXPECT_EQ(0, compare_memory(fd, later, &pages));
	close(later);
	close(fd);
	close(mem);
}

/* A process that writes each number to two places: first here, then there. */
struct twins {
	volatile uint64_t *here, *there;
	volatile uint64_t progress;
};

static int body_twins(void *arg)
{
	struct twins *twins = arg;
	uint64_t i;

	twins->here = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	twins->there = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 1;; i++) {
		*twins->here = i;
		asm volatile("" ::: "memory");
		*twins->there = i;
		twins->progress = i;
	}
	return 0;
}

/* One instant: memory, and the registers that belong to it. */
TEST_F(snapshot, memory_is_of_one_instant)
{
	struct twins *twins = shared_memory(sizeof(*twins));
	uint64_t here, there, last = 0;
	unsigned int i;

	ASSERT_EQ(0, start(self, body_twins, twins));
	ASSERT_TRUE(eventually(twins->progress));
	for (i = 0; i < MANY / 2; i++) {
		int fd = snapshot(&self->m);

		ASSERT_LE(0, fd);
		/* The slave has written again before this is read. */
		EXPECT_TRUE(eventually(twins->progress > last + 1000));
		ASSERT_EQ(8, pread(fd, &there, 8, (uintptr_t)twins->there));
		ASSERT_EQ(8, pread(fd, &here, 8, (uintptr_t)twins->here));
		EXPECT_TRUE(here == there || here == there + 1);
		EXPECT_LE(last, here);
		last = here;
		close(fd);
	}
}

TEST_F(snapshot, registers_of_all_threads)
{
	struct cp_snapshot_thread thread;
	struct cp_snapshot_head head;
	bool counts = false, sleeps = false;
	uint64_t before = now_ns();
	uint8_t *xstate;
	unsigned int i;
	int fd;

	ASSERT_EQ(0, start_team(self, TEAM_OF(3, work_asleep, work_count, work_spin),
				CP_PREP_OVERWRITE));
	ASSERT_TRUE(eventually(task_syscall(self->team->members[0].tid) == SYS_futex));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	head = head_of(fd);
	EXPECT_EQ(CP_SNAPSHOT_MAGIC, head.magic);
	EXPECT_EQ(self->slave, head.pid);
	EXPECT_LT(before, head.time);
	EXPECT_GT(now_ns(), head.time);
	ASSERT_EQ(3, head.nr_threads);
	for (i = 0; i < 3; i++) {
		thread = thread_of(fd, i);
		if (thread.checkpoint.thread == self->team->members[0].tid) {
			sleeps = thread.checkpoint.flags & CP_CHECKPOINT_ASLEEP;
			EXPECT_EQ(SYS_futex, thread.checkpoint.regs.rax);
		} else if (thread.checkpoint.thread == self->team->members[1].tid) {
			counts = thread.checkpoint.regs.r12 > 0;
			EXPECT_EQ(0, thread.checkpoint.flags & CP_CHECKPOINT_ASLEEP);
		}
		EXPECT_EQ(0, thread.sigmask);
		ASSERT_LE(512, thread.xstate_size);
		xstate = describe(fd, thread.xstate_offset, thread.xstate_size);
		/* MXCSR, as programs begin. */
		ASSERT_NE(NULL, xstate);
		EXPECT_EQ(0x1f80, *(uint32_t *)(xstate + 24));
		free(xstate);
	}
	EXPECT_TRUE(counts);
	EXPECT_TRUE(sleeps);
	close(fd);
}

/* Each call sleeps until the test writes to the team's pipe. */
static long sleep_in_epoll_for(struct member *m, int ms)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, m->team->ends[0], &event);
	return epoll_wait(fd, &event, 1, ms);
}

static long sleep_in_epoll(struct member *m)
{
	return sleep_in_epoll_for(m, -1);
}

static long sleep_in_poll(struct member *m)
{
	struct pollfd end = { m->team->ends[0], POLLIN };

	return poll(&end, 1, 1000000);
}

static long sleep_in_read(struct member *m)
{
	char byte;

	return read(m->team->ends[0], &byte, 1);
}

static long sleep_in_wait(struct member *m)
{
	pid_t child = fork();
	char byte;

	if (!child)
		_exit(read(m->team->ends[0], &byte, 1) != 1);
	return waitpid(-1, NULL, __WALL) == child;
}

/* Such a call must not be interrupted: another thread has to make the snapshot. */
static long sleep_in_epoll_with_timeout(struct member *m)
{
	return sleep_in_epoll_for(m, 1000000);
}

static void *work_spin_too(void *member)
{
	member_begin(member);
	body_spin(NULL);
	return NULL;
}

static long (*the_call)(struct member *m);

static void *work_one_call(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	m->progress = the_call(m) == 1 ? 1 : 2;
	body_sleep(NULL);
	return NULL;
}

FIXTURE(asleep)
{
	struct master m;
	struct team *team;
};

FIXTURE_VARIANT(asleep)
{
	long (*call)(struct member *m);
	long nr;
	bool company;
};

FIXTURE_VARIANT_ADD(asleep, epoll) { sleep_in_epoll, SYS_epoll_wait };
FIXTURE_VARIANT_ADD(asleep, poll) { sleep_in_poll, SYS_poll };
FIXTURE_VARIANT_ADD(asleep, read) { sleep_in_read, SYS_read };
FIXTURE_VARIANT_ADD(asleep, wait) { sleep_in_wait, SYS_wait4 };
FIXTURE_VARIANT_ADD(asleep, wait_beside_others) {
	sleep_in_wait, SYS_wait4, true
};

FIXTURE_VARIANT_ADD(asleep, epoll_beside_others) {
	sleep_in_epoll_with_timeout, SYS_epoll_wait, true
};

FIXTURE_SETUP(asleep)
{
	the_call = variant->call;
	self->team = TEAM_OF(variant->company ? 2 : 1, work_one_call, work_spin_too);
	ASSERT_TRUE(team_start(self->team));
}

FIXTURE_TEARDOWN(asleep)
{
	master_close(&self->m);
	slave_kill(self->team->pid);
}

/* The kernel restarts some calls under another number. */
static bool sleeps_in(pid_t tid, long nr)
{
	long now = task_syscall(tid);

	return now == nr || now == SYS_restart_syscall;
}

TEST_F(asleep, call_returns_only_when_it_should)
{
	struct cp_prep arg = { .pid = self->team->pid, .flags = CP_PREP_PROCESS };
	struct member *m = &self->team->members[0];
	unsigned int i;
	int fd;

	arg.flags |= CP_PREP_OVERWRITE;
	ASSERT_TRUE(eventually(task_syscall(m->tid) == variant->nr));
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	for (i = 0; i < 5; i++) {
		fd = snapshot(&self->m);
		ASSERT_LE(0, fd);
		close(fd);
	}
	EXPECT_TRUE(eventually(sleeps_in(m->tid, variant->nr)));
	EXPECT_EQ(0, m->progress);
	ASSERT_EQ(1, write(self->team->ends[1], "x", 1));
	EXPECT_TRUE(eventually(m->progress));
	EXPECT_EQ(1, m->progress);
}

/* All threads sleep in a call that must not be interrupted. */
TEST_F(snapshot, waits_for_a_call_with_a_timeout)
{
	struct cp_snapshot arg;

	the_call = sleep_in_epoll_with_timeout;
	ASSERT_EQ(0, start_team(self, TEAM_OF(1, work_one_call), CP_PREP_OVERWRITE));
	ASSERT_TRUE(eventually(task_syscall(self->slave) == SYS_epoll_wait));
	EXPECT_EQ(-ETIMEDOUT, snapshot_until(&self->m, now_ns() + 100 * MS, 0, &arg));
	EXPECT_EQ(0, self->team->members[0].progress);
	EXPECT_EQ(self->slave, arg.late);
}

TEST_F(snapshot, outlives_pair_and_process)
{
	struct twins *twins = shared_memory(sizeof(*twins));
	uint64_t here;
	int fd;

	ASSERT_EQ(0, start(self, body_twins, twins));
	ASSERT_TRUE(eventually(twins->progress > 1000));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, fcntl(fd, F_GETFD));
	master_close(&self->m);
	self->m.fd = -1;
	slave_kill(self->slave);
	self->slave = 0;
	ASSERT_EQ(8, pread(fd, &here, 8, (uintptr_t)twins->here));
	EXPECT_LE(1000, here);
	EXPECT_LT(self->refs, read_number("/sys/module/checkpoint/refcnt"));
	EXPECT_EQ(-1, pread(fd, &here, 8, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pread(fd, &here, 8, (uintptr_t)twins));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, syscall(SYS_pread64, fd, NULL, 8, (uintptr_t)&witness));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(fd, &here, 8));
	close(fd);
	EXPECT_TRUE(eventually(read_number("/sys/module/checkpoint/refcnt") ==
			       self->refs));
}

/* A segment of System V, areas that children do not get, and one without access. */
struct odd {
	int segment;
	char *shared, *not_for_children, *wiped, *no_access, *untouched, *secret;
	volatile bool ready;
};

static int body_odd(void *arg)
{
	struct odd *odd = arg;

	odd->shared = shmat(odd->segment, NULL, 0);
	odd->not_for_children = private_page();
	madvise(odd->not_for_children, PAGE, MADV_DONTFORK);
	odd->wiped = private_page();
	madvise(odd->wiped, PAGE, MADV_WIPEONFORK);
	odd->no_access = private_page();
	mprotect(odd->no_access, PAGE, PROT_NONE);
	odd->untouched = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	odd->secret = private_page();
	madvise(odd->secret, PAGE, MADV_DONTDUMP);
	odd->ready = true;
	return body_sleep(NULL);
}

static int attached(int segment)
{
	struct shmid_ds ds;

	return shmctl(segment, IPC_STAT, &ds) ? -1 : (int)ds.shm_nattch;
}

static int read_byte(int fd, const char *addr)
{
	char byte;

	return pread(fd, &byte, 1, (uintptr_t)addr) == 1 ? byte : -errno;
}

TEST_F(snapshot, holds_private_memory_only)
{
	struct odd *odd = shared_memory(sizeof(*odd));
	int fd;

	odd->segment = shmget(IPC_PRIVATE, PAGE, 0600);
	ASSERT_EQ(0, start(self, body_odd, odd));
	ASSERT_TRUE(eventually(odd->ready && task_syscall(self->slave) == SYS_pause));
	ASSERT_EQ(1, attached(odd->segment));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, attached(odd->segment));
	EXPECT_EQ(-EIO, read_byte(fd, odd->shared));
	EXPECT_EQ(-EIO, read_byte(fd, odd->not_for_children));
	EXPECT_EQ(-EIO, read_byte(fd, odd->wiped));
	EXPECT_EQ('p', read_byte(fd, odd->no_access));
	EXPECT_EQ(0, read_byte(fd, odd->untouched));
	slave_kill(self->slave);
	self->slave = 0;
	EXPECT_EQ(0, attached(odd->segment));
	close(fd);
	shmctl(odd->segment, IPC_RMID, NULL);
}

/* The flags of the mapping that contains @addr, or 0. */
static uint32_t flags_at(int fd, const void *addr)
{
	struct cp_snapshot_head head = head_of(fd);
	struct cp_snapshot_mapping *mappings =
		describe(fd, head.mappings_offset,
			 head.nr_mappings * head.mapping_size);
	uint32_t flags = 0;
	unsigned int i;

	for (i = 0; mappings && i < head.nr_mappings; i++)
		if ((uintptr_t)addr >= mappings[i].start &&
		    (uintptr_t)addr < mappings[i].end)
			flags = mappings[i].flags;
	free(mappings);
	return flags;
}

/* As the kernel's own cores know it. */
TEST_F(snapshot, mappings_say_what_belongs_into_a_core)
{
	const uint32_t mask = CP_MAPPING_TOUCHED | CP_MAPPING_DONTDUMP;
	struct odd *odd = shared_memory(sizeof(*odd));
	int fd;

	odd->segment = shmget(IPC_PRIVATE, PAGE, 0600);
	ASSERT_EQ(0, start(self, body_odd, odd));
	ASSERT_TRUE(eventually(odd->ready && task_syscall(self->slave) == SYS_pause));
	shmctl(odd->segment, IPC_RMID, NULL);
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	EXPECT_EQ(CP_MAPPING_TOUCHED, flags_at(fd, odd->no_access) & mask);
	EXPECT_EQ(mask, flags_at(fd, odd->secret) & mask);
	EXPECT_EQ(CP_MAPPING_READ, flags_at(fd, odd->untouched));
	EXPECT_EQ(CP_MAPPING_TOUCHED, flags_at(fd, &witness) & mask);
	EXPECT_EQ(CP_MAPPING_READ | CP_MAPPING_EXEC, flags_at(fd, body_odd));
	close(fd);
}

/* A terabyte of addresses, of which one page in the middle and the last one are in use. */
#define VAST		(1UL << 40)
#define STEP		(2UL << 20)

struct vast {
	char *memory;
	volatile bool ready;
};

static int body_vast(void *arg)
{
	struct vast *vast = arg;

	vast->memory = mmap(NULL, VAST, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	vast->memory[VAST / 2] = 'm';
	vast->memory[VAST - 1] = 'e';
	vast->ready = true;
	return body_sleep(NULL);
}

static long long seek_data(int fd, const char *addr)
{
	long long found = lseek(fd, (uintptr_t)addr, SEEK_DATA);

	return found < 0 ? -errno : found;
}

TEST_F(snapshot, seeking_skips_untouched_memory)
{
	struct vast *vast = shared_memory(sizeof(*vast));
	uint64_t first, found;
	int fd;

	ASSERT_EQ(0, start(self, body_vast, vast));
	ASSERT_TRUE(eventually(vast->ready && task_syscall(self->slave) == SYS_pause));
	ASSERT_NE(MAP_FAILED, vast->memory);
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	first = (uintptr_t)vast->memory;
	found = seek_data(fd, vast->memory);
	EXPECT_LE(first + VAST / 2 - STEP, found);
	EXPECT_GE(first + VAST / 2, found);
	EXPECT_EQ('m', read_byte(fd, vast->memory + VAST / 2));
	found = seek_data(fd, vast->memory + VAST / 2 + STEP);
	EXPECT_LE(first + VAST - STEP, found);
	EXPECT_GT(first + VAST, found);
	/* Where something is, nothing is skipped; pages of a file are always something. */
	EXPECT_EQ(first + VAST - 1, seek_data(fd, vast->memory + VAST - 1));
	EXPECT_EQ((uintptr_t)body_vast, seek_data(fd, (char *)body_vast));
	EXPECT_EQ(-ENXIO, seek_data(fd, (char *)(1UL << 47) - PAGE));
	EXPECT_EQ(-ENXIO, seek_data(fd, (char *)(1UL << 61)));
	close(fd);
}

/* One line of /proc/PID/maps, made of a description. */
static void write_line(int fd, const struct cp_snapshot_mapping *mapping,
		       char *line, size_t size)
{
	char *name = calloc(1, mapping->name_size + 1);
	uint32_t flags = mapping->flags;

	if (pread(fd, name, mapping->name_size,
		  CP_SNAPSHOT_HEAD + mapping->name_offset) != mapping->name_size)
		*name = 0;
	snprintf(line, size, "%llx-%llx %c%c%c%c %llx %x:%x %llu %s",
		 mapping->start, mapping->end, flags & CP_MAPPING_READ ? 'r' : '-',
		 flags & CP_MAPPING_WRITE ? 'w' : '-',
		 flags & CP_MAPPING_EXEC ? 'x' : '-',
		 flags & CP_MAPPING_SHARED ? 's' : 'p', mapping->offset,
		 mapping->dev_major, mapping->dev_minor, mapping->inode, name);
	free(name);
}

/* The same of the process itself, in the same form; false at the end. */
static bool read_line(FILE *maps, char *line, size_t size)
{
	unsigned long long start, end, offset, inode;
	char text[512], flags[5], name[256] = "";
	unsigned int major, minor;

	if (!fgets(text, sizeof(text), maps))
		return false;
	sscanf(text, "%llx-%llx %4s %llx %x:%x %llu %255[^\n]", &start, &end, flags,
	       &offset, &major, &minor, &inode, name);
	snprintf(line, size, "%llx-%llx %s %llx %x:%x %llu %s", start, end, flags,
		 offset, major, minor, inode, name);
	return true;
}

TEST_F(snapshot, mappings_are_those_of_proc)
{
	struct odd *odd = shared_memory(sizeof(*odd));
	struct cp_snapshot_mapping *mappings;
	char path[32], theirs[600], ours[600];
	struct cp_snapshot_head head;
	unsigned int i;
	FILE *maps;
	int fd;

	odd->segment = shmget(IPC_PRIVATE, PAGE, 0600);
	ASSERT_EQ(0, start(self, body_odd, odd));
	shmctl(odd->segment, IPC_RMID, NULL);
	ASSERT_TRUE(eventually(odd->ready));
	ASSERT_EQ(0, hold(&self->m, 0));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	head = head_of(fd);
	mappings = describe(fd, head.mappings_offset,
			    head.nr_mappings * head.mapping_size);
	ASSERT_NE(NULL, mappings);
	snprintf(path, sizeof(path), "/proc/%d/maps", self->slave);
	maps = fopen(path, "re");
	for (i = 0; i < head.nr_mappings; i++) {
		ASSERT_TRUE(read_line(maps, theirs, sizeof(theirs)));
		write_line(fd, &mappings[i], ours, sizeof(ours));
		EXPECT_STREQ(theirs, ours);
	}
	/* What is left belongs to no process. */
	while (read_line(maps, theirs, sizeof(theirs)))
		EXPECT_NE(NULL, strstr(theirs, "[vsyscall]"));
	fclose(maps);
	free(mappings);
	close(fd);
}

/* Each makes a snapshot impossible. */
static int refuse_by_namespace(void)
{
	return unshare(CLONE_NEWPID);
}

FIXTURE(refused)
{
	struct master m;
	pid_t slave;
	volatile uint64_t *progress;
};

FIXTURE_VARIANT(refused)
{
	int (*refuse)(void);
	int error;
};

FIXTURE_VARIANT_ADD(refused, seccomp) { refuse_by_seccomp, EACCES };
FIXTURE_VARIANT_ADD(refused, userfaultfd) { refuse_by_userfaultfd, EADDRINUSE };
FIXTURE_VARIANT_ADD(refused, aio) { refuse_by_aio, EINPROGRESS };
FIXTURE_VARIANT_ADD(refused, io_uring) { refuse_by_io_uring, EINPROGRESS };
FIXTURE_VARIANT_ADD(refused, namespaces) { refuse_by_namespace, EXDEV };
FIXTURE_VARIANT_ADD(refused, shared_memory) { refuse_by_clone_vm, ENOTUNIQ };
FIXTURE_VARIANT_ADD(refused, huge_pages) { refuse_by_huge_pages, EMEDIUMTYPE };
FIXTURE_VARIANT_ADD(refused, debugger) { refuse_by_debugger, EBUSY };

FIXTURE_SETUP(refused)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (file) {
		fprintf(file, "4");
		fclose(file);
	}
	self->progress = shared_memory(PAGE);
	self->slave = fork_mortal();
	if (!self->slave) {
		self->progress[0] = variant->refuse() ? 1000 : 1;
		for (;; self->progress[1]++)
			syscall(SYS_getppid);
	}
	ASSERT_TRUE(eventually(self->progress[1]));
}

FIXTURE_TEARDOWN(refused)
{
	master_close(&self->m);
	slave_kill(self->slave);
}

static bool is_traced(pid_t pid)
{
	char text[4096], path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return look_at(path, text, sizeof(text)) && !strstr(text, "TracerPid:\t0\n");
}

TEST_F(refused, nothing_changes)
{
	struct cp_prep arg = { .pid = self->slave, .flags = CP_PREP_PROCESS };
	uint64_t progress;

	if (self->progress[0] != 1)
		SKIP(return, "this kernel has no such thing");
	arg.flags |= CP_PREP_OVERWRITE;
	if (variant->error == EBUSY)
		ASSERT_TRUE(eventually(is_traced(self->slave)));
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	EXPECT_EQ(-variant->error, snapshot(&self->m));
	progress = self->progress[1];
	EXPECT_TRUE(eventually(self->progress[1] > progress));
	EXPECT_EQ(-EALREADY, master_release(&self->m));
}

TEST_F(snapshot, refused_for_a_single_task)
{
	struct cp_snapshot arg = { .flags = 2 };

	self->slave = slave_start(body_syscalls, NULL);
	ASSERT_EQ(0, master_pair(&self->m, self->slave));
	EXPECT_EQ(-EINVAL, snapshot(&self->m));
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_SNAPSHOT, &arg));
	EXPECT_EQ(EINVAL, errno);
	master_close(&self->m);
	self->m.fd = device_open();
	EXPECT_EQ(-ENOTCONN, snapshot(&self->m));
	close(self->m.fd);
	self->m.fd = -1;
}

/* The slave is killed at any moment of a snapshot: the call gives a good descriptor, or none. */
TEST_F(snapshot, slave_killed_in_the_middle)
{
	struct twins *twins = shared_memory(sizeof(*twins));
	unsigned int i, taken = 0;
	uint64_t here;

	for (i = 0; i < MANY; i++) {
		pid_t killer;
		int fd;

		twins->progress = 0;
		ASSERT_EQ(0, start(self, body_twins, twins));
		ASSERT_TRUE(eventually(twins->progress));
		killer = fork_mortal();
		if (!killer) {
			usleep(i * 100);
			_exit(kill(self->slave, SIGKILL));
		}
		fd = snapshot(&self->m);
		if (fd >= 0) {
			taken++;
			EXPECT_EQ(8, pread(fd, &here, 8, (uintptr_t)twins->here));
			close(fd);
		} else {
			EXPECT_EQ(-EPIPE, fd);
		}
		waitpid(killer, NULL, 0);
		slave_kill(self->slave);
		master_close(&self->m);
		self->m.fd = -1;
		self->slave = 0;
	}
	TH_LOG("%u snapshots were complete", taken);
	EXPECT_TRUE(eventually(read_number("/sys/module/checkpoint/refcnt") ==
			       self->refs));
}

/* Takes snapshots until it is killed. */
static int body_taker(void *pid)
{
	struct cp_prep arg = { .pid = *(pid_t *)pid,
			       .flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE };
	struct master m;

	while (master_prep(&m, &arg) == -EBUSY)
		;
	for (;;)
		close(snapshot(&m));
	return 0;
}

TEST_F(snapshot, master_killed_in_the_middle)
{
	unsigned int i;
	pid_t taker;

	self->slave = slave_start(body_witness, NULL);
	ASSERT_TRUE(eventually(witness->rounds > 2));
	for (i = 0; i < MANY / 2; i++) {
		taker = slave_start(body_taker, &self->slave);
		usleep(20000 + i * 700);
		slave_kill(taker);
	}
	ASSERT_TRUE(witness_is_well());
	EXPECT_EQ(0, witness->children);
	EXPECT_EQ(0, witness->usage);
	EXPECT_EQ(0, witness->signals);
	EXPECT_EQ(0, witness->mask);
	EXPECT_EQ(0, witness->bytes);
	EXPECT_EQ(0, witness->mappings);
	EXPECT_TRUE(eventually(read_number("/sys/module/checkpoint/refcnt") ==
			       self->refs));
}

/* Stop signals reach the process in the middle. */
TEST_F(snapshot, slave_stopped_in_the_middle)
{
	unsigned int i, taken = 0;
	pid_t stopper;

	ASSERT_EQ(0, start(self, body_witness, NULL));
	ASSERT_TRUE(eventually(witness->rounds > 2));
	stopper = fork_mortal();
	if (!stopper)
		for (;;) {
			kill(self->slave, SIGSTOP);
			usleep(500);
			kill(self->slave, SIGCONT);
			usleep(1500);
		}
	for (i = 0; i < MANY; i++) {
		int fd = snapshot(&self->m);

		taken += fd >= 0;
		close(fd);
	}
	slave_kill(stopper);
	kill(self->slave, SIGCONT);
	EXPECT_LT(0, taken);
	ASSERT_TRUE(witness_is_well());
	EXPECT_EQ(0, witness->children);
	EXPECT_EQ(0, witness->usage);
	EXPECT_EQ(0, witness->bytes);
	EXPECT_EQ(0, witness->mask);
}

/* A hundred snapshots at a time, and none of them left. */
TEST_F(snapshot, a_hundred_leave_nothing)
{
	struct twins *twins = shared_memory(sizeof(*twins));
	uint64_t here[2];
	int fds[100];
	unsigned int i;

	ASSERT_EQ(0, start(self, body_twins, twins));
	ASSERT_TRUE(eventually(twins->progress));
	for (i = 0; i < 100; i++) {
		fds[i] = snapshot(&self->m);
		ASSERT_LE(0, fds[i]);
	}
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(8, pread(fds[i], &here[i % 2], 8, (uintptr_t)twins->here));
		if (i)
			EXPECT_LE(here[!(i % 2)], here[i % 2]);
	}
	for (i = 0; i < 100; i++)
		close(fds[i]);
	master_close(&self->m);
	self->m.fd = -1;
	slave_kill(self->slave);
	self->slave = 0;
	EXPECT_TRUE(eventually(read_number("/sys/module/checkpoint/refcnt") ==
			       self->refs));
}

/* The copy that a snapshot makes of the process does not wait for the master as a child does. */
TEST_F(snapshot, child_is_none_that_is_followed)
{
	struct twins *twins = shared_memory(sizeof(*twins));
	int fd, ret;

	self->slave = slave_start(body_twins, twins);
	ASSERT_TRUE(eventually(twins->progress));
	ASSERT_EQ(0, pair_with(self, self->slave, CP_PREP_CHILDREN | CP_PREP_OVERWRITE));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	do {
		ret = master_get_until(&self->m, 0, 0);
	} while (ret == 1);
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_EQ(0, self->m.get.unseen);
	close(fd);
}

static bool set_parameter(const char *name, long long value)
{
	char path[96];
	FILE *file;
	bool set;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	file = fopen(path, "we");
	if (!file)
		return false;
	set = fprintf(file, "%lld", value) > 0;
	return !fclose(file) && set;
}

/* As another user: gives the errno of the last of @nr snapshots, or 0. */
static int take_as_user(unsigned int nr)
{
	struct twins *twins = shared_memory(sizeof(*twins));
	struct cp_prep arg = { .flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE };
	struct master m;
	int fd = 0;

	if (!become(USER))
		return 255;
	arg.pid = slave_start(body_twins, twins);
	if (!eventually(twins->progress) || master_prep(&m, &arg))
		return 254;
	while (nr-- && fd >= 0)
		fd = snapshot(&m);
	slave_kill(arg.pid);
	return fd < 0 ? -fd : 0;
}

static int take_three(void *unused)
{
	return take_as_user(3);
}

static int take_one(void *unused)
{
	return take_as_user(1);
}

TEST_F(snapshot, limits_of_a_user)
{
	long long number = read_number(PARAMETERS "snapshots_per_user");
	struct system system;

	ASSERT_TRUE(system_open(&system));
	EXPECT_EQ(0, in_child(take_three, NULL));
	EXPECT_TRUE(set_parameter("snapshots_per_user", 2));
	EXPECT_EQ(EUSERS, in_child(take_three, NULL));
	EXPECT_TRUE(set_parameter("snapshots_per_user", number));
	EXPECT_TRUE(set_parameter("snapshot_memory_per_user", 4096));
	EXPECT_EQ(EDQUOT, in_child(take_one, NULL));
	EXPECT_TRUE(set_parameter("snapshot_memory_per_user", 0));
	EXPECT_EQ(0, in_child(take_one, NULL));
	system_restore(&system);
}

/* The machine is out of memory: snapshots go before processes are killed. */
TEST_F(snapshot, dropped_when_memory_runs_out)
{
	struct twins *twins = shared_memory(sizeof(*twins));
	uint64_t here;
	int fd;

	ASSERT_EQ(0, start(self, body_twins, twins));
	ASSERT_TRUE(eventually(twins->progress));
	fd = snapshot(&self->m);
	ASSERT_LE(0, fd);
	if (!run_out_of_memory())
		SKIP(return, "this kernel has no /proc/sysrq-trigger");
	EXPECT_EQ(-1, pread(fd, &here, 8, (uintptr_t)twins->here));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(CP_SNAPSHOT_MAGIC, head_of(fd).magic);
	close(fd);
}

TEST_HARNESS_MAIN
