//! Plugins that load and then misbehave, one of each kind. Whatever they do costs their call only:
//! [`Bench::fails`] runs a good plugin on the same host after each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use atelier_plugin_host::{Limits, PrepareRequest};

use crate::bench::{Bench, heard, prepare, request};
use atelier_tests::forge::{Forge, good};

const FOREVER: &str = "(loop $again (br $again)) (unreachable)";

fn hurried() -> Limits {
    Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    }
}

#[test]
fn an_endless_loop_is_stopped_in_time() {
    let bench = Bench::with(hurried());
    let plugin = bench.load(&Forge::new("loops", FOREVER));
    let start = Instant::now();
    let error = prepare(&plugin).unwrap_err();
    let took = start.elapsed();
    bench.is_fine_after("loops", &error);
    assert_eq!(error.code(), "plugin-time");
    assert!(
        took >= Duration::from_millis(300),
        "stopped early, after {took:?}"
    );
    assert!(
        took < Duration::from_secs(5),
        "stopped late, after {took:?}"
    );
}

#[test]
fn an_endless_loop_is_cancelled_from_outside() {
    let bench = Bench::new();
    let plugin = bench.load(&Forge::new("loops", FOREVER));
    let cancel = Arc::new(AtomicBool::new(false));
    let request = PrepareRequest {
        cancel: Some(Arc::clone(&cancel)),
        ..request()
    };
    let error = thread::scope(|scope| {
        let call = scope.spawn(|| plugin.prepare(&request, &mut |_| {}));
        thread::sleep(Duration::from_millis(50));
        cancel.store(true, Ordering::Relaxed);
        call.join().unwrap().unwrap_err()
    });
    bench.is_fine_after("loops", &error);
    assert_eq!(error.code(), "plugin-cancelled");
}

#[test]
fn an_endless_loop_at_the_start_is_stopped_too() {
    let bench = Bench::with(hurried());
    let error = bench.fails(&Forge {
        items: "(func $begin (loop $again (br $again))) (start $begin)",
        ..Forge::new("starts", "(unreachable)")
    });
    assert_eq!(error.code(), "plugin-time");
}

#[test]
fn endless_recursion_is_a_crash() {
    let error = Bench::new().fails(&Forge {
        items: "(func $down (result i32) (i32.add (call $down) (i32.const 1)))",
        ..Forge::new("recurses", "(call $down)")
    });
    assert_eq!(error.code(), "plugin-trap");
    assert!(
        error.to_string().contains("call stack exhausted"),
        "{error}"
    );
}

#[test]
fn a_memory_bomb_is_refused_memory() {
    let error = Bench::new().fails(&Forge::new(
        "bomb",
        "(loop $more
           (local.set $i (memory.grow (i32.const 64)))
           (br_if $more (i32.ne (local.get $i) (i32.const -1))))
         (unreachable)",
    ));
    assert_eq!(error.code(), "plugin-memory");
    assert!(error.to_string().contains("256 MiB"), "{error}");
}

#[test]
fn a_plugin_that_starts_too_large_does_not_start() {
    let error = Bench::new().fails(&Forge {
        pages: 5000,
        ..Forge::new("large", "(unreachable)")
    });
    assert_eq!(error.code(), "plugin-memory");
}

#[test]
fn a_table_counts_as_memory() {
    let error = Bench::new().fails(&Forge {
        items: "(table $t 1 funcref)",
        ..Forge::new(
            "tables",
            "(if (i32.eq (table.grow $t (ref.null func) (i32.const 0x4000000)) (i32.const -1))
               (then (unreachable)))
             (call $one (call $canvas (i32.const 1) (i32.const 1)))",
        )
    });
    assert_eq!(error.code(), "plugin-memory");
}

#[test]
fn a_plugin_that_lives_with_refused_memory_goes_on() {
    let plugin = Bench::new().load(&Forge::new(
        "frugal",
        "(if (i32.ne (memory.grow (i32.const 60000)) (i32.const -1)) (then (unreachable)))
         (call $one (call $canvas (i32.const 1) (i32.const 1)))",
    ));
    assert_eq!(prepare(&plugin).unwrap().pictures.len(), 1);
}

#[test]
fn a_handle_hoarder_is_told_when_to_stop() {
    let error = Bench::new().fails(&Forge::new(
        "hoarder",
        "(loop $more
           (call $canvas_create (i32.const 1) (i32.const 1) (i32.const 600))
           (br_if $more (i32.eqz (i32.load8_u (i32.const 600)))))
         (call $other (i32.load (i32.const 604)) (i32.load (i32.const 608)))",
    ));
    assert_eq!(error.code(), "plugin-refused");
    assert!(
        error.to_string().contains("has 1024 pictures already"),
        "{error}"
    );
}

#[test]
fn a_pixel_hoarder_is_told_when_to_stop() {
    let error = Bench::new().fails(&Forge::new(
        "hoarder",
        "(loop $more
           (call $canvas_create (i32.const 4096) (i32.const 4096) (i32.const 600))
           (br_if $more (i32.eqz (i32.load8_u (i32.const 600)))))
         (call $other (i32.load (i32.const 604)) (i32.load (i32.const 608)))",
    ));
    assert_eq!(error.code(), "plugin-refused");
    assert!(
        error
            .to_string()
            .contains("more than the 0 that this call has left"),
        "{error}"
    );
}

#[test]
fn a_hoarder_that_does_not_listen_runs_out_of_time() {
    let error = Bench::with(hurried()).fails(&Forge::new(
        "deaf",
        "(loop $more
           (global.set $heap (i32.const 65536))
           (call $canvas_create (i32.const 64) (i32.const 64) (i32.const 600))
           (br $more))
         (unreachable)",
    ));
    assert_eq!(error.code(), "plugin-time");
}

#[test]
fn lies_about_lengths_are_found_out() {
    let bench = Bench::new();
    for prepare in [
        // A list of 4 GiB returned, one that ends outside memory, and one at an odd address.
        "(call $done (i32.const 640) (i32.const -1))",
        "(call $done (i32.const 131068) (i32.const 2))",
        "(call $done (i32.const 641) (i32.const 1))",
        // The result itself outside memory.
        "(i32.const -4)",
        // A discriminant that does not exist.
        "(i32.store8 (i32.const 512) (i32.const 9)) (i32.const 512)",
        // A message that ends outside memory, or passes 4 GiB.
        "(call $other (i32.const 131070) (i32.const 9))",
        "(call $other (i32.const 0) (i32.const -1))",
        // 4 GiB written to a canvas, and bytes from outside memory.
        "(call $canvas_write (call $canvas (i32.const 1) (i32.const 1)) (i32.const 0)
               (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 0) (i32.const -1)
               (i32.const 600))
             (unreachable)",
        "(call $canvas_write (call $canvas (i32.const 1) (i32.const 1)) (i32.const 0)
               (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 131070) (i32.const 4)
               (i32.const 600))
             (unreachable)",
        // A canvas that does not exist, one returned twice, and a picture for a canvas.
        "(call $one (i32.const 77))",
        "(local.set $i (call $canvas (i32.const 1) (i32.const 1)))
             (i32.store (i32.const 640) (local.get $i))
             (i32.store (i32.const 644) (local.get $i))
             (call $done (i32.const 640) (i32.const 2))",
        "(call $one (i32.load offset=4 (local.get $sources)))",
    ] {
        let error = bench.fails(&Forge::new("liar", prepare));
        assert_eq!(error.code(), "plugin-output", "{prepare}: {error}");
    }
}

#[test]
fn too_much_at_once_is_a_limit() {
    let bench = Bench::with(Limits {
        hostcall_bytes: 1000,
        ..Limits::default()
    });
    let error = bench.fails(&Forge::new(
        "verbose",
        "(call $log (i32.const 0) (i32.const 0) (i32.const 1001)) (unreachable)",
    ));
    assert_eq!(error.code(), "plugin-limit");
    assert!(error.to_string().contains("1000 bytes"), "{error}");
}

#[test]
fn too_many_instances_or_tables_are_a_limit() {
    for limits in [
        Limits {
            instances: 1,
            ..Limits::default()
        },
        Limits {
            tables: 0,
            ..Limits::default()
        },
    ] {
        let error = prepare(&Bench::with(limits).load(&good())).unwrap_err();
        assert_eq!(error.code(), "plugin-limit", "{error:?}");
    }
}

#[test]
fn a_crash_is_told_with_the_panics_message() {
    let error = Bench::new().fails(&Forge {
        items: r#"(data (i32.const 860) "panicked at src/lib.rs:7:5:\0aindex out of bounds")"#,
        ..Forge::new(
            "panics",
            "(call $log (i32.const 3) (i32.const 860) (i32.const 47)) (unreachable)",
        )
    });
    assert_eq!(error.code(), "plugin-trap");
    let text = error.to_string();
    assert!(
        text.contains("`unreachable` instruction executed"),
        "{text}"
    );
    assert!(
        text.ends_with("panicked at src/lib.rs:7:5: index out of bounds"),
        "{text}"
    );
}

#[test]
fn a_crash_in_the_middle_of_a_picture_leaves_nothing() {
    let bench = Bench::new();
    let half_written = "
        (call $canvas_write (call $canvas (i32.const 2) (i32.const 2)) (i32.const 0)
          (i32.const 0) (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 600))
        (unreachable)";
    assert_eq!(
        bench.fails(&Forge::new("half", half_written)).code(),
        "plugin-trap"
    );
    // The host is in the middle of handing over pixels when the plugin's allocator crashes.
    let read = "
        (global.set $dead (i32.const 1))
        (call $picture_read (i32.load offset=4 (local.get $sources)) (i32.const 0) (i32.const 0)
          (i32.const 1) (i32.const 1) (i32.const 600))
        (call $one (call $canvas (i32.const 1) (i32.const 1)))";
    let error = bench.fails(&Forge {
        items: "(global $dead (mut i32) (i32.const 0))",
        realloc: "(if (global.get $dead) (then (unreachable)))",
        ..Forge::new("half", read)
    });
    assert_eq!(error.code(), "plugin-trap");
}

/// Writes this many lines.
fn flood(lines: u32) -> Forge {
    let body = format!(
        "(loop $more
           (call $log (i32.const 1) (i32.const 1110) (i32.const 15))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $i) (i32.const {lines}))))
         (call $one (call $canvas (i32.const 1) (i32.const 1)))"
    );
    Forge::new("flood", body.leak())
}

#[test]
fn many_lines_are_cut_and_counted_and_ten_million_are_a_limit() {
    let bench = Bench::new();
    let (result, lines) = heard(&bench.load(&flood(100_000)), &request());
    assert_eq!(lines.len(), 1000);
    assert_eq!(result.unwrap().dropped_log_lines, 99_000);
    let error = bench.fails(&flood(10_000_000));
    assert_eq!(error.code(), "plugin-limit");
    assert!(error.to_string().contains("100000 lines"), "{error}");
}

#[test]
fn nonsense_for_an_outcome_is_refused() {
    let bench = Bench::new();
    for (prepare, expected) in [
        ("(call $done (i32.const 0) (i32.const 0))", "no picture"),
        // A prompt that is not UTF-8.
        (
            "(drop (call $one (call $canvas (i32.const 1) (i32.const 1))))
             (i32.store8 (i32.const 700) (i32.const 255))
             (i32.store8 (i32.const 524) (i32.const 1))
             (i32.store (i32.const 528) (i32.const 700))
             (i32.store (i32.const 532) (i32.const 1))
             (i32.const 512)",
            "utf-8",
        ),
        // A prompt of a zero byte.
        (
            "(drop (call $one (call $canvas (i32.const 1) (i32.const 1))))
             (i32.store8 (i32.const 524) (i32.const 1))
             (i32.store (i32.const 528) (i32.const 900))
             (i32.store (i32.const 532) (i32.const 1))
             (i32.const 512)",
            "control characters",
        ),
    ] {
        let error = bench.fails(&Forge::new("nonsense", prepare));
        assert_eq!(error.code(), "plugin-output");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_picture_without_pixels_cannot_be_made() {
    let error = Bench::new().fails(&Forge::new(
        "zero",
        "(call $canvas_create (i32.const 0) (i32.const 7) (i32.const 600))
         (if (i32.eqz (i32.load8_u (i32.const 600))) (then (unreachable)))
         (call $other (i32.load (i32.const 604)) (i32.load (i32.const 608)))",
    ));
    assert_eq!(error.code(), "plugin-refused");
    assert!(error.to_string().contains("0 x 7"), "{error}");
}

#[test]
fn a_hostile_description_costs_only_itself() {
    let bench = Bench::new();
    let schema = "{\"a\": [[[[[[[[[[[[[[[[";
    let error = bench
        .load(&Forge { schema, ..good() })
        .describe()
        .unwrap_err();
    assert_eq!(error.code(), "plugin-output");
    bench.is_fine_after("good", &error);
}
