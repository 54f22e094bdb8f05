//! The table of keys: everything that an event may have, in the order in which it is written. Each row says what its key
//! holds, what that means and who chooses its text. Rendering, the columns of `--output table`, `--redact`, the line
//! cache, `--where`, the JSON Schema, the man page and `docs/fields.md` all read it; none of them has a list of its own.
//!
//! A new key is a row here and the line of [`render`](super::render) that writes it; a test holds one against the other.

mod key;
mod look_up;
mod reference;
mod schema;

use self::key::{base64, key};
use Author::{Foreign, OfNames, Own};
use ValueKind::{
    Decimal, Flag, List, Names, Number, Object, Objects, Process, ShortProcess, SignalName, SignalNumber,
    Text, Word,
};

pub use self::key::{Author, ColumnWidth, Key, Keys, Range, ValueKind};
pub use self::look_up::{heading, look_up, paths};
pub use self::reference::{manual, overview, reference};
pub use self::schema::schema;
use crate::event::header::{EventKind, Level};
use crate::event::origin::{Origin, Reason, Scope};
use crate::event::relation::Relation;
use crate::output::render::words::{arguments_read, disposition};
use crate::record::{ArgvFrom, COMM_BYTES, Disposition, OomScope};

/// What the name of a raw companion ends with.
pub const RAW: &str = "Raw";

/// The words of an enum, by the function that names them. One that is not listed does not compile.
macro_rules! words {
    ($name:path, $type:ident: $($variant:ident),*) => {{
        const fn _has_no_other(one: $type) {
            match one {
                $($type::$variant)|* => {}
            }
        }
        &[$($name($type::$variant)),*]
    }};
}

/// Kinds of event.
pub const EVENTS: &[&str] = words!(EventKind::name, EventKind: Signal, Attempt, Ended, Request, Lost);

const LEVELS: &[&str] = words!(Level::name, Level: Info, Warn);

const ORIGINS: &[&str] = words!(
    Origin::name, Origin: Process, Fault, Tty, Timer, Oom, ParentDeath, Cgroup, PidNamespace, Child, Io, Rlimit, Seccomp,
    Ptrace, Bpf, Perf, Kernel
);

const REASONS: &[&str] = words!(
    Reason::name, Reason: OrphanedGroup, Reboot, Sysrq, CtrlAltDel, ConsoleSwitch, MemoryFailure, HandlerFailed,
    ExecFailed, UserDispatch, Attach, PtraceKill, TracerEnded, MessageQueue
);

const RELATIONS: &[&str] = words!(
    Relation::name, Relation: Itself, Parent, Ancestor, Child, Descendant, Sibling, SameSession, SameContainer, Host,
    OtherContainer, Other
);

const SCOPES: &[&str] = words!(Scope::name, Scope: Thread, Process, ProcessGroup, All, Cgroup);

const OOM_SCOPES: &[&str] = words!(OomScope::name, OomScope: Cgroup, Cpuset, MemoryPolicy, Global);

const DISPOSITIONS: &[&str] = words!(disposition, Disposition: Default, Ignored, Handled);

/// The first, of a process that was watched at its exec, is not written.
const ARGUMENTS_READ: &[&str] = words!(arguments_read, ArgvFrom: Exec, Memory, Proc).split_at(1).1;

const NATURAL: ValueKind = Number(Range::NATURAL);
const PID: ValueKind = Number(Range::PID);

const NAME: &[Key] = &[key("name", Text(Own), "The name")];
const ID_AND_NAME: &[Key] = &[
    key("id", Number(Range::ID), "The number").wide(7),
    key("name", Text(Foreign), "The name, where there is one"),
];
const COMM_RAW: Key = base64("commRaw");
const CGROUP_RAW: Key = base64("cgroupRaw");

/// Keys of an event.
pub const EVENT: Keys = Keys([EVENT_KEYS, &[]]);

const EVENT_KEYS: &[Key] = &[
    key("time", Text(Own), "When, as the kernel saw it: RFC 3339, UTC, nanoseconds")
        .varies()
        .title("TIME")
        .wide(13),
    key("level", Word(LEVELS), "Of the log line"),
    key("msg", Text(Own), "The kind of event, in words"),
    key("event", Word(EVENTS), "The kind of event"),
    key("id", NATURAL, "Counter of this run").varies().wide(7),
    key("signal", SignalNumber, "The signal's number").wide(7),
    key("signalString", Text(Own), "What Go prints for the signal"),
    key("signalName", SignalName, "The signal's name").title("SIG").wide_or(11, 8),
    key("summary", Text(OfNames), "The answer in one sentence").stretches(),
    key("origin", Word(ORIGINS), "Where the signal came from").wide(12),
    key("reason", Word(REASONS), "More about the origin, where the kernel's own stack says it"),
    key("relation", Word(RELATIONS), "What the source is to the target").wide(12),
    key("via", Text(Own), "The system call").wide(12),
    key("scope", Word(SCOPES), "Whom the call addressed").wide(12),
    key("code", Text(Own), "The kernel's name of si_code"),
    key("codeForged", Flag, "The code is a sender's own claim"),
    key(
        "sigval",
        Object(&[key("int", Number(Range::INT), "As an int"), key("ptr", Text(Own), "As a pointer, in hex")]),
        "The value that sigqueue() sent along",
    ),
    key("pidArgument", Number(Range::INT), "Of an attempt: the pid that the caller wrote"),
    key("result", Text(Own), "What became of it at its target, or the errno of an attempt")
        .title("RESULT")
        .wide_or(15, 8),
    key("fatal", Flag, "This signal ends the target").wide(5),
    key("repeated", NATURAL, "So many like this one since the line before it; this is the latest"),
    key("firstTime", Text(Own), "When the first of these was").varies().wide(13),
    key("exitCode", Number(Range::EXIT_CODE), "Of an end: what the process returned"),
    key("coreDumped", Flag, "Of an end: it left a core"),
    key("after", Object(EARLIER), "Of an end: the signal before it"),
    key("previous", Object(EARLIER), "The signal before this one that could have ended the target"),
    key("trigger", ShortProcess, "The process that was on the CPU, where that says something"),
    key("tty", Object(NAME), "The terminal that sent it"),
    key(
        "oom",
        Object(&[
            key("scope", Word(OOM_SCOPES), "Whose memory ran out").wide(12),
            key("cgroup", Text(Foreign), "The cgroup at its limit").raw(&CGROUP_RAW),
            key("limitBytes", NATURAL, "The limit"),
            key("usageBytes", NATURAL, "What was used"),
            key("rssBytes", NATURAL, "What the victim held"),
        ]),
        "Out of memory",
    ),
    key(
        "rlimit",
        Object(&[
            key("name", Word(&["RLIMIT_CPU", "RLIMIT_RTTIME", "RLIMIT_FSIZE"]), "Which limit"),
            key("valueSeconds", Decimal, "How much time it allows"),
            key("valueBytes", NATURAL, "How many bytes it allows"),
            key("kind", Word(&["soft", "hard"]), "Whether it is the soft or the hard limit"),
        ]),
        "The resource limit that was exceeded",
    ),
    key(
        "seccomp",
        Object(&[
            key("syscall", Number(Range::INT), "Its number in the table of arch"),
            key("syscallName", Text(Own), "Its name"),
            key("arch", Text(Own), "The architecture of the call"),
            key("address", Text(Own), "The instruction behind the call, in hex"),
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
    key(
        "request",
        Object(&[
            key("argv0", Text(Foreign), "The name that the command was executed by"),
            key("unit", Text(Foreign), "The unit that its arguments name, where they name one and no other"),
        ]),
        "A command that asks a service manager or a container runtime for something",
    ),
    key("kernelStack", List(Own), "The kernel functions that sent it, where they mean nothing more"),
    key(
        "fault",
        Object(&[
            key("address", Text(Own), "The address, in hex"),
            key("ip", Text(Own), "The instruction, in hex"),
        ]),
        "A fault",
    ),
    key("missing", List(Own), "What should be there and is not, with the reason"),
    key("source", Process, "The process that sent it").title(""),
    key("target", Process, "The process that received it").title("T"),
    key("commonAncestor", Object(&[key("pid", PID, "Its pid").wide(7)]), "The nearest process above both"),
    key("lost", NATURAL, "Events lost since the last such line"),
    key(
        "cause",
        Object(&[
            key("ringFull", NATURAL, "The ring had no room"),
            key("recursion", NATURAL, "The kernel skipped the hook"),
            key("undecodable", NATURAL, "A record could not be read"),
            key("attempts", NATURAL, "Attempts for which there was no room"),
            key("ends", NATURAL, "Ends for which there was no room"),
            key("requests", NATURAL, "Requests for which there was no room"),
            key("ooms", NATURAL, "OOM kills of which the record found no room, or its hook was skipped"),
            key(
                "cgroups",
                NATURAL,
                "Paths of new cgroups for which there was no room, or the hook was skipped",
            ),
            key("lines", NATURAL, "Lines for which an output had no room"),
        ]),
        "Why they were lost",
    ),
    key(
        "authors",
        Objects(AUTHOR),
        "The processes that most of them came from, at most five, the worst first",
    ),
];

/// A class of those that events were lost of.
const AUTHOR: &[Key] = &[
    key(
        "class",
        Word(&["user", "cgroup"]),
        "What shares room: a user, or of root the processes of one cgroup",
    ),
    key("uid", Number(Range::ID), "The user, effective").wide(7),
    key("cgroup", Text(Foreign), "Of root: the cgroup").raw(&CGROUP_RAW),
    key("pid", PID, "A process of the class: the one that lost more than half of it, if one did").wide(7),
    key("comm", Text(Foreign), "Its name").raw(&COMM_RAW).most_bytes(COMM_BYTES).wide_or(15, 10),
    key("count", NATURAL, "How many of the class were lost"),
];

/// A signal that another event refers to.
const EARLIER: &[Key] = &[
    key("id", NATURAL, "Its event").varies().wide(7),
    key("signalName", SignalName, "Its name").wide_or(11, 8),
    key("origin", Word(ORIGINS), "Where it came from").wide(12),
    key("hidden", Flag, "It was hidden by default, or by a filter"),
    key("result", Text(Own), "What became of it").wide_or(15, 8),
    key("source", Object(SENDER), "The process that sent it"),
    key("secondsAgo", Decimal, "How long before").varies(),
];

/// The end of a child.
const CHILD_DEATH: &[Key] = &[
    key("pid", PID, "The child").wide(7),
    key("signalName", SignalName, "The signal that killed it").wide_or(11, 8),
    key("secondsAgo", Decimal, "How long before").varies(),
    key("id", NATURAL, "The event that reported it").wide(7),
];

/// A signal that the source itself got.
const LAST_SIGNAL: &[Key] = &[
    key("id", NATURAL, "Its event").wide(7),
    key("signalName", SignalName, "Its name").wide_or(11, 8),
    key("source", Object(SENDER), "The process that sent it"),
    key("secondsAgo", Decimal, "How long before").varies(),
];

const SENDER: &[Key] = &[
    key("pid", PID, "Its pid").wide(7),
    key("comm", Text(Foreign), "Its name").raw(&COMM_RAW).most_bytes(COMM_BYTES).wide_or(15, 10),
    key("key", Text(Own), "Its key"),
];

/// Keys that every process has, parents and triggers included.
const PROCESS: &[Key] = &[
    key("pid", PID, "Thread group id in the initial pid namespace").title("PID").wide(7),
    key("cmdline", List(Foreign), "The arguments as they were exec'd")
        .raw(&CMDLINE_RAW)
        .title("CMDLINE")
        .stretches(),
    key("cmdlineTruncated", Flag, "The arguments go on"),
    key(
        "cmdlineFrom",
        Word(ARGUMENTS_READ),
        "Where the arguments were read, if not at exec: in the memory of a process older than the tracer, or in /proc. Either may be what the process wrote there",
    ),
    key("cmdlineRedacted", Flag, "A secret was taken out of the arguments"),
    key("cmdlineOmitted", Flag, "Left out to keep the line short (--max-line)"),
    key("comm", Text(Foreign), "The name")
        .raw(&COMM_RAW)
        .most_bytes(COMM_BYTES)
        .title("COMM")
        .wide_or(15, 10),
    key("key", Text(Own), "pid@start: names one process for ever"),
    key("user", Object(ID_AND_NAME), "Effective user"),
    key("exited", Flag, "It is gone"),
    key("execedSince", Flag, "It has become another program since"),
];

const CMDLINE_RAW: Key = key("cmdlineRaw", ValueKind::Base64, "The same in base64, where they are not UTF-8");

/// Further keys of a process that is neither source nor target.
const TRIGGER: &[Key] =
    &[key("tid", PID, "The thread").wide(7), key("processAlive", Flag, "Its process lives on")];

/// Further keys of source and target.
const IDENTITY: &[Key] = &[
    key("tid", PID, "The thread, if it is not the first").wide(7),
    key("title", Text(Foreign), "The live text of the arguments, where the process changed it")
        .raw(&base64("titleRaw"))
        .stretches(),
    key("titleTruncated", Flag, "The title goes on"),
    key("titleAgeSeconds", Decimal, "How long ago the title was read").varies(),
    key("exe", Text(Foreign), "The program's path, as the process itself sees it").raw(&base64("exeRaw")),
    key(
        "exeUnreachable",
        Flag,
        "The program is not below the root directory of the process: a file of another mount namespace, or of no directory",
    ),
    key("startTime", Text(Own), "When it started: RFC 3339, UTC").wide(13),
    key("group", Object(ID_AND_NAME), "Effective group"),
    key("loginUser", Object(ID_AND_NAME), "The user who logged in"),
    key("session", PID, "Session id").wide(7),
    key("tty", Object(NAME), "Its terminal"),
    key("nspid", PID, "Its pid in its own pid namespace").wide(7),
    key("pidns", NATURAL, "The inode of that namespace"),
    key("mntns", NATURAL, "The inode of its mount namespace, if it is not the host's"),
    key("netns", NATURAL, "The inode of its network namespace, if it is not the host's"),
    key("userns", NATURAL, "The inode of its user namespace, if it is not the host's"),
    key(
        "uts",
        Object(
            &[key("nodename", Text(Foreign), "Host name, in a pod the pod's").raw(&base64("nodenameRaw"))],
        ),
        "Its UTS namespace",
    ),
    key("cgroup", Text(Foreign), "Its cgroup").raw(&CGROUP_RAW),
    key(
        "systemd",
        Object(&[
            key("unit", Text(Foreign), "Its unit"),
            key(
                "userUnit",
                Text(Foreign),
                "Its unit of the user's manager, which is the unit: named by the user",
            ),
        ]),
        "systemd",
    ),
    key(
        "container",
        Object(&[
            key("id", Text(Foreign), "Its id").wide(7),
            key("runtime", Text(Own), "What made it"),
            key("name", Text(Foreign), "What its runtime calls it; of a Nomad allocation, the task"),
            key("image", Text(Foreign), "The image that it was made of, as it was named then"),
            key("ofUser", NATURAL, "The uid of the user who named it: no runtime of the host vouches for it"),
        ]),
        "Its container",
    ),
    key(
        "k8s",
        Object(&[
            key("namespace", Text(Foreign), "The namespace of its pod"),
            key(
                "pod",
                Object(&[key("name", Text(Foreign), "Its name"), key("uid", Text(Foreign), "Its uid")]),
                "Its pod",
            ),
            key(
                "container",
                Object(&[key("name", Text(Foreign), "Its name there")]),
                "Its container in the pod",
            ),
        ]),
        "Kubernetes",
    ),
    key("env", Names, "Variables of --env, as they were at exec").raw(&key(
        "envRaw",
        Names,
        "Those in base64 whose values are not UTF-8",
    )),
    key("lastChildDeath", Object(CHILD_DEATH), "The child of it that a signal killed last"),
    key(
        "lastSignal",
        Object(LAST_SIGNAL),
        "What it got itself from another process less than a second before",
    ),
    key("tracer", ShortProcess, "The process that traces it (ptrace)"),
    key("pgid", PID, "Process group").wide(7),
    key("disposition", Word(DISPOSITIONS), "What the signal met").wide(12),
    key("blocked", Flag, "The signal is blocked").wide(5),
    key("waiting", Flag, "A thread waits for the signal (sigwait)"),
    key("signalfd", Flag, "The signal is blocked, and a thread waits at a signalfd of the process"),
    key("continued", Flag, "SIGCONT to a process that was stopped: it continues, also where result=ignored"),
    key(
        "state",
        Word(&["running", "sleeping", "disk-sleep", "stopped", "traced", "frozen", "exiting", "zombie"]),
        "What the target was doing",
    )
    .wide(12),
    key("tree", Text(OfNames), "From PID 1 down to the process").stretches(),
    key("treeTruncated", Flag, "The tree goes on above"),
    key("parent", Process, "The process above, as it is nested"),
    key("spawnedBy", Process, "The process that started it, through parents that are gone"),
];

#[cfg(test)]
mod tests;
