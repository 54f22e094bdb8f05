//! What is asked of a store, and the SQL that it becomes.

use rusqlite::types::Value;

use super::dictionary::{USERS, users_container};

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Not before: nanoseconds since the epoch, UTC.
    pub since: Option<i64>,
    /// Before.
    pub until: Option<i64>,
    /// Of this boot of the host.
    pub boot: Option<String>,
    /// Behind this row.
    pub after_row: Option<i64>,
    /// Before this row.
    pub before_row: Option<i64>,
    /// Of any of these kinds; empty: of all.
    pub kinds: Vec<Kind>,
    /// With any of these signals; empty: with all or none.
    pub signals: Vec<u8>,
    /// Ends of processes by a signal.
    pub is_death: bool,
    /// Signals that end their target.
    pub is_fatal: bool,
    /// Any of these is the target.
    pub target: Vec<Who>,
    /// Any of these is the source.
    pub by: Vec<Who>,
    /// Any of these is the one or the other.
    pub either: Vec<Who>,
    /// No more than these.
    pub limit: Option<u64>,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `event=signal`.
    Signal,
    /// `event=attempt`.
    Attempt,
    /// `event=ended`.
    Ended,
    /// `event=lost`.
    Lost,
    /// `event=request`.
    Request,
}

/// A process, by one of the names that people have for it. But for numbers and keys, a name may hold `*` and `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Its pid.
    Pid(u32),
    /// Its key, `pid@start`.
    Key(String),
    /// Its name, as in /proc/PID/comm.
    Comm(String),
    /// The path of its program.
    Exe(String),
    /// Its systemd unit, one of the host's.
    Unit(String),
    /// Its unit below a user's service manager.
    UserUnit(String),
    /// Its container: the name, or the beginning of the id.
    Container(String),
    /// Its pod: the name, or the uid.
    Pod {
        /// Its namespace, if that is given.
        namespace: Option<String>,
        /// The name.
        name: String,
    },
    /// Its user's number.
    Uid(u32),
    /// Its user's name.
    User(String),
    /// Exactly the process of this subject, as [`super::Candidate`] has it.
    Same(Box<super::reader::Identity>),
    /// A process of the same program and user in the same place: of this identity the comm, the program, the unit, the name of the container
    /// and the user.
    Like(Box<super::reader::Identity>),
    /// Any of these ways.
    Any(String),
}

/// Which side of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// The source.
    Source,
    /// The target.
    Target,
    /// Either.
    Both,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they happened.
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// The characters of a beginning of an id, at least.
const SHORTEST_ID: usize = 4;

/// Consecutive epochs: their rows, from the first to the last, and their subjects, from the first to behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) rows: (i64, i64),
    pub(super) subjects: (i64, i64),
}

/// A condition in SQL, and what its parameters are.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) parts: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Condition {
    pub(super) fn add(&mut self, text: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.parts.push(text.into());
        self.values.extend(values);
    }

    pub(super) fn sql(&self) -> String {
        if self.parts.is_empty() { "1".to_owned() } else { self.parts.join(" AND ") }
    }
}

/// Text that is compared as it is, but for `*` and `?`.
fn glob(column: &str, text: &str) -> (String, Value) {
    if text.contains(['*', '?']) {
        (format!("{column} GLOB ?"), Value::Text(text.replace('[', "[[]")))
    } else {
        (format!("{column} = ?"), Value::Text(text.to_owned()))
    }
}

impl Who {
    /// The subjects that it may be: a subquery. [`images`](Self::images) says which images, where a subject is not enough.
    fn subjects(&self, window: Option<Window>) -> (String, Vec<Value>) {
        let within = window.map_or_else(String::new, |Window { subjects: (begin, end), .. }| {
            format!("subject >= {begin} AND subject < {end} AND ")
        });
        let of = |parts: Vec<(String, Value)>, by: &str| {
            let (texts, values): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            (format!("SELECT subject FROM subject WHERE {within}({})", texts.join(by)), values)
        };
        match self {
            Self::Pid(pid) => (
                format!("SELECT subject FROM image WHERE {within}pid = ?"),
                vec![Value::Integer(i64::from(*pid))],
            ),
            Self::Key(key) => {
                let pid = key.split('@').next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
                (
                    format!("SELECT subject FROM image WHERE {within}pid = ? AND key = ?"),
                    vec![Value::Integer(pid), Value::Text(key.clone())],
                )
            }
            Self::Comm(name) => of(vec![glob("comm", name)], ""),
            Self::Exe(path) => of(vec![glob("exe", path)], ""),
            Self::Unit(unit) => of(vec![glob("unit", unit)], ""),
            Self::UserUnit(unit) => of(vec![glob("user_unit", unit)], ""),
            Self::Uid(uid) => of(vec![("uid = ?".to_owned(), Value::Integer(i64::from(*uid)))], ""),
            Self::User(name) => of(vec![glob("user", name)], ""),
            Self::Container(name) => of(container(name), " OR "),
            Self::Pod { namespace: None, name } => {
                of(vec![glob("pod_name", name), glob("pod", name)], " OR ")
            }
            Self::Pod { namespace: Some(namespace), name } => {
                of(vec![glob("namespace", namespace), glob("pod_name", name)], " AND ")
            }
            Self::Same(identity) => {
                let columns = [
                    "comm",
                    "exe",
                    "unit",
                    "user_unit",
                    "container",
                    "container_name",
                    "pod",
                    "pod_name",
                    "namespace",
                ];
                let null = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.to_owned()));
                let texts = columns.iter().zip(identity.columns());
                let mut parts: Vec<_> =
                    texts.map(|(column, text)| (format!("{column} IS ?"), null(text))).collect();
                let uid = identity.uid.map_or(Value::Null, |uid| Value::Integer(i64::from(uid)));
                parts.push(("uid IS ?".to_owned(), uid));
                of(parts, " AND ")
            }
            Self::Like(identity) => {
                let columns = [
                    ("comm", &identity.comm),
                    ("exe", &identity.exe),
                    ("unit", &identity.unit),
                    ("container_name", &identity.container_name),
                ];
                let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
                let mut parts: Vec<_> =
                    columns.map(|(column, value)| (format!("{column} IS ?"), text(value))).to_vec();
                let uid = identity.uid.map_or(Value::Null, |uid| Value::Integer(i64::from(uid)));
                parts.push(("uid IS ?".to_owned(), uid));
                of(parts, " AND ")
            }
            Self::Any(name) => of(any(name), " OR "),
        }
    }

    /// The images that it is, where a subject is not enough.
    fn images(&self) -> Option<(&'static str, Vec<Value>)> {
        match self {
            Self::Pid(pid) => Some(("pid = ?", vec![Value::Integer(i64::from(*pid))])),
            Self::Key(key) => {
                let pid = key.split('@').next().and_then(|pid| pid.parse().ok()).unwrap_or(0);
                Some(("pid = ? AND key = ?", vec![Value::Integer(pid), Value::Text(key.clone())]))
            }
            _ => None,
        }
    }

    /// Digits and keys are numbers of processes, whatever else has such a name.
    fn plain(&self) -> Self {
        let Self::Any(name) = self else { return self.clone() };
        if let Ok(pid) = name.parse() {
            return Self::Pid(pid);
        }
        match name.split_once('@') {
            Some((pid, start)) if is_digits(pid) && is_digits(start) => Self::Key(name.clone()),
            _ => self.clone(),
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn container(name: &str) -> Vec<(String, Value)> {
    // of one that a user has named, with the user or without
    let users = format!("{}{name}", users_container("*"));
    let mut parts = vec![
        glob("container_name", name),
        glob("container", name),
        glob("container_name", &users),
        glob("container", &users),
    ];
    let id = name.strip_prefix(USERS).and_then(|rest| Some(rest.split_once('/')?.1)).unwrap_or(name);
    if id.len() >= SHORTEST_ID && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        parts.push(glob("container", &format!("{name}*")));
        parts.push(glob("container", &format!("{users}*")));
    }
    parts
}

fn any(name: &str) -> Vec<(String, Value)> {
    let mut parts =
        ["comm", "unit", "user_unit", "pod_name", "pod"].map(|column| glob(column, name)).to_vec();
    parts.extend(container(name));
    if name.starts_with('/') {
        parts.push(glob("exe", name));
    } else {
        // of a path, the program
        parts.push(glob("exe", &format!("*/{name}")));
        for column in ["unit", "user_unit"] {
            parts.push((format!("{column} = ?"), Value::Text(format!("{name}.service"))));
        }
    }
    if let Some((namespace, pod)) = name.split_once('/').filter(|(namespace, _)| !namespace.is_empty()) {
        parts.push((
            "(namespace || '/' || pod_name) = ?".to_owned(),
            Value::Text(format!("{namespace}/{pod}")),
        ));
    }
    parts
}

/// That one of these is on this side.
fn side(side: &str, who: &[Who], window: Option<Window>) -> (String, Vec<Value>) {
    let (mut texts, mut values) = (Vec::new(), Vec::new());
    for one in who.iter().map(Who::plain) {
        let (subjects, of_subjects) = one.subjects(window);
        values.extend(of_subjects);
        let mut text = format!("e.{side}_subject IN ({subjects})");
        if let Some((images, of_images)) = one.images() {
            text = format!("({text} AND e.{side} IN (SELECT image FROM image WHERE {images}))");
            values.extend(of_images);
        }
        texts.push(text);
    }
    (format!("({})", texts.join(" OR ")), values)
}

/// That one of these is on one of these sides.
pub(super) fn on_sides(sides: Sides, who: &[Who], window: Option<Window>) -> (String, Vec<Value>) {
    match sides {
        Sides::Source => side("source", who, window),
        Sides::Target => side("target", who, window),
        Sides::Both => {
            let (source, mut values) = side("source", who, window);
            let (target, of_target) = side("target", who, window);
            values.extend(of_target);
            (format!("({source} OR {target})"), values)
        }
    }
}

impl Query {
    /// All but the rows; of processes, those of a window alone.
    pub(super) fn condition(&self, window: Option<Window>) -> Condition {
        let mut condition = Condition::default();
        if let Some(since) = self.since {
            condition.add("e.time >= ?", [Value::Integer(since)]);
        }
        if let Some(until) = self.until {
            condition.add("e.time < ?", [Value::Integer(until)]);
        }
        if let Some(boot) = &self.boot {
            condition.add("e.run IN (SELECT run FROM run WHERE boot = ?)", [Value::Text(boot.clone())]);
        }
        let list = |numbers: Vec<String>| numbers.join(", ");
        if let [kind] = self.kinds[..] {
            // as the index of requests has it
            condition.add(format!("e.kind = {}", kind as u8), []);
        } else if !self.kinds.is_empty() {
            let kinds = self.kinds.iter().map(|kind| (*kind as u8).to_string()).collect();
            condition.add(format!("e.kind IN ({})", list(kinds)), []);
        }
        if !self.signals.is_empty() {
            let signals = self.signals.iter().map(u8::to_string).collect();
            condition.add(format!("e.signal IN ({})", list(signals)), []);
        }
        if self.is_death {
            condition.add("e.death = 1", []);
        }
        if self.is_fatal {
            condition.add("e.fatal = 1", []);
        }
        for (sides, who) in
            [(Sides::Target, &self.target), (Sides::Source, &self.by), (Sides::Both, &self.either)]
        {
            if !who.is_empty() {
                let (text, values) = on_sides(sides, who, window);
                condition.add(text, values);
            }
        }
        condition
    }

    /// There are few rows, found by an index: processes are named, or only deaths or requests are asked for.
    pub(super) fn is_narrow(&self) -> bool {
        let names_processes = !(self.target.is_empty() && self.by.is_empty() && self.either.is_empty());
        names_processes || self.is_death || self.wants_requests()
    }

    /// Requests and nothing else.
    pub(super) fn wants_requests(&self) -> bool {
        self.kinds == [Kind::Request]
    }
}
