// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: hostile [-n N] [-s SEED] [-k FOLDER] FILE...
 *
 * Makes N variants of each recording, corrupted in the file itself or in its
 * compressed contents, and runs cpctl on each in a process of its own. For any
 * contents, cpctl must exit with status 0, or with status 2 and a message. This
 * program links cpctl's sources, with the sanitizers if the compiler has them. The
 * variants that cpctl fails on are kept in FOLDER; a seed and the number of a variant
 * reproduce it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "recording.h"

/* A reader that uses more memory than this has failed. */
#define MEMORY_MB	1024
/* A reader that takes longer than this hangs. */
#define SECONDS		120
#define RECORDS_MAX	4096

#define HEAD		sizeof(struct rec_head)

/* main() of cpctl, renamed by the Makefile. */
int cpctl_main(int argc, char **argv);

/* struct bytes - a buffer from malloc() */
struct bytes {
	unsigned char	*at;
	size_t		size;
};

/* struct sample - a recording: the file, and its decompressed contents */
struct sample {
	struct bytes	file;
	struct bytes	plain;
};

static uint64_t state;

/* A random number below @below, by xorshift64*. */
static uint64_t number(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL % below;
}

#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=1024:detect_leaks=0:exitcode=99";
}

void __sanitizer_set_death_callback(void (*callback)(void));

/*
 * In shared memory, because a sanitizer may also end cpctl's namer, a child: cpctl
 * survives that, and its exit status does not show it.
 */
static volatile bool *found;

static void on_finding(void)
{
	*found = true;
}

static void watch_for_findings(void)
{
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (found == MAP_FAILED)
		err(2, "memory");
	__sanitizer_set_death_callback(on_finding);
}

/* Resets the flag for the next variant. */
static bool was_found(void)
{
	bool was = *found;

	*found = false;
	return was;
}
#else
static void watch_for_findings(void)
{
}

static bool was_found(void)
{
	return false;
}
#endif

static void *room(size_t size)
{
	void *memory = malloc(size + 1);

	if (!memory)
		err(2, "memory");
	return memory;
}

static struct bytes copy(const struct bytes *of)
{
	struct bytes new = { room(of->size), of->size };

	memcpy(new.at, of->at, of->size);
	return new;
}

/* Replaces @size bytes at @at by @with. */
static void replace(struct bytes *bytes, size_t at, size_t size,
		    const unsigned char *with, size_t with_size)
{
	struct bytes new = { .size = bytes->size - size + with_size };

	new.at = room(new.size);
	memcpy(new.at, bytes->at, at);
	if (with_size)
		memcpy(new.at + at, with, with_size);
	memcpy(new.at + at + with_size, bytes->at + at + size,
	       bytes->size - at - size);
	free(bytes->at);
	*bytes = new;
}

static struct bytes read_file(const char *path)
{
	struct stat st;
	struct bytes bytes;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		err(2, "%s", path);
	bytes.size = (size_t)st.st_size;
	bytes.at = room(bytes.size);
	if (read(fd, bytes.at, bytes.size) != st.st_size)
		err(2, "%s", path);
	close(fd);
	return bytes;
}

static struct bytes decompress(const struct bytes *file)
{
	const size_t head = sizeof(struct rec_file);
	ZSTD_inBuffer in = { file->at + head, file->size - head, 0 };
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	struct bytes plain = {};
	size_t space = 0;

	while (in.pos < in.size) {
		ZSTD_outBuffer out;

		if (plain.size == space) {
			space = 2 * space + 65536;
			plain.at = realloc(plain.at, space);
			if (!plain.at)
				err(2, "memory");
		}
		out = (ZSTD_outBuffer){ plain.at, space, plain.size };
		if (ZSTD_isError(ZSTD_decompressStream(zstd, &out, &in)))
			errx(2, "not a recording that is whole");
		plain.size = out.pos;
	}
	ZSTD_freeDCtx(zstd);
	return plain;
}

static struct bytes compress(const struct bytes *plain)
{
	struct rec_file head = { REC_MAGIC, REC_VERSION, 0 };
	size_t bound = ZSTD_compressBound(plain->size);
	struct bytes file = { room(sizeof(head) + bound), sizeof(head) };

	memcpy(file.at, &head, sizeof(head));
	file.size += ZSTD_compress(file.at + sizeof(head), bound, plain->at,
				   plain->size, 1);
	return file;
}

/* A number at the edge of some range, which code is likely to handle wrongly. */
static uint64_t odd_number(size_t size)
{
	static const uint64_t odd[] = {
		0, 1, 2, 7, 8, 15, 16, 17, 127, 128, 255, 256, 4095, 4096, 4097,
		65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		1ULL << 47, (1ULL << 63) - 1, 1ULL << 63, ~0ULL, ~0ULL - 7,
		~0ULL - 4095,
	};
	uint64_t value = odd[number(sizeof(odd) / sizeof(odd[0]))];

	switch (number(4)) {
	case 0:
		return size + number(17) - 8;
	case 1:
		return value + number(16);
	default:
		return value;
	}
}

/* Corrupts some bytes between @from and @to. */
static void mutate(struct bytes *bytes, size_t from, size_t to)
{
	size_t at = from + number(to - from), left = to - at;
	size_t size = number(left < 64 ? left : 64) + 1;
	uint64_t value;

	switch (number(7)) {
	case 0:
		bytes->at[at] ^= 1 << number(8);
		break;
	case 1:
		bytes->at[at] = (unsigned char)number(256);
		break;
	case 2:
	case 3:
		/* An aligned field of a struct. */
		size = number(2) ? 4 : 8;
		at -= (at - from) % size;
		value = odd_number(to - from);
		if (at + size <= to)
			memcpy(bytes->at + at, &value, size);
		break;
	case 4:
		replace(bytes, at, size, NULL, 0);
		break;
	case 5:
		replace(bytes, at, 0, bytes->at + at, size);
		break;
	case 6:
		memset(bytes->at + at, number(2) ? 0 : 0xff, size);
		break;
	}
}

/* Fills @records with the offset of each record, and of the last one's end. */
static size_t find_records(const struct bytes *plain, size_t *records)
{
	struct rec_head head;
	size_t at = 0, nr = 0;

	while (nr < RECORDS_MAX && plain->size - at >= HEAD) {
		records[nr++] = at;
		memcpy(&head, plain->at + at, HEAD);
		if (head.size > plain->size - at - HEAD)
			break;
		at += HEAD + head.size;
	}
	records[nr] = at;
	return nr;
}

/* Removes, repeats, truncates or shortens a record, or changes its type. */
static void mutate_order(struct bytes *plain, const size_t *records, size_t nr)
{
	size_t a = number(nr), b = number(nr);
	size_t size = records[a + 1] - records[a];
	struct rec_head head;

	switch (number(5)) {
	case 0:
		replace(plain, records[a], size, NULL, 0);
		break;
	case 1:
		replace(plain, records[b], 0, plain->at + records[a], size);
		break;
	case 2:
		plain->size = records[a] + number(size + 1);
		break;
	case 3:
		head.type = (uint32_t)number(REC_END + 2);
		memcpy(plain->at + records[a], &head.type, sizeof(head.type));
		break;
	case 4:
		/* A shorter record whose head has the right size. */
		memcpy(&head, plain->at + records[a], HEAD);
		if (head.size != size - HEAD)
			break;
		size = number(head.size + 1);
		replace(plain, records[a] + HEAD + size, head.size - size,
			NULL, 0);
		head.size = size;
		memcpy(plain->at + records[a], &head, HEAD);
		break;
	}
}

/* Corrupts a record, mostly at its beginning, where its structs are. */
static void mutate_record(struct bytes *plain, const size_t *records, size_t nr)
{
	size_t which = number(nr), from = records[which], to = records[which + 1];
	size_t few = HEAD + sizeof(struct rec_checkpoint) +
		     sizeof(struct cp_checkpoint) + 2 * sizeof(struct cp_segment);

	if (number(3) && to - from > few)
		to = from + few;
	if (number(8))
		from += HEAD;
	if (from < to)
		mutate(plain, from, to);
}

static struct bytes make_variant(const struct sample *sample)
{
	static size_t records[RECORDS_MAX + 1];
	uint64_t times = number(4) + 1;
	struct bytes plain, file;
	size_t nr;

	if (!number(4)) {
		file = copy(&sample->file);
		if (!number(4))
			file.size = number(file.size);
		for (; times && file.size; times--)
			mutate(&file, 0, file.size);
		return file;
	}
	plain = copy(&sample->plain);
	for (; times && plain.size; times--) {
		nr = find_records(&plain, records);
		if (nr && number(4))
			mutate_record(&plain, records, nr);
		else if (nr)
			mutate_order(&plain, records, nr);
	}
	file = compress(&plain);
	free(plain.at);
	return file;
}

static int write_out(const char *path, const struct bytes *bytes)
{
	int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) :
			memfd_create("variant", 0);

	if (fd < 0 || write(fd, bytes->at, bytes->size) != (ssize_t)bytes->size)
		err(2, "cannot write a variant");
	return fd;
}

static const char *const verbs[][5] = {
	{ "log", "FILE" },
	{ "log", "--json", "FILE" },
	{ "show", "FILE" },
	{ "show", "--json", "--full", "FILE", "3" },
	{ "diff", "FILE", "-2", "-1" },
	{ "diff", "--json", "FILE", "1", "-1" },
	{ "bt", "FILE" },
	{ "bt", "--json", "FILE", "2" },
	{ "dump", "-o", "-", "FILE" },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void become_reader(size_t verb, char *path, int said)
{
	static const struct rlimit memory = {
		(rlim_t)MEMORY_MB << 20, (rlim_t)MEMORY_MB << 20,
	};
	char *argv[7] = { (char *)"cpctl" };
	int nothing = open("/dev/null", O_RDWR), argc;

	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(said, STDERR_FILENO);
#ifdef __SANITIZE_ADDRESS__
	/*
	 * AddressSanitizer reserves far more address space than this; the runner
	 * limits its memory by an option of the sanitizer.
	 */
	(void)memory;
#else
	setrlimit(RLIMIT_AS, &memory);
#endif
	alarm(SECONDS);
	for (argc = 1; argc < 6 && verbs[verb][argc - 1]; argc++) {
		argv[argc] = (char *)verbs[verb][argc - 1];
		if (!strcmp(argv[argc], "FILE"))
			argv[argc] = path;
	}
	/* Resets getopt(), which has parsed this program's options. */
	optind = 0;
	exit(cpctl_main(argc, argv));
}

static bool is_good(int status, int said)
{
	struct stat st;

	if (was_found() || !WIFEXITED(status) || fstat(said, &st))
		return false;
	return !WEXITSTATUS(status) || (WEXITSTATUS(status) == 2 && st.st_size);
}

static void complain(uint64_t variant, size_t verb, int status, int said)
{
	char text[8192];
	ssize_t size = pread(said, text, sizeof(text) - 1, 0);
	char *line;

	printf("# variant %llu, %s: wait status 0x%x\n",
	       (unsigned long long)variant, verbs[verb][0], status);
	text[size < 0 ? 0 : size] = '\0';
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("#   %s\n", line);
}

static bool harms(const struct bytes *file, uint64_t variant, size_t verb,
		  unsigned int counts[2])
{
	int said = memfd_create("said", 0), fd = write_out(NULL, file), status;
	char path[32];
	bool good;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fflush(stdout);
	pid = fork();
	if (!pid)
		become_reader(verb, path, said);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(2, "cannot start a reader");
	good = is_good(status, said);
	if (good)
		counts[!!WEXITSTATUS(status)]++;
	else
		complain(variant, verb, status, said);
	close(said);
	close(fd);
	return !good;
}

static void keep(const char *folder, uint64_t variant, const struct bytes *file)
{
	char path[4096];

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/variant-%llu", folder,
		 (unsigned long long)variant);
	close(write_out(path, file));
}

/* Seeds the generator for each variant, so that one variant can be reproduced. */
static struct bytes variant_of(const struct sample *sample, uint64_t seed,
			       uint64_t variant)
{
	state = (seed * 1000003 + variant + 1) * 0x9e3779b97f4a7c15ULL | 1;
	number(2);
	return variant ? make_variant(sample) : copy(&sample->file);
}

static unsigned int try_all(const struct sample *sample, uint64_t seed,
			    uint64_t nr, const char *folder)
{
	unsigned int counts[2] = {}, bad = 0;
	uint64_t variant;
	size_t verb;

	for (variant = 0; variant < nr && bad < 5; variant++) {
		struct bytes file = variant_of(sample, seed, variant);

		/*
		 * All verbs read variant 0, the valid recording; they take turns
		 * with the others.
		 */
		for (verb = 0; verb < NR_VERBS; verb++) {
			if ((variant && verb != variant % NR_VERBS) ||
			    !harms(&file, variant, verb, counts))
				continue;
			keep(folder, variant, &file);
			bad++;
		}
		free(file.at);
	}
	printf("# seed %llu: %u could be read, %u were refused\n",
	       (unsigned long long)seed, counts[0], counts[1]);
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t nr = 1000, seed = 1;
	const char *folder = NULL;
	unsigned int bad = 0;
	int option;

	while ((option = getopt(argc, argv, "n:s:k:")) != -1) {
		switch (option) {
		case 'n':
			nr = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'k':
			folder = optarg;
			break;
		default:
			return 2;
		}
	}
	watch_for_findings();
	for (; optind < argc; optind++) {
		struct sample sample = { .file = read_file(argv[optind]) };

		if (sample.file.size < sizeof(struct rec_file))
			errx(2, "%s: not a recording", argv[optind]);
		sample.plain = decompress(&sample.file);
		bad += try_all(&sample, seed, nr, folder);
		free(sample.file.at);
		free(sample.plain.at);
	}
	return bad ? 1 : 0;
}
