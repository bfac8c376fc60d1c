/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs. */
#ifndef CPCTL_H
#define CPCTL_H

/*
 * verb_fn - a verb
 * @argv: "cpctl VERB", for messages, and the arguments after the verb
 *
 * Return: an exit status.
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
int verb_rewind(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_watch(int argc, char **argv);

#endif /* CPCTL_H */
