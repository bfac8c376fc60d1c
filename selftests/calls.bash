# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The frames that gdb, eu-stack and cpctl find in a core, $folder/core of $program,
# in one format that tests can compare. Sourced after tap.bash.
: "${folder:?}" "${program=}"

# gdb_names: the functions of gdb's backtrace of the core, one per line
gdb_names()
{
	gdb -batch -nx -iex 'set auto-load off' -ex bt "$program" "$folder/core" \
		>"$folder/gdb" 2>"$folder/gdb.errors" </dev/null
	# gdb prints the innermost frame twice: when it loads the core, and by bt.
	sed -n 's/^#\([0-9]*\)  *\(0x[0-9a-f]* in \)\{0,1\}\([^ ]*\) (.*/\1 \3/p' \
		"$folder/gdb" | awk 'NR == 1 && $1 == 0 { next } { print $2 }'
}

# gdb_addresses: the addresses in gdb's backtrace; inlined frames have none
gdb_addresses()
{
	sed -n 's/^#[0-9]*  *0x0*\([0-9a-f]*\) in .*/0x\1/p' "$folder/gdb" |
		tail -n +2
}

# eu_stack: lines of "ADDRESS NAME" of the first thread, including inlined functions
eu_stack()
{
	eu-stack -n 0 -i --core "$folder/core" -e "$program" >"$folder/eu" \
		2>"$folder/eu.errors" </dev/null || :
	awk '/^TID /  && nr++ { exit } { print }' "$folder/eu" |
		sed -n 's/^#[0-9]*  *0x0*\([0-9a-f]*\) *\([^ @]*\).*/0x\1 \2/p'
}

# frames THREAD: from the JSON of cpctl bt, lines of "ADDRESS NAME": the backtrace of the
# thread, or the first one if THREAD is empty
frames()
{
	python3 -IS -c '
import json, sys
for line in sys.stdin:
    bt = json.loads(line)
    if sys.argv[1] in ("", str(bt.get("thread"))):
        break
else:
    sys.exit("no such thread")
assert bt["type"] == "backtrace", bt
for f in bt["frames"]:
    assert f["inlined"] == ("function" in f), f
    name = f["function"] if f["inlined"] else f.get("symbol", {}).get("name", "?")
    print(f["pc"], name)' "$1"
}

# complete: the backtrace in the file json reached the outermost frame
complete()
{
	grep -q '"complete":true}$' "$folder/json"
}

# same WHAT WANTED GOT
same()
{
	[ "$2" = "$3" ] || {
		printf '# %s: wanted: %s\n# got:    %s\n' "$1" "$2" "$3"
		return 1
	}
}
