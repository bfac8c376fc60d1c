# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Runs of the selftests in VMs or on this machine, as many at a time as there are
# processors ($JOBS), what they print one after the other, and the sum of it all.
# To be sourced after common.sh, in $top:
#
#	guest NAME VM-OPTION... -- COMMAND...	once for each run in a VM
#	on_host NAME COMMAND...			once for each run on this machine
#	guests_finish				wait for them, and print
#	guests_table				a line for each
#	guests_total				the last line, and the verdict
#
# Whatever leaves no verdict counts as a failure: a crash, a warning of the
# kernel, a deadline.
: "${top:?}"

guest_names=() guest_pids=() guest_rows=() guest_remarks=()
passed=0 failed=0 skipped=0
# The logs, each with the exit status beside it.
logs=build/test

guests_begin()
{
	local slot

	mkdir -p "$logs"
	# A token for each VM that may run.
	slots=$(mktemp -u)
	mkfifo "$slots"
	exec 7<>"$slots"
	rm "$slots"
	for ((slot = ${JOBS:-$(nproc)}; slot > 0; slot--)); do
		echo >&7
	done
	# Each run in a process group of its own, so that none outlives us.
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

# guest_result NAME: adds what its log tells
guest_result()
{
	local log=$logs/$1.log totals pass fail skip status verdict=ok

	status=$(cat "$log.status" 2>/dev/null || echo none)
	totals=$(sed -n 's/^# Totals: pass:\([0-9]*\) fail:\([0-9]*\) skip:\([0-9]*\)$/\1 \2 \3/p' \
		"$log" | tail -n 1)
	read -r pass fail skip <<<"${totals:-0 0 0}"
	[ "$fail" -eq 0 ] || verdict=failed
	mapfile -t -O ${#guest_remarks[@]} guest_remarks < <(
		sed -nE "s/^# ((failed|unstable|not run): )/$1: \1/p" "$log")
	# The tests' own failures explain exit status 1; nothing else does.
	if [ -z "$totals" ] || [ "$status" != $((fail > 0)) ]; then
		verdict="the run ended with status $status"
		echo "# $1: $verdict"
		fail=$((fail + 1))
	fi
	guest_rows+=("$(printf '%-32s %6d %6d %7d  %s' "$1" "$pass" "$fail" "$skip" "$verdict")")
	passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
	[ "$fail" -eq 0 ]
}

# guests_finish: the first one's output as it comes, then the others'
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

# guests_table: what each came to
guests_table()
{
	printf '# %-32s %6s %6s %7s  %s\n' kernel passed failed skipped verdict
	printf '# %s\n' "${guest_rows[@]}"
}

# guests_total: succeeds if all did
guests_total()
{
	[ ${#guest_remarks[@]} -eq 0 ] || printf '# %s\n' "${guest_remarks[@]}"
	[ $skipped -eq 0 ] || echo "# $skipped skipped"
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ] && [ $passed -gt 0 ]
}
