//! Programs that take a secret without a name that says so, and programs that run others: finds what the table of
//! [`program_rules`](super::program_rules) says.

use std::ops::Range;

use super::names;
use super::program_rules::Where::{
    After, AfterName, AnyNamed, Argument, Behind, Half, IfHas, LastPart, Literal, Named, Oracle, Value,
};
use super::program_rules::{FLAGS, REDIS, RULES, RUN_FLAGS, Rule, WRAPPERS, Where, Wrapper};
use super::shapes::is_reference;
use super::shell::Word;
use super::steps::Steps;

/// A program's name as it was called: `/usr/bin/mysql`, `-bash`, `mysql.exe`.
fn name_of(word: &[u8]) -> &[u8] {
    let name = word.rsplit(|&byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    let name = name.strip_suffix(b".exe").unwrap_or(name);
    if name.len() > 1 && !name.starts_with(b"--") { name.strip_prefix(b"-").unwrap_or(name) } else { name }
}

fn is_named(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|one| one.as_bytes() == name)
}

/// Is it a shell's or one like it, whose option `-c` takes a script?
pub(super) fn takes_script(words: &[Word<'_>], place: usize) -> bool {
    let before = place.checked_sub(1).map_or(&b""[..], |before| &words[before].bytes);
    before.starts_with(b"-") && before.ends_with(b"c") && before.len() <= 5
}

/// Adds where programs have their secrets.
pub(super) fn find(words: &[Word<'_>], steps: &Steps, found: &mut Vec<(usize, Range<usize>)>) {
    let mut begin = 0;
    // each wrapper is looked through; a command has an end
    for _ in 0..words.len().min(16) {
        while words.get(begin).is_some_and(|word| is_assignment(&word.bytes)) {
            begin += 1;
        }
        let Some(program) = words.get(begin) else { return };
        let name = name_of(&program.bytes);
        let command = &words[begin..];
        if !steps.take(64 + 2 * command.len()) {
            return;
        }
        for Rule(names, given, places) in RULES {
            let has = |wanted: &&str| command.iter().any(|word| *word.bytes == *wanted.as_bytes());
            if is_named(name, names) && given.iter().all(has) {
                for place in *places {
                    if !steps.take(4 * command.len()) {
                        return;
                    }
                    place.find(name, command, begin, steps, found);
                }
            }
        }
        if is_named(name, REDIS) {
            redis(command, begin, found);
        }
        if name.starts_with(b"impacket-") {
            impacket(command, begin, found);
        }
        if is_named(name, &["htpasswd", "mosquitto_passwd"]) {
            htpasswd(command, begin, found);
        }
        match inner(name, command) {
            Some(inner) => begin += inner,
            None => return,
        }
    }
}

/// Does this command read a secret from its standard input?
pub(super) fn reads_secret(command: &[Word<'_>]) -> bool {
    let Some(program) = command.first() else { return false };
    let has = |wanted: &[&str]| command.iter().skip(1).any(|word| is_named(&word.bytes, wanted));
    match name_of(&program.bytes) {
        b"sudo" => has(&["-S", "--stdin"]),
        b"chpasswd" | b"smbpasswd" => true,
        b"passwd" => has(&["--stdin", "-s"]),
        _ => has(&["--password-stdin", "--passphrase-fd", "--with-token", "--pass-stdin", "--key-file=-"]),
    }
}

fn is_assignment(word: &[u8]) -> bool {
    let length = word.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    length > 0 && word.get(length) == Some(&b'=')
}

/// Where the command begins that this one runs.
fn inner(name: &[u8], command: &[Word<'_>]) -> Option<usize> {
    if is_named(name, &["docker", "podman", "nerdctl"]) && has_run(command) {
        return image(command);
    }
    let Wrapper(_, letters, long, arguments, behind) =
        WRAPPERS.iter().find(|Wrapper(names, ..)| is_named(name, names))?;
    let mut at = 1;
    if !behind.is_empty() {
        let is_it = |word: &Word<'_>| is_named(&word.bytes, behind);
        at = command.iter().position(is_it)? + 1;
    }
    let mut left = *arguments;
    while let Some(word) = command.get(at) {
        let bytes = &*word.bytes;
        if bytes == b"--" {
            at += 1;
            if left == 0 {
                break;
            }
        } else if let Some(option) = bytes.strip_prefix(b"--") {
            at += 1 + usize::from(is_named(option, long));
        } else if bytes.len() > 1 && bytes.starts_with(b"-") {
            // the value is the rest of the word, or the next
            let takes = bytes[1..].iter().position(|letter| letters.as_bytes().contains(letter));
            at += 1 + usize::from(takes.is_some_and(|letter| letter + 2 == bytes.len()));
        } else if left > 0 || (is_assignment(bytes) && name != b"docker") {
            left = left.saturating_sub(usize::from(!is_assignment(bytes)));
            at += 1;
        } else {
            break;
        }
    }
    (at < command.len()).then_some(at)
}

fn has_run(command: &[Word<'_>]) -> bool {
    command.iter().skip(1).take(3).any(|word| matches!(&*word.bytes, b"run" | b"create"))
        && !command.iter().take(3).any(|word| &*word.bytes == b"exec")
}

/// Behind `docker run …`: the image's own program may be called as it is, so the image stands for it.
fn image(command: &[Word<'_>]) -> Option<usize> {
    let mut at = command.iter().position(|word| matches!(&*word.bytes, b"run" | b"create"))? + 1;
    while let Some(word) = command.get(at) {
        let bytes = &*word.bytes;
        if !bytes.starts_with(b"-") {
            return (at + 1 < command.len()).then_some(at + 1);
        }
        let is_flag = bytes.contains(&b'=')
            || is_named(bytes, RUN_FLAGS)
            || (!bytes.starts_with(b"--") && bytes[1..].iter().all(|letter| b"ditPq".contains(letter)));
        at += 1 + usize::from(!is_flag);
    }
    None
}

impl Where {
    fn find(
        self,
        name: &[u8],
        command: &[Word<'_>],
        begin: usize,
        steps: &Steps,
        found: &mut Vec<(usize, Range<usize>)>,
    ) {
        let mut add = |place: usize, range: Range<usize>| {
            let Some(word) = command.get(place) else { return };
            let value = &word.bytes[range.start.min(word.bytes.len())..];
            if !(value.is_empty() || names::is_mask(value) || word.is_expanded && is_reference(value)) {
                found.push((begin + place, range));
            }
        };
        match self {
            Behind(option)
            | Value(option)
            | Half(option, _)
            | IfHas(option, _)
            | LastPart(option, _)
            | Literal(option) => {
                for place in 1..command.len() {
                    let Some((of, from)) = value_of(name, option, command, place, !matches!(self, Behind(_)))
                    else {
                        continue;
                    };
                    let word = &command[of];
                    let value = &word.bytes[from..];
                    let mark = |wanted: u8| value.iter().position(|&byte| byte == wanted);
                    let from = match self {
                        Half(_, b':') if value.len() > 1 && mark(b':') == Some(value.len() - 1) => Some(0),
                        Half(_, by) => mark(by).map(|at| at + 1).or(word.is_cut.then_some(0)),
                        IfHas(_, byte) => mark(byte).map(|_| 0),
                        LastPart(_, by) => memchr::memrchr(by, value).map(|at| at + 1),
                        Literal(_) if name == b"php" => {
                            mark(b'=').filter(|&at| value[..at].ends_with(b"pw")).map(|at| at + 1)
                        }
                        Literal(_) => mark(b'=').map(|at| at + 1),
                        _ => Some(0),
                    }
                    .map(|at| from + at);
                    if let Some(from) = from {
                        add(of, from..word.bytes.len());
                    }
                }
            }
            After(wanted) => {
                let places = (1..command.len()).filter(|&place| *command[place].bytes == *wanted.as_bytes());
                for place in places {
                    add(place + 1, 0..command.get(place + 1).map_or(0, |word| word.bytes.len()));
                }
            }
            AfterName => {
                for place in 1..command.len().saturating_sub(1) {
                    let next = &command[place + 1].bytes;
                    let kind = names::kind(&command[place].bytes);
                    if kind.is_some_and(|kind| !names::is_harmless(kind, next, steps)) {
                        add(place + 1, 0..next.len());
                    }
                }
            }
            Named(_) | AnyNamed => {
                for (place, word) in command.iter().enumerate().skip(1) {
                    let Some(at) = memchr::memchr(b'=', &word.bytes) else { continue };
                    let is_it = match self {
                        Named(wanted) => &word.bytes[..at] == wanted.as_bytes(),
                        _ => is_assignment(&word.bytes),
                    };
                    // vault's @file
                    if is_it && word.bytes.get(at + 1) != Some(&b'@') {
                        add(place, at + 1..word.bytes.len());
                    }
                }
            }
            Argument(number) => {
                let arguments = (1..command.len()).filter(|&place| {
                    let first = command[place].bytes.first();
                    first != Some(&b'-') && !(first == Some(&b'/') && command[place].bytes.contains(&b':'))
                });
                for place in arguments.skip(number) {
                    // vault login -method=x key=value has them by name
                    if !is_assignment(&command[place].bytes) {
                        add(place, 0..command[place].bytes.len());
                    }
                }
            }
            Oracle => {
                for (place, word) in command.iter().enumerate().skip(1) {
                    let bytes = &*word.bytes;
                    let Some(slash) = bytes.iter().position(|&byte| byte == b'/') else { continue };
                    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$#.=".contains(byte);
                    if slash == 0 || !bytes[..slash].iter().all(is_name) {
                        continue;
                    }
                    let end = bytes.iter().rposition(|&byte| byte == b'@').filter(|&at| at > slash);
                    add(place, slash + 1..end.unwrap_or(bytes.len()));
                    break;
                }
            }
        }
    }
}

/// Where the value of an option is, if this word is it: in which word, from where.
fn value_of(
    name: &[u8],
    option: &str,
    command: &[Word<'_>],
    place: usize,
    may_be_next: bool,
) -> Option<(usize, usize)> {
    let (bytes, option) = (&*command[place].bytes, option.as_bytes());
    let next = || (may_be_next && place + 1 < command.len()).then_some((place + 1, 0));
    if bytes == option {
        return next();
    }
    if option.starts_with(b"--") {
        return bytes.strip_prefix(option)?.starts_with(b"=").then_some((place, option.len() + 1));
    }
    if bytes.starts_with(option) {
        return Some((place, option.len()));
    }
    let flags = FLAGS.iter().find(|(of, _)| of.as_bytes() == name)?.1.as_bytes();
    if option.len() != 2 || !bytes.starts_with(b"-") || bytes.starts_with(b"--") {
        return None;
    }
    let length = bytes[1..].iter().take_while(|letter| flags.contains(letter)).count();
    let at = 1 + length;
    if length == 0 || bytes.get(at) != Some(&option[1]) {
        return None;
    }
    if at + 1 == bytes.len() { next() } else { Some((place, at + 1)) }
}

/// `redis-cli AUTH user SECRET`.
fn redis(command: &[Word<'_>], begin: usize, found: &mut Vec<(usize, Range<usize>)>) {
    let auth = command.iter().position(|word| word.bytes.eq_ignore_ascii_case(b"auth"));
    if let Some((place, word)) = auth.and_then(|at| Some((at + 2, command.get(at + 2)?))) {
        found.push((begin + place, 0..word.bytes.len()));
    }
}

/// `[domain/]user:SECRET@host`.
fn impacket(command: &[Word<'_>], begin: usize, found: &mut Vec<(usize, Range<usize>)>) {
    for (place, word) in command.iter().enumerate().skip(1) {
        let Some(to) = memchr::memrchr(b'@', &word.bytes) else { continue };
        if let Some(colon) = memchr::memchr(b':', &word.bytes[..to]) {
            found.push((begin + place, colon + 1..to));
        }
    }
}

/// `htpasswd -b [file] user SECRET`.
fn htpasswd(command: &[Word<'_>], begin: usize, found: &mut Vec<(usize, Range<usize>)>) {
    let is_flags = |word: &&Word<'_>| word.bytes.starts_with(b"-") && !word.bytes.starts_with(b"--");
    let has = |letter: u8| command.iter().skip(1).filter(is_flags).any(|word| word.bytes.contains(&letter));
    if has(b'b') {
        let arguments = (1..command.len()).filter(|&place| !command[place].bytes.starts_with(b"-"));
        let places = arguments.skip(if has(b'n') { 1 } else { 2 });
        found.extend(places.map(|place| (begin + place, 0..command[place].bytes.len())));
    }
}
