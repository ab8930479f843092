//! How steep the brightness is at each pixel of a row, and which way: Sobel's differences.

/// The differences of a row: to the right and down, and the sum of both as it counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slopes {
    pub(crate) right: Vec<i16>,
    pub(crate) down: Vec<i16>,
    /// |right| + |down|, with a 0 before the first pixel and after the last.
    pub(crate) steep: Vec<u16>,
}

impl Slopes {
    /// Those of a row outside the picture, where there is nothing to be steep.
    pub(crate) fn flat(width: usize) -> Self {
        Self {
            right: vec![0; width],
            down: vec![0; width],
            steep: vec![0; width + 2],
        }
    }

    /// Makes them those of a row, given the rows above and below it; the picture's border goes on as
    /// it is. All three have the width that these slopes have.
    pub(crate) fn measure(&mut self, above: &[u8], here: &[u8], below: &[u8]) {
        let last = here.len().saturating_sub(1);
        let mut measure = |x: usize, left: usize, right: usize| {
            let at = |row: &[u8], x: usize| i16::from(row[x]);
            let across = at(above, right) - at(above, left)
                + 2 * (at(here, right) - at(here, left))
                + at(below, right)
                - at(below, left);
            let down = at(below, left) - at(above, left)
                + 2 * (at(below, x) - at(above, x))
                + at(below, right)
                - at(above, right);
            self.right[x] = across;
            self.down[x] = down;
            self.steep[x + 1] = across.unsigned_abs() + down.unsigned_abs();
        };
        measure(0, 0, last.min(1));
        for x in 1..last {
            measure(x, x - 1, x + 1);
        }
        if last > 0 {
            measure(last, last - 1, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slopes;

    #[test]
    fn a_ramp_is_as_steep_everywhere_inside() {
        let rows = [[0, 10, 20, 30], [5, 15, 25, 35], [10, 20, 30, 40]];
        let mut slopes = Slopes::flat(4);
        slopes.measure(&rows[0], &rows[1], &rows[2]);
        assert_eq!(slopes.right, [40, 80, 80, 40]);
        assert_eq!(slopes.down, [40; 4]);
        assert_eq!(slopes.steep, [0, 80, 120, 120, 80, 0]);
    }

    #[test]
    fn a_single_pixel_is_flat_to_its_sides() {
        let mut slopes = Slopes::flat(1);
        slopes.measure(&[0], &[100], &[255]);
        assert_eq!((slopes.right[0], slopes.down[0]), (0, 1020));
    }
}
