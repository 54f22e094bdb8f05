// SPDX-License-Identifier: MIT OR Apache-2.0
/* What uses up what a tracer keeps: ghosts, and memory. */
#include "workload.h"

/*
 * leave-orphans COUNT: so many processes in all, in pairs: one starts the other and ends before that is waited for. Then it prints
 * how many there were.
 */
static int leave_orphans(void)
{
	int count = atoi(arguments[2]), done;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* none is left as a zombie, whatever process would reap it */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGCHLD, SIG_IGN);
	for (done = 0; done < count; done += 2) {
		pid_t first = fork();

		if (first < 0)
			die("fork");
		if (!first) {
			/* the second is among its children, dead or alive, until it ends itself */
			signal(SIGCHLD, SIG_DFL);
			fork();
			_exit(0);
		}
		/* returns when all have ended */
		waitpid(first, NULL, 0);
	}
	say(done);
	return 0;
}

/*
 * pester SECONDS: sends every signal that can be ignored twice, to one child after the other. Prints how many there were.
 */
static int pester(void)
{
	unsigned long long end = now() + 1000000000ULL * strtoull(arguments[2], NULL, 10);
	int number, sent = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (number = 1; number <= 64; number++)
		signal(number, number == SIGCHLD ? SIG_DFL : SIG_IGN);
	while (now() < end) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child)
			wait_for_ever();
		for (number = 1; number <= 64; number++)
			/* 32 and 33 are the C library's own */
			if (number != SIGKILL && number != SIGSTOP && number != 32 && number != 33 &&
			    !kill(child, number) && !kill(child, number))
				sent += 2;
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	say(sent);
	return 0;
}

/*
 * flood same|fresh|refused SIGNAL TARGET SECONDS PAUSE_US: by this process or by a new one for each, or what is not permitted; at full
 * speed without a pause. Prints how many there were.
 */
static int flood(void)
{
	int is_fresh = !strcmp(arguments[2], "fresh"), is_refused = !strcmp(arguments[2], "refused");
	int number = atoi(arguments[3]);
	pid_t target = atoi(arguments[4]);
	unsigned long long end = now() + 1000000000ULL * strtoull(arguments[5], NULL, 10);
	useconds_t pause_us = atoi(arguments[6]);
	int sent = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (now() < end) {
		if (is_fresh) {
			pid_t child = fork();

			if (child < 0)
				die("fork");
			if (!child)
				_exit(kill(target, number) ? 1 : 0);
			waitpid(child, NULL, 0);
		} else if ((kill(target, number) == 0) == is_refused) {
			die("kill");
		}
		sent++;
		if (pause_us)
			usleep(pause_us);
	}
	say(sent);
	return 0;
}

/* sleepers COUNT: so many children that wait for ever, as it does. */
static int sleepers(void)
{
	int count = atoi(arguments[2]), left;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (left = count; left; left--) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			wait_for_ever();
		}
	}
	say(count);
	wait_for_ever();
	return 0;
}

/* flood-timer SIGNAL SECONDS: what no process sends, by a timer of its own that is set to expire at once, again and again. */
static int set_timers(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = atoi(arguments[2]) };
	unsigned long long end = now() + 1000000000ULL * strtoull(arguments[3], NULL, 10);
	struct itimerspec soon = { .it_value = { .tv_nsec = 1 } };
	int done = 0;
	timer_t timer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(event.sigev_signo, SIG_IGN);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		die("timer_create");
	while (now() < end) {
		timer_settime(timer, 0, &soon, NULL);
		done++;
	}
	say(done);
	return 0;
}

/* kill-children COUNT: for each byte that it reads it starts so many children, one after the other, kills each, and prints COUNT. */
static int kill_children(void)
{
	int count = atoi(arguments[2]);
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		for (int done = 0; done < count; done++) {
			pid_t child = fork();

			if (child < 0)
				die("fork");
			if (!child)
				wait_for_ever();
			if (kill(child, SIGKILL))
				die("kill");
			waitpid(child, NULL, 0);
		}
		say(count);
	}
	return 0;
}

const struct role exhaust_roles[] = {
	{ "flood", flood },       { "flood-timer", set_timers },      { "kill-children", kill_children },
	{ "sleepers", sleepers }, { "leave-orphans", leave_orphans }, { "pester", pester },
	{ NULL, NULL },
};
