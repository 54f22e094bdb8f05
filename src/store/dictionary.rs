//! What events of one epoch have in common, and the numbers of its rows: images, phrases, subjects.
//!
//! A text is known by a hash of 128 bits with a random key: nobody can make two that are taken for one.

use std::fmt::Display;
use std::hash::{BuildHasher, Hash, RandomState};

use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::scan::{Member, member, members};
use super::shape::{Image, Side};

/// Texts that came once are remembered so often: the next time they become a phrase.
const SEEN_ONCE: usize = 16_384;

/// What the name of a container that a user has named begins with, as events are found by it.
pub(crate) const USERS: &str = "user:";

/// And of one user.
pub(crate) fn users_container(uid: impl Display) -> String {
    format!("{USERS}{uid}/")
}

/// Who a process is to those who ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    pub(super) comm: Option<String>,
    pub(super) exe: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) user_unit: Option<String>,
    pub(super) container: Option<String>,
    pub(super) container_name: Option<String>,
    pub(super) pod: Option<String>,
    pub(super) pod_name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) uid: Option<u32>,
    pub(super) user: Option<String>,
    pub(super) cgroup: Option<String>,
}

impl Subject {
    /// Of a process as an event has it.
    fn of(process: &[Member<'_>]) -> Self {
        let text = |key| member(process, key).and_then(Member::text);
        let within = |key: &str, inner: &str| {
            let found = members(member(process, key)?.value)?;
            let one = member(&found, inner)?;
            one.text().or_else(|| Some(one.value.to_owned()))
        };
        // a name that a user has chosen is none of the host's
        let of_user = within("container", "ofUser").map(users_container).unwrap_or_default();
        let of_container = |inner: &str| Some(format!("{of_user}{}", within("container", inner)?));
        let pod = |inner: &str| {
            let k8s = members(member(process, "k8s")?.value)?;
            let pod = members(member(&k8s, "pod")?.value)?;
            member(&pod, inner)?.text()
        };
        Self {
            comm: text("comm"),
            exe: text("exe"),
            unit: within("systemd", "unit"),
            user_unit: within("systemd", "userUnit"),
            container: of_container("id"),
            container_name: of_container("name"),
            pod: pod("uid"),
            // in a pod, the host name is the pod's
            pod_name: pod("name").or_else(|| {
                let is_in_pod = member(process, "k8s").is_some();
                within("uts", "nodename").filter(|_| is_in_pod)
            }),
            namespace: within("k8s", "namespace"),
            uid: within("user", "id").and_then(|id| id.parse().ok()),
            user: within("user", "name"),
            cgroup: text("cgroup"),
        }
    }
}

/// The numbers that rows get next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) row: i64,
    pub(super) image: i64,
    pub(super) phrase: i64,
    pub(super) subject: i64,
}

/// A column: text, or the number of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Text {
    None,
    Own(String),
    Phrase(i64),
}

impl rusqlite::ToSql for Text {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::None => rusqlite::types::Null.to_sql(),
            Self::Own(text) => text.to_sql(),
            Self::Phrase(number) => number.to_sql(),
        }
    }
}

/// The rows of one epoch by what they hold.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    keys: [RandomState; 2],
    images: FxHashMap<u128, (i64, Option<i64>)>,
    phrases: FxHashMap<u128, i64>,
    subjects: FxHashMap<u128, i64>,
    seen_once: FxHashSet<u64>,
    /// Bytes that were put into the epoch by it.
    pub(super) bytes: u64,
}

impl Dictionary {
    fn hash(&self, what: &impl Hash) -> u128 {
        let [first, second] = [0, 1].map(|key: usize| self.keys[key].hash_one(what));
        (u128::from(first) << 64) | u128::from(second)
    }

    /// The image of a side, and its subject.
    pub(super) fn side(
        &mut self,
        side: &Side,
        next: &mut Next,
        connection: &Connection,
    ) -> rusqlite::Result<(i64, Option<i64>)> {
        self.image(&side.image, true, next, connection)
    }

    fn image(
        &mut self,
        image: &Image,
        is_side: bool,
        next: &mut Next,
        connection: &Connection,
    ) -> rusqlite::Result<(i64, Option<i64>)> {
        let parent = match &image.parent {
            Some(parent) => Some(self.image(parent, false, next, connection)?.0),
            None => None,
        };
        let hash = self.hash(&(&image.body, parent, is_side));
        if let Some(known) = self.images.get(&hash) {
            return Ok(*known);
        }
        let (mut pid, mut key, mut subject): (Option<u32>, _, _) = (None, None, None);
        if is_side {
            // marks are no part of it
            let plain: String = image.body.chars().filter(|character| *character >= ' ').collect();
            let plain = plain.replace("\"parent\":}", "\"parent\":0}");
            if let Some(found) = members(&plain) {
                pid = member(&found, "pid").and_then(Member::number);
                key = member(&found, "key").and_then(Member::text);
                subject = Some(self.subject(&Subject::of(&found), next, connection)?);
            }
        }
        let number = next.image;
        connection
            .prepare_cached(
                "INSERT INTO image(image, parent, subject, pid, key, body) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![number, parent, subject, pid, key, image.body])?;
        next.image += 1;
        self.bytes += image.body.len() as u64 + 40;
        self.images.insert(hash, (number, subject));
        Ok((number, subject))
    }

    /// What a request names, as the target that it may have.
    pub(super) fn unit(
        &mut self,
        unit: &str,
        next: &mut Next,
        connection: &Connection,
    ) -> rusqlite::Result<i64> {
        let subject = Subject { unit: Some(unit.to_owned()), ..Subject::default() };
        self.subject(&subject, next, connection)
    }

    fn subject(
        &mut self,
        subject: &Subject,
        next: &mut Next,
        connection: &Connection,
    ) -> rusqlite::Result<i64> {
        let hash = self.hash(subject);
        if let Some(known) = self.subjects.get(&hash) {
            return Ok(*known);
        }
        let number = next.subject;
        let one = subject;
        connection
            .prepare_cached(
                "INSERT INTO subject(subject, comm, exe, unit, user_unit, container, container_name, pod, pod_name, namespace, uid, user, cgroup)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                number, one.comm, one.exe, one.unit, one.user_unit, one.container, one.container_name, one.pod, one.pod_name,
                one.namespace, one.uid, one.user, one.cgroup
            ])?;
        next.subject += 1;
        self.bytes += 200;
        self.subjects.insert(hash, number);
        Ok(number)
    }

    /// The number of a text that many events have.
    pub(super) fn phrase(
        &mut self,
        text: &str,
        next: &mut Next,
        connection: &Connection,
    ) -> rusqlite::Result<i64> {
        let hash = self.hash(&text);
        if let Some(known) = self.phrases.get(&hash) {
            return Ok(*known);
        }
        let number = next.phrase;
        connection
            .prepare_cached("INSERT INTO phrase(phrase, body) VALUES (?, ?)")?
            .execute(params![number, text])?;
        next.phrase += 1;
        self.bytes += text.len() as u64 + 8;
        self.phrases.insert(hash, number);
        Ok(number)
    }

    /// A text that may come again: a phrase from its second time on.
    pub(super) fn text(
        &mut self,
        text: Option<&str>,
        next: &mut Next,
        connection: &Connection,
    ) -> rusqlite::Result<Text> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Text::None) };
        if text.len() < 4 {
            return Ok(Text::Own(text.to_owned()));
        }
        let hash = self.hash(&text);
        if let Some(known) = self.phrases.get(&hash) {
            return Ok(Text::Phrase(*known));
        }
        let short = hash as u64;
        if self.seen_once.remove(&short) {
            return self.phrase(text, next, connection).map(Text::Phrase);
        }
        if self.seen_once.len() >= SEEN_ONCE {
            self.seen_once.clear();
        }
        self.seen_once.insert(short);
        Ok(Text::Own(text.to_owned()))
    }
}
