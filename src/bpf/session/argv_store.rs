//! Where a command line lies in the maps: with the identity itself, or in a map of its size class, and the path of the
//! executable behind it. The same classes hold for what the hooks keep and for what was seeded; `bpf/include/identity/store.h`
//! chooses alike.

use std::io;
use std::mem::{offset_of, size_of};

use libbpf_rs::{MapCore, MapFlags, MapMut};

use crate::skel::KillsnoopMaps;
use crate::skel::types::{argv_large, argv_medium};
use crate::wire::{Identity, bytes_of};

const INLINE: usize = size_of::<Identity>() - offset_of!(Identity, argv);
const MEDIUM: usize = size_of::<argv_medium>();
const LARGE: usize = size_of::<argv_large>();
/// The most that is kept of one process.
pub(super) const MOST: usize = 2 * LARGE;

/// `enum argv_class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SizeClass {
    Inline,
    Medium,
    Large,
    /// Large, and the rest in a map of its own.
    Chained,
}

impl SizeClass {
    fn of(bytes: usize) -> Self {
        match bytes {
            _ if bytes <= INLINE => Self::Inline,
            _ if bytes <= MEDIUM => Self::Medium,
            _ if bytes <= LARGE => Self::Large,
            _ => Self::Chained,
        }
    }
}

/// The maps of one source of identities. The key is a pidfd.
pub(super) struct ArgvStore<'a, 'obj> {
    identities: &'a MapMut<'obj>,
    medium: &'a MapMut<'obj>,
    large: &'a MapMut<'obj>,
    tail: &'a MapMut<'obj>,
}

impl<'a, 'obj> ArgvStore<'a, 'obj> {
    /// Written by the hooks.
    pub(super) fn of_hooks(maps: &'a KillsnoopMaps<'obj>) -> Self {
        Self {
            identities: &maps.identities,
            medium: &maps.argv_medium,
            large: &maps.argv_large,
            tail: &maps.argv_tail,
        }
    }

    /// Written by the seeding.
    pub(super) fn of_seeding(maps: &'a KillsnoopMaps<'obj>) -> Self {
        Self {
            identities: &maps.seeded,
            medium: &maps.seeded_medium,
            large: &maps.seeded_large,
            tail: &maps.seeded_tail,
        }
    }

    pub(super) fn identity(&self, key: [u8; 4]) -> Option<Identity> {
        let bytes = self.identities.lookup(&key, MapFlags::ANY).ok()??;
        let mut identity = Identity::default();
        plain::Plain::copy_from_bytes(&mut identity, &bytes).ok()?;
        Some(identity)
    }

    /// So many bytes, or fewer if a map has less. Only a second look at the identity says that it is no mixture.
    pub(super) fn read(&self, key: [u8; 4], identity: &Identity, length: usize) -> Vec<u8> {
        let get = |map: &MapMut<'_>| map.lookup(&key, MapFlags::ANY).ok().flatten().unwrap_or_default();
        match SizeClass::of(length) {
            SizeClass::Inline => identity.argv.to_vec(),
            SizeClass::Medium => get(self.medium),
            SizeClass::Large => get(self.large),
            SizeClass::Chained => [get(self.large), get(self.tail)].concat(),
        }
    }

    /// Writes an identity and its bytes, at most [`MOST`]; the identity last, since it refers to the rest.
    pub(super) fn write(&self, key: [u8; 4], mut identity: Identity, bytes: &[u8]) -> io::Result<()> {
        let put = |map: &MapMut<'_>, bytes: &[u8], size: usize| {
            let mut value = bytes.to_vec();
            value.resize(size, 0);
            map.update(&key, &value, MapFlags::ANY).map_err(io::Error::other)
        };
        match SizeClass::of(bytes.len()) {
            SizeClass::Inline => identity.argv[..bytes.len()].copy_from_slice(bytes),
            SizeClass::Medium => put(self.medium, bytes, MEDIUM)?,
            SizeClass::Large => put(self.large, bytes, LARGE)?,
            SizeClass::Chained => {
                put(self.large, &bytes[..LARGE], LARGE)?;
                put(self.tail, &bytes[LARGE..], LARGE)?;
            }
        }
        // see create_seeded() of seed.h
        let put_identity = || self.identities.update(&key, bytes_of(&identity), MapFlags::ANY);
        put_identity().or_else(|_| put_identity()).or_else(|_| put_identity()).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_as_much_as_its_map() {
        for (bytes, class) in [
            (0, SizeClass::Inline),
            (INLINE, SizeClass::Inline),
            (INLINE + 1, SizeClass::Medium),
            (MEDIUM, SizeClass::Medium),
            (MEDIUM + 1, SizeClass::Large),
            (LARGE, SizeClass::Large),
            (LARGE + 1, SizeClass::Chained),
            (MOST, SizeClass::Chained),
        ] {
            assert_eq!(SizeClass::of(bytes), class, "{bytes}");
        }
    }
}
