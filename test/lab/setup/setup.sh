#!/bin/sh
# Makes this machine ready for the lab, the demo and the tests: checks what cannot be installed from here, installs the
# Debian packages and the npm packages that are missing. Does nothing, quickly, when nothing is missing.
#
# usage: sh test/lab/setup/setup.sh [--quiet]        --quiet: not a word unless there is something to do
set -eu

quiet=no
case "${1:-}" in
  --quiet) quiet=yes ;;
  '') ;;
  *)
    echo "setup: unknown option $1" >&2
    exit 64
    ;;
esac

repository=$(cd "$(dirname "$0")/../../.." && pwd)
NODE_WANTED=20
GO_WANTED=1.21
# The oldest Go that the lab's modules build with; from 1.21 on, Go fetches it itself.
GO_USED=$(sed -n 's/^go //p' "$repository"/test/lab/binaries/*/go.mod | sort -V | tail -n 1)

# A command that shows that a package is there, the package, and what for.
packages() {
  cat <<'LIST'
nft        nftables                    kube-proxy and the speaker write their rules with it
iptables   iptables                    kube-proxy's iptables mode
conntrack  conntrack                   kube-proxy ends the UDP flows of pods that are gone
ip         iproute2                    the networks between the hosts
runc       runc                        runs the containers
openssl    openssl                     the certificates of the cluster and of the test image
curl       curl                        asks kube-proxy whether it is ready; part of the test image
busybox    busybox-static              the commands in the test image
nc.openbsd netcat-openbsd              nc in the test image, with the options that upstream's tests use
arp        net-tools                   bellhop doctor reads the neighbour table with it
sysctl     procps                      switches forwarding on in test networks
ping       iputils-ping                bellhop doctor, and the client in the lab
arping     arping                      asks by ARP in tests and benchmarks
ndisc6     ndisc6                      asks by neighbour discovery in tests
buildah    buildah                     builds the product's image
mmdebstrap mmdebstrap                  the base of the product's image
/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring mmdebstrap verifies Debian's packages, on Ubuntu too
mount      mount                       gives each host of the lab files of its own
nsenter    util-linux                  enters the lab's namespaces
ldd        libc-bin                    finds the libraries that the test image needs
/usr/lib/cni/bridge containernetworking-plugins the network of the pods
/etc/ssl/certs/ca-certificates.crt ca-certificates npm and Go fetch over TLS
LIST
}

say() { printf 'setup: %s\n' "$*"; }

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# Debian keeps administrators' programs where a plain user's PATH does not look.
PATH=$PATH:/usr/local/go/bin:/usr/local/sbin:/usr/sbin:/sbin
export PATH

is_there() {
  case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# at_least WANTED FOUND
at_least() {
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

check_system() {
  system=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") || system=
  case " $system " in
    *' debian '* | *' ubuntu '*) ;;
    *) fail "this works on Debian and Ubuntu; the system here is '${system% }'" ;;
  esac
  case $(uname -m) in
    x86_64 | aarch64) ;;
    *) fail "this works on x86-64 and arm64; the machine here is $(uname -m)" ;;
  esac
}

check_node() {
  command -v node >/dev/null 2>&1 || fail "Node.js is missing: install version $NODE_WANTED or newer, https://nodejs.org"
  found=$(node --version)
  at_least "$NODE_WANTED" "${found#v}" || fail "Node.js is ${found#v}, at least $NODE_WANTED is needed, https://nodejs.org"
}

check_go() {
  cure="install the current one from https://go.dev/dl into /usr/local/go"
  command -v go >/dev/null 2>&1 || fail "Go is missing, which compiles Kubernetes and containerd for the lab: $cure"
  found=$(GOTOOLCHAIN=local go version | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
  at_least "$GO_WANTED" "$found" || fail "Go is $found, at least $GO_WANTED is needed: $cure"
  at_least "$GO_USED" "$found" && return 0
  if [ "$(go env GOTOOLCHAIN)" = local ]; then
    fail "Go is $found and may not fetch $GO_USED, which the lab needs: set GOTOOLCHAIN=auto, or $cure"
  fi
}

install_packages() {
  missing=$(packages | while read -r sign package why; do is_there "$sign" || echo "$package"; done)
  [ -n "$missing" ] || return 0
  # One line, as apt-get takes it.
  missing=$(echo $missing)
  if [ "$(id -u)" != 0 ]; then
    fail "Debian packages are missing, and only root may install them:" "  sudo apt-get install --no-install-recommends $missing"
  fi
  say "installing the Debian packages $missing"
  start=$(date +%s)
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get failed; its whole output is in $log"
  fi
  rm -f "$log"
  say "packages installed in $(($(date +%s) - start)) s"
}

install_modules() {
  cd "$repository"
  # The project's programs run on a newer Node than the machine's, which is one of the packages.
  if node test/lab/setup/installed.mjs && [ -x node_modules/.bin/node ]; then return 0; fi
  say "installing the npm packages of package-lock.json"
  start=$(date +%s)
  npm ci --no-fund --no-audit --loglevel=error || fail "npm ci failed"
  [ -x node_modules/.bin/node ] || fail "npm has left out the optional package with Node: run npm ci --include=optional"
  say "npm packages installed in $(($(date +%s) - start)) s"
}

check_system
check_node
check_go
install_packages
install_modules
[ "$quiet" = yes ] || say "everything is there"
