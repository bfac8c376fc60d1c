// SPDX-License-Identifier: GPL-2.0-only
/* The stack for people to read, one word per line. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "stack.h"

/* At least this number of consecutive zero words are printed as one line. */
#define ZEROES_MIN 4

uint64_t stack_range(const struct snapshot *snapshot,
		     const struct segment *segment, const struct view *view,
		     uint64_t *start)
{
	uint64_t sp = snapshot->head.regs.rsp;
	uint64_t into = sp - segment->info.addr;
	uint64_t size = segment->info.size;

	*start = segment->info.addr;
	if (view->full || into > size)
		return size;
	*start = sp;
	size -= into;
	return size < view->stack_bytes ? size : view->stack_bytes;
}

/*
 * struct word - a word of the stack
 * @addr: its address in the slave
 * @bytes: its bytes
 * @len: number of @bytes; fewer than a word at the end of the range
 * @value: its value
 * @changed: whether it was different or missing in the checkpoint before
 */
struct word {
	uint64_t		addr;
	const unsigned char	*bytes;
	size_t			len;
	uint64_t		value;
	bool			changed;
};

static void read_word(struct word *word, const struct snapshot *now,
		      const struct snapshot *before, uint64_t addr, size_t len)
{
	const unsigned char *old = snapshot_bytes(before, addr, len);

	word->addr = addr;
	word->len = len;
	word->bytes = snapshot_bytes(now, addr, len);
	word->value = 0;
	memcpy(&word->value, word->bytes, len);
	word->changed = before->nr_segments &&
			(!old || memcmp(old, word->bytes, len));
}

static void print_word(const struct printer *printer, const struct word *word,
		       uint64_t sp)
{
	const struct style *style = printer->style;
	int64_t distance = (int64_t)(word->addr - sp);
	struct symbol symbol;
	char ascii[9] = "";
	size_t i;

	for (i = 0; i < word->len; i++)
		ascii[i] = isascii(word->bytes[i]) && isprint(word->bytes[i]) ?
				   (char)word->bytes[i] : '.';
	fprintf(printer->out,
		"  0x%012" PRIx64 " %c0x%04" PRIx64 " %s0x%0*" PRIx64 "%s  |%s|",
		word->addr, distance < 0 ? '-' : '+',
		(uint64_t)(distance < 0 ? -distance : distance),
		word->changed ? style->changed : style->unchanged,
		(int)word->len * 2, word->value,
		word->changed ? style->end : "", ascii);
	if (symbols_find_return(printer->symbols, word->value, &symbol)) {
		fputs("  ", printer->out);
		symbol_print(printer, &symbol);
	}
	fputc('\n', printer->out);
}

/* Prints one line for @count zero words, the first of which is @word. */
static void print_zeroes(const struct printer *printer, struct word word,
			 uint64_t count, uint64_t sp)
{
	if (count >= ZEROES_MIN) {
		fprintf(printer->out, "  %*s%" PRIu64 " words of zeroes\n", 25,
			"", count);
		return;
	}
	for (; count; count--, word.addr += word.len)
		print_word(printer, &word, sp);
}

void stack_print(const struct printer *printer, const struct snapshot *now,
		 const struct snapshot *before, const struct segment *segment)
{
	size_t len = snapshot_word(now);
	uint64_t sp = now->head.regs.rsp;
	uint64_t addr, left, zeroes = 0;
	struct word word, zero = {};

	left = stack_range(now, segment, &printer->view, &addr);
	/* Stop after an error: each further write might block. */
	for (; left && !ferror(printer->out); left -= len, addr += len) {
		if (len > left)
			len = left;
		read_word(&word, now, before, addr, len);
		if (!word.value && !word.changed) {
			if (!zeroes++)
				zero = word;
			continue;
		}
		print_zeroes(printer, zero, zeroes, sp);
		zeroes = 0;
		print_word(printer, &word, sp);
	}
	print_zeroes(printer, zero, zeroes, sp);
}
