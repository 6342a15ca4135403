"""The keepalived of an LVS director on a kernel without IPVS: VRRP alone, with stand-ins for the rest."""

from __future__ import annotations

from pathlib import Path

from console.lab.hosts.host import Host

_SERVICE = """\
#!/bin/sh
# The keepalived of a director: VRRP by keepalived -P, the work of its health checker by a stand-in (no IPVS here).
checker=/run/checker-stand-in.pid
case "${1:-}" in
start)
    /etc/init.d/keepalived-vrrp start || exit 1
    if [ -s "$checker" ] && kill -0 "$(cat "$checker")" 2>/dev/null; then exit 0; fi
    setsid /opt/sbin/checker-stand-in @conf@ >/dev/null 2>&1 </dev/null &
    echo $! >"$checker"
    ;;
stop)
    if [ -s "$checker" ]; then kill -TERM "$(cat "$checker")" 2>/dev/null; rm -f "$checker"; fi
    /etc/init.d/keepalived-vrrp stop
    ;;
restart)
    "$0" stop && "$0" start
    ;;
*)
    exec /etc/init.d/keepalived-vrrp "$@"
    ;;
esac
"""


def write_director_service(
    host: Host, vrrp: str, *, name: str = "keepalived", conf: str = "/etc/keepalived/keepalived.conf"
) -> None:
    """The service of a director. `vrrp`: the script of a keepalived that was given -P."""
    host.write("/etc/init.d/keepalived-vrrp", vrrp, 0o755)
    host.write(f"/etc/init.d/{name}", _SERVICE.replace("@conf@", conf), 0o755)
    for program in ("ipvsadm", "checker"):
        text = Path(__file__).with_name(f"{program}-stand-in.sh").read_text(encoding="utf-8")
        host.write(f"/opt/sbin/{program if program == 'ipvsadm' else 'checker-stand-in'}", text, 0o755)
