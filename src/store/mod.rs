//! Stand-in for the store until its branch is merged.
#![allow(missing_docs, clippy::missing_errors_doc, clippy::unnecessary_wraps)]
use std::ops::{ControlFlow, Range};
use std::path::Path;

pub const DIRECTORY: &str = "/var/lib/killsnoop";
#[derive(Debug, thiserror::Error)]
#[error("no store")]
pub struct StoreError;
#[derive(Debug)]
pub struct Reader;
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    pub row: i64,
    pub time: i64,
    pub json: String,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    Source,
    Target,
    Both,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Signal,
    Attempt,
    Ended,
    Lost,
    Request,
}
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub boot: Option<String>,
    pub after_row: Option<i64>,
    pub before_row: Option<i64>,
    pub kinds: Vec<Kind>,
    pub signals: Vec<u8>,
    pub is_death: bool,
    pub is_fatal: bool,
    pub target: Vec<Who>,
    pub by: Vec<Who>,
    pub either: Vec<Who>,
    pub limit: Option<u64>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Pid(u32),
    Key(String),
    Comm(String),
    Exe(String),
    Unit(String),
    Container(String),
    Pod { namespace: Option<String>, name: String },
    Uid(u32),
    User(String),
    Any(String),
}
#[derive(Debug, Clone)]
pub struct Candidate {
    pub comm: String,
    pub exe: Option<String>,
    pub unit: Option<String>,
    pub container: Option<String>,
    pub pod: Option<String>,
    pub events: u64,
    pub deaths: u64,
    pub newest: i64,
    pub who: Who,
}
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    pub spans: Vec<Span>,
    pub gaps: Vec<Gap>,
    pub losses: Vec<Loss>,
    pub notes: Vec<Note>,
    pub forgotten: Vec<Forgotten>,
    pub filters: Vec<String>,
}
#[derive(Debug, Clone)]
pub struct Span {
    pub since: i64,
    pub until: i64,
    pub run: i64,
    pub boot: String,
    pub version: String,
    pub filters: String,
    pub is_open: bool,
}
#[derive(Debug, Clone)]
pub struct Gap {
    pub since: i64,
    pub until: i64,
    pub cause: GapCause,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapCause {
    NotRunning,
    Killed,
    Rebooted,
    BeforeFirst,
    Suspended,
    DiskFull,
}
#[derive(Debug, Clone)]
pub struct Loss {
    pub time: i64,
    pub count: u64,
    pub cause: String,
}
#[derive(Debug, Clone)]
pub struct Note {
    pub time: i64,
    pub detail: String,
}
#[derive(Debug, Clone)]
pub struct Forgotten {
    pub since: i64,
    pub until: i64,
    pub kept: Kept,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    EndsAndDeaths,
    Deaths,
    Nothing,
}
#[derive(Debug, Clone)]
pub struct Boot {
    pub id: String,
    pub since: i64,
    pub until: i64,
}
impl Reader {
    pub fn open(_: &Path) -> Result<Self, StoreError> {
        Err(StoreError)
    }
    pub fn each(
        &self,
        _: &Query,
        _: Order,
        _: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        Ok(())
    }
    pub fn names(&self, _: &str, _: Sides) -> Result<Vec<Candidate>, StoreError> {
        Ok(Vec::new())
    }
    pub fn coverage(&self, _: Range<i64>) -> Result<Coverage, StoreError> {
        Ok(Coverage::default())
    }
    pub fn boots(&self) -> Result<Vec<Boot>, StoreError> {
        Ok(Vec::new())
    }
    pub fn newest_row(&self) -> Result<i64, StoreError> {
        Ok(0)
    }
}
