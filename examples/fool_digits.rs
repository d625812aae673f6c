use std::time::Instant;
use trompe::classifiers::ImageClassifier;
use trompe::classifiers::convolutional::*;
use trompe::corpora::{ImageCorpus, Split};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let corpus = ImageCorpus::open(std::path::Path::new(&args[1])).unwrap();
    let settings = TrainingSettings {
        epochs: args[3].parse().unwrap(),
        learning_rate: args[4].parse().unwrap(),
        ..Default::default()
    };
    let t = Instant::now();
    let test = corpus.split(Split::Test);
    let net = train(
        Architecture::by_name(&args[2], corpus.shape, 10).unwrap(),
        &corpus,
        &corpus.split(Split::Train),
        &settings,
        |e| println!("{e:?} {:?}", t.elapsed()),
    )
    .unwrap();
    println!("test error {} after {:?}", error_rate(&net, &corpus, &test), t.elapsed());
    net.save(std::path::Path::new(&args[5])).unwrap();
    let images: Vec<u8> = test.iter().flat_map(|&i| corpus.image(i)).copied().collect();
    let mut out = vec![0.0; 100000];
    for _ in 0..5 {
        let t = Instant::now();
        net.log_odds(&images, &mut out);
        println!("{:.0} images/s one thread", 1e4 / t.elapsed().as_secs_f64());
    }
}
