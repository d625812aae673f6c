//! An ONNX file, loaded: rows of inputs go in, rows of outputs come out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueView};
use rten_onnx::onnx::ModelProto;

use super::files::Files;
use super::input::{Input, of_inputs};
#[cfg(feature = "onnxruntime")]
use super::onnxruntime::OnnxRuntime;
use super::runtime::Runtime;
use super::sizes::Sizes;
use super::{constants, functions, graph, rewrite, wire};
use crate::error::{Error, Result};
use crate::problem;

/// The built-in runtime. It adds by the processor's instruction set, so that other processors give
/// other last bits.
const RTEN: &str = "rten 0.27";

/// Most inputs that go through a net of any number at a time: more need more memory and are no faster.
const MOST_AT_A_TIME: usize = 32;

/// A net with one input, of which one output is used.
pub(super) struct Net {
    engine: Engine,
    files: Files,
    takes: Input,
    sizes: Sizes,
}

/// A loaded net.
enum Engine {
    Rten {
        model: Box<Model>,
        input: NodeId,
        output: NodeId,
    },
    #[cfg(feature = "onnxruntime")]
    OnnxRuntime(OnnxRuntime),
}

impl Net {
    /// Loads the net in `path`, which is to be given inputs of these axes, the first of which counts
    /// them; `output` names one of its outputs, by default the first.
    ///
    /// # Errors
    /// [`Error::BadFile`] if it is damaged, too large, keeps weights in other files, uses operators that
    /// are not run, has not one input, takes others, or lacks the output; an input or output error.
    pub(super) fn open(path: &Path, axes: &[usize], output: Option<&str>) -> Result<Self> {
        let mut files = Files::read(path)?;
        let bad = |what: String| Error::bad_file(path, what, REMEDY);
        let mut net = contained(|| parse(&files.net)).map_err(bad)?;
        files.gather(&mut net, path)?;
        let takes = contained(|| prepare(&mut net, &files.net)).map_err(bad)?;
        takes.check(axes).map_err(|what| Error::bad_file(path, what, NOT_AS_DESCRIBED))?;
        let one_part = of_inputs(axes, takes.batch().unwrap_or(1));
        let room = || {
            Sizes::new(&mut net, &takes.name)
                .and_then(|sizes| sizes.check(&one_part).map(|()| sizes))
        };
        let sizes = contained(room).map_err(bad)?;
        let (model, file) = contained(|| load(net)).map_err(bad)?;
        let input = model.find_node(&takes.name).ok_or_else(|| bad("has no input".into()))?;
        let found = match output {
            Some(name) => model.find_node(name).filter(|id| model.output_ids().contains(id)),
            None => model.output_ids().first().copied(),
        };
        let output = found.ok_or_else(|| match output {
            Some(name) => bad(format!("has no output {name:?}")),
            None => bad("has no output".into()),
        })?;
        let engine = contained(|| Engine::of(model, file, input, output)).map_err(|what| {
            Error::bad_file(path, what, "leave --runtime out for the built-in runtime")
        })?;
        Ok(Self { engine, files, takes, sizes })
    }

    /// What runs it.
    pub(super) fn runtime(&self) -> problem::Runtime {
        let (name, chosen) = match &self.engine {
            Engine::Rten { .. } => (RTEN.to_owned(), false),
            #[cfg(feature = "onnxruntime")]
            Engine::OnnxRuntime(net) => (net.name(), true),
        };
        problem::Runtime { name, exact: false, chosen }
    }

    /// Its files.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// The outputs for the inputs in `values`, whose axes are `axes`: the first counts the inputs.
    /// An input's outputs stand together, in the order of the inputs. A net of a fixed number of inputs
    /// gets them in parts, the last filled up with zeros; one of any number, as many as there is room for.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn run(
        &self,
        axes: &[usize],
        values: &[f32],
        thread: &RunOptions,
    ) -> Result<Vec<f64>, String> {
        let count = axes[0];
        let each = values.len() / count;
        let fixed = self.takes.batch();
        let part = contained(|| match fixed {
            Some(part) => self.with_room(axes, part, part),
            None => self.with_room(axes, count.min(MOST_AT_A_TIME), 1),
        })?;
        let mut outputs = Vec::new();
        let mut filled = Vec::new();
        for values in values.chunks(part * each) {
            let inputs = values.len() / each;
            filled.clear();
            filled.extend_from_slice(values);
            let part = fixed.unwrap_or(inputs);
            filled.resize(part * each, 0.0);
            let axes = of_inputs(axes, part);
            let out = contained(|| self.engine.run(&axes, &filled, thread))?;
            if out.is_empty() || out.len() % part != 0 {
                return Err(format!("gives {} outputs for {part} inputs", out.len()));
            }
            outputs.extend(out[..out.len() / part * inputs].iter().map(|&value| f64::from(value)));
        }
        Ok(outputs)
    }

    /// How many of these inputs the net has room for at a time: `most`, or a half of it, and so on.
    ///
    /// # Errors
    /// Which operator has no room for `fewest`, in words.
    fn with_room(&self, axes: &[usize], most: usize, fewest: usize) -> Result<usize, String> {
        match self.sizes.check(&of_inputs(axes, most)) {
            Err(_) if most > fewest => self.with_room(axes, most / 2, fewest),
            room => room.map(|()| most),
        }
    }
}

impl Engine {
    /// The loaded `model`, or the same net, whose file is `loaded`, in the runtime that was chosen.
    fn of(model: Model, loaded: Vec<u8>, input: NodeId, output: NodeId) -> Result<Self, String> {
        let cuda = match Runtime::chosen() {
            Runtime::Rten => {
                return Ok(Self::Rten { model: Box::new(model), input, output });
            }
            Runtime::OnnxRuntime => false,
            Runtime::OnnxRuntimeCuda => true,
        };
        #[cfg(feature = "onnxruntime")]
        {
            let named = |id| {
                let name = model.node_info(id).and_then(|node| node.name().map(str::to_owned));
                name.ok_or("has an input or an output without a name")
            };
            let (input, output) = (named(input)?, named(output)?);
            drop(model);
            OnnxRuntime::open(loaded, input, output, cuda).map(Self::OnnxRuntime)
        }
        #[cfg(not(feature = "onnxruntime"))]
        Err(format!("{} bytes cannot be run: no runtime (CUDA: {cuda})", loaded.len()))
    }

    fn run(&self, axes: &[usize], values: &[f32], thread: &RunOptions) -> Result<Vec<f32>, String> {
        let (model, input, output) = match self {
            Self::Rten { model, input, output } => (model, *input, *output),
            #[cfg(feature = "onnxruntime")]
            Self::OnnxRuntime(net) => return net.run(axes, values),
        };
        let view = ValueView::from_shape(axes, values).map_err(|e| e.to_string())?;
        let [output] = model
            .run_n(vec![(input, view.into())], [output], Some(thread.clone()))
            .map_err(|e| format!("cannot be run: {e}"))?;
        let output = output.into_tensor::<f32>();
        output.map(|tensor| tensor.into_data()).ok_or_else(|| "its output is no float".into())
    }
}

/// Runs a net on one thread: on several, `rten` would divide an input among them.
pub(super) fn one_thread() -> RunOptions {
    RunOptions::default().with_thread_pool(Some(Arc::new(ThreadPool::with_num_threads(1))))
}

/// Does `work`, which runs a net, on a thread of its own. Not on the caller's: a worker of a pool that
/// waits for another pool takes up further work in the meantime, and so on, deeper than its stack.
///
/// # Errors
/// [`Error::Victim`] saying what is wrong with the net.
pub(super) fn on_own_thread(
    work: impl FnOnce(&RunOptions) -> Result<(), String> + Send,
) -> Result<()> {
    let done = std::thread::scope(|scope| scope.spawn(|| work(&one_thread())).join());
    done.unwrap_or_else(|_| Err("its thread panicked".to_owned()))
        .map_err(|what| Error::victim(format!("the net {what}")))
}

/// What to do about a net that is not run.
const REMEDY: &str = "export it again for opset 13 or later as a plain classifier; onnxsim and \
                      onnxruntime.tools simplify nets";

/// What to do about a net that does not fit what is said of it.
pub(super) const NOT_AS_DESCRIBED: &str = "correct the net, or the description beside it";

fn parse(file: &[u8]) -> Result<ModelProto, String> {
    if !wire::is_whole(file) {
        return Err("not an ONNX file: a field claims more than there is".into());
    }
    let mut model = ModelProto::parse_buf(file).map_err(|e| format!("not an ONNX file ({e})"))?;
    functions::inline(&mut model, file)?;
    Ok(model)
}

/// Brings a model whose weights are all in it into the form that is run; its input.
fn prepare(model: &mut ModelProto, file: &[u8]) -> Result<Input, String> {
    if model.graph.is_none() && file.is_empty() {
        return Err("not an ONNX file: it is empty".into());
    }
    rewrite::rewrite(model)?;
    if let Some(graph) = &mut model.graph {
        constants::fold(graph)?;
    }
    graph::check(model)?;
    Input::of(model.graph.as_ref().ok_or("holds no graph")?)
}

/// Loads a model; also the file that was loaded, where another runtime is to load it, too.
fn load(model: ModelProto) -> Result<(Model, Vec<u8>), String> {
    let bytes =
        model.write_buf().map_err(|e| format!("cannot be written for its runtime ({e})"))?;
    drop(model);
    // From memory, and without any source of external data.
    let file = if Runtime::chosen() == Runtime::Rten { Vec::new() } else { bytes.clone() };
    let model = ModelOptions::with_ops(graph::operators())
        .load(bytes)
        .map_err(|e| format!("cannot be loaded: {e}"))?;
    Ok((model, file))
}

/// Runs `work` on a foreign file; should the foreign library panic on it, that is an error.
fn contained<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("makes the library that runs it fail".into()))
}
