//! The keys of the output contract as a table: what `--where`, `--not` and `--fields` may name, and what the JSON
//! Schema says of each. The tests hold it against every event of `tests/data`.

use std::fmt::Write;

use Kind::{
    Decimal, Flag, List, Names, Number, Object, Process, ShortProcess, SignalName, SignalNumber, Text, Word,
};

use crate::error::UsageError;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The number of a signal, which may be named.
    SignalNumber,
    /// The name of a signal, which may be given as a number.
    SignalName,
    /// A whole number.
    Number,
    /// A number with a fraction.
    Decimal,
    /// true or false.
    Flag,
    /// A list of texts.
    List,
    /// Names and values of other processes: any further word is a key.
    Names,
    /// More keys.
    Object(&'static [Key]),
    /// A process, and its parents below it.
    Process,
    /// A process that is not source or target: told in short.
    ShortProcess,
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name: one word of a path.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What that means.
    pub meaning: &'static str,
    /// Its text is of this program or the kernel. All other text may hold what another process wrote, so that secrets
    /// are looked for in it.
    pub is_own: bool,
}

const fn key(name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { name, kind, meaning, is_own: false }
}

/// A key whose text no other process chooses: `--redact` leaves it alone.
const fn own(name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key { name, kind, meaning, is_own: true }
}

/// What the key of a text ends with that holds the same bytes in base64, where they are not UTF-8.
pub const RAW: &str = "Raw";

/// Kinds of event.
pub const EVENTS: &[&str] = &["signal", "attempt", "ended", "lost"];

const ORIGINS: &[&str] = &[
    "process",
    "fault",
    "tty",
    "timer",
    "oom",
    "parent-death",
    "cgroup",
    "pidns",
    "child",
    "io",
    "rlimit",
    "seccomp",
    "ptrace",
    "bpf",
    "perf",
    "kernel",
];

const REASONS: &[&str] = &[
    "orphaned-pgrp",
    "reboot",
    "sysrq",
    "ctrl-alt-del",
    "console-switch",
    "memory-failure",
    "handler-failed",
    "exec-failed",
    "user-dispatch",
    "attach",
    "ptrace-kill",
    "tracer-ended",
    "message-queue",
];

const RELATIONS: &[&str] = &[
    "self",
    "parent",
    "ancestor",
    "child",
    "descendant",
    "sibling",
    "same-session",
    "same-container",
    "host",
    "other-container",
    "other",
];

const NAME: &[Key] = &[own("name", Text, "The name")];
const ID_AND_NAME: &[Key] =
    &[key("id", Number, "The number"), key("name", Text, "The name, where there is one")];

/// Keys of an event.
pub const EVENT: &[Key] = &[
    own("time", Text, "When, as the kernel saw it: RFC 3339, UTC, nanoseconds"),
    key("level", Word(&["INFO", "WARN"]), "Of the log line"),
    own("msg", Text, "The kind of event, in words"),
    key("event", Word(EVENTS), "The kind of event"),
    key("id", Number, "Counter of this run"),
    key("signal", SignalNumber, "The signal's number"),
    own("signalString", Text, "What Go prints for the signal"),
    key("signalName", SignalName, "The signal's name"),
    key("summary", Text, "The answer in one sentence"),
    key("origin", Word(ORIGINS), "Where the signal came from"),
    key("reason", Word(REASONS), "More about the origin, where the kernel's own stack says it"),
    key("relation", Word(RELATIONS), "What the source is to the target"),
    own("via", Text, "The system call"),
    key("scope", Word(&["thread", "process", "process-group", "all", "cgroup"]), "Whom the call addressed"),
    own("code", Text, "The kernel's name of si_code"),
    key("codeForged", Flag, "The code is a sender's own claim"),
    key(
        "sigval",
        Object(&[key("int", Number, "As an int"), own("ptr", Text, "As a pointer, in hex")]),
        "The value that sigqueue() sent along",
    ),
    key("pidArgument", Number, "Of an attempt: the pid that the caller wrote"),
    own("result", Text, "What became of it at its target, or the errno of an attempt"),
    key("fatal", Flag, "This signal ends the target"),
    key("repeated", Number, "So many like this one since the line before it; this is the latest"),
    key("exitCode", Number, "Of an end: what the process returned"),
    key("coreDumped", Flag, "Of an end: it left a core"),
    key("after", Object(EARLIER), "Of an end: the signal before it"),
    key("previous", Object(EARLIER), "The signal before this one that could have ended the target"),
    key("trigger", ShortProcess, "Who was on the CPU, where that tells something"),
    key("tty", Object(NAME), "The terminal that sent it"),
    key(
        "oom",
        Object(&[
            key("scope", Word(&["cgroup", "cpuset", "memory-policy", "global"]), "Whose memory ran out"),
            key("cgroup", Text, "The cgroup at its limit"),
            key("cgroupRaw", Text, "The same in base64, where it is not UTF-8"),
            key("limitBytes", Number, "The limit"),
            key("usageBytes", Number, "What was used"),
            key("rssBytes", Number, "What the victim held"),
        ]),
        "Out of memory",
    ),
    key(
        "rlimit",
        Object(&[
            key("name", Word(&["RLIMIT_CPU", "RLIMIT_RTTIME", "RLIMIT_FSIZE"]), "Which limit"),
            key("valueSeconds", Decimal, "How much time it allows"),
            key("valueBytes", Number, "How many bytes it allows"),
            key("kind", Word(&["soft", "hard"]), "Whether it is the soft or the hard limit"),
        ]),
        "The resource limit that was exceeded",
    ),
    key(
        "seccomp",
        Object(&[
            key("syscall", Number, "Its number in the table of arch"),
            own("syscallName", Text, "Its name"),
            own("arch", Text, "The architecture of the call"),
            own("address", Text, "The instruction behind the call, in hex"),
        ]),
        "The system call that seccomp refused",
    ),
    key(
        "reboot",
        Object(&[
            key("command", Word(&["restart", "halt"]), "What reboot(2) was asked for"),
            key("parentReads", SignalName, "The signal in the wait status that the parent of the init reads"),
        ]),
        "A reboot of a pid namespace",
    ),
    own("kernelStack", List, "The kernel functions that sent it, where they mean nothing more"),
    key(
        "fault",
        Object(&[own("address", Text, "The address, in hex"), own("ip", Text, "The instruction, in hex")]),
        "A fault",
    ),
    own("missing", List, "What should be there and is not, with the reason"),
    key("source", Process, "Who sent it"),
    key("target", Process, "Who received it"),
    key("commonAncestor", Object(&[key("pid", Number, "Its pid")]), "The nearest process above both"),
    key("lost", Number, "Events lost since the last such line"),
    key(
        "cause",
        Object(&[
            key("ringFull", Number, "The ring had no room"),
            key("recursion", Number, "The kernel skipped the hook"),
            key("undecodable", Number, "A record could not be read"),
            key("attempts", Number, "Attempts for which there was no room"),
            key("ends", Number, "Ends for which there was no room"),
            key("ooms", Number, "OOM kills of which the record found no room, or its hook was skipped"),
            key(
                "cgroups",
                Number,
                "Paths of new cgroups for which there was no room, or the hook was skipped",
            ),
            key("lines", Number, "Lines for which an output had no room"),
        ]),
        "Why they were lost",
    ),
];

/// A signal that another event refers to.
const EARLIER: &[Key] = &[
    key("id", Number, "Its event"),
    key("signalName", SignalName, "Its name"),
    key("origin", Word(ORIGINS), "Where it came from"),
    key("hidden", Flag, "It was hidden by default, or by a filter"),
    own("result", Text, "What became of it"),
    key("source", Object(SENDER), "Who sent it"),
    key("secondsAgo", Decimal, "How long before"),
];

/// The end of a child.
const CHILD_DEATH: &[Key] = &[
    key("pid", Number, "The child"),
    key("signalName", SignalName, "What it died of"),
    key("secondsAgo", Decimal, "How long before"),
    key("id", Number, "The event that told of it"),
];

/// A signal that the source itself got.
const LAST_SIGNAL: &[Key] = &[
    key("id", Number, "Its event"),
    key("signalName", SignalName, "Its name"),
    key("source", Object(SENDER), "Who sent it"),
    key("secondsAgo", Decimal, "How long before"),
];

const SENDER: &[Key] = &[
    key("pid", Number, "Its pid"),
    key("comm", Text, "Its name"),
    key("commRaw", Text, "The same in base64, where it is not UTF-8"),
    own("key", Text, "Its key"),
];

/// Keys that every process has, parents and triggers included.
pub const PROCESS: &[Key] = &[
    key("pid", Number, "Thread group id in the initial pid namespace"),
    key("cmdline", List, "The arguments as they were exec'd"),
    key("cmdlineRaw", Text, "The same in base64, where they are not UTF-8"),
    key("cmdlineTruncated", Flag, "The arguments go on"),
    key(
        "cmdlineFrom",
        Word(&["memory", "proc"]),
        "Where the arguments were read, if not at exec: in the memory of a process older than the tracer, or in /proc. Either may be what the process wrote there",
    ),
    key("cmdlineRedacted", Flag, "A secret was taken out of the arguments"),
    key("cmdlineOmitted", Flag, "Left out to keep the line short (--max-line)"),
    key("comm", Text, "The name"),
    key("commRaw", Text, "The same in base64, where it is not UTF-8"),
    own("key", Text, "pid@start: names one process for ever"),
    key("user", Object(ID_AND_NAME), "Effective user"),
    key("exited", Flag, "It is gone"),
    key("execedSince", Flag, "It has become another program since"),
];

/// Further keys of a trigger.
const TRIGGER: &[Key] =
    &[key("tid", Number, "The thread"), key("processAlive", Flag, "Its process lives on")];

/// Further keys of source and target.
const IDENTITY: &[Key] = &[
    key("tid", Number, "The thread, if it is not the first"),
    key("title", Text, "The live text of the arguments, where the process changed it"),
    key("titleRaw", Text, "The same in base64, where it is not UTF-8"),
    key("titleTruncated", Flag, "The title goes on"),
    key("titleAgeSeconds", Decimal, "How long ago the title was read"),
    key("exe", Text, "The program's path, as the process itself sees it"),
    key("exeRaw", Text, "The same in base64, where it is not UTF-8"),
    key(
        "exeUnreachable",
        Flag,
        "The program is not below the root directory of the process: a file of another mount namespace, or of no directory",
    ),
    own("startTime", Text, "When it started: RFC 3339, UTC"),
    key("group", Object(ID_AND_NAME), "Effective group"),
    key("loginUser", Object(ID_AND_NAME), "Who logged in"),
    key("session", Number, "Session id"),
    key("tty", Object(NAME), "Its terminal"),
    key("nspid", Number, "Its pid in its own pid namespace"),
    key("pidns", Number, "The inode of that namespace"),
    key("mntns", Number, "The inode of its mount namespace, if it is not the host's"),
    key("netns", Number, "The inode of its network namespace, if it is not the host's"),
    key("userns", Number, "The inode of its user namespace, if it is not the host's"),
    key(
        "uts",
        Object(&[
            key("nodename", Text, "Host name, in a pod the pod's"),
            key("nodenameRaw", Text, "The same in base64, where it is not UTF-8"),
        ]),
        "Its UTS namespace",
    ),
    key("cgroup", Text, "Its cgroup"),
    key("cgroupRaw", Text, "The same in base64, where it is not UTF-8"),
    key(
        "systemd",
        Object(&[
            key("unit", Text, "Its unit"),
            key("userUnit", Text, "Its unit of the user's manager, which is the unit: named by the user"),
        ]),
        "systemd",
    ),
    key(
        "container",
        Object(&[
            key("id", Text, "Its id"),
            own("runtime", Text, "Who made it"),
            key("name", Text, "Of a Nomad allocation, the task"),
            key("ofUser", Number, "The uid of the user who named it: no runtime of the host vouches for it"),
        ]),
        "Its container",
    ),
    key("k8s", Object(&[key("pod", Object(&[key("uid", Text, "Its uid")]), "Its pod")]), "Kubernetes"),
    key("env", Names, "Variables of --env, as they were at exec"),
    key("envRaw", Names, "Those in base64 whose values are not UTF-8"),
    key("lastChildDeath", Object(CHILD_DEATH), "Which child of it died last of a signal"),
    key(
        "lastSignal",
        Object(LAST_SIGNAL),
        "What it got itself from another process less than a second before",
    ),
    key("tracer", ShortProcess, "The process that traces it (ptrace)"),
    key("pgid", Number, "Process group"),
    key("disposition", Word(&["default", "ignored", "handled"]), "What the signal met"),
    key("blocked", Flag, "The signal is blocked"),
    key("waiting", Flag, "A thread waits for the signal (sigwait)"),
    key("signalfd", Flag, "The signal is blocked, and somebody waits at a signalfd of the process"),
    key(
        "state",
        Word(&["running", "sleeping", "disk-sleep", "stopped", "traced", "frozen", "exiting", "zombie"]),
        "What the target was doing",
    ),
    key("tree", Text, "From PID 1 down to the process"),
    key("treeTruncated", Flag, "The tree goes on above"),
    key("parent", Process, "The process above, as it is nested"),
    key("spawnedBy", Process, "Who started it, through parents that are gone"),
];

fn children(kind: Kind) -> Vec<&'static Key> {
    tables(kind).iter().copied().flatten().collect()
}

/// The keys below a key of this kind, in as many tables.
pub(super) fn tables(kind: Kind) -> [&'static [Key]; 2] {
    match kind {
        Object(keys) => [keys, &[]],
        Process => [PROCESS, IDENTITY],
        ShortProcess => [PROCESS, TRIGGER],
        _ => [&[], &[]],
    }
}

/// What the key at this path holds.
///
/// # Errors
/// If the contract has no such key: names the nearest. If it is an object: names its keys.
pub fn look_up(path: &str) -> Result<Kind, UsageError> {
    let mut keys: Vec<&Key> = EVENT.iter().collect();
    let mut kind = None;
    for word in path.split('.') {
        if kind == Some(Kind::Names) {
            // whatever is left is the name
            return Ok(Text);
        }
        let Some(found) = keys.iter().find(|key| key.name == word) else {
            return Err(UsageError::Key { key: path.to_owned(), nearest: nearest(path) });
        };
        kind = Some(found.kind);
        keys = children(found.kind);
    }
    match kind {
        Some(Names) => Err(UsageError::KeyIsObject { key: path.to_owned(), keys: format!("{path}.NAME") }),
        Some(Object(_) | Process | ShortProcess) | None => {
            let mut names: Vec<String> = keys.iter().map(|key| format!("{path}.{}", key.name)).collect();
            names.truncate(5);
            Err(UsageError::KeyIsObject { key: path.to_owned(), keys: names.join(", ") })
        }
        Some(kind) => Ok(kind),
    }
}

/// The paths of the contract, parents once.
pub fn paths() -> Vec<String> {
    fn add(path: &str, keys: Vec<&'static Key>, depth: u32, paths: &mut Vec<String>) {
        for key in keys {
            let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            match key.kind {
                Process if depth == 0 => {}
                Process => add(&path, children(key.kind), depth - 1, paths),
                Object(_) | ShortProcess => add(&path, children(key.kind), depth, paths),
                Kind::Names => {}
                _ => paths.push(path),
            }
        }
    }
    let mut paths = Vec::new();
    add("", EVENT.iter().collect(), 2, &mut paths);
    paths
}

/// The key of the contract that is most like this one. What people leave out is the beginning: `pid`, `comm`.
pub fn nearest(wanted: &str) -> String {
    let ends_so = |path: &str| path.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('.'));
    // the shortest of those that end so
    let likeness = |path: &String| {
        if ends_so(path) {
            (true, usize::MAX - path.len(), 0.0)
        } else {
            (false, 0, strsim::jaro_winkler(wanted, path))
        }
    };
    paths()
        .into_iter()
        .map(|path| (likeness(&path), path))
        .max_by(|(one, _), (other, _)| {
            (one.0, one.1).cmp(&(other.0, other.1)).then(one.2.total_cmp(&other.2))
        })
        .map_or_else(String::new, |(_, path)| path)
}

/// JSON Schema (draft 2020-12) of every event.
pub fn schema() -> String {
    let mut text = String::from(
        "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"killsnoop event\",\n  \
         \"description\": \"One line of killsnoop -o json. Generated: killsnoop generate\",\n  \
         \"type\": \"object\",\n  \"required\": [\"time\", \"level\", \"msg\", \"event\"],\n  \
         \"additionalProperties\": false,\n  \"properties\": ",
    );
    push_properties(&mut text, &EVENT.iter().collect::<Vec<_>>(), 1);
    text.push_str(
        ",\n  \"allOf\": [\n    {\n      \"if\": {\"properties\": {\"event\": {\"const\": \"lost\"}}},\n      \
         \"then\": {\"required\": [\"lost\", \"cause\"]},\n      \
         \"else\": {\"required\": [\"id\", \"summary\"]}\n    },\n    \
         {\n      \"if\": {\"properties\": {\"event\": {\"enum\": [\"signal\", \"ended\"]}}},\n      \
         \"then\": {\"required\": [\"target\"]}\n    },\n    \
         {\n      \"if\": {\"properties\": {\"event\": {\"const\": \"attempt\"}}},\n      \
         \"then\": {\"required\": [\"source\", \"result\", \"signal\", \"signalString\", \"signalName\"]}\n    }\n  ],\n  \"$defs\": {\n",
    );
    for (place, (name, kind)) in [("process", Process), ("trigger", ShortProcess)].into_iter().enumerate() {
        let comma = if place == 0 { "" } else { ",\n" };
        let _ = write!(
            text,
            "{comma}    \"{name}\": {{\"type\": \"object\", \"required\": [\"pid\", \"comm\"], \"additionalProperties\": \
             false, \"properties\": "
        );
        push_properties(&mut text, &children(kind), 2);
        text.push('}');
    }
    text.push_str("\n  }\n}\n");
    text
}

fn push_properties(text: &mut String, keys: &[&'static Key], depth: usize) {
    let indent = "  ".repeat(depth + 1);
    text.push('{');
    for (place, key) in keys.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // a table of ours: no quote and no backslash in it
        let _ = write!(text, "{comma}\n{indent}\"{}\": {{\"description\": \"{}\", ", key.name, key.meaning);
        match key.kind {
            Text | SignalName => text.push_str("\"type\": \"string\""),
            Word(words) => {
                let _ = write!(text, "\"enum\": [\"{}\"]", words.join("\", \""));
            }
            SignalNumber | Number => text.push_str("\"type\": \"integer\""),
            Decimal => text.push_str("\"type\": \"number\""),
            Flag => text.push_str("\"type\": \"boolean\""),
            Names => text.push_str("\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}"),
            List => text.push_str("\"type\": \"array\", \"items\": {\"type\": \"string\"}"),
            Process => text.push_str("\"$ref\": \"#/$defs/process\""),
            ShortProcess => text.push_str("\"$ref\": \"#/$defs/trigger\""),
            Object(inner) => {
                text.push_str("\"type\": \"object\", \"additionalProperties\": false, \"properties\": ");
                push_properties(text, &inner.iter().collect::<Vec<_>>(), depth + 1);
            }
        }
        text.push('}');
    }
    let _ = write!(text, "\n{}}}", "  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_contract_is_known_at_any_depth() {
        assert_eq!(look_up("signal").unwrap(), SignalNumber);
        assert_eq!(look_up("source.user.id").unwrap(), Number);
        assert_eq!(look_up("target.parent.parent.parent.cmdline").unwrap(), List);
        assert_eq!(look_up("trigger.processAlive").unwrap(), Flag);
        assert!(paths().iter().all(|path| look_up(path).is_ok()));
    }

    #[test]
    fn an_unknown_key_is_told_the_nearest() {
        for (wrong, right) in [
            ("sorce.comm", "source.comm"),
            ("target.container", "target.container.id"),
            ("comm", "target.comm"),
            ("signalname", "signalName"),
            ("target.user", "target.user.id"),
            ("source.", "source."),
        ] {
            let message = look_up(wrong).unwrap_err().to_string();
            assert!(message.contains(right), "{wrong}: {message}");
            assert!(message.contains(&format!("'{wrong}'")), "{wrong}: {message}");
        }
    }

    #[test]
    fn words_are_those_of_the_types() {
        let reasons: Vec<&str> =
            crate::event::origin::Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(reasons, REASONS);
        let scopes: Vec<&str> = crate::record::OomScope::ALL.iter().map(|scope| scope.name()).collect();
        assert_eq!(look_up("oom.scope").unwrap(), Word(&["cgroup", "cpuset", "memory-policy", "global"]));
        assert_eq!(scopes, ["cgroup", "cpuset", "memory-policy", "global"]);
    }

    /// What is listed here is left alone by `--redact`: no other process may choose a byte of it.
    #[test]
    fn text_that_is_not_searched_for_secrets_is_listed_here() {
        let mut own: Vec<String> = Vec::new();
        for keys in [EVENT, PROCESS, IDENTITY, TRIGGER] {
            add_own("", keys, &mut own);
        }
        own.sort();
        own.dedup();
        let listed = [
            "after.result",
            "after.source.key",
            "code",
            "container.runtime",
            "fault.address",
            "fault.ip",
            "kernelStack",
            "key",
            "lastSignal.source.key",
            "missing",
            "msg",
            "previous.result",
            "previous.source.key",
            "result",
            "seccomp.address",
            "seccomp.arch",
            "seccomp.syscallName",
            "signalString",
            "sigval.ptr",
            "startTime",
            "time",
            "tty.name",
            "via",
        ];
        assert_eq!(own, listed);
    }

    fn add_own(path: &str, keys: &[Key], own: &mut Vec<String>) {
        for key in keys {
            let path = format!("{path}{}", key.name);
            match key.kind {
                Object(inner) => add_own(&format!("{path}."), inner, own),
                _ if key.is_own => own.push(path),
                _ => {}
            }
        }
    }

    #[test]
    fn every_raw_key_is_beside_the_text_whose_bytes_it_has() {
        let all = paths();
        let raw: Vec<&String> = all.iter().filter(|path| path.ends_with(RAW)).collect();
        assert!(raw.len() > 10);
        for path in raw {
            assert!(all.iter().any(|other| *path == format!("{other}{RAW}")), "{path}");
        }
    }

    #[test]
    fn no_key_is_in_the_table_twice() {
        for keys in [children(Process), children(ShortProcess), EVENT.iter().collect()] {
            let mut names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), keys.len());
        }
    }

    #[test]
    fn the_schema_is_json() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
        assert_eq!(schema["properties"]["signal"]["type"], "integer");
    }
}
