#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl record -f: the recorder follows the children of the program, what they execute, and
# their children.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash
# shellcheck source=selftests/recordings.bash
. selftests/recordings.bash

mode=(-ff)

# follow STATUS COMMAND...: the command, recorded with the options of $mode, ends with this
# status, and nothing of it is missing
follow()
{
	rm -f "$file" "$file".*
	ends "$1" cpctl record "${mode[@]}" -o "$file" -- "${@:2}"
	if grep -qE 'not recorded|missing|some time|before it could' \
		"$folder/errors"; then
		sed 's/^/# /' "$folder/errors"
		return 1
	fi
}

# follow_begins COMMAND...: the same in the background, by $recorder, until it prints something
follow_begins()
{
	rm -f "$file" "$file".* "$folder/said"
	env --default-signal cpctl record "${mode[@]}" -o "$file" "$@" \
		>"$folder/said" 2>"$folder/errors" &
	recorder=$!
	leave_nothing
	eventually test -s "$folder/said"
	task=$(tail -n 1 "$folder/said")
}

# recordings: the number of files
recordings()
{
	find "$folder" -name 'recording.*' | wc -l
}

there_are()
{
	[ "$(recordings)" -eq "$1" ]
}

# the_crashed SIGNAL: sets file to the only one whose process was killed by this signal
the_crashed()
{
	local one found=()

	for one in "$file".*; do
		if cpctl log --json "$one" | tail -n 1 | grep -q "\"signal\":$1"; then
			found+=("$one")
		fi
	done
	same crashed 1 "${#found[@]}"
	file=${found[0]}
}

# The program ends as without the recorder; the crash is in the file of its process.
test_grandchild()
{
	program=$doomed-pie
	follow 7 "$doomed-pie" segv grandchild
	the_crashed 11
	same recordings 3 "$(recordings)"
	has errors "killed by signal 11 (Segmentation fault)"
	has_died 11 0x10
	backtrace
	same bt "touch $inner begin main " \
		"$(cut -d ' ' -f 2 "$folder/bt" | ours)"
}

# is_master_of_one SUPERVISOR SLAVE: one of its recorders is
is_master_of_one()
{
	local master

	# shellcheck disable=SC2013 # words
	for master in $(cat "/proc/$1/task/$1/children"); do
		! is_master_of "$master" "$2" || return 0
	done
	return 1
}

# All processes are in one file: bt begins with the one that crashed, and each verb takes any.
test_one_file()
{
	local first

	mode=(-f)
	follow 3 sh -c "$doomed-pie segv child; exit 3"
	same recordings 0 "$(recordings)"
	has errors "recording: 3 processes, "
	cpctl bt "$file" >"$folder/bt"
	first=$(sed -n '1s/^PID \([0-9]*\) doomed-pie, killed by signal 11:$/\1/p' \
		"$folder/bt")
	[ "$first" ]
	same processes 3 "$(grep -c '^PID ' "$folder/bt")"
	cpctl bt --frames 0 --json "$file" >"$folder/json"
	same calls "touch $inner begin descend main " "$(grep "\"process\":$first," \
		"$folder/json" | grep '"type":"backtrace"' | head -n 1 | frames "" |
		cut -d ' ' -f 2 | grep -xE "touch|begin|descend|main|${inner// /|}" | tr '\n' ' ')"
	cpctl show "$file" >"$folder/out" 2>"$folder/errors"
	has errors "has 3 processes: this is process $first (doomed-pie); --pid selects another"
	has out "killed by SIGSEGV"
	cpctl log --json --pid "$first" "$file" | unbroken
	cpctl log "$file" >"$folder/log"
	same processes 3 "$(grep -c '^PID ' "$folder/log")"
	cpctl dump --pid "$first" "$file" -o "$folder/core" 2>/dev/null
	[ "$(head -c 4 "$folder/core" | tail -c 3)" = ELF ]
	cpctl diff --json --pid "$first" "$file" -2 -1 | grep -q "\"process\":$first,"
	refuses 2 "there is no process 1 in it" cpctl show --pid 1 "$file"
}

# SIGUSR1 writes what there is of all processes; the end replaces it.
test_one_file_on_demand()
{
	mode=(-f)
	# shellcheck disable=SC2016 # for the inner shell
	follow_begins -- sh -c 'sleep 1000 & echo $!; wait; exit 8'
	eventually is_asleep "$task"
	kill -USR1 "$recorder"
	eventually test -e "$file"
	same processes 2 "$(cpctl log "$file" | grep -c '^PID ')"
	same end 1 "$(cpctl log --pid "$task" "$file" | grep -c '(it continues)')"
	kill "$task"
	fails 8 wait "$recorder"
	same end 1 "$(cpctl log --pid "$task" "$file" | grep -c '(killed by signal 15)')"
	same recordings 0 "$(recordings)"
}

test_stream()
{
	local options

	for options in "--stream" "--stream --wait"; do
		# shellcheck disable=SC2206 # words
		mode=(-f $options)
		follow 5 sh -c "env A=1 $doomed-pie segv child; exit 5"
		cpctl bt "$file" >"$folder/bt"
		grep -q '^PID [0-9]* doomed-pie, killed by signal 11' "$folder/bt"
		grep -q ' touch+' "$folder/bt"
	done
}

# The parents of the daemon exit before it has begun. cpctl waits for the daemon.
test_daemon()
{
	program=$doomed-pie
	follow 0 "$doomed-pie" abrt daemon
	same recordings 3 "$(recordings)"
	the_crashed 6
	backtrace
	same bt "give_up $inner begin main " \
		"$(cut -d ' ' -f 2 "$folder/bt" | ours)"
}

# Each program that a child executes is recorded from its first instruction on.
test_exec_chain()
{
	follow 139 sh -c "exec env A=1 sh -c 'exec $doomed-pie segv main'"
	same recordings 1 "$(recordings)"
	the_crashed 11
	cpctl log "$file" >"$folder/log"
	has log "(exec: $doomed-pie segv main)"
	! grep 'first states are missing' "$folder/log" || return 1

	file=$folder/recording
	rm -f "$folder"/recording.*
	follow 3 sh -c "env A=1 $doomed-pie segv main; exit 3"
	same recordings 2 "$(recordings)"
	the_crashed 11
	program=$doomed-pie
	backtrace
	same bt "touch $inner begin main " \
		"$(cut -d ' ' -f 2 "$folder/bt" | ours)"
}

# posix_spawn(3) uses vfork.
test_vfork_and_exec()
{
	follow 5 python3 -ISc '
import os, sys
pid = os.posix_spawn(sys.argv[1], [sys.argv[1], "fpe", "main"], {})
status = os.waitpid(pid, 0)[1]
sys.exit(5 if os.WTERMSIG(status) == 8 else 1)' "$doomed-pie"
	same recordings 2 "$(recordings)"
	the_crashed 8
	program=$doomed-pie
	backtrace
	same bt "divide $inner begin main " \
		"$(cut -d ' ' -f 2 "$folder/bt" | ours)"
}

# The output is as without, and each process has its recording.
test_many_brief_children()
{
	# shellcheck disable=SC2016 # for the inner shell
	local script='for i in $(seq 20); do /bin/echo $i; done; (exit 4)'

	follow 4 sh -c "$script"
	same out "$(seq 20)" "$(cat "$folder/out")"
	# The shell, seq, the 20, and the last subshell.
	same recordings 23 "$(recordings)"
	has errors "recording.*: 23 processes, "
}

# As many at once as there are: a pool of workers.
test_workers()
{
	follow 0 python3 -ISc '
import multiprocessing, os
with multiprocessing.get_context("fork").Pool(4) as pool:
    print(sum(pool.map(abs, range(-100, 0))))'
	same out 5050 "$(cat "$folder/out")"
	[ "$(recordings)" -ge 5 ]
}

# A build in which several compilers run at once makes what it makes without a recorder.
test_parallel_build()
{
	type make gcc >"$folder/out" || skip "no compiler"
	mkdir "$folder/build"
	echo 'int a(void) { return 1; }' >"$folder/build/a.c"
	echo 'int b(void) { return 2; }' >"$folder/build/b.c"
	printf 'all: a.s b.s\n%%.s: %%.c\n\tgcc -S -o $@ $<\n' \
		>"$folder/build/Makefile"
	mode=(-f)
	follow 0 make -s -j2 -C "$folder/build"
	grep -q '^a:' "$folder/build/a.s"
	grep -q '^b:' "$folder/build/b.s"
	# make; and for each file gcc and the compiler.
	[ "$(cpctl log "$file" | grep -c '^PID ')" -ge 5 ]
}

# The first process ends before its child: cpctl waits for both.
test_orphan()
{
	rm -f "$folder/pipe"
	mkfifo "$folder/pipe"
	exec 8<>"$folder/pipe"
	follow_begins -- sh -c 'sh -c "echo begun; read x; exit 6" <&8 & exit 2'
	# The file of the first process is complete then.
	eventually there_are 1
	kill -0 "$recorder"
	tell
	fails 2 wait "$recorder"
	same recordings 2 "$(recordings)"
}

# All files are written, and all processes continue.
test_interrupt()
{
	local one

	# shellcheck disable=SC2016 # for the inner shell
	follow_begins -- sh -c 'sleep 1000 & echo $$ $!; wait'
	eventually is_asleep "${task#* }"
	kill -INT "$recorder"
	fails 0 wait "$recorder"
	for one in $task; do
		kill -0 "$one"
		[ "$(cpctl log --json "$file.$one" | grep -c '"type":"log"')" -gt 0 ]
		kill "$one"
	done
	has errors "interrupted"
}

# SIGTERM is for the program; SIGUSR1 writes all files at once.
test_signals()
{
	# shellcheck disable=SC2016 # for the inner shell
	follow_begins -- sh -c 'sleep 1000 & trap "kill $!; exit 9" TERM; echo $!; wait'
	eventually is_asleep "$task"
	kill -USR1 "$recorder"
	eventually test -e "$file.$task"
	eventually there_are 2
	kill -TERM "$recorder"
	fails 9 wait "$recorder"
	has errors "process $task (sleep) has ended: killed by signal 15"
}

# A child waits for its recorder, however long that takes to start on a busy machine.
test_recorder_that_starts_late()
{
	rm -f "$folder/pipe"
	mkfifo "$folder/pipe"
	exec 8<>"$folder/pipe"
	follow_begins -- sh -c 'echo begun; read x <&8; /bin/echo a; exit 3'
	kill -STOP "$recorder"
	eventually is_stopped "$recorder"
	tell
	# Twice the module's limit.
	sleep 2
	kill -CONT "$recorder"
	fails 3 wait "$recorder"
	same recordings 2 "$(recordings)"
	! grep 'some time' "$folder/errors" || return 1
}

# A recorder that is killed leaves its process running; that is told.
test_killed_recorder()
{
	local master

	# shellcheck disable=SC2016 # for the inner shell
	follow_begins -- sh -c 'sleep 1000 & echo $!; wait; exit 8'
	eventually is_asleep "$task"
	# shellcheck disable=SC2013 # words
	for master in $(cat "/proc/$recorder/task/$recorder/children"); do
		! is_master_of "$master" "$task" || kill -KILL "$master"
	done
	eventually grep -q "the recorder of process $task was killed by signal 9" \
		"$folder/errors"
	kill "$task"
	fails 8 wait "$recorder"
	has errors "1 process was not recorded"
}

# A limit of the kernel: the children run without being recorded, and that is reported. They
# do not wait until the kernel would let them go.
test_refused()
{
	local most=/sys/module/checkpoint/parameters/pairs_per_user before
	local trace=/sys/kernel/tracing/instances/follow

	mkdir -p $trace
	echo cp_newcomer_let_go >$trace/set_ftrace_filter
	echo function >$trace/current_tracer
	before=$(cat $most)
	mkdir "$folder/nobody"
	chmod 777 "$folder/nobody"
	chmod 666 /dev/checkpoint
	echo 1 >$most
	ends 0 "${as_nobody[@]}" cpctl record -ff -o "$folder/nobody/one" -- \
		sh -c '/bin/echo a; /bin/echo b; :'
	echo "$before" >$most
	chmod 600 /dev/checkpoint
	same out "$(printf 'a\nb')" "$(cat "$folder/out")"
	has errors "you have as many pairs as a user may have"
	has errors "2 processes were not recorded"
	# By the recorder of each, and by cpctl when that has ended.
	[ "$(grep -c ': cp_newcomer_let_go <-' $trace/trace)" -ge 2 ]
	echo nop >$trace/current_tracer
	rmdir $trace
	same recordings 1 "$(find "$folder/nobody" -name 'one.*' | wc -l)"
}

# What it creates from then on.
test_running_process()
{
	rm -f "$folder/pipe" "$file".*
	mkfifo "$folder/pipe"
	exec 8<>"$folder/pipe"
	sh -c "read x; $doomed-pie segv child; exit 3" <&8 &
	slave_begins $!
	cpctl record -ff -o "$file" "$slave" 2>"$folder/errors" &
	recorder=$!
	eventually is_master_of_one "$recorder" "$slave"
	tell
	fails 3 wait "$slave"
	fails 0 wait "$recorder"
	same recordings 3 "$(recordings)"
	[ -e "$file.$slave" ]
	the_crashed 11
}

test_bad_input()
{
	refuses 2 "cannot start /nowhere" cpctl record -ff -o "$file" -- /nowhere
	refuses 2 "cannot write $folder/none/x." cpctl record -ff -o "$folder/none/x" -- true
	refuses 2 "there is no process or thread 1000000000" cpctl record -ff 1000000000
	refuses_usage <<-EOF
		--thread|record -ff --thread -- true
		--output-separately|record --output-separately -- true
	EOF
}

tap_run "$@"
