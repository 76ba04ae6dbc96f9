//! Synthetic images: made, added to training without leaks; and changes of images in training.

use std::fs;

use crate::project::Project;

const PARAMS: &str = "\
synth_emnist:
  num_samples_per_class: 10
  variants_per_sample: 2
";
const ARTIFACT: &str = "data/synthetic_emnist/raw/synthetic_emnist.pt";
const FILES: [&str; 4] = [
    "synthetic_emnist.pt",
    "synthetic_emnist.safetensors",
    "metadata.yaml",
    "contact_sheet.png",
];

fn project() -> Project {
    let project = Project::with_images();
    project.write("params.yaml", PARAMS);
    project
}

#[test]
fn the_same_seed_gives_the_same_files_on_any_number_of_threads() {
    let project = project();
    project
        .strata(&["synth", "--threads", "1"])
        .ends_with(0)
        .says(&["940 synthetic images", ARTIFACT]);
    let read = || {
        FILES.map(|name| {
            fs::read(project.path(&format!("data/synthetic_emnist/raw/{name}"))).unwrap()
        })
    };
    let first = read();
    project.strata(&["synth", "--threads", "7"]).ends_with(0);
    assert!(read() == first, "threads change the files");
    project.write("params.yaml", format!("{PARAMS}  seed: 5\n"));
    project.strata(&["synth"]).ends_with(0);
    assert!(read()[0] != first[0], "the seed changes nothing");
    let metadata = project.read("data/synthetic_emnist/raw/metadata.yaml");
    for line in [
        "seed: 5",
        "total_images: 940",
        "rotation: 15",
        "'0': 20",
        "source_fingerprint: ",
    ] {
        assert!(metadata.contains(line), "`{line}` is missing\n{metadata}");
    }
}

#[test]
fn a_class_with_too_few_images_is_drawn_with_replacement() {
    let project = project();
    project.write(
        "params.yaml",
        "synth_emnist: {num_samples_per_class: 25, variants_per_sample: 1}",
    );
    project
        .strata(&["synth"])
        .ends_with(0)
        .says(&["1175 synthetic images", "drawn with replacement"]);
    let metadata = project.read("data/synthetic_emnist/raw/metadata.yaml");
    assert!(
        metadata.contains("drawn_with_replacement:\n- '0'"),
        "{metadata}"
    );
}

#[test]
fn training_adds_the_artifact_and_drops_copies_of_validation_images() {
    let project = project();
    project.strata(&["synth"]).ends_with(0);
    let told = project
        .train(&[
            "data=emnist_synthetic",
            "data.val_split=0.5",
            "hydra.run.dir=runs/a",
        ])
        .ends_with(0)
        .says(&[
            "synthetic images added",
            "copies of validation images dropped",
            "470 validation, 188 test",
        ]);
    let words: Vec<&str> = told
        .stdout
        .split_whitespace()
        .chain(told.stderr.split_whitespace())
        .collect();
    let before = |word: &str, next: &str| -> usize {
        let at = words.windows(2).position(|pair| pair == [word, next]);
        words[at.expect(word) - 1].parse().expect("a number")
    };
    let (added, dropped) = (before("synthetic", "images"), before("copies", "of"));
    assert_eq!(added + dropped, 940);
    assert!((300..640).contains(&dropped), "{dropped}");
    let training = format!("{} training", 470 + added);
    assert!(told.stdout.contains(&training) || told.stderr.contains(&training));
    // The run is evaluated without the artifact.
    fs::remove_file(project.path(ARTIFACT)).unwrap();
    let evaluated = project.strata(&["eval", "runs/a", "--json"]).ends_with(0);
    let evaluated: serde_json::Value = serde_json::from_str(&evaluated.stdout).unwrap();
    assert_eq!(evaluated["same_data"], true);
    project
        .train(&["data=emnist_synthetic"])
        .ends_with(1)
        .says(&["synthetic_emnist.pt"]);
}

#[test]
fn an_artifact_of_other_images_is_refused_unless_a_warning_is_asked_for() {
    let project = project();
    project.strata(&["synth"]).ends_with(0);
    let labels = project.path("data/EMNIST/raw/emnist-balanced-train-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).unwrap();
    bytes.swap(8, 9);
    fs::write(labels, bytes).unwrap();
    project
        .train(&["data=emnist_synthetic"])
        .ends_with(1)
        .says(&[
            "made from other images",
            "strata synth",
            "data.synthetic_mismatch=warn",
        ]);
    project
        .train(&["data=emnist_synthetic", "data.synthetic_mismatch=warn"])
        .ends_with(0)
        .says(&[
            "warning",
            "made from other images",
            "940 synthetic images added",
        ]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let project = project();
    project
        .strata(&["synth", "--params", "nowhere.yaml"])
        .ends_with(1)
        .says(&["nowhere.yaml", "--params"]);
    project.write("params.yaml", "synth_emnist: {transforms: {rotatoin: 4}}\n");
    project
        .strata(&["synth"])
        .ends_with(2)
        .says(&["params.yaml:1", "rotation"]);
    project
        .train(&["data.use_synthetic=true"])
        .ends_with(1)
        .says(&[
            "data/synthetic_emnist/raw/synthetic_emnist.pt",
            "strata synth",
            "data.synthetic_artifact",
        ]);
    project
        .train(&["data.use_synthetic=true", "data.synthetic_artifact=null"])
        .ends_with(2)
        .says(&["strata synth", "data.synthetic_artifact"]);
    project
        .train(&["data.augmentations.rotation=400"])
        .ends_with(2)
        .says(&["data.augmentations.rotation", "between 0 and 180"]);
    project
        .train(&["data.augmentations.translate=0.1"])
        .ends_with(2)
        .says(&["in pixels"]);
}

#[test]
fn changed_images_are_the_same_on_any_number_of_threads() {
    let project = Project::with_images();
    for (run, threads) in [
        ("runs/a", "training.threads=1"),
        ("runs/b", "training.threads=3"),
    ] {
        let dir = format!("hydra.run.dir={run}");
        project
            .train(&[
                "data=emnist_augmented",
                "data.augmentations.elastic=20",
                threads,
                &dir,
            ])
            .ends_with(0);
    }
    let rows = project.rows_without_times("runs/a");
    assert_eq!(rows, project.rows_without_times("runs/b"));
    project.train(&["hydra.run.dir=runs/plain"]).ends_with(0);
    assert_ne!(rows, project.rows_without_times("runs/plain"));
    let grid =
        |run: &str| fs::read(project.path(&format!("{run}/figures/samples_epoch0.png"))).unwrap();
    assert!(grid("runs/a") == grid("runs/b") && grid("runs/a") != grid("runs/plain"));
}
