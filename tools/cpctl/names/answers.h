/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers of the namer about addresses that were asked before. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "namer.h"

/* How many addresses are remembered. */
#define ANSWERS 1024

/*
 * struct answer - about an address
 * @known: there is an answer
 * @addr: the address
 * @nr: number of @parts
 * @parts: the answer
 */
struct answer {
	bool			known;
	uint64_t		addr;
	unsigned int		nr;
	struct wire_message	*parts;
};

/*
 * struct answers - to requests of one kind
 * @type: of the request
 * @slots: the answers, each at the place that its address leads to
 */
struct answers {
	enum wire_type	type;
	struct answer	slots[ANSWERS];
};

/*
 * answers_get() - the answer about an address; the namer is asked if need be
 *
 * It lives until the next call. Without a namer it has no parts.
 */
const struct answer *answers_get(struct answers *answers, struct namer *namer,
				 uint64_t addr);

/* answers_forget() - they are not true any more */
void answers_forget(struct answers *answers);

#endif /* ANSWERS_H */
