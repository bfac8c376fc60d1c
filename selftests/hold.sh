#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How long cpctl holds a process: until the last checkpoint that is wanted has been
# copied, and no longer, whoever reads what cpctl prints; and that a signal ends
# cpctl at any instant.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash

# while_paired COMMAND...: print the names of the system calls that the thread which made the
# pair makes until its end
while_paired()
{
	strace -f -o "$folder/trace" -e raw=ioctl -e verbose=none "$@" >"$folder/out" 2>"$folder/errors"
	awk '
		/ioctl\([^,]*, 0xc[0-9a-f]*c701,/ { paired = $1; next }
		paired == $1 && /ioctl\([^,]*, 0xc703/ { exit }
		paired == $1 { sub(/^[0-9]* */, ""); sub(/\(.*/, ""); print }
	' "$folder/trace"
}

# While cpctl waits in one of these calls, the process would wait for cpctl.
test_nothing_is_read_or_printed_while_it_is_held()
{
	local command

	start_spinner
	for command in "bt" "get --full" "dump -o $folder/core" "bt -n 3" \
		"log -n 3" "diff"; do
		# shellcheck disable=SC2086 # words
		while_paired cpctl $command "$slave" >"$folder/calls"
		# The trace is not empty.
		grep -q '^ioctl$' "$folder/calls"
		fails 1 grep -E '^(open|openat|read|write|connect|fork|clone3?|execve|poll|fsync|rename)$' \
			"$folder/calls"
		grep -q 'openat(.*/libc' "$folder/trace"
	done
	stop_slave
}

# compile_computing: compile a program that uses ARGUMENT bytes of its stack, and makes no calls
compile_computing()
{
	compile computing <<-'END'
		#include <alloca.h>
		#include <stdlib.h>
		#include <string.h>
		int main(int argc, char **argv)
		{
			size_t size = atoi(argv[argc - 1]);
			volatile char *stack = memset(alloca(size), 1, size);

			for (;;)
				stack[0]++;
		}
	END
}

# start_computing SIZE: start it; sets slave
start_computing()
{
	"$folder/computing" "$1" &
	slave_begins $!
	eventually computes
}

# computes: the slave has executed its program and is in no system call
computes()
{
	[ "$(cat "/proc/$slave/syscall")" = running ] &&
		[ "$(cat "/proc/$slave/comm")" = computing ]
}

# while_held COMMAND...: print what the command's processes do from the end of CP_IOC_HOLD
# to the beginning of CP_IOC_END: system calls, page faults
while_held()
{
	local tracing=/sys/kernel/tracing

	(
		cd "$tracing" || exit
		echo >trace
		echo 1 >options/event-fork
		echo "$BASHPID" >set_event_pid
		echo 1 | tee events/raw_syscalls/enable events/exceptions/enable >/dev/null
		exec "$@" >"$folder/out" 2>"$folder/errors"
	)
	echo 0 | tee "$tracing"/events/{raw_syscalls,exceptions}/enable >/dev/null
	echo >"$tracing/set_event_pid"
	awk '
		/sys_exit: NR 16/ && holds { held = 1; holds = 0; next }
		/sys_enter: NR 16 \([^,]*, c[0-9a-f]*c704,/ { holds = 1 }
		/sys_enter: NR 16 \([^,]*, c703,/ && held { print "end"; exit }
		held
	' "$tracing/trace"
}

# Otherwise cpctl would make a system call for each thread or each access to the region, and
# take a page fault for each page of it, while the slave waits.
test_cpctl_only_reads_memory_while_it_is_held()
{
	compile_computing
	start_computing 100
	while_held cpctl bt "$slave" >"$folder/held"
	[ "$(cat "$folder/held")" = end ]
	stop_slave
	# A deep stack takes a page fault for sixteen pages of what is searched.
	start_computing 200000
	while_held cpctl bt "$slave" >"$folder/held"
	[ "$(tail -n 1 "$folder/held")" = end ]
	[ "$(wc -l <"$folder/held")" -le 3 ]
	fails 1 grep sys_enter "$folder/held"
	stop_slave
}

# leaves_nobody_waiting COMMAND...: the command must end its pair although nobody reads its
# output; sets master
leaves_nobody_waiting()
{
	rm -f "$folder/fifo"
	mkfifo "$folder/fifo"
	env --default-signal "$@" >"$folder/fifo" 2>"$folder/errors" &
	master=$!
	exec 7<"$folder/fifo"
	eventually fills_its_pipe "$master"
	eventually grep -qsx 'reason:	3' "/proc/$master/fdinfo/"*
}

# Does a thread of the process sleep in write()? Then the pipe is full.
fills_its_pipe()
{
	grep -qs '^1 0x1 ' "/proc/$1/task/"*/syscall
}

test_slow_reader_holds_nobody()
{
	start_spinner
	leaves_nobody_waiting cpctl get --full -n 30 "$slave"
	cat <&7 >"$folder/out"
	wait "$master"
	[ "$(grep -c '^checkpoint ' "$folder/out")" -eq 30 ]
	[ "$(awk '/^checkpoint/ { print $2 }' "$folder/out")" = "$(seq 30)" ]
	# The lines of log are short: many of them fill the pipe.
	leaves_nobody_waiting cpctl log -n 2000 "$slave"
	cat <&7 >"$folder/out"
	wait "$master"
	[ "$(awk '{ print $1 }' "$folder/out")" = "$(seq 2000)" ]
	stop_slave
}

memory_of()
{
	awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# A megabyte of each: a few dozen are as much as is kept.
start_big_stack()
{
	compile big <<-'END'
		#include <string.h>
		#include <unistd.h>
		int main(void)
		{
			volatile char buf[1000000];

			memset((char *)buf, 1, sizeof(buf));
			for (;;)
				getppid();
		}
	END
	"$folder/big" &
	slave_begins $!
}

test_reader_that_is_too_slow_gets_gaps()
{
	start_big_stack
	leaves_nobody_waiting cpctl get -n 150 "$slave"
	[ "$(memory_of "$master")" -lt 120000 ]
	cat <&7 >"$folder/out"
	wait "$master"
	[ "$(grep -c '^checkpoint ' "$folder/out")" -eq 150 ]
	# The numbers show where checkpoints are missing.
	[ "$(awk '/^checkpoint/ { n = $2 } END { print n }' "$folder/out")" -gt 150 ]
	has errors "the process ran without a pair"
	stop_slave
}

# start_fleeting [OPTION...]: compiled with the options, it ends when its epoll_wait() does:
# as soon as it is nudged
start_fleeting()
{
	compile fleeting "$@" <<-'END'
		#include <sys/epoll.h>
		#include <unistd.h>
		__attribute__((noinline)) static int wait_and_go(int file)
		{
			struct epoll_event event;

			epoll_wait(file, &event, 1, -1);
			_exit(0);
		}
		int main(void)
		{
			return wait_and_go(epoll_create1(0));
		}
	END
	"$folder/fleeting" &
	slave_begins $!
	eventually is_asleep "$slave" fleeting
}

test_process_that_ends_at_once()
{
	local bits

	# System calls of 32-bit code go through the vDSO, which ends with the process.
	for bits in -m64 -m32; do
		start_fleeting "$bits"
		ends 0 cpctl bt --nudge "$slave"
		has out " wait_and_go+"
		has out " main+"
	done
	start_fleeting
	ends 0 cpctl dump --nudge -o "$folder/core" "$slave"
	gdb -batch -nx -ex bt "$folder/fleeting" "$folder/core" >"$folder/out" 2>&1
	has out "wait_and_go"
	has out "main"
	start_fleeting
	ends 0 cpctl get "$slave"
	has out "epoll_wait"
}

# How many times the slave has left a CPU: it does not while it is left asleep.
switches()
{
	grep ctxt_switches "/proc/$slave/task/"*/status
}

test_sleeper_is_left_asleep()
{
	local bits before

	for bits in -m64 -m32; do
		start_fleeting "$bits"
		before=$(switches)
		ends 0 cpctl bt -n 3 --interval 0.01 "$slave"
		[ "$(grep -c '^asleep ' "$folder/out")" -eq 3 ]
		[ "$(grep -c ' wait_and_go+' "$folder/out")" -eq 3 ]
		[ "$(grep -c ' main+' "$folder/out")" -eq 3 ]
		ends 0 cpctl bt --thread --json "$slave"
		has out '"asleep":true'
		has out '"wait_and_go"'
		[ "$(switches)" = "$before" ]
		stop_slave
	done
	start_fleeting
	before=$(switches)
	ends 0 cpctl dump --stack-only -o "$folder/core" "$slave"
	[ "$(switches)" = "$before" ]
	gdb -batch -nx -ex bt "$folder/fleeting" "$folder/core" >"$folder/out" 2>&1
	has out "wait_and_go"
	has out "main"
	stop_slave
}

start_deep()
{
	compile deep <<-'END'
		#include <unistd.h>
		int deep(int n)
		{
			if (!n)
				pause();
			return n ? deep(n - 1) + 1 : 0;
		}
		int main(void)
		{
			return deep(1000);
		}
	END
	"$folder/deep" &
	slave_begins $!
	eventually is_asleep "$slave" deep
}

frames()
{
	grep -c '^  #' "$folder/out"
}

test_frames_are_limited()
{
	start_deep
	ends 0 cpctl bt "$slave"
	[ "$(frames)" -eq 256 ]
	has out "see --frames"
	ends 0 cpctl bt --frames 5 --json "$slave"
	has out '"complete":false'
	has out "see --frames"
	ends 0 cpctl bt --frames 5 "$slave"
	[ "$(frames)" -eq 5 ]
	ends 0 cpctl bt --frames 0 "$slave"
	[ "$(frames)" -gt 1000 ]
	fails 1 grep -q "no further" "$folder/out"
	stop_slave
}

# interrupt_early SIGNAL COMMAND...: send the signal to cpctl while it opens the slave's memory
interrupt_early()
{
	local sig=$1 pid

	shift
	env --default-signal strace -o "$folder/trace" -P "/proc/$slave/mem" \
		-e trace=openat -e inject=openat:delay_enter=3s "$@" \
		>"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually catches "$sig" "$master"
	kill -s "$sig" "$pid"
	eventually fails 1 kill -0 "$pid" 2>/dev/null
	wait "$master"
}

# catches SIGNAL PARENT: does the child, cpctl, catch the signal yet? Sets pid. strace has had
# other children before.
catches()
{
	local caught

	pid=$(child_of "$2" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = cpctl ] ||
		return
	caught=$(sed -n 's/^SigCgt:	//p' "/proc/$pid/status" 2>/dev/null)
	((16#${caught:-0} >> ($(kill -l "$1") - 1) & 1))
}

test_signal_before_there_is_a_pair()
{
	local sig

	start_sleeper env
	for sig in INT TERM; do
		interrupt_early "$sig" cpctl record -o "$folder/recording" "$slave"
		test -s "$folder/recording"
		rm "$folder/recording"
		# All verbs have the same handler.
		[ "$sig" = INT ] || break
		interrupt_early "$sig" cpctl get --no-nudge "$slave"
		interrupt_early "$sig" cpctl bt --no-nudge -n 3 "$slave"
		interrupt_early "$sig" cpctl log "$slave"
		interrupt_early "$sig" cpctl dump --no-nudge -o "$folder/none" \
			"$slave" || :
		has errors "interrupted; process $slave continues"
		fails 1 test -e "$folder/none"
	done
	stop_slave
}

test_signal_while_nobody_reads()
{
	local sig

	start_spinner
	for sig in INT TERM; do
		leaves_nobody_waiting cpctl get --full -n 30 "$slave"
		kill -s "$sig" "$master"
		wait "$master"
		has errors "interrupted; process $slave continues"
	done
	stop_slave
}

test_signal_ends_monitor_while_nobody_reads()
{
	local sig reader

	start_spinner
	cpctl get -n 1000000000 "$slave" >/dev/null 2>&1 &
	reader=$!
	for sig in INT TERM HUP; do
		unread "cpctl monitor --checkpoints"
		kill -s "$sig" "$master"
		eventually is_over "$master"
		wait "$master"
		exec 7<&-
	done
	kill "$reader"
	stop_slave
}

# It has ended, though its parent may not have waited for it yet.
is_over()
{
	! grep -qs '^State:	[^Z]' "/proc/$1/status"
}

# unread COMMAND: start the command, whose output nobody reads; returns when it waits for room
unread()
{
	rm -f "$folder/fifo"
	mkfifo "$folder/fifo"
	# shellcheck disable=SC2086 # words
	env --default-signal $1 >"$folder/fifo" 2>"$folder/errors" &
	master=$!
	exec 7<"$folder/fifo"
	eventually fills_its_pipe "$master"
}

test_signal_ends_what_prints_a_recording()
{
	local sig command

	# shellcheck disable=SC2016 # for that shell
	cpctl record -o "$folder/recording" -s 2000 -- \
		sh -c 'i=0; while [ "$i" -lt 1000 ]; do i=$((i + 1)); : </dev/null; done'
	for sig in INT TERM; do
		for command in "log" "log --json"; do
			unread "cpctl $command $folder/recording"
			kill -s "$sig" "$master"
			eventually is_over "$master"
			fails 2 wait "$master"
			has errors "interrupted"
			exec 7<&-
		done
	done
}

# The program that strace has started is in fsync(), before the file gets its name.
about_to_end()
{
	local pid

	pid=$(child_of "$1" 2>/dev/null) && grep -qs '^74 ' "/proc/$pid/task/"*/syscall
}

test_killed_cpctl_leaves_no_file()
{
	local command pid

	start_spinner
	mkdir "$folder/files"
	for command in get bt; do
		strace -o "$folder/trace" -e trace=fsync \
			-e inject=fsync:delay_enter=100s \
			cpctl "$command" -o "$folder/files/file" "$slave" \
			>"$folder/out" 2>"$folder/errors" &
		master=$!
		eventually about_to_end "$master"
		pid=$(child_of "$master")
		kill -KILL "$pid"
		# It would look at the death only at the end of the delay.
		kill -KILL "$master" 2>/dev/null || :
		wait "$master" 2>/dev/null || :
		eventually is_over "$pid"
		[ -z "$(ls -A "$folder/files")" ]
	done
	# A file that is there is replaced, and nothing else is left then either.
	echo old >"$folder/files/file"
	ends 0 cpctl get -o "$folder/files/file" "$slave"
	grep -q rip "$folder/files/file"
	[ "$(ls -A "$folder/files")" = file ]
	[ "$(stat -c %a "$folder/files/file")" = 600 ]
	# What was printed before a signal is kept.
	rm "$folder/files/file"
	env --default-signal cpctl get -n 100000000 -o "$folder/files/file" "$slave" \
		2>"$folder/errors" &
	master=$!
	eventually is_master_of "$master" "$slave"
	kill -TERM "$master"
	wait "$master"
	[ "$(ls -A "$folder/files")" = "$(test ! -s "$folder/files/file" || echo file)" ]
	stop_slave
}

# says_why_it_waits TEXT COMMAND...: the command must print the text, and wait until a signal
# ends it
says_why_it_waits()
{
	local text=$1

	shift
	rm -f "$folder/errors"
	env --default-signal "$@" >"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually test -s "$folder/errors"
	has errors "$text"
	kill -0 "$master"
	kill "$master"
	wait "$master"
}

test_stopped_process()
{
	start_sleeper env
	kill -STOP "$slave"
	eventually is_stopped "$slave"
	says_why_it_waits "is stopped: waiting until it is continued" \
		cpctl bt "$slave"
	says_why_it_waits "is stopped: waiting until it is continued" \
		cpctl get -n 2 "$slave"
	stop_slave
}

test_frozen_process()
{
	local group=/sys/fs/cgroup/checkpoint-test

	grep -q '^cgroup2 /sys/fs/cgroup ' /proc/mounts ||
		mount -t cgroup2 none /sys/fs/cgroup || skip "no cgroup2"
	mkdir -p "$group"
	start_sleeper env
	echo "$slave" >"$group/cgroup.procs"
	echo 1 >"$group/cgroup.freeze"
	eventually grep -q 'frozen 1' "$group/cgroup.events"
	says_why_it_waits "is frozen: waiting until" cpctl bt "$slave"
	echo 0 >"$group/cgroup.freeze"
	stop_slave
	rmdir "$group"
}

has_child()
{
	child_of "$1" >/dev/null 2>&1
}

test_zombies()
{
	local child

	compile leader <<-'END'
		#include <pthread.h>
		#include <unistd.h>
		static void *stay(void *arg)
		{
			pause();
			return arg;
		}
		int main(void)
		{
			pthread_t thread;

			pthread_create(&thread, NULL, stay, NULL);
			pthread_exit(NULL);
		}
	END
	"$folder/leader" &
	slave_begins $!
	eventually grep -q '^State:	Z' "/proc/$slave/status"
	refuses 2 "the main thread of process $slave has ended" \
		cpctl bt --thread "$slave"
	# Another thread stands for the process.
	ends 0 cpctl bt "$slave"
	has out ' stay+0x'
	stop_slave
	compile zombie <<-'END'
		#include <unistd.h>
		int main(void)
		{
			if (fork())
				pause();
			return 3;
		}
	END
	"$folder/zombie" &
	slave_begins $!
	eventually has_child "$slave"
	child=$(child_of "$slave")
	eventually grep -q '^State:	Z' "/proc/$child/status"
	refuses 2 "is a zombie" cpctl bt "$child"
	stop_slave
}

test_traced_already()
{
	ends 2 strace -f -o "$folder/trace" cpctl run true
	has errors "already traces cpctl"
}

test_help()
{
	cpctl help >"$folder/out"
	cpctl --help | cmp - "$folder/out"
	cpctl help bt >"$folder/out"
	cpctl bt --help | cmp - "$folder/out"
	refuses 1 "no verb 'nothing'" cpctl help nothing
}

tap_run "$@"
