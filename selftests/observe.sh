#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What can be seen of pairs from outside: /sys, tracepoints through the tools
# that people use, the kernel's log, and cpctl list, monitor, stat and end. The
# netlink family itself: netlink.c.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash

unset NO_COLOR
export TERM=xterm
sys=/sys/class/misc/checkpoint
abi=Documentation/ABI/testing/sysfs-class-misc-checkpoint

# python SCRIPT [ARGUMENT]...: run Python with a function for lines of JSON
python()
{
	python3 -IS -c '
import json, re, sys
def objects(text):
    return [json.loads(line) for line in text.splitlines() if line]
'"$1" "${@:2}"
}

# A slave that sleeps, and whose master waits for it.
start_sleeping_pair()
{
	start_sleeper "$@"
	start_waiting_master "$@"
}

start_waiting_master()
{
	env --default-signal "$@" cpctl get --no-nudge "$slave" >/dev/null 2>&1 &
	master=$!
	eventually grep -qsx master-waiting "$sys/pairs/$slave/state"
}

# A slave that runs, and whose master has stopped asking.
start_stopped_pair()
{
	start_spinner
	start_master cpctl get -n 100000000 "$slave"
	kill -STOP "$master"
	eventually is_state slave-waiting
}

is_state()
{
	[ "$(value state)" = "$1" ]
}

# value FILE: print a value of the pair in sysfs
value()
{
	cat "$sys/pairs/$slave/$1"
}

stop_pair()
{
	kill -KILL "$master" "$slave" 2>/dev/null || :
	wait "$master" "$slave" 2>/dev/null || :
}

# start_monitor ARGUMENT...: start cpctl monitor, whose output goes to the file events
start_monitor()
{
	rm -f "$folder/events"
	env --default-signal "${as[@]}" cpctl monitor "$@" \
		>"$folder/events" 2>"$folder/errors" &
	monitor=$!
	# It prints this of a pair that exists.
	eventually grep -q "present" "$folder/events"
}

as=()

stop_monitor()
{
	kill -INT "$monitor"
	wait "$monitor"
	[ ! -s "$folder/errors" ]
}

# start_pairs NUMBER [WAIT-LIMIT]: make pairs with sleeping slaves; with a limit, with slaves that
# run, and whose masters take nothing. The pairs live as long as the process "$pairs".
start_pairs()
{
	[ -x "$folder/pairs" ] || gcc -O2 -x c -o "$folder/pairs" -Itools/lib \
		-Iinclude/uapi - -x none build/lib/libcheckpoint.a <<-'END'
		#include <checkpoint.h>
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/prctl.h>
		#include <unistd.h>

		static struct cp_pair_options options = { sizeof(options), 4096, 0 };

		static pid_t child(void)
		{
			pid_t parent = getpid(), pid = fork();

			if (pid)
				return pid;
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			/* A slave may have been held until its master died. */
			if (getppid() != parent)
				_exit(0);
			return 0;
		}

		static void master(int ready)
		{
			struct cp_pair *pair = cp_pair_open();
			pid_t slave = child();

			while (!slave)
				options.wait_limit ? getppid() : pause();
			if (!pair || cp_pair_prep(pair, slave, &options))
				perror("pair");
			else
				write(ready, "", 1);
			for (;;)
				pause();
		}

		int main(int argc, char **argv)
		{
			int ends[2], i, number = atoi(argv[1]);
			char byte;

			if (argc > 2)
				options.wait_limit = atoll(argv[2]);
			pipe(ends);
			for (i = 0; i < number; i++)
				if (!child())
					master(ends[1]);
			for (i = 0; i < number; i++)
				read(ends[0], &byte, 1);
			puts("ready");
			fflush(stdout);
			for (;;)
				pause();
		}
	END
	rm -f "$folder/ready"
	"$folder/pairs" "$@" >"$folder/ready" &
	pairs=$!
	slave_begins $pairs
	eventually grep -q ready "$folder/ready"
}

stop_pairs()
{
	kill -KILL "$pairs"
	wait "$pairs" 2>/dev/null || :
	# The masters' files go last.
	eventually is_empty $sys/pairs
}

# Is the folder empty?
is_empty()
{
	[ -z "$(ls "$1")" ]
}

documented()
{
	sed -n "s|^What:		$sys/$1||p" $abi | grep -v '^$\|/' | sort
}

test_sysfs_has_what_is_documented()
{
	start_sleeping_pair
	documented 'pairs/<slave>/' | diff - <(
		find "$sys/pairs/$slave/" -type f -printf '%f\n' | sort)
	[ "$(documented 'pairs/<slave>/' | wc -l)" -ge 10 ]
	# The kernel has its own files there.
	documented '' | diff - <(find $sys/ -maxdepth 1 -type f -printf '%f\n' |
		grep -vx 'dev\|uevent' | sort)
	# One value to a file.
	fails 1 grep -v ':1$' <(grep -c '^..*$' "$sys/pairs/$slave"/*)
	stop_pair
}

test_sysfs_shows_a_master_that_waits()
{
	start_sleeping_pair
	[ "$(value slave)" = "$slave" ]
	[ "$(value master)" = "$master" ]
	[ "$(value state)" = master-waiting ]
	[ "$(value taken) $(value missed) $(value bytes)" = "0 0 0" ]
	[ "$(value held_ns) $(value held_max_ns)" = "0 0" ]
	[ "$(value last_syscall) $(value reason)" = "-1 none" ]
	stop_pair
}

test_sysfs_shows_a_slave_that_waits()
{
	local max

	start_stopped_pair
	[ "$(value taken)" -gt 0 ]
	[ "$(value bytes)" -ge $(($(value taken) * 128)) ]
	# Both grow while it waits: the smaller one is read first.
	max=$(value held_max_ns)
	[ "$max" -gt 0 ]
	[ "$(value held_ns)" -ge "$max" ]
	cpctl list --json | python '
pair, = objects(sys.stdin.read())
folder = sys.argv[1]
for key, file in (("taken", "taken"), ("missed", "missed"), ("bytes", "bytes"),
                  ("slave", "slave"), ("master", "master"), ("state", "state")):
    assert str(pair[key]) == open(folder + file).read().rstrip("\n"), key
# It still waits.
for key in "held_ns", "held_max_ns":
    assert pair[key] < int(open(folder + key).read()), key' \
		"$sys/pairs/$slave/"
	stop_pair
}

test_sysfs_shows_why_a_pair_is_over()
{
	start_stopped_pair
	kill -KILL "$slave"
	eventually is_state over
	[ "$(value reason)" = exited ]
	stop_pair
	start_stopped_pair
	cpctl end "$slave"
	is_state over
	[ "$(value reason)" = detached ]
	stop_pair
}

test_sysfs_counts()
{
	local checkpoints bytes made

	start_spinner
	checkpoints=$(cat $sys/checkpoints)
	bytes=$(cat $sys/bytes_copied)
	made=$(cat $sys/pairs_made)
	[ "$(cat $sys/pairs_live)" = 0 ]
	cpctl get -n 50 --json "$slave" >"$folder/out"
	[ "$(cat $sys/checkpoints)" = $((checkpoints + 50)) ]
	[ "$(cat $sys/pairs_made)" = $((made + 1)) ]
	eventually grep -qx 0 $sys/pairs_live
	python '
lines = objects(open(sys.argv[1]).read())
assert len(lines) == 50
assert sum(line["segments"][0]["size"] for line in lines) == int(sys.argv[2])' \
		"$folder/out" $(($(cat $sys/bytes_copied) - bytes))
	stop_slave
}

missed_some()
{
	[ "$(cat $sys/checkpoints_missed)" -gt "$1" ]
}

test_sysfs_counts_what_is_missed()
{
	local before

	before=$(cat $sys/checkpoints_missed)
	start_pairs 1 1000000
	eventually missed_some $((before + 20))
	kill -STOP "$(cpctl list --json | python '
print(objects(sys.stdin.read())[0]["slave"])')"
	cpctl list --json | python '
pair, = objects(sys.stdin.read())
assert pair["missed"] >= 20 and pair["taken"] == 0 and pair["bytes"] == 0
# Each of them held it up for the limit at least.
assert pair["held_ns"] >= pair["missed"] * 1000000
assert pair["held_max_ns"] >= 1000000'
	stop_pairs
}

test_sysfs_directory_goes_with_the_pair()
{
	start_sleeping_pair
	exec 7<"$sys/pairs/$slave/state" 8<"$sys/pairs/$slave/taken"
	grep -qx master-waiting <&7
	[ -d "$sys/pairs/$slave" ]
	kill -KILL "$master"
	wait "$master" 2>/dev/null || :
	# It still sleeps, and does not even know.
	[ ! -e "$sys/pairs/$slave" ]
	fails 1 cat <&8 2>"$folder/errors"
	has errors 'No such device'
	exec 7<&- 8<&-
	stop_slave
}

test_sysfs_of_pairs_that_come_and_go()
{
	local i end=$((SECONDS + 10))

	while :; do
		cat $sys/pairs/*/* $sys/pairs_live >/dev/null 2>&1 || :
	done &
	slave_begins $!
	# As many as come and go in ten seconds, but some on the slowest machine too.
	for ((i = 0; i < 5 || (i < 30 && SECONDS < end); i++)); do
		cpctl run -n 3 -o /dev/null true 2>/dev/null
	done
	kill -0 "$slave"
	stop_slave
	[ -z "$(ls $sys/pairs)" ]
}

# Whether a name exists already shows who is paired.
test_sysfs_shows_pairs_to_root_only()
{
	start_sleeping_pair
	ends 0 cat "$sys/pairs/$slave/state"
	refuses 2 'Permission denied' "${as_nobody[@]}" ls "$sys/pairs"
	refuses 1 'Permission denied' "${as_nobody[@]}" \
		stat "$sys/pairs/$slave"
	refuses 1 'Permission denied' "${as_nobody[@]}" stat "$sys/pairs/1"
	# Its links are counted, and its times change with each pair.
	refuses 1 'Permission denied' "${as_nobody[@]}" stat "$sys/pairs"
	stop_pair
}

# Each counter changes with a single pair, if there is no other.
test_counters_are_for_root_only()
{
	local counter

	for counter in pairs_live pairs_made checkpoints checkpoints_missed \
			bytes_copied; do
		ends 0 cat "$sys/$counter"
		refuses 1 'Permission denied' "${as_nobody[@]}" cat "$sys/$counter"
		[ "$(stat -L -c %a "$sys/$counter")" = 400 ]
	done
}

# The life of one pair, for tools to trace: 20 checkpoints and a program's end.
traced=(cpctl run -n 20 -o /dev/null true)

test_perf_counts_the_steps()
{
	perf stat -x, -a -o "$folder/out" -e 'checkpoint:*' -- "${traced[@]}" 2>/dev/null
	python '
count = {}
for line in open(sys.argv[1]):
    fields = line.split(",")
    if len(fields) > 2:
        count[fields[2].split(":")[1]] = int(fields[0])
assert len(count) == 11, count
for name in "pair_made", "pair_ended", "pair_unhooked", "thread_unhooked":
    assert count[name] == 1, count
assert count["thread_added"] == 0, count
assert count["capture"] == count["hand_over"] == 20, count
assert count["miss"] == 0, count' "$folder/out"
}

test_perf_records_captures()
{
	perf record -q -a -o "$folder/data" -e checkpoint:capture \
		-e checkpoint:hand_over -- "${traced[@]}" 2>/dev/null
	perf script -i "$folder/data" -F trace:comm,event,trace >"$folder/out"
	python '
seq, over = 0, 0
for line in open(sys.argv[1]):
    comm, event, trace = line.split(None, 2)
    fields = dict(word.split("=") for word in trace.split())
    if event == "checkpoint:capture:":
        seq += 1
        assert int(fields["seq"]) == seq, line
        assert fields["entry"] in ("syscall", "fault", "interrupt"), line
        assert int(fields["bytes"]) >= 128 and int(fields["copied"]) > 0, line
        assert int(fields["ip"], 16) and int(fields["sp"], 16), line
        assert int(fields["waited"]) >= 0, line
    else:
        assert event == "checkpoint:hand_over:" and comm == "cpctl", line
        over += 1
assert seq == over == 20, (seq, over)' "$folder/out"
}

test_trace_cmd_shows_a_life()
{
	(cd "$folder" && trace-cmd record -q -o data -e checkpoint "${traced[@]}") \
		>/dev/null 2>"$folder/errors"
	trace-cmd report -i "$folder/data" 2>/dev/null >"$folder/out"
	python '
events = re.findall(r": (?:checkpoint:)?(\w+): +slave=(\d+) (.*)", open(sys.argv[1]).read())
assert len({slave for _, slave, _ in events}) == 1
order = [name for name, _, _ in events if name not in ("step_aside", "replay")]
assert order[0] == "pair_made", order
assert order.index("capture") < order.index("hand_over")
assert order.count("capture") == order.count("hand_over") == 20, order
# The slave may see the end of the pair, and unhook, before the master reports the end.
assert sorted(order[-3:]) == ["pair_ended", "pair_unhooked", "thread_unhooked"], order
ended, = (rest for name, _, rest in events if name == "pair_ended")
assert re.fullmatch(r"master=\d+ reason=detached status=0x0 life=[1-9]\d*", ended), ended' \
		"$folder/out"
}

test_bpftrace_sees_fields()
{
	[ -e /sys/kernel/btf/vmlinux ] ||
		skip "bpftrace does not know this kernel's types"
	# It compiles at first, on slow machines for long.
	bpftrace -f json -c "$(command -v cpctl) run -n 20 -o /dev/null /bin/true" -e '
tracepoint:checkpoint:capture { @captures = count(); @bytes = min(args->bytes);
				@copied = hist(args->copied); @seq = max(args->seq); }
tracepoint:checkpoint:pair_ended { @life = max(args->life); }' \
		>"$folder/out" 2>"$folder/errors"
	python '
found = {}
for line in objects(open(sys.argv[1]).read()):
    if line["type"] in ("map", "hist"):
        found.update(line["data"])
assert found["@captures"] == 20 and found["@seq"] == 20, found
assert found["@bytes"] >= 128 and found["@life"] > 0, found
assert sum(bucket["count"] for bucket in found["@copied"]) == 20, found' \
		"$folder/out"
}

log_of_module()
{
	dmesg | grep -c 'checkpoint: ' || :
}

test_log_reports_loading_only()
{
	local before

	before=$(log_of_module)
	start_spinner
	cpctl get -n 200 "$slave" >/dev/null
	stop_slave
	cpctl run -n 50 -o /dev/null true 2>/dev/null
	[ "$(log_of_module)" = "$before" ]
	eventually rmmod checkpoint
	[ "$(log_of_module)" = $((before + 1)) ]
	dmesg | tail -n 1 | grep 'checkpoint: unloaded$'
	insmod "$CHECKPOINT_KO"
	[ "$(log_of_module)" = $((before + 2)) ]
	dmesg | tail -n 1 | grep 'checkpoint: loaded$'
}

test_log_reports_more_when_asked()
{
	local before

	[ -e /proc/dynamic_debug/control ] || skip "this kernel is never asked"
	echo 'module checkpoint +p' >/proc/dynamic_debug/control
	before=$(log_of_module)
	cpctl run -n 50 -o /dev/null true 2>/dev/null
	echo 'module checkpoint -p' >/proc/dynamic_debug/control
	[ "$(log_of_module)" = $((before + 2)) ]
	dmesg | tail -n 2 | head -n 1 | grep 'checkpoint: pair made: master [0-9]*, slave [0-9]*$'
	dmesg | tail -n 1 | grep 'checkpoint: pair over: master [0-9]*, slave [0-9]*: detached$'
}

test_list()
{
	ends 0 cpctl list
	[ "$(wc -l <"$folder/out")" -eq 1 ]
	has out SLAVE
	start_sleeping_pair
	ends 0 cpctl list
	grep -qE "^ *$slave +$master root +master-waiting +0 +0 +0 +0ns +1 - +sleep < cpctl$" \
		"$folder/out"
	ends 0 cpctl list --no-header
	[ "$(wc -l <"$folder/out")" -eq 1 ]
	stop_pair
	start_stopped_pair
	ends 0 cpctl list --no-header
	has out " slave-waiting "
	has out " observe.sh < cpctl"
	[ "$(awk '{ print $5 }' "$folder/out")" = "$(value taken)" ]
	stop_pair
}

# at_terminal COLUMNS PATTERN KEYS COMMAND...: run the command at a terminal of that width; when
# PATTERN has been printed, KEYS are pressed. No line may be wider. The output, without escape
# sequences, goes to the file screen.
at_terminal()
{
	python3 -IS - "$@" >"$folder/screen" <<-'END'
		import fcntl, os, pty, re, struct, sys, termios, unicodedata
		columns, pattern, keys = int(sys.argv[1]), sys.argv[2], sys.argv[3]
		pid, master = pty.fork()
		if pid == 0:
		    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
		    os.execvp(sys.argv[4], sys.argv[4:])
		seen = b""
		while True:
		    try:
		        part = os.read(master, 65536)
		    except OSError:
		        break
		    if not part:
		        break
		    seen += part
		    if keys and re.search(pattern.encode(), re.sub(rb"\s+", b" ", seen)):
		        os.write(master, keys.encode())
		        keys = ""
		os.waitpid(pid, 0)
		def plain(text):
		    return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text)
		def width(text):
		    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain(text))
		# The terminal itself adds a carriage return to the one of a program.
		text = re.sub(r"\r*\n", "\n", seen.decode().replace("\x1b[H", "\n"))
		assert re.search(pattern, re.sub(r"\s+", " ", plain(text))), text
		for line in text.split("\n"):
		    assert width(line) <= columns, "%d: %r" % (width(line), line)
		    # In a full line the cursor is on the last character, which J and K erase.
		    for erase in re.finditer(r"\x1b\[[JK]", line):
		        assert width(line[:erase.start()]) < columns, "erased: %r" % line
		print(plain(text))
	END
}

# words FILE: print the file as one line without blanks
words()
{
	tr -d ' \n' <"$folder/$1"
}

test_narrow_terminals()
{
	local columns full wide='日本語の字'

	cp "$(command -v sleep)" "$folder/$wide"
	"$folder/$wide" 1000 &
	slave_begins $!
	eventually is_asleep "$slave" "$wide"
	start_waiting_master
	cpctl record -o "$folder/recording" -- cat /dev/null
	cpctl log "$folder/recording" >"$folder/log"
	for columns in 80 40; do
		at_terminal $columns COMMANDS '' cpctl list
		has screen "$wide < cpctl"
		grep -qE "^ *$slave +$master " "$folder/screen"
		at_terminal $columns COMMANDS q cpctl stat
		grep -qE "^ *$slave +.*$wide < cpctl" "$folder/screen"
		at_terminal $columns ', held up' $'\x03' cpctl monitor
		grep -qE "present +slave $slave( |\$)" "$folder/screen"
		at_terminal $columns '' '' cpctl log "$folder/recording"
		# Nothing is lost.
		[ "$(words screen)" = "$(words log)" ]
	done
	# There is no room for both of them, but for all of the names.
	at_terminal 80 COMMANDS '' cpctl list
	has screen "master-waiting"
	fails 1 grep -q SYSCALL "$folder/screen"
	at_terminal 22 COMM '' cpctl list
	has screen '日本+'
	stop_pair
	start_sleeper
	at_terminal 80 'rip 0x' q cpctl watch "$slave"
	# On the third one, a line is exactly as wide as the terminal.
	full=$(grep -o -m 1 'checkpoint 1  time [0-9.]*  cpu [0-9]*' "$folder/screen")
	for columns in 80 40 ${#full}; do
		at_terminal "$columns" 'rip 0x' q cpctl watch "$slave"
		grep -qE 'rip +0x[0-9a-f]{16}' "$folder/screen"
		[ "$(grep -oE '\b(rax|rbx|rip|gs_base) +0x[0-9a-f]{16}' "$folder/screen" | sort -u | wc -l)" -ge 4 ]
	done
	stop_slave
}

test_list_json()
{
	ends 0 cpctl list --json
	[ ! -s "$folder/out" ]
	start_stopped_pair
	ends 0 cpctl list --json
	python '
pair, = objects(open(sys.argv[1]).read())
assert pair["type"] == "pair" and pair["state"] == "slave-waiting"
assert (pair["slave"], pair["master"]) == (int(sys.argv[2]), int(sys.argv[3]))
assert (pair["slave_command"], pair["master_command"]) == ("observe.sh", "cpctl")
assert (pair["uid"], pair["user"]) == (0, "root")
histogram = pair["held_histogram"]
assert len(histogram) == 32 and sum(histogram) >= pair["taken"] > 0
# At least the sum of the lower limits of the buckets; a hold that still lasts adds to it.
floor = sum(n << i for i, n in enumerate(histogram))
assert floor - histogram[0] <= pair["held_ns"], (floor, pair["held_ns"])' \
		"$folder/out" "$slave" "$master"
	stop_pair
}

test_names_do_not_command_the_terminal()
{
	local name=$'a\e[31m"b\\'

	cp "$(command -v sleep)" "$folder/$name"
	"$folder/$name" 1000 &
	slave_begins $!
	eventually is_asleep "$slave" "$name"
	start_waiting_master
	start_monitor
	stop_monitor
	for verb in list stat 'list --json'; do
		# shellcheck disable=SC2086 # words
		ends 0 cpctl $verb
		cat "$folder/out" >>"$folder/events"
	done
	has events 'a\x1b[31m'
	fails 1 grep -qF $'\e[31m' "$folder/events"
	cpctl stat --prometheus >"$folder/out"
	has out $'slave_command="a\357\277\275[31m\\"b\\\\"'
	stop_pair
}

test_user_sees_own_pairs_only()
{
	local roots masters

	chmod 666 /dev/checkpoint
	start_sleeping_pair
	roots=$slave masters=$master
	ends 0 "${as_nobody[@]}" cpctl list --no-header
	[ ! -s "$folder/out" ]
	refuses 2 "$roots" "${as_nobody[@]}" cpctl stat "$roots"
	refuses 2 "$roots" "${as_nobody[@]}" cpctl end "$roots"
	start_sleeping_pair "${as_nobody[@]}"
	ends 0 "${as_nobody[@]}" cpctl list --no-header
	[ "$(awk '{ print $1, $3 }' "$folder/out")" = "$slave nobody" ]
	ends 0 cpctl list --no-header
	[ "$(wc -l <"$folder/out")" -eq 2 ]
	ends 0 "${as_nobody[@]}" cpctl end "$slave"
	wait "$master"
	stop_slave
	grep -qx master-waiting "$sys/pairs/$roots/state"
	kill -KILL "$roots" "$masters"
	chmod 600 /dev/checkpoint
}

test_numbers_are_those_of_the_pid_namespace()
{
	start_sleeping_pair
	# shellcheck disable=SC2016 # for the shell in there
	ends 0 unshare --pid --fork --mount-proc bash -c '
		cpctl list --no-header
		sleep 1000 &
		slave=$!
		# In clock_nanosleep: before that it may return to user mode.
		until grep -q "^230 " /proc/$slave/syscall; do sleep 0.1; done
		cpctl get --no-nudge $slave >/dev/null 2>&1 &
		for ((i = 0; i < 200; i++)); do
			cpctl list --no-header | grep -q . && break
			sleep 0.1
		done
		echo "want $slave $!"
		cpctl list --no-header | awk "{ print \"have\", \$1, \$2 }"'
	[ "$(wc -l <"$folder/out")" -eq 2 ]
	[ "$(sed -n 's/^want //p' "$folder/out")" = "$(sed -n 's/^have //p' "$folder/out")" ]
	stop_pair
}

# The slave's end is the last of its events.
events_say_ended()
{
	grep -qE "\"ended\"|ended +slave $1 " "$folder/events"
}

test_monitor()
{
	local first

	start_sleeping_pair
	first=$slave
	start_monitor
	grep -qE "^[0-9:]{8}\.[0-9]{6} present +slave $slave \(sleep\), master $master \(cpctl\), user root, 0 taken" \
		"$folder/events"
	cpctl run -n 5 -o /dev/null sh -c 'exit 3' 2>/dev/null
	kill -KILL "$slave"
	eventually events_say_ended "$first"
	stop_monitor
	fails 1 grep -vE '^[0-9:]{8}\.[0-9]{6} (present|made|ended) ' "$folder/events"
	[ "$(wc -l <"$folder/events")" -eq 4 ]
	grep -qE ' made +slave [0-9]+ \(.*\), master [0-9]+ \(cpctl\), user root' "$folder/events"
	grep -qE ' ended +slave [0-9]+ \(.*\): detached, 5 taken, 0 missed, ' "$folder/events"
	# Its master may be quick to take the state of death.
	grep -qE " ended +slave $first .*: exited \(signal 9\), [01] taken" "$folder/events"
	stop_pair
}

test_monitor_json()
{
	start_sleeping_pair
	start_monitor --json --checkpoints
	cpctl run --json -o "$folder/checkpoints" sh -c 'exit 3' 2>/dev/null
	eventually grep -q '"ended"' "$folder/events"
	stop_monitor
	python '
events = objects(open(sys.argv[1]).read())
taken = objects(open(sys.argv[2]).read())[:-1]
assert [e["type"] for e in events[:2]] == ["present", "made"]
assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z", e["time"]) for e in events)
times = [e["time_ns"] for e in events[1:]]
assert times == sorted(times)
end = events[-1]
assert (end["type"], end["reason"], end["exit_status"]) == ("ended", "exited", 3), end
checkpoints = events[2:-1]
assert {e["type"] for e in checkpoints} == {"checkpoint"}
assert end["taken"] == len(checkpoints) == len(taken)
for event, checkpoint in zip(checkpoints, taken):
    for key in "thread", "seq", "entry", "syscall", "syscall_name":
        assert event.get(key) == checkpoint.get(key), (key, event, checkpoint)
    # The event is that the capture begins; the checkpoint has the time of its end.
    assert event["time_ns"] <= checkpoint["time_ns"], (event, checkpoint)
    for key, register in ("ip", "rip"), ("sp", "rsp"):
        assert int(event[key], 16) == int(checkpoint["regs"][register], 16)' \
		"$folder/events" "$folder/checkpoints"
	stop_pair
}

test_monitor_of_one()
{
	start_sleeping_pair
	start_monitor "$slave"
	cpctl run -n 5 -o /dev/null true 2>/dev/null
	kill -KILL "$slave"
	eventually events_say_ended "$slave"
	stop_monitor
	fails 1 grep -v " slave $slave " "$folder/events"
	[ "$(wc -l <"$folder/events")" -eq 2 ]
	stop_pair
}

test_monitor_says_what_it_lost()
{
	local room=/proc/sys/net/core/rmem_max given

	chmod 666 /dev/checkpoint
	# A monitor of a user has the normal receive buffer, here that of older kernels:
	# that of newer ones is twenty times as large.
	as=("${as_nobody[@]}")
	start_sleeping_pair "${as_nobody[@]}"
	given=$(cat $room)
	echo 212992 >$room
	start_monitor --json --checkpoints
	echo "$given" >$room
	kill -STOP "$monitor"
	eventually is_stopped "$monitor"
	# This monitor receives only events of pairs of its own user.
	"${as_nobody[@]}" cpctl run -n 3000 -o /dev/null bash -c '
		for ((i = 0; i < 3000; i++)); do : </dev/null; done' 2>/dev/null
	kill -CONT "$monitor"
	"${as_nobody[@]}" cpctl run -n 2 -o /dev/null true 2>/dev/null
	eventually events_end_with_ended
	stop_monitor
	python '
events = objects(open(sys.argv[1]).read())
kinds = [e["type"] for e in events]
lost = kinds.index("lost")
assert kinds.count("checkpoint") < 3000, len(kinds)
# The present pairs are reported again, and the events continue.
assert kinds[lost + 1] == "present" and events[lost + 1]["slave"] == int(sys.argv[2]), kinds[lost:]
assert "made" in kinds[lost:] and "ended" in kinds[lost:], kinds[lost:]
assert sum(e.get("events", 0) for e in events) > 1000' "$folder/events" "$slave"
	stop_pair
	chmod 600 /dev/checkpoint
}

events_end_with_ended()
{
	tail -n 1 "$folder/events" | grep -q '"ended"' ||
		{ "${as_nobody[@]}" cpctl run -n 2 -o /dev/null true 2>/dev/null; false; }
}

test_monitor_ends_with_the_module()
{
	local status=0

	start_sleeping_pair
	start_monitor
	stop_pair
	# It still listens when the module has gone.
	kill -STOP "$monitor"
	eventually is_stopped "$monitor"
	eventually rmmod checkpoint
	kill -CONT "$monitor"
	wait "$monitor" || status=$?
	insmod "$CHECKPOINT_KO"
	[ $status -eq 2 ]
	has errors 'the module has been unloaded'
}

test_monitor_into_a_closed_pipe()
{
	start_sleeping_pair
	rm -f "$folder/out"
	timeout 60 cpctl monitor 2>"$folder/errors" | head -n 1 >"$folder/out" &
	eventually test -s "$folder/out"
	stop_pair
	# cpctl notices the closed pipe when it prints the next event.
	wait
	diff /dev/null "$folder/errors"
}

test_stat()
{
	ends 0 cpctl stat
	[ "$(wc -l <"$folder/out")" -eq 1 ]
	start_stopped_pair
	ends 0 cpctl stat "$slave"
	has out 'TAKEN/s'
	grep -qE "^ *$slave +$master slave-waiting .* observe.sh < cpctl$" "$folder/out"
	has out 'held up for:'
	grep -qE ' to .* [0-9]+ \|#+$' "$folder/out"
	python '
text = open(sys.argv[1]).read()
counts = re.findall(r" to +\S+ +(\d+) \|", text)
assert sum(map(int, counts)) >= int(sys.argv[2]), text' "$folder/out" "$(value taken)"
	ends 0 cpctl stat --count 3 --interval 0.1
	[ "$(grep -c '^ *SLAVE' "$folder/out")" -eq 3 ]
	# From the second report on: of a slave that is held all the time, nothing.
	ends 0 cpctl stat --json --count 2 --interval 0.1 "$slave"
	python '
first, second = objects(open(sys.argv[1]).read())
assert first["type"] == "stat" and first["taken_per_second"] > 0
assert first["held_average_ns"] > 0 and first["bytes_per_second"] > 0
assert second["taken_per_second"] == 0 and "held_average_ns" not in second
assert second["seconds"] >= 0.1' "$folder/out"
	stop_pair
	refuses 2 "$slave" cpctl stat "$slave"
	refuses 2 "$slave" cpctl stat --prometheus "$slave"
}

test_stat_at_a_terminal()
{
	local reader

	start_stopped_pair
	rm -f "$folder/keys"
	mkfifo "$folder/keys"
	: >"$folder/screen"
	exec 9<>"$folder/keys"
	script -qefc 'cpctl stat --interval 0.1' /dev/null <&9 >"$folder/screen" &
	eventually grep -q 'held up for:' "$folder/screen"
	kill -CONT "$master"
	# It draws again.
	eventually grep -q master-waiting "$folder/screen"
	reader=$(pgrep -x cpctl -n)
	kill -TSTP "$reader"
	eventually is_stopped "$reader"
	# script(1) stops and continues with it.
	kill -CONT "$!"
	kill -CONT "$reader"
	: >"$folder/screen"
	eventually grep -q master-waiting "$folder/screen"
	printf q >&9
	wait $!
	exec 9>&-
	stop_pair
}

test_stat_of_a_pair_that_ends_at_a_terminal()
{
	start_stopped_pair
	rm -f "$folder/keys"
	mkfifo "$folder/keys"
	: >"$folder/screen"
	exec 9<>"$folder/keys"
	script -qefc "cpctl stat --interval 0.1 $slave" /dev/null <&9 >"$folder/screen" &
	eventually grep -q 'held up for:' "$folder/screen"
	cpctl end "$slave"
	fails 2 wait $!
	exec 9>&-
	grep -q 'is not a slave' "$folder/screen"
	stop_pair
}

test_prometheus()
{
	cpctl stat --prometheus >"$folder/none"
	start_stopped_pair
	cpctl stat --prometheus >"$folder/out"
	python '
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\\\\\"\n]|\\\\[\\\\\"n])*\""
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? ([-+.0-9eE]+|\+Inf|NaN)" % (NAME, LABEL, LABEL))
def parse(text):
    """As promtool check metrics does."""
    assert text.endswith("\n")
    types, samples, helped, current, closed = {}, {}, set(), None, set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in helped and line.split(None, 3)[3].endswith("."), line
            helped.add(name)
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name in helped and name not in types, line
            closed.add(current)
            assert name not in closed
            types[name], current = kind, name
            assert (kind == "counter") == name.endswith("_total"), line
            continue
        name, labels, number = SAMPLE.fullmatch(line).groups()
        family = re.sub(r"_(bucket|sum|count)$", "", name) if types[current] == "histogram" else name
        assert family == current, line
        assert (name, labels) not in samples, line
        samples[name, labels] = float(number)
    return types, samples
def total(samples, name):
    return sum(n for (k, _), n in samples.items() if k == name)
types, samples = parse(open(sys.argv[1]).read())
assert len(types) == 5 and samples["checkpoint_pairs", None] == 0
types, samples = parse(open(sys.argv[2]).read())
assert samples["checkpoint_pairs", None] == 1
folder = sys.argv[3]
def figure(name):
    return int(open(folder + name).read())
assert total(samples, "checkpoint_pair_taken_total") == figure("taken") > 0
assert total(samples, "checkpoint_pair_copied_bytes_total") == figure("bytes")
# It still waits.
assert 0 < total(samples, "checkpoint_pair_held_seconds_sum") < figure("held_ns") / 1e9
assert 0 < total(samples, "checkpoint_pair_held_max_seconds") < figure("held_max_ns") / 1e9
states = {re.search("state=\"([^\"]*)", l).group(1): n for (k, l), n in samples.items()
          if k == "checkpoint_pair_state"}
assert states == {"running": 0, "slave-waiting": 1, "master-waiting": 0, "held": 0}, states
buckets = [(float(re.search("le=\"([^\"]*)", l).group(1)), n) for (k, l), n in samples.items()
           if k == "checkpoint_pair_held_seconds_bucket"]
assert buckets == sorted(buckets) and [n for _, n in buckets] == sorted(n for _, n in buckets)
assert buckets[-1] == (float("inf"), total(samples, "checkpoint_pair_held_seconds_count"))
assert buckets[-1][1] >= figure("taken")' "$folder/none" "$folder/out" "$sys/pairs/$slave/"
	stop_pair
}

test_end()
{
	start_spinner
	start_master cpctl get -n 100000000 "$slave"
	ends 0 cpctl end "$slave"
	[ ! -s "$folder/out" ]
	wait "$master"
	kill -0 "$slave"
	refuses 2 "$slave" cpctl end "$slave"
	has errors 'is not a slave'
	eventually cpctl get "$slave" >/dev/null
	stop_slave
	refuses 2 "4194303" cpctl end 4194303
}

test_usage_errors()
{
	refuses_usage <<-'END'
		invalid process id 'x'|list x
		'--full'|list --full
		one PID|monitor 1 2
		invalid process id 'x'|monitor x
		'--count'|monitor --count 2
		invalid process id 'x'|stat 1 x
		invalid process id '0'|stat 0
		'0' is not valid for --count|stat --count 0
		'0.01' is not valid for --interval|stat --interval 0.01
		'x' is not valid for --interval|stat --interval x
		--prometheus goes with neither|stat --prometheus --json
		--prometheus goes with neither|stat --prometheus --count 2
		one PID|end
		one PID|end 1 2
		invalid process id '1x'|end 1x
	END
}

test_no_room_for_output()
{
	local arguments

	start_sleeping_pair
	for arguments in list 'list --json' monitor stat 'stat --json' 'stat --prometheus'; do
		# shellcheck disable=SC2086 # words
		fails 2 cpctl $arguments >/dev/full 2>"$folder/errors"
		has errors 'No space left'
	done
	stop_pair
}

test_module_not_loaded()
{
	local arguments

	eventually rmmod checkpoint
	for arguments in list monitor stat 'stat --prometheus' 'end 1'; do
		# shellcheck disable=SC2086 # words
		refuses 2 'not loaded' cpctl $arguments || { insmod "$CHECKPOINT_KO"; return 1; }
	done
	insmod "$CHECKPOINT_KO"
}

# How many system calls it takes to list the pairs.
calls_to_list()
{
	strace -f -o "$folder/calls" cpctl list >"$folder/list"
	grep -c '^[0-9]* *[a-z]' "$folder/calls"
}

test_thousand_pairs()
{
	local few many

	start_pairs 100
	few=$(calls_to_list)
	[ "$(wc -l <"$folder/list")" -eq 101 ]
	stop_pairs
	start_pairs 1000
	many=$(calls_to_list)
	[ "$(wc -l <"$folder/list")" -eq 1001 ]
	echo "# $few system calls for 100 pairs, $many for 1000"
	[ "$many" -lt $((few * 5)) ]
	[ "$(cut -c 1-7 "$folder/list" | sort -u | wc -l)" -eq 1001 ]
	[ "$(find $sys/pairs -mindepth 1 -maxdepth 1 | wc -l)" -eq 1000 ]
	cpctl stat --prometheus >"$folder/out"
	[ "$(grep -c '^checkpoint_pair_taken_total' "$folder/out")" -eq 1000 ]
	stop_pairs
}

spec=Documentation/netlink/specs/checkpoint.yaml

# specified SED-COMMAND: does the specification, so changed, agree?
specified()
{
	sed "$1" $spec >"$folder/spec.yaml"
	[ -z "$1" ] || fails 1 cmp -s "$folder/spec.yaml" $spec
	python3 selftests/netlink-spec.py "$folder/spec.yaml" gcc -Iinclude/uapi \
		2>"$folder/errors"
}

test_specification_agrees_with_the_header()
{
	specified ''
	fails 1 specified 's/name: slave-comm$/name: slave-name/' >/dev/null
	fails 1 specified '/name: pair-end$/s/pair-end/pair-finish/' >/dev/null
	fails 1 specified 's/^name: checkpoint$/name: checkpoints/' >/dev/null
}

tap_run "$@"
