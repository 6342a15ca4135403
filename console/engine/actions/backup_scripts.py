"""The shell texts that copy the data of a node, verify the copy, and load it for trial in a throw-away server.

They run on any POSIX sh with coreutils (CentOS 6 included), and hold no secret. Exit statuses of their own start at 20,
so that they are told apart from those of sh, cp and mv.
"""

from __future__ import annotations

START = r"""set -eu
umask 077
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/bin:/usr/local/sbin:/usr/bin:/bin:/usr/sbin:/sbin"
fail() { printf '%s\n' "$2" >&2; exit "$1"; }
"""
FILES = r"""digest() { sha256sum < "$1" | cut -d ' ' -f 1; }
# Of what is loaded. Of a folder: of the digests of its files, in the order of their names.
sum_of() {
  if [ -z "$names" ]; then digest "$1"
  else for name in $(printf '%s\n' $names | sort); do digest "$1/$name"; done | sha256sum | cut -d ' ' -f 1; fi
}
owner() { stat -L -c '%a %u:%g' "$1"; }
bytes() { stat -L -c '%s' "$1"; }
# Old ones know no argument, and write everything out.
settle() { sync "$1" 2>/dev/null || sync; }
"""
SHOWN = r"""# Size and time of what is loaded: of a folder, the sum and the newest.
shown_now() {
  if [ -z "$names" ]; then stat -L -c '%s %Y' "$1"
  else for name in $names; do stat -L -c '%s %Y' "$1/$name"; done |
    awk '{ size += $1; if ($2 > last) last = $2 } END { printf "%.0f %.0f\n", size, last }'; fi
}
"""
COPY = r"""part=; box=; server_pid=
clean() {
  [ -z "$server_pid" ] || kill -9 "$server_pid" 2>/dev/null || :
  [ -z "$part" ] || rm -rf "$part" "$part.note" "$part.trial"
  [ -z "$box" ] || rm -rf "$box"
}
room() {
  free=$(df -P -k "$1" | tail -n 1 | awk '{ print $4 }')
  [ "$((free * 1024))" -ge "$wanted" ] || fail 21 "no room in $1: $((free * 1024)) bytes free, $wanted wanted$2"
}
copy() {
  ( set -C; : > "$2" ) 2>/dev/null || fail 22 "$2 is there already$3"
  [ -n "$part" ] || part=$2
  trap clean EXIT
  trap 'exit 1' HUP INT TERM
  cp -p "$1" "$2" || fail 23 "$1 could not be copied$3"
  settle "$2"
  sum=$(digest "$2")
  [ "$(bytes "$2")" = "$(bytes "$1")" ] && [ "$sum" = "$(digest "$1")" ] || fail 24 "$1 and its copy differ$3"
  [ "$(owner "$2")" = "$(owner "$1")" ] || fail 25 "mode and owner of $1 cannot be kept$3"
}
# The files of one AOF folder, in the order of loading, with its manifest: all of one moment, or none.
copy_folder() {
  mkdir "$2" 2>/dev/null || fail 22 "$2 is there already$3"
  part=$2
  trap clean EXIT
  trap 'exit 1' HUP INT TERM
  for name in $names; do copy "$1/$name" "$2/$name" "$3"; done
  copy "$1/$manifest" "$2/$manifest" "$3"
  for name in $names "$manifest"; do
    [ "$(stat -L -c '%s %Y' "$1/$name")" = "$(stat -L -c '%s %Y' "$2/$name")" ] || fail 24 "$1 changed meanwhile$3"
  done
  sum=$(sum_of "$2")
  set -- $(owner "$1") "$2"
  chmod "$1" "$3" && chown "$2" "$3"
}
"""

_TOOL = r"""tool=; beside=$(readlink "/proc/$pid/exe" 2>/dev/null || :); beside=${beside%" (deleted)"}
for one in "${beside%/*}/redis-check-KIND" "${beside%/*}/valkey-check-KIND" \
    redis-check-KIND valkey-check-KINDMORE; do
  if tool=$(command -v "$one" 2>/dev/null); then break; fi
done
keys=; expires=; ok=
"""
# What redis-check-rdb says is told apart: fine; broken; a tool that is too old for this file; no tool. The one of 3.0
# and before (redis-check-dump) ends with 0 whatever it finds. The tool beside the running server comes first.
CHECK = (
    _TOOL.replace("MORE", " redis-check-dump").replace("KIND", "rdb")
    + r"""if [ -z "$tool" ]; then checked="not checked: this node has no redis-check-rdb"
else
  status=0; said=$("$tool" "$part" 2>&1) || status=$?
  name=${tool##*/}
  keys=$(printf '%s\n' "$said" | sed -n 's/^\[info\] \([0-9][0-9]*\) keys read$/\1/p')
  expires=$(printf '%s\n' "$said" | sed -n 's/^\[info\] \([0-9][0-9]*\) expires$/\1/p')
  case "$status $said" in
    *"RDB format version"*) keys=; expires=
      checked="not checked: $name is too old for this file" ;;
    "0 "*"RDB looks OK"*) checked="$name: RDB looks OK" ;;
    *"nprocessable"*) fail 27 "$name found errors in $checking: $(printf '%s' "$said" | tail -n 3)$none" ;;
    "0 "*"CRC64 checksum is OK"*) checked="$name: the checksum is OK" ;;
    126*|127*) checked="not checked: $name cannot be run" ;;
    *) fail 27 "$name found errors in $checking (exit $status): $(printf '%s' "$said" | tail -n 6)$none" ;;
  esac
fi
"""
)

# A last file that ends in the middle of a command is no error: Redis drops that command when it loads the file. Any
# other file must be whole. `ok` is where the last whole command of a cut file ends.
CHECK_AOF = (
    _TOOL.replace("MORE", "").replace("KIND", "aof")
    + r"""last=; for last in $names; do :; done
if [ -z "$tool" ]; then checked="not checked: this node has no redis-check-aof"
else
  status=0; said=$("$tool" "$part${names:+/$manifest}" < /dev/null 2>&1) || status=$?
  name=${tool##*/}
  where=$(printf '%s\n' "$said" | sed -n 's/^AOF analyzed: \(.*\)$/\1/p' | tail -n 1)
  lost=$(printf '%s\n' "$where" | sed -n 's/.*diff=\([0-9][0-9]*\).*/\1/p')
  # The length of a command that is cut in its middle: the line at this place has no end.
  at=$(printf '%s\n' "$said" | sed -n 's/^0x *\([0-9a-f]*\): Expected \\r\\n, got.*/\1/p' | tail -n 1)
  [ -z "$at" ] || [ "$(tail -c "+$((0x$at + 1))" "$part${last:+/$last}" | wc -l)" -ne 0 ] ||
    said=$(printf '%s\n' "$said" | sed '/Expected \\r\\n, got/d')
  case "$status $said" in
    "0 "*) checked="$name: no errors" ;;
    *"RDB format version"*|*"got: 'f'"*) checked="not checked: $name is too old for this file" ;;
    126*|127*) checked="not checked: $name cannot be run" ;;
    *"Expected prefix"*|*'Expected \r\n'*|*"RDB ERROR"*|*"not sane"*)
      fail 27 "$name found errors in $checking (exit $status): $(printf '%s' "$said" | tail -n 4)$none" ;;
    *"is not valid"*)
      case "$last $where" in
        " "*|*"filename=$last,"*) ;;
        *) fail 27 "$name found a cut file before the last one in $checking: $where$none" ;;
      esac
      ok=$(printf '%s\n' "$where" | sed -n 's/.*ok_up_to=\([0-9][0-9]*\).*/\1/p')
      checked="$name: its end is cut, Redis drops the last $lost bytes when it loads it" ;;
    *) fail 27 "$name found errors in $checking (exit $status): $(printf '%s' "$said" | tail -n 4)$none" ;;
  esac
fi
"""
)

# The throw-away server has no port and no replication. It saves nothing, and its AOF is an increment of its own: the
# copy is only read. Programs before 7.0 append to the file that they load, so they get a copy of the copy.
TRIAL = r"""trial() {
  server=; for one in "$beside" redis-server valkey-server; do
    case $one in *server*) if server=$(command -v "$one" 2>/dev/null); then break; fi ;; esac
  done
  [ -n "$server" ] || { why="this node has no redis-server"; return; }
  have=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
  [ "${have:-0}" -ge "$trial_memory" ] || { why="$trial_memory kB of memory wanted, ${have:-0} available"; return; }
  version=$("$server" --version 2>/dev/null | sed -n 's/.*v=\([0-9.]*\).*/\1/p')
  [ -n "$version" ] || { why="$server cannot be run"; return; }
  box=$(mktemp -d "${TMPDIR:-/tmp}/redis-ha-console.XXXXXX") || { why="no folder for it"; return; }
  set -- --port 0 --unixsocket "$box/s" --save "" --daemonize no --logfile "$box/log" --databases 16384
  if [ "$form" = dump ]; then
    ln -s "$part" "$box/dump.rdb"
    set -- "$@" --dir "$box" --dbfilename dump.rdb --appendonly no
  elif [ "${version%%.*}" -ge 7 ]; then
    mkdir "$box/a"
    whole=$names; [ -z "$ok" ] || whole=${names% "$last"}
    [ "$whole" != "$last" ] || [ -z "$ok" ] || whole=
    if [ -z "$names" ]; then
      [ -n "$ok" ] || ln -s "$part" "$box/a/t.base.aof"
      [ -z "$ok" ] || spare "$part" "$box/a/t.base.aof" || return 0
      printf 'file t.base.aof seq 1 type b\nfile t.incr.aof seq 1 type i\n' > "$box/a/t.manifest"
    else
      for name in $whole; do ln -s "$part/$name" "$box/a/$name"; done
      [ -z "$ok" ] || spare "$part/$last" "$box/a/$last" || return 0
      awk '!/ type h/ { print; if ($4 + 0 > seq) seq = $4 }
        END { printf "file t.incr.aof seq %d type i\n", seq + 1 }' "$part/$manifest" > "$box/a/t.manifest"
    fi
    : > "$box/a/t.incr.aof"
    set -- "$@" --dir "$box" --appenddirname a --appendfilename t --appendonly yes --auto-aof-rewrite-percentage 0
  elif [ -n "$names" ]; then why="$server is version $version, older than this file"; return
  else
    spare "$part" "$box/t" || return 0
    set -- "$@" --dir "$box" --appendfilename t --appendonly yes --auto-aof-rewrite-percentage 0
  fi
  (
    { printf 1000 > /proc/self/oom_score_adj; } 2>/dev/null || :
    ulimit -v "$((have * 9 / 10))" 2>/dev/null || :
    exec nice -n 19 "$server" "$@"
  ) < /dev/null > "$box/out" 2>&1 &
  server_pid=$!
  until_then=$(($(date +%s) + trial_seconds))
  while ! grep -qi 'ready to accept' "$box/log" 2>/dev/null; do
    if ! kill -0 "$server_pid" 2>/dev/null; then
      wait "$server_pid" 2>/dev/null || :
      server_pid=
      why=$(cat "$box/log" "$box/out" 2>/dev/null | grep -v WARNING | tail -n 3)
      # Without a check nobody knows where the last whole command ends.
      [ -n "$tool" ] || [ "$form" = dump ] || why="not checked: $why"
      case $why in
        "not checked: "*|*odule*|*nknown\ command*|*"RDB format version"*) ;;
        *"ad file format"*|*"nexpected end"*|*"hort read"*|*hecksum*|*"nternal error in RDB"*|*orrupt*|\
        *"rdb file reading failure"*|*"rong signature"*) fail 27 "$server does not load $checking: $why$none" ;;
      esac
      why="$server ended: $why"
      return
    fi
    [ "$(date +%s)" -lt "$until_then" ] || { why="it was not loaded within $trial_seconds s"; return; }
    sleep 0.1 2>/dev/null || sleep 1
  done
  loaded="loaded for trial by ${server##*/} $version"
  client=; for one in "${server%/*}/redis-cli" redis-cli valkey-cli; do
    if client=$(command -v "$one" 2>/dev/null); then break; fi
  done
  if [ -n "$client" ] && said=$("$client" -s "$box/s" INFO keyspace 2>/dev/null) && [ -z "$keys" ]; then
    set -- $(printf '%s\n' "$said" | sed -n 's/^db[0-9]*:keys=\([0-9]*\),expires=\([0-9]*\).*/\1 \2/p' |
      awk '{ keys += $1; expires += $2 } END { print keys + 0, expires + 0 }')
    keys=$1; expires=$2
  fi
}
# A file of its own for the trial, up to its last whole command.
spare() {
  free=$(df -P -k "$(dirname "$part")" | tail -n 1 | awk '{ print $4 }')
  [ "$((free * 1024))" -ge "$((2 * $(bytes "$1")))" ] || { why="too little room for it"; return 1; }
  if [ -n "$ok" ]; then head -c "$ok" "$1" > "$part.trial"; else cp "$1" "$part.trial"; fi
  ln -s "$part.trial" "$2"
}
loaded=; why=
trial
[ -z "$server_pid" ] || { kill -9 "$server_pid"; wait "$server_pid" 2>/dev/null || :; server_pid=; }
[ -z "$box" ] || { rm -rf "$box" "$part.trial"; box=; }
checked="$checked; ${loaded:-not loaded for trial: $(printf '%s' "$why" | tr '\n' ' ')}"
"""

FINISH = r"""tell() {
  set -- $(shown_now "$part")
  printf 'size %s\nsha256 %s\n' "$1" "$sum"
  [ -z "$keys" ] || printf 'keys %s\nexpires %s\n' "$keys" "${expires:-0}"
  printf 'checked %s\n' "$checked"
}
tell > "$part.note"
set -- $(owner "$data")
chmod "$(printf '%s' "$1" | tr 157 046)" "$part.note" && chown "$2" "$part.note"
settle "$part.note"
printf 'backup %s\n' "$copy_of"
tell
mv "$part.note" "$copy_of.note"
mv "$part" "$copy_of"
part=
settle "$(dirname "$data")"
"""

BACKUP = r"""
none="; no backup was made"
copy_of="$data.redis-ha-console.$stamp"
checking=$data
[ -e "$data" ] || fail 20 "$data is not there$none"
[ "$(shown_now "$data")" = "$shown" ] || fail 26 "$data is not the one that was shown$none"
[ ! -e "$copy_of" ] || fail 22 "$copy_of is there already"
room "$(dirname "$data")" "$none"
if [ -n "$names" ]; then copy_folder "$data" "$copy_of.part" "$none"; else copy "$data" "$copy_of.part" "$none"; fi
[ "$(shown_now "$data")" = "$shown" ] || fail 26 "$data changed while it was copied$none"
"""

RESTORE = r"""
none="; nothing was replaced"
[ -e "$backup" ] || fail 20 "$backup is not there$none"
[ "$(shown_now "$backup")" = "$shown" ] || fail 26 "$backup is not the one that was shown$none"
place=$dump
case "$into $form" in
  "aof folder") place=$folder ;;
  "aof aof") place=$aof ;;
  "aof dump")
    if [ -d "$folder" ]; then place=$folder
    elif [ -e "$aof" ]; then place=$aof
    else
      server=$(command -v redis-server || command -v valkey-server || :)
      major=$("${server:-false}" --version 2>/dev/null | sed -n 's/.*v=\([0-9]*\)\..*/\1/p')
      [ -n "$major" ] || fail 32 "it is not known which form of AOF this Redis loads$none"
      if [ "$major" -ge 7 ]; then place=$folder; else place=$aof; fi
    fi
    format=$(head -c 9 "$backup" | tail -c 4)
    [ "$place" = "$folder" ] || [ "${format#"${format%%[!0]*}"}" -ge 8 ] ||
      fail 33 "Redis before 4.0 cannot load a dump as its AOF: set appendonly no$none" ;;
esac
new="$place.redis-ha-console.$stamp.part"
for one in "$dump" "$aof" "$folder"; do
  [ ! -e "$one.redis-ha-console.$stamp.set-aside" ] ||
    fail 22 "$one.redis-ha-console.$stamp.set-aside is there already$none"
done
room "$(dirname "$place")" "$none"
if [ "$form" = folder ]; then copy_folder "$backup" "$new" "$none"
elif [ "$place" = "$folder" ]; then
  mkdir "$new" 2>/dev/null || fail 22 "$new is there already$none"
  part=$new
  trap clean EXIT
  aof_name=${aof##*/}
  copy "$backup" "$new/$aof_name.1.base.rdb" "$none"
  : > "$new/$aof_name.1.incr.aof"
  printf 'file %s.1.base.rdb seq 1 type b\nfile %s.1.incr.aof seq 1 type i\n' "$aof_name" "$aof_name" \
    > "$new/$aof_name.manifest"
  set -- $(owner "$backup")
  chmod "$1" "$new"/* && chown "$2" "$new" "$new"/* || fail 25 "mode and owner cannot be given$none"
  chmod "$(printf '%s' "$1" | tr 46 57)" "$new"
  touch -r "$backup" "$new"/*
else copy "$backup" "$new" "$none"; fi
[ -z "$expected" ] || [ "$sum" = "$expected" ] || fail 28 "$backup is not what was backed up: SHA-256 $sum$none"
before="there was no file before"
aside() { printf '%s.redis-ha-console.%s.set-aside' "$1" "$stamp"; }
back() { for one in "$place" "$folder"; do
  [ -e "$one" ] || [ ! -e "$(aside "$one")" ] || mv "$(aside "$one")" "$one"
done; }
# One AOF file is loaded only where there is no folder.
for one in "$place" "$folder"; do
  [ "$one" = "$place" ] || [ "$place" = "$aof" ] || continue
  [ -e "$one" ] || continue
  mv "$one" "$(aside "$one")" || { back; fail 29 "$one could not be set aside$none"; }
  before="what was there before: $(aside "$one")"
done
mv "$new" "$place" || { back; fail 29 "$place could not be put in place$none"; }
part=
settle "$(dirname "$place")"
printf 'restored %s\nfrom %s\nsha256 %s\n%s\n' "$place" "$backup" "$sum" "$before"
"""
