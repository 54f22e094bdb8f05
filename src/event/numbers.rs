//! The numbers of the signals that rules name (x86 and ARM), without their `SIG`: those that the kernel side has.

use crate::wire::SignalNumber;

pub(crate) const HUP: u8 = SignalNumber::SIGHUP.0 as u8;
pub(crate) const INT: u8 = SignalNumber::SIGINT.0 as u8;
pub(crate) const QUIT: u8 = SignalNumber::SIGQUIT.0 as u8;
pub(crate) const ILL: u8 = SignalNumber::SIGILL.0 as u8;
pub(crate) const TRAP: u8 = SignalNumber::SIGTRAP.0 as u8;
pub(crate) const BUS: u8 = SignalNumber::SIGBUS.0 as u8;
pub(crate) const FPE: u8 = SignalNumber::SIGFPE.0 as u8;
pub(crate) const KILL: u8 = SignalNumber::SIGKILL.0 as u8;
pub(crate) const SEGV: u8 = SignalNumber::SIGSEGV.0 as u8;
pub(crate) const PIPE: u8 = SignalNumber::SIGPIPE.0 as u8;
pub(crate) const ALRM: u8 = SignalNumber::SIGALRM.0 as u8;
pub(crate) const CHLD: u8 = SignalNumber::SIGCHLD.0 as u8;
pub(crate) const CONT: u8 = SignalNumber::SIGCONT.0 as u8;
pub(crate) const TSTP: u8 = SignalNumber::SIGTSTP.0 as u8;
pub(crate) const TTIN: u8 = SignalNumber::SIGTTIN.0 as u8;
pub(crate) const TTOU: u8 = SignalNumber::SIGTTOU.0 as u8;
pub(crate) const URG: u8 = SignalNumber::SIGURG.0 as u8;
pub(crate) const XCPU: u8 = SignalNumber::SIGXCPU.0 as u8;
pub(crate) const XFSZ: u8 = SignalNumber::SIGXFSZ.0 as u8;
pub(crate) const VTALRM: u8 = SignalNumber::SIGVTALRM.0 as u8;
pub(crate) const PROF: u8 = SignalNumber::SIGPROF.0 as u8;
pub(crate) const WINCH: u8 = SignalNumber::SIGWINCH.0 as u8;
pub(crate) const IO: u8 = SignalNumber::SIGIO.0 as u8;
pub(crate) const SYS: u8 = SignalNumber::SIGSYS.0 as u8;

/// The first signal that queues, in the kernel's own counting.
pub(crate) const KERNEL_SIGRTMIN: u8 = SignalNumber::KERNEL_SIGRTMIN.0 as u8;

/// Those that a fault of the target's own instructions brings.
pub(crate) fn is_fault_signal(signal: u8) -> bool {
    matches!(signal, ILL | TRAP | BUS | FPE | SEGV)
}
