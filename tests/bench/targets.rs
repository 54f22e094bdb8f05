//! What is to be reached, and why it is not where it is not: the report's last column of honesty.

/// A number that is to be at most, or at least, a limit.
pub struct Target {
    pub what: &'static str,
    pub unit: &'static str,
    pub limit: Limit,
    /// Printed where it is missed.
    pub reason: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Limit {
    pub fn is_kept(self, number: f64) -> bool {
        match self {
            Self::AtMost(limit) => number <= limit,
            Self::AtLeast(limit) => number >= limit,
        }
    }
}

const fn at_most(what: &'static str, unit: &'static str, limit: f64, reason: &'static str) -> Target {
    Target { what, unit, limit: Limit::AtMost(limit), reason }
}

const NOT_KNOWN: &str = "not looked into yet";

pub const ADDED_FULL: Target = at_most("added per kill, full speed", "µs", 1.2, NOT_KNOWN);
pub const ADDED_FULL_RATIO: Target =
    at_most("added per kill, full speed, to sigsnoop's", "×", 0.07, NOT_KNOWN);
pub const ADDED_PACED: Target = at_most("added at 1 kill per ms", "µs", 1.5, NOT_KNOWN);
pub const ADDED_PACED_RATIO: Target = at_most("added at 1 kill per ms, to sigsnoop's", "×", 0.08, NOT_KNOWN);
pub const CPU: Target = at_most("tracer's CPU per event", "µs", 3.0, NOT_KNOWN);
pub const CPU_RATIO: Target = at_most("tracer's CPU per event, to sigsnoop's", "×", 0.45, NOT_KNOWN);
pub const FIRST_EVENT: Target = at_most("first event", "s", 0.08, NOT_KNOWN);
pub const IDLE: Target = at_most("idle CPU", "ms/s", 0.7, NOT_KNOWN);
pub const RSS: Target = at_most(
    "peak RSS",
    "MiB",
    16.0,
    "the ring's 16 MiB are mapped twice, so that a record that wraps is in one piece, and count twice",
);
pub const UNACCOUNTED: Target = at_most("storm: unaccounted", "signals", 0.0, NOT_KNOWN);
pub const EXEC: Target = at_most("exec hook", "µs", 1.5, NOT_KNOWN);
pub const FORK: Target = at_most("fork hook", "µs", 2.0, NOT_KNOWN);
pub const EXIT: Target = at_most("exit hook", "µs", 0.4, NOT_KNOWN);
pub const HIDDEN: Target = at_most("hidden signal, full speed", "µs", 0.15, NOT_KNOWN);
pub const REFUSED: Target = at_most("signal refused in the kernel, full speed", "µs", 0.15, NOT_KNOWN);
pub const OTHER_CALLS: Target = at_most("getppid(), ratio", "×", 1.005, "the noise of this host");
pub const LATENCY: Target = at_most(
    "longest time from a signal to its line",
    "ms",
    100.0,
    "at full speed the ring is full: a line waits until the 16 MiB before it are written; at any other pace see below",
);
pub const SUSTAINED: Target = Target {
    what: "complete events a second",
    unit: "/s",
    limit: Limit::AtLeast(200_000.0),
    reason: "one thread of user space writes whole trees as JSON, on 2 cores that 4 senders want as well",
};
