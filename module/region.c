// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that receives checkpoints: allocation, layout, mapping.
 */
#include <linux/checkpoint.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "region.h"

/* The region's head, and each slot's, take a page of their own. */
#define HEAD_SIZE	PAGE_SIZE

static_assert(sizeof(struct cp_region_head) <= HEAD_SIZE);
static_assert(sizeof(struct cp_checkpoint) + sizeof(struct cp_segment) <=
	      HEAD_SIZE);

static void region_fill_head(struct cp_region *region)
{
	struct cp_region_head *head = page_address(region->pages[0]);

	head->magic = CP_REGION_MAGIC;
	head->version = CP_VERSION;
	head->nr_slots = region->nr_slots;
	head->slots_offset = HEAD_SIZE;
	head->slot_size = region->slot_size;
}

static void region_free(struct cp_region *region)
{
	unsigned long i;

	for (i = 0; i < region->nr_pages; i++)
		if (region->pages[i])
			put_page(region->pages[i]);
	mem_cgroup_put(region->memcg);
	kvfree(region);
}

/**
 * cp_region_create - make the region of a new pair
 * @nr_slots: number of slots, at least 1
 * @stack_limit: bytes of stack that a slot must hold, whole pages
 *
 * Called by the master: it is the one who is charged.
 *
 * Return: the region, to be given back with cp_region_put(), or NULL.
 */
struct cp_region *cp_region_create(unsigned int nr_slots, u64 stack_limit)
{
	struct cp_region *region;
	unsigned long nr_pages;
	unsigned int i;
	u64 slot_size;

	/* One page more: a stack that is cut need not begin on a page. */
	slot_size = HEAD_SIZE + stack_limit + PAGE_SIZE;
	nr_pages = (HEAD_SIZE + nr_slots * slot_size) >> PAGE_SHIFT;

	region = kvzalloc(struct_size(region, pages, nr_pages),
			  GFP_KERNEL_ACCOUNT);
	if (!region)
		return NULL;

	refcount_set(&region->refs, 1);
	region->nr_slots = nr_slots;
	region->slot_size = slot_size;
	region->nr_pages = nr_pages;
	region->memcg = get_mem_cgroup_from_mm(current->mm);

	if (!cp_region_at(region, 0))
		goto err_free;
	for (i = 0; i < nr_slots; i++)
		if (!cp_region_at(region, HEAD_SIZE + i * slot_size))
			goto err_free;

	region_fill_head(region);
	return region;

err_free:
	region_free(region);
	return NULL;
}

/**
 * cp_region_put - drop a reference
 * @region: the region
 *
 * May sleep.
 */
void cp_region_put(struct cp_region *region)
{
	if (refcount_dec_and_test(&region->refs))
		region_free(region);
}

/**
 * cp_region_size - bytes that the master may map
 * @region: the region
 *
 * Return: the size, whole pages.
 */
u64 cp_region_size(const struct cp_region *region)
{
	return (u64)region->nr_pages << PAGE_SHIFT;
}

/**
 * cp_region_slot - say where a slot lies
 * @region: the region
 * @index: the slot's number
 * @slot: filled in
 */
void cp_region_slot(const struct cp_region *region, unsigned int index,
		    struct cp_slot *slot)
{
	slot->offset = HEAD_SIZE + index * region->slot_size;
	slot->data = slot->offset + HEAD_SIZE;
	slot->data_size = region->slot_size - HEAD_SIZE;
	slot->header = page_address(region->pages[slot->offset >> PAGE_SHIFT]);
}

/**
 * cp_region_at - address of a byte of the region
 * @region: the region
 * @offset: the byte's place, below cp_region_size()
 *
 * Allocates the page when it is the first to ask. Slave and master may ask at
 * the same time: one page wins. Never invokes the OOM killer: a stack that is
 * cut is better than a process that is killed for being looked at. May sleep.
 *
 * Return: the address, good to the end of its page as long as the caller has
 * a reference on the region; NULL when there is no memory.
 */
void *cp_region_at(struct cp_region *region, u64 offset)
{
	struct page **slot = &region->pages[offset >> PAGE_SHIFT];
	struct page *page = READ_ONCE(*slot);

	if (unlikely(!page)) {
		struct mem_cgroup *old = set_active_memcg(region->memcg);
		struct page *other;

		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
				  __GFP_NORETRY | __GFP_NOWARN);
		set_active_memcg(old);
		if (!page)
			return NULL;
		other = cmpxchg(slot, NULL, page);
		if (other) {
			put_page(page);
			page = other;
		}
	}
	return page_address(page) + offset_in_page(offset);
}

static void region_vm_open(struct vm_area_struct *vma)
{
	struct cp_region *region = vma->vm_private_data;

	refcount_inc(&region->refs);
}

static void region_vm_close(struct vm_area_struct *vma)
{
	cp_region_put(vma->vm_private_data);
}

static vm_fault_t region_vm_fault(struct vm_fault *vmf)
{
	struct cp_region *region = vmf->vma->vm_private_data;
	void *at;

	if (vmf->pgoff >= region->nr_pages)
		return VM_FAULT_SIGBUS;
	at = cp_region_at(region, (u64)vmf->pgoff << PAGE_SHIFT);
	if (!at)
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page(at);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct region_vm_ops = {
	.open	= region_vm_open,
	.close	= region_vm_close,
	.fault	= region_vm_fault,
};

/**
 * cp_region_mmap - map the region into the caller
 * @region: the region
 * @vma: the new mapping, as mmap() gives it
 *
 * Read-only for good: what the kernel writes there it never reads back from a
 * page that a user could have changed. Neither a child nor a core dump gets
 * the slave's memory along with the master's.
 *
 * Return: 0; -EINVAL when @vma reaches beyond the region; -EACCES when it
 * would be writable or executable.
 */
int cp_region_mmap(struct cp_region *region, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff + vma_pages(vma) > region->nr_pages)
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;

	vm_flags_mod(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &region_vm_ops;
	vma->vm_private_data = region;
	refcount_inc(&region->refs);
	return 0;
}
