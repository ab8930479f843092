//! The bounds and the budget of [`Studio`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use image::Rgba;

use super::*;

const WHOLE: Region = Region {
    x: 0,
    y: 0,
    width: 3,
    height: 2,
};

fn studio(output_pixels: u64) -> Studio {
    Studio::new(&Limits {
        output_pixels,
        handles: 3,
        hostcall_bytes: 64,
        ..Limits::default()
    })
}

fn told<T>(result: Result<T, PictureError>) -> String {
    result.err().expect("it is refused").to_string()
}

fn numbered(width: u32, height: u32) -> Arc<RgbaImage> {
    Arc::new(RgbaImage::from_fn(width, height, |x, y| {
        Rgba([x as u8, y as u8, 9, 255])
    }))
}

#[test]
fn whole_rows_are_lent_and_parts_of_them_copied() {
    let mut studio = studio(0);
    let pixels = numbered(4, 3);
    let picture = studio.admit(Arc::clone(&pixels), None).unwrap();
    let read = |x, width| {
        let at = Region {
            x,
            y: 1,
            width,
            height: 2,
        };
        studio.read(&picture, at).unwrap()
    };
    let rows = read(0, 4);
    assert_eq!(rows[..], pixels.as_raw()[16..]);
    assert_eq!(rows.as_ptr(), pixels.as_raw()[16..].as_ptr());
    assert_eq!(read(1, 3).len(), 24);
}

#[test]
fn a_region_is_read_row_by_row() {
    let mut studio = studio(0);
    let picture = studio.admit(numbered(4, 3), None).unwrap();
    let bytes = studio
        .read(
            &picture,
            Region {
                x: 2,
                y: 1,
                width: 2,
                height: 2,
            },
        )
        .unwrap();
    assert_eq!(
        bytes[..],
        [2, 1, 9, 255, 3, 1, 9, 255, 2, 2, 9, 255, 3, 2, 9, 255]
    );
}

#[test]
fn a_region_outside_is_refused_whatever_its_numbers() {
    let mut studio = studio(100);
    let picture = studio.admit(numbered(4, 3), None).unwrap();
    let canvas = studio.create(4, 3).unwrap();
    let max = u32::MAX;
    for (x, y, width, height) in [
        (0, 0, 5, 1),
        (0, 0, 1, 4),
        (4, 0, 1, 1),
        (0, 0, 0, 1),
        (0, 0, 1, 0),
        (max, 0, 1, 1),
        (1, 0, max, 1),
        (max, max, max, max),
    ] {
        let at = Region {
            x,
            y,
            width,
            height,
        };
        let outside = format!("{width} x {height} pixels at ({x}, {y}) do not lie inside 4 x 3");
        assert_eq!(told(studio.read(&picture, at)), outside);
        assert_eq!(told(studio.write(&canvas, at, &[0; 4])), outside);
        assert_eq!(told(studio.fill(&canvas, at, [0; 4])), outside);
    }
}

#[test]
fn what_is_written_comes_out() {
    let mut studio = studio(100);
    let canvas = studio.create(3, 2).unwrap();
    studio.fill(&canvas, WHOLE, [1, 2, 3, 4]).unwrap();
    let at = Region {
        x: 1,
        y: 1,
        width: 2,
        height: 1,
    };
    studio.write(&canvas, at, &[7; 8]).unwrap();
    assert_eq!(
        told(studio.write(&canvas, at, &[7; 7])),
        "a region of 2 x 1 pixels is 8 bytes, not 7"
    );
    let picture = studio.take(canvas).unwrap();
    assert_eq!(picture.get_pixel(0, 1).0, [1, 2, 3, 4]);
    assert_eq!(picture.get_pixel(1, 1).0, [7; 4]);
    assert_eq!(picture.get_pixel(2, 0).0, [1, 2, 3, 4]);
}

#[test]
fn a_paste_is_clipped_at_every_side() {
    for (x, y, expected) in [
        (1, 1, 4),
        (-1, -1, 1),
        (3, 3, 1),
        (2, -1, 2),
        (-2, 0, 0),
        (4, 0, 0),
        (i32::MIN, i32::MIN, 0),
        (i32::MAX, i32::MAX, 0),
    ] {
        let mut studio = studio(100);
        let source = studio.admit(numbered(2, 2), None).unwrap();
        let canvas = studio.create(4, 4).unwrap();
        studio.paste(&canvas, &source, x, y).unwrap();
        let picture = studio.take(canvas).unwrap();
        let drawn = picture.pixels().filter(|pixel| pixel.0[3] == 255).count();
        assert_eq!(drawn, expected, "at ({x}, {y})");
    }
}

#[test]
fn the_budget_counts_what_is_alive() {
    let mut studio = studio(20);
    let source = studio.admit(numbered(6, 6), None).unwrap();
    let canvas = studio.create(4, 3).unwrap();
    assert_eq!(
        told(studio.resized(&source, 3, 3)),
        "3 x 3 pixels are more than the 8 that this call has left"
    );
    let small = studio.resized(&source, 4, 2).unwrap();
    assert_eq!(studio.picture_size(&small).unwrap(), (4, 2));
    studio.drop_picture(small).unwrap();
    studio.take(canvas).unwrap();
    assert!(studio.create(5, 4).is_ok(), "all 20 pixels are free again");
}

#[test]
fn impossible_sizes_are_refused() {
    let mut studio = studio(u64::from(LONGEST_SIDE));
    assert_eq!(
        told(studio.create(0, 5)),
        "a picture of 0 x 5 pixels has none"
    );
    assert!(told(studio.create(u32::MAX, u32::MAX)).ends_with("a side may have 16384"));
    assert!(studio.create(LONGEST_SIDE, 1).is_ok());
}

#[test]
fn a_copy_that_would_need_too_much_on_the_way_is_refused() {
    let mut studio = studio(100);
    let wide = studio.admit(numbered(90, 1), None).unwrap();
    assert_eq!(
        told(studio.resized(&wide, 1, 2)),
        "scaling to 1 x 2 takes too much memory in one step"
    );
}

#[test]
fn handles_and_bytes_are_bounded() {
    let mut studio = studio(1000);
    let picture = studio.admit(numbered(5, 4), None).unwrap();
    let whole = Region {
        x: 0,
        y: 0,
        width: 5,
        height: 4,
    };
    assert_eq!(
        told(studio.read(&picture, whole)),
        "a region of 5 x 4 pixels is too much to pass at once; at most 64 bytes are passed"
    );
    studio.create(1, 1).unwrap();
    studio.create(1, 1).unwrap();
    assert_eq!(
        told(studio.create(1, 1)),
        "this call has 3 pictures already, and may have no more"
    );
    assert_eq!(studio.pixels_left, 998, "a refused canvas costs nothing");
}
