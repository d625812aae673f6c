//! Times basis pursuit denoising on given atoms and signals and prints the figures as one
//! JSON object: `time_bpdn PROBLEM.npz EPSILON REPEATS`. The file has `D` (f64, one atom a
//! row) and `X` (f64, one signal a row); all signals are solved REPEATS times.

use std::fs::File;
use std::time::Instant;

use ndarray::Array2;
use ndarray_npy::NpzReader;
use trompe::classifiers::sparse::{Dictionary, homotopy};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, epsilon, repeats] = arguments.as_slice() else {
        anyhow::bail!("usage: time_bpdn PROBLEM.npz EPSILON REPEATS");
    };
    let (epsilon, repeats): (f64, usize) = (epsilon.parse()?, repeats.parse()?);
    let mut npz = NpzReader::new(File::open(path)?)?;
    let (atoms, signals): (Array2<f64>, Array2<f64>) = (npz.by_name("D")?, npz.by_name("X")?);
    let atoms_of = atoms.iter().copied().collect();
    let dictionary = Dictionary::new(atoms.ncols(), atoms_of)
        .map_err(|fault| anyhow::anyhow!("{path}: {fault:?}"))?;
    let signals: Vec<Vec<f64>> = signals.outer_iter().map(|row| row.to_vec()).collect();
    let energies: Vec<f64> = signals.iter().map(|x| x.iter().map(|v| v * v).sum()).collect();

    let mut times = Vec::new();
    let mut codes = Vec::new();
    for _ in 0..repeats.max(1) {
        let start = Instant::now();
        let correlations = dictionary.correlations_of_all(&signals);
        codes = correlations
            .iter()
            .zip(&energies)
            .map(|(correlations, &energy)| homotopy(&dictionary, correlations, energy, epsilon))
            .collect();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);

    let count = signals.len() as f64;
    let norms: f64 = codes.iter().flat_map(|code| &code.entries).map(|(_, w)| w.abs()).sum();
    let support: usize = codes.iter().map(|code| code.entries.len()).sum();
    let steps: usize = codes.iter().map(|code| code.steps).sum();
    let mut worst = 0.0f64;
    for (signal, code) in signals.iter().zip(&codes) {
        let mut residual = signal.clone();
        for &(atom, weight) in &code.entries {
            for (r, d) in residual.iter_mut().zip(atoms.row(atom)) {
                *r -= weight * d;
            }
        }
        worst = worst.max(residual.iter().map(|r| r * r).sum::<f64>().sqrt());
    }
    println!(
        "{}",
        serde_json::json!({
            "ms_per_signal": 1e3 * times[times.len() / 2] / count,
            "mean_l1": norms / count,
            "mean_support": support as f64 / count,
            "mean_steps": steps as f64 / count,
            "worst_residual": worst,
        })
    );
    Ok(())
}
