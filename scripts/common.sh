# SPDX-License-Identifier: MIT
# Sourced by the scripts beside it: the compiler, and a configured build folder.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

# clang 19 unless the caller chose: g++ 12, Debian 12's own compiler, miscompiles coroutines.
if [ -z "${CXX:-}" ]; then
    export CC=clang-19 CXX=clang++-19
fi

# What is precompiled (tests/precompiled) can be cached, not for other copies of the tree: it holds paths.
export CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_NAMESPACE=$root

# cached COMMAND...: with a compiler behind ccache, if there is one. Meson looks for it only without CXX.
cached() {
    if command -v ccache >/dev/null; then
        CC="ccache ${CC:-cc}" CXX="ccache $CXX" "$@"
    else
        "$@"
    fi
}

# configure FOLDER [-Doption=value...]: as meson setup, again from nothing when compiler, options or, through
# scripts/setup, packages changed. A folder that somebody configured by hand stays as it is.
configure() {
    local folder=$1 wanted="$CXX ${*:2}"
    if [ ! -f "$folder/build.ninja" ]; then
        rm -rf "$folder/meson-private" "$folder/meson-info"
        cached meson setup "$folder" "${@:2}" || return
    elif [ -f "$folder/configured-with" ] && [ "$(cat "$folder/configured-with")" != "$wanted" ]; then
        cached meson setup --wipe "$folder" "${@:2}" || return
    else
        return 0
    fi
    printf '%s\n' "$wanted" >"$folder/configured-with"
}
