// SPDX-License-Identifier: MIT

//! Interrupts into a KVM virtual machine by /dev/kvm-irqx: a safe layer over libkvmirqx.
//!
//! What a call does, when it waits and what its errors mean is in `<linux/kvm_irqx.h>`; what the
//! library adds, in `<kvmirqx.h>`. Here are types that cannot be used in the wrong order.
//!
//! ```no_run
//! use kvmirqx::{Context, Entry, EventFd, Msi, Options};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let vm = std::fs::File::open("/dev/null")?;
//! let context = Context::open()?;
//! context.attach(&vm)?;
//!
//! // From now on every event of the eventfd is vector 0x41 of vCPU 0.
//! let eventfd = EventFd::new()?;
//! let msi = Msi { address: 0xfee0_0000, data: 0x41, ..Msi::default() };
//! let binding = context.bind(&eventfd, &Entry::msi(&msi), Options::default())?;
//! eventfd.signal()?;
//!
//! // The guest moves it: vector 0x52 of vCPU 1. Nothing goes to 0x41 after this.
//! let msi = Msi { address: 0xfee0_1000, data: 0x52, ..Msi::default() };
//! binding.modify(&Entry::msi(&msi), Options::default())?;
//! # Ok(())
//! # }
//! ```
//!
//! # Who owns what
//!
//! A [`Binding`] unbinds its eventfd when it is dropped, a [`Table`] and a [`Dynirq`] are
//! destroyed, a [`Handle`] is free again, a [`Context`] is closed. What is made by a method of the
//! Context borrows it; what is made by `new` has any pointer to it, such as an `Arc`:
//!
//! ```no_run
//! # use kvmirqx::{Binding, Context, Entry, EventFd, Options, Result};
//! # use std::sync::Arc;
//! struct Device {
//!     interrupts: Vec<Binding<Arc<Context>, EventFd>>,
//! }
//!
//! fn interrupt(context: &Arc<Context>, entry: &Entry) -> Result<Binding<Arc<Context>, EventFd>> {
//!     Binding::new(Arc::clone(context), EventFd::new()?, entry, Options::default())
//! }
//! ```
//!
//! Drop cannot tell of an error: [`Binding::unbind`], [`Table::destroy`] and [`Handle::free`] do the
//! same and tell. `into_parts` lets go of an object, and what it stands for stays; a Context becomes
//! its file by `OwnedFd::from`, and a file a Context by [`Context::adopt`].
//!
//! A binding cannot outlive the context that it borrows:
//!
//! ```compile_fail,E0505
//! # use kvmirqx::{Context, Entry, EventFd, Options, Result};
//! # fn f(context: Context, eventfd: EventFd, entry: Entry) -> Result<()> {
//! let binding = context.bind(&eventfd, &entry, Options::default())?;
//! drop(context);
//! binding.mask()?;
//! # Ok(())
//! # }
//! ```
//!
//! nor the eventfd, so that its descriptor cannot have become another file's meanwhile:
//!
//! ```compile_fail,E0505
//! # use kvmirqx::{Context, Entry, EventFd, Options, Result};
//! # fn f(context: Context, eventfd: EventFd, entry: Entry) -> Result<()> {
//! let binding = context.bind(&eventfd, &entry, Options::default())?;
//! drop(eventfd);
//! binding.mask()?;
//! # Ok(())
//! # }
//! ```
//!
//! and the same holds for what a [`Batch`] names, a [`Listing`], and the handles of a dynirq:
//!
//! ```compile_fail,E0505
//! # use kvmirqx::{Batch, Context, Entry, EventFd, Options, Result};
//! # fn f(context: Context, eventfd: EventFd, entry: Entry) -> Result<()> {
//! let mut batch = Batch::new()?;
//! batch.assign(&eventfd, &entry, Options::default())?;
//! drop(eventfd);
//! batch.run(&context)?;
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0505
//! # use kvmirqx::{Context, Result};
//! # fn f(context: Context) -> Result<()> {
//! let mut listing = context.list()?;
//! drop(context);
//! listing.next();
//! # Ok(())
//! # }
//! ```
//!
//! ```compile_fail,E0505
//! # use kvmirqx::{Context, Dynirq, Result};
//! # fn f(dynirq: Dynirq<&Context>) -> Result<()> {
//! let handle = dynirq.alloc(None, "net")?;
//! drop(dynirq);
//! handle.raise()?;
//! # Ok(())
//! # }
//! ```
//!
//! What lead to a table's vectors are numbers, as the guest has them: bindings to vectors should
//! stand before their table in a struct, so that they are dropped first.
//!
//! # Threads
//!
//! | type | `Send` | `Sync` | why |
//! |---|---|---|---|
//! | [`Context`] | yes | yes | memory that does not change, and a file whose calls the module orders |
//! | [`Binding`], [`GsiBinding`], [`Table`], [`Dynirq`], [`Handle`] | as what they hold | as what they hold | a pointer to a Context, and a number or a descriptor |
//! | [`Batch`], [`Listing`] | yes | no | memory of their own, without a lock |
//! | [`Entry`], [`Error`], [`EventFd`], [`Listed`], options | yes | yes | values; a descriptor |
//!
//! So any number of threads may use a Context, and mask, modify and unbind the same eventfd. What
//! they cannot do is share a batch:
//!
//! ```compile_fail,E0277
//! # use kvmirqx::{Batch, Context};
//! fn f(context: &Context, batch: &Batch) {
//!     std::thread::scope(|scope| {
//!         scope.spawn(|| batch.run(context));
//!     });
//! }
//! ```
//!
//! # Errors
//!
//! An [`Error`] has the errno, and the record of module and library: which argument is at fault,
//! what is wrong with it, which element of a batch it is in. Displayed, it is a sentence:
//! "KVM_IRQX_BATCH: entry.gsi: out of range, element 3 (EINVAL)". `ENOTSUP` is what module or
//! kernel do not know; [`Context::has`] tells beforehand.

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs)]

mod batch;
mod binding;
mod context;
mod entry;
mod error;
mod eventfd;
mod intx;
mod listing;
/// The library as C has it, by bindgen.
#[allow(missing_docs, non_camel_case_types, clippy::all)]
pub mod sys;
mod table;

pub use batch::Batch;
pub use binding::{Binding, GsiBinding};
pub use context::{Context, Options, State, Target};
pub use entry::{Arch, Entry, Msi};
pub use error::{arg_name, reason_words, Error, Result};
pub use eventfd::EventFd;
pub use intx::{intx_reason_words, Intx, IntxState};
pub use listing::{Listed, Listing};
pub use table::{Dynirq, Handle, Header, Keep, Table, TableFlags, TableOptions, Vector};

/// The library's version: major, minor, patch.
pub fn version() -> (u32, u32, u32) {
    // SAFETY: it takes nothing.
    let version = unsafe { sys::kvmirqx_version() } as u32;
    (version >> 16, version >> 8 & 0xff, version & 0xff)
}
