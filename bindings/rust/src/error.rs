// SPDX-License-Identifier: MIT

//! Why a call has failed.

use crate::sys;
use std::ffi::CStr;
use std::fmt;
use std::io;
use std::mem::size_of;
use std::os::raw::{c_char, c_int};
use std::ptr;

/// What calls of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The errno of a call, and the record that module or library made of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    errno: c_int,
    index: Option<u32>,
    arg: sys::kvm_irqx_arg,
    reason: sys::kvm_irqx_reason,
    words: String,
}

impl Error {
    /// Of the call into the library that has just returned `ret`, on this thread: the record is
    /// the thread's, so there must be no other call between.
    pub(crate) fn last(ret: c_int) -> Error {
        let record = last_record();
        // SAFETY: of size 0 nothing is written.
        let length = unsafe { sys::kvmirqx_last_error_words(ptr::null_mut(), 0) };
        let mut words = vec![0u8; usize::try_from(length).unwrap_or(0) + 1];
        // SAFETY: the buffer is as long as it is said to be.
        unsafe { sys::kvmirqx_last_error_words(words.as_mut_ptr() as *mut c_char, words.len()) };
        words.pop();
        Error {
            errno: -ret,
            index: Some(record.index).filter(|&index| index != u32::MAX),
            arg: record.arg,
            reason: record.reason,
            words: String::from_utf8_lossy(&words).into_owned(),
        }
    }

    /// Of what has no record: this crate refuses it, or a function that does not go to the module.
    pub(crate) fn plain(errno: c_int) -> Error {
        Error {
            errno,
            index: None,
            arg: sys::KVM_IRQX_ARG_NONE,
            reason: sys::KVM_IRQX_REASON_NONE,
            words: io::Error::from_raw_os_error(errno).to_string(),
        }
    }

    /// Such as `libc::EBUSY`.
    pub fn errno(&self) -> c_int {
        self.errno
    }

    /// Which element is at fault: of a batch, or of another array.
    pub fn index(&self) -> Option<u32> {
        self.index
    }

    /// Which argument is at fault: `sys::KVM_IRQX_ARG_*`.
    pub fn arg(&self) -> u32 {
        self.arg
    }

    /// What is wrong with it: `sys::KVM_IRQX_REASON_*`.
    pub fn reason(&self) -> u32 {
        self.reason
    }
}

/// "KVM_IRQX_BATCH: entry.gsi: out of range, element 3 (EINVAL)"
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({})", self.words)
    }
}

impl std::error::Error for Error {}

/// Of the kind that the errno has; the [`Error`] is inside.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(io::Error::from_raw_os_error(error.errno).kind(), error)
    }
}

/// Of this thread's last call.
pub(crate) fn last_record() -> sys::kvm_irqx_error {
    let mut record = sys::kvm_irqx_error {
        argsz: size_of::<sys::kvm_irqx_error>() as u32,
        ..Default::default()
    };
    // SAFETY: argsz says how large it is.
    unsafe { sys::kvmirqx_last_error(&mut record) };
    record
}

/// What a call returned that leaves a record; what is not an error is not negative.
pub(crate) fn check(ret: c_int) -> Result<u32> {
    u32::try_from(ret).map_err(|_| Error::last(ret))
}

/// What a function returned that leaves none.
pub(crate) fn check_plain(ret: c_int) -> Result<u32> {
    u32::try_from(ret).map_err(|_| Error::plain(-ret))
}

/// A length as the calls have it.
pub(crate) fn count(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| Error::plain(libc::EINVAL))
}

/// The words of `sys::KVM_IRQX_REASON_*`, if the library knows it.
pub fn reason_words(reason: u32) -> Option<&'static str> {
    // SAFETY: a constant string of the library's, or NULL.
    unsafe { constant(sys::kvmirqx_reason_words(reason)) }
}

/// The member that `sys::KVM_IRQX_ARG_*` stands for, if the library knows it.
pub fn arg_name(arg: u32) -> Option<&'static str> {
    // SAFETY: a constant string of the library's, or NULL.
    unsafe { constant(sys::kvmirqx_arg_name(arg)) }
}

/// # Safety
///
/// `text` is NULL or a string that is never changed or freed.
pub(crate) unsafe fn constant(text: *const c_char) -> Option<&'static str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}
