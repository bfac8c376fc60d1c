// SPDX-License-Identifier: GPL-2.0-only
/* The names of code addresses of a process, from its ELF files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "code.h"
#include "namer.h"
#include "symbols.h"

/*
 * struct symbols - the symbols of a process
 * @code: the address ranges of its code
 * @namer: the namer, which reads the files
 * @functions: answers to WIRE_SYMBOL, about addresses
 * @returns: answers to WIRE_RETURN, about return addresses
 * @places: answers to WIRE_PLACES, about places in the source
 */
struct symbols {
	struct code	code;
	struct namer	namer;
	struct answers	functions;
	struct answers	returns;
	struct answers	places;
};

struct symbols *symbols_open(struct surroundings *around)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return NULL;
	symbols->functions.type = WIRE_SYMBOL;
	symbols->returns.type = WIRE_RETURN;
	symbols->places.type = WIRE_PLACES;
	if (namer_open(&symbols->namer, around, READ_ALL)) {
		symbols_close(symbols);
		errno = ENOMEM;
		return NULL;
	}
	return symbols;
}

static void forget(struct symbols *symbols)
{
	answers_forget(&symbols->functions);
	answers_forget(&symbols->returns);
	answers_forget(&symbols->places);
}

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	namer_close(&symbols->namer);
	forget(symbols);
	code_free(&symbols->code);
	free(symbols);
}

void symbols_refresh(struct symbols *symbols)
{
	if (!code_refresh(&symbols->code, symbols->namer.around->maps))
		return;
	namer_refresh(&symbols->namer);
	forget(symbols);
}

static bool find(struct symbols *symbols, struct answers *answers,
		 uint64_t addr, struct symbol *symbol)
{
	const struct answer *answer = answers_get(answers, &symbols->namer,
						  addr);
	const struct wire_message *found = answer->nr ? answer->parts : NULL;
	const char *file = found ? wire_text(found, 0) : NULL;
	const char *slash = file ? strrchr(file, '/') : NULL;

	if (!file)
		return false;
	symbol->module = slash ? slash + 1 : file;
	symbol->name = wire_text(found, 1);
	symbol->offset = found->value;
	return true;
}

bool symbols_find(struct symbols *symbols, uint64_t addr,
		  struct symbol *symbol)
{
	const struct code_range *range = code_find(&symbols->code, addr);

	if (find(symbols, &symbols->functions, addr, symbol))
		return true;
	if (!range || !range->file)
		return false;
	symbol->name = NULL;
	symbol->module = range->file;
	symbol->offset = addr - range->base;
	return true;
}

bool symbols_find_return(struct symbols *symbols, uint64_t addr,
			 struct symbol *symbol)
{
	if (!code_find(&symbols->code, addr - 1) ||
	    !find(symbols, &symbols->returns, addr, symbol))
		return false;
	symbol->offset++;
	return true;
}

unsigned int symbols_places(struct symbols *symbols, uint64_t addr,
			    struct place places[PLACES_MAX])
{
	const struct answer *answer;
	unsigned int i;

	if (!code_find(&symbols->code, addr))
		return 0;
	answer = answers_get(&symbols->places, &symbols->namer, addr);
	for (i = 0; i < answer->nr && i < PLACES_MAX; i++) {
		const struct wire_message *part = &answer->parts[i];

		places[i].function = wire_text(part, 0);
		places[i].file = wire_text(part, 1);
		places[i].line = (int)part->value;
	}
	return i;
}

uint64_t symbols_address(struct symbols *symbols, const char *name)
{
	const struct wire_message request = {
		.type = WIRE_LOCATE,
		.text = (char *)name,
		.size = (uint32_t)strlen(name),
		.fd = -1,
	};
	struct wire_message done;
	uint64_t addr = 0;

	if (namer_ask(&symbols->namer, &request, NULL, NULL, NULL, &done)) {
		addr = done.value;
		wire_free(&done);
	}
	return addr;
}

struct namer *symbols_namer(struct symbols *symbols)
{
	return &symbols->namer;
}
