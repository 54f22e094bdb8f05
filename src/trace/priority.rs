//! Senders of signals must not keep the reader from reading them: a storm leaves the reader a smaller share of the CPU the more
//! take part in it, and what it cannot read is lost. Where sessions are groups of the scheduler (`kernel.sched_autogroup_enabled`), and in a cgroup
//! with a weight of its own, that holds among those of the same group only.

/// As much as auditd takes (`priority_boost`). What it costs the host is bounded by what the reader has to do.
const BOOST: i32 = 4;

/// Takes it for this thread and those that it starts from here on. Without the capability (`CAP_SYS_NICE`) all stays as it is.
pub(crate) fn raise() {
    match rustix::process::nice(-BOOST) {
        Ok(nice) => tracing::trace!(nice, "priority raised"),
        Err(error) => tracing::debug!(%error, "the priority could not be raised"),
    }
}
