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

# apt_private STATE URI SUITE: makes an apt state in STATE that leaves the machine's alone, reads the
# package lists of SUITE, and sets APT_PRIVATE to the options that use it.
apt_private() {
    local state=$1
    mkdir -p "$state"/{parts,lists/partial,cache/archives/partial}
    apt_stanza "$2" "$3" >"$state/parts/private.sources"
    # As root, apt drops to a user that cannot write into a private directory.
    APT_PRIVATE=(-q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$state/parts"
        -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state/cache"
        -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o APT::Architecture=amd64)
    apt-get "${APT_PRIVATE[@]}" -o APT::Update::Error-Mode=any update >"$state/log" 2>&1 ||
        { cat "$state/log" >&2; die "cannot read the package lists of $3"; }
}
