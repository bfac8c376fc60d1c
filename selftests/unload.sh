#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Loading and unloading the module: unloading is refused while the module is in use, and
# otherwise leaves nothing.
. "$(dirname "$0")/tap.bash"

refcnt=/sys/module/checkpoint/refcnt

# load: load the module from the file from which selftests/vm/run has loaded it; the
# runner unloads it after the tests
load()
{
	insmod "${CHECKPOINT_KO:?}"
}

unused()
{
	[ "$(cat $refcnt)" -eq 0 ]
}

start_spinner()
{
	(while :; do :; done) &
	slave=$!
}

pair_for_long()
{
	cpctl get "$1" -n 1000000000 >"$folder/pair" 2>&1 &
	master=$!
	eventually test -s "$folder/pair"
}

test_idle_unloads_and_loads()
{
	eventually unused
	rmmod checkpoint
	[ ! -e /dev/checkpoint ]
	[ ! -e /sys/module/checkpoint ]
	load
	[ -c /dev/checkpoint ]
}

test_refused_while_the_device_is_open()
{
	exec 5<>/dev/checkpoint
	fails 1 rmmod checkpoint
	exec 5>&-
	eventually unused
}

test_refused_while_a_pair_lives()
{
	start_spinner
	pair_for_long $slave
	fails 1 rmmod checkpoint
	kill $master
	wait $master || :
	# The spinner's hook is removed at its next return to user mode.
	eventually unused
	kill $slave
	rmmod checkpoint
	load
}

test_unloads_after_a_sleeping_slave_was_let_go()
{
	# The slave's task work stays queued, and the module in use, until it wakes.
	sleep 1000 &
	slave=$!
	eventually in_sleep $slave
	fails 2 cpctl get --no-nudge --timeout 1 $slave
	fails 1 rmmod checkpoint
	kill $slave
	wait $slave || :
	eventually unused
	rmmod checkpoint
	load
}

test_unloads_at_once_when_the_last_pair_is_over()
{
	local i end=$((SECONDS + 30))

	# Races rmmod with a task work that has dropped its reference but still runs:
	# on kernels that take long for each round, a few times only.
	for ((i = 0; i < 3 || (i < 20 && SECONDS < end); i++)); do
		start_spinner
		cpctl get $slave -n 3 >/dev/null
		eventually rmmod checkpoint 2>/dev/null
		load
		kill $slave
		wait $slave || :
	done
}

test_a_loop_leaves_nothing()
{
	local before after i end=$((SECONDS + 30))

	before=$(grep -c . /proc/kallsyms)
	for ((i = 0; i < 3 || (i < 30 && SECONDS < end); i++)); do
		rmmod checkpoint
		load
	done
	after=$(grep -c . /proc/kallsyms)
	[ "$before" -eq "$after" ]
	[ "$(grep -c '\[checkpoint\]' /proc/modules || :)" -eq 0 ]
}

test_second_one_by_another_name_is_refused()
{
	# Changes the module's name in struct module: an array of 56 bytes after 24
	# zero bytes; the greedy pattern finds the last match.
	perl -0777 -pe 's/(.*\0{24}checkpoin)t(\0{46})/$1s$2/s' "$CHECKPOINT_KO" \
		>"$folder/other.ko"
	fails 1 cmp -s "$CHECKPOINT_KO" "$folder/other.ko"
	fails 1 insmod "$folder/other.ko" 2>"$folder/errors"
	# Newer kernels replace a module's EEXIST, which would mean "already loaded".
	grep -qE 'File exists|Device or resource busy' "$folder/errors"
	[ ! -e /sys/module/checkpoins ]
	# The first module still works.
	cpctl check >/dev/null
	cpctl get $$ >/dev/null
}

# refused COMMANDS: in a shell that sees a /proc of its own, and then loads
refused()
{
	# shellcheck disable=SC2016 # for that shell
	fails 1 unshare --mount --propagation private bash -c "$1"'
		exec insmod "$CHECKPOINT_KO"' 2>/dev/null
	[ ! -e /sys/module/checkpoint ]
}

# Where /proc/PID/mem is not the kernel's, nothing proves access: the module is not loaded.
test_not_loaded_where_nothing_proves_access()
{
	rmmod checkpoint
	refused 'umount --lazy /proc;'
	refused 'mount -t tmpfs none /proc; mkdir /proc/self; >/proc/self/mem;'
	# Other files, other memory, and one that is open to all.
	refused 'mount --bind /proc/$$/auxv /proc/$$/mem;'
	refused 'mount --bind /proc/1/mem /proc/$$/mem;'
	refused 'mount --bind /proc/$$/mem /proc/1/mem;'
	refused 'mount --bind /dev/null /proc/1/mem;'
	refused 'mount --bind /proc/$$/mem /proc/$$/auxv;'
	load
}

test_bad_parameters_are_refused()
{
	rmmod checkpoint
	fails 1 insmod "$CHECKPOINT_KO" stack_default=0
	fails 1 insmod "$CHECKPOINT_KO" stack_default=8192 stack_max=4096
	[ ! -e /dev/checkpoint ]
	load stack_default=65536
}

tap_run "$@"
