#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl bt and cpctl dump of processes with several threads: all threads, of one instant.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash
. selftests/crew.bash

# calls_are_true: for each thread, a line "TID NAME: FUNCTION..." of standard input has
# the calls of the function that the thread is in
calls_are_true()
{
	python3 -IS -c '
import sys
got = {}
for line in sys.stdin:
    head, calls = line.split(":")
    got[head] = calls.split()
wanted = [line.strip() for line in open(sys.argv[1])]
assert sorted(got) == sorted(wanted), (got, wanted)
for head, calls in got.items():
    name = head.split()[1]
    if name == "crew":
        assert calls[-2:] == ["main", "_start"] or "main" in calls, (head, calls)
    elif name in ("asleep", "computing"):
        assert name in calls and "main" not in calls, (head, calls)
    elif name == "deep":
        assert calls.count("deep") == 100 and "run_deep" in calls, (head, calls)
    elif name == "handler":
        own = [c for c in calls if c in ("handler", "interrupted", "run_handler")]
        assert own == ["handler", "interrupted", "run_handler"], (head, calls)
    else:
        assert "pass" in calls and calls.count("baton") <= 1, (head, calls)
batons = [head for head, calls in got.items() if "baton" in calls]
assert len(batons) <= 1, batons' "$folder/said"
}

# bt_calls FILE: print lines for calls_are_true, made of the text of cpctl bt
bt_calls()
{
	awk '/^TID / { printf "%s%s %s", nl, $2, $3; nl = "\n" }
		/^  #/ { sub(/\+0x.*/, "", $3); printf " %s", $3 }
		END { print "" }' "$1"
}

test_all_threads()
{
	start_crew
	ends 0 cpctl bt "$slave"
	[ ! -s "$folder/errors" ]
	bt_calls "$folder/out" | calls_are_true
	# The main thread comes first, then the others by their ids.
	sed -n 's/^TID \(.*\):$/\1/p' "$folder/out" >"$folder/order"
	wanted_order | cmp - "$folder/order"
	# The id of any thread stands for the process.
	ends 0 cpctl bt "$(thread_of deep)"
	sed -n 's/^TID \(.*\):$/\1/p' "$folder/out" | cmp - "$folder/order"
	stop_slave
}

# addresses "TID..." FILE: print the return addresses of the thread's frames but the innermost
addresses()
{
	awk -v head="TID $1" '/^TID / { on = index($0, head) == 1; next }
		on && /^ *#/ { sub(/.*0x0*/, "", $2); print $2 }' "$2" |
		uniq | tail -n +2 | tr '\n' ' '
}

# The innermost address differs: cpctl sees a system call that will be restarted.
test_same_as_eu_stack()
{
	start_crew
	ends 0 cpctl bt "$slave"
	eu-stack -n 0 -p "$slave" >"$folder/eu" 2>"$folder/errors" || :
	for name in asleep deep crew; do
		id=$(thread_of "$name")
		same "$name" "$(addresses "$id:" "$folder/eu")" \
			"$(addresses "$id " "$folder/out")"
	done
	stop_slave
}

# Of two threads that take turns, at most one has the baton.
test_of_one_instant()
{
	start_crew
	# Without an interval, the threads hardly run in between.
	ends 0 cpctl bt -n 20 --interval 0.05 --json "$slave"
	python3 -IS -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) == 20 * 7, len(lines)
seen = 0
for i in range(0, len(lines), 7):
    instant = lines[i:i + 7]
    assert len({bt["thread"] for bt in instant}) == 7, instant
    batons = [bt for bt in instant for f in bt["frames"]
              if f.get("symbol", {}).get("name") == "baton"]
    assert len(batons) <= 1, batons
    seen += len(batons)
assert seen > 0' "$folder/out"
	stop_slave
}

test_json()
{
	start_crew
	ends 0 cpctl bt --json "$slave"
	python3 -IS -c '
import json, sys
for line in open(sys.argv[1]):
    bt = json.loads(line)
    print(bt["thread"], bt["thread_name"])' "$folder/out" >"$folder/order"
	wanted_order | cmp - "$folder/order"
	# One object is one thread, with --thread and in other verbs, too.
	ends 0 cpctl bt --json --thread "$(thread_of deep)"
	same thread "$(thread_of deep)" \
		"$(sed -n 's/.*"thread":\([0-9]*\),.*/\1/p' "$folder/out")"
	ends 0 cpctl get --json --thread "$slave"
	has out "\"thread\":$slave,"
	stop_slave
}

# A thread chooses its name.
test_misleading_name()
{
	compile liar -pthread <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <sys/prctl.h>
		#include <unistd.h>
		void *lie(void *arg)
		{
			prctl(PR_SET_NAME, "a:\nTID 1 \033[31m");
			puts("here");
			fflush(stdout);
			pause();
			return arg;
		}
		int main(void)
		{
			pthread_t thread;

			pthread_create(&thread, NULL, lie, NULL);
			pthread_join(thread, NULL);
			return 0;
		}
	END
	rm -f "$folder/said"
	"$folder/liar" >"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
	ends 0 cpctl bt "$slave"
	[ "$(grep -c '^TID ' "$folder/out")" -eq 2 ]
	has out ' "a:\x0aTID 1 \x1b[31m":'
	ends 0 cpctl bt --json "$slave"
	[ "$(wc -l <"$folder/out")" -eq 2 ]
	has out '"thread_name":"a:\nTID 1 \u001b[31m"'
	stop_slave
}

test_one_thread()
{
	start_crew
	ends 0 cpctl bt --thread "$(thread_of deep)"
	[ "$(grep -c '^asleep ' "$folder/out")" -eq 1 ]
	[ "$(grep -c ' deep+0x' "$folder/out")" -eq 100 ]
	fails 1 grep -q '^TID ' "$folder/out"
	# A process's id stands for its main thread then.
	ends 0 cpctl bt --thread "$slave"
	has out ' main+0x'
	ends 0 cpctl bt --thread --no-nudge --timeout 60 "$(thread_of computing)"
	has out ' computing+0x'
	stop_slave
}

# core_calls: print a line for calls_are_true of each thread that gdb shows in the core
core_calls()
{
	gdb -batch -nx -iex 'set auto-load off' -ex 'thread apply all bt' \
		"$program" "$folder/core" >"$folder/gdb" 2>"$folder/gdb.errors" </dev/null
	awk 'NR == FNR { name[$1] = $2; next }
		/^Thread / { sub(/\).*/, ""); id = $NF; printf "%s%s %s:", nl, id, name[id]; nl = "\n" }
		id && /^#/ { sub(/ \(.*/, ""); printf " %s", $NF }
		END { print "" }' "$folder/said" "$folder/gdb"
}

test_core()
{
	start_crew
	ends 0 cpctl dump -o "$folder/core" "$slave"
	has errors ": 7 threads and all private memory, "
	core_calls >"$folder/calls"
	calls_are_true <"$folder/calls"
	ends 0 cpctl dump --stack-only -o "$folder/core" "$slave"
	has errors "registers and stacks of 7 threads are those of one instant"
	core_calls >"$folder/calls"
	calls_are_true <"$folder/calls"
	# gdb shows the main thread first, or the one whose id was given.
	has gdb "Core was generated by"
	gdb_names | grep -qx main
	eu-stack -n 0 --core "$folder/core" -e "$program" >"$folder/eu" 2>/dev/null || :
	same eu-stack "$(sort "$folder/said" | cut -d ' ' -f 1)" \
		"$(sed -n 's/^TID \(.*\):$/\1/p' "$folder/eu" | sort)"
	[ "$(grep -c ' deep$' "$folder/eu")" -eq 100 ]
	grep -qa "^thread $(thread_of deep) " "$folder/core"
	ends 0 cpctl dump -o "$folder/core" "$(thread_of asleep)"
	gdb_names | grep -qx asleep
	ends 0 cpctl dump --thread -o "$folder/core" "$(thread_of deep)"
	has errors "registers and stack are those of the checkpoint"
	[ "$(core_calls | wc -l)" -eq 1 ]
	core_calls | grep -q "^$(thread_of deep) deep: .* deep deep deep "
	stop_slave
}

# Threads whose stacks are in one mapping: the loads of the core do not overlap.
test_core_of_stacks_in_one_mapping()
{
	compile shared -pthread <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/mman.h>
		#include <unistd.h>
		#define SIZE 65536
		void *lodger(void *arg)
		{
			puts("here");
			fflush(stdout);
			pause();
			return arg;
		}
		int main(void)
		{
			char *house = mmap(NULL, 4 * SIZE, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			pthread_attr_t attr;
			pthread_t thread;
			int i;

			pthread_attr_init(&attr);
			for (i = 0; i < 4; i++) {
				pthread_attr_setstack(&attr, house + i * SIZE, SIZE);
				pthread_create(&thread, &attr, lodger, NULL);
			}
			pthread_join(thread, NULL);
			return 0;
		}
	END
	program=$folder/shared
	rm -f "$folder/said"
	"$program" >"$folder/said" &
	slave_begins $!
	eventually said_here
	ends 0 cpctl dump --stack-only -o "$folder/core" "$slave"
	gdb -batch -nx -iex 'set auto-load off' -ex 'thread apply all bt' \
		"$program" "$folder/core" >"$folder/gdb" 2>"$folder/gdb.errors" </dev/null
	[ "$(grep -c '^#.* lodger (' "$folder/gdb")" -eq 4 ]
	eu-readelf -lW "$folder/core" | awk '$1 == "LOAD" { print $3, $6 }' |
		python3 -IS -c '
import sys
end = 0
for line in sys.stdin:
    addr, size = (int(word, 16) for word in line.split())
    assert addr >= end, line
    end = addr + size
assert end'
	stop_slave
}

said_here()
{
	[ "$(wc -l <"$folder/said")" -eq 4 ]
}

test_options_for_one_thread()
{
	start_crew
	for option in --no-nudge '--every 2'; do
		# shellcheck disable=SC2086 # words
		refuses 2 "process $slave has 7 threads, which do not return to user mode at one instant" \
			cpctl bt $option "$slave"
		has errors "add --thread"
	done
	# The last of these options counts.
	ends 0 cpctl bt --every 2 --nudge "$slave"
	[ "$(grep -c '^TID ' "$folder/out")" -eq 7 ]
	refuses 1 "--thread is for a process" cpctl bt --thread /dev/null
	stop_slave
}

# Threads that have arrived are not held while another one cannot arrive.
test_stopped()
{
	start_crew
	kill -STOP "$slave"
	eventually is_stopped "$slave"
	refuses 2 "in time: it is stopped" cpctl bt --timeout 0.2 "$slave"
	cpctl bt "$slave" >"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually grep -q "is stopped: waiting until it is continued ('kill -CONT $slave')" \
		"$folder/errors"
	kill -CONT "$slave"
	wait "$master"
	[ "$(grep -c '^TID ' "$folder/out")" -eq 7 ]
	stop_slave
}

test_interrupted()
{
	start_crew
	kill -STOP "$slave"
	eventually is_stopped "$slave"
	for sig in INT TERM HUP; do
		: >"$folder/errors"
		env --default-signal cpctl bt -n 3 "$slave" >"$folder/out" \
			2>"$folder/errors" &
		master=$!
		eventually grep -q 'is stopped: waiting' "$folder/errors"
		kill "-$sig" "$master"
		wait "$master"
		has errors "interrupted; process $slave continues"
		[ ! -s "$folder/out" ]
	done
	kill -CONT "$slave"
	stop_slave
}

# The process runs while cpctl prints.
test_runs_while_printed()
{
	local before

	start_crew
	mkfifo "$folder/pipe"
	cpctl bt -n 2 "$slave" >"$folder/pipe" 2>"$folder/errors" &
	exec 5<"$folder/pipe"
	eventually fails 1 is_master_of $! "$slave"
	before=$(awk '{ print $14 }' "/proc/$slave/stat")
	eventually uses_time "$before"
	cat <&5 >"$folder/out"
	exec 5<&-
	wait $!
	[ "$(grep -c '^TID ' "$folder/out")" -eq 14 ]
	stop_slave
}

uses_time()
{
	[ "$(awk '{ print $14 }' "/proc/$slave/stat")" -gt "$(($1 + 10))" ]
}

test_end_of_the_process()
{
	start_crew
	rm -f "$folder/out"
	cpctl bt -n 1000000 --interval 0.2 --json "$slave" >"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually test -s "$folder/out"
	kill -SEGV "$slave"
	fails 0 wait "$master"
	has errors "process $slave has ended: killed by signal 11"
	has out '"type":"end"'
	# Each thread leaves the state in which it died.
	[ "$(grep -c '"death":' "$folder/out")" -eq 7 ]
	wait "$slave" 2>/dev/null || :
}

tap_run "$@"
