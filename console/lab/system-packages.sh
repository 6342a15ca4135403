#!/bin/sh
# Installs the programs that the laboratory needs, where Debian's apt-get can, and starts none of them.
#
#   system-packages.sh             says what is missing and asks before it installs
#   YES=1 system-packages.sh       does not ask
#   system-packages.sh --tests     also what only the tests need: other login shells, sudo, busybox
#
# Exit code 0: everything is there.
set -eu
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

missing=""
need() {
    command -v "$1" >/dev/null 2>&1 && return
    case " $missing " in *" $2 "*) ;; *) missing="$missing $2" ;; esac
}

# Prints the first Python that the console can run on. The system's own comes before others: distributions build it with
# optimizations that one built by hand mostly lacks, and without which everything computes a fifth longer.
find_python() {
    for python in ${PYTHON:-} /usr/bin/python3 python3.11 python3.12 python3.13 python3.14 python3; do
        if "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$python"
            return
        fi
    done
    return 1
}

find_missing() {
    missing=""
    need redis-server redis-server
    need redis-cli redis-tools
    need keepalived keepalived
    need sshd openssh-server
    need ssh openssh-client
    need ssh-keygen openssh-client
    need openssl openssl
    need ip iproute2
    need arping iputils-arping
    need newuidmap uidmap
    need pkill procps
    need sudo sudo
    need unshare util-linux
    need setpriv util-linux
    need mount mount
    need hostname hostname
    find_python >/dev/null || missing="$missing python3 python3-venv"
    if [ -n "$for_tests" ]; then
        need fish fish
        need bsd-csh csh
        need tcsh tcsh
        need sudo sudo
        need busybox busybox
    fi
    missing=${missing# }
}

stop_here() {
    echo "$1" >&2
    exit 1
}

# As root. Packages that carry daemons start them when they are installed, and again at the next boot: neither is wanted
# here, because the laboratory starts its own. policy-rc.d is how Debian is told so; one that is there comes back.
install_as_root() {
    policy=/usr/sbin/policy-rc.d
    kept=$policy.before-redis-ha-console
    put_back() {
        rm -f "$policy"
        if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
    }
    # One that was put aside and never put back is the older, real one.
    if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
    trap put_back EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"

    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -7 2>/dev/null)" ]; then
        apt-get update -qq || echo "apt-get update failed: trying with the package lists that are there" >&2
    fi
    # shellcheck disable=SC2086 # package names, to be split
    apt-get install -y -qq --no-install-recommends $1 ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends $1; } ||
        stop_here "apt-get could not install: $1"
    for package in $1; do
        case $package in
        redis-server | keepalived) service=$package ;;
        openssh-server) service=ssh ;;
        *) continue ;;
        esac
        update-rc.d "$service" disable >/dev/null 2>&1 || :
        if [ -d /run/systemd/system ]; then systemctl --quiet disable "$service" >/dev/null 2>&1 || :; fi
    done
}

if [ "${1:-}" = "--find-python" ]; then
    find_python || stop_here "Python 3.11 or newer with its venv module is needed: install python3 and python3-venv"
    exit 0
fi
if [ "${1:-}" = "--install" ]; then
    install_as_root "$2"
    exit 0
fi

for_tests=""
if [ "${1:-}" = "--tests" ]; then for_tests=1; fi
find_missing
if [ -z "$missing" ]; then exit 0; fi
echo "The laboratory needs these packages, which are not installed: $missing" >&2
command -v apt-get >/dev/null 2>&1 ||
    stop_here "This machine has no apt-get: install them, or what carries their programs here, and try again."
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
    stop_here "Installing needs root, and there is no sudo: as root, run apt-get install --no-install-recommends $missing"
fi
if [ "${YES:-}" != 1 ]; then
    [ -t 0 ] || stop_here "Nobody is here to be asked: run again with YES=1 to install them."
    printf 'Install them with apt-get, without starting any service? [y/N] ' >&2
    read -r answer || answer=""
    case $answer in
    y | Y | yes) ;;
    *) stop_here "Nothing was installed." ;;
    esac
fi
if [ "$(id -u)" = 0 ]; then
    sh "$0" --install "$missing"
elif [ -t 0 ]; then
    sudo sh "$0" --install "$missing"
else
    sudo -n sh "$0" --install "$missing" || stop_here "sudo did not let this be installed without a password: $missing"
fi
find_missing
[ -z "$missing" ] || stop_here "Still missing after the installation: $missing"
echo "Installed. No service was started, and none of them starts at the next boot." >&2
