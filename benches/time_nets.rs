//! Times the scoring of an ONNX net on one thread and prints items a second of CPU time:
//! `time_nets NET RUNTIME`, where RUNTIME is `rten` or `onnxruntime`. Images have random pixels;
//! excerpts are 30 seconds of noise and go through the front end of the description.

use anyhow::{Context, Result, bail};
use rand::RngExt;
use trompe::base::random::stream;
use trompe::corpora::{Audio, Image};
use trompe::problem::Victim;
use trompe::victims::{OnnxNet, Runtime};

const SECONDS: usize = 30;
const CPU_SECONDS: f64 = 4.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [net, runtime] = arguments.as_slice() else { bail!("arguments: NET RUNTIME") };
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    Runtime::by_name(runtime).context("rten or onnxruntime")?.choose()?;
    let mut rng = stream(1, 0, 0, 0);
    let per_second = match OnnxNet::open(net.as_ref())? {
        OnnxNet::Images(net) => {
            let shape = net.format().context("a shape")?;
            let pixels = (0..shape.bytes()).map(|_| rng.random()).collect();
            rate(&*net, &[Image { shape, pixels }])?
        }
        OnnxNet::Sound(net) => {
            let sample_rate = net.format().context("a rate")?.sample_rate;
            let samples = (0..SECONDS * sample_rate as usize)
                .map(|_| rng.random_range(-0.3_f32..0.3))
                .collect();
            rate(&*net, &[Audio { samples, sample_rate }])?
        }
    };
    println!("{}", serde_json::json!({ "per_second": per_second }));
    Ok(())
}

/// Inputs scored in a second of CPU time.
fn rate<I: trompe::problem::Input>(net: &impl Victim<I>, input: &[I]) -> Result<f64> {
    net.scores(input)?;
    let start = cpu_seconds()?;
    for done in 1.. {
        net.scores(input)?;
        let used = cpu_seconds()? - start;
        if used >= CPU_SECONDS {
            return Ok(f64::from(done) / used);
        }
    }
    unreachable!("the time is up at some time")
}

/// Seconds of CPU time that this process has used, in steps of a hundredth.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("needs Linux")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}
