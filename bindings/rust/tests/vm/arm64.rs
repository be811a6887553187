// SPDX-License-Identifier: MIT

//! arm64: SPIs, which the distributor of a VGICv3 tells of. There is an ITS, which no guest has
//! set up.

use super::{by_pointer, by_value, must, owned, KVM_CREATE_VCPU};
use kvmirqx::Entry;
use std::os::raw::c_ulong;
use std::os::unix::io::{FromRawFd, OwnedFd};

const KVM_CREATE_DEVICE: c_ulong = 0xc00c_aee0;
const KVM_SET_DEVICE_ATTR: c_ulong = 0x4018_aee1;
const KVM_GET_DEVICE_ATTR: c_ulong = 0x4018_aee2;
const KVM_ARM_VCPU_INIT: c_ulong = 0x4020_aeae;
const KVM_ARM_PREFERRED_TARGET: c_ulong = 0x8020_aeaf;

const VGIC_V3: u32 = 7;
const ITS: u32 = 8;

const GROUP_ADDR: u32 = 0;
const GROUP_DIST_REGS: u32 = 1;
const GROUP_CTRL: u32 = 4;

const ADDR_DIST: u64 = 2;
const ADDR_REDIST: u64 = 3;
const ADDR_ITS: u64 = 4;
const CTRL_INIT: u64 = 0;

const GICD_ISPENDR: u64 = 0x200;
const FIRST_SPI: u32 = 32;

#[repr(C)]
#[derive(Default)]
struct CreateDevice {
    kind: u32,
    fd: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct DeviceAttr {
    flags: u32,
    group: u32,
    attr: u64,
    addr: u64,
}

#[repr(C)]
#[derive(Default)]
struct VcpuInit {
    target: u32,
    features: [u32; 7],
}

pub struct Devices {
    vgic: OwnedFd,
    // They are the VM's, and go with it.
    _vcpu: OwnedFd,
    _its: OwnedFd,
}

fn create(vm: &OwnedFd, kind: u32) -> OwnedFd {
    let mut device = CreateDevice {
        kind,
        ..Default::default()
    };
    must(
        "KVM_CREATE_DEVICE",
        by_pointer(vm, KVM_CREATE_DEVICE, &mut device),
    );
    // SAFETY: a new descriptor.
    unsafe { OwnedFd::from_raw_fd(device.fd as i32) }
}

/// `value` is as long as the attribute.
fn attr<T>(device: &OwnedFd, request: c_ulong, group: u32, attr: u64, value: &mut T) {
    let mut raw = DeviceAttr {
        flags: 0,
        group,
        attr,
        addr: value as *mut T as u64,
    };
    must("device attribute", by_pointer(device, request, &mut raw));
}

fn set(device: &OwnedFd, group: u32, number: u64, mut value: u64) {
    attr(device, KVM_SET_DEVICE_ATTR, group, number, &mut value);
}

impl Devices {
    pub fn new(vm: &OwnedFd) -> Devices {
        let vgic = create(vm, VGIC_V3);
        set(&vgic, GROUP_ADDR, ADDR_DIST, 0x800_0000);
        set(&vgic, GROUP_ADDR, ADDR_REDIST, 0x80a_0000);
        let vcpu = owned("KVM_CREATE_VCPU", by_value(vm, KVM_CREATE_VCPU, 0));
        let mut init = VcpuInit::default();
        must(
            "KVM_ARM_PREFERRED_TARGET",
            by_pointer(vm, KVM_ARM_PREFERRED_TARGET, &mut init),
        );
        must(
            "KVM_ARM_VCPU_INIT",
            by_pointer(&vcpu, KVM_ARM_VCPU_INIT, &mut init),
        );
        set(&vgic, GROUP_CTRL, CTRL_INIT, 0);
        let its = create(vm, ITS);
        set(&its, GROUP_ADDR, ADDR_ITS, 0x808_0000);
        set(&its, GROUP_CTRL, CTRL_INIT, 0);
        Devices {
            vgic,
            _vcpu: vcpu,
            _its: its,
        }
    }

    pub fn came(&self, n: u32) -> bool {
        let intid = FIRST_SPI + n;
        let offset = GICD_ISPENDR + u64::from(intid / 32) * 4;
        let mut value = 0u32;
        attr(
            &self.vgic,
            KVM_GET_DEVICE_ATTR,
            GROUP_DIST_REGS,
            offset,
            &mut value,
        );
        value & 1 << (intid % 32) != 0
    }
}

pub fn entry(n: u32) -> Entry {
    Entry::irqchip(0, n)
}

pub fn level(n: u32) -> Entry {
    Entry::irqchip(0, n)
}

pub fn message(_n: u32) -> Option<(u32, u32)> {
    None
}
