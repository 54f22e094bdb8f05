//! What the kernel side keeps of a process now: looked up where a record was flagged as incomplete. An answer is of one moment,
//! or there is none: what changed meanwhile would be a mixture.

use std::os::fd::AsRawFd;

use libbpf_rs::{MapCore, MapFlags};

use super::Session;
use super::argv_store::ArgvStore;
use crate::bpf::pidfd;
use crate::enrich::Identities;
use crate::record::{self, ArgvFrom, Ghost, KernelIdentity};
use crate::wire::ProcessFlag;

impl Identities for Session<'_> {
    fn ghost(&self, pid: u32, start: u64) -> Option<Ghost> {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&start.to_ne_bytes());
        key[8..12].copy_from_slice(&pid.to_ne_bytes());
        let read = || self.skel.maps.ghosts.lookup(&key, MapFlags::ANY).ok()?;
        let bytes = read()?;
        // the element of one that goes is used for another at once: twice the same is no mixture
        record::decode_ghost(&bytes, pid, start).filter(|_| read().as_ref() == Some(&bytes))
    }

    /// None as well where pids are not the same here. The hooks' own identity, else that of the seeding.
    fn identity(&self, pid: u32) -> Option<KernelIdentity> {
        if !self.shares_pids {
            return None;
        }
        let process = pidfd::open(pid).ok()?;
        let key = process.as_raw_fd().to_ne_bytes();
        let maps = &self.skel.maps;
        read_identity(key, &ArgvStore::of_hooks(maps)).or_else(|| {
            let mut seeded = read_identity(key, &ArgvStore::of_seeding(maps))?;
            if seeded.from == ArgvFrom::Exec {
                seeded.from = ArgvFrom::Memory;
            }
            Some(seeded)
        })
    }
}

fn read_identity(key: [u8; 4], store: &ArgvStore<'_, '_>) -> Option<KernelIdentity> {
    let identity = store.identity(key)?;
    let kept = identity.argv_kept as usize;
    // the path of the executable is behind argv
    let all = kept + identity.exe_kept as usize;
    let mut argv = store.read(key, &identity, all);
    // it may have exec'd between the look-ups; and what is known by its place has no exec id to compare
    if identity.generation == 0
        || identity.generation % 2 == 1
        || identity.flags & ProcessFlag::PROCESS_BY_PLACE.0 != 0
        || store.identity(key)?.generation != identity.generation
        || argv.len() < all
    {
        return None;
    }
    let exe = argv[kept..all].to_vec();
    argv.truncate(kept);
    Some(KernelIdentity {
        exec_id: identity.exec_id,
        argv_total: identity.argv_total,
        from: ArgvFrom::of(identity.flags),
        is_known: kept > 0,
        is_overwritten: identity.flags & ProcessFlag::PROCESS_OVERWRITTEN.0 != 0,
        argv,
        exe,
    })
}
