//! The journal as an output of a recorder: the process that sends to it is started before anything is dropped.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::outputs::outlive_signals;
use super::stores::boot_id;
use crate::base::clock::utc_now;
use crate::base::digits;
use crate::cli::Request;
use crate::error::UsageError;
use crate::journal::{JournalHelper, Journaled, RecorderGap, SOCKET, Service};
use crate::output::format::json::JSON;
use crate::output::{OutputSettings, Takes};
use crate::store::{GapCause, Reader};
use crate::trace::privileges;

/// Its name: `pkill -x killsnoop` is not meant for it.
const NAME: &std::ffi::CStr = c"killsnoop-jrnl";

/// Gaps are looked for in this time before the start, in nanoseconds.
const LOOK_BACK: i64 = 30 * 86_400 * 1_000_000_000;

/// Starts the process that sends, makes it one of the outputs, and says what was not recorded until now.
pub(super) fn add(
    request: &mut Request,
    which: Journaled,
    gap: Option<RecorderGap>,
) -> anyhow::Result<JournalHelper> {
    if !request.config.outcomes {
        return Err(UsageError::JournalWithoutEnds.into());
    }
    let socket = request.config.root.join(SOCKET);
    let helper =
        JournalHelper::start(&socket, which).context("cannot start the process that sends to the journal")?;
    if let Some(gap) = gap {
        helper.say(&gap).context("cannot write to the process that sends to the journal")?;
    }
    request.settings.outputs.push(OutputSettings {
        kind: JSON,
        destination: helper.destination(),
        folds: false,
        takes: Takes::Ends,
    });
    Ok(helper)
}

/// What a store was not written for, up to now. To be asked for before somebody writes to it again.
pub(super) fn gap_before(directory: &Path) -> Option<RecorderGap> {
    let now = i64::try_from(utc_now()).ok()?;
    let coverage = Reader::open(directory).ok()?.coverage(now - LOOK_BACK..now).ok()?;
    let span = coverage.spans.last()?;
    if span.is_open {
        // nobody writes to it, or this process could not: it has just been killed
        let summary = "killsnoop was killed and started again: some seconds may not be recorded".to_owned();
        return Some(RecorderGap { summary, is_expected: false });
    }
    let cause = coverage.gaps.iter().rev().find(|gap| gap.since >= span.until).map(|gap| &gap.cause)?;
    let (why, is_expected) = match cause {
        GapCause::Stopped(_) => ("killsnoop was stopped", true),
        GapCause::Killed if span.boot == boot_id() => ("killsnoop was killed", false),
        GapCause::Killed | GapCause::Rebooted => ("the host was started again", true),
        GapCause::BeforeFirst | GapCause::NotWritten => return None,
    };
    let since = digits::utc(span.until.into());
    let summary = format!("nothing was recorded from {since} until now: {why}");
    Some(RecorderGap { summary, is_expected })
}

/// The process that was started: sends what comes in by its standard input.
pub fn serve(socket: &Path, which: Journaled) -> ExitCode {
    let _ = rustix::thread::set_name(NAME);
    outlive_signals();
    let Ok(lines) = io::stdin().as_fd().try_clone_to_owned() else { return ExitCode::FAILURE };
    let Ok(service) = Service::new(socket, which) else { return ExitCode::FAILURE };
    privileges::drop_but_for_journal();
    // nobody is left to report it to
    if service.serve(lines.into()).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
