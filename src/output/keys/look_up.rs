//! Paths through the table: words joined by dots, as `--where` and `--fields` have them.

use super::key::key;
use super::{Author, EVENT, Key, Keys, ValueKind};
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
            return Err(UsageError::Key { key: path.to_owned(), nearest: nearest(path) });
        };
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
                ValueKind::Names => {}
                kind if kind.is_object() => add(&path, key.below(), depth, paths),
                _ => paths.push(path),
            }
        }
    }
    let mut paths = Vec::new();
    add("", EVENT, 2, &mut paths);
    paths
}

/// The path that is most like this one. What people leave out is the beginning: `pid`, `comm`.
fn nearest(wanted: &str) -> String {
    let ends_so = |path: &str| path.strip_suffix(wanted).is_some_and(|rest| rest.ends_with('.'));
    // the shortest of those that end so
    let likeness = |path: &String| {
        if ends_so(path) {
            (true, usize::MAX - path.len(), 0.0)
        } else {
            (false, 0, strsim::jaro_winkler(wanted, path))
        }
    };
    paths()
        .into_iter()
        .map(|path| (likeness(&path), path))
        .max_by(|(one, _), (other, _)| {
            (one.0, one.1).cmp(&(other.0, other.1)).then(one.2.total_cmp(&other.2))
        })
        .map_or_else(String::new, |(_, path)| path)
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
            ("comm", "target.comm"),
            ("signalname", "signalName"),
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
