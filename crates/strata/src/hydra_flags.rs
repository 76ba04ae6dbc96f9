//! Hydra's two-letter flags, which the shells of our users' fingers know: `-cn`, `-cp`, `-cd`.

use std::ffi::OsString;

const SPELLED_OUT: [(&str, &str); 4] = [
    ("-sc", "--shell-completion"),
    ("-cp", "--config-path"),
    ("-cn", "--config-name"),
    ("-cd", "--config-dir"),
];

/// The commands that compose a configuration. Elsewhere the same letters are other flags, or words of a stage's command.
const COMMANDS: [&str; 4] = ["train", "eval", "data", "config"];

/// The arguments with two-letter flags in their long form; `-cn=x` becomes `--config-name=x`.
pub(crate) fn spelled_out(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let args: Vec<OsString> = args.collect();
    let composes = |command: &OsString| COMMANDS.iter().any(|name| command == name);
    if !args.get(1).is_some_and(composes) {
        return args;
    }
    args.into_iter()
        .map(|arg| arg.to_str().and_then(long_form).map_or(arg, OsString::from))
        .collect()
}

/// The long form of a two-letter flag.
pub(crate) fn long_form(arg: &str) -> Option<String> {
    SPELLED_OUT.iter().find_map(|(short, long)| {
        let rest = arg.strip_prefix(short)?;
        (rest.is_empty() || rest.starts_with('=')).then(|| format!("{long}{rest}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letter_flags_are_spelled_out_and_overrides_left_alone() {
        let typed = [
            "strata", "train", "-cn", "x", "-cp=conf", "-c", "job", "a=-cn", "-cnx",
        ];
        let spelled = spelled_out(typed.iter().map(OsString::from));
        let expected = [
            "strata",
            "train",
            "--config-name",
            "x",
            "--config-path=conf",
            "-c",
            "job",
            "a=-cn",
            "-cnx",
        ];
        assert_eq!(spelled, expected.map(OsString::from));
        let typed = ["strata", "stage", "add", "-n", "a", "x", "-cn", "y"].map(OsString::from);
        assert_eq!(spelled_out(typed.iter().cloned()), typed);
    }
}
