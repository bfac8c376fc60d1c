// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error paths, by fault injection (/proc/self/fail-nth): the kernel lets the first
 * allocation of memory or copy from or to user space in a call fail, then the
 * second, and so on until the call has no further ones. Each time the call either
 * fails with an errno that is documented for it, or succeeds anyway; it leaves
 * nothing allocated; and the next call works.
 */
#include "harness.h"
#include "sock.h"
#include "tracefs.h"

#include <pthread.h>

#define DEBUGFS "/sys/kernel/debug/"
#define SYSFS "/sys/class/misc/checkpoint/"
#define MODULE "/sys/module/checkpoint/"

/* No call has this many fault points: a test that reaches it has a bug. */
#define FAULTS_MAX 20000

/*
 * Every allocation may fail, and no failure is logged: the VM's runner takes a call
 * trace in the kernel log for a bug.
 */
static bool faults_set_up(void)
{
	return write_file(DEBUGFS "failslab/ignore-gfp-wait", "N") &&
	       write_file(DEBUGFS "failslab/verbose", "0") &&
	       write_file(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N") &&
	       write_file(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N") &&
	       write_file(DEBUGFS "fail_page_alloc/min-order", "0") &&
	       write_file(DEBUGFS "fail_page_alloc/verbose", "0") &&
	       write_file(DEBUGFS "fail_usercopy/verbose", "0");
}

/* Lets the @nth fault point of the caller's next system calls fail. */
static void arm(int fd, unsigned int nth)
{
	dprintf(fd, "%u", nth);
}

/*
 * Disarms the fault. Returns whether it occurred: fail-nth counts down, and reads
 * as 0 after the fault. The pread() may be the call that fails; the pwrite() too,
 * so it is repeated.
 */
static bool disarm(int fd)
{
	char left[16] = "";
	bool came;

	came = pread(fd, left, sizeof(left) - 1, 0) > 0 && atoi(left) == 0;
	while (pwrite(fd, "0", 1, 0) != 1)
		;
	return came;
}

/* The arguments of a call under test, and its results. */
struct try {
	int nth;		/* /proc/self/fail-nth */
	long users;		/* module's reference count before the call */
	pid_t slave;
	struct sock sock;
	struct cp_prep prep;
	struct master m;
	int fd;
};

FIXTURE(faults) {
	struct try t;
};

FIXTURE_SETUP(faults)
{
	self->t.fd = -1;
	self->t.m.fd = -1;
	self->t.sock.fd = -1;
	self->t.nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->t.nth < 0)
		SKIP(return, "this kernel injects no faults");
	ASSERT_TRUE(faults_set_up());
	self->t.users = module_users();
	self->t.slave = slave_start(body_syscalls, NULL);
	ASSERT_LT(0, self->t.slave);
}

FIXTURE_TEARDOWN(faults)
{
	if (self->t.m.fd >= 0)
		master_close(&self->t.m);
	if (self->t.sock.fd >= 0)
		close(self->t.sock.fd);
	if (self->t.nth >= 0)
		close(self->t.nth);
	slave_kill(self->t.slave);
}

/*
 * A call under test. Only @call runs with faults. @before prepares it, and @after
 * checks and undoes it, whether it succeeded or failed (@ret < 0).
 */
struct call {
	int (*before)(struct try *t);
	int (*call)(struct try *t);
	bool (*after)(struct try *t, int ret);
	int errnos[6];		/* documented errnos, then 0 */
};

static bool is_documented(const struct call *call, int ret)
{
	const int *errnum;

	for (errnum = call->errnos; *errnum; errnum++)
		if (ret == -*errnum)
			return true;
	return ret >= 0;
}

/* The call left neither a pair nor a reference to the module. */
static bool nothing_is_left(struct try *t)
{
	return eventually(read_number(SYSFS "pairs_live") == 0 &&
			  module_users() == t->users);
}

/* Makes the call with its @nth fault; returns whether the fault occurred. */
static bool try_call(struct __test_metadata *_metadata, struct try *t,
		     const struct call *call, unsigned int nth)
{
	bool came;
	int ret;

	t->users = module_users();
	ASSERT_EQ(0, call->before ? call->before(t) : 0);
	arm(t->nth, nth);
	ret = call->call(t);
	came = disarm(t->nth);
	EXPECT_TRUE(is_documented(call, ret))
		TH_LOG("fault %u: errno %d", nth, -ret);
	if (!came)
		EXPECT_LE(0, ret) TH_LOG("after fault %u: errno %d", nth, -ret);
	EXPECT_TRUE(call->after(t, ret)) TH_LOG("fault %u: %d", nth, ret);
	EXPECT_TRUE(nothing_is_left(t)) TH_LOG("fault %u: %d", nth, ret);
	return came;
}

/*
 * Repeats the call, each time with the next fault, until it completes without one:
 * then no earlier fault has broken anything. At least one fault must occur, else
 * fault injection did not work.
 */
static void walk(struct __test_metadata *_metadata, struct try *t,
		 const struct call *call)
{
	unsigned int nth = 1;

	while (nth < FAULTS_MAX && try_call(_metadata, t, call, nth))
		nth++;
	EXPECT_GT(FAULTS_MAX, nth);
	EXPECT_LT(1, nth);
	TH_LOG("%u faults", nth - 1);
}

static int call_open(struct try *t)
{
	t->fd = device_open();
	return t->fd < 0 ? -errno : 0;
}

static int before_device(struct try *t)
{
	return call_open(t);
}

static bool after_device(struct try *t, int ret)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	return true;
}

TEST_F(faults, open)
{
	const struct call call = {
		.call = call_open,
		.after = after_device,
		.errnos = { ENOMEM, EFAULT },
	};

	walk(_metadata, &self->t, &call);
}

static int call_info(struct try *t)
{
	struct cp_info info = { 0 };

	if (ioctl(t->fd, CP_IOC_INFO, &info))
		return -errno;
	return info.version == CP_VERSION ? 0 : -EPROTO;
}

TEST_F(faults, info)
{
	const struct call call = {
		.before = before_device,
		.call = call_info,
		.after = after_device,
		.errnos = { EFAULT },
	};

	walk(_metadata, &self->t, &call);
}

static int before_prep(struct try *t)
{
	t->prep.pid = t->slave;
	t->prep.mem_fd = proof_open(t->slave);
	return t->prep.mem_fd < 0 ? -errno : call_open(t);
}

static int call_prep(struct try *t)
{
	return ioctl(t->fd, CP_IOC_PREP, &t->prep) ? -errno : 0;
}

/* A pair that was made works; a call that failed leaves the file without one. */
static bool after_prep(struct try *t, int ret)
{
	struct cp_get get = { .deadline = CP_FOREVER };
	bool right;

	if (ret)
		right = ioctl(t->fd, CP_IOC_GET, &get) < 0 &&
			errno == ENOTCONN;
	else
		right = ioctl(t->fd, CP_IOC_GET, &get) == 1 && get.seq == 1;
	close(t->prep.mem_fd);
	return right && after_device(t, ret);
}

static const struct call prep_call = {
	.before = before_prep,
	.call = call_prep,
	.after = after_prep,
	.errnos = { ENOMEM, EFAULT },
};

TEST_F(faults, prep)
{
	walk(_metadata, &self->t, &prep_call);
}

TEST_F(faults, prep_of_all_that_there_is)
{
	self->t.prep.flags = CP_PREP_DEATH | CP_PREP_XSTATE;
	self->t.prep.nr_slots = 3;
	walk(_metadata, &self->t, &prep_call);
}

TEST_F(faults, prep_that_is_reported)
{
	ASSERT_EQ(0, sock_open(&self->t.sock));
	ASSERT_EQ(0, subscribe(&self->t.sock, CP_NL_EVENT_PAIRS));
	walk(_metadata, &self->t, &prep_call);
}

static void *thread_syscalls(void *unused)
{
	body_syscalls(NULL);
	return NULL;
}

static int body_threads(void *ready)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, thread_syscalls, NULL))
			return 1;
	*(volatile bool *)ready = true;
	return body_syscalls(NULL);
}

/* If the call fails after it has found some threads, those are released, too. */
TEST_F(faults, prep_of_a_process)
{
	volatile bool *ready = shared_memory(sizeof(*ready));

	slave_kill(self->t.slave);
	self->t.slave = slave_start(body_threads, (void *)ready);
	ASSERT_TRUE(eventually(*ready));
	self->t.prep.flags = CP_PREP_DEATH | CP_PREP_XSTATE | CP_PREP_PROCESS;
	self->t.prep.nr_slots = 3;
	walk(_metadata, &self->t, &prep_call);
}

static int before_pair(struct try *t)
{
	return master_pair(&t->m, t->slave);
}

static bool after_pair(struct try *t, int ret)
{
	master_close(&t->m);
	t->m.fd = -1;
	return true;
}

static int call_get(struct try *t)
{
	int ret = master_get(&t->m);

	return ret == 1 ? 0 : ret;
}

/* The checkpoint of a call that failed is that of the next call: none is lost. */
static bool after_get(struct try *t, int ret)
{
	bool right = ret < 0 || t->m.get.seq == 1;

	right = right && master_get(&t->m) == 1 &&
		t->m.get.seq == (ret < 0 ? 1 : 2);
	return after_pair(t, ret) && right;
}

TEST_F(faults, get)
{
	const struct call call = {
		.before = before_pair,
		.call = call_get,
		.after = after_get,
		.errnos = { EFAULT },
	};

	walk(_metadata, &self->t, &call);
}

static int before_ended_pair(struct try *t)
{
	return before_pair(t) ?:
	       ioctl(t->m.fd, CP_IOC_END) ? -errno : 0;
}

static int call_get_of_ended(struct try *t)
{
	return master_get(&t->m);
}

static bool after_get_of_ended(struct try *t, int ret)
{
	bool right = ret < 0 || t->m.get.reason == CP_END_DETACHED;

	return after_pair(t, ret) && right;
}

TEST_F(faults, get_of_an_ended_pair)
{
	const struct call call = {
		.before = before_ended_pair,
		.call = call_get_of_ended,
		.after = after_get_of_ended,
		.errnos = { EFAULT },
	};

	walk(_metadata, &self->t, &call);
}

static int before_mmap(struct try *t)
{
	int ret = before_pair(t);

	if (!ret)
		munmap(t->m.region, t->m.size);
	return ret;
}

static int call_mmap(struct try *t)
{
	t->m.region = mmap(NULL, t->m.size, PROT_READ, MAP_SHARED, t->m.fd, 0);
	return t->m.region == MAP_FAILED ? -errno : 0;
}

static bool after_mmap(struct try *t, int ret)
{
	bool right = master_get(&t->m) == 1;

	if (ret)
		right = right && !call_mmap(t);
	right = right && master_checkpoint(&t->m)->seq == 1;
	return after_pair(t, ret) && right;
}

TEST_F(faults, mmap)
{
	const struct call call = {
		.before = before_mmap,
		.call = call_mmap,
		.after = after_mmap,
		.errnos = { ENOMEM },
	};

	walk(_metadata, &self->t, &call);
}

static int read_whole(const char *path)
{
	char text[512];
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	while ((ret = read(fd, text, sizeof(text))) > 0)
		;
	ret = ret < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int call_fdinfo(struct try *t)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", t->m.fd);
	return read_whole(path);
}

TEST_F(faults, fdinfo)
{
	const struct call call = {
		.before = before_pair,
		.call = call_fdinfo,
		.after = after_pair,
		.errnos = { ENOMEM, EFAULT },
	};

	walk(_metadata, &self->t, &call);
}

static int call_sysfs(struct try *t)
{
	char path[80];

	snprintf(path, sizeof(path), SYSFS "pairs/%d/state", t->slave);
	return read_whole(path);
}

TEST_F(faults, sysfs)
{
	const struct call call = {
		.before = before_pair,
		.call = call_sysfs,
		.after = after_pair,
		.errnos = { ENOMEM, EFAULT },
	};

	walk(_metadata, &self->t, &call);
}

static int before_query(struct try *t)
{
	return sock_open(&t->sock) ?: before_pair(t);
}

/* A failed send or receive may leave an answer in the socket: use a new one. */
static bool after_query(struct try *t, int ret)
{
	close(t->sock.fd);
	t->sock.fd = -1;
	return after_pair(t, ret);
}

static int call_query(struct try *t)
{
	struct message msg;

	return query(&t->sock, t->slave, &msg);
}

TEST_F(faults, netlink_query)
{
	const struct call call = {
		.before = before_query,
		.call = call_query,
		.after = after_query,
		.errnos = { ENOMEM, EFAULT, ENOBUFS, EAGAIN },
	};

	walk(_metadata, &self->t, &call);
}

static void ignore(const struct message *msg, void *arg)
{
}

static int call_dump(struct try *t)
{
	return dump(&t->sock, ignore, NULL);
}

TEST_F(faults, netlink_dump)
{
	const struct call call = {
		.before = before_query,
		.call = call_dump,
		.after = after_query,
		.errnos = { ENOMEM, EFAULT, ENOBUFS, EAGAIN },
	};

	walk(_metadata, &self->t, &call);
}

static int call_subscribe(struct try *t)
{
	return subscribe(&t->sock, CP_NL_EVENT_PAIRS);
}

TEST_F(faults, netlink_subscribe)
{
	const struct call call = {
		.before = before_query,
		.call = call_subscribe,
		.after = after_query,
		.errnos = { ENOMEM, EFAULT, ENOBUFS, EAGAIN },
	};

	walk(_metadata, &self->t, &call);
}

static int call_end(struct try *t)
{
	return ask(&t->sock, CP_NL_CMD_PAIR_END, CP_NL_A_SLAVE, t->slave);
}

TEST_F(faults, netlink_end)
{
	const struct call call = {
		.before = before_query,
		.call = call_end,
		.after = after_query,
		.errnos = { ENOMEM, EFAULT, ENOBUFS, EAGAIN },
	};

	walk(_metadata, &self->t, &call);
}

/*
 * Faults while the module is loaded. Some kernels do not survive every fault in
 * their own part of loading a module. Therefore the test starts with the last fault
 * and goes backwards while a tracepoint shows that the fault came after the
 * module's init function had begun. With coverage, gcov allocates just before that,
 * and its failures have no effect: the test ends after HARMLESS_MAX of those.
 */
#define HARMLESS_MAX 20

static bool load_init_began(void)
{
	char line[256];
	bool began = false;
	FILE *f = fopen(TRACEFS "trace", "re");

	while (f && !began && fgets(line, sizeof(line), f))
		began = strstr(line, "initcall_start:");
	if (f)
		fclose(f);
	return began;
}

static int load(struct try *t, const char *parameters)
{
	return syscall(SYS_finit_module, t->fd, parameters, 0) ? -errno : 0;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "checkpoint", O_NONBLOCK) ? -errno : 0;
}

/* An upper bound of the fault points of registering the device. */
#define DEVICE_FAULTS 60

/*
 * Returns an upper bound of the number of the init function's last fault. There are
 * too many faults after the init function to count them all. So this load fails, by
 * an invalid parameter, just before the device is registered, which is the last
 * step of the function.
 */
static int load_faults(struct try *t)
{
	char left[16] = "";
	int ret = unload();

	arm(t->nth, FAULTS_MAX);
	if (!ret && load(t, "stack_default=0") != -EINVAL)
		ret = -EPROTO;
	if (pread(t->nth, left, sizeof(left) - 1, 0) <= 0)
		ret = -EIO;
	disarm(t->nth);
	return ret ?: FAULTS_MAX - atoi(left) + DEVICE_FAULTS;
}

/*
 * Loads with the @nth fault. Returns 1 if the load failed, 0 if it succeeded, -1 if
 * the fault came before the init function.
 */
static int try_load(struct __test_metadata *_metadata, struct try *t, int nth)
{
	bool began;
	int ret;

	if (!access(MODULE, F_OK))
		ASSERT_EQ(0, unload());
	ASSERT_TRUE(tracefs_write("trace", "\n"));
	arm(t->nth, nth);
	ret = load(t, "");
	disarm(t->nth);
	began = load_init_began();
	/* ENODEV: the init function could not look up what it checks. */
	EXPECT_TRUE(!ret || ret == -ENOMEM || ret == -ENODEV)
		TH_LOG("errno %d", -ret);
	EXPECT_EQ(!!ret, !!access(MODULE, F_OK));
	return began ? !!ret : -1;
}

TEST_F_TIMEOUT(faults, load, 1200)
{
	const char *enable = "events/initcall/initcall_start/enable";
	const char *path = getenv("CHECKPOINT_KO");
	int nth, ret, failed = 0, harmless = 0;

	if (!path)
		SKIP(return, "which module? CHECKPOINT_KO says it in the VM");
	self->t.fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->t.fd);
	ASSERT_TRUE(tracefs_write(enable, "1"));
	nth = load_faults(&self->t);
	ASSERT_LT(0, nth);
	ASSERT_EQ(0, load(&self->t, ""));
	/* A load that fails would show that @nth is not an upper bound. */
	ASSERT_EQ(0, try_load(_metadata, &self->t, nth));
	do {
		ret = try_load(_metadata, &self->t, --nth);
		failed += ret > 0;
		harmless = ret ? 0 : harmless + 1;
	} while (ret >= 0 && (!failed || harmless < HARMLESS_MAX));
	if (access(MODULE, F_OK))
		ASSERT_EQ(0, load(&self->t, ""));
	EXPECT_TRUE(tracefs_write(enable, "0"));
	EXPECT_LT(10, failed);
	TH_LOG("%d faults", failed);
	close(self->t.fd);
}

/*
 * Faults in the slave's captures, beginning with the return of the write() that
 * arms the fault.
 */
struct unlucky {
	unsigned int nth;
	bool came;
	bool dies;
	volatile bool created;		/* a thread of it has run */
};

/* The stack is deeper than before, so the capture has to allocate memory. */
static __attribute__((noinline)) void call_deep(bool die)
{
	volatile char room[64 * 1024];
	int i;

	for (i = 0; i < (int)sizeof(room); i += 4096)
		room[i] = 1;
	if (die)
		abort();
	syscall(SYS_getppid);
}

static int body_unlucky(void *arg)
{
	struct unlucky *unlucky = arg;
	int fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);

	arm(fd, unlucky->nth);
	call_deep(unlucky->dies);
	unlucky->came = disarm(fd);
	return 7;
}

/* Takes all checkpoints: in order, and either whole or flagged as incomplete. */
static int take_all(struct master *m)
{
	const uint32_t allowed = CP_SEGF_NOMEM | CP_SEGF_HOLE;
	uint64_t seq = 0;
	int ret;

	while ((ret = master_get(m)) == 1) {
		if (m->get.seq != ++seq ||
		    master_stack(m)->flags & ~allowed)
			return -EPROTO;
	}
	return ret;
}

static bool slave_has_faults(struct unlucky *unlucky)
{
	struct master m;
	bool right;

	if (master_start(&m, body_unlucky, unlucky))
		return false;
	right = !take_all(&m) && m.get.reason == CP_END_EXITED &&
		m.get.status == (unlucky->dies ? SIGABRT : 7 << 8);
	master_close(&m);
	waitpid(m.slave, NULL, 0);
	return right;
}

TEST_F(faults, of_the_slave)
{
	struct unlucky *unlucky = shared_memory(sizeof(*unlucky));

	do {
		unlucky->nth++;
		unlucky->came = false;
		EXPECT_TRUE(slave_has_faults(unlucky))
			TH_LOG("fault %u", unlucky->nth);
		EXPECT_TRUE(nothing_is_left(&self->t));
	} while (unlucky->came && unlucky->nth < FAULTS_MAX);
	EXPECT_LT(1, unlucky->nth);
	TH_LOG("%u faults", unlucky->nth - 1);
}

/*
 * A slave that dies cannot report whether the fault occurred, so the test tries more
 * faults than its captures have.
 */
TEST_F(faults, of_the_slave_that_dies)
{
	struct unlucky *unlucky = shared_memory(sizeof(*unlucky));

	unlucky->dies = true;
	for (unlucky->nth = 1; unlucky->nth <= 40; unlucky->nth++) {
		EXPECT_TRUE(slave_has_faults(unlucky))
			TH_LOG("fault %u", unlucky->nth);
		EXPECT_TRUE(nothing_is_left(&self->t));
	}
}

/* Runs in the new thread, which ends with it. */
static int thread_once(void *arg)
{
	struct unlucky *unlucky = arg;

	unlucky->created = true;
	return 0;
}

/* Creates a thread: whatever fails in the module, the thread runs. */
static int body_unlucky_creator(void *arg)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	int fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC), tid;
	struct unlucky *unlucky = arg;

	arm(fd, unlucky->nth);
	tid = clone(thread_once, stack + sizeof(stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_SYSVSEM, arg);
	unlucky->came = disarm(fd);
	while (tid > 0 && !unlucky->created)
		sched_yield();
	return 7;
}

/* Takes all checkpoints of all threads. */
static int take_all_threads(struct master *m)
{
	const uint32_t allowed = CP_SEGF_NOMEM | CP_SEGF_HOLE;
	int ret;

	while ((ret = master_get(m)) > 0)
		if (ret == 1 && m->get.thread == m->slave &&
		    master_stack(m)->flags & ~allowed)
			return -EPROTO;
	return ret;
}

static bool creator_has_faults(struct unlucky *unlucky, bool *unseen)
{
	struct cp_prep prep = { .flags = CP_PREP_PROCESS };
	struct master m;
	bool right;

	if (master_start_with(&m, &prep, body_unlucky_creator, unlucky))
		return false;
	right = !take_all_threads(&m) && m.get.reason == CP_END_EXITED &&
		m.get.status == 7 << 8 && m.get.unseen <= unlucky->created;
	*unseen |= m.get.unseen;
	master_close(&m);
	waitpid(m.slave, NULL, 0);
	return right;
}

TEST_F(faults, of_the_slave_that_creates_a_thread)
{
	struct unlucky *unlucky = shared_memory(sizeof(*unlucky));
	bool unseen = false;

	do {
		unlucky->nth++;
		unlucky->came = false;
		unlucky->created = false;
		EXPECT_TRUE(creator_has_faults(unlucky, &unseen))
			TH_LOG("fault %u", unlucky->nth);
		EXPECT_TRUE(nothing_is_left(&self->t));
	} while (unlucky->came && unlucky->nth < FAULTS_MAX);
	EXPECT_LT(1, unlucky->nth);
	TH_LOG("%u faults%s", unlucky->nth - 1,
	       unseen ? ", a thread was not seen" : "");
}

TEST_HARNESS_MAIN
