//! Reads a store: while it is written, when nobody writes it, on a copy, as a user who may only read.
//!
//! Every answer has a connection of its own, and holds a state of the store for a moment only: a reader that held one for long would keep
//! the recorder from moving its log. What is forgotten meanwhile is not among what is read.

use std::fs::OpenOptions;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params, params_from_iter};

use super::error::StoreError;
use super::lines::{BYTES_AT_ONCE, COLUMNS, Lines};
use super::place::{beside, open_error};
use super::query::{Order, Query, Sides, Who, on_sides};
use super::rows::{EVENTS_AT_ONCE, Rows};
use super::schema::{self, FILE};

/// Bytes of a text, and of a line: the writer takes none that is longer.
const LONGEST: i32 = 16 << 20;

/// A store that is read.
#[derive(Debug, Clone)]
pub struct Reader {
    directory: PathBuf,
}

/// An event as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number in the store: later events have higher ones.
    pub row: i64,
    /// When it was: nanoseconds since the epoch, UTC.
    pub time: i64,
    /// The run of the recorder that stored it: an id of an event is one of its run.
    pub run: i64,
    /// The line that `-o json` printed; empty if it cannot be put together.
    pub json: String,
}

/// Who a process is, beside its pid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub comm: Option<String>,
    /// Its program.
    pub exe: Option<String>,
    /// Its systemd unit, one of the host's.
    pub unit: Option<String>,
    /// Its unit below a user's service manager.
    pub user_unit: Option<String>,
    /// The id of its container.
    pub container: Option<String>,
    /// The name of that.
    pub container_name: Option<String>,
    /// The uid of its pod.
    pub pod: Option<String>,
    /// The name of that.
    pub pod_name: Option<String>,
    /// And its namespace.
    pub namespace: Option<String>,
    /// Its user.
    pub uid: Option<u32>,
}

impl Identity {
    pub(super) fn columns(&self) -> [Option<&str>; 9] {
        [
            &self.comm,
            &self.exe,
            &self.unit,
            &self.user_unit,
            &self.container,
            &self.container_name,
            &self.pod,
            &self.pod_name,
            &self.namespace,
        ]
        .map(Option::as_deref)
    }
}

/// Processes that a name may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who they are.
    pub identity: Identity,
    /// Deaths of them by a signal.
    pub deaths: u64,
    /// The time of the newest event.
    pub newest: i64,
}

impl Candidate {
    /// To ask for these alone.
    pub fn who(&self) -> Who {
        Who::Same(Box::new(self.identity.clone()))
    }
}

/// A boot of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Its id.
    pub id: String,
    /// The first that is known of it.
    pub since: i64,
    /// The last.
    pub until: i64,
}

impl Reader {
    /// Opens a store.
    ///
    /// # Errors
    /// If there is none, if it may not be read, or is from a later version.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let reader = Self { directory: directory.to_owned() };
        reader.connect()?;
        Ok(reader)
    }

    /// A connection for one answer.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        connect(&self.directory)
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Gives each event that fits to `take`, until that breaks. Nothing is held meanwhile.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn each(
        &self,
        query: &Query,
        order: Order,
        mut take: impl FnMut(StoredEvent) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut left = query.limit.unwrap_or(u64::MAX);
        let mut rows = Rows::of(&self.connect()?, query)?;
        let mut lines = Lines::default();
        loop {
            let connection = self.connect()?;
            let events = if query.is_narrow() {
                let numbers = rows.numbers(&connection, query, order)?;
                drop(connection);
                if numbers.is_empty() {
                    return Ok(());
                }
                let mut numbers = &numbers[..];
                while !numbers.is_empty() {
                    let (events, count) = events_at(&self.connect()?, numbers, &mut lines)?;
                    numbers = numbers.get(count..).unwrap_or_default();
                    for event in events {
                        if left == 0 || take(event).is_break() {
                            return Ok(());
                        }
                        left -= 1;
                    }
                }
                continue;
            } else {
                rows.events(&connection, query, order, &mut lines)?
            };
            drop(connection);
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                if left == 0 || take(event).is_break() {
                    return Ok(());
                }
                left -= 1;
            }
        }
    }

    /// Whose deaths this name means, in any of the ways in which people name a process; those with the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn deaths_of(&self, name: &str) -> Result<Vec<Candidate>, StoreError> {
        let connection = self.connect()?;
        let (condition, values) = on_sides(Sides::Target, &[Who::Any(name.to_owned())], None);
        // the index alone counts them
        let mut statement = connection.prepare(&format!(
            "SELECT s.comm, s.exe, s.unit, s.user_unit, s.container, s.container_name, s.pod, s.pod_name, s.namespace, s.uid, d.deaths,
               (SELECT time FROM event WHERE row = d.newest)
             FROM (SELECT e.target_subject AS subject, count(*) AS deaths, max(e.row) AS newest
               FROM event e INDEXED BY event_death WHERE e.death = 1 AND {condition} GROUP BY 1) d JOIN subject s USING(subject)"
        ))?;
        let found = statement.query_map(params_from_iter(values), |row| {
            Ok(Candidate {
                identity: Identity {
                    comm: row.get(0)?,
                    exe: row.get(1)?,
                    unit: row.get(2)?,
                    user_unit: row.get(3)?,
                    container: row.get(4)?,
                    container_name: row.get(5)?,
                    pod: row.get(6)?,
                    pod_name: row.get(7)?,
                    namespace: row.get(8)?,
                    uid: row.get(9)?,
                },
                deaths: row.get(10)?,
                newest: row.get(11)?,
            })
        })?;
        let mut all: Vec<Candidate> = Vec::new();
        for one in found {
            let one = one?;
            match all.iter_mut().find(|known| known.identity == one.identity) {
                Some(known) => {
                    known.deaths += one.deaths;
                    known.newest = known.newest.max(one.newest);
                }
                None => all.push(one),
            }
        }
        all.sort_by_key(|one| std::cmp::Reverse(one.newest));
        Ok(all)
    }

    /// The boots of the host that something is known of, the oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn boots(&self) -> Result<Vec<Boot>, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection
            .prepare("SELECT boot, min(began), max(seen) FROM run GROUP BY boot ORDER BY min(run)")?;
        let boots = statement
            .query_map([], |row| Ok(Boot { id: row.get(0)?, since: row.get(1)?, until: row.get(2)? }))?;
        Ok(boots.collect::<Result<_, _>>()?)
    }

    /// The number of the newest event; 0 if there is none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn newest_row(&self) -> Result<i64, StoreError> {
        Ok(self.connect()?.query_row("SELECT coalesce(max(row), 0) FROM event", [], |row| row.get(0))?)
    }
}

/// A connection that reads, also where this user may not write.
pub(super) fn connect(directory: &Path) -> Result<Connection, StoreError> {
    let file = directory.join(FILE);
    check_file(directory, &file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = opened(&file, flags)?;
    match schema::check(&opened) {
        Err(StoreError::Database(error)) if cannot_share(&error) && !beside(&file, "-wal").exists() => {
            // nobody writes, and what SQLite shares cannot be made here: the file is all there is
            let uri = format!("file:{}?immutable=1", escaped(&file));
            let opened = self::opened(uri, flags | OpenFlags::SQLITE_OPEN_URI)?;
            schema::check(&opened)?;
            Ok(opened)
        }
        Err(StoreError::Database(error)) if cannot_share(&error) => Err(StoreError::Open {
            directory: directory.to_owned(),
            why: "its log can be read only where this user may write".to_owned(),
            hint: "\nhint: copy the directory to one of your own, and name that (--store DIR)",
        }),
        checked => checked.map(|()| opened),
    }
}

/// The store may be somebody else's: what is opened must be files.
fn check_file(directory: &Path, file: &Path) -> Result<(), StoreError> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::Absent(directory.to_owned()),
        _ => open_error(directory, &error),
    };
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(file);
    let is_link = |error: &io::Error| error.raw_os_error() == Some(libc::ELOOP);
    let mut is_regular = match opened {
        Ok(opened) => opened.metadata().map_err(refused)?.is_file(),
        Err(error) if is_link(&error) => false,
        Err(error) => return Err(refused(error)),
    };
    for ending in ["-wal", "-shm"] {
        is_regular &= beside(file, ending).symlink_metadata().map_or(true, |metadata| metadata.is_file());
    }
    if is_regular {
        return Ok(());
    }
    Err(StoreError::Open {
        directory: directory.to_owned(),
        why: format!("{FILE}, or what belongs to it, is not a regular file"),
        hint: "\nhint: killsnoop record makes none such: see who may write to the directory",
    })
}

/// A connection to what may be a hostile file.
fn opened(file: impl AsRef<Path>, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(schema::PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    Ok(connection)
}

fn cannot_share(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(error, _) = error else { return false };
    matches!(error.code, rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly)
}

/// A path in a URI.
fn escaped(path: &Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt;
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The events of the first of these rows, those that are still there; and how many rows that were.
fn events_at(
    connection: &Connection,
    rows: &[i64],
    lines: &mut Lines,
) -> Result<(Vec<StoredEvent>, usize), StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM event e WHERE e.row = ?"))?;
    let (mut events, mut bytes, mut count) = (Vec::new(), 0, 0);
    for row in rows.iter().take(EVENTS_AT_ONCE) {
        let found = statement.query_row(params![row], |row| lines.event(connection, row)).optional()?;
        count += 1;
        bytes += found.as_ref().map_or(0, |event| event.json.len());
        events.extend(found);
        if bytes >= BYTES_AT_ONCE {
            break;
        }
    }
    Ok((events, count))
}
