//! A name as a word of a shell command, for commands that a message suggests: names are chosen by processes, and who is asked to run
//! a command pastes it.

use shlex::Quoter;

/// Quoted where it has to be. What cannot be in a command is left out.
pub(crate) fn shell_word(text: &str) -> String {
    // a control character in a terminal is a key
    let text: String = text.chars().filter(|char| !char.is_control()).collect();
    Quoter::new().quote(&text).map(Into::into).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_run() {
        assert_eq!(shell_word("nginx.service"), "nginx.service");
        assert_eq!(shell_word("/usr/sbin/nginx"), "/usr/sbin/nginx");
        for name in [
            "/tmp/a;$(touch x)/b",
            "a b",
            "`id`",
            "$HOME",
            "it's",
            "a|b",
            "!!",
            "~root",
            "a\nb\0c\x1b",
            "*",
            "",
            "\u{1b}",
        ] {
            let word = shell_word(name);
            let read: Vec<String> = shlex::split(&format!("why --exe={word}")).unwrap();
            let expected: String = name.chars().filter(|char| !char.is_control()).collect();
            assert_eq!(read, ["why".to_owned(), format!("--exe={expected}")], "{name:?}");
            assert!(!word.contains(['\n', '\0', '\x1b']), "{word:?}");
        }
    }
}
