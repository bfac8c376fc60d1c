#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `make install` and `make uninstall`: builds and runs the README's example, the
# library's tests with the shared library, and cpctl from the installed files; checks
# that `make uninstall` removes everything. The module is installed as sources for
# dkms, as on a system without a kernel's headers: to build it would take minutes.
. "$(dirname "$0")/tap.bash"

top=$PWD
tree=$folder/tree

make_here()
{
	make -C "$top" SETUP=: "$@" >"$folder/make.log" 2>&1 || {
		sed 's/^/# /' "$folder/make.log"
		return 1
	}
}

# to_tree VERB: run make VERB with a DESTDIR, as packagers do, without kernel headers
to_tree()
{
	make_here "$1" DESTDIR="$tree" PREFIX=/usr KDIR=/no/such/folder
}

# with_tree COMMAND...: run the command such that it finds the files in the DESTDIR
with_tree()
{
	PKG_CONFIG_LIBDIR=$tree/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$tree \
	PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
	LD_LIBRARY_PATH=$tree/usr/lib PATH=$tree/usr/bin:$PATH "$@"
}

flags()
{
	with_tree pkg-config "$@" libcheckpoint
}

# readme_example: print the C program in the README
readme_example()
{
	# shellcheck disable=SC2016 # a fence, no command
	sed -n '/^```c$/,/^```$/{/^```/!p}' "$top/README.md"
}

start_spinner()
{
	(while :; do :; done) &
	slave=$!
	trap 'kill $slave' EXIT
}

# shows_ten COMMAND...: the README's program must print ten checkpoints of a spinner
shows_ten()
{
	start_spinner
	"$@" $slave >"$folder/shown"
	[ "$(grep -cE '^rip [0-9a-f]+ rsp [0-9a-f]+ -> [0-9a-f]+$' \
		"$folder/shown")" -eq 10 ]
	fails 1 grep -E 'rip 0 |rsp 0 ' "$folder/shown"
	kill -0 $slave
}

test_install_to_a_folder()
{
	to_tree install
	(cd "$tree" && find . ! -type d ! -path './usr/src/*' | LC_ALL=C sort) \
		>"$folder/installed"
	diff - "$folder/installed" <<-'END'
		./usr/bin/cpctl
		./usr/include/checkpoint.h
		./usr/include/linux/checkpoint.h
		./usr/include/linux/checkpoint_netlink.h
		./usr/lib/libcheckpoint.a
		./usr/lib/libcheckpoint.so
		./usr/lib/libcheckpoint.so.0
		./usr/lib/modules-load.d/checkpoint.conf
		./usr/lib/pkgconfig/libcheckpoint.pc
		./usr/lib/sysusers.d/checkpoint.conf
		./usr/lib/udev/rules.d/60-checkpoint.rules
		./usr/share/bash-completion/completions/cpctl
		./usr/share/man/man1/cpctl.1
		./usr/share/man/man3/libcheckpoint.3
		./usr/share/man/man4/checkpoint.4
	END
	# The module's sources, for dkms.
	for file in dkms.conf Kbuild module include; do
		diff -r "$file" "$tree"/usr/src/checkpoint-*/"$file"
	done
}

test_modes()
{
	[ -z "$(find "$tree" -type f -perm /0111 ! -name cpctl ! -name '*.so.0' \
		! -path '*/usr/src/*')" ]
	[ "$(stat -c %a "$tree/usr/bin/cpctl")" = 755 ]
	[ -z "$(find "$tree" -perm /022 ! -type l)" ]
}

test_pkg_config()
{
	local version

	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	[ "$(flags --modversion)" = "$version" ]
	[ "$(flags --cflags | xargs)" = "-I$tree/usr/include" ]
	[ "$(flags --libs | xargs)" = "-L$tree/usr/lib -lcheckpoint" ]
	[[ $(flags --static --libs) == *-pthread* ]]
	# The DESTDIR must not appear in the .pc file.
	fails 1 grep -r "$tree" "$tree/usr/lib/pkgconfig"
}

test_shared_library()
{
	readelf -d "$tree/usr/lib/libcheckpoint.so" >"$folder/dynamic"
	grep 'SONAME.*\[libcheckpoint.so.0\]' "$folder/dynamic"
	grep NEEDED "$folder/dynamic" | fails 1 grep -v 'libc\.so'
	# Library, version script and header must have exactly the same functions.
	nm -D --defined-only "$tree/usr/lib/libcheckpoint.so" |
		sed -n 's/.* T \([a-z_]*\)@@LIBCHECKPOINT_0$/\1/p' |
		sort >"$folder/exported"
	sed -n 's/^\t\([a-z_]*\);$/\1/p' tools/lib/libcheckpoint.map |
		sort | diff - "$folder/exported"
	sed -n 's/^[a-z].*\b\(cp_[a-z_]*\)(.*/\1/p' "$tree/usr/include/checkpoint.h" |
		sort -u | diff - "$folder/exported"
	[ "$(nm -D --defined-only "$tree/usr/lib/libcheckpoint.so" |
		grep -vc ' A LIBCHECKPOINT_0')" -eq "$(wc -l <"$folder/exported")" ]
}

test_static_library_keeps_to_its_names()
{
	nm -g --defined-only "$tree/usr/lib/libcheckpoint.a" |
		sed -n 's/.* [A-Z] //p' >"$folder/names"
	[ -s "$folder/names" ]
	fails 1 grep -v '^cp_' "$folder/names"
}

test_readme_example()
{
	readme_example >"$folder/example.c"
	# shellcheck disable=SC2046 # words
	(cd "$folder" && gcc -Wall -Wextra -Werror -o example example.c \
		$(flags --cflags --libs))
	with_tree ldd "$folder/example" | grep "$tree/usr/lib/libcheckpoint.so.0"
	shows_ten with_tree "$folder/example"
	fails 1 with_tree "$folder/example"
	fails 1 with_tree "$folder/example" 1000000000
}

test_readme_example_in_cplusplus()
{
	command -v g++ >/dev/null || skip "there is no g++"
	readme_example >"$folder/example.cpp"
	# shellcheck disable=SC2046 # words
	(cd "$folder" && g++ -std=c++17 -Wall -Wextra -Werror -o example++ \
		example.cpp $(flags --cflags --libs))
	shows_ten with_tree "$folder/example++"
}

# Without a kernel's headers, dkms fails; everything else must be installed.
test_dkms_without_headers()
{
	mkdir -p "$folder/bin"
	printf '#!/bin/sh\necho "$*" >>%s/calls\nexit 21\n' "$folder" >"$folder/bin/dkms"
	chmod +x "$folder/bin/dkms"
	PATH=$folder/bin:$PATH make_here install KDIR=/no/such/folder
	grep -qx 'install checkpoint/.*' "$folder/calls"
	grep -q "install the kernel's headers (linux-headers-$(uname -r))" "$folder/make.log"
	[ -x /usr/local/bin/cpctl ]
	PATH=$folder/bin:$PATH make_here uninstall KDIR=/no/such/folder
}

test_header_is_good_for_all()
{
	local language

	printf '#include <%s.h>\n' checkpoint linux/checkpoint linux/checkpoint_netlink \
		>"$folder/all.c"
	for language in c:c99 c:c11 c:gnu17 c++:c++11 c++:c++20; do
		[[ $language != c++* ]] || command -v g++ >/dev/null || continue
		# shellcheck disable=SC2046 # words
		gcc -x "${language%:*}" -std="${language#*:}" -Wall -Wextra -pedantic \
			-Werror -fsyntax-only $(flags --cflags) "$folder/all.c"
	done
}

# The library's tests must pass with the installed headers and shared library.
test_library_tests_with_the_shared_library()
{
	# shellcheck disable=SC2046 # words
	gcc -std=gnu11 -D_GNU_SOURCE -isystem build/kselftest -pthread \
		-o "$folder/library" selftests/library.c $(flags --cflags --libs)
	with_tree ldd "$folder/library" | grep "$tree/usr/lib/libcheckpoint.so.0"
	with_tree "$folder/library" >"$folder/results" || {
		grep -v '^ok' "$folder/results" | sed 's/^/# /'
		return 1
	}
	grep 'Totals: pass:[1-9][0-9]* fail:0' "$folder/results"
}

test_cpctl_from_there()
{
	[ "$(with_tree bash -c 'command -v cpctl')" = "$tree/usr/bin/cpctl" ]
	fails 1 grep 'libcheckpoint.so' <(ldd "$tree/usr/bin/cpctl")
	with_tree cpctl check >"$folder/check"
	with_tree cpctl run -n 1 true | grep '^checkpoint 1 '
}

test_manual_pages()
{
	local page verb

	for page in "$tree"/usr/share/man/man?/*; do
		[ "$(grep -c '^\.Dt ' "$page")" -eq 1 ]
	done
	# Each option of --help must be in the manual page, where it follows "Fl ".
	grep -o 'Fl -[a-z-]*' "$tree/usr/share/man/man1/cpctl.1" |
		sed 's/^Fl //' | sort -u >"$folder/documented"
	for verb in bt check diff dump end get list log monitor record rewind run show \
		stat watch; do
		with_tree cpctl $verb --help
	done | grep -o -e '--[a-z-]*[a-z]' | sed 's/^-//' | sort -u |
		diff - <(grep -vx -e - "$folder/documented")
}

test_uninstall_from_a_folder()
{
	to_tree uninstall
	[ -z "$(find "$tree" ! -type d)" ]
	[ -z "$(find "$tree/usr/src" -name 'checkpoint*')" ]
}

# everything: list the files in the folders to which a real installation writes
everything()
{
	find /usr/local/{bin,lib,include} /usr/local/share/{man,bash-completion} \
		-maxdepth 3 ! -type d 2>/dev/null | sort || :
	ls /usr/src
}

test_install_for_real()
{
	everything >"$folder/before"
	make_here install KDIR=/no/such/folder
	/usr/local/bin/cpctl check >"$folder/check"
	# The README's command line must find the installed files.
	(cd "$folder" &&
		eval "$(sed -n 's/^    \(cc example.c .*\)/\1/p' "$top/README.md")")
	ldd "$folder/a.out" | grep ' /usr/local/lib/libcheckpoint.so.0 '
	shows_ten "$folder/a.out"
}

test_uninstall_for_real()
{
	make_here uninstall KDIR=/no/such/folder
	everything | diff "$folder/before" -
	fails 127 "$folder/a.out" 1 2>/dev/null
}

tap_run "$@"
