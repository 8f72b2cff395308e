#!/bin/sh
# Runs with the files of the host as its root: mounts what the tests need, runs them, and switches the virtual machine off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1
modules=/lib/modules/$(uname -r)
(
  set -eu
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t devtmpfs dev /dev
  mkdir -p /dev/shm /dev/pts "$modules"
  mount -t tmpfs shm /dev/shm
  mount -t devpts pts /dev/pts
  mount -t tmpfs run /run
  mount -t cgroup2 cgroup /sys/fs/cgroup
  mount --bind "$KERNEL_ROOT/lib/modules/$(uname -r)" "$modules"
  mkdir -p /mnt
  mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 results /mnt
  ip link set lo up
  # More flows than the kernel allows in so little memory, for the test with 220,000.
  modprobe nf_conntrack
  sysctl -qw net.netfilter.nf_conntrack_max=262144
  cd "$REPOSITORY"
  # shellcheck disable=SC2086 # words
  NODE_COMPILE_CACHE=/mnt/compiled NODE_OPTIONS="--import $REPOSITORY/test/kernels/guest/keep-compiled.ts" \
    "$NODE" test/kernels/guest/run-files.ts /mnt/events "$FILE_LIMIT_MS" "$TESTS" $FILES
) || echo "the tests have ended with $?"
exec busybox poweroff -f
