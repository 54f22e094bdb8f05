//! How much work is done for a text of another process: its author must not choose how long this program is busy.

use std::cell::Cell;

/// Steps for one text.
const OF_TEXT: usize = 1 << 19;
/// Steps for all texts of an event.
const OF_EVENT: usize = 1 << 21;
/// A text of so few bytes is searched in any case, and cannot take long.
const SHORT: usize = 64;

/// What is left of them.
#[derive(Debug)]
pub(in crate::output) struct Steps {
    of_event: Cell<usize>,
    of_text: Cell<usize>,
    is_spent: Cell<bool>,
}

impl Steps {
    /// Those of an event.
    pub(in crate::output) fn of_event() -> Self {
        Self { of_event: Cell::new(OF_EVENT), of_text: Cell::new(0), is_spent: Cell::new(false) }
    }

    #[cfg(test)]
    pub(super) fn unbounded() -> Self {
        Self { of_event: Cell::new(0), of_text: Cell::new(usize::MAX), is_spent: Cell::new(false) }
    }

    /// A text of this length begins.
    pub(in crate::output) fn begin(&self, length: usize) {
        let is_short = length <= SHORT;
        self.of_text.set(if is_short { OF_TEXT } else { self.of_event.get().min(OF_TEXT) });
        self.is_spent.set(false);
    }

    /// Before so many steps: may they be done? If not, no more may be.
    pub(in crate::output) fn take(&self, steps: usize) -> bool {
        match self.of_text.get().checked_sub(steps) {
            Some(left) if !self.is_spent.get() => {
                self.of_text.set(left);
                self.of_event.set(self.of_event.get().saturating_sub(steps));
                true
            }
            _ => {
                self.spend();
                false
            }
        }
    }

    /// What was to be done took too long.
    pub(in crate::output) fn spend(&self) {
        self.is_spent.set(true);
    }

    /// Not all of the text was looked at.
    pub(in crate::output) fn is_spent(&self) -> bool {
        self.is_spent.get()
    }

    /// What is left for this text.
    pub(in crate::output) fn left(&self) -> usize {
        if self.is_spent.get() { 0 } else { self.of_text.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Texts, find};
    use super::*;

    fn of(unit: &[u8], length: usize) -> Vec<u8> {
        unit.iter().copied().cycle().take(length).collect()
    }

    /// How many steps a text takes that is as long as this.
    fn steps_of(unit: &[u8], before: &[u8], length: usize) -> usize {
        let text = [before, &of(unit, length)].concat();
        let steps = Steps::unbounded();
        find(&[b"x".to_vec(), text], Texts::Arguments, false, &steps);
        assert!(!steps.is_spent());
        usize::MAX - steps.left()
    }

    #[test]
    fn twice_the_text_takes_twice_the_steps() {
        let nested = [&[b'\\'; 31][..], b" x="].concat();
        for before in [&b""[..], &nested] {
            for unit in [
                &b"pwd="[..],
                b"\xffpwd=",
                b"pwd=,",
                b"pwd=file:",
                b"a://",
                b"h://:",
                b"a://a:b@",
                b" cookie:",
                b"cookie:",
                b"\"pwd='\\\"' ",
                b"a=b ",
                b"create password ",
                b"eyJ-ghp_aaaa-",
            ] {
                let (half, whole) = (steps_of(unit, before, 4096), steps_of(unit, before, 8192));
                assert!(whole < 5 * half / 2, "{}: {half}, {whole}", String::from_utf8_lossy(unit));
            }
        }
    }

    #[test]
    fn a_text_and_an_event_have_so_many_steps_and_no_more() {
        let text = [&[b'\\'; 31][..], b" x=", &of(b"\xffpwd=", 16_000)].concat();
        let steps = Steps::of_event();
        for _ in 0..40 {
            steps.begin(text.len());
            find(&[b"x".to_vec(), text.clone()], Texts::Arguments, false, &steps);
        }
        assert!(steps.is_spent() && steps.of_event.get() < OF_TEXT);
        steps.begin(15);
        find(&[b"pwd=a".to_vec()], Texts::Arguments, false, &steps);
        assert!(!steps.is_spent());
    }
}
