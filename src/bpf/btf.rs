//! The kernel's types (BTF, `Documentation/bpf/btf.rst`), read once, and those that the programs name cut out of it.
//!
//! libbpf looks through all types of the kernel, some hundred thousand, for each type of the programs: that took a third of
//! the start. From a file that has only types of these names, and what they consist of, it takes next to nothing.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::ops::{Deref, Range};
use std::os::fd::AsFd;
use std::rc::Rc;

use super::mapped::Mapped;

/// Where the kernel has them.
pub(super) const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Types whose ids the programs tell the kernel (`bpf_core_cast()`): these must be the kernel's own.
const BY_ID: [&[u8]; 2] = [b"task_struct", b"cgroup_subsys_state"];

const MAGIC: u16 = 0xeb9f;
const HEADER: usize = 24;
/// What every type begins with: its name, its kind and how much follows, and its size or a type.
const COMMON: usize = 12;

/// `BTF_KIND_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Int,
    Pointer,
    Array,
    Struct,
    Union,
    Enum,
    Forward,
    Typedef,
    /// `volatile`, `const`, `restrict`, a tag: another type, with something said of it.
    Modifier,
    Function,
    FunctionPrototype,
    Variable,
    Section,
    Float,
    DeclarationTag,
}

impl Kind {
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

/// What follows the beginning of a type: so many pieces of so many bytes, and at which places of a piece there is a name or a
/// type.
struct Pieces {
    count: usize,
    size: usize,
    name: Option<usize>,
    types: &'static [usize],
}

fn pieces(number: u32, length: usize) -> Pieces {
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

/// Where types are.
#[derive(Debug)]
enum Bytes {
    Own(Vec<u8>),
    /// The kernel's own, which can be mapped since 6.16.
    Kernels(Mapped, usize),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            // SAFETY: mapped with this length, for as long as this lives. They are part of the kernel's image, which does not
            // change.
            Self::Kernels(mapped, length) => unsafe {
                std::slice::from_raw_parts(mapped.start().as_ptr(), *length)
            },
        }
    }
}

impl Bytes {
    fn of_kernel() -> io::Result<Self> {
        let mut file = File::open(VMLINUX)?;
        let length = file.metadata()?.len() as usize;
        if let Ok(mapped) = Mapped::file(file.as_fd(), length) {
            return Ok(Self::Kernels(mapped, length));
        }
        let mut bytes = Vec::with_capacity(length + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Self::Own(bytes))
    }
}

thread_local! {
    static SHARED: RefCell<Option<Rc<Types>>> = const { RefCell::new(None) };
}

/// The kernel's: read once, and kept until they are [forgotten](forget). None if this program does not understand them.
pub(super) fn of_kernel() -> Option<Rc<Types>> {
    SHARED.with_borrow_mut(|shared| {
        if shared.is_none() {
            *shared = Bytes::of_kernel().ok().and_then(Types::read).map(Rc::new);
        }
        shared.clone()
    })
}

/// They are some MiB.
pub(super) fn forget() {
    SHARED.take();
}

/// All types of a kernel, or of an object.
#[derive(Debug)]
pub(super) struct Types {
    bytes: Bytes,
    strings: Range<usize>,
    /// Where each begins: the first has the id 1.
    places: Vec<u32>,
}

/// One of them.
#[derive(Clone, Copy)]
struct Type<'a> {
    bytes: &'a [u8],
    kind: Kind,
    number: u32,
    length: usize,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> Type<'a> {
    /// The one at the beginning of these bytes.
    fn first_of(bytes: &'a [u8]) -> Option<Self> {
        let information = word(bytes, 4)?;
        let (number, length) = (information >> 24 & 0x1f, information as usize & 0xffff);
        let kind = Kind::of(number)?;
        let Pieces { count, size, .. } = pieces(number, length);
        Some(Self { bytes: bytes.get(..COMMON + count * size)?, kind, number, length })
    }

    /// Which types it consists of, by where their ids are: what a pointer points to is no part of it.
    fn parts(self) -> impl Iterator<Item = usize> + 'a {
        let Pieces { count, size, types, .. } = pieces(self.number, self.length);
        let own = self.kind.is_reference().then_some(8);
        own.into_iter()
            .chain((0..count).flat_map(move |piece| types.iter().map(move |at| COMMON + piece * size + at)))
    }

    fn names(self) -> impl Iterator<Item = usize> + 'a {
        let Pieces { count, size, name, .. } = pieces(self.number, self.length);
        std::iter::once(0).chain((0..count).filter_map(move |piece| Some(COMMON + piece * size + name?)))
    }
}

impl Types {
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
        let mut places = Vec::with_capacity(types.len() / 28);
        let mut at = types.start;
        while at < types.end {
            places.push(at as u32);
            at += Type::first_of(&bytes[at..types.end])?.bytes.len();
        }
        Some(Self { bytes, strings, places })
    }

    fn get(&self, id: u32) -> Option<Type<'_>> {
        let &place = self.places.get((id as usize).checked_sub(1)?)?;
        Type::first_of(&self.bytes[place as usize..])
    }

    fn string(&self, offset: u32) -> &[u8] {
        let strings = &self.bytes[self.strings.clone()];
        let rest = strings.get(offset as usize..).unwrap_or_default();
        CStr::from_bytes_until_nul(rest).map_or(rest, CStr::to_bytes)
    }

    /// Those of some kinds that have a name.
    fn named(&self, is_wanted: fn(Kind) -> bool) -> impl Iterator<Item = (u32, Kind, &[u8])> {
        (1..=self.places.len() as u32).filter_map(move |id| {
            let found = self.get(id).filter(|found| is_wanted(found.kind))?;
            let name = self.string(word(found.bytes, 0)?);
            (!name.is_empty()).then_some((id, found.kind, name))
        })
    }

    /// The ids of the first of these kinds and names.
    pub(super) fn find(&self, wanted: &[(Kind, &[u8])]) -> Vec<Option<u32>> {
        let mut found = vec![None; wanted.len()];
        for (id, kind, name) in self.named(|kind| matches!(kind, Kind::Typedef | Kind::Function)) {
            for (place, _) in wanted.iter().enumerate().filter(|(_, wanted)| **wanted == (kind, name)) {
                found[place].get_or_insert(id);
            }
        }
        found
    }

    /// Has a type of this kind and name a member of that name? For each.
    pub(super) fn have(&self, wanted: &[(Kind, &str, &str)]) -> Vec<bool> {
        let mut found = vec![false; wanted.len()];
        for (id, kind, name) in self.named(can_be_meant) {
            for (place, &(.., member)) in wanted
                .iter()
                .enumerate()
                .filter(|(_, wanted)| wanted.0 == kind && wanted.1.as_bytes() == name)
            {
                let is_there = |one: Type<'_>| {
                    let member_at = |at| word(one.bytes, at).map(|offset| self.string(offset));
                    one.names().skip(1).any(|at| member_at(at) == Some(member.as_bytes()))
                };
                found[place] |= self.get(id).is_some_and(is_there);
            }
        }
        found
    }

    /// A BTF of those types only that could be meant by one of the object's, and of what these consist of. A pointer in it points
    /// to nothing: libbpf compares no more of it than that it is one. Ids are others, but for those up to that of the last of
    /// [`BY_ID`].
    pub(super) fn cut_for(&self, object: &Self) -> Option<Vec<u8>> {
        let wanted: HashSet<(Kind, &[u8])> =
            object.named(can_be_meant).map(|(_, kind, name)| (kind, essential(name))).collect();
        let is_wanted = |&(_, kind, name): &(u32, Kind, &[u8])| wanted.contains(&(kind, essential(name)));
        let (mut ids, mut kept) = (Vec::new(), 0);
        for (id, _, name) in self.named(can_be_meant).filter(is_wanted) {
            ids.push(id);
            if BY_ID.contains(&name) {
                kept = id;
            }
        }
        let mut cut = Cut { kept, ids: HashMap::new(), behind: Vec::new(), unvisited: Vec::new() };
        for id in ids {
            cut.take(id);
        }
        cut.of(self)
    }
}

/// Can a relocation begin with it?
fn can_be_meant(kind: Kind) -> bool {
    use Kind::{Enum, Float, Forward, Int, Struct, Typedef, Union};
    matches!(kind, Int | Struct | Union | Enum | Forward | Typedef | Float)
}

/// A name without its `___flavour`: `bpf_core_essential_name_len()` of libbpf.
fn essential(name: &[u8]) -> &[u8] {
    let is_separator = |five: &[u8]| five[0] != b'_' && five[1..4] == *b"___" && five[4] != b'_';
    match name.windows(5).rposition(is_separator) {
        Some(place) => &name[..=place],
        None => name,
    }
}

/// Some types of others.
struct Cut {
    /// Up to here ids stay as they are, and where there is nothing a pointer stands in.
    kept: u32,
    /// The new ones.
    ids: HashMap<u32, u32>,
    /// Those that got one behind the others, in their order.
    behind: Vec<u32>,
    unvisited: Vec<u32>,
}

impl Cut {
    fn take(&mut self, id: u32) {
        let Self { kept, ids, behind, unvisited } = self;
        ids.entry(id).or_insert_with(|| {
            unvisited.push(id);
            if id <= *kept {
                return id;
            }
            behind.push(id);
            *kept + behind.len() as u32
        });
    }

    fn of(mut self, all: &Types) -> Option<Vec<u8>> {
        while let Some(id) = self.unvisited.pop() {
            let one = all.get(id)?;
            for at in one.parts() {
                let part = word(one.bytes, at)?;
                // a function has no size: nothing consists of one
                if part != 0 && all.get(part)?.kind != Kind::FunctionPrototype {
                    self.take(part);
                }
            }
        }
        let stand_in = [0, 2 << 24, 0].map(u32::to_ne_bytes).concat();
        let mut types = Vec::new();
        let mut strings = Strings::default();
        for id in (1..=self.kept).chain(self.behind.iter().copied()) {
            let Some(one) = self.ids.get(&id).and_then(|_| all.get(id)) else {
                types.extend_from_slice(&stand_in);
                continue;
            };
            let begin = types.len();
            types.extend_from_slice(one.bytes);
            let mut put = |at: usize, number: u32| {
                types[begin + at..begin + at + 4].copy_from_slice(&number.to_ne_bytes());
            };
            for at in one.names() {
                put(at, strings.offset(all.string(word(one.bytes, at)?)));
            }
            if one.kind == Kind::Pointer {
                put(8, 0);
            }
            for at in one.parts() {
                put(at, self.ids.get(&word(one.bytes, at)?).copied().unwrap_or(0));
            }
        }
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&[1, 0]);
        let lengths = [types.len(), strings.bytes.len()].map(|length| length as u32);
        for number in [HEADER as u32, 0, lengths[0], lengths[0], lengths[1]] {
            bytes.extend_from_slice(&number.to_ne_bytes());
        }
        bytes.extend_from_slice(&types);
        bytes.extend_from_slice(&strings.bytes);
        Some(bytes)
    }
}

/// Each once.
struct Strings<'a> {
    bytes: Vec<u8>,
    offsets: HashMap<&'a [u8], u32>,
}

impl Default for Strings<'_> {
    fn default() -> Self {
        Self { bytes: vec![0], offsets: HashMap::from([(&b""[..], 0)]) }
    }
}

impl<'a> Strings<'a> {
    fn offset(&mut self, name: &'a [u8]) -> u32 {
        let bytes = &mut self.bytes;
        *self.offsets.entry(name).or_insert_with(|| {
            let offset = bytes.len() as u32;
            bytes.extend_from_slice(name);
            bytes.push(0);
            offset
        })
    }
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use libbpf_rs::skel::SkelBuilder;

    use super::*;
    use crate::bpf::load;
    use crate::skel::KillsnoopSkelBuilder;

    /// A BTF, made by hand: each type is its name, its kind, what is at the place of its size, and what follows, where a name
    /// is told by its place in `names`.
    fn made(types: &[(&str, u32, u32, &[u32])], names: &[&str]) -> Types {
        let mut strings = Strings::default();
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
        let lengths = [bytes.len() as u32, strings.bytes.len() as u32];
        let header = [HEADER as u32, 0, lengths[0], lengths[0], lengths[1]].map(u32::to_ne_bytes).concat();
        Types::new([&MAGIC.to_ne_bytes()[..], &[1, 0], &header, &bytes, &strings.bytes].concat()).unwrap()
    }

    const NAMES: [&str; 4] = ["inner", "next", "value", "many"];

    fn kernel() -> Types {
        made(
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

    /// What libbpf reads of a BTF: how many types, and the ids of these structs.
    fn read_by_libbpf(bytes: &[u8], structs: &[&CStr]) -> (u32, Vec<i32>, Vec<i64>) {
        // SAFETY: libbpf copies the bytes, and what it made is let go at the end.
        unsafe {
            let btf = libbpf_sys::btf__new(bytes.as_ptr().cast(), bytes.len() as u32);
            assert!(!btf.is_null(), "libbpf refuses it");
            let ids: Vec<i32> = structs
                .iter()
                .map(|name| {
                    libbpf_sys::btf__find_by_name_kind(btf, name.as_ptr(), libbpf_sys::BTF_KIND_STRUCT)
                })
                .collect();
            let sizes = ids.iter().map(|&id| libbpf_sys::btf__resolve_size(btf, id as u32)).collect();
            let count = libbpf_sys::btf__type_cnt(btf);
            libbpf_sys::btf__free(btf);
            (count, ids, sizes)
        }
    }

    #[test]
    fn what_is_cut_is_what_is_named_and_what_that_consists_of() {
        let object = made(
            &[
                ("task_struct___old", 4, 4, &[]),
                ("alias_t", 8, 3, &[]),
                ("mine", 4, 4, &[]),
                ("call_t", 8, 0, &[]),
                ("schedule", 4, 0, &[]),
            ],
            &NAMES,
        );
        let cut = kernel().cut_for(&object).unwrap();
        let (count, ids, sizes) = read_by_libbpf(&cut, &[c"task_struct", c"wide", c"unused"]);
        // the first three by their ids; behind them, in any order, what they and the typedefs consist of
        assert_eq!((ids[0], sizes[0]), (3, 16), "its id is the kernel's");
        assert_eq!((ids[1] > 3, sizes[1]), (true, 32), "what a typedef means is there");
        assert!(ids[2] < 0, "what nobody names is not");
        // void, 3, call_t, alias_t, holder, the pointer, wide, the array
        assert_eq!(count, 1 + 3 + 6);
        let cut = Types::new(cut).unwrap();
        assert_eq!(cut.get(1).unwrap().kind, Kind::Pointer, "a stand-in");
        let all: Vec<_> =
            cut.named(|_| true).map(|(id, kind, name)| (id, kind, String::from_utf8_lossy(name))).collect();
        assert_eq!(all[0], (2, Kind::Int, "int".into()), "a part keeps its id as well");
        assert!(all.iter().any(|(_, kind, name)| (*kind, &**name) == (Kind::Struct, "holder")), "{all:?}");
        let task = cut.get(3).unwrap();
        let members: Vec<&[u8]> =
            task.names().skip(1).map(|at| cut.string(word(task.bytes, at).unwrap())).collect();
        assert_eq!(members, [&b"inner"[..], b"next"]);
    }

    #[test]
    fn types_are_found_by_kind_and_name() {
        let wanted: [(Kind, &[u8]); 4] = [
            (Kind::Function, b"schedule"),
            (Kind::Typedef, b"btf_trace_it"),
            (Kind::Typedef, b"schedule"),
            (Kind::Function, b"nothing"),
        ];
        assert_eq!(kernel().find(&wanted), [Some(5), Some(13), None, None]);
    }

    #[test]
    fn members_are_found_in_the_type_that_has_them() {
        let wanted = [
            (Kind::Struct, "task_struct", "next"),
            (Kind::Struct, "holder", "next"),
            (Kind::Struct, "wide", "many"),
            (Kind::Union, "wide", "many"),
            (Kind::Struct, "nothing", "many"),
        ];
        assert_eq!(kernel().have(&wanted), [true, false, true, false, false]);
    }

    #[test]
    fn flavours_are_no_part_of_a_name() {
        for (name, expected) in [
            ("task_struct", "task_struct"),
            ("task_struct___old", "task_struct"),
            ("a___b___c", "a___b"),
            ("a____b", "a____b"),
            ("___b", "___b"),
            ("a___", "a___"),
        ] {
            assert_eq!(essential(name.as_bytes()), expected.as_bytes(), "{name}");
        }
    }

    #[test]
    fn damaged_bytes_are_no_types_and_no_panic() {
        let whole = kernel();
        for length in 0..whole.bytes.len() {
            assert!(Types::new(whole.bytes[..length].to_vec()).is_none(), "{length} bytes");
        }
        for at in 0..whole.bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.bytes.to_vec();
                bytes[at] = value;
                if let Some(types) = Types::new(bytes) {
                    let _ = types.cut_for(&whole);
                    let _ = whole.cut_for(&types);
                    let _ = types.find(&[(Kind::Function, b"schedule")]);
                }
            }
        }
    }

    #[test]
    fn of_this_kernel_libbpf_reads_what_is_cut() {
        let Ok(bytes) = std::fs::read(VMLINUX) else { return };
        let mut storage = MaybeUninit::uninit();
        let object = KillsnoopSkelBuilder::default().open(&mut storage).unwrap();
        let object = load::types_of(&object).unwrap();
        let structs = [c"task_struct", c"cgroup_subsys_state", c"cred", c"mm_struct", c"kernfs_node"];
        let (count, ids, sizes) = read_by_libbpf(&bytes, &structs);
        let cut = Types::new(bytes).unwrap().cut_for(&object).unwrap();
        let (fewer, cut_ids, cut_sizes) = read_by_libbpf(&cut, &structs);
        assert_eq!(cut_ids[..2], ids[..2], "those whose ids are told the kernel");
        assert_eq!(cut_sizes, sizes);
        assert!(fewer < count, "{fewer} of {count}");
    }
}
