// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each return to user mode makes exactly one checkpoint, whatever brought the slave
 * into the kernel, and whatever other processes do to it meanwhile.
 *
 * Slaves count their actions in a register or on their stack, so that each
 * checkpoint shows the slave's progress.
 */
#include "harness.h"
#include "ring.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <ucontext.h>

#define PAGE	4096UL

/* Seconds for long tests: an emulated machine is slow. */
#define LONG	120

/*
 * count_calls(): makes system calls, and counts them in RBX.
 * spin(): spins without system calls.
 * touch_pages(from, to): writes to each page once, and exits.
 * read_bytes(fd, to): reads single bytes, and counts them in RBX.
 * send_signals(pid, tid, sig): sends itself signals, and counts them in RBX; before
 *	every second one it spins, so that the master waits for it.
 */
asm("count_calls:\n"
    "	xorl	%ebx, %ebx\n"
    "1:	incq	%rbx\n"
    "	movl	$110, %eax\n"	/* getppid */
    "	syscall\n"
    "counted:\n"
    "	jmp	1b\n"
    "spin:\n"
    "spinning:\n"
    "	jmp	spinning\n"
    "touch_pages:\n"
    "	movq	%rdi, %rbx\n"
    "touching:\n"
    "	movb	$1, (%rbx)\n"
    "	addq	$4096, %rbx\n"
    "	cmpq	%rsi, %rbx\n"
    "	jb	touching\n"
    "	xorl	%edi, %edi\n"
    "	movl	$231, %eax\n"	/* exit_group */
    "	syscall\n"
    "read_bytes:\n"
    "	xorl	%ebx, %ebx\n"
    "	movl	$1, %edx\n"
    "1:	incq	%rbx\n"
    "	xorl	%eax, %eax\n"	/* read */
    "reading:\n"
    "	syscall\n"
    "has_read:\n"
    "	jmp	1b\n"
    "send_signals:\n"
    "	xorl	%ebx, %ebx\n"
    "1:	incq	%rbx\n"
    "	testb	$1, %bl\n"
    "	jz	3f\n"
    "	movl	$20000, %ecx\n"
    "2:	pause\n"
    "	loop	2b\n"
    "3:	movl	$234, %eax\n"	/* tgkill */
    "	syscall\n"
    "sent:\n"
    "	jmp	1b\n");

void count_calls(void) __attribute__((noreturn));
void spin(void) __attribute__((noreturn));
void touch_pages(char *from, char *to) __attribute__((noreturn));
void read_bytes(int fd, char *to) __attribute__((noreturn));
void send_signals(pid_t pid, pid_t tid, int sig) __attribute__((noreturn));
extern const char counted[], spinning[], touching[], reading[], has_read[];
extern const char sent[];

static void *shared_page(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static bool is_at(struct master *m, const void *address)
{
	return m->regs[RIP] == (uintptr_t)address;
}

/* Is the checkpoint of a return from system call @nr? */
static bool is_call(struct master *m, int nr)
{
	const struct cp_checkpoint *c = master_checkpoint(m);

	return c->entry == CP_ENTRY_SYSCALL && c->syscall == nr;
}

/* Another process that disturbs the slave, in rounds. */
struct disturbance {
	pid_t slave;
	volatile unsigned int rounds;
};

static int body_migrate(void *arg)
{
	struct disturbance *d = arg;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	for (;; d->rounds++) {
		CPU_ZERO(&set);
		CPU_SET(d->rounds % cpus, &set);
		sched_setaffinity(d->slave, sizeof(set), &set);
		/* Lets the slave run on the new CPU. */
		usleep(200);
	}
	return 0;
}

static int body_ignored_signals(void *arg)
{
	struct disturbance *d = arg;

	for (;; d->rounds++) {
		kill(d->slave, SIGCHLD);
		kill(d->slave, SIGURG);
		usleep(200);
	}
	return 0;
}

static int body_stop_and_continue(void *arg)
{
	struct disturbance *d = arg;

	for (;; d->rounds++) {
		kill(d->slave, SIGSTOP);
		eventually(task_state(d->slave) == 'T');
		kill(d->slave, SIGCONT);
		usleep(500);
	}
	return 0;
}

static int trace(struct disturbance *d, int request)
{
	int status;

	if (ptrace(PTRACE_SEIZE, d->slave, NULL, PTRACE_O_TRACESYSGOOD) ||
	    ptrace(PTRACE_INTERRUPT, d->slave, NULL, NULL))
		return 1;
	while (waitpid(d->slave, &status, __WALL) == d->slave &&
	       WIFSTOPPED(status)) {
		d->rounds++;
		ptrace(request, d->slave, NULL, NULL);
	}
	return 0;
}

static int body_trace_calls(void *d)
{
	return trace(d, PTRACE_SYSCALL);
}

static int body_trace_steps(void *d)
{
	return trace(d, PTRACE_SINGLESTEP);
}

/* Interrupts the slave repeatedly, and makes @steps single steps each time. */
static int interrupt(struct disturbance *d, int steps)
{
	int i, status;

	if (ptrace(PTRACE_SEIZE, d->slave, NULL, NULL))
		return 1;
	for (;; d->rounds++) {
		ptrace(PTRACE_INTERRUPT, d->slave, NULL, NULL);
		waitpid(d->slave, &status, __WALL);
		for (i = 0; i < steps; i++) {
			ptrace(PTRACE_SINGLESTEP, d->slave, NULL, NULL);
			waitpid(d->slave, &status, __WALL);
		}
		ptrace(PTRACE_CONT, d->slave, NULL, NULL);
		usleep(200);
	}
	return 0;
}

static int body_interrupt(void *d)
{
	return interrupt(d, 0);
}

static int body_interrupt_and_step(void *d)
{
	return interrupt(d, 1);
}

static int body_count(void *unused)
{
	count_calls();
}

static void *thread_calls(void *unused)
{
	for (;;)
		syscall(SYS_gettid);
	return NULL;
}

static int body_count_among_threads(void *unused)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&thread, NULL, thread_calls, NULL);
	count_calls();
}

FIXTURE(count)
{
	struct master m;
	struct disturbance *disturbance;
	uint64_t last;
};

FIXTURE_VARIANT(count)
{
	int (*body)(void *unused);
	int (*disturb)(void *disturbance);
	int hogs;
	int calls;
	unsigned int rounds;
};

FIXTURE_VARIANT_ADD(count, undisturbed) {
	.body = body_count,
	.calls = 3000,
};

FIXTURE_VARIANT_ADD(count, cpu_hogs) {
	.body = body_count,
	.hogs = 3,
	.calls = 1000,
};

FIXTURE_VARIANT_ADD(count, migrations) {
	.body = body_count,
	.disturb = body_migrate,
	.calls = 2000,
	.rounds = 50,
};

FIXTURE_VARIANT_ADD(count, migrations_and_cpu_hogs) {
	.body = body_count,
	.disturb = body_migrate,
	.hogs = 2,
	.calls = 1000,
	.rounds = 50,
};

FIXTURE_VARIANT_ADD(count, ignored_signals) {
	.body = body_count,
	.disturb = body_ignored_signals,
	.calls = 2000,
	.rounds = 50,
};

FIXTURE_VARIANT_ADD(count, stopped_and_continued) {
	.body = body_count,
	.disturb = body_stop_and_continue,
	.calls = 1000,
	.rounds = 50,
};

FIXTURE_VARIANT_ADD(count, traced_calls) {
	.body = body_count,
	.disturb = body_trace_calls,
	.calls = 1000,
	.rounds = 50,
};

FIXTURE_VARIANT_ADD(count, traced_steps) {
	.body = body_count,
	.disturb = body_trace_steps,
	.calls = 300,
	.rounds = 50,
};

FIXTURE_VARIANT_ADD(count, interrupted_by_a_debugger) {
	.body = body_count,
	.disturb = body_interrupt,
	.calls = 1000,
	.rounds = 50,
};

FIXTURE_VARIANT_ADD(count, interrupted_and_stepped_by_a_debugger) {
	.body = body_count,
	.disturb = body_interrupt_and_step,
	.calls = 1000,
	.rounds = 300,
};

FIXTURE_VARIANT_ADD(count, other_threads) {
	.body = body_count_among_threads,
	.calls = 1000,
};

FIXTURE_SETUP(count)
{
	int i;

	ASSERT_EQ(0, master_start(&self->m, variant->body, NULL));
	do {
		ASSERT_EQ(1, master_get(&self->m));
	} while (!is_at(&self->m, counted));
	ASSERT_EQ(1, self->m.regs[RBX]);
	self->last = 1;

	self->disturbance = shared_page();
	self->disturbance->slave = self->m.slave;
	if (variant->disturb)
		slave_start(variant->disturb, self->disturbance);
	for (i = 0; i < variant->hogs; i++)
		slave_start(body_spin, NULL);
}

FIXTURE_TEARDOWN(count)
{
	master_close(&self->m);
	slave_kill(self->m.slave);
}

TEST_F_TIMEOUT(count, each_call_once, LONG)
{
	const uint64_t *count = &self->m.regs[RBX];
	int calls = 0;

	while (calls < variant->calls ||
	       self->disturbance->rounds < variant->rounds) {
		ASSERT_EQ(1, master_get(&self->m));
		if (is_call(&self->m, SYS_getppid)) {
			ASSERT_EQ(self->last + 1, *count);
			ASSERT_TRUE(is_at(&self->m, counted));
			self->last = *count;
			calls++;
		} else {
			/* A return from an interrupt, before or in the next call. */
			ASSERT_LE(self->last, *count);
			ASSERT_GE(self->last + 1, *count);
		}
	}
}

static int body_stand(void *unused)
{
	spin();
}

TEST(slave_that_makes_no_system_call)
{
	struct master m;
	int i;

	ASSERT_EQ(0, master_start(&m, body_stand, NULL));
	do {
		ASSERT_EQ(1, master_get(&m));
	} while (!is_at(&m, spinning));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, master_get(&m));
		EXPECT_EQ(CP_ENTRY_INTERRUPT, master_checkpoint(&m)->entry);
		EXPECT_TRUE(is_at(&m, spinning));
	}
	slave_kill(m.slave);
}

#define PAGES	200

static int body_touch(void *pages)
{
	touch_pages(pages, (char *)pages + PAGES * PAGE);
}

TEST(each_page_fault)
{
	char *pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool seen[PAGES] = { false };
	struct master m;
	int i;

	madvise(pages, PAGES * PAGE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, master_start(&m, body_touch, pages));
	while (master_get(&m) == 1)
		if (is_at(&m, touching) &&
		    master_checkpoint(&m)->entry == CP_ENTRY_FAULT)
			seen[(m.regs[RBX] - (uintptr_t)pages) / PAGE] = true;
	for (i = 0; i < PAGES; i++)
		EXPECT_TRUE(seen[i])
			TH_LOG("page %d", i);
}

/*
 * Signals. The slave's handler counts its runs on the stack, where each checkpoint
 * shows their number.
 */
#define RUNS		300
#define SYS_REPORT	SYS_getpgrp

static volatile uint64_t *runs;

static void handler(int sig, siginfo_t *info, void *context)
{
	/* Signals may come so fast that only the handler runs. */
	if (++*runs == RUNS)
		signal(sig, SIG_IGN);
}

static void handle(int sig, void (*function)(int, siginfo_t *, void *),
		   int flags)
{
	struct sigaction action = {
		.sa_sigaction = function,
		.sa_flags = SA_SIGINFO | flags,
	};

	sigaction(sig, &action, NULL);
}

static void start_timer(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGUSR1,
	};
	struct itimerspec every = { { 0, 300000 }, { 0, 300000 } };
	timer_t timer;

	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &every, NULL);
}

static int body_kill(void *pid)
{
	for (;;) {
		kill(*(pid_t *)pid, SIGUSR1);
		usleep(300);
	}
	return 0;
}

static void work_spin(void)
{
	int i;

	for (i = 0; i < 100; i++)
		asm volatile("pause");
}

static void work_call(void)
{
	syscall(SYS_getppid);
}

static void work_sleep(void)
{
	usleep(100);
}

static void work_raise(void)
{
	raise(SIGUSR1);
}

FIXTURE(signals)
{
	struct master m;
	uint64_t runs_at;
	bool seen[RUNS];
};

FIXTURE_VARIANT(signals)
{
	void (*work)(void);
	bool timer;
	bool killer;
};

FIXTURE_VARIANT_ADD(signals, timer_while_spinning) {
	.work = work_spin,
	.timer = true,
};

FIXTURE_VARIANT_ADD(signals, timer_while_calling) {
	.work = work_call,
	.timer = true,
};

FIXTURE_VARIANT_ADD(signals, timer_while_sleeping) {
	.work = work_sleep,
	.timer = true,
};

FIXTURE_VARIANT_ADD(signals, kill_while_spinning) {
	.work = work_spin,
	.killer = true,
};

FIXTURE_VARIANT_ADD(signals, kill_while_calling) {
	.work = work_call,
	.killer = true,
};

FIXTURE_VARIANT_ADD(signals, raise) { .work = work_raise };

/* Passes the address of its count to the test, and its number of runs at the end. */
static int body_signals(void *arg)
{
	const FIXTURE_VARIANT(signals) *variant = arg;
	volatile uint64_t count = 0;

	runs = &count;
	handle(SIGUSR1, handler, 0);
	syscall(SYS_REPORT, &count, 0);
	if (variant->timer)
		start_timer();
	while (count < RUNS)
		variant->work();
	syscall(SYS_REPORT, &count, count);
	return 0;
}

FIXTURE_SETUP(signals)
{
	ASSERT_EQ(0, master_start(&self->m, body_signals, (void *)variant));
	do {
		ASSERT_EQ(1, master_get(&self->m));
	} while (!is_call(&self->m, SYS_REPORT));
	self->runs_at = self->m.regs[RDI];
	if (variant->killer)
		ASSERT_LT(0, slave_start(body_kill, &self->m.slave));
}

FIXTURE_TEARDOWN(signals)
{
	master_close(&self->m);
	slave_kill(self->m.slave);
}

TEST_F_TIMEOUT(signals, each_entry_of_the_handler, LONG)
{
	const uint64_t *count;
	int i;

	do {
		ASSERT_EQ(1, master_get(&self->m));
		if (!is_at(&self->m, handler))
			continue;
		count = master_at(&self->m, self->runs_at);
		ASSERT_TRUE(count);
		/* One more run may start before SIG_IGN is in effect. */
		if (*count >= RUNS)
			continue;
		/* The same count again: an interrupt came before the handler ran. */
		if (self->seen[*count])
			ASSERT_EQ(CP_ENTRY_INTERRUPT,
				  master_checkpoint(&self->m)->entry);
		self->seen[*count] = true;
		/* A handler may interrupt the last call, too. */
	} while (!is_call(&self->m, SYS_REPORT) || is_at(&self->m, handler));

	ASSERT_LE(RUNS, self->m.regs[RSI]);
	for (i = 0; i < RUNS; i++)
		EXPECT_TRUE(self->seen[i])
			TH_LOG("run %d", i);
}

/* One signal per system call: handler entries and returns alternate. */
static int body_send(void *unused)
{
	static uint64_t count;

	runs = &count;
	handle(SIGUSR1, handler, 0);
	send_signals(getpid(), gettid(), SIGUSR1);
}

TEST(each_return_from_the_handler)
{
	bool inside = false;
	uint64_t entries = 0, returns = 0;
	struct master m;

	ASSERT_EQ(0, master_start(&m, body_send, NULL));
	while (returns < RUNS - 1) {
		ASSERT_EQ(1, master_get(&m));
		if (is_at(&m, handler) && !inside) {
			entries++;
			inside = true;
		} else if (is_at(&m, sent) && inside) {
			EXPECT_EQ(0, m.regs[RAX]);
			EXPECT_EQ(SIGUSR1, m.regs[RDX]);
			EXPECT_EQ(CP_ENTRY_INTERRUPT,
				  master_checkpoint(&m)->entry);
			returns++;
			inside = false;
		} else if (is_at(&m, handler) || is_at(&m, sent)) {
			/* The return from tgkill() is the entry of the handler. */
			EXPECT_FALSE(is_at(&m, sent) &&
				     is_call(&m, SYS_tgkill));
		}
	}
	EXPECT_EQ(entries, returns);
	slave_kill(m.slave);
}

/* Several signals at once: the kernel nests the handlers' frames. */
static volatile uint64_t counts[3];

static void handler_0(int sig, siginfo_t *info, void *context)
{
	counts[0]++;
}

static void handler_1(int sig, siginfo_t *info, void *context)
{
	counts[1]++;
}

static void handler_2(int sig, siginfo_t *info, void *context)
{
	counts[2]++;
}

static void (*const handlers[])(int, siginfo_t *, void *) = {
	handler_0, handler_1, handler_2
};

#define ROUNDS	50

static int body_pending(void *unused)
{
	sigset_t set, old;
	int i, round;

	sigemptyset(&set);
	for (i = 0; i < 3; i++) {
		handle(SIGRTMIN + i, handlers[i], 0);
		sigaddset(&set, SIGRTMIN + i);
	}
	for (round = 0; round < ROUNDS; round++) {
		sigprocmask(SIG_BLOCK, &set, &old);
		for (i = 0; i < 3; i++)
			raise(SIGRTMIN + i);
		sigprocmask(SIG_SETMASK, &old, NULL);
		syscall(SYS_REPORT, round);
	}
	return 0;
}

TEST(each_of_several_pending_signals)
{
	int i, rounds = 0, entered[3] = { 0 };
	struct master m;

	ASSERT_EQ(0, master_start(&m, body_pending, NULL));
	while (master_get(&m) == 1) {
		for (i = 0; i < 3; i++)
			if (is_at(&m, handlers[i]))
				entered[i]++;
		if (!is_call(&m, SYS_REPORT))
			continue;
		rounds++;
		/* More than one if an interrupt came at the handler's entry. */
		for (i = 0; i < 3; i++)
			EXPECT_LE(1, entered[i])
				TH_LOG("round %d, handler %d", rounds, i);
		memset(entered, 0, sizeof(entered));
	}
	EXPECT_EQ(ROUNDS, rounds);
	slave_kill(m.slave);
}

static int body_handle_and_spin(void *unused)
{
	static uint64_t count;

	runs = &count;
	handle(SIGUSR1, handler, 0);
	handle(SIGRTMIN, handler, 0);
	syscall(SYS_REPORT);
	return body_spin(NULL);
}

TEST(arguments_of_the_handler)
{
	const ucontext_t *context;
	const siginfo_t *info;
	struct master m;
	uint64_t rsp;

	ASSERT_EQ(0, master_start(&m, body_handle_and_spin, NULL));
	do {
		ASSERT_EQ(1, master_get(&m));
		rsp = m.regs[RSP];
	} while (!is_call(&m, SYS_REPORT));
	ASSERT_EQ(0, sigqueue(m.slave, SIGRTMIN,
			      (union sigval){ .sival_int = 4711 }));
	do {
		ASSERT_EQ(1, master_get(&m));
	} while (!is_at(&m, handler));
	EXPECT_GT(rsp, m.regs[RSP]);
	EXPECT_EQ(SIGRTMIN, m.regs[RDI]);
	info = master_at(&m, m.regs[RSI]);
	context = master_at(&m, m.regs[RDX]);
	ASSERT_TRUE(info && context);
	EXPECT_EQ(SIGRTMIN, info->si_signo);
	EXPECT_EQ(4711, info->si_value.sival_int);
	EXPECT_EQ(getpid(), info->si_pid);
	EXPECT_LT(m.regs[RSP],
		  (uint64_t)context->uc_mcontext.gregs[REG_RSP]);
	slave_kill(m.slave);
}

/* A read() that sleeps, is interrupted, and is restarted. */
FIXTURE(restart)
{
	struct master m;
	int pipe[2];
};

static int body_read(void *fd)
{
	static uint64_t count;
	char byte;

	runs = &count;
	handle(SIGUSR1, handler, SA_RESTART);
	handle(SIGUSR2, handler, 0);
	read_bytes(*(int *)fd, &byte);
}

/* Takes checkpoints until the slave sleeps; true if one of them was at @rip. */
static bool passes(struct master *m, const void *rip)
{
	bool passed = false;
	int ret;

	do {
		ret = master_get_ms(m, 100);
		passed |= ret == 1 && is_at(m, rip);
	} while (ret == 1 || task_state(m->slave) != 'S');
	return passed;
}

FIXTURE_SETUP(restart)
{
	ASSERT_EQ(0, pipe(self->pipe));
	ASSERT_EQ(0, master_start(&self->m, body_read, &self->pipe[0]));
	passes(&self->m, NULL);
}

/* After the test: each byte causes one return, and none was lost or repeated. */
FIXTURE_TEARDOWN(restart)
{
	uint64_t count;

	EXPECT_EQ(1, write(self->pipe[1], "", 1));
	do {
		EXPECT_EQ(1, master_get(&self->m));
	} while (!is_at(&self->m, has_read));
	EXPECT_TRUE(is_call(&self->m, SYS_read));
	EXPECT_EQ(1, self->m.regs[RAX]);
	count = self->m.regs[RBX];
	EXPECT_EQ(1, write(self->pipe[1], "", 1));
	do {
		EXPECT_EQ(1, master_get(&self->m));
	} while (!is_call(&self->m, SYS_read));
	EXPECT_EQ(count + 1, self->m.regs[RBX]);
	EXPECT_EQ(1, self->m.regs[RAX]);
	master_close(&self->m);
	slave_kill(self->m.slave);
}

/* Takes the next checkpoint; skips interrupts at the last one's RIP. */
static int get_next(struct master *m)
{
	uint64_t rip = m->regs[RIP];
	int ret;

	do
		ret = master_get(m);
	while (ret == 1 && m->regs[RIP] == rip &&
	       master_checkpoint(m)->entry == CP_ENTRY_INTERRUPT);
	return ret;
}

/* Takes the checkpoints from the handler's entry to its return. */
static int get_handled(struct master *m)
{
	uint64_t rsp;
	int ret;

	ret = get_next(m);
	if (ret != 1 || !is_at(m, handler))
		return -1;
	rsp = m->regs[RSP];
	do
		ret = master_get(m);
	while (ret == 1 && m->regs[RSP] <= rsp + 8);
	return ret;
}

TEST_F(restart, after_a_handler_with_sa_restart)
{
	ASSERT_EQ(0, kill(self->m.slave, SIGUSR1));
	ASSERT_EQ(1, get_handled(&self->m));
	/* The interrupted state: RIP and RAX are set to repeat the call. */
	EXPECT_TRUE(is_at(&self->m, reading));
	EXPECT_EQ(SYS_read, self->m.regs[RAX]);
	EXPECT_EQ(self->pipe[0], self->m.regs[RDI]);
	EXPECT_EQ(CP_ENTRY_INTERRUPT, master_checkpoint(&self->m)->entry);
	EXPECT_FALSE(passes(&self->m, has_read));
}

TEST_F(restart, not_after_a_handler_without)
{
	ASSERT_EQ(0, kill(self->m.slave, SIGUSR2));
	ASSERT_EQ(1, get_handled(&self->m));
	EXPECT_TRUE(is_at(&self->m, has_read));
	EXPECT_EQ(-EINTR, (int64_t)self->m.regs[RAX]);
	passes(&self->m, NULL);
}

TEST_F(restart, after_stop_and_continue)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, kill(self->m.slave, SIGSTOP));
		ASSERT_TRUE(eventually(task_state(self->m.slave) == 'T'));
		ASSERT_EQ(0, kill(self->m.slave, SIGCONT));
		ASSERT_EQ(1, master_get(&self->m));
		EXPECT_TRUE(is_at(&self->m, reading));
		EXPECT_EQ(SYS_read, self->m.regs[RAX]);
		EXPECT_FALSE(passes(&self->m, has_read));
	}
}

TEST_F(restart, ignored_signals_change_nothing)
{
	int i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, kill(self->m.slave, SIGURG));
	EXPECT_FALSE(passes(&self->m, has_read));
}

/*
 * Other kinds of system calls. Each slave makes one kind, and counts the calls in
 * R9.
 */
static int body_unknown_call(void *unused)
{
	long i;

	for (i = 1;; i++)
		syscall(9999, 0, 0, 0, 0, 0, i);
	return 0;
}

static int body_exec_fails(void *unused)
{
	long i;

	for (i = 1;; i++)
		syscall(SYS_execve, "/nowhere", NULL, NULL, 0, 0, i);
	return 0;
}

static int body_fork(void *unused)
{
	long i;

	for (i = 1;; i++) {
		if (!syscall(SYS_fork, 0, 0, 0, 0, 0, i))
			_exit(0);
		wait(NULL);
	}
	return 0;
}

/* The child of vfork(2) runs on the parent's stack, so it only exits. */
static int body_vfork(void *unused)
{
	long i, ret;

	for (i = 1;; i++) {
		register long number asm("r9") = i;

		asm volatile("syscall\n\t"
			     "testq	%%rax, %%rax\n\t"
			     "jnz	1f\n\t"
			     "xorl	%%edi, %%edi\n\t"
			     "movl	%2, %%eax\n\t"
			     "syscall\n\t"
			     "1:"
			     : "=a" (ret)
			     : "r" (number), "i" (SYS_exit), "0" (SYS_vfork)
			     : "rcx", "r11", "rdi", "memory");
		waitpid(ret, NULL, 0);
	}
	return 0;
}

static int body_nanosleep(void *unused)
{
	struct timespec ts = { 0, 100000 };
	long i;

	for (i = 1;; i++)
		syscall(SYS_nanosleep, &ts, NULL, 0, 0, 0, i);
	return 0;
}

/* io_uring completes requests by task work, often inside of a system call. */
static void prepare_nop(struct io_uring_sqe *sqe)
{
	sqe->opcode = IORING_OP_NOP;
	sqe->flags = IOSQE_ASYNC;
}

static int body_io_uring(void *unused)
{
	return ring_repeat(prepare_nop);
}

FIXTURE(calls)
{
	struct master m;
};

FIXTURE_VARIANT(calls)
{
	int (*body)(void *unused);
	int nr;
	int64_t least;
	int64_t most;
};

FIXTURE_VARIANT_ADD(calls, unknown) {
	.body = body_unknown_call,
	.nr = 9999,
	.least = -ENOSYS,
	.most = -ENOSYS,
};

FIXTURE_VARIANT_ADD(calls, exec_that_fails) {
	.body = body_exec_fails,
	.nr = SYS_execve,
	.least = -ENOENT,
	.most = -ENOENT,
};

FIXTURE_VARIANT_ADD(calls, fork) {
	.body = body_fork,
	.nr = SYS_fork,
	.least = 1,
	.most = INT32_MAX,
};

FIXTURE_VARIANT_ADD(calls, vfork) {
	.body = body_vfork,
	.nr = SYS_vfork,
	.least = 1,
	.most = INT32_MAX,
};

FIXTURE_VARIANT_ADD(calls, nanosleep) {
	.body = body_nanosleep,
	.nr = SYS_nanosleep,
};

FIXTURE_VARIANT_ADD(calls, io_uring) {
	.body = body_io_uring,
	.nr = SYS_io_uring_enter,
	.least = 1,
	.most = 1,
};

FIXTURE_SETUP(calls)
{
	ASSERT_EQ(0, master_start(&self->m, variant->body, NULL));
}

FIXTURE_TEARDOWN(calls)
{
	master_close(&self->m);
	slave_kill(self->m.slave);
}

TEST_F_TIMEOUT(calls, each_return_once, LONG)
{
	int64_t result;
	uint64_t last = 0;
	int calls, ret;

	for (calls = 0; calls < 200;) {
		ret = master_get(&self->m);
		if (!ret && self->m.get.status == KSFT_SKIP << 8)
			SKIP(return, "no io_uring here");
		ASSERT_EQ(1, ret);
		if (!is_call(&self->m, variant->nr))
			continue;
		result = self->m.regs[RAX];
		ASSERT_LE(variant->least, result);
		ASSERT_GE(variant->most, result);
		if (calls++)
			ASSERT_EQ(last + 1, self->m.regs[R9]);
		last = self->m.regs[R9];
	}
}

/* Alternates getpid() by the 32-bit entry and getppid() by the 64-bit one. */
static int body_both_entries(void *unused)
{
	long result;

	for (;;) {
		asm volatile("int $0x80" : "=a"(result) : "0"(20L) : "memory");
		syscall(SYS_getppid);
	}
	return result;
}

TEST(number_is_one_of_the_table_of_its_entry)
{
	unsigned int i386 = 0, x86_64 = 0;
	struct master m;

	ASSERT_EQ(0, master_start(&m, body_both_entries, NULL));
	while (i386 < 50 || x86_64 < 50) {
		const struct cp_checkpoint *c;
		int ret = master_get_ms(&m, 60000);

		if (!ret && !i386)
			SKIP(return, "this kernel has no entry for 32-bit code");
		ASSERT_EQ(1, ret);
		c = master_checkpoint(&m);
		if (c->entry != CP_ENTRY_SYSCALL)
			continue;
		if (c->syscall == 20) {
			i386++;
			EXPECT_EQ(CP_CHECKPOINT_SYSCALL32, c->flags);
		} else if (c->syscall == SYS_getppid) {
			x86_64++;
			EXPECT_EQ(0, c->flags);
		}
	}
	slave_kill(m.slave);
	master_close(&m);
}

/* Several threads of a master take checkpoints: each goes to one of them. */
#define TAKES	600

struct takers {
	struct master m;
	uint8_t taken[TAKES + 1];
	int failures;
};

static void *thread_take(void *arg)
{
	struct takers *takers = arg;

	for (;;) {
		struct cp_get get = { .deadline = CP_FOREVER };

		if (ioctl(takers->m.fd, CP_IOC_GET, &get) != 1)
			__atomic_add_fetch(&takers->failures, 1,
					   __ATOMIC_RELAXED);
		if (get.seq > TAKES)
			return NULL;
		__atomic_add_fetch(&takers->taken[get.seq], 1,
				   __ATOMIC_RELAXED);
	}
}

TEST(several_threads_of_the_master)
{
	static struct takers takers;
	pthread_t threads[4];
	int i;

	ASSERT_EQ(0, master_start(&takers.m, body_count, NULL));
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, thread_take, &takers);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, takers.failures);
	for (i = 1; i <= TAKES; i++)
		EXPECT_EQ(1, takers.taken[i])
			TH_LOG("checkpoint %d", i);
	slave_kill(takers.m.slave);
}

TEST_HARNESS_MAIN
