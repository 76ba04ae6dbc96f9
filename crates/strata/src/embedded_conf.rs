//! The study's configuration tree, embedded: what `strata` composes where there is no `conf/`.

/// Path below `conf/` and content of each file.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("config.yaml", include_str!("../../../conf/config.yaml")),
    (
        "data/emnist.yaml",
        include_str!("../../../conf/data/emnist.yaml"),
    ),
    (
        "data/emnist_augmented.yaml",
        include_str!("../../../conf/data/emnist_augmented.yaml"),
    ),
    (
        "data/emnist_synthetic.yaml",
        include_str!("../../../conf/data/emnist_synthetic.yaml"),
    ),
    (
        "data/glyphs.yaml",
        include_str!("../../../conf/data/glyphs.yaml"),
    ),
    (
        "logging/default.yaml",
        include_str!("../../../conf/logging/default.yaml"),
    ),
    (
        "model/mlp_large.yaml",
        include_str!("../../../conf/model/mlp_large.yaml"),
    ),
    (
        "model/mlp_medium.yaml",
        include_str!("../../../conf/model/mlp_medium.yaml"),
    ),
    (
        "model/mlp_small.yaml",
        include_str!("../../../conf/model/mlp_small.yaml"),
    ),
    (
        "training/default.yaml",
        include_str!("../../../conf/training/default.yaml"),
    ),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::FILES;

    /// A file added to `conf/` and forgotten here would be missing from every installed binary.
    #[test]
    fn every_file_of_the_tree_is_embedded() {
        let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf");
        let mut on_disk = Vec::new();
        collect(&conf, &conf, &mut on_disk);
        on_disk.sort();
        let embedded: Vec<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(embedded, on_disk);
    }

    fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("conf/ is readable") {
            let path = entry.expect("conf/ is readable").path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let below = path.strip_prefix(root).expect("it lies below conf/");
                files.push(below.to_string_lossy().into_owned());
            }
        }
    }
}
