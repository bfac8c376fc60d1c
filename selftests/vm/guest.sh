#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # busybox; settings are in another file
#
# The guest's process 1 once the host's files are mounted: loads the module, runs the
# command, unloads the module, reports the verdict, and stops QEMU.

/run/vm/busybox --install -s /run/vm/bin
PATH=/run/vm/bin

# release, modules, module, coverage, tty, nonce, tools
# shellcheck disable=SC1091
. /run/vm/settings
# From here on, only this shell knows the nonce, so no test can forge a verdict.
rm /run/vm/settings

# port NAME: print the device of a virtio port
port()
{
	local entry

	for entry in /sys/class/virtio-ports/*; do
		if [ "$(cat "$entry/name" 2>/dev/null)" = "$1" ]; then
			echo "/dev/${entry##*/}"
		fi
	done
}

verdict=$(port verdict)

# finish STATUS WORD: write the verdict and stop QEMU by its exit device. After a crash
# of the kernel, neither happens.
finish()
{
	echo "$nonce $1 $2" >"$verdict"
	printf '\020' | dd of=/dev/port bs=1 seek=$((0xf4)) conv=notrunc 2>/dev/null
	sleep 60
}

# find_leaks: scan for memory without references, on kernels with kmemleak. A leak is
# reported in the kernel's log, which makes the run fail.
leaks=/sys/kernel/debug/kmemleak
find_leaks()
{
	# kmemleak ignores young objects, and RCU may free others: scan twice.
	echo scan >$leaks
	sleep 6
	echo scan >$leaks
	head -n 100 $leaks
}

mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
hostname checkpoint-vm
ip link set lo up

# Login shells reset PATH.
mkdir -p /etc/profile.d
echo "PATH=$tools:\$PATH" >/etc/profile.d/checkpoint-vm.sh

# modprobe looks for the kernel's modules here.
mkdir -p "/lib/modules/$release"
mount --bind "$modules" "/lib/modules/$release"

if [ -n "$tty" ]; then
	output=/dev/hvc0
	# The terminal keeps its size while it is open.
	exec 3<>$output
	# selftests/vm/run sends the size of the host's terminal whenever it changes.
	while read -r rows columns; do
		stty rows "$rows" cols "$columns" <&3
	done <"$(port size)" &
else
	# A pipe rather than the port: the port can be opened only once, but programs
	# may open /dev/stderr.
	output=/run/vm/output
	mkfifo $output
	cat $output >"$(port output)" &
	drain=$!
	# An open writer keeps the drain from ending with the first program.
	exec 3>$output
fi

[ ! -e $leaks ] || echo scan=off >$leaks

# selftests/vm/run ignores messages of the kernel before this line.
echo '<5>checkpoint-vm: start' >/dev/kmsg
if [ -n "$module" ] && ! insmod "$module" >$output 2>&1; then
	dmesg | tail -n 5 >$output
	finish 125 not-loaded
fi

# Not as a background command, which would ignore SIGINT and SIGQUIT.
if [ -n "$tty" ]; then
	setsid -c sh /run/vm/command <>$output >&0 2>&1 3>&-
else
	setsid sh /run/vm/command </dev/null >$output 2>&1 3>&-
fi
status=$?

# Processes that the command has left would keep the module busy and the pipe open.
# Kill all processes with a session: kernel threads and this shell have none.
for attempt in 1 2 3 4 5; do
	[ $attempt = 1 ] || sleep 0.2
	left=$(cat /proc/[0-9]*/stat 2>/dev/null |
		sed -n 's/^\([0-9]*\) .*) [^Z] [0-9]* [0-9]* [1-9][0-9]* .*/\1/p')
	[ -n "$left" ] || break
	# shellcheck disable=SC2086
	kill -KILL $left 2>/dev/null
done

word="done"
if [ -n "$module" ]; then
	attempt=0
	while [ -e /sys/module/checkpoint ] && ! rmmod checkpoint 2>/dev/null; do
		attempt=$((attempt + 1))
		if [ $attempt = 50 ]; then
			word=stuck
			echo "<3>checkpoint-vm: module still in use" >/dev/kmsg
			break
		fi
		sleep 0.1
	done
fi

if [ -n "$module" ] && [ -e $leaks ]; then
	find_leaks >$output
fi
if [ -n "$coverage" ]; then
	# Only the module is built with gcov.
	find /sys/kernel/debug/gcov -name '*.gcda' -exec cp {} "$coverage" \;
fi

if [ -z "$tty" ]; then
	exec 3>&-
	wait "$drain"
fi
finish $status $word
