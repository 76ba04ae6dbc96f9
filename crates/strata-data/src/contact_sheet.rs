//! Images to look at: some of each class.

use crate::dataset::Subset;
use crate::torch_random::randperm;

/// Positions of up to `per_class` images of each class, a row per class, chosen by `seed`.
pub fn contact_sheet(
    subset: &Subset,
    classes: usize,
    per_class: usize,
    seed: u64,
) -> Vec<Vec<u32>> {
    let labels: Vec<u8> = subset.labels().collect();
    let mut rows = vec![Vec::new(); classes];
    for position in randperm(subset.len(), seed) {
        let row: &mut Vec<u32> = &mut rows[usize::from(labels[position as usize])];
        if row.len() < per_class {
            row.push(position);
        }
    }
    rows
}
