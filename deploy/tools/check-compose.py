#!/usr/bin/python3
"""Checks that a compose file parses, runs every service, and names nothing that is not there."""

import pathlib
import sys

import yaml

SERVICES = {
    "redis", "gateway", "event-router", "ocr-worker", "grading-worker", "batch-worker", "notifier", "analytics",
}


def faults(path):
    compose = yaml.safe_load(path.read_text())
    services = compose.get("services", {})
    for name in sorted(SERVICES - set(services)):
        yield f"the service {name} is missing"
    for name, service in services.items():
        if not service.get("healthcheck"):
            yield f"{name} has no health check"
        if service.get("restart") != "always":
            yield f"{name} is not restarted"
        for other in service.get("depends_on", {}):
            if other not in services:
                yield f"{name} depends on {other}, which is no service"
        for secret in service.get("secrets", []):
            if secret not in compose.get("secrets", {}):
                yield f"{name} uses the secret {secret}, which is not declared"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                if not (path.parent / source).exists():
                    yield f"{name} mounts {source}, which does not exist"
            elif source not in compose.get("volumes", {}):
                yield f"{name} mounts the volume {source}, which is not declared"
        build = service.get("build")
        if build:
            context = path.parent / build["context"]
            if not (context / build["dockerfile"]).is_file():
                yield f"{name} is built from {build['dockerfile']}, which does not exist"


def main():
    path = pathlib.Path(sys.argv[1])
    found = list(faults(path))
    for fault in found:
        print(f"{path}: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
