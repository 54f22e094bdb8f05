/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's namespaces, as PID 1 has them: what lives in the same ones needs no mention of them. The seeding meets
 * PID 1 as somebody's parent. Addresses are compared, never followed.
 */
#ifndef KILLSNOOP_BASE_HOST_H
#define KILLSNOOP_BASE_HOST_H

#include "base/compat.h"
#include "base/settings.h"
#include "base/verifier.h"

struct host {
	u64 nsproxy;
	u64 mount;
	u64 net;
	u64 uts;
	u64 user;
};
struct host host = {};

static __always_inline void note_host(struct task_struct *init)
{
	struct nsproxy *nsproxy = BPF_CORE_READ(init, nsproxy);

	host.mount = (u64)BPF_CORE_READ(nsproxy, mnt_ns);
	host.net = (u64)BPF_CORE_READ(nsproxy, net_ns);
	host.uts = (u64)BPF_CORE_READ(nsproxy, uts_ns);
	host.user = (u64)BPF_CORE_READ(init, cred, user_ns);
	host.nsproxy = (u64)nsproxy;
}

/* Its cgroup in the hierarchy of version 1 that names containers; 0 where none does. */
static __always_inline u64 legacy_cgroup_of(struct task_struct *task)
{
	struct cgroup_subsys_state *css;

	if (settings.legacy_controller == LEGACY_NONE)
		return 0;
	css = settings.legacy_controller == LEGACY_MEMORY ? &memory_cgroup_of(task)->css : pids_css_of(task);
	return css ? cgroup_of(css) : 0;
}

/* The namespaces that are not the host's; an exiting process has none any more. */
static __always_inline void write_namespaces(struct wire_task *facts, struct nsproxy *nsproxy,
					     struct user_namespace *user)
{
	facts->namespaces_gone = nsproxy == NULL;
	facts->mount_namespace = 0;
	facts->net_namespace = 0;
	facts->user_namespace = (u64)user == host.user ? 0 : BPF_CORE_READ(user, ns.inum);
	if (!nsproxy || (u64)nsproxy == host.nsproxy)
		return;
	struct mnt_namespace *mount = BPF_CORE_READ(nsproxy, mnt_ns);
	struct net *net = BPF_CORE_READ(nsproxy, net_ns);

	if ((u64)mount != host.mount)
		facts->mount_namespace = BPF_CORE_READ(mount, ns.inum);
	if ((u64)net != host.net)
		facts->net_namespace = BPF_CORE_READ(net, ns.inum);
}

/* Its own, where it is not the host's; one that exits has none any more. */
static __always_inline struct uts_namespace *own_uts_namespace(struct task_struct *task)
{
	struct nsproxy *nsproxy = untrusted_view(task)->nsproxy;
	struct uts_namespace *uts;

	if (!nsproxy || (u64)nsproxy == host.nsproxy)
		return NULL;
	uts = BPF_CORE_READ(nsproxy, uts_ns);
	return (u64)uts == host.uts ? NULL : uts;
}

/* The name of the host as this namespace has it; the bytes without the NUL, 0: it could not be read. */
static __always_inline u32 copy_nodename(u8 *to, struct uts_namespace *uts)
{
	s64 copied = bpf_core_read_str(to, NODENAME_BYTES, &uts->name.nodename);

	return copied > 1 && copied <= NODENAME_BYTES ? (u32)copied - 1 : 0;
}

#endif
