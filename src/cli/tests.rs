//! What command lines mean, and what is refused of them.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::bpf::plan::plan;
use crate::bpf::probe::HostFacts;
use crate::config::Config;
use crate::output::deliver::destination_name::DestinationName;
use crate::output::format::{json::JSON, logfmt::LOGFMT, tree::TREE};
use crate::output::spec::OutputSpec;
use crate::output::{OutputSettings, Takes, keys};
use crate::trace::pushdown;

fn request(arguments: &[&str]) -> Result<Request, String> {
    let cli = Cli::try_parse_from([&["killsnoop"], arguments].concat()).map_err(|error| error.to_string())?;
    cli.trace.settle(&cli.processes, (LOGFMT, DestinationName::Stdout)).map_err(|error| error.to_string())
}

fn config(arguments: &[&str]) -> Result<Config, String> {
    request(arguments).map(|request| request.config)
}

fn outputs(arguments: &[&str]) -> Vec<OutputSettings> {
    request(arguments).unwrap().settings.outputs
}

#[test]
fn one_line_of_an_output_is_format_and_destination() {
    let file = |path: &str| DestinationName::File(PathBuf::from(path));
    for (arguments, kind, destination, folds) in [
        (&[][..], LOGFMT, DestinationName::Stdout, false),
        (&["-o", "tree"], TREE, DestinationName::Stdout, true),
        (&["-o", "tree", "--fold", "none"], TREE, DestinationName::Stdout, false),
        (&["-o", "json=a=b"], JSON, file("a=b"), false),
        (&["-o", "json=-", "--fold", "json"], JSON, DestinationName::Stdout, true),
    ] {
        assert_eq!(
            outputs(arguments),
            [OutputSettings { kind, destination, folds, takes: Takes::All }],
            "{arguments:?}"
        );
    }
    let both = outputs(&["-o", "tree", "-o", "json=x"]);
    assert_eq!((both[0].kind, &both[1].destination), (TREE, &file("x")));
}

#[test]
fn the_flags_of_the_original_are_accepted() {
    let cli = Cli::try_parse_from([
        "killsnoop",
        "--list-process-interval",
        "1s",
        "--max-list-process-threads=8",
        "--max-tree-depth=3",
        "--root=/host",
        "--ignore-source-comm=runc",
        "--exclude-signals=23",
        "--include-signals=15",
        "--log-level=info",
    ])
    .unwrap();
    assert_eq!(cli.trace.obsolete(), ["--list-process-interval", "--max-list-process-threads"]);
}

#[test]
fn quiet_and_verbose_are_levels() {
    let level = |arguments: &[&str]| {
        Cli::try_parse_from([&["killsnoop"], arguments].concat()).map(|cli| cli.trace.level(LogLevel::Info))
    };
    assert_eq!(level(&[]).unwrap(), tracing::Level::INFO);
    assert_eq!(level(&["-q"]).unwrap(), tracing::Level::WARN);
    assert_eq!(level(&["-v"]).unwrap(), tracing::Level::DEBUG);
    assert!(level(&["-q", "-v"]).is_err() && level(&["-q", "-l", "info"]).is_err());
}

#[test]
fn what_is_behind_the_command_of_run_is_the_commands() {
    for arguments in [&["run", "-o", "json", "--", "ls", "-l"][..], &["run", "-o", "json", "ls", "-l"]] {
        let cli = Cli::try_parse_from([&["killsnoop"], arguments].concat()).unwrap();
        let Some(Command::Run { trace, command }) = cli.command else { panic!("{arguments:?}") };
        assert_eq!(command, ["ls", "-l"]);
        assert_eq!(trace.output, [OutputSpec { kind: JSON, file: None }]);
    }
    let words = ["killsnoop", "-o", "json", "run", "ls", "-l"].map(OsString::from);
    let Some(Command::Run { trace, command }) =
        Cli::try_parse_from(command_first(words.into())).unwrap().command
    else {
        panic!("no run")
    };
    assert_eq!(
        (&command[..], &trace.output[..]),
        (&["ls".into(), "-l".into()][..], &[OutputSpec { kind: JSON, file: None }][..])
    );
}

#[test]
fn names_and_pids_are_asked_for_beside_those_of_the_flag() {
    let conditions = request(&["nginx", "7", "-p", "9", "java*"]).unwrap().settings.conditions;
    assert_eq!(conditions.pids, [9, 7]);
    assert_eq!(conditions.names.iter().map(ToString::to_string).collect::<Vec<_>>(), ["nginx", "java*"]);
    assert_eq!(
        request(&["--", "run"]).unwrap().settings.conditions.names.len(),
        1,
        "behind -- it is no command"
    );
    for (arguments, words) in
        [(&["0"][..], "'0' is not a pid"), (&["4194304"], "'4194304' is not a pid"), (&[""], "empty")]
    {
        let message = request(arguments).unwrap_err();
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
}

#[test]
fn the_flag_table_is_consistent() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}

#[test]
fn include_and_exclude_are_anded() {
    let config = config(&["-i", "TERM,9,rtmin+3", "-e", "kill"]).unwrap();
    assert_eq!(config.shown_signals, 1 << 14 | 1 << 36);
    assert_eq!(config.included_signals, 1 << 14 | 1 << 8 | 1 << 36);
}

#[test]
fn filters_that_let_nothing_through_are_refused() {
    assert!(config(&["-i", "TERM", "-e", "15"]).unwrap_err().contains("no signal passes"));
}

#[test]
fn a_bad_value_is_named_with_its_flag_and_what_is_allowed() {
    for (arguments, words) in [
        (&["-i", "KILLER"][..], &["--include-signals", "KILLER", "did you mean KILL?"][..]),
        (&["-d", "33"], &["--max-tree-depth", "33", "from 0 to 32"]),
        (&["-d", "-1"], &["-1"]),
        (&["-o", "xml"], &["--output", "xml", "logfmt", "json", "table", "tree"]),
        (&["-o", "json="], &["--output", "json=", "FILE"]),
        (&["-o", "json", "-o", "tree"], &["--output", "standard output"]),
        (&["-o", "json=x", "-o", "tree=x"], &["--output", "x"]),
        (&["-o", "table", "--fields", "pid"], &["--fields", "'pid'", "target.pid"]),
        (&["--fields", "source.pid"], &["--fields", "table"]),
        (&["--fold", "xml"], &["--fold", "xml", "none"]),
        (&["--color", "red"], &["--color", "red", "always"]),
        (&["--max-line", "5"], &["--max-line", "5", "1024"]),
        (&["--max-rate", "1MB"], &["--max-rate", "1MB", "1M"]),
        (&["-p", "0"], &["--pid", "0"]),
        (&["-p", "x"], &["--pid", "x"]),
        (&["--tree", "init"], &["--tree", "init"]),
        (&["--where", "comm=x"], &["--where", "comm", "target.comm"]),
        (&["--where", "signal=NO"], &["--where", "NO", "1 to 64"]),
        (&["--not", "fatal"], &["--not", "fatal", "KEY=VALUE"]),
        (&["--redact", "("], &["--redact", "("]),
        (&["--count", "0"], &["--count", "0"]),
        (&["--duration", "soon"], &["--duration", "soon", "500ms"]),
        (&["--duration", "0"], &["--duration", "0"]),
        (&["--ignore-source-comm", "a,"], &["--ignore-source-comm", "empty"]),
        (&["--duration", "-3s"], &["-3"]),
        (&["--duration", "9223372036854775807"], &["--duration", "9223372036854775807", "100 years"]),
        (&["--duration", "9223372036854775807s"], &["--duration", "100 years"]),
        (&["--duration", "1e300"], &["--duration", "1e300", "100 years"]),
        (&["--duration", "nan"], &["--duration", "nan", "500ms"]),
        (&["-p", "4194304"], &["--pid", "4194304", "1 to 4194303"]),
        (&["--tree", "0"], &["--tree", "1 to 4194303"]),
        (&["-i", "RTMIN++3"], &["--include-signals", "RTMIN++3", "1 to 64"]),
        (&["--where", "target.comm=systemd-journald"], &["--where", "15 bytes", "systemd-journal"]),
        (&["-i", "TERM", "--where", "signal=KILL"], &["--include-signals", "signal=KILL"]),
        (&["--where", "event=attempt"], &["event=attempt", "--failed"]),
        (&["--failed=some"], &["--failed", "some", "only"]),
        (&["--env", "A=b"], &["--env", "A=b", "63"]),
        (&["--env", "A b"], &["--env", "A b", "63"]),
        (&["--env", "A,B,C,D,E,F,G,H,I"], &["--env", "9", "8"]),
        (&["-l", "loud"], &["--log-level", "loud", "debug"]),
    ] {
        let message = config(arguments).unwrap_err();
        for word in words {
            assert!(message.contains(word), "{arguments:?}: {message}");
        }
    }
}

const FLAGS: &[&str] = &[
    "-o",
    "--fields",
    "--color",
    "--ascii",
    "--fold",
    "--max-line",
    "--max-rate",
    "--summary",
    "-i",
    "-e",
    "-p",
    "--tree",
    "--fatal",
    "--where",
    "--not",
    "--ignore-source-comm",
    "--all",
    "--failed",
    "--failed=only",
    "--probes",
    "--no-outcome",
    "--env",
    "-d",
    "--root",
    "--redact",
    "--redact-secrets",
    "--count",
    "--duration",
    "-q",
    "-v",
    "-l",
    "--ghosts",
    "--ring-bytes",
    "--seed-from-proc",
    "who",
    "run",
    "record",
    "--max-size",
    "--store",
    "doctor",
    "exec-when-ready",
    "--",
];
const VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "+1",
    "64",
    "65",
    "255",
    "4194303",
    "4194304",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e19",
    "1e308",
    "1e309",
    "-0",
    "nan",
    "inf",
    "0.0000000001",
    "9223372036854775807s",
    "106751991167d",
    "1h1m",
    "RTMIN+250",
    "RTMAX-250",
    "SIG",
    "",
    ",",
    "=",
    "json",
    "json=-",
    "tree=/",
    "line,table,tree",
    "none",
    "target.comm",
    "(",
    "a{99999}",
    "only",
    "debug",
    "/",
    "/nonexistent",
    "\u{0}",
    "\u{e9}\u{301}",
];

/// Words as somebody may type them: of a flag, of a value, or of neither.
fn words() -> impl Strategy<Value = Vec<String>> {
    let keys = proptest::sample::select(keys::paths());
    let values = || proptest::sample::select(VALUES).prop_map(str::to_owned);
    let condition = (keys, proptest::sample::select(&["=", ">", "<", ">=", "<=", ""][..]), values())
        .prop_map(|(key, comparison, value)| format!("{key}{comparison}{value}"));
    let word = prop_oneof![
        3 => proptest::sample::select(FLAGS).prop_map(str::to_owned),
        2 => values(),
        2 => condition.clone(),
        2 => condition.prop_map(|condition| format!("--where={condition}")),
        1 => (proptest::sample::select(FLAGS), values()).prop_map(|(flag, value)| format!("{flag}={value}")),
        1 => any::<String>(),
    ];
    proptest::collection::vec(word, 0..8)
}

proptest! {
    /// Up to where BPF begins.
    #[test]
    fn no_command_line_panics(words in words()) {
        let Ok(cli) = Cli::try_parse_from([vec!["killsnoop".to_owned()], words].concat()) else { return Ok(()) };
        let processes = cli.processes;
        let trace = match cli.command {
            None => cli.trace,
            Some(Command::Run { trace, .. } | Command::Who { trace, .. }) => *trace,
            Some(_) => return Ok(()),
        };
        trace.level(LogLevel::Info);
        if let Ok(Request { config, settings, .. }) = trace.settle(&processes, (LOGFMT, DestinationName::Stdout)) {
            let _ = crate::command::check_root(&config.root);
            prop_assert!(plan(&HostFacts::newest(), &config).is_ok());
            pushdown::select(&settings.conditions, false, true);
            let until = config.duration.map(|duration| std::time::Instant::now().checked_add(duration));
            prop_assert!(until != Some(None), "no clock goes so far");
        }
    }
}
