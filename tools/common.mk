# SPDX-License-Identifier: GPL-2.0-only
# Settings for the library, cpctl, the benchmark and the tests.

TOP := $(dir $(lastword $(MAKEFILE_LIST)))..
VERSION ?= $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $(TOP)/dkms.conf)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man

UAPI := $(TOP)/include/uapi

PKG_CONFIG ?= pkg-config
INSTALL ?= install
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wvla -Werror
# The libraries that cpctl's sources need.
CPCTL_PACKAGES := libdw libelf json-c libseccomp libnl-3.0 libnl-genl-3.0 libzstd zlib

ALL_CFLAGS = -std=gnu11 $(WARNINGS) -I$(UAPI) -MMD -MP $(CFLAGS)

# cpctl's folders. A file includes files of its own folder and of those after it.
CPCTL_FOLDERS := verbs stream record core print names process kernel base
