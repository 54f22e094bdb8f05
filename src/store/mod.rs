//! The store: what `killsnoop record` keeps, and what `why` and `log` are answered from.
//!
//! ```text
//!  line of JSON ─► shape ─► dictionary ─► writer ─► events.db ─► reader ─► the very line again
//!                 taken apart  what is there already    └ forget: bounded      └ coverage: what was not recorded
//! ```
//!
//! Its file is an SQLite database ([`schema`], docs/store.md). A process of its own writes it (`service`).

mod coverage;
mod dictionary;
mod error;
mod forget;
mod helper;
mod lines;
mod maintain;
mod place;
mod query;
mod questions;
mod reader;
mod rows;
mod run;
mod scan;
mod schema;
mod service;
mod shape;
mod shares;
mod size;
mod syncer;
#[cfg(test)]
mod tests;
mod writer;

pub use self::coverage::{Coverage, Forgotten, Gap, GapCause, Left, Loss, Note, SHOWS_ALL, Span};
pub(crate) use self::dictionary::{USERS, users_container};
pub use self::error::StoreError;
pub use self::forget::{Bounds, LEAST_BYTES, Room};
pub use self::helper::{COMMAND, StoreHelper, StoreSettings, StoreStatus};
pub use self::maintain::{DiskUsage, Vacuumed, Verified, disk_usage, vacuum_size, vacuum_time, verify};
pub use self::query::{Kind, Order, Query, Sides, Who};
pub use self::questions::Questions;
pub use self::reader::{Boot, Candidate, Identity, Reader, StoredEvent};
pub use self::run::{HEARTBEAT, NoteKind, RunFacts};
pub use self::service::Service;
pub use self::size::{Age, Share, Size};
pub use self::syncer::Syncer;
pub use self::writer::{Kept, Writer};

/// Where a store is, unless another directory is named.
pub const DIRECTORY: &str = "/var/lib/killsnoop";
