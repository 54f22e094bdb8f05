//! What the locale says of the terminal: whether it shows more than ASCII.

use std::ffi::OsString;

/// Is the character set of the locale UTF-8? As setlocale(3) finds it: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set
/// and not empty; without one it is that of the C locale, ASCII.
pub(crate) fn is_utf8(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let Some(locale) = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set) else { return false };
    let locale = locale.to_string_lossy();
    let character_set = locale.split_once('.').map_or("", |(_, rest)| rest.split('@').next().unwrap_or(rest));
    character_set.eq_ignore_ascii_case("utf-8") || character_set.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_says_whether_it_is_utf_8() {
        for (set, expected) in [
            (&[][..], false),
            (&[("LANG", "C")], false),
            (&[("LANG", "POSIX")], false),
            (&[("LANG", "en_US")], false),
            (&[("LANG", "de_DE.ISO-8859-15@euro")], false),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "de_DE.utf8@euro")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LANG", "en_US.UTF-8"), ("LC_CTYPE", "C"), ("LC_ALL", "")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "C.UTF-8")], true),
        ] {
            let variable = |name: &str| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value))
            };
            assert_eq!(is_utf8(variable), expected, "{set:?}");
        }
    }
}
