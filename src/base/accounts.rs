//! Lines of /etc/passwd and /etc/group, as glibc reads them: what it ignores is no account here either.

/// A user: `name:password:uid:gid:comment:home:shell`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User<'a> {
    /// Any bytes, and at least one.
    pub name: &'a [u8],
    /// The user's id.
    pub uid: u32,
    /// The home directory, if the line has one.
    pub home: Option<&'a [u8]>,
}

impl<'a> User<'a> {
    /// From a line without its end.
    pub(crate) fn of_line(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b':');
        let name = name_of(fields.next()?)?;
        let uid = number(fields.nth(1)?)?;
        // glibc ignores a line without a gid
        number(fields.next()?)?;
        Some(Self { name, uid, home: fields.nth(1) })
    }
}

/// A group: `name:password:gid:member,member`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group<'a> {
    /// Any bytes, and at least one.
    pub name: &'a [u8],
    /// The group's id.
    pub gid: u32,
    members: &'a [u8],
}

impl<'a> Group<'a> {
    /// From a line without its end.
    pub(crate) fn of_line(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b':');
        let name = name_of(fields.next()?)?;
        let gid = number(fields.nth(1)?)?;
        Some(Self { name, gid, members: fields.next().unwrap_or_default() })
    }

    /// Is this user a member?
    pub(crate) fn has_member(&self, user: &[u8]) -> bool {
        self.members.split(|&byte| byte == b',').any(|member| member == user)
    }
}

/// None for a comment, and for `+` and `-`, which refer to NIS.
fn name_of(field: &[u8]) -> Option<&[u8]> {
    let name = field.trim_ascii_start();
    (!matches!(name.first(), None | Some(b'#' | b'+' | b'-'))).then_some(name)
}

fn number(field: &[u8]) -> Option<u32> {
    // parse() would accept a sign
    if !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_glibc_reads_it() {
        let bob = User::of_line(b"bob:x:1000:100:Bob:/home/bob:/bin/sh").unwrap();
        assert_eq!((bob.name, bob.uid, bob.home), (&b"bob"[..], 1000, Some(&b"/home/bob"[..])));
        let short = User::of_line(b"b\xff:x:7:7").unwrap();
        assert_eq!((short.name, short.home), (&b"b\xff"[..], None));
        for line in ["", "#bob:x:1:1", "+:x:1:1", "bob:x:1", "bob:x:-1:1", "bob:x:+1:1", ":x:1:1"] {
            assert_eq!(User::of_line(line.as_bytes()), None, "{line}");
        }
        let wheel = Group::of_line(b"wheel:x:10:alice,bob").unwrap();
        assert_eq!((wheel.name, wheel.gid), (&b"wheel"[..], 10));
        assert!(wheel.has_member(b"bob") && !wheel.has_member(b"bo"));
        assert!(Group::of_line(b"short:x:6").is_some_and(|group| !group.has_member(b"bob")));
    }
}
