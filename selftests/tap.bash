# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The harness of tests in shell. Each test is a function test_NAME, which runs in
# a subshell with `set -e`: the test fails at the first command that fails, and the
# harness prints the line of that command. A test that cannot run here calls skip.
# `tap_run` runs the named tests, or all in the order of the file, and prints TAP.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/build/cpctl:$PATH
folder=$(mktemp -d)

skip()
{
	echo "# $*"
	exit 4
}

# fails STATUS COMMAND...: the command must exit with this status
fails()
{
	local want=$1 status=0

	shift
	"$@" || status=$?
	[ "$status" -eq "$want" ] || {
		echo "# $*: exit status $status, not $want"
		return 1
	}
}

# eventually COMMAND...: retry the command until it succeeds, for up to a minute
eventually()
{
	local try

	for ((try = 0; try < 600; try++)); do
		! "$@" || return 0
		sleep 0.1
	done
	echo "# never: $*"
	return 1
}

# in_sleep PID: the process is sleep(1), and is in clock_nanosleep(2)
in_sleep()
{
	[[ $(cat "/proc/$1/comm" "/proc/$1/syscall") == sleep$'\n'"230 "* ]]
}

# failed_at LINE COMMAND: print the place of a command that has failed, and its first
# line: the rest may be a whole script
failed_at()
{
	echo "# $0:$1: ${2%%$'\n'*}"
}

# tap_run [NAME...]
tap_run()
{
	local -a tests=("${@/#/test_}")
	local number=0 failed=0 status name begun

	[ $# -gt 0 ] || mapfile -t tests < <(sed -n 's/^\(test_[a-z0-9_]*\)()$/\1/p' "$0")
	echo "TAP version 13"
	echo "1..${#tests[@]}"
	for name in "${tests[@]}"; do
		number=$((number + 1))
		begun=$SECONDS
		status=0
		# Not as a condition of `if` or `||`: bash ignores `set -e` there.
		set +e
		(set -eE; trap 'failed_at "$LINENO" "$BASH_COMMAND"' ERR
		 "$name") </dev/null
		status=$?
		set -e
		case $status in
		0)	echo "ok $number ${name#test_} # $((SECONDS - begun)) s" ;;
		4)	echo "ok $number ${name#test_} # SKIP" ;;
		*)	echo "not ok $number ${name#test_}"
			failed=$((failed + 1)) ;;
		esac
	done
	rm -rf "$folder"
	[ "$failed" -eq 0 ]
}
