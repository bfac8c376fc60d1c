# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# All of Debian, beside the release that this machine runs: what is newest there
# can be fetched, and is never installed. To be sourced by scripts/setup.
#
# apt gets a configuration of its own, in the cache: the machine's mirror and all
# its other settings, but other suites, and its own lists and state. Signatures
# are checked as ever.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

archive_folder=$cache/archive

# archive apt-get|apt-cache ARGUMENT...
archive()
{
	"$1" -o "Dir::Etc::SourceList=$archive_folder/sources.list" \
		-o Dir::Etc::SourceParts=- \
		-o "Dir::State=$archive_folder" \
		-o "Dir::State::status=$archive_folder/status" \
		-o "Dir::Cache=$archive_folder/cache" \
		-o APT::Sandbox::User= "${@:2}"
}

# debian_mirror: where this machine's own Debian comes from; not its security updates
debian_mirror()
{
	# shellcheck disable=SC2016 # for apt to expand
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' | sed -n 1p | grep . ||
		die "apt knows no mirror of Debian; try apt-get update as root"
}

archive_update()
{
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror suite

	mirror=$(debian_mirror)

	mkdir -p "$archive_folder"/lists/partial "$archive_folder"/cache/archives/partial
	# Nothing is installed as far as this apt knows.
	: >"$archive_folder/status"
	# By the releases' own names where mirrors have those fresher than the aliases.
	for suite in trixie-backports sid experimental; do
		echo "deb [signed-by=$keys] $mirror $suite main"
	done >"$archive_folder/sources.list"
	quietly archive apt-get -q update
}
