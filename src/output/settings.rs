//! What an output is asked for: which events, what of them, where they go and how they look. What was typed is in `cli`.

use std::path::PathBuf;

use super::deliver::destination_name::DestinationName;
use super::deliver::rate::MaxRate;
use super::format::FormatKind;
use super::format::logfmt::LOGFMT;
use super::left_out_for_eyes::LeftOutSettings;
use super::redact::Redaction;
use super::select::filter::Conditions;
use crate::event::header::{EventKind, Header};

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// Does this destination get colours?
    pub fn is_on(self, is_terminal: bool) -> bool {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                is_terminal
                    && !is_set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// Which events an output gets, of those that pass all filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Takes {
    /// All.
    #[default]
    All,
    /// Ends, what may lead to one, and losses. Another output must take all: an event that none takes is not counted.
    Ends,
}

impl Takes {
    /// Does it get this one?
    pub fn includes(self, header: &Header) -> bool {
        self == Self::All || header.goes_first() || header.kind == EventKind::Lost
    }
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSettings {
    /// How its lines look.
    pub kind: FormatKind,
    /// Where they go.
    pub destination: DestinationName,
    /// Floods are folded.
    pub folds: bool,
    /// Which events it gets.
    pub takes: Takes,
}

/// What is reported, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one.
    pub outputs: Vec<OutputSettings>,
    /// Which events.
    pub conditions: Conditions,
    /// What is taken out of them.
    pub redaction: Redaction,
    /// What formats for eyes leave out.
    pub left_out: LeftOutSettings,
    /// Trees are drawn from below this process on.
    pub top: Option<u32>,
    /// Bytes of a line.
    pub max_line: Option<usize>,
    /// How fast outputs may grow.
    pub max_rate: MaxRate,
    /// Columns of the table; the usual ones if there is none.
    pub fields: Vec<String>,
    /// Colours.
    pub colour: Colour,
    /// Nothing beyond ASCII in formats for eyes.
    pub is_ascii: bool,
    /// A summary at the end and on SIGUSR1.
    pub has_summary: bool,
    /// A sentence of it at the end.
    pub sums_up: bool,
    /// Events are counted for metrics.
    pub has_tally: bool,
    /// Deaths of them by unit as well.
    pub has_tally_by_unit: bool,
    /// One story is enough: it ends with the end of a process.
    pub is_one_story: bool,
}

impl Settings {
    /// Every FILE, in the order of the outputs: a number of an [`Opener`] is a place in this.
    pub fn files(&self) -> Vec<PathBuf> {
        let file = |output: &OutputSettings| match &output.destination {
            DestinationName::File(path) => Some(path.clone()),
            _ => None,
        };
        self.outputs.iter().filter_map(file).collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            outputs: vec![OutputSettings {
                kind: LOGFMT,
                destination: DestinationName::Stdout,
                folds: false,
                takes: Takes::All,
            }],
            conditions: Conditions::default(),
            redaction: Redaction::default(),
            left_out: LeftOutSettings::default(),
            top: None,
            max_line: None,
            max_rate: MaxRate::default(),
            fields: Vec::new(),
            colour: Colour::default(),
            is_ascii: false,
            has_summary: false,
            sums_up: false,
            has_tally: false,
            has_tally_by_unit: false,
            is_one_story: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_unless_told_otherwise() {
        assert!(Colour::Always.is_on(false));
        assert!(!Colour::Never.is_on(true) && !Colour::Auto.is_on(false));
    }
}
