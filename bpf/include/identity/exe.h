/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of the executable, as the process itself would see it: names from its file up to its own root
 * directory, across mounts. Taken when it is exec'd or seeded, and kept behind argv, so that a signal copies both
 * at once. A walk that does not meet that root names a file that the process may have been given a descriptor of,
 * from another mount namespace or from no directory at all: the path is not one of the process's, and
 * PROCESS_EXE_UNREACHABLE says so.
 *
 * The helper for this, bpf_d_path(), cannot be called from these hooks. Renames go on meanwhile, and each is seen or
 * not, as by anybody who reads a path. Everything is read by copying: no address is trusted.
 */
#ifndef KILLSNOOP_IDENTITY_EXE_H
#define KILLSNOOP_IDENTITY_EXE_H

#include "base/verifier.h"
#include "identity/scratch.h"

struct exe_walk {
	struct identity_scratch *scratch;
	u64 dentry;
	u64 mount; /* its struct vfsmount */
	u64 root_dentry;
	u64 root_mount;
};

static long append_exe_name(u32 index __attribute__((unused)), void *context)
{
	struct exe_walk *walk = context;
	struct identity_scratch *scratch = walk->scratch;
	struct dentry *dentry = (struct dentry *)walk->dentry, *up;
	struct vfsmount *vfsmount = (struct vfsmount *)walk->mount;
	u32 argv = *(volatile u32 *)&scratch->argv_kept, used = *(volatile u32 *)&scratch->exe_used, at;
	const unsigned char *name;
	s64 copied;

	if (walk->dentry == walk->root_dentry && walk->mount == walk->root_mount)
		goto whole;
	if (walk->dentry == (u64)BPF_CORE_READ(vfsmount, mnt_root)) {
		struct mount *mount = (void *)walk->mount - bpf_core_field_offset(struct mount, mnt);
		struct mount *below = BPF_CORE_READ(mount, mnt_parent);

		/* the top of a tree that the process cannot reach */
		if (below == mount)
			goto unreachable;
		walk->dentry = (u64)BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = (u64)below + bpf_core_field_offset(struct mount, mnt);
		return 0;
	}
	if (used > EXE_BYTES)
		return 1;
	name = BPF_CORE_READ(dentry, d_name.name);
	at = AT_MOST(ARGV_MAX, argv) + AT_MOST(EXE_BYTES, used);
	copied = bpf_probe_read_kernel_str(scratch->bytes + AT_MOST(ARGV_MAX + EXE_BYTES, at), 256, name);
	if (copied <= 1)
		return 1;
	scratch->exe_used = used + (u32)copied;
	up = BPF_CORE_READ(dentry, d_parent);
	/* a file that is in no directory: a memfd */
	if (up == dentry)
		goto unreachable;
	walk->dentry = (u64)up;
	return 0;
unreachable:
	scratch->flags |= PROCESS_EXE_UNREACHABLE;
whole:
	scratch->exe_kept = *(volatile u32 *)&scratch->exe_used;
	return 1;
}

/* Puts it behind the argv_kept bytes of `scratch`; exe_kept stays 0 if it is too long or could not be read. */
static __always_inline void append_exe(struct identity_scratch *scratch, struct task_struct *task,
				       struct mm_struct *mm)
{
	struct file *file = BPF_CORE_READ(mm, exe_file);
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct exe_walk walk = { .scratch = scratch };

	scratch->exe_kept = 0;
	scratch->exe_used = 0;
	if (!file || !fs)
		return;
	walk.dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	walk.mount = (u64)BPF_CORE_READ(file, f_path.mnt);
	walk.root_dentry = (u64)BPF_CORE_READ(fs, root.dentry);
	walk.root_mount = (u64)BPF_CORE_READ(fs, root.mnt);
	BOUNDED_LOOP(EXE_NAMES, EXE_NAMES, append_exe_name, &walk);
	if (*(volatile u32 *)&scratch->exe_kept > EXE_BYTES)
		scratch->exe_kept = 0;
}

#endif
