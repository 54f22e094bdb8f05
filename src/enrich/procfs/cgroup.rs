//! `/proc/PID/cgroup`: the cgroup of a process in each hierarchy.

/// One line: `N:CONTROLLERS:PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CgroupLine<'a> {
    /// The number of the hierarchy; 0 is version 2.
    pub hierarchy: u32,
    controllers: &'a str,
    /// From the root of the hierarchy, or of the reader's cgroup namespace.
    pub path: &'a str,
}

impl<'a> CgroupLine<'a> {
    /// All lines of the file that are as they should be.
    pub(crate) fn parse_all(text: &'a str) -> impl Iterator<Item = Self> {
        text.lines().filter_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (hierarchy, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            Some(Self { hierarchy: hierarchy.parse().ok()?, controllers, path })
        })
    }

    /// `cpu`, `cpuacct`; `name=systemd`. None of version 2.
    pub(crate) fn controllers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.controllers.split(',').filter(|name| !name.is_empty())
    }

    /// Does its hierarchy have this controller?
    pub(crate) fn has(&self, controller: &str) -> bool {
        self.controllers().any(|name| name == controller)
    }
}
