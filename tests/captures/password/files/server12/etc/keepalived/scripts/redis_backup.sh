#!/bin/bash
# The other one leads now: follow it, once it has settled.
log=/data/redis/keepalived-redis-state.log
echo "[backup]" >>$log
date >>$log
sleep 15
/usr/bin/redis-cli -h 192.168.1.113 -p 6379 -a stand001 SLAVEOF 192.168.1.112 6379 >>$log 2>&1
echo "[backup] done" >>$log
