//! From flags to validated settings: what contradicts itself, or can never pass a filter, is refused here, before the kernel
//! is asked for anything.

use std::path::PathBuf;

use super::flags::TraceArgs;
use crate::base::locale;
use crate::config::{ALL_SIGNALS, Config, Failed, MAX_IGNORED_COMMS, MAX_REQUESTS};
use crate::error::UsageError;
use crate::event::signal::Signal;
use crate::output::deliver::destination_name::DestinationName;
use crate::output::format::json::JSON;
use crate::output::left_out_for_eyes::LeftOutSettings;
use crate::output::redact::Redaction;
use crate::output::select::filter::{Conditions, ProcessArg};
use crate::output::spec::OutputSpec;
use crate::output::{self, FormatKind, OutputSettings, Takes};
use crate::record::MAX_VARIABLES;
use crate::record::names::CommName;

/// The settings of a trace, each valid and all of them together.
#[derive(Debug)]
pub struct Request {
    /// What is traced.
    pub config: Config,
    /// What is reported of it, and how.
    pub settings: output::Settings,
    /// A format was chosen.
    pub is_format_given: bool,
    /// Events are kept there.
    pub store: Option<PathBuf>,
    /// Floods are folded there: it has JSON.
    pub store_folds: bool,
}

impl TraceArgs {
    /// Validates the flags. Only what `processes` send or receive is reported, if any is named. Lines that no FILE is named for go to `usual`, in that format if none is named either.
    ///
    /// # Errors
    /// If two flags contradict each other.
    pub fn settle(
        self,
        processes: &[ProcessArg],
        usual: (FormatKind, DestinationName),
    ) -> Result<Request, UsageError> {
        let is_format_given = !self.output.is_empty();
        let (store, store_folds) = (self.store.clone(), self.fold.contains(JSON));
        let mut settings = self.settings(usual)?;
        settings.conditions.add_processes(processes);
        let config = self.config()?;
        settings.conditions.check(&config)?;
        Ok(Request { config, settings, is_format_given, store, store_folds })
    }

    fn settings(
        &self,
        (usual_kind, usual_destination): (FormatKind, DestinationName),
    ) -> Result<output::Settings, UsageError> {
        let settings_of = |OutputSpec { kind, file }: OutputSpec| OutputSettings {
            kind,
            destination: file.map_or_else(|| usual_destination.clone(), DestinationName::of),
            folds: self.fold.contains(kind),
            takes: Takes::All,
        };
        let mut outputs: Vec<OutputSettings> = self.output.iter().cloned().map(settings_of).collect();
        if outputs.is_empty() {
            outputs.push(settings_of(OutputSpec { kind: usual_kind, file: None }));
        }
        for (at, one) in outputs.iter().enumerate() {
            if outputs[..at].iter().any(|other| other.destination == one.destination) {
                return Err(UsageError::SamePlace(one.destination.to_string()));
            }
        }
        if !self.fields.is_empty() && !outputs.iter().any(|output| output.kind.has_columns) {
            return Err(UsageError::FieldsWithoutTable);
        }
        Ok(output::Settings {
            outputs,
            conditions: Conditions {
                wanted: self.wanted.clone(),
                unwanted: self.unwanted.clone(),
                pids: self.pids.clone(),
                names: Vec::new(),
                trees: self.trees.clone(),
                trees_begin_below: false,
                only_fatal: self.fatal,
            },
            redaction: Redaction::new(self.redact.clone(), self.redact_secrets),
            left_out: LeftOutSettings {
                // what is asked for by name, or of one process, is shown
                routine: !self.all
                    && self.include_signals.is_empty()
                    && self.pids.is_empty()
                    && self.trees.is_empty()
                    && self.wanted.is_empty(),
                own_group: None,
            },
            top: None,
            max_line: self.max_line.map(|bytes| bytes as usize),
            max_rate: self.max_rate.unwrap_or_default(),
            fields: self.fields.iter().cloned().map(String::from).collect(),
            colour: self.color.into(),
            is_ascii: self.ascii || !locale::is_utf8(|name| std::env::var_os(name)),
            has_summary: self.summary,
            sums_up: false,
            has_tally: false,
            has_tally_by_unit: false,
            is_one_story: false,
        })
    }

    fn config(self) -> Result<Config, UsageError> {
        let set = |signals: &[Signal]| signals.iter().fold(0, |set, signal| set | signal.bit());
        let included = set(&self.include_signals);
        let passing = if included == 0 { ALL_SIGNALS } else { included };
        let shown = passing & !set(&self.exclude_signals);
        if shown == 0 {
            return Err(UsageError::NothingIncluded);
        }
        if self.ignore_source_comm.len() > MAX_IGNORED_COMMS {
            return Err(UsageError::TooManyComms(self.ignore_source_comm.len()));
        }
        let mut requests: Vec<_> = self.requests.iter().flatten().map(CommName::padded).collect();
        requests.sort_unstable();
        requests.dedup();
        if requests.len() > MAX_REQUESTS {
            return Err(UsageError::TooManyRequests(requests.len()));
        }
        let mut variables: Vec<String> = self.env.into_iter().map(String::from).collect();
        variables.sort_unstable();
        variables.dedup();
        if variables.len() > MAX_VARIABLES {
            return Err(UsageError::TooManyVariables(variables.len()));
        }
        Ok(Config {
            shown_signals: shown,
            included_signals: included,
            ignored_source_comms: self.ignore_source_comm.iter().map(CommName::padded).collect(),
            requests,
            max_tree_depth: self.max_tree_depth,
            root: self.root,
            count: self.count,
            duration: self.duration.map(Into::into),
            show_all: self.all,
            failed: self.failed.map_or(Failed::No, Into::into),
            probes: self.probes,
            outcomes: !self.no_outcome,
            reports_ends: false,
            started_by: None,
            variables,
            ghosts: self.ghosts,
            ring_bytes: self.ring_bytes.into(),
            seed_from_proc: self.seed_from_proc,
            record_to: self.record_to,
        })
    }
}
