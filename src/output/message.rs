//! How a message on standard error looks: `killsnoop: warning: …`, since other programs may write there as well.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// Of a line of the log.
#[derive(Debug, Clone, Copy)]
pub struct MessageFormat;

impl<S, N> FormatEvent<S, N> for MessageFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("killsnoop: ")?;
        let (word, colour) = match *event.metadata().level() {
            Level::ERROR => ("error: ", "31"),
            // as in the formats for eyes: yellow vanishes on white
            Level::WARN => ("warning: ", "35"),
            _ => ("", ""),
        };
        if writer.has_ansi_escapes() && !word.is_empty() {
            write!(writer, "\u{1b}[{colour}m{word}\u{1b}[0m")?;
        } else {
            writer.write_str(word)?;
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
