// SPDX-License-Identifier: MIT

//! INTx of assigned devices.

use crate::context::Context;
use crate::entry::Entry;
use crate::error::{check, constant, Error, Result};
use crate::sys;
use std::ffi::CString;
use std::mem::size_of;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// What has come of an interrupt, as C has it.
pub type IntxState = sys::kvm_irqx_intx_state;

/// An open /dev/kvm-irqx-intx, which carries the legacy interrupt of one device that VFIO has
/// assigned: from the host to the guest, and the guest's EOI back, in the kernel. Dropped, VFIO can
/// have the interrupt again.
#[derive(Debug)]
pub struct Intx(OwnedFd);

impl Intx {
    /// Opens the device. ENOENT: kvm_irqx_intx is not loaded.
    pub fn open() -> Result<Intx> {
        // SAFETY: it takes nothing, and hands over a new descriptor.
        let fd = check(unsafe { sys::kvmirqx_intx_open() })?;
        // SAFETY: as above.
        Ok(Intx(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    /// Carries the interrupt of `device`, a file of VFIO_GROUP_GET_DEVICE_FD, which was given
    /// `address`. The module keeps it: it may be closed. An [`Error`]'s sentence says why not.
    pub fn attach(
        &self,
        context: &Context,
        device: impl AsFd,
        address: &str,
        entry: &Entry,
    ) -> Result<()> {
        let address = CString::new(address).map_err(|_| Error::plain(libc::EINVAL))?;
        // SAFETY: all of it is there during the call, and NULL is no reason.
        check(unsafe {
            sys::kvmirqx_intx_attach(
                context.as_ptr(),
                self.0.as_raw_fd(),
                device.as_fd().as_raw_fd(),
                address.as_ptr(),
                entry.raw(),
                std::ptr::null_mut(),
            )
        })?;
        Ok(())
    }

    /// Gives it back. ENOTCONN: none is carried.
    pub fn detach(&self) -> Result<()> {
        // SAFETY: the file is open for as long as self is.
        check(unsafe { sys::kvmirqx_intx_detach(self.0.as_raw_fd()) })?;
        Ok(())
    }

    /// What has come of it.
    pub fn state(&self) -> Result<IntxState> {
        let mut state = IntxState {
            argsz: size_of::<IntxState>() as u32,
            ..Default::default()
        };
        // SAFETY: argsz says how large it is.
        check(unsafe { sys::kvmirqx_intx_state(self.0.as_raw_fd(), &mut state) })?;
        Ok(state)
    }
}

impl AsFd for Intx {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// One that is open already, such as one that a process was given.
impl From<OwnedFd> for Intx {
    fn from(fd: OwnedFd) -> Intx {
        Intx(fd)
    }
}

impl From<Intx> for OwnedFd {
    fn from(intx: Intx) -> OwnedFd {
        intx.0
    }
}

/// Words for a `KVM_IRQX_INTX_REASON_*`.
pub fn intx_reason_words(reason: u32) -> Option<&'static str> {
    // SAFETY: a constant string of the library's, or NULL.
    unsafe { constant(sys::kvmirqx_intx_reason_words(reason)) }
}
