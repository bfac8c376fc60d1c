// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of a checkpoint: registers, stack, header, and the region that holds
 * them.
 */
#include "harness.h"

#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>

#include <asm/prctl.h>

#define RED_ZONE	128
#define PAGE		4096UL
#define STACK_SIZE	(16 * PAGE)

/* RBX of a slave that has loaded its registers. 32 bits, for compat32. */
#define MARK		0x5aa5c33c

/* Carry, parity, adjust, zero, sign, direction, overflow; interrupts are on. */
#define FLAGS		0xed7

#define CS_64		0x33
#define SS_64		0x2b

/*
 * load_and_spin(values): loads the 16 general registers, in the order of
 * cp_get.regs, and then EFLAGS; after that it spins for ever. load_and_call() does
 * the same, but makes system calls for ever.
 */
asm(".macro load_all\n"
    "	pushq	16*8(%rdi)\n"
    "	popfq\n"
    "	movq	0*8(%rdi), %rax\n"
    "	movq	1*8(%rdi), %rcx\n"
    "	movq	2*8(%rdi), %rdx\n"
    "	movq	3*8(%rdi), %rbx\n"
    "	movq	4*8(%rdi), %rsp\n"
    "	movq	5*8(%rdi), %rbp\n"
    "	movq	6*8(%rdi), %rsi\n"
    "	movq	8*8(%rdi), %r8\n"
    "	movq	9*8(%rdi), %r9\n"
    "	movq	10*8(%rdi), %r10\n"
    "	movq	11*8(%rdi), %r11\n"
    "	movq	12*8(%rdi), %r12\n"
    "	movq	13*8(%rdi), %r13\n"
    "	movq	14*8(%rdi), %r14\n"
    "	movq	15*8(%rdi), %r15\n"
    "	movq	7*8(%rdi), %rdi\n"
    ".endm\n"
    "load_and_spin:\n"
    "	load_all\n"
    "spinning:\n"
    "	jmp	spinning\n"
    "load_and_call:\n"
    "	load_all\n"
    "1:	movl	$110, %eax\n"	/* getppid */
    "	syscall\n"
    "called:\n"
    "	jmp	1b\n");

void load_and_spin(const uint64_t *values) __attribute__((noreturn));
void load_and_call(const uint64_t *values) __attribute__((noreturn));
extern const char spinning[], called[];

static int body_load_and_spin(void *values)
{
	load_and_spin(values);
}

static int body_load_and_call(void *values)
{
	load_and_call(values);
}

/* Fills the values such that each byte of each register is different. */
static void fill_values(uint64_t *values, const void *rsp)
{
	int i;

	for (i = 0; i < CP_N_REG; i++)
		values[i] = 0x8070605040302010ULL + i * 0x0101010101010101ULL;
	values[RBX] = MARK;
	values[RSP] = (uintptr_t)rsp;
	values[CP_N_REG] = FLAGS;
}

/* Fills a stack with known bytes; the slave shares its mapping. */
static void fill_stack(char *stack, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		stack[i] = (i * 31 ^ i >> 7) | 1;
}

static char *make_stack(void)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	fill_stack(stack, STACK_SIZE);
	return stack;
}

/* Takes checkpoints until the slave is at @rip; returns 1, 0 or -errno. */
static int get_at(struct master *m, const void *rip)
{
	int ret, tries = 10000;

	do
		ret = master_get(m);
	while (ret == 1 && m->regs[RIP] != (uintptr_t)rip && tries--);
	return ret == 1 && tries < 0 ? -ETIME : ret;
}

/*
 * A slave passes values to the test in the arguments of this system call, which
 * its checkpoint holds.
 */
#define SYS_REPORT	SYS_getpgrp

static void report(const void *address, uint64_t value)
{
	syscall(SYS_REPORT, address, value);
}

/* Takes checkpoints until one of a slave in report(). */
static int get_report(struct master *m)
{
	int ret;

	do
		ret = master_get(m);
	while (ret == 1 && master_checkpoint(m)->syscall != SYS_REPORT);
	return ret;
}

/* Are all @size bytes of the copy of the slave's @address equal to @value? */
static bool copy_is(struct master *m, uint64_t address, size_t size,
		    char value)
{
	const char *first = master_at(m, address);
	const char *last = master_at(m, address + size - 1);

	return first && last == first + size - 1 && *first == value &&
	       !memcmp(first, first + 1, size - 1);
}

/* Finds the bounds of the mapping of @address in /proc/PID/maps. */
static bool find_mapping(pid_t pid, uint64_t address, uint64_t *start,
			 uint64_t *end)
{
	char path[32], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%lx-%lx ", start, end) == 2 &&
			address >= *start && address < *end;
	if (f)
		fclose(f);
	return found;
}

/* A slave with a pattern in its registers, and its checkpoint. */
FIXTURE(pattern)
{
	struct master m;
	char *stack;
	uint64_t values[CP_N_REG + 1];
};

FIXTURE_VARIANT(pattern)
{
	int (*body)(void *values);
	const char *rip;
};

FIXTURE_VARIANT_ADD(pattern, spinning) {
	.body = body_load_and_spin,
	.rip = spinning,
};

FIXTURE_VARIANT_ADD(pattern, calling) {
	.body = body_load_and_call,
	.rip = called,
};

FIXTURE_SETUP(pattern)
{
	self->stack = make_stack();
	fill_values(self->values, self->stack + 2 * PAGE + 24);
	ASSERT_EQ(0, master_start(&self->m, variant->body, self->values));
	ASSERT_EQ(1, get_at(&self->m, variant->rip));
	if (variant->rip == called) {
		self->values[RAX] = getpid();
		self->values[RCX] = (uintptr_t)called;
		self->values[R11] = FLAGS;
	}
}

FIXTURE_TEARDOWN(pattern)
{
	master_close(&self->m);
	slave_kill(self->m.slave);
}

TEST_F(pattern, general_registers)
{
	int i;

	for (i = 0; i < CP_N_REG; i++)
		EXPECT_EQ(self->values[i], self->m.regs[i])
			TH_LOG("register %d", i);
	EXPECT_EQ((uintptr_t)variant->rip, self->m.regs[RIP]);
}

TEST_F(pattern, short_form_is_the_full_one)
{
	const struct cp_regs *r = &master_checkpoint(&self->m)->regs;
	const uint64_t full[] = {
		r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
		r->rip,
	};

	EXPECT_EQ(0, memcmp(full, self->m.regs, sizeof(full)));
}

TEST_F(pattern, flags_and_segments)
{
	const struct cp_regs *regs = &master_checkpoint(&self->m)->regs;

	EXPECT_EQ(FLAGS, regs->eflags);
	EXPECT_EQ(CS_64, regs->cs);
	EXPECT_EQ(SS_64, regs->ss);
	EXPECT_EQ(0, regs->ds | regs->es | regs->fs | regs->gs);
}

TEST_F(pattern, number_of_the_system_call)
{
	const struct cp_checkpoint *c = master_checkpoint(&self->m);
	bool call = variant->rip == called;

	EXPECT_EQ(call ? CP_ENTRY_SYSCALL : CP_ENTRY_INTERRUPT, c->entry);
	EXPECT_EQ(call ? SYS_getppid : -1, c->syscall);
	EXPECT_EQ(call ? SYS_getppid : -1, (int64_t)c->regs.orig_rax);
}

TEST_F(pattern, stack_with_its_red_zone)
{
	const struct cp_segment *seg = master_stack(&self->m);

	EXPECT_EQ(self->values[RSP] - RED_ZONE, seg->addr);
	EXPECT_EQ((uintptr_t)self->stack, seg->map_start);
	EXPECT_EQ((uintptr_t)self->stack + STACK_SIZE, seg->map_end);
	EXPECT_EQ(seg->map_end - seg->addr, seg->size);
	EXPECT_EQ(0, seg->flags);
	EXPECT_EQ(0, memcmp((void *)seg->addr, self->m.region + seg->offset,
			    seg->size));
}

/*
 * Slaves whose registers do not change, so that a debugger and a checkpoint must
 * show the same. Each has MARK in RBX and ends in a jump to itself or in a loop of
 * system calls.
 */
static int body_segments(void *unused)
{
	asm volatile("movl	$0x2b, %%ecx\n\t"
		     "movl	%%ecx, %%ds\n\t"
		     "movl	%%ecx, %%es\n\t"
		     "movl	%%ecx, %%fs\n\t"
		     "movl	%%ecx, %%gs\n\t"
		     "1: jmp	1b" : : "b" ((uint64_t)MARK) : "ecx");
	return 0;
}

#define FS_BASE		0x123456789a00ULL
#define GS_BASE		0x7fedcba98000ULL

/* Once FS has changed, thread-local data is lost: no libc code may run. */
static int body_bases_by_call(void *unused)
{
	asm volatile("movl	%0, %%eax\n\t"
		     "syscall\n\t"
		     "movl	%0, %%eax\n\t"
		     "movl	%1, %%edi\n\t"
		     "movq	%2, %%rsi\n\t"
		     "syscall\n\t"
		     "1: jmp	1b"
		     : : "i" (SYS_arch_prctl), "i" (ARCH_SET_FS), "r" (FS_BASE),
		     "D" (ARCH_SET_GS), "S" (GS_BASE), "b" ((uint64_t)MARK)
		     : "rax", "rcx", "r11");
	return 0;
}

static int body_bases_by_instruction(void *unused)
{
	asm volatile("wrfsbase	%0\n\t"
		     "wrgsbase	%1\n\t"
		     "1: jmp	1b"
		     : : "r" (FS_BASE), "r" (GS_BASE), "b" ((uint64_t)MARK));
	return 0;
}

/* Executes compat32, in the folder of this program. */
static int body_compat(void *mode)
{
	char path[PATH_MAX], self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	snprintf(path, sizeof(path), "%.4000s/compat32", dirname(self));
	execl(path, path, "--slave", mode, NULL);
	return 1;
}

static int body_compat_spin(void *unused)
{
	return body_compat("spin");
}

static int body_compat_int80(void *unused)
{
	return body_compat("int80");
}

static int body_compat_vdso(void *unused)
{
	return body_compat("vdso");
}

FIXTURE(traced)
{
	struct master m;
	struct user_regs_struct regs;
};

FIXTURE_VARIANT(traced)
{
	int (*body)(void *values);
	bool calls;
	bool compat;
	bool bases;
};

FIXTURE_VARIANT_ADD(traced, spinning) { .body = body_load_and_spin };
FIXTURE_VARIANT_ADD(traced, calling) {
	.body = body_load_and_call,
	.calls = true,
};

FIXTURE_VARIANT_ADD(traced, segments) { .body = body_segments };
FIXTURE_VARIANT_ADD(traced, bases_by_call) {
	.body = body_bases_by_call,
	.bases = true,
};

FIXTURE_VARIANT_ADD(traced, bases_by_instruction) {
	.body = body_bases_by_instruction,
	.bases = true,
};

FIXTURE_VARIANT_ADD(traced, compat_spinning) {
	.body = body_compat_spin,
	.compat = true,
};

FIXTURE_VARIANT_ADD(traced, compat_calling) {
	.body = body_compat_int80,
	.calls = true,
	.compat = true,
};

FIXTURE_VARIANT_ADD(traced, compat_calling_the_vdso) {
	.body = body_compat_vdso,
	.calls = true,
	.compat = true,
};

static bool stop_slave(pid_t pid)
{
	int status;

	return !ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) &&
	       waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
}

/* Lets the stopped slave continue to the exit of its next system call. */
static bool step_over_call(pid_t pid)
{
	struct __ptrace_syscall_info info;
	int status;

	do {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) ||
		    waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			return false;
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
	} while (info.op != PTRACE_SYSCALL_INFO_EXIT);
	return true;
}

#define JMP_TO_ITSELF	0xfeeb

/* Stops the slave; true if it stopped in its final loop. */
static bool stop_at_mark(pid_t pid, bool calls, struct user_regs_struct *regs)
{
	if (stop_slave(pid) && !ptrace(PTRACE_GETREGS, pid, NULL, regs) &&
	    regs->rbx == MARK &&
	    (calls || (ptrace(PTRACE_PEEKTEXT, pid, regs->rip, NULL) &
		       0xffff) == JMP_TO_ITSELF))
		return true;
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	return false;
}

FIXTURE_SETUP(traced)
{
	uint64_t values[CP_N_REG + 1];
	pid_t slave;

	if (variant->body == body_bases_by_instruction &&
	    !(getauxval(AT_HWCAP2) & 2))
		SKIP(return, "no FSGSBASE instructions here");
	fill_values(values, make_stack() + STACK_SIZE / 2);
	slave = slave_start(variant->body, values);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, slave, NULL, PTRACE_O_TRACESYSGOOD));
	ASSERT_TRUE(eventually(stop_at_mark(slave, variant->calls, &self->regs)));
	if (variant->calls)
		ASSERT_TRUE(step_over_call(slave));
	ASSERT_EQ(0, ptrace(PTRACE_GETREGS, slave, NULL, &self->regs));
	ASSERT_EQ(0, master_pair(&self->m, slave));
}

FIXTURE_TEARDOWN(traced)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

/* Compares one field, so that a failure names it. */
#define EXPECT_SAME(field) \
	EXPECT_EQ(want->field, got->field) TH_LOG("register " #field)

static void expect_same_regs(struct __test_metadata *_metadata,
			     const struct user_regs_struct *want,
			     const struct cp_regs *got)
{
	EXPECT_SAME(r15);
	EXPECT_SAME(r14);
	EXPECT_SAME(r13);
	EXPECT_SAME(r12);
	EXPECT_SAME(rbp);
	EXPECT_SAME(rbx);
	EXPECT_SAME(r11);
	EXPECT_SAME(r10);
	EXPECT_SAME(r9);
	EXPECT_SAME(r8);
	EXPECT_SAME(rax);
	EXPECT_SAME(rcx);
	EXPECT_SAME(rdx);
	EXPECT_SAME(rsi);
	EXPECT_SAME(rdi);
	EXPECT_SAME(orig_rax);
	EXPECT_SAME(rip);
	EXPECT_SAME(cs);
	EXPECT_SAME(eflags);
	EXPECT_SAME(rsp);
	EXPECT_SAME(ss);
	EXPECT_SAME(fs_base);
	EXPECT_SAME(gs_base);
	EXPECT_SAME(ds);
	EXPECT_SAME(es);
	EXPECT_SAME(fs);
	EXPECT_SAME(gs);
}

TEST_F(traced, debugger_and_checkpoint_agree)
{
	const struct cp_checkpoint *c;

	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->m.slave, NULL, NULL));
	ASSERT_EQ(1, master_get(&self->m));
	c = master_checkpoint(&self->m);
	expect_same_regs(_metadata, &self->regs, &c->regs);
	EXPECT_EQ((variant->compat ? CP_CHECKPOINT_COMPAT : 0) |
		  (variant->compat && variant->calls ?
		   CP_CHECKPOINT_SYSCALL32 : 0), c->flags);
	EXPECT_EQ(variant->calls ? CP_ENTRY_SYSCALL : CP_ENTRY_INTERRUPT,
		  c->entry);
	EXPECT_EQ(variant->calls ? (int)self->regs.orig_rax : -1, c->syscall);
	if (variant->bases) {
		EXPECT_EQ(FS_BASE, c->regs.fs_base);
		EXPECT_EQ(GS_BASE, c->regs.gs_base);
	}
}

TEST_F(traced, what_a_debugger_wrote)
{
	struct user_regs_struct *regs = &self->regs;

	regs->rdi = 0x11223344;
	regs->rbp ^= 0xff00;
	regs->rsi += 1;
	if (!variant->compat) {
		regs->r15 = ~0ULL;
		regs->fs_base = 0x10000;
		regs->gs_base = 0x20000;
	}
	ASSERT_EQ(0, ptrace(PTRACE_SETREGS, self->m.slave, NULL, regs));
	ASSERT_EQ(0, ptrace(PTRACE_GETREGS, self->m.slave, NULL, regs));
	ASSERT_EQ(0, ptrace(PTRACE_CONT, self->m.slave, NULL, NULL));
	ASSERT_EQ(1, master_get(&self->m));
	expect_same_regs(_metadata, regs, &master_checkpoint(&self->m)->regs);
}

TEST_F(traced, trap_flag_of_the_debugger_does_not_show)
{
	ASSERT_EQ(0, ptrace(PTRACE_SINGLESTEP, self->m.slave, NULL, NULL));
	ASSERT_EQ(1, master_get(&self->m));
	EXPECT_EQ(self->regs.eflags,
		  master_checkpoint(&self->m)->regs.eflags);
	EXPECT_EQ(self->regs.rip, self->m.regs[RIP]);
}

/* Slaves that spin on a stack of the test, with an RSP that the test chooses. */
FIXTURE(stack)
{
	struct master m;
	char *base;
	char *end;
	uint64_t values[CP_N_REG + 1];
};

FIXTURE_SETUP(stack)
{
	self->base = make_stack();
	/* Leaves a gap, so that no mapping follows the stack. */
	self->end = self->base + STACK_SIZE - PAGE;
	munmap(self->end, PAGE);
}

FIXTURE_TEARDOWN(stack)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

/* Starts a slave at @rsp and takes its checkpoint; returns 1 or -errno. */
static int stand_at(FIXTURE_DATA(stack) *self, const void *rsp, uint64_t limit)
{
	struct cp_prep arg = { .stack_limit = limit };
	int ret;

	fill_values(self->values, rsp);
	arg.pid = slave_start(body_load_and_spin, self->values);
	ret = master_prep(&self->m, &arg);
	return ret ?: get_at(&self->m, spinning);
}

static void expect_segment(struct __test_metadata *_metadata,
			   FIXTURE_DATA(stack) *self, const char *from,
			   const char *to, uint32_t flags)
{
	const struct cp_segment *seg = master_stack(&self->m);

	EXPECT_EQ((uintptr_t)from, seg->addr);
	EXPECT_EQ(to - from, seg->size);
	EXPECT_EQ(flags, seg->flags);
	EXPECT_EQ((uintptr_t)self->base, seg->map_start);
	EXPECT_EQ((uintptr_t)self->end, seg->map_end);
	ASSERT_LE(seg->offset + seg->size, self->m.size);
	EXPECT_EQ(0, memcmp(from, self->m.region + seg->offset, to - from));
}

TEST_F(stack, red_zone_across_a_page)
{
	ASSERT_EQ(1, stand_at(self, self->base + PAGE + 8, 0));
	expect_segment(_metadata, self, self->base + PAGE + 8 - RED_ZONE,
		       self->end, 0);
}

TEST_F(stack, rsp_at_any_byte)
{
	ASSERT_EQ(1, stand_at(self, self->base + 2 * PAGE + 3, 0));
	expect_segment(_metadata, self, self->base + 2 * PAGE + 3 - RED_ZONE,
		       self->end, 0);
}

TEST_F(stack, red_zone_is_clipped_to_the_mapping)
{
	ASSERT_EQ(1, stand_at(self, self->base + 64, 0));
	expect_segment(_metadata, self, self->base, self->end, 0);
}

TEST_F(stack, no_red_zone_at_the_mappings_start)
{
	ASSERT_EQ(1, stand_at(self, self->base, 0));
	expect_segment(_metadata, self, self->base, self->end, 0);
}

TEST_F(stack, empty_stack)
{
	ASSERT_EQ(1, stand_at(self, self->end, 0));
	expect_segment(_metadata, self, self->end - RED_ZONE, self->end, 0);
}

TEST_F(stack, limit_cuts_the_far_end)
{
	char *from = self->base + PAGE - 8;

	ASSERT_EQ(1, stand_at(self, from + RED_ZONE, 2 * PAGE));
	expect_segment(_metadata, self, from, from + 2 * PAGE,
		       CP_SEGF_TRUNCATED);
}

TEST_F(stack, limit_is_rounded_up)
{
	char *from = self->base + PAGE;

	ASSERT_EQ(1, stand_at(self, from + RED_ZONE, 1));
	expect_segment(_metadata, self, from, from + PAGE, CP_SEGF_TRUNCATED);
}

TEST_F(stack, limit_that_just_suffices)
{
	char *from = self->end - 3 * PAGE;

	ASSERT_EQ(1, stand_at(self, from + RED_ZONE, 3 * PAGE));
	expect_segment(_metadata, self, from, self->end, 0);
}

TEST_F(stack, limit_that_just_does_not)
{
	char *from = self->end - 3 * PAGE - 1;

	ASSERT_EQ(1, stand_at(self, from + RED_ZONE, 3 * PAGE));
	expect_segment(_metadata, self, from, self->end - 1,
		       CP_SEGF_TRUNCATED);
}

TEST_F(stack, at_address_0)
{
	/* RSP - 128 would be below address 0, where root may map a page. */
	self->base = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (self->base == MAP_FAILED)
		SKIP(return, "nothing may be mapped at address 0");
	self->end = self->base + PAGE;
	ASSERT_EQ(1, stand_at(self, self->base + 64, 0));
	EXPECT_EQ(0, master_stack(&self->m)->addr);
	EXPECT_EQ(PAGE, master_stack(&self->m)->size);
	EXPECT_EQ(0, master_stack(&self->m)->flags);
}

/* RSP is not in a mapping; the slave continues as usual. */
static void expect_unmapped(struct __test_metadata *_metadata,
			    FIXTURE_DATA(stack) *self, uint64_t rsp)
{
	const struct cp_segment *seg;

	ASSERT_EQ(1, stand_at(self, (void *)rsp, 0));
	seg = master_stack(&self->m);
	EXPECT_EQ(CP_SEGF_UNMAPPED, seg->flags);
	EXPECT_EQ(0, seg->size);
	EXPECT_EQ(rsp, self->m.regs[RSP]);
	EXPECT_EQ(1, master_get(&self->m));
}

TEST_F(stack, nowhere)
{
	expect_unmapped(_metadata, self, PAGE);
}

TEST_F(stack, nowhere_0)
{
	expect_unmapped(_metadata, self, 0);
}

TEST_F(stack, nowhere_after_a_mapping)
{
	expect_unmapped(_metadata, self, (uintptr_t)self->end + 1);
}

TEST_F(stack, nowhere_at_the_end_of_user_memory)
{
	expect_unmapped(_metadata, self, (1ULL << 47) - 16);
}

TEST_F(stack, nowhere_in_the_kernel)
{
	expect_unmapped(_metadata, self, 0xffffffff81000000);
}

TEST_F(stack, nowhere_not_canonical)
{
	expect_unmapped(_metadata, self, 1ULL << 63 | 8);
}

TEST_F(stack, nowhere_at_the_very_end)
{
	expect_unmapped(_metadata, self, -1ULL);
}

TEST_F(stack, unreadable)
{
	const struct cp_segment *seg;

	ASSERT_EQ(0, mprotect(self->base, 2 * PAGE, PROT_NONE));
	ASSERT_EQ(1, stand_at(self, self->base + PAGE, 0));
	seg = master_stack(&self->m);
	EXPECT_EQ(CP_SEGF_HOLE, seg->flags);
	/* A mapping that does not grow down ends where the protection changes. */
	EXPECT_EQ(PAGE + RED_ZONE, seg->size);
	EXPECT_TRUE(copy_is(&self->m, seg->addr, seg->size, 0));
	EXPECT_EQ(1, master_get(&self->m));
}

TEST_F(stack, file_cut_off_under_it)
{
	int fd = memfd_create("stack", MFD_CLOEXEC);

	ASSERT_EQ(0, ftruncate(fd, STACK_SIZE));
	self->base = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, 0);
	self->end = self->base + STACK_SIZE;
	fill_stack(self->base, STACK_SIZE);
	ASSERT_EQ(1, stand_at(self, self->base + RED_ZONE, 0));
	expect_segment(_metadata, self, self->base, self->end, 0);

	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE));
	ASSERT_EQ(1, master_get(&self->m));
	ASSERT_EQ(1, master_get(&self->m));
	EXPECT_EQ(CP_SEGF_HOLE, master_stack(&self->m)->flags);
	EXPECT_EQ(0, memcmp(self->base, master_at(&self->m,
						  (uintptr_t)self->base),
			    2 * PAGE));
	EXPECT_TRUE(copy_is(&self->m, (uintptr_t)self->base + 2 * PAGE,
			    STACK_SIZE - 2 * PAGE, 0));
	/* The slave, which does not touch the lost pages, gets no SIGBUS. */
	EXPECT_EQ(1, master_get(&self->m));
}

/* Slaves that pass the test an address on their stack. */
FIXTURE(reporting)
{
	struct master m;
};

FIXTURE_SETUP(reporting)
{
}

FIXTURE_TEARDOWN(reporting)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

/* Pairs with a new slave; returns 0 or -errno. */
static int start(FIXTURE_DATA(reporting) *self, int (*body)(void *), void *arg)
{
	return master_start(&self->m, body, arg);
}

static int body_tell(void *unused)
{
	char here[PAGE];

	for (;;) {
		memset(here, 0xaa, sizeof(here));
		report(here, sizeof(here));
	}
	return 0;
}

/* Does not use its stack. */
static int body_stand(void *unused)
{
	asm volatile("1: jmp	1b" : : "b" ((uint64_t)MARK));
	return 0;
}

TEST_F(reporting, main_stack_up_to_its_end)
{
	uint64_t map_start, map_end;
	const struct cp_segment *seg;
	char *copy;
	int mem;

	ASSERT_EQ(0, start(self, body_stand, NULL));
	do {
		ASSERT_EQ(1, master_get(&self->m));
	} while (self->m.regs[RBX] != MARK);
	seg = master_stack(&self->m);
	ASSERT_TRUE(find_mapping(self->m.slave, self->m.regs[RSP], &map_start,
				 &map_end));
	EXPECT_EQ(map_start, seg->map_start);
	EXPECT_EQ(map_end, seg->map_end);
	EXPECT_EQ(map_end, seg->addr + seg->size);

	copy = malloc(seg->size);
	mem = proof_open(self->m.slave);
	ASSERT_EQ(seg->size, pread(mem, copy, seg->size, seg->addr));
	EXPECT_EQ(0, memcmp(copy, self->m.region + seg->offset, seg->size));
}

static void *thread_tell(void *tid)
{
	*(volatile pid_t *)tid = gettid();
	body_tell(NULL);
	return NULL;
}

static int body_thread(void *tid)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_tell, tid);
	return body_sleep(NULL);
}

TEST_F(reporting, stack_of_a_thread)
{
	volatile pid_t *tid = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t map_start, map_end;

	slave_start(body_thread, (void *)tid);
	ASSERT_TRUE(eventually(*tid));
	ASSERT_EQ(0, master_pair(&self->m, *tid));
	ASSERT_EQ(1, get_report(&self->m));
	EXPECT_TRUE(copy_is(&self->m, self->m.regs[RDI], PAGE, 0xaa));
	ASSERT_TRUE(find_mapping(self->m.slave, self->m.regs[RSP], &map_start,
				 &map_end));
	EXPECT_EQ(map_start, master_stack(&self->m)->map_start);
	EXPECT_EQ(map_end, master_stack(&self->m)->map_end);
}

static void handler_tell(int sig)
{
	body_tell(NULL);
}

static int body_sigaltstack(void *stack)
{
	struct sigaction action = {
		.sa_handler = handler_tell,
		.sa_flags = SA_ONSTACK,
	};
	stack_t alt = { .ss_sp = stack, .ss_size = STACK_SIZE };

	sigaltstack(&alt, NULL);
	sigaction(SIGUSR1, &action, NULL);
	return raise(SIGUSR1);
}

TEST_F(reporting, sigaltstack)
{
	char *stack = make_stack();
	const struct cp_segment *seg;

	ASSERT_EQ(0, start(self, body_sigaltstack, stack));
	ASSERT_EQ(1, get_report(&self->m));
	seg = master_stack(&self->m);
	EXPECT_EQ((uintptr_t)stack, seg->map_start);
	EXPECT_EQ((uintptr_t)stack + STACK_SIZE, seg->map_end);
	EXPECT_TRUE(copy_is(&self->m, self->m.regs[RDI], PAGE, 0xaa));
	/* The copy includes the signal's frame. */
	EXPECT_EQ(0, memcmp(stack + STACK_SIZE - 512,
			    master_at(&self->m,
				      (uintptr_t)stack + STACK_SIZE - 512),
			    512));
}

#define DEEP	(12UL << 20)

/* Fills a stack far deeper than a program's initial one. */
static int body_deep(void *ready)
{
	struct rlimit limit = { 4 * DEEP, 4 * DEEP };
	volatile char *deep;

	if (setrlimit(RLIMIT_STACK, &limit))
		return 1;
	deep = __builtin_alloca(DEEP);
	memset((char *)deep, 0xbb, DEEP);
	*(volatile bool *)ready = true;
	for (;;)
		report((char *)deep, DEEP);
	return 0;
}

TEST_F(reporting, deep_stack)
{
	volatile bool *ready = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t slave;

	/* A pair made earlier would capture the slave at each of its page faults. */
	slave = slave_start(body_deep, (void *)ready);
	ASSERT_TRUE(eventually(*ready));
	ASSERT_EQ(0, master_pair(&self->m, slave));
	ASSERT_EQ(1, get_report(&self->m));
	EXPECT_EQ(DEEP, self->m.regs[RSI]);
	EXPECT_EQ(0, master_stack(&self->m)->flags);
	EXPECT_LT(DEEP, master_stack(&self->m)->size);
	EXPECT_TRUE(copy_is(&self->m, self->m.regs[RDI], DEEP, 0xbb));
}

#define DEPTH	20

static void recurse(int depth)
{
	char here[PAGE];

	memset(here, depth, sizeof(here));
	report(here, depth);
	if (depth < DEPTH)
		recurse(depth + 1);
	report(here, depth);
}

static int body_recurse(void *unused)
{
	for (;;)
		recurse(1);
	return 0;
}

TEST_F(reporting, stack_that_grows_and_shrinks)
{
	const struct cp_segment *seg;
	uint64_t distance = 0;
	int i;

	ASSERT_EQ(0, start(self, body_recurse, NULL));
	for (i = 0; i < 6 * DEPTH; i++) {
		ASSERT_EQ(1, get_report(&self->m));
		seg = master_stack(&self->m);
		ASSERT_EQ(seg->map_end, seg->addr + seg->size);
		ASSERT_EQ(self->m.regs[RSP] - RED_ZONE, seg->addr);
		ASSERT_TRUE(copy_is(&self->m, self->m.regs[RDI], PAGE,
				    self->m.regs[RSI]));
		if (i)
			ASSERT_EQ(distance, seg->addr - seg->offset);
		distance = seg->addr - seg->offset;
	}
}

/* Shows the main stack with pages in its middle mapped, and then unmapped. */
static int body_hole(void *unused)
{
	char room[8 * PAGE];
	char *page = (char *)(((uintptr_t)room + 4 * PAGE) & ~(PAGE - 1));

	memset(room, 0xcc, sizeof(room));
	for (;;) {
		report(page, PROT_READ);
		mprotect(page, PAGE, PROT_NONE);
		report(page, PROT_NONE);
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	}
	return 0;
}

TEST_F(reporting, hole_is_zero_and_no_old_data)
{
	const struct cp_segment *seg;
	uint64_t page;
	int i;

	ASSERT_EQ(0, start(self, body_hole, NULL));
	for (i = 0; i < 6; i++) {
		bool hole = i % 2;

		ASSERT_EQ(1, get_report(&self->m));
		seg = master_stack(&self->m);
		page = self->m.regs[RDI];
		ASSERT_EQ(hole ? PROT_NONE : PROT_READ, self->m.regs[RSI]);
		EXPECT_EQ(hole ? CP_SEGF_HOLE : 0, seg->flags);
		EXPECT_TRUE(copy_is(&self->m, page, PAGE, hole ? 0 : 0xcc));
		EXPECT_TRUE(copy_is(&self->m, page - PAGE, PAGE, 0xcc));
		EXPECT_TRUE(copy_is(&self->m, page + PAGE, PAGE, 0xcc));
		/* The three parts of the split mapping count as one stack. */
		EXPECT_EQ(seg->map_end, seg->addr + seg->size);
		EXPECT_LT(page + 2 * PAGE, seg->map_end);
	}
}

/* RSP is far below the main stack's lowest page so far. */
static int body_before_growth(void *unused)
{
	asm volatile("subq	$0x40000, %%rsp\n\t"
		     "movq	%0, %%rbx\n\t"
		     "1: jmp	1b" : : "r" ((uint64_t)MARK) : "rbx");
	return 0;
}

TEST_F(reporting, stack_that_is_about_to_grow)
{
	const struct cp_segment *seg;
	uint64_t start_before, end;

	ASSERT_EQ(0, start(self, body_before_growth, NULL));
	do {
		ASSERT_EQ(1, master_get(&self->m));
	} while (self->m.regs[RBX] != MARK);
	seg = master_stack(&self->m);
	ASSERT_TRUE(find_mapping(self->m.slave, seg->map_end - 1, &start_before,
				 &end));
	/* The capture does not make the stack grow. */
	EXPECT_LT(self->m.regs[RSP], start_before);
	EXPECT_EQ(start_before, seg->map_start);
	EXPECT_EQ(start_before, seg->addr);
	EXPECT_EQ(end, seg->addr + seg->size);
	EXPECT_EQ(0, seg->flags);
}

/* The checkpoint's header, and the region. */
FIXTURE(header)
{
	struct master m;
};

FIXTURE_SETUP(header)
{
	ASSERT_EQ(0, master_start(&self->m, body_tell, NULL));
}

FIXTURE_TEARDOWN(header)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

TEST_F(header, numbers_without_a_gap)
{
	uint64_t seq;

	for (seq = 1; seq <= 100; seq++) {
		ASSERT_EQ(1, master_get(&self->m));
		ASSERT_EQ(seq, self->m.get.seq);
		ASSERT_EQ(seq, master_checkpoint(&self->m)->seq);
		ASSERT_EQ(0, self->m.get.missed);
	}
}

TEST_F(header, time_is_that_of_the_meeting)
{
	uint64_t before, last = 0;
	int i;

	for (i = 0; i < 20; i++) {
		const struct cp_checkpoint *c;

		before = now_ns();
		ASSERT_EQ(1, master_get(&self->m));
		c = master_checkpoint(&self->m);
		ASSERT_LE(before, c->time);
		ASSERT_LE(c->time, now_ns());
		ASSERT_LT(last, c->time);
		last = c->time;
	}
}

TEST_F(header, cpu)
{
	cpu_set_t set;
	int cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (cpu = 0; cpu < cpus; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		ASSERT_EQ(0, sched_setaffinity(self->m.slave, sizeof(set), &set));
		/* The first may be of a return before the migration. */
		ASSERT_EQ(1, master_get(&self->m));
		ASSERT_EQ(1, master_get(&self->m));
		EXPECT_EQ(cpu, master_checkpoint(&self->m)->cpu);
	}
}

TEST_F(header, offsets_and_sizes)
{
	const struct cp_checkpoint *c;
	const struct cp_segment *seg;

	ASSERT_EQ(1, get_report(&self->m));
	c = master_checkpoint(&self->m);
	seg = master_stack(&self->m);
	EXPECT_EQ(sizeof(*c), c->size);
	EXPECT_EQ(0, c->flags);
	EXPECT_EQ(self->m.slave, c->thread);
	EXPECT_EQ(1, c->nr_segments);
	EXPECT_LE(sizeof(*c), c->segments_offset);
	EXPECT_LE(sizeof(*seg), c->segment_size);
	EXPECT_EQ(CP_SEGMENT_STACK, seg->kind);
	EXPECT_LT(self->m.get.slot_offset, seg->offset);
	EXPECT_LE(seg->offset + seg->size, self->m.size);
}

TEST_F(header, head_of_the_region)
{
	const struct cp_region_head *head = (void *)self->m.region;

	EXPECT_EQ(CP_REGION_MAGIC, head->magic);
	EXPECT_EQ(CP_VERSION, head->version);
	EXPECT_EQ(1, head->nr_slots);
	EXPECT_EQ(self->m.slave, head->thread);
	EXPECT_EQ(1, head->nr_parts);
	EXPECT_EQ(0, head->reserved);
	EXPECT_LE(sizeof(*head), head->slots_offset);
	EXPECT_EQ(self->m.size, head->slots_offset + head->slot_size);
	ASSERT_EQ(1, master_get(&self->m));
	EXPECT_EQ(head->slots_offset, self->m.get.slot_offset);
}

/* Causes page faults: touches a new mapping each time. */
static int body_faults(void *unused)
{
	for (;;) {
		char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		*(volatile char *)page = 1;
		munmap(page, PAGE);
	}
	return 0;
}

TEST(entry_of_a_page_fault)
{
	const struct cp_checkpoint *c;
	struct master m;

	ASSERT_EQ(0, master_start(&m, body_faults, NULL));
	do {
		ASSERT_EQ(1, master_get(&m));
		c = master_checkpoint(&m);
	} while (c->syscall != SYS_mmap);
	do {
		ASSERT_EQ(1, master_get(&m));
		ASSERT_NE(SYS_munmap, c->syscall);
	} while (c->entry != CP_ENTRY_FAULT);
	EXPECT_EQ(-1, c->syscall);
	EXPECT_EQ(-1, (int64_t)c->regs.orig_rax);
	slave_kill(m.slave);
}

TEST_F(header, stays_until_the_next_call)
{
	struct pollfd p = { .fd = self->m.fd, .events = POLLIN };
	struct cp_checkpoint before;
	char *copy = malloc(PAGE);
	uint64_t here;

	ASSERT_EQ(1, get_report(&self->m));
	here = self->m.regs[RDI];
	before = *master_checkpoint(&self->m);
	memcpy(copy, master_at(&self->m, here), PAGE);

	/* The slave has made another call, but the copy has not changed. */
	ASSERT_EQ(1, poll(&p, 1, 10000));
	EXPECT_EQ(0, memcmp(&before, master_checkpoint(&self->m),
			    sizeof(before)));
	EXPECT_EQ(0, memcmp(copy, master_at(&self->m, here), PAGE));
}

/* Changes its stack before each system call. */
static int body_changing(void *unused)
{
	volatile uint64_t count = 0;

	for (;;) {
		count++;
		report((void *)&count, count);
	}
	return 0;
}

TEST_F(reporting, stack_stays_while_the_slave_changes_it)
{
	struct pollfd p = { .events = POLLIN };
	uint64_t now, here, count;
	int i;

	ASSERT_EQ(0, start(self, body_changing, NULL));
	p.fd = self->m.fd;
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, get_report(&self->m));
		here = self->m.regs[RDI];
		count = self->m.regs[RSI];
		ASSERT_EQ(1, poll(&p, 1, 10000));
		ASSERT_EQ(count, *(uint64_t *)master_at(&self->m, here));
	}
	/* The slave's own stack did change. */
	ASSERT_EQ(8, pread(proof_open(self->m.slave), &now, 8, here));
	EXPECT_LE(count, now);
}

TEST_F(header, stays_after_the_slaves_end)
{
	struct cp_checkpoint before;
	struct cp_get last;
	uint64_t here;

	ASSERT_EQ(1, get_report(&self->m));
	last = self->m.get;
	here = self->m.regs[RDI];
	before = *master_checkpoint(&self->m);
	slave_kill(self->m.slave);
	EXPECT_EQ(0, master_get(&self->m));

	close(self->m.fd);
	self->m.get = last;
	EXPECT_EQ(0, memcmp(&before, master_checkpoint(&self->m),
			    sizeof(before)));
	EXPECT_TRUE(copy_is(&self->m, here, PAGE, 0xaa));
}

TEST_F(header, next_pair_leaves_the_old_region)
{
	pid_t next = slave_start(body_spin, NULL);
	struct cp_prep arg = { .pid = next };
	struct cp_get last, get = { .deadline = CP_FOREVER };
	char *region;
	uint64_t here;

	ASSERT_EQ(1, get_report(&self->m));
	last = self->m.get;
	here = self->m.regs[RDI];
	ASSERT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	ASSERT_EQ(0, prep_with(self->m.fd, &arg));
	ASSERT_EQ(1, ioctl(self->m.fd, CP_IOC_GET, &get));
	region = mmap(NULL, arg.region_size, PROT_READ, MAP_SHARED, self->m.fd,
		      0);
	ASSERT_NE(MAP_FAILED, region);
	EXPECT_EQ(1, ((struct cp_checkpoint *)(region + get.slot_offset))->seq);

	self->m.get = last;
	EXPECT_TRUE(copy_is(&self->m, here, PAGE, 0xaa));
	slave_kill(next);
}

TEST_HARNESS_MAIN
