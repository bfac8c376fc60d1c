/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal as a screen that is redrawn repeatedly. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/* screen_possible() - is stdout a terminal that supports cursor movement? */
bool screen_possible(void);

/*
 * screen_open() - switch to the alternate screen
 *
 * From then on, SIGQUIT and SIGTSTP are blocked; screen_wait() reports them, and the
 * signals of interrupt_catch(), as events. Return: false with errno on failure.
 */
bool screen_open(void);

/* screen_close() - restore the terminal; may be called twice */
void screen_close(void);

/* screen_stop() - restore the terminal, and stop cpctl until SIGCONT */
void screen_stop(void);

/* screen_rows() - the number of visible lines */
unsigned int screen_rows(void);

/* screen_columns() - the width of a line */
unsigned int screen_columns(void);

/*
 * screen_draw() - show @text
 *
 * Lines that are too long are broken. Text below the last visible line is cut off.
 */
void screen_draw(const char *text);

/* enum screen_event - the result of screen_wait() */
enum screen_event {
	SCREEN_TIMEOUT,		/* the time has passed, or another key was pressed */
	SCREEN_RESIZED,		/* the screen must be drawn again */
	SCREEN_STOP,		/* Ctrl-Z: call screen_stop() */
	SCREEN_QUIT,		/* a key, a signal or a hang-up ends the verb */
};

/*
 * screen_wait() - wait for an event
 * @ns: the time limit in nanoseconds
 */
enum screen_event screen_wait(int64_t ns);

#endif /* SCREEN_H */
