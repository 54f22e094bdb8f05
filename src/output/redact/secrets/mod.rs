//! The usual shapes of a secret among arguments. It errs towards taking out too much, and still promises nothing: a program
//! may take its secrets in any way. How many it finds is measured by the command lines of `tests/data/redaction`.

mod assignments;
#[cfg(test)]
mod corpus;
mod names;
mod program_rules;
mod programs;
mod shapes;
mod shell;
mod steps;

use std::ops::Range;

use self::shell::Word;
pub(super) use self::steps::Steps;

/// Command lines within command lines are followed so deep.
const DEEPEST: usize = 5;

/// What the texts are, in which secrets are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// Arguments, each a word.
    Arguments,
    /// Free text, such as a title: it may be a whole command line.
    Free,
}

/// Where secrets are: which argument, and which bytes of it. If `is_cut`, the last one goes on, and so may a secret.
/// If the steps are spent, it ended before it had looked everywhere.
pub(super) fn find(
    items: &[Vec<u8>],
    texts: Texts,
    is_cut: bool,
    steps: &Steps,
) -> Vec<(usize, Range<usize>)> {
    let last = items.len().wrapping_sub(1);
    let words: Vec<Word<'_>> = items
        .iter()
        .enumerate()
        .map(|(place, item)| Word::of_item(place, item, is_cut && place == last))
        .collect();
    let mut found = Vec::new();
    match texts {
        Texts::Arguments => scan(&words, 0, steps, &mut found),
        Texts::Free => words.iter().for_each(|word| scan_free(word, steps, &mut found)),
    }
    found
}

fn scan_free(word: &Word<'_>, steps: &Steps, found: &mut Vec<(usize, Range<usize>)>) {
    let mut ranges = Vec::new();
    shapes::find(word, true, steps, &mut ranges);
    found.extend(ranges.into_iter().filter_map(|range| word.span(range)));
    scan_script(word, 1, steps, found);
}

/// Commands that may pass a secret to one another: `echo SECRET | docker login --password-stdin`.
fn scan_script(word: &Word<'_>, depth: usize, steps: &Steps, found: &mut Vec<(usize, Range<usize>)>) {
    if !steps.take(4 * word.bytes.len()) {
        return;
    }
    let commands = shell::commands(word);
    for command in &commands {
        scan(command, depth, steps, found);
    }
    for pair in commands.windows(2) {
        if programs::reads_secret(&pair[1]) {
            said_by(&pair[0], found);
        }
    }
    // `--exec=COMMAND`, `NAME=COMMAND`: split already, and only the first word is another one
    let with_value = commands.iter().enumerate().find_map(|(place, command)| {
        let at = command.iter().position(|word| word.bytes.contains(&b'='))?;
        Some((place, &command[at..], command[at].value()?))
    });
    let Some((place, command, value)) = with_value else { return };
    if !steps.take(16 * command.len()) {
        return;
    }
    let mut inner = vec![value];
    inner.extend_from_slice(&command[1..]);
    scan_options(&inner[..inner.len().min(2)], steps, found);
    scan_programs(&inner, steps, found);
    if commands.get(place + 1).is_some_and(|next| programs::reads_secret(next)) {
        said_by(&inner, found);
    }
}

/// What `echo` says.
fn said_by(command: &[Word<'_>], found: &mut Vec<(usize, Range<usize>)>) {
    if command.first().is_some_and(|word| matches!(&*word.bytes, b"echo" | b"printf")) {
        let said = command.iter().skip(1).filter(|word| !is_option(&word.bytes));
        let said = said.filter(|word| !(word.is_expanded && shapes::is_reference(&word.bytes)));
        found.extend(said.filter_map(|word| word.span(0..word.bytes.len())));
    }
}

/// One command.
fn scan(words: &[Word<'_>], depth: usize, steps: &Steps, found: &mut Vec<(usize, Range<usize>)>) {
    let mut ranges = Vec::new();
    for (place, word) in words.iter().enumerate() {
        shapes::find(word, programs::takes_script(words, place), steps, &mut ranges);
        if steps.is_spent() {
            return;
        }
        found.extend(ranges.drain(..).filter_map(|range| word.span(range)));
        if depth < DEEPEST && shell::may_be_script(&word.bytes) {
            scan_script(word, depth + 1, steps, found);
        }
    }
    scan_options(words, steps, found);
    scan_programs(words, steps, found);
}

fn scan_options(words: &[Word<'_>], steps: &Steps, found: &mut Vec<(usize, Range<usize>)>) {
    for pair in words.windows(2) {
        if let Some(range) = of_option(&pair[0], &pair[1], steps) {
            found.extend(pair[1].span(range));
        }
    }
}

fn scan_programs(words: &[Word<'_>], steps: &Steps, found: &mut Vec<(usize, Range<usize>)>) {
    let mut of_programs = Vec::new();
    programs::find(words, steps, &mut of_programs);
    found.extend(of_programs.into_iter().filter_map(|(place, range)| words.get(place)?.span(range)));
}

/// `--password SECRET`.
fn of_option(word: &Word<'_>, next: &Word<'_>, steps: &Steps) -> Option<Range<usize>> {
    let option = word.bytes.strip_prefix(b"-")?;
    if !steps.take(16 + 4 * option.len())
        || option.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'/' | b'%' | b'@'))
    {
        return None;
    }
    // letters, as in `diff -pw a b`; programs that mean a password are in the table
    if option == b"pw" {
        return None;
    }
    let kind = names::kind(option.strip_prefix(b"-").unwrap_or(option))?;
    let value = &*next.bytes;
    let is_reference = next.is_expanded && shapes::is_reference(value);
    (!is_option(value) && !names::is_harmless(kind, value, steps) && !is_reference).then_some(0..value.len())
}

/// It is more likely the next option than a secret.
fn is_option(word: &[u8]) -> bool {
    match word {
        [b'-'] => true,
        [b'-', b'-', rest @ ..] => rest.first().is_none_or(u8::is_ascii_alphabetic),
        [b'-', letter] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(items: &[&str]) -> Vec<String> {
        let bytes: Vec<Vec<u8>> = items.iter().map(|item| item.as_bytes().to_vec()).collect();
        let mut all: Vec<String> = find(&bytes, Texts::Arguments, false, &Steps::unbounded())
            .into_iter()
            .map(|(place, range)| items[place][range].to_owned())
            .collect();
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn all_patterns_are_regular_expressions() {
        assert!(shapes::are_patterns_right());
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
            (&["curl", "-u", "bob:hunter2"], "hunter2"),
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
