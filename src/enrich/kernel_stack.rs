//! The kernel's own stack, where a signal or an OOM kill came with one: what led to it, by the addresses and names of
//! `/proc/kallsyms`. Where those are hidden there is no explanation.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::kallsyms::{self, KernelFunctions};
use crate::record::{Snapshot, cause};

/// Stacks of which every function is named: so many are kept.
const NAMED_STACKS: usize = 256;
/// At most one reading of all symbols in this time: a stack that comes in between has no names.
const NAME_ALL_EVERY: Duration = Duration::from_secs(1);

/// What is known of the kernel's functions.
#[derive(Debug)]
pub(super) struct KernelStacks {
    proc_directory: PathBuf,
    /// Where the functions that explain something are; None where the kernel hides it.
    functions: Arc<OnceLock<Option<KernelFunctions>>>,
    /// The stacks that needed the name of every function, and these names.
    named: FxHashMap<Vec<u64>, Vec<String>>,
    /// When the symbols were read last for one.
    named_at: Option<Instant>,
}

impl KernelStacks {
    pub(super) fn new(proc_directory: PathBuf) -> Self {
        Self { proc_directory, functions: Arc::default(), named: FxHashMap::default(), named_at: None }
    }

    /// Reads on a thread of its own what the first stack needs. That takes 100 ms and more, in which the ring would be full.
    pub(super) fn read_ahead(&self) {
        let (functions, proc_directory) = (Arc::clone(&self.functions), self.proc_directory.clone());
        let read = move || {
            functions.get_or_init(|| read_functions(&proc_directory));
        };
        // without a thread it is read when it is needed
        let _ = std::thread::Builder::new().name("kernel-symbols".to_owned()).spawn(read);
    }

    /// Waits for a thread that reads them now.
    pub(super) fn functions(&self) -> Option<&KernelFunctions> {
        self.functions.get_or_init(|| read_functions(&self.proc_directory)).as_ref()
    }

    /// Explains the stack of a signal, if it came with one.
    pub(super) fn explain(&self, snapshot: &mut Snapshot<'_>) {
        if snapshot.stack.is_empty() || snapshot.explanation.is_some() {
            return;
        }
        let Some(functions) = self.functions() else { return };
        snapshot.explanation = Some(functions.explain(&snapshot.stack));
    }

    /// Adds the names of the functions of a stack that showed no cause: the only thing left to print of it.
    pub(super) fn name_functions(&mut self, snapshot: &mut Snapshot<'_>) {
        if snapshot.explanation.as_ref().is_some_and(|explanation| explanation.cause.is_none()) {
            let names = self.name_all(&snapshot.stack);
            if let Some(explanation) = &mut snapshot.explanation {
                explanation.functions = cause::sending_functions(names.iter().map(String::as_str));
            }
        }
    }

    /// The name of every function of a stack: reads all symbols, so only for what is rare, and once for each stack.
    fn name_all(&mut self, stack: &[u64]) -> Vec<String> {
        if let Some(names) = self.named.get(stack) {
            return names.clone();
        }
        // it takes some 30 ms, and the reader of the ring waits
        let now = Instant::now();
        if self.named_at.is_some_and(|last| now.duration_since(last) < NAME_ALL_EVERY) {
            return Vec::new();
        }
        self.named_at = Some(now);
        let names = symbols(&self.proc_directory).and_then(|text| kallsyms::name_all(text, stack));
        let Ok(names) = names else { return Vec::new() };
        if self.named.len() >= NAMED_STACKS {
            self.named.clear();
        }
        self.named.insert(stack.to_vec(), names.clone());
        names
    }
}

fn symbols(proc_directory: &Path) -> io::Result<BufReader<File>> {
    // the kernel gives no more than a page at a time
    Ok(BufReader::with_capacity(4096, File::open(proc_directory.join("kallsyms"))?))
}

fn read_functions(proc_directory: &Path) -> Option<KernelFunctions> {
    KernelFunctions::read(symbols(proc_directory).ok()?).ok()?
}
