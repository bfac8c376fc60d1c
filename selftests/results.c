// SPDX-License-Identifier: GPL-2.0-only
/*
 * Results: every errno in the tables of <linux/checkpoint.h>, the order of the
 * errors if several apply, and that a refused call changes nothing.
 */
#include "harness.h"

#include <dirent.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/resource.h>

#include <linux/io_uring.h>

#define KTHREADD	2
#define NOT_A_PID	0x3fffff	/* above every pid_max */

/* The number of the ioctl for a struct of another size. */
#define SIZED(cmd, size) \
	(((cmd) & ~IOCSIZE_MASK) | ((unsigned long)(size) << IOCSIZE_SHIFT))

static int call(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static int get_now(int fd)
{
	struct cp_get get = { .deadline = now_ns() + 10000000000ULL };

	return call(fd, CP_IOC_GET, &get);
}

static int poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* A page that holds a copy of @arg and cannot be written. */
static void *read_only(const void *arg, size_t size)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page, arg, size);
	mprotect(page, 4096, PROT_READ);
	return page;
}

/* The last @size bytes before an address that is not mapped. */
static void *before_nothing(size_t size)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + 4096, 4096);
	return pages + 4096 - size;
}

/* Starts a child that exits and is not reaped. */
static pid_t zombie_start(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	return pid;
}

/*
 * A slave that can be paired, and a file without a pair. Each test makes a call that
 * is refused; the teardown then shows that the call has changed nothing.
 */
FIXTURE(refusal)
{
	int fd;
	int files;
	pid_t slave;
	struct cp_prep arg;
};

FIXTURE_SETUP(refusal)
{
	self->slave = slave_start(body_spin, NULL);
	ASSERT_GT(self->slave, 0);
	self->fd = device_open();
	ASSERT_GE(self->fd, 0);
	self->arg.pid = self->slave;
	self->arg.mem_fd = proof_open(self->slave);
	ASSERT_GE(self->arg.mem_fd, 0);
	self->files = count_entries("/proc/self/fd");
}

FIXTURE_TEARDOWN(refusal)
{
	struct cp_get get = { .deadline = CP_FOREVER };

	EXPECT_EQ(self->files, count_entries("/proc/self/fd"));
	EXPECT_EQ(POLLERR, poll_now(self->fd));
	EXPECT_EQ(-ENOTCONN, call(self->fd, CP_IOC_END, NULL));
	EXPECT_EQ(0, prep(self->fd, self->slave));
	EXPECT_EQ(1, call(self->fd, CP_IOC_GET, &get));
	EXPECT_EQ(1, get.seq);
	close(self->fd);
	slave_kill(self->slave);
}

/* Makes a pair with another process as the master; returns the master's pid. */
static pid_t other_pair(int fd, pid_t *slave)
{
	*slave = slave_start(body_spin, NULL);
	return other_master(fd, *slave);
}

TEST_F(refusal, no_such_process)
{
	self->arg.pid = NOT_A_PID;
	EXPECT_EQ(-ESRCH, call(self->fd, CP_IOC_PREP, &self->arg));
}

TEST_F(refusal, zombie)
{
	self->arg.pid = zombie_start();
	EXPECT_EQ(-ESRCH, call(self->fd, CP_IOC_PREP, &self->arg));
}

TEST_F(refusal, process_that_is_no_more)
{
	self->arg.pid = slave_start(body_sleep, NULL);
	slave_kill(self->arg.pid);
	EXPECT_EQ(-ESRCH, call(self->fd, CP_IOC_PREP, &self->arg));
}

TEST_F(refusal, kernel_thread)
{
	EXPECT_EQ(-EPERM, prep(self->fd, KTHREADD));
}

TEST_F(refusal, own_process)
{
	EXPECT_EQ(-EINVAL, prep(self->fd, getpid()));
}

static void *thread_sleep(void *tid)
{
	__atomic_store_n((pid_t *)tid, gettid(), __ATOMIC_RELEASE);
	body_sleep(NULL);
	return NULL;
}

TEST_F(refusal, thread_of_own_process)
{
	pthread_t thread;
	pid_t tid = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_sleep, &tid));
	ASSERT_TRUE(eventually(__atomic_load_n(&tid, __ATOMIC_ACQUIRE)));
	EXPECT_EQ(-EINVAL, prep(self->fd, tid));
}

TEST_F(refusal, no_proof_of_access)
{
	self->arg.mem_fd = -1;
	EXPECT_EQ(-EPERM, call(self->fd, CP_IOC_PREP, &self->arg));
}

TEST_F(refusal, proof_that_is_no_open_file)
{
	self->arg.mem_fd = 1000;
	EXPECT_EQ(-EPERM, call(self->fd, CP_IOC_PREP, &self->arg));
}

TEST_F(refusal, proof_for_another_process)
{
	pid_t other = slave_start(body_sleep, NULL);
	int proof = proof_open(other);

	self->arg.mem_fd = proof;
	EXPECT_EQ(-EPERM, call(self->fd, CP_IOC_PREP, &self->arg));
	close(proof);
	slave_kill(other);
}

TEST_F(refusal, caller_is_a_master)
{
	struct master m;
	pid_t other = slave_start(body_spin, NULL);

	ASSERT_EQ(0, master_pair(&m, other));
	EXPECT_EQ(-EALREADY, call(self->fd, CP_IOC_PREP, &self->arg));
	EXPECT_EQ(1, master_get(&m));
	master_close(&m);
	slave_kill(other);
}

TEST_F(refusal, caller_is_a_slave)
{
	int fd = device_open();
	pid_t other = other_master(fd, getpid());

	ASSERT_GT(other, 0);
	EXPECT_EQ(-EDEADLK, call(self->fd, CP_IOC_PREP, &self->arg));
	slave_kill(other);
	close(fd);
}

TEST_F(refusal, target_is_a_slave)
{
	int fd = device_open();
	pid_t slave, other = other_pair(fd, &slave);

	ASSERT_GT(other, 0);
	EXPECT_EQ(-EBUSY, prep(self->fd, slave));
	slave_kill(slave);
	EXPECT_EQ(other, waitpid(other, NULL, 0));
	close(fd);
}

TEST_F(refusal, target_is_a_master)
{
	int fd = device_open();
	pid_t slave, other = other_pair(fd, &slave);

	ASSERT_GT(other, 0);
	EXPECT_EQ(-EBUSY, prep(self->fd, other));
	slave_kill(slave);
	EXPECT_EQ(other, waitpid(other, NULL, 0));
	close(fd);
}

TEST_F(refusal, argument_at_no_address)
{
	EXPECT_EQ(-EFAULT, call(self->fd, CP_IOC_PREP, NULL));
	EXPECT_EQ(-EFAULT, call(self->fd, CP_IOC_PREP,
				before_nothing(sizeof(self->arg) - 1)));
}

/* The number of pairs since the module was loaded. */
static long pairs_made(void)
{
	return read_number("/sys/class/misc/checkpoint/pairs_made");
}

/* The module checks that the argument is writable before it makes the pair. */
TEST_F(refusal, argument_cannot_be_written)
{
	void *arg = read_only(&self->arg, sizeof(self->arg));
	long made = pairs_made();

	ASSERT_LE(0, made);
	EXPECT_EQ(-EFAULT, call(self->fd, CP_IOC_PREP, arg));
	EXPECT_EQ(made, pairs_made());
}

TEST_F(refusal, argument_can_be_written_in_part)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *arg = pages + 4096 - offsetof(struct cp_prep, region_size);
	long made = pairs_made();

	memcpy(arg, &self->arg, sizeof(self->arg));
	mprotect(pages + 4096, 4096, PROT_READ);
	EXPECT_EQ(-EFAULT, call(self->fd, CP_IOC_PREP, arg));
	EXPECT_EQ(made, pairs_made());
}

/* A struct that ends with @region_size, as in the interface's first version. */
#define PREP_SIZE_FIRST	offsetof(struct cp_prep, interval)

TEST_F(refusal, struct_too_short)
{
	size_t size;

	for (size = 0; size < PREP_SIZE_FIRST; size++)
		EXPECT_EQ(-EINVAL, call(self->fd, SIZED(CP_IOC_PREP, size),
					&self->arg));
}

/* A struct of a later version of the interface. */
struct longer_prep {
	struct cp_prep prep;
	uint64_t later[2];
};

TEST_F(refusal, longer_struct_that_asks_for_more)
{
	struct longer_prep longer = { .prep = self->arg, .later = { 0, 1 } };

	EXPECT_EQ(-E2BIG, call(self->fd, SIZED(CP_IOC_PREP, sizeof(longer)),
			       &longer));
}

TEST_F(refusal, longer_struct_at_no_address)
{
	struct cp_prep *last = before_nothing(sizeof(*last));

	*last = self->arg;
	EXPECT_EQ(-EFAULT, call(self->fd, SIZED(CP_IOC_PREP, sizeof(*last) + 8),
				last));
}

TEST_F(refusal, unknown_ioctl)
{
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(CP_IOC_MAGIC, 4), NULL));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(CP_IOC_MAGIC, 255), NULL));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(CP_IOC_MAGIC + 1, 3), NULL));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IOW(CP_IOC_MAGIC, 1, struct cp_prep),
				&self->arg));
	EXPECT_EQ(-ENOTTY, call(self->fd, 0x5401 /* TCGETS */, &self->arg));
}

TEST_F(refusal, get_without_a_pair)
{
	EXPECT_EQ(-ENOTCONN, get_now(self->fd));
}

TEST_F(refusal, end_without_a_pair)
{
	EXPECT_EQ(-ENOTCONN, call(self->fd, CP_IOC_END, NULL));
}

TEST_F(refusal, mmap_without_a_pair)
{
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(ENOTCONN, errno);
}

/* Starts an io_uring with a kernel thread; returns its id, or 0 without io_uring. */
static pid_t sqpoll_start(void)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL };
	struct dirent *entry;
	pid_t tid = 0;
	DIR *dir;

	if (syscall(SYS_io_uring_setup, 4, &params) < 0)
		return 0;
	dir = opendir("/proc/self/task");
	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) != getpid() && atoi(entry->d_name))
			tid = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return tid;
}

static int body_sqpoll(void *tid)
{
	*(volatile pid_t *)tid = sqpoll_start() ?: -1;
	return body_sleep(NULL);
}

TEST_F(refusal, kernel_worker_of_a_process)
{
	volatile pid_t *tid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t other = slave_start(body_sqpoll, (void *)tid);

	ASSERT_TRUE(eventually(*tid));
	if (*tid < 0)
		SKIP(goto out, "no io_uring with a kernel thread here");
	EXPECT_EQ(-EPERM, prep(self->fd, *tid));
out:
	slave_kill(other);
}

TEST_F(refusal, own_kernel_worker_is_no_thread_of_ours)
{
	pid_t tid = sqpoll_start();

	if (!tid)
		SKIP(return, "no io_uring with a kernel thread here");
	self->files++;
	EXPECT_EQ(-EPERM, prep(self->fd, tid));
}

/* Arguments with one invalid field. */
FIXTURE(form)
{
	int fd;
	pid_t slave;
	struct cp_prep good;
	struct cp_prep bad;
};

FIXTURE_VARIANT(form)
{
	size_t offset;
	size_t size;
	int64_t value;
};

#define BAD_FIELD(name, field, bad_value)				\
	FIXTURE_VARIANT_ADD(form, name) {				\
		.offset = offsetof(struct cp_prep, field),		\
		.size = sizeof(((struct cp_prep *)NULL)->field),	\
		.value = (bad_value),					\
	}

BAD_FIELD(pid_0, pid, 0);
BAD_FIELD(pid_negative, pid, -1);
BAD_FIELD(pid_least, pid, INT32_MIN);
BAD_FIELD(mem_fd_negative, mem_fd, -2);
BAD_FIELD(mem_fd_cwd, mem_fd, AT_FDCWD);
BAD_FIELD(flag_unknown, flags, CP_PREP_PROCESS << 1);
BAD_FIELD(flag_and_unknown, flags, CP_PREP_DEATH | CP_PREP_PROCESS << 1);
BAD_FIELD(flag_last, flags, 1U << 31);
BAD_FIELD(too_many_slots, nr_slots, CP_SLOTS_MAX + 1);
BAD_FIELD(many_slots, nr_slots, -1);
BAD_FIELD(stack_limit_greatest, stack_limit, -1);
BAD_FIELD(stack_limit_wraps, stack_limit, -4096);
BAD_FIELD(reserved, reserved, 1);
BAD_FIELD(death_stack_limit_without_death, death_stack_limit, 4096);
BAD_FIELD(threads_of_a_task, nr_threads, 1);
BAD_FIELD(second_reserved, reserved2, 1);

FIXTURE_SETUP(form)
{
	self->slave = slave_start(body_spin, NULL);
	self->fd = device_open();
	ASSERT_GE(self->fd, 0);
	self->good.pid = self->slave;
	self->good.mem_fd = proof_open(self->slave);
	self->bad = self->good;
	memcpy((char *)&self->bad + variant->offset, &variant->value,
	       variant->size);
}

FIXTURE_TEARDOWN(form)
{
	close(self->fd);
	slave_kill(self->slave);
}

TEST_F(form, refused)
{
	EXPECT_EQ(-EINVAL, call(self->fd, CP_IOC_PREP, &self->bad));
	EXPECT_EQ(0, call(self->fd, CP_IOC_PREP, &self->good));
	EXPECT_EQ(1, get_now(self->fd));
}

TEST_F(form, comes_before_the_callers_state)
{
	ASSERT_EQ(0, call(self->fd, CP_IOC_PREP, &self->good));
	EXPECT_EQ(-EINVAL, call(self->fd, CP_IOC_PREP, &self->bad));
	EXPECT_EQ(1, get_now(self->fd));
}

TEST(stack_limit_just_above_the_maximum)
{
	pid_t slave = slave_start(body_spin, NULL);
	struct cp_prep arg = { .pid = slave };
	int fd = device_open();
	struct cp_info info;

	ASSERT_EQ(0, call(fd, CP_IOC_INFO, &info));
	arg.stack_limit = info.stack_max + 1;
	EXPECT_EQ(-EINVAL, prep_with(fd, &arg));
	arg.stack_limit = info.stack_max;
	EXPECT_EQ(0, prep_with(fd, &arg));
	slave_kill(slave);
}

TEST(death_stack_limit_just_above_the_maximum)
{
	pid_t slave = slave_start(body_spin, NULL);
	struct cp_prep arg = { .pid = slave, .flags = CP_PREP_DEATH };
	int fd = device_open();
	struct cp_info info;

	ASSERT_EQ(0, call(fd, CP_IOC_INFO, &info));
	arg.death_stack_limit = info.stack_max + 1;
	EXPECT_EQ(-EINVAL, prep_with(fd, &arg));
	arg.death_stack_limit = -1;
	EXPECT_EQ(-EINVAL, prep_with(fd, &arg));
	arg.death_stack_limit = info.stack_max;
	EXPECT_EQ(0, prep_with(fd, &arg));
	slave_kill(slave);
}

TEST(longer_struct_that_asks_for_no_more)
{
	pid_t slave = slave_start(body_spin, NULL);
	struct longer_prep longer = {
		.prep = { .pid = slave, .mem_fd = proof_open(slave) },
	};
	int fd = device_open();

	EXPECT_EQ(0, call(fd, SIZED(CP_IOC_PREP, sizeof(longer)), &longer));
	EXPECT_NE(0, longer.prep.region_size);
	EXPECT_EQ(0, longer.later[0] | longer.later[1]);
	slave_kill(slave);
}

/*
 * The order of the errors, for all combinations of a caller, a file and a target.
 * The fixture has one file and one target of each kind.
 */
enum { NOBODY, MASTER, SLAVE };
enum { FREE, A_SLAVE, A_MASTER, GONE, KERNEL, OWN, TARGETS };

FIXTURE(order)
{
	pid_t target[TARGETS];
	int free_file;
	int busy_file;
	struct master own_pair;
};

FIXTURE_VARIANT(order)
{
	int caller;
};

FIXTURE_VARIANT_ADD(order, caller_is_nobody) { .caller = NOBODY };
FIXTURE_VARIANT_ADD(order, caller_is_a_master) { .caller = MASTER };
FIXTURE_VARIANT_ADD(order, caller_is_a_slave) { .caller = SLAVE };

FIXTURE_SETUP(order)
{
	self->free_file = device_open();
	self->busy_file = device_open();
	ASSERT_GE(self->busy_file, 0);
	self->target[FREE] = slave_start(body_sleep, NULL);
	self->target[A_MASTER] = other_pair(self->busy_file,
					    &self->target[A_SLAVE]);
	ASSERT_GT(self->target[A_MASTER], 0);
	self->target[GONE] = zombie_start();
	self->target[KERNEL] = KTHREADD;
	self->target[OWN] = getpid();
	if (variant->caller == MASTER)
		ASSERT_EQ(0, master_pair(&self->own_pair,
					 slave_start(body_sleep, NULL)));
	if (variant->caller == SLAVE)
		ASSERT_GT(other_master(device_open(), getpid()), 0);
}

FIXTURE_TEARDOWN(order)
{
}

struct scene {
	bool bad_form;
	int caller;
	bool busy_file;
	int target;
	bool proof;
};

static int first_cause(const struct scene *scene)
{
	if (scene->bad_form)
		return -EINVAL;
	if (scene->caller == MASTER)
		return -EALREADY;
	if (scene->caller == SLAVE)
		return -EDEADLK;
	if (scene->busy_file)
		return -EBUSY;
	if (scene->target == GONE)
		return -ESRCH;
	if (scene->target == KERNEL)
		return -EPERM;
	if (scene->target == OWN)
		return -EINVAL;
	if (!scene->proof)
		return -EPERM;
	if (scene->target == A_SLAVE || scene->target == A_MASTER)
		return -EBUSY;
	return 0;
}

TEST_F(order, first_cause_wins)
{
	unsigned int i;

	for (i = 0; i < 8 * TARGETS; i++) {
		struct scene scene = {
			.bad_form = i & 1,
			.busy_file = i & 2,
			.proof = i & 4,
			.target = i / 8,
			.caller = variant->caller,
		};
		int fd = scene.busy_file ? self->busy_file : self->free_file;
		struct cp_prep arg = {
			.pid = self->target[scene.target],
			.mem_fd = -1,
			.reserved = scene.bad_form,
		};

		if (scene.proof)
			arg.mem_fd = proof_open(arg.pid);
		EXPECT_EQ(first_cause(&scene), call(fd, CP_IOC_PREP, &arg))
			TH_LOG("scene %u, target %d", i, scene.target);
		call(self->free_file, CP_IOC_END, NULL);
		close(arg.mem_fd);
	}
}

/* A new pair. The teardown shows that no checkpoint has been lost. */
FIXTURE(get)
{
	struct master m;
	pid_t slave;
	int files;
};

FIXTURE_SETUP(get)
{
	self->slave = slave_start(body_syscalls, NULL);
	ASSERT_EQ(0, master_pair(&self->m, self->slave));
	self->files = count_entries("/proc/self/fd");
}

FIXTURE_TEARDOWN(get)
{
	EXPECT_EQ(self->files, count_entries("/proc/self/fd"));
	EXPECT_EQ(1, master_get(&self->m));
	EXPECT_EQ(1, self->m.get.seq);
	EXPECT_EQ(1, master_get(&self->m));
	EXPECT_EQ(2, self->m.get.seq);
	master_close(&self->m);
	slave_kill(self->slave);
}

TEST_F(get, unknown_flag)
{
	EXPECT_EQ(-EINVAL, master_get_until(&self->m, CP_FOREVER, 2));
	EXPECT_EQ(-EINVAL, master_get_until(&self->m, CP_FOREVER, 1U << 31));
}

TEST_F(get, reserved_field)
{
	struct cp_get get = { .deadline = CP_FOREVER, .reserved = 1 };

	EXPECT_EQ(-EINVAL, call(self->m.fd, CP_IOC_GET, &get));
}

/* A struct that ends with @missed, as in the interface's first version. */
#define GET_SIZE_FIRST	offsetof(struct cp_get, thread)

TEST_F(get, struct_too_short)
{
	struct cp_get get = { .deadline = CP_FOREVER };
	size_t size;

	for (size = 0; size < GET_SIZE_FIRST; size++)
		EXPECT_EQ(-EINVAL,
			  call(self->m.fd, SIZED(CP_IOC_GET, size), &get));
}

/* A struct of a later version of the interface. */
struct longer_get {
	struct cp_get get;
	uint64_t later;
};

TEST_F(get, longer_struct_that_asks_for_more)
{
	struct longer_get longer = { .later = 1ULL << 63 };

	EXPECT_EQ(-E2BIG, call(self->m.fd, SIZED(CP_IOC_GET, sizeof(longer)),
			       &longer));
}

TEST_F(get, argument_at_no_address)
{
	EXPECT_EQ(-EFAULT, call(self->m.fd, CP_IOC_GET, NULL));
	EXPECT_EQ(-EFAULT, call(self->m.fd, CP_IOC_GET, (void *)-4096L));
}

TEST_F(get, argument_cannot_be_written)
{
	struct cp_get get = { .deadline = CP_FOREVER };

	EXPECT_EQ(-EFAULT, call(self->m.fd, CP_IOC_GET,
				read_only(&get, sizeof(get))));
}

TEST_F(get, registers_at_no_address)
{
	struct cp_get get = { .deadline = CP_FOREVER, .regs = 8 };

	EXPECT_EQ(-EFAULT, call(self->m.fd, CP_IOC_GET, &get));
	get.regs = -4096ULL;
	EXPECT_EQ(-EFAULT, call(self->m.fd, CP_IOC_GET, &get));
}

TEST_F(get, registers_half_at_no_address)
{
	struct cp_get get = { .deadline = CP_FOREVER };

	get.regs = (uintptr_t)before_nothing(CP_N_REG * sizeof(uint64_t));
	EXPECT_EQ(-EFAULT, call(self->m.fd, CP_IOC_GET, &get));
}

TEST_F(get, registers_cannot_be_written)
{
	struct cp_get get = { .deadline = CP_FOREVER };

	get.regs = (uintptr_t)read_only(self->m.regs, sizeof(self->m.regs));
	EXPECT_EQ(-EFAULT, call(self->m.fd, CP_IOC_GET, &get));
}

TEST_F(get, form_comes_before_who_calls)
{
	struct cp_get get = { .reserved = 1 };
	int fd = device_open();

	EXPECT_EQ(-EINVAL, call(fd, CP_IOC_GET, &get));
	close(fd);
}

TEST_F(get, unknown_ioctl)
{
	EXPECT_EQ(-ENOTTY, call(self->m.fd, _IO(CP_IOC_MAGIC, 4), NULL));
}

/* Calls that only the master may make, by other processes on the master's file. */
static int body_get(void *fd)
{
	return -get_now(*(int *)fd);
}

static int body_bad_get(void *fd)
{
	struct cp_get get = { .reserved = 1 };

	return -call(*(int *)fd, CP_IOC_GET, &get);
}

static int body_end(void *fd)
{
	return -call(*(int *)fd, CP_IOC_END, NULL);
}

static int body_mmap(void *fd)
{
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, *(int *)fd, 0);

	return at == MAP_FAILED ? errno : 0;
}

static int body_prep(void *fd)
{
	return -prep(*(int *)fd, getppid());
}

static int body_stolen_get(void *fd)
{
	int parent = syscall(SYS_pidfd_open, getppid(), 0);
	int own;

	/* Another descriptor of the same open file. */
	close(*(int *)fd);
	own = syscall(SYS_pidfd_getfd, parent, *(int *)fd, 0);
	return own < 0 ? 255 : body_get(&own);
}

TEST_F(get, by_a_child)
{
	EXPECT_EQ(EPERM, in_child(body_get, &self->m.fd));
}

TEST_F(get, by_one_who_got_the_file)
{
	EXPECT_EQ(EPERM, in_child(body_stolen_get, &self->m.fd));
}

TEST_F(get, badly_by_a_child)
{
	EXPECT_EQ(EINVAL, in_child(body_bad_get, &self->m.fd));
}

TEST_F(get, end_by_a_child)
{
	EXPECT_EQ(EPERM, in_child(body_end, &self->m.fd));
}

TEST_F(get, mmap_by_a_child)
{
	EXPECT_EQ(EPERM, in_child(body_mmap, &self->m.fd));
}

TEST_F(get, prep_by_a_child_on_the_same_file)
{
	EXPECT_EQ(EBUSY, in_child(body_prep, &self->m.fd));
}

TEST_F(get, prep_again_on_the_same_file)
{
	EXPECT_EQ(-EALREADY, prep(self->m.fd, self->slave));
}

static int body_read_region(void *region)
{
	return *(volatile char *)region;
}

TEST_F(get, region_is_not_inherited)
{
	pid_t child = slave_start(body_read_region, self->m.region);
	int status;

	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGSEGV, WTERMSIG(status));
}

/* Maps the pair's file; returns 0 or errno. */
static int try_mmap(struct master *m, size_t size, int prot, int flags,
		    off_t offset)
{
	void *at = mmap(NULL, size, prot, flags, m->fd, offset);

	if (at == MAP_FAILED)
		return errno;
	munmap(at, size);
	return 0;
}

TEST_F(get, region_cannot_be_mapped_writable)
{
	size_t size = self->m.size;

	EXPECT_EQ(EACCES, try_mmap(&self->m, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED, 0));
	EXPECT_EQ(EACCES, try_mmap(&self->m, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, 0));
}

TEST_F(get, region_cannot_be_mapped_executable)
{
	int err = try_mmap(&self->m, self->m.size, PROT_READ | PROT_EXEC,
			   MAP_SHARED, 0);

	/* If /dev is mounted noexec, mmap() fails with EPERM before it asks us. */
	EXPECT_TRUE(err == EACCES || err == EPERM);
}

TEST_F(get, region_cannot_be_mapped_beyond_its_end)
{
	size_t size = self->m.size;

	EXPECT_EQ(EINVAL, try_mmap(&self->m, size + 4096, PROT_READ,
				   MAP_SHARED, 0));
	EXPECT_EQ(EINVAL, try_mmap(&self->m, size, PROT_READ, MAP_SHARED,
				   4096));
	EXPECT_EQ(EINVAL, try_mmap(&self->m, 4096, PROT_READ, MAP_SHARED,
				   size));
	EXPECT_NE(0, try_mmap(&self->m, 8192, PROT_READ, MAP_SHARED,
			      INT64_MAX & ~4095LL));
}

TEST_F(get, region_can_be_mapped_in_parts)
{
	EXPECT_EQ(0, try_mmap(&self->m, 4096, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, try_mmap(&self->m, 4096, PROT_READ, MAP_SHARED,
			      self->m.size - 4096));
}

TEST_F(get, region_cannot_be_made_writable)
{
	EXPECT_EQ(-1, mprotect(self->m.region, self->m.size,
			       PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(get, region_cannot_be_made_executable)
{
	EXPECT_EQ(-1, mprotect(self->m.region, self->m.size,
			       PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(get, region_does_not_grow)
{
	EXPECT_EQ(MAP_FAILED, mremap(self->m.region, self->m.size,
				     self->m.size + 4096, MREMAP_MAYMOVE));
}

/* Is @flag among the VmFlags of the mapping at @address? */
static bool has_vm_flag(const void *address, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long start, end;
	bool inside = false, found = false;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (unsigned long)address >= start &&
				 (unsigned long)address < end;
		if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, flag);
	}
	if (f)
		fclose(f);
	return found;
}

TEST_F(get, region_is_not_in_core_dumps)
{
	EXPECT_TRUE(has_vm_flag(self->m.region, " dd"));
}

/* A slave that sleeps, and makes no checkpoints. */
FIXTURE(asleep)
{
	struct master m;
	pid_t slave;
};

FIXTURE_SETUP(asleep)
{
	self->slave = slave_start(body_sleep, NULL);
	ASSERT_TRUE(eventually(task_state(self->slave) == 'S'));
	ASSERT_EQ(0, master_pair(&self->m, self->slave));
	/* Making the pair may interrupt the sleep once. */
	while (master_get_ms(&self->m, 200) == 1)
		;
}

FIXTURE_TEARDOWN(asleep)
{
	slave_kill(self->slave);
	EXPECT_EQ(0, master_get(&self->m));
	master_close(&self->m);
}

TEST_F(asleep, without_waiting)
{
	EXPECT_EQ(-EAGAIN, master_get_until(&self->m, 0, 0));
}

TEST_F(asleep, nonblocking_file)
{
	ASSERT_EQ(0, fcntl(self->m.fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, master_get(&self->m));
	ASSERT_EQ(0, fcntl(self->m.fd, F_SETFL, 0));
}

TEST_F(asleep, deadline_passes)
{
	uint64_t deadline = now_ns() + 50000000;

	EXPECT_EQ(-ETIMEDOUT, master_get_until(&self->m, deadline, 0));
	EXPECT_LE(deadline, now_ns());
}

TEST_F(asleep, deadline_has_passed)
{
	EXPECT_EQ(-ETIMEDOUT, master_get_until(&self->m, 1, 0));
}

TEST_F(asleep, form_comes_before_waiting)
{
	EXPECT_EQ(-EINVAL, master_get_until(&self->m, 0, 2));
}

TEST_F(asleep, poll_says_nothing)
{
	EXPECT_EQ(0, poll_now(self->m.fd));
}

/* Ends of a pair. The slave waits for SIGUSR1, which the test has blocked. */
static void wait_for_usr1(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
}

static int body_exits(void *arg)
{
	wait_for_usr1();
	return 7;
}

static int body_crashes(void *arg)
{
	wait_for_usr1();
	asm volatile("ud2");
	return 0;
}

static int body_execs(void *arg)
{
	wait_for_usr1();
	close(1);
	close(2);
	execl("/proc/self/exe", "-h", "-h", NULL);
	return 1;
}

FIXTURE(over)
{
	int fd;
	int result;
	pid_t slave;
	struct cp_get get;
};

FIXTURE_VARIANT(over)
{
	int (*body)(void *arg);
	int signal;
	uint32_t reason;
	int status;
};

FIXTURE_VARIANT_ADD(over, exit) {
	.body = body_exits,
	.signal = SIGUSR1,
	.reason = CP_END_EXITED,
	.status = 7 << 8,
};

FIXTURE_VARIANT_ADD(over, kill) {
	.body = body_spin,
	.signal = SIGKILL,
	.reason = CP_END_EXITED,
	.status = SIGKILL,
};

FIXTURE_VARIANT_ADD(over, crash) {
	.body = body_crashes,
	.signal = SIGUSR1,
	.reason = CP_END_EXITED,
	.status = SIGILL,
};

FIXTURE_VARIANT_ADD(over, exec) {
	.body = body_execs,
	.signal = SIGUSR1,
	.reason = CP_END_EXEC,
};

FIXTURE_VARIANT_ADD(over, end) {
	.body = body_spin,
	.reason = CP_END_DETACHED,
};

static int get_into(int fd, struct cp_get *get)
{
	memset(get, 0, sizeof(*get));
	get->deadline = CP_FOREVER;
	return call(fd, CP_IOC_GET, get);
}

FIXTURE_SETUP(over)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	setrlimit(RLIMIT_CORE, &no_core);

	self->slave = slave_start(variant->body, NULL);
	self->fd = device_open();
	ASSERT_EQ(0, prep(self->fd, self->slave));
	if (variant->signal)
		kill(self->slave, variant->signal);
	else
		ASSERT_EQ(0, call(self->fd, CP_IOC_END, NULL));
	do
		self->result = get_into(self->fd, &self->get);
	while (self->result == 1);
}

FIXTURE_TEARDOWN(over)
{
	close(self->fd);
	slave_kill(self->slave);
}

TEST_F(over, reason_and_status)
{
	EXPECT_EQ(0, self->result);
	EXPECT_EQ(variant->reason, self->get.reason);
	/* Whether a core was dumped depends on the system's settings. */
	EXPECT_EQ(variant->status, self->get.status & ~0x80);
}

TEST_F(over, status_is_that_of_waitpid)
{
	int status;

	if (variant->reason != CP_END_EXITED)
		return;
	ASSERT_EQ(self->slave, waitpid(self->slave, &status, 0));
	EXPECT_EQ(status, self->get.status);
}

TEST_F(over, again_at_each_further_call)
{
	struct cp_get get;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, get_into(self->fd, &get));
		EXPECT_EQ(variant->reason, get.reason);
		EXPECT_EQ(self->get.status, get.status);
		EXPECT_EQ(0, get.seq);
	}
}

TEST_F(over, without_waiting_too)
{
	struct cp_get get = { .deadline = 0 };

	EXPECT_EQ(0, call(self->fd, CP_IOC_GET, &get));
	EXPECT_EQ(variant->reason, get.reason);
}

TEST_F(over, poll_says_so)
{
	EXPECT_EQ(POLLIN | POLLHUP, poll_now(self->fd));
}

TEST_F(over, answer_cannot_be_written)
{
	struct cp_get get = { .deadline = CP_FOREVER };

	EXPECT_EQ(-EFAULT, call(self->fd, CP_IOC_GET,
				read_only(&get, sizeof(get))));
}

TEST_F(over, end_is_no_error)
{
	struct cp_get get;

	EXPECT_EQ(0, call(self->fd, CP_IOC_END, NULL));
	ASSERT_EQ(0, get_into(self->fd, &get));
	EXPECT_EQ(variant->reason, get.reason);
}

TEST_F(over, others_are_still_refused)
{
	EXPECT_EQ(EPERM, in_child(body_get, &self->fd));
	EXPECT_EQ(EPERM, in_child(body_end, &self->fd));
}

TEST_F(over, refused_prep_leaves_it_so)
{
	struct cp_get get;

	EXPECT_EQ(-ESRCH, prep(self->fd, NOT_A_PID));
	ASSERT_EQ(0, get_into(self->fd, &get));
	EXPECT_EQ(variant->reason, get.reason);
}

TEST_F(over, prep_that_cannot_answer_leaves_it_so)
{
	pid_t next = slave_start(body_spin, NULL);
	struct cp_prep arg = { .pid = next, .mem_fd = proof_open(next) };
	struct cp_get get;

	EXPECT_EQ(-EFAULT, call(self->fd, CP_IOC_PREP,
				read_only(&arg, sizeof(arg))));
	ASSERT_EQ(0, get_into(self->fd, &get));
	EXPECT_EQ(variant->reason, get.reason);
	slave_kill(next);
}

TEST_F(over, file_carries_the_next_pair)
{
	pid_t next = slave_start(body_spin, NULL);
	struct cp_get get;

	ASSERT_EQ(0, prep(self->fd, next));
	ASSERT_EQ(1, get_into(self->fd, &get));
	EXPECT_EQ(1, get.seq);
	EXPECT_EQ(CP_END_NONE, get.reason);
	EXPECT_EQ(0, get.status);
	slave_kill(next);
}

TEST_F(over, file_carries_the_next_pair_of_another)
{
	pid_t next = slave_start(body_spin, NULL);
	pid_t other = other_master(self->fd, next);

	EXPECT_GT(other, 0);
	EXPECT_EQ(-EPERM, get_now(self->fd));
	slave_kill(next);
	EXPECT_EQ(other, waitpid(other, NULL, 0));
}

TEST(slave_can_be_paired_again_after_the_end)
{
	pid_t slave = slave_start(body_spin, NULL);
	int fd = device_open();
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, prep(fd, slave));
		/* Ends the pair before the slave's first checkpoint, or after it. */
		if (i % 2)
			ASSERT_EQ(1, get_now(fd));
		ASSERT_EQ(0, call(fd, CP_IOC_END, NULL));
	}
	slave_kill(slave);
}

TEST(pairs_do_not_meet)
{
	struct master m;
	pid_t slave = slave_start(body_spin, NULL);
	pid_t others_slave, other;
	int i;

	other = other_pair(device_open(), &others_slave);
	ASSERT_GT(other, 0);
	ASSERT_EQ(0, master_pair(&m, slave));
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(1, master_get(&m));
		EXPECT_EQ(i, m.get.seq);
	}
	slave_kill(others_slave);
	ASSERT_EQ(other, waitpid(other, NULL, 0));
	ASSERT_EQ(1, master_get(&m));
	EXPECT_EQ(i, m.get.seq);
	slave_kill(slave);
}

static int body_pair_with_parent(void *unused)
{
	return -prep(device_open(), getppid());
}

TEST(no_pair_back)
{
	struct master m;

	ASSERT_EQ(0, master_start(&m, body_pair_with_parent, NULL));
	while (master_get(&m) == 1)
		;
	EXPECT_EQ(EDEADLK << 8, m.get.status);
}

TEST(no_two_masters_of_one_slave)
{
	pid_t slave = slave_start(body_spin, NULL);
	pid_t other = other_master(device_open(), slave);
	struct master m;

	ASSERT_GT(other, 0);
	EXPECT_EQ(-EBUSY, master_pair(&m, slave));
	slave_kill(other);
	/* After the master's end, the slave can be paired. */
	EXPECT_EQ(0, master_pair(&m, slave));
	EXPECT_EQ(1, master_get(&m));
	slave_kill(slave);
}

static int body_two_threads(void *tid)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_sleep, tid);
	return body_spin(NULL);
}

TEST(no_two_pairs_with_threads_of_one_process)
{
	pid_t *tid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t slave = slave_start(body_two_threads, tid);
	pid_t other = other_master(device_open(), slave);
	struct master m;

	ASSERT_GT(other, 0);
	ASSERT_TRUE(eventually(__atomic_load_n(tid, __ATOMIC_ACQUIRE)));
	EXPECT_EQ(-EBUSY, master_pair(&m, *tid));
	slave_kill(slave);
}

TEST(info_values)
{
	int fd = device_open();
	struct cp_info info;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, call(fd, CP_IOC_INFO, &info));
	EXPECT_EQ(CP_VERSION, info.version);
	EXPECT_EQ(0, info.reserved);
	EXPECT_EQ(CP_FEATURE_RENDEZVOUS | CP_FEATURE_NUDGE |
		  CP_FEATURE_WAIT_LIMIT | CP_FEATURE_SLOTS | CP_FEATURE_RATE |
		  CP_FEATURE_DEATH | CP_FEATURE_XSTATE |
		  CP_FEATURE_DEATH_STACK | CP_FEATURE_PROCESS | CP_FEATURE_HOLD |
		  CP_FEATURE_SLEEPER | CP_FEATURE_CHILDREN |
		  CP_FEATURE_SNAPSHOT | CP_FEATURE_CHANGES |
		  CP_FEATURE_PUT_BACK,
		  info.features);
	EXPECT_LT(0, info.stack_default);
	EXPECT_LE(info.stack_default, info.stack_max);
	EXPECT_LT(0, info.arena_default);
}

TEST(info_of_another_size)
{
	struct {
		struct cp_info info;
		uint64_t later;
	} longer;
	int fd = device_open();

	memset(&longer, 0xff, sizeof(longer));
	ASSERT_EQ(0, call(fd, SIZED(CP_IOC_INFO, sizeof(longer)), &longer));
	EXPECT_EQ(CP_VERSION, longer.info.version);
	EXPECT_EQ(0, longer.later);
	EXPECT_EQ(-EINVAL, call(fd, SIZED(CP_IOC_INFO, 31), &longer));
}

TEST(info_at_no_address)
{
	struct cp_info info = { 0 };
	int fd = device_open();

	EXPECT_EQ(-EFAULT, call(fd, CP_IOC_INFO, NULL));
	EXPECT_EQ(-EFAULT, call(fd, CP_IOC_INFO,
				read_only(&info, sizeof(info))));
}

TEST(info_for_a_slave)
{
	int own = device_open(), fd = device_open();
	struct cp_info info = { 0 };
	pid_t other = other_master(fd, getpid());

	ASSERT_GT(other, 0);
	EXPECT_EQ(0, call(own, CP_IOC_INFO, &info));
	EXPECT_EQ(CP_VERSION, info.version);
	slave_kill(other);
}

TEST_HARNESS_MAIN
