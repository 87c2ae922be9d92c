#!/bin/sh
# systemd-analyze verify on the units, as they would be installed, and a limit for what they expose
# (systemd-analyze security, 0 best to 100 worst, in tenths of its figure).
set -eu
cd "$(dirname "$0")/../.."
limit=25

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# The verifier wants the executables to exist; what is checked here are the units.
for unit in deploy/systemd/zhiyue-*@.service; do
    name=$(basename "$unit" @.service)
    sed "s|/opt/zhiyue/bin/${name#zhiyue-}|/bin/true|" "$unit" > "$root/$name@.service"
done
cp deploy/systemd/zhiyue.target "$root/"

output=$root/output
status=0
for unit in "$root"/*@.service; do
    name=$(basename "$unit" @.service)
    cp "$unit" "$root/$name@1.service"
    SYSTEMD_UNIT_PATH=$root: systemd-analyze verify --man=no --recursive-errors=no "$root/$name@1.service" > "$output" 2>&1 || status=1
    if [ -s "$output" ]; then
        sed "s|$root/||" "$output"
        status=1
    fi
    systemd-analyze security --offline=true --threshold=$limit "$root/$name@1.service" > "$output" 2>&1 \
        || { echo "$name exposes more than $limit:"; tail -n 1 "$output"; status=1; }
done
systemd-analyze verify --man=no --recursive-errors=no "$root/zhiyue.target" || status=1
exit $status
