// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * What the kernel sends for reasons of its own, and what others let it send. As in signals.c: each prints the pid of the
 * target, and behind it, where another process has a part in it, the pid of that.
 */
#include "workload.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

/* What pause() of the C library calls. */
#ifdef SYS_pause
#define PAUSE SYS_pause
#else
#define PAUSE SYS_ppoll
#endif

void say_two(pid_t target, pid_t other)
{
	printf("%d %d\n", target, other);
	fflush(stdout);
}

static void be_killed_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

pid_t start(void (*run)(void))
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		be_killed_with_parent();
		run();
		_exit(0);
	}
	return child;
}

/* Until the first thread of this process is inside that system call. */
static void wait_for_call(pid_t pid, long number)
{
	char path[64], line[256];
	FILE *file;
	long is;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (;;) {
		file = fopen(path, "r");
		if (!file)
			die(path);
		is = fgets(line, sizeof(line), file) && line[0] >= '0' && line[0] <= '9' ? atol(line) : -1;
		fclose(file);
		if (is == number)
			return;
		usleep(1000);
	}
}

static void handle(int signal)
{
	(void)signal;
}

/* Resource limits */

static void spin_with_limit(rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	/* a second of CPU time is to pass soon */
	setpriority(PRIO_PROCESS, 0, -20);
	if (setrlimit(RLIMIT_CPU, &limit))
		die("setrlimit");
	say(getpid());
	for (;;)
		;
}

static void by_soft_cpu_limit(void)
{
	spin_with_limit(1, 3);
}

static void by_hard_cpu_limit(void)
{
	signal(SIGXCPU, SIG_IGN);
	spin_with_limit(1, 2);
}

static void by_equal_cpu_limits(void)
{
	spin_with_limit(1, 1);
}

static void *spin_in_real_time(void *nothing)
{
	struct sched_param first = { .sched_priority = 1 };

	(void)nothing;
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		die("sched_setscheduler");
	say_two(getpid(), syscall(SYS_gettid));
	for (;;)
		;
}

static void by_real_time_limit(void)
{
	struct rlimit limit = { .rlim_cur = 200000, .rlim_max = 200000 };
	pthread_t thread;

	if (setrlimit(RLIMIT_RTTIME, &limit))
		die("setrlimit");
	pthread_create(&thread, NULL, spin_in_real_time, NULL);
	wait_for_ever();
}

/* can-real-time */
static void be_in_real_time(void)
{
	struct sched_param first = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &first))
		die("sched_setscheduler");
}

/* Process groups without a parent of their session, one member of which is stopped */

static void stop_in_own_group(void)
{
	setpgid(0, 0);
	raise(SIGSTOP);
	wait_for_ever();
}

static void orphan(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		stop_in_own_group();
	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		die("wait for the child to stop");
	say_two(child, getpid());
	_exit(0);
}

static void orphan_as_a_member(void)
{
	setsid();
	if (!fork()) {
		setpgid(0, 0);
		orphan();
	}
	wait_for_ever();
}

static void orphan_as_the_leader(void)
{
	setsid();
	orphan();
}

static void by_orphaned_group(void)
{
	start(orphan_as_a_member);
	wait_for_ever();
}

static void by_orphaned_session(void)
{
	start(orphan_as_the_leader);
	wait_for_ever();
}

/* bpf_send_signal() */

/* One that no system call has: the program below sends to the process that asks for it. */
static long own_number;

static void ask_for_signal(void)
{
	say(getpid());
	syscall(own_number);
	wait_for_ever();
}

#define HELPER_SEND_SIGNAL 109

/* The program outlives the target, as that of a security tool does. */
static void by_bpf(int signal)
{
	long number = 0x10000000 + getpid();
	struct bpf_insn program[] = {
		/* struct bpf_raw_tracepoint_args: args[1] of sys_enter is the number of the call */
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1, .off = 8 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_2, .off = 2, .imm = number },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = signal },
		{ .code = BPF_JMP | BPF_CALL, .imm = HELPER_SEND_SIGNAL },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(*program),
		.license = (uintptr_t) "GPL",
		.prog_name = "guard",
	};
	union bpf_attr attach = { .raw_tracepoint.name = (uintptr_t) "sys_enter" };

	attach.raw_tracepoint.prog_fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if ((int)attach.raw_tracepoint.prog_fd < 0)
		die("load a BPF program");
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attach, sizeof(attach)) < 0)
		die("attach a BPF program");
	own_number = number;
	start(ask_for_signal);
	wait_for_ever();
}

static void by_bpf_kill(void)
{
	by_bpf(SIGKILL);
}

static void by_bpf_interrupt(void)
{
	by_bpf(SIGINT);
}

static void by_bpf_alarm(void)
{
	by_bpf(SIGALRM);
}

/* Tracers */

static pid_t traced;

static void seize_and_end(void)
{
	if (ptrace(PTRACE_SEIZE, traced, 0, PTRACE_O_EXITKILL))
		die("PTRACE_SEIZE");
	say_two(traced, getpid());
}

static void by_end_of_tracer(void)
{
	traced = start(wait_for_ever);
	start(seize_and_end);
	wait_for_ever();
}

static void by_attach(void)
{
	pid_t child = start(wait_for_ever);

	say(child);
	if (ptrace(PTRACE_ATTACH, child, 0, 0))
		die("PTRACE_ATTACH");
	wait_for_ever();
}

static void by_ptrace_kill(void)
{
	pid_t child = start(wait_for_ever);

	if (ptrace(PTRACE_SEIZE, child, 0, 0))
		die("PTRACE_SEIZE");
	say(child);
	if (ptrace(PTRACE_KILL, child, 0, 0))
		die("PTRACE_KILL");
	wait_for_ever();
}

static void exec_traced(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	say(getpid());
	run((char *[]){ "workload", "wait", NULL });
}

static void by_traced_exec(void)
{
	start(exec_traced);
	wait_for_ever();
}

#ifdef __x86_64__
static pid_t victim;

static void kill_victim(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	kill(victim, SIGTERM);
	wait_for_ever();
}

/*
 * At the stop before a system call a tracer may write what it likes where the result is to be: the call is made all the
 * same.
 */
static void by_traced_sender(void)
{
	struct user_regs_struct registers;
	pid_t sender;
	int status;

	victim = start(wait_for_ever);
	sender = start(kill_victim);
	if (waitpid(sender, &status, 0) != sender || !WIFSTOPPED(status))
		die("wait for the tracee");
	say_two(victim, sender);
	do {
		if (ptrace(PTRACE_SYSCALL, sender, 0, 0) || waitpid(sender, &status, 0) != sender ||
		    !WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, sender, 0, &registers))
			die("trace the sender");
	} while (registers.orig_rax != SYS_kill);
	registers.rax = 0;
	if (ptrace(PTRACE_SETREGS, sender, 0, &registers) || ptrace(PTRACE_CONT, sender, 0, 0))
		die("change the sender's registers");
	wait_for_ever();
}
#endif

/* reboot(2) in a pid namespace of a user namespace of its own: so that it can never be the host's */

static void reboot_in_namespace(int command)
{
	char link[32] = "";
	int ends[2];
	pid_t init, caller;

	if (pipe(ends) || unshare(CLONE_NEWUSER | CLONE_NEWPID))
		die("unshare");
	init = fork();
	if (!init) {
		if (getpid() != 1)
			die("to be the first of a pid namespace");
		if (!fork()) {
			/* /proc is the outer one */
			if (readlink("/proc/self", link, sizeof(link) - 1) < 0)
				die("readlink");
			caller = atoi(link);
			if (write(ends[1], &caller, sizeof(caller)) != sizeof(caller))
				die("write to the parent");
			usleep(100000);
			reboot(command);
			_exit(1);
		}
		wait_for_ever();
	}
	if (read(ends[0], &caller, sizeof(caller)) != sizeof(caller))
		die("wait for the caller");
	say_two(init, caller);
	wait_for_ever();
}

static void by_restart(void)
{
	reboot_in_namespace(RB_AUTOBOOT);
}

static void by_halt(void)
{
	reboot_in_namespace(RB_HALT_SYSTEM);
}

/* Bad memory: of a guest only */

static char *poisoned_page(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	*page = 1;
	return page;
}

static void by_poison(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = 1;
	say(getpid());
	if (madvise(page, 4096, MADV_HWPOISON))
		die("MADV_HWPOISON");
	*(volatile char *)page = 2;
	wait_for_ever();
}

/* Another process finds it bad; this one stumbles on it. */
static void by_poisoned_page(void)
{
	volatile char *page = poisoned_page();
	pid_t child;

	say(getpid());
	child = fork();
	if (!child)
		_exit(madvise((void *)page, 4096, MADV_HWPOISON) != 0);
	waitpid(child, NULL, 0);
	*page = 2;
	wait_for_ever();
}

/* can-poison: asks with an address that has no page. */
static void be_able_to_poison(void)
{
	if (!madvise(NULL, 4096, MADV_HWPOISON) || errno != EINVAL)
		return;
	die("MADV_HWPOISON");
}

/* Input, output, messages */

static int go_ends[2], data_ends[2];

static void wait_for_go(void)
{
	char byte;

	if (read(go_ends[0], &byte, 1) != 1)
		die("wait for the parent");
}

static void go(void)
{
	if (write(go_ends[1], "x", 1) != 1)
		die("let the child go");
}

static void write_when_let(void)
{
	wait_for_go();
	if (write(data_ends[1], "x", 1) != 1)
		die("write");
	wait_for_ever();
}

static void end_when_let(void)
{
	wait_for_go();
	_exit(0);
}

static void own_input(pid_t owner, int signal)
{
	if (fcntl(data_ends[0], F_SETOWN, owner) || (signal && fcntl(data_ends[0], F_SETSIG, signal)) ||
	    fcntl(data_ends[0], F_SETFL, O_ASYNC))
		die("fcntl");
}

static void open_pipes(void)
{
	if (pipe(go_ends) || pipe(data_ends))
		die("pipe");
}

static void by_async_pipe(void)
{
	pid_t writer;

	open_pipes();
	own_input(getpid(), 0);
	writer = start(write_when_let);
	say_two(getpid(), writer);
	go();
	wait_for_ever();
}

/* The peer ends, and so lets go of its end of the pipe. */
static void by_end_of_peer(void)
{
	pid_t peer;

	open_pipes();
	own_input(getpid(), SIGUSR1);
	peer = start(end_when_let);
	close(data_ends[1]);
	say_two(getpid(), peer);
	go();
	wait_for_ever();
}

/* F_SETOWN names any process, and F_SETSIG any signal. */
static void make_write_signal(pid_t target, int signal)
{
	open_pipes();
	own_input(target, signal);
	say(target);
	if (write(data_ends[1], "x", 1) != 1)
		die("write");
	wait_for_ever();
}

static void by_owner_to_kill(void)
{
	make_write_signal(start(wait_for_ever), SIGKILL);
}

static void wait_and_handle(void)
{
	signal(SIGIO, handle);
	for (;;)
		pause();
}

static void by_owner_that_handles(void)
{
	pid_t child = start(wait_and_handle);

	wait_for_call(child, PAUSE);
	make_write_signal(child, SIGIO);
}

static int queue;

static void send_when_let(void)
{
	wait_for_go();
	if (syscall(SYS_mq_timedsend, queue, "x", 1, 0, NULL))
		die("mq_timedsend");
	wait_for_ever();
}

static void by_message(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	char name[32];
	pid_t sender;

	if (pipe(go_ends))
		die("pipe");
	snprintf(name, sizeof(name), "workload-%d", getpid());
	queue = syscall(SYS_mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	if (queue < 0)
		die("mq_open");
	syscall(SYS_mq_unlink, name);
	if (syscall(SYS_mq_notify, queue, &event))
		die("mq_notify");
	sender = start(send_when_let);
	say_two(getpid(), sender);
	go();
	wait_for_ever();
}

/* A child that asked for another signal than SIGCHLD at its end. */
static void by_other_exit_signal(void)
{
	pid_t child;

	if (pipe(go_ends))
		die("pipe");
	child = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
	if (!child)
		end_when_let();
	say_two(getpid(), child);
	go();
	wait_for_ever();
}

/* kills-cgroup HOW FILE PID: writes to cgroup.kill, whose only process is that one. */

static int write_by_ring(int fd)
{
	struct io_uring_params parameters = {};
	struct io_uring_sqe *entry;
	int ring = syscall(SYS_io_uring_setup, 1, &parameters);
	char *queue;

	if (ring < 0)
		return -1;
	queue = mmap(NULL, parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned int),
		     PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	entry = mmap(NULL, parameters.sq_entries * sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		     IORING_OFF_SQES);
	if (queue == MAP_FAILED || (void *)entry == MAP_FAILED)
		return -1;
	*entry = (struct io_uring_sqe){
		.opcode = IORING_OP_WRITE,
		.flags = IOSQE_ASYNC,
		.fd = fd,
		.addr = (uintptr_t) "1",
		.len = 1,
	};
	*(unsigned int *)(queue + parameters.sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static void by_cgroup_file(void)
{
	struct iovec one = { .iov_base = "1", .iov_len = 1 };
	const char *how = arguments[3];
	int fd = open(arguments[4], O_WRONLY), ends[2];
	ssize_t done = -1;

	if (fd < 0)
		die(arguments[4]);
	say(atoi(arguments[5]));
	if (!strcmp(how, "pwritev")) {
		done = pwritev(fd, &one, 1, 0);
	} else if (!strcmp(how, "pwritev2")) {
		done = syscall(SYS_pwritev2, fd, &one, 1, 0, 0, 0);
	} else if (!strcmp(how, "io_uring")) {
		done = write_by_ring(fd);
	} else if (!strcmp(how, "splice")) {
		if (pipe(ends) || write(ends[1], "1", 1) != 1)
			die("pipe");
		done = splice(ends[0], NULL, fd, NULL, 1, 0);
	}
	if (done < 0)
		die(how);
	wait_for_ever();
}

/* can-io-uring */
static void have_io_uring(void)
{
	struct io_uring_params parameters = {};

	if (syscall(SYS_io_uring_setup, 1, &parameters) < 0)
		die("io_uring_setup");
}

/* seccomp, in a thread of a process that goes on */

static void *be_refused_by_filter(void *nothing)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	say_two(getpid(), syscall(SYS_gettid));
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
	syscall(SYS_getppid);
	return nothing;
}

static void *be_refused_strictly(void *nothing)
{
	say_two(getpid(), syscall(SYS_gettid));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		die("seccomp");
	syscall(SYS_getppid);
	return nothing;
}

static void lose_thread(void *(*run)(void *))
{
	pthread_t thread;

	pthread_create(&thread, NULL, run, NULL);
	wait_for_ever();
}

static void by_filter_of_thread(void)
{
	lose_thread(be_refused_by_filter);
}

static void by_strict_thread(void)
{
	lose_thread(be_refused_strictly);
}

/* Handlers of faults */

static __attribute__((noinline)) int go_deeper(int depth)
{
	volatile char room[4096];

	room[0] = (char)depth;
	if (depth < 0)
		return 0;
	return go_deeper(depth + 1) + room[0];
}

/* There is no room left for the frame of the handler. */
static void by_stack_overflow(void)
{
	struct rlimit limit = { .rlim_cur = 262144, .rlim_max = 262144 };

	if (setrlimit(RLIMIT_STACK, &limit))
		die("setrlimit");
	signal(SIGSEGV, handle);
	say(getpid());
	go_deeper(1);
}

static void raise_again(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

static void by_fault_raised_again(void)
{
	signal(SIGSEGV, raise_again);
	say(getpid());
	*(volatile int *)0x1234 = 1;
}

/* glibc's own signals, and then another */

static void *wait_there(void *nothing)
{
	(void)nothing;
	wait_for_ever();
}

static void be_killed_after_library_signals(void)
{
	pthread_t cancelled, other;
	pid_t sender;

	pthread_create(&cancelled, NULL, wait_there, NULL);
	pthread_create(&other, NULL, wait_there, NULL);
	pthread_cancel(cancelled);
	pthread_join(cancelled, NULL);
	if (setuid(getuid()))
		die("setuid");
	say(getpid());
	sender = fork();
	if (!sender)
		_exit(kill(getppid(), SIGTERM) != 0);
	wait_for_ever();
}

/* Targets that wait for the signal */

static void block_term(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static void wait_for_term(void)
{
	sigset_t set;

	block_term(&set);
	sigwaitinfo(&set, NULL);
	wait_for_ever();
}

static void read_term(void)
{
	struct signalfd_siginfo info;
	sigset_t set;

	block_term(&set);
	if (read(signalfd(-1, &set, 0), &info, sizeof(info)) < 0)
		die("signalfd");
	wait_for_ever();
}

static void poll_term(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int poll = epoll_create1(0), fd;
	sigset_t set;

	block_term(&set);
	fd = signalfd(-1, &set, 0);
	if (poll < 0 || fd < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
	epoll_pwait(poll, &event, 1, -1, NULL);
	wait_for_ever();
}

static void send_once_in(void (*run)(void), long call)
{
	pid_t child = start(run);

	wait_for_call(child, call);
	say(child);
	kill(child, SIGTERM);
	wait_for_ever();
}

static void to_sigwait(void)
{
	send_once_in(wait_for_term, SYS_rt_sigtimedwait);
}

static void to_signalfd(void)
{
	send_once_in(read_term, SYS_read);
}

static void to_polled_signalfd(void)
{
	send_once_in(poll_term, SYS_epoll_pwait);
}

/* What is passed on */

static pid_t application;

static void forward(int number)
{
	kill(application, number);
}

static void wait_as_init(void)
{
	/* not in the child, which would send to its own group */
	application = start(wait_for_ever);
	signal(SIGUSR2, forward);
	say_two(application, getpid());
	for (;;)
		pause();
}

/* The init of a container: it sends its child what it gets. */
static void by_forwarding(void)
{
	pid_t init = start(wait_as_init);

	wait_for_call(init, PAUSE);
	kill(init, SIGUSR2);
	wait_for_ever();
}

static void wait_to_raise(void)
{
	signal(SIGTERM, raise_again);
	for (;;)
		pause();
}

/* It cleans up, and ends by the same signal after all. */
static void by_raising_again(void)
{
	pid_t child = start(wait_to_raise);

	wait_for_call(child, PAUSE);
	say(child);
	kill(child, SIGTERM);
	wait_for_ever();
}

const struct signal_kind cause_kinds[] = {
	{ "cpu-limit", by_soft_cpu_limit },
	{ "hard-cpu-limit", by_hard_cpu_limit },
	{ "equal-cpu-limits", by_equal_cpu_limits },
	{ "real-time-limit", by_real_time_limit },
	{ "can-real-time", be_in_real_time },
	{ "orphaned-group", by_orphaned_group },
	{ "orphaned-session", by_orphaned_session },
	{ "bpf-kill", by_bpf_kill },
	{ "bpf-interrupt", by_bpf_interrupt },
	{ "bpf-alarm", by_bpf_alarm },
	{ "end-of-tracer", by_end_of_tracer },
	{ "attach", by_attach },
	{ "ptrace-kill", by_ptrace_kill },
	{ "traced-exec", by_traced_exec },
#ifdef __x86_64__
	{ "traced-sender", by_traced_sender },
#endif
	{ "restart", by_restart },
	{ "halt", by_halt },
	{ "poison", by_poison },
	{ "poisoned-page", by_poisoned_page },
	{ "can-poison", be_able_to_poison },
	{ "async-pipe", by_async_pipe },
	{ "end-of-peer", by_end_of_peer },
	{ "owner-to-kill", by_owner_to_kill },
	{ "owner-that-handles", by_owner_that_handles },
	{ "message", by_message },
	{ "other-exit-signal", by_other_exit_signal },
	{ "kills-cgroup", by_cgroup_file },
	{ "can-io-uring", have_io_uring },
	{ "filter-of-thread", by_filter_of_thread },
	{ "strict-thread", by_strict_thread },
	{ "stack-overflow", by_stack_overflow },
	{ "fault-raised-again", by_fault_raised_again },
	{ "library-signals", be_killed_after_library_signals },
	{ "sigwait", to_sigwait },
	{ "signalfd", to_signalfd },
	{ "polled-signalfd", to_polled_signalfd },
	{ "forwarding", by_forwarding },
	{ "twice-raised", by_raising_again },
	{ NULL, NULL },
};
