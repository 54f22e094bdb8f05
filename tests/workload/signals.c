// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Every way a signal comes to be: `workload signal KIND` prints the pid that will get it, and makes it happen. What
 * others are needed for (a group, a child) is made here, so that the target is always one of the test's own.
 */
#include "workload.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <termios.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

void say(pid_t pid)
{
	printf("%d\n", pid);
	fflush(stdout);
}

static int ready_end;

static void be_ready(void)
{
	char byte = 0;

	if (write(ready_end, &byte, 1) != 1)
		die("write to the parent");
	wait_for_ever();
}

/* be-ready FD: what a child that execs does. */
static void be_ready_after_exec(void)
{
	ready_end = atoi(arguments[3]);
	be_ready();
}

pid_t start_child(void (*prepare)(void))
{
	int ready[2];
	char byte = 0;
	pid_t child;

	if (pipe(ready))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ready_end = ready[1];
		if (prepare)
			prepare();
		be_ready();
	}
	if (read(ready[0], &byte, 1) != 1)
		die("wait for the child");
	close(ready[0]);
	close(ready[1]);
	return child;
}

static pid_t announced_child(void)
{
	pid_t child = start_child(NULL);

	say(child);
	return child;
}

static void lead_group(void)
{
	setpgid(0, 0);
}

static void by_kill(void)
{
	kill(announced_child(), SIGTERM);
}

static void by_kill_of_group(void)
{
	pid_t child = start_child(lead_group);

	say(child);
	kill(-child, SIGTERM);
}

/* The sender is in the group, and gets it too. */
static void by_kill_of_own_group(void)
{
	lead_group();
	signal(SIGUSR1, SIG_IGN);
	announced_child();
	kill(0, SIGUSR1);
}

static void by_tkill(void)
{
	syscall(SYS_tkill, announced_child(), SIGTERM);
}

static void by_tgkill(void)
{
	pid_t child = announced_child();

	syscall(SYS_tgkill, child, child, SIGTERM);
}

static void *wait_in_thread(void *pid)
{
	*(volatile pid_t *)pid = syscall(SYS_gettid);
	wait_for_ever();
}

/* pthread_kill() of a thread of one's own that is not the first. */
static void by_pthread_kill(void)
{
	volatile pid_t thread = 0;
	pthread_t id;

	pthread_create(&id, NULL, wait_in_thread, (void *)&thread);
	while (!thread)
		usleep(1000);
	say(getpid());
	pthread_kill(id, SIGTERM);
	wait_for_ever();
}

static void by_sigqueue(void)
{
	sigqueue(announced_child(), SIGTERM, (union sigval){ .sival_ptr = (void *)42 });
}

static void by_rt_tgsigqueueinfo(void)
{
	pid_t child = announced_child();
	siginfo_t info = { .si_signo = SIGTERM, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_value.sival_int = -7;
	syscall(SYS_rt_tgsigqueueinfo, child, child, SIGTERM, &info);
}

static void by_pidfd(void)
{
	int fd = syscall(SYS_pidfd_open, announced_child(), 0);

	if (fd < 0 || syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0))
		die("pidfd_send_signal");
}

#ifdef __x86_64__
static int kill_of_32_bits(pid_t pid, int signal)
{
	int result = 37;

	asm volatile("int $0x80" : "+a"(result) : "b"(pid), "c"(signal) : "memory");
	return result;
}

static void by_kill_of_32_bits(void)
{
	if (kill_of_32_bits(announced_child(), SIGTERM))
		die("a 32-bit kill");
}

/* tries-32 SIGNAL PID */
static void attempt_of_32_bits(void)
{
	say(getpid());
	kill_of_32_bits(atoi(arguments[4]), atoi(arguments[3]));
}
#endif

/* To oneself a sender may claim any code: this one says that a timer did it. */
static void forged(void)
{
	siginfo_t info = { .si_signo = SIGTERM, .si_code = SI_TIMER };

	say(getpid());
	syscall(SYS_rt_sigqueueinfo, getpid(), SIGTERM, &info);
}

static void by_abort(void)
{
	say(getpid());
	abort();
}

/*
 * Stays on this CPU and starts a bystander there that nobody pushes aside, longer than a timer of 50 ms takes: so it is
 * the bystander that the timer's interrupt finds running, always.
 */
static void start_bystander(void)
{
	struct sched_param first = { .sched_priority = 1 };
	unsigned long long end = now() + 100000000;
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		die("sched_setaffinity");
	if (fork())
		return;
	/* without a budget for real-time groups: as near as can be */
	if (sched_setscheduler(0, SCHED_FIFO, &first) && setpriority(PRIO_PROCESS, 0, -20))
		die("sched_setscheduler");
	while (now() < end)
		;
	_exit(0);
}

static void by_posix_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec soon = { .it_value.tv_nsec = 50000000 };
	timer_t timer;

	say(getpid());
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &soon, NULL))
		die("timer_create");
	start_bystander();
	wait_for_ever();
}

static void by_alarm(void)
{
	struct itimerval soon = { .it_value.tv_usec = 50000 };

	say(getpid());
	setitimer(ITIMER_REAL, &soon, NULL);
	start_bystander();
	wait_for_ever();
}

static void by_profiling_timer(void)
{
	struct itimerval soon = { .it_value.tv_usec = 50000 };

	say(getpid());
	setitimer(ITIMER_PROF, &soon, NULL);
	for (;;)
		;
}

static void by_null_pointer(void)
{
	volatile int *nowhere = (volatile int *)0x1234;

	say(getpid());
	*nowhere = 1;
}

static void by_read_only_page(void)
{
	volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	say(getpid());
	*page = 1;
}

static void by_page_beyond_file(void)
{
	int fd = syscall(SYS_memfd_create, "short", 0);
	volatile char *pages = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	char byte;

	say(getpid());
	byte = *pages;
	(void)byte;
}

#ifdef __x86_64__
/* PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, SYSCALL_DISPATCH_FILTER_BLOCK: newer than the headers may be. */
static void by_user_dispatch(void)
{
	static char selector;

	say(getpid());
	if (prctl(59, 1, 0, 0, &selector))
		die("syscall user dispatch");
	selector = 1;
	syscall(SYS_getppid);
}

/* can-dispatch: PR_SYS_DISPATCH_OFF */
static void be_able_to_dispatch(void)
{
	if (prctl(59, 0, 0, 0, 0))
		die("syscall user dispatch");
}

static void by_division(void)
{
	say(getpid());
	asm volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx" ::: "eax", "ecx", "edx");
}

static void by_illegal_instruction(void)
{
	say(getpid());
	asm volatile("ud2");
}

static void by_breakpoint(void)
{
	say(getpid());
	asm volatile("int3");
}
#endif

static void by_seccomp_filter(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	say(getpid());
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
	syscall(SYS_getppid);
}

static void by_strict_seccomp(void)
{
	say(getpid());
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		die("seccomp");
	syscall(SYS_getppid);
}

/* The tracer stops its tracee, and lets it go on (request) with a signal that nobody sent. */
static void inject(enum __ptrace_request request)
{
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		wait_for_ever();
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		die("wait for the tracee");
	say(child);
	ptrace(request, child, 0, SIGTERM);
	waitpid(child, &status, 0);
	wait_for_ever();
}

static void by_ptrace(void)
{
	inject(PTRACE_CONT);
}

/* By a tracer that lets its tracee go. */
static void by_ptrace_detach(void)
{
	inject(PTRACE_DETACH);
}

static void by_broken_pipe(void)
{
	int ends[2];

	if (pipe(ends))
		die("pipe");
	close(ends[0]);
	say(getpid());
	if (write(ends[1], "x", 1) < 0)
		die("write");
}

static void by_fcntl(void)
{
	int ends[2];

	if (pipe(ends))
		die("pipe");
	fcntl(ends[0], F_SETOWN, getpid());
	fcntl(ends[0], F_SETSIG, SIGUSR1);
	fcntl(ends[0], F_SETFL, O_ASYNC);
	say(getpid());
	if (!fork())
		_exit(write(ends[1], "x", 1) != 1);
	wait_for_ever();
}

static void by_file_size_limit(void)
{
	struct rlimit limit = { .rlim_cur = 4096, .rlim_max = 4096 };
	static char much[8192];
	struct rlimit no_core = {};
	int fd = syscall(SYS_memfd_create, "short", 0);

	setrlimit(RLIMIT_FSIZE, &limit);
	/* the file of a core dump would exceed it as well: another signal, of a process that is dying already */
	setrlimit(RLIMIT_CORE, &no_core);
	say(getpid());
	while (write(fd, much, sizeof(much)) > 0)
		;
}

static int master;

/* Leads a session with a terminal of its own. */
static void take_terminal(void)
{
	int slave;

	setsid();
	slave = open(ptsname(master), O_RDWR);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0))
		die("open the terminal");
	/* or the other end would stay open */
	close(master);
}

/* As a shell does in a terminal's window. */
static void exec_in_terminal(void)
{
	char end[16];

	take_terminal();
	snprintf(end, sizeof(end), "%d", ready_end);
	run((char *[]){ "workload", "signal", "be-ready", end, NULL });
}

static pid_t start_in_terminal(void)
{
	pid_t child;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		die("posix_openpt");
	child = start_child(exec_in_terminal);
	printf("%d %s\n", child, ptsname(master) + strlen("/dev/"));
	fflush(stdout);
	return child;
}

static void type(char key)
{
	start_in_terminal();
	if (write(master, &key, 1) != 1)
		die("type");
	wait_for_ever();
}

static void by_interrupt_key(void)
{
	type(3);
}

static void by_quit_key(void)
{
	type(0x1c);
}

static void by_suspend_key(void)
{
	type(0x1a);
}

static void by_closing_the_terminal(void)
{
	start_in_terminal();
	close(master);
	wait_for_ever();
}

static void by_resize(void)
{
	struct winsize size = { .ws_row = 7, .ws_col = 77 };

	start_in_terminal();
	ioctl(master, TIOCSWINSZ, &size);
	wait_for_ever();
}

/* One in the background that reads or, where that is forbidden too, writes. */
static void in_background(bool reads)
{
	struct termios termios;
	char name[64], byte;
	pid_t child;
	int slave;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		die("posix_openpt");
	strcpy(name, ptsname(master));
	if (fork())
		wait_for_ever();
	take_terminal();
	slave = open(name, O_RDWR);
	tcgetattr(slave, &termios);
	termios.c_lflag |= TOSTOP;
	tcsetattr(slave, TCSANOW, &termios);
	child = fork();
	if (!child) {
		lead_group();
		printf("%d %s\n", getpid(), name + strlen("/dev/"));
		fflush(stdout);
		if (reads)
			_exit(read(slave, &byte, 1) != 1);
		_exit(write(slave, "x", 1) != 1);
	}
	wait_for_ever();
}

static void by_reading_in_background(void)
{
	in_background(true);
}

static void by_writing_in_background(void)
{
	in_background(false);
}

/* The thread that forked ends, and its process lives on. */
static int child_of_thread[2];

static void *fork_and_end(void *nothing)
{
	char byte = 0;

	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		say(getpid());
		if (write(child_of_thread[1], &byte, 1) != 1)
			die("write to the parent");
		wait_for_ever();
	}
	if (read(child_of_thread[0], &byte, 1) != 1)
		die("wait for the child");
	usleep(50000);
	return nothing;
}

static void by_end_of_thread(void)
{
	pthread_t thread;

	if (pipe(child_of_thread))
		die("pipe");
	pthread_create(&thread, NULL, fork_and_end, NULL);
	pthread_join(thread, NULL);
	wait_for_ever();
}

/* The first process of a pid namespace ends, and with it the others. */
static void by_end_of_namespace(void)
{
	int ends[2], names[2];
	pid_t child;
	char byte = 0;

	if (pipe(ends) || pipe(names) || unshare(CLONE_NEWPID))
		die("unshare");
	if (!fork()) {
		child = fork();
		if (!child) {
			char link[32] = "";

			/* /proc is the outer one: it names this process as it is known outside */
			if (readlink("/proc/self", link, sizeof(link) - 1) < 0)
				die("readlink");
			say(atoi(link));
			if (write(ends[1], &byte, 1) != 1)
				die("write to the init");
			wait_for_ever();
		}
		if (read(ends[0], &byte, 1) != 1)
			die("wait for the child");
		usleep(50000);
		_exit(0);
	}
	wait_for_ever();
}

/* Within a memory cgroup that is too small: eats, until it is killed. */
static void by_eating_memory(void)
{
	say(getpid());
	for (;;) {
		char *much = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (much == MAP_FAILED)
			die("mmap");
		memset(much, 1, 1 << 20);
	}
}

static void by_end_of_child(void)
{
	say(getpid());
	if (!fork())
		_exit(3);
	wait_for_ever();
}

/* What pthread_cancel() sends: a signal that glibc keeps to itself. */
static void by_pthread_cancel(void)
{
	volatile pid_t thread = 0;
	pthread_t id;

	pthread_create(&id, NULL, wait_in_thread, (void *)&thread);
	while (!thread)
		usleep(1000);
	say(getpid());
	pthread_cancel(id);
	wait_for_ever();
}

/* A full queue: the one failure that has a signal of its own. */
static void until_the_queue_is_full(void)
{
	struct rlimit limit = { .rlim_cur = 1, .rlim_max = 1 };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setrlimit(RLIMIT_SIGPENDING, &limit);
	say(getpid());
	while (!sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }))
		;
	wait_for_ever();
}

static void probe_for_ever(void)
{
	say(getpid());
	for (;;)
		kill(getpid(), 0);
}

/* tries SIGNAL PID [UID]: kill(), as that user. */
static void attempt(void)
{
	int signal = atoi(arguments[3]), pid = atoi(arguments[4]);

	say(getpid());
	if (argument_count > 5 && setuid(atoi(arguments[5])))
		die("setuid");
	kill(pid, signal);
}

/* The same by a pidfd. */
static void attempt_by_pidfd(void)
{
	int signal = atoi(arguments[3]), fd = syscall(SYS_pidfd_open, atoi(arguments[4]), 0);

	say(getpid());
	if (fd < 0 || (argument_count > 5 && setuid(atoi(arguments[5]))))
		die("pidfd_open, setuid");
	syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
}

static const struct signal_kind kinds[] = {
	{ "kill", by_kill },
	{ "kill-group", by_kill_of_group },
	{ "kill-own-group", by_kill_of_own_group },
	{ "tkill", by_tkill },
	{ "tgkill", by_tgkill },
	{ "pthread-kill", by_pthread_kill },
	{ "sigqueue", by_sigqueue },
	{ "rt-tgsigqueueinfo", by_rt_tgsigqueueinfo },
	{ "pidfd", by_pidfd },
	{ "forged", forged },
	{ "abort", by_abort },
	{ "posix-timer", by_posix_timer },
	{ "alarm", by_alarm },
	{ "profiling-timer", by_profiling_timer },
	{ "null-pointer", by_null_pointer },
	{ "read-only-page", by_read_only_page },
	{ "page-beyond-file", by_page_beyond_file },
#ifdef __x86_64__
	{ "kill-32", by_kill_of_32_bits },
	{ "tries-32", attempt_of_32_bits },
	{ "user-dispatch", by_user_dispatch },
	{ "can-dispatch", be_able_to_dispatch },
	{ "division", by_division },
	{ "illegal-instruction", by_illegal_instruction },
	{ "breakpoint", by_breakpoint },
#endif
	{ "seccomp-filter", by_seccomp_filter },
	{ "strict-seccomp", by_strict_seccomp },
	{ "ptrace", by_ptrace },
	{ "ptrace-detach", by_ptrace_detach },
	{ "broken-pipe", by_broken_pipe },
	{ "fcntl", by_fcntl },
	{ "file-size-limit", by_file_size_limit },
	{ "interrupt-key", by_interrupt_key },
	{ "quit-key", by_quit_key },
	{ "suspend-key", by_suspend_key },
	{ "close-terminal", by_closing_the_terminal },
	{ "resize", by_resize },
	{ "background-read", by_reading_in_background },
	{ "background-write", by_writing_in_background },
	{ "end-of-thread", by_end_of_thread },
	{ "end-of-namespace", by_end_of_namespace },
	{ "eat-memory", by_eating_memory },
	{ "end-of-child", by_end_of_child },
	{ "pthread-cancel", by_pthread_cancel },
	{ "full-queue", until_the_queue_is_full },
	{ "be-ready", be_ready_after_exec },
	{ "probes-for-ever", probe_for_ever },
	{ "tries", attempt },
	{ "tries-by-pidfd", attempt_by_pidfd },
	{ NULL, NULL },
};
static const struct signal_kind *const tables[] = { kinds, cause_kinds, attack_kinds, waiting_kinds };

/* when-continued KIND: stops before, so that others can get ready. */
static int make_signal(void)
{
	const char *wanted = arguments[2];

	if (!strcmp(wanted, "when-continued")) {
		wanted = arguments[3];
		say(getpid());
		raise(SIGSTOP);
	}
	for (unsigned int i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		for (const struct signal_kind *kind = tables[i]; kind->name; kind++) {
			if (strcmp(wanted, kind->name))
				continue;
			kind->make();
			return 0;
		}
	}
	errno = EINVAL;
	die(wanted);
}

const struct role signal_roles[] = {
	{ "signal", make_signal },
	{ NULL, NULL },
};
