/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate before user mode. While it is closed, each thread of the slave that has handed
 * over its state waits there, so that the process executes nothing.
 *
 * A thread that waits can be killed and frozen; other signals, stops and debuggers are
 * acted on when it continues. It does not count as load, and shows as idle (I).
 *
 * The gate opens when the holder opens it, when the pair is over, and when the limit of
 * the hold has passed: a master may need its own slave, as its terminal or as
 * the server of its files, and would wait for ever.
 *
 * While one of the threads executes a call for the holder (call.h), the gate is bolted:
 * it opens as soon as the call is over.
 */
#ifndef _CP_GATE_H
#define _CP_GATE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct cp_call;

/**
 * struct cp_gate - the gate of a pair
 * @holding:	one hold, or release, at a time
 * @lock:	held for a few instructions
 * @closed:	threads wait; read without the lock as a hint
 * @bolted:	a thread executes a call for the holder
 * @opening:	with @bolted: cp_gate_unbolt() is to open the gate
 * @expired:	the gate has opened because the limit passed, and the holder does not know
 * @generation:	counts how often the gate has been closed, from 1
 * @nr_parked:	number of threads that wait
 * @nr_awaited:	the thread that raises @nr_parked to this wakes the holder
 * @threads:	where threads wait
 * @holder:	where the holder waits for threads
 * @expiry:	opens the gate
 */
struct cp_gate {
	struct mutex holding; /* one call of the master */
	spinlock_t lock; /* all but the wait queues and @expiry */
	bool closed;
	bool bolted;
	bool opening;
	bool expired;
	unsigned int generation;
	unsigned int nr_parked;
	unsigned int nr_awaited;
	wait_queue_head_t threads;
	wait_queue_head_t holder;
	struct delayed_work expiry;
};

void cp_gate_init(struct cp_gate *gate);
void cp_gate_destroy(struct cp_gate *gate);
bool cp_gate_close(struct cp_gate *gate);
void cp_gate_limit(struct cp_gate *gate, u64 limit);
int cp_gate_open(struct cp_gate *gate);
bool cp_gate_bolt(struct cp_gate *gate);
void cp_gate_unbolt(struct cp_gate *gate);
void cp_gate_wait(struct cp_gate *gate, unsigned int ticket,
		  struct cp_call *const *call);
int cp_gate_await(struct cp_gate *gate, unsigned int nr_threads,
		  unsigned long time);
unsigned int cp_gate_parked(struct cp_gate *gate);

/**
 * cp_gate_is_closed - do threads wait at the gate?
 * @gate: the gate
 *
 * Return: true when they do; it may change at any time.
 */
static inline bool cp_gate_is_closed(const struct cp_gate *gate)
{
	return READ_ONCE(gate->closed);
}

/**
 * cp_gate_ticket - thread: is the gate closed, so that it has to wait there?
 * @gate: the gate
 *
 * Called before the thread captures its state: a state that was captured before the gate
 * was closed may have been taken already, so it is not the one that the holder wants.
 *
 * Return: the ticket for cp_gate_wait(); 0 when the gate is open.
 */
static inline unsigned int cp_gate_ticket(const struct cp_gate *gate)
{
	return unlikely(cp_gate_is_closed(gate)) ?
		       READ_ONCE(gate->generation) : 0;
}

/**
 * cp_gate_stops - does a thread with this ticket still wait?
 * @gate: the gate
 * @ticket: the ticket
 *
 * Return: false once the gate has been open since, even if it is closed again.
 */
static inline bool cp_gate_stops(const struct cp_gate *gate,
				 unsigned int ticket)
{
	return cp_gate_is_closed(gate) && READ_ONCE(gate->generation) == ticket;
}

#endif /* _CP_GATE_H */
