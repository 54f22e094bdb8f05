//! The hooks, from attached to taken off. In which order decides what is seen: each hook that relies on another comes after it,
//! and goes before it.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;

use crate::bpf::load;
use crate::bpf::plan::{Attempts, Plan};
use crate::bpf::programs::Programs;
use crate::error::TraceError;

/// Attached hooks; each goes when its descriptor is closed.
pub(super) struct Hooks {
    signal: RefCell<Option<OwnedFd>>,
    /// Taken off before the signal hook.
    first_off: RefCell<Vec<OwnedFd>>,
    _identities: Vec<OwnedFd>,
}

/// Programs that are loaded while signals are seen already: a start lasts as long as the verifier works, half of that on these. What
/// they do comes later as well. `on_exit_again` does what the kernel skips of `on_exit`, where that is counted.
pub(super) const LATER: [&str; 3] = ["on_exit_again", "seed", "read_titles"];

impl Hooks {
    /// Attaches those that keep identities, and what else does not wait for signals, but for those that are loaded
    /// [later](LATER).
    pub(super) fn attach(programs: &Programs, plan: &Plan) -> Result<Self, TraceError> {
        let mut identities = vec![
            // in this order: what releases comes before what charges, and a second copy after the first
            attach(programs, "on_free", "sched_process_free")?,
            attach(programs, "on_exec", "sched_process_exec")?,
            attach(programs, "on_exec_again", "sched_process_exec")?,
            attach(programs, "on_fork", "sched_process_fork")?,
            attach(programs, "on_mark_victim", "mark_victim")?,
            attach(programs, "on_cgroup_mkdir", "cgroup_mkdir")?,
        ];
        if plan.legacy_cgroups.is_some() {
            identities.push(attach(programs, "on_cgroup_rename", "cgroup_rename")?);
        }
        let first_off = vec![
            attach(programs, "on_exit", "sched_process_exit")?,
            attach(programs, "on_signal_deliver", "signal_deliver")?,
        ];
        if plan.recovers_forks {
            identities.push(attach(programs, "on_wakeup_new", "sched_wakeup_new")?);
        }
        Ok(Self { signal: RefCell::default(), first_off: first_off.into(), _identities: identities })
    }

    /// Attaches what was loaded later: a second copy comes after the first.
    pub(super) fn attach_later(&self, programs: &Programs) -> Result<(), TraceError> {
        let again = attach(programs, "on_exit_again", "sched_process_exit")?;
        self.first_off.borrow_mut().push(again);
        Ok(())
    }

    /// Attaches those of attempts and of signals.
    pub(super) fn attach_signals(&self, programs: &Programs, plan: &Plan) -> Result<(), TraceError> {
        attach_attempts(programs, plan.attempts, &mut self.first_off.borrow_mut())?;
        if plan.reports_signals {
            let signal = attach(programs, "on_signal_generate", "signal_generate")?;
            self.signal.replace(Some(signal));
        }
        Ok(())
    }

    /// Takes the hooks off: from here on nothing more is generated. Those of ends first, which would miss the signals
    /// that are no longer seen, and of attempts, which could go on for ever; those of identities stay until the end.
    pub(super) fn stop(&self) {
        self.first_off.replace(Vec::new());
        self.signal.replace(None);
    }
}

fn attach(programs: &Programs, name: &str, tracepoint: &str) -> Result<OwnedFd, TraceError> {
    programs.attach(name).map_err(|error| {
        TraceError::kernel(
            format!("attach to the tracepoint {tracepoint}"),
            "is kernel lockdown in confidentiality mode? (cat /sys/kernel/security/lockdown)",
            error.into(),
        )
    })
}

/// Nobody pays for these who did not ask for them.
fn attach_attempts(
    programs: &Programs,
    attempts: Attempts,
    links: &mut Vec<OwnedFd>,
) -> Result<(), TraceError> {
    match attempts {
        Attempts::Unwatched => {}
        Attempts::SyscallExits => links.push(attach(programs, "on_sys_exit", "sys_exit")?),
        Attempts::Trampolines => {
            for name in programs.names().filter(|name| name.starts_with(load::AT_THE_END_OF)) {
                links.push(programs.attach(name).map_err(|error| {
                    let hint = "leave out --failed and --probes";
                    TraceError::kernel(format!("attach {name}"), hint, error.into())
                })?);
            }
        }
    }
    Ok(())
}

/// The iterator of titles; None where this kernel has none.
pub(super) fn attach_titles(programs: &Programs, plan: &Plan) -> Result<Option<OwnedFd>, TraceError> {
    let error = |error: io::Error| TraceError::kernel("make the iterator of titles", "", error.into());
    plan.reads_titles.then(|| programs.attach("read_titles")).transpose().map_err(error)
}
