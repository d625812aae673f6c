//! The input of a net, as its file states it.

use rten_onnx::onnx::{GraphProto, ValueInfoProto};

use super::tensors::Stored;

/// Most inputs that a net may take at a time.
const MOST_INPUTS: usize = 1_024;

/// The one input that a net takes.
pub(super) struct Input {
    pub(super) name: String,
    /// Its axes, the first of which counts the inputs, as far as they are stated.
    axes: Option<Vec<Option<usize>>>,
}

impl Input {
    /// That of a graph.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn of(graph: &GraphProto) -> Result<Self, String> {
        let stored = Stored::new(graph);
        let name = |input: &ValueInfoProto| input.name.clone().unwrap_or_default();
        let given: Vec<_> =
            graph.input.iter().filter(|input| stored.get(&name(input)).is_none()).collect();
        let &[input] = &given[..] else {
            return Err(format!("takes {} inputs, not one", given.len()));
        };
        let input = Self { name: name(input), axes: axes(input) };
        match input.batch() {
            Some(batch) if !(1..=MOST_INPUTS).contains(&batch) => {
                Err(format!("takes {batch} inputs at a time"))
            }
            _ => Ok(input),
        }
    }

    /// How many inputs the net takes at a time, if the file says so.
    pub(super) fn batch(&self) -> Option<usize> {
        *self.axes.as_ref()?.first()?
    }

    /// Checks that inputs of these axes are what the net takes, as far as its file says.
    ///
    /// # Errors
    /// What differs, in words.
    pub(super) fn check(&self, given: &[usize]) -> Result<(), String> {
        let Some(own) = &self.axes else { return Ok(()) };
        let fit = |(own, given): (&Option<usize>, &usize)| own.is_none_or(|own| own == *given);
        if own.len() == given.len() && own.iter().zip(given).skip(1).all(fit) {
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
}

/// The stated axes of a value.
pub(super) fn axes(value: &ValueInfoProto) -> Option<Vec<Option<usize>>> {
    let shape = value.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
    let axis = |size: Option<i64>| size.and_then(|size| usize::try_from(size).ok());
    Some(shape.dim.iter().map(|dim| axis(dim.dim_value)).collect())
}

/// The axes of `count` inputs.
pub(super) fn of_inputs(axes: &[usize], count: usize) -> Vec<usize> {
    [count].into_iter().chain(axes[1..].iter().copied()).collect()
}
