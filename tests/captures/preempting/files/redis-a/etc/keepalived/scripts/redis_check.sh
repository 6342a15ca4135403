#!/bin/bash
# A Redis that does not answer is started again; that counts as a failure only if it does not answer then either.
port=$1
secret=$2
client="/usr/bin/redis-cli -p $port"
[ -z "$secret" ] || client="$client -a $secret --no-auth-warning"
[ "$($client PING)" != PONG ] || exit 0
service redis-server restart
sleep 3
[ "$($client PING)" = PONG ] || exit 1
state=$(awk 'END {print $8}' /data/redis/keepalived-changes.log | sed 's/,//')
if [ "$state" = MASTER ]; then
    $client SLAVEOF NO ONE
fi
exit 0
