//! `killsnoop doctor`: what this host offers and lacks, what follows from that, and how to fix it.

mod checks;
mod manifest;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::mem::MaybeUninit;
use std::process::ExitCode;

use self::checks::{Check, Facts, State};
use crate::base::sanitize::push_json_string;
use crate::bpf::load::{route_libbpf_messages, try_trampoline};
use crate::bpf::plan;
use crate::bpf::probe;
use crate::bpf::selection::Selection;
use crate::bpf::session::Session;
use crate::bpf::tracepoints;
use crate::config::Config;
use crate::output::Colour;

/// Examines the host and prints the result. The exit code says whether a trace of it works.
pub fn run(as_json: bool) -> ExitCode {
    route_libbpf_messages();
    let mut host = probe::host();
    if host.missing_capabilities.is_empty() {
        host.has_trampolines = try_trampoline();
    }
    let facts = Facts::of_this_host(host, tracepoints::missing());
    let mut checks = checks::examine(&facts);
    // the surest check is to do it
    checks.push(checks::trial(try_everything(&facts)));
    if manifest::is_pod() {
        manifest::name_lines(&mut checks, &facts.call);
    }
    let works = checks.iter().all(|check| check.state != State::Fatal);
    let text = if as_json { json(&checks, works) } else { human(&checks, works) };
    // a closed pipe is no failure: the reader has read enough
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(u8::from(!works))
}

/// Loads, attaches and seeds as a trace does, and ends it at once.
fn try_everything(facts: &Facts) -> Result<String, String> {
    let config = Config::default();
    let plan = plan::plan(&facts.host, &config).map_err(|error| error.to_string())?;
    let mut storage = MaybeUninit::uninit();
    let session = Session::start(&mut storage, &plan, &config, &Selection::default())
        .map_err(|error| error.to_string())?;
    let timings = session.timings;
    let total = timings.load + timings.seed;
    let processes = session.seeded.by_iterator + session.seeded.from_proc;
    Ok(format!("loaded and attached in {:.0} ms, {processes} processes known", total.as_secs_f64() * 1e3))
}

fn human(checks: &[Check], works: bool) -> String {
    let has_colour = Colour::Auto.is_on(io::IsTerminal::is_terminal(&io::stdout()));
    let mut text = String::new();
    for check in checks {
        let (word, colour) = match check.state {
            State::Good => ("ok     ", "32"),
            State::Limited => ("limited", "33"),
            State::Fatal => ("NO     ", "31"),
        };
        let word = if has_colour { format!("\u{1b}[{colour}m{word}\u{1b}[0m") } else { word.to_owned() };
        let _ = writeln!(text, "{word}  {:<22} {}", check.name, check.found);
        for (mark, line) in [("effect:", Some(&check.effect)), ("fix:", check.fix.as_ref())] {
            if let Some(line) = line.filter(|line| !line.is_empty()) {
                let _ = writeln!(text, "         {mark:<7} {line}");
            }
        }
    }
    text.push_str(if works {
        "\ntracing works on this host\n"
    } else {
        "\ntracing does not work on this host\n"
    });
    text
}

fn json(checks: &[Check], works: bool) -> String {
    let mut out = format!("{{\"works\":{works},\"checks\":[").into_bytes();
    for (place, check) in checks.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{" } else { b",{" });
        let state = match check.state {
            State::Good => "ok",
            State::Limited => "limited",
            State::Fatal => "no",
        };
        let pairs = [
            ("name", Some(check.name)),
            ("state", Some(state)),
            ("found", Some(&*check.found)),
            ("effect", Some(&*check.effect).filter(|text| !text.is_empty())),
            ("fix", check.fix.as_deref()),
        ];
        let mut is_first = true;
        for (key, value) in pairs.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            out.extend_from_slice(if is_first { b"" } else { b"," });
            is_first = false;
            push_json_string(&mut out, key);
            out.push(b':');
            push_json_string(&mut out, value);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}\n");
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_tell_every_check() {
        let check = |name, state, fix: Option<&str>| Check {
            name,
            state,
            found: "a \"b\"".to_owned(),
            effect: String::new(),
            fix: fix.map(str::to_owned),
        };
        let checks = [check("one", State::Good, None), check("two", State::Fatal, Some("do it"))];
        let value: serde_json::Value = serde_json::from_str(&json(&checks, false)).unwrap();
        assert_eq!(value["works"], false);
        assert_eq!(value["checks"][1]["fix"], "do it");
        assert!(value["checks"][0]["fix"].is_null());
        let text = human(&checks, false);
        assert!(
            text.contains("NO       two") && text.contains("fix:    do it") && text.contains("does not work"),
            "{text}"
        );
    }
}
