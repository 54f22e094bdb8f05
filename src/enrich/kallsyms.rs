//! Which kernel functions a stack leads through: `/proc/kallsyms` says where they are. Read once, when there is a first
//! stack to explain; of its some hundred thousand names only those are kept that mean something. It is read a piece at a time:
//! its text takes more memory than all else of a tracer.

use std::io::{self, BufRead};
use std::ops::Range;

use crate::record::OomScope;
use crate::record::cause::{self, Explanation};
use crate::wire::Constant;

/// As many addresses a stack has at most.
const STACK: usize = Constant::CAUSE_STACK.0 as usize;

/// Only on the way to a kill for a memory cgroup's limit.
const FOR_A_CGROUP: &str = "mem_cgroup_out_of_memory";
/// On the way to every kill for memory.
const FOR_ALL: &str = "out_of_memory";
/// A kill that somebody asked for by `SysRq` (drivers/tty/sysrq.c).
const BY_SYSRQ: &str = "moom_callback";

/// Where functions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KernelFunctions {
    /// In the order of their addresses, which do not overlap.
    functions: Vec<(Range<u64>, Box<str>)>,
}

/// Calls this with address and name of each line of /proc/kallsyms; those whose address is hidden (`kernel.kptr_restrict`)
/// are left out.
fn each_symbol(mut text: impl BufRead, mut take: impl FnMut(u64, &str)) -> io::Result<()> {
    let mut line = Vec::new();
    while text.read_until(b'\n', &mut line)? != 0 {
        if let Some((address, name)) = symbol(&line) {
            take(address, name);
        }
        line.clear();
    }
    Ok(())
}

fn symbol(line: &[u8]) -> Option<(u64, &str)> {
    let (address, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let name = rest.get(2..)?.split_whitespace().next()?;
    let address = u64::from_str_radix(address, 16).ok()?;
    (address != 0).then_some((address, name))
}

/// A part that the compiler split off is called NAME.cold, NAME.isra.0.
fn whole_name(symbol: &str) -> &str {
    symbol.split('.').next().unwrap_or(symbol)
}

impl KernelFunctions {
    /// From the text of /proc/kallsyms. None if addresses are hidden there.
    pub(crate) fn read(text: impl BufRead) -> io::Result<Option<Self>> {
        let mut addresses = Vec::new();
        let mut wanted: Vec<(u64, Box<str>)> = Vec::new();
        each_symbol(text, |address, symbol| {
            addresses.push(address);
            let whole = whole_name(symbol);
            if matches!(whole, FOR_A_CGROUP | FOR_ALL | BY_SYSRQ) || cause::is_wanted(whole) {
                wanted.push((address, whole.into()));
            }
        })?;
        addresses.sort_unstable();
        let mut functions: Vec<(Range<u64>, Box<str>)> = wanted
            .into_iter()
            .filter_map(|(address, name)| {
                let next = addresses.partition_point(|&other| other <= address);
                Some((address..*addresses.get(next)?, name))
            })
            .collect();
        functions.sort_by_key(|(range, _)| range.start);
        Ok((!functions.is_empty()).then_some(Self { functions }))
    }

    /// The function that this return address leads back into; empty if it is none that means something.
    fn name(&self, address: u64) -> &str {
        // the call may be the last instruction of its function
        let call = address.saturating_sub(1);
        let after = self.functions.partition_point(|(range, _)| range.start <= call);
        let found = after.checked_sub(1).and_then(|place| self.functions.get(place));
        found.filter(|(range, _)| range.contains(&call)).map_or("", |(_, name)| name)
    }

    /// What a stack says, the innermost function first.
    pub(crate) fn explain(&self, stack: &[u64]) -> Explanation {
        let mut explanation = cause::explain(stack.iter().map(|&address| self.name(address)));
        // what was cut off may be an interrupt
        explanation.in_interrupt |= stack.len() >= STACK;
        explanation
    }

    /// Whose memory ran out, and whether `SysRq` asked for a victim. None where the stack leads through neither.
    pub(crate) fn oom_scope(&self, stack: &[u64]) -> (Option<OomScope>, bool) {
        let leads_through = |name: &str| stack.iter().any(|&address| self.name(address) == name);
        let scope = if leads_through(FOR_A_CGROUP) {
            Some(OomScope::Cgroup)
        } else {
            leads_through(FOR_ALL).then_some(OomScope::Global)
        };
        (scope, leads_through(BY_SYSRQ))
    }
}

/// Every function of this stack, from the text of /proc/kallsyms; empty where none is known.
pub(crate) fn name_all(text: impl BufRead, stack: &[u64]) -> io::Result<Vec<String>> {
    let mut nearest = vec![(0, String::new()); stack.len()];
    each_symbol(text, |address, symbol| {
        for (&call, found) in stack.iter().zip(&mut nearest) {
            if address < call && address > found.0 {
                found.0 = address;
                found.1.clear();
                found.1.push_str(symbol);
            }
        }
    })?;
    Ok(nearest.into_iter().map(|(_, symbol)| whole_name(&symbol).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::cause::Cause;

    const SYMBOLS: &str = "ffff0100 t oom_kill_process\nffff0200 T out_of_memory\nffff0300 T next\n\
                           ffff0400 t mem_cgroup_out_of_memory\nffff0500 t try_charge\nffff0900 t out_of_memory.cold\n\
                           ffff0a00 t other\t[module]\nffff0b00 t moom_callback\nffff0c00 t last\n";

    #[test]
    fn the_stack_says_whose_memory_ran_out() {
        let functions = KernelFunctions::read(SYMBOLS.as_bytes()).unwrap().unwrap();
        let scope = |stack: &[u64]| functions.oom_scope(stack);
        assert_eq!(scope(&[0xffff_0110, 0xffff_0250, 0xffff_0410]), (Some(OomScope::Cgroup), false));
        assert_eq!(scope(&[0xffff_0110, 0xffff_0250, 0xffff_0550]), (Some(OomScope::Global), false));
        assert_eq!(scope(&[0xffff_0110, 0xffff_0910]), (Some(OomScope::Global), false));
        assert_eq!(scope(&[0xffff_0110, 0xffff_0250, 0xffff_0b10]), (Some(OomScope::Global), true));
        assert_eq!(scope(&[0xffff_0110, 0xffff_0310]), (None, false));
        assert_eq!(scope(&[]), (None, false));
    }

    #[test]
    fn a_call_that_ends_its_function_is_still_of_it() {
        let functions = KernelFunctions::read(SYMBOLS.as_bytes()).unwrap().unwrap();
        assert_eq!(
            functions.explain(&[0xffff_0200]).cause,
            Some(Cause::Oom),
            "oom_kill_process, up to its end"
        );
        assert_eq!(functions.explain(&[0xffff_0100]).cause, None, "before its beginning");
    }

    #[test]
    fn any_function_can_be_named() {
        let names = name_all(SYMBOLS.as_bytes(), &[0xffff_0a10, 0xffff_0910, 5]).unwrap();
        assert_eq!(names, ["other", "out_of_memory", ""]);
    }

    #[test]
    fn hidden_addresses_say_nothing() {
        let hidden = "0000000000000000 T out_of_memory\n0000000000000000 t mem_cgroup_out_of_memory\n";
        for text in [hidden, "", "nonsense\n\nffff T\n", "\u{e9}\n \n"] {
            assert_eq!(KernelFunctions::read(text.as_bytes()).unwrap(), None, "{text:?}");
        }
        let foreign = b"\xff\xfe T out_of_memory\nffff0100 T \xff\n".as_slice();
        assert_eq!(KernelFunctions::read(foreign).unwrap(), None);
    }
}
