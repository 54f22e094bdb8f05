//! Memory over an hour in which processes and cgroups come and go: nothing may grow with uptime.
//!
//! Whatever is drawn has run for an hour at least; a try is shorter and goes to a temporary directory.

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};

use crate::numbers::{median, slope, spread};
use crate::plot::{self, Chart, Line};
use crate::subject::{MemoryCgroup, Subject};
use crate::{Outcome, host};

const HOUR: u64 = 3600;
const BETWEEN_SAMPLES: u64 = 10;
const FLAGS: [&str; 2] = ["-o", "json=/dev/null"];

#[derive(Args)]
pub struct Options {
    /// How long: 60 at least
    #[arg(long, default_value_t = 60, conflicts_with_all = ["try", "redraw"])]
    minutes: u64,
    /// Processes a second
    #[arg(long, default_value_t = 500)]
    rate: u64,
    /// Try it for so long: what it writes goes to a temporary directory, never to docs/
    #[arg(long, value_name = "SECONDS", conflicts_with = "redraw")]
    r#try: Option<u64>,
    /// Only draw docs/churn.csv again
    #[arg(long)]
    redraw: bool,
}

pub fn run(options: &Options) -> Outcome<()> {
    let seconds = options.r#try.unwrap_or(options.minutes * 60);
    let directory = match options.r#try {
        Some(_) => tempfile::tempdir().unwrap().keep(),
        None => host::docs(),
    };
    if options.r#try.is_none() {
        refuse_less_than_an_hour(seconds)?;
    }
    if !options.redraw {
        eprintln!(
            "{seconds} s of {} processes a second; {} when it is over",
            options.rate,
            directory.display()
        );
        let csv = measure(seconds, options.rate)?;
        host::write(&directory.join("churn.csv"), &csv);
    }
    let verdict = draw(&directory, options.r#try.is_some());
    if options.r#try.is_some() {
        eprintln!("a try of {seconds} s, in {}: docs/ is as it was", directory.display());
    }
    verdict
}

fn refuse_less_than_an_hour(seconds: u64) -> Outcome<()> {
    if seconds >= HOUR {
        return Ok(());
    }
    Err(format!(
        "refused: {} minutes show nothing of what grows with uptime; 60 is the least that is drawn. Leave \
         out --minutes, or try it with --try SECONDS, which writes to a temporary directory",
        seconds / 60
    ))
}

/// One line of the CSV.
#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: f64,
    rss_kib: f64,
    kernel_kib: f64,
    processes: f64,
    events: f64,
    lost: f64,
}

const COLUMNS: &str = "seconds,rss_kib,kernel_kib,live_processes,events_written,signals_lost";

impl Sample {
    fn take(subject: &mut Subject, cgroup: &MemoryCgroup, began: Instant) -> Outcome<Self> {
        let counters = subject.counters()?;
        let of = |number: Option<u64>, what: &str| number.ok_or_else(|| format!("cannot read {what}"));
        Ok(Self {
            seconds: began.elapsed().as_secs_f64(),
            rss_kib: of(host::status(subject.pid(), "VmRSS"), "VmRSS of killsnoop")? as f64,
            kernel_kib: of(cgroup.kernel_bytes(), "the kernel memory of the cgroup")? as f64 / 1024.0,
            processes: host::processes() as f64,
            events: counters.printed as f64,
            lost: counters.lost as f64,
        })
    }

    fn line(&self) -> String {
        let Self { seconds, rss_kib, kernel_kib, processes, events, lost } = self;
        format!("{seconds:.1},{rss_kib:.0},{kernel_kib:.0},{processes:.0},{events:.0},{lost:.0}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let cells: Result<Vec<f64>, _> = line.split(',').map(str::parse).collect();
        let [seconds, rss_kib, kernel_kib, processes, events, lost] = cells.ok()?.try_into().ok()?;
        Some(Self { seconds, rss_kib, kernel_kib, processes, events, lost })
    }
}

/// Runs the churn under killsnoop; the CSV.
fn measure(seconds: u64, rate: u64) -> Outcome<String> {
    let cgroup = MemoryCgroup::create()?;
    // should this program be killed, it ends by itself
    let limit = format!("--duration={}s", seconds + 120);
    let mut subject =
        Subject::start(&[FLAGS.as_slice(), &[limit.as_str()]].concat(), Some(&cgroup), Stdio::null())?;
    let mut churn = Churn::start(rate);
    let began = Instant::now();
    let mut samples = String::new();
    for second in (0..=seconds).step_by(BETWEEN_SAMPLES as usize) {
        // not a hair too early: the last sample is to be an hour after the first
        thread::sleep(
            (began + Duration::from_secs(second) + Duration::from_millis(1)).duration_since(Instant::now()),
        );
        churn.must_live()?;
        let sample = Sample::take(&mut subject, &cgroup, began)?;
        if second % 300 == 0 {
            eprintln!(
                "{second} s: {:.0} KiB RSS, {:.0} KiB in the kernel",
                sample.rss_kib, sample.kernel_kib
            );
        }
        samples += &sample.line();
    }
    let made = churn.stop()?;
    let counters = subject.stop()?;
    let header = format!(
        "# command: killsnoop {}\n# churn: workload churn {rate}: {made}\n# date: {}\n# duration: \
         {seconds} s\n\
         # host: {}\n# counters at the end: generated={} printed={} hidden={} lost={} unprinted={}\n",
        FLAGS.join(" "),
        host::date(),
        host::described(),
        counters.generated,
        counters.printed,
        counters.hidden,
        counters.lost,
        counters.unprinted,
    );
    Ok(header + COLUMNS + "\n" + &samples)
}

/// The workload that makes processes, and the directory for its cgroups.
struct Churn {
    child: Child,
    cgroups: PathBuf,
}

impl Churn {
    fn start(rate: u64) -> Self {
        let above = support::unified()
            .or_else(support::memory_cgroup)
            .expect("subjects have a cgroup, so there are some");
        let cgroups = above.join(format!("killsnoop-churn-{}", std::process::id()));
        fs::create_dir(&cgroups).unwrap();
        let child = Command::new(support::workload())
            .args(["churn", &rate.to_string()])
            .arg(&cgroups)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, cgroups }
    }

    fn must_live(&mut self) -> Outcome<()> {
        match self.child.try_wait().unwrap() {
            None => Ok(()),
            Some(status) => Err(format!("the churn ended too early: {status}; nothing was written")),
        }
    }

    /// What it made.
    fn stop(mut self) -> Outcome<String> {
        kill_process(Pid::from_raw(self.child.id() as i32).unwrap(), Signal::INT).unwrap();
        let mut said = String::new();
        BufReader::new(self.child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let counts: Vec<&str> = said.split_whitespace().collect();
        let [processes, cgroups, signals] = counts[..] else {
            return Err(format!("the churn said {said:?}"));
        };
        Ok(format!("{processes} processes, {cgroups} cgroups, {signals} signals to children"))
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for _ in 0..100 {
            if fs::remove_dir(&self.cgroups).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        eprintln!("{} is left behind", self.cgroups.display());
    }
}

/// Draws the CSV of a directory and writes its page beside it. An error if memory grew.
fn draw(directory: &Path, is_try: bool) -> Outcome<()> {
    let path = directory.join("churn.csv");
    let csv = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}; run this without --redraw", path.display()))?;
    let samples: Vec<Sample> = csv.lines().filter_map(Sample::parse).collect();
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return Err(format!("{} has no samples", path.display()));
    };
    if !is_try {
        refuse_less_than_an_hour((last.seconds - first.seconds).round() as u64)?;
    }
    host::write(&directory.join("churn.svg"), &picture(&samples));
    let verdict = judge(&samples);
    host::write(
        &directory.join("churn.md"),
        &page(&csv, &samples, verdict.as_ref().err().map(String::as_str)),
    );
    eprintln!("wrote churn.csv, churn.svg and churn.md in {}", directory.display());
    verdict
}

fn picture(samples: &[Sample]) -> String {
    let line = |name: &str, of: fn(&Sample) -> f64| Line {
        name: name.to_owned(),
        points: samples.iter().map(|sample| (sample.seconds / 60.0, of(sample))).collect(),
    };
    let chart = |title: &str, y: &str, lines| Chart {
        title: title.to_owned(),
        x: "minutes of churn".to_owned(),
        y: y.to_owned(),
        lines,
        logarithmic: false,
        highest: f64::INFINITY,
    };
    plot::draw(&[
        chart(
            "Memory of killsnoop while processes come and go",
            "MiB",
            vec![
                line("RSS of the process", |sample| sample.rss_kib / 1024.0),
                line("kernel memory of its cgroup", |sample| sample.kernel_kib / 1024.0),
            ],
        ),
        chart("Events written", "thousands", vec![line("events", |sample| sample.events / 1000.0)]),
    ])
}

type Series = (&'static str, fn(&Sample) -> f64);
const MEMORY: [Series; 2] = [("RSS", |sample| sample.rss_kib), ("kernel memory", |sample| sample.kernel_kib)];

/// An error if either is more than 5 % and 1 MiB above, in the last third, what it was in the second.
fn judge(samples: &[Sample]) -> Outcome<()> {
    let third = samples.len() / 3;
    let middle =
        |samples: &[Sample], of: fn(&Sample) -> f64| median(&samples.iter().map(of).collect::<Vec<_>>());
    for (name, of) in MEMORY {
        let (second, last) = (middle(&samples[third..2 * third], of), middle(&samples[2 * third..], of));
        if last > second * 1.05 + 1024.0 {
            return Err(format!(
                "{name} grows: {last:.0} KiB (median of the last third) after {second:.0} KiB (of the second)"
            ));
        }
    }
    Ok(())
}

fn page(csv: &str, samples: &[Sample], complaint: Option<&str>) -> String {
    let mut page = String::from(
        "# An hour's churn\n\nWhat killsnoop holds while short-lived processes exec, fork, leave orphans, \
         send signals and die of them, and cgroups come\nand go. `scripts/churn` makes this page, [the \
         picture](churn.svg) and [the samples](churn.csv), one every 10 s.\n\n![memory over \
         time](churn.svg)\n\n",
    );
    for fact in csv.lines().filter_map(|line| line.strip_prefix("# ")) {
        writeln!(page, "- {fact}").unwrap();
    }
    page += "\n| KiB | first | last | lowest | highest | slope per hour | … from the second third on \
        |\n|---|---|---|---|---|---|---|\n";
    for (name, of) in MEMORY {
        let numbers: Vec<f64> = samples.iter().map(of).collect();
        let all = spread(&numbers).unwrap();
        let points: Vec<(f64, f64)> =
            samples.iter().map(|sample| (sample.seconds / HOUR as f64, of(sample))).collect();
        writeln!(
            page,
            "| {name} | {:.0} | {:.0} | {:.0} | {:.0} | {:+.0} | {:+.0} |",
            numbers[0],
            numbers[numbers.len() - 1],
            all.low,
            all.high,
            slope(&points),
            slope(&points[points.len() / 3..]),
        )
        .unwrap();
    }
    let processes: Vec<f64> = samples.iter().map(|sample| sample.processes).collect();
    let last = samples[samples.len() - 1];
    writeln!(
        page,
        "\n{:.0} events were written and {:.0} signals lost until the last sample; {:.0} processes lived \
         at a time (median).",
        last.events,
        last.lost,
        median(&processes)
    )
    .unwrap();
    match complaint {
        Some(complaint) => writeln!(page, "\n**{complaint}.**").unwrap(),
        None => page.push_str(
            "\nNeither is, in the last third, more than 5 % and 1 MiB above what it was in the second.\n",
        ),
    }
    page
}
