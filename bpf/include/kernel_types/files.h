/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files, mounts and memory, as far as they are used (kernel_types/types.h).
 */
#ifndef KILLSNOOP_KERNEL_FILES_H
#define KILLSNOOP_KERNEL_FILES_H

#include "kernel_types/shared.h"

struct inode {
	void *i_private;
} CORE;

struct qstr {
	const unsigned char *name;
} CORE;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
} CORE;

struct vfsmount {
	struct dentry *mnt_root;
} CORE;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} CORE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} CORE;

struct fs_struct {
	struct path root;
} CORE;

struct file {
	struct path f_path;
	void *private_data;
	struct inode *f_inode;
} CORE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;

struct files_struct {
	struct fdtable *fdt;
} CORE;

struct mm_struct {
	unsigned long start_stack;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
} CORE;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	void *vm_ops;
} CORE;

#endif
