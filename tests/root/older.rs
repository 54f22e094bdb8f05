//! Processes that must be older than a tracer that tests share: in a guest they are made before any test runs.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use support::in_guest;

use crate::{ends, identity, older_processes, sender_and_target};

/// What is older: its name, and what makes it.
pub struct Older<T>(pub &'static str, pub fn() -> T);

static MADE: Mutex<BTreeMap<&str, Box<dyn Any + Send>>> = Mutex::new(BTreeMap::new());

impl<T: Send + 'static> Older<T> {
    fn make(&self) {
        let made = (self.1)();
        MADE.lock().unwrap_or_else(PoisonError::into_inner).insert(self.0, Box::new(made));
    }

    /// For the one test that wants it: made now, if it was not before.
    pub fn take(&self) -> T {
        let made = MADE.lock().unwrap_or_else(PoisonError::into_inner).remove(self.0);
        made.and_then(|made| made.downcast().ok()).map_or_else(self.1, |made| *made)
    }
}

/// All of them, where tests share a tracer.
pub fn make() {
    if !in_guest() {
        return;
    }
    older_processes::TITLES.make();
    older_processes::CHILD_OF_RETITLED.make();
    older_processes::EMPTY_ARGUMENTS.make();
    older_processes::BY_LOADER.make();
    ends::EXECS.make();
    identity::EXECUTABLE.make();
    identity::CGROUP.make();
    sender_and_target::BEFORE.make();
}

/// What was not asked for.
pub fn end() {
    MADE.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
