// SPDX-License-Identifier: MIT

//! The safe layer against the module: every call once and what it fails with, who unbinds what
//! when, and threads. It speaks KTAP; `-t CASE` runs one case.

mod vm;

use kvmirqx::{
    intx_reason_words, sys, Arch, Batch, Binding, Context, Dynirq, Entry, Error, EventFd,
    GsiBinding, Handle, Header, Intx, Keep, Listed, Listing, Msi, Options, State, Table,
    TableFlags, TableOptions, Target, Vector,
};
use std::fs::File;
use std::os::unix::io::{AsFd, AsRawFd, OwnedFd};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use vm::Vm;

const GSI: u32 = 70_000;
const COOKIE: u64 = 0xfedc_ba98_7654_3210;
const ENTRIES: u64 = 0xd000_0000;
const PBA: u64 = 0xd001_0000;

const NOTHING: State = State {
    masked: false,
    pending: false,
};
const MASKED: State = State {
    masked: true,
    pending: false,
};
const PENDING: State = State {
    masked: true,
    pending: true,
};

fn attached() -> (Vm, Context) {
    let vm = Vm::new();
    let context = Context::open().unwrap();
    context.attach(&vm).unwrap();
    (vm, context)
}

fn eventfd() -> EventFd {
    EventFd::new().unwrap()
}

fn options() -> Options<'static> {
    Options::default()
}

/// How many eventfds are bound.
fn bound(context: &Context) -> u32 {
    context.stats().unwrap().irqfds
}

fn listed(context: &Context) -> Vec<Listed> {
    let mut all: Vec<_> = context.list().unwrap().map(Result::unwrap).collect();
    all.sort_by_key(|listed| listed.cookie);
    all
}

#[track_caller]
fn refused<T>(result: Result<T, Error>, errno: i32, arg: u32, reason: u32) -> Error {
    let error = result.map(|_| ()).unwrap_err();
    let is = (error.errno(), error.arg(), error.reason());
    assert_eq!(is, (errno, arg, reason), "{}", error);
    error
}

// Contexts

fn open() {
    let context = Context::open().unwrap();
    let info = context.info().unwrap();
    assert_eq!(info.abi, sys::KVM_IRQX_ABI_VERSION);
    assert!(context.has(sys::KVM_IRQX_FEATURE_TABLE | sys::KVM_IRQX_FEATURE_LIST));
    assert!(!context.has(1u64 << 63));
    assert_eq!(kvmirqx::version().0, sys::KVMIRQX_VERSION_MAJOR);

    // Not attached: the calls that need a VM say so.
    assert_eq!(context.stats().unwrap_err().errno(), libc::ENOTCONN);
    let null = File::open("/dev/null").unwrap();
    refused(
        context.attach(&null),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_NONE,
        sys::KVM_IRQX_REASON_NONE,
    );
    let vm = Vm::new();
    context.attach(&vm).unwrap();
    assert_eq!(context.attach(&vm).unwrap_err().errno(), libc::EBUSY);
}

fn adopt() {
    let null = OwnedFd::from(File::open("/dev/null").unwrap());
    let number = null.as_raw_fd();
    let (error, null) = Context::adopt(null).unwrap_err();
    assert_eq!(error.errno(), libc::ENOTTY);
    assert_eq!(null.as_raw_fd(), number);

    // A file keeps its VM and its bindings.
    let (vm, context) = attached();
    let fd = eventfd();
    context.assign(&fd, &vm.entry(0), options()).unwrap();
    let file = OwnedFd::from(context);
    let context = Context::adopt(file).unwrap();
    assert_eq!(bound(&context), 1);

    // So does a pointer that C had meanwhile.
    let ptr = context.into_raw();
    // SAFETY: it is the context of above.
    let context = unsafe { Context::from_raw(ptr) };
    fd.signal().unwrap();
    assert!(vm.came(0));
    assert!(context.deassign(&fd).unwrap());
}

// Bindings

fn bind() {
    let (vm, context) = attached();
    let fd = eventfd();
    let binding = context.bind(&fd, &vm.entry(0), options()).unwrap();
    assert_eq!(binding.state().unwrap(), NOTHING);
    assert!(vm.quiet(0));
    fd.signal().unwrap();
    assert!(vm.came(0));
    assert_eq!(fd.read().unwrap(), 0);

    binding.modify(&vm.entry(1), options()).unwrap();
    assert!(vm.quiet(1));
    fd.signal().unwrap();
    assert!(vm.came(1));

    binding.mask().unwrap();
    assert_eq!(binding.state().unwrap(), MASKED);
    fd.signal().unwrap();
    assert_eq!(binding.state().unwrap(), PENDING);
    binding.modify(&vm.entry(2), options()).unwrap();
    assert!(vm.quiet(2));
    binding.unmask().unwrap();
    assert!(vm.came(2));
    assert_eq!(binding.state().unwrap(), NOTHING);

    let masked = Options {
        masked: Some(true),
        ..options()
    };
    binding.modify(&vm.entry(3), masked).unwrap();
    fd.signal().unwrap();
    assert!(vm.quiet(3));

    // What is pending goes back.
    assert!(binding.unbind().unwrap());
    assert_eq!(fd.read().unwrap(), 1);
    assert_eq!(bound(&context), 0);
    let stats = context.stats().unwrap();
    assert_eq!(stats.events, 3);
    assert_eq!(stats.refused, 0);
}

fn bind_errors() {
    let (vm, context) = attached();
    let fd = eventfd();
    let null = File::open("/dev/null").unwrap();
    let entry = vm.entry(0);
    refused(
        context.bind(&null, &entry, options()),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_FD,
        sys::KVM_IRQX_REASON_NOT_AN_EVENTFD,
    );
    refused(
        context.bind(&fd, &entry.with_gsi(1), options()),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_ENTRY_GSI,
        sys::KVM_IRQX_REASON_NOT_ZERO,
    );
    let resample = Options {
        resample: Some(null.as_fd()),
        ..options()
    };
    refused(
        context.bind(&fd, &vm.level(5), resample),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_RESAMPLEFD,
        sys::KVM_IRQX_REASON_NOT_AN_EVENTFD,
    );
    refused(
        context.modify(&fd, &entry, options()),
        libc::ENOENT,
        sys::KVM_IRQX_ARG_FD,
        sys::KVM_IRQX_REASON_NOT_BOUND,
    );
    refused(
        context.mask(Target::Gsi(GSI)),
        libc::ENOENT,
        sys::KVM_IRQX_ARG_GSI,
        sys::KVM_IRQX_REASON_NO_ROUTE,
    );
    assert!(!context.deassign(&fd).unwrap());

    let binding = context.bind(&fd, &entry, options()).unwrap();
    let error = refused(
        context.bind(&fd, &entry, options()),
        libc::EBUSY,
        sys::KVM_IRQX_ARG_FD,
        sys::KVM_IRQX_REASON_BOUND,
    );
    assert_eq!(error.index(), None);
    assert_eq!(
        error.to_string(),
        "KVM_IRQX_IRQFD_DIRECT: fd: bound already (EBUSY)"
    );
    assert_eq!(kvmirqx::reason_words(error.reason()), Some("bound already"));
    assert_eq!(kvmirqx::arg_name(error.arg()), Some("fd"));
    assert_eq!(kvmirqx::reason_words(u32::MAX), None);
    let io = std::io::Error::from(error.clone());
    let kind = std::io::Error::from_raw_os_error(libc::EBUSY).kind();
    assert_eq!(io.kind(), kind);
    assert_eq!(io.get_ref().unwrap().downcast_ref(), Some(&error));

    // The one that failed has not unbound what was there.
    assert_eq!(bound(&context), 1);
    assert!(context.deassign(&fd).unwrap());
    assert!(!binding.unbind().unwrap());
}

fn resample() {
    let (vm, context) = attached();
    let (fd, ack) = (eventfd(), eventfd());
    let with = Options {
        resample: Some(ack.as_fd()),
        cookie: COOKIE,
        ..options()
    };
    let binding = context.bind(&fd, &vm.level(5), with).unwrap();
    // The module has it.
    drop(ack);
    let all = listed(&context);
    assert!(all[0].resample);
    assert_eq!(all[0].entry, Some(vm.level(5)));
    fd.signal().unwrap();
    assert_eq!(context.stats().unwrap().events, 1);
    drop(binding);
    assert_eq!(bound(&context), 0);

    // An entry without an EOI.
    let message = Entry::msi(&Msi {
        address: 0xfee0_0000,
        data: 0x41,
        ..Msi::default()
    });
    let ack = eventfd();
    let with = Options {
        resample: Some(ack.as_fd()),
        ..options()
    };
    let error = context.bind(&fd, &message, with).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    assert_eq!(error.reason(), sys::KVM_IRQX_REASON_NO_EOI, "{}", error);
}

/// Who is dropped in which order.
fn drop_order() {
    let (vm, context) = attached();
    let fd = eventfd();
    {
        let _binding = context.bind(&fd, &vm.entry(0), options()).unwrap();
        assert_eq!(bound(&context), 1);
    }
    assert_eq!(bound(&context), 0);
    fd.signal().unwrap();
    assert!(vm.quiet(0));
    assert_eq!(fd.read().unwrap(), 1);

    // An eventfd of its own: unbound first, and then closed.
    drop(context.bind(eventfd(), &vm.entry(0), options()).unwrap());
    assert_eq!(bound(&context), 0);

    // Let go of, it stays, and can be taken up again.
    let binding = context.bind(&fd, &vm.entry(1), options()).unwrap();
    binding.into_parts();
    assert_eq!(bound(&context), 1);
    fd.signal().unwrap();
    assert!(vm.came(1));
    drop(Binding::adopt(&context, &fd));
    assert_eq!(bound(&context), 0);

    // The last who shares a context closes it.
    let context = Arc::new(context);
    let first = Binding::new(context.clone(), eventfd(), &vm.entry(2), options()).unwrap();
    let second = GsiBinding::new(context.clone(), eventfd(), GSI, options()).unwrap();
    drop(context);
    assert_eq!(bound(first.context()), 2);
    first.fd().signal().unwrap();
    assert!(vm.came(2));
    drop(first);
    assert_eq!(bound(second.context()), 1);
    let weak = {
        let (context, fd) = second.into_parts();
        assert!(context.deassign(&fd).unwrap());
        Arc::downgrade(&context)
    };
    assert!(weak.upgrade().is_none());
}

/// Closing a context undoes what nobody has unbound.
fn close() {
    let (vm, context) = attached();
    let fd = eventfd();
    let binding = context.bind(&fd, &vm.entry(0), options()).unwrap();
    binding.into_parts();
    drop(context);
    fd.signal().unwrap();
    assert!(vm.quiet(0));
    let other = Context::open().unwrap();
    other.attach(&vm).unwrap();
    fd.read().unwrap();
    let _binding = other.bind(&fd, &vm.entry(1), options()).unwrap();
    fd.signal().unwrap();
    assert!(vm.came(1));
}

// GSIs

fn routes() {
    let (vm, context) = attached();
    let fd = eventfd();
    let binding = context.bind_gsi(&fd, GSI, options()).unwrap();
    assert_eq!(binding.gsi(), GSI);
    fd.signal().unwrap();
    assert_eq!(context.stats().unwrap().unrouted, 1);
    context.route_set(&vm.entry(0).with_gsi(GSI)).unwrap();
    fd.signal().unwrap();
    assert!(vm.came(0));

    let gsi = Target::Gsi(GSI);
    context.mask(gsi).unwrap();
    fd.signal().unwrap();
    assert_eq!(context.state(gsi).unwrap(), PENDING);
    context.route_set(&vm.entry(1).with_gsi(GSI)).unwrap();
    context.unmask(gsi).unwrap();
    assert!(vm.came(1));

    let error = context.route_add(&vm.entry(2).with_gsi(GSI)).unwrap_err();
    assert_eq!(error.reason(), sys::KVM_IRQX_REASON_NOT_SHARED);
    context.route_del(GSI).unwrap();
    context.route_del(GSI).unwrap();
    assert_eq!(context.stats().unwrap().gsis, 0);

    let table = [vm.entry(2).with_gsi(1), vm.entry(3).with_gsi(GSI)];
    context.set_routes(&table).unwrap();
    assert_eq!(context.stats().unwrap().gsis, 2);
    fd.signal().unwrap();
    assert!(vm.came(3));
    context.irq_line(1, true).unwrap();
    assert!(vm.came(2));
    context.irq_line(1, false).unwrap();
    assert!(context.irq_line_status(1, true).unwrap() >= 0);
    context.set_routes(&[]).unwrap();
    assert!(context.irq_line_status(1, true).unwrap() < 0);
    let max = context.info().unwrap().max_gsi;
    assert_eq!(
        context.irq_line(max, true).unwrap_err().errno(),
        libc::EINVAL
    );
    let beyond = [table[0], table[1].with_gsi(max)];
    refused(
        context.set_routes(&beyond),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_NONE,
        sys::KVM_IRQX_REASON_NONE,
    );
    context.irqfd_deassign(&fd, GSI + 1).unwrap();
    assert_eq!(bound(&context), 1);
    assert!(binding.unbind().unwrap());

    let masked = Options {
        masked: Some(true),
        ..options()
    };
    refused(
        context.bind_gsi(&fd, GSI, masked),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_FLAGS,
        sys::KVM_IRQX_REASON_UNKNOWN_FLAG,
    );
}

fn synic() {
    let (_vm, context) = attached();
    if !context.has(sys::KVM_IRQX_FEATURE_EVENT_FLAG) {
        let error = context.set_synic_page(0, Some(0x1000)).unwrap_err();
        assert_eq!(error.errno(), libc::ENOTSUP);
        return;
    }
    context.set_synic_page(0, Some(0x1000)).unwrap();
    context.set_synic_page(0, None).unwrap();
    let error = context.set_synic_page(0, Some(0x1001)).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
}

// Batches

fn batch() {
    let (vm, context) = attached();
    let fds: Vec<_> = (0..8).map(|_| eventfd()).collect();
    let mut batch = Batch::new().unwrap();
    assert!(batch.is_empty());
    batch.run(&context).unwrap();
    for (n, fd) in (0..).zip(&fds[..6]) {
        batch.assign(fd, &vm.entry(n), options()).unwrap();
    }
    batch
        .route_set(&vm.entry(6).with_gsi(GSI), options())
        .and_then(|batch| batch.irqfd(&fds[6], GSI, options()))
        .and_then(|batch| batch.mask(Target::Gsi(GSI)))
        .unwrap();
    assert_eq!(batch.len(), 9);
    batch.run(&context).unwrap();
    fds[..7].iter().for_each(|fd| fd.signal().unwrap());
    assert!((0..6).all(|n| vm.came(n)));
    assert!(vm.quiet(6));
    let targets = [Target::Fd(fds[0].as_fd()), Target::Gsi(GSI)];
    assert_eq!(context.states(&targets).unwrap(), [NOTHING, PENDING]);

    // Again, it fails at its first, and nothing is done.
    let error = refused(
        batch.run(&context),
        libc::EBUSY,
        sys::KVM_IRQX_ARG_FD,
        sys::KVM_IRQX_REASON_BOUND,
    );
    assert_eq!(error.index(), Some(0));
    batch.clear();
    batch
        .unmask(Target::Gsi(GSI))
        .and_then(|batch| batch.modify(&fds[0], &vm.entry(7), options()))
        .and_then(|batch| batch.deassign(&fds[1]))
        .and_then(|batch| batch.assign(&fds[0], &vm.entry(0), options()))
        .unwrap();
    let error = refused(
        batch.run(&context),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_FD,
        sys::KVM_IRQX_REASON_TWICE,
    );
    assert_eq!(error.index(), Some(3));
    assert!(error.to_string().contains("element 3"), "{}", error);
    assert_eq!(context.states(&targets).unwrap(), [NOTHING, PENDING]);
    assert_eq!(bound(&context), 7);

    // The fewest operations from one table to another.
    batch.clear();
    let from = [vm.entry(6).with_gsi(GSI)];
    let to = [vm.entry(6).with_gsi(GSI), vm.entry(0).with_gsi(3)];
    assert_eq!(batch.routes(&from, &to).unwrap(), 1);
    batch.unmask(Target::Gsi(GSI)).unwrap();
    batch.run(&context).unwrap();
    assert!(vm.came(6));
    assert_eq!(context.stats().unwrap().gsis, 2);

    // What a batch has bound becomes a Binding.
    let adopted: Vec<_> = fds.iter().map(|fd| Binding::adopt(&context, fd)).collect();
    assert_eq!(adopted[0].state().unwrap(), NOTHING);
    drop(adopted);
    assert_eq!(bound(&context), 0);
}

fn bind_all() {
    let (vm, context) = attached();
    let nr = 1000;
    let all = (0..nr).map(|n| (eventfd(), vm.entry(n % 8), options()));
    let bindings = Binding::new_all(&context, all).unwrap();
    assert_eq!(bindings.len(), nr as usize);
    assert_eq!(bound(&context), nr);
    bindings[nr as usize - 1].fd().signal().unwrap();
    assert!(vm.came((nr - 1) % 8));
    let fd = eventfd();
    let all = [&fd, bindings[0].fd()].map(|fd| (fd, vm.entry(0), options()));
    let error = Binding::new_all(&context, all).unwrap_err();
    assert_eq!(error.index(), Some(1));
    assert_eq!(bound(&context), nr);
    drop(bindings);
    assert_eq!(bound(&context), 0);
}

// Listings

/// As /proc tells; `None`: a kernel that has no such line.
fn eventfd_id(fd: &EventFd) -> Option<u32> {
    let info = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
    std::fs::read_to_string(info)
        .unwrap()
        .lines()
        .find_map(|line| line.strip_prefix("eventfd-id:")?.trim().parse().ok())
}

fn list() {
    let (vm, context) = attached();
    assert_eq!(listed(&context), []);
    let (first, second) = (eventfd(), eventfd());
    let mut with = Options {
        cookie: 1,
        masked: Some(true),
        ..options()
    };
    let binding = context.bind(&first, &vm.entry(0), with).unwrap();
    with.cookie = COOKIE;
    with.masked = None;
    let _gsi = context.bind_gsi(&second, GSI, with).unwrap();
    first.signal().unwrap();
    first.signal().unwrap();
    let all = listed(&context);
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].cookie, all[0].gsi), (1, None));
    assert_eq!(all[0].state, PENDING);
    assert_eq!(all[0].entry, Some(vm.entry(0)));
    assert_eq!(all[0].entries, 1);
    assert_eq!((all[1].cookie, all[1].gsi), (COOKIE, Some(GSI)));
    assert_eq!((all[1].entries, all[1].entry), (0, None));
    assert_eq!(all[1].event_flag, None);
    if all[0].eventfd_id.is_some() {
        assert_eq!(all[0].eventfd_id, eventfd_id(&first));
        assert_eq!(all[1].eventfd_id, eventfd_id(&second));
    }
    binding.unmask().unwrap();
    let after = listed(&context);
    assert_eq!((after[0].events, after[0].refused), (2, 0));
}

/// Of several pieces; it goes on when what it has told of goes.
fn list_many() {
    let (vm, context) = attached();
    let all = (1..=700).map(|cookie| {
        let with = Options {
            cookie,
            ..options()
        };
        (eventfd(), vm.entry(0), with)
    });
    let mut bindings = Binding::new_all(&context, all).unwrap();
    let mut listing = context.list().unwrap();
    let first = listing.next().unwrap().unwrap().cookie;
    bindings.remove(first as usize - 1);
    let rest: Vec<_> = listing.by_ref().collect::<Result<_, _>>().unwrap();
    assert!(listing.next().is_none());
    let mut cookies: Vec<_> = rest.iter().map(|listed| listed.cookie).collect();
    cookies.push(first);
    cookies.sort_unstable();
    assert!(cookies.into_iter().eq(1..=700));
}

// Tables and dynirqs

fn vector(n: u32, masked: bool) -> Vector {
    let (address_lo, data) = vm::message(n).unwrap_or((0x808_0040, n));
    Vector {
        address_lo,
        data,
        control: masked.into(),
        ..Vector::default()
    }
}

const ON: TableFlags = TableFlags {
    decodes: true,
    enabled: true,
    masked: false,
};

fn table_options(nr: u32) -> TableOptions<'static> {
    TableOptions {
        nr,
        entries: ENTRIES,
        pba: PBA,
        flags: ON,
        ..TableOptions::default()
    }
}

fn table() {
    let (vm, context) = attached();
    let table = context.table(&table_options(70)).unwrap();
    let fd = eventfd();
    let binding = context.bind(&fd, &table.vector(66), options()).unwrap();
    table
        .set_state(66, &[vector(0, true)], None, Keep::Nothing)
        .unwrap();
    fd.signal().unwrap();
    let mut vectors = [Vector::default(); 70];
    let (flags, changed) = table.state_and_changed(0, &mut vectors).unwrap();
    assert_eq!(flags, ON);
    assert_eq!(changed.len(), 2);
    let both = sys::KVM_IRQX_VECTOR_PENDING | sys::KVM_IRQX_VECTOR_BOUND;
    assert_eq!(vectors[66].state, both);
    assert_eq!(vectors[66].data, vector(0, true).data);
    assert_eq!((vectors[65].state, vectors[65].control), (0, 1));
    assert!(binding.state().unwrap().pending);
    let error = binding.mask().unwrap_err();
    assert_eq!(error.reason(), sys::KVM_IRQX_REASON_OF_VECTOR);

    // What the guest's unmasking would do.
    if vm::message(0).is_some() {
        table
            .set_state(66, &[vector(0, false)], None, Keep::Pending)
            .unwrap();
        assert!(vm.came(0));
        table
            .set_state(66, &[vector(1, false)], None, Keep::Nothing)
            .unwrap();
        fd.signal().unwrap();
        assert!(vm.came(1));
    }
    let off = TableFlags { masked: true, ..ON };
    table.set_flags(off).unwrap();
    assert_eq!(table.state(66, &mut vectors[..1]).unwrap(), off);
    table.raise(66).unwrap();
    table.raise_many(&[65, 66, 65]).unwrap();
    table.state(65, &mut vectors[..2]).unwrap();
    assert_eq!(vectors[0].state, sys::KVM_IRQX_VECTOR_PENDING);
    assert_eq!(vectors[1].state, both);
    table
        .set_state(65, &[Vector::default(); 2], Some(off), Keep::Entries)
        .unwrap();
    table.state(65, &mut vectors[..2]).unwrap();
    assert_eq!(vectors[0].state, 0);
    table.move_to(ENTRIES + 0x10_0000, PBA + 0x10_0000).unwrap();

    refused(
        table.raise(70),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_HANDLE,
        sys::KVM_IRQX_REASON_OUT_OF_RANGE,
    );
    assert_eq!(
        table.state(69, &mut vectors[..2]).unwrap_err().errno(),
        libc::EINVAL
    );

    // A binding leads to it.
    let (error, table) = table.destroy().unwrap_err();
    assert_eq!(error.errno(), libc::EBUSY);
    assert_eq!(error.reason(), sys::KVM_IRQX_REASON_VECTORS_BOUND);
    let number = table.number();
    drop(binding);
    table.destroy().unwrap();
    let error = context
        .bind(&fd, &Entry::vector(number, 0), options())
        .unwrap_err();
    assert_eq!(error.reason(), sys::KVM_IRQX_REASON_NO_TABLE, "{}", error);
}

/// A table that is dropped is no more; one that something leads to stays.
fn table_drop() {
    let (_vm, context) = attached();
    let fd = eventfd();
    let first = context.table(&table_options(2)).unwrap();
    let again = || context.table(&table_options(2));
    assert_eq!(again().unwrap_err().errno(), libc::EEXIST);
    drop(first);
    let second = again().unwrap();
    let binding = context.bind(&fd, &second.vector(1), options()).unwrap();
    drop(second);
    assert_eq!(again().unwrap_err().errno(), libc::EEXIST);
    assert!(binding.unbind().unwrap());

    // Shared with the context's last owner.
    drop(context);
    let (_vm, context) = attached();
    let table = Table::new(Arc::new(context), &table_options(2)).unwrap();
    let (context, number) = table.into_parts();
    assert!(context
        .bind(&fd, &Entry::vector(number, 1), options())
        .is_ok());
}

fn dynirq() {
    let (vm, context) = attached();
    let with = TableOptions {
        nr: 100,
        entries: ENTRIES,
        flags: TableFlags {
            decodes: true,
            ..TableFlags::default()
        },
        ..TableOptions::default()
    };
    let dynirq = context.dynirq(&with).unwrap();
    let net = dynirq.alloc(None, "net").unwrap();
    let disk = dynirq.alloc(Some(7), "disk").unwrap();
    assert_eq!((net.number(), disk.number()), (1, 7));
    assert_eq!(disk.label().unwrap(), "disk");
    disk.set_label("a disk").unwrap();
    assert_eq!(disk.label().unwrap(), "a disk");

    refused(
        dynirq.alloc(Some(7), "other"),
        libc::EBUSY,
        sys::KVM_IRQX_ARG_HANDLE,
        sys::KVM_IRQX_REASON_OWNED,
    );
    refused(
        dynirq.alloc(Some(100), "other"),
        libc::EINVAL,
        sys::KVM_IRQX_ARG_HANDLE,
        sys::KVM_IRQX_REASON_OUT_OF_RANGE,
    );
    assert_eq!(dynirq.alloc(None, "").unwrap_err().errno(), libc::EINVAL);
    assert_eq!(
        dynirq.alloc(None, &"x".repeat(32)).unwrap_err().errno(),
        libc::EINVAL
    );
    assert_eq!(
        dynirq.alloc(None, "n\0t").unwrap_err().errno(),
        libc::EINVAL
    );

    // Masked, as all are at first.
    net.raise().unwrap();
    let fd = eventfd();
    let binding = context.bind(&fd, &disk.entry(), options()).unwrap();
    fd.signal().unwrap();
    let mut vectors = [Vector::default(); 8];
    let (_, header) = dynirq.state_and_header(0, &mut vectors).unwrap();
    let pending = |vectors: &[Vector]| -> Vec<_> {
        (0..vectors.len())
            .filter(|&n| vectors[n].state & sys::KVM_IRQX_VECTOR_PENDING != 0)
            .filter(|&n| n > 0)
            .collect()
    };
    assert_eq!(pending(&vectors), [1, 7]);

    // The guest maps one.
    if vm::message(3).is_some() {
        dynirq
            .set_state(7, &[vector(3, false)], None, Keep::Pending)
            .unwrap();
        assert!(vm.came(3));
        fd.signal().unwrap();
        assert_eq!(context.stats().unwrap().refused, 0);
    }

    let (error, disk) = disk.free().unwrap_err();
    assert_eq!(error.errno(), libc::EBUSY);
    drop(binding);
    disk.free().unwrap();
    drop(net);
    // Free again.
    assert_eq!(dynirq.alloc(None, "lowest").unwrap().number(), 1);

    // Saved and restored in another context.
    dynirq.set_flags(TableFlags::default()).unwrap();
    let (other_vm, other) = attached();
    let second = Arc::new(Dynirq::new(Arc::new(other), &with).unwrap());
    let handle = Handle::new(second.clone(), Some(7), "disk").unwrap();
    for vector in &mut vectors {
        vector.state &= sys::KVM_IRQX_VECTOR_PENDING;
    }
    second
        .set_state_and_header(0, &vectors, None, &header)
        .unwrap();
    let mut there = [Vector::default(); 8];
    second.state(0, &mut there).unwrap();
    assert_eq!(pending(&there), pending(&vectors));
    assert_eq!(Arc::strong_count(&second), 2);
    drop(handle);
    let second = Arc::try_unwrap(second).unwrap();
    second.destroy().unwrap();
    drop(other_vm);
    assert!(dynirq.destroy().is_ok());
}

// Entries

fn entries() {
    let msi = Msi {
        address: 0xfee0_3000,
        data: 0x41,
        devid: Some(9),
        ext_dest_id: false,
    };
    assert_eq!(
        Entry::msi_of(Arch::X86, &msi).words(Arch::X86),
        "MSI vector 0x41 to APIC 3, physical, edge"
    );
    let arm = Entry::msi_of(Arch::Arm64, &msi);
    // SAFETY: it is a message.
    assert_eq!(unsafe { arm.raw().u.msi.__bindgen_anon_1.devid }, 9);
    assert_ne!(arm, Entry::msi_of(Arch::X86, &msi));
    let far = Msi {
        address: 0xfee0_3020,
        ext_dest_id: true,
        ..msi
    };
    let far = Entry::msi_of(Arch::X86, &far);
    assert_eq!(
        far.words(Arch::X86),
        "MSI vector 0x41 to APIC 259, physical, edge"
    );
    assert_eq!(far.with_gsi(5).gsi(), 5);
    assert_ne!(far.with_gsi(5), far);
    assert_eq!(far.with_gsi(5).with_gsi(0), far);
    assert_ne!(Entry::hv_sint(1, 2), Entry::hv_sint(2, 1));
    assert_ne!(Entry::xen_evtchn(1, 2, 3), Entry::xen_evtchn(1, 2, 4));
    assert_ne!(Entry::ppi(1, 2), Entry::vector(1, 2));
    assert!(format!("{:?}", far).contains(&far.words(Arch::Native)));
    // SAFETY: all of it was written.
    assert_eq!(unsafe { Entry::from_raw(*far.raw()) }, far);
}

// Threads

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}

/// What the documentation states; what it denies is a test there.
fn send_and_sync() {
    is_send::<Context>();
    is_sync::<Context>();
    is_send::<Binding<Arc<Context>, EventFd>>();
    is_sync::<Binding<&Context, &EventFd>>();
    is_send::<GsiBinding<Arc<Context>, OwnedFd>>();
    is_sync::<GsiBinding<Arc<Context>, OwnedFd>>();
    is_send::<Table<&Context>>();
    is_sync::<Dynirq<Arc<Context>>>();
    is_send::<Handle<Arc<Dynirq<&Context>>, &Context>>();
    is_sync::<Handle<&Dynirq<&Context>, &Context>>();
    is_send::<Batch>();
    is_send::<Listing>();
    is_send::<Error>();
    is_sync::<Error>();
    is_send::<EventFd>();
    is_sync::<EventFd>();
    is_sync::<Entry>();
    is_send::<Header>();
    is_send::<Intx>();
    is_sync::<Intx>();
}

/// What carries interrupts of devices is a module that is not loaded here.
fn intx() {
    let error = Intx::open().unwrap_err();
    assert_eq!(error.errno(), libc::ENOENT);
    assert_eq!(
        error.to_string(),
        "KVM_IRQX_INTX_GET_INFO: /dev/kvm-irqx-intx cannot be opened (ENOENT)"
    );
    assert_eq!(
        intx_reason_words(sys::KVM_IRQX_INTX_REASON_LINE),
        Some("the line cannot be shared")
    );
    assert_eq!(intx_reason_words(0), None);
    assert_eq!(intx_reason_words(u32::MAX), None);

    // Of a file that is another one.
    let (_vm, context) = attached();
    let intx = Intx::from(OwnedFd::from(File::open("/dev/null").unwrap()));
    let entry = Entry::irqchip(0, 1);
    let refused = intx.attach(&context, &intx, "0000:00:08.0", &entry);
    assert_eq!(refused.unwrap_err().errno(), libc::ENOTTY);
    let refused = intx.attach(&context, &intx, "00:08.0", &entry);
    assert_eq!(refused.unwrap_err().errno(), libc::EINVAL);
    assert_eq!(intx.state().unwrap_err().errno(), libc::ENOTTY);
    assert_eq!(intx.detach().unwrap_err().errno(), libc::ENOTTY);
}

/// Threads bind, signal, move, mask and unbind eventfds of their own and one of all, while one lists.
fn threads() {
    const ROUNDS: u64 = 150;
    const THREADS: u64 = 4;

    let (vm, context) = attached();
    let shared = eventfd();
    let common = context.bind(&shared, &vm.entry(7), options()).unwrap();
    let done = AtomicBool::new(false);
    let one = |thread: u64| {
        for round in 0..ROUNDS {
            let with = Options {
                cookie: thread * ROUNDS + round + 1,
                ..options()
            };
            let binding = context.bind(eventfd(), &vm.entry(0), with).unwrap();
            binding.fd().signal().unwrap();
            binding.modify(&vm.entry(1), options()).unwrap();
            common.modify(&vm.entry(2), options()).unwrap();
            common.mask().unwrap();
            shared.signal().unwrap();
            common.unmask().unwrap();
            // An error is the thread's own.
            let error = context
                .bind(binding.fd(), &vm.entry(0), options())
                .unwrap_err();
            assert_eq!(error.reason(), sys::KVM_IRQX_REASON_BOUND);
            let error = context.mask(Target::Gsi(GSI)).unwrap_err();
            assert_eq!(error.reason(), sys::KVM_IRQX_REASON_NO_ROUTE);
            assert!(binding.unbind().unwrap());
        }
    };
    thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || one(thread)))
            .collect();
        let lister = scope.spawn(|| {
            let mut listings = 0;
            while !done.load(Ordering::Relaxed) {
                let mut cookies: Vec<_> = context
                    .list()
                    .unwrap()
                    .map(|listed| listed.unwrap().cookie)
                    .collect();
                let nr = cookies.len();
                // The common one is always there, and nothing is twice.
                assert!(cookies.contains(&0));
                cookies.sort_unstable();
                cookies.dedup();
                assert_eq!(cookies.len(), nr);
                listings += 1;
                thread::yield_now();
            }
            listings
        });
        for thread in threads {
            thread.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        let listings: u32 = lister.join().unwrap();
        println!("# {} listings", listings);
    });
    let stats = context.stats().unwrap();
    assert_eq!(stats.irqfds, 1);
    // Those of one eventfd may be one, and what waits for a worker goes back when it is unbound.
    assert!(stats.events > ROUNDS && stats.events <= 2 * ROUNDS * THREADS);
    assert_eq!(stats.refused, 0);
}

/// A binding goes to another thread and is dropped there, while its context is shared.
fn moved_to_a_thread() {
    let (vm, context) = attached();
    let context = Arc::new(context);
    thread::scope(|scope| {
        for n in 0..4 {
            let (vm, context) = (&vm, context.clone());
            let binding = Binding::new(context, eventfd(), &vm.entry(n), options()).unwrap();
            scope.spawn(move || {
                binding.fd().signal().unwrap();
                assert!(vm.came(n));
            });
        }
    });
    assert_eq!(bound(&context), 0);
}

const CASES: &[(&str, fn())] = &[
    ("open", open),
    ("adopt", adopt),
    ("bind", bind),
    ("bind_errors", bind_errors),
    ("resample", resample),
    ("drop_order", drop_order),
    ("close", close),
    ("routes", routes),
    ("synic", synic),
    ("batch", batch),
    ("bind_all", bind_all),
    ("list", list),
    ("list_many", list_many),
    ("table", table),
    ("table_drop", table_drop),
    ("dynirq", dynirq),
    ("entries", entries),
    ("send_and_sync", send_and_sync),
    ("intx", intx),
    ("threads", threads),
    ("moved_to_a_thread", moved_to_a_thread),
];

fn main() {
    const SKIPPED: i32 = 4;
    let args: Vec<_> = std::env::args().skip(1).collect();
    let wanted: Vec<_> = args.iter().filter(|arg| *arg != "-t").collect();
    let chosen: Vec<_> = CASES
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
        .collect();
    println!("TAP version 13");
    if !Path::new("/dev/kvm-irqx").exists() {
        println!("1..0 # SKIP the module is not loaded");
        std::process::exit(SKIPPED);
    }
    println!("1..{}", chosen.len());
    let mut failed = false;
    for (nr, (name, case)) in (1..).zip(chosen) {
        let ok = catch_unwind(case).is_ok();
        failed |= !ok;
        println!("{}ok {} {}", if ok { "" } else { "not " }, nr, name);
    }
    std::process::exit(failed.into());
}
