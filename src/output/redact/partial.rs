//! Where in a text that goes on a match of a pattern may have begun: what is cut off of a secret must not leave the rest.

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

/// Bytes from the end at which a match may have begun.
const FARTHEST: usize = 4096;
/// Steps in which that is looked for: beyond it a match is taken to have begun.
const STEPS: usize = 1 << 18;

/// The beginnings of the matches of a pattern.
#[derive(Debug, Clone)]
pub(super) struct Beginnings(Option<DFA>);

impl Beginnings {
    /// Of a pattern.
    pub(super) fn of(pattern: &str) -> Self {
        let dfa = DFA::builder()
            .configure(DFA::config().unicode_word_boundary(true).match_kind(MatchKind::All))
            .syntax(syntax::Config::new().utf8(false))
            .thompson(thompson::Config::new().utf8(false))
            .build(pattern);
        Self(dfa.ok())
    }

    /// Where a match begins that the end of the text may have cut; the first such place. In how many steps it was found.
    pub(super) fn find(&self, text: &[u8], left: usize) -> (Option<usize>, usize) {
        let from = text.len().saturating_sub(FARTHEST);
        let Some(dfa) = &self.0 else { return ((from < text.len()).then_some(from), 0) };
        let mut cache = dfa.create_cache();
        let given = STEPS.min(left);
        let mut steps = given;
        let place = (from..text.len()).find(|&start| may_go_on(dfa, &mut cache, text, start, &mut steps));
        (place, given - steps)
    }
}

fn may_go_on(dfa: &DFA, cache: &mut Cache, text: &[u8], start: usize, steps: &mut usize) -> bool {
    let input = Input::new(text).range(start..).anchored(Anchored::Yes);
    let Ok(mut state) = dfa.start_state_forward(cache, &input) else { return true };
    for &byte in &text[start..] {
        if *steps == 0 {
            return true;
        }
        *steps -= 1;
        match dfa.next_state(cache, state, byte) {
            Ok(next) if next.is_dead() => return false,
            // what it cannot decide may be one
            Ok(next) if next.is_quit() => return true,
            Ok(next) => state = next,
            Err(_) => return true,
        }
    }
    // a match that is whole and cannot grow is found as one, and an empty one is none
    (0..=u8::MAX).any(|byte| !dfa.next_state(cache, state, byte).is_ok_and(|next| next.is_dead()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_may_be_the_beginning_of_a_match() {
        let find = |pattern: &str, text: &str| Beginnings::of(pattern).find(text.as_bytes(), STEPS).0;
        assert_eq!(find("hunter2", "x hunt"), Some(2));
        assert_eq!(find("hunter2", "x hunter1"), None);
        assert_eq!(find("hunter2", "x hunter"), Some(2));
        assert_eq!(find("-k (\\S+)", "x -k ab"), Some(2));
        assert_eq!(find("-k (\\S+)", "x -k ab cd"), None);
        assert_eq!(find("(?i)HUNTER2", "hunt"), Some(0));
        assert_eq!(find("hunter|hunter22", "x hunter2"), Some(2));
        assert_eq!(find("\\bhunter2\\b", "x hunt"), Some(2));
        assert_eq!(find("hunter2", ""), None);
        assert_eq!(find("x*", "ab"), None);
        assert_eq!(find("a.*b.*c", &"a".repeat(1 << 20)), Some((1 << 20) - FARTHEST));
    }
}
