# SPDX-License-Identifier: GPL-2.0
#
#   make            build the kernel module, the tool and the strongSwan plugin
#   make install    install them (DESTDIR is honoured)
#   make install-dkms   let DKMS build the module, now and for each new kernel
#   make clean      remove what was built
#   make demo       a tunnel through a network that only lets TCP through
#   make check      all tests, in virtual machines; see selftests/README.md
#   make check-debug    stress, watched by a debug kernel
#   make fuzz       fuzzers, a minute each
#   make shell      a shell in such a machine
#   make bench      compare with plain ESP and others; see selftests/bench/README.md
#
#   KDIR=   headers of the kernel to build for, instead of the running one's
#   PARTS=  what to build and install, of: kmod tools daemon
#   DIST=   Debian release of check, demo and shell: bookworm, trixie, sid
#   TEST=   run only this test, or this fuzzer
#   DURATION=   how many seconds a scenario of check-debug lasts, or a fuzzer
#   BENCH=  options of selftests/bench/bench

KDIR ?= /lib/modules/$(shell uname -r)/build
PARTS ?= kmod tools daemon
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

all: $(PARTS)

kmod: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools daemon:
	$(MAKE) -C $@

headers:
	@test -e $(KDIR)/Makefile || { \
		echo "$(KDIR): no kernel headers. Install them with" \
		     "'apt-get install linux-headers-$(shell uname -r)', or set KDIR=." >&2; exit 1; }

install: $(PARTS:%=install-%)

# depmod is left to the packager when there is a DESTDIR.
install-kmod: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates modules_install
	$(if $(DESTDIR),,depmod -a $$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h))

# Without a DESTDIR, DKMS is told of the source; "dkms install" builds it.
install-dkms: source = $(DESTDIR)/usr/src/esptcp-$(VERSION)
install-dkms:
	@command -v dkms > /dev/null || test "$(DESTDIR)" || { \
		echo "no DKMS. Install it with 'apt-get install dkms'." >&2; exit 1; }
	rm -rf $(source)
	mkdir -p $(source)
	tar -c --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' --exclude='.*.cmd' \
		Kbuild Makefile dkms.conf kmod | tar -x -C $(source)
	$(if $(DESTDIR),,test "$$(dkms status esptcp/$(VERSION))" || dkms add esptcp/$(VERSION))

install-tools install-daemon: install-%:
	$(MAKE) -C $* install

clean: $(PARTS:%=clean-%)
	$(MAKE) -C selftests clean

# The headers that it was built with may be others, or gone.
clean-kmod:
	find kmod selftests/fault -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name modules.order \) -delete
	$(RM) Module.symvers modules.order .*.cmd

clean-tools clean-daemon: clean-%:
	$(MAKE) -C $* clean

check:
	@bash -c '. selftests/vm/lib.sh && need python3=python3'
	@selftests/vm/check $(TEST)

check-debug:
	@bash -c '. selftests/vm/lib.sh && need python3=python3'
	@selftests/uml/check $(TEST)

fuzz:
	@bash -c '. selftests/vm/lib.sh && need python3=python3'
	@selftests/fuzz/run $(TEST)

demo:
	@selftests/vm/run -- selftests/demo.sh

shell:
	@selftests/vm/run --shell

bench:
	@bash -c '. selftests/vm/lib.sh && need python3=python3'
	@selftests/bench/bench $(BENCH)

export DIST PARTS DESTDIR DURATION

.PHONY: all kmod tools daemon headers install install-kmod install-dkms install-tools install-daemon \
	clean clean-kmod clean-tools clean-daemon check check-debug fuzz demo shell bench
