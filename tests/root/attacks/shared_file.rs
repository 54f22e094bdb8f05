//! Two tracers that write into one FILE, whose long lines got mixed; and FIFOs of which nobody takes anything.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{Process, Tracer, killsnoop, run_workload, wait_until};

use crate::Test;

pub const TESTS: &[Test] = &[
    ("a_second_tracer_on_the_same_file_is_refused", &[], second_tracer),
    ("a_fifo_without_a_reader_blocks_nothing_and_is_counted", &[], fifo),
    ("a_descriptor_of_the_shell_takes_lines", &[], descriptor),
];

fn second_tracer() {
    let directory = tempfile::tempdir().unwrap();
    let (file, other) =
        (directory.path().join("log"), directory.path().join("../").join(directory.path()).join("log"));
    let first = Tracer::start(&["-o", &format!("json={}", file.display())]);
    for path in [&file, &other] {
        let output = Command::new(killsnoop())
            .args(["-o", &format!("json={}", path.display()), "--duration", "100ms"])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("another process has it locked"), "{said}");
    }
    first.stop();
    // the lock ends with it
    Tracer::start(&["-o", &format!("json={}", file.display())]).stop();
}

fn fifo() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap().success());
    let began = Instant::now();
    let tracer = Tracer::start(&["-o", &format!("json={}", path.display()), "-i", "USR1"]);
    assert!(began.elapsed() < Duration::from_secs(8), "the start has waited for a reader");
    assert!(tracer.stderr().contains("has no reader"), "{}", tracer.stderr());
    let target = Process::workload(&["meets", "10", "handle"]);
    let send = || run_workload(&["storm", "10", "1", &target.pid().to_string()]);
    send();
    wait_until("that it is said", || {
        tracer.stderr().contains("could not be written so far: 1").then_some(())
    });
    // a reader comes, and reads
    let start = || Command::new("cat").arg(&path).stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = start();
    let has_read = |reader: &Child| rustix::io::ioctl_fionread(reader.stdout.as_ref().unwrap()).unwrap() > 0;
    wait_until("lines of the first reader", || {
        send();
        has_read(&reader).then_some(())
    });
    let mut text = [0; 4096];
    let count = reader.stdout.as_mut().unwrap().read(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text[..count]);
    assert!(text.contains("\"signal\":10"), "{text}");
    // and goes, which does not end the trace
    reader.kill().unwrap();
    reader.wait().unwrap();
    send();
    let mut reader = start();
    wait_until("lines of the second reader", || {
        send();
        has_read(&reader).then_some(())
    });
    let said = tracer.stop();
    assert_eq!(said.status.code(), Some(0), "{}", said.stderr);
    reader.kill().unwrap();
    reader.wait().unwrap();
    let count = |name| said.counter("signals total", name);
    assert!(count("unprinted") >= 1 && count("printed") >= 2, "{}", said.stderr);
    said.assert_counters_add_up();
}

fn descriptor() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log");
    let script = "exec \"$0\" -o json=/dev/fd/7 -o logfmt=/dev/stdout -i USR1 7>\"$1\"";
    let tracer = Tracer::run(Command::new("bash").args(["-c", script, killsnoop()]).arg(&file));
    let target = Process::workload(&["meets", "10", "handle"]);
    run_workload(&["storm", "10", "1", &target.pid().to_string()]);
    wait_until("a line in the file", || {
        fs::read_to_string(&file).unwrap().contains("\"signal\":10").then_some(())
    });
    let said = tracer.stop();
    assert!(said.stdout.contains("signal=10"), "{}", said.stdout);
}
