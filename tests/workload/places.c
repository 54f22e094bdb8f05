// SPDX-License-Identifier: MIT OR Apache-2.0
/* Processes in places of their own: a file without a directory, a terminal, a title. */
#include "workload.h"

/* in-memory: execs itself from a memfd. */
static int run_in_memory(void)
{
	int from = open("/proc/self/exe", O_RDONLY), to = memfd_create("nowhere", MFD_CLOEXEC);
	char bytes[65536];
	ssize_t length;

	while ((length = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, length) != length)
			die("write");
	fexecve(to, (char *[]){ "workload", "waits", NULL }, environ);
	die("fexecve");
}

/* on-a-terminal PID: sends SIGTERM from a session with a terminal, whose name it prints. */
static int be_on_a_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		die("posix_openpt");
	printf("%s\n", ptsname(master));
	fflush(stdout);
	if (fork() == 0) {
		setsid();
		slave = open(ptsname(master), O_RDWR);
		if (slave < 0 || ioctl(slave, TIOCSCTTY, 0))
			die("open the terminal");
		_exit(kill(atoi(arguments[2]), SIGTERM) ? 71 : 0);
	}
	reap(-1);
	return 0;
}

static void ignore_signal(int signal __attribute__((unused)))
{
}

/* loses-a-terminal NAME: what the leader of a session execs; ends after its terminal, with a child in the foreground. */
static int lose_terminal(void)
{
	sigset_t hangup, before;
	pid_t child;

	signal(SIGTTOU, SIG_IGN);
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, &before);
	child = fork();
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		wait_for_ever();
	}
	signal(SIGHUP, ignore_signal);
	if (child < 0 || setpgid(child, child) || tcsetpgrp(0, child))
		die("the foreground");
	printf("%s %d\n", arguments[2], child);
	fflush(stdout);
	sigsuspend(&before);
	return 0;
}

/* hangs-up: holds a terminal, which hangs up when this process ends; prints its name and who is in its foreground. */
static int hang_up(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		die("posix_openpt");
	if (fork() == 0) {
		setsid();
		slave = open(ptsname(master), O_RDWR);
		if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) || dup2(slave, 0))
			die("open the terminal");
		execl("/proc/self/exe", "workload", "loses-a-terminal", ptsname(master), NULL);
		die("exec");
	}
	wait_for_ever();
}

/* titled TITLE: writes TITLE over its own argument block, as setproctitle does. */
static int be_titled(void)
{
	char *end = arguments[argument_count - 1] + strlen(arguments[argument_count - 1]), title[64];
	size_t room = end - arguments[0];

	snprintf(title, sizeof(title), "%s", arguments[2]);
	memset(arguments[0], 0, room);
	strncpy(arguments[0], title, room);
	printf("ready\n");
	fflush(stdout);
	wait_for_ever();
}

const struct role place_roles[] = {
	{ "in-memory", run_in_memory },
	{ "on-a-terminal", be_on_a_terminal },
	{ "loses-a-terminal", lose_terminal },
	{ "hangs-up", hang_up },
	{ "titled", be_titled },
	{ NULL, NULL },
};
