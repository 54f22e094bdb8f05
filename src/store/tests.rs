//! What goes into a store comes out of it, whatever happens meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::schema::FILE;
use super::shape::tests::fixtures;
use super::*;

/// 2026-01-01.
const BEGIN: i64 = 1_767_225_600_000_000_000;
const SECOND: i64 = 1_000_000_000;

fn facts() -> RunFacts {
    RunFacts { boot: "b".to_owned(), ..RunFacts::default() }
}

fn open(directory: &Path, bounds: Option<Bounds>) -> Writer {
    Writer::open(directory, None, bounds, &facts()).unwrap().0
}

/// Ends a run in order.
fn finish(mut writer: Writer) {
    writer.finish("stopped").unwrap();
}

/// A directory, and a store in it.
fn store() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("store");
    (parent, directory)
}

fn fill(writer: &mut Writer, lines: &[String]) {
    for line in lines {
        writer.put(line).unwrap();
    }
    writer.commit().unwrap();
}

fn all(directory: &Path, query: &Query, order: Order) -> Vec<String> {
    let mut lines = Vec::new();
    let reader = Reader::open(directory).unwrap();
    let take = |event: StoredEvent| {
        lines.push(event.json);
        ControlFlow::Continue(())
    };
    reader.each(query, order, take).unwrap();
    lines
}

/// Events, each of processes of its own, a second apart.
fn derived(count: usize) -> Vec<String> {
    let pids = Regex::new(r#"("pid":|"|\()(\d{2,7})(@\d|\)|,)"#).unwrap();
    let lines: Vec<String> = fixtures().into_iter().filter(|line| line.len() < 8000).collect();
    let derive = |number: usize| {
        let line = pids.replace_all(&lines[number % lines.len()], |found: &regex::Captures<'_>| {
            let pid: usize = found[2].parse().unwrap();
            format!("{}{}{}", &found[1], (pid + number / lines.len() * 613) % 4_194_304, &found[3])
        });
        at(&line, BEGIN + number as i64 * SECOND)
    };
    (0..count).map(derive).collect()
}

/// The same event at another time.
fn at(line: &str, time: i64) -> String {
    let time = jiff::Timestamp::from_nanosecond(time.into()).unwrap();
    format!("{{\"time\":\"{time:.9}\"{}", &line[line.find("Z\"").unwrap() + 2..])
}

fn process(pid: u32, comm: &str, more: &str) -> String {
    format!(
        r#"{{"pid":{pid},"cmdline":["{comm}"],"comm":"{comm}","key":"{pid}@{pid}000"{more},"tree":"init(1)─{comm}({pid})"}}"#
    )
}

fn signal(id: u64, time: i64, number: u8, source: &str, target: &str) -> String {
    let line = format!(
        r#"{{"time":"Z","level":"INFO","msg":"snooped signal","event":"signal","id":{id},"signal":{number},"signalName":"SIGX","summary":"s {id}","result":"queued","source":{source},"target":{target}}}"#
    );
    at(&line, time)
}

/// By a signal, which had this number.
fn death(id: u64, time: i64, after: u64, target: &str) -> String {
    let line = format!(
        r#"{{"time":"Z","level":"INFO","msg":"target ended","event":"ended","id":{id},"signal":9,"signalName":"SIGKILL","summary":"killed {id}","coreDumped":false,"after":{{"id":{after},"signalName":"SIGKILL","secondsAgo":0.000100}},"target":{target}}}"#
    );
    at(&line, time)
}

#[test]
fn events_come_out_byte_for_byte() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let lines: Vec<String> = fixtures().into_iter().cycle().take(1000).collect();
    fill(&mut writer, &lines);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), lines);
    finish(writer);
    let mut backwards = all(&directory, &Query::default(), Order::NewestFirst);
    backwards.reverse();
    assert_eq!(backwards, lines);
    let verified = verify(&directory).unwrap();
    assert_eq!((verified.events, verified.problems), (1000, Vec::new()));
    // a run that comes after it has rows of its own
    let mut writer = open(&directory, None);
    fill(&mut writer, &lines[..50]);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst)[1000..], lines[..50]);
    let query = Query { limit: Some(3), ..Query::default() };
    assert_eq!(all(&directory, &query, Order::OldestFirst), lines[..3]);
}

/// Those who ask with SQL get the same.
#[test]
fn the_view_has_the_lines_that_the_reader_has() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let lines = derived(300);
    fill(&mut writer, &lines);
    let mut statement = writer.connection.prepare("SELECT json FROM events ORDER BY row").unwrap();
    let found: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(found, lines);
}

/// Whoever has long command lines in all of a long chain of parents makes each line as long as all of them.
#[test]
fn a_statement_reads_no_more_than_some_lines_that_are_long() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let argument = "x".repeat(16 << 10);
    let parents = |depth: u32| {
        (0..depth).fold(String::new(), |above, pid| {
            let above = if above.is_empty() { above } else { format!(",\"parent\":{above}") };
            format!(r#"{{"pid":{pid},"cmdline":["{argument}"],"comm":"p","key":"{pid}@1"{above}}}"#)
        })
    };
    let child = process(70, "long", "").replacen('}', &format!(",\"parent\":{}}}", parents(40)), 1);
    let lines: Vec<String> =
        (0..100).map(|id| signal(id, BEGIN + id as i64, 10, &process(7, "a", ""), &child)).collect();
    assert!(lines[0].len() > 600 << 10);
    fill(&mut writer, &lines);
    let file = directory.join(FILE);
    writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    assert!(fs::metadata(file).unwrap().len() < 2 << 20, "what they share is there once");
    let connection = super::reader::connect(&directory).unwrap();
    let mut shared = super::lines::Lines::default();
    let query = Query::default();
    let mut rows = super::rows::Rows::of(&connection, &query).unwrap();
    let some = rows.events(&connection, &query, Order::OldestFirst, &mut shared).unwrap();
    assert!((1..5).contains(&some.len()), "{} lines at once", some.len());
    assert_eq!(all(&directory, &query, Order::OldestFirst), lines);
    let named = Query { target: vec![Who::Comm("long".into())], ..Query::default() };
    assert_eq!(all(&directory, &named, Order::NewestFirst).len(), 100);
}

#[test]
fn a_process_that_is_its_own_ancestor_is_no_event_and_does_not_hide_the_others() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let lines = derived(20);
    fill(&mut writer, &lines);
    writer.connection.execute_batch("UPDATE image SET parent = image WHERE parent IS NOT NULL").unwrap();
    let found = all(&directory, &Query::default(), Order::OldestFirst);
    assert_eq!(found.len(), lines.len());
    assert!(found.iter().any(String::is_empty));
    assert!(verify(&directory).unwrap().problems[0].contains("cannot be put together"));
}

#[test]
fn it_is_known_whether_a_recorder_hid_what_it_hides_by_default() {
    let (_parent, directory) = store();
    for (filters, hides, left) in
        [("", true, ""), ("--all", false, ""), ("--all --failed=only", false, "--failed=only")]
    {
        let facts = RunFacts { filters: filters.to_owned(), ..facts() };
        let mut writer = Writer::open(&directory, None, None, &facts).unwrap().0;
        let began = writer.run.began();
        std::thread::sleep(std::time::Duration::from_millis(2));
        writer.finish("stopped").unwrap();
        let coverage = Reader::open(&directory).unwrap().coverage(began..i64::MAX).unwrap();
        assert_eq!((coverage.hides_by_default, &*coverage.filters[0]), (hides, left), "{filters}");
    }
}

#[test]
fn an_event_of_a_pair_that_came_before_is_small() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let line = fixtures()
        .into_iter()
        .find(|line| line.contains("\"event\":\"signal\"") && line.contains("\"previous\""))
        .unwrap();
    let bytes = |count: usize, writer: &mut Writer, from: i64| {
        let lines: Vec<String> =
            (0..count).map(|number| at(&line, BEGIN + (from + number as i64) * SECOND)).collect();
        fill(writer, &lines);
        writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        fs::metadata(directory.join(FILE)).unwrap().len()
    };
    let before = bytes(1000, &mut writer, 0);
    let each = (bytes(10_000, &mut writer, 1000) - before) / 10_000;
    assert!(each <= 250, "{each} bytes");
}

#[test]
fn a_store_never_grows_beyond_its_bound_and_deaths_are_the_last_to_go() {
    let (_parent, directory) = store();
    let bounds = Bounds { max_bytes: LEAST_BYTES, keep_free: 0, ..Bounds::default() };
    let mut writer = open(&directory, Some(bounds));
    let mut noise = derived(80_000);
    noise.retain(|line| !line.contains("\"fatal\":true") && !line.contains("\"event\":\"ended\""));
    let mut deaths = Vec::new();
    for (number, line) in noise.iter().enumerate() {
        writer.put(line).unwrap();
        if number % 1000 == 0 {
            let pid = 3_000_000 + number as u32;
            let target = process(pid, "victim", "");
            let id = 1_000_000 + number as u64;
            let time = BEGIN + number as i64 * SECOND;
            deaths.push(signal(id, time, 9, &process(7, "killer", ""), &target));
            deaths.push(death(id + 1, time, id, &target));
            for line in &deaths[deaths.len() - 2..] {
                writer.put(line).unwrap();
            }
        }
        if number % 64 == 0 && writer.log_is_long() || number % 1000 == 0 {
            writer.commit().unwrap();
            assert_eq!(writer.make_room().unwrap(), Room::Enough);
        }
        if number % 16 == 0 {
            assert!(writer.bytes() <= LEAST_BYTES, "{} bytes after {number} events", writer.bytes());
        }
    }
    writer.commit().unwrap();
    assert_eq!(writer.lost(), 0);
    let left = all(&directory, &Query::default(), Order::OldestFirst);
    assert!(left.len() < 30_000, "{} events are left", left.len());
    let left: BTreeSet<&str> = left.iter().map(String::as_str).collect();
    let missing = deaths.iter().filter(|death| !left.contains(death.as_str())).count();
    assert_eq!(missing, 0, "of {} deaths and the signals that they refer to", deaths.len());
    assert!(left.contains(noise.last().unwrap().as_str()) && !left.contains(noise[20].as_str()));
    // and who asks learns that
    let coverage = Reader::open(&directory).unwrap().coverage(BEGIN..BEGIN + 100_000 * SECOND).unwrap();
    let first = coverage.forgotten.first().unwrap();
    assert_eq!((first.since, first.left == Left::Nothing), (BEGIN, false), "{:?}", coverage.forgotten);
    assert!(!coverage.is_whole());
    finish(writer);
    let verified = verify(&directory).unwrap();
    assert_eq!((verified.problems, verified.events), (Vec::new(), left.len() as u64));
}

#[test]
fn when_nothing_but_deaths_is_left_the_oldest_of_them_go() {
    let (_parent, directory) = store();
    let bounds = Bounds { max_bytes: LEAST_BYTES, keep_free: 0, ..Bounds::default() };
    let mut writer = open(&directory, Some(bounds));
    for number in 0..60_000 {
        let target = process(1000 + number as u32, &format!("victim{number}"), "");
        writer.put(&death(number, BEGIN + number as i64 * SECOND, 0, &target)).unwrap();
        if number % 256 == 0 {
            writer.commit().unwrap();
            writer.make_room().unwrap();
            assert!(writer.bytes() <= LEAST_BYTES);
        }
    }
    writer.commit().unwrap();
    assert_eq!(writer.lost(), 0);
    let oldest = all(&directory, &Query { limit: Some(1), ..Query::default() }, Order::OldestFirst);
    let newest = all(&directory, &Query { limit: Some(1), ..Query::default() }, Order::NewestFirst);
    assert!(!oldest[0].contains("victim0\"") && newest[0].contains("victim59999\""), "{oldest:?}");
    let coverage = Reader::open(&directory).unwrap().coverage(BEGIN..BEGIN + SECOND).unwrap();
    assert_eq!(coverage.forgotten, [Forgotten { since: BEGIN, until: BEGIN + SECOND, left: Left::Nothing }]);
}

/// A process of a user that the same user kills: the signal, and the death.
fn own_kill(id: u64, time: i64, uid: u32, sender: u32) -> [String; 2] {
    let user = |uid: u32| format!(r#","user":{{"id":{uid}}}"#);
    let target = process(1000 + id as u32, &format!("victim{id}"), &user(uid));
    let fatal = "\"result\":\"queued\",\"fatal\":true";
    let sent = signal(id, time, 9, &process(7, "killer", &user(sender)), &target);
    [sent.replace("\"result\":\"queued\"", fatal), death(id + 1, time, id, &target)]
}

/// As `killsnoop record` does it, through the process that writes. What it lost, and what was said of it.
fn flooded(lines: impl Iterator<Item = String>, bounds: Bounds) -> (tempfile::TempDir, PathBuf, String) {
    let (parent, directory) = store();
    drop(open(&directory, Some(bounds)));
    let (pipe, control, thread) = serving(&directory);
    let mut pipe = std::io::BufWriter::with_capacity(64 << 10, fs::File::from(pipe));
    for line in lines {
        pipe.write_all(line.as_bytes()).unwrap();
        pipe.write_all(b"\n").unwrap();
    }
    pipe.flush().unwrap();
    writeln!(&control, "end stopped").unwrap();
    let said: Vec<String> = BufReader::new(&control).lines().map(Result::unwrap).collect();
    thread.join().unwrap().unwrap();
    (parent, directory, said[said.len() - 2].clone())
}

/// Of a flood.
const KILLS: u64 = 100_000;

#[test]
fn a_user_that_kills_its_own_processes_has_no_death_of_others_forgotten() {
    let bounds = Bounds { max_bytes: LEAST_BYTES, keep_free: 0, ..Bounds::default() };
    // of root, of another user, and of the one that floods by root's hand
    let others = |number: u64| match number % 1000 {
        0 => Some((0, 0)),
        300 => Some((1000, 1000)),
        600 => Some((65534, 0)),
        _ => None,
    };
    let kill = |number: u64| {
        let (uid, sender) = others(number).unwrap_or((65534, 65534));
        own_kill(1 + 2 * number, BEGIN + number as i64 * SECOND / 7000, uid, sender)
    };
    let (_parent, directory, status) = flooded((0..KILLS).flat_map(kill), bounds);
    let words: Vec<&str> = status.split(' ').collect();
    assert_eq!(words[..3], ["status", &(2 * KILLS).to_string(), "0"], "none is lost: {status}");
    let found = all(&directory, &Query { is_death: true, ..Query::default() }, Order::OldestFirst);
    assert!(found.len() < KILLS as usize / 2, "{} deaths are left", found.len());
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let missing =
        (0..KILLS).filter(|number| others(*number).is_some() && !found.contains(&*kill(*number)[1])).count();
    assert_eq!(missing, 0, "of {} deaths of others", 3 * KILLS / 1000);
    // the signals that these refer to are there as well, and of the flood what it has a share of, and the newest
    let signals = all(&directory, &Query { by: vec![Who::Uid(0)], ..Query::default() }, Order::OldestFirst);
    assert_eq!(signals.len() as u64, 2 * KILLS / 1000);
    assert!(found.contains(&*kill(1)[1]) && found.contains(&*kill(KILLS - 1)[1]));
    let coverage = Reader::open(&directory).unwrap().coverage(BEGIN..BEGIN + 100 * SECOND).unwrap();
    assert!(coverage.forgotten.iter().all(|one| one.left == Left::Shares), "{:?}", coverage.forgotten);
    assert!(!coverage.is_whole());
}

#[test]
fn a_line_that_finds_no_room_costs_others_nothing() {
    let bounds = Bounds { max_bytes: LEAST_BYTES, keep_free: 0, ..Bounds::default() };
    let long = "x".repeat(1 << 20);
    let lines = |number: u64| {
        let name = if number % 50 == 49 { format!("{long}{number}") } else { format!("p{number}") };
        signal(number, BEGIN + number as i64, 15, &process(7, "a", ""), &process(8, &name, ""))
    };
    let (_parent, _directory, status) = flooded((1..3000).map(lines), bounds);
    assert!(status.starts_with("status 2999 0 "), "{status}");
}

#[test]
fn a_reader_that_holds_the_log_stops_the_writer_and_not_the_bound() {
    let (_parent, directory) = store();
    let bounds = Bounds { max_bytes: LEAST_BYTES, keep_free: 0, ..Bounds::default() };
    let mut writer = open(&directory, Some(bounds));
    let lines = derived(20_000);
    fill(&mut writer, &lines[..10]);
    let reader = rusqlite::Connection::open(directory.join(FILE)).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM event;").unwrap();
    let mut room = Room::Enough;
    let mut taken = 10;
    while room == Room::Enough {
        assert!(taken < lines.len(), "the log has no end");
        writer.put(&lines[taken]).unwrap();
        taken += 1;
        if taken % 64 == 0 {
            writer.commit().unwrap();
            room = writer.make_room().unwrap();
            assert!(writer.bytes() <= LEAST_BYTES);
        }
    }
    drop(reader);
    assert_eq!(writer.make_room().unwrap(), Room::Enough);
    fill(&mut writer, &lines[taken..taken + 10]);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), lines[..taken + 10]);
}

#[test]
fn what_cannot_be_written_is_counted_and_the_next_is_whole() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let lines = derived(300);
    fill(&mut writer, &lines[..100]);
    for line in &lines[100..150] {
        writer.put(line).unwrap();
    }
    writer.connection.execute_batch("PRAGMA query_only = ON").unwrap();
    assert!(writer.put(&lines[150]).is_err());
    assert!(writer.put(&lines[151]).is_err());
    writer.connection.execute_batch("PRAGMA query_only = OFF").unwrap();
    assert_eq!((writer.lost(), writer.pending()), (52, 0));
    fill(&mut writer, &lines[200..]);
    assert_eq!((writer.lost(), writer.stored()), (52, 200));
    let expected: Vec<String> = lines[..100].iter().chain(&lines[200..]).cloned().collect();
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), expected);
    let coverage = Reader::open(&directory).unwrap().coverage(0..i64::MAX).unwrap();
    assert_eq!(coverage.losses.iter().map(|loss| loss.count).sum::<u64>(), 52);
    assert!(verify(&directory).unwrap().problems.is_empty());
}

#[test]
fn a_process_is_found_by_every_name_that_people_have_for_it() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let nginx = process(
        812,
        "nginx",
        r#","exe":"/usr/sbin/nginx","user":{"id":33,"name":"www-data"},"cgroup":"/system.slice/nginx.service","systemd":{"unit":"nginx.service"}"#,
    );
    let pod = process(
        900,
        "java",
        r#","exe":"/opt/java","user":{"id":1000},"uts":{"nodename":"checkout-1"},"container":{"id":"4f1c2a9b77aa","name":"web_1"},"k8s":{"pod":{"uid":"u-1"},"namespace":"shop"}"#,
    );
    let kill = process(4411, "needrestart", r#","user":{"id":0}"#);
    let lines = [
        signal(1, BEGIN, 15, &kill, &nginx),
        signal(2, BEGIN + SECOND, 15, &kill, &pod),
        death(3, BEGIN + 2 * SECOND, 1, &nginx),
        signal(4, BEGIN + 3 * SECOND, 10, &nginx, &kill),
    ];
    fill(&mut writer, &lines);
    let numbers = |query: Query| -> Vec<usize> {
        let found = all(&directory, &query, Order::OldestFirst);
        found.iter().map(|line| 1 + lines.iter().position(|one| one == line).unwrap()).collect()
    };
    let target = |who: Who| numbers(Query { target: vec![who], ..Query::default() });
    let any = |name: &str| target(Who::Any(name.to_owned()));
    for name in ["812", "812@812000", "nginx", "/usr/sbin/nginx", "nginx.service", "ngi*"] {
        assert_eq!(any(name), [1, 3], "{name}");
    }
    for name in ["900", "java", "4f1c", "4f1c2a9b77aa", "web_1", "checkout-1", "shop/checkout-1", "u-1"] {
        assert_eq!(any(name), [2], "{name}");
    }
    for name in ["ngin", "81", "812@1", "4f1", "other/checkout-1", "[n]ginx", "", "'"] {
        assert_eq!(any(name), [0; 0], "{name}");
    }
    assert_eq!(target(Who::Comm("java".into())), [2]);
    assert_eq!(target(Who::Uid(33)), [1, 3]);
    assert_eq!(target(Who::User("www-data".into())), [1, 3]);
    assert_eq!(target(Who::Pod { namespace: Some("shop".into()), name: "checkout-1".into() }), [2]);
    assert_eq!(target(Who::Container("4f1c2a".into())), [2]);
    assert_eq!(numbers(Query { by: vec![Who::Comm("needrestart".into())], ..Query::default() }), [1, 2]);
    assert_eq!(numbers(Query { either: vec![Who::Comm("nginx".into())], ..Query::default() }), [1, 3, 4]);
    assert_eq!(numbers(Query { is_death: true, ..Query::default() }), [3]);
    assert_eq!(
        numbers(Query { is_death: true, target: vec![Who::Any("java".into())], ..Query::default() }),
        [0; 0]
    );
    assert_eq!(numbers(Query { signals: vec![10, 9], ..Query::default() }), [3, 4]);
    assert_eq!(numbers(Query { kinds: vec![Kind::Ended], ..Query::default() }), [3]);
    assert_eq!(
        numbers(Query { since: Some(BEGIN + SECOND), until: Some(BEGIN + 3 * SECOND), ..Query::default() }),
        [2, 3]
    );
    assert_eq!(numbers(Query { since: Some(BEGIN + 9 * SECOND), ..Query::default() }), [0; 0]);
    assert_eq!(numbers(Query { boot: Some("b".into()), after_row: Some(2), ..Query::default() }), [3, 4]);
    assert_eq!(numbers(Query { boot: Some("c".into()), ..Query::default() }), [0; 0]);
    let reader = Reader::open(&directory).unwrap();
    assert_eq!(reader.newest_row().unwrap(), 4);
    let candidates = reader.deaths_of("n*").unwrap();
    let found: Vec<_> =
        candidates.iter().map(|one| (one.identity.comm.as_deref().unwrap(), one.deaths)).collect();
    assert_eq!(found, [("nginx", 1)]);
    assert_eq!(candidates[0].newest, BEGIN + 2 * SECOND);
    assert_eq!(target(candidates[0].who()), [1, 3]);
    assert_eq!(reader.boots().unwrap()[0].id, "b");
}

#[test]
fn what_was_not_recorded_is_known_with_its_cause() {
    let (_parent, directory) = store();
    finish(open(&directory, None));
    let connection = rusqlite::Connection::open(directory.join(FILE)).unwrap();
    connection.execute_batch("DELETE FROM run; DELETE FROM epoch").unwrap();
    let run = |boot: &str, began: i64, seen: i64, ended: Option<i64>| {
        connection
            .execute(
                "INSERT INTO run(boot, version, filters, kept, began, seen, ended, reason) VALUES (?, '1', '', 'all', ?, ?, ?, ?)",
                rusqlite::params![boot, began * SECOND, seen * SECOND, ended.map(|end| end * SECOND), ended.map(|_| "stopped")],
            )
            .unwrap();
    };
    run("a", 100, 200, Some(200));
    run("a", 250, 300, None);
    run("a", 310, 400, None);
    run("b", 500, 600, None);
    connection
        .execute("INSERT INTO note(run, kind, since, until, count, detail) VALUES (1, 'loss', ?1, ?1, 41, '{}'), (1, 'clock', ?1, ?1, 0, '7')", [150 * SECOND])
        .unwrap();
    let reader = Reader::open(&directory).unwrap();
    let coverage = reader.coverage(50 * SECOND..700 * SECOND).unwrap();
    let spans: Vec<_> =
        coverage.spans.iter().map(|span| (span.since / SECOND, span.until / SECOND, span.is_open)).collect();
    assert_eq!(spans, [(100, 200, false), (250, 300, false), (310, 400, false), (500, 600, false)]);
    let gaps: Vec<_> =
        coverage.gaps.iter().map(|gap| (gap.since / SECOND, gap.until / SECOND, gap.cause.clone())).collect();
    assert_eq!(
        gaps,
        [
            (50, 100, GapCause::BeforeFirst),
            (200, 250, GapCause::Stopped("stopped".to_owned())),
            (300, 310, GapCause::Killed),
            (400, 500, GapCause::Rebooted),
            (600, 700, GapCause::Killed),
        ]
    );
    assert_eq!((coverage.losses[0].count, coverage.notes[0].kind), (41, NoteKind::Clock));
    let inside = reader.coverage(160 * SECOND..190 * SECOND).unwrap();
    assert!(inside.is_whole() && inside.filters == [""], "{inside:?}");
    assert_eq!(reader.boots().unwrap().len(), 2);
    // one that is running now
    let writer = open(&directory, None);
    let now = jiff::Timestamp::now().as_nanosecond() as i64;
    let coverage = reader.coverage(now - 10 * SECOND..now + SECOND).unwrap();
    assert!(coverage.spans.last().unwrap().is_open);
    assert_eq!(coverage.gaps.len(), 1, "before it: {coverage:?}");
    drop(writer);
}

#[test]
fn loss_before_the_store_is_coverage() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let line =
        r#"{"time":"Z","level":"WARN","msg":"events lost","event":"lost","lost":41,"cause":{"ringFull":41}}"#;
    fill(&mut writer, &[at(line, BEGIN)]);
    let coverage = Reader::open(&directory).unwrap().coverage(BEGIN..BEGIN + 1).unwrap();
    assert_eq!(
        coverage.losses,
        [Loss { since: BEGIN, until: BEGIN, count: 41, cause: "{\"ringFull\":41}".to_owned() }]
    );
}

/// A recorder that starts sees nothing until its hooks are attached, which takes seconds on a busy host.
#[test]
fn a_run_begins_when_something_is_seen() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let opened = writer.run.began();
    writer.mark(opened + SECOND / 1000);
    writer.mark(opened + SECOND / 500);
    fill(&mut writer, &derived(1));
    writer.commit().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(3));
    let reader = Reader::open(&directory).unwrap();
    let coverage = reader.coverage(opened..opened + SECOND / 500).unwrap();
    assert_eq!(coverage.gaps.len(), 1, "{coverage:?}");
    let gap = &coverage.gaps[0];
    assert_eq!((gap.since, gap.until), (opened, opened + SECOND / 1000));
    assert_eq!(gap.cause, crate::store::GapCause::BeforeFirst);
}

/// What was lost in the second before a report lies before it.
#[test]
fn a_loss_reaches_back_to_where_all_was_known() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let now = jiff::Timestamp::now().as_nanosecond() as i64;
    let lost = |second: i64| {
        let line = r#"{"time":"Z","level":"WARN","msg":"events lost","event":"lost","lost":41,"cause":{"ringFull":41}}"#;
        at(line, now + second * SECOND)
    };
    writer.mark(now + 10 * SECOND);
    writer.put(&lost(11)).unwrap();
    writer.put(&lost(12)).unwrap();
    writer.mark(now + 20 * SECOND);
    writer.put(&lost(24)).unwrap();
    writer.mark(now + 24 * SECOND);
    writer.commit().unwrap();
    let reader = super::reader::connect(&directory).unwrap();
    let mut notes =
        reader.prepare("SELECT since, until FROM note WHERE kind = 'loss' ORDER BY note").unwrap();
    let notes = notes.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap();
    let notes: Vec<(i64, i64)> = notes
        .map(Result::unwrap)
        .map(|(since, until)| ((since - now) / SECOND, (until - now) / SECOND))
        .collect();
    assert_eq!(notes, [(10, 11), (10, 12), (20, 24)]);
}

#[test]
fn who_fills_the_disk_has_no_death_forgotten() {
    let (_parent, directory) = store();
    // all of the disk is to be left to others, and more: they have filled it
    let bounds = Bounds { max_bytes: LEAST_BYTES, keep_free: 101, ..Bounds::default() };
    let mut writer = open(&directory, Some(bounds));
    let noise: Vec<String> = derived(4000)
        .into_iter()
        .filter(|line| !line.contains("\"fatal\":true") && !line.contains("\"event\":\"ended\""))
        .collect();
    let deaths: Vec<String> = (0..8000).flat_map(|number| own_kill(1 + 2 * number, BEGIN, 0, 0)).collect();
    for (noise, deaths) in noise.chunks(noise.len() / 20 + 1).zip(deaths.chunks(deaths.len() / 20 + 1)) {
        fill(&mut writer, noise);
        fill(&mut writer, deaths);
        assert_eq!(writer.make_room().unwrap(), Room::Enough);
    }
    writer.begin_epoch().unwrap();
    writer.make_room().unwrap();
    let found = all(&directory, &Query { is_death: true, ..Query::default() }, Order::OldestFirst);
    assert_eq!(found.len(), deaths.len() / 2);
    // all else is given up
    let found = all(&directory, &Query::default(), Order::OldestFirst);
    assert_eq!(found.len(), deaths.len());
}

#[test]
fn a_damaged_store_is_set_aside_and_a_new_one_begun() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    fill(&mut writer, &derived(2000));
    finish(writer);
    let file = directory.join(FILE);
    let mut bytes = fs::read(&file).unwrap();
    // a page in the middle: found by an examination, or when it is needed
    bytes[100 * 4096..101 * 4096].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    assert!(!verify(&directory).unwrap().problems.is_empty());
    let is_aside =
        |name: &str| name.contains("damaged") && !name.ends_with("-wal") && !name.ends_with("-shm");
    let names =
        || fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let asides = || names().filter(|name| is_aside(name)).count();
    // no database at all: found at once
    fs::write(&file, b"this is no database, and it is longer than a header of one would be, by far: a hundred bytes and more").unwrap();
    let (mut writer, aside) = Writer::open(&directory, None, None, &facts()).unwrap();
    assert!(aside.unwrap().contains("set aside as"));
    assert_eq!(asides(), 1);
    let lines = derived(10);
    fill(&mut writer, &lines);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), lines);
    let coverage = Reader::open(&directory).unwrap().coverage(0..i64::MAX).unwrap();
    assert_eq!(coverage.notes[0].kind, NoteKind::Damaged);
    // found while it is written
    writer.put(&lines[0]).unwrap();
    let said = writer.begin_again().unwrap();
    assert!(said.contains("set aside as"), "{said}");
    assert_eq!((asides(), writer.lost()), (2, 1));
    fill(&mut writer, &lines[..5]);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), lines[..5]);
    assert!(matches!(super::place::Place::take(&directory, None), Err(StoreError::Locked(_))));
}

#[test]
fn a_copy_is_read_without_its_recorder_and_where_nothing_may_be_written() {
    let (parent, directory) = store();
    let mut writer = open(&directory, None);
    let lines = derived(100);
    fill(&mut writer, &lines);
    let copy = parent.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        fs::copy(directory.join(&name), copy.join(&name)).unwrap();
    }
    assert_eq!(all(&copy, &Query::default(), Order::OldestFirst), lines, "with what its log holds");
    assert!(matches!(Reader::open(parent.path()), Err(StoreError::Absent(_))));
    assert!(Reader::open(parent.path()).unwrap_err().to_string().contains("hint: killsnoop record"));
}

#[test]
fn a_store_is_made_smaller_and_says_what_went() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    for lines in derived(20_000).chunks(5000) {
        fill(&mut writer, lines);
        writer.begin_epoch().unwrap();
    }
    finish(writer);
    let before = disk_usage(&directory).unwrap();
    assert_eq!((before.events, before.times), (20_000, Some((BEGIN, BEGIN + 19_999 * SECOND))));
    let vacuumed = vacuum_time(&directory, BEGIN + 7000 * SECOND).unwrap();
    assert_eq!(vacuumed.events, 5000, "an epoch that is older as a whole");
    assert!(vacuumed.after < vacuumed.before);
    let most = before.bytes / 2;
    let vacuumed = vacuum_size(&directory, most).unwrap();
    let after = disk_usage(&directory).unwrap();
    assert!(after.bytes <= most && after.bytes == vacuumed.after && after.events > 0, "{after:?}");
    assert!(!Reader::open(&directory).unwrap().coverage(0..i64::MAX).unwrap().forgotten.is_empty());
    assert!(verify(&directory).unwrap().problems.is_empty());
}

#[test]
fn events_that_are_too_old_are_forgotten() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    fill(&mut writer, &derived(100));
    writer.begin_epoch().unwrap();
    let now = jiff::Timestamp::now().as_nanosecond() as i64;
    let recent: Vec<String> = derived(10).iter().map(|line| at(line, now)).collect();
    fill(&mut writer, &recent);
    finish(writer);
    let age = std::time::Duration::from_secs(3600);
    drop(open(&directory, Some(Bounds { max_age: Some(age), ..Bounds::default() })));
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), recent);
    // and without bounds of its own the next one has these
    let writer = open(&directory, None);
    assert_eq!(writer.bounds.max_age, Some(age));
}

#[test]
fn of_a_small_disk_only_deaths_and_what_may_end_are_kept() {
    let (_parent, directory) = store();
    let facts = RunFacts { keeps: Kept::Deaths, ..facts() };
    let mut writer = Writer::open(&directory, None, None, &facts).unwrap().0;
    let (a, b) = (process(7, "a", ""), process(8, "b", ""));
    let term = signal(1, BEGIN, 15, &a, &b);
    let lines = [
        term.clone(),
        signal(2, BEGIN, 17, &a, &b),
        term.replace("queued", "ignored"),
        death(3, BEGIN, 1, &b),
    ];
    fill(&mut writer, &lines);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), [term, lines[3].clone()]);
    let coverage = Reader::open(&directory).unwrap().coverage(0..i64::MAX).unwrap();
    assert_eq!(coverage.filters, ["--keep deaths"]);
}

/// The process that writes, as a thread.
fn serving(directory: &Path) -> (OwnedFd, UnixStream, std::thread::JoinHandle<Result<(), StoreError>>) {
    let (theirs, ours) = rustix::pipe::pipe().unwrap();
    let (control, their_control) = UnixStream::pair().unwrap();
    let writer = open(directory, None);
    let syncer = super::Syncer::start(directory).unwrap();
    let service = Service::new(writer, syncer, theirs.into(), their_control).unwrap();
    (ours, control, std::thread::spawn(|| service.serve()))
}

#[test]
fn the_process_that_writes_keeps_what_came_before_the_end() {
    let (_parent, directory) = store();
    let (lines, control, thread) = serving(&directory);
    let all_lines = derived(3000);
    let mut pipe = fs::File::from(lines);
    for some in all_lines.chunks(100) {
        pipe.write_all((some.join("\n") + "\n").as_bytes()).unwrap();
    }
    writeln!(&control, "end stopped").unwrap();
    let said: Vec<String> = BufReader::new(&control).lines().map(Result::unwrap).collect();
    assert!(said[0].starts_with("ready ") && said.last().unwrap() == "done", "{said:?}");
    thread.join().unwrap().unwrap();
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), all_lines);
    let coverage = Reader::open(&directory).unwrap().coverage(0..i64::MAX).unwrap();
    assert!(
        matches!(&coverage.gaps.last(), Some(gap) if gap.cause == GapCause::BeforeFirst)
            || coverage.gaps.len() <= 2
    );
}

#[test]
fn what_a_recorder_writes_now_is_not_taken_from_it() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let lines = derived(200);
    fill(&mut writer, &lines[..100]);
    let vacuumed = super::vacuum_time(&directory, i64::MAX).unwrap();
    assert_eq!(vacuumed.events, 0, "{vacuumed:?}");
    super::vacuum_size(&directory, 1).unwrap();
    fill(&mut writer, &lines[100..]);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), lines);
    finish(writer);
    assert!(super::vacuum_time(&directory, i64::MAX).unwrap().events >= 200);
}

#[test]
fn a_tracer_that_is_gone_without_a_word_was_killed() {
    let (_parent, directory) = store();
    let (lines, control, thread) = serving(&directory);
    let some = derived(10);
    let mut pipe = fs::File::from(lines);
    pipe.write_all((some.join("\n") + "\nhalf of a li").as_bytes()).unwrap();
    drop((pipe, control));
    thread.join().unwrap().unwrap();
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), some);
    // a later run closes the gap
    std::thread::sleep(std::time::Duration::from_millis(20));
    drop(open(&directory, None));
    let coverage = Reader::open(&directory).unwrap().coverage(0..i64::MAX).unwrap();
    assert_eq!(coverage.gaps[1].cause, GapCause::Killed, "{coverage:?}");
}

#[test]
fn a_store_that_is_to_be_smaller_is_made_so() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    for lines in derived(40_000).chunks(4000) {
        fill(&mut writer, lines);
        writer.begin_epoch().unwrap();
    }
    finish(writer);
    assert!(disk_usage(&directory).unwrap().bytes > LEAST_BYTES);
    let bounds = Bounds { max_bytes: LEAST_BYTES, keep_free: 0, ..Bounds::default() };
    let writer = open(&directory, Some(bounds));
    assert!(writer.bytes() <= LEAST_BYTES, "{} bytes", writer.bytes());
    assert!(verify(&directory).unwrap().problems.is_empty());
}

#[test]
fn a_request_is_found_by_the_unit_that_it_names_and_is_no_process_of_it() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let line = format!(
        r#"{{"time":"Z","level":"INFO","msg":"control command","event":"request","id":1,"summary":"s","request":{{"argv0":"systemctl","unit":"nginx.service"}},"source":{}}}"#,
        process(7, "systemctl", "")
    );
    let lines = [at(&line, BEGIN)];
    fill(&mut writer, &lines);
    let query = |who: Who| Query { either: vec![who], kinds: vec![Kind::Request], ..Query::default() };
    assert_eq!(all(&directory, &query(Who::Unit("nginx.service".into())), Order::OldestFirst), lines);
    assert_eq!(all(&directory, &query(Who::Any("nginx".into())), Order::OldestFirst), lines);
    assert_eq!(all(&directory, &query(Who::Comm("nginx".into())), Order::OldestFirst), [""; 0]);
    assert!(Reader::open(&directory).unwrap().deaths_of("nginx").unwrap().is_empty());
}

/// Whatever part of the past is asked for, in either order, a few at a time or all.
#[test]
fn what_fits_is_found_in_whichever_epochs_it_is() {
    let (_parent, directory) = store();
    let mut writer = open(&directory, None);
    let mut lines = Vec::new();
    for number in 0..400_u64 {
        let name = if number % 7 == 3 { "nginx" } else { "other" };
        let target = process(1000 + u32::try_from(number).unwrap(), name, "");
        let time = BEGIN + number as i64 * SECOND;
        lines.push(if number % 14 == 3 {
            death(number, time, 0, &target)
        } else {
            signal(number, time, 15, &process(7, "sender", ""), &target)
        });
        if number % 3 == 0 {
            writer.commit().unwrap();
            writer.begin_epoch().unwrap();
        }
        writer.put(lines.last().unwrap()).unwrap();
    }
    writer.commit().unwrap();
    let expected = |is_death: bool, rows: std::ops::Range<u64>, order: Order, limit: Option<u64>| {
        let fits = |number: &u64| number % if is_death { 14 } else { 7 } == 3;
        let mut numbers: Vec<u64> = rows.filter(fits).collect();
        if order == Order::NewestFirst {
            numbers.reverse();
        }
        numbers.truncate(limit.unwrap_or(u64::MAX) as usize);
        numbers.into_iter().map(|number| lines[number as usize].clone()).collect::<Vec<_>>()
    };
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for limit in [None, Some(1), Some(2), Some(30)] {
            for (is_death, named) in [(false, true), (true, true), (true, false)] {
                for rows in [0..400, 50..300, 0..1, 399..400] {
                    let query = Query {
                        target: if named { vec![Who::Comm("nginx".into())] } else { Vec::new() },
                        is_death,
                        limit,
                        since: Some(BEGIN + rows.start as i64 * SECOND),
                        until: Some(BEGIN + rows.end as i64 * SECOND),
                        ..Query::default()
                    };
                    assert_eq!(
                        all(&directory, &query, order),
                        expected(is_death, rows.clone(), order, limit),
                        "{order:?} {limit:?} {is_death} {named} {rows:?}"
                    );
                    // numbers of rows begin with 1
                    let by_row = Query {
                        since: None,
                        until: None,
                        after_row: Some(rows.start as i64),
                        before_row: Some(rows.end as i64 + 1),
                        ..query
                    };
                    assert_eq!(all(&directory, &by_row, order), expected(is_death, rows, order, limit));
                }
            }
        }
    }
    let nobody = Query { target: vec![Who::Comm("nobody".into())], ..Query::default() };
    assert!(all(&directory, &nobody, Order::NewestFirst).is_empty());
}

/// A commit does not wait until nothing more comes.
#[test]
fn an_event_is_committed_at_its_age_while_others_come() {
    let (_parent, directory) = store();
    let (lines, control, thread) = serving(&directory);
    let mut pipe = fs::File::from(lines);
    let some = derived(200).join("\n") + "\n";
    let reader = Reader::open(&directory).unwrap();
    let began = std::time::Instant::now();
    while reader.newest_row().unwrap() == 0 {
        pipe.write_all(some.as_bytes()).unwrap();
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "nothing is committed");
    }
    writeln!(&control, "end stopped").unwrap();
    drop(pipe);
    thread.join().unwrap().unwrap();
}
