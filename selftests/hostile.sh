#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Recordings that somebody has damaged, or made to do harm: cpctl reads what
# makes sense, says what does not, and never crashes, hangs or takes all memory.
# CHECKPOINT_VARIANTS variants are made of each recording; CHECKPOINT_SEED makes
# others than the last time.
. "$(dirname "$0")/tap.bash"

selftests=$PWD/build/selftests
file=$folder/recording

# withstands STATUS COMMAND...: recorded with $options
withstands()
{
	local want=$1

	shift
	(ulimit -s 256
	 fails "$want" cpctl record "${options[@]}" -o "$file" -- "$@" \
		>/dev/null 2>&1)
	"$selftests/hostile" -n "${CHECKPOINT_VARIANTS:-300}" \
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

# What the writer writes, the reader reads, and it is the same.
test_all_that_is_written()
{
	"$selftests/roundtrip" -n "${CHECKPOINT_VARIANTS:-300}" \
		-s "${CHECKPOINT_SEED:-1}" "$file"
}

# bomb: a recording of the records that standard input tells, in python
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

# frugal STATUS COMMAND...: it takes less memory than half a gigabyte
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

# A file of some kilobytes, whose record is a gigabyte.
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

# Each of many checkpoints is a large one, and little of it is in the file.
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
