# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Fetches Debian's kernels, and unpacks them in the cache with the layout that
# scripts/kernel describes. Sourced by scripts/setup.

. "$(dirname "${BASH_SOURCE[0]}")/archive.bash"

# The prefix of apt commands: "command" for this machine's own suites, "archive" for
# those of archive.bash.
from="command"

# newest_release NAME: print the newest release of a kernel that scripts/kernel calls NAME
newest_release()
{
	local flavour=amd64

	case $1 in
	*-rt)	flavour=rt-amd64 ;;
	esac
	case $1 in
	newest)
		"$from" apt-cache pkgnames linux-image- |
			sed -n 's/^linux-image-\([0-9.]*+deb[0-9]*-amd64\)$/\1/p'
		;;
	6.1 | 6.1-rt)
		# The meta package depends on the newest release.
		"$from" apt-cache depends "linux-image-$flavour" |
			sed -n 's/.*Depends: linux-image-\(6\.1\..*\)/\1/p'
		;;
	*)
		"$from" apt-cache pkgnames "linux-image-${1%-rt}." |
			sed -n "s/^linux-image-\([0-9.]*+deb12-$flavour\)$/\1/p"
		;;
	esac | sort -V | tail -n 1
}

candidate_version()
{
	"$from" apt-cache policy "linux-image-$1" | sed -n 's/^ *Candidate: //p'
}

# unpack_vmlinux BZIMAGE FILE: extract the ELF file from a bzImage. QEMU starts it
# directly, which saves the guest the decompression. The offsets are those of the x86
# boot protocol.
unpack_vmlinux()
{
	local start length magic unpack

	boot_number()
	{
		od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
	}

	start=$((($(boot_number "$1" 0x1f1 1) + 1) * 512 + $(boot_number "$1" 0x248 4)))
	length=$(boot_number "$1" 0x24c 4)
	magic=$(od -An -v -t x1 -j "$start" -N 4 "$1" | tr -d ' ')
	case $magic in
	fd377a58)	unpack="xz -dc --single-stream" ;;
	28b52ffd)	unpack="zstd -dcq" ;;
	1f8b*)		unpack="gzip -dc" ;;
	*)		die "$1 is compressed in an unknown way ($magic)" ;;
	esac
	# The payload ends with its uncompressed size, which some decompressors
	# report as trailing garbage: ignore their exit status.
	tail -c "+$((start + 1))" "$1" | head -c "$length" | $unpack >"$2" 2>/dev/null || :
	[ "$(head -c 4 "$2" | tail -c 3)" = ELF ] || die "cannot unpack $1"
}

# own_libraries FOLDER: make the programs in the current folder, from a newer Debian,
# use the libraries of that Debian, which will be in FOLDER
own_libraries()
{
	local program libraries=$1/usr/lib/x86_64-linux-gnu

	find usr/bin usr/libexec usr/lib/linux-kbuild-* -type f | while read -r program; do
		# Only programs have an interpreter; the rest are scripts and libraries.
		if patchelf --print-interpreter "$program" >/dev/null 2>&1; then
			patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" \
				--force-rpath --set-rpath "$libraries" "$program"
		fi
	done
}

# download_kernel RELEASE: download its packages into the current folder
download_kernel()
{
	local parts

	mapfile -t parts < <(
		"$from" apt-cache depends "linux-image-$1" "linux-headers-$1" |
			sed -n 's/.*Depends: \(linux-\(binary\|modules\|headers\|kbuild\)-.*\)/\1/p')
	download_packages "linux-image-$1" "linux-headers-$1" "${parts[@]}"
	[ "$from" = archive ] || return 0
	# The compiler of the newer Debian, with its dependencies.
	mkdir partial
	quietly "$from" apt-get -q -y --no-install-recommends --download-only \
		-o "Dir::Cache::archives=$PWD" install "linux-headers-$1"
}

# shape_kernel RELEASE FINAL: give the unpacked packages in the current folder the
# layout that scripts/kernel describes; the folder will be moved to FINAL
shape_kernel()
{
	local headers=usr/src/linux-headers-$1 image=boot/vmlinuz-$1

	rm -rf usr/share
	# Newer packages keep the kernel below /usr/lib/modules, not in /boot.
	if [ -d usr/lib/modules ]; then
		mkdir -p lib
		mv usr/lib/modules lib
		image=lib/modules/$1/vmlinuz
	fi
	# The packages use absolute paths, but they are not installed there.
	# shellcheck disable=SC2016 # for make to expand
	sed -i 's:/usr/src/:$(dir $(lastword $(MAKEFILE_LIST)))../:' "$headers/Makefile"
	rm -f "lib/modules/$1/source"
	ln -sfn "../../../$headers" "lib/modules/$1/build"
	if [ "$from" = archive ]; then
		own_libraries "$2"
		sed -i "1i export PATH := $2/usr/bin:\$(PATH)" "$headers/Makefile"
	fi
	depmod -b . "$1"
	unpack_vmlinux "$image" vmlinux
	echo "$1" >release
}

# fetch_kernel RELEASE VERSION: unpack the kernel in a temporary folder, and move it to
# its place in the cache when it is complete
fetch_kernel()
{
	local release=$1 version=$2 final=$cache/kernels/$1 work deb

	say "fetching kernel $release ($version)"
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT

	mkdir "$work/debs" "$work/kernel"
	(cd "$work/debs" && download_kernel "$release")
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$work/kernel"
	done
	(cd "$work/kernel" && shape_kernel "$release" "$final")
	echo "$version" >"$work/kernel/package-version"
	mkdir -p "$cache/kernels"
	rm -rf "$final"
	mv "$work/kernel" "$final"
	rm -rf "$work"
	trap - EXIT
}

# setup_kernels NAME...: fetch the kernels that the cache lacks
setup_kernels()
{
	local name release version from

	for name; do
		if [ -z "$upgrade" ] && "$top/scripts/kernel" "$name" >/dev/null 2>&1; then
			continue
		fi
		case $name in
		newest)	from=archive; archive_update ;;
		*)	from="command"; apt_update ;;
		esac
		release=$(newest_release "$name")
		[ -n "$release" ] ||
			die "apt offers no $name kernel; try apt-get update as root"
		version=$(candidate_version "$release")
		if [ "$(cat "$cache/kernels/$release/package-version" 2>/dev/null)" != "$version" ]; then
			fetch_kernel "$release" "$version"
		fi
		[ "$name" != newest ] || ln -sfn "$release" "$cache/kernels/newest"
	done
}
