//! A name that fits several: the newest is answered, and the others are listed as git lists ambiguous names.

use crate::base::shell_word::shell_word;
use crate::base::stderr::print_line;
use crate::output::format::screen::Screen;
use crate::past::target::{Target, text};
use crate::past::walk::PastEvent;
use crate::past::words::{count, date_and_minute};
use crate::store::{Candidate, Identity, Reader, Sides, StoreError};

/// So many are listed.
const LISTED: usize = 10;

/// Lists who else is meant by a name of which there are deaths in several places.
pub(super) fn list_others(
    reader: &Reader,
    targets: &[Target],
    end: &PastEvent,
    screen: Screen,
) -> Result<(), StoreError> {
    let [target @ Target::Any(..)] = targets else { return Ok(()) };
    let name = target.to_string();
    let answered = answered(end);
    let mut others: Vec<(Place, Candidate)> = Vec::new();
    for candidate in reader.names(&name, Sides::Target)? {
        let place = Place::of(&candidate.identity);
        if candidate.deaths == 0 || place == answered {
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
    for (place, candidate) in others.iter().take(LISTED) {
        let deaths = count(candidate.deaths, "death");
        let newest = date_and_minute(candidate.newest, screen.zone);
        print_line(format_args!("hint:   {}   {deaths}, seen last {newest}", screen.safe(&place.words())));
    }
    if others.len() > LISTED {
        print_line(format_args!("hint:   and {} more", others.len() - LISTED));
    }
    Ok(())
}

/// What two processes of a name have in common that are one service.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Pod(String),
    Container(String),
    Unit(String),
    Program(String),
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
        match (text(&identity.unit), text(&identity.exe).or_else(|| text(&identity.comm))) {
            (Some(unit), _) => Self::Unit(unit),
            (None, program) => Self::Program(program.unwrap_or_default()),
        }
    }

    /// As it is asked for.
    fn words(&self) -> String {
        let (flag, name) = match self {
            Self::Pod(name) => ("pod", name),
            Self::Container(name) => ("container", name),
            Self::Unit(name) => ("unit", name),
            Self::Program(name) => ("exe", name),
        };
        format!("killsnoop why --{flag}={}", shell_word(name))
    }
}

fn answered(end: &PastEvent) -> Place {
    let target = end.document.object("target").unwrap_or_default();
    let text = |path: &[&str]| text(target, path).map(str::to_owned);
    let is_pod = crate::output::format::document::find(target, "k8s").is_some();
    let nodename = || text(&["uts", "nodename"]).filter(|_| is_pod);
    Place::of(&Identity {
        comm: text(&["comm"]),
        exe: text(&["exe"]),
        unit: text(&["systemd", "unit"]),
        container: text(&["container", "id"]),
        container_name: text(&["container", "name"]),
        pod: text(&["k8s", "pod", "uid"]),
        pod_name: text(&["k8s", "pod", "name"]).or_else(nodename),
        namespace: text(&["k8s", "namespace"]),
    })
}
