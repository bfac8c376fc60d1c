// SPDX-License-Identifier: GPL-2.0-only
/*
 * Describing a held process for a snapshot: description.h. Everything runs in the
 * master's context.
 */
#include <linux/checkpoint.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "capture.h"
#include "compat.h"
#include "description.h"
#include "pair.h"
#include "sleeper.h"
#include "thread.h"

#define ALIGNED(size)	ALIGN(size, sizeof(u64))

/* Appends zeroed bytes. Gives their offset, or a negative error. */
static s64 text_add(struct cp_description *text, size_t bytes)
{
	size_t size = text->size + ALIGNED(bytes), room;
	s64 offset = text->size;
	char *data;

	if (size > text->room) {
		room = max(2 * text->room, PAGE_ALIGN(size));
		data = kvzalloc(room, GFP_KERNEL_ACCOUNT);
		if (!data)
			return -ENOMEM;
		memcpy(data, text->data, text->size);
		kvfree(text->data);
		text->data = data;
		text->room = room;
	}
	text->size = size;
	return offset;
}

static struct cp_snapshot_head *text_head(const struct cp_description *text)
{
	return (void *)text->data;
}

static struct cp_snapshot_thread *text_thread(const struct cp_description *text,
					      unsigned int i)
{
	return (void *)(text->data + text_head(text)->threads_offset +
			i * sizeof(struct cp_snapshot_thread));
}

/**
 * cp_description_thread - what a description says of a thread
 * @text: the description
 * @i: the thread's place
 *
 * Return: the thread's description.
 */
const struct cp_snapshot_thread *
cp_description_thread(const struct cp_description *text, unsigned int i)
{
	return text_thread(text, i);
}

static struct cp_snapshot_mapping *text_mapping(const struct cp_description *text,
						unsigned int i)
{
	return (void *)(text->data + text_head(text)->mappings_offset +
			i * sizeof(struct cp_snapshot_mapping));
}

/* What a task's registers do not show. Its signal mask may be one for its call alone. */
static void describe_signals(struct cp_snapshot_thread *thread,
			     struct task_struct *task)
{
	const sigset_t *mask = test_tsk_restore_sigmask(task) ?
				       &task->saved_sigmask : &task->blocked;

	thread->sigmask = mask->sig[0];
	thread->altstack_addr = task->sas_ss_sp;
	thread->altstack_size = task->sas_ss_size;
	thread->altstack_flags = task->sas_ss_flags;
}

/* A thread that waits at the gate, or for a place in its ring. */
static int describe_held(struct cp_snapshot_thread *thread, struct cp_part *part)
{
	struct cp_thread *held = container_of(part->hook, struct cp_thread, hook);

	/* Its registers are not in memory yet. */
	if (!cp_task_is_off_cpu(held->hook.task))
		return -ESTALE;
	cp_capture_other(&thread->checkpoint, held->hook.task, held->cause,
			 part->nr);
	return 0;
}

static int describe_sleeper(struct cp_snapshot_thread *thread,
			    struct cp_part *part, u64 *switches)
{
	struct cp_sleeper sleeper = { };

	if (!cp_sleeper_capture(part->hook->task, part->nr, &sleeper))
		return -ESTALE;
	thread->checkpoint = sleeper.checkpoint;
	*switches = sleeper.switches;
	return 0;
}

/* Under cp_parts.lock. */
static int describe_thread(struct cp_part *part, void *data)
{
	struct cp_description *text = data;
	struct task_struct *task = part->hook->task;
	struct cp_snapshot_thread *thread;
	u64 *switches;
	int ret;

	if (text->nr_threads == text->max_threads)
		return -ESTALE;
	thread = text_thread(text, text->nr_threads);
	switches = &text->switches[text->nr_threads];
	*switches = CP_NOT_ASLEEP;
	if (cp_part_is_parked(part) || cp_ring_is_stuck(&part->ring))
		ret = describe_held(thread, part);
	else
		ret = describe_sleeper(thread, part, switches);
	if (ret)
		return ret;
	describe_signals(thread, task);
	ret = cp_capture_other_xstate(task, text->data + thread->xstate_offset,
				      thread->xstate_size);
	thread->xstate_size = max(ret, 0);
	text->nr_threads++;
	return 0;
}

static int add_threads(struct cp_description *text, struct cp_pair *pair)
{
	size_t xstate_size = ALIGNED(cp_xstate_size());
	unsigned int max = cp_parts_threads(&pair->parts), i;
	s64 at, xstate;

	text->max_threads = max;
	text->switches = kvcalloc(max, sizeof(u64), GFP_KERNEL_ACCOUNT);
	at = text_add(text, max * sizeof(struct cp_snapshot_thread));
	xstate = text_add(text, max * xstate_size);
	if (!text->switches || at < 0 || xstate < 0)
		return -ENOMEM;
	text_head(text)->threads_offset = at;
	for (i = 0; i < max; i++) {
		text_thread(text, i)->xstate_offset = xstate + i * xstate_size;
		text_thread(text, i)->xstate_size = xstate_size;
	}
	return cp_parts_each(&pair->parts, describe_thread, text);
}

static void convert_times(struct cp_description *text, const struct cp_pair *pair)
{
	unsigned int i;

	for (i = 0; i < text->nr_threads; i++)
		text_thread(text, i)->checkpoint.time += pair->master.time_offset;
}

/* Which flag of a mapping shows as which flag of its description. */
static const struct {
	unsigned long vm;
	u32 flag;
} mapping_flags[] = {
	{ VM_READ,		CP_MAPPING_READ },
	{ VM_WRITE,		CP_MAPPING_WRITE },
	{ VM_EXEC,		CP_MAPPING_EXEC },
	{ VM_MAYSHARE,		CP_MAPPING_SHARED | CP_MAPPING_ABSENT },
	{ VM_IO | VM_PFNMAP,	CP_MAPPING_DEVICE | CP_MAPPING_ABSENT },
	{ VM_DONTCOPY,		CP_MAPPING_DONTFORK | CP_MAPPING_ABSENT },
	{ VM_WIPEONFORK,	CP_MAPPING_WIPEONFORK | CP_MAPPING_ABSENT },
	{ VM_GROWSDOWN,		CP_MAPPING_GROWS },
	{ VM_DONTDUMP,		CP_MAPPING_DONTDUMP },
};

static u32 flags_of(const struct vm_area_struct *vma)
{
	u32 flags = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mapping_flags); i++)
		if (vma->vm_flags & mapping_flags[i].vm)
			flags |= mapping_flags[i].flag;
	/* READ_ONCE(): the first page fault of a mapping sets it, which others can cause. */
	if (READ_ONCE(vma->anon_vma))
		flags |= CP_MAPPING_TOUCHED;
	return flags;
}

static bool is_heap(const struct vm_area_struct *vma)
{
	return vma->vm_start <= vma->vm_mm->brk &&
	       vma->vm_end >= vma->vm_mm->start_brk;
}

static bool is_first_stack(const struct vm_area_struct *vma)
{
	return vma->vm_start <= vma->vm_mm->start_stack &&
	       vma->vm_end >= vma->vm_mm->start_stack;
}

/* The name as in /proc/PID/maps, made in @buf of PATH_MAX bytes if need be; or NULL. */
static const char *name_of(struct vm_area_struct *vma, char *buf)
{
	const char *name;

	if (vma->vm_file) {
		name = d_path(cp_file_path(vma->vm_file), buf, PATH_MAX);
		return IS_ERR(name) ? NULL : name;
	}
	name = vma->vm_ops && vma->vm_ops->name ? vma->vm_ops->name(vma) : NULL;
	if (name)
		return name;
	if (is_heap(vma))
		return "[heap]";
	if (is_first_stack(vma))
		return "[stack]";
	name = cp_anon_name(vma);
	if (!name)
		return NULL;
	snprintf(buf, PATH_MAX, "[anon:%s]", name);
	return buf;
}

static int add_name(struct cp_description *text, unsigned int i, const char *name)
{
	size_t length = strlen(name);
	s64 at = text_add(text, length + 1);

	if (at < 0)
		return at;
	memcpy(text->data + at, name, length);
	text_mapping(text, i)->name_offset = at;
	text_mapping(text, i)->name_size = length;
	return 0;
}

/* Mappings of the same file often follow each other: they share its name. */
static int name_mapping(struct cp_description *text, unsigned int i,
			struct vm_area_struct *vma, const struct file *previous,
			char *buf)
{
	struct cp_snapshot_mapping *mapping = text_mapping(text, i);
	const char *name;

	if (i && vma->vm_file && vma->vm_file == previous) {
		mapping->name_offset = mapping[-1].name_offset;
		mapping->name_size = mapping[-1].name_size;
		return 0;
	}
	name = name_of(vma, buf);
	return name ? add_name(text, i, name) : 0;
}

static void describe_mapping(struct cp_snapshot_mapping *mapping,
			     const struct vm_area_struct *vma)
{
	const struct inode *inode;

	mapping->start = vma->vm_start;
	mapping->end = vma->vm_end;
	mapping->flags = flags_of(vma);
	if (!vma->vm_file)
		return;
	inode = cp_file_inode(vma->vm_file);
	mapping->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	mapping->inode = inode->i_ino;
	mapping->dev_major = MAJOR(inode->i_sb->s_dev);
	mapping->dev_minor = MINOR(inode->i_sb->s_dev);
}

/* Without @buf, mappings get no names. */
static int add_mappings_locked(struct cp_description *text, struct mm_struct *mm,
			       char *buf)
{
	VMA_ITERATOR(vmi, mm, 0);
	unsigned int max = mm->map_count, i = 0;
	const struct file *previous = NULL;
	struct vm_area_struct *vma;
	s64 at = text_add(text, max * sizeof(struct cp_snapshot_mapping));
	int ret = 0;

	lockdep_assert_held(&mm->mmap_lock);
	if (at < 0)
		return at;
	text_head(text)->mappings_offset = at;
	for_each_vma(vmi, vma) {
		if (i == max || ret)
			break;
		describe_mapping(text_mapping(text, i), vma);
		if (buf)
			ret = name_mapping(text, i, vma, previous, buf);
		previous = vma->vm_file;
		i++;
	}
	text_head(text)->nr_mappings = i;
	return ret;
}

static int add_mappings(struct cp_description *text, struct mm_struct *mm,
			char *buf)
{
	int ret = mmap_read_lock_killable(mm);

	if (ret)
		return ret;
	ret = add_mappings_locked(text, mm, buf);
	mmap_read_unlock(mm);
	return ret;
}

static int add_named_mappings(struct cp_description *text, struct mm_struct *mm)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL);
	int ret;

	if (!buf)
		return -ENOMEM;
	ret = add_mappings(text, mm, buf);
	kfree(buf);
	return ret;
}

/**
 * cp_description_make - describe a process that is held
 * @text: filled in; on failure, cp_description_free() is still to be called
 * @pair: its pair
 * @mm: its memory
 *
 * May sleep.
 *
 * Return: 0; -ESTALE when a thread is about to be held, or was asleep and is not any more:
 * try again; -ENOMEM; -EINTR when the caller is killed.
 */
int cp_description_make(struct cp_description *text, struct cp_pair *pair,
			struct mm_struct *mm)
{
	struct cp_snapshot_head *head;
	int ret;

	memset(text, 0, sizeof(*text));
	if (text_add(text, sizeof(*head)) < 0)
		return -ENOMEM;
	ret = add_threads(text, pair) ?: add_named_mappings(text, mm);
	if (ret)
		return ret;
	convert_times(text, pair);
	head = text_head(text);
	head->magic = CP_SNAPSHOT_MAGIC;
	head->version = CP_VERSION;
	head->size = text->size;
	head->nr_threads = text->nr_threads;
	head->thread_size = sizeof(struct cp_snapshot_thread);
	head->mapping_size = sizeof(struct cp_snapshot_mapping);
	head->pid = pid_nr_ns(pair->slave.pid, ns_of_pid(pair->master.pid));
	return 0;
}

/**
 * cp_description_layout - describe nothing but the mappings, without their names
 * @text: filled in; on failure, cp_description_free() is still to be called
 * @mm: the memory, with a reference on its pages
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; -EINTR when the caller is killed.
 */
int cp_description_layout(struct cp_description *text, struct mm_struct *mm)
{
	memset(text, 0, sizeof(*text));
	if (text_add(text, sizeof(struct cp_snapshot_head)) < 0)
		return -ENOMEM;
	return add_mappings(text, mm, NULL);
}

/* The same walk as describe_thread()'s, with a text of its own to count in. */
static int compare_thread(struct cp_part *part, void *data)
{
	struct cp_description *text = data;
	unsigned int i = text->nr_threads++;

	if (i >= text->max_threads ||
	    text_thread(text, i)->checkpoint.thread != part->nr)
		return -ESTALE;
	if (text->switches[i] != CP_NOT_ASLEEP &&
	    text->switches[i] != cp_sleeper_switches(part->hook->task))
		return -ESTALE;
	return 0;
}

/**
 * cp_description_is_current - have threads that were asleep slept since?
 * @text: the description
 * @pair: the pair, still held
 *
 * Return: true when they have, so that the description is that of one instant.
 */
bool cp_description_is_current(const struct cp_description *text,
			       struct cp_pair *pair)
{
	struct cp_description walk = *text;

	walk.nr_threads = 0;
	walk.max_threads = text->nr_threads;
	return !cp_parts_each(&pair->parts, compare_thread, &walk) &&
	       walk.nr_threads == text->nr_threads;
}

/**
 * cp_description_seal - the rest
 * @text: the description
 * @time: when the memory was frozen, by the master's clock
 * @bytes: what the snapshot can come to keep alone
 */
void cp_description_seal(struct cp_description *text, u64 time, u64 bytes)
{
	text_head(text)->time = time;
	text_head(text)->bytes = bytes;
	kvfree(text->switches);
	text->switches = NULL;
}

/**
 * cp_description_free - free a description
 * @text: the description, zeroed or made
 */
void cp_description_free(struct cp_description *text)
{
	kvfree(text->data);
	kvfree(text->switches);
	memset(text, 0, sizeof(*text));
}
