/* SPDX-License-Identifier: GPL-2.0-only */
/* The numbers of the netlink family as words and as JSON. */
#ifndef WORDS_H
#define WORDS_H

#include <json-c/json.h>

#include "netlink.h"

/* state_word() - the word of sysfs for a state: "running", "slave-waiting" etc. */
const char *state_word(uint32_t state);

/* reason_name() - "none", "exited", "exec" or "detached" */
const char *reason_name(uint32_t reason);

/* words_names() - add the names of the slave and the master to @object */
void words_names(struct json_object *object, const struct pair_info *pair);

/* words_pair() - a pair with all its figures, as a new object of @type */
struct json_object *words_pair(const struct pair_info *pair, const char *type);

/* words_syscall() - add a system call to @object, if there is one */
void words_syscall(struct json_object *object, int number, uint32_t flags);

/* words_end() - add why a pair has ended, and the exit status if the slave exited */
void words_end(struct json_object *object, uint32_t reason, int status);

#endif /* WORDS_H */
