#!/usr/bin/env bash
# Finds or installs NetCDF and HDF5, and writes to the file named by the first argument how to
# build with them: FEATURES for cargo, and CMAKE where the libraries are to be compiled.
#
# In this order: the system's libraries; the system's package manager; compiled from source with a
# recent cmake from PyPI. TIDEMILL_NETCDF=system or =static decides otherwise.
set -euo pipefail

env_file=$1
want=${TIDEMILL_NETCDF:-any}
folder=$(dirname "$env_file")
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

say() { echo "setup: $*" >&2; }

has_system() {
    command -v pkg-config > /dev/null && pkg-config --exists netcdf && pkg-config --exists hdf5
}

# As root, or as someone who may become root without a password.
apt_install() {
    command -v apt-get > /dev/null || return 1
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2> /dev/null || return 1
        sudo=(sudo -n)
    fi
    say "installing libnetcdf-dev and libhdf5-dev"
    local install=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q
        --no-install-recommends pkg-config libnetcdf-dev libhdf5-dev)
    "${install[@]}" > "$folder/setup-apt.log" 2>&1 && return
    "${sudo[@]}" apt-get update -q >> "$folder/setup-apt.log" 2>&1 || return 1
    "${install[@]}" >> "$folder/setup-apt.log" 2>&1
}

# Prints the path of a cmake of at least 3.26, which HDF5 asks for.
recent_cmake() {
    local version
    version=$(cmake --version 2> /dev/null | sed -n '1s/[^0-9]*//p' || true)
    if [ -n "$version" ] && printf '3.26\n%s\n' "$version" | sort -V -C; then
        command -v cmake
        return
    fi
    say "fetching cmake from PyPI"
    local python=$folder/setup-cmake
    if python3 -m venv "$python" > "$folder/setup-pip.log" 2>&1; then
        "$python/bin/pip" install -q 'cmake>=3.26' >> "$folder/setup-pip.log" 2>&1
    else
        python3 -m pip install -q --target "$python" 'cmake>=3.26' >> "$folder/setup-pip.log" 2>&1
    fi
    find "$python" -path '*/cmake/data/bin/cmake' | grep .
}

use_system() {
    say "using the system's NetCDF $(pkg-config --modversion netcdf) and HDF5 $(pkg-config --modversion hdf5)"
    echo 'FEATURES=' > "$env_file"
}

use_static() {
    local cmake
    if ! cmake=$(recent_cmake); then
        say "NetCDF is not there, cannot be installed, and cannot be compiled without cmake 3.26."
        say "Install libnetcdf-dev, libhdf5-dev and pkg-config, or cmake, and try again (logs: $folder/setup-*.log)."
        exit 1
    fi
    say "compiling NetCDF and HDF5 with $cmake: some minutes, once"
    printf "FEATURES='--features tidemill-cli/static-netcdf'\nexport CMAKE=%q\n" "$cmake" > "$env_file"
}

case $want in
    static) use_static ;;
    system) has_system || apt_install; use_system ;;
    any)
        if has_system || { apt_install && has_system; }; then use_system; else use_static; fi
        ;;
    *) say "TIDEMILL_NETCDF must be system or static, not $want"; exit 2 ;;
esac
