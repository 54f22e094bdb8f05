//! Thread ids given for pids, as `htop`, `top -H`, `ps -eLf`, `dmesg` and journald show them. The kernel side compares ids of
//! processes.

use std::fs;
use std::path::Path;

use crate::base::sanitize::visible;
use crate::bpf::probe::in_initial_pid_namespace;
use crate::cli::Request;
use crate::enrich::procfs::{read_text, status_number};
use crate::output::redact::Redaction;

/// Replaces every thread id in `--pid` and `--tree` by its process, and says so.
pub(super) fn name_processes(request: &mut Request) {
    // elsewhere /proc has other pids than the host's, which the flags name
    if !in_initial_pid_namespace() {
        return;
    }
    let proc_directory = request.config.root.join("proc");
    let redaction = &request.settings.redaction;
    let conditions = &mut request.settings.conditions;
    for pid in conditions.pids.iter_mut().chain(&mut conditions.trees) {
        *pid = process_of(&proc_directory, *pid, redaction);
    }
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
