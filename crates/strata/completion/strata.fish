# Completion of strata for fish: strata completion fish > ~/.config/fish/completions/strata.fish
function __strata_complete
    set -lx COMP_LINE (commandline -cp)
    set -lx COMP_POINT (string length -- "$COMP_LINE")
    strata train --shell-completion query=fish 2>/dev/null
end
complete -c strata -f -a '(__strata_complete)'
