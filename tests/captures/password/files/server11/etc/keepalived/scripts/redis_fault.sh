#!/bin/bash
echo "[fault]" >>/data/redis/keepalived-redis-state.log
date >>/data/redis/keepalived-redis-state.log
