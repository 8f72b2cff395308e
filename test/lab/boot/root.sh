# First process of a lab: prepares the namespaces it was born into, then only holds them.
# usage: root.sh LAB PAUSE
set -eu
echo "$1" >/proc/sys/kernel/hostname
# This network is the LAN's cabling: bridges without a word of their own, and no packet filter on the way.
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
for filter in /proc/sys/net/bridge/bridge-nf-call-*; do
  if [ -e "$filter" ]; then echo 0 >"$filter"; fi
done
ip link set lo up
exec "$2" </dev/null
