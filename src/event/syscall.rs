//! The calls that send a signal, by the tables of each architecture, and what their arguments say.

use super::siginfo::{SI_TKILL, SI_USER};
use crate::record::{SigInfo, Snapshot, Syscall, SyscallAbi};
use crate::wire::{CallX86_64, PidfdFlag};

/// The numbers that the kernel side has as well.
mod x86_64 {
    use crate::wire::CallX86_64 as Call;

    pub(super) const KILL: i64 = Call::X86_64_KILL.0 as i64;
    pub(super) const TKILL: i64 = Call::X86_64_TKILL.0 as i64;
    pub(super) const TGKILL: i64 = Call::X86_64_TGKILL.0 as i64;
    pub(super) const RT_SIGQUEUEINFO: i64 = Call::X86_64_RT_SIGQUEUEINFO.0 as i64;
    pub(super) const RT_TGSIGQUEUEINFO: i64 = Call::X86_64_RT_TGSIGQUEUEINFO.0 as i64;
    pub(super) const PTRACE: i64 = Call::X86_64_PTRACE.0 as i64;
}

mod x32 {
    use crate::wire::CallX86_64 as Call;

    pub(super) const RT_SIGQUEUEINFO: i64 = Call::X32_RT_SIGQUEUEINFO.0 as i64;
    pub(super) const RT_TGSIGQUEUEINFO: i64 = Call::X32_RT_TGSIGQUEUEINFO.0 as i64;
    pub(super) const PTRACE: i64 = Call::X32_PTRACE.0 as i64;
}

mod i386 {
    use crate::wire::CallI386 as Call;

    pub(super) const KILL: i64 = Call::I386_KILL.0 as i64;
    pub(super) const TKILL: i64 = Call::I386_TKILL.0 as i64;
    pub(super) const TGKILL: i64 = Call::I386_TGKILL.0 as i64;
    pub(super) const RT_SIGQUEUEINFO: i64 = Call::I386_RT_SIGQUEUEINFO.0 as i64;
    pub(super) const RT_TGSIGQUEUEINFO: i64 = Call::I386_RT_TGSIGQUEUEINFO.0 as i64;
    pub(super) const PTRACE: i64 = Call::I386_PTRACE.0 as i64;
}

mod arm64 {
    use crate::wire::CallArm64 as Call;

    pub(super) const KILL: i64 = Call::ARM64_KILL.0 as i64;
    pub(super) const TKILL: i64 = Call::ARM64_TKILL.0 as i64;
    pub(super) const TGKILL: i64 = Call::ARM64_TGKILL.0 as i64;
    pub(super) const RT_SIGQUEUEINFO: i64 = Call::ARM64_RT_SIGQUEUEINFO.0 as i64;
    pub(super) const RT_TGSIGQUEUEINFO: i64 = Call::ARM64_RT_TGSIGQUEUEINFO.0 as i64;
    pub(super) const PTRACE: i64 = Call::ARM64_PTRACE.0 as i64;
}

mod arm {
    use crate::wire::CallArm as Call;

    pub(super) const KILL: i64 = Call::ARM_KILL.0 as i64;
    pub(super) const TKILL: i64 = Call::ARM_TKILL.0 as i64;
    pub(super) const TGKILL: i64 = Call::ARM_TGKILL.0 as i64;
    pub(super) const RT_SIGQUEUEINFO: i64 = Call::ARM_RT_SIGQUEUEINFO.0 as i64;
    pub(super) const RT_TGSIGQUEUEINFO: i64 = Call::ARM_RT_TGSIGQUEUEINFO.0 as i64;
    pub(super) const PTRACE: i64 = Call::ARM_PTRACE.0 as i64;
}

const PIDFD_SEND_SIGNAL: i64 = CallX86_64::PIDFD_SEND_SIGNAL.0 as i64;
/// It marks the calls of x32.
const X32_SYSCALL_BIT: i64 = CallX86_64::X32_SYSCALL_BIT.0 as i64;

/// `include/uapi/linux/pidfd.h`.
pub(crate) const PIDFD_SIGNAL_THREAD: u64 = 1;
pub(crate) const PIDFD_SIGNAL_THREAD_GROUP: u64 = 2;
pub(crate) const PIDFD_SIGNAL_PROCESS_GROUP: u64 = PidfdFlag::PIDFD_SIGNAL_PROCESS_GROUP.0 as u64;

/// The calls that send a signal, and those through which `cgroup.kill` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Kill,
    Tkill,
    Tgkill,
    RtSigqueueinfo,
    RtTgsigqueueinfo,
    PidfdSendSignal,
    Write(&'static str),
}

impl Call {
    pub(crate) fn of(syscall: &Syscall) -> Option<Self> {
        use SyscallAbi::{Arm, Arm64, I386, X32, X86_64};
        let number = if syscall.abi == X32 { syscall.number & !X32_SYSCALL_BIT } else { syscall.number };
        Some(match (syscall.abi, number) {
            (X86_64 | X32, x86_64::KILL) | (I386, i386::KILL) | (Arm, arm::KILL) | (Arm64, arm64::KILL) => {
                Self::Kill
            }
            (X86_64 | X32, x86_64::TKILL)
            | (I386, i386::TKILL)
            | (Arm, arm::TKILL)
            | (Arm64, arm64::TKILL) => Self::Tkill,
            (X86_64 | X32, x86_64::TGKILL)
            | (I386, i386::TGKILL)
            | (Arm, arm::TGKILL)
            | (Arm64, arm64::TGKILL) => Self::Tgkill,
            (X86_64, x86_64::RT_SIGQUEUEINFO)
            | (X32, x32::RT_SIGQUEUEINFO)
            | (I386, i386::RT_SIGQUEUEINFO)
            | (Arm, arm::RT_SIGQUEUEINFO)
            | (Arm64, arm64::RT_SIGQUEUEINFO) => Self::RtSigqueueinfo,
            (X86_64, x86_64::RT_TGSIGQUEUEINFO)
            | (X32, x32::RT_TGSIGQUEUEINFO)
            | (I386, i386::RT_TGSIGQUEUEINFO)
            | (Arm, arm::RT_TGSIGQUEUEINFO)
            | (Arm64, arm64::RT_TGSIGQUEUEINFO) => Self::RtTgsigqueueinfo,
            (_, PIDFD_SEND_SIGNAL) => Self::PidfdSendSignal,
            (X86_64 | X32, 1) | (I386 | Arm, 4) | (Arm64, 64) => Self::Write("write"),
            (X86_64, 20) | (X32, 516) | (I386 | Arm, 146) | (Arm64, 66) => Self::Write("writev"),
            (X86_64 | X32, 18) | (I386 | Arm, 181) | (Arm64, 68) => Self::Write("pwrite64"),
            (X86_64 | X32, 40) | (I386 | Arm, 187 | 239) | (Arm64, 71) => Self::Write("sendfile"),
            (X86_64, 296) | (X32, 535) | (I386, 334) | (Arm, 362) | (Arm64, 70) => Self::Write("pwritev"),
            (X86_64, 328) | (X32, 547) | (I386, 379) | (Arm, 393) | (Arm64, 287) => Self::Write("pwritev2"),
            (X86_64 | X32, 275) | (I386, 313) | (Arm, 340) | (Arm64, 76) => Self::Write("splice"),
            (X86_64 | X32, 326) | (I386, 377) | (Arm, 391) | (Arm64, 285) => Self::Write("copy_file_range"),
            (_, 426) => Self::Write("io_uring"),
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Tkill => "tkill",
            Self::Tgkill => "tgkill",
            Self::RtSigqueueinfo => "rt_sigqueueinfo",
            Self::RtTgsigqueueinfo => "rt_tgsigqueueinfo",
            Self::PidfdSendSignal => "pidfd_send_signal",
            Self::Write(name) => name,
        }
    }

    /// The argument that is the signal number; 32-bit, as the kernel reads it.
    pub(crate) fn signal_argument(self, args: &[u64; 4]) -> Option<u32> {
        match self {
            Self::Kill | Self::Tkill | Self::RtSigqueueinfo | Self::PidfdSendSignal => Some(args[1] as u32),
            Self::Tgkill | Self::RtTgsigqueueinfo => Some(args[2] as u32),
            Self::Write(_) => None,
        }
    }

    /// Could this call have left this siginfo? (`SigInfo::None`: `kill()` of 7.x.) The kernel lets nobody send a code above 0
    /// to another process.
    pub(crate) fn may_leave(self, info: SigInfo, to_itself: bool) -> bool {
        match (self, info) {
            (_, SigInfo::Given { code, .. }) if code > 0 && !to_itself => false,
            (Self::Write(_), _) | (_, SigInfo::Kernel) => false,
            (Self::Kill, SigInfo::Given { code, .. }) => code == SI_USER,
            (Self::Tkill | Self::Tgkill, SigInfo::Given { code, .. }) => code == SI_TKILL,
            (_, SigInfo::None | SigInfo::Given { .. }) => true,
        }
    }
}

/// Was it `ptrace(2)`?
pub(crate) fn is_in_ptrace(facts: &Snapshot<'_>) -> bool {
    use SyscallAbi::{Arm, Arm64, I386, X32, X86_64};
    facts.syscall.is_some_and(|call| {
        matches!(
            (call.abi, call.number & !X32_SYSCALL_BIT),
            (X86_64, x86_64::PTRACE)
                | (X32, x32::PTRACE)
                | (Arm64, arm64::PTRACE)
                | (I386, i386::PTRACE)
                | (Arm, arm::PTRACE)
        )
    })
}

/// What the pid argument of an attempt was, in the caller's pid namespace; None of a pidfd.
pub fn pid_argument(facts: &Snapshot<'_>) -> Option<i32> {
    let syscall = facts.syscall.as_ref()?;
    match Call::of(syscall)? {
        Call::PidfdSendSignal | Call::Write(_) => None,
        _ => Some(syscall.args[0] as u32 as i32),
    }
}
