#!/bin/bash
# Stands in for the health checker of keepalived on the directors of a laboratory: without IPVS in the kernel the real
# one ends at once, and keepalived with it. Reads the virtual_server blocks of keepalived.conf as they are when it
# starts, tries to connect to each real server every delay_loop seconds, and takes those that refuse out of the table
# of the ipvsadm stand-in. As the real one it touches a server only when its health changes: a weight set by hand stays.
set -u
PATH=/opt/sbin:$PATH
pidfile=/run/keepalived.pid
config=${1:-/etc/keepalived/keepalived.conf}
log=/var/log/keepalived.log
say() { echo "$(date '+%a %b %e %H:%M:%S %Y'): checker stand-in: $1" >>"$log"; }

# One line each: `delay SECONDS`, `service VIP:PORT SCHEDULER`, `server VIP:PORT SERVER:PORT WEIGHT`.
mapfile -t lines < <(awk '
    function flush() { if (server) print "server", service, server, weight; server = "" }
    $1 == "virtual_server" { flush(); service = $2 ":" $3; algorithm = "rr" }
    $1 == "lb_algo" { algorithm = $2 }
    $1 == "delay_loop" { print "delay", $2 }
    $1 == "real_server" { if (!told[service]++) print "service", service, algorithm; flush(); server = $2 ":" $3; weight = 1 }
    $1 == "weight" && server { weight = $2 }
    END { flush() }' "$config")
delay=6
servers=()
for line in "${lines[@]}"; do
    [ "${line%% *}" != delay ] || delay=${line#* }
    [ "${line%% *}" != server ] || servers+=("${line#* }")
done
[ ${#servers[@]} -gt 0 ] || exit 0

declare -A up
ipvsadm -C
for line in "${lines[@]}"; do
    read -r kind service scheduler <<<"$line"
    [ "$kind" != service ] || ipvsadm -A -t "$service" -s "$scheduler"
done
for one in "${servers[@]}"; do
    read -r service server weight <<<"$one"
    ipvsadm -a -t "$service" -r "$server" -g -w "$weight"
    up[$one]=1
done
trap 'ipvsadm -C; exit 0' TERM
while kill -0 "$(cat "$pidfile" 2>/dev/null || echo 999999)" 2>/dev/null; do
    for one in "${servers[@]}"; do
        read -r service server weight <<<"$one"
        alive=0
        if timeout 2 bash -c "exec 3<>/dev/tcp/${server%:*}/${server#*:}" 2>/dev/null; then alive=1; fi
        if [ "$alive" = "${up[$one]}" ]; then continue; fi
        up[$one]=$alive
        if [ "$alive" = 1 ]; then
            say "TCP connection to [$server] success: adding it to [${service%:*}]:${service##*:}"
            ipvsadm -a -t "$service" -r "$server" -g -w "$weight"
        else
            say "TCP connection to [$server] failed: removing it from [${service%:*}]:${service##*:}"
            ipvsadm -d -t "$service" -r "$server"
        fi
    done
    sleep "$delay" &
    wait $!
done
