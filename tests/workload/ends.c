// SPDX-License-Identifier: MIT OR Apache-2.0
/* Ways to end, and ways to leave children behind. */
#include "workload.h"

#include <sys/resource.h>

static volatile sig_atomic_t came;

static void note(int signal)
{
	(void)signal;
	came = 1;
}

static void say_ready(void)
{
	printf("ready\n");
	fflush(stdout);
}

static void wait_for_signal(void)
{
	struct sigaction action = { .sa_handler = note };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	say_ready();
	while (!came)
		usleep(1000);
}

static void *end_all(void *unused)
{
	(void)unused;
	wait_for_signal();
	exit(7);
}

/*
 * killed-at-the-limit: in a memory cgroup of 32 MiB kills its child, which has most of that, and then needs as much
 * itself. The child gets no CPU meanwhile and so is there for the OOM killer to choose, to which it is dying already.
 */
static int killed_at_the_limit(void)
{
	struct sched_param first = { .sched_priority = 1 }, none = { 0 };
	const size_t bytes = 20 << 20;
	cpu_set_t here;
	int ready[2], status;
	char byte = 0, *much;
	pid_t child;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (pipe(ready) || sched_setaffinity(0, sizeof(here), &here))
		die("sched_setaffinity");
	child = fork();
	much = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (child < 0 || much == MAP_FAILED)
		die("mmap");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memset(much, 1, bytes);
		if (sched_setscheduler(0, SCHED_IDLE, &none) || write(ready[1], &byte, 1) != 1)
			die("sched_setscheduler");
		wait_for_ever();
	}
	if (read(ready[0], &byte, 1) != 1)
		die("wait for the child");
	/* without a budget for real-time groups: as near as can be */
	if (sched_setscheduler(0, SCHED_FIFO, &first) && setpriority(PRIO_PROCESS, 0, -20))
		die("sched_setscheduler");
	kill(child, SIGKILL);
	memset(much, 1, bytes);
	sched_setscheduler(0, SCHED_OTHER, &none);
	waitpid(child, &status, 0);
	printf("%d\n", child);
	fflush(stdout);
	wait_for_ever();
}

/* ends-by-thread: another thread than the first ends the process with 7 when SIGTERM comes. */
static int end_by_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, end_all, NULL))
		die("pthread_create");
	wait_for_ever();
}

static void *end_last(void *unused)
{
	(void)unused;
	wait_for_signal();
	syscall(SYS_exit, 9);
	return NULL;
}

/* leader-ends-first: the first thread goes with 5; the last one goes when SIGTERM comes, with a code that is not reported. */
static int end_leader_first(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, end_last, NULL))
		die("pthread_create");
	syscall(SYS_exit, 5);
	return 0;
}

static void *exec_after_signal(void *unused)
{
	(void)unused;
	wait_for_signal();
	/* of a leader that is gone /proc/self shows no program */
	execv("/proc/thread-self/exe", (char *[]){ "workload", "ends-with", "7", NULL });
	die("execv");
}

/* thread-execs stays|leaves: a thread execs `ends-with 7` when SIGTERM comes; the first one stays, or is gone by then. */
static int exec_by_other_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec_after_signal, NULL))
		die("pthread_create");
	if (!strcmp(arguments[2], "leaves"))
		syscall(SYS_exit, 0);
	wait_for_ever();
}

/* ends-with CODE: when SIGTERM comes. */
static int end_with(void)
{
	wait_for_signal();
	return atoi(arguments[2]);
}

/* dumps: a core is allowed. */
static int dump(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &limit);
	prctl(PR_SET_DUMPABLE, 1);
	say_ready();
	wait_for_ever();
}

/* handles-its-own: sends itself SIGUSR1, which it handles, and SIGUSR2 whenever another one comes. */
static int handle_its_own(void)
{
	struct sigaction action = { .sa_handler = note };

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	kill(getpid(), SIGUSR1);
	came = 0;
	say_ready();
	for (;;) {
		while (!came)
			usleep(1000);
		came = 0;
		kill(getpid(), SIGUSR2);
		came = 0;
	}
	return 0;
}

/* child-dies-then SIGNAL MILLISECONDS PID: its child dies of SIGNAL; some time later it sends SIGTERM. Prints the child. */
static int child_dies_then(void)
{
	pid_t child = fork();

	if (child == 0) {
		raise(atoi(arguments[2]));
		pause();
	}
	reap(child);
	say(child);
	usleep(1000 * atoi(arguments[3]));
	return kill(atoi(arguments[4]), SIGTERM) ? 71 : 0;
}

/* Waits until the process is gone, or a zombie: then its children have another parent. */
static void wait_for_end(pid_t pid)
{
	for (;; usleep(1000)) {
		char path[32], text[512] = "", *at;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = 0;
		close(fd);
		at = strrchr(text, ')');
		if (!at || strchr("ZX", at[2]))
			return;
	}
}

/*
 * daemon DEPTH PID: each generation starts the next and ends; the last sends SIGTERM when all above are gone and standard input
 * is at its end.
 */
static int daemonise(void)
{
	const char *above = getenv("WORKLOAD_ABOVE");
	int depth = atoi(arguments[2]);
	char byte;

	if (depth > 0) {
		char next[16], pids[256];
		pid_t child;

		snprintf(next, sizeof(next), "%d", depth - 1);
		snprintf(pids, sizeof(pids), "%s %d", above ? above : "", getpid());
		setenv("WORKLOAD_ABOVE", pids, 1);
		child = fork();
		if (child == 0) {
			setsid();
			run((char *[]){ "workload", "daemon", next, arguments[3], NULL });
		}
		/* the next generation has exec'd and forked before this one goes, or has not: both are to be reported alike */
		usleep(depth % 2 ? 30000 : 0);
		return 0;
	}
	for (; above && *above; above = strchr(above + 1, ' '))
		wait_for_end(atoi(above + 1));
	while (read(0, &byte, 1) > 0)
		;
	return kill(atoi(arguments[3]), SIGTERM) ? 71 : 0;
}

static pid_t spawner;
static int nephew[2];

static int be_nephew(void *lives)
{
	if (!lives)
		wait_for_end(spawner);
	_exit(kill(atoi(arguments[3]), SIGTERM) ? 71 : 0);
}

/*
 * clone-parent ends|lives PID: starts a child that is its parent's (CLONE_PARENT), which sends SIGTERM when it has ended, or while
 * it lives.
 */
static int clone_parent(void)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	int lives = !strcmp(arguments[2], "lives");
	pid_t child;
	char byte;

	if (pipe(nephew))
		die("pipe");
	child = fork();
	if (child == 0) {
		spawner = getpid();
		if (clone(be_nephew, stack + sizeof(stack), CLONE_PARENT | SIGCHLD, lives ? &lives : NULL) <
		    0)
			die("clone");
		/* until the nephew has gone, and its end of the pipe with it */
		close(nephew[1]);
		if (lives && read(nephew[0], &byte, 1) < 0)
			die("read");
		_exit(0);
	}
	close(nephew[1]);
	reap(-1);
	return 0;
}

/* execs-after-fork PID: its child sends SIGTERM after it has exec'd `true` and is gone. */
static int exec_after_fork(void)
{
	pid_t parent = getpid(), child = fork();

	if (child == 0) {
		setsid();
		wait_for_end(parent);
		_exit(kill(atoi(arguments[2]), SIGTERM) ? 71 : 0);
	}
	run((char *[]){ "workload", "storm", "10", "0", "1", NULL });
	return 0;
}

/* handles-once: SIGTERM, whose default action is back after the first. */
static int handle_once(void)
{
	struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESETHAND };

	sigaction(SIGTERM, &action, NULL);
	say_ready();
	wait_for_ever();
}

/* lets-through SIGNAL PID: puts a signal in, as a debugger does. */
static int let_through(void)
{
	pid_t target = atoi(arguments[3]);
	int status;

	if (ptrace(PTRACE_ATTACH, target, 0, 0))
		die("PTRACE_ATTACH");
	if (waitpid(target, &status, __WALL) != target)
		die("waitpid");
	if (ptrace(PTRACE_DETACH, target, 0, atoi(arguments[2])))
		die("PTRACE_DETACH");
	return 0;
}

/* long-variable NAME LENGTH: execs a workload that waits, with a variable of that length in its environment. */
static int set_long_variable(void)
{
	size_t length = strtoul(arguments[3], NULL, 10);
	char *value = malloc(length + 1);

	memset(value, 'x', length);
	value[length] = 0;
	setenv(arguments[2], value, 1);
	run((char *[]){ "workload", "waits", NULL });
	return 0;
}

const struct role end_roles[] = {
	{ "killed-at-the-limit", killed_at_the_limit },
	{ "ends-by-thread", end_by_thread },
	{ "leader-ends-first", end_leader_first },
	{ "thread-execs", exec_by_other_thread },
	{ "ends-with", end_with },
	{ "dumps", dump },
	{ "handles-its-own", handle_its_own },
	{ "child-dies-then", child_dies_then },
	{ "daemon", daemonise },
	{ "clone-parent", clone_parent },
	{ "execs-after-fork", exec_after_fork },
	{ "handles-once", handle_once },
	{ "lets-through", let_through },
	{ "long-variable", set_long_variable },
	{ NULL, NULL },
};
