//! `killsnoop why`: the newest end that fits, its whole story, and whether anybody was watching.

mod ambiguous;

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::process::ExitCode;

use super::past::{Asked, Sink, screen};
use crate::base::clock::utc_now;
use crate::base::shell_word::shell_word;
use crate::base::stderr::print_line;
use crate::cli::WhyArgs;
use crate::output::FormatKind;
use crate::output::format::View;
use crate::output::format::json::JSON;
use crate::output::format::screen::{Line, Paint, Screen};
use crate::past::coverage::{self, Subject};
use crate::past::output::PastOutput;
use crate::past::story::{self, Story};
use crate::past::target::Target;
use crate::past::walk::Walk;
use crate::store::Order;

/// Answers.
///
/// # Errors
/// If the store cannot be read.
pub fn why(arguments: WhyArgs) -> anyhow::Result<ExitCode> {
    let WhyArgs { targets, past } = arguments;
    let mut asked = Asked::of(&past, targets.clone())?;
    let mut sink = Sink::open(false);
    let screen = screen(&past, &sink, true);
    // of one process there is no later end
    let is_of_one = !targets.is_empty() && targets.iter().all(|target| matches!(target, Target::Key(_)));
    let mut newest = if is_of_one { story::newest_end(&asked.reader, &asked.search)? } else { None };
    if newest.is_none() {
        // what is not written yet may be a later one
        asked.settle()?;
        newest = story::newest_end(&asked.reader, &asked.search)?;
    }
    // a container of the host's goes before one of a user by that name
    if newest.as_ref().is_some_and(|end| asked.search.is_of_users_container(&end.document)) {
        asked.search.only_hosts_containers = true;
        newest = story::newest_end(&asked.reader, &asked.search)?.or(newest);
    }
    let Some(end) = newest else {
        return nothing(&asked, &targets, screen);
    };
    let now = i64::try_from(utc_now()).unwrap_or(i64::MAX);
    ambiguous::list_others(&asked.reader, &targets, &end, screen)?;
    let story = Story::of(&asked.reader, end, now)?;
    let is_for_eyes = past.output.is_none();
    let last = last_line(&asked, &story, screen)?;
    let later = story.end.time + 1..asked.range.end;
    let caveat = if is_of_one { None } else { coverage::may_be_missing(&story.coverage, later, screen.zone) };
    let text = match past.output {
        None => as_text(&story, caveat.as_deref(), &last, screen, now),
        Some(PastOutput::Lines(kind)) => as_lines(&story, kind, screen),
        Some(PastOutput::Html) => {
            let range = asked.range.clone();
            crate::past::page::of_story(&story, &asked.coverage()?, range, &last, now, screen.zone)
                .into_bytes()
        }
    };
    sink.write(&text)?;
    sink.finish()?;
    if !is_for_eyes
        && past.output != Some(PastOutput::Html)
        && !coverage::is_whole(&story.coverage, Subject::Ends)
    {
        print_line(format_args!("killsnoop: {last}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_text(story: &Story, caveat: Option<&str>, last: &str, screen: Screen, now: i64) -> Vec<u8> {
    let mut out = Vec::new();
    story::write(story, caveat, screen, now, &mut out);
    let is_whole = coverage::is_whole(&story.coverage, Subject::Events);
    let paint = if is_whole { Paint::Faint } else { Paint::Fatal };
    let mut line = Line::new(screen, screen.columns());
    story::wrapped(&mut line, paint, last, &mut out);
    out
}

/// The events of the story, as a trace prints them.
fn as_lines(story: &Story, kind: FormatKind, screen: Screen) -> Vec<u8> {
    let mut format = (kind.open)(screen, &View::default());
    let mut out = Vec::new();
    for event in story.events() {
        if kind == JSON {
            out.extend_from_slice(event.json.as_bytes());
            out.push(b'\n');
        } else {
            event.document.write_to(&mut *format);
            format.finish(&mut out);
        }
    }
    out
}

/// Whether anybody was watching from the beginning of the story to now; and since when without a gap.
fn last_line(asked: &Asked, story: &Story, screen: Screen) -> anyhow::Result<String> {
    let begin = story.range().start;
    let all = asked.reader.coverage(asked.range.start.min(begin)..asked.range.end.max(begin + 1))?;
    let gaps = all.gaps.iter().map(|gap| gap.until);
    let losses = all.losses.iter().map(|loss| loss.until);
    let forgotten = all.forgotten.iter().map(|forgotten| forgotten.until);
    let since = gaps.chain(losses).chain(forgotten).filter(|until| *until <= begin).max();
    let first = all.spans.iter().map(|span| span.since).min().unwrap_or(begin);
    Ok(coverage::sentence(
        &story.coverage,
        Subject::Events,
        since.unwrap_or(first),
        story.end.time,
        screen.zone,
    ))
}

/// Nothing that fits ended: was anything seen of it, and was anybody watching?
fn nothing(asked: &Asked, targets: &[Target], screen: Screen) -> anyhow::Result<ExitCode> {
    let code = asked.nothing("Nothing that fits was killed", Subject::Ends, screen.zone)?;
    let mut walk = Walk::new(&asked.search);
    let mut is_seen = false;
    walk.each(&asked.reader, None, Order::NewestFirst, &mut |_| {
        is_seen = true;
        ControlFlow::Break(())
    })?;
    if is_seen && std::io::stderr().is_terminal() {
        let name = targets.first().map(|target| shell_word(&target.to_string())).unwrap_or_default();
        print_line(format_args!("It received signals: killsnoop log {}", screen.safe(&name)));
    }
    Ok(code)
}
