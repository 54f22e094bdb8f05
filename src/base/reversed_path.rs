//! A path as the kernel side walks it: its names from the last to the first, each with a NUL.

/// The path that has these names; empty without any.
pub(crate) fn to_path(names: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(names.len());
    for name in names.split(|&byte| byte == 0).rev().filter(|name| !name.is_empty()) {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    path
}

/// The names of a path; None of one that is relative, or of the root.
pub(crate) fn of_path(path: &[u8]) -> Option<Vec<u8>> {
    let mut names = Vec::with_capacity(path.len() + 1);
    for name in path.split(|&byte| byte == b'/').rev().filter(|name| !name.is_empty()) {
        names.extend_from_slice(name);
        names.push(0);
    }
    (path.first() == Some(&b'/') && !names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_names_in_reverse() {
        for (path, names) in [("/usr/bin/sleep", "sleep\0bin\0usr\0"), ("/init", "init\0")] {
            assert_eq!(of_path(path.as_bytes()).as_deref(), Some(names.as_bytes()));
            assert_eq!(to_path(names.as_bytes()), path.as_bytes());
        }
        assert_eq!(to_path(b"\0\0"), b"");
        for path in ["", "/", "sleep", "bin/sleep"] {
            assert_eq!(of_path(path.as_bytes()), None, "{path}");
        }
    }
}
