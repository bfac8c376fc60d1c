/* SPDX-License-Identifier: GPL-2.0-only */
/* What all verbs share: how they are called and how they end. */
#ifndef CPCTL_H
#define CPCTL_H

/* Exit statuses. */
#define EXIT_OK		0	/* done; also when the slave has ended */
#define EXIT_USAGE	1	/* the command line was wrong */
#define EXIT_REFUSED	2	/* refused or missing: messages tell what */

/*
 * A verb: @argv[0] is "cpctl VERB", for messages; the rest is what follows the
 * verb on the command line. Returns an exit status.
 */
typedef int (*verb_fn)(int argc, char **argv);

int verb_bt(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_dump(int argc, char **argv);
int verb_end(int argc, char **argv);
int verb_get(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_log(int argc, char **argv);
int verb_monitor(int argc, char **argv);
int verb_record(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_watch(int argc, char **argv);

/* print_version() - for --version; returns EXIT_OK. */
int print_version(void);

/*
 * usage_error() - say what is wrong with the command line
 * @name: argv[0] of the verb
 * @fmt: the message
 *
 * Return: EXIT_USAGE.
 */
int usage_error(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* CPCTL_H */
