#!/bin/sh
# The TypeScript of Services/Gateway/Web, with Debian's tools and packages and without any registry of npm's:
#   web.sh check   types, without writing anything
#   web.sh test    Tests/Web, bundled into .build/web-tests and run by node; its last lines count what passed
# Exit status 1 when something is wrong.
set -eu
cd "$(dirname "$0")/../.."
web=Services/Gateway/Web

# Packages are found where Debian puts them.
[ -e $web/node_modules ] || ln -sfn /usr/share/nodejs $web/node_modules

case ${1:-} in
    check) exec tsc --project $web/tsconfig.json ;;
    test)
        built=.build/web-tests
        rm -rf $built
        esbuild --bundle --platform=node --target=node18 --format=esm --out-extension:.js=.mjs --preserve-symlinks \
            --sourcemap=inline --log-level=warning --outdir=$built Tests/Web/*.test.ts
        EVENT_SAMPLES=$PWD/Tests/DomainTests/Samples exec node --test $built/*.mjs ;;
    *) echo "web: say check or test" >&2; exit 2 ;;
esac
