//! What the siginfo of a signal says: by the codes of include/uapi/asm-generic/siginfo.h, and what comes along with them.

use super::numbers::{BUS, CHLD, FPE, ILL, SEGV, SYS, TRAP, is_fault_signal};
use crate::record::cause::Cause;
use crate::record::{PF_EXITING, SigInfo, Snapshot, word};
use crate::wire::SiCode;

pub(crate) const SI_USER: i32 = SiCode::SI_USER.0 as i32;
pub(crate) const SI_QUEUE: i32 = -1;
pub(crate) const SI_TIMER: i32 = SiCode::SI_TIMER.0 as i32;
pub(crate) const SI_MESGQ: i32 = SiCode::SI_MESGQ.0 as i32;
pub(crate) const SI_ASYNCIO: i32 = SiCode::SI_ASYNCIO.0 as i32;
pub(crate) const SI_SIGIO: i32 = SiCode::SI_SIGIO.0 as i32;
pub(crate) const SI_TKILL: i32 = -6;
pub(crate) const SI_KERNEL: i32 = SiCode::SI_KERNEL.0 as i32;
pub(crate) const TRAP_PERF: i32 = SiCode::TRAP_PERF.0 as i32;
pub(crate) const BUS_MCEERR_AR: i32 = SiCode::BUS_MCEERR_AR.0 as i32;
pub(crate) const BUS_MCEERR_AO: i32 = SiCode::BUS_MCEERR_AO.0 as i32;
pub(crate) const SYS_SECCOMP: i32 = 1;
pub(crate) const SYS_USER_DISPATCH: i32 = SiCode::SYS_USER_DISPATCH.0 as i32;

/// Are these codes that `F_SETSIG` brings?
pub(crate) fn may_be_io(info: SigInfo) -> bool {
    matches!(info, SigInfo::Given { code, .. } if code > 0 || code == SI_SIGIO)
}

/// By the kernel itself, for no reason that a siginfo has.
pub(crate) fn is_forced(info: SigInfo) -> bool {
    matches!(info, SigInfo::Kernel | SigInfo::Given { code: SI_KERNEL, .. })
}

pub(crate) fn is_claimed_by_a_sender(info: SigInfo) -> bool {
    matches!(info, SigInfo::Given { code: SI_USER | SI_QUEUE | SI_TKILL, .. })
}

/// What a positive `si_code` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeFamily {
    /// The signal has codes of its own (`SEGV_MAPERR`).
    Signal,
    /// `CLD_*`: a child stopped, continued or ended.
    Child,
    /// `POLL_*`: a file for which the target asked for signals (`F_SETOWN`, `F_SETSIG`).
    Poll,
    /// These facts do not say which of the two, or it is neither.
    Unknown,
}

/// The signals for which the kernel has codes of their own; `F_SETSIG` to one of these comes with `SI_SIGIO` instead
/// (include/linux/signal.h: `SIG_SPECIFIC_SICODES_MASK`).
fn has_own_codes(signal: u8) -> bool {
    is_fault_signal(signal) || matches!(signal, CHLD | SYS)
}

/// fs/fcntl.c: `band_table`, the poll mask that goes along with each `POLL_*`.
const BANDS: [u64; 6] = [0x41, 0x304, 0x441, 0x8, 0x82, 0x18];

/// `CLD_*` and `POLL_*` are the same numbers, and both may come with any signal: the former with one that `clone()`
/// asked for, the latter by `F_SETSIG`. What comes along is not the same: the child's pid and uid, or the band that the
/// code fixes. `exiting` is the running task as the target knows it, if that exits: pid, and uid.
pub(crate) fn family_of_code(
    signal: u8,
    code: i32,
    fields: [u8; 16],
    exiting: Option<(u32, u32)>,
) -> CodeFamily {
    if signal == CHLD {
        return CodeFamily::Child;
    }
    let [pid, uid, ..] = words(fields);
    if has_own_codes(signal) {
        // a child that asked for such a signal at its end
        let is_of_child = matches!(code, 1..=3) && exiting == Some((pid, uid));
        return if is_of_child { CodeFamily::Child } else { CodeFamily::Signal };
    }
    let band = u64::from(pid) | u64::from(uid) << 32;
    let is_band = usize::try_from(code).ok().and_then(|code| BANDS.get(code.checked_sub(1)?)) == Some(&band);
    // kernel/signal.c: do_notify_parent(); that a child stops or continues is only ever a SIGCHLD
    let may_be_child = matches!(code, 1..=3) && i32::try_from(pid).is_ok_and(|pid| pid > 0);
    match (is_band, may_be_child) {
        // a child that has a band for its pid
        (true, true) if exiting == Some((pid, uid)) => CodeFamily::Unknown,
        (true, _) => CodeFamily::Poll,
        (false, true) => CodeFamily::Child,
        (false, false) => CodeFamily::Unknown,
    }
}

fn words(fields: [u8; 16]) -> [u32; 4] {
    [0, 1, 2, 3].map(|place| word(&fields, place))
}

/// Pid and real uid of the running task, if it exits, as a siginfo for the target would have them. Of ids that a user
/// namespace maps only that they are not known is known: they are taken for 0.
pub(crate) fn exiting_child(facts: &Snapshot<'_>) -> Option<(u32, u32)> {
    let (current, target) = (&facts.current, &facts.target);
    let pid = if target.namespace_level == 0 {
        facts.current_process().map(|process| process.pid)
    } else {
        Some(current.namespace_pid).filter(|_| current.namespace_inode == target.namespace_inode)
    };
    let uid = if target.user_namespace == 0 { current.uid } else { 0 };
    pid.filter(|_| current.flags & PF_EXITING != 0).map(|pid| (pid, uid))
}

/// The kernel's name of the `si_code` of a signal, where it has one and these facts say which.
pub(crate) fn code_of(facts: &Snapshot<'_>) -> Option<&'static str> {
    match facts.info {
        SigInfo::Given { code, fields } => {
            let shown = facts.explanation.as_ref().and_then(|explanation| explanation.cause);
            let family = match shown {
                Some(Cause::Child) if matches!(code, 1..=6) => CodeFamily::Child,
                _ => family_of_code(facts.signal, code, fields, exiting_child(facts)),
            };
            code_name(facts.signal, code, family)
        }
        SigInfo::Kernel => Some("SI_KERNEL"),
        // what the receiver is given
        SigInfo::None => Some("SI_USER"),
    }
}

/// By include/uapi/asm-generic/siginfo.h; those with two underscores are of architectures that are gone.
fn code_name(signal: u8, code: i32, family: CodeFamily) -> Option<&'static str> {
    let general = match code {
        SI_USER => "SI_USER",
        SI_QUEUE => "SI_QUEUE",
        SI_TIMER => "SI_TIMER",
        SI_MESGQ => "SI_MESGQ",
        SI_ASYNCIO => "SI_ASYNCIO",
        SI_SIGIO => "SI_SIGIO",
        SI_TKILL => "SI_TKILL",
        -7 => "SI_DETHREAD",
        -60 => "SI_ASYNCNL",
        SI_KERNEL => "SI_KERNEL",
        _ => "",
    };
    if !general.is_empty() {
        return Some(general);
    }
    let table: &[&str] = match signal {
        _ if family == CodeFamily::Child => {
            &["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"]
        }
        _ if family == CodeFamily::Poll => {
            &["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"]
        }
        ILL => &[
            "ILL_ILLOPC",
            "ILL_ILLOPN",
            "ILL_ILLADR",
            "ILL_ILLTRP",
            "ILL_PRVOPC",
            "ILL_PRVREG",
            "ILL_COPROC",
            "ILL_BADSTK",
            "ILL_BADIADDR",
            "__ILL_BREAK",
            "__ILL_BNDMOD",
        ],
        FPE => &[
            "FPE_INTDIV",
            "FPE_INTOVF",
            "FPE_FLTDIV",
            "FPE_FLTOVF",
            "FPE_FLTUND",
            "FPE_FLTRES",
            "FPE_FLTINV",
            "FPE_FLTSUB",
            "__FPE_DECOVF",
            "__FPE_DECDIV",
            "__FPE_DECERR",
            "__FPE_INVASC",
            "__FPE_INVDEC",
            "FPE_FLTUNK",
            "FPE_CONDTRAP",
        ],
        SEGV => &[
            "SEGV_MAPERR",
            "SEGV_ACCERR",
            "SEGV_BNDERR",
            "SEGV_PKUERR",
            "SEGV_ACCADI",
            "SEGV_ADIDERR",
            "SEGV_ADIPERR",
            "SEGV_MTEAERR",
            "SEGV_MTESERR",
            "SEGV_CPERR",
        ],
        BUS => &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"],
        TRAP => &["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK", "TRAP_PERF"],
        SYS => &["SYS_SECCOMP", "SYS_USER_DISPATCH"],
        _ => &[],
    };
    usize::try_from(code).ok().and_then(|code| table.get(code.checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::super::numbers::{HUP, IO};
    use super::super::origin::Origin;
    use super::super::origin::decide;
    use super::super::samples::{about, exiting, facts, given, shown};
    use super::*;

    /// Every code of include/uapi/asm-generic/siginfo.h, as it is written there.
    #[rustfmt::skip]
    const CODES: &[(&[u8], &[&str])] = &[
        (&[ILL], &[
            "1 ILL_ILLOPC", "2 ILL_ILLOPN", "3 ILL_ILLADR", "4 ILL_ILLTRP", "5 ILL_PRVOPC", "6 ILL_PRVREG", "7 ILL_COPROC",
            "8 ILL_BADSTK", "9 ILL_BADIADDR", "10 __ILL_BREAK", "11 __ILL_BNDMOD", "12",
        ]),
        (&[FPE], &[
            "1 FPE_INTDIV", "2 FPE_INTOVF", "3 FPE_FLTDIV", "4 FPE_FLTOVF", "5 FPE_FLTUND", "6 FPE_FLTRES", "7 FPE_FLTINV",
            "8 FPE_FLTSUB", "9 __FPE_DECOVF", "10 __FPE_DECDIV", "11 __FPE_DECERR", "12 __FPE_INVASC", "13 __FPE_INVDEC",
            "14 FPE_FLTUNK", "15 FPE_CONDTRAP", "16",
        ]),
        (&[SEGV], &[
            "1 SEGV_MAPERR", "2 SEGV_ACCERR", "3 SEGV_BNDERR", "4 SEGV_PKUERR", "5 SEGV_ACCADI", "6 SEGV_ADIDERR",
            "7 SEGV_ADIPERR", "8 SEGV_MTEAERR", "9 SEGV_MTESERR", "10 SEGV_CPERR", "11",
        ]),
        (&[BUS], &[
            "1 BUS_ADRALN", "2 BUS_ADRERR", "3 BUS_OBJERR", "4 BUS_MCEERR_AR", "5 BUS_MCEERR_AO", "6",
        ]),
        (&[TRAP], &[
            "1 TRAP_BRKPT", "2 TRAP_TRACE", "3 TRAP_BRANCH", "4 TRAP_HWBKPT", "5 TRAP_UNK", "6 TRAP_PERF", "7",
        ]),
        (&[CHLD], &[
            "1 CLD_EXITED", "2 CLD_KILLED", "3 CLD_DUMPED", "4 CLD_TRAPPED", "5 CLD_STOPPED", "6 CLD_CONTINUED", "7",
        ]),
        (&[SYS], &["1 SYS_SECCOMP", "2 SYS_USER_DISPATCH", "3"]),
        (&[HUP, 10, 12, 15, IO, 34, 64], &["1", "4", "5", "6", "7"]),
        (&[HUP, SEGV, CHLD, IO, SYS, 64], &[
            "0 SI_USER", "128 SI_KERNEL", "-1 SI_QUEUE", "-2 SI_TIMER", "-3 SI_MESGQ", "-4 SI_ASYNCIO", "-5 SI_SIGIO",
            "-6 SI_TKILL", "-7 SI_DETHREAD", "-60 SI_ASYNCNL", "-8", "-61", "127", "129", "-2147483648", "2147483647",
        ]),
    ];

    #[test]
    fn codes_have_the_kernels_names() {
        for (signals, codes) in CODES {
            for (&signal, code) in
                signals.iter().flat_map(|signal| codes.iter().map(move |code| (signal, code)))
            {
                let (number, name) =
                    code.split_once(' ').map_or((*code, None), |(number, name)| (number, Some(name)));
                assert_eq!(code_of(&facts(signal, given(number.parse().unwrap()))), name, "{signal} {code}");
            }
        }
        assert_eq!(code_of(&facts(15, SigInfo::None)), Some("SI_USER"));
        assert_eq!(code_of(&facts(15, SigInfo::Kernel)), Some("SI_KERNEL"));
    }

    #[test]
    fn what_comes_along_says_whether_a_code_is_of_a_child_or_of_a_file() {
        for (code, band, file, child) in [
            (1, 0x41, "POLL_IN", Some("CLD_EXITED")),
            (2, 0x304, "POLL_OUT", Some("CLD_KILLED")),
            (3, 0x441, "POLL_MSG", Some("CLD_DUMPED")),
            (4, 0x8, "POLL_ERR", None),
            (5, 0x82, "POLL_PRI", None),
            (6, 0x18, "POLL_HUP", None),
        ] {
            for signal in [HUP, 10, IO, 64] {
                assert_eq!(code_of(&facts(signal, about(band, 0, code))), Some(file), "{signal} {code}");
                // a user's child with such a pid
                assert_eq!(code_of(&facts(signal, about(band, 1000, code))), child, "{signal} {code}");
                assert_eq!(code_of(&facts(signal, about(300, 0, code))), child, "{signal} {code}");
                assert_eq!(code_of(&facts(signal, about(u32::MAX, u32::MAX, code))), None, "{signal} {code}");
            }
        }
    }

    #[test]
    fn a_child_s_end_has_the_codes_of_children_whatever_signal_it_asked_for() {
        let mut ending = facts(11, about(100, 0, 1));
        ending.current.flags |= PF_EXITING;
        assert_eq!((code_of(&ending), decide(&ending).origin), (Some("CLD_EXITED"), Origin::Child));
        let of_another = facts(11, about(99, 0, 1));
        assert_eq!(code_of(&of_another), Some("SEGV_MAPERR"));
        let explained = shown(Cause::Child, facts(7, about(99, 0, 2)));
        assert_eq!((code_of(&explained), decide(&explained).origin), (Some("CLD_KILLED"), Origin::Child));
    }

    #[test]
    fn a_child_that_has_a_band_for_its_pid_is_not_taken_for_a_file() {
        let mut child = exiting(facts(10, about(0x41, 7, 1)));
        child.processes[0].pid = 0x41;
        child.current.uid = 7;
        assert_eq!((decide(&child).origin, code_of(&child)), (Origin::Child, Some("CLD_EXITED")));
        // root's, so that the fields are those of a file with input as well
        (child.info, child.current.uid) = (about(0x41, 0, 1), 0);
        assert_eq!((decide(&child).origin, code_of(&child)), (Origin::Kernel, None));
        child.current.flags = 0;
        assert_eq!((decide(&child).origin, code_of(&child)), (Origin::Io, Some("POLL_IN")));
        // in a pid namespace of its own the target knows it by another pid
        let mut inner = exiting(facts(10, about(0x304, 0, 2)));
        (inner.target.namespace_level, inner.target.namespace_inode) = (1, 5);
        (inner.current.namespace_pid, inner.current.namespace_inode) = (0x304, 5);
        assert_eq!(decide(&inner).origin, Origin::Kernel);
        inner.current.namespace_inode = 6;
        assert_eq!(decide(&inner).origin, Origin::Io);
    }
}
