/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One shim per kernel change that this program meets, each with the kernel commit that made it.
 * "___flavour" suffixes are ignored by CO-RE: they are other versions of the same kernel struct.
 */
#ifndef KILLSNOOP_BASE_COMPAT_H
#define KILLSNOOP_BASE_COMPAT_H

#include "base/reading.h"

/* 5.14, 2f064a59a11f ("sched: Change task_struct::state"): `long state` became `unsigned int __state`. */
struct task_struct___state_after_5_14 {
	unsigned int __state;
} CORE;
struct task_struct___state_before_5_14 {
	long state;
} CORE;

static __always_inline u32 state_of(struct task_struct *task, enum reading how)
{
	struct task_struct___state_after_5_14 *after = (void *)task;
	if (bpf_core_field_exists(after->__state))
		return READ(how, after, __state);
	struct task_struct___state_before_5_14 *before = (void *)task;
	return (u32)BPF_CORE_READ(before, state);
}

/* loginuid exists only with CONFIG_AUDIT; -1 is the kernel's own "unset". */
struct task_struct___audit {
	kuid_t loginuid;
} CORE;

static __always_inline u32 login_uid_of(struct task_struct *task, enum reading how)
{
	struct task_struct___audit *audited = (void *)task;
	if (!bpf_core_field_exists(audited->loginuid))
		return (u32)-1;
	return READ(how, audited, loginuid.val);
}

/* The mode exists only with CONFIG_SECCOMP. */
struct seccomp___mode {
	int mode;
} CORE;
struct task_struct___seccomp {
	struct seccomp___mode seccomp;
} CORE;

static __always_inline u32 seccomp_mode(struct task_struct *task)
{
	struct task_struct___seccomp *filtered = (void *)task;
	if (!bpf_core_field_exists(filtered->seccomp))
		return 0;
	return BPF_CORE_READ(filtered, seccomp.mode);
}

/* 6.15, 633488947ef6 ("kernfs: Use RCU to access kernfs_node::parent."): `parent` became `__parent`. */
struct kernfs_node___parent_after_6_15 {
	struct kernfs_node *__parent;
} CORE;
struct kernfs_node___parent_before_6_15 {
	struct kernfs_node *parent;
} CORE;

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___parent_after_6_15 *after = (void *)node;
	if (bpf_core_field_exists(after->__parent))
		return BPF_CORE_READ(after, __parent);
	struct kernfs_node___parent_before_6_15 *before = (void *)node;
	return BPF_CORE_READ(before, parent);
}

/* The id of the cgroup that a state belongs to, of which no more than its address is known. */
static __always_inline u64 cgroup_of(struct cgroup_subsys_state *css)
{
	if (bpf_ksym_exists(bpf_rdonly_cast))
		return bpf_core_cast(css, struct cgroup_subsys_state)->cgroup->kn->id;
	return BPF_CORE_READ(css, cgroup, kn, id);
}

/* The place of a controller depends on the kernel's configuration, and it may be absent. */
enum cgroup_subsys_id___memory {
	memory_cgrp_id = 4,
};
enum cgroup_subsys_id___pids {
	pids_cgrp_id = 11,
};

static __always_inline struct cgroup_subsys_state *css_of(struct task_struct *task, u64 place)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	u64 css = 0;

	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)set + bpf_core_field_offset(struct css_set, subsys) + 8 * place);
	return (struct cgroup_subsys_state *)css;
}

static __always_inline struct mem_cgroup *memory_cgroup_of(struct task_struct *task)
{
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id___memory, memory_cgrp_id))
		return NULL;
	return (struct mem_cgroup *)css_of(task, bpf_core_enum_value(enum cgroup_subsys_id___memory,
								     memory_cgrp_id));
}

static __always_inline struct cgroup_subsys_state *pids_css_of(struct task_struct *task)
{
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id___pids, pids_cgrp_id))
		return NULL;
	return css_of(task, bpf_core_enum_value(enum cgroup_subsys_id___pids, pids_cgrp_id));
}

/* 6.2, f1a7941243c1 ("mm: convert mm's rss stats into percpu_counter"). What is on its way on each CPU is left out. */
struct percpu_counter {
	s64 count;
} CORE;
struct mm_struct___rss_after_6_2 {
	struct percpu_counter rss_stat[4];
} CORE;
struct mm_rss_stat___before_6_2 {
	atomic_long_t count[4];
} CORE;
struct mm_struct___rss_before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
} CORE;

static __always_inline void read_rss(struct mm_struct *mm, s64 *pages)
{
	if (bpf_core_type_exists(struct mm_rss_stat___before_6_2)) {
		struct mm_struct___rss_before_6_2 *before = (void *)mm;
		bpf_probe_read_kernel(pages, 32, &before->rss_stat.count);
		return;
	}
	struct mm_struct___rss_after_6_2 *after = (void *)mm;
	void *counters = (void *)after + bpf_core_field_offset(after->rss_stat);
#pragma unroll
	for (u32 i = 0; i < 4; i++)
		bpf_probe_read_kernel(&pages[i], sizeof(pages[i]),
				      counters + i * bpf_core_type_size(struct percpu_counter) +
					      bpf_core_field_offset(struct percpu_counter, count));
}

/*
 * Where current may allocate, of the first 64 NUMA nodes: by its cpuset, and by its memory policy. ~0: anywhere. Both
 * exist only with CONFIG_CPUSETS and CONFIG_NUMA.
 */
typedef struct {
	unsigned long bits[1];
} nodemask_t;
struct task_struct___cpusets {
	nodemask_t mems_allowed;
} CORE;
struct mempolicy___numa {
	unsigned short mode;
	nodemask_t
		nodes; /* 5.14, 269fbe72cded ("mm/mempolicy: use unified 'nodes' for bind/interleave/prefer policies") */
} CORE;
struct task_struct___numa {
	struct mempolicy___numa *mempolicy;
} CORE;
/* include/uapi/linux/mempolicy.h */
#define MPOL_BIND 2

static __always_inline u64 cpuset_nodes(void)
{
	struct task_struct___cpusets *task = (void *)bpf_get_current_task();

	if (!bpf_core_field_exists(task->mems_allowed))
		return ~0ULL;
	return BPF_CORE_READ(task, mems_allowed.bits[0]);
}

static __always_inline u64 policy_nodes(void)
{
	struct task_struct___numa *task = (void *)bpf_get_current_task();
	struct mempolicy___numa *policy = NULL;

	if (!bpf_core_field_exists(task->mempolicy) || !bpf_core_field_exists(policy->nodes))
		return ~0ULL;
	policy = BPF_CORE_READ(task, mempolicy);
	if (!policy || BPF_CORE_READ(policy, mode) != MPOL_BIND)
		return ~0ULL;
	return BPF_CORE_READ(policy, nodes.bits[0]);
}

/* 5.17, e6f2dd0f8067 ("bpf: Add bpf_loop helper"); where it is absent a plain bounded loop does the same. */
static __always_inline bool have_bpf_loop(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop);
}

/* 5.15, dd6e10fbd9fb ("bpf: Add bpf_task_pt_regs() helper"). */
static __always_inline bool have_task_pt_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

#endif
