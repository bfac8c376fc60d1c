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
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGTSTP are blocked from then on and seen
 * by screen_wait(). Return: false, with errno, when that failed.
 */
bool screen_open(void);

/* screen_close() - give the terminal back as it was; may be called twice */
void screen_close(void);

/* screen_stop() - give the terminal back, and stop until somebody continues */
void screen_stop(void);

/* screen_rows() - the number of lines that can be seen */
unsigned int screen_rows(void);

/* screen_draw() - show @text, of which what does not fit is not seen */
void screen_draw(const char *text);

/* What a wait has ended with. */
enum screen_event {
	SCREEN_TIMEOUT,		/* the time has passed, or a key was pressed */
	SCREEN_RESIZED,		/* the screen must be drawn anew */
	SCREEN_STOP,		/* Ctrl-Z: call screen_stop() */
	SCREEN_QUIT,		/* the user, or a signal, wants to leave */
};

/*
 * screen_wait() - wait for an event
 * @ns: for so many nanoseconds at most
 */
enum screen_event screen_wait(int64_t ns);

#endif /* SCREEN_H */
