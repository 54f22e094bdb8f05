// SPDX-License-Identifier: MIT OR Apache-2.0
/* Takes names that another program may want: the first to bind one has it. */
#include "workload.h"

#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

/* squat PREFIX: binds the abstract sockets PREFIX-PID of the next pids, as many as it may; prints how many. */
static int squat(void)
{
	struct rlimit files;
	int bound = 0;

	if (getrlimit(RLIMIT_NOFILE, &files))
		die("getrlimit");
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (pid_t pid = getpid() + 1; pid < getpid() + 4000; pid++) {
		struct sockaddr_un name = { .sun_family = AF_UNIX };
		int length =
			snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "%s-%d", arguments[2], pid);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (fd < 0 ||
		    bind(fd, (struct sockaddr *)&name, offsetof(struct sockaddr_un, sun_path) + 1 + length))
			break;
		bound++;
	}
	say(bound);
	wait_for_ever();
}

/* locks FILE BYTE…: holds a lock to read on these bytes, for which it need only read the file. */
static int lock_bytes(void)
{
	int fd = open(arguments[2], O_RDONLY);

	if (fd < 0)
		die("open");
	for (int place = 3; arguments[place]; place++) {
		struct flock lock = {
			.l_type = F_RDLCK,
			.l_whence = SEEK_SET,
			.l_start = atoi(arguments[place]),
			.l_len = 1,
		};

		if (fcntl(fd, F_SETLKW, &lock))
			die("fcntl");
	}
	say(0);
	wait_for_ever();
}

const struct role squat_roles[] = {
	{ "squat", squat },
	{ "locks", lock_bytes },
	{ NULL, NULL },
};
