//! What can go wrong, and what the person at the terminal can do about it.

use std::{fmt, io};

use rustix::io::Errno;
use thiserror::Error;

use crate::base::os_error::reason;

/// A wrong use of the command line: exit code 2.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum UsageError {
    /// Not a signal.
    #[error("'{given}' is not a signal: {}", did_you_mean(nearest.as_deref(), || {
        "give a number from 1 to 64, or a name such as TERM, SIGKILL or RTMIN+3".to_owned()
    }))]
    Signal {
        /// What was given.
        given: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// Not a whole number in this range.
    #[error("'{given}' is not a whole number {}", most.map_or_else(
        || format!("of at least {least}"),
        |most| format!("from {least} to {most}"),
    ))]
    Number {
        /// What was given.
        given: String,
        /// The least.
        least: u64,
        /// The greatest, if there is one.
        most: Option<u64>,
    },
    /// Not a duration.
    #[error("'{0}' is not a duration: give seconds, or a number with a unit such as 500ms, 10s, 5m, 2h")]
    Duration(String),
    /// No moment of systemd.time(7).
    #[error(
        "'{0}' is not a time: give one as of systemd.time(7), such as yesterday, -1h, \"1 hour ago\", 03:00, 2026-11-26, \
         \"2026-11-26 03:00:00 UTC\" or @1795810693"
    )]
    Moment(String),
    /// No way in which the past is shown.
    #[error("unknown output '{given}': {}", did_you_mean(nearest.as_deref(), || format!("give one of {formats}")))]
    PastOutput {
        /// What was given.
        given: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// What may be given.
        formats: String,
    },
    /// No size.
    #[error("'{0}' is not a size: give bytes, or a number with a unit such as 64K, 500M, 2G")]
    Size(String),
    /// No boot, whatever the store holds.
    #[error(
        "'{0}' is not a boot: give 0 (the latest), -1 (the one before) or an id of killsnoop log --list-boots"
    )]
    Boot(String),
    /// The store has no such boot.
    #[error("the store has nothing of boot '{0}': killsnoop log --list-boots lists those that it has")]
    NoSuchBoot(String),
    /// No rate.
    #[error("'{0}' is not a rate: give bytes per second from 1K to 1024G (65536, 64K, 1M), or none")]
    MaxRate(String),
    /// No size of a store.
    #[error("'{0}' is not the size of a store: give bytes from 16M on (512M, 2G)")]
    StoreSize(String),
    /// No age.
    #[error("'{0}' is not an age: give a number with a unit such as 30d, 2w, 12h")]
    Age(String),
    /// No share of a disk.
    #[error("'{0}' is not a share of a file system: give per cent from 0% to 90%")]
    Share(String),
    /// A file of flags that cannot be read.
    #[error("cannot read the configuration {}: {why}", crate::base::sanitize::visible(path))]
    ConfigFile {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        why: String,
    },
    /// A line of such a file that is no flag.
    #[error(
        "line {line} of {} is no flag: '{given}' (a line is a flag with its value, such as --max-size 1G; # begins a comment)",
        crate::base::sanitize::visible(path)
    )]
    ConfigLine {
        /// Which file.
        path: std::path::PathBuf,
        /// Its number, from 1 on.
        line: usize,
        /// What is there.
        given: String,
    },
    /// What the journal is to get.
    #[error("'{0}' is nothing that goes to the journal: deaths, or ends for exits after a signal as well")]
    Journaled(String),
    /// What metrics are to be counted by.
    #[error("'{0}' is nothing that metrics are counted by: unit")]
    MetricsBy(String),
    /// A file of metrics that none of its readers would read.
    #[error("--metrics writes a file whose name ends in .prom, as node_exporter reads no others; not '{0}'")]
    MetricsFile(String),
    /// Ends go to the journal, and none are reported.
    #[error("--journal needs what --no-outcome leaves out: the ends of processes")]
    JournalWithoutEnds,
    /// No such group.
    #[error("there is no group '{0}': name one of /etc/group, or give its number")]
    Group(String),
    /// No size of the ring.
    #[error("'{0}' is not a power of two of at least 4096")]
    RingBytes(String),
    /// A number that no process can have.
    #[error("'{0}' is not a pid: give a number from 1 to 4194303{hint}", hint = stands_alone(.0))]
    Pid(String),
    /// Neither a command nor the name of a process.
    #[error(
        "'{given}' is not a command, and no process has that name: did you mean killsnoop {command}? (killsnoop -- {given} waits for \
         such a process)"
    )]
    MisspeltCommand {
        /// What was given.
        given: String,
        /// What may have been meant.
        command: String,
    },
    /// The value of --failed stands apart from it.
    #[error(
        "--failed only: did you mean --failed=only? (a process or a command named only goes behind --: killsnoop --failed -- only)"
    )]
    DetachedOnly,
    /// No process is called so.
    #[error("an empty name is not the name of a process")]
    EmptyName,
    /// No process is called so.
    #[error("an empty name is not the name of a process")]
    EmptyComm,
    /// More names than the kernel's map holds.
    #[error("--ignore-source-comm has {0} names: 64 are the most")]
    TooManyComms(usize),
    /// The same of commands.
    #[error("--requests has {0} names: 64 are the most")]
    TooManyRequests(usize),
    /// No key of the output.
    #[error("'{key}' is not a key of an event: {}", if near.is_empty() {
        "killsnoop --help lists them (KEYS)".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    })]
    Key {
        /// What was given.
        key: String,
        /// What may have been meant.
        near: Vec<String>,
    },
    /// A key that holds keys.
    #[error("'{key}' holds further keys: name one of them, such as {keys}")]
    KeyIsObject {
        /// What was given.
        key: String,
        /// Some of its keys.
        keys: String,
    },
    /// Neither `=` nor `<` nor `>`.
    #[error(
        "'{0}' is not a condition: give KEY=VALUE, KEY>NUMBER or KEY<NUMBER; VALUE may be a list (TERM,KILL) or hold * and ?"
    )]
    Condition(String),
    /// Compared with `<` or `>`, and no number.
    #[error("{key} is not a number: compare it with =")]
    Comparison {
        /// The key.
        key: String,
    },
    /// A value that the key never has.
    #[error("{key} cannot be '{value}': {allowed}")]
    ConditionValue {
        /// The key.
        key: String,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: String,
    },
    /// No regular expression.
    #[error("'{pattern}' cannot be used as a regular expression: {why}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// No output.
    #[error("unknown output '{given}': {}", did_you_mean(nearest.as_deref(), || {
        format!("give {formats}, and with =FILE where its lines go")
    }))]
    Output {
        /// What was given.
        given: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// What may be given.
        formats: String,
    },
    /// No format.
    #[error("unknown format '{given}': {}", did_you_mean(nearest.as_deref(), || format!("give {formats}, or none")))]
    Format {
        /// What was given.
        given: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// What may be given.
        formats: String,
    },
    /// Two outputs at one place would be mixed.
    #[error("two outputs go to {0}: give all but one another FILE (--output FORMAT=FILE)")]
    SamePlace(String),
    /// Columns without a table.
    #[error("--fields is for a table: add -o table")]
    FieldsWithoutTable,
    /// Not a name of an environment variable.
    #[error(
        "'{0}' is not a name of an environment variable: 1 to 63 printable ASCII characters, no space, =, quote or backslash"
    )]
    Variable(String),
    /// More names than are looked for.
    #[error("--env has {0} names: 8 are the most")]
    TooManyVariables(usize),
    /// Filters that no event can pass.
    #[error("no event can pass these filters together: {0}: leave one out, or list what may be: KEY=A,B")]
    NothingPasses(String),
    /// A filter for what is not looked at.
    #[error(
        "no event can pass {0}: only calls that become no signal have that: add --failed (or --probes, for signal 0)"
    )]
    NeedsAttempts(String),
    /// The same of requests.
    #[error("no event can pass {0}: add --requests")]
    NeedsRequests(String),
    /// A duration that no clock can count.
    #[error("'{0}' is too long: 100 years are the most; to trace until stopped, leave it out")]
    TooLong(String),
    /// No file system of a host.
    #[error("'{root}' is not the root of a host's file system: {why}")]
    Root {
        /// What was given.
        root: String,
        /// What is missing, and what to do.
        why: String,
    },
    /// A flag that means nothing to `run`.
    #[error(
        "--tree is for a trace of this host: run traces its command and all below it; leave it out, or use --pid or --where"
    )]
    TreeOfRun,
    /// Filters that let nothing through.
    #[error("no signal passes: every signal named by --include-signals is excluded by --exclude-signals")]
    NothingIncluded,
}

/// What may have been meant, or else what may be given.
fn did_you_mean(nearest: Option<&str>, allowed: impl FnOnce() -> String) -> String {
    nearest.map_or_else(allowed, |nearest| format!("did you mean {nearest}?"))
}

/// A name was given where only a pid is possible.
fn stands_alone(given: &str) -> String {
    if given.bytes().all(|byte| byte.is_ascii_digit()) {
        return String::new();
    }
    format!("; a name stands alone: killsnoop {given}")
}

/// Tracing cannot begin or go on: exit code 1. Each says what is missing and what to do.
#[derive(Debug, Error)]
pub enum TraceError {
    /// Not enough capabilities.
    #[error(
        "killsnoop may not load BPF programs: it lacks {missing}\nhint: run it as root (sudo), or give it {missing}"
    )]
    Privilege {
        /// The capabilities that are missing.
        missing: String,
    },
    /// A file system without which nothing can be known of this host.
    #[error("{fault}: killsnoop looks there at this host\nhint: {hint}")]
    FileSystem {
        /// What is wrong with which.
        fault: &'static str,
        /// What the person can do.
        hint: &'static str,
    },
    /// No type information.
    #[error(
        "this kernel ({release}) has no BTF: /sys/kernel/btf/vmlinux is not there\nhint: boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (every distribution kernel of the last years is)"
    )]
    NoBtf {
        /// `uname -r`.
        release: String,
    },
    /// A kernel without something that is indispensable.
    #[error(
        "this kernel ({release}) is too old: it has no {lacking}\nhint: killsnoop needs Linux 5.17 or newer (5.13 to 5.16 are not refused, and are untested)"
    )]
    TooOld {
        /// `uname -r`.
        release: String,
        /// What it lacks.
        lacking: String,
    },
    /// A kernel on which the hooks would allocate memory where that may sleep.
    #[error(
        "this kernel ({release}) has PREEMPT_RT and no allocator for BPF storage\nhint: with PREEMPT_RT killsnoop needs Linux 6.4 or newer"
    )]
    RealTime {
        /// `uname -r`.
        release: String,
    },
    /// A kernel that cannot tell what a failed call was.
    #[error(
        "--failed and --probes are not possible on this kernel ({release}): it does not tell which call returned\nhint: they need Linux 5.15 or newer; leave them out"
    )]
    NoAttempts {
        /// `uname -r`.
        release: String,
    },
    /// Environment variables, where the programs cannot loop over them.
    #[error(
        "--env is not possible on this kernel ({release})\nhint: it needs Linux 5.17 or newer; leave it out"
    )]
    NoEnvironment {
        /// `uname -r`.
        release: String,
    },
    /// The kernel refused something that the probe let expect.
    #[error("cannot {action}: {cause}\nhint: {hint}")]
    Kernel {
        /// What was tried.
        action: String,
        /// What the person can do.
        hint: String,
        /// What the kernel said.
        cause: libbpf_rs::Error,
    },
    /// A system call failed.
    #[error("cannot {action}: {}", reason(cause))]
    System {
        /// What was tried.
        action: String,
        /// What the kernel said.
        cause: std::io::Error,
    },
    /// An output cannot be opened, or should not.
    #[error("cannot write to {place}: {refusal}")]
    Output {
        /// What was named.
        place: String,
        /// Why, and what to do.
        refusal: Refusal,
    },
    /// Raw records cannot be kept (`--record-to`).
    #[error("cannot keep the raw records: {}", reason(.0))]
    Raw(std::io::Error),
}

impl TraceError {
    /// Is something missing that the host or whoever started killsnoop could give?
    pub fn is_of_the_host(&self) -> bool {
        !matches!(self, Self::Raw(_) | Self::System { .. } | Self::Output { .. })
    }

    /// Wraps what libbpf said.
    pub fn kernel(action: impl Into<String>, hint: impl Into<String>, cause: libbpf_rs::Error) -> Self {
        Self::Kernel { action: action.into(), hint: hint.into(), cause }
    }

    /// Wraps what a system call said.
    pub fn system(action: impl Into<String>, cause: impl Into<std::io::Error>) -> Self {
        Self::System { action: action.into(), cause: cause.into() }
    }
}

/// Why a FILE is not written to, and what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with it.
    pub why: String,
    /// What can be done; empty where that is plain.
    pub hint: String,
}

impl Refusal {
    pub(crate) fn new(why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { why: why.into(), hint: hint.into() }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::new(reason(error), "")
    }
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.why)?;
        if self.hint.is_empty() { Ok(()) } else { write!(formatter, "\nhint: {}", self.hint) }
    }
}
