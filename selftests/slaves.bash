# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shared by the tests of cpctl: run cpctl and check its output, start and kill
# slaves and masters. "$slave" and "$master" are the pids of the latest ones.
# Sourced after tap.bash.
# shellcheck disable=SC2034,SC2154 # set in, or for, other files

# User nobody runs programs in this folder.
chmod 755 "$folder"
as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# ends STATUS COMMAND...: the command must exit with this status. Its standard
# output goes to the file out, its standard error to the file errors.
ends()
{
	local want=$1 status=0

	shift
	"$@" >"$folder/out" 2>"$folder/errors" || status=$?
	[ "$status" -eq "$want" ] || {
		echo "# $*: exit status $status, not $want"
		sed 's/^/# /' "$folder/errors"
		return 1
	}
}

# has FILE TEXT: the file, in $folder, must contain the text
has()
{
	grep -qF -e "$2" "$folder/$1" || {
		echo "# no '$2' in:"
		head -n 20 "$folder/$1" | sed 's/^/# /'
		return 1
	}
}

# refuses STATUS TEXT COMMAND...: the command must exit with this status, and print
# the text on standard error and nothing on standard output
refuses()
{
	local status=$1 text=$2

	shift 2
	ends "$status" "$@"
	has errors "$text"
	[ ! -s "$folder/out" ]
}

# refuses_usage: for each line CULPRIT|ARGUMENT... of standard input, cpctl must
# refuse the arguments as a usage error that names the culprit
refuses_usage()
{
	local culprit arguments

	while IFS='|' read -r culprit arguments; do
		# shellcheck disable=SC2086 # words
		refuses 1 "$culprit" cpctl $arguments
		has errors "--help'."
	done
}

# loader_entry: a pattern that matches cpctl's name for the dynamic loader's entry
# point. Without the loader's debug symbols, the name is an offset in its file.
loader_entry()
{
	local loader=ld-linux-x86-64.so.2

	printf '(_start\+0x0 \(%s\)( at .*)?|\[%s\]\+%s)' "$loader" "$loader" \
		"$(readelf -h "/lib64/$loader" | sed -n 's/.*Entry point address: *//p')"
}

# leave_nothing: kill the test's background processes when the test exits
leave_nothing()
{
	trap 'jobs -p | xargs -r kill -KILL 2>/dev/null || :' EXIT
}

slave_begins()
{
	slave=$1
	leave_nothing
}

sleeps()
{
	grep -q '^State:	S' "/proc/$1/status"
}

# is_asleep PID [COMM]: the process has executed its program and sleeps
is_asleep()
{
	sleeps "$1" && [ "$(cat "/proc/$1/comm")" = "${2:-sleep}" ]
}

is_stopped()
{
	grep -q '^State:	T' "/proc/$1/status"
}

start_sleeper()
{
	"$@" sleep 1000 >/dev/null 2>&1 &
	slave_begins $!
	eventually in_sleep "$slave"
}

start_spinner()
{
	(while :; do :; done) &
	slave_begins $!
}

stop_slave()
{
	kill -KILL "$slave"
	wait "$slave" 2>/dev/null || :
}

# child_of PID: the first child of the process's main thread
child_of()
{
	local -a children

	# The file has no newline at its end.
	read -ra children <"/proc/$1/task/$1/children" || :
	[ ${#children[@]} -gt 0 ] || return
	echo "${children[0]}"
}

is_master_of()
{
	grep -qs "^slave:	$2\$" "/proc/$1/fdinfo/"*
}

# start_master COMMAND...: start cpctl with default signal handling, as a terminal
# would; background jobs of a script ignore SIGINT
start_master()
{
	rm -f "$folder/checkpoints"
	env --default-signal "$@" >"$folder/checkpoints" 2>"$folder/errors" &
	master=$!
	eventually test -s "$folder/checkpoints"
}

# The slave lives, and nobody is its master any more.
slave_is_free()
{
	kill -0 "$slave"
	eventually cpctl get "$slave" >/dev/null
}

# terminal SCRIPT [OPTION]...: Python, with a terminal of ROWS lines, 40 by default, in
# which "$slave" is being watched; or with $VERB there
terminal()
{
	python3 -IS - "$slave" "${@:2}" <<-END
		import fcntl, os, pty, re, select, signal, struct, sys, termios, time
		slave = int(sys.argv[1])
		master, tty = pty.openpty()
		before = termios.tcgetattr(tty)
		# So wide that no line is folded.
		size = struct.pack("HHHH", int(os.environ.get("ROWS", 40)), 200, 0, 0)
		fcntl.ioctl(tty, termios.TIOCSWINSZ, size)
		pid = os.fork()
		if pid == 0:
		    os.setsid()
		    fcntl.ioctl(tty, termios.TIOCSCTTY, 0)
		    for fd in 0, 1, 2:
		        os.dup2(tty, fd)
		    verb = os.environ.get("VERB", "watch")
		    os.execvp("cpctl", ["cpctl", verb, *sys.argv[2:],
		                        *([str(slave)] if verb == "watch" else [])])
		seen = ""
		def expect(pattern):
		    global seen
		    end = time.monotonic() + 20
		    while not re.search(pattern, seen):
		        if time.monotonic() > end:
		            sys.exit("# no %r in %r" % (pattern, seen[-2000:]))
		        if select.select([master], [], [], 0.1)[0]:
		            seen += os.read(master, 65536).decode()
		def press(keys):
		    global seen
		    seen = ""
		    os.write(master, keys)
		def state():
		    return open("/proc/%d/stat" % pid).read().rsplit(")")[1].split()[0]
		def wait_state(letter):
		    while state() != letter:
		        time.sleep(0.01)
		LEFT = r"\x1b\[\?7h\x1b\[\?25h\x1b\[\?1049l"
		def leaves(status=0):
		    expect(LEFT)
		    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status
		    assert termios.tcgetattr(tty) == before
		$1
	END
}

# compile NAME [OPTION...]: compile the C source on standard input to $folder/NAME
compile()
{
	gcc -O0 -g "${@:2}" -x c -o "$folder/$1" -
}
