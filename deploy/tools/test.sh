#!/bin/sh
# Runs the built tests, a folder of Tests/ at a time: each in a process of its own, because tests that compute for minutes
# would starve those that wait for processes, sockets and leases beside them. End-to-end tests come last.
# Exit status 1 when any failed; the last lines name them.
set -u
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
failed=""
for folder in $(ls -d Tests/*Tests | grep -v EndToEndTests) Tests/EndToEndTests; do
    target=$(basename "$folder")
    echo "== $target"
    $swift test --skip-build --disable-xctest --filter "^$target\\." || failed="$failed $target"
done
if [ -n "$failed" ]; then
    echo "test: failed:$failed" >&2
    exit 1
fi
echo "test: every folder of Tests/ passed"
