//! The usual shapes of a secret among arguments. It errs towards taking out too much, and still promises nothing:
//! a program may take its secrets in any way.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::redact::captured;

/// A name that says that its value is a secret.
const NAME: &str = r"(?:[\w.-]*(?:passw(?:or)?d|passphrase|passcode|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|auth[_-]?key)[\w.-]*|pwd|pass)";

static VALUES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // the value is all the rest of the argument
        format!(r"(?is)^-{{0,2}}{NAME}=(.+)$"),
        // or a word inside a script, a URL's query, an options list
        format!(r#"(?i)(?:^|[^\w.-])-{{0,2}}{NAME}["']?[=:]\s*["']?([^\s"'&;,]+)"#),
        // scheme://user:password@host
        r"(?i)[a-z][a-z0-9+.-]*://[^/\s:@]*:([^/\s@]+)@".to_owned(),
        // a header
        r"(?i)(?:proxy-)?authorization\s*[:=]\s*(?:(?:basic|bearer|token|digest)\s+)?([^\s\x22']+)"
            .to_owned(),
        // an option and its value inside one argument: sh -c "mysql --password hunter2"
        format!(r"(?i)(?:^|\s)--?{NAME}\s+([^\s-]\S*)"),
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

static OPTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!(r"(?i)^--?{NAME}$")).ok());

/// Programs that take a secret as an option of one letter: alone and then in the next argument, or right behind it.
const LETTERS: [(&str, &[u8], Place); 16] = [
    ("mysql", b"-p", Place::Behind),
    ("mysqldump", b"-p", Place::Behind),
    ("mysqladmin", b"-p", Place::Behind),
    ("mysqlimport", b"-p", Place::Behind),
    ("mysqlcheck", b"-p", Place::Behind),
    ("mysqlshow", b"-p", Place::Behind),
    ("mariadb", b"-p", Place::Behind),
    ("mariadb-dump", b"-p", Place::Behind),
    ("mariadb-admin", b"-p", Place::Behind),
    ("7z", b"-p", Place::Behind),
    ("sshpass", b"-p", Place::Either),
    ("redis-cli", b"-a", Place::Either),
    ("curl", b"-u", Place::Either),
    ("ldapsearch", b"-w", Place::Either),
    ("smbclient", b"-U", Place::Either),
    ("ipmitool", b"-P", Place::Either),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Right behind the letter only: alone, the program asks for it.
    Behind,
    /// Or in the next argument.
    Either,
}

/// Where secrets are: which argument, and which bytes of it.
pub(super) fn find(items: &[Vec<u8>]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    for (place, item) in items.iter().enumerate() {
        // most arguments are a word that no pattern can match: what stands before a value is one of these
        if item.iter().any(|byte| matches!(byte, b'=' | b':') || byte.is_ascii_whitespace()) {
            for pattern in VALUES.iter() {
                found.extend(captured(pattern, item).into_iter().map(|range| (place, range)));
            }
        }
        let is_option = item.starts_with(b"-") && OPTION.as_ref().is_some_and(|option| option.is_match(item));
        if let Some(next) = items.get(place + 1).filter(|next| is_option && !next.is_empty()) {
            found.push((place + 1, 0..next.len()));
        }
    }
    found.extend(by_letter(items));
    found
}

fn by_letter(items: &[Vec<u8>]) -> Vec<(usize, Range<usize>)> {
    let Some(first) = items.first() else { return Vec::new() };
    let program = String::from_utf8_lossy(first.rsplit(|&byte| byte == b'/').next().unwrap_or_default());
    let mut found = Vec::new();
    for (_, letter, where_) in LETTERS.iter().filter(|(name, ..)| *name == program) {
        for (place, item) in items.iter().enumerate().skip(1) {
            if item.len() > letter.len() && item.starts_with(letter) {
                found.push((place, letter.len()..item.len()));
            } else if item == letter && *where_ == Place::Either {
                found.extend(items.get(place + 1).map(|next| (place + 1, 0..next.len())));
            }
        }
    }
    found.retain(|(_, range)| !range.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(items: &[&str]) -> Vec<String> {
        let bytes: Vec<Vec<u8>> = items.iter().map(|item| item.as_bytes().to_vec()).collect();
        let mut all: Vec<String> =
            find(&bytes).into_iter().map(|(place, range)| items[place][range].to_owned()).collect();
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn all_patterns_are_regular_expressions() {
        assert_eq!(VALUES.len(), 5);
        assert!(OPTION.is_some());
    }

    #[test]
    fn the_usual_shapes_are_found() {
        for (items, secret) in [
            (&["app", "--password=hunter2"][..], "hunter2"),
            (&["app", "--password", "hunter2"], "hunter2"),
            (&["app", "--db-password=a b"], "a b"),
            (&["env", "DB_PASSWORD=hunter2", "app"], "hunter2"),
            (&["app", "--api-key=k3y"], "k3y"),
            (&["app", "--token", "t0k"], "t0k"),
            (&["psql", "postgres://bob:hunter2@db/x"], "hunter2"),
            (&["curl", "https://x/?a=1&token=t0k&b=2"], "t0k"),
            (&["curl", "-H", "Authorization: Bearer t0k"], "t0k"),
            (&["curl", "-u", "bob:hunter2"], "bob:hunter2"),
            (&["/usr/bin/mysql", "-phunter2"], "hunter2"),
            (&["sshpass", "-p", "hunter2", "ssh", "x"], "hunter2"),
            (&["redis-cli", "-a", "hunter2"], "hunter2"),
        ] {
            assert!(found(items).contains(&secret.to_owned()), "{items:?}: {:?}", found(items));
        }
        let script = found(&["sh", "-c", "PASSWORD=hunter2 mysql --password hunter3; x"]);
        assert!(script.contains(&"hunter2".to_owned()) && script.iter().any(|one| one.contains("hunter3")));
    }

    #[test]
    fn what_is_no_secret_stays() {
        for items in [
            &["nginx", "-p", "/etc/nginx"][..],
            &["python", "/main.py", "--port=8080"],
            &["mkdir", "-p", "a/b"],
            &["ssh", "-p", "22", "host"],
            &["mysql", "-p"],
            &["cp", "passport.txt", "compass.txt"],
            &["curl", "https://host:8080/x"],
            &[],
        ] {
            assert_eq!(found(items), [""; 0], "{items:?}");
        }
    }
}
