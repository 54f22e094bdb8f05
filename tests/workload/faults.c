// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * What a tracer meets on a bad day. Each signal has a number of its own (its sigval), so that a line that comes twice,
 * or in another's place, is noticed.
 */
#include "workload.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

static bool send_number(int signal, pid_t target, int number)
{
	return !sigqueue(target, signal, (union sigval){ .sival_int = number });
}

static bool is_input_over(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, 0) != 0;
}

/* without-bpf ERRNO COMMAND...: becomes COMMAND, below a seccomp filter that refuses bpf(), as containers have. */
static int become_without_bpf(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)atoi(arguments[2])),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
	execv(arguments[3], arguments + 3);
	die("execv");
}

/* numbers SIGNAL TIMES TARGET [PAUSE_US [RUN]]: TIMES 0: until standard input ends; prints how many were sent. */
static int send_numbers(void)
{
	int signal = atoi(arguments[2]), times = atoi(arguments[3]), pause_us = 0, sent = 0;
	pid_t target = atoi(arguments[4]);

	if (argument_count > 5)
		pause_us = atoi(arguments[5]);
	while (times ? sent < times : !is_input_over()) {
		if (!send_number(signal, target, sent))
			die("sigqueue");
		sent++;
		if (pause_us)
			usleep(pause_us);
	}
	say(sent);
	return 0;
}

static int succeeded;

static void reap_and_count(int children)
{
	int status;

	for (; children; children--) {
		if (wait(&status) < 0)
			die("wait");
		succeeded += status == 0;
	}
}

/* forks TIMES EVERY SIGNAL TARGET: children that end at once, in bursts; every EVERYth sends its number first. */
static int fork_in_bursts(void)
{
	int times = atoi(arguments[2]), every = atoi(arguments[3]), signal = atoi(arguments[4]), alive = 0;
	pid_t target = atoi(arguments[5]);

	for (int i = 0; i < times; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child)
			_exit(i % every || !send_number(signal, target, i));
		if (++alive == 100) {
			reap_and_count(alive);
			alive = 0;
		}
	}
	reap_and_count(alive);
	say(succeeded);
	return 0;
}

static struct {
	int sent, refused, forked;
} * bomb;

static int add(int *counter)
{
	return __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

/* Forks for ever, and its children do; some end, or nobody could be born any more. */
static void explode(int signal, int times, pid_t target)
{
	for (;;) {
		pid_t child = fork();
		int number;

		if (child < 0)
			add(&bomb->refused);
		else if (!child)
			add(&bomb->forked);
		number = add(&bomb->sent);
		if (number >= times)
			_exit(0);
		if (!send_number(signal, target, number))
			die("sigqueue");
		if (number % 5 == 0)
			_exit(0);
	}
}

/* bomb SIGNAL TIMES TARGET: a fork bomb that ends when it has sent so many; prints how many forks were refused, and were not. */
static int be_bomb(void)
{
	bomb = mmap(NULL, sizeof(*bomb), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bomb == MAP_FAILED)
		die("mmap");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* one that ends by chance is followed by the next */
	while (bomb->sent < atoi(arguments[3])) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child) {
			signal(SIGCHLD, SIG_IGN);
			explode(atoi(arguments[2]), atoi(arguments[3]), atoi(arguments[4]));
		}
		reap(-1);
	}
	printf("%d %d\n", bomb->refused, bomb->forked);
	return 0;
}

static long number_in(const char *path)
{
	FILE *file = fopen(path, "r");
	long number;

	if (!file || fscanf(file, "%ld", &number) != 1)
		die(path);
	fclose(file);
	return number;
}

static void set_last_pid(long pid)
{
	FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "w");

	if (!file || fprintf(file, "%ld", pid) < 0 || fclose(file))
		die("write ns_last_pid");
}

/* The pid of a child that has exec'd, has sent its number to its parent, and waits. */
static pid_t start_of_lap(int number, int signal)
{
	char text[16], signal_text[16], byte;
	int ready[2];
	pid_t child;

	snprintf(text, sizeof(text), "%d", number);
	snprintf(signal_text, sizeof(signal_text), "%d", signal);
	if (pipe2(ready, O_CLOEXEC))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		dup2(ready[1], STDOUT_FILENO);
		run((char *[]){ "workload", "in-lap", text, signal_text, NULL });
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("wait for the child");
	close(ready[0]);
	return child;
}

/*
 * laps LAPS EACH SIGNAL: in each lap the pids of this namespace come to their end and begin again; prints the pid of each
 * child, which sends its number here, gets it back, and dies of that.
 */
static int run_laps(void)
{
	int each = atoi(arguments[3]), number = 0;
	long last = number_in("/proc/sys/kernel/pid_max"), was = number_in("/proc/sys/kernel/ns_last_pid");

	signal(atoi(arguments[4]), SIG_IGN);
	for (int lap = 0; lap < atoi(arguments[2]); lap++) {
		set_last_pid(last - each / 2);
		for (int i = 0; i < each; i++) {
			pid_t child = start_of_lap(number, atoi(arguments[4]));

			say(child);
			if (!send_number(atoi(arguments[4]), child, number++))
				die("sigqueue");
			reap(child);
		}
	}
	set_last_pid(was);
	return 0;
}

/* in-lap NUMBER SIGNAL: sends its number to its parent, says that it has, waits. */
static int be_in_lap(void)
{
	/* its parent ignores it, and exec keeps that */
	signal(atoi(arguments[3]), SIG_DFL);
	if (!send_number(atoi(arguments[3]), getppid(), atoi(arguments[2])))
		die("sigqueue");
	say(getpid());
	wait_for_ever();
}

const struct role fault_roles[] = {
	{ "without-bpf", become_without_bpf },
	{ "numbers", send_numbers },
	{ "forks", fork_in_bursts },
	{ "bomb", be_bomb },
	{ "laps", run_laps },
	{ "in-lap", be_in_lap },
	{ NULL, NULL },
};
