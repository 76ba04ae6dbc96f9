//! Matplotlib's `$…$`, as much of it as labels need.

/// A character in a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sign {
    pub(super) character: char,
    /// 1 in a superscript, −1 in a subscript.
    pub(super) level: i8,
    /// Whether it leans: a variable.
    pub(super) is_italic: bool,
    /// Whether it is a relation or an operation with space around it.
    pub(super) is_spaced: bool,
}

impl Sign {
    pub(super) fn plain(character: char) -> Self {
        Self {
            character,
            level: 0,
            is_italic: false,
            is_spaced: false,
        }
    }
}

/// TeX's names of what the font has.
const COMMANDS: [(&str, char); 46] = [
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("iota", 'ι'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("phi", 'φ'),
    ("chi", 'χ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
    ("Gamma", 'Γ'),
    ("Delta", 'Δ'),
    ("Theta", 'Θ'),
    ("Lambda", 'Λ'),
    ("Sigma", 'Σ'),
    ("Phi", 'Φ'),
    ("Psi", 'Ψ'),
    ("Omega", 'Ω'),
    ("times", '×'),
    ("cdot", '·'),
    ("pm", '±'),
    ("leq", '≤'),
    ("geq", '≥'),
    ("neq", '≠'),
    ("approx", '≈'),
    ("infty", '∞'),
    ("to", '→'),
    ("rightarrow", '→'),
    ("partial", '∂'),
    ("nabla", '∇'),
    ("sum", '∑'),
    ("sqrt", '√'),
    ("ell", 'ℓ'),
    ("in", '∈'),
];

/// Signs of a text. As in matplotlib, what stands between dollars is mathematics if their number is even (`\$` counts
/// for none): `^` and `_` raise and lower the next sign or `{group}`, `\lambda` and its like are named signs, `-` is the
/// minus sign and spaces count for nothing. Latin and small Greek letters lean, but not in `\mathrm{…}` and `\text{…}`.
pub(super) fn signs(text: &str) -> Vec<Sign> {
    let mut dollars = 0;
    let mut is_escaped = false;
    for character in text.chars() {
        if character == '$' && !is_escaped {
            dollars += 1;
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    if dollars % 2 == 1 || !text.contains('$') {
        return text.chars().map(Sign::plain).collect();
    }
    let mut signs = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' if rest.peek() == Some(&'$') => {
                rest.next();
                signs.push(Sign::plain('$'));
            }
            '$' => mathematics(&mut rest, &mut signs),
            _ => signs.push(Sign::plain(character)),
        }
    }
    signs
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Reads up to the next dollar and over it.
fn mathematics(rest: &mut Rest, signs: &mut Vec<Sign>) {
    // The level of the next sign alone, and level and uprightness of open groups.
    let mut next: Option<i8> = None;
    let mut is_next_upright = false;
    let mut groups: Vec<(i8, bool)> = Vec::new();
    while let Some(character) = rest.next() {
        let (around, is_upright) = groups.last().copied().unwrap_or((0, false));
        let character = match character {
            '$' => return,
            '^' => {
                next = Some(1);
                continue;
            }
            '_' => {
                next = Some(-1);
                continue;
            }
            '{' => {
                let is_upright = std::mem::take(&mut is_next_upright) || is_upright;
                groups.push((next.take().unwrap_or(around), is_upright));
                continue;
            }
            '}' => {
                groups.pop();
                continue;
            }
            '\\' => match command(rest) {
                Command::Sign(character) => Some(character),
                Command::Upright => {
                    is_next_upright = true;
                    None
                }
                Command::Unknown(name) => {
                    let level = next.take().unwrap_or(around);
                    signs.extend(name.chars().map(|letter| Sign {
                        level,
                        ..Sign::plain(letter)
                    }));
                    None
                }
            },
            '-' => Some('−'),
            character if character.is_whitespace() => None,
            character => Some(character),
        };
        let Some(character) = character else {
            continue;
        };
        let level = next.take().unwrap_or(around);
        let follows = signs.last().is_some_and(|last| {
            !last.is_spaced && last.character != '(' && !last.character.is_whitespace()
        });
        signs.push(Sign {
            character,
            level,
            is_italic: !is_upright && leans(character),
            is_spaced: level == 0 && follows && "=+−×±≤≥≠≈→∈<>".contains(character),
        });
    }
}

/// What a backslash begins.
enum Command {
    Sign(char),
    /// The next group is no variable.
    Upright,
    /// Nothing that is known, so its name is written.
    Unknown(String),
}

fn command(rest: &mut Rest) -> Command {
    let mut name = String::new();
    while let Some(letter) = rest.next_if(char::is_ascii_alphabetic) {
        name.push(letter);
    }
    if name.is_empty() {
        return match rest.next() {
            None => Command::Unknown(name),
            Some(',' | ';' | ':') => Command::Sign('\u{2009}'),
            Some(character) => Command::Sign(character),
        };
    }
    if let Some((_, character)) = COMMANDS.iter().find(|(command, _)| *command == name) {
        Command::Sign(*character)
    } else if matches!(name.as_str(), "mathdefault" | "mathrm" | "text") {
        Command::Upright
    } else {
        Command::Unknown(name)
    }
}

/// As TeX has it, variables lean, but not digits and capital Greek letters.
fn leans(character: char) -> bool {
    character.is_ascii_alphabetic() || ('α'..='ω').contains(&character) || character == 'ℓ'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut out = String::new();
        for sign in signs(text) {
            if sign.is_italic {
                out.push('/');
            }
            match sign.level {
                1 => out.push('^'),
                -1 => out.push('_'),
                _ => {}
            }
            out.push(sign.character);
        }
        out
    }

    #[test]
    fn what_stands_between_dollars_is_mathematics() {
        assert_eq!(read("weight_decay $10^{-3}$"), "weight_decay 10^−^3");
        assert_eq!(read(r"$\lambda_1 \times L^2$"), "/λ_1×/L^2");
        assert_eq!(read(r"costs \$5 and $x$"), "costs $5 and /x");
        assert_eq!(read("costs $5"), "costs $5");
        assert_eq!(read(r"$\unknown{a}$"), "unknown/a");
        assert_eq!(read(r"$E_{\mathrm{max}}$"), "/E_m_a_x");
        assert_eq!(read("$^{$ }"), " }");
    }
}
