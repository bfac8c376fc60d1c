#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
The shell of a VM, at a terminal: one session with selftests/vm/run, at a
pseudo-terminal. Prints TAP.
"""
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Seconds; only a VM that hangs takes this long.
DEADLINE = 480


class Session:
    """A shell in a VM, and its output that expect() has not consumed yet."""

    def __init__(self, rows, columns):
        self.text = ""
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            set_size(0, rows, columns)
            os.chdir(TOP)
            os.environ["TERM"] = "dumb"
            os.execv("selftests/vm/run", ["selftests/vm/run"])

    def read(self):
        """Read more output; return False at its end."""
        try:
            data = os.read(self.terminal, 4096)
        except OSError:
            data = b""
        self.text += data.decode(errors="replace").replace("\r", "")
        return bool(data)

    def expect(self, pattern):
        """Wait for output that matches. The watchdog ends the VM, and so the output."""
        while True:
            match = re.search(pattern, self.text, re.M)
            if match:
                self.text = self.text[match.end():]
                return match
            if not self.read():
                raise AssertionError(f"no {pattern!r} in {self.text!r}")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def run(self, command):
        """Run a command; return its output and exit status. The marks around the output
        are quoted in the command, so that the terminal's echo does not match."""
        self.type(f"echo '<'':'; {command}; echo ':''>'$?\n")
        match = self.expect(r"^<:\n((?s:.*?))^:>(\d+)$")
        return match.group(1), int(match.group(2))

    def ended_by(self, key):
        """Press a key while a command runs; return the command's exit status."""
        self.type("sh -c \"echo '<'':'; exec sleep 1000\"\n")
        self.expect(r"^<:\n")
        self.type(key)
        self.type("echo ':''>'$?\n")
        return int(self.expect(r"^:>(\d+)$").group(1))

    def leave(self):
        """Exit from the shell; return the exit status of selftests/vm/run."""
        self.type("exit 7\n")
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def set_size(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


def greeting(session):
    lines = session.expect(r"^Linux (?s:.*?)leaves\n").group(0).splitlines()
    assert len(lines) == 5, lines
    assert "cpctl" in lines[1], lines


def equal(got, wanted):
    assert got == wanted, f"{got!r}, not {wanted!r}"


CPCTL = os.path.join(TOP, "build/cpctl/cpctl") + "\n"


def finds_cpctl(session):
    equal(session.run("command -v cpctl"), (CPCTL, 0))


def finds_cpctl_in_a_login_shell(session):
    equal(session.run("bash -lc 'command -v cpctl'"), (CPCTL, 0))
    equal(session.run("env -i sh -lc 'command -v cpctl'"), (CPCTL, 0))


def what_the_greeting_says_works(session):
    output, status = session.run("cpctl run -n 3 -- ls >/tmp/run; grep -c ^checkpoint /tmp/run")
    equal((output.splitlines()[-1], status), ("3", 0))
    output, status = session.run("cpctl bt $$")
    assert status == 0 and "#0" in output, output
    output, status = session.run("cd /tmp; cpctl record -o r -- ls >/dev/null; "
                                 "cpctl log r | grep -c 'exit status 0'")
    equal((output.splitlines()[-1], status), ("1", 0))


def no_signal_is_ignored(session):
    output, _ = session.run("grep SigIgn /proc/self/status")
    equal(output.split(), ["SigIgn:", "0" * 16])


def ctrl_c_ends_a_command(session):
    equal(session.ended_by("\x03"), 128 + signal.SIGINT)


def ctrl_backslash_ends_a_command(session):
    equal(session.ended_by("\x1c"), 128 + signal.SIGQUIT)


def size_is_that_of_the_terminal(session):
    equal(session.run("stty size"), ("33 101\n", 0))


def size_follows_the_terminal(session):
    set_size(session.terminal, 44, 123)
    session.run("until [ \"$(stty size)\" = '44 123' ]; do sleep 0.1; done")
    # The shell got SIGWINCH, too.
    equal(session.run("echo $LINES $COLUMNS"), ("44 123\n", 0))


def exit_status_is_the_shells(session):
    assert session.leave() == 7


TESTS = [greeting, finds_cpctl, finds_cpctl_in_a_login_shell,
         what_the_greeting_says_works, no_signal_is_ignored, ctrl_c_ends_a_command,
         ctrl_backslash_ends_a_command, size_is_that_of_the_terminal,
         size_follows_the_terminal, exit_status_is_the_shells]


def main():
    session = Session(33, 101)
    # All tests share the session; the watchdog ends it if one of them hangs.
    watchdog = threading.Timer(DEADLINE, os.kill, (session.pid, signal.SIGTERM))
    watchdog.daemon = True
    watchdog.start()
    failed = False
    print(f"TAP version 13\n1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        verdict = "ok"
        try:
            test(session)
        except (AssertionError, OSError) as error:
            print(f"# {test.__name__}: {error}")
            verdict, failed = "not ok", True
        print(f"{verdict} {number} {test.__name__}", flush=True)
    sys.exit(failed)


main()
