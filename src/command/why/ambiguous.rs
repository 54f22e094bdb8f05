//! A name that fits several: the newest is answered, and the others are listed as git lists ambiguous names.

use std::cmp::Reverse;

use crate::base::bounded::owner_of;
use crate::base::shell_word::shell_word;
use crate::base::stderr::print_line;
use crate::output::format::screen::Screen;
use crate::past::fairly::choose;
use crate::past::target::{Target, container_names, number, text};
use crate::past::walk::{PastEvent, collect};
use crate::past::words::{count, date_and_minute};
use crate::store::{Candidate, Identity, Kind, Order, Query, Reader, StoreError, Who};

/// So many are listed.
const LISTED: usize = 10;
/// So many of one user, if there are others.
const OF_ONE_USER: usize = 3;

/// Lists who else is meant by a name of which there are deaths in several places.
pub(super) fn list_others(
    reader: &Reader,
    targets: &[Target],
    end: &PastEvent,
    screen: Screen,
) -> Result<(), StoreError> {
    let target = match targets {
        [target @ (Target::Any(..) | Target::Unit(_) | Target::Comm(_) | Target::Exe(_))] => target,
        [Target::Pid(pid)] => return list_of_same_pid(reader, *pid, end, screen),
        _ => return Ok(()),
    };
    let name = target.to_string();
    let answered = answered(end);
    let mut others: Vec<(Place, Candidate)> = Vec::new();
    for candidate in reader.deaths_of(&name)? {
        let place = Place::of(&candidate.identity);
        if place == answered {
            continue;
        }
        match others.iter_mut().find(|(known, _)| *known == place) {
            Some((_, known)) => known.deaths += candidate.deaths,
            None => others.push((place, candidate)),
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    print_line(format_args!(
        "hint: {} fits several; this is the newest end. The others:",
        screen.safe(&name)
    ));
    let count_of_others = others.len();
    let user = |uid: Option<u32>| uid.map(owner_of);
    let mut listed = choose(others, LISTED, OF_ONE_USER, |(_, candidate)| user(candidate.identity.uid));
    listed.sort_by_key(|(_, candidate)| Reverse(candidate.newest));
    for (place, candidate) in &listed {
        let deaths = count(candidate.deaths, "death");
        let newest = date_and_minute(candidate.newest, screen.zone);
        print_line(format_args!("hint:   {}   {deaths}, seen last {newest}", screen.safe(&place.words())));
    }
    if count_of_others > LISTED {
        let (more, name) = (count_of_others - LISTED, shell_word(&name));
        print_line(format_args!("hint:   and {more} more: killsnoop log --deaths {}", screen.safe(&name)));
    }
    Ok(())
}

/// Lists the other processes that had this pid and ended: numbers are used again, and who wants to can get one on purpose.
fn list_of_same_pid(reader: &Reader, pid: u32, end: &PastEvent, screen: Screen) -> Result<(), StoreError> {
    let query = Query { kinds: vec![Kind::Ended], target: vec![Who::Pid(pid)], ..Query::default() };
    let mut keys: Vec<String> = end.document.text_at("target.key").map(str::to_owned).into_iter().collect();
    let others = collect(reader, &query, Order::NewestFirst, LISTED + 1, |other| {
        let key = other.document.text_at("target.key").unwrap_or_default();
        let is_new = other.document.header().is_end_of_process() && !keys.iter().any(|known| known == key);
        if is_new {
            keys.push(key.to_owned());
        }
        is_new
    })?;
    if others.is_empty() {
        return Ok(());
    }
    print_line(format_args!(
        "hint: {pid} was the pid of several processes; this is the newest end. The others:"
    ));
    for other in others.iter().take(LISTED) {
        let key = shell_word(other.document.text_at("target.key").unwrap_or_default());
        let name = screen.safe(other.document.text_at("target.comm").unwrap_or_default());
        let when = date_and_minute(other.time, screen.zone);
        print_line(format_args!("hint:   killsnoop why --pid={}   {name}, ended {when}", screen.safe(&key)));
    }
    if others.len() > LISTED {
        print_line(format_args!("hint:   and more"));
    }
    Ok(())
}

/// What two processes of a name have in common that are one service.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Pod(String),
    Container(String),
    Unit(String),
    UserUnit(String, Option<u32>),
    Program(String, Option<u32>),
}

impl Place {
    fn of(identity: &Identity) -> Self {
        let text = |one: &Option<String>| one.clone().filter(|text| !text.is_empty());
        if let Some(pod) = text(&identity.pod_name).or_else(|| text(&identity.pod)) {
            let namespace =
                text(&identity.namespace).map(|namespace| format!("{namespace}/")).unwrap_or_default();
            return Self::Pod(format!("{namespace}{pod}"));
        }
        if let Some(container) = text(&identity.container_name).or_else(|| text(&identity.container)) {
            return Self::Container(container);
        }
        if let Some(unit) = text(&identity.user_unit) {
            return Self::UserUnit(unit, identity.uid);
        }
        match (text(&identity.unit), text(&identity.exe).or_else(|| text(&identity.comm))) {
            (Some(unit), _) => Self::Unit(unit),
            (None, program) => Self::Program(program.unwrap_or_default(), identity.uid),
        }
    }

    /// As it is asked for.
    fn words(&self) -> String {
        let (flag, name, uid) = match self {
            Self::Pod(name) => ("pod", name, None),
            Self::Container(name) => ("container", name, None),
            Self::Unit(name) => ("unit", name, None),
            Self::UserUnit(name, uid) => ("user-unit", name, *uid),
            Self::Program(name, uid) => ("exe", name, *uid),
        };
        let user = uid.map(|uid| format!(" --user={uid}")).unwrap_or_default();
        format!("killsnoop why --{flag}={}{user}", shell_word(name))
    }
}

fn answered(end: &PastEvent) -> Place {
    let target = end.document.object("target").unwrap_or_default();
    let text = |path: &[&str]| text(target, path).map(str::to_owned);
    let is_pod = crate::output::format::document::find(target, "k8s").is_some();
    let [container, container_name] = container_names(target);
    let nodename = || text(&["uts", "nodename"]).filter(|_| is_pod);
    Place::of(&Identity {
        comm: text(&["comm"]),
        exe: text(&["exe"]),
        unit: text(&["systemd", "unit"]),
        user_unit: text(&["systemd", "userUnit"]),
        container,
        container_name,
        pod: text(&["k8s", "pod", "uid"]),
        pod_name: text(&["k8s", "pod", "name"]).or_else(nodename),
        namespace: text(&["k8s", "namespace"]),
        uid: number(target, &["user", "id"]).and_then(|id| u32::try_from(id).ok()),
    })
}
