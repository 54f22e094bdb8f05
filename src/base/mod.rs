//! What every layer may use, and what uses none of them: numbers and text as they are written, clocks, bounded memory.

pub(crate) mod accounts;
pub(crate) mod bounded;
pub(crate) mod clock;
pub(crate) mod descriptors;
pub(crate) mod digits;
pub(crate) mod locale;
pub(crate) mod nearest;
pub(crate) mod notify;
pub mod os_error;
pub mod period;
pub(crate) mod reversed_path;
pub mod sanitize;
pub(crate) mod seldom;
pub(crate) mod shell_word;
pub mod stderr;
pub(crate) mod wait;
pub mod zone;
