// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_assign.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/mman.h>

#include "irqx_assign.h"
#include "irqx_module.h"

#define INTX_FILE	"/run/irqx/kvm_irqx_intx.ko"
#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PCI_SLOTS	"/sys/bus/pci/slots"

/* Of a BAR: no test has use for more. */
#define MAP_MOST	0x20000

#define EDU_SLOT	10		/* a memslot that the harness does not use */

const char *irqx_assign_missing(void)
{
	if (access(INTX_FILE, R_OK))
		return "no kvm_irqx_intx.ko, or not in scripts/vm";
	if (access("/dev/vfio/vfio", R_OK))
		return "no VFIO: not in scripts/vm --assign";
	if (!irqx_variant_file("neighbour"))
		return "selftests/make-variants has not been run";
	return NULL;
}

/* ---- sysfs ---- */

static void read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	text[0] = 0;
	if (fd < 0)
		return;
	len = read(fd, text, size - 1);
	text[len > 0 ? len : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	close(fd);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno;
	close(fd);
	return err;
}

int irqx_assigned_sysfs(struct irqx_assigned *a, const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", a->name, file);
	return write_text(path, text);
}

bool irqx_assigned_is_there(struct irqx_assigned *a)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", a->name);
	return !access(path, F_OK);
}

/* The file by which its slot is switched: to @path.  Return: whether there is one. */
static bool slot_power(struct irqx_assigned *a, char *path, size_t size)
{
	DIR *dir = opendir(PCI_SLOTS);
	struct dirent *entry;
	bool found = false;
	char address[32];

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, size, PCI_SLOTS "/%s/address", entry->d_name);
		read_text(path, address, sizeof(address));
		/* A device's name, without the function's number. */
		if (!address[0] || strncmp(address, a->name, strlen(address)))
			continue;
		snprintf(path, size, PCI_SLOTS "/%s/power", entry->d_name);
		found = !access(path, W_OK);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool irqx_assigned_has_slot(struct irqx_assigned *a)
{
	char path[PATH_MAX];

	return slot_power(a, path, sizeof(path));
}

int irqx_assigned_unplug(struct irqx_assigned *a)
{
	char path[PATH_MAX];

	return slot_power(a, path, sizeof(path)) ? write_text(path, "0") : ENOENT;
}

static bool is_edu(const char *name)
{
	char path[PATH_MAX], vendor[16], device[16];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/vendor", name);
	read_text(path, vendor, sizeof(vendor));
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/device", name);
	read_text(path, device, sizeof(device));
	return !strcmp(vendor, "0x1234") && !strcmp(device, "0x11e8");
}

static void find(struct irqx_assigned *a, int slot)
{
	uint32_t domain, bus, device, function;
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	memset(a, 0, sizeof(*a));
	a->container = -1;
	a->group = -1;
	a->device = -1;
	dir = opendir(PCI_DEVICES);
	TEST_ASSERT(dir, "opendir: %s", strerror(errno));
	while ((entry = readdir(dir)) && !found) {
		if (sscanf(entry->d_name, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4)
			continue;
		if (slot != IRQX_SILENT_SLOT && slot != IRQX_NIC_SLOT && !is_edu(entry->d_name))
			continue;
		found = slot == IRQX_EDU_PORT ? bus : !bus && device == (uint32_t)slot;
		if (!found)
			continue;
		snprintf(a->name, sizeof(a->name), "%.31s", entry->d_name);
		a->domain = domain;
		a->bus = bus;
		a->devfn = device << 3 | function;
	}
	closedir(dir);
	TEST_ASSERT(found, "no device at %d", slot);
}

static void bind_vfio(struct irqx_assigned *a)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", a->name);
	if (!access(path, F_OK))
		return;
	err = irqx_assigned_sysfs(a, "driver_override", "vfio-pci");
	TEST_ASSERT(!err, "driver_override: %s", strerror(err));
	err = write_text("/sys/bus/pci/drivers_probe", a->name);
	TEST_ASSERT(!err, "drivers_probe: %s", strerror(err));
}

void irqx_assigned_find(struct irqx_assigned *a, int slot)
{
	find(a, slot);
	bind_vfio(a);
}

/* ---- VFIO ---- */

void irqx_assigned_open(struct irqx_assigned *a)
{
	struct vfio_region_info region = { .argsz = sizeof(region) };
	char path[PATH_MAX], group[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu_group", a->name);
	len = readlink(path, group, sizeof(group) - 1);
	TEST_ASSERT(len > 0, "%s has no IOMMU group: %s", a->name, strerror(errno));
	group[len] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.32s", basename(group));

	a->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	TEST_ASSERT(a->container >= 0, "container: %s", strerror(errno));
	/* A file that is just being closed has it for a moment more. */
	TEST_ASSERT(irqx_wait_until((a->group = open(path, O_RDWR | O_CLOEXEC)) >= 0,
				    IRQX_TIMEOUT_MS), "%s: %s", path, strerror(errno));
	TEST_ASSERT(!ioctl(a->group, VFIO_GROUP_SET_CONTAINER, &a->container),
		    "VFIO_GROUP_SET_CONTAINER: %s", strerror(errno));
	TEST_ASSERT(!ioctl(a->container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU),
		    "VFIO_SET_IOMMU: %s", strerror(errno));
	a->device = ioctl(a->group, VFIO_GROUP_GET_DEVICE_FD, a->name);
	TEST_ASSERT(a->device >= 0, "VFIO_GROUP_GET_DEVICE_FD: %s", strerror(errno));

	region.index = VFIO_PCI_CONFIG_REGION_INDEX;
	TEST_ASSERT(!ioctl(a->device, VFIO_DEVICE_GET_REGION_INFO, &region),
		    "VFIO_DEVICE_GET_REGION_INFO: %s", strerror(errno));
	a->config = region.offset;
	irqx_assigned_set_command(a, PCI_COMMAND_MEMORY, 0);

	region.index = VFIO_PCI_BAR0_REGION_INDEX;
	TEST_ASSERT(!ioctl(a->device, VFIO_DEVICE_GET_REGION_INFO, &region),
		    "VFIO_DEVICE_GET_REGION_INFO: %s", strerror(errno));
	a->size = region.size < MAP_MOST ? region.size : MAP_MOST;
	a->bar = mmap(NULL, a->size, PROT_READ | PROT_WRITE, MAP_SHARED, a->device, region.offset);
	TEST_ASSERT(a->bar != MAP_FAILED, "mmap: %s", strerror(errno));
}

void irqx_assigned_map(struct irqx_assigned *a, void *memory, uint64_t iova, size_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	TEST_ASSERT(!ioctl(a->container, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA: %s",
		    strerror(errno));
}

bool irqx_assigned_cdev(struct irqx_assigned *a, char *path, size_t size)
{
	char devices[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	path[0] = 0;
	snprintf(devices, sizeof(devices), PCI_DEVICES "/%s/vfio-dev", a->name);
	dir = opendir(devices);
	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			snprintf(path, size, "/dev/vfio/devices/%s", entry->d_name);
	closedir(dir);
	return !access(path, F_OK);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void irqx_assigned_close(struct irqx_assigned *a)
{
	if (a->bar)
		munmap((void *)a->bar, a->size);
	a->bar = NULL;
	close_one(&a->device);
	close_one(&a->group);
	close_one(&a->container);
}

uint16_t irqx_assigned_command(struct irqx_assigned *a)
{
	uint16_t command = 0;

	TEST_ASSERT(pread(a->device, &command, 2, a->config + 4) == 2, "pread: %s",
		    strerror(errno));
	return command;
}

void irqx_assigned_set_command(struct irqx_assigned *a, uint16_t set, uint16_t clear)
{
	uint16_t command = (irqx_assigned_command(a) | set) & ~clear;

	TEST_ASSERT(pwrite(a->device, &command, 2, a->config + 4) == 2, "pwrite: %s",
		    strerror(errno));
}

static int set_irqs(struct irqx_assigned *a, uint32_t action, int fd)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} request = {
		.set = {
			.argsz = fd >= 0 ? sizeof(request) : sizeof(request.set),
			.flags = (fd >= 0 ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE) |
				 action,
			.index = VFIO_PCI_INTX_IRQ_INDEX,
			.count = fd >= 0,
		},
		.fd = fd,
	};

	return ioctl(a->device, VFIO_DEVICE_SET_IRQS, &request) ? errno : 0;
}

int __irqx_assigned_vfio_intx(struct irqx_assigned *a, int fd)
{
	return set_irqs(a, VFIO_IRQ_SET_ACTION_TRIGGER, fd);
}

int __irqx_assigned_vfio_unmask(struct irqx_assigned *a, int fd)
{
	return set_irqs(a, VFIO_IRQ_SET_ACTION_UNMASK, fd);
}

uint16_t irqx_assigned_real_command(struct irqx_assigned *a)
{
	uint16_t command = 0;
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", a->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	TEST_ASSERT(fd >= 0, "%s: %s", path, strerror(errno));
	TEST_ASSERT(pread(fd, &command, 2, 4) == 2, "pread: %s", strerror(errno));
	close(fd);
	return command;
}

/* ---- the guest ---- */

/* The guest's address of it; each VM has its own copy of this variable. */
static volatile struct irqx_edu_driver *driver;

enum irqx_edu_done irqx_edu_serve(void)
{
	volatile struct irqx_edu_driver *d = driver;
	uint32_t status;

	if (d->hold) {
		d->held++;
		return IRQX_EDU_HELD;
	}
	status = *(volatile uint32_t *)(uintptr_t)(IRQX_EDU_GPA + d->status);
	if (!status)
		return IRQX_EDU_EMPTY;
	if (d->ack)
		*(volatile uint32_t *)(uintptr_t)(IRQX_EDU_GPA + d->ack) = status;
	return IRQX_EDU_SERVED;
}

void irqx_edu_note(enum irqx_edu_done done)
{
	if (done == IRQX_EDU_SERVED)
		driver->served++;
	else if (done == IRQX_EDU_EMPTY)
		driver->empty++;
}

volatile struct irqx_edu_driver *irqx_edu_driver(struct irqx_guest *g)
{
	vm_vaddr_t gva = *(vm_vaddr_t *)addr_gva2hva(g->vm, (vm_vaddr_t)&driver);

	return addr_gva2hva(g->vm, gva);
}

struct irqx_guest *irqx_edu_guest(struct irqx_assigned *a)
{
	struct kvm_userspace_memory_region region = {
		.slot = EDU_SLOT,
		.guest_phys_addr = IRQX_EDU_GPA,
		.memory_size = 0x1000,
		.userspace_addr = (uintptr_t)a->bar,
	};
	struct irqx_guest *g = irqx_edu_guest_create();
	vm_vaddr_t gva = vm_vaddr_alloc_page(g->vm);

	*(vm_vaddr_t *)addr_gva2hva(g->vm, (vm_vaddr_t)&driver) = gva;
	vm_ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &region);
	virt_pg_map(g->vm, IRQX_EDU_GPA, IRQX_EDU_GPA);
	irqx_edu_driver(g)->status = IRQX_EDU_STATUS;
	irqx_edu_driver(g)->ack = IRQX_EDU_ACK;
	irqx_guest_start(g);
	irqx_edu_guest_setup(g);
	return g;
}

bool irqx_edu_wait(struct irqx_guest *g, uint64_t served)
{
	volatile struct irqx_edu_driver *d = irqx_edu_driver(g);

	return irqx_wait_until(d->served >= served, IRQX_TIMEOUT_MS);
}

void irqx_edu_cycles(struct irqx_assigned *a, struct irqx_guest *g, uint64_t *fired, uint64_t n)
{
	volatile struct irqx_edu_driver *d = irqx_edu_driver(g);
	uint64_t i;

	for (i = 0; i < n; i++) {
		irqx_edu_fire(a);
		++*fired;
		TEST_ASSERT(irqx_edu_wait(g, *fired), "interrupt %lu is lost: %lu served", *fired,
			    d->served);
	}
	TEST_ASSERT(d->served == *fired, "%lu fired, %lu served", *fired, d->served);
}

void irqx_edu_hold(struct irqx_assigned *a, struct irqx_guest *g)
{
	volatile struct irqx_edu_driver *d = irqx_edu_driver(g);
	uint64_t held = d->held;

	d->hold = 1;
	irqx_edu_fire(a);
	TEST_ASSERT(irqx_wait_until(d->held == held + 1, IRQX_TIMEOUT_MS),
		    "the guest is not interrupted");
}

void irqx_edu_eoi(struct irqx_guest *g)
{
	irqx_edu_driver(g)->hold = 0;
	irqx_edu_guest_eoi(g);
}

void irqx_edu_let_go(struct irqx_assigned *a, struct irqx_guest *g)
{
	irqx_edu_write(a, IRQX_EDU_ACK, 1);
	irqx_edu_eoi(g);
}

void irqx_edu_silent(struct irqx_guest *g, uint64_t fired)
{
	volatile struct irqx_edu_driver *d = irqx_edu_driver(g);

	usleep(60000);
	TEST_ASSERT(d->served == fired && !d->empty, "%lu fired, %lu served, %lu for nothing",
		    fired, d->served, d->empty);
}

void irqx_edu_wanted(struct irqx_assigned *a, struct irqx_guest *g, uint64_t *fired)
{
	++*fired;
	irqx_assigned_set_command(a, 0, PCI_COMMAND_INTX_DISABLE);
	TEST_ASSERT(irqx_edu_wait(g, *fired), "interrupt %lu is lost", *fired);
	irqx_edu_cycles(a, g, fired, 3);
}

/* ---- kvm_irqx_intx.ko ---- */

int irqx_intx_load(const char *params)
{
	return irqx_module_load(INTX_FILE, params);
}

int irqx_intx_open(void)
{
	int intx = open(IRQX_INTX_PATH, O_RDWR | O_CLOEXEC);

	TEST_ASSERT(intx >= 0, IRQX_INTX_PATH ": %s", strerror(errno));
	return intx;
}

int __irqx_intx_attach(int intx, int ctx, struct irqx_assigned *a, uint32_t *reason)
{
	struct kvm_irqx_intx_attach attach = {
		.context_fd = ctx,
		.device_fd = a->device,
		.domain = a->domain,
		.bus = a->bus,
		.devfn = a->devfn,
		.reason = IRQX_STALE,
		.entry = irqx_edu_entry(),
	};
	int err = __irqx_ioctl(intx, KVM_IRQX_INTX_ATTACH, &attach);

	if (reason)
		*reason = attach.reason;
	return err;
}

struct kvm_irqx_intx_state irqx_intx_state(int intx)
{
	struct kvm_irqx_intx_state state = { .argsz = sizeof(state) };

	irqx_assert(__irqx_ioctl(intx, KVM_IRQX_INTX_GET_STATE, &state));
	TEST_ASSERT(state.argsz == sizeof(state), "argsz %u", state.argsz);
	return state;
}

/* ---- the neighbour ---- */

/* On arm64 a device gets its number when it is bound for the first time. */
static void give_number(int slot)
{
	struct irqx_assigned a;
	char path[PATH_MAX], irq[16];

	find(&a, slot);
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/irq", a.name);
	read_text(path, irq, sizeof(irq));
	if (strcmp(irq, "0"))
		return;
	bind_vfio(&a);
	irqx_assert(irqx_assigned_sysfs(&a, "driver/unbind", a.name));
	irqx_assert(irqx_assigned_sysfs(&a, "driver_override", "\n"));
}

int irqx_neighbour_open(int slot)
{
	struct neighbour_request request = { .op = NEIGHBOUR_TAKE, .slot = slot };
	int neighbour = irqx_variant_open("neighbour", "/dev/irqx-neighbour");

	if (neighbour < 0)
		return -1;
	give_number(slot);
	irqx_assert(__irqx_neighbour(neighbour, &request));
	return neighbour;
}

void irqx_neighbour_close(int neighbour)
{
	close(neighbour);
	irqx_module_unload("irqx_neighbour");
}

int __irqx_neighbour(int neighbour, struct neighbour_request *request)
{
	return write(neighbour, request, sizeof(*request)) == sizeof(*request) ? 0 : errno;
}

void irqx_neighbour_join(int neighbour, uint32_t flags)
{
	struct neighbour_request request = { .op = NEIGHBOUR_JOIN, .flags = flags };

	irqx_assert(__irqx_neighbour(neighbour, &request));
}

void irqx_neighbour_leave(int neighbour)
{
	struct neighbour_request request = { .op = NEIGHBOUR_LEAVE };

	irqx_assert(__irqx_neighbour(neighbour, &request));
}

struct neighbour_request irqx_neighbour_fire(int neighbour, uint64_t count, uint32_t ms)
{
	struct neighbour_request request = { .op = NEIGHBOUR_FIRE, .count = count, .ms = ms };

	irqx_assert(__irqx_neighbour(neighbour, &request));
	return request;
}

uint64_t irqx_neighbour_depth(int neighbour, uint64_t *nr)
{
	struct neighbour_request request = { .op = NEIGHBOUR_LINE };

	irqx_assert(__irqx_neighbour(neighbour, &request));
	if (nr)
		*nr = request.nr;
	return request.out;
}
