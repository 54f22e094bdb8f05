/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the fields of kernel objects are read: one list of fields then serves a task that the verifier knows, and any address.
 */
#ifndef KILLSNOOP_BASE_READING_H
#define KILLSNOOP_BASE_READING_H

#include "kernel_types/types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

enum reading {
	/* a pointer that the verifier knows: the cheapest for the signal */
	BY_LOADS,
	/* any address: five times the price for the signal, and next to nothing for the verifier */
	BY_COPYING,
};

/* READ(how, task, cred, uid.val) is task->cred->uid.val. `how` is a constant: the other way is compiled to nothing. */
#define READ(how, ...) ((how) == BY_LOADS ? ___arrow(__VA_ARGS__) : BPF_CORE_READ(__VA_ARGS__))

#endif
