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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::numbers::KILL;
    use crate::event::samples::{event, facts, in_call, shown};
    use crate::record::SigInfo;
    use crate::record::cause::Cause;

    #[test]
    fn a_reboot_is_what_was_asked_for() {
        const REBOOT: i64 = 169;
        let reboot = |command, cause| {
            let facts = in_call(facts(KILL, SigInfo::Kernel), REBOOT, [0, 0, command, 0]);
            let reboot = event(shown(cause, facts)).reboot()?;
            Some((reboot.command, reboot.parent_reads.number()))
        };
        assert_eq!(reboot(0x0123_4567, Cause::Reboot), Some(("restart", HUP)));
        assert_eq!(reboot(0x4321_fedc, Cause::Reboot), Some(("halt", INT)));
        assert_eq!(reboot(0, Cause::Reboot), None);
        assert_eq!(reboot(0x0123_4567, Cause::NamespaceEnd), None);
    }
}
