// SPDX-License-Identifier: GPL-2.0-only
/* Reading a recording checkpoint by checkpoint, with the data of its process. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "playback.h"

bool playback_open(struct playback *play, const char *path,
		   const struct playback_options *wanted)
{
	const struct playback_options options = *wanted;
	struct stat st;

	/* @wanted may be that of @play. */
	memset(play, 0, sizeof(*play));
	play->path = path;
	play->wanted = options;
	/* The process does not exist any more: only recorded pages can be read. */
	play->around.mem = -1;
	play->around.root = open("/", O_PATH | O_CLOEXEC);
	play->reader = recreader_open(path, &options.part);
	if (play->reader && options.quiet)
		recreader_quiet(play->reader);
	/* Files named in the recording are opened with the rights of its owner. */
	if (!stat(path, &st)) {
		play->around.uid = st.st_uid;
		play->around.gid = st.st_gid;
	}
	return play->reader;
}

/* Copies the rest of a record, at most @most bytes, as text to be freed. */
static char *take_text(struct playback *play, struct input *record,
		       uint64_t most)
{
	size_t size = record->left;
	char *text;

	if (size > most) {
		recreader_bad(play->reader);
		return NULL;
	}
	text = malloc(size + 1);
	if (!text) {
		warn("cannot read a recording");
		return NULL;
	}
	if (input_get(record, text, size)) {
		recreader_bad(play->reader);
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

/* Reads a record of a fixed size; returns false after printing the reason. */
static bool take_struct(struct playback *play, struct input *record, void *to,
			size_t size)
{
	if (!input_get(record, to, size))
		return true;
	recreader_bad(play->reader);
	return false;
}

static bool read_process(struct playback *play, struct input *record)
{
	struct identity *identity = &play->identity;
	const pid_t wanted = recreader_is_part(play->reader) ?
				     0 : play->wanted.part.process;
	struct rec_process head;

	if (!take_struct(play, record, &head, sizeof(head)))
		return false;
	if (wanted && head.process != wanted) {
		if (!play->wanted.quiet)
			warnx("%s: there is no process %d in it: it is a recording of process %d",
			      play->path, wanted, head.process);
		return false;
	}
	identity->task = head.task;
	identity->process = head.process;
	identity->parent = head.parent;
	identity->group = head.group;
	identity->session = head.session;
	identity->uid = head.uid;
	identity->gid = head.gid;
	identity->state = (char)head.state;
	memcpy(identity->name, head.name, sizeof(identity->name));
	identity->name[sizeof(identity->name) - 1] = '\0';
	play->around.time = head.time;
	free(identity->command);
	identity->command = take_text(play, record, REC_TEXT_MAX);
	return identity->command;
}

static bool read_auxv(struct playback *play, struct input *record)
{
	free(play->identity.auxv);
	play->identity.auxv_size = record->left;
	play->identity.auxv = take_text(play, record, REC_TEXT_MAX);
	return play->identity.auxv;
}

static bool read_maps(struct playback *play, struct input *record)
{
	pages_free(&play->around.pages);
	free(play->around.maps);
	play->around.maps = take_text(play, record, REC_MAPS_MAX);
	return play->around.maps;
}

static bool read_page(struct playback *play, struct input *record)
{
	struct pages *pages = &play->around.pages;
	unsigned char *bytes;
	struct rec_page page;

	if (!take_struct(play, record, &page, sizeof(page)))
		return false;
	if (page.addr % PAGE_BYTES || page.addr >= REC_ADDR_MAX ||
	    record->left != PAGE_BYTES || pages->nr == REC_PAGES_MAX) {
		recreader_bad(play->reader);
		return false;
	}
	if (pages_find(pages, page.addr))
		return true;
	bytes = malloc(PAGE_BYTES);
	if (!bytes) {
		warn("cannot read a recording");
		return false;
	}
	if (!take_struct(play, record, bytes, PAGE_BYTES)) {
		free(bytes);
		return false;
	}
	if (!pages_add(pages, page.addr, bytes))
		return true;
	warn("cannot read a recording");
	return false;
}

static bool read_end(struct playback *play, struct input *record)
{
	return take_struct(play, record, &play->end, sizeof(play->end)) &&
	       !input_skip(record, record->left) &&
	       !recreader_end(play->reader);
}

/* Reads a REC_EXEC, and forgets the data of the program before. */
static bool read_exec(struct playback *play, struct input *record)
{
	struct rec_exec exec;

	if (!take_struct(play, record, &exec, sizeof(exec)))
		return false;
	play->execs++;
	play->late = exec.flags & REC_EXEC_LATE;
	pages_free(&play->around.pages);
	free(play->around.maps);
	play->around.maps = NULL;
	identity_free(&play->identity);
	play->exec = true;
	recreader_forget(play->reader);
	return true;
}

static bool read_other(struct playback *play, int type, struct input *record)
{
	switch (type) {
	case REC_PROCESS:
		return read_process(play, record);
	case REC_AUXV:
		return read_auxv(play, record);
	case REC_MAPS:
		return read_maps(play, record);
	case REC_PAGE:
		return read_page(play, record);
	case REC_EXEC:
		return read_exec(play, record);
	case REC_OPTIONS:
		return take_struct(play, record, &play->options,
				   sizeof(play->options));
	case REC_THREAD:
		return !recreader_name(play->reader, record);
	case REC_FORGET:
		recreader_forget(play->reader);
		return true;
	default:
		/* Skip the record of a later version. */
		return true;
	}
}

bool playback_is_process(const struct playback *play)
{
	return play->options.flags & CP_PREP_PROCESS;
}

/* The number of checkpoints between two of the same thread; 0 if @before is 0. */
static uint64_t between(uint64_t before, uint64_t after)
{
	return before && after > before ? after - before - 1 : 0;
}

static bool read_checkpoint(struct playback *play, struct input *record)
{
	bool process = playback_is_process(play);
	uint64_t seq;

	play->thread = recreader_checkpoint(play->reader, record,
					    play->wanted.compare ? &play->before :
								   NULL);
	if (!play->thread)
		return false;
	/* The states of two programs are not compared. */
	if (play->exec)
		snapshot_free(&play->before);
	play->exec = false;
	play->now = &play->thread->last;
	seq = play->now->head.seq;
	play->lost = between(process ? play->thread->before : play->seq, seq);
	play->seq = seq;
	play->number = process ? play->number + 1 : seq;
	return true;
}

static bool read_thread_end(struct playback *play, struct input *record)
{
	struct thread_end *ended = &play->thread_end;
	struct rec_thread_end end;

	if (recreader_thread_end(play->reader, record, &end, ended->name))
		return false;
	ended->thread = end.thread;
	ended->known = !(end.flags & REC_END_UNKNOWN);
	ended->status = end.status;
	return true;
}

/* Reads the next record, of type @type; returns false after a failure. */
static bool read_record(struct playback *play, int type, struct input *record)
{
	switch (type) {
	case REC_CHECKPOINT:
		return read_checkpoint(play, record);
	case REC_THREAD_END:
		return read_thread_end(play, record);
	case REC_END:
		return read_end(play, record);
	default:
		return type >= 0 && read_other(play, type, record);
	}
}

/* Is the checkpoint, or the end, one of the wanted thread? */
static bool is_wanted(const struct playback *play, int type)
{
	pid_t thread = type == REC_CHECKPOINT ? play->now->head.thread :
						play->thread_end.thread;

	return !play->wanted.only || play->wanted.only == thread;
}

enum playback_step playback_step(struct playback *play)
{
	struct input *record;
	int type;

	while (!interrupted()) {
		type = recreader_next(play->reader, &record);
		if (!read_record(play, type, record)) {
			/* A failure of an earlier reading stays. */
			play->failed = true;
			break;
		}
		if (type == REC_END)
			break;
		if (type == REC_CHECKPOINT && is_wanted(play, type))
			return PLAYBACK_CHECKPOINT;
		if (type == REC_THREAD_END && is_wanted(play, type))
			return PLAYBACK_THREAD_END;
	}
	return PLAYBACK_OVER;
}

bool playback_next(struct playback *play)
{
	enum playback_step step;

	do {
		step = playback_step(play);
	} while (step == PLAYBACK_THREAD_END);
	return step == PLAYBACK_CHECKPOINT;
}

bool playback_first(struct playback *play)
{
	const char *path = play->path;
	bool failed = play->failed;
	bool ok;

	playback_close(play);
	ok = playback_open(play, path, &play->wanted);
	play->failed = failed;
	return ok;
}

bool playback_has_threads(const char *path, const struct partchoice *part)
{
	const struct playback_options quiet = {
		.part = *part,
		.quiet = true,
	};
	struct playback play;
	bool several = false;
	pid_t first = 0;

	if (playback_open(&play, path, &quiet)) {
		while (!several && playback_next(&play) &&
		       playback_is_process(&play)) {
			pid_t thread = play.now->head.thread;

			several = first && thread != first;
			first = thread;
		}
	}
	playback_close(&play);
	return several;
}

/* Goes to the checkpoint after @before others. */
static bool skip(struct playback *play, uint64_t before)
{
	if (!playback_first(play))
		return false;
	do {
		if (!playback_next(play))
			return false;
	} while (before--);
	return true;
}

/*
 * struct extent - the checkpoints of a recording
 * @nr: their number
 * @first: the number of the first one
 * @last: the number of the last one
 * @before: the index of the wanted one
 * @has: whether the wanted one was found
 * @deaths: how many threads of the last program received a deadly signal
 * @crash: the index of the state in which the last of these threads died
 */
struct extent {
	uint64_t	nr;
	uint64_t	first;
	uint64_t	last;
	uint64_t	before;
	bool		has;
	uint64_t	deaths;
	uint64_t	crash;
};

static void count(const struct playback *play, int64_t number,
		  struct extent *extent)
{
	extent->last = play->number;
	if (!extent->nr)
		extent->first = extent->last;
	if (snapshot_is_death(play->now)) {
		extent->deaths++;
		extent->crash = extent->nr;
	}
	if (number > 0 && !extent->has && extent->last == (uint64_t)number) {
		extent->before = extent->nr;
		extent->has = true;
	}
	extent->nr++;
}

/* Reads the whole recording, because damage may be detected only at its end. */
static void measure(struct playback *play, int64_t number,
		    struct extent *extent)
{
	memset(extent, 0, sizeof(*extent));
	while (playback_next(play))
		count(play, number, extent);
	if (!number && extent->deaths == 1) {
		extent->before = extent->crash;
		extent->has = true;
		return;
	}
	if (!number)
		number = PLAYBACK_LAST;
	if (number < 0 && extent->nr >= -(uint64_t)number) {
		extent->before = extent->nr + (uint64_t)number;
		extent->has = true;
	}
}

bool playback_find(struct playback *play, int64_t number)
{
	struct extent extent;

	measure(play, number, &extent);
	if (extent.has)
		return skip(play, extent.before);
	if (interrupted())
		return false;
	if (extent.nr && play->wanted.only)
		warnx("%s: there is no checkpoint %" PRId64
		      " of thread %d: it has %" PRIu64 ", from %" PRIu64
		      " to %" PRIu64, play->path, number, play->wanted.only,
		      extent.nr, extent.first, extent.last);
	else if (play->wanted.only)
		warnx("%s: there are no checkpoints of thread %d in it",
		      play->path, play->wanted.only);
	else if (extent.nr)
		warnx("%s: there is no checkpoint %" PRId64
		      ": it has %" PRIu64 ", from %" PRIu64 " to %" PRIu64,
		      play->path, number, extent.nr, extent.first, extent.last);
	else
		warnx("%s: there are no checkpoints in it", play->path);
	return false;
}

int playback_status(const struct playback *play, int status)
{
	if (interrupted()) {
		warnx("interrupted; not all of %s was read", play->path);
		return EXIT_REFUSED;
	}
	return play->failed ? EXIT_REFUSED : status;
}

void playback_close(struct playback *play)
{
	recreader_close(play->reader);
	identity_free(&play->identity);
	surroundings_close(&play->around);
	snapshot_free(&play->before);
}
