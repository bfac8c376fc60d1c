# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For tests of cpctl, after tap.bash: to run it and judge what it says, to start
# and stop slaves and masters. "$slave" and "$master" are the last ones started.
# shellcheck disable=SC2034,SC2154 # of and for others

# Nobody has to get at the programs in it, too.
chmod 755 "$folder"
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# ends STATUS COMMAND...: with what it prints in the files out and errors
ends()
{
	local want=$1 status=0

	shift
	"$@" >"$folder/out" 2>"$folder/errors" || status=$?
	[ "$status" -eq "$want" ] || {
		echo "# $*: exit status $status, not $want"
		sed 's/^/# /' "$folder/errors"
		return 1
	}
}

# has FILE TEXT
has()
{
	grep -qF -e "$2" "$folder/$1" || {
		echo "# no '$2' in:"
		head -n 20 "$folder/$1" | sed 's/^/# /'
		return 1
	}
}

# refuses STATUS TEXT COMMAND...: says so on standard error only
refuses()
{
	local status=$1 text=$2

	shift 2
	ends "$status" "$@"
	has errors "$text"
	[ ! -s "$folder/out" ]
}

# refuses_usage: each line CULPRIT|ARGUMENT... of standard input
refuses_usage()
{
	local culprit arguments

	while IFS='|' read -r culprit arguments; do
		# shellcheck disable=SC2086 # words
		refuses 1 "$culprit" cpctl $arguments
		has errors "--help'."
	done
}

# loader_entry: a pattern for the dynamic loader's first instruction, as cpctl names
# it. The loader's own symbol table is in a package of debug symbols.
loader_entry()
{
	local loader=ld-linux-x86-64.so.2

	printf '(_start\+0x0 \(%s\)( at .*)?|\[%s\]\+%s)' "$loader" "$loader" \
		"$(readelf -h "/lib64/$loader" | sed -n 's/.*Entry point address: *//p')"
}

# leave_nothing: nothing of the test outlives it, however it ends.
leave_nothing()
{
	trap 'jobs -p | xargs -r kill -KILL 2>/dev/null || :' EXIT
}

slave_begins()
{
	slave=$1
	leave_nothing
}

sleeps()
{
	grep -q '^State:	S' "/proc/$1/status"
}

# Whatever starts a slave waits until it is what it is to become.
is_asleep()
{
	sleeps "$1" && [ "$(cat "/proc/$1/comm")" = "${2:-sleep}" ]
}

is_stopped()
{
	grep -q '^State:	T' "/proc/$1/status"
}

start_sleeper()
{
	"$@" sleep 1000 >/dev/null 2>&1 &
	slave_begins $!
	eventually in_sleep "$slave"
}

start_spinner()
{
	(while :; do :; done) &
	slave_begins $!
}

stop_slave()
{
	kill -KILL "$slave"
	wait "$slave" 2>/dev/null || :
}

is_master_of()
{
	grep -qs "^slave:	$2\$" "/proc/$1/fdinfo/"*
}

# start_master COMMAND...: cpctl, as from a terminal, with signals at default
start_master()
{
	rm -f "$folder/checkpoints"
	env --default-signal "$@" >"$folder/checkpoints" 2>"$folder/errors" &
	master=$!
	eventually test -s "$folder/checkpoints"
}

# compile NAME: from standard input
compile()
{
	gcc -O0 -g -x c -o "$folder/$1" -
}
