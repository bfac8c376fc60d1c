/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that holds a recording: its layout. Documentation/recording.rst
 * explains it; recwriter.h and recreader.h write and read it.
 *
 * A struct rec_file, then Zstandard frames. What they hold, joined, are
 * records: a struct rec_head each, followed by that many bytes. All numbers
 * are in the byte order of the machine, x86-64: the least byte first.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <checkpoint.h>

#define REC_MAGIC	"CKPTREC\n"
#define REC_VERSION	2

/*
 * Version 1 has no REC_EXEC and no REC_OPTIONS, and its maps were at most 16 MiB
 * long. Apart from that the versions are the same.
 */
#define REC_VERSION_OLDEST 1

/*
 * struct rec_file - the beginning of the file
 * @magic: REC_MAGIC, without its end
 * @version: REC_VERSION_OLDEST to REC_VERSION; others cannot be read
 * @reserved: 0
 */
struct rec_file {
	char		magic[8];
	uint32_t	version;
	uint32_t	reserved;
};

/*
 * struct rec_head - the beginning of a record
 * @type: REC_*; records of another type are to be skipped
 * @reserved: 0
 * @size: bytes that follow, at most REC_SIZE_MAX
 */
struct rec_head {
	uint32_t	type;
	uint32_t	reserved;
	uint64_t	size;
};

#define REC_SIZE_MAX	(1ULL << 30)

/*
 * What a record holds. The process is told of before the first checkpoint, and
 * anew whenever something has changed that matters for those to come.
 *
 * REC_PROCESS:	struct rec_process, then the command line
 * REC_AUXV:	the auxiliary vector
 * REC_MAPS:	the text of /proc/PID/maps; pages told of before count no more
 * REC_PAGE:	struct rec_page, then the memory: one page
 * REC_CHECKPOINT: struct rec_checkpoint, struct cp_checkpoint, then for each
 *		segment its struct rec_segment, struct cp_segment, and runs:
 *		each a struct rec_run and its bytes
 * REC_END:	struct rec_end; nothing follows. A file without it was cut off
 * REC_EXEC:	struct rec_exec; what follows is of the program that took the
 *		place of the one before
 * REC_OPTIONS:	struct rec_options; comes first
 */
enum {
	REC_PROCESS = 1,
	REC_AUXV,
	REC_MAPS,
	REC_PAGE,
	REC_CHECKPOINT,
	REC_END,
	REC_EXEC,
	REC_OPTIONS,
};

/*
 * struct rec_process - who was recorded; names as in struct identity
 * @time: CLOCK_MONOTONIC when all that is not a checkpoint began to be read
 */
struct rec_process {
	int32_t		task;
	int32_t		process;
	int32_t		parent;
	int32_t		group;
	int32_t		session;
	uint32_t	uid;
	uint32_t	gid;
	uint32_t	state;
	char		name[64];
	uint64_t	time;
};

/* struct rec_page - memory that is not from a checkpoint's instant */
struct rec_page {
	uint64_t	addr;
};

/*
 * Most pages that count at a time, most bytes of REC_MAPS, and of the command
 * line and the auxiliary vector. The writer leaves out what is beyond: see
 * recwriter.h. They bound the memory that a reader needs, as a small file may
 * hold gigabytes of zeroes.
 */
#define REC_PAGES_MAX	65536
#define REC_MAPS_MAX	(1ULL << 26)
#define REC_TEXT_MAX	(1ULL << 24)

/*
 * struct rec_checkpoint - a checkpoint
 * @head_size: bytes of the struct cp_checkpoint that follows
 * @nr_segments: number of segments, at most REC_SEGMENTS_MAX
 */
struct rec_checkpoint {
	uint32_t	head_size;
	uint32_t	nr_segments;
};

#define REC_SEGMENTS_MAX 16

/* No memory lies at this address or above. */
#define REC_ADDR_MAX	(1ULL << 63)

/* Most bytes that all segments of a checkpoint have together. */
#define REC_STACK_MAX	(1ULL << 27)

/*
 * struct rec_segment - one of its segments
 * @info_size: bytes of the struct cp_segment that follows
 * @nr_runs: number of runs
 *
 * No segment reaches beyond REC_ADDR_MAX, except that an empty one may have any
 * address: that is where a wild stack pointer points.
 *
 * The segment's bytes are those that the same segment of the checkpoint before
 * had at the same addresses, but for those of the runs. Every byte is of one
 * of the two.
 */
struct rec_segment {
	uint32_t	info_size;
	uint32_t	nr_runs;
};

/*
 * struct rec_run - bytes that differ; runs are in order and do not overlap
 * @offset: where they begin in the segment
 * @size: their number
 */
struct rec_run {
	uint64_t	offset;
	uint64_t	size;
};

/*
 * struct rec_end - how the recording ended
 * @reason: CP_END_*; CP_END_NONE: it was stopped, or written while it went on
 * @status: with CP_END_EXITED: as waitpid(2) gives it
 * @missed: checkpoints that were lost while it was made
 */
struct rec_end {
	uint32_t	reason;
	int32_t		status;
	uint64_t	missed;
};

/*
 * struct rec_exec - the process has executed another program
 * @flags: REC_EXEC_LATE
 * @reserved: 0
 *
 * Numbers of checkpoints go on from those of the program before.
 */
struct rec_exec {
	uint32_t	flags;
	uint32_t	reserved;
};

/* The program ran before it was paired with: its first states are missing. */
#define REC_EXEC_LATE	0x1

/*
 * struct rec_options - how it was recorded, as of struct cp_pair_options
 * @interval: nanoseconds between checkpoints at least, or 0
 * @stack_limit: most bytes of a stack; 0: the module's default
 * @every: only one of this many returns to user mode; 0 and 1: all
 * @flags: CP_PREP_*
 * @stream: 1: all checkpoints were written as they came; 0: the last ones
 * @reserved: 0
 *
 * With @interval or @every, returns to user mode were left out that show in no
 * number.
 */
struct rec_options {
	uint64_t	interval;
	uint64_t	stack_limit;
	uint32_t	every;
	uint32_t	flags;
	uint32_t	stream;
	uint32_t	reserved;
};

#endif /* RECORDING_H */
