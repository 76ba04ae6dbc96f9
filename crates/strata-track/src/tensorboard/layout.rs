//! The custom scalars tab: one chart for the same metric of training, validation and test.

use indexmap::IndexMap;

use super::messages::{Category, Chart, Layout, MultilineChart};

/// Parts of the data whose metrics are drawn together.
const PARTS: [&str; 3] = ["train", "validation", "test"];

/// Which tags belong into one chart, learnt as they come.
#[derive(Debug, Default)]
pub(super) struct Charts {
    /// Metric without its part → tags, in the order in which they came.
    tags: IndexMap<String, Vec<String>>,
}

impl Charts {
    /// Takes in a tag that was not there before; whether the layout has changed.
    pub(super) fn add(&mut self, tag: &str) -> bool {
        let Some((part, metric)) = tag.split_once('/') else {
            return false;
        };
        if !PARTS.contains(&part) {
            return false;
        }
        let tags = self.tags.entry(metric.to_owned()).or_default();
        tags.push(tag.to_owned());
        tags.len() > 1
    }

    /// The charts that have more than one line.
    pub(super) fn layout(&self) -> Layout {
        let chart = self
            .tags
            .iter()
            .filter(|(_, tags)| tags.len() > 1)
            .map(|(metric, tags)| Chart {
                title: metric.clone(),
                multiline: Some(MultilineChart {
                    tag: tags.iter().map(|tag| exactly(tag)).collect(),
                }),
            });
        Layout {
            category: vec![Category {
                title: "train, validation, test".to_owned(),
                chart: chart.collect(),
            }],
        }
    }
}

/// The regular expression (of Python) that only `tag` matches.
fn exactly(tag: &str) -> String {
    let mut pattern = String::new();
    for character in tag.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('$');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_of_two_parts_is_a_chart() {
        let mut charts = Charts::default();
        assert!(!charts.add("train/loss"));
        assert!(!charts.add("train/lr"));
        assert!(!charts.add("gradients/loss"));
        assert!(charts.add("validation/loss"));
        let layout = charts.layout();
        let [chart] = &layout.category[0].chart[..] else {
            panic!("one chart: {layout:?}")
        };
        assert_eq!(chart.title, "loss");
        let lines = chart.multiline.as_ref().expect("lines");
        assert_eq!(lines.tag, ["train/loss$", "validation/loss$"]);
    }

    #[test]
    fn a_tag_is_matched_as_it_is() {
        assert_eq!(exactly("test/top.5 (%)"), r"test/top\.5 \(%\)$");
    }
}
