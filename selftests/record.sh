#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The flight recorder: what is left of a program that has died, and what cpctl,
# gdb and eu-stack make of it.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash
# shellcheck source=selftests/recordings.bash
. selftests/recordings.bash

test_fault()
{
	local kind

	for kind in pie static; do
		crashes 139 "$doomed-$kind" segv main
		has_died 11 0x10
		shows "touch $inner begin main"
		complete
		cpctl log "$file" | grep -q 'killed by SIGSEGV at address 0x10: nothing is mapped  0x[0-9a-f]* touch+0x[0-9a-f]* (doomed-.*doomed.c:'
		grep -q 'signal SIGSEGV' "$folder/gdb"
	done
}

test_abort()
{
	crashes 134 "$doomed-pie" abrt main
	shows "give_up $inner begin main"
	complete
	crashes 134 "$doomed-static" abrt main
	shows "give_up $inner begin main"
}

test_division()
{
	crashes 136 "$doomed-pie" fpe main
	has_died 8 "$(cpctl show --json "$file" | sed 's/.*"rip":"\([^"]*\)".*/\1/')"
	shows "divide $inner begin main"
	cpctl bt "$file" | grep -q 'killed by SIGFPE: integer division by zero'
}

test_stack_overflow()
{
	local depth

	ulimit -s 256
	crashes 139 "$doomed-pie" overflow main
	backtrace
	complete
	depth=$(grep -c ' overflow$' "$folder/bt")
	[ "$depth" -gt 300 ]
	shows "$(printf 'overflow %.0s' $(seq "$depth"))$inner begin main"
	# The stack pointer, too, is where the next page was to be.
	cpctl show --json "$file" | python3 -IS -c '
import json, sys
c = json.load(sys.stdin)
assert abs(int(c["death"]["address"], 16) - int(c["regs"]["rsp"], 16)) < 8192, c'
}

test_handler()
{
	crashes 139 "$doomed-pie" segv handler
	shows "touch $inner on_signal run_handler main"
	complete
	crashes 136 "$doomed-static" fpe handler
	shows "divide $inner on_signal run_handler main"
	complete
}

# The stack that the handler was called from is not the one that was recorded:
# the calls are printed up to there, and none is guessed.
test_alternate_stack()
{
	crashes 139 "$doomed-pie" segv alternate
	has_died 11 0x10
	backtrace
	same bt "touch $inner on_signal " "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	grep -q '"why":"memory at 0x[0-9a-f]* cannot be read"' "$folder/json"
	cpctl dump "$file" -o "$folder/core" 2>/dev/null
	same gdb "touch $inner on_signal " "$(gdb_names | ours)"
	same eu-stack "touch $inner on_signal " \
		"$(eu_stack | cut -d ' ' -f 2 | ours)"
}

# A recording is of all threads. The one that crashed comes first.
test_thread()
{
	recorded "$doomed-pie" segv thread told
	[ "$task" != "$(tr -d ' ' <"/proc/$recorder/task/$recorder/children")" ]
	cpctl record -o "$folder/main" "$(child)" 2>/dev/null &&
		echo "# one slave, two masters"
	tell
	fails 139 wait "$recorder"
	has_died 11 0x10
	shows "touch $inner begin body"
	complete
	cpctl bt --json "$file" | sed -n 2p | frames "" | cut -d ' ' -f 2 | grep -qx main
}

# Any thread stands for its process; --thread: that thread alone.
test_thread_that_crashes()
{
	local option wanted

	for option in '' --thread; do
		start_told "$doomed-static" segv thread
		# shellcheck disable=SC2086 # none, or one
		record_told $option
		tell
		wait "$recorder"
		fails 139 wait "$slave"
		has_died 11 0x10
		shows "touch $inner begin body"
		complete
		wanted=$([ "$option" ] && echo 1 || echo 2)
		[ "$(thread_ids <"$folder/log" | wc -l)" -eq "$wanted" ]
	done
}

# With --thread, that of the main thread: the signal hit another one.
test_main_thread_alone()
{
	options=(--thread)
	recorded "$doomed-pie" segv thread told
	tell
	fails 139 wait "$recorder"
	backtrace
	complete
	same bt 'main ' "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	cpctl log "$file" | grep -q "killed with its process, by SIGSEGV in thread $task"
}

test_kill()
{
	recorded "$doomed-pie" wait main told
	tell
	eventually is_in 34 "$task"
	kill -KILL "$task"
	fails 137 wait "$recorder"
	has_died 9
	shows "rest $inner begin main"
	complete
}

test_kill_while_it_runs()
{
	recorded "$chain" busy
	kill -KILL "$task"
	fails 137 wait "$recorder"
	has_died 9
	backtrace
	complete
	grep -q ' main$' "$folder/bt"
}

test_out_of_memory()
{
	local group=$folder/cgroup/small level

	mkdir "$folder/cgroup"
	mount -t cgroup2 none "$folder/cgroup"
	echo +memory >"$folder/cgroup/cgroup.subtree_control" ||
		skip "no memory controller"
	mkdir "$group"
	echo 16M >"$group/memory.max"
	recorded "$doomed-pie" oom main told
	echo "$task" >"$group/cgroup.procs"
	# The message of the kernel has a call trace, but reports no fault.
	level=$(cat /proc/sys/kernel/printk)
	echo 1 >/proc/sys/kernel/printk
	tell
	fails 137 wait "$recorder"
	echo "$level" >/proc/sys/kernel/printk
	grep -q '^oom_kill 1$' "$group/memory.events"
	rmdir "$group"
	umount "$folder/cgroup"
	has_died 9
	shows "eat $inner begin main"
	complete
}

# A handler of cores gets its core as ever, and the recording is as without.
test_core_handler()
{
	local pattern

	printf '#!/bin/sh\ncat >%s\n' "$folder/handled" >"$folder/handler"
	chmod 755 "$folder/handler"
	pattern=$(cat /proc/sys/kernel/core_pattern)
	echo "|$folder/handler" >/proc/sys/kernel/core_pattern
	ends 139 cpctl record -o "$file" -- "$doomed-pie" segv main
	eventually test -s "$folder/handled"
	ends 134 cpctl record -o "$folder/other" -- "$doomed-static" abrt thread
	echo "$pattern" >/proc/sys/kernel/core_pattern
	program=$doomed-pie
	has_died 11 0x10
	shows "touch $inner begin main"
	complete
	eu-readelf -h "$folder/handled" | grep -q 'CORE'
}

test_exit_status()
{
	ends 0 cpctl record -o "$file" -- true
	ends 7 cpctl record -o "$file" -- "$doomed-pie" live main
	ends 7 cpctl run --record -o "$file" -- "$doomed-pie" live main
	[ "$(cpctl log "$file" | tail -n 1)" = '          (exit status 7)' ]
	fails 1 grep -q death <(cpctl log --json "$file")
	ends 2 cpctl record -o "$folder/none" -- /no/such/command
	has errors 'cannot start /no/such/command'
	[ ! -e "$folder/none" ]
}

# goes_on COMMAND...: record the command, which executes doomed: its death is recorded, and its
# name is printed
goes_on()
{
	ends 139 cpctl record "${options[@]}" -o "$file" -- "$@"
	has_died 11 0x10
	program=$doomed-pie
	shows "touch $inner begin main"
	complete
	cpctl log "$file" >"$folder/log"
	grep -qF "          (exec: $doomed-pie segv main" "$folder/log"
	cpctl show "$file" >"$folder/show"
	head -n 1 "$folder/show" | grep -qF ": $doomed-pie segv main"
}

# A program that cpctl has started, and what it executes, are in one recording.
test_exec()
{
	printf '#!/bin/sh\ntrue | cat\nexec "%s" segv main\n' "$doomed-pie" \
		>"$folder/wrapper"
	printf '#!%s\n' "$folder/wrapper" >"$folder/outer"
	chmod 755 "$folder/wrapper" "$folder/outer"
	for options in '--stream --slots=2000' '--slots=3000'; do
		# shellcheck disable=SC2206 # words
		options=($options)
		goes_on "$folder/wrapper"
	done
	cpctl log --json "$file" | unbroken 1
	goes_on env X=1 "$doomed-pie" segv main
	goes_on python3 -IS -c '
import os, sys
os.execv(sys.argv[1], [sys.argv[1], "segv", "main"])' "$doomed-pie"
	# Each of several, in one file; and a name that is not to be had.
	goes_on env X=1 env Y=2 sh -c "exec $doomed-pie segv main"
	[ "$(grep -c '^          (exec: ' "$folder/log")" = 3 ]
	ends 127 cpctl record -o "$file" -- sh -c 'exec /no/such/command'
	cpctl log "$file" | tail -n 1 | grep -q '(exit status 127)'
	fails 1 grep -q '(exec' <(cpctl log "$file")
}

# An exec by another thread ends the main thread.
test_exec_by_a_thread()
{
	goes_on python3 -IS -c '
import os, sys, threading
threading.Thread(target=os.execv, args=(sys.argv[1], [sys.argv[1], "segv", "main"])).start()
threading.Event().wait()' "$doomed-pie"
}

# A recording is bounded, however many programs the process executes.
test_exec_without_end()
{
	# shellcheck disable=SC2016 # the other shell's
	printf '%s\n' 'n=$((n + 1))' '[ $n -lt 30 ] || exit 5' \
		'export n; exec sh "$0"' >"$folder/loop"
	ends 5 cpctl record --slots 200 -o "$file" -- sh "$folder/loop"
	cpctl log --json "$file" | unbroken
	[ "$(numbers | wc -l)" -gt 200 ]
	[ "$(numbers | wc -l)" -le 402 ]
	cpctl log "$file" | grep -q '(exec: sh '
}

# A process that cpctl has not started: access was granted for its old program only.
test_exec_of_a_stranger()
{
	rm -f "$folder/pipe"
	mkfifo "$folder/pipe"
	exec 8<>"$folder/pipe"
	bash -c 'read -r; exec sleep 0' <&8 &
	slave_begins $!
	eventually is_in 0 "$slave"
	task=$slave
	record_told
	tell
	wait "$recorder"
	has errors 'runs another program now'
	cpctl log "$file" | tail -n 1 | grep -q 'it runs another program now'
}

# library NAME: a shared one, from standard input
library()
{
	gcc -shared -fPIC -x c -o "$folder/$1.so" -
}

# What libraries do before the program begins happens as it does without cpctl.
test_constructors()
{
	local library

	library fork <<-'END'
		#include <stdio.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static pid_t kid;
		__attribute__((constructor)) static void begin(void) { kid = fork(); }
		__attribute__((destructor)) static void end(void)
		{
			int status;

			if (kid > 0 && waitpid(kid, &status, 0) == kid)
				fprintf(stderr, "status 0x%x\n", status);
		}
	END
	library trap <<-'END'
		#include <signal.h>
		#include <stdio.h>
		#include <unistd.h>
		static volatile int got;
		static void on(int sig) { got++; }
		__attribute__((constructor)) static void begin(void)
		{
			signal(SIGTRAP, on);
			raise(SIGTRAP);
			kill(getpid(), SIGTRAP);
			asm volatile("int3");
			fprintf(stderr, "%d\n", got);
		}
	END
	library exec <<-'END'
		#include <stdlib.h>
		#include <unistd.h>
		__attribute__((constructor)) static void begin(void)
		{
			if (!getenv("TO"))
				return;
			unsetenv("LD_PRELOAD");
			execl(getenv("TO"), getenv("TO"), "x", (char *)0);
		}
	END
	library thread <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		static void *body(void *arg) { return arg; }
		__attribute__((constructor)) static void begin(void)
		{
			pthread_t thread;

			pthread_create(&thread, 0, body, 0);
			fprintf(stderr, "%d\n", pthread_join(thread, 0));
		}
	END
	# A program whose code is at the entry point of the one that it replaces.
	printf '%s\n' '#include <stdio.h>' 'int f(int x) { return x * 3 + 1; }' \
		'int main(void) { for (int i = 0; i < 3; i++) printf("%d\n", f(i)); }' |
		gcc -no-pie -x c -o "$folder/two" -
	export TO=$folder/two
	for library in fork trap exec thread; do
		printf '%s\n' '#include <stdio.h>' 'int main(void) { puts("one"); }' |
			gcc -no-pie -Wl,--no-as-needed -o "$folder/one" -x c - \
			-x none "$folder/$library.so"
		options=()
		unchanged "$folder/one"
		unchanged env X=1 "$folder/one"
		options=(--stream --wait)
		unchanged "$folder/one"
	done
}

# The stack pointer may be anything when a program dies.
test_wild_stack_pointer()
{
	local at

	compile wild <<-'END'
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			unsigned long to = strtoul(argv[1], 0, 16);

			asm volatile("mov %0, %%rsp; push %%rax" :: "r"(to));
		}
	END
	for at in 0 8 1000 7ffffffffff8 7fffffffffffffff 8000000000000000 \
			dead000000000000 ffffffff81000000 ffffffffff600100 \
			ffffffffffffffff; do
		ends 139 cpctl record -o "$file" -- "$folder/wild" "$at"
		has_died 11
		cpctl show "$file" | grep -q 'rsp points to no memory'
		ends 0 cpctl bt "$file"
		ends 0 cpctl diff "$file" -2 -1
		ends 0 cpctl dump -o "$folder/core" "$file"
	done
}

# The text of the mappings has many megabytes.
test_many_mappings()
{
	local most

	most=$(cat /proc/sys/vm/max_map_count)
	echo 700000 >/proc/sys/vm/max_map_count
	compile many <<-'END'
		#include <stdlib.h>
		#include <sys/mman.h>
		int main(void)
		{
			const unsigned long size = 8192, nr = 170000;
			char *at = mmap(0, nr * size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			for (unsigned long i = 0; i < nr; i++)
				if (mprotect(at + i * size, 4096, PROT_READ | PROT_EXEC))
					return 1;
			abort();
		}
	END
	ends 134 cpctl record --every 1000000 -o "$file" -- "$folder/many"
	echo "$most" >/proc/sys/vm/max_map_count
	ends 0 cpctl log "$file"
	ends 0 cpctl show "$file"
}

# The log says if checkpoints were left out on request.
test_thinned()
{
	ends 7 cpctl record --every 5 --rate 1000 -o "$file" -- \
		"$doomed-static" live main
	cpctl log "$file" | head -n 1 >"$folder/first"
	has first '(thinned: at least 0.001 s from one to the next, one of 5 returns to user mode)'
	cpctl log --json "$file" | head -n 1 >"$folder/first"
	has first '{"type":"thinned","interval_ns":1000000,"every":5}'
	ends 7 cpctl record -o "$file" -- "$doomed-static" live main
	fails 1 grep -q thinned <(cpctl log "$file"; cpctl log --json "$file")
}

# On a terminal, a line shows meanwhile what was kept and what was lost.
test_progress()
{
	script -qec "cpctl record --stream -o $file -- sleep 3" /dev/null \
		</dev/null >"$folder/out"
	grep -qaE 'recording process [0-9]+: [0-9]+ checkpoints kept, [0-9]+ lost, [0-9.]+K? written' \
		"$folder/out"
	# A line that is wider than the terminal would not be replaced by the next one.
	script -qec "stty cols 40; cpctl record --stream -o $file -- sleep 3" \
		/dev/null </dev/null >"$folder/out"
	tr '\r' '\n' <"$folder/out" | sed 's/^\x1b\[K//; s/\x1b\[K$//' |
		grep -a '^recording process' >"$folder/progress"
	grep -qE '^recording process [0-9]+: .*\+$' "$folder/progress"
	fails 1 grep '^.\{41\}' "$folder/progress"
}

# cpctl lets the program run to its entry point. The breakpoint there does not stay.
test_interrupt_before_the_entry()
{
	compile early <<-END
		#include <unistd.h>
		static void early(void)
		{
			write(1, "early\n", 6);
			usleep(1000000);
		}
		__attribute__((section(".preinit_array"), used))
		static void (*begin)(void) = early;
		int main(void) { write(1, "main\n", 5); }
	END
	env --default-signal cpctl record -o "$file" -- "$folder/early" \
		>"$folder/said" 2>"$folder/errors" &
	recorder=$!
	leave_nothing
	eventually grep -q early "$folder/said"
	kill -INT "$recorder"
	wait "$recorder" || :
	eventually grep -q main "$folder/said"
}

test_interrupt()
{
	start_told "$doomed-pie" live main
	record_told
	kill -INT $recorder
	wait $recorder
	has errors "interrupted; process $task continues"
	cpctl log "$file" | tail -n 1 | grep -q '(it continues)'
	kill -0 "$slave"
	tell
	fails 7 wait "$slave"
	# And one that was started for it.
	recorded "$doomed-pie" live main told
	kill -INT "$recorder"
	wait "$recorder"
	has errors "interrupted; process $task continues"
	eventually is_in 0 "$task"
	tell
	eventually is_gone "$task"
	cpctl log --json "$file" | unbroken 1
}

test_written_on_demand()
{
	local option first

	for option in --slots=256 --stream; do
		options=("$option")
		recorded "$doomed-pie" segv main told
		eventually is_in 0 "$task"
		[ ! -e "$file" ]
		kill -USR1 "$recorder"
		eventually test -s "$file"
		eventually grep -q "$file: [0-9]* checkpoints" "$folder/errors"
		if [ "$option" = --stream ]; then
			fails 2 cpctl log "$file" >"$folder/first" 2>/dev/null
		else
			cpctl log "$file" >"$folder/first"
			tail -n 1 "$folder/first" | grep -q '(it continues)'
			sed -i '$d' "$folder/first"
		fi
		[ "$(wc -l <"$folder/first")" -gt 10 ]
		tell
		fails 139 wait "$recorder"
		has_died 11 0x10
		# There is more now, and it begins with the same.
		first=$(wc -l <"$folder/first")
		cpctl log "$file" | head -n "$first" | cmp - "$folder/first"
		[ "$(numbers | wc -l)" -gt "$first" ]
		[ "$(compgen -G "$folder/recording*")" = "$file" ]
	done
}

test_signals_of_a_service()
{
	local signal

	for signal in TERM HUP; do
		recorded "$doomed-pie" wait main told
		tell
		eventually is_in 34 "$task"
		kill -$signal "$recorder"
		fails $((128 + $(kill -l $signal))) wait "$recorder"
		has_died "$(kill -l $signal)"
	done
	# A process that was there before is let go.
	start_told "$doomed-pie" live main
	record_told
	kill -TERM $recorder
	wait $recorder
	kill -0 "$slave"
	cpctl log "$file" >/dev/null
	tell
	fails 7 wait "$slave"
}

test_names_of_files()
{
	local pid

	mkdir "$folder/here"
	cd "$folder/here"
	ends 0 cpctl record -- true
	pid=$(sed -n 's/^cpctl: process \([0-9]*\) has ended.*/\1/p' "$folder/errors")
	[ "$(ls -A)" = "recording.$pid" ]
	[ "$(stat -c %a "recording.$pid")" = 600 ]
	ends 0 cpctl dump "recording.$pid"
	[ -s "recording.$pid.core" ]
	mv "recording.$pid" 77
	ends 0 cpctl bt ./77
	ends 0 cpctl record -o ./- -- true
	ends 0 cpctl log ./-
}

test_slots()
{
	ends 139 cpctl record --slots 5 -o "$file" -- "$doomed-pie" segv main
	has_died 11 0x10
	# The five of the ring, and the state of death.
	[ "$(numbers | wc -l)" -le 6 ]
	[ "$(numbers | wc -l)" -ge 5 ]
	ends 139 cpctl record --slots 1000 -o "$folder/all" -- \
		"$doomed-pie" segv main
	cpctl log --json "$folder/all" | unbroken 1
}

test_every()
{
	local all some

	ends 7 cpctl record --slots 1000 -o "$file" -- "$doomed-static" live main
	all=$(numbers | wc -l)
	ends 7 cpctl record --slots 1000 --every 5 -o "$file" -- \
		"$doomed-static" live main
	some=$(numbers | wc -l)
	echo "# $all, every fifth: $some"
	# Timer ticks come on top.
	[ "$some" -ge 1 ]
	[ "$some" -lt $((all / 2)) ]
	ends 139 cpctl record --every 1000000 -o "$file" -- \
		"$doomed-static" segv main
	has_died 11 0x10
}

# Two checkpoints are at least 10 ms apart, whatever the speed of the machine.
test_rate()
{
	recorded_for_a_while --rate 100
	cpctl log --json "$file" | python3 -IS -c '
import json, sys
times = [l["time_ns"] for l in map(json.loads, sys.stdin) if l["type"] == "log" and not "death" in l]
assert len(times) > 10
assert all(b - a >= 10000000 for a, b in zip(times, times[1:])), times'
}

# recorded_for_a_while OPTION...: record a program that makes system calls all the time
recorded_for_a_while()
{
	options=("$@" --stream)
	recorded "$chain" busy
	eventually enough_in "$recorder"
	kill -KILL "$task"
	fails 137 wait "$recorder"
}

# Has the recorder taken a hundred?
enough_in()
{
	local taken

	taken=$(sed -n 's/^taken:	//p' "/proc/$1/fdinfo/"* 2>/dev/null)
	[ "${taken:-0}" -ge 100 ]
}

# A deep stack is cut, so that the program stays fast, but not where it crashed.
test_stack_of_the_crash_is_whole()
{
	local number

	compile deep <<-'END'
		#include <string.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(void)
		{
			volatile char stack[1000000];
			int i;

			memset((char *)stack, 1, sizeof(stack));
			for (i = 0; i < 50; i++)
				syscall(SYS_getppid);
			*(volatile int *)(long)(stack[5] - 1) = 1;
			return stack[7];
		}
	END
	crashes 139 "$folder/deep"
	grep -qE 'the stacks of [0-9]+ of them are cut: --stack-limit' "$folder/errors"
	cpctl show --json "$file" | grep -q '"truncated":false'
	ends 0 cpctl bt "$file"
	has out ' main+0x'
	cpctl log "$file" | grep ' getppid = ' | tail -n 1 >"$folder/line"
	read -r number _ <"$folder/line"
	cpctl show --json "$file" "$number" >"$folder/shown"
	has shown '"size":65536,'
	has shown '"truncated":true'
	ends 139 cpctl record --stack-limit 2M -o "$file" -- "$folder/deep"
	fails 1 grep -q 'are cut' "$folder/errors"
}

test_stream()
{
	ends 0 cpctl record --stream --wait --slots 4 -o "$file" -- \
		python3 -IS -c 'import json; print(json.dumps([1, 2]))'
	cpctl log --json "$file" | unbroken
	[ "$(numbers | wc -l)" -gt 300 ]
	has errors '; 0 lost in between'
}

test_stream_with_losses()
{
	# In the recording of one thread, the numbers have gaps, too.
	options=(--thread --stream --slots 2 --stack-limit 4K)
	recorded "$chain" busy
	kill -STOP "$recorder"
	eventually is_stopped "$recorder"
	eventually has_passed "$task"
	kill -CONT "$recorder"
	kill -KILL "$task"
	fails 137 wait "$recorder"
	fails 1 consecutive < <(numbers)
	cpctl log "$file" | python3 -IS -c '
import re, sys
last, lost, total = 0, 0, 0
for line in sys.stdin:
    m = re.match(r" *(\d+)  \d+\.\d+ ", line)
    if m:
        seq = int(m[1])
        if last:
            assert seq - last - 1 == lost, line
        last, lost = seq, 0
    m = re.match(r" *\((\d+) lost\)$", line)
    if m:
        lost = int(m[1])
        total += lost
print("#", total, "lost")
assert total'
	fails 1 grep -q '; 0 lost' "$folder/errors"
}

# has_passed PID: has the process run for some ticks since the first call of this function?
has_passed()
{
	local ticks

	ticks=$(sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 12,13 | tr ' ' +)
	ticks=$((ticks))
	: "${passed_from:=$ticks}"
	[ $ticks -gt $((passed_from + 5)) ]
}

# 1234.5 is 0x40934a0000000000.
test_vector_registers()
{
	local number

	ends 7 cpctl record --xstate -o "$file" -- "$doomed-pie" live main
	number=$(cpctl log --json "$file" | grep '"syscall_name":"close".*"result":-9' |
		tail -n 1 | sed 's/.*"number":\([0-9]*\),.*/\1/')
	cpctl dump "$file" "$number" -o "$folder/core" 2>/dev/null
	gdb -batch -nx -iex 'set auto-load off' -ex 'info registers xmm0' \
		"$doomed-pie" "$folder/core" >"$folder/gdb" 2>/dev/null </dev/null
	grep -q '^xmm0 .* uint128 = 0x40934a0000000000}$' "$folder/gdb"
	eu-readelf -n "$folder/core" | grep -q 'X86_XSTATE'
	# A recording without --xstate does not have them.
	ends 7 cpctl record -o "$file" -- "$doomed-pie" live main
	cpctl dump "$file" -o "$folder/core" 2>/dev/null
	fails 1 grep -q XSTATE <(eu-readelf -n "$folder/core")
}

test_log()
{
	ends 7 cpctl record -o "$file" -- "$doomed-pie" live main
	cpctl log "$file" >"$folder/log"
	grep -qE '^ +[0-9]+  [0-9]+\.[0-9]{6}  cpu [0-9]+  close = -1 EBADF  0x[0-9a-f]+ live\+0x[0-9a-f]+ \(doomed-pie\) at .*doomed\.c:[0-9]+$' \
		"$folder/log"
	grep -qE "  execve = 0  0x[0-9a-f]+ $(loader_entry)\$" "$folder/log"
	grep -qE '  openat = 3  ' "$folder/log"
	grep -qE '  read = [0-9]+  ' "$folder/log"
	grep -qE '  mmap = 0x[0-9a-f]{12}  ' "$folder/log"
	# JSON holds the same.
	cpctl log --json "$file" | python3 -IS -c '
import json, re, sys
text = [l for l in open(sys.argv[1]) if re.match(r" *\d+  ", l)]
lines = [json.loads(l) for l in sys.stdin]
assert lines.pop() == {"type": "end", "reason": "exited", "exit_status": 7}
end = lines.pop()
assert (end["type"], end["exit_status"]) == ("thread_end", 7), end
assert end["thread"] == lines[-1]["thread"], end
assert len(text) == len(lines)
for t, j in zip(text, lines):
    assert j["type"] == "log"
    seq, time, _, cpu, what = t.split(None, 4)
    assert j["number"] == int(seq) and j["cpu"] == int(cpu), t
    assert time == "%d.%06d" % (j["time_ns"] // 10**9, j["time_ns"] // 1000 % 10**6)
    if j["entry"] == "syscall":
        if "error" in j:
            assert what.startswith("%s = -1 %s  " % (j["syscall_name"], j["error"])), t
            assert -4095 <= j["result"] < 0
        else:
            assert re.match(r"%s = (%d|0x%x)  " % (j["syscall_name"], j["result"], j["result"]), what), t
    else:
        assert what.startswith(j["entry"] + "  "), t
    assert j["rip"] in what
    if "symbol" in j:
        s = j["symbol"]
        assert "%s+%s" % (s.get("name", "[%s]" % s["module"]), s["offset"]) in what, t
    if "file" in j:
        assert what.rstrip().endswith(" at %s:%d" % (j["file"], j["line"])), t' \
		"$folder/log"
}

test_show()
{
	local first last

	ends 7 cpctl record --thread --slots 20 -o "$file" -- "$doomed-pie" live main
	first=$(numbers | head -n 1)
	last=$(numbers | tail -n 1)
	cpctl show "$file" "$first" | head -n 1 | grep -q "^checkpoint $first "
	cpctl show "$file" "$last" >"$folder/last"
	cpctl show "$file" -1 | cmp - "$folder/last"
	cpctl show "$file" | cmp - "$folder/last"
	cpctl show --stack-bytes 64 -o "$folder/out" "$file" -2
	head -n 1 "$folder/out" | grep -q "^checkpoint $((last - 1)) "
	cpctl show --full --json "$file" "$first" | python3 -IS -c '
import json, sys
c = json.load(sys.stdin)
assert c["type"] == "checkpoint" and c["number"] == int(sys.argv[1])
assert len(c["regs"]) == 27
(s,) = c["segments"]
assert len(s["data"]) == 2 * s["size"] and not s["truncated"]' "$first"
	ends 2 cpctl show "$file" $((last + 1))
	has errors "there is no checkpoint $((last + 1)): it has"
	ends 2 cpctl show "$file" $((first - 1))
	ends 2 cpctl show "$file" -1000
	ends 2 cpctl bt "$file" $((last + 1))
	ends 2 cpctl dump -o "$folder/none" "$file" $((last + 1))
	[ ! -e "$folder/none" ]
}

# get prints what show prints of each checkpoint, and marks what has changed.
test_get()
{
	local number all

	ends 7 cpctl record --slots 6 -o "$file" -- "$doomed-pie" live main
	mapfile -t all < <(numbers)
	[ ${#all[@]} -ge 6 ]
	for number in "${all[@]}"; do
		cpctl show "$file" "$number"
	done | tr '*' ' ' >"$folder/shown"
	cpctl get "$file" >"$folder/out"
	tr '*' ' ' <"$folder/out" | cmp - "$folder/shown"
	# The second and later ones have marks.
	awk '/^checkpoint/ { nr++ }
	     / \*0x/ { marks[nr > 1]++ }
	     END { exit marks[0] || !marks[1] }' "$folder/out"
	cpctl get -n 2 "$file" | awk '/^checkpoint/ { print $2 }' >"$folder/out"
	[ "$(cat "$folder/out")" = "${all[0]}"$'\n'"${all[1]}" ]
	{
		for number in "${all[@]}"; do
			cpctl show --json "$file" "$number"
		done
		echo '{"type":"end","reason":"exited","exit_status":7}'
	} >"$folder/shown"
	cpctl get --json "$file" | cmp - "$folder/shown"
	cpctl get --json -n 2 "$file" >"$folder/out"
	head -n 2 "$folder/shown" | cmp - "$folder/out"
	cpctl log -n 2 "$file" >"$folder/out"
	cpctl log "$file" | head -n 2 | cmp - "$folder/out"
}

# The first checkpoint after an exec is not compared with the program before.
test_get_of_an_exec()
{
	ends 139 cpctl record --slots 4 -o "$file" -- env X=1 "$doomed-pie" segv main
	cpctl get "$file" >"$folder/out"
	[ "$(grep -c '^after exec ' "$folder/out")" = 1 ]
	has out "after exec 1: $doomed-pie segv main"
	awk '/^after exec/ { nr = 0 }
	     /^checkpoint/ { nr++ }
	     / \*0x/ { marks[nr > 1]++ }
	     END { exit marks[0] || !marks[1] }' "$folder/out"
}

# -n: from the given checkpoint on.
test_backtraces()
{
	local number

	ends 7 cpctl record --slots 6 -o "$file" -- "$doomed-pie" live main
	for number in -3 -2 -1; do
		cpctl bt "$file" $number
	done >"$folder/each"
	cpctl bt -n 3 "$file" -3 | cmp - "$folder/each"
	cpctl bt -n 100 "$file" -3 | cmp - "$folder/each"
	cpctl bt "$file" >"$folder/last"
	cpctl bt "$file" -1 | cmp - "$folder/last"
}

# Before and after close(-1): what it does to registers is in the manual of the
# processor.
test_diff()
{
	local number

	ends 7 cpctl record -o "$file" -- "$doomed-pie" live main
	number=$(cpctl log --json "$file" | grep '"syscall_name":"close".*"result":-9' |
		tail -n 1 | sed 's/.*"number":\([0-9]*\),.*/\1/')
	cpctl show --full --json "$file" $((number - 1)) >"$folder/a"
	cpctl show --full --json "$file" "$number" >"$folder/b"
	cpctl diff "$file" $((number - 1)) "$number" >"$folder/text"
	cpctl diff --json "$file" $((number - 1)) "$number" >"$folder/json"
	grep -qE '^  rax  .* -> 0xfffffffffffffff7$' "$folder/text"
	grep -qE '^  rip  .* -> 0x[0-9a-f]+ live\+0x[0-9a-f]+ \(doomed-pie\)$' "$folder/text"
	python3 -IS - "$folder" <<-'END'
		import json, re, sys
		load = lambda name: json.load(open(sys.argv[1] + "/" + name))
		a, b, diff = load("a"), load("b"), load("json")
		assert (diff["type"], diff["a"], diff["b"]) == ("diff", a["number"], b["number"])
		regs = {r["name"]: (r["old"], r["new"]) for r in diff["registers"]}
		want = {n: (v, b["regs"][n]) for n, v in a["regs"].items() if v != b["regs"][n]}
		assert regs == want, (regs, want)
		def words(c):
		    (s,) = c["segments"]
		    addr, data = int(s["addr"], 16), bytes.fromhex(s["data"])
		    return {addr + i: data[i:i + 8] for i in range(-addr % 8, len(data) - 7, 8)}
		old, new = words(a), words(b)
		value = lambda w: hex(int.from_bytes(w, "little")) if w is not None else None
		want = {hex(x): (value(old.get(x)), value(new.get(x)))
		        for x in old.keys() | new.keys() if old.get(x) != new.get(x)}
		got = {w["addr"]: (w["old"], w["new"]) for w in diff["stack"]}
		assert got == want and diff["same_stack"]
		# The text holds the same.
		text = open(sys.argv[1] + "/text").read().splitlines()
		assert len(text) == 2 + len(regs) + len(got), text
		for line, w in zip(text[2 + len(regs):], diff["stack"]):
		    assert int(line.split()[0], 16) == int(w["addr"], 16)
		    for n in (w["old"], w["new"]):
		        assert n is None or "0x%016x" % int(n, 16) in line
	END
	[ "$(cpctl diff "$file" "$number" "$number" | wc -l)" -eq 2 ]
	cpctl diff "$file" -2 -1 | sed -n 2p | grep -q "^checkpoint $(numbers | tail -n 1) "
	ends 2 cpctl diff "$file" 1 4000000
}

test_32_bit()
{
	options=()
	recorded "${chain%-pie}-32" liar
	eventually is_in 29 "$task"
	kill -SEGV "$task"
	fails 139 wait "$recorder"
	has_died 11
	cpctl log "$file" | grep -q ' write = [0-9]'
	backtrace
	complete
	grep -q ' rest$' "$folder/bt"
	ends 2 cpctl dump -o "$folder/none" "$file"
	has errors '32-bit code'
	[ ! -e "$folder/none" ]
}

# unchanged COMMAND...: it prints the same, and has the same exit status
unchanged()
{
	local alone=0

	"$@" >"$folder/alone" 2>"$folder/alone.errors" || alone=$?
	ends "$alone" cpctl record "${options[@]}" -o "$file" -- "$@"
	grep -v '^cpctl: ' "$folder/errors" | cmp - "$folder/alone.errors"
	[ -s "$folder/alone" ]
	cmp "$folder/alone" "$folder/out"
	[ "$(numbers | wc -l)" -gt 1 ]
}

test_real_programs()
{
	printf '%s\n' 'static int sq(int x) { return x * x; }' \
		'int main(int argc, char **argv) { return sq(argc); }' \
		>"$folder/source.c"
	options=()
	unchanged python3 -IS -c '
import hashlib, signal, time
hits = []
signal.signal(signal.SIGALRM, lambda *a: hits.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
while len(hits) < 5:
    time.sleep(0.001)
signal.setitimer(signal.ITIMER_REAL, 0)
print(hashlib.sha256(b"x" * 100000).hexdigest())'
	unchanged sqlite3 :memory: 'with recursive n(i) as (select 1 union all
		select i + 1 from n where i < 300) select sum(i), hex(max(i)) from n;'
	options=(--stream --xstate)
	unchanged "$(gcc -print-prog-name=cc1)" -quiet -O2 -o - "$folder/source.c"
	options=(--rate 1000)
	unchanged xz -9 -c "$chain"
	unchanged gzip -c "$chain"
	unchanged ls -l /proc/self/environ /does/not/exist
}

# A stack of 200 KiB and more, thousands of times, of which little changes.
test_long_recordings_are_small()
{
	local size

	printf '%s\n' '#include <unistd.h>' '#include <stdlib.h>' \
		'volatile int after;' \
		'static void __attribute__((noinline)) work(volatile char *room)' \
		'{ for (int i = 0; i < 3000; i++) { room[0] = i; getppid(); } after++; }' \
		'int main(void)' \
		'{ static unsigned seed = 1; char room[200000];' \
		'for (unsigned i = 0; i < sizeof(room); i++)' \
		'{ seed = seed * 1103515245 + 12345; room[i] = seed >> 16; }' \
		'work(room); return 0; }' |
		gcc -O1 -x c -o "$folder/deep" -
	ends 0 cpctl record --stream --wait --stack-limit 1M -o "$file" -- "$folder/deep"
	[ "$(numbers | wc -l)" -gt 3000 ]
	cpctl show --json --stack-bytes 0 "$file" -10 | grep -q '"size":2[0-9]\{5\},'
	size=$(stat -c %s "$file")
	echo "# $(numbers | wc -l) checkpoints in $size bytes"
	# Six hundred million otherwise; the bytes of the stack are random.
	[ "$size" -lt 1500000 ]
	# Nothing of it is lost.
	cpctl show --full --json "$file" -10 | python3 -IS -c '
import json, sys
data = bytes.fromhex(json.load(sys.stdin)["segments"][0]["data"])
seed, want = 1, bytearray()
for i in range(200000):
    seed = (seed * 1103515245 + 12345) & 0xffffffff
    want.append(seed >> 16 & 255)
assert bytes(want[16:]) in data'
}

test_usage()
{
	local arguments

	refuses_usage <<-'END'
		one PID|record
		one PID|record 1 2
		command is missing|record --
		invalid process id|record true
		'0' is not valid for --slots|record --slots 0 1
		'65537' is not valid for -s|record -s 65537 1
		'0' is not valid for --rate|record --rate 0 1
		'x' is not valid for --every|record --every x 1
		'1k' is not valid for --stack-limit|record --stack-limit 1k 1
		--wait is for --stream|record --wait 1
		standard output|record -o - 1
		'--json'|record --json 1
		expected PID, or FILE|log
		expected PID, or FILE|log a b
		'--full'|log --full a
		expected FILE [N]|show
		expected FILE [N]|show a 1 2
		checkpoint number '0'|show a 0
		checkpoint number 'x'|show a x
		expected PID, or FILE A B|diff a 1
		checkpoint number 'y'|diff a 1 y
		checkpoint number 'x'|bt a x
		checkpoint number '0'|dump a 0
	END
	ends 0 cpctl record --help
	for arguments in record log show diff; do
		ends 0 cpctl $arguments --version
	done
}

test_refusals()
{
	ends 2 cpctl record 4194303
	has errors 'there is no process or thread 4194303'
	ends 2 cpctl record 2
	has errors 'it is a kernel thread'
	ends 2 cpctl record --slots 65536 --stack-limit 1G -- true
	has errors 'is more than the module allows'
	ends 2 cpctl log "$folder/none"
	has errors "cannot read $folder/none: No such file"
	ends 2 cpctl log "$folder"
	ends 2 cpctl log /dev/null
	has errors 'not a recording'
	ends 2 cpctl bt ./Makefile
	has errors 'not a recording'
	rm -f "$folder"/recording.*
}

# cpctl fails before the program begins, which then does not begin.
test_no_place_for_the_file()
{
	local place

	mkdir "$folder/small"
	mount -t tmpfs -o size=64k none "$folder/small"
	cat /dev/zero >"$folder/small/filler" 2>/dev/null || :
	for options in --slots=256 '--stream --wait --slots=2'; do
		for place in "$folder" /dev/null /dev/full /no/such/folder/file \
				/proc/file "$folder/small/file"; do
			# shellcheck disable=SC2086 # words
			ends 2 cpctl record $options -o "$place" -- \
				touch "$folder/begun"
			has errors "cannot write $place: "
			[ ! -e "$folder/begun" ]
		done
	done
	has errors "cannot write $folder/small/file: No space left"
	[ -c /dev/null ]
	[ "$(ls -A "$folder/small")" = filler ]
	umount "$folder/small"
	# shellcheck disable=SC2119 # without a prefix
	start_sleeper
	ends 2 cpctl record -o /no/such/folder/file "$slave"
	has errors 'cannot write /no/such/folder/file: '
}

# fills COMMAND...: record with the command, which finds no room for the whole file: the part that
# was written is kept
fills()
{
	ends 3 "$@" -- python3 -IS -c '
import os, sys
for i in range(4000):
    os.getppid()
print("done")
sys.exit(3)'
	[ "$(cat "$folder/out")" = 'done' ]
	has errors "cannot write $file: "
	has errors 'the recording failed; the exit status is that of process'
	[ "$(compgen -G "$file*")" = "$file" ]
	ends 2 cpctl log "$file"
	has errors ': cut off'
	[ "$(wc -l <"$folder/out")" -gt 10 ]
}

# The program continues, and cpctl has its exit status.
test_no_place_for_all_of_the_file()
{
	mkdir "$folder/narrow"
	mount -t tmpfs -o size=32k none "$folder/narrow"
	file=$folder/narrow/file
	fills cpctl record --stream --wait -o "$file"
	rm "$file"
	fills cpctl record --slots 4000 -o "$file"
	umount "$folder/narrow"
	# A limit on the size of files is another reason, and no end of cpctl.
	file=$folder/limited
	(ulimit -f 32
	 fills cpctl record --stream --wait -o "$file"
	 ends 153 cpctl record -o "$folder/other" -- \
		dd if=/dev/zero of="$folder/large" bs=64K count=1
	 has errors 'killed by signal 25'
	 ends 2 cpctl dump -o "$folder/core" $$
	 has errors 'File too large')
}

# A file that cannot be written on demand can be written later.
test_no_place_for_the_file_now()
{
	options=()
	mkdir "$folder/later"
	file=$folder/later/file
	recorded "$doomed-pie" segv main told
	mv "$folder/later" "$folder/moved"
	kill -USR1 "$recorder"
	eventually grep -q "cannot write $file: " "$folder/errors"
	mv "$folder/moved" "$folder/later"
	tell
	fails 139 wait "$recorder"
	has_died 11 0x10
}

# The part before the damage is printed, and a message describes the damage.
test_damage()
{
	local size at lines

	ends 139 cpctl record --stream -o "$file" -- "$doomed-pie" segv main
	cpctl log "$file" >"$folder/whole"
	size=$(stat -c %s "$file")
	head -c $((size * 3 / 4)) "$file" >"$folder/part"
	ends 2 cpctl log "$folder/part"
	has errors 'cut off'
	lines=$(wc -l <"$folder/out")
	[ "$lines" -gt 5 ]
	[ "$lines" -lt "$(wc -l <"$folder/whole")" ]
	head -n "$lines" "$folder/whole" | cmp - "$folder/out"
	for at in 1 4 5 17 $((size - 20)); do
		head -c $((size - at)) "$file" >"$folder/cut"
		ends 2 cpctl bt "$folder/cut"
		has errors ': cut off'
	done
	# A bit, in the last frame's checksum and elsewhere.
	for at in $((size - 1)) $((size - 100)) $((size / 2)); do
		python3 -IS -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[3])] ^= 1
open(sys.argv[2], "wb").write(data)' "$file" "$folder/bad" "$at"
		ends 2 cpctl log "$folder/bad"
		has errors ': damaged: '
		ends 2 cpctl show "$folder/bad" "$(numbers | head -n 1)"
		has errors ': damaged: '
	done
	{ cat "$file"; echo more; } >"$folder/longer"
	ends 2 cpctl log "$folder/longer"
	has errors ': damaged: '
	printf 'CKPTREC\n\005\000\000\000\000\000\000\000' >"$folder/version"
	ends 2 cpctl show "$folder/version"
	has errors 'made by another version of cpctl: format 5, this one reads 1 to 4'
	printf 'CKPTREC\n\004\000\000\000\000\000\000\000' >"$folder/empty"
	ends 2 cpctl show "$folder/empty"
	has errors 'there are no processes in it'
}

# After a program has been rebuilt, its names are not used for the recorded addresses.
test_program_that_was_rebuilt()
{
	cp "$doomed-pie" "$folder/program"
	ends 139 cpctl record -o "$file" -- "$folder/program" segv main
	cp "$chain" "$folder/program.new"
	mv "$folder/program.new" "$folder/program"
	ends 0 cpctl bt "$file"
	has errors "$folder/program is not the file that was mapped: no names from it"
	grep -q '#0 .* \[program\]+0x' "$folder/out"
	cp "$doomed-pie" "$folder/program"
	ends 0 cpctl bt "$file"
	grep -q '#0 .* touch+0x' "$folder/out"
	[ ! -s "$folder/errors" ]
	rm "$folder/program"
	ends 0 cpctl bt "$file"
	grep -q '#0 .* \[program\]+0x' "$folder/out"
}

# What the core says of its memory is when it was read.
test_core_of_a_recording()
{
	crashes 139 "$doomed-pie" segv main
	cpctl dump -o "$folder/core" "$file" 2>/dev/null
	strings -n 4 "$folder/core" | sed -n '/^version 1$/,/^[0-9a-f]*-/p' \
		>"$folder/origin"
	awk '$1 == "time_ns" { time = $2 } $1 == "later_ns" { later = $2 }
	     END { exit !(later > 0 && later < time) }' "$folder/origin"
	# shellcheck disable=SC2016 # it is gdb's
	gdb -batch -nx -iex 'set auto-load off' -ex 'p $_siginfo._sifields._sigfault.si_addr' \
		"$doomed-pie" "$folder/core" 2>/dev/null </dev/null |
		grep -q '= (void \*) 0x10$'
}

# dies HOW WORDS: a program that dies like this has these words in the last line but one of its log
dies()
{
	cpctl record -s 4 -o "$file" -- "$folder/cause" "$1" 2>"$folder/errors" || :
	cpctl log "$file" | tail -n 2 >"$folder/out"
	has out "  killed by $2"
}

test_causes_of_death_are_in_words()
{
	compile cause <<-'END'
		#include <linux/filter.h>
		#include <linux/seccomp.h>
		#include <signal.h>
		#include <string.h>
		#include <sys/prctl.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		static void forbid_all(void)
		{
			struct sock_filter trap = { BPF_RET, 0, 0, SECCOMP_RET_TRAP };
			struct sock_fprog program = { 1, &trap };
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
			getppid();
		}
		int main(int argc, char **argv)
		{
			volatile int zero = 0;
			char how = argv[1][0];
			if (how == 'n') *(volatile char *)0 = 1;
			if (how == 'w') *(volatile char *)0xdead000000000000 = 1;
			if (how == 'c') *(volatile char *)main = 1;
			if (how == 'i') asm volatile("ud2");
			if (how == 'b') asm volatile("int3");
			if (how == 'd') zero = 7 / zero;
			if (how == 'k') kill(getpid(), SIGSEGV);
			if (how == 'r') raise(SIGBUS);
			if (how == 'q') sigqueue(getpid(), SIGILL, (union sigval){});
			if (how == 's') forbid_all();
			if (how == '9') kill(getpid(), SIGKILL);
			return 0;
		}
	END
	dies nothing 'SIGSEGV at address 0x0: nothing is mapped'
	dies wild 'SIGSEGV: sent by the kernel without an address'
	cpctl log --json "$file" | grep '"death"' >"$folder/out"
	fails 1 grep -q '"address"' "$folder/out"
	dies constant 'SIGSEGV at address 0x'
	has out ': not allowed'
	dies instruction 'SIGILL: illegal operand'
	dies breakpoint 'SIGTRAP: breakpoint'
	dies division 'SIGFPE: integer division by zero'
	dies kill 'SIGSEGV: sent by kill()'
	dies raise 'SIGBUS: sent by tkill() or tgkill()'
	dies queue 'SIGILL: sent by sigqueue()'
	dies seccomp 'SIGSYS: a system call that seccomp forbids'
	dies 9 'SIGKILL  0x'
}

# The recorded thread waited for the one that crashed.
test_death_of_another_thread_is_not_its_own()
{
	local command

	gcc -D_GNU_SOURCE -O1 -g -pthread -x c -o "$folder/threads" - <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <unistd.h>
		static void *crash(void *unused)
		{
			usleep(300000);
			printf("%d\n", gettid());
			fflush(stdout);
			*(volatile int *)3 = 1;
			return unused;
		}
		int main(void)
		{
			pthread_t thread;
			pthread_create(&thread, NULL, crash, NULL);
			return pthread_join(thread, NULL);
		}
	END
	fails 139 cpctl record --thread -o "$file" -- "$folder/threads" >"$folder/tid" 2>/dev/null
	for command in log show bt; do
		ends 0 cpctl $command "$file"
		has out "killed with its process, by SIGSEGV in thread $(cat "$folder/tid"): not where that happened"
		fails 1 grep -q 'killed by SIGSEGV' "$folder/out"
	done
	ends 0 cpctl show --json "$file"
	has out "\"elsewhere\":true,\"thread\":$(cat "$folder/tid")}"
	ends 0 cpctl dump -o "$folder/core" "$file"
	eu-readelf -n "$folder/core" >"$folder/out"
	grep -qE 'cursig: 0' "$folder/out"
	fails 1 grep -q SIGINFO "$folder/out"
}

tap_run "$@"
