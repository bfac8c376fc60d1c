#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # busybox; settings are in another file
#
# /init of the guest's initramfs: mounts the host's files as the root file system,
# writable in memory only, and executes guest.sh.

PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# There is no udev to make these.
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr

# The names are numbered in the order of their dependencies.
for module in /modules/*.ko; do
	[ ! -e "$module" ] || insmod "$module"
done

# visible, fresh, shares
# shellcheck disable=SC1091
. /vm/settings

transport=trans=virtio,version=9p2000.L,msize=512000

# cache=loose: the guest need not see later changes of the host's files.
mkdir /host /memory /view /new
mount -t 9p -o "ro,$transport,cache=loose" root /host
mount -t tmpfs tmpfs /memory
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work \
	overlay /new
mount --bind /new /view

mount -t proc proc /new/proc
mount -t sysfs sysfs /new/sys
mount --move /dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /new/dev/pts
for folder in $fresh; do
	mount -t tmpfs -o mode=1777 tmpfs "/new$folder"
done
chmod 755 /new/run

# Mount the folders that the command needs, if a fresh folder covers them.
for folder in $visible; do
	for cover in $fresh; do
		case $folder/ in
		"$cover"/*)
			mkdir -p "/new$folder"
			mount --bind "/view$folder" "/new$folder"
			;;
		esac
	done
done

# Host and guest both write to these folders, so neither may cache them.
index=0
for folder in $shares; do
	mkdir -p "/new$folder"
	mount -t 9p -o "$transport,cache=mmap" "share$index" "/new$folder"
	index=$((index + 1))
done

mkdir -p /new/run/vm/bin
cp /bin/busybox /vm/* /new/run/vm/
exec switch_root /new /run/vm/busybox sh /run/vm/guest.sh
