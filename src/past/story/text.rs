//! The story as text: the answer first, then what happened in its order, who it was, what followed.

use std::collections::BTreeMap;

use super::super::target::{number, text};
use super::super::walk::PastEvent;
use super::super::words::{as_typed, count, date_and_time, long_span, nanoseconds, time_near};
use super::request::{whose, words};
use super::{Link, Request, Story};
use crate::base::shell_word::shell_word;
use crate::output::format::View;
use crate::output::format::document::{Document, Field, JOINED_END, Value, find};
use crate::output::format::line::LINE;
use crate::output::format::screen::{Line, Paint, Screen, Width};

/// Before the lines of a story.
const INDENT: &str = "  ";
/// What is no older may not be complete.
const RECENT: u64 = 10_000_000_000;
/// The words before the facts of a process.
const LABEL: usize = 9;

/// `nginx(812) was killed by SIGKILL from systemd(1), Thu 2026-11-26 03:12:07 CET, 8 h ago`.
pub fn headline(story: &Story, screen: Screen, now: i64) -> String {
    let document = &story.end.document;
    let summary = document.text_at("summary").unwrap_or("a process ended");
    let mut text = screen.safe(summary);
    let ago = u64::try_from(now.saturating_sub(story.end.time)).unwrap_or(0);
    if !story.has_end() {
        // a recorder hands over what is new once a second, and later where the host is busy
        text.push_str(if ago < RECENT {
            "; its end is not in the store yet"
        } else {
            "; its end was not recorded"
        });
    }
    format!("{text}, {}, {} ago", date_and_time(story.end.time, screen.zone), long_span(ago))
}

/// Writes it, but for its last line, which says what was recorded. `caveat`: why it may not be the answer.
pub fn write(story: &Story, caveat: Option<&str>, screen: Screen, now: i64, out: &mut Vec<u8>) {
    let columns = screen.columns();
    let mut line = Line::new(screen, columns);
    let is_killed = story.end.document.text_at("signalName").is_some();
    wrapped(
        &mut line,
        if is_killed { Paint::Fatal } else { Paint::Heading },
        &headline(story, screen, now),
        out,
    );
    if let Some(caveat) = caveat {
        wrapped(&mut line, Paint::Fatal, &format!("{INDENT}{caveat}"), out);
    }
    if story.earlier > 0 {
        let least = if story.earlier_is_least { "at least " } else { "" };
        let more = format!("{least}{}", count(story.earlier as u64, "earlier signal"));
        let key = shell_word(story.end.document.text_at("target.key").unwrap_or_default());
        line.add(Paint::Faint, &format!("{INDENT}{more} to it: killsnoop log --pid {key}")).finish(out);
    }
    if story.more_requests > 0 {
        let more = count(story.more_requests as u64, "further command");
        line.add(
            Paint::Faint,
            &format!("{INDENT}{more} named it in that time: killsnoop log --where event=request"),
        )
        .finish(out);
    }
    write_steps(story, screen, out);
    for (label, side) in [("victim", "target"), ("sender", "source")] {
        write_process(story, label, side, screen, out);
    }
    write_after(story, screen, out);
}

/// Adds a text to a line and ends it; on several lines where there is no room on one.
pub fn wrapped(line: &mut Line, paint: Paint, text: &str, out: &mut Vec<u8>) {
    let mut rest = text.to_owned();
    while let Some((begin, behind)) = line.wrap(&rest) {
        line.add(paint, &begin).finish(out);
        rest = format!("{INDENT}{behind}");
        // what has no blank is cut
        if rest.len() >= text.len() + INDENT.len() {
            break;
        }
    }
    line.add(paint, &rest).finish(out);
}

/// Requests and signals, each with its time; the end with the signal that it names.
fn write_steps(story: &Story, screen: Screen, out: &mut Vec<u8>) {
    let requests: BTreeMap<i64, &Request> =
        story.requests.iter().map(|request| (request.event.row, request)).collect();
    let inner = Screen {
        width: screen.columns().map_or(Width::Unlimited, |columns| Width::Columns(columns.saturating_sub(2))),
        ..screen
    };
    let mut format = (LINE.open)(inner, &View::default());
    let joined = story.last_signal().map(|signal| signal.row).filter(|_| story.has_end());
    let mut last_date = None;
    for event in story.events() {
        let is_joined_end = event.row == story.end.row && joined.is_some_and(|row| row != event.row);
        if is_joined_end {
            continue;
        }
        // another day than that of the end is named
        let date = time_near(event.time, story.end.time, screen.zone);
        if date.contains(' ') && last_date.as_deref() != date.get(..10) {
            last_date = date.get(..10).map(str::to_owned);
            let date = last_date.clone().unwrap_or_default();
            Line::new(screen, screen.columns()).add(Paint::Faint, &format!("{INDENT}{date}")).finish(out);
        }
        out.extend_from_slice(INDENT.as_bytes());
        if let Some(request) = requests.get(&event.row) {
            write_request(request, inner, out);
            continue;
        }
        let mut document = event.document.clone();
        without_command_lines(&mut document, story);
        if joined == Some(event.row) {
            let end = Value::Object(story.end.document.fields().to_vec());
            document.insert_behind(&[], JOINED_END, end);
        }
        document.write_to(&mut *format);
        format.finish(out);
    }
}

/// Those of the victim and of the last sender follow below.
fn without_command_lines(document: &mut Document, story: &Story) {
    let sender = story.last_signal().and_then(|signal| signal.document.text_at("source.key"));
    let is_other = document.text_at("source.key") != sender;
    for field in document.fields_mut() {
        let Value::Object(process) = &mut field.value else { continue };
        if field.key == "target" || (field.key == "source" && !is_other) {
            // an empty list says nothing more than the name
            for fact in process.iter_mut().filter(|fact| fact.key == "cmdline") {
                fact.value = Value::List(Vec::new());
            }
            process.retain(|fact| fact.key != "cmdlineTruncated");
        }
    }
}

/// `03:10:37.100  systemctl restart nginx.service   by needrestart(4411), apt-daily-upgrade.service (before it; not proof)`.
fn write_request(request: &Request, screen: Screen, out: &mut Vec<u8>) {
    let document = &request.event.document;
    let items: Vec<Vec<u8>> = words(document).into_iter().map(String::into_bytes).collect();
    let mut line = Line::new(screen, screen.columns());
    line.add(Paint::Faint, &screen.clock(document)).add(Paint::None, "  ");
    line.add(Paint::Heading, &screen.arguments(&items));
    let source = document.object("source").unwrap_or_default();
    let caller = match find(source, "parent") {
        Some(Value::Object(parent)) => format!("   by {}", screen.name(parent)),
        _ => String::new(),
    };
    let unit =
        text(source, &["systemd", "unit"]).map(|unit| format!(", {}", screen.safe(unit))).unwrap_or_default();
    line.add(Paint::Source, &caller).add(Paint::None, &unit);
    let whose = whose(document);
    if !whose.is_empty() {
        line.add(Paint::None, &format!(", {}", screen.safe(&whose)));
    }
    let note = match request.link {
        Link::Names => "   (before it; not proof)",
        Link::Host => "   (before it, for the whole host; not proof)",
        Link::Perhaps => "   (before it; whether it means this container is not recorded)",
    };
    line.add(Paint::Faint, note).finish(out);
}

/// `victim   nginx: master process /usr/sbin/nginx   nginx.service, up 12 days, uid 0`, and its tree.
fn write_process(story: &Story, label: &str, side: &str, screen: Screen, out: &mut Vec<u8>) {
    let document = match side {
        "target" => Some(&story.end.document),
        _ => story.last_signal().map(|signal| &signal.document),
    };
    let Some((document, process)) = document.and_then(|document| Some((document, document.object(side)?)))
    else {
        return;
    };
    // who killed itself is the victim already
    if side == "source" && text(process, &["key"]) == story.end.document.text_at("target.key") {
        return;
    }
    let time = nanoseconds(document.text_at("time").unwrap_or_default()).unwrap_or(story.end.time);
    let facts = facts(process, time, screen);
    let columns = screen.columns();
    let mut line = Line::new(screen, columns);
    line.add(Paint::Faint, &format!("{INDENT}{label:LABEL$}"));
    // the facts are short: what there is no room for is the rest of a command line
    let room =
        columns.map(|columns| columns.saturating_sub(INDENT.len() + LABEL + 3 + width(&facts)).max(16));
    let command = command_line(process, screen);
    let command =
        room.map_or(command.clone(), |room| crate::output::format::screen::cut(screen, &command, room));
    line.add(if side == "source" { Paint::Source } else { Paint::Target }, &command);
    line.add(Paint::None, "   ").add(Paint::None, &facts).finish(out);
    if let Some(tree) = text(process, &["tree"]) {
        line.add(Paint::None, &format!("{INDENT}{:LABEL$}", ""));
        line.add(Paint::Faint, &screen.safe(&glyphs(tree, screen))).finish(out);
    }
}

fn width(text: &str) -> usize {
    crate::output::format::screen::width_of(text)
}

fn glyphs(tree: &str, screen: Screen) -> String {
    if screen.is_ascii { tree.replace('─', "-") } else { tree.to_owned() }
}

/// The title, where the process has set one; else its arguments.
fn command_line(process: &[Field], screen: Screen) -> String {
    match (text(process, &["title"]), find(process, "cmdline")) {
        (Some(title), _) => screen.safe(title),
        (None, Some(Value::List(items))) => screen.arguments(items),
        _ => text(process, &["comm"]).map(|comm| screen.safe(comm)).unwrap_or_default(),
    }
}

/// `nginx.service, up 12 days, uid 0`.
pub fn facts(process: &[Field], time: i64, screen: Screen) -> String {
    let mut facts: Vec<String> = Vec::new();
    let is_pod = find(process, "k8s").is_some();
    if is_pod {
        let pod = text(process, &["k8s", "pod", "name"]).or_else(|| text(process, &["uts", "nodename"]));
        let namespace =
            text(process, &["k8s", "namespace"]).map(|namespace| format!("{namespace}/")).unwrap_or_default();
        if let Some(pod) = pod {
            facts.push(screen.safe(&format!("pod {namespace}{pod}")));
        }
    }
    let id = text(process, &["container", "id"]);
    if let Some(id) = id {
        let name = text(process, &["container", "name"]).map(|name| format!(" {name}")).unwrap_or_default();
        facts.push(screen.safe(&format!("container {}{name}", id.get(..12).unwrap_or(id))));
    }
    let units = [text(process, &["systemd", "userUnit"]), text(process, &["systemd", "unit"])];
    // the scope of a container is named by its id
    let is_news = |unit: &&str| id.is_none_or(|id| !unit.contains(id));
    facts.extend(units.into_iter().flatten().filter(is_news).map(|unit| screen.safe(unit)));
    if let Some(start) = text(process, &["startTime"]).and_then(nanoseconds) {
        facts.push(format!("up {}", long_span(u64::try_from(time.saturating_sub(start)).unwrap_or(0))));
    }
    if let Some(uid) = number(process, &["user", "id"]) {
        let name = text(process, &["user", "name"])
            .map(|name| format!(" ({})", screen.safe(name)))
            .unwrap_or_default();
        facts.push(format!("uid {uid}{name}"));
    }
    facts.join(", ")
}

fn write_after(story: &Story, screen: Screen, out: &mut Vec<u8>) {
    let mut line = Line::new(screen, screen.columns());
    for sentence in followed(story, screen) {
        wrapped(&mut line, Paint::None, &format!("{INDENT}{sentence}"), out);
    }
}

/// What followed, a sentence each.
pub fn followed(story: &Story, screen: Screen) -> Vec<String> {
    let mut sentences = Vec::new();
    let after = &story.after;
    if let Some(siblings) = &story.siblings {
        let Some(first) = siblings.first.first() else { return sentences };
        let document = &first.document;
        let (Some(source), Some(target)) = (document.object("source"), document.object("target")) else {
            return sentences;
        };
        let others = siblings.words("other");
        sentences.push(format!(
            "at that time {} signalled {others} as well: {}{}",
            screen.name(source),
            screen.name(target),
            if siblings.count > 1 { screen.glyph(" …", " ...") } else { "" }
        ));
    }
    if after.children.count > 0 {
        let names: Vec<String> = after.children.first.iter().map(|event| name_of(event, screen)).collect();
        let more = after.children.count.saturating_sub(names.len());
        let least = if after.children.is_least { "at least " } else { "" };
        let more = if more > 0 { format!(" and {least}{more} more") } else { String::new() };
        sentences.push(format!("below it ended: {}{more}", names.join(", ")));
    }
    if after.ooms.count > 0 {
        sentences.push(format!(
            "{} in its cgroup, from an hour before to an hour after it",
            after.ooms.words("other OOM kill")
        ));
    }
    let since = as_typed(story.end.time, screen.zone);
    if let Some(last) = after.again.last() {
        let times = if after.again.count == 1 && !after.again.is_least {
            "once".to_owned()
        } else {
            after.again.words("time")
        };
        let comm = last.document.text_at("target.comm").unwrap_or_default();
        // what could be a flag, a pid or a path is none behind --comm=
        let is_plain =
            comm.starts_with(|first: char| first.is_ascii_alphabetic()) && !comm.contains(['.', '/', '@']);
        let word = format!("{}{}", if is_plain { "" } else { "--comm=" }, shell_word(comm));
        sentences.push(format!(
            "since then {} ended {times}, last as {}: killsnoop log {} --since \"{since}\"",
            screen.safe(comm),
            name_of(last, screen),
            screen.safe(&word)
        ));
    } else if let Some(event) = &after.restarted {
        sentences.push(format!("it runs again as {}", name_of(event, screen)));
    }
    sentences
}

fn name_of(event: &PastEvent, screen: Screen) -> String {
    event.document.object("target").map(|target| screen.name(target)).unwrap_or_default()
}
