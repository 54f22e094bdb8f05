/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classes of users, for what is bounded by user and kept for long: few enough that each has a number of its own.
 */
#ifndef KILLSNOOP_BASE_USER_CLASS_H
#define KILLSNOOP_BASE_USER_CLASS_H

#include "base/host.h"
#include "base/verifier.h"

/* A power of two. 0 is nobody's. */
#define USER_CLASSES 256
#define CLASS_ROOT 1
#define CLASS_CONTAINERS 2
#define CLASS_USERS 3 /* and from there on */

/*
 * Who pays for what is kept of a process: the owner_of() the real uid, which a set-user-id program keeps of its caller. Root in
 * a pid namespace may be anybody's container: all of them are one class.
 */
static __always_inline u32 user_class(struct task_struct *leader)
{
	u32 uid = BPF_CORE_READ(leader, cred, uid.val);

	if (!uid)
		return BPF_CORE_READ(leader, thread_pid, level) ? CLASS_CONTAINERS : CLASS_ROOT;
	uid = owner_of(uid);
	/* Fibonacci hashing: uids that follow one another are far apart */
	return CLASS_USERS + (uid * 0x9e3779b1U >> 24) % (USER_CLASSES - CLASS_USERS);
}

#endif
