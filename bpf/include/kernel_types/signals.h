/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process has for its signals, as far as it is used (kernel_types/types.h).
 */
#ifndef KILLSNOOP_KERNEL_SIGNALS_H
#define KILLSNOOP_KERNEL_SIGNALS_H

#include "kernel_types/ids.h"

/* include/linux/sched/signal.h */
#define SIGNAL_UNKILLABLE 0x00000040

typedef struct {
	unsigned long sig[1];
} sigset_t;

/* include/linux/signal_types.h; the values that stand in for a pointer are those of linux/sched/signal.h */
union __sifields {
	struct {
		int _pid;
		u32 _uid;
	} _kill;
} CORE;

struct kernel_siginfo {
	int si_code;
	union __sifields _sifields;
} CORE;

struct sigaction {
	void *sa_handler;
} CORE;

struct k_sigaction {
	struct sigaction sa;
} CORE;

struct wait_queue_head {
	struct list_head head;
} CORE;

typedef struct wait_queue_head wait_queue_head_t;

struct sighand_struct {
	wait_queue_head_t signalfd_wqh;
	struct k_sigaction action[64];
} CORE;

/* include/uapi/asm-generic/resource.h */
#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_RTTIME 15
#define RLIM_NLIMITS 16

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
} CORE;

struct sigpending {
	sigset_t signal;
} CORE;

struct task_cputime_atomic {
	atomic64_t utime;
	atomic64_t stime;
} CORE;

struct thread_group_cputimer {
	struct task_cputime_atomic cputime_atomic;
} CORE;

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[PIDTYPE_MAX];
	struct tty_struct *tty;
	struct sigpending shared_pending;
	struct rlimit rlim[RLIM_NLIMITS];
	struct thread_group_cputimer cputimer;
} CORE;

struct tty_struct {
	char name[64];
	struct {
		struct pid *session;
	} ctrl;
} CORE;

#endif
