//! Spawners: who started a process and is not in its chain of parents. The record may have only the key of one.

use std::borrow::Cow;

use super::{Enricher, Identities, procfs};
use crate::record::{Argv, Gap, ProcessFacts, ProcessKey, SpawnerFacts};

impl Enricher {
    /// Completes the spawners that had not ended: each is in the record itself, or lives, or has left a ghost since.
    pub(crate) fn fill_spawners(
        &mut self,
        processes: &mut [ProcessFacts<'_>],
        spawners: &mut [SpawnerFacts],
        identities: &dyn Identities,
    ) {
        let mut turn = 0;
        while let Some(spawner) = spawners.get(turn).copied() {
            turn += 1;
            let Some(unknown) = processes.get(spawner.process).filter(|_| !spawner.exited) else { continue };
            let (key, exec_id) = (unknown.key(), unknown.exec_id);
            let known =
                processes.iter().find(|process| process.key() == key && !process.comm.is_empty()).cloned();
            self.unsettled += u64::from(known.is_none());
            let found = known.or_else(|| self.living(key, identities));
            let ghost = if found.is_none() { identities.ghost(key.0, key.1) } else { None };
            let Some(found) = found.or_else(|| ghost.as_ref().map(|ghost| ghost.process.clone())) else {
                continue;
            };
            // a ghost that was left since: at the signal it lived, and what it was is the same
            spawners[turn - 1].execed_since = found.exec_id != exec_id;
            let place = &mut processes[spawner.process];
            place.comm = found.comm;
            place.uid = found.uid;
            place.exec_id = found.exec_id;
            place.argv = found.argv;
        }
    }

    /// A process of which only the key is known, as it is now.
    fn living(&mut self, key: ProcessKey, identities: &dyn Identities) -> Option<ProcessFacts<'static>> {
        let kept = identities.identity(key.0)?;
        let status = procfs::status(&self.proc_directory, key.0, key.1)?;
        // an exec in between would make a mixture
        if identities.identity(key.0)?.exec_id != kept.exec_id {
            return None;
        }
        self.from_kernel += 1;
        Some(ProcessFacts {
            pid: key.0,
            start: key.1,
            comm: Cow::Owned(status.comm),
            uid: status.uid,
            has_name: true,
            exec_id: kept.exec_id,
            arg_start: 0,
            argv: if kept.is_known {
                Argv::Known { bytes: Cow::Owned(kept.argv), total: kept.argv_total, from: kept.from }
            } else {
                Argv::Missing(if kept.is_overwritten { Gap::Overwritten } else { Gap::Unknown })
            },
            title: None,
            title_lost: false,
            subject: None,
        })
    }
}
