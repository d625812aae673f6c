"""``python -m trompe``: the command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command with the arguments of the process, and exit with its code."""
    from trompe import _trompe

    sys.exit(_trompe.main(["trompe", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
