// SPDX-License-Identifier: MIT OR Apache-2.0
/* A process whose arguments are what a test likes, and which does what its environment says instead. */
#include "workload.h"

/*
 * WORKLOAD_COMM: its comm. WORKLOAD_TITLE: written over its own argument block. WORKLOAD_TRACE: a process that it traces.
 * WORKLOAD_KILL: a process that it sends SIGTERM, WORKLOAD_TIMES so often. WORKLOAD_FLIP: it changes a letter of its first argument.
 */
void disguise(void)
{
	const char *comm = getenv("WORKLOAD_COMM"), *title = getenv("WORKLOAD_TITLE");
	const char *traced = getenv("WORKLOAD_TRACE"), *target = getenv("WORKLOAD_KILL");
	const char *times = getenv("WORKLOAD_TIMES");

	if (comm)
		prctl(PR_SET_NAME, comm);
	if (title) {
		char *last = arguments[argument_count - 1], *text = strdup(title);
		size_t room = last + strlen(last) + 1 - arguments[0];

		memset(arguments[0], 0, room);
		strncpy(arguments[0], text, room - 1);
	}
	if (getenv("WORKLOAD_FLIP"))
		arguments[1][0] ^= 1;
	if (traced && ptrace(PTRACE_SEIZE, atoi(traced), NULL, NULL))
		die("seize");
	for (int i = times ? atoi(times) : 1; target && i > 0; i--)
		if (kill(atoi(target), SIGTERM))
			die("kill");
}
