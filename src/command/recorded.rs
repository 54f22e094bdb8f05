//! What a store knows of a name already, before `who` waits for the next signal.

use std::path::Path;

use crate::base::clock::utc_now;
use crate::base::shell_word::shell_word;
use crate::base::stderr::print_line;
use crate::base::zone::Zone;
use crate::output::format::screen::{PLAIN, Screen};
use crate::output::redact::Redaction;
use crate::output::select::filter::ProcessArg;
use crate::past::search::Search;
use crate::past::story::{Story, headline, newest_end};
use crate::past::target::Target;
use crate::store::{Reader, StoreError};

/// Prints the newest end of each name. Nothing where there is no store that this user may read, or none in it: who waits has not asked
/// for it.
pub(super) fn print(directory: &Path, wanted: &[ProcessArg], redaction: &Redaction) {
    let Ok(reader) = Reader::open(directory) else { return };
    // a pid was another process's before
    let names = wanted.iter().filter_map(|process| match process {
        ProcessArg::Name(name) => Some(name.to_string()),
        ProcessArg::Pid(_) => None,
    });
    for name in names {
        match newest(&reader, &name) {
            Ok(Some(text)) => {
                print_line(format_args!("killsnoop: recorded: {}", redaction.name(text.as_bytes())));
                let flags_end = if name.starts_with('-') { "-- " } else { "" };
                print_line(format_args!("hint: killsnoop why {flags_end}{}", shell_word(&name)));
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "the store could not be read"),
        }
    }
}

/// `nginx(812) was killed by SIGKILL from systemd(1), Thu 2026-11-26 03:12:07 CET, 8 h ago`.
fn newest(reader: &Reader, name: &str) -> Result<Option<String>, StoreError> {
    let Ok(target) = name.parse::<Target>() else { return Ok(None) };
    let search = Search { targets: vec![vec![target]], ..Search::default() };
    let Some(end) = newest_end(reader, &search)? else { return Ok(None) };
    let now = i64::try_from(utc_now()).unwrap_or(i64::MAX);
    let story = Story::of(reader, end, now)?;
    Ok(Some(headline(&story, Screen { zone: Zone::of_this_process(), ..PLAIN }, now)))
}
