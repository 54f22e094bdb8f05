//! A man page: what clap knows of a command, and the sections that a reader of man pages looks for.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::page;
use crate::output::keys;

/// The file of a command's page and its text; None of a command that has no page.
pub(super) fn page_of(command: &Command) -> io::Result<Option<(String, Vec<u8>)>> {
    let Some(page) = page(command.get_name()) else { return Ok(None) };
    // what the short help leaves out is in the page all the same
    let command = command.clone().mut_args(|argument| argument.hide_short_help(false));
    let is_program = command.get_name() == "killsnoop";
    let man = Man::new(command).manual("killsnoop").source(concat!("killsnoop ", env!("CARGO_PKG_VERSION")));
    let name = man.get_filename();
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if is_program {
        man.render_subcommands_section(&mut out)?;
    }
    let mut roff = Roff::new();
    for (title, note) in page.notes {
        roff.control("SH", [*title]);
        roff.text([roman(*note)]);
    }
    roff.to_writer(&mut out)?;
    if is_program {
        out.extend(keys::manual().into_bytes());
    }
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for (line, meaning) in page.examples {
        roff.control("TP", []);
        roff.text([bold(*line)]);
        roff.text([roman(*meaning)]);
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in page.exit_status {
        roff.control("TP", []);
        roff.text([bold(*code)]);
        roff.text([roman(*meaning)]);
    }
    roff.control("SH", ["SEE ALSO"]);
    let all = ["killsnoop", "killsnoop-run", "killsnoop-who", "killsnoop-record", "killsnoop-doctor"];
    let others: Vec<String> = all
        .iter()
        .filter(|other| !name.starts_with(&format!("{other}.")))
        .map(|other| format!("{other}(1)"))
        .collect();
    roff.text([roman(format!("{}, kill(2), signal(7)", others.join(", ")))]);
    roff.to_writer(&mut out)?;
    Ok(Some((name, out)))
}
