// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on mappings, in windows of the fuzzer's address space. A call that unmaps a
 * part of a window replaces it at once by an inaccessible mapping: otherwise the C
 * library might map memory there, which later calls would destroy.
 */
#include <sys/uio.h>

#include "fuzz.h"

static char *any_window(struct fuzzer *fuzzer)
{
	return fuzzer->windows + roll(&fuzzer->dice, NR_WINDOWS) * WINDOW_SIZE;
}

static void close_window(char *at, size_t size)
{
	if (mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
		 MAP_NORESERVE, -1, 0) != at)
		complain("address space is lost");
}

/* A random range of whole pages, near the start of a window. */
static char *any_piece(struct fuzzer *fuzzer, size_t *size)
{
	struct dice *dice = &fuzzer->dice;
	unsigned long first = roll(dice, 40);

	*size = between(dice, 1, 40) * PAGE;
	return any_window(fuzzer) + first * PAGE;
}

static int call_mmap(struct fuzzer *fuzzer)
{
	static const int kinds[] = { MAP_POPULATE, MAP_LOCKED, MAP_NORESERVE,
				     MAP_NONBLOCK, 0, 0 };
	struct dice *dice = &fuzzer->dice;
	int flags = (roll(dice, 4) ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED |
		    kinds[roll(dice, ARRAY_SIZE(kinds))];
	int prot = roll(dice, 2) ? PROT_READ : roll(dice, 8);
	uint64_t offset = roll(dice, 2) ? 0 : odd_number(dice);
	uint64_t size = between(dice, 1, 64) * PAGE;
	char *at = any_window(fuzzer);

	if (once_in(dice, 8))
		size = odd_number(dice);
	/* A larger fixed mapping would overwrite other mappings. */
	if (size > WINDOW_SIZE)
		flags &= ~MAP_FIXED;
	at = (char *)syscall(SYS_mmap, at, size, prot, flags, any_file(fuzzer),
			     offset);
	if (at == MAP_FAILED)
		return -errno;
	if (prot & (PROT_WRITE | PROT_EXEC))
		complain("a region was mapped with protection %d", prot);
	if (!(flags & MAP_FIXED))
		munmap(at, size);
	return 0;
}

static int call_munmap(struct fuzzer *fuzzer)
{
	size_t size;
	char *at = any_piece(fuzzer, &size);
	int ret = result(munmap(at, size));

	close_window(at, size);
	return ret;
}

static int call_mprotect(struct fuzzer *fuzzer)
{
	size_t size;
	char *at = any_piece(fuzzer, &size);

	return result(mprotect(at, size, roll(&fuzzer->dice, 8)));
}

static int call_mremap(struct fuzzer *fuzzer)
{
	struct dice *dice = &fuzzer->dice;
	size_t size, new_size;
	char *at = any_piece(fuzzer, &size);
	char *to = any_piece(fuzzer, &new_size);
	int ret = 0;

	if (roll(dice, 2))
		new_size = size;
	if (mremap(at, size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
	    MAP_FAILED)
		ret = -errno;
	/* A failed mremap() may have unmapped it anyway. */
	close_window(at, size);
	if (ret)
		close_window(to, new_size);
	return ret;
}

static int call_madvise(struct fuzzer *fuzzer)
{
	/* Without MADV_HWPOISON and MADV_SOFT_OFFLINE, which remove memory. */
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK,
		MADV_MERGEABLE, MADV_HUGEPAGE, MADV_DODUMP, MADV_WIPEONFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE,
	};
	size_t size;
	char *at = any_piece(fuzzer, &size);

	return result(madvise(at, size, advice[roll(&fuzzer->dice,
						    ARRAY_SIZE(advice))]));
}

/* Reads by process_vm_readv(2), which fails where a load would get SIGBUS. */
static int call_look(struct fuzzer *fuzzer)
{
	char bytes[256];
	size_t size;
	struct iovec to = { bytes, sizeof(bytes) };
	struct iovec from = { any_piece(fuzzer, &size), sizeof(bytes) };

	return result(process_vm_readv(getpid(), &to, 1, &from, 1, 0));
}

/* Tries to write by process_vm_writev(2), which must fail for a region. */
static int call_change(struct fuzzer *fuzzer)
{
	char byte = 1;
	size_t size;
	struct iovec from = { &byte, 1 };
	struct iovec to = { any_piece(fuzzer, &size), 1 };

	return result(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
}

const struct call map_calls[] = {
	{ "mmap", 10, call_mmap,
	  { ENOTCONN, EPERM, EINVAL, EACCES, EOVERFLOW, ENOMEM, EAGAIN } },
	{ "munmap", 3, call_munmap, { EINVAL } },
	{ "mprotect", 3, call_mprotect, { EACCES, ENOMEM } },
	{ "mremap", 3, call_mremap, { EFAULT, EINVAL, EAGAIN, ENOMEM } },
	{ "madvise", 3, call_madvise,
	  { EINVAL, ENOMEM, EACCES, EAGAIN, EBUSY, EFAULT, EPERM, EIO,
	    EOPNOTSUPP } },
	{ "read-memory", 4, call_look, { EFAULT } },
	{ "write-memory", 2, call_change, { EFAULT } },
	{ }
};
