# SPDX-License-Identifier: MIT
# Sourced by the scripts beside it: the compiler, and a configured build folder.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# clang 19 unless the caller chose: g++ 12, Debian 12's own compiler, miscompiles coroutines.
if [ -z "${CXX:-}" ]; then
    export CC=clang-19 CXX=clang++-19
fi

# configure FOLDER [-Doption=value...]: as meson setup, again from nothing when compiler or options changed,
# and again when packages were installed since, which may be what was not found. A folder that somebody
# configured by hand stays as it is.
configure() {
    local folder=$1 wanted="$CXX ${*:2}"
    if [ ! -f "$folder/build.ninja" ]; then
        rm -rf "$folder/meson-private" "$folder/meson-info"
        meson setup "$folder" "${@:2}" || return
    elif [ -f "$folder/configured-with" ] && [ "$(cat "$folder/configured-with")" != "$wanted" ]; then
        meson setup --wipe "$folder" "${@:2}" || return
    elif [ -f "$folder/configured-with" ] && [ /var/lib/dpkg/status -nt "$folder/build.ninja" ]; then
        meson configure --clearcache "$folder" || return # it remembers what it did not find
        meson setup --reconfigure "$folder" "${@:2}" || return
    else
        return 0
    fi
    printf '%s\n' "$wanted" >"$folder/configured-with"
}
