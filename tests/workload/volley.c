// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Processes whose image nobody has needed yet, and which many need at once: several senders, released together, signal one
 * target, and they have one parent.
 */
#include "workload.h"

#define SENDERS 4
#define VOLLEYS 3

/* volley-target ROUND …: ignores the signal, says who it is, and waits to be killed. */
static int be_target(void)
{
	signal(SIGUSR1, SIG_IGN);
	tell_self();
	if (write(STDOUT_FILENO, "x", 1) != 1)
		die("say ready");
	wait_for_ever();
}

/* volley-sender ROUND TARGET: says who it is, and signals the target when the others do. */
static int send_with_others(void)
{
	char byte;

	tell_self();
	if (write(STDOUT_FILENO, "x", 1) != 1)
		die("say ready");
	/* all of them see the end of this */
	if (read(STDIN_FILENO, &byte, 1) != 0)
		die("wait for the others");
	return send_and_tell(arguments[2], SIGUSR1, atoi(arguments[3])) ? 71 : 0;
}

static void wait_for(int ready, int count)
{
	char byte;

	while (count--)
		if (read(ready, &byte, 1) != 1)
			die("wait for all to be ready");
}

/*
 * volley-parent ROUND VOLLEY BYTES: a volley by its children at another one, all with an argument of so many bytes; then it execs
 * itself for the next.
 */
static int have_volley(void)
{
	int bytes = atoi(arguments[4]);
	char target[16], next[16], *filler = calloc(1, bytes + 1);
	char *target_argv[] = { "workload", "volley-target", arguments[2], filler, NULL };
	char *sender_argv[] = { "workload", "volley-sender", arguments[2], target, filler, NULL };
	char *own_argv[] = { "workload", "volley-parent", arguments[2], next, arguments[4], NULL };
	pid_t pid, senders[SENDERS];
	int release[2], ready[2];

	memset(filler, 'f', bytes);
	tell_self();
	if (pipe2(release, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid == 0) {
		dup2(ready[1], STDOUT_FILENO);
		run(target_argv);
	}
	wait_for(ready[0], 1);
	snprintf(target, sizeof(target), "%d", pid);
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = fork();
		if (senders[i] == 0) {
			dup2(release[0], STDIN_FILENO);
			dup2(ready[1], STDOUT_FILENO);
			run(sender_argv);
		}
	}
	wait_for(ready[0], SENDERS);
	close(release[1]);
	for (int i = 0; i < SENDERS; i++)
		reap(senders[i]);
	kill(pid, SIGKILL);
	reap(pid);
	snprintf(next, sizeof(next), "%d", atoi(arguments[3]) + 1);
	if (atoi(next) < VOLLEYS)
		run(own_argv);
	return 0;
}

/* volley-late ROOT: signals the root at the beginning, and again when standard input ends; waits to be killed. */
static int be_late(void)
{
	pid_t root = atoi(arguments[2]);
	char byte;

	tell_self();
	if (send_and_tell("0", SIGUSR1, root) || write(STDOUT_FILENO, "x", 1) != 1)
		return 71;
	if (read(STDIN_FILENO, &byte, 1) != 0)
		die("wait for the end");
	if (send_and_tell("1", SIGUSR1, root) || write(STDOUT_FILENO, "x", 1) != 1)
		return 71;
	wait_for_ever();
}

/* volleys ROUNDS BYTES: so many processes with a few volleys each; the late one lives until standard input ends. */
static int have_volleys(void)
{
	int rounds = atoi(arguments[2]), wake[2], ready[2];
	char root[16], round[16], byte;
	char *late_argv[] = { "workload", "volley-late", root, NULL };
	char *parent_argv[] = { "workload", "volley-parent", round, "0", arguments[3], NULL };
	pid_t late, pid;

	signal(SIGUSR1, SIG_IGN);
	tell_self();
	snprintf(root, sizeof(root), "%d", getpid());
	if (pipe2(wake, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		die("pipe");
	late = fork();
	if (late == 0) {
		dup2(wake[0], STDIN_FILENO);
		dup2(ready[1], STDOUT_FILENO);
		run(late_argv);
	}
	wait_for(ready[0], 1);
	for (int i = 0; i < rounds; i++) {
		snprintf(round, sizeof(round), "%d", i);
		pid = fork();
		if (pid == 0)
			run(parent_argv);
		reap(pid);
	}
	close(wake[1]);
	wait_for(ready[0], 1);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	kill(late, SIGKILL);
	reap(late);
	return 0;
}

const struct role volley_roles[] = {
	{ "volleys", have_volleys },
	{ "volley-parent", have_volley },
	{ "volley-sender", send_with_others },
	{ "volley-target", be_target },
	{ "volley-late", be_late },
	{ NULL, NULL },
};
