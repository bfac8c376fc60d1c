#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line of cpctl: what is refused before anything is done. No module is needed.
. "$(dirname "$0")/../tap.bash"
# shellcheck source=selftests/slaves.bash
. selftests/slaves.bash

test_help_and_version()
{
	local verb version

	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	for verb in '' bt check diff dump end get list log monitor record rewind run show stat watch; do
		ends 0 cpctl $verb --help
		has out "Usage: cpctl ${verb:-VERB}"
		[ ! -s "$folder/errors" ]
		ends 0 cpctl $verb --version
		[ "$(cat "$folder/out")" = "cpctl $version" ]
		[ ! -s "$folder/errors" ]
	done
	[ "$(cpctl -h)" = "$(cpctl --help)" ]
	[ "$(cpctl run -h -x)" = "$(cpctl run --help)" ]
	[ "$(cpctl get -V)" = "cpctl $version" ]
}

test_usage_errors()
{
	refuses_usage <<-'END'
		verb is missing|
		'look'|look
		'--json'|--json
		cpctl check: no argument|check 1
		'--full'|check --full
		expected PID, or FILE|get
		expected PID, or FILE|get 1 2
		'1x'|get 1x
		'0'|get 0
		'-1'|get -1
		'2147483648'|get 2147483648
		'0x1'|get 0x1
		argument|get -n
		'0' is not valid for -n|get -n 0 1
		'-1' is not valid for --count|get --count -1 1
		'18446744073709551616'|get -n 18446744073709551616 1
		'-1' is not valid for --timeout|get --timeout -1 1
		'1.'|get --timeout 1. 1
		'99999999999999'|get --timeout 99999999999999 1
		'4k' is not valid for --stack-limit|get --stack-limit 4k 1
		'99999999999G'|get --stack-limit 99999999999G 1
		'x' is not valid for --stack-bytes|get --stack-bytes x 1
		command is missing|run --
		'0'|run -n 0 true
		'--interval'|run --interval 1 true
		expected PID, or FILE|log
		expected PID, or FILE A B|diff
		expected PID, or FILE A B|diff ./1
		expected PID, or FILE A B|diff ./1 1
		'1x'|log 1x
		'x'|diff ./1 -1 x
		'0' is not valid for -n|log -n 0 1
		'0' is not valid for --every|log --every 0 1
		'-1' is not valid for --interval|diff --interval -1 1
		--timeout is for a process, and ./1 is a recording|get --timeout 1 ./1
		--nudge is for a process|log --nudge ./1
		--every is for a process|diff --every 2 ./1 -2 -1
		--count is for a process|diff -n 2 ./1 -2 -1
		--stack-limit is for a process|bt --stack-limit 1 ./1
		--interval is for a process|get ./1 --interval 1
		expected PID|bt
		'--full'|bt --full 1
		'0' is not valid for -n|bt -n 0 1
		expected PID|dump -o core
		'-n'|dump -n 1 1
		'--json'|dump --json 1
		invalid process id 'x'|watch x
		expected PID|watch
		--thread is for one PID|watch --thread 1 2
		--thread is for one PID|watch --thread --name x
		expected one PID|rewind
		expected one PID|rewind 1 2
		invalid process id 'x'|rewind x
		'0' is not valid for -n|rewind -n 0 1
		'0' is not valid for --interval|rewind --interval 0 1
		invalid process id 'x'|list x
		invalid process id '0'|stat 1 0
		invalid process id 'x'|bt 1 x
		invalid process id '-1'|dump 1 -1
		'--name' requires an argument|get --name
		'--thread'|list --thread
		'--name'|run --name x true
		--thread is for a process|get --thread ./x
		--name is for a process|bt --name x ./x
		'0.05'|watch --interval 0.05 1
		'--json'|watch --json 1
	END
	refuses 1 "''" cpctl get ''
	refuses 1 "' 1'" cpctl get ' 1'
	refuses 1 "'' is not valid for --name" cpctl bt --name ''
	refuses 2 "cannot read sshd: No such file or directory; --name sshd selects processes by name" \
		cpctl bt sshd
}

test_limits_of_options()
{
	local verb option value

	refuses_usage <<-'END'
		from 1 to 65536|record --slots 70000 1
		from 1 to 65536|record -s 0 1
		from 1 to 1000000000|record --rate 1000000001 1
		from 1 to 4294967295|record --every 4294967296 1
		from 1 to 18446744073709551615|get --count 0 1
		from 0 to 18446744073709551615|bt --frames 18446744073709551616 1
		from 0 to 1000000000|get --timeout 1000000001 1
		from 0.1 to 1000000000|watch --interval 0.09 1
		from 0.1 to 1000000000|stat --interval 1000000001
		from 1 to 2147483647|get 2147483648
	END
	# And of each option that takes a number.
	for verb in bt check diff dump end get list log monitor record rewind run show stat watch; do
		cpctl $verb --help |
			sed -nE 's/^ *(-., )?(--[a-z-]+) (N|SEC|SIZE) .*/\2/p' >"$folder/options"
		while read -r option; do
			for value in 99999999999999999999 -1 x ''; do
				refuses 1 "expected " cpctl $verb "$option" "$value" 1
				grep -qE 'from [0-9.]+ to [0-9]+' "$folder/errors"
			done
		done <"$folder/options"
		cat "$folder/options"
	done >"$folder/all"
	[ "$(sort -u "$folder/all" | wc -l)" -ge 9 ]
}

tap_run "$@"
