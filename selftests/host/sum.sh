#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the last lines of .ci/parts say about tests that have failed, in a copy of the
# scripts whose Makefile runs tests that fail on purpose.
. "$(dirname "$0")/../tap.bash"

unset MAKEFLAGS MFLAGS MAKELEVEL CHECKPOINT_UNTIL
tree=$folder/tree
mkdir -p "$tree/selftests" "$tree/scripts"
cp -r .ci "$tree"
cp selftests/run selftests/tap.bash "$tree/selftests"
cp scripts/common.bash scripts/guests.bash "$tree/scripts"

# Its runs are those of the file runs, which calls guest functions.
cat >"$tree/Makefile" <<-'END'
	demo lint test-debug: ; true
	test: ; bash -euc 'self=test; . scripts/common.bash; cd "$$top"; . scripts/guests.bash; \
			. ./runs; guests_finish; guests_total'
END

# failing NAME: write a test to the copy, whose cases are on standard input
failing()
{
	{
		# shellcheck disable=SC2016 # for the test
		echo '. "$(dirname "$0")/tap.bash"'
		cat
		echo 'tap_run "$@"'
	} | sed '1i #!/bin/bash' >"$tree/selftests/$1"
	chmod +x "$tree/selftests/$1"
}

# parts: run .ci/parts, which must fail; the file end has what follows the last part
parts()
{
	fails 1 "$tree/.ci/parts" >"$folder/out" 2>&1
	sed '1,/^# make test-debug/d' "$folder/out" | tail -n +2 >"$folder/end"
}

# ends_with: the file end must be what standard input says
ends_with()
{
	diff - "$folder/end" | sed 's/^/# /'
	[ "${PIPESTATUS[0]}" -eq 0 ]
}

test_failed_cases_are_explained()
{
	failing one.sh <<-'END'
		test_good()
		{ echo "of another case"; }
		test_bad()
		{ seq 20; echo "the reason"; false; }
		test_good_again()
		{ echo "of another case"; }
		test_worse()
		{ printf '%300s\n' x; false || grep -q 'many
			lines' /dev/null; }
	END
	echo 'on_host here selftests/run one.sh' >"$tree/runs"
	parts
	ends_with <<-END
		# here: failed: one.sh: bad
		$(seq 8 20 | sed 's/^/#   > /')
		#   > the reason
		#   > # selftests/one.sh:6: false
		# here: failed: one.sh: worse
		#   > $(printf '%200s' '')
		#   > # selftests/one.sh:10: grep -q 'many
		5 passed, 2 failed
	END
}

test_unstable_cases_are_explained()
{
	failing one.sh <<-'END'
		test_late()
		{ echo "not yet"; [ -e never ]; }
	END
	failing two.sh <<-'END'
		test_once()
		{ echo "only once"; [ -e once ] || { : >once; false; }; }
	END
	echo 'on_host here selftests/run one.sh two.sh' >"$tree/runs"
	parts
	ends_with <<-END
		# here: failed: one.sh: late
		#   > not yet
		#   > # selftests/one.sh:4: [ -e never ]
		# here: unstable: two.sh: once
		#   > only once
		#   > # selftests/two.sh:4: false
		4 passed, 1 failed
	END
}

test_crashes_are_explained()
{
	failing one.sh <<-'END'
		test_good()
		{ :; }
		test_end()
		{ echo "the end of it"; kill -SEGV $$; }
		test_never()
		{ :; }
	END
	echo 'on_host here selftests/run one.sh' >"$tree/runs"
	echo 'on_host there sh -c "echo a report of the kernel; exit 125"' >>"$tree/runs"
	parts
	ends_with <<-'END'
		# here: failed: one.sh: plan of 3 incomplete, exit status 139
		#   > the end of it
		# there: failed: the run ended with status 125
		#   > a report of the kernel
		4 passed, 2 failed
	END
}

# All names are printed, and as many of the other lines as have room.
test_there_are_not_too_many_lines()
{
	local name

	for name in {1..50}; do
		printf 'test_bad_%s()\n{ seq 9; false; }\n' "$name"
	done | failing one.sh
	echo 'on_host here selftests/run one.sh' >"$tree/runs"
	parts
	[ "$(wc -l <"$folder/end")" -eq 120 ]
	[ "$(grep -c '^# here: failed: one.sh: bad_[0-9]*$' "$folder/end")" -eq 50 ]
	[ "$(sed -n '11,12p' "$folder/end" | tr '\n' ' ')" = \
		"#   > # selftests/one.sh:4: false # here: failed: one.sh: bad_2 " ]
	[ "$(tail -n 1 "$folder/end")" = "3 passed, 50 failed" ]
}

tap_run "$@"
