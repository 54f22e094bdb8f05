//! The live titles of processes, as the kernel's iterator finds them.

use std::io;
use std::os::fd::BorrowedFd;

use super::detached_reader::DetachedReader;
use super::programs;
use crate::record::{self, TitleFacts};

/// Reads all titles; `take_one` gets each.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read_titles(link: BorrowedFd<'_>, take_one: &mut dyn FnMut(TitleFacts<'_>)) -> io::Result<()> {
    let iterator = programs::make_iterator(link)?;
    let mut waiting = Vec::new();
    DetachedReader::read(&iterator)?.read_all(|bytes| {
        waiting.extend_from_slice(bytes);
        let rest = record::decode_titles(&waiting, &mut *take_one).map_err(io::Error::other)?.len();
        waiting.drain(..waiting.len() - rest);
        Ok(())
    })
}
