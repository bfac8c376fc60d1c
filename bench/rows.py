# SPDX-License-Identifier: GPL-2.0-only
"""The rows of the benchmark, and how each is measured."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SIZES = (1, 8, 64, 512)
PAIRS = (1, 8, 64, 512)
STATES = {
    "absent": "module absent",
    "loaded": "module loaded",
    "pairs": "pairs running",
}
BYSTANDERS = {
    "null": "null system call",
    "fork": "fork + exit",
    "switch": "context switch",
}
MODES = {
    "none": "unpaired",
    "record": "recorded",
    "limit": "recorded, at most 1000/s",
    "wait": "paired with a fast master",
}

# Rows of one line each, with a column for each size of the stack.
BY_SIZE = (
    # name, CPUs, title
    ("rendezvous", 2, "rendezvous, two CPUs"),
    ("rendezvous", 1, "rendezvous, one CPU"),
    ("recorder", 1, "recorder, cost to the slave"),
    ("ptrace-syscall", 2, "ptrace, each system call, two CPUs"),
    ("ptrace-syscall", 1, "ptrace, each system call, one CPU"),
    ("ptrace-interrupt", 2, "ptrace, interrupt, two CPUs"),
    ("ptrace-interrupt", 1, "ptrace, interrupt, one CPU"),
    ("seccomp", 2, "seccomp notification, two CPUs"),
    ("seccomp", 1, "seccomp notification, one CPU"),
    ("perf", 1, "perf sample (at most 63 KiB)"),
    ("memcpy", 1, "memcpy of the bytes"),
    ("words", 1, "rep movsq of the bytes"),
)
COPIES = ("memcpy", "words")
ONCE_BY_SIZE = (
    ("gcore", 1, "gcore"),
    ("criu", 1, "criu dump --leave-running"),
)
TRIPS = (
    ("eventfd", 2, "eventfd round trip, two CPUs"),
    ("eventfd", 1, "eventfd round trip, one CPU"),
    ("futex", 2, "futex round trip, two CPUs"),
    ("futex", 1, "futex round trip, one CPU"),
)
THREADS = (1, 64, 1000)
# Threads of a process that is held, and how many of them compute.
HELD = 64
HELD_BUSY = 8
BY_THREADS = (
    ("process-rendezvous", "rendezvous, one CPU"),
    ("process-recorder", "recorder, cost to the thread"),
)
HOLDS = {
    "get": "hold, registers by CP_IOC_GET",
    "region": "hold, registers read in the region",
    "asleep": "hold with CP_HOLD_ASLEEP, CP_IOC_SLEEPER",
    "ptrace": "ptrace: seize, interrupt, registers, detach",
}
BUSY = {
    0: "all asleep in futex",
    HELD_BUSY: f"{HELD_BUSY} of them compute",
}
GAPS = {
    "none": ("another program runs once", ["true"]),
    "check": ("cpctl check, which leaves it alone", ["cpctl", "check"]),
    "library": ("pair, hold, get, end by the library", []),
    "bt": ("cpctl bt", ["cpctl", "bt", "{}"]),
    "dump": ("cpctl dump", ["cpctl", "dump", "--stack-only", "-o", "-", "{}"]),
}
FAIRNESS = (
    ("fairness", 1, "beside master and slave (a third is fair)"),
    ("fairness/2", 2, "beside a master, its slave elsewhere (a half is fair)"),
)

PYTHON = """
import json, os, tempfile
with tempfile.TemporaryFile("w+") as file:
    for i in range(150):
        file.seek(0)
        json.dump({"round": i, "squares": [n * n for n in range(100)]}, file)
        file.flush()
        file.seek(0)
        json.load(file)
        os.stat("/")
"""
SQL = """
create table t(a integer primary key, b text, c integer);
create index i on t(c);
with recursive n(x) as (select 1 union all select x + 1 from n where x < {rows})
insert into t select x, hex(x * 7919), x * 7919 % 997 from n;
select sum(c) from t where b like '%9%';
update t set c = c + 1 where a % 7 = 0;
select c, count(*) from t group by c order by 2 desc limit 5;
"""


class Failure(Exception):
    """A row could not be measured because of an error."""


class Absent(Exception):
    """A row cannot be measured on this system; the argument is the reason."""


class Row:
    """One figure, which is measured repeatedly."""

    def __init__(self, key, title, measure, period=1, unit="time", value="ns"):
        self.key = key
        self.title = title
        self.measure = measure
        # Measured in the first round, and in every Nth one.
        self.period = period
        self.unit = unit
        self.value = value
        self.samples = []
        self.details = []
        self.absent = None

    def run(self):
        try:
            result = self.measure()
        except Absent as why:
            self.absent = str(why)
            return
        self.samples.append(result.pop(self.value))
        self.details.append(result)


class Plan:
    """All rows, and the settings that they share."""

    def __init__(self, measure, args):
        self.program = measure
        self.ms = args.ms
        self.module = args.module
        # The instruction clock jumps while a program waits for the host.
        self.by_cpu_time = args.icount is not None
        quick = args.quick
        self.cpus = [args.cpus] if args.cpus else range(1, min(2, os.cpu_count()) + 1)
        self.sizes = (8, 512) if quick else SIZES
        self.pairs = (1, 64) if quick else PAIRS
        self.folder = tempfile.mkdtemp(prefix="checkpoint-bench.")
        self.bystanders = {}
        self.rows = self.size_rows()
        if 2 in self.cpus:
            self.rows += self.gap_rows()
        if 1 in self.cpus:
            self.bystanders = {state: self.bystander_rows(state) for state in STATES}
            self.rows += self.memory_rows() + self.scale_rows()
            self.rows += self.thread_rows(quick) + self.hold_rows()
            self.rows += self.held_rows()
            self.rows += self.program_rows(quick)
            if not quick:
                self.rows += self.outside_rows()

    def all_rows(self):
        return [row for rows in self.bystanders.values() for row in rows] + self.rows

    def close(self):
        shutil.rmtree(self.folder)

    def call(self, name, *args):
        command = [self.program, name, *map(str, args)]
        # With an instruction clock, time passes irregularly: no limit.
        limit = None if self.by_cpu_time else 300
        try:
            done = subprocess.run(command, capture_output=True, text=True,
                                  timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"{name}: no result in {limit} s") from None
        if done.returncode:
            raise Failure(done.stderr.strip() or f"{name}: status {done.returncode}")
        return json.loads(done.stdout)

    def row(self, key, title, *args, **kwargs):
        return Row(key, title, lambda: self.call(*args), **kwargs)

    def size_rows(self):
        """Rows for each size; the rows of COPIES are needed for any number of CPUs."""
        rows = [self.row(f"{name}/{cpus}", title, name, "--cpus", cpus, "--ms", 2 * self.ms)
                for name, cpus, title in TRIPS if cpus in self.cpus]
        rows += [self.row(f"{name}/{cpus}/{kib}", f"{title}, {kib} KiB", name,
                          "--cpus", cpus, "--kib", kib, "--ms", self.ms)
                 for kib in self.sizes for name, cpus, title in BY_SIZE
                 if cpus in self.cpus or name in COPIES]
        rows += [self.row(key, title, "fairness", "--cpus", cpus, "--ms", 500,
                          period=4, unit="share")
                 for key, cpus, title in FAIRNESS if cpus in self.cpus]
        return rows

    def memory_rows(self):
        return [self.row(f"memory/{kib}", f"memory of an idle pair, {kib} KiB",
                         "memory", "--pairs", 256, "--kib", kib, period=8, unit="bytes")
                for kib in self.sizes]

    def scale_rows(self):
        """All pairs on one CPU, for the cost of each; on all CPUs, for the total."""
        rows = []
        for pairs in self.pairs:
            for mode, title in (("wait", "rendezvous"), ("record", "recorder")):
                args = ("scale", "--mode", mode, "--pairs", pairs, "--ms", max(300, 2 * pairs))
                period = 1 if pairs < 64 else 4
                rows.append(self.row(f"scale-{mode}/{pairs}", f"{pairs} pairs, {title}",
                                     *args, "--cpus", 1, period=period))
                if not self.by_cpu_time:
                    rows.append(self.row(f"sum-{mode}/{pairs}",
                                         f"{pairs} pairs, {title}, on all CPUs",
                                         *args, "--cpus", os.cpu_count(), period=4,
                                         unit="rate", value="per_second"))
        return rows

    def thread_rows(self, quick):
        """Pairs with a process, all of whose threads are on one CPU."""
        rows = []
        for threads in THREADS[:2] if quick else THREADS:
            rows.append(self.row(f"process-rendezvous/{threads}",
                                 f"rendezvous, {threads} threads",
                                 "process-rendezvous", "--threads", threads,
                                 "--ms", 2 * self.ms))
            # The scheduler needs seconds to let each of 1,000 busy threads run.
            if threads <= HELD:
                rows.append(self.row(f"process-recorder/{threads}",
                                     f"recorder, {threads} threads",
                                     "process-recorder", "--threads", threads,
                                     "--ms", 500))
        return rows

    def hold_rows(self):
        return [self.row(f"hold-{mode}/{busy}", f"{title}, {what}", "process-hold",
                         "--threads", HELD, "--kib", 1, "--mode", mode, "--ms", self.ms,
                         *(("--busy", busy) if busy else ()))
                for busy, what in BUSY.items() for mode, title in HOLDS.items()]

    def held_rows(self):
        """The time for which a program is held, on one CPU."""
        return [Row(f"held/{name}", f"the time held: {title}",
                    lambda command=command: self.run_gap(command, 1))
                for name, (title, command) in GAPS.items()]

    def gap_rows(self):
        return [Row(f"gap/{name}", f"the longest gap: {title}",
                    lambda command=command: self.run_gap(command, 2), value="longest")
                for name, (title, command) in GAPS.items()]

    def run_gap(self, command, cpus):
        if command and not shutil.which(command[0]):
            raise Absent(f"{command[0]} is not installed")
        return self.call("gap", "--cpus", cpus, "--", *command)

    def bystander_rows(self, state):
        # Forks take long: measure for longer, to have enough of them.
        return [self.row(f"{name}/{state}", f"{title}, {STATES[state]}", name,
                         "--ms", self.ms * (5 if name == "fork" else 1))
                for name, title in BYSTANDERS.items()]

    def program_rows(self, quick):
        """Real programs. A run is long, so they are not measured in each round."""
        data = os.path.join(self.folder, "data")
        script = os.path.join(self.folder, "script.sql")
        with open(self.program, "rb") as file, open(data, "wb") as copy:
            copy.write(file.read(400000))
        with open(script, "w", encoding="ascii") as file:
            file.write(SQL.format(rows=1000 if quick else 4000))
        programs = {
            "python3": ["/usr/bin/python3", "-I", "-S", "-c", PYTHON],
            "gzip": [shutil.which("gzip") or "gzip", "-c", data],
            "sqlite3": [shutil.which("sqlite3") or "sqlite3", "-init", script,
                        os.path.join(self.folder, "db"), ".quit"],
        }
        return [Row(f"{name}/{mode}", f"{name}, {title}",
                    lambda mode=mode, command=command: self.run_program(mode, command),
                    period=4)
                for name, command in programs.items()
                for mode, title in MODES.items()]

    def run_program(self, mode, command):
        if not shutil.which(command[0]):
            raise Absent(f"{command[0]} is not installed")
        database = os.path.join(self.folder, "db")
        if os.path.exists(database):
            os.unlink(database)
        result = self.call("program", "--mode", mode, "--", *command)
        if self.by_cpu_time:
            result["ns"] = result["cpu"]
        return result

    def outside_rows(self):
        commands = {
            "gcore": lambda pid, folder:
                ["gcore", "-o", os.path.join(folder, "core"), str(pid)],
            "criu": lambda pid, folder:
                ["criu", "dump", "-t", str(pid), "-D", folder, "-o", "log",
                 "--leave-running", "--shell-job"],
        }
        return [Row(f"{name}/{cpus}/{kib}", f"{title}, {kib} KiB",
                    lambda name=name, kib=kib: self.run_outside(commands[name], name, kib),
                    period=1000)
                for name, cpus, title in ONCE_BY_SIZE for kib in self.sizes]

    def clock(self):
        """Nanoseconds of real time, or CPU time of the children that have ended."""
        if not self.by_cpu_time:
            return time.monotonic_ns()
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return int((usage.ru_utime + usage.ru_stime) * 1e9)

    def run_outside(self, command, name, kib):
        """Run a program that dumps another process, from start to end."""
        if not shutil.which(name):
            raise Absent(f"{name} is not installed")
        folder = tempfile.mkdtemp(dir=self.folder)
        with subprocess.Popen([self.program, "idle", "--kib", str(kib)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as idle:
            pid = json.loads(idle.stdout.readline())["pid"]
            begin = self.clock()
            done = subprocess.run(command(pid, folder), capture_output=True, text=True,
                                  check=False)
            took = self.clock() - begin
            idle.stdin.close()
        log = os.path.join(folder, "log")
        if done.returncode:
            said = done.stdout + done.stderr
            if os.path.exists(log):
                with open(log, encoding="utf-8", errors="replace") as file:
                    said = "".join(line for line in file if "Error" in line) or said
            raise Absent(said.strip().replace("\n", "; ")[:400] or "it failed")
        size = sum(entry.stat().st_size for entry in os.scandir(folder))
        shutil.rmtree(folder)
        return {"ns": took, "bytes": size}

    # The states in which bystanders are measured.

    def enter(self, state):
        """Enter the state; return the argument for leave()."""
        loaded = os.path.exists("/sys/module/checkpoint")
        if not self.module and (state == "absent" or not loaded):
            raise Absent("--module was not given")
        if state == "absent" and loaded:
            self.tool("rmmod", "checkpoint")
        elif state != "absent" and not loaded:
            self.tool("insmod", self.module)
        return self.hold(2) if state == "pairs" else None

    def hold(self, pairs):
        """Start recorded slaves that wake from time to time, until leave()."""
        hold = subprocess.Popen([self.program, "hold", "--mode", "record",
                                 "--pairs", str(pairs)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        hold.stdout.readline()
        return hold

    @staticmethod
    def leave(hold):
        if hold:
            hold.stdin.close()
            hold.wait()

    @staticmethod
    def tool(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")

    def one_round(self, number, say):
        """Measure each row that is due in this round."""
        for state, rows in self.bystanders.items():
            try:
                hold = self.enter(state)
            except Absent as why:
                for row in rows:
                    row.absent = str(why)
                continue
            for row in rows:
                row.run()
            self.leave(hold)
        for row in self.rows:
            if number % row.period == 0 and not row.absent:
                say(row.title)
                row.run()


def default_program(top):
    """The path of the program measure."""
    path = os.path.join(top, "build", "bench", "measure")
    if not os.access(path, os.X_OK):
        sys.exit("bench: build/bench/measure is missing: run make bench-build")
    return path
