// SPDX-License-Identifier: GPL-2.0-only
/*
 * The region of a malicious master: user space can read it, but never write to it,
 * and it holds nothing but the slave's checkpoints.
 */

/* Padding in a struct could leak kernel memory: there must be none. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <linux/checkpoint.h>
#pragma GCC diagnostic pop

#include "harness.h"
#include "stack.h"

#include <linux/userfaultfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PAGE		4096UL
#define SLAVES		0x5a	/* each byte of the slave's stack */
#define OTHERS		0xa5	/* each byte of other processes' memory */

/* The size of the slave's stack, and the part that is in use: the upper half. */
#define STACK_PAGES	4
#define STACK_USED	(STACK_PAGES * PAGE / 2)

/* The page that is missing if habit.hole is set: beyond the end of the file. */
#define HOLE_PAGE	3

struct habit {
	bool hole;
	volatile bool calls;	/* the slave has reached its loop of calls */
};

static void ftruncate_or_exit(int file, unsigned int pages)
{
	if (ftruncate(file, pages * PAGE))
		_exit(1);
}

/* Makes system calls for ever, without writing to its stack. */
static int body_stack(void *arg)
{
	struct habit *habit = arg;
	int file = memfd_create("stack", MFD_CLOEXEC);
	char *stack = mmap(NULL, STACK_PAGES * PAGE, PROT_READ | PROT_WRITE,
			   MAP_SHARED, file, 0);

	ftruncate_or_exit(file, STACK_PAGES);
	memset(stack, SLAVES, STACK_PAGES * PAGE);
	if (habit->hole)
		ftruncate_or_exit(file, HOLE_PAGE);
	habit->calls = true;
	call_on_stack(stack + STACK_USED);
}

/* Starts a slave with that stack and pairs with it; returns 0 or -errno. */
static int master_of_stack(struct master *m, struct cp_prep *arg, bool hole)
{
	struct habit *habit = shared_memory(sizeof(*habit));

	habit->hole = hole;
	arg->pid = slave_start(body_stack, habit);
	if (!eventually(habit->calls))
		return -ETIMEDOUT;
	munmap(habit, sizeof(*habit));
	return master_prep(m, arg);
}

FIXTURE(mapping)
{
	struct master m;
	pid_t slave;
};

FIXTURE_SETUP(mapping)
{
	struct cp_prep arg = { .stack_limit = 8 * PAGE };

	ASSERT_EQ(0, master_of_stack(&self->m, &arg, false));
	self->slave = arg.pid;
	ASSERT_EQ(1, master_get(&self->m));
}

FIXTURE_TEARDOWN(mapping)
{
	master_close(&self->m);
	slave_kill(self->slave);
}

/* A CP_IOC_GET that finds the pair over keeps the last checkpoint. */
TEST(last_checkpoint_stays_when_the_slave_is_killed)
{
	struct cp_prep arg = { .stack_limit = 8 * PAGE };
	const struct cp_checkpoint *seen;
	struct cp_checkpoint last;
	struct master m;
	int i;

	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, master_of_stack(&m, &arg, false));
		ASSERT_EQ(1, master_get(&m));
		seen = master_checkpoint(&m);
		last = *seen;
		sleep_ms(i % 3);
		kill(arg.pid, SIGKILL);
		ASSERT_EQ(0, master_get(&m));
		EXPECT_EQ(0, memcmp(&last, seen, sizeof(last)));
		slave_kill(arg.pid);
		master_close(&m);
	}
}

/* The slave's stack in use, and the pages that one page fault maps at most. */
#define DEEP_PAGES	40
#define AROUND_PAGES	16

static int body_deep(void *arg)
{
	char deep[DEEP_PAGES * PAGE];

	memset(deep, SLAVES, sizeof(deep));
	asm volatile("" : : "r" (deep) : "memory");
	*(volatile bool *)arg = true;
	for (;;)
		syscall(SYS_getppid);
	return 0;
}

/* How many pages of the block are mapped, according to /proc/self/pagemap? */
static unsigned int nr_mapped(const char *block)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entries[AROUND_PAGES] = {};
	unsigned int i, nr = 0;

	if (pread(pagemap, entries, sizeof(entries),
		  (uintptr_t)block / PAGE * sizeof(entries[0])) == sizeof(entries))
		for (i = 0; i < AROUND_PAGES; i++)
			nr += entries[i] >> 63;
	close(pagemap);
	return nr;
}

static void touch(const volatile char *at)
{
	*at;
}

/*
 * A page fault maps the pages around its own, so that a slave does not wait for one fault
 * after another. It makes no pages: there are none below the lowest page of a stack.
 */
TEST(page_fault_maps_the_pages_around)
{
	volatile bool *deep = shared_memory(sizeof(*deep));
	struct cp_prep arg = { .pid = slave_start(body_deep, (void *)deep) };
	const size_t size = AROUND_PAGES * PAGE;
	const char *lowest, *block;
	struct master m;

	ASSERT_TRUE(eventually(*deep));
	ASSERT_EQ(0, master_prep(&m, &arg));
	ASSERT_EQ(1, master_get(&m));
	ASSERT_LE(DEEP_PAGES * PAGE, master_stack(&m)->size);
	lowest = m.region + master_stack(&m)->offset / PAGE * PAGE;
	block = (const char *)((uintptr_t)lowest / size * size);
	EXPECT_EQ(0, nr_mapped(block));
	touch(lowest);
	EXPECT_EQ((block + size - lowest) / PAGE, nr_mapped(block));
	EXPECT_EQ(0, nr_mapped(block + size));
	touch(block + size + size / 2);
	EXPECT_EQ(AROUND_PAGES, nr_mapped(block + size));
	master_close(&m);
	slave_kill(arg.pid);
}

/* Can the kernel read a byte there? */
static bool is_readable(const void *at)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)at, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1;
}

static bool holds_a_checkpoint(struct master *m)
{
	return master_get(m) == 1 && master_checkpoint(m)->seq == m->get.seq &&
	       *(const unsigned char *)master_at(m, m->regs[RSP]) == SLAVES;
}

TEST_F(mapping, goes_on_where_it_is_moved_to)
{
	char *old = self->m.region, *room, *new;

	room = mmap(NULL, self->m.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	new = mremap(old, self->m.size, self->m.size,
		     MREMAP_MAYMOVE | MREMAP_FIXED, room);
	ASSERT_EQ(room, new);
	EXPECT_FALSE(is_readable(old));
	self->m.region = new;
	EXPECT_TRUE(holds_a_checkpoint(&self->m));
}

TEST_F(mapping, is_not_doubled_by_mremap)
{
	/* mremap() with an old size of 0 would make a second mapping. */
	EXPECT_EQ(MAP_FAILED, mremap(self->m.region, 0, self->m.size,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(self->m.region, self->m.size,
				     self->m.size, MREMAP_MAYMOVE |
				     MREMAP_DONTUNMAP, NULL));
	EXPECT_TRUE(holds_a_checkpoint(&self->m));
}

TEST_F(mapping, goes_on_in_what_is_left_of_it)
{
	const struct cp_region_head *head = (void *)self->m.region;
	size_t slot = head->slots_offset;
	char *region = self->m.region;

	/* Unmaps all but the region's head and the slot's header. */
	ASSERT_EQ(0, munmap(region + slot + PAGE, self->m.size - slot - PAGE));
	ASSERT_EQ(1, master_get(&self->m));
	EXPECT_EQ(self->m.get.seq, master_checkpoint(&self->m)->seq);
	EXPECT_FALSE(is_readable(region + slot + PAGE));
	/* CP_IOC_GET works without any mapping, too. */
	ASSERT_EQ(0, munmap(region, slot + PAGE));
	EXPECT_EQ(1, master_get(&self->m));
	self->m.region = mmap(NULL, self->m.size, PROT_READ, MAP_SHARED,
			      self->m.fd, 0);
	EXPECT_TRUE(holds_a_checkpoint(&self->m));
}

/* Tries each way by which the kernel writes to a read-only mapping. */
static int ways_to_write(char *at)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char bytes[64] = "written";
	struct iovec local = { bytes, sizeof(bytes) };
	struct iovec remote = { at, sizeof(bytes) };
	int ways = 0;

	ways += read(zero, at, sizeof(bytes)) > 0;
	ways += pwrite(mem, bytes, sizeof(bytes), (uintptr_t)at) > 0;
	ways += process_vm_writev(getpid(), &local, 1, &remote, 1, 0) > 0;
	ways += !mprotect(at, PAGE, PROT_READ | PROT_WRITE);
	ways += !mprotect(at, PAGE, PROT_WRITE | PROT_EXEC);
	ways += !madvise(at, PAGE, MADV_POPULATE_WRITE);
	ways += !madvise(at, PAGE, MADV_REMOVE);
	close(mem);
	close(zero);
	return ways;
}

TEST_F(mapping, is_written_in_no_way)
{
	char *private = mmap(NULL, self->m.size, PROT_READ, MAP_PRIVATE,
			     self->m.fd, 0);
	size_t at = self->m.get.slot_offset;

	ASSERT_NE(MAP_FAILED, private);
	EXPECT_EQ(0, ways_to_write(self->m.region));
	EXPECT_EQ(0, ways_to_write(self->m.region + at));
	EXPECT_EQ(0, ways_to_write(private));
	EXPECT_EQ(0, ways_to_write(private + at));
	/* A private mapping is not a copy: it shows later checkpoints, too. */
	ASSERT_EQ(1, master_get(&self->m));
	EXPECT_EQ(0, memcmp(private, self->m.region, self->m.size));
	munmap(private, self->m.size);
}

TEST_F(mapping, is_handed_to_no_userfaultfd)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)self->m.region, self->m.size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (fd < 0)
		SKIP(return, "this kernel has no userfaultfd");
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	EXPECT_EQ(-1, ioctl(fd, UFFDIO_REGISTER, &reg));
	close(fd);
}

/* madvise(2) does not change what the master can read. */
TEST_F(mapping, takes_any_advice)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_RANDOM,
		MADV_MERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_WILLNEED,
		MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_POPULATE_READ,
		MADV_DONTDUMP, MADV_DONTFORK,
	};
	char *before = malloc(self->m.size);
	size_t i;

	memcpy(before, self->m.region, self->m.size);
	for (i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		madvise(self->m.region, self->m.size, advices[i]);
		ASSERT_EQ(0, memcmp(before, self->m.region, self->m.size));
	}
	free(before);
	/* MADV_DODUMP would include the slave's stack in the master's core. */
	EXPECT_EQ(-1, madvise(self->m.region, self->m.size, MADV_DODUMP));
	EXPECT_TRUE(holds_a_checkpoint(&self->m));
}

struct heir {
	struct master *m;
	const char *expected;
	volatile bool go;
};

static int body_heir(void *arg)
{
	struct heir *heir = arg;

	if (!eventually(heir->go))
		return 1;
	if (memcmp(heir->m->region, heir->expected, heir->m->size))
		return 2;
	return master_get_until(heir->m, 0, 0) == -EPERM ? 0 : 3;
}

/*
 * A master may let its child inherit the mapping (MADV_DOFORK), on kernels that
 * allow it. The child is still not the master. The pages exist as long as they are
 * mapped.
 */
TEST_F(mapping, outlives_all_else)
{
	struct heir *heir = shared_memory(sizeof(*heir));
	char *expected = shared_memory(self->m.size);
	pid_t child;
	int status;

	if (madvise(self->m.region, self->m.size, MADV_DOFORK)) {
		EXPECT_EQ(EINVAL, errno);
		SKIP(return, "no child of a master inherits a region here");
	}
	heir->m = &self->m;
	heir->expected = expected;
	child = slave_start(body_heir, heir);
	slave_kill(self->slave);
	memcpy(expected, self->m.region, self->m.size);
	master_close(&self->m);
	heir->go = true;
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* The module does not reuse a page while a pipe refers to it. */
TEST_F(mapping, pages_in_a_pipe_stay_what_they_are)
{
	size_t at = self->m.get.slot_offset;
	char expected[PAGE], found[PAGE];
	struct iovec page = { self->m.region + at, PAGE };
	struct cp_prep arg = { 0 };
	struct master other;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	memcpy(expected, self->m.region + at, PAGE);
	ASSERT_EQ((ssize_t)PAGE, vmsplice(ends[1], &page, 1, 0));
	slave_kill(self->slave);
	master_close(&self->m);

	/* Another pair allocates memory. */
	ASSERT_EQ(0, master_of_stack(&other, &arg, false));
	EXPECT_TRUE(holds_a_checkpoint(&other));
	ASSERT_EQ((ssize_t)PAGE, read(ends[0], found, PAGE));
	EXPECT_EQ(0, memcmp(expected, found, PAGE));
	master_close(&other);
	slave_kill(arg.pid);
}

/*
 * The contents of a region. The memory of a region may have been used before, so the
 * test first fills free memory with a pattern, as pages and as kernel objects. The
 * test finds most on kernels that do not clear what they allocate (init_on_alloc=0).
 */
#define SOCKETS		64
#define OTHERS_SIZE	(32UL << 20)

static int body_pollute(void *unused)
{
	char *memory = mmap(NULL, OTHERS_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t size = 64;
	int ends[2], i;

	memset(memory, OTHERS, OTHERS_SIZE);
	for (i = 0; i < SOCKETS; i++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
			return 1;
		while (send(ends[0], memory, size, MSG_DONTWAIT) > 0)
			size = size < 16384 ? size * 2 : 64;
	}
	return 0;
}

FIXTURE(contents)
{
	struct master m;
	char *known;	/* 1 for each byte that belongs to a checkpoint */
};

FIXTURE_VARIANT(contents)
{
	struct cp_prep prep;
	bool hole;
};

FIXTURE_VARIANT_ADD(contents, rendezvous) {};
FIXTURE_VARIANT_ADD(contents, ahead) { .prep.nr_slots = 8 };
FIXTURE_VARIANT_ADD(contents, overwrite)
{
	.prep = { .nr_slots = 8, .flags = CP_PREP_OVERWRITE },
};

FIXTURE_VARIANT_ADD(contents, death)
{
	.prep = { .nr_slots = 4, .flags = CP_PREP_OVERWRITE | CP_PREP_DEATH },
};

FIXTURE_VARIANT_ADD(contents, truncated) { .prep.stack_limit = PAGE };
FIXTURE_VARIANT_ADD(contents, hole) { .hole = true };

FIXTURE_SETUP(contents)
{
	struct cp_prep arg = variant->prep;

	ASSERT_EQ(0, in_child(body_pollute, NULL));
	if (!arg.stack_limit)
		arg.stack_limit = 8 * PAGE;
	ASSERT_EQ(0, master_of_stack(&self->m, &arg, variant->hole));
	self->known = calloc(1, self->m.size);
}

FIXTURE_TEARDOWN(contents)
{
	free(self->known);
	slave_kill(self->m.slave);
	master_close(&self->m);
}

/*
 * Is all of the stack SLAVES, and its hole zero? If the capture was interrupted (not
 * @whole), parts may not have been written.
 */
static bool is_stack(const struct cp_segment *seg, const unsigned char *data,
		     bool whole)
{
	uint64_t hole = seg->map_start + HOLE_PAGE * PAGE;
	uint64_t i;

	for (i = 0; i < seg->size; i++) {
		bool in_hole = seg->flags & CP_SEGF_HOLE &&
			       seg->addr + i >= hole;

		if (data[i] != (in_hole ? 0 : SLAVES) && (whole || data[i]))
			return false;
	}
	return true;
}

static bool know_slot(struct master *m, char *known, size_t at)
{
	const struct cp_checkpoint *c = (void *)(m->region + at);
	const struct cp_segment *seg = (void *)((char *)c + c->segments_offset);

	memset(known + at, 1, c->segments_offset +
	       c->nr_segments * c->segment_size);
	memset(known + seg->offset, 1, seg->size);
	return is_stack(seg, (unsigned char *)m->region + seg->offset, c->seq);
}

/* The offset of the first unknown byte that is not zero, or the region's size. */
static size_t first_leak(struct master *m, const char *known)
{
	size_t i;

	for (i = 0; i < m->size; i++)
		if (!known[i] && m->region[i])
			break;
	return i;
}

TEST_F(contents, are_checkpoints_and_zeroes)
{
	const struct cp_region_head *head = (void *)self->m.region;
	unsigned int i;

	memset(self->known, 1, sizeof(*head));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, master_get(&self->m));
	EXPECT_EQ(variant->hole ? CP_SEGF_HOLE : 0,
		  master_stack(&self->m)->flags & CP_SEGF_HOLE);
	/* After the slave's death, the region does not change. */
	kill(self->m.slave, SIGSEGV);
	while (master_get(&self->m) == 1)
		;
	ASSERT_EQ(CP_END_EXITED, self->m.get.reason);

	for (i = 0; i < head->nr_slots; i++) {
		size_t at = head->slots_offset + i * head->slot_size;

		/* By size, not seq: the signal may have interrupted a capture. */
		if (((struct cp_checkpoint *)(self->m.region + at))->size)
			EXPECT_TRUE(know_slot(&self->m, self->known, at));
	}
	EXPECT_EQ(self->m.size, first_leak(&self->m, self->known));
}

TEST_HARNESS_MAIN
