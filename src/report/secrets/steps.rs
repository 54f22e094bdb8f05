//! How much work is done for a text that somebody else wrote: whoever writes it must not choose how long we are busy.

use std::cell::Cell;

/// Steps for one text, of some ten nanoseconds each. All of 16 KiB of arguments as they are in use takes a fifth of it.
const OF_TEXT: usize = 1 << 19;
/// Steps for all texts of an event.
const OF_EVENT: usize = 1 << 21;
/// A text of so few bytes is searched in any case, and cannot take long.
const SHORT: usize = 64;

/// What is left of them.
#[derive(Debug)]
pub(in crate::report) struct Steps {
    of_event: Cell<usize>,
    of_text: Cell<usize>,
    is_spent: Cell<bool>,
}

impl Steps {
    /// Those of an event.
    pub(in crate::report) fn of_event() -> Self {
        Self { of_event: Cell::new(OF_EVENT), of_text: Cell::new(0), is_spent: Cell::new(false) }
    }

    #[cfg(test)]
    pub(super) fn unbounded() -> Self {
        Self { of_event: Cell::new(0), of_text: Cell::new(usize::MAX), is_spent: Cell::new(false) }
    }

    /// A text of this length begins.
    pub(in crate::report) fn begin(&self, length: usize) {
        let is_short = length <= SHORT;
        self.of_text.set(if is_short { OF_TEXT } else { self.of_event.get().min(OF_TEXT) });
        self.is_spent.set(false);
    }

    /// Before so many steps: may they be done? If not, no more may be.
    pub(in crate::report) fn take(&self, steps: usize) -> bool {
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
    pub(in crate::report) fn spend(&self) {
        self.is_spent.set(true);
    }

    /// Not all of the text was looked at.
    pub(in crate::report) fn is_spent(&self) -> bool {
        self.is_spent.get()
    }

    /// What is left for this text.
    pub(in crate::report) fn left(&self) -> usize {
        if self.is_spent.get() { 0 } else { self.of_text.get() }
    }
}
