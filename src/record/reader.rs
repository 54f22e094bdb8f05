//! Reads the wire structs and byte strings of a record, one behind the other.
//!
//! Total: any bytes give a value or a [`DecodeError`], never a panic.

use plain::Plain;
use thiserror::Error;

use super::images::{Images, StoredImage};
use super::process::Image;
use crate::wire::VERSION;

/// Why bytes are not a record.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end before what they promise.
    #[error("record is cut short: {what} needs {needed} bytes at {at}, {length} are there")]
    Short {
        /// What was to be read.
        what: &'static str,
        /// Where, in bytes from the start.
        at: usize,
        /// How many bytes it needs.
        needed: usize,
        /// How many bytes the record has.
        length: usize,
    },
    /// Written by another build.
    #[error("record has wire version {found}, this build reads {VERSION}: record again")]
    Version {
        /// The version found.
        found: u16,
    },
    /// A kind this build does not know.
    #[error("record of unknown kind {0}")]
    Kind(u16),
    /// A field holds a value that the kernel side never writes.
    #[error("record has an impossible {field}: {value}")]
    Impossible {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
}

impl DecodeError {
    pub(super) fn impossible(field: &'static str, value: impl Into<u64>) -> Self {
        Self::Impossible { field, value: value.into() }
    }
}

/// The bytes of a record, and how far they have been read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    images: Option<&'a Images>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, images: None }
    }

    /// With the images that the record may refer to.
    pub(super) fn with(bytes: &'a [u8], images: Option<&'a Images>) -> Self {
        Self { bytes, at: 0, images }
    }

    /// An image that came before this record, if it is kept.
    pub(super) fn image(&self, image: Image) -> Option<&'a StoredImage> {
        self.images?.find(image)
    }

    /// Were environment variables asked for?
    pub(super) fn has_variables(&self) -> bool {
        self.images.is_some_and(Images::has_variables)
    }

    /// How far they have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes on from there, which may be behind the last byte.
    pub(super) fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next wire struct.
    pub(super) fn read<T: Plain + Copy + Default>(&mut self, what: &'static str) -> Result<T, DecodeError> {
        let mut value = T::default();
        let bytes = self.bytes(size_of::<T>(), what)?;
        // neither too short nor misaligned: copied, byte by byte
        let _ = value.copy_from_bytes(bytes);
        Ok(value)
    }

    /// The next bytes.
    pub(super) fn bytes(&mut self, needed: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let bytes = self.bytes_at(self.at, needed, what)?;
        self.at += needed;
        Ok(bytes)
    }

    /// Bytes that begin there.
    pub(super) fn bytes_at(
        &self,
        at: usize,
        needed: usize,
        what: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        at.checked_add(needed).and_then(|end| self.bytes.get(at..end)).ok_or(DecodeError::Short {
            what,
            at,
            needed,
            length: self.bytes.len(),
        })
    }
}

/// A string of the kernel's, without the NULs that fill it up.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len())]
}
