//! Errors of the operating system as people read them: the words alone, without the number that the standard library adds.

use std::fmt::Display;

const NUMBER: &str = " (os error ";

/// The text of an error, or of a message that holds some: `No such process`, not `No such process (os error 3)`.
pub fn reason(error: impl Display) -> String {
    let text = error.to_string();
    let mut parts = text.split(NUMBER);
    let mut reason = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => reason.push_str(rest),
            _ => {
                reason.push_str(NUMBER);
                reason.push_str(part);
            }
        }
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn the_number_of_an_error_is_left_out_wherever_it_stands() {
        let gone = io::Error::from_raw_os_error(3);
        assert_eq!(reason(&gone), "No such process");
        assert_eq!(
            reason(format!("cannot: {gone}\nhint: {gone}!")),
            "cannot: No such process\nhint: No such process!"
        );
        for text in ["", "a (os error x) b", "a (os error 3", " (os error "] {
            assert_eq!(reason(text), text);
        }
    }
}
