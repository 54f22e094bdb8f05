//! To come.
use crate::base::zone::Zone;
use crate::past::walk::PastEvent;
use crate::store::Coverage;
use std::ops::Range;
/// A page.
pub fn of_log(_: &[PastEvent], _: bool, _: &Coverage, _: Range<i64>, _: Zone) -> String {
    String::new()
}

/// A page.
pub fn of_story(
    _: &crate::past::story::Story,
    _: &Coverage,
    _: Range<i64>,
    _: &str,
    _: i64,
    _: Zone,
) -> String {
    String::new()
}
