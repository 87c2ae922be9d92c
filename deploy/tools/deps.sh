#!/bin/sh
# Installs what is missing to build, run and test ZhiYue, and nothing else:
#   deps.sh [--runtime | --bench] [--check]
# Debian packages come by apt (through sudo when not root), OpenVINO and the recognition model from wheels.txt into .deps/,
# the Python programs that check the REST API from python.txt into .deps/python/.
# --runtime: only what a machine needs that runs ready-made executables. --bench: also what `zhiyue bench` sets beside the
# system (nginx with nchan, wrk, and the Python clients of python-bench.txt in .deps/bench/). --check: say what is missing,
# install nothing.
# Exit status: 0 nothing is missing (any more), 1 something could not be installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
deps=${ZHIYUE_DEPS:-$root/.deps}
wheels=$here/wheels.txt
programs=$here/python.txt
bench_programs=$here/python-bench.txt

# The handwriting of the demonstration's simulated students.
handwriting="fonts-dkg-handwriting fonts-breip fonts-comic-neue fonts-bwht fonts-humor-sans fonts-arphic-gkai00mp"
runtime_packages="
    redis-server poppler-utils fonts-noto-cjk tzdata $handwriting
    libhiredis0.14 libopencv-core406 libopencv-imgproc406 libopencv-imgcodecs406 libzxing2 libqrencode4
    libcairo2 libpango-1.0-0 libpangocairo-1.0-0 libturbojpeg0 libseccomp2 libzip4 libzstd1 zlib1g"
build_packages="
    redis-server poppler-utils fonts-noto-cjk tzdata $handwriting
    libhiredis-dev libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libzxing-dev libqrencode-dev
    libcairo2-dev libpango1.0-dev libturbojpeg0-dev libseccomp-dev libzip-dev libzstd-dev zlib1g-dev
    pkg-config openssl procps python3-yaml node-typescript esbuild"

bench_packages="nginx-core libnginx-mod-nchan wrk"

packages=$build_packages
check=no
bench=no
for argument in "$@"; do
    case $argument in
        --runtime) packages=$runtime_packages ;;
        --bench) bench=yes ;;
        --check) check=yes ;;
        *) echo "deps: unknown argument $argument (known: --runtime, --bench, --check)" >&2; exit 2 ;;
    esac
done

[ $bench = no ] || packages="$packages $bench_packages"

say() { printf 'deps: %s\n' "$*"; }
fail() { printf 'deps: %s\n' "$*" >&2; exit 1; }

case $packages in
    # One that is not of Debian does as well.
    *node-typescript*) command -v node > /dev/null || packages="$packages nodejs" ;;
esac

# A wheel's line in wheels.txt is its stamp: what was unpacked from another line is replaced.
pin() { sed -n "s/^\($1==.*\)/\1/p" "$wheels"; }
unpacked() { [ -f "$deps/$2/PIN" ] && [ "$(cat "$deps/$2/PIN")" = "$(pin "$1")" ]; }

wheels_missing=""
unpacked openvino openvino || wheels_missing="$wheels_missing openvino"
unpacked rapidocr models || wheels_missing="$wheels_missing rapidocr"
# They are for this machine's Python, so its version is part of the stamp. Running the system needs none of them.
python_stamp() { python3 --version; cat "$1"; }
installed() { python_stamp "$1" 2> /dev/null | cmp -s - "$deps/$2/PIN"; }
programs_missing=""
case $packages in
    *-dev*) installed "$programs" python || programs_missing=" schemathesis" ;;
esac
[ $bench = no ] || installed "$bench_programs" bench || programs_missing="$programs_missing picows"
if [ -n "$wheels_missing$programs_missing" ]; then
    command -v unzip > /dev/null || packages="$packages unzip"
    python3 -m pip --version > /dev/null 2>&1 || packages="$packages python3-pip"
fi

is_debian() { command -v dpkg-query > /dev/null && command -v apt-get > /dev/null; }

missing_packages() {
    # Word splitting is meant: one package a word.
    # shellcheck disable=SC2086
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' $packages 2> /dev/null \
        | awk -v wanted="$packages" '
            $1 == "installed" { have[$2] = 1 }
            END { n = split(wanted, names); for (i = 1; i <= n; i++) if (!(names[i] in have)) printf " %s", names[i] }'
}

if is_debian; then
    apt_missing=$(missing_packages)
else
    apt_missing=""
    tools="redis-server pdftocairo pkg-config"
    case $packages in *node-typescript*) tools="$tools node tsc esbuild" ;; esac
    for tool in $tools; do
        command -v $tool > /dev/null || apt_missing=" (the Debian names)$packages"
    done
    if [ -z "$apt_missing" ]; then
        for library in hiredis opencv4 zxing libqrencode pangocairo libturbojpeg libseccomp libzip libzstd zlib; do
            pkg-config --exists $library || apt_missing=" (the Debian names)$packages"
        done
    fi
fi

case $packages in
    *-dev*) command -v swift > /dev/null || fail "Swift 6.2 or newer is not on PATH; see https://www.swift.org/install" ;;
esac
if [ -z "$apt_missing" ] && [ -z "$wheels_missing$programs_missing" ]; then
    exit 0
fi
if [ "$check" = yes ]; then
    fail "missing:$apt_missing$wheels_missing$programs_missing"
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo "$@"
    else
        fail "installing needs root: run this as root, or install yourself:$apt_missing"
    fi
}

install_packages() {
    say "installing with apt-get:$apt_missing"
    # The system's own Redis is not used and is not wanted to start: ZhiYue runs its own, or is given a REDIS_URL. The same
    # goes for nginx.
    policy=/usr/sbin/policy-rc.d
    own_policy=no
    case $apt_missing in
        *redis-server* | *nginx-core*)
            if [ ! -e $policy ]; then
                own_policy=yes
                # shellcheck disable=SC2064
                trap "[ $own_policy = no ] || as_root rm -f $policy" EXIT
                printf '#!/bin/sh\nexit 101\n' | as_root tee $policy > /dev/null
                as_root chmod 755 $policy
            fi ;;
    esac
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q -o Dpkg::Use-Pty=0 > /dev/null
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 \
        $apt_missing > "$log" 2>&1 || { tail -n 20 "$log" >&2; fail "apt-get could not install:$apt_missing"; }
    if [ $own_policy = yes ]; then
        as_root rm -f $policy
        trap - EXIT
        if [ -d /run/systemd/system ]; then
            for service in redis-server nginx; do
                case $apt_missing in
                    *$service*) as_root systemctl disable --quiet $service.service 2> /dev/null || true ;;
                esac
            done
        fi
    fi
}

if [ -n "$apt_missing" ]; then
    is_debian || fail "this is not a Debian system. Install by its own package manager:$apt_missing"
    log=$(mktemp)
    install_packages
    rm -f "$log"
fi

# unpack WHEEL FOLDER: everything happens in a temporary folder that takes its final name last, so an interrupted run
# leaves nothing that looks complete.
unpack() {
    wheel=$1 folder=$2
    temporary=$(mktemp -d "$deps/.unpacking.XXXXXX")
    pin "$wheel" > "$temporary/requirements.txt"
    say "downloading $(pin "$wheel" | cut -d' ' -f1)"
    # The wheel is named by its own tags, whatever Python this machine has.
    python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: --require-hashes \
        --implementation cp --python-version 3.11 --abi cp311 --platform manylinux_2_28_x86_64 \
        --dest "$temporary" -r "$temporary/requirements.txt" \
        || { rm -rf "$temporary"; fail "could not download $(pin "$wheel")"; }
    mkdir "$temporary/content"
    (
        cd "$temporary/content"
        case $wheel in
            openvino)
                # The C library, the core, the CPU plugin, the ONNX reader and their thread pool; not the Python module,
                # the GPU and NPU plugins and the other readers.
                unzip -q ../*.whl 'openvino/libs/libopenvino.so.*' 'openvino/libs/libopenvino_c.so.*' \
                    'openvino/libs/libopenvino_intel_cpu_plugin.so' 'openvino/libs/libopenvino_onnx_frontend.so.*' \
                    'openvino/libs/libtbb.so.*' 'openvino/include/openvino/c/*' '*.dist-info/licenses/*' ;;
            rapidocr)
                unzip -q -j ../*.whl 'rapidocr/models/PP-OCRv6_rec_small.onnx' '*.dist-info/licenses/*'
                mv PP-OCRv6_rec_small.onnx recognition.onnx ;;
        esac
    ) || { rm -rf "$temporary"; fail "$wheel does not hold what was expected"; }
    pin "$wheel" > "$temporary/content/PIN"
    chmod 755 "$temporary/content"
    rm -rf "${deps:?}/$folder"
    mv "$temporary/content" "$deps/$folder"
    rm -rf "$temporary"
    say "unpacked into ${deps#"$root"/}/$folder"
}

if [ -n "$wheels_missing$programs_missing" ]; then
    mkdir -p "$deps"
    # One at a time: what another run is unpacking must not be taken for the rest of an interrupted one.
    exec 9> "$deps/.lock"
    flock 9
    rm -rf "$deps"/.unpacking.*
fi
# install_programs LIST FOLDER
install_programs() {
    list=$1 folder=$2
    temporary=$(mktemp -d "$deps/.unpacking.XXXXXX")
    python3 -m pip --disable-pip-version-check install --quiet --no-deps --only-binary=:all: --no-compile \
        --root-user-action=ignore --target "$temporary/content" -r "$list" > "$temporary/log" 2>&1 \
        || { tail -n 5 "$temporary/log" >&2; rm -rf "$temporary"; fail "could not install the programs of $list"; }
    python_stamp "$list" > "$temporary/content/PIN"
    rm -rf "${deps:?}/$folder"
    mv "$temporary/content" "$deps/$folder"
    rm -rf "$temporary"
    say "installed into ${deps#"$root"/}/$folder"
}

for program in $programs_missing; do
    say "downloading $program and what it needs"
    case $program in
        schemathesis) install_programs "$programs" python ;;
        picows) install_programs "$bench_programs" bench ;;
    esac
done
if [ -n "$wheels_missing" ]; then
    [ "$(uname -m)" = x86_64 ] || fail "the pinned OpenVINO build is for x86_64, this machine is $(uname -m)"
    for wheel in $wheels_missing; do
        case $wheel in
            openvino) unpack openvino openvino ;;
            rapidocr) unpack rapidocr models ;;
        esac
    done
fi
say "nothing is missing any more"
