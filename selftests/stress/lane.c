// SPDX-License-Identifier: GPL-2.0-only
/*
 * A lane runs one life after the other. For each, it rolls a plan, starts slave and
 * master, causes mishaps, ends both, and compares the end that the master saw with
 * the slave's real end.
 */
#include <sched.h>
#include <sys/ptrace.h>

#include "../sock.h"
#include "cgroup.h"
#include "storm.h"

struct lane {
	struct party *party;
	struct life *life;		/* shared with slave and master */
	struct dice dice;
	struct sock sock;
	char cgroup[64];
	bool killed_slave;
	bool killed_master;
	bool reaped;			/* trace() has reaped the slave */
	int status;			/* wait status of the slave */
};

/* Does a slave with this work sleep until something wakes it? */
static bool sleeps(enum work work)
{
	return work == WORK_PAUSE || work == WORK_READ || work == WORK_FUTEX;
}

static void plan_slave(struct plan *plan, struct dice *dice)
{
	static const int signals[] = { SIGTERM, SIGKILL, SIGUSR2, SIGXCPU };

	/* Half of the slaves count, so that their checkpoints can be checked. */
	plan->work = roll(dice, 2) ? WORK_COUNT : roll(dice, NR_WORKS);
	plan->ending = roll(dice, 2) ? ENDS_NEVER : roll(dice, NR_ENDINGS);
	/* After a fork, each page of a deep stack would fault for copy-on-write. */
	if (once_in(dice, 8) && plan->work != WORK_FORKS)
		plan->slave_flags |= SLAVE_DEEP;
	if (once_in(dice, 4))
		plan->slave_flags |= SLAVE_TIMER;
	if (roll(dice, 2))
		plan->slave_flags |= SLAVE_ALTSTACK;
	if (once_in(dice, 6))
		plan->slave_flags |= SLAVE_THREADS;
	if (once_in(dice, 6))
		plan->slave_flags |= SLAVE_SPAWNS;
	plan->rounds = between(dice, 1, plan->work == WORK_COUNT ? 60 : 12);
	plan->code = roll(dice, 90);
	if (plan->ending == ENDS_SIGNAL)
		plan->code = signals[roll(dice, ARRAY_SIZE(signals))];
}

static void plan_pair(struct cp_prep *prep, struct dice *dice)
{
	if (roll(dice, 2))
		prep->nr_slots = between(dice, 2, 8);
	if (once_in(dice, 3))
		prep->flags |= CP_PREP_OVERWRITE;
	else if (once_in(dice, 4))
		prep->wait_limit = between(dice, 1, 2000000);
	if (roll(dice, 2))
		prep->flags |= CP_PREP_DEATH;
	if (once_in(dice, 4))
		prep->flags |= CP_PREP_XSTATE;
	if (once_in(dice, 3))
		prep->flags |= CP_PREP_PROCESS;
	if (once_in(dice, 6))
		prep->every = roll(dice, 8);
	if (once_in(dice, 6))
		prep->interval = roll(dice, 2000000);
	if (once_in(dice, 4))
		prep->stack_limit = between(dice, 1, 5) * 4096;
}

static void plan_master(struct plan *plan, struct dice *dice)
{
	bool endless = plan->ending == ENDS_NEVER || sleeps(plan->work);

	plan->takes = roll(dice, plan->work == WORK_COUNT ? 30 : 6);
	plan->nudge = sleeps(plan->work) || once_in(dice, 4);
	plan->leaving = roll(dice, NR_LEAVINGS);
	plan->patient = !once_in(dice, 4) && plan->leaving != LEAVES_STAYS &&
			!(plan->leaving == LEAVES_TAKES_ALL && endless);
}

/* Rolls the whole plan of a life. */
static void plan_life(struct plan *plan, struct dice *dice)
{
	unsigned int i;

	memset(plan, 0, sizeof(*plan));
	plan->seed = dice_word(dice);
	plan_slave(plan, dice);
	plan_pair(&plan->prep, dice);
	plan_master(plan, dice);
	for (i = 0; i < MISHAPS_MAX; i++)
		if (once_in(dice, 4))
			plan->mishaps[i] = roll(dice, NR_MISHAPS);
}

static void count_plan(const struct plan *plan)
{
	unsigned int policy = plan->prep.nr_slots > 1, i;

	if (plan->prep.flags & CP_PREP_OVERWRITE)
		policy = 2;
	tally_add(&tallies->works[plan->work], 1);
	tally_add(&tallies->endings[plan->ending], 1);
	tally_add(&tallies->leavings[plan->leaving], 1);
	tally_add(&tallies->policies[policy], 1);
	for (i = 0; i < MISHAPS_MAX; i++)
		tally_add(&tallies->mishaps[plan->mishaps[i]], 1);
}

static void nap(struct lane *lane, unsigned int us)
{
	struct timespec ts = { 0, roll(&lane->dice, us) * 1000L };

	nanosleep(&ts, NULL);
}

static bool slave_is_gone(struct lane *lane)
{
	char state = lane->reaped ? 0 : task_state(lane->life->slave);

	return !state || state == 'Z' || state == 'X';
}

static void kill_slave(struct lane *lane)
{
	if (!lane->reaped)
		kill(lane->life->slave, SIGKILL);
	lane->killed_slave = true;
	/* Keeps the master from waiting for a slave that was never started. */
	if (!lane->life->tid)
		lane->life->tid = -1;
}

static void kill_master(struct lane *lane)
{
	kill(lane->life->master, SIGKILL);
	lane->killed_master = true;
}

static void send_signals(struct lane *lane)
{
	int i;

	for (i = 0; i < 5; i++) {
		if (!lane->reaped)
			kill(lane->life->slave, SIGUSR1);
		kill(lane->life->master, SIGUSR1);
		nap(lane, 500);
	}
}

static void stop_and_continue(struct lane *lane)
{
	if (lane->reaped)
		return;
	kill(lane->life->slave, SIGSTOP);
	/* The slave must stop wherever it waits. */
	while (!slave_is_gone(lane) && task_state(lane->life->slave) != 'T')
		sleep_ms(1);
	nap(lane, 2000);
	kill(lane->life->slave, SIGCONT);
}

static void freeze_and_thaw(struct lane *lane)
{
	if (lane->reaped || !cgroup_join(lane->cgroup, lane->life->slave))
		return;
	cgroup_write(lane->cgroup, "cgroup.freeze", "1");
	while (!slave_is_gone(lane) && !cgroup_is_frozen(lane->cgroup))
		sleep_ms(1);
	nap(lane, 2000);
	cgroup_write(lane->cgroup, "cgroup.freeze", "0");
}

/* Waits for the slave's next ptrace stop; false if it has ended, and is reaped. */
static bool next_stop(struct lane *lane, int *sig)
{
	int status;

	if (waitpid(lane->life->slave, &status, __WALL) != lane->life->slave)
		return false;
	if (WIFSTOPPED(status)) {
		*sig = status >> 16 ? 0 : WSTOPSIG(status);
		return true;
	}
	lane->reaped = true;
	lane->status = status;
	return false;
}

static void trace(struct lane *lane)
{
	pid_t pid = lane->life->slave;
	int sig;

	if (lane->reaped || ptrace(PTRACE_SEIZE, pid, 0, 0))
		return;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	if (!next_stop(lane, &sig))
		return;
	nap(lane, 1000);
	/* The signal may be the one by which the slave is to end. */
	ptrace(PTRACE_DETACH, pid, 0, sig);
}

static void move(struct lane *lane)
{
	cpu_set_t cpus;
	int i;

	for (i = 0; i < 4; i++) {
		CPU_ZERO(&cpus);
		CPU_SET(i & 1, &cpus);
		/* Fails while that CPU is offline. */
		if (!lane->reaped)
			sched_setaffinity(lane->life->slave, sizeof(cpus),
					  &cpus);
		CPU_SET(!(i & 1), &cpus);
		sched_setaffinity(lane->life->master, sizeof(cpus), &cpus);
		nap(lane, 500);
	}
}

static void end_by_netlink(struct lane *lane)
{
	int ret;

	lane->life->detached = true;
	if (lane->life->tid <= 0)
		return;
	ret = ask(&lane->sock, CP_NL_CMD_PAIR_END, CP_NL_A_SLAVE,
		  lane->life->tid);
	if (ret && ret != -ENOENT)
		complain("CP_NL_CMD_PAIR_END: %s", strerror(-ret));
}

static void befall(struct lane *lane, enum mishap mishap)
{
	switch (mishap) {
	case MISHAP_SIGNALS:
		send_signals(lane);
		break;
	case MISHAP_STOP:
		stop_and_continue(lane);
		break;
	case MISHAP_FREEZE:
		freeze_and_thaw(lane);
		break;
	case MISHAP_TRACE:
		trace(lane);
		break;
	case MISHAP_MOVE:
		move(lane);
		break;
	case MISHAP_MEMORY:
		if (!lane->reaped)
			cgroup_join(CGROUP_TIGHT, lane->life->slave);
		break;
	case MISHAP_NETLINK_END:
		end_by_netlink(lane);
		break;
	case MISHAP_KILL_SLAVE:
		kill_slave(lane);
		break;
	case MISHAP_KILL_MASTER:
		kill_master(lane);
		break;
	default:
		break;
	}
}

/*
 * Starts the slave or the master. Only the parent stores the pid in @life, which the
 * child shares.
 */
static pid_t begin_one(struct life *life, int (*run)(struct life *life))
{
	pid_t pid = fork_mortal();

	if (pid == 0)
		_exit(run(life));
	if (pid < 0) {
		complain("fork: %s", strerror(errno));
		exit(1);
	}
	return pid;
}

static void begin(struct lane *lane)
{
	struct life *life = lane->life;

	lane->killed_slave = false;
	lane->killed_master = false;
	lane->reaped = false;
	life->slave = begin_one(life, slave_run);
	life->master = begin_one(life, master_run);
	lane->party->pids[1] = life->slave;
	lane->party->pids[2] = life->master;
}

/* Ends slave and master; returns the master's wait status. */
static int end(struct lane *lane)
{
	struct life *life = lane->life;
	int status = 0;

	if (life->plan.patient) {
		waitpid(life->master, &status, 0);
		nap(lane, 500);
		kill_slave(lane);
	} else {
		nap(lane, 8000);
		if (roll(&lane->dice, 2))
			kill_slave(lane);
		nap(lane, 1000);
		kill_master(lane);
		kill_slave(lane);
		waitpid(life->master, &status, 0);
	}
	if (!lane->reaped)
		waitpid(life->slave, &lane->status, 0);
	lane->party->pids[1] = 0;
	lane->party->pids[2] = 0;
	return status;
}

/* Is the slave's wait status one that its plan and the mishaps allow? */
static bool slave_may_end(const struct lane *lane)
{
	const struct life *life = lane->life;
	const struct plan *plan = &life->plan;
	int status = lane->status;

	if (WIFEXITED(status))
		return (plan->ending == ENDS_EXIT &&
			WEXITSTATUS(status) == plan->code) ||
		       (life->exec && WEXITSTATUS(status) == SLAVE_AFTER_EXEC);
	switch (WTERMSIG(status)) {
	case SIGKILL:
		return lane->killed_slave || plan->ending == ENDS_SIGNAL;
	case SIGSEGV:
		return plan->ending == ENDS_CRASH;
	case SIGALRM:
	case SIGUSR1:
		/* An exec resets the handlers. */
		return life->exec;
	default:
		return plan->ending == ENDS_SIGNAL &&
		       WTERMSIG(status) == plan->code;
	}
}

static void check_outcome(const struct lane *lane)
{
	const struct outcome *outcome = &lane->life->outcome;
	int death = 0;

	tally_add(&tallies->reasons[outcome->reason], 1);
	if (outcome->reason != CP_END_EXITED)
		return;
	if (outcome->status != lane->status)
		complain("the master saw status %#x, but it was %#x",
			 outcome->status, lane->status);
	if (lane->life->plan.prep.flags & CP_PREP_DEATH &&
	    WIFSIGNALED(outcome->status))
		death = WTERMSIG(outcome->status);
	if (outcome->death != death && lane->life->plan.leaving != LEAVES_THREADS)
		complain("state of death by signal %d, not %d", outcome->death,
			 death);
}

static void check_life(const struct lane *lane, int master_status)
{
	if (!slave_may_end(lane))
		complain("slave: work %d, ending %d, ended with status %#x",
			 lane->life->plan.work, lane->life->plan.ending,
			 lane->status);
	if (master_status &&
	    !(lane->killed_master && WTERMSIG(master_status) == SIGKILL))
		complain("a master ended with status %#x", master_status);
	if (lane->life->outcome.over)
		check_outcome(lane);
}

static void live(struct lane *lane)
{
	struct life *life = lane->life;
	unsigned int i;
	int status;

	begin(lane);
	for (i = 0; i < MISHAPS_MAX; i++) {
		if (life->plan.mishaps[i])
			nap(lane, 3000);
		befall(lane, life->plan.mishaps[i]);
	}
	status = end(lane);
	check_life(lane, status);
	tally(TALLY_LIVES);
}

static void describe(struct party *party, const struct plan *plan,
		     unsigned int number)
{
	char text[sizeof(party->doing)];

	snprintf(text, sizeof(text),
		 "life %u: work %d ending %d leaving %d mishaps %d %d %d %s",
		 number, plan->work, plan->ending, plan->leaving,
		 plan->mishaps[0], plan->mishaps[1], plan->mishaps[2],
		 plan->patient ? "patient" : "");
	goes_on(party, text);
}

static void on_signal(int sig)
{
}

static void lane_open(struct lane *lane, unsigned int number)
{
	/* Inherited by both. No SA_RESTART, so that signals make calls fail. */
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	lane->life = shared_memory(sizeof(*lane->life));
	if (lane->life == MAP_FAILED || sock_open(&lane->sock))
		exit(1);
	snprintf(lane->cgroup, sizeof(lane->cgroup), "storm-lane-%u", number);
	cgroup_make(lane->cgroup);
}

/* Each life has its own dice, so that its number and the seed reproduce it. */
void lane_run(struct party *party, void *arg)
{
	const struct lane_arg *which = arg;
	struct lane lane = { .party = party };
	unsigned int number;

	lane_open(&lane, which->number);
	for (number = 0; !must_stop(); number++) {
		struct life *life = lane.life;

		memset(life, 0, sizeof(*life));
		life->party = party;
		lane.dice = dice_of(which->seed + which->number, number);
		plan_life(&life->plan, &lane.dice);
		count_plan(&life->plan);
		describe(party, &life->plan, number);
		live(&lane);
	}
	cgroup_remove(lane.cgroup);
}
