//! The flags of `why` and `log`, which ask a store about the past.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::complete;
use super::flags::{ColourArg, FILTERS, number};
use crate::event::signal::Signal;
use crate::output::select::filter::Condition;
use crate::output::spec::ColumnKey;
use crate::past::moment::Moment;
use crate::past::output::PastOutput;
use crate::past::search::{BootArg, Pattern};
use crate::past::size::Size;
use crate::past::target::Target;
use crate::store::DIRECTORY;

/// Which part of the past, and how it is shown.
#[derive(Debug, Args)]
pub struct PastArgs {
    /// The directory that killsnoop record wrote, or a copy of it
    #[arg(long, value_name = "DIR", default_value = DIRECTORY, value_hint = ValueHint::DirPath)]
    pub store: PathBuf,

    /// Not before this time (yesterday, -1h, "1 hour ago", 03:00, "2026-11-26 03:00 UTC")
    ///
    /// As in systemd.time(7), in the local time zone where none is named.
    #[arg(short = 'S', long, value_name = "TIME", allow_hyphen_values = true, help_heading = FILTERS)]
    pub since: Option<Moment>,

    /// Before this time
    #[arg(short = 'U', long, value_name = "TIME", allow_hyphen_values = true, help_heading = FILTERS)]
    pub until: Option<Moment>,

    /// Of this boot: 0 is the latest, -1 the one before, or an id of --list-boots
    #[arg(short, long, value_name = "BOOT", num_args = 0..=1, require_equals = true, default_missing_value = "0",
        allow_hyphen_values = true, help_heading = FILTERS)]
    pub boot: Option<BootArg>,

    /// Received by a process of this systemd unit
    #[arg(short, long = "unit", value_name = "UNIT", value_parser = Target::unit, help_heading = FILTERS)]
    pub units: Vec<Target>,

    /// Received by a process of this unit of a user's service manager
    #[arg(long = "user-unit", value_name = "UNIT", value_parser = Target::user_unit, help_heading = FILTERS,
        hide_short_help = true)]
    pub user_units: Vec<Target>,

    /// Received by this process: PID or PID@START, as key has it
    #[arg(long = "pid", value_name = "PID", value_parser = Target::pid, help_heading = FILTERS)]
    pub pids: Vec<Target>,

    /// Received by processes of this name
    #[arg(long = "comm", value_name = "COMM", value_parser = Target::comm, help_heading = FILTERS)]
    pub comms: Vec<Target>,

    /// Received by processes that run this program: a path, or its last word
    #[arg(long = "exe", value_name = "PATH", value_parser = Target::exe, help_heading = FILTERS)]
    pub exes: Vec<Target>,

    /// Received in this container: its name, or the beginning of its id
    #[arg(long = "container", value_name = "ID|NAME", value_parser = Target::container, help_heading = FILTERS)]
    pub containers: Vec<Target>,

    /// Received in this pod
    #[arg(long = "pod", value_name = "[NS/]POD", value_parser = Target::pod, help_heading = FILTERS)]
    pub pods: Vec<Target>,

    /// Received by processes of this user
    #[arg(long = "user", value_name = "USER", value_parser = Target::user, help_heading = FILTERS)]
    pub users: Vec<Target>,

    /// Sent by this process: its name, unit, container, pod, PID, PID@START, or its user
    #[arg(long = "by", value_name = "SENDER", value_parser = Target::sender, help_heading = FILTERS)]
    pub senders: Vec<Target>,

    /// Only these signals (TERM,9,RTMIN+3)
    #[arg(short, long = "signal", value_name = "SIGNALS", value_delimiter = ',', help_heading = FILTERS, add = complete::signals())]
    pub signals: Vec<Signal>,

    /// Only events whose sentence, command lines, titles or trees match
    ///
    /// Upper and lower case are the same unless REGEX has an upper-case letter.
    #[arg(short, long, value_name = "REGEX", help_heading = FILTERS)]
    pub grep: Option<Pattern>,

    /// Only events where KEY matches VALUE
    #[arg(long = "where", value_name = "KEY=VALUE", help_heading = FILTERS, add = complete::conditions())]
    pub wanted: Vec<Condition>,

    /// Only events where KEY does not match VALUE
    #[arg(long = "not", value_name = "KEY=VALUE", help_heading = FILTERS, add = complete::conditions())]
    pub unwanted: Vec<Condition>,

    /// line, table, tree, json, logfmt or html
    ///
    /// json prints each event as the trace printed it; html is one page for a report, without scripts or other files.
    #[arg(short, long, value_name = "FORMAT", add = complete::past_outputs())]
    pub output: Option<PastOutput>,

    /// Colours: auto, always, never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColourArg::Auto, alias = "colour", hide_default_value = true,
        hide_possible_values = true, hide_short_help = true)]
    pub color: ColourArg,

    /// Print only ASCII in formats for eyes
    #[arg(long, hide_short_help = true)]
    pub ascii: bool,

    /// Not through a pager
    #[arg(long, hide_short_help = true)]
    pub no_pager: bool,
}

/// `killsnoop why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// What was killed: pid, pid@start, name, /path, UNIT.service, container id or name, [ns/]pod
    ///
    /// The newest end that fits is explained. A name may hold * and ?. Without a target it is the newest end of all.
    #[arg(value_name = "TARGET")]
    pub targets: Vec<Target>,

    /// Which part of the past
    #[command(flatten)]
    pub past: PastArgs,
}

/// `killsnoop log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// What received it: pid, pid@start, name, /path, UNIT.service, container id or name, [ns/]pod
    #[arg(value_name = "TARGET")]
    pub targets: Vec<Target>,

    /// Which part of the past
    #[command(flatten)]
    pub past: PastArgs,

    /// Only how processes were killed
    #[arg(long, help_heading = FILTERS)]
    pub deaths: bool,

    /// Only signals that end their target, and ends
    #[arg(long, help_heading = FILTERS)]
    pub fatal: bool,

    /// The newest N
    #[arg(short = 'n', long = "lines", value_name = "N", value_parser = number::<u64>(0, None))]
    pub lines: Option<u64>,

    /// The newest first
    #[arg(short, long, conflicts_with = "follow")]
    pub reverse: bool,

    /// Go on with what is recorded from now on
    #[arg(short, long)]
    pub follow: bool,

    /// Columns of the table: keys, comma-separated
    #[arg(long, value_name = "KEYS", value_delimiter = ',', hide_short_help = true, add = complete::columns())]
    pub fields: Vec<ColumnKey>,

    /// How often who sent what to whom, and what repeats by the clock
    #[arg(long, conflicts_with_all = ["follow", "output", "lines", "reverse"])]
    pub summary: bool,

    /// The boots of the store
    #[arg(long, group = "job")]
    pub list_boots: bool,

    /// How much room the store takes
    #[arg(long, group = "job")]
    pub disk_usage: bool,

    /// Check the store
    #[arg(long, group = "job")]
    pub verify: bool,

    /// Forget until the store has at most this size (500M, 2G)
    #[arg(long, value_name = "SIZE", group = "job")]
    pub vacuum_size: Option<Size>,

    /// Forget what is older (30d, "2 weeks")
    #[arg(long, value_name = "TIME", value_parser = crate::past::moment::Age::parse, group = "job")]
    pub vacuum_time: Option<crate::past::moment::Age>,
}
