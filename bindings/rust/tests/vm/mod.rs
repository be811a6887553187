// SPDX-License-Identifier: MIT

//! A VM without a guest, and where its interrupts can be seen.

use kvmirqx::Entry;
use std::fs::OpenOptions;
use std::io;
use std::os::raw::{c_int, c_ulong};
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(target_arch = "aarch64")]
#[path = "arm64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "x86.rs"]
mod arch;

const KVM_CREATE_VM: c_ulong = 0xae01;
const KVM_CREATE_VCPU: c_ulong = 0xae41;

pub struct Vm {
    fd: OwnedFd,
    arch: arch::Devices,
}

/// What an ioctl returned that must not fail.
fn must(what: &str, ret: c_int) -> c_int {
    assert!(ret >= 0, "{}: {}", what, io::Error::last_os_error());
    ret
}

/// An ioctl that takes a number.
fn by_value(fd: &OwnedFd, request: c_ulong, arg: c_ulong) -> c_int {
    // SAFETY: all that these requests take is the number.
    unsafe { libc::ioctl(fd.as_raw_fd(), request as _, arg) }
}

/// An ioctl that takes a struct, of the size that the request has in it.
fn by_pointer<T>(fd: &OwnedFd, request: c_ulong, arg: &mut T) -> c_int {
    assert_eq!(request >> 16 & 0x3fff, std::mem::size_of::<T>() as c_ulong);
    // SAFETY: there is as much as the request reads and writes.
    unsafe { libc::ioctl(fd.as_raw_fd(), request as _, arg as *mut T) }
}

fn owned(what: &str, fd: c_int) -> OwnedFd {
    must(what, fd);
    // SAFETY: a new descriptor.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

impl Vm {
    pub fn new() -> Vm {
        let kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm");
        let kvm = OwnedFd::from(kvm.expect("/dev/kvm"));
        let fd = owned("KVM_CREATE_VM", by_value(&kvm, KVM_CREATE_VM, 0));
        let arch = arch::Devices::new(&fd);
        Vm { fd, arch }
    }

    /// The n-th place for an interrupt, from 0 on: another one for each thing that is looked for.
    pub fn entry(&self, n: u32) -> Entry {
        arch::entry(n)
    }

    /// The same for a level: an entry that has an EOI.
    pub fn level(&self, n: u32) -> Entry {
        arch::level(n)
    }

    /// Does an interrupt come there? It may be with one of the VM's workers.
    pub fn came(&self, n: u32) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while self.quiet(n) && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
        !self.quiet(n)
    }

    /// Has none come there?
    pub fn quiet(&self, n: u32) -> bool {
        !self.arch.came(n)
    }
}

impl AsFd for Vm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Its kind of message for the n-th place; `None`: a message needs a guest.
pub fn message(n: u32) -> Option<(u32, u32)> {
    arch::message(n)
}
