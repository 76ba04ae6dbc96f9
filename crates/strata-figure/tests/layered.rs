//! Graphs in letters, compared with those that DVC 3.67.1 (grandalf 0.8) drew.
//!
//! A file of `tests/dag` has a line `name: names of what it depends on` for each node, then `---`, then what `dvc dag`
//! printed for such a pipeline, without the spaces at the ends of its lines.

use std::fs;
use std::path::Path;

use strata_figure::layered::boxes;

fn trimmed(text: &str) -> String {
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

#[test]
fn graphs_look_as_dvc_draws_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dag");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder of examples") {
        let path = entry.expect("an example").path();
        let text = fs::read_to_string(&path).expect("an example");
        let (graph, drawing) = text.split_once("---\n").expect("a graph and its drawing");
        let nodes: Vec<(&str, &str)> = graph
            .lines()
            .map(|line| line.split_once(':').expect("a name and what it depends on"))
            .collect();
        let names: Vec<String> = nodes.iter().map(|(name, _)| (*name).to_owned()).collect();
        let place = |name: &str| {
            let place = names.iter().position(|other| other == name);
            place.expect("a node of the graph")
        };
        let edges: Vec<(usize, usize)> = nodes
            .iter()
            .flat_map(|(name, makers)| {
                let makers = makers.split_whitespace();
                makers.map(|maker| (place(maker), place(name)))
            })
            .collect();
        let drawn = boxes(&names, &edges);
        assert_eq!(trimmed(&drawn), drawing, "{}\n{drawn}", path.display());
        count += 1;
    }
    assert!(count >= 15, "only {count} examples");
}

#[test]
fn nothing_is_drawn_as_nothing() {
    assert_eq!(boxes(&[], &[]), "");
}
