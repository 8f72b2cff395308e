# The settings of a network stack that differ between machines, set before its first interface comes.
# usage: set_up_network FORWARDS
set_up_network() {
  echo "$1" >/proc/sys/net/ipv4/ip_forward
  echo "$1" >/proc/sys/net/ipv6/conf/all/forwarding
  # Addresses are ours to choose: waiting two seconds for a duplicate would only cost time.
  echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
  echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
  # Replies may leave by another way than requests came; the stricter of the two values counts.
  echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
  echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
  ip link set lo up
}
