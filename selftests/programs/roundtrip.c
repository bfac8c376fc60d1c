// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: roundtrip [-n N] [-s SEED] FILE
 *
 * Writes N random recordings with cpctl's writer and reads them with its reader:
 * the contents must be the same. Then writes recordings beyond the format's limits:
 * the reader must return the part that fits.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "playback.h"
#include "recwriter.h"
#include "../stress/dice.h"

#define SHOTS_MAX	8
#define PARTS_MAX	(REC_SEGMENTS_MAX + 4)

/* A number of threads, whose ids are below it. */
#define THREADS_MAX	4

/*
 * struct sample - contents of a recording
 * @process: the REC_PROCESS record
 * @text: command line and auxiliary vector
 * @maps: text of the REC_MAPS record
 * @nr: number of @shots
 * @shots: checkpoints
 * @ends: bits of the threads that end after each checkpoint
 * @exec: the number of the checkpoint after which the process executes a program
 */
struct sample {
	struct rec_process	process;
	char			*text;
	char			*maps;
	unsigned int		nr;
	struct snapshot		shots[SHOTS_MAX];
	unsigned int		ends[SHOTS_MAX];
	unsigned int		exec;
};

static const char *path;

static char *text_of(size_t size, char byte)
{
	char *text = malloc(size + 1);

	if (!text)
		err(2, "memory");
	memset(text, byte, size);
	text[size] = '\0';
	return text;
}

static void fill(struct dice *dice, void *to, size_t size)
{
	unsigned char *next = to;

	while (size--)
		*next++ = (unsigned char)roll(dice, 256);
}

/* The text of @lines different mappings, every second one with a name. */
static char *maps_of(size_t lines, const char *name)
{
	char *maps = NULL;
	size_t size, i;
	FILE *out = open_memstream(&maps, &size);

	for (i = 0; i < lines; i++)
		fprintf(out, "%zx000-%zx000 r-xp 00000000 00:00 0 %s\n",
			2 * i + 1, 2 * i + 2, i % 2 ? name : "");
	if (fclose(out))
		err(2, "memory");
	return maps;
}

/* An address of a stack, or of an invalid stack pointer. */
static uint64_t any_address(struct dice *dice)
{
	switch (roll(dice, 8)) {
	case 0:
		return dice_word(dice);
	case 1:
		return 0xdead000000000000;
	case 2:
		return 0xffffffff81000000;
	case 3:
		return -(uint64_t)roll(dice, 256);
	case 4:
		return roll(dice, 256);
	case 5:
		return REC_ADDR_MAX - 128 + roll(dice, 256);
	default:
		return 0x7ffff0000000 + roll(dice, 1 << 16);
	}
}

static void add_part(struct snapshot *now, const struct cp_segment *info,
		     struct dice *dice)
{
	struct segment part = { .info = *info };

	if (segment_alloc(&part))
		err(2, "memory");
	if (dice)
		fill(dice, part.bytes, part.info.size);
	else
		memset(part.bytes, 1, part.info.size);
	if (snapshot_add(now, &part))
		err(2, "memory");
}

/* Changes a part as a stack changes: the same end, and mostly the same bytes. */
static void change_part(struct segment *part, struct dice *dice)
{
	uint64_t by = roll(dice, 300);

	if (once_in(dice, 3) && by < part->info.size) {
		part->info.addr += by;
		part->info.size -= by;
		memmove(part->bytes, part->bytes + by, part->info.size);
	}
	if (part->info.size)
		fill(dice, part->bytes + roll(dice, part->info.size), 1);
}

static void random_shot(struct snapshot *now, struct dice *dice)
{
	unsigned int nr = roll(dice, 4), i;

	if (once_in(dice, 8))
		nr = roll(dice, PARTS_MAX);
	fill(dice, &now->head, sizeof(now->head));
	if (!once_in(dice, 8))
		now->head.thread = (int)roll(dice, THREADS_MAX);
	for (i = 0; i < nr; i++) {
		struct cp_segment info = {
			.addr = any_address(dice),
			.size = roll(dice, 1 << between(dice, 1, 15)),
			.kind = CP_SEGMENT_STACK,
			.flags = roll(dice, 32),
			.map_start = dice_word(dice),
			.map_end = dice_word(dice),
		};

		/* A segment that would wrap around has no data. */
		if (info.addr > REC_ADDR_MAX - info.size)
			info.size = 0;
		if (once_in(dice, 4)) {
			info.kind = CP_SEGMENT_XSTATE;
			info.addr = 0;
		}
		add_part(now, &info, dice);
	}
}

static void random_sample(struct sample *sample, struct dice *dice)
{
	unsigned int i, j;

	memset(sample, 0, sizeof(*sample));
	fill(dice, &sample->process, sizeof(sample->process));
	sample->text = text_of(roll(dice, 1 << between(dice, 1, 17)), 'a');
	fill(dice, sample->text, strlen(sample->text));
	sample->maps = maps_of(roll(dice, 100), "/a file");
	sample->nr = roll(dice, SHOTS_MAX + 1);
	sample->exec = roll(dice, 2 * SHOTS_MAX);
	for (i = 0; i < sample->nr; i++) {
		struct snapshot *now = &sample->shots[i];

		sample->ends[i] = roll(dice, 1 << THREADS_MAX) &
				  roll(dice, 1 << THREADS_MAX);
		if (!i || once_in(dice, 3)) {
			random_shot(now, dice);
			continue;
		}
		if (snapshot_copy(now, &sample->shots[i - 1]))
			err(2, "memory");
		if (once_in(dice, 3))
			now->head.thread = (int)roll(dice, THREADS_MAX);
		for (j = 0; j < now->nr_segments; j++)
			change_part(&now->segments[j], dice);
	}
}

static void free_sample(struct sample *sample)
{
	while (sample->nr)
		snapshot_free(&sample->shots[--sample->nr]);
	free(sample->text);
	free(sample->maps);
}

/* The name of a thread when it leaves checkpoint @i: it changes sometimes. */
static const char *name_of(const struct sample *sample, unsigned int i)
{
	static char name[REC_NAME_SIZE];

	snprintf(name, sizeof(name), "%d of %u", sample->shots[i].head.thread,
		 i / 3);
	return name;
}

static bool write_shot(struct recwriter *rec, const struct sample *sample,
		       unsigned int i)
{
	const struct rec_exec exec = {};
	struct snapshot now = {};
	struct rec_thread_end end = {};

	if (snapshot_copy(&now, &sample->shots[i]) ||
	    recwriter_checkpoint(rec, &now, name_of(sample, i)))
		return false;
	for (; end.thread < THREADS_MAX; end.thread++) {
		end.status = 7 * end.thread;
		if (sample->ends[i] >> end.thread & 1 &&
		    recwriter_thread_end(rec, &end))
			return false;
	}
	return sample->exec != i || !recwriter_exec(rec, &exec);
}

/* Opens the file for writing; fails if that is not possible. */
static struct recwriter *open_writer(int *fd)
{
	struct recwriter *rec;

	*fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	rec = *fd < 0 ? NULL : recwriter_open(*fd);
	if (!rec)
		err(2, "%s", path);
	return rec;
}

static void close_writer(struct recwriter *rec, int fd)
{
	const struct rec_end end = {};

	if (recwriter_put(rec, REC_END, &end, sizeof(end), NULL, 0) ||
	    recwriter_flush(rec))
		err(2, "%s", path);
	recwriter_close(rec);
	close(fd);
}

static void write_sample(const struct sample *sample)
{
	const size_t size = strlen(sample->text);
	unsigned int i;
	int fd;
	struct recwriter *rec = open_writer(&fd);

	if (recwriter_text(rec, REC_PROCESS, &sample->process,
			   sizeof(sample->process), sample->text, size) ||
	    recwriter_text(rec, REC_AUXV, NULL, 0, sample->text, size) ||
	    recwriter_maps(rec, sample->maps))
		err(2, "%s", path);
	for (i = 0; i < sample->nr; i++)
		if (!write_shot(rec, sample, i))
			err(2, "%s", path);
	close_writer(rec, fd);
}

/* Is @got equal to the first @most bytes of @want? */
static bool same_text(const char *got, const char *want, uint64_t most)
{
	size_t size = strlen(want);

	return got && !strncmp(got, want, most) &&
	       strlen(got) == (size < most ? size : most);
}

/* @most: bytes that the format still allows; a longer part is truncated to that. */
static bool same_part(const struct segment *got, const struct segment *want,
		      uint64_t *most)
{
	struct cp_segment info = want->info;

	if (info.size > *most) {
		info.size = *most;
		info.flags |= CP_SEGF_TRUNCATED;
	}
	*most -= info.size;
	return !memcmp(&got->info, &info, sizeof(info)) &&
	       !memcmp(got->bytes, want->bytes, info.size);
}

static bool same_shot(const struct snapshot *got, const struct snapshot *want)
{
	unsigned int nr = want->nr_segments, i;
	uint64_t most = REC_STACK_MAX;

	if (nr > REC_SEGMENTS_MAX - 1)
		nr = REC_SEGMENTS_MAX - 1;
	if (memcmp(&got->head, &want->head, sizeof(got->head)) ||
	    got->nr_segments != nr || !got->xstate.bytes != !want->xstate.bytes)
		return false;
	if (want->xstate.bytes &&
	    !same_part(&got->xstate, &want->xstate, &most))
		return false;
	for (i = 0; i < nr; i++)
		if (!same_part(&got->segments[i], &want->segments[i], &most))
			return false;
	return true;
}

static bool same_process(const struct playback *play,
			 const struct sample *sample)
{
	const struct identity *identity = &play->identity;

	return identity->task == sample->process.task &&
	       identity->gid == sample->process.gid &&
	       play->around.time == sample->process.time &&
	       same_text(identity->command, sample->text, REC_TEXT_MAX) &&
	       same_text(identity->auxv, sample->text, REC_TEXT_MAX);
}

/* Compares checkpoint @i, and the ends of threads after it. */
static const char *read_shot(struct playback *play, const struct sample *sample,
			     unsigned int i)
{
	const struct thread_end *end = &play->thread_end;
	pid_t id;

	if (playback_step(play) != PLAYBACK_CHECKPOINT)
		return "a checkpoint cannot be read";
	if (!same_shot(play->now, &sample->shots[i]))
		return "a checkpoint differs";
	if (strcmp(play->thread->name, name_of(sample, i)))
		return "the name of a thread differs";
	for (id = 0; id < THREADS_MAX; id++) {
		if (!(sample->ends[i] >> id & 1))
			continue;
		if (playback_step(play) != PLAYBACK_THREAD_END ||
		    end->thread != id || !end->known || end->status != 7 * id)
			return "the end of a thread differs";
	}
	return NULL;
}

/* Compares the recording with @sample; returns what differs, or NULL. */
static const char *read_sample(struct playback *play,
			       const struct sample *sample)
{
	const char *wrong = NULL;
	unsigned int i;

	for (i = 0; i < sample->nr && !wrong; i++)
		wrong = read_shot(play, sample, i);
	if (wrong)
		return wrong;
	if (playback_next(play) || play->failed)
		return "the end cannot be read";
	/* An exec makes the reader forget the process. */
	if (sample->exec < sample->nr)
		return play->execs == 1 ? NULL : "the exec is missing";
	if (!same_process(play, sample))
		return "the process differs";
	if (strlen(sample->maps) <= REC_MAPS_MAX ?
		    strcmp(sample->maps, play->around.maps) :
		    strlen(play->around.maps) < REC_MAPS_MAX - 4096)
		return "the mappings differ";
	return NULL;
}

/* Writes and reads a recording; returns 1 if it differs. */
static int try(const struct sample *sample, const char *name, uint64_t number)
{
	const char *wrong = "it cannot be opened";
	const struct playback_options wanted = {};
	struct playback play;

	write_sample(sample);
	if (playback_open(&play, path, &wanted))
		wrong = read_sample(&play, sample);
	playback_close(&play);
	if (wrong)
		printf("# %s %" PRIu64 ": %s\n", name, number, wrong);
	return wrong ? 1 : 0;
}

static int try_random(uint64_t seed, uint64_t nr)
{
	struct sample sample;
	int bad = 0;
	uint64_t i;

	for (i = 0; i < nr && !bad; i++) {
		struct dice dice = dice_of(seed, i);

		random_sample(&sample, &dice);
		bad += try(&sample, "sample", i);
		free_sample(&sample);
	}
	return bad;
}

/* Tries a part of @size bytes that follows a part of @before bytes. */
static int try_stack(uint64_t before, uint64_t size)
{
	struct sample sample = {
		.text = text_of(0, 0), .maps = text_of(0, 0), .nr = 1,
		.exec = SHOTS_MAX,
	};
	struct cp_segment info = {
		.addr = 0x7f0000000000, .kind = CP_SEGMENT_STACK,
	};
	int bad;

	info.size = before;
	add_part(&sample.shots[0], &info, NULL);
	info.size = size;
	add_part(&sample.shots[0], &info, NULL);
	bad = try(&sample, "a stack of", size);
	free_sample(&sample);
	return bad;
}

static int try_text(size_t size, size_t lines, const char *name)
{
	struct sample sample = {
		.text = text_of(size, 'x'), .maps = maps_of(lines, name),
		.exec = SHOTS_MAX,
	};
	int bad = try(&sample, "a text of", size);

	free_sample(&sample);
	return bad;
}

/* The last checkpoints of two threads, which are too large together, or just not. */
static int try_threads(uint64_t size)
{
	struct sample sample = {
		.text = text_of(0, 0), .maps = text_of(0, 0), .nr = 3,
		.exec = SHOTS_MAX,
	};
	struct cp_segment info = {
		.addr = 0x7f0000000000, .size = size, .kind = CP_SEGMENT_STACK,
	};
	unsigned int i;
	int bad;

	for (i = 0; i < sample.nr; i++) {
		sample.shots[i].head.thread = (int)(i % 2);
		add_part(&sample.shots[i], &info, NULL);
	}
	bad = try(&sample, "two stacks of", size);
	free_sample(&sample);
	return bad;
}

/* More threads than a reader remembers, which do not end. */
static int try_many(void)
{
	const struct playback_options wanted = {};
	struct playback play;
	int32_t nr = 0;
	int fd, bad;
	struct recwriter *rec = open_writer(&fd);

	for (; nr < REC_THREADS_MAX + 5; nr++) {
		struct snapshot now = { .head.thread = nr };

		if (recwriter_checkpoint(rec, &now, "x"))
			err(2, "%s", path);
	}
	close_writer(rec, fd);
	if (playback_open(&play, path, &wanted))
		while (playback_next(&play))
			nr--;
	bad = nr || play.failed;
	if (bad)
		printf("# many threads: %d are missing\n", nr);
	playback_close(&play);
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t nr = 300, seed = 1;
	int option, bad;

	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == '?')
			return 2;
		*(option == 'n' ? &nr : &seed) = strtoull(optarg, NULL, 0);
	}
	if (optind != argc - 1)
		errx(2, "usage: roundtrip [-n N] [-s SEED] FILE");
	path = argv[optind];
	bad = try_random(seed, nr);
	bad += try_stack(0, REC_STACK_MAX);
	bad += try_stack(5, REC_STACK_MAX);
	bad += try_stack(REC_STACK_MAX + 17, 17);
	bad += try_threads(REC_LAST_MAX / 2);
	bad += try_threads(REC_LAST_MAX / 2 + 1);
	bad += try_many();
	bad += try_text(REC_TEXT_MAX, 400000, "");
	bad += try_text(REC_TEXT_MAX + 1, 2000000, "/some/file");
	return bad ? 1 : 0;
}
