//! The Gaussian blur, first along rows and then across them, in whole numbers: weights in parts of 256,
//! as OpenCV's `GaussianBlur` has for pictures of 8 bits.

use atelier_plugin::{Failure, Size};

use crate::grey::Grey;

/// Rows of blurred brightness, to be asked for from top to bottom.
#[derive(Debug)]
pub(crate) struct Blurred<'a> {
    grey: Grey<'a>,
    kernel: Vec<u32>,
    /// Rows that are blurred along themselves, in parts of 256; row y is at y modulo their number.
    along: Vec<Vec<u16>>,
    /// The first row that is not among them yet.
    next: u32,
    sums: Vec<u32>,
    row: Vec<u8>,
}

impl<'a> Blurred<'a> {
    /// With a standard deviation in pixels; 0 leaves everything as it is.
    pub(crate) fn new(grey: Grey<'a>, deviation: f64) -> Self {
        let kernel = kernel(deviation);
        let along = vec![Vec::new(); kernel.len()];
        Self {
            grey,
            kernel,
            along,
            next: 0,
            sums: Vec::new(),
            row: Vec::new(),
        }
    }

    pub(crate) fn size(&self) -> Size {
        self.grey.size()
    }

    /// A row of the picture.
    pub(crate) fn row(&mut self, y: u32) -> Result<&[u8], Failure> {
        if let [_] = self.kernel[..] {
            return self.grey.row(y);
        }
        let Size { width, height } = self.size();
        let reach = self.kernel.len() / 2;
        while u64::from(self.next) <= u64::from(y) + reach as u64 && self.next < height {
            let place = self.next as usize % self.along.len();
            let row = self.grey.row(self.next)?;
            along(row, &self.kernel, &mut self.sums, &mut self.along[place]);
            self.next += 1;
        }
        self.sums.clear();
        self.sums.resize(width as usize, 1 << 15);
        for (index, &weight) in self.kernel.iter().enumerate() {
            let from = mirrored(y as usize + index, reach, height as usize);
            let row = &self.along[from % self.along.len()];
            for (sum, &value) in self.sums.iter_mut().zip(row) {
                *sum += weight * u32::from(value);
            }
        }
        self.row.clear();
        self.row
            .extend(self.sums.iter().map(|sum| (sum >> 16) as u8));
        Ok(&self.row)
    }
}

/// A row blurred along itself.
fn along(row: &[u8], kernel: &[u32], sums: &mut Vec<u32>, out: &mut Vec<u16>) {
    let reach = kernel.len() / 2;
    let wide: Vec<u8> = (0..row.len() + 2 * reach)
        .map(|x| row[mirrored(x, reach, row.len())])
        .collect();
    sums.clear();
    sums.resize(row.len(), 0);
    for (index, &weight) in kernel.iter().enumerate() {
        for (sum, &value) in sums.iter_mut().zip(&wide[index..]) {
            *sum += weight * u32::from(value);
        }
    }
    out.clear();
    out.extend(sums.iter().map(|&sum| sum as u16));
}

/// The place at `at` − `reach`, mirrored at the middles of the first and the last of `count` until it
/// is among them.
fn mirrored(at: usize, reach: usize, count: usize) -> usize {
    if count == 1 {
        return 0;
    }
    let period = 2 * (count - 1);
    let place = (at + period * reach - reach) % period;
    place.min(period - place)
}

/// Weights in parts of 256, which they sum to, three standard deviations to each side. What rounding one
/// weight loses, the next gets.
fn kernel(deviation: f64) -> Vec<u32> {
    let reach = ((deviation * 6.0 + 1.0).round() as usize | 1) / 2;
    if deviation <= 0.0 || reach == 0 {
        return vec![256];
    }
    let weight = |away: usize| (-0.5 * (away as f64 / deviation).powi(2)).exp();
    let sum = weight(0) + 2.0 * (1..=reach).map(weight).sum::<f64>();
    let mut kernel = vec![0; 2 * reach + 1];
    let (mut lost, mut given) = (0.0, 0);
    for index in 0..reach {
        let exact = weight(reach - index) / sum * 256.0 + lost;
        let rounded = exact.round_ties_even();
        lost = exact - rounded;
        kernel[index] = rounded as u32;
        kernel[2 * reach - index] = rounded as u32;
        given += 2 * rounded as u32;
    }
    kernel[reach] = 256_u32.saturating_sub(given);
    kernel
}

#[cfg(test)]
mod tests {
    use super::{kernel, mirrored};

    #[test]
    fn a_kernel_sums_to_one_and_falls_to_its_sides() {
        assert_eq!(kernel(0.0), [256]);
        assert_eq!(kernel(0.05), [256]);
        for deviation in [0.2, 0.5, 1.0, 1.4, 3.3, 10.0] {
            let kernel = kernel(deviation);
            assert_eq!(kernel.iter().sum::<u32>(), 256, "{deviation}");
            let middle = kernel.len() / 2;
            assert!(
                kernel.iter().all(|&weight| weight <= kernel[middle]),
                "{kernel:?}"
            );
        }
    }

    #[test]
    fn places_outside_are_mirrored_inside() {
        let places: Vec<usize> = (0..9).map(|at| mirrored(at, 3, 3)).collect();
        assert_eq!(places, [1, 2, 1, 0, 1, 2, 1, 0, 1]);
        assert_eq!(
            (mirrored(0, 30, 1), mirrored(0, 30, 2), mirrored(1, 30, 2)),
            (0, 0, 1)
        );
    }
}
