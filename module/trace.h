/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of a pair's life and of each checkpoint. Documentation/observing.rst
 * shows how to use them. Process numbers are of the initial pid namespace, durations
 * are in nanoseconds.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM checkpoint

#if !defined(_CP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _CP_TRACE_H

#include <linux/checkpoint.h>
#include <linux/pid.h>
#include <linux/tracepoint.h>

#include "pair.h"
#include "thread.h"

#define show_cp_reason(reason)						\
	__print_symbolic(reason,					\
			 { CP_END_EXITED,	"exited" },		\
			 { CP_END_EXEC,		"exec" },		\
			 { CP_END_DETACHED,	"detached" },	\
			 { CP_END_PUT_BACK,	"put-back" })

#define show_cp_entry(entry)						\
	__print_symbolic(entry,						\
			 { CP_ENTRY_SYSCALL,	"syscall" },		\
			 { CP_ENTRY_FAULT,	"fault" },		\
			 { CP_ENTRY_INTERRUPT,	"interrupt" })

/* A step in the life of a pair. */
DECLARE_EVENT_CLASS(cp_pair_step,
	TP_PROTO(const struct cp_pair *pair),
	TP_ARGS(pair),
	TP_STRUCT__entry(
		__field(pid_t, slave)
		__field(pid_t, master)
	),
	TP_fast_assign(
		__entry->slave = pid_nr(pair->slave.pid);
		__entry->master = pid_nr(pair->master.pid);
	),
	TP_printk("slave=%d master=%d", __entry->slave, __entry->master)
);

/* A pair has been made. */
DEFINE_EVENT(cp_pair_step, pair_made,
	TP_PROTO(const struct cp_pair *pair), TP_ARGS(pair));

/* The last hook has been removed from the slave. */
DEFINE_EVENT(cp_pair_step, pair_unhooked,
	TP_PROTO(const struct cp_pair *pair), TP_ARGS(pair));

/* A step of a thread of a slave. */
DECLARE_EVENT_CLASS(cp_thread_step,
	TP_PROTO(const struct cp_thread *thread),
	TP_ARGS(thread),
	TP_STRUCT__entry(
		__field(pid_t, slave)
		__field(pid_t, master)
		__field(pid_t, thread)
	),
	TP_fast_assign(
		__entry->slave = pid_nr(thread->pair->slave.pid);
		__entry->master = pid_nr(thread->pair->master.pid);
		__entry->thread = pid_nr(thread->pid);
	),
	TP_printk("slave=%d master=%d thread=%d", __entry->slave,
		  __entry->master, __entry->thread)
);

/* The thread's work leaves a return to user mode to the notifier. */
DEFINE_EVENT(cp_thread_step, step_aside,
	TP_PROTO(const struct cp_thread *thread), TP_ARGS(thread));

/* The thread enters user mode uncaptured; an interrupt repeats the return. */
DEFINE_EVENT(cp_thread_step, replay,
	TP_PROTO(const struct cp_thread *thread), TP_ARGS(thread));

/* The master brings a thread out of the kernel. */
DEFINE_EVENT(cp_thread_step, nudge,
	TP_PROTO(const struct cp_thread *thread), TP_ARGS(thread));

/* A new thread of a process has joined its pair. */
DEFINE_EVENT(cp_thread_step, thread_added,
	TP_PROTO(const struct cp_thread *thread), TP_ARGS(thread));

/* The hook has been removed from a thread: it has exited, or the pair is over. */
DEFINE_EVENT(cp_thread_step, thread_unhooked,
	TP_PROTO(const struct cp_thread *thread), TP_ARGS(thread));

/* A pair is over. */
TRACE_EVENT(pair_ended,
	TP_PROTO(const struct cp_pair *pair),
	TP_ARGS(pair),
	TP_STRUCT__entry(
		__field(pid_t, slave)
		__field(pid_t, master)
		__field(u32, reason)
		__field(s32, status)
		__field(u64, life)
	),
	TP_fast_assign(
		__entry->slave = pid_nr(pair->slave.pid);
		__entry->master = pid_nr(pair->master.pid);
		__entry->reason = pair->outcome.reason;
		__entry->status = pair->outcome.status;
		__entry->life = ktime_get_ns() - pair->made;
	),
	TP_printk("slave=%d master=%d reason=%s status=0x%x life=%llu",
		  __entry->slave, __entry->master,
		  show_cp_reason(__entry->reason), __entry->status,
		  __entry->life)
);

/* The slave has written a checkpoint: how long it waited, how long it wrote. */
TRACE_EVENT(capture,
	TP_PROTO(const struct cp_thread *thread,
		 const struct cp_checkpoint *checkpoint, u64 seq, u64 bytes,
		 u64 waited, u64 copied),
	TP_ARGS(thread, checkpoint, seq, bytes, waited, copied),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u64, ip)
		__field(u64, sp)
		__field(u64, bytes)
		__field(u64, waited)
		__field(u64, copied)
		__field(pid_t, slave)
		__field(u32, entry)
		__field(s32, syscall)
		__field(pid_t, thread)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->ip = checkpoint->regs.rip;
		__entry->sp = checkpoint->regs.rsp;
		__entry->bytes = bytes;
		__entry->waited = waited;
		__entry->copied = copied;
		__entry->slave = pid_nr(thread->pair->slave.pid);
		__entry->entry = checkpoint->entry;
		__entry->syscall = checkpoint->syscall;
		__entry->thread = pid_nr(thread->pid);
	),
	TP_printk("slave=%d seq=%llu entry=%s syscall=%d ip=0x%llx sp=0x%llx bytes=%llu waited=%llu copied=%llu thread=%d",
		  __entry->slave, __entry->seq, show_cp_entry(__entry->entry),
		  __entry->syscall, __entry->ip, __entry->sp, __entry->bytes,
		  __entry->waited, __entry->copied, __entry->thread)
);

/* The thread's wait limit has passed; it continues without the master. */
TRACE_EVENT(miss,
	TP_PROTO(const struct cp_thread *thread, u64 waited),
	TP_ARGS(thread, waited),
	TP_STRUCT__entry(
		__field(u64, waited)
		__field(pid_t, slave)
		__field(pid_t, thread)
	),
	TP_fast_assign(
		__entry->waited = waited;
		__entry->slave = pid_nr(thread->pair->slave.pid);
		__entry->thread = pid_nr(thread->pid);
	),
	TP_printk("slave=%d waited=%llu thread=%d", __entry->slave,
		  __entry->waited, __entry->thread)
);

/* The master has taken a checkpoint: how long it waited for it. */
TRACE_EVENT(hand_over,
	TP_PROTO(const struct cp_pair *pair, u64 seq, u64 waited),
	TP_ARGS(pair, seq, waited),
	TP_STRUCT__entry(
		__field(u64, seq)
		__field(u64, waited)
		__field(pid_t, slave)
		__field(pid_t, master)
	),
	TP_fast_assign(
		__entry->seq = seq;
		__entry->waited = waited;
		__entry->slave = pid_nr(pair->slave.pid);
		__entry->master = pid_nr(pair->master.pid);
	),
	TP_printk("slave=%d master=%d seq=%llu waited=%llu", __entry->slave,
		  __entry->master, __entry->seq, __entry->waited)
);

#endif /* _CP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
