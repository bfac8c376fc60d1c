// SPDX-License-Identifier: GPL-2.0-only
/* A program that crashes, to be recorded: cc -g -O1 crash.c */
#include <stdio.h>
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

int main(int argc, char **argv)
{
	(void)argv;
	puts("hello");
	fflush(stdout);
	close(99);
	return work(argc);
}
