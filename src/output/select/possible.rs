//! Filters that no event can pass. They are mistakes, and an output without a line would look like a quiet host.
//!
//! What is decided here is sure; not every such filter is found.

use super::filter::{Condition, Conditions, Pattern, Test};
use crate::config::{ALL_SIGNALS, Config, Failed};
use crate::error::UsageError;
use crate::output::format::document::Value;
use crate::output::keys::{EVENTS, Key, Range, ValueKind};
use crate::output::redact::REDACTED;

/// The least and the greatest that a number can be, and what is said about it.
fn range(path: &str, row: &Key) -> Option<(f64, f64, &'static str)> {
    let range = match row.kind {
        ValueKind::Number(_) if path == "trigger.pid" => Range::PID_OR_IDLE,
        ValueKind::Number(range) => range,
        ValueKind::SignalNumber | ValueKind::SignalName => Range::INT,
        ValueKind::Decimal => Range::NATURAL,
        _ => return None,
    };
    Some((f64::from(range.least), range.greatest.map_or(f64::INFINITY, f64::from), range.meaning))
}

/// The fewest bytes that a text can have which this matches. A byte that is not UTF-8 is compared as U+FFFD.
fn fewest_bytes(glob: &str) -> usize {
    let bytes = |letter| match letter {
        '*' => 0,
        '?' | '\u{fffd}' => 1,
        letter => letter.len_utf8(),
    };
    glob.chars().map(bytes).sum()
}

/// The first so many bytes, or a few less: whole characters.
fn first_bytes(text: &str, most: usize) -> &str {
    let end = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|&end| end <= most);
    text.get(..end.last().unwrap_or(0)).unwrap_or(text)
}

/// A value that this key never has, and what it may have.
pub(super) fn check(key: &str, row: &Key, test: &Test) -> Result<(), (String, String)> {
    match test {
        Test::AnyOf(patterns) => patterns.iter().try_for_each(|pattern| match pattern {
            Pattern::Number(number) => {
                let wrong = |allowed: &str| Err((number.to_string(), allowed.to_owned()));
                match range(key, row) {
                    Some((least, most, allowed)) if *number < least || *number > most => wrong(allowed),
                    Some(_) if row.kind != ValueKind::Decimal && number.fract() != 0.0 => {
                        wrong("give a whole number")
                    }
                    _ => Ok(()),
                }
            }
            // what is taken out is longer than what was there
            Pattern::Glob(glob) if glob.text().contains(REDACTED) => Ok(()),
            Pattern::Glob(glob) => match row.most_bytes {
                Some(most) if fewest_bytes(glob.text()) > most => {
                    let shorter = if glob.is_literal() {
                        format!("give no more of it ({key}={})", first_bytes(glob.text(), most))
                    } else {
                        "give a shorter pattern".to_owned()
                    };
                    let why = format!("the kernel keeps the first {most} bytes of a name: {shorter}");
                    Err((glob.text().to_owned(), why))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }),
        Test::Above(than, _) | Test::Below(than, _) => {
            let Some((least, most, allowed)) = range(key, row) else { return Ok(()) };
            let (from, to) = bounds([test]);
            if from > most || to < least {
                return Err((than.to_string(), format!("{allowed}, so nothing passes")));
            }
            Ok(())
        }
    }
}

/// The least and the greatest number that all of these bounds let through.
fn bounds<'a>(tests: impl IntoIterator<Item = &'a Test>) -> (f64, f64) {
    tests.into_iter().fold((f64::NEG_INFINITY, f64::INFINITY), |(first, last), test| match test {
        Test::Above(than, true) => (first.max(*than), last),
        Test::Above(than, false) => (first.max(than + step(*than)), last),
        Test::Below(than, true) => (first, last.min(*than)),
        Test::Below(than, false) => (first, last.min(than - step(*than))),
        Test::AnyOf(_) => (first, last),
    })
}

/// Less than two numbers of the output differ by.
fn step(number: f64) -> f64 {
    f64::EPSILON * number.abs().max(1.0)
}

fn number(number: i64) -> Value {
    u64::try_from(number).map_or(Value::Integer(number), Value::Number)
}

/// Everything that a key can be if this holds; None where that cannot be listed. The inner None is a key that is not there.
fn candidates(condition: &Condition) -> Option<Vec<Option<Value>>> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    match (condition.row().kind, condition.test()) {
        (ValueKind::Word(words), _) => Some(words.iter().map(|word| text(word)).collect()),
        (ValueKind::Flag, _) => Some(vec![Some(Value::Flag(true)), Some(Value::Flag(false)), None]),
        (ValueKind::Text(_) | ValueKind::Base64 | ValueKind::Number(_), Test::AnyOf(patterns)) => patterns
            .iter()
            .map(|pattern| match pattern {
                Pattern::Number(wanted) if *wanted < 0.0 => Some(Some(Value::Integer(*wanted as i64))),
                Pattern::Number(wanted) => Some(Some(Value::Number(*wanted as u64))),
                Pattern::Glob(glob) if glob.is_literal() => Some(text(glob.text())),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

impl Conditions {
    /// Can any event pass?
    ///
    /// # Errors
    /// If it is certain that none can: says which filters exclude each other, and what to do.
    pub fn check(&self, config: &Config) -> Result<(), UsageError> {
        self.check_events(config)?;
        self.check_signals(config)?;
        self.check_pids()?;
        for (place, condition) in self.wanted.iter().enumerate() {
            let is_new = !self.wanted[..place].iter().any(|earlier| earlier.key() == condition.key());
            if is_new && !is_of_signal(condition) && !self.is_satisfiable(condition.key()) {
                return Err(self.nothing_passes(|other| other.key() == condition.key(), &[]));
            }
        }
        Ok(())
    }

    /// May this value be one of a key, by all conditions on it?
    fn admits(&self, key: &str, value: Option<&Value>) -> bool {
        let of_key = |condition: &&Condition| condition.key() == key;
        self.wanted.iter().filter(of_key).all(|condition| condition.test().holds(value))
            && !self.unwanted.iter().filter(of_key).any(|condition| condition.test().holds(value))
    }

    /// Is there a value that all conditions on this key admit, as far as can be said?
    fn is_satisfiable(&self, key: &str) -> bool {
        let wanted = || self.wanted.iter().filter(|condition| condition.key() == key);
        if let Some(candidates) = wanted().find_map(candidates) {
            return candidates.iter().any(|candidate| self.admits(key, candidate.as_ref()));
        }
        let (first, last) = bounds(wanted().map(Condition::test));
        match wanted().next().map(|condition| condition.row().kind) {
            Some(ValueKind::Number(_)) => first.ceil() <= last.floor(),
            Some(ValueKind::Decimal) => first <= last,
            _ => true,
        }
    }

    fn check_events(&self, config: &Config) -> Result<(), UsageError> {
        let is_seen = |event: &str| match event {
            "attempt" => config.wants_attempts(),
            "request" => !config.requests.is_empty(),
            "signal" => config.failed != Failed::Only,
            _ => true,
        };
        let is_wanted = |event: &&&str| self.admits("event", Some(&Value::Text((**event).to_owned())));
        if EVENTS.iter().filter(|event| is_seen(event)).find(is_wanted).is_some() {
            let of_attempts = self.wanted.iter().find(|condition| condition.key() == "pidArgument");
            return match of_attempts.filter(|_| !config.wants_attempts()) {
                Some(condition) => Err(UsageError::NeedsAttempts(format!("--where {condition}"))),
                None => Ok(()),
            };
        }
        let of_event = |condition: &Condition| condition.key() == "event";
        match self.wanted.iter().find(|condition| of_event(condition)) {
            Some(condition) if is_wanted(&&"attempt") => {
                Err(UsageError::NeedsAttempts(format!("--where {condition}")))
            }
            Some(condition) if is_wanted(&&"request") => {
                Err(UsageError::NeedsRequests(format!("--where {condition}")))
            }
            _ => Err(self.nothing_passes(of_event, &[("--failed=only", config.failed == Failed::Only)])),
        }
    }

    fn check_signals(&self, config: &Config) -> Result<(), UsageError> {
        let Some(first) = self.wanted.iter().find(|condition| is_of_signal(condition)) else {
            return Ok(());
        };
        let named = self.wanted.iter().filter(|condition| is_of_signal(condition));
        let named = named.flat_map(|condition| match condition.test() {
            Test::AnyOf(patterns) => patterns.as_slice(),
            _ => &[],
        });
        // a call that fails may have given any number
        let others = named.filter_map(|pattern| match pattern {
            Pattern::Number(number) => Some(*number as i64),
            _ => None,
        });
        let mut numbers: Vec<i64> = (0..=65).chain([-1]).chain(others).collect();
        numbers.retain(|&number| {
            let name = u8::try_from(number)
                .ok()
                .and_then(crate::event::signal::Signal::new)
                .map_or_else(|| number.to_string(), |signal| signal.name().into_owned());
            let value = self::number(number);
            self.admits("signal", Some(&value)) && self.admits("signalName", Some(&Value::Text(name)))
        });
        let is_seen = |number: &i64| match number {
            1..=64 => config.shown_signals & (1 << (number - 1)) != 0,
            0 => config.wants_attempts(),
            _ => config.failed != Failed::No,
        };
        if numbers.iter().any(is_seen) {
            return Ok(());
        }
        if numbers.iter().any(|number| !(1..=64).contains(number)) {
            return Err(UsageError::NeedsAttempts(format!("--where {first}")));
        }
        let has_sets = config.shown_signals != ALL_SIGNALS;
        let is_included = has_sets && config.included_signals != 0;
        Err(self.nothing_passes(
            is_of_signal,
            &[
                ("--include-signals", is_included),
                (
                    "--exclude-signals",
                    has_sets && (!is_included || config.included_signals != config.shown_signals),
                ),
            ],
        ))
    }

    /// `--pid` asks for either side; a name may be that of any pid.
    fn check_pids(&self) -> Result<(), UsageError> {
        const SIDES: [&str; 2] = ["source.pid", "target.pid"];
        let is_asked = |key: &str| self.wanted.iter().any(|condition| condition.key() == key);
        let may_be = |pid: &u32| {
            let value = Value::Number(u64::from(*pid));
            SIDES.into_iter().any(|side| !is_asked(side) || self.admits(side, Some(&value)))
        };
        if !self.names.is_empty() || self.pids.is_empty() || self.pids.iter().any(may_be) {
            return Ok(());
        }
        Err(self.nothing_passes(|condition| SIDES.contains(&condition.key()), &[("--pid", true)]))
    }

    fn nothing_passes(&self, is_of: impl Fn(&Condition) -> bool, flags: &[(&str, bool)]) -> UsageError {
        let mut filters: Vec<String> = Vec::new();
        for (flag, conditions) in [("--where", &self.wanted), ("--not", &self.unwanted)] {
            filters.extend(
                conditions.iter().filter(|it| is_of(it)).map(|condition| format!("{flag} {condition}")),
            );
        }
        filters.extend(flags.iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| (*flag).to_owned()));
        UsageError::NothingPasses(filters.join(", "))
    }
}

fn is_of_signal(condition: &Condition) -> bool {
    matches!(condition.key(), "signal" | "signalName")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(wanted: &[&str], unwanted: &[&str], config: &Config) -> Result<(), UsageError> {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Conditions { wanted: parse(wanted), unwanted: parse(unwanted), ..Conditions::default() }.check(config)
    }

    #[test]
    fn a_value_that_no_key_can_have_says_what_it_can_be() {
        for (condition, words) in [
            ("target.comm=systemd-journald", &["15 bytes", "target.comm=systemd-journal)"][..]),
            ("source.parent.comm=java,systemd-journald", &["'systemd-journald'", "15 bytes"]),
            ("source.comm=very-long-name-??*", &["15 bytes", "shorter pattern"]),
            ("target.comm=éééééééé", &["target.comm=ééééééé)"]),
            ("target.pid=0", &["'0'", "1 to 4194303"]),
            ("target.pid=4194304", &["'4194304'", "1 to 4194303"]),
            ("target.pid=1.5", &["whole number"]),
            ("source.tid<1", &["1 to 4194303", "nothing passes"]),
            ("target.parent.pid>4194303", &["1 to 4194303", "nothing passes"]),
            ("target.user.id=-1", &["4294967295"]),
            ("target.loginUser.id=4294967296", &["4294967295"]),
            ("exitCode=256", &["0 to 255"]),
            ("oom.usageBytes<0", &["never negative"]),
            ("signal=3000000000", &["32 bits"]),
        ] {
            let message = condition.parse::<Condition>().unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{condition}: no '{word}' in {message}");
            }
        }
        for condition in [
            "target.comm=systemd-journal",
            "target.comm=ééééééé\u{fffd}",
            "target.comm=[redacted][redacted]",
            "target.env.comm=much longer than any name",
            "trigger.pid=0",
            "target.pid=4194303",
            "target.pid>=4194303",
            "source.pid<=1",
            "pidArgument=-1",
            "sigval.int=-7",
            "signal=0",
            "oom.usageBytes<=0",
            "oom.limitBytes=18446744073709551615",
            "previous.secondsAgo<0.5",
        ] {
            let parsed = condition.parse::<Condition>();
            assert!(parsed.is_ok(), "{condition}: {parsed:?}");
        }
    }

    #[test]
    fn filters_that_exclude_each_other_are_named() {
        let usual = Config::default();
        let only = Config { failed: Failed::Only, ..Config::default() };
        let term = Config { shown_signals: 1 << 14, included_signals: 1 << 14, ..Config::default() };
        let not_kill = Config { shown_signals: ALL_SIGNALS & !(1 << 8), ..Config::default() };
        for (wanted, unwanted, config, words) in [
            (&["signal=KILL", "signal=TERM"][..], &[][..], &usual, &["signal=KILL", "signal=TERM"][..]),
            (&["signal=KILL", "signalName=SIGT*"], &[], &usual, &["signal=KILL", "signalName=SIGT*"]),
            (&["signal=KILL"], &["signalName=KILL"], &usual, &["--not signalName=KILL"]),
            (&["signal=KILL"], &[], &term, &["signal=KILL", "--include-signals"]),
            (&["signal=9"], &[], &not_kill, &["signal=9", "--exclude-signals"]),
            (&["signal=99"], &[], &usual, &["signal=99", "--failed"]),
            (&["signal>64"], &[], &usual, &["signal>64", "--failed"]),
            (&["signal=0"], &[], &usual, &["signal=0", "--probes"]),
            (&["event=attempt"], &[], &usual, &["event=attempt", "--failed"]),
            (&["pidArgument=-1"], &[], &usual, &["pidArgument=-1", "--failed"]),
            (&["event=signal"], &[], &only, &["event=signal", "--failed=only"]),
            (&["event=signal"], &["event=s*"], &usual, &["--not event=s*"]),
            (&["target.pid>10", "target.pid<5"], &[], &usual, &["target.pid>10", "target.pid<5"]),
            (&["target.pid>10", "target.pid<11"], &[], &usual, &["target.pid<11"]),
            (&["target.pid=10", "target.pid>10"], &[], &usual, &["target.pid=10"]),
            (&["source.comm=a,b", "source.comm=c*"], &[], &usual, &["source.comm=a,b", "source.comm=c*"]),
            (&["source.comm=a"], &["source.comm=?"], &usual, &["--where source.comm=a, --not source.comm=?"]),
            (&["fatal=true", "fatal=false"], &[], &usual, &["fatal=true"]),
            (&["origin=p*"], &["origin=process,parent-death,pidns,ptrace,perf"], &usual, &["origin=p*"]),
            (&["previous.secondsAgo>2", "previous.secondsAgo<2"], &[], &usual, &["secondsAgo"]),
        ] {
            let message = checked(wanted, unwanted, config).unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{wanted:?} {unwanted:?}: no '{word}' in {message}");
            }
        }
    }

    #[test]
    fn what_may_pass_is_let_be() {
        let usual = Config::default();
        let failed = Config { failed: Failed::Too, ..Config::default() };
        let probes = Config { probes: true, ..Config::default() };
        let only = Config { failed: Failed::Only, ..Config::default() };
        for (wanted, unwanted, config) in [
            (&["signal=KILL,TERM", "signal=TERM"][..], &[][..], &usual),
            (&["signal=KILL"], &["signal=TERM"], &usual),
            (&["signal>=64"], &[], &usual),
            (&["signal=99"], &[], &failed),
            (&["signal>64"], &[], &failed),
            (&["signal<1"], &[], &failed),
            (&["signal=0", "event=attempt"], &[], &probes),
            (&["event=lost"], &[], &only),
            (&["oom.limitBytes=18446744073709551615"], &[], &only),
            (&["event=ended"], &[], &only),
            (&["event=attempt,signal"], &[], &usual),
            (&["missing=a", "missing=b"], &[], &usual),
            (&["target.cmdline=a", "target.cmdline=b*"], &[], &usual),
            (&["target.pid>10", "target.pid<12"], &[], &usual),
            (&["target.pid>=10", "target.pid<=10"], &["target.pid=11"], &usual),
            (&["fatal=false"], &["fatal=true"], &usual),
            (&["source.comm=a*", "source.comm=b*"], &[], &usual),
            (&["source.pid=7", "target.pid=9"], &[], &usual),
        ] {
            assert_eq!(checked(wanted, unwanted, config), Ok(()), "{wanted:?} {unwanted:?}");
        }
    }

    #[test]
    fn a_pid_is_one_of_both_sides() {
        let of = |pids: &[u32], wanted: &[&str]| {
            let wanted = wanted.iter().map(|text| text.parse().unwrap()).collect();
            Conditions { wanted, pids: pids.to_vec(), ..Conditions::default() }.check(&Config::default())
        };
        assert!(of(&[7], &["source.pid=7"]).is_ok() && of(&[7], &["source.pid=9"]).is_ok());
        assert!(of(&[7, 9], &["source.pid=8", "target.pid=9"]).is_ok());
        let message = of(&[7], &["source.pid=8", "target.pid>8"]).unwrap_err().to_string();
        assert!(message.contains("--pid") && message.contains("target.pid>8"), "{message}");
    }
}
