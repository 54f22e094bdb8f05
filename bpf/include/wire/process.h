/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a record says of a process, and of what started it.
 */
#ifndef KILLSNOOP_WIRE_PROCESS_H
#define KILLSNOOP_WIRE_PROCESS_H

#include "wire/constants.h"

/* Of processes and images: why bytes are missing. None of them set: argv is what was exec'd. */
enum wire_process_flag {
	PROCESS_NO_ARGV = 1 << 0, /* nothing to have: a kernel thread */
	PROCESS_UNKNOWN =
		1 << 1, /* no identity: a hook was missed, or older than the tracer and not seeded */
	PROCESS_EXEC_RACE = 1 << 2,    /* it was exec'ing while its argv was read */
	PROCESS_MID_EXEC = 1 << 3,     /* a new image is running for which the exec hook has not */
	PROCESS_UNREADABLE = 1 << 4,   /* the hook could not read the argument block */
	PROCESS_NO_MEMORY = 1 << 5,    /* the kernel had no memory for it */
	PROCESS_CUT = 1 << 7,          /* argv_kept of argv_total bytes: cut */
	PROCESS_FROM_PROC = 1 << 8,    /* user space seeded it from /proc */
	PROCESS_TITLE_LOST = 1 << 10,  /* the live title could not be read */
	PROCESS_TITLE_CUT = 1 << 11,   /* the live title is longer than TITLE_BYTES */
	PROCESS_TITLE_SPILT = 1 << 12, /* the title overwrote the end of argv: one string, not a list */
	PROCESS_SEEDED = 1 << 13,      /* older than the tracer: argv as read at seeding */
	PROCESS_BY_PLACE = 1 << 14,    /* its image is known by the place of its argument block, not by mm */
	PROCESS_EXE_LOST = 1 << 15,    /* the path of the executable could not be kept */
	PROCESS_ENV_CUT = 1 << 16,     /* more environment variables were asked for than could be kept */
	PROCESS_ENV_LOST = 1 << 17,    /* its environment could not be read */
	PROCESS_OVERWRITTEN = 1 << 18, /* it had written over its argv before the tracer came: a title */
	PROCESS_EXE_UNREACHABLE = 1 << 19, /* its executable is not below its root directory */
	PROCESS_REPORTED = 1 << 20,     /* its image is in a record before this one: it has the other flags */
	PROCESS_NAMED = 1 << 21,        /* its name follows */
	PROCESS_NOT_REPORTED = 1 << 22, /* there is an image, and no room for it in the ring */
};

/*
 * A process in a record: who it is, and which image it runs. Command line, executable and environment of that are in a record
 * of their own, which lies before this one in the ring (PROCESS_REPORTED).
 */
struct wire_process {
	u64 start_time; /* CLOCK_BOOTTIME, ns */
	u32 tgid;       /* in the initial pid namespace, as all ids here */
	u32 flags;      /* enum wire_process_flag */
	u32 exec_id;    /* low half of task->self_exec_id, of the image that runs */
	u16 epoch;      /* reported, and without a name: as in the image of this epoch */
	u16 title_kept;
};
_Static_assert(sizeof(struct wire_process) == 24, "wire_process has padding");

/* Behind it, with PROCESS_NAMED: what changes while it runs one image. */
struct wire_name {
	u8 comm[TASK_COMM_LEN];
	u32 uid;       /* effective */
	u32 arg_start; /* low half of mm->arg_start: /proc may be asked for this image */
};
_Static_assert(sizeof(struct wire_name) == 24, "wire_name has padding");
struct wire_named {
	struct wire_process process;
	struct wire_name name;
};

enum wire_image_flag {
	IMAGE_NAMED = 1 << 0,   /* records of its epoch may leave out the name where it is this one */
	IMAGE_AWAITED = 1 << 1, /* a signal met it in the middle of execve, and waits for it */
};

/*
 * An image of a process: what it was exec'd with. The bytes of argv follow, those of the path of its executable, those of the
 * environment variables that were asked for. In the ring there may be more room behind it.
 */
struct wire_image {
	u16 version;
	u16 kind;
	u32 length;
	u64 start_time;
	u32 tgid;
	u32 exec_id;
	u32 flags;      /* enum wire_process_flag */
	u32 argv_total; /* bytes of the argument block, saturated */
	u16 argv_kept;
	u16 exe_kept;
	u16 environment_kept;
	u16 epoch;
	u32 uid; /* effective, when it was reported */
	u32 image_flags;
	u8 comm[TASK_COMM_LEN];
};
_Static_assert(sizeof(struct wire_image) == 64, "wire_image has padding");

/* What only source and target have. */
struct wire_task {
	u64 cgroup;        /* id in the default hierarchy */
	u64 legacy_cgroup; /* and in the hierarchy of version 1 that is looked at, if one is */
	u32 tid;
	u32 flags; /* task->flags, PF_* */
	u32 uid;   /* real */
	u32 gid;   /* effective */
	u32 login_uid;
	u32 pgid;
	u32 session;
	u32 namespace_pid; /* its thread group id where it lives */
	u32 namespace_inode;
	u32 namespace_level;
	u32 state;      /* task->__state */
	u32 exit_state; /* of the leader */
	u32 live;       /* signal->live: threads that have not begun to exit */
	u32 signal_flags;
	u32 group_exit_code;
	/* inodes of namespaces; 0 where they are those of the host's PID 1, or cannot be had */
	u32 mount_namespace;
	u32 net_namespace;
	u32 user_namespace;
	u16 nodename_kept;
	u16 namespaces_gone; /* it is past the point of its exit where it had any */
	u8 tty[TTY_BYTES];   /* its terminal */
	u32 jobctl;          /* the low half of task->jobctl, JOBCTL_* */
};
_Static_assert(sizeof(struct wire_task) == 112, "wire_task has padding");

/* wire_spawner.flags */
enum wire_spawner_flag {
	SPAWNER_EXITED = 1 << 0,       /* what follows was kept when it ended */
	SPAWNER_EXECED_SINCE = 1 << 1, /* it has run another program since it started the other */
};

/*
 * Who started a process whose parent is another now. A struct wire_named follows, and argv_kept bytes of argv if it has ended;
 * else only its pid and start are known.
 */
struct wire_spawner {
	u32 of; /* place of the process in this record; those behind the chains are places too */
	u32 flags;
	u32 argv_total;
	u32 argv_kept;
};

#endif
