#!/bin/sh
# Captures a host's (or pod's) TCP traffic for a Fairway sidecar in captured mode, as Istio's init container does:
# what the workload sends goes to Envoy's port 15001, what others send to the workload goes to 15006. Envoy finds the original
# destination by SO_ORIGINAL_DST. What Envoy itself sends is told by its user, its group or a packet mark, and left alone.
#
# What Envoy passes on to its own workload leaves from 127.0.0.6 (::6) and stays as it is; what it sends to its own pod's address as
# to any peer's goes through the inbound listener like a peer's.
#
# Needs NET_ADMIN in the network namespace it is run in. Running it again replaces its rules in one step; --clean removes them.
# It touches nothing but its own two chains in the nat table and the two jumps to them.
set -eu

usage() {
  cat <<'USAGE'
usage: fairway-iptables.sh [options]
  --outbound-port PORT       where Envoy takes the workload's connections (15001)
  --inbound-port PORT        where Envoy takes connections to the workload (15006)
  --proxy-uid UIDS           users whose connections are Envoy's own, comma-separated; '' for none (1337)
  --proxy-gid GIDS           groups, likewise (1337)
  --proxy-mark MARK          packets with this mark are Envoy's own (off); for where ids cannot tell, as in a rootless user namespace
  --exclude-inbound PORTS    ports that stay as they are, comma-separated, ranges as 8000:8010 (22,15000:15090)
  --exclude-outbound PORTS   the same for destinations (none)
  --exclude-cidrs CIDRS      destinations that stay as they are, comma-separated (none)
  --include-cidrs CIDRS      capture only these destinations (0.0.0.0/0,::/0, everything)
  --ipv6 auto|on|off         IPv6 too (auto: when the host has an IPv6 address beyond its links)
  --no-inbound               leave inbound alone
  --clean                    remove everything that this script made
  --print                    print the rules, change nothing
IPTABLES and IP6TABLES name other programs, as in IPTABLES=iptables-legacy.
USAGE
}

fail() {
  echo "fairway-iptables: $1" >&2
  exit 2
}

OUTBOUND_PORT=15001
INBOUND_PORT=15006
PROXY_UIDS=1337
PROXY_GIDS=1337
PROXY_MARK=
EXCLUDE_INBOUND=22,15000:15090
EXCLUDE_OUTBOUND=
EXCLUDE_CIDRS=
INCLUDE_CIDRS=0.0.0.0/0,::/0
IPV6=auto
INBOUND=yes
ACTION=apply

while [ $# -gt 0 ]; do
  case "$1" in
    --no-inbound) INBOUND=no; shift; continue ;;
    --clean) ACTION=clean; shift; continue ;;
    --print) ACTION=print; shift; continue ;;
    -h | --help) usage; exit 0 ;;
  esac
  [ $# -ge 2 ] || fail "$1 needs a value; --help lists the options"
  # Values end up in rules: nothing but numbers, addresses and separators may.
  case "$1=$2" in
    --ipv6=auto | --ipv6=on | --ipv6=off) IPV6=$2; shift 2; continue ;;
    --ipv6=*) fail "--ipv6: give auto, on or off" ;;
  esac
  case "$2" in
    *[!0-9a-fA-Fx:.,/]*) fail "$1: '$2' holds something that is neither a number, a port range nor an address" ;;
  esac
  case "$1" in
    --outbound-port) OUTBOUND_PORT=$2 ;;
    --inbound-port) INBOUND_PORT=$2 ;;
    --proxy-uid) PROXY_UIDS=$2 ;;
    --proxy-gid) PROXY_GIDS=$2 ;;
    --proxy-mark) PROXY_MARK=$2 ;;
    --exclude-inbound) EXCLUDE_INBOUND=$2 ;;
    --exclude-outbound) EXCLUDE_OUTBOUND=$2 ;;
    --exclude-cidrs) EXCLUDE_CIDRS=$2 ;;
    --include-cidrs) INCLUDE_CIDRS=$2 ;;
    *) fail "unknown option $1; --help lists them" ;;
  esac
  shift 2
done

if [ -z "$PROXY_UIDS$PROXY_GIDS$PROXY_MARK" ]; then
  fail "nothing tells Envoy's own connections from the workload's: give --proxy-uid, --proxy-gid or --proxy-mark, or they loop"
fi

PATH=$PATH:/usr/sbin:/sbin
IPTABLES=${IPTABLES:-iptables}
IP6TABLES=${IP6TABLES:-ip6tables}
command -v "$IPTABLES" >/dev/null 2>&1 || fail "$IPTABLES is not in PATH: install it (Debian and Ubuntu: apt-get install iptables)"

# The fourth column of if_inet6 is the scope, 00 is global.
if [ "$IPV6" = auto ]; then
  IPV6=off
  if [ -r /proc/net/if_inet6 ] && awk '$4 == "00" { found = 1 } END { exit !found }' /proc/net/if_inet6; then IPV6=on; fi
fi

# Prints the words of a comma-separated list.
split() {
  echo "$1" | tr ',' ' '
}

# The CIDRs of a list that are of a family (4 or 6).
cidrs() {
  for cidr in $(split "$2"); do
    case "$1$cidr" in
      4*:*) ;;
      6*:* | 4*) echo "$cidr" ;;
    esac
  done
}

# In the restore format, naming a chain empties it: the old rules give way to the new ones in one step.
rules() {
  family=$1
  if [ "$family" = 4 ]; then loopback=127.0.0.0/8 inbound_source=127.0.0.6/32; else loopback=::1/128 inbound_source=::6/128; fi
  echo '*nat'
  echo ':FAIRWAY_OUTPUT - [0:0]'
  echo ':FAIRWAY_INBOUND - [0:0]'
  echo "-A FAIRWAY_OUTPUT -s $inbound_source -o lo -j RETURN"
  for own in $(own_matches); do
    match=$(echo "$own" | tr '=' ' ')
    [ "$INBOUND" = no ] || echo "-A FAIRWAY_OUTPUT -o lo ! -d $loopback $match -p tcp -j FAIRWAY_INBOUND"
    echo "-A FAIRWAY_OUTPUT $match -j RETURN"
  done
  # A workload that talks to itself, by loopback or by its own address.
  echo '-A FAIRWAY_OUTPUT -o lo -j RETURN'
  echo "-A FAIRWAY_OUTPUT -d $loopback -j RETURN"
  for cidr in $(cidrs "$family" "$EXCLUDE_CIDRS"); do
    echo "-A FAIRWAY_OUTPUT -d $cidr -j RETURN"
  done
  for port in $(split "$EXCLUDE_OUTBOUND"); do
    echo "-A FAIRWAY_OUTPUT -p tcp --dport $port -j RETURN"
  done
  for cidr in $(cidrs "$family" "$INCLUDE_CIDRS"); do
    echo "-A FAIRWAY_OUTPUT -p tcp -d $cidr -j REDIRECT --to-ports $OUTBOUND_PORT"
  done
  if [ "$INBOUND" = yes ]; then
    for port in $(split "$EXCLUDE_INBOUND"); do
      echo "-A FAIRWAY_INBOUND -p tcp --dport $port -j RETURN"
    done
    echo "-A FAIRWAY_INBOUND -p tcp -j REDIRECT --to-ports $INBOUND_PORT"
  fi
  echo COMMIT
}

# What tells Envoy's connections, one match a line; '=' stands for a space.
own_matches() {
  for uid in $(split "$PROXY_UIDS"); do echo "-m=owner=--uid-owner=$uid"; done
  for gid in $(split "$PROXY_GIDS"); do echo "-m=owner=--gid-owner=$gid"; done
  if [ -n "$PROXY_MARK" ]; then echo "-m=mark=--mark=$PROXY_MARK"; fi
}

jump() {
  "$1" -w 5 -t nat -C "$2" -p tcp -j "$3" 2>/dev/null || "$1" -w 5 -t nat -A "$2" -p tcp -j "$3"
}

unjump() {
  while "$1" -w 5 -t nat -D "$2" -p tcp -j "$3" 2>/dev/null; do :; done
}

apply() {
  rules "$2" | "$1-restore" -w 5 --noflush
  jump "$1" OUTPUT FAIRWAY_OUTPUT
  if [ "$INBOUND" = yes ]; then jump "$1" PREROUTING FAIRWAY_INBOUND; else unjump "$1" PREROUTING FAIRWAY_INBOUND; fi
}

# Both chains are emptied before either is deleted: one jumps to the other.
clean() {
  unjump "$1" OUTPUT FAIRWAY_OUTPUT
  unjump "$1" PREROUTING FAIRWAY_INBOUND
  for step in -F -X; do
    for chain in FAIRWAY_OUTPUT FAIRWAY_INBOUND; do
      "$1" -w 5 -t nat "$step" "$chain" 2>/dev/null || :
    done
  done
}

case "$ACTION" in
  print)
    rules 4
    [ "$IPV6" = off ] || rules 6
    ;;
  clean)
    clean "$IPTABLES"
    ! command -v "$IP6TABLES" >/dev/null 2>&1 || clean "$IP6TABLES"
    ;;
  apply)
    apply "$IPTABLES" 4
    [ "$IPV6" = off ] || apply "$IP6TABLES" 6
    ;;
esac
