//! Every way a signal comes to be, and what its line must say: shown on a real kernel by `tests/root/signals.rs`, told
//! in docs/signals.md by `tests/kernels.rs`, where a row without a passing test says NOT TESTED.

#![allow(unreachable_pub, dead_code)] // two test programs, each of which needs a part

/// One way.
#[derive(Debug, Clone, Copy)]
pub struct Row {
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

const fn row(how: &'static str, kind: &'static str, signal: i64, says: &'static str) -> Row {
    Row { how, kind, signal, says }
}

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("kill(pid)", "kill", 15, r#"{"origin":"process","via":"kill","scope":"process","code":"SI_USER","source":{"pid":"MAKER"},"relation":"parent"}"#),
    row("kill(-pgid)", "kill-group", 15, r#"{"origin":"process","via":"kill","scope":"process-group","source":{"pid":"MAKER"}}"#),
    row("kill(0)", "kill-own-group", 10, r#"{"origin":"process","via":"kill","scope":"process-group","source":{"pid":"MAKER"}}"#),
    row("kill(-1) inside a pid namespace", "@everybody", 15, r#"{"origin":"process","via":"kill","scope":"all","source":{"nspid":1},"relation":"parent"}"#),
    row("kill by a 32-bit system call", "kill-32", 15, r#"{"origin":"process","via":"kill","scope":"process","source":{"pid":"MAKER"}}"#),
    row("tkill", "tkill", 15, r#"{"origin":"process","via":"tkill","scope":"thread","code":"SI_TKILL","source":{"pid":"MAKER"}}"#),
    row("tgkill", "tgkill", 15, r#"{"origin":"process","via":"tgkill","scope":"thread","code":"SI_TKILL","source":{"pid":"MAKER"}}"#),
    row("pthread_kill of another thread", "pthread-kill", 15, r#"{"origin":"process","via":"tgkill","scope":"thread","relation":"self","source":{"pid":"MAKER"},"target":{"tid":"SOME"}}"#),
    row("sigqueue, with its value", "sigqueue", 15, r#"{"origin":"process","via":"rt_sigqueueinfo","scope":"process","code":"SI_QUEUE","codeForged":null,"sigval":{"int":42,"ptr":"0x2a"},"source":{"pid":"MAKER"}}"#),
    row("rt_tgsigqueueinfo, with its value", "rt-tgsigqueueinfo", 15, r#"{"origin":"process","via":"rt_tgsigqueueinfo","scope":"thread","code":"SI_QUEUE","sigval":{"int":-7},"source":{"pid":"MAKER"}}"#),
    row("pidfd_send_signal", "pidfd", 15, r#"{"origin":"process","via":"pidfd_send_signal","scope":"process","code":"SI_USER","codeForged":null,"source":{"pid":"MAKER"}}"#),
    row("a code that its sender made up", "forged", 15, r#"{"origin":"process","via":"rt_sigqueueinfo","code":"SI_TIMER","codeForged":true,"relation":"self","source":{"pid":"MAKER"}}"#),
    row("cgroup.kill", "@cgroup-kill", 9, r#"{"origin":"cgroup","via":"write","scope":"cgroup","source":{"pid":"MAKER"}}"#),
    row("cgroup.kill by pwritev", "@cgroup-kill-by-pwritev", 9, r#"{"origin":"cgroup","via":"pwritev","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    row("cgroup.kill by pwritev2", "@cgroup-kill-by-pwritev2", 9, r#"{"origin":"cgroup","via":"pwritev2","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    row("cgroup.kill by splice", "@cgroup-kill-by-splice", 9, r#"{"origin":"cgroup","via":"splice","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    row("cgroup.kill by io_uring", "@cgroup-kill-by-io_uring", 9, r#"{"origin":"cgroup","via":"io_uring","scope":"cgroup","fatal":true,"source":{"pid":"MAKER"}}"#),
    row("bpf_send_signal of SIGKILL", "bpf-kill", 9, r#"{"origin":"bpf","fatal":true,"source":null,"via":null,"trigger":null}"#),
    row("bpf_send_signal of SIGINT", "bpf-interrupt", 2, r#"{"origin":"bpf","fatal":true,"tty":null,"source":null,"via":null,"trigger":null}"#),
    row("bpf_send_signal of SIGALRM", "bpf-alarm", 14, r#"{"origin":"bpf","fatal":true,"source":null,"via":null,"trigger":null}"#),
    row("abort()", "abort", 6, r#"{"origin":"process","via":"tgkill","relation":"self","source":{"pid":"MAKER"}}"#),
    row("timer_create", "posix-timer", 10, r#"{"origin":"timer","code":"SI_TIMER","codeForged":null,"source":null,"via":null}"#),
    row("alarm, setitimer(ITIMER_REAL)", "alarm", 14, r#"{"origin":"timer","source":null,"via":null,"trigger":null}"#),
    row("setitimer(ITIMER_PROF)", "profiling-timer", 27, r#"{"origin":"timer","source":null,"via":null}"#),
    row("SIGSEGV: no page there", "null-pointer", 11, r#"{"origin":"fault","code":"SEGV_MAPERR","fault":{"address":"0x1234","ip":"SOME"},"source":null}"#),
    row("SIGSEGV: a page that is read-only", "read-only-page", 11, r#"{"origin":"fault","code":"SEGV_ACCERR","fault":{"address":"SOME","ip":"SOME"},"source":null}"#),
    row("SIGSEGV: no room for its handler", "stack-overflow", 11, r#"{"origin":"fault","reason":"handler-failed","fault":{"address":"SOME","ip":"SOME"},"source":null}"#),
    row("SIGSEGV: its handler raises it again", "fault-raised-again", 11, r#"{"origin":"process","relation":"self","fault":{"address":"0x1234"},"previous":{"hidden":true}}"#),
    row("SIGBUS: a page beyond its file", "page-beyond-file", 7, r#"{"origin":"fault","code":"BUS_ADRERR","fault":{"address":"SOME","ip":"SOME"},"source":null}"#),
    row("SIGFPE: division by zero", "division", 8, r#"{"origin":"fault","code":"FPE_INTDIV","fault":{"ip":"SOME"},"source":null}"#),
    row("SIGILL: no such instruction", "illegal-instruction", 4, r#"{"origin":"fault","code":"ILL_ILLOPN","fault":{"ip":"SOME"},"source":null}"#),
    row("SIGTRAP: a breakpoint", "breakpoint", 5, r#"{"origin":"fault","code":"SI_KERNEL","source":null}"#),
    row("SIGSYS: a seccomp filter", "seccomp-filter", 31, r#"{"origin":"seccomp","code":"SYS_SECCOMP","seccomp":{"syscall":"SOME","syscallName":"getppid","arch":"SOME","address":"SOME"},"source":null,"via":null}"#),
    row("a seccomp filter that ends one thread", "filter-of-thread", 31, r#"{"event":"ended","scope":"thread","origin":"seccomp","seccomp":{"syscallName":"getppid","arch":"SOME","address":"SOME"},"target":{"tid":"OTHER"},"missing":null}"#),
    row("SIGSYS: syscall user dispatch", "user-dispatch", 31, r#"{"origin":"kernel","reason":"user-dispatch","code":"SYS_USER_DISPATCH","source":null,"via":null,"trigger":null}"#),
    row("strict seccomp", "strict-seccomp", 9, r#"{"event":"ended","origin":"seccomp","coreDumped":false,"seccomp":{"syscallName":"getppid"},"source":null}"#),
    row("strict seccomp of one thread", "strict-thread", 9, r#"{"event":"ended","scope":"thread","origin":"seccomp","seccomp":{"syscallName":"getppid","arch":"SOME","address":"SOME"},"target":{"tid":"OTHER"},"missing":null}"#),
    row("a signal that a tracer put in (ptrace)", "ptrace", 15, r#"{"event":"ended","origin":"ptrace","trigger":{"pid":"MAKER"},"source":null}"#),
    row("a signal that a tracer left behind (PTRACE_DETACH)", "ptrace-detach", 15, r#"{"event":"ended","origin":null,"missing":["origin:not-seen"],"trigger":null,"source":null}"#),
    row("PTRACE_ATTACH", "attach", 19, r#"{"origin":"ptrace","reason":"attach","trigger":{"pid":"MAKER"},"target":{"tracer":{"pid":"MAKER"}},"source":null,"via":null}"#),
    row("PTRACE_KILL", "ptrace-kill", 9, r#"{"origin":"ptrace","reason":"ptrace-kill","fatal":true,"trigger":{"pid":"MAKER"},"target":{"tracer":{"pid":"MAKER"}},"source":null,"via":null}"#),
    row("a tracer ends (PTRACE_O_EXITKILL)", "end-of-tracer", 9, r#"{"origin":"ptrace","reason":"tracer-ended","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    row("execve of a traced process", "traced-exec", 5, r#"{"origin":"ptrace","reason":null,"trigger":null,"target":{"tracer":{"pid":"MAKER"}},"source":null,"via":null}"#),
    row("kill by a traced process, its registers changed", "traced-sender", 15, r#"{"origin":"process","via":"kill","source":{"pid":"OTHER","tracer":{"pid":"MAKER"}},"fatal":true}"#),
    row("SIGPIPE", "broken-pipe", 13, r#"{"origin":"io","code":"SI_USER","source":null,"via":null}"#),
    row("SIGIO by O_ASYNC", "async-pipe", 29, r#"{"origin":"io","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    row("SIGIO by F_SETSIG", "fcntl", 10, r#"{"origin":"io","code":"POLL_IN","trigger":{"pid":"SOME"},"source":null,"via":null}"#),
    row("F_SETSIG, the peer ends", "end-of-peer", 10, r#"{"origin":"io","code":"POLL_IN","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    row("F_SETOWN of another, F_SETSIG of SIGKILL", "owner-to-kill", 9, r#"{"origin":"io","code":"POLL_IN","fatal":true,"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    row("F_SETOWN of another that handles the signal", "owner-that-handles", 29, r#"{"origin":"io","code":"POLL_IN","trigger":{"pid":"MAKER"},"target":{"disposition":"handled"},"source":null,"via":null}"#),
    row("mq_notify", "message", 10, r#"{"origin":"io","reason":"message-queue","code":"SI_MESGQ","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    row("RLIMIT_CPU, soft: SIGXCPU", "cpu-limit", 24, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_CPU","valueSeconds":1.0,"kind":"soft"},"trigger":null,"source":null,"via":null}"#),
    row("RLIMIT_CPU, hard", "hard-cpu-limit", 9, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_CPU","valueSeconds":2.0,"kind":"hard"},"previous":{"signalName":"SIGXCPU","origin":"rlimit"},"fatal":true,"trigger":null,"source":null,"via":null}"#),
    row("RLIMIT_CPU, soft and hard the same", "equal-cpu-limits", 9, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_CPU","valueSeconds":1.0,"kind":"hard"},"fatal":true,"trigger":null,"source":null,"via":null}"#),
    row("RLIMIT_RTTIME", "real-time-limit", 9, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_RTTIME","valueSeconds":0.2,"kind":"hard"},"target":{"tid":"OTHER"},"fatal":true,"trigger":null,"source":null,"via":null}"#),
    row("RLIMIT_FSIZE: SIGXFSZ", "file-size-limit", 25, r#"{"origin":"rlimit","rlimit":{"name":"RLIMIT_FSIZE","valueBytes":4096,"kind":"soft"},"source":null,"via":null}"#),
    row("^C", "interrupt-key", 2, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    row("^\\", "quit-key", 3, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    row("^Z", "suspend-key", 20, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    row("a terminal's other end is closed", "close-terminal", 1, r#"{"origin":"tty","tty":{"name":"TTY"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    row("the leader of a terminal's session ends", "@leader-ends", 1, r#"{"origin":"tty","tty":{"name":"SOME"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    row("SIGHUP of an orphaned process group", "orphaned-group", 1, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    row("SIGCONT of an orphaned process group", "orphaned-group", 18, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    row("SIGHUP, a session's leader without a terminal ends", "orphaned-session", 1, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    row("SIGCONT, a session's leader without a terminal ends", "orphaned-session", 18, r#"{"origin":"kernel","reason":"orphaned-pgrp","code":"SI_KERNEL","trigger":{"pid":"OTHER"},"tty":null,"source":null,"via":null}"#),
    row("SIGTTIN", "background-read", 21, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    row("SIGTTOU", "background-write", 22, r#"{"origin":"tty","tty":{"name":"TTY"},"source":null,"via":null}"#),
    row("SIGWINCH by a resize (--all)", "resize", 28, r#"{"origin":"tty","tty":{"name":"TTY"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    row("SIGWINCH by kill", "@winch-by-kill", 28, r#"{"origin":"process","via":"kill","tty":null,"source":{"pid":"SOME"}}"#),
    row("PDEATHSIG, the parent's process lives on", "end-of-thread", 15, r#"{"origin":"parent-death","code":"SI_USER","trigger":{"pid":"MAKER","tid":"SOME","processAlive":true},"source":null,"via":null}"#),
    row("PDEATHSIG, the parent's process ends", "@parent-ends", 15, r#"{"origin":"parent-death","trigger":{"pid":"MAKER","tid":"MAKER","processAlive":false},"source":null}"#),
    row("the init of a pid namespace ends", "end-of-namespace", 9, r#"{"origin":"pidns","trigger":{"pid":"SOME"},"source":null,"via":null}"#),
    row("reboot in a pid namespace: restart", "restart", 9, r#"{"origin":"pidns","reason":"reboot","reboot":{"command":"restart","parentReads":"SIGHUP"},"trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    row("reboot in a pid namespace: halt", "halt", 9, r#"{"origin":"pidns","reason":"reboot","reboot":{"command":"halt","parentReads":"SIGINT"},"trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    row("out of memory in a cgroup", "@oom", 9, r#"{"origin":"oom","oom":{"scope":"cgroup","cgroup":"CGROUP","limitBytes":33554432,"usageBytes":"SOME","rssBytes":"SOME"},"trigger":{"pid":"MAKER"},"source":null,"via":null}"#),
    row("SysRq's key f", "@sysrq-f", 9, r#"{"origin":"oom","reason":"sysrq","oom":{"scope":null,"cgroup":null,"limitBytes":null,"rssBytes":"SOME"},"source":null,"via":null}"#),
    row("bad memory, found by the process itself", "poison", 7, r#"{"origin":"fault","reason":"memory-failure","code":"BUS_MCEERR_AR","fault":{"address":"SOME"},"source":null,"via":null}"#),
    row("bad memory, touched after it was found", "poisoned-page", 7, r#"{"origin":"fault","reason":"memory-failure","code":"BUS_MCEERR_AR","fault":{"address":"SOME"},"source":null,"via":null}"#),
    row("SIGCHLD (--all)", "end-of-child", 17, r#"{"origin":"child","code":"CLD_EXITED","trigger":{"pid":"SOME"},"source":null,"via":null}"#),
    row("another exit signal than SIGCHLD", "other-exit-signal", 10, r#"{"origin":"child","code":"CLD_EXITED","trigger":{"pid":"OTHER"},"source":null,"via":null}"#),
    row("pthread_cancel: glibc's own signal 32 (--all)", "pthread-cancel", 32, r#"{"origin":"process","via":"tgkill","signalName":"32","relation":"self"}"#),
    row("what comes after glibc's own signals", "library-signals", 15, r#"{"origin":"process","via":"kill","previous":null,"missing":null}"#),
    row("a full queue", "full-queue", 34, r#"{"origin":"process","via":"rt_sigqueueinfo","result":"overflow","signalName":"SIGRTMIN"}"#),
    row("to one that waits for it (sigwaitinfo)", "sigwait", 15, r#"{"origin":"process","fatal":null,"result":"queued","target":{"waiting":true,"blocked":null}}"#),
    row("to one that reads a signalfd", "signalfd", 15, r#"{"origin":"process","fatal":null,"result":"queued","target":{"signalfd":true,"blocked":true,"state":null}}"#),
    row("to one that polls a signalfd", "polled-signalfd", 15, r#"{"origin":"process","fatal":null,"result":"queued","target":{"signalfd":true,"blocked":true,"state":null}}"#),
    row("SIGKILL to a frozen process (cgroups 1)", "@frozen-1", 9, r#"{"origin":"process","target":{"state":"frozen"}}"#),
    row("SIGTERM to a frozen process (cgroups 2)", "@frozen-2", 15, r#"{"origin":"process","target":{"state":"frozen"}}"#),
    row("passed on by an init", "forwarding", 12, r#"{"origin":"process","source":{"pid":"OTHER","lastSignal":{"id":"SOME","signalName":"SIGUSR2","source":{"pid":"MAKER"}}}}"#),
    row("raised again by its handler", "twice-raised", 15, r#"{"origin":"process","relation":"self","source":{"lastSignal":{"id":"SOME","signalName":"SIGTERM","source":{"pid":"MAKER"}}},"target":{"disposition":"default"}}"#),
];
