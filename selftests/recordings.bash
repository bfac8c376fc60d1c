# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shared by the tests of recordings: programs that are recorded until they die, and what
# cpctl, gdb and eu-stack make of the recording, $file. Sourced after calls.bash.
# shellcheck disable=SC2034,SC2119,SC2154 # set in, or for, other files
doomed=$PWD/build/selftests/doomed
chain=$PWD/build/selftests/chain-pie
file=$folder/recording
# In every mode, these are the calls after the one that dies.
inner="die folded leaf middle"

# numbers: print the numbers of the checkpoints in the recording
numbers()
{
	cpctl log "$file" | sed -n 's/^ *\([0-9][0-9]*\)  [0-9]*\.[0-9]* .*/\1/p'
}

# consecutive: standard input must be lines of numbers, each one more than the one before
consecutive()
{
	awk 'NR > 1 && $1 != last + 1 { exit 1 } { last = $1 }'
}

# shellcheck disable=SC2120 # some callers give an argument
# unbroken [NUMBER]: no checkpoint of any thread is missing between two others in the JSON
# of cpctl log on standard input; and the first one of all has this number in its thread
unbroken()
{
	python3 -IS -c '
import json, sys
last, seqs, numbers = {}, [], []
for l in map(json.loads, sys.stdin):
    if l["type"] == "exec":
        last = {}
    elif l["type"] == "thread_end":
        last.pop(l["thread"], None)
    elif l["type"] == "log":
        assert l["seq"] == last.get(l["thread"], l["seq"] - 1) + 1, l
        last[l["thread"]] = l["seq"]
        seqs.append(l["seq"])
        numbers.append(l["number"])
assert seqs and numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
assert len(sys.argv) < 2 or seqs[0] == int(sys.argv[1]), seqs[0]' "$@"
}

# thread_ids: print the ids of the threads in the JSON of cpctl log on standard input
thread_ids()
{
	sed -n 's/.*"type":"log".*"thread":\([0-9]*\),"entry.*/\1/p' | sort -un
}

# has_died SIGNAL [ADDRESS]: the last checkpoints are those of the death, and only they;
# the first thread to receive the signal received it at this address
has_died()
{
	cpctl log --json "$file" >"$folder/log"
	python3 -IS -c '
import json, sys
lines = [json.loads(l) for l in sys.stdin]
end = lines.pop()
assert end["type"] == "end" and end["reason"] == "exited", end
assert end["signal"] == int(sys.argv[1]), end
logs = [l for l in lines if l["type"] == "log"]
deaths = [l for l in logs if "death" in l]
assert deaths and logs[-len(deaths):] == deaths, deaths
assert len(deaths) == len({l["thread"] for l in deaths}), deaths
for l in deaths:
    assert l["death"]["signal"] == int(sys.argv[1]), l
if len(sys.argv) > 2:
    (own,) = [l["death"] for l in deaths if not l["death"]["elsewhere"]]
    assert own["address"] == sys.argv[2], own
    assert own["code"] > 0, own' \
		"$@" <"$folder/log"
	unbroken <"$folder/log"
	cpctl show --json "$file" | grep -q "\"death\":{\"signal\":$1,"
	cpctl log "$file" | grep -v '^ *(' | tail -n 1 |
		grep -qE "  killed (with its process, )?by SIG"
}

# ours: print those names of standard input that the program has
ours()
{
	grep -xE 'touch|divide|give_up|overflow|eat|rest|die|folded|leaf|middle|begin|on_signal|body|run_handler|main' |
		tr '\n' ' '
}

# backtrace: write the file json, and from it the file bt
backtrace()
{
	cpctl bt --frames 0 --json "$file" >"$folder/json"
	frames "" <"$folder/json" >"$folder/bt"
}

# shows NAMES: bt, and gdb and eu-stack in the core, must print these functions
shows()
{
	backtrace
	same bt "$1 " "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	cpctl dump "$file" -o "$folder/core" 2>"$folder/errors"
	has errors 'all else was read some time before'
	same gdb "$1 " "$(gdb_names | ours)"
	eu_stack >"$folder/eu.bt"
	same eu-stack "$1 " "$(cut -d ' ' -f 2 "$folder/eu.bt" | ours)"
	# gdb stops at main(), and knows of tail calls.
	cut -d ' ' -f 1 "$folder/bt" | uniq >"$folder/addresses"
	same addresses "$(cat "$folder/addresses")" \
		"$(cut -d ' ' -f 1 "$folder/eu.bt" | uniq)"
	gdb_addresses >"$folder/gdb.addresses"
	grep -xF -f "$folder/addresses" "$folder/gdb.addresses" | uniq \
		>"$folder/agreed"
	[ "$(wc -l <"$folder/agreed")" -ge 3 ]
	grep -xF -f "$folder/agreed" "$folder/addresses" | cmp - "$folder/agreed"
}

# crashes STATUS COMMAND...: record the command, which must exit with this status
crashes()
{
	program=$2
	ends "$1" cpctl record -o "$file" -- "${@:2}"
	has errors "cpctl: $file: "
	has_died $(($1 - 128))
}

# recorded COMMAND...: record the command in the background, by $recorder; sets task
recorded()
{
	program=$1
	rm -f "$folder/pipe" "$folder/said" "$file"
	mkfifo "$folder/pipe"
	exec 8<>"$folder/pipe"
	env --default-signal cpctl record "${options[@]}" -o "$file" -- "$@" \
		<&8 >"$folder/said" 2>"$folder/errors" &
	recorder=$!
	leave_nothing
	eventually test -s "$folder/said"
	task=$(head -n 1 "$folder/said")
}
options=()

# tell: let the program continue, which waits for a line
tell()
{
	echo >&8
}

is_gone()
{
	[ ! -e "/proc/$1" ]
}

# is_in SYSCALL PID: by number
is_in()
{
	[[ $(cat "/proc/$2/syscall") == "$1 "* ]]
}

child()
{
	tr -d ' ' <"/proc/$recorder/task/$recorder/children"
}

# start_told COMMAND...: start the command as the slave; sets task when that waits for tell
start_told()
{
	program=$1
	rm -f "$folder/pipe" "$folder/said"
	mkfifo "$folder/pipe"
	exec 8<>"$folder/pipe"
	"$@" told <&8 >"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
	task=$(head -n 1 "$folder/said")
	eventually is_in 0 "$task"
}

# record_told [OPTION...]: sets recorder when it records task
record_told()
{
	env --default-signal cpctl record "$@" -o "$file" "$task" \
		2>"$folder/errors" &
	recorder=$!
	eventually is_master_of $recorder "$([ $# -gt 0 ] && echo "$task" || echo "$slave")"
	# The recorder is prepared, and waits in poll(2).
	eventually is_in 7 "$recorder"
}
