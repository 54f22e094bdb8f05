//! Names of the kernel as they are given on the command line.

use std::str::FromStr;

use super::{COMM_BYTES, is_variable_name};
use crate::error::UsageError;
use crate::wire::comm_of;

/// A `comm` to compare with: what the kernel does not keep of it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommName([u8; COMM_BYTES + 1]);

impl CommName {
    /// Followed by NULs, as the kernel has it.
    pub fn padded(&self) -> [u8; COMM_BYTES + 1] {
        self.0
    }
}

impl FromStr for CommName {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        if text.is_empty() {
            return Err(UsageError::EmptyComm);
        }
        Ok(Self(comm_of(text.as_bytes())))
    }
}

/// The name of an environment variable that can be a key of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableName(String);

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

impl FromStr for VariableName {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        if is_variable_name(text.as_bytes()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UsageError::Variable(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_comm_is_cut_as_the_kernel_cuts_it() {
        let padded = |text: &str| text.parse::<CommName>().unwrap().padded();
        assert_eq!(&padded("systemd-journald"), b"systemd-journal\0");
        assert_eq!(&padded("x")[..2], b"x\0");
    }
}
