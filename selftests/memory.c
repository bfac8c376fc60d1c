// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture reads only memory that a debugger's process_vm_readv(2) could read. It
 * does not change the slave's memory: it allocates no page in the slave, or in a
 * file that the slave maps.
 */
#include "harness.h"
#include "stack.h"

#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define PAGE	4096UL
#define ROOM	(1024 * PAGE)
#define WORD	0x7468652073656372ULL

/* The mapping of the slave's stack; in memory shared with the test. */
struct place {
	char *(*map)(struct place *place);
	int fd;			/* the mapped file, or -1 */
	int shm;		/* System V segment, or -1 */
	bool guarded;		/* an arena above a page without access */
	char *at;		/* address of the mapping; NULL before */
};

static char *map_memfd(struct place *place)
{
	if (place->fd < 0 || ftruncate(place->fd, ROOM))
		return MAP_FAILED;
	return mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, place->fd,
		    0);
}

static char *map_system_v(struct place *place)
{
	place->shm = shmget(IPC_PRIVATE, ROOM, IPC_CREAT | 0600);
	return shmat(place->shm, NULL, 0);
}

static char *map_anonymous(struct place *place)
{
	return mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static char *map_shared_anonymous(struct place *place)
{
	return mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* The stack is in the first page; a page in the middle and the last hold a word. */
static int body_in_place(void *arg)
{
	struct place *place = arg;
	char *at = place->map(place);

	if (at == MAP_FAILED)
		return KSFT_SKIP;
	*(volatile uint64_t *)(at + ROOM / 2) = WORD;
	*(volatile uint64_t *)(at + ROOM - PAGE) = WORD;
	*(volatile uint64_t *)(at + 512) = WORD;
	__atomic_store_n(&place->at, at, __ATOMIC_RELEASE);
	call_on_stack(at + 256);
}

/* The value of field @key of /proc/PID/status, in KiB. */
static long status_kib(pid_t pid, const char *key)
{
	char path[32], line[128];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && value < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static long resident_kib(pid_t pid)
{
	return status_kib(pid, "RssAnon") + status_kib(pid, "RssShmem") +
	       status_kib(pid, "RssFile") + status_kib(pid, "VmPTE");
}

FIXTURE(sparse)
{
	struct place *place;
	pid_t slave;
};

FIXTURE_VARIANT(sparse)
{
	char *(*map)(struct place *place);
	bool file;
};

FIXTURE_VARIANT_ADD(sparse, memfd) { .map = map_memfd, .file = true };
FIXTURE_VARIANT_ADD(sparse, system_v) { .map = map_system_v };
FIXTURE_VARIANT_ADD(sparse, anonymous) { .map = map_anonymous };
FIXTURE_VARIANT_ADD(sparse, shared_anonymous) { .map = map_shared_anonymous };

FIXTURE_SETUP(sparse)
{
	self->place = shared_memory(sizeof(*self->place));
	self->place->map = variant->map;
	self->place->shm = -1;
	self->place->fd = variant->file ? memfd_create("sparse", MFD_CLOEXEC) :
					  -1;
	self->slave = slave_start(body_in_place, self->place);
	ASSERT_TRUE(eventually(__atomic_load_n(&self->place->at,
					       __ATOMIC_ACQUIRE) ||
			       task_state(self->slave) == 'Z'));
	ASSERT_NE(NULL, self->place->at);
}

FIXTURE_TEARDOWN(sparse)
{
	slave_kill(self->slave);
	if (self->place->shm >= 0)
		shmctl(self->place->shm, IPC_RMID, NULL);
}

/* Is the copy of the mapping exact, holes included? */
static bool is_exact(struct master *m, const char *at)
{
	const uint64_t *first = master_at(m, (uintptr_t)at + 512);
	const uint64_t *middle = master_at(m, (uintptr_t)at + ROOM / 2);
	const uint64_t *hole = master_at(m, (uintptr_t)at + ROOM / 4);
	const uint64_t *last = master_at(m, (uintptr_t)at + ROOM - PAGE);

	return first && *first == WORD && middle && *middle == WORD &&
	       hole && !*hole && last && *last == WORD;
}

/* New page tables and mapped zero pages would be changes, too. */
TEST_F(sparse, saving_it_leaves_it_sparse)
{
	struct cp_prep arg = { .pid = self->slave, .stack_limit = ROOM };
	struct stat before = { 0 }, after = { 0 };
	struct master m;
	long resident;
	int i;

	ASSERT_EQ(0, master_prep(&m, &arg));
	resident = resident_kib(self->slave);
	if (self->place->fd >= 0)
		ASSERT_EQ(0, fstat(self->place->fd, &before));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, master_get(&m));
		EXPECT_EQ(0, master_stack(&m)->flags);
		EXPECT_TRUE(is_exact(&m, self->place->at));
	}
	/* The slave itself may allocate a page or two. */
	EXPECT_GT(resident + 64, resident_kib(self->slave));
	if (self->place->fd >= 0)
		ASSERT_EQ(0, fstat(self->place->fd, &after));
	EXPECT_EQ(before.st_blocks, after.st_blocks);
	master_close(&m);
}

static char *map_secret(struct place *place)
{
	int fd = syscall(SYS_memfd_secret, 0);

	if (fd < 0 || ftruncate(fd, ROOM))
		return MAP_FAILED;
	return mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static char *map_write_only(struct place *place)
{
	return mmap(NULL, ROOM, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

FIXTURE(refused)
{
	struct place *place;
	struct master m;
};

FIXTURE_VARIANT(refused)
{
	char *(*map)(struct place *place);
	struct cp_prep arg;
};

FIXTURE_VARIANT_ADD(refused, secret) { .map = map_secret };
FIXTURE_VARIANT_ADD(refused, write_only) { .map = map_write_only };
FIXTURE_VARIANT_ADD(refused, secret_recorded)
{
	.map = map_secret,
	.arg = { .flags = CP_PREP_OVERWRITE, .nr_slots = 4,
		 .stack_limit = 4 * PAGE },
};

FIXTURE_SETUP(refused)
{
	struct cp_prep arg = variant->arg;

	self->place = shared_memory(sizeof(*self->place));
	self->place->map = variant->map;
	arg.pid = slave_start(body_in_place, self->place);
	ASSERT_TRUE(eventually(__atomic_load_n(&self->place->at,
					       __ATOMIC_ACQUIRE) ||
			       task_state(arg.pid) == 'Z'));
	if (!self->place->at)
		SKIP(return, "no such memory here");
	ASSERT_EQ(0, master_prep(&self->m, &arg));
}

FIXTURE_TEARDOWN(refused)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

TEST_F(refused, memory_is_a_hole)
{
	uint64_t word = 0;
	struct iovec local = { &word, sizeof(word) };
	struct iovec remote = { self->place->at + 512, sizeof(word) };
	int i;

	ASSERT_EQ(-1, process_vm_readv(self->m.slave, &local, 1, &remote, 1, 0));
	for (i = 0; i < 20; i++) {
		const struct cp_segment *seg;
		const uint64_t *copy;

		ASSERT_EQ(1, master_get(&self->m));
		seg = master_stack(&self->m);
		EXPECT_TRUE(seg->flags & CP_SEGF_HOLE);
		copy = master_at(&self->m, (uintptr_t)self->place->at + 512);
		ASSERT_NE(NULL, copy);
		EXPECT_EQ(0, *copy);
	}
}

/* Maps an arena below a page without access and, if @guarded, above another. */
static char *map_arena(size_t size, bool guarded)
{
	char *at = mmap(NULL, size + 2 * PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!guarded && munmap(at, PAGE))
		return MAP_FAILED;
	at += PAGE;
	return mprotect(at, size, PROT_READ | PROT_WRITE) ? MAP_FAILED : at;
}

static int body_in_arena(void *arg)
{
	struct place *place = arg;
	char *at = map_arena(ROOM, place->guarded);

	if (at == MAP_FAILED)
		return 1;
	memset(at, 1, ROOM);
	__atomic_store_n(&place->at, at, __ATOMIC_RELEASE);
	call_on_stack(at + PAGE);
}

FIXTURE(arena)
{
	struct master m;
	struct cp_info info;
};

FIXTURE_VARIANT(arena)
{
	bool guarded;
	uint64_t limit;
};

FIXTURE_VARIANT_ADD(arena, by_default) { };
FIXTURE_VARIANT_ADD(arena, guarded) { .guarded = true };
FIXTURE_VARIANT_ADD(arena, as_asked) { .limit = ROOM / 2 };

FIXTURE_SETUP(arena)
{
	struct cp_prep arg = { .stack_limit = variant->limit };
	struct place *place = shared_memory(sizeof(*place));

	place->guarded = variant->guarded;
	arg.pid = slave_start(body_in_arena, place);
	ASSERT_TRUE(eventually(__atomic_load_n(&place->at, __ATOMIC_ACQUIRE)));
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_INFO, &self->info));
}

FIXTURE_TEARDOWN(arena)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

TEST_F(arena, has_a_limit_of_its_own)
{
	const struct cp_segment *seg;
	int i;

	/* The first return may be that of memset()'s last page fault. */
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, master_get(&self->m));
	seg = master_stack(&self->m);
	if (variant->guarded) {
		EXPECT_EQ(0, seg->flags);
		EXPECT_EQ(seg->map_end - seg->addr, seg->size);
	} else {
		EXPECT_EQ(CP_SEGF_TRUNCATED, seg->flags);
		EXPECT_EQ(variant->limit ?: self->info.arena_default, seg->size);
	}
	EXPECT_EQ(self->m.regs[RSP] - 128, seg->addr);
}

TEST_HARNESS_MAIN
