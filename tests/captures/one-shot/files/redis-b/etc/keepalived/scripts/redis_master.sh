#!/bin/bash
# This host has become the VRRP master: give the old master's stream time to arrive, then take over.
log=/data/redis/keepalived-redis-state.log
say() { echo "$(date +'%Y-%m-%d:%H:%M:%S')|$$|state:[master] $1" >>"$log"; }
say "now the VRRP master"
say "waiting 10 s for the rest of the old master's data"
sleep 10
say "waited long enough"
say "sending SLAVEOF NO ONE"
/usr/bin/redis-cli SLAVEOF NO ONE >>"$log" 2>&1
say "finished, a replica may connect"
