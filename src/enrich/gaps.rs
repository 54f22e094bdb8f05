//! Command lines and executables that a record flags as missing.
//!
//! A late look must not put a later program's command line into an earlier event: what is taken is either the identity of
//! the very image that the event saw (same exec id), or what /proc shows of that image (same place of the argument block, where
//! that is random at each exec).

use std::borrow::Cow;

use super::procfs::ArgumentBlock;
use super::{Enricher, Identities, procfs};
use crate::record::{Argv, ArgvFrom, Gap, KernelIdentity, ProcessFacts};

impl Enricher {
    /// Fills the gaps that can be filled.
    pub(crate) fn fill_gaps(&mut self, processes: &mut [ProcessFacts<'_>], identities: &dyn Identities) {
        for process in processes {
            let gap = match process.argv {
                Argv::Missing(gap) if gap != Gap::Overwritten => Some(gap),
                // what the process shows is its title: there is nothing to ask for
                _ => None,
            };
            if let Some(gap) = gap {
                self.unsettled += 1;
                if let Some(argv) = self.find(process, gap, identities) {
                    if matches!(argv, Argv::Known { from: ArgvFrom::Proc, .. }) {
                        self.from_proc += 1;
                    } else {
                        self.from_kernel += 1;
                    }
                    process.argv = argv;
                }
            }
            self.fill_exe(process, identities);
        }
    }

    /// The executable of a process of which the record has no more than an outline.
    fn fill_exe(&mut self, process: &mut ProcessFacts<'_>, identities: &dyn Identities) {
        let Some(subject) = process.subject.as_mut().filter(|subject| subject.exe.is_empty()) else { return };
        if process.argv == Argv::NotApplicable {
            return;
        }
        self.unsettled += 1;
        let kept = identities.identity(process.pid).filter(|kept| kept.exec_id == process.exec_id);
        if let Some(kept) = kept {
            if procfs::is_same_process(&self.proc_directory, process.pid, process.start) {
                subject.exe = Cow::Owned(kept.exe);
            }
        }
    }

    /// The command line, if this very image still shows it.
    fn find(
        &self,
        process: &ProcessFacts<'_>,
        gap: Gap,
        identities: &dyn Identities,
    ) -> Option<Argv<'static>> {
        // In the middle of execve comm and uid may still have been the old image's: the identity alone would make
        // a mixture. The place of the argument block gets its value after they changed.
        let is_mid_exec = matches!(gap, Gap::MidExec | Gap::ExecRace);
        if is_mid_exec && process.arg_start == 0 {
            return None;
        }
        if let Some(kept) = identities.identity(process.pid) {
            // the hook of that exec may be yet to run, or may have been skipped
            let is_older = is_mid_exec && is_before(kept.exec_id, process.exec_id);
            // it has exec'd since, or the pid is another's: /proc cannot show what was
            if (kept.exec_id != process.exec_id && !is_older)
                || !procfs::is_same_process(&self.proc_directory, process.pid, process.start)
            {
                return None;
            }
            if kept.is_known && !is_older {
                let bytes = Cow::Owned(kept.argv);
                return Some(Argv::Known { bytes, total: kept.argv_total, from: kept.from });
            }
            if kept.is_overwritten && !is_older {
                return Some(Argv::Missing(Gap::Overwritten));
            }
        }
        let is_of = |block: &ArgumentBlock| block.is_of(process.start, process.arg_start);
        let now = || {
            let block = procfs::argument_block(&self.proc_directory, process.pid).ok().flatten();
            let has_execed = |kept: KernelIdentity| is_before(process.exec_id, kept.exec_id);
            block.filter(is_of).filter(|_| !identities.identity(process.pid).is_some_and(has_execed))
        };
        let block = self.older.peek(&process.pid).filter(|block| is_of(block)).cloned().or_else(now)?;
        if block.is_overwritten {
            return Some(Argv::Missing(Gap::Overwritten));
        }
        Some(Argv::Known {
            total: block.bytes.len() as u32,
            bytes: Cow::Owned(block.bytes),
            from: ArgvFrom::Proc,
        })
    }
}

/// Is this number of an exec an earlier one? Numbers wrap around.
fn is_before(exec_id: u32, other: u32) -> bool {
    (other.wrapping_sub(exec_id) as i32) > 0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::enrich::tests::Nobody;
    use crate::record::Ghost;

    /// A process whose identity is of this exec; another one after so many questions, if it execs meanwhile.
    #[derive(Debug)]
    struct Keeper {
        exec_ids: [u32; 2],
        is_known: bool,
        asked: std::cell::Cell<usize>,
    }

    impl Identities for Keeper {
        fn ghost(&self, _: u32, _: u64) -> Option<Ghost> {
            None
        }

        fn identity(&self, _: u32) -> Option<KernelIdentity> {
            let turn = self.asked.replace(1);
            let argv = b"kept\0".to_vec();
            let (exec_id, is_known) = (self.exec_ids[turn], self.is_known);
            Some(KernelIdentity {
                exec_id,
                argv_total: 5,
                argv,
                from: ArgvFrom::Exec,
                is_known,
                is_overwritten: false,
                exe: Vec::new(),
            })
        }
    }

    /// What is found of this very process, of which a record has exec number 5, at this place.
    fn found(gap: Gap, arg_start: u32, identities: &dyn Identities) -> Option<bool> {
        let pid = std::process::id();
        let start = procfs::tests::own_start();
        let mut enricher = Enricher::new(Path::new("/"), 0, true);
        let argv = Argv::Missing(gap);
        let mut processes =
            [ProcessFacts { start, exec_id: 5, arg_start, argv, ..ProcessFacts::named(pid, b"x") }];
        enricher.fill_gaps(&mut processes, identities);
        match &processes[0].argv {
            Argv::Known { bytes, from, .. } => {
                let is_from_proc = *from == ArgvFrom::Proc;
                assert_eq!(**bytes == b"kept\0"[..], !is_from_proc);
                Some(is_from_proc)
            }
            _ => None,
        }
    }

    #[test]
    fn of_a_later_exec_nothing_is_taken_wherever_its_arguments_are() {
        let block = procfs::argument_block(Path::new("/proc"), std::process::id()).unwrap().unwrap();
        let here = block.arg_start as u32;
        let keeper =
            |before, after, is_known| Keeper { exec_ids: [before, after], is_known, asked: 0.into() };
        for gap in [Gap::MidExec, Gap::ExecRace] {
            // that very exec: what the kernel side keeps of it is no mixture with a place that it had already
            assert_eq!(found(gap, here, &keeper(5, 5, true)), Some(false));
            assert_eq!(found(gap, 0, &keeper(5, 5, true)), None);
            // one since then
            assert_eq!(found(gap, here, &keeper(6, 6, true)), None);
            assert_eq!(
                found(gap, here, &keeper(u32::MAX, u32::MAX, true)),
                Some(true),
                "the numbers wrap around"
            );
            assert_eq!(found(gap, here, &keeper(5, 6, false)), None, "while /proc was read");
            // the hook has yet to run, or was skipped
            assert_eq!(found(gap, here, &keeper(4, 4, true)), Some(true));
            assert_eq!(found(gap, here + 16, &keeper(4, 4, true)), None);
            assert_eq!(found(gap, here, &keeper(4, 6, true)), None);
            assert_eq!(found(gap, here, &Nobody), Some(true));
        }
        assert_eq!(found(Gap::Unknown, here, &keeper(4, 4, true)), None);
        assert_eq!(found(Gap::Unreadable, here, &keeper(5, 5, false)), Some(true));
        assert_eq!(found(Gap::Unreadable, here, &keeper(5, 6, false)), None);
    }
}
