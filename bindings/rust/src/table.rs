// SPDX-License-Identifier: MIT

//! Tables of vectors, and dynirqs.

use crate::context::Context;
use crate::entry::Entry;
use crate::error::{check, count, Error, Result};
use crate::sys;
use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::mem::{size_of, ManuallyDrop};
use std::ops::Deref;
use std::os::raw::c_char;
use std::os::unix::io::{AsRawFd, BorrowedFd};
use std::ptr;

/// The state of one vector, as C has it.
pub type Vector = sys::kvm_irqx_vector;

/// What the guest's configuration space says of a table. A dynirq has `decodes` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableFlags {
    /// The guest's accesses are answered: Memory Space Enable.
    pub decodes: bool,
    /// MSI-X Enable.
    pub enabled: bool,
    /// Function Mask.
    pub masked: bool,
}

impl TableFlags {
    fn raw(self) -> u32 {
        let mut raw = 0;
        if self.decodes {
            raw |= sys::KVM_IRQX_TABLE_DECODES;
        }
        if self.enabled {
            raw |= sys::KVM_IRQX_TABLE_ENABLED;
        }
        if self.masked {
            raw |= sys::KVM_IRQX_TABLE_MASKED;
        }
        raw
    }

    fn of(raw: u32) -> TableFlags {
        TableFlags {
            decodes: raw & sys::KVM_IRQX_TABLE_DECODES != 0,
            enabled: raw & sys::KVM_IRQX_TABLE_ENABLED != 0,
            masked: raw & sys::KVM_IRQX_TABLE_MASKED != 0,
        }
    }
}

/// A table or a dynirq to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableOptions<'f> {
    /// How many vectors or handles.
    pub nr: u32,
    /// Guest-physical address of the entries; of a dynirq, of its range.
    pub entries: u64,
    /// Address of the Pending Bit Array; of a dynirq zero.
    pub pba: u64,
    /// The device ID that the ITS knows the function by (arm64).
    pub devid: u32,
    /// An eventfd that is signalled when the guest has changed an entry; of a dynirq: has reset it
    /// or switched it off.
    pub change: Option<BorrowedFd<'f>>,
    /// At first.
    pub flags: TableFlags,
}

impl TableOptions<'_> {
    fn raw(&self) -> sys::kvmirqx_table_options {
        sys::kvmirqx_table_options {
            size: size_of::<sys::kvmirqx_table_options>() as u32,
            flags: self.flags.raw(),
            nr: self.nr,
            devid: self.devid,
            changefd: self.change.map_or(-1, |fd| fd.as_raw_fd()),
            pad: 0,
            entries: self.entries,
            pba: self.pba,
        }
    }
}

/// What [`Table::set_state`] leaves as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: a table is restored.
    #[default]
    Nothing,
    /// Addresses, data and masks: what is pending is set and cleared.
    Entries,
    /// What is pending: a guest's write is handed on.
    Pending,
}

/// An MSI-X table that is answered in the kernel, of the context `C`: `&Context`, `Arc<Context>` or
/// another pointer to one.
///
/// Dropped, it is destroyed, unless a binding or GSI leads to it: then it is there until the
/// context is closed. So bindings go first, and [`Table::destroy`] tells.
#[derive(Debug)]
pub struct Table<C: Deref<Target = Context>> {
    context: C,
    number: u32,
}

impl<C: Deref<Target = Context>> Table<C> {
    /// Makes one.
    pub fn new(context: C, options: &TableOptions<'_>) -> Result<Self> {
        let mut number = 0;
        // SAFETY: the context is open, and there is room for the number.
        check(unsafe { sys::kvmirqx_table_create(context.as_ptr(), &options.raw(), &mut number) })?;
        Ok(Table { context, number })
    }

    /// Its number in the context.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The context that it is of.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// A vector, as an entry that an eventfd or a GSI can have.
    pub fn vector(&self, vector: u32) -> Entry {
        Entry::vector(self.number, vector)
    }

    /// The guest has moved the BAR.
    pub fn move_to(&self, entries: u64, pba: u64) -> Result<()> {
        // SAFETY: here and below: the context is open for as long as self is.
        let ret =
            unsafe { sys::kvmirqx_table_move(self.context.as_ptr(), self.number, entries, pba) };
        check(ret).map(|_| ())
    }

    /// The guest has changed these.
    pub fn set_flags(&self, flags: TableFlags) -> Result<()> {
        // SAFETY: as above.
        let ret =
            unsafe { sys::kvmirqx_table_set(self.context.as_ptr(), self.number, flags.raw()) };
        check(ret).map(|_| ())
    }

    /// Reads as many vectors as there is room for, from `first` on.
    pub fn state(&self, first: u32, vectors: &mut [Vector]) -> Result<TableFlags> {
        self.get(first, vectors, ptr::null_mut(), ptr::null_mut())
    }

    /// The same, and which of them the guest has changed since this was last asked: bit 0 of word 0
    /// is `first`.
    pub fn state_and_changed(
        &self,
        first: u32,
        vectors: &mut [Vector],
    ) -> Result<(TableFlags, Vec<u64>)> {
        let mut changed = vec![0; (vectors.len() + 63) / 64];
        let flags = self.get(first, vectors, changed.as_mut_ptr(), ptr::null_mut())?;
        Ok((flags, changed))
    }

    /// `changed` has a bit for each of `vectors`, or is NULL; so may `header` be.
    fn get(
        &self,
        first: u32,
        vectors: &mut [Vector],
        changed: *mut u64,
        header: *mut sys::kvm_irqx_dynirq_header,
    ) -> Result<TableFlags> {
        let mut raw = raw_vectors(first, vectors.as_mut_ptr(), vectors.len())?;
        raw.changed = changed;
        raw.header = header;
        // SAFETY: as above; there is room where the pointers lead to.
        check(unsafe {
            sys::kvmirqx_table_get_state(self.context.as_ptr(), self.number, &mut raw)
        })?;
        Ok(TableFlags::of(raw.function))
    }

    /// Writes vectors, from `first` on, and with `function` the table's flags too: restores a table,
    /// or hands on what the guest has written to vectors that nothing is bound to.
    pub fn set_state(
        &self,
        first: u32,
        vectors: &[Vector],
        function: Option<TableFlags>,
        keep: Keep,
    ) -> Result<()> {
        self.set(first, vectors, function, keep, ptr::null_mut())
    }

    fn set(
        &self,
        first: u32,
        vectors: &[Vector],
        function: Option<TableFlags>,
        keep: Keep,
        header: *mut sys::kvm_irqx_dynirq_header,
    ) -> Result<()> {
        let mut raw = raw_vectors(first, vectors.as_ptr() as *mut Vector, vectors.len())?;
        raw.header = header;
        if let Some(flags) = function {
            raw.flags |= sys::KVM_IRQX_TABLE_STATE_FUNCTION;
            raw.function = flags.raw();
        }
        raw.flags |= match keep {
            Keep::Nothing => 0,
            Keep::Entries => sys::KVM_IRQX_TABLE_STATE_KEEP_ENTRIES,
            Keep::Pending => sys::KVM_IRQX_TABLE_STATE_KEEP_PENDING,
        };
        // SAFETY: as above; what the pointers lead to is read during the call, and not written.
        let ret = unsafe { sys::kvmirqx_table_set_state(self.context.as_ptr(), self.number, &raw) };
        check(ret).map(|_| ())
    }

    /// An event at a vector or handle.
    pub fn raise(&self, handle: u32) -> Result<()> {
        // SAFETY: as above.
        let ret = unsafe { sys::kvmirqx_raise(self.context.as_ptr(), self.number, handle) };
        check(ret).map(|_| ())
    }

    /// An event at each of these, in this order, or at none.
    pub fn raise_many(&self, handles: &[u32]) -> Result<()> {
        let nr = count(handles.len())?;
        // SAFETY: as above; the array is as long as it is said to be.
        let ret = unsafe {
            sys::kvmirqx_raise_many(self.context.as_ptr(), self.number, handles.as_ptr(), nr)
        };
        check(ret).map(|_| ())
    }

    /// Destroys it; hands it back if that fails. EBUSY: a binding or GSI leads to it.
    pub fn destroy(self) -> Result<(), (Error, Self)> {
        // SAFETY: as above.
        let ret = unsafe { sys::kvmirqx_table_destroy(self.context.as_ptr(), self.number) };
        match check(ret) {
            Ok(_) => {
                self.into_parts();
                Ok(())
            }
            Err(error) => Err((error, self)),
        }
    }

    /// Lets go of it: it is there until the context is closed.
    pub fn into_parts(self) -> (C, u32) {
        let this = ManuallyDrop::new(self);
        // SAFETY: it is read once, and what is left is not dropped.
        (unsafe { ptr::read(&this.context) }, this.number)
    }
}

fn raw_vectors(first: u32, vectors: *mut Vector, nr: usize) -> Result<sys::kvmirqx_vectors> {
    Ok(sys::kvmirqx_vectors {
        size: size_of::<sys::kvmirqx_vectors>() as u32,
        flags: 0,
        function: 0,
        first,
        nr: count(nr)?,
        vector_size: size_of::<Vector>() as u32,
        vectors,
        changed: ptr::null_mut(),
        header: ptr::null_mut(),
    })
}

impl<C: Deref<Target = Context>> Drop for Table<C> {
    fn drop(&mut self) {
        // SAFETY: as above. It fails if something leads to the table.
        unsafe { sys::kvmirqx_table_destroy(self.context.as_ptr(), self.number) };
    }
}

/// A dynirq of the context `C`: a [`Table`] whose vectors are called handles, and which the guest
/// alone owns. What is said of a table is true of it too.
#[derive(Debug)]
pub struct Dynirq<C: Deref<Target = Context>>(Table<C>);

/// What a dynirq's header page has of its own, to be saved and restored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header(sys::kvm_irqx_dynirq_header);

impl<C: Deref<Target = Context>> Dynirq<C> {
    /// Makes one.
    pub fn new(context: C, options: &TableOptions<'_>) -> Result<Self> {
        let mut number = 0;
        // SAFETY: the context is open, and there is room for the number.
        check(unsafe {
            sys::kvmirqx_dynirq_create(context.as_ptr(), &options.raw(), &mut number)
        })?;
        Ok(Dynirq(Table { context, number }))
    }

    /// Gives a handle an owner, until the [`Handle`] is dropped, which borrows the dynirq.
    /// [`Handle::new`] makes one that shares it.
    pub fn alloc(&self, handle: Option<u32>, label: &str) -> Result<Handle<&Self, C>> {
        Handle::new(self, handle, label)
    }

    /// As [`Table::state`], and the header.
    pub fn state_and_header(
        &self,
        first: u32,
        vectors: &mut [Vector],
    ) -> Result<(TableFlags, Header)> {
        let mut header = Header::default();
        header.0.argsz = size_of::<sys::kvm_irqx_dynirq_header>() as u32;
        let flags = self.get(first, vectors, ptr::null_mut(), &mut header.0)?;
        Ok((flags, header))
    }

    /// As [`Table::set_state`], and the header. Handles must have been allocated again before.
    pub fn set_state_and_header(
        &self,
        first: u32,
        vectors: &[Vector],
        function: Option<TableFlags>,
        header: &Header,
    ) -> Result<()> {
        let mut header = *header;
        self.set(first, vectors, function, Keep::Nothing, &mut header.0)
    }

    /// As [`Table::destroy`].
    pub fn destroy(self) -> Result<(), (Error, Self)> {
        self.0
            .destroy()
            .map_err(|(error, table)| (error, Dynirq(table)))
    }

    /// As [`Table::into_parts`].
    pub fn into_parts(self) -> (C, u32) {
        self.0.into_parts()
    }
}

impl<C: Deref<Target = Context>> Deref for Dynirq<C> {
    type Target = Table<C>;

    fn deref(&self) -> &Table<C> {
        &self.0
    }
}

/// A handle of a dynirq that has an owner: this. `D` is `&Dynirq<C>`, `Arc<Dynirq<C>>` or another
/// pointer to one.
///
/// Dropped, it has none any more, unless something leads to it.
#[derive(Debug)]
pub struct Handle<D: Deref<Target = Dynirq<C>>, C: Deref<Target = Context>> {
    dynirq: D,
    number: u32,
    context: PhantomData<fn() -> C>,
}

impl<D: Deref<Target = Dynirq<C>>, C: Deref<Target = Context>> Handle<D, C> {
    /// Gives a handle, or the lowest that has none, an owner, and a label of 1 to 31 bytes for the
    /// guest.
    pub fn new(dynirq: D, handle: Option<u32>, label: &str) -> Result<Self> {
        let text = c_label(label)?;
        let which = handle.unwrap_or(sys::KVM_IRQX_ANY_HANDLE as u32);
        let table = dynirq.number();
        // SAFETY: the context is open, and the label ends with a zero.
        let number = check(unsafe {
            sys::kvmirqx_handle_alloc(dynirq.context().as_ptr(), table, which, text.as_ptr())
        })?;
        Ok(Handle {
            dynirq,
            number,
            context: PhantomData,
        })
    }

    /// Which of the dynirq's handles it is.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The dynirq that it is of.
    pub fn dynirq(&self) -> &Dynirq<C> {
        &self.dynirq
    }

    /// As an entry that an eventfd or a GSI can have.
    pub fn entry(&self) -> Entry {
        self.dynirq.vector(self.number)
    }

    /// An event.
    pub fn raise(&self) -> Result<()> {
        self.dynirq.raise(self.number)
    }

    /// Gives it another label.
    pub fn set_label(&self, label: &str) -> Result<()> {
        let text = c_label(label)?;
        let (context, table) = self.place();
        // SAFETY: the context is open for as long as self is, and the label ends with a zero.
        let ret =
            unsafe { sys::kvmirqx_handle_set_label(context, table, self.number, text.as_ptr()) };
        check(ret).map(|_| ())
    }

    /// Its label.
    pub fn label(&self) -> Result<String> {
        let mut label = [0u8; sys::KVM_IRQX_LABEL_SIZE as usize];
        let (context, table) = self.place();
        let size = label.len();
        let to = label.as_mut_ptr() as *mut c_char;
        // SAFETY: as above; there is as much room as it is told.
        check(unsafe { sys::kvmirqx_handle_get_label(context, table, self.number, to, size) })?;
        // SAFETY: it ends with a zero if the call has succeeded.
        let label = unsafe { CStr::from_ptr(to) };
        Ok(label.to_string_lossy().into_owned())
    }

    /// It has no owner any more; handed back if that fails. EBUSY: something leads to it.
    pub fn free(self) -> Result<(), (Error, Self)> {
        let (context, table) = self.place();
        // SAFETY: as above.
        let ret = unsafe { sys::kvmirqx_handle_free(context, table, self.number) };
        match check(ret) {
            Ok(_) => {
                self.into_parts();
                Ok(())
            }
            Err(error) => Err((error, self)),
        }
    }

    /// Lets go of it: its owner is no object any more.
    pub fn into_parts(self) -> (D, u32) {
        let this = ManuallyDrop::new(self);
        // SAFETY: it is read once, and what is left is not dropped.
        (unsafe { ptr::read(&this.dynirq) }, this.number)
    }

    fn place(&self) -> (*mut sys::kvmirqx, u32) {
        (self.dynirq.context().as_ptr(), self.dynirq.number())
    }
}

impl<D: Deref<Target = Dynirq<C>>, C: Deref<Target = Context>> Drop for Handle<D, C> {
    fn drop(&mut self) {
        let (context, table) = self.place();
        // SAFETY: as above. It fails if something leads to the handle.
        unsafe { sys::kvmirqx_handle_free(context, table, self.number) };
    }
}

fn c_label(label: &str) -> Result<CString> {
    CString::new(label).map_err(|_| Error::plain(libc::EINVAL))
}
