#!/bin/sh
# Checks everything that needs no build: Swift's format, the architecture, scripts, the web app's types, systemd
# units, the compose file.
# A tool that is not on this machine is named and its check left out; exit status 1 when any check fails.
set -u
cd "$(dirname "$0")/../.."

status=0
run() {
    name=$1
    shift
    if "$@"; then
        echo "lint: $name passed"
    else
        echo "lint: $name FAILED"
        status=1
    fi
}
left_out() { echo "lint: $1 left out: $2 is not on this machine"; }

run "swift format" swift format lint --strict --parallel --recursive --configuration .swift-format \
    Package.swift Services Shared Tests
run "architecture" deploy/tools/architecture.sh

scripts() {
    faults=0
    for script in deploy/tools/*.sh .ci/run; do
        case $(head -n 1 "$script") in
            *bash*) bash -n "$script" || faults=1 ;;
            *) sh -n "$script" || faults=1 ;;
        esac
    done
    return $faults
}
run "shell scripts" scripts

if command -v tsc > /dev/null; then
    run "typescript" deploy/tools/web.sh check
else
    left_out "typescript" tsc
fi

if command -v systemd-analyze > /dev/null; then
    run "systemd units" deploy/tools/verify-units.sh
else
    left_out "systemd units" systemd-analyze
fi

if /usr/bin/python3 -c 'import yaml' 2> /dev/null; then
    run "compose file" /usr/bin/python3 deploy/tools/check-compose.py deploy/compose/compose.yaml
else
    left_out "compose file" "python3-yaml"
fi
exit $status
