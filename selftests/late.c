// SPDX-License-Identifier: GPL-2.0-only
/*
 * Late captures: stacks that hook_user_return() copies with interrupts off, and
 * stacks that it cannot copy there, because they are too large, have holes, or
 * belong to a process that changes its mappings. The checkpoints must not show which
 * way they were captured. The slave must make progress even if the master takes each
 * checkpoint before the slave has reached user mode.
 */
#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/rseq.h>

#define PAGE	4096UL
#define ROOM	(64 * PAGE)	/* size of the stack's mapping */
#define WORDS	512UL		/* of the stack that the slave fills */
#define CALLS	100UL		/* per round */
#define ROUNDS	6

/* The slave's stack, in pages from its mapping's end downwards. */
struct shape {
	unsigned long depth[2];	/* of RSP, in alternate calls */
	unsigned long hole;	/* page without access; 0: none */
	bool unrest;		/* a thread changes pages and mappings */
};

/*
 * Fills WORDS above RSP with the counter in RBX and makes a system call,
 * alternating between two stack pointers. Before each round of CALLS, it reads from
 * @gate.
 */
asm("fill_and_call:\n"
    "	movq	%rdi, %r12\n"
    "	movq	%rsi, %r13\n"
    "	movl	%edx, %r14d\n"
    "	movq	%rdi, %rsp\n"
    "	xorl	%ebx, %ebx\n"
    "1:	movl	%r14d, %edi\n"
    "	movq	%rsp, %rsi\n"
    "	movl	$1, %edx\n"
    "	xorl	%eax, %eax\n"	/* read */
    "	syscall\n"
    "	movl	$100, %r15d\n"
    "2:	incq	%rbx\n"
    "	xchgq	%r12, %r13\n"
    "	movq	%r12, %rsp\n"
    "	movq	%rsp, %rdi\n"
    "	movl	$512, %ecx\n"
    "	movq	%rbx, %rax\n"
    "	rep stosq\n"
    "	movl	$110, %eax\n"	/* getppid */
    "	syscall\n"
    "	decl	%r15d\n"
    "	jnz	2b\n"
    "	jmp	1b\n");

void fill_and_call(void *one, void *other, int gate) __attribute__((noreturn));

/* Discards the page at the stack's end, which fill_and_call() never writes. */
static void *disturb(void *end)
{
	for (;;) {
		void *other = mmap(NULL, PAGE, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		munmap(other, PAGE);
		madvise(end - PAGE, PAGE, MADV_DONTNEED);
		usleep(100);
	}
	return NULL;
}

static void slave(const struct shape *shape, int gate)
{
	char *room, *end;
	pthread_t thread;

	/* A stack that grows down stays one stack when mprotect() splits it. */
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
	end = room + ROOM;
	if (shape->hole && mprotect(end - shape->hole * PAGE, PAGE, PROT_NONE))
		_exit(1);
	if (shape->unrest && pthread_create(&thread, NULL, disturb, end))
		_exit(1);
	fill_and_call(end - shape->depth[0] * PAGE,
		      end - shape->depth[1] * PAGE, gate);
}

FIXTURE(late)
{
	struct master m;
	int opener;
};

FIXTURE_VARIANT(late)
{
	struct shape shape;
};

FIXTURE_VARIANT_ADD(late, small) { .shape = { .depth = { 2, 3 } } };
FIXTURE_VARIANT_ADD(late, large) { .shape = { .depth = { 40, 41 } } };
FIXTURE_VARIANT_ADD(late, small_and_large) { .shape = { .depth = { 3, 40 } } };
FIXTURE_VARIANT_ADD(late, just_not_too_large)
{
	.shape = { .depth = { 15, 16 } }
};

FIXTURE_VARIANT_ADD(late, hole)
{
	.shape = { .depth = { 4, 5 }, .hole = 2 }
};

FIXTURE_VARIANT_ADD(late, unrest)
{
	.shape = { .depth = { 4, 6 }, .unrest = true }
};

FIXTURE_SETUP(late)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 2 * CALLS,
	};
	int ends[2];
	pid_t pid;

	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	pid = fork_mortal();
	if (pid == 0)
		slave(&variant->shape, ends[0]);
	close(ends[0]);
	self->opener = ends[1];
	ASSERT_TRUE(eventually(task_syscall(pid) == SYS_read));
	arg.pid = pid;
	ASSERT_EQ(0, master_prep(&self->m, &arg));
}

FIXTURE_TEARDOWN(late)
{
	master_close(&self->m);
	slave_kill(self->m.slave);
}

/* Does the copy of the slave's @addr consist of @words times @word? */
static bool copy_holds(struct master *m, uint64_t addr, uint64_t word,
		       size_t words)
{
	const uint64_t *copy = master_at(m, addr);
	size_t i;

	if (!copy || !master_at(m, addr + words * 8 - 1))
		return false;
	for (i = 0; i < words; i++)
		if (copy[i] != word)
			return false;
	return true;
}

/* The counter of the newest checkpoint. */
static uint64_t newest_call(const struct master *m)
{
	const struct cp_checkpoint *c = region_newest((const void *)m->region);

	return c ? c->regs.rbx : 0;
}

/* Takes and checks all available checkpoints; advances @calls and @seq. */
static bool take_round(struct master *m, const struct shape *shape,
		       uint64_t *calls, uint64_t *seq)
{
	while (master_get_until(m, 0, 0) == 1) {
		const struct cp_checkpoint *c = master_checkpoint(m);
		const struct cp_segment *seg = master_stack(m);
		uint64_t hole = seg->map_end - shape->hole * PAGE;

		if (c->seq != ++*seq ||
		    seg->flags != (shape->hole ? CP_SEGF_HOLE : 0) ||
		    seg->addr + seg->size != seg->map_end)
			return false;
		if (shape->hole && !copy_holds(m, hole, 0, PAGE / 8))
			return false;
		if (c->entry != CP_ENTRY_SYSCALL || c->syscall != SYS_getppid)
			continue;
		++*calls;
		if (c->regs.rbx != *calls ||
		    c->regs.rsp !=
		    seg->map_end - shape->depth[*calls % 2] * PAGE ||
		    !copy_holds(m, c->regs.rsp, *calls, WORDS))
			return false;
	}
	return true;
}

/* Late captures begin once the first rounds have allocated the region's pages. */
TEST_F_TIMEOUT(late, each_call_is_there_and_whole, 120)
{
	uint64_t calls = 0, seq = 0;
	unsigned int i;

	for (i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(1, write(self->opener, "", 1));
		ASSERT_TRUE(eventually(newest_call(&self->m) == i * CALLS &&
				       task_syscall(self->m.slave) == SYS_read));
		ASSERT_TRUE(take_round(&self->m, &variant->shape, &calls, &seq));
		ASSERT_EQ(i * CALLS, calls);
	}
	EXPECT_EQ(0, self->m.get.missed);
}

/* Unregisters rseq, for which the kernel would write to the slave's memory. */
static void leave_rseq(void)
{
	void *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

static int body_counts(void *counter)
{
	leave_rseq();
	for (;;)
		++*(volatile uint64_t *)counter;
	return 0;
}

/* A real-time master that preempts the slave as soon as a checkpoint exists. */
FIXTURE(beside_an_urgent_master)
{
	struct master m;
	uint64_t *counter;	/* the slave's */
};

FIXTURE_VARIANT(beside_an_urgent_master)
{
	struct cp_prep arg;
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(beside_an_urgent_master, recorder)
{
	.arg = { .flags = CP_PREP_OVERWRITE, .nr_slots = 4 },
};

/* The master nudges before the slave has reached user mode. */
FIXTURE_VARIANT_ADD(beside_an_urgent_master, nudged)
{
	.flags = CP_GET_NUDGE,
};

FIXTURE_VARIANT_ADD(beside_an_urgent_master, nudged_recorder)
{
	.arg = { .flags = CP_PREP_OVERWRITE, .nr_slots = 4 },
	.flags = CP_GET_NUDGE,
};

FIXTURE_SETUP(beside_an_urgent_master)
{
	const struct sched_param urgent = { .sched_priority = 1 };
	struct cp_prep arg = variant->arg;

	self->counter = shared_memory(sizeof(*self->counter));
	arg.pid = slave_start(body_counts, self->counter);
	ASSERT_TRUE(eventually(*(volatile uint64_t *)self->counter));
	ASSERT_TRUE(task_pin(arg.pid, 0) && task_pin(0, 0));
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &urgent));
}

FIXTURE_TEARDOWN(beside_an_urgent_master)
{
	master_close(&self->m);
	slave_kill(self->m.slave);
}

TEST_F(beside_an_urgent_master, slave_gets_on)
{
	unsigned int i, j;

	for (i = 0; i < 5; i++) {
		uint64_t before;

		/* Gives a recorder time to change to late captures. */
		sleep_ms(100);
		before = *(volatile uint64_t *)self->counter;
		for (j = 0; j < 200; j++)
			ASSERT_EQ(1, master_get_until(&self->m, CP_FOREVER,
						      variant->flags));
		EXPECT_LT(before, *(volatile uint64_t *)self->counter);
	}
}

TEST_HARNESS_MAIN
