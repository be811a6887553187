/* SPDX-License-Identifier: MIT */
#ifndef KVM_IRQX_COMMAND_H
#define KVM_IRQX_COMMAND_H

/* What the parts of the command share. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* One sentence, on stderr; die() ends the process with status 1. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A number in C's notation that is not above @max; dies if it is none. @what: in the sentence. */
uint64_t number(const char *what, const char *text, uint64_t max);

/* That of file @path, which a VMM has written (QEMU: -pidfile). */
pid_t pid_of_file(const char *path);

/* ---- vm.c: the VM of another process ---- */

/* Return: a pidfd, readable when the process has ended.  Dies if there is no such process. */
int process_open(pid_t pid);

/*
 * A descriptor of the VM that the process has; @fd: which one of its descriptors, or -1: it has
 * only one.  Dies, with what to do, if it is not to be had.
 */
int process_vm(int pidfd, pid_t pid, int fd);

/* ---- control.c: the socket of a server ---- */

#define CONTROL_DIR	"/run/kvm-irqx"
/* One request or answer, with its zero. */
#define CONTROL_MAX	65536
/* After it no other answer comes. */
#define CONTROL_END	"="

/* @path: for that process, unless one is given. */
void control_path(char *path, size_t size, pid_t pid, const char *given);
/* Return: a listening socket that nobody but the user can connect to. */
int control_listen(const char *path);
/* Sends @request and prints what comes.  @fd: where a descriptor goes that comes along, or NULL. */
int control_ask(const char *path, const char *request, int *fd);
/* @fd: goes along, or -1.  Return: false: it was not taken, within the socket's time. */
bool control_answer(int socket, const char *text, int fd);

/* ---- the subcommands; argv[0] is the subcommand's name ---- */

int dynirq_serve(int argc, char **argv);
int dynirq_ask(int argc, char **argv);

#endif /* KVM_IRQX_COMMAND_H */
