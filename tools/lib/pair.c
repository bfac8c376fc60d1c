// SPDX-License-Identifier: LGPL-2.1-only
/* The life of a pair: open, prep, get, hold, put back, release, end, close. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pair.h"

#define NSEC_PER_SEC 1000000000ULL

static bool same_version(int fd)
{
	struct cp_info info;

	if (ioctl(fd, CP_IOC_INFO, &info))
		return false;
	if (info.version == CP_VERSION)
		return true;
	errno = EPROTONOSUPPORT;
	return false;
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Allocates cp_pair.mapped; returns false with errno. */
static bool map_mark(struct cp_pair *pair)
{
	void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return false;
	pair->mapped = page;
	return !madvise(page, page_size(), MADV_WIPEONFORK);
}

struct cp_pair *cp_pair_open(void)
{
	struct cp_pair *pair = calloc(1, sizeof(*pair));

	if (!pair)
		return NULL;
	pair->fd = open(CP_DEVICE, O_RDWR | O_CLOEXEC);
	if (pair->fd < 0 || !same_version(pair->fd) || !map_mark(pair)) {
		cp_pair_close(pair);
		return NULL;
	}
	return pair;
}

static void unmap_region(struct cp_pair *pair)
{
	/*
	 * A child does not inherit the mapping (VM_DONTCOPY). In the child, the
	 * address may belong to another mapping, which must not be unmapped.
	 */
	if (pair->region && *pair->mapped)
		munmap(pair->region, pair->region_size);
	pair->region = NULL;
}

void cp_pair_close(struct cp_pair *pair)
{
	int saved = errno;

	if (!pair)
		return;
	/*
	 * close() alone does not end the pair while a child has the file open.
	 * In a child, cp_pair_end() fails with EPERM and the pair continues.
	 */
	cp_pair_end(pair);
	unmap_region(pair);
	if (pair->mapped)
		munmap(pair->mapped, page_size());
	if (pair->fd >= 0)
		close(pair->fd);
	free(pair);
	errno = saved;
}

int cp_pair_info(const struct cp_pair *pair, struct cp_info *info)
{
	return ioctl(pair->fd, CP_IOC_INFO, info);
}

/* Copies @given to @known. The struct of an older caller is shorter. */
static int read_options(struct cp_pair_options *known,
			const struct cp_pair_options *given)
{
	const unsigned char *byte = (const unsigned char *)given;
	size_t i;

	memset(known, 0, sizeof(*known));
	if (!given)
		return 0;
	if (given->size < sizeof(given->size)) {
		errno = EINVAL;
		return -1;
	}
	for (i = sizeof(*known); i < given->size; i++) {
		if (byte[i]) {
			errno = E2BIG;
			return -1;
		}
	}
	memcpy(known, given,
	       given->size < sizeof(*known) ? given->size : sizeof(*known));
	if (known->writable > 1) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/*
 * Opening /proc/PID/mem is where the kernel decides whether this process may
 * trace @pid; the descriptor is the proof that CP_IOC_PREP wants.
 */
static int open_proof(pid_t pid, int mode)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, mode | O_CLOEXEC);
}

static int make_pair(int fd, pid_t pid, int mode, struct cp_prep *prep)
{
	int proof = open_proof(pid, mode);
	int open_errno = errno;
	int ret;

	/*
	 * Call CP_IOC_PREP even if there is no proof: the module then returns the
	 * errno that comes first in its documented order, ESRCH for example.
	 */
	prep->mem_fd = proof < 0 ? -1 : proof;
	ret = ioctl(fd, CP_IOC_PREP, prep);
	if (proof >= 0) {
		int saved = errno;

		close(proof);
		errno = saved;
	} else if (ret && errno == EPERM &&
		   (open_errno == EMFILE || open_errno == ENFILE ||
		    open_errno == ENOMEM || open_errno == EROFS)) {
		/* The process may trace @pid, as far as the open shows. */
		errno = open_errno;
	}
	return ret;
}

/* The options of a pair with @pid, for CP_IOC_PREP. */
static struct cp_prep prep_of(pid_t pid, const struct cp_pair_options *opt)
{
	return (struct cp_prep){
		.pid = pid,
		.stack_limit = opt->stack_limit,
		.wait_limit = opt->wait_limit,
		.interval = opt->interval,
		.every = opt->every,
		.nr_slots = opt->nr_slots,
		.flags = opt->flags,
		.reserved = opt->reserved,
		.death_stack_limit = opt->death_stack_limit,
		.nr_threads = opt->nr_threads,
		.reserved2 = opt->reserved2,
		.child_limit = opt->child_limit,
	};
}

/* A new pair has been made: sets all members but the file, and unmaps the old region. */
static void begin_pair(struct cp_pair *pair, void *region,
		       const struct cp_prep *prep)
{
	unmap_region(pair);
	*pair->mapped = 1;
	pair->region = region;
	pair->region_size = prep->region_size;
	/* A module that knows only single tasks leaves this field alone. */
	pair->thread_size = prep->thread_size ? prep->thread_size :
						prep->region_size;
	pair->slot = 0;
	pair->thread = 0;
	pair->thread_status = 0;
	pair->asleep = 0;
	pair->unseen = 0;
	pair->missed = 0;
	pair->reason = CP_END_NONE;
	pair->status = 0;
}

int cp_pair_prep(struct cp_pair *pair, pid_t pid,
		 const struct cp_pair_options *options)
{
	struct cp_pair_options opt;
	struct cp_prep prep;
	void *region;

	if (read_options(&opt, options))
		return -1;
	prep = prep_of(pid, &opt);
	if (make_pair(pair->fd, pid, opt.writable ? O_RDWR : O_RDONLY, &prep))
		return -1;

	region = mmap(NULL, prep.region_size, PROT_READ, MAP_SHARED, pair->fd,
		      0);
	if (region == MAP_FAILED) {
		int saved = errno;

		cp_pair_end(pair);
		errno = saved;
		return -1;
	}
	begin_pair(pair, region, &prep);
	return 0;
}

uint64_t cp_pair_deadline(int64_t timeout_ns)
{
	struct timespec now;

	if (timeout_ns < 0)
		return CP_FOREVER;
	if (timeout_ns == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec +
	       (uint64_t)timeout_ns;
}

/*
 * Did CP_IOC_GET release the last checkpoint's slot before it failed with
 * @error? Errors of its arguments come before that; see cp_pair_get().
 */
static bool slot_given_up(int error)
{
	return error == EAGAIN || error == ETIMEDOUT || error == EINTR ||
	       error == EFAULT;
}

void cp_pair_note(struct cp_pair *pair, const struct cp_get *get, int ret)
{
	if (ret < 0) {
		if (slot_given_up(errno))
			pair->slot = 0;
		return;
	}
	pair->missed = get->missed;
	pair->unseen = get->unseen;
	switch (ret) {
	case 0:
		pair->reason = get->reason;
		pair->status = get->status;
		break;
	case 1:
		pair->slot = get->slot_offset;
		pair->thread = get->thread;
		break;
	case 2:
		pair->slot = 0;
		pair->thread = get->thread;
		pair->thread_status = get->status;
		break;
	case 3:
		pair->slot = 0;
		pair->thread = get->thread;
		break;
	}
}

int cp_pair_get(struct cp_pair *pair, int64_t timeout_ns, unsigned int flags)
{
	struct cp_get get = {
		.deadline = cp_pair_deadline(timeout_ns),
		.flags = flags,
	};
	int ret = ioctl(pair->fd, CP_IOC_GET, &get);

	cp_pair_note(pair, &get, ret);
	return ret;
}

pid_t cp_pair_thread(const struct cp_pair *pair, int *status)
{
	if (status)
		*status = pair->thread_status;
	return pair->thread;
}

unsigned int cp_pair_unseen(const struct cp_pair *pair)
{
	return pair->unseen;
}

/* Stores the results of a call that held the slave, or has tried to. */
static void note_hold(struct cp_pair *pair, int ret, unsigned int asleep)
{
	pair->asleep = ret ? 0 : asleep;
	if (!ret || slot_given_up(errno) || errno == EPIPE)
		pair->slot = 0;
}

int cp_pair_hold(struct cp_pair *pair, int64_t timeout_ns, uint64_t limit_ns,
		 unsigned int flags, pid_t *late)
{
	struct cp_hold hold = {
		.deadline = cp_pair_deadline(timeout_ns),
		.limit = limit_ns,
		.flags = flags,
	};
	int ret = ioctl(pair->fd, CP_IOC_HOLD, &hold);

	if (late)
		*late = hold.late;
	note_hold(pair, ret, hold.nr_asleep);
	return ret ? -1 : (int)(hold.nr_threads + hold.nr_asleep);
}

unsigned int cp_pair_asleep(const struct cp_pair *pair)
{
	return pair->asleep;
}

int cp_pair_sleeper(const struct cp_pair *pair, unsigned int part,
		    struct cp_sleeper *sleeper)
{
	memset(sleeper, 0, sizeof(*sleeper));
	sleeper->part = part;
	return ioctl(pair->fd, CP_IOC_SLEEPER, sleeper);
}

int cp_pair_put_back(struct cp_pair *pair, const struct cp_snap *snap,
		     int64_t timeout_ns, uint64_t limit_ns, uint64_t *pages,
		     pid_t *late)
{
	struct cp_put_back arg = {
		.deadline = cp_pair_deadline(timeout_ns),
		.limit = limit_ns,
		.snapshot_fd = cp_snap_fd(snap),
	};
	int ret = ioctl(pair->fd, CP_IOC_PUT_BACK, &arg);

	note_hold(pair, ret, 0);
	if (late)
		*late = arg.late;
	if (pages)
		*pages = arg.pages;
	return ret;
}

int cp_pair_release(const struct cp_pair *pair)
{
	return ioctl(pair->fd, CP_IOC_RELEASE);
}

int cp_pair_end(const struct cp_pair *pair)
{
	return ioctl(pair->fd, CP_IOC_END);
}

unsigned int cp_pair_ended(const struct cp_pair *pair, int *status)
{
	if (status)
		*status = pair->status;
	return pair->reason;
}

uint64_t cp_pair_missed(const struct cp_pair *pair)
{
	return pair->missed;
}

int cp_pair_fd(const struct cp_pair *pair)
{
	return pair->fd;
}
