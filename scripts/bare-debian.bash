# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Unpacks a minimal Debian 12 into a folder, from an archive in the cache. Sourced by
# scripts/bare-root.

. "$(dirname "${BASH_SOURCE[0]}")/archive.bash"

suite=bookworm

# bare_key: print a hash of everything that determines the archive's contents. apt's
# lists change whenever the mirror does.
bare_key()
{
	{
		cat /var/lib/apt/lists/*InRelease 2>/dev/null || :
		find /etc/apt -type f -exec sha256sum {} + | sort
		cat "${BASH_SOURCE[0]}" /usr/sbin/debootstrap
	} | sha256sum | head -c 16
}

# apt_settings FOLDER: copy this machine's apt settings, and the keys they refer to
apt_settings()
{
	local certificates=etc/ssl/certs/ca-certificates.crt

	rm -f "$1/etc/apt/sources.list"
	cp -a /etc/apt/. "$1/etc/apt/"
	cp -an /usr/share/keyrings/. "$1/usr/share/keyrings/"
	# The mirror may use https.
	[ ! -f "/$certificates" ] || install -D -m 644 "/$certificates" "$1/$certificates"
}

# make_archive FILE WORK: run debootstrap in the folder WORK, and archive the result
make_archive()
{
	local log=$2.log mirror

	apt-get indextargets | grep -q . || apt-get -q update >&2
	mirror=$(debian_mirror)
	say "making a bare Debian 12 from $mirror (once, about a minute)"
	debootstrap --variant=minbase --include=make,git "$suite" "$2" "$mirror" \
		>"$log" 2>&1 || die "debootstrap failed:"$'\n'"$(tail -n 20 "$log")"
	apt_settings "$2"
	rm -f "$2"/var/cache/apt/archives/*.deb
	mkdir -p "${1%/*}"
	# Archives with another key are obsolete.
	rm -f "${1%/*}"/*.tar
	tar -C "$2" --numeric-owner -cf "$1.new" .
	mv "$1.new" "$1"
	rm -rf "$2" "$log"
}

# bare_debian FOLDER: unpack a bare Debian into the folder
bare_debian()
{
	local file name

	file=$cache/bare/$(bare_key).tar
	# The lock keeps two runs from making the same archive.
	mkdir -p "$cache/bare"
	(
		flock 9
		[ -f "$file" ] || make_archive "$file" "$1.work"
		tar -C "$1" --numeric-owner -xpf "$file"
	) 9>"$cache/bare/lock"
	# A machine that reaches its mirror through a proxy may have no resolver.
	for name in /etc/resolv.conf /etc/hosts; do
		[ ! -e "$name" ] || cp -L "$name" "$1/etc/"
	done
}
