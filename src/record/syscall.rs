//! The system call that the registers of a task hold.

use super::reader::DecodeError;
use crate::wire::{Abi, WireSyscall};

/// The table that a system call number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyscallAbi {
    /// x86-64.
    X86_64,
    /// 32-bit calls on x86.
    I386,
    /// 32-bit pointers, 64-bit registers on x86.
    X32,
    /// 64-bit ARM.
    Arm64,
    /// 32-bit calls on ARM.
    Arm,
}

/// What the saved registers of the running task hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syscall {
    /// Its table.
    pub abi: SyscallAbi,
    /// Its number there.
    pub number: i64,
    /// Its first four arguments.
    pub args: [u64; 4],
    /// Nothing was returned yet, by the register of the result, which a tracer may change.
    pub is_active: bool,
}

/// None where the registers could not be read.
pub(super) fn decode(call: &WireSyscall) -> Result<Option<Syscall>, DecodeError> {
    let abi = match Abi(call.abi) {
        Abi::ABI_NONE => return Ok(None),
        Abi::ABI_X86_64 => SyscallAbi::X86_64,
        Abi::ABI_I386 => SyscallAbi::I386,
        Abi::ABI_X32 => SyscallAbi::X32,
        Abi::ABI_ARM64 => SyscallAbi::Arm64,
        Abi::ABI_ARM => SyscallAbi::Arm,
        other => return Err(DecodeError::impossible("abi", other.0)),
    };
    Ok(Some(Syscall { abi, number: call.number, args: call.args, is_active: call.active != 0 }))
}
