//! What has a name that anybody may take first can be denied to everybody else.

use std::process::{Command, Stdio};

use super::{ATTACKER, as_attacker, workload_of_all};
use support::{Process, killsnoop};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("run_needs_no_name_that_another_user_can_take", &[], run_needs_no_name),
    ("the_command_of_run_has_the_callers_input_and_nothing_else", &[], a_command_has_its_input),
];

fn run(arguments: &[&str]) -> Command {
    let mut command = Command::new(killsnoop());
    command.arg("run").args(arguments).stdin(Stdio::null());
    for name in ["SUDO_UID", "SUDO_GID", "SUDO_USER", "SUDO_COMMAND"] {
        command.env_remove(name);
    }
    command
}

fn run_needs_no_name() {
    let squatter = Process::start(as_attacker(workload_of_all()).args(["squat", "killsnoop-run"]));
    assert!(squatter.said_number() > 100, "{}", squatter.said());
    for invoker in [None, Some(ATTACKER)] {
        let mut command = run(&["--", "sh", "-c", "exit 7"]);
        if let Some(id) = invoker {
            command.envs(["SUDO_UID", "SUDO_GID"].map(|name| (name, id.to_string()))).current_dir("/");
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn a_command_has_its_input() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "the first line\nmore\n").unwrap();
    let script = ["sh", "-c", "read line; echo \"$line\"; readlink /proc/self/fd/0; ls /proc/self/fd"];
    let said = |command: &mut Command| {
        let output = command.stdin(std::fs::File::open(file.path()).unwrap()).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.stderr)
    };
    let (plain, _) = said(Command::new(script[0]).args(&script[1..]));
    let (traced, stderr) = said(run(&["-o", "json=/dev/null", "--"]).args(script));
    assert!(plain.starts_with(&format!("the first line\n{}\n", file.path().display())), "{plain}");
    assert_eq!(traced, plain, "{}", String::from_utf8_lossy(&stderr));
}
