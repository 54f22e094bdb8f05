// SPDX-License-Identifier: MIT OR Apache-2.0
/* What the parts of the helper program share: truth, and the life of a process. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* argv of this process, as it got it. */
extern char **arguments;
extern int argument_count;

/* A role: the program run with this as its first argument. */
struct role {
	const char *name;
	int (*run)(void);
};
extern const struct role chain_roles[];
extern const struct role argv_roles[];
extern const struct role signal_roles[];
extern const struct role end_roles[];
extern const struct role place_roles[];
extern const struct role fault_roles[];
extern const struct role churn_roles[];
extern const struct role load_roles[];
extern const struct role memory_roles[];
extern const struct role exhaust_roles[];
extern const struct role squat_roles[];
extern const struct role waiting_roles[];
extern const struct role volley_roles[];

/* A way a signal comes to be: `workload signal NAME` does it. */
struct signal_kind {
	const char *name;
	void (*make)(void);
};
extern const struct signal_kind cause_kinds[];
extern const struct signal_kind attack_kinds[];
extern const struct signal_kind waiting_kinds[];

__attribute__((noreturn)) void die(const char *what);
/* This process, as it knows itself, run with these arguments. */
void tell_self(void);
/* kill(), logged if it returned success. */
int send_and_tell(const char *round, int signal, pid_t target);
/* Monotonic time in ns. */
unsigned long long now(void);
/* The middle one of so many; sorts them. */
unsigned long long median_of(unsigned long long *numbers, int count);
/* Plays the role that the first argument names, and ends; returns if there is none. */
void play_role(void);
/* execs this program. */
void run(char *const argv[]);
__attribute__((noreturn)) void wait_for_ever(void);
/* Makes the kernel believe that the arguments of this process lie there. */
void set_block(unsigned long start, unsigned long end);
/* Waits for the end of a child; -1: of every child. */
void reap(pid_t child);
/* Prints a pid and a line end, at once; or two of them. */
void say(pid_t pid);
void say_two(pid_t target, pid_t other);
/* A child that does this and is killed with its parent. */
pid_t start(void (*run)(void));
/* A child that waits for ever; it is ready when this returns. */
pid_t start_child(void (*prepare)(void));

/* What the environment says of a process that only waits. */
void disguise(void);

#endif
