/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the programs that call a chain of functions for tests to unwind:
 * attributes of such functions, and contexts from which the chain is called.
 */
#ifndef _CP_SELFTESTS_CHAIN_H
#define _CP_SELFTESTS_CHAIN_H

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* Keeps the compiler from inlining or cloning the function. */
#define OUTLINE __attribute__((noinline, noclone))
#define INLINE static inline __attribute__((always_inline))

#define STACK_SIZE 65536

/* Written after each call, so that the compiler does not make it a tail call. */
static volatile int after;

INLINE void call_in_thread(void *(*body)(void *))
{
	pthread_t thread;

	pthread_create(&thread, NULL, body, NULL);
	pthread_join(thread, NULL);
}

/* @flags: SA_ONSTACK if the handler is to run on an alternate stack */
INLINE void handle_sigusr1(void (*handler)(int), int flags)
{
	stack_t stack = { .ss_size = STACK_SIZE };
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = flags,
	};

	stack.ss_sp = malloc(STACK_SIZE);
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
}

#endif /* _CP_SELFTESTS_CHAIN_H */
