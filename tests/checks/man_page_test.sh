#!/usr/bin/env bash
# The manual page that the binary ($1) writes is well-formed.
set -euo pipefail
warnings=$("$1" man | groff -man -Tutf8 -ww -z 2>&1)
[ -z "$warnings" ] || {
    printf '%s\n' "$warnings"
    exit 1
}
