use super::*;

/// What is listed here is left alone by `--redact`: no other process may choose a byte of it.
#[test]
fn text_that_is_not_searched_for_secrets_is_listed_here() {
    let mut own: Vec<String> = Vec::new();
    for keys in [EVENT, Process.below(), ShortProcess.below()] {
        add_own("", keys, &mut own);
    }
    own.sort();
    own.dedup();
    let listed = [
        "after.result",
        "after.source.key",
        "code",
        "container.runtime",
        "fault.address",
        "fault.ip",
        "firstTime",
        "kernelStack",
        "key",
        "lastSignal.source.key",
        "missing",
        "msg",
        "previous.result",
        "previous.source.key",
        "result",
        "seccomp.address",
        "seccomp.arch",
        "seccomp.syscallName",
        "signalString",
        "sigval.ptr",
        "startTime",
        "time",
        "tty.name",
        "via",
    ];
    assert_eq!(own, listed);
}

fn add_own(path: &str, keys: Keys, own: &mut Vec<String>) {
    for key in keys.iter() {
        let path = format!("{path}{}", key.name);
        match key.kind {
            Object(_) => add_own(&format!("{path}."), key.below(), own),
            Text(Own) | List(Own) => own.push(path),
            _ => {}
        }
    }
}

/// All keys, those of processes once.
fn all_keys() -> Vec<&'static Key> {
    fn add(keys: Keys, all: &mut Vec<&'static Key>) {
        for key in keys.iter() {
            all.push(key);
            if let Object(_) = key.kind {
                add(key.below(), all);
            }
        }
    }
    let mut all = Vec::new();
    for keys in [EVENT, Process.below(), ShortProcess.below()] {
        add(keys, &mut all);
    }
    all
}

#[test]
fn a_raw_companion_is_called_so_and_nothing_else_is() {
    let all = all_keys();
    let companions: Vec<&Key> = all.iter().filter_map(|key| key.raw).collect();
    assert!(companions.len() > 10);
    for key in all {
        if let Some(raw) = key.raw {
            assert_eq!(raw.name, format!("{}{RAW}", key.name));
            assert!(matches!(raw.kind, ValueKind::Base64 | Names), "{}", raw.name);
        }
        assert_eq!(key.name.ends_with(RAW), companions.contains(&key), "{}", key.name);
    }
}

#[test]
fn a_foreign_text_has_its_bytes_beside_it_unless_it_is_text_by_its_nature() {
    // names of /etc and of JSON, units and ids of cgroups: whether they are UTF-8 is decided before, or known from the cgroup; what a command
    // was executed by is the first word of its command line, which has its bytes
    let by_nature = ["name", "image", "namespace", "unit", "userUnit", "id", "uid", "argv0"];
    for key in all_keys() {
        if let Text(Foreign) | List(Foreign) | Names = key.kind {
            let has_bytes = key.raw.is_some() || key.name.ends_with(RAW) || by_nature.contains(&key.name);
            assert!(has_bytes, "{}", key.name);
        }
    }
}

#[test]
fn no_key_is_in_the_table_twice() {
    for keys in [Process.below(), ShortProcess.below(), EVENT] {
        let mut names: Vec<&str> = keys.iter().map(|key| key.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn meanings_need_no_escapes() {
    for key in all_keys() {
        assert!(!key.meaning.contains(['"', '\\', '|', '\n']), "{}", key.name);
    }
}
