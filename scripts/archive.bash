# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Access to the packages of all Debian suites, not only of the release that this
# machine runs. Packages from other suites are downloaded, never installed. Sourced
# by scripts/setup.
#
# apt gets a separate configuration in the cache: this machine's mirror and settings,
# but other suites, and lists and state of its own. apt still checks signatures.

. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

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

# debian_mirror: print the mirror of this machine's Debian, not of its security updates
debian_mirror()
{
	# shellcheck disable=SC2016 # for apt to expand
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' | sed -n 1p | grep . ||
		die "no Debian mirror in apt's sources; try apt-get update as root"
}

archive_update()
{
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror suite

	mirror=$(debian_mirror)

	mkdir -p "$archive_folder"/lists/partial "$archive_folder"/cache/archives/partial
	# An empty status file: no installed package can satisfy a dependency.
	: >"$archive_folder/status"
	# Code names rather than "testing": some mirrors update those first.
	for suite in trixie-backports sid experimental; do
		echo "deb [signed-by=$keys] $mirror $suite main"
	done >"$archive_folder/sources.list"
	quietly archive apt-get -q update
}
