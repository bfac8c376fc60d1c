// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: chain plain | thread | handler | alternate | coroutine | deep N | busy |
 *	liar
 *
 * Calls a chain of functions, some of them inlined, and sleeps in the innermost.
 * Before it sleeps, the program prints the id of the sleeping thread and then, one
 * per line and innermost first, the return addresses of the functions that are not
 * inlined. SIGUSR2 adds the frames of a handler to the chain.
 */
#include "chain.h"

#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX 32

#define RETURN_ADDRESS ((uintptr_t)__builtin_return_address(0))

static uintptr_t addresses[MAX];
static unsigned int nr_addresses;
static ucontext_t outside, inside;

static volatile int global = 42;

static void came_from(uintptr_t address)
{
	if (nr_addresses < MAX)
		addresses[nr_addresses++] = address;
}

OUTLINE void rest(void)
{
	came_from(RETURN_ADDRESS);
	printf("%ld\n", (long)syscall(SYS_gettid));
	while (nr_addresses)
		printf("0x%lx\n", (unsigned long)addresses[--nr_addresses]);
	fflush(stdout);
	for (;;)
		pause();
}

INLINE void folded(int n)
{
	if (n)
		rest();
	after += n;
}

INLINE void folded_too(int n)
{
	folded(n + 1);
	after += 2 * n;
}

OUTLINE void leaf(int n)
{
	came_from(RETURN_ADDRESS);
	folded_too(n);
	after++;
}

OUTLINE void middle(int n)
{
	char room[1000];

	came_from(RETURN_ADDRESS);
	memset(room, n, sizeof(room));
	after = room[n];
	leaf(n);
	after++;
}

OUTLINE int deep(int n)
{
	if (!n)
		middle(1);
	else
		after = deep(n - 1);
	return after + 1;
}

/*
 * Recursion in a random pattern, with a system call at each step. The two kinds of
 * frames differ in size, so that frames overlap the remains of older frames in
 * ever different ways.
 */
OUTLINE int climb(unsigned int way);

OUTLINE int climb_wide(unsigned int way)
{
	char room[200];

	memset(room, (int)way, sizeof(room));
	after = room[way % sizeof(room)];
	after = climb(way);
	return after + 1;
}

OUTLINE int climb(unsigned int way)
{
	syscall(SYS_getppid);
	if (way & 1)
		after = climb(way >> 1);
	else if (way)
		after = climb_wide(way >> 1);
	return after + 1;
}

OUTLINE void on_signal(int sig)
{
	middle(sig & 1);
	after++;
}

OUTLINE void *body(void *unused)
{
	(void)unused;
	middle(3);
	after++;
	return NULL;
}

OUTLINE void in_coroutine(void)
{
	middle(5);
	after++;
}

static void run_handler(int flags)
{
	handle_sigusr1(on_signal, flags);
	raise(SIGUSR1);
	after++;
}

static void run_coroutine(void)
{
	getcontext(&inside);
	inside.uc_stack.ss_sp = malloc(STACK_SIZE);
	inside.uc_stack.ss_size = STACK_SIZE;
	inside.uc_link = &outside;
	makecontext(&inside, in_coroutine, 0);
	swapcontext(&outside, &inside);
}

static void run_busy(void)
{
	unsigned int way = 1;

	printf("%ld\n", (long)syscall(SYS_gettid));
	fflush(stdout);
	for (;; way = way * 1664525 + 1013904223)
		climb(way & 0xfffff);
}

/* A reader of the list of libraries must expect a cycle and an invalid name. */
static void run_liar(void)
{
	static struct link_map endless = { .l_name = (char *)8 };

	endless.l_next = &endless;
	_r_debug.r_map = &endless;
	middle(6);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "plain";

	after = global;
	signal(SIGUSR2, on_signal);
	if (!strcmp(mode, "thread"))
		call_in_thread(body);
	else if (!strcmp(mode, "handler"))
		run_handler(0);
	else if (!strcmp(mode, "alternate"))
		run_handler(SA_ONSTACK);
	else if (!strcmp(mode, "coroutine"))
		run_coroutine();
	else if (!strcmp(mode, "deep") && argc > 2)
		deep(atoi(argv[2]));
	else if (!strcmp(mode, "busy"))
		run_busy();
	else if (!strcmp(mode, "liar"))
		run_liar();
	else
		middle(4);
	return after & 1;
}
