#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl: what it prints, its exit statuses, its sentences, and that it leaves a
# slave as it was, however it ends.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash

unset NO_COLOR
export TERM=xterm
scope=/proc/sys/kernel/yama/ptrace_scope
script=$PWD/tools/cpctl/cpctl.bash-completion

test_check_is_satisfied()
{
	ends 0 cpctl check
	fails 1 grep -v '^ok ' "$folder/out"
	has out 'checkpoint is loaded'
	ends 0 cpctl check --json
	python3 -IS -c '
import json, sys
all = json.load(sys.stdin)
assert all["ok"] is True
assert len(all["checks"]) >= 8
for check in all["checks"]:
    assert check["state"] == "ok" and check["detail"] and check["name"]
    assert "todo" not in check' <"$folder/out"
}

test_module_not_loaded()
{
	eventually rmmod checkpoint
	ends 2 cpctl check
	grep -q '^missing *module: .* - .*insmod' "$folder/out"
	grep -q '^missing *device: ' "$folder/out"
	ends 2 cpctl check --json
	python3 -IS -c '
import json, sys
all = json.load(sys.stdin)
assert all["ok"] is False
assert [c for c in all["checks"] if c["name"] == "module"][0]["todo"]' \
		<"$folder/out"
	refuses 2 "not loaded: run 'modprobe checkpoint', or 'insmod" cpctl get 1
	refuses 2 "not loaded" cpctl run true
	ends 2 script -qec 'cpctl watch 1' /dev/null
	has out 'not loaded'
	insmod "$CHECKPOINT_KO"
	ends 0 cpctl check
}

test_something_else_has_the_name()
{
	mv /dev/checkpoint /dev/checkpoint.away
	ln -s /dev/null /dev/checkpoint
	ends 2 cpctl check || { restore_device; return 1; }
	refuses 2 "not the device of the module" cpctl get 1 ||
		{ restore_device; return 1; }
	restore_device
	ends 0 cpctl check
}

restore_device()
{
	rm /dev/checkpoint
	mv /dev/checkpoint.away /dev/checkpoint
}

test_no_such_process()
{
	sleep 0 &
	slave_begins $!
	wait "$slave"
	refuses 2 "there is no process or thread $slave" cpctl get "$slave"
	refuses 2 "there is no process or thread 4194303" cpctl get 4194303
}

test_kernel_thread()
{
	refuses 2 "not permitted: it is a kernel thread" cpctl get 2
}

test_itself()
{
	refuses 2 "cpctl cannot pair with itself" \
		bash -c 'exec cpctl get $$'
}

test_stack_limit_too_large()
{
	start_sleeper
	refuses 2 "--stack-limit is more than" cpctl get --stack-limit 9999999G "$slave"
	stop_slave
}

test_already_paired()
{
	# Another pair, which the messages must not name.
	start_sleeper
	cpctl get --no-nudge "$slave" >/dev/null 2>&1 &
	eventually is_master_of $! "$slave"
	start_spinner
	start_master cpctl get -n 100000000 "$slave"
	refuses 2 "$slave is already paired with its master, process $master" \
		cpctl get "$slave"
	refuses 2 "process $master is already paired: it is the master of process $slave" \
		cpctl get $master
	kill $master
	wait $master 2>/dev/null
	slave_is_free
	stop_slave
}

# limited PARAMETER TEXT: with the limit at 0, the message has the text
limited()
{
	local file=/sys/module/checkpoint/parameters/$1 old

	old=$(cat "$file")
	echo 0 >"$file"
	refuses 2 "$2" "${as_nobody[@]}" cpctl get "$slave"
	ends 2 "${as_nobody[@]}" cpctl check
	grep -q '^missing *limits: .* - .*root' "$folder/out"
	ends 0 cpctl get "$slave"
	echo "$old" >"$file"
	ends 0 "${as_nobody[@]}" cpctl get "$slave"
}

test_limits()
{
	chmod 666 /dev/checkpoint
	start_sleeper "${as_nobody[@]}"
	limited pairs_per_user 'as many pairs as a user may have: end some'
	limited pairs_max 'as all users together may have'
	limited memory_per_user 'more memory than a user'
	ends 0 "${as_nobody[@]}" cpctl check
	has out 'limits: 256 pairs and 262144 KiB for each user, 4096 pairs for all'
	stop_slave
	chmod 600 /dev/checkpoint
}

test_device_not_permitted()
{
	start_sleeper
	refuses 2 "no permission to open /dev/checkpoint: be root, or" \
		"${as_nobody[@]}" cpctl get "$slave"
	ends 2 "${as_nobody[@]}" cpctl check
	grep -q '^missing *permission: .* - .*group' "$folder/out"
	stop_slave
}

test_not_permitted()
{
	chmod 666 /dev/checkpoint
	start_sleeper
	refuses 2 "not permitted: it belongs to another user" \
		"${as_nobody[@]}" cpctl get "$slave"
	stop_slave
	start_sleeper "${as_nobody[@]}"
	ends 0 "${as_nobody[@]}" cpctl get "$slave"
	stop_slave
	"${as_nobody[@]}" python3 -IS -c '
import ctypes, time
ctypes.CDLL(None).prctl(4, 0)
time.sleep(1000)' &
	slave_begins $!
	eventually is_asleep "$slave" python3
	refuses 2 "not permitted: it is non-dumpable" "${as_nobody[@]}" cpctl get "$slave"
	ends 0 cpctl get "$slave"
	stop_slave
	chmod 600 /dev/checkpoint
}

test_yama()
{
	[ -e $scope ] || skip "no Yama"
	chmod 666 /dev/checkpoint
	start_sleeper "${as_nobody[@]}"
	echo 1 >$scope
	refuses 2 "not permitted: it is not your child, and Yama" \
		"${as_nobody[@]}" cpctl get "$slave"
	ends 0 "${as_nobody[@]}" cpctl run -n 1 true
	ends 0 "${as_nobody[@]}" cpctl check
	ends 0 cpctl get "$slave"
	echo 2 >$scope
	refuses 2 "not permitted: Yama lets only holders" \
		"${as_nobody[@]}" cpctl get "$slave"
	refuses 2 "cannot start true under cpctl: Yama" "${as_nobody[@]}" cpctl run true
	ends 2 "${as_nobody[@]}" cpctl check
	has out 'missing  yama'
	ends 0 cpctl get "$slave"
	echo 0 >$scope
	chmod 600 /dev/checkpoint
	stop_slave
}

# json_check EXPECTED-COUNT STACK-BYTES: of standard input
json_check()
{
	python3 -IS -c '
import json, sys
count, limit = int(sys.argv[1]), int(sys.argv[2])
lines = sys.stdin.read().splitlines()
assert len(lines) == count, len(lines)
time = 0
for seq, line in enumerate(lines, 1):
    c = json.loads(line)
    assert c["type"] == "checkpoint" and c["seq"] == seq and c["time_ns"] >= time
    time = c["time_ns"]
    assert c["entry"] in ("syscall", "fault", "interrupt")
    assert ("syscall" in c) == (c["entry"] == "syscall")
    assert c["compat"] is False and len(c["regs"]) == 27
    regs = {name: int(value, 16) for name, value in c["regs"].items()}
    (s,) = c["segments"]
    addr, start, end, at = (int(s[k], 16) for k in
                            ("addr", "map_start", "map_end", "data_addr"))
    assert s["kind"] == "stack" and not s["truncated"] and not s["unmapped"]
    assert start <= addr == regs["rsp"] - 128 and addr + s["size"] == end
    data = bytes.fromhex(s["data"])
    if limit:
        assert at == regs["rsp"] and len(data) == min(limit, end - at)
    else:
        assert at == addr and len(data) == s["size"]
    for r in s["returns"]:
        i = int(r["at"], 16) - at
        assert int.from_bytes(data[i:i + 8], "little") == int(r["to"], 16)
        assert r["symbol"]["module"] and int(r["symbol"]["offset"], 16) > 0
' "$@"
}

test_json()
{
	start_spinner
	cpctl get -n 20 --json --stack-bytes 1K "$slave" | json_check 20 1024
	cpctl get -n 3 --json --full "$slave" | json_check 3 0
	cpctl get -n 5 --json -o "$folder/file" "$slave" >"$folder/out"
	[ ! -s "$folder/out" ]
	json_check 5 256 <"$folder/file"
	stop_slave
}

test_json_end()
{
	cpctl run --json sh -c 'exit 3' 2>/dev/null | tail -n 1 >"$folder/out"
	python3 -IS -c '
import json, sys
end = json.load(sys.stdin)
assert end == {"type": "end", "reason": "exited", "exit_status": 3}, end' \
		<"$folder/out"
	# shellcheck disable=SC2016 # for the slave
	cpctl run --json sh -c 'kill -9 $$' 2>/dev/null | tail -n 1 >"$folder/out"
	python3 -IS -c '
import json, sys
end = json.load(sys.stdin)
assert end == {"type": "end", "reason": "exited", "signal": 9}, end' \
		<"$folder/out"
}

test_sleeper_is_nudged()
{
	start_sleeper
	ends 0 cpctl get --timeout 20 "$slave"
	has out 'syscall '
	has out 'nanosleep'
	ends 0 cpctl get --timeout 20 --nudge "$slave"
	stop_slave
}

test_sleeper_is_not_nudged()
{
	start_sleeper
	refuses 2 "(sleep) in time: it is asleep in the kernel and has not returned to user mode; nudging" \
		cpctl get --no-nudge --timeout 0.2 "$slave"
	refuses 2 "in time" cpctl get --no-nudge --timeout 0 "$slave"
	slave_is_free
	stop_slave
}

test_stopped_slave()
{
	start_sleeper
	kill -STOP "$slave"
	eventually is_stopped "$slave"
	refuses 2 "in time: it is stopped" cpctl get --timeout 0.2 "$slave"
	is_stopped "$slave"
	kill -CONT "$slave"
	slave_is_free
	stop_slave
}

calls_source='
#include <unistd.h>
static int c(char *p) { return read(0, p, 1); }
static int b(char *p) { return c(p) + 1; }
static int a(char *p) { return b(p) + 1; }
int main(void) { char p; return a(&p); }'

# start_calls: start a slave that reads from a pipe into which nobody writes
start_calls()
{
	compile calls <<<"$calls_source"
	exec 7<> <(:)
	"$folder/calls" <&7 &
	slave_begins $!
	eventually is_asleep "$slave" calls
}

test_symbols()
{
	start_calls
	cpctl get --json --stack-bytes 1K "$slave" >"$folder/json"
	python3 -IS -c '
import json, sys
c = json.load(sys.stdin)
assert c["syscall_name"] == "read", c
found = [r["symbol"]["name"] for r in c["segments"][0]["returns"]
         if r["symbol"]["module"] == "calls"]
assert found[:4] == ["c", "b", "a", "main"], found' <"$folder/json"
	ends 0 cpctl get "$slave"
	for name in c b a main; do
		grep -q "^  0x[0-9a-f]* +0x[0-9a-f]* .*|  $name+0x[0-9a-f]* (calls)\$" "$folder/out"
	done
	grep -q '^  at .*read+0x[0-9a-f]* (libc' "$folder/out"
	stop_slave
}

test_symbols_of_a_stripped_program()
{
	compile calls <<<"$calls_source"
	strip "$folder/calls"
	exec 7<> <(:)
	"$folder/calls" <&7 &
	slave_begins $!
	eventually is_asleep "$slave" calls
	ends 0 cpctl get "$slave"
	grep -q '|  \[calls\]+0x[0-9a-f]*$' "$folder/out"
	stop_slave
}

# start_changes: a slave that adds 1 to r12 and 3 to a word of its stack, and makes a
# system call, again and again
start_changes()
{
	compile changes <<-'END'
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(void)
		{
			register long n asm("r12") = 0;
			volatile long on_stack = 0, result;

			write(1, "go", 2);
			for (;;) {
				asm volatile("inc %0" : "+r"(n));
				on_stack += 3;
				asm volatile("syscall" : "=a"(result)
					     : "a"(SYS_getppid)
					     : "rcx", "r11", "memory");
			}
		}
	END
	rm -f "$folder/ready"
	"$folder/changes" >"$folder/ready" &
	slave_begins $!
	eventually test -s "$folder/ready"
}

# Each mark must be where a value differs from the one before, and only there.
test_changes_are_marked()
{
	start_changes
	cpctl get -n 1 "$slave" >/dev/null
	ends 0 cpctl get -n 40 "$slave"
	stop_slave
	python3 -IS -c '
import re, sys
before, now, marks, stack = {}, None, 0, 0
def known(key, mark, value):
    global marks, stack
    if before:
        # What is not shown is zeroes.
        old = before.get(key, "0x%016x" % 0)
        assert (mark == "*") == (old != value), (key, old, value)
        marks += mark == "*"
        stack += mark == "*" and key.startswith("0x")
    else:
        assert mark == " ", key
    now[key] = value
for line in sys.stdin:
    if line.startswith("checkpoint "):
        before, now = now or {}, {}
        continue
    word = re.match(r"  (0x\w+) [+-]0x\w+ ([ *])(0x\w+)  \|", line)
    if word:
        known(*word.groups())
        continue
    if re.match(r"  [a-z]\w+ +[ *]?0x", line):
        for r in re.findall(r"([a-z]\w+) *?([ *])(0x\w{16})", line):
            known(*r)
# Checkpoints that follow an interrupt at once may have no change.
assert len(now) > 27 and marks > 30 and stack > 5, (len(now), marks, stack)' \
		<"$folder/out"
}

# log prints the number, the time, the system call with its result, and the place.
test_log_of_a_process()
{
	start_changes
	ends 0 cpctl log -n 30 "$slave"
	[ ! -s "$folder/errors" ]
	python3 -IS -c '
import re, sys
line = re.compile(r" {6,7}(\d+)  (\d+\.\d{6})  cpu \d+  (getppid = %s|interrupt|fault)  "
                  r"0x[0-9a-f]+ main\+0x[0-9a-f]+ \(changes\) at [^ ]+:\d+" % sys.argv[1])
lines = [line.fullmatch(l.rstrip("\n")) for l in sys.stdin]
assert all(lines), lines
assert [int(m[1]) for m in lines] == list(range(1, 31)), lines
times = [float(m[2]) for m in lines]
assert times == sorted(times), times
assert sum(m[3].startswith("getppid") for m in lines) > 10, lines' \
		$BASHPID <"$folder/out"
	cpctl log --json -n 5 -o "$folder/file" "$slave" >"$folder/out"
	[ ! -s "$folder/out" ]
	python3 -IS -c '
import json, sys
lines = [json.loads(l) for l in sys.stdin]
assert [(l["type"], l["seq"]) for l in lines] == [("log", n) for n in range(1, 6)], lines
assert all(l["symbol"]["name"] == "main" for l in lines), lines' <"$folder/file"
	slave_is_free
	stop_slave
}

# logged_until COMMAND...: log a slave, run the command, print the last line of the log
logged_until()
{
	start_changes
	start_master cpctl log "${options[@]}" "$slave"
	"$@"
	wait $master
	tail -n 1 "$folder/checkpoints"
}

test_end_of_a_logged_process()
{
	local options=()

	[ "$(logged_until stop_slave)" = '          (killed by signal 9)' ]
	has errors 'has ended: killed by signal 9 (Killed)'
	options=(--json)
	[ "$(logged_until stop_slave)" = '{"type":"end","reason":"exited","signal":9}' ]
	options=()
	# shellcheck disable=SC2016 # for logged_until
	[ "$(logged_until eval 'cpctl end $slave'; stop_slave)" = '          (it continues)' ]
}

# counts: print the time and r12 of each checkpoint in the file json
counts()
{
	python3 -IS -c '
import json, sys
for line in sys.stdin:
    c = json.loads(line)
    print(c["time_ns"], int(c["regs"]["r12"], 16))' <"$folder/json"
}

test_every()
{
	start_changes
	cpctl get --every 10 -n 30 --json "$slave" >"$folder/json"
	counts | awk '
		NR > 1 && ($2 <= last || $2 > last + 10) { exit 1 }
		NR == 1 { first = $2 }
		{ last = $2 }
		END { if (NR != 30 || last - first < 150) exit 1 }'
	cpctl log --every 10 -n 2 "$slave" >"$folder/out"
	[ "$(head -n 1 "$folder/out")" = '          (thinned: one of 10 returns to user mode)' ]
	[ "$(wc -l <"$folder/out")" -eq 3 ]
	cpctl log --every 10 --interval 0.001 -n 2 --json "$slave" >"$folder/out"
	[ "$(head -n 1 "$folder/out")" = '{"type":"thinned","interval_ns":1000000,"every":10}' ]
	stop_slave
	# --every implies --no-nudge, unless --nudge follows.
	start_sleeper
	refuses 2 "in time" cpctl get --every 2 --timeout 0.2 "$slave"
	ends 0 cpctl get --every 2 --nudge "$slave"
	stop_slave
}

# apart: standard input has five checkpoints, each at least 40 ms after the last
apart()
{
	awk 'NR > 1 && $1 < last + 40000000 { exit 1 }
	     { last = $1 }
	     END { if (NR != 5) exit 1 }'
}

# The pair's interval and the delay of nudges keep checkpoints apart.
test_interval()
{
	start_changes
	cpctl get --interval 0.05 -n 5 --json "$slave" >"$folder/json"
	counts | apart
	cpctl get --no-nudge --interval 0.05 -n 5 --json "$slave" >"$folder/json"
	counts | apart
	stop_slave
	start_sleeper
	cpctl get --interval 0.05 -n 5 --json "$slave" >"$folder/json"
	counts | apart
	stop_slave
}

test_diff_of_a_process()
{
	start_changes
	cpctl diff -n 30 --json "$slave" >"$folder/json"
	python3 -IS -c '
import json, sys
lines = [json.loads(l) for l in sys.stdin]
assert [(d["type"], d["a"], d["b"]) for d in lines] == \
    [("diff", n, n + 1) for n in range(1, 31)], lines
last, calls = {}, 0
for d in lines:
    regs = {r["name"]: (int(r["old"], 16), int(r["new"], 16)) for r in d["registers"]}
    assert all(old != new for old, new in regs.values()), regs
    assert all(regs[n][0] == last[n] for n in regs.keys() & last.keys()), (regs, last)
    last.update((n, new) for n, (_, new) in regs.items())
    if "r12" in regs:
        calls += 1
        old, new = regs["r12"]
        assert new == old + 1, regs
        assert d["same_stack"]
        assert any(int(w["new"], 16) - int(w["old"], 16) == 3 for w in d["stack"]), d
assert calls > 10, lines' <"$folder/json"
	ends 0 cpctl diff "$slave"
	[ ! -s "$folder/errors" ]
	[ "$(awk '/^checkpoint/ { print $2 }' "$folder/out")" = 1$'\n'2 ]
	fails 1 grep -vE '^(checkpoint [12] |  [a-z][a-z0-9_]+ +0x[0-9a-f]{16} .*-> 0x|  0x[0-9a-f]{12} 0x[0-9a-f]{16}.* -> 0x|  0x[0-9a-f]{12} (new|gone): )' \
		"$folder/out"
	slave_is_free
	stop_slave
	start_sleeper
	ends 0 cpctl diff "$slave"
	refuses 2 "in time" cpctl diff --no-nudge --timeout 0.2 "$slave"
	slave_is_free
	stop_slave
}

test_no_escapes_where_nobody_looks()
{
	start_spinner
	cpctl get -n 5 "$slave" >"$folder/out"
	[ -s "$folder/out" ]
	fails 1 grep -q $'\e' "$folder/out"
	NO_COLOR=1 script -qec "cpctl get -n 5 $slave" /dev/null >"$folder/out"
	has out 'checkpoint 5'
	fails 1 grep -q $'\e' "$folder/out"
	TERM=dumb script -qec "cpctl get -n 5 $slave" /dev/null >"$folder/out"
	has out 'checkpoint 5'
	fails 1 grep -q $'\e' "$folder/out"
	stop_slave
}

test_colour_at_a_terminal()
{
	start_spinner
	script -qec "cpctl get -n 5 $slave" /dev/null >"$folder/out"
	has out $'\e[1mcheckpoint 5\e[0m'
	has out $'\e[1;33m0x'
	NO_COLOR='' script -qec "cpctl get -n 5 $slave" /dev/null >"$folder/out"
	has out $'\e[1;33m0x'
	stop_slave
}

test_names_do_not_command_the_terminal()
{
	local name=$'bad\e[31mname'

	cp "$(command -v sleep)" "$folder/$name"
	"$folder/$name" 1000 &
	slave_begins $!
	eventually is_asleep "$slave" "$name"
	script -qec "cpctl get --full $slave" /dev/null >"$folder/out"
	fails 1 grep -qF $'\e[31m' "$folder/out"
	stop_slave
}

test_signals_end_get()
{
	local signal command

	start_spinner
	for signal in INT TERM HUP; do
		for command in 'get -n 100000000' 'log' 'diff -n 100000000'; do
			# shellcheck disable=SC2086 # words
			start_master cpctl $command "$slave"
			kill -$signal $master
			wait $master
			has errors "interrupted; process $slave continues"
			slave_is_free
			# One of the others is enough for each verb.
			[ $signal = INT ] || break
		done
	done
	stop_slave
}

test_signals_end_get_that_waits()
{
	start_sleeper
	env --default-signal cpctl get --no-nudge "$slave" \
		>"$folder/out" 2>"$folder/errors" &
	master=$!
	eventually is_master_of $master "$slave"
	kill -INT $master
	wait $master
	has errors "interrupted; process $slave continues"
	slave_is_free
	stop_slave
}

# One of its threads waits for room in a pipe.
waits_for_room()
{
	grep -qs pipe_w "/proc/$1/task/"*/wchan
}

test_signals_end_get_that_cannot_print()
{
	start_spinner
	# Nobody reads: it will soon wait for room in the pipe.
	exec 8<> <(:)
	env --default-signal cpctl get -n 100000000 "$slave" >&8 2>"$folder/errors" &
	master=$!
	eventually waits_for_room $master
	kill -INT $master
	slave_is_free
	# If it still waits for room, this ends that.
	kill -INT $master 2>/dev/null || :
	wait $master 2>/dev/null || :
	exec 8>&-
	slave_is_free
	stop_slave
}

test_signals_end_run()
{
	local signal

	for signal in INT TERM HUP; do
		start_master cpctl run sh -c 'while :; do :; done'
		slave=$(child_of $master)
		kill -$signal $master
		wait $master
		has errors "interrupted; process $slave continues"
		slave_is_free
		kill -KILL "$slave"
	done
}

test_signal_while_the_program_runs_by_itself()
{
	start_master cpctl run -n 1 sleep 1000
	slave=$(child_of $master)
	eventually is_asleep "$slave"
	eventually is_asleep $master cpctl
	kill -INT $master
	wait $master
	has errors "interrupted; process $slave continues"
	slave_is_free
	kill -KILL "$slave"
}

test_killed_master_leaves_the_slave()
{
	start_spinner
	start_master cpctl get -n 100000000 "$slave"
	kill -KILL $master
	wait $master 2>/dev/null || :
	slave_is_free
	stop_slave
}

test_broken_pipe()
{
	local -a statuses

	start_spinner
	set +o pipefail
	cpctl get -n 100000000 "$slave" 2>"$folder/errors" | head -n 1 >"$folder/out"
	statuses=("${PIPESTATUS[@]}")
	[ "${statuses[*]}" = "141 0" ]
	[ "$(wc -l <"$folder/out")" -eq 1 ]
	[ ! -s "$folder/errors" ]
	slave_is_free
	stop_slave
}

test_no_room_for_output()
{
	local arguments

	start_spinner
	for arguments in --help --version check 'check --json' 'get --help' \
		"get $slave" "get --json $slave" 'run true' 'watch --version'; do
		# shellcheck disable=SC2086 # words
		fails 2 cpctl $arguments >/dev/full 2>"$folder/errors"
		has errors 'No space left'
	done
	slave_is_free
	refuses 2 "cannot write /no/such/folder/file" \
		cpctl get -o /no/such/folder/file "$slave"
	refuses 2 "No space left" cpctl get -o /dev/full "$slave"
	slave_is_free
	stop_slave
}

test_standard_output_is_closed()
{
	local arguments

	start_sleeper
	cpctl record -o "$folder/recording" -- true
	for arguments in --help --version help 'help bt' 'get --help' 'list --version' \
		list 'list --json' 'list --no-header' check 'check --json' monitor stat \
		'stat --json' 'stat --prometheus' "get $slave" "get --json $slave" \
		"bt $slave" "dump -o - $slave" 'run true' "watch $slave" \
		"log $folder/recording" "show $folder/recording" \
		"diff $folder/recording 1 1" "bt $folder/recording" \
		"dump -o - $folder/recording"; do
		# shellcheck disable=SC2086 # words
		{
			fails 2 timeout 60 cpctl $arguments >&- 2>"$folder/errors"
			has errors 'cannot print: standard output is closed'
			fails 2 timeout 60 cpctl $arguments 1</dev/null 2>"$folder/errors"
			has errors 'cannot print: standard output is not open for writing'
		}
	done
	# A command that prints nothing there works.
	cpctl get -o "$folder/got" "$slave" >&-
	test -s "$folder/got"
	stop_slave
}

# What cpctl opens must not take the number of a stream that is closed.
test_no_standard_streams()
{
	start_sleeper
	cpctl dump -o "$folder/core" "$slave" 2>"$folder/errors"
	has errors '1 thread and all private memory'
	cpctl dump -o "$folder/core" "$slave" <&- >&- 2>&-
	readelf -h "$folder/core" >"$folder/out" 2>"$folder/errors"
	[ ! -s "$folder/errors" ]
	fails 1 grep -qa 'all private memory, ' "$folder/core"
	cpctl get --no-nudge -o "$folder/file" "$slave" <&- >&- 2>&- &
	master=$!
	eventually is_master_of "$master" "$slave"
	[ "$(readlink "/proc/$master/fd/"[012] | tr '\n' ' ')" = "/ / / " ]
	kill "$master"
	wait "$master"
	# A command that cpctl starts finds no file of cpctl there, either.
	# shellcheck disable=SC2016 # for that shell
	cpctl record -o "$folder/recording" -- sh -c '[ ! -e "/proc/$$/fd/1" ]' >&- 2>&-
	cpctl log "$folder/recording" >"$folder/out"
	stop_slave
}

test_run_prints_the_end()
{
	ends 0 cpctl run true
	has errors 'has ended: exit status 0'
	has out 'checkpoint 1 '
	has out 'checkpoint 10 '
	ends 0 cpctl run false
	has errors 'has ended: exit status 1'
	# shellcheck disable=SC2016 # for the slave
	ends 0 cpctl run -- sh -c 'kill -SEGV $$'
	has errors 'has ended: killed by signal 11 (Segmentation fault)'
	# The last checkpoint is that of its death.
	grep '^checkpoint ' "$folder/out" | tail -n 1 | grep -q 'killed by SIGSEGV'
}

test_run_stops_counting()
{
	ends 0 cpctl run -n 2 sh -c 'echo from the program; exit 5'
	has out 'from the program'
	has out 'checkpoint 2 '
	fails 1 grep -q '^checkpoint 3 ' "$folder/out"
	has errors 'has ended: exit status 5'
}

test_run_begins_at_the_beginning()
{
	ends 0 cpctl run -n 1 true
	grep -qE "^  at $(loader_entry)\$" "$folder/out"
}

test_run_passes_things_on()
{
	echo in | ends 0 cpctl run -o "$folder/file" sh -c 'cat; echo error >&2; pwd'
	[ "$(cat "$folder/out")" = "in"$'\n'"$PWD" ]
	has errors error
	has file 'checkpoint 1 '
}

test_run_options_end_at_the_command()
{
	ends 0 cpctl run -n 1 echo -n --json
	has out '--json'
	ends 0 cpctl run -n 1 -- echo --help
	has out '--help'
}

test_run_of_an_exec()
{
	ends 0 cpctl run sh -c 'exec true'
	has errors 'runs another program now (exec)'
	has errors 'has ended: exit status 0'
}

test_run_of_nothing()
{
	refuses 2 'cannot start /no/such/program: No such file' \
		cpctl run /no/such/program
	refuses 2 'cannot start no-such-program: No such file' \
		cpctl run no-such-program
	refuses 2 'cannot start /etc/passwd: Permission denied' cpctl run /etc/passwd
	refuses 2 'cannot start' cpctl run ''
	# The parent of cpctl may have ignored SIGCHLD.
	python3 -IS -c '
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp("cpctl", ["cpctl", "run", "-n", "1", "false"])' \
		>"$folder/out" 2>"$folder/errors"
	has errors 'has ended: exit status 1'
}

test_watch_is_for_terminals()
{
	start_sleeper
	refuses 1 "this is for a terminal" cpctl watch "$slave"
	TERM=dumb script -qec "cpctl watch $slave" /dev/null >"$folder/out" && return 1
	has out 'this is for a terminal'
	stop_slave
}

test_watch_draws_and_leaves()
{
	start_sleeper
	terminal '
expect(r"\x1b\[\?1049h")
expect(r"process %d \(sleep\), .*checkpoints taken: 1\b" % slave)
expect("asleep in the kernel")
expect("rax .*0x[0-9a-f]{16}")
expect("checkpoints taken: 3")
assert termios.tcgetattr(tty) != before
press(b"q")
leaves()' --interval 0.1
	slave_is_free
	stop_slave
}

test_watch_draws_at_a_key()
{
	start_sleeper
	terminal '
expect("checkpoints taken: 1")
press(b" ")
expect("checkpoints taken: 2")
press(b"\x03")
leaves()' --interval 1000
	slave_is_free
	stop_slave
}

test_watch_lets_the_slave_run()
{
	start_spinner
	terminal '
def ticks():
    return int(open("/proc/%d/stat" % slave).read().rsplit(")")[1].split()[11])
expect("checkpoints taken: 1")
now, end = ticks(), time.monotonic() + 20
while ticks() < now + 20:
    assert time.monotonic() < end, "the slave is held"
    time.sleep(0.01)
os.kill(pid, signal.SIGTERM)
leaves()' --interval 1000
	slave_is_free
	stop_slave
}

test_watch_prints_the_end()
{
	start_sleeper
	terminal '
expect("checkpoints taken: 1")
os.kill(slave, 9)
expect("process %d has ended" % slave)
leaves()' --interval 0.1
	wait "$slave" 2>/dev/null || :
	slave=999999
	terminal '
expect("there is no process or thread 999999")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
assert "\x1b" not in seen'
}

# Ctrl-S, or a terminal that nobody reads: a signal ends cpctl anyway.
test_terminal_that_is_stopped()
{
	local script='
def writes():
    with open("/proc/%d/syscall" % pid) as file:
        return file.read().startswith("1 0x1 ")
expect(r"\x1b\[\?1049h")
press(STOP)
end = time.monotonic() + 30
while not writes():
    assert time.monotonic() < end, "it does not draw"
    time.sleep(0.01)
os.kill(pid, signal.SIGTERM)
while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
    assert time.monotonic() < end, "it does not end"
    time.sleep(0.01)
leaves()'

	start_sleeper
	terminal "${script/STOP/'b"\x13"'}" --interval 0.1
	VERB='stat' terminal "${script/STOP/'b"\x13"'}" --interval 0.1
	stop_slave
}

# A stopped master must not hold the slave.
test_watch_stops_and_goes_on()
{
	exec 9<> <(:)
	python3 -IS -c '
import os
while True:
    os.write(2, os.read(0, 1))' <&9 2>"$folder/echo" &
	slave_begins $!
	eventually is_asleep "$slave" python3
	: >"$folder/echo"
	terminal '
expect("waiting for it to return")
os.kill(pid, signal.SIGTSTP)
wait_state("T")
expect(LEFT)
assert termios.tcgetattr(tty) == before
os.write(9, b"x")
end = time.monotonic() + 20
while os.path.getsize("'"$folder/echo"'") == 0:
    assert time.monotonic() < end, "the slave is held"
    time.sleep(0.01)
seen = ""
os.kill(pid, signal.SIGCONT)
expect(r"\x1b\[\?1049h")
expect("waiting for it to return")
press(b"q")
leaves()' --no-nudge --interval 0.2
	slave_is_free
	stop_slave
	exec 9>&-
}

# completes WORD...: print what completion offers for the last word
completes()
{
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_cpctl
	printf '%s\n' "${COMPREPLY[@]}"
}

test_completion()
{
	local verb

	bash --norc -u -c ". '$script'; complete -p cpctl" >"$folder/out" 2>&1
	[ "$(cat "$folder/out")" = 'complete -F _cpctl cpctl' ]
	# shellcheck source=tools/cpctl/cpctl.bash-completion
	. "$script"
	[ "$(completes cpctl '' | sort | tr '\n' ' ')" = \
		'--help --version bt check diff dump end get list log monitor record rewind run show stat watch ' ]
	[ "$(completes cpctl wa)" = watch ]
	# The completion offers exactly the options of --help.
	for verb in bt check diff dump end get list log monitor record rewind run show stat watch; do
		cpctl $verb --help | grep -o -e '--[a-z-]*[a-z]' | sort -u >"$folder/help"
		# Options that a sentence of the help mentions are options of the verb, too.
		completes cpctl $verb -- | sort -u | diff - "$folder/help"
	done
	for verb in bt diff dump get log record watch; do
		completes cpctl $verb '' | grep -qx $$
	done
	completes cpctl run ls | grep -qx ls
	start_sleeper
	cpctl get --no-nudge "$slave" >/dev/null 2>&1 &
	master=$!
	eventually is_master_of $master "$slave"
	completes cpctl end '' | grep -qx "$slave"
	fails 1 grep -qx $$ <(completes cpctl end '')
	[ "$(completes cpctl end slee)" = "$slave" ]
	stop_slave
	wait $master
	[ -z "$(completes cpctl get -n '')" ]
}

test_completion_of_names()
{
	local verb

	# shellcheck source=tools/cpctl/cpctl.bash-completion
	. "$script"
	cp "$(command -v sleep)" "$folder/uncommon name"
	"$folder/uncommon name" 1000 &
	slave_begins $!
	eventually is_asleep "$slave" 'uncommon name'
	for verb in bt diff dump get log record watch; do
		[ "$(completes cpctl $verb uncom)" = "$slave" ]
		[ "$(completes cpctl $verb uncommonly)" = "" ]
	done
	# Of several, bash lists the names, too.
	COMP_TYPE=63
	[ "$(completes cpctl bt uncom)" = "$slave (uncommon name)" ]
	stop_slave
}

# As bash-completion does, or without it.
test_completion_of_the_command()
{
	local line with=/usr/share/bash-completion/bash_completion

	# shellcheck source=tools/cpctl/cpctl.bash-completion
	. "$script"
	# shellcheck disable=SC2317 # called by complete
	_own()
	{
		mapfile -t COMPREPLY < <(compgen -W '--mine --yours' -- "$2")
		[ "$1 $3 $COMP_CWORD" = "own own 1" ]
	}
	complete -F _own own
	for line in 'run own --m' 'run -n 3 -- own --m' 'record -- own --m' \
		'record --rate = 5 --stream -- own --m' 'run --record -- own --m'; do
		# shellcheck disable=SC2086 # words
		[ "$(completes cpctl $line)" = --mine ]
	done
	# Without -- a process is recorded, not a command.
	fails 1 grep -qx -e --mine <(completes cpctl record own --m)
	[ -e $with ] || skip "the rest is for bash-completion"
	set +eu
	trap - ERR
	# shellcheck source=/dev/null
	. $with
	for line in 'run ls --colo' 'record -o file -- ls --colo'; do
		COMP_LINE="cpctl $line"
		COMP_POINT=${#COMP_LINE}
		# shellcheck disable=SC2086 # words
		completes cpctl $line >"$folder/out"
		grep -qx -e '--color=\?' "$folder/out" || exit 1
	done
}

tap_run "$@"
