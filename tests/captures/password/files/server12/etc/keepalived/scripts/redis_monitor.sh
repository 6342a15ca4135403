#!/bin/bash
# Without its Redis this host has no business in the pair: away with keepalived, and with the address that it leaves.
answer=$(/usr/bin/redis-cli -h 192.168.1.113 -p 6379 -a stand001 PING 2>/dev/null)
if [ "$answer" == "PONG" ]; then
    exit 0
fi
pkill -9 -x keepalived
service network restart
exit 1
