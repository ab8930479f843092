//! Says how long a model takes: `time FILE.onnx SIDE [TIMES]` for one that takes a picture as
//! integers, 1 × SIDE × SIDE × 3, as MoveNet does. The input is read from standard input where it
//! has as many bytes, and is grey elsewhere; the output goes to standard output.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Instant;

use atelier_onnx::{Limits, Models, Numbers, Tensor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let file = words.next().ok_or("which file?")?;
    let side: u32 = words.next().ok_or("which side?")?.parse()?;
    let times: u32 = words.next().unwrap_or_else(|| "20".to_owned()).parse()?;

    let count = side as usize * side as usize * 3;
    let mut pixels = Vec::new();
    std::io::stdin()
        .take(count as u64)
        .read_to_end(&mut pixels)?;
    pixels.resize(count, 128);
    let input = Tensor {
        name: "input".to_owned(),
        shape: vec![1, side, side, 3],
        numbers: Numbers::Bytes(pixels),
    };

    let sources = BTreeMap::from([("model".to_owned(), file.into())]);
    let models = Models::new(sources, Limits::default());
    let start = Instant::now();
    models.prepare("model")?;
    eprintln!("loading {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let mut taken = Vec::new();
    let mut made = Vec::new();
    for _ in 0..times.max(1) {
        let start = Instant::now();
        made = models.run("model", vec![input.clone()], &|| false)?;
        taken.push(start.elapsed().as_secs_f64() * 1e3);
    }
    taken.sort_by(f64::total_cmp);
    eprintln!(
        "running {:.1} ms (median of {})",
        taken[taken.len() / 2],
        taken.len()
    );
    for tensor in made {
        println!("{} {:?} {:?}", tensor.name, tensor.shape, tensor.numbers);
    }
    Ok(())
}
