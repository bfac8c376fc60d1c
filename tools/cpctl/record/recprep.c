// SPDX-License-Identifier: GPL-2.0-only
/* Pairing with a slave in order to record it. */
#include <errno.h>
#include <unistd.h>

#include "diagnose.h"
#include "facts.h"
#include "interrupt.h"
#include "message.h"
#include "netlink.h"
#include "recprep.h"

/* The default limit for each stack. */
#define STACK_KEPT	(64 * 1024)

/*
 * How long the kernel holds a process until it is recorded, if nobody lets it go. On a busy
 * machine, a recorder may take longer than the module's default to start.
 */
#define HELD_NS		10000000000ULL

static bool has_feature(const struct cp_pair *pair, uint64_t feature)
{
	struct cp_info info = {};

	return !cp_pair_info(pair, &info) && info.features & feature;
}

bool recprep_follows(const struct cp_pair *pair)
{
	if (has_feature(pair, CP_FEATURE_CHILDREN))
		return true;
	warnx("the module is older than this cpctl and cannot follow children: leave out --follow-forks");
	return false;
}

pid_t recprep_slave(const struct cp_pair *pair, pid_t pid,
		    struct record_options *options)
{
	struct task_facts facts;

	if (!options->process)
		return pid;
	if (!has_feature(pair, CP_FEATURE_PROCESS)) {
		warnx("the module is older than this cpctl and knows only single threads: recording thread %d alone",
		      pid);
		options->process = false;
		return pid;
	}
	return task_facts(pid, &facts) ? facts.process : pid;
}

/*
 * Copying a deep stack at each return to user mode would slow the process down many
 * times. Therefore, by default, only the state of death contains the whole stack.
 */
static void choose_limits(struct cp_pair *pair,
			  const struct record_options *options,
			  struct cp_pair_options *chosen)
{
	struct cp_info info = {};
	uint64_t share;

	chosen->stack_limit = options->stack_limit;
	if (options->stack_limit || cp_pair_info(pair, &info) ||
	    !(info.features & CP_FEATURE_DEATH_STACK))
		return;
	share = info.stack_max / options->slots;
	chosen->stack_limit = share < STACK_KEPT ? share : STACK_KEPT;
	chosen->death_stack_limit = info.stack_default;
}

static int try_prep(struct cp_pair *pair, pid_t pid,
		    const struct record_options *options)
{
	struct cp_pair_options pair_options = {
		.size = sizeof(pair_options),
		.interval = (uint64_t)options->interval,
		.every = (uint32_t)options->every,
		.nr_slots = (uint32_t)options->slots,
		.child_limit = options->family ? HELD_NS : 0,
		.flags = recopts_flags(options),
	};

	choose_limits(pair, options, &pair_options);
	/* A main thread that has ended cannot stand for its process. */
	return interrupt_prep(pair, options->process ? task_of_process(pid) : pid,
			      &pair_options);
}

int recprep(struct cp_pair *pair, pid_t pid,
	    const struct record_options *options)
{
	int error;

	if (!try_prep(pair, pid, options))
		return 0;
	error = errno;
	if (error == ESRCH && options->family)
		warnx("process %d has ended before it could be recorded", pid);
	else if (error == EINVAL && pid != getpid())
		warnx("cannot record process %d: --slots or --stack-limit is more than the module allows",
		      pid);
	else
		diagnose_prep(pid, error);
	return -1;
}

void recprep_give_up(pid_t pid)
{
	struct netlink *netlink = netlink_open();

	if (!netlink)
		return;
	netlink_let_go(netlink, pid);
	netlink_close(netlink);
}
