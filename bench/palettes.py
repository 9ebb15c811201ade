"""Colours for a figure with glasbey's compiled code, and without waiting for it to be compiled."""

import measure

COMPILED, UNCOMPILED = "compiled", "not compiled"


def main() -> None:
    """Check that both ways find the same colours, time them in turns, each in a new process, and print a table."""
    parser = measure.parser(__doc__, rounds=5, threads=None)
    parser.add_argument("--names", type=int, nargs="+", default=[5, 20, 45], help="numbers of names to colour")
    arguments = parser.parse_args()
    for number in arguments.names:
        ways = {COMPILED: (colors, number, 0), UNCOMPILED: (colors, number, number + 1)}
        seconds, _, found = measure.alternate_apart(ways, arguments.rounds)
        assert found[COMPILED] == found[UNCOMPILED]
        print(f"\n{number} names:\n\n{measure.report(seconds, COMPILED)}", flush=True)


def colors(number: int, limit: int) -> list[object]:
    """The palette of so many names, uncompiled if they are fewer than the limit."""
    from selfembed.drawing import figures

    figures.UNCOMPILED = limit
    return list(figures.palette([str(name) for name in range(number)]).values())


if __name__ == "__main__":
    main()
