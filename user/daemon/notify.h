/* SPDX-License-Identifier: MIT */
/* sd_notify(3)'s protocol: tells the service manager how far we are. */
#ifndef ESPLANE_NOTIFY_H
#define ESPLANE_NOTIFY_H

/* Opened before the filters come down; returns -1 without a service manager. */
int notify_open(void);
/* @state: "READY=1"; @fd -1: does nothing. */
void notify(int fd, const char *state);

#endif
