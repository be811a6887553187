// SPDX-License-Identifier: MIT

//! Operations, all of them or none.

use crate::context::{Context, Options, Target};
use crate::entry::{as_raw, Entry};
use crate::error::{check, check_plain, Result};
use crate::sys;
use std::fmt;
use std::marker::PhantomData;
use std::os::raw::c_int;
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};

/// Operations that are done by one call, all of them or none.
///
/// The descriptors that it names are borrowed until it is dropped. Filled once, it can be run
/// many times, on any context.
pub struct Batch<'f> {
    ptr: NonNull<sys::kvmirqx_batch>,
    fds: PhantomData<BorrowedFd<'f>>,
}

// SAFETY: it is memory that nobody else has. It is not Sync: kvmirqx.h has a batch for one thread
// at a time.
unsafe impl Send for Batch<'_> {}

impl<'f> Batch<'f> {
    /// An empty one.
    pub fn new() -> Result<Batch<'f>> {
        let mut ptr = ptr::null_mut();
        // SAFETY: there is room for the pointer.
        check_plain(unsafe { sys::kvmirqx_batch_new(&mut ptr) })?;
        // SAFETY: it has succeeded.
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        Ok(Batch {
            ptr,
            fds: PhantomData,
        })
    }

    /// How many operations it has.
    pub fn len(&self) -> usize {
        // SAFETY: here and below: the batch is there for as long as self is.
        unsafe { sys::kvmirqx_batch_count(self.ptr.as_ptr()) as usize }
    }

    /// Has it none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes all operations out of it.
    pub fn clear(&mut self) {
        // SAFETY: as above.
        unsafe { sys::kvmirqx_batch_clear(self.ptr.as_ptr()) };
    }

    /// Does them, as one call. [`Error::index`](crate::Error::index) says which is at fault if one
    /// fails; then nothing has been done.
    pub fn run(&self, context: &Context) -> Result<()> {
        // SAFETY: as above, and the context is open.
        let ret =
            unsafe { sys::kvmirqx_batch_run(context.as_ptr(), self.ptr.as_ptr(), ptr::null_mut()) };
        check(ret).map(|_| ())
    }

    fn added(&mut self, ret: c_int) -> Result<&mut Self> {
        check_plain(ret)?;
        Ok(self)
    }

    /// As [`Context::assign`]. [`Binding::adopt`](crate::Binding::adopt) makes what was bound a
    /// [`Binding`](crate::Binding).
    pub fn assign<F: AsFd>(
        &mut self,
        fd: &'f F,
        entry: &Entry,
        options: Options<'f>,
    ) -> Result<&mut Self> {
        let (fd, options) = (fd.as_fd().as_raw_fd(), options.raw());
        // SAFETY: as above; the rest is read during the call.
        let ret =
            unsafe { sys::kvmirqx_batch_assign(self.ptr.as_ptr(), fd, entry.raw(), &options) };
        self.added(ret)
    }

    /// As [`Context::modify`].
    pub fn modify<F: AsFd>(
        &mut self,
        fd: &'f F,
        entry: &Entry,
        options: Options<'f>,
    ) -> Result<&mut Self> {
        let (fd, options) = (fd.as_fd().as_raw_fd(), options.raw());
        // SAFETY: as assign().
        let ret =
            unsafe { sys::kvmirqx_batch_modify(self.ptr.as_ptr(), fd, entry.raw(), &options) };
        self.added(ret)
    }

    /// As [`Context::deassign`].
    pub fn deassign<F: AsFd>(&mut self, fd: &'f F) -> Result<&mut Self> {
        let fd = fd.as_fd().as_raw_fd();
        // SAFETY: as above.
        let ret = unsafe { sys::kvmirqx_batch_deassign(self.ptr.as_ptr(), fd) };
        self.added(ret)
    }

    /// As [`Context::irqfd`].
    pub fn irqfd<F: AsFd>(
        &mut self,
        fd: &'f F,
        gsi: u32,
        options: Options<'f>,
    ) -> Result<&mut Self> {
        let (fd, options) = (fd.as_fd().as_raw_fd(), options.raw());
        // SAFETY: as assign().
        let ret = unsafe { sys::kvmirqx_batch_irqfd(self.ptr.as_ptr(), fd, gsi, &options) };
        self.added(ret)
    }

    /// As [`Context::mask`].
    pub fn mask(&mut self, target: Target<'f>) -> Result<&mut Self> {
        let batch = self.ptr.as_ptr();
        // SAFETY: as above.
        let ret = match target {
            Target::Fd(fd) => unsafe { sys::kvmirqx_batch_mask(batch, fd.as_raw_fd()) },
            Target::Gsi(gsi) => unsafe { sys::kvmirqx_batch_mask_gsi(batch, gsi) },
        };
        self.added(ret)
    }

    /// As [`Context::unmask`].
    pub fn unmask(&mut self, target: Target<'f>) -> Result<&mut Self> {
        let batch = self.ptr.as_ptr();
        // SAFETY: as above.
        let ret = match target {
            Target::Fd(fd) => unsafe { sys::kvmirqx_batch_unmask(batch, fd.as_raw_fd()) },
            Target::Gsi(gsi) => unsafe { sys::kvmirqx_batch_unmask_gsi(batch, gsi) },
        };
        self.added(ret)
    }

    /// As [`Context::route_set`]; of the options it has `masked`.
    pub fn route_set(&mut self, entry: &Entry, options: Options<'f>) -> Result<&mut Self> {
        let options = options.raw();
        // SAFETY: as assign().
        let ret = unsafe { sys::kvmirqx_batch_route_set(self.ptr.as_ptr(), entry.raw(), &options) };
        self.added(ret)
    }

    /// As [`Context::route_add`].
    pub fn route_add(&mut self, entry: &Entry) -> Result<&mut Self> {
        // SAFETY: as above.
        let ret = unsafe { sys::kvmirqx_batch_route_add(self.ptr.as_ptr(), entry.raw()) };
        self.added(ret)
    }

    /// As [`Context::route_del`].
    pub fn route_del(&mut self, gsi: u32) -> Result<&mut Self> {
        // SAFETY: as above.
        let ret = unsafe { sys::kvmirqx_batch_route_del(self.ptr.as_ptr(), gsi) };
        self.added(ret)
    }

    /// Adds the fewest operations that make one GSI table into another; returns how many.
    pub fn routes(&mut self, from: &[Entry], to: &[Entry]) -> Result<usize> {
        let (from, nr_from) = as_raw(from)?;
        let (to, nr_to) = as_raw(to)?;
        // SAFETY: as above; the arrays are as long as they are said to be.
        let ret = unsafe { sys::kvmirqx_batch_routes(self.ptr.as_ptr(), from, nr_from, to, nr_to) };
        check_plain(ret).map(|nr| nr as usize)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { sys::kvmirqx_batch_free(self.ptr.as_ptr()) };
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish()
    }
}
