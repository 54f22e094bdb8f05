//! Which environment variables can be asked for. Their names become keys of the output.

use super::reader::DecodeError;
use crate::wire::Constant;

/// Environment variables that can be asked for.
pub const MAX_VARIABLES: usize = Constant::MAX_VARIABLES.0 as usize;

/// Bytes that the name of one may have, without the `=`.
pub const MAX_VARIABLE_NAME: usize = Constant::VARIABLE_NAME.0 as usize - 1;

/// Can a variable of this name be asked for?
pub fn is_variable_name(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b'"' | b'\\');
    !name.is_empty() && name.len() <= MAX_VARIABLE_NAME && name.iter().all(is_plain)
}

/// Refuses a name that could not have been asked for.
pub(super) fn check(environment: &[u8]) -> Result<(), DecodeError> {
    let mut variables = environment.split(|&byte| byte == 0).filter(|variable| !variable.is_empty());
    let is_wrong = |variable: &&[u8]| {
        let name = variable.iter().position(|&byte| byte == b'=').map(|end| &variable[..end]);
        !name.is_some_and(is_variable_name)
    };
    match variables.find(is_wrong) {
        Some(variable) => Err(DecodeError::impossible("environment variable", variable[0])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_not_be_asked_for_is_refused() {
        assert_eq!(check(b"HOME=/root\0EMPTY=\0\0"), Ok(()));
        let long = [&[b'x'; MAX_VARIABLE_NAME + 1][..], b"=1"].concat();
        for wrong in [&b"HOME"[..], b"=x", b"A=1\0B", b"a b=1", b"a\"=1", &long] {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
