//! The names of terminals.

/// A terminal's name, as `ps` writes it: `pts/3`, `tty1`. None if there is none.
pub fn tty_name(kernels: &[u8]) -> Option<String> {
    let end = kernels.iter().position(|&byte| byte == 0).unwrap_or(kernels.len());
    let name = String::from_utf8_lossy(&kernels[..end]);
    (!name.is_empty()).then(|| match name.strip_prefix("pts") {
        Some(number) if number.starts_with(|letter: char| letter.is_ascii_digit()) => {
            format!("pts/{number}")
        }
        _ => name.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_named_as_by_ps() {
        for (kernels, name) in [
            (&b"pts3\0\0"[..], Some("pts/3")),
            (b"tty1", Some("tty1")),
            (b"ptsx", Some("ptsx")),
            (b"\0", None),
        ] {
            assert_eq!(tty_name(kernels).as_deref(), name);
        }
    }
}
