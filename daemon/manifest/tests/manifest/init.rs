//! A picture to begin from: what the table and the flags become, and what size the job gets.

use atelier_manifest::{Extend, Job, Request, load};

use crate::world::{Machine, png, short};

fn job(machine: &Machine, top: &str, init: &str) -> Job {
    let text =
        format!("manifest = 1\nprompt = \"x\"\n{top}\n[init]\npath = \"photo.png\"\n{init}\n");
    load(&text, machine).unwrap_or_else(|problems| panic!("{top} {init}: {problems}"))
}

fn size(job: &Job) -> (u32, u32) {
    (job.width, job.height)
}

#[test]
fn the_table_becomes_part_of_the_job() {
    let machine = Machine::furnished();
    let plain = job(&machine, "", "");
    let init = plain.init.as_ref().unwrap();
    assert_eq!(init.path, machine.path("inbox/photo.png"));
    assert_eq!(
        (&init.mask, init.strength, init.extend),
        (&None, None, Extend::default())
    );
    let masked = job(&machine, "", "mask = \"mask.png\"\nstrength = 0.7");
    let init = masked.init.as_ref().unwrap();
    assert_eq!(init.mask, Some(machine.path("inbox/mask.png")));
    assert_eq!(init.strength, Some(0.7));
    let whole = "strength = 1";
    assert_eq!(job(&machine, "", whole).init.unwrap().strength, Some(1.0));
}

#[test]
fn the_size_is_the_pictures_own_unless_asked_for() {
    let mut machine = Machine::furnished();
    assert_eq!(size(&job(&machine, "", "")), (992, 736));
    assert_eq!(size(&job(&machine, "width = 512", "")), (512, 384));
    assert_eq!(size(&job(&machine, "height = 512", "")), (688, 512));
    assert_eq!(
        size(&job(&machine, "width = 512\nheight = 512", "")),
        (512, 512)
    );
    machine.add_template("wide", Ok("width = 768\nheight = 256\n"));
    let wide = "template = \"wide\"";
    assert_eq!(size(&job(&machine, wide, "")), (768, 256));
    // A template does not know how far a picture is extended.
    let extended = job(&machine, wide, "extend = { right = 100, bottom = 0 }");
    assert_eq!(size(&extended), (1104, 736));
    let extend = extended.init.unwrap().extend;
    assert_eq!((extend.left, extend.right), (0, 100));
}

#[test]
fn sizes_that_no_picture_has_are_refused_where_they_come_from() {
    let machine = Machine::furnished();
    machine.file("inbox/small.png", &png(60, 500));
    machine.file("inbox/long.png", &png(1600, 100));
    for (init, key) in [
        ("path = \"huge.png\"", "init.path"),
        ("path = \"small.png\"", "init.path"),
        ("path = \"long.png\"", "init.path"),
        (
            "path = \"photo.png\"\nextend = { top = 5000 }",
            "init.extend",
        ),
        ("path = \"small.png\"\nextend = { top = 50 }", "init.extend"),
    ] {
        let text = format!("manifest = 1\nprompt = \"x\"\n[init]\n{init}\n");
        let problems = load(&text, &machine).expect_err(init);
        let found = short(&problems);
        assert_eq!((found[0].0, found[0].1), ("out-of-range", key), "{init}");
        assert!(problems.first().hint().is_some(), "{init}");
    }
    for path in ["huge.png", "small.png", "long.png"] {
        let text = format!(
            "manifest = 1\nprompt = \"x\"\nwidth = 640\nheight = 480\n[init]\npath = \"{path}\"\n"
        );
        assert_eq!(size(&load(&text, &machine).unwrap()), (640, 480), "{path}");
    }
}

#[test]
fn flags_say_the_same() {
    let machine = Machine::furnished();
    let mut request = Request::new("x", "x.png");
    request.init = Some("photo.png".into());
    request.mask = Some("mask.png".into());
    request.strength = Some(0.7);
    let by_flags = request.check(&machine).unwrap();
    let by_table = job(&machine, "", "mask = \"mask.png\"\nstrength = 0.7");
    assert_eq!(by_flags.init, by_table.init);
    request.mask = None;
    request.extend = Some("left=30".to_owned());
    let init = request.check(&machine).unwrap().init.unwrap();
    assert_eq!(init.extend.left, 30);
}

#[test]
fn flags_that_mean_nothing_without_a_picture_are_refused() {
    let machine = Machine::furnished();
    let mut request = Request::new("x", "x.png");
    request.mask = Some("mask.png".into());
    request.strength = Some(0.5);
    request.extend = Some("left=3,down=2".to_owned());
    let problems = request.check(&machine).unwrap_err();
    let mut keys: Vec<_> = short(&problems)
        .into_iter()
        .map(|it| (it.0, it.1))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(
        keys,
        [
            ("invalid-value", "--extend"),
            ("invalid-value", "--mask"),
            ("invalid-value", "--strength"),
        ]
    );
    request.init = Some("photo.png".into());
    request.extend = Some("left=64".to_owned());
    request.mask = Some("other-mask.png".into());
    request.width = Some(512);
    let problems = request.check(&machine).unwrap_err();
    assert_eq!(short(&problems), [("mask-size", "--mask", 0, 0)]);
    request.mask = None;
    let problems = request.check(&machine).unwrap_err();
    assert_eq!(short(&problems), [("invalid-value", "--width", 0, 0)]);
}
