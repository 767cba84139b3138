//! Sections of `CHANGELOG.md`.

/// Returns the section of a version without its heading.
pub(crate) fn section(changelog: &str, version: &str) -> Option<String> {
    let heading = format!("## [{version}]");
    let mut lines = changelog.lines();
    lines.find(|line| line.starts_with(&heading))?;
    let lines: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let text = lines.join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn a_section_ends_at_the_next_version() {
        let changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-12-01\n\n### Added\n\n- A\n\n## [1.0.0]\n\n- B\n";
        let of = |version| section(changelog, version);
        assert_eq!(of("1.1.0").as_deref(), Some("### Added\n\n- A\n"));
        assert_eq!(of("1.0.0").as_deref(), Some("- B\n"));
        assert_eq!(of("Unreleased"), None);
        assert_eq!(of("1.1"), None);
    }
}
