//! The words of enums of other layers that have none of their own. The [table of keys](crate::output::keys) lists them.

use crate::record::{ArgvFrom, Disposition};

/// What a signal met at its target.
pub(crate) const fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Default => "default",
        Disposition::Ignored => "ignored",
        Disposition::Handled => "handled",
    }
}

/// Where a command line was read.
pub(crate) const fn arguments_read(from: ArgvFrom) -> &'static str {
    match from {
        ArgvFrom::Exec => "exec",
        ArgvFrom::Memory => "memory",
        ArgvFrom::Proc => "proc",
    }
}
