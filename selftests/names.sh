#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Names that a process chooses: its own, those of its files, and those of its functions.
# Whatever the names contain, cpctl's output must not send control sequences to the
# terminal, forge lines, or contain invalid JSON, and cpctl must still parse the
# process's files in /proc.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash

# Names with control characters in ASCII, UTF-8 and Latin-1; a bidirectional override
# and a zero-width space; invalid UTF-8; a newline; an empty name; and names that look
# like the text around them.
names=($'\e[31mZ\e]0;P\a' $'\xc2\x9b31m\x9b\xe2\x80\xaef' $'e\nchosen\r\x7f'
	$'\xf0\x9f \xed\xa0\x80\xe2\x80\x8b' '' ') R 1 (x) S 2' $'a < "b\\"')

# harmless FILE...: the files must be UTF-8 without control, invisible or reordering
# characters
harmless()
{
	python3 -IS - "${@/#/$folder/}" <<-'END'
		import sys, unicodedata
		for name in sys.argv[1:]:
		    text = open(name, "rb").read().decode()
		    for line in text.split("\n"):
		        odd = [c for c in line if unicodedata.category(c)[0] == "C"
		               or unicodedata.category(c) in ("Zl", "Zp")]
		        if odd:
		            sys.exit(f"# {name}: {odd}: {line!r}")
	END
}

# lines FILE NUMBER: the file must have this number of lines
lines()
{
	[ "$(wc -l <"$folder/$1")" -eq "$2" ] || {
		sed 's/^/# /' "$folder/$1"
		return 1
	}
}

calls_itself()
{
	cmp -s "/proc/$1/comm" <(printf '%s\n' "$2") && sleeps "$1"
}

# start_named NAME: start a slave with this name that sleeps
start_named()
{
	[ -x "$folder/named" ] || compile named <<-'END'
		#include <sys/prctl.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			prctl(PR_SET_NAME, argv[1]);
			for (;;)
				pause();
		}
	END
	"$folder/named" "$1" >/dev/null 2>&1 &
	slave_begins $!
	eventually calls_itself "$slave" "$1"
}

start_named_pair()
{
	start_named "$1"
	env --default-signal cpctl get --no-nudge "$slave" >/dev/null 2>&1 &
	master=$!
	eventually grep -qsx master-waiting \
		"/sys/class/misc/checkpoint/pairs/$slave/state"
}

stop_pair()
{
	kill "$master"
	wait "$master" || :
	stop_slave
}

test_in_messages()
{
	local name

	for name in "${names[@]}"; do
		start_named "$name"
		refuses 2 "asleep in the kernel" \
			cpctl get --no-nudge --timeout 0.1 "$slave"
		harmless errors
		lines errors 1
		stop_slave
	done
}

# are_right NAME: the files text, metrics and json must be harmless; the last two must
# contain the name, with U+FFFD for invalid UTF-8
are_right()
{
	harmless text metrics json
	python3 -IS - "$1" "$folder/metrics" "$folder/json" <<-'END'
		import json, re, sys, unicodedata

		def plain(text):
		    return re.sub("\ufffd+", "\ufffd", text)

		def label(text):
		    odd = lambda c: unicodedata.category(c)[0] == "C" and c != "\n"
		    return "".join("\ufffd" if odd(c) else c for c in text)

		name = sys.argv[1].encode(errors="surrogateescape").decode(errors="replace")
		said = [re.search(r'slave_command="((?:[^"\\\n]|\\["\\n])*)"', line)[1]
		        for line in open(sys.argv[2]) if "slave_command" in line]
		assert said
		for text in said:
		    got = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)
		    assert plain(got) == plain(label(name)), (got, name)
		lines = open(sys.argv[3]).read().splitlines()
		assert len(lines) == 3, lines
		for line in lines:
		    got = json.loads(line)["slave_command"]
		    assert plain(got) == plain(name), (got, name)
	END
}

# monitors FILE ARGUMENT...: run cpctl monitor until it prints "present", and append its
# output to the file
monitors()
{
	: >"$folder/events"
	env --default-signal cpctl monitor "${@:2}" >"$folder/events" 2>/dev/null &
	eventually grep -q present "$folder/events"
	kill -INT $!
	wait $! || :
	cat "$folder/events" >>"$folder/$1"
}

# quoted NAME: print the name as cpctl must print it between other words
quoted()
{
	case $1 in
	''|')'*)	printf '"%s"' "$1" ;;
	a*)		printf '%s' '"a < \"b\\\""' ;;
	*chosen*)	printf '%s' '"e\x0achosen\x0d\x7f"' ;;
	esac
}

# Whatever the name, a process is one line of each table, and one event.
test_in_tables_and_events()
{
	local name

	for name in "${names[@]}"; do
		start_named_pair "$name"
		ends 0 cpctl list --no-header
		cp "$folder/out" "$folder/text"
		has text "$(quoted "$name")"
		ends 0 cpctl stat
		tail -n +2 "$folder/out" >>"$folder/text"
		monitors text "$slave"
		lines text 3
		ends 0 cpctl list --json
		cp "$folder/out" "$folder/json"
		ends 0 cpctl stat --json
		cat "$folder/out" >>"$folder/json"
		monitors json --json "$slave"
		ends 0 cpctl stat --prometheus
		cp "$folder/out" "$folder/metrics"
		are_right "$name"
		stop_pair
	done
}

# The output has the escape sequences of cpctl, but none of the name.
test_on_the_screen()
{
	local name

	for name in "${names[@]:0:3}"; do
		start_named "$name"
		(sleep 3; printf q) | TERM=xterm script -qec "cpctl watch $slave" \
			/dev/null >"$folder/out"
		has out "process $slave ("
		LC_ALL=C fails 1 grep -qF -e $'\e[31m' -e $'\e]0' -e $'\x9b' \
			-e $'\xe2\x80\xae' "$folder/out"
		LC_ALL=C fails 1 grep -q '^chosen' "$folder/out"
		stop_slave
	done
}

test_of_who_is_dumped()
{
	local name

	for name in "${names[@]}"; do
		start_named "$name"
		ends 0 cpctl dump -o "$folder/core" "$slave"
		harmless errors
		python3 -IS - "$folder/core" "$slave" "$name" <<-'END'
			import struct, sys
			path, slave = sys.argv[1], int(sys.argv[2])
			name = sys.argv[3].encode(errors="surrogateescape")
			core = open(path, "rb").read()
			for i in range(struct.unpack_from("<H", core, 56)[0]):
			    kind, _, at, _, _, size = struct.unpack_from("<IIQQQQ", core, 64 + 56 * i)
			    if kind == 4:
			        break
			end = at + size
			while at < end:
			    name_size, size, kind = struct.unpack_from("<III", core, at)
			    at += 12 + (name_size + 3) // 4 * 4
			    if kind == 3:
			        pid, ppid = struct.unpack_from("<ii", core, at + 24)
			        said = core[at + 40:at + 56].split(b"\0")[0]
			        assert (pid, said) == (slave, name), (pid, said)
			        assert f"\nPPid:\t{ppid}\n".encode() in open(f"/proc/{slave}/status", "rb").read()
			    at += (size + 3) // 4 * 4
		END
		stop_slave
	done
}

evil=$'evil\e[35mFUN\e]0;own\a\xc2\x9b31m\x9b\xe2\x80\xae'
library=$'lib\e[34m\xc2\x9b\n.so'

# build_evil: compile a library with such names, and a program that sleeps in it
build_evil()
{
	compile evil <<-'END'
		#include <dlfcn.h>
		#include <stdio.h>
		int main(int argc, char **argv)
		{
			void *library = dlopen(argv[1], RTLD_NOW);

			if (!library) {
				puts(dlerror());
				return 1;
			}
			((void (*)(void))dlsym(library, "evil"))();
			return 0;
		}
	END
	gcc -O0 -g -x c -shared -fPIC -o "$folder/evil.so" - <<-'END'
		#include <unistd.h>
		#line 1 "file\033[36m\302\233.c"
		void evil(void) { for (;;) usleep(100000); }
	END
	objcopy --redefine-sym "evil=$evil" "$folder/evil.so" "$folder/$library"
}

test_in_backtraces()
{
	local command

	build_evil
	"$folder/evil" "$folder/$library" >"$folder/said" 2>&1 &
	slave_begins $!
	eventually grep -qF 'lib' "/proc/$slave/maps"
	eventually sleeps "$slave"
	for command in bt 'bt --json' 'get --full' 'get --full --json'; do
		# shellcheck disable=SC2086 # words
		ends 0 cpctl $command "$slave"
		has out 'FUN'
		harmless out errors
	done
	ends 0 cpctl bt "$slave"
	has out 'evil\x1b[35mFUN\x1b]0;own\x07\u009b31m\x9b\u202e'
	has out 'lib\x1b[34m\u009b'
	has out 'file\x1b[36m\u009b.c:1'
	stop_slave
}

# A program at the path "$program", whose functions only the file there names.
build_program()
{
	mkdir -p "$(dirname "$program")"
	compile resting <<-'END'
		#include <unistd.h>
		__attribute__((noinline)) static void rest_here(void)
		{
			for (;;)
				pause();
		}
		int main(void)
		{
			rest_here();
			return 0;
		}
	END
	mv "$folder/resting" "$program"
}

# Of a file, as the kernel writes it: a newline is \012, " (deleted)" may be its name.
test_in_paths()
{
	local name shown program

	chmod 666 /dev/checkpoint
	for name in $'new\nline' 'gone (deleted)' 'blank at the end ' 'four\012signs'; do
		program=$folder/$'in a\nfolder'/$name
		[[ $name != *\\* ]] || program=$folder/$name
		build_program
		"$program" &
		slave_begins $!
		eventually calls_itself "$slave" "${name:0:15}"
		# Four characters \012 of a name look like a newline.
		shown=${name//'\012'/$'\n'}
		shown=${shown//$'\n'/'\x0a'}
		ends 0 cpctl bt "$slave"
		has out "rest_here+0x"
		has out "($shown)"
		ends 0 cpctl dump -o "$folder/core" "$slave"
		readelf -nW "$folder/core" >"$folder/notes"
		fails 1 grep -qF 'in a\012folder' "$folder/notes"
		stop_slave
		# A user who may not read the links of map_files has only the path.
		"${as_nobody[@]}" "$program" &
		slave_begins $!
		eventually calls_itself "$slave" "${name:0:15}"
		ends 0 "${as_nobody[@]}" cpctl bt "$slave"
		has out "rest_here+0x"
		has out "($shown)"
		stop_slave
	done
	chmod 600 /dev/checkpoint
}

# The path of the core is the longest one that open(2) accepts: no file that cpctl creates on
# the way may have a longer one.
test_of_great_length()
{
	local path

	cpctl record -o "$folder/r" -- true
	path=$folder
	while [ ${#path} -lt 4086 ]; do
		path+=/.
	done
	while [ ${#path} -lt 4088 ]; do
		path+=/
	done
	path+=/r
	[ ${#path} -eq 4090 ]
	ends 0 cpctl dump "$path"
	has errors "r.core: registers"
	readelf -h "$folder/r.core" >"$folder/out"
	refuses 2 "/r.core: File name too long" cpctl dump "${path%/r}//./r"
}

test_in_recordings()
{
	local file=$folder/$'rec\e[33m' command

	build_evil
	fails 124 timeout --foreground 5 cpctl record -o "$file" -- \
		"$folder/evil" "$folder/$library" 2>"$folder/errors"
	harmless errors
	for command in log 'log --json' show 'show --json' bt 'bt --json'; do
		# shellcheck disable=SC2086 # words
		ends 0 cpctl $command "$file"
		harmless out errors
	done
	ends 0 cpctl diff "$file" -2 -1
	harmless out errors
}

# cpctl replaces an existing link, as for cores and recordings; it does not follow it.
test_output_follows_no_link()
{
	local command

	start_named slave
	cpctl record -s 4 -o "$folder/rec" -- true 2>/dev/null
	for command in "get $slave" "bt $slave" 'run true' "show $folder/rec" \
		"log $folder/rec" "bt $folder/rec" "diff $folder/rec -2 -1"; do
		echo victim >"$folder/victim"
		ln -sf victim "$folder/link"
		# shellcheck disable=SC2086 # words
		(umask 0; cpctl ${command/ / -o "$folder/link" })
		[ "$(cat "$folder/victim")" = victim ]
		[ ! -L "$folder/link" ]
		[ -s "$folder/link" ]
		[ "$(stat -c %a "$folder/link")" = 600 ]
		[ -z "$(find "$folder" -name 'link.*')" ]
		mkfifo "$folder/pipe"
		# shellcheck disable=SC2086 # words
		refuses 2 "cannot write $folder/pipe: it is not a regular file" \
			cpctl ${command/ / -o "$folder/pipe" }
		rm "$folder/pipe"
	done
	ends 0 cpctl get -o /dev/null "$slave"
	[ -c /dev/null ]
	stop_slave
}

test_on_the_command_line()
{
	local name arguments

	for name in "${names[@]:0:3}"; do
		for arguments in log bt get show dump diff end watch stat monitor \
			'get --timeout' 'get -n' 'get -o' 'record --' 'record -o' \
			'run --' 'run -o' 'stat --interval' 'log -o x'; do
			# shellcheck disable=SC2086 # words
			says_nothing_odd $arguments "$name"
		done
		says_nothing_odd "-$name"
		says_nothing_odd get "-$name"
		says_nothing_odd get "--$name"
		says_nothing_odd get "--count=$name"
	done
}

says_nothing_odd()
{
	cpctl "$@" </dev/null >"$folder/out" 2>"$folder/errors" || :
	harmless out errors
}

tap_run "$@"
