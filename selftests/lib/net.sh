# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Network namespaces and the two topologies that most tests use. All that is made here is taken away
# again when the script ends, however it ends.
#
# Source it after ktap.sh:
#	. "$(dirname "$0")/../lib/ktap.sh"
#	. "$(dirname "$0")/../lib/net.sh"
#
# Namespaces
#	ns_add NAME...		makes namespaces; $NAME then holds the real (unique) name: ns_add a b
#	ns NAME COMMAND...	runs a command in one:  ns $a ping -c 1 192.0.2.2; /sys stays the outer one's
#	ns_del NAME		removes one early
#	veth NS1 DEV1 ADDR1 NS2 DEV2 ADDR2	a cable with addresses (each with /prefix), both ends up
#
# Topologies (set $a $b, for the second also $r)
#	net_direct		a eth0 192.0.2.1/24 ---- eth0 192.0.2.2/24 b
#	net_routed		a eth0 192.0.2.1/24 -- 192.0.2.254 (eth0) r (eth1) 198.51.100.254 -- 198.51.100.2/24 eth0 b
#	net_nat			net_routed, and r masquerades what a sends to b (UDP ports changed to 61000-62000)
#	In all of them a has the inner address 10.1.0.1/24 and b 10.2.0.1/24 on a dummy "lan", and no
#	route between the two inner networks: the tunnel has to bring them together. OUTER_A, OUTER_B,
#	INNER_A, INNER_B hold the addresses, NET_A and NET_B the inner networks.
#
# Waiting (never sleep and hope)
#	busywait MS COMMAND...	repeats COMMAND until it succeeds; fails after MS milliseconds
#	slowly N		N on a plain kernel, 5*N on the debug kernel: for time limits
#
# Traffic
#	net_ping NS ADDR [OPTIONS...]	three pings, all must be answered
#	net_send NS1 NS2 ADDR BYTES [OPTIONS]	TCP transfer of random bytes from NS1 to NS2, with socat's options; true if
#				it arrived whole
#	capture NS DEV FILE [FILTER]	starts tcpdump and returns when it listens; $capture_pid
#	capture_stop			ends it and waits until FILE is whole
#	captured FILE [FILTER]		prints how many packets of FILE match
#
# Checking
#	check_here NAME COMMAND...	ktap_check, but COMMAND runs in this shell: for what sets variables
#
# Needs
#	need_command NAME...	ends the script with a skip if a program is missing
#	need_module NAME	the same for a kernel module, after trying to load it
#
# Cleaning
#	at_exit COMMAND...	runs COMMAND when the script ends, last registered first

# Unique names, unless the caller wants plain ones.
NET_SUFFIX=${NET_SUFFIX-$$}
NET_TMP=$(mktemp -d)
net_namespaces=()
net_cleanups=()

at_exit() {
	local command
	printf -v command '%q ' "$@"
	net_cleanups+=("$command")
}

net_cleanup() {
	local status=$? i
	trap - EXIT INT TERM
	for ((i = ${#net_cleanups[@]} - 1; i >= 0; i--)); do
		eval "${net_cleanups[i]}" >/dev/null 2>&1
	done
	for i in "${net_namespaces[@]}"; do
		ns_del "$i"
	done
	rm -rf "$NET_TMP"
	exit $status
}
trap net_cleanup EXIT
trap 'exit 1' INT TERM

# Nothing ever comes from it.
exec {net_silence}<> <(:)
# net_pause SECONDS: a sleep that starts no process.
net_pause() { read -r -t "$1" -u "$net_silence" || return 0; }

# Not ip netns exec, which also mounts /sys anew: many of these are made.
ns() { nsenter --net="/run/netns/$1" "${@:2}"; }

ns_del() {
	local pids
	pids=$(ip netns pids "$1" 2>/dev/null)
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	ip netns del "$1" 2>/dev/null
}

ns_add() {
	local name real
	for name in "$@"; do
		real=$name${NET_SUFFIX:+-$NET_SUFFIX}
		ip netns add "$real" || return 1
		net_namespaces+=("$real")
		printf -v "$name" %s "$real"
		ip -n "$real" link set lo up
		# No stray neighbour discovery or duplicate address detection in captures.
		ns "$real" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 \
			net.ipv6.conf.default.accept_dad=0 net.ipv4.ip_forward=0
	done
}

veth() {
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4" &&
	ip -n "$1" addr add "$3" dev "$2" &&
	ip -n "$4" addr add "$6" dev "$5" &&
	ip -n "$1" link set "$2" up &&
	ip -n "$4" link set "$5" up
}

net_lan() {
	ip -n "$1" link add lan type dummy &&
	ip -n "$1" addr add "$2" dev lan &&
	ip -n "$1" link set lan up
}

# Read by the scripts that source this file.
# shellcheck disable=SC2034
net_inner() {
	INNER_A=10.1.0.1 NET_A=10.1.0.0/24
	INNER_B=10.2.0.1 NET_B=10.2.0.0/24
	net_lan "$a" $INNER_A/24 && net_lan "$b" $INNER_B/24
}

net_direct() {
	OUTER_A=192.0.2.1
	OUTER_B=192.0.2.2
	ns_add a b &&
	veth "$a" eth0 $OUTER_A/24 "$b" eth0 $OUTER_B/24 &&
	net_inner
}

net_routed() {
	OUTER_A=192.0.2.1
	OUTER_B=198.51.100.2
	ns_add a r b &&
	veth "$a" eth0 $OUTER_A/24 "$r" eth0 192.0.2.254/24 &&
	veth "$r" eth1 198.51.100.254/24 "$b" eth0 $OUTER_B/24 &&
	ip -n "$a" route add default via 192.0.2.254 &&
	ip -n "$b" route add default via 198.51.100.254 &&
	ns "$r" sysctl -qw net.ipv4.ip_forward=1 &&
	net_inner
}

net_nat() {
	net_routed &&
	ns "$r" nft -f - <<-EOR
	table ip nat {
		chain postrouting {
			type nat hook postrouting priority srcnat;
			oifname eth1 ip protocol udp masquerade to :61000-62000
			oifname eth1 masquerade
		}
	}
	EOR
}

busywait() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt $deadline ] || return 1
		net_pause 0.05
	done
}

case $(uname -r) in
*debug*) NET_SLOWNESS=5 ;;
*) NET_SLOWNESS=1 ;;
esac
slowly() { echo $(($1 * NET_SLOWNESS)); }

net_ping() {
	local name=$1 address=$2
	shift 2
	ns "$name" ping -n -c 3 -i 0.2 -W "$(slowly 2)" "$@" "$address"
}

# net_listens PID tcp|udp PORT: true if a socket in the namespace of this process listens there. Only bash reads.
net_listens() {
	local port file table='' state=0A	# TCP_LISTEN of net/tcp_states.h
	[ "$2" = tcp ] || state=07		# what UDP has instead, unconnected
	printf -v port %04X "$3"
	for file in "/proc/$1/net/$2" "/proc/$1/net/${2}6"; do
		read -r -d '' table <"$file"
		[[ ! "$table" =~ :$port\ [0-9A-F]+:0000\ $state\  ]] || return 0
	done
	return 1
}

net_send() {
	local from=$1 to=$2 address=$3 bytes=$4 options=${5:-} port=5201 block=262144 receiver tcp=TCP4
	local sent=$NET_TMP/sent got=$NET_TMP/got
	head -c "$bytes" /dev/urandom >"$sent"
	rm -f "$got"
	case $address in
	*:*) tcp=TCP6 address=[$address] ;;
	esac
	# Not through ns(): in the background that would be a shell whose death leaves socat behind.
	nsenter --net="/run/netns/$to" timeout "$(slowly 120)" socat -u -b $block "$tcp-LISTEN:$port,reuseaddr$options" \
		"OPEN:$got,creat" &
	receiver=$!
	busywait "$(slowly 5000)" net_listens $receiver tcp $port || return 1
	ns "$from" timeout "$(slowly 120)" socat -u -b $block "OPEN:$sent" "$tcp:$address:$port$options" || {
		kill $receiver 2>/dev/null
		wait $receiver
		return 1
	}
	wait $receiver && cmp "$sent" "$got"
}

capture() {
	local name=$1 device=$2 file=$3
	shift 3
	# -U, immediate mode: each packet is in the file when tcpdump ends. -B: room for a burst.
	ip netns exec "$name" tcpdump -n -U --immediate-mode -B 8192 -s 200 -i "$device" -w "$file" \
		"$@" 2>"$file.log" &
	capture_pid=$!
	capture_log=$file.log
	at_exit kill $capture_pid
	busywait "$(slowly 5000)" grep -q 'listening on' "$capture_log"
}

capture_stop() {
	# Give the last one time to arrive.
	sleep 0.2
	kill -INT $capture_pid
	wait $capture_pid
}

captured() {
	local file=$1
	shift
	tcpdump -n -r "$file" "$@" 2>/dev/null | wc -l
}

need_command() {
	local name
	for name in "$@"; do
		command -v "$name" >/dev/null || ktap_skip_all "$name is not installed"
	done
}

need_module() {
	[ -d "/sys/module/$1" ] || modprobe -q "$1" || ktap_skip_all "no kernel module $1"
}

check_here() {
	local name=$1
	shift
	if "$@" >"$NET_TMP/output" 2>&1; then
		ktap_test_pass "$name"
	else
		ktap_test_fail "$name" "failed: $*
$(cat "$NET_TMP/output")"
		return 1
	fi
}
