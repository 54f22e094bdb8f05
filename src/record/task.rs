//! What a record has of the thread that sent or got a signal, or that ended: only of these, not of their ancestors.

use crate::wire::{Constant, TaskConstant, WireTask};

/// Bytes of a terminal's name, as the kernel has it.
pub const TTY_BYTES: usize = Constant::TTY_BYTES.0 as usize;

/// Of [`Task::flags`]: it is past the point of no return of its exit.
pub const PF_EXITING: u32 = TaskConstant::PF_EXITING.0;
/// Of [`Task::flags`]: it works for an `io_uring`.
pub const PF_IO_WORKER: u32 = TaskConstant::PF_IO_WORKER.0;
/// Of [`Task::flags`]: it is a kernel thread.
pub const PF_KTHREAD: u32 = TaskConstant::PF_KTHREAD.0;

/// What only source and target have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Task {
    /// Thread id.
    pub tid: u32,
    /// `task->flags`.
    pub flags: u32,
    /// Real user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Audit login uid; `u32::MAX` is unset.
    pub login_uid: u32,
    /// Process group.
    pub pgid: u32,
    /// Session.
    pub session: u32,
    /// Thread group id inside its own pid namespace; 0 if unknown.
    pub namespace_pid: u32,
    /// Inode of that namespace.
    pub namespace_inode: u32,
    /// Its depth; 0 is the initial one.
    pub namespace_level: u32,
    /// `task->__state`.
    pub state: u32,
    /// The leader's `exit_state`.
    pub exit_state: u32,
    /// Threads that have not begun to exit.
    pub live: u32,
    /// `signal->flags`.
    pub signal_flags: u32,
    /// `signal->group_exit_code`.
    pub group_exit_code: u32,
    /// Id of its cgroup in the default hierarchy.
    pub cgroup: u64,
    /// And in the hierarchy of version 1 that is looked at; 0 if none is.
    pub legacy_cgroup: u64,
    /// Inodes of its namespaces, where they are not those of PID 1; 0 where they are.
    pub mount_namespace: u32,
    /// As above.
    pub net_namespace: u32,
    /// As above.
    pub user_namespace: u32,
    /// It had no namespaces any more: none of the above says anything.
    pub namespaces_gone: bool,
    /// Name of its terminal, as the kernel has it, and NULs.
    pub tty: [u8; TTY_BYTES],
    /// The low half of `task->jobctl`.
    pub jobctl: u32,
}

pub(super) fn decode(wire: &WireTask) -> Task {
    Task {
        tid: wire.tid,
        flags: wire.flags,
        uid: wire.uid,
        gid: wire.gid,
        login_uid: wire.login_uid,
        pgid: wire.pgid,
        session: wire.session,
        namespace_pid: wire.namespace_pid,
        namespace_inode: wire.namespace_inode,
        namespace_level: wire.namespace_level,
        state: wire.state,
        exit_state: wire.exit_state,
        live: wire.live,
        signal_flags: wire.signal_flags,
        group_exit_code: wire.group_exit_code,
        cgroup: wire.cgroup,
        legacy_cgroup: wire.legacy_cgroup,
        mount_namespace: wire.mount_namespace,
        net_namespace: wire.net_namespace,
        user_namespace: wire.user_namespace,
        namespaces_gone: wire.namespaces_gone != 0,
        tty: wire.tty,
        jobctl: wire.jobctl,
    }
}
