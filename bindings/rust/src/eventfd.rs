// SPDX-License-Identifier: MIT

//! An eventfd, which the standard library has not.

use crate::error::{Error, Result};
use std::io;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

/// An eventfd, not blocking, closed on exec.
///
/// A clone is the same descriptor, which is closed with the last of them: a device's thread and a
/// [`Binding`](crate::Binding) can each have one. Any other type that is `AsFd` does for a binding
/// as well.
#[derive(Clone, Debug)]
pub struct EventFd(Arc<OwnedFd>);

impl EventFd {
    /// With nothing in it.
    pub fn new() -> Result<EventFd> {
        // SAFETY: it takes two numbers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(Error::plain(last_errno()));
        }
        // SAFETY: a new descriptor, which nobody else has.
        Ok(EventFd::from(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// An event.
    pub fn signal(&self) -> Result<()> {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight bytes that are there.
        match unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) } {
            8 => Ok(()),
            _ => Err(Error::plain(last_errno())),
        }
    }

    /// How many there have been since it was last read; 0 if none. Those of a bound eventfd are
    /// taken by the module.
    pub fn read(&self) -> Result<u64> {
        let mut value = [0; 8];
        // SAFETY: room for eight bytes.
        match unsafe { libc::read(self.0.as_raw_fd(), value.as_mut_ptr().cast(), value.len()) } {
            8 => Ok(u64::from_ne_bytes(value)),
            _ if last_errno() == libc::EAGAIN => Ok(0),
            _ => Err(Error::plain(last_errno())),
        }
    }
}

fn last_errno() -> i32 {
    io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO)
}

/// The descriptor is taken as it is, whether it blocks or not.
impl From<OwnedFd> for EventFd {
    fn from(fd: OwnedFd) -> EventFd {
        EventFd(Arc::new(fd))
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
