// SPDX-License-Identifier: GPL-2.0-only
/* The numbers of the netlink family as words and as JSON. */
#include <stdlib.h>
#include <sys/wait.h>

#include <linux/checkpoint.h>

#include "entry.h"
#include "members.h"
#include "text.h"
#include "words.h"

const char *state_word(uint32_t state)
{
	switch (state) {
	case CP_NL_STATE_RUNNING:
		return "running";
	case CP_NL_STATE_SLAVE_WAITING:
		return "slave-waiting";
	case CP_NL_STATE_MASTER_WAITING:
		return "master-waiting";
	case CP_NL_STATE_OVER:
		return "over";
	case CP_NL_STATE_HELD:
		return "held";
	default:
		return "unknown";
	}
}

const char *reason_name(uint32_t reason)
{
	switch (reason) {
	case CP_END_NONE:
		return "none";
	case CP_END_EXITED:
		return "exited";
	case CP_END_EXEC:
		return "exec";
	case CP_END_DETACHED:
		return "detached";
	case CP_END_PUT_BACK:
		return "put-back";
	default:
		return "unknown";
	}
}

void words_names(struct json_object *object, const struct pair_info *pair)
{
	member_number(object, "slave", (uint64_t)pair->slave);
	member_string(object, "slave_command", pair->slave_comm);
	member_number(object, "master", (uint64_t)pair->master);
	member_string(object, "master_command", pair->master_comm);
	member_number(object, "uid", pair->uid);
	member_string(object, "user", figure_user(pair->uid));
}

void words_syscall(struct json_object *object, int number, uint32_t flags)
{
	char *name = syscall_name(number, flags);

	if (number >= 0)
		member_number(object, "syscall", (uint64_t)number);
	if (name)
		member_string(object, "syscall_name", name);
	free(name);
}

void words_end(struct json_object *object, uint32_t reason, int status)
{
	member_string(object, "reason", reason_name(reason));
	if (reason == CP_END_EXITED && WIFEXITED(status))
		member_number(object, "exit_status", (uint64_t)WEXITSTATUS(status));
	if (reason == CP_END_EXITED && WIFSIGNALED(status))
		member_number(object, "signal", (uint64_t)WTERMSIG(status));
}

struct json_object *words_pair(const struct pair_info *pair, const char *type)
{
	struct json_object *object = json_object_new_object();
	struct json_object *histogram = json_object_new_array();
	unsigned int i;

	member_string(object, "type", type);
	words_names(object, pair);
	member_number(object, "threads", pair->threads);
	member_number(object, "unseen", pair->unseen);
	member_string(object, "state", state_word(pair->state));
	member_number(object, "made_ns", pair->made);
	member_number(object, "taken", pair->taken);
	member_number(object, "missed", pair->missed);
	member_number(object, "bytes", pair->bytes);
	member_number(object, "held_ns", pair->held);
	member_number(object, "held_max_ns", pair->held_max);
	for (i = 0; i < CP_NL_HELD_BUCKETS; i++)
		json_object_array_add(histogram,
				      json_object_new_uint64(pair->held_histogram[i]));
	json_object_object_add(object, "held_histogram", histogram);
	words_syscall(object, pair->last_syscall, pair->flags);
	return object;
}
