// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: no user can use up the pairs, or the memory of regions, of other users. A
 * user who reaches a limit gets an errno that names the limit; other users and
 * existing pairs are not affected.
 */
#include "harness.h"
#include "user.h"

#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>

#define OTHER_USER	1001
#define PAGE		4096

static const char *const names[] = {
	"pairs_max", "pairs_per_user", "memory_per_user",
};

enum { PAIRS_MAX, PAIRS_PER_USER, MEMORY_PER_USER, NR_LIMITS };

static int limit_open(int limit, int flags)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/module/checkpoint/parameters/%s",
		 names[limit]);
	return open(path, flags | O_CLOEXEC);
}

static bool limit_set(int limit, unsigned long value)
{
	int fd = limit_open(limit, O_WRONLY);
	bool set = fd >= 0 && dprintf(fd, "%lu\n", value) > 0;

	close(fd);
	return set;
}

static unsigned long limit_get(int limit)
{
	int fd = limit_open(limit, O_RDONLY);
	char text[24] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtoul(text, NULL, 10);
}

/*
 * A user who makes many pairs. A process is the master of one pair at a time, but a
 * pair that is over counts until its slave returns from the kernel: so one process
 * and one sleeping slave are enough.
 */
struct hoarder {
	uid_t uid;
	unsigned int wanted;
	uid_t inside;		/* uid in a new user namespace; 0: no namespace */
	volatile unsigned int made;
	volatile int ret;	/* of the last CP_IOC_PREP: 0 or -errno */
	volatile bool unshared;
	volatile bool mapped;
	volatile bool done;
};

static int hoard(struct hoarder *h)
{
	pid_t slave = slave_start(body_sleep, NULL);
	int fd = device_open();
	int ret = 0;

	if (fd < 0 || !eventually(task_syscall(slave) == SYS_pause))
		return -ENODEV;
	while (!ret && h->made < h->wanted) {
		ret = prep(fd, slave);
		if (ret)
			break;
		h->made++;
		ioctl(fd, CP_IOC_END);
	}
	return ret;
}

static bool enter_namespace(struct hoarder *h)
{
	if (unshare(CLONE_NEWUSER))
		return false;
	prctl(PR_SET_DUMPABLE, 1);
	h->unshared = true;
	return eventually(h->mapped) && become(h->inside);
}

static int body_hoarder(void *arg)
{
	struct hoarder *h = arg;

	if (h->uid && !become(h->uid))
		h->ret = -EIO;
	else if (h->inside && !enter_namespace(h))
		h->ret = -EIO;
	else
		h->ret = hoard(h);
	h->done = true;
	return body_sleep(NULL);
}

/* Returns the hoarder's pid once it has made its pairs or met a limit. */
static pid_t hoarder_start(struct hoarder *h)
{
	pid_t pid = slave_start(body_hoarder, h);

	if (h->inside && eventually(h->unshared))
		h->mapped = map_users(pid);
	return eventually(h->done) ? pid : -1;
}

static struct hoarder *hoarder(uid_t uid, unsigned int wanted)
{
	struct hoarder *h = shared_memory(sizeof(*h));

	h->uid = uid;
	h->wanted = wanted;
	return h;
}

/* Makes and frees @wanted pairs; returns their number, or -errno of a refusal. */
static int try_hoard(uid_t uid, unsigned int wanted)
{
	struct hoarder *h = hoarder(uid, wanted);
	int result = -EIO;
	pid_t pid = hoarder_start(h);

	if (pid > 0)
		result = h->ret ?: (int)h->made;
	slave_kill(pid);
	munmap(h, sizeof(*h));
	return result;
}

FIXTURE(limits)
{
	struct system was;
	unsigned long values[NR_LIMITS];
};

FIXTURE_SETUP(limits)
{
	int i;

	ASSERT_TRUE(system_open(&self->was));
	for (i = 0; i < NR_LIMITS; i++)
		self->values[i] = limit_get(i);
}

FIXTURE_TEARDOWN(limits)
{
	int i;

	for (i = 0; i < NR_LIMITS; i++)
		limit_set(i, self->values[i]);
	system_restore(&self->was);
}

TEST_F(limits, apply_by_default)
{
	EXPECT_EQ(4096, self->values[PAIRS_MAX]);
	EXPECT_EQ(256, self->values[PAIRS_PER_USER]);
	EXPECT_EQ(256 << 20, self->values[MEMORY_PER_USER]);
	EXPECT_EQ(-EUSERS, try_hoard(USER, 257));
	EXPECT_TRUE(eventually(try_hoard(USER, 256) == 256));
}

static int change_limits(void *unused)
{
	int i;

	if (!become(USER))
		return 255;
	for (i = 0; i < NR_LIMITS; i++)
		if (limit_set(i, 1 << 30))
			return i + 1;
	return 0;
}

TEST_F(limits, are_changed_by_root_only)
{
	EXPECT_EQ(0, in_child(change_limits, NULL));
	EXPECT_EQ(self->values[PAIRS_MAX], limit_get(PAIRS_MAX));
	ASSERT_TRUE(limit_set(PAIRS_MAX, 7));
	EXPECT_EQ(7, limit_get(PAIRS_MAX));
}

TEST_F(limits, pairs_of_one_user_leave_those_of_others)
{
	struct hoarder *one = hoarder(USER, 4), *other = hoarder(OTHER_USER, 3);
	pid_t pid;

	ASSERT_TRUE(limit_set(PAIRS_PER_USER, 3));
	pid = hoarder_start(one);
	ASSERT_LT(0, pid);
	EXPECT_EQ(3, one->made);
	EXPECT_EQ(-EUSERS, one->ret);
	/* A second process of the user is refused, too. */
	EXPECT_EQ(-EUSERS, try_hoard(USER, 1));
	slave_kill(hoarder_start(other));
	EXPECT_EQ(3, other->made);
	EXPECT_EQ(0, other->ret);

	slave_kill(pid);
	EXPECT_TRUE(eventually(try_hoard(USER, 3) == 3));
}

TEST_F(limits, pairs_of_all_users_together)
{
	struct hoarder *one = hoarder(USER, 3), *other = hoarder(OTHER_USER, 3);
	pid_t pids[2];

	ASSERT_TRUE(limit_set(PAIRS_MAX, 5));
	pids[0] = hoarder_start(one);
	pids[1] = hoarder_start(other);
	ASSERT_LT(0, pids[0]);
	ASSERT_LT(0, pids[1]);
	EXPECT_EQ(3, one->made);
	EXPECT_EQ(2, other->made);
	EXPECT_EQ(-ENOSPC, other->ret);
	/* Root can still make a pair. */
	EXPECT_EQ(1, try_hoard(0, 1));

	slave_kill(pids[0]);
	slave_kill(pids[1]);
	EXPECT_TRUE(eventually(try_hoard(OTHER_USER, 5) == 5));
}

/* With the defaults, a user reaches pairs_per_user before pairs_max. */
TEST_F(limits, own_limit_comes_before_that_of_all)
{
	ASSERT_TRUE(limit_set(PAIRS_MAX, 0));
	EXPECT_EQ(-ENOSPC, try_hoard(USER, 1));
	ASSERT_TRUE(limit_set(PAIRS_PER_USER, 0));
	EXPECT_EQ(-EUSERS, try_hoard(USER, 1));
}

static bool drop_resource_capability(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return false;
	data[CAP_SYS_RESOURCE / 32].effective &= ~(1U << CAP_SYS_RESOURCE % 32);
	return !syscall(SYS_capset, &head, data);
}

static int pair_without_capability(void *unused)
{
	return drop_resource_capability() ? -try_hoard(0, 1) : 255;
}

TEST_F(limits, none_for_who_may_exceed_them)
{
	ASSERT_TRUE(limit_set(PAIRS_MAX, 0));
	ASSERT_TRUE(limit_set(PAIRS_PER_USER, 0));
	ASSERT_TRUE(limit_set(MEMORY_PER_USER, 0));
	EXPECT_EQ(20, try_hoard(0, 20));
	/* Root without CAP_SYS_RESOURCE is limited. */
	EXPECT_EQ(EUSERS, in_child(pair_without_capability, NULL));
}

TEST_F(limits, user_namespaces_do_not_multiply_them)
{
	struct hoarder *inside = hoarder(USER, 2);
	pid_t pid;

	inside->inside = 5;
	ASSERT_TRUE(limit_set(PAIRS_PER_USER, 3));
	pid = hoarder_start(inside);
	if (!inside->unshared)
		SKIP(return, "users may not make user namespaces");
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, inside->ret);
	EXPECT_EQ(2, inside->made);
	/* The pairs of the namespace's users count as those of its creator, USER. */
	EXPECT_EQ(-EUSERS, try_hoard(USER, 2));
	/* They do not count as those of the outer uid that the ids map to. */
	EXPECT_EQ(3, try_hoard(100004, 3));
	slave_kill(pid);
}

/* If several errors apply, those of the limits come last. */
static int order_of_causes(void *arg)
{
	pid_t *pids = arg;
	pid_t own;
	int fd;

	if (!become(USER))
		return 255;
	fd = device_open();
	own = slave_start(body_sleep, NULL);
	if (prep(fd, own) != -EUSERS || prep(fd, pids[0]) != -EPERM)
		return 1;
	slave_kill(own);
	if (prep(fd, own) != -ESRCH || prep(fd, getpid()) != -EINVAL)
		return 2;
	return prep(fd, pids[1]) == -EBUSY ? 0 : 3;
}

static int body_user(void *ready)
{
	if (!become(USER))
		return 1;
	*(volatile bool *)ready = true;
	return body_sleep(NULL);
}

TEST_F(limits, come_after_all_other_causes)
{
	volatile bool *ready = shared_memory(sizeof(*ready));
	pid_t pids[2];
	struct master m;

	pids[0] = slave_start(body_sleep, NULL);
	pids[1] = slave_start(body_user, (void *)ready);
	ASSERT_TRUE(eventually(*ready));
	ASSERT_EQ(0, master_pair(&m, pids[1]));
	ASSERT_TRUE(limit_set(PAIRS_PER_USER, 0));
	EXPECT_EQ(0, in_child(order_of_causes, pids));
	master_close(&m);
	slave_kill(pids[0]);
	slave_kill(pids[1]);
}

/* Calls that fail at the very last step, EFAULT, must not leave anything counted. */
static int refused_often(void *unused)
{
	struct cp_prep *arg, template = { .mem_fd = -1 };
	int fd, i;

	if (!become(USER))
		return 255;
	fd = device_open();
	template.pid = slave_start(body_syscalls, NULL);
	template.mem_fd = proof_open(template.pid);
	arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*arg = template;
	mprotect(arg, PAGE, PROT_READ);
	for (i = 0; i < 10; i++) {
		/* The last pair counts until its slave returns to user mode. */
		eventually(ioctl(fd, CP_IOC_PREP, arg) && errno != EUSERS);
		if (errno != EFAULT)
			return 1;
	}
	return eventually(!prep(fd, template.pid)) ? 0 : 2;
}

TEST_F(limits, refused_pairs_do_not_count)
{
	ASSERT_TRUE(limit_set(PAIRS_PER_USER, 1));
	EXPECT_EQ(0, in_child(refused_often, NULL));
	ASSERT_TRUE(limit_set(PAIRS_PER_USER, 1000));
	ASSERT_TRUE(limit_set(MEMORY_PER_USER, 3 * PAGE));
	EXPECT_EQ(-EDQUOT, try_hoard(USER, 20));
	ASSERT_TRUE(limit_set(PAIRS_PER_USER, self->values[PAIRS_PER_USER]));
	ASSERT_TRUE(limit_set(MEMORY_PER_USER, self->values[MEMORY_PER_USER]));
	EXPECT_TRUE(eventually(try_hoard(USER, 256) == 256));
}

#define DEEP	(64 * PAGE)

/* Makes system calls with a stack of half a page, and then with a deep one. */
static int body_deep(void *unused)
{
	volatile char deep[DEEP];
	size_t i;

	for (i = 0; i < DEEP; i += PAGE)
		deep[i] = 1;
	return body_syscalls(NULL) + deep[0];
}

/* Makes a user's pair with a slave that has a deep stack. */
static int user_pair(struct master *m, uint32_t nr_slots)
{
	struct cp_prep arg = {
		.pid = slave_start(body_deep, NULL),
		.nr_slots = nr_slots,
		.stack_limit = 2 * DEEP,
	};

	return master_prep(m, &arg);
}

static void user_pair_end(struct master *m)
{
	pid_t slave = m->slave;

	master_close(m);
	slave_kill(slave);
}

/*
 * A stack that does not fit is cut and flagged CP_SEGF_NOMEM. The memory is free for
 * the next pair once the pair has ended.
 */
static int cut_by_the_limit(void *unused)
{
	const struct cp_segment *seg;
	struct master m;
	int i;

	if (!become(USER))
		return 255;
	for (i = 0; i < 20; i++) {
		if (!eventually(!user_pair(&m, 1)))
			return 1;
		do {
			if (master_get(&m) != 1)
				return 2;
			seg = master_stack(&m);
		} while (!(seg->flags & CP_SEGF_NOMEM) && seg->size < DEEP);
		if (!(seg->flags & CP_SEGF_NOMEM) || !seg->size)
			return 3;
		user_pair_end(&m);
	}
	return 0;
}

TEST_F(limits, memory_cuts_stacks)
{
	ASSERT_TRUE(limit_set(MEMORY_PER_USER, DEEP / 2));
	EXPECT_EQ(0, in_child(cut_by_the_limit, NULL));
}

static int too_many_slots(void *unused)
{
	struct master m;

	if (!become(USER))
		return 255;
	if (user_pair(&m, 1000) != -EDQUOT)
		return 1;
	if (user_pair(&m, 20))
		return 2;
	return 0;
}

/* Each slot is charged one page when the pair is made. */
TEST_F(limits, memory_for_slots)
{
	ASSERT_TRUE(limit_set(MEMORY_PER_USER, 100 * PAGE));
	EXPECT_EQ(0, in_child(too_many_slots, NULL));
}

/* Pages that only the master has touched are charged, too. */
static volatile sig_atomic_t touching;
static sigjmp_buf untouchable;

static void no_memory(int sig)
{
	if (!touching)
		_exit(254);
	siglongjmp(untouchable, 1);
}

static int touch_all(void *unused)
{
	volatile size_t pages = 0;
	struct master m, next;

	if (!become(USER))
		return 255;
	signal(SIGBUS, no_memory);
	if (user_pair(&m, 1))
		return 1;
	touching = 1;
	if (!sigsetjmp(untouchable, 1))
		for (; pages < m.size / PAGE; pages++)
			*(volatile char *)(m.region + pages * PAGE);
	touching = 0;
	if (pages < 10 || pages >= m.size / PAGE)
		return 2;

	/* They stay charged until the mapping is gone, even after the pair's end. */
	close(m.fd);
	slave_kill(m.slave);
	if (user_pair(&next, 1) != -EDQUOT)
		return 3;
	munmap(m.region, m.size);
	return eventually(!user_pair(&next, 1)) ? 0 : 4;
}

TEST_F(limits, memory_is_the_masters_to_touch)
{
	ASSERT_TRUE(limit_set(MEMORY_PER_USER, 50 * PAGE));
	EXPECT_EQ(0, in_child(touch_all, NULL));
}

TEST_HARNESS_MAIN
