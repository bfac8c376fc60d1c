// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watch over the processes of a stress test: watch.h.
 */
#include <dirent.h>
#include <stdarg.h>

#include "watch.h"

/* The maximum number of complaints that are printed. */
#define COMPLAINTS_SHOWN	20

/* Shared by all parties. */
static struct {
	struct party parties[PARTIES_MAX];
	unsigned int nr_parties;
	unsigned int complaints;
	volatile bool stop;
} *all;

void watch_begin(void)
{
	all = shared_memory(sizeof(*all));
	if (all == MAP_FAILED)
		abort();
	setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Stores @doing, and updates the time stamp. Called by the party itself. */
void goes_on(struct party *party, const char *doing)
{
	snprintf(party->doing, sizeof(party->doing), "%s", doing);
	still_goes_on(party);
}

/* Updates the time stamp only. */
void still_goes_on(struct party *party)
{
	party->stamp = now_ns();
}

bool must_stop(void)
{
	return all->stop;
}

void complain(const char *format, ...)
{
	unsigned int number = __atomic_add_fetch(&all->complaints, 1,
						 __ATOMIC_RELAXED);
	char line[300];
	va_list args;

	if (number > COMPLAINTS_SHOWN)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One write(2), so that lines of several processes do not mix. */
	dprintf(STDOUT_FILENO, "# complaint %u: %s\n", number, line);
}

unsigned int complaints(void)
{
	return __atomic_load_n(&all->complaints, __ATOMIC_RELAXED);
}

/* Starts a party that runs @body and then exits. */
struct party *watch_start(const char *name, party_fn body, void *arg)
{
	struct party *party = &all->parties[all->nr_parties++];
	pid_t pid;

	snprintf(party->name, sizeof(party->name), "%s", name);
	goes_on(party, "begins");
	pid = fork_mortal();
	if (pid == 0) {
		party->pids[0] = getpid();
		body(party, arg);
		exit(0);
	}
	party->pids[0] = pid;
	return party;
}

static void show_file(const char *path)
{
	char line[200];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		dprintf(STDOUT_FILENO, "#     %s", line);
	fclose(f);
}

static void show_task(pid_t pid, const char *tid)
{
	static const char * const files[] = { "stat", "status", "wchan",
					      "syscall", "stack" };
	char path[300];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/%s", pid, tid,
			 files[i]);
		dprintf(STDOUT_FILENO, "#   %s:\n", path);
		show_file(path);
	}
}

/* Calls @show for each entry of /proc/@pid/@folder. */
static void show_each(pid_t pid, const char *folder,
		      void (*show)(pid_t pid, const char *name))
{
	struct dirent *entry;
	char path[300];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, folder);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			show(pid, entry->d_name);
	if (dir)
		closedir(dir);
}

/* Shows the fdinfo of a descriptor that carries a pair. */
static void show_pair(pid_t pid, const char *fd)
{
	char path[300], text[512] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	f = fopen(path, "re");
	if (!f)
		return;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	if (!strstr(text, "slave:"))
		return;
	dprintf(STDOUT_FILENO, "#   %s:\n", path);
	show_file(path);
}

static void show_party(const struct party *party)
{
	unsigned int i;

	dprintf(STDOUT_FILENO, "# %s makes no progress: %s\n", party->name,
		party->doing);
	for (i = 0; i < PARTY_PIDS; i++) {
		if (!party->pids[i])
			continue;
		show_each(party->pids[i], "task", show_task);
		show_each(party->pids[i], "fdinfo", show_pair);
	}
}

/* Reaps parties that have ended; an exit status other than 0 is a complaint. */
static bool some_are_left(void)
{
	unsigned int i, left = 0;
	int status;

	for (i = 0; i < all->nr_parties; i++) {
		struct party *party = &all->parties[i];

		if (party->ended)
			continue;
		party->ended = waitpid(party->pids[0], &status, WNOHANG) > 0;
		if (!party->ended)
			left++;
		else if (status)
			complain("%s: ended with status %#x, at: %s",
				 party->name, status, party->doing);
	}
	return left;
}

static bool all_go_on(uint64_t ns)
{
	unsigned int i, stuck = 0;

	for (i = 0; i < all->nr_parties; i++) {
		struct party *party = &all->parties[i];

		if (party->ended || now_ns() < party->stamp + ns)
			continue;
		show_party(party);
		stuck++;
	}
	return !stuck;
}

/*
 * Watches the parties until @over() is true and all have ended. Returns false if a
 * party made no progress for @deadline seconds.
 */
bool watch_until(bool (*over)(void), unsigned int deadline)
{
	while (some_are_left()) {
		if (over())
			all->stop = true;
		if (!all_go_on(deadline * 1000000000ULL)) {
			complain("a process is stuck");
			return false;
		}
		sleep_ms(50);
	}
	return true;
}
