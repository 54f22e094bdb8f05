//! Rendering and the table of keys, held against each other over made-up events that have everything.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::*;
use crate::enrich::container::{Container, Placement};
use crate::enrich::container_names::ContainerNames;
use crate::enrich::surroundings::{ReadTitle, Surroundings};
use crate::event::context::{Context, EarlierSignal};
use crate::event::origin::{Origin, Reason, Scope};
use crate::event::{AttemptEvent, Author as LossSource, Authors, EndEvent, Lost, RequestEvent, SignalEvent};
use crate::output::format::document::Value;
use crate::output::format::screen::PLAIN;
use crate::output::format::{
    FormatKind, View, json::JSON, line::LINE, logfmt::LOGFMT, table::TABLE, tree::TREE,
};
use crate::output::keys::{self, Author, Key, Keys, ValueKind};
use crate::record::cause::Explanation;
use crate::record::{
    Argv, ArgvFrom, AttemptFacts, Blocking, ChildDeath, Comm, EndFacts, Ending, Limits, OomFacts, OomScope,
    Previous, PreviousSource, ProcessFacts, RequestFacts, SigInfo, Snapshot, SpawnerFacts, SubjectFacts,
    Syscall, SyscallAbi, Task, Title,
};

const CLOCK: Clock = Clock::fixed(0);
const NOW: u64 = 10_000_000_000;
/// Not UTF-8.
const BYTES: &[u8] = b"a\xff";

/// What others put into an event: `--fold`, `--redact`, `--max-line`.
const ADDED_LATER: [&str; 4] = ["repeated", "firstTime", "P.cmdlineRedacted", "P.cmdlineOmitted"];

fn process(pid: u32) -> ProcessFacts<'static> {
    ProcessFacts {
        start: u64::from(pid),
        uid: pid,
        argv: Argv::Known { bytes: Cow::Borrowed(b"a\xff\0"), total: 9, from: ArgvFrom::Proc },
        title: Some(Title { bytes: Cow::Borrowed(BYTES), spilt: false, cut: true }),
        subject: Some(Box::new(SubjectFacts {
            exe: Cow::Borrowed(BYTES),
            exe_unreachable: true,
            nodename: Cow::Borrowed(BYTES),
            environment: Cow::Borrowed(b"A=\xff\0"),
            ..SubjectFacts::default()
        })),
        ..ProcessFacts::named(pid, BYTES)
    }
}

fn task(tid: u32) -> Task {
    let mut tty = [0; 16];
    tty[..4].copy_from_slice(b"pts3");
    Task {
        tid,
        session: 1,
        pgid: 2,
        namespace_level: 1,
        namespace_pid: 3,
        namespace_inode: 4,
        mount_namespace: 5,
        net_namespace: 6,
        user_namespace: 7,
        tty,
        state: 1,
        live: 1,
        ..Task::default()
    }
}

fn surroundings() -> Surroundings {
    let container =
        Container { name: Some("c".to_owned()), of_user: Some(9), ..Container::new("a", Some("nomad")) };
    Surroundings {
        cgroup: Some("/a".into()),
        cgroup_raw: Some(BYTES.into()),
        placement: Rc::new(Placement {
            container: Some(container),
            pod_uid: Some("uid".to_owned()),
            systemd_unit: Some("user@1.service".to_owned()),
            systemd_user_unit: Some("x.service".to_owned()),
        }),
        names: Rc::new(ContainerNames {
            container: Some("c".into()),
            image: Some("i".into()),
            namespace: Some("ns".into()),
            pod: Some("p".into()),
            in_pod: Some("c".into()),
            ..ContainerNames::default()
        }),
        user: Some("u".into()),
        group: Some("g".into()),
        login_user: Some("l".into()),
        ..Surroundings::default()
    }
}

fn earlier() -> Previous {
    let source = PreviousSource { pid: 77, start: 1, comm: BYTES.into() };
    Previous {
        time: NOW - 5,
        signal: 1,
        result: 0,
        hidden: true,
        met_default: true,
        is_page_fault: false,
        source: Some(source),
    }
}

/// A signal of `source` (1, child of 3) to `target` (2, child of 3, started by 4), traced by 5.
fn snapshot() -> Snapshot<'static> {
    let mut facts = Snapshot::between(process(1), process(2));
    facts.processes.extend([3, 4, 5].map(process));
    facts.processes[1].title = None;
    (facts.current_chain, facts.target_chain) = (vec![0, 2], vec![1, 2]);
    facts.spawners = vec![SpawnerFacts { of: 1, process: 3, exited: true, execed_since: true }];
    (facts.current, facts.target) = (task(11), task(22));
    (facts.target.signal_flags, facts.target.group_exit_code) = (0x4, 15);
    (facts.time, facts.group) = (NOW, false);
    (facts.current_truncated, facts.target_truncated) = (true, true);
    (facts.current_tracer, facts.target_tracer) = (Some(4), Some(4));
    (facts.previous, facts.to_source) = (Some(earlier()), Some(earlier()));
    facts.spawners_cut = true;
    facts.child_death = Some(ChildDeath { pid: 8, signal: 9, time: NOW - 5 });
    (facts.blocking, facts.has_signalfd_reader) = (Blocking::Blocked, true);
    facts
}

fn context() -> Context {
    let title = ReadTitle { bytes: BYTES.into(), spilt: false, cut: false, read_at: 5 };
    Context {
        source: surroundings(),
        target: Surroundings { title: Some(title), ..surroundings() },
        previous: Some((3, Origin::Process)),
        last_signal_id: Some(4),
        child_death_id: Some(5),
        repeated: None,
    }
}

/// A signal with this verdict, whatever its facts say.
fn signal(origin: Origin, reason: Option<Reason>, change: &dyn Fn(&mut Snapshot<'static>)) -> Event<'static> {
    let mut facts = snapshot();
    change(&mut facts);
    let mut event = SignalEvent::new(facts, 1, CLOCK, context()).unwrap();
    event.verdict.origin = origin;
    event.verdict.reason = reason;
    event.verdict.via = Some("kill");
    event.verdict.scope = Some(Scope::Process);
    event.verdict.code_forged = true;
    Event::Signal(Box::new(event))
}

fn call(number: i64) -> Syscall {
    Syscall { abi: SyscallAbi::X86_64, number, args: [7, 15, 0x0123_4567, 0], is_active: true }
}

fn signals() -> Vec<Event<'static>> {
    let given = |code| SigInfo::Given { code, fields: [1; 16] };
    let seccomp = {
        let mut fields = [1; 16];
        fields[8..12].copy_from_slice(&62i32.to_ne_bytes());
        fields[12..].copy_from_slice(&0xc000_003eu32.to_ne_bytes());
        SigInfo::Given { code: 1, fields }
    };
    let oom = OomFacts {
        time: NOW,
        pid: 2,
        start: 2,
        current_tid: 1,
        rss_pages: Some(1),
        usage_and_limit: Some((1, 2)),
        cgroup: BYTES.to_vec(),
        cpuset_nodes: 0,
        policy_nodes: 0,
        by_sysrq: false,
        stack: Vec::new(),
        scope: Some(OomScope::Cgroup),
    };
    let explanation =
        Explanation { cause: None, in_interrupt: false, functions: vec!["do_something".to_owned()] };
    let limits = Limits { cpu: [Some(1), Some(2)], file_size: Some(3), ..Limits::default() };
    vec![
        // si_code -1 is SI_QUEUE
        signal(Origin::Process, None, &|facts| facts.info = given(-1)),
        signal(Origin::Process, None, &|facts| facts.blocking = Blocking::Waited),
        signal(Origin::Fault, None, &|facts| {
            (facts.signal, facts.info, facts.instruction_pointer) = (11, given(1), 7);
            facts.target_chain = facts.current_chain.clone();
        }),
        signal(Origin::Tty, None, &|facts| (facts.signal, facts.tty) = (2, *b"tty1\0\0\0\0\0\0\0\0\0\0\0\0")),
        signal(Origin::ParentDeath, None, &|_| {}),
        signal(Origin::Oom, None, &|facts| facts.oom = Some(oom.clone())),
        signal(Origin::Rlimit, None, &|facts| (facts.signal, facts.limits) = (24, Some(limits))),
        signal(Origin::Rlimit, None, &|facts| (facts.signal, facts.limits) = (25, Some(limits))),
        signal(Origin::Seccomp, None, &|facts| facts.info = seccomp),
        signal(Origin::PidNamespace, Some(Reason::Reboot), &|facts| facts.syscall = Some(call(169))),
        signal(Origin::Kernel, None, &|facts| facts.explanation = Some(explanation.clone())),
        signal(Origin::Process, None, &|facts| {
            (facts.signal, facts.target.signal_flags, facts.target_tracer) = (18, 0x22, None);
        }),
    ]
}

fn others() -> Vec<Event<'static>> {
    let attempt = |signal| {
        let facts = Snapshot { syscall: Some(call(62)), ..snapshot() };
        let facts = AttemptFacts { facts, signal, returned: -1, has_target: true };
        Event::Attempt(Box::new(AttemptEvent::new(facts, 2, CLOCK, context()).unwrap()))
    };
    let end = |ending, explained| {
        let mut facts = EndFacts { time: NOW, explained, ..EndFacts::of(process(2), ending) };
        facts.processes.push(process(5));
        (facts.task, facts.tracer) = (task(22), Some(1));
        let after =
            EarlierSignal { id: Some(1), origin: Some(Origin::Process), signal: earlier(), is_taken: false };
        Event::End(Box::new(EndEvent::new(facts, 3, CLOCK, 0, Some(after), surroundings()).unwrap()))
    };
    let lost = Lost {
        ring_full: 1,
        recursion: 1,
        undecodable: 1,
        attempts: 1,
        ends: 1,
        requests: 1,
        ooms: 1,
        cgroups: 1,
        lines: 1,
    };
    let request = || {
        let mut systemctl = process(1);
        let words = b"systemctl\0stop\0nginx\0";
        systemctl.argv =
            Argv::Known { bytes: words[..].into(), total: words.len() as u32, from: ArgvFrom::Exec };
        let facts = RequestFacts {
            time: NOW,
            task: task(11),
            processes: vec![systemctl, process(5)],
            chain: vec![0, 1],
            truncated: false,
        };
        Event::Request(Box::new(RequestEvent::new(facts, 4, CLOCK, surroundings()).unwrap()))
    };
    vec![
        request(),
        attempt(15),
        attempt(-1),
        end(Ending::Exit(3), true),
        end(Ending::Signal { number: 15, core_dumped: true }, true),
        Event::Lost(LostEvent { time: 0, lost, authors: authors() }),
    ]
}

/// Root in a cgroup of a name that is not UTF-8, root in one that is gone, and a user.
fn authors() -> Vec<LossAuthor> {
    let mut authors = Authors::default();
    for (uid, cgroup, count) in [(0, 5, 9), (0, 6, 8), (1000, 5, 7)] {
        authors.add(&LossSource { uid, cgroup, pid: 3, comm: Comm::from(&b"\xff"[..]) }, count);
    }
    authors.worst(|id| match id {
        5 => (Some("/a\u{fffd}".into()), Some(b"/a\xff"[..].into())),
        _ => (None, None),
    })
}

#[test]
fn a_loss_names_its_authors_in_every_format() {
    let lost = Lost { lines: 24, ..Lost::default() };
    let event = Event::Lost(LostEvent { time: 0, lost, authors: authors() });
    let of = |kind: FormatKind| {
        let (mut format, mut out) = ((kind.open)(PLAIN, &View::default()), Vec::new());
        write(&event, &mut *format);
        format.finish(&mut out);
        String::from_utf8(out).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&of(JSON)).unwrap();
    assert_eq!(json["authors"].as_array().unwrap().len(), 3);
    assert_eq!(json["authors"][0]["cgroup"], "/a\u{fffd}");
    assert_eq!(json["authors"][2]["uid"], 1000);
    assert_eq!(json["missing"], serde_json::json!(["authors.1.cgroup:gone"]));
    let logfmt = of(LOGFMT);
    assert!(logfmt.contains(" authors.1.class=cgroup authors.1.uid=0 authors.1.pid=3 "), "{logfmt}");
    assert!(
        logfmt.contains(" authors.2.class=user authors.2.uid=1000 ")
            && logfmt.ends_with(" authors.2.count=7\n")
    );
    for kind in [LINE, TABLE, TREE] {
        let text = of(kind);
        let expected = "24 events lost (lines 24): 9 of root in /a\u{fffd} (\u{fffd}(3)), 8 of root (";
        assert!(text.contains(expected) && text.contains("7 of uid 1000 ("), "{text}");
    }
}

/// May a key of this kind hold this?
fn fits(kind: ValueKind, value: &Value) -> bool {
    match (kind, value) {
        (ValueKind::Word(words), Value::Text(text)) => words.contains(&text.as_str()),
        (ValueKind::Text(_) | ValueKind::Base64 | ValueKind::SignalName, Value::Text(_))
        | (ValueKind::List(Author::Own), Value::Words(_))
        | (ValueKind::List(Author::Foreign), Value::List(_))
        | (ValueKind::Names, Value::Names(_))
        | (ValueKind::Objects(_), Value::Objects(_))
        | (ValueKind::Number(_) | ValueKind::SignalNumber, Value::Number(_) | Value::Integer(_))
        | (ValueKind::Decimal, Value::Seconds(_))
        | (ValueKind::Flag, Value::Flag(_)) => true,
        (ValueKind::Objects(_), _) => false,
        (kind, Value::Object(_)) => kind.is_object(),
        _ => false,
    }
}

/// Where the keys below this one are in the table, whatever the event is nested in.
fn path_below(key: &Key, path: &str) -> String {
    match key.kind {
        ValueKind::Process => "P.".to_owned(),
        ValueKind::ShortProcess => "S.".to_owned(),
        _ => format!("{path}{}.", key.name),
    }
}

fn check(fields: &[Field], table: Keys, path: &str, written: &mut BTreeSet<String>) {
    for field in fields {
        let key = table.find(field.key).unwrap_or_else(|| panic!("{path}{} is not in the table", field.key));
        assert!(fits(key.kind, &field.value), "{path}{}: {:?}", key.name, field.value);
        written.insert(format!("{path}{}", key.name));
        if let Value::Object(inner) = &field.value {
            check(inner, key.below(), &path_below(key, path), written);
        }
        if let Value::Objects(items) = &field.value {
            for inner in items {
                check(inner, key.below(), &path_below(key, path), written);
            }
        }
    }
}

fn in_table(keys: Keys, path: &str, all: &mut BTreeSet<String>) {
    for key in keys.iter() {
        all.insert(format!("{path}{}", key.name));
        if let ValueKind::Object(_) | ValueKind::Objects(_) = key.kind {
            in_table(key.below(), &path_below(key, path), all);
        }
    }
}

#[test]
fn every_key_that_is_written_is_in_the_table_and_every_key_of_the_table_is_written() {
    let mut written = BTreeSet::new();
    for event in signals().iter().chain(&others()) {
        let mut document = Document::default();
        write(event, &mut document);
        document.finish(&mut Vec::new());
        check(document.fields(), keys::EVENT, "", &mut written);
    }
    let mut all = BTreeSet::new();
    in_table(keys::EVENT, "", &mut all);
    in_table(ValueKind::Process.below(), "P.", &mut all);
    let mut short = BTreeSet::new();
    in_table(ValueKind::ShortProcess.below(), "S.", &mut short);
    // the others are those of every process
    short.retain(|path| !all.contains(&path.replacen('S', "P", 1)));
    all.extend(short);
    let never: Vec<&String> =
        all.iter().filter(|path| !written.contains(*path) && !ADDED_LATER.contains(&path.as_str())).collect();
    assert!(never.is_empty(), "no made-up event has {never:?}");
}

#[test]
fn the_header_says_what_the_words_say() {
    for event in signals().iter().chain(&others()) {
        let mut document = Document::default();
        write(event, &mut document);
        document.finish(&mut Vec::new());
        let header = *document.header();
        assert_eq!(header, event.header());
        assert_eq!(document.text_at("event"), Some(header.kind.name()));
        assert_eq!(document.text_at("level"), Some(header.level().name()));
        assert_eq!(document.number_at("id"), header.id.map(i128::from));
        assert_eq!(document.is_set("fatal"), header.is_fatal);
        assert_eq!(document.number_at("after.id"), header.after.map(i128::from));
        if let Some(signal) = header.signal {
            assert_eq!(document.text_at("signalName"), Some(&*signal.name()));
        }
        if let Some(outcome) = header.outcome {
            assert_eq!(document.text_at("result"), Some(outcome.name()));
        }
    }
}
