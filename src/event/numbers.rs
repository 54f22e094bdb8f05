//! The numbers of the signals that rules name (x86 and ARM), without their `SIG`.

pub(crate) const HUP: u8 = 1;
pub(crate) const INT: u8 = 2;
pub(crate) const QUIT: u8 = 3;
pub(crate) const ILL: u8 = 4;
pub(crate) const TRAP: u8 = 5;
pub(crate) const BUS: u8 = 7;
pub(crate) const FPE: u8 = 8;
pub(crate) const KILL: u8 = 9;
pub(crate) const SEGV: u8 = 11;
pub(crate) const PIPE: u8 = 13;
pub(crate) const ALRM: u8 = 14;
pub(crate) const CHLD: u8 = 17;
pub(crate) const CONT: u8 = 18;
pub(crate) const TSTP: u8 = 20;
pub(crate) const TTIN: u8 = 21;
pub(crate) const TTOU: u8 = 22;
pub(crate) const URG: u8 = 23;
pub(crate) const XCPU: u8 = 24;
pub(crate) const XFSZ: u8 = 25;
pub(crate) const VTALRM: u8 = 26;
pub(crate) const PROF: u8 = 27;
pub(crate) const WINCH: u8 = 28;
pub(crate) const IO: u8 = 29;
pub(crate) const SYS: u8 = 31;

/// Those that a fault of the target's own instructions brings.
pub(crate) fn is_fault_signal(signal: u8) -> bool {
    matches!(signal, ILL | TRAP | BUS | FPE | SEGV)
}
