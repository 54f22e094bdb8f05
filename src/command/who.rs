//! `killsnoop who PID`: waits until that process is signalled or ends, tells it, and exits. After a signal that kills it
//! the end is waited for as well.

use std::thread;
use std::time::Duration;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{Terminal, Wiring};
use crate::bpf::session::route_libbpf_messages;
use crate::cli::Request;
use crate::privileges::Needs;
use crate::report::Reporter;
use crate::tracer::{self, Wishes};

/// So long after the end of the process its last lines may come.
const LAST_LINES: Duration = Duration::from_millis(300);

/// Waits, tells.
///
/// # Errors
/// If there is no such process or tracing is not possible.
pub fn who(mut request: Request, pid: u32) -> anyhow::Result<()> {
    route_libbpf_messages();
    let no_process = || format!("there is no process {pid} to wait for");
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).with_context(no_process)?;
    // held before anything else: the number may become another's
    let process = pidfd_open(raw, PidfdFlags::empty()).with_context(no_process)?;
    request.settings.conditions.wanted.push(format!("target.pid={pid}").parse()?);
    request.settings.is_one_story = request.config.count.is_none();
    let mut reporter = Reporter::open(&request.settings)?;
    let wiring = Wiring::new()?;
    wiring.handle_all(Terminal::Ours, reporter.has_files())?;
    let mut process = Some(process);
    let mut when_ready = || {
        let mut stopper = wiring.stopper()?;
        if let Some(process) = process.take() {
            thread::Builder::new().name("end".to_owned()).spawn(move || {
                while let Err(rustix::io::Errno::INTR) =
                    poll(&mut [PollFd::new(&process, PollFlags::IN)], None)
                {}
                thread::sleep(LAST_LINES);
                stopper.stop();
            })?;
        }
        Ok(())
    };
    let needs = Needs { reopens_files: reporter.has_files(), ..Needs::default() };
    let mut wishes = Wishes { when_ready: &mut when_ready, needs, has_status: true };
    tracer::run(&request.config, &wiring.requests(), &mut reporter, &mut wishes)?;
    // with an end that no signal led to there is nothing to report
    if reporter.reported() == 0 {
        eprintln!("killsnoop: no signal to process {pid} was seen");
    }
    Ok(())
}
