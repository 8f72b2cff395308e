# A host of the lab's networks that is not a node: its own network and name, the machine's files and processes.
# usage: host.sh NAME FORWARDS PAUSE        FORWARDS: 1 for a router, else 0
set -eu
echo "$1" >/proc/sys/kernel/hostname
. "${0%/*}/network.sh"
set_up_network "$2"
exec "$3" </dev/null
