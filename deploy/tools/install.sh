#!/bin/sh
# Installs the release build on this host: executables, OpenVINO and the model under /opt/zhiyue, the units, the user.
# Starts nothing. Needs root. DESTDIR installs below another root, without making the user.
set -eu
cd "$(dirname "$0")/../.."
destination=${DESTDIR:-}
prefix=$destination/opt/zhiyue
build=.build/release
services="gateway event-router ocr-worker ocr-reader scan-unpacker sheet-printer grading-worker batch-worker notifier analytics zhiyue"

for name in $services; do
    [ -x "$build/$name" ] || { echo "install: $build/$name is missing; run make build" >&2; exit 1; }
done
[ -d .deps/openvino ] && [ -d .deps/models ] || { echo "install: .deps is missing; run make deps" >&2; exit 1; }

install -d "$prefix/bin" "$prefix/share" "$destination/etc/zhiyue" "$destination/etc/systemd/system"
for name in $services; do install -m 755 "$build/$name" "$prefix/bin/"; done
# Beside the executables, where the reader looks for them.
rm -rf "$prefix/bin/openvino" "$prefix/bin/models"
cp -a .deps/openvino .deps/models "$prefix/bin/"
install -m 644 README.md LICENSE "$prefix/share/"
install -m 644 deploy/systemd/*.service deploy/systemd/*.target "$destination/etc/systemd/system/"
if [ -z "$destination" ]; then
    id zhiyue > /dev/null 2>&1 || useradd --system --home-dir /var/lib/zhiyue --shell /usr/sbin/nologin zhiyue
    systemctl daemon-reload
fi
echo "install: $prefix is ready; next see deploy/systemd/README.md"
