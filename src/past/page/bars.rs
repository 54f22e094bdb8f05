//! What was recorded, as a bar over the time that was asked about: a gap is never too narrow to be seen.

use std::ops::Range;

use maud::{Markup, html};

use super::super::coverage::cause;
use super::super::words::count;
use crate::store::Coverage;

/// Units of the bar.
pub(super) const WIDTH: i64 = 10_000;
/// The least of a gap.
const LEAST: i64 = 40;

/// Where a moment is on a bar.
pub(super) fn at(time: i64, range: &Range<i64>) -> i64 {
    let length = i128::from(range.end - range.start).max(1);
    let place = i128::from(time - range.start) * i128::from(WIDTH) / length;
    i64::try_from(place).unwrap_or(WIDTH).clamp(0, WIDTH)
}

/// The bar, and what its colours mean.
pub(super) fn of(coverage: &Coverage, range: &Range<i64>) -> Markup {
    let piece = |since: i64, until: i64, least: i64| {
        let (left, right) = (at(since, range), at(until, range));
        let width = (right - left).max(least);
        (left.min(WIDTH - width), width)
    };
    html! {
        svg.bar viewBox="0 0 10000 20" preserveAspectRatio="none" role="img" aria-label="What was recorded" {
            @for span in &coverage.spans {
                @let (x, width) = piece(span.since, span.until, 0);
                rect.recorded x=(x) y="4" width=(width) height="12" {}
            }
            @for gap in &coverage.gaps {
                @let (x, width) = piece(gap.since, gap.until, LEAST);
                rect.gap x=(x) y="0" width=(width) height="20" { title { (cause(&gap.cause)) } }
            }
            @for loss in &coverage.losses {
                @let (x, width) = piece(loss.since, loss.until, LEAST);
                rect.loss x=(x) y="0" width=(width) height="20" { title { (count(loss.count, "event")) " lost" } }
            }
        }
        p.legend {
            i.recorded {} "recorded"
            @if !coverage.gaps.is_empty() { i.gap {} "not recorded" }
            @if !coverage.losses.is_empty() { i.loss {} "events lost" }
        }
    }
}
