// SPDX-License-Identifier: MIT OR Apache-2.0
/* Processes with a title of their own before anybody looks, memory that hangs, or without a leader. */
#include "workload.h"

#include <linux/fuse.h>
#include <sys/mount.h>

/*
 * has-written TITLE [ARGUMENT…]: writes TITLE over its own argument block, from its beginning, and pads the rest; `+` at
 * its beginning: and goes on until the block is full and 40 bytes more; `=`: so much of it that as many strings are
 * there as were. Then it waits. `fork` at the end: its child does.
 */
static int have_written(void)
{
	char *title = strdup(arguments[2]), *start = arguments[0], *last = arguments[argument_count - 1];
	size_t room = last + strlen(last) + 1 - start;
	int forks = !strcmp(last, "fork");

	if (title[0] == '+') {
		for (size_t at = 0; at < room + 40; at++)
			start[at] = title[1 + at % (strlen(title) - 1)];
		start[room + 40] = 0;
	} else if (title[0] == '=') {
		memset(start, 0, room);
		memset(start, 'x', room - argument_count);
	} else {
		memset(start, 0, room);
		memcpy(start, title, strlen(title) < room ? strlen(title) : room - 1);
	}
	if (forks) {
		pid_t child = fork();

		if (child) {
			say(child);
			wait_for_ever();
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wait_for_ever();
	}
	say(getpid());
	wait_for_ever();
}

static void *be_the_rest(void *leader)
{
	uid_t user = atoi(arguments[2]);
	char path[64], state = 0;

	pthread_join(*(pthread_t *)leader, NULL);
	/* what is joined may not have exited */
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	while (state != 'Z') {
		char text[256] = "";
		int fd = open(path, O_RDONLY);

		if (read(fd, text, sizeof(text) - 1) > 0)
			state = strrchr(text, ')')[2];
		close(fd);
		usleep(1000);
	}
	/* of this thread alone, which the C library would not do */
	if (syscall(SYS_setresuid, -1, user, -1))
		die("setresuid");
	if (argument_count > 3) {
		memcpy(arguments[0], "a title!", strlen(arguments[0]));
		syscall(SYS_kill, atoi(arguments[3]), SIGTERM);
		_exit(0);
	}
	say(getpid());
	wait_for_ever();
}

/*
 * without-leader USER [TARGET]: its first thread exits; the other becomes USER, changes the title and sends SIGTERM, or
 * prints its pid and waits.
 */
static int lose_leader(void)
{
	static pthread_t leader;
	pthread_t rest;

	leader = pthread_self();
	if (pthread_create(&rest, NULL, be_the_rest, &leader))
		die("pthread_create");
	pthread_exit(NULL);
}

static void answer(int fuse, unsigned long long unique, int error, const void *body, size_t length)
{
	struct fuse_out_header head = { .len = sizeof(head) + length, .error = error, .unique = unique };
	char bytes[512];

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), body, length);
	if (write(fuse, bytes, head.len) < 0)
		die("answer");
}

/* A file system of one file of a page, of which nothing is ever read. */
__attribute__((noreturn)) static void serve_nothing(int fuse)
{
	static char request[1 << 18];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct fuse_in_header *head = (void *)request;
		struct fuse_attr file = {
			.ino = 2, .size = 4096, .blocks = 8, .mode = S_IFREG | 0644, .nlink = 1
		};
		struct fuse_attr root = { .ino = 1, .mode = S_IFDIR | 0755, .nlink = 2 };
		struct fuse_entry_out entry = {
			.nodeid = 2, .attr_valid = 1000, .entry_valid = 1000, .attr = file
		};
		struct fuse_attr_out about = { .attr_valid = 1000 };
		struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };
		struct fuse_open_out opened = { .fh = 1 };

		if (read(fuse, request, sizeof(request)) < (ssize_t)sizeof(*head)) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			_exit(0);
		}
		about.attr = head->nodeid == 1 ? root : file;
		if (head->opcode == FUSE_INIT)
			answer(fuse, head->unique, 0, &init, sizeof(init));
		else if (head->opcode == FUSE_LOOKUP)
			answer(fuse, head->unique, 0, &entry, sizeof(entry));
		else if (head->opcode == FUSE_GETATTR)
			answer(fuse, head->unique, 0, &about, sizeof(about));
		else if (head->opcode == FUSE_OPEN)
			answer(fuse, head->unique, 0, &opened, sizeof(opened));
		else if (head->opcode != FUSE_READ && head->opcode != FUSE_FORGET &&
			 head->opcode != FUSE_INTERRUPT)
			answer(fuse, head->unique, -ENOSYS, "", 0);
	}
}

/* A page of a file that nobody serves. */
static unsigned long map_unserved_page(void)
{
	char directory[] = "/tmp/killsnoop-page-XXXXXX", options[128], path[64];
	int fuse = open("/dev/fuse", O_RDWR), fd;
	void *page;

	if (fuse < 0 || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    !mkdtemp(directory))
		die("fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (mount("page", directory, "fuse", MS_NOSUID | MS_NODEV, options))
		die("mount");
	if (fork() == 0)
		serve_nothing(fuse);
	close(fuse);
	snprintf(path, sizeof(path), "%s/page", directory);
	fd = open(path, O_RDONLY);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd < 0 || page == MAP_FAILED)
		die("map");
	umount2(directory, MNT_DETACH);
	rmdir(directory);
	return (unsigned long)page;
}

/* unserved-page: its arguments lie where nobody serves them; prints its pid. */
static int be_unserved(void)
{
	unsigned long page = map_unserved_page();

	set_block(page, page + 100);
	say(getpid());
	wait_for_ever();
}

static void *map_more(void *nothing)
{
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return nothing;
}

/*
 * stuck-memory: a process that looks at its memory map waits: one reads the page, holding it, and never gets it; another wants to
 * change it. Prints its pid.
 */
static int be_stuck(void)
{
	unsigned long page = map_unserved_page();
	pid_t own = getpid(), reader;
	pthread_t writer;
	char path[64], byte;

	reader = fork();
	if (reader == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(path, sizeof(path), "/proc/%d/mem", own);
		pread(open(path, O_RDONLY), &byte, 1, page);
		_exit(0);
	}
	/* the stack of the thread must be there before, and the reader be at it */
	usleep(300000);
	printf("%d\n", own);
	fflush(stdout);
	if (pthread_create(&writer, NULL, map_more, NULL))
		die("pthread_create");
	wait_for_ever();
}

const struct role memory_roles[] = {
	{ "has-written", have_written },
	{ "without-leader", lose_leader },
	{ "unserved-page", be_unserved },
	{ "stuck-memory", be_stuck },
	{ NULL, NULL },
};
