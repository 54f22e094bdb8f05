//! tests/expected-skips: which tests may be skipped, on which kernels, for which reason.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

const LIST: &str = include_str!("../expected-skips");

/// May this test be skipped for that reason on a kernel of that release?
pub fn has(reason: &str, release: &str, test: &str) -> bool {
    LIST.lines().filter(|line| !line.starts_with('#')).any(|line| covers(line, reason, release, test))
}

/// Checks the skips in a report of a guest against the list as it is now: `scripts/kernel-matrix --judge`.
pub fn judge(report: &Path) -> ExitCode {
    let text = fs::read_to_string(report).unwrap();
    let lines = || text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let release = |cells: Vec<&str>| match cells[..] {
        ["kernel", release] => Some(release.to_owned()),
        _ => None,
    };
    let release = lines().find_map(release).expect("the report names its kernel");
    let unlisted = |cells: Vec<&str>| match cells[..] {
        ["test", "root", name, "skipped", _, reason] if !has(reason, &release, name) => Some(name.to_owned()),
        _ => None,
    };
    let unlisted: Vec<String> = lines().filter_map(unlisted).collect();
    for test in &unlisted {
        println!("{test}: a skip that is not listed");
    }
    ExitCode::from(u8::from(!unlisted.is_empty()))
}

/// Does a line `REASON KERNELS TEST…` cover this one?
fn covers(line: &str, reason: &str, release: &str, test: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [listed_reason, kernels, tests @ ..] = words.as_slice() else {
        return false;
    };
    let is_kernel = match kernels.strip_prefix('<') {
        Some(bound) => version(release) < version(bound),
        None => *kernels == "*",
    };
    *listed_reason == reason
        && is_kernel
        && tests.iter().any(|listed| *listed == test.replace(' ', "_") || *listed == "*")
}

/// Major and minor of a kernel's release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
