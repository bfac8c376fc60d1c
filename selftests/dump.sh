#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl dump: cores of all memory, which must be of one instant although the process keeps
# changing it; and where the kernel refuses a snapshot, of a process that is held.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash

# gdb opens cores of a static program faster.
program=$PWD/build/selftests/ledger-static

# start HOW...: sets slave, and rounds, the address of the counter of rounds
start()
{
	rm -f "$folder/said" "$folder/core"
	"$program" "$@" >"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
	rounds=$(cat "$folder/said")
}

# dump OPTION...: the file core
dump()
{
	ends 0 cpctl dump --timeout 60 -o "$folder/core" "$@" "$slave"
}

# in_gdb EXPRESSION=VALUE...: in the core, the expressions have these values
in_gdb()
{
	: >"$folder/expected"
	[ $# -eq 0 ] || printf '%s\n' "$@" >"$folder/expected"
	cat >"$folder/look.py" <<-END
		import gdb
		def number(text):
		    return int(gdb.parse_and_eval(text))
		words = [number("pages[%d].word" % i) for i in range(128)]
		words += [number("heap[%d].word" % i) for i in range(128)]
		assert all(a >= b for a, b in zip(words, words[1:])), words
		assert words[0] >= 2 and words[0] - words[-1] <= 1, words
		assert number("rounds") - words[0] in (0, 1), words
		for line in open("$folder/expected").read().split("\n")[:-1]:
		    text, value = line.rsplit("=", 1)
		    got = gdb.parse_and_eval(text)
		    got = got.string() if value[0].isalpha() else str(int(got))
		    assert got == value, (text, got)
		print("all is right")
	END
	gdb -batch -nx -iex 'set auto-load off' -x "$folder/look.py" \
		-ex 'thread apply all bt full' "$program" "$folder/core" \
		>"$folder/gdb" 2>&1 </dev/null
	has gdb 'all is right'
	# All threads, with their variables.
	[ "$(grep -c '^Thread ' "$folder/gdb")" -eq 3 ]
	grep -q '^#.* sleeper (' "$folder/gdb"
	grep -q '^#.* sweeper (' "$folder/gdb"
	grep -q '^#.* main (' "$folder/gdb"
	has gdb 'secret = 4711'
}

# counts: the rounds of the process now
counts()
{
	python3 -IS -c '
import sys
with open("/proc/%s/mem" % sys.argv[1], "rb", 0) as memory:
    memory.seek(int(sys.argv[2], 16))
    print(int.from_bytes(memory.read(8), "little"))' "$slave" "$rounds"
}

# writes PID: it sleeps in write(2)
writes()
{
	grep -qs '^1 0x' "/proc/$1/syscall" && sleeps "$1"
}

moves()
{
	[ "$(counts)" != "$1" ]
}

test_snapshot()
{
	program=$PWD/build/selftests/ledger-pie
	start
	dump
	has errors ': 3 threads and all private memory, '
	grep -q 'process [0-9]* was held for [0-9.]*[mu]s; writing took ' "$folder/errors"
	fails 1 grep -q 'while its memory was copied' "$folder/errors"
	[ "$(stat -c %a "$folder/core")" = 600 ]
	in_gdb
	grep -qa '^memory snapshot$' "$folder/core"
	eu-readelf -n "$folder/core" >/dev/null
	# The thread whose id is given comes first.
	ends 0 cpctl dump -o "$folder/core" "$(thread_of sleeper)"
	eu-stack -n 0 --core "$folder/core" -e "$program" >"$folder/eu" 2>/dev/null || :
	[ "$(grep -m 1 -oE ' (sleeper|sweeper|main)$' "$folder/eu")" = ' sleeper' ]
	stop_slave
}

# thread_of NAME
thread_of()
{
	local comm

	for comm in "/proc/$slave/task/"*/comm; do
		[ "$(cat "$comm")" != "$1" ] || basename "${comm%/comm}"
	done
}

test_static_program()
{
	start
	dump
	in_gdb
	stop_slave
}

# Nobody reads what cpctl writes, so it waits in write(2): the process does not.
test_process_runs_while_the_core_is_written()
{
	local before

	start
	mkfifo "$folder/fifo"
	cpctl dump -o - "$slave" >"$folder/fifo" 2>"$folder/errors" &
	master=$!
	exec 7<"$folder/fifo"
	eventually writes "$master"
	before=$(counts)
	eventually moves "$before"
	[ "$(cat /sys/class/misc/checkpoint/pairs_live)" -eq 0 ]
	cat <&7 >"$folder/core"
	exec 7<&-
	wait $master
	in_gdb
	rm "$folder/fifo"
	stop_slave
}

test_held_under_a_filter()
{
	start filtered
	dump
	has errors 'a seccomp filter, or syscall user dispatch, is active in it; it is held while its memory is copied'
	grep -q 'was held for .*, while its memory was copied; writing took' "$folder/errors"
	in_gdb
	grep -qa '^memory held$' "$folder/core"
	grep -qa 'held to the end$' "$folder/core"
	moves "$(counts)" || eventually moves "$(counts)"
	stop_slave
}

# Nobody reads what cpctl writes: the process has to wait.
test_held_on_request()
{
	local before

	start
	mkfifo "$folder/fifo"
	cpctl dump --no-snapshot --hold-limit 600 -o - "$slave" >"$folder/fifo" 2>"$folder/errors" &
	master=$!
	exec 7<"$folder/fifo"
	eventually writes "$master"
	before=$(counts)
	sleep 0.2
	[ "$(counts)" = "$before" ]
	cat <&7 >"$folder/core"
	exec 7<&-
	wait $master
	fails 1 grep -q 'there is no snapshot' "$folder/errors"
	has errors 'while its memory was copied'
	in_gdb
	rm "$folder/fifo"
	stop_slave
}

# What waits for the output might be the process itself.
test_limit_ends_the_hold()
{
	local before

	start
	mkfifo "$folder/fifo"
	cpctl dump --no-snapshot --hold-limit 0.3 -o - "$slave" >"$folder/fifo" 2>"$folder/errors" &
	master=$!
	exec 7<"$folder/fifo"
	eventually writes "$master"
	before=$(counts)
	eventually moves "$before"
	cat <&7 >"$folder/core"
	exec 7<&-
	wait $master
	has errors 'was held for 300ms, while its memory was copied'
	has errors 'the hold ended before all memory was copied: memory from 0x'
	grep -qa 'not held from 0x[0-9a-f]*$' "$folder/core"
	rm "$folder/fifo"
	stop_slave
}

test_compressed()
{
	start
	(cd "$folder" && ends 0 cpctl dump -z "$slave" && has errors "core.$slave.zst: ")
	[ "$(stat -c %s "$folder/core.$slave.zst")" -lt 400000 ]
	zstd -dqc "$folder/core.$slave.zst" >"$folder/core"
	in_gdb
	rm "$folder/core.$slave.zst"
	stop_slave
}

test_stacks_alone()
{
	start
	dump --stack-only
	has errors 'registers and stacks of 3 threads are those of one instant'
	[ "$(stat -c %s "$folder/core")" -lt 200000 ]
	gdb -batch -nx -iex 'set auto-load off' -ex 'print rounds' \
		"$program" "$folder/core" >"$folder/gdb" 2>&1 </dev/null || :
	has gdb 'Cannot access memory'
	ends 0 cpctl dump --thread -o "$folder/core" "$slave"
	has errors 'registers and stack are those of the checkpoint'
	stop_slave
}

test_zeroes_are_holes()
{
	start large
	dump
	[ "$(stat -c %s "$folder/core")" -gt $((16 << 30)) ]
	[ $(($(stat -c %b "$folder/core") * 512)) -lt $((8 << 20)) ]
	in_gdb 'large[(16UL << 30) - 1]=76' 'large[0]=0'
	dump --no-snapshot
	[ $(($(stat -c %b "$folder/core") * 512)) -lt $((8 << 20)) ]
	stop_slave
}

# Areas that no child gets are read while the process is held.
test_memory_that_a_snapshot_lacks()
{
	start withheld
	dump
	fails 1 grep -q 'are missing' "$folder/errors"
	in_gdb 'not_forked=not forked' 'wiped=wiped'
	gdb -batch -nx -iex 'set auto-load off' -ex 'print not_dumped' \
		"$program" "$folder/core" >"$folder/gdb" 2>&1 </dev/null || :
	has gdb 'Cannot access memory'
	stop_slave
}

test_filter()
{
	local small

	start
	dump
	small=$(stat -c %s "$folder/core")
	gdb -batch -nx -iex 'set auto-load off' -ex 'print shared' \
		"$program" "$folder/core" >"$folder/gdb" 2>&1 </dev/null || :
	has gdb 'Cannot access memory'
	dump --filter 0x33
	in_gdb 'shared=shared words'
	# Pages of files, which are not of the process.
	dump --filter 35
	[ "$(stat -c %s "$folder/core")" -gt $((small + 400000)) ]
	stop_slave
}

test_no_room()
{
	start
	mkdir -p "$folder/tiny"
	mount -t tmpfs -o size=300k tmpfs "$folder/tiny"
	for option in --no-snapshot --hold-limit=5 --compress; do
		[ $option != --compress ] || mount -o remount,size=8k "$folder/tiny"
		refuses 2 "cannot write $folder/tiny/core: No space left on device" \
			cpctl dump $option -o "$folder/tiny/core" "$slave"
		[ -z "$(ls -A "$folder/tiny")" ]
	done
	umount "$folder/tiny"
	fails 2 cpctl dump -o - "$slave" >&- 2>"$folder/errors"
	has errors 'cannot print: standard output is closed'
	fails 2 cpctl dump -o - "$slave" >/dev/full 2>"$folder/errors"
	has errors 'cannot write -: No space left'
	eventually moves "$(counts)"
	stop_slave
}

test_interrupted()
{
	start
	mkfifo "$folder/fifo"
	for option in --no-snapshot --filter=31; do
		env --default-signal cpctl dump $option -o - "$slave" \
			>"$folder/fifo" 2>"$folder/errors" &
		master=$!
		exec 7<"$folder/fifo"
		eventually writes "$master"
		kill -INT $master
		fails 2 wait $master
		has errors "interrupted; process $slave continues"
		exec 7<&-
		eventually moves "$(counts)"
	done
	rm "$folder/fifo"
	stop_slave
}

test_usage()
{
	refuses_usage <<-'END'
		--filter|dump --stack-only --filter 1 1
		--no-snapshot|dump --thread --no-snapshot 1
		--hold-limit|dump --nudge --hold-limit 1 1
		'200' is not valid for --filter: expected a hexadecimal number up to 0x1ff|dump --filter 200 1
		'x' is not valid for --filter|dump --filter x 1
		'0' is not valid for --hold-limit|dump --hold-limit 0 1
	END
}

tap_run "$@"
