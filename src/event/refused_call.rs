//! The system call that seccomp refused.

use super::origin::Origin;
use super::signal_event::SignalEvent;
use crate::record::{SigInfo, Syscall, SyscallAbi};

/// A system call that a filter refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedCall {
    /// Its number in the table of `arch`.
    pub number: i64,
    /// `AUDIT_ARCH_*` of include/uapi/linux/audit.h.
    pub arch: u32,
    /// Where in the program the call is.
    pub address: u64,
}

impl RefusedCall {
    /// The name of the architecture, as the `syscalls` tables call it.
    pub fn arch_name(&self) -> Option<&'static str> {
        Some(match self.arch {
            AUDIT_ARCH_X86_64 => "x86_64",
            AUDIT_ARCH_I386 => "i386",
            AUDIT_ARCH_AARCH64 => "aarch64",
            AUDIT_ARCH_ARM => "arm",
            _ => return None,
        })
    }

    /// The name of the call, where the table has it.
    pub fn name(&self) -> Option<&'static str> {
        let number = usize::try_from(self.number).ok()?;
        match self.arch {
            // x32 shares the numbers below 512 and marks them
            AUDIT_ARCH_X86_64 => syscalls::x86_64::Sysno::new(number & !0x4000_0000).map(|call| call.name()),
            AUDIT_ARCH_I386 => syscalls::x86::Sysno::new(number).map(|call| call.name()),
            AUDIT_ARCH_AARCH64 => syscalls::aarch64::Sysno::new(number).map(|call| call.name()),
            AUDIT_ARCH_ARM => syscalls::arm::Sysno::new(number).map(|call| call.name()),
            _ => None,
        }
    }

    /// Of the registers of a task.
    pub(super) fn of_registers(call: &Syscall, address: u64) -> Self {
        let arch = match call.abi {
            SyscallAbi::X86_64 | SyscallAbi::X32 => AUDIT_ARCH_X86_64,
            SyscallAbi::I386 => AUDIT_ARCH_I386,
            SyscallAbi::Arm64 => AUDIT_ARCH_AARCH64,
            SyscallAbi::Arm => AUDIT_ARCH_ARM,
        };
        Self { number: call.number, arch, address }
    }
}

/// include/uapi/linux/audit.h.
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const AUDIT_ARCH_I386: u32 = 0x4000_0003;
const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
const AUDIT_ARCH_ARM: u32 = 0x4000_0028;

impl SignalEvent<'_> {
    /// Which system call a seccomp filter refused.
    pub fn refused_call(&self) -> Option<RefusedCall> {
        match self.facts.info {
            // struct _sigsys of include/uapi/asm-generic/siginfo.h
            SigInfo::Given { fields, .. } if self.verdict.origin == Origin::Seccomp => Some(RefusedCall {
                address: u64::from_ne_bytes(fields[..8].try_into().ok()?),
                number: i64::from(i32::from_ne_bytes(fields[8..12].try_into().ok()?)),
                arch: u32::from_ne_bytes(fields[12..].try_into().ok()?),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::numbers::SYS;
    use crate::event::samples::{event, facts, to_itself};

    #[test]
    fn a_refused_call_is_named_by_the_table_of_its_architecture() {
        let refused = |number: i32, arch: u32| {
            let mut fields = [0; 16];
            fields[..8].copy_from_slice(&0x1000_u64.to_ne_bytes());
            fields[8..12].copy_from_slice(&number.to_ne_bytes());
            fields[12..].copy_from_slice(&arch.to_ne_bytes());
            event(to_itself(facts(SYS, SigInfo::Given { code: 1, fields }))).refused_call().unwrap()
        };
        for (number, arch, names) in [
            (110, AUDIT_ARCH_X86_64, (Some("getppid"), Some("x86_64"))),
            (0x4000_006e, AUDIT_ARCH_X86_64, (Some("getppid"), Some("x86_64"))),
            (64, AUDIT_ARCH_I386, (Some("getppid"), Some("i386"))),
            (173, AUDIT_ARCH_AARCH64, (Some("getppid"), Some("aarch64"))),
            (-1, AUDIT_ARCH_X86_64, (None, Some("x86_64"))),
            (110, 7, (None, None)),
        ] {
            let call = refused(number, arch);
            assert_eq!((call.name(), call.arch_name()), names, "{number} of {arch:#x}");
            assert_eq!(call.address, 0x1000);
        }
    }
}
