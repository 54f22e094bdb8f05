//! Which events are asked for: what the store looks for by its columns, and what is then compared with each event itself.

use std::str::FromStr;

use regex::{Regex, RegexBuilder};

use super::story::mentions;
use super::target::{Target, text};
use crate::error::UsageError;
use crate::event::numbers::KILL;
use crate::event::signal::Signal;
use crate::output::format::document::{Document, Field, Value, find};
use crate::output::select::filter::{Conditions, Filter};
use crate::record::COMM_BYTES;
use crate::store::{Query, Who};

/// A boot, as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootArg {
    /// 0 is the latest, -1 the one before; 1 the oldest.
    Place(i64),
    /// Its id, or the beginning of it.
    Id(String),
}

impl FromStr for BootArg {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let plain = text.replace('-', "").to_ascii_lowercase();
        match text.parse() {
            Ok(place) if text.len() < 8 => Ok(Self::Place(place)),
            _ if plain.len() >= 8 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Self::Id(plain))
            }
            _ => Err(UsageError::Boot(text.to_owned())),
        }
    }
}

impl BootArg {
    /// The id among these, the oldest first.
    ///
    /// # Errors
    /// If there is no such boot.
    pub fn find(&self, ids: &[String]) -> Result<String, UsageError> {
        let count = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        let found = match self {
            Self::Place(place @ ..=0) => {
                usize::try_from(count - 1 + place).ok().and_then(|place| ids.get(place))
            }
            Self::Place(place) => usize::try_from(place - 1).ok().and_then(|place| ids.get(place)),
            Self::Id(wanted) => ids.iter().find(|id| id.replace('-', "").starts_with(wanted)),
        };
        found.cloned().ok_or_else(|| match self {
            Self::Place(place) => UsageError::NoSuchBoot(place.to_string()),
            Self::Id(id) => UsageError::NoSuchBoot(id.clone()),
        })
    }
}

/// A regular expression, in any case unless it has upper-case letters itself.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl FromStr for Pattern {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        let built = RegexBuilder::new(text).case_insensitive(!text.chars().any(char::is_uppercase)).build();
        built.map(Self).map_err(|error| UsageError::Pattern {
            pattern: text.to_owned(),
            why: error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned(),
        })
    }
}

impl Pattern {
    /// Is it in the sentence, in a command line, a title or a tree of this event?
    fn is_in(&self, document: &Document) -> bool {
        let of_process =
            |side: &&'static str| document.object(side).is_some_and(|process| self.is_in_process(process));
        document.text_at("summary").is_some_and(|summary| self.0.is_match(summary))
            || ["source", "target", "trigger"].iter().any(of_process)
    }

    fn is_in_process(&self, process: &[Field]) -> bool {
        let is_in = |key: &str| text(process, &[key]).is_some_and(|text| self.0.is_match(text));
        let arguments = match find(process, "cmdline") {
            Some(Value::List(items)) => String::from_utf8_lossy(&items.join(&b' ')).into_owned(),
            _ => String::new(),
        };
        self.0.is_match(&arguments) || ["title", "tree", "exe"].into_iter().any(is_in)
    }
}

/// What is asked for.
#[derive(Debug, Default)]
pub struct Search {
    /// Not before, nanoseconds since the epoch.
    pub since: Option<i64>,
    /// Before.
    pub until: Option<i64>,
    /// The id of a boot.
    pub boot: Option<String>,
    /// Of each of these lists one has to be the target.
    pub targets: Vec<Vec<Target>>,
    /// One of these is the sender.
    pub senders: Vec<Target>,
    /// One of these signals.
    pub signals: Vec<Signal>,
    /// A pattern.
    pub grep: Option<Pattern>,
    /// Only deaths by a signal.
    pub deaths: bool,
    /// Only what ends its target, and ends.
    pub fatal: bool,
    /// Conditions on keys.
    pub conditions: Conditions,
    /// No process of a container that a user has named, if it is that name alone which fits.
    pub only_hosts_containers: bool,
}

impl Search {
    /// What the store is to look for. It finds all that fits, and perhaps more.
    pub fn query(&self) -> Query {
        let looks_up_ends = self.looks_up_ends();
        Query {
            since: self.since,
            until: self.until,
            boot: self.boot.clone(),
            signals: self.signals.iter().map(|signal| signal.number()).collect(),
            is_death: self.deaths && !looks_up_ends,
            target: self
                .targets
                .first()
                .map(|any| any.iter().flat_map(columns).collect())
                .unwrap_or_default(),
            by: self.senders.iter().flat_map(columns).collect(),
            ..Query::default()
        }
    }

    /// An end names no sender, and after a signal that was handled no signal either: such ends are looked up for each signal.
    pub fn looks_up_ends(&self) -> bool {
        !self.senders.is_empty() || !self.signals.is_empty()
    }

    /// Does this event fit, but for conditions on keys? The end of a signal that fits does.
    pub fn fits(&self, document: &Document) -> bool {
        let header = document.header();
        let is_end_of_process = header.is_end_of_process();
        (!self.deaths || (is_end_of_process && document.text_at("signalName").is_some()))
            && (!self.fatal || header.is_deadly())
            && self.fits_but_for_class(document)
    }

    /// The same of a signal whose end is asked for.
    pub fn fits_but_for_class(&self, document: &Document) -> bool {
        let signal = document.header().signal;
        if self.only_hosts_containers && self.is_of_users_container(document) {
            return false;
        }
        self.targets.iter().all(|any| any.iter().any(|target| target.is_target_of(document)))
            && (self.senders.is_empty() || self.is_sent_by(document))
            && (self.signals.is_empty() || signal.is_some_and(|signal| self.signals.contains(&signal)))
            && self.grep.as_ref().is_none_or(|pattern| pattern.is_in(document))
    }

    /// Does this command name each target, and fit the rest?
    pub fn fits_request(&self, request: &Document) -> bool {
        self.targets.iter().all(|any| any.iter().any(|target| mentions(request, target)))
            && self.grep.as_ref().is_none_or(|pattern| pattern.is_in(request))
    }

    /// Has a user named its container as one that is asked for? Any user may take the name of a container of the host's.
    pub fn is_of_users_container(&self, document: &Document) -> bool {
        let Some(process) = document.object("target") else { return false };
        self.targets.iter().flatten().any(|target| target.is_name_of_users_container(process))
    }

    /// May a recorder have hidden what is asked for, as it does by default? Nothing that ends a process or cannot be handled.
    pub fn may_be_hidden(&self) -> bool {
        let can_be_handled =
            |signal: &Signal| signal.number() != KILL && i32::from(signal.number()) != libc::SIGSTOP;
        !self.deaths && !self.fatal && (self.signals.is_empty() || self.signals.iter().any(can_be_handled))
    }

    fn is_sent_by(&self, document: &Document) -> bool {
        document.object("source").is_some_and(|source| self.senders.iter().any(|sender| sender.fits(source)))
    }

    /// What asks the conditions.
    pub fn filter(&self) -> Filter {
        Filter::new(self.conditions.clone())
    }

    /// Is it everything that is asked for?
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
            && !self.looks_up_ends()
            && self.grep.is_none()
            && !self.deaths
            && !self.fatal
            && self.conditions.is_empty()
    }
}

/// Columns of the store in which a process of this name is found. They find all that [`Target::fits`], and perhaps more.
pub fn columns(target: &Target) -> Vec<Who> {
    let shown = target.to_string();
    // of a longer comm the kernel keeps the beginning
    let short =
        shown.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= COMM_BYTES);
    let comm = shown.get(..short.last().unwrap_or(0)).unwrap_or_default().to_owned();
    let is_cut = comm.len() < shown.len() && !shown.contains(['*', '?']);
    let comms = |mut all: Vec<Who>| {
        all.extend(is_cut.then(|| Who::Comm(comm.clone())));
        all
    };
    match target {
        Target::Pid(pid) => vec![Who::Pid(*pid)],
        Target::Key(key) => vec![Who::Key(key.clone())],
        Target::Comm(_) => comms(vec![Who::Comm(shown)]),
        Target::Exe(_) if shown.contains('/') => vec![Who::Exe(shown)],
        Target::Exe(_) => vec![Who::Exe(format!("*/{shown}")), Who::Exe(shown)],
        Target::Unit(_) => vec![Who::Unit(format!("{shown}.*")), Who::Unit(shown)],
        Target::UserUnit(_) => vec![Who::UserUnit(format!("{shown}.*")), Who::UserUnit(shown)],
        Target::Container(_) => vec![Who::Container(shown)],
        // where the namespace is not recorded, the pod is found all the same
        Target::Pod(_, name) => vec![Who::Pod { namespace: None, name: name.text().to_owned() }],
        Target::User(user) => match user.parse() {
            Ok(uid) => vec![Who::Uid(uid)],
            Err(_) => vec![Who::User(user.clone())],
        },
        Target::Any(..) => {
            let units = [Who::Unit(format!("{shown}.*")), Who::UserUnit(format!("{shown}.*"))];
            comms([Who::Any(shown)].into_iter().chain(units).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::read;

    fn event(json: &str) -> Document {
        read::document(json).unwrap()
    }

    #[test]
    fn a_boot_is_counted_from_the_latest_or_named() {
        let ids = ["aaaaaaaa-1", "bbbbbbbb-2", "cccccccc-3"].map(str::to_owned);
        for (text, id) in
            [("0", 2), ("-1", 1), ("-2", 0), ("1", 0), ("3", 2), ("bbbbbbbb", 1), ("BBBBBBBB2", 1)]
        {
            assert_eq!(text.parse::<BootArg>().unwrap().find(&ids).unwrap(), ids[id], "{text}");
        }
        for text in ["-3", "4", "dddddddd"] {
            assert!(text.parse::<BootArg>().unwrap().find(&ids).is_err(), "{text}");
        }
        for wrong in ["", "x", "abc", "hello-world"] {
            assert!(wrong.parse::<BootArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_can_be_handled_may_be_hidden_and_an_end_is_not() {
        let of = |signal: &str| Search { signals: vec![signal.parse().unwrap()], ..Search::default() };
        assert!(Search::default().may_be_hidden() && of("ALRM").may_be_hidden());
        assert!(!of("KILL").may_be_hidden());
        assert!(!Search { deaths: true, ..of("ALRM") }.may_be_hidden());
    }

    #[test]
    fn each_flag_has_to_hold_and_of_one_flag_any_value() {
        let killed = event(
            r#"{"event":"signal","signal":9,"summary":"sh(7) sent SIGKILL to yes(9)","source":{"pid":7,"comm":"sh"},
            "target":{"pid":9,"comm":"yes","cmdline":["yes","No"],"systemd":{"unit":"x.service"}}}"#,
        );
        let target = |text: &str| text.parse::<Target>().unwrap();
        let search = |targets: &[&[&str]]| Search {
            targets: targets.iter().map(|any| any.iter().map(|text| target(text)).collect()).collect(),
            ..Search::default()
        };
        assert!(Search::default().fits(&killed));
        assert!(search(&[&["no", "yes"], &["x"]]).fits(&killed));
        assert!(!search(&[&["yes"], &["y"]]).fits(&killed));
        for (by, fits) in [("sh", true), ("bash", false)] {
            assert_eq!(Search { senders: vec![target(by)], ..Search::default() }.fits(&killed), fits);
        }
        for (pattern, fits) in
            [("yes no", true), ("yes No", true), ("Yes", false), ("sigkill", true), ("^x", false)]
        {
            let grep = Some(pattern.parse().unwrap());
            assert_eq!(Search { grep, ..Search::default() }.fits(&killed), fits, "{pattern}");
        }
        assert!(!Search { deaths: true, ..Search::default() }.fits(&killed));
        let end = event(r#"{"event":"ended","signal":9,"signalName":"SIGKILL","target":{"pid":9}}"#);
        assert!(Search { deaths: true, ..Search::default() }.fits(&end));
        let exit = event(r#"{"event":"ended","exitCode":9,"target":{"pid":9}}"#);
        assert!(!Search { deaths: true, ..Search::default() }.fits(&exit));
    }
}
