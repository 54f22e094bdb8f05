// SPDX-License-Identifier: MIT OR Apache-2.0
/* What is measured: senders at a pace, chains of any depth, crowds, and system calls that nobody traces. */
#include "workload.h"

#include <sys/resource.h>

/* ignores SIGNAL: prints its pid, waits until standard input ends. */
static int ignore(void)
{
	char byte;

	signal(atoi(arguments[2]), SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	say(getpid());
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

/* orphan ROLE…: execs ROLE in a process whose parent has ended, so that nothing of the process that started it is above it. */
static int be_orphan(void)
{
	pid_t parent = getpid();

	if (fork())
		_exit(0);
	while (getppid() == parent)
		usleep(100);
	arguments[1] = "workload";
	run(arguments + 1);
	return 0;
}

/* held ROLE…: prints its pid, and plays ROLE when a byte comes on standard input. */
static int wait_for_release(void)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	say(getpid());
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 0;
	arguments++;
	argument_count--;
	play_role();
	errno = EINVAL;
	die(arguments[1]);
	return 0;
}

/*
 * nest DEPTH FILLER ROLE…: a chain of DEPTH processes, each exec'd with FILLER among its arguments; the last one plays ROLE, with
 * the same arguments as if it had been alone.
 */
static int nest(void)
{
	int depth = atoi(arguments[2]), status = 0;
	char below[16];
	pid_t child;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (depth <= 1) {
		arguments += 3;
		argument_count -= 3;
		arguments[0] = "workload";
		play_role();
		errno = EINVAL;
		die(arguments[1]);
	}
	child = fork();
	if (child == 0) {
		snprintf(below, sizeof(below), "%d", depth - 1);
		arguments[2] = below;
		run(arguments);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* storm-for MILLISECONDS SIGNAL TARGET [PAUSE_US]: prints how many kill() returned success, and how many ns that took. */
static int storm_for(void)
{
	unsigned long long began, end;
	int signal = atoi(arguments[3]), pause_us = argument_count > 5 ? atoi(arguments[5]) : 0;
	pid_t target = atoi(arguments[4]);
	unsigned long done = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* or each pause of some µs takes 50 more */
	prctl(PR_SET_TIMERSLACK, 1);
	began = now();
	end = began + atoi(arguments[2]) * 1000000ULL;
	do {
		/* a look at the clock is not to be what is measured */
		for (int i = 0; i < (pause_us ? 1 : 64); i++)
			done += kill(target, signal) == 0;
		if (pause_us)
			usleep(pause_us);
	} while (now() < end);
	printf("%lu %llu\n", done, now() - began);
	return 0;
}

static void note_signal(int number __attribute__((unused)))
{
}

/* wakes-up SIGNAL: as `ignores`, but each signal wakes it, and it handles it. */
static int wake_up(void)
{
	struct sigaction action = { .sa_handler = note_signal };
	char byte;

	sigaction(atoi(arguments[2]), &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	say(getpid());
	while (read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR)
		errno = 0;
	return 0;
}

/*
 * time-in-turn TIMES TARGET: two processes on one CPU, which signal in turn; prints the median ns of a kill(TARGET, SIGURG). Each
 * finds what the other left.
 */
static int time_in_turn(void)
{
	int times = atoi(arguments[2]), there[2], back[2];
	unsigned long long *took = calloc(times, sizeof(*took));
	pid_t target = atoi(arguments[3]), other;
	cpu_set_t one;
	char byte = 0;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) || pipe(there) || pipe(back))
		die("pipe");
	other = fork();
	if (other == 0) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1) {
			kill(target, SIGURG);
			if (write(back[1], &byte, 1) != 1)
				break;
		}
		_exit(0);
	}
	for (int i = 0; i < times; i++) {
		unsigned long long began;

		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			die("pipe");
		began = now();
		if (kill(target, SIGURG))
			die("kill");
		took[i] = now() - began;
	}
	close(there[1]);
	reap(other);
	printf("%llu\n", median_of(took, times));
	return 0;
}

/*
 * time-fresh TIMES: for each signal two processes that are new, one that sends it and one that ignores it; prints the median ns of
 * such a kill().
 */
static int time_fresh(void)
{
	int times = atoi(arguments[2]), hold[2];
	unsigned long long *took =
		mmap(NULL, times * sizeof(*took), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (took == MAP_FAILED)
		die("mmap");
	signal(SIGURG, SIG_IGN);
	for (int i = 0; i < times; i++) {
		pid_t target, sender;
		char byte;

		if (pipe(hold))
			die("pipe");
		target = fork();
		if (target == 0) {
			close(hold[1]);
			_exit(read(hold[0], &byte, 1) != 0);
		}
		sender = fork();
		if (sender == 0) {
			unsigned long long began = now();
			int failed = kill(target, SIGURG);

			took[i] = now() - began;
			_exit(failed != 0);
		}
		reap(sender);
		close(hold[0]);
		close(hold[1]);
		reap(target);
	}
	printf("%llu\n", median_of(took, times));
	return 0;
}

/* crowd COUNT: so many children that wait for ever; prints how many there are. */
static int crowd(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	int count = 0;

	setrlimit(RLIMIT_NPROC, &limit);
	for (; count < atoi(arguments[2]); count++) {
		pid_t child = fork();

		if (child < 0)
			break;
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			wait_for_ever();
		}
	}
	printf("%d\n", count);
	fflush(stdout);
	wait_for_ever();
}

/* time-getppid BATCHES: prints the median ns of a call, of batches of 1,000. */
static int time_getppid(void)
{
	int batches = atoi(arguments[2]);
	unsigned long long *took = calloc(batches, sizeof(*took));

	for (int i = 0; i < batches; i++) {
		unsigned long long began = now();

		for (int j = 0; j < 1000; j++)
			syscall(SYS_getppid);
		took[i] = now() - began;
	}
	printf("%.2f\n", median_of(took, batches) / 1000.0);
	return 0;
}

/* runs COUNT [exec]: so many children one after the other, which end at once or exec; prints the median ns of one. */
static int run_children(void)
{
	int count = atoi(arguments[2]), execs = argument_count > 3;
	unsigned long long *took = calloc(count, sizeof(*took));

	for (int i = 0; i < count; i++) {
		unsigned long long began = now();
		pid_t child = fork();

		if (child == 0) {
			if (execs)
				run((char *[]){ "workload", "churned",
						"--of=a command line of the usual length", NULL });
			_exit(0);
		}
		reap(child);
		took[i] = now() - began;
	}
	printf("%llu\n", median_of(took, count));
	return 0;
}

const struct role load_roles[] = {
	{ "ignores", ignore },
	{ "orphan", be_orphan },
	{ "held", wait_for_release },
	{ "nest", nest },
	{ "storm-for", storm_for },
	{ "wakes-up", wake_up },
	{ "time-in-turn", time_in_turn },
	{ "time-fresh", time_fresh },
	{ "crowd", crowd },
	{ "time-getppid", time_getppid },
	{ "runs", run_children },
	{ NULL, NULL },
};
