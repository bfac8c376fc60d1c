/* SPDX-License-Identifier: GPL-2.0-only */
/* A cache of the namer's answers about addresses. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "namer.h"

/* The number of addresses in the cache. */
#define ANSWERS 1024

/*
 * struct answer - the answer about an address
 * @known: whether the other members are valid
 * @addr: the address
 * @nr: number of @parts
 * @parts: the parts of the answer
 */
struct answer {
	bool			known;
	uint64_t		addr;
	unsigned int		nr;
	struct wire_message	*parts;
};

/*
 * struct answers - the answers to requests of one type
 * @type: the type of the requests
 * @slots: the answers, each at an index computed from its address
 */
struct answers {
	enum wire_type	type;
	struct answer	slots[ANSWERS];
};

/*
 * answers_get() - get the answer about an address, from the cache or from the namer
 *
 * The answer is valid until the next call. If the namer has failed, the answer has no
 * parts.
 */
const struct answer *answers_get(struct answers *answers, struct namer *namer,
				 uint64_t addr);

/* answers_forget() - forget all answers: the process has other mappings now */
void answers_forget(struct answers *answers);

#endif /* ANSWERS_H */
