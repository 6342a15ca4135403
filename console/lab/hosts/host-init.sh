#!/bin/sh
# PID 1 of a laboratory host: gives it a root of its own, an address and sshd, then reaps for as long as the host lives.
# Started by console/lab/hosts/host.py inside fresh net, mount, PID, UTS and IPC namespaces:
#   host-init.sh ROOT NAME SERVERS LIMITS INTERFACE=ADDRESS/PREFIX…
# LIMITS: a command that takes away what a contained host must not have; empty: the host is not contained, and nothing
# of its root is there yet.
# Says its PID on stdout, waits for a line on stdin (the network cable is in), says "ready".
set -eu
root=$1 name=$2 servers=$3 limits=$4
shift 4

# The /proc mounted here is still the laboratory's: this is the PID that nsenter needs.
read -r pid rest </proc/self/stat
echo "$pid"

hostname "$name"
mount --rbind "$root" "$root"

# A host that was switched off and on again finds its disk as it was, and /run empty.
rm -rf "$root/run"
mkdir -p "$root/run/sshd" "$root/.machine"

# Programs and libraries are the machine's, read-only; everything else is the host's own.
programs="bin sbin lib lib32 lib64 libx32 usr etc/alternatives"
[ -z "$limits" ] || programs=
for entry in $programs; do
    if [ -L "/$entry" ]; then
        [ -L "$root/$entry" ] || cp -P "/$entry" "$root/$entry"
    elif [ -d "/$entry" ]; then
        mkdir -p "$root/$entry"
        mount --rbind "/$entry" "$root/$entry"
        # Without root the files belong to somebody else anyway, and the kernel may refuse this.
        mount -o remount,bind,ro "$root/$entry" 2>/dev/null || :
    fi
done
if [ -n "$servers" ]; then
    mount --bind "$servers" "$root/opt/redis"
fi

mount -t proc proc "$root/proc"
# Two machines never share a boot id: the console tells machines apart by it.
mount --bind "$root/etc/boot_id" "$root/proc/sys/kernel/random/boot_id" 2>/dev/null || :
mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755,size=16m tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

cd "$root"
pivot_root . .machine
cd /
umount -l /.machine
rmdir /.machine

# A script must not get back, in a user namespace of its own, what the host has not.
[ -z "$limits" ] || echo 0 >/proc/sys/user/max_user_namespaces

# shellcheck disable=SC2016 - the shell that runs it expands it
rest='
read -r cable
ip link set lo up
for one in "$@"; do
    ip address add "${one#*=}" dev "${one%%=*}"
    ip link set "${one%%=*}" up
done
if [ -x /etc/rc.local ]; then /etc/rc.local; fi
/usr/sbin/sshd -E /var/log/auth.log
echo ready

exec </dev/null >/dev/null 2>&1
while :; do
    sleep 2147483647 &
    wait
done
'
# LIMITS is a list of words without blanks in them.
# shellcheck disable=SC2086
exec $limits /bin/sh -eu -c "$rest" host-init "$@"
