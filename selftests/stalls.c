// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stalled page faults: a userfaultfd, or a FUSE server, that never provides the
 * page. Such a page stalls the task that touches it until that task is killed. Other
 * tasks must not stall: the module holds no lock that they need during the fault.
 */
#include "harness.h"
#include "stack.h"

#include <linux/fuse.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PAGE	4096UL
#define PAGES	4

/*
 * Maps PAGES pages, of which all but the first belong to a userfaultfd that nobody
 * reads: an access waits for ever. With @content, the pages exist and begin with it,
 * and only a write waits. Returns NULL if there is no userfaultfd.
 */
static char *pages_of_userfaultfd(int flags, const void *content, size_t size)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | flags);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range.len = PAGES * PAGE,
		.mode = content ? UFFDIO_REGISTER_MODE_WP :
				  UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	char *pages;

	pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)pages;
	memset(pages, 0, content ? PAGES * PAGE : PAGE);
	if (content)
		memcpy(pages + PAGE, content, size);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return NULL;
	wp.range = reg.range;
	if (content && ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		return NULL;
	return pages;
}

/*
 * A FUSE file system of one file, which can be opened, and whose contents the server
 * never provides. A kill does not interrupt a request that the server has read.
 * Therefore the server stops reading requests once @stop is set.
 */
struct file_system {
	char path[40];
	int device;
	pid_t server;
	volatile bool stop;
};

static void answer(int fd, const struct fuse_in_header *in)
{
	static const struct fuse_attr attr = {
		.ino = FUSE_ROOT_ID,
		.size = PAGES * PAGE,
		.mode = S_IFREG | 0600,
		.nlink = 1,
		.blksize = PAGE,
	};
	struct {
		struct fuse_out_header head;
		union {
			struct fuse_init_out init;
			struct fuse_attr_out attr;
			struct fuse_open_out open;
		};
	} out = { .head = { .len = sizeof(out.head), .unique = in->unique } };

	switch (in->opcode) {
	case FUSE_INIT:
		out.init.major = FUSE_KERNEL_VERSION;
		out.init.minor = FUSE_KERNEL_MINOR_VERSION;
		out.init.max_write = PAGE;
		out.head.len += sizeof(out.init);
		break;
	case FUSE_GETATTR:
		out.attr.attr_valid = 1 << 30;
		out.attr.attr = attr;
		out.head.len += sizeof(out.attr);
		break;
	case FUSE_OPEN:
		out.head.len += sizeof(out.open);
		break;
	default:
		out.head.error = -ENOSYS;
	}
	if (write(fd, &out, out.head.len) < 0)
		_exit(1);
}

static int body_server(void *arg)
{
	struct file_system *fs = arg;
	static char request[65536];

	while (!fs->stop) {
		struct pollfd p = { .fd = fs->device, .events = POLLIN };

		if (poll(&p, 1, 10) > 0 &&
		    read(fs->device, request, sizeof(request)) > 0)
			answer(fs->device, (void *)request);
	}
	return body_sleep(NULL);
}

static void file_system_end(struct file_system *fs)
{
	umount2(fs->path, MNT_DETACH);
	slave_kill(fs->server);
	unlink(fs->path);
	munmap(fs, sizeof(*fs));
}

static struct file_system *file_system_start(void)
{
	struct file_system *fs = shared_memory(sizeof(*fs));
	char options[80];

	if (access("/dev/fuse", F_OK) && system("modprobe fuse 2>/dev/null"))
		return NULL;
	fs->device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(fs->path, sizeof(fs->path), "/tmp/checkpoint-stalls-XXXXXX");
	if (fs->device < 0)
		return NULL;
	close(mkstemp(fs->path));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=100600,user_id=0,group_id=0", fs->device);
	if (mount("stalls", fs->path, "fuse", MS_NOSUID | MS_NODEV, options))
		return NULL;
	fs->server = slave_start(body_server, fs);
	/* With the server's descriptor the only one, its death ends the connection. */
	close(fs->device);
	return fs;
}

static char *pages_of_file_system(struct file_system *fs)
{
	int fd = open(fs->path, O_RDWR | O_CLOEXEC);
	struct stat st;
	char *pages;

	if (fd < 0 || fstat(fd, &st) || st.st_size < (off_t)(PAGES * PAGE))
		return NULL;
	pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	/* Close the file while the server still answers: it flushes the file. */
	close(fd);
	fs->stop = true;
	return pages == MAP_FAILED ? NULL : pages;
}

/* Does @pid sleep in an ioctl? */
static bool is_stalled(pid_t pid)
{
	return task_syscall(pid) == SYS_ioctl && task_state(pid) != 'R';
}

/* Does a pair of other processes still work? */
static bool others_go_on(void)
{
	pid_t slave = slave_start(body_syscalls, NULL);
	bool ok = true;
	struct master m;
	int i;

	if (master_pair(&m, slave))
		return false;
	for (i = 0; i < 20 && ok; i++)
		ok = master_get_ms(&m, 60000) == 1;
	master_close(&m);
	slave_kill(slave);
	return ok;
}

/*
 * Arguments of ioctls in stalled memory.
 */
enum where { INFO, PREP, GET, REGS };
enum how { MISSING, PROTECTED, FILE_SYSTEM };

struct call {
	enum where where;
	enum how how;
	struct file_system *fs;
	pid_t slave;
	int fd;
	volatile bool paired;
	volatile bool impossible;
	volatile bool returned;
	volatile bool end;		/* lets another thread end the pair */
	volatile int ended;		/* its result; 1 before */
};

static void *other_thread(void *arg)
{
	struct call *call = arg;

	while (!call->end)
		sleep_ms(1);
	call->ended = ioctl(call->fd, CP_IOC_END) ? -errno : 0;
	return NULL;
}

/* A valid argument of either ioctl. */
union argument {
	struct cp_prep prep;
	struct cp_get get;
};

static union argument argument_of(const struct call *call)
{
	union argument arg = { 0 };

	if (call->where == PREP) {
		arg.prep.pid = call->slave;
		arg.prep.mem_fd = proof_open(call->slave);
	} else {
		arg.get.deadline = CP_FOREVER;
	}
	return arg;
}

static void call_with(struct call *call, char *at)
{
	struct cp_get get = { .deadline = CP_FOREVER };

	switch (call->where) {
	case INFO:
		ioctl(call->fd, CP_IOC_INFO, at);
		break;
	case PREP:
		ioctl(call->fd, CP_IOC_PREP, at);
		break;
	case GET:
		ioctl(call->fd, CP_IOC_GET, at);
		break;
	case REGS:
		get.regs = (uintptr_t)at;
		ioctl(call->fd, CP_IOC_GET, &get);
		break;
	}
}

static char *stalling_page(struct call *call)
{
	union argument arg = argument_of(call);
	char *pages;

	if (call->how == FILE_SYSTEM)
		pages = pages_of_file_system(call->fs);
	else
		pages = pages_of_userfaultfd(0, call->how == PROTECTED ? &arg :
					     NULL, sizeof(arg));
	return pages ? pages + PAGE : NULL;
}

static int body_call(void *arg)
{
	struct call *call = arg;
	char *at = stalling_page(call);
	pthread_t thread;

	call->fd = device_open();
	if (!at) {
		call->impossible = true;
		return 1;
	}
	if (call->where >= GET)
		call->paired = !prep(call->fd, call->slave);
	pthread_create(&thread, NULL, other_thread, call);
	call_with(call, at);
	call->returned = true;
	return body_sleep(NULL);
}

FIXTURE(argument)
{
	struct call *call;
	volatile uint64_t *counter;
	pid_t slave;
};

FIXTURE_VARIANT(argument)
{
	enum where where;
	enum how how;
};

#define ARGUMENT(name, _where, _how)					\
FIXTURE_VARIANT_ADD(argument, name)					\
{									\
	.where = _where,						\
	.how = _how,							\
}

ARGUMENT(info_missing, INFO, MISSING);
ARGUMENT(prep_missing, PREP, MISSING);
ARGUMENT(get_missing, GET, MISSING);
ARGUMENT(regs_missing, REGS, MISSING);
ARGUMENT(info_protected, INFO, PROTECTED);
ARGUMENT(prep_protected, PREP, PROTECTED);
ARGUMENT(get_protected, GET, PROTECTED);
ARGUMENT(regs_protected, REGS, PROTECTED);
ARGUMENT(info_in_a_file, INFO, FILE_SYSTEM);
ARGUMENT(prep_in_a_file, PREP, FILE_SYSTEM);
ARGUMENT(get_in_a_file, GET, FILE_SYSTEM);
ARGUMENT(regs_in_a_file, REGS, FILE_SYSTEM);

FIXTURE_SETUP(argument)
{
	self->counter = shared_memory(sizeof(*self->counter));
	self->slave = slave_start(body_count_syscalls, (void *)self->counter);
	self->call = shared_memory(sizeof(*self->call));
	self->call->where = variant->where;
	self->call->how = variant->how;
	self->call->slave = self->slave;
	self->call->ended = 1;
	if (variant->how == FILE_SYSTEM) {
		self->call->fs = file_system_start();
		if (!self->call->fs)
			SKIP(return, "this kernel has no file systems in user space");
	}
}

FIXTURE_TEARDOWN(argument)
{
	if (self->call->fs)
		file_system_end(self->call->fs);
	slave_kill(self->slave);
}

/* Can the slave of a CP_IOC_PREP that is stalled be paired by others? */
static bool can_be_paired(pid_t slave)
{
	struct master m;
	bool got;

	if (master_pair(&m, slave))
		return false;
	got = master_get_ms(&m, 60000) == 1;
	master_close(&m);
	return got;
}

static bool counts(volatile uint64_t *counter)
{
	uint64_t before = *counter;

	return eventually(*counter > before + 10);
}

TEST_F_TIMEOUT(argument, stalls_its_caller_only, 600)
{
	struct call *call = self->call;
	pid_t caller = slave_start(body_call, call);

	ASSERT_TRUE(eventually(is_stalled(caller) || call->impossible));
	if (call->impossible)
		SKIP(return, "this kernel has no userfaultfd of this kind");
	EXPECT_TRUE(others_go_on());
	EXPECT_FALSE(call->returned);
	/* Other threads can end the pair, once CP_IOC_PREP has made it. */
	call->end = true;
	ASSERT_TRUE(eventually(call->ended <= 0));
	EXPECT_EQ(call->where >= GET ? 0 : -ENOTCONN, call->ended);
	if (call->where >= GET)
		EXPECT_TRUE(call->paired);
	EXPECT_TRUE(counts(self->counter));
	EXPECT_TRUE(call->where == GET || call->where == REGS ||
		    can_be_paired(self->slave));
	EXPECT_TRUE(is_stalled(caller));

	slave_kill(caller);
	EXPECT_TRUE(counts(self->counter));
	EXPECT_TRUE(others_go_on());
}

TEST_F_TIMEOUT(argument, lets_go_when_killed, 600)
{
	struct call *call = self->call;
	pid_t caller = slave_start(body_call, call);
	struct master m;

	ASSERT_TRUE(eventually(is_stalled(caller) || call->impossible));
	if (call->impossible)
		SKIP(return, "this kernel has no userfaultfd of this kind");
	slave_kill(caller);
	ASSERT_TRUE(eventually(!master_pair(&m, self->slave)));
	EXPECT_EQ(1, master_get_ms(&m, 60000));
	master_close(&m);
	EXPECT_TRUE(counts(self->counter));
}

/*
 * The slave's stack in stalled memory: here the slave waits. Only a kill interrupts
 * that, as for any system call that touches such memory.
 */
struct stack {
	enum how how;
	int flags;			/* of the userfaultfd */
	struct file_system *fs;
	volatile bool impossible;
	volatile bool calls;
};

/* The slave does not access its stack. */
static int body_on_stack(void *arg)
{
	struct stack *s = arg;
	char *pages;

	if (s->how == FILE_SYSTEM)
		pages = pages_of_file_system(s->fs);
	else
		pages = pages_of_userfaultfd(s->flags, NULL, 0);
	if (!pages) {
		s->impossible = true;
		return body_sleep(NULL);
	}
	s->calls = true;
	call_on_stack(pages + PAGE);
}

/* Starts and pairs the slave; returns 0 or -errno, -ENODEV on kernels without it. */
static int stack_start(struct stack *s, struct master *m)
{
	pid_t slave = slave_start(body_on_stack, s);

	if (!eventually(s->calls || s->impossible))
		return -ETIMEDOUT;
	return s->impossible ? -ENODEV : master_pair(m, slave);
}

/* Can /proc/PID be read? Some of its files take the mmap lock. */
static bool proc_shows(pid_t pid)
{
	static const char *const names[] = { "maps", "smaps", "status", "stat" };
	char path[40], text[256];
	bool ok = true;
	ssize_t size;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		do {
			size = read(fd, text, sizeof(text));
		} while (size > 0);
		ok = ok && !size;
		close(fd);
	}
	return ok;
}

static int body_others(void *unused)
{
	return others_go_on() ? 0 : 1;
}

TEST(slave_that_waits_for_its_stack_holds_up_nobody)
{
	struct stack *s = shared_memory(sizeof(*s));
	struct master m;

	s->how = FILE_SYSTEM;
	s->fs = file_system_start();
	if (!s->fs)
		SKIP(return, "this kernel has no file systems in user space");
	ASSERT_EQ(0, stack_start(s, &m));
	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&m, 300));
	EXPECT_EQ(-EAGAIN, master_get_until(&m, 0, 0));
	EXPECT_TRUE(proc_shows(m.slave));
	EXPECT_EQ(0, in_child(body_others, NULL));
	/* The master's calls return at their deadline. */
	EXPECT_EQ(0, ioctl(m.fd, CP_IOC_END));
	EXPECT_EQ(POLLIN | POLLHUP, master_poll(&m, 0));
	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&m, 300));
	slave_kill(m.slave);
	EXPECT_EQ(0, master_get(&m));
	EXPECT_EQ(CP_END_DETACHED, m.get.reason);
	master_close(&m);
	file_system_end(s->fs);
}

static void expect_killable(struct __test_metadata *_metadata, struct stack *s)
{
	struct master m;
	int ret = stack_start(s, &m);

	if (ret == -ENODEV)
		SKIP(return, "this kernel cannot do it");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-ETIMEDOUT, master_get_ms(&m, 300));
	EXPECT_TRUE(proc_shows(m.slave));
	EXPECT_EQ(SIGKILL, slave_kill(m.slave));
	EXPECT_EQ(0, master_get(&m));
	EXPECT_EQ(CP_END_EXITED, m.get.reason);
	master_close(&m);
}

TEST(slave_that_waits_for_its_stack_in_a_file_is_killed)
{
	struct stack *s = shared_memory(sizeof(*s));

	s->how = FILE_SYSTEM;
	s->fs = file_system_start();
	if (!s->fs)
		SKIP(return, "this kernel has no file systems in user space");
	expect_killable(_metadata, s);
	file_system_end(s->fs);
}

/* A missing page of a userfaultfd is a hole: its monitor is not asked for it. */
FIXTURE(userfaultfd)
{
};

FIXTURE_VARIANT(userfaultfd)
{
	int flags;
};

FIXTURE_VARIANT_ADD(userfaultfd, for_the_kernel) { };
FIXTURE_VARIANT_ADD(userfaultfd, for_user_mode)
{
	.flags = UFFD_USER_MODE_ONLY,
};

FIXTURE_SETUP(userfaultfd)
{
}

FIXTURE_TEARDOWN(userfaultfd)
{
}

TEST_F(userfaultfd, stalls_nobody)
{
	struct stack *s = shared_memory(sizeof(*s));
	struct master m;
	int ret;

	s->flags = variant->flags;
	ret = stack_start(s, &m);
	if (ret == -ENODEV)
		SKIP(return, "this kernel has no userfaultfd");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(1, master_get_ms(&m, 60000));
	EXPECT_EQ(CP_SEGF_HOLE, master_stack(&m)->flags);
	slave_kill(m.slave);
	master_close(&m);
}

TEST_HARNESS_MAIN
