# Completion of strata for bash: eval "$(strata completion bash)"
_strata() {
    local line="${COMP_LINE:0:COMP_POINT}" part="${COMP_WORDS[COMP_CWORD]}" word before candidate
    # Readline cuts words at `=` and `:`; what stands before the cut is not typed again.
    [[ $part == [=:] ]] && part=
    word="${line##*[[:blank:]]}"
    before="${word%"$part"}"
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("${candidate#"$before"}")
    done < <(COMP_LINE="$line" COMP_POINT="${#line}" strata train --shell-completion query=bash 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} != *[=./] ]]; then
        COMPREPLY[0]+=" "
    fi
}
complete -o nospace -F _strata strata
