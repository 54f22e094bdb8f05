//! What only several records together say: a signal and the command line that came after it, an end and the signal before.

pub mod history;
pub mod pending;
