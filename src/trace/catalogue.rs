//! The sentences of the start and the end of a trace, for `docs/sentences.md`. Only in tests.

use super::accounting::Balance;
use super::startup::begun;

/// When it is said, and the sentence.
pub(crate) fn rows() -> Vec<(&'static str, String)> {
    let balance = Balance { all: 26, printed: 2, hidden: 24, ..Balance::default() };
    let lossy = Balance { filtered: 3, filtered_user: 1, lost: 5, unprinted: 6, all: 41, ..balance };
    let attempts = Balance { all: 3, printed: 2, filtered: 1, ..Balance::default() };
    vec![
        ("the start, on a terminal", begun(33, 0, true)),
        ("the start, elsewhere; two processes could not be read", begun(33, 2, false)),
        ("the end", balance.sentence("signal")),
        ("the end, with everything that can happen to a signal", lossy.sentence("signal")),
        ("the end, of `--failed` and `--probes`", attempts.sentence("attempt")),
        ("the end, and there was none", Balance::default().sentence("signal")),
    ]
}
