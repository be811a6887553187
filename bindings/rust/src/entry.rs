// SPDX-License-Identifier: MIT

//! Where an event goes.

use crate::error::{count, Result};
use crate::sys;
use std::fmt;
use std::os::raw::{c_char, c_int};
use std::ptr;

/// Whose guest it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arch {
    /// This program's.
    #[default]
    Native,
    /// amd64
    X86,
    /// arm64
    Arm64,
}

impl Arch {
    fn raw(self) -> c_int {
        let arch = match self {
            Arch::Native => sys::KVMIRQX_ARCH_NATIVE,
            Arch::X86 => sys::KVMIRQX_ARCH_X86,
            Arch::Arm64 => sys::KVMIRQX_ARCH_ARM64,
        };
        arch as c_int
    }
}

/// A message as the guest has written it into its MSI-X table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Msi {
    /// Message Upper Address and Message Address
    pub address: u64,
    /// Message Data
    pub data: u32,
    /// The function's requester ID, as its ITS knows it: arm64 with an ITS. On x86 it is ignored.
    pub devid: Option<u32>,
    /// The guest was told of KVM_FEATURE_MSI_EXT_DEST_ID (x86).
    pub ext_dest_id: bool,
}

/// A routing entry: where an event goes, in KVM's terms.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Entry(sys::kvm_irq_routing_entry);

impl Entry {
    /// A message.
    pub fn msi(msi: &Msi) -> Entry {
        Entry::msi_of(Arch::Native, msi)
    }

    /// The same for a guest of this architecture.
    pub fn msi_of(arch: Arch, msi: &Msi) -> Entry {
        let mut entry = Entry::default();
        let mut flags = 0;
        if msi.ext_dest_id {
            flags |= sys::KVMIRQX_MSI_EXT_DEST_ID;
        }
        if msi.devid.is_some() {
            flags |= sys::KVMIRQX_MSI_DEVID;
        }
        let raw = sys::kvmirqx_msi {
            address_lo: msi.address as u32,
            address_hi: (msi.address >> 32) as u32,
            data: msi.data,
            devid: msi.devid.unwrap_or(0),
        };
        // SAFETY: both are there. It fails for an architecture or flags that it does not know.
        let ret = unsafe { sys::kvmirqx_msi_entry(&mut entry.0, arch.raw(), flags, &raw) };
        debug_assert_eq!(ret, 0);
        entry
    }

    fn of_type(kind: u32) -> Entry {
        let mut entry = Entry::default();
        entry.0.type_ = kind;
        entry
    }

    /// A pin of an irqchip: x86: 0 and 1 are the PICs, 2 the IOAPIC; arm64: 0, and the pin is the
    /// SPI less 32.
    pub fn irqchip(irqchip: u32, pin: u32) -> Entry {
        let mut entry = Entry::of_type(sys::KVM_IRQ_ROUTING_IRQCHIP);
        entry.0.u.irqchip = sys::kvm_irq_routing_irqchip { irqchip, pin };
        entry
    }

    /// A SINT of a virtual processor (x86).
    pub fn hv_sint(vp_index: u32, sint: u32) -> Entry {
        let mut entry = Entry::of_type(sys::KVM_IRQ_ROUTING_HV_SINT);
        entry.0.u.hv_sint = sys::kvm_irq_routing_hv_sint {
            vcpu: vp_index,
            sint,
        };
        entry
    }

    /// A Xen event channel (x86).
    pub fn xen_evtchn(port: u32, vcpu: u32, priority: u32) -> Entry {
        let mut entry = Entry::of_type(sys::KVM_IRQ_ROUTING_XEN_EVTCHN);
        entry.0.u.xen_evtchn = sys::kvm_irq_routing_xen_evtchn {
            port,
            vcpu,
            priority,
        };
        entry
    }

    /// A PPI of one vCPU (arm64).
    pub fn ppi(vcpu: u32, intid: u32) -> Entry {
        let mut entry = Entry::of_type(sys::KVM_IRQX_ROUTING_PPI);
        entry.0.u.irqchip = sys::kvm_irq_routing_irqchip {
            irqchip: vcpu,
            pin: intid,
        };
        entry
    }

    /// A vector of a table, or a handle of a dynirq, of the context that takes the entry:
    /// [`Table::vector`](crate::Table::vector) and [`Handle::entry`](crate::Handle::entry) make it.
    pub fn vector(table: u32, vector: u32) -> Entry {
        let mut entry = Entry::of_type(sys::KVM_IRQX_ROUTING_VECTOR);
        entry.0.u.irqchip = sys::kvm_irq_routing_irqchip {
            irqchip: table,
            pin: vector,
        };
        entry
    }

    /// The same as an entry of the GSI table. An eventfd's own entry has GSI 0.
    #[must_use]
    pub fn with_gsi(mut self, gsi: u32) -> Entry {
        self.0.gsi = gsi;
        self
    }

    /// Its GSI.
    pub fn gsi(&self) -> u32 {
        self.0.gsi
    }

    /// As C has it.
    pub fn raw(&self) -> &sys::kvm_irq_routing_entry {
        &self.0
    }

    /// What C has made.
    ///
    /// # Safety
    ///
    /// All bytes must have been written, also those of the union that its type does not use:
    /// begin with `sys::kvm_irq_routing_entry::default()`.
    pub unsafe fn from_raw(raw: sys::kvm_irq_routing_entry) -> Entry {
        Entry(raw)
    }

    /// Such as "MSI vector 0x41 to APIC 3, physical, edge"; the GSI is not told.
    pub fn words(&self, arch: Arch) -> String {
        // SAFETY: of size 0 nothing is written.
        let length = unsafe { sys::kvmirqx_entry_words(&self.0, arch.raw(), ptr::null_mut(), 0) };
        let mut words = vec![0u8; usize::try_from(length).unwrap_or(0) + 1];
        let buf = words.as_mut_ptr() as *mut c_char;
        // SAFETY: the buffer is as long as it is said to be.
        let ret = unsafe { sys::kvmirqx_entry_words(&self.0, arch.raw(), buf, words.len()) };
        debug_assert_eq!(ret, length);
        words.pop();
        String::from_utf8_lossy(&words).into_owned()
    }

    /// All of the union.
    fn payload(&self) -> [u32; 8] {
        // SAFETY: all bytes are initialized: zero at first, or by who called from_raw().
        unsafe { self.0.u.pad }
    }
}

/// All zero: an entry that no call takes.
impl Default for Entry {
    fn default() -> Entry {
        Entry(sys::kvm_irq_routing_entry::default())
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        let head = |entry: &Entry| (entry.0.gsi, entry.0.type_, entry.0.flags, entry.0.pad);
        head(self) == head(other) && self.payload() == other.payload()
    }
}

impl Eq for Entry {}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry(gsi {}, {})", self.0.gsi, self.words(Arch::Native))
    }
}

/// As the library takes them.
pub(crate) fn as_raw(entries: &[Entry]) -> Result<(*const sys::kvm_irq_routing_entry, u32)> {
    // Entry is transparent.
    Ok((entries.as_ptr().cast(), count(entries.len())?))
}
