// SPDX-License-Identifier: MIT
/*
 * What to look at when packets are dropped.
 *
 * Not in the module beside name and meaning: a meaning says what the packet path saw and is right
 * for as long as that code; advice names commands, options and files of user space, changes with
 * them, and need not cross netlink with each counter. cli_test.c holds this list against the one
 * in kernel/drop.h.
 */
#include <stddef.h>
#include <string.h>

#include "advice.h"

static const struct {
	const char *reason, *advice;
} list[] = {
	{ "RUNT",
	  "who sends it, does something on the way cut packets: tcpdump -n esp or udp port 4500" },
	{ "NO_SA",
	  "the peer uses an SA that is gone here: compare SPIs with esplane sa, rekey at the peer" },
	{ "CHECKSUM",
	  "something on the way damages packets: ethtool -S DEVICE; try ethtool -K DEVICE rx off" },
	{ "REPLAY",
	  "few: the network duplicates packets; many: someone replays, or the peer counts anew" },
	{ "REPLAY_WINDOW",
	  "the network reorders by more than the window: raise replay_window; look for queues" },
	{ "AUTH",
	  "keys differ or packets are altered: compare cipher and ESN at both ends, then rekey" },
	{ "PADDING",
	  "authentic, so the peer made it: tell its makers; trace event esplane:drop has the SPI" },
	{ "NEXT_HEADER",
	  "the peer sends another mode or family than negotiated: compare with esplane sa" },
	{ "DUMMY",
	  "nothing: the peer hides how much it sends, and dummies are made for that" },
	{ "INNER_HEADER",
	  "authentic, so the peer let a broken packet into its tunnel: capture there, in the clear" },
	{ "SELECTOR",
	  "the peer sends more than negotiated: compare its policies with traffic in esplane sa" },
	{ "POLICY_IN",
	  "a sender has no tunnel for it: bring that up; if it may be clear, add a bypass policy" },
	{ "DISCARD",
	  "wanted so: esplane policy shows which policy counts packets" },
	{ "NO_OUT_SA",
	  "the tunnel is not up: esplane status, esplane initiate; the log of esplaned says why" },
	{ "HOLD_EXPIRED",
	  "the tunnel did not come up in time: the log of esplaned says why" },
	{ "NO_POLICY",
	  "on an interface: a route leads in more than its policies cover; else the default discards" },
	{ "HARD_LIMIT",
	  "rekeying came too late: rekey_time, rekey_bytes must be well below life_time, life_bytes" },
	{ "SEQ_EXHAUSTED",
	  "rekeying came too late: the log of esplaned; extended sequence numbers last longer" },
	{ "NO_ROUTE",
	  "ip route get PEER, with the outer addresses in esplane sa; is the interface to it up?" },
	{ "ROUTE_LOOP",
	  "ip route get PEER names an esplane interface: give the peer a route outside the tunnel" },
	{ "TOO_BIG",
	  "few: senders learn the MTU; if transfers hang, a firewall keeps ICMP from them" },
	{ "CRYPTO",
	  "the driver that esplane sa names: dmesg, /proc/crypto; if asynchronous, a full queue" },
	{ "NO_MEMORY",
	  "free, dmesg; a higher vm.min_free_kbytes keeps more for bursts" },
	{ "SEGMENT",
	  "which device or guest made the super-packet: try ethtool -K DEVICE gro off tso off" },
	{ "ECN",
	  "something on the way marks packets that know no ECN: tcpdump -v shows the outer TOS" },
	{ "DEV_DOWN",
	  "ip link show type esplane; ip link set DEVICE up" },
	{ "BACKLOG",
	  "this CPU cannot keep up: sysctl net.core.netdev_max_backlog; spread flows over queues" },
	{ "CONNTRACK",
	  "its table or a hash chain is full: conntrack -S; sysctl net.netfilter.nf_conntrack_buckets" },
	{ "FAMILY",
	  "a route leads packets in that the SA cannot carry: ip -6 route, ip route, esplane sa" },
	{ "TRANSPORT_ADDRESS",
	  "transport mode is for packets from the SA's source to its destination: esplane policy" },
	{ "TRANSPORT_FRAGMENT",
	  "who sends fragments, ip -s -s link; give hosts behind this one a tunnel, not transport mode" },
	{ "KEEPALIVE_RUNT",
	  "something that is not IPsec sends to this UDP port: tcpdump -n udp port 4500" },
};

const char *advice_for(const char *reason)
{
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!strcmp(list[i].reason, reason))
			return list[i].advice;
	return NULL;
}
