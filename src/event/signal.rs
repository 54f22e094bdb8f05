//! Signal numbers and their names, as people and as Go write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::base::nearest::nearest;
use crate::error::UsageError;

/// First real-time signal that programs get to use: glibc keeps 32 and 33 to itself.
pub const SIGRTMIN: u8 = 34;
/// Last real-time signal.
pub const SIGRTMAX: u8 = 64;

const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// Other names in use for the same numbers.
const ALIASES: [(&str, u8); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];

/// The table of Go's `syscall.Signal.String()` on Linux; it ends at 15, the rest is "signal N".
const GO_STRINGS: [&str; 15] = [
    "hangup",
    "interrupt",
    "quit",
    "illegal instruction",
    "trace/breakpoint trap",
    "aborted",
    "bus error",
    "floating point exception",
    "killed",
    "user defined signal 1",
    "segmentation fault",
    "user defined signal 2",
    "broken pipe",
    "alarm clock",
    "terminated",
];

/// A signal number, 1 to 64 (x86 and ARM numbering).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

impl Signal {
    /// The signal of that number, if there is one.
    pub fn new(number: u8) -> Option<Self> {
        (1..=SIGRTMAX).contains(&number).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its bit in a set of signals.
    pub fn bit(self) -> u64 {
        1 << (self.0 - 1)
    }

    /// What Go prints for it.
    pub fn go_string(self) -> Cow<'static, str> {
        match GO_STRINGS.get(usize::from(self.0) - 1) {
            Some(&text) => text.into(),
            None => format!("signal {}", self.0).into(),
        }
    }

    /// Its name, as it is displayed.
    pub fn name(self) -> Cow<'static, str> {
        match NAMES.get(usize::from(self.0) - 1) {
            Some(&name) => name.into(),
            None => self.to_string().into(),
        }
    }

    /// Does it end a process where nothing was set? All but those that are ignored, and the four that stop it.
    pub fn ends_by_default(self) -> bool {
        !self.is_ignored_by_default() && !self.stops_by_default()
    }

    /// Does it stop a process where nothing was set (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)?
    pub fn stops_by_default(self) -> bool {
        matches!(self.0, 19..=22)
    }

    /// Does it leave a core where nothing was set (QUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS)?
    pub fn dumps_core_by_default(self) -> bool {
        matches!(self.0, 3..=8 | 11 | 24 | 25 | 31)
    }

    /// Is it ignored where nothing was set (SIGCHLD, SIGCONT, SIGURG, SIGWINCH)?
    pub fn is_ignored_by_default(self) -> bool {
        matches!(self.0, 17 | 18 | 23 | 28)
    }
}

/// The name that may have been meant, as it is usually typed.
fn nearest_name(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let real_time = ["RTMIN", "RTMAX"];
    let names = NAMES.iter().filter_map(|name| name.strip_prefix("SIG")).chain(real_time);
    nearest(upper.strip_prefix("SIG").unwrap_or(&upper), names).map(str::to_owned)
}

/// `SIGTERM`, `SIGRTMIN+3`; 32 and 33 have no name and print as numbers.
impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (NAMES.get(usize::from(self.0) - 1), self.0) {
            (Some(name), _) => formatter.write_str(name),
            (None, SIGRTMIN) => formatter.write_str("SIGRTMIN"),
            (None, SIGRTMAX) => formatter.write_str("SIGRTMAX"),
            (None, number) if number > SIGRTMIN => write!(formatter, "SIGRTMIN+{}", number - SIGRTMIN),
            (None, number) => write!(formatter, "{number}"),
        }
    }
}

impl FromStr for Signal {
    type Err = UsageError;

    /// A number, or a name with or without `SIG`, in any case: `9`, `kill`, `SIGRTMIN+3`, `RTMAX-1`.
    fn from_str(text: &str) -> Result<Self, UsageError> {
        let unknown = || UsageError::Signal { given: text.to_owned(), nearest: nearest_name(text) };
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().and_then(Self::new).ok_or_else(unknown);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some(place) = NAMES.iter().position(|&known| known.strip_prefix("SIG") == Some(name)) {
            return Ok(Self(place as u8 + 1));
        }
        if let Some(&(_, number)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
            return Ok(Self(number));
        }
        // parse() would take a second sign
        let is_number = |rest: &&str| rest.bytes().all(|byte| byte.is_ascii_digit());
        let offset = |rest: &str| Some(rest).filter(is_number).and_then(|rest| rest.parse::<u8>().ok());
        let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
            (Some(""), _) => Some(SIGRTMIN),
            (_, Some("")) => Some(SIGRTMAX),
            (Some(rest), _) => {
                rest.strip_prefix('+').and_then(offset).and_then(|plus| SIGRTMIN.checked_add(plus))
            }
            (_, Some(rest)) => {
                rest.strip_prefix('-').and_then(offset).and_then(|minus| SIGRTMAX.checked_sub(minus))
            }
            _ => None,
        };
        number.filter(|number| (SIGRTMIN..=SIGRTMAX).contains(number)).map(Self).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_in_use_are_understood() {
        for (text, number) in [
            ("9", 9),
            ("kill", 9),
            ("SIGKILL", 9),
            ("sigterm", 15),
            ("iot", 6),
            ("RTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("rtmax-1", 63),
            ("64", 64),
            ("32", 32),
        ] {
            assert_eq!(text.parse::<Signal>().unwrap().number(), number, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for text in ["", "0", "65", "SIG", "KILLER", "RTMIN+31", "RTMIN-1", "RTMAX+1", "-9", "999999999999"] {
            let message = text.parse::<Signal>().unwrap_err().to_string();
            assert!(message.contains(&format!("'{text}'")), "{message}");
        }
    }

    #[test]
    fn a_slip_names_the_signal_that_was_meant() {
        for (text, meant) in [("TREM", "TERM"), ("sigkil", "KILL"), ("INTR", "INT"), ("USR", "USR1")] {
            let message = text.parse::<Signal>().unwrap_err().to_string();
            assert!(message.ends_with(&format!("did you mean {meant}?")), "{message}");
        }
        for text in ["foo", "NOSIG", "RTMIN+31", "SIG"] {
            let message = text.parse::<Signal>().unwrap_err().to_string();
            assert!(message.contains("1 to 64"), "{message}");
        }
    }

    #[test]
    fn what_go_prints() {
        let go = |number| Signal::new(number).unwrap().go_string();
        assert_eq!(go(15), "terminated");
        assert_eq!(go(10), "user defined signal 1");
        assert_eq!(go(34), "signal 34");
        assert_eq!(go(17), "signal 17");
    }

    proptest! {
        #[test]
        fn every_name_reads_back(number in 1u8..=64) {
            let signal = Signal::new(number).unwrap();
            prop_assert_eq!(signal.to_string().parse::<Signal>().unwrap(), signal);
        }
    }
}
