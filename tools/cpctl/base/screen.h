/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal as a screen that is drawn again and again. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/* screen_possible() - is stdout a terminal on which one can draw? */
bool screen_possible(void);

/*
 * screen_open() - switch to the alternate screen
 *
 * SIGQUIT and SIGTSTP are blocked from then on; screen_wait() returns them, and the
 * signals of interrupt_catch(), as events. Return: false, with errno, when that
 * failed.
 */
bool screen_open(void);

/* screen_close() - give the terminal back as it was; may be called twice */
void screen_close(void);

/* screen_stop() - give the terminal back, and stop until somebody continues */
void screen_stop(void);

/* screen_rows() - the number of lines that can be seen */
unsigned int screen_rows(void);

/* screen_columns() - the width of a line */
unsigned int screen_columns(void);

/*
 * screen_draw() - show @text
 *
 * Lines that are too long are broken. What is below the last line is not seen.
 */
void screen_draw(const char *text);

/* What a wait has ended with. */
enum screen_event {
	SCREEN_TIMEOUT,		/* the time has passed, or a key was pressed */
	SCREEN_RESIZED,		/* the screen must be drawn again */
	SCREEN_STOP,		/* Ctrl-Z: call screen_stop() */
	SCREEN_QUIT,		/* the user, or a signal, wants to leave */
};

/*
 * screen_wait() - wait for an event
 * @ns: at most this many nanoseconds
 */
enum screen_event screen_wait(int64_t ns);

#endif /* SCREEN_H */
