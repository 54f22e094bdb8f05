//! What the source is to the target: a pure function of the two chains.

use crate::record::Snapshot;

/// The first of these that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It signalled itself.
    Itself,
    /// The target's parent.
    Parent,
    /// Farther up.
    Ancestor,
    /// The target's child.
    Child,
    /// Farther down.
    Descendant,
    /// They have one parent.
    Sibling,
    /// They are in one session.
    SameSession,
}

impl Relation {
    /// The word of the output contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Itself => "self",
            Self::Parent => "parent",
            Self::Ancestor => "ancestor",
            Self::Child => "child",
            Self::Descendant => "descendant",
            Self::Sibling => "sibling",
            Self::SameSession => "same-session",
        }
    }

    /// Of the running task's process to the target. None where these facts do not tell: a chain that was cut
    /// may hide an ancestor, and beyond the session it takes containers to tell.
    pub fn of(facts: &Snapshot<'_>) -> Option<Self> {
        let key = |chain: &[usize], up: usize| {
            let process = facts.processes.get(*chain.get(up)?)?;
            Some((process.pid, process.start))
        };
        let (source, target) = (&facts.current_chain, &facts.target_chain);
        let own = key(source, 0)?;
        let other = key(target, 0)?;
        let place_in = |chain: &[usize], wanted| (1..chain.len()).find(|&up| key(chain, up) == Some(wanted));
        if own == other {
            return Some(Self::Itself);
        }
        match (place_in(target, own), place_in(source, other)) {
            (Some(1), _) => return Some(Self::Parent),
            (Some(_), _) => return Some(Self::Ancestor),
            (_, Some(1)) => return Some(Self::Child),
            (_, Some(_)) => return Some(Self::Descendant),
            (None, None) => {}
        }
        if let (Some(a), Some(b)) = (key(source, 1), key(target, 1)) {
            if a == b {
                return Some(Self::Sibling);
            }
        }
        let whole = !facts.current_truncated && !facts.target_truncated;
        let session = facts.current.session;
        (whole && session != 0 && session == facts.target.session).then_some(Self::SameSession)
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::record::{Blocking, Disposition, ProcessFacts, SigInfo, Task};

    fn facts(source: &[u32], target: &[u32]) -> Snapshot<'static> {
        let process = |&pid: &u32| ProcessFacts { start: 1, ..ProcessFacts::named(pid, b"x") };
        Snapshot {
            time: 0,
            signal: 15,
            group: true,
            result: 0,
            info: SigInfo::Kernel,
            syscall: None,
            in_syscall: true,
            has_registers: true,
            instruction_pointer: 0,
            disposition: Disposition::Default,
            blocking: Blocking::Open,
            current: Task { session: source[0], ..Task::default() },
            target: Task { session: 77, ..Task::default() },
            processes: source.iter().chain(target).map(process).collect(),
            current_chain: (0..source.len()).collect(),
            target_chain: (source.len()..source.len() + target.len()).collect(),
            tty: b"",
            oom: None,
            current_truncated: false,
            target_truncated: false,
        }
    }

    #[test]
    fn each_relation_by_the_chains() {
        for (source, target, relation) in [
            (&[5, 2, 1][..], &[5, 2, 1][..], Some(Relation::Itself)),
            (&[2, 1], &[5, 2, 1], Some(Relation::Parent)),
            (&[2, 1], &[5, 4, 2, 1], Some(Relation::Ancestor)),
            (&[5, 2, 1], &[2, 1], Some(Relation::Child)),
            (&[5, 4, 2, 1], &[2, 1], Some(Relation::Descendant)),
            (&[5, 2, 1], &[6, 2, 1], Some(Relation::Sibling)),
            (&[77, 2, 1], &[6, 3, 1], Some(Relation::SameSession)),
            (&[5, 2, 1], &[6, 3, 1], None),
        ] {
            assert_eq!(Relation::of(&facts(source, target)), relation, "{source:?} {target:?}");
        }
    }

    #[test]
    fn a_cut_chain_claims_no_distance() {
        let mut facts = facts(&[77, 2], &[6, 3]);
        facts.target_truncated = true;
        assert_eq!(Relation::of(&facts), None);
    }

    #[test]
    fn a_pid_used_again_is_another_process() {
        let mut facts = facts(&[5, 2, 1], &[5, 3, 1]);
        facts.processes[0].start = 9;
        assert_ne!(Relation::of(&facts), Some(Relation::Itself));
    }
}
