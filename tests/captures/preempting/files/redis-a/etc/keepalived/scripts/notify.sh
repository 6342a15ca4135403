#!/bin/bash
# Every change of state, the newest last. The eighth word is the state.
echo "$(date +'%Y-%m-%d %H:%M:%S') $1 $2 has changed to $3, priority $4" >>/data/redis/keepalived-changes.log
