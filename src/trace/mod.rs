//! A trace from start to end.

mod pipeline;
pub mod priority;
pub mod privileges;
pub mod pushdown;

pub use self::pipeline::*;
