//! The name of a task, of a fixed size: `comm`.

pub use crate::wire::COMM_BYTES;

/// A `comm`, without the NULs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Comm {
    bytes: [u8; COMM_BYTES + 1],
    length: u8,
}

impl From<&[u8]> for Comm {
    /// What the kernel would not keep is cut.
    fn from(comm: &[u8]) -> Self {
        let mut bytes = [0; COMM_BYTES + 1];
        let length = comm.len().min(bytes.len());
        bytes[..length].copy_from_slice(&comm[..length]);
        Self { bytes, length: length as u8 }
    }
}

impl std::ops::Deref for Comm {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}
