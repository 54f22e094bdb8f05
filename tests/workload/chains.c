// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Chains that live for milliseconds: a fresh source of a fresh parent kills a fresh target of a fresh parent.
 * The kind says what is special about them.
 */
#include "workload.h"

#include <spawn.h>
#include <stdbool.h>

extern char **environ;

static const char *kind;

static bool is_kind(const char *name)
{
	return !strcmp(kind, name);
}

/* Runs `function` in a thread that is not the leader, and waits for it. */
static void in_thread(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, argument))
		die("pthread_create");
	pthread_join(thread, NULL);
}

/* target ROUND KIND ROOT: says who it is and waits to be killed. */
static int be_target(void)
{
	kind = arguments[3];
	/* who was orphaned is the child of its reaper, as soon as its parent is gone */
	if (is_kind("double-fork"))
		while (getppid() != atoi(arguments[4]))
			sched_yield();
	tell_self();
	if (write(STDOUT_FILENO, "x", 1) != 1)
		die("say ready");
	wait_for_ever();
}

static void *exec_target(void *argument)
{
	run(argument);
	return NULL;
}

/* threader …: a thread that is not the leader execs the target. */
static int be_threader(void)
{
	arguments[1] = "target";
	in_thread(exec_target, arguments);
	return 72;
}

struct start {
	char **argv;
	int ready;
	pid_t pid;
};

static void become_target(const struct start *start)
{
	dup2(start->ready, STDOUT_FILENO);
	run(start->argv);
}

static void *fork_target(void *argument)
{
	struct start *start = argument;

	start->pid = fork();
	if (start->pid == 0)
		become_target(start);
	return NULL;
}

/* The thread lives on: the child's real_parent stays that thread. */
static void *fork_target_and_stay(void *argument)
{
	fork_target(argument);
	wait_for_ever();
}

static void spawn_target(struct start *start)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, start->ready, STDOUT_FILENO);
	if (posix_spawn(&start->pid, "/proc/self/exe", &actions, NULL, start->argv, environ))
		die("posix_spawn");
}

static void start_target(struct start *start)
{
	if (is_kind("thread-parent")) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, fork_target_and_stay, start))
			die("pthread_create");
		while (!*(volatile pid_t *)&start->pid)
			sched_yield();
	} else if (is_kind("spawn")) {
		spawn_target(start);
	} else if (is_kind("clone-parent")) {
		start->pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
		if (start->pid == 0)
			become_target(start);
	} else if (is_kind("never-execs")) {
		start->pid = fork();
		if (start->pid == 0) {
			dup2(start->ready, STDOUT_FILENO);
			tell_self();
			if (write(STDOUT_FILENO, "x", 1) != 1)
				die("say ready");
			wait_for_ever();
		}
	} else if (is_kind("double-fork")) {
		int start_pipe[2];

		if (pipe(start_pipe))
			die("pipe");
		if (fork() == 0) {
			fork_target(start);
			if (write(start_pipe[1], &start->pid, sizeof(start->pid)) != sizeof(start->pid))
				die("write the target's pid");
			_exit(0);
		}
		if (read(start_pipe[0], &start->pid, sizeof(start->pid)) != sizeof(start->pid))
			die("read the target");
		reap(-1);
	} else {
		fork_target(start);
	}
}

/* target-parent ROUND FD KIND ROOT: starts the target, writes its pid to FD, waits for its end. */
static int be_target_parent(void)
{
	char *argv[] = { "workload",   "target",     arguments[2],
			 arguments[4], arguments[5], "an argument of its own",
			 NULL };
	struct start start = { .argv = argv };
	int fd = atoi(arguments[3]), ready[2];
	char byte;

	kind = arguments[4];
	if (is_kind("thread-exec"))
		argv[1] = "threader";
	tell_self();
	if (pipe2(ready, O_CLOEXEC))
		die("pipe");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	start.ready = ready[1];
	start_target(&start);
	if (read(ready[0], &byte, 1) != 1)
		die("wait for the target");
	if (write(fd, &start.pid, sizeof(start.pid)) != sizeof(start.pid))
		die("write the target's pid");
	close(fd);
	/* one that is not its child outlives it: it has to wait all the same, to be in the tree */
	if (is_kind("clone-parent") || is_kind("double-fork"))
		while (kill(start.pid, 0) == 0)
			usleep(100);
	reap(-1);
	return 0;
}

static int sent;

static void *send_from_thread(void *unused)
{
	(void)unused;
	sent = send_and_tell(arguments[2], atoi(arguments[3]), atoi(arguments[4]));
	return NULL;
}

/* source ROUND SIGNAL TARGET KIND: says who it is, kills, ends. */
static int be_source(void)
{
	kind = arguments[5];
	tell_self();
	if (is_kind("thread-source"))
		in_thread(send_from_thread, NULL);
	else
		send_from_thread(NULL);
	return sent ? 71 : 0;
}

/* source-parent ROUND SIGNAL TARGET KIND: starts the source and waits for its end. */
static int be_source_parent(void)
{
	char *argv[] = { "workload", "source", arguments[2], arguments[3], arguments[4], arguments[5], NULL };
	struct start start = { .argv = argv, .ready = STDOUT_FILENO };

	kind = arguments[5];
	tell_self();
	if (is_kind("spawn"))
		spawn_target(&start);
	else
		fork_target(&start);
	reap(-1);
	return 0;
}

static int root_rounds;

/* Starts the chain of the target; its pid. */
static pid_t start_target_chain(int i)
{
	char root[16], fd[16], round[16];
	int start_pipe[2];
	pid_t pid;

	if (pipe2(start_pipe, O_CLOEXEC))
		die("pipe");
	fcntl(start_pipe[1], F_SETFD, 0);
	snprintf(root, sizeof(root), "%d", getpid());
	snprintf(round, sizeof(round), "%d", i);
	snprintf(fd, sizeof(fd), "%d", start_pipe[1]);
	if (fork() == 0) {
		char *argv[] = { "workload", "target-parent", round, fd, arguments[3], root, NULL };

		run(argv);
	}
	close(start_pipe[1]);
	if (read(start_pipe[0], &pid, sizeof(pid)) != sizeof(pid))
		die("read the target");
	close(start_pipe[0]);
	return pid;
}

/* Starts the chain of the source, which kills the target. */
static void start_source_chain(int i, pid_t pid)
{
	char round[16], target[16];

	snprintf(round, sizeof(round), "%d", i);
	snprintf(target, sizeof(target), "%d", pid);
	if (fork() == 0) {
		char *argv[] = { "workload", "source-parent", round, "15", target, arguments[3], NULL };

		run(argv);
	}
}

/* Starts every target, prints "ready", waits for a line, kills them one by one. */
static void make_chains_before(void)
{
	pid_t *targets = calloc(root_rounds, sizeof(*targets));
	char line[16];

	for (int i = 0; i < root_rounds; i++)
		targets[i] = start_target_chain(i);
	printf("ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		die("wait for the word to go on");
	for (int i = 0; i < root_rounds; i++) {
		start_source_chain(i, targets[i]);
		/* the source's parent and the target's */
		reap(0);
		reap(0);
	}
}

/* chains ROUNDS KIND: one chain after the other, or, of kind "before", all at once. */
static int make_chains(void)
{
	root_rounds = atoi(arguments[2]);
	kind = arguments[3];
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	tell_self();
	if (is_kind("before")) {
		make_chains_before();
		return 0;
	}
	for (int i = 0; i < root_rounds; i++) {
		start_source_chain(i, start_target_chain(i));
		reap(-1);
	}
	return 0;
}

/*
 * mid-exec ROUNDS SIGNAL: signals a child at a random moment of its execve. With a signal that the child has
 * blocked every execve comes to its end. The child's comm becomes "exe" at the point of no return.
 */
static int meet_execve(void)
{
	int signal = atoi(arguments[3]);
	unsigned int seed = getpid();
	/* how long it takes from the word to go to the end of execve, on this machine, as busy as it is */
	unsigned long long takes = 500000, began, wait;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	tell_self();
	for (int i = 0; i < atoi(arguments[2]); i++) {
		char round[16];
		char over[16], byte;
		int go[2], done[2];
		pid_t child;

		if (pipe2(go, O_CLOEXEC) || pipe2(done, O_CLOEXEC))
			die("pipe");
		fcntl(done[1], F_SETFD, 0);
		snprintf(over, sizeof(over), "%d", done[1]);
		snprintf(round, sizeof(round), "%d", i);
		child = fork();
		if (child == 0) {
			char *argv[] = { "workload", "exec'd", round, over, NULL };
			if (read(go[0], &byte, 1) != 1)
				die("wait to go");
			run(argv);
		}
		if (write(go[1], "x", 1) != 1)
			die("go");
		began = now();
		wait = (unsigned long long)rand_r(&seed) % takes;
		while (now() - began < wait)
			sched_yield();
		send_and_tell(round, signal, child);
		if (read(done[0], &byte, 1) != 1)
			die("wait for the end of execve");
		takes = (7 * takes + now() - began) / 8;
		kill(child, SIGKILL);
		reap(child);
		close(go[0]);
		close(go[1]);
		close(done[0]);
		close(done[1]);
	}
	return 0;
}

/*
 * early ROUNDS SIGNAL: signals its group, over and over, while it forks children that live for a moment: some
 * are met before the fork hook has run. Everybody has the signal blocked, and the same argv. Of one fork there are 20 signals at
 * most: a slow machine is not to have more of them than its ring holds.
 */
static int meet_fork(void)
{
	int signal = atoi(arguments[3]);
	volatile int *forks;
	sigset_t set;
	pid_t sender;

	forks = mmap(NULL, sizeof(*forks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (forks == MAP_FAILED)
		die("mmap");
	setpgid(0, 0);
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sender = fork();
	if (sender == 0)
		for (int sent = 0;;) {
			if (sent < 20 * (*forks + 1)) {
				kill(0, signal);
				sent++;
			}
			usleep(20);
		}
	for (int i = 0; i < atoi(arguments[2]); i++) {
		pid_t child;

		*forks = i;
		child = fork();
		if (child == 0)
			_exit(0);
		reap(child);
	}
	kill(sender, SIGKILL);
	reap(-1);
	return 0;
}

/* reuse ROUNDS: a target whose pid the next one gets at once. */
static int reuse_pids(void)
{
	char *next = "/proc/sys/kernel/ns_last_pid", text[16];
	pid_t wanted = 0;
	int reused = 0;

	tell_self();
	for (int i = 0; i < atoi(arguments[2]); i++) {
		char round[16], byte;
		int ready[2];
		pid_t child;

		snprintf(round, sizeof(round), "%d", i);
		if (pipe2(ready, O_CLOEXEC))
			die("pipe");
		if (wanted) {
			int fd = open(next, O_WRONLY | O_CLOEXEC);
			int length = snprintf(text, sizeof(text), "%d", wanted - 1);

			if (fd < 0 || write(fd, text, length) != length)
				die(next);
			close(fd);
		}
		child = fork();
		if (child == 0) {
			char *argv[] = { "workload", "target", round, "reuse", "0", NULL };

			dup2(ready[1], STDOUT_FILENO);
			run(argv);
		}
		reused += child == wanted;
		/* Another process may hold the pid that was wanted: the next round wants the one that this round frees. */
		wanted = child;
		if (read(ready[0], &byte, 1) != 1)
			die("wait for the target");
		send_and_tell(round, SIGTERM, child);
		reap(child);
		close(ready[0]);
		close(ready[1]);
	}
	printf("%d\n", reused);
	return 0;
}

/* exec'd ROUND FD: says through FD that execve is over, and waits. */
static int be_execed(void)
{
	if (write(atoi(arguments[3]), "x", 1) != 1)
		die("say ready");
	wait_for_ever();
}

const struct role chain_roles[] = {
	{ "chains", make_chains },
	{ "target", be_target },
	{ "threader", be_threader },
	{ "source", be_source },
	{ "target-parent", be_target_parent },
	{ "source-parent", be_source_parent },
	{ "mid-exec", meet_execve },
	{ "exec'd", be_execed },
	{ "early", meet_fork },
	{ "reuse", reuse_pids },
	{ NULL, NULL },
};
