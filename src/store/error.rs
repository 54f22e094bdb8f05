//! What can go wrong with a store, and what the person at the terminal can do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::base::os_error::reason;
use crate::base::sanitize::visible;

/// Why a store cannot be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Nothing was recorded there.
    #[error("nothing is recorded in {}: there is no {}\nhint: killsnoop record keeps what happens from now on; --store DIR names another directory", visible(.0), super::schema::FILE)]
    Absent(PathBuf),
    /// The file cannot be opened.
    #[error("cannot open the store in {}: {why}{hint}", visible(.directory))]
    Open {
        /// Where it is.
        directory: PathBuf,
        /// What the system said.
        why: String,
        /// What can be done, on a line of its own.
        hint: &'static str,
    },
    /// Another recorder writes to it.
    #[error("another recorder writes to the store in {}\nhint: end that one, or name another directory (--store DIR)", visible(.0))]
    Locked(PathBuf),
    /// A database of something else.
    #[error("the file is a database, but no store of killsnoop")]
    Foreign,
    /// A store that something was added to or taken from, or that another version made.
    #[error(
        "the tables of the store are not those that this killsnoop makes: views or indices were added or removed, or another version made it; what is unknown is not run, so it is not read\nhint: sqlite3 reads it; to record, move it away or name another directory (--store DIR)"
    )]
    Changed,
    /// From a later version of this program.
    #[error(
        "the store has version {version}, and this killsnoop knows versions up to {known}\nhint: read it with the killsnoop that wrote it, or one that is newer; to record, name another directory (--store DIR)"
    )]
    Newer {
        /// Its version.
        version: i32,
        /// The latest that is known.
        known: i32,
    },
    /// Less room than a store needs.
    #[error("a store needs at least {least} bytes, not {given}")]
    Small {
        /// What was given.
        given: u64,
        /// The least.
        least: u64,
    },
    /// What the library says.
    #[error("the store cannot be used: {}", reason(.0))]
    Database(#[from] rusqlite::Error),
    /// What the system says.
    #[error("the store cannot be used: {}", reason(.0))]
    System(#[from] io::Error),
}

impl StoreError {
    /// Is the file damaged, or no database at all?
    pub(super) fn is_damage(&self) -> bool {
        let Self::Database(rusqlite::Error::SqliteFailure(error, _)) = self else { return false };
        matches!(error.code, rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    }

    /// Does another process hold a lock?
    pub(super) fn is_busy(&self) -> bool {
        let Self::Database(rusqlite::Error::SqliteFailure(error, _)) = self else { return false };
        matches!(
            error.code,
            rusqlite::ErrorCode::DatabaseBusy
                | rusqlite::ErrorCode::DatabaseLocked
                | rusqlite::ErrorCode::FileLockingProtocolFailed
        )
    }

    /// Is there no room, on the disk or below the bound?
    pub(super) fn is_full(&self) -> bool {
        let Self::Database(rusqlite::Error::SqliteFailure(error, _)) = self else { return false };
        error.code == rusqlite::ErrorCode::DiskFull
    }
}
