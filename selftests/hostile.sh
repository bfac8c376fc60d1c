#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Recordings that somebody has damaged, or made to do harm: cpctl reads what
# makes sense, says what does not, and never crashes, hangs or takes all memory.
# CHECKPOINT_VARIANTS variants are made of each recording; CHECKPOINT_SEED makes
# others than the last time.
. "$(dirname "$0")/tap.bash"

selftests=$PWD/build/selftests
file=$folder/recording

# withstands STATUS COMMAND...: recorded with $options
withstands()
{
	local want=$1

	shift
	(ulimit -s 256
	 fails "$want" cpctl record "${options[@]}" -o "$file" -- "$@" \
		>/dev/null 2>&1)
	"$selftests/hostile" -n "${CHECKPOINT_VARIANTS:-300}" \
		-s "${CHECKPOINT_SEED:-1}" "$file"
}

test_crash()
{
	options=(--slots 12)
	withstands 139 "$selftests/doomed-static" segv main
}

test_all_of_a_life()
{
	options=(--stream --xstate)
	withstands 134 "$selftests/doomed-static" abrt handler
}

test_libraries()
{
	options=(--slots 6 --xstate)
	withstands 136 "$selftests/doomed-pie" fpe main
}

test_deep_stack()
{
	options=(--slots 6)
	withstands 139 "$selftests/doomed-static" overflow main
}

tap_run "$@"
