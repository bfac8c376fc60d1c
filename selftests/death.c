// SPDX-License-Identifier: GPL-2.0-only
/*
 * Death: the last checkpoint of a slave that a signal kills is the state in which
 * the slave died, for each kind of pair.
 */
#include "harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PAGE	4096UL

/* R15 of a slave at the instruction that kills it. */
#define MARK	0x5aa5c33cdeadbeefULL

/*
 * The slave sleeps at its gate until it is paired, and then runs @act.
 */
struct slave {
	int gate[2];
	int (*act)(struct slave *s);
	volatile bool reached;		/* the fatal instruction is next */
	volatile pid_t tid;		/* of the thread that is the slave */
	volatile int handled;		/* runs of a handler */
	volatile uint64_t stack;	/* address of a known pattern */
	volatile uint64_t sp;		/* the stack pointer at death */
};

static struct slave *shared;

static void wait_at_gate(struct slave *s)
{
	char c;

	while (read(s->gate[0], &c, 1) < 0 && errno == EINTR)
		;
}

static int body_act(void *arg)
{
	struct slave *s = arg;

	wait_at_gate(s);
	return s->act(s);
}

static struct slave *slave_alloc(int (*act)(struct slave *s))
{
	struct slave *s = shared_memory(sizeof(*s));

	s->act = act;
	shared = s;
	return pipe2(s->gate, O_CLOEXEC) ? NULL : s;
}

static bool gate_open(struct slave *s)
{
	return write(s->gate[1], "", 1) == 1;
}

/* A thread of the master that takes all checkpoints and keeps the last. */
struct taker {
	struct master *m;
	pthread_t thread;
	volatile uint64_t taken;
	uint64_t deaths;
	bool in_order;
	struct cp_get last;		/* the last checkpoint */
	uint64_t regs[CP_N_REG + 1];
	int ret;
};

static void take(struct taker *t)
{
	struct master *m = t->m;

	t->taken++;
	if (m->get.seq != t->last.seq + 1 + m->get.missed - t->last.missed)
		t->in_order = false;
	/* No checkpoint may follow the state of death. */
	if (t->deaths)
		t->in_order = false;
	t->deaths += !!(master_checkpoint(m)->flags & CP_CHECKPOINT_DEATH);
	t->last = m->get;
	memcpy(t->regs, m->regs, sizeof(t->regs));
}

static void *take_all(void *arg)
{
	struct taker *t = arg;

	while ((t->ret = master_get(t->m)) == 1)
		take(t);
	return NULL;
}

/*
 * A pair of one of the three kinds. If the slave waits for its master (kind.waits),
 * a thread takes all its checkpoints; if not, the test takes them once the slave is
 * dead.
 */
struct life {
	struct slave *s;
	pid_t pid;			/* the process */
	struct master m;
	struct taker taker;
	int status;
};

struct kind {
	uint32_t flags;
	uint32_t slots;
	bool waits;
	uint64_t stack_limit;
	uint64_t death_stack_limit;
};

#define KINDS(fixture)							\
FIXTURE_VARIANT(fixture)						\
{									\
	struct kind kind;						\
};									\
FIXTURE_VARIANT_ADD(fixture, rendezvous)				\
{									\
	.kind = { CP_PREP_DEATH, 1, true },				\
};									\
FIXTURE_VARIANT_ADD(fixture, overwrite)				\
{									\
	.kind = { CP_PREP_DEATH | CP_PREP_OVERWRITE, 4, false },	\
};									\
FIXTURE_VARIANT_ADD(fixture, ahead)					\
{									\
	.kind = { CP_PREP_DEATH, 4, true },				\
}

static bool at_gate(pid_t pid)
{
	return task_syscall(pid) == SYS_read;
}

/* Starts a slave with @act and pairs with it; the slave still sleeps. */
static bool life_start(struct life *l, const struct kind *kind,
		       int (*act)(struct slave *s))
{
	struct cp_prep arg = {
		.flags = kind->flags,
		.nr_slots = kind->slots,
		.stack_limit = kind->stack_limit,
		.death_stack_limit = kind->death_stack_limit,
	};

	memset(l, 0, sizeof(*l));
	l->s = slave_alloc(act);
	l->pid = slave_start(body_act, l->s);
	arg.pid = l->pid;
	return l->pid > 0 && eventually(at_gate(l->pid)) &&
	       !master_prep(&l->m, &arg);
}

/* Lets the slave act. */
static bool life_go(struct life *l, const struct kind *kind)
{
	l->taker.m = &l->m;
	l->taker.in_order = true;
	if (kind->waits &&
	    pthread_create(&l->taker.thread, NULL, take_all, &l->taker))
		return false;
	return gate_open(l->s);
}

static bool is_over(struct life *l)
{
	return (master_poll(&l->m, 0) & POLLHUP) &&
	       waitpid(l->pid, &l->status, WNOHANG) == l->pid;
}

/* Takes the remaining checkpoints. */
static bool life_taken(struct life *l, const struct kind *kind)
{
	struct timespec end;

	if (!kind->waits) {
		take_all(&l->taker);
		return true;
	}
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	return !pthread_timedjoin_np(l->taker.thread, NULL, &end);
}

/* Waits for the slave's end, and takes the remaining checkpoints. */
static bool life_over(struct life *l, const struct kind *kind)
{
	return eventually(is_over(l)) && life_taken(l, kind);
}

/* Runs a slave from start to end; @l->m has the results of the last master_get(). */
static bool live(struct life *l, const struct kind *kind,
		 int (*act)(struct slave *s))
{
	return life_start(l, kind, act) && life_go(l, kind) &&
	       life_over(l, kind);
}

static const struct cp_checkpoint *last_of(struct life *l)
{
	return (const void *)(l->m.region + l->taker.last.slot_offset);
}

static const struct cp_segment *stack_of(struct life *l)
{
	const struct cp_checkpoint *c = last_of(l);

	return (const void *)((const char *)c + c->segments_offset);
}

/* The copy of @size bytes at the slave's @addr; NULL if it is missing. */
static const void *copy_of(struct life *l, uint64_t addr, size_t size)
{
	const struct cp_segment *seg = stack_of(l);

	if (addr < seg->addr || addr + size > seg->addr + seg->size)
		return NULL;
	return l->m.region + seg->offset + (addr - seg->addr);
}

/*
 * The slave died of @sig, and waitpid(2) agrees; the last checkpoint, and only the
 * last, is a state of death.
 */
#define EXPECT_DEATH_OF(sig)						\
do {									\
	EXPECT_EQ(0, self->l.taker.ret);				\
	EXPECT_TRUE(self->l.taker.in_order);				\
	EXPECT_EQ(1, self->l.taker.deaths);				\
	ASSERT_NE(0, self->l.taker.last.seq);				\
	EXPECT_EQ(CP_END_EXITED, self->l.m.get.reason);		\
	EXPECT_TRUE(WIFSIGNALED(self->l.status));			\
	EXPECT_EQ((sig), WTERMSIG(self->l.status));			\
	EXPECT_EQ((sig), self->l.m.get.status & 0x7f);			\
	EXPECT_TRUE(last_of(&self->l)->flags & CP_CHECKPOINT_DEATH);	\
	EXPECT_EQ((sig), last_of(&self->l)->signal);			\
	EXPECT_EQ(self->l.taker.last.seq, last_of(&self->l)->seq);	\
	EXPECT_EQ(0, master_get(&self->l.m));				\
	EXPECT_EQ(POLLIN | POLLHUP, master_poll(&self->l.m, 0));	\
} while (0)

/* The signal hit the slave itself. */
#define EXPECT_DEATH(sig)						\
do {									\
	EXPECT_DEATH_OF(sig);						\
	EXPECT_EQ(0, last_of(&self->l)->flags &				\
		     CP_CHECKPOINT_DEATH_ELSEWHERE);			\
	EXPECT_EQ(0, last_of(&self->l)->signal_thread);			\
} while (0)

/* The signal hit the thread @its_tid; 0 if the kernel does not report which. */
#define EXPECT_DEATH_ELSEWHERE(sig, its_tid)				\
do {									\
	EXPECT_DEATH_OF(sig);						\
	EXPECT_NE(0, last_of(&self->l)->flags &				\
		     CP_CHECKPOINT_DEATH_ELSEWHERE);			\
	EXPECT_EQ((its_tid), last_of(&self->l)->signal_thread);		\
	EXPECT_CAUSE(0, 0);						\
} while (0)

#define EXPECT_CAUSE(its_code, its_addr)				\
do {									\
	EXPECT_EQ((its_code), last_of(&self->l)->signal_code);		\
	EXPECT_EQ((uintptr_t)(its_addr), last_of(&self->l)->signal_addr); \
} while (0)

#define EXPECT_REG(name, value)						\
	EXPECT_EQ((uintptr_t)(value), last_of(&self->l)->regs.name)

#define EXPECT_NO_DEATH()						\
do {									\
	EXPECT_EQ(0, self->l.taker.ret);				\
	EXPECT_TRUE(self->l.taker.in_order);				\
	EXPECT_EQ(0, self->l.taker.deaths);				\
	EXPECT_EQ(0, master_get(&self->l.m));				\
} while (0)

/*
 * Crashes. The label NAME_here is the address of the instruction that crashes; the
 * stack holds a pattern in the red zone and above.
 */
#define PATTERN	0xc0ffee0000000000ULL

asm(".macro die name:req insn:vararg\n"
    "\\name:\n"
    "	subq	$1024, %rsp\n"
    "	movabsq	$0xc0ffee0000000000, %rax\n"
    "	leaq	-128(%rsp), %rdx\n"
    "	movl	$144, %ecx\n"
    "9:	movq	%rax, (%rdx)\n"
    "	incq	%rax\n"
    "	addq	$8, %rdx\n"
    "	loop	9b\n"
    "	movq	%rsp, (%rdi)\n"		/* slave.sp */
    "	movabsq	$0x5aa5c33cdeadbeef, %r15\n"
    "	xorl	%edx, %edx\n"
    "\\name\\()_here:\n"
    "	\\insn\n"
    "	ud2\n"
    ".endm\n"
    "	die	die_write, movl $1, (%rdx)\n"
    "	die	die_read_only, movb $1, (%rsi)\n"
    "	die	die_divide, divl %edx\n"
    "	die	die_ud2, ud2\n"
    "	die	die_int3, int3\n"
    "	die	die_hlt, hlt\n"
    "	die	die_jump, jmp *%rdx\n"
    "	die	die_read, movb (%rsi), %al\n"
    "	die	die_spin, jmp .\n");

#define DIE(name)							\
	void name(volatile uint64_t *sp, void *arg);			\
	extern const char name##_here[]

DIE(die_write);
DIE(die_read_only);
DIE(die_divide);
DIE(die_ud2);
DIE(die_int3);
DIE(die_hlt);
DIE(die_jump);
DIE(die_read);
DIE(die_spin);

/* Does the copy hold the whole pattern, including the red zone? */
static bool has_pattern(struct life *l)
{
	uint64_t sp = l->s->sp;
	const uint64_t *copy = copy_of(l, sp - 128, 144 * 8);
	uint64_t i;

	if (!copy || last_of(l)->regs.rsp != sp)
		return false;
	for (i = 0; i < 144; i++)
		if (copy[i] != PATTERN + i)
			return false;
	return true;
}

FIXTURE(crash)
{
	struct life l;
};

KINDS(crash);

FIXTURE_SETUP(crash)
{
}

FIXTURE_TEARDOWN(crash)
{
	slave_kill(self->l.pid);
}

static int act_write(struct slave *s)
{
	die_write(&s->sp, NULL);
	return 1;
}

TEST_F(crash, write_to_nothing)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_write));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_CAUSE(SEGV_MAPERR, 0);
	EXPECT_REG(rip, die_write_here);
	EXPECT_REG(r15, MARK);
	EXPECT_EQ(0, stack_of(&self->l)->flags);
	EXPECT_TRUE(has_pattern(&self->l));
	EXPECT_EQ((uintptr_t)die_write_here, self->l.taker.regs[RIP]);
}

static int act_read_only(struct slave *s)
{
	s->stack = (uintptr_t)mmap(NULL, PAGE, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 5;
	die_read_only(&s->sp, (void *)s->stack);
	return 1;
}

TEST_F(crash, write_to_what_is_read_only)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_read_only));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_CAUSE(SEGV_ACCERR, self->l.s->stack);
	EXPECT_REG(rip, die_read_only_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int act_divide(struct slave *s)
{
	die_divide(&s->sp, NULL);
	return 1;
}

TEST_F(crash, division_by_zero)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_divide));
	EXPECT_DEATH(SIGFPE);
	EXPECT_CAUSE(FPE_INTDIV, die_divide_here);
	EXPECT_REG(rip, die_divide_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int act_ud2(struct slave *s)
{
	die_ud2(&s->sp, NULL);
	return 1;
}

TEST_F(crash, invalid_instruction)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_ud2));
	EXPECT_DEATH(SIGILL);
	EXPECT_CAUSE(ILL_ILLOPN, die_ud2_here);
	EXPECT_REG(rip, die_ud2_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int act_int3(struct slave *s)
{
	die_int3(&s->sp, NULL);
	return 1;
}

TEST_F(crash, breakpoint)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_int3));
	EXPECT_DEATH(SIGTRAP);
	EXPECT_EQ(SI_KERNEL, last_of(&self->l)->signal_code);
	/* int3 is a trap: RIP is that of the next instruction. */
	EXPECT_REG(rip, die_int3_here + 1);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int act_hlt(struct slave *s)
{
	die_hlt(&s->sp, NULL);
	return 1;
}

TEST_F(crash, privileged_instruction)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_hlt));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_CAUSE(SI_KERNEL, 0);
	EXPECT_REG(rip, die_hlt_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int act_jump(struct slave *s)
{
	die_jump(&s->sp, NULL);
	return 1;
}

TEST_F(crash, jump_to_nothing)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_jump));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_CAUSE(SEGV_MAPERR, 0);
	EXPECT_REG(rip, 0);
	EXPECT_REG(r15, MARK);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int act_bus(struct slave *s)
{
	int fd = memfd_create("cut-off", MFD_CLOEXEC);

	if (ftruncate(fd, 2 * PAGE))
		return 1;
	s->stack = (uintptr_t)mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd,
				   0) + PAGE;
	if (ftruncate(fd, PAGE))
		return 1;
	die_read(&s->sp, (void *)s->stack);
	return 1;
}

TEST_F(crash, file_cut_off)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_bus));
	EXPECT_DEATH(SIGBUS);
	EXPECT_CAUSE(BUS_ADRERR, self->l.s->stack);
	EXPECT_REG(rip, die_read_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int act_abort(struct slave *s)
{
	abort();
}

TEST_F(crash, abort)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_abort));
	EXPECT_DEATH(SIGABRT);
	EXPECT_CAUSE(SI_TKILL, 0);
	EXPECT_EQ(CP_ENTRY_SYSCALL, last_of(&self->l)->entry);
	EXPECT_EQ(0, stack_of(&self->l)->flags);
}

/* Signals from the slave to itself, by calls that differ in si_code. */
static int act_raise(struct slave *s)
{
	raise(SIGTERM);
	return 1;
}

TEST_F(crash, raise)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_raise));
	EXPECT_DEATH(SIGTERM);
	EXPECT_CAUSE(SI_TKILL, 0);
	EXPECT_EQ(SYS_tgkill, last_of(&self->l)->syscall);
	EXPECT_EQ(0, stack_of(&self->l)->flags);
}

static int act_queue(struct slave *s)
{
	sigqueue(getpid(), SIGQUIT, (union sigval){ .sival_int = 1 });
	return 1;
}

TEST_F(crash, queued_signal)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_queue));
	EXPECT_DEATH(SIGQUIT);
	EXPECT_CAUSE(SI_QUEUE, 0);
}

static int act_alarm(struct slave *s)
{
	struct itimerspec soon = { .it_value = { 0, 1000000 } };
	timer_t timer;

	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &soon, NULL);
	return body_sleep(NULL);
}

TEST_F(crash, timer)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_alarm));
	EXPECT_DEATH(SIGALRM);
	EXPECT_EQ(0, stack_of(&self->l)->flags);
}

/* Recursion until the stack overflows; each frame holds MARK and its depth. */
static int __attribute__((noinline)) dive(struct slave *s, uint64_t depth)
{
	volatile uint64_t frame[32];
	int ret;

	if (!s)
		return 0;
	frame[0] = MARK;
	frame[1] = depth;
	frame[31] = ~depth;
	s->stack = (uintptr_t)frame;
	ret = dive(s, depth + 1);
	return ret + frame[0] + frame[31];
}

/* Does the copy hold @count consecutive frames, from the deepest known one up? */
static bool has_frames(struct life *l, unsigned int count)
{
	const struct cp_segment *seg = stack_of(l);
	const uint64_t *at = copy_of(l, l->s->stack, 16), *end;
	uint64_t depth;

	end = (const void *)(l->m.region + seg->offset + (seg->size & ~7UL));
	if (!at || at[0] != MARK)
		return false;
	for (depth = at[1]; count && at + 32 < end; at++) {
		if (at[0] != MARK)
			continue;
		if (at[1] != depth || at[31] != ~depth)
			return false;
		depth--;
		count--;
	}
	return !count;
}

static int act_overflow(struct slave *s)
{
	struct rlimit limit = { 512 * 1024, 512 * 1024 };

	setrlimit(RLIMIT_STACK, &limit);
	return dive(s, 1);
}

TEST_F(crash, stack_overflow)
{
	const struct cp_regs *regs;

	ASSERT_TRUE(live(&self->l, &variant->kind, act_overflow));
	EXPECT_DEATH(SIGSEGV);
	regs = &last_of(&self->l)->regs;
	EXPECT_LE(regs->rsp - 512, last_of(&self->l)->signal_addr);
	EXPECT_GE(regs->rsp, last_of(&self->l)->signal_addr);
	EXPECT_TRUE(has_frames(&self->l, 500));
}

/* Even if the slave's other checkpoints hold one page of the stack. */
TEST_F(crash, whole_stack_under_a_limit_of_its_own)
{
	struct kind kind = variant->kind;

	kind.stack_limit = PAGE;
	kind.death_stack_limit = 1024 * 1024;
	ASSERT_TRUE(live(&self->l, &kind, act_overflow));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_EQ(0, stack_of(&self->l)->flags);
	EXPECT_TRUE(has_frames(&self->l, 500));
}

TEST_F(crash, stack_is_cut_at_the_limit_of_all)
{
	struct kind kind = variant->kind;

	kind.stack_limit = PAGE;
	ASSERT_TRUE(live(&self->l, &kind, act_overflow));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_EQ(CP_SEGF_TRUNCATED, stack_of(&self->l)->flags);
	EXPECT_GE(PAGE, stack_of(&self->l)->size);
}

/* The thread that is the slave. */
static void *thread_act(void *arg)
{
	struct slave *s = arg;

	s->tid = gettid();
	wait_at_gate(s);
	s->act(s);
	return NULL;
}

static int act_dive(struct slave *s)
{
	return dive(s, 1);
}

/* A process whose second thread is the slave; the main thread sleeps. */
static int body_thread(void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	if (pthread_create(&thread, &attr, thread_act, arg))
		return 1;
	return body_sleep(NULL);
}

static bool thread_start(struct life *l, const struct kind *kind,
			 int (*act)(struct slave *s), int (*body)(void *))
{
	struct cp_prep arg = {
		.flags = kind->flags,
		.nr_slots = kind->slots,
	};

	memset(l, 0, sizeof(*l));
	l->s = slave_alloc(act);
	l->pid = slave_start(body, l->s);
	if (!eventually(l->s->tid && at_gate(l->s->tid)))
		return false;
	arg.pid = l->s->tid;
	return !master_prep(&l->m, &arg);
}

TEST_F(crash, stack_overflow_in_a_thread)
{
	ASSERT_TRUE(thread_start(&self->l, &variant->kind, act_dive,
				 body_thread));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_EQ(SEGV_ACCERR, last_of(&self->l)->signal_code);
	EXPECT_TRUE(has_frames(&self->l, 500));
}

TEST_F(crash, in_a_thread)
{
	ASSERT_TRUE(thread_start(&self->l, &variant->kind, act_write,
				 body_thread));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_CAUSE(SEGV_MAPERR, 0);
	EXPECT_REG(rip, die_write_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

/* Deaths in signal handlers, and on the way to them. */
static void handle_and_die(int sig)
{
	die_write(&shared->sp, NULL);
}

static int act_die_in_handler(struct slave *s)
{
	signal(SIGUSR1, handle_and_die);
	raise(SIGUSR1);
	return 1;
}

TEST_F(crash, in_a_handler)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_die_in_handler));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_CAUSE(SEGV_MAPERR, 0);
	EXPECT_REG(rip, die_write_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

static void handle_twice(int sig)
{
	shared->handled++;
	die_divide(&shared->sp, NULL);
}

static int act_die_in_its_handler(struct slave *s)
{
	signal(SIGFPE, handle_twice);
	die_divide(&s->sp, NULL);
	return 1;
}

TEST_F(crash, in_the_handler_of_the_same_signal)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_die_in_its_handler));
	EXPECT_DEATH(SIGFPE);
	EXPECT_EQ(1, self->l.s->handled);
	EXPECT_REG(rip, die_divide_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

/* Installs @fn for @sig, on an alternate stack that is private to the slave. */
static void use_alternate_stack(struct slave *s, int sig, void (*fn)(int sig))
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_size = 16 * PAGE };

	stack.ss_sp = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s->stack = (uintptr_t)stack.ss_sp;
	sigaltstack(&stack, NULL);
	sigaction(sig, &sa, NULL);
}

static int act_die_on_alternate_stack(struct slave *s)
{
	use_alternate_stack(s, SIGUSR1, handle_and_die);
	raise(SIGUSR1);
	return 1;
}

TEST_F(crash, on_an_alternate_stack)
{
	const struct cp_segment *seg;

	ASSERT_TRUE(live(&self->l, &variant->kind, act_die_on_alternate_stack));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_REG(rip, die_write_here);
	EXPECT_TRUE(has_pattern(&self->l));
	seg = stack_of(&self->l);
	EXPECT_LE(self->l.s->stack, seg->addr);
	EXPECT_GT(self->l.s->stack + 16 * PAGE, seg->addr);
}

static void handle_overflow(int sig)
{
	shared->handled++;
	signal(SIGSEGV, SIG_DFL);
}

/* The handler returns, and the same instruction faults again. */
static int act_overflow_twice(struct slave *s)
{
	use_alternate_stack(s, SIGSEGV, handle_overflow);
	return act_overflow(s);
}

TEST_F(crash, again_after_its_handler)
{
	uint64_t stack;

	ASSERT_TRUE(live(&self->l, &variant->kind, act_overflow_twice));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_EQ(1, self->l.s->handled);
	EXPECT_EQ(SEGV_MAPERR, last_of(&self->l)->signal_code);
	stack = stack_of(&self->l)->addr;
	EXPECT_LE(stack, self->l.s->stack);
	EXPECT_TRUE(has_frames(&self->l, 500));
}

/* The kernel cannot write the handler's frame, and kills the slave instead. */
static int act_overflow_with_handler(struct slave *s)
{
	signal(SIGSEGV, handle_overflow);
	return act_overflow(s);
}

TEST_F(crash, without_room_for_the_handler)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_overflow_with_handler));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_EQ(0, self->l.s->handled);
	EXPECT_TRUE(has_frames(&self->l, 500));
}

static int act_overflow_with_other_handler(struct slave *s)
{
	static struct rlimit limit = { 512 * 1024, 512 * 1024 };

	setrlimit(RLIMIT_STACK, &limit);
	signal(SIGUSR1, handle_overflow);
	/* RSP is 64 bytes above a mapping's start: too few for a frame. */
	s->stack = (uintptr_t)mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	asm volatile("movq %0, %%rsp\n\t"
		     "syscall\n\t"
		     "ud2"
		     : : "r" (s->stack + 64), "a" (SYS_tgkill), "D" (getpid()),
		     "S" (getpid()), "d" (SIGUSR1) : "rcx", "r11", "memory");
	return 1;
}

TEST_F(crash, without_room_for_the_handler_of_another_signal)
{
	ASSERT_TRUE(live(&self->l, &variant->kind,
			 act_overflow_with_other_handler));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_EQ(0, self->l.s->handled);
	EXPECT_REG(rsp, self->l.s->stack + 64);
	EXPECT_EQ(self->l.s->stack, stack_of(&self->l)->addr);
	EXPECT_EQ(16 * PAGE, stack_of(&self->l)->size);
}

/*
 * Deaths by other processes, in each state that the slave may be in.
 */
FIXTURE(killed)
{
	struct life l;
};

KINDS(killed);

FIXTURE_SETUP(killed)
{
}

FIXTURE_TEARDOWN(killed)
{
	slave_kill(self->l.pid);
}

static int act_spin(struct slave *s)
{
	s->reached = true;
	die_spin(&s->sp, NULL);
	return 1;
}

static bool spins(struct life *l)
{
	return l->s->reached && l->s->sp && task_state(l->pid) == 'R';
}

static const int killers[] = { SIGKILL, SIGTERM };

TEST_F(killed, while_running)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(life_start(&self->l, &variant->kind, act_spin));
		ASSERT_TRUE(life_go(&self->l, &variant->kind));
		ASSERT_TRUE(eventually(spins(&self->l)));
		/* Time for a few interrupts. */
		sleep_ms(5);
		kill(self->l.pid, killers[i % 2]);
		ASSERT_TRUE(life_over(&self->l, &variant->kind));
		EXPECT_DEATH(killers[i % 2]);
		EXPECT_CAUSE(SI_USER, 0);
		EXPECT_REG(rip, die_spin_here);
		EXPECT_REG(r15, MARK);
		EXPECT_TRUE(has_pattern(&self->l));
		master_close(&self->l.m);
	}
}

static int act_spin_deep(struct slave *s)
{
	volatile char room[4 * PAGE];

	room[0] = 0;
	return act_spin(s) + room[0];
}

/* Kills a held slave: between its checkpoint and user mode. */
static bool life_hold_and_kill(struct life *l, const struct kind *kind)
{
	struct cp_hold hold = {
		.deadline = now_ns() + 60 * 1000000000ULL,
		.limit = 600 * 1000000000ULL,
	};

	return life_start(l, kind, act_spin_deep) && life_go(l, kind) &&
	       eventually(spins(l)) && !ioctl(l->m.fd, CP_IOC_HOLD, &hold) &&
	       !kill(l->pid, SIGKILL) && life_over(l, kind);
}

/*
 * The state of such a death is a copy of the checkpoint, in a slot that may be smaller, or
 * larger.
 */
#define EXPECT_COPY_OF_ONE_PAGE()					\
do {									\
	const struct cp_segment *__seg = stack_of(&self->l);		\
									\
	EXPECT_DEATH(SIGKILL);						\
	EXPECT_REG(rip, die_spin_here);					\
	EXPECT_EQ(CP_SEGF_TRUNCATED, __seg->flags);			\
	EXPECT_EQ(PAGE, __seg->size);					\
	ASSERT_GE(self->l.m.size, __seg->offset + __seg->size);		\
	EXPECT_TRUE(has_pattern(&self->l));				\
	EXPECT_EQ(CP_SEGMENT_XSTATE, __seg[1].kind);			\
	EXPECT_LE(512, __seg[1].size);					\
	EXPECT_GE(self->l.m.size, __seg[1].offset + __seg[1].size);	\
} while (0)

TEST_F(killed, while_held_under_a_smaller_limit)
{
	struct kind kind = variant->kind;

	kind.flags |= CP_PREP_XSTATE;
	kind.death_stack_limit = PAGE;
	ASSERT_TRUE(life_hold_and_kill(&self->l, &kind));
	EXPECT_COPY_OF_ONE_PAGE();
}

TEST_F(killed, while_held_under_a_larger_limit)
{
	struct kind kind = variant->kind;

	kind.flags |= CP_PREP_XSTATE;
	kind.stack_limit = PAGE;
	kind.death_stack_limit = 1024 * 1024;
	ASSERT_TRUE(life_hold_and_kill(&self->l, &kind));
	EXPECT_COPY_OF_ONE_PAGE();
}

static int act_call(struct slave *s)
{
	s->reached = true;
	return body_syscalls(NULL);
}

/* At random points of a system call. */
TEST_F_TIMEOUT(killed, while_calling, 120)
{
	unsigned int i;

	for (i = 0; i < 40; i++) {
		ASSERT_TRUE(life_start(&self->l, &variant->kind, act_call));
		ASSERT_TRUE(life_go(&self->l, &variant->kind));
		ASSERT_TRUE(eventually(self->l.s->reached));
		usleep(rand() % 3000);
		kill(self->l.pid, killers[i % 2]);
		ASSERT_TRUE(life_over(&self->l, &variant->kind));
		EXPECT_DEATH(killers[i % 2]);
		EXPECT_EQ(0, stack_of(&self->l)->flags);
		EXPECT_LT(0, stack_of(&self->l)->size);
		master_close(&self->l.m);
	}
}

static int act_sleep(struct slave *s)
{
	s->reached = true;
	wait_at_gate(s);
	return 1;
}

static bool sleeps(struct life *l)
{
	return l->s->reached && at_gate(l->pid) && task_state(l->pid) == 'S';
}

/* The state of death is that of the call in which the slave slept, as in a core. */
#define EXPECT_ASLEEP()							\
do {									\
	EXPECT_EQ(CP_ENTRY_SYSCALL, last_of(&self->l)->entry);		\
	EXPECT_EQ(SYS_read, last_of(&self->l)->syscall);		\
	EXPECT_EQ(0, stack_of(&self->l)->flags);			\
	EXPECT_LT(0, stack_of(&self->l)->size);				\
} while (0)

TEST_F(killed, while_asleep)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		ASSERT_TRUE(life_start(&self->l, &variant->kind, act_sleep));
		ASSERT_TRUE(life_go(&self->l, &variant->kind));
		ASSERT_TRUE(eventually(sleeps(&self->l)));
		kill(self->l.pid, killers[i % 2]);
		ASSERT_TRUE(life_over(&self->l, &variant->kind));
		EXPECT_DEATH(killers[i % 2]);
		EXPECT_CAUSE(SI_USER, 0);
		EXPECT_ASLEEP();
		master_close(&self->l.m);
	}
}

TEST_F(killed, before_its_first_return)
{
	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_sleep));
	kill(self->l.pid, SIGKILL);
	self->l.taker.m = &self->l.m;
	self->l.taker.in_order = true;
	ASSERT_TRUE(eventually(is_over(&self->l)));
	take_all(&self->l.taker);
	EXPECT_DEATH(SIGKILL);
	EXPECT_EQ(1, self->l.taker.taken);
	EXPECT_EQ(1, self->l.taker.last.seq);
	EXPECT_ASLEEP();
}

TEST_F(killed, while_waiting_for_its_master)
{
	unsigned int i;
	bool in_call;

	if (!variant->kind.waits)
		SKIP(return, "it never waits");
	for (i = 0; i < 6; i++) {
		ASSERT_TRUE(life_start(&self->l, &variant->kind, act_call));
		ASSERT_TRUE(gate_open(self->l.s));
		if (i % 3)
			ASSERT_EQ(1, master_get(&self->l.m));
		ASSERT_TRUE(eventually(master_state_is(&self->l.m,
						       "slave-waiting")));
		/* The slave may wait at the return from a tick instead of a call. */
		ASSERT_TRUE(eventually(task_state(self->l.pid) == 'S'));
		in_call = task_syscall(self->l.pid) >= 0;
		self->l.taker.m = &self->l.m;
		self->l.taker.in_order = true;
		self->l.taker.last = self->l.m.get;
		kill(self->l.pid, killers[i % 2]);
		ASSERT_TRUE(eventually(is_over(&self->l)));
		take_all(&self->l.taker);
		EXPECT_DEATH(killers[i % 2]);
		EXPECT_EQ(in_call,
			  last_of(&self->l)->entry == CP_ENTRY_SYSCALL);
		EXPECT_EQ(0, stack_of(&self->l)->flags);
		master_close(&self->l.m);
	}
}

TEST_F(killed, while_stopped)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		ASSERT_TRUE(life_start(&self->l, &variant->kind, act_sleep));
		ASSERT_TRUE(life_go(&self->l, &variant->kind));
		ASSERT_TRUE(eventually(sleeps(&self->l)));
		kill(self->l.pid, SIGSTOP);
		ASSERT_TRUE(eventually(task_state(self->l.pid) == 'T'));
		kill(self->l.pid, killers[i % 2]);
		kill(self->l.pid, SIGCONT);
		ASSERT_TRUE(life_over(&self->l, &variant->kind));
		EXPECT_DEATH(killers[i % 2]);
		EXPECT_ASLEEP();
		master_close(&self->l.m);
	}
}

static bool trace(pid_t pid)
{
	int status;

	return !ptrace(PTRACE_SEIZE, pid, 0, 0) &&
	       !ptrace(PTRACE_INTERRUPT, pid, 0, 0) &&
	       waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
}

TEST_F(killed, while_stopped_by_a_debugger)
{
	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_sleep));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(eventually(sleeps(&self->l)));
	ASSERT_TRUE(trace(self->l.pid));
	kill(self->l.pid, SIGKILL);
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH(SIGKILL);
	EXPECT_ASLEEP();
}

static void handle(int sig)
{
	shared->handled++;
}

static int act_sleep_with_handler(struct slave *s)
{
	signal(SIGUSR1, handle);
	return act_sleep(s);
}

/* A slave in signal-delivery-stop, which a debugger has not decided on yet. */
TEST_F(killed, while_a_debugger_looks_at_a_signal)
{
	static const int signals[] = { SIGUSR1, SIGTERM };
	unsigned int i;
	int status;

	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(life_start(&self->l, &variant->kind,
				       act_sleep_with_handler));
		ASSERT_TRUE(life_go(&self->l, &variant->kind));
		ASSERT_TRUE(eventually(sleeps(&self->l)));
		ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->l.pid, 0, 0));
		kill(self->l.pid, signals[i]);
		ASSERT_EQ(self->l.pid, waitpid(self->l.pid, &status, __WALL));
		ASSERT_TRUE(WIFSTOPPED(status));
		EXPECT_EQ(signals[i], WSTOPSIG(status));
		kill(self->l.pid, SIGKILL);
		ASSERT_TRUE(life_over(&self->l, &variant->kind));
		EXPECT_DEATH(SIGKILL);
		EXPECT_EQ(0, self->l.s->handled);
		EXPECT_ASLEEP();
		master_close(&self->l.m);
	}
}

TEST_F(killed, signal_let_through_by_a_debugger)
{
	int status;

	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_sleep));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(eventually(sleeps(&self->l)));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->l.pid, 0, 0));
	kill(self->l.pid, SIGTERM);
	ASSERT_EQ(self->l.pid, waitpid(self->l.pid, &status, __WALL));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->l.pid, 0, SIGTERM));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH(SIGTERM);
	EXPECT_ASLEEP();
}

/* Starts the slave as another thread, and waits until it is where it will die. */
static bool start_beside(struct slave *s)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_act, s))
		return false;
	while (!s->reached || !s->sp)
		sleep_ms(1);
	sleep_ms(5);
	return true;
}

static int body_crash_beside_slave(void *arg)
{
	if (!start_beside(arg))
		return 1;
	asm volatile("movl $1, 8");
	return 1;
}

static int body_exit_beside_slave(void *arg)
{
	if (!start_beside(arg))
		return 1;
	_exit(9);
}

/* The checkpoint has the slave's own registers, and the other thread's signal. */
TEST_F(killed, by_the_crash_of_another_thread)
{
	ASSERT_TRUE(thread_start(&self->l, &variant->kind, act_spin,
				 body_crash_beside_slave));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH_ELSEWHERE(SIGSEGV, self->l.pid);
	EXPECT_REG(rip, die_spin_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

static int body_terminate_beside_slave(void *arg)
{
	if (!start_beside(arg))
		return 1;
	syscall(SYS_tgkill, getpid(), gettid(), SIGTERM);
	return 1;
}

/* SIGTERM writes no core, so the kernel does not record which thread it hit. */
TEST_F(killed, by_a_signal_to_another_thread)
{
	ASSERT_TRUE(thread_start(&self->l, &variant->kind, act_spin,
				 body_terminate_beside_slave));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH_ELSEWHERE(SIGTERM, 0);
	EXPECT_REG(rip, die_spin_here);
}

static int body_all_killed(void *arg)
{
	if (!start_beside(arg))
		return 1;
	kill(getpid(), SIGTERM);
	return 1;
}

/* A signal to the process counts as one to each of its threads. */
TEST_F(killed, by_a_signal_to_the_process_of_several_threads)
{
	ASSERT_TRUE(thread_start(&self->l, &variant->kind, act_spin,
				 body_all_killed));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH(SIGTERM);
	EXPECT_CAUSE(SI_USER, 0);
	EXPECT_REG(rip, die_spin_here);
}

TEST_F(killed, not_by_the_exit_of_another_thread)
{
	ASSERT_TRUE(thread_start(&self->l, &variant->kind, act_spin,
				 body_exit_beside_slave));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_NO_DEATH();
	EXPECT_EQ(9 << 8, self->l.m.get.status);
}

/*
 * Ends that are not deaths, and signals that do not kill.
 */
FIXTURE(alive)
{
	struct life l;
};

KINDS(alive);

FIXTURE_SETUP(alive)
{
}

FIXTURE_TEARDOWN(alive)
{
	slave_kill(self->l.pid);
}

#define FAULTS	50

static sigjmp_buf resume_at;

static void handle_and_jump(int sig)
{
	shared->handled++;
	siglongjmp(resume_at, 1);
}

static int act_survive(struct slave *s)
{
	volatile int i;

	signal(SIGSEGV, handle_and_jump);
	for (i = 0; i < FAULTS; i++)
		if (!sigsetjmp(resume_at, 1))
			die_write(&s->sp, NULL);
	return i;
}

TEST_F(alive, handler_that_jumps_away)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_survive));
	EXPECT_NO_DEATH();
	EXPECT_EQ(FAULTS << 8, self->l.status);
	EXPECT_EQ(FAULTS, self->l.s->handled);
}

static void handle_and_map(int sig, siginfo_t *info, void *context)
{
	shared->handled++;
	mprotect(info->si_addr, PAGE, PROT_READ | PROT_WRITE);
}

static int act_mend(struct slave *s)
{
	struct sigaction sa = {
		.sa_sigaction = handle_and_map,
		.sa_flags = SA_SIGINFO,
	};
	char *pages = mmap(NULL, FAULTS * PAGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i, sum = 0;

	sigaction(SIGSEGV, &sa, NULL);
	for (i = 0; i < FAULTS; i++)
		pages[i * PAGE] = 1;
	for (i = 0; i < FAULTS; i++)
		sum += pages[i * PAGE];
	return sum;
}

TEST_F(alive, handler_that_mends_the_fault)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_mend));
	EXPECT_NO_DEATH();
	EXPECT_EQ(FAULTS << 8, self->l.status);
	EXPECT_EQ(FAULTS, self->l.s->handled);
}

/* Signals that do not kill the slave, and then an exit. */
static int act_ignore(struct slave *s)
{
	int i;

	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR1, handle);
	for (i = 0; i < 20; i++) {
		raise(SIGTERM);
		raise(SIGCHLD);
		raise(SIGURG);
		raise(SIGCONT);
		raise(SIGUSR1);
	}
	return s->handled;
}

TEST_F(alive, ignored_and_handled_signals)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_ignore));
	EXPECT_NO_DEATH();
	EXPECT_EQ(20 << 8, self->l.status);
}

static int act_read_twice(struct slave *s)
{
	s->reached = true;
	wait_at_gate(s);
	return 5;
}

TEST_F(alive, stopped_and_continued)
{
	int i;

	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_read_twice));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(eventually(sleeps(&self->l)));
		kill(self->l.pid, SIGSTOP);
		ASSERT_TRUE(eventually(task_state(self->l.pid) == 'T'));
		kill(self->l.pid, SIGCONT);
	}
	ASSERT_TRUE(gate_open(self->l.s));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_NO_DEATH();
	EXPECT_EQ(5 << 8, self->l.m.get.status);
}

TEST_F(alive, signal_that_a_debugger_discards)
{
	int status;

	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_read_twice));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(eventually(sleeps(&self->l)));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->l.pid, 0, 0));
	kill(self->l.pid, SIGTERM);
	ASSERT_EQ(self->l.pid, waitpid(self->l.pid, &status, __WALL));
	ASSERT_EQ(SIGTERM, WSTOPSIG(status));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->l.pid, 0, 0));
	ASSERT_TRUE(gate_open(self->l.s));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_NO_DEATH();
	EXPECT_EQ(5 << 8, self->l.m.get.status);
}

static int act_exit(struct slave *s)
{
	return 7;
}

TEST_F(alive, exit_is_no_death)
{
	ASSERT_TRUE(live(&self->l, &variant->kind, act_exit));
	EXPECT_NO_DEATH();
	EXPECT_LT(0, self->l.taker.taken);
	EXPECT_EQ(7 << 8, self->l.m.get.status);
}

static int act_exec(struct slave *s)
{
	execl("/proc/self/exe", "other-program", NULL);
	return 99;
}

TEST_F(alive, exec_is_no_death)
{
	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_exec));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(eventually(master_poll(&self->l.m, 0) & POLLHUP));
	slave_kill(self->l.pid);
	ASSERT_TRUE(life_taken(&self->l, &variant->kind));
	EXPECT_NO_DEATH();
	EXPECT_EQ(CP_END_EXEC, self->l.m.get.reason);
}

TEST_F(alive, end_by_the_master_is_no_death)
{
	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_sleep));
	ASSERT_EQ(0, ioctl(self->l.m.fd, CP_IOC_END));
	slave_kill(self->l.pid);
	self->l.pid = 0;
	EXPECT_EQ(0, master_get(&self->l.m));
	EXPECT_EQ(CP_END_DETACHED, self->l.m.get.reason);
}

TEST_F(alive, no_state_of_death_unless_asked_for)
{
	struct kind kind = variant->kind;

	kind.flags &= ~CP_PREP_DEATH;
	ASSERT_TRUE(live(&self->l, &kind, act_write));
	EXPECT_NO_DEATH();
	EXPECT_EQ(SIGSEGV, self->l.m.get.status & 0x7f);
}

/*
 * How the master receives the state of death.
 */
FIXTURE(given)
{
	struct life l;
};

KINDS(given);

FIXTURE_SETUP(given)
{
}

FIXTURE_TEARDOWN(given)
{
	slave_kill(self->l.pid);
}

TEST_F(given, kept_when_the_master_cannot_receive_it)
{
	struct cp_get bad = { .deadline = CP_FOREVER, .regs = 8 };
	uint64_t seq;
	int i;

	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_sleep));
	kill(self->l.pid, SIGKILL);
	ASSERT_TRUE(eventually(master_poll(&self->l.m, 0) ==
			       (POLLIN | POLLHUP)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(-1, ioctl(self->l.m.fd, CP_IOC_GET, &bad));
		ASSERT_EQ(EFAULT, errno);
		ASSERT_EQ(POLLIN | POLLHUP, master_poll(&self->l.m, 0));
	}
	ASSERT_EQ(1, master_get(&self->l.m));
	seq = self->l.m.get.seq;
	EXPECT_EQ(1, seq);
	EXPECT_EQ(CP_CHECKPOINT_DEATH, master_checkpoint(&self->l.m)->flags);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, master_get(&self->l.m));
	/* The mapping still holds it. */
	EXPECT_EQ(seq, master_newest_seq(&self->l.m));
}

TEST_F(given, whatever_the_rate)
{
	struct cp_prep arg = {
		.flags = variant->kind.flags,
		.nr_slots = variant->kind.slots,
		.every = 1000000,
		.interval = 3600 * 1000000000ULL,
	};

	self->l.s = slave_alloc(act_write);
	self->l.pid = slave_start(body_act, self->l.s);
	arg.pid = self->l.pid;
	ASSERT_TRUE(eventually(at_gate(self->l.pid)));
	ASSERT_EQ(0, master_prep(&self->l.m, &arg));
	ASSERT_TRUE(life_go(&self->l, &variant->kind));
	ASSERT_TRUE(life_over(&self->l, &variant->kind));
	EXPECT_DEATH(SIGSEGV);
	/* The first return, which is always captured, and the death. */
	EXPECT_EQ(2, self->l.taker.last.seq);
	EXPECT_REG(rip, die_write_here);
	EXPECT_TRUE(has_pattern(&self->l));
}

/* The state of death includes the extended registers. */
TEST_F(given, with_extended_registers)
{
	struct kind kind = variant->kind;
	const struct cp_checkpoint *c;
	const struct cp_segment *seg;

	kind.flags |= CP_PREP_XSTATE;
	ASSERT_TRUE(live(&self->l, &kind, act_write));
	EXPECT_DEATH(SIGSEGV);
	c = last_of(&self->l);
	ASSERT_EQ(2, c->nr_segments);
	seg = stack_of(&self->l) + 1;
	EXPECT_EQ(CP_SEGMENT_XSTATE, seg->kind);
	EXPECT_LE(512, seg->size);
	EXPECT_TRUE(has_pattern(&self->l));
}

/* A core_pattern helper, which reads the core of the dying slave from a pipe. */
#define CORE_HELPER	"core-helper"
#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"

static void __attribute__((constructor)) other_program(int argc, char **argv)
{
	char buf[4096];
	int fd;

	if (argc && !strcmp(argv[0], "other-program"))
		body_sleep(NULL);
	if (argc != 3 || strcmp(argv[1], CORE_HELPER))
		return;
	fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while (read(0, buf, sizeof(buf)) > 0)
		;
	if (write(fd, "done", 4) != 4)
		_exit(1);
	_exit(0);
}

static bool read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

	close(fd);
	if (len >= 0)
		text[len] = 0;
	return len >= 0;
}

static bool core_was_taken(const char *path)
{
	char text[8];

	return read_file(path, text, sizeof(text)) && !strcmp(text, "done");
}

TEST_F(given, beside_a_core_handler_of_the_system)
{
	char self_path[128] = "", pattern[256], before[256] = "", path[40];
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	snprintf(path, sizeof(path), "/tmp/core-taken-%d", getpid());
	ASSERT_LT(0, readlink("/proc/self/exe", self_path,
			      sizeof(self_path) - 1));
	snprintf(pattern, sizeof(pattern), "|%s " CORE_HELPER " %s", self_path,
		 path);
	if (strlen(pattern) > 127)
		SKIP(return, "this program's path is too long for it");
	ASSERT_TRUE(read_file(CORE_PATTERN, before, sizeof(before)));
	setrlimit(RLIMIT_CORE, &unlimited);
	ASSERT_TRUE(write_file(CORE_PATTERN, pattern));
	EXPECT_TRUE(live(&self->l, &variant->kind, act_write));
	EXPECT_TRUE(write_file(CORE_PATTERN, before));
	EXPECT_DEATH(SIGSEGV);
	EXPECT_TRUE(WCOREDUMP(self->l.status));
	EXPECT_TRUE(eventually(core_was_taken(path)));
	EXPECT_CAUSE(SEGV_MAPERR, 0);
	EXPECT_REG(rip, die_write_here);
	EXPECT_TRUE(has_pattern(&self->l));
	unlink(path);
}

/* Uses more memory than its cgroup allows. */
static int act_eat(struct slave *s)
{
	size_t size = 256 << 20;
	char *all = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	s->stack = (uintptr_t)all;
	memset(all, 1, size);
	return 1;
}

#define PRINTK	"/proc/sys/kernel/printk"

TEST_F(given, after_the_memory_ran_out)
{
	char group[64], pid[12], printk[64];

	snprintf(group, sizeof(group), "/sys/fs/cgroup/checkpoint-death-%d",
		 getpid());
	group_write("/sys/fs/cgroup", "cgroup.subtree_control", "+memory");
	if (mkdir(group, 0755) || !group_write(group, "memory.max", "16M")) {
		rmdir(group);
		SKIP(return, "no memory controller of cgroup v2");
	}
	ASSERT_TRUE(life_start(&self->l, &variant->kind, act_eat));
	snprintf(pid, sizeof(pid), "%d", self->l.pid);
	ASSERT_TRUE(group_write(group, "cgroup.procs", pid));
	/* The OOM report in the kernel log would look like a bug to the runner. */
	ASSERT_TRUE(read_file(PRINTK, printk, sizeof(printk)));
	ASSERT_TRUE(write_file(PRINTK, "2"));
	EXPECT_TRUE(life_go(&self->l, &variant->kind));
	EXPECT_TRUE(life_over(&self->l, &variant->kind));
	ASSERT_TRUE(write_file(PRINTK, printk));
	EXPECT_DEATH(SIGKILL);
	/* The OOM reaper may have freed parts of the stack, but not the registers. */
	EXPECT_EQ(0, stack_of(&self->l)->flags & ~CP_SEGF_HOLE);
	EXPECT_LT(0, stack_of(&self->l)->size);
	EXPECT_TRUE(eventually(!rmdir(group)));
}

TEST_HARNESS_MAIN
