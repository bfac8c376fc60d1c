// SPDX-License-Identifier: GPL-2.0-only
/* A cache of the namer's answers about addresses. */
#include <stdlib.h>
#include <string.h>

#include "answers.h"

static void forget(struct answer *answer)
{
	unsigned int i;

	for (i = 0; i < answer->nr; i++)
		wire_free(&answer->parts[i]);
	free(answer->parts);
	memset(answer, 0, sizeof(*answer));
}

/* A namer_part_fn: appends a part to the answer. */
static void keep_part(void *arg, const struct wire_message *part)
{
	struct answer *answer = arg;
	struct wire_message copy = *part;
	struct wire_message *parts;

	parts = reallocarray(answer->parts, answer->nr + 1, sizeof(*parts));
	if (!parts)
		return;
	answer->parts = parts;
	copy.fd = -1;
	copy.text = malloc((size_t)part->size + 1);
	if (!copy.text)
		return;
	memcpy(copy.text, part->text, (size_t)part->size + 1);
	parts[answer->nr++] = copy;
}

const struct answer *answers_get(struct answers *answers, struct namer *namer,
				 uint64_t addr)
{
	const struct wire_message request = {
		.type = answers->type,
		.value = addr,
		.fd = -1,
	};
	struct answer *answer = &answers->slots[addr % ANSWERS];
	struct wire_message done;

	if (answer->known && answer->addr == addr)
		return answer;
	/* The parts of a namer that failed are dropped: the next one reads less. */
	for (;;) {
		forget(answer);
		if (namer_ask(namer, &request, NULL, keep_part, answer, &done))
			break;
		if (namer->gone || !namer->around->maps)
			return answer;
	}
	wire_free(&done);
	answer->known = true;
	answer->addr = addr;
	return answer;
}

void answers_forget(struct answers *answers)
{
	size_t i;

	for (i = 0; i < ANSWERS; i++)
		forget(&answers->slots[i]);
}
