// SPDX-License-Identifier: MIT
/* esplane: the command line of esplaned. All else is in arguments.c and the subcommands. */
#include "command.h"

int main(int argc, char **argv)
{
	return esplane_main(argc, argv);
}
