// SPDX-License-Identifier: GPL-2.0-only
/* The text that describes the death of a slave. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "death.h"

#define NAME_SIZE 24

const char *death_signal(int signal)
{
	static char name[NAME_SIZE];
	const char *abbreviation = sigabbrev_np(signal);

	if (!abbreviation)
		return NULL;
	snprintf(name, sizeof(name), "SIG%s", abbreviation);
	return name;
}

/* Codes that the headers of older C libraries do not define. */
#define CODE_SEGV_CPERR		10
#define CODE_TRAP_PERF		6
#define CODE_SYS_SECCOMP	1
#define CODE_SYS_USER_DISPATCH	2

struct code {
	int		signal;
	int		code;
	const char	*name;
};

/* The codes whose meaning depends on the signal. */
static const struct code codes[] = {
	{ SIGSEGV, SEGV_MAPERR, "nothing is mapped" },
	{ SIGSEGV, SEGV_ACCERR, "not allowed" },
	{ SIGSEGV, SEGV_BNDERR, "outside of its bounds" },
	{ SIGSEGV, SEGV_PKUERR, "denied by a protection key" },
	{ SIGSEGV, CODE_SEGV_CPERR, "the shadow stack disagrees" },
	{ SIGBUS, BUS_ADRALN, "not aligned" },
	{ SIGBUS, BUS_ADRERR, "no memory at this address" },
	{ SIGBUS, BUS_OBJERR, "the device has failed" },
	{ SIGBUS, BUS_MCEERR_AR, "the memory has failed where it was used" },
	{ SIGBUS, BUS_MCEERR_AO, "the memory has failed" },
	{ SIGILL, ILL_ILLOPC, "illegal instruction" },
	{ SIGILL, ILL_ILLOPN, "illegal operand" },
	{ SIGILL, ILL_ILLADR, "illegal addressing mode" },
	{ SIGILL, ILL_ILLTRP, "illegal trap" },
	{ SIGILL, ILL_PRVOPC, "privileged instruction" },
	{ SIGILL, ILL_PRVREG, "privileged register" },
	{ SIGILL, ILL_COPROC, "the coprocessor has failed" },
	{ SIGILL, ILL_BADSTK, "internal stack error" },
	{ SIGILL, ILL_BADIADDR, "no instruction at that address" },
	{ SIGFPE, FPE_INTDIV, "integer division by zero" },
	{ SIGFPE, FPE_INTOVF, "integer overflow" },
	{ SIGFPE, FPE_FLTDIV, "floating point division by zero" },
	{ SIGFPE, FPE_FLTOVF, "floating point overflow" },
	{ SIGFPE, FPE_FLTUND, "floating point underflow" },
	{ SIGFPE, FPE_FLTRES, "inexact floating point result" },
	{ SIGFPE, FPE_FLTINV, "invalid floating point operation" },
	{ SIGFPE, FPE_FLTSUB, "subscript out of range" },
	{ SIGFPE, FPE_FLTUNK, "floating point exception" },
	{ SIGFPE, FPE_CONDTRAP, "trap on a condition" },
	{ SIGTRAP, TRAP_BRKPT, "breakpoint" },
	{ SIGTRAP, TRAP_TRACE, "single step" },
	{ SIGTRAP, TRAP_BRANCH, "branch" },
	{ SIGTRAP, TRAP_HWBKPT, "hardware breakpoint or watchpoint" },
	{ SIGTRAP, TRAP_UNK, "unknown trap" },
	{ SIGTRAP, CODE_TRAP_PERF, "sent by a perf event" },
	{ SIGSYS, CODE_SYS_SECCOMP, "a system call that seccomp forbids" },
	{ SIGSYS, CODE_SYS_USER_DISPATCH, "a system call that is dispatched" },
	{ SIGPOLL, POLL_IN, "data can be read" },
	{ SIGPOLL, POLL_OUT, "data can be written" },
	{ SIGPOLL, POLL_MSG, "a message has come" },
	{ SIGPOLL, POLL_ERR, "a device or file has failed" },
	{ SIGPOLL, POLL_PRI, "urgent data can be read" },
	{ SIGPOLL, POLL_HUP, "the other end has hung up" },
	/* #GP and #SS have no address; nor has a handler without a stack. */
	{ SIGSEGV, SI_KERNEL,
	  "sent by the kernel without an address, as for one that is not canonical" },
	{ SIGBUS, SI_KERNEL,
	  "sent by the kernel without an address, as for one that is not canonical" },
	{ SIGTRAP, SI_KERNEL, "breakpoint, or sent by the kernel" },
};

/* The codes that have the same meaning for all signals. */
static const struct code senders[] = {
	{ 0, SI_USER, "sent by kill()" },
	{ 0, SI_KERNEL, "sent by the kernel" },
	{ 0, SI_QUEUE, "sent by sigqueue()" },
	{ 0, SI_TIMER, "sent by a timer" },
	{ 0, SI_MESGQ, "sent by a message queue" },
	{ 0, SI_ASYNCIO, "sent by asynchronous I/O" },
	{ 0, SI_SIGIO, "sent by a file" },
	{ 0, SI_TKILL, "sent by tkill() or tgkill()" },
	{ 0, SI_DETHREAD, "sent by another thread's exec" },
	{ 0, SI_ASYNCNL, "sent by a name lookup" },
};

static const char *find_code(const struct code *table, size_t nr,
			     const struct cp_checkpoint *cp)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if ((!table[i].signal || table[i].signal == cp->signal) &&
		    table[i].code == cp->signal_code)
			return table[i].name;
	return NULL;
}

static const char *code_name(const struct cp_checkpoint *cp)
{
	const char *name = find_code(codes, sizeof(codes) / sizeof(codes[0]),
				     cp);

	/* The kernel does not keep the siginfo of a SIGKILL. */
	if (cp->signal == SIGKILL && !cp->signal_code)
		return NULL;
	return name ? name : find_code(senders,
				       sizeof(senders) / sizeof(senders[0]),
				       cp);
}

static bool has_address(const struct cp_checkpoint *cp)
{
	return cp->signal_code > 0 && cp->signal_code != SI_KERNEL &&
	       (cp->signal == SIGSEGV || cp->signal == SIGBUS);
}

/* The text for a state that is not that of the fault. */
static const char *elsewhere_text(const struct cp_checkpoint *cp,
				  const char *signal, char text[DEATH_SIZE])
{
	char thread[32] = "another thread";

	if (cp->signal_thread)
		snprintf(thread, sizeof(thread), "thread %d",
			 cp->signal_thread);
	snprintf(text, DEATH_SIZE,
		 "killed with its process, by %s in %s: not where that happened",
		 signal, thread);
	return text;
}

const char *death_text(const struct cp_checkpoint *cp, char text[DEATH_SIZE])
{
	const char *code = code_name(cp);
	char number[NAME_SIZE], address[32] = "";
	const char *name = death_signal(cp->signal);

	if (!name) {
		snprintf(number, sizeof(number), "signal %d", cp->signal);
		name = number;
	}
	if (cp->flags & CP_CHECKPOINT_DEATH_ELSEWHERE)
		return elsewhere_text(cp, name, text);
	if (has_address(cp))
		snprintf(address, sizeof(address), " at address 0x%" PRIx64,
			 (uint64_t)cp->signal_addr);
	snprintf(text, DEATH_SIZE, "killed by %s%s%s%s", name, address,
		 code ? ": " : "", code ? code : "");
	return text;
}
