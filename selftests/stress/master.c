// SPDX-License-Identifier: GPL-2.0-only
/*
 * Masters: they take checkpoints, check each of them, and leave.
 */
#include <pthread.h>

#include "storm.h"

#define BAD_ADDRESS	8

/* How often in a row a nudged slave may be at the same place. */
#define REPEATS_MAX	1000

/* What a master knows of a thread of its slave. */
struct track {
	pid_t tid;
	uint64_t taken;
	uint64_t seq;		/* of the last checkpoint */
	uint64_t counter;	/* RBX of a counting slave; 0: not seen yet */
	uint64_t rip;		/* RIP of a counting slave */
	unsigned int repeats;	/* how often @counter and @rip did not change */
	int death;		/* signal of its state of death; 0: none */
};

#define TRACKS_MAX	16

/* The state of a master. */
struct taker {
	struct life *life;
	struct master m;
	size_t thread_size;	/* as in struct cp_prep */
	struct dice dice;
	bool lossless;		/* no checkpoint may be missed */
	bool every_return;	/* each return to user mode must be captured */
	bool signalled;		/* signals may interrupt calls */
	uint64_t taken;
	uint64_t time;		/* of the last checkpoint, states of death aside */
	uint64_t missed;
	struct track tracks[TRACKS_MAX];
	struct track *track;	/* of the last checkpoint */
	int death;
	unsigned int threads;	/* other threads that take checkpoints */
};

static void wrong(const struct taker *t, const char *what)
{
	const struct plan *plan = &t->life->plan;

	complain("%s: work %d ending %d slave-flags %#x prep-flags %#x slots %u wait %llu every %u: seq %llu after %llu, taken %llu, missed %llu, counter %llu",
		 what, plan->work, plan->ending, plan->slave_flags,
		 plan->prep.flags, plan->prep.nr_slots,
		 (unsigned long long)plan->prep.wait_limit, plan->prep.every,
		 (unsigned long long)t->m.get.seq,
		 (unsigned long long)(t->track ? t->track->seq : 0),
		 (unsigned long long)t->taken,
		 (unsigned long long)t->m.get.missed,
		 (unsigned long long)(t->track ? t->track->counter : 0));
}

static void expect(const struct taker *t, bool holds, const char *what)
{
	if (!holds)
		wrong(t, what);
}

/* The track of thread @tid; a free one is 0. */
static struct track *track_of(struct taker *t, pid_t tid)
{
	unsigned int i;

	for (i = 0; i < TRACKS_MAX; i++)
		if (t->tracks[i].tid == tid)
			return &t->tracks[i];
	return NULL;
}

/*
 * As track_of(), and begins one if there is none. A recorder does not give the end of
 * each thread: any track but the slave's may be that of a thread that has ended.
 */
static struct track *track_begin(struct taker *t, pid_t tid)
{
	struct track *track = track_of(t, tid) ?: track_of(t, 0);

	if (!track) {
		expect(t, t->life->plan.prep.flags & CP_PREP_OVERWRITE,
		       "more threads than the slave has");
		track = &t->tracks[t->taken % TRACKS_MAX];
		if (track->tid == t->life->tid)
			track = &t->tracks[(t->taken + 1) % TRACKS_MAX];
		memset(track, 0, sizeof(*track));
	}
	track->tid = tid;
	return track;
}

static const struct cp_segment *stack_of(const struct cp_checkpoint *c)
{
	return (const void *)((const char *)c + c->segments_offset);
}

/* Where offsets of the checkpoint's segments count from. */
static const char *part_of(const struct taker *t, const struct cp_checkpoint *c)
{
	size_t at = (const char *)c - t->m.region;

	return t->m.region + at / t->thread_size * t->thread_size;
}

/* The copy of the slave's word at RSP; NULL if the checkpoint lacks it. */
static const uint64_t *word_of(const struct taker *t,
			       const struct cp_checkpoint *c)
{
	const struct cp_segment *s = stack_of(c);
	uint64_t at = c->regs.rsp - s->addr;

	if (c->regs.rsp < s->addr || at + sizeof(uint64_t) > s->size ||
	    s->flags & (CP_SEGF_HOLE | CP_SEGF_GONE | CP_SEGF_UNMAPPED))
		return NULL;
	if (s->offset > t->thread_size || s->size > t->thread_size - s->offset)
		return NULL;
	return (const void *)(part_of(t, c) + s->offset + at);
}

/* Checks the checkpoint of a counting slave for consistency. */
static void check_counter(struct taker *t, const struct cp_checkpoint *c)
{
	const uint64_t *word = word_of(t, c);
	struct track *track = t->track;
	uint64_t counter = c->regs.rbx;

	/* The main thread begins again and again. */
	if (!count_is_in_loop(&c->regs) || c->thread != t->life->tid)
		return;
	/* The memory of a slave that died at once may be gone. */
	if (word)
		expect(t, count_agrees(&c->regs, *word),
		       "registers and stack do not agree");
	else
		expect(t, stack_of(c)->flags, "no stack, and no flag");
	if (track->counter) {
		expect(t, counter >= track->counter, "the slave went back");
		expect(t, !t->every_return || counter - track->counter <= 1,
		       "a return to user mode is missing");
	}
	track->repeats = counter == track->counter && c->regs.rip == track->rip ?
			 track->repeats + 1 : 0;
	expect(t, track->repeats != REPEATS_MAX, "the slave makes no progress");
	track->counter = counter;
	track->rip = c->regs.rip;
}

static void check_regs(struct taker *t, const struct cp_regs *regs)
{
	const uint64_t *list = t->m.regs;
	bool same = list[RIP] == regs->rip && list[RSP] == regs->rsp &&
		    list[RBX] == regs->rbx && list[R12] == regs->r12 &&
		    list[R15] == regs->r15 && list[RAX] == regs->rax;

	expect(t, same, "the two forms of the registers differ");
}

/* Checks that hold for each of several threads of the master, too. */
static void check_numbers(struct taker *t)
{
	const struct cp_get *get = &t->m.get;
	struct track *track = t->track;

	expect(t, get->seq > track->seq, "numbers do not grow");
	expect(t, get->missed >= t->missed, "misses are taken back");
	if (t->threads)
		return;
	expect(t, get->seq <= track->taken + 1 + get->missed,
	       "lost without being counted");
	if (t->lossless)
		expect(t, get->seq == track->taken + 1 && !get->missed,
		       "a checkpoint is lost");
}

static void check_time(struct taker *t, const struct cp_checkpoint *c)
{
	if (c->flags & CP_CHECKPOINT_DEATH)
		return;
	expect(t, c->time >= t->time, "an older checkpoint comes later");
	t->time = c->time;
}

static void check_death(struct taker *t, const struct cp_checkpoint *c)
{
	expect(t, !t->track->death, "a checkpoint after death");
	if (!(c->flags & CP_CHECKPOINT_DEATH))
		return;
	tally(TALLY_DEATHS);
	t->death = c->signal;
	t->track->death = c->signal;
	/* Another thread of the slave may be the one at fault. */
	if (c->flags & CP_CHECKPOINT_DEATH_ELSEWHERE)
		return;
	/* CP_SEGF_GONE: the slave was dying already when the pair was made. */
	if (c->signal != SIGSEGV || stack_of(c)->flags & CP_SEGF_GONE ||
	    c->signal_addr == SLAVE_FAULT_ADDR)
		return;
	complain("a crash at %#llx, code %d, rip %#llx, entry %u, after %llu others, mishaps %d %d %d",
		 (unsigned long long)c->signal_addr, c->signal_code,
		 (unsigned long long)c->regs.rip, c->entry,
		 (unsigned long long)t->taken, t->life->plan.mishaps[0],
		 t->life->plan.mishaps[1], t->life->plan.mishaps[2]);
}

static void check_taken(struct taker *t)
{
	const struct cp_checkpoint *c = master_checkpoint(&t->m);

	t->track = track_begin(t, t->m.get.thread);
	check_numbers(t);
	expect(t, c->seq == t->m.get.seq && c->thread == t->m.get.thread,
	       "another checkpoint in the slot");
	check_regs(t, &c->regs);
	check_time(t, c);
	check_death(t, c);
	check_counter(t, c);
	t->track->seq = t->m.get.seq;
	t->track->taken++;
	t->missed = t->m.get.missed;
	t->taken++;
	tally(TALLY_TAKEN);
	still_goes_on(t->life->party);
}

/* The thread's id may be that of a new one from now on. */
static void check_ended(struct taker *t)
{
	struct track *track = track_of(t, t->m.get.thread);

	expect(t, t->life->plan.prep.flags & CP_PREP_PROCESS,
	       "a thread of a task has ended");
	if (track)
		memset(track, 0, sizeof(*track));
	tally(TALLY_ENDS);
	still_goes_on(t->life->party);
}

static void check_over(struct taker *t)
{
	struct outcome *outcome = &t->life->outcome;
	const struct cp_get *get = &t->m.get;
	uint32_t reason = get->reason;

	outcome->reason = reason;
	outcome->status = get->status;
	outcome->death = t->death;
	outcome->over = true;
	expect(t, reason >= CP_END_EXITED && reason <= CP_END_DETACHED,
	       "no reason for the end");
	expect(t, reason != CP_END_DETACHED || t->life->detached,
	       "detached by nobody");
	expect(t, reason != CP_END_EXEC || t->life->exec, "there was no exec");
	expect(t, !t->lossless || !get->missed, "a miss with no limit");
	tally_add(&tallies->count[TALLY_MISSED], get->missed);
	expect(t, master_get(&t->m) == 0 && get->reason == reason,
	       "not the same end at each call");
	expect(t, (master_poll(&t->m, 0) & (POLLIN | POLLHUP)) ==
		  (POLLIN | POLLHUP), "poll(2) does not report the end");
	expect(t, *(uint32_t *)t->m.region == CP_REGION_MAGIC,
	       "the region is gone with the pair");
}

/* Kinds of CP_IOC_GET: how long it waits, or a bad address. */
enum patience { AT_ONCE, A_MOMENT, BADLY, FOREVER_POLL, FOREVER };

static int take_with(struct taker *t, enum patience patience)
{
	bool nudge = t->life->plan.nudge && patience != FOREVER_POLL;
	struct cp_get *get = &t->m.get;
	int ret;

	memset(get, 0, sizeof(*get));
	get->deadline = CP_FOREVER;
	get->regs = (uintptr_t)t->m.regs;
	get->flags = nudge ? CP_GET_NUDGE : 0;
	if (patience == AT_ONCE)
		get->deadline = 0;
	else if (patience == A_MOMENT)
		get->deadline = now_ns() + roll(&t->dice, 2000000);
	else if (patience == BADLY)
		get->regs = BAD_ADDRESS;
	else if (patience == FOREVER_POLL)
		master_poll(&t->m, roll(&t->dice, 3));
	ret = ioctl(t->m.fd, CP_IOC_GET, get);
	return ret < 0 ? -errno : ret;
}

/* Is @ret an error that this kind of call may return? */
static bool may_fail(const struct taker *t, enum patience how, int ret)
{
	switch (ret) {
	case -EAGAIN:
		return how == AT_ONCE;
	case -ETIMEDOUT:
		return how == A_MOMENT;
	case -EFAULT:
		return how == BADLY;
	case -EINTR:
		return t->signalled;
	default:
		return false;
	}
}

/*
 * Returns 1 with a checkpoint, 2 with the end of a thread, 0 at the pair's end, -1 after
 * an expected error.
 */
static int take(struct taker *t)
{
	enum patience patience = roll(&t->dice, 9);
	int ret;

	if (patience > FOREVER)
		patience = FOREVER;
	/* A slave that sleeps comes only when nudged, which FOREVER_POLL is not. */
	if (t->life->plan.nudge && patience == FOREVER_POLL)
		patience = FOREVER;
	ret = take_with(t, patience);
	if (ret == 1 && patience == BADLY)
		wrong(t, "given to a bad address");
	else if (ret == 1)
		check_taken(t);
	else if (ret == 2)
		check_ended(t);
	else if (!ret)
		check_over(t);
	else if (!may_fail(t, patience, ret))
		complain("cp_get of patience %d: %s", patience, strerror(-ret));
	return ret < 0 ? -1 : ret;
}

/*
 * Reads a slot while the slave may be writing it. If seq and thread are the same before
 * and after, and seq is not 0, the contents were one whole checkpoint.
 */
static void peek_slot(struct taker *t, const struct cp_checkpoint *c)
{
	uint64_t seq = __atomic_load_n(&c->seq, __ATOMIC_ACQUIRE);
	pid_t tid = __atomic_load_n(&c->thread, __ATOMIC_RELAXED);
	struct cp_checkpoint copy = *c;
	const uint64_t *at = NULL;
	uint64_t word = 0;

	if (!seq)
		return;
	if (copy.segments_offset == sizeof(copy))
		at = word_of(t, c);
	if (at && (const char *)(at + 1) <= t->m.region + t->m.size)
		word = *at;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&c->seq, __ATOMIC_RELAXED) != seq ||
	    __atomic_load_n(&c->thread, __ATOMIC_RELAXED) != tid)
		return;
	tally(TALLY_PEEKS);
	expect(t, copy.seq == seq, "the number changed in a valid copy");
	if (at && count_is_in_loop(&copy.regs) && tid == t->life->tid)
		expect(t, count_agrees(&copy.regs, word),
		       "a torn checkpoint counts as whole");
}

static void peek_part(struct taker *t, const struct cp_region_head *head)
{
	unsigned int i;

	for (i = 0; i < head->nr_slots; i++)
		peek_slot(t, (const void *)((const char *)head +
					    head->slots_offset +
					    i * head->slot_size));
}

static void peek(struct taker *t)
{
	const struct cp_region_head *first = (const void *)t->m.region;
	unsigned int i, nr = first->nr_parts;

	for (i = 0; i < nr; i++)
		peek_part(t, (const void *)(t->m.region + i * t->thread_size));
}

/* fdinfo must agree with this thread's count, if no other threads take. */
static void check_fdinfo(struct taker *t)
{
	char value[32];

	if (t->threads)
		return;
	if (!fdinfo(t->m.fd, "taken", value, sizeof(value)))
		wrong(t, "fdinfo has no line 'taken'");
	else if (strtoull(value, NULL, 10) != t->taken)
		complain("fdinfo counts %s taken, not %llu", value,
			 (unsigned long long)t->taken);
}

/* Takes @count checkpoints; false if the pair is over. */
static bool take_some(struct taker *t, unsigned int count)
{
	bool slots = t->life->plan.prep.nr_slots > 1;
	int ret = 1;

	while (count && ret) {
		ret = take(t);
		count -= ret == 1;
		if (slots && once_in(&t->dice, 4))
			peek(t);
		if (once_in(&t->dice, 16))
			check_fdinfo(t);
	}
	return ret;
}

static bool make_pair(struct taker *t)
{
	const struct plan *plan = &t->life->plan;
	struct cp_prep prep = plan->prep;
	int ret;

	prep.pid = t->life->tid;
	if (prep.pid < 0)
		return false;
	tally(TALLY_PREPS_TRIED);
	ret = master_prep(&t->m, &prep);
	t->thread_size = prep.thread_size;
	if (!ret)
		tally(TALLY_PREPS);
	/*
	 * ESRCH: the slave has exited. EPERM: it has executed a program since the
	 * proof was opened, or there was no memory to open the proof.
	 */
	else if (ret != -ESRCH &&
		 !(ret == -EPERM && (t->life->exec || prep.mem_fd < 0)))
		complain("cp_prep: %s", strerror(-ret));
	return !ret;
}

static void *take_rest(void *arg)
{
	struct taker own = *(struct taker *)arg;
	int ret;

	/* The slot belongs to the thread of the latest call: do not read it. */
	while ((ret = take_with(&own, FOREVER))) {
		/* Another thread may be given the end of this thread's. */
		if (ret != 1 || own.life->plan.prep.flags & CP_PREP_PROCESS)
			continue;
		own.track = track_begin(&own, own.m.get.thread);
		check_numbers(&own);
		own.track->seq = own.m.get.seq;
		own.missed = own.m.get.missed;
	}
	return NULL;
}

static void end_pair(struct taker *t)
{
	t->life->detached = true;
	if (ioctl(t->m.fd, CP_IOC_END))
		complain("CP_IOC_END: %s", strerror(errno));
}

static void take_all(struct taker *t)
{
	while (take_some(t, 1))
		;
}

/* The checkpoints in the ring can still be taken after the end. */
static void end_and_see(struct taker *t)
{
	end_pair(t);
	take_all(t);
}

static void leave_with_threads(struct taker *t)
{
	pthread_t threads[2];
	unsigned int i;

	t->threads = ARRAY_SIZE(threads);
	for (i = 0; i < t->threads; i++)
		if (pthread_create(&threads[i], NULL, take_rest, t))
			_exit(1);
	sleep_ms(roll(&t->dice, 3));
	end_pair(t);
	for (i = 0; i < t->threads; i++)
		pthread_join(threads[i], NULL);
	take_all(t);
}

/* A child inherits the file, but is not the master. */
static void leave_child(struct taker *t)
{
	struct cp_get get = { .deadline = 0 };
	pid_t pid = fork();

	if (pid)
		return;
	if (ioctl(t->m.fd, CP_IOC_GET, &get) != -1 || errno != EPERM)
		complain("a child may take its parent's checkpoints");
	sleep_ms(5);
	_exit(0);
}

/* Pairs with the same slave on the same file again. */
static void pair_again(struct taker *t)
{
	struct cp_prep arg = t->life->plan.prep;
	char *region;

	end_pair(t);
	arg.pid = t->life->tid;
	tally(TALLY_PREPS_TRIED);
	if (prep_with(t->m.fd, &arg))
		return;
	tally(TALLY_PREPS);
	region = mmap(NULL, arg.region_size, PROT_READ, MAP_SHARED, t->m.fd, 0);
	if (region == MAP_FAILED) {
		complain("the second region cannot be mapped");
		return;
	}
	munmap(t->m.region, t->m.size);
	t->m.region = region;
	t->m.size = arg.region_size;
	t->thread_size = arg.thread_size;
	memset(t->tracks, 0, sizeof(t->tracks));
	t->taken = 0;
	t->missed = 0;
	t->death = 0;
	take_some(t, 5);
}

static void leave(struct taker *t)
{
	switch (t->life->plan.leaving) {
	case LEAVES_CLOSE:
		close(t->m.fd);
		sleep_ms(roll(&t->dice, 2));
		break;
	case LEAVES_END:
		end_and_see(t);
		break;
	case LEAVES_CHILD:
		leave_child(t);
		break;
	case LEAVES_THREADS:
		leave_with_threads(t);
		break;
	case LEAVES_STAYS:
		for (;;)
			pause();
	case LEAVES_TAKES_ALL:
		take_all(t);
		break;
	case LEAVES_AGAIN:
		pair_again(t);
		break;
	default:
		break;
	}
}

int master_run(struct life *life)
{
	const struct plan *plan = &life->plan;
	struct taker t = { .life = life, .dice = dice_of(plan->seed, 1) };
	unsigned int i;

	t.lossless = !(plan->prep.flags & CP_PREP_OVERWRITE) &&
		     !plan->prep.wait_limit;
	t.every_return = t.lossless && !plan->prep.interval &&
			 plan->prep.every < 2;
	for (i = 0; i < MISHAPS_MAX; i++)
		t.signalled |= plan->mishaps[i] == MISHAP_SIGNALS;
	while (!life->tid)
		sleep_ms(0);
	if (make_pair(&t) && take_some(&t, plan->takes))
		leave(&t);
	return 0;
}
