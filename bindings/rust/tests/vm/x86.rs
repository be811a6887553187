// SPDX-License-Identifier: MIT

//! x86: messages to the local APIC of a vCPU, whose IRR can be read.

use super::{by_pointer, by_value, must, owned, KVM_CREATE_VCPU};
use kvmirqx::{Entry, Msi};
use std::os::raw::c_ulong;
use std::os::unix::io::OwnedFd;

const KVM_CREATE_IRQCHIP: c_ulong = 0xae60;
const KVM_GET_LAPIC: c_ulong = 0x8400_ae8e;
const KVM_SET_LAPIC: c_ulong = 0x4400_ae8f;

const SPIV: usize = 0xf0;
const IRR: usize = 0x200;
const VECTOR: u32 = 0x40;
const IOAPIC: u32 = 2;

pub struct Devices {
    vcpu: OwnedFd,
}

type Lapic = [u8; 1024];

impl Devices {
    pub fn new(vm: &OwnedFd) -> Devices {
        must("KVM_CREATE_IRQCHIP", by_value(vm, KVM_CREATE_IRQCHIP, 0));
        let vcpu = owned("KVM_CREATE_VCPU", by_value(vm, KVM_CREATE_VCPU, 0));
        let mut lapic: Lapic = [0; 1024];
        must(
            "KVM_GET_LAPIC",
            by_pointer(&vcpu, KVM_GET_LAPIC, &mut lapic),
        );
        // A guest would switch it on.
        lapic[SPIV + 1] |= 1;
        must(
            "KVM_SET_LAPIC",
            by_pointer(&vcpu, KVM_SET_LAPIC, &mut lapic),
        );
        Devices { vcpu }
    }

    pub fn came(&self, n: u32) -> bool {
        let mut lapic: Lapic = [0; 1024];
        let ret = by_pointer(&self.vcpu, KVM_GET_LAPIC, &mut lapic);
        must("KVM_GET_LAPIC", ret);
        let vector = (VECTOR + n) as usize;
        lapic[IRR + vector / 32 * 16 + vector / 8 % 4] & 1 << (vector % 8) != 0
    }
}

pub fn entry(n: u32) -> Entry {
    Entry::msi(&Msi {
        address: 0xfee0_0000,
        data: VECTOR + n,
        ..Msi::default()
    })
}

pub fn level(n: u32) -> Entry {
    Entry::irqchip(IOAPIC, n)
}

pub fn message(n: u32) -> Option<(u32, u32)> {
    Some((0xfee0_0000, VECTOR + n))
}
