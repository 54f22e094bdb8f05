//! The types that the programs name, cut out of the kernel's BTF.
//!
//! libbpf searches all types of the kernel, some hundred thousand, for each type of the programs: that took a third of the start.
//! In a file that has only types of these names, and what they consist of, the search costs next to nothing. Must not leave out
//! a type that libbpf could have chosen.

use std::collections::{HashMap, HashSet};

use super::btf::{Btf, BtfKind, HEADER, MAGIC, word};

/// Types whose ids the programs pass to the kernel (`bpf_core_cast()`): these must be the kernel's own.
const BY_ID: [&[u8]; 2] = [b"task_struct", b"cgroup_subsys_state"];

impl Btf {
    /// A BTF with only the types that one of the object's could mean, and what these consist of. A pointer in it points to
    /// nothing: libbpf checks no more of it than that it is one. Ids change, except those up to the last of [`BY_ID`].
    pub(super) fn subset_for(&self, object: &Self) -> Option<Vec<u8>> {
        let wanted: HashSet<(BtfKind, &[u8])> =
            object.named(can_be_meant).map(|(_, kind, name)| (kind, essential(name))).collect();
        let is_wanted = |&(_, kind, name): &(u32, BtfKind, &[u8])| wanted.contains(&(kind, essential(name)));
        let (mut ids, mut kept) = (Vec::new(), 0);
        for (id, _, name) in self.named(can_be_meant).filter(is_wanted) {
            ids.push(id);
            if BY_ID.contains(&name) {
                kept = id;
            }
        }
        let mut subset = Subset { kept, ids: HashMap::new(), behind: Vec::new(), unvisited: Vec::new() };
        for id in ids {
            subset.take(id);
        }
        subset.write(self)
    }
}

/// Can a relocation begin with it?
fn can_be_meant(kind: BtfKind) -> bool {
    use BtfKind::{Enum, Float, Forward, Int, Struct, Typedef, Union};
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

/// Types to be written.
struct Subset {
    /// Up to here ids stay as they are; a pointer fills each gap.
    kept: u32,
    /// The new ones.
    ids: HashMap<u32, u32>,
    /// Those that got one behind the others, in their order.
    behind: Vec<u32>,
    unvisited: Vec<u32>,
}

impl Subset {
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

    fn write(mut self, all: &Btf) -> Option<Vec<u8>> {
        while let Some(id) = self.unvisited.pop() {
            let one = all.get(id)?;
            for at in one.parts() {
                let part = word(one.bytes, at)?;
                // a function has no size: nothing consists of one
                if part != 0 && all.get(part)?.kind != BtfKind::FunctionPrototype {
                    self.take(part);
                }
            }
        }
        let filler = [0, 2 << 24, 0].map(u32::to_ne_bytes).concat();
        let mut types = Vec::new();
        let mut strings = StringTable::default();
        for id in (1..=self.kept).chain(self.behind.iter().copied()) {
            let Some(one) = self.ids.get(&id).and_then(|_| all.get(id)) else {
                types.extend_from_slice(&filler);
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
            if one.kind == BtfKind::Pointer {
                put(8, 0);
            }
            for at in one.parts() {
                put(at, self.ids.get(&word(one.bytes, at)?).copied().unwrap_or(0));
            }
        }
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&[1, 0]);
        let lengths = [types.len(), strings.bytes().len()].map(|length| length as u32);
        for number in [HEADER as u32, 0, lengths[0], lengths[0], lengths[1]] {
            bytes.extend_from_slice(&number.to_ne_bytes());
        }
        bytes.extend_from_slice(&types);
        bytes.extend_from_slice(strings.bytes());
        Some(bytes)
    }
}

/// Names, each once.
pub(super) struct StringTable<'a> {
    bytes: Vec<u8>,
    offsets: HashMap<&'a [u8], u32>,
}

impl Default for StringTable<'_> {
    fn default() -> Self {
        Self { bytes: vec![0], offsets: HashMap::from([(&b""[..], 0)]) }
    }
}

impl<'a> StringTable<'a> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn offset(&mut self, name: &'a [u8]) -> u32 {
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
    use std::ffi::CStr;
    use std::mem::MaybeUninit;

    use libbpf_rs::skel::SkelBuilder;

    use super::*;
    use crate::bpf::btf::VMLINUX;
    use crate::bpf::btf::tests::{NAMES, built, kernel};
    use crate::bpf::load;
    use crate::skel::KillsnoopSkelBuilder;

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
        let object = built(
            &[
                ("task_struct___old", 4, 4, &[]),
                ("alias_t", 8, 3, &[]),
                ("mine", 4, 4, &[]),
                ("call_t", 8, 0, &[]),
                ("schedule", 4, 0, &[]),
            ],
            &NAMES,
        );
        let cut = kernel().subset_for(&object).unwrap();
        let (count, ids, sizes) = read_by_libbpf(&cut, &[c"task_struct", c"wide", c"unused"]);
        // the first three by their ids; behind them, in any order, what they and the typedefs consist of
        assert_eq!((ids[0], sizes[0]), (3, 16), "its id is the kernel's");
        assert_eq!((ids[1] > 3, sizes[1]), (true, 32), "what a typedef means is there");
        assert!(ids[2] < 0, "what nobody names is not");
        // void, 3, call_t, alias_t, holder, the pointer, wide, the array
        assert_eq!(count, 1 + 3 + 6);
        let cut = Btf::new(cut).unwrap();
        assert_eq!(cut.get(1).unwrap().kind, BtfKind::Pointer, "a stand-in");
        let all: Vec<_> =
            cut.named(|_| true).map(|(id, kind, name)| (id, kind, String::from_utf8_lossy(name))).collect();
        assert_eq!(all[0], (2, BtfKind::Int, "int".into()), "a part keeps its id as well");
        assert!(all.iter().any(|(_, kind, name)| (*kind, &**name) == (BtfKind::Struct, "holder")), "{all:?}");
        let task = cut.get(3).unwrap();
        let members: Vec<&[u8]> =
            task.names().skip(1).map(|at| cut.string(word(task.bytes, at).unwrap())).collect();
        assert_eq!(members, [&b"inner"[..], b"next"]);
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
    fn of_this_kernel_libbpf_reads_what_is_cut() {
        let Ok(bytes) = std::fs::read(VMLINUX) else { return };
        let mut storage = MaybeUninit::uninit();
        let object = KillsnoopSkelBuilder::default().open(&mut storage).unwrap();
        let object = load::types_of(&object).unwrap();
        let structs = [c"task_struct", c"cgroup_subsys_state", c"cred", c"mm_struct", c"kernfs_node"];
        let (count, ids, sizes) = read_by_libbpf(&bytes, &structs);
        let cut = Btf::new(bytes).unwrap().subset_for(&object).unwrap();
        let (fewer, cut_ids, cut_sizes) = read_by_libbpf(&cut, &structs);
        assert_eq!(cut_ids[..2], ids[..2], "those whose ids are passed to the kernel");
        assert_eq!(cut_sizes, sizes);
        assert!(fewer < count, "{fewer} of {count}");
    }
}
