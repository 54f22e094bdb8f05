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
const WHOLE_TREES: &str = "two whole trees, two command lines, terminals, cgroups, namespaces and titles of both sides, looked at again each \
     time: some 20 ns an ancestor whose command line stands in the record already, and a microsecond for the rest; at one a ms \
     the caches are cold";
const WHOLE_LINES: &str = "a line is several KB of text: what is the same as before is copied, what is not is decoded, judged and written; most \
     of the rest is the file system's own copy";

pub const ADDED_FULL: Target = at_most("added per kill, full speed", "µs", 1.2, WHOLE_TREES);
pub const ADDED_FULL_RATIO: Target =
    at_most("added per kill, full speed, to sigsnoop's", "×", 0.07, WHOLE_TREES);
pub const ADDED_PACED: Target = at_most("added at 1 kill per ms", "µs", 1.5, WHOLE_TREES);
pub const ADDED_PACED_RATIO: Target =
    at_most("added at 1 kill per ms, to sigsnoop's", "×", 0.08, WHOLE_TREES);
pub const CPU: Target = at_most("tracer's CPU per event", "µs", 3.0, WHOLE_LINES);
pub const CPU_RATIO: Target = at_most("tracer's CPU per event, to sigsnoop's", "×", 0.45, WHOLE_LINES);
pub const FIRST_EVENT: Target = at_most(
    "first event",
    "s",
    0.08,
    "the verifier, which takes some 100 ms of CPU for all hooks, on two CPUs, and half of it for the signal hook alone; a kernel \
     without preemption would not need the second copies of the exec and exit hooks",
);
pub const IDLE: Target = at_most("idle CPU", "ms/s", 0.7, NOT_KNOWN);
pub const RSS: Target = at_most(
    "peak RSS",
    "MiB",
    16.0,
    "8 MiB are the ring, up to 8 are lines that wait for an output that is slower than the reader, which waits for none, and the \
     rest are libraries, code and heap; without a storm it is 16 in all",
);
pub const UNACCOUNTED: Target = at_most("storm: unaccounted", "signals", 0.0, NOT_KNOWN);
pub const EXEC: Target = at_most("exec hook", "µs", 1.5, NOT_KNOWN);
pub const FORK: Target = at_most("fork hook", "µs", 2.0, NOT_KNOWN);
pub const EXIT: Target =
    at_most("exit hook", "µs", 0.4, "marks, the ghost and the death of a child are looked up at every exit");
pub const HIDDEN: Target = at_most(
    "hidden signal, full speed",
    "µs",
    0.15,
    "whether it is hidden follows from its siginfo, its handler and the sender's registers, which are all read first",
);
pub const REFUSED: Target = at_most(
    "signal refused in the kernel, full speed",
    "µs",
    0.15,
    "as a hidden one: it is what came before the next that is reported",
);
pub const OTHER_CALLS: Target = at_most("getppid(), ratio", "×", 1.005, "the noise of this host");
pub const LATENCY: Target = at_most(
    "longest time from a signal to its line",
    "ms",
    100.0,
    "at full speed the ring is full: a line waits until the 8 MiB before it are written; at any other pace see below",
);
pub const SUSTAINED: Target = Target {
    what: "complete events a second",
    unit: "/s",
    limit: Limit::AtLeast(200_000.0),
    reason: "one thread of user space writes whole trees as JSON, on 2 cores that 4 senders want as well",
};
