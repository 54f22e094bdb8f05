//! The two chains of a signal, from where they meet: the trunk in one line, below it the branches.

use std::fmt::Write;

use super::Picture;
use crate::output::format::document::{Field, Value, chain, find};
use crate::output::format::screen::{Line, Paint, width_of};

/// A process, as it stands in the drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    facts: &'a [Field],
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Source,
    Target,
    /// A signal to itself.
    Both,
    Other,
}

impl<'a> Picture<'a> {
    /// Both trees. What is above the process where they meet stands in one line.
    pub(super) fn processes(&self, out: &mut Vec<u8>) {
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
        let mut indent = "  ";
        if let Some((meeting, above)) = trunk.split_last() {
            indent = self.trunk(above, *meeting, branches.is_empty(), out);
        } else if self.is_cut("source") || self.is_cut("target") {
            self.line().add(Paint::Faint, self.screen.glyph("  …", "  ...")).finish(out);
        }
        let count = branches.len();
        for (place, branch) in branches.into_iter().enumerate() {
            self.limb(&branch, indent, place + 1 == count, has_trunk, out);
        }
    }

    /// Where the ancestors would cost the command line its room they stand in a line of their own, above it. Returns how far
    /// what hangs on it is indented.
    fn trunk(
        &self,
        above: &[Node<'a>],
        meeting: Node<'a>,
        hangs_nothing: bool,
        out: &mut Vec<u8>,
    ) -> &'static str {
        let ancestors = self.ancestors(above);
        let mut line = self.line();
        line.add(Paint::None, "  ");
        self.process(&mut line, meeting);
        let has_room = self.columns.is_none_or(|columns| width_of(&ancestors) + line.needs() <= columns);
        if above.is_empty() || has_room {
            let mut line = self.line();
            line.add(Paint::None, "  ").add(Paint::Faint, &ancestors);
            self.process(&mut line, meeting);
            line.finish(out);
            self.arrow(meeting.role, "  ", hangs_nothing, out);
            return "  ";
        }
        let joint = self.screen.glyph("─", "-");
        let ancestors = ancestors.strip_suffix(joint).unwrap_or(&ancestors);
        self.line().add(Paint::None, "  ").add(Paint::Faint, ancestors).finish(out);
        let mut line = self.line();
        line.add(Paint::Faint, "  ").add(Paint::Faint, self.corner(true));
        self.process(&mut line, meeting);
        line.finish(out);
        self.arrow(meeting.role, "    ", hangs_nothing, out);
        "    "
    }

    /// `init(1)─(3 more)─sshd(812)─bash(900)─`: the nearest are named, the farthest only counted where there are many.
    fn ancestors(&self, above: &[Node<'a>]) -> String {
        let joint = self.screen.glyph("─", "-");
        let mut text = String::new();
        if self.is_cut("source") || self.is_cut("target") {
            text.push_str(self.screen.glyph("…─", "...-"));
        }
        let named = 4;
        if above.len() > named {
            text.push_str(&self.screen.name(above[0].facts));
            let _ = write!(text, "{joint}({} more){joint}", above.len() - named);
        }
        let nearest = if above.len() > named { &above[above.len() - named + 1..] } else { above };
        for node in nearest {
            text.push_str(&self.screen.name(node.facts));
            text.push_str(joint);
        }
        text
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

    pub(super) fn corner(&self, is_last: bool) -> &'static str {
        if is_last { self.screen.glyph("╰─", "`-") } else { self.screen.glyph("├─", "|-") }
    }

    fn process(&self, line: &mut Line, node: Node<'a>) {
        let paint = match node.role {
            Role::Source => Paint::Source,
            Role::Target | Role::Both => Paint::Target,
            Role::Other => Paint::None,
        };
        line.add(paint, &self.screen.name(node.facts));
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

    /// From the top down to the process itself.
    fn branch(&self, side: &str) -> Vec<&'a [Field]> {
        let Some(own) = self.document.object(side) else { return Vec::new() };
        let mut branch: Vec<&[Field]> = chain(own).collect();
        branch.truncate(self.top_of(&branch).unwrap_or(branch.len()));
        branch.reverse();
        branch
    }

    /// Where in a chain the process is from which on upwards nothing is drawn. What a chain begins with is drawn in any case.
    fn top_of(&self, chain: &[&[Field]]) -> Option<usize> {
        let top = i128::from(self.top?);
        let is_top = |process: &&[Field]| find(process, "pid").and_then(Value::as_number) == Some(top);
        chain.iter().skip(1).position(is_top).map(|at| at + 1)
    }

    /// Does the tree of this side go on above what is drawn?
    fn is_cut(&self, side: &str) -> bool {
        let chain: Vec<&[Field]> =
            self.document.object(side).map(|own| chain(own).collect()).unwrap_or_default();
        self.document.is_set(&format!("{side}.treeTruncated")) && self.top_of(&chain).is_none()
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
