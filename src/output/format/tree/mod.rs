//! For eyes: the sentence, the two process trees from where they meet, the signal on the arrow, what became of it.
//!
//! ```text
//! 00:00:03.057Z SIGTERM  pkill(98) sent SIGTERM to yes(96)
//!   init(1)─sh(95)  sh -c "/bin/yes >/dev/null & …"
//!   ├─pkill(98)  pkill yes
//!   │ ╰─SIGTERM─▶ yes(96)  queued, ends it, by kill
//!   ╰─yes(96)  /bin/yes
//! ```

use std::fmt::Write;

use super::document::{Document, Field, Value, chain, find};
use super::layout::Layout;
use super::screen::{Line, Paint, Screen};
use super::table::{clock_time, how_it_ended, lost};

/// Draws an event as a tree.
#[derive(Debug)]
pub struct Tree {
    screen: Screen,
    /// A blank line stands between two events.
    has_drawn: bool,
}

/// A process, as it stands in the drawing.
#[derive(Debug, Clone, Copy)]
struct Node<'a> {
    facts: &'a [Field],
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Source,
    Target,
    /// A signal to itself.
    Both,
    Other,
}

/// What is drawn of an event.
struct Picture<'a> {
    document: &'a Document,
    screen: Screen,
    columns: Option<usize>,
}

impl Tree {
    /// Drawn for this screen.
    pub fn new(screen: Screen) -> Self {
        Self { screen, has_drawn: false }
    }
}

impl Layout for Tree {
    fn draw(&mut self, document: &Document, out: &mut Vec<u8>) {
        let picture = Picture { document, screen: self.screen, columns: self.screen.columns() };
        if std::mem::replace(&mut self.has_drawn, true) {
            out.push(b'\n');
        }
        picture.head(out);
        if document.text_at("event") == Some("lost") {
            return;
        }
        picture.previous(out);
        picture.processes(out);
        picture.missing(out);
    }
}

impl<'a> Picture<'a> {
    fn line(&self) -> Line {
        Line::new(self.screen, self.columns)
    }

    fn text(&self, path: &str) -> Option<String> {
        self.document.text_at(path).map(|text| self.screen.safe(text))
    }

    fn signal_paint(&self) -> Paint {
        let is_end = self.document.text_at("event") == Some("ended");
        if is_end || self.document.is_set("fatal") { Paint::Fatal } else { Paint::Signal }
    }

    fn head(&self, out: &mut Vec<u8>) {
        let mut line = self.line();
        line.add(Paint::Faint, &clock_time(self.document.text_at("time").unwrap_or_default()))
            .add(Paint::None, " ");
        if self.document.text_at("event") == Some("lost") {
            line.add(Paint::Fatal, &lost(self.document)).finish(out);
            return;
        }
        if let Some(count) = self.document.number_at("repeated") {
            line.add(Paint::Signal, &format!("{}{count} ", self.screen.glyph("×", "x")));
        }
        if let Some(name) = self.text("signalName") {
            line.add(self.signal_paint(), &name).add(Paint::None, "  ");
        }
        line.add(Paint::Heading, &self.text("summary").unwrap_or_default()).finish(out);
    }

    fn previous(&self, out: &mut Vec<u8>) {
        for (path, word) in [("previous", "before"), ("after", "after")] {
            let Some(earlier) = self.document.object(path) else { continue };
            let part = |key: &str| find(earlier, key).map(|value| self.screen.value(value));
            let mut text = format!("{word}: {}", part("signalName").unwrap_or_default());
            if let Some(Value::Object(source)) = find(earlier, "source") {
                let _ = write!(text, " from {}", self.name(source));
            }
            if let Some(seconds) = part("secondsAgo") {
                let _ = write!(text, ", {seconds} s earlier");
            }
            if let Some(result) = part("result") {
                let _ = write!(text, ", {result}");
            }
            self.line().add(Paint::Faint, "  ").add(Paint::Faint, &text).finish(out);
        }
    }

    /// Both trees. What is above the process where they meet stands in one line.
    fn processes(&self, out: &mut Vec<u8>) {
        let (source, target) = level(self.branch("source"), self.branch("target"));
        let is_self = matches!((source.last(), target.last()), (Some(one), Some(other)) if same(one, other));
        let node = |facts: &'a [Field], side: Role, is_end: bool| {
            let role = match (is_end, is_self) {
                (true, true) => Role::Both,
                (true, false) => side,
                (false, _) => Role::Other,
            };
            Node { facts, role }
        };
        let nodes = |branch: &[&'a [Field]], side: Role| -> Vec<Node<'a>> {
            (0..branch.len()).map(|at| node(branch[at], side, at + 1 == branch.len())).collect()
        };
        let (source, target) = (nodes(&source, Role::Source), nodes(&target, Role::Target));
        let shared =
            source.iter().zip(&target).take_while(|(one, other)| same(one.facts, other.facts)).count();
        let mut trunk = match (source.is_empty(), target.is_empty()) {
            (true, _) => target.clone(),
            (_, true) => source.clone(),
            _ => target[..shared].to_vec(),
        };
        // the shared part may end in the source itself
        if let (Some(top), Some(own)) = (trunk.last_mut(), trunk_end(shared, &source)) {
            if own.role == Role::Source {
                top.role = own.role;
            }
        }
        let rest = |nodes: &[Node<'a>]| nodes.get(trunk.len()..).unwrap_or_default().to_vec();
        let branches: Vec<Vec<Node<'a>>> =
            [rest(&source), rest(&target)].into_iter().filter(|branch| !branch.is_empty()).collect();
        let has_trunk = !trunk.is_empty();
        if let Some((meeting, above)) = trunk.split_last() {
            self.trunk(above, *meeting, branches.is_empty(), out);
        } else if self.document.is_set("source.treeTruncated") || self.document.is_set("target.treeTruncated")
        {
            self.line().add(Paint::Faint, self.screen.glyph("  …", "  ...")).finish(out);
        }
        let count = branches.len();
        for (place, branch) in branches.into_iter().enumerate() {
            self.limb(&branch, "  ", place + 1 == count, has_trunk, out);
        }
    }

    fn trunk(&self, above: &[Node<'a>], meeting: Node<'a>, is_all: bool, out: &mut Vec<u8>) {
        let mut line = self.line();
        line.add(Paint::None, "  ");
        let joint = self.screen.glyph("─", "-");
        let is_cut = |side: &str| self.document.is_set(&format!("{side}.treeTruncated"));
        if is_cut("source") || is_cut("target") {
            line.add(Paint::Faint, self.screen.glyph("…─", "...-"));
        }
        // the nearest are told, the farthest only counted where there are many
        let told = 4;
        if above.len() > told {
            line.add(Paint::Faint, &self.name(above[0].facts));
            line.add(Paint::Faint, &format!("{joint}({} more){joint}", above.len() - told));
        }
        let nearest = if above.len() > told { &above[above.len() - told + 1..] } else { above };
        for node in nearest {
            line.add(Paint::Faint, &self.name(node.facts)).add(Paint::Faint, joint);
        }
        self.process(&mut line, meeting);
        line.finish(out);
        self.arrow(meeting.role, "  ", is_all, out);
    }

    /// A branch, from where it leaves the other down to its end.
    fn limb(&self, nodes: &[Node<'a>], indent: &str, is_last: bool, hangs: bool, out: &mut Vec<u8>) {
        let mut indent = indent.to_owned();
        let mut is_last = is_last;
        let mut hangs = hangs;
        for node in nodes {
            let mut line = self.line();
            line.add(Paint::Faint, &indent);
            if hangs {
                line.add(Paint::Faint, self.corner(is_last));
                indent.push_str(if is_last { "  " } else { self.screen.glyph("│ ", "| ") });
            }
            self.process(&mut line, *node);
            line.finish(out);
            self.arrow(node.role, &indent, true, out);
            (is_last, hangs) = (true, true);
        }
    }

    fn corner(&self, is_last: bool) -> &'static str {
        if is_last { self.screen.glyph("╰─", "`-") } else { self.screen.glyph("├─", "|-") }
    }

    fn process(&self, line: &mut Line, node: Node<'a>) {
        let paint = match node.role {
            Role::Source => Paint::Source,
            Role::Target | Role::Both => Paint::Target,
            Role::Other => Paint::None,
        };
        line.add(paint, &self.name(node.facts));
        match find(node.facts, "cmdline") {
            Some(Value::List(items)) => {
                line.add(Paint::None, "  ").add(Paint::Faint, &self.screen.arguments(items));
            }
            _ if matches!(find(node.facts, "cmdlineOmitted"), Some(Value::Flag(true))) => {
                line.add(Paint::Faint, "  (command line left out)");
            }
            _ => {}
        }
        if matches!(find(node.facts, "cmdlineTruncated"), Some(Value::Flag(true))) {
            line.add(Paint::Faint, self.screen.glyph("…", "..."));
        }
        if let Some(title) = find(node.facts, "title") {
            line.add(Paint::Faint, &format!("  [{}]", self.screen.value(title)));
        }
    }

    /// What the arrow at a process of this role says; none if no arrow leaves there.
    fn arrow_of(&self, role: Role) -> Option<(String, String)> {
        let signal = self.text("signalName").unwrap_or_default();
        let (line, head, tail) =
            (self.screen.glyph("─", "-"), self.screen.glyph("▶", ">"), self.screen.glyph("◀", "<"));
        let target = self.document.object("target").map(|target| self.name(target));
        match role {
            Role::Source => {
                let whom = target.unwrap_or_else(|| match self.document.number_at("pidArgument") {
                    Some(pid) => format!("pid {pid}"),
                    None => "?".to_owned(),
                });
                Some((format!("{signal}{line}{head}"), whom))
            }
            Role::Both => Some((format!("{signal}{line}{head}"), "itself".to_owned())),
            Role::Target if self.is_end_without_arrow() => None,
            Role::Target if self.document.object("source").is_none() => {
                let origin = self.text("origin").unwrap_or_else(|| "unknown".to_owned());
                Some((format!("{tail}{line}{signal}"), origin))
            }
            Role::Target | Role::Other => None,
        }
    }

    fn arrow(&self, role: Role, indent: &str, is_last: bool, out: &mut Vec<u8>) {
        let mut line = self.line();
        line.add(Paint::Faint, indent);
        line.add(Paint::Faint, self.corner(is_last));
        let Some((arrow, whom)) = self.arrow_of(role) else {
            if role == Role::Target && self.is_end_without_arrow() {
                line.add(self.signal_paint(), &how_it_ended(self.document)).finish(out);
            }
            return;
        };
        line.add(self.signal_paint(), &arrow).add(Paint::None, " ").add(Paint::Target, &whom);
        let facts = self.outcome();
        if !facts.is_empty() {
            line.add(Paint::None, "  ").add(self.outcome_paint(), &facts.join(", "));
        }
        line.finish(out);
    }

    /// The event that it refers to has shown the arrow, or no signal ended it.
    fn is_end_without_arrow(&self) -> bool {
        let is_exit = self.document.number_at("exitCode").is_some();
        self.document.object("after").is_some() || is_exit
    }

    fn outcome_paint(&self) -> Paint {
        if self.document.is_set("fatal") { Paint::Fatal } else { Paint::None }
    }

    /// What became of the signal, and how it came.
    fn outcome(&self) -> Vec<String> {
        let document = self.document;
        let mut facts = Vec::new();
        if document.text_at("event") == Some("ended") {
            facts.push(how_it_ended(document));
        }
        facts.extend(self.text("result"));
        if document.is_set("fatal") {
            facts.push("ends it".to_owned());
        }
        if document.is_set("target.blocked") {
            facts.push("blocked there".to_owned());
        }
        match document.text_at("target.disposition") {
            Some("handled") => facts.push("handled there".to_owned()),
            Some("ignored") if document.text_at("result") != Some("ignored") => {
                facts.push("ignored there".to_owned());
            }
            _ => {}
        }
        if let Some(via) = self.text("via") {
            facts.push(format!("by {via}"));
        }
        match document.text_at("scope") {
            Some("process") | None => {}
            Some(scope) => facts.push(format!("to the {}", self.screen.safe(scope).replace('-', " "))),
        }
        if document.object("source").is_none() {
            facts.extend(self.text("code"));
        }
        if let Some(trigger) = document.object("trigger") {
            facts.push(format!("while {} ran", self.name(trigger)));
        }
        facts
    }

    fn missing(&self, out: &mut Vec<u8>) {
        if let Some(value) = self.document.get("missing") {
            let text = format!("  missing: {}", self.screen.value(value));
            self.line().add(Paint::Faint, &text).finish(out);
        }
    }

    /// From the top down to the process itself.
    fn branch(&self, side: &str) -> Vec<&'a [Field]> {
        let mut branch: Vec<&[Field]> =
            self.document.object(side).map(|own| chain(own).collect()).unwrap_or_default();
        branch.reverse();
        branch
    }

    /// `comm(pid)`; a comm that could pass for more than itself is quoted.
    fn name(&self, process: &[Field]) -> String {
        let pid = find(process, "pid").and_then(Value::as_number).unwrap_or_default();
        let Some(Value::Text(comm)) = find(process, "comm") else { return format!("?({pid})") };
        let is_plain = !comm.is_empty()
            && !comm.trim_start_matches('(').contains('(')
            && !comm.contains(['─', '…', '"', '\\', '▶', '◀']);
        if is_plain {
            format!("{}({pid})", self.screen.safe(comm))
        } else {
            format!("\"{}\"({pid})", self.screen.safe(comm))
        }
    }
}

/// Both chains from the same height on: one may have been cut lower than the other.
fn level<'a>(source: Vec<&'a [Field]>, target: Vec<&'a [Field]>) -> (Vec<&'a [Field]>, Vec<&'a [Field]>) {
    let meeting = target.iter().enumerate().find_map(|(below, one)| {
        source.iter().position(|other| same(one, other)).map(|above| (above, below))
    });
    match meeting {
        Some((above, 0)) => {
            let target = [&source[..above], &target[..]].concat();
            (source, target)
        }
        Some((0, below)) => {
            let source = [&target[..below], &source[..]].concat();
            (source, target)
        }
        _ => (source, target),
    }
}

/// Where the source's chain stands at the end of the shared part.
fn trunk_end<'a>(shared: usize, source: &[Node<'a>]) -> Option<Node<'a>> {
    source.get(shared.checked_sub(1)?).copied()
}

fn same(one: &[Field], other: &[Field]) -> bool {
    match (find(one, "key"), find(other, "key")) {
        (Some(one), Some(other)) => one == other,
        _ => find(one, "pid") == find(other, "pid"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::super::document::tests::sample;
    use super::super::screen::{PLAIN, Width, width_of};
    use super::*;

    fn draw(screen: Screen, document: &Document) -> String {
        let mut out = Vec::new();
        Tree::new(screen).draw(document, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// An event with these two chains, each from the process up.
    fn event(source: &[u64], target: &[u64]) -> Document {
        let mut document = Document::default();
        document.text("event", "signal");
        document.text("signalName", "SIGTERM");
        document.text("origin", "process");
        for (side, chain) in [("source", source), ("target", target)] {
            for (place, pid) in chain.iter().enumerate() {
                if place == 0 {
                    document.open(side);
                } else {
                    document.open_last("parent");
                }
                document.number("pid", *pid);
                document.text("comm", &format!("p{pid}"));
            }
            for _ in chain {
                document.close();
            }
        }
        document
    }

    #[test]
    fn two_trees_meet_and_the_signal_is_on_the_arrow() {
        let text = draw(PLAIN, &sample());
        assert_eq!(
            text.lines().skip(1).collect::<Vec<_>>(),
            [
                "  sh(5)",
                "  ├─pkill(7)  pkill \"a b\"",
                "  │ ╰─SIGTERM─▶ yes(9)  queued",
                "  ╰─yes(9)  yes \"a b\"",
            ],
            "{text}"
        );
    }

    #[test]
    fn every_way_two_chains_can_lie_is_drawn() {
        for (source, target, drawn) in [
            (&[2, 1][..], &[2, 1][..], &["  p1(1)─p2(2)", "  ╰─SIGTERM─▶ itself"][..]),
            (&[1], &[2, 1], &["  p1(1)", "  ├─SIGTERM─▶ p2(2)", "  ╰─p2(2)"]),
            (&[2, 1], &[1], &["  p1(1)", "  ╰─p2(2)", "    ╰─SIGTERM─▶ p1(1)"]),
            (&[3, 2], &[1], &["  p2(2)", "  ╰─p3(3)", "    ╰─SIGTERM─▶ p1(1)", "  p1(1)"]),
            (
                &[4, 2, 1],
                &[5, 3, 1],
                &[
                    "  p1(1)",
                    "  ├─p2(2)",
                    "  │ ╰─p4(4)",
                    "  │   ╰─SIGTERM─▶ p5(5)",
                    "  ╰─p3(3)",
                    "    ╰─p5(5)",
                ],
            ),
            // both were cut after two
            (&[2, 1], &[3, 2], &["  p1(1)─p2(2)", "  ├─SIGTERM─▶ p3(3)", "  ╰─p3(3)"]),
            (&[3, 2], &[2, 1], &["  p1(1)─p2(2)", "  ╰─p3(3)", "    ╰─SIGTERM─▶ p2(2)"]),
            (&[], &[2, 1], &["  p1(1)─p2(2)", "  ╰─◀─SIGTERM process"]),
            (&[2, 1], &[], &["  p1(1)─p2(2)", "  ╰─SIGTERM─▶ ?"]),
        ] {
            let text = draw(PLAIN, &event(source, target));
            assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), drawn, "{source:?} {target:?}");
        }
    }

    #[test]
    fn an_end_that_a_signal_explains_has_the_outcome_and_no_arrow() {
        let mut document = Document::default();
        document.text("event", "ended");
        document.number("exitCode", 143);
        document.open("after");
        document.text("signalName", "SIGTERM");
        document.seconds("secondsAgo", 12_000_000_000);
        document.open("source");
        document.number("pid", 7);
        document.text("comm", "runc");
        document.close();
        document.close();
        document.open("target");
        document.number("pid", 9);
        document.text("comm", "java");
        document.close();
        let text = draw(PLAIN, &document);
        assert_eq!(
            text.lines().skip(1).collect::<Vec<_>>(),
            ["  after: SIGTERM from runc(7), 12.000000 s earlier", "  java(9)", "  ╰─exited 143"],
            "{text}"
        );
    }

    #[test]
    fn an_exit_that_no_signal_came_before_has_no_arrow_either() {
        let mut document = Document::default();
        document.text("event", "ended");
        document.number("exitCode", 137);
        document.open("target");
        document.number("pid", 9);
        document.text("comm", "sh");
        document.close();
        let text = draw(PLAIN, &document);
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["  sh(9)", "  ╰─exited 137"], "{text}");
    }

    #[test]
    fn ascii_means_ascii() {
        let text = draw(Screen { is_ascii: true, ..PLAIN }, &sample());
        assert!(text.is_ascii(), "{text}");
        assert!(text.contains("|-pkill(7)") && text.contains("`-SIGTERM-> yes(9)"), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_screen() {
        for columns in 0..60 {
            let text = draw(Screen { width: Width::Columns(columns), ..PLAIN }, &sample());
            assert!(text.lines().all(|line| width_of(line) <= columns), "{columns}: {text}");
        }
    }

    #[test]
    fn a_long_way_down_to_the_meeting_is_shortened_and_says_by_how_much() {
        let chain: Vec<u64> = (1..=16).rev().collect();
        let text = draw(PLAIN, &event(&[&[20], &chain[..]].concat(), &[&[21], &chain[..]].concat()));
        assert!(text.contains("p1(1)─(11 more)─p13(13)─p14(14)─p15(15)─p16(16)\n"), "{text}");
    }
}
