//! Compares the C functions with the slice copy, byte for byte, over sizes, alignments and
//! overlaps.

#![cfg(all(unix, target_arch = "x86_64"))]
#![allow(unsafe_code)]

use musl_memcpy as _;
use proptest::prelude::*;
use std::ffi::c_void;
use std::ops::RangeInclusive;

unsafe extern "C" {
    #[cfg_attr(target_env = "musl", link_name = "memcpy")]
    fn musl_memcpy(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void;
    #[cfg_attr(target_env = "musl", link_name = "memmove")]
    fn musl_memmove(to: *mut c_void, from: *const c_void, size: usize) -> *mut c_void;
}

type Copy = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void;

/// Beyond every size at which the code takes another way.
const SIZES: RangeInclusive<usize> = 0..=1100;
/// Every address of a 16-byte piece.
const ALIGNMENTS: std::ops::Range<usize> = 0..16;
/// Bytes before and after the copy that must stay as they are.
const GUARD: usize = 32;

/// A buffer in which ranges are copied, and one for the slice copy.
struct Buffers {
    original: Vec<u8>,
    actual: Vec<u8>,
    expected: Vec<u8>,
}

impl Buffers {
    fn new(length: usize) -> Buffers {
        // Bytes without a period, so that every byte that is not copied, or to a wrong place,
        // shows.
        let byte = |at: u32| (at.wrapping_mul(2_654_435_769) >> 24) as u8;
        let original: Vec<u8> = (0..length as u32).map(byte).collect();
        Buffers {
            actual: original.clone(),
            expected: original.clone(),
            original,
        }
    }

    /// Copies in both buffers, and compares all of them: what was copied, and what must stay.
    fn check(&mut self, copy: Copy, from: usize, to: usize, size: usize) {
        assert!(from.max(to) + size <= self.original.len());
        self.actual.copy_from_slice(&self.original);
        self.expected.copy_from_slice(&self.original);
        self.expected.copy_within(from..from + size, to);
        let start = self.actual.as_mut_ptr();
        // SAFETY: both ranges lie in the buffer, as asserted. Only memmove gets ranges that
        // overlap.
        let returned = unsafe { copy(start.add(to).cast(), start.add(from).cast(), size) };
        assert_eq!(returned.cast::<u8>(), start.wrapping_add(to));
        assert!(
            self.actual == self.expected,
            "{size} bytes from {from} to {to} of a buffer at {start:p}"
        );
    }
}

#[test]
fn copies_of_all_sizes_and_alignments_equal_the_slice_copy() {
    for copy in [musl_memcpy as Copy, musl_memmove] {
        for size in SIZES {
            let source = size + 2 * GUARD;
            let mut buffers = Buffers::new(2 * source);
            for from in ALIGNMENTS {
                for to in ALIGNMENTS {
                    buffers.check(copy, GUARD + from, source + to, size);
                    buffers.check(copy, source + from, GUARD + to, size);
                }
            }
        }
    }
}

#[test]
fn overlapping_moves_of_all_sizes_equal_the_slice_copy() {
    for size in SIZES {
        // The closest overlaps, those of a piece or two, and those of a few bytes.
        let distances = (0..=34).chain([63, 64, 65, size / 2]);
        let distances = distances.chain(size.saturating_sub(17)..=size + 1);
        for distance in distances {
            let mut buffers = Buffers::new(size + distance + 2 * GUARD);
            for at in ALIGNMENTS {
                buffers.check(musl_memmove, GUARD + at, GUARD + at + distance, size);
                buffers.check(musl_memmove, GUARD + at + distance, GUARD + at, size);
            }
        }
    }
}

proptest! {
    #[test]
    fn large_moves_equal_the_slice_copy(
        size in 0_usize..200_000, from in 0_usize..100_000, to in 0_usize..100_000,
    ) {
        let mut buffers = Buffers::new(from.max(to) + size + GUARD);
        buffers.check(musl_memmove, from, to, size);
        if from.abs_diff(to) >= size {
            buffers.check(musl_memcpy, from, to, size);
        }
    }

    #[test]
    fn large_copies_equal_the_slice_copy(
        size in 0_usize..200_000, from in ALIGNMENTS, to in ALIGNMENTS,
    ) {
        let mut buffers = Buffers::new(2 * (size + GUARD));
        buffers.check(musl_memcpy, from, size + GUARD + to, size);
    }
}
