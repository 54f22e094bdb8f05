/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The paths of cgroups, reported when they are made: a signal's record then needs no more than an id, and a
 * container that is removed a millisecond later is known by its path all the same.
 */
#ifndef KILLSNOOP_HOOKS_CGROUP_H
#define KILLSNOOP_HOOKS_CGROUP_H

#include "base/loss.h"
#include "base/verifier.h"

/* One element per CPU and program: mkdir's and rename's. */
struct cgroup_scratch {
	struct wire_cgroup record;
	u8 path[CGROUP_PATH];
	struct candidate candidate;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cgroup_scratch);
} cgroup_scratches SEC(".maps");

static __always_inline void lose_cgroup(struct cgroup_scratch *scratch, struct counters *counters)
{
	note_loss(scratch->candidate.cause);
	COUNT(counters->cgroups_dropped);
}

static __always_inline void emit_cgroup(u64 address, u64 path, struct counters *counters, u32 program)
{
	u32 slot = 2 * bpf_get_smp_processor_id() + program, hierarchy;
	struct cgroup *cgroup = (struct cgroup *)address;
	struct cgroup_scratch *scratch;
	s64 copied;

	hierarchy = BPF_CORE_READ(cgroup, root, hierarchy_id);
	if (hierarchy &&
	    (settings.legacy_controller == LEGACY_NONE || hierarchy != settings.legacy_hierarchy))
		return;
	scratch = bpf_map_lookup_elem(&cgroup_scratches, &slot);
	if (!scratch)
		return;
	if (!is_admitted(&scratch->candidate, bpf_get_current_task_btf(), ORDINARY)) {
		lose_cgroup(scratch, counters);
		return;
	}
	copied = bpf_probe_read_kernel_str(scratch->path, CGROUP_PATH, (void *)path);
	/* a path of just this length may have been cut */
	if (copied <= 1 || copied >= CGROUP_PATH) {
		COUNT(counters->cgroups_dropped);
		return;
	}
	scratch->record.version = WIRE_VERSION;
	scratch->record.kind = RECORD_CGROUP;
	scratch->record.id = BPF_CORE_READ(cgroup, kn, id);
	scratch->record.hierarchy = hierarchy;
	scratch->record.path_bytes = (u32)copied - 1;
	scratch->record.length = sizeof(scratch->record) + (u32)copied;
	if (bpf_ringbuf_output(&records, &scratch->record,
			       sizeof(scratch->record) + AT_MOST(CGROUP_PATH, (u32)copied),
			       BPF_RB_NO_WAKEUP)) {
		lose_cgroup(scratch, counters);
	} else {
		COUNT(counters->cgroups_emitted);
		charge(&scratch->candidate, sizeof(scratch->record) + (u32)copied);
	}
	/* nobody waits for it but the signals behind it */
	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) > settings.wake_at_bytes)
		wake_reader(counters);
}

#endif
