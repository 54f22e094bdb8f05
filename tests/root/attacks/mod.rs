//! What an unprivileged user may try against a tracer, or against what it says: a file an attack. Each test runs it as such a
//! user and shows that the promise of SECURITY.md is kept.

mod absent_proc;
mod assisted_sender;
mod cgroup;
mod checkout;
mod decoder;
mod flooded_ring;
mod floods;
mod flushed_tree;
mod foreign_program;
mod ghosts;
mod hidden_cause;
mod interrupted_call;
mod killed_tracer;
mod long_argv;
mod memory;
mod planted_files;
mod reused_pid;
mod secrets;
mod shared_file;
mod signals_at_start;
mod squatting;
mod unexplained_end;
mod unicode;
mod waiting_signals;
mod wide_number;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use support::{Process, Tracer};

use crate::Test;

/// All of them.
pub fn tests() -> Vec<Test> {
    [
        absent_proc::TESTS,
        assisted_sender::TESTS,
        cgroup::TESTS,
        checkout::TESTS,
        decoder::TESTS,
        flushed_tree::TESTS,
        foreign_program::TESTS,
        hidden_cause::TESTS,
        interrupted_call::TESTS,
        killed_tracer::TESTS,
        long_argv::TESTS,
        memory::TESTS,
        planted_files::TESTS,
        reused_pid::TESTS,
        secrets::TESTS,
        shared_file::TESTS,
        signals_at_start::TESTS,
        squatting::TESTS,
        unexplained_end::TESTS,
        unicode::TESTS,
        waiting_signals::TESTS,
        wide_number::TESTS,
    ]
    .concat()
}

/// What every tracer on the host sees, or has less of the CPUs for.
pub fn storms() -> Vec<Test> {
    [flooded_ring::TESTS, floods::TESTS, ghosts::TESTS].concat()
}

/// Who attacks: nobody, without a capability.
pub const ATTACKER: u32 = 65534;

/// A program that runs as the attacker.
pub fn as_attacker(program: impl AsRef<std::ffi::OsStr>) -> Command {
    as_user(program, ATTACKER)
}

/// A program that runs as another user, who has no name either.
pub fn as_user(program: impl AsRef<std::ffi::OsStr>, uid: u32) -> Command {
    let mut command = Command::new(program);
    // std gives up root's groups with it, and the kernel the capabilities
    command.uid(uid).gid(uid).current_dir("/");
    command
}

/// A tracer that cannot read the kernel's symbols, and has less evidence therefore; one that tests share.
pub fn without_symbols() -> Tracer {
    let kernel = "bpf,perfmon,sys_ptrace,dac_read_search,sys_admin,setpcap";
    let capabilities = format!("-all,+{}", kernel.replace(',', ",+"));
    let bounding_set = format!("--bounding-set={capabilities}");
    Tracer::shared_of(&["without symbols"], || {
        let command = ["--", support::killsnoop(), "-v", "-o", "json"];
        Tracer::run(Command::new("setpriv").arg(&bounding_set).args(command))
    })
}

/// A process of the attacker's that makes a signal; the pids that it printed.
pub fn make(kind: &str) -> (Process, u32, u32) {
    let made = Process::start(as_attacker(workload_of_all()).arg0("workload").args(["signal", kind]));
    let pids: Vec<u32> = made.said().split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [target, other] = pids[..] else { panic!("{kind}: {:?}", made.said()) };
    (made, target, other)
}

/// The workload where the attacker can run it, whatever directories the other is in.
pub fn workload_of_all() -> &'static Path {
    use std::os::unix::fs::PermissionsExt;
    static COPY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = COPY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("workload");
        std::fs::copy(support::workload(), &path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (directory, path)
    });
    path
}
