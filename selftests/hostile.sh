#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Damaged and malicious recordings: cpctl prints the valid part, reports the damage, and
# never crashes, hangs or uses much memory. CHECKPOINT_VARIANTS sets the number of
# variants of each recording; CHECKPOINT_SEED selects other ones.
. "$(dirname "$0")/tap.bash"

selftests=$PWD/build/selftests
file=$folder/recording

# withstands STATUS COMMAND...: record the command, which must exit with this status,
# with $options, and run the program hostile on the recording
withstands()
{
	local want=$1

	shift
	(ulimit -s 256
	 fails "$want" cpctl record "${options[@]}" -o "$file" -- "$@" \
		>/dev/null 2>&1)
	"$selftests/hostile" -n "${CHECKPOINT_VARIANTS:-100}" \
		-s "${CHECKPOINT_SEED:-1}" "$file"
}

test_crash()
{
	options=(--slots 12)
	withstands 139 "$selftests/doomed-static" segv main
}

test_all_of_a_life()
{
	options=(--stream --xstate)
	withstands 134 "$selftests/doomed-static" abrt handler
}

test_libraries()
{
	options=(--slots 6 --xstate)
	withstands 136 "$selftests/doomed-pie" fpe main
}

test_deep_stack()
{
	options=(--slots 6)
	withstands 139 "$selftests/doomed-static" overflow main
}

# The reader must return what the writer has written.
test_all_that_is_written()
{
	"$selftests/roundtrip" -n "${CHECKPOINT_VARIANTS:-100}" \
		-s "${CHECKPOINT_SEED:-1}" "$file"
}

test_threads()
{
	options=(--slots 6)
	withstands 139 "$selftests/doomed-static" segv thread
}

# bomb [VERSION]: write a recording of the records that the Python code on standard input
# makes
bomb()
{
	local version=${1:-1}

	python3 -IS -c '
import struct, sys
def record(type, *parts):
    body = b"".join(parts)
    put(struct.pack("<IIQ", type, 0, len(body)), body)
def checkpoint(*segments):
    record(5, struct.pack("<II", 8, len(segments)), bytes(8), *segments)
# Of a thread: seq is at 8, the stack pointer at 200, the id of the thread at 284.
def of(thread, seq, *segments):
    head = bytearray(288)
    struct.pack_into("<IIQ", head, 0, 288, 0, seq)
    struct.pack_into("<Q", head, 200, 1 << 40)
    struct.pack_into("<i", head, 284, thread)
    record(5, struct.pack("<II", 288, len(segments)), head, *segments)
def name(thread, name):
    record(9, struct.pack("<iI64s", thread, 0, name))
def thread_end(thread):
    record(10, struct.pack("<iiII", thread, 0, 0, 0))
def forget():
    record(11)
def segment(addr, size, *runs):
    return b"".join([struct.pack("<IIQQQQQII", 48, len(runs), addr, size, 0, 0, 0, 1, 0)]
                    + [struct.pack("<QQ", at, len(data)) + data for at, data in runs])
def put(*parts):
    for part in parts:
        sys.stdout.buffer.write(part)
def end():
    record(6, bytes(16))
exec(sys.stdin.read())' |
		zstd -q --no-check >"$folder/frames"
	printf 'CKPTREC\n%b\000\000\000\000\000\000\000' "\\00$version" |
		cat - "$folder/frames" >"$file"
	echo "# $(stat -c %s "$file") bytes"
}

# frugal STATUS COMMAND...: run the command with at most 600 MB of address space; it
# must exit with this status
frugal()
{
	(ulimit -v 600000; fails "$@" >"$folder/out" 2>"$folder/errors") || {
		sed 's/^/# /' "$folder/errors"
		return 1
	}
}

has_errors()
{
	grep -qF -e "$1" "$folder/errors"
}

# A file of a few kilobytes, with a record of a gigabyte.
test_a_large_stack()
{
	bomb <<-'END'
		size = (1 << 30) - 4096
		put(struct.pack("<IIQ", 5, 0, 8 + 8 + 56 + 16 + size), struct.pack("<II", 8, 1),
		    bytes(8), struct.pack("<IIQQQQQII", 48, 1, 1 << 40, size, 0, 0, 0, 1, 0),
		    struct.pack("<QQ", 0, size))
		for i in range(1024):
		    put(bytes(1 << 20))
		end()
	END
	frugal 2 cpctl log "$file"
	has_errors ': damaged: '
	frugal 2 cpctl show "$file"
	has_errors ': damaged: '
}

# Many large checkpoints, each of which has few bytes in the file.
test_a_large_stack_many_times()
{
	bomb <<-'END'
		size = 100 << 20
		checkpoint(segment(1 << 40, size, (0, bytes(size))))
		for i in range(3000):
		    checkpoint(segment((1 << 40) + i % 7, size - i % 7))
		    checkpoint(segment(1 << 40, size, (0, bytes(7))))
		end()
	END
	frugal 0 cpctl log "$file"
	[ "$(wc -l <"$folder/out")" -eq 6002 ]
	frugal 0 cpctl show "$file" -3
	frugal 0 cpctl diff "$file" -3 -1
}

test_large_texts_and_pages()
{
	local text

	for text in 'record(1, bytes(96), b"x" * (200 << 20))' \
			'record(3, b"x" * (200 << 20))' \
			'record(2, bytes(200 << 20))' \
			'record(77, bytes(200 << 20))'; do
		bomb <<<"$text"$'\nend()'
		frugal "$([[ $text == *77* ]] && echo 0 || echo 2)" \
			cpctl log "$file"
		[[ $text == *77* ]] || has_errors ': damaged: '
	done
	bomb <<-'END'
		for i in range(70000, 0, -1):
		    record(4, struct.pack("<Q", i << 12), bytes(4096))
		end()
	END
	frugal 2 cpctl log "$file"
	has_errors ': damaged: '
}

# Each is small, but not all together: the writer must make the reader forget some.
test_large_stacks_of_many_threads()
{
	local code

	code='
size = 1 << 20
for i in range(140):
    %s
    of(i + 1, 1, segment(1 << 40, size, (0, bytes(size))))
end()'
	# shellcheck disable=SC2059 # a format
	bomb 3 < <(printf "$code" "i % 100 or forget()")
	frugal 0 cpctl log "$file"
	frugal 0 cpctl bt "$file"
	has_errors 'some threads are left out'
	# shellcheck disable=SC2059
	bomb 3 < <(printf "$code" pass)
	frugal 2 cpctl log "$file"
	has_errors ': damaged: '
	[ "$(wc -l <"$folder/out")" -eq 128 ]
}

test_many_threads()
{
	local code

	for code in 'of(i, 1)' 'name(i, b"x")'; do
		bomb 3 <<<"for i in range(65537): $code"$'\nend()'
		frugal 2 cpctl log "$file"
		has_errors ': damaged: '
		[ "$(wc -l <"$folder/out")" -eq "$([[ $code == of* ]] && echo 65536 || echo 0)" ]
	done
	bomb 3 <<-'END'
		for i in range(70000):
		    name(i, b"x" * 64)
		    of(i, 1)
		    thread_end(i)
		end()
	END
	frugal 0 cpctl log "$file"
	frugal 0 cpctl bt "$file"
}

# stack_of N: the first eight bytes of the stack of checkpoint N, as cpctl show prints them
stack_of()
{
	cpctl show --json --full "$file" "$1" | sed -n 's/.*"data":"\([0-9a-f]\{16\}\).*/\1/p'
}

# Before version 3, a checkpoint was compared with the one before in the file. Now it is
# with the last one of its thread; an end and an exec are forgotten.
test_versions()
{
	local version code

	code='
if version > 1:
    record(8, bytes(20), struct.pack("<I", 8 if version > 2 else 0), bytes(8))
of(1, 1, segment(1 << 40, 8, (0, b"aaaaaaaa")))
of(2, 2, segment(1 << 40, 8, (0, b"bbbbbbbb")))
of(1, 3, segment(1 << 40, 8, (0, b"c")))
'
	for version in 1 2 3; do
		bomb $version <<<"version = $version$code"$'end()'
		[ "$(stack_of -2)" = 6262626262626262 ]
		[ "$(stack_of -1)" = "$([ $version -gt 2 ] &&
			echo 6361616161616161 || echo 6362626262626262)" ]
	done
	bomb 2 <<<"version = 2$code"$'record(7, bytes(8))\nof(1, 4, segment(1 << 40, 8))\nend()'
	[ "$(stack_of 4)" = 6362626262626262 ]
	for version in 'record(7, bytes(8))' 'thread_end(1)' 'forget()'; do
		bomb 3 <<<"version = 3$code$version"$'\nof(1, 4, segment(1 << 40, 8))\nend()'
		fails 2 cpctl log "$file" >"$folder/out" 2>"$folder/errors"
		has_errors ': damaged: '
		[ "$(grep -c 'cpu 0' "$folder/out")" -eq 3 ]
	done
}

tap_run "$@"
