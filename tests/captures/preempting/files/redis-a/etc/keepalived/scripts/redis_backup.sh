#!/bin/bash
peer=$1
port=$2
secret=$3
log=/data/redis/keepalived-redis-state.log
client="/usr/bin/redis-cli -p $port"
[ -z "$secret" ] || client="$client -a $secret --no-auth-warning"
log() { echo "$(date +'%Y-%m-%d:%H:%M:%S')|$$|state:[backup] $1" >>"$log"; }
# This host is no VRRP master any more: let the new one fetch, then follow it.
log "giving the other host time to fetch"
sleep 15
state=$(awk 'END {print $8}' /data/redis/keepalived-changes.log | sed 's/,//')
if [ "$state" != MASTER ]; then
    log "following $peer:$port"
    $client SLAVEOF $peer $port >/dev/null
fi
log "finished"
