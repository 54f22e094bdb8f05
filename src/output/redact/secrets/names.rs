//! Names that say that their value is a secret: `--db-password`, `PGPASSWORD`, `clientSecret`, `_authToken`.

use memchr::memmem;

use super::steps::Steps;

/// A part of a name that makes it one of a secret.
const SECRET: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"passphrase",
    b"passcode",
    b"passwort",
    b"secret",
    b"token",
    b"apikey",
    b"accesskey",
    b"privatekey",
    b"secretkey",
    b"authkey",
    b"credential",
    b"credentials",
    b"pass",
    b"pwd",
    b"psk",
    b"passw",
    b"bearer",
    b"userpwd",
    b"pw",
    b"masterauth",
    b"primaryauth",
];

/// The same at the end of a part: `sshpass`, `PGPASSWORD`, `rootpw`, `authtoken`.
const SECRET_ENDS: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"passphrase",
    b"secret",
    b"token",
    b"pass",
    b"apikey",
    b"pwd",
    b"bindpw",
    b"rootpw",
    b"userpw",
];

/// Words that only end like one.
const NO_SECRET: &[&[u8]] = &[
    b"bypass",
    b"compass",
    b"encompass",
    b"trespass",
    b"multipass",
    b"overpass",
    b"underpass",
    b"surpass",
    b"askpass",
    b"onepass",
    b"subpass",
    b"nopass",
    b"nopasswd",
    b"cwd",
];

/// `key` is a secret behind these only.
const KEY_KINDS: &[&[u8]] = &[
    b"api",
    b"access",
    b"private",
    b"secret",
    b"auth",
    b"account",
    b"encryption",
    b"encrypt",
    b"decryption",
    b"decrypt",
    b"enc",
    b"preshared",
    b"signing",
    b"master",
    b"shared",
    b"license",
    b"hmac",
    b"storage",
    b"subscription",
    b"function",
    b"jwt",
    b"app",
    b"application",
];

/// Behind the part of the secret: the value is something about it.
const ABOUT: &[&[u8]] = &[
    b"file",
    b"files",
    b"filename",
    b"path",
    b"paths",
    b"dir",
    b"directory",
    b"stdin",
    b"fd",
    b"env",
    b"prompt",
    b"type",
    b"ttl",
    b"name",
    b"names",
    b"id",
    b"ids",
    b"length",
    b"len",
    b"policy",
    b"count",
    b"limit",
    b"max",
    b"min",
    b"expiry",
    b"expires",
    b"expiration",
    b"lifetime",
    b"timeout",
    b"duration",
    b"url",
    b"uri",
    b"endpoint",
    b"host",
    b"header",
    b"field",
    b"param",
    b"size",
    b"class",
    b"provider",
    b"format",
    b"algorithm",
    b"alg",
    b"version",
    b"ref",
    b"template",
    b"cmd",
    b"command",
    b"helper",
    b"hint",
    b"authentication",
    b"mode",
    b"import",
    b"manager",
    b"cache",
    b"arn",
    b"service",
    b"interval",
    b"source",
    b"store",
    b"keys",
    b"reset",
    b"required",
    b"enabled",
    b"disabled",
    b"issuer",
    b"audience",
    b"authfile",
    b"delimiter",
    b"encoding",
    b"attempts",
    b"method",
    b"through",
];

/// Before it: a switch, or the name of something.
const SWITCH: &[&[u8]] = &[
    b"ask",
    b"no",
    b"existing",
    b"list",
    b"show",
    b"disable",
    b"enable",
    b"skip",
    b"require",
    b"prompt",
    b"generate",
    b"dump",
    b"without",
    b"hide",
    b"print",
    b"max",
    b"min",
    b"num",
    b"reset",
    b"read",
    b"load",
];

/// Before `token`: a place in a list of results, or in a language model's vocabulary.
const MARKS: &[&[u8]] =
    &[b"starting", b"next", b"continuation", b"pagination", b"pad", b"bos", b"eos", b"unk"];

/// What a value of a name can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A secret.
    Secret,
    /// A secret, or the path of a file with one.
    Key,
}

/// Does the value of this name hold a secret?
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    if matches!(name, b"PWD" | b"OLDPWD") || name.eq_ignore_ascii_case(b"auth-user-pass") {
        return None;
    }
    if name.ends_with(b"_auth") && name.iter().all(|byte| b"-_auth".contains(byte)) {
        // npm's
        return Some(Kind::Secret);
    }
    let parts = parts(name);
    let is_key = |at: usize| parts[at] == b"key" && at > 0 && KEY_KINDS.contains(&parts[at - 1].as_slice());
    let is_secret = |part: &[u8]| {
        !NO_SECRET.contains(&part)
            && (SECRET.contains(&part) || SECRET_ENDS.iter().any(|end| part.ends_with(end)))
    };
    let at = (0..parts.len()).rfind(|&at| is_secret(&parts[at]) || is_key(at))?;
    let is_about = parts[at + 1..].iter().any(|part| ABOUT.contains(&part.as_slice()));
    let is_switch = parts[..at].first().is_some_and(|part| SWITCH.contains(&part.as_slice()))
        || parts[..at].iter().any(|part| part == b"existing");
    let is_mark = parts[at] == b"token" && at > 0 && MARKS.contains(&parts[at - 1].as_slice());
    if is_about || is_switch || is_mark {
        return None;
    }
    let names_a_key = is_key(at)
        || parts[at].ends_with(b"key")
        || parts[at..].iter().any(|part| part == b"key")
        || parts[at].starts_with(b"credential")
        || parts[at].ends_with(b"token");
    Some(if names_a_key { Kind::Key } else { Kind::Secret })
}

/// `db-password`, `dbPassword` and `DB_PASSWORD` in their parts, all small.
fn parts(name: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
    let mut was_small = false;
    for &byte in name {
        let is_new = !byte.is_ascii_alphanumeric() || (was_small && byte.is_ascii_uppercase());
        if is_new && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(Vec::new());
        }
        was_small = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if let (true, Some(part)) = (byte.is_ascii_alphanumeric(), parts.last_mut()) {
            part.push(byte.to_ascii_lowercase());
        }
    }
    for part in &mut parts {
        // password1, but not b64 or s3
        while part.len() > 4 && part.last().is_some_and(u8::is_ascii_digit) {
            part.pop();
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Is a value that a name of this kind has no secret after all?
pub(super) fn is_harmless(kind: Kind, value: &[u8], steps: &Steps) -> bool {
    if !steps.take(32) {
        return false;
    }
    // docker's options are not longer
    let begin = &value[..value.len().min(256)];
    let is_path = || {
        let is_of_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-~+".contains(byte);
        let is_file =
            [&b".pem"[..], b".key", b".json", b".crt", b".txt", b".yml", b".yaml", b".jks", b".p12"]
                .iter()
                .any(|end| value.ends_with(end));
        // mount's `credentials=/path,uid=0`; what follows has names of its own
        let comma = value.iter().position(|&byte| byte == b',').filter(|_| value[0] == b'/');
        value[..comma.unwrap_or(value.len())].iter().all(is_of_path)
            && (matches!(value[0], b'/' | b'~') || value.starts_with(b"./") || is_file)
    };
    let is_file_to_read = value.starts_with(b"@/") && !value.iter().any(u8::is_ascii_whitespace);
    value.is_empty()
        || matches!(value, [b'0'..=b'9'])
        || is_mask(value)
        || is_file_to_read
        || [&b"true"[..], b"false", b"null", b"none", b"nil", b"yes", b"no", b"on", b"off"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word))
        || [&b"file:"[..], b"env:", b"fd:"].iter().any(|begin| value.starts_with(begin))
        || matches!(value, b"stdin" | b"env" | b"file")
        // docker's --secret
        || [&b"id="[..], b"source=", b"src=", b"type="].iter().any(|begin| value.starts_with(begin))
        || [&b",type="[..], b",target="].iter().any(|part| memmem::find(begin, part).is_some())
        || (kind == Kind::Key && is_path())
}

/// Is it in the place of a secret: `***`, `!` for no password at all, `-` for the standard input?
pub(super) fn is_mask(value: &[u8]) -> bool {
    [b'*', b'!', b'-'].iter().any(|mark| value.iter().all(|byte| byte == mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whether_its_value_is_a_secret() {
        for name in [
            "password",
            "--password",
            "DB_PASSWORD",
            "dbPassword",
            "PGPASSWORD",
            "SSHPASS",
            "_authToken",
            "api-key",
            "SECRET_KEY_BASE",
            "keyStorePassword",
            "storepass",
            "MYSQL_PWD",
            "client_secret",
            "X-Api-Key",
            "psk",
            "aws_secret_access_key",
            "password1",
            "become_pass",
            "spring.datasource.password",
            "secret-string",
            "DB_PW",
            "masterauth",
            "decryption_key",
            "FACEBOOK_PAGE_TOKEN",
        ] {
            assert!(kind(name.as_bytes()).is_some(), "{name}");
        }
        for name in [
            "tokenizer",
            "max-tokens",
            "password-file",
            "passwordFile",
            "ask-become-pass",
            "PWD",
            "compass",
            "author",
            "PasswordAuthentication",
            "existingSecret",
            "SECRET_NAME",
            "TOKEN_TTL",
            "key",
            "keys",
            "SSH_ASKPASS",
            "bypass",
            "secret-id",
            "starting-token",
            "pad-token-id",
            "pass-through",
            "LoadCredential",
            "path",
            "",
        ] {
            assert_eq!(kind(name.as_bytes()), None, "{name}");
        }
    }
}
