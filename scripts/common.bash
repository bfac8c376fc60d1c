# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Paths and messages that the scripts share. Sourced with `set -eu` in force.

# Used by the scripts that source this file.
# shellcheck disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Kernels are large, and the same for each checkout: they are cached outside of it.
# shellcheck disable=SC2034
cache=${CHECKPOINT_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/checkpoint}

# The prefix of messages; a script may set its own.
self=${self:-${0##*/}}

say()
{
	printf '%s: %s\n' "$self" "$*" >&2
}

die()
{
	say "$@"
	exit "${status:-1}"
}
