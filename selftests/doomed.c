// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: doomed HOW WHERE [told]
 *
 * Dies, at the end of a chain of calls, some of them inlined. HOW: segv, abrt,
 * fpe, overflow, oom; wait for somebody to kill it, or live: it does not die.
 * WHERE: main, thread, handler, alternate. With "told" it prints the id of the
 * thread that is to die, and waits for a byte on standard input first.
 */
#include "chain.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *how;

static volatile int zero;

/* Nothing is mapped there. */
static volatile int *volatile nowhere = (int *)0x10;

OUTLINE void touch(void)
{
	*nowhere = after;
	after++;
}

OUTLINE void divide(void)
{
	after = after / zero;
	after++;
}

/* The compiler is not to know that it does not come back. */
static void (*volatile last_resort)(void) = abort;

OUTLINE void give_up(void)
{
	last_resort();
	after++;
}

OUTLINE int overflow(int n)
{
	volatile char room[500];

	room[n % 500] = (char)n;
	/* It comes to an end of its own in theory only. */
	after = n == zero ? 0 : overflow(n + 1);
	return room[n % 500] + after;
}

OUTLINE void eat(void)
{
	const size_t size = 1 << 20;

	for (;;)
		memset(mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, size);
}

OUTLINE void rest(void)
{
	for (;;)
		pause();
}

/* What it does is known: a value in a register, a system call that fails. */
OUTLINE void live(void)
{
	register double value asm("xmm0") = 1234.5;
	long result = SYS_close;

	asm volatile("syscall"
		     : "+a"(result), "+x"(value)
		     : "D"(-1L)
		     : "rcx", "r11", "memory");
	after = result < 0;
}

OUTLINE void die(void)
{
	if (!strcmp(how, "segv"))
		touch();
	else if (!strcmp(how, "abrt"))
		give_up();
	else if (!strcmp(how, "fpe"))
		divide();
	else if (!strcmp(how, "overflow"))
		after = overflow(1);
	else if (!strcmp(how, "oom"))
		eat();
	else if (!strcmp(how, "wait"))
		rest();
	else
		live();
	after++;
}

INLINE void folded(int n)
{
	die();
	after += n;
}

OUTLINE void leaf(int n)
{
	folded(n);
	after++;
}

OUTLINE void middle(int n)
{
	char room[1000];

	memset(room, n, sizeof(room));
	after = room[n];
	leaf(n);
	after++;
}

static void wait_until_told(void)
{
	char byte;

	printf("%ld\n", (long)syscall(SYS_gettid));
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		exit(1);
}

static int told;

OUTLINE void begin(void)
{
	if (told)
		wait_until_told();
	middle(4);
	after++;
}

OUTLINE void on_signal(int sig)
{
	middle(sig & 1);
	after++;
}

OUTLINE void *body(void *unused)
{
	(void)unused;
	begin();
	after++;
	return NULL;
}

static void run_handler(int flags)
{
	handle_sigusr1(on_signal, flags);
	if (told)
		wait_until_told();
	raise(SIGUSR1);
	after++;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	how = argv[1];
	told = argc > 3;
	if (!strcmp(argv[2], "thread"))
		call_in_thread(body);
	else if (!strcmp(argv[2], "handler"))
		run_handler(0);
	else if (!strcmp(argv[2], "alternate"))
		run_handler(SA_ONSTACK);
	else
		begin();
	return after ? 7 : 0;
}
