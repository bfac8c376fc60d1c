# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts share: where things are, and how they give up.
# To be sourced with `set -eu` in force.

# Read by those who source this file.
# shellcheck disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Kernels are big and the same for every checkout: they live outside of it.
# shellcheck disable=SC2034
cache=${CHECKPOINT_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/checkpoint}

# The name to complain under; a script may set its own.
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
