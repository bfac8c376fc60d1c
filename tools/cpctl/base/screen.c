// SPDX-License-Identifier: GPL-2.0-only
/* The terminal as a screen that is redrawn repeatedly. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "screen.h"
#include "width.h"

/* The indentation of the second and later parts of a broken line. */
#define INDENT 4

/* The alternate screen without cursor and line wrapping; and the way back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

static int signals = -1;
static bool keys;
static struct termios saved;
static volatile sig_atomic_t entered;

/*
 * write() blocks if the user has pressed Ctrl-S, or if the master of a
 * pseudo-terminal does not read. A signal of interrupt.h interrupts write(), and
 * put() then drops the rest.
 */
static void put(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno == EINTR && !interrupted())
			continue;
		if (n < 0)
			break;
		text += n;
		len -= (size_t)n;
	}
}

/*
 * Undoes Ctrl-S, as Ctrl-C does, so that screen_close() can restore the terminal.
 * TCOOFF comes first because TCOON resumes only output that TCOOFF has stopped.
 */
static void resume_output(void)
{
	if (tcgetpgrp(STDOUT_FILENO) != getpgrp())
		return;
	tcflow(STDOUT_FILENO, TCOOFF);
	tcflow(STDOUT_FILENO, TCOON);
}

static void enter(void)
{
	struct termios raw = saved;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	entered = 1;
	put(ENTER);
}

/* Also called from a handler of a crash: only async-signal-safe functions here. */
void screen_close(void)
{
	if (!entered)
		return;
	entered = 0;
	if (interrupted())
		resume_output();
	put(LEAVE);
	/* TCSADRAIN may block, too; a signal of interrupt.h ends that. */
	if (keys && tcsetattr(STDIN_FILENO, TCSADRAIN, &saved))
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static void crashed(int sig)
{
	screen_close();
	raise(sig);
}

static void catch_crashes(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
				       SIGABRT };
	struct sigaction action = {
		.sa_handler = crashed,
		.sa_flags = SA_RESETHAND,
	};
	size_t i;

	for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

static bool open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return false;
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals >= 0;
}

bool screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

bool screen_open(void)
{
	if (!open_signals())
		return false;
	interrupt_catch(NULL);
	keys = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &saved);
	atexit(screen_close);
	catch_crashes();
	enter();
	return true;
}

void screen_stop(void)
{
	screen_close();
	raise(SIGSTOP);
	enter();
}

unsigned int screen_rows(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		return 24;
	return size.ws_row;
}

unsigned int screen_columns(void)
{
	unsigned int columns = width_of(stdout);

	return columns ? columns : 80;
}

/* Breaks lines that are too long. Returns NULL without memory, else a text to free. */
static char *fold(const char *text)
{
	unsigned int columns = screen_columns();
	char *folded = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&folded, &size);

	if (!out)
		return NULL;
	while (*text) {
		size_t len = strcspn(text, "\n");

		width_fold(out, text, len, columns, INDENT);
		text += len;
		if (*text)
			fputc(*text++, out);
	}
	fclose(out);
	return folded;
}

/* @text: lines that fit, from fold() */
static void draw(const char *text)
{
	unsigned int rows = screen_rows();
	char *drawing = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&drawing, &size);

	if (!out)
		return;
	fputs("\033[H", out);
	do {
		size_t len = strcspn(text, "\n");
		const char *next = text + len + (text[len] == '\n');
		/* A newline on the last line would scroll. */
		bool last = !--rows || !*next;

		/*
		 * Erase the line, or the rest of the screen, before the text: after a
		 * line as wide as the screen, the cursor is on its last character.
		 */
		fprintf(out, "\033[%c%.*s%s", last ? 'J' : 'K', (int)len, text,
			last ? "" : "\r\n");
		text = next;
	} while (rows && *text);
	fclose(out);
	/* One write for the whole screen avoids flickering. */
	if (drawing)
		put(drawing);
	free(drawing);
}

void screen_draw(const char *text)
{
	char *folded = fold(text);

	if (folded)
		draw(folded);
	free(folded);
}

static enum screen_event read_signal(void)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_TIMEOUT;
	if (info.ssi_signo == SIGTSTP)
		return SCREEN_STOP;
	return info.ssi_signo == SIGWINCH ? SCREEN_RESIZED : SCREEN_QUIT;
}

static enum screen_event read_key(void)
{
	char key;

	/* End of file or an error: the terminal is gone. */
	if (read(STDIN_FILENO, &key, 1) != 1)
		return SCREEN_QUIT;
	return key == 'q' || key == 'Q' ? SCREEN_QUIT : SCREEN_TIMEOUT;
}

enum screen_event screen_wait(int64_t ns)
{
	struct pollfd files[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	struct timespec timeout = {
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_nsec = ns % NSEC_PER_SEC,
	};
	enum screen_event event = SCREEN_TIMEOUT;
	int ready = interrupt_poll_until(files, 2, &timeout);

	if (interrupted())
		return SCREEN_QUIT;
	if (ready <= 0)
		return SCREEN_TIMEOUT;
	if (files[0].revents)
		event = read_signal();
	if (event == SCREEN_TIMEOUT && files[1].revents)
		event = read_key();
	return event;
}
