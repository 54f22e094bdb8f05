//! The only place that touches libbpf, and beside `wire` the only one with `unsafe`. Knows no key of the output.
//!
//! | module | task |
//! |---|---|
//! | [`probe`], `tracepoints`, `refusal` | what this host offers, and what refuses `bpf()` |
//! | [`plan`] | decides from that and the settings what to load |
//! | [`load`], `programs`, `parallel_load` | open and size the object, load its programs |
//! | `btf`, `btf_subset` | read the kernel's types, and cut out what libbpf needs of them |
//! | [`session`] | attach, seed, count, look up |
//! | `ring`, `records` | wait, drain, read |
//! | `titles` | read the live titles |
//! | `detached_reader`, `blocked_signals` | what could hang, and what must not be interrupted |
//! | [`verifier`] | the cost of loading each program |

mod blocked_signals;
mod btf;
mod btf_subset;
mod detached_reader;
pub mod load;
mod mapping;
mod parallel_load;
pub(crate) mod pidfd;
pub mod plan;
pub mod probe;
mod programs;
mod records;
pub(crate) mod refusal;
pub(crate) mod ring_reader;
pub mod selection;
pub mod session;
pub(crate) mod titles;
pub(crate) mod tracepoints;
pub mod verifier;
