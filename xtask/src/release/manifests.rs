//! Deployment files of a release, made from those of the repository. Text in, text out: comments
//! stay, and a part that is no longer there is an error.

/// What stands before the keys in `s.yaml`.
const HEADER: &str = "\
# Serverless Devs: `s deploy -y` builds the package and deploys it. Settings come from .env (see
# .env.example).
";

/// Where the release is, for the files that name it.
#[derive(Debug, Clone)]
pub struct Release {
    /// Such as `v1.2.3`.
    pub tag: String,
    /// The address of the repository, if known: `https://github.com/OWNER/NAME`.
    pub repository: Option<String>,
}

impl Release {
    /// Returns what `s.yaml` deploys: the zip's address, else its path beside the file.
    fn code(&self) -> String {
        match &self.repository {
            Some(repository) => {
                format!("{repository}/releases/download/{}/bootstrap.zip", self.tag)
            }
            None => "./bootstrap.zip".into(),
        }
    }

    /// Returns the name under which the zip lies in a bucket. A stack sees new code only under a new
    /// name.
    pub fn object(&self) -> String {
        format!("bootstrap-{}.zip", self.tag)
    }
}

/// Returns `s.yaml` of the release, which deploys the released zip.
pub fn s_yaml(s_yaml: &str, release: &Release) -> Result<String, String> {
    let header = format!(
        "\
# Serverless Devs: `s deploy -y` deploys release {} of ecs-dingtalk-notifier. Settings come from
# .env beside this file; app.zip has an example of it.
",
        release.tag
    );
    let text = replace(s_yaml, HEADER, &header)?;
    let text = replace(&text, &build_step(&text)?, "")?;
    replace(
        &text,
        "'./target/package'",
        &format!("'{}'", release.code()),
    )
}

/// Returns `s.yaml` of the application, in which `s init` replaces `{{ … }}` by answers.
pub fn app_s_yaml(s_yaml: &str, release: &Release) -> Result<String, String> {
    let header = format!(
        "\
# Serverless Devs: `s deploy -y` deploys code/bootstrap, which is release {} of
# ecs-dingtalk-notifier. Settings come from .env (see .env.example).
",
        release.tag
    );
    let text = replace(s_yaml, HEADER, &header)?;
    let mut text = replace(&text, &build_step(&text)?, "")?;
    for (from, to) in [
        ("'./target/package'", "'./code'"),
        ("access: default\n", "access: '{{ access }}'\n"),
        ("'REGION', 'cn-hangzhou'", "'REGION', '{{ region }}'"),
        (
            "functionName: ecs-dingtalk-notifier\n",
            "functionName: '{{ functionName }}'\n",
        ),
        (
            "'EVENT_LEVELS', 'CRITICAL,WARN'",
            "'EVENT_LEVELS', '{{ levels }}'",
        ),
    ] {
        text = replace(&text, from, to)?;
    }
    Ok(text)
}

/// Returns the part of `s.yaml` that builds the package.
fn build_step(s_yaml: &str) -> Result<String, String> {
    let missing = || "s.yaml has no actions before its props".to_owned();
    let start = s_yaml.find("    actions:\n").ok_or_else(missing)?;
    let end = s_yaml.find("    props:\n").ok_or_else(missing)?;
    s_yaml
        .get(start..end)
        .map(str::to_owned)
        .ok_or_else(missing)
}

/// Returns `.env.example` of the application. What `s init` asked for is empty there: a value would
/// win over the answer.
pub fn app_env_example(example: &str) -> Result<String, String> {
    let mut text = example.to_owned();
    for (from, to) in [
        (
            "# Region to deploy to: the region of the instances.\nREGION=cn-hangzhou\n",
            "# Region to deploy to: the region of the instances. Empty: as answered to s init.\nREGION=\n",
        ),
        (
            "# Empty: built from source, which needs Rust.\n",
            "# Empty: code/bootstrap.\n",
        ),
        (
            "or none.\nEVENT_LEVELS='CRITICAL,WARN'\n",
            "or none. Empty: as answered to s init.\nEVENT_LEVELS=\n",
        ),
    ] {
        text = replace(&text, from, to)?;
    }
    Ok(text)
}

/// Returns `publish.yaml` of the application with the version of the release.
pub fn app_publish(publish: &str, release: &Release) -> Result<String, String> {
    let version = release.tag.trim_start_matches('v');
    let text = replace(
        publish,
        "Version: 0.0.0\n",
        &format!("Version: {version}\n"),
    )?;
    match &release.repository {
        Some(address) => replace(&text, "Tags:\n", &format!("HomePage: {address}\nTags:\n")),
        None => Ok(text),
    }
}

/// Returns the ROS template of the release, which takes the zip from the bucket by its version.
pub fn template(template: &str, release: &Release) -> Result<String, String> {
    let object = release.object();
    let header = format!(
        "\
# Resource Orchestration Service: the same function as s.yaml, release {} of ecs-dingtalk-notifier.
# First upload bootstrap.zip of the release to an OSS bucket in the stack's region, as
# {object}.
",
        release.tag
    );
    let rest = template
        .find("ROSTemplateFormatVersion")
        .and_then(|at| template.get(at..))
        .ok_or("template.yml has no ROSTemplateFormatVersion")?;
    let default = format!("    Default: {object}\n");
    Ok(header + &replace(rest, "    Default: bootstrap.zip\n", &default)?)
}

/// Replaces the only occurrence of `from`.
fn replace(text: &str, from: &str, to: &str) -> Result<String, String> {
    match text.matches(from).count() {
        1 => Ok(text.replacen(from, to, 1)),
        count => Err(format!(
            "{count} places instead of one have {from:?}: adapt xtask/src/release/manifests.rs"
        )),
    }
}
