//! Control commands that came before a signal and name what it hit: `systemctl restart nginx`, `docker stop web`. They are shown as
//! "before it", never as the reason.

use super::super::fairly::choose;
use super::super::target::{Target, number, text};
use super::super::walk::{PastEvent, collect};
use super::SECOND;
use crate::output::format::document::{Document, Field, Value, find};
use crate::store::{Kind, Order, Query, Reader, StoreError};

/// A command that asks for something comes at most so long before the signal.
const BEFORE: i64 = 5 * SECOND;
/// So many are shown.
const MOST: usize = 10;
/// So many of one user, if there are more than are shown: whoever asks often hides nobody who asked once.
const OF_ONE_USER: usize = 3;
/// So many are looked at, the newest.
const LOOKED_AT: usize = 500;

/// How a command and the process that ended belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It names the unit, the container, the pod, the pid or the program.
    Names,
    /// It is about the whole host: shutdown, reboot.
    Host,
    /// It names a container, and by which names the container of the process goes is not recorded.
    Perhaps,
}

/// A control command that came before.
#[derive(Debug)]
pub struct Request {
    /// The command.
    pub event: PastEvent,
    /// What it has to do with the process.
    pub link: Link,
}

/// Commands from shortly before the first signal to the end that name the process, the oldest first; and how many more there
/// were.
pub(super) fn before(
    reader: &Reader,
    end: &PastEvent,
    first: i64,
) -> Result<(Vec<Request>, usize), StoreError> {
    let query = Query {
        kinds: vec![Kind::Request],
        since: Some(first - BEFORE),
        until: Some(end.time + 1),
        ..Query::default()
    };
    let Some(target) = end.document.object("target") else { return Ok(Default::default()) };
    let own = text(target, &["key"]);
    let mut requests = Vec::new();
    let linked = collect(reader, &query, Order::NewestFirst, LOOKED_AT, |event| {
        // a command that was ended itself did not ask for that
        text_at(&event.document, "key") != own && link(&event.document, target).is_some()
    })?;
    for event in linked {
        if let Some(link) = link(&event.document, target) {
            requests.push(Request { event, link });
        }
    }
    let more = requests.len().saturating_sub(MOST);
    let mut shown = choose(requests, MOST, OF_ONE_USER, |request| user_of(&request.event.document));
    shown.sort_by_key(|request| (request.event.time, request.event.row));
    Ok((shown, more))
}

fn user_of(document: &Document) -> Option<i128> {
    number(document.object("source")?, &["user", "id"])
}

/// Who asked, as far as the words of the command do not say it: the user if it is not root, and the program if it is not the
/// one that its name means.
pub(super) fn whose(document: &Document) -> String {
    let source = document.object("source").unwrap_or_default();
    let mut facts = Vec::new();
    if let Some(id) = user_of(document).filter(|id| *id != 0) {
        let name = text(source, &["user", "name"]).map(|name| format!(" ({name})")).unwrap_or_default();
        facts.push(format!("uid {id}{name}"));
    }
    let is_of_system = |exe: &str| ["/usr/", "/bin/", "/sbin/"].iter().any(|place| exe.starts_with(place));
    if let Some(exe) = text(source, &["exe"]).filter(|exe| !is_of_system(exe)) {
        facts.push(format!("program {exe}"));
    }
    facts.join(", ")
}

fn text_at<'a>(document: &'a Document, key: &str) -> Option<&'a str> {
    text(document.object("source")?, &[key])
}

/// The words of a command.
pub fn words(document: &Document) -> Vec<String> {
    let list = document.object("source").and_then(|source| find(source, "cmdline"));
    match list {
        Some(Value::List(items)) => {
            items.iter().map(|item| String::from_utf8_lossy(item).into_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// Does a command name this target, as it was typed: a unit, a container, a pod, a pid?
pub fn mentions(request: &Document, target: &Target) -> bool {
    let shown = target.to_string();
    let is_named = |word: &str| {
        word == shown
            || word.strip_suffix(".service") == Some(&shown)
            || shown.strip_suffix(".service") == Some(word)
            || (matches!(target, Target::Pod(..)) && shown.rsplit('/').next() == word.rsplit('/').next())
    };
    match target {
        Target::Pid(_) | Target::Unit(_) | Target::Container(_) | Target::Pod(..) | Target::Any(..) => {
            request.text_at("request.unit").is_some_and(is_named)
                || words(request).iter().skip(1).flat_map(|word| word.split(['=', ','])).any(is_named)
        }
        Target::Key(_) | Target::UserUnit(_) | Target::Comm(_) | Target::Exe(_) | Target::User(_) => false,
    }
}

/// What a command has to do with a process.
pub(super) fn link(request: &Document, target: &[Field]) -> Option<Link> {
    let words = words(request);
    let (command, arguments) = words.split_first()?;
    let command = command.rsplit('/').next().unwrap_or(command);
    if concerns_host(command, arguments) {
        return Some(Link::Host);
    }
    let unit_of_request = request.text_at("request.unit");
    if names(command, arguments, unit_of_request, target) {
        return Some(Link::Names);
    }
    let is_container_tool = matches!(command, "docker" | "podman" | "nerdctl" | "ctr" | "crictl");
    let ends =
        arguments.iter().any(|word| matches!(word.as_str(), "stop" | "kill" | "restart" | "rm" | "down"));
    // by the name of a container nothing is compared where that is not recorded
    let is_nameless = find(target, "container").is_some() && text(target, &["container", "name"]).is_none();
    (is_container_tool && ends && is_nameless).then_some(Link::Perhaps)
}

fn concerns_host(command: &str, arguments: &[String]) -> bool {
    let has = |wanted: &[&str]| arguments.iter().any(|word| wanted.contains(&word.as_str()));
    match command {
        "shutdown" | "reboot" | "halt" | "poweroff" => !has(&["-c", "--help"]),
        "init" | "telinit" => has(&["0", "1", "6", "s", "S"]),
        "systemctl" => {
            has(&["reboot", "poweroff", "halt", "kexec", "soft-reboot", "rescue", "emergency", "isolate"])
        }
        _ => false,
    }
}

/// Does a word of the command name the process, its unit, container, pod or program?
fn names(command: &str, arguments: &[String], unit: Option<&str>, target: &[Field]) -> bool {
    // a user's service manager has units of its own, whose names may be those of the host's
    let of_manager = if arguments.iter().any(|word| word == "--user") { "userUnit" } else { "unit" };
    let own_unit = text(target, &["systemd", of_manager]);
    let is_unit = |word: &str| {
        own_unit.is_some_and(|unit| {
            unit == word || unit.strip_suffix(".service") == Some(word) || is_glob_of(word, unit)
        })
    };
    if unit.is_some_and(is_unit) {
        return true;
    }
    let pid = find(target, "pid").and_then(Value::as_number).map(|pid| pid.to_string());
    let id = text(target, &["container", "id"]);
    let is_id = |word: &str| {
        word.len() >= 4
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
            && id.is_some_and(|id| id.starts_with(word))
    };
    let pods = [&["k8s", "pod", "name"][..], &["uts", "nodename"]];
    let is_pod = |word: &str| {
        find(target, "k8s").is_some() && pods.iter().any(|path| text(target, path) == Some(word))
    };
    let name = word_of(target);
    let session = text(target, &["systemd", "unit"])
        .and_then(|unit| unit.strip_prefix("session-")?.strip_suffix(".scope"));
    let is_named = |word: &str| {
        is_unit(word)
            || is_id(word)
            || text(target, &["container", "id"]) == Some(word)
            || text(target, &["container", "name"]) == Some(word)
            || is_pod(word.rsplit('/').next().unwrap_or(word))
            || (pid.as_deref() == Some(word) && command != "systemctl")
            || (command == "loginctl" && session == Some(word))
            // supervisors of processes call them by their programs
            || (matches!(command, "pm2" | "supervisorctl" | "service") && name.contains(&word))
    };
    let is_own_control = match command {
        "nginx" => name.contains(&"nginx") && arguments.iter().any(|word| word == "-s"),
        "apachectl" | "apache2ctl" => name.iter().any(|name| matches!(*name, "apache2" | "httpd")),
        "pg_ctl" | "pg_ctlcluster" => name.contains(&"postgres"),
        _ => false,
    };
    is_own_control
        || arguments
            .iter()
            .flat_map(|word| word.split(['=', ',']))
            .any(|word| !word.is_empty() && !word.starts_with('-') && is_named(word))
}

/// `systemctl stop 'app@*'`.
fn is_glob_of(word: &str, unit: &str) -> bool {
    let glob = crate::output::select::filter::Glob::new(word);
    word.contains(['*', '?']) && glob.matches(unit)
}

/// What the program is called: its comm, and the last word of its path.
fn word_of(target: &[Field]) -> Vec<&str> {
    let exe = text(target, &["exe"]).map(|exe| exe.rsplit('/').next().unwrap_or(exe));
    text(target, &["comm"]).into_iter().chain(exe).collect()
}
