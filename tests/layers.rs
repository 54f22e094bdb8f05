//! The order of the layers: a module names only modules below it, a header of bpf/ only headers below it.

#![allow(clippy::panic, clippy::unwrap_used)] // a test

use std::fs;
use std::path::Path;

use support::files_below;

/// The lowest first. What stands together may name each other.
const LAYERS: &[&[&str]] = &[
    &["base", "error", "skel"],
    &["wire", "config"],
    &["record"],
    &["enrich"],
    &["bpf"],
    &["event"],
    &["correlate"],
    &["output"],
    &["store", "journal", "metrics"],
    &["past"],
    &["trace"],
    &["cli", "command"],
];
/// The crate itself, and what only tests use.
const ABOVE_ALL: &[&str] = &["lib", "main", "fuzz"];

/// The first component below the directory, without extension.
fn module_of(path: &Path, directory: &Path) -> String {
    let below = path.strip_prefix(directory).unwrap();
    Path::new(below.components().next().unwrap().as_os_str())
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .into_owned()
}

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|layer| layer.contains(&module));
    found.unwrap_or_else(|| panic!("module '{module}' is in no layer: add it to LAYERS of tests/layers.rs"))
}

/// Code that is compiled into the program: no comment, and nothing from the file's tests on.
fn code_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn no_module_names_one_above_it() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in files_below(&directory, &["rs"], &[]) {
        let module = module_of(&path, &directory);
        if ABOVE_ALL.contains(&&*module) {
            continue;
        }
        for line in code_of(&fs::read_to_string(&path).unwrap()) {
            for named in line.split("crate::").skip(1) {
                let named = named.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
                if layer(named) > layer(&module) {
                    wrong.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these name a module above their own:\n{}", wrong.join("\n"));
}

/// The directories of bpf/include, the lowest first.
const HEADERS: &[&str] = &["kernel_types", "wire", "base", "identity", "signal", "record", "hooks"];

#[test]
fn no_header_includes_one_above_it() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("bpf/include");
    let height = |name: &str| HEADERS.iter().position(|one| *one == name).unwrap();
    let headers = files_below(&directory, &["h"], &[]);
    let mut wrong = Vec::new();
    for path in &headers {
        let own = height(&module_of(path, &directory));
        let text = fs::read_to_string(path).unwrap();
        for named in text.lines().filter_map(|line| line.strip_prefix("#include \"")) {
            if height(named.split('/').next().unwrap()) > own {
                wrong.push(format!("{}: {named}", path.display()));
            }
        }
    }
    assert!(headers.len() > HEADERS.len(), "the headers are elsewhere");
    assert!(wrong.is_empty(), "these include a header above their own:\n{}", wrong.join("\n"));
}
