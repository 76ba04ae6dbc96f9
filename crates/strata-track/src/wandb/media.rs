//! Pictures, tables and histograms: files beside the row, and what the row says of them.

use std::path::Path;

use super::WandbError;
use super::image_header::ImageHeader;
use super::json::{Json, NotANumber};
use super::table::TableArtifact;
use crate::{Histogram, Image, Value};

/// wandb shows no more pictures of one list.
const MOST_IMAGES: usize = 108;

/// Puts the files of values into the run's `files/`.
#[derive(Debug)]
pub(super) struct Media<'a> {
    /// The run's `files/`.
    files: &'a Path,
    /// The step in the names of files: the one that is open before the values are logged, as in wandb.
    step: u64,
    written: Vec<String>,
    warnings: Vec<&'static str>,
    tables: Vec<TableArtifact>,
    run_id: &'a str,
}

/// In the words of wandb, which its users find on the web.
const SIZES_DIFFER: &str = "WARNING:root:Images sizes do not match. This will causes images to be display incorrectly in the UI.\n";

impl<'a> Media<'a> {
    /// For the values of one call.
    pub(super) fn new(files: &'a Path, step: u64, run_id: &'a str) -> Self {
        Self {
            files,
            step,
            written: Vec::new(),
            warnings: Vec::new(),
            tables: Vec::new(),
            run_id,
        }
    }

    /// The files written, relative to `files/`, what is to be told on the run's console, and the artifacts of tables.
    pub(super) fn into_written(self) -> (Vec<String>, Vec<&'static str>, Vec<TableArtifact>) {
        (self.written, self.warnings, self.tables)
    }

    /// `value` as the row holds it; its files are in place afterwards.
    pub(super) fn resolve(&mut self, key: &str, value: &Value) -> Result<Json, WandbError> {
        match value {
            Value::Image(image) => self.image(key, image).map(|stored| stored.json(image)),
            Value::Images(images) => self.images(key, images),
            Value::Histogram(histogram) => counted(key, histogram),
            Value::Table { columns, data } => self.table(key, columns, data),
            Value::Map(fields) => {
                let fields = fields.iter().map(|(name, value)| {
                    let value = self.resolve(&format!("{key}.{name}"), value)?;
                    Ok((name.clone(), value))
                });
                Ok(Json::Map(fields.collect::<Result<_, WandbError>>()?))
            }
            _ => Ok(Json::plain(value)),
        }
    }

    fn image(&mut self, key: &str, image: &Image) -> Result<StoredImage, WandbError> {
        let bytes = fs_err::read(&image.file).map_err(|source| WandbError::Image {
            path: image.file.clone(),
            source,
        })?;
        let header =
            ImageHeader::of(&bytes).ok_or_else(|| WandbError::ImageFormat(image.file.clone()))?;
        let (path, sha256) = self.store("images", key, header.format, &bytes)?;
        Ok(StoredImage {
            header,
            path,
            sha256,
            size: bytes.len(),
        })
    }

    /// Size and format are those of the first picture; wandb stretches the others to it.
    fn images(&mut self, key: &str, images: &[Image]) -> Result<Json, WandbError> {
        let mut stored = Vec::new();
        for image in images.iter().take(MOST_IMAGES) {
            stored.push(self.image(key, image)?);
        }
        let Some(first) = stored.first().map(|image| image.header) else {
            return Ok(Json::List(Vec::new()));
        };
        let size = |image: &StoredImage| (image.header.width, image.header.height);
        if stored
            .iter()
            .any(|image| size(image) != (first.width, first.height))
        {
            self.warnings.push(SIZES_DIFFER);
        }
        let names = stored.into_iter().map(|image| Json::String(image.path));
        let mut fields = vec![
            ("_type", Json::text("images/separated")),
            ("width", Json::Integer(first.width.into())),
            ("height", Json::Integer(first.height.into())),
            ("format", Json::text(first.format)),
            ("count", Json::Integer(images.len().min(MOST_IMAGES) as i64)),
            ("filenames", Json::List(names.collect())),
        ];
        if images.iter().any(|image| image.caption.is_some()) {
            let captions = images.iter().take(MOST_IMAGES);
            let captions = captions.map(|image| Json::text(image.caption.as_deref().unwrap_or("")));
            fields.push(("captions", Json::List(captions.collect())));
        }
        Ok(map(fields))
    }

    fn table(
        &mut self,
        key: &str,
        columns: &[String],
        data: &[Vec<Value>],
    ) -> Result<Json, WandbError> {
        let names = columns.iter().map(Json::text).collect();
        let rows = data
            .iter()
            .map(|row| Json::List(row.iter().map(Json::plain).collect()));
        let content = map(vec![
            ("columns", Json::List(names)),
            ("data", Json::List(rows.collect())),
        ]);
        let bytes = content.written(NotANumber::Null).into_bytes();
        let (path, sha256) = self.store("table", key, "table.json", &bytes)?;
        let artifact = TableArtifact::new(self.run_id, key, columns, data)?;
        let addresses = [artifact.address(), artifact.latest_address()];
        self.tables.push(artifact);
        let [address, latest] = addresses.map(Json::String);
        Ok(map(vec![
            ("_type", Json::text("table-file")),
            ("ncols", Json::Integer(columns.len() as i64)),
            ("nrows", Json::Integer(data.len() as i64)),
            ("log_mode", Json::text("IMMUTABLE")),
            ("artifact_path", address),
            ("_latest_artifact_path", latest),
            ("sha256", Json::String(sha256)),
            ("size", Json::Integer(bytes.len() as i64)),
            ("path", Json::String(path)),
        ]))
    }

    /// Writes `media/KIND/KEY_STEP_SHA20.EXTENSION`, the slashes of `key` being folders, and returns its
    /// path and digest.
    fn store(
        &mut self,
        kind: &str,
        key: &str,
        extension: &str,
        bytes: &[u8],
    ) -> Result<(String, String), WandbError> {
        if key.split('/').any(|part| matches!(part, "" | "." | "..")) || key.contains(['\\', '\0'])
        {
            return Err(WandbError::MediaKey(key.to_owned()));
        }
        let mut digest = strata_fs::Sha256::new();
        digest.update(bytes);
        let sha256 = digest.hex();
        let start = &sha256[..20];
        let path = format!("media/{kind}/{key}_{}_{start}.{extension}", self.step);
        let file = self.files.join(&path);
        write_with_folders(&file, bytes)
            .map_err(|source| WandbError::Write { path: file, source })?;
        self.written.push(path.clone());
        Ok((path, sha256))
    }
}

fn write_with_folders(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs_err::create_dir_all(folder)?;
    }
    fs_err::write(file, bytes)
}

struct StoredImage {
    header: ImageHeader,
    path: String,
    sha256: String,
    size: usize,
}

impl StoredImage {
    fn json(self, image: &Image) -> Json {
        let mut fields = vec![
            ("_type", Json::text("image-file")),
            ("sha256", Json::String(self.sha256)),
            ("size", Json::Integer(self.size as i64)),
            ("path", Json::String(self.path)),
            ("format", Json::text(self.header.format)),
            ("width", Json::Integer(self.header.width.into())),
            ("height", Json::Integer(self.header.height.into())),
        ];
        if let Some(caption) = &image.caption {
            fields.push(("caption", Json::text(caption)));
        }
        map(fields)
    }
}

fn map(fields: Vec<(&str, Json)>) -> Json {
    let fields = fields.into_iter();
    Json::Map(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn counted(key: &str, histogram: &Histogram) -> Result<Json, WandbError> {
    let (counts, edges) = match histogram {
        Histogram::Values { values, bins } => equal_bins(values, *bins),
        Histogram::Counts { counts, edges } => Some((counts.clone(), edges.clone())),
    }
    .filter(|(counts, edges)| edges.len() == counts.len() + 1 && (1..=512).contains(&counts.len()))
    .ok_or_else(|| WandbError::Histogram(key.to_owned()))?;
    // Whole numbers are written alike either way, as integers sooner.
    let count = |count: f64| {
        if count.fract() == 0.0 && count.abs() < 1e6 {
            Json::Integer(count as i64)
        } else {
            Json::Number(count)
        }
    };
    Ok(map(vec![
        ("_type", Json::text("histogram")),
        (
            "values",
            Json::List(counts.into_iter().map(count).collect()),
        ),
        (
            "bins",
            Json::List(edges.into_iter().map(Json::Number).collect()),
        ),
    ]))
}

/// `numpy.histogram(values, bins)` of the finite values: the last bin holds its right edge too, and values
/// that are all equal have half a unit to each side. `None` if there is no finite value or no bin.
fn equal_bins(values: &[f64], bins: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (mut low, mut high) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    if low == high {
        low -= 0.5;
        high += 0.5;
    }
    if !(1..=512).contains(&bins) || !(high - low).is_finite() {
        return None;
    }
    // As `numpy.linspace`, whose last edge is exact.
    let width = (high - low) / bins as f64;
    let mut edges: Vec<f64> = (0..bins).map(|i| i as f64 * width + low).collect();
    edges.push(high);
    let mut counts = vec![0.0; bins];
    for value in finite() {
        let right = edges.partition_point(|&edge| edge <= value);
        counts[right.clamp(1, bins) - 1] += 1.0;
    }
    Some((counts, edges))
}
