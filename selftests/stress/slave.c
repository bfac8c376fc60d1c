// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slaves: their work, and their endings.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/time.h>

#include "storm.h"

#define PAGE		4096
#define DEEP_PAGES	100
#define ROOM		(64 * 1024)

static void nap_us(unsigned int us)
{
	struct timespec ts = { 0, us * 1000L };

	nanosleep(&ts, NULL);
}

static void work_futex(void)
{
	static int word;

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void work_read(void)
{
	static int ends[2];
	char byte;

	if (!ends[1] && pipe(ends))
		_exit(1);
	if (read(ends[0], &byte, 1) > 0)
		_exit(SLAVE_BROKEN);
}

static void work_fault(void)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return;
	*page = 1;
	munmap(page, PAGE);
}

static void work_fork(void)
{
	pid_t pid = fork_mortal();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void work_spin(void)
{
	volatile int i;

	for (i = 0; i < 100000; i++)
		;
}

static void work_round(enum work work)
{
	switch (work) {
	case WORK_NAPS:
		nap_us(50);
		break;
	case WORK_SPIN:
		work_spin();
		break;
	case WORK_PAUSE:
		pause();
		break;
	case WORK_READ:
		work_read();
		break;
	case WORK_FUTEX:
		work_futex();
		break;
	case WORK_FAULTS:
		work_fault();
		break;
	case WORK_FORKS:
		work_fork();
		break;
	default:
		break;
	}
}

static void end_as_planned(struct life *life)
{
	switch (life->plan.ending) {
	case ENDS_EXIT:
		_exit(life->plan.code);
	case ENDS_CRASH:
		*(volatile char *)SLAVE_FAULT_ADDR = 0;
		break;
	case ENDS_SIGNAL:
		kill(getpid(), life->plan.code);
		break;
	case ENDS_EXEC:
		life->exec = true;
		execl("/proc/self/exe", "exec-ed", NULL);
		break;
	default:
		break;
	}
	/* The signal may hit another thread first. */
	for (;;)
		pause();
}

static void do_work(struct life *life)
{
	unsigned int rounds = life->plan.rounds;

	if (life->plan.ending == ENDS_NEVER)
		rounds = ~0U;
	if (life->plan.work == WORK_COUNT)
		count_rounds(rounds, SLAVE_COOKIE);
	else
		while (rounds--)
			work_round(life->plan.work);
	end_as_planned(life);
}

/* Works below a frame of many pages, all of which have been written. */
static void __attribute__((noinline)) work_deep(struct life *life)
{
	volatile char frame[DEEP_PAGES * PAGE];
	unsigned int i;

	for (i = 0; i < sizeof(frame); i += PAGE)
		frame[i] = i;
	do_work(life);
}

static void on_timer(int sig)
{
	volatile char frame[256];

	frame[sig] = 1;
	(void)frame;
}

/* Called before threads are created; the signals may hit any of them. */
static void begin_timer(bool altstack)
{
	static char stack[16384];
	struct sigaction action = {
		.sa_handler = on_timer,
		.sa_flags = SA_RESTART | (altstack ? SA_ONSTACK : 0),
	};
	struct itimerval often = { { 0, 700 }, { 0, 700 } };
	stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };

	if (altstack)
		sigaltstack(&other, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void *be_slave(void *arg)
{
	struct life *life = arg;

	life->tid = gettid();
	if (life->plan.slave_flags & SLAVE_DEEP)
		work_deep(life);
	else
		do_work(life);
	return NULL;
}

static void *be_short(void *unused)
{
	int i;

	for (i = 0; i < 3; i++)
		getppid();
	return NULL;
}

/* Never more than two threads besides this one; none if there is no memory. */
static void *spawn(void *unused)
{
	pthread_t threads[2];
	unsigned int i, nr;

	for (;;) {
		for (nr = 0; nr < ARRAY_SIZE(threads); nr++)
			if (pthread_create(&threads[nr], NULL, be_short, NULL))
				break;
		for (i = 0; i < nr; i++)
			pthread_join(threads[i], NULL);
		nap_us(200);
	}
	return NULL;
}

int slave_run(struct life *life)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (life->plan.slave_flags & SLAVE_TIMER)
		begin_timer(life->plan.slave_flags & SLAVE_ALTSTACK);
	if (life->plan.slave_flags & SLAVE_SPAWNS &&
	    pthread_create(&thread, NULL, spawn, NULL))
		return 1;
	if (!(life->plan.slave_flags & SLAVE_THREADS))
		be_slave(life);

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, DEEP_PAGES * PAGE + ROOM);
	if (pthread_create(&thread, &attr, be_slave, life))
		return 1;
	/* The main thread is not a slave; it makes system calls as well. */
	for (;;)
		count_rounds(1000, SLAVE_COOKIE + 1);
}

/* The program that a slave executes; a late master may pair with it. */
int slave_after_exec(void)
{
	unsigned int rounds = 20;

	while (rounds--)
		nap_us(1000);
	return SLAVE_AFTER_EXEC;
}
