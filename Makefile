# SPDX-License-Identifier: GPL-2.0-only
# `make help` says what there is.

# Which tests; whose headers.
T ?=
KDIR ?=
# Which kernels VMs boot. Without K and KDIR, `make` and `make module` build for the
# running kernel.
ifeq ($(origin K)$(KDIR),undefined)
RUNNING := /lib/modules/$(shell uname -r)/build
endif
K ?= 6.1 6.12

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
export PREFIX DESTDIR VERSION

# Installs what is missing. On another system than Debian 12: SETUP=:
SETUP ?= scripts/setup

BUILD := $(CURDIR)/build
VM = selftests/vm/run --kernel $(firstword $(K))

ifneq ($(V),1)
MAKEFLAGS += --silent --no-print-directory
endif

all: lib cpctl ## library, cpctl, and the running kernel's module (the default)
ifneq ($(RUNNING),)
	scripts/module $(RUNNING) || [ $$? -eq 3 ]
else
	$(MAKE) module
endif

help: ## this list
	sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 14
	echo
	echo 'K="6.1 6.12"  kernels (scripts/kernel)   T="NAME..."  tests'
	echo 'KDIR=FOLDER   build the module for the kernel of that build folder:'
	echo '              make module KDIR=/lib/modules/$$(uname -r)/build'
	echo 'V=1           show the commands'
	echo 'LINUX_SRC=DIR the source of the kernel that test-debug builds, instead of 6.1'
	echo 'JOBS=N        VMs at a time (as many as there are processors)'
	echo 'QUICK=1       a benchmark of less than two minutes, with fewer rows'
	echo 'SETUP=:       do not install anything'
	echo 'MINUTES=10    how long make soak goes on   CALLS=1000000  of make fuzz'
	echo 'RUNS=100000   inputs for each target of make fuzz-files'
	echo 'SEED=N        what make soak and make fuzz do, once more'

module: ## checkpoint.ko, for the running kernel, each kernel of K, or KDIR
ifneq ($(or $(KDIR),$(RUNNING)),)
	$(SETUP) build
	scripts/module $(or $(KDIR),$(RUNNING))
else
	$(MAKE) guest-modules
endif

# What VMs load: for each kernel of K, which are fetched if need be.
guest-modules:
	$(SETUP) build kernels $(if $(filter debug kcsan,$(K)),debug)
	scripts/kernel $(K) | while read -r kernel; do \
		scripts/module $$kernel/lib/modules/*/build || exit; \
	done

guest: guest-modules lib cpctl

lib: ## the C library
	$(SETUP) build
	$(MAKE) -C tools/lib O=$(BUILD)/lib

cpctl: lib ## the command
	$(MAKE) -C tools/cpctl O=$(BUILD)/cpctl LIB=$(BUILD)/lib

selftests: lib ## the tests' programs
	$(SETUP) test
	$(MAKE) -C selftests O=$(BUILD)/selftests HARNESS=$(BUILD)/kselftest

bench: guest bench-build ## compare with what there is else, in a VM, by time (QUICK=1)
	$(SETUP) vm bench
	scripts/bench time $(firstword $(K))

bench-insn: guest bench-build ## the same by instructions, which repeats (QUICK=1)
	$(SETUP) vm bench
	scripts/bench instructions $(firstword $(K))

bench-build: lib ## bench/run's program, to run it on this machine's own kernel
	$(SETUP) build
	$(MAKE) -C bench O=$(BUILD)/bench LIB=$(BUILD)/lib

demo: guest ## see it work, in a VM
	$(SETUP) vm test
	$(VM) -- scripts/demo

test: guest selftests ## all tests, in VMs with each kernel of K
	$(SETUP) vm
	scripts/test "$(K)" $(T)

test-debug: guest selftests ## all tests on kernels that look for mistakes; coverage
	$(SETUP) vm debug
	scripts/test-debug $(T)

test-matrix: ## all tests on 6.1 and 6.12, with PREEMPT_RT and without, and the newest
	$(SETUP) kernels matrix
	$(MAKE) test K="6.1 6.1-rt 6.12 6.12-rt newest"

# All figures are the tests' own business: stress/storm.c, stress/fuzz.c.
soak: guest selftests ## a storm of pairs, in a VM (MINUTES=N, SEED=N)
	$(SETUP) vm
	CHECKPOINT_MINUTES=$(or $(MINUTES),10) CHECKPOINT_SEED=$(SEED) \
		CHECKPOINT_LIVES=$(if $(MINUTES),0,10000) \
		$(VM) --timeout 86400 -- build/selftests/storm

# Where a call that does harm is seen to.
fuzz: K = debug
fuzz: guest selftests ## a million odd calls, on the debug kernel (CALLS=N, SEED=N)
	$(SETUP) vm
	CHECKPOINT_CALLS=$(or $(CALLS),1000000) CHECKPOINT_SEED=$(SEED) \
		$(VM) --timeout 86400 -- build/selftests/fuzz

fuzz-files: lib ## odd recordings and ELF files, for what reads them (RUNS=N)
	$(SETUP) fuzz
	$(MAKE) -C selftests/files O=$(BUILD)/selftests/files LIB=$(BUILD)/lib
	scripts/fuzz-files $(or $(RUNS),100000)

shell: guest ## a shell in a VM with the module loaded
	$(SETUP) vm
	$(VM)

lint: ## checkpatch, sparse, W=1, shellcheck, cppcheck
	$(SETUP) build kernels lint
	scripts/lint $(K)

format: ## rewrite the C files in the kernel's style
	$(SETUP) format
	find module include tools selftests bench -name '*.[ch]' -exec \
		clang-format -i --style=file:build/checkpatch/.clang-format {} +

docs: ## the documentation as HTML, in build/docs
	$(SETUP) docs
	find Documentation -name '*.rst' | while read -r page; do \
		html=build/docs/$${page#Documentation/}; \
		html=$${html%.rst}.html; \
		mkdir -p $$(dirname $$html) && \
		rst2html --halt=warning $$page $$html || exit; \
	done
	cp Documentation/performance/*.svg build/docs/performance
	echo build/docs/index.html

install: lib cpctl ## library, command, module (DESTDIR, PREFIX, KDIR)
	$(MAKE) -C tools/lib O=$(BUILD)/lib install
	$(MAKE) -C tools/cpctl O=$(BUILD)/cpctl LIB=$(BUILD)/lib install
	scripts/install-module install $(KDIR)

uninstall: ## remove what install wrote
	$(MAKE) -C tools/lib O=$(BUILD)/lib uninstall
	$(MAKE) -C tools/cpctl O=$(BUILD)/cpctl LIB=$(BUILD)/lib uninstall
	scripts/install-module uninstall $(KDIR)

clean: ## remove build/ (the cached kernels stay)
	rm -rf build

.PHONY: all help module guest-modules guest lib cpctl selftests bench bench-insn bench-build demo \
	test test-debug test-matrix soak fuzz fuzz-files shell lint format docs install \
	uninstall clean
