# SPDX-License-Identifier: MIT
# Completion of leat-fetch for bash.
_leat_fetch() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options='
        -h --help
        -i --input-file --dry-run --head --spider --explain --failed
        -d --output-dir -o --output --tree --content-disposition --if-there
        --discard --resume --no-resume --checksums --write-checksums --continue --newer --sync
        --server-time --origin-attributes --preallocate --no-preallocate
        -P --parallel --per-host --segments --rate --rate-per-host --burst --memory
        --tries --retry-wait --retry-wait-max --connect-timeout --first-byte-timeout --idle-timeout --timeout
        --lowest-rate
        -H --header -A --user-agent --compressed --redirects --http1 --http2
        -u --user --netrc --bearer --cookies --cookie-jar
        -4 --ipv4 -6 --ipv6 --proxy --no-proxy --without-proxy --resolve --interface --unix-socket
        --cacert --cert --key --key-log -k --insecure
        -q --quiet --plain --json --report --backend'
    COMPREPLY=()
    case $before in
        -i | --input-file | --failed | --checksums | --write-checksums | --netrc | --cookies | --cookie-jar | \
            --unix-socket | --cacert | --cert | --key | --key-log | --report)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            compopt -o filenames 2>/dev/null
            ;;
        -d | --output-dir)
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            compopt -o filenames 2>/dev/null
            ;;
        --if-there) mapfile -t COMPREPLY < <(compgen -W 'number skip replace fail' -- "$word") ;;
        --backend) mapfile -t COMPREPLY < <(compgen -W 'auto uring epoll poll' -- "$word") ;;
        --interface)
            mapfile -t COMPREPLY < <(compgen -W "$(command ls /sys/class/net 2>/dev/null)" -- "$word")
            ;;
        -o | --output | -P | --parallel | --per-host | --segments | --rate | --rate-per-host | --burst | --memory | \
            --tries | --retry-wait | --retry-wait-max | --connect-timeout | --first-byte-timeout | --idle-timeout | --timeout | \
            --lowest-rate | -H | --header | -A | --user-agent | --redirects | -u | --user | --bearer | \
            --proxy | --no-proxy | --resolve) ;; # only its user knows
        *) [[ $word == -* ]] && mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    esac
}
complete -F _leat_fetch leat-fetch
