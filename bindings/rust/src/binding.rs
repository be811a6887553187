// SPDX-License-Identifier: MIT

//! Bound eventfds, which are unbound when they are dropped.

use crate::batch::Batch;
use crate::context::{Context, Options, State, Target};
use crate::entry::Entry;
use crate::error::Result;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::unix::io::AsFd;
use std::ptr;

/// What both kinds of binding hold. The eventfd is open for as long as this is, so that its number
/// means the same at the end.
#[derive(Debug)]
struct Bound<C: Deref<Target = Context>, F: AsFd> {
    context: C,
    fd: F,
}

impl<C: Deref<Target = Context>, F: AsFd> Bound<C, F> {
    fn into_parts(self) -> (C, F) {
        let this = ManuallyDrop::new(self);
        // SAFETY: each is read once, and what is left is not dropped.
        unsafe { (ptr::read(&this.context), ptr::read(&this.fd)) }
    }

    fn unbind(self) -> Result<bool> {
        let (context, fd) = self.into_parts();
        context.deassign(&fd)
    }
}

impl<C: Deref<Target = Context>, F: AsFd> Drop for Bound<C, F> {
    fn drop(&mut self) {
        // It fails in the child of a fork, whose bindings these are not, and in a thread that is
        // being killed.
        let _ = self.context.deassign(&self.fd);
    }
}

/// An eventfd `F` with an entry of its own in the context `C`.
///
/// `C` is `&Context`, `Arc<Context>` or another pointer to one; `F` is anything with a descriptor:
/// an [`EventFd`](crate::EventFd), a reference to it, an `OwnedFd`. Dropped, it is unbound: what was
/// signalled before is delivered or is in the eventfd again, and nothing will be delivered.
#[derive(Debug)]
pub struct Binding<C: Deref<Target = Context>, F: AsFd>(Bound<C, F>);

impl<C: Deref<Target = Context>, F: AsFd> Binding<C, F> {
    /// Binds an eventfd to an entry.
    pub fn new(context: C, fd: F, entry: &Entry, options: Options<'_>) -> Result<Self> {
        context.assign(&fd, entry, options)?;
        Ok(Binding::adopt(context, fd))
    }

    /// Binds many by one call, all of them or none; at most `max_batch` of the info.
    pub fn new_all<'f>(
        context: C,
        all: impl IntoIterator<Item = (F, Entry, Options<'f>)>,
    ) -> Result<Vec<Self>>
    where
        C: Clone,
    {
        let all: Vec<_> = all.into_iter().collect();
        let mut batch = Batch::new()?;
        for (fd, entry, options) in &all {
            batch.assign(fd, entry, *options)?;
        }
        batch.run(&context)?;
        drop(batch);
        Ok(all
            .into_iter()
            .map(|(fd, ..)| Binding::adopt(context.clone(), fd))
            .collect())
    }

    /// What is bound already, by a [`Batch`], say. If it is not, nothing happens at the end.
    pub fn adopt(context: C, fd: F) -> Self {
        Binding(Bound { context, fd })
    }

    /// Gives it another entry. When this returns nothing goes to the old one any more, and no event
    /// was lost.
    pub fn modify(&self, entry: &Entry, options: Options<'_>) -> Result<()> {
        self.context().modify(self.fd(), entry, options)
    }

    /// Holds its events back. When this returns none will be delivered.
    pub fn mask(&self) -> Result<()> {
        self.context().mask(self.target())
    }

    /// Lets them go: what is pending is delivered as one interrupt.
    pub fn unmask(&self) -> Result<()> {
        self.context().unmask(self.target())
    }

    /// Is it masked, is something pending?
    pub fn state(&self) -> Result<State> {
        self.context().state(self.target())
    }

    /// For [`Context::states`].
    pub fn target(&self) -> Target<'_> {
        Target::Fd(self.fd().as_fd())
    }

    /// The context that it is of.
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// The eventfd.
    pub fn fd(&self) -> &F {
        &self.0.fd
    }

    /// Unbinds, and tells what drop would not: an error, or that it was not bound any more.
    pub fn unbind(self) -> Result<bool> {
        self.0.unbind()
    }

    /// Lets go of it: the eventfd stays bound.
    pub fn into_parts(self) -> (C, F) {
        self.0.into_parts()
    }
}

/// An eventfd `F` that is bound to a GSI of the context `C`; both as of a [`Binding`].
#[derive(Debug)]
pub struct GsiBinding<C: Deref<Target = Context>, F: AsFd> {
    bound: Bound<C, F>,
    gsi: u32,
}

impl<C: Deref<Target = Context>, F: AsFd> GsiBinding<C, F> {
    /// Binds an eventfd to a GSI, which needs no route.
    pub fn new(context: C, fd: F, gsi: u32, options: Options<'_>) -> Result<Self> {
        context.irqfd(&fd, gsi, options)?;
        Ok(GsiBinding {
            bound: Bound { context, fd },
            gsi,
        })
    }

    /// The GSI.
    pub fn gsi(&self) -> u32 {
        self.gsi
    }

    /// The context that it is of.
    pub fn context(&self) -> &Context {
        &self.bound.context
    }

    /// The eventfd.
    pub fn fd(&self) -> &F {
        &self.bound.fd
    }

    /// As [`Binding::unbind`].
    pub fn unbind(self) -> Result<bool> {
        self.bound.unbind()
    }

    /// Lets go of it: the eventfd stays bound.
    pub fn into_parts(self) -> (C, F) {
        self.bound.into_parts()
    }
}
