//! What a person sees on a terminal: the format without `-o`, its width, its clock, its characters; and what is left out there.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use support::{Process, STARTED, Terminal, killsnoop};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_kill_on_a_terminal_is_one_line_with_sender_target_and_effect", &[], one_line),
    ("run_and_who_print_lines_on_a_terminal_too", &[], run_and_who),
    ("a_line_fits_the_terminal_and_keeps_its_effect", &[], fits),
    ("eyes_get_local_time_and_ascii_where_the_locale_is_not_utf_8", &[], local_and_ascii),
    ("piped_it_prints_logfmt", &[], piped),
    ("a_format_that_nobody_chose_is_explained_at_a_terminal", &[], piped_at_a_terminal),
    ("a_slow_start_is_a_line_that_vanishes", &[], slow_start),
    ("a_closed_standard_error_ends_no_trace", &[], closed_stderr),
    ("the_own_control_c_is_no_line_but_counted_and_in_json", &[], own_control_c),
    ("zombies_and_pipelines_are_left_out_for_eyes_alone", &[], left_out),
    ("a_table_repeats_its_heading_after_a_resize_and_shows_the_requested_pid", &[], resized_table),
    ("trees_of_run_begin_with_the_command", &[], tree_of_run),
];

/// A tracer on a terminal, ready.
fn tracer(columns: u16, arguments: &[&str]) -> Terminal {
    traced(columns, Command::new(killsnoop()).args(["-l", "info"]).args(arguments))
}

fn traced(columns: u16, command: &mut Command) -> Terminal {
    let has = |name| command.get_envs().any(|(key, _)| key == name);
    if !has("LC_ALL") {
        command.env("LC_ALL", "C.UTF-8");
    }
    if !command.get_envs().any(|(key, _)| key == "TZ") {
        command.env("TZ", "");
    }
    let terminal = Terminal::start(columns, command);
    terminal.wait_for("a tracer that is ready", |line| line.contains(STARTED));
    terminal
}

/// The lines about this process.
fn lines_of(terminal: &Terminal, pid: u32) -> Vec<String> {
    terminal.lines().into_iter().filter(|line| line.contains(&format!("({pid})"))).collect()
}

fn one_line() {
    let mut terminal = tracer(120, &[]);
    let target = Process::workload(&["wait"]);
    let pid = target.pid();
    let sender = Command::new("sh")
        .args(["-c", &format!("kill -TERM {pid}; :")])
        .stdout(Stdio::null())
        .spawn()
        .and_then(|mut sender| sender.wait().map(|_| sender.id()))
        .unwrap();
    let line = terminal.wait_for("the line", |line| line.contains(&format!("({pid})")));
    terminal.press("\x03");
    assert_eq!(terminal.wait().code(), Some(0));
    assert_eq!(lines_of(&terminal, pid), std::slice::from_ref(&line), "{}", terminal.text());
    let words = format!(
        "  TERM  sh({sender}) [sh -c \"kill -TERM {pid}; :\"] → workload({pid}) [workload wait]   killed after "
    );
    assert!(line.contains(&words), "{line}");
    assert!(terminal.text().contains("\x1b["), "there are colours");
}

fn run_and_who() {
    let mut run = Terminal::start(
        100,
        Command::new(killsnoop()).args(["run", "--", "sh", "-c", "kill -TERM $$"]).env("LC_ALL", "C.UTF-8"),
    );
    assert_eq!(run.wait().code(), Some(143));
    run.wait_for("the line of run", |line| {
        line.contains("  TERM  sh(") && line.contains(" → itself   killed after ")
    });
    let target = Process::workload(&["wait"]);
    let pid = target.pid().to_string();
    let mut who = traced(100, Command::new(killsnoop()).args(["who", "-l", "info", &pid]));
    target.kill(Signal::KILL);
    assert_eq!(who.wait().code(), Some(0));
    who.wait_for("the line of who", |line| {
        line.contains("  KILL  ")
            && line.contains(&format!(" → workload({pid})"))
            && line.contains("   killed after ")
    });
}

fn fits() {
    let long = "x".repeat(300);
    for columns in [60, 80, 200] {
        let terminal = tracer(columns, &[]);
        let target =
            Process::start(Command::new("sh").args(["-c", "echo; while :; do sleep 0.01; done", &long]));
        target.kill(Signal::KILL);
        let pid = format!("({})", target.pid());
        let line = terminal.wait_for("the line", |line| line.contains(&pid));
        assert!(line.chars().count() <= usize::from(columns), "{columns}: {line}");
        assert!(line.contains("   killed"), "{columns}: {line}");
        assert!(columns < 200 || line.contains('…'), "{columns}: {line}");
    }
}

fn local_and_ascii() {
    let utc = hour;
    for (zone, hours, suffix) in [("XST-7", 7, ""), ("nonsense/nowhere", 0, "Z")] {
        for format in ["line", "table", "tree"] {
            let terminal = traced(
                120,
                Command::new(killsnoop())
                    .args(["-l", "info", "-o", format])
                    .env("TZ", zone)
                    .env("LC_ALL", "C"),
            );
            let target = Process::workload(&["wait"]);
            let before = utc();
            target.kill(Signal::TERM);
            let pid = format!("({})", target.pid());
            let line = terminal.wait_for("the line", |line| line.contains(&pid) && line.contains("TERM"));
            let expected = [before, utc()].map(|hour| format!("{:02}:", (hour + hours) % 24));
            assert!(expected.iter().any(|hour| line.starts_with(hour)), "{zone} {expected:?}: {line}");
            assert_eq!(line[12..].starts_with('Z'), suffix == "Z", "{zone} {format}: {line}");
            assert!(terminal.text().is_ascii(), "{format}: {}", terminal.text());
        }
    }
}

/// The hour of the day, UTC.
fn hour() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs() / 3600 % 24
}

fn piped() {
    let tracer = support::Tracer::start(&[]);
    let target = Process::workload(&["wait"]);
    target.kill(Signal::TERM);
    let pid = format!(" target.pid={} ", target.pid());
    support::wait_until("the line", || tracer.lines().into_iter().find(|line| line.contains(&pid)));
    let said = tracer.stop();
    assert!(said.stdout.lines().all(|line| line.starts_with("time=")), "{}", said.stdout);
}

fn piped_at_a_terminal() {
    let hint = "killsnoop: standard output is no terminal, so events are logfmt";
    for (flags, has_hint) in [("", true), ("-o logfmt", false), ("-o json", false)] {
        let pipe = format!("{} -l info {flags} | cat", killsnoop());
        let terminal = traced(100, Command::new("sh").args(["-c", &pipe]));
        assert_eq!(terminal.text().contains(hint), has_hint, "{flags}: {}", terminal.text());
    }
}

/// The start is made slow by stopping it, once the thread exists that is to say so.
fn slow_start() {
    let mut terminal = support::wait_until("a start that was stopped in time", || {
        let terminal = Terminal::start(100, Command::new(killsnoop()).args(["-l", "info"]));
        let tasks = format!("/proc/{}/task", terminal.pid());
        let is_thread = |task: &std::fs::DirEntry| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm == "start-line\n")
        };
        let begun = std::time::Instant::now();
        while begun.elapsed() < support::patience() {
            let tasks = std::fs::read_dir(&tasks).into_iter().flatten().flatten().collect::<Vec<_>>();
            if tasks.iter().any(is_thread) {
                support::kill(terminal.pid(), Signal::STOP);
                std::thread::sleep(std::time::Duration::from_millis(500));
                support::kill(terminal.pid(), Signal::CONT);
                return Some(terminal);
            }
            if terminal.text().contains(STARTED) {
                return None;
            }
        }
        None
    });
    terminal.wait_for("a tracer that is ready", |line| line.contains(STARTED));
    let text = terminal.text();
    let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("no {word} in {text:?}"));
    assert!(place("starting: loading the BPF programs") < place(STARTED), "{text:?}");
    let lines = terminal.lines();
    assert!(!lines.iter().any(|line| line.contains("starting")), "it is taken away: {lines:#?}");
    terminal.press("\x03");
    assert_eq!(terminal.wait().code(), Some(0));
}

fn own_control_c() {
    for format in ["line", "table", "tree"] {
        let mut terminal = tracer(120, &["-o", format]);
        terminal.press("\x03");
        assert_eq!(terminal.wait().code(), Some(0));
        let own = lines_of(&terminal, terminal.pid());
        assert!(own.is_empty(), "{format}: {own:?}");
        terminal.wait_for("the count", |line| line.contains("left out as no news"));
    }
    for arguments in [&["-o", "json"][..], &["--all"]] {
        let mut terminal = tracer(120, arguments);
        terminal.press("\x03");
        assert_eq!(terminal.wait().code(), Some(0));
        let pid = terminal.pid();
        let is_own = |line: &str| {
            line.contains(&format!("\"pid\":{pid},")) || line.contains(&format!(" → killsnoop({pid})"))
        };
        terminal.wait_for("the signal", |line| is_own(line) && line.contains("INT"));
    }
}

fn left_out() {
    let json = support::Tracer::json(&[]);
    let terminal = tracer(120, &[]);
    let all = tracer(120, &["--all"]);
    let zombie = Process::start(Command::new("sh").args(["-c", "echo"]));
    support::wait_until("the zombie", || support::has_ended(zombie.pid()).then_some(()));
    zombie.kill(Signal::TERM);
    assert!(Command::new("sh").args(["-c", "yes | head -1 >/dev/null; :"]).status().unwrap().success());
    json.signal_to(zombie.pid(), 15);
    let yes = json.wait_for("the end of yes", |event| {
        event["event"] == "ended" && event["signalName"] == "SIGPIPE" && event["target"]["comm"] == "yes"
    });
    let yes = yes["target"]["pid"].as_u64().unwrap() as u32;
    // behind both
    let last = Process::workload(&["wait"]);
    last.kill(Signal::TERM);
    for screen in [&terminal, &all] {
        screen.wait_for("the last line", |line| line.contains(&format!("({})", last.pid())));
    }
    for pid in [zombie.pid(), yes] {
        assert!(lines_of(&terminal, pid).is_empty(), "{}", terminal.text());
        assert!(!lines_of(&all, pid).is_empty(), "{}", all.text());
    }
}

fn resized_table() {
    let terminal = tracer(80, &["-o", "table", "--failed"]);
    for (columns, headings) in [(80, 1), (80, 1), (120, 2)] {
        terminal.resize(columns);
        let target = Process::workload(&["wait"]);
        target.kill(Signal::TERM);
        let row = terminal.wait_for("the row", |line| line.contains(&format!("({})", target.pid())));
        assert!(row.contains(" killed ") && row.contains(" workload wait"), "{row}");
        let lines = terminal.lines();
        let count =
            lines.iter().filter(|line| line.starts_with("TIME ") && line.contains("TCMDLINE")).count();
        assert_eq!(count, headings, "{lines:#?}");
    }
    let _ = Command::new("sh").args(["-c", "kill -TERM 4194303 2>/dev/null"]).status().unwrap();
    terminal.wait_for("the failed call", |line| line.contains(" pid 4194303 ") && line.contains(" ESRCH "));
}

fn tree_of_run() {
    let script = "sh -c 'kill -TERM $$'; :";
    let run = Command::new(killsnoop())
        .args(["run", "-o", "tree", "--", "sh", "-c", script])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let own = format!("({})", run.id());
    let output = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("SIGTERM") && !said.contains(&own), "{said}");
    assert!(said.lines().any(|line| line.starts_with("  sh(")), "{said}");
}

/// As when the terminal is gone that messages went to.
fn closed_stderr() {
    let mut tracer = Command::new(killsnoop())
        .args(["-l", "info", "-o", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(tracer.stderr.take().unwrap()).read_line(&mut ready).unwrap();
    assert!(ready.contains(STARTED), "{ready}");
    support::kill(tracer.id(), Signal::TERM);
    assert_eq!(tracer.wait().unwrap().code(), Some(0));
}
