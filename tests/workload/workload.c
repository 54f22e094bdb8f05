// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Makes processes and signals, and writes down what really happened: the tests' source of truth.
 *
 * Truth is appended to the file that WORKLOAD_TRUTH names, one line a fact:
 *	proc PID START PPID ARGV…	a process, as it knows itself (START in clock ticks; arguments in hex)
 *	kill ROUND SIGNAL SENDER START TARGET START	a kill() that returned success
 * Counts come from here, never from the tracer.
 */
#include "workload.h"

char **arguments;
int argument_count;
static int truth = -1;

void die(const char *what)
{
	fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
	_exit(70);
}

static void log_fact(const char *format, ...)
{
	char line[40960];
	va_list list;
	int length;

	if (truth < 0)
		return;
	va_start(list, format);
	length = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	if (length >= (int)sizeof(line) || write(truth, line, length) != length)
		die("write truth");
}

/* Field 22 of /proc/PID/stat, behind the last ')' of comm. */
static unsigned long long start_of(pid_t pid)
{
	char path[64], text[4096], *at;
	unsigned long long start = 0;
	int fd, length;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = 0;
	at = strrchr(text, ')');
	if (at)
		sscanf(at + 2,
		       "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		       &start);
	return start;
}

/* This process, as it knows itself, run with these arguments. */
void tell_self(void)
{
	char text[40000];
	size_t used = 0;

	for (int i = 0; i < argument_count; i++) {
		text[used++] = ' ';
		text[used++] = 'x';
		for (const unsigned char *byte = (unsigned char *)arguments[i]; *byte; byte++) {
			if (used + 4 > sizeof(text))
				return;
			used += sprintf(text + used, "%02x", *byte);
		}
	}
	text[used] = 0;
	log_fact("proc %d %llu %d%s\n", getpid(), start_of(getpid()), getppid(), text);
}

int send_and_tell(const char *round, int signal, pid_t target)
{
	unsigned long long start = start_of(target);

	if (kill(target, signal))
		return -1;
	log_fact("kill %s %d %d %llu %d %llu\n", round, signal, getpid(), start_of(getpid()), target, start);
	return 0;
}

void run(char *const argv[])
{
	execv("/proc/self/exe", argv);
	die("exec");
}

void wait_for_ever(void)
{
	for (;;)
		pause();
}

void reap(pid_t child)
{
	pid_t got;

	do
		got = waitpid(child, NULL, 0);
	while ((got < 0 && errno == EINTR) || (got > 0 && child < 0));
}

/* zombie: a child that is dead and not reaped; prints its pid, waits. */
static int keep_zombie(void)
{
	pid_t child = fork();
	siginfo_t info;

	if (child == 0)
		_exit(0);
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	printf("%d\n", child);
	fflush(stdout);
	pause();
	return 0;
}

/* group N: leads a process group of N; prints its id, waits. */
static int keep_group(void)
{
	setpgid(0, 0);
	for (int i = 1; i < atoi(arguments[2]); i++)
		if (fork() == 0)
			break;
	if (getpgrp() == getpid()) {
		usleep(100000);
		printf("%d\n", getpid());
		fflush(stdout);
	}
	pause();
	return 0;
}

/* forked: a child that never execs; prints its pid, waits. */
static int keep_forked(void)
{
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	printf("%d\n", child);
	fflush(stdout);
	reap(child);
	return 0;
}

static void *exec_from_thread(void *unused)
{
	char *argv[] = { "workload", "wait", "exec'd by a thread", NULL };

	(void)unused;
	run(argv);
	return NULL;
}

/* thread-exec: a thread that is not the leader execs. */
static int exec_by_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exec_from_thread, NULL);
	pause();
	return 0;
}

static void *kill_from_thread(void *target)
{
	prctl(PR_SET_NAME, "a-thread");
	if (kill(*(pid_t *)target, SIGTERM))
		die("kill");
	printf("%d\n", (int)syscall(SYS_gettid));
	fflush(stdout);
	return NULL;
}

/* thread-kill TARGET: a thread that is not the leader sends SIGTERM; prints its thread id. */
static int kill_by_thread(void)
{
	pid_t target = atoi(arguments[2]);
	pthread_t thread;

	pthread_create(&thread, NULL, kill_from_thread, &target);
	pthread_join(thread, NULL);
	return 0;
}

static void *say_thread_id(void *unused)
{
	(void)unused;
	printf("%d\n", (int)syscall(SYS_gettid));
	fflush(stdout);
	pause();
	return NULL;
}

/* thread-waits: prints the id of a thread that is not the leader; both wait for ever. */
static int wait_with_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, say_thread_id, NULL);
	pause();
	return 0;
}

static void handler(int signal)
{
	(void)signal;
}

/* meets SIGNAL ignore|handle|block: prints ready, waits for ever. */
static int meet(void)
{
	int signal_number = atoi(arguments[2]);
	sigset_t set;

	if (!strcmp(arguments[3], "ignore"))
		signal(signal_number, SIG_IGN);
	if (!strcmp(arguments[3], "handle"))
		signal(signal_number, handler);
	if (!strcmp(arguments[3], "block")) {
		sigemptyset(&set);
		sigaddset(&set, signal_number);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	printf("ready\n");
	fflush(stdout);
	wait_for_ever();
}

/* to-itself SIGNAL TIMES: handles it, and sends it to itself. */
static int kill_itself(void)
{
	int signal_number = atoi(arguments[2]);

	signal(signal_number, handler);
	for (int i = 0; i < atoi(arguments[3]); i++)
		kill(getpid(), signal_number);
	return 0;
}

/* storm SIGNAL TIMES TARGET: prints how many kill() returned success. */
static int storm(void)
{
	int done = 0;

	for (int i = 0; i < atoi(arguments[3]); i++)
		done += kill(atoi(arguments[4]), atoi(arguments[2])) == 0;
	printf("%d\n", done);
	return 0;
}

unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static int by_time(const void *a, const void *b)
{
	unsigned long long x = *(unsigned long long *)a, y = *(unsigned long long *)b;

	return x < y ? -1 : x > y;
}

unsigned long long median_of(unsigned long long *numbers, int count)
{
	qsort(numbers, count, sizeof(*numbers), by_time);
	return numbers[count / 2];
}

/* time-kill TIMES TARGET [PAUSE_US]: prints the median ns of a kill(TARGET, SIGURG), with pauses between them; 0: of itself. */
static int time_kill(void)
{
	int times = atoi(arguments[2]), pause_us = argument_count > 4 ? atoi(arguments[4]) : 0;
	unsigned long long *took = calloc(times, sizeof(*took));
	pid_t target = atoi(arguments[3]) ?: getpid();

	for (int i = 0; i < times; i++) {
		unsigned long long began;

		if (pause_us)
			usleep(pause_us);
		began = now();
		if (kill(target, SIGURG))
			die("kill");
		took[i] = now() - began;
	}
	printf("%llu\n", median_of(took, times));
	return 0;
}

/* depth N: a chain of N forks; the deepest waits, and its pid is printed. */
static int be_deep(void)
{
	for (int i = 0; i < atoi(arguments[2]); i++) {
		pid_t child = fork();

		if (child > 0) {
			reap(child);
			return 0;
		}
	}
	printf("%d\n", getpid());
	fflush(stdout);
	pause();
	return 0;
}

/* segfault ADDRESS: reads from there. */
static int fault(void)
{
	return *(volatile int *)strtoul(arguments[2], NULL, 0);
}

/* alarm: handles SIGALRM, sets an alarm, waits for it. */
static int wait_for_alarm(void)
{
	struct itimerval soon = { .it_value = { .tv_usec = 1000 } };

	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &soon, NULL);
	pause();
	return 0;
}

/* Starts a child that waits for ever, and prints its pid when it is ready; death_signal 0: none. */
static void start_and_tell_child(int death_signal)
{
	int ready[2];
	pid_t child;
	char byte;

	if (pipe(ready))
		die("pipe");
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, death_signal);
		if (write(ready[1], "x", 1) != 1)
			die("say ready");
		wait_for_ever();
	}
	if (read(ready[0], &byte, 1) != 1)
		die("wait for the child");
	printf("%d\n", child);
	fflush(stdout);
}

/* dies-before-its-child: the child is to get SIGTERM when its parent dies; prints its pid. */
static int die_before_child(void)
{
	start_and_tell_child(SIGTERM);
	return 0;
}

/* traces PID: attaches to it as a debugger does, prints ready, waits. */
static int trace(void)
{
	if (ptrace(PTRACE_SEIZE, atoi(arguments[2]), 0, 0))
		die("ptrace");
	printf("ready\n");
	fflush(stdout);
	wait_for_ever();
}

/* leads-a-terminal: leads a session with a terminal, and ends; prints the pid of its child in the foreground. */
static int lead_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		die("posix_openpt");
	setsid();
	slave = open(ptsname(master), O_RDWR);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0))
		die("open the terminal");
	start_and_tell_child(0);
	return 0;
}

static const struct role own_roles[] = {
	{ "zombie", keep_zombie },
	{ "group", keep_group },
	{ "forked", keep_forked },
	{ "thread-exec", exec_by_thread },
	{ "thread-kill", kill_by_thread },
	{ "thread-waits", wait_with_thread },
	{ "meets", meet },
	{ "to-itself", kill_itself },
	{ "storm", storm },
	{ "time-kill", time_kill },
	{ "depth", be_deep },
	{ "segfault", fault },
	{ "alarm", wait_for_alarm },
	{ "dies-before-its-child", die_before_child },
	{ "leads-a-terminal", lead_terminal },
	{ "traces", trace },
	{ NULL, NULL },
};

static void play(const struct role *roles)
{
	for (; roles->name; roles++)
		if (!strcmp(arguments[1], roles->name))
			exit(roles->run());
}

void play_role(void)
{
	if (argument_count < 2)
		return;
	play(own_roles);
	play(chain_roles);
	play(argv_roles);
	play(signal_roles);
	play(end_roles);
	play(place_roles);
	play(fault_roles);
	play(memory_roles);
	play(exhaust_roles);
	play(churn_roles);
	play(load_roles);
	play(squat_roles);
	play(waiting_roles);
	play(volley_roles);
}

int main(int argc, char **argv)
{
	const char *path = getenv("WORKLOAD_TRUTH");

	arguments = argv;
	argument_count = argc;
	if (path)
		truth = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	play_role();
	/* anything else: a process that waits */
	disguise();
	printf("ready\n");
	fflush(stdout);
	wait_for_ever();
}
