// SPDX-License-Identifier: MIT

//! An open /dev/kvm-irqx.

use crate::binding::{Binding, GsiBinding};
use crate::entry::{as_raw, Entry};
use crate::error::{check, check_plain, count, last_record, Error, Result};
use crate::listing::Listing;
use crate::sys;
use crate::table::{Dynirq, Table, TableOptions};
use std::fmt;
use std::mem::{self, size_of};
use std::os::unix::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};

/// A context: an open /dev/kvm-irqx, for one VM. Dropped, all its bindings are undone, unless
/// another descriptor leads to the same file.
pub struct Context {
    ptr: NonNull<sys::kvmirqx>,
}

// SAFETY: it is memory and a file descriptor, neither of which belongs to a thread. What a thread
// has of its own is the record of its last call, which Error::last() reads before the call returns.
unsafe impl Send for Context {}
// SAFETY: kvmirqx.h: any number of threads may use one context at once, and nothing in it changes
// after it was opened. What must be the last call takes the Context itself: close, release.
unsafe impl Sync for Context {}

/// What a binding can have beside its entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'f> {
    /// An eventfd that is signalled at the EOI. The module keeps it: it may be closed.
    pub resample: Option<BorrowedFd<'f>>,
    /// Of a SINT (x86): the event flag to set.
    pub event_flag: Option<u32>,
    /// Whether it is masked from now on; `None`: as it is, and not, if it is new.
    pub masked: Option<bool>,
    /// What a [`Listing`] is to tell of the binding.
    pub cookie: u64,
}

impl Options<'_> {
    pub(crate) fn raw(&self) -> sys::kvmirqx_options {
        let mut raw = sys::kvmirqx_options {
            size: size_of::<sys::kvmirqx_options>() as u32,
            flags: 0,
            resamplefd: -1,
            event_flag: self.event_flag.unwrap_or(0),
            cookie: self.cookie,
        };
        if let Some(fd) = self.resample {
            raw.flags |= sys::KVM_IRQX_OP_FLAG_RESAMPLE;
            raw.resamplefd = fd.as_raw_fd();
        }
        if self.event_flag.is_some() {
            raw.flags |= sys::KVM_IRQX_OP_FLAG_EVENT_FLAG;
        }
        match self.masked {
            Some(true) => raw.flags |= sys::KVM_IRQX_OP_FLAG_MASK,
            Some(false) => raw.flags |= sys::KVM_IRQX_OP_FLAG_UNMASK,
            None => (),
        }
        raw
    }
}

/// Of an eventfd with an entry of its own, or of a GSI that has a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Events are held back.
    pub masked: bool,
    /// One has come, and was not handed to KVM yet.
    pub pending: bool,
}

impl State {
    pub(crate) fn of(raw: u32) -> State {
        State {
            masked: raw & sys::KVM_IRQX_STATE_MASKED != 0,
            pending: raw & sys::KVM_IRQX_STATE_PENDING != 0,
        }
    }
}

/// What has a [`State`].
#[derive(Clone, Copy, Debug)]
pub enum Target<'f> {
    /// An eventfd with an entry of its own.
    Fd(BorrowedFd<'f>),
    /// A GSI that has a route.
    Gsi(u32),
}

impl Context {
    /// Opens the device. ENOENT: the module is not loaded; EACCES: not in group kvm.
    pub fn open() -> Result<Context> {
        let mut ptr = ptr::null_mut();
        // SAFETY: there is room for the pointer.
        check(unsafe { sys::kvmirqx_open(&mut ptr) })?;
        Ok(Context::of(ptr))
    }

    /// Of a file that is open already, attached or not. On failure it is handed back.
    pub fn adopt(fd: OwnedFd) -> Result<Context, (Error, OwnedFd)> {
        let mut ptr = ptr::null_mut();
        // SAFETY: there is room for the pointer, and the descriptor is open.
        match check(unsafe { sys::kvmirqx_adopt(&mut ptr, fd.as_raw_fd()) }) {
            Ok(_) => {
                // It is the context's now.
                mem::forget(fd);
                Ok(Context::of(ptr))
            }
            Err(error) => Err((error, fd)),
        }
    }

    fn of(ptr: *mut sys::kvmirqx) -> Context {
        // SAFETY: both callers have it from a call that succeeded.
        unsafe { Context::from_raw(ptr) }
    }

    /// A context that C has opened.
    ///
    /// # Safety
    ///
    /// `ptr` is what kvmirqx_open() or kvmirqx_adopt() has returned, and nobody else closes it.
    pub unsafe fn from_raw(ptr: *mut sys::kvmirqx) -> Context {
        // SAFETY: as the caller says.
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        Context { ptr }
    }

    /// For C to close.
    pub fn into_raw(self) -> *mut sys::kvmirqx {
        mem::ManuallyDrop::new(self).as_ptr()
    }

    /// For functions of [`sys`]. It stays the Context's.
    pub fn as_ptr(&self) -> *mut sys::kvmirqx {
        self.ptr.as_ptr()
    }

    /// Chooses the VM, once.
    pub fn attach(&self, vm: impl AsFd) -> Result<()> {
        // SAFETY: here and below: the context is open for as long as self is.
        self.done(unsafe { sys::kvmirqx_attach(self.as_ptr(), raw(&vm)) })
    }

    /// What module and kernel offer.
    pub fn info(&self) -> Result<sys::kvm_irqx_info> {
        let mut info = sys::kvm_irqx_info {
            argsz: size_of::<sys::kvm_irqx_info>() as u32,
            ..Default::default()
        };
        // SAFETY: argsz says how large it is.
        check(unsafe { sys::kvmirqx_info(self.as_ptr(), &mut info) })?;
        Ok(info)
    }

    /// Do they have all of these, `sys::KVM_IRQX_FEATURE_*`?
    pub fn has(&self, features: impl Into<u64>) -> bool {
        // SAFETY: as above.
        unsafe { sys::kvmirqx_has(self.as_ptr(), features.into()) == 1 }
    }

    /// What has become of the context's events.
    pub fn stats(&self) -> Result<sys::kvm_irqx_stats> {
        let mut stats = sys::kvm_irqx_stats {
            argsz: size_of::<sys::kvm_irqx_stats>() as u32,
            ..Default::default()
        };
        // SAFETY: argsz says how large it is.
        check(unsafe { sys::kvmirqx_stats(self.as_ptr(), &mut stats) })?;
        Ok(stats)
    }

    fn done(&self, ret: i32) -> Result<()> {
        check(ret).map(|_| ())
    }
}

/// Eventfds and GSIs by what names them. A [`Binding`] or a [`GsiBinding`] unbinds by itself.
impl Context {
    /// Binds an eventfd to an entry until the [`Binding`] is dropped, which borrows the context.
    /// [`Binding::new`] makes one that shares it.
    pub fn bind<F: AsFd>(
        &self,
        fd: F,
        entry: &Entry,
        options: Options<'_>,
    ) -> Result<Binding<&Context, F>> {
        Binding::new(self, fd, entry, options)
    }

    /// Binds an eventfd to a GSI until the [`GsiBinding`] is dropped.
    pub fn bind_gsi<F: AsFd>(
        &self,
        fd: F,
        gsi: u32,
        options: Options<'_>,
    ) -> Result<GsiBinding<&Context, F>> {
        GsiBinding::new(self, fd, gsi, options)
    }

    /// Binds an eventfd to an entry until somebody unbinds it or the last descriptor is closed
    /// of the eventfd or of the context.
    pub fn assign(&self, fd: impl AsFd, entry: &Entry, options: Options<'_>) -> Result<()> {
        let options = options.raw();
        // SAFETY: as above; the rest is read during the call.
        self.done(unsafe { sys::kvmirqx_assign(self.as_ptr(), raw(&fd), entry.raw(), &options) })
    }

    /// Gives a bound eventfd another entry. When it returns nothing goes to the old one any more.
    pub fn modify(&self, fd: impl AsFd, entry: &Entry, options: Options<'_>) -> Result<()> {
        let options = options.raw();
        // SAFETY: as assign().
        self.done(unsafe { sys::kvmirqx_modify(self.as_ptr(), raw(&fd), entry.raw(), &options) })
    }

    /// Unbinds an eventfd, however it was bound. Returns whether it was bound here.
    pub fn deassign(&self, fd: impl AsFd) -> Result<bool> {
        // SAFETY: as above.
        check(unsafe { sys::kvmirqx_deassign(self.as_ptr(), raw(&fd)) })?;
        Ok(last_record().reason != sys::KVM_IRQX_REASON_NOT_BOUND)
    }

    /// Binds an eventfd to a GSI, as [`assign`](Context::assign) to an entry.
    pub fn irqfd(&self, fd: impl AsFd, gsi: u32, options: Options<'_>) -> Result<()> {
        let options = options.raw();
        // SAFETY: as assign().
        self.done(unsafe { sys::kvmirqx_irqfd(self.as_ptr(), raw(&fd), gsi, &options) })
    }

    /// Unbinds an eventfd from this GSI; success if it is not bound there.
    pub fn irqfd_deassign(&self, fd: impl AsFd, gsi: u32) -> Result<()> {
        // SAFETY: as above.
        self.done(unsafe { sys::kvmirqx_irqfd_deassign(self.as_ptr(), raw(&fd), gsi) })
    }

    /// Holds events back. When it returns none will be delivered.
    pub fn mask(&self, target: Target<'_>) -> Result<()> {
        // SAFETY: as above.
        self.done(match target {
            Target::Fd(fd) => unsafe { sys::kvmirqx_mask(self.as_ptr(), fd.as_raw_fd()) },
            Target::Gsi(gsi) => unsafe { sys::kvmirqx_mask_gsi(self.as_ptr(), gsi) },
        })
    }

    /// Lets them go: what is pending is delivered as one interrupt.
    pub fn unmask(&self, target: Target<'_>) -> Result<()> {
        // SAFETY: as above.
        self.done(match target {
            Target::Fd(fd) => unsafe { sys::kvmirqx_unmask(self.as_ptr(), fd.as_raw_fd()) },
            Target::Gsi(gsi) => unsafe { sys::kvmirqx_unmask_gsi(self.as_ptr(), gsi) },
        })
    }

    /// Is it masked, is something pending?
    pub fn state(&self, target: Target<'_>) -> Result<State> {
        // SAFETY: as above.
        let ret = match target {
            Target::Fd(fd) => unsafe { sys::kvmirqx_get_state(self.as_ptr(), fd.as_raw_fd()) },
            Target::Gsi(gsi) => unsafe { sys::kvmirqx_get_gsi_state(self.as_ptr(), gsi) },
        };
        check(ret).map(State::of)
    }

    /// The same of many by one call, for a Pending Bit Array.
    pub fn states(&self, targets: &[Target<'_>]) -> Result<Vec<State>> {
        let mut raw: Vec<_> = targets
            .iter()
            .map(|target| {
                let (fd, gsi) = match target {
                    Target::Fd(fd) => (fd.as_raw_fd(), 0),
                    Target::Gsi(gsi) => (sys::KVM_IRQX_NO_FD, *gsi),
                };
                sys::kvm_irqx_target_state {
                    fd,
                    gsi,
                    ..Default::default()
                }
            })
            .collect();
        // SAFETY: as above; the array is as long as it is said to be.
        check(unsafe {
            sys::kvmirqx_get_states(
                self.as_ptr(),
                raw.as_mut_ptr(),
                size_of::<sys::kvm_irqx_target_state>(),
                count(raw.len())?,
                ptr::null_mut(),
            )
        })?;
        Ok(raw.iter().map(|target| State::of(target.state)).collect())
    }

    /// Which eventfds are bound, and what has become of their events.
    pub fn list(&self) -> Result<Listing<'_>> {
        Listing::begin(self)
    }
}

/// The GSI table, of which a context has one of its own.
impl Context {
    /// Replaces all of it.
    pub fn set_routes(&self, entries: &[Entry]) -> Result<()> {
        let (entries, nr) = as_raw(entries)?;
        // SAFETY: as above; the array is as long as it is said to be.
        self.done(unsafe { sys::kvmirqx_set_routes(self.as_ptr(), entries, nr) })
    }

    /// Gives the entry's GSI this one entry, whatever it had before.
    pub fn route_set(&self, entry: &Entry) -> Result<()> {
        // SAFETY: as above.
        self.done(unsafe { sys::kvmirqx_route_set(self.as_ptr(), entry.raw()) })
    }

    /// Gives it this entry too.
    pub fn route_add(&self, entry: &Entry) -> Result<()> {
        // SAFETY: as above.
        self.done(unsafe { sys::kvmirqx_route_add(self.as_ptr(), entry.raw()) })
    }

    /// Takes all entries of a GSI away; success if it has none.
    pub fn route_del(&self, gsi: u32) -> Result<()> {
        // SAFETY: as above.
        self.done(unsafe { sys::kvmirqx_route_del(self.as_ptr(), gsi) })
    }

    /// Drives a GSI.
    pub fn irq_line(&self, gsi: u32, level: bool) -> Result<()> {
        // SAFETY: as above.
        self.done(unsafe { sys::kvmirqx_irq_line(self.as_ptr(), gsi, level.into()) })
    }

    /// The same, and what became of it: negative: ignored; 0: coalesced; else how many vCPUs it
    /// went to.
    pub fn irq_line_status(&self, gsi: u32, level: bool) -> Result<i32> {
        let mut status = 0;
        // SAFETY: as above.
        check(unsafe {
            sys::kvmirqx_irq_line_status(self.as_ptr(), gsi, level.into(), &mut status)
        })?;
        Ok(status)
    }

    /// Says where a virtual processor has its event flags (x86), or that it has none.
    pub fn set_synic_page(&self, vp_index: u32, gpa: Option<u64>) -> Result<()> {
        // SAFETY: as above.
        self.done(match gpa {
            Some(gpa) => unsafe { sys::kvmirqx_synic_page_set(self.as_ptr(), vp_index, gpa) },
            None => unsafe { sys::kvmirqx_synic_page_clear(self.as_ptr(), vp_index) },
        })
    }
}

/// Tables of vectors, and dynirqs.
impl Context {
    /// An MSI-X table, answered in the kernel, until the [`Table`] is dropped.
    pub fn table(&self, options: &TableOptions<'_>) -> Result<Table<&Context>> {
        Table::new(self, options)
    }

    /// A dynirq, until the [`Dynirq`] is dropped.
    pub fn dynirq(&self, options: &TableOptions<'_>) -> Result<Dynirq<&Context>> {
        Dynirq::new(self, options)
    }
}

fn raw(fd: &impl AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}

impl AsFd for Context {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open for as long as self is.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }
    }
}

impl AsRawFd for Context {
    fn as_raw_fd(&self) -> RawFd {
        // SAFETY: as above.
        unsafe { sys::kvmirqx_fd(self.as_ptr()) }
    }
}

/// The file without the context. Bindings stay.
impl IntoRawFd for Context {
    fn into_raw_fd(self) -> RawFd {
        // SAFETY: nobody else has the context, and self is no more.
        unsafe { sys::kvmirqx_release(self.into_raw()) }
    }
}

impl From<Context> for OwnedFd {
    fn from(context: Context) -> OwnedFd {
        // SAFETY: it is the caller's now.
        unsafe { OwnedFd::from_raw_fd(context.into_raw_fd()) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: nothing borrows self, so this is the last call.
        let ret = unsafe { sys::kvmirqx_close(self.as_ptr()) };
        debug_assert!(check_plain(ret).is_ok());
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("fd", &self.as_raw_fd())
            .finish()
    }
}
