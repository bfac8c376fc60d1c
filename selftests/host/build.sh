#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make` builds and fetches for a user of the module.
. "$(dirname "$0")/../tap.bash"

# Do not inherit settings from a make that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL K KDIR SETUP

top=$PWD
tree=$folder/tree
mkdir "$tree"
cp -r Kbuild Makefile dkms.conf include module scripts tools "$tree"

# A stub of scripts/setup that writes down the groups it is called with.
cat >"$folder/setup" <<-END
	#!/bin/sh
	printf '%s\n' "\$@" >>"$folder/groups"
END
chmod +x "$folder/setup"

# plain_make BUILD [ARGUMENT...]: run make with BUILD as the running kernel's build
# folder
plain_make()
{
	rm -f "$folder/groups"
	make -C "$tree" SETUP="$folder/setup" RUNNING="$1" "${@:2}" \
		>"$folder/out" 2>"$folder/errors"
}

test_module_of_the_running_kernel()
{
	local kernel

	kernel=$("$top/scripts/kernel" 6.1)
	plain_make "$kernel"/lib/modules/*/build
	[ -f "$tree/build/module/$(cat "$kernel/release")/checkpoint.ko" ]
	[ "$(find "$tree/build/module" -name checkpoint.ko | wc -l)" -eq 1 ]
	[ -x "$tree/build/cpctl/cpctl" ]
}

test_no_kernel_is_fetched()
{
	plain_make /no/such/folder
	[ "$(sort -u "$folder/groups")" = build ]
}

test_kernels_are_fetched_for_a_vm()
{
	make -n -C "$tree" SETUP="$folder/setup" demo | grep -qF "$folder/setup build kernels"
}

test_without_headers_all_else_is_built()
{
	plain_make "/lib/modules/$(uname -r)-other/build"
	grep -q 'no kernel headers in /lib/modules/.*-other/build' "$folder/errors"
	[ -x "$tree/build/cpctl/cpctl" ]
}

test_missing_headers_have_a_package()
{
	# If the headers are installed, make has no message to print.
	[ ! -d "/lib/modules/$(uname -r)/build" ] || skip "the headers are installed"
	make -C "$tree" SETUP="$folder/setup" >"$folder/out" 2>"$folder/errors"
	grep -qF "apt-get install linux-headers-$(uname -r)" "$folder/errors"
}

test_module_alone_needs_the_headers()
{
	fails 2 plain_make /no/such/folder module
}

tap_run "$@"
