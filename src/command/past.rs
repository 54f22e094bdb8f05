//! What `why` and `log` share: the store and the search of a command line, the time that was asked about, and where answers go.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};

use crate::base::clock::utc_now;
use crate::base::locale;
use crate::base::stderr::print_line;
use crate::base::zone::Zone;
use crate::cli::PastArgs;
use crate::output::Colour;
use crate::output::format::screen::{Screen, Width};
use crate::output::select::filter::Conditions;
use crate::past::coverage::{self, Subject};
use crate::past::search::Search;
use crate::past::target::Target;
use crate::store::{Coverage, Gap, GapCause, Reader};

/// Wrong usage, or a store that cannot be read.
pub const FAILED: u8 = 2;
/// Nothing fits, and all of the time was recorded.
const NOTHING: u8 = 1;
/// Nothing fits, and nobody may say that nothing was there.
const UNKNOWN: u8 = 3;

/// What a recorder leaves out without a filter.
const HIDDEN: &str = "what record hides without --all";

/// A store, what is asked of it, and of which time.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) reader: Reader,
    pub(super) search: Search,
    /// The time that was asked about: from the first recording, if no other was named, to now.
    pub(super) range: Range<i64>,
    /// Some of it was still not written when it was waited for.
    is_unsettled: Cell<bool>,
}

impl Asked {
    /// Of a command line.
    ///
    /// # Errors
    /// If the store cannot be read, or has no such boot.
    pub(super) fn of(past: &PastArgs, targets: Vec<Target>) -> anyhow::Result<Self> {
        let reader = Reader::open(&past.store)?;
        let boots = reader.boots()?;
        let ids: Vec<String> = boots.iter().map(|boot| boot.id.clone()).collect();
        let boot = past.boot.as_ref().map(|boot| boot.find(&ids)).transpose()?;
        let now = i64::try_from(utc_now()).unwrap_or(i64::MAX);
        let first = boots.iter().map(|boot| boot.since).min().unwrap_or(now);
        let mut range =
            past.since.map_or(first, |since| since.0)..past.until.map_or(now, |until| until.0.min(now));
        if let Some(boot) = boots.iter().find(|one| Some(&one.id) == boot.as_ref()) {
            range.start = range.start.max(boot.since);
            if boots.last().is_some_and(|last| last.id != boot.id) {
                range.end = range.end.min(boot.until);
            }
        }
        let groups = [
            targets,
            past.units.clone(),
            past.user_units.clone(),
            past.pids.clone(),
            past.comms.clone(),
            past.exes.clone(),
        ];
        let more = [past.containers.clone(), past.pods.clone(), past.users.clone()];
        let search = Search {
            since: past.since.map(|since| since.0),
            until: past.until.map(|until| until.0),
            boot,
            targets: groups.into_iter().chain(more).filter(|group| !group.is_empty()).collect(),
            senders: past
                .senders
                .iter()
                .flat_map(|one| [Some(one.clone()), one.also_pid(), one.also_user()])
                .flatten()
                .collect(),
            signals: past.signals.clone(),
            grep: past.grep.clone(),
            conditions: Conditions {
                wanted: past.wanted.clone(),
                unwanted: past.unwanted.clone(),
                ..Conditions::default()
            },
            ..Search::default()
        };
        Ok(Self { reader, search, range, is_unsettled: Cell::new(false) })
    }

    /// Waits for what is still to be written of the time that was asked about, before "nothing" is the answer.
    pub(super) fn settle(&self) -> anyhow::Result<()> {
        if !self.range.is_empty() {
            self.is_unsettled.set(!self.reader.settle(self.range.end)?);
        }
        Ok(())
    }

    /// What was recorded of the time that was asked about.
    pub(super) fn coverage(&self) -> anyhow::Result<Coverage> {
        // an empty range has nothing that could be missing
        Ok(if self.range.is_empty() {
            Coverage::default()
        } else {
            self.reader.coverage(self.range.clone())?
        })
    }

    /// Says that nothing fits, and whether that means that there was nothing.
    pub(super) fn nothing(&self, what: &str, subject: Subject, zone: Zone) -> anyhow::Result<ExitCode> {
        let mut coverage = self.coverage()?;
        let (start, end) = (self.range.start, self.range.end);
        if self.is_unsettled.get() {
            let written = coverage.spans.iter().map(|span| span.until).max().unwrap_or(start);
            coverage.gaps.push(Gap { since: written, until: end, cause: GapCause::NotWritten });
        }
        if subject == Subject::Events && coverage.hides_by_default && self.search.may_be_hidden() {
            coverage.filters.push(HIDDEN.to_owned());
        }
        let sentence = coverage::sentence(&coverage, subject, start, end, zone);
        let is_whole = coverage::is_whole(&coverage, subject);
        print_line(if is_whole { format!("{what}; {sentence}.") } else { format!("{what}. {sentence}") });
        Ok(ExitCode::from(if is_whole { NOTHING } else { UNKNOWN }))
    }
}

/// Where an answer goes: through a pager, or to standard output.
#[derive(Debug)]
pub(super) enum Sink {
    Stdout(io::BufWriter<io::Stdout>),
    Pager(Child, Option<ChildStdin>),
}

impl Sink {
    /// A pager where that is of use, and is wanted.
    pub(super) fn open(wants_pager: bool) -> Self {
        let stdout = || Self::Stdout(io::BufWriter::with_capacity(64 << 10, io::stdout()));
        // nobody could leave a pager without a terminal to type at
        if !wants_pager || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return stdout();
        }
        match pager() {
            Some(mut child) => {
                let input = child.stdin.take();
                Self::Pager(child, input)
            }
            None => stdout(),
        }
    }

    pub(super) fn is_pager(&self) -> bool {
        matches!(self, Self::Pager(..))
    }

    /// Writes it. False: nobody reads any more.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let result = match self {
            Self::Stdout(out) => out.write_all(bytes),
            Self::Pager(_, Some(out)) => out.write_all(bytes),
            Self::Pager(_, None) => Ok(()),
        };
        is_read(result)
    }

    /// Hands over what waits. False: nobody reads any more.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        match self {
            Self::Stdout(out) => is_read(out.flush()),
            Self::Pager(..) => Ok(true),
        }
    }

    /// The end; waits for the pager.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if let Self::Pager(mut child, input) = self {
            drop(input);
            child.wait()?;
        }
        Ok(())
    }
}

/// That nobody reads any more is no failure.
fn is_read(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// `$PAGER`, else less or more, as journalctl(1) starts it.
fn pager() -> Option<Child> {
    // who may run this program as root alone gets no shell of root by it
    let is_lent = ["SUDO_UID", "DOAS_USER", "PKEXEC_UID"].iter().any(|name| std::env::var_os(name).is_some());
    let chosen = std::env::var_os("PAGER");
    if chosen.as_ref().is_some_and(|pager| pager.is_empty() || pager == "cat") {
        return None;
    }
    let start = |mut command: Command| {
        if std::env::var_os("LESS").is_none() {
            command.env("LESS", "FRSXMK");
        }
        if is_lent {
            command.env("LESSSECURE", "1");
        }
        command.stdin(Stdio::piped()).spawn().ok()
    };
    match chosen {
        _ if is_lent => start(Command::new("less")),
        Some(pager) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(pager);
            start(command)
        }
        None => ["less", "more"].iter().find_map(|name| start(Command::new(name))),
    }
}

/// What the reader's end can show.
pub(super) fn screen(past: &PastArgs, sink: &Sink, is_cut: bool) -> Screen {
    let is_terminal = io::stdout().is_terminal();
    Screen {
        has_colour: Colour::from(past.color).is_on(is_terminal),
        is_ascii: past.ascii || (is_terminal && !locale::is_utf8(|name| std::env::var_os(name))),
        // a pager shows the rest of a line
        width: if is_terminal && (is_cut || !sink.is_pager()) { Width::OfStdout } else { Width::Unlimited },
        zone: Zone::of_this_process(),
    }
}
