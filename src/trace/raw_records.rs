//! The file of `--record-to`: the records as the kernel wrote them, each behind its length.
//!
//! They hold what lines hold, before anything is redacted: the file must be what the file of an output must be.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::base::sanitize::visible;
use crate::error::TraceError;
use crate::output::deliver::opener::{FileKind, OpenOutcome, Opener};

/// The open file.
#[derive(Debug)]
pub(super) struct RawRecords(File);

impl RawRecords {
    /// Opens the file, and empties it.
    pub(super) fn create(path: &Path) -> Result<Self, TraceError> {
        let failed = |refusal| TraceError::Output { place: visible(path), refusal };
        match Opener::here(&[path.to_owned()]).open(0, None).map_err(failed)? {
            OpenOutcome::File(file, FileKind::Regular) => {
                file.set_len(0).map_err(|error| failed(error.into()))?;
                Ok(Self(file))
            }
            OpenOutcome::File(file, FileKind::Device) => Ok(Self(file)),
            OpenOutcome::File(_, FileKind::Fifo) | OpenOutcome::Unread | OpenOutcome::Same => {
                Err(failed(io::Error::other("records are written to no FIFO").into()))
            }
        }
    }

    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let length = (record.len() as u32).to_ne_bytes();
        self.0.write_all(&length)?;
        self.0.write_all(record)
    }
}
