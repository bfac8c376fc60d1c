// SPDX-License-Identifier: GPL-2.0-only
/* Debug files from a debuginfod server. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "debuginfod.h"
#include "message.h"
#include "wire.h"

/* The time limit for one file. */
#define DEBUGINFOD_SECONDS 30

#define LIBRARY "libdebuginfod.so.1"

/* The types of the functions in elfutils/debuginfod.h. */
typedef void *(*begin_fn)(void);
typedef int (*find_fn)(void *client, const unsigned char *id, int size,
		       char **path);

/* Asks the servers of DEBUGINFOD_URLS. Returns a descriptor. */
static int ask_servers(const void *id, size_t size)
{
	void *library = dlopen(LIBRARY, RTLD_NOW);
	begin_fn begin;
	find_fn find;
	void *client;

	if (!library)
		return -1;
	begin = (begin_fn)dlsym(library, "debuginfod_begin");
	find = (find_fn)dlsym(library, "debuginfod_find_debuginfo");
	client = begin && find ? begin() : NULL;
	return client ? find(client, id, (int)size, NULL) : -1;
}

/* Waits for the descriptor from the child process that fetches the file. */
static int wait_for(int socket, bool *late)
{
	struct wire_message message;
	int fd;

	if (!wire_receive(socket, &message, DEBUGINFOD_SECONDS * 1000)) {
		*late = true;
		return -1;
	}
	fd = message.fd;
	message.fd = -1;
	wire_free(&message);
	return fd;
}

static void fetch(int socket, const void *id, size_t size)
{
	struct wire_message message = { .type = WIRE_DONE };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	/* The library must not get other descriptors, such as the slave's memory. */
	if (socket > 3)
		close_range(3, (unsigned int)socket - 1, 0);
	close_range((unsigned int)socket + 1, ~0U, 0);
	message.fd = ask_servers(id, size);
	wire_send(socket, &message);
	_exit(0);
}

int debuginfod_find(const void *id, size_t size)
{
	static bool late;
	int sockets[2], fd = -1;
	pid_t pid;

	if (late || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -1;
	pid = fork();
	if (!pid)
		fetch(sockets[1], id, size);
	close(sockets[1]);
	if (pid > 0) {
		fd = wait_for(sockets[0], &late);
		if (late)
			warnx("the servers of DEBUGINFOD_URLS do not answer: they are not asked again");
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(sockets[0]);
	return fd;
}
