// SPDX-License-Identifier: GPL-2.0-only
/* Taking the image of a living process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "diagnose.h"
#include "facts.h"
#include "imager.h"
#include "interrupt.h"
#include "message.h"
#include "sleepers.h"
#include "slurp.h"

/* How long the process is held for a snapshot that needs a thread to wake. */
#define SNAPSHOT_NS 250000000

/* How many times a snapshot is tried again after EAGAIN, each with a hold of its own. */
#define TRIES 8

/* The most private memory without a place in a snapshot that is read meanwhile. */
#define KEEP_MAX (16UL << 20)

static bool is_offered(const struct imager *imager)
{
	const uint64_t needed = CP_FEATURE_PROCESS | CP_FEATURE_HOLD |
				CP_FEATURE_SLEEPER;
	struct cp_info info;

	if (!cp_pair_info(imager->pair, &info) &&
	    (info.features & needed) == needed)
		return true;
	warnx("the module is older than this cpctl and cannot hold processes: add --stack-only");
	return false;
}

static void close_files(struct imager *imager)
{
	if (imager->image.pagemap >= 0)
		close(imager->image.pagemap);
	imager->image.pagemap = -1;
	imager->image.mem = -1;
}

/* Reads what is read of the process while it runs, and opens its memory before. */
static void look_at(struct imager *imager, pid_t pid)
{
	char path[32];

	surroundings_open(&imager->around, pid);
	surroundings_refresh(&imager->around);
	identity_read(&imager->identity, pid);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	imager->image.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	imager->image.mem = imager->around.mem;
}

static void forget(struct imager *imager)
{
	close_files(imager);
	identity_free(&imager->identity);
	surroundings_close(&imager->around);
}

/*
 * Pairs with the process, which does not wait for cpctl. If it executed another program after
 * look_at(), the memory that was opened there does not exist any more; an exec after
 * this ends the pair.
 */
static bool pair_with(struct imager *imager)
{
	const struct cp_pair_options options = {
		.size = sizeof(options),
		.stack_limit = PAGE_BYTES,
		.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE | CP_PREP_XSTATE,
	};
	pid_t pid = task_of_process(imager->pid);

	look_at(imager, pid);
	if (interrupt_prep(imager->pair, pid, &options)) {
		diagnose_prep(pid, errno);
		return false;
	}
	if (!surroundings_alive(&imager->around)) {
		forget(imager);
		look_at(imager, pid);
	}
	imager->hold = (struct hold){
		.pair = imager->pair,
		.pid = pid,
		.flags = CP_HOLD_ASLEEP,
		.limit_ns = imager->limit_ns,
	};
	return true;
}

/* Prints why the process could not be held. */
static void diagnose_hold(const struct imager *imager)
{
	unsigned int reason;
	int status;

	/* A signal ends the pair, too: the verb prints that. */
	if (interrupted())
		return;
	if (errno != EPIPE) {
		diagnose_get(imager->hold.late ?: imager->pid, errno);
		return;
	}
	while (cp_pair_get(imager->pair, 0, 0) > 0)
		;
	reason = cp_pair_ended(imager->pair, &status);
	diagnose_end(imager->pid, reason, status);
}

/* Is it private memory that a child does not get, and so a snapshot neither? */
static bool is_lacking(const struct area *area)
{
	const uint32_t withheld = CP_MAPPING_DONTFORK | CP_MAPPING_WIPEONFORK;
	const uint32_t other = CP_MAPPING_SHARED | CP_MAPPING_DEVICE |
			       CP_MAPPING_DONTDUMP;

	return area->flags & withheld && area->flags & CP_MAPPING_TOUCHED &&
	       !(area->flags & other);
}

static void keep_area(struct image *image, const struct area *area)
{
	uint64_t addr;

	for (addr = area->start; addr < area->end; addr += PAGE_BYTES) {
		unsigned char *page = malloc(PAGE_BYTES);

		if (page && pread(image->mem, page, PAGE_BYTES, (off_t)addr) ==
			    PAGE_BYTES)
			pages_add(&image->kept, addr, page);
		else
			free(page);
	}
}

/* The process is still held: reads what the snapshot lacks, as far as that is little. */
static void keep_lacking(struct imager *imager)
{
	uint64_t kept = 0;
	size_t i;

	for (i = 0; i < imager->image.nr; i++) {
		struct area *area = &imager->image.areas[i];
		uint64_t size = area->end - area->start;

		if (!is_lacking(area))
			continue;
		area->lost = kept + size > KEEP_MAX;
		if (area->lost) {
			imager->missing += size;
			continue;
		}
		kept += size;
		keep_area(&imager->image, area);
	}
}

/* Returns 0, or -1 with errno if there is no snapshot. */
static int take_snapshot(struct imager *imager)
{
	struct cp_snap *snap = cp_pair_snapshot(imager->pair, SNAPSHOT_NS, 0,
						NULL);

	if (!snap)
		return -1;
	if (image_of_snap(&imager->image, snap)) {
		image_free(&imager->image);
		errno = ENOMEM;
		return -1;
	}
	keep_lacking(imager);
	imager_release(imager);
	return 0;
}

/* The process stays held: reads all but its memory. Returns 0, or -1 with errno. */
static int take_held(struct imager *imager, unsigned int nr)
{
	struct instant *instant = &imager->image.instant;
	size_t size;
	char *smaps;
	int ret;

	if (sleepers_take(imager->pair, &imager->around, PAGE_BYTES, instant))
		return -1;
	ret = hold_take(imager->pair, nr, instant);
	if (ret != 1) {
		errno = ret ? errno : EPIPE;
		return -1;
	}
	smaps = slurp_task(imager->hold.pid, "smaps", &size);
	ret = smaps ? image_of_smaps(&imager->image, smaps) : -1;
	free(smaps);
	return ret;
}

/* Holds the process, and takes a snapshot or begins to copy. */
static int take(struct imager *imager)
{
	unsigned int i;
	int nr;

	for (i = 0; i < TRIES; i++) {
		nr = hold_begin(&imager->hold, imager->timeout_ns);
		if (nr < 0)
			return -1;
		if (!imager->copy && !take_snapshot(imager))
			return 0;
		imager->refused = imager->copy ? 0 : errno;
		if (imager->refused == EPIPE || interrupted())
			return -1;
		/* A thread in a restartable sequence has to leave it. */
		if (imager->refused != EAGAIN || i == TRIES - 1)
			break;
		cp_pair_release(imager->pair);
	}
	return take_held(imager, (unsigned int)nr);
}

bool imager_take(struct imager *imager)
{
	imager->around.mem = -1;
	imager->around.root = -1;
	imager->image.mem = -1;
	imager->image.pagemap = -1;
	imager->pair = cp_pair_open();
	if (!imager->pair) {
		diagnose_open(errno);
		return false;
	}
	interrupt_catch(imager->pair);
	if (!is_offered(imager) || !pair_with(imager))
		return false;
	if (take(imager)) {
		diagnose_hold(imager);
		return false;
	}
	imager->unseen = cp_pair_unseen(imager->pair);
	imager->around.time = (uint64_t)clock_ns();
	surroundings_replace(&imager->around, &imager->image.maps);
	instant_sort(&imager->image.instant, imager->hold.pid);
	if (imager->identity.auxv)
		return true;
	warnx("process %d: /proc does not show its arguments and its auxiliary vector",
	      imager->pid);
	return false;
}

int64_t imager_until(const struct imager *imager)
{
	return imager->hold.began + (int64_t)imager->limit_ns;
}

void imager_release(struct imager *imager)
{
	if (!imager->pair || imager->held_ns)
		return;
	imager->expired = cp_pair_release(imager->pair) && errno == ETIME;
	imager->held_ns = clock_ns() - imager->hold.began;
	if (imager->expired)
		imager->held_ns = (int64_t)imager->limit_ns;
	cp_pair_end(imager->pair);
}

void imager_close(struct imager *imager)
{
	imager_release(imager);
	image_free(&imager->image);
	forget(imager);
	interrupt_move(NULL);
	cp_pair_close(imager->pair);
}
