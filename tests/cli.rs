//! The command line as a shell meets it: exit codes, where words go. Nothing here needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Child, Command, Output};
use std::time::Duration;

fn killsnoop(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_killsnoop")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// It bears the name `sleep`: a child that execs takes the name of its program only after its parent may go on.
fn sleep() -> Child {
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let comm = format!("/proc/{}/comm", child.id());
    while std::fs::read_to_string(&comm).unwrap() != "sleep\n" {
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

#[test]
fn help_and_version_go_to_standard_output_with_0() {
    for (flag, word) in
        [("--help", "HIDDEN BY DEFAULT"), ("-h", "--include-signals"), ("--version", "killsnoop ")]
    {
        let output = killsnoop(&[flag]);
        assert_eq!(output.status.code(), Some(0), "{flag}");
        assert!(text(&output.stdout).contains(word), "{flag}: {}", text(&output.stdout));
        assert!(output.stderr.is_empty(), "{flag}");
    }
}

#[test]
fn a_question_about_the_past_that_cannot_be_understood_is_2_and_says_what_can() {
    for (arguments, words) in [
        (
            &["log", "-S", "3 o'clock"][..],
            &["--since", "'3 o'clock' is not a time", "systemd.time(7)", "yesterday"][..],
        ),
        (&["log", "-o", "htm"], &["--output", "unknown output 'htm'", "did you mean html?"]),
        (&["log", "-b=abc"], &["--boot", "'abc' is not a boot", "--list-boots"]),
        (&["log", "--vacuum-size", "1X"], &["--vacuum-size", "'1X' is not a size", "500M"]),
        (&["log", "--pid", "7@x"], &["--pid", "'7@x' is not a pid"]),
        (&["log", "-g", "("], &["--grep", "cannot be used as a regular expression"]),
        (&["why", ""], &["empty name"]),
        (&["log", "--store", "/"], &["nothing is recorded in /", "killsnoop record"]),
    ] {
        let output = killsnoop(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        for word in words {
            let said = text(&output.stderr);
            assert!(said.contains(word), "{arguments:?}: no '{word}' in: {said}");
        }
    }
}

#[test]
fn wrong_usage_is_2_and_names_flag_value_and_what_is_allowed() {
    for (arguments, words) in [
        (&["--no-such-flag"][..], &["--no-such-flag"][..]),
        (&["doctr"], &["doctr", "killsnoop doctor", "--"]),
        (&["rnu", "ls"], &["rnu", "killsnoop run"]),
        (&["--failed", "only"], &["--failed=only", "--failed -- only"]),
        (&["run", "--failed", "only"], &["--failed=only"]),
        (&["--fields", "tty", "-o", "table"], &["--fields", "tty.name"]),
        (&["0"], &["'0' is not a pid", "4194303"]),
        (&["-i", "NOSIG"], &["--include-signals", "NOSIG", "1 to 64"]),
        (&["-e", "65"], &["--exclude-signals", "65", "1 to 64"]),
        (&["-s", "9"], &["unexpected argument '-s'", "-i TERM,KILL"]),
        (&["-x"], &["unexpected argument '-x'", "--failed=only"]),
        (&["-n", "nginx"], &["unexpected argument '-n'", "killsnoop nginx"]),
        (&["-i", "TREM"], &["--include-signals", "did you mean TERM?"]),
        (&["-o", "jsn"], &["--output", "did you mean json?"]),
        (&["-o", "tabel=/tmp/x"], &["--output", "did you mean table=/tmp/x?"]),
        (&["--fold", "tre"], &["--fold", "did you mean tree?"]),
        (&["--count", "many"], &["--count", "'many' is not a whole number of at least 1"]),
        (&["-d", "deep"], &["--max-tree-depth", "'deep' is not a whole number from 0 to 32"]),
        (&["-d", "99"], &["--max-tree-depth", "99", "from 0 to 32"]),
        (&["-i", "TERM", "-e", "TERM"], &["no signal passes", "--exclude-signals"]),
        (&["-o", "xml"], &["unknown output 'xml'", "--output", "logfmt", "json", "table", "tree", "FILE"]),
        (&["-o", "tree", "-o", "json"], &["standard output", "--output"]),
        (&["--fields", "source.com", "-o", "table"], &["--fields", "source.com", "source.comm"]),
        (&["--fields", "source.comm"], &["--fields", "-o table"]),
        (&["--fold", "all"], &["--fold", "all", "none"]),
        (&["--color", "blue"], &["--color", "blue", "auto", "always", "never"]),
        (&["--max-line", "10"], &["--max-line", "10", "from 1024 to 4294967295"]),
        (&["--max-rate", "10"], &["--max-rate", "'10' is not a rate", "1K to 1024G", "none"]),
        (&["-p", "0"], &["--pid", "'0' is not a pid", "1 to 4194303"]),
        (&["-p", "4194304"], &["--pid", "4194304", "4194303"]),
        (&["-p", "nginx"], &["--pid", "'nginx' is not a pid", "killsnoop nginx"]),
        (&["--tree", "99999999"], &["--tree", "'99999999' is not a pid", "4194303"]),
        (&["who", "4194304"], &["4194304", "4194303"]),
        (&["who", "1", "--where", "target.pid=2"], &["target.pid=1", "target.pid=2"]),
        (&["run", "--tree", "1", "true"], &["--tree", "run", "--where"]),
        (&["--root", "/nonexistent"], &["/nonexistent", "No such file", "--root"]),
        (&["--root", "/usr"], &["'/usr'", "/usr/proc", "docker run"]),
        (&["--root", "/etc/passwd"], &["/etc/passwd", "Not a directory"]),
        (
            &["--where", "target.comm=systemd-journald"],
            &["--where", "15 bytes", "target.comm=systemd-journal"],
        ),
        (&["--where", "target.pid=0"], &["--where", "target.pid", "1 to 4194303"]),
        (&["--where", "signal=65"], &["signal=65", "--failed"]),
        (&["--where", "signal=KILL", "-e", "KILL"], &["signal=KILL", "--exclude-signals", "leave one out"]),
        (
            &["--where", "fatal=true", "--where", "fatal=false"],
            &["fatal=true", "fatal=false", "leave one out"],
        ),
        (&["--tree", "bash"], &["--tree", "bash"]),
        (&["--where", "sorce.comm=x"], &["--where", "sorce.comm", "did you mean source.comm?"]),
        (&["--where", "foo=x"], &["'foo' is not a key", "--help"]),
        (&["--where", "origin=martian"], &["origin cannot be 'martian'", "parent-death"]),
        (&["--where", "origin=procss"], &["did you mean process?"]),
        (&["--where", "target.pid>many"], &["--where", "many", "number"]),
        (&["--not", "signal=NOSIG"], &["--not", "NOSIG", "1 to 64"]),
        (&["--not", "signal"], &["--not", "signal", "KEY=VALUE"]),
        (&["--redact", "("], &["--redact", "'('", "regular expression"]),
        (&["--env", "A=b"], &["--env", "A=b", "63"]),
        (&["--env", "A,B,C,D,E,F,G,H,I"], &["--env", "9", "8"]),
        (&["--count", "none"], &["--count", "none"]),
        (&["--duration", "soon"], &["--duration", "soon", "500ms"]),
        (&["--failed=all"], &["--failed", "all", "only"]),
        (&["-l", "loud"], &["--log-level", "loud", "debug", "error"]),
        (&["-q", "-v"], &["--quiet", "--verbose"]),
        (&["run"], &["COMMAND"]),
        (&["who"], &["NAME|PID"]),
        (&["-o", "xml", "who", "1"], &["xml", "--output"]),
        (&["--ignore-source-comm", ""], &["--ignore-source-comm", "empty"]),
        (&["--ignore-source-comm", &"x,".repeat(65)[..129]], &["--ignore-source-comm", "65", "64"]),
    ] {
        // were it not refused, it would end all the same
        let output = killsnoop(&[arguments, &["--count", "1", "--duration", "2s"]].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: no '{word}' in: {said}");
        }
        for wrong in ["os error", "invalid digit", "oom.scope", "use '-- "] {
            assert!(!said.contains(wrong), "{arguments:?}: {said}");
        }
    }
}

/// Nobody can have them: they are found before the kernel is asked for anything.
#[test]
fn processes_that_do_not_exist_are_named_at_once() {
    for (arguments, words) in [
        (&["4194303"][..], "killsnoop: there is no process 4194303"),
        (&["-p", "4194302,4194303"], "killsnoop: there are no processes 4194302, 4194303"),
        (&["--tree", "4194303"], "killsnoop: there is no process 4194303"),
        (&["who", "4194303"], "killsnoop: there is no process 4194303 to wait for"),
        (&["-o", "table", "who", "4194303"], "killsnoop: there is no process 4194303 to wait for"),
        (&["who", "no-such-process"], "killsnoop: no process is named 'no-such-process'"),
    ] {
        let output = killsnoop(&[&["--duration", "2s"], arguments].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.starts_with(words), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty() && !said.contains("os error"), "{arguments:?}: {said}");
        // a name may become that of a process: what waits for that is named
        let is_named = arguments.contains(&"no-such-process");
        assert_eq!(said.contains("hint: who waits for what runs now; killsnoop NAME"), is_named, "{said}");
    }
}

#[test]
fn a_name_that_nobody_has_is_said_to_be_unknown_before_the_trace() {
    let mut sleep = sleep();
    // a file that cannot be opened ends it
    let said = text(&killsnoop(&["slepe", "-o", "json=/nowhere/at/all"]).stderr);
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    let unknown = "no process is named 'slepe' (did you mean sleep?): one that starts later will be traced";
    // nothing that reads as if the trace had begun
    assert!(said.contains(unknown) && !said.contains("tracing") && !said.contains("waiting"), "{said}");
    let said = text(&killsnoop(&["-o", "json=/nowhere/at/all", "--", "doctr"]).stderr);
    assert!(said.contains("no process is named 'doctr': one that starts later will be traced"), "{said}");
}

#[test]
fn the_short_help_is_one_screen_and_the_long_one_has_every_flag() {
    for arguments in [&["-h"][..], &["run", "-h"], &["who", "-h"]] {
        let short = text(&killsnoop(arguments).stdout);
        assert!(short.lines().count() <= 45, "{} lines:\n{short}", short.lines().count());
        let wide: Vec<&str> = short.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:?}");
        let place = |word: &str| short.find(word).unwrap_or_else(|| panic!("no {word} in:\n{short}"));
        assert!(place("Examples:") < place("Usage:"), "{short}");
    }
    let short = text(&killsnoop(&["-h"]).stdout);
    let examples = short.lines().skip_while(|line| *line != "Examples:").skip(1);
    assert_eq!(examples.take_while(|line| line.starts_with("  killsnoop")).count(), 4, "{short}");
    for word in ["Only events where KEY matches VALUE", "Print totals per sender, target and signal at exit"]
    {
        assert!(short.contains(word), "no {word} in:\n{short}");
    }
    let long = text(&killsnoop(&["--help"]).stdout);
    for word in [
        "Options:",
        "Filters:",
        "What is seen:",
        "HIDDEN BY DEFAULT",
        "KEYS of --where",
        "systemd.userUnit",
        "EXIT STATUS",
        "Redact what REGEX matches",
        "A missing key never matches",
        "--output",
        "--fields",
        "--color",
        "--ascii",
        "--fold",
        "--max-line",
        "--max-rate",
        "--summary",
        "--pid",
        "--tree",
        "--fatal",
        "--where",
        "--not",
        "--redact",
        "--redact-secrets",
        "--quiet",
        "--verbose",
        "SIGHUP",
        "SIGUSR1",
        "run",
        "who",
        "doctor",
    ] {
        assert!(long.contains(word), "no {word} in:\n{long}");
    }
    for (command, word) in
        [("run", "127"), ("who", "who signals it"), ("record", "--max-size"), ("doctor", "--json")]
    {
        let output = killsnoop(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains(word), "{command}: {}", text(&output.stdout));
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_named_before_anything_is_traced() {
    let output = killsnoop(&["-o", "json=/nowhere/at/all", "--count", "1", "--duration", "2s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nowhere/at/all"), "{}", text(&output.stderr));
}

#[test]
fn the_flags_of_the_original_are_accepted_with_a_warning() {
    let output = killsnoop(&[
        "--list-process-interval",
        "5",
        "--max-list-process-threads=8",
        "-o",
        "json=/nowhere/at/all",
    ]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "the file, not the flags: {said}");
    for flag in ["--list-process-interval", "--max-list-process-threads"] {
        assert!(said.lines().any(|line| line.contains(flag) && line.contains("no longer needed")), "{said}");
    }
}

/// What bash is offered for the last word.
fn offered(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let output = Command::new(env!("CARGO_BIN_EXE_killsnoop"))
        .env("KILLSNOOP_COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .env("PATH", "/usr/bin:/bin")
        .arg("--")
        .args(&words)
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn completions_offer_values_and_no_files_where_none_are_meant() {
    let mut sleep = sleep();
    let pid = sleep.id().to_string();
    for (line, wanted) in [
        ("killsnoop -o ", &["logfmt", "json", "line", "table", "tree"][..]),
        ("killsnoop -o tree -o js", &["json"]),
        ("killsnoop --output=ta", &["--output=table"]),
        ("killsnoop -i TE", &["TERM"]),
        ("killsnoop -i TERM,KI", &["TERM,KILL"]),
        ("killsnoop --fields source.user.", &["source.user.id", "source.user.name"]),
        ("killsnoop --where fat", &["fatal="]),
        ("killsnoop --where fatal = ", &["true", "false"]),
        ("killsnoop --where fatal =", &["true", "false"]),
        ("killsnoop --color ", &["auto", "always", "never"]),
        ("killsnoop --verb", &["--verbose"]),
        ("killsnoop --seed", &[]),
        ("killsnoop --count ", &[]),
        ("killsnoop --redact ", &[]),
        ("killsnoop doc", &["doctor"]),
        ("killsnoop -o table who -i TE", &["TERM"]),
    ] {
        assert_eq!(offered(line), wanted, "{line}");
    }
    for (line, wanted, unwanted) in [
        ("killsnoop -p ", pid.as_str(), "sleep"),
        ("killsnoop --tree ", &pid, "sleep"),
        ("killsnoop who sle", "sleep", "src"),
        ("killsnoop -o table --fields targ", "target", "source"),
        ("killsnoop ", "run", "open-outputs"),
        ("killsnoop ", "sleep", "--ring-bytes"),
        ("killsnoop ", "sleep", "Cargo.toml"),
        ("killsnoop run -- tru", "true", "sleep"),
        ("killsnoop run -- cat Carg", "Cargo.toml", "true"),
    ] {
        let offered = offered(line);
        assert!(offered.iter().any(|value| value == wanted), "{line}: no {wanted} in {offered:?}");
        assert!(!offered.iter().any(|value| value == unwanted), "{line}: {unwanted} in {offered:?}");
    }
    assert!(offered(&format!("killsnoop {}", &pid[..1])).contains(&pid));
    sleep.kill().unwrap();
    sleep.wait().unwrap();
}

#[test]
fn man_pages_completions_and_schema_are_made_from_the_flags() {
    let directory = tempfile::tempdir().unwrap();
    let output = killsnoop(&["generate", directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for name in [
        "killsnoop.1",
        "killsnoop-run.1",
        "killsnoop-who.1",
        "killsnoop-record.1",
        "killsnoop-doctor.1",
        "_killsnoop",
        "killsnoop.fish",
        "killsnoop.schema.json",
    ] {
        assert!(directory.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
    // bash itself asks for what its script offers
    let script = "source killsnoop.bash; COMP_WORDS=(killsnoop --where origin = par); COMP_CWORD=4; \
                  _killsnoop_complete killsnoop par =; echo \"${COMPREPLY[*]}\"";
    let path = std::path::Path::new(env!("CARGO_BIN_EXE_killsnoop")).parent().unwrap().display().to_string();
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(directory.path())
        .env("PATH", format!("{path}:/usr/bin:/bin"))
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "parent-death\n", "{output:?}");
}

#[test]
fn the_doctor_says_whether_a_trace_works_and_json_is_json() {
    let output = killsnoop(&["doctor", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!value["works"].as_bool().unwrap())), "{value}");
    assert!(value["checks"].as_array().unwrap().len() >= 14, "{value}");
    let human = text(&killsnoop(&["doctor"]).stdout);
    assert!(human.contains("kernel") && human.contains("on this host"), "{human}");
}

#[test]
fn a_standard_error_that_nobody_can_write_to_ends_nothing() {
    for arguments in [&["--fields", "tty", "-o", "table"][..], &["who", "4194303"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let status =
            Command::new(env!("CARGO_BIN_EXE_killsnoop")).args(arguments).stderr(full).status().unwrap();
        assert_eq!(status.code(), killsnoop(arguments).status.code(), "{arguments:?}");
        assert_ne!(status.code(), Some(101), "{arguments:?}: a panic");
    }
}
