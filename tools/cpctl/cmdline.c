// SPDX-License-Identifier: GPL-2.0-only
/* The command line of a verb: its options, and what is behind them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmdline.h"
#include "cpctl.h"
#include "number.h"

#define INTERVAL_MIN_NS 100000000

static const struct option common[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{}
};

#define NR_COMMON (sizeof(common) / sizeof(common[0]))

/* All that a verb takes, for getopt_long(). */
struct known {
	struct option	options[CMDLINE_OPTIONS + NR_COMMON];
	/* With one byte each for '+', ':' and the end. */
	char		letters[2 * (CMDLINE_OPTIONS + NR_COMMON) + 3];
};

static void know(struct known *known, const struct cmdline *cmdline)
{
	struct option *option = known->options;
	char *letter = known->letters;
	size_t i;

	for (i = 0; i < CMDLINE_OPTIONS && cmdline->options[i].name; i++)
		*option++ = cmdline->options[i];
	memcpy(option, common, sizeof(common));
	if (cmdline->in_order)
		*letter++ = '+';
	/* No messages: getopt_long() prints names as they are. */
	*letter++ = ':';
	for (option = known->options; option->name; option++) {
		if (option->val > UCHAR_MAX)
			continue;
		*letter++ = (char)option->val;
		if (option->has_arg == required_argument)
			*letter++ = ':';
	}
}

/* What getopt_long() has found wrong; it gave '?' or ':'. */
static int wrong_option(char **argv, const struct known *known, int found)
{
	const char *word = argv[optind - 1];
	const struct option *option = known->options;

	while (option->name && option->val != optopt)
		option++;
	if (!optopt)
		return usage_error(argv[0], "unrecognized or ambiguous option '%s'",
				   word);
	/* A letter that there is cannot be wrong: it was a long option. */
	if (found == '?' && option->name)
		return usage_error(argv[0], "option '--%s' doesn't allow an argument",
				   option->name);
	if (found == '?')
		return usage_error(argv[0], "invalid option '-%c'", optopt);
	return usage_error(argv[0], "option '%s' requires an argument", word);
}

/* @name: of the long option; NULL when it was given by its letter */
static int invalid_argument(const char *verb, int option, const char *name)
{
	const char letter[] = { (char)option, 0 };

	return usage_error(verb, "'%s' is not valid for %s%s%s", optarg,
			   name ? "--" : "-", name ? name : letter,
			   option == OPT_INTERVAL ? ": from 0.1 seconds on" :
						    "");
}

int cmdline_parse(int argc, char **argv, const struct cmdline *cmdline,
		  cmdline_set_fn set, void *arg)
{
	struct known known = {};
	int option, index;

	know(&known, cmdline);
	for (;;) {
		index = -1;
		option = getopt_long(argc, argv, known.letters, known.options,
				     &index);
		switch (option) {
		case -1:
			return -1;
		case 'h':
			fputs(cmdline->help, stdout);
			return EXIT_OK;
		case 'V':
			return print_version();
		case '?':
		case ':':
			return wrong_option(argv, &known, option);
		}
		if (!set(arg, option))
			return invalid_argument(argv[0], option, index < 0 ?
						NULL : known.options[index].name);
	}
}

bool cmdline_interval(int64_t *interval_ns)
{
	return parse_seconds(optarg, interval_ns) &&
	       *interval_ns >= INTERVAL_MIN_NS;
}

int cmdline_none(int argc, char **argv)
{
	return optind == argc ? -1 :
				usage_error(argv[0], "no argument is wanted");
}

static int one_pid(char **argv, pid_t *pid)
{
	return parse_pid(argv[optind], pid) ? -1 :
	       usage_error(argv[0], "'%s' is no process id", argv[optind]);
}

int cmdline_pid(int argc, char **argv, pid_t *pid)
{
	if (optind != argc - 1)
		return usage_error(argv[0], "one PID is wanted");
	return one_pid(argv, pid);
}

int cmdline_pid_or_none(int argc, char **argv, pid_t *pid)
{
	if (argc > optind + 1)
		return usage_error(argv[0], "one PID at most is wanted");
	return optind == argc ? -1 : one_pid(argv, pid);
}
