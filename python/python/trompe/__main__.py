"""``python -m trompe``: the command."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command with the arguments of the process, and exit with its code."""
    from trompe import _trompe

    # Python's own handler waits for Python code, and there is none.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_trompe.main(["trompe", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
