//! The files of a checkout.

use std::fs;
use std::path::{Path, PathBuf};

/// All files below a directory whose names end in one of these extensions, in order; not what is below a directory of the
/// names to leave out.
pub fn files_below(directory: &Path, extensions: &[&str], leave_out: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_left_out = |path: &PathBuf| leave_out.iter().any(|name| path.ends_with(name));
    let has_extension =
        |path: &PathBuf| extensions.iter().any(|end| path.extension().is_some_and(|found| found == *end));
    let below = |path: PathBuf| {
        if path.is_dir() {
            files_below(&path, extensions, leave_out)
        } else {
            Some(path).filter(has_extension).into_iter().collect()
        }
    };
    paths.into_iter().filter(|path| !is_left_out(path)).flat_map(below).collect()
}
