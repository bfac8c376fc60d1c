#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
usage: netlink-spec.py SPEC CC-COMMAND...

Compare a netlink specification with the UAPI headers. Each name of the specification
must be a constant of the headers with the same value, and each constant of the headers
must have a name in the specification. The compiler evaluates the constants.
"""
import re
import subprocess
import sys

import yaml

HEADERS = ("#include <linux/checkpoint.h>\n"
           "#include <linux/checkpoint_netlink.h>\n")


def upper(name):
    return name.upper().replace("-", "_")


def enum(spec, kind):
    """Yield the names and values of an enum or of flags."""
    for definition in spec["definitions"]:
        if definition["name"] == kind:
            break
    value = definition.get("value-start", 0)
    for entry in definition["entries"]:
        name = entry["name"] if isinstance(entry, dict) else entry
        yield upper(name), 1 << value if definition["type"] == "flags" else value
        value += 1


def said_by_spec(spec):
    """Return the constants that the specification defines, with their values."""
    said = {}
    for number, op in enumerate(spec["operations"]["list"], 1):
        said[upper(spec["operations"]["name-prefix"] + op["name"])] = number
    for attributes in spec["attribute-sets"]:
        for number, attribute in enumerate(attributes["attributes"], 1):
            said["CP_NL_A_" + upper(attribute["name"])] = number
    for kind, prefix in (("state", "CP_NL_STATE_"), ("event", "CP_NL_EVENT_"),
                         ("reason", "CP_END_"), ("entry", "CP_ENTRY_"),
                         ("checkpoint-flags", "CP_CHECKPOINT_")):
        for name, value in enum(spec, kind):
            said[prefix + name] = value
    for definition in spec["definitions"]:
        if definition["type"] == "const":
            said["CP_NL_" + upper(definition["name"])] = definition["value"]
    said["CP_NL_FAMILY_NAME"] = spec["name"]
    said["CP_NL_FAMILY_VERSION"] = spec.get("version", 1)
    return said


def compiler(command, arguments, text):
    return subprocess.run(command + arguments, input=text, text=True,
                          check=True, stdout=subprocess.PIPE).stdout


def names_of_header(command):
    """Return the constants of the two headers that the specification must define."""
    macros = compiler(command, ["-E", "-dM", "-xc", "-"], HEADERS)
    enums = compiler(command, ["-E", "-P", "-xc", "-"], HEADERS)
    names = set(re.findall(r"#define (CP_(?:NL|END|ENTRY|CHECKPOINT)_\w+)", macros))
    names |= set(re.findall(r"\b(CP_NL_\w+)", enums))
    return names - {"CP_NL_CMD_MAX", "CP_NL_A_MAX"}


def check(spec, command):
    said = said_by_spec(spec)
    wrong = 0
    names = names_of_header(command)
    for name in sorted(names ^ set(said)):
        print(f"# {name}: only in the", "header" if name in names else "specification")
        wrong += 1
    program = HEADERS
    for name in sorted(names & set(said)):
        if isinstance(said[name], str):
            test = f'!__builtin_strcmp({name}, "{said[name]}")'
        else:
            test = f"({name}) == {said[name]}"
        program += f'_Static_assert({test}, "{name} is not {said[name]}");\n'
    try:
        compiler(command, ["-fsyntax-only", "-xc", "-"], program)
    except subprocess.CalledProcessError:
        wrong += 1
    return wrong


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    return 1 if check(spec, sys.argv[2:]) else 0


if __name__ == "__main__":
    sys.exit(main())
