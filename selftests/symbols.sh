#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Names of functions and lines of sources: they must be right for debug information of
# all kinds, and a malicious program must not be able to harm the user who reads them.
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash

programs=$PWD/build/selftests
recording=$folder/recording

# record STATUS PROGRAM ARGUMENT...: record the program, which must exit with this
# status, to $recording
record()
{
	program=$2
	(ulimit -c 0
	 fails "$1" cpctl record --slots 3 -o "$recording" -- "${@:2}" \
		>/dev/null 2>"$folder/errors")
}

# bt OPTION...: print the recording's backtrace to the file out
bt()
{
	cpctl bt "$@" "$recording" >"$folder/out" 2>"$folder/errors"
}

# our_frames: print the frames of the tests' sources in cpctl's backtrace, as lines of
# "FUNCTION FILE:LINE"
our_frames()
{
	sed -n 's/^  #[0-9]* *0x[0-9a-f]* \(.*\)\(+0x[0-9a-f]* (.*)\| (inlined)\) at .*\/\([a-z]*\.c[p]*:[0-9]*\)$/\1 \3/p' \
		"$folder/out" | sed 's/([^()]*) / /; s/ \[clone [^]]*\]//g; s/\.\(constprop\|isra\|part\)\.0//g' |
		grep -E ' (chain\.c|wild\.c|mangled\.cpp):'
}

# gdb_frames: print the same frames of gdb's backtrace of the core
gdb_frames()
{
	cpctl dump -o "$folder/core" "$recording" 2>"$folder/errors"
	gdb -batch -nx -iex 'set auto-load off' -ex bt "$program" "$folder/core" \
		2>"$folder/gdb.errors" </dev/null |
		sed -n '2,$s/^#[0-9]*  *\(0x[0-9a-f]* in \)\{0,1\}\(.*\) (.*) at \(.*\/\)*\([a-z]*\.c[p]*:[0-9]*\)$/\2 \4/p' |
		grep -E ' (chain\.c|wild\.c|mangled\.cpp):'
}

# agrees_with_gdb AT-LEAST: both backtraces must have the same frames, at least this
# many
agrees_with_gdb()
{
	bt
	our_frames >"$folder/ours"
	# gdb prints the innermost frame twice: when it loads the core, and by bt.
	gdb_frames | awk '!seen[$0]++' >"$folder/theirs"
	same "$program" "$(cat "$folder/theirs")" "$(awk '!seen[$0]++' "$folder/ours")"
	[ "$(wc -l <"$folder/ours")" -ge "$1" ]
}

test_debug_information_of_every_kind()
{
	local kind

	for kind in split split-4 lto gz clang; do
		rm -f "$folder/said"
		"$programs/chain-$kind" plain >"$folder/said" &
		slave_begins $!
		eventually test -s "$folder/said"
		eventually sleeps "$slave"
		cpctl bt "$slave" >"$folder/out"
		our_frames >"$folder/$kind"
		stop_slave
		# clang merges several of main()'s calls, which then have no line.
		same "$kind" 'rest folded folded_too leaf middle ' \
			"$(cut -d ' ' -f 1 "$folder/$kind" | grep -vx main | tr '\n' ' ')"
	done
	# The same sources must have the same lines.
	for kind in split split-4 lto gz; do
		cmp "$folder/split" "$folder/$kind"
	done
}

test_names_of_c_plus_plus()
{
	local kind

	for kind in gcc split clang; do
		record 134 "$programs/mangled-$kind"
		agrees_with_gdb 4
		grep -q ' space::real(int).*+0x' "$folder/out"
		has out 'space::thing::method(int) (inlined)'
		bt --no-demangle
		grep -q ' _ZN5space4realEi.*+0x' "$folder/out"
		has out ' _ZN5space5thing6methodEi (inlined)'
	done
}

test_calls_to_where_there_is_no_code()
{
	local mode

	for mode in null pointer; do
		record 139 "$programs/wild" $mode
		bt --json
		complete_in out
		bt
		same "$mode" 'inner outer main ' \
			"$(our_frames | cut -d ' ' -f 1 | grep -v call_null | tr '\n' ' ')"
		agrees_with_gdb 3
	done
	has out '#0   0x00000000dead0000 ??'
}

complete_in()
{
	grep -q '"complete":true}$' "$folder/$1"
}

test_signal_trampoline_of_its_own()
{
	record 134 "$programs/wild" trampoline
	bt --json
	complete_in out
	bt
	has out ' restorer+0x0 (wild)'
	same calls 'on_trap inner outer main ' \
		"$(our_frames | cut -d ' ' -f 1 | tr '\n' ' ')"
}

test_one_file_mapped_under_two_names()
{
	# On the VM's overlay file system, hard links may look like different files.
	mkdir "$folder/tmpfs"
	mount -t tmpfs tmpfs "$folder/tmpfs"
	echo one >"$folder/tmpfs/one"
	ln "$folder/tmpfs/one" "$folder/tmpfs/other"
	"$programs/wild" twice "$folder/tmpfs/one" "$folder/tmpfs/other" &
	slave_begins $!
	eventually is_asleep "$slave" wild
	cpctl bt "$slave" >"$folder/out"
	stop_slave
	umount "$folder/tmpfs"
	same calls 'wait_for_ever inner outer main ' \
		"$(our_frames | cut -d ' ' -f 1 | tr '\n' ' ')"
}

# The function without debug information lies between main() and other functions.
test_no_lines_of_others()
{
	gcc -O2 -g -x c -o "$folder/around" - <<-'END'
		#include <unistd.h>
		__attribute__((noinline)) int wait_here(int n)
		{
			for (;;)
				pause();
			return n;
		}

		int main(int argc, char **argv)
		{
			return wait_here(argc) + 1;
		}
	END
	"$folder/around" &
	slave_begins $!
	eventually is_asleep "$slave" around
	cpctl bt "$slave" >"$folder/out"
	stop_slave
	grep -q ' wait_here+0x[0-9a-f]* (around) at ' "$folder/out"
	grep -q ' _start+0x[0-9a-f]* (around)$' "$folder/out"
}

test_code_without_a_symbol()
{
	strip -o "$folder/bare" "$programs/wild"
	record 134 "$folder/bare" abort
	bt
	grep -q '^  #[0-9]*  *0x[0-9a-f]* \[bare\]+0x[0-9a-f]*$' "$folder/out"
}

# int $0x80 in 64-bit code uses the numbers of i386. The numbers of x32 have bit 30 set,
# even on kernels without x32.
test_system_calls_of_other_tables()
{
	compile calls <<-'END'
		#include <stdlib.h>
		#include <unistd.h>
		int main(void)
		{
			long result = 20;
			__asm__ volatile("int $0x80" : "+a"(result) : : "memory",
					 "r8", "r9", "r10", "r11");
			syscall(0x40000000 | 102);
			abort();
		}
	END
	(ulimit -c 0
	 fails 134 cpctl record --slots 8 -o "$recording" -- "$folder/calls" \
		>/dev/null 2>"$folder/errors")
	cpctl log "$recording" >"$folder/out"
	grep -q '  getpid = [0-9]* ' "$folder/out"
	grep -qE '  getuid = (0|-1 ENOSYS) ' "$folder/out"
	fails 1 grep -q ' writev ' "$folder/out"
}

# stripped NAME LINK: make a program without symbols whose debug link names LINK
stripped()
{
	: >"$folder/$2"
	strip --remove-section=.note.gnu.build-id -o "$folder/$1" "$programs/chain-pie"
	(cd "$folder" && objcopy --add-gnu-debuglink="$2" "$1")
	rm "$folder/$2"
	chmod 755 "$folder/$1"
}

# start_as_nobody PROGRAM: start the program as a slave of user nobody
start_as_nobody()
{
	rm -f "$folder/said"
	"${as_nobody[@]}" "$1" plain >"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
	eventually sleeps "$slave"
}

# Opening a FIFO without a writer blocks; opening a device may have side effects.
test_files_that_a_slave_names()
{
	local kind

	stripped fifo link.debug
	for kind in fifo link device; do
		rm -f "$folder/link.debug" "$folder/target"
		case $kind in
		fifo)	mkfifo "$folder/link.debug" ;;
		link)	mkfifo "$folder/target"
			ln -s target "$folder/link.debug" ;;
		device)	mknod "$folder/link.debug" c 1 5 ;;
		esac
		start_as_nobody "$folder/fifo"
		timeout 120 strace -f -o "$folder/trace" -e trace=open,openat,openat2 \
			cpctl bt "$slave" >"$folder/out"
		has out '[fifo]+0x'
		# cpctl may open the file only with O_PATH.
		grep -q 'link\.debug' "$folder/trace"
		same "$kind" '' "$(grep 'link\.debug' "$folder/trace" | grep -v O_PATH || :)"
		timeout 120 cpctl get "$slave" >"$folder/out"
		timeout 120 cpctl dump -o "$folder/core" "$slave" 2>"$folder/errors"
		stop_slave
	done
}

# libdw opens files that the debug information names.
test_files_that_debug_information_names()
{
	gcc -O2 -g -gsplit-dwarf -I selftests/programs -o "$folder/split" selftests/programs/chain.c -pthread
	rm "$folder"/split-chain.dwo
	mkfifo "$folder/split-chain.dwo"
	printf 'other.debug\0aaaaaaaaaaaaaaaaaaaa' >"$folder/alt"
	objcopy --add-section .gnu_debugaltlink="$folder/alt" "$folder/split"
	mkfifo "$folder/other.debug"
	chmod 755 "$folder/split"
	start_as_nobody "$folder/split"
	timeout 120 cpctl bt "$slave" >"$folder/out"
	has out ' rest+0x'
	has out ' main+0x'
	stop_slave
}

test_debug_files_under_another_root()
{
	local id root=$folder/root

	mkdir -p "$root/usr/lib/debug/.build-id"
	strip -o "$root/inside" "$programs/chain-static"
	id=$(eu-readelf -n "$programs/chain-static" | sed -n 's/.*Build ID: //p')
	mkdir "$root/usr/lib/debug/.build-id/${id:0:2}"
	cp "$programs/chain-static" \
		"$root/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
	rm -f "$folder/said"
	chroot "$root" /inside plain >"$folder/said" &
	slave_begins $!
	eventually test -s "$folder/said"
	eventually sleeps "$slave"
	cpctl bt "$slave" >"$folder/out"
	has out ' middle+0x'
	has out ' folded (inlined) at '
	# A link in the slave's root must not lead to files outside of it.
	cp "$programs/chain-static" "$folder/outside"
	ln -sf "$folder/outside" \
		"$root/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug"
	cpctl bt "$slave" >"$folder/out"
	fails 1 grep -q ' middle+0x' "$folder/out"
	stop_slave
}

# no_server: cpctl must not have loaded the debuginfod client
no_server()
{
	fails 1 grep -E 'libdebuginfod|libcurl|libldap|gnutls' "$folder/trace"
}

test_servers_of_debug_files()
{
	unset DEBUGINFOD_URLS
	strip -g -o "$folder/bare" "$programs/wild"
	record 134 "$folder/bare" abort
	strace -f -o "$folder/trace" -e trace=open,openat cpctl bt "$recording" \
		>"$folder/out"
	no_server
	has out ' inner+0x'
	DEBUGINFOD_URLS='' strace -f -o "$folder/trace" -e trace=open,openat \
		cpctl bt "$recording" >"$folder/out"
	no_server
	# No server listens on that port.
	DEBUGINFOD_URLS=http://127.0.0.1:9/ timeout 120 strace -f -o "$folder/trace" \
		-e trace=open,openat cpctl bt "$recording" >"$folder/out"
	grep -q libdebuginfod "$folder/trace"
	has out ' inner+0x'
}

# make_bomb FILE SIZE: add a compressed section .debug_info of SIZE zero bytes
make_bomb()
{
	python3 -IS - "$folder/zeroes" "$2" <<-'END'
		import struct, sys, zlib
		size, part = int(sys.argv[2]), 1 << 20
		deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
		block = deflate.compress(bytes(part)) + deflate.flush(zlib.Z_FULL_FLUSH)
		with open(sys.argv[1], "wb") as out:
		    out.write(struct.pack("<IIQQ", 1, 0, size, 1) + b"\x78\xda")
		    out.write(block * (size // part) + deflate.flush())
		    out.write(struct.pack(">I", size % 65521 << 16 | 1))
	END
	strip --strip-debug -o "$1" "$programs/wild"
	objcopy --add-section .debug_info="$folder/zeroes" \
		--add-section .debug_abbrev="$folder/zeroes" "$1"
	# objcopy does not set SHF_COMPRESSED.
	python3 -IS - "$1" <<-'END'
		import struct, sys
		with open(sys.argv[1], "r+b") as file:
		    elf = file.read()
		    shoff, = struct.unpack_from("<Q", elf, 40)
		    size, nr, names = struct.unpack_from("<HHH", elf, 58)
		    strings, = struct.unpack_from("<Q", elf, shoff + names * size + 24)
		    for i in range(nr):
		        at = shoff + i * size
		        name, = struct.unpack_from("<I", elf, at)
		        if elf[strings + name:].startswith(b".debug_"):
		            file.seek(at + 8)
		            file.write(struct.pack("<Q", 0x800))
	END
}

# most_memory COMMAND...: run the command, and write the largest memory of any of its
# processes, in KiB, to the file memory
most_memory()
{
	python3 -IS -c '
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:], stdout=open(sys.argv[1] + "/out", "w"))
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_maxrss, file=open(sys.argv[1] + "/memory", "w"))
sys.exit(status)' "$folder" "$@"
}

test_debug_information_that_fills_the_memory()
{
	make_bomb "$folder/bomb" $((1200 << 20))
	record 134 "$folder/bomb" abort
	most_memory cpctl bt "$recording"
	[ "$(cat "$folder/memory")" -lt 600000 ]
	has out ' inner+0x'
	has out ' main+0x'
}

# addresses: print the addresses of the frames in the file out
addresses()
{
	sed -n 's/^  #[0-9]* *\(0x[0-9a-f]*\) .*/\1/p' "$folder/out" | uniq
}

# die_at N COMMAND...: kill cpctl's namer, the process that reads the files, in its Nth
# setitimer(2); no other process makes that call
die_at()
{
	strace -f -o /dev/null -e trace=setitimer \
		-e inject=setitimer:signal=SIGSEGV:when="$1+" "${@:2}" \
		>"$folder/out" 2>"$folder/errors"
}

test_reader_of_names_that_crashes()
{

	record 134 "$programs/wild" abort
	bt
	addresses >"$folder/addresses"
	# After the unwinding, only names are lost.
	die_at 5 cpctl bt "$recording"
	addresses | cmp - "$folder/addresses"
	has errors 'names are missing'
	has out ' [wild]+0x'
	# Before the unwinding, everything but the registers is lost.
	die_at 1 cpctl bt "$recording"
	has out '#0   0x'
	has out 'no further: the unwind information cannot be read'
	die_at 1 cpctl dump -o "$folder/core" "$recording"
	eu-readelf -n "$folder/core" >/dev/null
	die_at 1 cpctl show "$recording"
	has out '  rip '
}

# The namer must run without privileges.
test_reader_of_names_has_no_rights()
{
	start_as_nobody "$programs/chain-pie"
	strace -f -o "$folder/trace" -e trace=setresuid,setresgid,capset,seccomp,prlimit64 \
		cpctl bt "$slave" >"$folder/out"
	stop_slave
	grep -q 'setresuid(65534, 65534, 65534) *= 0' "$folder/trace"
	grep -q 'setresgid(65534, 65534, 65534) *= 0' "$folder/trace"
	grep -q 'capset(.*effective=0.*) *= 0' "$folder/trace"
	grep -q 'seccomp(SECCOMP_SET_MODE_FILTER.*) *= 0' "$folder/trace"
	grep -q 'RLIMIT_AS, {' "$folder/trace"
	has out ' middle+0x'
}

tap_run "$@"
