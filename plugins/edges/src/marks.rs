//! What is of a line: two bits for each pixel, which is all that is ever here of a whole picture.

use atelier_plugin::Size;

/// Pixels that are possibly of a line, and those that surely are.
#[derive(Debug)]
pub(crate) struct Marks {
    size: Size,
    possible: Bits,
    sure: Bits,
}

impl Marks {
    pub(crate) fn none(size: Size) -> Self {
        let bits = || Bits(vec![0; size.pixels().div_ceil(64) as usize]);
        Self {
            size,
            possible: bits(),
            sure: bits(),
        }
    }

    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Marks a pixel.
    pub(crate) fn mark(&mut self, x: u32, y: u32, surely: bool) {
        let index = self.index(x, y);
        if surely {
            &mut self.sure
        } else {
            &mut self.possible
        }
        .set(index);
    }

    /// Whether a pixel is surely of a line.
    pub(crate) fn is_sure(&self, x: u32, y: u32) -> bool {
        self.sure.has(self.index(x, y))
    }

    /// Whether any is.
    pub(crate) fn any(&self) -> bool {
        self.sure.0.iter().any(|&word| word != 0)
    }

    /// Makes sure all that hangs together with what is sure, over sides or corners.
    pub(crate) fn follow(&mut self) {
        // Who is in it was possible and no longer is, so nobody comes twice.
        let mut reached = Vec::new();
        for y in 0..self.size.height {
            for x in 0..self.size.width {
                if self.is_sure(x, y) {
                    self.reach(x, y, &mut reached);
                    while let Some((x, y)) = reached.pop() {
                        self.reach(x, y, &mut reached);
                    }
                }
            }
        }
    }

    /// Makes sure the possible neighbours of a pixel, and notes them.
    fn reach(&mut self, x: u32, y: u32, reached: &mut Vec<(u32, u32)>) {
        let span = |at: u32, side: u32| at.saturating_sub(1)..=(at + 1).min(side - 1);
        for y in span(y, self.size.height) {
            for x in span(x, self.size.width) {
                let index = self.index(x, y);
                if self.possible.take(index) {
                    self.sure.set(index);
                    reached.push((x, y));
                }
            }
        }
    }

    fn index(&self, x: u32, y: u32) -> usize {
        y as usize * self.size.width as usize + x as usize
    }
}

/// A bit for each pixel.
#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn has(&self, index: usize) -> bool {
        self.0[index / 64] & (1 << (index % 64)) != 0
    }

    fn set(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    /// Clears a bit; whether it was set.
    fn take(&mut self, index: usize) -> bool {
        let had = self.has(index);
        self.0[index / 64] &= !(1 << (index % 64));
        had
    }
}

#[cfg(test)]
mod tests {
    use atelier_plugin::Size;

    use super::Marks;

    #[test]
    fn what_hangs_on_something_sure_is_sure() {
        // S is sure, o possible: the second line is on its own.
        let drawn = ["S..oo..", ".oo..o.", "...o...", "o...o..", ".o....o"];
        let mut marks = Marks::none(Size::new(7, 5));
        for (y, row) in (0..).zip(drawn) {
            for (x, pixel) in (0..).zip(row.chars()) {
                if pixel != '.' {
                    marks.mark(x, y, pixel == 'S');
                }
            }
        }
        marks.follow();
        let row = |y| -> String {
            (0..7)
                .map(|x| if marks.is_sure(x, y) { 'S' } else { '.' })
                .collect()
        };
        let rows: Vec<String> = (0..5).map(row).collect();
        assert_eq!(
            rows,
            ["S..SS..", ".SS..S.", "...S...", "....S..", "......."]
        );
    }
}
