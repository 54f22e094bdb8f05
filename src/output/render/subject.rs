//! A process with its identity and its tree: source or target.

use std::borrow::Cow;

use super::process::{basis_of, key, tree, write_cmdline, write_relative, write_title};
use super::surroundings::{write_id, write_placement, write_variables};
use super::write_bytes;
use crate::enrich::surroundings::{ReadTitle, Surroundings};
use crate::event::{Clock, tty_name};
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, Number, Seconds, Text};
use crate::output::format::fragments::FragmentOf;
use crate::output::format::line_template::Slot;
use crate::record::{ProcessFacts, Snapshot, SpawnerFacts, Task, Title};

/// A process with its tree: source or target.
pub(super) struct Subject<'a> {
    pub(super) processes: &'a [ProcessFacts<'a>],
    pub(super) chain: &'a [usize],
    pub(super) spawners: &'a [SpawnerFacts],
    pub(super) task: &'a Task,
    pub(super) surroundings: &'a Surroundings,
    pub(super) truncated: bool,
    /// The thread is written, if it is not the first one.
    pub(super) names_thread: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn source(facts: &'a Snapshot<'a>, surroundings: &'a Surroundings) -> Self {
        Self {
            processes: &facts.processes,
            chain: &facts.current_chain,
            spawners: &facts.spawners,
            task: &facts.current,
            surroundings,
            truncated: facts.current_truncated,
            names_thread: true,
        }
    }

    pub(super) fn target(facts: &'a Snapshot<'a>, surroundings: &'a Surroundings) -> Self {
        Self {
            processes: &facts.processes,
            chain: &facts.target_chain,
            spawners: &facts.spawners,
            task: &facts.target,
            surroundings,
            truncated: facts.target_truncated,
            // a signal to the group names whatever thread stood for it: only one to a thread has a thread
            names_thread: !facts.group,
        }
    }

    /// Of a record that has no other side.
    pub(super) fn alone(
        (processes, chain): (&'a [ProcessFacts<'a>], &'a [usize]),
        (task, surroundings): (&'a Task, &'a Surroundings),
        truncated: bool,
    ) -> Self {
        Self { processes, chain, spawners: &[], task, surroundings, truncated, names_thread: false }
    }

    /// `own` writes what only this side has, before the tree.
    pub(super) fn write(
        &self,
        clock: Clock,
        now: u64,
        format: &mut dyn Format,
        own: impl FnOnce(&mut dyn Format),
    ) {
        let (task, chain) = (self.task, self.chain);
        let Some(process) = chain.first().and_then(|&place| self.processes.get(place)) else { return };
        format.field("pid", Number(u64::from(process.pid)));
        if task.tid != process.pid && self.names_thread {
            format.field("tid", Number(u64::from(task.tid)));
        }
        write_cmdline(process, format);
        write_bytes("comm", "commRaw", &process.comm, format);
        format.field("key", Text(&key(process)));
        if let Some(title) = &process.title {
            write_title(title, format);
        } else if let Some(read) = &self.surroundings.title {
            let ReadTitle { ref bytes, spilt, cut, read_at } = *read;
            write_title(&Title { bytes: Cow::Borrowed(bytes), spilt, cut }, format);
            format.field("titleAgeSeconds", Seconds(now.saturating_sub(read_at)));
            format.slot(Slot::SecondsSince(read_at));
        }
        self.write_identity(process, clock, format);
        own(format);
        if format.wants("tree") {
            format.field("tree", Text(&tree(self.processes, chain, self.truncated)));
        }
        if self.truncated {
            format.field("treeTruncated", Flag(true));
        }
        self.write_spawner(chain[0], format);
        self.write_parents(&chain[1..], process.uid, format);
    }

    /// What only source and target have.
    fn write_identity(&self, process: &ProcessFacts<'_>, clock: Clock, format: &mut dyn Format) {
        let (task, surroundings) = (self.task, self.surroundings);
        if let Some(exe) = process.subject.as_ref().and_then(|subject| subject.exe_path()) {
            write_bytes("exe", "exeRaw", &exe, format);
            if process.subject.as_ref().is_some_and(|subject| subject.exe_unreachable) {
                format.field("exeUnreachable", Flag(true));
            }
        }
        format.field("startTime", Text(&clock.start_time(process.start)));
        write_id(format, "user", process.uid, surroundings.user.as_deref());
        write_id(format, "group", task.gid, surroundings.group.as_deref());
        if task.login_uid != u32::MAX {
            write_id(format, "loginUser", task.login_uid, surroundings.login_user.as_deref());
        }
        if task.session != 0 {
            format.field("session", Number(u64::from(task.session)));
        }
        if let Some(tty) = tty_name(&task.tty) {
            format.open("tty");
            format.field("name", Text(&tty));
            format.close();
        }
        if task.namespace_level > 0 && task.namespace_pid != 0 {
            format.field("nspid", Number(u64::from(task.namespace_pid)));
            format.field("pidns", Number(u64::from(task.namespace_inode)));
        }
        for (key, inode) in
            [("mntns", task.mount_namespace), ("netns", task.net_namespace), ("userns", task.user_namespace)]
        {
            if inode != 0 {
                format.field(key, Number(u64::from(inode)));
            }
        }
        if let Some(subject) = process.subject.as_ref().filter(|subject| !subject.nodename.is_empty()) {
            format.open("uts");
            write_bytes("nodename", "nodenameRaw", &subject.nodename, format);
            format.close();
        }
        write_placement(surroundings, format);
        let variables = process.subject.as_ref().map_or(&[][..], |subject| &subject.environment);
        if !variables.is_empty() {
            write_variables(variables, format);
        }
    }

    /// The ancestors, nested.
    fn write_parents(&self, chain: &[usize], mut uid_below: u32, format: &mut dyn Format) {
        let mut opened = 0;
        for &place in chain {
            let Some(process) = self.processes.get(place) else { continue };
            format.open_last("parent");
            opened += 1;
            let of = FragmentOf { pid: process.pid, start: process.start };
            let basis = basis_of(process, uid_below);
            if format.recall(of, &basis) {
                uid_below = process.uid;
            } else {
                write_relative(process, &mut uid_below, format);
                format.remember(of, &basis);
            }
            self.write_spawner(place, format);
        }
        for _ in 0..opened {
            format.close();
        }
    }

    /// Who started the process at this place, if that is not its parent: through the dead to the living.
    fn write_spawner(&self, mut place: usize, format: &mut dyn Format) {
        let mut opened = 0;
        while let Some(spawner) = self.spawners.iter().find(|spawner| spawner.of == place) {
            let Some(process) =
                self.processes.get(spawner.process).filter(|process| is_reported(spawner, process))
            else {
                break;
            };
            let mut uid_below = self.processes.get(place).map_or(process.uid, |process| process.uid);
            format.open_last("spawnedBy");
            opened += 1;
            write_relative(process, &mut uid_below, format);
            if spawner.exited {
                format.field("exited", Flag(true));
            }
            if spawner.execed_since {
                format.field("execedSince", Flag(true));
            }
            place = spawner.process;
        }
        for _ in 0..opened {
            format.close();
        }
    }
}

/// Of a spawner that is neither a ghost nor alive no more is known than its key.
pub(super) fn is_reported(spawner: &SpawnerFacts, process: &ProcessFacts<'_>) -> bool {
    spawner.exited || !process.comm.is_empty()
}
