#!/bin/bash
# Marks a class whose sheets, of one page each, come in one file (KIND pdf, tiff or zip), on a system of its own, and
# fails unless every mark is right or flagged. Prints the figures, how far the file was told to be, and the highest
# memory of each program. Arguments: KIND SHEETS FOLDER-OF-THE-PROGRAMS.
# KILL_WORKER=SECONDS kills the ocr-worker so long after the upload began.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=$1 sheets=$2 programs=$3
data=$(mktemp -d)
peaks=$data/peaks
system=
stop() {
    [ -z "$system" ] || { kill "$system" 2>/dev/null && wait "$system" || true; }
    rm -rf "$data"
}
trap stop EXIT

"$programs/zhiyue" up --port 0 --data "$data/system" > "$data/out" 2> "$data/log" &
system=$!
until grep -q '^ready ' "$data/out"; do
    kill -0 "$system" 2>/dev/null || { cat "$data/log" >&2; exit 1; }
    sleep 0.2
done
url=$(awk '/^ready /{print $2}' "$data/out")

# Every program that descends from the system: the most it was seen with, in MiB.
watch_memory() {
    while sleep 0.2; do
        ps -eo pid=,ppid=,rss=,comm= | awk -v root="$system" '
            { parent[$1] = $2; rss[$1] = $3; name[$1] = $4 }
            END {
                for (pid in parent) {
                    up = pid
                    while (up in parent && up != root && up > 1) up = parent[up]
                    if (up == root) print name[pid], rss[pid]
                }
            }' >> "$peaks"
    done
}
watch_memory &
watcher=$!
if [ -n "${KILL_WORKER:-}" ]; then
    (
        until "$programs/zhiyue" events history --type batch.progress --json --data "$data/system" 2>/dev/null \
            | grep -q done; do sleep 1; done
        sleep "$KILL_WORKER"
        kill -KILL $(pgrep -P "$system" -x ocr-worker) && echo "killed the ocr-worker" >&2
    ) &
fi
status=0
"$programs/zhiyue" demo --one-file "$kind" --sheets "$sheets" --questions 8 --url "$url" --data "$data/system" || status=$?
kill "$watcher"
echo "told by batch.progress: $("$programs/zhiyue" events history --type batch.progress --json --data "$data/system" \
    | sed -n 's/.*"done":\([0-9]*\).*/\1/p' | tr '\n' ' ')"
echo "highest memory of a process, MiB:"
awk '{ if ($2 > most[$1]) most[$1] = $2 } END { for (name in most) printf "  %-16s %d\n", name, most[name] / 1024 }' \
    "$peaks" | sort
exit "$status"
