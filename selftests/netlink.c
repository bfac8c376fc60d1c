// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family, as <linux/checkpoint_netlink.h> promises it.
 */
#include <sched.h>
#include <sys/mount.h>

#include "harness.h"
#include "sock.h"
#include "tracefs.h"
#include "user.h"

#define STRANGER 1000

/* Attributes and bits that the header does not define. */
#define ATTR_UNKNOWN	(CP_NL_A_MAX + 1)
#define EVENT_UNKNOWN	0x80000000U

/* How often a slave, and others, appear in a dump. */
struct count {
	uint32_t slave;
	int times;
	int others;
};

static void count_slave(const struct message *msg, void *arg)
{
	struct count *count = arg;

	if (u32_of(msg, CP_NL_A_SLAVE) == count->slave)
		count->times++;
	else
		count->others++;
}

/* A pair of two processes that belong to a user. */
struct party {
	pid_t master;
	pid_t slave;
};

static void be_user(uid_t uid)
{
	if (uid && (setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		_exit(1);
	/* After a change of user, a process is undumpable: /proc/PID is root's. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Shared by all processes of a test: the last pair has been made. */
static volatile bool *paired;

static void run_master(int fd, int report, int (*body)(void *), bool take)
{
	struct cp_get get = { .deadline = CP_FOREVER };
	pid_t slave = slave_start(body, NULL);
	int ret = prep(fd, slave);

	if (ret)
		slave = ret;
	*paired = !ret;
	if (write(report, &slave, sizeof(slave)) != sizeof(slave) || ret)
		_exit(1);
	while (take && ioctl(fd, CP_IOC_GET, &get) == 1)
		;
	/* The pair lasts until the test kills this process. */
	for (;;)
		pause();
}

/* Starts both processes of a pair; returns 0 or -errno. @take: take checkpoints. */
static int start(struct party *party, uid_t uid, int (*body)(void *), bool take)
{
	int ends[2], fd = device_open();

	if (fd < 0 || pipe2(ends, O_CLOEXEC))
		return -errno;
	party->master = fork_mortal();
	if (party->master == 0) {
		be_user(uid);
		run_master(fd, ends[1], body, take);
	}
	close(fd);
	close(ends[1]);
	if (read(ends[0], &party->slave, sizeof(party->slave)) !=
	    sizeof(party->slave))
		party->slave = -EPIPE;
	close(ends[0]);
	return party->slave < 0 ? party->slave : 0;
}

static void stop(struct party *party)
{
	slave_kill(party->master);
}

static int body_exit_7(void *unused)
{
	int calls = 5;

	while (!*paired)
		sleep_ms(1);
	/* Several system calls: at the second, the first has been taken. */
	while (calls--)
		sleep_ms(0);
	return 7;
}

FIXTURE(netlink) {
	struct sock sock;
	struct party party;
};

FIXTURE_SETUP(netlink)
{
	paired = mmap(NULL, sizeof(*paired), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, paired);
	ASSERT_EQ(0, sock_open(&self->sock));
}

FIXTURE_TEARDOWN(netlink)
{
	close(self->sock.fd);
}

TEST_F(netlink, query_gives_all_of_a_pair)
{
	struct message msg;

	ASSERT_EQ(0, start(&self->party, 0, body_syscalls, true));
	ASSERT_TRUE(eventually(!query(&self->sock, self->party.slave, &msg) &&
			       u64_of(&msg, CP_NL_A_TAKEN) > 10));
	EXPECT_EQ(CP_NL_CMD_PAIR_GET, msg.cmd);
	EXPECT_EQ((uint32_t)self->party.slave, u32_of(&msg, CP_NL_A_SLAVE));
	EXPECT_EQ((uint32_t)self->party.master, u32_of(&msg, CP_NL_A_MASTER));
	EXPECT_STREQ("netlink", attr_data(msg.attrs[CP_NL_A_SLAVE_COMM]));
	EXPECT_STREQ("netlink", attr_data(msg.attrs[CP_NL_A_MASTER_COMM]));
	EXPECT_EQ(0, u32_of(&msg, CP_NL_A_UID));
	EXPECT_GT(CP_NL_STATE_OVER, u32_of(&msg, CP_NL_A_STATE));
	EXPECT_EQ(CP_END_NONE, u32_of(&msg, CP_NL_A_REASON));
	EXPECT_GT(now_ns(), u64_of(&msg, CP_NL_A_MADE));
	EXPECT_LT(0, u64_of(&msg, CP_NL_A_MADE));
	EXPECT_EQ(0, u64_of(&msg, CP_NL_A_MISSED));
	EXPECT_LT(0, u64_of(&msg, CP_NL_A_BYTES));
	EXPECT_LE(u64_of(&msg, CP_NL_A_HELD_MAX), u64_of(&msg, CP_NL_A_HELD));
	EXPECT_LT(0, u64_of(&msg, CP_NL_A_HELD_MAX));
	EXPECT_EQ(NLA_HDRLEN + CP_NL_HELD_BUCKETS * 8,
		  msg.attrs[CP_NL_A_HELD_HISTOGRAM]->nla_len);
	EXPECT_EQ(SYS_getppid, u32_of(&msg, CP_NL_A_LAST_SYSCALL));
	EXPECT_EQ(0, u32_of(&msg, CP_NL_A_FLAGS));
	stop(&self->party);
}

TEST_F(netlink, histogram_counts_each_hold_up)
{
	uint64_t buckets[CP_NL_HELD_BUCKETS], sum = 0;
	struct message msg;
	int i;

	ASSERT_EQ(0, start(&self->party, 0, body_syscalls, true));
	ASSERT_TRUE(eventually(!query(&self->sock, self->party.slave, &msg) &&
			       u64_of(&msg, CP_NL_A_TAKEN) > 10));
	memcpy(buckets, attr_data(msg.attrs[CP_NL_A_HELD_HISTOGRAM]),
	       sizeof(buckets));
	for (i = 0; i < CP_NL_HELD_BUCKETS; i++)
		sum += buckets[i];
	/* CP_NL_A_TAKEN counts a checkpoint before the histogram does. */
	EXPECT_LE(u64_of(&msg, CP_NL_A_TAKEN), sum + 1);
	stop(&self->party);
}

TEST_F(netlink, unknown_slave_is_refused_in_words)
{
	struct request req = { .attr = CP_NL_A_SLAVE, .value = getpid() };
	struct message msg;

	EXPECT_EQ(-ENOENT, ask_with(&self->sock, CP_NL_CMD_PAIR_GET, req,
				    &msg));
	EXPECT_NE(NULL, strstr(msg.words, "slave"));
	EXPECT_EQ(-ENOENT, ask_with(&self->sock, CP_NL_CMD_PAIR_END, req,
				    &msg));
	EXPECT_NE(NULL, strstr(msg.words, "slave"));
	req.value = 0x7fffffff;
	EXPECT_EQ(-ENOENT, ask_with(&self->sock, CP_NL_CMD_PAIR_GET, req,
				    &msg));
	req.value = 0xffffffff;
	EXPECT_EQ(-ENOENT, ask_with(&self->sock, CP_NL_CMD_PAIR_GET, req,
				    &msg));
}

TEST_F(netlink, malformed_requests_are_refused)
{
	static const struct {
		int cmd;
		struct request req;
		int error;
	} cases[] = {
		{ CP_NL_CMD_PAIR_GET, {}, -EINVAL },
		{ CP_NL_CMD_PAIR_END, {}, -EINVAL },
		{ CP_NL_CMD_SUBSCRIBE, {}, -EINVAL },
		{ CP_NL_CMD_PAIR_GET, { .attr = ATTR_UNKNOWN }, -EINVAL },
		{ CP_NL_CMD_SUBSCRIBE, { .attr = CP_NL_A_SLAVE, .value = 1 },
		  -EINVAL },
		{ CP_NL_CMD_PAIR_GET, { .attr = CP_NL_A_MASTER, .value = 1 },
		  -EINVAL },
		{ CP_NL_CMD_PAIR_GET,
		  { .attr = CP_NL_A_SLAVE, .value = 1, .size = 2 }, -EINVAL },
		{ CP_NL_CMD_PAIR_GET,
		  { .attr = CP_NL_A_SLAVE, .value = 1, .size = 8 }, -EINVAL },
		{ CP_NL_CMD_PAIR_GET, { .attr = CP_NL_A_SLAVE }, -ERANGE },
		{ CP_NL_CMD_SUBSCRIBE,
		  { .attr = CP_NL_A_EVENTS, .value = EVENT_UNKNOWN }, -EINVAL },
		{ CP_NL_CMD_PAIR_GET,
		  { .attr = CP_NL_A_SLAVE, .value = 1, .reserved = 1 },
		  -EINVAL },
		{ CP_NL_CMD_PAIR_GET,
		  { .attr = CP_NL_A_SLAVE, .value = 1, .flags = 0x8000 },
		  -EINVAL },
		{ CP_NL_CMD_PAIR_GET,
		  { .attr = CP_NL_A_SLAVE, .value = 1, .flags = NLM_F_DUMP },
		  -EINVAL },
		{ CP_NL_CMD_MAX + 1, {}, -EOPNOTSUPP },
		{ CP_NL_CMD_PAIR_MADE, {}, -EOPNOTSUPP },
	};
	struct message msg;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		EXPECT_EQ(cases[i].error,
			  ask_with(&self->sock, cases[i].cmd, cases[i].req,
				   &msg))
			TH_LOG("case %zu: %s", i, msg.words);
}

TEST_F(netlink, end_ends_a_pair)
{
	struct message msg;

	ASSERT_EQ(0, start(&self->party, 0, body_syscalls, false));
	EXPECT_EQ(0, ask(&self->sock, CP_NL_CMD_PAIR_END, CP_NL_A_SLAVE,
			 self->party.slave));
	EXPECT_EQ(-ENOENT, query(&self->sock, self->party.slave, &msg));
	EXPECT_EQ(-ENOENT, ask(&self->sock, CP_NL_CMD_PAIR_END, CP_NL_A_SLAVE,
			       self->party.slave));
	stop(&self->party);
}

/* A user who asks for root's pair, and for a pair of their own. */
struct stranger {
	pid_t roots;
	struct party own;
};

static int look_as_stranger(void *arg)
{
	struct stranger *them = arg;
	struct count count = { .slave = them->own.slave };
	struct message msg;
	struct sock sock;

	be_user(STRANGER);
	if (sock_open(&sock) || dump(&sock, count_slave, &count))
		return 1;
	if (count.times != 1 || count.others)
		return 2;
	if (query(&sock, them->roots, &msg) != -ENOENT ||
	    query(&sock, them->own.slave, &msg))
		return 3;
	if (u32_of(&msg, CP_NL_A_UID) != STRANGER)
		return 4;
	if (ask(&sock, CP_NL_CMD_PAIR_END, CP_NL_A_SLAVE, them->roots) !=
	    -ENOENT)
		return 5;
	return ask(&sock, CP_NL_CMD_PAIR_END, CP_NL_A_SLAVE,
		   them->own.slave) ? 6 : 0;
}

TEST_F(netlink, user_sees_and_ends_own_pairs_only)
{
	struct stranger them = {};
	struct message msg;

	ASSERT_EQ(0, start(&self->party, 0, body_sleep, false));
	ASSERT_EQ(0, start(&them.own, STRANGER, body_sleep, false));
	them.roots = self->party.slave;
	EXPECT_EQ(0, query(&self->sock, them.own.slave, &msg));
	EXPECT_EQ(0, in_child(look_as_stranger, &them));
	EXPECT_EQ(0, query(&self->sock, them.roots, &msg));
	EXPECT_EQ(-ENOENT, query(&self->sock, them.own.slave, &msg));
	stop(&them.own);
	stop(&self->party);
}

/* Subscribes as the user, and receives events of the user's pair only. */
static int hear_own_pair(struct sock *sock, const struct stranger *them)
{
	struct message msg;

	be_user(STRANGER);
	if (subscribe(sock, CP_NL_EVENT_PAIRS | CP_NL_EVENT_CHECKPOINTS))
		return 1;
	/* No events of root's busy pair; the user's own slave sleeps. */
	if (next(sock, &msg, 500) != -EAGAIN)
		return 2;
	kill(them->own.slave, SIGKILL);
	if (next(sock, &msg, 5000) || msg.cmd != CP_NL_CMD_PAIR_ENDED)
		return 3;
	if (u32_of(&msg, CP_NL_A_SLAVE) != (uint32_t)them->own.slave)
		return 4;
	return next(sock, &msg, 0) == -EAGAIN ? 0 : 5;
}

static int listen_as_stranger(void *arg)
{
	struct sock sock;

	be_user(STRANGER);
	return sock_open(&sock) ? 6 : hear_own_pair(&sock, arg);
}

static int listen_as_root_before(void *arg)
{
	struct message msg;
	struct sock sock;

	if (sock_open(&sock) || subscribe(&sock, CP_NL_EVENT_CHECKPOINTS))
		return 6;
	if (next(&sock, &msg, 5000) || msg.cmd != CP_NL_CMD_CHECKPOINT)
		return 7;
	return hear_own_pair(&sock, arg);
}

FIXTURE(stranger) {
	struct party roots;
	struct stranger them;
};

FIXTURE_SETUP(stranger)
{
	paired = shared_memory(sizeof(*paired));
	ASSERT_EQ(0, start(&self->roots, 0, body_syscalls, true));
	ASSERT_EQ(0, start(&self->them.own, STRANGER, body_sleep, false));
}

FIXTURE_TEARDOWN(stranger)
{
	stop(&self->them.own);
	stop(&self->roots);
}

TEST_F(stranger, user_hears_of_own_pairs_only)
{
	EXPECT_EQ(0, in_child(listen_as_stranger, &self->them));
}

TEST_F(stranger, socket_hears_what_its_last_subscriber_may)
{
	EXPECT_EQ(0, in_child(listen_as_root_before, &self->them));
}

/* The number of captures in the trace that are late: with interrupts off. */
static int late_captures(void)
{
	FILE *f = fopen(TRACEFS "trace", "re");
	char line[512], *flags;
	int late = 0;

	while (f && fgets(line, sizeof(line), f)) {
		flags = strstr(line, "] ");
		late += flags && flags[2] == 'd' && strstr(line, "capture:");
	}
	if (f)
		fclose(f);
	return late;
}

/* Does the slave capture late, the cheap way, from now on? */
static bool goes_late(void)
{
	return tracefs_write("trace", "\n") && eventually(late_captures() > 10);
}

/* A listener that has no access to the pair and never reads its socket. */
struct deaf {
	uid_t uid;
	bool inside;	/* a pid namespace in which the slave has no pid */
	volatile bool subscribed;
	volatile bool failed;
};

static int listen_deaf(void *arg)
{
	struct deaf *deaf = arg;
	struct sock sock;

	if (deaf->uid)
		be_user(deaf->uid);
	deaf->failed = sock_open(&sock) ||
		       subscribe(&sock, CP_NL_EVENT_PAIRS |
				 CP_NL_EVENT_CHECKPOINTS);
	deaf->subscribed = true;
	return body_sleep(NULL);
}

static int start_deaf(void *arg)
{
	struct deaf *deaf = arg;

	if (deaf->inside && unshare(CLONE_NEWPID)) {
		deaf->failed = true;
		deaf->subscribed = true;
		return 1;
	}
	slave_start(listen_deaf, deaf);
	return body_sleep(NULL);
}

FIXTURE(bystander)
{
	struct master m;
	struct deaf *deaf;
	pid_t pid;
};

FIXTURE_VARIANT(bystander)
{
	uid_t uid;
	bool inside;
};

FIXTURE_VARIANT_ADD(bystander, another_user) { .uid = STRANGER };
FIXTURE_VARIANT_ADD(bystander, in_another_pid_namespace) { .inside = true };

FIXTURE_SETUP(bystander)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 16,
		.stack_limit = 4096,
	};

	self->deaf = shared_memory(sizeof(*self->deaf));
	self->deaf->uid = variant->uid;
	self->deaf->inside = variant->inside;
	arg.pid = slave_start(body_syscalls, NULL);
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	ASSERT_TRUE(tracefs_write("tracing_on", "1"));
	ASSERT_TRUE(tracefs_write("events/checkpoint/capture/enable", "1"));
}

FIXTURE_TEARDOWN(bystander)
{
	tracefs_write("events/checkpoint/capture/enable", "0");
	tracefs_write("trace", "\n");
	slave_kill(self->pid);
	slave_kill(self->m.slave);
	master_close(&self->m);
}

/* Whether the listener subscribes after the pair was made, or before. */
TEST_F(bystander, is_paid_for_by_nobody)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 16,
		.stack_limit = 4096,
		.pid = self->m.slave,
	};

	ASSERT_TRUE(goes_late());
	self->pid = slave_start(start_deaf, self->deaf);
	ASSERT_TRUE(eventually(self->deaf->subscribed));
	ASSERT_FALSE(self->deaf->failed);
	EXPECT_TRUE(goes_late());
	master_close(&self->m);
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	EXPECT_TRUE(goes_late());
}

/* A listener with access does make captures early: the test above can fail. */
TEST_F(bystander, is_not_one_who_may_see_the_pair)
{
	struct message msg;
	struct sock sock;

	ASSERT_TRUE(goes_late());
	ASSERT_EQ(0, sock_open(&sock));
	ASSERT_EQ(0, subscribe(&sock, CP_NL_EVENT_CHECKPOINTS));
	ASSERT_EQ(0, next(&sock, &msg, 5000));
	ASSERT_TRUE(tracefs_write("trace", "\n"));
	sleep_ms(300);
	EXPECT_EQ(0, late_captures());
	/* Captures become late again once the socket is closed. */
	close(sock.fd);
	EXPECT_TRUE(goes_late());
}

/*
 * The kernel frees a port id before it notifies the module that its socket was
 * closed. Another user takes the port id in that time, repeatedly.
 */
#define PORT_ID	424242
#define CLOSES	1000

struct thief {
	volatile uint64_t bound;
	volatile uint64_t stolen;
};

static int open_at_port(int flags)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_pid = PORT_ID };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags,
			NETLINK_GENERIC);

	while (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		sched_yield();
	return fd;
}

static int steal(void *arg)
{
	struct thief *thief = arg;
	char buf[2048];
	int i, fd;

	be_user(STRANGER);
	for (;;) {
		fd = open_at_port(SOCK_NONBLOCK);
		thief->bound++;
		for (i = 0; i < 30; i++)
			thief->stolen += recv(fd, buf, sizeof(buf), 0) > 0;
		close(fd);
	}
	return 0;
}

TEST_F(netlink, port_id_that_changes_hands_brings_nobody_events)
{
	struct thief *thief = shared_memory(sizeof(*thief));
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 16,
		.stack_limit = 4096,
	};
	struct sock sock = self->sock;
	struct master m;
	pid_t pid;
	int i, ret;

	arg.pid = slave_start(body_syscalls, NULL);
	ASSERT_EQ(0, master_prep(&m, &arg));
	pid = slave_start(steal, thief);
	for (i = 0; i < CLOSES; i++) {
		sock.fd = open_at_port(0);
		sock.at = 0;
		sock.len = 0;
		ret = subscribe(&sock, CP_NL_EVENT_CHECKPOINTS);
		/* Events may fill the socket before the answer is read. */
		ASSERT_TRUE(!ret || ret == -ENOBUFS) TH_LOG("%d", ret);
		close(sock.fd);
	}
	EXPECT_LT(0, thief->bound);
	EXPECT_EQ(0, thief->stolen);
	slave_kill(pid);
	slave_kill(m.slave);
	master_close(&m);
}

static int listen_too_often(void *unused)
{
	struct sock socks[CP_NL_LISTENERS_PER_USER + 1];
	int i;

	be_user(STRANGER);
	for (i = 0; i < CP_NL_LISTENERS_PER_USER; i++)
		if (sock_open(&socks[i]) ||
		    subscribe(&socks[i], CP_NL_EVENT_CHECKPOINTS))
			return 1;
	/* A listener may change its events at any time. */
	if (subscribe(&socks[0], CP_NL_EVENT_PAIRS) || sock_open(&socks[i]) ||
	    subscribe(&socks[i], CP_NL_EVENT_PAIRS) != -EUSERS)
		return 2;
	close(socks[0].fd);
	return subscribe(&socks[i], CP_NL_EVENT_PAIRS) ? 3 : 0;
}

TEST_F(netlink, user_has_a_limited_number_of_listeners)
{
	struct sock socks[2 * CP_NL_LISTENERS_PER_USER];
	int i;

	EXPECT_EQ(0, in_child(listen_too_often, NULL));
	/* Root is not limited. */
	for (i = 0; i < 2 * CP_NL_LISTENERS_PER_USER; i++) {
		ASSERT_EQ(0, sock_open(&socks[i]));
		ASSERT_EQ(0, subscribe(&socks[i], CP_NL_EVENT_PAIRS));
	}
	while (i--)
		close(socks[i].fd);
}

/* A process with many uids in a user namespace of its own. */
struct many {
	volatile bool unshared;
	volatile bool mapped;
	volatile bool done;
	int ret;
};

static int listen_under_two_names(void)
{
	struct sock socks[CP_NL_LISTENERS_PER_USER + 1];
	int i, ret = 0;

	for (i = 0; i <= CP_NL_LISTENERS_PER_USER && !ret; i++) {
		if (setreuid(i == CP_NL_LISTENERS_PER_USER ? 2 : 1, -1) ||
		    sock_open(&socks[i]))
			return -EIO;
		ret = subscribe(&socks[i], CP_NL_EVENT_PAIRS);
	}
	return i > CP_NL_LISTENERS_PER_USER ? ret : -EIO;
}

static int body_many(void *arg)
{
	struct many *many = arg;

	if (!become(USER) || unshare(CLONE_NEWUSER)) {
		many->done = true;
		return 1;
	}
	prctl(PR_SET_DUMPABLE, 1);
	many->unshared = true;
	many->ret = eventually(many->mapped) ? listen_under_two_names() :
					       -EIO;
	many->done = true;
	return 0;
}

TEST_F(netlink, user_has_no_more_listeners_under_other_names)
{
	struct many *many = shared_memory(sizeof(*many));
	pid_t pid = slave_start(body_many, many);

	ASSERT_TRUE(eventually(many->unshared || many->done));
	if (!many->unshared)
		SKIP(return, "users may not make user namespaces");
	many->mapped = map_users(pid);
	ASSERT_TRUE(eventually(many->done));
	EXPECT_EQ(-EUSERS, many->ret);
	slave_kill(pid);
}

/* Process 1 of a container, with a pair in it. */
static int look_from_container(void *unused)
{
	struct party inner;
	struct count count = {};
	struct sock sock;
	struct message msg;

	if (mount("proc", "/proc", "proc", 0, NULL))
		return 1;
	if (sock_open(&sock) ||
	    subscribe(&sock, CP_NL_EVENT_PAIRS) ||
	    start(&inner, 0, body_sleep, false))
		return 2;
	if (next(&sock, &msg, 5000) || msg.cmd != CP_NL_CMD_PAIR_MADE ||
	    u32_of(&msg, CP_NL_A_SLAVE) != (uint32_t)inner.slave)
		return 7;
	count.slave = inner.slave;
	if (dump(&sock, count_slave, &count))
		return 3;
	/* The dump does not show the pair outside. */
	if (count.times != 1 || count.others)
		return 4;
	if (query(&sock, inner.slave, &msg) ||
	    u32_of(&msg, CP_NL_A_MASTER) != (uint32_t)inner.master)
		return 5;
	return inner.slave > 16 ? 6 : 0;
}

static int enter_container(void *unused)
{
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 16;
	return in_child(look_from_container, NULL);
}

TEST_F(netlink, container_sees_its_own_pairs_by_its_own_numbers)
{
	ASSERT_EQ(0, start(&self->party, 0, body_sleep, false));
	EXPECT_EQ(0, in_child(enter_container, NULL));
	stop(&self->party);
}

TEST_F(netlink, events_report_a_pair_made_and_its_slaves_exit)
{
	struct message msg;

	ASSERT_EQ(0, subscribe(&self->sock, CP_NL_EVENT_PAIRS));
	ASSERT_EQ(0, start(&self->party, 0, body_exit_7, true));
	ASSERT_EQ(0, next(&self->sock, &msg, 5000));
	EXPECT_EQ(CP_NL_CMD_PAIR_MADE, msg.cmd);
	EXPECT_EQ((uint32_t)self->party.slave, u32_of(&msg, CP_NL_A_SLAVE));
	EXPECT_EQ((uint32_t)self->party.master, u32_of(&msg, CP_NL_A_MASTER));
	EXPECT_LE(u64_of(&msg, CP_NL_A_MADE), u64_of(&msg, CP_NL_A_TIME));
	ASSERT_EQ(0, next(&self->sock, &msg, 10000));
	EXPECT_EQ(CP_NL_CMD_PAIR_ENDED, msg.cmd);
	EXPECT_EQ((uint32_t)self->party.slave, u32_of(&msg, CP_NL_A_SLAVE));
	EXPECT_EQ(CP_END_EXITED, u32_of(&msg, CP_NL_A_REASON));
	EXPECT_EQ(7 << 8, u32_of(&msg, CP_NL_A_STATUS));
	EXPECT_EQ(CP_NL_STATE_OVER, u32_of(&msg, CP_NL_A_STATE));
	/* The checkpoint caused no event: the socket has not subscribed to them. */
	EXPECT_LT(0, u64_of(&msg, CP_NL_A_TAKEN));
	EXPECT_EQ(-EAGAIN, next(&self->sock, &msg, 0));
	stop(&self->party);
}

TEST_F(netlink, event_of_the_end_has_its_cause)
{
	struct message msg;

	ASSERT_EQ(0, subscribe(&self->sock, CP_NL_EVENT_PAIRS));
	ASSERT_EQ(0, start(&self->party, 0, body_sleep, false));
	ASSERT_EQ(0, next(&self->sock, &msg, 5000));
	kill(self->party.slave, SIGKILL);
	ASSERT_EQ(0, next(&self->sock, &msg, 5000));
	EXPECT_EQ(CP_END_EXITED, u32_of(&msg, CP_NL_A_REASON));
	EXPECT_EQ(SIGKILL, u32_of(&msg, CP_NL_A_STATUS));
	stop(&self->party);

	ASSERT_EQ(0, start(&self->party, 0, body_sleep, false));
	ASSERT_EQ(0, next(&self->sock, &msg, 5000));
	stop(&self->party);
	ASSERT_EQ(0, next(&self->sock, &msg, 5000));
	EXPECT_EQ(CP_NL_CMD_PAIR_ENDED, msg.cmd);
	EXPECT_EQ(CP_END_DETACHED, u32_of(&msg, CP_NL_A_REASON));
}

TEST_F(netlink, checkpoints_are_reported_to_who_asks)
{
	struct message msg;
	uint64_t seq = 0;
	int i;

	ASSERT_EQ(0, subscribe(&self->sock, CP_NL_EVENT_CHECKPOINTS));
	ASSERT_EQ(0, start(&self->party, 0, body_syscalls, true));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, next(&self->sock, &msg, 5000));
		ASSERT_EQ(CP_NL_CMD_CHECKPOINT, msg.cmd);
		EXPECT_EQ(++seq, u64_of(&msg, CP_NL_A_SEQ));
		EXPECT_EQ((uint32_t)self->party.slave,
			  u32_of(&msg, CP_NL_A_SLAVE));
		EXPECT_LT(0, u64_of(&msg, CP_NL_A_TIME));
		EXPECT_LT(0, u64_of(&msg, CP_NL_A_IP));
		EXPECT_LT(0, u64_of(&msg, CP_NL_A_SP));
		EXPECT_EQ(u32_of(&msg, CP_NL_A_ENTRY) == CP_ENTRY_SYSCALL,
			  u32_of(&msg, CP_NL_A_SYSCALL) != UINT32_MAX);
	}
	ASSERT_EQ(0, subscribe(&self->sock, 0));
	/* The answer came after all events, so there are none left. */
	EXPECT_EQ(-EAGAIN, next(&self->sock, &msg, 300));
	stop(&self->party);
}

static uint64_t taken(struct sock *sock, pid_t slave)
{
	struct message msg;

	return query(sock, slave, &msg) ? 0 : u64_of(&msg, CP_NL_A_TAKEN);
}

TEST_F(netlink, deaf_listener_harms_nobody_and_learns_its_loss)
{
	uint64_t seq = 0, lost = 0;
	bool overrun = false;
	struct message msg;
	struct sock deaf;
	int size = 4096, ret;

	ASSERT_EQ(0, sock_open(&deaf));
	ASSERT_EQ(0, setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &size,
				sizeof(size)));
	ASSERT_EQ(0, subscribe(&deaf, CP_NL_EVENT_CHECKPOINTS));
	ASSERT_EQ(0, start(&self->party, 0, body_syscalls, true));
	/* Far more events than the socket's buffer holds. */
	ASSERT_TRUE(eventually(taken(&self->sock, self->party.slave) > 200));
	while (!lost) {
		ret = next(&deaf, &msg, 5000);
		overrun |= ret == -ENOBUFS;
		if (ret == -ENOBUFS)
			continue;
		ASSERT_EQ(0, ret);
		ASSERT_EQ(CP_NL_CMD_CHECKPOINT, msg.cmd);
		lost = u64_of(&msg, CP_NL_A_LOST);
		/* CP_NL_A_LOST accounts for every missing event. */
		EXPECT_EQ(seq + lost + 1, u64_of(&msg, CP_NL_A_SEQ));
		seq = u64_of(&msg, CP_NL_A_SEQ);
	}
	EXPECT_TRUE(overrun);
	EXPECT_LT(100, lost);
	close(deaf.fd);
	stop(&self->party);
}

TEST_F(netlink, closed_sockets_do_no_harm)
{
	struct sock other;
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, sock_open(&other));
		ASSERT_EQ(0, subscribe(&other, CP_NL_EVENT_PAIRS));
		close(other.fd);
	}
	ASSERT_EQ(0, start(&self->party, 0, body_sleep, false));
	stop(&self->party);
}

/*
 * A multicast group would be a number: a socket that joined it before the family
 * was registered would be a member, and members in any network namespace would
 * count as listeners.
 */
TEST_F(netlink, family_has_no_groups)
{
	EXPECT_FALSE(self->sock.has_groups);
}

/* More than one message of a dump can hold. */
#define MANY 300

static struct party many[MANY];
static unsigned char times[1 << 22];

static void count_all(const struct message *msg, void *unused)
{
	times[u32_of(msg, CP_NL_A_SLAVE)]++;
}

/* Makes and ends pairs until it is killed. */
static int churn(void *unused)
{
	for (;;) {
		pid_t slave = slave_start(body_sleep, NULL);
		int fd = device_open();

		prep(fd, slave);
		close(fd);
		slave_kill(slave);
	}
	return 0;
}

TEST_F_TIMEOUT(netlink, many_pairs_are_listed_once_each, 300)
{
	pid_t restless;
	int i, round;

	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, start(&many[i], 0, body_sleep, false));
	restless = slave_start(churn, NULL);
	for (round = 0; round < 10; round++) {
		memset(times, 0, sizeof(times));
		ASSERT_EQ(0, dump(&self->sock, count_all, NULL));
		for (i = 0; i < MANY; i++)
			EXPECT_EQ(1, times[many[i].slave]);
	}
	slave_kill(restless);
	for (i = 0; i < MANY; i++)
		stop(&many[i]);
}

TEST_HARNESS_MAIN
