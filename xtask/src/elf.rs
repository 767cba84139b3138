//! Checks a binary before it is packaged: that it runs without a dynamic loader, and without musl's
//! slow memcpy; before it is released, that it lists its dependencies and names no local path.

use std::path::PathBuf;

const MACHINE_X86_64: u16 = 0x3e;
const SEGMENT_INTERPRETER: u32 = 3;

/// Checks that `binary` is for x86_64 Linux and has no dynamic loader.
pub(crate) fn check_static(binary: &[u8]) -> Result<(), String> {
    let cut = || "the binary is cut short".to_owned();
    if binary.get(..6) != Some(&[0x7f, b'E', b'L', b'F', 2, 1]) {
        return Err("what was built is no 64-bit ELF binary".into());
    }
    if u16_at(binary, 18).ok_or_else(cut)? != MACHINE_X86_64 {
        return Err("the binary is not for x86_64".into());
    }
    let table = u64_at(binary, 32).ok_or_else(cut)?;
    let size = usize::from(u16_at(binary, 54).ok_or_else(cut)?);
    let count = usize::from(u16_at(binary, 56).ok_or_else(cut)?);
    for number in 0..count {
        let at = usize::try_from(table)
            .ok()
            .and_then(|table| table.checked_add(number.checked_mul(size)?))
            .ok_or_else(cut)?;
        if u32_at(binary, at).ok_or_else(cut)? == SEGMENT_INTERPRETER {
            return Err(
                "the binary is dynamically linked; the runtime image may lack its libraries".into(),
            );
        }
    }
    Ok(())
}

/// The core of musl's memcpy for x86_64, the same since 2012:
/// `mov %rdx,%rcx; shr $3,%rcx; rep movsq; and $7,%edx`.
const MUSL_MEMCPY: [u8; 13] = [
    0x48, 0x89, 0xd1, 0x48, 0xc1, 0xe9, 0x03, 0xf3, 0x48, 0xa5, 0x83, 0xe2, 0x07,
];

/// Checks that `binary` has the memcpy of `crates/musl-memcpy` in place of musl's.
pub(crate) fn check_memcpy(binary: &[u8]) -> Result<(), String> {
    if contains(binary, &MUSL_MEMCPY) {
        return Err(
            "the binary has musl's slow memcpy: crates/musl-memcpy was not linked before libc"
                .into(),
        );
    }
    Ok(())
}

/// Checks that `binary` has the list of its dependencies in it.
pub(crate) fn check_auditable(binary: &[u8]) -> Result<(), String> {
    if !contains(binary, b".dep-v0") {
        return Err("the binary has no list of dependencies: cargo-auditable wrote none".into());
    }
    Ok(())
}

/// Checks that `binary` names none of these folders of the machine that built it.
pub(crate) fn check_paths(binary: &[u8], folders: &[PathBuf]) -> Result<(), String> {
    let named = folders
        .iter()
        .find(|folder| contains(binary, folder.as_os_str().as_encoded_bytes()));
    match named {
        Some(folder) => Err(format!(
            "the binary has the path {} in it: remap it in xtask/src/toolchain.rs",
            folder.display()
        )),
        None => Ok(()),
    }
}

fn contains(binary: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && binary.windows(part.len()).any(|found| found == part)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        bytes.get(at..at.checked_add(2)?)?.try_into().ok()?,
    ))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(
        bytes.get(at..at.checked_add(8)?)?.try_into().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::{check_auditable, check_memcpy, check_paths, check_static};
    use std::path::Path;
    use std::process::Command;

    /// An ELF header with one program header of each of these types.
    fn elf(machine: u16, segments: &[u32]) -> Vec<u8> {
        let mut binary = vec![0; 64];
        binary[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        binary[18..20].copy_from_slice(&machine.to_le_bytes());
        binary[32..40].copy_from_slice(&64_u64.to_le_bytes());
        binary[54..56].copy_from_slice(&56_u16.to_le_bytes());
        binary[56..58].copy_from_slice(&(segments.len() as u16).to_le_bytes());
        for segment in segments {
            let mut header = vec![0; 56];
            header[..4].copy_from_slice(&segment.to_le_bytes());
            binary.extend(header);
        }
        binary
    }

    #[test]
    fn static_binaries_pass_and_others_are_refused() {
        assert_eq!(check_static(&elf(0x3e, &[1, 1])), Ok(()));
        // A static position-independent binary has a dynamic segment, but no interpreter.
        assert_eq!(check_static(&elf(0x3e, &[6, 1, 2])), Ok(()));
        assert!(
            check_static(&elf(0x3e, &[6, 3, 2]))
                .unwrap_err()
                .contains("dynamically")
        );
        assert!(
            check_static(&elf(0xb7, &[1]))
                .unwrap_err()
                .contains("x86_64")
        );
        assert!(check_static(b"#!/bin/sh").unwrap_err().contains("ELF"));
        let whole = elf(0x3e, &[1, 1]);
        assert!(check_static(&whole[..130]).is_ok());
        assert!(
            check_static(&whole[..100])
                .unwrap_err()
                .contains("cut short")
        );
        assert!(
            check_static(&whole[..40])
                .unwrap_err()
                .contains("cut short")
        );
    }

    // With another musl the check would pass whatever is linked.
    #[test]
    fn musls_memcpy_is_recognised_in_its_own_libc() {
        let libc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args([
                "--print",
                "target-libdir",
                "--target",
                crate::toolchain::MUSL,
            ])
            .output()
            .map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
            .map(|folder| Path::new(&folder).join("self-contained/libc.a"))
            .and_then(std::fs::read);
        match libc {
            Ok(libc) => assert!(check_memcpy(&libc).is_err()),
            Err(error) => eprintln!(
                "not tested: {} has no libc.a ({error})",
                crate::toolchain::MUSL
            ),
        }
        assert_eq!(check_memcpy(b"another binary"), Ok(()));
    }

    #[test]
    fn a_released_binary_lists_dependencies_and_names_no_path() {
        assert!(check_auditable(b"\0.text\0.dep-v0\0").is_ok());
        assert!(check_auditable(b"\0.text\0").is_err());
        let folders = ["/home/user/project".into(), "".into()];
        assert_eq!(check_paths(b"/build/src/main.rs", &folders), Ok(()));
        let named = check_paths(b"at /home/user/project/src/main.rs", &folders);
        assert!(named.unwrap_err().contains("/home/user/project"));
    }
}
