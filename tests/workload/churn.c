// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * An hour's churn, cheaply: short-lived processes at an even rate that exec, fork, leave orphans behind, send signals, get them, and
 * die of them, and cgroups that come and go.
 */
#include "workload.h"

#include <sys/resource.h>
#include <sys/stat.h>

static volatile sig_atomic_t asked_to_end;
static const char *cgroups;
static unsigned long made_cgroups;

static void note_end(int signal)
{
	(void)signal;
	asked_to_end = 1;
}

static void handle(int signal)
{
	(void)signal;
}

static void exec_with(char *argument)
{
	run((char *[]){ "workload", "churned", argument, NULL });
}

static void exec_short(void)
{
	exec_with("--of=a command line of the usual length");
}

/* So long that the kernel side keeps it in its largest class. */
static void exec_long(void)
{
	static char argument[6000];

	memset(argument, 'x', sizeof(argument) - 1);
	exec_with(argument);
}

static void exec_and_wait(void)
{
	run((char *[]){ "workload", "churned", "waits", "to be killed", NULL });
}

/* Its own child outlives it. */
static void leave_orphan(void)
{
	if (fork() == 0) {
		usleep(20000);
		_exit(3);
	}
}

static void be_daemon(void)
{
	setsid();
	if (fork() == 0)
		exec_short();
}

static void kill_group(void)
{
	setpgid(0, 0);
	if (fork() == 0)
		wait_for_ever();
	kill(0, SIGTERM);
}

static void answer(void)
{
	kill(getppid(), SIGUSR1);
}

/* What is hidden by default. */
static void signal_itself(void)
{
	signal(SIGUSR2, handle);
	kill(getpid(), SIGUSR2);
}

static void fail_badly(void)
{
	abort();
}

static void live_in_cgroup(void)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%lu/cgroup.procs", cgroups, made_cgroups);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	exec_short();
}

/* What a child does, how many processes that makes, and the signal that it is sent meanwhile. */
static const struct turn {
	void (*child)(void);
	int processes, signal;
} turns[] = {
	{ exec_short, 1, 0 },         { leave_orphan, 2, 0 }, { wait_for_ever, 1, SIGTERM },
	{ be_daemon, 2, 0 },          { answer, 1, 0 },       { exec_and_wait, 1, SIGKILL },
	{ signal_itself, 1, 0 },      { kill_group, 2, 0 },   { exec_long, 1, 0 },
	{ exec_and_wait, 1, SIGHUP }, { fail_badly, 1, 0 },
};

/* One that outlives its parent. */
static pid_t start_free(void (*child)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		child();
		_exit(0);
	}
	return pid;
}

static void reap_what_ended(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* One that is made, lived in, and removed. */
static void make_cgroup(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%lu", cgroups, ++made_cgroups);
	if (mkdir(path, 0755))
		die(path);
	reap(start_free(live_in_cgroup));
	if (rmdir(path))
		die(path);
}

static void sleep_until(unsigned long long when)
{
	struct timespec time = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 };

	while (!asked_to_end && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

static void prepare(void)
{
	struct rlimit no_core = { 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* the orphans are reaped here: not every PID 1 does it */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* not what a child gets: it may come before that has put it back to the default */
	signal(SIGINT, note_end);
	signal(SIGUSR1, handle);
}

/*
 * churn RATE CGROUPS: until SIGINT, RATE processes a second, and in the directory CGROUPS a cgroup for every 500. Prints how many
 * of both there were, and how many signals were sent to children.
 */
static int churn(void)
{
	unsigned long long began = now();
	unsigned long made = 0, sent = 0;
	int rate = atoi(arguments[2]);

	cgroups = arguments[3];
	prepare();
	for (unsigned long i = 0; !asked_to_end; i++) {
		const struct turn *turn = &turns[i % (sizeof(turns) / sizeof(*turns))];
		pid_t child = start_free(turn->child);

		if (turn->signal)
			sent += kill(child, turn->signal) == 0;
		made += turn->processes;
		if (made / 500 > made_cgroups) {
			make_cgroup();
			made++;
		}
		sleep_until(began + made * 1000000000ULL / rate);
		reap_what_ended();
	}
	printf("%lu %lu %lu\n", made, made_cgroups, sent);
	return 0;
}

/* churned [waits]: what execs in the churn. */
static int be_churned(void)
{
	if (!strcmp(arguments[2], "waits"))
		wait_for_ever();
	return 0;
}

const struct role churn_roles[] = {
	{ "churn", churn },
	{ "churned", be_churned },
	{ NULL, NULL },
};
