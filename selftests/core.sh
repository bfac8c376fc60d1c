#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl bt and cpctl dump: the calls of a program that cpctl, gdb and eu-stack print
# are compared with the program's real calls.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash

chain=$PWD/build/selftests/chain
# In every mode the innermost calls are these.
inner="rest folded folded_too leaf middle"

# start PROGRAM ARGUMENT...: start the slave; sets task, the id of the thread that makes the calls
start()
{
	rm -f "$folder/said" "$folder/core"
	"$@" >"$folder/said" &
	slave_begins $!
	program=$1
	eventually test -s "$folder/said"
	task=$(head -n 1 "$folder/said")
	[ "${2-}" = busy ] || eventually sleeps "$task"
}

# dump OPTION...: write the file core
dump()
{
	cpctl dump --timeout 60 "$@" -o "$folder/core" "$task" 2>"$folder/errors"
}

# backtrace OPTION...: write the file json, and from it the file bt, of lines "ADDRESS NAME"
backtrace()
{
	cpctl bt --timeout 60 --json "$@" "$task" >"$folder/json"
	frames "$task" <"$folder/json" >"$folder/bt"
}

# ours: print those names of standard input that the program has
ours()
{
	grep -xE 'rest|folded|folded_too|leaf|middle|deep|climb|climb_wide|on_signal|body|in_coroutine|run_handler|run_coroutine|main' |
		tr '\n' ' '
}

# called ADDRESSES: the return addresses that the program has printed, those of the
# frames after rest(), must be consecutive in ADDRESSES
called()
{
	same addresses "$(tail -n +2 "$folder/said" | tr '\n' ' ')" \
		"$(awk '!seen[$1]++ { print $1 }' |
			grep -xF -f <(tail -n +2 "$folder/said") | tr '\n' ' ')"
}

# shows NAMES: bt, and gdb and eu-stack in the core, must print these functions
shows()
{
	backtrace
	same bt "$1 " "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	cut -d ' ' -f 1 "$folder/bt" | called
	dump
	same gdb "$1 " "$(gdb_names | ours)"
	gdb_addresses | called
	eu_stack >"$folder/eu.bt"
	same eu-stack "$1 " "$(cut -d ' ' -f 2 "$folder/eu.bt" | ours)"
	cut -d ' ' -f 1 "$folder/eu.bt" | called
}

test_pie()
{
	start "$chain-pie" plain
	shows "$inner main"
	complete
	stop_slave
}

test_static()
{
	start "$chain-static" plain
	shows "$inner main"
	complete
	stop_slave
}

test_static_pie_in_a_thread()
{
	start "$chain-static-pie" thread
	[ "$task" != "$slave" ]
	shows "$inner body"
	complete
	stop_slave
}

test_thread()
{
	start "$chain-pie" thread
	[ "$task" != "$slave" ]
	shows "$inner body"
	complete
	# The process's id is also that of its main thread.
	task=$slave
	backtrace
	complete
	same bt 'main ' "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	backtrace --thread
	complete
	[ "$(wc -l <"$folder/json")" -eq 1 ]
	same bt 'main ' "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	stop_slave
}

test_signal_handler()
{
	start "$chain-pie" handler
	shows "$inner on_signal run_handler main"
	complete
	stop_slave
}

# The checkpoint contains the stack of the handler; the other one is read a bit later.
test_handler_on_an_alternate_stack()
{
	start "$chain-pie" alternate
	shows "$inner on_signal run_handler main"
	complete
	stop_slave
}

test_deep_recursion()
{
	local names

	start "$chain-pie" deep 60
	names="$inner$(printf ' deep%.0s' {0..60}) main"
	shows "$names"
	complete
	stop_slave
	start "$chain-pie" deep 20000
	backtrace --frames 0
	complete
	[ "$(grep -c ' deep$' "$folder/bt")" -eq 20001 ]
	stop_slave
}

test_coroutine()
{
	start "$chain-pie" coroutine
	backtrace
	same bt "$inner in_coroutine " "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	cut -d ' ' -f 1 "$folder/bt" | called
	# The coroutine begins there, and nothing in the stack shows that.
	fails 1 complete
	grep -q '"why":"there is no unwind information for 0x' "$folder/json"
	stop_slave
}

test_32_bit()
{
	start "$chain-32" handler
	backtrace
	complete
	same bt "$inner on_signal run_handler main " \
		"$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	cut -d ' ' -f 1 "$folder/bt" | called
	grep -q ' __kernel_vsyscall$' "$folder/bt"
	fails 2 dump
	grep -q '32-bit code' "$folder/errors"
	[ ! -e "$folder/core" ]
	stop_slave
}

test_source_lines()
{
	start "$chain-pie" plain
	cpctl bt --timeout 60 "$task" >"$folder/out"
	stop_slave
	grep -q '^  #[0-9]* *0x[0-9a-f]\{16\} folded (inlined) at .*chain\.c:[0-9]*$' \
		"$folder/out"
	grep -q '^  #[0-9]* *0x[0-9a-f]\{16\} main+0x[0-9a-f]* (chain-pie) at .*chain\.c:[0-9]*$' \
		"$folder/out"
	# Each line that is printed is the one with the call.
	python3 -IS -c '
import re, sys
source = open("selftests/programs/chain.c").read().splitlines()
calls = {"rest": "pause(", "folded": "rest(", "folded_too": "folded(",
         "leaf": "folded_too(", "middle": "leaf(", "main": "middle("}
for line in sys.stdin:
    m = re.search(r" (\w+)(?:\+0x\w+ \(chain-pie\)| \(inlined\)) at .*chain.c:(\d+)$", line)
    if m:
        assert calls.pop(m[1]) in source[int(m[2]) - 1], line
assert not calls, calls' <"$folder/out"
}

# At any instruction, in code that has no frame pointers.
test_any_instant()
{
	start "$chain-pie" busy
	cpctl bt --timeout 60 -n 200 --json "$task" >"$folder/json"
	stop_slave
	python3 -IS -c '
import json, sys
source = open("selftests/programs/chain.c").read().splitlines()
depths = set()
lines = sys.stdin.read().splitlines()
assert len(lines) == 200
for seq, line in enumerate(lines, 1):
    bt = json.loads(line)
    assert bt["complete"] and bt["seq"] == seq, bt
    ours = [f for f in bt["frames"]
            if f.get("symbol", {}).get("module") == "chain-pie"]
    # A stub of the PLT has no name.
    names = [f["symbol"].get("name") for f in ours]
    assert names[-1] == "_start" and "main" in names[-3:], names
    # Each caller is at the call of the one that it has called.
    calls = [(f, g) for f, g in zip(bt["frames"], bt["frames"][1:])
             if g in ours and (g["symbol"].get("name") or "").startswith("climb")
             and f.get("symbol", {}).get("name")]
    for f, g in calls:
        assert f["symbol"]["name"] + "(" in source[g["line"] - 1], (f, g)
    depths.add(len(calls))
assert max(depths) <= 40 and len(depths) > 10, depths' <"$folder/json"
}

# At its first instruction, a function has no frame yet.
test_first_instruction()
{
	start "$chain-pie" plain
	cpctl bt --timeout 60 --no-nudge --json "$task" >"$folder/json" &
	eventually is_master_of $! "$task"
	kill -USR2 "$slave"
	wait $!
	complete
	python3 -IS -c '
import json, sys
frames = json.load(sys.stdin)["frames"]
first = frames[0]["symbol"]
assert first["name"] == "on_signal" and first["offset"] == "0x0", first
# The names of libc come with its debug symbols, which may be missing.
names = [f.get("function") or f.get("symbol", {}).get("name") for f in frames]
i = names.index("rest")
assert names[i:i + 6] == "rest folded folded_too leaf middle main".split(), names' \
		<"$folder/json"
	stop_slave
}

test_no_unwind_information()
{
	start "$chain-no-cfi" plain
	cpctl bt --timeout 60 "$task" >"$folder/out"
	grep -q '^  and no further: there is no unwind information for 0x' "$folder/out"
	# The frames up to there are complete, and none is invented after them.
	[ "$(grep -c '(chain-no-cfi)' "$folder/out")" -eq 1 ]
	grep -q ' rest+0x' "$folder/out"
	stop_slave
}

test_stack_that_is_cut_off()
{
	start "$chain-pie" deep 1000
	backtrace --stack-limit 4K
	fails 1 complete
	grep -q '"why":"the stack was cut off at 0x[0-9a-f]*: see --stack-limit"}$' \
		"$folder/json"
	[ "$(grep -c ' deep$' "$folder/bt")" -gt 100 ]
	[ "$(grep -c ' deep$' "$folder/bt")" -lt 1000 ]
	dump --stack-limit 4K
	gdb_names | ours | grep -q "^$inner deep deep deep"
	eu_stack | cut -d ' ' -f 2 | ours | grep -q "^$inner deep deep deep"
	eu-readelf -n "$folder/core" >/dev/null
	grep -qa '^stack truncated$' "$folder/core"
	stop_slave
}

test_deleted_program()
{
	cp "$chain-pie" "$folder/gone"
	start "$folder/gone" plain
	rm "$folder/gone"
	backtrace
	complete
	same bt "$inner main " "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	stop_slave
	# Another file that has got the name is not used.
	cp "$chain-static" "$folder/changed"
	start "$folder/changed" plain
	cp "$chain-pie" "$folder/other"
	mv "$folder/other" "$folder/changed"
	backtrace
	complete
	same bt "$inner main " "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	stop_slave
}

test_program_with_another_root()
{
	mkdir "$folder/root"
	cp "$chain-static" "$folder/root/inside"
	start chroot "$folder/root" /inside plain
	backtrace
	complete
	same bt "$inner main " "$(cut -d ' ' -f 2 "$folder/bt" | ours)"
	program=$chain-static
	dump
	same gdb "$inner main " "$(gdb_names | ours)"
	stop_slave
}

# python3 also loads a library while it runs.
test_real_programs()
{
	local command

	exec 8<> <(:)
	for command in python3 sqlite3; do
		if [ $command = python3 ]; then
			python3 -IS -c 'import ctypes, time; time.sleep(1000)' &
		else
			sqlite3 :memory: <&8 &
		fi
		slave_begins $!
		task=$slave
		eventually has_begun_to_wait "$slave" $command
		program=$(readlink -f "/proc/$slave/exe")
		backtrace
		complete
		cut -d ' ' -f 2 "$folder/bt" | grep -qxE '_start|\?'
		grep -qE ' (__libc_start_main|__libc_start_main_impl)$' "$folder/bt"
		dump
		eu_stack >"$folder/eu.bt"
		same eu-stack "$(cut -d ' ' -f 1 "$folder/bt" | uniq)" \
			"$(cut -d ' ' -f 1 "$folder/eu.bt" | uniq)"
		# gdb omits the frames after main(), and shows tail calls.
		gdb_names >"$folder/gdb.names"
		gdb_addresses >"$folder/gdb.addresses"
		cut -d ' ' -f 1 "$folder/bt" | uniq >"$folder/addresses"
		grep -xF -f "$folder/addresses" "$folder/gdb.addresses" >"$folder/agreed"
		[ "$(wc -l <"$folder/agreed")" -ge 4 ]
		grep -xF -f "$folder/agreed" "$folder/addresses" |
			cmp - "$folder/agreed"
		stop_slave
	done
	exec 8>&-
}

# Does the process run that program, and wait as the test wants it to?
has_begun_to_wait()
{
	sleeps "$1" || return 1
	case $2 in
	python3)	grep -q _ctypes "/proc/$1/maps" &&
				grep -q nanosleep "/proc/$1/wchan" ;;
	sqlite3)	grep -q sqlite3 "/proc/$1/comm" &&
				grep -q pipe "/proc/$1/wchan" ;;
	esac
}

# What the core says of its memory holds, byte for byte.
test_origin()
{
	start "$chain-pie" plain
	cpctl get --json --full "$task" >"$folder/json"
	dump --stack-only
	[ "$(grep -c 'registers and stack are those of the checkpoint' "$folder/errors")" -eq 1 ]
	[ "$(stat -c %a "$folder/core")" = 600 ]
	python3 -IS - "$folder" "$task" <<-'END'
		import json, struct, sys
		folder, task = sys.argv[1], int(sys.argv[2])
		core = open(folder + "/core", "rb").read()
		get = json.load(open(folder + "/json"))
		phoff, phnum = struct.unpack_from("<Q", core, 32)[0], struct.unpack_from("<H", core, 56)[0]
		loads, notes, last = [], {}, 0
		for i in range(phnum):
		    kind, flags, off, va, pa, size, mem, align = struct.unpack_from("<IIQQQQQQ", core, phoff + 56 * i)
		    if kind == 1:
		        assert va >= last and size == mem and va % 4096 == off % 4096 == 0
		        last = va + size
		        loads.append((va, core[off:off + size]))
		        assert len(loads[-1][1]) == size
		    else:
		        at = off
		        while at < off + size:
		            n, d, t = struct.unpack_from("<III", core, at)
		            name = core[at + 12:at + 12 + n - 1].decode()
		            at += 12 + (n + 3) // 4 * 4
		            notes[name, t] = core[at:at + d]
		            at += (d + 3) // 4 * 4
		assert [k for k in notes] == [("CORE", 1), ("CORE", 3), ("CORE", 6), ("CORE", 0x46494c45),
		                              ("checkpoint", 0x43500001), ("checkpoint", 0x43500002)]
		def memory(addr, size):
		    for va, data in loads:
		        if va <= addr and addr + size <= va + len(data):
		            return data[addr - va:addr - va + size]
		    raise KeyError(hex(addr))
		lines = [l.split() for l in notes["checkpoint", 0x43500001].decode().rstrip("\0").splitlines()]
		fields = {l[0]: l[1] for l in lines if len(l) == 2}
		assert fields["version"] == "1" and fields["checkpoint"] == "0" and fields["stack"] == "whole"
		assert fields["entry"] == "syscall" and fields["syscall"] == "34", fields
		assert int(get["time_ns"]) < int(fields["time_ns"]) <= int(fields["later_ns"])
		(stack,) = [l for l in lines if l[0] == "instant"]
		addr, size = int(stack[1], 16), int(stack[2], 16)
		segment = get["segments"][0]
		assert addr == int(segment["addr"], 16) and size == segment["size"]
		assert memory(addr, size).hex() == segment["data"]
		filler = memory(addr - addr % 4096, addr % 4096)
		assert not any(filler)
		mem = open("/proc/%d/mem" % task, "rb", 0)
		later = [(int(l[1], 16), int(l[2], 16)) for l in lines if l[0] == "later"]
		assert len(later) > 4 and len(later) + 1 == len(loads)
		first = {}
		for line in open("/proc/%d/maps" % task):
		    where, mode, offset, dev, inode, *path = line.split()
		    if inode != "0" and offset == "00000000":
		        first[path[0]] = int(where.split("-")[0], 16)
		    if inode != "0" and "x" in mode:
		        assert memory(first[path[0]], 4096).startswith(b"\x7fELF"), path
		for a, s in later:
		    mem.seek(a)
		    assert memory(a, s) == mem.read(s), hex(a)
		regs = struct.unpack_from("<27Q", notes["CORE", 1], 112)
		names = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs".split()
		assert {n: hex(v) for n, v in zip(names, regs)} == get["regs"]
		assert struct.unpack_from("<i", notes["CORE", 1], 32)[0] == task
		assert notes["CORE", 6] == open("/proc/%d/auxv" % task, "rb").read()
		assert notes["checkpoint", 0x43500002].decode().rstrip("\0") == open("/proc/%d/maps" % task).read()
		info = notes["CORE", 3]
		assert info[40:56].rstrip(b"\0") == b"chain-pie" and info[56:].rstrip(b"\0").endswith(b"chain-pie plain")
		assert len(core) < 200000, len(core)
	END
	stop_slave
}

# A core that is opened without the program contains the build ids to find its files.
test_build_ids()
{
	local file id

	start "$chain-pie" plain
	dump
	stop_slave
	eu-unstrip -n --core "$folder/core" >"$folder/modules"
	for file in "$program" "$(ldd "$program" | sed -n 's/.*libc\.so.* => \([^ ]*\) .*/\1/p')"; do
		id=$(eu-readelf -n "$file" | sed -n 's/.*Build ID: //p')
		[ -n "$id" ]
		grep -q "+0x[0-9a-f]* $id@" "$folder/modules"
	done
	grep -q 'vdso' "$folder/modules"
}

# A variable is not in a small core: gdb must not take its first value for it.
test_variables_are_not_made_up()
{
	start "$chain-pie" plain
	dump --stack-only
	stop_slave
	gdb -batch -nx -iex 'set auto-load off' -ex 'print global' \
		"$program" "$folder/core" >"$folder/out" 2>"$folder/errors" || :
	grep -q 'Cannot access memory' "$folder/errors"
	fails 1 grep -q '= 42' "$folder/out"
}

# The slave's memory may contain anything, a list without end included.
test_slave_that_lies()
{
	start "$chain-pie" liar
	backtrace
	complete
	dump --stack-only
	eu-readelf -n "$folder/core" >/dev/null
	[ "$(stat -c %s "$folder/core")" -lt 200000 ]
	stop_slave
}

test_file_is_replaced()
{
	start "$chain-pie" plain
	echo old >"$folder/core"
	chmod 644 "$folder/core"
	dump
	eu-readelf -h "$folder/core" | grep -q CORE
	[ "$(stat -c %a "$folder/core")" = 600 ]
	# A link is replaced, not followed.
	echo precious >"$folder/file"
	ln -sf file "$folder/core"
	dump
	[ ! -L "$folder/core" ]
	[ "$(cat "$folder/file")" = precious ]
	rm "$folder/file"
	(cd "$folder" && cpctl dump "$task" 2>/dev/null && eu-readelf -h "core.$task" >/dev/null)
	stop_slave
	[ "$(cd "$folder" && echo core*)" = "core core.$task" ]
	rm "$folder/core.$task"
}

test_standard_output()
{
	start "$chain-pie" plain
	cpctl dump -o - "$task" 2>/dev/null | cat >"$folder/core"
	same eu-stack "$inner main " "$(eu_stack | cut -d ' ' -f 2 | ours)"
	rm "$folder/core"
	fails 1 script -qec "cpctl dump -o - $task" /dev/null >"$folder/out"
	grep -q 'a core is not for a terminal' "$folder/out"
	fails 2 cpctl dump -o - "$task" >/dev/full 2>"$folder/errors"
	grep -q 'No space left' "$folder/errors"
	stop_slave
}

test_no_room()
{
	mkdir "$folder/small"
	mount -t tmpfs -o size=24k tmpfs "$folder/small"
	start "$chain-pie" plain
	fails 2 cpctl dump -o "$folder/small/core" "$task" 2>"$folder/errors"
	grep -q "cannot write $folder/small/core: No space left on device" "$folder/errors"
	[ -z "$(ls -A "$folder/small")" ]
	# The one before stays.
	echo old >"$folder/small/core"
	fails 2 cpctl dump -o "$folder/small/core" "$task" 2>/dev/null
	[ "$(ls -A "$folder/small")" = core ]
	[ "$(cat "$folder/small/core")" = old ]
	stop_slave
	umount "$folder/small"
}

test_no_place_for_a_file()
{
	local place

	start "$chain-pie" plain
	for place in "$folder" /dev/null /no/such/folder/core /proc/core; do
		fails 2 cpctl dump -o "$place" "$task" 2>"$folder/errors"
		grep -q "cannot write $place: " "$folder/errors"
	done
	[ -c /dev/null ]
	stop_slave
}

test_refusals()
{
	local verb

	cd "$folder"
	for verb in bt dump; do
		fails 2 cpctl $verb 4194303 2>errors
		grep -q 'there is no process or thread 4194303' errors
		fails 2 cpctl $verb 2 2>errors
		grep -q 'not permitted: it is a kernel thread' errors
	done
	start "$chain-pie" plain
	kill -STOP "$slave"
	eventually grep -q '^State:	T' "/proc/$slave/status"
	fails 2 cpctl bt --timeout 0.2 "$task" 2>errors
	fails 2 cpctl dump --timeout 0.2 "$task" 2>errors
	grep -q 'in time: it is stopped' errors
	kill -CONT "$slave"
	stop_slave
	fails 1 compgen -G 'core*'
}

test_usage()
{
	local arguments

	for arguments in bt dump 'bt 1 2 x' 'bt x y' 'bt --full 1' 'bt -n 0 1' \
		'dump 0 0' 'dump -n 1 1' 'dump --json 1' 'dump --stack-bytes 1 1' \
		'dump --timeout x 1' 'dump -o'; do
		# shellcheck disable=SC2086 # words
		fails 1 cpctl $arguments >"$folder/out" 2>"$folder/errors"
		[ ! -s "$folder/out" ]
		grep -q -- "--help'" "$folder/errors"
	done
}

test_interrupted()
{
	local master

	start "$chain-pie" plain
	env --default-signal cpctl dump --no-nudge -o "$folder/core" "$task" \
		2>"$folder/errors" &
	master=$!
	eventually is_master_of $master "$task"
	kill -INT $master
	fails 2 wait $master
	grep -q 'interrupted; process [0-9]* continues' "$folder/errors"
	fails 1 compgen -G "$folder/core*"
	stop_slave
}

test_slave_goes_on()
{
	start "$chain-pie" busy
	for _ in {1..5}; do
		cpctl bt "$task" >/dev/null
		dump
	done
	kill -0 "$slave"
	grep -q '^TracerPid:	0' "/proc/$slave/status"
	stop_slave
}

tap_run "$@"
