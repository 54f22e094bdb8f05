//! From an event to the lines of every output: [`Reporter`] takes events, and [`Settings`] say what is asked for.
//!
//! The contract of the output is the [table of keys](keys).

mod backlog;
mod batch;
pub mod deliver;
pub mod ends;
pub mod fold;
pub mod format;
pub mod keys;
pub mod left_out_for_eyes;
pub mod line_cache;
mod max_line;
pub mod message;
mod open_output;
mod pressure;
pub mod read;
pub mod redact;
pub mod render;
mod reporter;
pub mod select;
mod settings;
pub mod spec;
pub mod status;
pub mod tally;
pub(crate) mod totals;

pub use self::format::FormatKind;
pub use self::reporter::{CachedLine, Reporter};
pub use self::settings::{Colour, OutputSettings, Settings, Takes};
