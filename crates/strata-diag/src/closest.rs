//! The choice that a misspelt name was meant to be.

const LONGEST_NAME: usize = 100;

/// The choice nearest to `name` by edit distance, if it is near enough to be meant.
///
/// Insertion, deletion, replacement and the exchange of two neighbours cost 1 each; at most a third of
/// the name (and at least 1) may differ. The first of several equally near choices is taken. To a name of more
/// than 100 characters nothing is near: that is none that somebody mistyped.
///
/// ```
/// assert_eq!(strata_diag::closest("droput", ["depth", "dropout"]), Some("dropout"));
/// assert_eq!(strata_diag::closest("colour", ["depth", "dropout"]), None);
/// ```
pub fn closest<'a>(name: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    if name.len() > LONGEST_NAME {
        return None;
    }
    let allowed = (name.len() / 3).max(1);
    choices
        .into_iter()
        .filter(|choice| choice.len() <= 2 * LONGEST_NAME)
        .map(|choice| {
            (
                distance(&name, &choice.to_lowercase().chars().collect::<Vec<_>>()),
                choice,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, choice)| choice)
}

/// Optimal string alignment.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_keyboard_are_understood() {
        let keys = ["activation", "dropout", "hidden_dims", "lr"];
        for (typed, meant) in [
            ("activaton", Some("activation")),
            ("dorpout", Some("dropout")),
            ("hidden-dims", Some("hidden_dims")),
            ("LR", Some("lr")),
            ("depth", None),
        ] {
            assert_eq!(closest(typed, keys), meant, "{typed}");
        }
    }
}
