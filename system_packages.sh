#!/bin/sh
# Install the few Debian packages that Python packages cannot bring: PortAudio, and venv support;
# with --with-browser also Chromium, in which the tests open the web pages.
# Does nothing where they are there; says what to do where it may not install them.
set -eu

missing=""
need() { # package, command that succeeds when it is there
    if ! sh -c "$2" >/dev/null 2>&1; then missing="$missing $1"; fi
}
need libportaudio2 "ldconfig -p 2>/dev/null | grep -q libportaudio || ls /usr/lib/*/libportaudio.so.2 /opt/homebrew/lib/libportaudio.dylib /usr/local/lib/libportaudio.dylib 2>/dev/null | grep -q ."
need python3-venv "python3 -c 'import ensurepip'"

if [ "${1:-}" = "--with-browser" ]; then
    need chromium "command -v chromium || command -v chromium-browser || command -v google-chrome"
fi

[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
    echo "Please install:$missing (names on Debian); without PortAudio there is no microphone." >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "Please run: sudo apt-get install$missing; without PortAudio there is no microphone." >&2
        exit 0
    fi
    as_root="sudo"
fi
echo "== installing Debian packages:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of names
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
