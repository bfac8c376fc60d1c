/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slaves that are processes of several threads, and masters of such processes.
 *
 * A team is a process whose leader and members do what the test chooses. A watch is a
 * master of it, and checks each checkpoint and each end of a thread that it takes
 * against those before.
 */
#ifndef _CP_SELFTESTS_TEAM_H
#define _CP_SELFTESTS_TEAM_H

#include "harness.h"

#include <linux/futex.h>
#include <pthread.h>

#define TEAM_STACK	(64 * 1024)

struct team;

/* One thread of a team; member 0 is the leader. */
struct member {
	struct team *team;
	void *(*work)(void *member);
	volatile pid_t tid;
	volatile uint64_t progress;
	volatile uint64_t mark_at;	/* where MEMBER_MARK lies on its stack */
};

#define MEMBER_MARK	0x7465616d6d61726bULL

/* What a team and its test share. */
struct team {
	pid_t pid;
	unsigned int nr;		/* number of members */
	volatile uint32_t ready;	/* of them, this many have begun */
	volatile uint32_t go;		/* a futex: 0 until team_go() */
	volatile uint32_t word;		/* for any use of the test */
	volatile uint32_t left;		/* likewise */
	int ends[2];			/* of a pipe, likewise */
	struct member members[];
};

static inline void futex_wait(volatile uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL);
}

static inline void futex_wake(volatile uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX);
}

static inline void member_begin(struct member *m)
{
	m->tid = syscall(SYS_gettid);
	__atomic_fetch_add(&m->team->ready, 1, __ATOMIC_SEQ_CST);
}

static inline void member_wait(struct member *m)
{
	while (!m->team->go)
		futex_wait(&m->team->go, 0);
}

/* Lets the members that wait continue. */
static inline void team_go(struct team *t)
{
	t->go = 1;
	futex_wake(&t->go);
}

/* Starts a thread with a small stack, which nobody joins. */
static inline bool thread_start(void *(*work)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool started;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, TEAM_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	started = !pthread_create(&thread, &attr, work, arg);
	pthread_attr_destroy(&attr);
	return started;
}

/* A handler that does nothing, and leaves R12 alone. */
static inline void on_any_signal(int sig)
{
}

static inline int body_team(void *arg)
{
	struct team *t = arg;
	unsigned int i;

	signal(SIGUSR1, on_any_signal);
	for (i = 1; i < t->nr; i++)
		if (!thread_start(t->members[i].work, &t->members[i]))
			return 97;
	t->members[0].work(&t->members[0]);
	return 96;
}

/*
 * count_calls(): calls gettid(2) for ever, and counts the calls in R12. No return but
 * those of these calls has its address at_count.
 */
asm("team_count_calls:\n"
    "	xorl	%r12d, %r12d\n"
    "1:	incq	%r12\n"
    "	movl	$186, %eax\n"	/* gettid */
    "	syscall\n"
    "team_at_count:\n"
    "	jmp	1b\n");

void team_count_calls(void) __attribute__((noreturn));
extern const char team_at_count[];

/* What members may do. */
static inline void *work_count(void *member)
{
	member_begin(member);
	team_count_calls();
}

static inline void *work_spin(void *member)
{
	member_begin(member);
	body_spin(NULL);
	return NULL;
}

/* Sleeps until team_go(), then makes calls. */
static inline void *work_wait(void *arg)
{
	struct member *m = arg;

	member_begin(m);
	member_wait(m);
	for (;; m->progress++)
		syscall(SYS_getppid);
	return NULL;
}

static inline void *work_sleep(void *member)
{
	member_begin(member);
	body_sleep(NULL);
	return NULL;
}

/* Sleeps for ever, with a mark on its stack. */
static inline void *work_asleep(void *arg)
{
	volatile uint64_t mark = MEMBER_MARK;
	struct member *m = arg;

	m->mark_at = (uintptr_t)&mark;
	member_begin(m);
	for (;;)
		futex_wait(&m->team->word, m->team->word);
	return NULL;
}

static inline struct team *team_alloc(unsigned int nr)
{
	struct team *t = shared_memory(sizeof(*t) + nr * sizeof(t->members[0]));
	unsigned int i;

	t->nr = nr;
	for (i = 0; i < nr; i++)
		t->members[i].team = t;
	return pipe(t->ends) ? NULL : t;
}

/* A team of @nr members; works[0] is the leader's, and the last one all others'. */
static inline struct team *team_of(unsigned int nr,
				   void *(*const works[])(void *))
{
	struct team *t = team_alloc(nr);
	unsigned int i, work = 0;

	for (i = 0; t && i < nr; i++) {
		t->members[i].work = works[work];
		if (works[work + 1])
			work++;
	}
	return t;
}

#define TEAM_OF(nr, ...) \
	team_of(nr, (void *(*const[])(void *)){ __VA_ARGS__, NULL })

/* Starts the process, and waits until its members have begun. */
static inline bool team_start(struct team *t)
{
	t->pid = slave_start(body_team, t);
	return t->pid > 0 && eventually(t->ready == t->nr);
}

static inline bool is_asleep_in(pid_t tid, long nr)
{
	return task_syscall(tid) == nr && task_state(tid) == 'S';
}

/* What a master knows of a thread. */
struct track {
	pid_t tid;
	uint64_t seq;			/* of its last checkpoint */
	uint64_t count;			/* its R12, once it is @counting */
	uint64_t called;		/* the same, at the last return of gettid(2) */
	uint64_t calls;			/* number of such returns */
	uint64_t checkpoints;
	uint32_t deaths;
	bool counting;
	bool ended;
	int status;
};

#define TRACKS_MAX	2048

/* The master of a team. */
struct watch {
	struct master m;
	struct cp_prep prep;
	bool lossy;			/* checkpoints may be missed */
	bool sparse;			/* returns may be skipped */
	bool handles;			/* handlers run: calls may return into those */
	bool all_new;			/* each thread must be new when it is first seen */
	struct track tracks[TRACKS_MAX];
	unsigned int nr_tracks;
	struct track *last;		/* of the last call */
	uint64_t time;			/* of the last checkpoint */
	uint64_t checkpoints;
	uint64_t deaths;
	unsigned int ended;		/* number of threads */
	const char *wrong;		/* the promise that was broken */
};

/* Pairs with the process of @pid, as @prep says. Returns 0 or -errno. */
static inline int watch_prep(struct watch *w, pid_t pid, const struct cp_prep *prep)
{
	w->prep = *prep;
	w->prep.pid = pid;
	w->prep.flags |= CP_PREP_PROCESS;
	w->lossy = prep->flags & CP_PREP_OVERWRITE || prep->wait_limit;
	w->sparse = w->lossy || prep->interval || prep->every > 1;
	return master_prep(&w->m, &w->prep);
}

static inline struct track *watch_find(struct watch *w, pid_t tid)
{
	unsigned int i;

	for (i = 0; i < w->nr_tracks; i++)
		if (w->tracks[i].tid == tid)
			return &w->tracks[i];
	return NULL;
}

/* The track of a thread; a new one if the id's last thread has ended. */
static inline struct track *watch_track(struct watch *w, pid_t tid)
{
	struct track *t = watch_find(w, tid);

	if (t && !t->ended)
		return t;
	if (!t && w->nr_tracks == TRACKS_MAX)
		return NULL;
	if (!t)
		t = &w->tracks[w->nr_tracks++];
	memset(t, 0, sizeof(*t));
	t->tid = tid;
	return t;
}

static inline bool is_call_of(const struct cp_checkpoint *c, int nr)
{
	return c->entry == CP_ENTRY_SYSCALL && c->syscall == nr;
}

static inline bool is_at_count(const struct cp_checkpoint *c)
{
	return c->regs.rip == (uintptr_t)team_at_count;
}

/*
 * Does the count of a thread in count_calls() follow its last one? A call whose return
 * became that into a handler has no return of its own.
 */
static inline bool count_follows(struct watch *w, struct track *t,
				 const struct cp_checkpoint *c)
{
	uint64_t more = c->regs.r12 - t->count, called = t->called;

	t->count = c->regs.r12;
	if (more > 1 || !is_call_of(c, SYS_gettid) || !is_at_count(c))
		return more <= 1;
	t->called = c->regs.r12;
	t->calls++;
	return w->handles ? t->called > called : t->called == called + 1;
}

/* The first checkpoint of a thread that the slave has created. */
static inline bool is_birth(const struct cp_checkpoint *c)
{
	return c->seq == 1 && c->regs.rax == 0 &&
	       (is_call_of(c, SYS_clone) || is_call_of(c, SYS_clone3));
}

static inline const struct cp_region_head *watch_head(struct watch *w,
						      uint64_t part)
{
	return (const void *)(w->m.region + part * w->prep.thread_size);
}

/* The part of the region that the last checkpoint lies in. */
static inline const char *watch_part(struct watch *w)
{
	uint64_t part = w->m.get.slot_offset / w->prep.thread_size;

	return (const char *)watch_head(w, part);
}

/* The 8 bytes at the slave's @addr in the last checkpoint; 0 if they are missing. */
static inline uint64_t watch_word(struct watch *w, uint64_t addr)
{
	const struct cp_segment *s = master_stack(&w->m);
	uint64_t word;

	if (addr < s->addr || addr + sizeof(word) > s->addr + s->size)
		return 0;
	memcpy(&word, watch_part(w) + s->offset + (addr - s->addr), sizeof(word));
	return word;
}

/* What is wrong with a checkpoint of the thread; NULL if nothing is. */
static inline const char *track_checkpoint(struct watch *w, struct track *t,
					   const struct cp_checkpoint *c)
{
	bool death = c->flags & CP_CHECKPOINT_DEATH;

	if (!t->seq && w->all_new && !is_birth(c))
		return "first checkpoint of a new thread";
	if (c->seq <= t->seq || (!w->lossy && c->seq != t->seq + 1))
		return "sequence number";
	if (t->deaths)
		return "checkpoint after the state of death";
	if (!death && !w->sparse && t->counting && !count_follows(w, t, c))
		return "count";
	if (!death && is_call_of(c, SYS_gettid) && is_at_count(c)) {
		if (c->regs.rax != (uint64_t)t->tid)
			return "state of another thread";
		if (!t->counting) {
			t->count = c->regs.r12;
			t->called = c->regs.r12;
		}
		t->counting = true;
	}
	t->seq = c->seq;
	t->checkpoints++;
	t->deaths += death;
	return NULL;
}

static inline const char *watch_checkpoint(struct watch *w)
{
	const struct cp_checkpoint *c = master_checkpoint(&w->m);
	const struct cp_region_head *head = (const void *)watch_part(w);

	if (c->thread != w->m.get.thread || c->seq != w->m.get.seq)
		return "checkpoint of another thread than cp_get says";
	if (head->magic != CP_REGION_MAGIC || head->thread != c->thread)
		return "part of another thread";
	if (c->time < w->time && !(c->flags & CP_CHECKPOINT_DEATH))
		return "order of times";
	if (!(c->flags & CP_CHECKPOINT_DEATH))
		w->time = c->time;
	w->checkpoints++;
	w->deaths += !!(c->flags & CP_CHECKPOINT_DEATH);
	w->last = watch_track(w, c->thread);
	return w->last ? track_checkpoint(w, w->last, c) : "number of threads";
}

static inline const char *watch_end(struct watch *w)
{
	struct track *t = watch_find(w, w->m.get.thread);

	if (t && t->ended)
		return "second end of a thread";
	w->last = watch_track(w, w->m.get.thread);
	if (!w->last)
		return "number of threads";
	w->last->ended = true;
	w->last->status = w->m.get.status;
	w->ended++;
	return w->m.get.reason == CP_END_EXITED ? NULL : "reason";
}

/*
 * CP_IOC_GET with @deadline and @flags. Returns as master_get_until(), or -EPROTO if
 * what it gives breaks a promise; then @wrong says which.
 */
static inline int watch_get_until(struct watch *w, uint64_t deadline,
				  uint32_t flags)
{
	int ret = master_get_until(&w->m, deadline, flags);

	w->wrong = ret == 1 ? watch_checkpoint(w) : ret == 2 ? watch_end(w) : NULL;
	return w->wrong ? -EPROTO : ret;
}

/* Waits for a minute at most. */
static inline int watch_get(struct watch *w)
{
	return watch_get_until(w, now_ns() + 60000000000ULL, 0);
}

/* Takes everything until the pair's end. Returns the last result. */
static inline int watch_all(struct watch *w)
{
	int ret;

	while ((ret = watch_get(w)) > 0)
		;
	return ret;
}

/* Takes all that is there. Returns the last result. */
static inline int watch_rest(struct watch *w)
{
	int ret;

	while ((ret = watch_get_until(w, 0, 0)) > 0)
		;
	return ret;
}

/*
 * Takes until @condition holds, for three minutes at most. The value is true unless
 * something went wrong.
 */
#define watch_until(w, condition)					\
({									\
	uint64_t __until = now_ns() + 180000000000ULL;			\
	int __ret = 1;							\
									\
	while (__ret > 0 && !(condition)) {				\
		__ret = watch_get(w);					\
		if (now_ns() > __until)					\
			__ret = -ETIME;					\
	}								\
	__ret > 0;							\
})

/* A number in the fdinfo of the master's file; -1 if there is none. */
static inline long watch_figure(struct watch *w, const char *name)
{
	char value[20];

	return fdinfo(w->m.fd, name, value, sizeof(value)) ? atol(value) : -1;
}

/* Why the last call failed, for TH_LOG(). */
static inline const char *watch_why(const struct watch *w)
{
	return w->wrong ?: strerror(errno);
}

/* Variants of a fixture, whose pairs differ in when a thread waits for the master. */
#define POLICIES(fixture)						\
FIXTURE_VARIANT(fixture)						\
{									\
	struct cp_prep prep;						\
};									\
FIXTURE_VARIANT_ADD(fixture, rendezvous)				\
{									\
	.prep.nr_slots = 1,						\
};									\
FIXTURE_VARIANT_ADD(fixture, ahead)					\
{									\
	.prep.nr_slots = 4,						\
};									\
FIXTURE_VARIANT_ADD(fixture, overwrite)				\
{									\
	.prep.nr_slots = 4,						\
	.prep.flags = CP_PREP_OVERWRITE,				\
}

#endif /* _CP_SELFTESTS_TEAM_H */
