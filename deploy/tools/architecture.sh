#!/bin/sh
# Checks the rules of the folder layout that the compiler does not: what the top level holds, that dependencies point
# downwards only, and who may import what. Prints one line a fault; exit status 1 when there is any.
set -eu
cd "$(dirname "$0")/../.."

faults=$(mktemp)
trap 'rm -f "$faults"' EXIT
fault() { echo "architecture: $*" >> "$faults"; }

# The top level, as git has it.
expected="Package.swift Services Shared Tests deploy Makefile README.md LICENSE"
for entry in $(git ls-files | cut -d/ -f1 | sort -u); do
    case " $expected " in
        *" $entry "*) ;;
        *) case $entry in .*) ;; *) fault "$entry does not belong at the top level" ;; esac ;;
    esac
done
for entry in $expected; do
    [ -e "$entry" ] || fault "$entry is missing at the top level"
done

for file in $(git ls-files | grep -E '(^|/)(\.build[^/]*|\.deps|\.data|node_modules|__pycache__)/|(^|/)Package\.resolved$' || true); do
    fault "$file is made by tools and does not belong in git"
done

# Every import of every module: "module file imported". A module is the folder below Services/ or Shared/.
imports=$(mktemp)
trap 'rm -f "$faults" "$imports"' EXIT
find Services Shared -name '*.swift' -type f ! -path '*/node_modules/*' -exec awk '
    /^[ \t]*((@[A-Za-z_]+(\([^)]*\))?|public|package|internal|fileprivate|private)[ \t]+)*import[ \t]/ {
        line = $0
        sub(/^.*import[ \t]+/, "", line)
        sub(/^(struct|class|enum|protocol|func|var|let|typealias)[ \t]+/, "", line)
        sub(/[. \t].*$/, "", line)
        split(FILENAME, part, "/")
        print part[1], part[2], FILENAME, line
    }' {} + > "$imports"

awk '
    BEGIN {
        # A module imports modules of lower layers only.
        layer("0", "CHiredis CCairo CQREncode CTurboJPEG CZip CZlib CZstd CVision COpenVINO CSandbox CProcess")
        layer("1", "Domain Redis")
        layer("1.5", "Coordination ExamFigures")
        layer("2", "Access Grading EventBus TaskQueue BlobStore Recognition ScanReader AnswerSheet SheetPrinting WebSocket")
        layer("3", "Audit")
        layer("4", "Accounts ExamStore SheetSimulation")
        layer("5", "ServiceKit EventSystem")
        layer("6", "Webhooks")
        layer("9", "Gateway EventRouter OCRWorker OCRReader ScanUnpacker SheetPrinter GradingWorker BatchWorker Notifier Analytics ZhiYueCLI")
        # The only importers of a bridge.
        only("CHiredis", "Redis")
        only("CVision", "Recognition")
        only("COpenVINO", "Recognition")
        only("CSandbox", "ScanReader OCRReader")
        only("CZip", "ScanUnpacker")
        only("CZlib", "Gateway WebSocket")
        only("CZstd", "EventBus")
        only("CQREncode", "SheetPrinting")
        only("CTurboJPEG", "SheetSimulation")
        only("CCairo", "SheetPrinting SheetSimulation")
        only("CProcess", "ZhiYueCLI ServiceKit")
        # Files that need what only all of Foundation has: NFKC.
        needs_foundation["Shared/Grading/TextRule.swift"] = 1
        # Files of Domain that need a system call: random numbers by the page.
        needs_system["Shared/Domain/Model/UUIDv7.swift"] = 1
    }
    function layer(number, names,    list, i, n) {
        n = split(names, list, " ")
        for (i = 1; i <= n; i++) rank[list[i]] = number + 0
    }
    function only(bridge, names) { importers[bridge] = " " names " " }
    function fault(text) { print "architecture: " text }
    {
        folder = $1; module = $2; file = $3; imported = $4
        if (!(module in rank)) {
            if (!(module in reported)) fault(folder "/" module " has no layer: give it one in deploy/tools/architecture.sh")
            reported[module] = 1
            next
        }
        if (imported in rank && imported != module) {
            if (rank[imported] >= rank[module])
                fault(file ": " module " must not import " imported ", which is not in a lower layer")
            if (imported in importers && !index(importers[imported], " " module " "))
                fault(file ": only" importers[imported] "may import " imported)
        }
        if (module == "Domain" && imported !~ /^(FoundationEssentials|Synchronization)$/ && !(file in needs_system))
            fault(file ": Domain does no input or output and imports nothing but FoundationEssentials, not " imported)
        if (imported ~ /^Foundation(Networking|XML|Internationalization)?$/ && !(file in needs_foundation))
            fault(file ": import FoundationEssentials; " imported " costs every process its tables in memory")
    }' "$imports" >> "$faults"

if [ -s "$faults" ]; then
    sort -u "$faults"
    exit 1
fi
echo "architecture: $(awk '{print $2}' "$imports" | sort -u | wc -l) modules, $(wc -l < "$imports") imports, no fault"
