// SPDX-License-Identifier: GPL-2.0-only
/*
 * The weather: processes that change the conditions of the system while the pairs
 * live. They take CPUs offline, use up memory, try to unload the module, and read
 * sysfs and netlink.
 */
#include <ftw.h>

#include "../sock.h"
#include "cgroup.h"
#include "figures.h"
#include "storm.h"

#define TIGHT_BYTES	"50331648"
#define CPU1		"/sys/devices/system/cpu/cpu1/online"

struct weather {
	uint64_t seed;
};

static void nap_ms(struct dice *dice, unsigned int low, unsigned int high)
{
	sleep_ms(between(dice, low, high));
}

static bool set_online(const char *text)
{
	int fd = open(CPU1, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, 1) == 1;
	close(fd);
	return done;
}

/* Takes CPU 1 offline repeatedly, so that tasks on it have to migrate. */
static void hotplug(struct party *party, void *arg)
{
	struct weather *weather = arg;
	struct dice dice = dice_of(weather->seed, 1001);

	while (!must_stop()) {
		goes_on(party, "takes a CPU offline");
		if (set_online("0"))
			tally(TALLY_ONLINE);
		nap_ms(&dice, 20, 300);
		goes_on(party, "takes a CPU online");
		set_online("1");
		nap_ms(&dice, 100, 1500);
	}
	set_online("1");
}

/* For read_file(), to which nftw() passes no argument. */
static struct party *hog_party;

static int read_file(const char *path, const struct stat *stat, int type,
		     struct FTW *where)
{
	static char buf[65536];
	int fd;

	goes_on(hog_party, "reads");
	if (type != FTW_F)
		return must_stop();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0 && !must_stop())
		sleep_ms(3);
	if (fd >= 0)
		close(fd);
	return must_stop();
}

/*
 * Fills the tight cgroup with page cache, which can be reclaimed. Slaves that join
 * the group find no free memory, but the OOM killer never has to kill them.
 */
static void hog(struct party *party, void *unused)
{
	hog_party = party;
	if (!cgroup_make(CGROUP_TIGHT) ||
	    !cgroup_write(".", "cgroup.subtree_control", "+memory") ||
	    !cgroup_write(CGROUP_TIGHT, "memory.max", TIGHT_BYTES) ||
	    !cgroup_join(CGROUP_TIGHT, getpid()))
		return;
	while (!must_stop())
		nftw("/lib/modules", read_file, 16, FTW_PHYS);
}

/* Leaves a pair that is over, with a sleeping slave: its task work is still queued. */
static pid_t leave_sleeper(void)
{
	pid_t slave = slave_start(body_sleep, NULL);
	int fd = device_open();

	/* A slave on its way to pause(2) would run its task work at once. */
	while (task_syscall(slave) != SYS_pause)
		sleep_ms(1);
	tally(TALLY_PREPS_TRIED);
	if (!prep(fd, slave))
		tally(TALLY_PREPS);
	close(fd);
	return slave;
}

/* The module must not be unloaded while a pair, or queued task work, needs it. */
static void unload(struct party *party, void *arg)
{
	struct weather *weather = arg;
	struct dice dice = dice_of(weather->seed, 1002);
	int tries;

	while (!must_stop()) {
		pid_t slave = leave_sleeper();

		for (tries = 0; tries < 10 && !must_stop(); tries++) {
			goes_on(party, "tries to unload the module");
			if (!syscall(SYS_delete_module, "checkpoint",
				     O_NONBLOCK))
				complain("the module was unloaded");
			else if (errno != EAGAIN && errno != EBUSY)
				complain("rmmod: %s", strerror(errno));
			tally(TALLY_RMMOD);
			nap_ms(&dice, 5, 100);
		}
		slave_kill(slave);
	}
}

static int read_figure(const char *path, const struct stat *stat, int type,
		       struct FTW *where)
{
	char text[256];
	int fd, ret;

	if (type != FTW_F)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ret = read(fd, text, sizeof(text));
	/* ENODEV: the pair has ended since nftw() listed it. */
	if (ret < 0 && errno != ENODEV)
		complain("%s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

/* Reads all files in sysfs, and checks whether the figures are plausible. */
static void look(struct party *party, void *arg)
{
	struct weather *weather = arg;
	struct dice dice = dice_of(weather->seed, 1003);
	long long made = 0, live, now;

	while (!must_stop()) {
		goes_on(party, "looks into /sys");
		live = figure("pairs_live");
		if (live < 0 || live > NR_LANES + 1)
			complain("pairs_live: %lld", live);
		now = figure("pairs_made");
		if (now < made)
			complain("pairs_made: %lld after %lld", now, made);
		made = now;
		nftw("/sys/class/misc/checkpoint/pairs", read_figure, 8,
		     FTW_PHYS);
		tally(TALLY_SYSFS);
		nap_ms(&dice, 0, 20);
	}
}

/* A live pair that a listener knows, identified by slave and time. */
struct known {
	uint32_t slave;
	uint64_t made;
};

struct listener {
	struct sock sock;
	struct known known[256];
	uint64_t since;		/* knows all pairs that were made after this */
};

static struct known *find_known(struct listener *listener, uint32_t slave,
				uint64_t made)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(listener->known); i++)
		if (listener->known[i].slave == slave &&
		    listener->known[i].made == made)
			return &listener->known[i];
	return NULL;
}

/* Events were lost, so the known pairs may be out of date. */
static void forget_all(struct listener *listener)
{
	memset(listener->known, 0, sizeof(listener->known));
	listener->since = now_ns();
}

static void hear_made(struct listener *listener, uint32_t slave, uint64_t made)
{
	struct known *known = find_known(listener, 0, 0);

	if (find_known(listener, slave, made))
		complain("PAIR_MADE twice for one pair");
	if (!known) {
		forget_all(listener);
		return;
	}
	known->slave = slave;
	known->made = made;
}

static void hear_ended(struct listener *listener, uint32_t slave, uint64_t made)
{
	struct known *known = find_known(listener, slave, made);

	if (known)
		memset(known, 0, sizeof(*known));
	else if (made > listener->since)
		complain("PAIR_ENDED without a PAIR_MADE");
}

static void hear(struct listener *listener, const struct message *msg)
{
	uint32_t slave = u32_of(msg, CP_NL_A_SLAVE);
	uint64_t made = u64_of(msg, CP_NL_A_MADE);

	tally(TALLY_EVENTS);
	if (u64_of(msg, CP_NL_A_LOST))
		forget_all(listener);
	if (msg->cmd == CP_NL_CMD_PAIR_MADE)
		hear_made(listener, slave, made);
	else if (msg->cmd == CP_NL_CMD_PAIR_ENDED)
		hear_ended(listener, slave, made);
}

static void listen_to(struct party *party, uint32_t events)
{
	struct listener listener = { .since = 0 };
	struct message msg;
	int ret;

	if (sock_open(&listener.sock) || subscribe(&listener.sock, events))
		exit(1);
	forget_all(&listener);
	while (!must_stop()) {
		goes_on(party, "listens");
		ret = next(&listener.sock, &msg, 100);
		if (!ret)
			hear(&listener, &msg);
		else if (ret == -ENOBUFS)
			forget_all(&listener);
		else if (ret != -EAGAIN)
			complain("listening: %s", strerror(-ret));
	}
}

static void listen_to_pairs(struct party *party, void *unused)
{
	listen_to(party, CP_NL_EVENT_PAIRS);
}

/* A listener that naps, and so receives far more events than it can read. */
static void listen_to_all(struct party *party, void *arg)
{
	struct weather *weather = arg;
	struct dice dice = dice_of(weather->seed, 1004);
	struct sock sock;
	struct message msg;

	while (!must_stop()) {
		goes_on(party, "begins to listen to all");
		if (sock_open(&sock) ||
		    subscribe(&sock, CP_NL_EVENT_PAIRS |
				     CP_NL_EVENT_CHECKPOINTS))
			exit(1);
		while (!once_in(&dice, 20) && !must_stop()) {
			next(&sock, &msg, 10);
			nap_ms(&dice, 0, 20);
		}
		close(sock.fd);
		nap_ms(&dice, 0, 500);
	}
}

static void count_pair(const struct message *msg, void *pairs)
{
	++*(int *)pairs;
}

static void dump_pairs(struct party *party, void *arg)
{
	struct weather *weather = arg;
	struct dice dice = dice_of(weather->seed, 1005);
	struct sock sock;

	if (sock_open(&sock))
		exit(1);
	while (!must_stop()) {
		int pairs = 0, ret;

		goes_on(party, "dumps");
		ret = dump(&sock, count_pair, &pairs);
		if (ret || pairs > NR_LANES + 1)
			complain("a dump of %d pairs: %s", pairs,
				 strerror(-ret));
		tally(TALLY_DUMPS);
		nap_ms(&dice, 0, 50);
	}
}

void weather_begin(uint64_t seed)
{
	static struct weather weather;

	weather.seed = seed;
	watch_start("hotplug", hotplug, &weather);
	watch_start("hog", hog, &weather);
	watch_start("rmmod", unload, &weather);
	watch_start("looker", look, &weather);
	watch_start("listener", listen_to_pairs, &weather);
	watch_start("listener-all", listen_to_all, &weather);
	watch_start("dumper", dump_pairs, &weather);
}
