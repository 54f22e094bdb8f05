//! The only place that touches libbpf, and the only one with `unsafe`.
//!
//! [`probe`] finds out what this host offers, [`plan`] decides from that and the settings what to load,
//! [`session`] opens, loads, attaches and seeds, [`ring`] waits and drains.

pub mod pidfd;
pub mod plan;
pub mod probe;
pub mod ring;
pub mod session;
#[rustfmt::skip]
mod skel;
pub mod wire;
