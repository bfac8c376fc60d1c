// SPDX-License-Identifier: GPL-2.0-only
/* The slave of a verb: a process with all its threads, or one thread. */
#include "facts.h"
#include "message.h"
#include "slave.h"

/* Does the module offer what the verb needs of a process? */
static bool is_offered(const struct cp_pair *pair,
		       const struct stream_options *options)
{
	uint64_t needed = options->hold ?
			  CP_FEATURE_HOLD | CP_FEATURE_SLEEPER :
			  CP_FEATURE_PROCESS;
	struct cp_info info;

	return !cp_pair_info(pair, &info) &&
	       (info.features & needed) == needed;
}

bool slave_choose(struct slave *slave, pid_t pid,
		  const struct stream_options *options,
		  const struct cp_pair *pair)
{
	struct task_facts facts;
	bool several = options->process && task_facts(pid, &facts) &&
		       facts.threads > 1;

	/* Where the module cannot leave a thread asleep, it is nudged. */
	*slave = (struct slave){
		.pid = pid,
		.nudge = options->nudge || (options->hold && !options->await),
	};
	if (several && options->hold && options->await) {
		warnx("process %d has %u threads, which do not return to user mode at one instant by themselves: with --no-nudge or --every, add --thread for thread %d alone",
		      facts.process, facts.threads, pid);
		return false;
	}
	if (several && !is_offered(pair, options)) {
		warnx("the module is older than this cpctl and knows only single threads: taking thread %d alone",
		      pid);
		return true;
	}
	slave->held = options->hold && !options->await &&
		      is_offered(pair, options);
	if (slave->held)
		slave->nudge = options->nudge;
	slave->process = options->process &&
			 (slave->held || (!options->hold &&
					  is_offered(pair, options)));
	slave->several = several;
	if (slave->process)
		slave->pid = task_of_process(pid);
	return true;
}
