//! Gives prepared programs to the kernel from several threads: the verifier looks at one on one CPU, and the largest takes as
//! long as all others. All are loaded, or none; but those that are loaded first can be used while others are not loaded yet.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Mutex;

use libbpf_rs::{AsRawLibbpf, OpenProgramMut};

use super::btf::{Btf, BtfKind};
use super::programs::owned;

/// More threads than this gain nothing: the largest program alone takes that long.
const THREADS: usize = 4;
/// With less memory than this one program is loaded at a time: the verifier takes some tens of MiB for the largest.
const PLENTY: u64 = 256 << 20;
/// So often a program is given to the kernel that was interrupted.
const AGAIN_AT_MOST: u32 = 100;
/// The section of a program that is attached to nothing: it is run by `bpf(BPF_PROG_RUN)`.
const RUN_BY_CALL: &str = "syscall";
/// What `LICENSE` of the object says.
const LICENSE: &CStr = c"GPL";

/// One program, as libbpf has prepared it.
pub(super) struct PreparedProgram {
    pub(super) name: String,
    section: String,
    program: *const libbpf_sys::bpf_program,
}

// SAFETY: the program belongs to an object that lives longer than every thread that reads it, and that nobody changes
// meanwhile.
unsafe impl Send for PreparedProgram {}
// SAFETY: as above; it is only read.
unsafe impl Sync for PreparedProgram {}

impl PreparedProgram {
    pub(super) fn of(program: &mut OpenProgramMut<'_>) -> Self {
        Self {
            name: program.name().to_string_lossy().into_owned(),
            section: program.section().to_string_lossy().into_owned(),
            program: program.as_libbpf_object().as_ptr(),
        }
    }

    pub(super) fn attach_type(&self) -> libbpf_sys::bpf_attach_type {
        // SAFETY: a program of a living object, see above.
        unsafe { libbpf_sys::bpf_program__expected_attach_type(self.program) }
    }

    fn size(&self) -> usize {
        // SAFETY: as above.
        unsafe { libbpf_sys::bpf_program__insn_cnt(self.program) as usize }
    }

    /// As libbpf does it: `bpf_object_load_prog()` and `libbpf_prepare_prog_load()`.
    fn load(&self, attach_to: u32, btf: i32) -> io::Result<OwnedFd> {
        let program = self.program;
        let name = CString::new(self.name.as_str())?;
        let kind = self.section.split('/').next().unwrap_or_default();
        let is_sleepable = kind.strip_suffix(".s").is_some() || kind == RUN_BY_CALL;
        // SAFETY: all of these only read the program, which outlives them, as do the arrays that they point to.
        let load = || unsafe {
            let mut options = libbpf_sys::bpf_prog_load_opts {
                sz: size_of::<libbpf_sys::bpf_prog_load_opts>() as libbpf_sys::size_t,
                expected_attach_type: self.attach_type(),
                attach_btf_id: attach_to,
                prog_flags: libbpf_sys::bpf_program__flags(program)
                    | if is_sleepable { libbpf_sys::BPF_F_SLEEPABLE } else { 0 },
                ..Default::default()
            };
            if btf >= 0 {
                options.prog_btf_fd = btf as u32;
                options.func_info = libbpf_sys::bpf_program__func_info(program).cast();
                options.func_info_cnt = libbpf_sys::bpf_program__func_info_cnt(program);
                options.func_info_rec_size = size_of::<libbpf_sys::bpf_func_info>() as u32;
                options.line_info = libbpf_sys::bpf_program__line_info(program).cast();
                options.line_info_cnt = libbpf_sys::bpf_program__line_info_cnt(program);
                options.line_info_rec_size = size_of::<libbpf_sys::bpf_line_info>() as u32;
            }
            libbpf_sys::bpf_prog_load(
                libbpf_sys::bpf_program__type(program),
                name.as_ptr(),
                LICENSE.as_ptr(),
                libbpf_sys::bpf_program__insns(program),
                libbpf_sys::bpf_program__insn_cnt(program),
                &raw mut options,
            )
        };
        // what blocking signals does not keep away: a stop and a continuation, a freezer
        let again = -libc::EAGAIN;
        owned((0..AGAIN_AT_MOST).map(|_| load()).find(|&fd| fd != again).unwrap_or(again))
    }
}

/// What a program of this section is attached to, among the types of the kernel. By kind as well: since 6.7 there is a struct
/// of the name of the task iterator.
fn attached_to(section: &str) -> Option<(BtfKind, String)> {
    let (kind, name) = section.split_once('/')?;
    match kind {
        "tp_btf" => Some((BtfKind::Typedef, format!("btf_trace_{name}"))),
        "iter.s" => Some((BtfKind::Function, format!("bpf_iter_{name}"))),
        "fexit" => Some((BtfKind::Function, name.to_owned())),
        _ => None,
    }
}

/// The ids of all, in their order, 0 of what is attached to nothing; None if one is not there.
pub(super) fn all_attached_to(kernel: &Btf, programs: &[PreparedProgram]) -> Option<Vec<u32>> {
    let sections = || programs.iter().map(|program| program.section.as_str());
    let is_attached = |section: &&str| *section != RUN_BY_CALL;
    let mut ids = ids_attached_to(kernel, &sections().filter(is_attached).collect::<Vec<_>>())?.into_iter();
    sections().map(|section| if is_attached(&section) { ids.next() } else { Some(0) }).collect()
}

fn ids_attached_to(kernel: &Btf, sections: &[&str]) -> Option<Vec<u32>> {
    let names: Vec<(BtfKind, String)> =
        sections.iter().map(|section| attached_to(section)).collect::<Option<_>>()?;
    let wanted: Vec<(BtfKind, &[u8])> = names.iter().map(|(kind, name)| (*kind, name.as_bytes())).collect();
    let found = kernel.find(&wanted);
    for (section, _) in sections.iter().zip(&found).filter(|(_, id)| id.is_none()) {
        tracing::debug!("{section} is not in the kernel's BTF: libbpf is asked");
    }
    found.into_iter().collect()
}

/// All of them, or none; those that `is_first` names before the others. Whenever one is loaded, `see` is shown those that are,
/// with their places, by the thread that has loaded it.
pub(super) fn load_side_by_side(
    prepared: &[PreparedProgram],
    attach_to: &[u32],
    btf: i32,
    is_first: impl Fn(&str) -> bool,
    see: impl Fn(&[(usize, OwnedFd)]) + Sync,
) -> Option<Vec<OwnedFd>> {
    let mut order: Vec<usize> = (0..prepared.len()).collect();
    order.sort_by_key(|&place| (is_first(&prepared[place].name), prepared[place].size()));
    let is_scarce = super::probe::memory_limit().is_some_and(|limit| limit < PLENTY);
    let most = if is_scarce { 1 } else { THREADS };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(most);
    let load = |place: usize| {
        prepared[place]
            .load(attach_to[place], btf)
            .inspect_err(
                |error| tracing::debug!(%error, "{} was refused: libbpf is asked", prepared[place].name),
            )
            .ok()
    };
    // the largest is taken first
    side_by_side(order, threads, load, see)
}

/// What is made of each place, the last of them first; in the order of the places. After the first that fails no other is
/// begun, and there is nothing.
fn side_by_side<T: Send>(
    places: Vec<usize>,
    threads: usize,
    make: impl Fn(usize) -> Option<T> + Sync,
    see: impl Fn(&[(usize, T)]) + Sync,
) -> Option<Vec<T>> {
    make_all(&Mutex::new(places), threads, make, see)
}

/// The same with a list that others can look at: it is empty as soon as nothing more will be begun.
fn make_all<T: Send>(
    left: &Mutex<Vec<usize>>,
    threads: usize,
    make: impl Fn(usize) -> Option<T> + Sync,
    see: impl Fn(&[(usize, T)]) + Sync,
) -> Option<Vec<T>> {
    let count = left.lock().ok()?.len();
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(place) = left.lock().ok().and_then(|mut left| left.pop()) else { return };
            if let Some(made) = make(place) {
                if let Ok(mut done) = done.lock() {
                    done.push((place, made));
                    see(&done);
                }
            } else if let Ok(mut left) = left.lock() {
                left.clear();
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // with fewer threads it takes longer
            let _ = std::thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let mut done = done.into_inner().ok()?;
    done.sort_by_key(|&(place, _)| place);
    (done.len() == count).then(|| done.into_iter().map(|(_, made)| made).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn all_are_made_each_once_and_come_in_their_order() {
        for threads in 1..5 {
            let seen = AtomicUsize::new(0);
            let see = |made: &[(usize, usize)]| {
                assert_eq!(made.len(), 1 + seen.fetch_add(1, Ordering::SeqCst), "each is seen at once");
            };
            let made = side_by_side((0..50).rev().collect(), threads, |place| Some(place * 2), see);
            assert_eq!(made, Some((0..50).map(|place| place * 2).collect()));
            assert_eq!(seen.into_inner(), 50);
        }
    }

    #[test]
    fn after_a_refusal_nothing_more_is_begun() {
        for threads in 1..5 {
            let begun = AtomicUsize::new(0);
            let left: Mutex<Vec<usize>> = Mutex::new((0..50).collect());
            let make = |place| {
                begun.fetch_add(1, Ordering::SeqCst);
                // whatever is begun behind the one that is refused is in the middle of it until the refusal is known
                let expire = Instant::now() + Duration::from_secs(10);
                while place < 47 && !left.lock().unwrap().is_empty() {
                    assert!(Instant::now() < expire, "a refusal ends nothing");
                    std::thread::sleep(Duration::from_millis(1));
                }
                (place != 47).then_some(place)
            };
            assert_eq!(make_all(&left, threads, make, |_| ()), None);
            let begun = begun.into_inner();
            assert!(begun < 3 + threads, "{begun} were begun by {threads} threads");
        }
    }
}
