/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks that some kernels skip are attached twice.
 */
#ifndef KILLSNOOP_BASE_HOOK_COPY_H
#define KILLSNOOP_BASE_HOOK_COPY_H

#include "kernel_types/types.h"

/* Which of the two copies of a hook runs: each has scratch space of its own. */
enum hook_copy {
	FIRST_COPY = 0,
	SECOND_COPY = 1,
};

#endif
