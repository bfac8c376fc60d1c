// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: ledger [HOW]
 *
 * A process that keeps changing its memory. The thread "sweeper" writes the number of its round
 * into each page of an array of global variables, and then into each page of one on the heap:
 * at any instant, the numbers fall by at most one, at one place, in this order. The thread
 * "sleeper" sleeps in a function that has a known local variable. HOW:
 *
 *	filtered	under a seccomp filter, which allows everything
 *	large		has 16 GiB of memory that it has touched at its end only
 *	withheld	has pages that are given to no child: MADV_DONTFORK, MADV_WIPEONFORK
 *
 * When all are there, the program prints the address of "rounds".
 */
#include "chain.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NR 128
#define SIZE 4096
#define LARGE (16UL << 30)

struct page {
	volatile uint64_t word;
	char rest[SIZE - sizeof(uint64_t)];
};

struct page pages[NR];
struct page *heap;
volatile uint64_t rounds;
char *large, *shared, *not_forked, *wiped, *not_dumped;
static volatile int over, there;

static void begin(const char *name)
{
	prctl(PR_SET_NAME, name);
	__atomic_fetch_add(&there, 1, __ATOMIC_SEQ_CST);
}

OUTLINE void *sweeper(void *unused)
{
	int i;

	begin("sweeper");
	while (!over) {
		rounds++;
		for (i = 0; i < NR; i++)
			pages[i].word = rounds;
		for (i = 0; i < NR; i++)
			heap[i].word = rounds;
	}
	return unused;
}

OUTLINE void *sleeper(void *unused)
{
	volatile int secret = 4711;

	begin("sleeper");
	while (!over)
		pause();
	after += secret;
	return unused;
}

static char *page_with(const char *text)
{
	char *page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	snprintf(page, SIZE, "%s", text);
	return page;
}

static void filter(void)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, all };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void prepare(const char *how)
{
	heap = aligned_alloc(SIZE, NR * sizeof(*heap));
	memset(heap, 0, NR * sizeof(*heap));
	shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(shared, SIZE, "shared words");
	if (!strcmp(how, "filtered"))
		filter();
	if (!strcmp(how, "large")) {
		large = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			     -1, 0);
		large[LARGE - 1] = 'L';
	}
	if (!strcmp(how, "withheld")) {
		not_forked = page_with("not forked");
		madvise(not_forked, SIZE, MADV_DONTFORK);
		wiped = page_with("wiped");
		madvise(wiped, SIZE, MADV_WIPEONFORK);
		not_dumped = page_with("not dumped");
		madvise(not_dumped, SIZE, MADV_DONTDUMP);
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	prepare(argc > 1 ? argv[1] : "");
	pthread_create(&threads[0], NULL, sweeper, NULL);
	pthread_create(&threads[1], NULL, sleeper, NULL);
	while (there < 2 || rounds < 2)
		usleep(1000);
	printf("%p\n", (void *)&rounds);
	fflush(stdout);
	pthread_join(threads[0], NULL);
	return 0;
}
