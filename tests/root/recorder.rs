//! What is recorded is what was printed; and what happens when it cannot be.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use killsnoop::store::{Coverage, GapCause, NoteKind, Order, Query, Reader, Who, verify};
use rustix::process::Signal;
use support::{
    Process, Tracer, children_of, has_ended, kill, killsnoop, run_workload, status_field, wait_until,
};

use crate::Test;
use crate::stress::Disk;

pub const TESTS: &[Test] = &[
    ("a_recorded_kill_is_read_back_byte_for_byte", &[], byte_for_byte),
    ("a_recorder_that_was_killed_leaves_a_whole_store_and_a_gap", &[], killed),
    ("a_second_recorder_on_a_store_is_refused", &[], second),
    ("a_store_of_a_newer_version_is_refused_clearly", &[], newer),
    ("a_damaged_page_is_no_end_of_the_recording", &[], damaged),
    ("a_full_disk_does_not_end_the_trace_and_is_counted", &[], full_disk),
    ("a_store_that_may_not_be_written_is_refused_at_the_start", &[], read_only),
    ("a_group_reads_the_store_and_nobody_else_does", &[], groups),
    ("who_may_only_read_keeps_no_recorder_from_starting", &[], held_by_reader),
    ("run_and_a_trace_record_into_a_store_too", &[], other_commands),
    ("the_process_that_writes_the_store_has_no_rights_but_to_write_files", &[], no_rights),
    ("sighup_reads_the_configuration_again_and_a_wrong_one_changes_nothing", &[], configuration),
    ("the_service_manager_hears_that_a_recorder_is_ready_runs_and_ends", &[], service_manager),
];

/// A directory for a store that is not there yet.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn file(&self) -> PathBuf {
        self.store().join("events.db")
    }

    /// A recorder, with further arguments.
    fn recorder(&self, arguments: &[&str]) -> Tracer {
        recorder(&self.store(), arguments)
    }

    fn lines(&self, query: &Query) -> Vec<String> {
        lines(&self.store(), query)
    }

    fn coverage(&self) -> Coverage {
        Reader::open(&self.store()).unwrap().coverage(0..i64::MAX).unwrap()
    }

    /// A process that is killed while a recorder looks, as soon as its death is in the store. Its pid.
    fn record_a_death(&self) -> u32 {
        let target = Process::workload(&["wait"]);
        target.kill(Signal::KILL);
        let pid = target.pid();
        wait_until("the death in the store", || (!self.lines(&death_of(pid)).is_empty()).then_some(()));
        pid
    }
}

fn recorder(store: &Path, arguments: &[&str]) -> Tracer {
    let store = store.to_str().unwrap();
    Tracer::start(&[&["record", "--store", store, "--keep-free", "0"], arguments].concat())
}

fn death_of(pid: u32) -> Query {
    Query { is_death: true, target: vec![Who::Pid(pid)], ..Query::default() }
}

fn lines(store: &Path, query: &Query) -> Vec<String> {
    let mut lines = Vec::new();
    let take = |event: killsnoop::store::StoredEvent| {
        lines.push(event.json);
        ControlFlow::Continue(())
    };
    Reader::open(store).unwrap().each(query, Order::OldestFirst, take).unwrap();
    lines
}

/// A recorder that is expected to end by itself.
fn refused(arguments: &[&str]) -> Output {
    Command::new(killsnoop()).arg("record").args(arguments).output().unwrap()
}

fn said_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_whole(store: &Path) {
    let verified = verify(store).unwrap();
    assert!(verified.problems.is_empty(), "{:?}", verified.problems);
}

fn byte_for_byte() {
    let place = Place::new();
    let printed = place.0.path().join("printed");
    let tracer = place.recorder(&["-o", &format!("json={}", printed.display())]);
    let mut victim = Process::workload(&["meets", "15", "handle"]);
    victim.kill(Signal::TERM);
    victim.kill(Signal::KILL);
    victim.reap();
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "300", &target.pid().to_string()]);
    let pid = place.record_a_death();
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    let printed = fs::read_to_string(printed).unwrap();
    let recorded = place.lines(&Query::default());
    assert!(recorded.len() > 300, "{} events", recorded.len());
    for (recorded, printed) in recorded.iter().zip(printed.lines()) {
        assert_eq!(recorded, printed);
    }
    assert_eq!(recorded.len(), printed.lines().count());
    assert!(said.stderr.contains(&format!("{} events kept in", recorded.len())), "{}", said.stderr);
    // and with the tool that people have
    let by_name = Query { target: vec![Who::Any("workload".into())], is_death: true, ..Query::default() };
    assert!(place.lines(&by_name).iter().any(|line| line.contains(&format!("\"pid\":{pid},"))));
    let coverage = place.coverage();
    assert!(
        matches!(&coverage.gaps.last().unwrap().cause, GapCause::Stopped(reason) if reason == "stopped"),
        "{coverage:?}"
    );
    assert_whole(&place.store());
}

/// The process that writes for this recorder.
fn writer_of(pid: u32) -> u32 {
    let name = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    children_of(pid).into_iter().find(|child| name(child).trim() == "killsnoop-store").unwrap()
}

fn killed() {
    for also_the_writer in [false, true] {
        let place = Place::new();
        let tracer = place.recorder(&[]);
        let pid = place.record_a_death();
        let writer = writer_of(tracer.pid());
        if also_the_writer {
            kill(writer, Signal::KILL);
        }
        tracer.signal(Signal::KILL);
        let said = tracer.wait();
        wait_until("the end of what writes", || has_ended(writer).then_some(()));
        assert_whole(&place.store());
        assert_eq!(place.lines(&death_of(pid)).len(), 1, "{}", said.stderr);
        let coverage = place.coverage();
        assert!(coverage.spans.iter().all(|span| span.run == 1), "{coverage:?}");
        // the next one closes the gap
        let tracer = place.recorder(&[]);
        let other = place.record_a_death();
        tracer.stop();
        let coverage = place.coverage();
        assert!(coverage.gaps.iter().any(|gap| gap.cause == GapCause::Killed), "{coverage:?}");
        assert_eq!(coverage.spans.len(), 2);
        assert_eq!((place.lines(&death_of(pid)).len(), place.lines(&death_of(other)).len()), (1, 1));
    }
}

fn second() {
    let place = Place::new();
    let tracer = place.recorder(&[]);
    let store = place.store().to_str().unwrap().to_owned();
    let output = refused(&["--store", &store]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said_of(&output).contains("another recorder writes to the store")
            && said_of(&output).contains("hint:"),
        "{}",
        said_of(&output)
    );
    place.record_a_death();
    assert_eq!(tracer.stop().status.code(), Some(0));
}

fn newer() {
    let place = Place::new();
    place.recorder(&[]).stop();
    let connection = rusqlite::Connection::open(place.file()).unwrap();
    connection.pragma_update(None, "user_version", 9999).unwrap();
    drop(connection);
    let output = refused(&["--store", place.store().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said_of(&output).contains("the store has version 9999"), "{}", said_of(&output));
    assert!(Reader::open(&place.store()).unwrap_err().to_string().contains("9999"));
}

fn damaged() {
    let place = Place::new();
    let tracer = place.recorder(&[]);
    place.record_a_death();
    tracer.stop();
    // all but the first page, which says that it is a store
    let mut bytes = fs::read(place.file()).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(place.file(), bytes).unwrap();
    assert!(!verify(&place.store()).unwrap().problems.is_empty());
    let tracer = place.recorder(&[]);
    let pid = place.record_a_death();
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("set aside as") && said.stderr.contains("events.db.damaged-"),
        "{}",
        said.stderr
    );
    assert_eq!(place.lines(&death_of(pid)).len(), 1);
    assert!(place.coverage().notes.iter().any(|note| note.kind == NoteKind::Damaged));
    assert_whole(&place.store());
}

fn full_disk() {
    let disk = Disk::new("8m");
    let store = disk.path().join("store");
    let place = Place::new();
    let printed = place.0.path().join("printed");
    let tracer = recorder(&store, &["-o", &format!("json={}", printed.display())]);
    let target = Process::workload(&["wait"]);
    target.kill(Signal::KILL);
    wait_until("the death in the store", || {
        (!lines(&store, &death_of(target.pid())).is_empty()).then_some(())
    });
    // somebody else fills it
    let rest = disk.path().join("rest");
    let _ = fs::write(&rest, vec![0; 16 << 20]);
    let sink = Process::workload(&["meets", "10", "handle"]);
    wait_until("that it cannot be written", || {
        run_workload(&["storm", "10", "500", &sink.pid().to_string()]);
        tracer.stderr().contains("events that could not be kept so far").then_some(())
    });
    fs::remove_file(&rest).unwrap();
    let again = Process::workload(&["wait"]);
    wait_until("that it can be written again", || {
        run_workload(&["storm", "10", "10", &sink.pid().to_string()]);
        tracer.stderr().contains("the store is written again").then_some(())
    });
    again.kill(Signal::KILL);
    wait_until("the next death", || (!lines(&store, &death_of(again.pid())).is_empty()).then_some(()));
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("events could not be kept in"), "{}", said.stderr);
    let printed = fs::read_to_string(printed).unwrap();
    let recorded = lines(&store, &Query::default());
    let coverage = Reader::open(&store).unwrap().coverage(0..i64::MAX).unwrap();
    let lost: u64 = coverage.losses.iter().map(|loss| loss.count).sum();
    // under pressure a line stands for several events
    let events = |line: &str| support::event(line)["repeated"].as_u64().unwrap_or(1);
    assert_eq!(
        recorded.iter().map(|line| events(line)).sum::<u64>() + lost,
        printed.lines().map(events).sum::<u64>(),
        "each is kept or counted: {coverage:?}"
    );
    assert!(coverage.notes.iter().any(|note| note.kind == NoteKind::Full), "{coverage:?}");
    assert_whole(&store);
}

fn read_only() {
    let disk = Disk::new("32m");
    let store = disk.path().join("store");
    recorder(&store, &[]).stop();
    disk.mount("32m", "remount,ro,");
    let output = refused(&["--store", store.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said_of(&output).contains("Read-only file system"), "{}", said_of(&output));
    // and is read all the same
    assert!(lines(&store, &death_of(1)).is_empty());
    assert_whole(&store);
}

/// Reads a store as the user that this process was started as.
pub fn read_as_other_user(store: &Path) -> ExitCode {
    match Reader::open(store).and_then(|reader| reader.newest_row()) {
        Ok(row) => {
            println!("{row}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

const GROUP: u32 = 61_234;

/// A lock to read, on the byte that SQLite locks to write.
fn held_by_reader() {
    let place = Place::new();
    fs::set_permissions(place.0.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let group = GROUP.to_string();
    let tracer = place.recorder(&["--store-group", &group]);
    place.record_a_death();
    let program = place.0.path().join("workload");
    fs::copy(support::workload(), &program).unwrap();
    let mut command = Command::new(&program);
    command.arg("locks").arg(place.store().join("events.db-shm")).args(["120", "121", "128"]);
    let holder = Process::start(command.uid(61_000).gid(GROUP).stdout(std::process::Stdio::piped()));
    assert_eq!(holder.said().trim(), "0");
    // what is lost is known to be: nobody hears that nothing happened
    let target = Process::workload(&["wait"]);
    target.kill(Signal::KILL);
    let ask = |pid: u32| {
        let pid = pid.to_string();
        let mut command = Command::new(killsnoop());
        command.args(["why", "--pid", &pid, "--store"]).arg(place.store()).output().unwrap()
    };
    let answer = ask(target.pid());
    assert_eq!(answer.status.code(), Some(3), "{}", said_of(&answer));
    tracer.stop();
    assert_eq!(ask(target.pid()).status.code(), Some(3));
    // and the next one records all the same
    let tracer = place.recorder(&["--store-group", &group]);
    assert!(tracer.stderr().contains("a process that may only read"), "{}", tracer.stderr());
    let target = Process::workload(&["wait"]);
    target.kill(Signal::KILL);
    wait_until("the death in the store", || ask(target.pid()).status.success().then_some(()));
    assert_eq!(tracer.stop().status.code(), Some(0));
    assert_whole(&place.store());
}

fn groups() {
    let place = Place::new();
    fs::set_permissions(place.0.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let tracer = place.recorder(&["--store-group", &GROUP.to_string()]);
    place.record_a_death();
    // the test's program is where not everybody may look
    let program = place.0.path().join("reader");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let read = |group: u32| {
        Command::new(&program)
            .env("KILLSNOOP_READ_STORE", place.store())
            .uid(61_000)
            .gid(group)
            .output()
            .unwrap()
    };
    let check = |when: &str| {
        let output = read(GROUP);
        assert!(output.status.success(), "{when}: {}", said_of(&output));
        assert!(String::from_utf8_lossy(&output.stdout).trim().parse::<i64>().unwrap() > 0);
        let output = read(61_001);
        assert!(
            !output.status.success() && said_of(&output).contains("Permission denied"),
            "{when}: {}",
            said_of(&output)
        );
        assert!(said_of(&output).contains("hint: the store is read by its owner"), "{}", said_of(&output));
    };
    check("while it is written");
    assert_eq!(tracer.stop().status.code(), Some(0));
    check("when nobody writes it");
    // a recorder without the group takes it back
    place.recorder(&[]).stop();
    assert!(!read(GROUP).status.success());
}

fn other_commands() {
    let place = Place::new();
    let store = place.store().to_str().unwrap().to_owned();
    let output = Command::new(killsnoop())
        .args(["run", "--store", &store, "-o", "json", "--", "sh", "-c", "kill -9 $$"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(137), "{}", said_of(&output));
    let printed: Vec<String> =
        said_of(&output).lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect();
    assert!(printed.len() >= 2, "{}", said_of(&output));
    assert_eq!(place.lines(&Query::default()), printed);
    let tracer = Tracer::json(&["--store", &store]);
    place.record_a_death();
    let said = tracer.stop();
    let all = place.lines(&Query::default());
    assert_eq!(all[printed.len()..].join("\n") + "\n", said.stdout);
    assert_eq!(place.coverage().spans.len(), 2);
}

fn no_rights() {
    let place = Place::new();
    let tracer = place.recorder(&[]);
    let writer = writer_of(tracer.pid());
    let field = |name: &str| status_field(writer, name).unwrap();
    // of all capabilities: to write where the owner may
    let capabilities = u64::from_str_radix(&field("CapPrm"), 16).unwrap();
    assert_eq!(capabilities & !(1 << 1), 0, "{capabilities:x}");
    assert_eq!((field("NoNewPrivs").as_str(), field("Seccomp").as_str()), ("1", "2"));
    place.record_a_death();
    tracer.stop();
}

fn configuration() {
    let place = Place::new();
    let config = place.0.path().join("record.conf");
    fs::write(&config, format!("# where\n--store {}\n--keep-free 0\n", place.store().display())).unwrap();
    let tracer = Tracer::start(&["record", "--config", config.to_str().unwrap()]);
    place.record_a_death();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, "--where nonsense\n").unwrap();
    tracer.signal(Signal::HUP);
    wait_until("that it is not valid", || tracer.stderr().contains("goes on as before").then_some(()));
    place.record_a_death();
    assert_eq!(place.coverage().spans.len(), 1);
    fs::write(&config, text + "--exclude-signals USR1\n").unwrap();
    tracer.signal(Signal::HUP);
    wait_until("that it was read", || tracer.stderr().contains("was read again").then_some(()));
    wait_until("the next run", || (place.coverage().filters.last()?.contains("USR1")).then_some(()));
    wait_until("a death in it", || {
        let target = Process::workload(&["wait"]);
        target.kill(Signal::KILL);
        let pid = target.pid();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        (!place.lines(&death_of(pid)).is_empty()).then_some(())
    });
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    let coverage = place.coverage();
    assert_eq!(coverage.spans.len(), 2, "{coverage:?}");
    assert!(coverage.gaps.iter().all(|gap| gap.cause != GapCause::Killed), "{coverage:?}");
    let output = refused(&["--config", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said_of(&output).contains("/nowhere/at/all"), "{}", said_of(&output));
}

fn service_manager() {
    for is_supervised in [false, true] {
        let place = Place::new();
        let path = place.0.path().join("notify");
        let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(support::patience())).unwrap();
        let hear = || {
            let mut bytes = [0; 1024];
            let count = socket.recv(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes[..count]).into_owned()
        };
        let config = place.0.path().join("record.conf");
        fs::write(&config, "").unwrap();
        let mut command = Command::new(killsnoop());
        command.args(["record", "--store", place.store().to_str().unwrap(), "-v"]);
        if is_supervised {
            command.arg("--config").arg(&config);
        }
        let tracer = Tracer::run(command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1500000"));
        assert!(hear().starts_with("READY=1"));
        assert_eq!(hear(), "WATCHDOG=1");
        assert_eq!(tracer.stop().status.code(), Some(0));
        wait_until("the last word", || (hear() == "STOPPING=1").then_some(()));
    }
}
