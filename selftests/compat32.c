// SPDX-License-Identifier: GPL-2.0-only
/*
 * 32-bit programs on a 64-bit kernel, built with -m32: as masters, for which the
 * layout of the structs must be that of 64-bit programs, and as slaves.
 *
 *	compat32			run the tests
 *	compat32 --slave spin		load a pattern into the registers, then spin
 *	compat32 --slave int80		load it, then make system calls by int $0x80
 *	compat32 --slave vdso		load it, then make them through the vDSO
 */
#include "harness.h"

#include <stddef.h>
#include <sys/auxv.h>

#define GETPPID_32	64
#define CS_32		0x23
#define CS_64		0x33

/* EBX of a slave that has loaded its registers; capture.c waits for it. */
#define MARK		0x5aa5c33c

/* The other registers of a slave. */
#define ECX		0x81828384
#define EDX		0x91929394
#define ESI		0xa1a2a3a4
#define EDI		0xb1b2b3b4
#define EBP		0xc1c2c3c4

#define xstr(x)		#x
#define str(x)		xstr(x)

void (*vdso_call)(void);
char stack[16384] __attribute__((aligned(4096)));

asm(".macro load_all\n"
    "	movl	$stack + 8192, %esp\n"
    "	movl	$" str(MARK) ", %ebx\n"
    "	movl	$" str(ECX) ", %ecx\n"
    "	movl	$" str(EDX) ", %edx\n"
    "	movl	$" str(ESI) ", %esi\n"
    "	movl	$" str(EDI) ", %edi\n"
    "	movl	$" str(EBP) ", %ebp\n"
    ".endm\n"
    "spin:	load_all\n"
    "1:	jmp	1b\n"
    "int80:	load_all\n"
    "1:	movl	$" str(GETPPID_32) ", %eax\n"
    "	int	$0x80\n"
    "	jmp	1b\n"
    "vdso:	load_all\n"
    "1:	movl	$" str(GETPPID_32) ", %eax\n"
    "	call	*vdso_call\n"
    "	jmp	1b\n"
    /* 64-bit code in a 32-bit program: inc %r15; jmp back. */
    "far64:	load_all\n"
    "	ljmp	$" str(CS_64) ", $1f\n"
    "1:	.byte	0x49, 0xff, 0xc7, 0xeb, 0xfb\n");

void spin(void) __attribute__((noreturn));
void int80(void) __attribute__((noreturn));
void vdso(void) __attribute__((noreturn));
void far64(void) __attribute__((noreturn));

static int body_run(void *entry)
{
	vdso_call = (void (*)(void))getauxval(AT_SYSINFO);
	memset(stack, 0x77, sizeof(stack));
	((void (*)(void))entry)();
	return 0;
}

static int slave(const char *mode)
{
	if (!strcmp(mode, "spin"))
		return body_run(spin);
	if (!strcmp(mode, "int80"))
		return body_run(int80);
	return body_run(vdso);
}

FIXTURE(compat)
{
	struct master m;
	pid_t slave;
	const struct cp_checkpoint *c;
};

FIXTURE_VARIANT(compat)
{
	void (*entry)(void);
	int syscall;
};

FIXTURE_VARIANT_ADD(compat, spin) { .entry = spin, .syscall = -1 };
FIXTURE_VARIANT_ADD(compat, int80) { .entry = int80, .syscall = GETPPID_32 };
FIXTURE_VARIANT_ADD(compat, vdso) { .entry = vdso, .syscall = GETPPID_32 };

/* Takes checkpoints until the slave has loaded its registers. */
FIXTURE_SETUP(compat)
{
	self->slave = slave_start(body_run, variant->entry);
	ASSERT_EQ(0, master_pair(&self->m, self->slave));
	do {
		ASSERT_EQ(1, master_get(&self->m));
		self->c = master_checkpoint(&self->m);
	} while (self->c->regs.rbx != MARK ||
		 self->c->syscall != variant->syscall);
}

FIXTURE_TEARDOWN(compat)
{
	slave_kill(self->slave);
	master_close(&self->m);
}

TEST_F(compat, registers)
{
	const uint64_t *regs = self->m.regs;

	EXPECT_EQ(MARK, regs[RBX]);
	EXPECT_EQ(EDX, regs[RDX]);
	EXPECT_EQ(ESI, regs[RSI]);
	EXPECT_EQ(EDI, regs[RDI]);
	EXPECT_EQ(ECX, regs[RCX]);
	EXPECT_EQ(EBP, regs[RBP]);
	EXPECT_EQ(CS_32, self->c->regs.cs);
	EXPECT_EQ(0, regs[RSP] >> 32);
	EXPECT_EQ(0, regs[RIP] >> 32);
}

TEST_F(compat, short_form_is_the_full_one)
{
	EXPECT_EQ(self->c->regs.rax, self->m.regs[RAX]);
	EXPECT_EQ(self->c->regs.rsp, self->m.regs[RSP]);
	EXPECT_EQ(self->c->regs.rdi, self->m.regs[RDI]);
	EXPECT_EQ(self->c->regs.r15, self->m.regs[R15]);
	EXPECT_EQ(self->c->regs.rip, self->m.regs[RIP]);
}

TEST_F(compat, marked)
{
	EXPECT_EQ(CP_CHECKPOINT_COMPAT |
		  (variant->syscall == -1 ? 0 : CP_CHECKPOINT_SYSCALL32),
		  self->c->flags);
}

TEST_F(compat, system_call)
{
	if (variant->syscall == -1) {
		EXPECT_EQ(CP_ENTRY_INTERRUPT, self->c->entry);
		EXPECT_EQ(-1, (int64_t)self->c->regs.orig_rax);
		return;
	}
	EXPECT_EQ(CP_ENTRY_SYSCALL, self->c->entry);
	EXPECT_EQ(GETPPID_32, self->c->regs.orig_rax);
	EXPECT_EQ(getpid(), self->m.regs[RAX]);
}

TEST_F(compat, stack)
{
	const struct cp_segment *seg = master_stack(&self->m);
	uint64_t bottom = (uintptr_t)stack;
	const char *at = master_at(&self->m, bottom + 8192);

	EXPECT_EQ(self->m.regs[RSP] - 128, seg->addr);
	EXPECT_LE(seg->map_start, bottom);
	EXPECT_LE(bottom + sizeof(stack), seg->map_end);
	ASSERT_TRUE(at);
	EXPECT_EQ(0x77, at[0]);
	EXPECT_EQ(0, memcmp(at, at + 1, 8191));
}

TEST_F(compat, registers_above_the_address_space)
{
	struct cp_get get = {
		.deadline = CP_FOREVER,
		.regs = 1ULL << 32 | (uintptr_t)self->m.regs,
	};
	uint64_t seq = self->m.get.seq;

	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_GET, &get));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, master_get(&self->m));
	EXPECT_EQ(seq + 1, self->m.get.seq);
}

TEST_F(compat, refusals)
{
	struct cp_get get = { .reserved = 1 };

	EXPECT_EQ(-1, ioctl(self->m.fd, CP_IOC_GET, &get));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->m.fd, _IO(CP_IOC_MAGIC, 4)));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-EALREADY, prep(self->m.fd, self->slave));
}

TEST_F(compat, end)
{
	EXPECT_EQ(0, ioctl(self->m.fd, CP_IOC_END));
	EXPECT_EQ(0, master_get(&self->m));
	EXPECT_EQ(CP_END_DETACHED, self->m.get.reason);
}

TEST(mark_goes_with_the_code_that_runs)
{
	pid_t pid = slave_start(body_run, far64);
	const struct cp_checkpoint *c;
	struct master m;
	int tries = 10000;

	ASSERT_EQ(0, master_pair(&m, pid));
	do {
		ASSERT_EQ(1, master_get(&m));
		c = master_checkpoint(&m);
		/* A first checkpoint may be of a call before far64, by 32-bit code. */
		ASSERT_EQ(c->regs.cs == CS_32 ? CP_CHECKPOINT_COMPAT : 0,
			  c->flags & CP_CHECKPOINT_COMPAT);
	} while (c->regs.cs != CS_64 && tries--);
	EXPECT_EQ(CS_64, c->regs.cs);
	EXPECT_EQ(MARK, c->regs.rbx);
	slave_kill(pid);
}

/*
 * A recorder's slots have no memory at first, and hook_user_return() cannot
 * allocate it. The module then replays the return: it captures at the return of an
 * interrupt instead. Such a checkpoint must still have CP_ENTRY_SYSCALL.
 */
TEST(replayed_system_calls_are_no_interrupts)
{
	struct cp_prep arg = {
		.pid = slave_start(body_run, vdso),
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 1000,
		.stack_limit = sizeof(stack),
	};
	unsigned int calls = 0, others = 0;
	struct master m;

	ASSERT_EQ(0, master_prep(&m, &arg));
	ASSERT_TRUE(eventually(master_newest_seq(&m) >= 200));
	ASSERT_EQ(0, ioctl(m.fd, CP_IOC_END));
	while (master_get(&m) == 1) {
		const struct cp_checkpoint *c = master_checkpoint(&m);

		if (c->seq > arg.nr_slots || c->regs.rbx != MARK)
			continue;
		if (c->entry == CP_ENTRY_SYSCALL)
			calls++;
		else
			others++;
	}
	EXPECT_LT(50, calls);
	EXPECT_GT(calls / 2, others);
	master_close(&m);
	slave_kill(arg.pid);
}

static int body_64_bit(void *unused)
{
	execl("/bin/sh", "sh", "-c", "while :; do :; done", NULL);
	return 1;
}

static bool is_sh(pid_t pid)
{
	char path[32], name[16] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	comm = fopen(path, "re");
	if (!comm)
		return false;
	if (!fgets(name, sizeof(name), comm))
		name[0] = '\0';
	fclose(comm);
	return !strcmp(name, "sh\n");
}

/* The size of the extended registers in a slave's first checkpoint. */
static uint32_t xstate_size(pid_t pid)
{
	struct cp_prep arg = { .pid = pid, .flags = CP_PREP_XSTATE };
	const struct cp_segment *seg;
	struct master m;
	uint32_t size = 0;

	if (master_prep(&m, &arg))
		return 0;
	if (master_get(&m) == 1 && master_checkpoint(&m)->nr_segments == 2) {
		seg = master_stack(&m) + 1;
		size = seg->size;
	}
	master_close(&m);
	return size;
}

/* The size is the same for each kind of master and slave. */
TEST(extended_registers_have_one_size)
{
	pid_t same = slave_start(body_run, spin);
	pid_t other = slave_start(body_64_bit, NULL);
	uint32_t size = xstate_size(same);

	EXPECT_LE(512, size);
	ASSERT_TRUE(eventually(is_sh(other)));
	EXPECT_EQ(size, xstate_size(other));
	slave_kill(other);
	slave_kill(same);
}

TEST(info)
{
	struct cp_info info = { 0 };
	int fd = device_open();

	ASSERT_EQ(0, ioctl(fd, CP_IOC_INFO, &info));
	EXPECT_EQ(CP_VERSION, info.version);
	EXPECT_LE(info.stack_default, info.stack_max);
}

TEST(layout_is_that_of_64_bit_programs)
{
	EXPECT_EQ(40, sizeof(struct cp_info));
	EXPECT_EQ(88, sizeof(struct cp_prep));
	EXPECT_EQ(64, sizeof(struct cp_get));
	EXPECT_EQ(32, sizeof(struct cp_hold));
	EXPECT_EQ(24, sizeof(struct cp_snapshot));
	EXPECT_EQ(40, sizeof(struct cp_put_back));
	EXPECT_EQ(72, sizeof(struct cp_snapshot_head));
	EXPECT_EQ(288 + 48, sizeof(struct cp_snapshot_thread));
	EXPECT_EQ(56, sizeof(struct cp_snapshot_mapping));
	EXPECT_EQ(40, sizeof(struct cp_changes));
	EXPECT_EQ(24, sizeof(struct cp_change));
	EXPECT_EQ(48, sizeof(struct cp_region_head));
	EXPECT_EQ(48, sizeof(struct cp_segment));
	EXPECT_EQ(27 * 8, sizeof(struct cp_regs));
	EXPECT_EQ(48, offsetof(struct cp_checkpoint, regs));
	EXPECT_EQ(48 + 27 * 8 + 24, sizeof(struct cp_checkpoint));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--slave"))
		return slave(argv[2]);
	return test_harness_run(argc, argv);
}
