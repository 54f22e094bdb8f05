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
	{ "crowd", crowd },
	{ "time-getppid", time_getppid },
	{ "runs", run_children },
	{ NULL, NULL },
};
