// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: wild null | pointer | trampoline | twice FILE OTHER | abort
 *
 * Dies below outer(): by a call to an address without code; in a signal handler
 * whose return trampoline has no unwind information; or by abort(3). Or waits there,
 * with OTHER mapped directly after FILE.
 */
#include "chain.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SA_RESTORER 0x04000000

/* The kernel's struct sigaction, with the return trampoline of this program. */
struct kernel_action {
	void		(*handler)(int sig);
	unsigned long	flags;
	void		(*restorer)(void);
	unsigned long	mask;
};

void restorer(void);

/* Without unwind information, neither here nor at the instruction before. */
__asm__(".pushsection .text\n"
	"	nop\n"
	".globl restorer\n"
	"restorer:\n"
	"	mov $15, %rax\n"
	"	syscall\n"
	".popsection");

static void (*volatile target)(void);

OUTLINE void on_trap(int sig)
{
	after += sig;
	abort();
}

OUTLINE void inner(void)
{
	if (target)
		target();
	else
		__asm__ volatile("ud2");
	after++;
}

OUTLINE void outer(void)
{
	inner();
	after++;
}

static void trap_in_handler(void)
{
	const struct kernel_action action = {
		.handler = on_trap,
		.flags = SA_RESTORER,
		.restorer = restorer,
	};

	syscall(SYS_rt_sigaction, SIGILL, &action, NULL, 8);
	target = NULL;
}

static void call_null(void)
{
	void (*volatile null)(void) = NULL;

	null();
	after++;
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void map_twice(const char *one, const char *other)
{
	char *at = (char *)0x10000000;

	mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, open(one, O_RDONLY), 0);
	mmap(at + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED,
	     open(other, O_RDONLY), 0);
	target = wait_for_ever;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "abort";

	target = abort;
	if (!strcmp(mode, "null"))
		target = call_null;
	else if (!strcmp(mode, "pointer"))
		target = (void (*)(void))(uintptr_t)0xdead0000;
	else if (!strcmp(mode, "trampoline"))
		trap_in_handler();
	else if (!strcmp(mode, "twice") && argc > 3)
		map_twice(argv[2], argv[3]);
	outer();
	return after & 1;
}
