#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Real programs as slaves: they behave as without a master, and the master can take
# every checkpoint from their start to their end.
. "$(dirname "$0")/tap.bash"

# same COMMAND...: the command must have the same output and exit status alone and as
# a slave
same()
{
	local alone=0

	cd "$folder"
	"$@" >alone 2>alone.errors || alone=$?
	cpctl run --json --stack-bytes 64 -o checkpoints -- "$@" \
		>paired 2>paired.errors
	grep "exit status $alone\$" paired.errors
	sed -i '/^cpctl: /d' paired.errors
	[ -s alone ]
	cmp alone paired
	cmp alone.errors paired.errors
	no_gap checkpoints
}

# no_gap FILE: the checkpoints must be numbered from 1 without a gap, and be at least a
# hundred
no_gap()
{
	sed -n 's/^{"type":"checkpoint","seq":\([0-9]*\),.*/\1/p' "$1" |
		awk '$1 != NR { bad = 1 } END { print "# " NR " checkpoints"; exit bad || NR < 100 }'
}

test_interpreter()
{
	same python3 -IS -c '
import hashlib, json
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(json.dumps([fib(n) for n in range(12)]))
print(hashlib.sha256(b"x" * 100000).hexdigest())'
}

test_interpreter_with_signals_and_children()
{
	same python3 -IS -c '
import os, signal, time
hits = []
signal.signal(signal.SIGALRM, lambda *a: hits.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
end = time.monotonic() + 1
while time.monotonic() < end or len(hits) < 10:
    time.sleep(0.001)
signal.setitimer(signal.ITIMER_REAL, 0)
print("hits", len(hits) >= 10)
pid = os.fork()
if pid == 0:
    os._exit(7)
print("child", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))'
}

test_database_shell()
{
	same sqlite3 :memory: '
create table t(a integer primary key, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300)
insert into t select i, hex(i * 7919) from n;
create index x on t(b);
select count(*), sum(a), min(b), max(b) from t;
select b from t where a % 50 = 0 order by b;'
}

test_compiler()
{
	printf '%s\n' 'static int sq(int x) { return x * x; }' \
		'int main(int argc, char **argv) { return sq(argc); }' \
		>"$folder/source.c"
	# cc1 itself: the driver, gcc, would only start it as a child.
	same "$(gcc -print-prog-name=cc1)" -quiet -O2 -o - "$folder/source.c"
}

test_program_that_fails()
{
	# Without times, which could differ between the two runs.
	same ls -l --time-style=+ /proc/self/environ /does/not/exist
}

tap_run "$@"
