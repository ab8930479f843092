//! Sine and cosine of degrees, the same on every machine.
//!
//! The standard library's come from the platform, whose last digits differ. Here the angle is
//! brought to −45° … 45° without loss and its Taylor series summed until the terms are below the
//! rounding: the error is some 1e-16, and multiples of 90° are exact.

/// The cosine and the sine of finite degrees.
pub(crate) fn cosine_and_sine(degrees: f64) -> (f64, f64) {
    let turned = degrees % 360.0;
    // The nearest quarter, −4 … 4; `%` and the difference are exact.
    let quarter = (turned / 90.0 + if turned < 0.0 { -0.5 } else { 0.5 }) as i32;
    let rest = (turned - f64::from(quarter) * 90.0) * (std::f64::consts::PI / 180.0);
    let (sine, cosine) = (series(rest, 1), series(rest, 0));
    match quarter.rem_euclid(4) {
        0 => (cosine, sine),
        1 => (-sine, cosine),
        2 => (-cosine, -sine),
        _ => (sine, -cosine),
    }
}

/// The series of the sine (`first` = 1) or the cosine (0): the sum over n of
/// (−1)ⁿ xᵏ / k! with k = first + 2 n. For |x| ≤ 0.79 ten terms reach below 1e-20.
fn series(x: f64, first: u32) -> f64 {
    let mut term = if first == 1 { x } else { 1.0 };
    let mut sum = term;
    for n in 1..10 {
        let k = f64::from(first + 2 * n);
        term *= -x * x / (k * (k - 1.0));
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::cosine_and_sine;

    #[test]
    fn quarters_are_exact() {
        for (degrees, expected) in [
            (0.0, (1.0, 0.0)),
            (90.0, (0.0, 1.0)),
            (-90.0, (0.0, -1.0)),
            (180.0, (-1.0, 0.0)),
            (270.0, (0.0, -1.0)),
            (3600.0, (1.0, 0.0)),
        ] {
            assert_eq!(cosine_and_sine(degrees), expected, "{degrees}");
        }
    }

    #[test]
    fn others_are_the_platforms_to_its_last_digits() {
        for tenth in -8000..8000 {
            let degrees = f64::from(tenth) / 10.0;
            let (cosine, sine) = cosine_and_sine(degrees);
            let (expected_sine, expected_cosine) = degrees.to_radians().sin_cos();
            assert!((sine - expected_sine).abs() < 1e-14, "{degrees}");
            assert!((cosine - expected_cosine).abs() < 1e-14, "{degrees}");
        }
    }
}
