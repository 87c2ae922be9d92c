#!/bin/sh
# Runs the built tests, a folder of Tests/ at a time: each in a process of its own, because tests that compute for minutes
# would starve those that wait for processes, sockets and leases beside them. End-to-end tests come last.
# Exit status 1 when any failed; the last lines name them and repeat what failed in them.
set -u
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
failed=""
printed=$(mktemp -d)
trap 'rm -rf "$printed"' EXIT
run() {
    case $1 in
        Web) deploy/tools/web.sh test ;;
        *) $swift test --skip-build --disable-xctest --filter "^$1\\." ;;
    esac
}
for folder in Tests/Web $(ls -d Tests/*Tests | grep -v EndToEndTests) Tests/EndToEndTests; do
    target=$(basename "$folder")
    echo "== $target"
    { run "$target" 2>&1 || touch "$printed/failed"; } | tee "$printed/log"
    [ -e "$printed/failed" ] || continue
    rm "$printed/failed"
    failed="$failed $target"
    # The signs of Swift Testing and of node for what went wrong, and a process that ended before it could say so.
    grep -e ✘ -e '^ *not ok' -e 'Fatal error' -e 'unexpected signal' "$printed/log" | sed "s/^/$target: /" >> "$printed/failures"
done
if [ -n "$failed" ]; then
    echo "== what failed" >&2
    tail -n 40 "$printed/failures" >&2
    echo "test: failed:$failed" >&2
    exit 1
fi
echo "test: every folder of Tests/ passed"
