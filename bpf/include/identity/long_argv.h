/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What long command lines take of all processes together, zombies included: bounded, and fairly. Half is root's. Of the rest a
 * class of users may hold as much as all of them leave: so there is room for the next one, however many came before. What is beyond
 * that is cut to what the identity itself holds, and flagged.
 */
#ifndef KILLSNOOP_IDENTITY_LONG_ARGV_H
#define KILLSNOOP_IDENTITY_LONG_ARGV_H

#include "base/user_class.h"
#include "identity/argv.h"

/* KiB. */
#define LONG_ARGV_OF_ROOT (32 << 10)
#define LONG_ARGV_OF_OTHERS (32 << 10)

u32 long_argv_held[USER_CLASSES] = {};
u32 long_argv_of_others = 0;

/* What the values of a class take, KiB. */
static __always_inline u32 long_argv_size(enum argv_class class)
{
	switch (class) {
	case ARGV_INLINE:
		return 0;
	case ARGV_MEDIUM:
		return 2;
	case ARGV_LARGE:
		return 8;
	default:
		return 16;
	}
}

static __always_inline u32 *long_argv_of(u32 class)
{
	return &long_argv_held[AT_MOST(USER_CLASSES - 1, class)];
}

/* A charge names the class that pays for it, and how much it is. */
#define CHARGE(class, size) ((class) << 16 | (size))

BPF_GLOBAL_FUNC int return_long_argv(u32 charge)
{
	u32 class = charge >> 16, size = charge & 0xffff;

	__sync_fetch_and_add(long_argv_of(class), -size);
	if (class != CLASS_ROOT)
		__sync_fetch_and_add(&long_argv_of_others, -size);
	return 0;
}

/* The charge; 0: refused. */
BPF_GLOBAL_FUNC u32 charge_long_argv(u32 class, u32 size)
{
	u32 own = __sync_fetch_and_add(long_argv_of(class), size) + size, all, charge = CHARGE(class, size);

	if (class == CLASS_ROOT) {
		if (own <= LONG_ARGV_OF_ROOT)
			return charge;
	} else {
		all = __sync_fetch_and_add(&long_argv_of_others, size) + size;
		if (all <= LONG_ARGV_OF_OTHERS && own <= LONG_ARGV_OF_OTHERS - all + size)
			return charge;
	}
	return_long_argv(charge);
	return 0;
}

/* May the process keep so many bytes? Then they are charged to its user, with the identity, beside what it has. */
static __always_inline bool is_allowed(struct task_struct *leader, struct identity *identity, u32 bytes)
{
	u32 size = long_argv_size(class_of(bytes)), charge = 0;

	if (size)
		charge = charge_long_argv(user_class(leader), size);
	identity->long_argv = charge;
	return charge || !size;
}

static __always_inline void release_long_argv(u32 charge)
{
	if (charge)
		return_long_argv(charge);
}

/* The task goes, and with it what it has in task storage. */
static __always_inline void release_task(struct task_struct *task)
{
	struct identity *identity = bpf_task_storage_get(&identities, task, NULL, 0);

	if (identity)
		release_long_argv(identity->long_argv);
	identity = bpf_task_storage_get(&seeded, task, NULL, 0);
	if (identity)
		release_long_argv(identity->long_argv);
}

#endif
