# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists the targets and variables.

# T: the tests to run. KDIR: a kernel's build folder, to build the module against.
T ?=
KDIR ?=
# K: the kernels that VMs boot. Without K and KDIR, `make` and `make module` build the
# module for the running kernel.
ifeq ($(origin K)$(KDIR),undefined)
RUNNING := /lib/modules/$(shell uname -r)/build
endif
K ?= 6.1 6.12

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
export PREFIX DESTDIR VERSION

# Installs missing packages on Debian 12. On other systems, set SETUP=:
SETUP ?= scripts/setup

BUILD := $(CURDIR)/build
VM = selftests/vm/run --kernel $(firstword $(K))

ifneq ($(V),1)
MAKEFLAGS += --silent --no-print-directory
endif

all: lib cpctl ## build library, cpctl, and the running kernel's module (the default)
ifneq ($(RUNNING),)
	scripts/module $(RUNNING) || [ $$? -eq 3 ]
else
	$(MAKE) module
endif

help: ## print this list
	sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' Makefile | expand -t 14
	echo
	echo 'K="6.1 6.12"  kernels for VMs (scripts/kernel)   T="NAME..."  tests to run'
	echo 'KDIR=FOLDER   build the module against this build folder of a kernel:'
	echo '              make module KDIR=/lib/modules/$$(uname -r)/build'
	echo 'V=1           print the commands'
	echo 'LINUX_SRC=DIR kernel source for test-debug, instead of Debian'\''s 6.1'
	echo 'JOBS=N        number of VMs at a time (default: number of processors)'
	echo 'QUICK=1       shorter benchmark, with fewer rows, in less than two minutes'
	echo 'SETUP=:       do not install packages'
	echo 'MINUTES=10    duration of make soak   CALLS=1000000  calls of make fuzz'
	echo 'RUNS=100000   inputs for each target of make fuzz-files'
	echo 'SEED=N        repeat the random choices of make soak and make fuzz'

module: ## build checkpoint.ko for the running kernel, each kernel of K, or KDIR
ifneq ($(or $(KDIR),$(RUNNING)),)
	$(SETUP) build
	scripts/module $(or $(KDIR),$(RUNNING))
else
	$(MAKE) guest-modules
endif

# The modules that VMs load, one for each kernel of K. Fetches missing kernels.
guest-modules:
	$(SETUP) build kernels $(if $(filter debug kcsan,$(K)),debug)
	scripts/kernel $(K) | while read -r kernel; do \
		scripts/module $$kernel/lib/modules/*/build || exit; \
	done

guest: guest-modules lib cpctl

lib: ## build the C library
	$(SETUP) build
	$(MAKE) -C tools/lib O=$(BUILD)/lib

cpctl: lib ## build the command
	$(MAKE) -C tools/cpctl O=$(BUILD)/cpctl LIB=$(BUILD)/lib

selftests: lib ## build the tests' programs
	$(SETUP) test
	$(MAKE) -C selftests O=$(BUILD)/selftests HARNESS=$(BUILD)/kselftest

bench: guest bench-build ## compare with ptrace, perf and others in a VM, by time (QUICK=1)
	$(SETUP) vm bench
	scripts/bench time $(firstword $(K))

bench-insn: guest bench-build ## the same, repeatably, by instructions (QUICK=1)
	$(SETUP) vm bench
	scripts/bench instructions $(firstword $(K))

bench-build: lib ## build the program of bench/run, to run it on this machine
	$(SETUP) build
	$(MAKE) -C bench O=$(BUILD)/bench LIB=$(BUILD)/lib

demo: guest ## demonstrate the main features in a VM
	$(SETUP) vm test
	$(VM) -- scripts/demo

test: guest selftests ## run all tests in VMs with each kernel of K
	$(SETUP) vm
	scripts/test "$(K)" $(T)

test-debug: guest selftests ## run all tests on kernels with sanitizers; report coverage
	$(SETUP) vm debug
	scripts/test-debug $(T)

test-matrix: ## run all tests on 6.1 and 6.12, with and without PREEMPT_RT, and the newest
	$(SETUP) kernels matrix
	$(MAKE) test K="6.1 6.1-rt 6.12 6.12-rt newest"

# selftests/stress/storm.c and fuzz.c describe the variables of the environment.
soak: guest selftests ## run a storm of pairs in a VM (MINUTES=N, SEED=N)
	$(SETUP) vm
	CHECKPOINT_MINUTES=$(or $(MINUTES),10) CHECKPOINT_SEED=$(SEED) \
		CHECKPOINT_LIVES=$(if $(MINUTES),0,10000) \
		$(VM) --timeout 86400 -- build/selftests/storm

# The debug kernel detects damage that a call does.
fuzz: K = debug
fuzz: guest selftests ## make a million random calls on the debug kernel (CALLS=N, SEED=N)
	$(SETUP) vm
	CHECKPOINT_CALLS=$(or $(CALLS),1000000) CHECKPOINT_SEED=$(SEED) \
		$(VM) --timeout 86400 -- build/selftests/fuzz

fuzz-files: lib ## fuzz cpctl's readers of recordings and ELF files (RUNS=N)
	$(SETUP) fuzz
	$(MAKE) -C selftests/files O=$(BUILD)/selftests/files LIB=$(BUILD)/lib
	scripts/fuzz-files $(or $(RUNS),100000)

shell: guest ## run a shell in a VM with the module loaded
	$(SETUP) vm
	$(VM)

lint: ## run checkpatch, sparse, W=1, shellcheck, cppcheck and more
	$(SETUP) build kernels lint
	scripts/lint $(K)

format: ## rewrite the C files in the kernel's style
	$(SETUP) format
	find module include tools selftests bench -name '*.[ch]' -exec \
		clang-format -i --style=file:build/checkpatch/.clang-format {} +

docs: ## convert the documentation to HTML, in build/docs
	$(SETUP) docs
	find Documentation -name '*.rst' | while read -r page; do \
		html=build/docs/$${page#Documentation/}; \
		html=$${html%.rst}.html; \
		mkdir -p $$(dirname $$html) && \
		rst2html --halt=warning $$page $$html || exit; \
	done
	cp Documentation/performance/*.svg build/docs/performance
	echo build/docs/index.html

install: lib cpctl ## install library, command and module (DESTDIR, PREFIX, KDIR)
	$(MAKE) -C tools/lib O=$(BUILD)/lib install
	$(MAKE) -C tools/cpctl O=$(BUILD)/cpctl LIB=$(BUILD)/lib install
	scripts/install-module install $(KDIR)

uninstall: ## remove all files that install has written
	$(MAKE) -C tools/lib O=$(BUILD)/lib uninstall
	$(MAKE) -C tools/cpctl O=$(BUILD)/cpctl LIB=$(BUILD)/lib uninstall
	scripts/install-module uninstall $(KDIR)

clean: ## remove build/ (the cached kernels stay)
	rm -rf build

.PHONY: all help module guest-modules guest lib cpctl selftests bench bench-insn bench-build demo \
	test test-debug test-matrix soak fuzz fuzz-files shell lint format docs install \
	uninstall clean
