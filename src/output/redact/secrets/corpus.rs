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

    fn wrong(self) -> usize {
        self.all - self.right
    }

    fn text(self) -> String {
        let tenths = 1000 * self.right / self.all.max(1);
        format!("{} of {} ({}.{} %)", self.right, self.all, tenths / 10, tenths % 10)
    }
}

/// Secrets that are hidden as a whole. One that is hidden in part is worse than none: it looks as if it was dealt with.
fn recall(name: &str) -> Score {
    let mut score = Score::default();
    for case in cases(name) {
        let found = find(&case.items, Texts::Arguments, false, &Steps::unbounded());
        assert!(!case.secrets.is_empty(), "no secret is marked: {}", case.text);
        for (place, secret) in &case.secrets {
            let is_in = |at: usize| found.iter().any(|(of, range)| of == place && range.contains(&at));
            let hidden = secret.clone().filter(|&at| is_in(at)).count();
            assert!(hidden == 0 || hidden == secret.len(), "hidden in part: {}", case.text);
            if hidden == 0 {
                println!("not hidden: {}", case.text);
            }
            score.add(hidden > 0);
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

/// What a row of the table is called, the names of its files begin and end with, and the most that may be wrong in them:
/// secrets that are printed, command lines without one in which something is hidden. These numbers only become smaller.
const ROWS: &[(&str, &str, usize, usize)] = &[
    ("written before the rules", "-held-out.txt", 1, 0),
    ("written without knowledge of the rules", "-blind.txt", 3, 6),
    ("written after, and tuned with", ".txt", 3, 0),
];

#[test]
fn the_numbers_of_the_docs_are_those_of_the_corpus() {
    let row = |&(of, end, printed, damaged): &(&str, &str, usize, usize)| {
        let (recall, precision) = (recall(&format!("secrets{end}")), precision(&format!("harmless{end}")));
        assert!(recall.wrong() <= printed && precision.wrong() <= damaged, "{of}: {recall:?}, {precision:?}");
        format!("| {of} | {} | {} |\n", recall.text(), precision.text())
    };
    let head = "| | secrets hidden completely | command lines without a secret left alone |\n|---|---|---|\n";
    let table = format!("{head}{}", ROWS.iter().map(row).collect::<String>());
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
