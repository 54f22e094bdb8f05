//! The processes that a command line names, as /proc has them before a trace: a thread id is replaced by its process, a pid that
//! nobody has is refused, a name that nobody has is said to be unknown so far. All of this is said before the trace begins.
//!
//! Ids of threads are what `htop`, `top -H`, `ps -eLf`, `dmesg` and journald show. The kernel side compares ids of processes.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::bail;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::base::nearest::nearest;
use crate::base::sanitize::visible;
use crate::bpf::probe::in_initial_pid_namespace;
use crate::cli::Request;
use crate::enrich::container::Placement;
use crate::enrich::procfs::{self, CgroupLine, read_text, status_number};
use crate::output::redact::Redaction;
use crate::output::select::filter::{Names, ProcessName};

/// A process that runs, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) pid: u32,
    comm: String,
    exe: Option<String>,
    units: [Option<String>; 2],
}

impl Running {
    /// None of a process that is gone.
    pub(super) fn look_up(proc_directory: &Path, pid: u32) -> Option<Self> {
        let directory = proc_directory.join(pid.to_string());
        let comm = read_text(directory.join("comm")).ok()?;
        let exe = fs::read_link(directory.join("exe")).ok().map(|exe| exe.to_string_lossy().into_owned());
        let exe = exe.map(|exe| exe.strip_suffix(" (deleted)").unwrap_or(&exe).to_owned());
        let cgroups = read_text(directory.join("cgroup")).unwrap_or_default();
        let is_of_systemd = |line: &CgroupLine<'_>| line.hierarchy == 0 || line.has("name=systemd");
        let place = CgroupLine::parse_all(&cgroups)
            .filter(is_of_systemd)
            .map(|line| Placement::of(line.path))
            .find(|place| place.systemd_unit.is_some());
        let place = place.unwrap_or_default();
        let units = [place.systemd_unit, place.systemd_user_unit];
        Some(Self { pid, comm: comm.strip_suffix('\n').unwrap_or(&comm).to_owned(), exe, units })
    }

    /// All but this program.
    pub(super) fn all(proc_directory: &Path) -> Vec<Self> {
        let own = std::process::id();
        let pids = procfs::pids(proc_directory).into_iter().filter(|&pid| pid != own);
        pids.filter_map(|pid| Self::look_up(proc_directory, pid)).collect()
    }

    pub(super) fn is_called(&self, name: &ProcessName) -> bool {
        name.is_one_of(&Names {
            comm: Some(&self.comm),
            exe: self.exe.as_deref(),
            units: self.units.each_ref().map(Option::as_deref),
        })
    }
}

/// Does a process run that is called so?
pub fn is_running(proc_directory: &Path, name: &ProcessName) -> bool {
    Running::all(proc_directory).iter().any(|process| process.is_called(name))
}

/// `no process is named 'ngnix'`, and which one may be meant.
pub(super) fn nobody_is_called(name: &ProcessName, running: &[Running], redaction: &Redaction) -> String {
    let name = name.to_string();
    let near = nearest(&name, running.iter().map(|process| process.comm.as_str()))
        .map(|comm| format!(" (did you mean {}?)", visible(redaction.name(comm.as_bytes()))));
    format!("no process is named '{}'{}", visible(&name), near.unwrap_or_default())
}

/// Looks up every process that the filters name.
///
/// # Errors
/// If none of the pids exists: no event could pass.
pub(super) fn resolve(request: &mut Request) -> anyhow::Result<()> {
    // elsewhere /proc has other pids than the host's, which the flags name
    if !in_initial_pid_namespace() {
        return Ok(());
    }
    let proc_directory = request.config.root.join("proc");
    let redaction = &request.settings.redaction;
    let conditions = &mut request.settings.conditions;
    for pids in [&mut conditions.pids, &mut conditions.trees] {
        for pid in pids.iter_mut() {
            *pid = process_of(&proc_directory, *pid, redaction);
        }
    }
    let is_named = !conditions.names.is_empty();
    drop_missing(&mut conditions.pids, is_named)?;
    drop_missing(&mut conditions.trees, false)?;
    if is_named {
        let running = Running::all(&proc_directory);
        for name in &conditions.names {
            if !running.iter().any(|process| process.is_called(name)) {
                tracing::warn!(
                    "{}: one that starts later will be traced",
                    nobody_is_called(name, &running, redaction)
                );
            }
        }
    }
    Ok(())
}

/// Drops the pids that no process has, and says so.
fn drop_missing(pids: &mut Vec<u32>, may_be_empty: bool) -> anyhow::Result<()> {
    let missing: Vec<u32> = pids.iter().copied().filter(|&pid| !exists(pid)).collect();
    pids.retain(|pid| !missing.contains(pid));
    let texts: Vec<String> = missing.iter().map(u32::to_string).collect();
    let said = match texts.as_slice() {
        [] => return Ok(()),
        [pid] => format!("there is no process {pid}"),
        _ => format!("there are no processes {}", texts.join(", ")),
    };
    if pids.is_empty() && !may_be_empty {
        bail!(said);
    }
    tracing::warn!("{said}: the others will be traced");
    Ok(())
}

/// A descriptor of the process that has this pid now.
pub(super) fn open(pid: u32) -> Result<OwnedFd, Errno> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
    pidfd_open(pid, PidfdFlags::empty())
}

/// The kernel is asked, since /proc may hide the processes of others (`hidepid`).
fn exists(pid: u32) -> bool {
    !matches!(open(pid), Err(Errno::SRCH))
}

/// The process that this is a thread of, after saying so; the same id if it is a process, or does not exist.
pub(super) fn process_of(proc_directory: &Path, id: u32, redaction: &Redaction) -> u32 {
    let status = read_text(proc_directory.join(id.to_string()).join("status")).unwrap_or_default();
    // /proc/TID exists for every thread, though no listing has it
    let Some(process) = status_number(&status, "Tgid", 0).filter(|&process| process != id) else { return id };
    let comm = fs::read(proc_directory.join(process.to_string()).join("comm")).unwrap_or_default();
    let comm = visible(redaction.name(comm.strip_suffix(b"\n").unwrap_or(&comm)));
    tracing::warn!("{id} is a thread of {comm}({process}): taken as {process}");
    process
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_of_its_process_and_nobody_is_of_nobody() {
        let proc_directory = Path::new("/proc");
        let own = std::process::id();
        let id = || rustix::thread::gettid().as_raw_nonzero().get() as u32;
        let other =
            std::thread::spawn(move || (id(), process_of(proc_directory, id(), &Redaction::default())))
                .join()
                .unwrap();
        assert_ne!(other.0, own);
        assert_eq!(other.1, own);
        assert_eq!(process_of(proc_directory, own, &Redaction::default()), own);
        assert_eq!(process_of(proc_directory, u32::MAX, &Redaction::default()), u32::MAX);
        // whatever it calls itself
        let named = std::thread::spawn(move || {
            rustix::thread::set_name(c"\xffTgid: 7").unwrap();
            process_of(proc_directory, id(), &Redaction::default())
        });
        assert_eq!(named.join().unwrap(), own);
    }
}
