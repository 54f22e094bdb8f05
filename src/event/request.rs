//! A command that asks a service manager or a container runtime for something, judged.

use crate::base::clock::Clock;
use crate::enrich::surroundings::Surroundings;
use crate::record::{ProcessFacts, RequestFacts};

/// Such a command was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEvent<'a> {
    /// Counter of this run.
    pub id: u64,
    /// To print times with.
    pub clock: Clock,
    /// The facts.
    pub facts: RequestFacts<'a>,
    /// What the host says of the process.
    pub surroundings: Surroundings,
}

impl<'a> RequestEvent<'a> {
    /// Judges one record. None for a record of nobody.
    pub fn new(facts: RequestFacts<'a>, id: u64, clock: Clock, surroundings: Surroundings) -> Option<Self> {
        facts.processes.first()?;
        Some(Self { id, clock, facts, surroundings })
    }

    /// The process that asks.
    pub fn source(&self) -> &ProcessFacts<'a> {
        &self.facts.processes[0]
    }

    /// The name that the command was executed by: what a program of several names goes by (`reboot` is systemctl).
    pub fn argv0(&self) -> Option<String> {
        let first = self.arguments()?.into_iter().next()?;
        Some(String::from_utf8_lossy(first).into_owned())
    }

    /// The unit that its arguments name, where they name one and no other.
    pub fn unit(&self) -> Option<String> {
        let arguments = self.arguments()?;
        let words: Vec<&str> =
            arguments.iter().map(|word| std::str::from_utf8(word).ok()).collect::<Option<_>>()?;
        let (program, rest) = words.split_first()?;
        match program.rsplit('/').next()? {
            "systemctl" => unit_of_systemctl(rest),
            "service" => match rest {
                [name, _, ..] if is_name(name) => Some(unit_name(name)),
                _ => None,
            },
            _ => None,
        }
    }

    /// None where they are not known to the last one.
    fn arguments(&self) -> Option<Vec<&[u8]>> {
        self.source().argv.whole()
    }
}

/// Verbs of systemctl that act on the processes of the units behind them.
const VERBS: &[&str] = &[
    "start",
    "stop",
    "restart",
    "reload",
    "try-restart",
    "reload-or-restart",
    "try-reload-or-restart",
    "force-reload",
    "condrestart",
    "isolate",
    "kill",
    "freeze",
    "thaw",
    "disable",
    "reset-failed",
];

/// Options of systemctl with a value of their own behind them.
const WITH_VALUE: &[&str] = &[
    "-t",
    "--type",
    "--state",
    "-p",
    "--property",
    "-P",
    "-s",
    "--signal",
    "--kill-whom",
    "--kill-who",
    "--kill-value",
    "--job-mode",
    "-n",
    "--lines",
    "-o",
    "--output",
    "-H",
    "--host",
    "-M",
    "--machine",
    "--root",
    "--image",
    "--what",
    "--message",
    "--when",
    "--check-inhibitors",
    "-C",
    "--capsule",
];

/// `systemctl [OPTION…] VERB UNIT`.
fn unit_of_systemctl(words: &[&str]) -> Option<String> {
    let mut names = Vec::new();
    let mut words = words.iter();
    let mut has_options = true;
    while let Some(&word) = words.next() {
        match word {
            "--" if has_options => has_options = false,
            _ if has_options && WITH_VALUE.contains(&word) => {
                words.next();
            }
            _ if has_options && word.starts_with('-') => {}
            _ => names.push(word),
        }
    }
    match names[..] {
        [verb, unit] if VERBS.contains(&verb) && is_name(unit) => Some(unit_name(unit)),
        _ => None,
    }
}

/// No pattern, and no path.
fn is_name(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('-') && !word.contains(['*', '?', '[', '/'])
}

/// What systemd completes: a name without a suffix is a service.
fn unit_name(word: &str) -> String {
    const SUFFIXES: &[&str] = &[
        ".service",
        ".socket",
        ".device",
        ".mount",
        ".automount",
        ".swap",
        ".target",
        ".path",
        ".timer",
        ".slice",
        ".scope",
    ];
    if SUFFIXES.iter().any(|suffix| word.ends_with(suffix)) {
        word.to_owned()
    } else {
        format!("{word}.service")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Argv, ArgvFrom, Task};

    fn request(words: &[&str]) -> RequestEvent<'static> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
        let mut process = ProcessFacts::named(9, b"systemctl");
        let total = bytes.len() as u32;
        process.argv = Argv::Known { bytes: bytes.into(), total, from: ArgvFrom::Exec };
        let facts = RequestFacts {
            time: 0,
            task: Task::default(),
            processes: vec![process],
            chain: vec![0],
            truncated: false,
        };
        RequestEvent::new(facts, 1, Clock::fixed(0), Surroundings::default()).unwrap()
    }

    #[test]
    fn a_unit_is_named_where_the_arguments_name_one_and_no_other() {
        for (line, unit) in [
            ("systemctl restart nginx", Some("nginx.service")),
            ("/usr/bin/systemctl --no-block -q stop nginx.socket", Some("nginx.socket")),
            ("systemctl kill -s KILL nginx", Some("nginx.service")),
            ("systemctl kill --signal=KILL -- nginx", Some("nginx.service")),
            ("service nginx restart", Some("nginx.service")),
            ("systemctl stop nginx redis", None),
            ("systemctl stop nginx*", None),
            ("systemctl stop", None),
            ("systemctl daemon-reload", None),
            ("systemctl status nginx", None),
            ("service --status-all", None),
            ("docker stop web", None),
            ("reboot", None),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let event = request(&words);
            assert_eq!(event.unit().as_deref(), unit, "{line}");
            assert_eq!(event.argv0().as_deref(), words.first().copied());
        }
    }
}
