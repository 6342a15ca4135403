#!/bin/bash
echo "[stop]" >>/data/redis/keepalived-redis-state.log
date >>/data/redis/keepalived-redis-state.log
