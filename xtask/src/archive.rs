//! Zips that are the same bytes for the same content.

use std::io::Write;

/// A file of an archive.
pub(crate) struct File<'a> {
    /// Path in the archive, with `/`.
    pub(crate) path: &'a str,
    pub(crate) content: &'a [u8],
    pub(crate) is_executable: bool,
}

/// Returns an archive of these files, in the order of their paths and with one fixed time.
pub(crate) fn zip(files: &mut [File]) -> Result<Vec<u8>, String> {
    let fail = |error: zip::result::ZipError| format!("the zip cannot be made: {error}");
    files.sort_by_key(|file| file.path);
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for file in files {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level(Some(24))
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(if file.is_executable { 0o755 } else { 0o644 });
        archive.start_file(file.path, options).map_err(fail)?;
        archive
            .write_all(file.content)
            .map_err(|error| format!("the zip cannot be made: {error}"))?;
    }
    Ok(archive.finish().map_err(fail)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(paths: &[(&'static str, bool)]) -> Vec<u8> {
        let file = |(path, is_executable): &(&'static str, bool)| File {
            path,
            content: path.as_bytes(),
            is_executable: *is_executable,
        };
        zip(&mut paths.iter().map(file).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_zip_is_the_same_in_any_order() {
        assert_eq!(
            made(&[("src/a", false), ("b", true)]),
            made(&[("b", true), ("src/a", false)])
        );
    }

    #[test]
    fn modes_and_contents_are_kept() {
        let zipped = made(&[("bootstrap", true), ("readme.md", false)]);
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zipped)).unwrap();
        let mut found = Vec::new();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).unwrap();
            let mut content = String::new();
            std::io::Read::read_to_string(&mut file, &mut content).unwrap();
            let mode = file.unix_mode().map(|mode| mode & 0o777);
            found.push((content, mode));
        }
        let expected = [("bootstrap", 0o755), ("readme.md", 0o644)];
        assert_eq!(
            found,
            expected.map(|(name, mode)| (name.to_owned(), Some(mode)))
        );
    }
}
