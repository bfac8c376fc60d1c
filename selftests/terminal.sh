#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# cpctl record -f at a terminal: the program has the terminal, its keys and the job control of
# the shell, as without the recorder.
# shellcheck disable=SC2016 # scripts for Python
. "$(dirname "$0")/tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash
. selftests/calls.bash
# shellcheck source=selftests/recordings.bash
. selftests/recordings.bash

# shell SCRIPT: Python, with an interactive shell at a terminal. record() types a command that
# cpctl records with the given options; status() is that of the last command.
shell()
{
	rm -f "$file"
	PS1='ready> ' FILE=$file python3 -IS - <<-END
		import os, pty, re, select, signal, sys, time
		pid, terminal = pty.fork()
		if pid == 0:
		    os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
		all = seen = ""
		def expect(pattern):
		    """Wait for output that matches, and return the match."""
		    global all, seen
		    end = time.monotonic() + 20
		    while True:
		        match = re.search(pattern, seen, re.M)
		        if match:
		            seen = seen[match.end():]
		            return match
		        assert time.monotonic() < end, "no %r in %r" % (pattern, seen)
		        if select.select([terminal], [], [], 0.1)[0]:
		            text = os.read(terminal, 65536).decode().replace("\r", "")
		            all += text
		            seen += text
		def press(keys):
		    os.write(terminal, keys)
		def type(text):
		    os.write(terminal, text.encode() + b"\n")
		def record(command, options="-f"):
		    expect("ready> ")
		    type("cpctl record %s -o \$FILE -- %s" % (options, command))
		    # The echo.
		    expect("-o .FILE.*\n")
		def status():
		    expect("ready> ")
		    type("echo =\$?=")
		    return int(expect("^=(\d+)=").group(1))
		def state(pid):
		    return open("/proc/%d/stat" % pid).read().rsplit(")")[1].split()[0]
		def wait_state(pid, letters):
		    end = time.monotonic() + 60
		    while state(pid) not in letters:
		        assert time.monotonic() < end, state(pid)
		        time.sleep(0.01)
		$1
		# The terminal hangs up.
		os.close(terminal)
		os.waitpid(pid, 0)
	END
}

# ends_of_all: the ends of the processes in the recording
ends_of_all()
{
	cpctl log "$file" | sed -nE 's/^ *\((killed by signal [0-9]+|exit status [0-9]+|it continues)\)$/\1/p' |
		sort
}

# ended REASON...: these are the ends of the processes
ended()
{
	same ends "$(printf '%s\n' "$@")" "$(ends_of_all)"
}

# It receives the signal once, and its recording continues to its end.
test_ctrl_c_is_for_the_program()
{
	shell '
record("python3 -ISc \"import signal, sys, time; got = []; signal.signal(2, lambda *a: (got.append(1), print(len(got), flush=True))); print(0, flush=True); [time.sleep(.1) for i in iter(lambda: len(got), 3)]; sys.exit(7)\"")
for i in range(3):
    expect(r"^(\^C)?%d$" % i)
    press(b"\x03")
expect(r"^(\^C)?3$")
assert status() == 7'
	ended "exit status 7"
}

# Each process that Ctrl-C kills is recorded until then.
test_ctrl_c_kills_the_processes_of_the_job()
{
	shell '
record("python3 -ISc \"import os, signal, time; signal.signal(2, 0); os.fork(); os.fork(); print(0, flush=True); time.sleep(1000)\"")
for i in range(4):
    expect("^0$")
press(b"\x03")
assert status() == 130'
	same processes 4 "$(ends_of_all | grep -c '^killed by signal 2$')"
}

# Ctrl-\ kills the program, not the recorders.
test_ctrl_backslash_is_for_the_program()
{
	shell '
record("sh -c \"ulimit -c 0; echo begun; exec sleep 1000\"")
expect("^begun$")
press(b"\x1c")
expect(": killed by signal 3 ")
assert status() == 131'
	ended "killed by signal 3"
}

# stops OPTION...: the shell gets the terminal back, and fg continues the program
stops()
{
	shell '
record("sh -c \"echo begun; read x; echo got \\$x; exit 3\"", "'"$*"'")
expect("^begun$")
press(b"\x1a")
expect("Stopped")
expect("ready> ")
type("echo here")
expect("^here$")
assert status() == 0
expect("ready> ")
type("fg")
expect("^cpctl record")
type("there")
expect("^got there$")
assert status() == 3'
	ended "exit status 3"
}

test_ctrl_z_stops_the_job()
{
	stops -f
}

test_ctrl_z_stops_the_job_of_a_stream()
{
	stops -f --stream
	stops -f --stream --wait
}

# bg continues the program, which stops again when it reads.
test_job_in_the_background()
{
	shell '
expect("ready> ")
type("cpctl record -f -o $FILE -- sh -c \"echo be\"\"gun; read x; echo got \\$x; exit 3\" &")
expect("begun$")
type("until jobs | grep Stopped; do sleep .1; done")
expect("^.*Stopped")
expect("ready> ")
type("bg")
expect("ready> ")
type("sleep .3; until jobs | grep Stopped; do sleep .1; done")
expect("^.*Stopped")
expect("ready> ")
type("fg")
expect("^cpctl record")
type("here")
expect("^got here$")
assert status() == 3'
	ended "exit status 3"
}

test_program_that_ignores_ctrl_z()
{
	shell '
record("sh -c \"trap : INT; trap '"''"' TSTP; echo begun; read x; echo got \\$x; exit 3\"")
expect("^begun$")
press(b"\x1a")
type("here")
expect("^got here$")
assert status() == 3'
	ended "exit status 3"
}

# It stops and continues by signals from elsewhere; cpctl does the same, not before.
test_program_that_others_stop()
{
	shell '
record("python3 -ISc \"import os, signal; signal.signal(10, lambda *a: os._exit(3)); print(\\\"pid\\\", os.getpid(), flush=True); [signal.pause() for i in iter(int, 1)]\"")
program = int(expect("^pid (\d+)$").group(1))
os.kill(program, signal.SIGSTOP)
expect("Stopped")
expect("ready> ")
type("jobs -p")
cpctl = int(expect("^(\d+)$").group(1))
wait_state(cpctl, "T")
os.kill(program, signal.SIGCONT)
wait_state(cpctl, "SR")
expect("ready> ")
type("fg")
expect("^cpctl record")
os.kill(program, 10)
assert status() == 3'
	ended "exit status 3"
}

# A shell has jobs of its own, and can be suspended.
test_interactive_shell()
{
	shell '
record("env PS1=inner: bash --norc --noprofile --noediting -i")
expect("^inner:")
assert "job control" not in seen, seen
type("sleep 1000")
expect("sleep 1000\n")
time.sleep(.5)
press(b"\x03")
expect("^inner:")
type("sh -c \"echo be\"\"gun; sleep 1000\"")
expect("^begun$")
press(b"\x1a")
expect("Stopped")
expect("inner:")
type("kill %1; wait; echo over")
expect("^over$")
type("suspend")
expect("Stopped.*cpctl record")
expect("ready> ")
type("fg")
expect("^cpctl record")
type("echo in\"\"side")
expect("inside$")
type("exit 5")
assert status() == 5'
	cpctl log "$file" >"$folder/log"
	same shells 1 "$(grep -c '(exit status 5)' "$folder/log")"
	has log "(killed by signal 2"
}

# As sudo and ssh do: the controlling terminal, without echo.
test_password()
{
	shell '
record("python3 -Ic \"import getpass; print(len(getpass.getpass()))\"")
expect("^Password: ")
type("secret")
expect("^6$")
assert "secret" not in seen, seen
assert status() == 0'
	ended "exit status 0"
}

# Lines of progress would disturb what the program draws; a background job may write, even
# where the terminal does not let it.
test_messages_do_not_disturb()
{
	shell '
record("sh -c \"stty tostop; env sh -c :; printf begun; read x; stty -tostop; '"$doomed"'-pie segv main; exit 3\"")
expect("^begun")
time.sleep(2.5)
type("x")
expect("\n")
expect("cpctl: process [0-9]* .doomed-pie. has ended: killed by signal 11")
assert "\x1b" not in all, all
assert status() == 3'
}

test_terminal_that_hangs_up()
{
	shell '
record("sh -c \"echo begun; sleep 1000\"")
expect("^begun$")'
	eventually test -e "$file"
	ended "killed by signal 1"
}

# Ctrl-C still ends the recording of a process that was not started for it, and of daemons
# that the program has left.
test_ctrl_c_ends_other_recordings()
{
	# shellcheck disable=SC2119 # without a prefix
	start_sleeper
	shell '
expect("ready> ")
type("cpctl record -f -o $FILE '"$slave"'")
expect("recording 1 process;")
press(b"\x03")
expect("interrupted")
assert status() == 0'
	ended "it continues"
	kill -0 "$slave"
	stop_slave
	shell '
record("sh -c \"setsid sleep 1000 & echo pid \\$!; exit 4\"")
program = int(expect("^pid (\d+)$").group(1))
expect("recording 1 process;")
press(b"\x03")
expect("interrupted")
assert status() == 4
os.kill(program, 9)'
	ended "exit status 4" "it continues"
}

tap_run "$@"
