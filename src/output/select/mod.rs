//! Which events are printed: the conditions of the command line, and whether they can hold together at all.

pub mod filter;
pub(crate) mod possible;
pub(crate) mod projection;
