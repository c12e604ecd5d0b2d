#!/bin/sh
# A preStop hook: waits until no replica of Evenkeel knows of a session of this pod any more. See docs/drain.md.
# POD_NAME and POD_NAMESPACE come from the downward API. EVENKEEL_SESSIONS names a headless Service and the port:
# it has an address for each replica, and each replica knows only of what passes through it.
service=${EVENKEEL_SESSIONS:-evenkeel-sessions.evenkeel:9095}
host=${service%:*}
port=${service##*:}
pod=${POD_NAMESPACE:+$POD_NAMESPACE/}${POD_NAME:-$(hostname)}
pause=${EVENKEEL_SESSIONS_PAUSE:-5}

# Prints what one replica answers; nothing when it answers with an error (404: no member has this pod).
ask() {
  url="http://$1:$port/sessions/$pod?format=text"
  if command -v curl >/dev/null; then curl -s -f -m 5 "$url"; else wget -q -T 5 -O - "$url"; fi
}

addresses() {
  getent ahosts "$host" | awk '$2 == "STREAM" { print ($1 ~ /:/) ? "[" $1 "]" : $1 }' | sort -u
}

silent=0
# The first look is one pause later: by then Evenkeel knows that this pod is ending.
while sleep "$pause"; do
  left=0
  answers=0
  for address in $(addresses); do
    count=$(ask "$address") || continue
    answers=$((answers + 1))
    left=$((left + count))
  done
  if [ "$answers" -gt 0 ] && [ "$left" -eq 0 ]; then exit 0; fi
  # Nobody knows this pod, or nobody is there: after three times there is nothing to wait for.
  if [ "$answers" -eq 0 ]; then silent=$((silent + 1)); else silent=0; fi
  if [ "$silent" -ge 3 ]; then exit 0; fi
done
