/* SPDX-License-Identifier: GPL-2.0-only */
/* Adding a member with a value to a JSON object. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

void member_string(struct json_object *object, const char *name, const char *value);
void member_number(struct json_object *object, const char *name, uint64_t value);
void member_int(struct json_object *object, const char *name, int64_t value);
void member_bool(struct json_object *object, const char *name, bool value);

#endif /* MEMBERS_H */
