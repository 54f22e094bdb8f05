//! How the past is shown: in any format of the trace, or as a page.

use std::str::FromStr;

use crate::base::nearest::nearest;
use crate::error::UsageError;
use crate::output::FormatKind;
use crate::output::format::ALL;

/// The name of the page.
const HTML: &str = "html";

/// What `-o` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastOutput {
    /// Lines of a format.
    Lines(FormatKind),
    /// One page that needs nothing else.
    Html,
}

impl PastOutput {
    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|kind| kind.name).chain([HTML])
    }
}

impl FromStr for PastOutput {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, UsageError> {
        if text == HTML {
            return Ok(Self::Html);
        }
        FormatKind::named(text).map(Self::Lines).ok_or_else(|| UsageError::PastOutput {
            given: text.to_owned(),
            nearest: nearest(text, Self::names()).map(str::to_owned),
            formats: Self::names().collect::<Vec<_>>().join(", "),
        })
    }
}
