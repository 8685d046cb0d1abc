#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is missing to build hashroom ("build") or to test it ("check").
#   tests/env/deps.sh build|check
# Quick when nothing is missing. Debian 12 and 13. The servers that only the
# tests use go into build/env (or HASHROOM_ENV), beside the system.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD
what=${1:-build}
env=${HASHROOM_ENV:-$here/build/env}

build_packages="gcc make libc6-dev pkg-config libuv1-dev libcurl4-openssl-dev libjansson-dev libsqlite3-dev libssl-dev
    libconfuse-dev libutf8proc-dev libmicrohttpd-dev libical-dev libgumbo-dev libircclient-dev libolm-dev libsystemd-dev uthash-dev
    tzdata ca-certificates"
check_packages="libcmocka-dev python3 python3-venv ngircd inspircd atheme-services openssl git"

case $what in
build) packages=$build_packages ;;
check) packages="$build_packages $check_packages" ;;
*) echo "usage: tests/env/deps.sh build|check" >&2; exit 2 ;;
esac

missing_packages() {
    local name
    for name in $packages; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" != installed ]; then
            echo "$name"
        fi
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not Debian, so nothing is installed by itself. hashroom needs the libraries that" >&2
        echo "Debian calls:" $packages >&2
        return 0
    fi
    missing=$(missing_packages | tr '\n' ' ')
    if [ -z "$missing" ]; then
        return 0
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "These packages are missing: $missing" >&2
        echo "Ask somebody who may install them to run: apt-get install $missing" >&2
        exit 1
    fi
    echo "Installing $missing"
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install $missing >"$log" 2>&1 || { tail -20 "$log" >&2; exit 1; }
    # The tests start their own; the packaged service has nothing to do here.
    local service
    for service in ngircd inspircd atheme-services; do
        if [[ " $missing " == *" $service "* ]] && [ -d /run/systemd/system ]; then
            as_root systemctl disable --quiet --now "$service" || true
        fi
    done
}

# Synapse and the test runner, in an environment of their own.
install_python() {
    local want have
    want=$(sha256sum tests/env/requirements.txt | cut -c1-64)-$(python3 -c 'import sys; print(*sys.version_info[:2])')
    have=$(cat "$env/venv.stamp" 2>/dev/null || true)
    if [ "$want" = "$have" ]; then
        return 0
    fi
    echo "Setting up the Python environment of the tests in $env/venv"
    rm -rf "$env/venv"
    python3 -m venv "$env/venv"
    if "$env/venv/bin/pip" install -q --disable-pip-version-check -r tests/env/requirements.txt >"$log" 2>&1; then
        echo "$want" >"$env/venv.stamp"
    else
        tail -5 "$log" >&2
        echo "Synapse and pytest could not be installed: the tests that need them will be skipped." >&2
    fi
}

# Clients of encrypted rooms: matrix-nio, and matrix-js-sdk with its Node, whose version Debian does not have. The
# list of the packages names no registry: npm asks the one this machine is set to.
install_crypto_clients() {
    local want bin=$env/venv/bin home=$env/jsclient
    if [ ! -f "$env/venv.stamp" ]; then # said above
        return 0
    fi
    want=$(cat tests/env/requirements-e2ee.txt tests/env/jsclient/package-lock.json "$env/venv.stamp" |
        sha256sum | cut -c1-64)
    if [ "$want" = "$(cat "$home/stamp" 2>/dev/null || true)" ]; then
        return 0
    fi
    echo "Setting up the clients of encrypted rooms in $home"
    rm -rf "$home" && mkdir -p "$home"
    cp tests/env/jsclient/package.json tests/env/jsclient/package-lock.json "$home"
    if "$bin/pip" install -q --disable-pip-version-check -c tests/env/requirements.txt \
        -r tests/env/requirements-e2ee.txt >"$log" 2>&1 &&
        (cd "$home" && PATH=$bin:$PATH npm ci --no-audit --no-fund --ignore-scripts) >>"$log" 2>&1; then
        echo "$want" >"$home/stamp"
    else
        tail -5 "$log" >&2
        echo "They could not be installed: the tests of encrypted rooms that need them will be skipped." >&2
    fi
}

# Ergo is in Debian 13; its program runs on Debian 12 as it is. It is unpacked
# beside the system with package lists of its own; the mirror is the machine's.
install_ergo() {
    local base keyring opt
    if [ -x "$env/ergo/usr/bin/ergochat" ]; then
        return 0
    fi
    echo "Unpacking the Ergo IRC server in $env/ergo"
    base=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 ~ /^[a-z]+$/ { print $3; exit }')
    if [ -z "$base" ]; then # the lists were never read
        as_root apt-get -qq update || true
        base=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
            awk '$1 == "Debian" && $2 ~ /^[a-z]+$/ { print $3; exit }')
    fi
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    rm -rf "$env/apt" && mkdir -p "$env/apt/lists/partial" "$env/apt/cache/archives/partial"
    echo "deb [signed-by=$keyring] $base trixie main" >"$env/apt/sources.list"
    opt="-qq -o Dir::Etc::sourcelist=$env/apt/sources.list -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists=$env/apt/lists -o Dir::Cache=$env/apt/cache -o APT::Sandbox::User=root"
    if (cd "$env/apt" && apt-get $opt update && apt-get $opt download ergochat) >"$log" 2>&1; then
        rm -rf "$env/ergo"
        dpkg-deb -x "$env"/apt/ergochat_*.deb "$env/ergo"
    else
        tail -5 "$log" >&2
        echo "Ergo could not be had: the tests that need it will be skipped." >&2
    fi
    rm -rf "$env/apt"
}

mkdir -p "$env"
log=$env/install.log
install_packages
if [ "$what" = check ]; then
    install_python
    install_crypto_clients
    install_ergo
fi
