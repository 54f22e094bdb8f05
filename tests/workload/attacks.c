// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * What a user without privileges may try so as not to be named. As in causes.c: each prints the pid of the target, and behind
 * it the pid of the process that is to be named.
 */
#include "workload.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/user.h>

#ifndef F_SETSIG
#define F_SETSIG 10
#endif

static void do_nothing(int signal)
{
	(void)signal;
}

static void handle_all(void)
{
	signal(SIGTERM, do_nothing);
	signal(SIGUSR1, do_nothing);
}

/* One that handles these, so that they are of no consequence and may be hidden. */
static pid_t start_victim(void)
{
	return start_child(handle_all);
}

#ifdef __x86_64__
/* The siginfo of a timer, as rt_sigqueueinfo() lets anybody write it. */
static int queue_as(pid_t victim, int signal, int code)
{
	siginfo_t info = { .si_signo = signal, .si_code = code };

	return (int)syscall(SYS_rt_sigqueueinfo, victim, signal, &info);
}

/* A call whose number has more bits than the kernel looks at. */
static long call_wide(long number, long first, long second, const void *third, long fourth)
{
	register long last __asm__("r10") = fourth;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number | 0x5eed00000000), "D"(first), "S"(second), "d"(third), "r"(last)
			 : "rcx", "r11", "memory");
	return result;
}

static void by_wide_queue(void)
{
	siginfo_t info = { .si_signo = SIGTERM, .si_code = SI_TIMER };
	pid_t victim = start_victim();

	say_two(victim, getpid());
	if (call_wide(SYS_rt_sigqueueinfo, victim, SIGTERM, &info, 0))
		die("rt_sigqueueinfo");
	wait_for_ever();
}

static void by_wide_pidfd(void)
{
	siginfo_t info = { .si_signo = SIGTERM, .si_code = SI_TIMER };
	pid_t victim = start_victim();
	int file = (int)syscall(SYS_pidfd_open, victim, 0);

	say_two(victim, getpid());
	if (call_wide(SYS_pidfd_send_signal, file, SIGTERM, &info, 0))
		die("pidfd_send_signal");
	wait_for_ever();
}

static void by_wide_ptrace(void)
{
	pid_t victim = start_victim();

	if (ptrace(PTRACE_SEIZE, victim, 0, 0))
		die("seize it");
	say_two(victim, getpid());
	if (call_wide(SYS_ptrace, PTRACE_KILL, victim, NULL, 0))
		die("PTRACE_KILL");
	wait_for_ever();
}

/* Of init, which it may not send to. */
static void by_wide_failure(void)
{
	say_two(1, getpid());
	if (call_wide(SYS_kill, 1, SIGTERM, NULL, 0) != -EPERM)
		die("fail");
	wait_for_ever();
}

enum way { BY_KILL, BY_GROUP, BY_TIMER, BY_IO };

static void send_in(enum way way, pid_t victim)
{
	switch (way) {
	case BY_KILL:
		syscall(SYS_kill, victim, SIGTERM);
		break;
	case BY_GROUP:
		syscall(SYS_kill, -victim, SIGTERM);
		break;
	case BY_TIMER:
		queue_as(victim, SIGTERM, SI_TIMER);
		break;
	case BY_IO:
		queue_as(victim, SIGTERM, SI_SIGIO);
		break;
	}
}

/* A sender, its tracer changes the register of the result where the call begins, and goes on tracing it or lets go. */
static void assist(enum way way, bool lets_go)
{
	long number = way == BY_KILL || way == BY_GROUP ? SYS_kill : SYS_rt_sigqueueinfo;
	struct user_regs_struct registers;
	pid_t victim = start_victim(), sender;
	int status;

	if (setpgid(victim, victim))
		die("setpgid");
	sender = fork();
	if (sender < 0)
		die("fork");
	if (!sender) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			die("be traced");
		raise(SIGSTOP);
		send_in(way, victim);
		wait_for_ever();
	}
	if (waitpid(sender, &status, 0) != sender || !WIFSTOPPED(status))
		die("wait for the sender");
	do {
		if (ptrace(PTRACE_SYSCALL, sender, 0, 0) || waitpid(sender, &status, 0) != sender ||
		    !WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, sender, 0, &registers))
			die("trace the sender");
	} while ((long)registers.orig_rax != number);
	registers.rax = 0;
	if (ptrace(PTRACE_SETREGS, sender, 0, &registers))
		die("change the sender's registers");
	say_two(victim, sender);
	if (ptrace(lets_go ? PTRACE_DETACH : PTRACE_CONT, sender, 0, 0))
		die("let the sender go on");
	wait_for_ever();
}

#define ASSISTED(name_, way_, lets_go_)     \
	static void name_(void)             \
	{                                   \
		assist((way_), (lets_go_)); \
	}
ASSISTED(assisted_kill, BY_KILL, false)
ASSISTED(assisted_group, BY_GROUP, false)
ASSISTED(assisted_timer, BY_TIMER, false)
ASSISTED(assisted_io, BY_IO, false)
ASSISTED(let_go_kill, BY_KILL, true)
ASSISTED(let_go_group, BY_GROUP, true)
ASSISTED(let_go_timer, BY_TIMER, true)
ASSISTED(let_go_io, BY_IO, true)

/* An innocent process of the same user is made to send it: the attacker is its tracer. */
static void by_innocent_process(void)
{
	static char text[] __attribute__((aligned(4096))) = "\x0f\x05"; /* syscall */
	struct user_regs_struct registers;
	pid_t victim = start_victim(), innocent;
	int status;

	if (mprotect(text, sizeof(text), PROT_READ | PROT_WRITE | PROT_EXEC))
		die("mprotect");
	innocent = start(wait_for_ever);
	if (ptrace(PTRACE_SEIZE, innocent, 0, 0) || ptrace(PTRACE_INTERRUPT, innocent, 0, 0) ||
	    waitpid(innocent, &status, 0) != innocent || ptrace(PTRACE_GETREGS, innocent, 0, &registers))
		die("seize it");
	registers.rax = SYS_kill;
	registers.orig_rax = (unsigned long)-1;
	registers.rdi = (unsigned long)victim;
	registers.rsi = SIGTERM;
	registers.rip = (unsigned long)text;
	if (ptrace(PTRACE_SETREGS, innocent, 0, &registers))
		die("change its registers");
	say_two(victim, innocent);
	if (ptrace(PTRACE_SYSCALL, innocent, 0, 0) || waitpid(innocent, &status, 0) != innocent ||
	    ptrace(PTRACE_SYSCALL, innocent, 0, 0) || waitpid(innocent, &status, 0) != innocent)
		die("let it send");
	wait_for_ever();
}
#endif

/* A directory of its own, which a notification is asked of. */
static int watch_directory(char *path)
{
	int directory;

	if (!mkdtemp(path))
		die("mkdtemp");
	directory = open(path, O_RDONLY | O_DIRECTORY);
	if (directory < 0)
		die("open a directory");
	return directory;
}

static void own(int file, pid_t victim)
{
	if (fcntl(file, F_SETOWN, victim) || fcntl(file, F_SETSIG, SIGUSR1))
		die("F_SETOWN");
}

/* Another process does so, a moment later: it is the one to be named. */
static void let_another(void (*act)(const char *), const char *path, pid_t victim)
{
	int ready[2];
	pid_t other;
	char byte;

	if (pipe(ready))
		die("pipe");
	other = fork();
	if (other < 0)
		die("fork");
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (read(ready[0], &byte, 1) != 1)
			die("wait");
		act(path);
		wait_for_ever();
	}
	say_two(victim, other);
	if (write(ready[1], "", 1) != 1)
		die("let it act");
	wait_for_ever();
}

static void make_file(const char *path)
{
	char file[64];

	snprintf(file, sizeof(file), "%s/file", path);
	if (open(file, O_CREAT | O_RDWR, 0600) < 0)
		die("make a file");
	unlink(file);
	rmdir(path);
}

static void by_directory(void)
{
	char path[] = "/tmp/killsnoop-attack-XXXXXX";
	int directory = watch_directory(path);
	pid_t victim = start_victim();

	if (fcntl(directory, F_NOTIFY, DN_CREATE | DN_MULTISHOT))
		die("F_NOTIFY");
	own(directory, victim);
	let_another(make_file, path, victim);
}

static void open_file(const char *path)
{
	int file = open(path, O_RDONLY | O_NONBLOCK);

	if (file < 0 && errno != EWOULDBLOCK)
		die("open the file");
	unlink(path);
}

static void by_lease(void)
{
	char path[] = "/tmp/killsnoop-attack-XXXXXX";
	int file = mkstemp(path);
	pid_t victim = start_victim();

	if (file < 0 || fcntl(file, F_SETLEASE, F_WRLCK))
		die("F_SETLEASE");
	own(file, victim);
	let_another(open_file, path, victim);
}

/* What is typed reaches the other side by a kernel thread. */
static void by_terminal(void)
{
	int typed = posix_openpt(O_RDWR | O_NOCTTY), read;
	pid_t victim = start_victim();

	if (typed < 0 || grantpt(typed) || unlockpt(typed))
		die("open a terminal");
	read = open(ptsname(typed), O_RDWR | O_NOCTTY);
	if (fcntl(read, F_SETOWN, victim) || fcntl(read, F_SETSIG, SIGTERM) ||
	    fcntl(read, F_SETFL, O_ASYNC | O_NONBLOCK))
		die("F_SETOWN");
	say_two(victim, getpid());
	if (write(typed, "\n", 1) != 1)
		die("type");
	wait_for_ever();
}

static void send_files(int socket, const int *files, size_t size)
{
	char control[CMSG_SPACE(3 * sizeof(int))] = { 0 };
	struct iovec text = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), files, size);
	if (sendmsg(socket, &message, 0) != 1)
		die("send files");
}

/* A file whose last holders are two sockets that only hold each other: a kernel thread finds that out, and closes it. */
static void by_garbage(void)
{
	pid_t victim = start_victim();
	int sockets[2], ends[2];

	if (pipe(ends) || socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets))
		die("pipe");
	if (fcntl(ends[0], F_SETOWN, victim) || fcntl(ends[0], F_SETSIG, SIGTERM) ||
	    fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK))
		die("F_SETOWN");
	for (int i = 0; i < 2; i++) {
		int files[] = { sockets[0], sockets[1], ends[1] };

		send_files(sockets[i], files, sizeof(files));
	}
	say_two(victim, getpid());
	close(ends[1]);
	close(sockets[0]);
	close(sockets[1]);
	wait_for_ever();
}

/* What it sends itself is hidden, since it is handled; then it is handled no more, and it dies of it. */
static void die_of_hidden(void)
{
	sigset_t blocked;

	signal(SIGTERM, do_nothing);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	kill(getpid(), SIGTERM);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static void by_itself_unhandled(void)
{
	pid_t victim = start(die_of_hidden);

	say_two(victim, victim);
	wait_for_ever();
}

/* It once sent itself the signal that a tracer puts in the place of another one later. */
static void send_itself_and_wait(void)
{
	struct itimerval soon = { .it_value.tv_usec = 50000 };

	signal(SIGUSR1, do_nothing);
	kill(getpid(), SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGALRM, do_nothing);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void by_tracer_later(void)
{
	pid_t victim = start_child(send_itself_and_wait);
	int status;

	if (ptrace(PTRACE_SEIZE, victim, 0, 0) || waitpid(victim, &status, 0) != victim)
		die("trace it");
	say_two(victim, getpid());
	if (ptrace(PTRACE_CONT, victim, 0, SIGUSR1))
		die("put a signal in");
	wait_for_ever();
}

/* A process that watches a file of an execve lets it signal in the middle of that. */
static void exec_copy(void)
{
	usleep(100000);
	execl("/tmp/killsnoop-attack-exec", "workload", "wait", NULL);
	die("exec a copy");
}

static void by_watched_exec(void)
{
	char *copy[] = { "cp", "/proc/self/exe", "/tmp/killsnoop-attack-exec", NULL };
	pid_t copier = fork(), victim;
	int watched;

	if (!copier) {
		char source[32];

		snprintf(source, sizeof(source), "/proc/%d/exe", getppid());
		copy[1] = source;
		execvp("cp", copy);
		_exit(1);
	}
	reap(copier);
	victim = start(exec_copy);
	watched = inotify_init1(0);
	if (inotify_add_watch(watched, "/tmp/killsnoop-attack-exec", IN_ACCESS) < 0)
		die("watch it");
	if (fcntl(watched, F_SETOWN, victim) || fcntl(watched, F_SETSIG, SIGKILL) ||
	    fcntl(watched, F_SETFL, O_ASYNC))
		die("F_SETOWN");
	say_two(victim, getpid());
	reap(victim);
	unlink("/tmp/killsnoop-attack-exec");
	wait_for_ever();
}

/* Its own timer, at the pace of another's calls, on the same CPU. */
static void by_own_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec often = { { 0, 150000 }, { 0, 150000 } };
	cpu_set_t first;
	timer_t timer;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	handle_all();
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &often, NULL))
		die("make a timer");
	say_two(getpid(), getpid());
	wait_for_ever();
}

/* A process that has its reasons: it sends its child what that ignores, for two seconds. */
static void send_often(void)
{
	unsigned long long end = now() + 2000000000ULL;
	pid_t child = start(wait_for_ever);
	int file = (int)syscall(SYS_pidfd_open, child, 0);
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	while (now() < end) {
		syscall(SYS_pidfd_send_signal, file, SIGUSR1, NULL, 0);
		usleep(100);
	}
}

static void by_innocent_calls(void)
{
	signal(SIGUSR1, SIG_IGN);
	send_often();
	say_two(getpid(), getpid());
	wait_for_ever();
}

/* Its session has another terminal by now than the one that it had at its exec. */
static int open_terminal(char *name)
{
	int file = posix_openpt(O_RDWR | O_NOCTTY);

	if (file < 0 || grantpt(file) || unlockpt(file))
		die("open a terminal");
	strcpy(name, ptsname(file));
	return file;
}

static void by_second_terminal(void)
{
	char first[64], second[64];
	int other = open_terminal(first), terminal = open_terminal(second), ready[2];
	pid_t victim;
	char byte;

	if (pipe(ready))
		die("pipe");
	victim = fork();
	if (!victim) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(other);
		close(terminal);
		dup2(ready[1], 100);
		setsid();
		if (ioctl(open(first, O_RDWR), TIOCSCTTY, 0))
			die("TIOCSCTTY");
		run((char *[]){ "workload", "signal", "changes-terminal", second, NULL });
	}
	if (read(ready[0], &byte, 1) != 1)
		die("wait");
	say_two(victim, getpid());
	close(terminal);
	wait_for_ever();
}

/* changes-terminal NAME */
static void change_terminal(void)
{
	signal(SIGHUP, SIG_IGN);
	if (ioctl(open("/dev/tty", O_RDWR), TIOCNOTTY))
		die("TIOCNOTTY");
	signal(SIGHUP, SIG_DFL);
	if (ioctl(open(arguments[3], O_RDWR | O_NOCTTY), TIOCSCTTY, 0))
		die("TIOCSCTTY");
	if (write(100, "", 1) != 1)
		die("say so");
	wait_for_ever();
}

/* A breakpoint of another process: what it brings looks like a fault of the victim. */
static volatile long watched_word;

static void write_for_ever(void)
{
	signal(SIGTRAP, do_nothing);
	for (;;) {
		watched_word++;
		usleep(10000);
	}
}

static void by_foreign_breakpoint(void)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(event),
		.bp_type = 2,
		.bp_addr = (unsigned long)&watched_word,
		.bp_len = 8,
		.sample_period = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.remove_on_exec = 1,
		.sigtrap = 1,
	};
	pid_t victim = start(write_for_ever);

	usleep(50000);
	say_two(victim, getpid());
	if (syscall(SYS_perf_event_open, &event, victim, -1, -1, PERF_FLAG_FD_CLOEXEC) < 0)
		die("perf_event_open");
	wait_for_ever();
}

static void burn(void)
{
	for (;;)
		;
}

/* The limit of another is lowered: nobody knows by whom, and it is not the victim that asked for it. */
static void by_prlimit(void)
{
	struct rlimit limit = { .rlim_cur = 1, .rlim_max = 1 };
	pid_t victim = start(burn);

	if (prlimit(victim, RLIMIT_CPU, &limit, NULL))
		die("prlimit");
	say_two(victim, getpid());
	wait_for_ever();
}

/* An event of another that asks for SIGTRAP: it looks like a fault of the victim. */
static int open_event(pid_t victim)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(event),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.sample_period = 10000000,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.remove_on_exec = 1,
		.sigtrap = 1,
	};

	return (int)syscall(SYS_perf_event_open, &event, victim, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void by_event(void)
{
	pid_t victim = start(burn);

	say_two(victim, getpid());
	if (open_event(victim) < 0)
		die("perf_event_open");
	wait_for_ever();
}

static void can_have_events(void)
{
	/* without privileges, as the attacker */
	if (setresuid(65534, 65534, 65534) || open_event(0) < 0)
		exit(1);
	exit(0);
}

static int write_to(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	ssize_t length = (ssize_t)strlen(text);

	return write(file, text, (size_t)length) != length || close(file);
}

/* A program of another mount namespace, at a path that this one has as well, as descriptor 100. */
static bool make_file_elsewhere(const char *path)
{
	char bytes[65536], users[32], groups[32];
	ssize_t count;
	int from, to;

	snprintf(users, sizeof(users), "0 %u 1", getuid());
	snprintf(groups, sizeof(groups), "0 %u 1", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	/* a file system makes no file of a user that it does not know */
	if (write_to("/proc/self/uid_map", users) || write_to("/proc/self/setgroups", "deny") ||
	    write_to("/proc/self/gid_map", groups) || mount("none", "/usr/sbin", "tmpfs", 0, NULL))
		return false;
	from = open("/proc/self/exe", O_RDONLY);
	to = open(path, O_CREAT | O_WRONLY, 0755);
	while ((count = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)count) != count)
			return false;
	close(from);
	close(to);
	return dup2(open(path, O_RDONLY), 100) == 100;
}

static int said[2];

/* The descriptor is the parent's as well, which shares the table; the namespace lives as long as somebody is in it. */
static int give_file(void *path)
{
	char done = make_file_elsewhere(path);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(said[1], &done, 1) != 1)
		return 1;
	wait_for_ever();
}

static void by_foreign_program(void)
{
	static char stack[4 * 65536];
	char *argv[] = { "cron", "wait", NULL };
	char done;

	if (pipe(said) ||
	    clone(give_file, stack + sizeof(stack), CLONE_FILES | SIGCHLD, "/usr/sbin/cron") < 0)
		die("clone");
	if (read(said[0], &done, 1) != 1 || !done)
		die("have a file of another mount namespace");
	fcntl(100, F_SETFD, FD_CLOEXEC);
	syscall(SYS_execveat, 100, "", argv, (char *[]){ NULL }, AT_EMPTY_PATH);
	die("execveat");
}

const struct signal_kind attack_kinds[] = {
#ifdef __x86_64__
	{ "assisted-kill", assisted_kill },
	{ "assisted-group", assisted_group },
	{ "assisted-timer", assisted_timer },
	{ "assisted-io", assisted_io },
	{ "let-go-kill", let_go_kill },
	{ "let-go-group", let_go_group },
	{ "let-go-timer", let_go_timer },
	{ "let-go-io", let_go_io },
	{ "innocent", by_innocent_process },
	{ "wide-queue", by_wide_queue },
	{ "wide-pidfd", by_wide_pidfd },
	{ "wide-ptrace", by_wide_ptrace },
	{ "wide-failure", by_wide_failure },
#endif
	{ "directory", by_directory },
	{ "lease", by_lease },
	{ "terminal", by_terminal },
	{ "itself-unhandled", by_itself_unhandled },
	{ "tracer-later", by_tracer_later },
	{ "watched-exec", by_watched_exec },
	{ "own-timer", by_own_timer },
	{ "innocent-calls", by_innocent_calls },
	{ "second-terminal", by_second_terminal },
	{ "foreign-breakpoint", by_foreign_breakpoint },
	{ "changes-terminal", change_terminal },
	{ "garbage", by_garbage },
	{ "prlimit", by_prlimit },
	{ "event", by_event },
	{ "can-have-events", can_have_events },
	{ "foreign-program", by_foreign_program },
	{ NULL, NULL },
};
