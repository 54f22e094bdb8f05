/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of the kernel's interface that both sides need. User space has them from the object's type information
 * (wire_types.h): there is no second copy.
 */
#ifndef KILLSNOOP_KERNEL_CONSTANTS_H
#define KILLSNOOP_KERNEL_CONSTANTS_H

/* include/linux/sched.h, sched/signal.h */
enum task_constant {
	SIGNAL_GROUP_EXIT = 0x4,
	PF_EXITING = 0x4,
	PF_IO_WORKER = 0x10,
	TASK_COMM_LEN = 16,
	PF_KTHREAD = 0x200000,
};

/* arch/{x86,arm64}/include/uapi/asm/signal.h: the same on both */
enum signal_number {
	SIGHUP = 1,
	SIGINT = 2,
	SIGQUIT = 3,
	SIGILL = 4,
	SIGTRAP = 5,
	SIGABRT = 6,
	SIGBUS = 7,
	SIGFPE = 8,
	SIGKILL = 9,
	SIGSEGV = 11,
	SIGPIPE = 13,
	SIGALRM = 14,
	SIGCHLD = 17,
	SIGCONT = 18,
	SIGSTOP = 19,
	SIGTSTP = 20,
	SIGTTIN = 21,
	SIGTTOU = 22,
	SIGURG = 23,
	SIGXCPU = 24,
	SIGXFSZ = 25,
	SIGVTALRM = 26,
	SIGPROF = 27,
	SIGWINCH = 28,
	SIGIO = 29,
	SIGSYS = 31,
	/* the first of the kernel; glibc keeps it and the next for itself */
	KERNEL_SIGRTMIN = 32,
};

/* include/uapi/asm-generic/siginfo.h */
enum siginfo_code {
	SI_SIGIO = -5,
	SI_ASYNCIO = -4,
	SI_MESGQ = -3,
	SI_TIMER = -2,
	SI_USER = 0,
	SYS_USER_DISPATCH = 2,
	BUS_MCEERR_AR = 4,
	BUS_MCEERR_AO = 5,
	TRAP_PERF = 6,
	SI_KERNEL = 128,
};

/* Calls that may send a signal: arch/x86/entry/syscalls/syscall_64.tbl, of x86-64 and of x32. */
enum call_x86_64 {
	X86_64_KILL = 62,
	X86_64_PTRACE = 101,
	X86_64_RT_SIGQUEUEINFO = 129,
	X86_64_TKILL = 200,
	X86_64_TGKILL = 234,
	X86_64_RT_TGSIGQUEUEINFO = 297,
	PIDFD_SEND_SIGNAL = 424, /* of every table */
	X32_PTRACE = 521,
	X32_RT_SIGQUEUEINFO = 524,
	X32_RT_TGSIGQUEUEINFO = 536,
	X32_SYSCALL_BIT = 0x40000000,
};

/* arch/x86/entry/syscalls/syscall_32.tbl */
enum call_i386 {
	I386_PTRACE = 26,
	I386_KILL = 37,
	I386_RT_SIGQUEUEINFO = 178,
	I386_TKILL = 238,
	I386_TGKILL = 270,
	I386_RT_TGSIGQUEUEINFO = 335,
};

/* include/uapi/asm-generic/unistd.h */
enum call_arm64 {
	ARM64_PTRACE = 117,
	ARM64_KILL = 129,
	ARM64_TKILL = 130,
	ARM64_TGKILL = 131,
	ARM64_RT_SIGQUEUEINFO = 138,
	ARM64_RT_TGSIGQUEUEINFO = 240,
};

/* arch/arm64/tools/syscall_32.tbl */
enum call_arm {
	ARM_PTRACE = 26,
	ARM_KILL = 37,
	ARM_RT_SIGQUEUEINFO = 178,
	ARM_TKILL = 238,
	ARM_TGKILL = 268,
	ARM_RT_TGSIGQUEUEINFO = 363,
};

/* include/uapi/linux/pidfd.h */
enum pidfd_flag {
	PIDFD_SIGNAL_PROCESS_GROUP = 4,
};

#endif
