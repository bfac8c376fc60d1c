// SPDX-License-Identifier: LGPL-2.1-only
/* The original two calls, cp_prep() and cp_get(): one pair per process. */
#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pair.h"

/*
 * @lock protects @the_pair, @opener and the fields of the pair. cp_get() waits
 * without it: a cp_prep() in another thread must fail with EALREADY at once,
 * rather than wait for the slave's next checkpoint. The process that opened the
 * pair never frees it, so cp_get() may use pair->fd without the lock.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cp_pair *the_pair;
static pid_t opener;

/* @the_pair, unless this process inherited it through fork(). */
static struct cp_pair *own_pair(void)
{
	return the_pair && opener == getpid() ? the_pair : NULL;
}

static int open_own_pair(void)
{
	struct cp_pair *pair;

	if (own_pair())
		return 0;
	pair = cp_pair_open();
	if (!pair)
		return -1;
	cp_pair_close(the_pair);
	the_pair = pair;
	opener = getpid();
	return 0;
}

void *cp_prep(pid_t pid)
{
	void *region = NULL;

	pthread_mutex_lock(&lock);
	if (!open_own_pair() && !cp_pair_prep(the_pair, pid, NULL))
		region = the_pair->region;
	pthread_mutex_unlock(&lock);
	return region;
}

bool cp_get(uint64_t regs[CP_N_REG + 1])
{
	struct cp_get get = {
		.deadline = CP_FOREVER,
		.regs = (uintptr_t)regs,
	};
	struct cp_pair *pair;
	int ret, error;

	/* CP_IOC_GET accepts 0, which means that the caller wants no registers. */
	if (!regs) {
		errno = EFAULT;
		return false;
	}
	pthread_mutex_lock(&lock);
	pair = the_pair;
	pthread_mutex_unlock(&lock);
	if (!pair) {
		errno = ENOTCONN;
		return false;
	}
	ret = ioctl(pair->fd, CP_IOC_GET, &get);
	error = ret < 0 ? errno : 0;
	pthread_mutex_lock(&lock);
	errno = error;
	cp_pair_note(pair, &get, ret);
	pthread_mutex_unlock(&lock);
	errno = error;
	return ret == 1;
}

const void *cp_stack(uint64_t addr, size_t *left)
{
	const void *data = NULL;
	size_t rest = 0;

	pthread_mutex_lock(&lock);
	if (own_pair())
		data = cp_pair_find(the_pair, addr, &rest);
	pthread_mutex_unlock(&lock);
	if (!data) {
		errno = ENODATA;
		return NULL;
	}
	if (left)
		*left = rest;
	return data;
}
