//! What formats for eyes leave out: what is no news to the person in front of the terminal. Formats for programs have all of it,
//! and it is counted.

use jiff::Timestamp;

use super::format::document::Document;
use super::select::filter::RecentIds;
use crate::event::header::EventKind;
use crate::event::numbers::{INT, PIPE};

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOutSettings {
    /// Signals to zombies, and SIGPIPE that ends a part of a shell's pipeline.
    pub routine: bool,
    /// The interrupt key of this process's own terminal: the process group that gets it.
    pub own_group: Option<u32>,
}

/// A part of a shell's pipeline, as in `find / | head -1`, is no older. What has run for longer is news when it dies.
const YOUNG_SECONDS: i64 = 60;

/// Names of shells.
const SHELLS: &[&str] =
    &["sh", "bash", "dash", "zsh", "ksh", "ksh93", "mksh", "fish", "ash", "busybox", "tcsh", "csh", "yash"];

/// Decides what is left out, and counts it.
#[derive(Debug, Default)]
pub struct LeftOut {
    settings: LeftOutSettings,
    /// Signals that were left out: an end that came of one is left out too.
    ids: RecentIds,
    signals: u64,
}

impl LeftOut {
    /// That leaves out this.
    pub fn new(settings: LeftOutSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Is anything left out at all?
    pub fn is_on(&self) -> bool {
        self.settings != LeftOutSettings::default()
    }

    /// Is this left out?
    pub fn leaves_out(&mut self, document: &Document) -> bool {
        let header = document.header();
        match header.kind {
            EventKind::Signal if self.is_no_news(document) => {
                if let Some(id) = header.id {
                    self.ids.add(id);
                }
                self.signals += 1;
                true
            }
            EventKind::Ended => {
                let came_of_it = document.number_at("exitCode").is_some()
                    || document.text_at("signalName") == document.text_at("after.signalName");
                came_of_it && header.after.is_some_and(|id| self.ids.contains(id))
            }
            _ => false,
        }
    }

    /// Signals that were left out so far.
    pub fn signals(&self) -> u64 {
        self.signals
    }

    fn is_no_news(&self, document: &Document) -> bool {
        let LeftOutSettings { routine, own_group } = self.settings;
        routine && (is_to_zombie(document) || is_of_pipeline(document))
            || own_group.is_some_and(|group| is_own_interrupt(document, group))
    }
}

/// A zombie has ended: nothing comes of it.
fn is_to_zombie(document: &Document) -> bool {
    document.text_at("target.state") == Some("zombie") && document.text_at("result") == Some("ignored")
}

/// Did a child of a shell, started a moment ago, write to what nobody reads any more, and die of that?
fn is_of_pipeline(document: &Document) -> bool {
    document.number_at("signal") == Some(PIPE.into())
        && document.text_at("origin") == Some("io")
        && document.text_at("target.disposition") == Some("default")
        && document.text_at("target.parent.comm").is_some_and(|comm| SHELLS.contains(&comm))
        && is_young(document)
}

fn is_young(document: &Document) -> bool {
    let moment = |path: &str| document.text_at(path)?.parse::<Timestamp>().ok();
    match (moment("target.startTime"), moment("time")) {
        (Some(start), Some(time)) => time.as_second() - start.as_second() < YOUNG_SECONDS,
        _ => false,
    }
}

/// Ctrl-C on the terminal that this process is in the foreground of: it ends the trace.
fn is_own_interrupt(document: &Document, group: u32) -> bool {
    document.number_at("signal") == Some(INT.into())
        && document.text_at("origin") == Some("tty")
        && document.number_at("target.pgid") == Some(group.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::header::Header;
    use crate::output::format::Format;
    use crate::output::format::ValueRef::{Number, Text};

    const ALL: LeftOutSettings = LeftOutSettings { routine: true, own_group: Some(77) };

    struct Case {
        signal: u64,
        origin: &'static str,
        result: &'static str,
        state: &'static str,
        parent: &'static str,
        started: &'static str,
        group: u64,
        disposition: &'static str,
    }

    const PIPELINE: Case = Case {
        signal: 13,
        origin: "io",
        result: "queued",
        state: "running",
        parent: "bash",
        started: "2026-01-01T00:00:00.000000000Z",
        group: 5,
        disposition: "default",
    };

    fn document(case: &Case) -> Document {
        let mut document = Document::default();
        document.begin(&Header { id: Some(1), ..Header::default() });
        document.field("time", Text("2026-01-01T00:00:03.057000000Z"));
        document.field("signal", Number(case.signal));
        document.field("origin", Text(case.origin));
        document.field("result", Text(case.result));
        document.open("target");
        document.field("startTime", Text(case.started));
        document.field("pgid", Number(case.group));
        document.field("disposition", Text(case.disposition));
        document.field("state", Text(case.state));
        document.open_last("parent");
        document.field("comm", Text(case.parent));
        document.close();
        document.close();
        document
    }

    fn end(after: u64, of: &str, signal: Option<&str>) -> Document {
        let mut document = Document::default();
        let header = Header { kind: EventKind::Ended, id: Some(9), after: Some(after), ..Header::default() };
        document.begin(&header);
        match signal {
            Some(name) => document.field("signalName", Text(name)),
            None => document.field("exitCode", Number(1)),
        }
        document.open("after");
        document.field("signalName", Text(of));
        document.close();
        document
    }

    fn is_left_out(settings: LeftOutSettings, case: &Case) -> bool {
        LeftOut::new(settings).leaves_out(&document(case))
    }

    #[test]
    fn a_part_of_a_shells_pipeline_that_nobody_reads_is_left_out_and_no_other_sigpipe() {
        assert!(is_left_out(ALL, &PIPELINE));
        for other in [
            Case { signal: 15, ..PIPELINE },
            // somebody sent it
            Case { origin: "process", ..PIPELINE },
            Case { disposition: "handled", ..PIPELINE },
            // a service
            Case { parent: "systemd", ..PIPELINE },
            Case { started: "2025-12-31T23:00:00.000000000Z", ..PIPELINE },
            Case { started: "unknown", ..PIPELINE },
        ] {
            assert!(!is_left_out(ALL, &other), "{:?}", document(&other));
        }
        assert!(!is_left_out(LeftOutSettings { routine: false, ..ALL }, &PIPELINE));
    }

    #[test]
    fn what_a_zombie_gets_is_left_out() {
        let zombie = Case { signal: 9, origin: "process", result: "ignored", state: "zombie", ..PIPELINE };
        assert!(is_left_out(ALL, &zombie));
        assert!(!is_left_out(ALL, &Case { state: "exiting", ..zombie }));
        assert!(!is_left_out(LeftOutSettings { routine: false, ..ALL }, &zombie));
    }

    #[test]
    fn the_own_interrupt_key_is_left_out_and_no_other() {
        let key = Case { signal: 2, origin: "tty", group: 77, ..PIPELINE };
        assert!(is_left_out(ALL, &key));
        for other in [
            // of another terminal, or in run the command's
            Case { group: 78, ..key },
            Case { origin: "process", ..key },
            Case { signal: 3, ..key },
        ] {
            assert!(!is_left_out(ALL, &other), "{:?}", document(&other));
        }
        assert!(!is_left_out(LeftOutSettings { own_group: None, ..ALL }, &key));
    }

    #[test]
    fn an_end_that_came_of_it_is_left_out_and_no_other() {
        let mut left_out = LeftOut::new(ALL);
        assert!(left_out.leaves_out(&document(&PIPELINE)));
        assert!(left_out.leaves_out(&end(1, "SIGPIPE", Some("SIGPIPE"))));
        assert!(left_out.leaves_out(&end(1, "SIGPIPE", None)));
        assert!(!left_out.leaves_out(&end(1, "SIGPIPE", Some("SIGKILL"))));
        assert!(!left_out.leaves_out(&end(2, "SIGPIPE", Some("SIGPIPE"))));
        assert_eq!(left_out.signals(), 1);
    }
}
