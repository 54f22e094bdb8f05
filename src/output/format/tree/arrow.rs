//! The arrow from the source to the target: what came, and what became of it.

use super::Picture;
use super::chains::Role;
use crate::event::header::EventKind;
use crate::output::format::effect::{self, Effect, how_it_ended, requested};
use crate::output::format::screen::Paint;

impl Picture<'_> {
    /// What the arrow at a process of this role says; none if no arrow leaves there.
    fn arrow_of(&self, role: Role) -> Option<(String, String)> {
        let signal = self.text("signalName").unwrap_or_default();
        let (line, head, tail) =
            (self.screen.glyph("─", "-"), self.screen.glyph("▶", ">"), self.screen.glyph("◀", "<"));
        let target = self.document.object("target").map(|target| self.screen.name(target));
        match role {
            Role::Source => {
                let whom = target.or_else(|| requested(self.document)).unwrap_or_else(|| "?".to_owned());
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

    pub(super) fn arrow(&self, role: Role, indent: &str, is_last: bool, out: &mut Vec<u8>) {
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
        let is_deadly =
            self.document.header().is_fatal || effect::effect(self.screen, self.document).is_deadly;
        if is_deadly { Paint::Fatal } else { Paint::None }
    }

    /// What became of the signal, and how it came.
    fn outcome(&self) -> Vec<String> {
        let document = self.document;
        let mut facts = Vec::new();
        if document.header().kind == EventKind::Ended {
            facts.push(how_it_ended(document));
        } else if document.text_at("result").is_some() {
            let Effect { text, detail, .. } = effect::effect(self.screen, document);
            // the sentence of a call that failed has the rest
            facts.push(if document.header().kind == EventKind::Attempt { text } else { text + &detail });
        }
        if document.text_at("target.disposition") == Some("ignored")
            && document.text_at("result") != Some("ignored")
        {
            facts.push("ignored there".to_owned());
        }
        if let Some(via) = self.text("via") {
            facts.push(format!("by {via}"));
        }
        match document.text_at("scope") {
            // the sentence of a call that failed has said so
            Some("process") | None => {}
            Some(_) if document.header().kind == EventKind::Attempt => {}
            Some(scope) => facts.push(format!("to the {}", self.screen.safe(scope).replace('-', " "))),
        }
        if document.object("source").is_none() {
            facts.extend(self.text("code"));
        }
        if let Some(trigger) = document.object("trigger") {
            facts.push(format!("while {} ran", self.screen.name(trigger)));
        }
        facts
    }
}
