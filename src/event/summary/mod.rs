//! One sentence from the facts of one event, and never more than they say.

mod attempt;
mod before;
#[cfg(test)]
pub(crate) mod catalogue;
mod effect;
mod end;
mod kernel;
mod name;
mod request;
#[cfg(test)]
mod samples;
mod signal;
mod terminal;
mod units;

pub use self::attempt::of_attempt;
pub use self::before::mentions_time;
pub use self::end::of_end;
pub use self::name::{name, push_name};
pub use self::request::of_request;
pub use self::signal::of;
pub use self::units::{bytes_of_pages, seconds};
