//! How a sentence names a process.

use crate::base::digits::push_decimal;
use crate::base::sanitize::{is_safe, push_json_string};
use crate::record::ProcessFacts;

/// `comm(pid)`. A comm that could pass for more than itself is a JSON string: a process may call itself
/// `x(1)─sshd`.
pub fn name(process: &ProcessFacts<'_>) -> String {
    let mut text = String::with_capacity(32);
    push_name(process, &mut text);
    text
}

/// Appends [`name`].
pub fn push_name(process: &ProcessFacts<'_>, text: &mut String) {
    let is_word =
        |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    match std::str::from_utf8(&process.comm) {
        Ok(comm) if !comm.is_empty() && process.comm.iter().all(is_word) => {
            text.push_str(comm);
            text.push('(');
            push_decimal(text, u64::from(process.pid));
            text.push(')');
        }
        _ => text.push_str(&name_of(&process.comm, process.pid)),
    }
}

/// As [`name`], of a comm's bytes.
pub(super) fn name_of(comm: &[u8], pid: u32) -> String {
    let comm = String::from_utf8_lossy(comm);
    let is_safe = !comm.is_empty()
        && !comm.trim_start_matches('(').contains('(')
        && is_safe(&comm)
        && !comm.contains(['─', '…', '"', '\\', '\u{fffd}']);
    if is_safe {
        return format!("{comm}({pid})");
    }
    let mut quoted = Vec::new();
    push_json_string(&mut quoted, &comm);
    format!("{}({pid})", String::from_utf8_lossy(&quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comm_cannot_pass_for_more_than_itself() {
        for (comm, shown) in [
            (&b"bash"[..], "bash(7)"),
            (b"(sd-pam)", "(sd-pam)(7)"),
            (b"tmux: server", "tmux: server(7)"),
            ("x(1)\u{2500}sshd".as_bytes(), "\"x(1)\u{2500}sshd\"(7)"),
            (b"a(1) b", "\"a(1) b\"(7)"),
            (b"\x1b[2J", "\"\\u001b[2J\"(7)"),
            (b"\xff", "\"\u{fffd}\"(7)"),
            (b"", "\"\"(7)"),
        ] {
            let process = ProcessFacts::named(7, comm);
            assert_eq!(name(&process), shown);
        }
    }
}
