//! The live text of a process's argument block where it differs from its argv: behind a source, and as the iterator that reads
//! titles writes it.

use std::borrow::Cow;

use super::process::{Image, owned};
use super::reader::{DecodeError, Reader};
use crate::wire::{Constant, Kind, ProcessFlag, VERSION, WireTitle};

/// The live text of the sender's argument block, where it differs from argv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title<'a> {
    /// The bytes.
    pub bytes: Cow<'a, [u8]>,
    /// It was written over the end of the block: one string, not a list.
    pub spilt: bool,
    /// Only its beginning is here.
    pub cut: bool,
}

impl Title<'_> {
    pub(super) fn into_owned(self) -> Title<'static> {
        Title { bytes: owned(self.bytes), spilt: self.spilt, cut: self.cut }
    }
}

/// The live text of an argument block that is not its argv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleFacts<'a> {
    /// Whose it is.
    pub image: Image,
    /// Effective user id of that process.
    pub uid: u32,
    /// The text.
    pub title: Title<'a>,
}

/// What the iterator that reads titles wrote, one behind the other. Returns the beginning of one that is still to come.
///
/// # Errors
/// [`DecodeError`] if this is no title.
pub fn decode_titles(bytes: &[u8], mut take_one: impl FnMut(TitleFacts<'_>)) -> Result<&[u8], DecodeError> {
    let mut reader = Reader::new(bytes);
    let mut rest = bytes;
    while let Ok(wire) = reader.read::<WireTitle>("a title") {
        let kept = wire.title_kept as usize;
        let is_title = wire.version == VERSION && Kind(u32::from(wire.kind)) == Kind::RECORD_TITLE;
        if !is_title || kept > Constant::TITLE_BYTES.0 as usize {
            return Err(DecodeError::impossible("a title", wire.title_kept));
        }
        // the rest of it is still to come
        let Ok(text) = reader.bytes(kept, "a title") else { break };
        let flag = |flag: ProcessFlag| wire.flags & flag.0 != 0;
        let spilt = flag(ProcessFlag::PROCESS_TITLE_SPILT);
        take_one(TitleFacts {
            image: Image { pid: wire.tgid, start: wire.start_time, exec_id: wire.exec_id },
            uid: wire.uid,
            title: Title {
                bytes: Cow::Borrowed(text),
                spilt,
                // one string without its end
                cut: flag(ProcessFlag::PROCESS_TITLE_CUT) || (spilt && !text.contains(&0)),
            },
        });
        rest = reader.rest();
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bytes_of;

    #[test]
    fn titles_are_read_a_piece_at_a_time() {
        let title = |pid, text: &[u8]| {
            let head = WireTitle {
                version: VERSION,
                kind: Kind::RECORD_TITLE.0 as u16,
                tgid: pid,
                uid: 1000,
                title_kept: text.len() as u32,
                ..WireTitle::default()
            };
            [bytes_of(&head), text].concat()
        };
        let all = [title(7, b"a title"), title(8, b""), title(9, b"another")].concat();
        for cut in 0..all.len() {
            let mut read = Vec::new();
            let mut take_one = |facts: TitleFacts<'_>| {
                read.push((facts.image.pid, facts.uid, facts.title.bytes.to_vec()));
            };
            let rest = decode_titles(&all[..cut], &mut take_one).unwrap();
            let rest = [rest, &all[cut..]].concat();
            assert!(decode_titles(&rest, &mut take_one).unwrap().is_empty());
            let expected = [(7, &b"a title"[..]), (8, b""), (9, b"another")];
            assert_eq!(read, expected.map(|(pid, text)| (pid, 1000, text.to_vec())), "{cut}");
        }
        let long = WireTitle {
            title_kept: Constant::TITLE_BYTES.0 + 1,
            version: VERSION,
            kind: Kind::RECORD_TITLE.0 as u16,
            ..WireTitle::default()
        };
        assert!(decode_titles(bytes_of(&long), |_| ()).is_err());
        assert!(decode_titles(&[0; 100], |_| ()).is_err());
    }
}
