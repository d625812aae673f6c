"""The notebook runs, and is kept without its outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples/quickstart.ipynb"


# The kernel's client leaves sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_notebook_runs_and_has_no_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [output for cell in code for output in cell.outputs]
    pages = [
        output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})
    ]
    assert any("data:image/png;base64," in page for page in pages)
    assert any("data:audio/wav;base64," in page for page in pages)
