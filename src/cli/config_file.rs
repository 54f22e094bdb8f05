//! A file of flags, one a line, as `record --config` reads it.

use std::ffi::OsString;
use std::path::Path;

use crate::base::os_error::reason;
use crate::error::UsageError;

/// The words of a file of flags.
///
/// # Errors
/// If it cannot be read, or a line is no flag.
pub fn words_of_file(path: &Path) -> Result<Vec<OsString>, UsageError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| UsageError::ConfigFile { path: path.to_owned(), why: reason(error) })?;
    words(&text).map_err(|(line, given)| UsageError::ConfigLine { path: path.to_owned(), line, given })
}

/// A line that is no flag is refused, with its number.
pub(crate) fn words(text: &str) -> Result<Vec<OsString>, (usize, String)> {
    let mut words = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (flag, value) = line.split_once([' ', '\t', '=']).unwrap_or((line, ""));
        let is_flag = flag.len() > 1 && flag.starts_with('-') && flag != "--" && flag != "--config";
        if !is_flag {
            return Err((number + 1, line.to_owned()));
        }
        words.push(flag.into());
        if !value.trim().is_empty() {
            // a flag whose value has to be attached
            if line.as_bytes()[flag.len()] == b'=' {
                words.pop();
                words.push(line.into());
            } else {
                words.push(value.trim().into());
            }
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_flag_with_or_without_its_value() {
        let text = "# a comment\n\n--max-size 1G\n  --where target.comm=a b \n--failed=only\n-q\n--redact\t(?i)x y\n";
        let expected =
            ["--max-size", "1G", "--where", "target.comm=a b", "--failed=only", "-q", "--redact", "(?i)x y"];
        assert_eq!(words(text).unwrap(), expected.map(OsString::from));
        for wrong in ["x", "--", "-", "--config y", "1 --max-size"] {
            assert_eq!(words(&format!("-q\n{wrong}")), Err((2, wrong.to_owned())), "{wrong}");
        }
    }
}
