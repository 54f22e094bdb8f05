//! Patterns of `--where`: `*` is any text, `?` any character, all else itself.

use wildmatch::WildMatch;

/// A pattern, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Glob {
    text: String,
    pattern: WildMatch,
}

impl Glob {
    /// Of what was typed.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), pattern: WildMatch::new(text) }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// It matches itself and nothing else.
    pub fn is_literal(&self) -> bool {
        !self.text.contains(['*', '?'])
    }

    /// Is this text, as a whole, one of its texts?
    pub fn matches(&self, text: &str) -> bool {
        self.pattern.matches(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_glob_is_what_the_expression_is(glob in "[ab*?é\\\\]{0,8}", text in "[abcé\\\\\\n]{0,10}") {
            let pattern = format!("^(?s){}$", regex::escape(&glob).replace("\\*", ".*").replace("\\?", "."));
            let expected = regex::Regex::new(&pattern).unwrap().is_match(&text);
            prop_assert_eq!(Glob::new(&glob).matches(&text), expected, "{}", pattern);
        }
    }
}
