// SPDX-License-Identifier: GPL-2.0-only
/*
 * Target of libFuzzer for the readers of mappings and ELF files: the namer's work for
 * a process that has mapped a malicious file. The namer runs in the fuzzer's process,
 * and this file answers its requests in place of cpctl.
 *
 * An input is the text of /proc/PID/maps up to the first zero byte, in which '@'
 * stands for the file's name, and then the file. The beginning of the file is the
 * contents of each mapping, its end the contents of the stack.
 */
#include "target.h"

#include <fcntl.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "lookup.h"
#include "mapping.h"
#include "modules.h"
#include "source.h"
#include "walk.h"

#define STACK_BYTES	2048
#define STACK_ADDR	0x7ffff7000000

/* The current input: the file, and the text of the mappings. */
static struct {
	const uint8_t	*file;
	size_t		size;
	char		*maps;
} input;

static const uint8_t *memory_at(uint64_t addr, size_t *size)
{
	const size_t stack = input.size < STACK_BYTES ? input.size : STACK_BYTES;
	const char *text = input.maps;
	struct mapping mapping;
	uint64_t into = addr - STACK_ADDR;

	if (into < stack) {
		*size = stack - into;
		return input.file + input.size - stack + into;
	}
	while (mapping_next(&text, &mapping)) {
		into = addr - mapping.start;
		if (addr < mapping.start || addr >= mapping.end ||
		    into >= input.size)
			continue;
		*size = input.size - into;
		return input.file + into;
	}
	return NULL;
}

size_t ask_memory(uint64_t addr, void *to, size_t size)
{
	size_t most = 0;
	const uint8_t *from = memory_at(addr, &most);

	if (!from)
		return 0;
	if (size > most)
		size = most;
	memcpy(to, from, size);
	return size;
}

bool ask_all_memory(uint64_t addr, void *to, size_t size)
{
	return ask_memory(addr, to, size) == size;
}

int ask_mapped(uint64_t start)
{
	(void)start;
	return open(target_path(), O_RDONLY | O_CLOEXEC);
}

int ask_debuginfod(const void *id, size_t size)
{
	(void)id;
	(void)size;
	return -1;
}

void ask_to_warn(const char *path)
{
	(void)path;
}

static char *maps_of(const uint8_t *text, size_t size)
{
	char *maps = NULL;
	size_t length, i;
	FILE *out = open_memstream(&maps, &length);

	for (i = 0; i < size; i++) {
		if (text[i] == '@')
			fputs("/a/file", out);
		else
			fputc(text[i], out);
	}
	if (fclose(out))
		abort();
	return maps;
}

static const struct modules *current;

static void look_at(uint64_t addr)
{
	Dwfl_Module *module = modules_at(current, addr);
	struct place places[PLACES_MAX];
	struct found_symbol found = {};

	if (lookup_symbol(current, addr, &found))
		free(found.name);
	lookup_follows_call(current, addr);
	if (module && modules_reading(module) == READ_ALL)
		source_places(modules_units(module), module, addr, places,
			      PLACES_MAX);
}

static void look_at_frame(uint64_t pc, uint64_t addr)
{
	look_at(pc);
	look_at(addr);
}

/* Unwinds, and looks up the words of the stack as if they were addresses of code. */
static void look(const struct modules *modules)
{
	struct start start = { .max = 32 };
	char why[WALK_WHY_SIZE] = "";
	uint64_t missing, word;
	size_t i;

	current = modules;
	for (i = 0; i < WALK_REGS_NATIVE; i++)
		start.regs[i] = STACK_ADDR + 8 * i;
	if (ask_all_memory(STACK_ADDR, &word, sizeof(word)))
		start.regs[WALK_REGS_NATIVE - 1] = word;
	walk(modules, &start, look_at_frame, &missing, why);
	for (i = 0; i < 8; i++)
		if (ask_all_memory(STACK_ADDR + 8 * i, &word, sizeof(word)))
			look_at(word);
	look_at(0x401000);
	look_at(0x555555555010);
	lookup_address(modules, "_r_debug");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = strnlen((const char *)data, size);
	volatile uint64_t blame = 0;
	const struct terms terms = { .reading = READ_ALL, .blame = &blame };
	struct modules modules;

	if (length == size)
		return 0;
	elf_version(EV_CURRENT);
	input.maps = maps_of(data, length);
	input.file = data + length + 1;
	input.size = size - length - 1;
	target_write(input.file, input.size, false);
	if (modules_open(&modules, &terms)) {
		modules_report(&modules, strdup(input.maps));
		look(&modules);
		dwfl_end(modules.dwfl);
		free(modules.maps);
	}
	free(input.maps);
	return 0;
}
