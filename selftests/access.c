// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access: only the kernel's rule for debuggers, ptrace(2)'s, decides which process
 * may become the master of which task.
 */
#include "harness.h"
#include "pass.h"
#include "user.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

/*
 * A process that masters try to pair with. When subject_start() returns, the
 * process has the credentials that these fields describe.
 */
struct subject {
	uid_t uid;
	bool undumpable;
	bool any_tracer;	/* declared to Yama */
	bool limited;		/* has no CAP_SYS_PTRACE */
	bool (*change)(void);	/* what it does when @go is set */
	volatile bool ready;
	volatile bool go;
	volatile bool changed;
	volatile bool stop;
};

static bool give_up_ptrace_capability(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	data[0].effective &= ~(1U << CAP_SYS_PTRACE);
	data[0].permitted &= ~(1U << CAP_SYS_PTRACE);
	data[0].inheritable &= ~(1U << CAP_SYS_PTRACE);
	return !syscall(SYS_capset, &header, data);
}

static int body_subject(void *arg)
{
	struct subject *s = arg;

	if (s->uid && !become(s->uid))
		return 1;
	if (s->limited && !give_up_ptrace_capability())
		return 1;
	if (s->undumpable)
		prctl(PR_SET_DUMPABLE, 0);
	if (s->any_tracer)
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	/* capset(2) makes the process undumpable, as a change of user does. */
	if (s->limited)
		prctl(PR_SET_DUMPABLE, 1);
	s->ready = true;
	while (!s->stop) {
		syscall(SYS_getppid);
		if (s->go && !s->changed)
			s->changed = s->change();
	}
	return 0;
}

static pid_t subject_start(struct subject subject)
{
	struct subject *s = shared_memory(sizeof(*s));
	pid_t pid;

	*s = subject;
	pid = slave_start(body_subject, s);
	return eventually(s->ready) ? pid : -1;
}

/*
 * An attempt to become a master and to take a checkpoint. try_pair() returns 0, or
 * the errno of the call that failed.
 */
struct attempt {
	uid_t uid;
	pid_t slave;
	int proof;	/* descriptor to use as the proof; 0: open one */
};

static int try_pair(void *arg)
{
	struct attempt *a = arg;
	struct cp_prep p = { .pid = a->slave, .mem_fd = a->proof };
	struct cp_get get = { .deadline = CP_FOREVER };
	int fd, ret;

	if (a->uid && !become(a->uid))
		return 255;
	fd = device_open();
	if (fd < 0)
		return 254;
	if (a->proof)
		ret = ioctl(fd, CP_IOC_PREP, &p) ? errno : 0;
	else
		ret = -prep(fd, a->slave);
	if (!ret && ioctl(fd, CP_IOC_GET, &get) != 1)
		ret = 253;
	close(fd);
	return ret;
}

/* Makes the attempt in a child, which is not the slave's ancestor. */
static int attempt(struct attempt a)
{
	return in_child(try_pair, &a);
}

FIXTURE(access)
{
	struct system was;
};

FIXTURE_SETUP(access)
{
	ASSERT_TRUE(system_open(&self->was));
}

FIXTURE_TEARDOWN(access)
{
	system_restore(&self->was);
}

TEST_F(access, device_is_for_root)
{
	EXPECT_EQ(0600, self->was.mode);
	ASSERT_EQ(0, chmod("/dev/checkpoint", self->was.mode));
	EXPECT_EQ(254, attempt((struct attempt){ .uid = USER, .slave = 1 }));
}

/* Each variant is a master, a slave, and the expected result. */
FIXTURE(rule)
{
	struct system was;
};

FIXTURE_VARIANT(rule)
{
	uid_t master;
	struct subject slave;
	int scope;	/* of Yama */
	int result;
};

FIXTURE_VARIANT_ADD(rule, root_and_root)
{
	.result = 0,
};

FIXTURE_VARIANT_ADD(rule, root_and_user)
{
	.slave = { .uid = USER },
	.result = 0,
};

FIXTURE_VARIANT_ADD(rule, user_and_own)
{
	.master = USER,
	.slave = { .uid = USER },
	.result = 0,
};

FIXTURE_VARIANT_ADD(rule, user_and_root)
{
	.master = USER,
	.result = EPERM,
};

FIXTURE_VARIANT_ADD(rule, user_and_another_user)
{
	.master = USER,
	.slave = { .uid = USER + 1 },
	.result = EPERM,
};

FIXTURE_VARIANT_ADD(rule, user_and_own_undumpable)
{
	.master = USER,
	.slave = { .uid = USER, .undumpable = true },
	.result = EPERM,
};

FIXTURE_VARIANT_ADD(rule, root_and_undumpable)
{
	.slave = { .uid = USER, .undumpable = true },
	.result = 0,
};

FIXTURE_VARIANT_ADD(rule, yama_1_user_and_own)
{
	.master = USER,
	.slave = { .uid = USER },
	.scope = 1,
	.result = EPERM,
};

FIXTURE_VARIANT_ADD(rule, yama_1_user_and_willing)
{
	.master = USER,
	.slave = { .uid = USER, .any_tracer = true },
	.scope = 1,
	.result = 0,
};

FIXTURE_VARIANT_ADD(rule, yama_1_user_and_willing_stranger)
{
	.master = USER,
	.slave = { .uid = USER + 1, .any_tracer = true },
	.scope = 1,
	.result = EPERM,
};

FIXTURE_VARIANT_ADD(rule, yama_1_root_and_user)
{
	.slave = { .uid = USER },
	.scope = 1,
	.result = 0,
};

FIXTURE_VARIANT_ADD(rule, yama_2_user_and_willing)
{
	.master = USER,
	.slave = { .uid = USER, .any_tracer = true },
	.scope = 2,
	.result = EPERM,
};

FIXTURE_VARIANT_ADD(rule, yama_2_root_and_user)
{
	.slave = { .uid = USER },
	.scope = 2,
	.result = 0,
};

FIXTURE_SETUP(rule)
{
	ASSERT_TRUE(system_open(&self->was));
}

FIXTURE_TEARDOWN(rule)
{
	system_restore(&self->was);
}

TEST_F(rule, decides)
{
	pid_t slave;

	if (variant->scope && self->was.scope < 0)
		SKIP(return, "this kernel has no Yama");
	slave = subject_start(variant->slave);
	ASSERT_LT(0, slave);
	if (variant->scope)
		ASSERT_TRUE(yama_set(variant->scope));
	EXPECT_EQ(variant->result,
		  attempt((struct attempt){ variant->master, slave }));
	slave_kill(slave);
}

/* Yama's scope 1 lets a process trace its descendants. */
static int try_own_child(void *unused)
{
	struct attempt a;

	if (!become(USER))
		return 255;
	a = (struct attempt){ .slave = subject_start((struct subject){ 0 }) };
	return try_pair(&a);
}

TEST_F(access, yama_1_user_and_own_child)
{
	if (self->was.scope < 0)
		SKIP(return, "this kernel has no Yama");
	ASSERT_TRUE(yama_set(1));
	EXPECT_EQ(0, in_child(try_own_child, NULL));
	ASSERT_TRUE(yama_set(2));
	EXPECT_EQ(EPERM, in_child(try_own_child, NULL));
}

/* EBUSY would show that the task is paired: only those with access may see it. */
TEST_F(access, refusal_does_not_reveal_who_is_paired)
{
	pid_t roots = subject_start((struct subject){ 0 });
	pid_t users = subject_start((struct subject){ .uid = USER });
	struct master m;

	ASSERT_EQ(0, master_pair(&m, roots));
	EXPECT_EQ(EPERM, attempt((struct attempt){ USER, roots }));
	/* The same for a master, which is this process. */
	EXPECT_EQ(EPERM, attempt((struct attempt){ USER, getpid() }));
	EXPECT_EQ(EBUSY, attempt((struct attempt){ 0, roots }));
	EXPECT_EQ(EBUSY, attempt((struct attempt){ 0, getpid() }));
	master_close(&m);

	/* The slave's owner has access, and sees EBUSY. */
	ASSERT_EQ(0, master_pair(&m, users));
	EXPECT_EQ(EBUSY, attempt((struct attempt){ USER, users }));
	master_close(&m);
	slave_kill(roots);
	slave_kill(users);
}

static int nudge_often(void *arg)
{
	struct master m;
	int i;

	if (master_pair(&m, *(pid_t *)arg))
		return 1;
	for (i = 0; i < 2000; i++)
		if (master_get_until(&m, CP_FOREVER, CP_GET_NUDGE) != 1)
			return 2;
	return 0;
}

/*
 * Each open file of the device holds a reference, as for any device. Pairs must
 * not: changes of the count would show when other users make pairs.
 */
TEST_F(access, module_count_reveals_no_pairs)
{
	pid_t first = subject_start((struct subject){ 0 });
	pid_t second = slave_start(body_sleep, NULL);
	struct master m;
	int fd, count, changes = 0, status;
	pid_t pid;

	ASSERT_EQ(0, master_pair(&m, first));
	fd = device_open();
	count = module_users();
	ASSERT_LT(0, count);
	pid = slave_start(nudge_often, &second);
	/* The child's open file adds one. */
	ASSERT_TRUE(eventually(module_users() == count + 1));
	while (!waitpid(pid, &status, WNOHANG))
		changes += module_users() > count + 1;
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, changes);
	close(fd);
	master_close(&m);
	slave_kill(first);
	slave_kill(second);
}

/*
 * Descriptors that are not a proof of access to the slave. Root passes them: a
 * proof that root opened itself would be accepted.
 */
struct proof {
	pid_t slave;
	pid_t other;
};

static int proof_none(const struct proof *p)
{
	return -1;
}

static int proof_of_another(const struct proof *p)
{
	return proof_open(p->other);
}

static int proof_of_oneself(const struct proof *p)
{
	return proof_open(getpid());
}

static int proof_closed(const struct proof *p)
{
	int fd = proof_open(p->slave);

	close(fd);
	return fd;
}

static int proof_null_device(const struct proof *p)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int proof_device(const struct proof *p)
{
	return device_open();
}

static int proof_directory(const struct proof *p)
{
	return open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int proof_plain_file(const struct proof *p)
{
	return memfd_create("mem", MFD_CLOEXEC);
}

static int proof_another_file_of_the_slave(const struct proof *p)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/auxv", p->slave);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int proof_path_only(const struct proof *p)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", p->slave);
	return open(path, O_PATH | O_CLOEXEC);
}

FIXTURE(bad_proof)
{
	struct proof p;
};

FIXTURE_VARIANT(bad_proof)
{
	int (*proof)(const struct proof *p);
};

#define BAD_PROOF(name)							\
FIXTURE_VARIANT_ADD(bad_proof, name)					\
{									\
	.proof = proof_##name,						\
}

BAD_PROOF(none);
BAD_PROOF(of_another);
BAD_PROOF(of_oneself);
BAD_PROOF(closed);
BAD_PROOF(null_device);
BAD_PROOF(device);
BAD_PROOF(directory);
BAD_PROOF(plain_file);
BAD_PROOF(another_file_of_the_slave);
BAD_PROOF(path_only);

FIXTURE_SETUP(bad_proof)
{
	self->p.slave = subject_start((struct subject){ 0 });
	self->p.other = subject_start((struct subject){ 0 });
	ASSERT_LT(0, self->p.slave);
	ASSERT_LT(0, self->p.other);
}

FIXTURE_TEARDOWN(bad_proof)
{
	slave_kill(self->p.slave);
	slave_kill(self->p.other);
}

TEST_F(bad_proof, is_refused)
{
	struct cp_prep arg = { .pid = self->p.slave };
	int fd = device_open();

	arg.mem_fd = variant->proof(&self->p);
	EXPECT_EQ(-1, ioctl(fd, CP_IOC_PREP, &arg));
	EXPECT_EQ(EPERM, errno);
	/* Only the proof was wrong. */
	EXPECT_EQ(0, prep(fd, self->p.slave));
	close(fd);
}

/* Opens the proof as root and then gives up root: the proof is out of date. */
static int try_as_less(void *arg)
{
	struct attempt *a = arg;

	a->proof = proof_open(a->slave);
	return a->proof < 0 ? 252 : try_pair(a);
}

TEST_F(access, proof_from_before_the_caller_changed)
{
	pid_t slave = subject_start((struct subject){ 0 });
	struct attempt a = { .uid = USER, .slave = slave };

	EXPECT_EQ(EPERM, in_child(try_as_less, &a));
	a.uid = 0;
	EXPECT_EQ(0, in_child(try_as_less, &a));
	slave_kill(slave);
}

/*
 * Proofs that the kernel granted, and would no longer grant: after the open, the
 * slave's or the caller's credentials change, or the administrator changes Yama's
 * scope.
 */
struct stale {
	struct attempt attempt;
	bool limited;
	bool (*change)(void);	/* of the caller */
	volatile bool opened;
	volatile bool go;
};

static int try_stale(void *arg)
{
	struct stale *s = arg;

	if (s->attempt.uid && !become(s->attempt.uid))
		return 255;
	if (s->limited && !give_up_ptrace_capability())
		return 251;
	s->attempt.uid = 0;
	s->attempt.proof = proof_open(s->attempt.slave);
	if (s->attempt.proof < 0)
		return 252;
	s->opened = true;
	if (!eventually(s->go))
		return 250;
	if (s->change && !s->change())
		return 249;
	return try_pair(&s->attempt);
}

static bool becomes_undumpable(void)
{
	return !prctl(PR_SET_DUMPABLE, 0);
}

static bool changes_its_user(void)
{
	return become(USER);
}

static bool withdraws_its_permission(void)
{
	return !prctl(PR_SET_PTRACER, 0);
}

static bool changes_its_user_namespace(void)
{
	return !unshare(CLONE_NEWUSER);
}

static bool stays(void)
{
	return true;
}

FIXTURE(stale)
{
	struct system was;
	struct subject *subject;
	struct stale *stale;
	pid_t slave;
};

FIXTURE_VARIANT(stale)
{
	struct subject slave;
	uid_t master;
	bool (*change)(void);	/* of the master */
	int scope;		/* of Yama, before the proof is opened */
	int later;		/* of Yama, after that */
	int result;
};

#define STALE_USER(name, ...)						\
FIXTURE_VARIANT_ADD(stale, name)					\
{									\
	.master = USER,							\
	__VA_ARGS__							\
}

STALE_USER(nothing,
	   .slave = { .uid = USER, .change = stays },
	   .result = 0);
STALE_USER(slave_undumpable,
	   .slave = { .uid = USER, .change = becomes_undumpable },
	   .result = EPERM);
STALE_USER(yama_raised_to_1,
	   .slave = { .uid = USER, .change = stays },
	   .later = 1, .result = EPERM);
STALE_USER(yama_raised_to_2,
	   .slave = { .uid = USER, .any_tracer = true, .change = stays },
	   .scope = 1, .later = 2, .result = EPERM);
STALE_USER(permission_withdrawn,
	   .slave = { .uid = USER, .any_tracer = true,
		      .change = withdraws_its_permission },
	   .scope = 1, .later = 1, .result = EPERM);
STALE_USER(caller_in_another_user_namespace,
	   .slave = { .uid = USER, .change = stays },
	   .change = changes_its_user_namespace, .result = EPERM);

/* Root without CAP_SYS_PTRACE, so that ownership decides. */
FIXTURE_VARIANT_ADD(stale, slave_of_the_same_user)
{
	.slave = { .limited = true, .change = stays },
	.result = 0,
};

FIXTURE_VARIANT_ADD(stale, slave_changed_its_user)
{
	.slave = { .limited = true, .change = changes_its_user },
	.result = EPERM,
};

FIXTURE_VARIANT_ADD(stale, caller_without_its_capability)
{
	.slave = { .uid = USER, .change = stays },
	.change = give_up_ptrace_capability,
	.result = EPERM,
};

FIXTURE_SETUP(stale)
{
	ASSERT_TRUE(system_open(&self->was));
	self->subject = shared_memory(sizeof(*self->subject));
	*self->subject = variant->slave;
	self->slave = slave_start(body_subject, self->subject);
	ASSERT_TRUE(eventually(self->subject->ready));
	self->stale = shared_memory(sizeof(*self->stale));
	self->stale->attempt.uid = variant->master;
	self->stale->attempt.slave = self->slave;
	self->stale->limited = variant->slave.limited;
	self->stale->change = variant->change;
}

FIXTURE_TEARDOWN(stale)
{
	system_restore(&self->was);
	slave_kill(self->slave);
}

TEST_F(stale, is_asked_again)
{
	struct stale *stale = self->stale;
	pid_t master;
	int status;

	if (variant->later && self->was.scope < 0)
		SKIP(return, "this kernel has no Yama");
	if (variant->scope)
		ASSERT_TRUE(yama_set(variant->scope));
	master = slave_start(try_stale, stale);
	ASSERT_TRUE(eventually(stale->opened));
	self->subject->go = true;
	ASSERT_TRUE(eventually(self->subject->changed));
	if (variant->later)
		ASSERT_TRUE(yama_set(variant->later));
	stale->go = true;
	ASSERT_EQ(master, waitpid(master, &status, 0));
	if (WEXITSTATUS(status) == 249)
		SKIP(return, "users may not make user namespaces");
	EXPECT_EQ(variant->result, WEXITSTATUS(status));
}

/* A user without access receives a proof that root has opened. */
static int try_received(void *arg)
{
	struct attempt *a = arg;

	a->proof = receive_fd(a->proof, 0);
	return a->proof < 0 ? 252 : try_pair(a);
}

TEST_F(access, proof_handed_over)
{
	pid_t slave = subject_start((struct subject){ 0 });
	struct attempt a = { .uid = USER, .slave = slave };
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends));
	ASSERT_EQ(0, send_fd(ends[1], proof_open(slave), 0));
	a.proof = ends[0];
	EXPECT_EQ(EPERM, in_child(try_received, &a));
	slave_kill(slave);
}

TEST_F(access, proof_inherited_by_another_user)
{
	pid_t slave = subject_start((struct subject){ 0 });
	int proof = proof_open(slave);

	EXPECT_EQ(EPERM, attempt((struct attempt){ USER, slave, proof }));
	slave_kill(slave);
}

/* A proof must belong to the slave, not to a process that shares its memory. */
struct sharing {
	volatile pid_t sibling;
};

static int body_sharing(void *arg)
{
	static char stack[16384];
	struct sharing *s = arg;

	s->sibling = clone(body_syscalls, stack + sizeof(stack),
			   CLONE_VM | SIGCHLD, NULL);
	return body_syscalls(NULL);
}

TEST_F(access, proof_of_a_sibling_that_shares_the_memory)
{
	struct sharing *s = shared_memory(sizeof(*s));
	struct cp_prep arg = { 0 };
	int fd = device_open();
	pid_t slave;

	slave = slave_start(body_sharing, s);
	ASSERT_TRUE(eventually(s->sibling > 0));
	arg.pid = slave;
	arg.mem_fd = proof_open(s->sibling);
	EXPECT_EQ(-1, ioctl(fd, CP_IOC_PREP, &arg));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, prep(fd, slave));
	close(fd);
	kill(s->sibling, SIGKILL);
	slave_kill(slave);
}

/*
 * Pid namespaces.
 */
struct nested {
	int (*body)(void *arg);
	void *arg;
	bool own_proc;
};

static int first_in_namespace(void *arg)
{
	struct nested *n = arg;

	if (n->own_proc &&
	    (unshare(CLONE_NEWNS) ||
	     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	     mount("proc", "/proc", "proc", 0, NULL)))
		return 251;
	return n->body(n->arg);
}

static int in_pid_namespace(void *arg)
{
	if (unshare(CLONE_NEWPID))
		return 250;
	return in_child(first_in_namespace, arg);
}

/* Runs @body in a child that is process 1 of a new pid namespace. */
static int nested(int (*body)(void *), void *arg, bool own_proc)
{
	struct nested n = { body, arg, own_proc };

	return in_child(in_pid_namespace, &n);
}

static int pair_inside(void *unused)
{
	struct attempt a = {
		.slave = subject_start((struct subject){ 0 }),
	};
	int ret = try_pair(&a);

	/* A pid of the outer namespace would be larger. */
	return ret ?: a.slave > 100;
}

TEST_F(access, pairing_inside_a_pid_namespace)
{
	EXPECT_EQ(0, nested(pair_inside, NULL, true));
}

/* Tries a pid of the outer namespace, *@arg, as the slave's. */
static int name_outside(void *arg)
{
	struct attempt a = { .slave = *(pid_t *)arg, .proof = -1 };

	return try_pair(&a);
}

/* Tries such a pid with that process's proof from the outer namespace's /proc. */
static int name_outside_with_proof(void *arg)
{
	pid_t outside = *(pid_t *)arg;
	struct attempt a = {
		.slave = outside,
		.proof = proof_open(outside),
	};

	return a.proof < 0 ? 252 : try_pair(&a);
}

/* Tries its own child with the proof of a process of the outer namespace. */
static int name_inside_with_proof_of_outside(void *arg)
{
	struct attempt a = {
		.slave = subject_start((struct subject){ 0 }),
		.proof = proof_open(*(pid_t *)arg),
	};

	return a.proof < 0 ? 252 : try_pair(&a);
}

TEST_F(access, nobody_outside_has_a_name_in_a_pid_namespace)
{
	pid_t slave = subject_start((struct subject){ 0 });

	EXPECT_EQ(ESRCH, nested(name_outside, &slave, true));
	EXPECT_EQ(ESRCH, nested(name_outside_with_proof, &slave, false));
	EXPECT_EQ(EPERM, nested(name_inside_with_proof_of_outside, &slave,
				false));
	slave_kill(slave);
}

/* Starts a child in a new pid namespace, and stores its pid in the outer one. */
static int start_inside(void *arg)
{
	volatile pid_t *outer = arg;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return 250;
	pid = subject_start((struct subject){ .uid = USER });
	*outer = pid;
	return body_sleep(NULL);
}

TEST_F(access, pairing_from_outside_by_the_outer_number)
{
	volatile pid_t *outer = shared_memory(sizeof(*outer));
	pid_t parent = slave_start(start_inside, (void *)outer);

	ASSERT_TRUE(eventually(*outer > 0));
	EXPECT_EQ(0, attempt((struct attempt){ .slave = *outer }));
	EXPECT_EQ(0, attempt((struct attempt){ USER, *outer }));
	kill(*outer, SIGKILL);
	slave_kill(parent);
}

/*
 * User namespaces: root of a user namespace has no capabilities outside of it.
 */
static bool be_root_inside(void)
{
	if (!become(USER) || unshare(CLONE_NEWUSER))
		return false;
	return !prctl(PR_SET_DUMPABLE, 1) && !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int try_from_user_namespace(void *arg)
{
	return be_root_inside() ? try_pair(arg) : 249;
}

TEST_F(access, root_of_a_user_namespace)
{
	pid_t roots = subject_start((struct subject){ 0 });
	pid_t users = subject_start((struct subject){ .uid = USER });
	struct attempt a = { .slave = roots };
	int ret = in_child(try_from_user_namespace, &a);

	if (ret == 249)
		SKIP(return, "users may not make user namespaces");
	EXPECT_EQ(EPERM, ret);
	/*
	 * Even the same user's processes outside are out of reach: entering the
	 * namespace changed the master's credentials. Without it, the pairing works.
	 */
	a.slave = users;
	EXPECT_EQ(0, attempt((struct attempt){ USER, users }));
	EXPECT_EQ(EPERM, in_child(try_from_user_namespace, &a));
	slave_kill(roots);
	slave_kill(users);
}

static int pair_in_user_namespace(void *unused)
{
	struct attempt a;

	if (!be_root_inside())
		return 249;
	a = (struct attempt){ .slave = subject_start((struct subject){ 0 }) };
	return try_pair(&a);
}

TEST_F(access, inside_a_user_namespace)
{
	int ret = in_child(pair_in_user_namespace, NULL);

	if (ret == 249)
		SKIP(return, "users may not make user namespaces");
	EXPECT_EQ(0, ret);
}

/*
 * An unprivileged container: a process inside can neither see nor name the
 * processes outside, even those of the same user.
 */
static int look_around(void *arg)
{
	struct attempt outside = { .slave = *(pid_t *)arg, .proof = -1 };
	struct attempt own = {
		.slave = subject_start((struct subject){ 0 }),
	};

	if (open("/sys/class/misc/checkpoint/pairs", O_RDONLY) >= 0 ||
	    errno != EACCES)
		return 1;
	if (try_pair(&outside) != ESRCH)
		return 2;
	return try_pair(&own) ? 3 : 0;
}

static int enter_container(void *arg)
{
	return be_root_inside() ? nested(look_around, arg, true) : 249;
}

TEST_F(access, container_of_a_user)
{
	pid_t outside = subject_start((struct subject){ .uid = USER });
	int ret = in_child(enter_container, &outside);

	if (ret == 249 || ret == 250)
		SKIP(return, "users may not make containers");
	EXPECT_EQ(0, ret);
	slave_kill(outside);
}

/*
 * Yama's scope 3 refuses even root, and cannot be lowered until the next boot.
 * Therefore the test runs on demand only.
 */
TEST_F(access, yama_3)
{
	pid_t slave;

	if (self->was.scope < 0 || !getenv("CHECKPOINT_YAMA_3"))
		SKIP(return, "would last: CHECKPOINT_YAMA_3=1 does it");
	slave = subject_start((struct subject){ 0 });
	ASSERT_TRUE(yama_set(3));
	EXPECT_EQ(EPERM, attempt((struct attempt){ .slave = slave }));
	slave_kill(slave);
}

TEST_HARNESS_MAIN
