//! BTF, the description of the kernel's types and functions (`Documentation/bpf/btf.rst`): the only reader of it.
//!
//! The kernel's is read once and shared. Reads what it is asked for and resolves nothing; [`btf_subset`](super::btf_subset) writes a
//! smaller one.

use std::cell::RefCell;
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::ops::{Deref, Range};
use std::os::fd::AsFd;
use std::rc::Rc;

use super::mapping::Mapping;

/// Where the kernel has its own.
pub(super) const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

pub(super) const MAGIC: u16 = 0xeb9f;
pub(super) const HEADER: usize = 24;
/// What every type begins with: its name, its kind and how much follows, and its size or a type.
const COMMON: usize = 12;

/// `BTF_KIND_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BtfKind {
    Int,
    Pointer,
    Array,
    Struct,
    Union,
    Enum,
    Forward,
    Typedef,
    /// `volatile`, `const`, `restrict`, a tag: another type, qualified.
    Modifier,
    Function,
    FunctionPrototype,
    Variable,
    Section,
    Float,
    DeclarationTag,
}

impl BtfKind {
    fn of(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Int,
            2 => Self::Pointer,
            3 => Self::Array,
            4 => Self::Struct,
            5 => Self::Union,
            6 | 19 => Self::Enum,
            7 => Self::Forward,
            8 => Self::Typedef,
            9..=11 | 18 => Self::Modifier,
            12 => Self::Function,
            13 => Self::FunctionPrototype,
            14 => Self::Variable,
            15 => Self::Section,
            16 => Self::Float,
            17 => Self::DeclarationTag,
            _ => return None,
        })
    }

    /// The type that it refers to takes the place of its size.
    fn is_reference(self) -> bool {
        matches!(self, Self::Typedef | Self::Modifier)
    }
}

/// What follows the beginning of a type: so many pieces of so many bytes, and at which offsets of a piece there is a name or a
/// type.
pub(super) struct Pieces {
    count: usize,
    pub(super) size: usize,
    pub(super) name: Option<usize>,
    types: &'static [usize],
}

pub(super) fn pieces(number: u32, length: usize) -> Pieces {
    let (count, size, name, types): (_, _, _, &[usize]) = match number {
        1 | 14 | 17 => (1, 4, None, &[]),
        3 => (1, 12, None, &[0, 4]),
        4 | 5 => (length, 12, Some(0), &[4]),
        6 => (length, 8, Some(0), &[]),
        13 => (length, 8, Some(0), &[4]),
        15 => (length, 12, None, &[0]),
        19 => (length, 12, Some(0), &[]),
        _ => (0, 0, None, &[]),
    };
    Pieces { count, size, name, types }
}

/// Where the BTF lies.
#[derive(Debug)]
enum Bytes {
    Own(Vec<u8>),
    /// The kernel's own, which can be mapped since 6.16.
    Mapping(Mapping, usize),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            // SAFETY: mapped with this length, for as long as this lives. They are part of the kernel's image, which does not
            // change.
            Self::Mapping(mapped, length) => unsafe {
                std::slice::from_raw_parts(mapped.start().as_ptr(), *length)
            },
        }
    }
}

impl Bytes {
    fn of_kernel() -> io::Result<Self> {
        let mut file = File::open(VMLINUX)?;
        let length = file.metadata()?.len() as usize;
        if let Ok(mapped) = Mapping::file(file.as_fd(), length) {
            return Ok(Self::Mapping(mapped, length));
        }
        let mut bytes = Vec::with_capacity(length + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Self::Own(bytes))
    }
}

thread_local! {
    static SHARED: RefCell<Option<Rc<Btf>>> = const { RefCell::new(None) };
}

/// The kernel's: read once, and kept until it is [forgotten](forget). None if this program does not understand it.
pub(super) fn of_kernel() -> Option<Rc<Btf>> {
    SHARED.with_borrow_mut(|shared| {
        if shared.is_none() {
            *shared = Bytes::of_kernel().ok().and_then(Btf::read).map(Rc::new);
        }
        shared.clone()
    })
}

/// It has some MiB.
pub(super) fn forget() {
    SHARED.take();
}

/// All types of a kernel, or of an object file.
#[derive(Debug)]
pub(super) struct Btf {
    bytes: Bytes,
    strings: Range<usize>,
    /// Where each type begins: the first has the id 1.
    offsets: Vec<u32>,
}

/// One type.
#[derive(Clone, Copy)]
pub(super) struct BtfType<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) kind: BtfKind,
    number: u32,
    length: usize,
}

pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> BtfType<'a> {
    /// The one at the beginning of these bytes.
    fn first_of(bytes: &'a [u8]) -> Option<Self> {
        let information = word(bytes, 4)?;
        let (number, length) = (information >> 24 & 0x1f, information as usize & 0xffff);
        let kind = BtfKind::of(number)?;
        let Pieces { count, size, .. } = pieces(number, length);
        Some(Self { bytes: bytes.get(..COMMON + count * size)?, kind, number, length })
    }

    /// Which types it consists of, by the offsets of their ids: what a pointer points to is no part of it.
    pub(super) fn parts(self) -> impl Iterator<Item = usize> + 'a {
        let Pieces { count, size, types, .. } = pieces(self.number, self.length);
        let own = self.kind.is_reference().then_some(8);
        own.into_iter()
            .chain((0..count).flat_map(move |piece| types.iter().map(move |at| COMMON + piece * size + at)))
    }

    /// The offsets of its name and of those of its members.
    pub(super) fn names(self) -> impl Iterator<Item = usize> + 'a {
        let Pieces { count, size, name, .. } = pieces(self.number, self.length);
        std::iter::once(0).chain((0..count).filter_map(move |piece| Some(COMMON + piece * size + name?)))
    }
}

impl Btf {
    /// None if these bytes are not what this program knows.
    pub(super) fn new(bytes: Vec<u8>) -> Option<Self> {
        Self::read(Bytes::Own(bytes))
    }

    fn read(bytes: Bytes) -> Option<Self> {
        if bytes.get(..2)? != MAGIC.to_ne_bytes() || bytes.get(2) != Some(&1) {
            return None;
        }
        let header = word(&bytes, 4)? as usize;
        let [types, types_length, strings, strings_length] =
            [8, 12, 16, 20].map(|at| word(&bytes, at).map(|number| number as usize));
        let part = |from: Option<usize>, length: Option<usize>| {
            let from = header.checked_add(from?)?;
            let part = from..from.checked_add(length?)?;
            (header >= HEADER && part.end <= bytes.len()).then_some(part)
        };
        let (types, strings) = (part(types, types_length)?, part(strings, strings_length)?);
        let mut offsets = Vec::with_capacity(types.len() / 28);
        let mut at = types.start;
        while at < types.end {
            offsets.push(at as u32);
            at += BtfType::first_of(&bytes[at..types.end])?.bytes.len();
        }
        Some(Self { bytes, strings, offsets })
    }

    pub(super) fn get(&self, id: u32) -> Option<BtfType<'_>> {
        let &offset = self.offsets.get((id as usize).checked_sub(1)?)?;
        BtfType::first_of(&self.bytes[offset as usize..])
    }

    pub(super) fn string(&self, offset: u32) -> &[u8] {
        let strings = &self.bytes[self.strings.clone()];
        let rest = strings.get(offset as usize..).unwrap_or_default();
        CStr::from_bytes_until_nul(rest).map_or(rest, CStr::to_bytes)
    }

    /// The types of some kinds that have a name.
    pub(super) fn named(
        &self,
        is_wanted: fn(BtfKind) -> bool,
    ) -> impl Iterator<Item = (u32, BtfKind, &[u8])> {
        (1..=self.offsets.len() as u32).filter_map(move |id| {
            let found = self.get(id).filter(|found| is_wanted(found.kind))?;
            let name = self.string(word(found.bytes, 0)?);
            (!name.is_empty()).then_some((id, found.kind, name))
        })
    }

    /// The ids of the first of these kinds and names.
    pub(super) fn find(&self, wanted: &[(BtfKind, &[u8])]) -> Vec<Option<u32>> {
        let mut found = vec![None; wanted.len()];
        for (id, kind, name) in self.named(|kind| matches!(kind, BtfKind::Typedef | BtfKind::Function)) {
            for (place, _) in wanted.iter().enumerate().filter(|(_, wanted)| **wanted == (kind, name)) {
                found[place].get_or_insert(id);
            }
        }
        found
    }

    /// Has a type of this kind and name a member of that name? For each.
    pub(super) fn have(&self, wanted: &[(BtfKind, &str, &str)]) -> Vec<bool> {
        let mut found = vec![false; wanted.len()];
        let may_have = |kind| matches!(kind, BtfKind::Struct | BtfKind::Union | BtfKind::Enum);
        for (id, kind, name) in self.named(may_have) {
            for (place, &(.., member)) in wanted
                .iter()
                .enumerate()
                .filter(|(_, wanted)| wanted.0 == kind && wanted.1.as_bytes() == name)
            {
                let has_member = |one: BtfType<'_>| {
                    let member_at = |at| word(one.bytes, at).map(|offset| self.string(offset));
                    one.names().skip(1).any(|at| member_at(at) == Some(member.as_bytes()))
                };
                found[place] |= self.get(id).is_some_and(has_member);
            }
        }
        found
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bpf::btf_subset::StringTable;

    /// A BTF, made by hand: each type is its name, its kind, what is at the place of its size, and what follows, where a name
    /// is given by its place in `names`.
    pub(in crate::bpf) fn built(types: &[(&str, u32, u32, &[u32])], names: &[&str]) -> Btf {
        let mut strings = StringTable::default();
        let mut bytes = Vec::new();
        let offsets: Vec<u32> = names.iter().map(|name| strings.offset(name.as_bytes())).collect();
        for &(name, number, size, rest) in types {
            let pieces_of = |length| pieces(number, length);
            let each = pieces_of(1).size / 4;
            let length = rest.len().checked_div(each).unwrap_or(0);
            for word in [strings.offset(name.as_bytes()), number << 24 | length as u32, size] {
                bytes.extend_from_slice(&word.to_ne_bytes());
            }
            for (at, &word) in rest.iter().enumerate() {
                let is_name = pieces_of(length).name.is_some_and(|name| at % each == name);
                let word = if is_name { offsets[word as usize] } else { word };
                bytes.extend_from_slice(&word.to_ne_bytes());
            }
        }
        let lengths = [bytes.len() as u32, strings.bytes().len() as u32];
        let header = [HEADER as u32, 0, lengths[0], lengths[0], lengths[1]].map(u32::to_ne_bytes).concat();
        Btf::new([&MAGIC.to_ne_bytes()[..], &[1, 0], &header, &bytes, strings.bytes()].concat()).unwrap()
    }

    pub(in crate::bpf) const NAMES: [&str; 4] = ["inner", "next", "value", "many"];

    pub(in crate::bpf) fn kernel() -> Btf {
        built(
            &[
                ("unused", 4, 4, &[2, 2, 0]),
                ("int", 1, 4, &[32]),
                ("task_struct", 4, 16, &[0, 6, 0, 1, 7, 64]),
                ("unused", 4, 0, &[]),
                ("schedule", 12, 9, &[]),
                ("holder", 4, 4, &[2, 2, 0]),
                ("", 2, 4, &[]),
                ("", 3, 0, &[2, 2, 8]),
                ("", 13, 2, &[2, 2]),
                ("call_t", 8, 9, &[]),
                ("alias_t", 8, 12, &[]),
                ("wide", 4, 32, &[3, 8, 0]),
                ("btf_trace_it", 8, 7, &[]),
            ],
            &NAMES,
        )
    }

    #[test]
    fn types_are_found_by_kind_and_name() {
        let wanted: [(BtfKind, &[u8]); 4] = [
            (BtfKind::Function, b"schedule"),
            (BtfKind::Typedef, b"btf_trace_it"),
            (BtfKind::Typedef, b"schedule"),
            (BtfKind::Function, b"nothing"),
        ];
        assert_eq!(kernel().find(&wanted), [Some(5), Some(13), None, None]);
    }

    #[test]
    fn members_are_found_in_the_type_that_has_them() {
        let wanted = [
            (BtfKind::Struct, "task_struct", "next"),
            (BtfKind::Struct, "holder", "next"),
            (BtfKind::Struct, "wide", "many"),
            (BtfKind::Union, "wide", "many"),
            (BtfKind::Struct, "nothing", "many"),
        ];
        assert_eq!(kernel().have(&wanted), [true, false, true, false, false]);
    }

    #[test]
    fn damaged_bytes_are_no_types_and_no_panic() {
        let whole = kernel();
        for length in 0..whole.bytes.len() {
            assert!(Btf::new(whole.bytes[..length].to_vec()).is_none(), "{length} bytes");
        }
        for at in 0..whole.bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.bytes.to_vec();
                bytes[at] = value;
                if let Some(types) = Btf::new(bytes) {
                    let _ = types.subset_for(&whole);
                    let _ = whole.subset_for(&types);
                    let _ = types.find(&[(BtfKind::Function, b"schedule")]);
                }
            }
        }
    }
}
