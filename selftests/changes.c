// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has changed since a snapshot: the list equals a comparison of all bytes, whoever
 * has written, and although most pages are not looked at.
 */
#include <linux/if_xdp.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "shots.h"

#define AREA_PAGES	64
#define HUGE_SIZE	(2UL << 20)
#define KSM		"/sys/kernel/mm/ksm/"
/* More than the module's log has room for. */
#define MANY_SPANS	2500
#define SOL_XDP_SOCKETS	283

/* What the slave does for the test, in memory that they share. */
struct puppet {
	void (*volatile act)(struct puppet *p);
	char *volatile area;		/* AREA_PAGES, each written */
	char *volatile fresh;		/* AREA_PAGES, none of them touched */
	char *volatile other;		/* for any use of a test */
	volatile unsigned int seed;
	volatile unsigned int from, to;	/* pages */
	volatile int value;
	volatile int result;
};

static char *map_private(size_t pages)
{
	return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fill(char *area, unsigned int pages, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		*(unsigned int *)(area + i * PAGE) = seed + i;
}

static int body_puppet(void *arg)
{
	const size_t size = AREA_PAGES * PAGE;
	struct puppet *p = arg;
	/* Apart from each other, and from all else. */
	char *block = mmap(NULL, 5 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	madvise(block, 5 * size, MADV_NOHUGEPAGE);
	mprotect(block + size, size, PROT_READ | PROT_WRITE);
	mprotect(block + 3 * size, size, PROT_READ | PROT_WRITE);
	fill(block + size, AREA_PAGES, 1000);
	p->fresh = block + 3 * size;
	p->area = block + size;
	for (;;) {
		if (p->act) {
			p->act(p);
			p->act = NULL;
		}
		syscall(SYS_getppid);
	}
	return 0;
}

FIXTURE(changes)
{
	struct master m;
	struct puppet *p;
	pid_t slave;
	int fd;				/* the snapshot */
	int mem;			/* the slave's memory */
	struct cp_change *list;
	unsigned int nr;
};

static int become_master(FIXTURE_DATA(changes) *self, pid_t slave)
{
	struct cp_prep arg = { .pid = slave,
			       .flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE };

	return master_prep(&self->m, &arg);
}

FIXTURE_SETUP(changes)
{
	ASSERT_TRUE(stay_on_one_cpu());
	self->fd = -1;
	self->p = shared_memory(sizeof(*self->p));
	self->slave = slave_start(body_puppet, self->p);
	ASSERT_TRUE(eventually(self->p->area && task_syscall(self->slave) != 0));
	ASSERT_EQ(0, become_master(self, self->slave));
	self->mem = open(({ static char path[32];
			    snprintf(path, sizeof(path), "/proc/%d/mem", self->slave);
			    path; }), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->mem);
}

FIXTURE_TEARDOWN(changes)
{
	free(self->list);
	close(self->fd);
	close(self->mem);
	master_close(&self->m);
	slave_kill(self->slave);
}

/* Lets the slave do something. */
static bool perform(FIXTURE_DATA(changes) *self, void (*act)(struct puppet *p))
{
	self->p->act = act;
	return eventually(!self->p->act);
}

/* Pages @from to @to - 1 of the area. */
static bool perform_on(FIXTURE_DATA(changes) *self, void (*act)(struct puppet *p),
		       unsigned int from, unsigned int to, int value)
{
	self->p->from = from;
	self->p->to = to;
	self->p->value = value;
	return perform(self, act);
}

/* Lists all that differs from the snapshot @then, @room changes at a time: 0 or -errno. */
static int list_with(FIXTURE_DATA(changes) *self, int on, int then, unsigned int room)
{
	struct cp_changes arg = { .snapshot = then, .room = room };

	self->nr = 0;
	do {
		self->list = realloc(self->list, (self->nr + room) * sizeof(*self->list));
		arg.changes = (uintptr_t)(self->list + self->nr);
		arg.nr = 0xdead;
		if (ioctl(on, CP_IOC_CHANGES, &arg))
			return -errno;
		self->nr += arg.nr;
		arg.start = arg.next;
	} while (arg.next != CP_FOREVER);
	return 0;
}

/* The same for the slave, which it holds for that. */
static int list(FIXTURE_DATA(changes) *self)
{
	int ret = hold(&self->m, 0);

	return ret ?: list_with(self, self->m.fd, self->fd, 256) ?: master_release(&self->m);
}

/* What the list says of an address. */
static uint32_t flags_at(FIXTURE_DATA(changes) *self, const char *addr)
{
	uint64_t at = (uintptr_t)addr;
	unsigned int i;

	for (i = 0; i < self->nr; i++)
		if (self->list[i].start <= at && at < self->list[i].end)
			return self->list[i].flags;
	return 0;
}

/* How many pages of some memory the list has with exactly these flags. */
static unsigned int count(FIXTURE_DATA(changes) *self, const char *addr,
			  unsigned int pages, uint32_t flags)
{
	unsigned int i, nr = 0;

	for (i = 0; i < pages; i++)
		nr += flags_at(self, addr + i * PAGE) == flags;
	return nr;
}

#define WHOLE	(CP_CHANGE_MAPPED | CP_CHANGE_UNMAPPED | CP_CHANGE_REPLACED)

/* Is the list sorted, without overlaps? */
static bool is_sorted(FIXTURE_DATA(changes) *self)
{
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i < self->nr; i++) {
		if (self->list[i].start < end ||
		    self->list[i].start >= self->list[i].end || self->list[i].reserved)
			return false;
		end = self->list[i].end;
	}
	return true;
}

/*
 * Compares all bytes of the snapshot with those of @now, which is the held slave's memory or
 * a snapshot. Gives how many pages the list has and should not, or the reverse; -1 if it
 * is not well formed.
 */
static int wrong_pages(FIXTURE_DATA(changes) *self, int now)
{
	struct cp_snapshot_head head = head_of(self->fd);
	struct cp_snapshot_mapping *mappings =
		describe(self->fd, head.mappings_offset,
			 head.nr_mappings * head.mapping_size);
	unsigned int i;
	uint64_t addr;
	int wrong = 0;

	for (i = 0; mappings && i < head.nr_mappings; i++) {
		if (mappings[i].flags & CP_MAPPING_ABSENT)
			continue;
		for (addr = mappings[i].start; addr < mappings[i].end; addr += PAGE) {
			uint32_t flags = flags_at(self, (char *)addr);
			bool listed = flags & CP_CHANGE_CONTENT;

			if (!(flags & WHOLE) &&
			    listed == same_page(self->fd, now, addr)) {
				printf("# %lx in %lx-%lx: flags %x\n", (long)addr,
				       (long)mappings[i].start, (long)mappings[i].end,
				       flags);
				wrong++;
			}
		}
	}
	free(mappings);
	return is_sorted(self) ? wrong : -1;
}

/* The same for a list of what is now, in one hold. */
static int wrong_now(FIXTURE_DATA(changes) *self)
{
	int wrong;

	if (hold(&self->m, 0) || list_with(self, self->m.fd, self->fd, 256))
		return -1;
	wrong = wrong_pages(self, self->mem);
	return master_release(&self->m) ? -1 : wrong;
}

static bool shoot(FIXTURE_DATA(changes) *self)
{
	close(self->fd);
	self->fd = snapshot_with(&self->m, CP_SNAPSHOT_CHANGES);
	return self->fd >= 0;
}

static void act_write(struct puppet *p)
{
	unsigned int i;

	for (i = p->from; i < p->to; i++)
		p->area[i * PAGE + 100] = p->value;
}

TEST_F(changes, nothing)
{
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(0, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, wrong_now(self));
}

TEST_F(changes, written_pages)
{
	char *area = self->p->area;

	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform_on(self, act_write, 3, 4, 1));
	ASSERT_TRUE(perform_on(self, act_write, 10, 13, 1));
	/* The byte that was there. */
	ASSERT_TRUE(perform_on(self, act_write, 20, 21, 0));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(4, count(self, area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(AREA_PAGES - 4, count(self, area, AREA_PAGES, 0));
	EXPECT_EQ(1, count(self, area + 3 * PAGE, 1, CP_CHANGE_CONTENT));
	EXPECT_EQ(3, count(self, area + 10 * PAGE, 3, CP_CHANGE_CONTENT));
	/* These pages are written without an event from now on. */
	ASSERT_TRUE(perform_on(self, act_write, 20, 21, 1));
	ASSERT_TRUE(perform_on(self, act_write, 3, 4, 2));
	ASSERT_TRUE(perform_on(self, act_write, 10, 11, 0));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(4, count(self, area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(1, count(self, area + 20 * PAGE, 1, CP_CHANGE_CONTENT));
	EXPECT_EQ(1, count(self, area + 10 * PAGE, 1, 0));
	EXPECT_EQ(0, wrong_now(self));
}

/* A snapshot without a log. */
TEST_F(changes, without_the_flag)
{
	self->fd = snapshot(&self->m);
	ASSERT_LE(0, self->fd);
	ASSERT_TRUE(perform_on(self, act_write, 7, 9, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(2, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_drop(struct puppet *p)
{
	p->result = madvise(p->area + p->from * PAGE, (p->to - p->from) * PAGE,
			    MADV_DONTNEED);
}

static void act_clear(struct puppet *p)
{
	memset(p->area + p->from * PAGE, 0, (p->to - p->from) * PAGE);
}

TEST_F(changes, dropped_pages)
{
	char *area = self->p->area;

	ASSERT_TRUE(perform_on(self, act_clear, 30, 31, 0));
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform_on(self, act_drop, 5, 7, 0));
	ASSERT_TRUE(perform_on(self, act_drop, 30, 31, 0));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(2, count(self, area + 5 * PAGE, 2, CP_CHANGE_CONTENT | CP_CHANGE_GONE));
	EXPECT_EQ(AREA_PAGES - 2, count(self, area, AREA_PAGES, 0));
	/* Written again: a page of its own. */
	ASSERT_TRUE(perform_on(self, act_write, 6, 7, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(1, count(self, area + 6 * PAGE, 1, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_touch(struct puppet *p)
{
	unsigned int i;

	for (i = p->from; i < p->to; i++)
		p->fresh[i * PAGE] = p->value;
}

/* No event says so, and the counts as /proc shows them may not change. */
TEST_F(changes, first_touches)
{
	char *fresh = self->p->fresh;

	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform_on(self, act_touch, 20, 30, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(10, count(self, fresh, AREA_PAGES, CP_CHANGE_CONTENT | CP_CHANGE_NEW));
	ASSERT_TRUE(perform_on(self, act_touch, 40, 41, 1));
	/* A page of zeroes is nothing new. */
	ASSERT_TRUE(perform_on(self, act_touch, 50, 51, 0));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(11, count(self, fresh, AREA_PAGES, CP_CHANGE_CONTENT | CP_CHANGE_NEW));
	EXPECT_EQ(AREA_PAGES - 11, count(self, fresh, AREA_PAGES, 0));
	EXPECT_EQ(0, wrong_now(self));
}

/* One page appears and another one goes: their number is the same. */
TEST_F(changes, first_touch_beside_a_dropped_page)
{
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform_on(self, act_drop, 5, 6, 0));
	ASSERT_TRUE(perform_on(self, act_touch, 20, 21, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(CP_CHANGE_CONTENT | CP_CHANGE_GONE,
		  flags_at(self, self->p->area + 5 * PAGE));
	EXPECT_EQ(CP_CHANGE_CONTENT | CP_CHANGE_NEW,
		  flags_at(self, self->p->fresh + 20 * PAGE));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_remap(struct puppet *p)
{
	char *a = p->area;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	munmap(a + 2 * PAGE, PAGE);
	/* A mapping with the same attributes in the place of the old one. */
	mmap(a + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(a + 6 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
	mmap(a + 8 * PAGE, PAGE, PROT_READ | PROT_WRITE,
	     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mprotect(a + 10 * PAGE, 2 * PAGE, PROT_READ);
	/* Pages that changed alike, in three mappings. */
	memset(a + 36 * PAGE, 7, 4 * PAGE);
	mprotect(a + 37 * PAGE, 2 * PAGE, PROT_READ);
	madvise(a + 14 * PAGE, PAGE, MADV_DONTFORK);
	madvise(a + 15 * PAGE, PAGE, MADV_WIPEONFORK);
	a[15 * PAGE] = 77;
	p->other = mremap(a + 20 * PAGE, 2 * PAGE, 2 * PAGE,
			  MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	mremap(a + 24 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
	       a + 30 * PAGE);
	close(fd);
}

TEST_F(changes, mappings)
{
	const uint32_t gone = CP_CHANGE_CONTENT | CP_CHANGE_GONE;
	char *a = self->p->area;

	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform(self, act_remap));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(CP_CHANGE_UNMAPPED, flags_at(self, a + 2 * PAGE));
	EXPECT_EQ(gone, flags_at(self, a + 4 * PAGE));
	EXPECT_TRUE(flags_at(self, a + 6 * PAGE) & CP_CHANGE_REPLACED);
	EXPECT_TRUE(flags_at(self, a + 8 * PAGE) & CP_CHANGE_REPLACED);
	EXPECT_EQ(2, count(self, a + 10 * PAGE, 2, CP_CHANGE_PROTECTION));
	EXPECT_EQ(CP_CHANGE_ADVICE, flags_at(self, a + 14 * PAGE));
	EXPECT_EQ(CP_CHANGE_ADVICE | CP_CHANGE_CONTENT, flags_at(self, a + 15 * PAGE));
	EXPECT_EQ(2, count(self, a + 20 * PAGE, 2, gone));
	EXPECT_EQ(2, count(self, self->p->other, 2, CP_CHANGE_MAPPED));
	EXPECT_EQ(2, count(self, a + 24 * PAGE, 2, CP_CHANGE_UNMAPPED));
	EXPECT_EQ(2, count(self, a + 30 * PAGE, 2, CP_CHANGE_CONTENT));
	EXPECT_EQ(2, count(self, a + 32 * PAGE, 32, CP_CHANGE_CONTENT));
	EXPECT_EQ(2, count(self, a + 37 * PAGE, 2,
			   CP_CHANGE_CONTENT | CP_CHANGE_PROTECTION));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_grow(struct puppet *p)
{
	char *end = sbrk(3 * PAGE);

	*end = 1;
	p->other = end;
}

TEST_F(changes, heap_that_grows)
{
	ASSERT_TRUE(perform(self, act_grow));
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform(self, act_grow));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(3, count(self, self->p->other, 3, CP_CHANGE_MAPPED));
	EXPECT_EQ(3, count(self, self->p->other - 3 * PAGE, 3, 0));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_read_pipe(struct puppet *p)
{
	int ends[2];

	if (pipe(ends) || write(ends[1], "x", 1) != 1 ||
	    read(ends[0], p->area + p->from * PAGE, 1) != 1)
		p->result = 1;
	close(ends[0]);
	close(ends[1]);
}

static bool poke(pid_t slave, char *addr)
{
	int status;

	return !ptrace(PTRACE_ATTACH, slave, 0, 0) &&
	       waitpid(slave, &status, __WALL) == slave &&
	       !ptrace(PTRACE_POKEDATA, slave, addr, 1) &&
	       !ptrace(PTRACE_DETACH, slave, 0, 0);
}

TEST_F(changes, written_by_others)
{
	struct iovec local = { "abc", 3 }, remote = { self->p->area + 11 * PAGE, 3 };
	char *area = self->p->area;
	unsigned int i;

	ASSERT_TRUE(perform_on(self, act_write, 0, 1, 9));
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(3, process_vm_writev(self->slave, &local, 1, &remote, 1, 0));
	EXPECT_TRUE(poke(self->slave, area + 21 * PAGE));
	EXPECT_EQ(1, pwrite(self->mem, "y", 1, (uintptr_t)area + 31 * PAGE));
	ASSERT_TRUE(perform_on(self, act_read_pipe, 41, 42, 0));
	EXPECT_EQ(0, self->p->result);
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(4, count(self, area, AREA_PAGES, CP_CHANGE_CONTENT));
	for (i = 11; i <= 41; i += 10)
		EXPECT_EQ(CP_CHANGE_CONTENT, flags_at(self, area + i * PAGE));
	EXPECT_EQ(0, wrong_now(self));
}

#define DIRECT_FILE	"changes-direct"

static void act_read_direct(struct puppet *p)
{
	int fd = open(DIRECT_FILE, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	char *page = p->area + p->from * PAGE;

	p->result = fd < 0 || ftruncate(fd, PAGE) ||
		    pread(fd, page, PAGE, 0) != (ssize_t)PAGE;
	close(fd);
	unlink(DIRECT_FILE);
}

/* The device writes, or what stands for one, to a page that it has pinned. */
TEST_F(changes, direct_io)
{
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform_on(self, act_read_direct, 9, 10, 0));
	if (self->p->result)
		SKIP(return, "no O_DIRECT in this file system");
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(CP_CHANGE_CONTENT, flags_at(self, self->p->area + 9 * PAGE));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_huge(struct puppet *p)
{
	char *area = map_private(3 * HUGE_SIZE / PAGE);

	area += HUGE_SIZE - (uintptr_t)area % HUGE_SIZE;
	madvise(area, 2 * HUGE_SIZE, MADV_HUGEPAGE);
	memset(area, 5, 2 * HUGE_SIZE);
	p->other = area;
}

static void act_write_huge(struct puppet *p)
{
	p->other[p->from * PAGE + 1] = p->value;
}

/* Is the page at @addr of the caller's a huge one? */
static bool has_huge_pages(pid_t pid)
{
	char path[40], line[128];
	unsigned int kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "AnonHugePages: %u", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib >= 2 * HUGE_SIZE / 1024;
}

TEST_F(changes, one_byte_of_a_huge_page)
{
	ASSERT_TRUE(perform(self, act_huge));
	if (!has_huge_pages(self->slave))
		SKIP(return, "no huge pages");
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform_on(self, act_write_huge, 700, 701, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(1, count(self, self->p->other, 1024, CP_CHANGE_CONTENT));
	ASSERT_TRUE(perform_on(self, act_write_huge, 701, 702, 1));
	ASSERT_TRUE(perform_on(self, act_write_huge, 3, 4, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(3, count(self, self->p->other, 1024, CP_CHANGE_CONTENT));
	EXPECT_EQ(CP_CHANGE_CONTENT, flags_at(self, self->p->other + 3 * PAGE));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_map_file(struct puppet *p)
{
	int fd = memfd_create("changes", MFD_CLOEXEC);
	char *map;

	ftruncate(fd, 8 * PAGE);
	map = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	map[2 * PAGE] = 2;
	map[3 * PAGE] = 3;
	p->other = map;
	p->result = fd;
}

static void act_on_file(struct puppet *p)
{
	char byte = 8;

	p->other[0] = 1;			/* never touched before */
	p->other[3 * PAGE] = 4;
	madvise(p->other + 2 * PAGE, PAGE, MADV_DONTNEED);
	/* Belongs to the file in both. */
	pwrite(p->result, &byte, 1, 5 * PAGE);
}

TEST_F(changes, pages_of_a_private_file)
{
	ASSERT_TRUE(perform(self, act_map_file));
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform(self, act_on_file));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(CP_CHANGE_CONTENT | CP_CHANGE_NEW, flags_at(self, self->p->other));
	EXPECT_EQ(CP_CHANGE_CONTENT | CP_CHANGE_GONE,
		  flags_at(self, self->p->other + 2 * PAGE));
	EXPECT_EQ(CP_CHANGE_CONTENT, flags_at(self, self->p->other + 3 * PAGE));
	EXPECT_EQ(5, count(self, self->p->other, 8, 0));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_mergeable(struct puppet *p)
{
	memset(p->area, 9, AREA_PAGES * PAGE);
	p->result = madvise(p->area, AREA_PAGES * PAGE, MADV_MERGEABLE);
}

static void act_unmergeable(struct puppet *p)
{
	p->result = madvise(p->area, AREA_PAGES * PAGE, MADV_UNMERGEABLE);
}

/* Merging takes away the frozen memory's share, so the slave writes without an event. */
TEST_F(changes, frozen_pages_that_ksm_merges)
{
	ASSERT_TRUE(perform(self, act_mergeable));
	if (self->p->result || !write_file(KSM "run", "0"))
		SKIP(return, "this kernel has no KSM");
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform(self, act_unmergeable));
	write_file(KSM "sleep_millisecs", "1");
	write_file(KSM "pages_to_scan", "1000");
	write_file(KSM "run", "1");
	EXPECT_TRUE(eventually(read_number(KSM "pages_sharing") >= AREA_PAGES - 2));
	write_file(KSM "run", "0");
	ASSERT_TRUE(perform_on(self, act_write, 0, AREA_PAGES, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(AREA_PAGES, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, wrong_now(self));
	write_file(KSM "run", "2");
	write_file(KSM "run", "0");
}

static void act_pin(struct puppet *p)
{
	struct xdp_umem_reg umem = { .addr = (uintptr_t)p->area, .len = AREA_PAGES * PAGE,
				     .chunk_size = PAGE };
	int fd = socket(AF_XDP, SOCK_RAW, 0);

	p->result = fd < 0 || setsockopt(fd, SOL_XDP_SOCKETS, XDP_UMEM_REG, &umem,
					 sizeof(umem));
}

/* A fork copies pinned pages: those of the slave are written without an event. */
TEST_F(changes, pages_pinned_before)
{
	ASSERT_TRUE(perform(self, act_pin));
	if (self->p->result)
		SKIP(return, "no sockets that pin memory");
	ASSERT_TRUE(shoot(self));
	ASSERT_TRUE(perform_on(self, act_write, 4, 5, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(1, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	ASSERT_TRUE(perform_on(self, act_write, 6, 7, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(2, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_fork(struct puppet *p)
{
	pid_t child = fork();

	if (!child) {
		p->area[50 * PAGE] = 1;
		_exit(0);
	}
	p->area[51 * PAGE + 100] = 1;
	waitpid(child, NULL, 0);
	p->area[52 * PAGE + 100] = 1;
}

TEST_F(changes, slave_that_forks)
{
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform(self, act_fork));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(2, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(2, count(self, self->p->area + 51 * PAGE, 2, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, wrong_now(self));
}

static void act_map_many(struct puppet *p)
{
	p->other = map_private(2 * MANY_SPANS);
	madvise(p->other, 2 * MANY_SPANS * PAGE, MADV_NOHUGEPAGE);
	memset(p->other, 1, 2 * MANY_SPANS * PAGE);
}

static void act_write_every_second(struct puppet *p)
{
	unsigned int i;

	for (i = 0; i < MANY_SPANS; i++)
		p->other[2 * i * PAGE] = p->value;
}

TEST_F(changes, more_than_the_log_holds)
{
	ASSERT_TRUE(perform(self, act_map_many));
	ASSERT_TRUE(shoot(self));
	ASSERT_EQ(0, list(self));
	ASSERT_TRUE(perform_on(self, act_write_every_second, 0, 0, 2));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(MANY_SPANS, count(self, self->p->other, 2 * MANY_SPANS,
				    CP_CHANGE_CONTENT));
	ASSERT_TRUE(perform_on(self, act_write, 7, 8, 1));
	ASSERT_EQ(0, list(self));
	EXPECT_EQ(1, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(MANY_SPANS, count(self, self->p->other, 2 * MANY_SPANS,
				    CP_CHANGE_CONTENT));
}

/* The cursor: any number of changes through a small buffer. */
TEST_F(changes, one_at_a_time)
{
	unsigned int i, nr;
	struct cp_change *all;

	ASSERT_TRUE(shoot(self));
	for (i = 0; i < AREA_PAGES; i += 2)
		ASSERT_TRUE(perform_on(self, act_write, i, i + 1, 1));
	ASSERT_TRUE(perform(self, act_remap));
	ASSERT_EQ(0, hold(&self->m, 0));
	ASSERT_EQ(0, list_with(self, self->m.fd, self->fd, 256));
	all = self->list;
	nr = self->nr;
	self->list = NULL;
	ASSERT_LE(AREA_PAGES / 4, nr);
	ASSERT_EQ(0, list_with(self, self->m.fd, self->fd, 1));
	ASSERT_EQ(nr, self->nr);
	EXPECT_EQ(0, memcmp(all, self->list, nr * sizeof(*all)));
	free(all);
}

TEST_F(changes, two_snapshots)
{
	int first;

	ASSERT_TRUE(shoot(self));
	ASSERT_TRUE(perform_on(self, act_write, 3, 5, 1));
	ASSERT_TRUE(perform_on(self, act_touch, 3, 4, 1));
	first = self->fd;
	self->fd = -1;
	ASSERT_TRUE(shoot(self));
	/* Neither snapshot has these. */
	ASSERT_TRUE(perform_on(self, act_write, 8, 9, 1));
	ASSERT_TRUE(perform_on(self, act_touch, 8, 9, 1));
	ASSERT_EQ(0, list_with(self, self->fd, first, 16));
	EXPECT_EQ(2, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(1, count(self, self->p->fresh, AREA_PAGES,
			   CP_CHANGE_CONTENT | CP_CHANGE_NEW));
	EXPECT_EQ(0, wrong_pages(self, first));
	/* The same when the process is gone. */
	slave_kill(self->slave);
	self->slave = 0;
	ASSERT_EQ(0, list_with(self, self->fd, first, 16));
	EXPECT_EQ(2, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, wrong_pages(self, first));
	/* The other way round, what was new has gone. */
	ASSERT_EQ(0, list_with(self, first, self->fd, 16));
	EXPECT_EQ(1, count(self, self->p->fresh, AREA_PAGES,
			   CP_CHANGE_CONTENT | CP_CHANGE_GONE));
	close(first);
}

static void act_exec(struct puppet *p)
{
	char *const args[] = { "sleep", "100", NULL };

	execv("/bin/sleep", args);
}

TEST_F(changes, slave_that_executes_a_program)
{
	ASSERT_TRUE(shoot(self));
	ASSERT_TRUE(perform_on(self, act_write, 3, 5, 1));
	self->p->act = act_exec;
	ASSERT_TRUE(eventually(master_poll(&self->m, 0) & POLLHUP));
	EXPECT_EQ(-EPIPE, list_with(self, self->m.fd, self->fd, 1));
	/* The next pair is with another program. */
	master_close(&self->m);
	ASSERT_EQ(0, become_master(self, self->slave));
	ASSERT_EQ(0, hold(&self->m, 0));
	EXPECT_EQ(-ESTALE, list_with(self, self->m.fd, self->fd, 1));
}

TEST_F(changes, refused)
{
	struct cp_changes arg = { .room = 1, .changes = 8, .start = 1 };
	struct cp_change change;

	EXPECT_EQ(-EAGAIN, list_with(self, self->m.fd, -1, 1));
	ASSERT_EQ(0, hold(&self->m, 0));
	ASSERT_TRUE(shoot(self));
	EXPECT_EQ(-EBADF, list_with(self, self->m.fd, -1, 1));
	EXPECT_EQ(-EINVAL, list_with(self, self->m.fd, self->mem, 1));
	EXPECT_EQ(-EINVAL, list_with(self, self->m.fd, self->m.fd, 1));
	EXPECT_EQ(-EINVAL, list_with(self, self->fd, self->m.fd, 1));
	arg.snapshot = self->fd;
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_CHANGES, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg.start = 0;
	arg.room = 0;
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_CHANGES, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg.room = 1;
	arg.flags = 1;
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_CHANGES, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg.flags = 0;
	/* A buffer that cannot be written; the change is not lost. */
	EXPECT_EQ(1, pwrite(self->mem, "y", 1, (uintptr_t)self->p->area));
	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_CHANGES, &arg));
	EXPECT_EQ(EFAULT, errno);
	arg.changes = (uintptr_t)&change;
	EXPECT_EQ(0, ioctl(self->m.fd, CP_IOC_CHANGES, &arg));
	EXPECT_EQ(1, arg.nr);
	EXPECT_EQ(0, list_with(self, self->m.fd, self->fd, 16));
	EXPECT_EQ(1, count(self, self->p->area, AREA_PAGES, CP_CHANGE_CONTENT));
	EXPECT_EQ(0, master_release(&self->m));
	EXPECT_EQ(-EAGAIN, list_with(self, self->m.fd, self->fd, 1));
	EXPECT_EQ(-1, ioctl(self->fd, CP_IOC_HOLD, &arg));
	EXPECT_EQ(ENOTTY, errno);
}

static unsigned int draw(struct puppet *p, unsigned int below)
{
	p->seed = p->seed * 1103515245 + 12345;
	return (p->seed >> 8) % below;
}

static void act_random_mapping(struct puppet *p, char *page)
{
	switch (draw(p, 6)) {
	case 0:
		munmap(page, PAGE);
		break;
	case 1:
		mmap(page, 3 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 2:
		mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       p->area + draw(p, AREA_PAGES) * PAGE);
		break;
	case 3:
		mprotect(page, PAGE, PROT_READ);
		break;
	case 4:
		mprotect(p->area, AREA_PAGES * PAGE, PROT_READ | PROT_WRITE);
		break;
	default:
		madvise(page, 2 * PAGE, draw(p, 2) ? MADV_DONTFORK : MADV_DOFORK);
	}
}

static void act_random_content(struct puppet *p, char *page)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	/* The result says whether the page can be written. */
	bool writable = read(zero, page + 8, 1) == 1;

	switch (draw(p, 6)) {
	case 0:
		madvise(page, PAGE * (1 + draw(p, 4)), MADV_DONTNEED);
		break;
	case 1:
		p->fresh[draw(p, AREA_PAGES) * PAGE] = draw(p, 3);
		break;
	case 2:
		madvise(p->fresh + draw(p, AREA_PAGES) * PAGE, PAGE, MADV_DONTNEED);
		break;
	default:
		if (writable)
			page[draw(p, PAGE)] = draw(p, 2);
	}
	close(zero);
}

static void act_random(struct puppet *p)
{
	unsigned int i, nr = draw(p, 12);

	for (i = 0; i < nr; i++) {
		char *page = p->area + draw(p, AREA_PAGES) * PAGE;

		if (draw(p, 4))
			act_random_content(p, page);
		else
			act_random_mapping(p, page);
	}
}

/* A slave that does what it likes: the list is that of a comparison of all bytes. */
TEST_F(changes, random_slave)
{
	unsigned int seed = now_ns(), i;

	TH_LOG("seed %u", seed);
	self->p->seed = seed;
	for (i = 0; i < 60; i++) {
		if (i % 8 == 0)
			ASSERT_TRUE(shoot(self));
		ASSERT_TRUE(perform(self, act_random));
		ASSERT_EQ(0, wrong_now(self)) TH_LOG("round %u of seed %u", i, seed);
	}
}

TEST_HARNESS_MAIN
