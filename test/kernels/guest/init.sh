#!/bin/busybox sh
# The first process of the virtual machine: mounts the files of the host, read-only, with a layer in memory above them.
set -eu
busybox=/bin/busybox
. /variables
$busybox mkdir -p /proc /sys /dev /host /layer /new
$busybox mount -t proc proc /proc
for module in $($busybox cat /modules/order); do $busybox insmod "/modules/$module"; done
$busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host
$busybox mount -t tmpfs layer /layer
$busybox mkdir /layer/files /layer/work
$busybox mount -t overlay -o lowerdir=/host,upperdir=/layer/files,workdir=/layer/work root /new
$busybox umount /proc
exec $busybox switch_root /new /bin/sh "$REPOSITORY/test/kernels/guest/boot.sh"
