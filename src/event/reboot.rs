//! `reboot(2)` in a pid namespace, which ends all of its processes.

use super::numbers::{HUP, INT};
use super::origin::Reason;
use super::signal::Signal;
use super::signal_event::SignalEvent;

/// A call of `reboot(2)` in a pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reboot {
    /// `restart` or `halt`.
    pub command: &'static str,
    /// What the parent of the namespace's init finds in its wait status.
    pub parent_reads: Signal,
}

impl SignalEvent<'_> {
    /// What `reboot(2)` was asked for that ended the target's pid namespace.
    pub fn reboot(&self) -> Option<Reboot> {
        if self.verdict.reason != Some(Reason::Reboot) {
            return None;
        }
        // kernel/pid_namespace.c: reboot_pid_ns(); include/uapi/linux/reboot.h
        match self.facts.syscall?.args[2] as u32 {
            0x0123_4567 | 0xa1b2_c3d4 => Some(Reboot { command: "restart", parent_reads: Signal::new(HUP)? }),
            0xcdef_0123 | 0x4321_fedc => Some(Reboot { command: "halt", parent_reads: Signal::new(INT)? }),
            _ => None,
        }
    }
}
