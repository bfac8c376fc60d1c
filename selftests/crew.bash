# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A slave with several threads, whose functions are known: programs/crew.c. Sourced after
# slaves.bash.
# shellcheck disable=SC2034,SC2154 # set in, or for, other files

program=$PWD/build/selftests/crew
names="asleep computing crew deep handler left right"

# start_crew: start the slave, which writes a line "TID NAME" of each thread to the file said
start_crew()
{
	local id name

	: >"$folder/said"
	# Its threads that compute must not slow down the tools.
	nice -n 19 "$program" >"$folder/said" &
	slave_begins $!
	eventually said_all
	while read -r id name; do
		case $name in
		asleep | crew | deep | handler) eventually sleeps "$id" ;;
		esac
	done <"$folder/said"
}

said_all()
{
	[ "$(cut -d ' ' -f 2 "$folder/said" | sort | tr '\n' ' ')" = "$names " ]
}

# thread_of NAME: print the id of the thread
thread_of()
{
	sed -n "s/ $1\$//p" "$folder/said"
}

# wanted_order: print the lines of said, the main thread's first and the others by their ids
wanted_order()
{
	grep "^$slave " "$folder/said"
	grep -v "^$slave " "$folder/said" | sort -n
}
