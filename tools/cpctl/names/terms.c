// SPDX-License-Identifier: GPL-2.0-only
/* Which files a namer may read, after earlier namers crashed on some of them. */
#include "terms.h"

enum reading terms_of(const struct terms *terms, uint64_t base)
{
	unsigned int i;

	for (i = 0; i < terms->nr_shunned; i++) {
		if (terms->shunned[i].base == base)
			return terms->shunned[i].reading > terms->reading ?
				       terms->shunned[i].reading :
				       terms->reading;
	}
	return terms->reading;
}

bool terms_shun(struct terms *terms)
{
	uint64_t base = *terms->blame;
	unsigned int i;

	for (i = 0; i < terms->nr_shunned; i++) {
		if (terms->shunned[i].base != base)
			continue;
		if (terms->shunned[i].reading == READ_NOTHING)
			return false;
		terms->shunned[i].reading++;
		return true;
	}
	if (i == SHUNNED_MAX || !base)
		return false;
	terms->shunned[i].base = base;
	terms->shunned[i].reading = terms->reading + 1;
	terms->nr_shunned++;
	return true;
}
