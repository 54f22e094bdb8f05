//! docs/performance.md and its pictures, from what was measured.

use std::fmt::Write;
use std::path::Path;

use crate::kills::{Cost, Costs};
use crate::latency::Latency;
use crate::numbers::Spread;
use crate::plot::{self, Bar, Chart, Line};
use crate::programs::Program;
use crate::scale::{Crowd, Point, Scale};
use crate::storm::Footprint;
use crate::sustained::{self, Sustained};
use crate::targets::{self, Limit, Target};
use crate::worst::Case;
use crate::{Speed, host, workload};

pub struct Results {
    pub command: String,
    pub speed: Speed,
    /// Peers that are not here, and why.
    pub missing: Vec<(String, String)>,
    /// Parts that could not be measured, and why.
    pub failed: Vec<String>,
    pub costs: Costs,
    pub worst: Vec<Case>,
    pub footprints: Vec<Footprint>,
    pub programs: Vec<Program>,
    pub sustained: Sustained,
    pub latencies: Vec<Latency>,
    pub scale: Scale,
    pub minutes: f64,
}

/// The median, and the lowest and highest behind it.
fn show(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or("–".to_owned(), |Spread { median, low, high }| {
        format!("{median:.digits$} ({low:.digits$}–{high:.digits$})")
    })
}

fn median(spread: Option<Spread>) -> Option<f64> {
    spread.map(|spread| spread.median)
}

/// `1 process`, and the bytes of its command line.
fn above() -> (String, usize) {
    let (count, bytes) = workload::above();
    (if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }, bytes)
}

impl Results {
    pub fn write(&self, directory: &Path) {
        host::write(&directory.join("performance.md"), &self.page());
        host::write(&directory.join("performance-kills.svg"), &plot::bars(&self.bars()));
        host::write(&directory.join("performance-latency.svg"), &plot::draw(&[self.latency_chart()]));
        host::write(&directory.join("performance-scale.svg"), &plot::draw(&self.scale_charts()));
    }

    fn page(&self) -> String {
        let mut page = String::from("# What killsnoop costs\n\n![added per kill](performance-kills.svg)\n\n");
        self.answer(&mut page);
        for complaint in &self.failed {
            writeln!(page, "**Not measured:** {complaint}\n").unwrap();
        }
        self.compare(&mut page);
        self.write_method(&mut page);
        self.keep_targets(&mut page);
        self.write_worst(&mut page);
        self.own_costs(&mut page);
        self.write_programs(&mut page);
        self.write_sustained(&mut page);
        self.write_latency(&mut page);
        self.write_scale(&mut page);
        Self::write_cpus(&mut page);
        page
    }

    /// Three sentences for who reads no further.
    fn answer(&self, page: &mut String) {
        fn number(value: Option<f64>, digits: usize) -> String {
            value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
        }
        let full = |name| Some(self.cost(name)?.full?.median);
        let ratio = full("killsnoop").zip(full("sigsnoop")).map(|(ours, theirs)| ours / theirs);
        let paced = self.cost("killsnoop").and_then(|cost| median(cost.paced));
        let foot = self.footprint("killsnoop");
        let of_foot = |of: fn(&Footprint) -> Option<Spread>| median(of(foot?));
        let storm = foot.and_then(|foot| foot.storm);
        let count = |value: Option<u64>| value.map_or("–".to_owned(), |value| value.to_string());
        writeln!(
            page,
            "A kill() takes {} µs longer with killsnoop, which is {} of what sigsnoop adds, and {} µs longer at one kill per \
             ms; another system call, getppid(), takes {} times as long. The tracer uses {} µs of CPU for an event, {} ms a \
             second when nothing happens, and {} MiB of memory at most. In a storm of {} signals {} were counted as lost, and {} \
             are unaccounted for.\n",
            number(full("killsnoop"), 2),
            number(ratio, 2),
            number(paced, 2),
            number(self.costs.getppid.map(|(ratio, _)| ratio.median), 3),
            number(of_foot(|foot| foot.cpu_us_per_event), 2),
            number(of_foot(|foot| foot.idle_ms_per_s), 2),
            number(of_foot(|foot| foot.peak_rss_mib), 1),
            count(storm.map(|(sent, _)| sent)),
            count(storm.map(|(_, tally)| tally.told_lost)),
            foot.and_then(Footprint::unaccounted).map_or("–".to_owned(), |signals| signals.to_string()),
        )
        .unwrap();
    }

    fn compare(&self, page: &mut String) {
        page.push_str(
            "| | added µs per kill, full speed | added µs at 1 kill per ms | tracer CPU µs per event | \
             first event s | idle CPU ms/s | peak RSS MiB | storm: unaccounted \
             |\n|---|---|---|---|---|---|---|---|\n",
        );
        for cost in self.costs.each.iter().filter(|cost| cost.is_peer) {
            let Some(foot) = self.footprint(&cost.name) else { continue };
            writeln!(
                page,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                cost.name,
                show(cost.full, 2),
                show(cost.paced, 2),
                show(foot.cpu_us_per_event, 2),
                show(foot.first_event, 3),
                show(foot.idle_ms_per_s, 2),
                show(foot.peak_rss_mib, 1),
                unaccounted(foot)
            )
            .unwrap();
        }
        page.push_str(
            "| **to reach, with both whole trees and all argv** | **≤ 1.2 = 0.07 × sigsnoop** | **≤ 1.5 = \
             0.08 ×** | **≤ 3 = 0.45 ×** | **≤ 0.08** | **≤ 0.7** | **≤ 16** | **0, exactly** |\n\nNumbers are medians, with \
             the lowest and the highest round in brackets. Times are this machine's; what counts is the ratio between the \
             rows.\n\n",
        );
    }

    fn write_method(&self, page: &mut String) {
        let Speed { rounds, storm_rounds, kills, paced_kills, .. } = self.speed;
        let (above, bytes) = above();
        writeln!(
            page,
            "## How it is measured\n\n\
             `{}` made this page and its pictures on {}: {}, in {:.0} minutes. All tracers were measured in one run, in turns \
             of about a second, one after the other in each of {rounds} rounds ({storm_rounds} for storms and memory).\n\n\
             - **Added**: the median of a kill() with the tracer, less that without it in the same round: `workload time-kill \
             {kills} PID` at full speed, `workload time-kill {paced_kills} PID 1000` at one a ms. The target ignores the signal \
             (SIGURG), so that no wake-up of it is measured. A kill() that nobody traces took {} µs at full speed and {} µs at \
             one a ms (caches are cold by then).\n\
             - **Trees**: sender and target are orphans, which were there before the tracer: above each is only what this host \
             has above an orphan, {above} with {bytes} bytes of command lines, and all of it is in each of killsnoop's lines.\n\
             - **First event**: from exec of the tracer to its first line about a source that sends a signal every 100 µs (with \
             `stdbuf -oL` where that is its standard output, so that a line is there when it is printed).\n\
             - **Idle**: {} s without a signal from here.\n\
             - **Storm**: two senders at full speed for {} ms, orphans as above, killsnoop with `--where target.pid=` of their \
             targets, so that what others of this host send is not in the sums. Counted lost is what found no room, in the ring \
             or behind the output; unaccounted is *sent − shown − counted lost* of the worst round (below 0: of what others \
             counted as lost, some was of other processes).",
            self.command,
            host::date(),
            host::described(),
            self.minutes,
            show(self.costs.bare_full, 2),
            show(self.costs.bare_paced, 2),
            self.speed.idle.as_secs(),
            self.speed.storm_ms
        )
        .unwrap();
        for foot in &self.footprints {
            let maps = show(foot.map_rss_mib, 1);
            writeln!(
                page,
                "- {}: `{}`; of its RSS {maps} MiB are pages of BPF maps",
                foot.name, foot.command
            )
            .unwrap();
        }
        let trouble = self.footprints.iter().map(|foot| (&foot.name, &foot.complaint));
        let trouble = trouble.chain(self.costs.each.iter().map(|cost| (&cost.name, &cost.complaint)));
        for (name, complaint) in trouble.filter_map(|(name, complaint)| Some((name, complaint.as_ref()?))) {
            writeln!(page, "- **{name} could not be measured to the end:** {complaint}").unwrap();
        }
        for (name, why) in &self.missing {
            writeln!(page, "- {name} is missing: {why}").unwrap();
        }
        page.push('\n');
    }

    fn footprint(&self, name: &str) -> Option<&Footprint> {
        self.footprints.iter().find(|foot| foot.name == name)
    }

    fn cost(&self, name: &str) -> Option<&Cost> {
        self.costs.each.iter().find(|cost| cost.name == name)
    }

    fn program(&self, name: &str) -> Option<f64> {
        let program = self.programs.iter().find(|program| program.name == name)?;
        Some(program.nanoseconds.median / 1000.0)
    }

    /// What was measured for each target.
    fn measured(&self) -> Vec<(&'static Target, Option<f64>)> {
        let cost = |name, of: fn(&Cost) -> Option<Spread>| median(of(self.cost(name)?));
        let foot = |name, of: fn(&Footprint) -> Option<Spread>| median(of(self.footprint(name)?));
        let ratio = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
        let (full, paced) = (|cost: &Cost| cost.full, |cost: &Cost| cost.paced);
        let cpu = |foot: &Footprint| foot.cpu_us_per_event;
        let longest = self.latencies.iter().map(|latency| latency.quantile(1.0) / 1000.0);
        vec![
            (&targets::ADDED_FULL, cost("killsnoop", full)),
            (&targets::ADDED_FULL_RATIO, ratio(cost("killsnoop", full), cost("sigsnoop", full))),
            (&targets::ADDED_PACED, cost("killsnoop", paced)),
            (&targets::ADDED_PACED_RATIO, ratio(cost("killsnoop", paced), cost("sigsnoop", paced))),
            (&targets::CPU, foot("killsnoop", cpu)),
            (&targets::CPU_RATIO, ratio(foot("killsnoop", cpu), foot("sigsnoop", cpu))),
            (&targets::FIRST_EVENT, foot("killsnoop", |foot| foot.first_event)),
            (&targets::IDLE, foot("killsnoop", |foot| foot.idle_ms_per_s)),
            (&targets::RSS, foot("killsnoop", |foot| foot.peak_rss_mib)),
            (&targets::UNACCOUNTED, self.unaccounted()),
            (&targets::EXEC, self.program("on_exec")),
            (&targets::FORK, self.program("on_fork")),
            (&targets::EXIT, self.program("on_exit")),
            (&targets::HIDDEN, cost("hidden", full)),
            (&targets::REFUSED, cost("refused by number", full)),
            (&targets::OTHER_CALLS, self.costs.getppid.map(|(ratio, _)| ratio.median)),
            (&targets::SUSTAINED, median(self.sustained.events_per_second())),
            (&targets::LATENCY, longest.reduce(f64::max)),
        ]
    }

    /// In the storm and in the sustained one.
    fn unaccounted(&self) -> Option<f64> {
        let storm = self.footprint("killsnoop")?.unaccounted()?.abs();
        Some(storm.max(self.sustained.unaccounted().abs()) as f64)
    }

    fn keep_targets(&self, page: &mut String) {
        page.push_str("## What was to be reached\n\n| | to reach | measured | |\n|---|---|---|---|\n");
        for (target, number) in self.measured() {
            let limit = match target.limit {
                Limit::AtMost(limit) => format!("≤ {limit}"),
                Limit::AtLeast(limit) => format!("≥ {limit}"),
            };
            let (number, verdict) = match number {
                None => ("–".to_owned(), "not measured".to_owned()),
                Some(number) if target.limit.is_kept(number) => {
                    (format!("{number:.2}"), "reached".to_owned())
                }
                Some(number) => (format!("{number:.2}"), format!("**missed**: {}", target.reason)),
            };
            writeln!(page, "| {} | {limit} {} | {number} | {verdict} |", target.what, target.unit).unwrap();
        }
    }

    fn write_worst(&self, page: &mut String) {
        let Some(first) = self.worst.first() else { return };
        let names: Vec<&str> = first.added.iter().map(|(name, _)| name.as_str()).collect();
        writeln!(
            page,
            "\n## Where nothing is as it was the time before\n\nAdded µs of a kill() at full speed. Of one pair of processes all that is kept \
             of both is still in the CPU's caches, and in the record before.\n\n| | without | {} | killsnoop, to sigsnoop's | made by |\n|---|---|{}---|---|",
            names.join(" | "),
            "---|".repeat(names.len())
        )
        .unwrap();
        for Case { what, command, bare, added } in &self.worst {
            let of = |name: &str| {
                added.iter().find(|(one, _)| one == name).and_then(|(_, spread)| median(*spread))
            };
            let ratio = of("killsnoop").zip(of("sigsnoop")).map(|(ours, theirs)| ours / theirs);
            let each: Vec<String> = added.iter().map(|(_, spread)| show(*spread, 2)).collect();
            let ratio = ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2} ×"));
            writeln!(page, "| {what} | {} | {} | {ratio} | `{command}` |", show(*bare, 2), each.join(" | "))
                .unwrap();
        }
    }

    fn own_costs(&self, page: &mut String) {
        page.push_str(
            "\n## What is not reported costs little\n\n| | command | added µs, full speed | added µs at 1 \
             kill per ms |\n|---|---|---|---|\n",
        );
        for cost in self.costs.each.iter().filter(|cost| !cost.is_peer || cost.name == "killsnoop") {
            let Cost { name, command, full, paced, .. } = cost;
            writeln!(page, "| {name} | `{command}` | {} | {} |", show(*full, 2), show(*paced, 2)).unwrap();
        }
        if let Some((ratio, bare)) = self.costs.getppid {
            writeln!(
                page,
                "\nOther system calls: getppid() (`workload time-getppid 200`) took {} ns without \
                 killsnoop; with it {} times that.",
                show(Some(bare), 1),
                show(Some(ratio), 3)
            )
            .unwrap();
        }
    }

    fn write_programs(&self, page: &mut String) {
        page.push_str(
            "\n## Each BPF program\n\nns of one run, by the kernel's own count \
             (`kernel.bpf_stats_enabled=1`, which adds some 20 to 50 ns to each run itself). What the rest \
             of the host did meanwhile is in there.\n\n| | program | ns a run | runs | killsnoop's flags | \
             made by |\n\
             |---|---|---|---|---|---|\n",
        );
        for program in &self.programs {
            let Program { what, flags, command, name, nanoseconds, runs } = program;
            let time = show(Some(*nanoseconds), 0);
            writeln!(page, "| {what} | `{name}` | {time} | {runs} | `{flags}` | `{command}` |").unwrap();
        }
    }

    fn write_sustained(&self, page: &mut String) {
        let Sustained { command, seconds, rounds } = &self.sustained;
        let (nested, (above, bytes)) = (sustained::nested(), above());
        writeln!(
            page,
            "\n## Sustained\n\nFour senders at full speed for {seconds} s, to four targets, both chains {} \
             deep: {nested} of `workload`, orphans with command lines of some 60 bytes, and above them \
             {above} with {bytes} bytes. `{command}`, FILE on tmpfs, and four of `workload orphan nest \
             {nested} FILLER held storm-for`.\n\nComplete is an event that names nothing as missing; \
             the rate is up to the last line written. {} complete events a second, {} bytes each.\n",
            sustained::DEPTH,
            show(self.sustained.events_per_second(), 0),
            show(self.sustained.bytes_per_event(), 0)
        )
        .unwrap();
        page.push_str(
            "| round | sent | shown | complete | counted lost | unaccounted | seconds until written | \
            complete a second |\n|---|---|---|---|---|---|---|---|\n",
        );
        for (number, round) in (1..).zip(rounds) {
            writeln!(
                page,
                "| {number} | {} | {} | {} | {} | {} | {:.2} | {:.0} |",
                round.sent.signals,
                round.tally.seen,
                round.tally.complete,
                round.tally.told_lost,
                round.unaccounted(),
                round.seconds,
                round.events_per_second()
            )
            .unwrap();
        }
    }

    fn write_latency(&self, page: &mut String) {
        page.push_str(
            "\n## From the signal to its line\n\nFrom the kernel's time of the signal, which the line \
             has, until the reader of a pipe has the line: what write() took, and its wake-up, are in \
             there. At full speed what waits is the ring.\n\n![latency](performance-latency.svg)\n\n\
             | signals | lines | p50 µs | p99 µs | highest µs | command |\n|---|---|---|---|---|---|\n",
        );
        for latency in &self.latencies {
            let [half, most, all] = [0.5, 0.99, 1.0].map(|share| latency.quantile(share));
            let (count, command) = (latency.microseconds.len(), &latency.command);
            writeln!(page, "| {} | {count} | {half:.0} | {most:.0} | {all:.0} | `{command}` |", latency.what)
                .unwrap();
        }
    }

    fn write_scale(&self, page: &mut String) {
        page.push_str(
            "\n## Deep trees, long command lines, many processes\n\n![scale](performance-scale.svg)\n\n",
        );
        points(
            page,
            "processes below this one, in each chain",
            &self.scale.depths,
            "`workload nest N a-short-argument …`",
        );
        points(
            page,
            "bytes of one argument, of sender, target and the parent of each",
            &self.scale.lengths,
            "`workload nest 2 ARGUMENT …`",
        );
        page.push_str(
            "| processes there at the start | ready ms | of these, seeding ms | RSS KiB | kernel KiB | \
             kernel bytes for each more |\n|---|---|---|---|---|---|\n",
        );
        let first = self.scale.crowds.first();
        for crowd in &self.scale.crowds {
            let Crowd { wanted, processes, ready_ms, seeding_ms, rss_kib, kernel_kib } = crowd;
            let note =
                if processes < wanted { format!(" (of {wanted}: no more pids here)") } else { String::new() };
            let each = first.filter(|first| first.processes < *processes).map_or("–".to_owned(), |first| {
                let more = f64::from(processes - first.processes);
                format!("{:.0}", (kernel_kib - first.kernel_kib) * 1024.0 / more)
            });
            writeln!(
                page,
                "| {processes}{note} | {ready_ms:.1} | {seeding_ms:.1} | {rss_kib:.0} | {kernel_kib:.0} | \
                {each} |"
            )
            .unwrap();
        }
        page.push_str(
            "\n`workload crowd N`, then `killsnoop -o json=/dev/null` in a memory cgroup of its own; \
            kernel memory is what is charged to that.\n",
        );
    }

    fn write_cpus(page: &mut String) {
        page.push_str(
            "\n## More CPUs, on paper\n\n\
            Not measured: this machine has few. A record is made in memory of its own CPU, without any lock; the ring's lock is \
            taken for the reservation alone, which is some tens of ns of the 2 µs that a signal costs, and the bytes are copied \
            outside of it. So senders on some 30 CPUs at once would begin to wait for one another, at more than ten million \
            records a second, and the memory of the ring would be the limit before that: 2 KB each, read once more by one thread.\n\n\
            That thread is what ends first, at the rate above; from there on the ring fills and loss is counted. What would come \
            next is a second thread that formats (records are self-contained), then a ring for each memory node, merged by the \
            time in each record.\n\nIdentities, counters and scratch space are each task's or each CPU's own, and do not contend; \
            ghosts are in one table, whose locks are by bucket.\n",
        );
    }

    fn bars(&self) -> Vec<Bar> {
        let shown = self.costs.each.iter().filter(|cost| cost.full.is_some());
        shown
            .map(|cost| Bar {
                name: cost.name.clone(),
                values: vec![("full speed", cost.full), ("1 a ms", cost.paced)],
            })
            .collect()
    }

    fn latency_chart(&self) -> Chart {
        let line = |latency: &Latency| Line {
            name: latency.what.to_owned(),
            points: (1..=100)
                .map(|percent| f64::from(percent) / 100.0)
                .map(|share| ((latency.quantile(share) / 1000.0).max(0.001), share * 100.0))
                .collect(),
        };
        Chart {
            title: "From the signal to its line: so many % are there after …".to_owned(),
            x: "ms".to_owned(),
            y: "% of the lines".to_owned(),
            lines: self
                .latencies
                .iter()
                .filter(|latency| !latency.microseconds.is_empty())
                .map(line)
                .collect(),
            logarithmic: true,
            highest: 100.0,
        }
    }

    fn scale_charts(&self) -> Vec<Chart> {
        let line = |name: &str, points: &[Point]| Line {
            name: name.to_owned(),
            points: points.iter().map(|point| (point.at, point.added.median)).collect(),
        };
        let chart = |title: &str, x: &str, y: &str, line| Chart {
            title: title.to_owned(),
            x: x.to_owned(),
            y: y.to_owned(),
            lines: vec![line],
            logarithmic: true,
            highest: f64::INFINITY,
        };
        let crowds = Line {
            name: "seeding".to_owned(),
            points: self
                .scale
                .crowds
                .iter()
                .map(|crowd| (f64::from(crowd.processes), crowd.seeding_ms))
                .collect(),
        };
        vec![
            chart(
                "Cost of a signal by the depth of both trees",
                "processes in each chain",
                "added µs per kill",
                line("full speed", &self.scale.depths),
            ),
            chart(
                "Cost of a signal by the length of the command lines",
                "bytes of one argument",
                "added µs per kill",
                line("full speed", &self.scale.lengths),
            ),
            chart("Seeding by the processes that are there at the start", "processes", "ms", crowds),
        ]
    }
}

fn points(page: &mut String, what: &str, points: &[Point], command: &str) {
    writeln!(
        page,
        "| {what} | added µs per kill, full speed | bytes of an event | kills a round | lost, all rounds \
        |\n|---|---|---|---|---|"
    )
    .unwrap();
    for Point { at, added, bytes, kills, lost } in points {
        writeln!(page, "| {at} | {} | {bytes:.0} | {kills} | {lost} |", show(Some(*added), 2)).unwrap();
    }
    writeln!(
        page,
        "\n{command} around `workload ignores` and `workload time-kill`, with `killsnoop -d 32 -o \
        json=FILE --where target.pid=PID` and without; so few kills that the ring holds them all.\n"
    )
    .unwrap();
}

fn unaccounted(foot: &Footprint) -> String {
    let Some((sent, tally)) = foot.storm else { return "–".to_owned() };
    let garbled =
        if tally.garbled > 0 { format!(", {} lines garbled", tally.garbled) } else { String::new() };
    format!(
        "{} of {sent} ({} counted lost){garbled}",
        foot.unaccounted().unwrap_or_default(),
        tally.told_lost
    )
}
