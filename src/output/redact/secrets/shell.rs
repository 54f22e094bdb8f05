//! A command line inside one argument: `sh -c '…'`, `ssh host '…'`, a title. Split as a shell does, near enough: what is
//! quoted, and where commands begin. It never fails; a quote that is not closed reaches to the end.

use std::borrow::Cow;
use std::ops::Range;

/// A word of a command, which knows where each of its bytes is.
#[derive(Debug, Clone)]
pub(super) struct Word<'a> {
    /// Without its quotes.
    pub bytes: Cow<'a, [u8]>,
    /// The argument that it is, or is in.
    item: usize,
    /// Where in that argument each byte is; the same place if there are none.
    places: Option<Vec<usize>>,
    /// A shell puts something else in its place or behind it: `$NAME`, `$(…)`.
    pub is_expanded: bool,
    /// The text ends here before the word does.
    pub is_cut: bool,
}

impl<'a> Word<'a> {
    /// An argument as it is.
    pub(super) fn of_item(item: usize, bytes: &'a [u8], is_cut: bool) -> Self {
        Self { bytes: Cow::Borrowed(bytes), item, places: None, is_expanded: false, is_cut }
    }

    /// Where in which argument this part of it is.
    pub(super) fn span(&self, range: Range<usize>) -> Option<(usize, Range<usize>)> {
        if range.is_empty() || range.end > self.bytes.len() {
            return None;
        }
        let Some(places) = &self.places else { return Some((self.item, range)) };
        Some((self.item, *places.get(range.start)?..*places.get(range.end - 1)? + 1))
    }

    /// What comes behind its first `=`: `--exec=COMMAND`, `NAME=COMMAND`.
    pub(super) fn value(&self) -> Option<Word<'_>> {
        let from = self.bytes.iter().position(|&byte| byte == b'=')? + 1;
        let places = match &self.places {
            Some(places) => places[from..].to_vec(),
            None => (from..self.bytes.len()).collect(),
        };
        let bytes = Cow::Borrowed(&self.bytes[from..]);
        Some(Word { bytes, item: self.item, places: Some(places), ..*self })
    }

    fn begin(outer: &Self) -> Word<'static> {
        Word {
            bytes: Cow::Owned(Vec::new()),
            item: outer.item,
            places: Some(Vec::new()),
            is_expanded: false,
            is_cut: false,
        }
    }

    fn push(&mut self, outer: &Word<'_>, at: usize) {
        let place = outer.places.as_ref().map_or(at, |places| places[at]);
        self.bytes.to_mut().push(outer.bytes[at]);
        if let Some(places) = &mut self.places {
            places.push(place);
        }
    }
}

/// Could this be more than one word?
pub(super) fn may_be_script(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'`' | b'|' | b';'))
}

struct Splitter<'a> {
    outer: &'a Word<'a>,
    commands: Vec<Vec<Word<'static>>>,
    command: Vec<Word<'static>>,
    word: Option<Word<'static>>,
}

impl Splitter<'_> {
    fn word(&mut self) -> &mut Word<'static> {
        self.word.get_or_insert_with(|| Word::begin(self.outer))
    }

    fn push(&mut self, at: usize) {
        let outer = self.outer;
        self.word().push(outer, at);
    }

    fn end_word(&mut self) {
        self.command.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.command.is_empty() {
            self.commands.push(std::mem::take(&mut self.command));
        }
    }
}

/// The simple commands of a script.
pub(super) fn commands(outer: &Word<'_>) -> Vec<Vec<Word<'static>>> {
    let bytes = &*outer.bytes;
    let mut splitter = Splitter { outer, commands: Vec::new(), command: Vec::new(), word: None };
    let mut quote = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match (quote, byte) {
            (Some(closing), _) if byte == closing => quote = None,
            (Some(b'\''), _) => splitter.push(at),
            (_, b'\\') if next.is_some() => {
                // in double quotes a shell keeps the backslash before most; a secret is hidden with it or without
                at += 1;
                if next != Some(b'\n') {
                    splitter.push(at);
                }
            }
            (_, b'`' | b'$') if byte == b'`' || next == Some(b'(') => {
                splitter.word().is_expanded = true;
                splitter.end_command();
                quote = None;
                at += usize::from(byte == b'$');
            }
            (_, b'$') => {
                splitter.word().is_expanded = true;
                splitter.push(at);
            }
            (None, b'\'' | b'"') => {
                splitter.word();
                quote = Some(byte);
            }
            (None, b';' | b'|' | b'&' | b'\n' | b'(' | b')') => splitter.end_command(),
            (None, b'<' | b'>') => splitter.end_word(),
            (None, _) if byte.is_ascii_whitespace() => splitter.end_word(),
            _ => splitter.push(at),
        }
        at += 1;
    }
    if let Some(word) = &mut splitter.word {
        word.is_cut = outer.is_cut;
    }
    splitter.end_command();
    splitter.commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<Vec<String>> {
        let outer = Word::of_item(0, text.as_bytes(), false);
        commands(&outer)
            .iter()
            .map(|command| {
                command.iter().map(|word| String::from_utf8_lossy(&word.bytes).into_owned()).collect()
            })
            .collect()
    }

    #[test]
    fn words_and_commands_are_those_of_a_shell() {
        assert_eq!(split("a  b"), [["a", "b"]]);
        assert_eq!(split("a 'b c'd \"e'f\" \\ g"), [["a", "b cd", "e'f", " g"]]);
        assert_eq!(split("a;b && c|d"), [["a"], ["b"], ["c"], ["d"]]);
        assert_eq!(split("x $(y z)"), [vec!["x", ""], vec!["y", "z"]]);
        assert_eq!(split("x 'y z"), [["x", "y z"]]);
        assert_eq!(split(""), [[""; 0]; 0]);
    }

    #[test]
    fn a_word_knows_where_it_was() {
        let text = b"x 'a \"b c\"'";
        let outer = Word::of_item(3, text, false);
        let words = &commands(&outer)[0];
        assert_eq!(words[1].span(0..1), Some((3, 3..4)));
        let inner = &commands(&words[1])[0];
        assert_eq!(inner[1].span(0..3), Some((3, 6..9)));
        assert_eq!(inner[1].span(3..4), None);
        let outer = Word::of_item(1, b"--exec=x y", false);
        let value = outer.value().unwrap();
        assert_eq!(commands(&value)[0][1].span(0..1), Some((1, 9..10)));
    }
}
