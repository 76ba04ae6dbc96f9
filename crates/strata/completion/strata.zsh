# Completion of strata for zsh: eval "$(strata completion zsh)", after compinit
_strata() {
    local line="${(j: :)words[1,CURRENT]}"
    local -a candidates open done
    candidates=("${(@f)$(COMP_LINE="$line" COMP_POINT=${#line} strata train --shell-completion query=zsh 2>/dev/null)}")
    open=(${(M)candidates:#*[=./]})
    done=(${candidates:#*[=./]})
    compadd -Q -S '' -- $open
    compadd -Q -- $done
}
compdef _strata strata
