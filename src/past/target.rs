//! The names that people have for what was killed, as they are typed: a pid, `pid@start`, a comm, a path, a unit, a container, a
//! pod. The store looks for them by its columns; what it finds is compared here with the event itself.

use std::fmt;
use std::str::FromStr;

use crate::error::UsageError;
use crate::output::format::document::{Document, Field, Value, find};
use crate::output::select::filter::{Glob, Names, ProcessName, parse_pid};
use crate::store::{USERS, users_container};

/// The shortest beginning of a container's id that is taken for one.
const SHORTEST_ID: usize = 4;

/// One name of a process, and what kind of name it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A pid. Many processes have had it.
    Pid(u32),
    /// `pid@start`: one process.
    Key(String),
    /// Its comm.
    Comm(ProcessName),
    /// The path of its program, or the last word of it.
    Exe(ProcessName),
    /// Its unit, one of the host's, with or without the suffix.
    Unit(Glob),
    /// Its unit below a user's service manager, with or without the suffix.
    UserUnit(Glob),
    /// The beginning of its container's id, or the container's name.
    Container(Glob),
    /// Its pod: the name (a pod's host name) or the uid, and the namespace if that was given.
    Pod(Option<String>, Glob),
    /// Its user, by number or name.
    User(String),
    /// Any of these but the user.
    Any(ProcessName, Glob),
}

impl FromStr for Target {
    type Err = UsageError;

    /// What it is is decided by its looks; a plain word may be any name.
    fn from_str(text: &str) -> Result<Self, UsageError> {
        if text.is_empty() {
            return Err(UsageError::EmptyName);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return parse_pid(text).map(Self::Pid);
        }
        if is_key(text) {
            return Ok(Self::Key(text.to_owned()));
        }
        if text.starts_with('/') {
            return Ok(Self::Exe(ProcessName::new(text)));
        }
        match text.split_once('/') {
            Some((namespace, name)) => Ok(Self::Pod(Some(namespace.to_owned()), Glob::new(name))),
            None => Ok(Self::Any(ProcessName::new(text), Glob::new(text))),
        }
    }
}

impl Target {
    /// `--pid`: a pid, or `pid@start`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn pid(text: &str) -> Result<Self, UsageError> {
        if is_key(text) { Ok(Self::Key(text.to_owned())) } else { parse_pid(text).map(Self::Pid) }
    }

    /// `--comm`.
    ///
    /// # Errors
    /// If it is empty.
    pub fn comm(text: &str) -> Result<Self, UsageError> {
        not_empty(text).map(|text| Self::Comm(ProcessName::new(text)))
    }

    /// `--exe`: a path, or the last word of one.
    ///
    /// # Errors
    /// If it is empty.
    pub fn exe(text: &str) -> Result<Self, UsageError> {
        not_empty(text).map(|text| Self::Exe(ProcessName::new(text)))
    }

    /// `--unit`.
    ///
    /// # Errors
    /// If it is empty.
    pub fn unit(text: &str) -> Result<Self, UsageError> {
        not_empty(text).map(|text| Self::Unit(Glob::new(text)))
    }

    /// `--user-unit`.
    ///
    /// # Errors
    /// If it is empty.
    pub fn user_unit(text: &str) -> Result<Self, UsageError> {
        not_empty(text).map(|text| Self::UserUnit(Glob::new(text)))
    }

    /// `--container`.
    ///
    /// # Errors
    /// If it is empty.
    pub fn container(text: &str) -> Result<Self, UsageError> {
        not_empty(text).map(|text| Self::Container(Glob::new(text)))
    }

    /// `--pod`: `[NAMESPACE/]NAME`.
    ///
    /// # Errors
    /// If it is empty.
    pub fn pod(text: &str) -> Result<Self, UsageError> {
        not_empty(text).map(|text| match text.split_once('/') {
            Some((namespace, name)) => Self::Pod(Some(namespace.to_owned()), Glob::new(name)),
            None => Self::Pod(None, Glob::new(text)),
        })
    }

    /// `--user`: a name or a number.
    ///
    /// # Errors
    /// If it is empty.
    pub fn user(text: &str) -> Result<Self, UsageError> {
        not_empty(text).map(|text| Self::User(text.to_owned()))
    }

    /// `--by`: digits are a uid, and [`also_pid`](Self::also_pid); a name is [`also_user`](Self::also_user).
    ///
    /// # Errors
    /// If it is empty.
    pub fn sender(text: &str) -> Result<Self, UsageError> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::user(text);
        }
        text.parse()
    }

    /// Is this a process of a user's container, and the name one of the host's as well?
    pub fn is_name_of_users_container(&self, process: &[Field]) -> bool {
        let (Self::Container(name) | Self::Any(_, name)) = self else { return false };
        find(process, "container").is_some()
            && number(process, &["container", "ofUser"]).is_some()
            && is_container(name, process)
            && !name.text().starts_with(USERS)
    }

    /// The process of this number, where a user is named by one: who typed it may have read it in `bash(25402)`.
    pub fn also_pid(&self) -> Option<Self> {
        match self {
            Self::User(number) => parse_pid(number).ok().map(Self::Pid),
            _ => None,
        }
    }

    /// The user of this name, where a process is named by one.
    pub fn also_user(&self) -> Option<Self> {
        matches!(self, Self::Any(..)).then(|| Self::User(self.to_string()))
    }

    /// Is it a name of this process, as an event has it?
    pub fn fits(&self, process: &[Field]) -> bool {
        match self {
            Self::Pid(pid) => find(process, "pid").and_then(Value::as_number) == Some(i128::from(*pid)),
            Self::Key(key) => text(process, &["key"]) == Some(key),
            Self::Comm(name) => name.is_one_of(&Names { comm: text(process, &["comm"]), ..Names::default() }),
            Self::Exe(name) => name.is_one_of(&Names { exe: text(process, &["exe"]), ..Names::default() }),
            Self::Unit(unit) => units(process)[0].is_some_and(|of| is_unit(unit, of)),
            Self::UserUnit(unit) => units(process)[1].is_some_and(|of| is_unit(unit, of)),
            Self::Container(name) => is_container(name, process),
            Self::Pod(namespace, name) => {
                // where the namespace of a pod is not known, nothing is said of it
                let of = text(process, &["k8s", "namespace"]);
                namespace.as_deref().is_none_or(|wanted| of.is_none_or(|of| of == wanted))
                    && is_pod(name, process)
            }
            Self::User(user) => {
                let id = number(process, &["user", "id"]).map(|id| id.to_string());
                id.as_deref() == Some(user) || text(process, &["user", "name"]) == Some(user)
            }
            Self::Any(name, glob) => {
                let names = Names {
                    comm: text(process, &["comm"]),
                    exe: text(process, &["exe"]),
                    units: units(process),
                };
                name.is_one_of(&names) || is_container(glob, process) || is_pod(glob, process)
            }
        }
    }

    /// Does this event concern what it names: is it the target, or does a request name its unit?
    pub fn is_target_of(&self, document: &Document) -> bool {
        document.object("target").is_some_and(|target| self.fits(target))
    }
}

/// As it was typed.
impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pid(pid) => write!(formatter, "{pid}"),
            Self::Key(text) | Self::User(text) => formatter.write_str(text),
            Self::Comm(name) | Self::Exe(name) | Self::Any(name, _) => name.fmt(formatter),
            Self::Unit(glob) | Self::UserUnit(glob) | Self::Container(glob) | Self::Pod(None, glob) => {
                formatter.write_str(glob.text())
            }
            Self::Pod(Some(namespace), glob) => write!(formatter, "{namespace}/{}", glob.text()),
        }
    }
}

fn not_empty(text: &str) -> Result<&str, UsageError> {
    if text.is_empty() { Err(UsageError::EmptyName) } else { Ok(text) }
}

fn is_key(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('@').is_some_and(|(pid, start)| is_number(pid) && is_number(start))
}

/// What is at a path of a process.
pub(crate) fn value<'a>(process: &'a [Field], path: &[&str]) -> Option<&'a Value> {
    let (last, above) = path.split_last()?;
    let mut fields = process;
    for key in above {
        match find(fields, key)? {
            Value::Object(inner) => fields = inner,
            _ => return None,
        }
    }
    find(fields, last)
}

/// The text at a path of a process.
pub(crate) fn text<'a>(process: &'a [Field], path: &[&str]) -> Option<&'a str> {
    match value(process, path)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The number at a path of a process.
pub(crate) fn number(process: &[Field], path: &[&str]) -> Option<i128> {
    value(process, path)?.as_number()
}

/// Its unit of the host, and that below a user's service manager, which has chosen its name.
fn units(process: &[Field]) -> [Option<&str>; 2] {
    [text(process, &["systemd", "unit"]), text(process, &["systemd", "userUnit"])]
}

fn is_unit(unit: &Glob, of: &str) -> bool {
    unit.matches(of) || of.rsplit_once('.').is_some_and(|(name, _)| unit.matches(name))
}

/// The id of its container, and the name of that. Of one that a user has named they begin with that: any user may take the id of
/// a container of the host's.
pub fn container_names(process: &[Field]) -> [Option<String>; 2] {
    let of_user = number(process, &["container", "ofUser"]);
    ["id", "name"].map(|key| {
        let plain = text(process, &["container", key])?;
        Some(of_user.map_or_else(|| plain.to_owned(), |uid| format!("{}{plain}", users_container(uid))))
    })
}

/// A container of the host's, or one of a user: by its name with the user, or else without.
fn is_container(name: &Glob, process: &[Field]) -> bool {
    let is_id = |id: &str| {
        let wanted = name.text();
        name.matches(id) || (wanted.len() >= SHORTEST_ID && id.starts_with(wanted))
    };
    let [id, own_name] = container_names(process);
    text(process, &["container", "id"]).is_some_and(is_id)
        || text(process, &["container", "name"]).is_some_and(|of| name.matches(of))
        || id.as_deref().is_some_and(is_id)
        || own_name.is_some_and(|of| name.matches(&of))
}

/// The host name of a pod is its name.
fn is_pod(name: &Glob, process: &[Field]) -> bool {
    let is = |path: &[&str]| text(process, path).is_some_and(|of| name.matches(of));
    find(process, "k8s").is_some()
        && (is(&["k8s", "pod", "uid"]) || is(&["k8s", "pod", "name"]) || is(&["uts", "nodename"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::read;

    fn fits(name: &str, target: &str) -> bool {
        let event = read::document(&format!("{{\"event\":\"signal\",\"target\":{target}}}")).unwrap();
        name.parse::<Target>().unwrap().is_target_of(&event)
    }

    const NGINX: &str = r#"{"pid":812,"comm":"nginx","key":"812@5","exe":"/usr/sbin/nginx","user":{"id":33},
        "systemd":{"unit":"nginx.service"}}"#;
    const POD: &str = r#"{"pid":9,"comm":"java","key":"9@7","exe":"/opt/java/bin/java","uts":{"nodename":"checkout-5d9c-8zkqm"},
        "container":{"id":"4b5e57f6eb2f00","runtime":"containerd","name":"app"},"k8s":{"pod":{"uid":"aa-bb"}}}"#;

    #[test]
    fn a_target_is_named_by_any_name_that_people_have() {
        for (name, target, expected) in [
            ("812", NGINX, true),
            ("81", NGINX, false),
            ("812@5", NGINX, true),
            ("812@6", NGINX, false),
            ("nginx", NGINX, true),
            ("ngin*", NGINX, true),
            ("/usr/sbin/nginx", NGINX, true),
            ("/sbin/nginx", NGINX, false),
            ("nginx.service", NGINX, true),
            ("nginx.socket", NGINX, false),
            ("4b5e57f6", POD, true),
            ("4b5", POD, false),
            ("app", POD, true),
            ("checkout-5d9c-8zkqm", POD, true),
            ("checkout-*", POD, true),
            ("shop/checkout-5d9c-8zkqm", POD, true),
            ("shop/nginx", POD, false),
            ("aa-bb", POD, true),
            ("java", POD, true),
            ("javac", POD, false),
        ] {
            assert_eq!(fits(name, target), expected, "{name}");
        }
    }

    #[test]
    fn a_container_of_a_user_has_the_user_in_its_name() {
        let own = r#"{"pid":9,"comm":"x","container":{"id":"4b5e57f6eb2f00","ofUser":1000}}"#;
        for (name, expected) in [
            ("4b5e57f6", true),
            ("user:1000/4b5e57f6", true),
            ("user:1000/4b5e57f6eb2f00", true),
            ("user:1001/4b5e57f6", false),
        ] {
            let event = read::document(&format!("{{\"event\":\"signal\",\"target\":{own}}}")).unwrap();
            let target = Target::container(name).unwrap();
            assert_eq!(target.is_target_of(&event), expected, "{name}");
            let process = event.object("target").unwrap();
            assert_eq!(target.is_name_of_users_container(process), name == "4b5e57f6", "{name}");
        }
        assert!(!fits("user:1000/4b5e57f6", POD));
    }

    #[test]
    fn a_sender_may_be_named_by_its_user() {
        let root = Target::sender("root").unwrap().also_user().unwrap();
        let fits = |process: &str| {
            let event = read::document(&format!("{{\"event\":\"signal\",\"source\":{process}}}")).unwrap();
            root.fits(event.object("source").unwrap())
        };
        assert!(fits(r#"{"pid":9,"comm":"bash","user":{"id":0,"name":"root"}}"#));
        assert!(!fits(r#"{"pid":9,"comm":"bash","user":{"id":1,"name":"daemon"}}"#));
        assert!(Target::sender("0").unwrap().also_user().is_none());
    }

    #[test]
    fn a_host_name_is_a_pods_only_in_a_pod() {
        assert!(!fits("web1", r#"{"pid":9,"comm":"x","uts":{"nodename":"web1"}}"#));
    }

    #[test]
    fn what_can_be_no_name_is_refused() {
        for wrong in ["", "0", "4194304"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
        for wrong in ["", "x", "7@x"] {
            assert!(Target::pid(wrong).is_err(), "{wrong}");
        }
    }
}
