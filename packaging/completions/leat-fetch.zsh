#compdef leat-fetch
# SPDX-License-Identifier: MIT
# Completion of leat-fetch for zsh.

_arguments -s \
    '(-h --help)'{-h,--help}'[show all options]' \
    '*'{-i,--input-file}'[fetch what is in this list or Metalink file]:file:_files' \
    '--dry-run[only show what files would be called]' \
    '--head[only show what servers say of the files]' \
    '--explain[say what each step of a request did]' \
    '--spider[only check that each is there]' \
    '--failed[write what has failed there, as a list]:file:_files' \
    '(-d --output-dir)'{-d,--output-dir}'[where files go]:folder:_files -/' \
    '(-o --output)'{-o,--output}'[what files are called]:template:' \
    '--tree[names as on the site]' \
    '--content-disposition[use the names that servers give]' \
    '--if-there[where there is a file of that name]:choice:(number skip replace fail)' \
    '--discard[write no files, only count the bytes]' \
    '--resume[go on with what an earlier run has left]' \
    '--no-resume[drop what an earlier run has left]' \
    '--checksums[what files must have, as sha256sum writes it]:file:_files' \
    '--write-checksums[write what files have there]:file:_files' \
    '--continue[go on with half a file of another program]' \
    '--newer[fetch what is there only if the server has another one]' \
    '--sync[count a file only when it is on the disk]' \
    '--server-time[give files the time of Last-Modified]' \
    '--origin-attributes[note URLs in extended attributes]' \
    '--preallocate[make room before a file comes]' \
    '--no-preallocate[make no room before a file comes]' \
    '(-P --parallel)'{-P,--parallel}'[transfers at once]:number:' \
    '--per-host[transfers at once with one host]:number:' \
    '--segments[connections for one large file]:number:' \
    '--rate[bytes a second, in all]:bytes:' \
    '--rate-per-host[bytes a second, with one host]:bytes:' \
    '--burst[bytes at once after a pause]:bytes:' \
    '--memory[bytes that all buffers take]:bytes:' \
    '--tries[tries of each file]:number:' \
    '--retry-wait[before the second try]:seconds:' \
    '--retry-wait-max[between two tries]:seconds:' \
    '--connect-timeout[for the connection]:seconds:' \
    '--first-byte-timeout[until the answer begins]:seconds:' \
    '--idle-timeout[between two pieces of a body]:seconds:' \
    '--timeout[for each file, with all its tries]:seconds:' \
    '--lowest-rate[try again what is slower]:bytes:' \
    '*'{-H,--header}'[send this field]:field:' \
    '(-A --user-agent)'{-A,--user-agent}'[what is said of the program]:text:' \
    '--compressed[ask for compressed bodies]' \
    '--redirects[followed at most]:number:' \
    '--http1[no HTTP/2]' \
    '--http2[HTTP/2 without asking]' \
    '(-u --user)'{-u,--user}'[log in with these]:name and password:' \
    '--netrc[names and passwords by host]:file:_files' \
    '--bearer[log in with this token]:token:' \
    '*--cookies[send the cookies of this file]:file:_files' \
    '--cookie-jar[write all cookies there]:file:_files' \
    '(-4 --ipv4)'{-4,--ipv4}'[only IPv4 addresses]' \
    '(-6 --ipv6)'{-6,--ipv6}'[only IPv6 addresses]' \
    '--proxy[go through this proxy]:URL:' \
    '--no-proxy[hosts that are reached without a proxy]:list:' \
    '--without-proxy[use no proxy]' \
    '*--resolve[do not look this name up]:address:' \
    '--interface[connect through it]:interface:_net_interfaces' \
    '--unix-socket[connect to this socket]:file:_files' \
    '--cacert[trust the authorities in this file]:file:_files' \
    '--cert[a certificate to show]:file:_files' \
    '--key[its private key]:file:_files' \
    '--key-log[write the secrets of TLS there]:file:_files' \
    '(-k --insecure)'{-k,--insecure}'[accept every certificate]' \
    '(-q --quiet)'{-q,--quiet}'[show only what has failed]' \
    '--plain[show lines, also on a terminal]' \
    '--json[show one event a line]' \
    '--report[write a page about the run]:file:_files' \
    '--backend[how the kernel is asked]:choice:(auto uring epoll poll)' \
    '*:URL:_urls'
