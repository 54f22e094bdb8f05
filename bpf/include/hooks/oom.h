/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The OOM killer marks its victim just after it has signalled it: what the victim weighed, which memory cgroup is at
 * its limit, and from where the kernel came, which distinguishes a cgroup's limit from the host's memory.
 */
#ifndef KILLSNOOP_HOOKS_OOM_H
#define KILLSNOOP_HOOKS_OOM_H

#include "base/ring.h"
#include "base/verifier.h"

/* Where the OOM hook builds its record; kills by the OOM killer are serialised by a mutex of the kernel's. */
struct oom_scratch {
	struct wire_oom record;
	u8 path[OOM_PATH + 256];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct oom_scratch);
} oom_scratches SEC(".maps");

/* Hierarchies deeper than this are cut: the path then begins with what is left. */
#define CGROUP_DEPTH 16
/*
 * A limit of which more than an eighth is left, and more than these pages, was not the one that was met: some of what
 * was charged has been given back by the time that the victim is chosen.
 */
#define NEARLY_NONE 256

struct limit_search {
	struct mem_cgroup *at;
	struct mem_cgroup *found;
	u64 slack;
	u64 limit; /* of found */
};

static long look_at_limit(u32 index __attribute__((unused)), void *context)
{
	struct limit_search *search = context;
	struct mem_cgroup *group = search->at;
	s64 usage, limit, slack;

	if (!group)
		return 1;
	usage = BPF_CORE_READ(group, memory.usage.counter);
	limit = BPF_CORE_READ(group, memory.max);
	slack = limit > usage ? limit - usage : 0;
	/*
	 * Not "nothing found yet, or": before 6.7 (ab5cfac139ab) the verifier looks at the body of a bpf_loop() for its
	 * first turn only, where that is always so, and deletes the comparison.
	 */
	if ((u64)slack < search->slack) {
		search->found = group;
		search->slack = slack;
		search->limit = limit;
	}
	search->at = (struct mem_cgroup *)BPF_CORE_READ(group, css.parent);
	return 0;
}

struct path_walk {
	struct oom_scratch *scratch;
	struct kernfs_node *node;
};

static long append_name(u32 index __attribute__((unused)), void *context)
{
	struct path_walk *walk = context;
	u32 at = *(volatile u32 *)&walk->scratch->record.path_bytes;
	struct kernfs_node *node = walk->node, *parent = kernfs_parent(node);
	s64 length;

	/* the root has no name */
	if (!parent || at >= OOM_PATH)
		return 1;
	length = bpf_probe_read_kernel_str(walk->scratch->path + at, 256, BPF_CORE_READ(node, name));
	if (length <= 0)
		return 1;
	walk->scratch->record.path_bytes = at + (u32)length;
	walk->node = parent;
	return 0;
}

/* `victim` is an address or, before 6.9 (72ba14deb40a), no more than a pid. */
static __always_inline void emit_oom(void *ctx, u64 victim, struct counters *counters)
{
	struct task_struct *task = (struct task_struct *)victim;
	struct limit_search search = { .slack = ~0ULL };
	struct path_walk walk = {};
	struct oom_scratch *scratch;
	struct wire_oom *oom;
	u32 zero = 0, length;
	s64 got;

	scratch = bpf_map_lookup_elem(&oom_scratches, &zero);
	if (!scratch)
		return;
	oom = &scratch->record;
	__builtin_memset(oom, 0, sizeof(*oom));
	oom->version = WIRE_VERSION;
	oom->kind = RECORD_OOM;
	oom->time = bpf_ktime_get_boot_ns();
	oom->current_tid = (u32)bpf_get_current_pid_tgid();
	oom->cpuset_nodes = cpuset_nodes();
	oom->policy_nodes = policy_nodes();
	got = bpf_get_stack(ctx, oom->stack, sizeof(oom->stack), 0);
	oom->stack_bytes = got > 0 ? (u32)got : 0;
	if ((s64)victim >= 0) {
		oom->tgid = (u32)victim;
	} else {
		struct task_struct *leader = BPF_CORE_READ(task, group_leader);

		oom->tgid = BPF_CORE_READ(leader, tgid);
		oom->start_time = BPF_CORE_READ(leader, start_boottime);
		read_rss(BPF_CORE_READ(task, mm), oom->rss);
		search.at = memory_cgroup_of(task);
		BOUNDED_LOOP(CGROUP_DEPTH, CGROUP_DEPTH, look_at_limit, &search);
	}
	if (search.found && (search.slack <= NEARLY_NONE || search.slack <= search.limit / 8)) {
		struct mem_cgroup *group = search.found;
		struct kernfs_node *node = BPF_CORE_READ(group, css.cgroup, kn);

		oom->usage = BPF_CORE_READ(group, memory.usage.counter);
		oom->limit = BPF_CORE_READ(group, memory.max);
		oom->cgroup = BPF_CORE_READ(node, id);
		walk.scratch = scratch;
		walk.node = node;
		BOUNDED_LOOP(CGROUP_DEPTH, CGROUP_DEPTH, append_name, &walk);
		/* a path that does not begin at the top is none */
		node = walk.node;
		if (kernfs_parent(node))
			oom->path_bytes = 0;
	}
	length = sizeof(*oom) + *(volatile u32 *)&oom->path_bytes;
	oom->length = length;
	if (bpf_ringbuf_output(&records, scratch, AT_MOST(sizeof(*scratch), length), BPF_RB_NO_WAKEUP))
		COUNT(counters->ooms_dropped);
	else
		COUNT(counters->ooms_emitted);
	wake_reader(counters);
}

#endif
