#!/bin/bash
# Exit 0 while the Redis of this host answers.
answer=$(/usr/bin/redis-cli PING)
echo "$answer"
[ "$answer" == "PONG" ]
