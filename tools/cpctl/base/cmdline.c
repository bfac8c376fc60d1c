// SPDX-License-Identifier: GPL-2.0-only
/* The command line of a verb: its options, and the arguments after them. */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cmdline.h"
#include "exit.h"
#include "message.h"
#include "number.h"
#include "output.h"

/* The longest time of an option, about 31 years: sums of times fit in 64 bits. */
#define SECONDS_MAX 1000000000LL

/* The limits of the last refused number, as text for the message. */
static char limits[80];

static const struct option common[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{}
};

#define NR_COMMON (sizeof(common) / sizeof(common[0]))

/* struct known - all options of a verb, in the form of getopt_long() */
struct known {
	struct option	options[CMDLINE_OPTIONS + NR_COMMON];
	/* Two bytes per letter and its ':'; one each for '+', ':' and the zero byte. */
	char		letters[2 * (CMDLINE_OPTIONS + NR_COMMON) + 3];
};

int print_version(void)
{
	int status = output_check(NULL);

	if (status == EXIT_OK)
		puts("cpctl " CPCTL_VERSION);
	return status;
}

int usage_error(const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_print(name, fmt, args, NULL);
	va_end(args);
	fprintf(stderr, "Try '%s --help'.\n", name);
	return EXIT_USAGE;
}

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
	/* ':' disables the messages of getopt_long(), which do not escape names. */
	*letter++ = ':';
	for (option = known->options; option->name; option++) {
		if (option->val > UCHAR_MAX)
			continue;
		*letter++ = (char)option->val;
		if (option->has_arg == required_argument)
			*letter++ = ':';
	}
}

/* Prints the error for which getopt_long() returned '?' or ':'. */
static int wrong_option(char **argv, const struct known *known, int found)
{
	const char *word = argv[optind - 1];
	const struct option *option = known->options;

	while (option->name && option->val != optopt)
		option++;
	if (!optopt)
		return usage_error(argv[0], "unrecognized or ambiguous option '%s'",
				   word);
	/* A known letter cannot be wrong, so the option was a long one. */
	if (found == '?' && option->name)
		return usage_error(argv[0], "option '--%s' doesn't allow an argument",
				   option->name);
	if (found == '?')
		return usage_error(argv[0], "invalid option '-%c'", optopt);
	return usage_error(argv[0], "option '%s' requires an argument", word);
}

/* @name: the name of the long option; NULL if the user gave the letter */
static int invalid_argument(const char *verb, int option, const char *name)
{
	const char letter[] = { (char)option, 0 };

	return usage_error(verb, "'%s' is not valid for %s%s%s", optarg,
			   name ? "--" : "-", name ? name : letter, limits);
}

static int print_help(const char *help)
{
	int status = output_check(NULL);

	if (status == EXIT_OK)
		fputs(help, stdout);
	return status;
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
			if (cmdline->prints && output_check(NULL) != EXIT_OK)
				return EXIT_REFUSED;
			return -1;
		case 'h':
			return print_help(cmdline->help);
		case 'V':
			return print_version();
		case '?':
		case ':':
			return wrong_option(argv, &known, option);
		}
		limits[0] = '\0';
		if (!set(arg, option))
			return invalid_argument(argv[0], option, index < 0 ?
						NULL : known.options[index].name);
	}
}

bool cmdline_number(uint64_t *number, uint64_t least, uint64_t most)
{
	if (parse_number(optarg, number) && *number >= least && *number <= most)
		return true;
	snprintf(limits, sizeof(limits),
		 ": expected a number from %" PRIu64 " to %" PRIu64, least,
		 most);
	return false;
}

bool cmdline_bytes(uint64_t *bytes, uint64_t most)
{
	if (parse_bytes(optarg, bytes) && *bytes <= most)
		return true;
	snprintf(limits, sizeof(limits),
		 ": expected bytes from 0 to %" PRIu64 ", or with K, M or G",
		 most);
	return false;
}

bool cmdline_mask(uint64_t *mask, uint64_t most)
{
	const char *digits = optarg;
	size_t len;

	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		digits += 2;
	len = strspn(digits, "0123456789abcdefABCDEF");
	if (len && len <= 16 && !digits[len]) {
		*mask = strtoull(digits, NULL, 16);
		if (*mask <= most)
			return true;
	}
	snprintf(limits, sizeof(limits),
		 ": expected a hexadecimal number up to 0x%" PRIx64, most);
	return false;
}

bool cmdline_seconds(int64_t *ns, int64_t least_ns)
{
	if (parse_seconds(optarg, ns) && *ns >= least_ns &&
	    *ns <= SECONDS_MAX * NSEC_PER_SEC)
		return true;
	snprintf(limits, sizeof(limits),
		 ": expected seconds from %g to %lld, with up to 9 decimals",
		 (double)least_ns / NSEC_PER_SEC, SECONDS_MAX);
	return false;
}

bool cmdline_interval(int64_t *interval_ns)
{
	return cmdline_seconds(interval_ns, NSEC_PER_SEC / 10);
}

int cmdline_none(int argc, char **argv)
{
	return optind == argc ? -1 :
				usage_error(argv[0], "no argument is expected");
}

static int one_pid(char **argv, pid_t *pid)
{
	return parse_pid(argv[optind], pid) ? -1 :
	       usage_error(argv[0], "invalid process id '%s': expected a number from 1 to %d",
			   argv[optind], INT_MAX);
}

int cmdline_pid(int argc, char **argv, pid_t *pid)
{
	if (optind != argc - 1)
		return usage_error(argv[0], "expected one PID");
	return one_pid(argv, pid);
}

int cmdline_pid_or_none(int argc, char **argv, pid_t *pid)
{
	if (argc > optind + 1)
		return usage_error(argv[0], "expected at most one PID");
	return optind == argc ? -1 : one_pid(argv, pid);
}
