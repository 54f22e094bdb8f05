//! Every parser of foreign text: any bytes are read without a panic, and in bounded time. The fuzzer runs them (`tests/fuzz` has a
//! file for each), and the property test below where there is none.
#![allow(clippy::missing_panics_doc)] // a panic is what is looked for

use std::ffi::OsString;
use std::time::Instant;

use clap::Parser;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::config_file;
use crate::cli::{Cli, Command, Request, command_first};
use crate::command::invoker::Invoker;
use crate::command::who::already_ended;
use crate::enrich::cgroups::{CgroupPaths, UNIFIED};
use crate::enrich::container::Placement;
use crate::enrich::container_names;
use crate::enrich::kallsyms::{KernelFunctions, name_all};
use crate::enrich::{bits_of_list, procfs, users};
use crate::output::deliver::destination_name::DestinationName;
use crate::output::format::ValueRef::{List, Number, Text};
use crate::output::format::document::Document;
use crate::output::format::logfmt::LOGFMT;
use crate::output::format::screen::PLAIN;
use crate::output::format::{self, Format, View};
use crate::output::read;
use crate::output::redact::{Redaction, parse_pattern};
use crate::output::select::filter::Condition;
use crate::past::moment;

/// A parser, and what it is meant to read.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static str]);

/// All of them except the decoder of records (`record::decode`), which has its own corpus.
pub const TARGETS: &[Target] = &[
    (
        "cgroup_path",
        cgroup_path,
        &[
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d206349_0faf_445c_8c3f_2d2153784f15.slice/\
             cri-containerd-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.scope",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome\\x2dshell.slice/a.scope",
            "/machine.slice/machine-a\\x2db.scope/payload\n/machine.slice/systemd-nspawn@a.service/payload/init.scope",
            "/nomad.slice/share.slice/00000000-0000-0000-0000-000000000000.task.scope\n/lxc.payload.a/b\n/default/x",
            "/ecs/00000000000000000000000000000000/00000000000000000000000000000000-1\n/docker/a\n/kubepods/besteffort/podx/y",
        ],
    ),
    (
        "mountinfo",
        mountinfo,
        &["12:cpuacct,cpu:/a\n9:name=systemd:/init.scope\n4:memory:/\n0::/init.scope\n\0\
             31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n\
             32 31 0:29 / /sys/fs/cgroup/unified rw shared:9 master:1 propagate_from:2 - cgroup2 cgroup2 rw,nsdelegate\n\
             33 31 0:30 /docker/1 /sys/fs/cgroup/\\x0040x rw shared:10 - cgroup cgroup rw,xattr,name=systemd\n"],
    ),
    (
        "passwd",
        passwd,
        &["root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000:B\u{f6}b,,,:/home/bob:/bin/sh\n+nis::::::\n\0\
             root:x:0:\nwheel:x:10:alice,bob\n\x001000\x001000"],
    ),
    (
        "kallsyms",
        kallsyms,
        &[
            "ffffffff81000100 t oom_kill_process\nffffffff81000200 T out_of_memory\nffffffff81000300 T next.cold\n\
             ffffffff81000400 t mem_cgroup_out_of_memory\t[module]\n0000000000000000 A hidden\n",
        ],
    ),
    (
        "condition",
        condition,
        &[
            "target.comm=java*,?",
            "signal=KILL,TERM,9,RTMIN+3",
            "source.user.id>=999",
            "previous.secondsAgo<0.5",
            "target.env.PATH=/usr/*",
            "fatal=true",
            "origin=p*",
        ],
    ),
    (
        "command_line",
        command_line,
        &[
            "-o\0json=/x\0--where\0target.comm=a\0--not\0signal=9\0--duration\x0010s",
            "run\0--redact\0(a|b)+\0--\0true",
            "who\x001\0--count=1",
            "-i\0TERM,9\0-e\0RTMAX-3\0-p\x001,2\0--tree\x003\0--env\0A,B\0--max-line\x002000\0--fields\0target.pid",
        ],
    ),
    (
        "proc_stat",
        proc_stat,
        &[
            "1234 (a) b (c) S 1 1234 1234 0 -1 4194560 13 0 0 0 0 0 0 0 20 0 1 0 8870 4096 13 18446744073709551615 1 1 0 0 0 0 \
             0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 140721 140722 140722 140723 9",
        ],
    ),
    (
        "proc_status",
        proc_status,
        &["Name:\ta\\nb\nUmask:\t0022\nTgid:\t9\nPid:\t10\nUid:\t1000\t1000\t1000\t1000\nSeccomp:\t2\n"],
    ),
    ("proc_cmdline", proc_cmdline, &["nginx: master process\0\0\0\0", "/bin/sh\0-c\0true\0"]),
    (
        "redaction",
        redaction,
        &[
            "hunter(2)\nmysql\0-phunter2\0--password=x\0https://u:p@host/",
            "a*\ncurl\0-u\0a:b\0-H\0Authorization: Bearer x\0PGPASSWORD=x",
        ],
    ),
    ("list_of_bits", list_of_bits, &["0-3,8,62-70", "4294967295-0"]),
    (
        "container_config",
        container_config,
        &[
            "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"web\",\"io.kubernetes.cri.sandbox-namespace\":\"shop\",\
             \"io.kubernetes.pod.name\":\"web-1\",\"io.kubernetes.cri.image-name\":\"nginx:1\"}}",
            "{\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx\",\"Labels\":{\"io.kubernetes.pod.name\":\"web-1\"}}}",
            "[{\"id\":\"a\",\"names\":[\"web\"],\"metadata\":\"{\\\"image-name\\\":\\\"nginx\\\"}\"}]",
        ],
    ),
    (
        "event_line",
        event_line,
        &[
            "{\"event\":\"signal\",\"id\":1,\"time\":\"2026-01-01T00:00:00.000000001Z\",\"signal\":9,\"fatal\":true,\"target\":{\"pid\":7,\
             \"cmdline\":[\"a\",\"b c\"],\"env\":{\"A\":\"1\"},\"parent\":{\"pid\":1}},\"missing\":[\"source:gone\"]}",
            "{\"event\":\"ended\",\"id\":2,\"exitCode\":-1,\"after\":{\"id\":1,\"source\":{\"comm\":\"sh\"},\"secondsAgo\":0.000001}}",
            "{\"event\":\"lost\",\"lost\":18446744073709551616,\"authors\":[{\"user\":{\"id\":1},\"count\":3}]}",
        ],
    ),
    (
        "time",
        time,
        &[
            "2026-11-26 03:12:07.5 Europe/Berlin",
            "Thu 2026-11-26 UTC",
            "yesterday",
            "-1month 2days 3h",
            "@1767225600.123456",
            "+5min",
            "23:15",
            "1990-12-31T15:59:60-08:00",
        ],
    ),
    (
        "config_file",
        config_file,
        &["# flags\n--max-size 1G\n  --where target.comm=a b \n--failed=only\n-q\n--redact\t(?i)x y\n"],
    ),
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Paths of cgroups as the kernel reports them, and what they mean.
pub fn cgroup_path(bytes: &[u8]) {
    let now = Instant::now();
    let mut paths = CgroupPaths::of_texts(b"", b"", now);
    for (id, path) in (1u64..).zip(bytes.split(|&byte| byte == b'\n')) {
        // sometimes a new name of a known one
        paths.on_path(UNIFIED, id % 5, path);
        let path = paths.path(UNIFIED, id % 5, now).unwrap_or_default();
        let placement = Placement::of(&path);
        if let Some(container) = &placement.container {
            assert!(!container.id.is_empty(), "a container without an id: {path:?}");
        }
        PLAIN.safe(&path);
    }
}

/// /proc/PID/cgroup, a NUL, /proc/PID/mountinfo.
pub fn mountinfo(bytes: &[u8]) {
    let mut texts = bytes.splitn(2, |&byte| byte == 0);
    let (cgroup, mountinfo) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
    let mut paths = CgroupPaths::of_texts(cgroup, mountinfo, Instant::now());
    assert_eq!(paths.path(UNIFIED, 1, Instant::now()), None, "there is no such directory");
}

/// /etc/passwd, a NUL, /etc/group; and who called sudo.
pub fn passwd(bytes: &[u8]) {
    let mut texts = bytes.split(|&byte| byte == 0);
    let mut next = || texts.next().unwrap_or_default();
    let (passwd, group) = (next(), next());
    users::count(passwd, group);
    let (uid, gid) = (text(next()), text(next()));
    let variable = |name: &str| Some(if name == "SUDO_UID" { uid.clone() } else { gid.clone() });
    if let Ok(Some(invoker)) = Invoker::from_variables(variable, &text(passwd), &text(group)) {
        assert_ne!(invoker.uid, u32::MAX, "that would be as before");
    }
}

/// /proc/kallsyms.
pub fn kallsyms(bytes: &[u8]) {
    let stack = [0, 1, 0xffff_ffff_8100_0110, 0xffff_ffff_8100_0250, u64::MAX];
    if let Ok(Some(functions)) = KernelFunctions::read(bytes) {
        functions.explain(&stack);
        functions.oom_scope(&stack);
    }
    let names = name_all(bytes, &stack).expect("bytes can be read");
    assert_eq!(names.len(), stack.len());
}

/// `--where`.
pub fn condition(bytes: &[u8]) {
    if let Ok(condition) = text(bytes).parse::<Condition>() {
        let mut document = Document::default();
        document.field("event", Text("signal"));
        document.field("signal", Number(9));
        document.field("signalName", Text("SIGKILL"));
        for side in ["source", "target"] {
            document.open(side);
            document.field("pid", Number(7));
            document.field("comm", Text("a\u{fffd}b"));
            document.close();
        }
        condition.holds(&document);
        condition.exact();
        assert_eq!(condition.to_string().parse::<Condition>().as_ref(), Ok(&condition));
    }
}

/// Words, with NULs in between.
pub fn command_line(bytes: &[u8]) {
    let words = bytes.split(|&byte| byte == 0).map(text);
    let words = std::iter::once("killsnoop".to_owned()).chain(words).map(OsString::from).collect();
    let Ok(cli) = Cli::try_parse_from(command_first(words)) else { return };
    let processes = cli.processes;
    let trace = match cli.command {
        None => cli.trace,
        Some(Command::Run { trace, .. } | Command::Who { trace, .. }) => *trace,
        Some(_) => return,
    };
    if let Ok(Request { config, settings, .. }) = trace.settle(&processes, (LOGFMT, DestinationName::Stdout))
    {
        let until = config.duration.map(|duration| Instant::now().checked_add(duration));
        assert_ne!(until, Some(None), "no clock goes so far");
        crate::trace::pushdown::select(&settings.conditions, false, true);
    }
}

/// /proc/PID/stat.
pub fn proc_stat(bytes: &[u8]) {
    let text = text(bytes);
    if let Some(stat) = procfs::Stat::parse(&text) {
        for field in [0, 3, 22, 52, usize::MAX] {
            stat.number(field);
        }
    }
    already_ended(&text, &crate::output::redact::Redaction::default());
}

/// /proc/PID/status.
pub fn proc_status(bytes: &[u8]) {
    let text = text(bytes);
    for (name, place) in [("Tgid", 0), ("Uid", 1), ("", usize::MAX)] {
        procfs::status_number(&text, name, place);
    }
}

/// /proc/PID/cmdline.
pub fn proc_cmdline(bytes: &[u8]) {
    procfs::is_title(bytes);
}

/// `--redact`, a newline, and arguments with NULs in between.
pub fn redaction(bytes: &[u8]) {
    let mut texts = bytes.splitn(2, |&byte| byte == b'\n');
    let pattern = text(texts.next().unwrap_or_default());
    let arguments = texts.next().unwrap_or_default();
    let Ok(pattern) = parse_pattern(&pattern) else { return };
    let mut document = Document::default();
    document.field("summary", Text(&text(arguments)));
    document.field("cmdline", List(&arguments.split(|&byte| byte == 0).collect::<Vec<_>>()));
    Redaction::new(vec![pattern], true).apply(&mut document);
}

/// Such as `0-3,8`.
pub fn list_of_bits(bytes: &[u8]) {
    bits_of_list(&text(bytes));
}

/// What a container runtime wrote of a container.
pub fn container_config(bytes: &[u8]) {
    container_names::read_any(bytes);
}

/// A line of `-o json`, as a store or a file holds it.
pub fn event_line(bytes: &[u8]) {
    let Ok(mut document) = read::document(&text(bytes)) else { return };
    Redaction::default().apply(&mut document);
    for kind in format::ALL {
        let mut format = (kind.open)(PLAIN, &View::default());
        document.write_to(format.as_mut());
        let mut out = Vec::new();
        format.finish(&mut out);
        assert!(!out.contains(&0x1b), "{}", kind.name);
    }
}

/// `--since`, `--older-than` and their like.
pub fn time(bytes: &[u8]) {
    let text = text(bytes);
    let now = Timestamp::from_second(1_767_225_600).expect("a time");
    for zone in [TimeZone::UTC, TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC)] {
        if let Some(moment) = moment::parse(&text, now, &zone) {
            assert!(moment >= 0, "before the epoch: {text:?}");
        }
    }
    moment::span(&text);
}

/// `record --config`.
pub fn config_file(bytes: &[u8]) {
    if let Ok(words) = config_file::words(&text(bytes)) {
        let words = ["killsnoop", "record"].map(OsString::from).into_iter().chain(words);
        drop(Cli::try_parse_from(words));
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    /// Bytes that are near to what is meant to be read.
    fn damaged(seeds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
        let change = (any::<prop::sample::Index>(), 0..4u8, proptest::collection::vec(any::<u8>(), 0..9));
        (proptest::sample::select(seeds), proptest::collection::vec(change, 0..6)).prop_map(
            |(seed, changes)| {
                let mut bytes = seed.as_bytes().to_vec();
                for (place, kind, new) in changes {
                    let at = place.index(bytes.len() + 1);
                    let end = (at + new.len()).min(bytes.len());
                    match kind {
                        0 => bytes.truncate(at),
                        1 => drop(bytes.splice(at..end, new)),
                        2 => drop(bytes.splice(at..at, new)),
                        _ => bytes.extend_from_within(..at),
                    }
                }
                bytes
            },
        )
    }

    proptest! {
        #[test]
        fn any_foreign_text_is_read(
            any in any::<Vec<u8>>(),
            near in TARGETS.iter().map(|(.., seeds)| damaged(seeds).boxed()).collect::<Vec<_>>(),
        ) {
            for ((_, read, _), near) in TARGETS.iter().zip(near) {
                read(&near);
                read(&any);
            }
        }
    }

    #[test]
    fn each_is_a_target_of_the_fuzzer() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
        let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        for (name, ..) in TARGETS {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            let source = directory.join(format!("fuzz_targets/{name}.rs"));
            let source = std::fs::read_to_string(source).unwrap();
            assert!(source.contains(&format!("killsnoop::fuzz::{name}(bytes)")), "{source}");
        }
    }

    /// The command lines by which redaction is measured, near enough.
    fn command_lines_with_secrets() -> Vec<Vec<u8>> {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/redaction");
        let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
        let text: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let lines = text.lines().filter(|line| !line.starts_with("# "));
        lines
            .map(|line| format!("x\n{}", line.replace(['«', '»'], "").replace(' ', "\0")).into_bytes())
            .collect()
    }

    #[test]
    fn the_seeds_are_written_where_they_are_wanted() {
        let nowhere = tempfile::tempdir().unwrap();
        let directory = std::env::var_os("KILLSNOOP_SEEDS").map_or(nowhere.path().to_owned(), PathBuf::from);
        for (name, read, seeds) in TARGETS {
            std::fs::create_dir_all(directory.join(name)).unwrap();
            for (place, seed) in seeds.iter().enumerate() {
                read(seed.as_bytes());
                std::fs::write(directory.join(name).join(format!("seed.{place}")), seed).unwrap();
            }
        }
        for (place, seed) in command_lines_with_secrets().iter().enumerate() {
            redaction(seed);
            std::fs::write(directory.join("redaction").join(format!("line.{place}")), seed).unwrap();
        }
    }
}
