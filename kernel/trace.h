/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoint esplane:drop: every packet that the module drops, and why. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM esplane

#if !defined(_ESPLANE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _ESPLANE_TRACE_H

#include <linux/in6.h>
#include <linux/tracepoint.h>

#include "drop.h"

#ifndef ESPLANE_DROP_SYMBOLS
#define ESPLANE_DROP_NUMBER(name, meaning) TRACE_DEFINE_ENUM(ESPLANE_DROP_##name);
#define ESPLANE_DROP_SYMBOL(name, meaning) { ESPLANE_DROP_##name, #name ": " meaning },
#define ESPLANE_DROP_SYMBOLS							\
	ESPLANE_DROP_REASONS(ESPLANE_DROP_SYMBOL) { ESPLANE_DROP_COUNT, "?" }
#endif

ESPLANE_DROP_REASONS(ESPLANE_DROP_NUMBER)

/* Addresses as struct sockaddr, which tells the family; 0.0.0.0 if there is none. */
TRACE_EVENT(drop,
	TP_PROTO(enum esplane_drop_reason reason, __be32 spi, u32 seq,
		 const struct sockaddr_in6 *source, const struct sockaddr_in6 *target,
		 unsigned int packets),
	TP_ARGS(reason, spi, seq, source, target, packets),
	TP_STRUCT__entry(
		__field(u32, reason)
		__field(u32, spi)
		__field(u32, seq)
		__field(u32, packets)
		__array(u8, source, sizeof(struct sockaddr_in6))
		__array(u8, target, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->reason = reason;
		__entry->spi = be32_to_cpu(spi);
		__entry->seq = seq;
		__entry->packets = packets;
		memcpy(__entry->source, source, sizeof(*source));
		memcpy(__entry->target, target, sizeof(*target));
	),
	TP_printk("%s spi=0x%08x seq=%u %pISc -> %pISc packets=%u",
		  __print_symbolic(__entry->reason, ESPLANE_DROP_SYMBOLS),
		  __entry->spi, __entry->seq, __entry->source, __entry->target, __entry->packets)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
