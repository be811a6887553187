// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_module.h.
 */
#include <libgen.h>
#include <limits.h>
#include <sys/syscall.h>

#include "irqx_module.h"
#include "irqx_util.h"

int irqx_module_load(const char *file, const char *params)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int err;

	TEST_ASSERT(fd >= 0, "open %s: %s", file, strerror(errno));
	err = syscall(SYS_finit_module, fd, params, 0) ? errno : 0;
	close(fd);
	return err;
}

int irqx_module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
}

bool irqx_module_present(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

const char *irqx_module_file(void)
{
	const char *file = getenv("IRQX_MODULE");

	return file && !access(file, R_OK) ? file : NULL;
}

const char *irqx_vendor_module(char *name, size_t size)
{
	const char *files = getenv("IRQX_KVM_MODULES");
	const char *file, *base;
	char *p;

	if (!files || !*files)
		return NULL;
	file = strrchr(files, ' ');
	file = file ? file + 1 : files;
	base = strrchr(file, '/');
	snprintf(name, size, "%s", base ? base + 1 : file);
	name[strcspn(name, ".")] = 0;
	for (p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return access(file, R_OK) ? NULL : file;
}

const char *irqx_variant_file(const char *variant)
{
	const char *kernel = getenv("IRQX_KERNEL");
	static char path[2 * PATH_MAX];
	char self[PATH_MAX], *arch;
	ssize_t len;

	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (!kernel || len < 0)
		return NULL;
	self[len] = 0;
	/* build/selftests/ARCH/PROGRAM */
	dirname(self);
	arch = strrchr(self, '/');
	snprintf(path, sizeof(path), "%s/../../variants%s/%s/%s.ko", self, arch,
		 kernel, variant);
	return access(path, R_OK) ? NULL : path;
}

int irqx_variant_open(const char *variant, const char *device)
{
	const char *file = irqx_variant_file(variant);
	int fd, err;

	if (!file)
		return -1;
	/* Several may have it, and a test that fails leaves it behind. */
	err = irqx_module_load(file, "");
	TEST_ASSERT(!err || err == EEXIST, "%s: %s", file, strerror(err));
	fd = open(device, O_RDWR | O_CLOEXEC);
	TEST_ASSERT(fd >= 0, "%s: %s", device, strerror(errno));
	return fd;
}

int irqx_kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	TEST_ASSERT(fd >= 0, "open /dev/kmsg: %s", strerror(errno));
	lseek(fd, 0, SEEK_END);
	return fd;
}

bool irqx_kmsg_line(int kmsg, char *line, size_t size)
{
	static const char prefix[] = ";" IRQX_MODULE_NAME ":";
	char record[8192], *text;
	ssize_t len;

	for (;;) {
		len = read(kmsg, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)	/* some were overwritten */
			continue;
		if (len <= 0)
			return false;
		record[len] = 0;
		text = strchr(record, ';');
		if (!text || strncmp(text, prefix, strlen(prefix)))
			continue;
		text[strcspn(text, "\n")] = 0;
		snprintf(line, size, "%s", text + 1);
		return true;
	}
}

int irqx_kmsg_lines(int kmsg, char *last, size_t size)
{
	int n = 0;

	while (irqx_kmsg_line(kmsg, last, size))
		n++;
	return n;
}
