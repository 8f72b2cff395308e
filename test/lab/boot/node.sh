# First process of a node: makes a machine of its own out of new namespaces and the node's disk, then only holds it.
# usage: node.sh NAME DISK PROGRAMS
set -eu
name=$1 disk=$2 programs=$3

echo "$name" >/proc/sys/kernel/hostname
. "${0%/*}/network.sh"
set_up_network 1

mkdir -p "$disk/etc" "$disk/etc-work" "$disk/var-lib" "$disk/var-log" "$disk/run" "$disk/cgroup"

# /sys as seen from this network, but with the cgroups where they were.
mount --rbind /sys/fs/cgroup "$disk/cgroup"
umount --lazy --recursive /sys
mount -t sysfs sysfs /sys
mount --move "$disk/cgroup" /sys/fs/cgroup

# A fresh /run and /tmp, as after any start of a machine.
mount -t tmpfs -o mode=0755 tmpfs "$disk/run"
mkdir -p "$disk/run/lab/bin" "$disk/run/lab/sys" "$disk/run/lock"
mount --bind "$programs" "$disk/run/lab/bin"

# The kubelet sets these for the whole kernel, that is, for the machine the lab runs on. It leaves alone what already
# has the value it wants, so it is shown files that do.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  path=/proc/sys/${setting%=*}
  shown=$disk/run/lab/sys/${path##*/}
  if [ -e "$path" ]; then
    echo "${setting#*=}" >"$shown"
    mount --bind "$shown" "$path"
  fi
done

mount -t overlay -o "lowerdir=/etc,upperdir=$disk/etc,workdir=$disk/etc-work" overlay /etc
mount --bind "$disk/var-log" /var/log
mount --rbind "$disk/run" /run
# From here on the disk may be out of sight, as it is somewhere below /var/lib or /tmp.
mount --rbind "$disk/var-lib" /var/lib
mount -t tmpfs -o mode=1777 tmpfs /tmp

# Mounts of pods must show up in containers that ask for it.
mount --make-rshared /
exec /run/lab/bin/pause </dev/null
