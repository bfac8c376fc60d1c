// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proofs of access: each is valid for one program of one process. An exec, a death
 * or a reuse of the pid makes it invalid, even if it races with CP_IOC_PREP.
 */
#include "harness.h"
#include "user.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sendfile.h>

/* Seconds for a test that starts many programs on a slow machine. */
#define LONG	600
#define ROUNDS	60

/*
 * Programs that slaves execute. The setuid one writes its effective uid.
 */
#define OTHER_PROGRAM	"other-program"

static void __attribute__((constructor)) other_program(int argc, char **argv)
{
	uid_t uid = geteuid();

	if (argc != 2 || strcmp(argv[0], OTHER_PROGRAM))
		return;
	if (write(atoi(argv[1]), &uid, sizeof(uid)) != sizeof(uid))
		_exit(99);
	body_syscalls(NULL);
}

struct program {
	const char *path;
	int pipe[2];
	volatile uint64_t stack;	/* an address in the old program's stack */
	volatile bool ready;
	volatile bool go;
};

static int body_program(void *arg)
{
	struct program *p = arg;
	char fd[12];

	p->stack = (uintptr_t)fd;
	p->ready = true;
	while (!p->go)
		syscall(SYS_getppid);
	snprintf(fd, sizeof(fd), "%d", p->pipe[1]);
	execl(p->path, OTHER_PROGRAM, fd, NULL);
	return 98;
}

static struct program *program_make(const char *path)
{
	struct program *p = shared_memory(sizeof(*p));

	p->path = path;
	return pipe(p->pipe) ? NULL : p;
}

static void program_free(struct program *p)
{
	close(p->pipe[0]);
	close(p->pipe[1]);
	munmap(p, sizeof(*p));
}

/* Waits until the new program runs; returns its effective uid, or -1. */
static uid_t program_uid(struct program *p)
{
	struct pollfd fd = { .fd = p->pipe[0], .events = POLLIN };
	uid_t uid = -1;

	if (poll(&fd, 1, 10000) != 1 ||
	    read(p->pipe[0], &uid, sizeof(uid)) != sizeof(uid))
		return -1;
	return uid;
}

static bool copy_self(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t part;

	do {
		part = sendfile(to, from, NULL, 1 << 20);
	} while (part > 0);
	close(from);
	close(to);
	return !part;
}

/* Makes a setuid copy of this program, in a file system that allows setuid. */
static bool make_setuid(const char *folder, char *path, size_t size)
{
	snprintf(path, size, "%s/setuid", folder);
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", folder, "tmpfs", 0, "mode=755"))
		return false;
	return copy_self(path) && !chmod(path, 04755);
}

TEST(proof_from_before_an_exec)
{
	struct program *p = program_make("/proc/self/exe");
	pid_t slave = slave_start(body_program, p);
	int proof = proof_open(slave);
	struct cp_prep arg = { .pid = slave, .mem_fd = proof };
	int fd = device_open();

	p->go = true;
	ASSERT_EQ(0, program_uid(p));
	EXPECT_EQ(-1, ioctl(fd, CP_IOC_PREP, &arg));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, prep(fd, slave));
	close(fd);
	slave_kill(slave);
}

/*
 * A user's process executes a program that the user may not trace, while the user
 * becomes its master, or already is.
 */
struct race {
	const char *path;
	bool pair_first;
	uint64_t delay;		/* from @go to CP_IOC_PREP, in ns */
	unsigned int granted;
	unsigned int refused;
};

static void spin_ns(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		;
}

/* Pairs as close to the exec as possible: adapts the delay to the last result. */
static int pair_with_old_proof(struct race *r, int fd, struct program *p,
			       struct cp_prep *arg)
{
	if (!r->pair_first) {
		p->go = true;
		spin_ns(r->delay);
	}
	if (ioctl(fd, CP_IOC_PREP, arg)) {
		r->refused++;
		r->delay -= r->delay / 5;
		return -errno;
	}
	p->go = true;
	r->granted++;
	r->delay += r->delay / 3 + 1000;
	return 0;
}

/* All checkpoints must be of the program for which the proof was opened. */
static int watch_until_exec(struct master *m, struct program *p)
{
	const struct cp_segment *stack;
	int ret;

	m->region = mmap(NULL, m->size, PROT_READ, MAP_SHARED, m->fd, 0);
	if (m->region == MAP_FAILED)
		return 10;
	while ((ret = master_get(m)) == 1) {
		stack = master_stack(m);
		if (p->stack < stack->map_start || p->stack >= stack->map_end)
			return 11;
	}
	munmap(m->region, m->size);
	return ret || m->get.reason != CP_END_EXEC ? 12 : 0;
}

static int race_once(struct race *r)
{
	struct program *p = program_make(r->path);
	pid_t slave = slave_start(body_program, p);
	struct cp_prep arg = { .pid = slave };
	struct master m = { .fd = device_open() };
	int ret;

	if (!eventually(p->ready))
		return 1;
	arg.mem_fd = proof_open(slave);
	ret = pair_with_old_proof(r, m.fd, p, &arg);
	m.size = arg.region_size;
	if (!ret)
		ret = watch_until_exec(&m, p);
	else if (ret == -EPERM)
		ret = 0;
	else
		ret = 2;
	if (!ret && (program_uid(p) || prep(m.fd, slave) != -EPERM))
		ret = 3;
	close(m.fd);
	close(arg.mem_fd);
	slave_kill(slave);
	program_free(p);
	return ret;
}

/* Returns 0 if no checkpoint was of the program that the user may not trace. */
static int body_race(void *arg)
{
	struct race *r = arg;
	int ret = 0, i;

	if (!become(USER))
		return 255;
	for (i = 0; i < ROUNDS && !ret; i++)
		ret = race_once(r);
	return ret;
}

FIXTURE(race)
{
	struct system was;
	char folder[40];
	char path[64];
	struct race *r;
};

FIXTURE_SETUP(race)
{
	ASSERT_TRUE(system_open(&self->was));
	snprintf(self->folder, sizeof(self->folder),
		 "/tmp/checkpoint-proofs-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->folder));
	ASSERT_TRUE(make_setuid(self->folder, self->path, sizeof(self->path)));
	self->r = shared_memory(sizeof(*self->r));
	self->r->path = self->path;
}

FIXTURE_TEARDOWN(race)
{
	umount2(self->folder, MNT_DETACH);
	rmdir(self->folder);
	system_restore(&self->was);
}

TEST_F_TIMEOUT(race, pairing_and_exec_of_a_setuid_program, LONG)
{
	EXPECT_EQ(0, in_child(body_race, self->r));
	/* Both outcomes occurred: the delays met the race. */
	EXPECT_LT(0, self->r->granted);
	EXPECT_LT(0, self->r->refused);
}

TEST_F_TIMEOUT(race, checkpoint_and_exec_of_a_setuid_program, LONG)
{
	self->r->pair_first = true;
	EXPECT_EQ(0, in_child(body_race, self->r));
	EXPECT_EQ(ROUNDS, self->r->granted);
}

/*
 * Reused pids. Forks a child with the given pid:
 */
static pid_t fork_as(pid_t pid, int (*body)(void *), void *arg)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	pid_t child = syscall(SYS_clone3, &args, sizeof(args));

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(body(arg));
	}
	return child;
}

TEST(proof_of_a_dead_process_whose_pid_was_taken)
{
	struct cp_prep arg = { .pid = slave_start(body_syscalls, NULL) };
	int fd = device_open();

	arg.mem_fd = proof_open(arg.pid);
	ASSERT_LE(0, arg.mem_fd);
	slave_kill(arg.pid);
	EXPECT_EQ(-1, ioctl(fd, CP_IOC_PREP, &arg));
	EXPECT_EQ(ESRCH, errno);
	ASSERT_EQ(arg.pid, fork_as(arg.pid, body_syscalls, NULL));
	EXPECT_EQ(-1, ioctl(fd, CP_IOC_PREP, &arg));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, prep(fd, arg.pid));
	slave_kill(arg.pid);
	close(fd);
}

TEST(pair_of_a_dead_process_is_not_that_of_its_pids_next_owner)
{
	volatile uint64_t *counter = shared_memory(sizeof(*counter));
	pid_t slave = slave_start(body_syscalls, NULL);
	struct master m;

	ASSERT_EQ(0, master_pair(&m, slave));
	ASSERT_EQ(1, master_get(&m));
	slave_kill(slave);
	ASSERT_EQ(slave, fork_as(slave, body_count_syscalls, (void *)counter));
	/* The new process neither waits nor leaves checkpoints. */
	EXPECT_TRUE(eventually(*counter > 10));
	EXPECT_EQ(0, master_get(&m));
	EXPECT_EQ(CP_END_EXITED, m.get.reason);
	EXPECT_EQ(SIGKILL, m.get.status);
	EXPECT_EQ(0, prep(m.fd, slave));
	EXPECT_EQ(1, master_get(&m));
	slave_kill(slave);
	master_close(&m);
}

/*
 * Tries what only the pair's master may do, on the master's file. Returns 0 if every
 * call was refused.
 */
static int body_use_of_the_file(void *arg)
{
	struct cp_get get = { .deadline = 0 };
	int fd = *(int *)arg;

	if (!ioctl(fd, CP_IOC_GET, &get) || errno != EPERM)
		return 1;
	if (!ioctl(fd, CP_IOC_END) || errno != EPERM)
		return 2;
	if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED ||
	    errno != EPERM)
		return 3;
	return 0;
}

TEST(process_with_a_dead_masters_pid_is_no_master)
{
	pid_t slave = slave_start(body_syscalls, NULL), master;
	int fd = device_open(), status = -1;

	master = other_master(fd, slave);
	ASSERT_LT(0, master);
	slave_kill(master);
	ASSERT_EQ(master, fork_as(master, body_use_of_the_file, &fd));
	waitpid(master, &status, 0);
	EXPECT_EQ(0, status);
	slave_kill(slave);
	close(fd);
}

TEST_HARNESS_MAIN
