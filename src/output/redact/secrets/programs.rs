//! Programs that take a secret without a name that says so, and programs that run others.

use std::ops::Range;

use super::names;
use super::shapes::is_reference;
use super::shell::Word;
use super::steps::Steps;

/// Where in the words of a command a secret is.
#[derive(Debug, Clone, Copy)]
enum Where {
    /// Right behind the option only: alone, the program asks for it, or it means something else.
    Behind(&'static str),
    /// Behind the option or in the next word.
    Value(&'static str),
    /// The same, of `user:SECRET`: behind this byte. Without the byte it is a user alone.
    Half(&'static str, u8),
    /// The same, where the value has this byte; all of it.
    IfHas(&'static str, u8),
    /// The word behind this word.
    After(&'static str),
    /// `K=SECRET` as the value of an option.
    Literal(&'static str),
    /// The word behind a word that is the name of a secret.
    AfterName,
    /// Arguments that are no options: from this one on, as many as there are.
    Argument(usize),
    /// `NAME=SECRET` of this name.
    Named(&'static str),
    /// `NAME=SECRET` of any.
    AnyNamed,
    /// The value of an option, behind the last of this byte: `alg:name:SECRET`.
    LastPart(&'static str, u8),
    /// The first argument, `user/SECRET@host`.
    Oracle,
}

use Where::{
    After, AfterName, AnyNamed, Argument, Behind, Half, IfHas, LastPart, Literal, Named, Oracle, Value,
};

/// A program, the words that must be among its arguments, and where secrets are then.
struct Rule(&'static [&'static str], &'static [&'static str], &'static [Where]);

const MYSQL: &[&str] = &[
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mysqlimport",
    "mysqlcheck",
    "mysqlshow",
    "mysqlslap",
    "mysqlbinlog",
    "mysqlpump",
    "mysqlsh",
    "mysql_upgrade",
    "mariadb",
    "mariadb-dump",
    "mariadb-admin",
    "mariadb-import",
    "mariadb-check",
    "mariadb-show",
    "mariadb-binlog",
    "mariadb-backup",
    "mariabackup",
    "xtrabackup",
    "mytop",
];
const LDAP: &[&str] = &[
    "ldapsearch",
    "ldapadd",
    "ldapmodify",
    "ldapdelete",
    "ldapmodrdn",
    "ldapwhoami",
    "ldapcompare",
    "ldapexop",
];
const SMB: &[&str] = &[
    "smbclient",
    "rpcclient",
    "winexe",
    "smbget",
    "smbtree",
    "smbcacls",
    "smbcquotas",
    "net",
    "wmic",
    "nmblookup",
];
const CONTAINERS: &[&str] = &["docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oras", "crane"];

const RULES: &[Rule] = &[
    Rule(MYSQL, &[], &[Behind("-p")]),
    Rule(&["mysqladmin", "mariadb-admin"], &[], &[After("password")]),
    Rule(&["mycli", "pgcli"], &[], &[Value("-p")]),
    Rule(&["7z", "7za", "7zr", "7zz", "rar", "unrar"], &[], &[Behind("-p"), Behind("-hp")]),
    Rule(
        &["zip", "unzip", "zipcloak", "sqlcmd", "bcp", "ipmitool", "mosquitto_pub", "mosquitto_sub"],
        &[],
        &[Value("-P")],
    ),
    Rule(
        &["sshpass", "cqlsh", "rdesktop", "rabbitmqadmin", "ncftpput", "ncftpget", "ncftp", "twine", "mongo"],
        &[],
        &[Value("-p")],
    ),
    Rule(
        &["mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport", "mongostat", "mongotop"],
        &[],
        &[Value("-p")],
    ),
    Rule(&["useradd", "usermod", "groupadd", "newusers", "az", "argocd"], &[], &[Value("-p")]),
    Rule(
        &["cypher-shell", "poetry", "racadm", "crackmapexec", "nxc", "netexec", "jira", "svn"],
        &[],
        &[Value("-p")],
    ),
    Rule(&["kadmin"], &[], &[Value("-w")]),
    Rule(&["plink", "pscp", "psftp", "putty", "puttygen"], &[], &[After("-pw")]),
    Rule(&["sendemail", "sendEmail"], &[], &[After("-xp")]),
    Rule(&["etcdctl"], &[], &[Half("--user", b':')]),
    Rule(&["bw"], &[], &[Value("--session")]),
    Rule(&["mysqlsh"], &[], &[Half("--uri", b':')]),
    Rule(
        &["skopeo", "podman", "buildah"],
        &[],
        &[Half("--creds", b':'), Half("--src-creds", b':'), Half("--dest-creds", b':')],
    ),
    Rule(CONTAINERS, &["login"], &[Value("-p")]),
    Rule(&["oc"], &["login"], &[Value("-p")]),
    Rule(&["redis-cli"], &[], &[Value("-a"), After("auth"), After("AUTH")]),
    Rule(&["redis-cli", "redis-server"], &[], &[After("requirepass"), After("masterauth")]),
    Rule(
        &["curl"],
        &[],
        &[
            Half("-u", b':'),
            Half("-U", b':'),
            Half("--user", b':'),
            Half("--proxy-user", b':'),
            Half("-E", b':'),
            Half("--cert", b':'),
            Half("--proxy-cert", b':'),
            IfHas("-b", b'='),
            IfHas("--cookie", b'='),
        ],
    ),
    Rule(
        &["http", "https", "xh", "xhs", "ab", "wrk", "hey", "siege"],
        &[],
        &[Half("-a", b':'), Half("-A", b':'), Half("--auth", b':')],
    ),
    Rule(&["ab"], &[], &[Half("-P", b':'), Value("-C")]),
    Rule(LDAP, &[], &[Value("-w")]),
    Rule(&["ldappasswd"], &[], &[Value("-w"), Value("-s"), Value("-a")]),
    Rule(SMB, &[], &[Half("-U", b'%'), Half("--user", b'%')]),
    Rule(&["lftp", "open"], &[], &[Half("-u", b','), Half("--user", b',')]),
    Rule(&["openssl"], &[], &[After("-k"), After("-K"), After("-hmac")]),
    Rule(&["openssl"], &["passwd"], &[Argument(1)]),
    Rule(
        &[
            "snmpget",
            "snmpwalk",
            "snmpbulkwalk",
            "snmpbulkget",
            "snmpset",
            "snmpgetnext",
            "snmptrap",
            "snmpstatus",
        ],
        &[],
        &[Value("-c"), Value("-A"), Value("-X")],
    ),
    Rule(
        &["pdftotext", "pdftoppm", "pdfinfo", "pdfimages", "pdftocairo", "pdftohtml", "pdffonts"],
        &[],
        &[After("-upw"), After("-opw")],
    ),
    Rule(&["pdftk"], &[], &[After("input_pw"), After("user_pw"), After("owner_pw")]),
    Rule(&["ssh-keygen"], &[], &[Value("-N"), Value("-P")]),
    Rule(&["vncviewer", "x11vnc"], &[], &[After("-passwd")]),
    Rule(&["xfreerdp", "xfreerdp3", "wlfreerdp", "sdl-freerdp"], &[], &[Behind("/p:"), Behind("/gp:")]),
    Rule(&["net"], &["use"], &[Argument(3)]),
    Rule(&["wpa_passphrase"], &[], &[Argument(1)]),
    Rule(&["isql", "iusql", "tsql"], &[], &[Argument(2), Value("-P")]),
    Rule(&["nmcli"], &[], &[AfterName]),
    Rule(
        &["aws", "npm", "pnpm", "yarn", "git", "rclone", "pulumi", "pip", "composer", "gem", "wpa_cli"],
        &["config"],
        &[AfterName],
    ),
    Rule(&["wpa_cli"], &[], &[AfterName]),
    Rule(&["aws"], &["configure"], &[AfterName]),
    Rule(&["aws"], &["put-parameter", "SecureString"], &[Value("--value")]),
    Rule(&["az"], &["keyvault"], &[Value("--value")]),
    Rule(&["kubectl", "oc", "k3s", "microk8s"], &["secret"], &[Literal("--from-literal")]),
    Rule(&["vault"], &["login"], &[Argument(1)]),
    Rule(&["vault"], &["write"], &[Named("secret_id"), Named("value")]),
    Rule(&["vault"], &["kv", "put"], &[Named("value")]),
    Rule(&["vault"], &["kv", "patch"], &[Named("value")]),
    Rule(&["dig", "nsupdate", "delv", "kdig", "knsupdate", "host"], &[], &[LastPart("-y", b':')]),
    Rule(&["gh"], &["secret", "set"], &[Value("--body"), Value("-b")]),
    Rule(&["flyctl", "fly"], &["secrets"], &[AnyNamed]),
    Rule(&["ngrok"], &[], &[After("authtoken"), After("add-authtoken")]),
    Rule(&["mc", "mcli"], &["alias", "set"], &[Argument(5)]),
    Rule(&["evil-winrm", "evil-winrm.rb", "hydra", "medusa"], &[], &[Value("-p")]),
    Rule(&["php"], &[], &[Literal("-d")]),
    Rule(&["npm", "pnpm", "yarn"], &[], &[Value("--otp")]),
    Rule(&["sqlplus", "impdp", "expdp", "imp", "exp", "sqlldr", "rman", "sqlcl", "sql"], &[], &[Oracle]),
    Rule(&["rabbitmqctl"], &["add_user"], &[Argument(2)]),
    Rule(&["rabbitmqctl"], &["change_password"], &[Argument(2)]),
    Rule(&["rabbitmqctl"], &["authenticate_user"], &[Argument(2)]),
];

/// Letters that take no value, of programs in which a letter of a secret comes behind them: `curl -sSu bob:SECRET`.
const FLAGS: &[(&str, &str)] = &[
    ("curl", "0123456789#aBfgGiIjJklLMnNOpqRsSvVZ"),
    ("mysql", "BbCGHnNrsSqtvVEfAiX"),
    ("mysqldump", "ABCcdEFfikKlnqQRtTvxX"),
    ("ldapsearch", "xnvLZMACQtu"),
    ("ldapmodify", "xnvZMcQ"),
    ("zip", "rjq0123456789meu"),
    ("unzip", "oqjnlu"),
];

/// Programs that run another: letters and long names of options with a value, how many arguments are before the other
/// program, and the word behind which it is all to be looked for.
struct Wrapper(
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
    usize,
    &'static [&'static str],
);

const WRAPPERS: &[Wrapper] = &[
    Wrapper(
        &["sudo", "doas", "pkexec", "run0"],
        "ugpCDRrtThU",
        &["user", "group", "prompt", "chdir", "host", "role"],
        0,
        &[],
    ),
    Wrapper(&["env"], "uCS", &["unset", "chdir"], 0, &[]),
    Wrapper(
        &[
            "nohup",
            "setsid",
            "time",
            "exec",
            "command",
            "builtin",
            "eval",
            "if",
            "then",
            "else",
            "elif",
            "while",
            "until",
            "do",
            "!",
            "{",
            "catchsegv",
            "dbus-run-session",
            "tini",
            "dumb-init",
            "busybox",
            "--",
        ],
        "fogeps",
        &[],
        0,
        &[],
    ),
    Wrapper(&["timeout"], "ks", &["signal", "kill-after"], 1, &[]),
    Wrapper(
        &["nice", "ionice", "stdbuf", "watch", "xargs", "parallel"],
        "nceiodIEaLlPs",
        &["adjustment", "interval", "max-args", "max-procs", "replace", "class"],
        0,
        &[],
    ),
    Wrapper(&["chrt", "taskset", "flock", "chroot", "faketime", "script"], "cwEGu", &["timeout"], 1, &[]),
    Wrapper(&["strace", "ltrace"], "opesSaPEuXbIUn", &["output", "trace"], 0, &[]),
    Wrapper(&["gdb", "valgrind", "perf", "rr"], "oe", &["args"], 0, &["--args", "--", "record"]),
    Wrapper(
        &["unshare", "nsenter", "setpriv", "prlimit", "systemd-run", "systemd-inhibit", "firejail"],
        "tSGRpuEMH",
        &["target", "unit", "property", "uid", "gid", "slice", "setenv"],
        0,
        &[],
    ),
    Wrapper(&["runuser", "su"], "ugGcsw", &["user", "group", "command", "shell"], 0, &["--"]),
    Wrapper(&["ssh", "autossh", "mosh", "dbclient"], "BbcDEeFIiJLlmMOopPQRSWw", &[], 1, &[]),
    Wrapper(
        &["docker", "podman", "nerdctl", "crictl", "lxc", "ctr", "docker-compose", "podman-compose", "incus"],
        "euw",
        &["env", "user", "workdir", "env-file", "detach-keys", "index"],
        1,
        &["exec"],
    ),
    Wrapper(
        &["kubectl", "oc", "k3s", "microk8s"],
        "ncfs",
        &["namespace", "container", "context"],
        0,
        &["--"],
    ),
    Wrapper(&["screen", "tmux"], "SteTchpsXxyLf", &[], 0, &[]),
    Wrapper(&["find"], "", &[], 0, &["-exec", "-execdir", "-ok"]),
];

/// `docker run` has too many options to know those with a value: these have none.
const RUN_FLAGS: &[&str] = &[
    "--rm",
    "--tty",
    "--interactive",
    "--detach",
    "--privileged",
    "--init",
    "--read-only",
    "--publish-all",
    "--quiet",
    "--no-healthcheck",
];

/// A program's name as it was called: `/usr/bin/mysql`, `-bash`, `mysql.exe`.
fn name_of(word: &[u8]) -> &[u8] {
    let name = word.rsplit(|&byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    let name = name.strip_suffix(b".exe").unwrap_or(name);
    if name.len() > 1 && !name.starts_with(b"--") { name.strip_prefix(b"-").unwrap_or(name) } else { name }
}

fn is_named(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|one| one.as_bytes() == name)
}

/// Is it a shell's or one like it, whose option `-c` takes a script?
pub(super) fn takes_script(words: &[Word<'_>], place: usize) -> bool {
    let before = place.checked_sub(1).map_or(&b""[..], |before| &words[before].bytes);
    before.starts_with(b"-") && before.ends_with(b"c") && before.len() <= 5
}

/// Adds where programs have their secrets.
pub(super) fn find(words: &[Word<'_>], steps: &Steps, found: &mut Vec<(usize, Range<usize>)>) {
    let mut begin = 0;
    // each wrapper is looked through; a command has an end
    for _ in 0..words.len().min(16) {
        while words.get(begin).is_some_and(|word| is_assignment(&word.bytes)) {
            begin += 1;
        }
        let Some(program) = words.get(begin) else { return };
        let name = name_of(&program.bytes);
        let command = &words[begin..];
        if !steps.take(64 + 2 * command.len()) {
            return;
        }
        for Rule(names, given, places) in RULES {
            let has = |wanted: &&str| command.iter().any(|word| *word.bytes == *wanted.as_bytes());
            if is_named(name, names) && given.iter().all(has) {
                for place in *places {
                    if !steps.take(4 * command.len()) {
                        return;
                    }
                    place.find(name, command, begin, steps, found);
                }
            }
        }
        if name == b"redis-cli" {
            redis(command, begin, found);
        }
        if name.starts_with(b"impacket-") {
            impacket(command, begin, found);
        }
        if name == b"htpasswd" {
            htpasswd(command, begin, found);
        }
        match inner(name, command) {
            Some(inner) => begin += inner,
            None => return,
        }
    }
}

/// Does this command read a secret from its standard input?
pub(super) fn reads_secret(command: &[Word<'_>]) -> bool {
    let Some(program) = command.first() else { return false };
    let has = |wanted: &[&str]| command.iter().skip(1).any(|word| is_named(&word.bytes, wanted));
    match name_of(&program.bytes) {
        b"sudo" => has(&["-S", "--stdin"]),
        b"chpasswd" | b"smbpasswd" => true,
        b"passwd" => has(&["--stdin", "-s"]),
        _ => has(&["--password-stdin", "--passphrase-fd", "--with-token", "--pass-stdin", "--key-file=-"]),
    }
}

fn is_assignment(word: &[u8]) -> bool {
    let length = word.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    length > 0 && word.get(length) == Some(&b'=')
}

/// Where the command begins that this one runs.
fn inner(name: &[u8], command: &[Word<'_>]) -> Option<usize> {
    if is_named(name, &["docker", "podman", "nerdctl"]) && has_run(command) {
        return image(command);
    }
    let Wrapper(_, letters, long, arguments, behind) =
        WRAPPERS.iter().find(|Wrapper(names, ..)| is_named(name, names))?;
    let mut at = 1;
    if !behind.is_empty() {
        let is_it = |word: &Word<'_>| is_named(&word.bytes, behind);
        at = command.iter().position(is_it)? + 1;
    }
    let mut left = *arguments;
    while let Some(word) = command.get(at) {
        let bytes = &*word.bytes;
        if bytes == b"--" {
            at += 1;
            if left == 0 {
                break;
            }
        } else if let Some(option) = bytes.strip_prefix(b"--") {
            at += 1 + usize::from(is_named(option, long));
        } else if bytes.len() > 1 && bytes.starts_with(b"-") {
            // the value is the rest of the word, or the next
            let takes = bytes[1..].iter().position(|letter| letters.as_bytes().contains(letter));
            at += 1 + usize::from(takes.is_some_and(|letter| letter + 2 == bytes.len()));
        } else if left > 0 || (is_assignment(bytes) && name != b"docker") {
            left = left.saturating_sub(usize::from(!is_assignment(bytes)));
            at += 1;
        } else {
            break;
        }
    }
    (at < command.len()).then_some(at)
}

fn has_run(command: &[Word<'_>]) -> bool {
    command.iter().skip(1).take(3).any(|word| matches!(&*word.bytes, b"run" | b"create"))
        && !command.iter().take(3).any(|word| &*word.bytes == b"exec")
}

/// Behind `docker run …`: the image's own program may be called as it is, so the image stands for it.
fn image(command: &[Word<'_>]) -> Option<usize> {
    let mut at = command.iter().position(|word| matches!(&*word.bytes, b"run" | b"create"))? + 1;
    while let Some(word) = command.get(at) {
        let bytes = &*word.bytes;
        if !bytes.starts_with(b"-") {
            return (at + 1 < command.len()).then_some(at + 1);
        }
        let is_flag = bytes.contains(&b'=')
            || is_named(bytes, RUN_FLAGS)
            || (!bytes.starts_with(b"--") && bytes[1..].iter().all(|letter| b"ditPq".contains(letter)));
        at += 1 + usize::from(!is_flag);
    }
    None
}

impl Where {
    fn find(
        self,
        name: &[u8],
        command: &[Word<'_>],
        begin: usize,
        steps: &Steps,
        found: &mut Vec<(usize, Range<usize>)>,
    ) {
        let mut add = |place: usize, range: Range<usize>| {
            let Some(word) = command.get(place) else { return };
            let value = &word.bytes[range.start.min(word.bytes.len())..];
            if !(value.is_empty() || word.is_expanded && is_reference(value)) {
                found.push((begin + place, range));
            }
        };
        match self {
            Behind(option)
            | Value(option)
            | Half(option, _)
            | IfHas(option, _)
            | LastPart(option, _)
            | Literal(option) => {
                for place in 1..command.len() {
                    let Some((of, from)) = value_of(name, option, command, place, !matches!(self, Behind(_)))
                    else {
                        continue;
                    };
                    let word = &command[of];
                    let value = &word.bytes[from..];
                    let mark = |wanted: u8| value.iter().position(|&byte| byte == wanted);
                    let from = match self {
                        Half(_, b':') if value.len() > 1 && mark(b':') == Some(value.len() - 1) => Some(0),
                        Half(_, by) => mark(by).map(|at| at + 1).or(word.is_cut.then_some(0)),
                        IfHas(_, byte) => mark(byte).map(|_| 0),
                        LastPart(_, by) => memchr::memrchr(by, value).map(|at| at + 1),
                        Literal(_) if name == b"php" => {
                            mark(b'=').filter(|&at| value[..at].ends_with(b"pw")).map(|at| at + 1)
                        }
                        Literal(_) => mark(b'=').map(|at| at + 1),
                        _ => Some(0),
                    }
                    .map(|at| from + at);
                    if let Some(from) = from {
                        add(of, from..word.bytes.len());
                    }
                }
            }
            After(wanted) => {
                let places = (1..command.len()).filter(|&place| *command[place].bytes == *wanted.as_bytes());
                for place in places {
                    add(place + 1, 0..command.get(place + 1).map_or(0, |word| word.bytes.len()));
                }
            }
            AfterName => {
                for place in 1..command.len().saturating_sub(1) {
                    let next = &command[place + 1].bytes;
                    let kind = names::kind(&command[place].bytes);
                    if kind.is_some_and(|kind| !names::is_harmless(kind, next, steps)) {
                        add(place + 1, 0..next.len());
                    }
                }
            }
            Named(_) | AnyNamed => {
                for (place, word) in command.iter().enumerate().skip(1) {
                    let Some(at) = memchr::memchr(b'=', &word.bytes) else { continue };
                    let is_it = match self {
                        Named(wanted) => &word.bytes[..at] == wanted.as_bytes(),
                        _ => is_assignment(&word.bytes),
                    };
                    // vault's @file
                    if is_it && word.bytes.get(at + 1) != Some(&b'@') {
                        add(place, at + 1..word.bytes.len());
                    }
                }
            }
            Argument(number) => {
                let arguments = (1..command.len()).filter(|&place| {
                    let first = command[place].bytes.first();
                    first != Some(&b'-') && !(first == Some(&b'/') && command[place].bytes.contains(&b':'))
                });
                for place in arguments.skip(number) {
                    // vault login -method=x key=value has them by name
                    if !is_assignment(&command[place].bytes) {
                        add(place, 0..command[place].bytes.len());
                    }
                }
            }
            Oracle => {
                for (place, word) in command.iter().enumerate().skip(1) {
                    let bytes = &*word.bytes;
                    let Some(slash) = bytes.iter().position(|&byte| byte == b'/') else { continue };
                    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$#.=".contains(byte);
                    if slash == 0 || !bytes[..slash].iter().all(is_name) {
                        continue;
                    }
                    let end = bytes.iter().rposition(|&byte| byte == b'@').filter(|&at| at > slash);
                    add(place, slash + 1..end.unwrap_or(bytes.len()));
                    break;
                }
            }
        }
    }
}

/// Where the value of an option is, if this word is it: in which word, from where.
fn value_of(
    name: &[u8],
    option: &str,
    command: &[Word<'_>],
    place: usize,
    may_be_next: bool,
) -> Option<(usize, usize)> {
    let (bytes, option) = (&*command[place].bytes, option.as_bytes());
    let next = || (may_be_next && place + 1 < command.len()).then_some((place + 1, 0));
    if bytes == option {
        return next();
    }
    if option.starts_with(b"--") {
        return bytes.strip_prefix(option)?.starts_with(b"=").then_some((place, option.len() + 1));
    }
    if bytes.starts_with(option) {
        return Some((place, option.len()));
    }
    let flags = FLAGS.iter().find(|(of, _)| of.as_bytes() == name)?.1.as_bytes();
    if option.len() != 2 || !bytes.starts_with(b"-") || bytes.starts_with(b"--") {
        return None;
    }
    let length = bytes[1..].iter().take_while(|letter| flags.contains(letter)).count();
    let at = 1 + length;
    if length == 0 || bytes.get(at) != Some(&option[1]) {
        return None;
    }
    if at + 1 == bytes.len() { next() } else { Some((place, at + 1)) }
}

/// `redis-cli AUTH user SECRET`.
fn redis(command: &[Word<'_>], begin: usize, found: &mut Vec<(usize, Range<usize>)>) {
    let auth = command.iter().position(|word| word.bytes.eq_ignore_ascii_case(b"auth"));
    if let Some((place, word)) = auth.and_then(|at| Some((at + 2, command.get(at + 2)?))) {
        found.push((begin + place, 0..word.bytes.len()));
    }
}

/// `[domain/]user:SECRET@host`.
fn impacket(command: &[Word<'_>], begin: usize, found: &mut Vec<(usize, Range<usize>)>) {
    for (place, word) in command.iter().enumerate().skip(1) {
        let Some(to) = memchr::memrchr(b'@', &word.bytes) else { continue };
        if let Some(colon) = memchr::memchr(b':', &word.bytes[..to]) {
            found.push((begin + place, colon + 1..to));
        }
    }
}

/// `htpasswd -b [file] user SECRET`.
fn htpasswd(command: &[Word<'_>], begin: usize, found: &mut Vec<(usize, Range<usize>)>) {
    let is_flags = |word: &&Word<'_>| word.bytes.starts_with(b"-") && !word.bytes.starts_with(b"--");
    let has = |letter: u8| command.iter().skip(1).filter(is_flags).any(|word| word.bytes.contains(&letter));
    if has(b'b') {
        let arguments = (1..command.len()).filter(|&place| !command[place].bytes.starts_with(b"-"));
        let places = arguments.skip(if has(b'n') { 1 } else { 2 });
        found.extend(places.map(|place| (begin + place, 0..command[place].bytes.len())));
    }
}
