# bash completion for cgtide                                              -*- shell-script -*-

_cgtide_names() {
    # Names only, one a line; without an engine there is nothing to offer.
    cgtide "$@" ps 2>/dev/null | awk 'NR > 1 && NF == 0 { exit } NR > 1 { print $1 }'
}

_cgtide() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="ps stat inspect explain idle what-if suggest tier regions record watch attach detach pause resume damon doctor hooks"
    local command="" socket=() position=0 i
    COMPREPLY=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket)
            socket=(--socket "${COMP_WORDS[++i]}")
            ;;
        --last | -n | --bundle | --hook | --output | -o | --duration | --period | --count | --idle) ((++i)) ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then
                command=${COMP_WORDS[i]}
            else
                ((++position))
            fi
            ;;
        esac
    done

    case $previous in
    --socket | --hook | --output | -o)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --bundle)
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
        ;;
    --last | -n | --duration | --period | --count | --idle) return ;;
    esac

    local words=""
    case $command in
    "") words="$commands --socket --help --version" ;;
    ps) words="--all --json --socket --help" ;;
    stat) words="--all --history --json --socket --help" ;;
    what-if) words="--idle --json --socket --help" ;;
    inspect | idle | suggest | regions | tier) words="--json --socket --help" ;;
    watch) words="--period --count --json --socket --help" ;;
    record) words="--output --duration --socket --help" ;;
    explain) words="--last --json --socket --help" ;;
    doctor | pause | resume) words="--json --socket --help" ;;
    hooks) words="--bundle --remove --dry-run --hook --help" ;;
    attach | detach | damon) words="--socket --help" ;;
    esac
    if [[ $current != -* ]]; then
        case $command:$position in
        stat:0 | inspect:0 | explain:0 | idle:0 | what-if:0 | suggest:0 | regions:0 | record:0 | watch:0 | attach:0 | \
            detach:0)
            words=$(_cgtide_names "${socket[@]}") ;;
        attach:1 | detach:1) words="stat tier numa reclaim" ;;
        damon:0) words="release" ;;
        "":*) words=$commands ;;
        *) words="" ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _cgtide cgtide
