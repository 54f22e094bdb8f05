//! What the host says of a process beside its record.

use std::rc::Rc;
use std::sync::Arc;

use super::container::Placement;
use super::container_names::ContainerNames;

/// What the host says of one process, by the ids that the record has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Path of its cgroup: of version 2, or of version 1 where that says more.
    pub cgroup: Option<Rc<str>>,
    /// The same in bytes, where they are not UTF-8.
    pub cgroup_raw: Option<Rc<[u8]>>,
    /// It has one, and no path of it is known.
    pub is_cgroup_lost: bool,
    /// Whether its names would be the host's cannot be known any more.
    pub are_names_lost: bool,
    /// What the paths of its cgroups say.
    pub placement: Rc<Placement>,
    /// What people call its container and its pod.
    pub names: Rc<ContainerNames>,
    /// Names of its users and its group, as the host's files have them; none of a process in a container, whose files
    /// are others.
    pub user: Option<Rc<str>>,
    /// As above.
    pub group: Option<Rc<str>>,
    /// As above.
    pub login_user: Option<Rc<str>>,
    /// Its live title, if it was read before and differs from argv.
    pub title: Option<ReadTitle>,
    /// It may have had one, which was not kept.
    pub is_title_dropped: bool,
}

/// A title as it was read some time before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTitle {
    /// As in [`Title`](crate::record::Title).
    pub bytes: Arc<[u8]>,
    /// As above.
    pub spilt: bool,
    /// As above.
    pub cut: bool,
    /// `CLOCK_BOOTTIME`, nanoseconds, of the reading.
    pub read_at: u64,
}
