//! The names that people have for a process: its comm, its program, its unit. `killsnoop nginx` asks for any of them.

use std::fmt;
use std::str::FromStr;

use super::glob::Glob;
use crate::config::MAX_PID;
use crate::error::UsageError;
use crate::record::COMM_BYTES;

/// A process as it is given on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessArg {
    /// By its number.
    Pid(u32),
    /// By one of its names.
    Name(ProcessName),
}

/// A name; `*` and `?` stand for other letters.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessName(Glob);

/// What a name may be compared with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Its comm.
    pub comm: Option<&'a str>,
    /// The path of its executable.
    pub exe: Option<&'a str>,
    /// Its units: of the host's systemd, and of its user's.
    pub units: [Option<&'a str>; 2],
}

impl FromStr for ProcessArg {
    type Err = UsageError;

    /// Digits are a pid.
    fn from_str(text: &str) -> Result<Self, UsageError> {
        if text.is_empty() {
            return Err(UsageError::EmptyName);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return parse_pid(text).map(Self::Pid);
        }
        Ok(Self::Name(ProcessName::new(text)))
    }
}

/// A pid as the host counts it.
///
/// # Errors
/// If no process can have it.
pub fn parse_pid(text: &str) -> Result<u32, UsageError> {
    let pid = text.parse().ok().filter(|pid| (1..=MAX_PID).contains(pid));
    pid.ok_or_else(|| UsageError::Pid(text.to_owned()))
}

impl fmt::Display for ProcessName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.text())
    }
}

impl ProcessName {
    /// As it was typed.
    pub fn new(text: &str) -> Self {
        Self(Glob::new(text))
    }

    /// Is it one of these? One with a slash is compared with the whole path of the executable.
    pub fn is_one_of(&self, names: &Names<'_>) -> bool {
        if self.0.text().contains('/') {
            return names.exe.is_some_and(|exe| self.0.matches(exe));
        }
        let is_program = |exe: &str| self.0.matches(exe.rsplit('/').next().unwrap_or(exe));
        let is_unit = |unit: &str| {
            self.0.matches(unit) || unit.rsplit_once('.').is_some_and(|(name, _)| self.0.matches(name))
        };
        names.comm.is_some_and(|comm| self.is_comm(comm))
            || names.exe.is_some_and(is_program)
            || names.units.into_iter().flatten().any(is_unit)
    }

    /// Of a longer name the kernel keeps the beginning.
    fn is_comm(&self, comm: &str) -> bool {
        let is_cut = comm.len() == COMM_BYTES && self.0.is_literal() && self.0.text().starts_with(comm);
        is_cut || self.0.matches(comm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(name: &str, comm: &str, exe: &str, unit: &str) -> bool {
        let Ok(ProcessArg::Name(name)) = name.parse() else { panic!("{name} is no name") };
        let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        let leak = |text: &str| some(text.to_owned().leak());
        name.is_one_of(&Names { comm: leak(comm), exe: leak(exe), units: [leak(unit), None] })
    }

    #[test]
    fn a_name_is_the_comm_the_program_or_the_unit() {
        for (name, comm, exe, unit, expected) in [
            ("nginx", "nginx", "", "", true),
            ("nginx", "worker", "/usr/sbin/nginx", "", true),
            ("nginx", "perl", "/usr/bin/perl", "nginx.service", true),
            ("nginx.service", "perl", "/usr/bin/perl", "nginx.service", true),
            ("nginx", "perl", "/usr/bin/perl", "nginx-extras.service", false),
            ("nginx", "nginx2", "/opt/nginx/bin/perl", "", false),
            ("ngin*", "perl", "/usr/sbin/nginx", "", true),
            ("/usr/sbin/nginx", "x", "/usr/sbin/nginx", "", true),
            ("/sbin/nginx", "x", "/usr/sbin/nginx", "", false),
            ("*/nginx", "x", "/usr/sbin/nginx", "", true),
            ("systemd-journald", "systemd-journal", "", "", true),
            ("systemd-journald", "systemd-journ", "", "", false),
            ("Nginx", "nginx", "", "", false),
            ("nginx", "", "", "", false),
        ] {
            assert_eq!(is(name, comm, exe, unit), expected, "{name} {comm} {exe} {unit}");
        }
    }

    #[test]
    fn digits_are_a_pid_that_a_process_can_have() {
        assert_eq!("1234".parse(), Ok(ProcessArg::Pid(1234)));
        assert!(matches!("7zip".parse(), Ok(ProcessArg::Name(_))));
        for wrong in ["", "0", "4194304", "99999999999999999999"] {
            let message = wrong.parse::<ProcessArg>().unwrap_err().to_string();
            assert!(wrong.is_empty() || message.contains(&format!("'{wrong}'")), "{message}");
        }
    }
}
