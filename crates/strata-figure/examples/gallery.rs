//! One figure of each kind that the report has, as SVG, PDF and PNG: `cargo run -p strata-figure --example gallery -- FOLDER`

use std::error::Error;
use std::path::{Path, PathBuf};

use strata_figure::{
    Color, Colormap, Dimension, Figure, LineStyle, Location, Marker, Scale, Share, StepWhere,
    TickFormat, griddata,
};

/// Inches across: a column of a paper, and its page.
const COLUMN: f64 = 3.3;
const PAGE: f64 = 6.9;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(
        || std::env::temp_dir().join("strata-gallery"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&folder)?;
    let figures: [(&str, Figure); 20] = [
        ("curves", curves()),
        ("curves-wide", curves_wide()),
        ("by-width", by_width()),
        ("dropout", dropout()),
        ("penalty", penalty()),
        ("l1l2", l1l2()),
        ("gradient-flow", gradient_flow()),
        ("learning-rate", learning_rate()),
        ("confusion", confusion(10, COLUMN)),
        ("confusion47", confusion(47, PAGE)),
        ("confused", confused()),
        ("mistakes", mistakes()),
        ("history", history()),
        ("intermediate", intermediate()),
        ("slice", slice()),
        ("contour", contour()),
        ("parallel", parallel()),
        ("importance", importance()),
        ("pareto", pareto()),
        ("groups", groups()),
    ];
    for (name, figure) in figures {
        write(&folder, name, &figure)?;
    }
    Ok(())
}

fn write(folder: &Path, name: &str, figure: &Figure) -> Result<(), Box<dyn Error>> {
    std::fs::write(folder.join(format!("{name}.svg")), figure.to_svg()?)?;
    std::fs::write(folder.join(format!("{name}.pdf")), figure.to_pdf()?)?;
    std::fs::write(folder.join(format!("{name}.png")), figure.to_png(200)?)?;
    Ok(())
}

/// The same number for the same seed, from 0 to 1.
fn noise(seed: usize) -> f64 {
    let mut bits = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^= bits >> 32;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|index| index as f64).collect()
}

fn epochs(count: usize) -> Vec<f64> {
    (1..=count).map(|epoch| epoch as f64).collect()
}

/// Mean and spread of an accuracy that rises from `start` to `end`.
fn learning(seed: usize, start: f64, end: f64, speed: f64) -> [Vec<f64>; 3] {
    let mean: Vec<f64> = (0..50)
        .map(|epoch| {
            let rise = 1.0 - (-f64::from(epoch) * speed).exp();
            start + (end - start) * rise + 0.006 * (noise(seed * 1000 + epoch as usize) - 0.5)
        })
        .collect();
    let spread = |sign: f64| {
        let ends = mean.iter().enumerate();
        ends.map(|(epoch, mean)| mean + sign * (0.006 + 0.02 / (epoch as f64 + 1.5)))
            .collect()
    };
    [mean.clone(), spread(-1.0), spread(1.0)]
}

fn curves() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.4);
    let axes = figure.axes();
    axes.set_xlabel("epoch").set_ylabel("accuracy");
    axes.yaxis().format(TickFormat::Percent);
    let x = epochs(50);
    for (name, [mean, low, high]) in [
        ("training", learning(1, 0.61, 0.93, 0.12)),
        ("validation", learning(2, 0.75, 0.845, 0.3)),
    ] {
        axes.plot(&x, &mean).label(name);
        axes.fill_between(&x, &low, &high);
    }
    axes.legend(Location::Best);
    figure
}

fn curves_wide() -> Figure {
    let mut figure = Figure::subplots(1, 2, (PAGE, 2.5));
    let x = epochs(50);
    let widths = ["32", "64", "128"];
    for (index, width) in widths.iter().enumerate() {
        for (part, style) in [
            ("training", LineStyle::Solid),
            ("validation", LineStyle::Dashed),
        ] {
            let is_training = style == LineStyle::Solid;
            let top = 0.82 + 0.04 * index as f64 * if is_training { 1.0 } else { 0.3 };
            let [mean, low, high] = learning(index * 2 + 7, 0.55, top, 0.15);
            let error: Vec<f64> = mean.iter().map(|mean| -(mean * 0.98).ln()).collect();
            let label = format!("{width} units, {part}");
            for (column, values) in [(0, &mean), (1, &error)] {
                figure
                    .at(0, column)
                    .plot(&x, values)
                    .color(Color::cycle(index))
                    .linestyle(style)
                    .label(label.clone());
            }
            figure
                .at(0, 0)
                .fill_between(&x, &low, &high)
                .color(Color::cycle(index).with_alpha(0.15));
        }
    }
    figure.at(0, 0).set_title("Accuracy").set_xlabel("epoch");
    figure.at(0, 0).set_ylabel("accuracy");
    figure.at(0, 1).set_title("Error").set_xlabel("epoch");
    figure.at(0, 1).set_ylabel("cross-entropy / nats");
    figure.legend();
    figure
}

fn by_width() -> Figure {
    let mut figure = Figure::subplots(1, 2, (PAGE, 2.3));
    figure.share_y(Share::Row);
    let widths = [16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
    let axes = figure.at(0, 0);
    axes.set_xscale(Scale::Log)
        .set_xlabel("hidden units per layer");
    axes.set_ylabel("accuracy");
    axes.xaxis()
        .ticks(&widths, widths.map(|width| width.to_string()));
    axes.yaxis().format(TickFormat::Percent);
    let training = [0.74, 0.79, 0.85, 0.91, 0.95, 0.975];
    let validation = [0.73, 0.78, 0.825, 0.845, 0.848, 0.842];
    let error = [0.008, 0.006, 0.005, 0.004, 0.004, 0.005];
    axes.errorbar(&widths, &training, &error)
        .linestyle(LineStyle::Solid)
        .label("training");
    axes.errorbar(&widths, &validation, &error)
        .linestyle(LineStyle::Dashed)
        .label("validation");
    axes.legend(Location::Best);
    let axes = figure.at(0, 1);
    axes.set_xlabel("hidden layers");
    axes.xaxis().integer();
    axes.yaxis().format(TickFormat::Percent);
    let depths = epochs(5);
    for (name, values) in [
        ("training", [0.88, 0.91, 0.93, 0.935, 0.93]),
        ("validation", [0.84, 0.845, 0.847, 0.843, 0.835]),
    ] {
        axes.errorbar(&depths, &values, &error)
            .linestyle(LineStyle::Solid)
            .label(name);
    }
    figure
}

fn dropout() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.4);
    let axes = figure.axes();
    let rates: Vec<f64> = (0..10).map(|index| f64::from(index) / 10.0).collect();
    let accuracy: Vec<f64> = rates
        .iter()
        .map(|p| 0.845 + 0.02 * p - 0.09 * p.powi(3))
        .collect();
    let gap: Vec<f64> = rates
        .iter()
        .map(|p| 0.11 * (1.0 - p).powi(2) - 0.01)
        .collect();
    axes.set_xlabel("dropout rate $p$")
        .set_ylabel("validation accuracy");
    axes.yaxis().format(TickFormat::Percent);
    axes.plot(&rates, &accuracy)
        .marker(Marker::Circle)
        .label("accuracy");
    let twin = axes.twinx();
    twin.set_ylabel("generalisation gap");
    twin.yaxis().format(TickFormat::Percent);
    twin.plot(&rates, &gap).marker(Marker::Square).label("gap");
    axes.legend(Location::Best);
    figure
}

fn penalty() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.4);
    let axes = figure.axes();
    axes.set_xscale(Scale::Log);
    axes.set_xlabel(r"penalty $\lambda$")
        .set_ylabel("validation accuracy");
    axes.yaxis().format(TickFormat::Percent);
    let strengths: Vec<f64> = (0..11)
        .map(|index| 10_f64.powf(-7.0 + f64::from(index) / 2.0))
        .collect();
    for (name, centre) in [("$L_1$", -5.2), ("$L_2$", -3.4)] {
        let values: Vec<f64> = strengths
            .iter()
            .map(|strength| {
                0.84 + 0.02 * (-(strength.log10() - centre).powi(2)).exp() - 0.3 * strength
            })
            .collect();
        axes.plot(&strengths, &values)
            .label(name)
            .marker(Marker::Circle);
    }
    axes.axhline(0.84).label("no penalty");
    axes.annotate("best", (10_f64.powf(-3.5), 0.8595), (32.0, 0.0));
    axes.legend(Location::Best);
    figure
}

fn l1l2() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.7);
    let axes = figure.axes();
    let names = ["0", "$10^{-6}$", "$10^{-5}$", "$10^{-4}$", "$10^{-3}$"];
    let values: Vec<f64> = (0..25)
        .map(|index| {
            let (row, column) = (f64::from(index / 5), f64::from(index % 5));
            0.86 - 0.004 * (row - 2.3).powi(2) - 0.006 * (column - 1.6).powi(2)
        })
        .collect();
    axes.heatmap(&values, 5)
        .cmap(Colormap::Viridis)
        .annotate(|value| format!("{:.1}", value * 100.0));
    axes.set_xlabel(r"$\lambda_1$").set_ylabel(r"$\lambda_2$");
    axes.xaxis().categories(names);
    axes.yaxis().categories(names);
    axes.set_aspect_equal();
    axes.colorbar("validation accuracy")
        .format(TickFormat::Percent);
    figure
}

fn gradient_flow() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.3);
    let axes = figure.axes();
    let x: Vec<f64> = (0..=30).map(|edge| f64::from(edge) + 0.5).collect();
    let y: Vec<f64> = (0..=5).map(|edge| f64::from(edge) - 0.5).collect();
    let values: Vec<f64> = (0..150)
        .map(|index| {
            let (layer, epoch) = (f64::from(index / 30), f64::from(index % 30));
            10_f64.powf(-1.0 - 0.5 * (4.0 - layer) - epoch / 25.0 + 0.3 * noise(index as usize))
        })
        .collect();
    axes.pcolormesh(&x, &y, &values)
        .cmap(Colormap::Cividis)
        .log_norm();
    axes.set_xlabel("epoch");
    axes.yaxis()
        .categories(["linear 1", "linear 2", "linear 3", "linear 4", "output"]);
    axes.colorbar(r"$|\nabla|_2$ per layer");
    figure
}

fn learning_rate() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.0);
    let axes = figure.axes();
    let steps: Vec<f64> = (0..2000).map(|step| f64::from(step) * 40.0).collect();
    let cosine = |step: &f64| {
        if *step < 4000.0 {
            1e-3 * step / 4000.0
        } else {
            5e-4 * (1.0 + ((step - 4000.0) / 76000.0 * std::f64::consts::PI).cos())
        }
    };
    let values: Vec<f64> = steps.iter().map(cosine).collect();
    let stepped: Vec<f64> = epochs(10)
        .iter()
        .map(|epoch| 8e-4 * 0.6_f64.powf(epoch - 1.0))
        .collect();
    let starts: Vec<f64> = numbers(10).iter().map(|index| index * 8000.0).collect();
    axes.set_xlabel("step").set_ylabel("learning rate");
    axes.plot(&steps, &values).label("warm-up, cosine");
    axes.step(&starts, &stepped, StepWhere::Post)
        .label("StepLR");
    axes.yaxis().lower_limit(0.0);
    axes.legend(Location::Best);
    figure
}

fn confusion(classes: usize, width: f64) -> Figure {
    let names: Vec<String> = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
        .chars()
        .take(classes)
        .map(String::from)
        .collect();
    let values: Vec<f64> = (0..classes * classes)
        .map(|index| {
            let (row, column) = (index / classes, index % classes);
            let rare = noise(index).powi(12);
            if row == column {
                0.8 + 0.2 * noise(index)
            } else {
                rare * 0.3
            }
        })
        .collect();
    let mut figure = Figure::new(width, width * 0.9);
    let axes = figure.axes();
    axes.heatmap(&values, classes)
        .cmap(Colormap::Blues)
        .clim(0.0, 1.0)
        .annotate(move |value| {
            if classes > 20 || value < 0.005 {
                String::new()
            } else {
                format!("{value:.2}")
            }
        });
    axes.set_xlabel("predicted class").set_ylabel("true class");
    axes.xaxis().categories(names.clone());
    axes.yaxis().categories(names);
    axes.set_aspect_equal();
    axes.colorbar("share of the true class");
    figure
}

/// The matrix beside the pairs that are taken for each other most often.
fn confused() -> Figure {
    let mut figure = Figure::subplots(1, 2, (PAGE, 2.9));
    figure.width_ratios(&[1.0, 1.2]);
    let classes = ["0", "O", "1", "I", "L", "9", "g", "q"];
    let values: Vec<f64> = (0..64)
        .map(|index| match (index / 8, index % 8) {
            (row, column) if row == column => 0.75 + 0.2 * noise(index),
            (0, 1) | (2, 4) | (4, 3) => 0.1 + 0.2 * noise(index),
            (row, column) if row / 2 == column / 2 => 0.1 * noise(index),
            _ => 0.02 * noise(index).powi(4),
        })
        .collect();
    let axes = figure.at(0, 0);
    axes.heatmap(&values, 8)
        .cmap(Colormap::Blues)
        .clim(0.0, 1.0);
    axes.set_xlabel("predicted class").set_ylabel("true class");
    axes.xaxis().categories(classes);
    axes.yaxis().categories(classes);
    axes.set_aspect_equal();
    axes.colorbar("share of the true class");
    let mut pairs: Vec<(f64, String)> = (0..64)
        .filter(|index| index / 8 != index % 8)
        .map(|index| {
            (
                values[index],
                format!("{} → {}", classes[index / 8], classes[index % 8]),
            )
        })
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs.truncate(8);
    let shares: Vec<f64> = pairs.iter().map(|pair| pair.0).collect();
    let axes = figure.at(0, 1);
    axes.barh(&numbers(8), &shares)
        .texts(shares.iter().map(|share| format!("{:.1}%", share * 100.0)));
    axes.yaxis()
        .categories(pairs.into_iter().map(|pair| pair.1))
        .invert();
    axes.xaxis().format(TickFormat::Percent);
    axes.set_xlabel("share of the true class")
        .set_ylabel("true → predicted");
    figure
}

fn mistakes() -> Figure {
    let mut figure = Figure::subplots(3, 8, (PAGE, 3.2));
    figure.suptitle("Misclassified examples of the validation set");
    for (index, axes) in figure.flat().enumerate() {
        if index == 23 {
            axes.axis_off();
            continue;
        }
        let radius = 4.0 + (index % 7) as f64;
        let pixels: Vec<u8> = (0..28 * 28)
            .map(|pixel| {
                let (x, y) = (f64::from(pixel % 28) - 13.5, f64::from(pixel / 28) - 13.5);
                let distance = x.hypot(y * (1.0 + 0.1 * (index % 5) as f64)) - radius;
                (255.0 * (2.0 - distance.abs()).clamp(0.0, 1.0)) as u8
            })
            .collect();
        axes.imshow(&pixels, 28, 28);
        axes.axis_off().set_title(format!(
            "{} → {} ({:.0}%)",
            index % 10,
            (index * 7 + 1) % 10,
            50.0 + noise(index) * 50.0
        ));
    }
    figure
}

fn history() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.3);
    let axes = figure.axes();
    let trials = numbers(60);
    let values: Vec<f64> = (0..60)
        .map(|trial| 0.85 - 0.12 * noise(trial).powi(2) * (-(trial as f64) / 40.0).exp())
        .collect();
    let best: Vec<f64> = values
        .iter()
        .scan(0.0_f64, |best, value| {
            *best = best.max(*value);
            Some(*best)
        })
        .collect();
    axes.scatter(&trials, &values).label("objective value");
    axes.step(&trials, &best, StepWhere::Post)
        .linestyle(LineStyle::Solid)
        .label("best value");
    axes.set_xlabel("trial").set_ylabel("validation accuracy");
    axes.xaxis().integer();
    axes.legend(Location::Best);
    figure
}

fn intermediate() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.4);
    let axes = figure.axes();
    for trial in 0..14 {
        let length = if trial % 3 == 0 {
            50
        } else {
            5 + (noise(trial + 90) * 30.0) as usize
        };
        let [mean, ..] = learning(
            trial,
            0.5 + 0.1 * noise(trial),
            0.8 + 0.06 * noise(trial + 5),
            0.1,
        );
        axes.plot(&epochs(length), &mean[..length])
            .linewidth(0.7)
            .label(format!("trial {trial}"));
    }
    axes.set_xlabel("epoch").set_ylabel("validation accuracy");
    axes.legend(Location::Right);
    figure
}

fn slice() -> Figure {
    let mut figure = Figure::subplots(1, 3, (PAGE, 2.2));
    figure.share_y(Share::Row);
    let trials = numbers(60);
    let values: Vec<f64> = (0..60).map(|trial| 0.8 + 0.05 * noise(trial)).collect();
    let draws = |seed: usize| (0..60).map(move |trial| noise(trial * 31 + seed));
    let columns: [(&str, Vec<f64>, Scale); 3] = [
        (
            "model.dropout",
            draws(1).map(|part| part * 0.6).collect(),
            Scale::Linear,
        ),
        (
            "training.optimizer.params.lr",
            draws(2)
                .map(|part| 10_f64.powf(-5.0 + 3.0 * part))
                .collect(),
            Scale::Log,
        ),
        (
            "training.batch_size",
            draws(3).map(|part| (part * 3.0).floor()).collect(),
            Scale::Category(["32", "64", "128"].map(String::from).to_vec()),
        ),
    ];
    for (index, (name, x, scale)) in columns.into_iter().enumerate() {
        let axes = figure.at(0, index);
        axes.set_xlabel(name).set_xscale(scale);
        axes.scatter(&x, &values)
            .c(&trials)
            .cmap(Colormap::Blues)
            .clim(-20.0, 60.0);
    }
    figure.at(0, 0).set_ylabel("objective value");
    figure.at(0, 2).colorbar("trial");
    figure
}

fn contour() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.6);
    let axes = figure.axes();
    let x: Vec<f64> = (0..80)
        .map(|index| 10_f64.powf(-5.0 + 3.0 * f64::from(index) / 79.0))
        .collect();
    let y: Vec<f64> = (0..80).map(|index| 0.6 * f64::from(index) / 79.0).collect();
    let trials: Vec<(f64, f64, f64)> = (0..60)
        .map(|trial| {
            let (rate, dropout) = (-5.0 + 3.0 * noise(trial), 0.6 * noise(trial + 100));
            let value = 0.85 - 0.02 * (rate + 3.2).powi(2) - 0.2 * (dropout - 0.25).powi(2);
            (10_f64.powf(rate), dropout, value)
        })
        .collect();
    let z = griddata(&trials, &x, &y);
    axes.set_xscale(Scale::Log);
    axes.set_xlabel("learning rate").set_ylabel("dropout rate");
    axes.contourf(&x, &y, &z);
    axes.contour(&x, &y, &z).color(Color::WHITE.with_alpha(0.6));
    let rates: Vec<f64> = trials.iter().map(|trial| trial.0).collect();
    let dropouts: Vec<f64> = trials.iter().map(|trial| trial.1).collect();
    axes.scatter(&rates, &dropouts)
        .color(Color::BLACK)
        .markersize(2.5);
    axes.colorbar("validation accuracy");
    figure
}

fn parallel() -> Figure {
    let mut figure = Figure::new(PAGE, 2.8);
    let axes = figure.axes();
    let mut trials: Vec<usize> = (0..50).collect();
    let value = |trial: usize| 0.78 + 0.07 * noise(trial);
    trials.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let column =
        |of: &dyn Fn(usize) -> f64| trials.iter().map(|trial| of(*trial)).collect::<Vec<_>>();
    let values = column(&value);
    let dimension = |label: &str, scale: Scale, values: Vec<f64>| Dimension {
        label: label.to_owned(),
        scale,
        values,
    };
    let optimizers = ["AdamW", "SGD", "RMSprop"].map(String::from).to_vec();
    let dimensions = vec![
        dimension("objective value", Scale::Linear, values.clone()),
        dimension(
            "model.dropout",
            Scale::Linear,
            column(&|t| 0.6 * noise(t + 200)),
        ),
        dimension(
            "lr",
            Scale::Log,
            column(&|t| 10_f64.powf(-5.0 + 3.0 * noise(t + 300))),
        ),
        dimension(
            "optimizer",
            Scale::Category(optimizers),
            column(&|t| (3.0 * noise(t + 400)).floor()),
        ),
        dimension(
            "hidden units",
            Scale::Linear,
            column(&|t| (16.0 + 500.0 * noise(t + 500)).floor()),
        ),
    ];
    axes.parallel_coordinates(dimensions, &values);
    axes.colorbar("objective value");
    figure
}

fn importance() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.0);
    let axes = figure.axes();
    let values = [0.03, 0.07, 0.12, 0.31, 0.47];
    axes.barh(&numbers(5), &values)
        .texts(values.map(|value| format!("{value:.2}")));
    axes.yaxis().categories([
        "model.activation",
        "batch_size",
        "weight_decay",
        "model.dropout",
        "lr",
    ]);
    axes.set_xlabel("importance (PED-ANOVA)");
    figure
}

fn pareto() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.4);
    let axes = figure.axes();
    let parameters: Vec<f64> = (0..60).map(|i| 10_f64.powf(4.0 + 2.0 * noise(i))).collect();
    let accuracy: Vec<f64> = parameters
        .iter()
        .enumerate()
        .map(|(i, n)| 0.9 - 0.9 / n.log10().powi(2) - 0.05 * noise(i + 70))
        .collect();
    let mut order: Vec<usize> = (0..60).collect();
    order.sort_by(|a, b| parameters[*a].total_cmp(&parameters[*b]));
    let mut best = 0.0;
    let (mut front_x, mut front_y) = (Vec::new(), Vec::new());
    for index in order {
        if accuracy[index] > best {
            best = accuracy[index];
            front_x.push(parameters[index]);
            front_y.push(best);
        }
    }
    axes.set_xscale(Scale::Log)
        .set_xlabel("parameters")
        .set_ylabel("validation accuracy");
    axes.scatter(&parameters, &accuracy)
        .color(Color::gray(0xaa))
        .label("trials");
    axes.step(&front_x, &front_y, StepWhere::Post)
        .linestyle(LineStyle::Solid)
        .color(Color::VERMILION)
        .marker(Marker::Square)
        .label("Pareto front");
    axes.legend(Location::Best);
    figure
}

fn groups() -> Figure {
    let mut figure = Figure::new(COLUMN, 2.4);
    let axes = figure.axes();
    let names = [
        "baseline",
        "dropout",
        "L1 penalty",
        "L2 penalty",
        "label smoothing",
    ];
    let places = numbers(5);
    for (index, name) in ["validation", "test"].into_iter().enumerate() {
        let heights: Vec<f64> = (0..5)
            .map(|i| 0.835 + 0.02 * noise(i * 3 + index))
            .collect();
        axes.bar(&places, &heights)
            .width(0.38)
            .shift(index as f64 * 0.4 - 0.2)
            .errors(&[0.004, 0.003, 0.005, 0.002, 0.003])
            .label(name);
    }
    axes.xaxis().categories(names);
    axes.set_ylabel("accuracy").set_ylim(0.8, 0.87);
    axes.yaxis().format(TickFormat::Percent);
    axes.legend(Location::Below);
    figure
}
