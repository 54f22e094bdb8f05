// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Deaths by a signal that waited, where another of the same number is not what its target died of; and those that only a tracer
 * knows. As in causes.c: each prints the pid of the target, and behind it the pid of the process that is to be named, or
 * that is not to be.
 */
#include "workload.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/signalfd.h>

#ifndef PTRACE_SETSIGMASK
#define PTRACE_SETSIGMASK 0x420b
#endif

static int go[2];

static void open_gate(void)
{
	if (pipe2(go, O_CLOEXEC))
		die("pipe");
}

static void pass(char *what)
{
	if (write(go[1], what, 1) != 1)
		die("pass the gate");
}

static void wait_at_gate(void)
{
	char byte;

	if (read(go[0], &byte, 1) != 1)
		die("wait at the gate");
}

static void mask_term(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(how, &set, NULL);
}

static void block_term(void)
{
	mask_term(SIG_BLOCK);
}

/* Its victim takes what waits, and goes on. */
static void take_by_sigwait(void)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pass("r");
	while (sigwait(&set, &signal) == 0)
		pass("t");
}

static void take_by_descriptor(void)
{
	struct signalfd_siginfo taken;
	sigset_t set;
	int file;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	file = signalfd(-1, &set, SFD_CLOEXEC);
	pass("r");
	while (read(file, &taken, sizeof(taken)) > 0)
		pass("t");
}

/* A process of its own that sends, and lives on. */
static pid_t send_by_another(pid_t victim, bool to_the_thread)
{
	int sent[2];
	pid_t sender;
	char byte;

	if (pipe2(sent, O_CLOEXEC))
		die("pipe");
	sender = fork();
	if (sender == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (to_the_thread ? syscall(SYS_tgkill, victim, victim, SIGTERM) : kill(victim, SIGTERM))
			die("send");
		if (write(sent[1], "s", 1) != 1)
			die("say so");
		wait_for_ever();
	}
	if (read(sent[0], &byte, 1) != 1)
		die("wait for the sender");
	return sender;
}

/* Puts a signal in the place of another, and lets go at once. */
static void inject(pid_t victim, int signal)
{
	sigset_t none;
	int status;

	sigemptyset(&none);
	if (ptrace(PTRACE_SEIZE, victim, 0, 0) || ptrace(PTRACE_INTERRUPT, victim, 0, 0))
		die("seize it");
	waitpid(victim, &status, __WALL);
	if (ptrace(PTRACE_SETSIGMASK, victim, 8, &none) || kill(victim, SIGWINCH) ||
	    ptrace(PTRACE_CONT, victim, 0, 0))
		die("go on");
	while (waitpid(victim, &status, __WALL) == victim && WSTOPSIG(status) != SIGWINCH)
		ptrace(PTRACE_CONT, victim, 0, 0);
	if (ptrace(PTRACE_DETACH, victim, 0, signal))
		die("let go");
}

static void by_injection_after(void (*take)(void))
{
	pid_t victim, innocent;

	open_gate();
	block_term();
	victim = start(take);
	wait_at_gate();
	innocent = send_by_another(victim, false);
	wait_at_gate();
	say_two(victim, innocent);
	inject(victim, SIGTERM);
	wait_for_ever();
}

static void by_injection_after_sigwait(void)
{
	by_injection_after(take_by_sigwait);
}

static void by_injection_after_descriptor(void)
{
	by_injection_after(take_by_descriptor);
}

/* SIGUSR1 waits as well, from then on. */
static void wait_until_told(void)
{
	sigset_t pending;

	pass("r");
	do {
		usleep(1000);
		sigpending(&pending);
	} while (!sigismember(&pending, SIGUSR1));
}

static void unblock_in_time(void)
{
	wait_until_told();
	mask_term(SIG_UNBLOCK);
	wait_for_ever();
}

static void block_both(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* That of the thread's own queue is taken first, though it is not the last that came. */
static void by_first_of_two(void)
{
	pid_t victim, killer;

	open_gate();
	block_both();
	victim = start(unblock_in_time);
	wait_at_gate();
	killer = send_by_another(victim, true);
	send_by_another(victim, false);
	say_two(victim, killer);
	if (kill(victim, SIGUSR1))
		die("let it go on");
	wait_for_ever();
}

static void do_nothing(int signal)
{
	(void)signal;
}

static void unhandle_in_time(void)
{
	signal(SIGTERM, do_nothing);
	wait_until_told();
	signal(SIGTERM, SIG_DFL);
	mask_term(SIG_UNBLOCK);
	wait_for_ever();
}

static void trace(pid_t victim)
{
	int status;

	if (ptrace(PTRACE_SEIZE, victim, 0, 0))
		die("seize it");
	if (write(go[1], "t", 1) != 1)
		die("say so");
	/* as strace does: each signal goes on as it came */
	while (waitpid(victim, &status, __WALL) == victim && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, victim, 0, WSTOPSIG(status));
	wait_for_ever();
}

/* Handled when it came, and not any more when it is taken; and an innocent process traces the target. */
static void by_one_that_was_handled(void)
{
	pid_t victim, sender;

	open_gate();
	block_both();
	victim = start(unhandle_in_time);
	wait_at_gate();
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		trace(victim);
	}
	wait_at_gate();
	sender = send_by_another(victim, false);
	say_two(victim, sender);
	if (kill(victim, SIGUSR1))
		die("let it go on");
	wait_for_ever();
}

static void be_filtered(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("have a filter");
}

static void be_strict(void)
{
	char byte;
	int never[2];

	if (pipe(never) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		die("be strict");
	pass("r");
	while (read(never[0], &byte, 1) < 0)
		;
}

/* A filter that refuses nothing: a tracer ends the process as one that does would. */
static void by_injected_sys(void)
{
	pid_t victim = start_child(be_filtered);

	say_two(victim, getpid());
	inject(victim, SIGSYS);
	wait_for_ever();
}

static void by_injected_kill(void)
{
	pid_t victim;

	open_gate();
	victim = start(be_strict);
	wait_at_gate();
	say_two(victim, getpid());
	inject(victim, SIGKILL);
	wait_for_ever();
}

/* Its leader ends before its other thread, which ends too. */
static void *end_soon(void *nothing)
{
	usleep(50);
	syscall(SYS_exit_group, 0);
	return nothing;
}

static void end_before_a_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, end_soon, NULL);
	syscall(SYS_exit, 0);
}

static pid_t outsider;
static int last[2];

static void *exec_at_last(void *nothing)
{
	char victim[16];
	char *argv[] = { "workload", "send", victim, NULL };

	if (read(last[0], victim, 1) != 1)
		die("wait for the others");
	snprintf(victim, sizeof(victim), "%d", outsider);
	/* /proc/self is the leader, which is gone */
	execv("/proc/thread-self/exe", argv);
	die("exec");
	return nothing;
}

static void exec_behind_the_leader(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exec_at_last, NULL);
	pass("r");
	syscall(SYS_exit, 0);
}

/*
 * A thread execs when its leader is gone, and so many other leaders went since that nothing more is known of it. It sends to
 * the process that the last argument names.
 */
static void by_thread_behind_many(void)
{
	pid_t sender;

	open_gate();
	if (pipe2(last, O_CLOEXEC))
		die("pipe");
	outsider = atoi(arguments[argument_count - 1]);
	sender = start(exec_behind_the_leader);
	wait_at_gate();
	for (int i = 0; i < 2400; i++)
		reap(start(end_before_a_thread));
	say(sender);
	if (write(last[1], "l", 1) != 1)
		die("let it exec");
	wait_for_ever();
}

static int send_once(void)
{
	if (kill(atoi(arguments[2]), SIGTERM))
		die("send");
	wait_for_ever();
}

const struct role waiting_roles[] = {
	{ "send", send_once },
	{ NULL, NULL },
};

const struct signal_kind waiting_kinds[] = {
	{ "injected-after-sigwait", by_injection_after_sigwait },
	{ "injected-after-signalfd", by_injection_after_descriptor },
	{ "first-of-two", by_first_of_two },
	{ "handled-when-it-came", by_one_that_was_handled },
	{ "injected-sys", by_injected_sys },
	{ "injected-kill", by_injected_kill },
	{ "thread-behind-many", by_thread_behind_many },
	{ NULL, NULL },
};
