/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checkpoints of a living slave: taken first, and processed afterwards.
 *
 * Processing a checkpoint may be slow: the namer reads large files or asks a server,
 * and the reader of the output may not read. The slave must not wait for that.
 * Therefore, a thread makes the pair, only copies checkpoints to a queue, and ends the
 * pair after the last one. The verb's thread processes them. If only one is wanted,
 * the verb's thread takes that one and ends the pair before it processes the checkpoint.
 *
 * The queue contains at most QUEUE_MEMORY_MAX bytes and one more checkpoint. Beyond
 * that, the thread ends the pair, and makes a new one after half of the bytes have been
 * processed.
 */
#ifndef LIVE_H
#define LIVE_H

#include "stream.h"

/*
 * live_open() - pair with a slave and begin to take its checkpoints
 * @pid: the id of the slave
 *
 * This function returns after the first checkpoint was taken, or when none will come:
 * the verb may then wait for other things without holding up the slave. From now on,
 * the signals of interrupt.h end the pair.
 *
 * Return: NULL after printing the reason.
 */
struct stream *live_open(pid_t pid, const struct stream_options *options);

/*
 * live_start() - live_open() for a program that is started, as a child
 * @command: the program and its arguments, as for child_start()
 *
 * Return: NULL after printing the reason; the program has not run, or was killed.
 */
struct stream *live_start(char **command, const struct stream_options *options);

#endif /* LIVE_H */
