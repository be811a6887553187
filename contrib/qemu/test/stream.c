// SPDX-License-Identifier: GPL-2.0
/*
 * Data for scripts/tests/long/qemu-guest, on both sides of the network.
 *
 *   stream fill SEED BYTES          writes so many bytes to stdout
 *   stream serve PORT               sends back what it gets, connection after connection
 *   stream check ADDR PORT SEED BYTES
 *                                   sends such bytes, and exits with 0 if it gets the same back
 */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK	(64 << 10)

/* xorshift64: the next bytes of the sequence */
static void fill(uint64_t *state, uint64_t *words)
{
	for (size_t i = 0; i < CHUNK / sizeof(*words); i++) {
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		words[i] = *state;
	}
}

static void put(int fd, const void *from, size_t len)
{
	const char *bytes = from;

	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n <= 0)
			err(1, "write");
		bytes += n;
		len -= n;
	}
}

static void send_all(int fd, uint64_t seed, uint64_t bytes)
{
	static uint64_t words[CHUNK / sizeof(uint64_t)];

	for (; bytes; bytes -= CHUNK) {
		fill(&seed, words);
		put(fd, words, CHUNK);
	}
}

static void compare_all(int fd, uint64_t seed, uint64_t bytes)
{
	static uint64_t words[CHUNK / sizeof(uint64_t)];
	static char got[CHUNK];

	for (uint64_t at = 0; at < bytes; at += CHUNK) {
		size_t have = 0;

		fill(&seed, words);
		while (have < CHUNK) {
			ssize_t n = read(fd, got + have, CHUNK - have);

			if (n <= 0)
				err(1, "read after %llu bytes", (unsigned long long)at + have);
			have += n;
		}
		if (memcmp(words, got, CHUNK))
			errx(1, "other bytes after %llu", (unsigned long long)at);
	}
}

static struct sockaddr_in address(const char *ip, const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	if (inet_pton(AF_INET, ip, &addr.sin_addr) != 1)
		errx(2, "no address: %s", ip);
	return addr;
}

static void echo(int fd)
{
	static char buf[CHUNK];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		put(fd, buf, n);
}

static int serve(const char *port)
{
	struct sockaddr_in addr = address("0.0.0.0", port);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	signal(SIGCHLD, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (void *)&addr, sizeof(addr)) || listen(listener, 8))
		err(1, "listen");
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			err(1, "accept");
		if (!fork()) {
			echo(fd);
			_exit(0);
		}
		close(fd);
	}
}

static int check(const char *ip, const char *port, uint64_t seed, uint64_t bytes)
{
	struct sockaddr_in addr = address(ip, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (void *)&addr, sizeof(addr)))
		err(1, "connect");
	if (!fork()) {
		send_all(fd, seed, bytes);
		_exit(0);
	}
	compare_all(fd, seed, bytes);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "fill"))
		send_all(1, atoll(argv[2]), atoll(argv[3]));
	else if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	else if (argc == 6 && !strcmp(argv[1], "check"))
		return check(argv[2], argv[3], atoll(argv[4]), atoll(argv[5]));
	else
		errx(2, "see the head of stream.c");
	return 0;
}
