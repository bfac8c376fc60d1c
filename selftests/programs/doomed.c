// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: doomed HOW WHERE [told]
 *
 * Dies at the end of a chain of calls, some of which are inlined. HOW: segv, abrt,
 * fpe, overflow, oom; wait, to be killed by a test; or live, which does not die.
 * WHERE: main, thread, handler, alternate; child, grandchild, whose ends are waited for;
 * or daemon, a grandchild whose parent, and its parent, exit at once. With "told", the
 * program first prints the id of the thread that will die, and waits for a byte on
 * standard input.
 */
#include "chain.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *how;

static volatile int zero;

/* An address that is not mapped. */
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

/* A pointer hides from the compiler that abort(3) does not return. */
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
	/* The condition, which never holds, keeps the compiler from warning. */
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

/* Does something with known results: a value in XMM0, a call that fails. */
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

/* Dies in a descendant, @depth processes below. */
OUTLINE void descend(int depth)
{
	pid_t child;

	if (!depth) {
		begin();
		return;
	}
	child = fork();
	if (!child)
		descend(depth - 1);
	else
		waitpid(child, NULL, 0);
	after++;
}

/* As daemon(3), but twice: nobody waits. */
OUTLINE void detach(int depth)
{
	if (!depth) {
		begin();
		return;
	}
	if (fork())
		_exit(0);
	setsid();
	detach(depth - 1);
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
	else if (!strcmp(argv[2], "child"))
		descend(1);
	else if (!strcmp(argv[2], "grandchild"))
		descend(2);
	else if (!strcmp(argv[2], "daemon"))
		detach(2);
	else
		begin();
	return after ? 7 : 0;
}
