# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the data plane tests share: keys, SAs and policies on both kinds of end, counters, UDP streams.
# Source it first of all; it brings ktap.sh and net.sh along.
#
#	host_behind			h at 10.1.0.2, whose gateway is a
#	two_hosts			net_direct, without IPv6, whose chatter would be counted as drops
#
# A tunnel joins the inner networks of a and b; its SAs are named by direction:
#	SPI_AB KEY_AB		packets from a to b
#	SPI_BA KEY_BA		packets from b to a
# What varies is in variables that a test sets before it calls the functions below:
#	ENCR=WORD INTEG=WORD	transforms, in espctl's words; INTEG empty with an AEAD
#	SALT_LEN=N INTEG_LEN=N	bytes behind the key that they have
#	XFRM=(WORD...)		the same in the words of ip xfrm state; KEY stands for ENCR's key and
#				salt, INTEG_KEY for the other
#	BITS=0|128|192|256	length of the keys
#	ESN=0|1			extended sequence numbers
#	UDP=0|1			ESP in UDP port 4500, or native
#	MODE=policy|route	how an esplane end gets its packets
#	ENCAP_GRO=gro|		whether an xfrm end's socket joins packets
#	XFRM_IF_ID=N|		of xfrm's SAs and policies, for an xfrm interface
#	XFRM_ICMP=icmp|		whether xfrm takes ICMP errors along for what they quote
#
#	new_keys			sets KEY_AB and KEY_BA to BITS bits, their salt, the key of INTEG
#	esplane_end NS a|b [WORD...]	gives NS the SAs and policies of this end; WORDs go to both SAs;
#					sets SA_IN_x SA_OUT_x POLICY_IN_x POLICY_OUT_x
#	xfrm_end NS a|b			the same in the kernel's own IPsec
#	inner_route NS a|b [DEV]	how inner packets leave without an esplane interface
#	clear_end NS			takes all of both kinds away
#
#	esp NS COMMAND...		espctl in a namespace
#	sa_get NS ID FIELD		one number or word of an SA
#	counter NS NAME			a counter of the namespace, or its drops by reason
#	drops NS			packets dropped in the namespace, whatever the reason
#	read_stats NS			reads all counters at once into $STATS, for
#	in_stats NAME			one of them, and
#	drops_in_stats			the sum of the drops
#	policy_get NS ID FIELD
#	async_driver			SAs made from now on have a driver that always completes later, until
#	usual_driver
#	more NAME NS REASON WANT COMMAND...	a result: the counter rises by WANT while COMMAND runs
#
#	events NS [WORD...]		starts a monitor, with these words; its JSON lines go to $EVENTS
#	event_count FILTER		how many lines of $EVENTS match this jq condition
#	event_is FILTER			true if there is one
#
#	worker NS			a process there that the following ask:
#	ask NS REQUEST...		prints its answer, see worker.py; false if that failed
#	receiver NS ADDR PORT COUNT	listens for a stream of numbered packets
#	sender NS ADDR PORT COUNT RATE [SIZE [OPTIONS]]	sends one; returns when all is sent; see stream.py
#	streams_start			one each way, of RATE packets a second, until
#	streams_stop			ends them; prints how many were sent, sets LOST, "0 0" at best
#	received			waits for COUNT different packets and prints how many came

# The scripts that source this set and read variables of it.
# shellcheck disable=SC2034,SC2154
NET_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:$NET_DIR:$NET_DIR/../../build/net
. "$NET_DIR/../lib/ktap.sh"
. "$NET_DIR/../lib/net.sh"

ENCAP_PORT=4500
SPI_AB=0x1000
SPI_BA=0x2000
IF_ID=7
ENCR=aes-gcm-16 INTEG=''
SALT_LEN=4 INTEG_LEN=0	# RFC 4106
XFRM=(aead 'rfc4106(gcm(aes))' KEY 128)
BITS=128
ESN=0
UDP=0
MODE=policy
ENCAP_GRO=
XFRM_ICMP=
XFRM_IF_ID=
ENDLESS=1000000
declare -A encap_sockets worker_in worker_out worker_pid

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
need_command espctl jq python3
need_module esplane

two_hosts() {
	local end
	without_ipv6=1
	net_direct || ktap_skip_all "cannot make namespaces"
	for end in "$a" "$b"; do
		ns "$end" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
}

host_behind() {
	ns_add h &&
	veth "$h" eth0 10.1.0.2/24 "$a" eth1 10.1.0.254/24 &&
	ip -n "$h" route add default via 10.1.0.254 &&
	ip -n "$a" route replace 10.1.0.2 dev eth1 &&
	ns "$a" sysctl -qw net.ipv4.ip_forward=1
}

# keymat NAME: the same name always gives the same bytes, as many as any transform takes.
keymat() {
	local all
	all=$(sha512sum <<<"esplane $1")
	echo "${all%% *}${all%% *}"
}
keymat_ab=$(keymat ab) keymat_ba=$(keymat ba)

# make_key BITS NAME
make_key() {
	local all
	all=$(keymat "$2")
	echo "${all:0:2 * ($1 / 8 + SALT_LEN + INTEG_LEN)}"
}

new_keys() {
	local digits=$((2 * (BITS / 8 + SALT_LEN + INTEG_LEN)))
	KEY_AB=${keymat_ab:0:digits}
	KEY_BA=${keymat_ba:0:digits}
}
new_keys

esp() { espctl --netns "$@"; }

sa_get() { esp "$1" sa-list "id=$2" "get=$3"; }
policy_get() { esp "$1" policy-list "id=$2" "get=$3"; }
counter() { esp "$1" stats "get=$2"; }
drops() { sum_of_map "$(esp "$1" stats get=drops)"; }

# pcrypt puts the work on other CPUs. (cryptd would do too, but fails the kernel's own tests on some 6.1.)
# What it wraps must be synchronous itself, which the SIMD drivers are not on every kernel: so plain C,
# whose drivers are called lib since 7.x.
OVERRIDE=/sys/module/esplane/parameters/aead_override
async_driver() {
	local plain id
	[ -w $OVERRIDE ] || return 1
	modprobe -q pcrypt
	at_exit usual_driver
	for plain in generic lib; do
		echo "pcrypt(rfc4106(gcm_base(ctr(aes-$plain),ghash-$plain)))" >$OVERRIDE
		id=$(esp "$a" sa-add direction=out spi=0xffff src=192.0.2.1 dst=192.0.2.2 \
			"key=$(make_key 128 async)") || continue
		sa_get "$a" "$id" driver | grep -q pcrypt && esp "$a" sa-del "id=$id" && return 0
	done
	usual_driver
	return 1
}
usual_driver() { echo >$OVERRIDE; }

read_stats() { STATS=" $(esp "$1" stats)"; }

in_stats() { [[ "$STATS" =~ [\ \{,]${1//-/_}[=:]([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0; }

drops_in_stats() { [[ "$STATS" =~ drops=(\{[^\}]*\}) ]] && sum_of_map "${BASH_REMATCH[1]}"; }

# sum_of_map "{NAME:N,NAME:N}"; an empty or missing one is 0.
sum_of_map() {
	local text=${1#\{} sum=0 entry
	for entry in ${text//,/ }; do
		entry=${entry#*:}
		entry=${entry%\}}
		sum=$((sum + ${entry:-0}))
	done
	echo $sum
}

more() {
	local name=$1 end=$2 reason=$3 want=$4 before
	shift 4
	before=$(counter "$end" "$reason")
	"$@" >/dev/null 2>&1
	ktap_equal "$name" $(($(counter "$end" "$reason") - before)) "$want"
}

# end_of a|b: names of this end, for the functions below.
end_of() {
	case $1 in
	a)
		local_outer=$OUTER_A remote_outer=$OUTER_B local_net=$NET_A remote_net=$NET_B
		local_inner=$INNER_A spi_out=$SPI_AB key_out=$KEY_AB spi_in=$SPI_BA key_in=$KEY_BA ;;
	b)
		local_outer=$OUTER_B remote_outer=$OUTER_A local_net=$NET_B remote_net=$NET_A
		local_inner=$INNER_B spi_out=$SPI_BA key_out=$KEY_BA spi_in=$SPI_AB key_in=$KEY_AB ;;
	esac
}

# any_of ADDR: the address of its family that stands for all; set_any sets any to it.
any_of() {
	local any
	set_any "$1"
	echo $any
}

set_any() {
	any=0.0.0.0
	[[ "$1" != *:* ]] || any=::
}

# Sets any to what a socket of ESP-in-UDP is to be bound to: to all addresses, or with BIND=own to this one.
socket_address() {
	set_any "$1"
	[ "${BIND:-any}" = any ] || any=$1
}

# Of the link and routes of an end in route mode: two calls of ip in one.
route_end() {
	ip -n "$1" -batch - <<-EOC
	link set ipsec0 up
	route replace $2 dev ipsec0 src $3
	EOC
}

# All in one espctl: each process that starts takes its time under emulation.
esplane_end() {
	local name=$1 end=$2 words="encr=$ENCR${INTEG:+ integ=$INTEG}" ids id="" any lines=""
	local local_outer remote_outer local_net remote_net local_inner spi_out key_out spi_in key_in
	shift 2
	end_of "$end"
	if [ $UDP = 1 ]; then
		words+=" encap=$ENCAP_PORT:$ENCAP_PORT"
		socket_address $local_outer
		lines+="encap-add port=$ENCAP_PORT address=$any"$'\n'
	fi
	[ $ESN = 0 ] || words+=" esn=1"
	if [ $MODE = route ]; then
		id=if_id=$IF_ID
		words+=" $id"
		lines+="link-add ipsec0 $id"$'\n'
	fi
	words+=" $*"
	ids=$(esp "$name" - <<-EOC
	${lines}sa-add direction=in spi=$spi_in src=$remote_outer dst=$local_outer key=$key_in selector=$remote_net,$local_net $words
	policy-set direction=in action=protect priority=100 selector=$remote_net,$local_net $id
	sa-add direction=out spi=$spi_out src=$local_outer dst=$remote_outer key=$key_out $words
	policy-set direction=out action=protect priority=100 selector=$local_net,$remote_net sa_id=last $id
	EOC
	) || return 1
	# shellcheck disable=SC2086
	set -- $ids
	[ $UDP = 0 ] || shift	# encap-add prints the port
	printf -v "SA_IN_$end" %s "$1"
	printf -v "POLICY_IN_$end" %s "$2"
	printf -v "SA_OUT_$end" %s "$3"
	printf -v "POLICY_OUT_$end" %s "$4"
	[ $MODE != route ] || route_end "$name" "$remote_net" "$local_inner"
}

# xfrm_algorithms KEY: sets words to what XFRM says, with the keys.
xfrm_algorithms() {
	local encr_len=$((2 * (BITS / 8 + SALT_LEN)))
	local encr_key=${1:0:encr_len}
	words=" ${XFRM[*]} "
	words=${words/ KEY / ${encr_key:+0x}${encr_key:-'""'} }
	words=${words/ INTEG_KEY / 0x${1:encr_len} }
}

# xfrm_sa SRC DST SPI KEY: a line for ip -batch; af-unspec: whatever family is inside. The window is wide:
# two CPUs of a busy host may swap two trains on a veth, and a train is longer than 32 packets.
xfrm_sa() {
	local options="flag $XFRM_ICMP af-unspec replay-window 1024" any words
	xfrm_algorithms "$4"
	[ $ESN = 0 ] || options="flag esn $XFRM_ICMP af-unspec replay-window 1024"
	set_any "$1"
	options+=${XFRM_IF_ID:+ if_id $XFRM_IF_ID}
	[ $UDP = 0 ] || options+=" encap espinudp $ENCAP_PORT $ENCAP_PORT $any"
	echo "xfrm state add src $1 dst $2 proto esp spi $3 reqid 1 mode tunnel $options$words"
}

# xfrm_policy SRC DST DIR OUTER_SRC OUTER_DST: the same
xfrm_policy() {
	echo "xfrm policy add src $1 dst $2 dir $3 priority 100 ${XFRM_ICMP:+flag $XFRM_ICMP}" \
		"${XFRM_IF_ID:+if_id $XFRM_IF_ID}" \
		"tmpl src $4 dst $5 proto esp reqid 1 mode tunnel"
}

# xfrm_socket NS ADDR: without a socket that has UDP_ENCAP set xfrm does not see ESP in UDP.
xfrm_socket() {
	local any ready fd
	socket_address "$2"
	exec {fd}<> <(:)	# a pipe
	espctl --netns "$1" xfrm-encap port=$ENCAP_PORT address=$any gro=$((${#ENCAP_GRO} > 0)) >&$fd &
	encap_sockets[$1]=$!
	at_exit kill $!
	read -r -t "$(slowly 10)" ready <&$fd
	exec {fd}<&-
	[ "$ready" = ready ]
}

xfrm_socket_close() {
	[ -n "${encap_sockets[$1]:-}" ] || return 0
	kill "${encap_sockets[$1]}"
	wait "${encap_sockets[$1]}" 2>/dev/null
	unset "encap_sockets[$1]"
}

xfrm_end() {
	local name=$1 local_outer remote_outer local_net remote_net
	local local_inner spi_out key_out spi_in key_in
	end_of "$2"
	[ $UDP = 0 ] || [ -n "${encap_sockets[$name]:-}" ] || xfrm_socket "$name" $local_outer || return 1
	{
		xfrm_sa $local_outer $remote_outer $spi_out "$key_out"
		xfrm_sa $remote_outer $local_outer $spi_in "$key_in"
		xfrm_policy $local_net $remote_net out $local_outer $remote_outer
		xfrm_policy $remote_net $local_net in $remote_outer $local_outer
		xfrm_policy $remote_net $local_net fwd $remote_outer $local_outer
	} | ip -n "$name" -batch -
}

udp_listening() { ns "$1" ss -Hlun "sport = :$2" | grep -q .; }

inner_route() {
	local local_outer remote_outer local_net remote_net local_inner spi_out key_out spi_in key_in
	end_of "$2"
	ip -n "$1" route replace "$remote_net" dev "${3:-eth0}" via "$remote_outer" src "$local_inner"
}

clear_end() {
	# First the routes that need no tunnel: what TCP has still to say must not go out in the clear.
	[ "${without_ipv6:-}" = 1 ] || ip -6 -n "$1" route flush dev eth0 proto boot 2>/dev/null
	ip -n "$1" -force -batch - <<-EOC 2>/dev/null
	route flush dev eth0 proto boot
	link del ipsec0
	xfrm state flush
	xfrm policy flush
	EOC
	printf '%s\n' flush "encap-del port=$ENCAP_PORT" | esp "$1" - 2>/dev/null
	xfrm_socket_close "$1"
}

events() {
	EVENTS=$NET_TMP/events
	: >"$EVENTS"
	espctl --netns "$1" monitor "${@:2}" >"$EVENTS" 2>"$EVENTS.err" &
	EVENTS_PID=$!
	at_exit kill $EVENTS_PID
	busywait "$(slowly 5000)" grep -q ready "$EVENTS.err"
}

event_count() { jq -c "select($1)" <"$EVENTS" | wc -l; }
event_is() { [ "$(event_count "$1")" -gt 0 ]; }

# worker NS: starts a worker.py there.
worker() {
	local pipe=$NET_TMP/worker-$1 fd
	mkfifo "$pipe.in" "$pipe.out"
	nsenter --net="/run/netns/$1" python3 "$NET_DIR/worker.py" <"$pipe.in" >"$pipe.out" &
	worker_pid[$1]=$!
	at_exit kill $!
	exec {fd}>"$pipe.in"
	worker_in[$1]=$fd
	exec {fd}<"$pipe.out"
	worker_out[$1]=$fd
}

ask() {
	local answer
	[ -n "${worker_in[$1]:-}" ] || return 1
	printf '%s\n' "${*:2}" >&"${worker_in[$1]}"
	read -r -t "$(slowly 60)" answer <&"${worker_out[$1]}" || answer="failed: no answer"
	[ "$answer" = ok ] || echo "$answer"
	[[ "$answer" != failed:* ]]
}

receiver() {
	receiver_at=$1 receiver_wants="$3 $4 $(slowly 1)"
	ask "$1" listen "$2" "$3"
}

sender() { ask "$1" send "${@:2}"; }

received() { ask "$receiver_at" count $receiver_wants; }

# Packets a second: 200, or what the debug kernel can do beside the rest.
RATE=$((1000 / $(slowly 1) / $(slowly 1)))
[ $RATE -lt 200 ] || RATE=200

# Two streams that run while something is done beside them, and longer than that.
streams_start() {
	stream "$b" receive $INNER_B 9000 $ENDLESS "$(slowly 3)" 60 >"$NET_TMP/to_b" &
	to_b_pid=$!
	stream "$a" receive $INNER_A 9000 $ENDLESS "$(slowly 3)" 60 >"$NET_TMP/to_a" &
	to_a_pid=$!
	busywait "$(slowly 20000)" udp_listening "$b" 9000
	busywait "$(slowly 20000)" udp_listening "$a" 9000
	stream "$a" send $INNER_B 9000 $ENDLESS $RATE >"$NET_TMP/from_a" &
	from_a_pid=$!
	stream "$b" send $INNER_A 9000 $ENDLESS $RATE >"$NET_TMP/from_b" &
	from_b_pid=$!
	at_exit kill $to_a_pid $to_b_pid $from_a_pid $from_b_pid
}

stream() {
	local name=$1
	shift
	exec nsenter --net="/run/netns/$name" python3 "$NET_DIR/../lib/stream.py" "$@"
}

# Packets sent but not received, each way, in $LOST.
streams_stop() {
	kill -TERM $from_a_pid $from_b_pid
	wait $from_a_pid $from_b_pid $to_b_pid $to_a_pid
	ktap_print_msg "sent $(cat "$NET_TMP/from_a") and $(cat "$NET_TMP/from_b")"
	LOST="$(($(cat "$NET_TMP/from_a") - $(cat "$NET_TMP/to_b")))"
	LOST+=" $(($(cat "$NET_TMP/from_b") - $(cat "$NET_TMP/to_a")))"
}
