/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The format of a recording. Documentation/recording.rst explains the format;
 * recwriter.h and recreader.h write and read it.
 *
 * A recording is a struct rec_file, followed by Zstandard frames. The decompressed and
 * joined contents of the frames are records: a struct rec_head each, followed by the
 * number of bytes in its @size. All numbers are little-endian.
 *
 * A recording of several processes (REC_VERSION_PARTS) is a struct rec_file, followed by
 * parts: a struct rec_part each, followed by a recording of one process, which has the
 * number of bytes in its @size. The parts are in the order in which the processes ended.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <checkpoint.h>

#define REC_MAGIC	"CKPTREC\n"
#define REC_VERSION	3

/*
 * Versions 1 and 2 have checkpoints of one thread only, and no types above REC_OPTIONS:
 * each checkpoint is compared with the one before in the file, even after REC_EXEC.
 * Version 1 also has no REC_EXEC and no REC_OPTIONS, and its REC_MAPS have at most
 * 16 MiB. Apart from that, the versions are equal.
 */
#define REC_VERSION_OLDEST 1

/* The version of a file that holds recordings of several processes. */
#define REC_VERSION_PARTS 4

/* The first version with checkpoints of several threads. */
#define REC_VERSION_THREADS 3

/*
 * struct rec_file - the beginning of the file
 * @magic: REC_MAGIC, without the terminating zero
 * @version: REC_VERSION_OLDEST to REC_VERSION, or REC_VERSION_PARTS; a reader refuses others
 * @reserved: 0
 */
struct rec_file {
	char		magic[8];
	uint32_t	version;
	uint32_t	reserved;
};

#define REC_NAME_SIZE	64

/*
 * struct rec_part - the beginning of the part of a process
 * @process: its id
 * @order: its number in the order in which the processes began; 0: the first one
 * @reason: as in struct rec_end
 * @status: as in struct rec_end
 * @size: the number of bytes of the recording that follows
 * @name: the command name of its last program; empty if it is not known
 */
struct rec_part {
	int32_t		process;
	uint32_t	order;
	uint32_t	reason;
	int32_t		status;
	uint64_t	size;
	char		name[REC_NAME_SIZE];
};

/* The maximum number of parts. */
#define REC_PARTS_MAX	(1U << 20)

/*
 * struct rec_head - the beginning of a record
 * @type: REC_*; a reader skips records of unknown types
 * @reserved: 0
 * @size: number of bytes that follow, at most REC_SIZE_MAX
 */
struct rec_head {
	uint32_t	type;
	uint32_t	reserved;
	uint64_t	size;
};

#define REC_SIZE_MAX	(1ULL << 30)

/*
 * The types of records. The records about the process precede the first checkpoint;
 * they are written again before a checkpoint if the data of the process has changed.
 *
 * REC_PROCESS:	struct rec_process, then the command line
 * REC_AUXV:	the auxiliary vector
 * REC_MAPS:	the text of /proc/PID/maps; invalidates all REC_PAGE records before
 * REC_PAGE:	struct rec_page, then the bytes of the page
 * REC_CHECKPOINT: struct rec_checkpoint, struct cp_checkpoint, then for each
 *		segment its struct rec_segment, struct cp_segment, and runs:
 *		each a struct rec_run and its bytes
 * REC_END:	struct rec_end; the last record. A file without it was cut off
 * REC_EXEC:	struct rec_exec; all records after this one are of the program that the
 *		process has executed. Its threads are new: REC_FORGET is implied
 * REC_OPTIONS:	struct rec_options; the first record
 * REC_THREAD:	struct rec_thread; the name of a thread, before a checkpoint of it
 * REC_THREAD_END: struct rec_thread_end; a thread has ended, and its name and its last
 *		checkpoint are forgotten. Its id may be used again
 * REC_FORGET:	nothing; the names and the last checkpoints of all threads are forgotten,
 *		because more would exceed REC_LAST_MAX or REC_THREADS_MAX
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
	REC_THREAD,
	REC_THREAD_END,
	REC_FORGET,
};

/*
 * struct rec_process - the recorded task; the other members are as in struct identity
 * @time: CLOCK_MONOTONIC before the data of the process was read, in nanoseconds
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
	char		name[REC_NAME_SIZE];
	uint64_t	time;
};

/* struct rec_page - a page, which was not read at the instant of a checkpoint */
struct rec_page {
	uint64_t	addr;
};

/*
 * The maximum number of valid pages, and the maximum size of REC_MAPS, and of the
 * command line and the auxiliary vector. The writer cuts off data beyond these limits:
 * see recwriter.h. They limit the memory of a reader: a small compressed file may
 * contain gigabytes of zeroes.
 */
#define REC_PAGES_MAX	65536
#define REC_MAPS_MAX	(1ULL << 26)
#define REC_TEXT_MAX	(1ULL << 24)

/*
 * struct rec_checkpoint - a checkpoint
 * @head_size: size of the struct cp_checkpoint that follows
 * @nr_segments: number of segments, at most REC_SEGMENTS_MAX
 */
struct rec_checkpoint {
	uint32_t	head_size;
	uint32_t	nr_segments;
};

#define REC_SEGMENTS_MAX 16

/* The memory of a process is below this address. */
#define REC_ADDR_MAX	(1ULL << 63)

/* The maximum size of all segments of a checkpoint together. */
#define REC_STACK_MAX	(1ULL << 27)

/*
 * The maximum size of all segments of the last checkpoints of all threads together, and
 * the maximum number of threads that have a name or a last checkpoint.
 */
#define REC_LAST_MAX	(1ULL << 27)
#define REC_THREADS_MAX	65536

/*
 * struct rec_segment - a segment of a checkpoint
 * @info_size: size of the struct cp_segment that follows
 * @nr_runs: number of runs
 *
 * A segment ends at REC_ADDR_MAX or below. An empty segment may have any address, which
 * is that of an invalid stack pointer.
 *
 * Each byte of the segment is either in a run, or equal to the byte at the same address
 * of the same segment of the last checkpoint of the same thread.
 */
struct rec_segment {
	uint32_t	info_size;
	uint32_t	nr_runs;
};

/*
 * struct rec_run - bytes that differ; runs are in order and do not overlap
 * @offset: offset of the first byte in the segment
 * @size: number of bytes
 */
struct rec_run {
	uint64_t	offset;
	uint64_t	size;
};

/*
 * struct rec_end - the end of the recording
 * @reason: CP_END_*; CP_END_NONE if the recorder was interrupted, or wrote the file
 *	before the end because of a SIGUSR1
 * @status: the status of waitpid(2), for CP_END_EXITED
 * @missed: number of checkpoints that were lost
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
 * In a recording of one thread, the numbers of checkpoints continue those of the program
 * before.
 */
struct rec_exec {
	uint32_t	flags;
	uint32_t	reserved;
};

/* The program ran before the pair was made: its first states are missing. */
#define REC_EXEC_LATE	0x1

/*
 * struct rec_options - the options of the recording, see struct cp_pair_options
 * @interval: minimum nanoseconds between checkpoints, or 0
 * @stack_limit: maximum bytes of a stack; 0 for the default of the module
 * @every: every Nth return to user mode was captured; 0 and 1: all
 * @flags: CP_PREP_*
 * @stream: 1 if all checkpoints were written as they came, 0 for the last ones
 * @reserved: 0
 *
 * Returns to user mode that were skipped because of @interval or @every are not
 * included in the numbers of checkpoints nor in @missed of struct rec_end. With
 * CP_PREP_PROCESS in @flags, the recording is of all threads of a process, and
 * cp_checkpoint.seq counts the checkpoints of each thread: a reader numbers the
 * checkpoints by their order in the file.
 */
struct rec_options {
	uint64_t	interval;
	uint64_t	stack_limit;
	uint32_t	every;
	uint32_t	flags;
	uint32_t	stream;
	uint32_t	reserved;
};

/*
 * struct rec_thread - the name of a thread
 * @thread: its id, as in struct cp_checkpoint
 * @reserved: 0
 * @name: its command name, as it was last read
 */
struct rec_thread {
	int32_t		thread;
	uint32_t	reserved;
	char		name[REC_NAME_SIZE];
};

/*
 * struct rec_thread_end - a thread has ended
 * @thread: its id
 * @status: its status as waitpid(2) gives it
 * @flags: REC_END_UNKNOWN
 * @reserved: 0
 */
struct rec_thread_end {
	int32_t		thread;
	int32_t		status;
	uint32_t	flags;
	uint32_t	reserved;
};

/* @status is not known: the file was written before the end of the process. */
#define REC_END_UNKNOWN	0x1

#endif /* RECORDING_H */
