#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tutorial's programs: each is built as the tutorial says, and prints what the
# tutorial shows.
. "$(dirname "$0")/tap.bash"
. "$(dirname "$0")/slaves.bash"

programs=Documentation/tutorial

test_programs_can_be_built()
{
	make -C $programs O="$folder/built" >"$folder/make.log" 2>&1 || {
		sed 's/^/# /' "$folder/make.log"
		return 1
	}
	for source in "$programs"/*.c; do
		[ -x "$folder/built/$(basename "$source" .c)" ]
	done
}

start_slave()
{
	"$folder/built/slave" &
	slave_begins $!
	eventually grep -q '^slave$' "/proc/$slave/comm"
}

# Addresses differ each time.
without_addresses()
{
	sed 's/0x[0-9a-f]\{2,\}/ADDRESS/g' "$1"
}

# prints PROGRAM [ARGUMENT...]: what is in PROGRAM.expected
prints()
{
	ends 0 "$folder/built/$1" "${@:2}"
	diff <(without_addresses "$programs/$1.expected") \
		<(without_addresses "$folder/out")
}

test_master()
{
	start_slave
	prints master "$slave"
	kill -0 "$slave"
}

test_master_of_no_process()
{
	ends 1 "$folder/built/master"
	has errors 'cp_prep: Invalid argument'
}

test_every_return()
{
	start_slave
	prints every "$slave"
}

test_rendezvous()
{
	start_slave
	prints meet "$slave"
}

test_stack()
{
	start_slave
	prints stack "$slave"
}

test_ends()
{
	prints ends
}

test_death_of_the_master()
{
	prints free
}

test_crash()
{
	prints crash
}

test_each_program_has_a_test()
{
	local source

	for source in "$programs"/*.c; do
		source=$(basename "$source" .c)
		[ "$source" = slave ] || grep -q "^	prints $source\>" "$0"
	done
}

tap_run "$@"
