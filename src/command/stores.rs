//! The store as an output of a trace: the process that writes it is started before anything is dropped, and hears why the trace
//! ended.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::base::accounts::Group;
use crate::base::sanitize::visible;
use crate::cli::Request;
use crate::config::{ALL_SIGNALS, Failed};
use crate::error::UsageError;
use crate::event::signal::Signal;
use crate::output::format::json::JSON;
use crate::output::{OutputSettings, Takes};
use crate::store::{
    Bounds, Kept, Questions, RunFacts, SHOWS_ALL, Service, Size, StoreHelper, StoreSettings, Syncer, Writer,
};
use crate::trace::privileges;

/// Its name: `pkill -x killsnoop` is not meant for it.
const NAME: &std::ffi::CStr = c"killsnoop-store";

/// A trace goes to the store that it names, if it names one; how large that may get is left as it is.
pub(super) fn add_named(request: &mut Request) -> anyhow::Result<Option<StoreHelper>> {
    let Some(directory) = request.store.clone() else { return Ok(None) };
    add(request, StoreTarget { directory, group: None, bounds: None, keeps: Kept::All }).map(Some)
}

/// A store, and what it is to keep.
#[derive(Debug)]
pub(super) struct StoreTarget {
    pub(super) directory: PathBuf,
    pub(super) group: Option<u32>,
    pub(super) bounds: Option<Bounds>,
    pub(super) keeps: Kept,
}

/// Starts the process that writes, and makes it one of the outputs.
pub(super) fn add(request: &mut Request, target: StoreTarget) -> anyhow::Result<StoreHelper> {
    let StoreTarget { directory, group, bounds, keeps } = target;
    let settings = StoreSettings { directory, group, bounds, keeps, filters: filters(request) };
    let level = match tracing::level_filters::LevelFilter::current().into_level() {
        Some(tracing::Level::TRACE | tracing::Level::DEBUG) => "debug",
        Some(tracing::Level::WARN) => "warn",
        Some(tracing::Level::ERROR) => "error",
        _ => "info",
    };
    let helper =
        StoreHelper::start(&settings, level).context("cannot start the process that writes the store")?;
    let helper = match helper {
        Ok(helper) => helper,
        Err(why) => bail!("{why}"),
    };
    let bound = bounds.map(|bounds| format!(", at most {}", Size::of(bounds.max_bytes)));
    tracing::info!("recording to {}{}", visible(helper.directory()), bound.unwrap_or_default());
    request.settings.outputs.push(OutputSettings {
        kind: JSON,
        destination: helper.destination(),
        folds: request.store_folds,
        takes: Takes::All,
    });
    Ok(helper)
}

/// Why a trace ends.
pub(super) fn reason(is_ok: bool) -> &'static str {
    if is_ok { "stopped" } else { "tracing failed" }
}

/// The end of a trace that went to a store. What could not be kept is said.
pub(super) fn finish(helper: Option<StoreHelper>, reason: &str) -> anyhow::Result<()> {
    let Some(mut helper) = helper else { return Ok(()) };
    let place = visible(helper.directory());
    match helper.finish(reason) {
        Some(status) => {
            tracing::info!("{} events kept in {place}", status.stored);
            if status.lost > 0 {
                tracing::warn!("{} events could not be kept in {place}", status.lost);
            }
            Ok(())
        }
        None => bail!(
            "the end of the store in {place} could not be written: it is that of a recorder that was killed"
        ),
    }
}

/// Filters that are in force, as they would be typed.
fn filters(request: &Request) -> String {
    let config = &request.config;
    let mut words = Vec::new();
    if config.show_all {
        words.push(SHOWS_ALL.to_owned());
    }
    if config.shown_signals != ALL_SIGNALS {
        let names = |set: u64| {
            let named = (1..=64).filter_map(Signal::new).filter(|signal| set & signal.bit() != 0);
            named
                .map(|signal| signal.name().trim_start_matches("SIG").to_owned())
                .collect::<Vec<_>>()
                .join(",")
        };
        words.push(if config.included_signals == 0 {
            format!("--exclude-signals {}", names(!config.shown_signals))
        } else {
            format!("--include-signals {}", names(config.shown_signals))
        });
    }
    for comm in &config.ignored_source_comms {
        let comm: Vec<u8> = comm.iter().copied().take_while(|&byte| byte != 0).collect();
        words.push(format!("--ignore-source-comm {}", visible(String::from_utf8_lossy(&comm).as_ref())));
    }
    if config.failed == Failed::Only {
        words.push("--failed=only".to_owned());
    }
    if !config.outcomes {
        words.push("--no-outcome".to_owned());
    }
    let conditions = request.settings.conditions.to_string();
    if !conditions.is_empty() {
        words.push(conditions);
    }
    words.join(" ")
}

/// The number of a group that is named, or given as a number.
pub(super) fn group(root: &Path, name: &str) -> Result<u32, UsageError> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let file = std::fs::read(root.join("etc/group")).unwrap_or_default();
    let groups = file.split(|&byte| byte == b'\n').filter_map(Group::of_line);
    let found = groups.into_iter().find(|group| group.name == name.as_bytes());
    found.map(|group| group.gid).ok_or_else(|| UsageError::Group(name.to_owned()))
}

/// What the process that writes was started with.
#[derive(Debug)]
pub struct WriteStore {
    /// Where.
    pub directory: PathBuf,
    /// Who may read.
    pub group: Option<u32>,
    /// How large it may get.
    pub bounds: Option<Bounds>,
    /// Which events are kept.
    pub keeps: Kept,
    /// Filters that are in force.
    pub filters: String,
}

/// Of this host since it was started; empty if that cannot be read.
pub(super) fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// The process that was started: writes what comes in by its standard input, and talks by its standard output.
pub fn serve(settings: WriteStore) -> ExitCode {
    let _ = rustix::thread::set_name(NAME);
    super::outputs::outlive_signals();
    let lines = io::stdin().as_fd().try_clone_to_owned();
    let control = io::stdout().as_fd().try_clone_to_owned();
    let (Ok(lines), Ok(control)) = (lines, control) else { return ExitCode::FAILURE };
    let control = UnixStream::from(control);
    let facts = RunFacts { boot: boot_id(), filters: settings.filters, keeps: settings.keeps };
    let opened = Writer::open(&settings.directory, settings.group, settings.bounds, &facts);
    let writer = match opened {
        Ok((writer, aside)) => {
            if let Some(aside) = aside {
                tracing::error!("{aside}");
            }
            writer
        }
        Err(error) => {
            use io::Write as _;
            let why = crate::base::os_error::reason(&error).replace('\n', "\u{1}");
            let _ = writeln!(&control, "refused {why}");
            return ExitCode::FAILURE;
        }
    };
    // without it answers come a little later
    let questions = Questions::watch(writer.directory()).unwrap_or_default();
    privileges::drop_but_for_store();
    // a thread has the rights of the one that starts it
    match Syncer::start(writer.directory())
        .and_then(|syncer| Service::new(writer, syncer, lines.into(), control))
        .map(|service| service.answering(questions).serve())
    {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            tracing::error!("{}", crate::base::os_error::reason(&error));
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::FAILURE,
    }
}
