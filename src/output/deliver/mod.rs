//! Where lines go: files, pipes and the terminal, each written by a thread of its own that never stops the tracer.

pub mod destination;
pub mod destination_name;
mod failed_write;
mod fifo;
pub mod ledger;
pub mod opener;
mod queue;
pub mod rate;
pub(crate) mod share;
pub mod writer;
