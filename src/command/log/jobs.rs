//! What `log` does besides listing: boots, size, examination and vacuum of a store, and a summary.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::process::ExitCode;

use super::super::past::{Asked, Sink, screen};
use crate::base::clock::utc_now;
use crate::base::sanitize::visible;
use crate::base::zone::Zone;
use crate::cli::LogArgs;
use crate::past::coverage::{self, Subject};
use crate::past::patterns::Patterns;
use crate::past::walk::Walk;
use crate::past::words::{count, date_and_time};
use crate::store::{self, Order, Reader};

/// A store that is damaged.
const DAMAGED: u8 = 1;

/// Does one of these jobs, if one is asked for.
pub(super) fn run(arguments: &LogArgs) -> Option<anyhow::Result<ExitCode>> {
    let directory = &arguments.past.store;
    let zone = Zone::of_this_process();
    if arguments.list_boots {
        return Some(list_boots(directory, zone));
    }
    if arguments.disk_usage {
        return Some(disk_usage(directory, zone));
    }
    if arguments.verify {
        return Some(verify(directory));
    }
    let vacuumed = match (arguments.vacuum_size, arguments.vacuum_time) {
        (Some(size), _) => store::vacuum_size(directory, size.0),
        (None, Some(age)) => {
            let now = i64::try_from(utc_now()).unwrap_or(i64::MAX);
            store::vacuum_time(directory, now.saturating_sub_unsigned(age.0))
        }
        (None, None) => return None,
    };
    Some(vacuumed.map_err(Into::into).and_then(|vacuumed| {
        let (before, after) = (size(vacuumed.before), size(vacuumed.after));
        print(&format!("{} forgotten; {before} before, {after} now\n", count(vacuumed.events, "event")))
    }))
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    let mut sink = Sink::open(false);
    sink.write(text.as_bytes())?;
    sink.finish()?;
    Ok(ExitCode::SUCCESS)
}

fn list_boots(directory: &std::path::Path, zone: Zone) -> anyhow::Result<ExitCode> {
    let boots = Reader::open(directory)?.boots()?;
    let mut text = String::new();
    for (place, boot) in boots.iter().rev().enumerate().collect::<Vec<_>>().into_iter().rev() {
        let place = if place == 0 { "0".to_owned() } else { format!("-{place}") };
        let _ = writeln!(
            text,
            "{place:>4}  {}  {} – {}",
            visible(&boot.id),
            date_and_time(boot.since, zone),
            date_and_time(boot.until, zone)
        );
    }
    print(&text)
}

fn disk_usage(directory: &std::path::Path, zone: Zone) -> anyhow::Result<ExitCode> {
    let usage = store::disk_usage(directory)?;
    let mut text = format!(
        "{} in {}: {}, {} by a signal",
        size(usage.bytes),
        visible(directory),
        count(usage.events, "event"),
        count(usage.deaths, "death")
    );
    if let Some((first, last)) = usage.times {
        let _ = write!(text, ", {} – {}", date_and_time(first, zone), date_and_time(last, zone));
    }
    text.push('\n');
    print(&text)
}

fn verify(directory: &std::path::Path) -> anyhow::Result<ExitCode> {
    let verified = store::verify(directory)?;
    let mut text = format!("{} read", count(verified.events, "event"));
    if verified.problems.is_empty() {
        text.push_str("; the store is whole\n");
        return print(&text);
    }
    let _ = writeln!(text, "; {}:", count(verified.problems.len() as u64, "problem"));
    for problem in &verified.problems {
        let _ = writeln!(text, "  {}", visible(problem));
    }
    print(&text)?;
    Ok(ExitCode::from(DAMAGED))
}

/// `1.5 GiB`.
fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut tenths = 0;
    let mut unit = 0;
    while value >= 1024 && unit + 1 < units.len() {
        tenths = value % 1024 * 10 / 1024;
        value /= 1024;
        unit += 1;
    }
    if unit == 0 { format!("{value} bytes") } else { format!("{value}.{tenths} {}", units[unit]) }
}

/// `--summary`: how often who sent what to whom, and what repeats by the clock.
pub(super) fn summary(arguments: &LogArgs, asked: &Asked) -> anyhow::Result<ExitCode> {
    let zone = Zone::of_this_process();
    let mut patterns = Patterns::default();
    let mut walk = Walk::new(&asked.search);
    asked.settle()?;
    walk.each(&asked.reader, None, Order::OldestFirst, &mut |event| {
        patterns.add(&event, zone);
        ControlFlow::Continue(())
    })?;
    if patterns.is_empty() {
        return asked.nothing("Nothing that fits was recorded", Subject::Events, zone);
    }
    let coverage = asked.coverage()?;
    let mut sink = Sink::open(!arguments.past.no_pager);
    let screen = screen(&arguments.past, &sink, true);
    let mut text = Vec::new();
    patterns.write(screen, &mut text);
    let last = coverage::sentence(&coverage, Subject::Events, asked.range.start, asked.range.end, zone);
    text.extend_from_slice(last.as_bytes());
    text.push(b'\n');
    sink.write(&text)?;
    sink.finish()?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_rounded_down_to_a_tenth() {
        for (bytes, text) in [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1_600_000, "1.5 MiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
