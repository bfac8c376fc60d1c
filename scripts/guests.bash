# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Runs selftests in several VMs, and on this machine, at the same time: as many runs
# as there are processors, or $JOBS. Prints their output one after the other, and then
# the totals. Sourced after common.bash, in $top:
#
#	guest NAME VM-OPTION... -- COMMAND...	start a run in a VM
#	on_host NAME COMMAND...			start a run on this machine
#	guests_finish				wait for the runs, print their output
#	guests_table				print a line for each run
#	guests_total				print the totals; fail if a run failed
#
# A run without a verdict counts as a failure: after a crash, a warning of the kernel,
# or a deadline.
: "${top:?}"

guest_names=() guest_pids=() guest_rows=() guest_remarks=()
passed=0 failed=0 skipped=0
# Folder of the runs' logs, and of files with their exit status.
logs=build/test

guests_begin()
{
	local slot

	mkdir -p "$logs"
	# A pipe with one token for each run that may be active.
	slots=$(mktemp -u)
	mkfifo "$slots"
	exec 7<>"$slots"
	rm "$slots"
	for ((slot = ${JOBS:-$(nproc)}; slot > 0; slot--)); do
		echo >&7
	done
	# Job control puts each run in a process group, which guests_stop() kills.
	set -m
	trap guests_stop EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

guests_stop()
{
	local pid

	for pid in "${guest_pids[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || :
	done
}

# on_host NAME COMMAND...
on_host()
{
	local name=$1 log=$logs/$1.log

	shift
	[ ${#guest_pids[@]} -gt 0 ] || guests_begin
	: >"$log"
	rm -f "$log.status"
	(
		status=0
		read -r -u 7
		"$@" >"$log" 2>&1 7>&- || status=$?
		echo "$status" >"$log.status"
		echo >&7
	) &
	guest_names+=("$name")
	guest_pids+=($!)
}

# guest NAME VM-OPTION... -- COMMAND...
guest()
{
	on_host "$1" selftests/vm/run "${@:2}"
}

# guest_result NAME: add the results in the run's log to the totals
guest_result()
{
	local log=$logs/$1.log totals pass fail skip status verdict=ok

	status=$(cat "$log.status" 2>/dev/null || echo none)
	totals=$(sed -n 's/^# Totals: pass:\([0-9]*\) fail:\([0-9]*\) skip:\([0-9]*\)$/\1 \2 \3/p' \
		"$log" | tail -n 1)
	read -r pass fail skip <<<"${totals:-0 0 0}"
	[ "$fail" -eq 0 ] || verdict=failed
	# Names of cases, and what they printed: the summary of selftests/run.
	mapfile -t -O ${#guest_remarks[@]} guest_remarks < <(
		sed -nE "s/^# ((failed|unstable|not run): )/$1: \1/p; s/^# (  > )/\1/p" "$log")
	# The exit status must be 1 if tests have failed, else 0.
	if [ -z "$totals" ] || [ "$status" != $((fail > 0)) ]; then
		verdict="the run ended with status $status"
		echo "# $1: $verdict"
		fail=$((fail + 1))
		mapfile -t -O ${#guest_remarks[@]} guest_remarks < <(
			echo "$1: failed: $verdict"
			tail -n 15 "$log" | cut -c -200 | sed 's/^/  > /')
	fi
	guest_rows+=("$(printf '%-32s %6d %6d %7d  %s' "$1" "$pass" "$fail" "$skip" "$verdict")")
	passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
	[ "$fail" -eq 0 ]
}

# guests_finish: print the output of the runs in order, each while it is running
guests_finish()
{
	local index name verdict

	echo "KTAP version 1"
	echo "1..${#guest_names[@]}"
	for index in "${!guest_names[@]}"; do
		name=${guest_names[index]}
		tail -n +1 -f --pid="${guest_pids[index]}" "$logs/$name.log" |
			sed -u 's/^/  /' || :
		wait "${guest_pids[index]}" || :
		verdict=
		guest_result "$name" || verdict="not "
		echo "${verdict}ok $((index + 1)) $name"
	done
	guest_names=() guest_pids=()
}

# guests_table: print the results of each run
guests_table()
{
	printf '# %-32s %6s %6s %7s  %s\n' kernel passed failed skipped verdict
	printf '# %s\n' "${guest_rows[@]}"
}

# guests_total: print the totals; succeed if all runs have succeeded
guests_total()
{
	[ ${#guest_remarks[@]} -eq 0 ] || printf '# %s\n' "${guest_remarks[@]}"
	[ $skipped -eq 0 ] || echo "# $skipped skipped"
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ] && [ $passed -gt 0 ]
}
