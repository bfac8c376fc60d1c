// SPDX-License-Identifier: GPL-2.0-only
/*
 * What remains of a process: the last states of each of its threads, read while they run,
 * while they sleep, and after all of them have died.
 */
#include "team.h"

/* Seconds for long tests: an emulated machine is slow. */
#define LONG	280

#define CRASH_MARK	0x5aa5c33cdeadbeefULL

/* crash(): writes to address 0x10 with a mark in R15. */
asm("team_crash:\n"
    "	movabsq	$0x5aa5c33cdeadbeef, %r15\n"
    "	movl	$16, %eax\n"
    "team_crash_at:\n"
    "	movb	$1, (%rax)\n");

void team_crash(void) __attribute__((noreturn));
extern const char team_crash_at[];

/*
 * Deaths. Member 4 is the one that receives the signal, if only one does.
 */

#define CULPRIT	4

static void *work_crash(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	member_wait(m);
	team_crash();
}

static void *work_abort(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	member_wait(m);
	abort();
}

/* The state of death of one member. */
struct remains {
	struct cp_checkpoint c;
	uint64_t mark;			/* what lies at its mark_at */
};

FIXTURE(death)
{
	struct team *team;
	struct watch w;
	struct remains of[5];
	int status;
};

POLICIES(death);

FIXTURE_SETUP(death)
{
}

FIXTURE_TEARDOWN(death)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

static struct member *member_of(struct team *t, pid_t tid)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (t->members[i].tid == tid)
			return &t->members[i];
	return NULL;
}

/* Starts the team, whose member CULPRIT does @work, and pairs with it. */
static bool begin(FIXTURE_DATA(death) *self, struct cp_prep prep,
		  void *(*work)(void *))
{
	struct team *t = TEAM_OF(5, work_asleep, work_count, work_spin, work_asleep,
				 work);

	self->team = t;
	prep.flags |= CP_PREP_DEATH;
	return team_start(t) &&
	       eventually(is_asleep_in(t->members[0].tid, SYS_futex)) &&
	       eventually(is_asleep_in(t->members[3].tid, SYS_futex)) &&
	       !watch_prep(&self->w, t->pid, &prep);
}

/* The threads that are awake have handed over something. */
static bool is_under_way(FIXTURE_DATA(death) *self)
{
	struct watch *w = &self->w;

	if (w->lossy)
		return eventually(watch_head(w, 1)->newest && watch_head(w, 2)->newest);
	return watch_until(w, w->checkpoints >= 100 && w->nr_tracks >= 2);
}

static void keep(FIXTURE_DATA(death) *self)
{
	const struct cp_checkpoint *c = master_checkpoint(&self->w.m);
	struct member *m = member_of(self->team, c->thread);
	struct remains *r;

	if (!m)
		return;
	r = &self->of[m - self->team->members];
	r->c = *c;
	r->mark = watch_word(&self->w, m->mark_at);
}

/* Takes all that is left, and keeps the states of death. Returns the last result. */
static int finish(FIXTURE_DATA(death) *self)
{
	struct watch *w = &self->w;
	int ret;

	/* A recorder's slave does not wait for the master, who comes afterwards. */
	if (w->prep.flags & CP_PREP_OVERWRITE &&
	    !eventually(master_poll(&w->m, 0) & POLLHUP))
		return -ETIMEDOUT;
	while ((ret = watch_get(w)) > 0)
		if (ret == 1 && master_checkpoint(&w->m)->flags & CP_CHECKPOINT_DEATH)
			keep(self);
	waitpid(self->team->pid, &self->status, 0);
	return ret;
}

#define EXPECT_DEATHS(sig)						\
do {									\
	unsigned int __i;						\
									\
	ASSERT_EQ(0, finish(self)) TH_LOG("%s", watch_why(&self->w));	\
	EXPECT_EQ(5, self->w.deaths);					\
	EXPECT_EQ(5, self->w.ended);					\
	EXPECT_EQ(CP_END_EXITED, self->w.m.get.reason);			\
	EXPECT_EQ(self->status, self->w.m.get.status);			\
	EXPECT_EQ((sig), WTERMSIG(self->status));			\
	for (__i = 0; __i < 5; __i++) {				\
		EXPECT_EQ((sig), self->of[__i].c.signal)		\
			TH_LOG("member %u", __i);			\
		EXPECT_EQ(self->team->members[__i].tid,			\
			  self->of[__i].c.thread);			\
	}								\
	/* Those that were asleep all the time have their stacks. */	\
	EXPECT_EQ(MEMBER_MARK, self->of[0].mark);			\
	EXPECT_EQ(MEMBER_MARK, self->of[3].mark);			\
} while (0)

static bool is_asleep_member(unsigned int i)
{
	return i == 0 || i == 3;
}

/* Member CULPRIT received the signal, and the others died of that. */
#define EXPECT_CULPRIT(its_thread)					\
do {									\
	unsigned int __i;						\
									\
	for (__i = 0; __i < 5; __i++) {				\
		const struct cp_checkpoint *__c = &self->of[__i].c;	\
		bool __elsewhere = __c->flags & CP_CHECKPOINT_DEATH_ELSEWHERE; \
									\
		EXPECT_EQ(__i != CULPRIT, __elsewhere)			\
			TH_LOG("member %u", __i);			\
		if (__i == CULPRIT)					\
			continue;					\
		/* Unknown to a thread that was about to enter user mode. */	\
		if (__c->signal_thread || is_asleep_member(__i))	\
			EXPECT_EQ((its_thread), __c->signal_thread)	\
				TH_LOG("member %u", __i);		\
		EXPECT_EQ(0, __c->signal_code);				\
		EXPECT_EQ(0, __c->signal_addr);				\
	}								\
} while (0)

#define EXPECT_NOBODY_ELSE()						\
do {									\
	unsigned int __i;						\
									\
	for (__i = 0; __i < 5; __i++)					\
		EXPECT_FALSE(self->of[__i].c.flags &			\
			     CP_CHECKPOINT_DEATH_ELSEWHERE)		\
			TH_LOG("member %u", __i);			\
} while (0)

TEST_F(death, by_a_fault_of_one_thread)
{
	const struct cp_checkpoint *c = &self->of[CULPRIT].c;

	ASSERT_TRUE(begin(self, variant->prep, work_crash));
	ASSERT_TRUE(is_under_way(self));
	team_go(self->team);
	EXPECT_DEATHS(SIGSEGV);
	EXPECT_CULPRIT(self->team->members[CULPRIT].tid);
	EXPECT_EQ((uintptr_t)team_crash_at, c->regs.rip);
	EXPECT_EQ(CRASH_MARK, c->regs.r15);
	EXPECT_EQ(SEGV_MAPERR, c->signal_code);
	EXPECT_EQ(16, c->signal_addr);
}

TEST_F(death, by_abort_in_one_thread)
{
	const struct cp_checkpoint *c = &self->of[CULPRIT].c;

	ASSERT_TRUE(begin(self, variant->prep, work_abort));
	ASSERT_TRUE(is_under_way(self));
	team_go(self->team);
	EXPECT_DEATHS(SIGABRT);
	EXPECT_CULPRIT(self->team->members[CULPRIT].tid);
	EXPECT_TRUE(is_call_of(c, SYS_tgkill));
	EXPECT_EQ(SI_TKILL, c->signal_code);
}

TEST_F(death, by_kill)
{
	ASSERT_TRUE(begin(self, variant->prep, work_wait));
	ASSERT_TRUE(is_under_way(self));
	kill(self->team->pid, SIGKILL);
	EXPECT_DEATHS(SIGKILL);
	EXPECT_NOBODY_ELSE();
}

/* The process receives it, so each thread does. */
TEST_F(death, by_a_signal_to_the_process)
{
	ASSERT_TRUE(begin(self, variant->prep, work_wait));
	ASSERT_TRUE(is_under_way(self));
	kill(self->team->pid, SIGTERM);
	EXPECT_DEATHS(SIGTERM);
	EXPECT_NOBODY_ELSE();
}

/* SIGTERM dumps no core: nobody knows afterwards who received it. */
TEST_F(death, by_a_signal_to_one_thread)
{
	ASSERT_TRUE(begin(self, variant->prep, work_wait));
	ASSERT_TRUE(is_under_way(self));
	syscall(SYS_tgkill, self->team->pid, self->team->members[CULPRIT].tid,
		SIGTERM);
	EXPECT_DEATHS(SIGTERM);
	EXPECT_CULPRIT(0);
}

TEST_F(death, not_after_the_end_of_the_pair)
{
	ASSERT_TRUE(begin(self, variant->prep, work_wait));
	ASSERT_TRUE(is_under_way(self));
	ASSERT_EQ(0, ioctl(self->w.m.fd, CP_IOC_END));
	kill(self->team->pid, SIGKILL);
	ASSERT_EQ(0, finish(self)) TH_LOG("%s", watch_why(&self->w));
	EXPECT_EQ(CP_END_DETACHED, self->w.m.get.reason);
	EXPECT_EQ(0, self->w.deaths);
}

/*
 * Recorders.
 */

/* Makes ten calls once it may, and sleeps from then on. */
static void *work_call_and_sleep(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	member_wait(m);
	for (m->progress = 0; m->progress < 10; m->progress++)
		syscall(SYS_getppid);
	for (;;)
		futex_wait(&m->team->word, m->team->word);
	return NULL;
}

/* The part that belongs to @tid now; -1 if there is none. */
static long part_of(struct watch *w, pid_t tid)
{
	unsigned int i;

	for (i = 0; i < watch_head(w, 0)->nr_parts; i++)
		if (watch_head(w, i)->thread == tid)
			return i;
	return -1;
}

/* Does a slot of the part hold checkpoint @seq of @tid? */
static bool part_holds(const struct cp_region_head *head, uint64_t seq, pid_t tid)
{
	unsigned int i;

	for (i = 0; i < head->nr_slots; i++)
		if (region_slot(head, i)->seq == seq)
			return region_slot(head, i)->thread == tid;
	return false;
}

#define KEPT	4

FIXTURE(recorder)
{
	struct team *team;
	struct watch w;
};

FIXTURE_SETUP(recorder)
{
}

FIXTURE_TEARDOWN(recorder)
{
	master_close(&self->w.m);
	slave_kill(self->team->pid);
}

TEST_F(recorder, last_states_of_a_thread_that_sleeps)
{
	struct cp_prep prep = { .nr_slots = KEPT, .flags = CP_PREP_OVERWRITE };
	const struct cp_region_head *head;
	struct team *t = TEAM_OF(4, work_count, work_call_and_sleep, work_count);
	struct member *sleeper = &t->members[1];
	struct watch *w = &self->w;
	uint64_t seq, i;

	self->team = t;
	ASSERT_TRUE(team_start(t));
	ASSERT_EQ(0, watch_prep(w, t->pid, &prep));
	team_go(t);
	ASSERT_TRUE(eventually(sleeper->progress == 10 &&
			       is_asleep_in(sleeper->tid, SYS_futex)));
	/* All without a system call: where the parts are, and whose. */
	EXPECT_EQ(4, watch_head(w, 0)->nr_parts);
	for (i = 0; i < 4; i++) {
		ASSERT_LE(0, part_of(w, t->members[i].tid));
		EXPECT_EQ(CP_REGION_MAGIC, watch_head(w, i)->magic);
		EXPECT_EQ(CP_VERSION, watch_head(w, i)->version);
	}
	head = watch_head(w, part_of(w, sleeper->tid));
	seq = region_newest(head)->seq;
	/* Or it was interrupted between that call and the next. */
	EXPECT_TRUE(is_call_of(region_newest(head), SYS_getppid) ||
		    region_newest(head)->entry == CP_ENTRY_INTERRUPT);
	EXPECT_EQ(sleeper->tid, region_newest(head)->thread);

	/* The others make more calls than all slots together hold. */
	for (i = 0; i < 4; i++) {
		const struct cp_region_head *other =
			watch_head(w, part_of(w, t->members[i].tid));
		uint64_t now = region_newest(other)->seq;

		if (i != 1)
			EXPECT_TRUE(eventually(region_newest(other)->seq > now + 1000));
	}
	EXPECT_EQ(seq, region_newest(head)->seq);
	for (i = 0; i < KEPT; i++)
		EXPECT_TRUE(part_holds(head, seq - i, sleeper->tid));

	/* CP_IOC_GET gives the same, in the order of the times. */
	kill(t->pid, SIGKILL);
	ASSERT_TRUE(eventually(master_poll(&w->m, 0) & POLLHUP));
	ASSERT_EQ(0, watch_all(w)) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(4, w->ended);
	EXPECT_EQ(4 * KEPT, w->checkpoints);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(KEPT, watch_find(w, t->members[i].tid)->checkpoints);
	EXPECT_EQ(seq, watch_find(w, sleeper->tid)->seq);
}

/* A copy of a slot that was made while its thread runs; false if it is invalid. */
static bool copy_slot(const struct cp_checkpoint *from, struct cp_checkpoint *copy)
{
	uint64_t seq = __atomic_load_n(&from->seq, __ATOMIC_ACQUIRE);
	pid_t tid = __atomic_load_n(&from->thread, __ATOMIC_RELAXED);

	if (!seq)
		return false;
	memcpy(copy, from, sizeof(*copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&from->seq, __ATOMIC_RELAXED) == seq &&
	       __atomic_load_n(&from->thread, __ATOMIC_RELAXED) == tid &&
	       copy->seq == seq && copy->thread == tid;
}

TEST_F(recorder, readers_of_all_parts)
{
	struct cp_prep prep = { .nr_slots = KEPT, .flags = CP_PREP_OVERWRITE };
	const struct cp_region_head *head;
	struct cp_checkpoint now;
	struct watch *w = &self->w;
	struct track tracks[4] = { };
	unsigned int i, part, read = 0;

	self->team = TEAM_OF(4, work_count);
	ASSERT_TRUE(team_start(self->team));
	ASSERT_EQ(0, watch_prep(w, self->team->pid, &prep));
	for (i = 0; read < 800; i++) {
		part = i % 4;
		head = watch_head(w, part);
		if (!head->newest || !copy_slot(region_newest(head), &now))
			continue;
		ASSERT_EQ(head->thread, now.thread);
		ASSERT_NE(NULL, member_of(self->team, now.thread));
		ASSERT_LE(tracks[part].seq, now.seq);
		if (now.seq == tracks[part].seq)
			continue;
		/* A thread's count never decreases. */
		if (tracks[part].counting)
			ASSERT_LE(tracks[part].count, now.regs.r12);
		tracks[part].counting |= is_call_of(&now, SYS_gettid) && is_at_count(&now);
		tracks[part].count = now.regs.r12;
		tracks[part].seq = now.seq;
		read += ++tracks[part].checkpoints <= 200;
	}
}

/* While the master takes, the slave overwrites; both segments of each are whole. */
TEST_F(recorder, times_never_decrease)
{
	struct cp_prep prep = {
		.nr_slots = 3,
		.flags = CP_PREP_OVERWRITE | CP_PREP_XSTATE | CP_PREP_DEATH,
	};
	struct watch *w = &self->w;
	const struct cp_segment *segments;
	const struct cp_checkpoint *c;
	int ret;

	self->team = TEAM_OF(6, work_count, work_count, work_count, work_spin);
	ASSERT_TRUE(team_start(self->team));
	ASSERT_EQ(0, watch_prep(w, self->team->pid, &prep));
	while (w->checkpoints < 3000 || w->nr_tracks < 6) {
		ret = watch_get(w);
		ASSERT_EQ(1, ret) TH_LOG("%s", watch_why(w));
		c = master_checkpoint(&w->m);
		ASSERT_EQ(2, c->nr_segments);
		segments = master_stack(&w->m);
		ASSERT_EQ(CP_SEGMENT_STACK, segments[0].kind);
		ASSERT_EQ(CP_SEGMENT_XSTATE, segments[1].kind);
		ASSERT_LE(segments[1].offset + segments[1].size, w->prep.thread_size);
		ASSERT_LE(segments[0].offset + segments[0].size, w->prep.thread_size);
	}
}

/* Makes calls until @word is set, for 20 seconds at most. */
static void *work_hurry(void *arg)
{
	struct member *m = arg;
	uint64_t until;

	member_begin(m);
	member_wait(m);
	until = now_ns() + 20000000000ULL;
	while (!m->team->word && now_ns() < until)
		for (m->progress = 0; m->progress < 1000; m->progress++)
			syscall(SYS_getppid);
	m->team->left = 1;
	body_sleep(NULL);
	return NULL;
}

/*
 * In the time in which a master looks at all threads, the one that does not sleep
 * overwrites its checkpoint. The master takes one anyway.
 */
TEST_F(recorder, thread_that_overwrites_faster_than_its_master_looks)
{
	struct cp_prep prep = { .nr_slots = 1, .flags = CP_PREP_OVERWRITE };
	struct team *t = TEAM_OF(400, work_sleep);
	struct watch *w = &self->w;
	unsigned int i;

	self->team = t;
	t->members[399].work = work_hurry;
	ASSERT_TRUE(team_start(t));
	ASSERT_TRUE(eventually(is_asleep_in(t->members[399].tid, SYS_futex)));
	ASSERT_EQ(0, watch_prep(w, t->pid, &prep));
	team_go(t);
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(watch_until(w, w->last &&
					w->last->tid == t->members[399].tid))
			TH_LOG("%s", watch_why(w));
		w->last = NULL;
	}
	EXPECT_EQ(0, t->left) TH_LOG("the thread gave up");
	t->word = 1;
}

TEST_F(recorder, offsets_are_from_the_beginning_of_the_part)
{
	struct cp_prep prep = { 0 };
	struct watch *w = &self->w;
	struct member *m;
	unsigned int i;

	self->team = TEAM_OF(5, work_asleep);
	ASSERT_TRUE(team_start(self->team));
	for (i = 0; i < 5; i++)
		ASSERT_TRUE(eventually(is_asleep_in(self->team->members[i].tid,
						    SYS_futex)));
	ASSERT_EQ(0, watch_prep(w, self->team->pid, &prep));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, watch_get_until(w, CP_FOREVER, i ? 0 : CP_GET_NUDGE))
			TH_LOG("%s", watch_why(w));
		m = member_of(self->team, w->m.get.thread);
		ASSERT_NE(NULL, m);
		EXPECT_EQ(MEMBER_MARK, watch_word(w, m->mark_at));
	}
	EXPECT_EQ(5, w->nr_tracks);
}

/*
 * Many threads, one after the other: their parts are used again.
 */

static void *thread_that_ends(void *arg)
{
	struct team *t = arg;

	t->members[1].tid = syscall(SYS_gettid);
	__atomic_fetch_sub(&t->left, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *work_create_many(void *arg)
{
	struct member *m = arg;
	struct team *t = m->team;

	member_begin(m);
	member_wait(m);
	for (; m->progress < t->word; m->progress++) {
		t->left = 1;
		if (!thread_start(thread_that_ends, t))
			break;
		while (t->left)
			sched_yield();
	}
	body_sleep(NULL);
	return NULL;
}

/* One of @threads threads after the other; @nr_members members, of which one creates. */
static bool create_many(FIXTURE_DATA(recorder) *self, struct cp_prep prep,
			unsigned int threads)
{
	self->team = TEAM_OF(2, work_create_many, work_asleep);
	self->team->word = threads;
	if (!team_start(self->team) ||
	    watch_prep(&self->w, self->team->pid, &prep))
		return false;
	team_go(self->team);
	return true;
}

TEST_F_TIMEOUT(recorder, ten_thousand_threads, LONG)
{
	struct cp_prep prep = { .nr_slots = KEPT, .flags = CP_PREP_OVERWRITE };
	uint64_t until = now_ns() + 100000000000ULL;
	struct watch *w = &self->w;
	struct team *t;

	ASSERT_TRUE(create_many(self, prep, 10000));
	t = self->team;
	/* A slow kernel creates fewer of them. */
	while (t->members[0].progress < t->word) {
		sleep_ms(100);
		if (now_ns() > until && t->members[0].progress > 500)
			t->word = 0;
	}
	TH_LOG("%llu threads", (unsigned long long)t->members[0].progress);
	EXPECT_EQ(0, watch_figure(w, "unseen"));
	EXPECT_LE(watch_head(w, 0)->nr_parts, CP_ENDED_KEPT + 8);
	EXPECT_TRUE(eventually(watch_figure(w, "threads") == 2));

	/* The last ones are still there. */
	slave_kill(t->pid);
	ASSERT_EQ(0, watch_all(w)) TH_LOG("%s", watch_why(w));
	EXPECT_LE(CP_ENDED_KEPT, w->ended);
	EXPECT_LE(w->ended, CP_ENDED_KEPT + 8);
	ASSERT_NE(NULL, watch_find(w, t->members[1].tid));
	EXPECT_LT(0, watch_find(w, t->members[1].tid)->checkpoints);
	EXPECT_TRUE(watch_find(w, t->members[1].tid)->ended);
	EXPECT_LT(t->members[0].progress, w->m.get.missed);
}

/* The end of a thread is older than what its creator does next. */
TEST_F_TIMEOUT(recorder, a_thousand_threads_that_are_taken, LONG)
{
	struct cp_prep prep = { .nr_slots = KEPT };
	struct watch *w = &self->w;

	ASSERT_TRUE(create_many(self, prep, 1000));
	ASSERT_TRUE(watch_until(w, w->ended == 1000)) TH_LOG("%s", watch_why(w));
	EXPECT_EQ(0, w->m.get.unseen);
	EXPECT_EQ(0, w->m.get.missed);
	EXPECT_LE(watch_head(w, 0)->nr_parts, 8);
}

TEST_HARNESS_MAIN
