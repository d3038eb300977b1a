// SPDX-License-Identifier: MIT
/*
 * What an authenticated peer can send: the first payload's type, then the chain that was inside SK.
 */
#include "fuzz/interpret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		interpret_chain(data[0], ike_bytes(data + 1, size - 1));
	return 0;
}
