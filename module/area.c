// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the master maps: area.h.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "area.h"
#include "compat.h"

/* The pages that one page fault maps at most: those of an aligned block of this size. */
#define AROUND_PAGES	16

/**
 * cp_area_create - make the area of a new pair
 * @nr_parts: the most regions
 * @part_size: bytes of each region, whole pages
 * @account: the account that is charged
 *
 * Called by the master, whose memory cgroup is charged.
 *
 * Return: the area, to be given back with cp_area_put(), or NULL without memory.
 */
struct cp_area *cp_area_create(unsigned int nr_parts, u64 part_size,
			       struct cp_account *account)
{
	struct cp_area *area;

	area = kvzalloc(struct_size(area, regions, nr_parts),
			GFP_KERNEL_ACCOUNT);
	if (!area)
		return NULL;
	refcount_set(&area->refs, 1);
	area->memcg = get_mem_cgroup_from_mm(current->mm);
	area->account = account;
	area->part_pages = part_size >> PAGE_SHIFT;
	area->nr_parts = nr_parts;
	return area;
}

static void area_free(struct cp_area *area)
{
	unsigned int i;

	for (i = 0; i < area->nr_parts && area->regions[i]; i++) {
		cp_region_free(area->regions[i]);
		cond_resched();
	}
	mem_cgroup_put(area->memcg);
	kvfree(area);
}

/**
 * cp_area_put - drop a reference
 * @area: the area
 *
 * May sleep.
 */
void cp_area_put(struct cp_area *area)
{
	if (refcount_dec_and_test(&area->refs))
		area_free(area);
}

/**
 * cp_area_add - make the next region
 * @area: the area
 * @index: the number of the region, which is the number of regions so far
 * @plan: what the region is to hold; as large as the room for each region
 *
 * The caller holds a lock against other callers.
 *
 * Return: as cp_region_create().
 */
struct cp_region *cp_area_add(struct cp_area *area, unsigned int index,
			      const struct cp_region_plan *plan)
{
	struct cp_region *region;

	region = cp_region_create(plan, area->memcg, area->account);
	if (!IS_ERR(region))
		/* Pairs with area_vm_fault(): a region that is found is whole. */
		smp_store_release(&area->regions[index], region);
	return region;
}

/**
 * cp_area_size - the number of bytes that the master may map
 * @area: the area
 *
 * Return: the size, whole pages.
 */
u64 cp_area_size(const struct cp_area *area)
{
	return cp_area_offset(area, area->nr_parts);
}

/**
 * cp_area_offset - where a region lies in the area
 * @area: the area
 * @index: the number of the region
 *
 * Return: bytes from the area's start.
 */
u64 cp_area_offset(const struct cp_area *area, unsigned int index)
{
	return ((u64)area->part_pages << PAGE_SHIFT) * index;
}

static void area_vm_open(struct vm_area_struct *vma)
{
	struct cp_area *area = vma->vm_private_data;

	refcount_inc(&area->refs);
}

static void area_vm_close(struct vm_area_struct *vma)
{
	cp_area_put(vma->vm_private_data);
}

/*
 * Maps the pages around that of a fault, as far as they exist: a slave may wait while the
 * master reads a stack page by page, and a fault costs much more than a page of this loop.
 * The block is aligned by address, so all of its entries are in one page table.
 */
static void area_map_around(struct vm_fault *vmf, const struct cp_region *region,
			    unsigned long page_nr)
{
	struct vm_area_struct *vma = vmf->vma;
	const struct cp_area *area = vma->vm_private_data;
	unsigned long before = (vmf->address >> PAGE_SHIFT) % AROUND_PAGES;
	unsigned long first = page_nr - min(before, page_nr);
	unsigned long end = min(page_nr - before + AROUND_PAGES,
				area->part_pages);
	unsigned long nr;

	for (nr = first; nr < end; nr++) {
		unsigned long addr = (vmf->address & PAGE_MASK) +
				     ((nr - page_nr) << PAGE_SHIFT);
		void *at = cp_region_page(region, (u64)nr << PAGE_SHIFT);
		int ret;

		if (!at || nr == page_nr || addr < vma->vm_start ||
		    addr >= vma->vm_end)
			continue;
		ret = vm_insert_page(vma, addr, virt_to_page(at));
		/* -EBUSY: it is mapped already. */
		if (ret && ret != -EBUSY)
			break;
	}
}

static vm_fault_t area_vm_fault(struct vm_fault *vmf)
{
	struct cp_area *area = vmf->vma->vm_private_data;
	unsigned long index = vmf->pgoff / area->part_pages;
	unsigned long page_nr = vmf->pgoff % area->part_pages;
	struct cp_region *region;
	void *at;

	if (index >= area->nr_parts)
		return VM_FAULT_SIGBUS;
	/* Pairs with cp_area_add(). */
	region = smp_load_acquire(&area->regions[index]);
	if (!region)
		return VM_FAULT_SIGBUS;
	at = cp_region_at(region, (u64)page_nr << PAGE_SHIFT);
	if (!at)
		return VM_FAULT_SIGBUS;
	area_map_around(vmf, region, page_nr);
	vmf->page = virt_to_page(at);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct area_vm_ops = {
	.open	= area_vm_open,
	.close	= area_vm_close,
	.fault	= area_vm_fault,
};

/**
 * cp_area_mmap - map the area into the caller
 * @area: the area
 * @vma: the new mapping, as mmap() gives it
 *
 * The mapping stays read-only, because the kernel reads back what it wrote there. It is
 * not inherited and not dumped: neither a child nor a core dump of the master gets
 * the slave's memory.
 *
 * Return: 0; -EINVAL when @vma reaches beyond the area; -EACCES when it
 * would be writable or executable.
 */
int cp_area_mmap(struct cp_area *area, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff + vma_pages(vma) > cp_area_size(area) >> PAGE_SHIFT)
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;

	/* VM_MIXEDMAP: vm_insert_page() must not set it in a fault. */
	vm_flags_mod(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_MIXEDMAP,
		     VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &area_vm_ops;
	vma->vm_private_data = area;
	refcount_inc(&area->refs);
	return 0;
}
