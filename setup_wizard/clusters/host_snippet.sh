set -f
say() { printf '%s\n' "$*"; }
say 'host-facts 1'
say fingerprint "$(openssl s_client -connect "$api" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 2>/dev/null)"
sockets=$(cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null)
if [ -z "$sockets" ]; then
  say port53 unknown
elif printf '%s\n' "$sockets" | awk '$2 ~ /:0035$/ && ($4 == "0A" || $4 == "07") { found = 1 } END { exit !found }'; then
  program=$(ss -Hlntup 'sport = :53' 2>/dev/null | sed -n 's/.*(("\([^"]*\)".*/\1/p' | sort -u | tr '\n' ' ')
  [ -n "$program" ] || program=$(ps -A -o comm= 2>/dev/null | grep -E '^(systemd-resolve|dnsmasq|named|unbound|pdns_server|coredns)' | sort -u | tr '\n' ' ')
  say port53 used "$program"
else
  say port53 free
fi
if [ -r /proc/swaps ]; then say swap "$(awk 'NR > 1 { count++ } END { print count ? "on" : "off" }' /proc/swaps)"; else say swap unknown; fi
huge=$(sed -n 's/.*\[\([a-z]*\)\].*/\1/p' /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)
say huge_pages "${huge:-unknown}"
range=$(tr '\t' ' ' </proc/sys/net/ipv4/ip_local_port_range 2>/dev/null)
say port_range "${range:-unknown}"
offset=$(LC_ALL=C chronyc -n tracking 2>/dev/null | awk '/^System time/ { print ($6 == "slow" ? "-" : "") $4 } /^Leap status/ { print ($4 == "Not" ? "not" : "yes") }' | tr '\n' ' ')
say clock "${offset:-unknown}"
if [ ! -e /proc/net/if_inet6 ]; then say localhost no_ipv6
elif [ ! -r /etc/hosts ]; then say localhost unknown
elif grep -Eq '^[[:space:]]*::1[[:space:]]([^#]*[[:space:]])?localhost([[:space:]]|$)' /etc/hosts; then say localhost yes
else say localhost no; fi
for path in $paths; do
  there=$path
  while [ ! -e "$there" ] && [ "$there" != / ]; do there=$(dirname "$there"); done
  state=missing
  [ "$there" = "$path" ] && state=there
  owner=$(stat -c %U "$there" 2>/dev/null)
  kind=$(stat -f -c %T "$there" 2>/dev/null | tr ' ' '_')
  mount=$(df -P "$there" 2>/dev/null | awk 'NR == 2 { print $6 }')
  say path "$state" "${owner:-unknown}" "${kind:-unknown}" "${mount:-unknown}" "$path"
done
reach() {
  if command -v nc >/dev/null 2>&1; then
    text=$(timeout 4 nc -vz -w 3 "$1" "$2" 2>&1)
  elif command -v bash >/dev/null 2>&1; then
    # shellcheck disable=SC2016
    text=$(timeout 3 bash -c ': < "/dev/tcp/$1/$2"' bash "$1" "$2" 2>&1)
  else
    say peer unknown "$1" "$2"
    return
  fi
  code=$?
  if [ "$code" = 0 ]; then say peer open "$1" "$2"
  elif printf '%s\n' "$text" | grep -qi refused; then say peer refused "$1" "$2"
  else say peer closed "$1" "$2"; fi
}
for peer in $peers; do reach "${peer%/*}" "${peer##*/}" & done
wait
say end
