//! Which programs take a secret where: a table. What it says is looked for in [`programs`](super::programs).

/// Where in the words of a command a secret is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Where {
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
pub(super) struct Rule(
    pub(super) &'static [&'static str],
    pub(super) &'static [&'static str],
    pub(super) &'static [Where],
);

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
pub(super) const REDIS: &[&str] = &["redis-cli", "valkey-cli", "keydb-cli"];
const CONTAINERS: &[&str] = &["docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oras", "crane"];

pub(super) const RULES: &[Rule] = &[
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
    Rule(&["plink", "pscp", "psftp", "putty", "puttygen", "nodetool"], &[], &[After("-pw")]),
    Rule(&["sendemail", "sendEmail"], &[], &[After("-xp")]),
    Rule(&["swaks"], &[], &[After("-ap")]),
    Rule(&["ipmitool"], &[], &[After("-k"), After("-y")]),
    Rule(&["consul", "serf", "nomad"], &[], &[After("-encrypt"), Named("-encrypt")]),
    Rule(&["jenkins-cli.jar"], &[], &[Half("-auth", b':')]),
    Rule(&["etcdctl"], &[], &[Half("--user", b':')]),
    Rule(&["bw"], &[], &[Value("--session")]),
    Rule(&["mysqlsh"], &[], &[Half("--uri", b':')]),
    Rule(
        &["skopeo", "podman", "buildah"],
        &[],
        &[Half("--creds", b':'), Half("--src-creds", b':'), Half("--dest-creds", b':')],
    ),
    Rule(CONTAINERS, &["login"], &[Value("-p")]),
    Rule(&["oc", "cf"], &["login"], &[Value("-p")]),
    Rule(&["cf"], &["auth"], &[Argument(2)]),
    Rule(REDIS, &[], &[Value("-a"), After("auth"), After("AUTH")]),
    Rule(REDIS, &[], &[After("requirepass"), After("masterauth")]),
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
    Rule(&["wpa_cli", "wg"], &[], &[AfterName]),
    Rule(&["aws"], &["configure"], &[AfterName]),
    Rule(&["aws"], &["put-parameter", "SecureString"], &[Value("--value")]),
    Rule(&["az"], &["keyvault"], &[Value("--value")]),
    Rule(&["kubectl", "oc", "k3s", "microk8s"], &["secret"], &[Literal("--from-literal")]),
    Rule(&["vault"], &["login"], &[Argument(1)]),
    Rule(&["vault"], &["operator", "unseal"], &[Argument(2)]),
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
    Rule(&["npm", "pnpm", "yarn", "gem"], &[], &[Value("--otp")]),
    Rule(&["sqlplus", "impdp", "expdp", "imp", "exp", "sqlldr", "rman", "sqlcl", "sql"], &[], &[Oracle]),
    Rule(&["rabbitmqctl"], &["add_user"], &[Argument(2)]),
    Rule(&["rabbitmqctl"], &["change_password"], &[Argument(2)]),
    Rule(&["rabbitmqctl"], &["authenticate_user"], &[Argument(2)]),
];

/// Letters that take no value, of programs in which a letter of a secret comes behind them: `curl -sSu bob:SECRET`.
pub(super) const FLAGS: &[(&str, &str)] = &[
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
pub(super) struct Wrapper(
    pub(super) &'static [&'static str],
    pub(super) &'static str,
    pub(super) &'static [&'static str],
    pub(super) usize,
    pub(super) &'static [&'static str],
);

pub(super) const WRAPPERS: &[Wrapper] = &[
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
    Wrapper(&["java"], "", &[], 0, &["-jar"]),
    Wrapper(&["screen", "tmux"], "SteTchpsXxyLf", &[], 0, &[]),
    Wrapper(&["find"], "", &[], 0, &["-exec", "-execdir", "-ok"]),
];

/// `docker run` has too many options to know those with a value: these have none.
pub(super) const RUN_FLAGS: &[&str] = &[
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
