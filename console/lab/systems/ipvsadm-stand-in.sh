#!/bin/sh
# Stands in for ipvsadm on the directors of a laboratory, whose kernel has no IPVS: it keeps the table in a file and
# forwards nothing. It takes the commands below as ipvsadm 1.31 does, and prints the table as that one does.
#   ipvsadm -Ln · -Sn · -A|-E -t A:P -s S · -D -t A:P · -a|-e -t A:P -r A:P [-g] [-w N] · -d -t A:P -r A:P · -C
set -eu
table=/run/ipvsadm-stand-in.table
touch "$table"
exec 9>>"$table.lock"
flock 9

fail() {
    echo "$1" >&2
    exit "${2:-255}"
}

action= service= server= scheduler=wlc weight=1
while [ $# -gt 0 ]; do
    case $1 in
    --version) echo "ipvsadm stand-in of the redis-ha-console laboratory: a table in a file, no IPVS, nothing is forwarded"; exit 0 ;;
    -Ln | -L | -l | --list) action=list ;;
    -Sn | -S | --save) action=save ;;
    -n | --numeric | -g | --gatewaying) ;;
    -A | -E | -D | -a | -e | -d | -C) action=$1 ;;
    -t) shift; service=$1 ;;
    -r) shift; server=$1 ;;
    -s) shift; scheduler=$1 ;;
    -w) shift; weight=$1 ;;
    *) fail "ipvsadm stand-in: $1 is not among what it can do" 2 ;;
    esac
    shift
done

there() { grep -q "^$1 " "$table"; }
without() { grep -v "^$1 " "$table" >"$table.new" || :; }
put() { mv "$table.new" "$table"; }

case $action in
list | "")
    echo "IP Virtual Server version 1.2.1 (size=4096)"
    echo "Prot LocalAddress:Port Scheduler Flags"
    echo "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn"
    awk 'NR == FNR && $1 == "server" { of[++n] = $2; line[n] = sprintf("  -> %-28s %-7s %-6s %-10s %-10s", $3, "Route", $4, 0, 0) }
         NR != FNR && $1 == "service" { printf "TCP  %s %s\n", $2, $3; for (i = 1; i <= n; i++) if (of[i] == $2) print line[i] }' \
        "$table" "$table"
    ;;
save)
    awk '$1 == "service" { printf "-A -t %s -s %s\n", $2, $3 }
         $1 == "server" { printf "-a -t %s -r %s -g -w %s\n", $2, $3, $4 }' "$table"
    ;;
-C) : >"$table" ;;
-A | -E)
    [ "$action" = -E ] || ! there "service $service" || fail "Service already exists"
    without "service $service"
    echo "service $service $scheduler" >>"$table.new"
    put
    ;;
-D)
    there "service $service" || fail "No such service"
    without "service $service"
    put
    without "server $service"
    put
    ;;
-a | -e | -d)
    there "service $service" || fail "Service not defined"
    if there "server $service $server"; then
        [ "$action" != -a ] || fail "Destination already exists"
    else
        [ "$action" = -a ] || fail "No such destination"
    fi
    without "server $service $server"
    [ "$action" = -d ] || echo "server $service $server $weight" >>"$table.new"
    put
    ;;
esac
