#!/bin/bash
# Runs the Autobahn test suite's cases 1 to 7, 10, and 12 and 13, which are those of compression, against the echo program of
# the tests, which shares its WebSocket code with the gateway. A case of compression sends AUTOBAHN_MESSAGES messages, 100
# unless set; the suite's own 1000 take ten times as long. $1 is a folder with prepare.sh, which makes the suite run on
# Python 3, and conformance.py, which runs it. Exit status 1 when a case fails; 0 with a line that says so when there is
# no such folder.
set -eu
cd "$(dirname "$0")/../.."
tools=${1:-}
if [ ! -f "$tools/conformance.py" ]; then
    echo "autobahn: left out, no conformance.py in ${tools:-the folder AUTOBAHN}"
    exit 0
fi
suite=.build/autobahn
mkdir -p "$suite"
[ -x "$suite/python/bin/python" ] || python3 -m venv "$suite/python"
"$suite/python/bin/python" -c 'import autobahn, twisted' 2> /dev/null ||
    "$suite/python/bin/pip" install --quiet autobahn twisted
[ -d "$suite/suite/autobahntestsuite" ] || PATH="$PWD/$suite/python/bin:$PATH" bash "$tools/prepare.sh" "$PWD/$suite/suite"
sed -i -E "s/^( +\([0-9]+, *)[0-9]+, /\1${AUTOBAHN_MESSAGES:-100}, /" \
    "$suite/suite/autobahntestsuite/case/case12_x_x.py"

rm -f "$suite/port"
.build/debug/WebSocketEcho > "$suite/port" &
echo=$!
trap 'kill $echo' EXIT
until [ -s "$suite/port" ]; do
    kill -0 $echo || exit 1
    sleep 0.05
done
cat > "$suite/spec.json" << SPEC
{"suite": "$PWD/$suite/suite", "url": "ws://127.0.0.1:$(head -n 1 "$suite/port")/",
 "cases": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*", "12.*", "13.*"], "exclude-cases": [],
 "out": "$suite/result.json"}
SPEC
"$suite/python/bin/python" "$tools/conformance.py" "$suite/spec.json"
