// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recorder pairs: many slots, with a slave that runs ahead of its master or never
 * waits for it; limited rates; readers of the region that make no system call;
 * extended registers.
 *
 * CHECKPOINT_RACE_SECONDS=N sets how long readers race the slave.
 */
#include "harness.h"

#include <cpuid.h>
#include <elf.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#define MS	1000000ULL	/* in nanoseconds */
#define PAGE	4096UL

/* Seconds for long tests: an emulated machine is slow. */
#define LONG	120

/*
 * The slave of most tests. It sleeps in read() until the test sends a number, and
 * then makes system calls until its counter reaches that number.
 */
struct runner {
	uint64_t until;			/* read by the slave; ~0: to its end */
	volatile uint64_t calls;	/* the counter so far */
	int gate;			/* the pipe's ends */
	int opener;
	pid_t pid;
	int nr;				/* number of the system call */
	int (*end)(struct runner *r);	/* returns the exit code */
};

/*
 * The slave's loop. RBX is its counter from the first instruction on. The arguments
 * are those of a tgkill(2) to itself; getppid(2) ignores them.
 */
asm("run:\n"
    "	pushq	%rbx\n"
    "	pushq	%r12\n"
    "	movq	%rdi, %r12\n"
    "	xorl	%ebx, %ebx\n"
    "1:	movl	16(%r12), %edi\n"
    "	movq	%r12, %rsi\n"
    "	movl	$8, %edx\n"
    "	xorl	%eax, %eax\n"	/* read */
    "	syscall\n"
    "	cmpq	$-1, (%r12)\n"
    "	je	3f\n"
    "2:	cmpq	(%r12), %rbx\n"
    "	jae	1b\n"
    "	incq	%rbx\n"
    "	movl	24(%r12), %edi\n"
    "	movl	24(%r12), %esi\n"
    "	movl	$10, %edx\n"	/* SIGUSR1 */
    "	movl	28(%r12), %eax\n"
    "	syscall\n"
    "	movq	%rbx, 8(%r12)\n"
    "	jmp	2b\n"
    "3:	popq	%r12\n"
    "	popq	%rbx\n"
    "	ret\n");

void run(struct runner *r);

static volatile int handled;

static void on_signal(int sig)
{
	handled++;
}

static int body_run(void *arg)
{
	struct runner *r = arg;

	signal(SIGUSR1, on_signal);
	r->pid = getpid();
	run(r);
	return r->end(r);
}

/* The state of the sequence of checkpoints that follows() checks. */
struct trail {
	uint64_t seq;
	uint64_t calls;
	uint64_t lost;		/* checkpoints missed since the last call's */
	uint64_t missed;	/* checkpoints missed in total */
};

/*
 * Can @c be the slave's next checkpoint? Each missed checkpoint may have been that
 * of a call.
 */
static bool follows(struct trail *t, const struct cp_checkpoint *c)
{
	bool call = c->entry == CP_ENTRY_SYSCALL && c->syscall == SYS_getppid;
	uint64_t more = c->regs.rbx - t->calls;

	if (c->seq <= t->seq)
		return false;
	t->lost += c->seq - t->seq - 1;
	t->missed += c->seq - t->seq - 1;
	t->seq = c->seq;
	if (more > t->lost + 1 || (call && !more))
		return false;
	if (call) {
		t->calls = c->regs.rbx;
		t->lost = 0;
	}
	return true;
}

/* A pair with such a slave. */
struct recording {
	struct runner *r;
	uint64_t target;
	struct master m;
	struct trail trail;
};

static bool runner_start(struct recording *rec, int (*body)(void *))
{
	int ends[2];

	rec->r = shared_memory(sizeof(*rec->r));
	if (pipe2(ends, O_CLOEXEC))
		return false;
	rec->r->gate = ends[0];
	rec->r->opener = ends[1];
	rec->r->nr = SYS_getppid;
	rec->m.slave = slave_start(body, rec->r);
	return rec->m.slave > 0 &&
	       eventually(task_syscall(rec->m.slave) == SYS_read);
}

static bool recording_start(struct recording *rec, struct cp_prep *arg)
{
	if (!runner_start(rec, body_run))
		return false;
	arg->pid = rec->m.slave;
	return !master_prep(&rec->m, arg);
}

static void recording_stop(struct recording *rec)
{
	master_close(&rec->m);
	slave_kill(rec->m.slave);
}

/* Lets the slave make @calls more system calls. */
static bool go_on(struct recording *rec, uint64_t calls)
{
	rec->target += calls;
	return write(rec->r->opener, &rec->target, 8) == 8;
}

/* Lets the slave run to its end. */
static bool go_to_end(struct recording *rec)
{
	rec->target = ~0ULL;
	return write(rec->r->opener, &rec->target, 8) == 8;
}

static bool is_through(struct recording *rec)
{
	return rec->r->calls == rec->target &&
	       task_syscall(rec->m.slave) == SYS_read;
}

/* Lets the slave make @calls more system calls, and waits until it sleeps. */
static bool run_through(struct recording *rec, uint64_t calls)
{
	return go_on(rec, calls) && eventually(is_through(rec));
}

/* Takes a checkpoint that must be available. */
static bool take_next(struct recording *rec)
{
	return master_get_until(&rec->m, 0, 0) == 1 &&
	       rec->m.get.seq == master_checkpoint(&rec->m)->seq &&
	       follows(&rec->trail, master_checkpoint(&rec->m));
}

static const struct cp_region_head *head_of(const struct master *m)
{
	return (const void *)m->region;
}

static const struct cp_checkpoint *slot_of(const struct master *m, unsigned int i)
{
	return region_slot(head_of(m), i);
}

static const struct cp_checkpoint *newest_of(const struct master *m)
{
	return region_newest(head_of(m));
}

/*
 * The lowest number of the checkpoints that wait for the master, of which there are
 * at most @slots. The other slots have the checkpoint that the master holds, and one
 * that is lost but not overwritten yet.
 */
static uint64_t oldest_seq(const struct master *m, unsigned int slots)
{
	uint64_t oldest = ~0ULL;
	unsigned int i;

	for (i = 0; i < head_of(m)->nr_slots; i++) {
		uint64_t seq = slot_of(m, i)->seq;

		if (seq > m->get.seq && seq + slots > master_newest_seq(m) &&
		    seq < oldest)
			oldest = seq;
	}
	return oldest;
}

/* A copy of a checkpoint: its header, its segment, and the segment's data. */
struct copy {
	char header[1024];
	char data[64 * 1024];
	size_t size;
};

static void copy_checkpoint(struct copy *copy, struct master *m)
{
	const struct cp_segment *seg = master_stack(m);

	memcpy(copy->header, master_checkpoint(m), sizeof(copy->header));
	copy->size = seg->size < sizeof(copy->data) ? seg->size :
						      sizeof(copy->data);
	memcpy(copy->data, m->region + seg->offset, copy->size);
}

static bool is_still(const struct copy *copy, struct master *m)
{
	const struct cp_segment *seg = master_stack(m);

	return !memcmp(copy->header, master_checkpoint(m),
		       sizeof(copy->header)) &&
	       !memcmp(copy->data, m->region + seg->offset, copy->size);
}

/*
 * Overwriting: the slave never waits.
 */
FIXTURE(overwrite)
{
	struct recording rec;
};

FIXTURE_VARIANT(overwrite)
{
	unsigned int slots;
};

FIXTURE_VARIANT_ADD(overwrite, slots_1) { .slots = 1 };
FIXTURE_VARIANT_ADD(overwrite, slots_2) { .slots = 2 };
FIXTURE_VARIANT_ADD(overwrite, slots_3) { .slots = 3 };
FIXTURE_VARIANT_ADD(overwrite, slots_64) { .slots = 64 };
FIXTURE_VARIANT_ADD(overwrite, slots_1000) { .slots = 1000 };

FIXTURE_SETUP(overwrite)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = variant->slots,
	};

	ASSERT_TRUE(recording_start(&self->rec, &arg));
}

FIXTURE_TEARDOWN(overwrite)
{
	recording_stop(&self->rec);
}

TEST_F_TIMEOUT(overwrite, slave_never_waits_and_leaves_the_last_ones, LONG)
{
	struct recording *rec = &self->rec;
	unsigned int i;

	ASSERT_TRUE(run_through(rec, 2000));
	EXPECT_TRUE(master_state_is(&rec->m, "running"));
	EXPECT_EQ(POLLIN, master_poll(&rec->m, 0));
	for (i = 0; i < variant->slots; i++) {
		ASSERT_TRUE(take_next(rec));
		ASSERT_EQ(rec->trail.missed, rec->m.get.missed);
		ASSERT_EQ(rec->m.get.missed + i + 1, rec->m.get.seq);
	}
	EXPECT_EQ(2000, rec->m.regs[RBX]);
	EXPECT_EQ(-EAGAIN, master_get_until(&rec->m, 0, 0));
	EXPECT_EQ(0, master_poll(&rec->m, 0));
	/* The return of the read(), and of each call. */
	EXPECT_LE(2001, rec->trail.seq);
}

TEST_F_TIMEOUT(overwrite, gaps_are_what_is_missed, LONG)
{
	struct recording *rec = &self->rec;
	unsigned int i, n, seen = 0;

	for (i = 0; i < 15; i++) {
		ASSERT_TRUE(run_through(rec, rand() % (2 * variant->slots + 5)));
		for (n = rand() % (variant->slots + 1); n; n--) {
			/* The master has taken all checkpoints so far. */
			if (rec->trail.seq == master_newest_seq(&rec->m))
				break;
			ASSERT_TRUE(take_next(rec));
			ASSERT_EQ(rec->trail.missed, rec->m.get.missed);
			seen++;
		}
	}
	EXPECT_LT(0, seen);
	EXPECT_LT(0, rec->m.get.missed);
}

TEST_F(overwrite, what_the_master_holds_stays)
{
	struct recording *rec = &self->rec;
	struct copy copy;
	int i;

	ASSERT_TRUE(run_through(rec, 5));
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(take_next(rec));
		copy_checkpoint(&copy, &rec->m);
		ASSERT_LT(0, copy.size);
		ASSERT_TRUE(run_through(rec, 1500));
		ASSERT_TRUE(is_still(&copy, &rec->m));
	}
}

TEST_F(overwrite, newest_is_reported)
{
	struct recording *rec = &self->rec;
	uint64_t newest, taken = 0;
	unsigned int i;

	EXPECT_EQ(0, head_of(&rec->m)->newest);
	ASSERT_TRUE(run_through(rec, 1200));
	newest = head_of(&rec->m)->newest;
	EXPECT_EQ(1200, newest_of(&rec->m)->regs.rbx);
	for (i = 0; i < head_of(&rec->m)->nr_slots; i++)
		ASSERT_GE(master_newest_seq(&rec->m), slot_of(&rec->m, i)->seq);
	while (master_get_until(&rec->m, 0, 0) == 1)
		taken = rec->m.get.slot_offset;
	EXPECT_EQ(newest, taken);
	EXPECT_EQ(newest, head_of(&rec->m)->newest);
}

TEST_F(overwrite, slots_hold_the_last_states_and_the_one_taken)
{
	struct recording *rec = &self->rec;
	unsigned char times[1001] = { 0 };
	unsigned int i, held = 0;
	uint64_t newest;

	ASSERT_TRUE(run_through(rec, 10));
	ASSERT_TRUE(take_next(rec));
	ASSERT_TRUE(run_through(rec, 1500));
	newest = master_newest_seq(&rec->m);
	ASSERT_LE(variant->slots + 1, head_of(&rec->m)->nr_slots);
	for (i = 0; i < head_of(&rec->m)->nr_slots; i++) {
		uint64_t seq = slot_of(&rec->m, i)->seq;

		if (seq == rec->m.get.seq)
			held++;
		else if (seq && newest - seq < variant->slots)
			times[newest - seq]++;
	}
	EXPECT_EQ(1, held);
	for (i = 0; i < variant->slots; i++)
		ASSERT_EQ(1, times[i]);
}

TEST_F(overwrite, bad_address_keeps_it_for_the_next_call)
{
	struct cp_get bad = { .regs = 8 };
	struct recording *rec = &self->rec;
	uint64_t oldest;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(run_through(rec, variant->slots + 5));
		oldest = oldest_seq(&rec->m, variant->slots);
		ASSERT_EQ(-1, ioctl(rec->m.fd, CP_IOC_GET, &bad));
		ASSERT_EQ(EFAULT, errno);
		ASSERT_TRUE(run_through(rec, variant->slots + 500));
		ASSERT_EQ(-1, ioctl(rec->m.fd, CP_IOC_GET, &bad));
		ASSERT_EQ(POLLIN, master_poll(&rec->m, 0));
		ASSERT_TRUE(take_next(rec));
		EXPECT_EQ(oldest, rec->m.get.seq);
		/* The next checkpoints come in order. */
		oldest = oldest_seq(&rec->m, variant->slots);
		ASSERT_TRUE(take_next(rec));
		EXPECT_EQ(oldest, rec->m.get.seq);
		EXPECT_EQ(rec->trail.missed, rec->m.get.missed);
	}
}

static void interrupt_often(int us)
{
	struct itimerval often = { { 0, us }, { 0, us } };
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* Takes checkpoints with short deadlines, while signals interrupt the waits. */
static bool take_hastily(struct recording *rec, int *late)
{
	int ret;

	do {
		ret = master_get_until(&rec->m, now_ns() + rand() % 200000, 0);
		*late += ret != 1;
		if (ret == 1 && !follows(&rec->trail, master_checkpoint(&rec->m)))
			return false;
		if (ret != 1 && ret != -ETIMEDOUT && ret != -EINTR)
			return false;
	} while (ret == 1 || !is_through(rec));
	return true;
}

TEST_F_TIMEOUT(overwrite, deadlines_and_signals_lose_nothing, LONG)
{
	struct recording *rec = &self->rec;
	int late = 0, i;

	interrupt_often(1000);
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(go_on(rec, 40));
		ASSERT_TRUE(take_hastily(rec, &late));
	}
	interrupt_often(0);
	ASSERT_TRUE(run_through(rec, 1));
	ASSERT_TRUE(take_next(rec));
	EXPECT_EQ(rec->trail.missed, rec->m.get.missed);
	EXPECT_LE(20, late);
	TH_LOG("%d times nothing, %d signals, %llu missed", late, handled,
	       (unsigned long long)rec->m.get.missed);
}

/*
 * Running ahead: the slave waits for the master when all slots are full.
 */
FIXTURE(ahead)
{
	struct recording rec;
};

FIXTURE_VARIANT(ahead)
{
	unsigned int slots;
};

FIXTURE_VARIANT_ADD(ahead, slots_2) { .slots = 2 };
FIXTURE_VARIANT_ADD(ahead, slots_3) { .slots = 3 };
FIXTURE_VARIANT_ADD(ahead, slots_64) { .slots = 64 };

FIXTURE_SETUP(ahead)
{
	struct cp_prep arg = { .nr_slots = variant->slots };

	ASSERT_TRUE(recording_start(&self->rec, &arg));
}

FIXTURE_TEARDOWN(ahead)
{
	recording_stop(&self->rec);
}

/* Does the slave wait for its master after its checkpoint @seq? */
static bool waits_after(struct recording *rec, uint64_t seq)
{
	return master_state_is(&rec->m, "slave-waiting") &&
	       task_state(rec->m.slave) == 'S' && master_newest_seq(&rec->m) == seq;
}

TEST_F(ahead, slave_waits_when_it_is_so_far_ahead)
{
	struct recording *rec = &self->rec;
	uint64_t left = variant->slots;
	int i;

	ASSERT_TRUE(go_on(rec, 500));
	ASSERT_TRUE(eventually(waits_after(rec, left)));
	/* The first return is that of its read(). */
	EXPECT_GE(left - 1, rec->r->calls);
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(take_next(rec));
		ASSERT_EQ(i + 1, rec->m.get.seq);
		left++;
		ASSERT_TRUE(eventually(waits_after(rec, left)));
	}
	EXPECT_EQ(0, rec->m.get.missed);
}

TEST_F(ahead, ready_long_before_the_slave_waits)
{
	struct recording *rec = &self->rec;

	EXPECT_EQ(0, master_poll(&rec->m, 0));
	ASSERT_TRUE(go_on(rec, 0));
	ASSERT_EQ(POLLIN, master_poll(&rec->m, 10000));
	EXPECT_TRUE(eventually(is_through(rec)));
	EXPECT_TRUE(master_state_is(&rec->m, "running"));
	ASSERT_TRUE(take_next(rec));
	EXPECT_EQ(1, rec->m.get.seq);
	EXPECT_EQ(SYS_read, master_checkpoint(&rec->m)->syscall);
}

TEST_F_TIMEOUT(ahead, nothing_is_lost_and_order_is_kept, LONG)
{
	struct recording *rec = &self->rec;
	uint64_t seq;

	ASSERT_TRUE(go_on(rec, 4000));
	for (seq = 1; seq <= 4000; seq++) {
		ASSERT_EQ(1, master_get(&rec->m));
		ASSERT_EQ(seq, rec->m.get.seq);
		ASSERT_TRUE(follows(&rec->trail, master_checkpoint(&rec->m)));
	}
	EXPECT_EQ(0, rec->m.get.missed);
}

TEST_F(ahead, bad_address_keeps_it_for_the_next_call)
{
	struct cp_get bad = { .deadline = CP_FOREVER, .regs = 8 };
	struct recording *rec = &self->rec;
	uint64_t seq;

	ASSERT_TRUE(go_on(rec, 2000));
	for (seq = 1; seq <= 300; seq++) {
		if (seq % 3) {
			ASSERT_EQ(-1, ioctl(rec->m.fd, CP_IOC_GET, &bad));
			ASSERT_EQ(EFAULT, errno);
		}
		ASSERT_EQ(1, master_get(&rec->m));
		ASSERT_EQ(seq, rec->m.get.seq);
		ASSERT_TRUE(follows(&rec->trail, master_checkpoint(&rec->m)));
	}
}

TEST_F_TIMEOUT(ahead, deadlines_and_signals_lose_nothing, LONG)
{
	struct recording *rec = &self->rec;
	int late = 0, i;

	interrupt_often(1000);
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(go_on(rec, 40));
		ASSERT_TRUE(take_hastily(rec, &late));
	}
	interrupt_often(0);
	/* The last call may have been interrupted although checkpoints were left. */
	while (master_get_until(&rec->m, 0, 0) == 1)
		ASSERT_TRUE(follows(&rec->trail, master_checkpoint(&rec->m)));
	EXPECT_EQ(0, rec->trail.missed);
	EXPECT_EQ(0, rec->m.get.missed);
	EXPECT_LE(20, late);
	EXPECT_LE(20 * 40, rec->trail.seq);
}

TEST_F(ahead, what_the_master_holds_stays)
{
	struct recording *rec = &self->rec;
	uint64_t left = variant->slots;
	struct copy copy;
	int i;

	ASSERT_TRUE(go_on(rec, 2000));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(1, master_get(&rec->m));
		copy_checkpoint(&copy, &rec->m);
		left++;
		ASSERT_TRUE(eventually(waits_after(rec, left)));
		ASSERT_TRUE(is_still(&copy, &rec->m));
	}
}

TEST_F(ahead, end_of_the_pair_frees_a_waiting_slave)
{
	struct recording *rec = &self->rec;
	unsigned int i;

	ASSERT_TRUE(go_on(rec, 500));
	ASSERT_TRUE(eventually(waits_after(rec, variant->slots)));
	ASSERT_EQ(0, ioctl(rec->m.fd, CP_IOC_END));
	EXPECT_TRUE(eventually(is_through(rec)));
	for (i = 0; i < variant->slots; i++)
		ASSERT_TRUE(take_next(rec));
	EXPECT_EQ(0, master_get(&rec->m));
	EXPECT_EQ(CP_END_DETACHED, rec->m.get.reason);
}

TEST_F(ahead, signals_reach_a_waiting_slave)
{
	struct recording *rec = &self->rec;

	ASSERT_TRUE(go_on(rec, 500));
	ASSERT_TRUE(eventually(waits_after(rec, variant->slots)));
	kill(rec->m.slave, SIGSTOP);
	ASSERT_TRUE(eventually(task_state(rec->m.slave) == 'T'));
	kill(rec->m.slave, SIGCONT);
	ASSERT_TRUE(eventually(waits_after(rec, variant->slots)));
	ASSERT_TRUE(take_next(rec));
	ASSERT_TRUE(eventually(waits_after(rec, variant->slots + 1)));
	EXPECT_EQ(SIGKILL, slave_kill(rec->m.slave));
}

/* A slave whose slots are full waits for no longer than its wait limit. */
TEST(limit_of_the_wait_with_slots)
{
	struct cp_prep arg = { .nr_slots = 4, .wait_limit = 2 * MS };
	struct recording rec = { 0 };
	int i;

	ASSERT_TRUE(recording_start(&rec, &arg));
	ASSERT_TRUE(run_through(&rec, 100));
	for (i = 0; i < 4; i++) {
		ASSERT_TRUE(take_next(&rec));
		/* The slots keep the first checkpoints; later ones are missed. */
		EXPECT_EQ(i + 1, rec.m.get.seq);
		EXPECT_LE(97, rec.m.get.missed);
	}
	EXPECT_EQ(-EAGAIN, master_get_until(&rec.m, 0, 0));
	ASSERT_TRUE(run_through(&rec, 1));
	ASSERT_TRUE(take_next(&rec));
	EXPECT_EQ(rec.trail.missed, rec.m.get.missed);
	recording_stop(&rec);
}

/*
 * The pair's end: the master takes the remaining checkpoints, and then sees the end.
 */
static int end_exit(struct runner *r)
{
	return 7;
}

static int end_exec(struct runner *r)
{
	execl("/proc/self/exe", "other-program", NULL);
	return 99;
}

static void __attribute__((constructor)) other_program(int argc, char **argv)
{
	if (argc && !strcmp(argv[0], "other-program"))
		body_sleep(NULL);
}

enum ending { EXITS, EXECS, KILLED, TOLD };

FIXTURE(ending)
{
	struct recording rec;
};

FIXTURE_VARIANT(ending)
{
	uint32_t flags;
	enum ending ending;
	uint32_t reason;
	int32_t status;
};

#define ENDING(name, its_flags, its_ending, its_reason, its_status)	\
FIXTURE_VARIANT_ADD(ending, name)					\
{									\
	.flags = its_flags,						\
	.ending = its_ending,						\
	.reason = its_reason,						\
	.status = its_status,						\
}

ENDING(overwrite_exit, CP_PREP_OVERWRITE, EXITS, CP_END_EXITED, 7 << 8);
ENDING(overwrite_exec, CP_PREP_OVERWRITE, EXECS, CP_END_EXEC, 0);
ENDING(overwrite_kill, CP_PREP_OVERWRITE, KILLED, CP_END_EXITED, SIGKILL);
ENDING(overwrite_end, CP_PREP_OVERWRITE, TOLD, CP_END_DETACHED, 0);
ENDING(ahead_exit, 0, EXITS, CP_END_EXITED, 7 << 8);
ENDING(ahead_exec, 0, EXECS, CP_END_EXEC, 0);
ENDING(ahead_kill, 0, KILLED, CP_END_EXITED, SIGKILL);
ENDING(ahead_end, 0, TOLD, CP_END_DETACHED, 0);

FIXTURE_SETUP(ending)
{
	struct cp_prep arg = { .flags = variant->flags, .nr_slots = 64 };
	struct recording *rec = &self->rec;

	ASSERT_TRUE(recording_start(rec, &arg));
	rec->r->end = variant->ending == EXITS ? end_exit : end_exec;
	ASSERT_TRUE(run_through(rec, 20));
	ASSERT_TRUE(take_next(rec));
	ASSERT_TRUE(take_next(rec));
	/* Few enough calls that the slave reaches its end without waiting. */
	ASSERT_TRUE(run_through(rec, variant->flags ? 200 : 10));
	switch (variant->ending) {
	case KILLED:
		kill(rec->m.slave, SIGKILL);
		break;
	case TOLD:
		ASSERT_EQ(0, ioctl(rec->m.fd, CP_IOC_END));
		break;
	default:
		ASSERT_TRUE(go_to_end(rec));
	}
	ASSERT_TRUE(eventually(master_poll(&rec->m, 0) & POLLHUP));
}

FIXTURE_TEARDOWN(ending)
{
	recording_stop(&self->rec);
}

TEST_F(ending, what_is_left_is_given_and_then_the_end)
{
	struct recording *rec = &self->rec;
	uint64_t newest = master_newest_seq(&rec->m), seq = oldest_seq(&rec->m, 64);
	int i;

	ASSERT_LT(20, newest);
	ASSERT_EQ(variant->flags ? newest - 63 : 3, seq);
	for (; seq <= newest; seq++) {
		ASSERT_EQ(POLLIN | POLLHUP, master_poll(&rec->m, 0));
		ASSERT_EQ(1, master_get(&rec->m));
		ASSERT_EQ(seq, rec->m.get.seq);
		ASSERT_EQ(seq, master_checkpoint(&rec->m)->seq);
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, master_get(&rec->m));
		EXPECT_EQ(variant->reason, rec->m.get.reason);
		EXPECT_EQ(variant->status, rec->m.get.status);
		EXPECT_EQ(POLLIN | POLLHUP, master_poll(&rec->m, 0));
	}
	/* The region is still mapped. */
	EXPECT_EQ(newest, master_newest_seq(&rec->m));
	EXPECT_EQ(CP_REGION_MAGIC, head_of(&rec->m)->magic);
}

TEST_F(ending, region_outlives_the_file)
{
	struct recording *rec = &self->rec;
	uint64_t newest = master_newest_seq(&rec->m);

	close(rec->m.fd);
	rec->m.fd = -1;
	EXPECT_LT(20, newest);
	EXPECT_EQ(newest, master_newest_seq(&rec->m));
	EXPECT_EQ(sizeof(struct cp_checkpoint), newest_of(&rec->m)->size);
}

TEST(close_by_the_master_lets_the_slave_go_on)
{
	struct recording rec[2] = { 0 };
	struct cp_prep arg[2] = {
		{ .nr_slots = 4 },
		{ .nr_slots = 4, .flags = CP_PREP_OVERWRITE },
	};
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(recording_start(&rec[i], &arg[i]));
		ASSERT_TRUE(go_on(&rec[i], 200));
		ASSERT_TRUE(eventually(master_newest_seq(&rec[i].m) >= 4));
		close(rec[i].m.fd);
		EXPECT_TRUE(eventually(is_through(&rec[i])));
		ASSERT_TRUE(run_through(&rec[i], 1000));
		/* The region keeps its contents after the pair's end. */
		EXPECT_GE(1000, newest_of(&rec[i].m)->regs.rbx);
		EXPECT_LE(4, master_newest_seq(&rec[i].m));
		slave_kill(rec[i].m.slave);
	}
}

/*
 * Limited rates: @every and @interval.
 */
static bool rate_start(struct recording *rec, unsigned int every,
		       uint64_t interval)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 1000,
		.stack_limit = PAGE,
		.every = every,
		.interval = interval,
	};

	return recording_start(rec, &arg);
}

/*
 * Counts the checkpoints whose counter exceeds the previous one's by exactly @by.
 * The difference can be less, because returns from interrupts count too, but never
 * more: returns -1 then.
 */
static int steps(struct recording *rec, uint64_t by)
{
	uint64_t last;
	int exact = 0;

	if (master_get_until(&rec->m, 0, 0) != 1)
		return -1;
	last = rec->m.regs[RBX];
	while (master_get_until(&rec->m, 0, 0) == 1) {
		if (rec->m.regs[RBX] - last > by)
			return -1;
		exact += rec->m.regs[RBX] - last == by;
		last = rec->m.regs[RBX];
	}
	return exact;
}

/*
 * Are there @times checkpoints exactly @by calls apart? On a slow machine there are
 * interrupts between most calls, but not between all.
 */
static bool makes_steps(struct recording *rec, uint64_t by, int times)
{
	int round, exact, all = 0;

	for (round = 0; round < 200 && all < times; round++) {
		if (!run_through(rec, 40 * by))
			return false;
		exact = steps(rec, by);
		if (exact < 0)
			return false;
		all += exact;
	}
	return all >= times;
}

TEST(every_nth_return)
{
	static const unsigned int every[] = { 2, 7, 50 };
	struct recording rec;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		memset(&rec, 0, sizeof(rec));
		ASSERT_TRUE(rate_start(&rec, every[i], 0));
		ASSERT_TRUE(run_through(&rec, 40 * every[i]));
		EXPECT_LE(40, master_newest_seq(&rec.m));
		EXPECT_TRUE(makes_steps(&rec, every[i], 20));
		recording_stop(&rec);
	}
}

TEST(every_0_and_1_are_each_return)
{
	struct recording rec;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		memset(&rec, 0, sizeof(rec));
		ASSERT_TRUE(rate_start(&rec, i, 0));
		ASSERT_TRUE(run_through(&rec, 100));
		EXPECT_LE(101, master_newest_seq(&rec.m));
		EXPECT_TRUE(makes_steps(&rec, 1, 50));
		recording_stop(&rec);
	}
}

/* Is each checkpoint the next in sequence, and at least @interval later? */
static bool keeps_distance(struct recording *rec, uint64_t interval)
{
	uint64_t time = 0, seq = 0;

	while (master_get_until(&rec->m, 0, 0) == 1) {
		const struct cp_checkpoint *c = master_checkpoint(&rec->m);

		/* Returns that are not captured have no number. */
		if (c->seq != ++seq || (time && c->time < time + interval))
			return false;
		time = c->time;
	}
	return seq;
}

TEST(interval_between_checkpoints)
{
	struct recording rec = { 0 };

	ASSERT_TRUE(rate_start(&rec, 0, 3 * MS));
	while (master_newest_seq(&rec.m) < 10)
		ASSERT_TRUE(run_through(&rec, 500));
	/* The slave has made all its calls without waiting. */
	EXPECT_LE(500, rec.r->calls);
	EXPECT_GT(rec.r->calls, master_newest_seq(&rec.m));
	EXPECT_TRUE(keeps_distance(&rec, 3 * MS));
	recording_stop(&rec);
}

TEST(interval_and_every_must_agree)
{
	struct recording rec = { 0 };

	ASSERT_TRUE(rate_start(&rec, 20, 1));
	EXPECT_TRUE(makes_steps(&rec, 20, 20));
	recording_stop(&rec);

	memset(&rec, 0, sizeof(rec));
	ASSERT_TRUE(rate_start(&rec, 2, 3 * MS));
	while (master_newest_seq(&rec.m) < 5)
		ASSERT_TRUE(run_through(&rec, 500));
	EXPECT_TRUE(keeps_distance(&rec, 3 * MS));
	recording_stop(&rec);
}

TEST(nudge_goes_before_the_rate)
{
	struct recording rec = { 0 };
	int i;

	ASSERT_TRUE(rate_start(&rec, 1000000, 3600 * 1000 * MS));
	ASSERT_TRUE(run_through(&rec, 300));
	/* The first return is always captured. */
	ASSERT_EQ(1, master_get_until(&rec.m, 0, 0));
	EXPECT_EQ(SYS_read, master_checkpoint(&rec.m)->syscall);
	EXPECT_EQ(-EAGAIN, master_get_until(&rec.m, 0, 0));
	for (i = 2; i < 20; i++) {
		ASSERT_EQ(1, master_get_until(&rec.m, now_ns() + 60000 * MS,
					      CP_GET_NUDGE));
		EXPECT_EQ(i, rec.m.get.seq);
		EXPECT_EQ(300, rec.m.regs[RBX]);
		ASSERT_TRUE(eventually(is_through(&rec)));
	}
	/* A slave that runs: each nudge captures its next return. */
	ASSERT_TRUE(go_on(&rec, 1000000));
	for (i = 20; i < 220; i++) {
		ASSERT_EQ(1, master_get_until(&rec.m, now_ns() + 60000 * MS,
					      CP_GET_NUDGE));
		EXPECT_EQ(i, rec.m.get.seq);
	}
	recording_stop(&rec);
}

TEST(interval_may_be_for_ever)
{
	struct recording rec = { 0 };

	ASSERT_TRUE(rate_start(&rec, 0, CP_FOREVER));
	ASSERT_TRUE(run_through(&rec, 300));
	ASSERT_EQ(1, master_get_until(&rec.m, 0, 0));
	EXPECT_EQ(-EAGAIN, master_get_until(&rec.m, 0, 0));
	ASSERT_EQ(1, master_get_until(&rec.m, now_ns() + 60000 * MS,
				      CP_GET_NUDGE));
	ASSERT_TRUE(run_through(&rec, 600));
	EXPECT_EQ(2, master_newest_seq(&rec.m));
	recording_stop(&rec);
}

static bool is_handler(struct master *m)
{
	return m->regs[RIP] == (uintptr_t)on_signal;
}

TEST(handler_entries_are_captured_without_waiting)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		/* Three returns to each call, and a slow machine's interrupts. */
		.nr_slots = 4000,
	};
	struct recording rec = { 0 };
	int entries = 0;

	ASSERT_TRUE(recording_start(&rec, &arg));
	rec.r->nr = SYS_tgkill;
	ASSERT_TRUE(run_through(&rec, 100));
	while (master_get_until(&rec.m, 0, 0) == 1) {
		if (!is_handler(&rec.m))
			continue;
		EXPECT_EQ(SIGUSR1, rec.m.regs[RDI]);
		/* An interrupt at the handler's first instruction shows it twice. */
		entries += rec.m.regs[RBX] != (uint64_t)entries;
		ASSERT_EQ(entries, rec.m.regs[RBX]);
	}
	EXPECT_EQ(0, rec.m.get.missed);
	EXPECT_EQ(100, entries);
	recording_stop(&rec);
}

TEST(return_into_a_handler_counts_once)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 1000,
		.every = 10,
	};
	struct recording rec = { 0 };

	ASSERT_TRUE(recording_start(&rec, &arg));
	rec.r->nr = SYS_tgkill;
	ASSERT_TRUE(run_through(&rec, 250));
	/*
	 * Each call causes two returns, to the handler and from it: 10 returns are 5
	 * calls, or fewer if there were interrupts.
	 */
	EXPECT_LE(50, master_newest_seq(&rec.m));
	EXPECT_LE(25, steps(&rec, 5));
	recording_stop(&rec);
}

/* A page fault that was not captured must not mark the next return as a fault. */
static int body_fault_and_spin(void *arg)
{
	struct runner *r = arg;
	char *page = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t until;
	int i;

	if (read(r->gate, &until, 8) != 8)
		return 1;
	madvise(page, 64 * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < 64; i++)
		page[i * PAGE] = 1;
	r->calls = until;
	asm volatile("1: pause; jmp 1b" : : "b" (~0ULL));
	return 0;
}

TEST(fault_that_was_skipped_does_not_mark_another)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 1000,
		.every = 1000000,
	};
	struct recording rec = { 0 };

	ASSERT_TRUE(runner_start(&rec, body_fault_and_spin));
	arg.pid = rec.m.slave;
	ASSERT_EQ(0, master_prep(&rec.m, &arg));
	ASSERT_TRUE(go_on(&rec, 1));
	ASSERT_TRUE(eventually(rec.r->calls == 1));
	ASSERT_EQ(1, master_get(&rec.m));
	sleep_ms(20);
	ASSERT_EQ(1, master_get_until(&rec.m, CP_FOREVER, CP_GET_NUDGE));
	EXPECT_EQ(~0ULL, rec.m.regs[RBX]);
	EXPECT_EQ(CP_ENTRY_INTERRUPT, master_checkpoint(&rec.m)->entry);
	recording_stop(&rec);
}

/*
 * Readers of the region that make no system call, while the slave writes.
 */
#define PATTERN_WORDS	1024

/*
 * Fills its stack with its counter and calls getuid(2), for ever. The slave calls
 * getuid(2) nowhere else.
 */
asm("fill_and_call:\n"
    "	movq	%rdi, %rsp\n"
    "	xorl	%ebx, %ebx\n"
    "1:	incq	%rbx\n"
    "	movq	%rsp, %rdi\n"
    "	movl	$1024, %ecx\n"
    "	movq	%rbx, %rax\n"
    "	rep stosq\n"
    "	movl	$102, %eax\n"	/* getuid */
    "	syscall\n"
    "	jmp	1b\n");

void fill_and_call(void *stack) __attribute__((noreturn));

static int body_fill(void *stack)
{
	fill_and_call(stack);
}

struct reader {
	struct master *m;
	char *stack;		/* in the slave */
	volatile bool *stop;
	bool any_slot;		/* reads all slots, not only the newest */
	pthread_t thread;
	uint64_t copies;
	uint64_t retries;
	uint64_t torn;		/* copies that are not one checkpoint */
};

/* Does the copied stack hold the counter in RBX? Always true of other returns. */
static bool fits(const struct cp_checkpoint *c, const uint64_t *words)
{
	unsigned int i;

	if (c->size != sizeof(*c) || c->nr_segments != 1)
		return false;
	if (c->entry != CP_ENTRY_SYSCALL || c->syscall != SYS_getuid)
		return true;
	for (i = 0; i < PATTERN_WORDS; i++)
		if (words[i] != c->regs.rbx)
			return false;
	return true;
}

/* Copies slot @from as the header describes. Returns its seq, or 0. */
static uint64_t copy_slot(struct reader *r, const struct cp_checkpoint *from,
			  struct cp_checkpoint *c, uint64_t *words)
{
	uint64_t size = head_of(r->m)->slot_size, at, seq;
	struct cp_segment seg;

	seq = __atomic_load_n(&from->seq, __ATOMIC_ACQUIRE);
	if (!seq)
		return 0;
	memcpy(c, from, sizeof(*c));
	memcpy(&seg, from + 1, sizeof(seg));
	at = (uintptr_t)r->stack - seg.addr + seg.offset -
	     ((const char *)from - r->m->region);
	/* The offset may be invalid if the slave is overwriting the slot. */
	if (at < size && size - at > PATTERN_WORDS * 8)
		memcpy(words, (const char *)from + at, PATTERN_WORDS * 8);
	else
		memset(words, 0, PATTERN_WORDS * 8);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->seq, __ATOMIC_RELAXED) == seq ? seq : 0;
}

static void *read_slots(void *arg)
{
	static __thread uint64_t words[PATTERN_WORDS];
	const struct cp_region_head *head;
	struct reader *r = arg;
	struct cp_checkpoint c;
	uint64_t last = 0, seq;

	head = head_of(r->m);
	while (!*r->stop) {
		uint64_t newest = __atomic_load_n(&head->newest, __ATOMIC_ACQUIRE);
		unsigned int slot = (r->copies + r->retries) % head->nr_slots;

		if (!newest)
			continue;
		if ((newest - head->slots_offset) % head->slot_size)
			r->torn++;
		seq = copy_slot(r, r->any_slot ? slot_of(r->m, slot) :
				(const void *)(r->m->region + newest),
				&c, words);
		if (!seq) {
			r->retries++;
			continue;
		}
		r->copies++;
		r->torn += c.seq != seq || !fits(&c, words);
		/* The newest checkpoint is never older than before. */
		r->torn += !r->any_slot && seq < last;
		last = seq;
	}
	return NULL;
}

static unsigned int race_seconds(void)
{
	const char *value = getenv("CHECKPOINT_RACE_SECONDS");

	return value ? atoi(value) : 2;
}

TEST_F_TIMEOUT(overwrite, readers_never_see_a_torn_slot, 24 * 3600)
{
	volatile bool stop = false;
	struct reader readers[2];
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = variant->slots,
	};
	struct master m;
	char *stack;
	int i;

	if (variant->slots > 3)
		SKIP(return, "few slots are the hard case");
	stack = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	recording_stop(&self->rec);
	arg.pid = slave_start(body_fill, stack + PAGE);
	ASSERT_EQ(0, master_prep(&m, &arg));
	for (i = 0; i < 2; i++) {
		readers[i] = (struct reader){
			.m = &m,
			.stack = stack + PAGE,
			.stop = &stop,
			.any_slot = i,
		};
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
					    read_slots, &readers[i]));
	}
	/* Each CP_IOC_GET lets the slave reuse another slot. */
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(1, master_get(&m));
		sleep_ms(race_seconds() * 10);
	}
	stop = true;
	for (i = 0; i < 2; i++) {
		pthread_join(readers[i].thread, NULL);
		EXPECT_EQ(0, readers[i].torn);
		EXPECT_LT(1000, readers[i].copies);
		TH_LOG("%llu whole copies, %llu were none",
		       (unsigned long long)readers[i].copies,
		       (unsigned long long)readers[i].retries);
	}
	/* Without a retry, the readers would not have met the writer. */
	EXPECT_LT(0, readers[0].retries + readers[1].retries);
	self->rec.m = m;
}

/*
 * Extended registers.
 */
static uint8_t vectors[16][32] __attribute__((aligned(32)));

/* Loads the vectors into registers, and spins. */
static int body_sse(void *unused)
{
	asm volatile("movdqa 0*32(%0), %%xmm0\n\t"
		     "movdqa 1*32(%0), %%xmm1\n\t"
		     "movdqa 2*32(%0), %%xmm2\n\t"
		     "movdqa 7*32(%0), %%xmm7\n\t"
		     "movdqa 8*32(%0), %%xmm8\n\t"
		     "movdqa 15*32(%0), %%xmm15\n\t"
		     "fldpi\n\t"
		     "movl	$1, %%ebx\n\t"
		     "1: pause\n\t"
		     "jmp 1b" : : "r" (vectors));
	return 0;
}

static int body_avx(void *unused)
{
	asm volatile("vmovdqa 0*32(%0), %%ymm0\n\t"
		     "vmovdqa 1*32(%0), %%ymm1\n\t"
		     "vmovdqa 2*32(%0), %%ymm2\n\t"
		     "vmovdqa 7*32(%0), %%ymm7\n\t"
		     "vmovdqa 8*32(%0), %%ymm8\n\t"
		     "vmovdqa 15*32(%0), %%ymm15\n\t"
		     "fldpi\n\t"
		     "movl	$1, %%ebx\n\t"
		     "1: pause\n\t"
		     "jmp 1b" : : "r" (vectors));
	return 0;
}

static const int loaded[] = { 0, 1, 2, 7, 8, 15 };

static void fill_vectors(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(vectors); i++)
		((uint8_t *)vectors)[i] = i * 7 + 1;
}

/* Offsets in the standard form of XSAVE. */
#define XMM_OFFSET	160
#define XSTATE_BV	512

static unsigned int ymm_offset(void)
{
	unsigned int size = 0, offset = 0, c = 0, d = 0;

	__cpuid_count(0xd, 2, size, offset, c, d);
	return offset;
}

static bool has_avx(void)
{
	return __builtin_cpu_supports("avx");
}

/* The extended registers of a spinning slave, as a debugger reads them. */
static ssize_t traced_xstate(pid_t pid, void *buf, size_t size)
{
	struct iovec iov = { buf, size };
	int status;
	long ret;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	    waitpid(pid, &status, __WALL) != pid)
		return -1;
	ret = ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &iov);
	/* Without XSAVE, the kernel has only NT_PRFPREG. */
	if (ret && errno == ENODEV)
		ret = ptrace(PTRACE_GETREGSET, pid, NT_PRFPREG, &iov);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return ret ? -1 : (ssize_t)iov.iov_len;
}

FIXTURE(xstate)
{
	struct master m;
};

FIXTURE_VARIANT(xstate)
{
	int (*body)(void *unused);
	uint32_t flags;
	uint32_t slots;
};

FIXTURE_VARIANT_ADD(xstate, sse_rendezvous) { .body = body_sse };
FIXTURE_VARIANT_ADD(xstate, avx_rendezvous) { .body = body_avx };
FIXTURE_VARIANT_ADD(xstate, avx_ahead) { .body = body_avx, .slots = 4 };
FIXTURE_VARIANT_ADD(xstate, avx_overwrite)
{
	.body = body_avx,
	.flags = CP_PREP_OVERWRITE,
	.slots = 4,
};

FIXTURE_SETUP(xstate)
{
	struct cp_prep arg = {
		.flags = variant->flags | CP_PREP_XSTATE,
		.nr_slots = variant->slots,
	};

	if (variant->body == body_avx && !has_avx())
		SKIP(return, "no AVX here");
	fill_vectors();
	arg.pid = slave_start(variant->body, NULL);
	ASSERT_EQ(0, master_prep(&self->m, &arg));
	/* Another process with other values in the registers competes for CPUs. */
	memset(vectors, 0xee, sizeof(vectors));
	slave_start(variant->body, NULL);
	fill_vectors();
	do {
		ASSERT_EQ(1, master_get(&self->m));
	} while (self->m.regs[RBX] != 1);
}

FIXTURE_TEARDOWN(xstate)
{
	slave_kill(self->m.slave);
	master_close(&self->m);
}

TEST_F(xstate, second_segment_holds_what_was_loaded)
{
	const struct cp_checkpoint *c = master_checkpoint(&self->m);
	const struct cp_segment *seg = master_stack(&self->m) + 1;
	const uint8_t *bytes = (const void *)(self->m.region + seg->offset);
	unsigned int i;

	ASSERT_EQ(2, c->nr_segments);
	ASSERT_EQ(sizeof(*seg), c->segment_size);
	EXPECT_EQ(CP_SEGMENT_STACK, seg[-1].kind);
	EXPECT_EQ(CP_SEGMENT_XSTATE, seg->kind);
	EXPECT_EQ(0, seg->flags);
	EXPECT_EQ(0, seg->addr | seg->map_start | seg->map_end);
	ASSERT_LE(512, seg->size);
	ASSERT_LE(seg->offset + seg->size, self->m.size);
	for (i = 0; i < ARRAY_SIZE(loaded); i++)
		EXPECT_EQ(0, memcmp(bytes + XMM_OFFSET + 16 * loaded[i],
				    vectors[loaded[i]], 16));
	if (variant->body != body_avx)
		return;
	ASSERT_LE(ymm_offset() + 256, seg->size);
	EXPECT_EQ(7, bytes[XSTATE_BV] & 7);
	for (i = 0; i < ARRAY_SIZE(loaded); i++)
		EXPECT_EQ(0, memcmp(bytes + ymm_offset() + 16 * loaded[i],
				    vectors[loaded[i]] + 16, 16));
}

TEST_F(xstate, debugger_and_checkpoint_agree)
{
	const struct cp_segment *seg = master_stack(&self->m) + 1;
	char seen[16384], copy[16384];
	ssize_t size;

	ASSERT_LE(seg->size, sizeof(copy));
	memcpy(copy, self->m.region + seg->offset, seg->size);
	size = traced_xstate(self->m.slave, seen, sizeof(seen));
	ASSERT_EQ(size, (ssize_t)seg->size);
	EXPECT_EQ(0, memcmp(seen, copy, size));
}

TEST(no_extended_registers_unless_asked_for)
{
	struct cp_prep arg = { .nr_slots = 2, .flags = CP_PREP_OVERWRITE };
	struct recording rec = { 0 };

	ASSERT_TRUE(recording_start(&rec, &arg));
	ASSERT_TRUE(run_through(&rec, 5));
	ASSERT_TRUE(take_next(&rec));
	EXPECT_EQ(1, master_checkpoint(&rec.m)->nr_segments);
	recording_stop(&rec);
}

/*
 * The arguments of a recorder: valid and invalid ones.
 */
FIXTURE(form)
{
	struct recording rec;
	struct cp_info info;
	int fd;
};

FIXTURE_SETUP(form)
{
	ASSERT_TRUE(runner_start(&self->rec, body_run));
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ioctl(self->fd, CP_IOC_INFO, &self->info));
}

FIXTURE_TEARDOWN(form)
{
	slave_kill(self->rec.m.slave);
}

static int try_form(FIXTURE_DATA(form) *self, struct cp_prep arg)
{
	arg.pid = self->rec.m.slave;
	return prep_with(self->fd, &arg);
}

TEST_F(form, features_are_reported)
{
	const uint64_t all = CP_FEATURE_SLOTS | CP_FEATURE_RATE |
			     CP_FEATURE_DEATH | CP_FEATURE_XSTATE;

	EXPECT_EQ(all, self->info.features & all);
}

TEST_F(form, what_is_refused)
{
	struct cp_prep prep = { .nr_slots = CP_SLOTS_MAX + 1 };

	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep.nr_slots = ~0U;
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep.nr_slots = 1000;
	prep.stack_limit = self->info.stack_max / 1000 + 1;
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep.nr_slots = 2;
	prep.stack_limit = ~0ULL;
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep.nr_slots = CP_SLOTS_MAX;
	prep.stack_limit = 1ULL << 48;
	EXPECT_EQ(-EINVAL, try_form(self, prep));

	prep = (struct cp_prep){ .flags = CP_PREP_OVERWRITE, .wait_limit = 1 };
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep = (struct cp_prep){ .flags = CP_PREP_PROCESS << 1 };
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep = (struct cp_prep){ .flags = 1U << 31 };
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep = (struct cp_prep){ .reserved = 1 };
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	prep = (struct cp_prep){ .flags = CP_PREP_PROCESS,
				 .nr_threads = CP_THREADS_MAX + 1 };
	EXPECT_EQ(-EINVAL, try_form(self, prep));
	/* The refused calls have changed nothing. */
	EXPECT_EQ(0, try_form(self, (struct cp_prep){ .nr_slots = 1 }));
}

TEST_F(form, most_slots_and_bytes)
{
	struct cp_prep prep = {
		.nr_slots = 1000,
		.stack_limit = self->info.stack_max / 1000 & ~(PAGE - 1),
		.flags = CP_PREP_OVERWRITE | CP_PREP_DEATH | CP_PREP_XSTATE,
		.interval = ~0ULL,
		.every = ~0U,
	};

	EXPECT_EQ(0, try_form(self, prep));
}

/* The struct of a program that was built before the recorder existed. */
TEST_F(form, first_version)
{
	struct cp_prep prep = { .pid = self->rec.m.slave };
	const size_t size = offsetof(struct cp_prep, interval);

	prep.mem_fd = proof_open(prep.pid);
	/* The fields after it are not part of the argument. */
	prep.interval = 99;
	prep.every = 99;
	prep.reserved = 99;
	ASSERT_EQ(0, ioctl(self->fd, _IOC(_IOC_READ | _IOC_WRITE, CP_IOC_MAGIC,
					  1, size), &prep));
	EXPECT_EQ(99, prep.interval);
	self->rec.m.fd = self->fd;
	ASSERT_TRUE(go_on(&self->rec, 10));
	EXPECT_EQ(1, master_get(&self->rec.m));
	EXPECT_EQ(1, master_get(&self->rec.m));
	EXPECT_EQ(2, self->rec.m.get.seq);
}

static int body_exec_on_request(void *go)
{
	while (!*(volatile bool *)go)
		getppid();
	execl("/bin/sleep", "sleep", "1000", NULL);
	return 1;
}

/* None of the program's returns is due, neither before the exec nor after it. */
TEST(exec_ends_a_pair_whose_next_checkpoint_is_never_due)
{
	struct cp_prep arg = {
		.flags = CP_PREP_OVERWRITE,
		.nr_slots = 4,
		.interval = ~0ULL,
	};
	bool *go = shared_memory(sizeof(*go));
	struct master m;

	arg.pid = slave_start(body_exec_on_request, go);
	ASSERT_EQ(0, master_prep(&m, &arg));
	ASSERT_EQ(1, master_get(&m));
	sleep_ms(100);
	*(volatile bool *)go = true;
	EXPECT_TRUE(eventually(master_poll(&m, 0) & POLLHUP));
	EXPECT_EQ(0, master_get(&m));
	EXPECT_EQ(CP_END_EXEC, m.get.reason);
	slave_kill(arg.pid);
	master_close(&m);
}

/*
 * Memory.
 */
TEST(what_was_never_written_is_zero)
{
	struct cp_prep arg = {
		.nr_slots = 3,
		.flags = CP_PREP_OVERWRITE | CP_PREP_DEATH,
		.stack_limit = 16 * PAGE,
	};
	const struct cp_region_head *head;
	struct recording rec = { 0 };
	const char *data;
	uint64_t i, n = 0;

	ASSERT_TRUE(recording_start(&rec, &arg));
	head = head_of(&rec.m);
	EXPECT_EQ(rec.m.size, head->slots_offset +
		  head->nr_slots * head->slot_size);
	ASSERT_TRUE(run_through(&rec, 1));
	/* The slave has written two slots; the others are still zero. */
	for (i = 0; i < head->nr_slots; i++) {
		data = (const char *)slot_of(&rec.m, i);
		if (slot_of(&rec.m, i)->seq)
			continue;
		n++;
		EXPECT_EQ(0, data[0]);
		EXPECT_EQ(0, memcmp(data, data + 1, head->slot_size - 1));
	}
	EXPECT_LT(0, n);
	recording_stop(&rec);
}

/* The memory that is charged to a control group, in KiB; -1 if unknown. */
static long group_memory(const char *group)
{
	char path[128];
	long bytes;

	snprintf(path, sizeof(path), "%s/memory.current", group);
	bytes = read_number(path);
	return bytes < 0 ? -1 : bytes / 1024;
}

TEST(memory_is_taken_as_it_is_used)
{
	struct cp_prep arg = {
		.nr_slots = 1000,
		.flags = CP_PREP_OVERWRITE,
		.stack_limit = 128 * PAGE,
	};
	long before, made, used;
	struct recording rec = { 0 };
	char group[64];

	snprintf(group, sizeof(group), "/sys/fs/cgroup/checkpoint-recorder-%d",
		 getpid());
	group_write("/sys/fs/cgroup", "cgroup.subtree_control", "+memory");
	if (mkdir(group, 0755) || group_memory(group) < 0) {
		rmdir(group);
		SKIP(return, "no memory controller of cgroup v2");
	}
	/* The slave stays in its group: only the master's memory is measured. */
	ASSERT_TRUE(runner_start(&rec, body_run));
	ASSERT_TRUE(group_write(group, "cgroup.procs", "0"));
	before = group_memory(group);
	arg.pid = rec.m.slave;
	ASSERT_EQ(0, master_prep(&rec.m, &arg));
	made = group_memory(group) - before;
	ASSERT_TRUE(run_through(&rec, 3000));
	used = group_memory(group) - before;
	/* One page per slot at first; later a few more, as the stack is small. */
	EXPECT_LE(4000 - 256, made);
	EXPECT_GT(8000, made);
	EXPECT_LE(4000, used - made);
	EXPECT_GT(1000 * 32, used);
	recording_stop(&rec);
	EXPECT_TRUE(eventually(group_memory(group) < before + 2000));
	TH_LOG("KiB: %ld before, %ld more when made, %ld when used, %ld after",
	       before, made, used, group_memory(group));
	ASSERT_TRUE(group_write("/sys/fs/cgroup", "cgroup.procs", "0"));
	EXPECT_TRUE(eventually(!rmdir(group)));
}

TEST_HARNESS_MAIN
