//! Artifacts: a manifest of files, the files, and the word that all are there.

use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value, json};

use super::UploadError;
use crate::wandb::messages::{Artifact, Manifest};
use crate::wandb::server::{ArtifactFile, Client, Patience, RemoteRun, RequestError};

/// Sends an artifact, unless the server has one of its digest already.
pub(super) fn send(
    client: &Client,
    patience: &Patience,
    run: &RemoteRun,
    artifact: &Artifact,
    log: &Path,
) -> Result<(), UploadError> {
    let manifest = artifact.manifest.clone().unwrap_or_default();
    let aliases = artifact.aliases.iter();
    let aliases: Vec<Value> = aliases
        .map(|alias| json!({"artifactCollectionName": artifact.name, "alias": alias}))
        .collect();
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let input = json!({
        "entityName": run.entity,
        "projectName": run.project,
        "artifactTypeName": artifact.r#type,
        "artifactCollectionName": artifact.name,
        "runName": run.id,
        "digest": artifact.digest,
        "digestAlgorithm": "MANIFEST_MD5",
        "description": text(&artifact.description),
        "aliases": aliases,
        "metadata": text(&artifact.metadata),
        "enableDigestDeduplication": true,
        "clientID": artifact.client_id,
        "sequenceClientID": artifact.sequence_client_id,
    });
    let created = client.create_artifact(patience, &input)?;
    if created.is_committed {
        return Ok(());
    }
    let (manifest_id, _) = client.create_artifact_manifest(patience, run, &created, None)?;
    let local = manifest.contents.iter();
    let local: Vec<_> = local.filter(|entry| entry.r#ref.is_empty()).collect();
    let files: Vec<ArtifactFile> = local
        .iter()
        .map(|entry| ArtifactFile {
            name: entry.path.clone(),
            md5: entry.digest.clone(),
        })
        .collect();
    let places = client.create_artifact_files(patience, &created, &manifest_id, &files)?;
    for (entry, place) in local.iter().zip(places) {
        let Some(place) = place else { continue };
        let path = found(std::path::Path::new(&entry.local_path), log);
        let path = path.as_path();
        let content = fs_err::read(path).map_err(|source| UploadError::Folder {
            path: path.to_owned(),
            source,
        })?;
        client.put(patience, &place.url, &place.headers, &content)?;
    }
    let text = manifest_json(&manifest);
    let digest = strata_fs::md5_of_bytes(text.as_bytes());
    let digest = BASE64_STANDARD.encode(strata_fs::bytes_of_hex(&digest));
    let (_, place) = client.create_artifact_manifest(patience, run, &created, Some(&digest))?;
    client.put(patience, &place.url, &place.headers, text.as_bytes())?;
    client.commit_artifact(patience, &created)?;
    Ok(())
}

/// Where a file of an artifact is; beside the log, if the run's folder has moved since.
fn found(path: &Path, log: &Path) -> PathBuf {
    let moved = path
        .file_name()
        .map(|name| log.with_file_name("tmp").join(name));
    match moved {
        Some(moved) if !path.exists() && moved.exists() => moved,
        _ => path.to_owned(),
    }
}

fn manifest_json(manifest: &Manifest) -> String {
    let config = manifest.storage_policy_config.iter();
    let config: Map<String, Value> = config
        .map(|entry| {
            let value = serde_json::from_str(&entry.value_json).unwrap_or_default();
            (entry.key.clone(), value)
        })
        .collect();
    let contents = manifest.contents.iter().map(|entry| {
        let mut fields = Map::from_iter([("digest".to_owned(), json!(entry.digest))]);
        if !entry.r#ref.is_empty() {
            fields.insert("ref".to_owned(), json!(entry.r#ref));
        }
        fields.insert("size".to_owned(), json!(entry.size));
        (entry.path.clone(), Value::Object(fields))
    });
    let contents: Map<String, Value> = contents.collect();
    json!({
        "version": manifest.version,
        "storagePolicy": manifest.storage_policy,
        "storagePolicyConfig": config,
        "contents": contents,
    })
    .to_string()
}

/// Whether an artifact that could not be sent is the artifact's own fault.
pub(super) fn is_its_own_fault(error: &UploadError) -> bool {
    matches!(
        error,
        UploadError::Folder { .. } | UploadError::Request(RequestError::Refused { .. })
    )
}
