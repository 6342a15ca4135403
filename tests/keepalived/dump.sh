# Starts keepalived in a network of its own, which nothing else can reach, and ends it after it has dumped what it read.
ip link set lo up
ip link add eth0 type veth peer name eth1
ip addr add 10.0.0.9/24 dev eth0
ip link set eth1 up
ip link set eth0 up
exec timeout -s TERM "$3" keepalived -n -l -d -P -R -p "$2/keepalived.pid" -r "$2/vrrp.pid" -f "$1"
