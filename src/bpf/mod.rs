//! The only place that touches libbpf, and the only one with `unsafe`.
//!
//! [`probe`] finds out what this host offers, [`plan`] decides from that and the settings what to load,
//! [`load`] opens and sizes, `types` cuts out what libbpf needs of the kernel's types, `programs` loads, [`session`] attaches
//! and seeds (which `apart` does; `undisturbed` by signals), [`ring`] waits and drains what `records` reads. [`verifier`] tells what each program costs to load.

mod apart;
pub mod load;
mod mapped;
pub mod pidfd;
pub mod plan;
pub mod probe;
mod programs;
mod records;
pub mod refusal;
pub mod ring;
pub mod selection;
pub mod session;
pub mod titles;
pub mod tracepoints;
mod types;
mod undisturbed;
pub mod verifier;
