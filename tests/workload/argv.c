// SPDX-License-Identifier: MIT OR Apache-2.0
/* Processes that do things to their own command line, or to the memory that holds it. */
#include "workload.h"

#include <linux/prctl.h>
#include <sys/auxv.h>

static char *block_start(void)
{
	return arguments[0];
}

static char *block_end(void)
{
	char *last = arguments[argument_count - 1];

	return last + strlen(last) + 1;
}

__attribute__((noreturn)) static void say_ready_and_wait(void)
{
	printf("ready\n");
	fflush(stdout);
	wait_for_ever();
}

/* rename COMM: gives itself another comm. */
static int rename_itself(void)
{
	prctl(PR_SET_NAME, arguments[2]);
	say_ready_and_wait();
}

/* retitle TITLE TARGET: writes TITLE over its own argument block, then sends SIGTERM. */
static int retitle(void)
{
	char title[256];
	pid_t target = atoi(arguments[3]);

	snprintf(title, sizeof(title), "%s", arguments[2]);
	memset(block_start(), 0, block_end() - block_start());
	strncpy(block_start(), title, block_end() - block_start() - 1);
	return kill(target, SIGTERM) ? 71 : 0;
}

/* retitle-long TITLE TARGET: as setproctitle does, TITLE goes on over the environment; then it sends SIGTERM. */
static int retitle_long(void)
{
	char *title = strdup(arguments[2]);
	pid_t target = atoi(arguments[3]);
	size_t room = block_end() - block_start();

	/* three times the title, so that it spills */
	for (size_t at = 0; at < room + 40; at++)
		block_start()[at] = title[at % strlen(title)];
	block_start()[room + 40] = 0;
	return kill(target, SIGTERM) ? 71 : 0;
}

void set_block(unsigned long start, unsigned long end)
{
	struct prctl_mm_map map = { 0 };
	unsigned long long numbers[60] = { 0 };
	char text[4096], *at;
	int fd = open("/proc/self/stat", O_RDONLY), length = read(fd, text, sizeof(text) - 1), field = 3;

	close(fd);
	text[length > 0 ? length : 0] = 0;
	for (at = strtok(strrchr(text, ')') + 4, " "); at && field < 59; at = strtok(NULL, " "))
		numbers[++field] = strtoull(at, NULL, 10);
	map.start_code = numbers[26];
	map.end_code = numbers[27];
	map.start_stack = numbers[28];
	map.start_data = numbers[45];
	map.end_data = numbers[46];
	map.start_brk = numbers[47];
	map.brk = (unsigned long)sbrk(0);
	map.arg_start = start;
	map.arg_end = end;
	map.env_start = numbers[50];
	map.env_end = numbers[51];
	map.exe_fd = -1;
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0))
		die("PR_SET_MM_MAP");
}

/* move-block [TARGET]: makes the kernel believe that its arguments lie elsewhere; sends SIGTERM, or waits for it. */
static int move_block(void)
{
	static char elsewhere[] = "nobody\0looks\0here";

	set_block((unsigned long)elsewhere, (unsigned long)elsewhere + sizeof(elsewhere));
	if (argument_count > 2)
		return kill(atoi(arguments[2]), SIGTERM) ? 71 : 0;
	say_ready_and_wait();
}

/*
 * hide-block-once TARGET: signals three times (SIGURG). For the second its arguments lie where all but the last page
 * cannot be read, for the third where they were.
 */
static int hide_block_once(void)
{
	unsigned long page = sysconf(_SC_PAGESIZE), start = (unsigned long)block_start();
	unsigned long end = start, hidden;
	pid_t target = atoi(arguments[2]);
	long result;

	for (int i = 0; i < argument_count; i++)
		end += strlen(arguments[i]) + 1;
	hidden = (unsigned long)mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				     0);
	((volatile char *)hidden)[page] = 0;
	if (mprotect((void *)hidden, page, PROT_NONE))
		die("mprotect");
	result = kill(target, SIGURG);
	set_block(hidden, hidden + 2 * page);
	result |= kill(target, SIGURG);
	set_block(start, end);
	result |= kill(target, SIGURG);
	return result ? 71 : 0;
}

/* unmap-block TARGET: unmaps the memory that holds its arguments, then sends SIGTERM. */
static int unmap_block(void)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	unsigned long start = (unsigned long)block_start() & ~(page - 1);
	pid_t target = atoi(arguments[2]);
	/* this frame must not lie in the pages that go */
	volatile char *room = __builtin_alloca(16 * page);
	long result;

	room[0] = 1;
	if (syscall(SYS_munmap, start, page))
		_exit(70);
	result = syscall(SYS_kill, target, SIGTERM);
	_exit(result ? 71 : 0);
}

/* hide-block TARGET FILLER: makes the beginning of its arguments unreadable, and signals three times (SIGURG). */
static int hide_block(void)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	unsigned long start = (unsigned long)block_start() & ~(page - 1);
	pid_t target = atoi(arguments[2]);
	/* this frame must not lie in the page that goes */
	volatile char *room = __builtin_alloca(16 * page);
	long result = 0;

	room[0] = 1;
	if (syscall(SYS_mprotect, start, page, 0))
		_exit(70);
	for (int i = 0; i < 3; i++)
		result |= syscall(SYS_kill, target, SIGURG);
	_exit(result ? 71 : 0);
}

/* no-arguments: execs itself with argc = 0. */
static int exec_without_arguments(void)
{
	char *argv[] = { NULL };

	run(argv);
	return 0;
}

/* vfork-wait: waits in vfork for a child that waits for ever; prints its own pid first. */
static int wait_in_vfork(void)
{
	printf("%d\n", getpid());
	fflush(stdout);
	if (vfork() == 0) {
		/* whatever becomes of the test */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return 0;
}

const struct role argv_roles[] = {
	{ "rename", rename_itself },
	{ "retitle", retitle },
	{ "retitle-long", retitle_long },
	{ "move-block", move_block },
	{ "unmap-block", unmap_block },
	{ "hide-block", hide_block },
	{ "hide-block-once", hide_block_once },
	{ "no-arguments", exec_without_arguments },
	{ "vfork-wait", wait_in_vfork },
	{ NULL, NULL },
};
