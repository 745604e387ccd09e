# shellcheck shell=bash
# The machine's own apt sources, asked through apt so that both of their formats are understood.
# Sourced by run.sh.

readonly ARCHIVE_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_uri RELEASE: prints the mirror that the machine uses for RELEASE.
apt_uri() {
    local uri
    # The lists are not needed for this, and a bare machine has none.
    uri=$(apt-get indextargets --format "\$(RELEASE) \$(REPO_URI)" 'Identifier: Packages' |
        awk -v release="$1" '$1 == release { print $2; exit }')
    [[ -n $uri ]] || die "the machine's apt sources name no mirror for '$1'"
    printf '%s\n' "$uri"
}

# apt_stanza URI SUITE: prints a deb822 source whose signatures apt checks against Debian's keyring.
apt_stanza() {
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
        "$1" "$2" "$ARCHIVE_KEYRING"
}
