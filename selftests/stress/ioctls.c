// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of ioctl(2): all that the device knows, with structs of all sizes, and unknown ones.
 */
#include "fuzz.h"

/* The largest size that an ioctl's number asks for here. */
#define SIZE_MAX_ASKED	512

/* Returns the result, which may be a descriptor, or -errno. */
static int call_on(struct fuzzer *fuzzer, int file, unsigned int cmd,
		   const void *arg, size_t size)
{
	struct dice *dice = &fuzzer->dice;
	char bytes[SIZE_MAX_ASKED] = { 0 };
	size_t asked = _IOC_SIZE(cmd);
	int ret;

	memcpy(bytes, arg, size);
	if (once_in(dice, 3))
		spoil(dice, bytes, size);
	if (once_in(dice, 8))
		asked = roll(dice, SIZE_MAX_ASKED);
	/* Unknown fields that are not zero make the call fail with E2BIG. */
	if (asked > size && once_in(dice, 4))
		bytes[asked - 1] = 1;
	cmd = _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), asked);
	ret = ioctl(file, cmd, odd_pointer(fuzzer, bytes, asked > size ? asked : size));
	return ret < 0 ? -errno : ret;
}

static int call_info(struct fuzzer *fuzzer)
{
	struct cp_info info = { 0 };

	return call_on(fuzzer, any_file(fuzzer), CP_IOC_INFO,
		       &info, sizeof(info));
}

static pid_t odd_pid(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;

	switch (roll(dice, 24)) {
	case 0:
		return getpid();
	case 1:
		return 2;	/* a kernel thread */
	case 2:
		return roll(dice, 1 << 22);
	case 3:
		return -1;
	case 4:
	case 5:
		return common->slaves[roll(dice, NR_FUZZERS)]
				     [roll(dice, NR_SLAVES)];
	default:
		return fuzzer->slaves[roll(dice, NR_SLAVES)];
	}
}

/* A proof for @pid, mostly: a new one, or one that was opened earlier. */
static int odd_proof(struct fuzzer *fuzzer, pid_t pid)
{
	struct dice *dice = &fuzzer->dice;
	volatile int *place = &fuzzer->proofs[roll(dice, NR_PROOFS)];

	if (once_in(dice, 16))
		return roll(dice, 2) ? -1 : any_file(fuzzer);
	if (!once_in(dice, 8))
		put_file(place, proof_open(pid));
	return *place;
}

/*
 * CP_IOC_PREP allocates a page for each slot, so only one fuzzer at a time asks for
 * very many.
 */
static unsigned int odd_slots(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;

	if (once_in(dice, 500))
		return fuzzer->number ? 1000 : CP_SLOTS_MAX + roll(dice, 2);
	return roll(dice, 2) ? roll(dice, 20) : 0;
}

static int call_prep(struct fuzzer *fuzzer)
{
	volatile int *place = any_place(fuzzer);
	struct dice *dice = &fuzzer->dice;
	struct cp_prep prep = {
		.pid = odd_pid(fuzzer),
		.flags = roll(dice, 32),
		.nr_slots = odd_slots(fuzzer),
		.stack_limit = roll(dice, 2) ? odd_number(dice) : 0,
		.death_stack_limit = roll(dice, 4) ? 0 : odd_number(dice),
		.interval = once_in(dice, 4) ? odd_number(dice) : 0,
		.every = once_in(dice, 4) ? odd_number(dice) : 0,
	};
	int ret;

	if (prep.flags & CP_PREP_PROCESS && roll(dice, 2))
		prep.nr_threads = roll(dice, 8);
	if (prep.flags & CP_PREP_CHILDREN && roll(dice, 2))
		prep.child_limit = roll(dice, 10000000);
	prep.mem_fd = odd_proof(fuzzer, prep.pid);
	if (!(prep.flags & CP_PREP_OVERWRITE) && once_in(dice, 4))
		prep.wait_limit = odd_number(dice);
	ret = call_on(fuzzer, *place, CP_IOC_PREP, &prep, sizeof(prep));
	if (!ret)
		fuzzer->paired = place;
	return ret;
}

static uint64_t odd_deadline(struct dice *dice)
{
	switch (roll(dice, 16)) {
	case 0:
		return CP_FOREVER;	/* until the alarm */
	case 1:
		return odd_number(dice);
	case 2:
	case 3:
		return now_ns() + roll(dice, 1000000);
	default:
		return 0;
	}
}

static int call_get(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;
	uint64_t regs[CP_N_REG + 1] = { 0 };
	struct cp_get get = {
		.deadline = odd_deadline(dice),
		.flags = roll(dice, 2) ? CP_GET_NUDGE : 0,
	};

	/* odd_pointer() puts them in another page than the struct. */
	if (roll(dice, 2))
		get.regs = (uintptr_t)odd_pointer(fuzzer, regs, sizeof(regs));
	return call_on(fuzzer, any_file(fuzzer), CP_IOC_GET, &get, sizeof(get));
}

static int call_end(struct fuzzer *fuzzer)
{
	return result(ioctl(any_file(fuzzer), CP_IOC_END,
			    odd_number(&fuzzer->dice)));
}

/* The hold, or its limit, is short: each slave belongs to several fuzzers. */
static int call_hold(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;
	struct cp_hold hold = {
		.deadline = roll(dice, 2) ? now_ns() + roll(dice, 10000000) : 0,
		.limit = roll(dice, 100000000),
		.flags = roll(dice, 2) ? CP_HOLD_ASLEEP : 0,
	};

	return call_on(fuzzer, any_file(fuzzer), CP_IOC_HOLD, &hold,
		       sizeof(hold));
}

static int call_release(struct fuzzer *fuzzer)
{
	return result(ioctl(any_file(fuzzer), CP_IOC_RELEASE,
			    odd_number(&fuzzer->dice)));
}

static int call_sleeper(struct fuzzer *fuzzer)
{
	struct cp_sleeper sleeper = { .part = roll(&fuzzer->dice, 3) };

	return call_on(fuzzer, any_file(fuzzer), CP_IOC_SLEEPER, &sleeper,
		       sizeof(sleeper));
}

static int call_changes(struct fuzzer *fuzzer, int file, int snapshot)
{
	struct dice *dice = &fuzzer->dice;
	struct cp_change list[8];
	struct cp_changes changes = {
		.start = roll(dice, 2) ? 0 : odd_number(dice),
		.changes = roll(dice, 4) ? (uintptr_t)list : odd_number(dice),
		.room = roll(dice, 9),
		.snapshot = snapshot,
	};

	return call_on(fuzzer, file, CP_IOC_CHANGES, &changes, sizeof(changes));
}

static int call_changes_anywhere(struct fuzzer *fuzzer)
{
	return call_changes(fuzzer, any_file(fuzzer), any_file(fuzzer));
}

/* The descriptor is used, and closed at once: snapshots count for a limit. */
static int call_snapshot(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;
	struct cp_snapshot snapshot = {
		.deadline = roll(dice, 2) ? now_ns() + roll(dice, 10000000) : 0,
		.limit = roll(dice, 100000000),
		.flags = roll(dice, 2) ? CP_SNAPSHOT_CHANGES : 0,
	};
	char bytes[256];
	int fd;

	fd = call_on(fuzzer, any_file(fuzzer), CP_IOC_SNAPSHOT, &snapshot,
		     sizeof(snapshot));
	if (fd < 0)
		return fd;
	/* Mostly an address that is not mapped; the description can always be read. */
	if (pread(fd, bytes, roll(dice, sizeof(bytes)), odd_number(dice)) < 0 &&
	    pread(fd, bytes, sizeof(bytes), CP_SNAPSHOT_HEAD) < 0)
		complain("a snapshot cannot be read: %s", strerror(errno));
	call_changes(fuzzer, any_file(fuzzer), fd);
	call_changes(fuzzer, fd, roll(dice, 2) ? fd : any_file(fuzzer));
	close(fd);
	return 0;
}

static int call_put_back(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;
	struct cp_snapshot snapshot = { .deadline = now_ns() + 10000000 };
	int file = any_file(fuzzer), fd, ret;
	struct cp_put_back put_back = {
		.deadline = roll(dice, 2) ? now_ns() + roll(dice, 10000000) : 0,
		.limit = roll(dice, 100000000),
	};

	fd = ioctl(file, CP_IOC_SNAPSHOT, &snapshot);
	put_back.snapshot_fd = once_in(dice, 4) ? any_file(fuzzer) : fd;
	ret = call_on(fuzzer, file, CP_IOC_PUT_BACK, &put_back, sizeof(put_back));
	if (fd >= 0)
		close(fd);
	return ret;
}

/*
 * Uses the device's ioctl type only: some numbers of other types (FIONBIO) are valid
 * for every file.
 */
static int call_unknown(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;
	unsigned int cmd = _IOC(roll(dice, 4), CP_IOC_MAGIC,
				between(dice, 10, 255), roll(dice, 1 << 14));

	return result(ioctl(any_file(fuzzer), cmd, odd_number(dice)));
}

/* A known number with the wrong direction bits. */
static int call_other_way(struct fuzzer *fuzzer)
{
	static const unsigned int right[] = {
		CP_IOC_INFO, CP_IOC_PREP, CP_IOC_GET, CP_IOC_END, CP_IOC_HOLD,
		CP_IOC_RELEASE, CP_IOC_SLEEPER, CP_IOC_SNAPSHOT, CP_IOC_CHANGES,
		CP_IOC_PUT_BACK };
	struct dice *dice = &fuzzer->dice;
	unsigned int cmd = right[roll(dice, ARRAY_SIZE(right))];

	cmd = _IOC(_IOC_DIR(cmd) ^ between(dice, 1, 3), _IOC_TYPE(cmd),
		   _IOC_NR(cmd), _IOC_SIZE(cmd));
	return result(ioctl(any_file(fuzzer), cmd, fuzzer->good));
}

const struct call ioctl_calls[] = {
	{ "info", 4, call_info, { EINVAL, EFAULT } },
	{ "prep", 10, call_prep,
	  { EFAULT, E2BIG, EINVAL, EALREADY, EDEADLK, EBUSY, ESRCH, EPERM,
	    EUSERS, ENOSPC, EDQUOT, ENOMEM, EINTR, EOVERFLOW } },
	{ "get", 30, call_get,
	  { EFAULT, E2BIG, EINVAL, ENOTCONN, EPERM, EAGAIN, ETIMEDOUT,
	    EINTR } },
	{ "hold", 6, call_hold,
	  { EFAULT, E2BIG, EINVAL, ENOTCONN, EPERM, EALREADY, EPIPE, ETIMEDOUT,
	    EINTR } },
	{ "release", 4, call_release,
	  { ENOTCONN, EPERM, ETIME, EALREADY, EINTR } },
	{ "sleeper", 6, call_sleeper,
	  { EFAULT, E2BIG, EINVAL, ENOTCONN, EPERM, ENOENT, EPIPE, ESRCH,
	    EALREADY, EAGAIN } },
	{ "snapshot", 6, call_snapshot,
	  { EFAULT, E2BIG, EINVAL, ENOTCONN, EPERM, EPIPE, ETIMEDOUT, EINTR,
	    EOVERFLOW, EBUSY, EACCES, EAGAIN, ENOMEM, EUSERS, EDQUOT } },
	{ "changes", 4, call_changes_anywhere,
	  { EFAULT, E2BIG, EINVAL, EBADF, ENOTCONN, EPERM, EPIPE, EAGAIN, ETIME,
	    ENOTTY, EINTR } },
	{ "put-back", 6, call_put_back,
	  { EFAULT, E2BIG, EINVAL, ENOTCONN, EPERM, EPIPE, ETIMEDOUT, EINTR,
	    EBADF, EROFS, EXDEV, ESTALE, ESRCH, EOVERFLOW, EBUSY, ENOBUFS } },
	{ "end", 1, call_end, { ENOTCONN, EPERM } },
	{ "unknown-ioctl", 4, call_unknown, { ENOTTY } },
	{ "other-way-ioctl", 2, call_other_way, { ENOTTY } },
	{ }
};
