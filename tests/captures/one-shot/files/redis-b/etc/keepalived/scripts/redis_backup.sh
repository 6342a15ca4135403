#!/bin/bash
# This host has gone to backup. Following the other host is left to a human: a sync is hard on the servers, and one
# with an empty master wipes the data.
log=/data/redis/keepalived-redis-state.log
say() { echo "$(date +'%Y-%m-%d:%H:%M:%S')|$$|state:[backup] $1" >>"$log"; }
say "now in backup"
#say "sending SLAVEOF redis-a 6379"
#/usr/bin/redis-cli SLAVEOF redis-a 6379 >>"$log" 2>&1
say "waiting for an operator"
