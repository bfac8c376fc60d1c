// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fuzzer: random calls by several processes at once, as root and as a user.
 * Each call must return one of its documented results, and the module must still
 * work after all of them. fuzz.h describes the fuzzer's parts.
 *
 *	CHECKPOINT_SEED=N	repeat the calls, though not the scheduling
 *	CHECKPOINT_CALLS=N	make N calls
 *
 * By default, the fuzzer ends after 20000 calls or CHECKPOINT_SECONDS (60).
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "figures.h"
#include "fuzz.h"

#define USER		1000
#define SHORT_CALLS	20000
#define SHORT_SECONDS	60
#define STUCK_SECONDS	120
#define ALARM_US	20000
#define CALLS_MAX	64

struct common *common;

static const struct call *const tables[] = {
	ioctl_calls, map_calls, file_calls, netlink_calls };

/* The calls of all tables; @counts is shared by the fuzzers. */
static const struct call *calls[CALLS_MAX];
static unsigned int nr_calls, all_weights;
static struct {
	volatile uint64_t made;
	uint64_t each[CALLS_MAX];
	uint64_t succeeded[CALLS_MAX];
} *counts;

static uint64_t begun, enough_calls, enough_ns, seed;

static void list_calls(void)
{
	const struct call *call;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (call = tables[i]; call->name; call++) {
			calls[nr_calls++] = call;
			all_weights += call->weight;
		}
}

static unsigned int any_call(struct dice *dice)
{
	unsigned int weight = roll(dice, all_weights), i;

	for (i = 0; weight >= calls[i]->weight; i++)
		weight -= calls[i]->weight;
	return i;
}

static bool is_documented(const struct call *call, int error)
{
	unsigned int i;

	for (i = 0; i < ERRORS_MAX; i++)
		if (call->errors[i] == error)
			return true;
	return error == EBADF;
}

static void call_one(struct fuzzer *fuzzer, unsigned int which)
{
	const struct call *call = calls[which];
	int ret;

	goes_on(fuzzer->party, call->name);
	ret = call->run(fuzzer);
	if (ret < 0 && !is_documented(call, -ret))
		complain("%s: %s is not documented", call->name,
			 strerror(-ret));
	__atomic_add_fetch(&counts->made, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&counts->each[which], 1, __ATOMIC_RELAXED);
	if (ret >= 0)
		__atomic_add_fetch(&counts->succeeded[which], 1,
				   __ATOMIC_RELAXED);
}

void fuzz_some(struct fuzzer *fuzzer, unsigned int count)
{
	while (count--)
		call_one(fuzzer, any_call(&fuzzer->dice));
}

static void on_alarm(int sig)
{
}

/* A timer interrupts calls that would wait for ever. */
void fuzz_begin_alarms(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, ALARM_US }, { 0, ALARM_US } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* Closes and opens files while the fuzzer's main thread uses them. */
static void *close_behind_its_back(void *arg)
{
	struct fuzzer *fuzzer = arg;
	struct dice dice = dice_of(seed, 100 + fuzzer->number);

	while (!must_stop()) {
		volatile int *place = &fuzzer->files[roll(&dice, NR_FILES)];

		pthread_mutex_lock(&fuzzer->forking);
		put_file(place, once_in(&dice, 4) ? -1 : device_open());
		pthread_mutex_unlock(&fuzzer->forking);
		sleep_ms(roll(&dice, 30));
	}
	return NULL;
}

static void make_room(struct fuzzer *fuzzer)
{
	fuzzer->good = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fuzzer->constant = mmap(NULL, PAGE, PROT_READ,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fuzzer->windows = mmap(NULL, NR_WINDOWS * WINDOW_SIZE, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			       -1, 0);
	if (fuzzer->good == MAP_FAILED || fuzzer->constant == MAP_FAILED ||
	    fuzzer->windows == MAP_FAILED)
		exit(1);
	fuzzer->edge = fuzzer->good + 5 * PAGE;
	munmap(fuzzer->edge, PAGE);
}

/* Half of the fuzzers are not root. */
static void choose_user(const struct fuzzer *fuzzer)
{
	if (fuzzer->number % 2 &&
	    (setresgid(USER, USER, USER) || setresuid(USER, USER, USER)))
		exit(1);
	/* The kernel clears both when a process changes its credentials. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void begin(struct fuzzer *fuzzer)
{
	unsigned int i;

	choose_user(fuzzer);
	make_room(fuzzer);
	pthread_mutex_init(&fuzzer->forking, NULL);
	fuzzer->dice = dice_of(seed, fuzzer->number);
	fuzzer->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < NR_FILES; i++)
		fuzzer->files[i] = device_open();
	for (i = 0; i < NR_PROOFS; i++)
		fuzzer->proofs[i] = -1;
	if (fuzzer->files[0] < 0 || sock_open(&fuzzer->sock))
		exit(1);
}

static void fuzz(struct party *party, void *arg)
{
	struct fuzzer *fuzzer = arg;
	pthread_t thread;

	fuzzer->party = party;
	begin(fuzzer);
	if (pthread_create(&thread, NULL, close_behind_its_back, fuzzer))
		exit(1);
	fuzz_begin_alarms();
	while (!must_stop())
		fuzz_some(fuzzer, 1);
	_exit(0);
}

static bool is_enough(void)
{
	return counts->made >= enough_calls ||
	       (enough_ns && now_ns() - begun >= enough_ns);
}

static void show_counts(void)
{
	double seconds = (now_ns() - begun) / 1e9;
	unsigned int i;

	for (i = 0; i < nr_calls; i++)
		printf("# %s: %llu calls, %llu succeeded\n", calls[i]->name,
		       (unsigned long long)counts->each[i],
		       (unsigned long long)counts->succeeded[i]);
	printf("# %llu calls in %.0f seconds\n",
	       (unsigned long long)counts->made, seconds);
}

/* Does a normal pair still work? */
static bool still_works(void)
{
	struct master m;
	struct message msg;
	struct sock sock;
	unsigned int seq;

	if (master_start(&m, body_syscalls, NULL))
		return false;
	for (seq = 1; seq <= 20; seq++)
		if (master_get(&m) != 1 || m.get.seq != seq)
			return false;
	if (sock_open(&sock) || query(&sock, m.slave, &msg) ||
	    u64_of(&msg, CP_NL_A_TAKEN) != 20)
		return false;
	close(sock.fd);
	slave_kill(m.slave);
	if (master_get(&m) != 0 || m.get.reason != CP_END_EXITED)
		return false;
	master_close(&m);
	return true;
}

static void configure(void)
{
	unsigned long asked = setting("CHECKPOINT_CALLS", 0);

	enough_calls = asked ?: SHORT_CALLS;
	enough_ns = setting("CHECKPOINT_SECONDS", asked ? 0 : SHORT_SECONDS) *
		    1000000000ULL;
	seed = setting("CHECKPOINT_SEED", 20240628);
	printf("# CHECKPOINT_SEED=%llu\n", (unsigned long long)seed);
}

static bool share(void)
{
	counts = shared_memory(sizeof(*counts));
	common = shared_memory(sizeof(*common));
	return counts != MAP_FAILED && common != MAP_FAILED &&
	       !socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
			   common->file_post) &&
	       !socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
			   common->proof_post);
}

int main(int argc, char **argv)
{
	static struct fuzzer fuzzers[NR_FUZZERS];
	struct stat device;
	char name[16];
	unsigned int i;
	bool went_on;

	ksft_print_header();
	ksft_set_plan(4);
	if (getuid() || stat("/dev/checkpoint", &device) ||
	    chmod("/dev/checkpoint", 0666))
		ksft_exit_fail_msg("this needs root and the module\n");
	watch_begin();
	configure();
	list_calls();
	if (!share())
		ksft_exit_fail_msg("there is nothing to share\n");
	begun = now_ns();
	for (i = 0; i < NR_FUZZERS; i++) {
		fuzzers[i].number = i;
		snprintf(name, sizeof(name), "fuzzer-%u", i);
		watch_start(name, fuzz, &fuzzers[i]);
	}
	went_on = watch_until(is_enough, STUCK_SECONDS);
	show_counts();
	/* Closes the descriptors that are still in the sockets. */
	for (i = 0; i < 2; i++) {
		close(common->file_post[i]);
		close(common->proof_post[i]);
	}
	chmod("/dev/checkpoint", device.st_mode & 0777);

	ksft_test_result(went_on, "every call ends\n");
	ksft_test_result(!complaints(), "each error is documented\n");
	ksft_test_result(went_on && still_works(), "all of it still works\n");
	ksft_test_result(went_on && eventually(figures_nothing_left()),
			 "nothing is left\n");
	ksft_finished();
}
