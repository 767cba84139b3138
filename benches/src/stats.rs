//! Medians and spread of samples.

/// Median and quartiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// A quarter of the samples is below.
    pub p25: f64,
    /// Half of the samples is below.
    pub median: f64,
    /// A quarter of the samples is above.
    pub p75: f64,
    /// The number of samples.
    pub count: usize,
}

/// Returns median and quartiles of samples in any order; `None` without samples.
pub fn summary(samples: &[f64]) -> Option<Summary> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (sorted.len().checked_sub(1)? as f64);
        let (low, high) = (
            *sorted.get(place.floor() as usize)?,
            *sorted.get(place.ceil() as usize)?,
        );
        Some(low + (high - low) * place.fract())
    };
    Some(Summary {
        p25: at(0.25)?,
        median: at(0.5)?,
        p75: at(0.75)?,
        count: sorted.len(),
    })
}

/// Formats a number with about three significant digits and commas between thousands.
pub fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.0995 => 2,
        _ => 3,
    };
    grouped(&format!("{value:.decimals$}"))
}

/// Formats a whole number with commas between thousands.
pub fn count(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() {
        grouped
    } else {
        format!("{grouped}.{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_interpolated_between_samples() {
        let of = |samples: &[f64]| summary(samples).map(|s| (s.p25, s.median, s.p75));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7.0]), Some((7.0, 7.0, 7.0)));
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0]), Some((1.75, 2.5, 3.25)));
        assert_eq!(of(&[5.0, 1.0, 4.0, 2.0, 3.0]), Some((2.0, 3.0, 4.0)));
    }

    #[test]
    fn numbers_have_three_digits_and_grouped_thousands() {
        for (value, shown) in [
            (0.0671, "0.067"),
            (0.456, "0.46"),
            (9.996, "10.0"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1_234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (123_456.0, "123,456"),
            (-1_234.4, "-1,234"),
            (-123.4, "-123"),
        ] {
            assert_eq!(digits(value), shown);
        }
        assert_eq!((count(1.0), count(10_000.0)), ("1".into(), "10,000".into()));
    }
}
