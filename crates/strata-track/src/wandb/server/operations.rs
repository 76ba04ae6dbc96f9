//! The questions of the server's GraphQL that are asked here, with typed answers.

use serde_json::{Value, json};

use super::client::{Client, Patience, RequestError};

const VIEWER: (&str, &str) = (
    "Viewer",
    "query Viewer { viewer { id entity username email flags teams { edges { node { name } } } } }",
);

const SERVER_FEATURES: (&str, &str) = (
    "ServerFeaturesQuery",
    "query ServerFeaturesQuery { serverInfo { features { name isEnabled } } }",
);

const RUN_RESUME_STATUS: (&str, &str) = (
    "RunResumeStatus",
    "query RunResumeStatus($project: String, $entity: String, $name: String!) {
        model(name: $project, entityName: $entity) {
            bucket(name: $name, missingOk: true) {
                logLineCount historyLineCount eventsLineCount historyTail wandbConfig(keys: [\"t\"])
            }
        }
    }",
);

const UPSERT_BUCKET: (&str, &str) = (
    "UpsertBucket",
    "mutation UpsertBucket(
        $name: String, $project: String, $entity: String, $groupName: String, $displayName: String,
        $notes: String, $commit: String, $config: JSONString, $host: String, $program: String,
        $repo: String, $jobType: String, $sweep: String, $tags: [String!]
    ) {
        upsertBucket(input: {
            name: $name, modelName: $project, entityName: $entity, groupName: $groupName,
            displayName: $displayName, notes: $notes, commit: $commit, config: $config, host: $host,
            jobProgram: $program, jobRepo: $repo, jobType: $jobType, sweep: $sweep, tags: $tags
        }) {
            bucket { id name displayName project { name entity { name } } }
            inserted
        }
    }",
);

const CREATE_RUN_FILES: (&str, &str) = (
    "CreateRunFiles",
    "mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
        createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
            uploadHeaders
            files { name uploadUrl }
        }
    }",
);

const ALERT: (&str, &str) = (
    "NotifyScriptableRunAlert",
    "mutation NotifyScriptableRunAlert(
        $entityName: String!, $projectName: String!, $runName: String!, $title: String!, $text: String!,
        $severity: AlertSeverity = INFO
    ) {
        notifyScriptableRunAlert(input: {
            entityName: $entityName, projectName: $projectName, runName: $runName, title: $title, text: $text,
            severity: $severity
        }) { success }
    }",
);

const CREATE_ARTIFACT: (&str, &str) = (
    "CreateArtifact",
    "mutation CreateArtifact($input: CreateArtifactInput!) {
        createArtifact(input: $input) {
            artifact { id state artifactSequence { latestArtifact { id } } }
        }
    }",
);

const CREATE_ARTIFACT_MANIFEST: (&str, &str) = (
    "CreateArtifactManifest",
    "mutation CreateArtifactManifest(
        $artifactID: ID!, $baseArtifactID: ID, $name: String!, $digest: String!, $entityName: String!,
        $projectName: String!, $runName: String!, $manifestType: ArtifactManifestType!, $includeUpload: Boolean!
    ) {
        createArtifactManifest(input: {
            artifactID: $artifactID, baseArtifactID: $baseArtifactID, name: $name, digest: $digest,
            entityName: $entityName, projectName: $projectName, runName: $runName, type: $manifestType
        }) {
            artifactManifest {
                id
                file {
                    id
                    uploadUrl @include(if: $includeUpload)
                    uploadHeaders @include(if: $includeUpload)
                }
            }
        }
    }",
);

const CREATE_ARTIFACT_FILES: (&str, &str) = (
    "CreateArtifactFiles",
    "mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
        createArtifactFiles(input: $input) {
            files { edges { node { uploadUrl uploadHeaders } } }
        }
    }",
);

const COMMIT_ARTIFACT: (&str, &str) = (
    "CommitArtifact",
    "mutation CommitArtifact($artifactID: ID!) {
        commitArtifact(input: {artifactID: $artifactID}) { artifact { id digest } }
    }",
);

/// A run as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::wandb) struct RemoteRun {
    pub(in crate::wandb) entity: String,
    pub(in crate::wandb) project: String,
    pub(in crate::wandb) id: String,
    pub(in crate::wandb) display_name: String,
}

/// What is told of a run; empty is unchanged.
#[derive(Clone, Debug, Default)]
pub(in crate::wandb) struct RunInput {
    pub(in crate::wandb) id: String,
    pub(in crate::wandb) entity: String,
    pub(in crate::wandb) project: String,
    pub(in crate::wandb) group: String,
    pub(in crate::wandb) job_type: String,
    pub(in crate::wandb) display_name: String,
    pub(in crate::wandb) notes: String,
    pub(in crate::wandb) tags: Vec<String>,
    pub(in crate::wandb) host: String,
    pub(in crate::wandb) program: String,
    pub(in crate::wandb) commit: String,
    pub(in crate::wandb) repository: String,
    pub(in crate::wandb) sweep: String,
    /// JSON.
    pub(in crate::wandb) config: String,
}

/// How many lines of a run's files the server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::wandb) struct ResumeStatus {
    pub(in crate::wandb) history_lines: u64,
    pub(in crate::wandb) events_lines: u64,
    pub(in crate::wandb) log_lines: u64,
    /// One more than the last step.
    pub(in crate::wandb) next_step: u64,
}

/// Where a file is to be put.
#[derive(Clone, Debug)]
pub(in crate::wandb) struct UploadUrl {
    pub(in crate::wandb) url: String,
    pub(in crate::wandb) headers: Vec<(String, String)>,
}

/// A message for the person in charge.
#[derive(Clone, Debug)]
pub(in crate::wandb) struct AlertInput {
    pub(in crate::wandb) title: String,
    pub(in crate::wandb) text: String,
    pub(in crate::wandb) level: String,
}

/// An artifact that the server has made or had.
#[derive(Clone, Debug)]
pub(in crate::wandb) struct CreatedArtifact {
    pub(in crate::wandb) id: String,
    /// Nothing of it is left to be sent.
    pub(in crate::wandb) is_committed: bool,
    pub(in crate::wandb) base_id: Option<String>,
}

/// A file of an artifact.
#[derive(Clone, Debug)]
pub(in crate::wandb) struct ArtifactFile {
    pub(in crate::wandb) name: String,
    /// Base64.
    pub(in crate::wandb) md5: String,
}

impl Client {
    /// The user's default team, which runs without an entity go to; an error if the key is not known.
    pub(in crate::wandb) fn viewer(&self, patience: &Patience) -> Result<Viewer, RequestError> {
        let data = self.graphql(patience, VIEWER, &json!({}))?;
        let viewer = &data["viewer"];
        if viewer.is_null() {
            return Err(self.refused("the key belongs to nobody"));
        }
        Ok(Viewer {
            username: text(&viewer["username"]),
            entity: text(&viewer["entity"]),
        })
    }

    /// Whether the server has a feature; one that does not tell has none.
    pub(in crate::wandb) fn has_feature(
        &self,
        patience: &Patience,
        name: &str,
    ) -> Result<bool, RequestError> {
        let data = match self.graphql(patience, SERVER_FEATURES, &json!({})) {
            Err(RequestError::Refused { status, .. }) if status != 401 => return Ok(false),
            data => data?,
        };
        let features = data["serverInfo"]["features"].as_array();
        let mut features = features.into_iter().flatten();
        Ok(features.any(|feature| feature["name"] == name && feature["isEnabled"] == true))
    }

    /// What the server has of a run; `None` if it does not know it.
    pub(in crate::wandb) fn resume_status(
        &self,
        patience: &Patience,
        run: &RunInput,
    ) -> Result<Option<ResumeStatus>, RequestError> {
        let variables = json!({
            "project": present(&run.project), "entity": present(&run.entity), "name": run.id,
        });
        let data = self.graphql(patience, RUN_RESUME_STATUS, &variables)?;
        let bucket = &data["model"]["bucket"];
        // A run that was made on the page and never begun has no telemetry.
        let config = bucket["wandbConfig"].as_str().unwrap_or_default();
        let config: Value = serde_json::from_str(config).unwrap_or_default();
        if bucket.is_null() || config.get("t").is_none() {
            return Ok(None);
        }
        let count = |name: &str| bucket[name].as_u64().unwrap_or(0);
        Ok(Some(ResumeStatus {
            history_lines: count("historyLineCount"),
            events_lines: count("eventsLineCount"),
            log_lines: count("logLineCount"),
            next_step: last_step(&bucket["historyTail"]).map_or(0, |step| step + 1),
        }))
    }

    /// Makes a run or changes what is told of it.
    pub(in crate::wandb) fn upsert_run(
        &self,
        patience: &Patience,
        run: &RunInput,
    ) -> Result<RemoteRun, RequestError> {
        let variables = json!({
            "name": run.id,
            "project": present(&run.project),
            "entity": present(&run.entity),
            "groupName": present(&run.group),
            "jobType": present(&run.job_type),
            "displayName": present(&run.display_name),
            "notes": present(&run.notes),
            "tags": (!run.tags.is_empty()).then_some(&run.tags),
            "host": present(&run.host),
            "program": present(&run.program),
            "commit": present(&run.commit),
            "repo": present(&run.repository),
            "sweep": present(&run.sweep),
            "config": present(&run.config),
        });
        let data = self.graphql(patience, UPSERT_BUCKET, &variables)?;
        let bucket = &data["upsertBucket"]["bucket"];
        let (Some(id), Some(project), Some(entity)) = (
            bucket["name"].as_str(),
            bucket["project"]["name"].as_str(),
            bucket["project"]["entity"]["name"].as_str(),
        ) else {
            return Err(self.refused("the answer names no run"));
        };
        Ok(RemoteRun {
            entity: entity.to_owned(),
            project: project.to_owned(),
            id: id.to_owned(),
            display_name: text(&bucket["displayName"]),
        })
    }

    /// Where files of a run are to be put, by name.
    pub(in crate::wandb) fn create_run_files(
        &self,
        patience: &Patience,
        run: &RemoteRun,
        names: &[String],
    ) -> Result<Vec<(String, UploadUrl)>, RequestError> {
        let variables = json!({
            "entity": run.entity, "project": run.project, "run": run.id, "files": names,
        });
        let data = self.graphql(patience, CREATE_RUN_FILES, &variables)?;
        let answer = &data["createRunFiles"];
        let headers = headers(&answer["uploadHeaders"]);
        let files = answer["files"].as_array();
        let files = files.into_iter().flatten();
        Ok(files
            .map(|file| {
                let url = UploadUrl {
                    url: self.absolute(&file["uploadUrl"]),
                    headers: headers.clone(),
                };
                (text(&file["name"]), url)
            })
            .collect())
    }

    pub(in crate::wandb) fn alert(
        &self,
        patience: &Patience,
        run: &RemoteRun,
        alert: &AlertInput,
    ) -> Result<(), RequestError> {
        let variables = json!({
            "entityName": run.entity, "projectName": run.project, "runName": run.id,
            "title": alert.title, "text": alert.text, "severity": alert.level,
        });
        self.graphql(patience, ALERT, &variables).map(drop)
    }

    /// Makes an artifact; `input` is the server's `CreateArtifactInput`.
    pub(in crate::wandb) fn create_artifact(
        &self,
        patience: &Patience,
        input: &Value,
    ) -> Result<CreatedArtifact, RequestError> {
        let data = self.graphql(patience, CREATE_ARTIFACT, &json!({"input": input}))?;
        let artifact = &data["createArtifact"]["artifact"];
        let latest = &artifact["artifactSequence"]["latestArtifact"]["id"];
        Ok(CreatedArtifact {
            id: text(&artifact["id"]),
            is_committed: artifact["state"] == "COMMITTED",
            base_id: latest.as_str().map(str::to_owned),
        })
    }

    /// Makes or completes an artifact's manifest: its id, and where it is to be put if its digest (base64 MD5) is given.
    pub(in crate::wandb) fn create_artifact_manifest(
        &self,
        patience: &Patience,
        run: &RemoteRun,
        artifact: &CreatedArtifact,
        digest: Option<&str>,
    ) -> Result<(String, UploadUrl), RequestError> {
        let variables = json!({
            "artifactID": artifact.id, "baseArtifactID": artifact.base_id, "name": "wandb_manifest.json",
            "digest": digest.unwrap_or_default(), "entityName": run.entity, "projectName": run.project,
            "runName": run.id, "manifestType": "FULL", "includeUpload": digest.is_some(),
        });
        let data = self.graphql(patience, CREATE_ARTIFACT_MANIFEST, &variables)?;
        let manifest = &data["createArtifactManifest"]["artifactManifest"];
        Ok((text(&manifest["id"]), self.upload_url(&manifest["file"])))
    }

    /// Where files of an artifact are to be put, in their order; none for what the server has already.
    pub(in crate::wandb) fn create_artifact_files(
        &self,
        patience: &Patience,
        artifact: &CreatedArtifact,
        manifest: &str,
        files: &[ArtifactFile],
    ) -> Result<Vec<Option<UploadUrl>>, RequestError> {
        let files = files.iter().map(|file| {
            json!({
                "artifactID": artifact.id, "artifactManifestID": manifest, "name": file.name, "md5": file.md5,
            })
        });
        let files: Vec<Value> = files.collect();
        let input = json!({"artifactFiles": files, "storageLayout": "V2"});
        let data = self.graphql(patience, CREATE_ARTIFACT_FILES, &json!({"input": input}))?;
        let edges = data["createArtifactFiles"]["files"]["edges"].as_array();
        let edges = edges.into_iter().flatten();
        Ok(edges
            .map(|edge| {
                let node = &edge["node"];
                node["uploadUrl"].as_str().map(|_| self.upload_url(node))
            })
            .collect())
    }

    pub(in crate::wandb) fn commit_artifact(
        &self,
        patience: &Patience,
        artifact: &CreatedArtifact,
    ) -> Result<(), RequestError> {
        let variables = json!({"artifactID": artifact.id});
        self.graphql(patience, COMMIT_ARTIFACT, &variables)
            .map(drop)
    }

    fn upload_url(&self, file: &Value) -> UploadUrl {
        UploadUrl {
            url: self.absolute(&file["uploadUrl"]),
            headers: headers(&file["uploadHeaders"]),
        }
    }

    /// Servers of one's own tell addresses without their host.
    fn absolute(&self, address: &Value) -> String {
        let address = text(address);
        if address.starts_with('/') {
            format!("{}{address}", self.base_url())
        } else {
            address
        }
    }

    fn refused(&self, problem: &str) -> RequestError {
        RequestError::Refused {
            address: self.base_url().to_owned(),
            status: 200,
            problem: problem.to_owned(),
        }
    }
}

/// Who a key belongs to.
#[derive(Clone, Debug)]
pub(in crate::wandb) struct Viewer {
    pub(in crate::wandb) username: String,
    pub(in crate::wandb) entity: String,
}

/// Text, or null for none.
fn present(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Headers told as `NAME:VALUE`.
fn headers(told: &Value) -> Vec<(String, String)> {
    let told = told.as_array().into_iter().flatten();
    told.filter_map(|header| header.as_str()?.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The last `_step` in a JSON text of a list of JSON texts of rows, in which numbers may be `NaN`.
fn last_step(tail: &Value) -> Option<u64> {
    let rows: Vec<String> = serde_json::from_str(tail.as_str()?).ok()?;
    let last = crate::lines::parse_json(rows.last()?).ok()?;
    match last {
        crate::Value::Map(row) => match row.get("_step")? {
            crate::Value::Integer(step) => u64::try_from(*step).ok(),
            crate::Value::Number(step) => Some(*step as u64),
            _ => None,
        },
        _ => None,
    }
}
