//! What a bad plugin can do to a daemon: fail its own job. One daemon gets one of each kind; after each, its memory
//! is back and the next job works.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use atelier_tests::forge::{Forge, crowded, good, install, interface};
use atelier_tests::{Daemon, Fixtures, Home};

/// What one call may use here: less than the defaults, so that nothing takes long.
const LIMITS: &str = "\n[plugins]\nseconds = 2\nmemory = \"128MiB\"\n";

/// What the daemon may keep of a bad plugin, in bytes: its compiled code, and what an allocator does not give back.
/// Each bomb is larger.
const KEPT: u64 = 48 << 20;

/// A bad plugin, the code with which its job fails, and words that the message must have.
struct Bad {
    name: &'static str,
    wasm: Vec<u8>,
    code: &'static str,
    says: &'static str,
}

impl Bad {
    fn made(forge: &Forge, code: &'static str, says: &'static str) -> Self {
        Self {
            name: forge.name,
            wasm: forge.component(),
            code,
            says,
        }
    }

    /// Its `prepare` has this body.
    fn does(
        name: &'static str,
        body: &'static str,
        code: &'static str,
        says: &'static str,
    ) -> Self {
        Self::made(&Forge::new(name, body), code, says)
    }

    /// It is this file.
    fn is(name: &'static str, wasm: Vec<u8>, code: &'static str, says: &'static str) -> Self {
        Self {
            name,
            wasm,
            code,
            says,
        }
    }
}

/// Those that loop, or take.
fn greedy() -> Vec<Bad> {
    vec![
        Bad::does("loops", "(loop $again (br $again)) (unreachable)", "plugin-time", "2 s"),
        Bad::made(
            &Forge {
                items: "(func $down (result i32) (i32.add (call $down) (i32.const 1)))",
                ..Forge::new("recurses", "(call $down)")
            },
            "plugin-trap",
            "call stack exhausted",
        ),
        // Touches every page that it gets, so that it is really there.
        Bad::does(
            "bomb",
            "(loop $more
               (local.set $i (memory.grow (i32.const 16)))
               (if (i32.ne (local.get $i) (i32.const -1))
                 (then
                   (memory.fill (i32.mul (local.get $i) (i32.const 65536)) (i32.const 7) (i32.const 0x100000))
                   (br $more))))
             (unreachable)",
            "plugin-memory",
            "128 MiB",
        ),
        Bad::does(
            "hoarder",
            "(loop $more
               (call $canvas_create (i32.const 64) (i32.const 64) (i32.const 600))
               (br_if $more (i32.eqz (i32.load8_u (i32.const 600)))))
             (call $other (i32.load (i32.const 604)) (i32.load (i32.const 608)))",
            "plugin-refused",
            "1024 pictures already",
        ),
        Bad::does(
            "pixels",
            "(loop $more
               (call $canvas_create (i32.const 4096) (i32.const 4096) (i32.const 600))
               (br_if $more (i32.eqz (i32.load8_u (i32.const 600)))))
             (call $other (i32.load (i32.const 604)) (i32.load (i32.const 608)))",
            "plugin-refused",
            "more than the 0 that this call has left",
        ),
        Bad::does(
            "flood",
            "(loop $more
               (call $log (i32.const 1) (i32.const 1110) (i32.const 15))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $more (i32.lt_u (local.get $i) (i32.const 10000000))))
             (call $one (call $canvas (i32.const 1) (i32.const 1)))",
            "plugin-limit",
            "lines of log",
        ),
    ]
}

/// Those that lie, or stop half-way.
fn lying() -> Vec<Bad> {
    vec![
        Bad::does("huge-list", "(call $done (i32.const 640) (i32.const -1))", "plugin-output", ""),
        Bad::does("lies", "(call $done (i32.const 131068) (i32.const 2))", "plugin-output", ""),
        Bad::does(
            "nothing",
            "(call $done (i32.const 0) (i32.const 0))",
            "plugin-output",
            "no picture",
        ),
        Bad::made(
            &Forge {
                items: r#"(data (i32.const 860) "panicked at src/lib.rs:7:5:\0aindex out of bounds")"#,
                ..Forge::new(
                    "panics",
                    "(call $log (i32.const 3) (i32.const 860) (i32.const 47)) (unreachable)",
                )
            },
            "plugin-trap",
            "index out of bounds",
        ),
        Bad::does(
            "half-written",
            "(call $canvas_write (call $canvas (i32.const 2) (i32.const 2)) (i32.const 0) (i32.const 0)
               (i32.const 2) (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 600))
             (unreachable)",
            "plugin-trap",
            "unreachable",
        ),
    ]
}

/// Those that draw where nothing is: the place and the size of a disc.
fn drawing() -> Vec<Bad> {
    let disc = |name: &'static str, place: &str, says| {
        let body = format!(
            "(call $disc (call $canvas (i32.const 8) (i32.const 8)) {place} (i32.const 255) (i32.const 255)
               (i32.const 255) (i32.const 255) (i32.const 760))
             (if (i32.load8_u (i32.const 760))
               (then (return (call $other (i32.load (i32.const 764)) (i32.load (i32.const 768))))))
             (unreachable)"
        );
        let import = r#"(import "atelier:plugin/draw@1.0.0" "disc"
            (func $disc (param i32 f32 f32 f32 i32 i32 i32 i32 i32)))"#;
        let wasm = Forge::new(name, body.leak()).component_with(&interface(), import);
        Bad::is(name, wasm, "plugin-refused", says)
    };
    vec![
        disc("nan", "(f32.const nan) (f32.const 3) (f32.const 2)", "NaN"),
        disc(
            "negative",
            "(f32.const -7) (f32.const -1e9) (f32.const -2)",
            "above 0",
        ),
    ]
}

/// Those that are no plugins.
fn broken() -> Vec<Bad> {
    let whole = good().component();
    let noise = (0_u32..5000).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8);
    let wasi = wat::parse_str(
        r#"(component
             (import "wasi:cli/environment@0.2.6" (instance
               (export "get-arguments" (func (result (list string)))))))"#,
    );
    let many = Forge::new("crowd", good().prepare).component();
    vec![
        Bad::is(
            "noise",
            noise.collect(),
            "plugin-component",
            "is not WebAssembly",
        ),
        Bad::is(
            "cut",
            whole[..whole.len() / 2].to_vec(),
            "plugin-component",
            "",
        ),
        Bad::is(
            "crowd",
            crowded(&many, 900),
            "plugin-limit",
            "200 instances",
        ),
        Bad::is("multitude", crowded(&whole, 10_000), "plugin-component", ""),
        Bad::is(
            "wasi",
            wasi.unwrap(),
            "plugin-import-refused",
            "wasi:cli/environment@0.2.6",
        ),
    ]
}

fn job(plugin: &str) -> String {
    format!(
        "manifest = 1\nprompt = \"the dancer of image 1\"\nwidth = 64\nheight = 64\nsteps = 1\nseed = 7\n\n\
         [[reference]]\npath = \"reference-1.png\"\nprepare = [{{ plugin = \"{plugin}\" }}]\n"
    )
}

/// Bytes that a process has in memory and that are no file's.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() << 10
}

fn meets(home: &Home, daemon: &Daemon<'_>, plugins: &Path, bad: &Bad, before: u64) {
    let name = bad.name;
    install(plugins, name, &bad.wasm);
    home.drop_manifest(name, &job(name));
    let error = home.wait_for_error(name);
    let field = |key: &str| error[key].as_str().unwrap().to_owned();
    assert_eq!(field("code"), bad.code, "{error}");
    assert_eq!(field("stage"), "prepare", "{error}");
    let message = field("message");
    assert!(
        message.contains(&format!("{name:?}")) && message.contains(bad.says),
        "{error}"
    );

    let next = format!("after-{name}");
    home.drop_manifest(&next, &job("good"));
    let _ = home.wait_for_result(&next);
    let kept = memory(daemon.pid()).saturating_sub(before);
    assert!(
        kept < KEPT,
        "the daemon keeps {} MiB after {name}",
        kept >> 20
    );
    // So that a plugin which was to be loaded once does not count against the next ones.
    fs::remove_dir_all(plugins.join(name)).unwrap();
}

#[test]
fn each_hostile_plugin_fails_its_job_alone() {
    let home = Home::with_settings(LIMITS);
    let plugins = home.path().join("plugins");
    let _ = good().install(&plugins);
    home.put(&Fixtures::picture());
    let mut daemon = Daemon::start(&home);
    home.drop_manifest("first", &job("good"));
    let _ = home.wait_for_result("first");
    let before = memory(daemon.pid());
    let all: Vec<Bad> = [greedy(), lying(), drawing(), broken()]
        .into_iter()
        .flatten()
        .collect();
    for bad in &all {
        meets(&home, &daemon, &plugins, bad, before);
    }
    assert!(daemon.runs(), "{}", daemon.log());
    assert_eq!(Home::names(&home.outbox()).len(), 1 + all.len());
}
