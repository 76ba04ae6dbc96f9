//! `strata plots show`, `diff` and `templates`.
//!
//! [`gather`] reads the plots of each revision, [`draw`] makes charts of them, [`page`] puts these into one HTML file.

mod draw;
mod gather;
mod page;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use strata_pipeline::value::{Key, Map, Value};
use strata_pipeline::{PipelineError, Repository};

use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

use draw::Template;

#[derive(Debug, Args)]
pub(crate) struct PlotsArgs {
    #[command(subcommand)]
    command: PlotsCommand,
}

#[derive(Debug, Subcommand)]
enum PlotsCommand {
    /// Draw the plots of the workspace to a page
    #[command(after_help = "\
Examples:
  strata plots show                         all plots that dvc.yaml defines, to dvc_plots/index.html
  strata plots show logs/loss.csv -x epoch -y loss
  strata plots show predictions.csv -x actual -y predicted -t confusion

The page needs no network and no script. Data are CSV, TSV, JSON or YAML; images are shown as they are.")]
    Show(ShowArgs),
    /// Draw the plots of several commits into one another
    #[command(after_help = "\
Examples:
  strata plots diff                         the last commit and the workspace
  strata plots diff main v1.0 --targets logs/loss.csv")]
    Diff(DiffArgs),
    /// List the templates
    Templates(TemplatesArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Plots of dvc.yaml, or files; without any all plots
    targets: Vec<String>,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// Commits; of one alone and the workspace, of none the last commit and the workspace
    revisions: Vec<String>,
    /// Plots of dvc.yaml, or files
    #[arg(long, num_args = 0.., value_name = "PATH")]
    targets: Vec<String>,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Args)]
struct TemplatesArgs {
    /// The one to be described
    template: Option<String>,
    #[command(flatten)]
    volume: Volume,
}

/// What dvc.yaml may say of a plot, and where the page goes.
#[derive(Debug, Args)]
struct Look {
    /// How it is drawn; `strata plots templates` lists the choices
    #[arg(short, long, value_name = "NAME")]
    template: Option<String>,
    /// The field of the horizontal axis
    #[arg(short, value_name = "FIELD")]
    x: Option<String>,
    /// The field of the vertical axis
    #[arg(short, value_name = "FIELD")]
    y: Option<String>,
    /// The first line of a table is data as well; fields are 0, 1, ...
    #[arg(long)]
    no_header: bool,
    /// Text above the plot
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Text of the horizontal axis
    #[arg(long, value_name = "TEXT")]
    x_label: Option<String>,
    /// Text of the vertical axis
    #[arg(long, value_name = "TEXT")]
    y_label: Option<String>,
    /// The folder of the page [default: `plots.out_dir` of the settings, else `dvc_plots`]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
    /// A page with `{plot_divs}` where the plots go
    #[arg(long, value_name = "FILE")]
    html_template: Option<PathBuf>,
}

pub(crate) fn run(args: &PlotsArgs) -> Result<Ended, Failure> {
    match &args.command {
        PlotsCommand::Show(args) => {
            args.volume.apply();
            let revisions = [gather::WORKSPACE.to_owned()];
            draw_page(&revisions, &args.targets, &args.look)
        }
        PlotsCommand::Diff(args) => {
            args.volume.apply();
            let revisions = compared(&args.revisions)?;
            draw_page(&revisions, &args.targets, &args.look)
        }
        PlotsCommand::Templates(args) => templates(args),
    }
}

/// The workspace comes first, as in DVC. Without changes it stands for the last commit as well.
fn compared(revisions: &[String]) -> Result<Vec<String>, PipelineError> {
    let workspace = || gather::WORKSPACE.to_owned();
    let mut compared = vec![workspace()];
    match revisions {
        [] => {
            let repository = Repository::open(Path::new("."))?;
            let git = repository.git.as_ref();
            if git.is_some_and(|git| git.has_changes().unwrap_or(false)) {
                compared.push("HEAD".to_owned());
            }
        }
        [one] => compared.push(one.clone()),
        several if several.contains(&workspace()) => {
            let others = several.iter().filter(|revision| **revision != workspace());
            compared.extend(others.cloned());
        }
        several => compared = several.to_vec(),
    }
    compared.dedup();
    Ok(compared)
}

fn draw_page(revisions: &[String], targets: &[String], look: &Look) -> Result<Ended, Failure> {
    let plots = gather::gather(revisions, targets, &look.properties())?;
    let mut figures = Vec::new();
    for plot in &plots {
        figures.push(draw::figure(plot)?);
    }
    if figures.is_empty() {
        super::warn("No plots were loaded, visualization file will not be created.");
        return Ok(Ended::Done);
    }
    let template = match &look.html_template {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            Some(text)
        }
    };
    let text = page::page(&figures, template.as_deref())?;
    let folder = match &look.out {
        Some(out) => out.clone(),
        None => folder_of_settings()?,
    };
    let file = page::write(&folder, &text)?;
    output::print(&format!("{}\n", page::url(&file)))?;
    if look.open {
        page::open(&file)?;
    }
    Ok(Ended::Done)
}

fn folder_of_settings() -> Result<PathBuf, PipelineError> {
    let repository = Repository::open(Path::new("."))?;
    let folder = repository.config.get("plots", "out_dir");
    Ok(folder.map_or("dvc_plots", |(folder, _)| folder).into())
}

fn templates(args: &TemplatesArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let text = match &args.template {
        None => {
            let names = Template::ALL
                .iter()
                .map(|template| format!("{}\n", template.name()));
            names.collect::<String>()
        }
        Some(name) => format!("{}\n", Template::named(name)?.description()),
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

impl Look {
    /// Those that were typed.
    fn properties(&self) -> Map {
        let texts = [
            ("template", &self.template),
            ("x", &self.x),
            ("y", &self.y),
            ("title", &self.title),
            ("x_label", &self.x_label),
            ("y_label", &self.y_label),
        ];
        let texts = texts.into_iter().filter_map(|(key, value)| {
            let value = value.as_deref()?;
            Some((Key::from(key), Value::from(value)))
        });
        let mut properties: Map = texts.collect();
        if self.no_header {
            properties.insert(Key::from("header"), Value::Bool(false));
        }
        properties
    }
}
