//! `strata plots`.

use crate::project::Project;

const PIPELINE: &str = "\
plots:
- top.csv:
    x: step
    y: [loss, acc]
    title: a <b> & \"c\"
- both:
    x: step
    y: {top.csv: loss, other.csv: w}
stages:
  s:
    cmd: echo
    plots:
    - out.json: {x: actual, y: predicted, template: confusion, cache: false}
    - pic: {cache: false}
    outs:
    - x.txt: {cache: false}
";

fn project() -> Project {
    let project = Project::in_git();
    project.write("dvc.yaml", PIPELINE);
    project.write(
        "top.csv",
        "step,loss,acc\n0,1.5,0.1\n1,0.5,0.6\n2,nan,0.7\n3,0.25,0.8\n",
    );
    project.write("other.csv", "step,w\n0,2\n1,1\n2,1\n3,0\n");
    let pairs = r#"[{"actual": "cat", "predicted": "cat"}, {"actual": "dog", "predicted": "cat"}]"#;
    project.write("out.json", pairs);
    project.write("pic/a.png", b"\x89PNG");
    project
}

fn page(project: &Project, args: &[&str]) -> String {
    let outcome = project.strata(&[&["plots"], args].concat()).ends_with(0);
    let path = outcome
        .stdout
        .trim()
        .strip_prefix("file://")
        .expect("a URL")
        .to_owned();
    assert!(path.ends_with("/index.html"), "{path}");
    std::fs::read_to_string(path).expect("the page")
}

#[test]
fn the_plots_of_a_project_become_one_page_without_scripts() {
    let project = project();
    let page = page(&project, &["show"]);
    assert!(project.path("dvc_plots/index.html").exists());
    assert_eq!(page.matches("<svg ").count(), 3, "{page}");
    assert_eq!(
        page.matches("<img src=\"data:image/png;base64,iVBORw==\"")
            .count(),
        1
    );
    // Four lines, two of which are interrupted by what is no number, with as many lines in the legends.
    assert_eq!(page.matches("<polyline ").count(), 4 + 4, "{page}");
    assert_eq!(page.matches("<circle ").count(), 2, "{page}");
    for text in [
        "a &lt;b&gt; &amp; &quot;c&quot;",
        ">step<",
        ">cat<",
        ">dog<",
        ">other.csv: w<",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("<script") && !page.contains("src=\"http"));
    assert!(!page.contains("NaN") && !page.contains("inf\""));
}

#[test]
fn commits_are_drawn_into_one_another() {
    let project = project();
    project.commit("one");
    project.write("top.csv", "step,loss,acc\n0,1,0.2\n1,0.4,0.9\n");
    let page = page(&project, &["diff", "--targets", "top.csv", "-o", "here"]);
    for name in [
        "workspace: loss",
        "HEAD: loss",
        "workspace: acc",
        "HEAD: acc",
    ] {
        assert!(page.contains(&format!(">{name}<")), "{name}: {page}");
    }
    assert!(project.path("here/index.html").exists());
}

#[test]
fn any_file_is_drawn_as_the_flags_say() {
    let project = project();
    project.write("plain.tsv", "a\t3\nb\t1\nc\t2\n");
    let bars = [
        "show",
        "plain.tsv",
        "--no-header",
        "-x",
        "1",
        "-y",
        "0",
        "-t",
        "bar_horizontal_sorted",
    ];
    let text = page(&project, &bars);
    let order: Vec<usize> = ["a: 3", "c: 2", "b: 1"]
        .map(|note| text.find(note).unwrap_or(0))
        .to_vec();
    assert!(order.is_sorted() && order[0] > 0, "{text}");
    let scatter = page(
        &project,
        &[
            "show",
            "other.csv",
            "-x",
            "step",
            "-y",
            "w",
            "-t",
            "scatter",
            "--title",
            "T",
        ],
    );
    assert_eq!(scatter.matches("<circle ").count(), 4);
    let smooth = page(&project, &["show", "other.csv", "-t", "smooth"]);
    assert_eq!(smooth.matches("<polyline ").count(), 1);

    project
        .strata(&["plots", "show", "other.csv", "-t", "pie"])
        .ends_with(255)
        .says(&["linear", "'pie'"]);
    project
        .strata(&["plots", "show", "other.csv", "-y", "v"])
        .says(&["Could not find provided field ('v')", "'w'"]);
    project
        .strata(&["plots", "show", "nothing.csv"])
        .ends_with(0)
        .says(&["'nothing.csv' does not exist", "No plots were loaded"]);
    project
        .strata(&["plots", "templates"])
        .ends_with(0)
        .says(&["simple\nlinear\nconfusion\n"]);
}

#[test]
fn a_name_of_any_length_is_cut() {
    let project = project();
    let name = "x".repeat(200_000);
    project.write("wide.csv", format!("step,{name}\n0,1\n1,2\n"));
    let page = page(&project, &["show", "wide.csv"]);
    assert!(page.contains('…'));
}
