//! What is said of each command beside its flags: examples, notes, exit status. Help and man pages print it from here.

use std::fmt::Write;

use crate::output::keys;

/// A title and a text, or a command and what it does.
type Row = (&'static str, &'static str);

/// What is said of one command.
#[derive(Debug)]
pub struct Page {
    /// Command lines as they are typed. Help has the first four.
    pub examples: &'static [Row],
    /// Sections of their own.
    pub notes: &'static [Row],
    /// Codes, and when they are returned.
    pub exit_status: &'static [Row],
}

/// The page of a command, by its name.
pub fn page(command: &str) -> Option<&'static Page> {
    match command {
        "killsnoop" => Some(&TRACE),
        "run" => Some(&RUN),
        "who" => Some(&WHO),
        "why" => Some(&WHY),
        "log" => Some(&LOG),
        "record" => Some(&RECORD),
        "doctor" => Some(&DOCTOR),
        _ => None,
    }
}

pub(super) static TRACE: Page = Page {
    examples: &[
        ("killsnoop", "every signal on this host, until Ctrl-C"),
        ("killsnoop nginx", "only what nginx sends or receives"),
        ("killsnoop who 1234", "who ends process 1234, and how?"),
        ("killsnoop run -- make test", "what is killed in this build?"),
        ("killsnoop 1234 5678", "only what these two processes send or receive"),
        ("killsnoop -i KILL,TERM java", "only these signals to or from Java"),
        ("killsnoop --fatal -o json -q", "only what ends a process, as JSON, without messages"),
        (
            "killsnoop --where target.user.name=postgres --not source.comm=systemd",
            "what the processes of a user receive, except from systemd",
        ),
        ("killsnoop --failed=only", "only calls of kill() that fail"),
        ("killsnoop -o tree -o json=/var/log/killsnoop.json", "trees for the eye, and JSON to a file"),
        ("killsnoop -- run", "what a process named run sends or receives"),
    ],
    notes: &[
        (
            "HIDDEN BY DEFAULT",
            "Only a signal that a process got from itself, or from a timer, a fault, a child, a resized terminal or I/O, and \
             that it handles or ignores (Go's SIGURG, a JVM's SIGSEGV, profilers, SIGCHLD, SIGWINCH). Never hidden: a signal \
             that one process sends another; SIGKILL, stop and continue, abort; a signal that the process does not handle and \
             would die of; out of memory, the death of a parent or of a pid namespace, seccomp, the hang-up of a terminal, a \
             memory error. What is hidden is counted, by class with -v. --include-signals naming a signal shows it; --all shows \
             everything.",
        ),
        (
            "LEFT OUT IN line, table AND tree",
            "Signals to zombies; SIGPIPE that ends a child of a shell in its first minute, as in `yes | head`; Ctrl-C on the \
             terminal of this trace, and the ends that come of it. How many is printed at the end; logfmt and json have all of \
             it. --all prints it; so do, but for Ctrl-C, -i, --pid, --tree, --where and who.",
        ),
        (
            "SIGNALS TO KILLSNOOP",
            "SIGUSR1 prints the counters so far. SIGHUP opens the FILEs of --output again (logrotate); without a FILE it ends the \
             trace, as SIGINT and SIGTERM do.",
        ),
        (
            "SECRETS",
            "Command lines can hold secrets: see --redact and --redact-secrets. Events go to standard output, everything else to \
             standard error.",
        ),
    ],
    exit_status: &[
        ("0", "After SIGINT, SIGTERM, --count, --duration or a closed pipe."),
        ("1", "Tracing is not possible, or none of the processes exists."),
        ("2", "Wrong usage."),
    ],
};

pub(super) static RUN: Page = Page {
    examples: &[
        ("killsnoop run -- make test", "what is killed in this build?"),
        ("killsnoop run -o json=events.json -- make test", "events to a file, for jq"),
    ],
    notes: &[(
        "STREAMS AND USER",
        "The standard output of the command is its own: events go to standard error unless --output names a FILE. So jq \
         reads them from a FILE, not from a pipe: killsnoop run -o json=events.json -- make test; jq -r .summary events.json. \
         Under sudo the command runs as the user who called sudo, and FILE is that user's.",
    )],
    exit_status: &[
        ("N", "What the command returned; 128+N if signal N ended it."),
        ("125", "killsnoop failed."),
        ("126", "The command cannot be run."),
        ("127", "There is no command of that name."),
        ("2", "Wrong usage."),
    ],
};

pub(super) static WHO: Page = Page {
    examples: &[
        ("killsnoop who 1234", "who ends process 1234, and how?"),
        ("killsnoop who nginx", "of all named nginx now: the first that ends"),
        ("killsnoop who 1234 5678 --count 1", "the next signal to either"),
    ],
    notes: &[(
        "WHEN IT EXITS",
        "After the end of the process, or of the first of several. Until then every signal to them is printed, also those that \
         they ignore or handle, and that stop or continue them. --count 1 exits at the first signal, Ctrl-C at any time.",
    )],
    exit_status: &[
        ("0", "An end was printed, or the trace was stopped."),
        ("1", "There is no such process, or tracing is not possible."),
        ("2", "Wrong usage."),
    ],
};

pub(super) static WHY: Page = Page {
    examples: &[
        ("killsnoop why", "the last process that a signal ended, or that ended after one"),
        ("killsnoop why nginx", "who killed nginx last?"),
        ("killsnoop why checkout/checkout-5d9c7b7f4-8zkqm", "who killed the processes of this pod?"),
        ("killsnoop why redis -S yesterday -U 03:00", "its last end before 3 o'clock"),
        ("killsnoop why nginx.service -o html", "a page for the report"),
    ],
    notes: &[
        (
            "WHAT IT SAYS",
            "The newest end that fits: how it ended, the signals to it in their order and from whom, control commands that named \
             it shortly before (before it; that they are the reason is not proven), and what followed. Of several that a name \
             fits the others are listed. The last line is whether killsnoop record ran all that time.",
        ),
        (
            "WHAT NOBODY SAW",
            "\"Nobody killed it\" and \"nobody was watching\" are never the same: what was not recorded, what was lost and what \
             the store has forgotten is listed, and the exit status is 3.",
        ),
    ],
    exit_status: PAST_EXIT_STATUS,
};

pub(super) static LOG: Page = Page {
    examples: &[
        ("killsnoop log", "all that was recorded, the oldest first"),
        ("killsnoop log -f", "what is recorded from now on"),
        ("killsnoop log nginx -S -1h", "what nginx received in the last hour"),
        ("killsnoop log --deaths -b", "what was killed since the host started"),
        ("killsnoop log --by cron.service -s KILL,TERM", "what jobs of cron killed, and how that ended"),
        ("killsnoop log --summary -S -30d", "who sends what to whom, and what repeats by the clock"),
        ("killsnoop log -g shutdown -n 20 -r", "the last 20 events that mention it"),
        ("killsnoop log --where origin=oom -o json", "OOM kills, as JSON"),
    ],
    notes: &[(
        "PAGER",
        "On a terminal through $PAGER, or less with LESS=FRSXMK if LESS is not set. --no-pager and -f do without.",
    )],
    exit_status: PAST_EXIT_STATUS,
};

const PAST_EXIT_STATUS: &[Row] = &[
    ("0", "Something fits."),
    ("1", "Nothing fits, and all of the time that was asked for was recorded."),
    ("2", "Wrong usage, or the store cannot be read."),
    ("3", "Nothing fits, but part of the time was not recorded, or not all of it is kept."),
];

pub(super) static RECORD: Page = Page {
    examples: &[
        ("killsnoop record", "into /var/lib/killsnoop"),
        ("killsnoop record --max-size 2G --max-age 30d", "30 days, in 2 GiB"),
        ("killsnoop record --keep deaths --redact-secrets", "only deaths"),
        ("killsnoop record --store /srv/who --store-group adm", "adm may read it"),
    ],
    notes: &[
        (
            "WHAT IS KEPT",
            "What a trace shows, as JSON has it, behind filters and redaction; and when it was recorded, with losses and gaps. The \
             store is an SQLite database, events.db, of which events is a view; only its owner may read it, unless --store-group \
             names a group. A full disk, or a store that cannot be written, does not end the trace: what could not be kept is \
             counted.",
        ),
        (
            "SIGNALS TO KILLSNOOP",
            "SIGUSR1 prints the counters so far. SIGINT and SIGTERM end it in order: after anything else the store says that the \
             recorder was killed.",
        ),
    ],
    exit_status: &[
        ("0", "After SIGINT, SIGTERM, --count or --duration."),
        ("1", "Tracing is not possible, or the store cannot be written."),
        ("2", "Wrong usage."),
    ],
};

pub(super) static DOCTOR: Page = Page {
    examples: &[
        ("killsnoop doctor", "what this host offers and lacks"),
        ("killsnoop doctor --json", "the same as one JSON object"),
    ],
    notes: &[],
    exit_status: &[("0", "A trace of this host works."), ("1", "It does not.")],
};

impl Page {
    /// The first examples, for the beginning of a help.
    pub(super) fn first_examples(&self) -> String {
        let examples = &self.examples[..self.examples.len().min(4)];
        let width = examples.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        let mut text = "Examples:".to_owned();
        for (command, meaning) in examples {
            let _ = write!(text, "\n  {command:width$}  {meaning}");
        }
        text
    }

    /// The end of a long help.
    pub(super) fn long_end(&self) -> String {
        let mut text = String::new();
        for (title, note) in self.notes {
            let _ = write!(text, "{title}: {note}\n\n");
        }
        if std::ptr::eq(self, &raw const TRACE) {
            let _ = write!(
                text,
                "KEYS of --where, --not and --fields; killsnoop(1) has their meaning:\n{}\n",
                keys::overview()
            );
        }
        text.push_str("EXIT STATUS:");
        let width = self.exit_status.iter().map(|(code, _)| code.len()).max().unwrap_or(0);
        for (code, meaning) in self.exit_status {
            let _ = write!(text, "\n  {code:width$}  {meaning}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::super::{Cli, command_first};
    use super::*;

    #[test]
    fn every_example_is_a_command_line_that_is_accepted() {
        for page in [&TRACE, &RUN, &WHO, &WHY, &LOG, &RECORD, &DOCTOR] {
            for (line, _) in page.examples {
                let words = line.split(' ').map(Into::into).collect();
                assert!(Cli::try_parse_from(command_first(words)).is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn every_command_that_is_not_hidden_has_a_page() {
        let program = Cli::command();
        for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
            let page = page(command.get_name()).unwrap();
            assert!(!page.examples.is_empty() && !page.exit_status.is_empty());
        }
    }
}
