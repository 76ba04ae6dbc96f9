//! Artifacts: the record of files that are kept under a name and a version.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::WandbError;
use super::json::{Json, NotANumber};
use super::messages::{Artifact as Record, Manifest, ManifestEntry, Run, StoragePolicyConfig};
use super::run_folder::random_client_id;
use super::table::TableArtifact;
use crate::Artifact;

/// The record of an artifact of a run; its files are read for their digests.
pub(super) fn record(artifact: &Artifact, run: &Run) -> Result<Record, WandbError> {
    let mut contents = Vec::with_capacity(artifact.files.len());
    for (name, path) in &artifact.files {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let unreadable = |source| WandbError::Read {
            path: path.clone(),
            source,
        };
        let md5 = strata_fs::md5_of_file(&path).map_err(unreadable)?;
        contents.push(ManifestEntry {
            path: name.clone(),
            digest: BASE64_STANDARD.encode(strata_fs::bytes_of_hex(&md5)),
            size: fs_err::metadata(&path).map_err(unreadable)?.len() as i64,
            local_path: path.to_string_lossy().into_owned(),
            ..ManifestEntry::default()
        });
    }
    contents.sort_by(|a, b| a.path.cmp(&b.path));
    let metadata = Json::plain(&crate::Value::Map(artifact.metadata.clone()));
    Ok(Record {
        run_id: run.run_id.clone(),
        project: run.project.clone(),
        entity: run.entity.clone(),
        r#type: artifact.kind.clone(),
        name: artifact.name.clone(),
        digest: digest(&contents),
        metadata: metadata.written(NotANumber::Null),
        user_created: true,
        aliases: artifact.aliases.clone(),
        manifest: Some(Manifest {
            version: 1,
            storage_policy: "wandb-storage-policy-v1".to_owned(),
            storage_policy_config: vec![StoragePolicyConfig {
                key: "storageLayout".to_owned(),
                value_json: "\"V2\"".to_owned(),
            }],
            contents,
        }),
        finalize: true,
        client_id: random_client_id()?,
        sequence_client_id: random_client_id()?,
        digest_algorithm: "MANIFEST_MD5".to_owned(),
        ..Record::default()
    })
}

/// The record of a table's artifact, whose file is there.
pub(super) fn of_table(
    table: &TableArtifact,
    file: &std::path::Path,
    run: &Run,
) -> Result<Record, WandbError> {
    let artifact = Artifact {
        name: table.name.clone(),
        kind: "run_table".to_owned(),
        aliases: vec!["latest".to_owned()],
        metadata: crate::Fields::new(),
        files: vec![(table.entry.clone(), file.to_owned())],
    };
    Ok(Record {
        client_id: table.client_id.clone(),
        sequence_client_id: table.sequence_client_id.clone(),
        user_created: false,
        metadata: String::new(),
        ..record(&artifact, run)?
    })
}

/// wandb's `MANIFEST_MD5`: of the names and digests in the order of the names.
fn digest(contents: &[ManifestEntry]) -> String {
    let mut text = String::from("wandb-artifact-manifest-v1\n");
    for entry in contents {
        text.push_str(&entry.path);
        text.push(':');
        text.push_str(&entry.digest);
        text.push('\n');
    }
    strata_fs::md5_of_bytes(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digest and file of `conformance/tracking/golden/media.wandb.json`.
    #[test]
    fn the_digest_is_that_of_wandb() {
        let entry = ManifestEntry {
            path: "table.table.json".to_owned(),
            digest: "ZKibtxZAx70DQXxw3EQkRg==".to_owned(),
            ..ManifestEntry::default()
        };
        assert_eq!(digest(&[entry]), "ec9073c0583a1250ea4eeaf19e6ff312");
    }
}
