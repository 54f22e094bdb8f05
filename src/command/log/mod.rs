//! `killsnoop log`: lists what was recorded.

mod jobs;
mod printer;

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

use self::printer::{Markers, Printer};
use super::past::{Asked, Sink, screen};
use crate::base::clock::utc_now;
use crate::base::stderr::print_line;
use crate::base::zone::Zone;
use crate::cli::LogArgs;
use crate::error::UsageError;
use crate::output::FormatKind;
use crate::output::format::View;
use crate::output::format::json::JSON;
use crate::output::left_out_for_eyes::{LeftOut, LeftOutSettings};
use crate::past::coverage::{self, Subject};
use crate::past::output::PastOutput;
use crate::past::walk::{PastEvent, Walk};
use crate::past::words::count;
use crate::store::Order;

/// How often a store is asked for what is new.
const PERIOD: Duration = Duration::from_millis(200);
/// What `--follow` begins with.
const LAST_LINES: u64 = 10;
/// Events of a page.
const PAGE_EVENTS: u64 = 2000;
/// Bytes of their lines, about: processes may have command lines of megabytes.
const PAGE_BYTES: usize = 16 << 20;

/// Lists what fits.
///
/// # Errors
/// If the store cannot be read, or flags contradict each other.
pub fn log(arguments: &LogArgs) -> anyhow::Result<ExitCode> {
    if let Some(result) = jobs::run(arguments) {
        return result;
    }
    let mut asked = Asked::of(&arguments.past, arguments.targets.clone())?;
    (asked.search.deaths, asked.search.fatal) = (arguments.deaths, arguments.fatal);
    if arguments.summary {
        return jobs::summary(arguments, &asked);
    }
    let kind = match arguments.past.output {
        Some(PastOutput::Lines(kind)) => kind,
        Some(PastOutput::Html) => return page(arguments, &asked),
        None => FormatKind::usual(io::stdout().is_terminal()),
    };
    if !arguments.fields.is_empty() && !kind.has_columns {
        return Err(UsageError::FieldsWithoutTable.into());
    }
    list(arguments, &asked, kind)
}

fn list(arguments: &LogArgs, asked: &Asked, kind: FormatKind) -> anyhow::Result<ExitCode> {
    let sink = Sink::open(!arguments.follow && !arguments.past.no_pager);
    let screen = screen(&arguments.past, &sink, !kind.is_for_programs);
    let zone = Zone::of_this_process();
    // what is not written yet would be missing at the end
    if !arguments.follow {
        asked.settle()?;
    }
    let coverage = asked.coverage()?;
    let view = View { columns: arguments.fields.iter().cloned().map(String::from).collect(), top: None };
    let routine = asked.search.is_empty() && !kind.is_for_programs;
    let mut printer = Printer::new(sink, (kind.open)(screen, &view), kind);
    printer.left_out = LeftOut::new(LeftOutSettings { routine, own_group: None });
    // what comes in another order is neither folded nor joined
    printer.is_in_order = !arguments.reverse;
    printer.is_raw = kind == JSON;
    if !kind.is_for_programs && !arguments.reverse {
        printer.markers = Markers::of(&coverage, screen);
    }
    let mut walk = Walk::new(&asked.search);
    let newest = arguments.lines.or(arguments.follow.then_some(LAST_LINES));
    let mut last_row = asked.reader.newest_row()?;
    let mut found = 0;
    if let Some(most) = newest {
        let mut events = newest_events(asked, &mut walk, (most, usize::MAX))?.0;
        if arguments.reverse {
            events.reverse();
        } else if let Some(first) = events.first() {
            printer.markers.skip_before(first.time);
        }
        last_row = last_row.max(events.iter().map(|event| event.row).max().unwrap_or(0));
        found = events.len();
        for event in events {
            if !printer.print(&event)? {
                break;
            }
        }
    } else {
        let order = if arguments.reverse { Order::NewestFirst } else { Order::OldestFirst };
        let mut failure = None;
        walk.each(&asked.reader, None, order, &mut |event| {
            found += 1;
            flow(printer.print(&event), &mut failure)
        })?;
        failure.map_or(Ok(()), Err)?;
    }
    if arguments.follow {
        return follow(asked, &mut walk, printer, last_row);
    }
    let left_out = printer.left_out.signals();
    printer.finish()?;
    if walk.unreadable > 0 {
        print_line(format_args!(
            "killsnoop: {} cannot be read by this version; -o json has those of the store",
            count(walk.unreadable, "event")
        ));
    }
    if left_out > 0 {
        print_line(format_args!(
            "killsnoop: {} to zombies and in pipelines left out; -o json has all",
            count(left_out, "signal")
        ));
    }
    if found == 0 {
        return asked.nothing("Nothing that fits was recorded", Subject::Events, zone);
    }
    let unrecorded = coverage::unrecorded(&coverage, Subject::Events, asked.range.end, zone);
    if !unrecorded.is_empty() {
        print_line(format_args!("killsnoop: not recorded: {}", unrecorded.join("; ")));
    }
    Ok(ExitCode::SUCCESS)
}

/// Goes on while somebody reads.
fn flow(is_read: io::Result<bool>, failure: &mut Option<io::Error>) -> ControlFlow<()> {
    match is_read {
        Ok(true) => ControlFlow::Continue(()),
        Ok(false) => ControlFlow::Break(()),
        Err(error) => {
            *failure = Some(error);
            ControlFlow::Break(())
        }
    }
}

/// The newest of what fits, the oldest of them first; and whether there may be more.
fn newest_events(
    asked: &Asked,
    walk: &mut Walk<'_>,
    (most, most_bytes): (u64, usize),
) -> anyhow::Result<(Vec<PastEvent>, bool)> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut events: Vec<PastEvent> = Vec::new();
    let mut bytes = 0;
    let mut is_cut = false;
    if most > 0 {
        walk.each(&asked.reader, None, Order::NewestFirst, &mut |event| {
            bytes += event.json.len();
            events.push(event);
            is_cut = events.len() >= most || bytes >= most_bytes;
            if is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    events.sort_by_key(|event| event.row);
    Ok((events, is_cut))
}

/// Goes on with what the recorder writes, until nobody reads any more.
fn follow(
    asked: &Asked,
    walk: &mut Walk<'_>,
    mut printer: Printer,
    mut last_row: i64,
) -> anyhow::Result<ExitCode> {
    loop {
        let newest = asked.reader.newest_row()?;
        let mut is_read = true;
        if newest > last_row {
            let mut failure = None;
            walk.each(&asked.reader, Some(last_row), Order::OldestFirst, &mut |event| {
                last_row = last_row.max(event.row);
                let next = flow(printer.print(&event), &mut failure);
                is_read &= next.is_continue();
                next
            })?;
            failure.map_or(Ok(()), Err)?;
            last_row = last_row.max(newest);
        }
        is_read &= printer.unfold()?;
        if !is_read {
            return Ok(ExitCode::SUCCESS);
        }
        thread::sleep(PERIOD);
    }
}

fn page(arguments: &LogArgs, asked: &Asked) -> anyhow::Result<ExitCode> {
    let zone = Zone::of_this_process();
    let mut walk = Walk::new(&asked.search);
    let most = arguments.lines.unwrap_or(PAGE_EVENTS);
    asked.settle()?;
    let (events, is_cut) = newest_events(asked, &mut walk, (most, PAGE_BYTES))?;
    if events.is_empty() {
        return asked.nothing("Nothing that fits was recorded", Subject::Events, zone);
    }
    let coverage = asked.coverage()?;
    let now = i64::try_from(utc_now()).unwrap_or(i64::MAX);
    // so many as were asked for are all that was asked for
    let is_cut = is_cut && (events.len() as u64) < arguments.lines.unwrap_or(u64::MAX);
    let page = crate::past::page::of_log(&events, is_cut, &coverage, asked.range.clone(), (now, zone));
    let mut sink = Sink::open(false);
    sink.write(page.as_bytes())?;
    sink.finish()?;
    Ok(ExitCode::SUCCESS)
}
