//! Events as a test reads them: lines of JSON.

use std::sync::OnceLock;

use serde_json::Value;

/// A line of JSON, which keeps the schema of the docs.
pub fn event(line: &str) -> Value {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let text = include_str!("../../../docs/killsnoop.schema.json");
        jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
    });
    let event = serde_json::from_str(line).expect("a line is a JSON object");
    // to say what is wrong takes many times as long, and some tests read thousands of lines
    if !schema.is_valid(&event) {
        let errors: Vec<String> = schema.iter_errors(&event).map(|error| error.to_string()).collect();
        panic!("against the schema: {errors:#?} in {line}");
    }
    event
}

/// The command line of a process in an event, as strings.
pub fn cmdline(process: &Value) -> Vec<String> {
    process["cmdline"]
        .as_array()
        .unwrap_or_else(|| panic!("no cmdline in {process}"))
        .iter()
        .map(|argument| argument.as_str().unwrap().to_owned())
        .collect()
}

/// The pids from a process up to the top of its tree.
pub fn pids_up(process: &Value) -> Vec<u64> {
    let mut pids = Vec::new();
    let mut at = process;
    while let Some(pid) = at["pid"].as_u64() {
        pids.push(pid);
        at = &at["parent"];
    }
    pids
}

/// What user 0 is called in a subject of an event: in a mount namespace that is not the host's, as a container has it, ids have no name.
pub fn name_of_root(subject: &Value) -> Option<&'static str> {
    subject["mntns"].is_null().then_some("root")
}
