//! What the source is to the target: a pure function of the two chains.

use crate::enrich::container::Container;
use crate::event::context::Context;
use crate::record::{Snapshot, Task};

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
    /// They are in one container: below the directory of one cgroup, not of two that have the same name.
    SameContainer,
    /// The source is in no container, the target is in one, or in pid and mount namespaces of its own.
    Host,
    /// The source is in a container, the target is not in that.
    OtherContainer,
    /// None of these: neither is in a container.
    Other,
}

impl Relation {
    /// The word of the output contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Itself => "self",
            Self::Parent => "parent",
            Self::Ancestor => "ancestor",
            Self::Child => "child",
            Self::Descendant => "descendant",
            Self::Sibling => "sibling",
            Self::SameSession => "same-session",
            Self::SameContainer => "same-container",
            Self::Host => "host",
            Self::OtherContainer => "other-container",
            Self::Other => "other",
        }
    }

    /// Of the running task's process to the target. None where these facts do not say: a chain that was cut
    /// may hide an ancestor, and a cgroup without a path a container.
    pub fn of(facts: &Snapshot<'_>, context: &Context) -> Option<Self> {
        let key = |chain: &[usize], up: usize| Some(facts.processes.get(*chain.get(up)?)?.key());
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
        if facts.current_truncated || facts.target_truncated {
            return None;
        }
        let session = facts.current.session;
        if session != 0 && session == facts.target.session {
            return Some(Self::SameSession);
        }
        let (source, target) = (&context.source, &context.target);
        let is_known = source.cgroup.is_some() && target.cgroup.is_some();
        if !is_known {
            return None;
        }
        let source = Whereabouts::of(source.placement.container.as_ref(), &facts.current);
        let target = Whereabouts::of(target.placement.container.as_ref(), &facts.target);
        match (source, target) {
            (Whereabouts::In(source), Whereabouts::In(target)) if source.is(target) => {
                Some(Self::SameContainer)
            }
            (Whereabouts::In(_), _) => Some(Self::OtherContainer),
            (Whereabouts::Host, Whereabouts::In(_) | Whereabouts::Apart) => Some(Self::Host),
            (Whereabouts::Host, Whereabouts::Host) => Some(Self::Other),
            (Whereabouts::Apart, _) => None,
        }
    }
}

/// Where a process is.
#[derive(Debug, Clone, Copy)]
enum Whereabouts<'a> {
    /// In this container.
    In(&'a Container),
    /// In no container that its cgroup names, but not among the host's processes and files either.
    Apart,
    Host,
}

impl<'a> Whereabouts<'a> {
    fn of(container: Option<&'a Container>, task: &Task) -> Self {
        match container {
            Some(container) => Self::In(container),
            None if task.namespace_level > 0 && task.mount_namespace != 0 => Self::Apart,
            None => Self::Host,
        }
    }
}

#[cfg(test)]
mod tests {

    use std::rc::Rc;

    use super::*;
    use crate::enrich::container::Placement;
    use crate::enrich::surroundings::Surroundings;
    use crate::record::ProcessFacts;

    fn facts(source: &[u32], target: &[u32]) -> Snapshot<'static> {
        let process = |&pid: &u32| ProcessFacts { start: 1, ..ProcessFacts::named(pid, b"x") };
        Snapshot {
            current: Task { session: source[0], ..Task::default() },
            target: Task { session: 77, ..Task::default() },
            processes: source.iter().chain(target).map(process).collect(),
            current_chain: (0..source.len()).collect(),
            target_chain: (source.len()..source.len() + target.len()).collect(),
            ..Snapshot::between(process(&source[0]), process(&target[0]))
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
            let relates = Relation::of(&facts(source, target), &Context::default());
            assert_eq!(relates, relation, "{source:?} {target:?}");
        }
    }

    #[test]
    fn a_cut_chain_claims_no_distance() {
        let mut facts = facts(&[77, 2], &[6, 3]);
        facts.target_truncated = true;
        assert_eq!(Relation::of(&facts, &Context::default()), None);
    }

    #[test]
    fn beyond_the_session_containers_decide() {
        let inside = |id: &str| Surroundings {
            cgroup: Some("/".into()),
            placement: Rc::new(Placement {
                container: Some(Container::new(id, None)),
                ..Placement::default()
            }),
            ..Surroundings::default()
        };
        let host = || Surroundings { cgroup: Some("/".into()), ..Surroundings::default() };
        for (source, target, relation) in [
            (inside("a"), inside("a"), Some(Relation::SameContainer)),
            (inside("a"), inside("b"), Some(Relation::OtherContainer)),
            (inside("a"), host(), Some(Relation::OtherContainer)),
            (host(), inside("b"), Some(Relation::Host)),
            (host(), host(), Some(Relation::Other)),
            (host(), Surroundings::default(), None),
            (Surroundings::default(), inside("b"), None),
        ] {
            let context = Context { source, target, ..Context::default() };
            let relates = Relation::of(&facts(&[5, 2, 1], &[6, 3, 1]), &context);
            assert_eq!(relates, relation, "{context:?}");
        }
    }

    #[test]
    fn a_container_of_the_same_name_elsewhere_is_another() {
        let at = |path: String| Surroundings {
            placement: Rc::new(Placement::of(&path)),
            cgroup: Some(path.into()),
            ..Surroundings::default()
        };
        let of = |source: String, target: String| {
            let context = Context { source: at(source), target: at(target), ..Context::default() };
            Relation::of(&facts(&[5, 2, 1], &[6, 3, 1]), &context)
        };
        let scope = format!("docker-{}.scope", "4f797c53".repeat(8));
        let real = format!("/system.slice/{scope}");
        assert_eq!(of(real.clone(), format!("{real}/init")), Some(Relation::SameContainer));
        let forged = format!("/user.slice/user-1000.slice/user@1000.service/{scope}");
        assert_eq!(of(forged.clone(), real), Some(Relation::OtherContainer));
        assert_eq!(of(forged.clone(), forged), Some(Relation::SameContainer));
    }

    #[test]
    fn who_is_in_namespaces_of_its_own_is_not_on_the_host() {
        let host = || Surroundings { cgroup: Some("/".into()), ..Surroundings::default() };
        let context = || Context { source: host(), target: host(), ..Context::default() };
        let of = |source: (u32, u32), target: (u32, u32)| {
            let mut facts = facts(&[5, 2, 1], &[6, 3, 1]);
            (facts.current.namespace_level, facts.current.mount_namespace) = source;
            (facts.target.namespace_level, facts.target.mount_namespace) = target;
            Relation::of(&facts, &context())
        };
        assert_eq!(of((0, 0), (1, 7)), Some(Relation::Host), "a container that no path names");
        assert_eq!(of((1, 7), (0, 0)), None);
        assert_eq!(of((1, 7), (1, 7)), None);
        // a sandbox of a browser, a service with PrivateTmp
        for target in [(1, 0), (0, 7)] {
            assert_eq!(of((0, 0), target), Some(Relation::Other));
            assert_eq!(of(target, (0, 0)), Some(Relation::Other));
        }
        let task =
            |name: &str| Container { name: Some(name.to_owned()), ..Container::new("a", Some("nomad")) };
        assert!(task("redis").is(&task("redis")) && !task("redis").is(&task("web")));
    }

    #[test]
    fn a_pid_used_again_is_another_process() {
        let mut facts = facts(&[5, 2, 1], &[5, 3, 1]);
        facts.processes[0].start = 9;
        assert_ne!(Relation::of(&facts, &Context::default()), Some(Relation::Itself));
    }
}
