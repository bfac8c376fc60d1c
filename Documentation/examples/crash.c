// SPDX-License-Identifier: GPL-2.0-only
/* A program of which a thread crashes, to be recorded: cc -g -O1 -pthread crash.c */
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

int *table[4];

__attribute__((noinline)) static int look_up(int n)
{
	return *table[n];
}

__attribute__((noinline)) static int work(int n)
{
	return look_up(n) + 1;
}

static void *parse(void *result)
{
	prctl(PR_SET_NAME, "parser");
	usleep(200000);
	*(int *)result = work(1);
	return result;
}

static void *serve(void *unused)
{
	prctl(PR_SET_NAME, "server");
	pause();
	return unused;
}

int main(void)
{
	pthread_t parser, server;
	int result;

	pthread_create(&server, NULL, serve, NULL);
	pthread_create(&parser, NULL, parse, &result);
	pthread_join(parser, NULL);
	return result;
}
