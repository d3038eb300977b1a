# SPDX-License-Identifier: MIT
# What a person types. The module is built by Kbuild, the programs by user/Makefile, and all that
# tests lives under selftests/.

KDIR ?= /lib/modules/$(shell uname -r)/build
O ?= $(CURDIR)/build/user
T ?=
SUITE ?=
KERNEL ?=
MATRIX ?=
FUZZ_SECONDS ?=
export T SUITE KERNEL MATRIX FUZZ_SECONDS

.PHONY: all module user demo check nightly bench fuzz lint regen shell clean clean-cache install help

all: module user

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

user:
	$(MAKE) -C user O=$(O) all

demo:
	selftests/demo/run

check:
	selftests/check

nightly:
	$(MAKE) check FUZZ_SECONDS=600 MATRIX=full
	$(MAKE) fuzz T=600

bench:
	selftests/bench/run

fuzz:
	selftests/check --fuzz

lint:
	selftests/lint

regen:
	selftests/regen

shell:
	selftests/vm/shell $(KERNEL)

install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates modules_install
	$(MAKE) -C user O=$(O) install

clean:
	-$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf build

clean-cache:
	rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/esplane"

help:
	@echo 'Build'
	@echo '  all (default)  module for the running kernel, or KDIR=DIR; esplaned and esplane'
	@echo '  module, user   one of the two'
	@echo '  install        both, then: modprobe esplane'
	@echo '  KEY_EXPORT=1   with one of these: a module that gives root the keys of SAs, for Wireshark (esplane(8))'
	@echo '  clean          removes what these made'
	@echo 'Try (as root; a virtual machine is used, this kernel is left alone)'
	@echo '  demo           a tunnel between esplaned and strongSwan, told step by step'
	@echo '  shell          a prompt in the guest: module loaded, namespaces a and b ready'
	@echo 'Test (as root; needs no module support here)'
	@echo '  check          all tests; SUITE=unit|kunit|net|interop|sim|fuzz, KERNEL=6.1|6.12|7.3|7.3-debug|uml|...'
	@echo '                 and T=NAME narrow it; FUZZ_SECONDS=600 lets the fuzzers of SUITE=net take longer'
	@echo '  nightly        all of that with every row of the matrices and ten minutes for each fuzzer'
	@echo '  fuzz           each fuzz target for T=SECONDS (60)'
	@echo '  bench          instructions per packet, beside xfrm and WireGuard; per handshake, beside charon;'
	@echo '                 WORK="tcp1500 rr" and WAY="xfrm-udp esplane-udp" narrow it'
	@echo '  lint           checkpatch, sparse, W=1, clang-tidy, cppcheck'
	@echo 'Maintain'
	@echo '  clean-cache    removes the guest root, the debug kernel and all that was built for tests'
	@echo '  regen          rewrites what is generated from include/netlink/esplane.yaml'
