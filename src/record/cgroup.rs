//! The path of a cgroup, as it was made or renamed.

use super::reader::{DecodeError, Reader};
use crate::wire::WireCgroup;

/// A cgroup that was made, or got another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupFacts<'a> {
    /// The kernel's number of its hierarchy; 0 is version 2.
    pub hierarchy: u32,
    /// Its id there.
    pub id: u64,
    /// Its path from the root of the hierarchy.
    pub path: &'a [u8],
}

pub(super) fn decode(bytes: &[u8]) -> Result<CgroupFacts<'_>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let wire: WireCgroup = reader.read("a cgroup")?;
    let path = reader.bytes(wire.path_bytes as usize, "a path")?;
    Ok(CgroupFacts { hierarchy: wire.hierarchy, id: wire.id, path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bytes_of;

    #[test]
    fn a_path_is_as_long_as_it_says() {
        let wire = WireCgroup { id: 5, hierarchy: 0, path_bytes: 4, ..WireCgroup::default() };
        let bytes = [bytes_of(&wire), b"/job"].concat();
        assert_eq!(decode(&bytes), Ok(CgroupFacts { hierarchy: 0, id: 5, path: b"/job" }));
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
