# SPDX-License-Identifier: GPL-2.0
#
# make help tells what there is.  KERNEL names a stock kernel of scripts/kernels,
# fetched and cached under build/; KDIR is the build directory of any other.

# Before the defaults: check, bench and uninstall have their own.
CHECK	:= $(addprefix --kernel ,$(KERNEL)) $(addprefix --arch ,$(ARCH))
BENCH	:= $(CHECK) $(if $(QUICK),--quick)
WHERE	:= $(addprefix --destdir ,$(DESTDIR))
UNINSTALL := $(WHERE) $(addprefix --release ,$(RELEASE))
KERNEL	?= 6.12
ARCH	?= amd64
# Of which kernel the module is installed: of KDIR's or the running one.
RELEASE	?= $(if $(KDIR),$(shell sed -n 's/^\#define UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h),$(shell uname -r))
HEADERS	= $(or $(KDIR),/lib/modules/$(RELEASE)/build)

ifdef KDIR
MODULE	= build/local/kvm_irqx.ko
else
MODULE	= build/$(KERNEL)-$(ARCH)/kvm_irqx.ko
endif

.PHONY: all module lib selftests demo try check check-all check-debug coverage bench lint lint-all abi docs install install-lib dkms uninstall uninstall-lib
.PHONY: clean help

all: module

# Which files changed is kbuild's business.
module:
ifdef KDIR
	@rm -f $(MODULE) build/local/kvm_irqx_intx.ko build/local/module/kvm_irqx_intx.ko
	@mkdir -p build/local/module
	@cp -a Kbuild src include build/local/module/
	$(MAKE) -C $(KDIR) M=$(CURDIR)/build/local/module modules
	@scripts/check-prototypes --kdir $(KDIR) build/local/module/kvm_irqx.ko
	@cp build/local/module/kvm_irqx.ko $(MODULE)
	@[ ! -e build/local/module/kvm_irqx_intx.ko ] || cp build/local/module/kvm_irqx_intx.ko build/local/
else
	@scripts/build-module --arch $(ARCH) $(KERNEL) >/dev/null
endif
	@echo $(MODULE)

# Shared and static; for this machine by lib/Makefile alone, which needs nothing but a compiler.
lib:
	@scripts/build-lib --arch $(ARCH)

selftests:
	@scripts/build-selftests --arch $(ARCH)

demo:
	@scripts/demo --arch $(ARCH) --kernel $(KERNEL)

# From an edit to the verdict of one program, or of one case of it.
try:
	@scripts/check --kernel $(KERNEL) --arch $(ARCH) --only $(or $(TEST),$(error TEST= names a program of selftests/tests)) \
		$(addprefix --case ,$(CASE))

check:
	@scripts/check $(CHECK)

check-all:
	@scripts/check --all

# On the kernels with checks of their own, those of KERNEL= and ARCH= only if given.
check-debug:
	@scripts/check $(if $(findstring --kernel,$(CHECK)),,--debug) $(CHECK)

coverage:
	@scripts/coverage

bench:
	@scripts/bench $(BENCH)

lint:
	@scripts/lint

# What a change of the library does to programs that were built with it goes into lib/abi.
abi:
	@scripts/check-abi --update

# The long leg: also compiled for the configurations of scripts/variants.
lint-all:
	@scripts/lint --all

docs:
	@scripts/docs

# For the running kernel, or RELEASE= or KDIR='s; DESTDIR= for packagers. Stripped, signed and compressed as that kernel's
# own build does it; its depmod does not know of DESTDIR. The library comes last: PREFIX= and LIBDIR= are for it alone.
install:
	@scripts/install $(WHERE) --kdir $(HEADERS) --release $(RELEASE) check
	$(MAKE) module KDIR=$(HEADERS)
	@scripts/install $(WHERE) --release $(RELEASE) clear
	$(MAKE) -C $(HEADERS) M=$(CURDIR)/build/local/module INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates INSTALL_MOD_STRIP=1 DEPMOD=true modules_install
	@scripts/install $(WHERE) --release $(RELEASE) files
	$(MAKE) -C lib install

# The library, its headers and man pages, for who has the module from elsewhere.
install-lib:
	$(MAKE) -C lib install

# DKMS builds it again for each new kernel.
dkms:
	@scripts/install $(WHERE) $(addprefix --release ,$(RELEASE)) dkms
	$(MAKE) -C lib install

# Of both; for all kernels, or RELEASE=. The library goes with the last module.
uninstall:
	@scripts/install $(UNINSTALL) remove
	@[ -e $(DESTDIR)/usr/lib/udev/rules.d/70-kvm-irqx.rules ] || $(MAKE) -C lib uninstall

uninstall-lib:
	$(MAKE) -C lib uninstall

# Keeps what was downloaded.
clean:
	rm -rf build/local build/lib build/rust build/selftests build/check build/*/module build/*/kvm_irqx.ko build/*/kvm_irqx_intx.ko

help:
	@echo 'make [ARCH=arm64] demo  8,192 direct irqfds in a tiny guest, counted, beside KVM'
	@echo 'make try TEST=level     build what has changed and run one program; CASE=, KERNEL=, ARCH='
	@echo 'make check              all tests on 6.12, both architectures; or on KERNEL= and ARCH='
	@echo 'make check-all          all tests on every stock kernel of scripts/kernels, and a table'
	@echo 'make check-debug        all tests on kernels with KASAN, lockdep, kmemleak, KCSAN'
	@echo 'make coverage           lines and branches of src/ that the tests run, as text and HTML'
	@echo 'make bench [QUICK=1]    the costs beside KVM, in instructions and time, both architectures'
	@echo 'make lint               checkpatch, sparse, W=1, shellcheck, headers, layering, ABI, Rust'
	@echo 'make abi                record in lib/abi what has changed of libkvmirqx for programs'
	@echo 'make docs               Documentation/ as HTML, by Sphinx'
	@echo 'make lint-all           the same, then W=1 on kernels configured in other ways'
	@echo 'make [KERNEL=6.12]      build the module for a stock Debian kernel ($(KERNEL))'
	@echo 'make KDIR=DIR           build it for the kernel whose build directory is DIR'
	@echo 'make [ARCH=arm64] lib   build libkvmirqx, shared and static'
	@echo 'make selftests          build the test programs'
	@echo 'make install            build for the running kernel, RELEASE= or KDIR=, install with udev rule,'
	@echo '                        header, modules-load.d and library; below DESTDIR= for packagers'
	@echo 'make dkms               the same by DKMS, also for kernels to come; replaces an older version'
	@echo 'make install-lib        the library alone; PREFIX=, LIBDIR=, INCLUDEDIR=, MANDIR='
	@echo 'make uninstall          undo all of this, for all kernels or RELEASE='
	@echo 'make uninstall-lib      the library alone'
	@echo 'make clean              remove what was built, keep what was downloaded'
	@echo
	@echo 'Kernels: $(shell awk '!/^ *\#/ && NF { print $$1 "-" $$2 }' scripts/kernels)'
