#!/bin/bash
# Stands in for the health checker of keepalived on the directors of a laboratory: without IPVS in the kernel the real
# one ends at once, and keepalived with it. Reads the virtual_server blocks of keepalived.conf as they are when it
# starts, tries to connect to each real server every delay_loop seconds, and takes those that refuse out of the table
# of the ipvsadm stand-in. As the real one it touches a server only when its health changes: a weight set by hand stays.
set -u
PATH=/opt/sbin:$PATH
pidfile=/run/keepalived.pid
config=/etc/keepalived/keepalived.conf
log=/var/log/keepalived.log
say() { echo "$(date '+%a %b %e %H:%M:%S %Y'): checker stand-in: $1" >>"$log"; }

read -r vip port scheduler delay < <(awk '$1 == "virtual_server" { vip = $2; port = $3 }
    $1 == "delay_loop" { delay = $2 } $1 == "lb_algo" { algo = $2 }
    END { print vip, port, algo ? algo : "rr", delay ? delay : 6 }' "$config")
mapfile -t servers < <(awk '$1 == "real_server" { server = $2 ":" $3 } $1 == "weight" && server { print server, $2; server = "" }' \
    "$config")
[ -n "$vip" ] || exit 0

declare -A up
ipvsadm -C
ipvsadm -A -t "$vip:$port" -s "$scheduler"
for one in "${servers[@]}"; do
    read -r server weight <<<"$one"
    ipvsadm -a -t "$vip:$port" -r "$server" -g -w "$weight"
    up[$server]=1
done
trap 'ipvsadm -C; exit 0' TERM
while kill -0 "$(cat "$pidfile" 2>/dev/null || echo 999999)" 2>/dev/null; do
    for one in "${servers[@]}"; do
        read -r server weight <<<"$one"
        alive=0
        if timeout 2 bash -c "exec 3<>/dev/tcp/${server%:*}/${server#*:}" 2>/dev/null; then alive=1; fi
        if [ "$alive" = "${up[$server]}" ]; then continue; fi
        up[$server]=$alive
        if [ "$alive" = 1 ]; then
            say "TCP connection to [$server] success: adding it to [$vip]:$port"
            ipvsadm -a -t "$vip:$port" -r "$server" -g -w "$weight"
        else
            say "TCP connection to [$server] failed: removing it from [$vip]:$port"
            ipvsadm -d -t "$vip:$port" -r "$server"
        fi
    done
    sleep "$delay" &
    wait $!
done
