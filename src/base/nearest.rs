//! What somebody may have meant who typed a word that does not exist: the nearest by edit distance, or none that is near.

/// Letters that may be wrong in a word of this length: one of three, and never more than three.
fn most_mistakes(letters: usize) -> usize {
    (letters / 3).min(3)
}

/// The candidate that is most like `given`, whatever its case; else the first that begins with it. None is better than an
/// absurd one.
pub(crate) fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let letters = given.chars().count();
    let likeness = |candidate: &'a str| {
        let lower = candidate.to_lowercase();
        let begins_so = letters >= 3 && lower.starts_with(&given);
        let mistakes = strsim::osa_distance(&given, &lower);
        let is_near = mistakes <= most_mistakes(letters);
        (is_near || begins_so).then_some((if is_near { mistakes } else { usize::MAX }, candidate))
    };
    // of equally near ones the first
    candidates.into_iter().filter_map(likeness).min_by_key(|(mistakes, _)| *mistakes).map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let words = ["KILL", "TERM", "ILL", "logfmt", "json", "parent-death", "oom.scope", "process"];
        for (given, expected) in [
            ("TREM", Some("TERM")),
            ("trem", Some("TERM")),
            ("KIL", Some("KILL")),
            ("jsn", Some("json")),
            ("procss", Some("process")),
            ("parent_deaht", Some("parent-death")),
            ("logf", Some("logfmt")),
            ("foo", None),
            ("xml", None),
            ("po", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, words), expected, "{given}");
        }
    }
}
