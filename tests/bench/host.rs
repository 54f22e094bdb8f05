//! What this host is, and what it says of a process: for the reports, and in the units of the reports.

use std::fs;
use std::path::{Path, PathBuf};

/// `Linux 6.18.44, 2 CPUs`
pub fn described() -> String {
    format!("Linux {}, {} CPUs", release(), cpus())
}

pub fn release() -> String {
    read("/proc/sys/kernel/osrelease").trim().to_owned()
}

pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

pub fn date() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// How many processes are above this one, PID 1 included, and the bytes of their command lines.
pub fn above(pid: u32) -> (usize, usize) {
    let parent = |pid: &u32| -> Option<u32> {
        let parent = status(*pid, "PPid")?;
        (parent > 0).then_some(parent as u32)
    };
    let pids: Vec<u32> = std::iter::successors(parent(&pid), parent).collect();
    let bytes = pids.iter().map(|pid| read(&format!("/proc/{pid}/cmdline")).len()).sum();
    (pids.len(), bytes)
}

/// The processes that are there now.
pub fn processes() -> usize {
    let is_pid = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().parse::<u32>().is_ok();
    fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter(is_pid).count()
}

/// The number of a line of /proc/PID/status, which is KiB in `VmRSS` and `VmHWM`.
pub fn status(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The RSS of a process that is pages of BPF maps, in KiB.
pub fn map_rss_kib(pid: u32) -> u64 {
    let mut is_map = false;
    let mut sum = 0;
    for line in read(&format!("/proc/{pid}/smaps")).lines() {
        // every mapping begins with its addresses; what it says of it begins with a capital
        if !line.starts_with(|first: char| first.is_ascii_uppercase()) {
            is_map = line.ends_with("bpf-map");
        } else if let (true, Some(size)) = (is_map, line.strip_prefix("Rss:")) {
            sum += size.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    sum
}

/// The CPU time of a process and its threads in seconds, as the scheduler counts it: not in ticks.
pub fn cpu_seconds(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
    let nanoseconds = |thread: fs::DirEntry| -> Option<f64> {
        read(&thread.path().join("schedstat").to_string_lossy()).split_whitespace().next()?.parse().ok()
    };
    threads.filter_map(nanoseconds).sum::<f64>() / 1e9
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where reports go.
pub fn docs() -> PathBuf {
    root().join("docs")
}

/// Writes a file that belongs to the owner of the checkout, though root runs this.
pub fn write(path: &Path, text: &str) {
    use std::os::unix::fs::MetadataExt;
    fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    if let Ok(owner) = fs::metadata(root()) {
        let _ = std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()));
    }
}
