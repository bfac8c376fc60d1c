#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl get, log, diff, run, watch, list and stat of processes with several threads; and
# of several processes, selected by ids and by names.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash
. selftests/crew.bash

unset NO_COLOR
export TERM=xterm
memory=/sys/module/checkpoint/parameters/memory_per_user

# python SCRIPT [ARGUMENT]...: run Python with functions for lines of JSON
python()
{
	python3 -IS -c '
import json, sys
def objects(path):
    return [json.loads(line) for line in open(path)]
# The numbers of each thread count from 1, and the times never go back.
def in_order(checkpoints):
    last, time = {}, 0
    for cp in checkpoints:
        assert cp["seq"] == last.get(cp["thread"], 0) + 1, (cp["thread"], cp["seq"])
        assert cp["time_ns"] >= time, cp
        last[cp["thread"]], time = cp["seq"], cp["time_ns"]
    return last
'"$1" "${@:2}"
}

# compile_brief: a program that waits for a line, and then has as many threads as its
# argument says; each makes three system calls and ends when all are there. Its exit
# status is 3.
compile_brief()
{
	compile brief -pthread <<-'END'
		#include <pthread.h>
		#include <stdlib.h>
		#include <unistd.h>
		pthread_barrier_t all;
		void *worker(void *arg)
		{
			int i;

			for (i = 0; i < 3; i++)
				getppid();
			pthread_barrier_wait(&all);
			return arg;
		}
		int main(int argc, char **argv)
		{
			int nr = atoi(argv[argc - 1]), i;
			pthread_t threads[nr];
			char line[8];

			read(0, line, sizeof(line));
			pthread_barrier_init(&all, NULL, nr);
			for (i = 0; i < nr; i++)
				pthread_create(&threads[i], NULL, worker, NULL);
			for (i = 0; i < nr; i++)
				pthread_join(threads[i], NULL);
			return 3;
		}
	END
}

# start_brief NR [COMMAND...]: start brief, by the command if there is one; begin lets it continue
start_brief()
{
	compile_brief
	rm -f "$folder/begin"
	mkfifo "$folder/begin"
	exec 8<>"$folder/begin"
	"${@:2}" "$folder/brief" "$1" <&8 &
	slave_begins $!
	eventually reads "$slave"
}

# Is the process in read(2) from its standard input?
reads()
{
	grep -qs '^0 0x0 ' "/proc/$1/syscall"
}

begin()
{
	echo >&8
	exec 8>&-
}

test_get_of_all_threads()
{
	start_crew
	ends 0 cpctl get -n 60 --json --stack-bytes 0 "$slave"
	python '
checkpoints = objects(sys.argv[1])
assert len(checkpoints) == 60
last = in_order(checkpoints)
said = {int(line.split()[0]) for line in open(sys.argv[2])}
assert set(last) == said, (last, said)' "$folder/out" "$folder/said"
	# All are nudged, and one checkpoint is printed. Any thread stands for the process.
	ends 0 cpctl get --stack-bytes 0 "$(thread_of deep)"
	[ "$(grep -c '^checkpoint 1  time ' "$folder/out")" -eq 1 ]
	head -n 1 "$folder/out" | sed -n 's/^TID \(.*\):$/\1/p' | grep -qxFf "$folder/said"
	# With one thread, no line names it.
	ends 0 cpctl get -n 3 --stack-bytes 0 --thread "$(thread_of computing)"
	[ "$(grep -c '^checkpoint [123]  time ' "$folder/out")" -eq 3 ]
	fails 1 grep -q '^TID ' "$folder/out"
	has out ' computing+0x'
	stop_slave
}

# What has changed is marked, of each thread: of one that sleeps, nothing, unless it was
# interrupted before it made its call again (orig_rax).
test_changes_of_each_thread()
{
	start_crew
	ends 0 cpctl get -n 60 "$slave"
	awk '
		/^TID/ { name = $3; next }
		/^checkpoint 1 / { name = ""; next }
		/^checkpoint/ { nr[name]++; next }
		{ sub(/orig_rax\*/, "") }
		/\*0x/ { changed[name]++ }
		END {
			for (name in nr)
				print "# " name, nr[name] " later ones, " changed[name] + 0 " changes"
			exit !nr["asleep:"] || changed["asleep:"] || !changed["computing:"]
		}' "$folder/out"
	stop_slave
}

test_log_of_threads()
{
	local worker

	start_brief 2
	cpctl log "$slave" >"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually is_master_of "$master" "$slave"
	begin
	wait "$master"
	fails 3 wait "$slave"
	# While there is one thread, there is no column.
	[[ $(head -n 1 "$folder/out") != *tid* ]]
	[ "$(tail -n 1 "$folder/out")" = "          (exit status 3)" ]
	has out "          (thread $slave ended: exit status 3)"
	sed -n 's/^ *(thread \([0-9]*\) ended: exit status 0)$/\1/p' "$folder/out" >"$folder/workers"
	[ "$(wc -l <"$folder/workers")" -eq 2 ]
	while read -r worker; do
		[ "$(grep -cE "^ +[0-9]+  [0-9.]+  cpu [0-9]+  tid $worker +getppid = " "$folder/out")" -eq 3 ]
	done <"$folder/workers"
	[ "$(grep -c ' ended: exit status' "$folder/out")" -eq 3 ]
	has errors "process $slave has ended: exit status 3"
}

test_run_sees_new_threads_from_the_beginning()
{
	compile_brief
	ends 0 cpctl run --json --stack-bytes 0 -- "$folder/brief" 4 </dev/null
	python '
lines = objects(sys.argv[1])
last = in_order([line for line in lines if line["type"] == "checkpoint"])
ends = {line["thread"]: line["exit_status"] for line in lines if line["type"] == "thread_end"}
main = lines[0]["thread"]
assert set(ends) == set(last) and len(last) == 5, (ends, last)
assert all(status == (3 if thread == main else 0) for thread, status in ends.items()), ends
assert lines[-1]["type"] == "end" and lines[-1]["exit_status"] == 3, lines[-1]' "$folder/out"
	ends 0 cpctl run -n 1000 --stack-bytes 0 -- "$folder/brief" 1 </dev/null
	[ "$(grep -c '^cpctl: thread [0-9]* has ended: exit status 0' "$folder/errors")" -eq 1 ]
	grep -q '^TID [0-9]* brief:$' "$folder/out"
	# The others run unseen.
	ends 0 cpctl run --thread --stack-bytes 0 -- "$folder/brief" 4 </dev/null
	fails 1 grep -q '^TID ' "$folder/out"
	fails 1 grep -q 'thread' "$folder/errors"
}

# Each difference is that of one thread.
test_diff_of_threads()
{
	start_crew
	ends 0 cpctl diff -n 40 --json "$slave"
	python '
lines = objects(sys.argv[1])
assert len(lines) == 40 and {line["type"] for line in lines} == {"diff"}
last = {}
for line in lines:
    assert line["b"] == line["a"] + 1 == last.get(line["thread"], 1) + 1, line
    last[line["thread"]] = line["b"]
assert len(last) > 2, last' "$folder/out"
	ends 0 cpctl diff --thread "$(thread_of computing)"
	[ "$(grep -c '^checkpoint [12]  time ' "$folder/out")" -eq 2 ]
	stop_slave
}

test_threads_that_are_not_seen()
{
	local before

	before=$(cat "$memory")
	chmod 666 /dev/checkpoint
	start_brief 8 "${as_nobody[@]}"
	"${as_nobody[@]}" cpctl log "$slave" >"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually is_master_of "$master" "$slave"
	echo 1 >"$memory"
	begin
	wait "$master" || :
	fails 3 wait "$slave"
	echo "$before" >"$memory"
	chmod 600 /dev/checkpoint
	grep -qE "^cpctl: [1-8] threads that process $slave has created are missing: the pair had no room, or no memory, for them$" \
		"$folder/errors"
}

# A thread whose child of vfork() is stopped is in an uninterruptible sleep.
test_late_thread_is_named()
{
	local late

	compile late -pthread <<-'END'
		#include <pthread.h>
		#include <signal.h>
		#include <stdio.h>
		#include <sys/prctl.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		void *parent(void *arg)
		{
			prctl(PR_SET_NAME, "parent");
			printf("%ld\n", (long)syscall(SYS_gettid));
			fflush(stdout);
			if (!vfork()) {
				syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
				_exit(0);
			}
			pause();
			return arg;
		}
		int main(void)
		{
			pthread_t thread;

			pthread_create(&thread, NULL, parent, NULL);
			pthread_join(thread, NULL);
			return 0;
		}
	END
	rm -f "$folder/said"
	"$folder/late" >"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
	late=$(cat "$folder/said")
	eventually grep -q '^State:	D' "/proc/$slave/task/$late/status"
	refuses 2 "no checkpoint of thread $late (parent) in time: it is in uninterruptible sleep" \
		cpctl bt --timeout 0.5 "$slave"
	# The others do not wait for it: they are nudged, and one comes first.
	ends 0 cpctl get --stack-bytes 0 "$slave"
	has out "TID $slave late:"
	cpctl bt "$slave" >"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually grep -q "thread $late (parent) is in uninterruptible sleep: waiting until that is over" \
		"$folder/errors"
	kill -CONT "$(child_of_thread "$late")"
	wait "$master"
	[ "$(grep -c '^TID ' "$folder/out")" -eq 2 ]
	stop_slave
}

child_of_thread()
{
	tr -d ' ' <"/proc/$slave/task/$1/children"
}

# A module without processes: one thread, and one warning.
test_older_module()
{
	local verb

	compile old.so -shared -fPIC -Iinclude/uapi <<-'END'
		#include <linux/checkpoint.h>
		#include <stdarg.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int ioctl(int fd, unsigned long request, ...)
		{
			struct cp_info *info;
			va_list args;
			int ret;

			va_start(args, request);
			info = va_arg(args, void *);
			va_end(args);
			ret = syscall(SYS_ioctl, fd, request, info);
			if (!ret && request == CP_IOC_INFO)
				info->features &= ~(CP_FEATURE_PROCESS |
					    CP_FEATURE_HOLD | CP_FEATURE_SLEEPER);
			return ret;
		}
	END
	start_crew
	for verb in bt get; do
		ends 0 env LD_PRELOAD="$folder/old.so" cpctl $verb --json "$slave"
		[ "$(wc -l <"$folder/out")" -eq 1 ]
		has out "\"thread\":$slave,"
		[ "$(cat "$folder/errors")" = "cpctl: the module is older than this cpctl and knows only single threads: taking thread $slave alone" ]
	done
	stop_slave
}

test_watch_shows_threads()
{
	start_crew
	# Those that compute come first.
	terminal '
expect(r"process %d \(crew\), threads: 7, cpu \d+%%, checkpoints taken: " % slave)
expect(r"TID +NAME[^\n]*\n\S*\s*%d +\d+ (left|right|computing) " % slave)
expect(r"deep +S +0.0 +\w+ +.*\+0x")
expect(r"checkpoints taken: \d\d")
press(b"q")
leaves()' --interval 0.1
	slave_is_free
	ROWS=7 terminal '
expect("4 more threads do not fit")
press(b"q")
leaves()' --interval 0.1
	# Registers of a single thread.
	terminal '
expect("rax .*0x[0-9a-f]{16}")
press(b"q")
leaves()' --thread
	stop_slave
}

# The view changes with the number of threads, and knows the end.
test_watch_of_threads_that_come_and_go()
{
	compile coming -pthread <<-'END'
		#include <pthread.h>
		#include <unistd.h>
		void *rest(void *arg)
		{
			char line[8];

			read(0, line, sizeof(line));
			return arg;
		}
		int main(void)
		{
			pthread_t thread;

			rest(NULL);
			pthread_create(&thread, NULL, rest, NULL);
			pthread_join(thread, NULL);
			rest(NULL);
			return 3;
		}
	END
	mkfifo "$folder/line"
	exec 7<>"$folder/line"
	"$folder/coming" <&7 &
	slave_begins $!
	eventually reads "$slave"
	terminal '
expect("rax .*0x[0-9a-f]{16}")
os.write(7, b"\n")
expect(r"process %d \(coming\), threads: 2," % slave)
seen = ""
os.write(7, b"\n")
expect("rax .*0x[0-9a-f]{16}")
os.write(7, b"\n")
leaves()
expect(r"process %d has ended" % slave)' --interval 0.1
	exec 7>&-
	fails 3 wait "$slave"
}

# start_holder: the master of "$slave", which holds it until it gets a line
start_holder()
{
	compile holder -Itools/lib -Iinclude/uapi -Wl,--whole-archive \
		build/lib/libcheckpoint.a -Wl,--no-whole-archive <<-'END'
		#include <checkpoint.h>
		#include <stdio.h>
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			const struct cp_pair_options options = {
				.size = sizeof(options),
				.flags = CP_PREP_PROCESS | CP_PREP_OVERWRITE,
			};
			struct cp_pair *pair = cp_pair_open();

			if (cp_pair_prep(pair, atoi(argv[argc - 1]), &options) ||
			    cp_pair_hold(pair, -1, 1000000000000, 0, NULL) < 0)
				return 1;
			puts("held");
			fflush(stdout);
			getchar();
			return 0;
		}
	END
	mkfifo "$folder/release"
	exec 6<>"$folder/release"
	"$folder/holder" "$slave" <&6 >"$folder/held" &
	master=$!
	eventually grep -q held "$folder/held"
}

test_list_and_stat_of_threads()
{
	local verb selected

	start_crew
	start_holder
	for verb in list stat; do
		for selected in "" "$slave" "--name crew" "$slave --name crew"; do
			# shellcheck disable=SC2086 # words
			ends 0 cpctl $verb $selected
			grep -qE "^ *$slave +$master .*\bheld .* 7 .*crew < holder$" "$folder/out"
		done
		# The one that is not a slave is reported, the other one is shown.
		ends 2 cpctl $verb "$slave" $$
		has errors "process $$ is not a slave"
		has out " crew < holder"
		refuses 2 "no slave that you may see has the name 'cre'" cpctl $verb --name cre
		ends 0 cpctl $verb --json
		has out '"threads":7,"unseen":0,'
		has out '"state":"held"'
	done
	echo >&6
	exec 6>&-
	wait "$master"
	refuses 2 "process $slave is not a slave" cpctl list "$slave"
	stop_slave
}

# start_named NAME: another process with the name, whose id is added to "$pids"
start_named()
{
	[ -e "$folder/$1" ] || cp "$(command -v sleep)" "$folder/$1"
	"$folder/$1" 1000 &
	slave_begins $!
	pids+=("$slave")
	eventually is_asleep "$slave" "$(head -c 15 <<<"$1")"
}

test_several_processes()
{
	local pids=() absent=999999 one

	start_named several
	start_named several
	ends 2 cpctl bt "${pids[0]}" $absent "${pids[1]}"
	same order "PID ${pids[0]} several: PID ${pids[1]} several: " \
		"$(grep '^PID ' "$folder/out" | tr '\n' ' ')"
	[ "$(grep -c 'clock_nanosleep' "$folder/out")" -ge 2 ]
	has errors "there is no process or thread $absent"
	ends 0 cpctl bt -o "$folder/both" --json "${pids[@]}"
	[ ! -s "$folder/out" ]
	python '
first, second = objects(sys.argv[1])
assert [first["process"], second["process"]] == [int(pid) for pid in sys.argv[2:]]' \
		"$folder/both" "${pids[@]}"
	cd "$folder" || return
	ends 2 cpctl dump "${pids[0]}" $absent "${pids[1]}"
	for one in "${pids[@]}"; do
		eu-readelf -n "core.$one" | grep -q "pid: $one,"
	done
	refuses 1 "--output is for one process, and there are 2" \
		cpctl dump -o core "${pids[@]}"
	refuses 1 "expected PID, or FILE" cpctl get "${pids[@]}"
	terminal '
expect("processes: 2, threads: 2,")
expect(r"%d +%d several +S " % (slave, slave))
press(b"q")
leaves()' --interval 0.1 "${pids[0]}"
	# If there is no such process, a message at the end says so.
	terminal '
expect("process %d \\(several\\), threads: 1," % slave)
press(b"q")
leaves(2)
expect("there is no process or thread 999999")' --interval 0.1 $absent
	kill -KILL "${pids[@]}"
}

test_processes_by_name()
{
	local pids=() long='a name of more than 15 characters'

	refuses 2 "no process that you may look into has the name 'by name'" \
		cpctl bt --name 'by name'
	start_named 'by name'
	ends 0 cpctl get --stack-bytes 0 --name 'by name'
	has out 'clock_nanosleep'
	start_named 'by name'
	refuses 2 "this is for one process, but there are 2: give the PID of one, of ${pids[*]}" \
		cpctl log --name 'by name'
	# Each process once. The file may have no name any more.
	rm "$folder/by name"
	ends 0 cpctl bt --name 'by name' "${pids[1]}"
	same names "PID ${pids[1]} \"by name\": PID ${pids[0]} \"by name\": " \
		"$(grep '^PID ' "$folder/out" | tr '\n' ' ')"
	# The executable counts, whatever name the process gives itself, and that name.
	start_named "$long"
	ends 0 cpctl get --stack-bytes 0 --name "$long"
	ends 0 cpctl get --stack-bytes 0 --name "${long:0:15}"
	refuses 2 "has the name '${long:0:16}'" cpctl get --name "${long:0:16}"
	# Kernel threads have no executable. Those of others are not found.
	refuses 2 "has the name 'kthreadd'" cpctl bt --name kthreadd
	chmod 666 /dev/checkpoint
	refuses 2 "has the name 'by name'" "${as_nobody[@]}" cpctl bt --name 'by name'
	chmod 600 /dev/checkpoint
	kill -KILL "${pids[@]}"
}

tap_run "$@"
