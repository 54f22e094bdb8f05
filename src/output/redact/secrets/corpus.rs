//! How many secrets are found, and how much is taken for one that is none: measured by the command lines of
//! `tests/data/redaction`, which are quoted as in a shell. A secret stands between « and ».

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Steps, Texts, find};

/// A command line, and where its secrets are.
struct Case {
    text: String,
    items: Vec<Vec<u8>>,
    secrets: Vec<(usize, Range<usize>)>,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/redaction").join(name)
}

fn cases(name: &str) -> Vec<Case> {
    let text = fs::read_to_string(data(name)).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).map(case).collect()
}

/// Splits as a shell does, without expansion.
fn case(line: &str) -> Case {
    let mut items: Vec<Vec<u8>> = Vec::new();
    let (mut secrets, mut begin) = (Vec::new(), None);
    let (mut quote, mut is_in_word) = (None, false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_blank = letter == ' ' && quote.is_none();
        if is_blank {
            is_in_word = false;
            continue;
        }
        if !is_in_word {
            items.push(Vec::new());
            is_in_word = true;
        }
        let place = items.len() - 1;
        let item = items.last_mut().unwrap();
        match (quote, letter) {
            (_, '«') => begin = Some(item.len()),
            (_, '»') => secrets.push((place, begin.take().expect(line)..item.len())),
            (Some(closing), _) if letter == closing => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None | Some('"'), '\\') => {
                item.extend(letters.next().unwrap_or_default().to_string().bytes());
            }
            _ => item.extend(letter.to_string().bytes()),
        }
    }
    assert!(quote.is_none() && begin.is_none(), "{line}");
    Case { text: line.to_owned(), items, secrets }
}

/// How many are right of how many.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    right: usize,
    all: usize,
}

impl Score {
    fn add(&mut self, is_right: bool) {
        self.right += usize::from(is_right);
        self.all += 1;
    }

    fn text(self) -> String {
        let tenths = 1000 * self.right / self.all.max(1);
        format!("{} of {} ({}.{} %)", self.right, self.all, tenths / 10, tenths % 10)
    }
}

/// Secrets that are hidden as a whole.
fn recall(name: &str) -> Score {
    let mut score = Score::default();
    for case in cases(name) {
        let found = find(&case.items, Texts::Arguments, false, &Steps::unbounded());
        assert!(!case.secrets.is_empty(), "no secret is marked: {}", case.text);
        for (place, secret) in &case.secrets {
            let is_hidden =
                secret.clone().all(|at| found.iter().any(|(of, range)| of == place && range.contains(&at)));
            if !is_hidden {
                println!("not hidden: {}", case.text);
            }
            score.add(is_hidden);
        }
    }
    score
}

/// Command lines in which nothing is hidden.
fn precision(name: &str) -> Score {
    let mut score = Score::default();
    for case in cases(name) {
        let found = find(&case.items, Texts::Arguments, false, &Steps::unbounded());
        if let Some((place, range)) = found.first() {
            let text = String::from_utf8_lossy(&case.items[*place][range.clone()]).into_owned();
            println!("hidden: {text} of {}", case.text);
        }
        score.add(found.is_empty());
    }
    score
}

#[test]
fn the_numbers_of_the_docs_are_those_of_the_corpus() {
    let row = |of: &str, secrets: &str, harmless: &str| {
        let (recall, precision) = (recall(secrets), precision(harmless));
        assert!(10 * recall.right >= 9 * recall.all && 10 * precision.right >= 9 * precision.all, "{of}");
        format!("| {of} | {} | {} |\n", recall.text(), precision.text())
    };
    let table = [
        "| | secrets hidden completely | command lines without a secret left alone |\n|---|---|---|\n"
            .to_owned(),
        row("written before the rules", "secrets-held-out.txt", "harmless-held-out.txt"),
        row("written after, and tuned with", "secrets.txt", "harmless.txt"),
    ]
    .concat();
    println!("{table}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/redaction.md");
    let text = fs::read_to_string(&path).unwrap();
    let begin = text.find("<!-- redaction -->\n").unwrap() + "<!-- redaction -->\n".len();
    let end = text.find("<!-- /redaction -->").unwrap();
    if std::env::var_os("KILLSNOOP_BLESS").is_some() {
        fs::write(&path, [&text[..begin], &table, &text[end..]].concat()).unwrap();
    } else {
        assert!(
            text[begin..end] == table,
            "docs/redaction.md is old: KILLSNOOP_BLESS=1 cargo test --lib corpus"
        );
    }
}
