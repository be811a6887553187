// SPDX-License-Identifier: GPL-2.0
/*
 * See irqx_pages.h.  The FUSE server needs no library: what a kernel asks before it reads
 * the first page of a file is INIT, LOOKUP, GETATTR, OPEN (linux/fuse.h).
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/fuse.h>
#include <linux/userfaultfd.h>

#include "irqx_pages.h"
#include "irqx_util.h"

static bool is_fuse(const struct irqx_pages *p)
{
	return p->kind == IRQX_PAGES_FUSE || p->kind == IRQX_PAGES_FUSE_SYNC ||
	       p->kind == IRQX_PAGES_FUSE_SLOW;
}

#define FILE_NODE	2
#define FUSE_BUFFER	(FUSE_MIN_READ_BUFFER + 65536)
#define MAX_READS	4096

/* Requests that wait for their answer. */
struct read_request {
	uint64_t unique;
	uint32_t size;
};

static void reply(int fd, uint64_t unique, int error, const void *data,
		  size_t size)
{
	static char out[FUSE_BUFFER];
	struct fuse_out_header *header = (void *)out;

	header->len = sizeof(*header) + size;
	header->error = -error;
	header->unique = unique;
	memcpy(header + 1, data, size);
	if (write(fd, out, header->len) < 0 && errno != ENOENT)
		_exit(3);
}

static struct fuse_attr attr_of(uint64_t node, size_t size)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666,
		.nlink = 1,
		.size = node == FUSE_ROOT_ID ? 0 : size,
		.blksize = 4096,
	};
}

static void answer(int fd, const char *in, size_t file_size)
{
	const struct fuse_in_header *header = (const void *)in;
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		/* Else who reads waits in a way that no signal ends. */
		.flags = FUSE_ASYNC_READ,
		.max_readahead = 4096,
		.max_write = 4096,
		.max_background = 64,
		.congestion_threshold = 48,
	};
	struct fuse_attr_out attr = { .attr_valid = 3600 };
	struct fuse_open_out open = { .fh = 1, .open_flags = FOPEN_KEEP_CACHE };
	struct fuse_entry_out entry = {
		.nodeid = FILE_NODE,
		.generation = 1,
		.entry_valid = 3600,
		.attr_valid = 3600,
	};

	switch (header->opcode) {
	case FUSE_INIT:
		reply(fd, header->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		entry.attr = attr_of(FILE_NODE, file_size);
		reply(fd, header->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		attr.attr = attr_of(header->nodeid, file_size);
		reply(fd, header->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		reply(fd, header->unique, 0, &open, sizeof(open));
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(fd, header->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fd, header->unique, EOPNOTSUPP, NULL, 0);
	}
}

/*
 * Until the file system is gone; reads are answered once a byte has come from @serve, or
 * each after @slow_ms if that is not 0.
 */
static void fuse_server(int fd, int serve, size_t file_size, uint32_t slow_ms)
{
	static struct read_request waiting[MAX_READS];
	static char in[FUSE_BUFFER], zeroes[FUSE_BUFFER];
	const struct fuse_in_header *header = (void *)in;
	const struct fuse_read_in *read_in = (void *)(header + 1);
	struct pollfd polls[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = serve, .events = POLLIN },
	};
	uint32_t nr = 0;
	bool serving = slow_ms;
	ssize_t len;
	char c;
	int i;

	/* It must not keep what the other process closes. */
	for (i = 3; i < 4096; i++)
		if (i != fd && i != serve)
			close(i);

	for (;;) {
		if (poll(polls, serving ? 1 : 2, -1) < 0)
			_exit(2);
		if (!serving && polls[1].revents) {
			if (read(serve, &c, 1) != 1)
				_exit(0);
			serving = true;
			while (nr--)
				reply(fd, waiting[nr].unique, 0, zeroes,
				      waiting[nr].size);
			continue;
		}
		if (polls[0].revents & (POLLERR | POLLHUP))
			_exit(0);
		len = read(fd, in, sizeof(in));
		if (len < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (len < 0)
			_exit(0);
		if (header->opcode != FUSE_READ) {
			answer(fd, in, file_size);
		} else if (serving) {
			usleep(slow_ms * 1000);
			reply(fd, header->unique, 0, zeroes, read_in->size);
		} else if (nr < MAX_READS) {
			waiting[nr++] = (struct read_request){
				header->unique, read_in->size
			};
		}
	}
}

static bool fuse_create(struct irqx_pages *p)
{
	char options[100], path[64];
	int dev, serve[2];

	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return false;
	strcpy(p->dir, "/tmp/irqx-fuse.XXXXXX");
	TEST_ASSERT(mkdtemp(p->dir), "mkdtemp: %s", strerror(errno));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", dev);
	TEST_ASSERT(!mount("irqx", p->dir, "fuse", MS_NOSUID | MS_NODEV, options),
		    "mount: %s", strerror(errno));
	TEST_ASSERT(!pipe2(serve, O_CLOEXEC), "pipe: %s", strerror(errno));
	p->server = fork();
	TEST_ASSERT(p->server >= 0, "fork: %s", strerror(errno));
	if (!p->server) {
		close(serve[1]);
		fuse_server(dev, serve[0], p->size,
			    p->kind == IRQX_PAGES_FUSE_SLOW ? IRQX_PAGES_SLOW_MS : 0);
	}
	close(serve[0]);
	close(dev);
	p->serve = serve[1];
	snprintf(path, sizeof(path), "%s/file", p->dir);
	p->fd = open(path, O_RDWR | O_CLOEXEC);
	TEST_ASSERT(p->fd >= 0, "%s: %s", path, strerror(errno));
	return true;
}

/* A write makes a copy of the page, which has to be read for that. */
static void fuse_map(struct irqx_pages *p, void *at)
{
	p->mem = mmap(at, p->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | (at ? MAP_FIXED : 0), p->fd, 0);
	if (p->mem != MAP_FAILED && p->kind != IRQX_PAGES_FUSE)
		madvise(p->mem, p->size, MADV_RANDOM);
}

static bool userfaultfd_open(struct irqx_pages *p)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = p->kind == IRQX_PAGES_MINOR ?
			    UFFD_FEATURE_MINOR_SHMEM :
			    p->kind == IRQX_PAGES_PROTECTED ?
			    UFFD_FEATURE_PAGEFAULT_FLAG_WP : 0,
	};

	p->fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return p->fd >= 0 && !ioctl(p->fd, UFFDIO_API, &api);
}

/* It is for the memory of this process: a child has to have one of its own. */
static void userfaultfd_map(struct irqx_pages *p, void *at)
{
	uint64_t modes[] = {
		[IRQX_PAGES_MISSING] = UFFDIO_REGISTER_MODE_MISSING,
		[IRQX_PAGES_MINOR] = UFFDIO_REGISTER_MODE_MINOR,
		[IRQX_PAGES_PROTECTED] = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_register reg = { .mode = modes[p->kind] };
	struct uffdio_writeprotect protect = {
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int fixed = at ? MAP_FIXED : 0;
	int memfd;

	TEST_ASSERT(userfaultfd_open(p), "userfaultfd: %s", strerror(errno));
	if (p->kind == IRQX_PAGES_MINOR) {
		memfd = memfd_create("irqx", MFD_CLOEXEC);
		TEST_ASSERT(memfd >= 0 && !ftruncate(memfd, p->size),
			    "memfd: %s", strerror(errno));
		p->mem = mmap(at, p->size, PROT_READ | PROT_WRITE,
			      MAP_SHARED | fixed, memfd, 0);
		p->alias = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_SHARED,
				memfd, 0);
		memset(p->alias, 0, p->size);
		close(memfd);
	} else {
		p->mem = mmap(at, p->size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
	}
	if (p->mem == MAP_FAILED)
		return;
	madvise(p->mem, p->size, MADV_NOHUGEPAGE);
	if (p->kind == IRQX_PAGES_PROTECTED)
		memset(p->mem, 0, p->size);
	reg.range.start = (uintptr_t)p->mem;
	reg.range.len = p->size;
	TEST_ASSERT(!ioctl(p->fd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER: %s",
		    strerror(errno));
	if (p->kind == IRQX_PAGES_PROTECTED) {
		protect.range = reg.range;
		TEST_ASSERT(!ioctl(p->fd, UFFDIO_WRITEPROTECT, &protect),
			    "UFFDIO_WRITEPROTECT: %s", strerror(errno));
	}
}

struct irqx_pages *irqx_pages_create(enum irqx_pages_kind kind, uint32_t nr)
{
	struct irqx_pages *p = calloc(1, sizeof(*p));

	TEST_ASSERT(p, "no memory");
	p->kind = kind;
	p->size = nr * 4096UL;
	p->fd = -1;
	if (!(is_fuse(p) ? fuse_create(p) : userfaultfd_open(p))) {
		free(p);
		return NULL;
	}
	if (!is_fuse(p))
		close(p->fd);
	return p;
}

void irqx_pages_map(struct irqx_pages *p, void *at)
{
	if (is_fuse(p))
		fuse_map(p, at);
	else
		userfaultfd_map(p, at);
	TEST_ASSERT(p->mem != MAP_FAILED, "mmap: %s", strerror(errno));
}

void irqx_pages_serve(struct irqx_pages *p)
{
	if (is_fuse(p)) {
		TEST_ASSERT(write(p->serve, "", 1) == 1, "the server is gone");
	} else {
		/* Who waits tries again, and finds memory like any other. */
		struct uffdio_range range = {
			.start = (uintptr_t)p->mem,
			.len = p->size,
		};

		TEST_ASSERT(!ioctl(p->fd, UFFDIO_UNREGISTER, &range),
			    "UFFDIO_UNREGISTER: %s", strerror(errno));
		/* It wakes those who miss a page, no others. */
		ioctl(p->fd, UFFDIO_WAKE, &range);
	}
}

void irqx_pages_free(struct irqx_pages *p)
{
	if (p->mem) {
		munmap(p->mem, p->size);
		close(p->fd);
	}
	if (p->alias)
		munmap(p->alias, p->size);
	if (is_fuse(p)) {
		/* Without the server the kernel ends what waits. */
		kill(p->server, SIGKILL);
		waitpid(p->server, NULL, 0);
		close(p->serve);
		umount2(p->dir, MNT_DETACH);
		rmdir(p->dir);
	}
	free(p);
}
