#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl rewind: an interpreter that is put back repeats what it has done; requests by lines,
# by SIGUSR1 and by time; refusals; the end of the process.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash

# start_counter: Python prints numbers, and the sum of a list of all of them; sets slave
start_counter()
{
	rm -f "$folder/said"
	python3 -IS -c '
import time
numbers = []
while True:
    numbers.append(len(numbers))
    print(len(numbers), sum(numbers), flush=True)
    time.sleep(0.02)' >>"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
}

# begin OPTION...: cpctl rewind, which reads lines from descriptor 7; sets master
begin()
{
	rm -f "$folder/lines"
	mkfifo "$folder/lines"
	exec 7<>"$folder/lines"
	env --default-signal cpctl rewind "$@" "$slave" <"$folder/lines" \
		>"$folder/out" 2>"$folder/errors" 7>&- &
	master=$!
	eventually grep -q 'snapshot of 1 thread' "$folder/errors"
}

# said LINE N: the counter has printed the line N times
said()
{
	[ "$(grep -cxF "$1" "$folder/said")" -eq "$2" ]
}

# longer N: the counter has printed more than N lines
longer()
{
	[ "$(wc -l <"$folder/said")" -gt "$1" ]
}

# next_line: a line that the counter prints after the snapshot
next_line()
{
	local before

	before=$(wc -l <"$folder/said")
	eventually longer $((before + 2))
	sed -n "$((before + 2))p" "$folder/said"
}

# repeats BACKWARDS: each line is the one after the last, but for this many that go back to the
# line after the snapshot, and the sum is right
repeats()
{
	awk -v backwards="$1" '
		$2 != $1 * ($1 - 1) / 2 { print "# sum of line " NR; bad = 1 }
		NR > 1 && $1 != last + 1 {
			if (back && $1 != back) { print "# line " NR " goes to " $1; bad = 1 }
			back = $1
			times++
		}
		{ last = $1 }
		END { if (times != backwards) print "# " times " times"; exit bad || times != backwards }
	' "$folder/said"
}

test_interpreter_repeats_itself()
{
	local line

	start_counter
	begin
	line=$(next_line)
	said "$line" 1
	echo >&7
	eventually said "$line" 2
	echo >&7
	eventually said "$line" 3
	kill -USR1 "$master"
	eventually said "$line" 4
	echo q >&7
	wait "$master"
	has errors 'put back 3: '
	grep -qE 'put back 1: [0-9]+ pages? restored, held for [0-9.]+[mu]?s' "$folder/errors"
	[ ! -s "$folder/out" ]
	slave_is_free
	stop_slave
	repeats 3
}

test_put_back_by_time()
{
	start_counter
	ends 0 cpctl rewind --count 3 --interval 0.3 --json "$slave"
	python3 -IS - "$slave" "$folder/out" <<-'END'
		import json, sys
		lines = [json.loads(line) for line in open(sys.argv[2])]
		assert [line["type"] for line in lines] == ["snapshot"] + ["put-back"] * 3, lines
		assert all(line["process"] == int(sys.argv[1]) for line in lines), lines
		assert all(line["held_ns"] > 0 for line in lines), lines
		assert lines[0]["threads"] == 1, lines
		assert [line["number"] for line in lines[1:]] == [1, 2, 3], lines
		assert all(line["pages"] > 0 for line in lines[1:]), lines
	END
	slave_is_free
	stop_slave
	repeats 3
}

is_traced()
{
	grep -q '^TracerPid:	[1-9]' "/proc/$slave/status"
}

start_tracer()
{
	strace -o /dev/null -p "$slave" 2>/dev/null &
	tracer=$!
	eventually is_traced
}

test_refused()
{
	local line

	start_counter
	start_tracer
	refuses 2 "there is no snapshot of process $slave: a debugger traces it" \
		cpctl rewind "$slave"
	kill "$tracer"
	wait "$tracer" || :
	eventually fails 1 is_traced
	begin --json
	line=$(next_line)
	start_tracer
	echo >&7
	eventually grep -q 'a debugger traces it: detach that, and try again' "$folder/errors"
	# The process continues, and the next request is served.
	kill "$tracer"
	wait "$tracer" || :
	eventually fails 1 is_traced
	said "$line" 1
	echo >&7
	eventually said "$line" 2
	echo q >&7
	fails 2 wait "$master"
	grep -q '"type":"refused",.*"error":"EBUSY"' "$folder/out"
	stop_slave
}

test_ends()
{
	start_counter
	# The end of the input.
	ends 0 cpctl rewind "$slave" </dev/null
	begin
	kill -INT "$master"
	wait "$master"
	has errors "interrupted; process $slave continues"
	slave_is_free
	begin
	stop_slave
	wait "$master"
	has errors "process $slave has ended: killed by signal 9"
	refuses 2 "there is no process or thread $slave" cpctl rewind "$slave"
}

tap_run "$@"
