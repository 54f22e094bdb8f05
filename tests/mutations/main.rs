//! The mutations: each breaks one place of the code, and says which test must notice.
//!
//! A file NAME.mutation says what it breaks, the suite and the name of the test, the function (or constant) that it is in, and
//! what becomes of some lines of that: `-` goes, `+` comes, ` ` stays. What is left of a line does not matter, nor where the
//! function is. A mutation that fits nowhere, or in several places, is an error.
//!
//! Without arguments all are looked for. `apply NAME` breaks the tree in the current directory, and prints the file.

#![allow(clippy::panic, clippy::unwrap_used)] // a test

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use support::files_below;

/// Where the code is.
const TREES: &[&str] = &["src", "bpf"];

struct Mutation {
    breaks: String,
    test: String,
    function: String,
    /// Each with what becomes of it.
    lines: Vec<(char, String)>,
}

impl Mutation {
    fn parse(file: &str) -> Result<Self, String> {
        let of = |name: &str| {
            let value = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.map(str::to_owned).ok_or(format!("has no line '{name}: …'"))
        };
        let (breaks, test, function) = (of("breaks")?, of("test")?, of("in")?);
        let is_change = |line: &&str| line.starts_with(['-', '+', ' ']);
        let split = |line: &str| (line.chars().next().unwrap_or(' '), line[1..].to_owned());
        let lines: Vec<_> = file.lines().filter(is_change).map(split).collect();
        if lines.iter().all(|(what, _)| *what == ' ') {
            return Err("changes nothing".to_owned());
        }
        Ok(Self { breaks, test, function, lines })
    }

    /// The lines that are there before.
    fn before(&self) -> Vec<&str> {
        self.lines.iter().filter(|(what, _)| *what != '+').map(|(_, line)| line.trim()).collect()
    }

    /// Where it fits in a file.
    fn places(&self, lines: &[&str]) -> Vec<usize> {
        let before = self.before();
        let fits = |&at: &usize| before.iter().zip(&lines[at..]).all(|(a, b)| *a == b.trim());
        let in_item = |item: Range<usize>| {
            let last = (item.end + 1).saturating_sub(before.len());
            (item.start..last).filter(fits).collect::<Vec<_>>()
        };
        items(lines, &self.function).into_iter().flat_map(in_item).collect()
    }

    /// The file with it.
    fn applied(&self, lines: &[&str], at: usize) -> String {
        let mut text = String::new();
        let mut here = at;
        lines[..at].iter().for_each(|line| _ = writeln!(text, "{line}"));
        for (what, line) in &self.lines {
            if *what == '+' {
                _ = writeln!(text, "{line}");
                continue;
            }
            if *what == ' ' {
                _ = writeln!(text, "{}", lines[here]);
            }
            here += 1;
        }
        lines[here..].iter().for_each(|line| _ = writeln!(text, "{line}"));
        text
    }
}

/// Does the line begin the function or constant of this name?
fn begins(line: &str, name: &str) -> bool {
    let is_word = |found: &(usize, &str)| {
        let is_part = |other: char| other.is_alphanumeric() || other == '_';
        !line[..found.0].ends_with(is_part) && !line[found.0 + name.len()..].starts_with(is_part)
    };
    let Some((at, _)) = line.match_indices(name).find(is_word) else { return false };
    let in_rust =
        ["fn ", "const ", "static ", "struct ", "enum "].iter().any(|kind| line[..at].ends_with(kind));
    let in_c = !line.starts_with(|first: char| first.is_whitespace() || "*/#".contains(first))
        && (line[at + name.len()..].starts_with('(') && !line.ends_with(';')
            || line[..at].ends_with("struct "));
    in_rust || in_c
}

/// The lines of all functions and constants of this name. Formatted code ends them where they begin: in the same column.
fn items(lines: &[&str], name: &str) -> Vec<Range<usize>> {
    let column = |line: &str| line.len() - line.trim_start().len();
    let item = |(start, line): (usize, &&str)| {
        let ends = |other: &&&str| {
            column(other) == column(line)
                && ["}", "};", "]", "];", ")", ");", "} CORE;"].contains(&other.trim())
        };
        let length =
            if line.ends_with(';') { 0 } else { lines[start..].iter().position(|other| ends(&other))? };
        Some(start..start + length + 1)
    };
    lines.iter().enumerate().filter(|(_, line)| begins(line, name)).filter_map(item).collect()
}

/// The one place where it fits: the file, its text and the line.
fn place(mutation: &Mutation, code: &[(PathBuf, String)]) -> Result<(PathBuf, String), String> {
    let mut found = Vec::new();
    for (path, text) in code {
        let lines: Vec<&str> = text.lines().collect();
        for at in mutation.places(&lines) {
            found.push((path, at, mutation.applied(&lines, at)));
        }
    }
    match &mut found[..] {
        [(path, _, text)] => Ok((path.clone(), std::mem::take(text))),
        [] => Err(format!("fits nowhere in {}", mutation.function)),
        several => {
            let places = several.iter().map(|(path, at, _)| format!("{}:{}", path.display(), at + 1));
            Err(format!("fits in {} places: {}", several.len(), places.collect::<Vec<_>>().join(", ")))
        }
    }
}

fn main() -> ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutations");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let paths = TREES.iter().flat_map(|tree| files_below(Path::new(tree), &["rs", "c", "h"], &[]));
    let code: Vec<_> = paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    let read = |name: &str| {
        let text = fs::read_to_string(directory.join(format!("{name}.mutation")))
            .map_err(|error| error.to_string())?;
        let mutation = Mutation::parse(&text)?;
        place(&mutation, &code).map(|(path, text)| (mutation, path, text))
    };
    // scripts/test hands on what is for a test harness
    if let ["apply", name] = &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        return match read(name) {
            Ok((_, path, text)) => {
                fs::write(&path, text).unwrap();
                println!("{}", path.display());
                ExitCode::SUCCESS
            }
            Err(why) => {
                eprintln!("{name} {why}");
                ExitCode::FAILURE
            }
        };
    }
    let entries = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let is_mutation = |path: &PathBuf| path.extension().is_some_and(|end| end == "mutation");
    let name_of = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<_> = entries.filter(is_mutation).map(name_of).collect();
    names.sort();
    let mut wrong = 0;
    for name in &names {
        match read(name) {
            Ok((mutation, _, _)) => {
                assert!(!mutation.breaks.is_empty() && mutation.test.contains(' '), "{name}");
            }
            Err(why) => {
                eprintln!("{name} {why}");
                wrong += 1;
            }
        }
    }
    println!("{} mutations, of which {wrong} are to be made again", names.len());
    if wrong == 0 && !names.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
