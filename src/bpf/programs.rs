//! The loaded programs: run, attached, or asked for by name.
//!
//! libbpf relocates them and creates the maps; the programs are then [loaded side by side](super::parallel_load). If the kernel
//! refuses one, libbpf loads all again in its own way, one after the other: its error is the one that is reported.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::Mutex;

use libbpf_rs::skel::{OpenSkel, Skel};
use libbpf_rs::{AsRawLibbpf, OpenProgramMut};

use super::btf;
use super::load::OpenedObject;
use super::parallel_load::{PreparedProgram, all_attached_to, load_side_by_side};
use crate::skel::KillsnoopSkel;

/// The loaded programs, by their names.
#[derive(Debug, Default)]
pub(super) struct Programs {
    loaded: HashMap<String, LoadedProgram>,
}

#[derive(Debug)]
struct LoadedProgram {
    fd: OwnedFd,
    attach_type: libbpf_sys::bpf_attach_type,
}

/// What libbpf returns: a descriptor, or an error below zero.
pub(super) fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: just made, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// What only the load needed is free, but would stay with this process for as long as it runs: half a MiB.
fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it touches nothing but what is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Relocates what was opened, and creates its maps: from here on they can be filled.
///
/// # Errors
/// What libbpf says, if the kernel refuses any of it.
pub(super) fn prepare(opened: &mut OpenedObject<'_>) -> Result<(), libbpf_rs::Error> {
    let object = opened.object.open_object().as_libbpf_object();
    // SAFETY: an open object that nobody else uses meanwhile.
    let result = unsafe { libbpf_sys::bpf_object__prepare(object.as_ptr()) };
    opened.file = None;
    if result < 0 { Err(libbpf_rs::Error::from_raw_os_error(-result)) } else { Ok(()) }
}

/// Loads the programs that are to be loaded of what was [prepared](prepare). As soon as those are that are not `later`, `attach`
/// is called with them, on one of the threads that load; what it returns is returned unless the kernel refused a later one.
///
/// # Errors
/// What libbpf says, if the kernel refuses any of it.
pub(super) fn load<'obj, T: Send>(
    opened: OpenedObject<'obj>,
    later: &[&str],
    attach: impl Fn(&Programs) -> T + Sync,
) -> Result<(KillsnoopSkel<'obj>, Programs, Option<T>), libbpf_rs::Error> {
    let OpenedObject { object: mut open, kernel, .. } = opened;
    let mut programs = Programs::default();
    let is_wanted = |program: &OpenProgramMut<'_>| program.autoload();
    let prepared: Vec<PreparedProgram> = open
        .open_object_mut()
        .progs_mut()
        .filter(is_wanted)
        .map(|mut program| PreparedProgram::of(&mut program))
        .collect();
    // SAFETY: a living object.
    let btf = unsafe { libbpf_sys::bpf_object__btf_fd(open.open_object().as_libbpf_object().as_ptr()) };
    let attach_to = kernel.as_ref().and_then(|kernel| all_attached_to(kernel, &prepared));
    drop(kernel);
    btf::forget();
    let is_first = |name: &str| !later.contains(&name);
    let attached = Mutex::new(None);
    let firsts = prepared.iter().filter(|program| is_first(&program.name)).count();
    let see = |loaded: &[(usize, OwnedFd)]| {
        let first: Vec<_> = loaded.iter().filter(|&&(place, _)| is_first(&prepared[place].name)).collect();
        let Ok(mut attached) = attached.lock() else { return };
        if attached.is_none() && first.len() == firsts {
            let copies =
                first.into_iter().map(|(place, fd)| LoadedProgram::copy(&prepared[*place], fd.as_fd()));
            *attached = copies.collect::<io::Result<_>>().ok().map(|loaded| attach(&Programs { loaded }));
        }
    };
    let fds = attach_to.and_then(|attach_to| load_side_by_side(&prepared, &attach_to, btf, is_first, see));
    let is_done = fds.is_some();
    let attached = attached.into_inner().ok().flatten().filter(|_| is_done);
    let types: Vec<_> = prepared.into_iter().map(|program| (program.attach_type(), program.name)).collect();
    for ((attach_type, name), fd) in types.iter().cloned().zip(fds.into_iter().flatten()) {
        programs.loaded.insert(name, LoadedProgram { fd, attach_type });
    }
    tracing::trace!("programs loaded {}", if is_done { "side by side" } else { "by libbpf" });
    if is_done {
        open.open_object_mut().progs_mut().for_each(|mut program| {
            program.set_autoload(false);
        });
    }
    let skel = open.load()?;
    if !is_done {
        for (attach_type, name) in types {
            let program = skel.object().progs().find(|program| program.name().to_string_lossy() == *name);
            if let Some(program) = program {
                let fd = program.as_fd().try_clone_to_owned()?;
                programs.loaded.insert(name, LoadedProgram { fd, attach_type });
            }
        }
    }
    give_back_memory();
    Ok((skel, programs, attached))
}

impl LoadedProgram {
    fn copy(program: &PreparedProgram, fd: BorrowedFd<'_>) -> io::Result<(String, Self)> {
        let copy = Self { fd: fd.try_clone_to_owned()?, attach_type: program.attach_type() };
        Ok((program.name.clone(), copy))
    }
}

impl Programs {
    /// The names of all.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.loaded.keys().map(String::as_str)
    }

    /// One of them, if it was to be loaded.
    pub(super) fn get(&self, name: &str) -> Option<BorrowedFd<'_>> {
        self.loaded.get(name).map(|program| program.fd.as_fd())
    }

    /// Runs one that is attached to nothing, which writes a number.
    ///
    /// # Errors
    /// If it was not loaded, or the kernel refuses.
    pub(super) fn run(&self, name: &str) -> io::Result<u64> {
        let program = self.loaded.get(name).ok_or(io::ErrorKind::NotFound)?;
        let mut number = 0_u64;
        let mut options = libbpf_sys::bpf_test_run_opts {
            sz: size_of::<libbpf_sys::bpf_test_run_opts>() as libbpf_sys::size_t,
            ctx_in: (&raw mut number).cast(),
            ctx_size_in: size_of::<u64>() as u32,
            ..Default::default()
        };
        // SAFETY: the options and the number, which the kernel reads and writes, outlive the call.
        let result = unsafe { libbpf_sys::bpf_prog_test_run_opts(program.fd.as_raw_fd(), &raw mut options) };
        if result < 0 { Err(io::Error::from_raw_os_error(-result)) } else { Ok(number) }
    }

    /// Attaches one to what its section says, for as long as the descriptor is open.
    ///
    /// # Errors
    /// If it was not loaded, or the kernel refuses.
    pub(super) fn attach(&self, name: &str) -> io::Result<OwnedFd> {
        let program = self.loaded.get(name).ok_or(io::ErrorKind::NotFound)?;
        // SAFETY: no pointer is given. (On older kernels libbpf opens a raw tracepoint instead.)
        owned(unsafe {
            libbpf_sys::bpf_link_create(program.fd.as_raw_fd(), 0, program.attach_type, std::ptr::null())
        })
    }
}

/// An iterator that is read from its beginning.
///
/// # Errors
/// If the kernel refuses.
pub(super) fn make_iterator(link: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: no pointer is given.
    owned(unsafe { libbpf_sys::bpf_iter_create(link.as_raw_fd()) })
}
