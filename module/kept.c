// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a snapshot keeps to put its process back: kept.h.
 */
#include <linux/bsearch.h>
#include <linux/errno.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "hook.h"
#include "kept.h"
#include "pair.h"
#include "state.h"

static int compare_pids(const void *a, const void *b)
{
	const struct cp_state *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* What cp_parts_each() passes on. */
struct keeping {
	struct cp_kept *kept;
	unsigned int max;
};

/* The same walk as that of the description. Under cp_parts.lock. */
static int keep_thread(struct cp_part *part, void *data)
{
	struct keeping *keeping = data;
	struct cp_kept *kept = keeping->kept;

	if (kept->nr == keeping->max)
		return -ESTALE;
	cp_state_save(&kept->states[kept->nr], part->hook->task, kept->nr);
	kept->nr++;
	return 0;
}

static int keep_threads(struct cp_kept *kept, struct cp_pair *pair, unsigned int max)
{
	struct keeping keeping = { kept, max };
	int ret;

	kept->states = kvcalloc(max, sizeof(*kept->states), GFP_KERNEL_ACCOUNT);
	if (!kept->states)
		return -ENOMEM;
	ret = cp_parts_each(&pair->parts, keep_thread, &keeping);
	sort(kept->states, kept->nr, sizeof(*kept->states), compare_pids, NULL);
	return ret;
}

static void keep_handlers(struct cp_kept *kept, const struct task_struct *task)
{
	const struct sighand_struct *sighand;

	rcu_read_lock();
	sighand = rcu_dereference(task->sighand);
	/* Without siglock: no thread of the process runs that could change them. */
	if (sighand)
		memcpy(kept->actions, sighand->action, sizeof(kept->actions));
	rcu_read_unlock();
}

/**
 * cp_kept_make - keep what is needed of a process that is held
 * @kept: filled in, zeroed before; on failure, cp_kept_free() is still to be called
 * @pair: its pair
 * @mm: its memory
 * @max: the number of threads that have been described
 *
 * May sleep.
 *
 * Return: 0; -ESTALE when there are more threads: try again; -ENOMEM; -EINTR when the caller
 * is killed.
 */
int cp_kept_make(struct cp_kept *kept, struct cp_pair *pair, struct mm_struct *mm,
		 unsigned int max)
{
	kept->process = get_pid(pair->slave.pid);
	keep_handlers(kept, pair->slave.task);
	return keep_threads(kept, pair, max) ?: cp_mappings_make(&kept->mappings, mm);
}

/**
 * cp_kept_free - free what is kept
 * @kept: zeroed or made
 *
 * May sleep.
 */
void cp_kept_free(struct cp_kept *kept)
{
	unsigned int i;

	for (i = 0; i < kept->nr; i++)
		cp_state_free(&kept->states[i]);
	kvfree(kept->states);
	cp_mappings_free(&kept->mappings);
	put_pid(kept->process);
	memset(kept, 0, sizeof(*kept));
}

/**
 * cp_kept_bytes - how much memory it needs
 * @kept: what is kept
 *
 * Return: bytes.
 */
size_t cp_kept_bytes(const struct cp_kept *kept)
{
	return kept->nr * sizeof(*kept->states) + cp_mappings_bytes(&kept->mappings);
}

/**
 * cp_kept_find - what is kept of a thread
 * @kept: where
 * @task: the thread
 *
 * Return: its state; NULL if the snapshot does not have the thread.
 */
const struct cp_state *cp_kept_find(const struct cp_kept *kept,
				    struct task_struct *task)
{
	const struct cp_state key = { .pid = task_pid(task) };

	return bsearch(&key, kept->states, kept->nr, sizeof(key), compare_pids);
}

/**
 * cp_kept_set_handlers - give the current process its signal handlers again
 * @kept: where they are
 *
 * A signal that is pending and ignored then is dropped when it is delivered.
 */
void cp_kept_set_handlers(const struct cp_kept *kept)
{
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);

	spin_lock_irq(&sighand->siglock);
	memcpy(sighand->action, kept->actions, sizeof(kept->actions));
	spin_unlock_irq(&sighand->siglock);
}
