//! docs/kernels.md, docs/signals.md and the table in docs/evidence.md say what the records of `scripts/kernel-matrix` say.
//! `KILLSNOOP_BLESS=1` writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use support::signal_cases::{CASES, SignalCase};

/// What the guest of one kernel said: rows of cells, the first of which says what it is.
struct Record(Vec<Vec<String>>);

impl Record {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        Self(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    }

    fn rows(&self, kind: &str) -> impl Iterator<Item = &[String]> {
        self.0.iter().filter(move |row| row[0] == kind).map(|row| &row[1..])
    }

    fn fact(&self, kind: &str) -> &str {
        self.rows(kind).next().map_or("", |row| row[0].as_str())
    }

    /// `6.1` of `6.1.0-56-amd64`, `6.1-rt` of `6.1.0-56-rt-amd64`, `arm64 6.12` of `6.12.117+deb13-arm64`.
    fn series(&self) -> String {
        let release = self.fact("kernel");
        let version = release.split('.').take(2).collect::<Vec<_>>().join(".");
        let machine = if self.is_of_arm64() { "arm64 " } else { "" };
        let preemption = if self.is_real_time() { "-rt" } else { "" };
        format!("{machine}{version}{preemption}")
    }

    fn is_of_arm64(&self) -> bool {
        self.fact("kernel").ends_with("-arm64")
    }

    fn is_real_time(&self) -> bool {
        self.fact("kernel").contains("-rt-")
    }

    /// Machine, version, kind: the columns' order.
    fn place(&self) -> (bool, Vec<u32>, bool) {
        let version = self.fact("kernel").split('.').take(2).map(|part| part.parse().unwrap()).collect();
        (self.is_of_arm64(), version, self.is_real_time())
    }

    fn count(&self, outcome: &str) -> usize {
        self.rows("test").filter(|row| row[2] == outcome).count()
    }

    fn is_refused(&self) -> bool {
        self.rows("refused").next().is_some()
    }
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The oldest first, other machines last.
fn records() -> Vec<Record> {
    let files = fs::read_dir(checkout().join("tests/kernels")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut records: Vec<Record> = paths.iter().map(|path| Record::read(path)).collect();
    records.sort_by_key(Record::place);
    records
}

fn header(out: &mut String, first: &str, records: &[&Record]) {
    let names: String =
        records.iter().fold(String::new(), |names, record| names + " " + &record.series() + " |");
    let _ = writeln!(out, "| {first} |{names}\n|---|{}", "---|".repeat(records.len()));
}

/// One row for each name that any record has, with a cell from each.
fn table(
    out: &mut String,
    first: &str,
    records: &[&Record],
    kind: &str,
    name: impl Fn(&[String]) -> String,
    cell: impl Fn(&[String]) -> String,
) {
    header(out, first, records);
    let cells: Vec<BTreeMap<String, String>> =
        records.iter().map(|record| record.rows(kind).map(|row| (name(row), cell(row))).collect()).collect();
    let names: BTreeSet<&String> = cells.iter().flat_map(BTreeMap::keys).collect();
    for name in names {
        let row = cells
            .iter()
            .fold(String::new(), |row, of| row + " " + of.get(name).map_or("", String::as_str) + " |");
        let _ = writeln!(out, "| {name} |{row}");
    }
}

fn report(all: &[Record]) -> String {
    let mut out = String::from(
        "# Kernels\n\nDebian's generic kernels, each booted in a guest by `scripts/kernel-matrix`: the kernel with an initramfs of the \
         tests and\ntheir tools, two CPUs, 3 GiB. It runs there every combination of programs, the root tests (those that no kernel \
         decides are\nleft to `scripts/test` on the host: `tests/host-only`), and the truth suite with fewer rounds. \
         `scripts/kernel-matrix` makes\nthis page; CI fails when bpf/ is no longer the one named here.\n\n\
         | kernel | bpf/ | day | machine | booted in | all in | passed | skipped | left to the host | failed |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for record in all {
        let fact = |kind| record.fact(kind);
        let _ = writeln!(
            out,
            "| {} | `{}` | {} | {} | {} s | {} s | {} |",
            fact("kernel"),
            fact("bpf").get(..12).unwrap_or(""),
            fact("date"),
            fact("machine"),
            fact("booted"),
            fact("seconds"),
            if record.is_refused() {
                "refused, as it must be | | |".to_owned()
            } else {
                ["ok", "skipped", "left-out", "failed"]
                    .map(|outcome| record.count(outcome).to_string())
                    .join(" | ")
            },
        );
    }
    for record in all.iter().filter(|record| record.is_refused()) {
        let _ =
            writeln!(out, "\nOn {} killsnoop says:\n\n```\n{}\n```", record.series(), record.fact("refused"));
    }
    let tested: Vec<&Record> = all.iter().filter(|record| !record.is_refused()).collect();
    out.push_str("\n## What the verifier walks\n\nInstructions of each program, and its time in milliseconds. A count that jumps by a quarter fails the run.\n\n");
    table(
        &mut out,
        "program",
        &tested,
        "program",
        |row| format!("`{}`", row[0]),
        |row| format!("{} ({:.1})", row[1], row[2].parse::<f64>().unwrap() / 1000.0),
    );
    for (suite, title) in [
        ("loads", "Combinations of programs: loaded, attached, and a signal seen"),
        ("root", "Root tests"),
        ("truth", "The truth suite"),
    ] {
        let _ = writeln!(out, "\n## {title}\n\nIn seconds.\n");
        let suite_only: Vec<Record> = tested
            .iter()
            .map(|record| {
                let is_of_it = |row: &&Vec<String>| row[0] != "test" || row[1] == suite;
                Record(record.0.iter().filter(is_of_it).cloned().collect())
            })
            .collect();
        table(
            &mut out,
            "test",
            &suite_only.iter().collect::<Vec<_>>(),
            "test",
            |row| row[1].replace('_', " "),
            |row| match row[2].as_str() {
                "ok" => format!("{:.1}", row[3].parse::<f64>().unwrap()),
                "skipped" => format!("skipped: {}", row[4]),
                "left-out" => "on the host".to_owned(),
                other => other.to_owned(),
            },
        );
    }
    out
}

fn support(all: &[Record]) -> String {
    let mut out = String::new();
    let all: Vec<&Record> = all.iter().collect();
    header(&mut out, "kernel", &all);
    let verdicts = all.iter().fold(String::new(), |row, record| {
        let verdict = match (record.is_refused(), record.count("failed")) {
            (true, _) => "refused with a clear message".to_owned(),
            (false, 0) => format!("all {} passed", record.count("ok")),
            (false, failed) => format!("{failed} failed"),
        };
        let skipped = record.count("skipped");
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        row + " " + &verdict + &skipped + " |"
    });
    let _ = writeln!(out, "| tests |{verdicts}");
    let features: BTreeSet<&str> =
        all.iter().flat_map(|record| record.rows("feature")).map(|row| row[0].as_str()).collect();
    for feature in features {
        let cells = all.iter().fold(String::new(), |cells, record| {
            let has = record.rows("feature").find(|row| row[0] == feature).map_or("", |row| row[1].as_str());
            cells + " " + has + " |"
        });
        let _ = writeln!(out, "| {feature} |{cells}");
    }
    out
}

/// The sections of docs/signals.md: an origin, the heading, and what the cases have in common. A case is listed where its
/// line names that origin.
const SECTIONS: &[(&str, &str, &str)] = &[
    ("process", "A process sends it", "`source` is the process that made the call."),
    (
        "cgroup",
        "A process writes `cgroup.kill`",
        "One event for each process in the cgroup; `source` is the process that wrote.",
    ),
    (
        "fault",
        "The target's own instruction fails",
        "There is no sender: `fault.*` has the address and the instruction.",
    ),
    ("seccomp", "seccomp refuses a system call", "There is no sender: `seccomp.*` has the system call."),
    ("timer", "A timer expires", "There is no sender: a process arms timers for itself only."),
    (
        "rlimit",
        "A resource limit is exceeded",
        "There is no sender: `rlimit.*` has the limit, its value and its kind.",
    ),
    (
        "oom",
        "Memory runs out",
        "There is no sender: `oom.*` has the limit, `trigger` the process whose allocation it was.",
    ),
    (
        "tty",
        "A terminal",
        "There is no sender: `tty.name` has the terminal; at a hang-up `trigger` is the process that closed it.",
    ),
    (
        "io",
        "A pipe, a file or a message queue",
        "There is no sender: `trigger` is the process that wrote, read, closed or sent, if it is known.",
    ),
    ("child", "A child ends", "There is no sender: `trigger` is the child."),
    (
        "parent-death",
        "The parent ends (`PR_SET_PDEATHSIG`)",
        "There is no sender: `trigger` is the parent, or its thread.",
    ),
    ("pidns", "A pid namespace ends", "There is no sender: `reason=reboot` says that it called `reboot(2)`."),
    ("ptrace", "A tracer (ptrace)", "There is no sender: `trigger` is the tracer, if it is known."),
    ("bpf", "A BPF program (`bpf_send_signal()`)", "There is no sender: which program it was is not known."),
    ("kernel", "The kernel, for another reason", "There is no sender: `reason` says why."),
];

/// The section of a case; the one case without an origin is what a tracer left behind.
fn section_of(says: &serde_json::Value) -> &str {
    says["origin"].as_str().unwrap_or("ptrace")
}

/// docs/signals.md: the cases of `tests/support/src/signal_cases.rs`, with what the tests said on each kernel.
fn signals(all: &[Record]) -> String {
    let mut out = format!(
        "# Every way a signal comes to be, and what its line says\n\nEach of the {} rows was made once on each kernel, with real \
         processes, and its line compared\n(`tests/support/src/signal_cases.rs`, `tests/root/signals.rs`). A row without a passing test \
         says NOT TESTED.\n`scripts/kernel-matrix` makes this page.\n\nA key that is not listed may be there as well; `no KEY` means that \
         it must not be. *Its maker* is the process that\nsent, closed, forked or allocated; `…` stands for whatever it is. What each key \
         means: [fields.md](fields.md).\n",
        CASES.len()
    );
    let tested: Vec<&Record> = all.iter().filter(|record| !record.is_refused()).collect();
    let cases: Vec<(serde_json::Value, &SignalCase)> =
        CASES.iter().map(|case| (serde_json::from_str(case.says).unwrap(), case)).collect();
    for (says, case) in &cases {
        let is_known = SECTIONS.iter().any(|(origin, ..)| *origin == section_of(says));
        assert!(is_known, "'{}' is in no section of docs/signals.md: add its origin to SECTIONS", case.how);
    }
    for (origin, heading, common) in SECTIONS {
        let _ = writeln!(out, "\n## {heading}\n\n`origin={origin}`. {common}\n");
        let mut heads = String::new();
        for record in &tested {
            let _ = write!(heads, " {} |", record.series());
        }
        let _ =
            writeln!(out, "| how | signal | the line |{heads}\n|---|---|---|{}", "---|".repeat(tested.len()));
        for (says, case) in cases.iter().filter(|(says, _)| section_of(says) == *origin) {
            let mut keys = Vec::new();
            flatten("", says, &mut keys);
            let cells = tested.iter().fold(String::new(), |cells, record| {
                let outcome = record.rows("test").find(|test| test[0] == "root" && test[1] == case.how);
                let cell = match outcome.map(|test| (test[2].as_str(), test[4].as_str())) {
                    Some(("ok", _)) => "yes".to_owned(),
                    Some(("skipped", reason)) => format!("NOT TESTED: {reason}"),
                    Some(("failed", _)) => "**FAILED**".to_owned(),
                    _ => "NOT TESTED".to_owned(),
                };
                cells + " " + &cell + " |"
            });
            let _ = writeln!(out, "| {} | {} | {} |{cells}", case.how, case.signal, keys.join(", "));
        }
    }
    out.push_str(LIMITS_OF_SIGNALS);
    out
}

const LIMITS_OF_SIGNALS: &str = "\n## What cannot be known\n
- `--failed`: a kill of a group that reaches some of its members and may not signal others succeeds: the ones that were
  spared are not reported.
- Before 5.15 there is neither `via` nor `scope`, and a code that a sender made up may pass for a timer's; `--failed` and
  `--probes` are refused.
- At a hang-up a process has lost its terminal before the signal comes: its name is the one that it had when it last exec'd.
  A process that took its terminal later has `missing=[tty.name:gone]`.
- `ended` has an `origin` only where seccomp or a tracer left its mark: that no signal was seen proves nothing (a tracer that
  detached leaves none, and a process older than killsnoop may have got it before). `missing` says which.
- A signal that a process once handled, and that would have ended it, keeps a later death by the same signal through a tracer
  from being reported.
- `oom.rssBytes` is approximate: what each CPU has not added to the kernel's counter yet is not in it. Others that are killed
  because they share the victim's memory have `origin=oom` and `missing=[oom:not-reported]`.
- Where neither the kernel's stack nor its symbols can be read (no `CAP_SYSLOG`, `kernel.kptr_restrict=2`), origins follow from
  signal and siginfo, and `missing` has `origin:no-kernel-symbols`.
- That a signalfd is read does not show of which signals: `target.signalfd` says that somebody waits at one.
- `source.lastSignal` is of signals that can end a process: SIGTSTP, SIGCONT and SIGWINCH that are passed on are not in it.
- Which of `RLIMIT_CPU` and `RLIMIT_RTTIME` was exceeded, where both are set, follows from the CPU time of the process.
- A bpf_send_signal() of SIGALRM, SIGPROF, SIGVTALRM or SIGWINCH to a process that handles it counts as hidden
  by its class.
";

fn flatten(path: &str, value: &serde_json::Value, keys: &mut Vec<String>) {
    let text = match value {
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{key}"), value, keys);
            }
            return;
        }
        serde_json::Value::Null => format!("no `{path}`"),
        serde_json::Value::String(word) => match word.as_str() {
            "SOME" => format!("`{path}=…`"),
            "MAKER" => format!("`{path}=` *its maker*"),
            "CGROUP" => format!("`{path}=` *the one at its limit*"),
            "TTY" => format!("`{path}=pts/…`"),
            word => format!("`{path}={word}`"),
        },
        other => format!("`{path}={other}`"),
    };
    keys.push(text);
}

const BEGIN: &str = "<!-- kernels: made by scripts/kernel-matrix -->\n";
const END: &str = "<!-- /kernels -->\n";

#[test]
fn the_docs_say_what_the_matrix_said() {
    let all = records();
    let docs = checkout().join("docs/kernels.md");
    let evidence = checkout().join("docs/evidence.md");
    let text = fs::read_to_string(&evidence).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("docs/evidence.md has a place for the table");
    let (_, after) = rest.split_once(END).expect("docs/evidence.md has an end of the table");
    let new_evidence = format!("{before}{BEGIN}{}{END}{after}", support(&all));
    let report = report(&all);
    let ways = checkout().join("docs/signals.md");
    let signals = signals(&all);
    if std::env::var_os("KILLSNOOP_BLESS").is_some() {
        fs::write(&docs, &report).unwrap();
        fs::write(&ways, &signals).unwrap();
        fs::write(&evidence, &new_evidence).unwrap();
    }
    assert_eq!(fs::read_to_string(&docs).unwrap_or_default(), report, "run scripts/kernel-matrix");
    assert_eq!(fs::read_to_string(&ways).unwrap_or_default(), signals, "run scripts/kernel-matrix");
    assert_eq!(fs::read_to_string(&evidence).unwrap(), new_evidence, "run scripts/kernel-matrix");
}
