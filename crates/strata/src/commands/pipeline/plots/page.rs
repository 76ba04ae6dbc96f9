//! One HTML file with all plots in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use strata_figure::chart::escaped;

use super::draw::{Figure, Picture};

const PLACE: &str = "{plot_divs}";

const PAGE: &str = "\
<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<title>DVC Plot</title>
<style>
body { font-family: \"DejaVu Sans\", Verdana, sans-serif; color: #222; background: #fff; margin: 16px; }
section { display: inline-block; vertical-align: top; margin: 8px; }
figure { display: inline-block; vertical-align: top; margin: 0 8px 8px 0; }
img { max-width: 480px; }
</style>
</head>
<body>
{plot_divs}
</body>
</html>
";

/// The page, or a template of the user's with the plots in it.
///
/// # Errors
/// The template has no place for plots.
pub(super) fn page(figures: &[Figure], template: Option<&str>) -> anyhow::Result<String> {
    let template = template.unwrap_or(PAGE);
    anyhow::ensure!(
        template.contains(PLACE),
        "HTML template has to contain '{PLACE}'."
    );
    let figures: String = figures.iter().map(section).collect();
    // The plots come last: their texts are data, and no places.
    let without_scripts = template
        .replace("{scripts}", "")
        .replace("{refresh_tag}", "");
    Ok(without_scripts.replacen(PLACE, &figures, 1))
}

fn section(figure: &Figure) -> String {
    let title = escaped(&figure.title);
    let mut html = format!("<section id=\"{title}\">\n");
    let has_images = figure
        .pictures
        .iter()
        .any(|picture| matches!(picture, Picture::Image { .. }));
    if has_images {
        let _ = writeln!(html, "<h2>{title}</h2>");
    }
    for picture in &figure.pictures {
        let _ = match picture {
            Picture::Svg(svg) => writeln!(html, "<figure>\n{svg}</figure>"),
            Picture::Image {
                caption,
                file,
                bytes,
            } => writeln!(
                html,
                "<figure>\n<img src=\"data:{};base64,{}\" alt=\"{}\">\n<figcaption>{}</figcaption>\n</figure>",
                media_type(file),
                base64(bytes),
                escaped(file),
                escaped(caption)
            ),
        };
    }
    html + "</section>\n"
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("svg") => "image/svg+xml",
        _ => "image/jpeg",
    }
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place > chunk.len() {
                text.push('=');
            } else {
                let index = bits >> (18 - 6 * place) & 63;
                text.push(char::from(LETTERS[index as usize]));
            }
        }
    }
    text
}

/// Writes the page; gives its absolute path.
///
/// # Errors
/// Those of writing.
pub(super) fn write(folder: &Path, text: &str) -> anyhow::Result<PathBuf> {
    let shown = || format!("cannot write the page to {}", folder.display());
    std::fs::create_dir_all(folder).with_context(shown)?;
    let file = folder
        .canonicalize()
        .with_context(shown)?
        .join("index.html");
    strata_fs::write_atomically(&file, text.as_bytes()).with_context(shown)?;
    Ok(file)
}

/// RFC 8089, as Python's `Path.as_uri`.
pub(super) fn url(file: &Path) -> String {
    let mut url = String::from("file://");
    for &byte in file.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

/// Shows the page in the browser.
///
/// # Errors
/// There is nothing that opens it.
pub(super) fn open(file: &Path) -> anyhow::Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let status = Command::new(program).arg(file).status();
    let status = status.with_context(|| format!("cannot start `{program}`"))?;
    anyhow::ensure!(
        status.success(),
        "`{program}` failed; open the page yourself"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_paths_become_text() {
        assert_eq!(
            [&b""[..], b"f", b"fo", b"foo", b"\xff\xfe"].map(base64),
            ["", "Zg==", "Zm8=", "Zm9v", "//4="]
        );
        assert_eq!(url(Path::new("/a b/ü.html")), "file:///a%20b/%C3%BC.html");
    }

    #[test]
    fn a_template_of_the_users_needs_a_place() {
        assert!(page(&[], Some("<p>")).is_err());
        let figure = Figure {
            title: "<{plot_divs}>".to_owned(),
            pictures: Vec::new(),
        };
        let text = page(&[figure], Some("{scripts}[{plot_divs}]")).expect("it has a place");
        assert_eq!(text, "[<section id=\"&lt;{plot_divs}&gt;\">\n</section>\n]");
    }
}
