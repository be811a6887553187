// SPDX-License-Identifier: MIT

//! Which eventfds are bound.

use crate::context::{Context, State};
use crate::entry::Entry;
use crate::error::{check, Error, Result};
use crate::sys;
use std::fmt;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr::{self, NonNull};

/// A listing of all bindings of a context, however they were made.
///
/// What is bound during the whole of it comes exactly once, what comes or goes meanwhile at most
/// once. After an error it may be gone on with: who wants none to be missed asks again.
pub struct Listing<'c> {
    ptr: NonNull<sys::kvmirqx_list>,
    context: PhantomData<&'c Context>,
}

// SAFETY: it is memory that nobody else has, and a pointer to a context that is Sync and is
// borrowed. It is not Sync itself: kvmirqx.h has a listing for one thread at a time.
unsafe impl Send for Listing<'_> {}

/// One bound eventfd, as it was at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As it was given when it was bound.
    pub cookie: u64,
    /// How often it has been signalled.
    pub events: u64,
    /// Of these, those that were one interrupt with an earlier one, or nothing new came of.
    pub coalesced: u64,
    /// Of these, those that KVM answered with an error.
    pub refused: u64,
    /// `eventfd-id` of /proc/PID/fdinfo; `None`: it is not known.
    pub eventfd_id: Option<u32>,
    /// Has it a resamplefd?
    pub resample: bool,
    /// The same of that.
    pub resamplefd_id: Option<u32>,
    /// The GSI that it is bound to; `None`: it has an entry of its own.
    pub gsi: Option<u32>,
    /// Its event flag.
    pub event_flag: Option<u32>,
    /// Of where its events go.
    pub state: State,
    /// How many entries its events go to.
    pub entries: u32,
    /// The first of them, as it was given.
    pub entry: Option<Entry>,
}

impl<'c> Listing<'c> {
    pub(crate) fn begin(context: &'c Context) -> Result<Listing<'c>> {
        let mut ptr = ptr::null_mut();
        let size = size_of::<sys::kvm_irqx_binding>();
        // SAFETY: there is room for the pointer, and the context is open for as long as it is borrowed.
        check(unsafe { sys::kvmirqx_list_begin(context.as_ptr(), size, &mut ptr) })?;
        // SAFETY: it has succeeded.
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        Ok(Listing {
            ptr,
            context: PhantomData,
        })
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<Listed>;

    fn next(&mut self) -> Option<Result<Listed>> {
        let mut raw = sys::kvm_irqx_binding::default();
        // SAFETY: the listing was begun with the size of this, and the context is borrowed.
        match unsafe { sys::kvmirqx_list_next(self.ptr.as_ptr(), &mut raw) } {
            0 => None,
            ret if ret < 0 => Some(Err(Error::last(ret))),
            _ => Some(Ok(Listed::of(&raw))),
        }
    }
}

impl Listed {
    fn of(raw: &sys::kvm_irqx_binding) -> Listed {
        let has = |flag| raw.flags & flag != 0;
        Listed {
            cookie: raw.cookie,
            events: raw.events,
            coalesced: raw.coalesced,
            refused: raw.refused,
            eventfd_id: u32::try_from(raw.eventfd_id).ok(),
            resample: has(sys::KVM_IRQX_BINDING_RESAMPLE),
            resamplefd_id: u32::try_from(raw.resamplefd_id).ok(),
            gsi: Some(raw.gsi).filter(|_| has(sys::KVM_IRQX_BINDING_GSI)),
            event_flag: Some(raw.event_flag).filter(|_| has(sys::KVM_IRQX_BINDING_EVENT_FLAG)),
            state: State::of(raw.state),
            entries: raw.nr_entries,
            // SAFETY: it was all zero, and the kernel writes all of it.
            entry: Some(unsafe { Entry::from_raw(raw.entry) }).filter(|_| raw.nr_entries > 0),
        }
    }
}

impl Drop for Listing<'_> {
    fn drop(&mut self) {
        // SAFETY: nobody else has it.
        unsafe { sys::kvmirqx_list_end(self.ptr.as_ptr()) };
    }
}

impl fmt::Debug for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listing")
    }
}
