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

# bomb: write a recording of the records that the Python code on standard input makes
bomb()
{
	python3 -IS -c '
import struct, sys
def record(type, *parts):
    body = b"".join(parts)
    put(struct.pack("<IIQ", type, 0, len(body)), body)
def checkpoint(*segments):
    record(5, struct.pack("<II", 8, len(segments)), bytes(8), *segments)
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
	printf 'CKPTREC\n\001\000\000\000\000\000\000\000' |
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

tap_run "$@"
