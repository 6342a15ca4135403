#!/bin/bash
# Called by the Sentinel of this host: MASTER-NAME ROLE STATE FROM-IP FROM-PORT TO-IP TO-PORT. Brings the write VIP here
# if this host's Redis is the new master, takes it away if another one's is.
unset LD_LIBRARY_PATH
to=$6
own=192.168.100.123
echo "$(date +'%F %T') $*" >>/var/log/reconfig_master.log
if [ "$to" = "$own" ]; then
    ip addr add 10.18.14.94/20 dev eth2
    arping -q -c 3 -A 10.18.14.94 -I eth2
else
    ip addr del 10.18.14.94/20 dev eth2
fi
exit 0
