//! Every way a signal comes to be, and what its line must say: made on a real kernel by `tests/root/signals.rs`, and
//! listed in docs/signals.md by `tests/kernels.rs`, where a case without a passing test says NOT TESTED.

/// One way, and its line.
#[derive(Debug, Clone, Copy)]
pub struct SignalCase {
    /// What was done, and the name of its test.
    pub how: &'static str,
    /// `workload signal KIND` does it; with `@` in front the test itself. Of a KIND that begins with `twice` the second
    /// signal of its number is meant.
    pub kind: &'static str,
    /// The signal that the target gets.
    pub signal: i64,
    /// The line, as a part of its JSON. `null`: the key must not be there; `"SOME"`: whatever it is; `"MAKER"`: the pid of
    /// the workload; `"TTY"`: the terminal that it said; `"OTHER"`: the process or thread that it said behind the target;
    /// `"CGROUP"`: the one with the limit.
    pub says: &'static str,
}

const fn case(how: &'static str, kind: &'static str, signal: i64, says: &'static str) -> SignalCase {
    SignalCase { how, kind, signal, says }
}

#[rustfmt::skip]
/// Every way.
pub const CASES: &[SignalCase] = &[
    case("kill(pid)", "kill", 15, r#"{"origin":"process","via":"kill","scope":"process","code":"SI_USER","source":{"pid":"MAKER"},"relation":"parent"}"#),
    case("kill(-pgid)", "kill-group", 15, r#"{"origin":"process","via":"kill","scope":"process-group","source":{"pid":"MAKER"}}"#),
    case("kill(0)", "kill-own-group", 10, r#"{"origin":"process","via":"kill","scope":"process-group","source":{"pid":"MAKER"}}"#),
    case("kill(-1) inside a pid namespace", "@everybody", 15, r#"{"origin":"process","via":"kill","scope":"all","source":{"nspid":1},"relation":"parent"}"#),
    case("kill by a 32-bit system call", "kill-32", 15, r#"{"origin":"process","via":"kill","scope":"process","source":{"pid":"MAKER"}}"#),
    case("tkill", "tkill", 15, r#"{"origin":"process","via":"tkill","scope":"thread","code":"SI_TKILL","source":{"pid":"MAKER"}}"#),
    case("tgkill", "tgkill", 15, r#"{"origin":"process","via":"tgkill","scope":"thread","code":"SI_TKILL","source":{"pid":"MAKER"}}"#),
    case("pthread_kill of another thread", "pthread-kill", 15, r#"{"origin":"process","via":"tgkill","scope":"thread","relation":"self","source":{"pid":"MAKER"},"target":{"tid":"SOME"}}"#),
    case("sigqueue, with its value", "sigqueue", 15, r#"{"origin":"process","via":"rt_sigqueueinfo","scope":"process","code":"SI_QUEUE","codeForged":null,"sigval":{"int":42,"ptr":"0x2a"},"source":{"pid":"MAKER"}}"#),
    case("rt_tgsigqueueinfo, with its value", "rt-tgsigqueueinfo", 15, r#"{"origin":"process","via":"rt_tgsigqueueinfo","scope":"thread","code":"SI_QUEUE","sigval":{"int":-7},"source":{"pid":"MAKER"}}"#),
    case("pidfd_send_signal", "pidfd", 15, r#"{"origin":"process","via":"pidfd_send_signal","scope":"process","code":"SI_USER","codeForged":null,"source":{"pid":"MAKER"}}"#),
    case("a code that its sender made up", "forged", 15, r#"{"origin":"process","via":"rt_sigqueueinfo","code":"SI_TIMER","codeForged":true,"relation":"self","source":{"pid":"MAKER"}}"#),
    case("cgroup.kill", "@cgroup-kill", 9, r#"{"origin":"cgroup","via":"write","scope":"cgroup","source":{"pid":"MAKER"}}"#),
    case("cgroup.kill by pwritev", "@cgroup-kill-by-pwritev", 9, r#"{"origin":"cgroup","via":"pwritev","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    case("cgroup.kill by pwritev2", "@cgroup-kill-by-pwritev2", 9, r#"{"origin":"cgroup","via":"pwritev2","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    case("cgroup.kill by splice", "@cgroup-kill-by-splice", 9, r#"{"origin":"cgroup","via":"splice","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    case("cgroup.kill by io_uring", "@cgroup-kill-by-io_uring", 9, r#"{"origin":"cgroup","via":"io_uring","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    case("bpf_send_signal of SIGKILL", "bpf-kill", 9, r#"{"origin":"bpf","fatal":true,"source":null,"via":null,"trigger":null}"#),
    case("bpf_send_signal of SIGINT", "bpf-interrupt", 2, r#"{"origin":"bpf","fatal":true,"tty":null,"source":null,"via":null,"trigger":null}"#),
    case("bpf_send_signal of SIGALRM", "bpf-alarm", 14, r#"{"origin":"bpf","fatal":true,"source":null,"via":null,"trigger":null}"#),
    case("abort()", "abort", 6, r#"{"origin":"process","via":"tgkill","relation":"self","source":{"pid":"MAKER"}}"#),
    case("timer_create", "posix-timer", 10, r#"{"origin":"timer","code":"SI_TIMER","codeForged":null,"source":null,"via":null}"#),
    case("alarm, setitimer(ITIMER_REAL)", "alarm", 14, r#"{"origin":"timer","source":null,"via":null,"trigger":null}"#),
    case("setitimer(ITIMER_PROF)", "profiling-timer", 27, r#"{"origin":"timer","source":null,"via":null}"#),
    case("SIGSEGV: no page there", "null-pointer", 11, r#"{"origin":"fault","code":"SEGV_MAPERR","fault":{"address":"0x1234","ip":"SOME"},"source":null}"#),
    case("SIGSEGV: a page that is read-only", "read-only-page", 11, r#"{"origin":"fault","code":"SEGV_ACCERR","fault":{"address":"SOME","ip":"SOME"},"source":null}"#),
    case("SIGSEGV: no room for its handler", "stack-overflow", 11, r#"{"origin":"fault","reason":"handler-failed","fault":{"address":"SOME","ip":"SOME"},"source":null}"#),
    case("SIGSEGV: its handler raises it again", "fault-raised-again", 11, r#"{"origin":"process","relation":"self","fault":{"address":"0x1234"},"previous":{"hidden":true}}"#),
    case("SIGBUS: a page beyond its file", "page-beyond-file", 7, r#"{"origin":"fault","code":"BUS_ADRERR","fault":{"address":"SOME","ip":"SOME"},"source":null}"#),
    case("SIGFPE: division by zero", "division", 8, r#"{"origin":"fault","code":"FPE_INTDIV","fault":{"ip":"SOME"},"source":null}"#),
    case("SIGILL: no such instruction", "illegal-instruction", 4, r#"{"origin":"fault","code":"ILL_ILLOPN","fault":{"ip":"SOME"},"source":null}"#),
    case("SIGTRAP: a breakpoint", "breakpoint", 5, r#"{"origin":"fault","code":"SI_KERNEL","source":null}"#),
    case("SIGSYS: a seccomp filter", "seccomp-filter", 31, r#"{"origin":"seccomp","code":"SYS_SECCOMP","seccomp":{"syscall":"SOME","syscallName":"getppid","arch":"SOME","address":"SOME"},"source":null,"via":null}"#),
    case("a seccomp filter that ends one thread", "filter-of-thread", 31, r#"{"event":"ended","scope":"thread","origin":"seccomp","seccomp":{"syscallName":"getppid","arch":"SOME","address":"SOME"},"target":{"tid":"OTHER"},"missing":null}"#),
    case("SIGSYS: syscall user dispatch", "user-dispatch", 31, r#"{"origin":"kernel","reason":"user-dispatch","code":"SYS_USER_DISPATCH","source":null,"via":null,"trigger":null}"#),
    case("strict seccomp", "strict-seccomp", 9, r#"{"event":"ended","origin":"seccomp","coreDumped":false,"seccomp":{"syscallName":"getppid"},"source":null}"#),
    case("strict seccomp of one thread", "strict-thread", 9, r#"{"event":"ended","scope":"thread","origin":"seccomp","seccomp":{"syscallName":"getppid","arch":"SOME","address":"SOME"},"target":{"tid":"OTHER"},"missing":null}"#),
    case("a signal that a tracer put in (ptrace)", "ptrace", 15, r#"{"event":"ended","origin":"ptrace","trigger":{"pid":"MAKER"},"source":null}"#),
    case("a signal that a tracer left behind (PTRACE_DETACH)", "ptrace-detach", 15, r#"{"event":"ended","origin":null,"missing":["origin:not-seen"],"trigger":null,"source":null}"#),
    case("PTRACE_ATTACH", "attach", 19, r#"{"origin":"ptrace","reason":"attach","trigger":{"pid":"MAKER"},"target":{"tracer":{"pid":"MAKER"}},"source":null,"via":null}"#),
    case("PTRACE_KILL", "ptrace-kill", 9, r#"{"origin":"ptrace","reason":"ptrace-kill","fatal":true,"trigger":{"pid":"MAKER"},"target":{"tracer":{"pid":"MAKER"}},"source":null,"via":null}"#),
    case("a tracer ends (PTRACE_O_EXITKILL)", "end-of-tracer", 9, r#"{"origin":"ptrace","reason":"tracer-ended","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    case("execve of a traced process", "traced-exec", 5, r#"{"origin":"ptrace","reason":null,"trigger":null,"target":{"tracer":{"pid":"MAKER"}},"source":null,"via":null}"#),
    case("kill by a traced process, its registers changed", "traced-sender", 15, r#"{"origin":"process","via":"kill","source":{"pid":"OTHER","tracer":{"pid":"MAKER"}},"fatal":true}"#),
    case("SIGPIPE", "broken-pipe", 13, r#"{"origin":"io","code":"SI_USER","source":null,"via":null}"#),
    case("SIGIO by O_ASYNC", "async-pipe", 29, r#"{"origin":"io","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    case("SIGIO by F_SETSIG", "fcntl", 10, r#"{"origin":"io","code":"POLL_IN","trigger":{"pid":"SOME"},"source":null,"via":null}"#),
    case("F_SETSIG, the peer ends", "end-of-peer", 10, r#"{"origin":"io","code":"POLL_IN","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    case("F_SETOWN of another, F_SETSIG of SIGKILL", "owner-to-kill", 9, r#"{"origin":"io","code":"POLL_IN","fatal":true,"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    case("F_SETOWN of another that handles the signal", "owner-that-handles", 29, r#"{"origin":"io","code":"POLL_IN","trigger":{"pid":"MAKER"},"target":{"disposition":"handled"},"source":null,"via":null}"#),
    case("mq_notify", "message", 10, r#"{"origin":"io","reason":"message-queue","code":"SI_MESGQ","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    case("RLIMIT_CPU, soft: SIGXCPU", "cpu-limit", 24, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_CPU","valueSeconds":1.0,"kind":"soft"},"trigger":null,"source":null,"via":null}"#),
    case("RLIMIT_CPU, hard", "hard-cpu-limit", 9, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_CPU","valueSeconds":2.0,"kind":"hard"},"previous":{"signalName":"SIGXCPU","origin":"rlimit"},"fatal":true,"trigger":null,"source":null,"via":null}"#),
    case("RLIMIT_CPU, soft and hard the same", "equal-cpu-limits", 9, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_CPU","valueSeconds":1.0,"kind":"hard"},"fatal":true,"trigger":null,"source":null,"via":null}"#),
    case("RLIMIT_RTTIME", "real-time-limit", 9, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_RTTIME","valueSeconds":0.2,"kind":"hard"},"target":{"tid":"OTHER"},"fatal":true,"trigger":null,"source":null,"via":null}"#),
    case("RLIMIT_FSIZE: SIGXFSZ", "file-size-limit", 25, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_FSIZE","valueBytes":4096,"kind":"soft"},"source":null,"via":null}"#),
    case("^C", "interrupt-key", 2, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    case("^\\", "quit-key", 3, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    case("^Z", "suspend-key", 20, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    case("a terminal's other end is closed", "close-terminal", 1, r#"{"origin":"tty","tty":{"name":"TTY"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    case("the leader of a terminal's session ends", "@leader-ends", 1, r#"{"origin":"tty","tty":{"name":"SOME"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    case("SIGHUP of an orphaned process group", "orphaned-group", 1, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    case("SIGCONT of an orphaned process group", "orphaned-group", 18, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    case("SIGHUP, a session's leader without a terminal ends", "orphaned-session", 1, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    case("SIGCONT, a session's leader without a terminal ends", "orphaned-session", 18, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    case("SIGTTIN", "background-read", 21, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    case("SIGTTOU", "background-write", 22, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    case("SIGWINCH by a resize (--all)", "resize", 28, r#"{"origin":"tty","tty":{"name":"TTY"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    case("SIGWINCH by kill", "@winch-by-kill", 28, r#"{"origin":"process","via":"kill","tty":null,"source":{"pid":"SOME"}}"#),
    case("PDEATHSIG, the parent's process lives on", "end-of-thread", 15, r#"{"origin":"parent-death","code":"SI_USER","trigger":{"pid":"MAKER","tid":"SOME","processAlive":true},"source":null,"via":null}"#),
    case("PDEATHSIG, the parent's process ends", "@parent-ends", 15, r#"{"origin":"parent-death","trigger":{"pid":"MAKER","tid":"MAKER","processAlive":false},"source":null}"#),
    case("the init of a pid namespace ends", "end-of-namespace", 9, r#"{"origin":"pidns","trigger":{"pid":"SOME"},"source":null,"via":null}"#),
    case("reboot in a pid namespace: restart", "restart", 9, r#"{"origin":"pidns","reason":"reboot","reboot":{"command":"restart","parentReads":"SIGHUP"},"trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    case("reboot in a pid namespace: halt", "halt", 9, r#"{"origin":"pidns","reason":"reboot","reboot":{"command":"halt","parentReads":"SIGINT"},"trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    case("out of memory in a cgroup", "@oom", 9, r#"{"origin":"oom","oom":{"scope":"cgroup","cgroup":"CGROUP","limitBytes":33554432,"usageBytes":"SOME","rssBytes":"SOME"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    case("SysRq's key f", "@sysrq-f", 9, r#"{"origin":"oom","reason":"sysrq","oom":{"scope":null,"cgroup":null,"limitBytes":null,"rssBytes":"SOME"},"source":null,"via":null}"#),
    case("bad memory, found by the process itself", "poison", 7, r#"{"origin":"fault","reason":"memory-failure","code":"BUS_MCEERR_AR","fault":{"address":"SOME"},"source":null,"via":null}"#),
    case("bad memory, touched after it was found", "poisoned-page", 7, r#"{"origin":"fault","reason":"memory-failure","code":"BUS_MCEERR_AR","fault":{"address":"SOME"},"source":null,"via":null}"#),
    case("SIGCHLD (--all)", "end-of-child", 17, r#"{"origin":"child","code":"CLD_EXITED","trigger":{"pid":"SOME"},"source":null,"via":null}"#),
    case("another exit signal than SIGCHLD", "other-exit-signal", 10, r#"{"origin":"child","code":"CLD_EXITED","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    case("pthread_cancel: glibc's own signal 32 (--all)", "pthread-cancel", 32, r#"{"origin":"process","via":"tgkill","signalName":"32","relation":"self"}"#),
    case("what comes after glibc's own signals", "library-signals", 15, r#"{"origin":"process","via":"kill","previous":null,"missing":null}"#),
    case("a full queue", "full-queue", 34, r#"{"origin":"process","via":"rt_sigqueueinfo","result":"overflow","signalName":"SIGRTMIN"}"#),
    case("to one that waits for it (sigwaitinfo)", "sigwait", 15, r#"{"origin":"process","fatal":null,"result":"queued","target":{"waiting":true,"blocked":null}}"#),
    case("to one that reads a signalfd", "signalfd", 15, r#"{"origin":"process","fatal":null,"result":"queued","target":{"signalfd":true,"blocked":true,"state":null}}"#),
    case("to one that polls a signalfd", "polled-signalfd", 15, r#"{"origin":"process","fatal":null,"result":"queued","target":{"signalfd":true,"blocked":true,"state":null}}"#),
    case("SIGKILL to a frozen process (cgroups 1)", "@frozen-1", 9, r#"{"origin":"process","target":{"state":"frozen"}}"#),
    case("SIGTERM to a frozen process (cgroups 2)", "@frozen-2", 15, r#"{"origin":"process","target":{"state":"frozen"}}"#),
    case("passed on by an init", "forwarding", 12, r#"{"origin":"process","source":{"pid":"OTHER","lastSignal":{"id":"SOME","signalName":"SIGUSR2","source":{"pid":"MAKER"}}}}"#),
    case("raised again by its handler", "twice-raised", 15, r#"{"origin":"process","relation":"self","source":{"lastSignal":{"id":"SOME","signalName":"SIGTERM","source":{"pid":"MAKER"}}},"target":{"disposition":"default"}}"#),
];
