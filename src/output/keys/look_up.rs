//! Paths through the table: words joined by dots, as `--where` and `--fields` have them.

use super::key::key;
use super::{Author, EVENT, Key, Keys, ValueKind};
use crate::base::nearest::nearest;
use crate::error::UsageError;

/// The value of a name that another process chose: `source.env.HOME`.
const VARIABLE: &Key = &key("NAME", ValueKind::Text(Author::Foreign), "The value of a variable");

/// The key at this path.
///
/// # Errors
/// If there is no such key: names the nearest. If it is an object: names its keys.
pub fn look_up(path: &str) -> Result<&'static Key, UsageError> {
    let mut keys = EVENT;
    let mut found: Option<&'static Key> = None;
    for word in path.split('.') {
        if found.is_some_and(|key| key.kind == ValueKind::Names) {
            // what is left is the name
            return Ok(VARIABLE);
        }
        let Some(key) = keys.find(word) else {
            return Err(UsageError::Key { key: path.to_owned(), near: near(path) });
        };
        if matches!(key.kind, ValueKind::Objects(_)) {
            return Err(UsageError::Key { key: path.to_owned(), near: near(path) });
        }
        found = Some(key);
        keys = key.below();
    }
    match found {
        Some(key) if key.kind == ValueKind::Names => {
            Err(UsageError::KeyIsObject { key: path.to_owned(), keys: format!("{path}.NAME") })
        }
        Some(key) if !key.kind.is_object() => Ok(key),
        _ => {
            let names: Vec<String> = keys.iter().take(5).map(|key| format!("{path}.{}", key.name)).collect();
            Err(UsageError::KeyIsObject { key: path.to_owned(), keys: names.join(", ") })
        }
    }
}

/// What heads the column of this path: the titles of its keys, or else itself.
pub fn heading(path: &str) -> String {
    let mut keys = EVENT;
    let mut titles = String::new();
    for word in path.split('.') {
        let Some((key, title)) = keys.find(word).and_then(|key| Some((key, key.title?))) else {
            return path.to_owned();
        };
        titles.push_str(title);
        keys = key.below();
    }
    titles
}

/// The paths of all values, parents twice.
pub fn paths() -> Vec<String> {
    fn add(path: &str, keys: Keys, depth: u32, paths: &mut Vec<String>) {
        for key in keys.iter() {
            let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            match key.kind {
                ValueKind::Process if depth == 0 => {}
                ValueKind::Process => add(&path, key.below(), depth - 1, paths),
                ValueKind::Names | ValueKind::Objects(_) => {}
                kind if kind.is_object() => add(&path, key.below(), depth, paths),
                _ => paths.push(path),
            }
        }
    }
    let mut paths = Vec::new();
    add("", EVENT, 2, &mut paths);
    paths
}

/// Names that other programs have for keys.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("uid", "user.id"),
    ("gid", "group.id"),
    ("ppid", "parent.pid"),
    ("cmd", "cmdline"),
    ("command", "cmdline"),
    ("name", "comm"),
    ("unit", "systemd.unit"),
];

/// The same path with the last word as it is here.
fn usual(wanted: &str) -> String {
    let (start, last) = wanted.split_at(wanted.rfind('.').map_or(0, |dot| dot + 1));
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == last);
    format!("{start}{}", other.map_or(last, |(_, usual)| usual))
}

/// The paths that may have been meant, at most three. What people leave out is the beginning: `pid`, `comm`.
fn near(wanted: &str) -> Vec<String> {
    let paths = paths();
    // sides and their relatives have the same keys: the shortest of them are meant
    let ends_in = |path: &str, end: &str| path.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
    let wanted = &usual(wanted);
    let ends_so = |path: &&String| {
        let is_of_side = |(side, end): (&str, &str)| {
            path.strip_prefix(side).is_some_and(|rest| rest.starts_with('.')) && ends_in(path, end)
        };
        path.as_str() == wanted || ends_in(path, wanted) || wanted.split_once('.').is_some_and(is_of_side)
    };
    let mut whole: Vec<String> = paths.iter().filter(ends_so).cloned().collect();
    if whole.is_empty() {
        // the same where a letter is wrong, or a longer key is meant
        let ends = paths.iter().flat_map(|path| {
            let behind = path.match_indices('.').map(|(dot, _)| &path[dot + 1..]);
            std::iter::once(path.as_str()).chain(behind)
        });
        let Some(end) = nearest(wanted, ends) else { return Vec::new() };
        let has_end = |path: &&String| {
            path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        whole = paths.iter().filter(has_end).cloned().collect();
    }
    let least = whole.iter().map(|path| path.matches('.').count()).min();
    whole.retain(|path| Some(path.matches('.').count()) == least);
    whole.sort_by_key(|path| !(path.starts_with("source.") || path.starts_with("target.")));
    whole.truncate(if whole.first().is_some_and(|path| path.starts_with("source.")) { 2 } else { 3 });
    whole
}

#[cfg(test)]
mod tests {
    use super::super::Range;
    use super::*;

    #[test]
    fn a_key_of_the_table_is_known_at_any_depth() {
        let kind = |path| look_up(path).unwrap().kind;
        assert_eq!(kind("signal"), ValueKind::SignalNumber);
        assert_eq!(kind("source.user.id"), ValueKind::Number(Range::ID));
        assert_eq!(kind("target.parent.parent.parent.cmdline"), ValueKind::List(Author::Foreign));
        assert_eq!(kind("target.parent.commRaw"), ValueKind::Base64);
        assert_eq!(kind("trigger.processAlive"), ValueKind::Flag);
        assert_eq!(kind("target.env.a.b"), ValueKind::Text(Author::Foreign));
        assert!(paths().iter().all(|path| look_up(path).is_ok()));
    }

    #[test]
    fn the_nearest_key_to_an_unknown_one_is_named() {
        for (wrong, right) in [
            ("sorce.comm", "source.comm"),
            ("target.container", "target.container.id"),
            ("comm", "source.comm or target.comm?"),
            ("com", "source.comm or target.comm?"),
            ("pid", "source.pid or target.pid?"),
            ("user.id", "source.user.id or target.user.id?"),
            ("target.unit", "target.systemd.unit?"),
            ("target.uid", "target.user.id?"),
            ("ppid", "source.parent.pid or target.parent.pid?"),
            ("unit", "source.systemd.unit or target.systemd.unit?"),
            ("sig", "did you mean signal?"),
            ("signalname", "signalName"),
            ("foo", "killsnoop --help lists them"),
            ("xyzzy.foo", "killsnoop --help lists them"),
            ("target.user", "target.user.id"),
            ("source.", "source."),
        ] {
            let message = look_up(wrong).unwrap_err().to_string();
            assert!(message.contains(right), "{wrong}: {message}");
            assert!(message.contains(&format!("'{wrong}'")), "{wrong}: {message}");
        }
    }

    #[test]
    fn a_column_is_headed_by_its_titles_or_its_path() {
        for (path, heading) in [
            ("time", "TIME"),
            ("source.comm", "COMM"),
            ("target.comm", "TCOMM"),
            ("target.parent.comm", "target.parent.comm"),
            ("trigger.pid", "trigger.pid"),
            ("previous.result", "previous.result"),
            ("source.env.pid", "source.env.pid"),
        ] {
            assert_eq!(super::heading(path), heading);
        }
    }
}
