/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking the image of a living process: of a snapshot, or where the kernel refuses one, by
 * holding the process while its memory is read.
 */
#ifndef IMAGER_H
#define IMAGER_H

#include "hold.h"
#include "identity.h"
#include "image.h"
#include "surroundings.h"

/*
 * struct imager - what takes the image
 *
 * The caller sets these members:
 * @pid: the process, or any thread
 * @timeout_ns: the maximum time to wait until all threads are held; negative for no limit
 * @limit_ns: the maximum time for which the process is held while its memory is copied
 * @copy: whether to hold the process although a snapshot could be taken
 *
 * All zero at first:
 * @pair: the pair with the process
 * @hold: the hold
 * @around: the memory, mappings and root directory of the process
 * @identity: its identity
 * @image: the image
 * @refused: the errno because of which there is no snapshot, or 0
 * @unseen: the number of threads that are missing
 * @missing: bytes of private memory that the snapshot lacks
 * @held_ns: after imager_release(), for how long the process was held
 * @expired: after imager_release(), whether the limit ended the hold before
 */
struct imager {
	pid_t			pid;
	int64_t			timeout_ns;
	uint64_t		limit_ns;
	bool			copy;
	struct cp_pair		*pair;
	struct hold		hold;
	struct surroundings	around;
	struct identity		identity;
	struct image		image;
	int			refused;
	unsigned int		unseen;
	uint64_t		missing;
	int64_t			held_ns;
	bool			expired;
};

/*
 * imager_take() - take the image
 *
 * If @image.snap is set then, the process continues. Otherwise it is held: the caller
 * reads the memory, and calls imager_release(). From now on, the signals of interrupt.h
 * end the pair.
 *
 * Return: false after printing the reason, unless that is interrupted().
 */
bool imager_take(struct imager *imager);

/* imager_until() - when the limit ends the hold at the earliest, on CLOCK_MONOTONIC */
int64_t imager_until(const struct imager *imager);

/* imager_release() - end the hold and the pair, if that was not done before */
void imager_release(struct imager *imager);

/* imager_close() - imager_release(), and free all */
void imager_close(struct imager *imager);

#endif /* IMAGER_H */
