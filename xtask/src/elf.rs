//! Reads as much of ELF as shows whether a binary needs a dynamic loader.

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
    use super::check_static;

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
}
