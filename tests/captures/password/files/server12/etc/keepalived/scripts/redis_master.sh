#!/bin/bash
# Take what the other one may still have, then stand alone.
log=/data/redis/keepalived-redis-state.log
echo "[master]" >>$log
date >>$log
/usr/bin/redis-cli -h 192.168.1.113 -p 6379 -a stand001 SLAVEOF 192.168.1.112 6379 >>$log 2>&1
sleep 10
/usr/bin/redis-cli -h 192.168.1.113 -p 6379 -a stand001 SLAVEOF NO ONE >>$log 2>&1
echo "[master] done" >>$log
