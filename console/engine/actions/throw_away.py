"""The program that loads a copy of a node's data in a throw-away server on that node, for as long as it is used.

It is a command of a run, and no probe: it starts a process and needs disk and memory. The server has no port, no
replication and no configuration file. It reads a copy in a folder of its own, which only its user can enter. The
program's standard input and output are a connection to the server. When the input ends, the server and the folder go:
a console that dies ends it. A second process looks after the program, and ends all of it after a time limit, or when
the program was killed. It runs on any POSIX sh with coreutils and one of python, perl and socat.
"""

from __future__ import annotations

import shlex

from console.core.command import ShellCommand
from console.core.inventory import NodeSpec
from console.core.model import Backup
from console.core.replication.backups import DISK_MARGIN
from console.core.replication.disk_data import DiskData
from console.engine.actions.backup import SLOWEST, SLOWEST_LOAD, files_as_words, memory_for
from console.engine.actions.backup_scripts import FILES, SHOWN, START

USE = 600
"""Seconds for the use of the loaded server."""
FOLDER = ".redis-ha-console-throw-away"
"""Beginning of the name of the server's folder. It is beside the data: the room there was looked at."""

# Standard input and output ↔ the socket that is the first argument. It ends with either side.
PYTHON = r"""import os,select,socket,sys
s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1])
while True:
    for f in select.select([0,s],[],[])[0]:
        d=s.recv(65536) if f is s else os.read(0,65536)
        if not d: sys.exit()
        if f is s:
            while d: d=d[os.write(1,d):]
        else: s.sendall(d)
"""
PERL = r"""use Socket; socket(S,PF_UNIX,SOCK_STREAM,0) && connect(S,sockaddr_un($ARGV[0])) or exit 1;
sub put { my($to,$d)=@_; while(length $d){ my $n=syswrite($to,$d); defined $n or exit; substr($d,0,$n)="" } }
while(1){ my $r=""; vec($r,0,1)=1; vec($r,fileno(S),1)=1; select($r,undef,undef,undef)>0 or next; my $d;
  if(vec($r,0,1)){ sysread(STDIN,$d,65536) or exit; put(\*S,$d) }
  if(vec($r,fileno(S),1)){ sysread(S,$d,65536) or exit; put(\*STDOUT,$d) } }
"""

_CLEAN = r"""box=; server_pid=; busy=; watcher=; main=$$
clean() {
  trap '' HUP INT TERM PIPE
  exec 2> /dev/null
  for one in $watcher $busy $server_pid; do kill -9 "$one" || :; done
  [ -z "$box" ] || rm -rf "$box"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM PIPE
# Whether such a program runs under this process id. What has ended and was not waited for has no command line.
runs() { grep -qs "$folder" "/proc/$1/cmdline"; }
a_moment() { sleep 0.1 2>/dev/null || sleep 1; }
"""

_FIND = r"""bridge=
for one in python3 python /usr/libexec/platform-python python2 perl socat; do
  if command -v "$one" >/dev/null 2>&1; then bridge=$one; break; fi
done
[ -n "$bridge" ] || fail 34 "this node has no python, perl or socat to reach a socket with"
server=
for one in redis valkey; do if server=$(command -v "$one-server" 2>/dev/null); then break; fi; done
[ -n "$server" ] || fail 35 "this node has no Redis server program in the path of its shell"
version=$("$server" --version 2>/dev/null | sed -n 's/.*v=\([0-9.]*\).*/\1/p')
[ -n "$version" ] || fail 35 "$server cannot be run"
[ "$form" != folder ] || [ "${version%%.*}" -ge 7 ] || fail 36 "$server is version $version, older than $data"
have=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
[ -n "$have" ] || have=$(awk '/^(MemFree|Cached):/ { kb += $2 } END { print kb + 0 }' /proc/meminfo)
[ "$have" -ge "$memory" ] || fail 37 "too little memory: $have kB available, $memory kB wanted"
place=$(dirname "$data")
for old in "$place/$folder".*; do
  if [ -f "$old/program" ] && ! runs "$(cat "$old/program")"; then rm -rf "$old"; fi
done
free=$(df -P -k "$place" | tail -n 1 | awk '{ print $4 }')
[ "$((free * 1024))" -ge "$wanted" ] || fail 21 "no room in $place: $((free * 1024)) bytes free, $wanted wanted"
"""

# What is written while it copies and loads also finds out whether the console still listens: else the program ends.
_COPY = r"""[ -e "$data" ] || fail 20 "$data is not there"
[ "$form" = folder ] || [ -f "$data" ] || fail 20 "$data is no regular file"
[ "$(shown_now "$data")" = "$shown" ] || fail 26 "$data is not the one that was shown"
box=$(mktemp -d "$place/$folder.XXXXXX") || fail 21 "no folder can be made in $place"
printf '%s\n' "$main" > "$box/program"
(
  exec < /dev/null > /dev/null 2>&1
  end=$(($(date +%s) + life))
  while runs "$main" && [ "$(date +%s)" -lt "$end" ]; do sleep 1; done
  kill -TERM "$main" || :
  for one in copy server; do [ ! -f "$box/$one" ] || kill -9 "$(cat "$box/$one")" || :; done
  rm -rf "$box"
) &
watcher=$!
low="nice -n 19"
! command -v ionice >/dev/null 2>&1 || low="ionice -c 3 $low"
mkdir "$box/d"
into=$box/d/data
[ -z "$names" ] || { into=$box/d/a; mkdir "$into"; }
take() { if [ -z "$names" ]; then exec $low cp "$data" "$into"
  else for name in $names "$manifest"; do $low cp "$data/$name" "$into/$name" || exit 1; done; fi; }
(take) < /dev/null > "$box/out" 2>&1 &
busy=$!
printf '%s\n' "$busy" > "$box/copy"
while kill -0 "$busy" 2>/dev/null; do printf 'copying\n'; a_moment; done
wait "$busy" || fail 23 "$data could not be copied: $(tail -n 1 "$box/out")"
busy=
rm -f "$box/copy"
[ "$(shown_now "$data")" = "$shown" ] || fail 26 "$data changed while it was copied"
[ "$(shown_now "$into" | cut -d ' ' -f 1)" = "${shown%% *}" ] || fail 24 "$data and its copy differ"
if [ -n "$expected" ]; then
  sum=$(sum_of "$into")
  [ "$sum" = "$expected" ] || fail 28 "$data is not what was backed up: SHA-256 $sum, it was $expected"
fi
"""

# By another name: a check that looks for a process of Redis must not find this one. So no command line has that name.
# Of a file that is broken in the middle, a server also prints what it counted up to there. That is no reason.
_LOAD = r"""why() {
  grep -v -e WARNING -e '\[info\]' -e '\[additional info\]' -e 'ERROR DETECTED' -e 'Checking RDB' -e 'AUX FIELD' \
    -e 'Selecting DB' -e 'RDB looks OK' -e 'checksum disabled' | tail -n 2 | sed 's/^[0-9]*:[A-Z] .*[0-9] [*#.-] //'
}
ln -s "$server" "$box/throw-away"
set -- --dir "$box/d" --logfile "$box/log" --port 0 --unixsocket ../s --unixsocketperm 700 --save "" \
  --daemonize no --databases 16384 --auto-aof-rewrite-percentage 0
case $form in
  dump) set -- "$@" --dbfilename data --appendonly no ;;
  aof) set -- "$@" --appendfilename data --appendonly yes --appendfsync no ;;
  folder) set -- "$@" --appenddirname a --appendfilename "${manifest%.manifest}" --appendonly yes --appendfsync no ;;
esac
(
  { printf 1000 > /proc/self/oom_score_adj; } 2>/dev/null || :
  ulimit -v "$((have * 9 / 10))" 2>/dev/null || :
  exec $low "$box/throw-away" "$@"
) < /dev/null > "$box/out" 2>&1 &
server_pid=$!
printf '%s\n' "$server_pid" > "$box/server"
end=$(($(date +%s) + load))
while ! grep -qi 'ready to accept' "$box/log" 2>/dev/null; do
  kill -0 "$server_pid" 2>/dev/null ||
    fail 38 "$server $version does not load it: $(cat "$box/log" "$box/out" 2>/dev/null | why | tr '\n' ' ')"
  [ "$(date +%s)" -lt "$end" ] || fail 39 "it was not loaded within $load s"
  printf 'loading\n'
  a_moment
done
printf 'ready %s\n' "$version"
cd "$box"
case $bridge in
  perl) perl -e "$perl" s || : ;;
  socat) socat - UNIX-CONNECT:s || : ;;
  *) "$bridge" -E -S -c "$python" s || : ;;
esac
"""


def throw_away_server(data: DiskData | Backup, node: NodeSpec, expected: str = "") -> ShellCommand:
    """The command whose input and output are a connection to a server that holds this data. It sends no secret.

    Its output begins with lines that say what it does. The last one is `ready VERSION`: from there on the server's
    protocol is spoken. It may also end before: then its error output says why. The files are compared by size and time
    with `data`, so that nothing else is loaded than what was observed. `expected`: the SHA-256 of a backup, as its run
    has recorded it. Empty: whatever was observed is loaded.
    """
    seconds = int(60 + data.size / SLOWEST), int(60 + data.size / SLOWEST_LOAD)
    settings = {
        "data": data.path,
        **files_as_words(data, node),
        "shown": f"{data.size} {data.modified:.0f}",
        "expected": expected,
        "wanted": str(int(data.size * DISK_MARGIN)),
        "memory": str(memory_for(data) // 1024),
        "load": str(seconds[1]),
        "life": str(sum(seconds) + USE),
        "folder": FOLDER,
        "python": PYTHON,
        "perl": PERL,
    }
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    script = head + START + FILES + SHOWN + _CLEAN + _FIND + _COPY + _LOAD
    return ShellCommand(script, sudo=node.ssh.sudo, timeout=float(sum(seconds)))
