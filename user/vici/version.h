/* SPDX-License-Identifier: MIT */
/* The version that esplaned and esplane call themselves. */
#ifndef ESPLANE_VERSION_H
#define ESPLANE_VERSION_H

#define ESPLANE_VERSION "0.1"

#endif
