//! What every layer may use, and what uses none of them: numbers and text as they are written, clocks, bounded memory.

pub mod accounts;
pub mod bounded;
pub mod clock;
pub(crate) mod descriptors;
pub mod digits;
pub mod period;
pub mod reversed_path;
pub mod sanitize;
