// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kills: both sides of thousands of pairs end in random ways at random moments. No
 * process may hang, and no memory may be lost.
 *
 * CHECKPOINT_SEED=N repeats the random choices of a run, though not its timing.
 * CHECKPOINT_PAIRS=N sets the number of pairs.
 */
#include "harness.h"
#include "stress/dice.h"

#include <pthread.h>
#include <sys/time.h>

#define WORKERS		4	/* pairs at the same time */
#define DEADLINE	100	/* seconds for all of them */

static struct dice dice;

/* A random number below @sides. */
static unsigned int any(unsigned int sides)
{
	return roll(&dice, sides);
}

static void sleep_us(unsigned int us)
{
	struct timespec ts = { 0, us * 1000L };

	nanosleep(&ts, NULL);
}

/* Bodies of slaves. */
static int run_naps(void *unused)
{
	for (;;)
		sleep_us(100);
	return 0;
}

static void on_signal(int sig)
{
}

static int run_signals(void *unused)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } };

	signal(SIGALRM, on_signal);
	setitimer(ITIMER_REAL, &often, NULL);
	return body_syscalls(NULL);
}

static void *run_thread(void *unused)
{
	body_syscalls(NULL);
	return NULL;
}

static int run_threads(void *unused)
{
	pthread_t thread;

	pthread_create(&thread, NULL, run_thread, NULL);
	pthread_create(&thread, NULL, run_thread, NULL);
	return body_syscalls(NULL);
}

static int run_children(void *unused)
{
	for (;;) {
		pid_t pid = fork_mortal();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return 0;
}

static int run_faults(void *unused)
{
	for (;;) {
		char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*page = 1;
		munmap(page, 4096);
	}
	return 0;
}

static void *exit_soon(void *us)
{
	sleep_us((long)us);
	_exit(0);
}

/* Exits from another thread, at any point of the slave's system calls. */
static int run_to_exit(void *unused)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exit_soon, (void *)(long)any(3000));
	return body_syscalls(NULL);
}

static int run_to_exec(void *unused)
{
	sleep_us(any(1000));
	execl("/proc/self/exe", "exec-ed", NULL);
	return 1;
}

static void __attribute__((constructor)) exec_ed(int argc, char **argv)
{
	if (argc && !strcmp(argv[0], "exec-ed"))
		body_sleep(NULL);
}

static int (*const slaves[])(void *) = {
	body_syscalls, body_spin, body_sleep, run_naps, run_signals,
	run_threads, run_children, run_faults, run_to_exit, run_to_exec,
};

/* Takes checkpoints until the end; also the body of a master's second thread. */
static void *take_all(void *arg)
{
	struct master *m = arg;
	struct master own = *m;

	while (master_get(&own) == 1)
		;
	return NULL;
}

static void take_some(struct master *m, uint32_t flags)
{
	int i, count = any(30);

	for (i = 0; i < count; i++)
		if (!master_get_until(m, now_ns() + any(1000000), flags))
			return;
}

/* Makes a pair of a random kind, with or without CP_PREP_DEATH. */
static int any_pair(struct master *m, pid_t slave)
{
	struct cp_prep arg = {
		.pid = slave,
		.flags = any(2) ? CP_PREP_DEATH : 0,
	};

	if (any(3) == 0)
		arg.flags |= CP_PREP_OVERWRITE;
	if (any(4) == 0)
		arg.flags |= CP_PREP_XSTATE;
	if (any(2))
		arg.nr_slots = 1 + any(8);
	if (any(4) == 0)
		arg.every = any(10);
	return master_prep(m, &arg);
}

/* Is the master of @slave until a random end, or until one of the two is killed. */
static int be_master(pid_t slave)
{
	struct master m;
	pthread_t thread;

	/* The slave may have exited already. */
	if (any_pair(&m, slave))
		return 0;
	take_some(&m, any(2) ? CP_GET_NUDGE : 0);
	switch (any(6)) {
	case 0:		/* exits, maybe while the slave waits */
		break;
	case 1:
		ioctl(m.fd, CP_IOC_END);
		break;
	case 2:
		close(m.fd);
		break;
	case 3:		/* closed while a thread waits */
		pthread_create(&thread, NULL, take_all, &m);
		sleep_us(any(1000));
		close(m.fd);
		break;
	case 4:		/* runs until it is killed */
		take_all(&m);
		break;
	case 5:		/* pairs again on the same file */
		ioctl(m.fd, CP_IOC_END);
		if (!prep(m.fd, slave))
			take_some(&m, CP_GET_NUDGE);
		break;
	}
	sleep_us(any(500));
	return 0;
}

/* Runs one pair to its end. False if the slave or the master cannot be reaped. */
static bool one_life(void)
{
	pid_t slave = slave_start(slaves[any(ARRAY_SIZE(slaves))], NULL);
	pid_t master, first, second;
	uint64_t seed = dice_word(&dice);

	if (slave < 0)
		return false;
	master = fork_mortal();
	if (master == 0) {
		dice = dice_of(seed, 0);
		_exit(be_master(slave));
	}
	sleep_us(any(6000));
	first = any(2) ? slave : master;
	second = first == slave ? master : slave;
	if (any(8) == 0)
		kill(slave, SIGSTOP);
	kill(first, SIGKILL);
	if (any(2))
		sleep_us(any(1000));
	kill(second, SIGKILL);
	return waitpid(slave, NULL, 0) == slave &&
	       waitpid(master, NULL, 0) == master;
}

static int worker(unsigned long pairs, uint64_t seed)
{
	uint64_t end = now_ns() + DEADLINE * 1000000000ULL;

	dice = dice_of(seed, 0);
	while (pairs--)
		if (now_ns() < end && !one_life())
			return 1;
	return 0;
}

/* Available memory in KiB, after a drop of the caches. */
static long memory_available(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/sys/vm/drop_caches", "we");

	/* Thousands of processes fill the caches of dentries and inodes. */
	if (f) {
		fputs("3\n", f);
		fclose(f);
	}
	f = fopen("/proc/meminfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* Runs @pairs pairs on all workers; returns the number of workers that failed. */
static int lives(unsigned long pairs, uint64_t seed)
{
	pid_t pids[WORKERS];
	int i, status, failed = 0;

	for (i = 0; i < WORKERS; i++) {
		pids[i] = fork_mortal();
		if (pids[i] == 0)
			_exit(worker(pairs / WORKERS, seed * (i + 1)));
	}
	for (i = 0; i < WORKERS; i++)
		failed += waitpid(pids[i], &status, 0) != pids[i] || status;
	return failed;
}

FIXTURE(kills)
{
	unsigned long pairs;
	uint64_t seed;
};

FIXTURE_SETUP(kills)
{
	self->pairs = setting("CHECKPOINT_PAIRS", 2000);
	self->seed = setting("CHECKPOINT_SEED", 20240628);
	TH_LOG("CHECKPOINT_SEED=%llu CHECKPOINT_PAIRS=%lu",
	       (unsigned long long)self->seed, self->pairs);
}

FIXTURE_TEARDOWN(kills)
{
}

/* The pairs, and then each eventually() below, may take their whole time. */
TEST_F_TIMEOUT(kills, nothing_hangs_and_nothing_is_left, DEADLINE + 150)
{
	long before, after = 0;

	ASSERT_EQ(0, module_users());
	/* The first pairs fill caches that the kernel keeps. */
	ASSERT_EQ(0, lives(WORKERS * 25, self->seed));
	before = memory_available();
	ASSERT_EQ(0, lives(self->pairs, self->seed));
	EXPECT_TRUE(eventually(!module_users()));

	/* A region has 40 KiB at least: losing one per pair would show. */
	EXPECT_TRUE(eventually((after = memory_available()) >
			       before - 8 * (long)self->pairs - 4096));
	TH_LOG("memory available: %ld KiB before, %ld KiB after", before,
	       after);
}

TEST_HARNESS_MAIN
