//! An ONNX file, loaded: rows of inputs go in, rows of outputs come out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use rten::{Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueView};
use rten_onnx::onnx::ModelProto;

use super::files::Files;
#[cfg(feature = "onnxruntime")]
use super::onnxruntime::OnnxRuntime;
use super::runtime::Runtime;
use super::{constants, functions, graph, rewrite, wire};
use crate::error::{Error, Result};
use crate::problem;

/// The built-in runtime. It adds by the processor's instruction set, so that other processors give
/// other last bits.
const RTEN: &str = "rten 0.27";

/// Most inputs that a net may take at a time.
const MOST_INPUTS: usize = 1_024;

/// A net with one input, of which one output is used.
pub(super) struct Net {
    engine: Engine,
    files: Files,
    /// Axes of its input, as far as the file states them.
    axes: Option<Vec<Option<usize>>>,
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
    /// Loads the net in `path`; `output` names one of its outputs, by default the first.
    ///
    /// # Errors
    /// [`Error::BadFile`] if it is damaged, too large, keeps weights in other files, uses operators
    /// that are not run, or has not one input and the output; an input or output error.
    pub(super) fn open(path: &Path, output: Option<&str>) -> Result<Self> {
        let mut files = Files::read(path)?;
        let bad = |what: String| Error::bad_file(path, what, REMEDY);
        let mut parsed = contained(|| parse(&files.net)).map_err(bad)?;
        files.gather(&mut parsed, path)?;
        let (model, loaded) = contained(|| load(parsed, &files.net)).map_err(bad)?;
        let &[input] = model.input_ids() else {
            return Err(bad(format!("takes {} inputs, not one", model.input_ids().len())));
        };
        let found = match output {
            Some(name) => model.find_node(name).filter(|id| model.output_ids().contains(id)),
            None => model.output_ids().first().copied(),
        };
        let output = found.ok_or_else(|| match output {
            Some(name) => bad(format!("has no output {name:?}")),
            None => bad("has no output".into()),
        })?;
        let fixed = |axis: &Dimension| match axis {
            Dimension::Fixed(size) => Some(*size),
            Dimension::Symbolic(_) => None,
        };
        let axes: Option<Vec<_>> =
            model.input_shape(0).map(|axes| axes.iter().map(fixed).collect());
        let batch = axes.as_ref().and_then(|axes| *axes.first()?);
        if batch.is_some_and(|batch| !(1..=MOST_INPUTS).contains(&batch)) {
            return Err(bad(format!("takes {} inputs at a time", batch.unwrap_or(0))));
        }
        let engine = contained(|| Engine::of(model, loaded, input, output)).map_err(|what| {
            Error::bad_file(path, what, "leave --runtime out for the built-in runtime")
        })?;
        Ok(Self { engine, files, axes })
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

    /// Checks that inputs of these axes, the first of which counts the inputs, are what the net
    /// takes, as far as its file says.
    ///
    /// # Errors
    /// What differs, in words.
    pub(super) fn check_axes(&self, given: &[usize]) -> Result<(), String> {
        let Some(own) = &self.axes else { return Ok(()) };
        let fits = own.len() == given.len()
            && own
                .iter()
                .zip(given)
                .skip(1)
                .all(|(own, given)| own.is_none_or(|own| own == *given));
        if fits {
            return Ok(());
        }
        let named = |axis: &Option<usize>| axis.map_or("?".to_owned(), |size| size.to_string());
        let own: Vec<String> = own.iter().map(named).collect();
        let given: Vec<String> =
            ["?".to_owned()].into_iter().chain(given[1..].iter().map(usize::to_string)).collect();
        Err(format!(
            "takes an input of axes [{}], the description makes [{}]",
            own.join(", "),
            given.join(", ")
        ))
    }

    /// The outputs for the inputs in `values`, whose axes are `axes`: the first counts the inputs.
    /// An input's outputs stand together, in the order of the inputs. A net of a fixed number of inputs
    /// gets them in parts, the last filled up with zeros.
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
        let part = self.axes.as_ref().and_then(|axes| *axes.first()?).unwrap_or(count).max(1);
        let mut outputs = Vec::new();
        let mut filled = Vec::new();
        for values in values.chunks(part * each) {
            let inputs = values.len() / each;
            filled.clear();
            filled.extend_from_slice(values);
            filled.resize(part * each, 0.0);
            let axes: Vec<usize> = [part].into_iter().chain(axes[1..].iter().copied()).collect();
            let out = contained(|| self.engine.run(&axes, &filled, thread))?;
            if out.is_empty() || out.len() % part != 0 {
                return Err(format!("gives {} outputs for {part} inputs", out.len()));
            }
            outputs.extend(out[..out.len() / part * inputs].iter().map(|&value| f64::from(value)));
        }
        Ok(outputs)
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

fn parse(file: &[u8]) -> Result<ModelProto, String> {
    if !wire::is_whole(file) {
        return Err("not an ONNX file: a field claims more than there is".into());
    }
    let mut model = ModelProto::parse_buf(file).map_err(|e| format!("not an ONNX file ({e})"))?;
    functions::inline(&mut model, file)?;
    Ok(model)
}

/// Loads a model whose weights are all in it; also the file that was loaded.
fn load(mut model: ModelProto, file: &[u8]) -> Result<(Model, Vec<u8>), String> {
    if model.graph.is_none() && file.is_empty() {
        return Err("not an ONNX file: it is empty".into());
    }
    rewrite::rewrite(&mut model)?;
    if let Some(graph) = &mut model.graph {
        constants::fold(graph)?;
    }
    graph::check(&model)?;
    let bytes =
        model.write_buf().map_err(|e| format!("cannot be written for its runtime ({e})"))?;
    drop(model);
    // From memory, and without any source of external data.
    let kept = if Runtime::chosen() == Runtime::Rten { Vec::new() } else { bytes.clone() };
    let model = ModelOptions::with_ops(graph::operators())
        .load(bytes)
        .map_err(|e| format!("cannot be loaded: {e}"))?;
    Ok((model, kept))
}

/// Runs `work` on a foreign file; should the foreign library panic on it, that is an error.
fn contained<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("makes the library that runs it fail".into()))
}
