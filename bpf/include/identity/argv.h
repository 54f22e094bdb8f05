/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the bytes of an identity are: argv, and the path of the executable behind it, in the smallest class of
 * value that holds both. The other classes are not kept.
 */
#ifndef KILLSNOOP_IDENTITY_ARGV_H
#define KILLSNOOP_IDENTITY_ARGV_H

#include "identity/store.h"

/* Which value holds argv; each class is whole in its own map. */
enum argv_class {
	ARGV_INLINE = 0,
	ARGV_MEDIUM = 1,
	ARGV_LARGE = 2,
	ARGV_CHAINED = 3, /* argv_large and, from ARGV_LARGE_BYTES on, argv_tail */
};

static __always_inline enum argv_class class_of(u32 length)
{
	if (length <= ARGV_INLINE_BYTES)
		return ARGV_INLINE;
	if (length <= ARGV_MEDIUM_BYTES)
		return ARGV_MEDIUM;
	if (length <= ARGV_LARGE_BYTES)
		return ARGV_LARGE;
	return ARGV_CHAINED;
}

/* argv and the executable's path behind it are kept as one. */
static __always_inline u32 bytes_kept(const struct identity *identity)
{
	return *(volatile u32 *)&identity->argv_kept + *(volatile u32 *)&identity->exe_kept;
}

/* The value that holds the first bytes of argv, or NULL if it is being changed this very moment. */
static __always_inline const void *argv_bytes(const struct identity_ref *known, u32 bytes)
{
	enum argv_class class = class_of(bytes);
	struct argv_medium *medium;
	struct argv_large *large;

	if (class == ARGV_INLINE)
		return known->identity->argv;
	if (class == ARGV_MEDIUM) {
		if (known->seeded)
			medium = bpf_task_storage_get(&seeded_medium, known->owner, NULL, 0);
		else
			medium = bpf_task_storage_get(&argv_medium, known->owner, NULL, 0);
		return medium ? medium->argv : NULL;
	}
	if (known->seeded)
		large = bpf_task_storage_get(&seeded_large, known->owner, NULL, 0);
	else
		large = bpf_task_storage_get(&argv_large, known->owner, NULL, 0);
	return large ? large->argv : NULL;
}

static __always_inline const void *argv_tail_bytes(const struct identity_ref *known)
{
	struct argv_large *tail;

	if (known->seeded)
		tail = bpf_task_storage_get(&seeded_tail, known->owner, NULL, 0);
	else
		tail = bpf_task_storage_get(&argv_tail, known->owner, NULL, 0);
	return tail ? tail->argv : NULL;
}

/* Values that the new argv no longer uses go: an exec from a long to a short argv gives its memory back. */
static __always_inline void drop_unused_classes(struct task_struct *leader, u32 before, u32 after)
{
	enum argv_class old = class_of(before), now = class_of(after);

	if (old == now || old == ARGV_INLINE)
		return;
	if (old == ARGV_MEDIUM)
		bpf_task_storage_delete(&argv_medium, leader);
	if (old >= ARGV_LARGE && now < ARGV_LARGE)
		bpf_task_storage_delete(&argv_large, leader);
	if (old == ARGV_CHAINED)
		bpf_task_storage_delete(&argv_tail, leader);
}

#endif
