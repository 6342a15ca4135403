#!/bin/bash
peer=$1
port=$2
secret=$3
log=/data/redis/keepalived-redis-state.log
client="/usr/bin/redis-cli -p $port"
[ -z "$secret" ] || client="$client -a $secret --no-auth-warning"
log() { echo "$(date +'%Y-%m-%d:%H:%M:%S')|$$|state:[master] $1" >>"$log"; }
# This host has become the VRRP master: fetch what the other one has, and then stop following it.
if [ "$($client -h "$peer" PING)" = PONG ]; then
    log "fetching from $peer:$port"
    $client SLAVEOF $peer $port >/dev/null
    sleep 10
fi
log "the data should be here now, becoming the master of it"
$client SLAVEOF NO ONE >/dev/null
log "finished"
