//! What every process has: pid, command line, name, key; and its title and its tree as text.

use super::surroundings::write_id;
use super::words::arguments_read;
use super::{base64, write_bytes};
use crate::base::digits::push_decimal;
use crate::event::summary;
use crate::output::format::Format;
use crate::output::format::ValueRef::{Flag, List, Number, Text};
use crate::output::format::fragments::Basis;
use crate::record::{Argv, ArgvFrom, ProcessFacts, Title};

/// What is written of a process that is neither source nor target.
pub(super) fn write_relative(process: &ProcessFacts<'_>, uid_below: &mut u32, format: &mut dyn Format) {
    format.field("pid", Number(u64::from(process.pid)));
    write_cmdline(process, format);
    write_bytes("comm", "commRaw", &process.comm, format);
    format.field("key", Text(&key(process)));
    if process.uid != *uid_below {
        write_id(format, "user", process.uid, None);
    }
    *uid_below = process.uid;
}

/// All that [`write_relative`] looks at, but the pid and the start: two processes of the same basis are written the same.
pub(super) fn basis_of<'a>(process: &'a ProcessFacts<'_>, uid_below: u32) -> Basis<'a> {
    let (kind, total, argv): (u32, u32, &[u8]) = match &process.argv {
        Argv::Known { bytes, total, from } => (1 + *from as u32, *total, bytes),
        Argv::NotApplicable | Argv::Missing(_) => (0, 0, &[]),
    };
    let is_reported = u32::from(process.uid != uid_below);
    Basis { numbers: [process.uid, is_reported, kind, total], texts: [&process.comm, argv] }
}

pub(super) fn write_tracer(tracer: Option<&ProcessFacts<'_>>, format: &mut dyn Format) {
    let Some(tracer) = tracer else { return };
    format.open("tracer");
    format.field("pid", Number(u64::from(tracer.pid)));
    write_bytes("comm", "commRaw", &tracer.comm, format);
    write_cmdline(tracer, format);
    format.field("key", Text(&key(tracer)));
    format.close();
}

pub(super) fn write_cmdline(process: &ProcessFacts<'_>, format: &mut dyn Format) {
    let Argv::Known { bytes, total, from } = &process.argv else { return };
    list_arguments(bytes, format);
    if std::str::from_utf8(bytes).is_err() {
        format.field("cmdlineRaw", Text(&base64(bytes)));
    }
    if (bytes.len() as u64) < u64::from(*total) {
        format.field("cmdlineTruncated", Flag(true));
    }
    if *from != ArgvFrom::Exec {
        format.field("cmdlineFrom", Text(arguments_read(*from)));
    }
}

/// Most have few arguments: these need no memory of their own.
fn list_arguments(bytes: &[u8], format: &mut dyn Format) {
    let mut few: [&[u8]; 16] = [&[]; 16];
    let mut count = 0;
    if !bytes.is_empty() {
        for argument in bytes.strip_suffix(&[0]).unwrap_or(bytes).split(|&byte| byte == 0) {
            let Some(place) = few.get_mut(count) else {
                format.field("cmdline", List(&arguments(bytes)));
                return;
            };
            *place = argument;
            count += 1;
        }
    }
    format.field("cmdline", List(&few[..count]));
}

/// Splits an argument block; its length says whether the last argument is whole.
fn arguments(bytes: &[u8]) -> Vec<&[u8]> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let without_last_nul = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    without_last_nul.split(|&byte| byte == 0).collect()
}

pub(super) fn write_title(title: &Title<'_>, format: &mut dyn Format) {
    write_bytes("title", "titleRaw", &title_bytes(title), format);
    if !title.spilt {
        let end = title.bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let items: Vec<&[u8]> = title.bytes[..end].split(|&byte| byte == 0).collect();
        format.title_arguments(&items);
    }
    if title.cut {
        format.field("titleTruncated", Flag(true));
    }
}

/// As ps shows it: one string, up to the first NUL where it spilt over the block.
fn title_bytes(title: &Title<'_>) -> Vec<u8> {
    let bytes = if title.spilt {
        title.bytes.split(|&byte| byte == 0).next().unwrap_or_default()
    } else {
        &title.bytes
    };
    let text: Vec<u8> = bytes.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect();
    text.trim_ascii_end().to_vec()
}

/// `systemd(1)─sshd(812)─bash(900)─pkill(1657)`; begins with `…─` where it was cut.
pub(super) fn tree(processes: &[ProcessFacts<'_>], chain: &[usize], truncated: bool) -> String {
    let mut text = String::with_capacity(24 * chain.len() + 4);
    if truncated {
        text.push('…');
    }
    for process in chain.iter().rev().filter_map(|&place| processes.get(place)) {
        if !text.is_empty() {
            text.push('─');
        }
        summary::push_name(process, &mut text);
    }
    text
}

/// `pid@start`: one process, for ever.
pub(super) fn key(process: &ProcessFacts<'_>) -> String {
    key_text(process.pid, process.start)
}

pub(super) fn key_text(pid: u32, start: u64) -> String {
    let mut text = String::with_capacity(32);
    push_decimal(&mut text, u64::from(pid));
    text.push('@');
    push_decimal(&mut text, start);
    text
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn arguments_keep_their_boundaries() {
        let empty: [&[u8]; 0] = [];
        assert_eq!(arguments(b""), empty);
        assert_eq!(arguments(b"\0"), [b""]);
        assert_eq!(arguments(b"a\0"), [b"a"]);
        assert_eq!(arguments(b"a\0\0"), [&b"a"[..], b""]);
        assert_eq!(arguments(b"a\0\0b\0"), [&b"a"[..], b"", b"b"]);
        assert_eq!(arguments(b"a\0cu"), [&b"a"[..], b"cu"]);
    }

    #[test]
    fn relatives_that_are_written_otherwise_have_another_basis() {
        let known =
            |bytes: &'static [u8], total, from| Argv::Known { bytes: Cow::Borrowed(bytes), total, from };
        let sh = |argv| ProcessFacts { argv, ..ProcessFacts::named(7, b"sh") };
        let all = [
            sh(known(b"sh\0", 3, ArgvFrom::Exec)),
            sh(known(b"sx\0", 3, ArgvFrom::Exec)),
            sh(known(b"sh\0", 4, ArgvFrom::Exec)),
            sh(known(b"sh\0", 3, ArgvFrom::Memory)),
            sh(known(b"sh\0", 3, ArgvFrom::Proc)),
            sh(known(b"", 0, ArgvFrom::Exec)),
            sh(Argv::NotApplicable),
            ProcessFacts { uid: 1, ..sh(known(b"sh\0", 3, ArgvFrom::Exec)) },
            ProcessFacts { comm: Cow::Borrowed(b"sx"), ..sh(known(b"sh\0", 3, ArgvFrom::Exec)) },
        ];
        let mut bases: Vec<Basis<'_>> = all.iter().map(|process| basis_of(process, 0)).collect();
        bases.push(basis_of(&all[0], 1));
        for (place, basis) in bases.iter().enumerate() {
            assert!(!bases[..place].contains(basis), "{place}");
        }
    }

    #[test]
    fn a_title_reads_as_in_ps() {
        let title = |bytes, spilt| {
            String::from_utf8(title_bytes(&Title { bytes: Cow::Borrowed(bytes), spilt, cut: false })).unwrap()
        };
        assert_eq!(title(b"postgres: walwriter\0\0\0\0", false), "postgres: walwriter");
        assert_eq!(title(b"nginx: worker\0PATH=/bin", true), "nginx: worker");
        assert_eq!(title(b"a\0b\0", false), "a b");
    }
}
