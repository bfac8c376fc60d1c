/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs share that call a chain of functions, for tests to find: what
 * such functions are made of, and places for the chain to be called in.
 */
#ifndef _CP_SELFTESTS_CHAIN_H
#define _CP_SELFTESTS_CHAIN_H

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* A function of its own, whatever the compiler thinks of it. */
#define OUTLINE __attribute__((noinline, noclone))
#define INLINE static inline __attribute__((always_inline))

#define STACK_SIZE 65536

/* What is done after a call keeps it from being the function's last. */
static volatile int after;

INLINE void call_in_thread(void *(*body)(void *))
{
	pthread_t thread;

	pthread_create(&thread, NULL, body, NULL);
	pthread_join(thread, NULL);
}

/* @flags: SA_ONSTACK for a stack of the handler's own */
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
