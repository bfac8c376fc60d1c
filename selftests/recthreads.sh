#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Recordings of processes with several threads: which thread crashed, and where all others
# were.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash
# shellcheck source=selftests/recordings.bash
. selftests/recordings.bash

gang=$PWD/build/selftests/gang

# start_gang HOW: start gang as the slave; it waits for tell
start_gang()
{
	rm -f "$folder/pipe" "$folder/said"
	mkfifo "$folder/pipe"
	exec 8<>"$folder/pipe"
	"$gang" "$1" <&8 >"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
}

# written_now: have the recorder read the names of the threads, and write the file
written_now()
{
	: >"$folder/errors"
	kill -USR1 "$recorder"
	eventually grep -q "$file: [0-9]* checkpoints" "$folder/errors"
}

# record_gang [OPTION...] PID: record the slave; sets recorder when the file is written
record_gang()
{
	cpctl record -o "$file" "$@" 2>"$folder/errors" &
	recorder=$!
	eventually is_master_of "$recorder" "$slave"
	written_now
}

# gang_is_true HOW: in the JSON of cpctl bt, all threads are where they were at HOW:
# fault, kill, leader or now
gang_is_true()
{
	python3 -IS -c '
import json, sys
how = sys.argv[1]
threads = [json.loads(line) for line in sys.stdin]
def calls(t):
    return [f.get("symbol", {}).get("name", f.get("function")) for f in t["frames"]]
names = [t["thread_name"] for t in threads]
ids = [t["thread"] for t in threads]
where = dict(zip(names, map(calls, threads)))
wanted = ["counter", "crasher", "gang", "idler"]
if how == "leader":
    wanted.remove("gang")
assert sorted(names) == wanted, names
assert len({t["number"] for t in threads}) == len(threads), threads
for name, function in {"counter": "counter", "crasher": "crasher", "gang": "main",
                       "idler": "idler"}.items():
    assert name not in where or function in where[name], (name, where)
    others = {"counter", "crasher", "idler", "main"} - {function}
    assert not others & set(where.get(name, [])), (name, where)
if how in ("fault", "leader"):
    assert names[0] == "crasher" and where["crasher"][0] == "fault", where
    death = threads[0]["death"]
    assert death["address"] == "0x10" and not death["elsewhere"], death
    assert threads[0]["before_ns"] == 0, threads[0]
    for t in threads[1:]:
        assert t["death"]["elsewhere"] and t["death"]["thread"] == ids[0], t
    assert ids[1:] == sorted(ids[1:]), ids
else:
    assert names[0] == "gang" and ids[1:] == sorted(ids[1:]), ids
if how == "kill":
    assert all(t["death"]["signal"] == 9 and not t["death"]["elsewhere"] for t in threads)
if how == "now":
    assert not any("death" in t for t in threads)
# Unknown if it has slept since before the recording began.
idler = threads[names.index("idler")]
assert idler.get("before_ns", 1) > 0, idler' "$1"
}

# gang_is_there HOW: in cpctl bt, whose output is in the file json
gang_is_there()
{
	cpctl bt --json "$file" >"$folder/json"
	gang_is_true "$1" <"$folder/json"
}

# The names and the states of all threads are in a file that is written on demand, too.
test_worker_that_crashes()
{
	local id name

	recorded "$gang" segv
	written_now
	gang_is_there now
	tell
	fails 139 wait "$recorder"
	has_died 11 0x10
	gang_is_there fault
	id=$(sed -n '1s/.*"thread":\([0-9]*\),"entry.*/\1/p' "$folder/json")
	ends 0 cpctl bt "$file"
	[ "$(grep -c '^TID ' "$folder/out")" -eq 4 ]
	grep '^TID ' "$folder/out" | head -n 1 | grep -qx "TID $id crasher:"
	grep -qE '^TID [0-9]+ idler, in user mode [0-9.]+[a-z]+ before:$' "$folder/out"
	cpctl log "$file" >"$folder/out"
	tail -n 1 "$folder/out" | grep -qx "          (killed by signal 11 in thread $id crasher)"
	has out "          (thread $id crasher ended: killed by signal 11)"
	has out "          (thread $task gang ended: killed by signal 11)"
	# The core is that of all threads.
	ends 0 cpctl dump -o "$folder/core" "$file"
	has errors "registers and stacks of 4 threads are the last ones of each"
	gdb -batch -nx -iex 'set auto-load off' -ex 'thread apply all bt' \
		"$gang" "$folder/core" >"$folder/gdb" 2>"$folder/gdb.errors" </dev/null
	[ "$(grep -c '^Thread ' "$folder/gdb")" -eq 4 ]
	grep -q "^\[Current thread is 1 (LWP $id)\]" "$folder/gdb"
	has gdb 'terminated with signal SIGSEGV'
	for name in idler counter crasher main; do
		grep -qE "^#[0-9]+ .*\<$name \(" "$folder/gdb"
	done
}

# The process is given by the id of any of its threads.
test_process_of_a_thread()
{
	start_gang segv
	record_gang --stream "$(some_thread)"
	tell
	wait "$recorder"
	fails 139 wait "$slave"
	has errors "process $slave has ended: killed by signal 11"
	gang_is_there fault
}

# some_thread: the id of one that is not the main thread
some_thread()
{
	find "/proc/$slave/task" -mindepth 1 -maxdepth 1 -printf '%f\n' |
		grep -vx "$slave" | tail -n 1
}

test_kill()
{
	recorded "$gang" segv
	written_now
	kill -KILL "$task"
	fails 137 wait "$recorder"
	gang_is_there kill
	[ "$(cpctl log "$file" | tail -n 1)" = '          (killed by signal 9)' ]
}

# The file has names and mappings even if the main thread has ended before.
test_main_thread_that_ends()
{
	start_gang leader
	eventually grep -q '^State:	Z' "/proc/$slave/status"
	record_gang "$slave"
	tell
	wait "$recorder"
	fails 139 wait "$slave"
	gang_is_there leader
	# It ends while it is recorded.
	recorded "$gang" leader
	eventually grep -q '^State:	Z' "/proc/$task/status"
	written_now
	cpctl log "$file" | grep -q "(thread $task .*ended"
	tell
	fails 139 wait "$recorder"
	gang_is_there leader
	cpctl log "$file" | grep -q "(thread $task .*ended: exit status 0)"
}

# Of the threads that have ended, those that the pair has kept; none is missing if the
# program waits.
test_threads_that_come_and_go()
{
	options=(--stream --wait)
	recorded "$gang" many
	tell
	fails 7 wait "$recorder"
	has errors '; 0 lost in between'
	cpctl log --json "$file" >"$folder/log"
	# shellcheck disable=SC2119 # not those of the script
	unbroken <"$folder/log"
	python3 -IS -c '
import json, sys
lines = [json.loads(l) for l in sys.stdin]
born, ended = {}, []
for l in lines:
    if l["type"] == "log" and l["thread"] not in born:
        born[l["thread"]] = l["seq"]
    if l["type"] == "thread_end":
        ended.append((l["thread"], l["exit_status"]))
        assert born.pop(l["thread"], None), l
assert not born, born
# The main thread, the three, and the many.
assert len(ended) == 104, len(ended)
assert all(status in (0, 7) for _, status in ended)' <"$folder/log"
	options=(--slots 4)
	recorded "$gang" many
	tell
	fails 7 wait "$recorder"
	cpctl log --json "$file" >"$folder/log"
	# shellcheck disable=SC2119 # not those of the script
	unbroken <"$folder/log"
	[ "$(thread_ids <"$folder/log" | wc -l)" -ge 64 ]
	# The states of one thread alone, under the same numbers.
	id=$(thread_ids <"$folder/log" | tail -n 1)
	cpctl log --thread "$id" --json "$file" >"$folder/one"
	grep "\"thread\":$id," "$folder/log" | cmp - <(head -n -1 "$folder/one")
	cpctl log --thread "$id" "$file" >"$folder/one"
	fails 1 grep -q 'tid ' "$folder/one"
}

test_one_thread_of_a_file()
{
	local id number place

	recorded "$gang" segv
	written_now
	tell
	fails 139 wait "$recorder"
	id=$(cpctl bt --json "$file" | sed -n 's/.*"thread":\([0-9]*\),"entry.*"thread_name":"idler".*/\1/p')
	number=$(cpctl log --json --thread "$id" "$file" |
		sed -n 's/.*"type":"log","number":\([0-9]*\),.*/\1/p' | tail -n 1)
	cpctl show "$file" "$number" >"$folder/shown"
	head -n 1 "$folder/shown" | grep -qx "TID $id idler:"
	for place in "" "$number"; do
		ends 0 cpctl show --thread "$id" "$file" ${place:+"$place"}
		sed 1d "$folder/shown" | cmp - "$folder/out"
	done
	ends 0 cpctl bt --json --thread "$id" "$file"
	has out "\"number\":$number,"
	[ "$(wc -l <"$folder/out")" -eq 1 ]
	refuses 2 "there are no checkpoints of thread 4194303 in it" \
		cpctl show --thread 4194303 "$file"
	refuses 2 "there is no checkpoint 1000000 of thread $id: it has" \
		cpctl show --thread "$id" "$file" 1000000
	ends 0 cpctl dump --thread "$id" -o "$folder/core" "$file"
	has errors 'registers and stack are those of the checkpoint'
	# All threads as they were at a checkpoint, whose thread comes first.
	ends 0 cpctl dump -o "$folder/core" "$file" "$number"
	program=$gang
	gdb_names | grep -qx idler
	refuses 1 "expected one id, or --thread TID FILE" cpctl bt --thread "$id" "$id"
}

# An exec ends all threads but one, which has the id of the process then.
test_exec()
{
	recorded "$gang" exec "$doomed-pie" segv main
	written_now
	tell
	fails 139 wait "$recorder"
	has_died 11 0x10
	program=$doomed-pie
	shows "touch $inner begin main"
	[ "$(wc -l <"$folder/json")" -eq 1 ]
	cpctl log --json "$file" >"$folder/log"
	[ "$(thread_ids <"$folder/log" | wc -l)" -ge 2 ]
	sed '1,/"type":"exec"/d' "$folder/log" | thread_ids >"$folder/ids"
	[ "$(cat "$folder/ids")" = "$task" ]
}

# Each thread has gaps of its own.
test_stream_with_losses()
{
	options=(--stream --slots 2 --stack-limit 4K)
	recorded "$chain" busy
	kill -STOP "$recorder"
	eventually is_stopped "$recorder"
	eventually uses_ticks "$task" 5
	kill -CONT "$recorder"
	kill -KILL "$task"
	fails 137 wait "$recorder"
	cpctl log "$file" | awk '/^ *\([0-9]+ lost\)$/ { sub(/\(/, "", $1); lost += $1 }
		END { print lost }' >"$folder/lost"
	cpctl log --json "$file" | python3 -IS -c '
import json, sys
lost, last = 0, 0
for l in map(json.loads, sys.stdin):
    if l["type"] == "log":
        lost += l["seq"] - last - 1 if last else 0
        last = l["seq"]
assert lost and lost == int(open(sys.argv[1]).read()), lost' "$folder/lost"
}

# uses_ticks PID NUMBER: has the process used this many ticks since the first call of this function?
uses_ticks()
{
	local now

	now=$(awk '{ print $14 + $15 }' "/proc/$1/stat")
	: "${ticks_from:=$now}"
	[ "$now" -ge $((ticks_from + $2)) ]
}

tap_run "$@"
